//! Rows in groups: a subquery gives every column that groups and every argument of an aggregate a name, and all else speaks of those.
//!
//! So a parameter, such as a key of a JSON path, stands in one place only, and "the same expression" is a matter of names.

use rowstamp_domain::definition::{Field, ResourceDefinition};
use rowstamp_domain::field_type::{FieldType, ScalarType};
use rowstamp_domain::query::{
    Aggregate, Column, Embed, EmbedForm, Expression, OrderTerm, Select, SelectItem,
};

use super::condition::{self, Row};
use super::order::{TermType, direction};
use super::select::{embed_at, shown};
use super::writer::{Alias, Writer, sql_type};
use super::{embed, operand};

/// A select with aggregates.
pub(super) struct Grouped<'a, 's> {
    resource: &'s ResourceDefinition,
    select: &'a Select,
    /// The subquery's name.
    alias: Alias,
}

/// An embed whose columns become columns of the groups: it finds one row at most.
fn joined(item: &SelectItem) -> Option<&Embed> {
    match item {
        SelectItem::Embed(embed) if embed.is_single() && (!is_nested(embed) || is_flat(embed)) => Some(embed),
        _ => None,
    }
}

/// Whether it is shown as an object. The first of its columns then tells whether there is a row. That is no column that groups, or groups
/// could not be told apart by the values of their order: no row, and a row of nothing but NULLs, are in one group.
fn is_nested(embed: &Embed) -> bool {
    embed.form == EmbedForm::Nested
}

/// Whether it has columns of its rows alone.
fn is_flat(embed: &Embed) -> bool {
    let select = &embed.query.select;
    !select.is_aggregated() && shown(select).all(|item| !matches!(item, SelectItem::Embed(_)))
}

/// How many columns of the subquery an item takes.
fn width(item: &SelectItem) -> usize {
    match (item, joined(item)) {
        (_, Some(embed)) => {
            usize::from(is_nested(embed)) + shown(&embed.query.select).map(width).sum::<usize>()
        }
        (SelectItem::Column(column), None) => usize::from(argument(&column.expression).is_some()),
        (SelectItem::Field(_) | SelectItem::Embed(_), None) => 1,
    }
}

/// What of an expression is the subquery's: all of it, or the argument of its aggregate. The rows of a group have none: `count(*)`.
fn argument(expression: &Expression) -> Option<&Expression> {
    match expression {
        Expression::Cast(inner, _) if inner.is_aggregate() => argument(inner),
        Expression::Aggregate(_, inner) => Some(inner),
        Expression::CountRows => None,
        Expression::Operand(_) | Expression::Cast(..) => Some(expression),
    }
}

impl<'a, 's> Grouped<'a, 's> {
    pub(super) const fn new(
        w: &mut Writer<'a>,
        resource: &'s ResourceDefinition,
        select: &'a Select,
    ) -> Self {
        Self {
            resource,
            select,
            alias: w.new_alias(),
        }
    }

    /// Whether there are columns that group; without them all rows are one group, also when there are none.
    pub(super) fn has_keys(&self) -> bool {
        let mut any = false;
        self.keys(&mut |_| any = true);
        any
    }

