//! Every type there and back: as a parameter on its own and in bulk, as JSON and as a value, against the plain writer and
//! against PostgreSQL's `to_json`.

use std::fmt::Write as _;

use rowstamp_domain::field_type::FieldType;
use rowstamp_domain::operation::{Operation, Representation, Rows};
use rowstamp_domain::query::{Condition, Operand, Predicate, Select, SelectItem, Test};
use rowstamp_domain::value::Value;
use uuid::Uuid;

use crate::fixture::{Fixture, json};

pub(crate) const TYPES: [&str; 12] = [
    "text",
    "integer",
    "bigint",
    "float",
    "decimal",
    "boolean",
    "uuid",
    "date",
    "time",
    "timestamp",
    "json",
    "bytes",
];

/// Values of each type, as `Value::read_text` reads them.
fn texts(name: &str) -> &'static [&'static str] {
    match name {
        "text" => &[
            "",
            "plain",
            "\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}é漢😀",
            "sixteen bytes...\"and more",
            "{a,b}",
            "NULL",
        ],
        "integer" => &["0", "-1", "2147483647", "-2147483648"],
        "bigint" => &["0", "9223372036854775807", "-9223372036854775808"],
        "float" => &[
            "0",
            "-0",
            "1",
            "0.1",
            "-1.5",
            "100000000000000",
            "1e15",
            "123456789012345.6",
            "1.5e-7",
            "0.0001",
            "0.00001",
            "1.7976931348623157e308",
            "5e-324",
            "2.2250738585072014e-308",
            "NaN",
            "Infinity",
            "-Infinity",
            "3.0000000000000004",
        ],
        "decimal" => &[
            "0",
            "0.00",
            "1",
            "-1",
            "12.340",
            "0.0001",
            "0.00001234",
            "10000",
            "100000000",
            "99999999999999999999.99999",
            "1e100",
            "1e-100",
            "-123456789012345678901234567890.123456789",
            "NaN",
            "Infinity",
            "-Infinity",
        ],
        "boolean" => &["true", "false"],
        "uuid" => &[
            "00000000-0000-0000-0000-000000000000",
            "0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a",
        ],
        "date" => &[
            "2000-01-01",
            "1999-12-31",
            "2024-02-29",
            "0001-01-01",
            "0001-12-31 BC",
            "4714-11-24 BC",
            "5874897-12-31",
            "10000-01-01",
            "infinity",
            "-infinity",
        ],
        "time" => &[
            "00:00:00",
            "23:59:59.999999",
            "12:30:00.5",
            "24:00:00",
            "00:00:00.000001",
        ],
        "timestamp" => &[
            "2000-01-01T00:00:00+00:00",
            "2026-01-31T12:00:00.123456+00:00",
            "1999-12-31T23:59:59.999999+00:00",
            "0044-03-15T12:00:00.5+00:00 BC",
            "294276-12-31T23:59:59.999999+00:00",
            "4714-11-24T00:00:00+00:00 BC",
            "infinity",
            "-infinity",
        ],
        "json" => &[
            "1",
            "\"text\"",
            "{}",
            "[]",
            "true",
            r#"{"b": 1, "a": [1, 2, {"c": null}], "é": "\"\\n"}"#,
            "1.50",
            "1e400",
        ],
        "bytes" => &["", "AA==", "AP8=", "AQID"],
        _ => unreachable!(),
    }
}

pub(crate) fn values(name: &str) -> Vec<Value> {
    let ty: FieldType = name.parse().unwrap();
    let mut values: Vec<Value> = texts(name)
        .iter()
        .map(|text| Value::read_text(text, ty).unwrap())
        .collect();
    values.push(Value::Null);
    values
}

pub(crate) fn arrays(name: &str) -> Vec<Value> {
    let flat = values(name);
    let pair = Value::Array(flat[..2].to_vec());
    let holed = Value::Array(vec![Value::Null, flat[0].clone()]);
    vec![
        Value::Null,
        Value::Array(Vec::new()),
        Value::Array(vec![Value::Array(vec![Value::Array(vec![flat[1].clone()])])]),
        Value::Array(vec![pair, holed]),
        Value::Array(flat),
    ]
}

