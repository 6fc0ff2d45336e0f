//! Statements that create rows where none is in the way, and change or pass over those that are.
//!
//! `ON CONFLICT DO UPDATE` would do it with less text, but judges a row only while it writes others, and cannot say which it refused.

use rowstamp_domain::definition::FieldId;
use rowstamp_domain::operation::{ConflictAction, Insert, Merge, OnConflict};

use super::records::{in_the_way, insert_absent, position, records};
use super::{BulkLayout, RACE_LOST, demand_bound};
use crate::sql::condition::{self, Row, StampNumbers};
use crate::sql::item::answer::{Answer, returning};
use crate::sql::item::change::{number_stamp, write_stamp};
use crate::sql::plan::Layout;
use crate::sql::writer::Writer;

/// Creates rows, or does what `conflict` says.
pub(in crate::sql) fn upsert<'a>(w: &mut Writer<'a>, insert: &'a Insert, conflict: &'a OnConflict) -> Layout {
    match &conflict.action {
        ConflictAction::Ignore => ignore(w, insert, &conflict.target),
        ConflictAction::Merge(merge) => Merging::new(w, insert, &conflict.target, merge).write(w),
    }
}

/// The fields of which any record expects something, in the order of the definition.
pub(in crate::sql) fn expected_fields(merge: &Merge) -> Vec<FieldId> {
    let mut fields: Vec<FieldId> = merge.expect.iter().flatten().map(|(id, _)| *id).collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}

fn answer(insert: &Insert) -> Answer<'_, '_> {
    Answer {
        resource: &insert.resource,
        select: &insert.select,
        representation: insert.representation,
        visible: &insert.visible,
    }
}

fn uid_column(w: &mut Writer<'_>, insert: &Insert) {
    w.column(insert.resource.field(insert.resource.audit.uid));
    w.push(" AS u");
}

/// The CTE `f`: the records that nothing is in the way of, whether they may be created, and which of the `expected` fields they would not
/// have.
fn absent<'a>(
    w: &mut Writer<'a>,
    insert: &'a Insert,
    expected: &[FieldId],
    in_the_way: impl FnOnce(&mut Writer<'a>),
) {
    w.push(", f AS MATERIALIZED (SELECT n.*, ");
    let row = Row::Bulk {
        columns: &insert.columns,
    };
    condition::write(w, &insert.resource, &insert.permitted, &row);
    w.push(" IS TRUE AS permitted");
    for (index, id) in expected.iter().enumerate() {
        w.indexed(", n.x", index);
        w.push(" AND ");
        condition::operand(w, &insert.resource, *id, &row);
        w.push(" IS DISTINCT FROM ");
        condition::sent_column(w, insert.resource.field(*id), "n.e", index);
        w.indexed(" AS m", index);
    }
    w.push(" FROM n WHERE NOT EXISTS (");
    in_the_way(w);
    w.push("))");
}

/// Rows that are in the way stay as they are and are not heard of. One that came in the meantime is passed over as well.
fn ignore<'a>(w: &mut Writer<'a>, insert: &'a Insert, target: &'a [FieldId]) -> Layout {
    w.push("WITH ");
    records(w, insert, None);
    absent(w, insert, &[], |w| {
        w.push("SELECT 1 FROM ");
        w.table(&insert.resource);
        w.push(" AS t WHERE ");
        in_the_way(w, insert, target);
    });
    w.push(
        ", j AS MATERIALIZED (SELECT count(*) AS would, coalesce(bool_and(f.permitted), true) AS ok FROM f), ",
    );
    insert_absent(w, insert, target, |w| demand_bound(w, insert.bound));
    let written = returning(w, &answer(insert));
    w.push(", ");
    uid_column(w, insert);
    w.push("), a AS (SELECT i.*, n.o FROM i JOIN n ON n.c");
    w.indexed("", position(insert, insert.resource.audit.uid));
    w.push(" = i.u) SELECT ");
    let mut layout = written.select_as(w, "a");
    w.push(", NOT j.ok, j.would, a.written, a.u");
    layout.bulk = Some(BulkLayout {
        refused: Some(layout.next()),
        would: Some(layout.next()),
        made: Some(layout.next()),
        uid: Some(layout.next()),
        ..BulkLayout::default()
    });
    w.push(" FROM j LEFT JOIN a ON true ORDER BY a.o");
    layout
}

/// A merge in the writing.
struct Merging<'a> {
    insert: &'a Insert,
    target: &'a [FieldId],
    merge: &'a Merge,
    expected: Vec<FieldId>,
    stamp: StampNumbers,
}

impl<'a> Merging<'a> {
    fn new(w: &mut Writer<'a>, insert: &'a Insert, target: &'a [FieldId], merge: &'a Merge) -> Self {
        Self {
            insert,
            target,
            merge,
            expected: expected_fields(merge),
            stamp: number_stamp(w, &insert.resource, &merge.stamp),
        }
    }

