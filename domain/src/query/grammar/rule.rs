//! Row filters in access rules: filters whose values may come from the caller.
//!
//! Who the caller is, is not known here.

use super::bind::{Binder, Values, read_pattern, read_value};
use super::error::{QueryError, QueryErrorKind, QueryErrors};
use crate::definition::{Field, ResourceDefinition};
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
        readable: |_| true,
        values: OfCaller,
        errors: Vec::new(),
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
        condition = condition.and(binder.parameter(key, value));
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

    fn value(&self, text: &str, field: &Field) -> Result<RuleValue, String> {
        match text.strip_prefix('$') {
            None => read_value(text, field).map(RuleValue::Literal),
            Some(escaped) if escaped.starts_with('$') => read_value(escaped, field).map(RuleValue::Literal),
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

    fn pattern(&self, pattern: &str) -> Result<RuleValue, String> {
        // What a caller brings along could hold wildcards.
        if pattern.starts_with("$sub") || pattern.starts_with("$claim(") {
            return Err("a pattern cannot come from the caller".to_owned());
        }
        read_pattern(pattern).map(RuleValue::Literal)
    }
}
