//! Which rows of an ordered list are on a page.

use rowstamp_domain::definition::PageLimits;
use rowstamp_domain::query::Query;
use tokio_postgres::types::Type;

use super::writer::Writer;
use crate::params::Param;

/// Whether a limit stands in the text. PostgreSQL then keeps one plan for the statement; with a parameter it makes a new one each
/// time, since it cannot know that few rows are wanted, which costs a page of 25 rows half as much again.
///
/// Only limits that many requests have in common are worth a statement of their own.
pub(super) fn limit_in_text(limit: u32, page: PageLimits) -> Option<u32> {
    (limit <= 100 || limit == page.default || limit == page.max).then_some(limit)
}

/// Writes the page of a query, and asks for so many rows beyond it.
pub(super) fn limit_offset<'a>(w: &mut Writer<'a>, query: &'a Query, page: PageLimits, beyond: u32) {
    if let Some(limit) = limit_in_text(query.limit, page) {
        w.indexed(" LIMIT ", limit as usize + beyond as usize);
    } else {
        w.push(" LIMIT ");
        let limit = i64::from(query.limit) + i64::from(beyond);
        let limit = w.param(Param::BigInt(limit), Type::INT8);
        w.number(limit);
    }
    if query.offset > 0 {
        w.push(" OFFSET ");
        // What is beyond every table is as good as what is beyond a bigint.
        let offset = i64::try_from(query.offset).unwrap_or(i64::MAX);
        let offset = w.param(Param::BigInt(offset), Type::INT8);
        w.number(offset);
    }
}

/// Writes a limit for a part of which a page is taken: as many rows as the page can skip and have.
pub(super) fn limit_part<'a>(w: &mut Writer<'a>, query: &'a Query, page: PageLimits, beyond: u32) {
    if let Some(limit) = limit_in_text(query.limit, page).filter(|_| query.offset == 0) {
        return w.indexed(" LIMIT ", limit as usize + beyond as usize);
    }
    w.push(" LIMIT ");
    let limit = i64::try_from(query.offset)
        .unwrap_or(i64::MAX)
        .saturating_add(i64::from(query.limit) + i64::from(beyond));
    let limit = w.param(Param::BigInt(limit), Type::INT8);
    w.number(limit);
}
