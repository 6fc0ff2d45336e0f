//! `value::type`, as PostgreSQL casts.
//!
//! Text is read in the forms that requests have; PostgreSQL knows further spellings of dates, times and numbers.

use num_bigint::BigInt;
use rowstamp_domain::field_type::{FieldType, ScalarType};
use rowstamp_domain::value::{Date, Decimal, Time, Timestamp, Value};
use rowstamp_ports::{QueryFault, StoreError};

use crate::json::Tree;
use crate::number::Number;
use crate::text_form::text_form;

/// A value cast to another type; NULL stays NULL.
///
/// # Errors
/// `InvalidQuery` for a value that the type cannot hold.
pub(crate) fn cast(value: Value, to: ScalarType) -> Result<Value, StoreError> {
    if to == ScalarType::Text {
        return Ok(text_form(&value).map_or(Value::Null, Value::Text));
    }
    match &value {
        Value::Null => Some(Value::Null),
        Value::Text(text) => Value::read_text(text, FieldType::scalar(to)).ok(),
        Value::Json(json) if to != ScalarType::Json => from_json(&Tree::read(json), to),
        _ => match to {
            ScalarType::Integer => whole(&value)
                .and_then(|whole| whole.try_into().ok())
                .map(Value::Integer),
            ScalarType::BigInt => whole(&value)
                .and_then(|whole| whole.try_into().ok())
                .map(Value::BigInt),
            ScalarType::Float => float(&value).map(Value::Float),
            ScalarType::Decimal => decimal(&value).map(Value::Decimal),
            ScalarType::Date | ScalarType::Time | ScalarType::Timestamp => moment(&value, to),
            _ => Some(value),
        },
    }
    .ok_or(StoreError::InvalidQuery(QueryFault::Value))
}

fn from_json(tree: &Tree, to: ScalarType) -> Option<Value> {
    let Tree::Plain(word) = tree else { return None };
    match (word.as_str(), to) {
        ("true", ScalarType::Boolean) => Some(Value::Boolean(true)),
        ("false", ScalarType::Boolean) => Some(Value::Boolean(false)),
        (_, ScalarType::Boolean) => None,
        (number, _) => cast(Value::Decimal(number.parse().ok()?), to).ok(),
    }
}

/// A number without its fraction: floats round half to even, decimals half away from zero.
fn whole(value: &Value) -> Option<BigInt> {
    match value {
        Value::Integer(number) => Some(BigInt::from(*number)),
        Value::BigInt(number) => Some(BigInt::from(*number)),
        Value::Float(number) if number.is_finite() => format!("{:.0}", number.round_ties_even()).parse().ok(),
        Value::Decimal(number) => Number::of(number).map(|number| number.to_whole()),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        other => match Value::read_text(&text_form(other)?, FieldType::scalar(ScalarType::Float)) {
            Ok(Value::Float(number)) => Some(number),
            _ => None,
        },
    }
}

pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(number) => Some(number.clone()),
        // Fifteen digits of a float are certain, and no more are taken.
        Value::Float(number) if number.is_finite() => {
            let text = format!("{number:.14e}");
            let (digits, exponent) = text.split_once('e')?;
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            format!("{digits}e{exponent}").parse().ok()
        }
        other => text_form(other)?.parse().ok(),
    }
}

const DAY: i64 = 86_400_000_000;

