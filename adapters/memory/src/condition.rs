//! Whether a row satisfies a condition, by SQL's three-valued logic.
//!
//! It is written to be read, not to be fast, and shares nothing with the SQL that other stores send: each checks the other.

use rowstamp_domain::query::{Condition, Operand};
use rowstamp_domain::value::Value;
use rowstamp_ports::StoreError;

use crate::json::at_path;
use crate::predicate::satisfies;

/// True, false, or `None` for unknown.
pub(crate) type Truth = Option<bool>;

/// Whether a rule is true for `row`; what is unknown does not match, nor does what cannot be judged.
pub(crate) fn holds(rule: &Condition, row: &[Value]) -> bool {
    // Rules speak of no embeds.
    truth(rule, row, &|_| Ok(false)) == Ok(Some(true))
}

/// Whether `condition` is true for `row`; `has_rows` tells of the query's embeds, by their positions.
///
/// # Errors
/// `InvalidQuery` for what PostgreSQL would refuse to carry out.
pub(crate) fn truth(
    condition: &Condition,
    row: &[Value],
    has_rows: &dyn Fn(usize) -> Result<bool, StoreError>,
) -> Result<Truth, StoreError> {
    match condition {
        Condition::Always => Ok(Some(true)),
        Condition::Never => Ok(Some(false)),
        Condition::All(parts) => all(parts.iter().map(|part| truth(part, row, has_rows))),
        Condition::Any(parts) => any(parts.iter().map(|part| truth(part, row, has_rows))),
        Condition::Not(part) => Ok(truth(part, row, has_rows)?.map(|truth| !truth)),
        Condition::Embedded(position) => has_rows(*position).map(Some),
        Condition::Test(test) => satisfies(&operand(&test.operand, row), &test.predicate),
    }
}

/// The value that an operand has in a row.
pub(crate) fn operand(operand: &Operand, row: &[Value]) -> Value {
    match operand {
        Operand::Field(id) => row[id.index()].clone(),
        Operand::Json { field, path } => at_path(&row[field.index()], path),
    }
}

/// False if any part is false, else unknown if any is unknown, else true.
pub(crate) fn all(parts: impl Iterator<Item = Result<Truth, StoreError>>) -> Result<Truth, StoreError> {
    let negated = parts.map(|part| part.map(|truth| truth.map(|truth| !truth)));
    any(negated).map(|truth| truth.map(|truth| !truth))
}

/// True if any part is true, else unknown if any is unknown, else false.
pub(crate) fn any(parts: impl Iterator<Item = Result<Truth, StoreError>>) -> Result<Truth, StoreError> {
    let mut result = Some(false);
    for part in parts {
        match part? {
            Some(true) => return Ok(Some(true)),
            Some(false) => {}
            None => result = None,
        }
    }
    Ok(result)
}
