//! The types a field can have, and what they are called in a definition.
//!
//! This module does not know values or PostgreSQL's binary formats; it only names.

use std::fmt;
use std::str::FromStr;

/// A type that is not an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScalarType {
    /// Unicode text without NUL; PostgreSQL `text`.
    Text,
    /// 32-bit signed integer; `int4`.
    Integer,
    /// 64-bit signed integer; `int8`.
    BigInt,
    /// IEEE 754 double, NaN and infinities included; `float8`.
    Float,
    /// Decimal number of any size; `numeric` or `numeric(p,s)`.
    Decimal,
    /// `true` or `false`; `bool`.
    Boolean,
    /// `uuid`.
    Uuid,
    /// Calendar date, infinities and years BC included; `date`.
    Date,
    /// Time of day in microseconds, without a zone; `time`.
    Time,
    /// Point in time in microseconds; `timestamptz`.
    Timestamp,
    /// Any JSON value; `jsonb`.
    Json,
    /// Bytes, base64 in JSON; `bytea`.
    Bytes,
    /// One of the field's `values`; `text` with a CHECK, or an enum type of the database.
    Enum,
}

impl ScalarType {
    /// Every scalar type, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::Text,
        Self::Integer,
        Self::BigInt,
        Self::Float,
        Self::Decimal,
        Self::Boolean,
        Self::Uuid,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::Json,
        Self::Bytes,
        Self::Enum,
    ];

    /// The word used in a definition, such as `bigint`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::BigInt => "bigint",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Json => "json",
            Self::Bytes => "bytes",
            Self::Enum => "enum",
        }
    }
}

/// A field's type: a scalar, or an array of one (`text[]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FieldType {
    /// The type itself, or that of the elements.
    pub scalar: ScalarType,
    /// Whether the field holds an array. PostgreSQL does not fix the number of dimensions.
    pub array: bool,
}

impl FieldType {
    /// A type that is not an array.
    pub const fn scalar(scalar: ScalarType) -> Self {
        Self { scalar, array: false }
    }

    /// An array of `scalar`.
    pub const fn array(scalar: ScalarType) -> Self {
        Self { scalar, array: true }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scalar.name())?;
        if self.array { f.write_str("[]") } else { Ok(()) }
    }
}

/// A type name that no definition knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown type `{0}`, expected one of text, integer, bigint, float, decimal, boolean, uuid, date, time, timestamp, json, bytes, enum, or one of these with `[]`"
)]
pub struct UnknownType(pub String);

impl FromStr for FieldType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        let (name, array) = match text.strip_suffix("[]") {
            Some(element) => (element, true),
            None => (text, false),
        };
        ScalarType::ALL
            .into_iter()
            .find(|scalar| scalar.name() == name)
            .map(|scalar| Self { scalar, array })
            .ok_or_else(|| UnknownType(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for scalar in ScalarType::ALL {
            for ty in [FieldType::scalar(scalar), FieldType::array(scalar)] {
                assert_eq!(ty.to_string().parse(), Ok(ty));
            }
        }
        assert_eq!("int".parse::<FieldType>(), Err(UnknownType("int".to_owned())));
    }
}