    /// Writes the columns of the answer, and calls for each of them what separates it from the one before.
    pub(super) fn write_items(&self, w: &mut Writer<'a>, naming: impl Fn(&mut Writer<'a>, usize)) -> usize {
        let mut next = 0;
        let mut count = 0;
        for item in shown(self.select) {
            if count > 0 {
                w.push(", ");
            }
            self.write_item(w, self.resource, item, &mut next);
            naming(w, count);
            count += 1;
        }
        count
    }

    /// Writes the columns of the answer as one value.
    pub(super) fn write_record(&self, w: &mut Writer<'a>) {
        w.push("ROW(");
        self.write_items(w, |_, _| {});
        w.push(")");
    }

    fn write_item(
        &self,
        w: &mut Writer<'a>,
        resource: &ResourceDefinition,
        item: &'a SelectItem,
        next: &mut usize,
    ) {
        match (item, joined(item)) {
            (_, Some(embed)) => {
                if is_nested(embed) {
                    w.push("CASE WHEN bool_or(");
                    self.write_name(w, next);
                    w.push(") THEN ");
                }
                w.push("ROW(");
                for (index, item) in shown(&embed.query.select).enumerate() {
                    if index > 0 {
                        w.push(", ");
                    }
                    self.write_item(w, &embed.resource, item, next);
                }
                w.push(if is_nested(embed) { ") END" } else { ")" });
            }
            (SelectItem::Column(column), None) => self.write_outer(w, resource, &column.expression, next),
            (SelectItem::Field(id), None) => {
                self.write_name(w, next);
                w.cast_out(resource.field(*id));
            }
            (SelectItem::Embed(_), None) => self.write_name(w, next),
        }
    }

    fn write_name(&self, w: &mut Writer<'a>, next: &mut usize) {
        w.numbered_of(self.alias, *next);
        *next += 1;
    }

    /// Writes an expression over the subquery's columns.
    fn write_outer(
        &self,
        w: &mut Writer<'a>,
        resource: &ResourceDefinition,
        expression: &Expression,
        next: &mut usize,
    ) {
        match expression {
            Expression::Cast(inner, scalar) if inner.is_aggregate() => {
                self.write_outer(w, resource, inner, next);
                w.push("::");
                w.push(sql_type(*scalar));
            }
            Expression::Aggregate(function, inner) => {
                self.write_aggregate(w, *function, inner.ty(resource), *next);
                *next += 1;
            }
            Expression::CountRows => w.push("count(*)"),
            Expression::Operand(_) | Expression::Cast(..) => self.write_name(w, next),
        }
        if let Some(field) = operand::typed_field(resource, expression) {
            w.cast_out(field);
        }
    }

    fn write_aggregate(&self, w: &mut Writer<'a>, function: Aggregate, ty: FieldType, column: usize) {
        let name = match function {
            Aggregate::Count => "count(",
            Aggregate::Sum => "sum(",
            Aggregate::Avg => "avg(",
            Aggregate::Min if has_extremes(ty) => "min(",
            Aggregate::Max if has_extremes(ty) => "max(",
            Aggregate::Min | Aggregate::Max => {
                w.push("(array_agg(");
                w.numbered_of(self.alias, column);
                w.push(" ORDER BY ");
                w.numbered_of(self.alias, column);
                w.push(if function == Aggregate::Min {
                    ") FILTER (WHERE "
                } else {
                    " DESC) FILTER (WHERE "
                });
                w.numbered_of(self.alias, column);
                return w.push(" IS NOT NULL))[1]");
            }
        };
        w.push(name);
        w.numbered_of(self.alias, column);
        w.push(")");
    }

    /// Writes the subquery; `found` writes its WHERE, given the name of its row.
    pub(super) fn write_source(&self, w: &mut Writer<'a>, mut found: impl FnMut(&mut Writer<'a>, Alias)) {
        let row = w.new_alias();
        write_rows(w, self.resource, self.select, Presence::Untold, row, &mut found);
        w.push(" AS ");
        w.alias(self.alias);
    }

    /// Writes the GROUP BY, where there is one.
    pub(super) fn write_group_by(&self, w: &mut Writer<'a>) {
        let mut word = " GROUP BY ";
        self.keys(&mut |column| {
            w.push(word);
            w.numbered_of(self.alias, column);
            word = ", ";
        });
    }

    /// Calls with each column that groups.
    fn keys(&self, take: &mut impl FnMut(usize)) {
        fn walk(select: &Select, next: &mut usize, take: &mut impl FnMut(usize)) {
            for item in shown(select) {
                if let Some(embed) = joined(item) {
                    *next += usize::from(is_nested(embed));
                    walk(&embed.query.select, next, take);
                    continue;
                }
                let aggregates =
                    matches!(item, SelectItem::Column(column) if column.expression.is_aggregate());
                if !aggregates {
                    take(*next);
                }
                *next += width(item);
            }
        }
        walk(self.select, &mut 0, take);
    }

    /// Writes the ORDER BY.
    pub(super) fn write_order(&self, w: &mut Writer<'a>, order: &'a [OrderTerm]) {
        for (index, term) in order.iter().enumerate() {
            w.push(if index == 0 { " ORDER BY " } else { ", " });
            self.write_term(w, term);
            w.push(direction(term));
        }
    }

    /// Writes the column that a term stands for.
    pub(super) fn write_term(&self, w: &mut Writer<'a>, term: &OrderTerm) {
        match key_of(self.resource, self.select, term) {
            Some(key) => w.numbered_of(self.alias, key.column),
            None => w.push("NULL::text"),
        }
    }
}

/// A column of the subquery that an order can name.
struct Key<'s> {
    column: usize,
    ty: TermType<'s>,
}

/// What is known of the values of a term over groups.
pub(super) fn term_type<'s>(
    resource: &'s ResourceDefinition,
    select: &'s Select,
    term: &OrderTerm,
) -> TermType<'s> {
    key_of(resource, select, term).map_or(
        TermType {
            ty: FieldType::scalar(ScalarType::Text),
            field: None,
            nullable: true,
        },
        |key| key.ty,
    )
}

