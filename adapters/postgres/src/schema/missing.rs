//! The difference between the definitions and the database, as plain DDL. Pure.

use std::fmt::Write as _;

use rowstamp_domain::definition::{
    ApiDefinition, Default, Field, FieldId, OnDelete, Reference, ResourceDefinition,
};
use rowstamp_domain::field_type::ScalarType;

use super::differing::is_enum;
use super::found::{Found, FoundTable, Uniqueness};
use super::keys;
use super::rules::fields_of_rules;
use crate::sql::quote::{identifier, quoted};
use crate::sql::writer;

/// One thing that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// In words.
    pub(super) what: String,
    /// The statement that creates it.
    pub(super) sql: String,
    /// The position of the resource whose requests fail without it; `None` where they are only slower, or hold their rows to less.
    pub(super) needed_by: Option<usize>,
}

/// Everything missing, in an order in which it can be created: references come after all tables, so they may lead in circles.
pub(super) fn missing(api: &ApiDefinition, found: &Found) -> Vec<Missing> {
    let mut list = Vec::new();
    schemas(api, found, &mut list);
    let tables = || {
        api.resources
            .iter()
            .map(|resource| &**resource)
            .zip(&found.tables)
            .enumerate()
    };
    for (position, (resource, table)) in tables() {
        match table {
            None => list.push(create_table(position, resource)),
            Some(table) => columns(position, resource, table, &mut list),
        }
    }
    let nothing = FoundTable {
        is_table: true,
        ..FoundTable::default()
    };
    for (position, (resource, table)) in tables() {
        if let Some(table) = table.as_ref().filter(|table| table.is_table) {
            unique_sets(position, resource, table, &mut list);
            checks(resource, table, &mut list);
        }
    }
    for (_, (resource, table)) in tables() {
        let table = table.as_ref().unwrap_or(&nothing);
        if table.is_table {
            references(api, resource, table, &mut list);
            indexes(resource, table, &mut list);
        }
    }
    list
}

fn schemas(api: &ApiDefinition, found: &Found, list: &mut Vec<Missing>) {
    let mut named: Vec<&str> = Vec::new();
    for schema in api
        .resources
        .iter()
        .filter_map(|resource| resource.table.schema.as_deref())
    {
        if !found.schemas.contains(schema) && !named.contains(&schema) {
            named.push(schema);
            list.push(Missing {
                what: format!("schema {schema}"),
                sql: format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema)),
                needed_by: None,
            });
        }
    }
}

fn create_table(position: usize, resource: &ResourceDefinition) -> Missing {
    let mut parts: Vec<String> = resource
        .fields
        .iter()
        .map(|field| {
            format!(
                "{} {}{}",
                quoted(&field.column),
                column_type(field),
                not_null(field)
            )
        })
        .collect();
    parts.push(primary_key(resource));
    parts.extend(resource.unique.iter().map(|fields| unique(resource, fields)));
    parts.extend(resource.fields.iter().filter_map(check));
    Missing {
        what: format!("table {}", plain_name(resource)),
        sql: format!(
            "CREATE TABLE {} (\n  {}\n)",
            table_name(resource),
            parts.join(",\n  ")
        ),
        needed_by: Some(position),
    }
}

fn columns(position: usize, resource: &ResourceDefinition, table: &FoundTable, list: &mut Vec<Missing>) {
    for field in resource
        .fields
        .iter()
        .filter(|field| !table.columns.contains_key(&field.column))
    {
        let column = quoted(&field.column);
        let add = format!(
            "ALTER TABLE {} ADD COLUMN {column} {}",
            table_name(resource),
            column_type(field)
        );
        // Rows that are there take the definition's default; the column keeps none, so that the definition stays the one source.
        let sql = match &field.default {
            Default::Value(value) if field.required => {
                let mut text = String::new();
                value.write_text(&mut text);
                format!(
                    "{add} DEFAULT {}::{} NOT NULL; ALTER TABLE {} ALTER COLUMN {column} DROP DEFAULT",
                    literal(&text),
                    column_type(field),
                    table_name(resource)
                )
            }
            _ => format!("{add}{}", not_null(field)),
        };
        list.push(Missing {
            what: format!(
                "column {}.{} ({})",
                plain_name(resource),
                field.column,
                column_type(field)
            ),
            sql,
            needed_by: Some(position),
        });
    }
}

fn unique_sets(position: usize, resource: &ResourceDefinition, table: &FoundTable, list: &mut Vec<Missing>) {
    for set in keys::sets(resource) {
        let mut columns = keys::columns(resource, &set);
        // What is there and not as it should be is no place for another one beside it.
        if !matches!(table.uniqueness(&columns), Uniqueness::Absent) {
            continue;
        }
        let is_uid = set == [resource.audit.uid];
        let (what, constraint) = if is_uid && !table.primary_key {
            (
                format!("primary key of {}", plain_name(resource)),
                primary_key(resource),
            )
        } else {
            columns.sort_unstable();
            let columns = columns.join(", ");
            let what = format!("unique constraint on {} ({columns})", plain_name(resource));
            (what, unique(resource, &set))
        };
        list.push(Missing {
            what,
            sql: format!("ALTER TABLE {} ADD {constraint}", table_name(resource)),
            needed_by: Some(position),
        });
    }
}

