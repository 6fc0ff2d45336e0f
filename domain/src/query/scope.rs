//! What a query may speak of: definitions, and what the caller may see of them.
//!
//! Who the caller is, is not known here.

use std::sync::Arc;

use super::Condition;
use crate::definition::{ApiDefinition, FieldId, ResourceDefinition};

/// What a query on one resource may speak of.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Everything that is served, for embeds.
    pub api: &'a ApiDefinition,
    /// The resource that is queried.
    pub resource: &'a Arc<ResourceDefinition>,
    /// What the caller may see.
    pub reach: &'a dyn Reach,
}

/// What a caller may see.
pub trait Reach {
    /// Whether it may read this field. Nobody reads `write_only` ones, whatever this says.
    fn may_read(&self, resource: &ResourceDefinition, field: FieldId) -> bool;

    /// Which rows of this resource may be embedded.
    ///
    /// # Errors
    /// Why none may.
    fn embedded(&self, resource: &ResourceDefinition) -> Result<Condition, Unreachable>;
}

/// Why no row of a resource may be embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// The caller has no identity, and rows are for those who have one.
    Unauthenticated,
    /// The caller may not read the resource.
    Forbidden,
    /// Code of its own looks at each row of the resource before it is shown, which cannot be done inside another row.
    Hooked,
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope")
            .field("resource", &self.resource.name)
            .finish_non_exhaustive()
    }
}
