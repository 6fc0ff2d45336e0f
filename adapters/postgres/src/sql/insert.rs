//! Statements that create rows.

use rowstamp_domain::operation::{Insert, Representation};

use super::bulk;
use super::condition::{self, Columns, Row};
use super::plan::Layout;
use super::select::{Naming, separate, write_columns, write_version};
use super::writer::{Number, Writer, param_type};
use crate::params::Param;

/// One row or many; all or none.
pub(super) fn insert<'a>(w: &mut Writer<'a>, insert: &'a Insert) -> Layout {
    if let Some(conflict) = &insert.conflict {
        return bulk::upsert(w, insert, conflict);
    }
    match &*insert.rows {
        [row] => one(w, insert, row),
        _ => many(w, insert),
    }
}

fn one<'a>(w: &mut Writer<'a>, insert: &'a Insert, row: &'a [rowstamp_domain::value::Value]) -> Layout {
    let resource = &*insert.resource;
    let mut first = Number(1);
    for (index, (column, value)) in insert.columns.iter().zip(row).enumerate() {
        let number = w.param(Param::Value(value), param_type(resource.field(*column).ty));
        if index == 0 {
            first = number;
        }
    }
    into(w, insert);
    let ruled = !condition::is_always(&insert.permitted);
    w.push(if ruled { " SELECT " } else { " VALUES (" });
    if w.wants_text() {
        for (index, column) in insert.columns.iter().enumerate() {
            if index > 0 {
                w.push(", ");
            }
            w.number(Number(first.0 + index));
            w.cast_in(resource.field(*column));
        }
    }
    if ruled {
        w.push(" WHERE ");
        let row = Row::New {
            columns: Columns::Ids(&insert.columns),
            first,
        };
        condition::write(w, resource, &insert.permitted, &row);
    } else {
        w.push(")");
    }
    returning(w, insert)
}

/// Many rows from one array per column, so that their number is no part of the statement.
fn many<'a>(w: &mut Writer<'a>, insert: &'a Insert) -> Layout {
    let resource = &*insert.resource;
    w.push("WITH n AS (SELECT ");
    bulk::columns(w, insert);
    w.push(") ");
    into(w, insert);
    w.push(" SELECT ");
    if w.wants_text() {
        for (index, column) in insert.columns.iter().enumerate() {
            if index > 0 {
                w.push(", ");
            }
            condition::bulk_column(w, resource.field(*column), index);
        }
    }
    w.push(" FROM n");
    if !condition::is_always(&insert.permitted) {
        w.push(" WHERE NOT EXISTS (SELECT 1 FROM n WHERE ");
        condition::write(
            w,
            resource,
            &insert.permitted,
            &Row::Bulk {
                columns: &insert.columns,
            },
        );
        w.push(" IS NOT TRUE)");
    }
    returning(w, insert)
}

fn into(w: &mut Writer<'_>, insert: &Insert) {
    if !w.wants_text() {
        return;
    }
    w.push("INSERT INTO ");
    w.table(&insert.resource);
    w.push(" AS t (");
    for (index, column) in insert.columns.iter().enumerate() {
        if index > 0 {
            w.push(", ");
        }
        w.identifier(&insert.resource.field(*column).column);
    }
    w.push(")");
}

fn returning<'a>(w: &mut Writer<'a>, insert: &'a Insert) -> Layout {
    let resource = &*insert.resource;
    let shows = insert.representation != Representation::Nothing;
    let many = insert.rows.len() != 1;
    if many && !shows {
        // The number of rows written comes with the end of the command.
        return Layout::default();
    }
    w.push(" RETURNING ");
    let mut layout = write_columns(w, resource, &insert.select, insert.representation, Naming::Plain);
    if many {
        layout.version = None;
    } else {
        write_version(w, resource, &mut layout, Naming::Plain);
    }
    if shows && !condition::is_always(&insert.visible) {
        separate(w, &layout);
        condition::write(w, resource, &insert.visible, &Row::Stored);
        layout.shown = Some(layout.next());
    }
    if layout.width == 0 {
        w.push("1");
        layout.next();
    }
    layout
}
