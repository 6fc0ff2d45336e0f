//! Operations as SQL: pure, without a database.
//!
//! Identifiers come from the definition and are quoted by one function; values are always parameters. A statement is
//! built once for each shape; after that only its parameters are collected.

mod bulk;
mod condition;
mod embed;
mod grouped;
mod insert;
mod item;
mod keyset;
mod operand;
mod order;
mod paging;
mod plan;
mod plans;
mod predicate;
pub(crate) mod quote;
mod read;
mod select;
mod shape;
#[cfg(test)]
mod tests;
mod verdict;
pub(crate) mod writer;

pub(crate) use bulk::{BulkJudgement, RACE_LOST, refused_at_once};
pub(crate) use plan::{Layout, Plan, selection};
pub(crate) use plans::Plans;
pub(crate) use select::shown;
pub(crate) use verdict::Judged;

use rowstamp_domain::operation::Operation;

use crate::params::Param;
use writer::Writer;

/// The parameters of an operation, in the order of its plan.
pub(crate) fn params(operation: &Operation) -> Vec<Param<'_>> {
    let mut writer = Writer::params_only();
    write(&mut writer, operation);
    writer.into_params()
}

/// The parameters of the statement that goes with an operation whose rows are counted by estimate.
pub(crate) fn explain_params(operation: &Operation) -> Vec<Param<'_>> {
    let mut writer = Writer::params_only();
    if let Some(list) = plan::estimated(operation) {
        read::explain(&mut writer, list);
    }
    writer.into_params()
}

/// The limit of a list that asks for one row more, to see whether others follow its page.
pub(crate) fn looks_ahead(operation: &Operation) -> Option<u64> {
    match operation {
        Operation::List(list) if read::wants_keys(list) => Some(u64::from(list.query.limit)),
        _ => None,
    }
}

/// Writes an operation's statement, and tells where in its rows everything is.
fn write<'a>(w: &mut Writer<'a>, operation: &'a Operation) -> Layout {
    match operation {
        Operation::Read(read) => read::item(w, read),
        Operation::List(list) => read::list(w, list),
        Operation::Insert(insert) => insert::insert(w, insert),
        Operation::Update(update) => item::update(w, update),
        Operation::Replace(replace) => item::replace(w, replace),
        Operation::Delete(delete) => item::delete(w, delete),
        Operation::UpdateMany(update) => bulk::update_many(w, update),
        Operation::DeleteMany(delete) => bulk::delete_many(w, delete),
    }
}
