//! What the database has of the tables that the definitions name, from its catalogs.
//!
//! No table is read, so that no privilege is needed. PostgreSQL takes a table's weakest lock, though, to write out its CHECKs.

use rowstamp_domain::definition::ApiDefinition;
use tokio_postgres::Row;
use tokio_postgres::types::{Kind, Type};

use super::SchemaError;
use super::found::{Found, FoundCheck, FoundColumn, FoundForeignKey, FoundIndex, FoundTable};
use super::session::{Session, read};

const SCHEMAS: &str = "SELECT nspname::text, current_setting('server_encoding') FROM pg_namespace";

/// A table in the search path that may not be used is there too: what is missing is the privilege, not the table.
const TABLES: &str = "\
WITH path AS (SELECT trim(both '\" ' FROM part) AS schema \
 FROM unnest(string_to_array(current_setting('search_path'), ',')) AS part) \
SELECT DISTINCT ON (i.position) i.position, c.oid, c.relkind::text, n.nspname::text, has_schema_privilege(n.oid, 'USAGE') \
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS i(schema, name, position) \
 JOIN pg_class c ON c.relname = i.name::name AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
 JOIN pg_namespace n ON n.oid = c.relnamespace \
WHERE CASE WHEN i.schema IS NOT NULL THEN n.nspname = i.schema::name \
 ELSE pg_table_is_visible(c.oid) \
  OR NOT has_schema_privilege(n.oid, 'USAGE') AND n.nspname IN (SELECT schema::name FROM path) END \
ORDER BY i.position, pg_table_is_visible(c.oid) DESC";

const TYPES: &str = "\
SELECT i.whole FROM unnest($1::text[], $2::text[], $3::text[]) AS i(whole, schema, name) \
 JOIN pg_type t ON t.typname = i.name::name JOIN pg_namespace n ON n.oid = t.typnamespace \
WHERE CASE WHEN i.schema IS NOT NULL THEN n.nspname = i.schema::name ELSE pg_type_is_visible(t.oid) END";

/// `b` is what stands behind a domain, `e` the same of an array's elements.
const COLUMNS: &str = "\
SELECT i.position, a.attname::text, format_type(a.atttypid, a.atttypmod), format_type(b.oid, b.typmod), b.not_null, \
 a.atthasdef OR a.attidentity <> '', a.attgenerated <> '' OR a.attidentity = 'a', NOT coalesce(l.collisdeterministic, true), \
 t.oid, t.typname::text, t.typtype::text, e.oid, e.typname::text, e.typtype::text \
FROM unnest($1::oid[]) WITH ORDINALITY AS i(oid, position) \
 JOIN pg_attribute a ON a.attrelid = i.oid AND a.attnum > 0 AND NOT a.attisdropped \
 CROSS JOIN LATERAL (WITH RECURSIVE d(oid, typmod, not_null, depth) AS (\
   SELECT a.atttypid, a.atttypmod, a.attnotnull, 0 UNION ALL \
   SELECT t.typbasetype, t.typtypmod, d.not_null OR t.typnotnull, d.depth + 1 \
   FROM d JOIN pg_type t ON t.oid = d.oid WHERE t.typtype = 'd') \
  SELECT * FROM d ORDER BY depth DESC LIMIT 1) AS b \
 JOIN pg_type t ON t.oid = b.oid \
 LEFT JOIN LATERAL (WITH RECURSIVE d(oid, typname, typtype, typbasetype, depth) AS (\
   SELECT x.oid, x.typname, x.typtype, x.typbasetype, 0 FROM pg_type x WHERE x.oid = t.typelem UNION ALL \
   SELECT x.oid, x.typname, x.typtype, x.typbasetype, d.depth + 1 \
   FROM d JOIN pg_type x ON x.oid = d.typbasetype WHERE d.typtype = 'd') \
  SELECT * FROM d ORDER BY depth DESC LIMIT 1) AS e ON t.typcategory = 'A' \
 LEFT JOIN pg_collation l ON l.oid = a.attcollation";

/// A key that leads to a partitioned table is there once more for each partition; those are not looked at. What only newer servers
/// know is asked by way of JSON.
const CONSTRAINTS: &str = "\
SELECT i.position, k.contype::text, k.conname::text, ARRAY(\
  SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS n(number, place) \
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number ORDER BY n.place), \
 k.confdeltype::text, \
 (SELECT min(j.position) FROM unnest($1::oid[]) WITH ORDINALITY AS j(oid, position) \
  WHERE k.contype = 'f' AND j.oid = k.confrelid), \
 ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS n(number, place) \
  JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.number ORDER BY n.place), \
 k.convalidated, \
 coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) \
  AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled NOT IN ('O', 'A')), \
 CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END \
FROM unnest($1::oid[]) WITH ORDINALITY AS i(oid, position) JOIN pg_constraint k ON k.conrelid = i.oid \
WHERE NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)";

const INDEXES: &str = "\
SELECT i.position, c.relname::text, m.amname::text, x.indisunique, x.indimmediate, \
 x.indisvalid AND x.indisready AND x.indislive, x.indpred IS NULL, ARRAY(\
  SELECT a.attname::text FROM unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY AS n(number, place) \
  LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = n.number AND n.number > 0 ORDER BY n.place), \
 NOT coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false), \
 x.indcollation[0] = coalesce((SELECT a.attcollation FROM pg_attribute a \
  WHERE a.attrelid = x.indrelid AND a.attnum = x.indkey[0] AND a.attnum > 0), 0) \
FROM unnest($1::oid[]) WITH ORDINALITY AS i(oid, position) JOIN pg_index x ON x.indrelid = i.oid \
 JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am m ON m.oid = c.relam";

