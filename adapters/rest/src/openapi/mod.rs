//! The contract as an OpenAPI 3.1 document, generated from the definitions and complete for what is served.
//!
//! Nothing about a caller stands in it: it is the same for everyone, and made once for each base path.

mod node;
mod operations;
mod schema;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rowstamp_domain::definition::ApiDefinition;

use crate::served::encoded_path;
use node::{Node, Object, list};
use schema::Use;

/// More base paths than stages of a gateway; beyond it documents are made anew each time.
const KEPT: usize = 16;

/// The document, once for each base path it is asked under.
pub(crate) struct Documents {
    api: Arc<ApiDefinition>,
    made: Mutex<Vec<(String, Bytes)>>,
}

impl Documents {
    pub(crate) const fn new(api: Arc<ApiDefinition>) -> Self {
        Self {
            api,
            made: Mutex::new(Vec::new()),
        }
    }

    /// The document as it is served under this base path.
    pub(crate) fn under(&self, base_path: &str) -> Bytes {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, document)) = made.iter().find(|(known, _)| known == base_path) {
            return document.clone();
        }
        let document = Bytes::from(document(&self.api, base_path));
        if made.len() < KEPT {
            made.push((base_path.to_owned(), document.clone()));
        }
        document
    }
}

/// The OpenAPI document of an API served under this base path (empty, or `/prod`).
pub(crate) fn document(api: &ApiDefinition, base_path: &str) -> String {
    // Writing text and numbers into memory cannot fail.
    serde_json::to_string(&describe(api, base_path)).unwrap_or_default()
}

fn describe(api: &ApiDefinition, base_path: &str) -> Node {
    let info = Object::new()
        .with("title", api.title.clone())
        .maybe("description", api.description.clone())
        .with("version", api.version.clone());
    let server = if base_path.is_empty() {
        "/".to_owned()
    } else {
        base_path.to_owned()
    };
    let tags = api.resources.iter().map(|definition| {
        Object::new()
            .with("name", definition.name.clone())
            .maybe("description", definition.description.clone())
    });
    let mut paths = Object::new();
    for definition in &api.resources {
        let path = encoded_path(&definition.path);
        paths.put(path.clone(), operations::collection(definition));
        paths.put(format!("{path}/query"), operations::query(definition));
        paths.put(format!("{path}/{{uid}}"), operations::item(definition));
    }
    paths.put("/health", operations::health());
    paths.put("/openapi.json", operations::document());
    Object::new()
        .with("openapi", "3.1.0")
        .with("info", info)
        .with("servers", list([Object::new().with("url", server)]))
        .with("tags", list(tags))
        .with("paths", paths)
        .with("components", components(api))
        .into()
}

fn components(api: &ApiDefinition) -> Object {
    let mut schemas = Object::new();
    for definition in &api.resources {
        for purpose in Use::ALL {
            schemas.put(purpose.name(definition), schema::row(definition, purpose));
        }
    }
    schemas.put("problem.body", problem_schema());
    Object::new()
        .with("schemas", schemas)
        .with("parameters", parameters())
        .with("headers", headers())
        .with("responses", operations::refusal_components())
        .with(
            "securitySchemes",
            Object::new().with(
                "bearer",
                Object::new()
                    .with("type", "http")
                    .with("scheme", "bearer")
                    .with("bearerFormat", "JWT"),
            ),
        )
}

fn problem_schema() -> Object {
    let text = || Object::new().with("type", "string");
    let text_or_null = || Object::new().with("type", list(["string", "null"]));
    let error = Object::new()
        .with("type", "object")
        .with(
            "properties",
            Object::new()
                .with(
                    "pointer",
                    text().with("description", "A JSON pointer into the body that was sent"),
                )
                .with("code", text())
                .with("message", text()),
        )
        .with("required", list(["pointer", "code", "message"]));
    let members = [
        "type", "title", "status", "detail", "instance", "code", "message", "details", "hint", "errors",
    ];
    Object::new()
        .with("type", "object")
        .with(
            "description",
            "RFC 9457, with the members that PostgREST's clients read",
        )
        .with(
            "properties",
            Object::new()
                .with("type", text().with("format", "uri"))
                .with("title", text())
                .with("status", Object::new().with("type", "integer"))
                .with("detail", text())
                .with("instance", text_or_null())
                .with("code", text())
                .with("message", text())
                .with("details", text_or_null())
                .with("hint", text_or_null())
                .with("errors", Object::new().with("type", "array").with("items", error)),
        )
        .with("required", list(members))
}

