//! Column lists as text.

use super::super::bind::{aggregate_name, through_hint, usual_name};
use super::conditions::{write_name, write_operand};
use crate::definition::{FieldId, ResourceDefinition};
use crate::query::{Column, Embed, EmbedForm, Expression, Join, Relation, Select, SelectItem};

pub(super) fn write_select(select: &Select, definition: &ResourceDefinition, text: &mut String) {
    for (position, item) in select.0.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        match item {
            SelectItem::Field(id) => write_name(&definition.field(*id).name, text),
            SelectItem::Column(column) => write_column(column, definition, text),
            SelectItem::Embed(embed) => write_embed(embed, definition, text),
        }
    }
}

fn write_column(column: &Column, definition: &ResourceDefinition, text: &mut String) {
    if column.name != usual(&column.expression, definition) {
        write_name(&column.name, text);
        text.push(':');
    }
    write_expression(&column.expression, definition, text);
}

/// The name that the column would have without an alias.
fn usual(expression: &Expression, definition: &ResourceDefinition) -> String {
    match expression {
        Expression::Operand(operand) => usual_name(operand, definition),
        Expression::Cast(inner, _) => usual(inner, definition),
        Expression::Aggregate(aggregate, _) => aggregate_name(*aggregate).to_owned(),
        Expression::CountRows => "count".to_owned(),
    }
}

fn write_expression(expression: &Expression, definition: &ResourceDefinition, text: &mut String) {
    match expression {
        Expression::Operand(operand) => write_operand(operand, definition, text),
        Expression::Cast(inner, ty) => {
            write_expression(inner, definition, text);
            text.push_str("::");
            text.push_str(ty.name());
        }
        Expression::Aggregate(aggregate, inner) => {
            write_expression(inner, definition, text);
            text.push('.');
            text.push_str(aggregate_name(*aggregate));
            text.push_str("()");
        }
        Expression::CountRows => text.push_str("count()"),
    }
}

fn write_embed(embed: &Embed, definition: &ResourceDefinition, text: &mut String) {
    let resource = &embed.resource;
    let is_recursive = resource.id == definition.id;
    // Where both have a field of that name, the hint says whose is meant.
    let field_hint = |owner: &ResourceDefinition, id: FieldId| {
        let name = &owner.field(id).name;
        if definition.field_id(name).is_some() && resource.field_id(name).is_some() && !is_recursive {
            format!("{}.{name}", owner.name)
        } else {
            name.clone()
        }
    };
    let (target, hint) = match &embed.relation {
        // A reference to its like is named by the field alone.
        Relation::One { field } if is_recursive => (&definition.field(*field).name, None),
        Relation::One { field } => (&resource.name, Some(field_hint(definition, *field))),
        Relation::Single { field } | Relation::Many { field } => {
            (&resource.name, Some(field_hint(resource, *field)))
        }
        Relation::Through {
            resource: join,
            near,
            far,
            ..
        } => (&resource.name, Some(through_hint(join, *near, *far))),
    };
    if embed.form == EmbedForm::Spread {
        text.push_str("...");
    }
    if embed.name != *target {
        write_name(&embed.name, text);
        text.push(':');
    }
    write_name(target, text);
    if let Some(hint) = hint {
        text.push('!');
        write_name(&hint, text);
    }
    if embed.join == Join::Inner {
        text.push_str("!inner");
    }
    text.push('(');
    write_select(&embed.query.select, resource, text);
    text.push(')');
}
