//! Statements that read.

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::operation::{Count, List, Read, Representation};
use tokio_postgres::types::Type;

use super::condition::{self, Row, Subject};
use super::grouped::Grouped;
use super::keyset::{Keyset, Place};
use super::order::{direction, term_type, write_term};
use super::plan::Layout;
use super::select::{Naming, separate, shown, write_columns, write_version};
use super::writer::{Alias, Writer};
use super::{embed, grouped, order, paging};
use crate::params::Param;

/// One row by its uid.
pub(super) fn item<'a>(w: &mut Writer<'a>, read: &'a Read) -> Layout {
    let resource = &*read.resource;
    if read.select.is_aggregated() && read.representation != Representation::Nothing {
        return grouped_item(w, read);
    }
    w.push("SELECT ");
    let mut layout = write_columns(w, resource, &read.select, read.representation, Naming::Plain);
    write_version(w, resource, &mut layout, Naming::Plain);
    at_least_one(w, &mut layout);
    w.push(" FROM ");
    w.table(resource);
    w.push(" AS t");
    item_where(w, read, Alias::ROOT);
    layout
}

fn item_where<'a>(w: &mut Writer<'a>, read: &'a Read, alias: Alias) {
    let resource = &*read.resource;
    w.push(" WHERE ");
    let uid = w.param(Param::Uuid(read.uid), Type::UUID);
    w.column_of(alias, resource.field(resource.audit.uid));
    w.push(" = ");
    w.number(uid);
    if !condition::is_always(&read.visible) {
        w.push(" AND ");
        condition::write(w, resource, &read.visible, &Row::Named(alias));
    }
    embed::inner_joins(w, &read.select, resource, alias, " AND ");
}

/// One row as a group of its own; where there is no row, there is no group either.
fn grouped_item<'a>(w: &mut Writer<'a>, read: &'a Read) -> Layout {
    let mut layout = Layout::default();
    w.push("SELECT ");
    let grouped = Grouped::new(w, &read.resource, &read.select);
    layout.width = grouped.write_items(w, |_, _| {});
    layout.selected = layout.width;
    at_least_one(w, &mut layout);
    w.push(" FROM ");
    grouped.write_source(w, |w, alias| item_where(w, read, alias));
    grouped.write_group_by(w);
    w.push(" HAVING count(*) > 0");
    layout
}

/// A page of rows.
pub(super) fn list<'a>(w: &mut Writer<'a>, list: &'a List) -> Layout {
    match list.count {
        Count::None | Count::Planned => page(w, list, Naming::Plain, &Source::default()),
        Count::Exact | Count::Estimated { .. } => counted_page(w, list),
    }
}

/// What the planner is asked about where it estimates how many rows match: all of them, without a page.
pub(super) fn explain<'a>(w: &mut Writer<'a>, list: &'a List) {
    w.push("EXPLAIN (FORMAT JSON) SELECT ");
    w.push(one_of(list));
    let source = Source::all(w, list);
    source.group_by(w);
}

/// Text that says where rows come from, to be repeated.
#[derive(Default)]
struct Source<'a, 's> {
    grouped: Option<Grouped<'a, 's>>,
    /// From where to where it stands.
    text: Option<(usize, usize)>,
}

impl<'a> Source<'a, 'a> {
    /// Writes ` FROM` and every row that matches: of a table, or in groups.
    fn all(w: &mut Writer<'a>, list: &'a List) -> Self {
        let resource = &*list.resource;
        if is_grouped(list) {
            let grouped = Grouped::new(w, resource, &list.query.select);
            w.push(" FROM ");
            let from = w.mark();
            grouped.write_source(w, |w, alias| conditions(w, list, alias));
            let text = Some((from, w.mark()));
            return Self {
                grouped: Some(grouped),
                text,
            };
        }
        w.push(" FROM ");
        w.table(resource);
        w.push(" AS t");
        let from = w.mark();
        conditions(w, list, Alias::ROOT);
        Self {
            grouped: None,
            text: Some((from, w.mark())),
        }
    }

    fn group_by(&self, w: &mut Writer<'a>) {
        if let Some(grouped) = &self.grouped {
            grouped.write_group_by(w);
        }
    }
}

/// What makes a row of each row or group: where nothing groups, only an aggregate makes one group of all rows.
fn one_of(list: &List) -> &'static str {
    if is_grouped(list) { "count(*)" } else { "1" }
}

fn is_grouped(list: &List) -> bool {
    list.query.select.is_aggregated()
}