    fn write(&self, w: &mut Writer<'a>) -> Layout {
        w.push("WITH ");
        records(w, self.insert, Some((self.merge, &self.expected)));
        self.locked(w);
        absent(w, self.insert, &self.expected, |w| {
            w.push("SELECT 1 FROM target WHERE target.o = n.o");
        });
        self.judge(w);
        w.push(", w AS (");
        self.update(w);
        let written = returning(w, &answer(self.insert));
        w.push(", ");
        uid_column(w, self.insert);
        w.push(", false AS made, n.o AS o), ");
        insert_absent(w, self.insert, self.target, |_| ());
        // The columns are said again, with parameters of their own.
        returning(w, &answer(self.insert));
        w.push(", ");
        uid_column(w, self.insert);
        w.push(", true AS made), a AS (SELECT * FROM w UNION ALL SELECT i.*, n.o FROM i JOIN n ON n.c");
        w.indexed("", position(self.insert, self.insert.resource.audit.uid));
        w.push(" = i.u) SELECT ");
        let mut layout = written.select_as(w, "a");
        layout.bulk = Some(self.judgement(w, &mut layout));
        w.push(
            " FROM n LEFT JOIN target ON target.o = n.o LEFT JOIN f ON f.o = n.o LEFT JOIN a ON a.o = n.o \
             CROSS JOIN j ORDER BY n.o",
        );
        layout
    }

    /// The CTE `target`: the records that a row is in the way of, the row locked, and every question about it.
    fn locked(&self, w: &mut Writer<'a>) {
        let resource = &*self.insert.resource;
        w.push(", target AS MATERIALIZED (SELECT n.*, ");
        uid_column(w, self.insert);
        w.push(", (");
        condition::write(w, resource, &self.merge.visible, &Row::Stored);
        w.push(" AND ");
        condition::write(w, resource, &self.merge.permitted, &Row::Stored);
        w.push(") IS TRUE AS reach");
        for (index, id) in self.expected.iter().enumerate() {
            w.indexed(", n.x", index);
            w.push(" AND ");
            condition::operand(w, resource, *id, &Row::Stored);
            w.push(" IS DISTINCT FROM ");
            condition::sent_column(w, resource.field(*id), "n.e", index);
            w.indexed(" AS m", index);
        }
        w.push(", ");
        let row = Row::Merged {
            columns: &self.insert.columns,
            set: &self.merge.set,
            masked: self.merge.given.is_some(),
            stamp: self.stamp,
        };
        condition::write(w, resource, &self.merge.permitted, &row);
        w.push(" IS TRUE AS fits FROM ");
        w.table(resource);
        w.push(" AS t JOIN n ON ");
        in_the_way(w, self.insert, self.target);
        w.push(" ORDER BY ");
        w.column(resource.field(resource.audit.uid));
        w.push(" FOR NO KEY UPDATE OF t)");
    }

    /// The CTE `j`: whether everything is in favour.
    fn judge(&self, w: &mut Writer<'a>) {
        w.push(", j AS MATERIALIZED (SELECT coalesce((SELECT bool_and(reach AND fits");
        for index in 0..self.expected.len() {
            w.indexed(" AND NOT m", index);
        }
        w.push(") FROM target), true) AND coalesce((SELECT bool_and(permitted");
        for index in 0..self.expected.len() {
            w.indexed(" AND NOT m", index);
        }
        w.push(") FROM f), true) AS ok)");
    }

    fn update(&self, w: &mut Writer<'a>) {
        let resource = &*self.insert.resource;
        w.push("UPDATE ");
        w.table(resource);
        w.push(" AS t SET ");
        let mut between = "";
        for (index, id) in self.merge.set.iter().enumerate() {
            w.push(between);
            w.identifier(&resource.field(*id).column);
            w.push(" = ");
            let mask = self.merge.given.as_ref().map(|_| index);
            condition::merged_column(w, resource, &self.insert.columns, *id, mask);
            between = ", ";
        }
        write_stamp(w, resource, self.stamp, between);
        w.push(" FROM target AS n, j WHERE ");
        w.column(resource.field(resource.audit.uid));
        w.push(" = n.u AND j.ok");
    }

    /// Selects what was found of each record, and fails the statement where a new row was passed over after all.
    fn judgement(&self, w: &mut Writer<'a>, layout: &mut Layout) -> BulkLayout {
        w.push(", n.o, coalesce(NOT target.reach, NOT f.permitted)");
        let mut bulk = BulkLayout {
            record: Some(layout.next()),
            refused: Some(layout.next()),
            ..BulkLayout::default()
        };
        let first = layout.width;
        for index in 0..self.expected.len() {
            w.indexed(", coalesce(target.m", index);
            w.indexed(", f.m", index);
            w.push(")");
            layout.next();
        }
        bulk.mismatches = first..layout.width;
        w.push(", NOT target.fits, a.made, a.u");
        bulk.refused_new = Some(layout.next());
        bulk.made = Some(layout.next());
        bulk.uid = Some(layout.next());
        w.push(", (CASE WHEN j.ok AND (SELECT count(*) FROM i) < (SELECT count(*) FROM f) THEN '");
        w.push(RACE_LOST);
        w.push("' ELSE '0' END)::integer");
        layout.next();
        bulk
    }
}
