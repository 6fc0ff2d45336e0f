//! The order of values, as PostgreSQL has it under the C collation.
//!
//! Values of different types have no order here; conversions are the caller's.

use std::cmp::Ordering;

use super::Value;

impl Value {
    /// Compares as PostgreSQL's btree operators do: NaN greatest and equal to itself, text by bytes, arrays element by
    /// element (where NULL is greatest and equal to itself), then by length, then by shape.
    ///
    /// Nothing if either is NULL or their types differ.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Boolean(left), Self::Boolean(right)) => Some(left.cmp(right)),
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(right)),
            (Self::BigInt(left), Self::BigInt(right)) => Some(left.cmp(right)),
            (Self::Float(left), Self::Float(right)) => Some(compare_floats(*left, *right)),
            (Self::Decimal(left), Self::Decimal(right)) => Some(left.cmp(right)),
            (Self::Text(left), Self::Text(right)) => Some(left.cmp(right)),
            (Self::Uuid(left), Self::Uuid(right)) => Some(left.cmp(right)),
            (Self::Date(left), Self::Date(right)) => Some(left.cmp(right)),
            (Self::Time(left), Self::Time(right)) => Some(left.cmp(right)),
            (Self::Timestamp(left), Self::Timestamp(right)) => Some(left.cmp(right)),
            (Self::Json(left), Self::Json(right)) => Some(left.cmp(right)),
            (Self::Bytes(left), Self::Bytes(right)) => Some(left.cmp(right)),
            (Self::Array(left), Self::Array(right)) => compare_arrays(left, right),
            _ => None,
        }
    }
}

fn compare_floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right)
        .unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

fn compare_arrays(left: &[Value], right: &[Value]) -> Option<Ordering> {
    let (mut left_elements, mut right_elements) = (Vec::new(), Vec::new());
    flatten(left, &mut left_elements);
    flatten(right, &mut right_elements);
    for (left, right) in left_elements.iter().zip(&right_elements) {
        let order = match (left.is_null(), right.is_null()) {
            (false, false) => left.compare(right)?,
            (left_null, right_null) => left_null.cmp(&right_null),
        };
        if order.is_ne() {
            return Some(order);
        }
    }
    let shape = || {
        let (left, right) = (shape(left), shape(right));
        left.len().cmp(&right.len()).then_with(|| left.cmp(&right))
    };
    Some(left_elements.len().cmp(&right_elements.len()).then_with(shape))
}

fn flatten<'a>(array: &'a [Value], elements: &mut Vec<&'a Value>) {
    for value in array {
        match value {
            Value::Array(inner) => flatten(inner, elements),
            element => elements.push(element),
        }
    }
}

/// The length of each dimension, outermost first.
fn shape(array: &[Value]) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut inner = array;
    loop {
        lengths.push(inner.len());
        match inner.first() {
            Some(Value::Array(next)) => inner = next,
            _ => return lengths,
        }
    }
}
