//! The derive macros behind `rowstamp_domain::Resource`.
//!
//! They turn a struct into the same specification that a TOML definition becomes. They check what can be seen from
//! one struct; what needs the whole API is checked when it is built.
#![doc = include_str!("../README.md")]

mod crate_path;
mod docs;
mod enumeration;
mod field;
mod fit;
mod literal;
mod names;
mod options;
mod resource;
mod rule;
mod rust_type;
mod suggestion;

use proc_macro::TokenStream;

/// Declares a struct as a resource: implements `rowstamp_domain::resource::Resource` for it.
///
/// The struct has one field per declared field, in the order of JSON answers; the stamps (`uid`, `created_at` and the
/// others) are not among them. `Option<T>` is a field that may be NULL, anything else is required. Doc comments become
/// descriptions.
///
/// # `#[resource(…)]`, on the struct
///
/// | Option | Meaning |
/// |---|---|
/// | `path = "books"` | the path segment, and the resource's name unless `name` is given |
/// | `name = "books"` | the name, and the path unless `path` is given; one of the two must be there |
/// | `table = "schema.table"` | the table; the name otherwise |
/// | `description = "…"` | in place of the doc comment |
/// | `page(default = 25, max = 500)` | rows on a page |
/// | `access(read = …, create = …, update = …, delete = …)` | who may do what; see below |
/// | `aggregates`, `allow_rollback`, `require_if_match` | switched on |
/// | `unique(["a", "b"], …)` or `unique = [["a", "b"], …]` | sets of fields that are unique together |
/// | `audit(uid = "id", created_at = "created_on", creator_uid = false, actor = "uuid")` | fits the stamps to a table that exists |
/// | `crate = path` | where `rowstamp_domain` is, when it cannot be found among the dependencies |
///
/// A rule is a string (`"anyone"`, `"group:librarians"`, `"status=eq.published"`), a list of rules of which any must hold, or
/// `all(…)` (also written `{ all = […] }`) of which every one must.
///
/// # `#[field(…)]`, on a field
///
/// | Option | Meaning |
/// |---|---|
/// | `name = "type"` | the name in JSON; the Rust name otherwise |
/// | `column = "…"` | the column; the name otherwise |
/// | `default = …` | a string, number, `true`, list or `{ "key": … }`; `default(database)` leaves it to the column |
/// | `min = …`, `max = …` | bounds of numbers, and of dates and times as strings |
/// | `min_length = 1`, `max_length = 200` | characters of text, bytes, elements of a list |
/// | `pattern = "…"` | what text must match |
/// | `values = ["a", "b"]` | makes a `String` an enum |
/// | `precision = 10`, `scale = 2` | digits of a decimal |
/// | `unique`, `immutable`, `read_only`, `write_only` | switched on |
/// | `references = Author` or `"authors"`, `on_delete = "restrict"`, `"cascade"` or `"set_null"` | whose `uid` it is |
/// | `read = …`, `write = …` | rules of the field |
/// | `json = "string"` | numbers as strings in JSON |
/// | `db_type = "schema.name"` | an existing type of the database |
/// | `description = "…"`, `example = …` | for the OpenAPI document |
///
/// Everything wrong with the attributes is reported at once, each at its place.
#[proc_macro_derive(Resource, attributes(resource, field))]
pub fn derive_resource(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    resource::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes an enum without fields the type of an `enum` field: implements `rowstamp_domain::resource::ScalarValue` for it.
///
/// A variant is stored under its name in snake_case (`InPrint` is `in_print`).
/// `#[resource_enum(rename_all = "kebab-case")]` on the enum chooses another case (`snake_case`, `kebab-case`, `camelCase`,
/// `PascalCase`, `SCREAMING_SNAKE_CASE`, `lowercase`, `UPPERCASE`), `#[resource_enum(rename = "…")]` on a variant another name.
#[proc_macro_derive(ResourceEnum, attributes(resource_enum))]
pub fn derive_resource_enum(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    enumeration::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
