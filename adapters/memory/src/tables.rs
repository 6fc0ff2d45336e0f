//! What is stored: rows by uid, per resource, cheap to copy so that undoing is throwing a copy away.
//!
//! Nothing is judged here.

use std::collections::BTreeMap;
use std::sync::Arc;

use rowstamp_domain::definition::{ApiDefinition, ResourceDefinition};
use rowstamp_domain::value::Value;
use rowstamp_ports::StoreError;
use uuid::Uuid;

/// One value per field of the definition, in its order.
pub(crate) type Row = Arc<Vec<Value>>;

/// The rows of one resource; a uid's order is that of PostgreSQL's `uuid`.
pub(crate) type Table = BTreeMap<Uuid, Row>;

/// Every table of an API.
#[derive(Debug, Clone)]
pub(crate) struct Tables(Vec<Arc<Table>>);

impl Tables {
    pub(crate) fn empty(api: &ApiDefinition) -> Self {
        Self(api.resources.iter().map(|_| Arc::default()).collect())
    }

    /// The rows of a resource.
    ///
    /// # Errors
    /// `Drift` when the resource is not one of the API that the store was made for.
    pub(crate) fn of(&self, resource: &ResourceDefinition) -> Result<&Table, StoreError> {
        self.0
            .get(usize::from(resource.id))
            .map(Arc::as_ref)
            .ok_or(StoreError::Drift)
    }

    /// The rows of a resource, to change them.
    pub(crate) fn of_mut(&mut self, resource: &ResourceDefinition) -> Result<&mut Table, StoreError> {
        self.0
            .get_mut(usize::from(resource.id))
            .map(Arc::make_mut)
            .ok_or(StoreError::Drift)
    }
}
