//! What a resource is: its fields, its rules and its table, as data that was checked once.
//!
//! Nothing here reads a file or a database; [`toml`] and the derive macro both make a [`spec`], and
//! [`ApiDefinition::build`] turns specs into definitions or into every mistake they hold.

mod build;
mod field;
pub(crate) mod nearest;
mod relationship;
pub mod spec;
pub mod toml;

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

pub use build::DefinitionError;
pub use field::{Default, Field, FieldId, FieldRole, JsonEncoding, OnDelete, Pattern, Reference};
pub use relationship::{Relationship, RelationshipKind};

use crate::access::Access;
use crate::query::{Select, SelectItem};

/// Everything that is served: resources in the order they were declared.
///
/// A value was checked as a whole: names are unique, references lead to resources of the same API, rules
/// and defaults fit the fields' types.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ApiDefinition {
    /// Shown in the OpenAPI document.
    pub title: String,
    /// The version of the API itself, such as `1.0.0`.
    pub version: String,
    /// Longer words about the API, in Markdown.
    pub description: Option<String>,
    /// The resources; [`ResourceDefinition::id`] is the position here.
    pub resources: Vec<Arc<ResourceDefinition>>,
    /// Those of each resource, by its id.
    relationships: Vec<Vec<Relationship>>,
}

impl ApiDefinition {
    /// Checks `spec` as a whole.
    ///
    /// # Errors
    /// Every mistake in it, in the order of the declaration.
    pub fn build(spec: spec::ApiSpec) -> Result<Self, Vec<DefinitionError>> {
        build::build(spec)
    }

    /// The resource of this name.
    pub fn resource(&self, name: &str) -> Option<&Arc<ResourceDefinition>> {
        self.resources.iter().find(|resource| resource.name == name)
    }

    /// The resource served under this path segment.
    pub fn resource_at(&self, path: &str) -> Option<&Arc<ResourceDefinition>> {
        self.resources.iter().find(|resource| resource.path == path)
    }

    /// The ways from rows of this resource to rows of others; none for one that is not of this API.
    pub fn relationships(&self, resource: &ResourceDefinition) -> &[Relationship] {
        self.relationships
            .get(resource.id as usize)
            .map_or(&[], Vec::as_slice)
    }
}

/// One resource: a table whose rows are served and stamped.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ResourceDefinition {
    /// Position in [`ApiDefinition::resources`].
    pub id: u16,
    /// The name other definitions refer to, such as `books`.
    pub name: String,
    /// The path segment it is served under; the name unless declared otherwise.
    pub path: String,
    /// Words for the OpenAPI document.
    pub description: Option<String>,
    /// Where the rows are kept.
    pub table: TableName,
    /// How many rows a page has.
    pub page: PageLimits,
    /// Every field in the order of JSON answers: `uid`, the declared ones, then the other audit fields.
    pub fields: Vec<Field>,
    /// Sets of fields whose values together are unique, single fields first; the primary key is not among them.
    pub unique: Vec<Vec<FieldId>>,
    /// Who may do what.
    pub access: Access,
    /// The operations whose rule was not declared, so that it is the default.
    pub undeclared_access: Vec<&'static str>,
    /// Whether callers may aggregate.
    pub aggregates: bool,
    /// Whether callers may ask for a write to be rolled back.
    pub allow_rollback: bool,
    /// Whether item writes must carry `If-Match`.
    pub require_if_match: bool,
    /// Which fields are the stamps.
    pub audit: AuditFields,
    by_name: HashMap<String, FieldId, RandomState>,
    select_all: Select,
}

impl ResourceDefinition {
    /// The field with this id.
    ///
    /// # Panics
    /// When `id` belongs to another definition, which no code path mixes.
    pub fn field(&self, id: FieldId) -> &Field {
        &self.fields[id.index()]
    }

    /// The id of the field with this JSON name.
    pub fn field_id(&self, name: &str) -> Option<FieldId> {
        self.by_name.get(name).copied()
    }

    /// Every column that is ever shown; made once, so that taking it costs nothing.
    pub const fn select_all(&self) -> &Select {
        &self.select_all
    }

    /// The columns of `*`: those of [`select_all`](Self::select_all) that `readable` lets the caller see.
    pub fn select_readable(&self, readable: impl Fn(FieldId) -> bool) -> Select {
        let shown = |item: &SelectItem| matches!(item, SelectItem::Field(id) if readable(*id));
        if self.select_all.0.iter().all(shown) {
            return self.select_all.clone();
        }
        Select(
            self.select_all
                .0
                .iter()
                .filter(|item| shown(item))
                .cloned()
                .collect(),
        )
    }

    /// Ids of all fields, in order.
    pub fn field_ids(&self) -> impl Iterator<Item = FieldId> + use<> {
        (0..u16::try_from(self.fields.len()).unwrap_or(u16::MAX)).map(FieldId::new)
    }
}

/// A table, with the schema it is in where one was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    /// The schema; the connection's search path decides where it is `None`.
    pub schema: Option<String>,
    /// The table itself.
    pub table: String,
}

/// How many rows a list answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimits {
    /// Rows on a page when the request does not say; at most `max`.
    pub default: u32,
    /// The most rows a page can have, whatever the request says.
    pub max: u32,
}

/// Which fields are the stamps; an audit column that the table lacks is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditFields {
    /// The primary key.
    pub uid: FieldId,
    /// When the row was created.
    pub created_at: Option<FieldId>,
    /// When the row was last written; the row's version.
    pub last_updated_at: Option<FieldId>,
    /// Who created the row.
    pub creator_uid: Option<FieldId>,
    /// Who last wrote the row.
    pub last_updater_uid: Option<FieldId>,
}
