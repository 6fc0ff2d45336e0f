//! Clauses about creating rows.

use rowstamp_domain::operation::{Outcome, Representation, Rows, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_ports::{ConflictKind, StoreError};
use serde_json::json;

use super::bench::{Bench, at, json, records, uid};

pub async fn one_row_is_created_and_told_with_its_version_and_uid(bench: Bench) {
    let mut insert = bench.insert("authors", &[json!({"uid": uid(1), "name": "Ada"})]);
    insert.representation = Representation::JsonObject;
    let outcome = bench.run(insert).await;
    let expected = Outcome {
        rows: outcome.rows.clone(),
        returned: 1,
        affected: 1,
        created: 1,
        version: Some(at(0)),
        uid: Some(uid(1)),
        ..Outcome::verdict(Verdict::Created)
    };
    assert_eq!(outcome, expected);
    assert_eq!(
        Some(json(&outcome)),
        bench.row("authors", uid(1)).await.as_deref()
    );
}

pub async fn many_rows_are_created_and_come_back_in_the_order_given(bench: Bench) {
    let rows = [3, 1, 2].map(|number| json!({"uid": uid(number), "name": number.to_string()}));
    let mut insert = bench.insert("authors", &rows);
    insert.select = bench.select("authors", &["name"]);
    let outcome = bench.run(insert).await;
    assert_eq!(json(&outcome), r#"[{"name":"3"},{"name":"1"},{"name":"2"}]"#);
    assert_eq!(
        (outcome.verdict.clone(), outcome.returned, outcome.affected),
        (Verdict::Created, 3, 3)
    );
    assert_eq!(
        (outcome.version, outcome.uid),
        (None, None),
        "there is no one row to tell of"
    );
}

pub async fn created_rows_come_in_the_form_asked_for(bench: Bench) {
    let row = |number: u128| json!({"uid": uid(number), "name": number.to_string()});
    let mut insert = bench.insert("authors", &[row(1), row(2)]);
    insert.representation = Representation::Nothing;
    let outcome = bench.run(insert).await;
    assert_eq!(
        (outcome.rows, outcome.returned, outcome.affected),
        (Rows::None, 0, 2)
    );

    let mut insert = bench.insert("authors", &[row(3), row(4)]);
    insert.representation = Representation::Records;
    let outcome = bench.run(insert).await;
    let names: Vec<_> = records(&outcome)
        .iter()
        .map(|record| record.get("name").cloned())
        .collect();
    let name = |name: &str| Some(bench.value("authors", "name", &json!(name)));
    assert_eq!(names, [name("3"), name("4")]);

    let mut insert = bench.insert("authors", &[row(5)]);
    insert.representation = Representation::Nothing;
    let outcome = bench.run(insert).await;
    assert_eq!(
        (outcome.rows, outcome.returned, outcome.affected),
        (Rows::None, 0, 1)
    );
    assert_eq!((outcome.version, outcome.uid), (Some(at(0)), Some(uid(5))));
}

pub async fn a_column_that_is_not_given_is_null(bench: Bench) {
    bench
        .run(bench.insert("books", &[json!({"uid": uid(1), "title": "A"})]))
        .await;
    assert_eq!(
        bench
            .rows("books", &["isbn", "pages", "tags", "author_uid"])
            .await,
        r#"[{"isbn":null,"pages":null,"tags":null,"author_uid":null}]"#
    );
}

pub async fn created_rows_that_may_not_be_seen_are_not_shown(bench: Bench) {
    let row = |number: u128, name: &str| json!({"uid": uid(number), "name": name});
    let mut insert = bench.insert("authors", &[row(1, "Ada"), row(2, "Bea"), row(3, "Ada")]);
    insert.visible = bench.equals("authors", "name", &json!("Ada"));
    insert.select = bench.select("authors", &["uid"]);
    let outcome = bench.run(insert).await;
    assert_eq!(
        json(&outcome),
        json!([{"uid": uid(1)}, {"uid": uid(3)}]).to_string()
    );
    assert_eq!(
        (outcome.verdict, outcome.returned, outcome.affected),
        (Verdict::Created, 2, 3)
    );

    let forms = [
        Representation::JsonArray,
        Representation::JsonObject,
        Representation::Records,
    ];
    for (number, representation) in (4..).zip(forms) {
        let mut insert = bench.insert("authors", &[row(number, "Cleo")]);
        insert.visible = bench.equals("authors", "name", &json!("Ada"));
        insert.representation = representation;
        let outcome = bench.run(insert).await;
        assert_eq!((outcome.verdict, outcome.affected), (Verdict::Created, 1));
        assert_eq!(
            (outcome.rows, outcome.returned),
            (Rows::None, 0),
            "{representation:?}"
        );
        assert_eq!((outcome.version, outcome.uid), (Some(at(0)), Some(uid(number))));
    }
    assert_eq!(bench.run(bench.list("authors", &[])).await.returned, 6);
}

pub async fn rows_that_a_rule_forbids_are_refused_and_so_are_all_others(bench: Bench) {
    let row =
        |number: u128, born_on: Option<&str>| json!({"uid": uid(number), "name": "Ada", "born_on": born_on});
    let cases = [
        vec![row(1, Some("1900-01-01"))],
        vec![row(1, None)],
        vec![row(1, Some("2000-01-01")), row(2, Some("1900-01-01"))],
        vec![row(1, None), row(2, Some("2000-01-01"))],
    ];
    for rows in cases {
        let mut insert = bench.insert("authors", &rows);
        insert.permitted = bench.equals("authors", "born_on", &json!("2000-01-01"));
        assert_eq!(
            bench.run(insert).await,
            Outcome::verdict(Verdict::NotWritable),
            "{rows:?}"
        );
        assert_eq!(bench.rows("authors", &["uid"]).await, "[]");
    }
    let mut insert = bench.insert(
        "authors",
        &[row(1, Some("2000-01-01")), row(2, Some("2000-01-01"))],
    );
    insert.permitted = bench.equals("authors", "born_on", &json!("2000-01-01"));
    assert_eq!(bench.run(insert).await.verdict, Verdict::Created);
}

pub async fn a_rule_speaks_of_the_stamps_too(bench: Bench) {
    let mut insert = bench.insert("authors", &[json!({"uid": uid(1), "name": "Ada"})]);
    insert.permitted = bench.equals("authors", "creator_uid", &json!("bob"));
    assert_eq!(bench.run(insert.clone()).await.verdict, Verdict::NotWritable);
    insert.permitted = bench.equals("authors", "creator_uid", &json!("alice"));
    assert_eq!(bench.run(insert).await.verdict, Verdict::Created);
}

pub async fn a_rule_speaks_of_columns_that_are_not_given_too(bench: Bench) {
    let mut insert = bench.insert("authors", &[json!({"uid": uid(1), "name": "Ada"})]);
    insert.permitted = bench.test(
        "authors",
        "born_on",
        rowstamp_domain::query::Predicate::Is(rowstamp_domain::query::IsTest::NotNull),
    );
    assert_eq!(bench.run(insert.clone()).await.verdict, Verdict::NotWritable);
    insert.permitted = Condition::Not(Box::new(insert.permitted));
    assert_eq!(bench.run(insert).await.verdict, Verdict::Created);
}

pub async fn a_rule_is_judged_before_a_conflict(bench: Bench) {
    bench
        .given("books", &[json!({"uid": uid(1), "title": "A", "isbn": "1"})])
        .await;
    let mut insert = bench.insert("books", &[json!({"uid": uid(2), "title": "A", "isbn": "1"})]);
    insert.permitted = Condition::Never;
    assert_eq!(bench.run(insert).await.verdict, Verdict::NotWritable);
}

pub async fn one_row_in_conflict_keeps_all_others_out(bench: Bench) {
    bench
        .given("books", &[json!({"uid": uid(1), "title": "A", "isbn": "1"})])
        .await;
    let row = |number: u128, isbn: &str| json!({"uid": uid(number), "title": "B", "isbn": isbn});
    let insert = bench.insert("books", &[row(2, "2"), row(3, "1"), row(4, "4")]);
    match bench.try_run(insert).await {
        Err(StoreError::Conflict(conflict)) => {
            assert_eq!(conflict.kind, ConflictKind::Unique);
            assert_eq!(conflict.fields, [bench.field("books", "isbn")]);
            assert_eq!(conflict.record, Some(1), "the value tells which record it was");
        }
        other => panic!("expected a conflict, found {other:?}"),
    }
    assert_eq!(bench.run(bench.list("books", &[])).await.returned, 1);
}

pub async fn many_rows_can_be_created_at_once(bench: Bench) {
    let rows: Vec<_> = (1..=2000)
        .map(|number: u128| json!({"uid": uid(number), "title": format!("T{number}"), "pages": number, "tags": ["x", null, format!("{number}")]}))
        .collect();
    let mut insert = bench.insert("books", &rows);
    insert.representation = Representation::Nothing;
    assert_eq!(bench.run(insert).await.affected, 2000);
    let mut list = bench.list("books", &["title", "tags"]);
    (list.query.limit, list.query.offset) = (1, 1776);
    list.count = rowstamp_domain::operation::Count::Exact;
    let outcome = bench.run(list).await;
    assert_eq!(json(&outcome), r#"[{"title":"T1777","tags":["x",null,"1777"]}]"#);
    assert_eq!(outcome.total, Some(2000));
}
