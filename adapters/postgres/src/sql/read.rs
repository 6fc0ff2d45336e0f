//! Statements that read.

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::operation::{Count, List, Read};
use rowstamp_domain::query::{Condition, Direction, Nulls, OrderTerm};
use tokio_postgres::types::Type;

use super::condition::{self, Row};
use super::plan::{Layout, Naming, separate, write_columns, write_version};
use super::writer::Writer;
use crate::params::Param;

/// One row by its uid.
pub(super) fn item<'a>(w: &mut Writer<'a>, read: &'a Read) -> Layout {
    let resource = &*read.resource;
    w.push("SELECT ");
    let mut layout = write_columns(w, resource, &read.select, read.representation, Naming::Plain);
    write_version(w, resource, &mut layout, Naming::Plain);
    at_least_one(w, &mut layout);
    w.push(" FROM ");
    w.table(resource);
    w.push(" AS t WHERE ");
    let uid = w.param(Param::Uuid(read.uid), Type::UUID);
    w.column(resource.field(resource.audit.uid));
    w.push(" = ");
    w.number(uid);
    if !condition::is_always(&read.visible) {
        w.push(" AND ");
        condition::write(w, resource, &read.visible, &Row::Stored);
    }
    layout
}

/// A page of rows.
pub(super) fn list<'a>(w: &mut Writer<'a>, list: &'a List) -> Layout {
    match list.count {
        Count::None => page(w, list),
        Count::Exact => counted_page(w, list),
        Count::Planned | Count::Estimated { .. } => unimplemented!(),
    }
}

fn page<'a>(w: &mut Writer<'a>, list: &'a List) -> Layout {
    let resource = &*list.resource;
    w.push("SELECT ");
    let mut layout = write_columns(
        w,
        resource,
        &list.query.select,
        list.representation,
        Naming::Plain,
    );
    layout.version = None;
    at_least_one(w, &mut layout);
    from_where(w, resource, [&list.visible, &list.query.condition]);
    order(w, resource, &list.query.order);
    limit_offset(w, list);
    layout
}

/// The page beside the number of all matching rows, in one statement and so in one snapshot. There is a row even when the page is
/// empty, and the order is said twice, since that of a subquery binds nobody.
fn counted_page<'a>(w: &mut Writer<'a>, list: &'a List) -> Layout {
    let resource = &*list.resource;
    let mut layout = Layout::default();
    w.push("SELECT ");
    for index in 0..selected(list) {
        separate(w, &layout);
        w.indexed("p.c", index);
        layout.next();
    }
    layout.selected = layout.width;
    separate(w, &layout);
    w.push("p.present, a.total FROM (SELECT count(*) AS total");
    layout.present = Some(layout.next());
    layout.total = Some(layout.next());
    let from = w.mark();
    from_where(w, resource, [&list.visible, &list.query.condition]);
    let to = w.mark();
    w.push(") AS a LEFT JOIN (SELECT ");
    let columns = write_columns(
        w,
        resource,
        &list.query.select,
        list.representation,
        Naming::Numbered,
    );
    separate(w, &columns);
    w.push("true AS present");
    for (index, term) in list.query.order.iter().enumerate() {
        w.push(", ");
        condition::operand(w, resource, field_of(term), &Row::Stored);
        w.indexed(" AS o", index);
    }
    w.repeat(from, to);
    order(w, resource, &list.query.order);
    limit_offset(w, list);
    w.push(") AS p ON true ORDER BY ");
    for (index, term) in list.query.order.iter().enumerate() {
        if index > 0 {
            w.push(", ");
        }
        w.indexed("p.o", index);
        w.push(direction(term));
    }
    layout
}

fn selected(list: &List) -> usize {
    if list.representation == rowstamp_domain::operation::Representation::Nothing {
        0
    } else {
        list.query.select.0.len()
    }
}

/// A row must have a column, or nobody sees that it is there.
fn at_least_one(w: &mut Writer<'_>, layout: &mut Layout) {
    if layout.width == 0 {
        w.push("1");
        layout.next();
    }
}

fn from_where<'a>(w: &mut Writer<'a>, resource: &ResourceDefinition, conditions: [&'a Condition; 2]) {
    w.push(" FROM ");
    w.table(resource);
    w.push(" AS t");
    let mut word = " WHERE ";
    for condition in conditions {
        if !condition::is_always(condition) {
            w.push(word);
            condition::write(w, resource, condition, &Row::Stored);
            word = " AND ";
        }
    }
}

fn field_of(term: &OrderTerm) -> rowstamp_domain::definition::FieldId {
    term.operand.field()
}

fn order(w: &mut Writer<'_>, resource: &ResourceDefinition, terms: &[OrderTerm]) {
    if !w.wants_text() {
        return;
    }
    for (index, term) in terms.iter().enumerate() {
        w.push(if index == 0 { " ORDER BY " } else { ", " });
        condition::operand(w, resource, field_of(term), &Row::Stored);
        w.push(direction(term));
    }
}

/// PostgreSQL puts NULLs last ascending and first descending where nothing is said.
const fn direction(term: &OrderTerm) -> &'static str {
    match (term.direction, term.nulls) {
        (Direction::Ascending, Nulls::Last) => "",
        (Direction::Ascending, Nulls::First) => " NULLS FIRST",
        (Direction::Descending, Nulls::First) => " DESC",
        (Direction::Descending, Nulls::Last) => " DESC NULLS LAST",
    }
}

/// Whether a limit stands in the text. PostgreSQL then keeps one plan for the statement; with a parameter it makes a new one each
/// time, since it cannot know that few rows are wanted, which costs a page of 25 rows half as much again.
///
/// Only limits that many requests have in common are worth a statement of their own.
pub(super) fn limit_in_text(list: &List) -> Option<u32> {
    let (limit, page) = (list.query.limit, list.resource.page);
    (limit <= 100 || limit == page.default || limit == page.max).then_some(limit)
}

fn limit_offset<'a>(w: &mut Writer<'a>, list: &'a List) {
    if let Some(limit) = limit_in_text(list) {
        w.indexed(" LIMIT ", limit as usize);
    } else {
        w.push(" LIMIT ");
        let limit = w.param(Param::BigInt(i64::from(list.query.limit)), Type::INT8);
        w.number(limit);
    }
    if list.query.offset > 0 {
        w.push(" OFFSET ");
        // What is beyond every table is as good as what is beyond a bigint.
        let offset = i64::try_from(list.query.offset).unwrap_or(i64::MAX);
        let offset = w.param(Param::BigInt(offset), Type::INT8);
        w.number(offset);
    }
}
