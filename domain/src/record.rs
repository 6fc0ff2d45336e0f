//! A row, or part of one, as typed values: what hooks and tests see.

use std::sync::Arc;

use crate::definition::{FieldId, ResourceDefinition};
use crate::value::Value;

/// Values of some fields of one resource.
///
/// A field can be absent, which is not the same as NULL: in a change it means "not given".
#[derive(Debug, Clone)]
pub struct Record {
    definition: Arc<ResourceDefinition>,
    values: Vec<Option<Value>>,
}

/// A field name that a resource does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("resource `{resource}` has no field `{field}`")]
pub struct NoSuchField {
    /// The resource.
    pub resource: String,
    /// The name that was asked for.
    pub field: String,
}

impl Record {
    /// A record of which nothing is given yet.
    pub fn new(definition: Arc<ResourceDefinition>) -> Self {
        let values = definition.fields.iter().map(|_| None).collect();
        Self { definition, values }
    }

    /// The resource it belongs to.
    pub const fn definition(&self) -> &Arc<ResourceDefinition> {
        &self.definition
    }

    /// The value of a field, `None` where it is absent or unknown.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.definition.field_id(name).and_then(|id| self.value(id))
    }

    /// The value of a field by id, `None` where it is absent.
    pub fn value(&self, id: FieldId) -> Option<&Value> {
        self.values.get(id.index()).and_then(Option::as_ref)
    }

    /// Gives a field a value.
    ///
    /// # Errors
    /// [`NoSuchField`] when the resource has no field of that name.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) -> Result<(), NoSuchField> {
        let id = self.definition.field_id(name).ok_or_else(|| NoSuchField {
            resource: self.definition.name.clone(),
            field: name.to_owned(),
        })?;
        self.put(id, value.into());
        Ok(())
    }

    /// Gives a field a value, by id.
    pub fn put(&mut self, id: FieldId, value: Value) {
        self.values[id.index()] = Some(value);
    }

    /// Makes a field absent and returns what it held.
    pub fn take(&mut self, id: FieldId) -> Option<Value> {
        self.values.get_mut(id.index()).and_then(Option::take)
    }

    /// The fields that are given, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FieldId, &Value)> {
        self.definition
            .field_ids()
            .zip(&self.values)
            .filter_map(|(id, value)| value.as_ref().map(|value| (id, value)))
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name && self.values == other.values
    }
}
