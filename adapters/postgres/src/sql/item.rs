//! Statements that write one row that is there: change, replace, delete.
//!
//! Where a write is judged, its statement locks the row in a CTE first. The lock waits for other writers and then sees what they
//! committed, so the judgement is about the row that will be written; a sub-select would judge the row of the snapshot.
//! What needs no judgement is written straight away.

use rowstamp_domain::definition::{FieldId, ResourceDefinition};
use rowstamp_domain::operation::{Delete, Precondition, Replace, Representation, Update};
use rowstamp_domain::query::{Condition, Select};
use rowstamp_domain::value::Value;
use tokio_postgres::types::Type;

use super::condition::{self, Columns, Row, StampNumbers};
use super::plan::{Judgement, Layout, Naming, separate, write_columns, write_version};
use super::writer::{Number, Writer, param_type};
use crate::params::Param;

/// Changes one row.
pub(super) fn update<'a>(w: &mut Writer<'a>, update: &'a Update) -> Layout {
    let uid = w.param(Param::Uuid(update.uid), Type::UUID);
    if update.set.is_empty() {
        return judge_only(w, update, uid);
    }
    let judged = !condition::is_always(&update.visible)
        || !condition::is_always(&update.permitted)
        || !update.expect.is_empty()
        || !matches!(update.precondition, Precondition::None | Precondition::Exists);
    let change = Change::number(w, update);
    if !judged {
        change.write(w, update);
        where_uid(w, &update.resource, uid, " WHERE ");
        w.push(" RETURNING ");
        let mut layout = write_columns(
            w,
            &update.resource,
            &update.select,
            update.representation,
            Naming::Plain,
        );
        write_version(w, &update.resource, &mut layout, Naming::Plain);
        if layout.width == 0 {
            w.push("1");
            layout.next();
        }
        return layout;
    }
    w.push("WITH target AS (");
    let questions = target(w, &Target::of_update(update, &change), uid, " FOR NO KEY UPDATE");
    w.push("), w AS (");
    change.write(w, update);
    w.push(" FROM target");
    where_uid(w, &update.resource, uid, " WHERE ");
    questions.demand(w);
    let written = returning(w, &update_answer(update));
    w.push(") SELECT ");
    let mut layout = written.select(w);
    let mut judgement = Judgement::default();
    questions.select(w, &mut layout, &mut judgement);
    layout.judgement = Some(judgement);
    w.push(" FROM target LEFT JOIN w ON true");
    layout
}

/// Judges a change that changes nothing, and shows the row as it is.
fn judge_only<'a>(w: &mut Writer<'a>, update: &'a Update, uid: Number) -> Layout {
    let resource = &*update.resource;
    w.push("SELECT ");
    let mut layout = write_columns(w, resource, &update.select, update.representation, Naming::Plain);
    write_version(w, resource, &mut layout, Naming::Plain);
    separate(w, &layout);
    let mut judgement = Judgement::default();
    let questions = questions(w, &Target::of_nothing(update));
    judgement.found = layout.next();
    let base = layout.width;
    questions.place(&mut judgement, base);
    layout.width += questions.count();
    layout.judgement = Some(judgement);
    w.push(" FROM ");
    w.table(resource);
    w.push(" AS t");
    where_uid(w, resource, uid, " WHERE ");
    layout
}

