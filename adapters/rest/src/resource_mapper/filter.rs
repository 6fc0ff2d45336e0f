//! Filters of a list: `field=eq.value`.

use rowstamp_domain::definition::{FieldId, ResourceDefinition};
use rowstamp_domain::query::{Comparison, Condition, Operand, Predicate, Test};
use rowstamp_domain::value::Value;

use crate::problem::{Problem, codes};

/// Reads the value of a filter on `field`.
///
/// # Errors
/// 400.
pub(crate) fn parse(
    field: FieldId,
    text: &str,
    definition: &ResourceDefinition,
) -> Result<Condition, Problem> {
    let name = &definition.field(field).name;
    let Some(operand) = text.strip_prefix("eq.") else {
        return Err(Problem::new(
            codes::INVALID_QUERY,
            format!("`{name}` is filtered by `eq.` and a value"),
        ));
    };
    let value = Value::read_text(operand, definition.field(field).ty)
        .map_err(|error| Problem::new(codes::INVALID_QUERY, format!("`{name}`: {error}")))?;
    Ok(Condition::Test(Test {
        operand: Operand::Field(field),
        predicate: Predicate::Compare(Comparison::Eq, value),
    }))
}
