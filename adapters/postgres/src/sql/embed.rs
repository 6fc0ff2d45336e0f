//! Rows of other resources: how they are found from a row, shown in it, tested and ordered by.
//!
//! Each embed is a subquery of its own over the row it belongs to, so that it is carried out for the rows of the page alone.

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::query::{Condition, Embed, Join, Operand, Query, Relation, Select, SelectItem};

use super::condition::{self, Row, Subject};
use super::grouped::Grouped;
use super::select::write_record;
use super::writer::{Alias, Writer};
use super::{operand, order, paging};

/// Writes the embed as a value of the row `outer`: a record, NULL where there is none, or an array of records.
pub(super) fn value<'a>(w: &mut Writer<'a>, embed: &'a Embed, resource: &ResourceDefinition, outer: Alias) {
    w.push(if embed.is_single() { "(" } else { "ARRAY(" });
    let query = &embed.query;
    w.push("SELECT ");
    if query.select.is_aggregated() {
        let grouped = Grouped::new(w, &embed.resource, &query.select);
        grouped.write_record(w);
        w.push(" FROM ");
        grouped.write_source(w, |w, alias| {
            found(w, embed, resource, outer, alias);
        });
        grouped.write_group_by(w);
        if !embed.is_single() {
            grouped.write_order(w, &query.order);
        }
    } else {
        let alias = w.new_alias();
        write_record(w, &embed.resource, &query.select, alias);
        w.push(" FROM ");
        w.table(&embed.resource);
        w.push(" AS ");
        w.alias(alias);
        found(w, embed, resource, outer, alias);
        if !embed.is_single() {
            order::write(w, &embed.resource, query, alias);
        }
    }
    page(w, embed);
    w.push(")");
}

/// Writes whether the embed of the row `outer` has a row.
pub(super) fn exists<'a>(w: &mut Writer<'a>, embed: &'a Embed, resource: &ResourceDefinition, outer: Alias) {
    let query = &embed.query;
    w.push("EXISTS (SELECT 1 FROM ");
    if query.select.is_aggregated() {
        let grouped = Grouped::new(w, &embed.resource, &query.select);
        if !grouped.has_keys() {
            // One row, whatever is found; an aggregate makes it one here too.
            w.push("(SELECT count(*) FROM ");
        }
        grouped.write_source(w, |w, alias| {
            found(w, embed, resource, outer, alias);
        });
        grouped.write_group_by(w);
        if !grouped.has_keys() {
            w.push(") AS one");
        }
    } else {
        let alias = w.new_alias();
        w.table(&embed.resource);
        w.push(" AS ");
        w.alias(alias);
        found(w, embed, resource, outer, alias);
    }
    // Any other page of at least one row has a row where there is one.
    if query.limit == 0 || query.offset > 0 {
        paging::limit_offset(w, query, embed.resource.page, 0);
    }
    w.push(")");
}

/// Writes a part of the embed's row, for an order; NULL where there is none.
pub(super) fn part<'a>(
    w: &mut Writer<'a>,
    embed: &'a Embed,
    wanted: &'a Operand,
    resource: &ResourceDefinition,
    outer: Alias,
) {
    let alias = w.new_alias();
    w.push("(SELECT ");
    operand::write(w, &embed.resource, wanted, &Row::Named(alias));
    w.push(" FROM ");
    w.table(&embed.resource);
    w.push(" AS ");
    w.alias(alias);
    found(w, embed, resource, outer, alias);
    page(w, embed);
    w.push(")");
}

/// Writes the conditions that every row must fulfil that has an inner embed, each after `word`.
pub(super) fn inner_joins<'a>(
    w: &mut Writer<'a>,
    select: &'a Select,
    resource: &ResourceDefinition,
    alias: Alias,
    mut word: &'static str,
) {
    for item in select.0.iter() {
        if let SelectItem::Embed(embed) = item
            && embed.join == Join::Inner
        {
            w.push(word);
            exists(w, embed, resource, alias);
            word = " AND ";
        }
    }
}

/// Writes ` WHERE` and all that makes a row `alias` one of the embed's.
pub(super) fn found<'a>(
    w: &mut Writer<'a>,
    embed: &'a Embed,
    resource: &ResourceDefinition,
    outer: Alias,
    alias: Alias,
) {
    w.push(" WHERE ");
    link(w, embed, resource, outer, alias);
    let row = Row::Named(alias);
    if !condition::is_always(&embed.visible) {
        w.push(" AND ");
        condition::write(w, &embed.resource, &embed.visible, &row);
    }
    conditions(w, &embed.resource, &embed.query, alias);
}

/// Writes what a query demands of its rows, each part after ` AND `.
fn conditions<'a>(w: &mut Writer<'a>, resource: &ResourceDefinition, query: &'a Query, alias: Alias) {
    if !condition::is_always(&query.condition) {
        w.push(" AND ");
        let subject = Subject {
            resource,
            select: &query.select.0,
            row: &Row::Named(alias),
        };
        condition::write_query(w, &subject, &query.condition);
    }
    inner_joins(w, &query.select, resource, alias, " AND ");
}

/// Writes that the row `alias` belongs to the row `outer`.
fn link<'a>(w: &mut Writer<'a>, embed: &'a Embed, resource: &ResourceDefinition, outer: Alias, alias: Alias) {
    let own = &embed.resource;
    let uid = |resource: &ResourceDefinition| resource.audit.uid;
    match &embed.relation {
        Relation::One { field } => {
            w.column_of(alias, own.field(uid(own)));
            w.push(" = ");
            w.column_of(outer, resource.field(*field));
        }
        Relation::Single { field } | Relation::Many { field } => {
            w.column_of(alias, own.field(*field));
            w.push(" = ");
            w.column_of(outer, resource.field(uid(resource)));
        }
        Relation::Through {
            resource: between,
            near,
            far,
            visible,
        } => {
            let through = w.new_alias();
            w.push("EXISTS (SELECT 1 FROM ");
            w.table(between);
            w.push(" AS ");
            w.alias(through);
            w.push(" WHERE ");
            w.column_of(through, between.field(*near));
            w.push(" = ");
            w.column_of(outer, resource.field(uid(resource)));
            w.push(" AND ");
            w.column_of(through, between.field(*far));
            w.push(" = ");
            w.column_of(alias, own.field(uid(own)));
            if !is_free(visible) {
                w.push(" AND ");
                condition::write(w, between, visible, &Row::Named(through));
            }
            w.push(")");
        }
    }
}

fn is_free(visible: &Condition) -> bool {
    condition::is_always(visible)
}

/// Which of the rows found are shown. Where there can be one at most, that is left to itself, but for a reference that only should be
/// unique.
pub(super) fn page<'a>(w: &mut Writer<'a>, embed: &'a Embed) {
    let query = &embed.query;
    let whole = query.limit > 0 && query.offset == 0;
    match &embed.relation {
        Relation::One { .. } if whole => {}
        Relation::Single { .. } if whole => w.push(" LIMIT 1"),
        _ => paging::limit_offset(w, query, embed.resource.page, 0),
    }
}