/// The first column over a term's operand.
fn key_of<'s>(resource: &'s ResourceDefinition, select: &'s Select, term: &OrderTerm) -> Option<Key<'s>> {
    let (resource, select, start) = match term.embed {
        None => (resource, select, 0),
        Some(position) => {
            let embed = embed_at(select, position)?;
            joined(&select.0[position])?;
            let before = select.0[..position]
                .iter()
                .filter(|item| super::select::is_shown(item));
            let start = before.map(width).sum::<usize>() + usize::from(is_nested(embed));
            (&*embed.resource, &embed.query.select, start)
        }
    };
    let mut column = start;
    for item in shown(select) {
        let found = match item {
            SelectItem::Field(id) if whole(term) == Some(*id) => {
                let field = resource.field(*id);
                Some((
                    field.ty,
                    Some(field),
                    !field.required && resource.audit.uid != *id,
                ))
            }
            SelectItem::Column(over) if is_key_over(over, term) => {
                let field: Option<&Field> = operand::typed_field(resource, &over.expression);
                Some((over.expression.ty(resource), field, true))
            }
            _ => None,
        };
        if let Some((ty, field, nullable)) = found {
            let nullable = nullable || term.embed.is_some();
            return Some(Key {
                column,
                ty: TermType { ty, field, nullable },
            });
        }
        column += width(item);
    }
    None
}

const fn whole(term: &OrderTerm) -> Option<rowstamp_domain::definition::FieldId> {
    match &term.operand {
        rowstamp_domain::query::Operand::Field(id) => Some(*id),
        rowstamp_domain::query::Operand::Json { .. } => None,
    }
}

fn is_key_over(column: &Column, term: &OrderTerm) -> bool {
    fn innermost(expression: &Expression) -> Option<&rowstamp_domain::query::Operand> {
        match expression {
            Expression::Operand(operand) => Some(operand),
            Expression::Cast(inner, _) => innermost(inner),
            Expression::Aggregate(..) | Expression::CountRows => None,
        }
    }
    innermost(&column.expression) == Some(&term.operand)
}

/// PostgreSQL has no `min` and `max` of these.
const fn has_extremes(ty: FieldType) -> bool {
    ty.array
        || !matches!(
            ty.scalar,
            ScalarType::Uuid | ScalarType::Boolean | ScalarType::Json | ScalarType::Bytes
        )
}

/// Whether the first column of each row tells that there is one, for those that find none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Told,
    Untold,
}

/// Writes `(SELECT … AS c0, … FROM … AS row WHERE …)`: the arguments and keys of `select` for each row.
fn write_rows<'a>(
    w: &mut Writer<'a>,
    resource: &ResourceDefinition,
    select: &'a Select,
    presence: Presence,
    row: Alias,
    found: &mut dyn FnMut(&mut Writer<'a>, Alias),
) {
    w.push("(SELECT ");
    let mut joins: Vec<(Alias, &'a Embed)> = Vec::new();
    let mut next = 0;
    if presence == Presence::Told {
        w.push("true AS c0");
        next = 1;
    }
    for item in shown(select) {
        if let Some(embed) = joined(item) {
            let alias = w.new_alias();
            for column in 0..width(item) {
                separated(w, next);
                w.numbered_of(alias, column);
                w.indexed(" AS c", next);
                next += 1;
            }
            joins.push((alias, embed));
        } else if width(item) > 0 {
            separated(w, next);
            write_key(w, resource, item, row);
            w.indexed(" AS c", next);
            next += 1;
        }
    }
    if next == 0 {
        w.push("1");
    }
    w.push(" FROM ");
    w.table(resource);
    w.push(" AS ");
    w.alias(row);
    for (alias, embed) in joins {
        w.push(" LEFT JOIN LATERAL ");
        let inner = w.new_alias();
        let presence = if is_nested(embed) {
            Presence::Told
        } else {
            Presence::Untold
        };
        write_rows(
            w,
            &embed.resource,
            &embed.query.select,
            presence,
            inner,
            &mut |w, inner| {
                embed::found(w, embed, resource, row, inner);
                embed::page(w, embed);
            },
        );
        w.push(" AS ");
        w.alias(alias);
        w.push(" ON true");
    }
    found(w, row);
    w.push(")");
}

fn separated(w: &mut Writer<'_>, next: usize) {
    if next > 0 {
        w.push(", ");
    }
}

fn write_key<'a>(w: &mut Writer<'a>, resource: &ResourceDefinition, item: &'a SelectItem, row: Alias) {
    match item {
        SelectItem::Field(id) => condition::operand(w, resource, *id, &Row::Named(row)),
        SelectItem::Column(column) => {
            if let Some(argument) = argument(&column.expression) {
                operand::write_expression(w, resource, argument, &Row::Named(row));
            }
        }
        SelectItem::Embed(embed) => embed::value(w, embed, resource, row),
    }
}
