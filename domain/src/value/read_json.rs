//! Typed values from a body's JSON.
//!
//! One value at a time, as written: taking a body apart, and naming the field in an error, happens elsewhere.

use std::borrow::Cow;

use super::error::ValueError;
use super::json::{Json, JsonError};
use super::json_scan::{DEEPEST, ScanProblem, Scanner, Token};
use super::json_string::StringProblem;
use super::read_text::{read_bigint, read_bytes, read_integer, read_uuid};
use super::{Decimal, Value, float};
use crate::field_type::{FieldType, ScalarType};

/// The most dimensions that an array of PostgreSQL has.
pub(super) const MAX_DIMENSIONS: usize = 6;

impl Value {
    /// Reads one JSON value, as written in a body, as a value of the type.
    ///
    /// `null` is NULL in every type, `json` included. Whole numbers are written without fraction or exponent (`1.0` is
    /// refused for `integer` and `bigint`, as PostgreSQL refuses it). `bigint` and `decimal` also come as strings of
    /// digits. NaN and the infinities are strings. Nothing is rounded but a `float` to its nearest double. Arrays of
    /// more dimensions are arrays in arrays, all of the same length; in a `json[]` each element is one JSON value,
    /// arrays included.
    ///
    /// ```
    /// use rowstamp_domain::field_type::{FieldType, ScalarType};
    /// use rowstamp_domain::value::Value;
    /// let value = Value::read_json("12", FieldType::scalar(ScalarType::Integer))?;
    /// assert_eq!(value, Value::Integer(12));
    /// # Ok::<(), rowstamp_domain::value::ValueError>(())
    /// ```
    ///
    /// # Errors
    /// Says what was expected.
    pub fn read_json(text: &str, ty: FieldType) -> Result<Self, ValueError> {
        if ty == FieldType::scalar(ScalarType::Json) {
            return Ok(match text.trim_matches([' ', '\n', '\r', '\t']) {
                "null" => Self::Null,
                _ => Self::Json(Json::parse(text)?),
            });
        }
        let mut scanner = Scanner::new(text);
        let value = if ty.array {
            match scanner.token().map_err(JsonError::from)? {
                Token::Null => Self::Null,
                Token::ArrayStart => Self::Array(read_array(&mut scanner, ty, 1)?.0),
                token => {
                    return Err(ValueError::WrongType {
                        expected: ty,
                        found: token.kind(),
                    });
                }
            }
        } else {
            read_scalar(&mut scanner, ty.scalar)?
        };
        scanner.finish().map_err(JsonError::from)?;
        Ok(value)
    }
}

/// The length of each dimension, outermost first, then zeros.
pub(super) type Shape = [usize; MAX_DIMENSIONS];

/// The shape of an array of so many elements, each of the inner shape.
pub(super) fn shape_of(length: usize, inner: Shape) -> Shape {
    let mut shape = [0; MAX_DIMENSIONS];
    shape[0] = length;
    shape[1..].copy_from_slice(&inner[..MAX_DIMENSIONS - 1]);
    shape
}

/// Reads what follows the opening bracket.
fn read_array(
    scanner: &mut Scanner<'_>,
    ty: FieldType,
    dimension: usize,
) -> Result<(Vec<Value>, Shape), ValueError> {
    let mut elements = Vec::new();
    let mut inner_shape = None;
    if scanner.take(b']') {
        return if dimension == 1 {
            Ok((elements, Shape::default()))
        } else {
            Err(ValueError::RaggedArray)
        };
    }
    loop {
        let (element, shape) = if ty.scalar != ScalarType::Json && scanner.take(b'[') {
            if dimension == MAX_DIMENSIONS {
                return Err(ValueError::TooManyDimensions);
            }
            let (inner, shape) = read_array(scanner, ty, dimension + 1)?;
            (Value::Array(inner), shape)
        } else {
            (read_scalar(scanner, ty.scalar)?, Shape::default())
        };
        if *inner_shape.get_or_insert(shape) != shape {
            return Err(ValueError::RaggedArray);
        }
        elements.push(element);
        if scanner.take(b']') {
            let shape = shape_of(elements.len(), inner_shape.unwrap_or_default());
            return Ok((elements, shape));
        }
        if !scanner.take(b',') {
            return Err(JsonError::from(scanner.error(ScanProblem::CommaOrBracket)).into());
        }
    }
}

fn read_scalar(scanner: &mut Scanner<'_>, ty: ScalarType) -> Result<Value, ValueError> {
    if ty == ScalarType::Json {
        return Ok(match scanner.value(DEEPEST).map_err(JsonError::from)? {
            "null" => Value::Null,
            text => Value::Json(Json::parse(text)?),
        });
    }
    let token = scanner.token().map_err(JsonError::from)?;
    let value = match (ty, token) {
        (_, Token::Null) => Value::Null,
        (ScalarType::Boolean, Token::Boolean(boolean)) => Value::Boolean(boolean),
        (ScalarType::Integer, Token::Number(number)) => Value::Integer(read_integer(number)?),
        (ScalarType::BigInt, Token::Number(number)) => Value::BigInt(read_bigint(number)?),
        (ScalarType::Float, Token::Number(number)) => Value::Float(float::read(number)?),
        (ScalarType::Decimal, Token::Number(number)) => Value::Decimal(number.parse()?),
        (ty, Token::String(string)) => {
            let text = string.unescape().map_err(|problem| match problem {
                StringProblem::Nul => ValueError::Nul,
                StringProblem::LoneSurrogate => JsonError::LoneSurrogate.into(),
            })?;
            match read_string(text, ty)? {
                Some(value) => value,
                None => return Err(wrong_type(ty, token)),
            }
        }
        (ty, token) => return Err(wrong_type(ty, token)),
    };
    Ok(value)
}

fn wrong_type(ty: ScalarType, token: Token<'_>) -> ValueError {
    ValueError::WrongType {
        expected: FieldType::scalar(ty),
        found: token.kind(),
    }
}

/// The value that a JSON string stands for; nothing if the type is not written as a string.
fn read_string(text: Cow<'_, str>, ty: ScalarType) -> Result<Option<Value>, ValueError> {
    Ok(Some(match ty {
        // There is no NUL in it: the scan refuses one as it is, unescaping one that is escaped.
        ScalarType::Text | ScalarType::Enum => Value::Text(text.into_owned()),
        ScalarType::BigInt => Value::BigInt(read_bigint(&text)?),
        ScalarType::Decimal => Value::Decimal(text.parse::<Decimal>()?),
        ScalarType::Float => Value::Float(match text.as_ref() {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            _ => return Ok(None),
        }),
        ScalarType::Uuid => Value::Uuid(read_uuid(&text)?),
        ScalarType::Date => Value::Date(text.parse()?),
        ScalarType::Time => Value::Time(text.parse()?),
        ScalarType::Timestamp => Value::Timestamp(text.parse()?),
        ScalarType::Bytes => Value::Bytes(read_bytes(&text)?),
        ScalarType::Integer | ScalarType::Boolean | ScalarType::Json => return Ok(None),
    }))
}
