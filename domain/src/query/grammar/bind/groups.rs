//! What rows are grouped by where there are aggregates: all other columns.

use super::super::error::{QueryError, QueryErrorKind};
use crate::query::{Embed, EmbedForm, Operand, Select, SelectItem};

/// A column that groups: the embed it is of, if it is not the row's own, and what it looks at.
pub(super) type Group = (Option<usize>, Operand);

/// The columns that group, in order: the row's own, and those of embeds that find one row at most.
pub(super) fn of(select: &Select) -> Vec<Group> {
    let mut groups = Vec::new();
    for (position, item) in select.0.iter().enumerate() {
        match item {
            SelectItem::Embed(embed) => {
                let columns = embed.query.select.0.iter().filter_map(operand);
                groups.extend(columns.map(|operand| (Some(position), operand)));
            }
            SelectItem::Field(_) | SelectItem::Column(_) => {
                groups.extend(operand(item).map(|operand| (None, operand)));
            }
        }
    }
    groups
}

fn operand(item: &SelectItem) -> Option<Operand> {
    match item {
        SelectItem::Field(id) => Some(Operand::Field(*id)),
        SelectItem::Column(column) if column.expression.is_aggregate() => None,
        SelectItem::Column(column) => column.expression.operand().cloned(),
        SelectItem::Embed(_) => None,
    }
}

/// Checks that the rows of a select with aggregates can be grouped, and the groups ordered.
pub(super) fn check(select: &Select, errors: &mut Vec<QueryError>) {
    for (_, embed) in select.embeds() {
        if let Some(message) = ungroupable(embed) {
            errors.push(QueryError::new(
                QueryErrorKind::Unsupported,
                "select",
                format!("beside aggregates, `{}` {message}", embed.name),
            ));
        }
    }
    let groups = of(select);
    for (position, group) in groups.iter().enumerate() {
        if groups[..position].contains(group) {
            let message = "rows cannot be grouped by two columns made of the same field";
            errors.push(QueryError::new(QueryErrorKind::Unsupported, "select", message));
            return;
        }
    }
}

/// Why rows cannot be grouped by this embed.
fn ungroupable(embed: &Embed) -> Option<&'static str> {
    let select = &embed.query.select;
    if select.shows_nothing() {
        return None;
    }
    if !embed.is_single() {
        return Some("cannot be embedded, since it can find several rows");
    }
    if select
        .embeds()
        .any(|(_, inner)| !inner.query.select.shows_nothing())
    {
        return Some("cannot embed others");
    }
    if embed.form == EmbedForm::Nested && select.is_aggregated() {
        return Some("cannot have aggregates of its own; spread it with `...`");
    }
    None
}
