//! `default`, `min`, `max` and `example`: read with the field's type, and judged by the field's own rules.

use std::cmp::Ordering;

use super::Mistakes;
use crate::definition::spec::{DefaultSpec, FieldSpec, Literal};
use crate::definition::{Default, Field};
use crate::field_type::{FieldType, ScalarType};
use crate::validation::{Pointer, check_value};
use crate::value::{Decimal, Value};

pub(super) fn fill(field: &mut Field, spec: &FieldSpec, mistakes: &mut Mistakes) {
    // Bounds are those of each element, in an array.
    let element = FieldType::scalar(field.ty.scalar);
    let ordered = is_ordered(field.ty.scalar);
    field.min = bound("min", spec.min.as_ref().filter(|_| ordered), element, mistakes);
    field.max = bound("max", spec.max.as_ref().filter(|_| ordered), element, mistakes);
    if let (Some(min), Some(max)) = (&field.min, &field.max)
        && min.compare(max) == Some(Ordering::Greater)
    {
        let max = spec.max.as_ref().map_or("", |literal| literal.0.as_str());
        mistakes.add(&["min"], format!("expected at most `max`, which is {max}"));
    }
    field.default = match &spec.default {
        DefaultSpec::None => Default::None,
        DefaultSpec::Database => Default::Database,
        DefaultSpec::Literal(literal) => {
            own_value("default", literal, field, mistakes).map_or(Default::None, Default::Value)
        }
    };
    field.example = spec
        .example
        .as_ref()
        .and_then(|literal| own_value("example", literal, field, mistakes));
}

/// Whether values of the type can have bounds.
pub(super) const fn is_ordered(scalar: ScalarType) -> bool {
    use ScalarType as T;
    matches!(
        scalar,
        T::Integer | T::BigInt | T::Float | T::Decimal | T::Date | T::Time | T::Timestamp
    )
}

fn bound(key: &str, literal: Option<&Literal>, ty: FieldType, mistakes: &mut Mistakes) -> Option<Value> {
    let value = read(key, literal?, ty, mistakes)?;
    if value.is_null() {
        mistakes.add(&[key], "expected a value, found null");
        return None;
    }
    if is_nan(&value) {
        // PostgreSQL puts NaN above all numbers and Rust beside them: as a bound it says nothing that both agree on.
        mistakes.add(&[key], "expected a number, found NaN");
        return None;
    }
    Some(value)
}

fn is_nan(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_nan(),
        Value::Decimal(number) => *number == Decimal::NAN,
        _ => false,
    }
}

/// A literal that is a value the field could hold.
fn own_value(key: &str, literal: &Literal, field: &Field, mistakes: &mut Mistakes) -> Option<Value> {
    let value = read(key, literal, field.ty, mistakes)?;
    let mut violations = Vec::new();
    check_value(field, &value, &Pointer::Root, &mut violations);
    for violation in &violations {
        let place = if violation.pointer.is_empty() { "" } else { ": " };
        mistakes.add(
            &[key],
            format!("{}{place}{}", violation.pointer, violation.message),
        );
    }
    (violations.is_empty() && !value.is_null()).then_some(value)
}

fn read(key: &str, literal: &Literal, ty: FieldType, mistakes: &mut Mistakes) -> Option<Value> {
    match Value::read_json(&literal.0, ty) {
        Ok(value) => Some(value),
        Err(error) => {
            mistakes.add(&[key], error.to_string());
            None
        }
    }
}
