//! Who may do what with which rows: access rules, and what they mean for one caller.
//!
//! Rules are compiled into row conditions here; only a store evaluates conditions.

use crate::definition::FieldId;
use crate::query::{Condition, RuleValue};

/// The rules of a resource, one per operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// Which rows can be seen.
    pub read: AccessRule,
    /// Which rows can be made.
    pub create: AccessRule,
    /// Which rows can be changed, and into what.
    pub update: AccessRule,
    /// Which rows can be deleted.
    pub delete: AccessRule,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub enum AccessRule {
    /// Everyone, anonymous callers included.
    Anyone,
    /// Every caller with an identity; the default.
    Authenticated,
    /// The caller whom the given field (`creator_uid`) names.
    Owner(FieldId),
    /// Members of the group of exactly this name.
    Group(String),
    /// Callers granted the scope of exactly this name.
    Scope(String),
    /// Rows that satisfy this condition.
    Rows(Condition<RuleValue>),
    /// Nobody.
    Nobody,
    /// Whom any of these allows.
    Any(Vec<AccessRule>),
    /// Whom every one of these allows.
    All(Vec<AccessRule>),
}
