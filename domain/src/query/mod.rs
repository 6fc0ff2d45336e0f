//! What can be asked of a collection: conditions, order, columns and pages, as typed values.
//!
//! Every name is a [`FieldId`] and every value has its field's type by the time it is here. The grammar that
//! people type is read and printed by [`grammar`]; nothing here knows SQL or HTTP.

pub mod grammar;
mod simplify;

use std::sync::Arc;

use crate::definition::FieldId;
use crate::value::Value;

/// A condition on one row, with SQL's three-valued logic: what is unknown does not match.
///
/// `V` is [`Value`] when it can be evaluated, and [`RuleValue`] in an access rule, where parts come from the caller.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition<V = Value> {
    /// True for every row.
    Always,
    /// True for no row.
    Never,
    /// True when all of these are; an empty list is true.
    All(Vec<Condition<V>>),
    /// True when any of these is; an empty list is false.
    Any(Vec<Condition<V>>),
    /// SQL's NOT: unknown stays unknown.
    Not(Box<Condition<V>>),
    /// A test of one operand.
    Test(Test<V>),
}

/// One operand and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Test<V = Value> {
    /// What is looked at.
    pub operand: Operand,
    /// What it must satisfy.
    pub predicate: Predicate<V>,
}

/// What a condition or an order looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A field of the row.
    Field(FieldId),
}

/// What is asked of an operand.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate<V = Value> {
    /// `eq neq gt gte lt lte`.
    Compare(Comparison, V),
    /// `in.(…)`.
    In(Vec<V>),
    /// `is.null` and its kin.
    Is(IsTest),
    /// `isdistinct`: like `neq`, with NULL as a value.
    IsDistinct(V),
    /// `like` and `ilike`, with `%` (typed `*`) and `_` as wildcards and `\` as escape.
    Like {
        /// The pattern as SQL has it.
        pattern: V,
        /// Whether case counts.
        case: LikeCase,
    },
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Eq,
    /// `<>`
    Neq,
    /// `>`
    Gt,
    /// `>=`
    Gte,
    /// `<`
    Lt,
    /// `<=`
    Lte,
}

/// What `is.` can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IsTest {
    /// `is.null`
    Null,
    /// `is.not_null`
    NotNull,
    /// `is.true`
    True,
    /// `is.false`
    False,
    /// `is.unknown`
    Unknown,
}

/// Whether a pattern distinguishes upper from lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LikeCase {
    /// `like`
    Sensitive,
    /// `ilike`
    Insensitive,
}

/// A value in an access rule.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleValue {
    /// Written in the definition.
    Literal(Value),
    /// `$sub`: the caller's subject.
    Subject,
    /// `$claim(name)`: a claim of the caller.
    Claim(String),
}

/// What a list asks for, checked against its definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The columns of the answer.
    pub select: Select,
    /// Which rows.
    pub condition: Condition,
    /// In which order; never empty, its last term makes it total.
    pub order: Vec<OrderTerm>,
    /// At most this many rows.
    pub limit: u32,
    /// After skipping this many.
    pub offset: u64,
}

/// One term of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderTerm {
    /// What is ordered by.
    pub operand: Operand,
    /// Which way.
    pub direction: Direction,
    /// Where NULLs go.
    pub nulls: Nulls,
}

/// Ascending or descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Greatest first.
    Descending,
}

/// Where NULLs go; PostgreSQL puts them last ascending and first descending unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nulls {
    /// Before everything else.
    First,
    /// After everything else.
    Last,
}

/// The columns of an answer, in order; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Select(pub Arc<[SelectItem]>);

/// One column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SelectItem {
    /// A field under its own name.
    Field(FieldId),
}
