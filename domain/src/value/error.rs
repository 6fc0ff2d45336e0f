//! Why a text or a number is not a value of its type.
//!
//! It does not know which field was meant: validation adds the pointer.

use std::fmt;

use super::json::JsonError;
use crate::field_type::{FieldType, ScalarType};

/// How many bytes of the input a message may repeat.
const EXCERPT_BYTES: usize = 40;

/// Why something given is not a value of its type.
///
/// `Display` says what was expected; it repeats at most a short excerpt of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueError {
    /// JSON of the wrong kind, such as a string for an integer.
    WrongType {
        /// The type of the field.
        expected: FieldType,
        /// The kind of JSON value that was given, with its article.
        found: &'static str,
    },
    /// The right kind of value, but written in no form that the type knows.
    Malformed {
        /// The type that was read.
        ty: ScalarType,
        /// The beginning of what was given.
        excerpt: Excerpt,
    },
    /// Beyond what PostgreSQL's type can hold.
    OutOfRange {
        /// The type that was read.
        ty: ScalarType,
    },
    /// More digits than the type keeps; nothing is rounded.
    TooPrecise {
        /// The type that was read.
        ty: ScalarType,
    },
    /// A NUL character, which PostgreSQL's text cannot hold.
    Nul,
    /// A `json` value that cannot be kept, or a body's value that is no JSON at all.
    Json(JsonError),
    /// An array that is not rectangular, or has an empty inner array.
    RaggedArray,
    /// An array of more than six dimensions.
    TooManyDimensions,
    /// An array literal (`{a,b}`) that does not read.
    MalformedArray {
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl ValueError {
    pub(super) fn malformed(ty: ScalarType, text: &str) -> Self {
        Self::Malformed {
            ty,
            excerpt: Excerpt::of(text),
        }
    }

    /// A stable word for machines, such as `out_of_range`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongType { .. } => "wrong_type",
            Self::Malformed { ty, .. } => match ty {
                ScalarType::Text => "invalid_text",
                ScalarType::Integer => "invalid_integer",
                ScalarType::BigInt => "invalid_bigint",
                ScalarType::Float => "invalid_float",
                ScalarType::Decimal => "invalid_decimal",
                ScalarType::Boolean => "invalid_boolean",
                ScalarType::Uuid => "invalid_uuid",
                ScalarType::Date => "invalid_date",
                ScalarType::Time => "invalid_time",
                ScalarType::Timestamp => "invalid_timestamp",
                ScalarType::Json => "invalid_json",
                ScalarType::Bytes => "invalid_bytes",
                ScalarType::Enum => "invalid_enum",
            },
            Self::OutOfRange { .. } => "out_of_range",
            Self::TooPrecise { .. } => "too_precise",
            Self::Nul => "nul",
            Self::Json(error) => error.code(),
            Self::RaggedArray => "ragged_array",
            Self::TooManyDimensions => "too_many_dimensions",
            Self::MalformedArray { .. } => "invalid_array",
        }
    }
}

impl From<JsonError> for ValueError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl std::error::Error for ValueError {}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongType { expected, found } => {
                if expected.array {
                    write!(f, "expected an array ({expected}), found {found}")
                } else {
                    write!(f, "expected {}, found {found}", json_form(expected.scalar))
                }
            }
            Self::Malformed { ty, excerpt } => write!(f, "expected {}, found {excerpt}", text_form(*ty)),
            Self::OutOfRange { ty } => write!(f, "out of range, expected {}", range(*ty)),
            Self::TooPrecise {
                ty: ScalarType::Decimal,
            } => f.write_str("too many digits after the decimal point; nothing is rounded"),
            Self::TooPrecise { .. } => {
                f.write_str("more precise than a microsecond; at most six digits of a second are kept")
            }
            Self::Nul => f.write_str("a NUL character cannot be stored"),
            Self::Json(error) => error.fmt(f),
            Self::RaggedArray => {
                f.write_str("inner arrays must all have the same length and depth, and may not be empty")
            }
            Self::TooManyDimensions => f.write_str("an array may have at most six dimensions"),
            Self::MalformedArray { reason } => write!(f, "expected an array such as {{a,b}}: {reason}"),
        }
    }
}

/// What a JSON value of this type looks like.
fn json_form(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Integer => "a number without fraction or exponent",
        ScalarType::BigInt => "a number without fraction or exponent, or a string of digits",
        ScalarType::Float => "a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
        ScalarType::Decimal => "a number or a string of digits",
        ScalarType::Boolean => "true or false",
        ScalarType::Text => "a string",
        ScalarType::Uuid => "a UUID as a string",
        ScalarType::Date => "a date as a string",
        ScalarType::Time => "a time as a string",
        ScalarType::Timestamp => "a timestamp as a string",
        ScalarType::Bytes => "base64 as a string",
        ScalarType::Json => "JSON",
        ScalarType::Enum => "one of the field's values as a string",
    }
}

/// What a text of this type looks like.
fn text_form(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Integer | ScalarType::BigInt => "a whole number",
        ScalarType::Float | ScalarType::Decimal => "a number",
        ScalarType::Boolean => "true or false",
        ScalarType::Text | ScalarType::Enum => "text",
        ScalarType::Uuid => "a UUID such as 018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f",
        ScalarType::Date => "a date such as 2026-01-31",
        ScalarType::Time => "a time such as 12:00:00",
        ScalarType::Timestamp => "a timestamp such as 2026-01-31T12:00:00Z",
        ScalarType::Bytes => "base64",
        ScalarType::Json => "JSON",
    }
}

/// What fits.
fn range(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Integer => "a whole number from -2147483648 to 2147483647",
        ScalarType::BigInt => "a whole number from -9223372036854775808 to 9223372036854775807",
        ScalarType::Float => "a number that a 64-bit float can hold",
        ScalarType::Decimal => "at most 131072 digits before and 16383 after the decimal point",
        ScalarType::Date => "a date from 4714-11-24 BC to 5874897-12-31",
        ScalarType::Time => "a time from 00:00:00 to 24:00:00",
        ScalarType::Timestamp => "a timestamp from 4714-11-24 BC to 294276-12-31",
        ScalarType::Text
        | ScalarType::Boolean
        | ScalarType::Uuid
        | ScalarType::Json
        | ScalarType::Bytes
        | ScalarType::Enum => "a value that fits the type",
    }
}

/// The beginning of an input, short enough for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(Box<str>);

impl Excerpt {
    pub(crate) fn of(text: &str) -> Self {
        if text.len() <= EXCERPT_BYTES {
            return Self(text.into());
        }
        Self(format!("{}…", &text[..text.floor_char_boundary(EXCERPT_BYTES)]).into())
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_repeats_no_more_than_a_short_excerpt() {
        let message = ValueError::malformed(ScalarType::Date, &"é".repeat(1000)).to_string();
        assert_eq!(
            message,
            format!(
                "expected a date such as 2026-01-31, found \"{}…\"",
                "é".repeat(20)
            )
        );
    }
}
