//! What the database has of the tables that the definitions name, from its catalogs.

use std::collections::HashSet;

use rowstamp_domain::definition::ApiDefinition;
use tokio_postgres::{Client, Error};

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
    pub(super) columns: HashSet<String>,
    pub(super) primary_key: bool,
    /// The columns of each unique constraint or index, sorted.
    pub(super) unique: Vec<Vec<String>>,
    /// The columns of each foreign key.
    pub(super) foreign_keys: Vec<Vec<String>>,
    /// The columns of each CHECK.
    pub(super) checks: Vec<Vec<String>>,
    /// The first column of each index.
    pub(super) indexed: HashSet<String>,
}

const SCHEMAS: &str = "SELECT nspname::text FROM pg_namespace";

const TABLES: &str = "\
SELECT i.position, c.relkind::text, ARRAY(\
 SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) \
FROM unnest($1::text[]) WITH ORDINALITY AS i(name, position) JOIN pg_class c ON c.oid = to_regclass(i.name)";

const CONSTRAINTS: &str = "\
SELECT i.position, k.contype::text, ARRAY(\
 SELECT a.attname::text FROM unnest(k.conkey) AS n JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n) \
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
        let columns: Vec<String> = row.try_get(2)?;
        found.tables[position(&row)?] = Some(FoundTable {
            is_table: matches!(kind.as_str(), "r" | "p"),
            columns: columns.into_iter().collect(),
            ..FoundTable::default()
        });
    }
    for row in client.query(CONSTRAINTS, &[&names]).await? {
        let Some(table) = &mut found.tables[position(&row)?] else {
            continue;
        };
        let kind: String = row.try_get(1)?;
        let columns = row.try_get(2)?;
        match kind.as_str() {
            "p" => table.primary_key = true,
            "f" => table.foreign_keys.push(columns),
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
    let ordinal: i64 = row.try_get(0)?;
    Ok(usize::try_from(ordinal).expect("WITH ORDINALITY counts from one") - 1)
}
