//! Clauses about what arrays and JSON values contain.

use rowstamp_domain::query::{Comparison, Predicate, Quantifier};
use rowstamp_domain::value::Value;
use serde_json::{Value as Serde, json};

use super::bench::{Bench, json, uid};

async fn rows(bench: &Bench, field: &str, values: &[Serde]) {
    for (number, value) in (1..).zip(values) {
        let row = json!({"uid": uid(number), field: value, "integer": number});
        bench.given("specimens", &[row]).await;
    }
}

async fn numbers(bench: &Bench, field: &str, predicate: Predicate) -> String {
    let mut list = bench.list("specimens", &["integer"]);
    list.query.condition = bench.test("specimens", field, predicate);
    json(&bench.run(list).await)
        .chars()
        .filter(char::is_ascii_digit)
        .collect()
}

pub async fn arrays_contain_and_overlap_element_by_element(bench: Bench) {
    let arrays = [
        json!(["a", "b"]),
        json!(["b", null]),
        json!([]),
        json!([["a"], ["c"]]),
        Serde::Null,
    ];
    rows(&bench, "texts", &arrays).await;
    let value = |json: Serde| bench.value("specimens", "texts", &json);
    for (predicate, expected) in [
        (Predicate::Contains(value(json!(["b"]))), "12"),
        (Predicate::Contains(value(json!(["a", "a"]))), "14"),
        (Predicate::Contains(value(json!([]))), "1234"),
        (Predicate::Contains(value(json!([null]))), ""),
        (Predicate::ContainedIn(value(json!(["a", "b", "c"]))), "134"),
        (Predicate::ContainedIn(value(json!(["b", null]))), "3"),
        (Predicate::Overlaps(value(json!(["b", "c"]))), "124"),
        (Predicate::Overlaps(value(json!([null]))), ""),
        (Predicate::Overlaps(value(json!([]))), ""),
        (Predicate::Compare(Comparison::Eq, value(json!(["b", null]))), "2"),
        (Predicate::Compare(Comparison::Gt, value(json!(["a", "b"]))), "24"),
        (Predicate::IsDistinct(value(json!([]))), "1245"),
        (
            Predicate::In(vec![value(json!([])), value(json!([["a"], ["c"]]))]),
            "34",
        ),
        (
            Predicate::CompareEach(Comparison::Neq, Quantifier::All, vec![value(json!([]))]),
            "124",
        ),
    ] {
        let what = format!("{predicate:?}");
        assert_eq!(numbers(&bench, "texts", predicate).await, expected, "{what}");
    }
}

pub async fn arrays_of_every_type_can_be_looked_into(bench: Bench) {
    for (number, (field, array, inside, outside)) in (1..).zip([
        ("integers", json!([1, 2]), json!([2]), json!([3])),
        ("bigints", json!([1, 2]), json!([2]), json!([3])),
        ("floats", json!([1.5, "NaN"]), json!(["NaN"]), json!([2])),
        ("decimals", json!(["1.50"]), json!(["1.5"]), json!(["1.51"])),
        ("booleans", json!([true]), json!([true]), json!([false])),
        ("uuids", json!([uid(1)]), json!([uid(1)]), json!([uid(2)])),
        (
            "dates",
            json!(["2026-01-31"]),
            json!(["2026-01-31"]),
            json!(["2026-02-01"]),
        ),
        (
            "times",
            json!(["12:00:00"]),
            json!(["12:00:00"]),
            json!(["12:00:01"]),
        ),
        (
            "timestamps",
            json!(["2026-01-31T12:00:00Z"]),
            json!(["2026-01-31T13:00:00+01:00"]),
            json!(["infinity"]),
        ),
        ("jsons", json!([{"a": 1}]), json!([{"a": 1.0}]), json!([{}])),
        ("blobs", json!(["aGk="]), json!(["aGk="]), json!([""])),
        ("enums", json!(["a"]), json!(["a"]), json!(["ö"])),
    ]) {
        let row = json!({"uid": uid(number), field: array, "integer": number});
        bench.given("specimens", &[row]).await;
        let value = |json: &Serde| bench.value("specimens", field, json);
        let found = [
            Predicate::Contains(value(&inside)),
            Predicate::Contains(value(&outside)),
            Predicate::ContainedIn(value(&array)),
            Predicate::Overlaps(value(&inside)),
            Predicate::Overlaps(value(&outside)),
        ];
        let expected = [true, false, true, true, false];
        for (predicate, expected) in found.into_iter().zip(expected) {
            let what = format!("{field} {predicate:?}");
            let found = !numbers(&bench, field, predicate).await.is_empty();
            assert_eq!(found, expected, "{what}");
        }
    }
}

pub async fn json_contains_as_jsonb_does(bench: Bench) {
    let documents = [
        json!({"a": 1, "b": {"c": [1, 2, {"d": null}]}}),
        json!([1, "x", [2, 3]]),
        json!("x"),
        json!({}),
        Serde::Null,
    ];
    rows(&bench, "json", &documents).await;
    let value = |json: Serde| bench.value("specimens", "json", &json);
    for (predicate, expected) in [
        (Predicate::Contains(value(json!({}))), "14"),
        (Predicate::Contains(value(json!({"a": 1.0}))), "1"),
        (Predicate::Contains(value(json!({"b": {"c": [2]}}))), "1"),
        (
            Predicate::Contains(value(json!({"b": {"c": [{"d": null}]}}))),
            "1",
        ),
        (Predicate::Contains(value(json!({"c": [2]}))), ""),
        (Predicate::Contains(value(json!([]))), "2"),
        (Predicate::Contains(value(json!("x"))), "23"),
        (Predicate::Contains(value(json!(["x", "x", 1]))), "2"),
        (Predicate::Contains(value(json!([[3]]))), "2"),
        (Predicate::Contains(value(json!([3]))), ""),
        (Predicate::ContainedIn(value(json!({"a": 1}))), "4"),
        (Predicate::ContainedIn(value(json!(["x", "y"]))), "3"),
    ] {
        let what = format!("{predicate:?}");
        assert_eq!(numbers(&bench, "json", predicate).await, expected, "{what}");
    }
    // A JSON null inside is a value; the field itself is then NULL, and unknown.
    let nothing = Value::Json(rowstamp_domain::value::Json::parse("null").expect("it is JSON"));
    assert_eq!(numbers(&bench, "json", Predicate::Contains(nothing)).await, "");
}