/// Deletes one row.
pub(super) fn delete<'a>(w: &mut Writer<'a>, delete: &'a Delete) -> Layout {
    let resource = &*delete.resource;
    let uid = w.param(Param::Uuid(delete.uid), Type::UUID);
    let judged = !condition::is_always(&delete.visible)
        || !condition::is_always(&delete.permitted)
        || !matches!(delete.precondition, Precondition::None | Precondition::Exists);
    if !judged {
        w.push("DELETE FROM ");
        w.table(resource);
        w.push(" AS t");
        where_uid(w, resource, uid, " WHERE ");
        w.push(" RETURNING ");
        let mut layout = write_columns(w, resource, &delete.select, delete.representation, Naming::Plain);
        write_version(w, resource, &mut layout, Naming::Plain);
        if layout.width == 0 {
            w.push("1");
            layout.next();
        }
        return layout;
    }
    w.push("WITH target AS (");
    let target_of_delete = Target {
        resource,
        visible: &delete.visible,
        permitted: &delete.permitted,
        precondition: &delete.precondition,
        expect: &[],
        change: None,
    };
    let questions = target(w, &target_of_delete, uid, " FOR UPDATE");
    w.push("), w AS (DELETE FROM ");
    w.table(resource);
    w.push(" AS t USING target");
    where_uid(w, resource, uid, " WHERE ");
    questions.demand(w);
    let written = returning(
        w,
        &Answer {
            resource,
            select: &delete.select,
            representation: delete.representation,
            // The answer shows the row as it was, and that one was visible.
            visible: &Condition::Always,
        },
    );
    w.push(") SELECT ");
    let mut layout = written.select(w);
    let mut judgement = Judgement::default();
    questions.select(w, &mut layout, &mut judgement);
    layout.judgement = Some(judgement);
    w.push(" FROM target LEFT JOIN w ON true");
    layout
}

/// Replaces a row, or creates it where there is none.
///
/// A creation that meets a row which is not in its snapshot does nothing (`ON CONFLICT DO NOTHING`), and neither branch
/// answers; the same statement in a new snapshot then replaces that row.
pub(super) fn replace<'a>(w: &mut Writer<'a>, replace: &'a Replace) -> Layout {
    let update = &replace.update;
    let resource = &*update.resource;
    let uid = w.param(Param::Uuid(update.uid), Type::UUID);
    let change = Change::number(w, update);
    w.push("WITH target AS (");
    let questions = target(w, &Target::of_update(update, &change), uid, " FOR NO KEY UPDATE");
    w.push("), w AS (");
    change.write(w, update);
    w.push(" FROM target");
    where_uid(w, resource, uid, " WHERE ");
    questions.demand(w);
    let written = returning(w, &update_answer(update));
    let creation = replace
        .create
        .as_ref()
        .filter(|_| matches!(update.precondition, Precondition::None | Precondition::Absent));
    let Some(create) = creation else {
        w.push(") SELECT ");
        let mut layout = written.select(w);
        let mut judgement = Judgement::default();
        questions.select(w, &mut layout, &mut judgement);
        layout.judgement = Some(judgement);
        w.push(" FROM target LEFT JOIN w ON true");
        return layout;
    };
    let ruled = !condition::is_always(&create.permitted);
    let mut first = Number(1);
    for (index, (id, value)) in create.values.iter().enumerate() {
        let number = w.param(Param::Value(value), param_type(resource.field(*id).ty));
        if index == 0 {
            first = number;
        }
    }
    if ruled {
        w.push("), rule AS (SELECT ");
        let row = Row::New {
            columns: Columns::Values(&create.values),
            first,
        };
        condition::write(w, resource, &create.permitted, &row);
        w.push(" IS TRUE AS permitted");
    }
    w.push("), i AS (INSERT INTO ");
    w.table(resource);
    w.push(" AS t (");
    list(w, &create.values, |w, _, id| {
        w.identifier(&resource.field(id).column);
    });
    w.push(") SELECT ");
    list(w, &create.values, |w, index, id| {
        w.number(Number(first.0 + index));
        w.cast_in(resource.field(id));
    });
    w.push(" WHERE NOT EXISTS (SELECT 1 FROM target)");
    if ruled {
        w.push(" AND (SELECT permitted FROM rule)");
    }
    w.push(" ON CONFLICT (");
    w.identifier(&resource.field(resource.audit.uid).column);
    w.push(") DO NOTHING");
    // The condition is said again, with parameters of its own.
    returning(w, &update_answer(update));
    w.push("), a AS (SELECT *, false AS made FROM w UNION ALL SELECT *, true FROM i) SELECT ");
    let mut layout = written.select_as(w, "a");
    let mut judgement = Judgement::default();
    questions.select(w, &mut layout, &mut judgement);
    w.push(", a.made");
    judgement.created = Some(layout.next());
    if ruled {
        w.push(", one.permitted");
        judgement.permitted_create = Some(layout.next());
        w.push(" FROM rule AS one");
    } else {
        w.push(" FROM (SELECT 1) AS one");
    }
    w.push(" LEFT JOIN target ON true LEFT JOIN a ON true");
    layout.judgement = Some(judgement);
    layout
}

