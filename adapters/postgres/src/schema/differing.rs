//! What the database has, but not as the definitions want it. Pure.
//!
//! Only what would make a request fail or change a value silently is told; a column may be wider than its field.

use rowstamp_domain::definition::{ApiDefinition, Default, Field, FieldRole, ResourceDefinition};
use rowstamp_domain::field_type::ScalarType;
use tokio_postgres::types::{Kind, Type};

use super::found::{Found, FoundColumn, FoundTable};
use super::keys;
use super::missing::{column_type, plain_name};
use super::rules::is_given;
use crate::encode::Encoding;

/// Something that differs.
#[derive(Debug)]
pub(super) struct Difference {
    /// The position of the resource whose table it is; `None` where it is about the database.
    pub(super) resource: Option<usize>,
    pub(super) what: String,
}

/// One for each difference, in the order of the definitions.
pub(super) fn differing(api: &ApiDefinition, found: &Found) -> Vec<Difference> {
    let mut list = Vec::new();
    if found.encoding != "UTF8" {
        let what = format!(
            "the encoding of the database is {}, not UTF8: text that it does not know is refused",
            found.encoding
        );
        list.push(Difference { resource: None, what });
    }
    let tables = api.resources.iter().zip(&found.tables).enumerate();
    for (position, (resource, table)) in tables {
        let mut told = types(resource, found);
        if let Some(table) = table {
            told.extend(columns(resource, table));
            told.extend(keys::unique_sets(resource, table));
            told.extend(keys::references(api, resource, table));
            told.extend(unnamed_columns(resource, table));
        }
        list.extend(told.into_iter().map(|what| Difference {
            resource: Some(position),
            what,
        }));
    }
    list
}

/// Types that fields name and that are not there.
fn types(resource: &ResourceDefinition, found: &Found) -> Vec<String> {
    let fields = resource.fields.iter();
    fields
        .filter_map(|field| {
            let ty = field.db_type.as_ref()?;
            let name = format!("column {}.{}", plain_name(resource), field.column);
            (!found.types.contains(ty))
                .then(|| format!("{name} is to be of the type {ty}, which is not there"))
        })
        .collect()
}

fn columns(resource: &ResourceDefinition, table: &FoundTable) -> Vec<String> {
    let fields = resource.fields.iter();
    fields
        .filter_map(|field| {
            let column = table.columns.get(&field.column)?;
            let what = of_column(field, column, table.is_table)
                .or_else(|| keys::compared(resource, field, column))
                .or_else(|| loose(field, column))?;
            Some(format!("column {}.{} {what}", plain_name(resource), field.column))
        })
        .collect()
}

/// What is the matter with a column, most serious first; one thing is told.
fn of_column(field: &Field, column: &FoundColumn, in_table: bool) -> Option<String> {
    if Encoding::of(field.ty, false, &column.driver_type).is_none() {
        return Some(format!("is {}, not {}", column.ty, column_type(field)));
    }
    if is_enum(&column.driver_type) && field.db_type.is_none() {
        return Some(format!(
            "is of the enum type {}, which its db_type does not name",
            column.ty
        ));
    }
    if let Some(narrow) = narrower(field, column) {
        return Some(narrow);
    }
    // A view says nothing about these.
    if !in_table {
        return None;
    }
    if column.generated && is_written(field) {
        return Some("is GENERATED ALWAYS, though its field can be written".to_owned());
    }
    if field.default == Default::Database && !column.has_default {
        return Some("has no DEFAULT, though its field is left to it".to_owned());
    }
    match (field.required, column.not_null) {
        (true, false) => Some("may be NULL, though its field is required".to_owned()),
        (false, true) if !column.generated => {
            Some("must not be NULL, though its field is optional".to_owned())
        }
        _ => None,
    }
}

/// Whether a type is an enum of the database, or an array of one.
pub(super) fn is_enum(ty: &Type) -> bool {
    match ty.kind() {
        Kind::Enum(_) => true,
        Kind::Array(element) => is_enum(element),
        _ => false,
    }
}

