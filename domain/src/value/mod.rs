//! The values of fields: everything that PostgreSQL's types can hold, and how it is read, written and compared.
//!
//! Values know their type, not their field: lengths, patterns and enum members are checked by validation.

mod array_text;
mod calendar;
mod civil_text;
mod compare;
mod date;
mod decimal;
mod decimal_text;
mod error;
mod float;
mod json;
mod json_compare;
pub(crate) mod json_scan;
mod json_serde;
pub(crate) mod json_string;
mod read_json;
mod read_text;
mod time;
mod timestamp;
mod write;

#[cfg(test)]
mod round_trips;

pub use date::Date;
pub use decimal::{Decimal, DecimalMisfit, DecimalSign};
pub use error::{Excerpt, ValueError};
pub use json::{Json, JsonError};
pub use time::Time;
pub use timestamp::Timestamp;

/// One value of a field.
///
/// Equality is PostgreSQL's: NaN equals NaN, `1.0` equals `1.00`, and NULL equals NULL here, so that records can be
/// compared; [`Value::compare`] is the one that knows nothing of NULL.
#[derive(Debug, Clone)]
pub enum Value {
    /// SQL NULL, of any type.
    Null,
    /// `bool`.
    Boolean(bool),
    /// `int4`.
    Integer(i32),
    /// `int8`.
    BigInt(i64),
    /// `float8`.
    Float(f64),
    /// `numeric`.
    Decimal(Decimal),
    /// `text` without NUL; also the value of an enum.
    Text(String),
    /// `uuid`.
    Uuid(uuid::Uuid),
    /// `date`.
    Date(Date),
    /// `time`.
    Time(Time),
    /// `timestamptz`.
    Timestamp(Timestamp),
    /// `jsonb`.
    Json(Json),
    /// `bytea`.
    Bytes(Vec<u8>),
    /// An array. Elements are all of one type or `Null`; arrays in it are further dimensions and all alike.
    Array(Vec<Value>),
}

impl Value {
    /// Whether this is NULL.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(left), Self::Boolean(right)) => left == right,
            (Self::Integer(left), Self::Integer(right)) => left == right,
            (Self::BigInt(left), Self::BigInt(right)) => left == right,
            (Self::Float(left), Self::Float(right)) => left == right || (left.is_nan() && right.is_nan()),
            (Self::Decimal(left), Self::Decimal(right)) => left == right,
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Uuid(left), Self::Uuid(right)) => left == right,
            (Self::Date(left), Self::Date(right)) => left == right,
            (Self::Time(left), Self::Time(right)) => left == right,
            (Self::Timestamp(left), Self::Timestamp(right)) => left == right,
            (Self::Json(left), Self::Json(right)) => left == right,
            (Self::Bytes(left), Self::Bytes(right)) => left == right,
            (Self::Array(left), Self::Array(right)) => left == right,
            _ => false,
        }
    }
}

impl Eq for Value {}
