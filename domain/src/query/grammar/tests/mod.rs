#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod embeds;
mod examples;
mod names;
mod random;
mod select;

use std::sync::Arc;

use super::QueryError;
use crate::definition::{ApiDefinition, FieldId, ResourceDefinition, toml};
use crate::query::{Condition, Query, Reach, Scope, Unreachable};

fn library() -> ApiDefinition {
    toml::parse("library.toml", include_str!("library.toml")).unwrap()
}

fn books(api: &ApiDefinition) -> &Arc<ResourceDefinition> {
    api.resource("books").unwrap()
}

/// Somebody who may read what everybody may; drafts are nobody's, and a hook looks at notes.
struct Public;

impl Reach for Public {
    fn may_read(&self, resource: &ResourceDefinition, field: FieldId) -> bool {
        resource.field(field).read.is_none()
    }

    fn embedded(&self, resource: &ResourceDefinition) -> Result<Condition, Unreachable> {
        match resource.name.as_str() {
            "drafts" => Err(Unreachable::Forbidden),
            "notes" => Err(Unreachable::Hooked),
            _ => Ok(Condition::Always),
        }
    }
}

fn scope(api: &ApiDefinition) -> Scope<'_> {
    Scope {
        api,
        resource: books(api),
        reach: &Public,
    }
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn parse(query: &str) -> Result<Query, Vec<QueryError>> {
    let api = library();
    Query::parse(pairs(query), &scope(&api))
        .map(|parsed| parsed.query)
        .map_err(|errors| errors.0)
}

/// One parameter of a query that was read, as it is printed, or the first mistake.
fn printed(query: &str, parameter: &str) -> String {
    match parse(query) {
        Ok(query) => {
            let api = library();
            let parameters = query.to_parameters(books(&api)).into_iter();
            let mut found = parameters.filter(|(key, _)| key == parameter);
            found.next().map(|(_, value)| value).unwrap_or_default()
        }
        Err(errors) => format!("error: {}", errors[0]),
    }
}
