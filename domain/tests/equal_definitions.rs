//! A definition in TOML and the same in Rust are the same value.
#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rowstamp_domain::definition::spec::ApiSpec;
use rowstamp_domain::definition::{ApiDefinition, toml};
use rowstamp_domain::field_type::{FieldType, ScalarType};
use rowstamp_domain::resource::{Resource, ResourceEnum};
use rowstamp_domain::value::{Date, Decimal, Json, Time, Timestamp};
use uuid::Uuid;

fn derived(specs: Vec<rowstamp_domain::definition::spec::ResourceSpec>) -> ApiDefinition {
    ApiDefinition::build(ApiSpec {
        title: "Library".to_owned(),
        version: "1.0.0".to_owned(),
        resources: specs,
        ..ApiSpec::default()
    })
    .unwrap()
}

/// Compares resource by resource and field by field, so that a difference is told where it is.
fn assert_equal(derived: &ApiDefinition, written: &ApiDefinition) {
    for (derived, written) in derived.resources.iter().zip(&written.resources) {
        for (derived, written) in derived.fields.iter().zip(&written.fields) {
            assert_eq!(derived, written);
        }
        assert_eq!(derived, written);
    }
    assert_eq!(derived, written);
}

mod library {
    use super::*;

    const TOML: &str = r#"
[api]
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

[resources.loans.fields]
book_uid    = { type = "uuid", required = true, references = "books", on_delete = "cascade" }
borrowed_at = { type = "timestamp", required = true }
returned_at = { type = "timestamp" }
[resources.loans.access]
read   = { all = ["owner", "scope:loans"] }
"#;

    #[derive(Resource)]
    #[resource(path = "authors")]
    struct Author {
        #[field(min_length = 1, max_length = 200)]
        name: String,
        born_on: Option<NaiveDate>,
    }

    #[derive(ResourceEnum)]
    enum Status {
        Draft,
        Published,
    }

    #[derive(Resource)]
    #[resource(path = "books", description = "A book on the shelves", page(max = 500),
               access(read = "anyone", update = ["owner", "group:librarians"], delete = "group:librarians"))]
    struct Book {
        #[field(min_length = 1, max_length = 200)]
        title: String,
        #[field(unique, pattern = "^[0-9]{13}$")]
        isbn: Option<String>,
        #[field(min = 1)]
        pages: Option<i32>,
        #[field(precision = 10, scale = 2, min = 0, default = 0)]
        price: Decimal,
        published_on: Option<NaiveDate>,
        #[field(default = "draft")]
        status: Status,
        tags: Option<Vec<String>>,
        details: Option<serde_json::Value>,
        #[field(references = Author)]
        author_uid: Option<Uuid>,
    }

    #[derive(Resource)]
    #[resource(path = "loans", access(read = { all = ["owner", "scope:loans"] }))]
    struct Loan {
        #[field(references = Book, on_delete = "cascade")]
        book_uid: Uuid,
        borrowed_at: DateTime<Utc>,
        returned_at: Option<DateTime<Utc>>,
    }

    #[test]
    fn the_example_library_is_the_same_both_ways() {
        let written = toml::parse("resources.toml", TOML).unwrap();
        assert_equal(
            &derived(vec![Author::spec(), Book::spec(), Loan::spec()]),
            &written,
        );
    }
}

/// Every type and every option, somewhere.
mod everything {
    use super::*;

