//! From what was declared to a definition, or to everything that is wrong with it.
//!
//! Every check runs, whatever the ones before it found: a part that is wrong is reported and replaced by something
//! harmless, so that the rest can still be judged. Nothing is read from anywhere but the spec.

mod audit;
mod fields;
mod index;
mod literals;
mod names;
mod places;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use super::relationship::relationships;
use super::spec::{AccessSpec, ApiSpec, ResourceSpec};
use super::{ApiDefinition, Field, FieldId, PageLimits, ResourceDefinition};
use crate::access::{Access, AccessRule};
use crate::query::{Select, SelectItem};
use index::{index, unique_sets};
use places::{Places, resource_path, table_name};

/// The page size of a resource that declares none.
const PAGE_MAX: u32 = 1000;
/// PostgreSQL's tables have no more columns.
const MAX_FIELDS: usize = 1600;
/// Resources are numbered; nobody has more.
const MAX_RESOURCES: usize = 10_000;

/// One mistake in a definition: where it is and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", .path.join("."))]
pub struct DefinitionError {
    /// The keys that lead to it, as in TOML: `["resources", "books", "fields", "isbn", "pattern"]`.
    pub path: Vec<String>,
    /// What is wrong and what was expected.
    pub message: String,
}

pub(super) fn build(spec: ApiSpec) -> Result<ApiDefinition, Vec<DefinitionError>> {
    let mut mistakes = Mistakes::default();
    if spec.resources.len() > MAX_RESOURCES {
        mistakes.add(
            &["resources"],
            format!("expected at most {MAX_RESOURCES} resources"),
        );
        return Err(mistakes.found);
    }
    let outline = Outline::of(&spec.resources);
    let mut places = Places::default();
    let mut resources = Vec::with_capacity(spec.resources.len());
    for (resource, id) in spec.resources.into_iter().zip(0..) {
        let name = resource.name.clone();
        let definition = mistakes.within(&["resources", &name], |mistakes| {
            build_resource(id, resource, &outline, &mut places, mistakes)
        });
        resources.push(Arc::new(definition));
    }
    if mistakes.found.is_empty() {
        Ok(ApiDefinition {
            title: or_else(spec.title, "API"),
            version: or_else(spec.version, "1.0.0"),
            description: spec.description,
            relationships: relationships(&resources),
            resources,
        })
    } else {
        Err(mistakes.found)
    }
}

fn or_else(text: String, absent: &str) -> String {
    if text.is_empty() { absent.to_owned() } else { text }
}

/// What the resources know of each other before any of them is built.
struct Outline {
    names: Vec<String>,
    /// `(from, to)` for every reference declared.
    references: HashSet<(String, String)>,
}

impl Outline {
    fn of(resources: &[ResourceSpec]) -> Self {
        let references = resources.iter().flat_map(|resource| {
            let targets = resource
                .fields
                .iter()
                .filter_map(|field| field.references.clone());
            targets.map(|target| (resource.name.clone(), target))
        });
        Self {
            names: resources.iter().map(|resource| resource.name.clone()).collect(),
            references: references.collect(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Whether rows of the one can be embedded in rows of the other, whichever refers.
    fn are_related(&self, one: &str, other: &str) -> bool {
        let refers = |from: &str, to: &str| self.references.contains(&(from.to_owned(), to.to_owned()));
        self.has(other) && (refers(one, other) || refers(other, one))
    }
}

fn build_resource(
    id: u16,
    spec: ResourceSpec,
    outline: &Outline,
    places: &mut Places,
    mistakes: &mut Mistakes,
) -> ResourceDefinition {
    let name = spec.name;
    let is_named = match names::check_identifier(&name) {
        Ok(()) => true,
        Err(message) => {
            mistakes.add(&[], message);
            false
        }
    };
    if !places.names.insert(name.clone()) {
        mistakes.add(&[], "a resource of this name is declared already");
    }
    let path = resource_path(spec.path, &name, is_named, places, mistakes);
    let table = table_name(spec.table.as_deref(), &name, is_named, places, mistakes);
    let page = page_limits(spec.page_default, spec.page_max, mistakes);

    if spec.fields.len() > MAX_FIELDS {
        mistakes.add(
            &["fields"],
            format!(
                "expected at most {MAX_FIELDS} fields, found {}",
                spec.fields.len()
            ),
        );
    }
    let fields = spec.fields.into_iter().take(MAX_FIELDS).map(|field| {
        let key = field.name.clone();
        mistakes.within(&["fields", &key], |mistakes| {
            fields::build_field(&field, &name, outline, mistakes)
        })
    });
    let declared: Vec<Field> = fields.collect();
    let (fields, audit) = audit::surround(declared, &spec.audit, mistakes);
    let by_name = index(&fields, mistakes);
    let shown = fields.iter().zip(0..).filter(|(field, _)| !field.write_only);
    let select_all = Select(
        shown
            .map(|(_, position)| SelectItem::Field(FieldId::new(position)))
            .collect(),
    );

    let mut definition = ResourceDefinition {
        id,
        name,
        path,
        description: spec.description,
        table,
        page,
        fields,
        unique: Vec::new(),
        access: Access {
            read: AccessRule::Nobody,
            create: AccessRule::Nobody,
            update: AccessRule::Nobody,
            delete: AccessRule::Nobody,
        },
        undeclared_access: undeclared_access(&spec.access),
        aggregates: spec.aggregates,
        allow_rollback: spec.allow_rollback,
        require_if_match: spec.require_if_match,
        audit,
        by_name,
        select_all,
    };
    definition.unique = unique_sets(&spec.unique, &definition, mistakes);
    if spec.require_if_match && audit.last_updated_at.is_none() {
        mistakes.add(
            &["require_if_match"],
            "a row without `last_updated_at` has no version that If-Match could name",
        );
    }
    definition.access = rules::build_access(&spec.access, &definition, mistakes);
    definition
}

fn undeclared_access(access: &AccessSpec) -> Vec<&'static str> {
    [
        ("read", &access.read),
        ("create", &access.create),
        ("update", &access.update),
        ("delete", &access.delete),
    ]
    .into_iter()
    .filter_map(|(operation, rule)| rule.is_none().then_some(operation))
    .collect()
}

fn page_limits(default: Option<u32>, max: Option<u32>, mistakes: &mut Mistakes) -> PageLimits {
    let page_max = max.unwrap_or(PAGE_MAX);
    let page = PageLimits {
        default: default.unwrap_or(page_max),
        max: page_max,
    };
    if max == Some(0) {
        mistakes.add(&["page", "max"], "expected at least 1");
    }
    if default == Some(0) {
        mistakes.add(&["page", "default"], "expected at least 1");
    } else if max != Some(0) && page.default > page.max {
        mistakes.add(
            &["page", "default"],
            format!("expected at most `max`, which is {}", page.max),
        );
    }
    page
}

/// The mistakes found so far, and where the check is.
#[derive(Default)]
struct Mistakes {
    path: Vec<String>,
    found: Vec<DefinitionError>,
}

impl Mistakes {
    /// Does something below these keys.
    fn within<T>(&mut self, keys: &[&str], work: impl FnOnce(&mut Self) -> T) -> T {
        let above = self.path.len();
        self.path.extend(keys.iter().map(|key| (*key).to_owned()));
        let result = work(self);
        self.path.truncate(above);
        result
    }

    fn add(&mut self, keys: &[&str], message: impl Into<String>) {
        let path = self.path.iter().map(String::as_str).chain(keys.iter().copied());
        self.found.push(DefinitionError {
            path: path.map(str::to_owned).collect(),
            message: message.into(),
        });
    }
}
