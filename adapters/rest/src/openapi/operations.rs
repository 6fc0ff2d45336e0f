//! What each path answers to: parameters, bodies, and every status there is.

use http::StatusCode;
use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::ResourceDefinition;

use super::node::{Node, Object, list, reference};
use super::schema::Use;

/// The operations of a collection.
pub(super) fn collection(definition: &ResourceDefinition) -> Node {
    let rows = list_of(Use::Read.reference(definition));
    let page = |description: &'static str| {
        response(description)
            .with(
                "headers",
                headers(&["Content-Range", "Link", "Preference-Applied"]),
            )
            .with("content", rows_content(definition, rows.clone()))
    };
    let get = |head: bool| {
        let answers = Object::new()
            .with(
                "200",
                if head {
                    bodiless("The page")
                } else {
                    page("The page").into()
                },
            )
            .with(
                "206",
                if head {
                    bodiless("Part of what was counted")
                } else {
                    page("Part of what was counted").into()
                },
            );
        let id = if head { "count" } else { "list" };
        operation(
            definition,
            id,
            "Read a page of rows",
            definition.access.read.permits(&Caller::anonymous()),
        )
        .with("parameters", list_parameters(definition, !head))
        .with("responses", refusals(answers, &[300, 400, 401, 403, 406, 416]))
    };
    let created = response("The row was created")
        .with(
            "headers",
            headers(&["Location", "ETag", "Content-Range", "Preference-Applied"]),
        )
        .with("content", written_content(definition, true));
    let post = operation(
        definition,
        "create",
        "Create a row",
        definition.access.create.permits(&Caller::anonymous()),
    )
    .with(
        "parameters",
        list([
            component("parameters", "select"),
            component("parameters", "prefer_write"),
        ]),
    )
    .with("requestBody", rows_body(definition))
    .with(
        "responses",
        refusals(
            Object::new()
                .with(
                    "200",
                    several("Every row was there already, and was changed", definition),
                )
                .with("201", created),
            &[400, 401, 403, 406, 409, 413, 415, 422],
        ),
    );
    Object::new()
        .with("get", get(false))
        .with("head", get(true))
        .with("post", post)
        .with("patch", patch_many(definition))
        .with("delete", delete_many(definition))
        .into()
}

fn patch_many(definition: &ResourceDefinition) -> Object {
    operation(
        definition,
        "update_many",
        "Change every row that matches",
        definition.access.update.permits(&Caller::anonymous()),
    )
    .with("parameters", many_parameters(definition))
    .with("requestBody", body(&Use::Change.reference(definition)))
    .with(
        "responses",
        refusals(
            Object::new()
                .with("200", several("The rows as they are now", definition))
                .with("204", minimal()),
            &[400, 401, 403, 406, 409, 413, 415, 422],
        ),
    )
}

fn delete_many(definition: &ResourceDefinition) -> Object {
    operation(
        definition,
        "delete_many",
        "Delete every row that matches",
        definition.access.delete.permits(&Caller::anonymous()),
    )
    .with("parameters", many_parameters(definition))
    .with(
        "responses",
        refusals(
            Object::new()
                .with("200", several("The rows as they were", definition))
                .with("204", minimal()),
            &[400, 401, 403, 406, 409],
        ),
    )
}

/// Rows that were written by way of their collection.
fn several(description: &'static str, definition: &ResourceDefinition) -> Object {
    response(description)
        .with("headers", headers(&["Content-Range", "Preference-Applied"]))
        .with(
            "content",
            rows_content(definition, list_of(Use::Read.reference(definition))),
        )
}

/// One row, several, or a table of them.
fn rows_body(definition: &ResourceDefinition) -> Node {
    let row = Use::Create.reference(definition);
    let either = Object::new().with("oneOf", list([row.clone(), list_of(row)]));
    let table = Object::new().with("schema", Object::new().with("type", "string"));
    Object::new()
        .with("required", true)
        .with("content", json_content(either.into()).with("text/csv", table))
        .into()
}