    const TOML: &str = r#"
[api]
title = "Library"
version = "1.0.0"

[resources.every_type.fields]
a_text       = { type = "text", required = true }
an_integer   = { type = "integer", required = true }
a_bigint     = { type = "bigint", required = true }
a_float      = { type = "float", required = true }
a_decimal    = { type = "decimal", required = true }
a_boolean    = { type = "boolean", required = true }
a_uuid       = { type = "uuid", required = true }
a_date       = { type = "date", required = true }
a_time       = { type = "time", required = true }
a_timestamp  = { type = "timestamp", required = true }
a_json       = { type = "json", required = true }
some_bytes   = { type = "bytes", required = true }
an_enum      = { type = "enum", required = true, values = ["in_print", "out"] }
a_naive_date = { type = "date", required = true }
a_naive_time = { type = "time", required = true }
a_datetime   = { type = "timestamp", required = true }
a_serde_json = { type = "json", required = true }
texts        = { type = "text[]" }
integers     = { type = "integer[]" }
bigints      = { type = "bigint[]" }
floats       = { type = "float[]" }
decimals     = { type = "decimal[]" }
booleans     = { type = "boolean[]" }
uuids        = { type = "uuid[]" }
dates        = { type = "date[]" }
times        = { type = "time[]" }
timestamps   = { type = "timestamp[]" }
jsons        = { type = "json[]" }
byte_strings = { type = "bytes[]" }
enums        = { type = "enum[]", values = ["in_print", "out"] }

[resources.options]
path = "every-option"
table = "library.options"
description = "Everything that can be said"
page = { default = 10, max = 20 }
unique = [["renamed", "day"], ["price", "kind", "creator_uid"]]
aggregates = true
allow_rollback = true
require_if_match = true
audit = { uid = "id", created_at = "created_on", creator_uid = "made_by", last_updater_uid = false, actor = "uuid" }
[resources.options.access]
read   = ["anyone"]
create = "authenticated"
update = { all = ["owner", ["group:a", "scope:b"]] }
delete = "nobody"
[resources.options.fields]
renamed   = { type = "text", required = true, column = "type", description = "A name that Rust does not allow" }
kind      = { type = "enum", values = ["a", "b c"], db_type = "library.kind", default = "b c", required = true }
kinds     = { type = "enum[]", values = ["a", "b c"], default = ["a"] }
price     = { type = "decimal", precision = 30, scale = 4, min = -1.5, max = 99999999999999999999.0001, default = 12, json = "string", required = true }
count     = { type = "bigint", min = -9223372036854775808, json = "string", default = 0 }
ratio     = { type = "float", max = 1e3, example = 0.25 }
flag      = { type = "boolean", default = true, required = true }
day       = { type = "date", min = "2000-01-01", example = "2026-01-31" }
stamp     = { type = "timestamp", default = { database = true }, read_only = true, required = true }
secret    = { type = "text", write_only = true, write = "group:keepers", max_length = 100 }
note      = { type = "text", read = ["authenticated", "group:keepers"], write = { all = ["authenticated", "group:keepers"] }, immutable = true }
details   = { type = "json", default = { a = [1, { b = "c" }] } }
tags      = { type = "text[]", max_length = 5, pattern = "^[a-z]+$", default = ["new"] }
blob      = { type = "bytes", min_length = 1, max_length = 3 }
code      = { type = "text", unique = true, immutable = true, example = "quo\"ted" }
parent    = { type = "uuid", references = "options", on_delete = "set_null" }
sibling   = { type = "uuid", references = "every_type", on_delete = "restrict" }
"#;

    #[derive(ResourceEnum)]
    enum Printing {
        InPrint,
        #[resource_enum(rename = "out")]
        OutOfPrint,
    }

    #[derive(Resource)]
    #[resource(path = "every_type")]
    struct EveryType {
        a_text: String,
        an_integer: i32,
        a_bigint: i64,
        a_float: f64,
        a_decimal: Decimal,
        a_boolean: bool,
        a_uuid: Uuid,
        a_date: Date,
        a_time: Time,
        a_timestamp: Timestamp,
        a_json: Json,
        some_bytes: Vec<u8>,
        an_enum: Printing,
        a_naive_date: NaiveDate,
        a_naive_time: NaiveTime,
        a_datetime: DateTime<Utc>,
        a_serde_json: serde_json::Value,
        texts: Option<Vec<String>>,
        integers: Option<Vec<i32>>,
        bigints: Option<Vec<Option<i64>>>,
        floats: Option<Vec<f64>>,
        decimals: Option<Vec<Decimal>>,
        booleans: Option<Vec<bool>>,
        uuids: Option<Vec<Uuid>>,
        dates: Option<Vec<NaiveDate>>,
        times: Option<Vec<Option<Time>>>,
        timestamps: Option<Vec<DateTime<Utc>>>,
        jsons: Option<Vec<Json>>,
        byte_strings: Option<Vec<Vec<u8>>>,
        enums: Option<Vec<Printing>>,
    }

