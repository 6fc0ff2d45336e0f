//! Values as parameters in PostgreSQL's binary formats.
//!
//! A parameter borrows what it stands for; nothing is copied but into the message itself. `Debug` shows no value, since the
//! driver logs parameters.

use std::error::Error;
use std::fmt;

use bytes::{BufMut, BytesMut};
use rowstamp_domain::definition::FieldId;
use rowstamp_domain::value::{Decimal, DecimalSign, Timestamp, Value};
use tokio_postgres::types::{IsNull, Kind, ToSql, Type};
use uuid::Uuid;

/// One parameter of a statement.
#[derive(Clone, Copy)]
pub(crate) enum Param<'a> {
    /// A value, which may be an array.
    Value(&'a Value),
    /// Several values as one array.
    List(&'a [Value]),
    /// One column of many rows as one array. An element that is itself an array becomes an array literal, since the
    /// parameter is a `text[]` then.
    Column {
        rows: &'a [Vec<Value>],
        index: usize,
    },
    Text(&'a str),
    /// Which of many rows give a column.
    Mask {
        rows: &'a [Vec<bool>],
        index: usize,
    },
    /// What each of many rows expects of a field, NULL where it expects nothing.
    Expected {
        rows: &'a [Vec<(FieldId, Value)>],
        field: FieldId,
    },
    /// Which of many rows expect something of a field.
    Expects {
        rows: &'a [Vec<(FieldId, Value)>],
        field: FieldId,
    },
    Uuid(Uuid),
    Integer(i32),
    BigInt(i64),
    Timestamp(Timestamp),
    Timestamps(&'a [Timestamp]),
}

impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A value that cannot be what its parameter is declared as.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("a value is of another type than its column")]
    Type,
    #[error("an array is not rectangular")]
    Ragged,
    #[error("a value is too large to be sent")]
    TooLarge,
}

type Written = Result<IsNull, Box<dyn Error + Sync + Send>>;

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Written {
        match self {
            Self::Value(value) => return write_value(value, ty, out),
            Self::Text(text) => out.put_slice(text.as_bytes()),
            Self::Uuid(uuid) => out.put_slice(uuid.as_bytes()),
            Self::Integer(number) => out.put_i32(*number),
            Self::BigInt(number) => out.put_i64(*number),
            Self::Timestamp(timestamp) => out.put_i64(timestamp.micros_since_2000()),
            Self::List(values) => write_list(values.iter(), ty, out)?,
            Self::Column { rows, index } => {
                let (rows, index): (&[Vec<Value>], usize) = (rows, *index);
                write_list(rows.iter().map(|row| &row[index]), ty, out)?;
            }
            Self::Mask { rows, index } => write_flags(rows.iter().map(|row| row[*index]), ty, out)?,
            Self::Expected { rows, field } => {
                write_list(
                    rows.iter()
                        .map(|row| expected(row, *field).unwrap_or(&Value::Null)),
                    ty,
                    out,
                )?;
            }
            Self::Expects { rows, field } => {
                write_flags(rows.iter().map(|row| expected(row, *field).is_some()), ty, out)?;
            }
            Self::Timestamps(timestamps) => {
                write_header(out, 1, element_type(ty)?);
                put_length(out, timestamps.len())?;
                out.put_i32(1);
                for timestamp in *timestamps {
                    out.put_i32(8);
                    out.put_i64(timestamp.micros_since_2000());
                }
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        // What does not fit is found where the value is written.
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Written {
        self.to_sql(ty, out)
    }
}

fn expected(row: &[(FieldId, Value)], field: FieldId) -> Option<&Value> {
    row.iter().find(|(id, _)| *id == field).map(|(_, value)| value)
}

/// Truth values as a one-dimensional array, of at least one.
fn write_flags(
    flags: impl ExactSizeIterator<Item = bool>,
    ty: &Type,
    out: &mut BytesMut,
) -> Result<(), Unfit> {
    write_header(out, 1, element_type(ty)?);
    put_length(out, flags.len())?;
    out.put_i32(1);
    for flag in flags {
        out.put_i32(1);
        out.put_u8(u8::from(flag));
    }
    Ok(())
}

fn write_value(value: &Value, ty: &Type, out: &mut BytesMut) -> Written {
    match value {
        Value::Null => return Ok(IsNull::Yes),
        Value::Array(elements) => match ty.kind() {
            Kind::Array(element) => write_array(elements, element, out)?,
            _ if *ty == Type::TEXT => {
                let mut literal = String::new();
                write_literal(elements, &mut literal)?;
                out.put_slice(literal.as_bytes());
            }
            _ => return Err(Unfit::Type.into()),
        },
        scalar => write_scalar(scalar, ty, out)?,
    }
    Ok(IsNull::No)
}

fn write_scalar(value: &Value, ty: &Type, out: &mut BytesMut) -> Result<(), Unfit> {
    match (value, ty) {
        (Value::Boolean(value), &Type::BOOL) => out.put_u8(u8::from(*value)),
        (Value::Integer(value), &Type::INT4) => out.put_i32(*value),
        (Value::Integer(value), &Type::INT8) => out.put_i64(i64::from(*value)),
        (Value::BigInt(value), &Type::INT8) => out.put_i64(*value),
        (Value::Float(value), &Type::FLOAT8) => out.put_f64(*value),
        (Value::Decimal(value), &Type::NUMERIC) => write_numeric(value, out)?,
        (Value::Text(value), &Type::TEXT) => out.put_slice(value.as_bytes()),
        (Value::Uuid(value), &Type::UUID) => out.put_slice(value.as_bytes()),
        (Value::Date(value), &Type::DATE) => out.put_i32(value.days_since_2000()),
        (Value::Time(value), &Type::TIME) => out.put_i64(value.micros_since_midnight()),
        (Value::Timestamp(value), &Type::TIMESTAMPTZ) => out.put_i64(value.micros_since_2000()),
        (Value::Json(value), &Type::JSONB) => {
            out.put_u8(1);
            out.put_slice(value.as_str().as_bytes());
        }
        (Value::Bytes(value), &Type::BYTEA) => out.put_slice(value),
        _ => return Err(Unfit::Type),
    }
    Ok(())
}

fn write_numeric(value: &Decimal, out: &mut BytesMut) -> Result<(), Unfit> {
    let digits = value.digits();
    out.put_u16(u16::try_from(digits.len()).map_err(|_| Unfit::TooLarge)?);
    out.put_i16(value.weight());
    out.put_u16(match value.sign() {
        DecimalSign::Positive => 0x0000,
        DecimalSign::Negative => 0x4000,
        DecimalSign::NaN => 0xC000,
        DecimalSign::Infinity => 0xD000,
        DecimalSign::NegInfinity => 0xF000,
    });
    out.put_u16(value.scale());
    for digit in digits {
        out.put_u16(*digit);
    }
    Ok(())
}

fn element_type(array: &Type) -> Result<&Type, Unfit> {
    match array.kind() {
        Kind::Array(element) => Ok(element),
        _ => Err(Unfit::Type),
    }
}

/// Number of dimensions, a flag that NULLs may come, the type of the elements.
fn write_header(out: &mut BytesMut, dimensions: i32, element: &Type) {
    out.put_i32(dimensions);
    out.put_i32(1);
    out.put_u32(element.oid());
}

fn put_length(out: &mut BytesMut, length: usize) -> Result<(), Unfit> {
    out.put_i32(i32::try_from(length).map_err(|_| Unfit::TooLarge)?);
    Ok(())
}

/// Values of one type as a one-dimensional array.
fn write_list<'a>(
    values: impl ExactSizeIterator<Item = &'a Value>,
    ty: &Type,
    out: &mut BytesMut,
) -> Result<(), Box<dyn Error + Sync + Send>> {
    let element = element_type(ty)?;
    if values.len() == 0 {
        write_header(out, 0, element);
        return Ok(());
    }
    write_header(out, 1, element);
    put_length(out, values.len())?;
    out.put_i32(1);
    for value in values {
        write_element(value, element, out)?;
    }
    Ok(())
}

/// A value with its length before it.
fn write_element(value: &Value, ty: &Type, out: &mut BytesMut) -> Result<(), Box<dyn Error + Sync + Send>> {
    let start = out.len();
    out.put_i32(-1);
    if let IsNull::No = write_value(value, ty, out)? {
        let length = i32::try_from(out.len() - start - 4).map_err(|_| Unfit::TooLarge)?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// An array of any number of dimensions.
fn write_array(
    elements: &[Value],
    element: &Type,
    out: &mut BytesMut,
) -> Result<(), Box<dyn Error + Sync + Send>> {
    if elements.is_empty() {
        write_header(out, 0, element);
        return Ok(());
    }
    let mut lengths = vec![elements.len()];
    let mut inner = elements;
    while let [Value::Array(next), ..] = inner {
        lengths.push(next.len());
        inner = next;
    }
    let dimensions = i32::try_from(lengths.len()).map_err(|_| Unfit::TooLarge)?;
    write_header(out, dimensions, element);
    for length in &lengths {
        put_length(out, *length)?;
        out.put_i32(1);
    }
    write_dimension(elements, &lengths[1..], element, out)
}

fn write_dimension(
    elements: &[Value],
    inner: &[usize],
    element: &Type,
    out: &mut BytesMut,
) -> Result<(), Box<dyn Error + Sync + Send>> {
    for value in elements {
        match (value, inner.split_first()) {
            (Value::Array(next), Some((length, rest))) if next.len() == *length => {
                write_dimension(next, rest, element, out)?;
            }
            (Value::Array(_), _) | (_, Some(_)) => return Err(Unfit::Ragged.into()),
            (value, None) => write_element(value, element, out)?,
        }
    }
    Ok(())
}

/// An array as PostgreSQL reads it from text: `{"a",NULL,{…}}`.
fn write_literal(elements: &[Value], out: &mut String) -> Result<(), Unfit> {
    out.push('{');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match element {
            Value::Null => out.push_str("NULL"),
            Value::Array(inner) => write_literal(inner, out)?,
            Value::Bytes(bytes) => {
                out.push_str("\"\\\\x");
                for byte in bytes {
                    for half in [byte >> 4, byte & 15] {
                        out.push(char::from_digit(u32::from(half), 16).expect("half a byte is a hex digit"));
                    }
                }
                out.push('"');
            }
            scalar => {
                out.push('"');
                let start = out.len();
                scalar.write_text(out);
                escape_from(start, out);
                out.push('"');
            }
        }
    }
    out.push('}');
    Ok(())
}

/// Puts a backslash before each quote and backslash from `start` on.
fn escape_from(start: usize, out: &mut String) {
    if out[start..].contains(['"', '\\']) {
        let plain = out.split_off(start);
        for character in plain.chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(value: &Value) -> String {
        let mut out = BytesMut::new();
        assert!(matches!(
            Param::Value(value).to_sql(&Type::TEXT, &mut out),
            Ok(IsNull::No)
        ));
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn arrays_become_literals_where_the_parameter_is_text() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (value, expected) in [
            (Value::Array(vec![]), "{}"),
            (
                Value::Array(vec![text(""), text("NULL"), Value::Null]),
                r#"{"","NULL",NULL}"#,
            ),
            (Value::Array(vec![text(r#"a"b\c,{}"#)]), r#"{"a\"b\\c,{}"}"#),
            (
                Value::Array(vec![
                    Value::Array(vec![Value::Integer(1)]),
                    Value::Array(vec![Value::Null]),
                ]),
                r#"{{"1"},{NULL}}"#,
            ),
            (Value::Array(vec![Value::Bytes(vec![0, 255])]), r#"{"\\x00ff"}"#),
        ] {
            assert_eq!(literal(&value), expected);
        }
    }

    #[test]
    fn a_value_that_is_not_of_its_columns_type_is_an_error() {
        let mut out = BytesMut::new();
        assert!(
            Param::Value(&Value::Boolean(true))
                .to_sql(&Type::INT4, &mut out)
                .is_err()
        );
        let ragged = Value::Array(vec![
            Value::Array(vec![Value::Integer(1)]),
            Value::Array(vec![Value::Integer(1), Value::Integer(2)]),
        ]);
        assert!(Param::Value(&ragged).to_sql(&Type::INT4_ARRAY, &mut out).is_err());
        let mixed = Value::Array(vec![Value::Array(vec![Value::Integer(1)]), Value::Integer(2)]);
        assert!(Param::Value(&mixed).to_sql(&Type::INT4_ARRAY, &mut out).is_err());
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", Param::BigInt(42)), "…");
    }
}
