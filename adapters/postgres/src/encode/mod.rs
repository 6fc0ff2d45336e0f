//! One column of a row, from the driver's binary buffer straight to JSON.
//!
//! Nothing here builds a value: the plain writer in the domain does that, and a property test holds the two
//! equal. The formats are those of PostgreSQL's `*send` functions, and the layout is the wire contract's, which
//! is `to_json`'s but for bytes (base64).

mod array;
mod column;
mod datetime;
mod number;
mod text;

use rowstamp_domain::json_text::Buffer;

pub(crate) use array::{Elements, read as read_array};
pub(crate) use column::{Encoding, Scalar};
pub(crate) use number::{NumericHeader, NumericSign};

/// A buffer that is not what its column's type promises.
///
/// It stands for a damaged stream or a type that is not what was prepared, never for something a caller did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed {0} in a row")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Appends a column as JSON; SQL NULL is `null`.
///
/// What was appended before an error is left in `out`, since the whole answer is thrown away then.
#[inline]
pub(crate) fn write(encoding: Encoding, raw: Option<&[u8]>, out: &mut Buffer) -> Result<(), Malformed> {
    match raw {
        None => {
            out.extend_from_array(b"null");
            Ok(())
        }
        Some(raw) if encoding.array => array::write(encoding, raw, out),
        Some(raw) => write_scalar(encoding, raw, out),
    }
}

/// Appends a value that is not an array and not NULL.
#[inline]
fn write_scalar(encoding: Encoding, raw: &[u8], out: &mut Buffer) -> Result<(), Malformed> {
    if encoding.quoted {
        out.push(b'"');
        write_unquoted(encoding.scalar, raw, out, Quotes::Present)?;
        out.push(b'"');
        return Ok(());
    }
    write_unquoted(encoding.scalar, raw, out, Quotes::WhereNeeded)
}

/// Whether quotes already stand around a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// NaN and the infinities, which JSON cannot say as numbers, bring their own.
    WhereNeeded,
    /// The caller writes them around every number.
    Present,
}

fn write_unquoted(scalar: Scalar, raw: &[u8], out: &mut Buffer, quotes: Quotes) -> Result<(), Malformed> {
    match scalar {
        Scalar::Text => return text::write(raw, out),
        Scalar::Bool => match raw {
            [0] => out.extend_from_array(b"false"),
            [1] => out.extend_from_array(b"true"),
            _ => return Err(Malformed("boolean")),
        },
        Scalar::Uuid => return text::write_uuid(raw, out),
        Scalar::Date => return datetime::write_date(raw, out),
        Scalar::Time => return datetime::write_time(raw, out),
        Scalar::Timestamp => return datetime::write_timestamp(raw, out),
        Scalar::Jsonb => return text::write_jsonb(raw, out),
        Scalar::Json => return text::write_json(raw, out),
        Scalar::Bytea => text::write_base64(raw, out),
        Scalar::Int2 => number::write_integer(i16::from_be_bytes(fixed(raw, "smallint")?), out),
        Scalar::Int4 => number::write_integer(i32::from_be_bytes(fixed(raw, "integer")?), out),
        Scalar::Int8 => number::write_integer(i64::from_be_bytes(fixed(raw, "bigint")?), out),
        Scalar::Float4 => number::write_float(f32::from_be_bytes(fixed(raw, "float4")?), out, quotes),
        Scalar::Float8 => number::write_float(f64::from_be_bytes(fixed(raw, "float8")?), out, quotes),
        Scalar::Numeric => return number::write_numeric(raw, out, quotes),
        // It has columns of its own, which are not known here.
        Scalar::Record => return Err(Malformed("record")),
    }
    Ok(())
}

/// A buffer of exactly `N` bytes.
pub(crate) fn fixed<const N: usize>(raw: &[u8], what: &'static str) -> Result<[u8; N], Malformed> {
    raw.try_into().map_err(|_| Malformed(what))
}
