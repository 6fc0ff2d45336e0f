//! What becomes of rows: created, read, replaced, changed, deleted, listed.

use serde_json::json;

use crate::app::{App, Store};

pub(crate) async fn a_row_is_created_stamped_and_read_back(store: Store) {
    let app = App::library(store).await;
    let created = app
        .request("POST /books")
        .by("alice")
        .json(json!({"title": "Emma", "price": 1.5, "tags": ["novel"]}))
        .send()
        .await;
    assert_eq!(created.status, 201, "{}", created.text());
    let row = created.json();
    let uid = row["uid"].as_str().unwrap();
    assert_eq!(created.header("location"), format!("/v1/books/{uid}"));
    assert_eq!(row["title"], "Emma");
    assert_eq!(row["status"], "draft", "a default");
    assert_eq!(row["loans"], 0, "a default that no caller may give");
    assert_eq!(row["creator_uid"], "alice");
    assert_eq!(row["last_updater_uid"], "alice");
    assert_eq!(row["created_at"], row["last_updated_at"]);
    assert!(row.get("code").is_none(), "write-only");
    assert!(row.get("cost").is_none(), "for librarians only");

    let read = app.request(&format!("GET /books/{uid}")).send().await;
    assert_eq!(read.status, 200);
    assert_eq!(read.json(), row);
    assert_eq!(read.header("etag"), created.header("etag"));
    assert_eq!(read.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(read.header("cache-control"), "private, no-cache");
    assert_eq!(read.header("vary"), "Authorization, Accept, Prefer");
    assert_eq!(read.header("x-request-id"), "test-1");
}

pub(crate) async fn put_replaces_and_what_was_read_can_be_sent_back(store: Store) {
    let app = App::library(store).await;
    let mut row = app
        .create(
            "books",
            json!({"title": "Emma", "pages": 3, "shelf": "A", "code": "x"}),
        )
        .await;
    let path = format!("/books/{}", row["uid"].as_str().unwrap());
    row["title"] = json!("Persuasion");
    row.as_object_mut().unwrap().remove("pages");
    let replaced = app
        .request(&format!("PUT {path}"))
        .by("bob:librarians")
        .json(row.clone())
        .send()
        .await;
    assert_eq!(replaced.status, 200, "{}", replaced.text());
    assert!(!replaced.headers.contains_key("etag"), "RFC 9110, 9.3.4");
    let now = replaced.json();
    assert_eq!(now["title"], "Persuasion");
    assert_eq!(now["pages"], json!(null), "an omitted optional field");
    assert_eq!(now["shelf"], "A", "an immutable field keeps its value");
    assert_eq!(now["last_updater_uid"], "bob");
    assert_eq!(now["creator_uid"], "alice");
    assert!(now["last_updated_at"].as_str() > row["last_updated_at"].as_str());
    let kept = app.rows("books").await;
    assert_eq!(
        kept[0].get("code").unwrap().to_json(),
        "\"x\"",
        "an omitted write-only field"
    );

    row["created_at"] = json!("2001-01-01T00:00:00Z");
    row["shelf"] = json!("B");
    let refused = app
        .request(&format!("PUT {path}"))
        .by("alice:librarians")
        .json(row)
        .send()
        .await;
    assert_eq!(refused.status, 422);
    let mut errors = refused.errors();
    errors.sort();
    assert!(
        errors.contains(&("/created_at".to_owned(), "read_only".to_owned())),
        "{errors:?}"
    );
    assert!(
        errors.contains(&("/shelf".to_owned(), "immutable".to_owned())),
        "{errors:?}"
    );
}

pub(crate) async fn put_creates_under_the_clients_uid(store: Store) {
    let app = App::library(store).await;
    let path = "/books/018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f";
    let put = |body| app.request(&format!("PUT {path}")).by("alice").json(body).send();
    let refused = put(json!({"title": "Emma", "created_at": "2001-01-01T00:00:00Z"})).await;
    assert_eq!(refused.status, 422, "a stamp on a new row");
    assert_eq!(
        refused.errors(),
        [("/created_at".to_owned(), "read_only".to_owned())]
    );
    let other = json!({"title": "Emma", "uid": "018f3a5e-7c1d-7a2b-9e4f-000000000000"});
    assert_eq!(put(other).await.errors(), [("/uid".to_owned(), "uid".to_owned())]);

    let created = put(json!({"title": "Emma", "uid": "018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f"})).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.header("location"), format!("/v1{path}"));
    assert_eq!(put(json!({"title": "Emma"})).await.status, 200);
    for uid in [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ] {
        let refused = app
            .request(&format!("PUT /books/{uid}"))
            .by("alice")
            .json(json!({"title": "Emma"}))
            .send()
            .await;
        assert_eq!(refused.status, 422, "{uid}");
    }
}