/// A query that travels in a body.
pub(super) fn query(definition: &ResourceDefinition) -> Node {
    let rows = list_of(Use::Read.reference(definition));
    let page = |description: &'static str| {
        response(description)
            .with(
                "headers",
                headers(&["Content-Range", "Link", "Preference-Applied"]),
            )
            .with("content", rows_content(definition, rows.clone()))
    };
    let form = Object::new().with(
        "application/x-www-form-urlencoded",
        Object::new().with(
            "schema",
            Object::new()
                .with("type", "object")
                .with("description", "What a GET has as its query string")
                .with("additionalProperties", Object::new().with("type", "string")),
        ),
    );
    let post = operation(
        definition,
        "query",
        "Read a page of rows by a query that no URL holds",
        definition.access.read.permits(&Caller::anonymous()),
    )
    .with("parameters", list([component("parameters", "prefer_read")]))
    .with(
        "requestBody",
        Object::new().with("required", true).with("content", form),
    )
    .with(
        "responses",
        refusals(
            Object::new()
                .with("200", page("The page"))
                .with("206", page("Part of what was counted")),
            &[300, 400, 401, 403, 406, 413, 415, 416],
        ),
    );
    Object::new().with("post", post).into()
}

/// The operations of one row.
pub(super) fn item(definition: &ResourceDefinition) -> Node {
    let anonymous = Caller::anonymous();
    let access = &definition.access;
    let found = || {
        response("The row").with("headers", headers(&["ETag"])).with(
            "content",
            row_content(definition).with(
                "application/vnd.pgrst.object+json;nulls=stripped",
                Object::new().with("schema", Use::Read.reference(definition)),
            ),
        )
    };
    let read = |head: bool| {
        let answers = Object::new()
            .with(
                "200",
                if head {
                    bodiless("The row is there")
                } else {
                    found().into()
                },
            )
            .with(
                "304",
                response("The row is as the client knows it").with("headers", headers(&["ETag"])),
            );
        operation(
            definition,
            if head { "check" } else { "read" },
            "Read a row",
            access.read.permits(&anonymous),
        )
        .with(
            "parameters",
            list([
                component("parameters", "select"),
                component("parameters", "if_match"),
                component("parameters", "if_none_match"),
            ]),
        )
        .with(
            "responses",
            refusals(answers, &[300, 400, 401, 403, 404, 406, 412]),
        )
    };
    let written = |description: &'static str, names: &[&'static str]| {
        response(description)
            .with("headers", headers(names))
            .with("content", written_content(definition, false))
    };
    let conditions = || {
        let if_match = if definition.require_if_match {
            "if_match_required"
        } else {
            "if_match"
        };
        list([
            component("parameters", "select"),
            component("parameters", "prefer_write"),
            component("parameters", if_match),
            component("parameters", "if_none_match"),
        ])
    };
    let precondition = |statuses: &[u16]| {
        let mut statuses = statuses.to_vec();
        if definition.require_if_match {
            statuses.push(428);
        }
        statuses
    };
    let put = operation(
        definition,
        "replace",
        "Create or replace a row",
        access.create.permits(&anonymous) && access.update.permits(&anonymous),
    )
    .with("parameters", conditions())
    .with("requestBody", body(&Use::Replace.reference(definition)))
    .with(
        "responses",
        refusals(
            Object::new()
                .with("200", written("The row was replaced", &["Preference-Applied"]))
                .with(
                    "201",
                    written("The row was created", &["Location", "Preference-Applied"]),
                )
                .with("204", minimal()),
            &precondition(&[400, 401, 403, 404, 406, 409, 412, 413, 415, 422]),
        ),
    );
    let patch = operation(
        definition,
        "change",
        "Change fields of a row",
        access.update.permits(&anonymous),
    )
    .with("parameters", conditions())
    .with("requestBody", body(&Use::Change.reference(definition)))
    .with(
        "responses",
        refusals(
            Object::new()
                .with(
                    "200",
                    written(
                        "The row was changed",
                        &["ETag", "Content-Range", "Preference-Applied"],
                    ),
                )
                .with("204", minimal()),
            &precondition(&[400, 401, 403, 404, 406, 409, 412, 413, 415, 422]),
        ),
    );
    let delete = operation(
        definition,
        "delete",
        "Delete a row",
        access.delete.permits(&anonymous),
    )
    .with("parameters", conditions())
    .with(
        "responses",
        refusals(
            Object::new()
                .with(
                    "200",
                    written("The row as it was", &["Content-Range", "Preference-Applied"]),
                )
                .with("204", minimal()),
            &precondition(&[400, 401, 403, 404, 406, 409, 412]),
        ),
    );
    Object::new()
        .with("parameters", list([component("parameters", "uid")]))
        .with("get", read(false))
        .with("head", read(true))
        .with("put", put)
        .with("patch", patch)
        .with("delete", delete)
        .into()
}

