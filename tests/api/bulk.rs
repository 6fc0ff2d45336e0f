//! Writes by way of a collection: arrays, CSV, upserts, PATCH and DELETE by filters.

use rowstamp_rest::Api;
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Store};

async fn sent(app: &App, line: &str, prefer: &str, body: &Json) -> Answer {
    app.request(line)
        .by("alice:librarians")
        .header("prefer", prefer)
        .json(body)
        .send()
        .await
}

async fn titles(app: &App) -> Vec<String> {
    let rows = app.rows("books").await;
    let mut titles: Vec<String> = rows
        .iter()
        .map(|row| {
            let mut text = String::new();
            row.get("title").unwrap().write_text(&mut text);
            text
        })
        .collect();
    titles.sort();
    titles
}

pub(crate) async fn an_array_is_created_and_answered_as_postgrest_does(store: Store) {
    let app = App::library(store).await;
    let body = json!([{"title": "A"}, {"title": "B", "price": 2.5, "tags": ["x", null]}]);
    let answer = sent(&app, "POST /books", "count=exact", &body).await;
    assert_eq!((answer.status, answer.text()), (201, ""));
    assert_eq!(answer.header("content-range"), "*/2");
    assert!(!answer.headers.contains_key("location") && !answer.headers.contains_key("etag"));

    let answer = sent(
        &app,
        "POST /books?select=title,price",
        "return=representation",
        &body,
    )
    .await;
    assert_eq!((answer.status, answer.header("content-range")), (201, "*/*"));
    assert_eq!(
        answer.text(),
        r#"[{"title":"A","price":0.00},{"title":"B","price":2.50}]"#
    );
    assert_eq!(answer.header("preference-applied"), "return=representation");

    let answer = sent(&app, "POST /books", "return=representation", &json!([])).await;
    assert_eq!((answer.status, answer.text()), (201, "[]"));
    assert_eq!(app.rows("books").await.len(), 4);
}

pub(crate) async fn every_violation_of_every_record_is_told_with_its_index(store: Store) {
    let app = App::library(store).await;
    let body = json!([{"title": "A"}, {"title": 3, "pages": 0}, {}, {"title": "B", "uid": "0198c0de-0000-7000-8000-000000000001", "titel": 1}]);
    let answer = sent(&app, "POST /books", "", &body).await;
    assert_eq!(answer.status, 422);
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned()))
            .collect()
    };
    let mut errors = answer.errors();
    errors.sort();
    assert_eq!(
        errors
            .iter()
            .map(|(pointer, _)| pointer.as_str())
            .collect::<Vec<_>>(),
        ["/1/pages", "/1/title", "/2/title", "/3/titel", "/3/uid"]
    );
    assert!(errors.contains(&pairs(&[("/2/title", "required")])[0]));
    assert!(app.rows("books").await.is_empty());
}

pub(crate) async fn a_conflict_names_the_record_and_keeps_all_out(store: Store) {
    let app = App::library(store).await;
    let isbn = |digit: u8| format!("978000000000{digit}");
    let body = json!([{"title": "A", "isbn": isbn(1)}]);
    assert_eq!(sent(&app, "POST /books", "", &body).await.status, 201);
    let answer = sent(&app, "POST /books", "", &body).await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.errors(), [("/0/isbn".to_owned(), "taken".to_owned())]);
    let body = json!([{"title": "B", "isbn": isbn(2)}, {"title": "C", "isbn": isbn(1)}]);
    let answer = sent(&app, "POST /books", "", &body).await;
    assert_eq!(answer.errors(), [("/1/isbn".to_owned(), "taken".to_owned())]);
    let answer = sent(&app, "POST /books", "", &json!({"title": "C", "isbn": isbn(1)})).await;
    assert_eq!(answer.errors(), [("/isbn".to_owned(), "taken".to_owned())]);
    assert_eq!(titles(&app).await, ["A"]);
}

