//! The statement that replaces a row, or creates it where there is none.

use rowstamp_domain::definition::FieldId;
use rowstamp_domain::operation::{Precondition, Replace};
use rowstamp_domain::value::Value;
use tokio_postgres::types::Type;

use super::answer::{Answer, returning};
use super::change::Change;
use super::target::{Target, target};
use super::{select, where_uid};
use crate::params::Param;
use crate::sql::condition::{self, Columns, Row};
use crate::sql::plan::{Judgement, Layout};
use crate::sql::writer::{Number, Writer, param_type};

/// Replaces a row, or creates it where there is none.
///
/// A creation that meets a row which is not in its snapshot does nothing (`ON CONFLICT DO NOTHING`), and neither branch
/// answers; the same statement in a new snapshot then replaces that row.
pub(in crate::sql) fn replace<'a>(w: &mut Writer<'a>, replace: &'a Replace) -> Layout {
    let update = &replace.update;
    let resource = &*update.resource;
    let uid = w.param(Param::Uuid(update.uid), Type::UUID);
    let change = Change::number(w, &update.resource, &update.set, &update.stamp);
    w.push("WITH target AS (");
    let questions = target(w, &Target::of_update(update, &change), uid, " FOR NO KEY UPDATE");
    w.push("), w AS (");
    change.write(w, &update.resource, &update.set);
    w.push(" FROM target");
    where_uid(w, resource, uid, " WHERE ");
    questions.demand(w);
    let written = returning(w, &Answer::of_update(update));
    let creation = replace
        .create
        .as_ref()
        .filter(|_| matches!(update.precondition, Precondition::None | Precondition::Absent));
    let Some(create) = creation else {
        return select(w, &written, questions);
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
    returning(w, &Answer::of_update(update));
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
