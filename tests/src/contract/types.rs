//! Clauses about values: every type comes back as it went, at its extremes too, and orders as PostgreSQL orders it.

use rowstamp_domain::operation::{Representation, Verdict};
use rowstamp_domain::query::{Comparison, Condition, Direction, Nulls, Predicate};
use rowstamp_domain::value::{Date, Timestamp, Value};
use serde_json::json;

use super::bench::{Bench, json, records, uid};

/// Stores the value that `given` reads as and says how it comes back.
async fn comes_back(bench: &Bench, field: &str, given: &str) -> String {
    let id = bench.field("specimens", field);
    let value = Value::read_json(given, bench.resource("specimens").field(id).ty);
    let value = value.unwrap_or_else(|error| panic!("{field} from {given}: {error}"));
    stored(bench, field, value).await
}

/// Stores a value with an insert, a bulk insert, an update and a replacement, and says how it comes back.
async fn stored(bench: &Bench, field: &str, value: Value) -> String {
    let id = bench.field("specimens", field);
    let uid_field = bench.field("specimens", "uid");
    let row = |number: u128| vec![(uid_field, Value::Uuid(uid(number))), (id, value.clone())];
    let select = bench.select("specimens", &[field]);

    let mut insert = bench.insert_values("specimens", vec![row(1)]);
    insert.select = select.clone();
    insert.representation = Representation::JsonObject;
    let outcome = bench.run(insert).await;
    let answer = json(&outcome).to_owned();

    let mut bulk = bench.insert_values("specimens", vec![row(2), row(3)]);
    bulk.select = select.clone();
    let outcome = bench.run(bulk).await;
    assert_eq!(
        json(&outcome),
        format!("[{answer},{answer}]"),
        "{field} in a bulk insert"
    );

    bench.given("specimens", &[json!({"uid": uid(4)})]).await;
    let mut update = bench.update("specimens", uid(4), &json!({}));
    update.set = vec![(id, value.clone())];
    update.select = select.clone();
    assert_eq!(json(&bench.run(update).await), answer, "{field} in an update");

    let mut replace = bench.replace("specimens", uid(5), &json!({}));
    replace
        .create
        .as_mut()
        .expect("there is one")
        .values
        .push((id, value.clone()));
    replace.update.set = vec![(id, value.clone())];
    replace.update.select = select.clone();
    for verdict in [Verdict::Created, Verdict::Updated] {
        let outcome = bench.run(replace.clone()).await;
        assert_eq!(outcome.verdict, verdict);
        assert_eq!(json(&outcome), answer, "{field} in a replacement");
    }

    let mut read = bench.read("specimens", uid(1));
    read.select = select.clone();
    assert_eq!(json(&bench.run(read.clone()).await), answer, "{field} in a read");
    read.representation = Representation::Records;
    let outcome = bench.run(read).await;
    let record = records(&outcome)[0].value(id).cloned();
    assert_eq!(record, Some(value.clone()), "{field} in a record");

    // What was stored is found again, and is what an update expects.
    let mut update = bench.update("specimens", uid(1), &json!({}));
    update.expect = vec![(id, value.clone())];
    assert_eq!(
        bench.run(update).await.verdict,
        Verdict::Updated,
        "{field} as expected"
    );
    let mut list = bench.list("specimens", &[field]);
    list.query.condition = Condition::Not(Box::new(bench.test(
        "specimens",
        field,
        Predicate::IsDistinct(value),
    )));
    assert_eq!(bench.run(list).await.returned, 5, "{field} is found again");

    for number in 1..=5 {
        bench.run(bench.delete("specimens", uid(number))).await;
    }
    let member = format!("{{\"{field}\":");
    let value = answer
        .strip_prefix(&member)
        .and_then(|rest| rest.strip_suffix('}'));
    value
        .unwrap_or_else(|| panic!("{answer} is not {field}"))
        .to_owned()
}

/// Values as they are given, and how they come back where not as they went.
type Cases<'a> = &'a [(&'a str, Option<&'a str>)];