pub(crate) async fn patch_changes_what_is_given_and_nothing_without_anything(store: Store) {
    let app = App::library(store).await;
    let row = app
        .create("books", json!({"title": "Emma", "pages": 3, "tags": ["a"]}))
        .await;
    let path = format!("/books/{}", row["uid"].as_str().unwrap());
    let patch = |body| {
        app.request(&format!("PATCH {path}"))
            .by("alice")
            .json(body)
            .send()
    };

    let nothing = patch(json!({})).await;
    assert_eq!(nothing.status, 200);
    assert_eq!(
        nothing.json()["last_updated_at"],
        row["last_updated_at"],
        "unstamped"
    );

    let changed = patch(json!({"pages": null, "price": 2.25, "created_at": row["created_at"]})).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let now = changed.json();
    assert_eq!(
        (&now["pages"], &now["price"], &now["title"]),
        (&json!(null), &json!(2.25), &json!("Emma"))
    );
    assert_ne!(now["last_updated_at"], row["last_updated_at"]);
    assert_eq!(changed.header("content-range"), "0-0/*");
    let read = app.request(&format!("GET {path}")).send().await;
    assert_eq!(read.header("etag"), changed.header("etag"));
}

pub(crate) async fn delete_is_204_once_and_404_after(store: Store) {
    let app = App::library(store).await;
    let row = app.create("books", json!({"title": "Emma"})).await;
    let path = format!("/books/{}", row["uid"].as_str().unwrap());
    let delete = || {
        app.request(&format!("DELETE {path}"))
            .by("alice:librarians")
            .send()
    };
    let gone = delete().await;
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    assert_eq!(delete().await.status, 404);
    assert_eq!(
        app.request(&format!("GET {path}")).send().await.code(),
        "RS_NO_SUCH_ROW"
    );
}

pub(crate) async fn a_list_is_ordered_paged_and_counted(store: Store) {
    let app = App::library(store).await;
    for title in ["c", "a", "d", "b"] {
        app.create("books", json!({"title": title})).await;
    }
    let page = app
        .request("GET /books?order=title.desc&select=title&limit=2&offset=1")
        .send()
        .await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text(), r#"[{"title":"c"},{"title":"b"}]"#);
    assert_eq!(page.header("content-range"), "1-2/*");

    for (line, status, range, rows) in [
        ("GET /books?limit=2", 206, "0-1/4", 2),
        ("GET /books", 206, "0-2/4", 3),
        ("GET /books?limit=100", 200, "0-3/4", 4),
        ("GET /books?offset=4", 206, "*/4", 0),
        ("GET /books?title=eq.a", 200, "0-0/1", 1),
        ("GET /books?title=eq.z", 200, "*/0", 0),
    ] {
        let page = app.request(line).header("prefer", "count=exact").send().await;
        assert_eq!(page.status, status, "{line}: {}", page.text());
        assert_eq!(page.header("content-range"), range, "{line}");
        assert_eq!(page.header("preference-applied"), "count=exact", "{line}");
        assert_eq!(page.json().as_array().unwrap().len(), rows, "{line}");
    }
    let beyond = app
        .request("GET /books?offset=5")
        .header("prefer", "count=exact")
        .send()
        .await;
    assert_eq!((beyond.status, beyond.code()), (416, "PGRST103".to_owned()));
    assert_eq!(beyond.header("content-range"), "*/4");
}

