//! Reads: one row, or a page in its order.

use rowstamp_domain::operation::{Count, List, Outcome, Read, Representation, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_domain::value::Value;
use rowstamp_ports::StoreError;

use crate::answer::Form;
use crate::condition::holds;
use crate::group::Unit;
use crate::tables::Tables;
use crate::view::{View, rest};

pub(crate) fn read(tables: &Tables, read: &Read) -> Result<Outcome, StoreError> {
    let view = View { tables };
    let resource = &read.resource;
    let form = Form {
        view,
        resource,
        select: &read.select,
        representation: read.representation,
    };
    match tables.of(resource)?.get(&read.uid) {
        Some(row)
            if holds(&read.visible, row)
                && view.matches(resource, &read.select, &Condition::Always, row)? =>
        {
            let mut outcome = form.one(Verdict::Found, 0, row, true)?;
            if read.select.is_aggregated() && read.representation != Representation::Nothing {
                // A group has no version, be it of one row.
                outcome.version = None;
            }
            Ok(outcome)
        }
        _ => Ok(Outcome::verdict(Verdict::NotFound)),
    }
}

pub(crate) fn list(tables: &Tables, list: &List) -> Result<Outcome, StoreError> {
    let view = View { tables };
    let query = &list.query;
    let visible = tables
        .of(&list.resource)?
        .values()
        .filter(|row| holds(&list.visible, row));
    let placed = view.matching(&list.resource, query, visible)?;
    let total = match list.count {
        Count::None => None,
        // What is counted one by one is the best estimate.
        Count::Exact | Count::Planned | Count::Estimated { .. } => u64::try_from(placed.len()).ok(),
    };
    let following = rest(query, placed);
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = following.len() > limit;
    let (positions, units): (Vec<Vec<Value>>, Vec<Unit<'_>>) = following.into_iter().take(limit).unzip();
    let form = Form {
        view,
        resource: &list.resource,
        select: &query.select,
        representation: list.representation,
    };
    let (rows, returned) = form.page(&units)?;
    Ok(Outcome {
        rows,
        returned,
        total,
        next: positions
            .into_iter()
            .next_back()
            .filter(|_| list.look_ahead && has_more),
        ..Outcome::verdict(Verdict::Found)
    })
}
