//! Whether values keep the rules of their fields. Rules about rows, and what other rows hold, are the store's to judge.

use std::cmp::Ordering;

use super::{MOST_VIOLATIONS, Pointer, Violation};
use crate::definition::{Default, Field, FieldId, FieldRole};
use crate::field_type::ScalarType;
use crate::record::Record;
use crate::value::{DecimalMisfit, Value};

/// Judges every value given, and that none is missing for which `must_be_given` holds among the required fields without a
/// default.
pub fn check(
    change: &Record,
    must_be_given: impl Fn(FieldId, &Field) -> bool,
    violations: &mut Vec<Violation>,
) {
    let definition = change.definition();
    for id in definition.field_ids() {
        let field = definition.field(id);
        let pointer = Pointer::Key(&Pointer::Root, &field.name);
        if let Some(value) = change.value(id) {
            check_value(field, value, &pointer, violations);
            continue;
        }
        let missing = field.required
            && field.role == FieldRole::Declared
            && field.default == Default::None
            && must_be_given(id, field);
        // What was given and could not be read is not missing.
        if missing
            && !violations
                .iter()
                .any(|violation| violation.is_within(&field.name))
        {
            violations.push(required(&pointer));
        }
    }
}

pub(crate) fn required(pointer: &Pointer<'_>) -> Violation {
    Violation::new(pointer, "required", "a value is required")
}

/// Judges one value; also those that a definition itself gives.
pub(crate) fn check_value(
    field: &Field,
    value: &Value,
    pointer: &Pointer<'_>,
    violations: &mut Vec<Violation>,
) {
    match value {
        Value::Null if field.required => violations.push(required(pointer)),
        Value::Null => {}
        Value::Array(elements) if field.ty.array => {
            check_length(field, elements.len(), "elements", pointer, violations);
            check_elements(field, elements, pointer, violations);
        }
        value => {
            match value {
                Value::Text(text)
                    if field.ty.scalar == ScalarType::Text
                        && (field.min_length.is_some() || field.max_length.is_some()) =>
                {
                    check_length(field, text.chars().count(), "characters", pointer, violations);
                }
                Value::Bytes(bytes) => check_length(field, bytes.len(), "bytes", pointer, violations),
                _ => {}
            }
            check_scalar(field, value, pointer, violations);
        }
    }
}

fn check_elements(field: &Field, elements: &[Value], pointer: &Pointer<'_>, violations: &mut Vec<Violation>) {
    for (index, element) in elements.iter().enumerate() {
        if violations.len() >= MOST_VIOLATIONS {
            return;
        }
        let pointer = Pointer::Index(pointer, index);
        match element {
            Value::Array(inner) => check_elements(field, inner, &pointer, violations),
            element => check_scalar(field, element, &pointer, violations),
        }
    }
}

fn check_length(
    field: &Field,
    length: usize,
    unit: &str,
    pointer: &Pointer<'_>,
    violations: &mut Vec<Violation>,
) {
    // No body is as long as `u32::MAX`.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    if let Some(min) = field.min_length
        && length < min
    {
        violations.push(Violation::new(
            pointer,
            "too_short",
            format!("at least {min} {unit}, found {length}"),
        ));
    }
    if let Some(max) = field.max_length
        && length > max
    {
        violations.push(Violation::new(
            pointer,
            "too_long",
            format!("at most {max} {unit}, found {length}"),
        ));
    }
}

/// What holds for a value and for each element of an array.
fn check_scalar(field: &Field, value: &Value, pointer: &Pointer<'_>, violations: &mut Vec<Violation>) {
    if let Some(min) = &field.min
        && value.compare(min) == Some(Ordering::Less)
    {
        violations.push(Violation::new(
            pointer,
            "too_small",
            format!("at least {}", min.to_json()),
        ));
    }
    if let Some(max) = &field.max
        && value.compare(max) == Some(Ordering::Greater)
    {
        violations.push(Violation::new(
            pointer,
            "too_large",
            format!("at most {}", max.to_json()),
        ));
    }
    match value {
        Value::Text(text) => {
            if field.ty.scalar == ScalarType::Enum && !field.values.iter().any(|known| known == text) {
                violations.push(Violation::new(
                    pointer,
                    "not_a_value",
                    format!("expected one of {}", field.values.join(", ")),
                ));
            }
            if let Some(pattern) = &field.pattern
                && !pattern.is_match(text)
            {
                violations.push(Violation::new(
                    pointer,
                    "pattern",
                    format!("expected text that matches {}", pattern.as_str()),
                ));
            }
        }
        Value::Decimal(decimal) => {
            if let Some(precision) = field.precision {
                let scale = field.scale.unwrap_or(0);
                match decimal.fits(precision, scale) {
                    Ok(()) => {}
                    Err(DecimalMisfit::TooPrecise) => violations.push(Violation::new(
                        pointer,
                        "too_precise",
                        format!("at most {scale} digits after the decimal point; nothing is rounded"),
                    )),
                    Err(error) => violations.push(Violation::new(pointer, "too_large", error.to_string())),
                }
            }
        }
        _ => {}
    }
}
