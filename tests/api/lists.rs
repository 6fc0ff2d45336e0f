//! Reading lists: pages by cursor, range and body, counts, media types, embedded rows.

use std::sync::Arc;

use rowstamp_ports::{Problems, SystemClock, UuidV7Source, Vars};
use rowstamp_rest::{Api, Controller, Settings};
use serde_json::json;

use crate::app::{Answer, App, LIBRARY, Store, Tokens};

/// Two authors and seven books: of four the first is the author, of two the second, of one nobody.
async fn shelves(store: Store) -> App {
    let app = App::library(store).await;
    fill(&app).await;
    app
}

async fn fill(app: &App) {
    let mut authors = Vec::new();
    for name in ["Ursula", "Vonda"] {
        authors.push(app.create("authors", json!({"name": name})).await["uid"].clone());
    }
    for (number, author) in [0, 0, 0, 0, 1, 1].into_iter().enumerate() {
        let book = json!({
            "title": format!("book {number}"),
            "pages": if number % 2 == 0 { json!(number * 100 + 100) } else { json!(null) },
            "details": {"shelf": number, "lent": null},
            "tags": ["a"],
            "author_uid": authors[author],
        });
        app.create("books", book).await;
    }
    app.create("books", json!({"title": "odd, \"one\""})).await;
}

async fn get(app: &App, target: &str) -> Answer {
    app.request(&format!("GET {target}")).send().await
}

/// The query of the next page, if there is one.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    let query = link
        .strip_prefix("<?")
        .unwrap()
        .strip_suffix(">; rel=\"next\"")
        .unwrap();
    Some(query.to_owned())
}

fn titles(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status / 100, 2, "{}", answer.text());
    let rows = answer.json();
    let title = |row: &serde_json::Value| row["title"].as_str().unwrap().to_owned();
    rows.as_array().unwrap().iter().map(title).collect()
}

pub(crate) async fn a_walk_by_cursor_sees_each_row_once_in_any_order(store: Store) {
    let app = shelves(store).await;
    for order in [
        "",
        "order=title.desc&",
        "order=pages.desc.nullslast&",
        "order=pages.nullsfirst,title.desc&",
        "order=details->shelf.desc&",
    ] {
        let whole = titles(&get(&app, &format!("/books?{order}select=title&limit=5")).await);
        let mut query = format!("{order}select=title&limit=2");
        let mut walked = Vec::new();
        loop {
            let answer = get(&app, &format!("/books?{query}")).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            walked.extend(titles(&answer));
            match next(&answer) {
                Some(next) => query = next,
                None => break,
            }
        }
        assert_eq!(walked.len(), 7, "{order}");
        assert_eq!(walked[..5], whole[..], "{order}");
        let mut distinct = walked.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), 7, "{order}");
    }
}

pub(crate) async fn a_page_that_a_cursor_leads_to_says_not_where_it_stands(store: Store) {
    let app = shelves(store).await;
    let first = get(&app, "/books?limit=5").await;
    assert_eq!(first.header("content-range"), "0-4/*");
    let query = next(&first).unwrap();
    let second = app
        .request(&format!("GET /books?{query}"))
        .header("prefer", "count=exact")
        .send()
        .await;
    assert_eq!((second.status, second.header("content-range")), (200, "*/7"));
    assert_eq!(next(&second), None);
    assert_eq!(titles(&second).len(), 2);
    // A page of none and one that is all have none either.
    assert_eq!(next(&get(&app, "/books?limit=0").await), None);
    assert_eq!(next(&get(&app, "/authors").await), None);
}