fn list(
    w: &mut Writer<'_>,
    values: &[(FieldId, Value)],
    mut write: impl FnMut(&mut Writer<'_>, usize, FieldId),
) {
    if !w.wants_text() {
        return;
    }
    for (index, (id, _)) in values.iter().enumerate() {
        if index > 0 {
            w.push(", ");
        }
        write(w, index, *id);
    }
}

fn where_uid(w: &mut Writer<'_>, resource: &ResourceDefinition, uid: Number, word: &str) {
    w.push(word);
    w.column(resource.field(resource.audit.uid));
    w.push(" = ");
    w.number(uid);
}

/// The parameters of a change.
struct Change {
    first: Number,
    stamp: StampNumbers,
}

impl Change {
    fn number<'a>(w: &mut Writer<'a>, update: &'a Update) -> Self {
        let resource = &*update.resource;
        let mut first = Number(1);
        for (index, (id, value)) in update.set.iter().enumerate() {
            let number = w.param(Param::Value(value), param_type(resource.field(*id).ty));
            if index == 0 {
                first = number;
            }
        }
        // A parameter that no text mentions would be an error, so each exists only with its column.
        let now = match resource.audit.last_updated_at {
            Some(_) => w.param(Param::Timestamp(update.stamp.now), Type::TIMESTAMPTZ),
            None => Number(0),
        };
        let actor = match resource.audit.last_updater_uid {
            Some(id) => w.param(
                Param::Value(&update.stamp.actor),
                param_type(resource.field(id).ty),
            ),
            None => Number(0),
        };
        Self {
            first,
            stamp: StampNumbers { now, actor },
        }
    }

    /// `UPDATE table SET …`, stamps included.
    fn write(&self, w: &mut Writer<'_>, update: &Update) {
        if !w.wants_text() {
            return;
        }
        let resource = &*update.resource;
        w.push("UPDATE ");
        w.table(resource);
        w.push(" AS t SET ");
        let mut between = "";
        for (index, (id, _)) in update.set.iter().enumerate() {
            let field = resource.field(*id);
            w.push(between);
            w.identifier(&field.column);
            w.push(" = ");
            w.number(Number(self.first.0 + index));
            w.cast_in(field);
            between = ", ";
        }
        if let Some(id) = resource.audit.last_updated_at {
            w.push(between);
            w.identifier(&resource.field(id).column);
            w.push(" = ");
            condition::next_version(w, resource.field(id), self.stamp);
            between = ", ";
        }
        if let Some(id) = resource.audit.last_updater_uid {
            w.push(between);
            w.identifier(&resource.field(id).column);
            w.push(" = ");
            w.number(self.stamp.actor);
            w.cast_in(resource.field(id));
            between = ", ";
        }
        if between.is_empty() {
            // A replacement that has nothing to write still has to touch the row.
            let uid = resource.field(resource.audit.uid);
            w.identifier(&uid.column);
            w.push(" = ");
            w.column(uid);
        }
    }
}

/// What is asked about the row before it is written.
struct Target<'a, 's> {
    resource: &'s ResourceDefinition,
    visible: &'a Condition,
    permitted: &'a Condition,
    precondition: &'a Precondition,
    expect: &'a [(FieldId, Value)],
    change: Option<(&'s [(FieldId, Value)], &'s Change)>,
}

impl<'a> Target<'a, 'a> {
    fn of_nothing(update: &'a Update) -> Self {
        Self {
            resource: &update.resource,
            visible: &update.visible,
            permitted: &update.permitted,
            precondition: &update.precondition,
            expect: update.expect.as_slice(),
            change: None,
        }
    }
}

