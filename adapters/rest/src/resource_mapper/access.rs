//! What the rules of a resource let a caller do, as conditions on rows or as a refusal.

use rowstamp_domain::access::{AccessRule, Decision};
use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::query::Condition;

use crate::problem::{Problem, codes};

/// Which rows a caller may read.
///
/// # Errors
/// 401 or 403 when it is none at all.
pub(crate) fn read(definition: &ResourceDefinition, caller: &Caller) -> Result<Condition, Problem> {
    permitted(
        definition.access.read.decide(caller, definition),
        "read",
        definition,
    )
}

/// Which rows may be shown after a write: none to a caller who may not read, which is no reason to refuse the write.
pub(crate) fn visible(definition: &ResourceDefinition, caller: &Caller) -> Condition {
    match definition.access.read.decide(caller, definition) {
        Decision::Allowed(condition) => condition,
        Decision::Unauthenticated | Decision::Forbidden => Condition::Never,
    }
}

/// Which rows a caller may create.
///
/// # Errors
/// 401 or 403 when it is none at all.
pub(crate) fn create(definition: &ResourceDefinition, caller: &Caller) -> Result<Condition, Problem> {
    permitted(
        definition.access.create.decide_create(caller, definition),
        "create",
        definition,
    )
}

/// Which rows a caller may change.
///
/// # Errors
/// 401 or 403 when it is none at all.
pub(crate) fn update(definition: &ResourceDefinition, caller: &Caller) -> Result<Condition, Problem> {
    existing(&definition.access.update, "update", definition, caller)
}

/// Which rows a caller may delete.
///
/// # Errors
/// 401 or 403 when it is none at all.
pub(crate) fn delete(definition: &ResourceDefinition, caller: &Caller) -> Result<Condition, Problem> {
    existing(&definition.access.delete, "delete", definition, caller)
}

fn existing(
    rule: &AccessRule,
    verb: &str,
    definition: &ResourceDefinition,
    caller: &Caller,
) -> Result<Condition, Problem> {
    permitted(rule.decide(caller, definition), verb, definition)
}

fn permitted(decision: Decision, verb: &str, definition: &ResourceDefinition) -> Result<Condition, Problem> {
    match decision {
        Decision::Allowed(condition) => Ok(condition),
        Decision::Unauthenticated => Err(Problem::anonymous()),
        Decision::Forbidden => Err(Problem::new(
            codes::FORBIDDEN,
            format!("the caller may not {verb} {}", definition.name),
        )),
    }
}
