//! The records of an operation as rows of the statement: `n`, with the columns `c0`, `c1`, … and their number `o`.

use rowstamp_domain::definition::{FieldId, ResourceDefinition};
use rowstamp_domain::operation::{Insert, Merge};
use tokio_postgres::types::Type;

use crate::params::Param;
use crate::sql::condition;
use crate::sql::writer::{Writer, array_type};

/// Writes the CTE `n`. A merge adds which columns are given (`g0`, …), what is expected of the row that is there (`e0`, …) and
/// whether anything is (`x0`, …).
///
/// The number of a row comes from `generate_series`, not WITH ORDINALITY: without values the planner takes it for a thousand rows, and so
/// never joins them by trying each with each.
pub(super) fn records<'a>(w: &mut Writer<'a>, insert: &'a Insert, merge: Option<(&'a Merge, &[FieldId])>) {
    let resource = &*insert.resource;
    w.push("n AS MATERIALIZED (SELECT ");
    columns(w, insert);
    if let Some((merge, expected)) = merge {
        for index in 0..merge.given.as_ref().map_or(0, |_| merge.set.len()) {
            let rows = merge.given.as_deref().unwrap_or_default();
            w.push(", ");
            array(w, Param::Mask { rows, index }, Type::BOOL_ARRAY, " AS g", index);
        }
        for (index, field) in expected.iter().enumerate() {
            let (rows, field) = (merge.expect.as_slice(), *field);
            w.push(", ");
            let ty = column_type(resource, field);
            array(w, Param::Expected { rows, field }, ty, " AS e", index);
            w.push(", ");
            array(
                w,
                Param::Expects { rows, field },
                Type::BOOL_ARRAY,
                " AS x",
                index,
            );
        }
    }
    w.push(", generate_series(1::bigint, ");
    let count = i64::try_from(insert.rows.len()).unwrap_or(i64::MAX);
    let count = w.param(Param::BigInt(count), Type::INT8);
    w.number(count);
    w.push(") AS o)");
}

/// Writes the columns of the records, `unnest($1) AS c0, …`.
///
/// They stand in the list of what is selected, where PostgreSQL takes an element of each array in turn; in FROM it would write the elements
/// of each array into a store of its own first, which takes several times as long.
pub(in crate::sql) fn columns<'a>(w: &mut Writer<'a>, insert: &'a Insert) {
    for (index, column) in insert.columns.iter().enumerate() {
        if index > 0 {
            w.push(", ");
        }
        let param = Param::Column {
            rows: &insert.rows,
            index,
        };
        array(w, param, column_type(&insert.resource, *column), " AS c", index);
    }
}

fn array<'a>(w: &mut Writer<'a>, param: Param<'a>, ty: Type, name: &'static str, index: usize) {
    w.push("unnest(");
    let number = w.param(param, ty);
    w.number(number);
    w.push(")");
    w.indexed(name, index);
}

/// `unnest` flattens arrays of arrays, so arrays travel as text.
fn column_type(resource: &ResourceDefinition, field: FieldId) -> Type {
    let ty = resource.field(field).ty;
    if ty.array {
        Type::TEXT_ARRAY
    } else {
        array_type(ty.scalar)
    }
}

/// Writes `t.a = n.c0 AND …`: that a row is in the way of a new one.
pub(super) fn in_the_way(w: &mut Writer<'_>, insert: &Insert, target: &[FieldId]) {
    for (index, id) in target.iter().enumerate() {
        if index > 0 {
            w.push(" AND ");
        }
        let field = insert.resource.field(*id);
        condition::operand(w, &insert.resource, *id, &condition::Row::Stored);
        w.push(" = ");
        condition::bulk_column(w, field, position(insert, *id));
    }
}

/// Writes `INSERT INTO table AS t (…) SELECT n.c0, … FROM f AS n, j WHERE j.ok … ON CONFLICT (…) DO NOTHING`, in the order of the target,
/// so that two such statements do not wait for each other. `demand` adds to what must hold.
pub(super) fn insert_absent<'a>(
    w: &mut Writer<'a>,
    insert: &Insert,
    target: &[FieldId],
    demand: impl FnOnce(&mut Writer<'a>),
) {
    let resource = &*insert.resource;
    w.push("i AS (INSERT INTO ");
    w.table(resource);
    w.push(" AS t (");
    for (index, column) in insert.columns.iter().enumerate() {
        if index > 0 {
            w.push(", ");
        }
        w.identifier(&resource.field(*column).column);
    }
    w.push(") SELECT ");
    for (index, column) in insert.columns.iter().enumerate() {
        if index > 0 {
            w.push(", ");
        }
        condition::bulk_column(w, resource.field(*column), index);
    }
    w.push(" FROM f AS n, j WHERE j.ok");
    demand(w);
    w.push(" ORDER BY ");
    for (index, id) in target.iter().enumerate() {
        if index > 0 {
            w.push(", ");
        }
        w.indexed("n.c", position(insert, *id));
    }
    w.push(" ON CONFLICT (");
    for (index, id) in target.iter().enumerate() {
        if index > 0 {
            w.push(", ");
        }
        w.identifier(&resource.field(*id).column);
    }
    w.push(") DO NOTHING");
}

/// The position of a column that is given.
pub(super) fn position(insert: &Insert, id: FieldId) -> usize {
    insert
        .columns
        .iter()
        .position(|column| *column == id)
        .unwrap_or(0)
}
