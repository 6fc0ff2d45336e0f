//! One declared field: whether its options belong to its type and to each other.

use std::collections::HashSet;

use super::{Mistakes, Outline, literals, names, rules};
use crate::definition::nearest::did_you_mean;
use crate::definition::spec::{DefaultSpec, FieldSpec};
use crate::definition::{Default, Field, FieldRole, JsonEncoding, OnDelete, Pattern, Reference};
use crate::field_type::ScalarType;

/// PostgreSQL's greatest `p` in `numeric(p,s)`.
const MAX_PRECISION: u16 = 1000;

pub(super) fn build_field(
    spec: &FieldSpec,
    resource: &str,
    outline: &Outline,
    mistakes: &mut Mistakes,
) -> Field {
    check_name(spec, resource, outline, mistakes);
    check_kinds(spec, mistakes);
    let mut field = Field {
        column: spec.column.clone().unwrap_or_else(|| spec.name.clone()),
        ty: spec.ty,
        role: FieldRole::Declared,
        required: spec.required,
        default: Default::None,
        min: None,
        max: None,
        min_length: spec.min_length,
        max_length: spec.max_length,
        pattern: spec
            .pattern
            .as_deref()
            .and_then(|source| pattern(source, mistakes)),
        values: values(spec, mistakes),
        precision: spec.precision,
        scale: spec.scale,
        unique: spec.unique,
        references: reference(spec, outline, mistakes),
        immutable: spec.immutable,
        read_only: spec.read_only,
        write_only: spec.write_only,
        read: rules::build_field_rule(spec.read.as_ref(), "read", mistakes),
        write: rules::build_field_rule(spec.write.as_ref(), "write", mistakes),
        json: spec.json,
        db_type: spec.db_type.clone(),
        description: spec.description.clone(),
        example: None,
        name: spec.name.clone(),
    };
    check_digits(&field, mistakes);
    check_lengths(&field, mistakes);
    check_direction(spec, mistakes);
    literals::fill(&mut field, spec, mistakes);
    field
}

fn check_name(spec: &FieldSpec, resource: &str, outline: &Outline, mistakes: &mut Mistakes) {
    let name = &spec.name;
    if let Err(message) = names::check_field(name) {
        mistakes.add(&[], message);
    } else if outline.are_related(resource, name) {
        mistakes.add(
            &[],
            format!(
                "`{name}` is the name under which rows of the resource `{name}` are embedded; give the field another name and map it with column = \"{name}\""
            ),
        );
    }
    if let Some(Err(message)) = spec.column.as_deref().map(names::check_identifier) {
        mistakes.add(&["column"], message);
    }
}

/// Options that belong to other types.
fn check_kinds(spec: &FieldSpec, mistakes: &mut Mistakes) {
    use ScalarType as T;
    let ty = spec.ty;
    let ordered = literals::is_ordered(ty.scalar);
    let measured = ty.array || matches!(ty.scalar, T::Text | T::Bytes);
    let numeric = matches!(ty.scalar, T::BigInt | T::Decimal);
    let is = |scalar| ty.scalar == scalar;
    let checks = [
        ("min", spec.min.is_some(), ordered, "numbers, dates and times"),
        ("max", spec.max.is_some(), ordered, "numbers, dates and times"),
        (
            "min_length",
            spec.min_length.is_some(),
            measured,
            "text, bytes and arrays",
        ),
        (
            "max_length",
            spec.max_length.is_some(),
            measured,
            "text, bytes and arrays",
        ),
        ("pattern", spec.pattern.is_some(), is(T::Text), "text"),
        ("values", !spec.values.is_empty(), is(T::Enum), "enum"),
        ("precision", spec.precision.is_some(), is(T::Decimal), "decimal"),
        ("scale", spec.scale.is_some(), is(T::Decimal), "decimal"),
        (
            "json",
            spec.json == JsonEncoding::String,
            numeric,
            "bigint and decimal",
        ),
        ("db_type", spec.db_type.is_some(), is(T::Enum), "enum"),
        (
            "references",
            spec.references.is_some(),
            is(T::Uuid) && !ty.array,
            "uuid",
        ),
    ];
    for (option, given, fits, types) in checks {
        if given && !fits {
            mistakes.add(&[option], format!("is for {types}, and this field is {ty}"));
        }
    }
    if let Some(name) = spec.db_type.as_deref().filter(|_| is(T::Enum)) {
        let mut parts = name.splitn(2, '.');
        if let Some(message) = parts.find_map(|part| names::check_identifier(part).err()) {
            mistakes.add(&["db_type"], format!("{message} (as `name` or `schema.name`)"));
        }
    }
}