    /// Everything that can be said
    #[derive(Resource)]
    #[resource(
        name = "options",
        path = "every-option",
        table = "library.options",
        page(default = 10, max = 20)
    )]
    #[resource(unique(["renamed", "day"], ["price", "kind", "creator_uid"]))]
    #[resource(aggregates, allow_rollback = true, require_if_match)]
    #[resource(audit(
        uid = "id",
        created_at = "created_on",
        creator_uid = "made_by",
        last_updater_uid = false,
        actor = "uuid"
    ))]
    #[resource(access(
        read = ["anyone"],
        create = "authenticated",
        update = all("owner", ["group:a", "scope:b"]),
        delete = "nobody",
    ))]
    struct Options {
        #[field(
            required,
            name = "renamed",
            column = "type",
            description = "A name that Rust does not allow"
        )]
        r#type: String,
        #[field(values = ["a", "b c"], db_type = "library.kind", default = "b c")]
        kind: String,
        #[field(values = ["a", "b c"], default = ["a"])]
        kinds: Option<Vec<String>>,
        #[field(precision = 30, scale = 4, min = -1.5, max = 99999999999999999999.0001, default = 12)]
        #[field(json = "string")]
        price: Decimal,
        #[field(min = -9223372036854775808, json = "string", default = 0)]
        count: Option<i64>,
        #[field(max = 1e3, example = 0.25)]
        ratio: Option<f64>,
        #[field(default = true)]
        flag: bool,
        #[field(min = "2000-01-01", example = "2026-01-31")]
        day: Option<NaiveDate>,
        #[field(default(database), read_only)]
        stamp: DateTime<Utc>,
        #[field(write_only, write = "group:keepers", max_length = 100)]
        secret: Option<String>,
        #[field(read = ["authenticated", "group:keepers"], write = { all = ["authenticated", "group:keepers"] }, immutable)]
        note: Option<String>,
        #[field(default = { "a": [1, { "b": "c" }] })]
        details: Option<Json>,
        #[field(max_length = 5, pattern = "^[a-z]+$", default = ["new"])]
        tags: Option<Vec<String>>,
        #[field(min_length = 1, max_length = 3)]
        blob: Option<Vec<u8>>,
        #[field(unique, immutable = true, read_only = false, example = "quo\"ted")]
        code: Option<String>,
        // A reference to itself, and one by name.
        #[field(references = Options, on_delete = "set_null")]
        parent: Option<Uuid>,
        #[field(references = "every_type", on_delete = "restrict")]
        sibling: Option<Uuid>,
    }

    #[test]
    fn every_type_and_every_option_is_the_same_both_ways() {
        let written = toml::parse("resources.toml", TOML).unwrap();
        assert_equal(&derived(vec![EveryType::spec(), Options::spec()]), &written);
    }

    #[test]
    fn no_type_and_no_option_is_left_out_above() {
        let api = toml::parse("resources.toml", TOML).unwrap();
        let fields = || api.resources.iter().flat_map(|resource| &resource.fields);
        for scalar in ScalarType::ALL {
            for ty in [FieldType::scalar(scalar), FieldType::array(scalar)] {
                assert!(fields().any(|field| field.ty == ty), "{ty} is missing");
            }
        }
        let options = [
            "path",
            "table",
            "description",
            "page",
            "unique",
            "aggregates",
            "allow_rollback",
            "require_if_match",
            "audit",
            "required",
            "default",
            "min",
            "max",
            "min_length",
            "max_length",
            "pattern",
            "values",
            "precision",
            "scale",
            "references",
            "on_delete",
            "immutable",
            "read_only",
            "write_only",
            "read",
            "write",
            "column",
            "json",
            "db_type",
            "example",
        ];
        for option in options {
            assert!(TOML.contains(&format!("{option} = ")), "{option} is missing");
        }
    }
}
