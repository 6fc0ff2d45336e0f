//! Queries as text that reads back as the same.
//!
//! It prints what the grammar can say; a comparison with NULL, which nobody can write, is not among that.

mod columns;
mod conditions;

use crate::definition::ResourceDefinition;
use crate::query::{Condition, Direction, Embed, Nulls, OrderTerm, Query, Select};

use columns::write_select;
use conditions::{write_condition, write_name, write_operand};

impl Query {
    /// The query as parameters that [`Query::parse`] reads back, not yet percent-encoded. Where it continues, `after`, is not among them.
    pub fn to_parameters(&self, definition: &ResourceDefinition) -> Vec<(String, String)> {
        let mut parameters = vec![("select".to_owned(), self.select.to_text(definition))];
        rows_parameters(self, definition, "", &mut parameters);
        parameters
    }

    /// The order as the value of `order=`, `uid` and all.
    pub fn order_text(&self, definition: &ResourceDefinition) -> String {
        order_text(&self.order, definition, &self.select)
    }
}

impl Select {
    /// The columns as the value of `select=`; what is asked of embedded rows has parameters of its own.
    pub fn to_text(&self, definition: &ResourceDefinition) -> String {
        let mut text = String::new();
        write_select(self, definition, &mut text);
        text
    }
}

impl Condition {
    /// The condition as it stands inside `and=(…)`, such as `not.or(pages.gt.5,status.eq.draft)`. Tests of embeds have the names that they
    /// have in `select`.
    pub fn to_text(&self, definition: &ResourceDefinition, select: &Select) -> String {
        let mut text = String::new();
        write_condition(self, false, definition, select, &mut text);
        text
    }
}

/// What is asked of rows, and of those embedded in them, under names that begin with `prefix`.
fn rows_parameters(
    query: &Query,
    definition: &ResourceDefinition,
    prefix: &str,
    parameters: &mut Vec<(String, String)>,
) {
    if query.condition != Condition::Always {
        let (key, value) = condition_parameter(&query.condition, definition, &query.select);
        parameters.push((format!("{prefix}{key}"), value));
    }
    if !query.order.is_empty() {
        let order = order_text(&query.order, definition, &query.select);
        parameters.push((format!("{prefix}order"), order));
    }
    parameters.push((format!("{prefix}limit"), query.limit.to_string()));
    if query.offset > 0 {
        parameters.push((format!("{prefix}offset"), query.offset.to_string()));
    }
    for (_, embed) in query.select.embeds() {
        let mut prefix = prefix.to_owned();
        write_name(&embed.name, &mut prefix);
        prefix.push('.');
        rows_parameters(&embed.query, &embed.resource, &prefix, parameters);
    }
}

fn order_text(order: &[OrderTerm], definition: &ResourceDefinition, select: &Select) -> String {
    let mut text = String::new();
    for term in order {
        if !text.is_empty() {
            text.push(',');
        }
        match term.embed.and_then(|position| embed_at(select, position)) {
            Some(embed) => {
                write_name(&embed.name, &mut text);
                text.push('(');
                write_operand(&term.operand, &embed.resource, &mut text);
                text.push(')');
            }
            None => write_operand(&term.operand, definition, &mut text),
        }
        text.push_str(match (term.direction, term.nulls) {
            (Direction::Ascending, Nulls::Last) => ".asc",
            (Direction::Ascending, Nulls::First) => ".asc.nullsfirst",
            (Direction::Descending, Nulls::First) => ".desc",
            (Direction::Descending, Nulls::Last) => ".desc.nullslast",
        });
    }
    text
}

/// As one parameter: `and=(…)`, `not.or=(…)`, or a field's.
fn condition_parameter(
    condition: &Condition,
    definition: &ResourceDefinition,
    select: &Select,
) -> (String, String) {
    let text = condition.to_text(definition, select);
    for key in ["and", "or", "not.and", "not.or"] {
        if let Some(value) = text.strip_prefix(key).filter(|value| value.starts_with('(')) {
            return (key.to_owned(), value.to_owned());
        }
    }
    // Alone, since a field's own parameter has no quotes.
    ("and".to_owned(), format!("({text})"))
}

/// The embed at this position of a select.
fn embed_at(select: &Select, position: usize) -> Option<&Embed> {
    select
        .embeds()
        .find_map(|(at, embed)| (at == position).then_some(embed))
}
