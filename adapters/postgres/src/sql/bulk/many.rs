//! Statements that change or delete the rows that match.

use rowstamp_domain::definition::{FieldId, ResourceDefinition};
use rowstamp_domain::operation::{DeleteMany, Representation, RowBound, UpdateMany};
use rowstamp_domain::query::{Condition, Select};
use rowstamp_domain::value::Value;

use super::{BulkLayout, demand_bound};
use crate::sql::condition::{self, Row};
use crate::sql::embed;
use crate::sql::item::answer::{Answer, Written, returning};
use crate::sql::item::change::Change;
use crate::sql::plan::Layout;
use crate::sql::select::separate;
use crate::sql::writer::{Alias, Writer};

/// Which rows are meant, and what is asked of each.
struct Target<'a> {
    resource: &'a ResourceDefinition,
    visible: &'a Condition,
    permitted: &'a Condition,
    condition: &'a Condition,
    select: &'a Select,
    expect: &'a [(FieldId, Value)],
    lock: &'static str,
    /// Whether there is anything to write.
    writes: bool,
}

/// Changes the rows that match.
pub(in crate::sql) fn update_many<'a>(w: &mut Writer<'a>, update: &'a UpdateMany) -> Layout {
    let resource = &*update.resource;
    // Without anything to set and to expect nothing is found, but the answer has the form that was asked for.
    let target = Target {
        resource,
        visible: &update.visible,
        permitted: &update.permitted,
        condition: if update.set.is_empty() && update.expect.is_empty() {
            &Condition::Never
        } else {
            &update.condition
        },
        select: &update.select,
        expect: &update.expect,
        lock: " FOR NO KEY UPDATE",
        writes: !update.set.is_empty(),
    };
    let change = Change::number(w, resource, &update.set, &update.stamp);
    let row = Row::Changed {
        set: &update.set,
        first: change.first,
        stamp: change.stamp,
    };
    locked(w, &target, Some(&row));
    change.write(w, resource, &update.set);
    w.push(" FROM target, j WHERE ");
    demand(w, &target, update.bound);
    let answer = Answer {
        resource,
        select: &update.select,
        representation: update.representation,
        visible: &update.visible,
    };
    written(w, &target, &answer)
}

/// Deletes the rows that match.
pub(in crate::sql) fn delete_many<'a>(w: &mut Writer<'a>, delete: &'a DeleteMany) -> Layout {
    let resource = &*delete.resource;
    let target = Target {
        resource,
        visible: &delete.visible,
        permitted: &delete.permitted,
        condition: &delete.condition,
        select: &delete.select,
        expect: &[],
        lock: " FOR UPDATE",
        writes: true,
    };
    locked(w, &target, None);
    w.push("DELETE FROM ");
    w.table(resource);
    w.push(" AS t USING target, j WHERE ");
    demand(w, &target, delete.bound);
    let answer = Answer {
        resource,
        select: &delete.select,
        representation: delete.representation,
        // The answer shows rows as they were, and those were visible.
        visible: &Condition::Always,
    };
    written(w, &target, &answer)
}

/// The CTEs `target`, with each row locked and every question about it, and `j`, with their number and what all of them say; and the
/// beginning of `w`.
fn locked<'a>(w: &mut Writer<'a>, target: &Target<'a>, changed: Option<&Row<'_>>) {
    let resource = target.resource;
    w.push("WITH target AS MATERIALIZED (SELECT ");
    w.column(resource.field(resource.audit.uid));
    w.push(" AS u");
    for (index, (id, value)) in target.expect.iter().enumerate() {
        w.push(", ");
        condition::operand(w, resource, *id, &Row::Stored);
        w.push(" IS DISTINCT FROM ");
        condition::single(w, resource.field(*id), value);
        w.indexed(" AS m", index);
    }
    w.push(", ");
    match changed {
        Some(row) => condition::write(w, resource, target.permitted, row),
        None => w.push("true"),
    }
    w.push(" IS TRUE AS fits FROM ");
    w.table(resource);
    w.push(" AS t WHERE ");
    condition::write(w, resource, target.visible, &Row::Stored);
    w.push(" AND ");
    condition::write(w, resource, target.permitted, &Row::Stored);
    w.push(" AND ");
    let subject = condition::Subject {
        resource,
        select: &target.select.0,
        row: &Row::Stored,
    };
    condition::write_query(w, &subject, target.condition);
    embed::inner_joins(w, target.select, resource, Alias::ROOT, " AND ");
    w.push(" ORDER BY ");
    w.column(resource.field(resource.audit.uid));
    w.push(target.lock);
    w.push("), j AS MATERIALIZED (SELECT ");
    w.push(if target.writes {
        "count(*) AS would, coalesce(bool_and(target.fits), true) AS fits"
    } else {
        "0::bigint AS would, true AS fits"
    });
    for index in 0..target.expect.len() {
        w.indexed(", coalesce(bool_or(target.m", index);
        w.indexed("), false) AS m", index);
    }
    w.push(" FROM target), w AS (");
}

fn demand(w: &mut Writer<'_>, target: &Target<'_>, bound: RowBound) {
    w.column(target.resource.field(target.resource.audit.uid));
    w.push(" = target.u AND j.fits");
    if !target.writes {
        w.push(" AND false");
    }
    for index in 0..target.expect.len() {
        w.indexed(" AND NOT j.m", index);
    }
    demand_bound(w, bound);
}

/// The rest of the statement: what comes back of the rows that were written, in the order of their uids, and the judgement on all.
fn written<'a>(w: &mut Writer<'a>, target: &Target<'a>, answer: &Answer<'a, '_>) -> Layout {
    let resource = target.resource;
    let shown: Option<Written> = if answer.representation == Representation::Nothing {
        w.push(" RETURNING 1");
        None
    } else {
        let written = returning(w, answer);
        w.push(", ");
        w.column(resource.field(resource.audit.uid));
        w.push(" AS u");
        Some(written)
    };
    w.push(") SELECT ");
    let mut layout = shown
        .as_ref()
        .map_or_else(Layout::default, |written| written.select_as(w, "w"));
    separate(w, &layout);
    w.push("NOT j.fits, j.would");
    let mut bulk = BulkLayout {
        refused_new: Some(layout.next()),
        would: Some(layout.next()),
        ..BulkLayout::default()
    };
    let first = layout.width;
    for index in 0..target.expect.len() {
        w.indexed(", j.m", index);
        layout.next();
    }
    bulk.mismatches = first..layout.width;
    if shown.is_some() {
        w.push(" FROM j LEFT JOIN w ON true ORDER BY w.u");
    } else {
        w.push(", (SELECT count(*) FROM w) FROM j");
        bulk.written = Some(layout.next());
    }
    layout.bulk = Some(bulk);
    layout
}