pub(crate) async fn columns_decide_what_is_given_and_missing_what_is_not(store: Store) {
    let app = App::library(store).await;
    let body = json!([{"title": "A", "pages": 3, "nonsense": true}]);
    let line = "POST /books?columns=title,price&select=title,pages,price";
    let answer = sent(&app, line, "return=representation", &body).await;
    assert_eq!(answer.status, 422, "NULL is no price: {}", answer.text());
    let answer = sent(&app, line, "return=representation, missing=default", &body).await;
    assert_eq!(answer.text(), r#"[{"title":"A","pages":null,"price":0.00}]"#);
    assert_eq!(
        answer.header("preference-applied"),
        "missing=default, return=representation"
    );
}

pub(crate) async fn csv_is_taken_with_its_nulls_and_every_mistake(store: Store) {
    let app = App::library(store).await;
    let post = |body: &'static str| {
        app.request("POST /books?select=title,isbn,pages,tags,shelf")
            .by("alice:librarians")
            .header("content-type", "text/csv")
            .header("prefer", "return=representation")
            .body(body)
            .send()
    };
    let answer = post("title,pages,tags,shelf\nA,12,\"{x,y}\",\"\"\n\"B, \"\"b\"\"\",,,\n").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(
        answer.json(),
        json!([
            {"title": "A", "isbn": null, "pages": 12, "tags": ["x", "y"], "shelf": ""},
            {"title": "B, \"b\"", "isbn": null, "pages": null, "tags": null, "shelf": null},
        ])
    );
    let answer = post("title,pages,colour\nA,many,red\n,1,\n").await;
    assert_eq!(answer.status, 422);
    let mut pointers: Vec<String> = answer.errors().into_iter().map(|(pointer, _)| pointer).collect();
    pointers.sort();
    assert_eq!(pointers, ["/0/colour", "/0/pages", "/1/colour", "/1/title"]);
    let answer = post("title,pages\nA\n").await;
    assert_eq!((answer.status, answer.code()), (400, "PGRST102".to_owned()));
}

pub(crate) async fn rows_written_come_as_csv_too(store: Store) {
    let app = App::library(store).await;
    let answer = app
        .request("POST /books?select=title,pages")
        .by("alice")
        .header("prefer", "return=representation")
        .header("accept", "text/csv")
        .json(json!([{"title": "A"}, {"title": "B", "pages": 2}]))
        .send()
        .await;
    assert_eq!(answer.text(), "title,pages\nA,\nB,2\n");
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
}

