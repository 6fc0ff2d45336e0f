//! Row filters in access rules: filters whose values may come from the caller.
//!
//! Who the caller is, is not known here.

use super::bind::{Binder, Slot, Values, read_each, read_pattern, read_value, syntax_error};
use super::error::{QueryError, QueryErrorKind, QueryErrors};
use super::syntax::{self, Leaf, Name};
use crate::definition::ResourceDefinition;
use crate::query::{Condition, RuleValue};

/// Reads a row filter such as `status=eq.published` or `team=eq.$claim(team)&or=(open.is.true,creator_uid.eq.$sub)`.
///
/// A value that begins with `$$` begins with one dollar sign.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_rule(text: &str, definition: &ResourceDefinition) -> Result<Condition<RuleValue>, QueryErrors> {
    let mut binder = Binder {
        definition,
        reach: None,
        select: None,
        values: OfCaller,
        errors: Vec::new(),
        conditions: 0,
    };
    let mut condition = Condition::Always;
    for parameter in split(text) {
        let Some((key, value)) = parameter.split_once('=') else {
            let message = format!("expected a filter such as \"status=eq.published\", found {parameter:?}");
            binder
                .errors
                .push(QueryError::new(QueryErrorKind::Syntax, parameter, message));
            continue;
        };
        let part = match syntax::key(key) {
            Ok(key) if !key.path.is_empty() => {
                let message = format!(
                    "a rule looks at the row alone, not at `{}`",
                    key.path[0].escape_debug()
                );
                binder
                    .errors
                    .push(QueryError::new(QueryErrorKind::Syntax, &key.path[0], message));
                continue;
            }
            Ok(parsed) => match parsed.leaf {
                Leaf::Field(name) => binder.parameter(key, &name, value),
                Leaf::Branch(negated, joint) => binder.branch_parameter(key, negated, joint, value),
                // Nothing but filters stands in a rule, so these are fields.
                Leaf::Order | Leaf::Limit | Leaf::Offset => {
                    let name = Name {
                        field: key.into(),
                        path: None,
                    };
                    binder.parameter(key, &name, value)
                }
            },
            Err(misread) => {
                let error = syntax_error(key, "tree path", &misread);
                binder.errors.push(error);
                continue;
            }
        };
        condition = condition.and(part);
    }
    if binder.errors.is_empty() {
        Ok(condition)
    } else {
        Err(QueryErrors(binder.errors))
    }
}

/// Splits at `&`, but not inside quotes that stand in parentheses.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut in_quotes, mut escaped) = (0_usize, false, false);
    text.split(move |character: char| {
        if escaped {
            escaped = false;
            return false;
        }
        match character {
            '\\' if in_quotes => escaped = true,
            '"' if depth > 0 => in_quotes = !in_quotes,
            '(' if !in_quotes => depth += 1,
            ')' if !in_quotes => depth = depth.saturating_sub(1),
            '&' if !in_quotes => {
                depth = 0;
                return true;
            }
            _ => {}
        }
        false
    })
}

/// Values that may be the caller's.
struct OfCaller;

impl Values for OfCaller {
    type Value = RuleValue;

    fn value(&self, text: &str, slot: &Slot<'_>) -> Result<RuleValue, String> {
        match text.strip_prefix('$') {
            None => read_value(text, slot).map(RuleValue::Literal),
            Some(escaped) if escaped.starts_with('$') => read_value(escaped, slot).map(RuleValue::Literal),
            Some("sub") => Ok(RuleValue::Subject),
            Some(other) => match other
                .strip_prefix("claim(")
                .and_then(|name| name.strip_suffix(')'))
            {
                Some(name) if !name.is_empty() => Ok(RuleValue::Claim(name.to_owned())),
                _ => Err(format!(
                    "expected $sub or $claim(NAME), found ${other}; a dollar sign itself is written $$"
                )),
            },
        }
    }

    fn each(&self, text: &str, slot: &Slot<'_>) -> Result<Vec<RuleValue>, String> {
        if text.contains("$sub") || text.contains("$claim(") {
            return Err("the values in {…} cannot come from the caller; those of `in.(…)` can".to_owned());
        }
        Ok(read_each(text, slot)?
            .into_iter()
            .map(RuleValue::Literal)
            .collect())
    }

    fn pattern(&self, pattern: &str) -> Result<RuleValue, String> {
        // What a caller brings along could hold wildcards.
        if pattern.starts_with("$sub") || pattern.starts_with("$claim(") {
            return Err("a pattern cannot come from the caller".to_owned());
        }
        read_pattern(pattern).map(RuleValue::Literal)
    }
}
