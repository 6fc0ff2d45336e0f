//! Values read with their field's type.

use super::super::error::excerpt;
use crate::definition::Field;
use crate::field_type::{FieldType, ScalarType};
use crate::value::Value;

/// How the values of a condition are read.
pub(in crate::query::grammar) trait Values {
    /// What a condition holds.
    type Value;

    /// A value for `field`, or what was expected.
    fn value(&self, text: &str, field: &Field) -> Result<Self::Value, String>;

    /// A pattern of `like`, in SQL's form.
    fn pattern(&self, pattern: &str) -> Result<Self::Value, String>;
}

/// Values as they are written.
pub(in crate::query::grammar) struct Plain;

impl Values for Plain {
    type Value = Value;

    fn value(&self, text: &str, field: &Field) -> Result<Value, String> {
        read_value(text, field)
    }

    fn pattern(&self, pattern: &str) -> Result<Value, String> {
        read_pattern(pattern)
    }
}

pub(in crate::query::grammar) fn read_pattern(pattern: &str) -> Result<Value, String> {
    Value::read_text(pattern, FieldType::scalar(ScalarType::Text)).map_err(|error| error.to_string())
}

/// `text` as a value of the field's type; an enum's must be one of its own.
pub(in crate::query::grammar) fn read_value(text: &str, field: &Field) -> Result<Value, String> {
    let value = Value::read_text(text, field.ty).map_err(|error| error.to_string())?;
    if field.ty.scalar == ScalarType::Enum && !is_member(&value, field) {
        return Err(format!(
            "expected one of {}, found {:?}",
            field.values.join(", "),
            excerpt(text)
        ));
    }
    Ok(value)
}

fn is_member(value: &Value, field: &Field) -> bool {
    match value {
        Value::Text(text) => field.values.contains(text),
        Value::Array(elements) => elements.iter().all(|element| is_member(element, field)),
        _ => true,
    }
}
