//! The shape of queries: columns, embeds, order, position and page.

use rowstamp_domain::definition::{PageLimits, ResourceDefinition};
use rowstamp_domain::operation::{Count, List, Representation};
use rowstamp_domain::query::{
    Aggregate, Direction, Embed, EmbedForm, Expression, Join, Nulls, OrderTerm, Query, Relation, Select,
    SelectItem,
};

use super::condition::{condition, operand};
use super::{address, count, field};
use crate::sql::paging::limit_in_text;

pub(super) fn list(list: &List, key: &mut Vec<u8>) {
    let resource = &*list.resource;
    key.push(1);
    select(&list.query.select, list.representation, key);
    condition(&list.visible, resource, key);
    condition(&list.query.condition, resource, key);
    order(&list.query.order, key);
    match &list.query.after {
        None => key.push(0),
        Some(values) => {
            key.push(1);
            count(values.len(), key);
            // What is NULL is not compared with.
            key.extend(values.iter().map(|value| u8::from(value.is_null())));
        }
    }
    key.push(match list.count {
        Count::None => 0,
        Count::Exact => 1,
        Count::Planned => 2,
        Count::Estimated { .. } => 3,
    });
    key.push(u8::from(list.look_ahead));
    page(&list.query, resource.page, key);
}

fn order(terms: &[OrderTerm], key: &mut Vec<u8>) {
    count(terms.len(), key);
    for term in terms {
        count(term.embed.map_or(0, |position| position + 1), key);
        operand(&term.operand, key);
        key.push(match (term.direction, term.nulls) {
            (Direction::Ascending, Nulls::First) => 0,
            (Direction::Ascending, Nulls::Last) => 1,
            (Direction::Descending, Nulls::First) => 2,
            (Direction::Descending, Nulls::Last) => 3,
        });
    }
}

fn page(query: &Query, limits: PageLimits, key: &mut Vec<u8>) {
    key.push(u8::from(query.offset > 0));
    match limit_in_text(query.limit, limits) {
        None => key.push(0),
        Some(limit) => {
            key.push(1);
            key.extend_from_slice(&limit.to_ne_bytes());
        }
    }
}

/// Writes the columns as far as they are shown, and all embeds, since conditions and orders may speak of them.
pub(super) fn select(select: &Select, representation: Representation, key: &mut Vec<u8>) {
    key.push(u8::from(representation != Representation::Nothing));
    if representation == Representation::Nothing
        && select.embeds().next().is_none()
        && !select.is_aggregated()
    {
        return;
    }
    items(select, key);
}

fn items(select: &Select, key: &mut Vec<u8>) {
    count(select.0.len(), key);
    for item in select.0.iter() {
        match item {
            SelectItem::Field(id) => {
                key.push(0);
                field(*id, key);
            }
            SelectItem::Column(column) => {
                key.push(1);
                expression(&column.expression, key);
            }
            SelectItem::Embed(inner) => {
                key.push(2);
                embed(inner, key);
            }
        }
    }
}

fn expression(expression_: &Expression, key: &mut Vec<u8>) {
    match expression_ {
        Expression::Operand(inner) => {
            key.push(0);
            operand(inner, key);
        }
        Expression::Cast(inner, scalar) => {
            key.extend_from_slice(&[1, *scalar as u8]);
            expression(inner, key);
        }
        Expression::Aggregate(function, inner) => {
            key.push(match function {
                Aggregate::Count => 2,
                Aggregate::Sum => 3,
                Aggregate::Avg => 4,
                Aggregate::Min => 5,
                Aggregate::Max => 6,
            });
            expression(inner, key);
        }
        Expression::CountRows => key.push(7),
    }
}

fn embed(embed: &Embed, key: &mut Vec<u8>) {
    let resource: &ResourceDefinition = &embed.resource;
    address(&embed.resource, key);
    match &embed.relation {
        Relation::One { field: id } => {
            key.push(0);
            field(*id, key);
        }
        Relation::Single { field: id } => {
            key.push(1);
            field(*id, key);
        }
        Relation::Many { field: id } => {
            key.push(2);
            field(*id, key);
        }
        Relation::Through {
            resource: between,
            near,
            far,
            visible,
        } => {
            key.push(3);
            address(between, key);
            field(*near, key);
            field(*far, key);
            condition(visible, between, key);
        }
    }
    key.push(match (embed.join, embed.form) {
        (Join::Left, EmbedForm::Nested) => 0,
        (Join::Left, EmbedForm::Spread) => 1,
        (Join::Inner, EmbedForm::Nested) => 2,
        (Join::Inner, EmbedForm::Spread) => 3,
    });
    condition(&embed.visible, resource, key);
    items(&embed.query.select, key);
    condition(&embed.query.condition, resource, key);
    order(&embed.query.order, key);
    page(&embed.query, resource.page, key);
}
