//! Whether a value is what a predicate asks.

use std::cmp::Ordering;

use rowstamp_domain::query::{Comparison, IsTest, PatternKind, Predicate, Quantifier};
use rowstamp_domain::value::Value;
use rowstamp_ports::StoreError;

use crate::condition::{Truth, all, any};
use crate::json::Tree;
use crate::pattern::matches;
use crate::search::found;

pub(crate) fn satisfies(value: &Value, predicate: &Predicate) -> Result<Truth, StoreError> {
    match predicate {
        Predicate::Compare(comparison, other) => Ok(compares(value, *comparison, other)),
        Predicate::In(others) => each(Quantifier::Any, others, |other| {
            Ok(compares(value, Comparison::Eq, other))
        }),
        Predicate::CompareEach(comparison, quantifier, others) => each(*quantifier, others, |other| {
            Ok(compares(value, *comparison, other))
        }),
        Predicate::Is(test) => Ok(Some(is(value, *test))),
        Predicate::IsDistinct(other) => Ok(Some(match (value.is_null(), other.is_null()) {
            (true, true) => false,
            (false, false) => order(value, other) != Some(Ordering::Equal),
            _ => true,
        })),
        Predicate::Matches(kind, pattern) => fits(*kind, value, pattern),
        Predicate::MatchesEach(kind, quantifier, patterns) => {
            each(*quantifier, patterns, |pattern| fits(*kind, value, pattern))
        }
        Predicate::Search { kind, config, words } => match words {
            Value::Text(words) => found(value, *kind, *config, words),
            _ => Ok(None),
        },
        Predicate::Contains(other) => Ok(contains(value, other)),
        Predicate::ContainedIn(other) => Ok(contains(other, value)),
        Predicate::Overlaps(other) => Ok(overlaps(value, other)),
    }
}

fn each(
    quantifier: Quantifier,
    values: &[Value],
    test: impl Fn(&Value) -> Result<Truth, StoreError>,
) -> Result<Truth, StoreError> {
    match quantifier {
        Quantifier::Any => any(values.iter().map(test)),
        Quantifier::All => all(values.iter().map(test)),
    }
}

fn fits(kind: PatternKind, value: &Value, pattern: &Value) -> Result<Truth, StoreError> {
    match (value, pattern) {
        (Value::Text(text), Value::Text(pattern)) => matches(kind, text, pattern).map(Some),
        _ => Ok(None),
    }
}

fn compares(value: &Value, comparison: Comparison, other: &Value) -> Truth {
    order(value, other).map(|order| match comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Neq => order.is_ne(),
        Comparison::Gt => order.is_gt(),
        Comparison::Gte => order.is_ge(),
        Comparison::Lt => order.is_lt(),
        Comparison::Lte => order.is_le(),
    })
}

/// How two values compare; unknown when either is NULL.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if left.is_null() || right.is_null() {
        return None;
    }
    left.compare(right)
}

/// `IS` is never unknown.
fn is(value: &Value, test: IsTest) -> bool {
    match test {
        IsTest::Null | IsTest::Unknown => value.is_null(),
        IsTest::NotNull => !value.is_null(),
        IsTest::True => matches!(value, Value::Boolean(true)),
        IsTest::False => matches!(value, Value::Boolean(false)),
    }
}

/// Whether every element of an array is one of another's, whatever their dimensions; a NULL is no element of anything.
fn contains(value: &Value, other: &Value) -> Truth {
    match (value, other) {
        (Value::Array(elements), Value::Array(wanted)) => {
            let elements = flat(elements);
            Some(flat(wanted).iter().all(|wanted| is_among(wanted, &elements)))
        }
        (Value::Json(json), Value::Json(wanted)) => Some(Tree::read(json).contains(&Tree::read(wanted))),
        _ => None,
    }
}

fn overlaps(value: &Value, other: &Value) -> Truth {
    match (value, other) {
        (Value::Array(elements), Value::Array(others)) => {
            let elements = flat(elements);
            Some(flat(others).iter().any(|other| is_among(other, &elements)))
        }
        _ => None,
    }
}

fn is_among(wanted: &Value, elements: &[&Value]) -> bool {
    let equal = |element: &&Value| order(element, wanted) == Some(Ordering::Equal);
    elements.iter().any(equal)
}

fn flat(elements: &[Value]) -> Vec<&Value> {
    elements
        .iter()
        .flat_map(|element| match element {
            Value::Array(inner) => flat(inner),
            scalar => vec![scalar],
        })
        .collect()
}
