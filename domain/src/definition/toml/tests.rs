#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::parse;

const LIBRARY: &str = r#"[api]
title = "Library"
version = "1.0.0"

[resources.authors.fields]
name    = { type = "text", required = true, min_length = 1, max_length = 200 }
born_on = { type = "date" }

[resources.books]
description = "A book on the shelves"
page = { max = 500 }
[resources.books.fields]
title        = { type = "text", required = true, min_length = 1, max_length = 200 }
isbn         = { type = "text", unique = true, pattern = "^[0-9]{13}$" }
pages        = { type = "integer", min = 1 }
price        = { type = "decimal", precision = 10, scale = 2, min = 0, required = true, default = 0 }
published_on = { type = "date" }
status       = { type = "enum", values = ["draft", "published"], required = true, default = "draft" }
tags         = { type = "text[]" }
details      = { type = "json" }
author_uid   = { type = "uuid", references = "authors" }
[resources.books.access]
read   = "anyone"
update = ["owner", "group:librarians"]
delete = "group:librarians"
"#;

#[test]
fn the_example_is_read_with_its_fields_in_order() {
    let api = parse("library.toml", LIBRARY).unwrap();
    let books = api.resource("books").unwrap();
    let names: Vec<&str> = books.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "uid",
            "title",
            "isbn",
            "pages",
            "price",
            "published_on",
            "status",
            "tags",
            "details",
            "author_uid",
            "created_at",
            "last_updated_at",
            "creator_uid",
            "last_updater_uid",
        ]
    );
    assert_eq!(
        (api.title.as_str(), api.resources.len(), books.page.default),
        ("Library", 2, 500)
    );
}

#[test]
fn five_mistakes_are_told_with_their_places() {
    let wrong = LIBRARY
        .replace("type = \"date\" }\n\n", "type = \"dat\" }\n\n")
        .replace("pattern = \"^[0-9]{13}$\"", "patern = \"^[0-9]{13}$\"")
        .replace("min = 1 }", "min = \"one\" }")
        .replace("references = \"authors\"", "references = \"autors\"")
        .replace("page = { max = 500 }", "page = { max = true }");
    assert_eq!(
        parse("library.toml", &wrong).unwrap_err().to_string(),
        "\
library.toml:7:13: resources.authors.fields.born_on.type: unknown type `dat`, expected one of text, integer, bigint, float, decimal, boolean, uuid, date, time, timestamp, json, bytes, enum, or one of these with `[]`; did you mean `date`?
library.toml:11:10: resources.books.page.max: expected a whole number from 0 to 4294967295, found true or false
library.toml:14:48: resources.books.fields.isbn.patern: unknown key; did you mean `pattern`?
library.toml:15:36: resources.books.fields.pages.min: expected a number without fraction or exponent, found a string
library.toml:21:33: resources.books.fields.author_uid.references: there is no resource `autors`; did you mean `authors`?"
    );
}

#[test]
fn every_way_to_write_a_table_is_the_same_definition() {
    let inline = "resources = { r = { page = { max = 7 }, fields = { a = { type = \"text\", required = true } }, access = { read = \"anyone\" } } }";
    let tables = "[resources.r]\npage.max = 7\n[resources.r.fields.a]\ntype = \"text\"\nrequired = true\n[resources.r.access]\nread = \"anyone\"";
    let dotted = "resources.r.page.max = 7\nresources.r.fields.a.type = \"text\"\nresources.r.fields.a.required = true\nresources.r.access.read = \"anyone\"";
    let expected = parse("a.toml", inline).unwrap();
    assert_eq!(parse("a.toml", tables).unwrap(), expected);
    assert_eq!(parse("a.toml", dotted).unwrap(), expected);
    for (text, line, column) in [
        (inline.replace("\"text\"", "\"txet\""), 1, 58),
        (tables.replace("\"text\"", "\"txet\""), 4, 1),
        (dotted.replace("\"text\"", "\"txet\""), 2, 22),
    ] {
        let mistakes = parse("a.toml", &text).unwrap_err().mistakes;
        assert_eq!((mistakes[0].line, mistakes[0].column), (line, column), "{text}");
    }
}

