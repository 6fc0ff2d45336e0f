//! What an update sets: the values given, and the stamps.

use rowstamp_domain::definition::{FieldId, ResourceDefinition};
use rowstamp_domain::operation::Stamp;
use rowstamp_domain::value::Value;
use tokio_postgres::types::Type;

use crate::params::Param;
use crate::sql::condition::{self, StampNumbers};
use crate::sql::writer::{Number, Writer, param_type};

/// The parameters of a change.
pub(in crate::sql) struct Change {
    pub(in crate::sql) first: Number,
    pub(in crate::sql) stamp: StampNumbers,
}

impl Change {
    /// Adds them.
    pub(in crate::sql) fn number<'a>(
        w: &mut Writer<'a>,
        resource: &ResourceDefinition,
        set: &'a [(FieldId, Value)],
        stamp: &'a Stamp,
    ) -> Self {
        let mut first = Number(1);
        for (index, (id, value)) in set.iter().enumerate() {
            let number = w.param(Param::Value(value), param_type(resource.field(*id).ty));
            if index == 0 {
                first = number;
            }
        }
        let stamp = number_stamp(w, resource, stamp);
        Self { first, stamp }
    }

    /// `UPDATE table SET …`, stamps included.
    pub(in crate::sql) fn write(
        &self,
        w: &mut Writer<'_>,
        resource: &ResourceDefinition,
        set: &[(FieldId, Value)],
    ) {
        if !w.wants_text() {
            return;
        }
        w.push("UPDATE ");
        w.table(resource);
        w.push(" AS t SET ");
        let mut between = "";
        for (index, (id, _)) in set.iter().enumerate() {
            let field = resource.field(*id);
            w.push(between);
            w.identifier(&field.column);
            w.push(" = ");
            w.number(Number(self.first.0 + index));
            w.cast_in(field);
            between = ", ";
        }
        write_stamp(w, resource, self.stamp, between);
    }
}

/// Adds the parameters of a stamp.
pub(in crate::sql) fn number_stamp<'a>(
    w: &mut Writer<'a>,
    resource: &ResourceDefinition,
    stamp: &'a Stamp,
) -> StampNumbers {
    // A parameter that no text mentions would be an error, so each exists only with its column.
    let now = match resource.audit.last_updated_at {
        Some(_) => w.param(Param::Timestamp(stamp.now), Type::TIMESTAMPTZ),
        None => Number(0),
    };
    let actor = match resource.audit.last_updater_uid {
        Some(id) => w.param(Param::Value(&stamp.actor), param_type(resource.field(id).ty)),
        None => Number(0),
    };
    StampNumbers { now, actor }
}

/// Sets the stamps; `between` separates them from what is set before.
pub(in crate::sql) fn write_stamp(
    w: &mut Writer<'_>,
    resource: &ResourceDefinition,
    stamp: StampNumbers,
    mut between: &str,
) {
    if let Some(id) = resource.audit.last_updated_at {
        w.push(between);
        w.identifier(&resource.field(id).column);
        w.push(" = ");
        condition::next_version(w, resource.field(id), stamp);
        between = ", ";
    }
    if let Some(id) = resource.audit.last_updater_uid {
        w.push(between);
        w.identifier(&resource.field(id).column);
        w.push(" = ");
        w.number(stamp.actor);
        w.cast_in(resource.field(id));
        between = ", ";
    }
    if between.is_empty() {
        // A change that has nothing to write still has to touch the row.
        let uid = resource.field(resource.audit.uid);
        w.identifier(&uid.column);
        w.push(" = ");
        w.column(uid);
    }
}