/// Points in time and their parts, in UTC.
fn moment(value: &Value, to: ScalarType) -> Option<Value> {
    match (value, to) {
        (Value::Timestamp(at), ScalarType::Date) if at.is_infinite() => {
            Some(Value::Date(if *at == Timestamp::INFINITY {
                Date::INFINITY
            } else {
                Date::NEG_INFINITY
            }))
        }
        (Value::Timestamp(at), ScalarType::Date) => {
            let days = i32::try_from(at.micros_since_2000().div_euclid(DAY)).ok()?;
            Date::from_days_since_2000(days).ok().map(Value::Date)
        }
        (Value::Timestamp(at), ScalarType::Time) if at.is_infinite() => Some(Value::Null),
        (Value::Timestamp(at), ScalarType::Time) => {
            let micros = at.micros_since_2000().rem_euclid(DAY);
            Time::from_micros_since_midnight(micros).ok().map(Value::Time)
        }
        (Value::Date(date), ScalarType::Timestamp) if date.is_infinite() => {
            Some(Value::Timestamp(if *date == Date::INFINITY {
                Timestamp::INFINITY
            } else {
                Timestamp::NEG_INFINITY
            }))
        }
        (Value::Date(date), ScalarType::Timestamp) => {
            let micros = i64::from(date.days_since_2000()).checked_mul(DAY)?;
            Timestamp::from_micros_since_2000(micros)
                .ok()
                .map(Value::Timestamp)
        }
        _ => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use super::*;

    fn value(text: &str, ty: &str) -> Value {
        Value::read_text(text, ty.parse().unwrap()).unwrap()
    }

    #[test]
    fn values_are_cast_as_postgresql_casts_them() {
        for (text, from, to, expected) in [
            ("2.5", "float", "integer", "2"),
            ("3.5", "float", "integer", "4"),
            ("2.5", "decimal", "bigint", "3"),
            ("0.1", "float", "decimal", "0.1"),
            ("123456789.123456789", "float", "decimal", "123456789.123457"),
            ("1e20", "float", "decimal", "100000000000000000000"),
            ("1e-7", "float", "decimal", "0.0000001"),
            ("1e20", "float", "text", "1e+20"),
            (
                "2026-01-31T12:00:00.5Z",
                "timestamp",
                "text",
                "2026-01-31 12:00:00.5+00",
            ),
            (
                "0044-03-15T12:00:00Z BC",
                "timestamp",
                "text",
                "0044-03-15 12:00:00+00 BC",
            ),
            ("1999-12-31T23:00:00Z", "timestamp", "date", "1999-12-31"),
            ("1999-12-31T23:00:00Z", "timestamp", "time", "23:00:00"),
            ("infinity", "timestamp", "date", "infinity"),
            ("2026-01-31", "date", "timestamp", "2026-01-31T00:00:00+00:00"),
            ("\\x6869", "bytes", "text", "\\x6869"),
            ("{t,f,NULL}", "boolean[]", "text", "{t,f,NULL}"),
            ("{\"\\\\x6869\"}", "bytes[]", "text", "{\"\\\\x6869\"}"),
            (
                "{2026-01-01}",
                "timestamp[]",
                "text",
                "{\"2026-01-01 00:00:00+00\"}",
            ),
            ("t", "boolean", "text", "true"),
            ("2.5", "json", "integer", "3"),
            ("1.50", "json", "decimal", "1.50"),
            ("true", "json", "boolean", "true"),
            (" 42 ", "text", "integer", "42"),
            ("{\"b\":1}", "text", "json", "{\"b\": 1}"),
        ] {
            let ty: FieldType = to.parse().unwrap();
            let mut found = String::new();
            cast(value(text, from), ty.scalar).unwrap().write_text(&mut found);
            assert_eq!(found, expected, "{text}::{to}");
        }
    }

    #[test]
    fn what_the_type_cannot_hold_is_refused() {
        for (text, from, to) in [
            ("a", "text", ScalarType::Integer),
            ("2147483648", "bigint", ScalarType::Integer),
            ("NaN", "float", ScalarType::Integer),
            ("NaN", "decimal", ScalarType::BigInt),
            ("null", "json", ScalarType::Integer),
            ("\"1\"", "json", ScalarType::Integer),
        ] {
            let refused = cast(value(text, from), to);
            assert_eq!(
                refused,
                Err(StoreError::InvalidQuery(QueryFault::Value)),
                "{text}"
            );
        }
    }
}