/// The CHECKs of enums; a column of an enum type has no need of one.
fn checks(resource: &ResourceDefinition, table: &FoundTable, list: &mut Vec<Missing>) {
    for field in &resource.fields {
        let Some(check) = check(field) else { continue };
        let is_checked = table
            .checks
            .iter()
            .any(|check| *check.columns == [field.column.as_str()]);
        let column = table.columns.get(&field.column);
        if !is_checked && !column.is_some_and(|column| is_enum(&column.driver_type)) {
            list.push(Missing {
                what: format!("check on {}.{}", plain_name(resource), field.column),
                sql: format!("ALTER TABLE {} ADD {check}", table_name(resource)),
                needed_by: None,
            });
        }
    }
}

fn references(
    api: &ApiDefinition,
    resource: &ResourceDefinition,
    table: &FoundTable,
    list: &mut Vec<Missing>,
) {
    for field in &resource.fields {
        let Some(reference) = &field.references else {
            continue;
        };
        let column = quoted(&field.column);
        let target = api.resource(&reference.resource);
        if let Some(target) = target
            && keys::keys_of(table, field).is_empty()
        {
            list.push(Missing {
                what: format!(
                    "foreign key from {}.{} to {}",
                    plain_name(resource),
                    field.column,
                    plain_name(target)
                ),
                sql: format!(
                    "ALTER TABLE {} ADD FOREIGN KEY ({column}) REFERENCES {} ({}){}",
                    table_name(resource),
                    table_name(target),
                    quoted(&target.field(target.audit.uid).column),
                    on_delete(reference),
                ),
                needed_by: None,
            });
        }
    }
}

/// Without an index, a deletion of what a reference leads to would read this whole table, and so would each list, change or deletion
/// of many rows by a caller whose own rows a rule has to find. A unique constraint that is still to be created brings one.
fn indexes(resource: &ResourceDefinition, table: &FoundTable, list: &mut Vec<Missing>) {
    let of_rules = fields_of_rules(resource);
    let is_wanted =
        |field: &Field| field.references.is_some() || of_rules.iter().any(|id| resource.field(*id) == field);
    for field in resource.fields.iter().filter(|field| is_wanted(field)) {
        let comes_with_constraint = keys::sets(resource).any(|set| {
            let columns = keys::columns(resource, &set);
            columns.first() == Some(&field.column.as_str())
                && matches!(table.uniqueness(&columns), Uniqueness::Absent)
        });
        if !table.is_indexed(&field.column) && !comes_with_constraint {
            list.push(Missing {
                what: format!("index on {}.{}", plain_name(resource), field.column),
                sql: format!(
                    "CREATE INDEX ON {} ({})",
                    table_name(resource),
                    quoted(&field.column)
                ),
                needed_by: None,
            });
        }
    }
}

// Constraints and indexes get no names here: PostgreSQL gives them those that `names` knows, and others where one is taken or where two
// would be the same after they were cut to 63 bytes.

fn primary_key(resource: &ResourceDefinition) -> String {
    format!(
        "PRIMARY KEY ({})",
        quoted(&resource.field(resource.audit.uid).column)
    )
}

fn unique(resource: &ResourceDefinition, fields: &[FieldId]) -> String {
    let columns: Vec<String> = fields
        .iter()
        .map(|field| quoted(&resource.field(*field).column))
        .collect();
    format!("UNIQUE ({})", columns.join(", "))
}

/// The CHECK that stands for an enum's values; in an array NULL is allowed as an element, and any number of dimensions.
fn check(field: &Field) -> Option<String> {
    if field.ty.scalar != ScalarType::Enum || field.db_type.is_some() {
        return None;
    }
    let values: Vec<String> = field.values.iter().map(|value| literal(value)).collect();
    let (column, first, all) = (quoted(&field.column), values.first()?, values.join(", "));
    Some(if field.ty.array {
        // What contains a NULL is contained in nothing, so NULLs are taken for a value.
        format!("CHECK (array_replace({column}, NULL::text, {first}::text) <@ ARRAY[{all}]::text[])")
    } else {
        format!("CHECK ({column} IN ({all}))")
    })
}

const fn not_null(field: &Field) -> &'static str {
    if field.required { " NOT NULL" } else { "" }
}

const fn on_delete(reference: &Reference) -> &'static str {
    match reference.on_delete {
        OnDelete::Restrict => " ON DELETE RESTRICT",
        OnDelete::Cascade => " ON DELETE CASCADE",
        OnDelete::SetNull => " ON DELETE SET NULL",
    }
}

pub(super) fn column_type(field: &Field) -> String {
    let mut sql = String::new();
    if let Some(db_type) = &field.db_type {
        writer::db_type_name(db_type, field.ty.array, &mut sql);
        return sql;
    }
    sql.push_str(writer::sql_type(field.ty.scalar));
    if let (ScalarType::Decimal, Some(precision)) = (field.ty.scalar, field.precision) {
        let _ = write!(sql, "({precision},{})", field.scale.unwrap_or(0));
    }
    if field.ty.array {
        sql.push_str("[]");
    }
    sql
}

/// A string constant; values of definitions are the only ones that reach SQL text, and only here, since DDL takes no parameters.
fn literal(text: &str) -> String {
    if text.contains('\\') {
        format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

fn table_name(resource: &ResourceDefinition) -> String {
    let mut name = String::new();
    if let Some(schema) = &resource.table.schema {
        identifier(schema, &mut name);
        name.push('.');
    }
    identifier(&resource.table.table, &mut name);
    name
}

pub(super) fn plain_name(resource: &ResourceDefinition) -> String {
    match &resource.table.schema {
        Some(schema) => format!("{schema}.{}", resource.table.table),
        None => resource.table.table.clone(),
    }
}
