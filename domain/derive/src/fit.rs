//! Whether a field's options belong to its type, as far as the type can be seen, and to each other.

use crate::literal::{Kind, Literal};
use crate::options::{Errors, Opt};
use crate::rust_type::{RustType, Scalar};

/// The option of this name.
pub(crate) fn find<'a>(options: &'a [Opt], name: &str) -> Option<&'a Opt> {
    options.iter().find(|option| option.name == name)
}

/// Options that belong to other types.
pub(crate) fn check_kind(option: &Opt, rust: &RustType) -> syn::Result<()> {
    let Some(scalar) = rust.scalar else { return Ok(()) };
    let measured = rust.array || matches!(scalar, Scalar::Text | Scalar::Bytes);
    let (fits, types) = match option.key().as_str() {
        "min" | "max" => (
            scalar.is_number() || scalar.is_point_in_time(),
            "numbers, dates and times",
        ),
        "min_length" | "max_length" => (measured, "text, bytes and lists"),
        "pattern" => (scalar == Scalar::Text, "text"),
        "values" => (
            scalar == Scalar::Text,
            "text (an enum of Rust names its own values)",
        ),
        "precision" | "scale" => (scalar == Scalar::Decimal, "decimal"),
        "json" => (
            matches!(scalar, Scalar::BigInt | Scalar::Decimal),
            "bigint and decimal",
        ),
        "references" => (scalar == Scalar::Uuid && !rust.array, "a single uuid"),
        "db_type" => (scalar == Scalar::Text, "enums"),
        _ => (true, ""),
    };
    if fits {
        Ok(())
    } else {
        let (name, ty) = (&option.name, rust.describe(scalar));
        Err(option.error_at_name(format!("`{name}` is for {types}, and this field is {ty}")))
    }
}

/// Options that need or exclude others.
pub(crate) fn check_together(options: &[Opt], rust: Option<&RustType>, errors: &mut Errors) {
    let has = |name| find(options, name).is_some();
    if let Some(option) = find(options, "on_delete")
        && !has("references")
    {
        errors.push(option.error_at_name("`on_delete` is for fields with `references`"));
    }
    if let Some(option) = find(options, "pattern")
        && has("values")
    {
        errors.push(option.error_at_name("`pattern` is for text, and `values` make this field an enum"));
    }
    if let Some(option) = find(options, "db_type")
        && rust.is_some_and(|rust| rust.scalar == Some(Scalar::Text))
        && !has("values")
    {
        errors.push(option.error_at_name(
            "`db_type` is for enums: give the `values`, or use an enum with `#[derive(ResourceEnum)]`",
        ));
    }
    if let Some(option) = find(options, "scale")
        && !has("precision")
    {
        errors.push(option.error_at_name("`scale` needs a `precision`, the digits in all"));
    }
    if let (Some(_), Some(option)) = (find(options, "read_only"), find(options, "write_only")) {
        errors
            .push(option.error_at_name("a field that is also `read_only` could be neither read nor written"));
    }
}

/// Whether a field is required is told by its type; saying it again is allowed, contradicting it is not.
pub(crate) fn check_required(option: &Opt, rust: Option<&RustType>) -> syn::Result<()> {
    match (option.flag()?, rust.map(|rust| rust.optional)) {
        (true, Some(true)) => {
            Err(option.error("an `Option` may be NULL; take the `Option` away to make the field required"))
        }
        (false, Some(false)) => {
            Err(option.error("a type that is not an `Option` cannot be NULL; make it an `Option`"))
        }
        _ => Ok(()),
    }
}

/// What was expected instead of `literal`, where that can be told.
pub(crate) fn misfit(literal: &Literal, rust: &RustType, element: bool) -> Option<&'static str> {
    let scalar = rust.scalar?;
    if rust.array && !element {
        return (literal.kind != Kind::List).then_some("a list `[…]`");
    }
    let (fits, expected) = match scalar {
        Scalar::Integer => (
            literal.kind == Kind::Integer && literal.json.parse::<i32>().is_ok(),
            "a whole number of 32 bits",
        ),
        Scalar::BigInt => (
            literal.kind == Kind::Text
                || (literal.kind == Kind::Integer && literal.json.parse::<i64>().is_ok()),
            "a whole number of 64 bits",
        ),
        // `NaN`, `Infinity` and decimals of many digits may be written as strings.
        Scalar::Float | Scalar::Decimal => (
            matches!(literal.kind, Kind::Integer | Kind::Fraction | Kind::Text),
            "a number",
        ),
        Scalar::Boolean => (literal.kind == Kind::Boolean, "`true` or `false`"),
        Scalar::Json => (true, ""),
        Scalar::Date | Scalar::Time | Scalar::Timestamp => (
            literal.kind == Kind::Text,
            "a string such as \"2026-01-31\", \"12:00:00\" or \"2026-01-31T12:00:00Z\"",
        ),
        Scalar::Text | Scalar::Uuid | Scalar::Bytes => (literal.kind == Kind::Text, "a string"),
    };
    (!fits).then_some(expected)
}
