//! Reads: one row, or a page in its order.

use std::cmp::Ordering;

use rowstamp_domain::operation::{Count, List, Outcome, Read, Verdict};
use rowstamp_domain::query::{Direction, Nulls, OrderTerm};
use rowstamp_domain::value::Value;
use rowstamp_ports::StoreError;

use crate::answer::Form;
use crate::condition::{holds, operand};
use crate::tables::{Row, Tables};

pub(crate) fn read(tables: &Tables, read: &Read) -> Result<Outcome, StoreError> {
    let form = Form {
        resource: &read.resource,
        select: &read.select,
        representation: read.representation,
    };
    Ok(match tables.of(&read.resource)?.get(&read.uid) {
        Some(row) if holds(&read.visible, row) => form.one(Verdict::Found, 0, row, true),
        _ => Outcome::verdict(Verdict::NotFound),
    })
}

pub(crate) fn list(tables: &Tables, list: &List) -> Result<Outcome, StoreError> {
    let mut matching: Vec<&Row> = tables
        .of(&list.resource)?
        .values()
        .filter(|row| holds(&list.visible, row) && holds(&list.query.condition, row))
        .collect();
    matching.sort_by(|left, right| in_order(&list.query.order, left, right));
    let total = match list.count {
        Count::None => None,
        Count::Planned | Count::Estimated { .. } => unimplemented!(),
        Count::Exact => u64::try_from(matching.len()).ok(),
    };
    let offset = usize::try_from(list.query.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(list.query.limit).unwrap_or(usize::MAX);
    let page: Vec<&Row> = matching.into_iter().skip(offset).take(limit).collect();
    let form = Form {
        resource: &list.resource,
        select: &list.query.select,
        representation: list.representation,
    };
    let (rows, returned) = form.page(&page);
    Ok(Outcome {
        rows,
        returned,
        total,
        ..Outcome::verdict(Verdict::Found)
    })
}

/// The order of two rows by all terms, the first that tells them apart deciding.
fn in_order(terms: &[OrderTerm], left: &[Value], right: &[Value]) -> Ordering {
    terms
        .iter()
        .map(|term| by_term(term, operand(&term.operand, left), operand(&term.operand, right)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn by_term(term: &OrderTerm, left: &Value, right: &Value) -> Ordering {
    let null_first = match term.nulls {
        Nulls::First => Ordering::Less,
        Nulls::Last => Ordering::Greater,
    };
    match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => null_first,
        (false, true) => null_first.reverse(),
        (false, false) => {
            let order = left.compare(right).unwrap_or(Ordering::Equal);
            match term.direction {
                Direction::Ascending => order,
                Direction::Descending => order.reverse(),
            }
        }
    }
}