/// The health check.
pub(super) fn health() -> Node {
    let ready = Object::new()
        .with("name", "ready")
        .with("in", "query")
        .with("description", "Ask the database too")
        .with("allowEmptyValue", true)
        .with("schema", Object::new().with("type", "string"));
    let status = Object::new()
        .with("type", "object")
        .with(
            "properties",
            Object::new().with("status", Object::new().with("const", "ok")),
        )
        .with("required", list(["status"]));
    let well = response("Everything asked for works").with("content", json_content(status.into()));
    open_get("health", "Is the service alive?", list([ready]), well)
}

/// The document itself.
pub(super) fn document() -> Node {
    let content = json_content(Object::new().with("type", "object").into());
    open_get(
        "openapi",
        "This document",
        Node::List(Vec::new()),
        response("This document").with("content", content),
    )
}

fn open_get(id: &'static str, summary: &'static str, parameters: Node, answer: Object) -> Node {
    let responses = refusals(Object::new().with("200", answer), &[]);
    Object::new()
        .with(
            "get",
            Object::new()
                .with("operationId", id)
                .with("summary", summary)
                .with("security", Node::List(Vec::new()))
                .with("parameters", parameters)
                .with("responses", responses),
        )
        .into()
}

fn operation(definition: &ResourceDefinition, verb: &str, summary: &'static str, anyone: bool) -> Object {
    let bearer = Object::new().with("bearer", Node::List(Vec::new()));
    // Whom a rule allows without an identity may still send one; rules about rows are judged row by row.
    let security = if anyone {
        list([Object::new(), bearer])
    } else {
        list([bearer])
    };
    Object::new()
        .with("operationId", format!("{verb}_{}", definition.name))
        .with("summary", summary)
        .with("tags", list([definition.name.clone()]))
        .with("security", security)
}

fn list_parameters(definition: &ResourceDefinition, takes_range: bool) -> Node {
    let whole = |max: Option<u32>, default: Option<u32>| {
        Object::new()
            .with("type", "integer")
            .with("minimum", 0)
            .maybe("maximum", max)
            .maybe("default", default)
    };
    let limit = Object::new()
        .with("name", "limit")
        .with("in", "query")
        .with(
            "description",
            format!("How many rows at most; lowered to {}", definition.page.max),
        )
        .with("schema", whole(None, Some(definition.page.default)));
    let offset = Object::new()
        .with("name", "offset")
        .with("in", "query")
        .with("description", "How many rows to skip")
        .with("schema", whole(None, None));
    let mut parameters = vec![
        component("parameters", "select"),
        component("parameters", "order"),
        limit.into(),
        offset.into(),
        component("parameters", "cursor"),
        component("parameters", "and"),
        component("parameters", "or"),
        component("parameters", "prefer_read"),
    ];
    if takes_range {
        parameters.push(component("parameters", "range"));
    }
    parameters.extend(filters(definition));
    Node::List(parameters)
}

/// The parameters of a PATCH or DELETE on a collection.
fn many_parameters(definition: &ResourceDefinition) -> Node {
    let mut parameters = vec![
        component("parameters", "select"),
        component("parameters", "and"),
        component("parameters", "or"),
        component("parameters", "prefer_write"),
    ];
    parameters.extend(filters(definition));
    Node::List(parameters)
}

fn filters(definition: &ResourceDefinition) -> Vec<Node> {
    let mut parameters = Vec::new();
    for field in definition.fields.iter().filter(|field| !field.write_only) {
        let filter = Object::new()
            .with("name", field.name.clone())
            .with("in", "query")
            .with(
                "description",
                format!(
                    "A filter on `{}`: an operator, a dot and a value, such as `eq.…`",
                    field.name
                ),
            )
            .with("schema", Object::new().with("type", "string"));
        parameters.push(filter.into());
    }
    parameters
}