pub(crate) async fn a_cursor_is_good_for_its_list_alone(store: Store) {
    let app = shelves(store).await;
    let query = next(&get(&app, "/books?order=title&limit=2").await).unwrap();
    let cursor = query.split("cursor=").nth(1).unwrap();
    let mut forged = cursor.to_owned();
    forged.replace_range(0..1, if cursor.starts_with('A') { "B" } else { "A" });
    for (target, code) in [
        (
            format!("/books?order=title.desc&cursor={cursor}"),
            "RS_INVALID_CURSOR",
        ),
        (format!("/books?cursor={cursor}"), "RS_INVALID_CURSOR"),
        (format!("/authors?cursor={cursor}"), "RS_INVALID_CURSOR"),
        (format!("/books?order=title&cursor={forged}"), "RS_INVALID_CURSOR"),
        ("/books?cursor=".to_owned(), "RS_INVALID_CURSOR"),
        (format!("/books?order=title&offset=1&cursor={cursor}"), "PGRST127"),
    ] {
        let answer = get(&app, &target).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{target}");
    }
    let ranged = app
        .request(&format!("GET /books?order=title&cursor={cursor}"))
        .header("range", "0-1")
        .send()
        .await;
    assert_eq!((ranged.status, ranged.code().as_str()), (400, "PGRST100"));
    // Other filters and columns are no other list.
    let narrowed = get(
        &app,
        &format!("/books?order=title&cursor={cursor}&title=like.book*&select=title"),
    )
    .await;
    assert_eq!(titles(&narrowed), ["book 2", "book 3", "book 4"]);
}

