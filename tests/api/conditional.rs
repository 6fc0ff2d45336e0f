//! Conditional requests: what a client knows, and what it demands.

use serde_json::json;

use crate::app::{App, Store};

const ABSENT: &str = "018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f";

pub(crate) async fn a_known_row_is_304_until_anything_about_it_changes(store: Store) {
    let app = App::library(store).await;
    let row = app.create("books", json!({"title": "Emma"})).await;
    let path = format!("/books/{}", row["uid"].as_str().unwrap());
    let read = app.request(&format!("GET {path}")).send().await;
    let tag = read.header("etag").to_owned();

    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let answer = app
            .request(&format!("GET {path}"))
            .header("if-none-match", &known)
            .send()
            .await;
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), tag);
    }
    // The same row, but other columns, another media type or other readable fields: another representation.
    let other_columns = app
        .request(&format!("GET {path}?select=title"))
        .header("if-none-match", &tag);
    assert_eq!(other_columns.send().await.status, 200);
    let other_media = app
        .request(&format!("GET {path}"))
        .header("accept", "application/vnd.pgrst.object+json");
    assert_eq!(other_media.header("if-none-match", &tag).send().await.status, 200);
    let other_caller = app
        .request(&format!("GET {path}"))
        .by("x:librarians")
        .header("if-none-match", &tag);
    assert_eq!(other_caller.send().await.status, 200);

    app.request(&format!("PATCH {path}"))
        .by("alice")
        .json(json!({"pages": 3}))
        .send()
        .await;
    let changed = app
        .request(&format!("GET {path}"))
        .header("if-none-match", &tag)
        .send()
        .await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), tag);
    let stale = app
        .request(&format!("GET {path}"))
        .header("if-match", &tag)
        .send()
        .await;
    assert_eq!(
        (stale.status, stale.code()),
        (412, "RS_PRECONDITION_FAILED".to_owned())
    );
}

pub(crate) async fn of_two_writes_that_demand_the_same_version_one_succeeds(store: Store) {
    let app = App::library(store).await;
    let created = app
        .request("POST /books")
        .by("alice")
        .json(json!({"title": "Emma"}))
        .send()
        .await;
    let path = format!("/books/{}", created.json()["uid"].as_str().unwrap());
    let tag = created.header("etag");
    let write = |line: String| app.request(&line).by("alice:librarians").header("if-match", tag);
    // The version alone counts: the tag was another caller's, who sees other fields.
    let first = write(format!("PATCH {path}"))
        .json(json!({"pages": 1}))
        .send()
        .await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(
        write(format!("PATCH {path}"))
            .json(json!({"pages": 2}))
            .send()
            .await
            .status,
        412
    );
    assert_eq!(
        write(format!("PUT {path}"))
            .json(json!({"title": "B"}))
            .send()
            .await
            .status,
        412
    );
    assert_eq!(write(format!("DELETE {path}")).send().await.status, 412);
    let weak = app.request(&format!("DELETE {path}")).by("a:librarians");
    assert_eq!(
        weak.header("if-match", &format!("W/{}", first.header("etag")))
            .send()
            .await
            .status,
        412
    );
    let current = app.request(&format!("DELETE {path}")).by("a:librarians");
    assert_eq!(
        current
            .header("if-match", &format!("\"1-2\", {}", first.header("etag")))
            .send()
            .await
            .status,
        204
    );
}

pub(crate) async fn conditions_on_a_row_that_is_not_there(store: Store) {
    let app = App::library(store).await;
    let path = format!("/books/{ABSENT}");
    for (method, name, value, status) in [
        ("PUT", "if-match", "*", 412),
        ("PUT", "if-match", "\"1-2\"", 412),
        ("PATCH", "if-match", "\"1-2\"", 404),
        ("DELETE", "if-match", "*", 404),
        ("PATCH", "if-none-match", "*", 404),
        ("PUT", "if-none-match", "*", 201),
        ("PUT", "if-none-match", "*", 412),
        ("PATCH", "if-none-match", "*", 412),
        ("PUT", "if-none-match", "\"1-2\"", 400),
    ] {
        let answer = app
            .request(&format!("{method} {path}"))
            .by("alice:librarians")
            .header(name, value)
            .json(json!({"title": "Emma"}))
            .send()
            .await;
        assert_eq!(
            answer.status,
            status,
            "{method} {name}: {value}: {}",
            answer.text()
        );
    }
}

pub(crate) async fn a_careful_resource_wants_a_condition_on_every_write_to_a_row(store: Store) {
    let app = App::library(store).await;
    let path = format!("/careful/{ABSENT}");
    for method in ["PUT", "PATCH", "DELETE"] {
        let refused = app
            .request(&format!("{method} {path}"))
            .json(json!({}))
            .send()
            .await;
        assert_eq!(
            (refused.status, refused.code()),
            (428, "RS_PRECONDITION_REQUIRED".to_owned()),
            "{method}"
        );
    }
    let created = app
        .request(&format!("PUT {path}"))
        .header("if-none-match", "*")
        .json(json!({}))
        .send()
        .await;
    assert_eq!(created.status, 201);
    let tag = app
        .request(&format!("GET {path}"))
        .send()
        .await
        .header("etag")
        .to_owned();
    assert_eq!(
        app.request(&format!("DELETE {path}"))
            .header("if-match", &tag)
            .send()
            .await
            .status,
        204
    );
}
