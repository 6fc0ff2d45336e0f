//! Why a record and a struct do not fit each other.

use crate::field_type::{FieldType, ScalarType};
use crate::record::Record;
use crate::value::{Value, ValueError};

/// How many characters of an unknown enum value a message repeats.
const EXCERPT_CHARACTERS: usize = 40;

/// A field of a record that a struct cannot hold, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}` of `{resource}`: {reason}")]
#[non_exhaustive]
pub struct RecordError {
    /// The record's resource.
    pub resource: String,
    /// The field's JSON name.
    pub field: String,
    /// What is wrong with it.
    pub reason: FieldError,
}

impl RecordError {
    pub(super) fn new(record: &Record, field: &str, reason: FieldError) -> Self {
        Self {
            resource: record.definition().name.clone(),
            field: field.to_owned(),
            reason,
        }
    }
}

/// Why a value does not fit a Rust type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The record's resource has no such field.
    #[error("the resource has no such field")]
    NoSuchField,
    /// The record does not give it.
    #[error("the record does not give it")]
    Absent,
    /// NULL, and the type is not an `Option`.
    #[error("it is NULL")]
    Null,
    /// A value of another type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// The type that the struct holds.
        expected: FieldType,
        /// The type of the value.
        found: &'static str,
    },
    /// A value that the Rust type does not have, such as `infinity` for a [`chrono::NaiveDate`].
    #[error("{value} does not fit into `{rust_type}`")]
    DoesNotFit {
        /// The value as text.
        value: String,
        /// The Rust type.
        rust_type: &'static str,
    },
    /// An array of more dimensions than a `Vec` has.
    #[error("an array of several dimensions")]
    SeveralDimensions,
    /// What is wrong with one element of an array.
    #[error("element {position}: {reason}")]
    Element {
        /// Counted from 0.
        position: usize,
        /// What is wrong with it.
        reason: Box<FieldError>,
    },
    /// A value that the Rust enum does not have.
    #[error("unknown value \"{value}\", expected one of {}", .expected.join(", "))]
    UnknownValue {
        /// The beginning of the value.
        value: String,
        /// The values of the enum.
        expected: &'static [&'static str],
    },
    /// A value of the Rust type that PostgreSQL does not have.
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl FieldError {
    /// An enum's value that the Rust enum does not have.
    pub fn unknown(value: &str, expected: &'static [&'static str]) -> Self {
        Self::UnknownValue {
            value: value.chars().take(EXCERPT_CHARACTERS).collect(),
            expected,
        }
    }

    /// A value of another type than `expected`, or NULL.
    pub fn wrong_type(expected: ScalarType, found: &Value) -> Self {
        Self::wrong_field_type(FieldType::scalar(expected), found)
    }

    pub(super) const fn wrong_field_type(expected: FieldType, found: &Value) -> Self {
        match found {
            Value::Null => Self::Null,
            Value::Array(_) if expected.array => Self::SeveralDimensions,
            other => Self::WrongType {
                expected,
                found: name_of(other),
            },
        }
    }
}

const fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Boolean(_) => ScalarType::Boolean.name(),
        Value::Integer(_) => ScalarType::Integer.name(),
        Value::BigInt(_) => ScalarType::BigInt.name(),
        Value::Float(_) => ScalarType::Float.name(),
        Value::Decimal(_) => ScalarType::Decimal.name(),
        Value::Text(_) => ScalarType::Text.name(),
        Value::Uuid(_) => ScalarType::Uuid.name(),
        Value::Date(_) => ScalarType::Date.name(),
        Value::Time(_) => ScalarType::Time.name(),
        Value::Timestamp(_) => ScalarType::Timestamp.name(),
        Value::Json(_) => ScalarType::Json.name(),
        Value::Bytes(_) => ScalarType::Bytes.name(),
        Value::Array(_) => "an array",
    }
}
