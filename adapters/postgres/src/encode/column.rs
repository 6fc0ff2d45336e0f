//! Which format a column is in, and whether a field's type can live in it.

use rowstamp_domain::field_type::{FieldType, ScalarType};
use tokio_postgres::types::{Kind, Type};

/// The binary formats that can be read, one per PostgreSQL type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// `text`, `varchar`, `bpchar`, `name` and enum labels: UTF-8.
    Text,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Bool,
    Uuid,
    /// Days since 2000-01-01.
    Date,
    /// Microseconds since midnight.
    Time,
    /// Microseconds since 2000-01-01 00:00 UTC; `timestamp` has the same format and counts as UTC.
    Timestamp,
    /// A version byte, then JSON text.
    Jsonb,
    /// JSON text.
    Json,
    Bytea,
    /// An embedded row; it is read where its columns are known.
    Record,
}

impl Scalar {
    /// The format of a type, where it is one that can be read; domains are what they stand for.
    fn of(ty: &Type) -> Option<Self> {
        Some(match *ty {
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => Self::Text,
            Type::INT2 => Self::Int2,
            Type::INT4 => Self::Int4,
            Type::INT8 => Self::Int8,
            Type::FLOAT4 => Self::Float4,
            Type::FLOAT8 => Self::Float8,
            Type::NUMERIC => Self::Numeric,
            Type::BOOL => Self::Bool,
            Type::UUID => Self::Uuid,
            Type::DATE => Self::Date,
            Type::TIME => Self::Time,
            Type::TIMESTAMP | Type::TIMESTAMPTZ => Self::Timestamp,
            Type::JSONB => Self::Jsonb,
            Type::JSON => Self::Json,
            Type::BYTEA => Self::Bytea,
            _ => match ty.kind() {
                Kind::Domain(inner) => return Self::of(inner),
                Kind::Enum(_) => Self::Text,
                Kind::Simple if ty.name() == "citext" => Self::Text,
                _ => return None,
            },
        })
    }

    /// The format of a type that is known by nothing but what it holds, as a domain's is inside a record.
    fn guess(scalar: ScalarType, raw: &[u8]) -> Option<Self> {
        Some(match (scalar, raw) {
            (ScalarType::Text | ScalarType::Enum, _) => Self::Text,
            (ScalarType::Integer | ScalarType::BigInt, [_, _]) => Self::Int2,
            (ScalarType::Integer | ScalarType::BigInt, [_, _, _, _]) => Self::Int4,
            (ScalarType::BigInt, [_, _, _, _, _, _, _, _]) => Self::Int8,
            (ScalarType::Float, [_, _, _, _]) => Self::Float4,
            (ScalarType::Float, [_, _, _, _, _, _, _, _]) => Self::Float8,
            (ScalarType::Integer | ScalarType::BigInt | ScalarType::Float, _) => return None,
            (ScalarType::Decimal, _) => Self::Numeric,
            (ScalarType::Boolean, _) => Self::Bool,
            (ScalarType::Uuid, _) => Self::Uuid,
            (ScalarType::Date, _) => Self::Date,
            (ScalarType::Time, _) => Self::Time,
            (ScalarType::Timestamp, _) => Self::Timestamp,
            (ScalarType::Json, [1, ..]) => Self::Jsonb,
            (ScalarType::Json, _) => Self::Json,
            (ScalarType::Bytes, _) => Self::Bytea,
        })
    }

    /// Whether a field of this type may be kept in a column of this format: without loss on the way out, and
    /// with an error of the server's, never a silent change, on the way in.
    fn holds(self, scalar: ScalarType) -> bool {
        match scalar {
            ScalarType::Text | ScalarType::Enum => self == Self::Text,
            ScalarType::Integer => matches!(self, Self::Int2 | Self::Int4),
            ScalarType::BigInt => matches!(self, Self::Int2 | Self::Int4 | Self::Int8),
            ScalarType::Float => matches!(self, Self::Float4 | Self::Float8),
            ScalarType::Decimal => self == Self::Numeric,
            ScalarType::Boolean => self == Self::Bool,
            ScalarType::Uuid => self == Self::Uuid,
            ScalarType::Date => self == Self::Date,
            ScalarType::Time => self == Self::Time,
            ScalarType::Timestamp => self == Self::Timestamp,
            ScalarType::Json => matches!(self, Self::Jsonb | Self::Json),
            ScalarType::Bytes => self == Self::Bytea,
        }
    }

