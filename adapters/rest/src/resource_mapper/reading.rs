//! Reads as operations.

use std::sync::Arc;

use rowstamp_domain::operation::{Count, List, Operation, Read, Representation};
use rowstamp_domain::query::{Condition, Query, Select};
use uuid::Uuid;

use crate::served::Served;

/// Reads one row; as a record where a hook will look at it.
pub(crate) fn item(served: &Served, uid: Uuid, visible: Condition, select: &Select) -> Operation {
    let (select, representation) = if served.points.after_read {
        (&served.every_field, Representation::Records)
    } else {
        (select, Representation::JsonObject)
    };
    Operation::Read(Read {
        resource: Arc::clone(&served.definition),
        uid,
        visible,
        select: select.clone(),
        representation,
    })
}

/// Asks whether there is a row, whoever may see it.
pub(crate) fn existence(served: &Served, uid: Uuid) -> Operation {
    Operation::Read(Read {
        resource: Arc::clone(&served.definition),
        uid,
        visible: Condition::Always,
        select: served.every_field.clone(),
        representation: Representation::Nothing,
    })
}

/// The whole row, whoever may see it, for a hook.
pub(crate) fn whole(served: &Served, uid: Uuid) -> Operation {
    Operation::Read(Read {
        resource: Arc::clone(&served.definition),
        uid,
        visible: Condition::Always,
        select: served.every_field.clone(),
        representation: Representation::Records,
    })
}

/// Reads a page; as records where a hook will look at them.
pub(crate) fn list(served: &Served, mut query: Query, visible: Condition, count: Count) -> Operation {
    let representation = if served.points.after_read {
        query.select = served.every_field.clone();
        Representation::Records
    } else {
        Representation::JsonArray
    };
    Operation::List(List {
        resource: Arc::clone(&served.definition),
        visible,
        query,
        count,
        look_ahead: false,
        representation,
    })
}
