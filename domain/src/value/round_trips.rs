//! Reading, writing and comparing values, held against each other and against tables of cases.

#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

use std::cmp::Ordering;

use proptest::prelude::*;

use super::{Date, Json, Time, Timestamp, Value};
use crate::field_type::{FieldType, ScalarType};

fn ty(name: &str) -> FieldType {
    name.parse().unwrap()
}

fn read(text: &str, type_name: &str) -> Value {
    Value::read_json(text, ty(type_name)).unwrap_or_else(|error| panic!("{type_name} {text}: {error}"))
}

fn written_as_string(value: &Value) -> String {
    let mut out = Vec::new();
    value.write_json_as_string(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_value_takes_thirty_two_bytes_at_most() {
    assert!(size_of::<Value>() <= 32, "{}", size_of::<Value>());
}

#[test]
fn json_of_every_type_is_read_and_written() {
    for (type_name, text, written) in [
        ("boolean", "true", "true"),
        ("integer", "-2147483648", "-2147483648"),
        ("integer", "-0", "0"),
        ("bigint", "9223372036854775807", "9223372036854775807"),
        ("bigint", "\"-9223372036854775808\"", "-9223372036854775808"),
        ("float", "1", "1"),
        ("float", "1.50e3", "1500"),
        ("float", "1e15", "1e+15"),
        ("float", "-0.0", "-0"),
        ("float", "\"NaN\"", "\"NaN\""),
        ("float", "\"-Infinity\"", "\"-Infinity\""),
        ("decimal", "1.10", "1.10"),
        ("decimal", "\"1.10\"", "1.10"),
        ("decimal", "12345678901234567890.000", "12345678901234567890.000"),
        ("decimal", "1e3", "1000"),
        ("decimal", "\"NaN\"", "\"NaN\""),
        ("decimal", "\"Infinity\"", "\"Infinity\""),
        ("text", r#""a\u00e9\n\"\/""#, "\"aé\\n\\\"/\""),
        ("text", "\"\\u001f\u{7f}\"", "\"\\u001f\u{7f}\""),
        ("text", r#""""#, r#""""#),
        ("enum", "\"draft\"", "\"draft\""),
        (
            "uuid",
            "\"018F3A5E-7C1D-7A2B-9E4F-1A2B3C4D5E6F\"",
            "\"018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f\"",
        ),
        (
            "uuid",
            "\"018f3a5e7c1d7a2b9e4f1a2b3c4d5e6f\"",
            "\"018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f\"",
        ),
        ("date", "\"0044-03-15 BC\"", "\"0044-03-15 BC\""),
        ("date", "\"-infinity\"", "\"-infinity\""),
        ("time", "\"12:00:00.100\"", "\"12:00:00.1\""),
        ("timestamp", "\"2026-01-31\"", "\"2026-01-31T00:00:00+00:00\""),
        (
            "timestamp",
            "\"0044-03-15T12:00:00Z BC\"",
            "\"0044-03-15T12:00:00+00:00 BC\"",
        ),
        ("bytes", "\"AP8=\"", "\"AP8=\""),
        ("bytes", "\"AP8\"", "\"AP8=\""),
        ("bytes", "\"\"", "\"\""),
        ("json", r#" {"b":[1,2],"a":null} "#, r#"{"a": null, "b": [1, 2]}"#),
        ("json", "\"null\"", "\"null\""),
        ("text[]", "[]", "[]"),
        ("text[]", r#"[ "a" , null,"b\"" ]"#, r#"["a",null,"b\""]"#),
        ("integer[]", "[[1,2],[3,null]]", "[[1,2],[3,null]]"),
        ("integer[]", "[[[[[[1]]]]]]", "[[[[[[1]]]]]]"),
        (
            "json[]",
            r#"[[1,2],{"b":1,"a":2},null,"x",[]]"#,
            r#"[[1, 2],{"a": 2, "b": 1},null,"x",[]]"#,
        ),
        ("date[]", r#"["2026-01-31"]"#, r#"["2026-01-31"]"#),
        ("decimal[]", r#"[1.10,"NaN",null]"#, r#"[1.10,"NaN",null]"#),
    ] {
        let value = read(text, type_name);
        assert_eq!(value.to_json(), written, "{type_name} {text}");
        let mut bytes = b"x".to_vec();
        value.write_json(&mut bytes);
        assert_eq!(bytes[1..], *written.as_bytes());
    }
}

#[test]
fn null_is_null_in_every_type() {
    for scalar in ScalarType::ALL {
        for ty in [FieldType::scalar(scalar), FieldType::array(scalar)] {
            assert_eq!(Value::read_json(" null ", ty), Ok(Value::Null), "{ty}");
        }
    }
}

#[test]
fn json_of_the_wrong_kind_is_refused_by_code() {
    for (type_name, text, code) in [
        ("boolean", "1", "wrong_type"),
        ("boolean", "\"true\"", "wrong_type"),
        ("integer", "\"1\"", "wrong_type"),
        ("integer", "1.0", "invalid_integer"),
        ("integer", "1e2", "invalid_integer"),
        ("integer", "2147483648", "out_of_range"),
        ("integer", "99999999999999999999999999", "out_of_range"),
        ("integer", "true", "wrong_type"),
        ("integer", "[1]", "wrong_type"),
        ("integer", "{}", "wrong_type"),
        ("bigint", "9223372036854775808", "out_of_range"),
        ("bigint", "\"9223372036854775808\"", "out_of_range"),
        ("bigint", "\"12x\"", "invalid_bigint"),
        ("bigint", "\"\"", "invalid_bigint"),
        ("float", "\"1.5\"", "wrong_type"),
        ("float", "1e400", "out_of_range"),
        ("float", "1e-400", "out_of_range"),
        ("decimal", "\"x\"", "invalid_decimal"),
        ("decimal", "1e131072", "out_of_range"),
        ("text", "1", "wrong_type"),
        ("text", r#""a\u0000""#, "nul"),
        ("text", r#""\ud83d""#, "lone_surrogate"),
        ("text", "\"a", "invalid_json"),
        ("text", "\"a\" \"b\"", "invalid_json"),
        ("enum", "true", "wrong_type"),
        (
            "uuid",
            "\"{018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f}\"",
            "invalid_uuid",
        ),
        ("uuid", "\"018f3a5e-7c1d\"", "invalid_uuid"),
        ("date", "\"2026-02-30\"", "invalid_date"),
        ("date", "20260131", "wrong_type"),
        ("time", "\"25:00\"", "invalid_time"),
        ("timestamp", "\"2026-01-31T12:00:00.1234567Z\"", "too_precise"),
        ("timestamp", "1700000000", "wrong_type"),
        ("bytes", "\"A\"", "invalid_bytes"),
        ("bytes", "\"_w==\"", "invalid_bytes"),
        ("json", r#"{"a":1,"a":2}"#, "duplicate_key"),
        ("json", "1e9999", "out_of_range"),
        ("json", "", "invalid_json"),
        ("text[]", "\"a\"", "wrong_type"),
        ("text[]", "{}", "wrong_type"),
        ("text[]", "[1]", "wrong_type"),
        ("text[]", "[\"a\"", "invalid_json"),
        ("text[]", "[\"a\" \"b\"]", "invalid_json"),
        ("text[]", "[\"a\",]", "invalid_json"),
        ("integer[]", "[[1],[2,3]]", "ragged_array"),
        ("integer[]", "[[1],2]", "ragged_array"),
        ("integer[]", "[1,[2]]", "ragged_array"),
        ("integer[]", "[[1],null]", "ragged_array"),
        ("integer[]", "[[]]", "ragged_array"),
        ("integer[]", "[[[1]],[2]]", "ragged_array"),
        ("integer[]", "[[[[[[[1]]]]]]]", "too_many_dimensions"),
    ] {
        let error = Value::read_json(text, ty(type_name)).unwrap_err();
        assert_eq!(error.code(), code, "{type_name} {text}: {error}");
        assert!(!error.to_string().is_empty());
    }
    let deep = "[".repeat(1_000_000);
    for scalar in ScalarType::ALL {
        assert!(Value::read_json(&deep, FieldType::scalar(scalar)).is_err());
        assert!(Value::read_json(&deep, FieldType::array(scalar)).is_err());
    }
}

#[test]
fn messages_say_what_was_expected() {
    for (type_name, text, message) in [
        (
            "integer",
            "\"1\"",
            "expected a number without fraction or exponent, found a string",
        ),
        ("integer", "1.5", "expected a whole number, found \"1.5\""),
        (
            "integer",
            "3000000000",
            "out of range, expected a whole number from -2147483648 to 2147483647",
        ),
        (
            "date",
            "\"31.1.2026\"",
            "expected a date such as 2026-01-31, found \"31.1.2026\"",
        ),
        ("text[]", "\"a\"", "expected an array (text[]), found a string"),
        (
            "time",
            "\"12:00:00.1234567\"",
            "more precise than a microsecond; at most six digits of a second are kept",
        ),
    ] {
        assert_eq!(
            Value::read_json(text, ty(type_name)).unwrap_err().to_string(),
            message
        );
    }
}

#[test]
fn bare_text_of_every_type_is_read_and_written() {
    for (type_name, text, written) in [
        ("boolean", " TRUE ", "true"),
        ("boolean", "off", "false"),
        ("integer", " +5 ", "5"),
        ("bigint", "-7", "-7"),
        ("float", "inf", "Infinity"),
        ("float", "1e-7", "1e-07"),
        ("decimal", " 1.10", "1.10"),
        ("text", " a ", " a "),
        ("text", "", ""),
        ("enum", "draft", "draft"),
        (
            "uuid",
            "018F3A5E7C1D7A2B9E4F1A2B3C4D5E6F",
            "018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f",
        ),
        ("date", "2026-01-31", "2026-01-31"),
        ("time", "12:00", "12:00:00"),
        ("timestamp", "2026-01-31 12:00+01", "2026-01-31T11:00:00+00:00"),
        ("json", "null", "null"),
        ("json", r#"{"b":1,"a":2}"#, r#"{"a": 2, "b": 1}"#),
        ("bytes", "\\x00Ff", "AP8="),
        ("bytes", "AP8=", "AP8="),
        ("text[]", "{}", "{}"),
        (
            "text[]",
            " { a b , \"c d\" , NULL , \"null\",\"\",x\\,y } ",
            r#"{"a b","c d",NULL,"null","","x,y"}"#,
        ),
        (
            "text[]",
            r#"{"a\"b","c\\d","{}","é"}"#,
            r#"{"a\"b","c\\d","{}",é}"#,
        ),
        ("text[]", r"{nu\ll}", r#"{"null"}"#),
        ("text[]", r"{c\ }", r#"{"c "}"#),
        ("integer[]", "{{1,2},{3,NULL}}", "{{1,2},{3,NULL}}"),
        ("bytes[]", r#"{"\\x00ff"}"#, "{AP8=}"),
        (
            "json[]",
            r#"{"{\"a\":[1]}",1,NULL}"#,
            r#"{"{\"a\": [1]}",1,NULL}"#,
        ),
        (
            "timestamp[]",
            "{2026-01-31,\"2026-01-31 12:00\"}",
            "{2026-01-31T00:00:00+00:00,2026-01-31T12:00:00+00:00}",
        ),
    ] {
        let value = Value::read_text(text, ty(type_name)).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut out = String::new();
        value.write_text(&mut out);
        assert_eq!(out, written, "{type_name} {text}");
        assert_eq!(
            Value::read_text(&out, ty(type_name)),
            Ok(value),
            "{type_name} {text}"
        );
    }
}

#[test]
fn malformed_text_is_refused_by_code() {
    for (type_name, text, code) in [
        ("boolean", "maybe", "invalid_boolean"),
        ("integer", "", "invalid_integer"),
        ("integer", "1.0", "invalid_integer"),
        ("text", "a\0b", "nul"),
        ("bytes", "\\x0", "invalid_bytes"),
        ("bytes", "\\x0é", "invalid_bytes"),
        ("bytes", "*", "invalid_bytes"),
        ("text[]", "", "invalid_array"),
        ("text[]", "a", "invalid_array"),
        ("text[]", "{a", "invalid_array"),
        ("text[]", "{a,}", "invalid_array"),
        ("text[]", "{,a}", "invalid_array"),
        ("text[]", "{a}b", "invalid_array"),
        ("text[]", "{\"a}", "invalid_array"),
        ("text[]", "{\"a\"b}", "invalid_array"),
        ("text[]", "{a\"b\"}", "invalid_array"),
        ("text[]", "{a{b}}", "invalid_array"),
        ("text[]", "{a\\", "invalid_array"),
        ("text[]", "{\"a\\", "invalid_array"),
        ("text[]", "[0:1]={a,b}", "invalid_array"),
        ("text[]", "{{a},{}}", "ragged_array"),
        ("text[]", "{{a},b}", "ragged_array"),
        ("text[]", "{{a},{b,c}}", "ragged_array"),
        ("text[]", "{{{{{{{a}}}}}}}", "too_many_dimensions"),
        ("integer[]", "{1,x}", "invalid_integer"),
    ] {
        let error = Value::read_text(text, ty(type_name)).unwrap_err();
        assert_eq!(error.code(), code, "{type_name} {text}: {error}");
    }
    assert!(Value::read_text(&"{".repeat(1_000_000), ty("text[]")).is_err());
}

#[test]
fn numbers_alone_are_quoted_when_strings_are_asked_for() {
    for (type_name, text, written) in [
        ("bigint", "1", "\"1\""),
        ("integer", "1", "\"1\""),
        ("float", "1.5", "\"1.5\""),
        ("decimal", "1.10", "\"1.10\""),
        ("decimal", "\"NaN\"", "\"NaN\""),
        ("bigint[]", "[[1,null]]", "[[\"1\",null]]"),
        ("boolean", "true", "true"),
        ("text", "\"x\"", "\"x\""),
        ("json", "[1]", "[1]"),
        ("bigint", "null", "null"),
    ] {
        assert_eq!(
            written_as_string(&read(text, type_name)),
            written,
            "{type_name} {text}"
        );
    }
}

#[test]
fn the_order_of_values_is_postgresqls() {
    use Ordering::{Equal, Greater, Less};
    for (type_name, left, right, expected) in [
        ("boolean", "false", "true", Some(Less)),
        ("integer", "2", "10", Some(Less)),
        ("float", "\"NaN\"", "\"Infinity\"", Some(Greater)),
        ("float", "\"NaN\"", "\"NaN\"", Some(Equal)),
        ("float", "1", "\"NaN\"", Some(Less)),
        ("float", "0", "-0.0", Some(Equal)),
        ("decimal", "1.0", "1.00", Some(Equal)),
        ("text", "\"B\"", "\"a\"", Some(Less)),
        ("text", "\"Z\"", "\"é\"", Some(Less)),
        ("date", "\"0001-01-01 BC\"", "\"0001-01-01\"", Some(Less)),
        ("timestamp", "\"infinity\"", "\"294276-12-31\"", Some(Greater)),
        ("bytes", "\"AA==\"", "\"AAA=\"", Some(Less)),
        ("json", "{}", "[1]", Some(Greater)),
        ("integer[]", "[1,2]", "[1,3]", Some(Less)),
        ("integer[]", "[1]", "[1,2]", Some(Less)),
        ("integer[]", "[2]", "[1,2]", Some(Greater)),
        ("integer[]", "[1,null]", "[1,2]", Some(Greater)),
        ("integer[]", "[1,null]", "[1,null]", Some(Equal)),
        ("integer[]", "[[1,2]]", "[1,2]", Some(Greater)),
        ("integer[]", "[[1,2],[3,4]]", "[[1,2,3,4]]", Some(Greater)),
        ("integer[]", "[]", "[null]", Some(Less)),
        ("integer", "1", "null", None),
        ("integer", "null", "null", None),
    ] {
        let (left, right) = (read(left, type_name), read(right, type_name));
        assert_eq!(left.compare(&right), expected, "{left:?} {right:?}");
        assert_eq!(right.compare(&left), expected.map(Ordering::reverse));
        if expected.is_some() {
            assert_eq!(left == right, expected == Some(Equal), "{left:?} {right:?}");
        }
    }
    assert_eq!(read("1", "integer").compare(&read("1", "bigint")), None);
    assert_eq!(Value::Null, Value::Null);
}

/// Any value of a type that is not an array.
fn any_scalar(ty: ScalarType) -> BoxedStrategy<Value> {
    match ty {
        ScalarType::Text | ScalarType::Enum => "[^\0]{0,12}|[{}\",\\\\ nulNUL]{0,6}"
            .prop_map(Value::Text)
            .boxed(),
        ScalarType::Integer => any::<i32>().prop_map(Value::Integer).boxed(),
        ScalarType::BigInt => any::<i64>().prop_map(Value::BigInt).boxed(),
        ScalarType::Float => any::<f64>().prop_map(Value::Float).boxed(),
        ScalarType::Decimal => prop_oneof![
            "-?[0-9]{1,30}(\\.[0-9]{0,30})?",
            Just("NaN".to_owned()),
            Just("-Infinity".to_owned())
        ]
        .prop_map(|text| Value::Decimal(text.parse().unwrap()))
        .boxed(),
        ScalarType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        ScalarType::Uuid => any::<[u8; 16]>()
            .prop_map(|bytes| Value::Uuid(uuid::Uuid::from_bytes(bytes)))
            .boxed(),
        ScalarType::Date => {
            let days = prop_oneof![
                Date::MIN.days_since_2000()..=Date::MAX.days_since_2000(),
                Just(i32::MAX),
                Just(i32::MIN),
            ];
            days.prop_map(|days| Value::Date(Date::from_days_since_2000(days).unwrap()))
                .boxed()
        }
        ScalarType::Time => (0..=86_400_000_000_i64)
            .prop_map(|micros| Value::Time(Time::from_micros_since_midnight(micros).unwrap()))
            .boxed(),
        ScalarType::Timestamp => {
            let micros = prop_oneof![
                Timestamp::MIN.micros_since_2000()..=Timestamp::MAX.micros_since_2000(),
                Just(i64::MAX),
                Just(i64::MIN),
            ];
            micros
                .prop_map(|micros| Value::Timestamp(Timestamp::from_micros_since_2000(micros).unwrap()))
                .boxed()
        }
        ScalarType::Json => prop_oneof![
            Just("{\"a\": [1.10, \"x\\n\"]}"),
            Just("\"\\\\\""),
            Just("[]"),
            Just("12")
        ]
        .prop_map(|text| Value::Json(Json::parse(text).unwrap()))
        .boxed(),
        ScalarType::Bytes => proptest::collection::vec(any::<u8>(), 0..20)
            .prop_map(Value::Bytes)
            .boxed(),
    }
}

/// A type and one of its values, arrays of one and two dimensions included.
fn any_typed() -> impl Strategy<Value = (FieldType, Value)> {
    (proptest::sample::select(&ScalarType::ALL[..]), 0_usize..3).prop_flat_map(|(scalar, dimensions)| {
        let element = any_scalar(scalar);
        if dimensions == 0 {
            return element
                .prop_map(move |value| (FieldType::scalar(scalar), value))
                .boxed();
        }
        let element = prop_oneof![4 => element, 1 => Just(Value::Null)];
        let one = proptest::collection::vec(element.clone(), 0..4).prop_map(Value::Array);
        if dimensions == 1 || scalar == ScalarType::Json {
            return one
                .prop_map(move |value| (FieldType::array(scalar), value))
                .boxed();
        }
        (1_usize..4, 1_usize..4)
            .prop_flat_map(move |(rows, columns)| {
                let row = proptest::collection::vec(element.clone(), columns).prop_map(Value::Array);
                proptest::collection::vec(row, rows)
            })
            .prop_map(move |rows| (FieldType::array(scalar), Value::Array(rows)))
            .boxed()
    })
}

proptest! {
    #[test]
    fn what_is_written_as_json_reads_back((ty, value) in any_typed()) {
        let json = value.to_json();
        prop_assert!(serde_json::from_str::<&serde_json::value::RawValue>(&json).is_ok());
        let back = Value::read_json(&json, ty);
        prop_assert_eq!(back.as_ref(), Ok(&value), "{}", json);
        prop_assert_eq!(back.unwrap().to_json(), json);
    }

    #[test]
    fn what_is_written_as_text_reads_back((ty, value) in any_typed()) {
        let mut text = String::new();
        value.write_text(&mut text);
        let back = Value::read_text(&text, ty);
        prop_assert_eq!(back.as_ref(), Ok(&value), "{}", text);
        prop_assert_eq!(value.compare(&back.unwrap()), Some(Ordering::Equal));
    }

    #[test]
    fn no_reader_panics(
        text in r#"[\[\]{}",:0-9eE.\\ uDd8TZ+-]{0,40}|.{0,40}|\PC{0,20} BC"#,
        scalar in proptest::sample::select(&ScalarType::ALL[..]),
        array in any::<bool>(),
    ) {
        let ty = FieldType { scalar, array };
        let _ = Value::read_json(&text, ty);
        let _ = Value::read_json(&format!("\"{text}\""), ty);
        let _ = Value::read_text(&text, ty);
    }
}