/// Asks the catalogs about every table of the definitions at once.
pub(super) async fn inspect(session: &Session, api: &ApiDefinition) -> Result<Found, SchemaError> {
    let mut found = Found {
        tables: api.resources.iter().map(|_| None).collect(),
        ..Found::default()
    };
    for row in session.ask(SCHEMAS, &[]).await? {
        found.schemas.insert(read(&row, 0)?);
        found.encoding = read(&row, 1)?;
    }
    tables(session, api, &mut found).await?;
    types(session, api, &mut found).await?;
    let oids: Vec<u32> = found
        .tables
        .iter()
        .map(|table| table.as_ref().map_or(0, |table| table.oid))
        .collect();
    for row in session.ask(COLUMNS, &[&oids]).await? {
        if let Some(table) = &mut found.tables[position(&row)?] {
            table.columns.insert(read(&row, 1)?, column(&row)?);
        }
    }
    for row in session.ask(CONSTRAINTS, &[&oids]).await? {
        if let Some(table) = &mut found.tables[position(&row)?] {
            constraint(&row, table)?;
        }
    }
    for row in session.ask(INDEXES, &[&oids]).await? {
        if let Some(table) = &mut found.tables[position(&row)?] {
            table.indexes.push(index(&row)?);
        }
    }
    Ok(found)
}

async fn tables(session: &Session, api: &ApiDefinition, found: &mut Found) -> Result<(), SchemaError> {
    let names = || api.resources.iter().map(|resource| &resource.table);
    let schemas: Vec<Option<&str>> = names().map(|name| name.schema.as_deref()).collect();
    let tables: Vec<&str> = names().map(|name| name.table.as_str()).collect();
    for row in session.ask(TABLES, &[&schemas, &tables]).await? {
        let kind: String = read(&row, 2)?;
        found.tables[position(&row)?] = Some(FoundTable {
            oid: read(&row, 1)?,
            is_table: matches!(kind.as_str(), "r" | "p"),
            schema: read(&row, 3)?,
            reachable: read(&row, 4)?,
            ..FoundTable::default()
        });
    }
    Ok(())
}

async fn types(session: &Session, api: &ApiDefinition, found: &mut Found) -> Result<(), SchemaError> {
    let named: Vec<&str> = api
        .resources
        .iter()
        .flat_map(|resource| &resource.fields)
        .filter_map(|field| field.db_type.as_deref())
        .collect();
    let parts = named.iter().map(|name| {
        let name = name.trim_end_matches("[]");
        name.split_once('.')
            .map_or((None, name), |(schema, name)| (Some(schema), name))
    });
    let (schemas, names): (Vec<Option<&str>>, Vec<&str>) = parts.unzip();
    for row in session.ask(TYPES, &[&named, &schemas, &names]).await? {
        found.types.insert(read(&row, 0)?);
    }
    Ok(())
}

fn column(row: &Row) -> Result<FoundColumn, SchemaError> {
    let element: Option<u32> = read(row, 11)?;
    let ty = driver_type(read(row, 8)?, read(row, 9)?, read(row, 10)?);
    let driver_type = match element {
        Some(element) => {
            let element = driver_type(element, read(row, 12)?, read(row, 13)?);
            Type::new(
                ty.name().to_owned(),
                ty.oid(),
                Kind::Array(element),
                String::new(),
            )
        }
        None => ty,
    };
    Ok(FoundColumn {
        ty: read(row, 2)?,
        base: read(row, 3)?,
        driver_type,
        not_null: read(row, 4)?,
        has_default: read(row, 5)?,
        generated: read(row, 6)?,
        loose_collation: read(row, 7)?,
    })
}

/// A type as the driver would know it, without asking it: a question of the driver's would be one about the table.
fn driver_type(oid: u32, name: String, kind: &str) -> Type {
    Type::from_oid(oid).unwrap_or_else(|| {
        let kind = if kind == "e" {
            Kind::Enum(Vec::new())
        } else {
            Kind::Simple
        };
        Type::new(name, oid, kind, String::new())
    })
}

fn constraint(row: &Row, table: &mut FoundTable) -> Result<(), SchemaError> {
    let kind: String = read(row, 1)?;
    let columns = read(row, 3)?;
    match kind.as_str() {
        "p" => table.primary_key = true,
        "f" => table.foreign_keys.push(FoundForeignKey {
            columns,
            target: read::<Option<i64>>(row, 5)?.map(from_ordinal),
            target_columns: read(row, 6)?,
            on_delete: read(row, 4)?,
            validated: read(row, 7)?,
            enforced: read(row, 8)?,
        }),
        "c" => table.checks.push(FoundCheck {
            name: read(row, 2)?,
            columns,
            condition: read(row, 9)?,
        }),
        // Unique constraints are seen as their indexes.
        _ => {}
    }
    Ok(())
}

fn index(row: &Row) -> Result<FoundIndex, SchemaError> {
    Ok(FoundIndex {
        name: read(row, 1)?,
        method: read(row, 2)?,
        unique: read(row, 3)?,
        immediate: read(row, 4)?,
        usable: read(row, 5)?,
        whole: read(row, 6)?,
        columns: read(row, 7)?,
        nulls_distinct: read(row, 8)?,
        collates: read(row, 9)?,
    })
}

/// Which resource a row speaks of.
pub(super) fn position(row: &Row) -> Result<usize, SchemaError> {
    read(row, 0).map(from_ordinal)
}

fn from_ordinal(ordinal: i64) -> usize {
    usize::try_from(ordinal).expect("WITH ORDINALITY counts from one") - 1
}
