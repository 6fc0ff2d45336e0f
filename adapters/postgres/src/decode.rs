//! One column of a row as a value, for hooks; answers are encoded without it.

use rowstamp_domain::field_type::ScalarType;
use rowstamp_domain::value::{Date, Decimal, DecimalSign, Json, Time, Timestamp, Value};
use uuid::Uuid;

use crate::encode::{Elements, Encoding, Malformed, NumericHeader, NumericSign, Scalar, fixed, read_array};

/// The value, of a field of type `ty`, in a buffer of this encoding; SQL NULL is [`Value::Null`].
pub(crate) fn decode(encoding: Encoding, ty: ScalarType, raw: Option<&[u8]>) -> Result<Value, Malformed> {
    match raw {
        None => Ok(Value::Null),
        Some(raw) if encoding.array => {
            let mut array = read_array(raw)?;
            let lengths = *array.all_lengths();
            let value = if array.lengths().is_empty() {
                Value::Array(Vec::new())
            } else {
                let dimensions = array.lengths().len();
                dimension((encoding.scalar, ty), &lengths[..dimensions], &mut array.elements)?
            };
            array.elements.finish()?;
            Ok(value)
        }
        Some(raw) => scalar((encoding.scalar, ty), raw),
    }
}

fn dimension(
    of: (Scalar, ScalarType),
    lengths: &[usize],
    elements: &mut Elements<'_>,
) -> Result<Value, Malformed> {
    let Some((&length, inner)) = lengths.split_first() else {
        return elements.next()?.map_or(Ok(Value::Null), |raw| scalar(of, raw));
    };
    if inner.contains(&0) {
        return Err(Malformed("array"));
    }
    // The length is not trusted with memory: an element takes at least its own length's four bytes.
    let mut values = Vec::with_capacity(length.min(elements.remaining() / 4));
    for _ in 0..length {
        values.push(dimension(of, inner, elements)?);
    }
    Ok(Value::Array(values))
}

fn scalar((scalar, ty): (Scalar, ScalarType), raw: &[u8]) -> Result<Value, Malformed> {
    Ok(match scalar {
        Scalar::Text => Value::Text(text(raw)?.to_owned()),
        Scalar::Int2 => integer(ty, i32::from(i16::from_be_bytes(fixed(raw, "smallint")?))),
        Scalar::Int4 => integer(ty, i32::from_be_bytes(fixed(raw, "integer")?)),
        Scalar::Int8 => Value::BigInt(i64::from_be_bytes(fixed(raw, "bigint")?)),
        Scalar::Float4 => Value::Float(widened(f32::from_be_bytes(fixed(raw, "float4")?))),
        Scalar::Float8 => Value::Float(f64::from_be_bytes(fixed(raw, "float8")?)),
        Scalar::Numeric => Value::Decimal(numeric(raw)?),
        Scalar::Bool => match raw {
            [0] => Value::Boolean(false),
            [1] => Value::Boolean(true),
            _ => return Err(Malformed("boolean")),
        },
        Scalar::Uuid => Value::Uuid(Uuid::from_bytes(fixed(raw, "uuid")?)),
        Scalar::Date => Value::Date(
            Date::from_days_since_2000(i32::from_be_bytes(fixed(raw, "date")?))
                .map_err(|_| Malformed("date"))?,
        ),
        Scalar::Time => Value::Time(
            Time::from_micros_since_midnight(i64::from_be_bytes(fixed(raw, "time")?))
                .map_err(|_| Malformed("time"))?,
        ),
        Scalar::Timestamp => Value::Timestamp(timestamp(raw)?),
        Scalar::Jsonb => match raw.split_first() {
            Some((1, json)) => Value::Json(Json::from_jsonb_text(text(json)?)),
            _ => return Err(Malformed("jsonb")),
        },
        Scalar::Json => Value::Json(Json::from_jsonb_text(text(raw)?)),
        Scalar::Bytea => Value::Bytes(raw.to_vec()),
        Scalar::Record => return Err(Malformed("record")),
    })
}

/// A `bigint` field can live in a narrower column.
fn integer(ty: ScalarType, value: i32) -> Value {
    if ty == ScalarType::BigInt {
        Value::BigInt(i64::from(value))
    } else {
        Value::Integer(value)
    }
}

/// The double that has the shortest digits of the single: `0.1`, not `0.10000000149011612`.
fn widened(value: f32) -> f64 {
    if value.is_finite() {
        value.to_string().parse().unwrap_or_else(|_| f64::from(value))
    } else {
        f64::from(value)
    }
}

/// A point in time.
pub(crate) fn timestamp(raw: &[u8]) -> Result<Timestamp, Malformed> {
    let micros = i64::from_be_bytes(fixed(raw, "timestamp")?);
    Timestamp::from_micros_since_2000(micros).map_err(|_| Malformed("timestamp"))
}

fn text(raw: &[u8]) -> Result<&str, Malformed> {
    str::from_utf8(raw).map_err(|_| Malformed("text"))
}

fn numeric(raw: &[u8]) -> Result<Decimal, Malformed> {
    let header = NumericHeader::read(raw)?;
    let sign = match header.sign {
        NumericSign::Positive => DecimalSign::Positive,
        NumericSign::Negative => DecimalSign::Negative,
        NumericSign::NaN => DecimalSign::NaN,
        NumericSign::Infinity => DecimalSign::Infinity,
        NumericSign::NegativeInfinity => DecimalSign::NegInfinity,
    };
    let digits: Vec<u16> = header
        .groups
        .as_chunks::<2>()
        .0
        .iter()
        .map(|group| u16::from_be_bytes(*group))
        .collect();
    Decimal::from_binary_parts(sign, header.weight, header.scale, &digits).ok_or(Malformed("numeric"))
}