/// Writes the page, with [`Naming::Numbered`] as a part of another statement: then its columns are `c0`, …, what it is ordered by is
/// `o0`, …, and there is `present`. The text of `source` is repeated where it was written before.
fn page<'a>(w: &mut Writer<'a>, list: &'a List, naming: Naming, source: &Source<'a, 'a>) -> Layout {
    if is_grouped(list) {
        return grouped_page(w, list, naming, source);
    }
    let resource = &*list.resource;
    let query = &list.query;
    w.push("SELECT ");
    let mut layout = write_columns(w, resource, &query.select, list.representation, naming);
    layout.version = None;
    match naming {
        Naming::Plain => {
            keys(w, list, &mut layout);
            at_least_one(w, &mut layout);
        }
        Naming::Numbered => {
            separate(w, &layout);
            w.push("true AS present");
            for (index, term) in query.order.iter().enumerate() {
                w.push(", ");
                write_term(w, resource, &query.select, term, Alias::ROOT);
                w.indexed(" AS o", index);
            }
        }
    }
    let keyset = query.after.as_ref().map(|values| {
        let place = Place::Rows {
            resource,
            select: &query.select,
            alias: Alias::ROOT,
        };
        Keyset::new(w, &query.order, values, resource, &query.select, place)
    });
    w.push(" FROM ");
    let word = if has_conditions(list) { " AND " } else { " WHERE " };
    if let Some(keyset) = keyset.as_ref().filter(|keyset| keyset.is_union()) {
        let mut text = source.text;
        keyset.write_union(
            w,
            resource,
            |w| {
                if let Some((from, to)) = text {
                    w.repeat(from, to);
                } else {
                    let from = w.mark();
                    conditions(w, list, Alias::ROOT);
                    text = Some((from, w.mark()));
                }
                w.push(word);
            },
            |w| {
                order::write(w, resource, query, Alias::ROOT);
                paging::limit_part(w, query, resource.page, surplus(list));
            },
        );
        w.push(" AS t");
    } else {
        w.table(resource);
        w.push(" AS t");
        match source.text {
            Some((from, to)) => w.repeat(from, to),
            None => conditions(w, list, Alias::ROOT),
        }
        if let Some(keyset) = keyset {
            w.push(word);
            keyset.write(w);
        }
    }
    order::write(w, resource, query, Alias::ROOT);
    paging::limit_offset(w, query, resource.page, surplus(list));
    layout
}

/// The same over groups.
fn grouped_page<'a>(w: &mut Writer<'a>, list: &'a List, naming: Naming, source: &Source<'a, 'a>) -> Layout {
    let resource = &*list.resource;
    let query = &list.query;
    let mut layout = Layout::default();
    let own = Grouped::new(w, resource, &query.select);
    let grouped = source.grouped.as_ref().unwrap_or(&own);
    w.push("SELECT ");
    if list.representation != Representation::Nothing {
        layout.width = grouped.write_items(w, |w, index| {
            if naming == Naming::Numbered {
                w.indexed(" AS c", index);
            }
        });
    }
    layout.selected = layout.width;
    if naming == Naming::Numbered {
        separate(w, &layout);
        // An aggregate, so that all rows are one group where nothing groups and nothing else is shown.
        w.push("count(*) >= 0 AS present");
    }
    if naming == Naming::Numbered || wants_keys(list) {
        for (index, term) in query.order.iter().enumerate() {
            if naming == Naming::Plain {
                separate(w, &layout);
                layout.keys.push(layout.width);
                layout.next();
            } else {
                w.push(", ");
            }
            grouped.write_term(w, term);
            match naming {
                Naming::Plain => {
                    if let Some(field) = grouped::term_type(resource, &query.select, term).field {
                        w.cast_out(field);
                    }
                }
                Naming::Numbered => w.indexed(" AS o", index),
            }
        }
    }
    if naming == Naming::Plain && layout.width == 0 {
        w.push("count(*)");
        layout.next();
    }
    w.push(" FROM ");
    match source.text {
        Some((from, to)) => w.repeat(from, to),
        None => grouped.write_source(w, |w, alias| conditions(w, list, alias)),
    }
    if let Some(values) = &query.after {
        let place = Place::Groups(grouped);
        let keyset = Keyset::new(w, &query.order, values, resource, &query.select, place);
        w.push(" WHERE ");
        keyset.write(w);
    }
    grouped.write_group_by(w);
    grouped.write_order(w, &query.order);
    paging::limit_offset(w, query, resource.page, surplus(list));
    layout
}

