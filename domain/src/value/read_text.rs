//! Typed values from bare text: query strings, CSV, and values in rules.
//!
//! There is no word for NULL here but inside an array literal; who needs one has its own syntax for it (`is.null`).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT;
use uuid::Uuid;

use super::array_text;
use super::error::ValueError;
use super::json::Json;
use super::{Value, float};
use crate::field_type::{FieldType, ScalarType};

impl Value {
    /// Reads bare text as a value of the type; never gives `Null`.
    ///
    /// White space around all but text, enums and JSON is ignored. Booleans are PostgreSQL's words (`true`, `t`, `yes`,
    /// `on`, `1` and their opposites), bytes are base64 or PostgreSQL's `\x` and hexadecimal digits, arrays are
    /// literals such as `{a,"b c",NULL}`. A JSON `null` is the JSON value, not NULL.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn read_text(text: &str, ty: FieldType) -> Result<Self, ValueError> {
        if ty.array {
            array_text::read(text, ty.scalar)
        } else {
            read_scalar(text.into(), ty.scalar)
        }
    }
}

pub(super) fn read_scalar(text: Cow<'_, str>, ty: ScalarType) -> Result<Value, ValueError> {
    let trimmed = text.trim_ascii();
    Ok(match ty {
        ScalarType::Text | ScalarType::Enum => Value::Text(without_nul(text)?),
        ScalarType::Boolean => Value::Boolean(read_boolean(trimmed)?),
        ScalarType::Integer => Value::Integer(read_integer(trimmed)?),
        ScalarType::BigInt => Value::BigInt(read_bigint(trimmed)?),
        ScalarType::Float => Value::Float(float::read(trimmed)?),
        ScalarType::Decimal => Value::Decimal(trimmed.parse()?),
        ScalarType::Uuid => Value::Uuid(read_uuid(trimmed)?),
        ScalarType::Date => Value::Date(trimmed.parse()?),
        ScalarType::Time => Value::Time(trimmed.parse()?),
        ScalarType::Timestamp => Value::Timestamp(trimmed.parse()?),
        ScalarType::Bytes => Value::Bytes(match trimmed.strip_prefix("\\x") {
            Some(digits) => read_hexadecimal(digits).ok_or_else(|| ValueError::malformed(ty, trimmed))?,
            None => read_bytes(trimmed)?,
        }),
        ScalarType::Json => Value::Json(Json::parse(&text)?),
    })
}

fn without_nul(text: Cow<'_, str>) -> Result<String, ValueError> {
    if text.as_bytes().contains(&0) {
        Err(ValueError::Nul)
    } else {
        Ok(text.into_owned())
    }
}

fn read_boolean(text: &str) -> Result<bool, ValueError> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "t", "yes", "y", "on", "1"]) {
        Ok(true)
    } else if is(&["false", "f", "no", "n", "off", "0"]) {
        Ok(false)
    } else {
        Err(ValueError::malformed(ScalarType::Boolean, text))
    }
}

pub(super) fn read_integer(text: &str) -> Result<i32, ValueError> {
    require_whole(text, ScalarType::Integer)?;
    text.parse().map_err(|_| ValueError::OutOfRange {
        ty: ScalarType::Integer,
    })
}

pub(super) fn read_bigint(text: &str) -> Result<i64, ValueError> {
    require_whole(text, ScalarType::BigInt)?;
    text.parse().map_err(|_| ValueError::OutOfRange {
        ty: ScalarType::BigInt,
    })
}

/// Digits, with or without a sign, so that all that parsing can find wrong is the range.
fn require_whole(text: &str, ty: ScalarType) -> Result<(), ValueError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(ValueError::malformed(ty, text))
    }
}

/// Thirty-two hexadecimal digits in any case, with hyphens where RFC 9562 puts them or without any.
pub(super) fn read_uuid(text: &str) -> Result<Uuid, ValueError> {
    // Braces and `urn:uuid:` would read too, and are left out.
    match text.len() {
        32 | 36 => Uuid::try_parse(text).map_err(|_| ValueError::malformed(ScalarType::Uuid, text)),
        _ => Err(ValueError::malformed(ScalarType::Uuid, text)),
    }
}

pub(super) fn read_bytes(text: &str) -> Result<Vec<u8>, ValueError> {
    STANDARD_PAD_INDIFFERENT
        .decode(text)
        .map_err(|_| ValueError::malformed(ScalarType::Bytes, text))
}

fn read_hexadecimal(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
        .collect()
}
