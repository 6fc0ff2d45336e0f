//! The text of conditions, orders and column lists, read and printed.

use crate::definition::ResourceDefinition;
use crate::query::{Condition, RuleValue};

/// What is wrong with a query.
#[derive(Debug)]
pub struct QueryErrors(pub Vec<String>);

/// Reads a row filter.
///
/// # Errors
/// Always, for now.
pub fn parse_rule(
    _text: &str,
    _definition: &ResourceDefinition,
) -> Result<Condition<RuleValue>, QueryErrors> {
    Err(QueryErrors(vec!["row filters are not read yet".to_owned()]))
}
