//! Who may do what with which rows: access rules, and what they mean for one caller.
//!
//! Rules are compiled into row conditions here; only a store evaluates conditions.

use std::borrow::Cow;

use crate::caller::Caller;
use crate::definition::{FieldId, ResourceDefinition};
use crate::field_type::FieldType;
use crate::query::{Comparison, Condition, Operand, Predicate, RuleValue, Test};
use crate::value::Value;

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

/// What a rule means for one caller.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The operation may touch the rows that satisfy this; never [`Condition::Never`].
    Allowed(Condition),
    /// Nothing, but an identity might change that.
    Unauthenticated,
    /// Nothing.
    Forbidden,
}

impl AccessRule {
    /// What the rule lets `caller` do with rows that exist.
    ///
    /// A row filter that asks for something the caller does not have, such as a missing claim or a subject that
    /// is no UUID where one is compared, matches no row, however it is negated.
    pub fn decide(&self, caller: &Caller, definition: &ResourceDefinition) -> Decision {
        self.judge(caller, definition, Rows::Existing)
    }

    /// What the rule lets `caller` create: as [`decide`](Self::decide), but whoever creates a row owns it.
    pub fn decide_create(&self, caller: &Caller, definition: &ResourceDefinition) -> Decision {
        self.judge(caller, definition, Rows::New)
    }

    /// Whether the rule allows `caller` whatever the row is; enough for the rules of fields, which look at no rows.
    pub fn permits(&self, caller: &Caller) -> bool {
        match self {
            Self::Anyone => true,
            Self::Authenticated => !caller.is_anonymous(),
            Self::Group(name) => caller.in_group(name),
            Self::Scope(name) => caller.has_scope(name),
            Self::Owner(_) | Self::Rows(_) | Self::Nobody => false,
            Self::Any(rules) => rules.iter().any(|rule| rule.permits(caller)),
            Self::All(rules) => rules.iter().all(|rule| rule.permits(caller)),
        }
    }

    fn judge(&self, caller: &Caller, definition: &ResourceDefinition, rows: Rows) -> Decision {
        // Most rules are about the caller alone, and need no condition built.
        if self.permits(caller) {
            return Decision::Allowed(Condition::Always);
        }
        match self.reach(caller, definition, rows) {
            Reach::Rows(condition) => Decision::Allowed(condition),
            Reach::NeedsIdentity => Decision::Unauthenticated,
            Reach::Nothing => Decision::Forbidden,
        }
    }

    fn reach(&self, caller: &Caller, definition: &ResourceDefinition, rows: Rows) -> Reach {
        match self {
            Self::Anyone => Reach::Rows(Condition::Always),
            Self::Nobody => Reach::Nothing,
            Self::Authenticated => Reach::of_identified(caller, true),
            Self::Group(name) => Reach::of_identified(caller, caller.in_group(name)),
            Self::Scope(name) => Reach::of_identified(caller, caller.has_scope(name)),
            Self::Owner(_) if matches!(rows, Rows::New) => Reach::of_identified(caller, true),
            Self::Owner(creator) => {
                let Some(subject) = caller.subject() else {
                    return Reach::NeedsIdentity;
                };
                Value::read_text(subject, definition.field(*creator).ty).map_or(Reach::Nothing, |subject| {
                    Reach::Rows(Condition::Test(Test {
                        operand: Operand::Field(*creator),
                        predicate: Predicate::Compare(Comparison::Eq, subject),
                    }))
                })
            }
            Self::Rows(condition) => match resolve(condition, caller, definition) {
                Ok(condition) => Reach::of_rows(condition),
                Err(Unresolved) if caller.is_anonymous() => Reach::NeedsIdentity,
                Err(Unresolved) => Reach::Nothing,
            },
            Self::Any(rules) => {
                let reaches = rules.iter().map(|rule| rule.reach(caller, definition, rows));
                reaches.fold(Reach::Nothing, Reach::or)
            }
            Self::All(rules) => {
                let reaches = rules.iter().map(|rule| rule.reach(caller, definition, rows));
                reaches.fold(Reach::Rows(Condition::Always), Reach::and)
            }
        }
    }
}

/// Which rows a rule is asked about.
#[derive(Clone, Copy)]
enum Rows {
    Existing,
    New,
}

/// How far a rule lets a caller reach.
enum Reach {
    Rows(Condition),
    /// Nowhere, for want of an identity.
    NeedsIdentity,
    Nothing,
}

impl Reach {
    fn of_identified(caller: &Caller, allowed: bool) -> Self {
        match (caller.is_anonymous(), allowed) {
            (true, _) => Self::NeedsIdentity,
            (false, true) => Self::Rows(Condition::Always),
            (false, false) => Self::Nothing,
        }
    }