impl<'a, 's> Target<'a, 's>
where
    'a: 's,
{
    fn of_update(update: &'a Update, change: &'s Change) -> Self {
        Self {
            resource: &update.resource,
            visible: &update.visible,
            permitted: &update.permitted,
            precondition: &update.precondition,
            expect: update.expect.as_slice(),
            change: Some((update.set.as_slice(), change)),
        }
    }

    /// Whether the change can make a difference to the rule.
    fn rule_is_affected(&self) -> bool {
        let Some((set, _)) = self.change else {
            return false;
        };
        let audit = &self.resource.audit;
        condition::refers(self.permitted, &|field| {
            set.iter().any(|(id, _)| *id == field)
                || audit.last_updated_at == Some(field)
                || audit.last_updater_uid == Some(field)
        })
    }
}

/// The questions that a statement asks about its target, in this order.
#[derive(Debug, Clone, Copy)]
struct Questions {
    visible: bool,
    permitted: bool,
    precondition: bool,
    mismatches: usize,
    permitted_new: bool,
}

impl Questions {
    const fn count(self) -> usize {
        self.visible as usize
            + self.permitted as usize
            + self.precondition as usize
            + self.mismatches
            + self.permitted_new as usize
    }

    /// Notes where the answers are, the first of them at `base`.
    fn place(self, judgement: &mut Judgement, base: usize) {
        let mut position = base;
        let mut next = |asked: bool| {
            asked.then(|| {
                position += 1;
                position - 1
            })
        };
        judgement.visible = next(self.visible);
        judgement.permitted = next(self.permitted);
        judgement.precondition = next(self.precondition);
        let first = base + self.count() - self.mismatches - usize::from(self.permitted_new);
        judgement.mismatches = first..first + self.mismatches;
        judgement.permitted_new = self.permitted_new.then(|| base + self.count() - 1);
    }

    /// Every answer must be in favour.
    fn demand(self, w: &mut Writer<'_>) {
        for (asked, sql) in [
            (self.visible, " AND target.visible"),
            (self.permitted, " AND target.permitted"),
            (self.precondition, " AND target.precondition"),
            (self.permitted_new, " AND target.permitted_new"),
        ] {
            if asked {
                w.push(sql);
            }
        }
        for index in 0..self.mismatches {
            w.indexed(" AND NOT target.m", index);
        }
    }

    /// Selects the answers from the target.
    fn select(self, w: &mut Writer<'_>, layout: &mut Layout, judgement: &mut Judgement) {
        separate(w, layout);
        w.push("target.found");
        judgement.found = layout.next();
        for (asked, sql) in [
            (self.visible, ", target.visible"),
            (self.permitted, ", target.permitted"),
            (self.precondition, ", target.precondition"),
        ] {
            if asked {
                w.push(sql);
            }
        }
        for index in 0..self.mismatches {
            w.indexed(", target.m", index);
        }
        if self.permitted_new {
            w.push(", target.permitted_new");
        }
        self.place(judgement, layout.width);
        layout.width += self.count();
    }
}

/// The CTE that locks the row and answers every question about it.
fn target<'a>(w: &mut Writer<'a>, target: &Target<'a, '_>, uid: Number, lock: &str) -> Questions {
    w.push("SELECT ");
    let questions = questions(w, target);
    w.push(" FROM ");
    w.table(target.resource);
    w.push(" AS t");
    where_uid(w, target.resource, uid, " WHERE ");
    w.push(lock);
    questions
}