pub(crate) async fn head_has_the_headers_of_get_and_no_body(store: Store) {
    let app = App::library(store).await;
    let row = app.create("books", json!({"title": "Emma"})).await;
    let path = format!("/books/{}", row["uid"].as_str().unwrap());
    for path in [path.as_str(), "/books", "/openapi.json", "/health"] {
        let mut get = app.request(&format!("GET {path}")).send().await;
        let mut head = app.request(&format!("HEAD {path}")).send().await;
        assert_eq!(head.status, get.status);
        assert!(head.body.is_empty(), "{path}");
        assert_eq!(
            head.headers.remove("content-length").unwrap(),
            get.body.len().to_string().as_str()
        );
        get.headers.remove("content-length");
        assert_eq!(head.headers, get.headers, "{path}");
    }
}

pub(crate) async fn prefer_and_accept_say_what_a_write_answers_with(store: Store) {
    let app = App::library(store).await;
    let post = || {
        app.request("POST /books")
            .by("alice")
            .json(json!({"title": "Emma"}))
    };
    let array = post().header("prefer", "return=representation").send().await;
    assert!(array.json().is_array(), "a collection answers with an array");
    assert_eq!(array.header("preference-applied"), "return=representation");
    let object = post()
        .header("prefer", "return=representation")
        .header("accept", "application/vnd.pgrst.object+json")
        .send()
        .await;
    assert!(object.json().is_object());
    assert_eq!(
        object.header("content-type"),
        "application/vnd.pgrst.object+json; charset=utf-8"
    );
    for preference in ["return=minimal", "return=headers-only"] {
        let nothing = post().header("prefer", preference).send().await;
        assert_eq!((nothing.status, nothing.body.len()), (201, 0));
        assert_eq!(nothing.header("preference-applied"), preference);
        assert!(nothing.headers.contains_key("location") && nothing.headers.contains_key("etag"));
    }
    let only = post().header("prefer", "count=exact").send().await;
    assert_eq!(only.header("content-range"), "*/1");

    let path = format!("/books/{}", only.json()["uid"].as_str().unwrap());
    let patch = app
        .request(&format!("PATCH {path}?select=title"))
        .by("alice")
        .json(json!({"title": "B"}))
        .send()
        .await;
    assert_eq!(patch.text(), r#"{"title":"B"}"#);
    let patch = app
        .request(&format!("PATCH {path}"))
        .by("alice")
        .json(json!({"title": "C"}))
        .header("prefer", "return=minimal")
        .send()
        .await;
    assert_eq!((patch.status, patch.body.len()), (204, 0));
    let gone = app
        .request(&format!("DELETE {path}?select=title"))
        .by("a:librarians")
        .header("prefer", "return=representation")
        .send()
        .await;
    assert_eq!((gone.status, gone.text()), (200, r#"{"title":"C"}"#));
}

pub(crate) async fn one_row_of_a_list_comes_as_an_object_and_another_number_is_406(store: Store) {
    let app = App::library(store).await;
    for title in ["a", "b"] {
        app.create("books", json!({"title": title})).await;
    }
    let get = |line: &str| {
        app.request(line)
            .header("accept", "application/vnd.pgrst.object+json")
            .send()
    };
    assert_eq!(
        get("GET /books?title=eq.a&select=title").await.text(),
        r#"{"title":"a"}"#
    );
    for (line, rows) in [("GET /books", 2), ("GET /books?title=eq.z", 0)] {
        let refused = get(line).await;
        assert_eq!((refused.status, refused.code()), (406, "PGRST116".to_owned()));
        assert_eq!(
            refused.json()["details"],
            format!("The result contains {rows} rows")
        );
    }
}

pub(crate) async fn who_may_create_but_not_read_gets_minimal(store: Store) {
    let app = App::library(store).await;
    let sent = app
        .request("POST /letters")
        .json(json!({"text": "hello"}))
        .send()
        .await;
    assert_eq!((sent.status, sent.body.len()), (201, 0), "{}", sent.text());
    assert!(sent.headers.contains_key("location"));
    let wanted = app
        .request("POST /letters")
        .header("prefer", "return=representation")
        .json(json!({"text": "hello"}))
        .send()
        .await;
    assert_eq!(wanted.header("preference-applied"), "return=minimal");
    assert_eq!(wanted.body.len(), 0);
    let rows = app.request("GET /letters").by("alice:librarians").send().await;
    assert_eq!(rows.json().as_array().unwrap().len(), 2);
    assert_eq!(rows.json()[0]["creator_uid"], json!(null), "an anonymous caller");
}
