//! The row that a write is about, locked, and every question that is asked about it first.

use rowstamp_domain::definition::{FieldId, ResourceDefinition};
use rowstamp_domain::operation::{Precondition, Update};
use rowstamp_domain::query::Condition;
use rowstamp_domain::value::Value;
use tokio_postgres::types::Type;

use super::change::Change;
use super::where_uid;
use crate::params::Param;
use crate::sql::condition::{self, Row};
use crate::sql::plan::{Judgement, Layout};
use crate::sql::select::separate;
use crate::sql::writer::{Number, Writer};

/// What is asked about the row before it is written.
pub(super) struct Target<'a, 's> {
    pub(super) resource: &'s ResourceDefinition,
    pub(super) visible: &'a Condition,
    pub(super) permitted: &'a Condition,
    pub(super) precondition: &'a Precondition,
    pub(super) expect: &'a [(FieldId, Value)],
    pub(super) change: Option<(&'s [(FieldId, Value)], &'s Change)>,
}

impl<'a> Target<'a, 'a> {
    pub(super) fn of_nothing(update: &'a Update) -> Self {
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
    pub(super) fn of_update(update: &'a Update, change: &'s Change) -> Self {
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
pub(super) struct Questions {
    visible: bool,
    permitted: bool,
    precondition: bool,
    mismatches: usize,
    permitted_new: bool,
}

impl Questions {
    pub(super) const fn count(self) -> usize {
        self.visible as usize
            + self.permitted as usize
            + self.precondition as usize
            + self.mismatches
            + self.permitted_new as usize
    }

    /// Notes where the answers are, the first of them at `base`.
    pub(super) fn place(self, judgement: &mut Judgement, base: usize) {
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
    pub(super) fn demand(self, w: &mut Writer<'_>) {
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
    pub(super) fn select(self, w: &mut Writer<'_>, layout: &mut Layout, judgement: &mut Judgement) {
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
pub(super) fn target<'a>(w: &mut Writer<'a>, target: &Target<'a, '_>, uid: Number, lock: &str) -> Questions {
    w.push("SELECT ");
    let questions = questions(w, target);
    w.push(" FROM ");
    w.table(target.resource);
    w.push(" AS t");
    where_uid(w, target.resource, uid, " WHERE ");
    w.push(lock);
    questions
}

pub(super) fn questions<'a>(w: &mut Writer<'a>, target: &Target<'a, '_>) -> Questions {
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
