//! Statements that write many rows by one judgement: created where none is in the way, changed or deleted by a condition.
//!
//! Each judges all of its rows before it writes any: a CTE `j` says whether everything is in favour, and nothing is written unless it
//! does. Rows that are there are locked first, in the order of their uids, so that two such statements do not wait for each other.

mod many;
mod records;
mod upsert;
mod verdict;

use std::ops::Range;

pub(super) use many::{delete_many, update_many};
pub(super) use records::columns;
use rowstamp_domain::operation::RowBound;
use tokio_postgres::types::Type;
pub(super) use upsert::{expected_fields, upsert};
pub(crate) use verdict::{BulkJudgement, refused_at_once};

use super::writer::Writer;
use crate::params::Param;

/// What an upsert that came upon a row which was not in its snapshot fails with, as what is not an integer. Everything it wrote is
/// undone then, and the same statement in a new snapshot finds that row.
pub(crate) const RACE_LOST: &str = "rowstamp: race lost";

/// Where in the rows of an answer their judgement is. What is absent was not in question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BulkLayout {
    /// The position of the row's record in the operation, counted from 1.
    record: Option<usize>,
    /// Whether the row may not be written as it is, or not be created.
    refused: Option<usize>,
    /// One for each field of which something is expected: whether it differs.
    mismatches: Range<usize>,
    /// Whether the row may not become what it would.
    refused_new: Option<usize>,
    /// How many rows would be written.
    would: Option<usize>,
    /// How many rows were written, where they do not come back one by one.
    written: Option<usize>,
    /// Whether the row is a new one.
    made: Option<usize>,
    /// Its uid.
    uid: Option<usize>,
}

/// Demands that the rows counted in `j` are as many as may be written.
fn demand_bound(w: &mut Writer<'_>, bound: RowBound) {
    match bound {
        RowBound::Any => {}
        RowBound::One => w.push(" AND j.would = 1"),
        RowBound::AtMost(most) => {
            w.push(" AND j.would <= ");
            let number = w.param(Param::BigInt(i64::try_from(most).unwrap_or(i64::MAX)), Type::INT8);
            w.number(number);
        }
    }
}
