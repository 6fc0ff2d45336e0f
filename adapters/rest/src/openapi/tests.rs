#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use serde_json::Value as Json;

use crate::Api;

const LIBRARY: &str = r#"
    [api]
    title = "Library"
    version = "2.1.0"

    [resources.books]
    description = "A book on the shelves"
    page = { default = 20, max = 50 }
    require_if_match = true
    [resources.books.fields]
    title   = { type = "text", required = true, min_length = 1, max_length = 200, example = "Emma" }
    isbn    = { type = "text", unique = true, pattern = "^[0-9]{13}$" }
    pages   = { type = "integer", min = 1 }
    price   = { type = "decimal", precision = 10, scale = 2, min = 0, required = true, default = 0 }
    weight  = { type = "float" }
    big     = { type = "bigint", json = "string" }
    status  = { type = "enum", values = ["draft", "published"], required = true, default = "draft" }
    since   = { type = "enum", values = ["a", "b"] }
    tags    = { type = "text[]", max_length = 4 }
    details = { type = "json" }
    secret  = { type = "text", required = true, write_only = true }
    shelf   = { type = "text", required = true, immutable = true }
    loans   = { type = "bigint", read_only = true, default = 0 }
    [resources.books.access]
    read = "anyone"
"#;

fn document() -> Json {
    let api = Api::from_toml("library.toml", LIBRARY).unwrap().build().unwrap();
    serde_json::from_str(&api.openapi("/prod")).unwrap()
}

#[test]
fn the_document_is_as_it_was_agreed_on() {
    let api = Api::from_toml("library.toml", LIBRARY).unwrap().build().unwrap();
    let document = super::describe(api.definition(), "/prod");
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Json, found: &mut Vec<&'a str>) {
        match value {
            Json::Object(members) => {
                if let Some(Json::String(reference)) = members.get("$ref") {
                    found.push(reference);
                }
                members.values().for_each(|member| references(member, found));
            }
            Json::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn each_schema_asks_for_what_its_write_needs() {
    let document = document();
    let required = |name: &str| document["components"]["schemas"][name]["required"].clone();
    assert_eq!(
        required("books"),
        Json::Null,
        "a selection can leave out anything"
    );
    assert_eq!(
        required("books.create"),
        serde_json::json!(["title", "secret", "shelf"])
    );
    assert_eq!(
        required("books.replace"),
        serde_json::json!(["title"]),
        "what is omitted there is kept"
    );
    assert_eq!(required("books.change"), Json::Null);
    let properties = |name: &str| document["components"]["schemas"][name]["properties"].clone();
    assert!(properties("books").get("secret").is_none());
    assert!(properties("books.create").get("loans").is_none());
    assert_eq!(properties("books.replace")["loans"]["readOnly"], true);
}

#[test]
fn operation_ids_are_unique_and_every_operation_says_who_may_call() {
    let document = document();
    let mut ids = std::collections::HashSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if method == "parameters" {
                continue;
            }
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{method} {path}"
            );
            assert!(operation["security"].is_array(), "{method} {path}");
            assert!(operation["responses"]["500"].is_object(), "{method} {path}");
        }
    }
    assert_eq!(ids.len(), 5 + 1 + 5 + 2);
    assert_eq!(
        document["paths"]["/books"]["get"]["security"],
        serde_json::json!([{}, {"bearer": []}])
    );
    assert_eq!(
        document["paths"]["/books"]["post"]["security"],
        serde_json::json!([{"bearer": []}])
    );
    assert!(document["paths"]["/books/{uid}"]["patch"]["responses"]["428"].is_object());
}
