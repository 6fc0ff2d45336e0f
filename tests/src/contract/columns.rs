//! Clauses about columns of an answer that are renamed or cast.

use rowstamp_domain::field_type::ScalarType;
use rowstamp_domain::query::{Comparison, Predicate};
use rowstamp_domain::value::Value;
use rowstamp_ports::{QueryFault, StoreError};
use serde_json::json;

use super::bench::{Bench, json, uid};
use super::queries::{also, cast, column};

pub async fn a_column_comes_under_the_name_asked_for(bench: Bench) {
    bench
        .given("books", &[json!({"uid": uid(1), "title": "Emma", "pages": 300})])
        .await;
    let mut list = bench.list("books", &["title"]);
    also(
        &mut list.query,
        [
            column("words", bench.expression("books", "title")),
            column(
                "a \"name\"\nwith ' everything $1 é",
                bench.expression("books", "pages"),
            ),
            column("title2", bench.expression("books", "title")),
        ],
    );
    assert_eq!(
        json(&bench.run(list).await),
        r#"[{"title":"Emma","words":"Emma","a \"name\"\nwith ' everything $1 é":300,"title2":"Emma"}]"#
    );
    let mut read = bench.read("books", uid(1));
    read.select =
        rowstamp_domain::query::Select([column("words", bench.expression("books", "title"))].into());
    let outcome = bench.run(read).await;
    assert_eq!(json(&outcome), r#"{"words":"Emma"}"#);
    assert!(outcome.version.is_some());
}

pub async fn a_renamed_column_is_written_as_its_field_is(bench: Bench) {
    let row = json!({"uid": uid(1), "digits": 7, "bytes": "aGk=", "json": {"a": 1}, "texts": ["a,b", null]});
    bench.given("specimens", &[row]).await;
    let mut list = bench.list("specimens", &[]);
    let columns = ["digits", "bytes", "json", "texts"];
    also(
        &mut list.query,
        columns.map(|name| column(&name[..1], bench.expression("specimens", name))),
    );
    assert_eq!(
        json(&bench.run(list).await),
        r#"[{"d":"7","b":"aGk=","j":{"a": 1},"t":["a,b",null]}]"#
    );
}

pub async fn every_type_is_cast_to_text_as_postgresql_prints_it(bench: Bench) {
    let cases = [
        ("text", json!("a\"b"), r#"a\"b"#),
        ("integer", json!(-7), "-7"),
        ("bigint", json!(9_007_199_254_740_993_i64), "9007199254740993"),
        ("float", json!(1e20), "1e+20"),
        ("decimal", json!("1.50"), "1.50"),
        ("fixed", json!("1.5"), "1.5000"),
        ("boolean", json!(true), "true"),
        ("uuid", json!(uid(1)), "01900000-0000-7000-8000-000000000001"),
        ("date", json!("0044-03-15 BC"), "0044-03-15 BC"),
        ("time", json!("12:00:00.5"), "12:00:00.5"),
        (
            "timestamp",
            json!("2026-01-31T12:00:00.5Z"),
            "2026-01-31 12:00:00.5+00",
        ),
        ("json", json!({"b": 1}), r#"{\"b\": 1}"#),
        ("bytes", json!("aGk="), r"\\x6869"),
        ("enum", json!("ö"), "ö"),
        ("digits", json!(7), "7"),
        (
            "texts",
            json!(["a b", null, "null", "", "x"]),
            r#"{\"a b\",NULL,\"null\",\"\",x}"#,
        ),
        ("integers", json!([[1], [2]]), "{{1},{2}}"),
        ("booleans", json!([true, false, null]), "{t,f,NULL}"),
        (
            "timestamps",
            json!(["2026-01-31"]),
            r#"{\"2026-01-31 00:00:00+00\"}"#,
        ),
        ("blobs", json!(["aGk="]), r#"{\"\\\\x6869\"}"#),
        ("jsons", json!([{"a": 1}]), r#"{\"{\\\"a\\\": 1}\"}"#),
    ];
    let row: serde_json::Map<_, _> = cases
        .iter()
        .map(|(field, value, _)| ((*field).to_owned(), value.clone()))
        .chain([("uid".to_owned(), json!(uid(1)))])
        .collect();
    bench.given("specimens", &[row.into()]).await;
    for (field, _, expected) in cases {
        let mut list = bench.list("specimens", &[]);
        let text = cast(bench.expression("specimens", field), ScalarType::Text);
        also(&mut list.query, [column("t", text)]);
        assert_eq!(
            json(&bench.run(list).await),
            format!(r#"[{{"t":"{expected}"}}]"#),
            "{field}"
        );
    }
}

pub async fn values_are_cast_between_types(bench: Bench) {
    use ScalarType::{BigInt, Boolean, Date, Decimal, Float, Integer, Json, Time, Timestamp, Uuid};

    let row = json!({
        "uid": uid(1), "float": 2.5, "decimal": "-2.5", "integer": 7, "text": " 42 ",
        "timestamp": "1999-12-31T23:30:00Z", "date": "2026-01-31",
        "json": {"n": 1.50, "b": true, "u": uid(2), "d": "2026-01-31"},
    });
    bench.given("specimens", &[row]).await;
    for (path, to, expected) in [
        ("float", Integer, "2"),
        ("decimal", Integer, "-3"),
        ("decimal", Float, "-2.5"),
        ("float", Decimal, "2.5"),
        ("integer", Float, "7"),
        ("integer", BigInt, "7"),
        ("text", Integer, "42"),
        ("text", Decimal, "42"),
        ("timestamp", Date, r#""1999-12-31""#),
        ("timestamp", Time, r#""23:30:00""#),
        ("date", Timestamp, r#""2026-01-31T00:00:00+00:00""#),
        ("json->n", Integer, "2"),
        ("json->n", Decimal, "1.5"),
        ("json->b", Boolean, "true"),
        ("json->>u", Uuid, "\"01900000-0000-7000-8000-000000000002\""),
        ("json->>d", Date, r#""2026-01-31""#),
        ("json->>n", Json, "1.5"),
        ("json->x", Integer, "null"),
        ("time", Time, "null"),
    ] {
        let mut list = bench.list("specimens", &[]);
        let value = cast(bench.expression("specimens", path), to);
        also(&mut list.query, [column("v", value)]);
        assert_eq!(
            json(&bench.run(list).await),
            format!(r#"[{{"v":{expected}}}]"#),
            "{path} as {to:?}"
        );
    }
}

pub async fn a_value_that_cannot_be_cast_is_refused(bench: Bench) {
    let row = json!({"uid": uid(1), "text": "seven", "bigint": 3_000_000_000_i64, "json": {"a": "x"}});
    bench.given("specimens", &[row]).await;
    for (path, to) in [
        ("text", ScalarType::Integer),
        ("text", ScalarType::Date),
        ("text", ScalarType::Uuid),
        ("text", ScalarType::Json),
        ("bigint", ScalarType::Integer),
        ("json->a", ScalarType::Integer),
    ] {
        let mut list = bench.list("specimens", &[]);
        also(
            &mut list.query,
            [column("v", cast(bench.expression("specimens", path), to))],
        );
        assert_eq!(
            bench.try_run(list.clone()).await,
            Err(StoreError::InvalidQuery(QueryFault::Value)),
            "{path} as {to:?}"
        );
        // What is not shown is not cast.
        let other = Predicate::Compare(Comparison::Eq, Value::Uuid(uid(2)));
        list.query.condition = bench.test("specimens", "uid", other);
        assert_eq!(json(&bench.run(list).await), "[]");
    }
}
