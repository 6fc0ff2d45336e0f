//! Conditions put together so that equal meanings have few shapes.
//!
//! Statements are cached by shape, so a condition that is always true must not hide in a list. Only rewrites that hold in
//! three-valued logic are made.

use super::Condition;

impl<V> Condition<V> {
    /// True when both are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Always, condition) | (condition, Self::Always) => condition,
            (Self::All(mut left), Self::All(right)) => {
                left.extend(right);
                Self::All(left)
            }
            (Self::All(mut left), right) => {
                left.push(right);
                Self::All(left)
            }
            (left, Self::All(mut right)) => {
                right.insert(0, left);
                Self::All(right)
            }
            (left, right) => Self::All(vec![left, right]),
        }
    }

    /// True when either is.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, condition) | (condition, Self::Never) => condition,
            (Self::Any(mut left), Self::Any(right)) => {
                left.extend(right);
                Self::Any(left)
            }
            (Self::Any(mut left), right) => {
                left.push(right);
                Self::Any(left)
            }
            (left, Self::Any(mut right)) => {
                right.insert(0, left);
                Self::Any(right)
            }
            (left, right) => Self::Any(vec![left, right]),
        }
    }

    /// SQL's NOT: what was unknown stays unknown.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Not(condition) => *condition,
            condition => Self::Not(Box::new(condition)),
        }
    }

    /// True when all of these are.
    #[must_use]
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        conditions.into_iter().fold(Self::Always, Self::and)
    }

    /// True when any of these is.
    #[must_use]
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        conditions.into_iter().fold(Self::Never, Self::or)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{IsTest, Operand, Predicate, Test};
    use super::*;
    use crate::definition::FieldId;

    fn test(field: u16) -> Condition {
        Condition::Test(Test {
            operand: Operand::Field(FieldId::new(field)),
            predicate: Predicate::Is(IsTest::Null),
        })
    }

    #[test]
    fn what_is_always_or_never_true_does_not_hide_in_lists() {
        use Condition::{All, Always, Any, Never};
        for (built, expected) in [
            (Always.and(test(1)), test(1)),
            (test(1).and(Always), test(1)),
            (test(1).and(Never), Never),
            (Always.or(test(1)), Always),
            (Never.or(test(1)), test(1)),
            (Condition::all([]), Always),
            (Condition::any([]), Never),
            (
                test(1).and(test(2)).and(test(3)),
                All(vec![test(1), test(2), test(3)]),
            ),
            (
                test(1).and(test(2).and(test(3))),
                All(vec![test(1), test(2), test(3)]),
            ),
            (
                test(1).or(test(2)).or(test(3).or(test(4))),
                Any(vec![test(1), test(2), test(3), test(4)]),
            ),
            (
                test(1).and(test(2).or(test(3))),
                All(vec![test(1), Any(vec![test(2), test(3)])]),
            ),
            (test(1).negate().negate(), test(1)),
            (Condition::<crate::value::Value>::Always.negate(), Never),
        ] {
            assert_eq!(built, expected);
        }
    }
}
