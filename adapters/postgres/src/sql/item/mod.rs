//! Statements that write one row that is there: change, replace, delete.
//!
//! Where a write is judged, its statement locks the row in a CTE first. The lock waits for other writers and then sees what they
//! committed, so the judgement is about the row that will be written; a sub-select would judge the row of the snapshot.
//! What needs no judgement is written straight away.

pub(super) mod answer;
pub(super) mod change;
mod replace;
mod target;

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::operation::{Delete, Precondition, Update};
use rowstamp_domain::query::Condition;
use tokio_postgres::types::Type;

use super::condition;
use super::plan::{Judgement, Layout};
use super::select::{Naming, separate, write_columns, write_version};
use super::writer::{Number, Writer};
use crate::params::Param;
use answer::{Answer, Written, returning};
use change::Change;
pub(super) use replace::replace;
use target::{Questions, Target, questions, target};

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
    let change = Change::number(w, &update.resource, &update.set, &update.stamp);
    if !judged {
        change.write(w, &update.resource, &update.set);
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
    change.write(w, &update.resource, &update.set);
    w.push(" FROM target");
    where_uid(w, &update.resource, uid, " WHERE ");
    questions.demand(w);
    let written = returning(w, &Answer::of_update(update));
    select(w, &written, questions)
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
    select(w, &written, questions)
}

/// Answers with what was written and with every judgement about the target.
fn select(w: &mut Writer<'_>, written: &Written, questions: Questions) -> Layout {
    w.push(") SELECT ");
    let mut layout = written.select(w);
    let mut judgement = Judgement::default();
    questions.select(w, &mut layout, &mut judgement);
    layout.judgement = Some(judgement);
    w.push(" FROM target LEFT JOIN w ON true");
    layout
}

fn where_uid(w: &mut Writer<'_>, resource: &ResourceDefinition, uid: Number, word: &str) {
    w.push(word);
    w.column(resource.field(resource.audit.uid));
    w.push(" = ");
    w.number(uid);
}