fn parameters() -> Object {
    let parameter = |name: &'static str, place: &'static str, words: &'static str, schema: Object| {
        Object::new()
            .with("name", name)
            .with("in", place)
            .with("description", words)
            .with("required", place == "path")
            .with("schema", schema)
    };
    let text = || Object::new().with("type", "string");
    let if_match = "The entity tags of which the row must have one, or `*`";
    Object::new()
        .with(
            "uid",
            parameter("uid", "path", "Which row", text().with("format", "uuid")),
        )
        .with(
            "select",
            parameter(
                "select",
                "query",
                "The columns of the answer, separated by commas; all fields without it. `alias:field`, `field::type`, `json->path`, and `author:authors(name)` for rows of other resources",
                text(),
            ),
        )
        .with(
            "order",
            parameter(
                "order",
                "query",
                "Fields to order by, such as `title.desc.nullslast,uid`",
                text(),
            ),
        )
        .with(
            "cursor",
            parameter(
                "cursor",
                "query",
                "Where the page begins, as the `Link` of the page before tells",
                text(),
            ),
        )
        .with(
            "range",
            parameter(
                "Range",
                "header",
                "Which rows, counted from 0, such as `0-24`",
                text(),
            ),
        )
        .with(
            "and",
            parameter(
                "and",
                "query",
                "Conditions that must all hold, such as `(pages.gt.5,status.eq.draft)`",
                text(),
            ),
        )
        .with(
            "or",
            parameter("or", "query", "Conditions of which one must hold", text()),
        )
        .with("if_match", parameter("If-Match", "header", if_match, text()))
        .with(
            "if_match_required",
            Object::new()
                .with("name", "If-Match")
                .with("in", "header")
                .with(
                    "description",
                    format!("{if_match}; a PUT that creates sends `If-None-Match: *` instead"),
                )
                .with("schema", text()),
        )
        .with(
            "if_none_match",
            parameter(
                "If-None-Match",
                "header",
                "Of a read, the entity tags that are known; of a write, `*`",
                text(),
            ),
        )
        .with(
            "prefer_read",
            parameter(
                "Prefer",
                "header",
                "`count=exact`, `count=planned` or `count=estimated`, `handling=strict` or `handling=lenient`",
                text(),
            ),
        )
        .with(
            "prefer_write",
            parameter(
                "Prefer",
                "header",
                "`return=representation`, `return=minimal` or `return=headers-only`, `resolution=`, `missing=default`, `max-affected=`, `tx=`, and those of a read",
                text(),
            ),
        )
}

fn headers() -> Object {
    let header = |words: &'static str| {
        Object::new()
            .with("description", words)
            .with("schema", Object::new().with("type", "string"))
    };
    Object::new()
        .with(
            "X-Request-Id",
            header("The name of the request in the service's log"),
        )
        .with(
            "ETag",
            header("Stands for the row's version; send it back in `If-Match` or `If-None-Match`"),
        )
        .with("Location", header("Where the row is"))
        .with(
            "Content-Range",
            header("First and last row of the page, and how many there are: `0-24/573`, `0-24/*`"),
        )
        .with(
            "Link",
            header("Where there are more rows, the query of the next page: `<?…&cursor=…>; rel=\"next\"`"),
        )
        .with("Preference-Applied", header("The preferences that were honoured"))
        .with("WWW-Authenticate", header("`Bearer`"))
        .with("Retry-After", header("Seconds to wait before the next try"))
}

#[cfg(test)]
mod tests;
