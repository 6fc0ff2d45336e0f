//! Operations as SQL: pure, without a database.
//!
//! Identifiers come from the definition and are quoted by one function; values are always parameters. A statement is
//! built once for each shape; after that only its parameters are collected.

mod condition;
mod insert;
mod item;
mod plan;
mod plans;
pub(crate) mod quote;
mod read;
mod shape;
#[cfg(test)]
mod tests;
mod verdict;
pub(crate) mod writer;

pub(crate) use plan::{Layout, Plan};
pub(crate) use plans::Plans;
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

/// Writes an operation's statement, and tells where in its rows everything is.
fn write<'a>(w: &mut Writer<'a>, operation: &'a Operation) -> Layout {
    match operation {
        Operation::Read(read) => read::item(w, read),
        Operation::List(list) => read::list(w, list),
        Operation::Insert(insert) => insert::insert(w, insert),
        Operation::Update(update) => item::update(w, update),
        Operation::Replace(replace) => item::replace(w, replace),
        Operation::Delete(delete) => item::delete(w, delete),
        Operation::UpdateMany(_) | Operation::DeleteMany(_) => unimplemented!(),
    }
}
