//! What the database has of the tables that the definitions name, from its catalogs.

use std::collections::{HashMap, HashSet};

use rowstamp_domain::definition::{ApiDefinition, ResourceDefinition};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

use crate::sql::quote::quoted;
use crate::sql::writer;

/// What there is, one entry per resource, and the schemas.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) schemas: HashSet<String>,
    pub(super) tables: Vec<Option<FoundTable>>,
}

/// A table that is there.
#[derive(Debug, Default)]
pub(super) struct FoundTable {
    /// Whether it can have constraints and indexes; a view cannot.
    pub(super) is_table: bool,
    pub(super) columns: HashMap<String, FoundColumn>,
    pub(super) primary_key: bool,
    /// The columns of each unique constraint or index, sorted.
    pub(super) unique: Vec<Vec<String>>,
    pub(super) foreign_keys: Vec<FoundForeignKey>,
    /// The columns of each CHECK.
    pub(super) checks: Vec<Vec<String>>,
    /// The first column of each index.
    pub(super) indexed: HashSet<String>,
}

/// A column that is there.
#[derive(Debug, Default)]
pub(super) struct FoundColumn {
    /// Its type, as PostgreSQL writes it: `numeric(10,2)`.
    pub(super) ty: String,
    /// The same as the driver knows it; only of columns that a definition names.
    pub(super) driver_type: Option<Type>,
    pub(super) not_null: bool,
    /// Whether it can be left out of an INSERT though it must not be NULL.
    pub(super) has_default: bool,
}

/// A foreign key that is there.
#[derive(Debug)]
pub(super) struct FoundForeignKey {
    pub(super) columns: Vec<String>,
    /// The resource that it leads to, if one is kept there.
    pub(super) target: Option<usize>,
    /// PostgreSQL's `confdeltype`.
    pub(super) on_delete: String,
}

const SCHEMAS: &str = "SELECT nspname::text FROM pg_namespace";

const TABLES: &str = "\
SELECT i.position, c.relkind::text \
FROM unnest($1::text[]) WITH ORDINALITY AS i(name, position) JOIN pg_class c ON c.oid = to_regclass(i.name)";

const COLUMNS: &str = "\
SELECT i.position, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
 a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '' \
FROM unnest($1::text[]) WITH ORDINALITY AS i(name, position) JOIN pg_attribute a ON a.attrelid = to_regclass(i.name) \
WHERE a.attnum > 0 AND NOT a.attisdropped";

const CONSTRAINTS: &str = "\
SELECT i.position, k.contype::text, ARRAY(\
 SELECT a.attname::text FROM unnest(k.conkey) AS n JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n), \
 k.confdeltype::text, \
 (SELECT min(j.position) FROM unnest($1::text[]) WITH ORDINALITY AS j(name, position) \
  WHERE k.contype = 'f' AND to_regclass(j.name) = k.confrelid) \
FROM unnest($1::text[]) WITH ORDINALITY AS i(name, position) JOIN pg_constraint k ON k.conrelid = to_regclass(i.name)";

const INDEXES: &str = "\
SELECT i.position, x.indisunique AND x.indpred IS NULL AND x.indexprs IS NULL, ARRAY(\
 SELECT a.attname::text FROM unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY AS n(number, place) \
 JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = n.number ORDER BY n.place) \
FROM unnest($1::text[]) WITH ORDINALITY AS i(name, position) JOIN pg_index x ON x.indrelid = to_regclass(i.name)";

/// Asks the catalogs about every table of the definitions at once.
pub(super) async fn inspect(client: &Client, api: &ApiDefinition) -> Result<Found, Error> {
    let names: Vec<String> = api
        .resources
        .iter()
        .map(|resource| {
            let mut name = String::new();
            writer::table(resource, &mut name);
            name
        })
        .collect();
    let mut found = Found {
        tables: names.iter().map(|_| None).collect(),
        ..Found::default()
    };
    for row in client.query(SCHEMAS, &[]).await? {
        found.schemas.insert(row.try_get(0)?);
    }
    for row in client.query(TABLES, &[&names]).await? {
        let kind: String = row.try_get(1)?;
        found.tables[position(&row)?] = Some(FoundTable {
            is_table: matches!(kind.as_str(), "r" | "p"),
            ..FoundTable::default()
        });
    }
    for row in client.query(COLUMNS, &[&names]).await? {
        let Some(table) = &mut found.tables[position(&row)?] else {
            continue;
        };
        let column = FoundColumn {
            ty: row.try_get(2)?,
            driver_type: None,
            not_null: row.try_get(3)?,
            has_default: row.try_get(4)?,
        };
        table.columns.insert(row.try_get(1)?, column);
    }
    for ((resource, table), name) in api.resources.iter().zip(&mut found.tables).zip(&names) {
        if let Some(table) = table {
            driver_types(client, resource, table, name).await?;
        }
    }
    for row in client.query(CONSTRAINTS, &[&names]).await? {
        let Some(table) = &mut found.tables[position(&row)?] else {
            continue;
        };
        let kind: String = row.try_get(1)?;
        let columns = row.try_get(2)?;
        match kind.as_str() {
            "p" => table.primary_key = true,
            "f" => table.foreign_keys.push(FoundForeignKey {
                columns,
                target: row.try_get::<_, Option<i64>>(4)?.map(from_ordinal),
                on_delete: row.try_get(3)?,
            }),
            "c" => table.checks.push(columns),
            // Unique constraints are seen as their indexes.
            _ => {}
        }
    }
    for row in client.query(INDEXES, &[&names]).await? {
        let Some(table) = &mut found.tables[position(&row)?] else {
            continue;
        };
        let unique: bool = row.try_get(1)?;
        let mut columns: Vec<String> = row.try_get(2)?;
        table.indexed.extend(columns.first().cloned());
        if unique {
            columns.sort_unstable();
            table.unique.push(columns);
        }
    }
    Ok(found)
}

/// Which resource a row speaks of.
fn position(row: &tokio_postgres::Row) -> Result<usize, Error> {
    Ok(from_ordinal(row.try_get(0)?))
}

fn from_ordinal(ordinal: i64) -> usize {
    usize::try_from(ordinal).expect("WITH ORDINALITY counts from one") - 1
}

/// Asks the driver what it makes of the types of the columns that the definition names: what stands behind a domain, what is an enum.
async fn driver_types(
    client: &Client,
    resource: &ResourceDefinition,
    table: &mut FoundTable,
    name: &str,
) -> Result<(), Error> {
    let named: Vec<&str> = resource
        .fields
        .iter()
        .map(|field| field.column.as_str())
        .filter(|column| table.columns.contains_key(*column))
        .collect();
    let columns: Vec<String> = named.iter().map(|column| quoted(column)).collect();
    let statement = client
        .prepare(&format!("SELECT {} FROM {name}", columns.join(", ")))
        .await?;
    for (name, column) in named.iter().zip(statement.columns()) {
        if let Some(found) = table.columns.get_mut(*name) {
            found.driver_type = Some(column.type_().clone());
        }
    }
    Ok(())
}