    fn of_rows(condition: Condition) -> Self {
        match condition {
            Condition::Never => Self::Nothing,
            condition => Self::Rows(condition),
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Rows(left), Self::Rows(right)) => Self::Rows(left.or(right)),
            (Self::Rows(rows), _) | (_, Self::Rows(rows)) => Self::Rows(rows),
            (Self::NeedsIdentity, _) | (_, Self::NeedsIdentity) => Self::NeedsIdentity,
            (Self::Nothing, Self::Nothing) => Self::Nothing,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            // An identity would not help against a rule that nobody satisfies.
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::NeedsIdentity, _) | (_, Self::NeedsIdentity) => Self::NeedsIdentity,
            (Self::Rows(left), Self::Rows(right)) => Self::of_rows(left.and(right)),
        }
    }
}

/// A rule asked for something that the caller does not have.
struct Unresolved;

fn resolve(
    condition: &Condition<RuleValue>,
    caller: &Caller,
    definition: &ResourceDefinition,
) -> Result<Condition, Unresolved> {
    let each = |conditions: &[Condition<RuleValue>]| -> Result<Vec<Condition>, Unresolved> {
        conditions
            .iter()
            .map(|condition| resolve(condition, caller, definition))
            .collect()
    };
    Ok(match condition {
        Condition::Always => Condition::Always,
        Condition::Never => Condition::Never,
        Condition::All(conditions) => Condition::all(each(conditions)?),
        Condition::Any(conditions) => Condition::any(each(conditions)?),
        Condition::Not(condition) => resolve(condition, caller, definition)?.negate(),
        Condition::Embedded(position) => Condition::Embedded(*position),
        Condition::Test(test) => {
            let ty = test.operand.ty(definition);
            let one = |value: &RuleValue| resolve_value(value, caller, ty);
            let many = |values: &[RuleValue]| values.iter().map(one).collect::<Result<Vec<_>, _>>();
            let predicate = match &test.predicate {
                Predicate::Compare(comparison, value) => Predicate::Compare(*comparison, one(value)?),
                Predicate::In(values) => {
                    let mut list = Vec::with_capacity(values.len());
                    for value in values {
                        resolve_list(value, caller, ty, &mut list)?;
                    }
                    if list.is_empty() {
                        return Ok(Condition::Never);
                    }
                    Predicate::In(list)
                }
                Predicate::Is(is) => Predicate::Is(*is),
                Predicate::IsDistinct(value) => Predicate::IsDistinct(one(value)?),
                Predicate::Matches(kind, pattern) => Predicate::Matches(*kind, one(pattern)?),
                Predicate::CompareEach(comparison, quantifier, values) => {
                    Predicate::CompareEach(*comparison, *quantifier, many(values)?)
                }
                Predicate::MatchesEach(kind, quantifier, patterns) => {
                    Predicate::MatchesEach(*kind, *quantifier, many(patterns)?)
                }
                Predicate::Search { kind, config, words } => Predicate::Search {
                    kind: *kind,
                    config: *config,
                    words: one(words)?,
                },
                Predicate::Contains(value) => Predicate::Contains(one(value)?),
                Predicate::ContainedIn(value) => Predicate::ContainedIn(one(value)?),
                Predicate::Overlaps(value) => Predicate::Overlaps(one(value)?),
            };
            Condition::Test(Test {
                operand: test.operand.clone(),
                predicate,
            })
        }
    })
}

fn resolve_value(value: &RuleValue, caller: &Caller, ty: FieldType) -> Result<Value, Unresolved> {
    match value {
        RuleValue::Literal(value) => Ok(value.clone()),
        RuleValue::Subject => {
            let subject = caller.subject().ok_or(Unresolved)?;
            Value::read_text(subject, ty).map_err(|_| Unresolved)
        }
        RuleValue::Claim(name) => claim_value(caller.claim(name).ok_or(Unresolved)?, ty),
    }
}

/// A claim that holds a list stands for each of its elements inside `in.(…)`.
fn resolve_list(
    value: &RuleValue,
    caller: &Caller,
    ty: FieldType,
    list: &mut Vec<Value>,
) -> Result<(), Unresolved> {
    if let RuleValue::Claim(name) = value
        && let Some(serde_json::Value::Array(elements)) = caller.claim(name)
        && !ty.array
    {
        for element in elements {
            list.push(claim_value(element, ty)?);
        }
        return Ok(());
    }
    list.push(resolve_value(value, caller, ty)?);
    Ok(())
}

/// A claim as a value of the field's type: authorizers hand over numbers and booleans as text, or not.
fn claim_value(claim: &serde_json::Value, ty: FieldType) -> Result<Value, Unresolved> {
    let text = match claim {
        serde_json::Value::Null => return Err(Unresolved),
        serde_json::Value::String(text) => Cow::Borrowed(text.as_str()),
        other => {
            let json = other.to_string();
            if let Ok(value) = Value::read_json(&json, ty) {
                return Ok(value);
            }
            Cow::Owned(json)
        }
    };
    Value::read_text(&text, ty).map_err(|_| Unresolved)
}

#[cfg(test)]
mod tests;
