//! Clauses about parts of JSON values: shown, compared and ordered by.

use rowstamp_domain::query::{
    Comparison, Condition, Direction, IsTest, Nulls, OrderTerm, PatternKind, Predicate,
};
use rowstamp_domain::value::{Json, Value};
use serde_json::{Value as Serde, json};

use super::bench::{Bench, json, uid};
use super::queries::column;

async fn documents(bench: &Bench, documents: &[Serde]) {
    for (number, document) in (1..).zip(documents) {
        let row = json!({"uid": uid(number), "json": document, "integer": number});
        bench.given("specimens", &[row]).await;
    }
}

async fn numbers(bench: &Bench, condition: Condition) -> String {
    let mut list = bench.list("specimens", &["integer"]);
    list.query.condition = condition;
    json(&bench.run(list).await)
        .chars()
        .filter(char::is_ascii_digit)
        .collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn document(text: &str) -> Value {
    Value::Json(Json::parse(text).expect("it is JSON"))
}

pub async fn a_path_finds_a_part_or_null(bench: Bench) {
    let value = json!({"a": {"b": [1, 2.50, "x\"y", null, true]}, "": 7, "0": "zero", "é": {}});
    documents(&bench, &[value]).await;
    for (path, expected) in [
        ("json->a", r#"{"b": [1, 2.5, "x\"y", null, true]}"#),
        ("json->>a", r#""{\"b\": [1, 2.5, \"x\\\"y\", null, true]}""#),
        ("json->a->b->0", "1"),
        ("json->a->b->>0", r#""1""#),
        ("json->a->b->>1", r#""2.5""#),
        ("json->a->b->2", r#""x\"y""#),
        ("json->a->b->>2", r#""x\"y""#),
        ("json->a->b->3", "null"),
        ("json->a->b->>3", "null"),
        ("json->a->b->>-1", r#""true""#),
        ("json->a->b->-5", "1"),
        ("json->a->b->-6", "null"),
        ("json->a->b->5", "null"),
        ("json->a->b->x", "null"),
        ("json->a->0", "null"),
        ("json->x->y->>z", "null"),
        ("json->é", "{}"),
        ("json->0", "null"),
    ] {
        let mut list = bench.list("specimens", &[]);
        super::also(
            &mut list.query,
            [column("part", bench.expression("specimens", path))],
        );
        let outcome = bench.run(list).await;
        assert_eq!(json(&outcome), format!(r#"[{{"part":{expected}}}]"#), "{path}");
    }
}

pub async fn a_part_is_compared_as_text_or_as_json(bench: Bench) {
    documents(
        &bench,
        &[
            json!({"n": 10, "s": "b"}),
            json!({"n": 9, "s": null}),
            json!({"n": "9"}),
            json!([1]),
            Serde::Null,
        ],
    )
    .await;
    let test = |path: &str, predicate| bench.test_of("specimens", path, predicate);
    for (condition, expected) in [
        (
            test("json->>n", Predicate::Compare(Comparison::Eq, text("9"))),
            "23",
        ),
        (
            test("json->>n", Predicate::Compare(Comparison::Lt, text("9"))),
            "1",
        ),
        (
            test("json->n", Predicate::Compare(Comparison::Eq, document("9.0"))),
            "2",
        ),
        (
            test("json->n", Predicate::Compare(Comparison::Gt, document("9"))),
            "1",
        ),
        (test("json->>s", Predicate::Is(IsTest::Null)), "2345"),
        (test("json->s", Predicate::Is(IsTest::Null)), "345"),
        (
            test("json->s", Predicate::Compare(Comparison::Eq, document("null"))),
            "2",
        ),
        (test("json->>s", Predicate::IsDistinct(text("b"))), "2345"),
        (test("json->>n", Predicate::In(vec![text("10"), text("11")])), "1"),
        (
            test("json->>s", Predicate::Matches(PatternKind::Like, text("b%"))),
            "1",
        ),
        (
            test("json->>0", Predicate::Compare(Comparison::Eq, text("1"))),
            "4",
        ),
    ] {
        let what = format!("{condition:?}");
        assert_eq!(numbers(&bench, condition).await, expected, "{what}");
    }
}

pub async fn rows_can_be_ordered_by_a_part(bench: Bench) {
    documents(
        &bench,
        &[
            json!({"n": 10}),
            json!({"n": 9}),
            json!({"n": "z"}),
            json!({}),
            json!({"n": null}),
        ],
    )
    .await;
    for (path, direction, nulls, expected) in [
        ("json->n", Direction::Ascending, Nulls::Last, "53214"),
        ("json->n", Direction::Descending, Nulls::First, "41235"),
        ("json->>n", Direction::Ascending, Nulls::First, "45123"),
    ] {
        let mut list = bench.list("specimens", &["integer"]);
        let term = OrderTerm {
            embed: None,
            operand: bench.operand("specimens", path),
            direction,
            nulls,
        };
        list.query.order.insert(0, term);
        let found: String = json(&bench.run(list).await)
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        assert_eq!(found, expected, "{path}");
    }
}

pub async fn keys_of_a_path_are_nothing_but_values(bench: Bench) {
    let nasty = "'); drop table specimens; --\"$1";
    documents(&bench, &[json!({nasty: "found"})]).await;
    let mut list = bench.list("specimens", &[]);
    let path = format!("json->>{nasty}");
    super::also(
        &mut list.query,
        [column(nasty, bench.expression("specimens", &path))],
    );
    list.query.condition = bench.test_of(
        "specimens",
        &path,
        Predicate::Compare(Comparison::Eq, text("found")),
    );
    let outcome = bench.run(list).await;
    let read: Serde = serde_json::from_str(json(&outcome)).expect("answers are JSON");
    assert_eq!(read, json!([{nasty: "found"}]));
}