pub(crate) fn definition() -> String {
    let mut text =
        String::from("[api]\ntitle = \"Types\"\nversion = \"1.0.0\"\n[resources.samples.fields]\n");
    for name in TYPES {
        let _ = write!(
            text,
            "{name}_ = {{ type = \"{name}\" }}\n{name}_many = {{ type = \"{name}[]\" }}\n"
        );
    }
    text
}

#[tokio::test]
async fn every_value_comes_back_as_the_plain_writer_and_postgresql_write_it() {
    let samples = Fixture::of(&definition()).await;
    let resource = samples.resource("samples");
    let sql = samples.sql().await;
    sql.batch_execute("SET TimeZone = UTC").await.unwrap();
    for name in TYPES {
        for (field, values) in [
            (format!("{name}_"), values(name)),
            (format!("{name}_many"), arrays(name)),
        ] {
            let select = Select([SelectItem::Field(resource.field_id(&field).unwrap())].into());
            let expected = |value: &Value| format!("{{\"{field}\":{}}}", value.to_json());
            for value in &values {
                let uid = Uuid::now_v7();
                let mut insert = samples.insert("samples", &[(&field, value.clone())], uid);
                insert.select = select.clone();
                let outcome = samples.execute(Operation::Insert(insert.clone())).await.unwrap();
                assert_eq!(json(&outcome), expected(value));
                insert.representation = Representation::Records;
                insert.rows[0][0] = Value::Uuid(Uuid::now_v7());
                let outcome = samples.execute(Operation::Insert(insert)).await.unwrap();
                let Rows::Records(records) = outcome.rows else {
                    panic!("no records")
                };
                assert_eq!(records[0].get(&field).unwrap().to_json(), value.to_json());
                assert_eq!(records[0].get(&field), Some(value));
                if name == "bytes" {
                    continue;
                }
                let row = sql
                    .query_one(
                        &format!(
                            "SELECT coalesce(to_json({field})::text, 'null') FROM samples WHERE uid = $1::text::uuid"
                        ),
                        &[&uid.to_string()],
                    )
                    .await
                    .unwrap();
                let theirs: String = row.get(0);
                assert_eq!(value.to_json(), theirs, "to_json of {field}");
            }
            let mut bulk = samples.insert("samples", &[(&field, Value::Null)], Uuid::now_v7());
            bulk.select = select;
            bulk.representation = Representation::JsonArray;
            bulk.rows = values
                .iter()
                .map(|value| {
                    let mut row = bulk.rows[0].clone();
                    row[0] = Value::Uuid(Uuid::now_v7());
                    row[1] = value.clone();
                    row
                })
                .collect();
            let outcome = samples.execute(Operation::Insert(bulk)).await.unwrap();
            let all: Vec<String> = values.iter().map(expected).collect();
            assert_eq!(
                json(&outcome),
                format!("[{}]", all.join(",")),
                "bulk insert of {field}"
            );
        }
    }
}

#[tokio::test]
async fn every_value_can_be_compared_with() {
    let samples = Fixture::of(&definition()).await;
    let resource = samples.resource("samples");
    for name in TYPES {
        for (field, values) in [
            (format!("{name}_"), values(name)),
            (format!("{name}_many"), arrays(name)),
        ] {
            let id = resource.field_id(&field).unwrap();
            for value in values.iter().filter(|value| !value.is_null()) {
                let insert = samples.insert("samples", &[(&field, value.clone())], Uuid::now_v7());
                samples.execute(Operation::Insert(insert)).await.unwrap();
            }
            let count = async |predicate: Predicate| {
                let mut list = samples.list("samples");
                list.query.condition = Condition::Test(Test {
                    operand: Operand::Field(id),
                    predicate,
                });
                samples.execute(Operation::List(list)).await.unwrap().returned
            };
            let others: Vec<Value> = values.into_iter().filter(|value| !value.is_null()).collect();
            let all = u64::try_from(others.len()).unwrap();
            assert_eq!(count(Predicate::In(others.clone())).await, all, "in of {field}");
            assert_eq!(count(Predicate::In(Vec::new())).await, 0);
            for value in others {
                let distinct = count(Predicate::IsDistinct(value.clone())).await;
                assert!(distinct >= 1, "isdistinct of {field}");
            }
        }
        let sql = samples.sql().await;
        sql.batch_execute("TRUNCATE samples").await.unwrap();
    }
}