/// Each value comes back as itself, or as the second text.
async fn round_trips(bench: &Bench, field: &str, cases: Cases<'_>) {
    for (given, expected) in cases {
        let expected = expected.unwrap_or(given);
        assert_eq!(
            comes_back(bench, field, given).await,
            expected,
            "{field} from {given}"
        );
    }
    assert_eq!(
        comes_back(bench, field, "null").await,
        "null",
        "{field} from null"
    );
}

pub async fn text_comes_back_as_it_went(bench: Bench) {
    let long = format!("\"{}\"", "long ".repeat(40_000));
    let cases = [
        (r#""""#, None),
        (r#"" spaces ""#, None),
        (r#""quote \" backslash \\ slash /""#, None),
        (r#""tab \t line \n return \r""#, None),
        ("\"\\u0001\\u001f\\b\\f\u{7f}\"", None),
        (
            "\"\u{1F980} e\u{301} \u{feff} \u{2028} \u{ffff} \u{10ffff}\"",
            None,
        ),
        (r#""\ud83e\udd80""#, Some("\"\u{1F980}\"")),
        (r#""NULL""#, None),
        (long.as_str(), None),
    ];
    round_trips(&bench, "text", &cases).await;
}

pub async fn whole_numbers_come_back_as_they_went(bench: Bench) {
    round_trips(
        &bench,
        "integer",
        &[
            ("0", None),
            ("-1", None),
            ("2147483647", None),
            ("-2147483648", None),
        ],
    )
    .await;
    let extremes = [
        ("9007199254740993", None),
        ("9223372036854775807", None),
        ("-9223372036854775808", None),
    ];
    round_trips(&bench, "bigint", &extremes).await;
    let quoted = [
        ("9223372036854775807", Some("\"9223372036854775807\"")),
        ("\"-5\"", None),
    ];
    round_trips(&bench, "digits", &quoted).await;
}

pub async fn floats_come_back_as_they_went(bench: Bench) {
    let cases = [
        ("0", None),
        ("-0.0", Some("-0")),
        ("0.1", None),
        ("1.5", None),
        ("-123456.789", None),
        ("1e300", Some("1e+300")),
        ("1.7976931348623157e308", Some("1.7976931348623157e+308")),
        ("5e-324", None),
        ("2.2250738585072014e-308", None),
        ("100000", None),
        ("1e15", Some("1e+15")),
        ("123456789012345680", Some("1.2345678901234568e+17")),
        ("0.0001", None),
        ("0.00001", Some("1e-05")),
        ("\"NaN\"", None),
        ("\"Infinity\"", None),
        ("\"-Infinity\"", None),
    ];
    round_trips(&bench, "float", &cases).await;
}

pub async fn decimals_keep_every_digit(bench: Bench) {
    let thousand = "123456789".repeat(112)[..1000].to_owned();
    let fraction = format!("{}.{}", &thousand[..500], &thousand[500..]);
    let tiny = format!("0.{}1", "0".repeat(998));
    let negative = format!("-{thousand}");
    let huge = format!("1{}", "0".repeat(999));
    let cases = [
        ("0", None),
        ("1.10", None),
        ("-0.00", Some("0.00")),
        ("1.000000000000000000000000000001", None),
        ("12345678901234567890.12345678901234567890", None),
        ("10000", None),
        ("0.0001", None),
        ("100000000000000000000", None),
        ("\"NaN\"", None),
        (thousand.as_str(), None),
        (fraction.as_str(), None),
        (tiny.as_str(), None),
        (negative.as_str(), None),
        (huge.as_str(), None),
    ];
    round_trips(&bench, "decimal", &cases).await;
    let fixed = [
        ("0", Some("0.0000")),
        ("1.5", Some("1.5000")),
        ("99999999.9999", None),
        ("-99999999.9999", None),
        ("1.50000000", Some("1.5000")),
        ("\"NaN\"", None),
    ];
    round_trips(&bench, "fixed", &fixed).await;
}

pub async fn truth_values_and_uuids_come_back_as_they_went(bench: Bench) {
    round_trips(&bench, "boolean", &[("true", None), ("false", None)]).await;
    let uuids = [
        ("\"00000000-0000-0000-0000-000000000000\"", None),
        ("\"ffffffff-ffff-ffff-ffff-ffffffffffff\"", None),
        (
            "\"018F3A5E-7C1D-7A2B-9E4F-1A2B3C4D5E6F\"",
            Some("\"018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f\""),
        ),
    ];
    round_trips(&bench, "uuid", &uuids).await;
}

pub async fn dates_and_times_come_back_as_they_went(bench: Bench) {
    let dates = [
        ("\"2026-01-31\"", None),
        ("\"1582-10-10\"", None),
        ("\"0001-01-01\"", None),
        ("\"0001-12-31 BC\"", None),
        ("\"0044-03-15 BC\"", None),
        ("\"4714-11-24 BC\"", None),
        ("\"5874897-12-31\"", None),
        ("\"infinity\"", None),
        ("\"-infinity\"", None),
    ];
    round_trips(&bench, "date", &dates).await;
    let times = [
        ("\"00:00:00\"", None),
        ("\"23:59:59.999999\"", None),
        ("\"24:00:00\"", None),
        ("\"12:30:00.5\"", None),
    ];
    round_trips(&bench, "time", &times).await;
    let timestamps = [
        ("\"2026-01-31T12:00:00.123456+00:00\"", None),
        ("\"2026-01-31T12:00:00Z\"", Some("\"2026-01-31T12:00:00+00:00\"")),
        (
            "\"2026-01-31T12:00:00.5+05:30\"",
            Some("\"2026-01-31T06:30:00.5+00:00\""),
        ),
        ("\"1969-12-31T23:59:59.999999+00:00\"", None),
        ("\"1883-11-18T12:03:58+00:00\"", None),
        ("\"0044-03-15T12:00:00+00:00 BC\"", None),
        ("\"infinity\"", None),
        ("\"-infinity\"", None),
    ];
    round_trips(&bench, "timestamp", &timestamps).await;
    // The very first and the very last there are.
    for (field, value) in [
        ("date", Value::Date(Date::MIN)),
        ("date", Value::Date(Date::MAX)),
        ("timestamp", Value::Timestamp(Timestamp::MIN)),
        ("timestamp", Value::Timestamp(Timestamp::MAX)),
    ] {
        assert_eq!(stored(&bench, field, value.clone()).await, value.to_json());
    }
}

pub async fn json_is_normalised_as_jsonb_is(bench: Bench) {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let cases = [
        ("{}", None),
        ("[]", None),
        ("true", None),
        (r#""text""#, None),
        (
            r#"{"bb":1,"a":2,"":3,"é":4}"#,
            Some(r#"{"": 3, "a": 2, "bb": 1, "é": 4}"#),
        ),
        (
            "[1,-0,1.10,1e2,1E-3,12345678901234567890.123456789]",
            Some("[1, 0, 1.10, 100, 0.001, 12345678901234567890.123456789]"),
        ),
        (
            r#"{"a":{"b":[null,{"c":"\u0041\u00e9\ud83e\udd80\n\u0001\/"}]}}"#,
            Some("{\"a\": {\"b\": [null, {\"c\": \"Aé\u{1F980}\\n\\u0001/\"}]}}"),
        ),
        (deep.as_str(), None),
    ];
    round_trips(&bench, "json", &cases).await;
}

pub async fn bytes_and_enums_come_back_as_they_went(bench: Bench) {
    let bytes = [
        ("\"\"", None),
        ("\"AA==\"", None),
        ("\"AAECA/8=\"", None),
        ("\"Zm9vYmFy\"", None),
    ];
    round_trips(&bench, "bytes", &bytes).await;
    let every: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    assert_eq!(
        stored(&bench, "bytes", Value::Bytes(every.clone())).await,
        Value::Bytes(every).to_json()
    );
    round_trips(
        &bench,
        "enum",
        &[
            ("\"a\"", None),
            ("\"ö\"", None),
            (r#""quote \" and ' and \\""#, None),
        ],
    )
    .await;
}

pub async fn arrays_of_every_type_come_back_as_they_went(bench: Bench) {
    let cases: [(&str, Cases); 13] = [
        (
            "texts",
            &[
                (r#"["a",null,"","NULL","{x}","a,b","\"","\\","é\n"]"#, None),
                (r#"[["a",null],["b","c"]]"#, None),
                (r#"[[["a"],["b"]],[["c"],["d"]]]"#, None),
                (r#"[[[[[["deep"]]]]]]"#, None),
            ],
        ),
        (
            "integers",
            &[("[1,null,-2147483648]", None), ("[[1,2,3],[4,5,null]]", None)],
        ),
        (
            "bigints",
            &[("[9223372036854775807,null]", None), ("[[1],[2]]", None)],
        ),
        (
            "floats",
            &[
                (r#"["NaN","Infinity",-0.5,null]"#, None),
                ("[[0.1],[1e300]]", Some("[[0.1],[1e+300]]")),
            ],
        ),
        (
            "decimals",
            &[
                (r#"[1.10,"NaN",null,12345678901234567890.5]"#, None),
                ("[[1],[2.0]]", None),
            ],
        ),
        (
            "fixeds",
            &[
                ("[1,2.5,null]", Some("[1.0000,2.5000,null]")),
                ("[[1],[0.0001]]", Some("[[1.0000],[0.0001]]")),
            ],
        ),
        (
            "booleans",
            &[("[true,false,null]", None), ("[[true,null],[false,false]]", None)],
        ),
        (
            "uuids",
            &[(r#"["018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f",null]"#, None)],
        ),
        (
            "dates",
            &[(r#"["2026-01-31","0044-03-15 BC","infinity",null]"#, None)],
        ),
        ("times", &[(r#"["24:00:00","00:00:00.000001",null]"#, None)]),
        (
            "timestamps",
            &[(r#"["2026-01-31T12:00:00+00:00","-infinity",null]"#, None)],
        ),
        (
            "jsons",
            &[(
                r#"[{"b":1,"a":[]},null,[1,2],"x",1.50]"#,
                Some(r#"[{"a": [], "b": 1},null,[1, 2],"x",1.50]"#),
            )],
        ),
        (
            "blobs",
            &[(r#"["AAEC","",null]"#, None), (r#"[["AA=="],["/w=="]]"#, None)],
        ),
    ];
    for (field, texts) in cases {
        round_trips(&bench, field, texts).await;
        round_trips(
            &bench,
            field,
            &[("[]", None), ("[null]", None), ("[null,null]", None)],
        )
        .await;
    }
    round_trips(
        &bench,
        "enums",
        &[(r#"["ö",null,"a"]"#, None), (r#"[["a"],["ö"]]"#, None)],
    )
    .await;
}

pub async fn values_order_as_their_type_does(bench: Bench) {
    // Each list in ascending order, no two alike.
    let cases: [(&str, &[&str]); 14] = [
        (
            "text",
            &[
                "\"\"",
                "\"10\"",
                "\"9\"",
                "\"A\"",
                "\"Z\"",
                "\"a\"",
                "\"ab\"",
                "\"b\"",
                "\"~\"",
                "\"é\"",
                "\"\u{ffff}\"",
                "\"\u{1F980}\"",
            ],
        ),
        ("integer", &["-2147483648", "-1", "0", "9", "10"]),
        ("bigint", &["-9223372036854775808", "0", "9223372036854775807"]),
        (
            "float",
            &[
                "\"-Infinity\"",
                "-1e300",
                "-1",
                "0",
                "5e-324",
                "1",
                "\"Infinity\"",
                "\"NaN\"",
            ],
        ),
        (
            "decimal",
            &[
                "-100", "-1.1", "-1", "0", "0.001", "1", "1.01", "1.1", "9", "10", "9999", "10000",
                "100000.5", "\"NaN\"",
            ],
        ),
        ("boolean", &["false", "true"]),
        (
            "uuid",
            &[
                "\"00000000-0000-0000-0000-000000000001\"",
                "\"10000000-0000-0000-0000-000000000000\"",
                "\"f0000000-0000-0000-0000-000000000000\"",
            ],
        ),
        (
            "date",
            &[
                "\"-infinity\"",
                "\"4714-11-24 BC\"",
                "\"0044-03-15 BC\"",
                "\"0001-01-01\"",
                "\"2026-01-31\"",
                "\"infinity\"",
            ],
        ),
        ("time", &["\"00:00:00\"", "\"12:00:00.000001\"", "\"24:00:00\""]),
        (
            "timestamp",
            &[
                "\"-infinity\"",
                "\"0044-03-15T12:00:00Z BC\"",
                "\"1999-12-31T23:59:59.999999Z\"",
                "\"2000-01-01T00:00:00Z\"",
                "\"infinity\"",
            ],
        ),
        (
            "json",
            &[
                "[]",
                "null_in_json",
                "\"\"",
                "\"a\"",
                "\"b\"",
                "0",
                "1",
                "1.5",
                "false",
                "true",
                "[1]",
                "[2]",
                "[1, 1]",
                "{}",
                "{\"a\": 1}",
                "{\"a\": 2}",
                "{\"b\": 1}",
                "{\"a\": 1, \"b\": 1}",
            ],
        ),
        ("bytes", &["\"\"", "\"AA==\"", "\"AAA=\"", "\"AQ==\"", "\"/w==\""]),
        ("enum", &["\"a\"", "\"quote \\\" and ' and \\\\\"", "\"ö\""]),
        (
            "integers",
            &["[]", "[1]", "[1,1]", "[[1,2]]", "[1,null]", "[2]", "[null]"],
        ),
    ];
    for (field, ascending) in cases {
        let ty = bench
            .resource("specimens")
            .field(bench.field("specimens", field))
            .ty;
        let read = |text: &str| match text {
            // A JSON null in JSON can only come as text: in a body it is SQL's NULL.
            "null_in_json" => Value::read_text("null", ty).expect("a value"),
            text => Value::read_json(text, ty).unwrap_or_else(|error| panic!("{field} from {text}: {error}")),
        };
        let values: Vec<_> = ascending.iter().map(|text| read(text)).collect();
        let last = values.len() as u128;
        // Stored backwards, so that no order of storing is mistaken for one of values.
        for (number, value) in values.iter().enumerate().rev() {
            let row = vec![
                (
                    bench.field("specimens", "uid"),
                    Value::Uuid(uid(last - number as u128)),
                ),
                (bench.field("specimens", field), value.clone()),
            ];
            bench.run(bench.insert_values("specimens", vec![row])).await;
        }
        let mut list = bench.list("specimens", &[field]);
        list.query.order = vec![bench.term("specimens", field, Direction::Ascending, Nulls::Last)];
        list.representation = Representation::Records;
        let outcome = bench.run(list.clone()).await;
        let ordered: Vec<_> = records(&outcome)
            .iter()
            .filter_map(|record| record.get(field).cloned())
            .collect();
        assert_eq!(ordered, values, "{field}");

        for (number, value) in (0..).zip(&values) {
            let comparisons = [
                (Comparison::Lt, number),
                (Comparison::Lte, number + 1),
                (Comparison::Eq, 1),
                (Comparison::Neq, values.len() - 1),
                (Comparison::Gte, values.len() - number),
                (Comparison::Gt, values.len() - number - 1),
            ];
            for (comparison, expected) in comparisons {
                list.query.condition =
                    bench.test("specimens", field, Predicate::Compare(comparison, value.clone()));
                let found = bench.run(list.clone()).await.returned;
                assert_eq!(found, expected as u64, "{field} {comparison:?} {value:?}");
            }
        }
        for number in 1..=last {
            bench.run(bench.delete("specimens", uid(number))).await;
        }
    }
}

pub async fn numbers_that_are_equal_are_one_value(bench: Bench) {
    let cases = [
        ("decimal", "1.0", "1.000"),
        ("float", "0", "-0.0"),
        ("json", "1.0", "1"),
        ("decimals", "[1.0]", "[1]"),
    ];
    for (number, (field, stored, asked)) in (1..).zip(cases) {
        let ty = bench
            .resource("specimens")
            .field(bench.field("specimens", field))
            .ty;
        let row = vec![
            (bench.field("specimens", "uid"), Value::Uuid(uid(number))),
            (
                bench.field("specimens", field),
                Value::read_json(stored, ty).expect("a value"),
            ),
        ];
        bench.run(bench.insert_values("specimens", vec![row])).await;
        let asked = Value::read_json(asked, ty).expect("a value");
        for predicate in [
            Predicate::Compare(Comparison::Eq, asked.clone()),
            Predicate::In(vec![asked]),
        ] {
            let mut list = bench.list("specimens", &[field]);
            list.query.condition = bench.test("specimens", field, predicate);
            assert_eq!(bench.run(list).await.returned, 1, "{field}");
        }
    }
}
