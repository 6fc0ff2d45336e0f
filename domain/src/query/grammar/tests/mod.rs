#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod embeds;
mod examples;
mod names;
mod select;

use std::sync::Arc;

use super::QueryError;
use crate::definition::{ApiDefinition, FieldId, ResourceDefinition, toml};
use crate::query::{Condition, Query, Reach, Scope, Unreachable};

fn library() -> ApiDefinition {
    let text = r#"
        [resources.books]
        aggregates = true
        page = { default = 25, max = 100 }
        unique = [["title", "printed"]]
        [resources.books.fields]
        title    = { type = "text", required = true }
        pages    = { type = "integer" }
        price    = { type = "decimal" }
        in_print = { type = "boolean" }
        status   = { type = "enum", values = ["draft", "published"] }
        tags     = { type = "text[]" }
        details  = { type = "json" }
        printed  = { type = "date" }
        secret   = { type = "text", write_only = true }
        margin   = { type = "decimal", read = "group:staff" }
        isbn     = { type = "text", unique = true }
        author_uid = { type = "uuid", references = "authors" }
        editor_uid = { type = "uuid", references = "authors" }
        publisher_uid = { type = "uuid", references = "publishers" }
        hidden_uid = { type = "uuid", references = "archives", read = "group:staff" }
        sequel_of = { type = "uuid", references = "books" }

        [resources.authors]
        page = { default = 10, max = 50 }
        [resources.authors.fields]
        name = { type = "text" }
        born = { type = "timestamp" }
        diary = { type = "text", read = "group:staff" }

        [resources.publishers.fields]
        name = { type = "text" }

        [resources.archives.fields]
        name = { type = "text" }

        [resources.covers.fields]
        book_uid = { type = "uuid", references = "books", unique = true }
        artist = { type = "text" }

        [resources.translators]
        unique = [["book_uid", "author_uid"]]
        [resources.translators.fields]
        book_uid   = { type = "uuid", references = "books" }
        author_uid = { type = "uuid", references = "authors" }
        language   = { type = "text" }

        [resources.friendships]
        unique = [["from_uid", "to_uid"]]
        [resources.friendships.fields]
        from_uid = { type = "uuid", references = "authors" }
        to_uid   = { type = "uuid", references = "authors" }

        [resources.drafts]
        access = { read = "nobody" }
        [resources.drafts.fields]
        book_uid = { type = "uuid", references = "books" }

        [resources.notes.fields]
        book_uid = { type = "uuid", references = "books" }
    "#;
    toml::parse("library.toml", text).unwrap()
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
