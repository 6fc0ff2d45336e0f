//! Whether a row satisfies a condition, by SQL's three-valued logic.
//!
//! It is written to be read, not to be fast, and shares nothing with the SQL that other stores send: each checks the other.

use std::cmp::Ordering;

use rowstamp_domain::query::{Comparison, Condition, IsTest, Operand, PatternKind, Predicate};
use rowstamp_domain::value::Value;

use crate::like::is_like;

/// Whether `condition` is true for `row`; what is unknown does not match.
pub(crate) fn holds(condition: &Condition, row: &[Value]) -> bool {
    truth(condition, row) == Some(true)
}

/// True, false, or `None` for unknown.
fn truth(condition: &Condition, row: &[Value]) -> Option<bool> {
    match condition {
        Condition::Always => Some(true),
        Condition::Never => Some(false),
        Condition::All(parts) => all(parts.iter().map(|part| truth(part, row))),
        Condition::Any(parts) => any(parts.iter().map(|part| truth(part, row))),
        Condition::Not(part) => truth(part, row).map(|truth| !truth),
        Condition::Embedded(_) => unimplemented!(),
        Condition::Test(test) => satisfies(operand(&test.operand, row), &test.predicate),
    }
}

/// The value that an operand has in a row.
pub(crate) fn operand<'a>(operand: &Operand, row: &'a [Value]) -> &'a Value {
    match operand {
        Operand::Field(id) => &row[id.index()],
        Operand::Json { .. } => unimplemented!(),
    }
}

/// False if any part is false, else unknown if any is unknown, else true.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    any(parts.map(|part| part.map(|truth| !truth))).map(|truth| !truth)
}

/// True if any part is true, else unknown if any is unknown, else false.
fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for part in parts {
        match part {
            Some(true) => return Some(true),
            Some(false) => {}
            None => result = None,
        }
    }
    result
}

fn satisfies(value: &Value, predicate: &Predicate) -> Option<bool> {
    match predicate {
        Predicate::Compare(comparison, other) => order(value, other).map(|order| agrees(*comparison, order)),
        Predicate::In(others) => any(others
            .iter()
            .map(|other| order(value, other).map(Ordering::is_eq))),
        Predicate::Is(test) => Some(is(value, *test)),
        Predicate::IsDistinct(other) => Some(match (value.is_null(), other.is_null()) {
            (true, true) => false,
            (false, false) => order(value, other) != Some(Ordering::Equal),
            _ => true,
        }),
        Predicate::CompareEach(..)
        | Predicate::MatchesEach(..)
        | Predicate::Search { .. }
        | Predicate::Contains(_)
        | Predicate::ContainedIn(_)
        | Predicate::Overlaps(_) => unimplemented!(),
        Predicate::Matches(case, pattern) => match (value, pattern) {
            (Value::Text(text), Value::Text(pattern)) => Some(match case {
                PatternKind::Like => is_like(text, pattern),
                PatternKind::ILike => is_like(&text.to_ascii_lowercase(), &pattern.to_ascii_lowercase()),
                PatternKind::Regex | PatternKind::IRegex => unimplemented!(),
            }),
            _ => None,
        },
    }
}

/// How two values compare; unknown when either is NULL.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if left.is_null() || right.is_null() {
        return None;
    }
    left.compare(right)
}

const fn agrees(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Neq => order.is_ne(),
        Comparison::Gt => order.is_gt(),
        Comparison::Gte => order.is_ge(),
        Comparison::Lt => order.is_lt(),
        Comparison::Lte => order.is_le(),
    }
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