fn body(schema: &Node) -> Node {
    Object::new()
        .with("required", true)
        .with("content", json_content(schema.clone()))
        .into()
}

fn json_content(schema: Node) -> Object {
    Object::new().with("application/json", Object::new().with("schema", schema))
}

fn row_content(definition: &ResourceDefinition) -> Object {
    json_content(Use::Read.reference(definition)).with(
        "application/vnd.pgrst.object+json",
        Object::new().with("schema", Use::Read.reference(definition)),
    )
}

fn rows_content(definition: &ResourceDefinition, rows: Node) -> Object {
    let row = || Object::new().with("schema", Use::Read.reference(definition));
    row_content_of(rows.clone(), definition)
        .with(
            "application/vnd.pgrst.array+json",
            Object::new().with("schema", rows.clone()),
        )
        .with(
            "application/vnd.pgrst.array+json;nulls=stripped",
            Object::new().with("schema", rows),
        )
        .with("application/vnd.pgrst.object+json;nulls=stripped", row())
        .with(
            "text/csv",
            Object::new().with("schema", Object::new().with("type", "string")),
        )
}

fn row_content_of(json: Node, definition: &ResourceDefinition) -> Object {
    json_content(json).with(
        "application/vnd.pgrst.object+json",
        Object::new().with("schema", Use::Read.reference(definition)),
    )
}

/// What a write answers with: the row, or a list of it where a collection was asked for a representation.
fn written_content(definition: &ResourceDefinition, of_collection: bool) -> Object {
    let row = Use::Read.reference(definition);
    if of_collection {
        let either = Object::new().with("oneOf", list([row.clone(), list_of(row)]));
        row_content_of(either.into(), definition)
    } else {
        row_content(definition)
    }
}

fn list_of(schema: Node) -> Node {
    Object::new().with("type", "array").with("items", schema).into()
}

fn minimal() -> Node {
    response("Done, without a body")
        .with("headers", headers(&["Preference-Applied"]))
        .into()
}

fn bodiless(description: &'static str) -> Node {
    response(description).into()
}

fn response(description: &'static str) -> Object {
    Object::new().with("description", description)
}

fn headers(names: &[&'static str]) -> Object {
    let all = names.iter().chain(&["X-Request-Id"]);
    all.fold(Object::new(), |headers, name| {
        headers.with(*name, component("headers", name))
    })
}

/// The answers and every refusal with its status; those that any request can meet come last.
fn refusals(answers: Object, statuses: &[u16]) -> Node {
    let any: &[u16] = &[500, 503, 504];
    let all = statuses.iter().chain(any);
    all.fold(answers, |answers, status| {
        answers.with(
            status.to_string(),
            component("responses", &format!("status_{status}")),
        )
    })
    .into()
}

/// Every refusal as a component.
pub(super) fn refusal_components() -> Object {
    let statuses = [
        300, 400, 401, 403, 404, 406, 409, 412, 413, 415, 416, 422, 428, 500, 503, 504,
    ];
    statuses
        .into_iter()
        .fold(Object::new(), |responses, status: u16| {
            let reason = StatusCode::from_u16(status)
                .ok()
                .and_then(|status| status.canonical_reason());
            let codes: Vec<&str> = crate::problem::codes::ALL
                .iter()
                .filter(|code| code.status.as_u16() == status)
                .map(|code| code.code)
                .collect();
            let mut names = vec!["X-Request-Id"];
            if status == 401 {
                names.push("WWW-Authenticate");
            }
            if status == 503 {
                names.push("Retry-After");
            }
            let headers = names.iter().fold(Object::new(), |headers, name| {
                headers.with(*name, component("headers", name))
            });
            let description = format!(
                "{}: `code` is one of {}",
                reason.unwrap_or("Refused"),
                codes.join(", ")
            );
            let problem = Object::new()
                .with("description", description)
                .with("headers", headers)
                .with(
                    "content",
                    Object::new().with(
                        "application/problem+json",
                        Object::new().with("schema", component("schemas", "problem.body")),
                    ),
                );
            responses.with(format!("status_{status}"), problem)
        })
}

fn component(kind: &str, name: &str) -> Node {
    reference(format!("#/components/{kind}/{name}"))
}
