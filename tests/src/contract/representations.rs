//! Clauses about the forms in which rows are answered, beyond plain JSON.

use rowstamp_domain::operation::{Representation, Rows, Verdict};
use rowstamp_domain::query::{EmbedForm, SelectItem};
use serde_json::json;

use super::bench::{Bench, Step, json, uid, with_room};
use super::queries::{also, column, embedded};

async fn books(bench: &Bench) {
    bench
        .given(
            "authors",
            &[json!({"uid": uid(11), "name": "Ada", "born_on": null})],
        )
        .await;
    let books = [
        json!({"uid": uid(1), "title": "a,b \"c\"\r\nd", "isbn": "", "pages": 7, "tags": ["x", null], "author_uid": uid(11)}),
        json!({"uid": uid(2), "title": "plain é", "isbn": null, "pages": null, "tags": null, "author_uid": null}),
    ];
    bench.given("books", &books).await;
}

pub async fn stripped_rows_lack_the_members_that_are_null(bench: Bench) {
    books(&bench).await;
    let author = bench.embed(
        "author",
        "authors",
        bench.one("books", "author_uid"),
        &["name", "born_on"],
    );
    let mut list = bench.list("books", &["isbn", "pages", "tags"]);
    also(&mut list.query, [embedded(author)]);
    list.representation = Representation::StrippedArray;
    let outcome = bench.run(list).await;
    assert_eq!(
        json(&outcome),
        r#"[{"isbn":"","pages":7,"tags":["x",null],"author":{"name":"Ada"}},{}]"#
    );
    assert_eq!(outcome.returned, 2);

    let mut read = bench.read("books", uid(2));
    read.select = bench.select("books", &["pages", "title", "isbn"]);
    read.representation = Representation::StrippedObject;
    assert_eq!(json(&bench.run(read).await), r#"{"title":"plain é"}"#);
}

pub async fn stripping_goes_into_json_values(bench: Bench) {
    let value = json!({"a": null, "b": [null, {"c": null, "d": {"e": null}}], "f": "null"});
    let row = json!({"uid": uid(1), "json": value, "jsons": [value, null], "text": "null"});
    bench.given("specimens", &[row]).await;
    let mut list = bench.list("specimens", &["json", "jsons", "text", "integer"]);
    let part = column("part", bench.expression("specimens", "json->a"));
    also(&mut list.query, [part]);
    list.representation = Representation::StrippedArray;
    let stripped = r#"{"b": [null, {"d": {}}], "f": "null"}"#;
    assert_eq!(
        json(&bench.run(list).await),
        format!(r#"[{{"json":{stripped},"jsons":[{stripped},null],"text":"null"}}]"#)
    );
}

pub async fn csv_has_a_line_of_names_and_one_for_each_row(bench: Bench) {
    books(&bench).await;
    let mut list = bench.list("books", &["title", "isbn", "pages", "tags"]);
    also(
        &mut list.query,
        [column("odd, \"name\"", bench.expression("books", "pages"))],
    );
    list.representation = Representation::Csv;
    let outcome = bench.run(list.clone()).await;
    assert_eq!(
        json(&outcome),
        "title,isbn,pages,tags,\"odd, \"\"name\"\"\"\n\"a,b \"\"c\"\"\r\nd\",\"\",7,\"{x,NULL}\",7\nplain é,,,,\n"
    );
    assert_eq!(outcome.returned, 2);
    list.query.offset = 2;
    let outcome = bench.run(list).await;
    assert_eq!(json(&outcome), "title,isbn,pages,tags,\"odd, \"\"name\"\"\"\n");
    assert_eq!(outcome.returned, 0);
}

pub async fn embedded_rows_are_json_in_csv(bench: Bench) {
    books(&bench).await;
    bench
        .given(
            "reviews",
            &[json!({"uid": uid(21), "stars": 5, "words": "a\"b", "book_uid": uid(1)})],
        )
        .await;
    let author = bench.embed("author", "authors", bench.one("books", "author_uid"), &["name"]);
    let reviews = bench.embed(
        "reviews",
        "reviews",
        bench.many("reviews", "book_uid"),
        &["stars", "words"],
    );
    let mut spread = bench.embed(
        "who",
        "authors",
        bench.one("books", "author_uid"),
        &["born_on", "uid"],
    );
    spread.form = EmbedForm::Spread;
    let mut list = bench.list("books", &["pages"]);
    also(&mut list.query, [author, reviews, spread].map(embedded));
    list.representation = Representation::Csv;
    let ada = uid(11);
    assert_eq!(
        json(&bench.run(list).await),
        format!(
            "pages,author,reviews,born_on,uid\n\
             7,\"{{\"\"name\"\":\"\"Ada\"\"}}\",\"[{{\"\"stars\"\":5,\"\"words\"\":\"\"a\\\"\"b\"\"}}]\",,{ada}\n\
             ,,[],,\n"
        )
    );
}

pub async fn every_type_has_its_form_in_csv(bench: Bench) {
    let row = json!({
        "uid": uid(1), "bigint": 9_007_199_254_740_993_i64, "float": 0.5, "decimal": "1.50", "boolean": true,
        "date": "2026-01-31", "timestamp": "2026-01-31T12:00:00Z", "json": {"a": "b"}, "bytes": "aGk=",
        "digits": 7, "integers": [1, 2],
    });
    bench.given("specimens", &[row]).await;
    let columns = [
        "bigint",
        "float",
        "decimal",
        "boolean",
        "date",
        "timestamp",
        "json",
        "bytes",
        "digits",
        "integers",
    ];
    let mut list = bench.list("specimens", &columns);
    list.representation = Representation::Csv;
    assert_eq!(
        json(&bench.run(list).await).lines().nth(1),
        Some(
            "9007199254740993,0.5,1.50,true,2026-01-31,2026-01-31T12:00:00+00:00,\"{\"\"a\"\": \"\"b\"\"}\",aGk=,7,\"{1,2}\""
        )
    );
}

pub async fn written_rows_come_in_every_form(bench: Bench) {
    books(&bench).await;
    let mut insert = bench.insert(
        "authors",
        &[json!({"uid": uid(31), "name": "Cy", "born_on": null})],
    );
    insert.select = bench.select("authors", &["name", "born_on"]);
    insert.representation = Representation::Csv;
    assert_eq!(json(&bench.run(insert).await), "name,born_on\nCy,\n");

    let mut update = bench.update("books", uid(2), &json!({"author_uid": uid(11)}));
    let author = bench.embed(
        "author",
        "authors",
        bench.one("books", "author_uid"),
        &["name", "born_on"],
    );
    update.select = rowstamp_domain::query::Select(
        [SelectItem::Field(bench.field("books", "isbn")), embedded(author)].into(),
    );
    update.representation = Representation::StrippedObject;
    assert_eq!(json(&bench.run(update).await), r#"{"author":{"name":"Ada"}}"#);

    let mut delete = bench.delete("books", uid(2));
    delete.select = bench.select("books", &["isbn", "title"]);
    delete.representation = Representation::StrippedArray;
    let outcome = bench.run(delete).await;
    assert_eq!(json(&outcome), r#"[{"title":"plain é"}]"#);
    assert_ne!(outcome.rows, Rows::None);
}

pub async fn rows_that_the_answer_has_no_room_for_are_not_kept(bench: Bench) {
    books(&bench).await;
    for representation in [
        Representation::JsonArray,
        Representation::StrippedArray,
        Representation::Csv,
    ] {
        let mut list = bench.list("books", &["title", "pages"]);
        list.representation = representation;
        let whole = bench.run(list.clone()).await;
        let bytes = json(&whole).len();
        let fits = bench.run_with_room(list.clone(), bytes).await;
        assert_eq!(fits, whole, "{representation:?}");
        let outcome = bench.run_with_room(list.clone(), bytes - 1).await;
        assert_eq!(
            (outcome.verdict, outcome.rows, outcome.returned),
            (Verdict::Found, Rows::TooLarge, 2),
            "{representation:?}"
        );
    }
    let mut read = bench.read("books", uid(1));
    let bytes = json(&bench.run(read.clone()).await).len();
    let outcome = bench.run_with_room(read.clone(), bytes - 1).await;
    assert_eq!((outcome.verdict, outcome.rows), (Verdict::Found, Rows::TooLarge));
    assert!(outcome.version.is_some());
    // Records are for hooks, not for the answer.
    read.representation = Representation::Records;
    let outcome = bench.run_with_room(read, 1).await;
    assert!(matches!(outcome.rows, Rows::Records(_)));
}

pub async fn what_is_written_stays_so_where_the_answer_has_no_room_for_it(bench: Bench) {
    let insert = bench.insert(
        "authors",
        &[
            json!({"uid": uid(1), "name": "Ada"}),
            json!({"uid": uid(2), "name": "Bea"}),
        ],
    );
    let outcome = bench.run_with_room(insert, 10).await;
    assert_eq!(
        (outcome.verdict, outcome.rows, outcome.affected),
        (Verdict::Created, Rows::TooLarge, 2)
    );
    let mut unit = bench.store.begin(&with_room(10)).await.expect("a unit");
    let update = bench.update("authors", uid(2), &json!({"name": "Bela"}));
    let outcome = unit
        .execute(Step::from(update).0)
        .await
        .expect("an author is changed");
    assert_eq!(
        (outcome.verdict, outcome.rows),
        (Verdict::Updated, Rows::TooLarge)
    );
    unit.commit().await.expect("the unit commits");
    assert_eq!(
        bench.rows("authors", &["name"]).await,
        r#"[{"name":"Ada"},{"name":"Bela"}]"#
    );
}