fn questions<'a>(w: &mut Writer<'a>, target: &Target<'a, '_>) -> Questions {
    let resource = target.resource;
    w.push("true AS found");
    let visible = !condition::is_always(target.visible);
    if visible {
        w.push(", ");
        condition::write(w, resource, target.visible, &Row::Stored);
        w.push(" IS TRUE AS visible");
    }
    let permitted = !condition::is_always(target.permitted);
    if permitted {
        w.push(", ");
        condition::write(w, resource, target.permitted, &Row::Stored);
        w.push(" IS TRUE AS permitted");
    }
    let precondition = precondition(w, target);
    for (index, (id, value)) in target.expect.iter().enumerate() {
        w.push(", ");
        condition::operand(w, resource, *id, &Row::Stored);
        w.push(" IS DISTINCT FROM ");
        condition::single(w, resource.field(*id), value);
        w.indexed(" AS m", index);
    }
    let permitted_new = permitted && target.rule_is_affected();
    if permitted_new && let Some((set, change)) = target.change {
        w.push(", ");
        let row = Row::Changed {
            set,
            first: change.first,
            stamp: change.stamp,
        };
        condition::write(w, resource, target.permitted, &row);
        w.push(" IS TRUE AS permitted_new");
    }
    Questions {
        visible,
        permitted,
        precondition,
        mismatches: target.expect.len(),
        permitted_new,
    }
}

fn precondition<'a>(w: &mut Writer<'a>, target: &Target<'a, '_>) -> bool {
    match target.precondition {
        // A target that is there fulfils both.
        Precondition::None | Precondition::Exists => return false,
        Precondition::Absent => w.push(", false AS precondition"),
        Precondition::VersionIn(versions) => match target.resource.audit.last_updated_at {
            Some(id) => {
                w.push(", (");
                w.column(target.resource.field(id));
                w.push(" = ANY (");
                let number = w.param(Param::Timestamps(versions), Type::TIMESTAMPTZ_ARRAY);
                w.number(number);
                w.push(")) IS TRUE AS precondition");
            }
            None => w.push(", false AS precondition"),
        },
    }
    true
}

/// What a write shows of the row.
struct Answer<'a, 's> {
    resource: &'s ResourceDefinition,
    select: &'s Select,
    representation: Representation,
    visible: &'a Condition,
}

fn update_answer(update: &Update) -> Answer<'_, '_> {
    Answer {
        resource: &update.resource,
        select: &update.select,
        representation: update.representation,
        visible: &update.visible,
    }
}

/// The columns that a write returns, by the names they have in its CTE.
struct Written {
    selected: usize,
    version: Option<usize>,
    /// Whether the version is a column of its own, `v`.
    own_version: bool,
    shown: bool,
}

fn returning<'a>(w: &mut Writer<'a>, answer: &Answer<'a, '_>) -> Written {
    w.push(" RETURNING ");
    let mut layout = write_columns(
        w,
        answer.resource,
        answer.select,
        answer.representation,
        Naming::Numbered,
    );
    let selected = layout.selected;
    let among = layout.version;
    write_version(w, answer.resource, &mut layout, Naming::Numbered);
    let shown = answer.representation != Representation::Nothing && !condition::is_always(answer.visible);
    if shown {
        separate(w, &layout);
        condition::write(w, answer.resource, answer.visible, &Row::Stored);
        w.push(" IS TRUE AS shown");
        layout.next();
    }
    separate(w, &layout);
    w.push("true AS written");
    Written {
        selected,
        version: layout.version,
        own_version: among.is_none() && layout.version.is_some(),
        shown,
    }
}

impl Written {
    fn select(&self, w: &mut Writer<'_>) -> Layout {
        self.select_as(w, "w")
    }

    fn select_as(&self, w: &mut Writer<'_>, alias: &str) -> Layout {
        let mut layout = Layout::default();
        for index in 0..self.selected {
            separate(w, &layout);
            w.push(alias);
            w.indexed(".c", index);
            layout.next();
        }
        layout.selected = self.selected;
        let column = |w: &mut Writer<'_>, layout: &mut Layout, name: &str| {
            separate(w, layout);
            w.push(alias);
            w.push(name);
            layout.next()
        };
        layout.version = self.version;
        if self.own_version {
            layout.version = Some(column(w, &mut layout, ".v"));
        }
        if self.shown {
            layout.shown = Some(column(w, &mut layout, ".shown"));
        }
        layout.present = Some(column(w, &mut layout, ".written"));
        layout
    }
}