pub(crate) async fn cursors_survive_a_change_of_keys(store: Store) {
    let settings = |keys: &str| {
        let mut problems = Problems::new();
        let vars = Vars::new([("ROWSTAMP_CURSOR_KEY".to_owned(), keys.to_owned())]);
        let settings = Settings::read(&vars, &mut problems);
        assert!(problems.is_empty(), "{problems}");
        settings
    };
    let old_key = "the old key of sixteen bytes or more";
    let new_key = "the new key of sixteen bytes or more";
    let api = Api::from_toml("library.toml", LIBRARY).unwrap();
    let app = App::set(store, api, settings(old_key)).await;
    fill(&app).await;
    let query = next(&get(&app, "/books?limit=2").await).unwrap();
    for (keys, status) in [(format!("{new_key},{old_key}"), 200), (new_key.to_owned(), 400)] {
        let controller = Controller::new(
            Api::from_toml("library.toml", LIBRARY).unwrap().build().unwrap(),
            Arc::clone(&app.store),
            Arc::new(Tokens),
            Arc::new(SystemClock),
            Arc::new(UuidV7Source),
            settings(&keys),
        );
        let answer = app
            .request(&format!("GET /books?{query}"))
            .send_to(&controller)
            .await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

pub(crate) async fn ranges_choose_rows_on_get_alone(store: Store) {
    let app = shelves(store).await;
    for (target, range, titles_expected, content_range) in [
        (
            "/books?select=title&order=title",
            "1-2",
            vec!["book 1", "book 2"],
            "1-2/*",
        ),
        (
            "/books?select=title&order=title",
            "items=5-",
            vec!["book 5", "odd, \"one\""],
            "5-6/*",
        ),
        ("/books?select=title&order=title&limit=1", "1-2", vec![], "*/*"),
        (
            "/books?select=title&order=title&limit=2",
            "1-2",
            vec!["book 1"],
            "1-1/*",
        ),
        (
            "/books?select=title&order=title&limit=1",
            "bytes=1-2",
            vec!["book 0"],
            "0-0/*",
        ),
    ] {
        let answer = app
            .request(&format!("GET {target}"))
            .header("range", range)
            .send()
            .await;
        assert_eq!(titles(&answer), titles_expected, "{target} {range}");
        assert_eq!(answer.header("content-range"), content_range, "{target} {range}");
    }
    let head = app.request("HEAD /books").header("range", "1-2").send().await;
    assert_eq!(head.header("content-range"), "0-2/*");
    let answer = app.request("GET /books").header("range", "0-0").send().await;
    assert!(next(&answer).unwrap().starts_with("limit=1&cursor="));
    for (range, status, code) in [("5-4", 416, "PGRST103"), ("items=x", 400, "RS_INVALID_HEADER")] {
        let answer = app.request("GET /books").header("range", range).send().await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{range}");
    }
}

pub(crate) async fn counts_tell_the_whole_and_an_offset_beyond_it_is_refused(store: Store) {
    let app = shelves(store).await;
    app.analyze().await;
    for (target, count, status, range) in [
        ("/books?limit=2", "exact", 206, "0-1/7"),
        ("/books?limit=2", "planned", 206, "0-1/7"),
        ("/books?limit=2", "estimated", 206, "0-1/7"),
        ("/books?offset=7", "exact", 206, "*/7"),
        ("/books?pages=eq.1", "exact", 200, "*/0"),
        ("/authors", "exact", 200, "0-1/2"),
        ("/authors?offset=9", "planned", 206, "*/2"),
    ] {
        let preference = format!("count={count}");
        let answer = app
            .request(&format!("GET {target}"))
            .header("prefer", &preference)
            .send()
            .await;
        assert_eq!(
            (answer.status, answer.header("content-range")),
            (status, range),
            "{target} {count}"
        );
        assert_eq!(answer.header("preference-applied"), preference);
    }
    let beyond = app
        .request("GET /books?offset=8")
        .header("prefer", "count=exact")
        .send()
        .await;
    assert_eq!((beyond.status, beyond.code().as_str()), (416, "PGRST103"));
    assert_eq!(beyond.header("content-range"), "*/7");
    assert_eq!(
        beyond.json()["details"],
        "An offset of 8 was requested, but there are only 7 rows."
    );
}

pub(crate) async fn a_query_can_travel_in_a_body(store: Store) {
    let app = shelves(store).await;
    let ask = |line: &'static str, body: &'static str| {
        app.request(line)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };
    let answer = ask(
        "POST /books/query",
        "select=title&order=title.desc&limit=2&title=like.book+*",
    )
    .send()
    .await;
    assert_eq!(titles(&answer), ["book 5", "book 4"]);
    let query = next(&answer).unwrap();
    assert!(query.starts_with("cursor="), "{query}");
    let line = format!("POST /books/query?{query}");
    let second = app
        .request(&line)
        .body("select=title&order=title.desc&limit=2&title=like.book+*")
        .send()
        .await;
    assert_eq!(titles(&second), ["book 3", "book 2"]);
    // The header fields mean what they mean on GET, but for Range.
    let counted = ask("POST /books/query", "limit=1")
        .header("prefer", "count=exact")
        .header("range", "3-4")
        .send()
        .await;
    assert_eq!((counted.status, counted.header("content-range")), (206, "0-0/7"));
    for (answer, status, code) in [
        (ask("POST /books/query", "cost=eq.1").send().await, 403, "42501"),
        (
            ask("POST /books/query", "select=%ff").send().await,
            400,
            "PGRST100",
        ),
        (
            app.request("POST /books/query")
                .header("content-type", "application/json")
                .send()
                .await,
            415,
            "RS_UNSUPPORTED_MEDIA_TYPE",
        ),
        (app.request("GET /books/query").send().await, 405, "PGRST117"),
        (app.request("POST /notes/query").send().await, 401, "PGRST302"),
    ] {
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
}

pub(crate) async fn lists_come_as_csv_without_nulls_and_as_one_object(store: Store) {
    let app = shelves(store).await;
    let read = |target: &'static str, accept: &'static str| {
        app.request(&format!("GET {target}"))
            .header("accept", accept)
            .send()
    };
    let csv = read(
        "/books?select=title,pages,tags&order=title.desc&limit=3",
        "text/csv",
    )
    .await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        csv.text(),
        "title,pages,tags\n\"odd, \"\"one\"\"\",,\nbook 5,,{a}\nbook 4,500,{a}\n"
    );
    let stripped = read(
        "/books?select=title,pages,details&order=title&limit=2",
        "application/vnd.pgrst.array+json;nulls=stripped",
    )
    .await;
    assert_eq!(
        stripped.json(),
        json!([{"title": "book 0", "pages": 100, "details": {"shelf": 0}}, {"title": "book 1", "details": {"shelf": 1}}])
    );
    assert_eq!(
        stripped.header("content-type"),
        "application/vnd.pgrst.array+json; nulls=stripped; charset=utf-8"
    );
    let one = read(
        "/books?select=title,pages&title=eq.book 1",
        "application/vnd.pgrst.object+json;nulls=stripped",
    )
    .await;
    assert_eq!(one.json(), json!({"title": "book 1"}));
    let many = read("/books?title=like.book*", "application/vnd.pgrst.object+json").await;
    assert_eq!((many.status, many.code().as_str()), (406, "PGRST116"));
    assert_eq!(many.json()["details"], "The result contains 3 rows");
}

pub(crate) async fn rows_of_other_resources_are_embedded_under_their_own_rules(store: Store) {
    let app = shelves(store).await;
    let answer = get(
        &app,
        "/books?select=title,author:authors(name)&order=title.desc&limit=2",
    )
    .await;
    assert_eq!(
        answer.json(),
        json!([{"title": "odd, \"one\"", "author": null}, {"title": "book 5", "author": {"name": "Vonda"}}])
    );
    let answer = get(
        &app,
        "/authors?select=name,books(title)&books.order=title.desc&books.limit=1&order=name",
    )
    .await;
    assert_eq!(
        answer.json(),
        json!([{"name": "Ursula", "books": [{"title": "book 3"}]}, {"name": "Vonda", "books": [{"title": "book 5"}]}])
    );
    let answer = get(
        &app,
        "/books?select=title,...authors!inner(author:name)&authors.name=eq.Vonda&order=title",
    )
    .await;
    assert_eq!(
        answer.json(),
        json!([{"title": "book 4", "author": "Vonda"}, {"title": "book 5", "author": "Vonda"}])
    );
    for (target, status, code) in [
        ("/authors?select=name,books(cost)", 403, "42501"),
        ("/authors?select=name,books(title)&books.cost=eq.1", 403, "42501"),
        ("/authors?select=name,notes(text)", 400, "PGRST200"),
        ("/authors?select=name&books.title=eq.x", 400, "PGRST108"),
        (
            "/authors?select=name,books(title)&order=books(title)",
            400,
            "PGRST118",
        ),
        ("/authors?select=name,books(title)&books=eq.x", 400, "PGRST120"),
        ("/books?select=pages.sum()", 400, "PGRST123"),
        ("/books?select=pages::uuid", 400, "42846"),
        ("/books?select=pages::money", 400, "42704"),
    ] {
        let answer = get(&app, target).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{target}"
        );
    }
}

pub(crate) async fn a_row_can_be_had_with_others_in_it_and_then_has_no_tag(store: Store) {
    let app = shelves(store).await;
    let book = get(&app, "/books?select=uid&title=eq.book 0").await.json()[0]["uid"].clone();
    let path = format!("/books/{}", book.as_str().unwrap());
    let embedded = get(&app, &format!("{path}?select=name:title,authors(name,books(title))&authors.books.limit=1&authors.books.order=title")).await;
    assert_eq!(
        embedded.json(),
        json!({"name": "book 0", "authors": {"name": "Ursula", "books": [{"title": "book 0"}]}})
    );
    assert!(!embedded.headers.contains_key("etag"));
    let renamed = get(&app, &format!("{path}?select=name:title")).await;
    let plain = get(&app, &format!("{path}?select=title")).await;
    assert!(renamed.headers.contains_key("etag"));
    assert_ne!(renamed.header("etag"), plain.header("etag"));
    for target in [
        "select=authors!inner(name)",
        "title=eq.x",
        "select=title&order=title",
        "select=count()",
    ] {
        assert_eq!(
            get(&app, &format!("{path}?{target}")).await.status,
            400,
            "{target}"
        );
    }
}