pub(crate) const EXISTING: &str = r#"
[api]
title = "Existing"
version = "1.0.0"
[resources.things]
audit = { uid = "id", created_at = "made", last_updated_at = false, creator_uid = false, last_updater_uid = false }
[resources.things.fields]
name   = { type = "text", column = "Name" }
small  = { type = "integer" }
wide   = { type = "bigint", json = "string" }
single = { type = "float" }
doc    = { type = "json" }
at     = { type = "timestamp" }
mood   = { type = "enum", values = ["sad", "ok"], db_type = "public.mood" }
moods  = { type = "enum[]", values = ["sad", "ok"], db_type = "public.mood" }
"#;

#[tokio::test]
async fn a_table_that_was_there_before_is_served_with_its_own_types() {
    let fixture = Fixture::without_tables(EXISTING);
    let sql = fixture.sql().await;
    sql.batch_execute(
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN tiny AS int2; \
         CREATE TABLE things (id uuid PRIMARY KEY, made timestamp NOT NULL, \"Name\" varchar(20), small tiny, wide int4, \
         single float4, doc json, at timestamp, mood mood, moods mood[])",
    )
    .await
    .unwrap();
    assert_eq!(
        fixture.store.missing(&fixture.api).await.unwrap(),
        Vec::<String>::new()
    );
    let text = crate::fixture::text;
    let values = [
        ("name", text("n")),
        ("small", Value::Integer(7)),
        ("wide", Value::BigInt(8)),
        ("single", Value::Float(0.1)),
        (
            "doc",
            Value::read_text(r#"{"b": 1}"#, "json".parse().unwrap()).unwrap(),
        ),
        ("at", Value::Timestamp(crate::fixture::at(1))),
        ("mood", text("ok")),
        ("moods", Value::Array(vec![text("sad"), Value::Null])),
    ];
    let insert = fixture.insert("things", &values, Uuid::nil());
    let outcome = fixture.execute(Operation::Insert(insert.clone())).await.unwrap();
    let body = r#""name":"n","small":7,"wide":"8","single":0.1,"doc":{"b": 1},"at":"2000-01-01T00:00:00.000001+00:00","mood":"ok","moods":["sad",null]"#;
    assert!(json(&outcome).contains(body), "{}", json(&outcome));
    let mut bulk = insert.clone();
    bulk.representation = Representation::JsonArray;
    bulk.rows = (1..3)
        .map(|number| {
            let mut row = insert.rows[0].clone();
            row[0] = Value::Uuid(Uuid::from_u128(number));
            row
        })
        .collect();
    bulk.permitted = Condition::Test(Test {
        operand: Operand::Field(fixture.resource("things").field_id("mood").unwrap()),
        predicate: Predicate::In(vec![text("ok")]),
    });
    let outcome = fixture.execute(Operation::Insert(bulk)).await.unwrap();
    assert_eq!(json(&outcome).matches(body).count(), 2);
    let mut list = fixture.list("things");
    list.query.condition = Condition::Test(Test {
        operand: Operand::Field(fixture.resource("things").field_id("doc").unwrap()),
        predicate: Predicate::IsDistinct(Value::Null),
    });
    let outcome = fixture.execute(Operation::List(list)).await.unwrap();
    assert_eq!(outcome.returned, 3);
}