fn pattern(source: &str, mistakes: &mut Mistakes) -> Option<Pattern> {
    match Pattern::new(source) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            // The regex crate draws the expression over several lines; the last one says what is wrong.
            let text = error.to_string();
            let reason = text
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            mistakes.add(&["pattern"], format!("expected a regular expression: {reason}"));
            None
        }
    }
}

fn values(spec: &FieldSpec, mistakes: &mut Mistakes) -> Vec<String> {
    if spec.ty.scalar != ScalarType::Enum {
        return Vec::new();
    }
    if spec.values.is_empty() {
        mistakes.add(
            &["values"],
            "an enum needs its values, such as values = [\"draft\", \"published\"]",
        );
    }
    let mut seen = HashSet::new();
    for value in &spec.values {
        if !seen.insert(value) {
            mistakes.add(
                &["values"],
                format!("\"{}\" is there twice", value.escape_debug()),
            );
        }
        if value.contains('\0') {
            mistakes.add(&["values"], "a value may not hold a NUL character");
        }
    }
    spec.values.clone()
}

fn reference(spec: &FieldSpec, outline: &Outline, mistakes: &mut Mistakes) -> Option<Reference> {
    let Some(resource) = &spec.references else {
        if spec.on_delete.is_some() {
            mistakes.add(&["on_delete"], "is for fields with `references`");
        }
        return None;
    };
    if !outline.has(resource) {
        let guess = did_you_mean(resource, outline.names.iter().map(String::as_str));
        mistakes.add(
            &["references"],
            format!("there is no resource `{}`{guess}", resource.escape_debug()),
        );
    }
    let on_delete = spec.on_delete.unwrap_or_default();
    if on_delete == OnDelete::SetNull && spec.required {
        mistakes.add(
            &["on_delete"],
            "a required field cannot be set to NULL, expected \"restrict\" or \"cascade\"",
        );
    }
    Some(Reference {
        resource: resource.clone(),
        on_delete,
    })
}

fn check_digits(field: &Field, mistakes: &mut Mistakes) {
    if field.ty.scalar != ScalarType::Decimal {
        return;
    }
    if field
        .precision
        .is_some_and(|precision| !(1..=MAX_PRECISION).contains(&precision))
    {
        mistakes.add(
            &["precision"],
            format!("expected a number from 1 to {MAX_PRECISION}"),
        );
    }
    match (field.precision, field.scale) {
        (None, Some(_)) => mistakes.add(&["scale"], "needs a `precision`, the digits in all"),
        (Some(precision), Some(scale)) if scale > precision => {
            mistakes.add(
                &["scale"],
                format!("expected at most the precision, which is {precision}"),
            );
        }
        _ => {}
    }
}

fn check_lengths(field: &Field, mistakes: &mut Mistakes) {
    if let (Some(min), Some(max)) = (field.min_length, field.max_length)
        && min > max
    {
        mistakes.add(
            &["min_length"],
            format!("expected at most `max_length`, which is {max}"),
        );
    }
}

fn check_direction(spec: &FieldSpec, mistakes: &mut Mistakes) {
    if spec.read_only && spec.write_only {
        mistakes.add(
            &["write_only"],
            "a field that is also `read_only` could be neither read nor written",
        );
    }
    if spec.read_only && spec.required && spec.default == DefaultSpec::None {
        mistakes.add(
            &["read_only"],
            "a required field that nobody may write needs a `default`, perhaps { database = true }",
        );
    }
    if spec.read_only && spec.write.is_some() {
        mistakes.add(&["write"], "nobody writes a field that is `read_only`");
    }
    if spec.write_only && spec.read.is_some() {
        mistakes.add(&["read"], "nobody reads a field that is `write_only`");
    }
}