/// Whether a write of any kind has a value for the field.
fn is_written(field: &Field) -> bool {
    field.is_audit() || is_given(field) || matches!(field.default, Default::Value(_))
}

/// Where a column holds less than its field allows, or holds it otherwise than it was written.
fn narrower(field: &Field, column: &FoundColumn) -> Option<String> {
    let (base, array) = column
        .base
        .strip_suffix("[]")
        .map_or((&*column.base, false), |base| (base, true));
    let ty = if column.ty == column.base {
        column.ty.clone()
    } else {
        format!("{} ({})", column.ty, column.base)
    };
    match (field.ty.scalar, base) {
        (ScalarType::Decimal, _) => {
            let [precision, scale] = bounds(base, "numeric(")?[..] else {
                return None;
            };
            let fits = field.precision.is_some_and(|wanted| {
                let (wanted, wanted_scale) = (i32::from(wanted), i32::from(field.scale.unwrap_or(0)));
                wanted_scale <= scale && wanted - wanted_scale <= precision - scale
            });
            (!fits).then(|| format!("is {ty}, not {}: it would round or refuse", column_type(field)))
        }
        (ScalarType::Float, "real") => Some(format!("is {ty}, not {}: it would round", column_type(field))),
        (ScalarType::Time | ScalarType::Timestamp, _) => {
            let [digits] = bounds(base, "time(").or_else(|| bounds(base, "timestamp("))?[..] else {
                return None;
            };
            // The version of a row is a time that never repeats, which a rounded one does.
            let why = if field.role == FieldRole::LastUpdatedAt {
                "versions of a row would be equal"
            } else {
                "it would round"
            };
            (digits < 6).then(|| format!("is {ty}, not {}: {why}", column_type(field)))
        }
        (ScalarType::Text | ScalarType::Enum, "name") => {
            Some(format!("is {ty}: it cuts text off after 63 bytes"))
        }
        (ScalarType::Text | ScalarType::Enum, _) if base.starts_with("character(") || base == "bpchar" => {
            Some(format!("is {ty}: it takes blanks at the end of text for nothing"))
        }
        (ScalarType::Text | ScalarType::Enum, _) => {
            let [length] = bounds(base, "character varying(")?[..] else {
                return None;
            };
            let length = u32::try_from(length).ok()?;
            let fits = if field.ty.scalar == ScalarType::Enum {
                let longest = field.values.iter().map(|value| value.chars().count()).max();
                longest.is_none_or(|longest| u32::try_from(longest).is_ok_and(|longest| longest <= length))
            } else {
                // Of an array `max_length` limits the number of elements.
                !array && field.max_length.is_some_and(|wanted| wanted <= length)
            };
            (!fits).then(|| format!("is {ty}, which is shorter than its field"))
        }
        _ => None,
    }
}

/// The numbers in the parentheses of a type that begins so.
fn bounds(ty: &str, name: &str) -> Option<Vec<i32>> {
    let (inner, _) = ty.strip_prefix(name)?.split_once(')')?;
    inner
        .split(',')
        .map(|number| number.trim().parse().ok())
        .collect()
}

/// What else queries would be refused for.
fn loose(field: &Field, column: &FoundColumn) -> Option<String> {
    let is_text = matches!(field.ty.scalar, ScalarType::Text | ScalarType::Enum) && !field.ty.array;
    (column.loose_collation && is_text)
        .then(|| "has a collation that is not deterministic: filters by patterns are refused".to_owned())
}

/// Columns of nobody's that no INSERT can leave out.
fn unnamed_columns(resource: &ResourceDefinition, table: &FoundTable) -> Vec<String> {
    if !table.is_table {
        return Vec::new();
    }
    let is_named = |name: &str| resource.fields.iter().any(|field| field.column == name);
    let mut names: Vec<&String> = table
        .columns
        .iter()
        .filter(|(name, column)| column.not_null && !column.has_default && !is_named(name))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    names
        .into_iter()
        .map(|name| {
            format!(
                "column {}.{name} is in no definition, must not be NULL and has no DEFAULT: no row can be created",
                plain_name(resource)
            )
        })
        .collect()
}