    fn is_number(self) -> bool {
        matches!(
            self,
            Self::Int2 | Self::Int4 | Self::Int8 | Self::Float4 | Self::Float8 | Self::Numeric
        )
    }
}

/// How a column becomes JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// The column's format, or that of its elements.
    pub(crate) scalar: Scalar,
    /// Whether it is an array.
    pub(crate) array: bool,
    /// Whether numbers are written as strings (`json = "string"`).
    pub(crate) quoted: bool,
}

impl Encoding {
    /// The encoding of a field in a column of type `column`; `None` when the column cannot hold the field, which
    /// means that the database is not what the definition says.
    pub(crate) fn of(field: FieldType, as_string: bool, column: &Type) -> Option<Self> {
        let (element, array) = match column.kind() {
            Kind::Array(element) => (element, true),
            Kind::Domain(inner) => match inner.kind() {
                Kind::Array(element) => (element, true),
                _ => (column, false),
            },
            _ => (column, false),
        };
        let scalar = Scalar::of(element)?;
        (array == field.array && scalar.holds(field.scalar)).then_some(Self {
            scalar,
            array,
            quoted: as_string && scalar.is_number(),
        })
    }

    /// The encoding of an embed's column.
    pub(crate) fn record(column: &Type) -> Option<Self> {
        let array = match *column {
            Type::RECORD => false,
            Type::RECORD_ARRAY => true,
            _ => return None,
        };
        Some(Self {
            scalar: Scalar::Record,
            array,
            quoted: false,
        })
    }

    /// The encoding of a field in a column of a record, of which no more is known than its type's OID and what it holds.
    pub(crate) fn of_oid(field: FieldType, as_string: bool, oid: u32, raw: &[u8]) -> Option<Self> {
        if let Some(ty) = Type::from_oid(oid) {
            return Self::of(field, as_string, &ty);
        }
        let scalar = if field.array {
            let mut array = super::read_array(raw).ok()?;
            let mut sample: Option<&[u8]> = None;
            while sample.is_none() && array.elements.remaining() > 0 {
                sample = array.elements.next().ok()?;
            }
            match Type::from_oid(array.element_oid) {
                Some(element) => Scalar::of(&element)?,
                // Without an element any format will do.
                None => Scalar::guess(field.scalar, sample.unwrap_or(&[0; 4]))?,
            }
        } else {
            Scalar::guess(field.scalar, raw)?
        };
        scalar.holds(field.scalar).then_some(Self {
            scalar,
            array: field.array,
            quoted: as_string && scalar.is_number(),
        })
    }

    /// Whether values are JSON in themselves.
    pub(crate) const fn is_json(self) -> bool {
        matches!(self.scalar, Scalar::Json | Scalar::Jsonb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_cannot_hold_its_field_has_no_encoding() {
        let text = FieldType::scalar(ScalarType::Text);
        assert!(Encoding::of(text, false, &Type::VARCHAR).is_some());
        assert!(Encoding::of(text, false, &Type::INT4).is_none());
        assert!(Encoding::of(text, false, &Type::TEXT_ARRAY).is_none());
        assert!(Encoding::of(FieldType::array(ScalarType::Text), false, &Type::TEXT_ARRAY).is_some());
        assert!(Encoding::of(FieldType::scalar(ScalarType::Integer), false, &Type::INT8).is_none());
    }

    #[test]
    fn only_numbers_can_be_quoted() {
        let quoted = |scalar, ty| Encoding::of(FieldType::scalar(scalar), true, ty).map(|e| e.quoted);
        assert_eq!(quoted(ScalarType::BigInt, &Type::INT8), Some(true));
        assert_eq!(quoted(ScalarType::Text, &Type::TEXT), Some(false));
    }
}
