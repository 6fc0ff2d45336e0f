//! Values read with the type of what they are compared with.

use super::super::error::excerpt;
use crate::field_type::{FieldType, ScalarType};
use crate::value::Value;

/// How many values `{…}` may list.
const MAX_LIST: usize = 10_000;

/// What a value is compared with: a field, or a part of one.
#[derive(Debug)]
pub(in crate::query::grammar) struct Slot<'a> {
    /// The field's name.
    pub(in crate::query::grammar) name: &'a str,
    pub(in crate::query::grammar) ty: FieldType,
    /// The values of an enum.
    pub(in crate::query::grammar) members: &'a [String],
}

/// How the values of a condition are read. Errors say what was expected.
pub(in crate::query::grammar) trait Values {
    /// What a condition holds.
    type Value;

    /// A value for `slot`.
    fn value(&self, text: &str, slot: &Slot<'_>) -> Result<Self::Value, String>;

    /// The values of `{a,b}`, each for `slot`.
    fn each(&self, text: &str, slot: &Slot<'_>) -> Result<Vec<Self::Value>, String>;

    /// A pattern in SQL's form.
    fn pattern(&self, pattern: &str) -> Result<Self::Value, String>;
}

/// Values as they are written.
pub(in crate::query::grammar) struct Plain;

impl Values for Plain {
    type Value = Value;

    fn value(&self, text: &str, slot: &Slot<'_>) -> Result<Value, String> {
        read_value(text, slot)
    }

    fn each(&self, text: &str, slot: &Slot<'_>) -> Result<Vec<Value>, String> {
        read_each(text, slot)
    }

    fn pattern(&self, pattern: &str) -> Result<Value, String> {
        read_pattern(pattern)
    }
}

pub(in crate::query::grammar) fn read_pattern(pattern: &str) -> Result<Value, String> {
    Value::read_text(pattern, FieldType::scalar(ScalarType::Text)).map_err(|error| error.to_string())
}

/// `text` as a value of the slot's type; an enum's must be one of its own.
pub(in crate::query::grammar) fn read_value(text: &str, slot: &Slot<'_>) -> Result<Value, String> {
    let value = Value::read_text(text, slot.ty).map_err(|error| error.to_string())?;
    check_members(&value, text, slot)?;
    Ok(value)
}

/// The values of `{a,b}`, none of which is NULL.
pub(in crate::query::grammar) fn read_each(text: &str, slot: &Slot<'_>) -> Result<Vec<Value>, String> {
    let list = Value::read_text(text, FieldType::array(slot.ty.scalar)).map_err(|error| error.to_string())?;
    let Value::Array(values) = list else {
        return Err("expected a list such as {a,b}".to_owned());
    };
    if values.len() > MAX_LIST {
        return Err(format!("expected at most {MAX_LIST} values"));
    }
    for value in &values {
        match value {
            Value::Null => {
                return Err(
                    "NULL is neither equal to nor different from anything; `is.null` finds it".to_owned(),
                );
            }
            Value::Array(_) => return Err("expected a list of one dimension such as {a,b}".to_owned()),
            value => check_members(value, text, slot)?,
        }
    }
    Ok(values)
}

/// The texts of `{a,b}`.
pub(super) fn texts(text: &str) -> Result<Vec<String>, String> {
    let slot = Slot {
        name: "",
        ty: FieldType::scalar(ScalarType::Text),
        members: &[],
    };
    let values = read_each(text, &slot)?.into_iter();
    Ok(values
        .filter_map(|value| match value {
            Value::Text(text) => Some(text),
            _ => None,
        })
        .collect())
}

fn check_members(value: &Value, text: &str, slot: &Slot<'_>) -> Result<(), String> {
    if slot.ty.scalar != ScalarType::Enum || is_member(value, slot) {
        return Ok(());
    }
    Err(format!(
        "expected one of {}, found {:?}",
        slot.members.join(", "),
        excerpt(text)
    ))
}

fn is_member(value: &Value, slot: &Slot<'_>) -> bool {
    match value {
        Value::Text(text) => slot.members.contains(text),
        Value::Array(elements) => elements.iter().all(|element| is_member(element, slot)),
        _ => true,
    }
}