/// The page beside the number of all matching rows, in one statement and so in one snapshot. There is a row even when the page is
/// empty, and the order is said twice, since that of a subquery binds nobody.
fn counted_page<'a>(w: &mut Writer<'a>, list: &'a List) -> Layout {
    let resource = &*list.resource;
    let query = &list.query;
    let mut layout = Layout::default();
    w.push("SELECT ");
    if list.representation != Representation::Nothing {
        for index in 0..shown(&query.select).count() {
            separate(w, &layout);
            w.indexed("p.c", index);
            layout.next();
        }
    }
    layout.selected = layout.width;
    separate(w, &layout);
    w.push("p.present, a.total");
    layout.present = Some(layout.next());
    layout.total = Some(layout.next());
    if wants_keys(list) {
        for (index, term) in query.order.iter().enumerate() {
            w.indexed(", p.o", index);
            let ty = if is_grouped(list) {
                grouped::term_type(resource, &query.select, term)
            } else {
                term_type(resource, &query.select, term)
            };
            if let Some(field) = ty.field {
                w.cast_out(field);
            }
            layout.keys.push(layout.width);
            layout.next();
        }
    }
    w.push(" FROM (SELECT count(*) AS total");
    let source = match list.count {
        Count::Estimated { exact_up_to } => {
            w.push(" FROM (SELECT ");
            w.push(one_of(list));
            let source = Source::all(w, list);
            source.group_by(w);
            w.push(" LIMIT ");
            // One more tells that there are more.
            let limit = i64::try_from(exact_up_to).unwrap_or(i64::MAX).saturating_add(1);
            let limit = w.param(Param::BigInt(limit), Type::INT8);
            w.number(limit);
            w.push(") AS seen");
            source
        }
        _ if is_grouped(list) => {
            w.push(" FROM (SELECT count(*)");
            let source = Source::all(w, list);
            source.group_by(w);
            w.push(") AS seen");
            source
        }
        _ => Source::all(w, list),
    };
    w.push(") AS a LEFT JOIN (");
    page(w, list, Naming::Numbered, &source);
    w.push(") AS p ON true");
    for (index, term) in query.order.iter().enumerate() {
        w.push(if index == 0 { " ORDER BY " } else { ", " });
        w.indexed("p.o", index);
        w.push(direction(term));
    }
    layout
}

/// A row must have a column, or nobody sees that it is there.
fn at_least_one(w: &mut Writer<'_>, layout: &mut Layout) {
    if layout.width == 0 {
        w.push("1");
        layout.next();
    }
}

/// Whether the position of the last row is told, should more follow. There is none where there is no row.
pub(super) const fn wants_keys(list: &List) -> bool {
    list.look_ahead && list.query.limit > 0
}

/// How many rows are asked for beyond the page, to see whether there are more.
const fn surplus(list: &List) -> u32 {
    if wants_keys(list) { 1 } else { 0 }
}

/// Adds what the rows are ordered by, where it is wanted and not selected anyway.
fn keys<'a>(w: &mut Writer<'a>, list: &'a List, layout: &mut Layout) {
    if !wants_keys(list) {
        return;
    }
    let resource = &*list.resource;
    let query = &list.query;
    for term in &query.order {
        if list.representation != Representation::Nothing
            && let Some(position) = selected_position(list, term)
        {
            layout.keys.push(position);
            continue;
        }
        separate(w, layout);
        write_term(w, resource, &query.select, term, Alias::ROOT);
        if let Some(field) = term_type(resource, &query.select, term).field {
            w.cast_out(field);
        }
        layout.keys.push(layout.width);
        layout.next();
    }
}

/// Where among the selected columns the field of a term is.
fn selected_position(list: &List, term: &rowstamp_domain::query::OrderTerm) -> Option<usize> {
    use rowstamp_domain::query::{Operand, SelectItem};
    let (None, Operand::Field(wanted)) = (term.embed, &term.operand) else {
        return None;
    };
    shown(&list.query.select).position(|item| matches!(item, SelectItem::Field(id) if id == wanted))
}

fn has_conditions(list: &List) -> bool {
    use rowstamp_domain::query::Join;
    !condition::is_always(&list.visible)
        || !condition::is_always(&list.query.condition)
        || list
            .query
            .select
            .embeds()
            .any(|(_, embed)| embed.join == Join::Inner)
}

/// Writes ` WHERE` and everything that a row must fulfil, where that is anything.
fn conditions<'a>(w: &mut Writer<'a>, list: &'a List, alias: Alias) {
    let resource: &ResourceDefinition = &list.resource;
    let row = Row::Named(alias);
    let subject = Subject {
        resource,
        select: &list.query.select.0,
        row: &row,
    };
    let mut word = " WHERE ";
    for condition in [&list.visible, &list.query.condition] {
        if !condition::is_always(condition) {
            w.push(word);
            condition::write_query(w, &subject, condition);
            word = " AND ";
        }
    }
    embed::inner_joins(w, &list.query.select, resource, alias, word);
}
