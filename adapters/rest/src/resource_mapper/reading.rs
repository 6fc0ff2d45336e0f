//! Reads as operations.

use std::sync::Arc;

use rowstamp_domain::operation::{Count, List, Operation, Read, Representation};
use rowstamp_domain::query::{Condition, Query, Select};
use uuid::Uuid;

use crate::negotiate::Media;
use crate::preferences::CountPreference;
use crate::served::Served;

/// Reads one row; as a record where a hook will look at it.
pub(crate) fn item(
    served: &Served,
    uid: Uuid,
    visible: Condition,
    select: &Select,
    media: Media,
) -> Operation {
    let (select, representation) = if served.points.after_read {
        (&served.every_field, Representation::Records)
    } else {
        (
            select,
            if media.is_stripped() {
                Representation::StrippedObject
            } else {
                Representation::JsonObject
            },
        )
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

/// Reads a page, which says where the next one begins; as records where a hook will look at them.
pub(crate) fn list(
    served: &Served,
    mut query: Query,
    visible: Condition,
    count: Count,
    media: Media,
) -> Operation {
    let look_ahead = query.limit > 0 && !query.select.is_aggregated();
    let representation = if served.points.after_read {
        query.select = served.every_field.clone();
        Representation::Records
    } else {
        match media {
            Media::Json | Media::Array | Media::Object => Representation::JsonArray,
            Media::StrippedArray | Media::StrippedObject => Representation::StrippedArray,
            Media::Csv => Representation::Csv,
        }
    };
    Operation::List(List {
        resource: Arc::clone(&served.definition),
        visible,
        query,
        count,
        look_ahead,
        representation,
    })
}

/// How the rows of a list are counted.
pub(crate) fn count(preference: Option<CountPreference>, served: &Served) -> Count {
    match preference {
        None => Count::None,
        Some(CountPreference::Exact) => Count::Exact,
        Some(CountPreference::Planned) => Count::Planned,
        // As many as a page can have are few.
        Some(CountPreference::Estimated) => Count::Estimated {
            exact_up_to: u64::from(served.definition.page.max),
        },
    }
}
