//! In which order rows come.

use rowstamp_domain::definition::{Field, ResourceDefinition};
use rowstamp_domain::field_type::FieldType;
use rowstamp_domain::query::{Direction, Nulls, OrderTerm, Query, Select};

use super::condition::Row;
use super::select::embed_at;
use super::writer::{Alias, Writer};
use super::{embed, operand};

/// Writes the ORDER BY of a query over the row `alias`.
pub(super) fn write<'a>(w: &mut Writer<'a>, resource: &ResourceDefinition, query: &'a Query, alias: Alias) {
    for (index, term) in query.order.iter().enumerate() {
        w.push(if index == 0 { " ORDER BY " } else { ", " });
        write_term(w, resource, &query.select, term, alias);
        w.push(direction(term));
    }
}

/// Writes what a term orders by.
pub(super) fn write_term<'a>(
    w: &mut Writer<'a>,
    resource: &ResourceDefinition,
    select: &'a Select,
    term: &'a OrderTerm,
    alias: Alias,
) {
    match term.embed {
        None => operand::write(w, resource, &term.operand, &Row::Named(alias)),
        Some(position) => match embed_at(select, position) {
            Some(embed) => embed::part(w, embed, &term.operand, resource, alias),
            // There is no such embed, so it has no row.
            None => w.push("NULL::text"),
        },
    }
}

/// PostgreSQL puts NULLs last ascending and first descending where nothing is said.
pub(super) const fn direction(term: &OrderTerm) -> &'static str {
    match (term.direction, term.nulls) {
        (Direction::Ascending, Nulls::Last) => "",
        (Direction::Ascending, Nulls::First) => " NULLS FIRST",
        (Direction::Descending, Nulls::First) => " DESC",
        (Direction::Descending, Nulls::Last) => " DESC NULLS LAST",
    }
}

/// What is known of the values of a term.
#[derive(Debug, Clone, Copy)]
pub(super) struct TermType<'s> {
    pub(super) ty: FieldType,
    /// The field whose column it is, which may have a type of its own.
    pub(super) field: Option<&'s Field>,
    pub(super) nullable: bool,
}

/// What is known of the values of a term over rows.
pub(super) fn term_type<'s>(
    resource: &'s ResourceDefinition,
    select: &'s Select,
    term: &OrderTerm,
) -> TermType<'s> {
    let embed = term.embed.and_then(|position| embed_at(select, position));
    let of = embed.map_or(resource, |embed| &embed.resource);
    let field = operand::whole_field(of, &term.operand);
    TermType {
        ty: term.operand.ty(of),
        field,
        nullable: term.embed.is_some() || !field.is_some_and(|field| field.required),
    }
}
