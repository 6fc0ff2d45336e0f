//! What the rules of a resource let a caller do, as conditions on rows or as a refusal.

use rowstamp_domain::access::{AccessRule, Decision};
use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::{ApiDefinition, FieldId, ResourceDefinition};
use rowstamp_domain::query::{Condition, Reach, Scope, Unreachable};
use rowstamp_domain::validation::may_read;

use crate::problem::{Problem, codes};
use crate::served::{Resources, Served};

/// What a caller may see of everything that is served.
pub(crate) struct CallerReach<'a> {
    pub(crate) api: &'a ApiDefinition,
    pub(crate) resources: &'a Resources,
    pub(crate) caller: &'a Caller,
}

impl CallerReach<'_> {
    /// What a query on this resource may speak of.
    pub(crate) fn scope<'a>(&'a self, served: &'a Served) -> Scope<'a> {
        Scope {
            api: self.api,
            resource: &served.definition,
            reach: self,
        }
    }
}

impl Reach for CallerReach<'_> {
    fn may_read(&self, resource: &ResourceDefinition, field: FieldId) -> bool {
        may_read(resource.field(field), self.caller)
    }

    fn embedded(&self, resource: &ResourceDefinition) -> Result<Condition, Unreachable> {
        match resource.access.read.decide(self.caller, resource) {
            Decision::Allowed(_) if self.resources.looks_at_rows(resource) => Err(Unreachable::Hooked),
            Decision::Allowed(condition) => Ok(condition),
            Decision::Unauthenticated => Err(Unreachable::Unauthenticated),
            Decision::Forbidden => Err(Unreachable::Forbidden),
        }
    }
}

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