pub(crate) async fn an_upsert_merges_what_is_there_and_creates_what_is_not(store: Store) {
    let app = App::library(store).await;
    let row = app
        .create(
            "books",
            json!({"title": "A", "pages": 1, "price": 7, "shelf": "S"}),
        )
        .await;
    // What was read can be sent back, changed where it may be.
    let mut back = row.clone();
    back["title"] = json!("A2");
    back.as_object_mut().unwrap().remove("price");
    let prefer = "resolution=merge-duplicates, return=representation";
    let answer = sent(
        &app,
        "POST /books?select=title,pages,price,created_at",
        prefer,
        &json!([back, {"title": "B"}]),
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let rows = answer.json();
    assert_eq!(rows[0]["title"], "A2");
    assert_eq!(
        (&rows[0]["price"], &rows[0]["created_at"]),
        (&row["price"], &row["created_at"])
    );
    assert_eq!(rows[1]["price"], 0.0);

    let uid = &row["uid"];
    let one = json!({"uid": uid, "title": "A3"});
    let answer = sent(&app, "POST /books?select=title", prefer, &one).await;
    assert_eq!((answer.status, answer.text()), (200, r#"[{"title":"A3"}]"#));
    assert!(answer.headers.contains_key("etag") && !answer.headers.contains_key("location"));

    let answer = sent(
        &app,
        "POST /books",
        prefer,
        &json!([{"uid": uid, "title": "A4", "shelf": "T"}]),
    )
    .await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.errors(), [("/0/shelf".to_owned(), "immutable".to_owned())]);
    let answer = sent(
        &app,
        "POST /books",
        prefer,
        &json!([{"uid": uid, "title": "X"}, {"title": "Y"}, {"uid": uid, "title": "Z"}]),
    )
    .await;
    let pointers: Vec<String> = answer.errors().into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(
        (answer.status, pointers),
        (422, vec!["/0/uid".to_owned(), "/2/uid".to_owned()])
    );
    // There is no such row, so these are no stamps of it.
    let new = json!([{"uid": "018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f", "title": "N", "created_at": "2020-01-01T00:00:00Z"}]);
    let answer = sent(&app, "POST /books", prefer, &new).await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(answer.errors()[0].0, "/0/created_at");
    // Nor can stamps be set where there is one.
    let stamps = json!({"created_at": "2020-01-01T00:00:00Z"});
    let answer = sent(&app, "PATCH /books?title=eq.B", "return=minimal", &stamps).await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(titles(&app).await, ["A3", "B"]);
}

pub(crate) async fn an_upsert_goes_by_a_unique_set_and_can_pass_over(store: Store) {
    let app = App::library(store).await;
    let isbn = |digit: u8| format!("978000000000{digit}");
    app.create("books", json!({"title": "A", "isbn": isbn(1)})).await;
    let body = json!([{"title": "A2", "isbn": isbn(1)}, {"title": "B", "isbn": isbn(2)}]);
    let prefer = "resolution=ignore-duplicates, return=representation";
    let answer = sent(&app, "POST /books?on_conflict=isbn&select=title", prefer, &body).await;
    assert_eq!((answer.status, answer.text()), (201, r#"[{"title":"B"}]"#));
    let answer = sent(&app, "POST /books?on_conflict=isbn&select=title", prefer, &body).await;
    assert_eq!((answer.status, answer.text()), (201, "[]"));
    let answer = sent(
        &app,
        "POST /books?on_conflict=isbn",
        "resolution=merge-duplicates",
        &body,
    )
    .await;
    assert_eq!((answer.status, answer.text()), (200, ""));
    assert_eq!(titles(&app).await, ["A2", "B"]);
    let answer = sent(
        &app,
        "POST /books?on_conflict=title",
        "resolution=merge-duplicates",
        &body,
    )
    .await;
    assert_eq!((answer.status, answer.code()), (400, "42P10".to_owned()));
}

pub(crate) async fn an_upsert_of_a_row_out_of_reach_writes_nothing(store: Store) {
    let app = App::library(store).await;
    let row = app.create("books", json!({"title": "A"})).await;
    let answer = app
        .request("POST /books")
        .by("bob")
        .header("prefer", "resolution=merge-duplicates")
        .json(json!([{"title": "B"}, {"uid": row["uid"], "title": "mine"}]))
        .send()
        .await;
    assert_eq!((answer.status, answer.code()), (403, "42501".to_owned()));
    assert_eq!(titles(&app).await, ["A"]);
}

pub(crate) async fn rows_that_match_are_changed_and_deleted(store: Store) {
    let app = App::library(store).await;
    let body = json!([{"title": "A"}, {"title": "A"}, {"title": "B"}]);
    sent(&app, "POST /books", "", &body).await;
    let answer = sent(
        &app,
        "PATCH /books?title=eq.A&select=pages",
        "return=representation, count=exact",
        &json!({"pages": 5}),
    )
    .await;
    assert_eq!(
        (answer.status, answer.text()),
        (200, r#"[{"pages":5},{"pages":5}]"#)
    );
    assert_eq!(answer.header("content-range"), "0-1/2");
    let answer = sent(&app, "PATCH /books?title=eq.A", "", &json!({"pages": 6})).await;
    assert_eq!((answer.status, answer.header("content-range")), (204, "0-1/*"));
    let answer = sent(
        &app,
        "PATCH /books?title=eq.C",
        "return=representation",
        &json!({"pages": 6}),
    )
    .await;
    assert_eq!(
        (answer.status, answer.text(), answer.header("content-range")),
        (200, "[]", "*/*")
    );
    let answer = sent(&app, "PATCH /books?title=eq.A", "", &json!({"pages": 0})).await;
    assert_eq!(answer.status, 422);
    let answer = sent(&app, "DELETE /books?title=eq.A", "count=exact", &json!(null)).await;
    assert_eq!((answer.status, answer.header("content-range")), (204, "*/2"));
    assert_eq!(titles(&app).await, ["B"]);
    for line in ["PATCH /books", "DELETE /books", "DELETE /books?select=title"] {
        let answer = sent(&app, line, "", &json!({})).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "21000".to_owned()),
            "{line}"
        );
    }
    let answer = sent(&app, "DELETE /books?title=eq.B&limit=1", "", &json!(null)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(titles(&app).await, ["B"]);
}

pub(crate) async fn a_number_of_rows_that_was_not_meant_writes_nothing(store: Store) {
    let app = App::library(store).await;
    let body = json!([{"title": "A"}, {"title": "A"}]);
    sent(&app, "POST /books", "", &body).await;
    let change = json!({"pages": 5});
    let strict = "handling=strict, max-affected=1";
    for (line, body) in [
        ("PATCH /books?title=eq.A", &change),
        ("DELETE /books?title=eq.A", &change),
        ("POST /books", &body),
    ] {
        let answer = sent(&app, line, strict, body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "PGRST124".to_owned()),
            "{line}"
        );
        assert_eq!(answer.json()["details"], "The query affects 2 rows");
        let answer = app
            .request(line)
            .by("alice:librarians")
            .header("accept", "application/vnd.pgrst.object+json")
            .json(body)
            .send()
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (406, "PGRST116".to_owned()),
            "{line}"
        );
        assert_eq!(answer.json()["details"], "The result contains 2 rows");
    }
    assert_eq!(titles(&app).await, ["A", "A"]);
    let answer = sent(&app, "PATCH /books?title=eq.A", "max-affected=1", &change).await;
    assert_eq!(answer.status, 204, "it counts with handling=strict alone");
    let answer = sent(
        &app,
        "PATCH /books?title=eq.A",
        "handling=strict, max-affected=2",
        &change,
    )
    .await;
    assert_eq!(
        answer.header("preference-applied"),
        "handling=strict, max-affected=2"
    );
}

pub(crate) async fn a_write_that_is_rolled_back_answers_and_does_nothing(store: Store) {
    let toml =
        "[resources.things]\nallow_rollback = true\n[resources.things.fields]\nname = { type = \"text\" }";
    let app = App::of(store, Api::from_toml("things.toml", toml).unwrap()).await;
    let row = app.create("things", json!({"name": "A"})).await;
    let path = format!("/things/{}", row["uid"].as_str().unwrap());
    let prefer = "tx=rollback, return=representation";
    for (line, body) in [
        ("POST /things".to_owned(), json!([{"name": "B"}])),
        ("PATCH /things?name=eq.A".to_owned(), json!({"name": "B"})),
        ("DELETE /things?name=eq.A".to_owned(), json!(null)),
        (format!("PATCH {path}"), json!({"name": "B"})),
        (format!("PUT {path}"), json!({"name": "B"})),
        (format!("DELETE {path}"), json!(null)),
    ] {
        let answer = sent(&app, &line, prefer, &body).await;
        assert!([200, 201].contains(&answer.status), "{line}: {}", answer.text());
        assert!(
            answer.header("preference-applied").contains("tx=rollback"),
            "{line}"
        );
        assert_eq!(app.rows("things").await.len(), 1, "{line}");
        let answer = app
            .request(&format!("GET {path}?select=name"))
            .by("alice")
            .send()
            .await;
        assert_eq!(answer.text(), r#"{"name":"A"}"#, "{line}");
    }
    let app = App::library(store).await;
    let answer = sent(&app, "POST /books", "tx=rollback", &json!({"title": "A"})).await;
    assert_eq!((answer.status, answer.code()), (400, "PGRST127".to_owned()));
}