#[test]
fn values_of_the_wrong_kind_are_told_by_what_was_expected() {
    for (text, expected) in [
        (
            "resources = 1",
            "1:1: resources: expected a table with one table per resource, found 1",
        ),
        (
            "[api]\ntitle = \"x\"",
            "1:1: resources: expected at least one resource, such as [resources.books.fields]",
        ),
        ("[resources]", "1:2: resources: expected at least one resource"),
        (
            "[resource.a]",
            "1:2: resource: unknown key; did you mean `resources`?",
        ),
        (
            "[resources]\na = 1",
            "2:1: resources.a: expected a table with its `fields` and options, found 1",
        ),
        (
            "[[resources.a]]",
            "1:13: resources.a: expected a table with its `fields` and options, found a list of tables",
        ),
        (
            "[resources.a]\npath = 5",
            "2:1: resources.a.path: expected text in quotes, found 5",
        ),
        (
            "[resources.a]\nshape = 5",
            "2:1: resources.a.shape: unknown key, expected one of fields, path, table, description, page, unique, access, aggregates, allow_rollback, require_if_match, audit",
        ),
        (
            "[resources.a.fields]\nf = \"text\"",
            "2:1: resources.a.fields.f: expected a table with at least its type, such as { type = \"text\" }, found \"text\"",
        ),
        (
            "[resources.a.fields]\nf = { min = 1 }",
            "2:1: resources.a.fields.f: expected a `type`, such as type = \"text\"",
        ),
        (
            "[resources.a.fields]\nf = { type = \"text\", required = 1 }",
            "2:22: resources.a.fields.f.required: expected true or false, found 1",
        ),
        (
            "[resources.a.fields]\nf = { type = \"decimal\", scale = 70000 }",
            "2:25: resources.a.fields.f.scale: expected a whole number from 0 to 65535, found 70000",
        ),
        (
            "[resources.a.fields]\nf = { type = \"enum\", values = [1] }",
            "2:22: resources.a.fields.f.values: expected a list of texts, such as [\"draft\", \"published\"], found a list",
        ),
        (
            "[resources.a.fields]\nf = { type = \"text\", default = { database = 1 } }",
            "2:22: resources.a.fields.f.default: expected a value, or { database = true } to leave it to the column",
        ),
        (
            "[resources.a.fields]\nf = { type = \"uuid\", references = \"a\", on_delete = \"cascad\" }",
            "2:40: resources.a.fields.f.on_delete: expected \"restrict\" or \"cascade\" or \"set_null\"; did you mean `cascade`?, found \"cascad\"",
        ),
        (
            "[resources.a.access]\nread = 5",
            "2:1: resources.a.access.read: expected a rule such as \"authenticated\", a list of rules of which any is enough, or { all = [ … ] }",
        ),
        (
            "[resources.a.access]\nraed = \"anyone\"",
            "2:1: resources.a.access.raed: unknown key; did you mean `read`?",
        ),
        (
            "[resources.a]\nunique = [\"b\"]",
            "2:11: resources.a.unique.0: expected lists of field names, such as unique = [[\"shelf\", \"place\"]]",
        ),
        (
            "[resources.a]\naudit = { uid = false }",
            "2:11: resources.a.audit.uid: expected a column of type uuid; a resource without a primary key cannot be served",
        ),
        (
            "[resources.a]\naudit = { created_at = 1 }",
            "2:11: resources.a.audit.created_at: expected the column's name, or false where the table has no such column, found 1",
        ),
        (
            "\"é\" = 1\n[resources.a.fields]",
            "1:1: é: unknown key, expected one of api, resources",
        ),
    ] {
        let found = parse("t", text).unwrap_err().to_string();
        assert_eq!(found, format!("t:{expected}"), "{text}");
    }
}

#[test]
fn a_mistake_is_not_told_again_by_what_depends_on_it() {
    let text = "[resources]\na = 1\n[resources.b]\nunique = [[\"f\"]]\naccess = { read = \"f=eq.x\" }\n[resources.b.fields]\nf = { type = \"txet\", min = 1, default = 5, min_length = 9, max_length = 1 }\na_uid = { type = \"uuid\", references = \"a\" }";
    let places: Vec<usize> = parse("t", text)
        .unwrap_err()
        .mistakes
        .iter()
        .map(|mistake| mistake.line)
        .collect();
    assert_eq!(places, [2, 7]);
}

#[test]
fn text_that_is_no_toml_stops_at_its_first_mistake() {
    let mistakes = parse("a.toml", "[resources.a\nx = = 1").unwrap_err();
    assert_eq!(mistakes.mistakes.len(), 1);
    assert_eq!(
        (mistakes.mistakes[0].line, mistakes.mistakes[0].path.len()),
        (1, 0)
    );
}

#[test]
fn numbers_keep_every_digit() {
    for (written, json) in [
        ("0.10", "0.10"),
        ("+1_000.50", "1000.50"),
        ("1e2", "100"),
        ("0xff", "255"),
        (
            "\"123456789012345678901234567890.123\"",
            "123456789012345678901234567890.123",
        ),
        ("12345678901234567.123456789", "12345678901234567.123456789"),
        ("nan", "\"NaN\""),
        ("-inf", "\"-Infinity\""),
    ] {
        let text = format!("[resources.a.fields]\nf = {{ type = \"decimal\", default = {written} }}");
        let api = parse("a.toml", &text).unwrap();
        let field = &api.resources[0].fields[1];
        let crate::definition::Default::Value(value) = &field.default else {
            panic!("a default")
        };
        assert_eq!(value.to_json(), json, "{written}");
    }
}

proptest! {
    #[test]
    fn a_damaged_definition_never_panics(
        cuts in proptest::collection::vec((0..LIBRARY.len(), 0_usize..12, ".{0,6}|[\\[\\]{}=\",.0-9a-z_\n]{0,6}"), 1..5)
    ) {
        let mut text = LIBRARY.to_owned();
        for (at, length, replacement) in cuts {
            let from = text.floor_char_boundary(at.min(text.len()));
            let to = text.ceil_char_boundary((from + length).min(text.len()));
            text.replace_range(from..to, &replacement);
        }
        if let Err(mistakes) = parse("library.toml", &text) {
            prop_assert!(!mistakes.mistakes.is_empty(), "{text}");
        }
    }

    #[test]
    fn random_text_never_panics(text in ".{0,200}") {
        let _ = parse("random.toml", &text);
    }
}
