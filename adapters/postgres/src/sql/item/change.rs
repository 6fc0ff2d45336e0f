//! What an update sets: the values given, and the stamps.

use rowstamp_domain::operation::Update;
use tokio_postgres::types::Type;

use crate::params::Param;
use crate::sql::condition::{self, StampNumbers};
use crate::sql::writer::{Number, Writer, param_type};

/// The parameters of a change.
pub(super) struct Change {
    pub(super) first: Number,
    pub(super) stamp: StampNumbers,
}

impl Change {
    /// Adds them.
    pub(super) fn number<'a>(w: &mut Writer<'a>, update: &'a Update) -> Self {
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
    pub(super) fn write(&self, w: &mut Writer<'_>, update: &Update) {
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
