//! The columns of an answer, of a row by itself or inside another.
//!
//! An embed is one column: a `record`, or an array of them, whose binary form holds each column in its own. The names of an answer, which
//! callers may choose, are no part of a statement: they are put in where rows become bytes.

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::operation::Representation;
use rowstamp_domain::query::{Embed, Expression, Select, SelectItem};

use super::condition::Row;
use super::plan::Layout;
use super::writer::{Alias, Writer};
use super::{embed, operand};

/// Whether columns need names of their own, as those of a CTE do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    Plain,
    Numbered,
}

/// Whether an item is a column at all: an embed that shows nothing is not.
pub(crate) fn is_shown(item: &SelectItem) -> bool {
    match item {
        SelectItem::Field(_) | SelectItem::Column(_) => true,
        SelectItem::Embed(embed) => !shows_nothing(&embed.query.select),
    }
}

fn shows_nothing(select: &Select) -> bool {
    !select.0.iter().any(is_shown)
}

/// The columns that are shown.
pub(crate) fn shown(select: &Select) -> impl Iterator<Item = &SelectItem> {
    select.0.iter().filter(|item| is_shown(item))
}

/// Writes the selected columns of the row `t`, with [`Naming::Numbered`] as `c0`, `c1`, …, and tells where the version is if it is
/// among them. An embed finds its rows by the columns of `t`, which may be a table, a CTE, or what a write returns.
pub(super) fn write_columns<'a>(
    w: &mut Writer<'a>,
    resource: &ResourceDefinition,
    select: &'a Select,
    representation: Representation,
    named: Naming,
) -> Layout {
    let mut layout = Layout::default();
    if !w.wants_text() && select.is_plain() {
        // Fields alone have no parameters.
        return layout;
    }
    if representation != Representation::Nothing {
        for item in shown(select) {
            let position = layout.next();
            if position > 0 {
                w.push(", ");
            }
            if let SelectItem::Field(id) = item
                && resource.audit.last_updated_at == Some(*id)
            {
                layout.version = Some(position);
            }
            write_item(w, resource, item, Alias::ROOT);
            if named == Naming::Numbered {
                w.indexed(" AS c", position);
            }
        }
    }
    layout.selected = layout.width;
    layout
}

/// Adds the version to what was selected, where the table keeps one and it is not selected.
pub(super) fn write_version(
    w: &mut Writer<'_>,
    resource: &ResourceDefinition,
    layout: &mut Layout,
    named: Naming,
) {
    if layout.version.is_some() {
        return;
    }
    if let Some(version) = resource.audit.last_updated_at {
        separate(w, layout);
        w.column(resource.field(version));
        if named == Naming::Numbered {
            w.push(" AS v");
        }
        layout.version = Some(layout.next());
    }
}

/// A comma, unless the next column is the first.
pub(super) fn separate(w: &mut Writer<'_>, layout: &Layout) {
    if layout.width > 0 {
        w.push(", ");
    }
}

/// Writes the columns of a row as one value.
pub(super) fn write_record<'a>(
    w: &mut Writer<'a>,
    resource: &ResourceDefinition,
    select: &'a Select,
    alias: Alias,
) {
    w.push("ROW(");
    for (index, item) in shown(select).enumerate() {
        if index > 0 {
            w.push(", ");
        }
        write_item(w, resource, item, alias);
    }
    w.push(")");
}

fn write_item<'a>(w: &mut Writer<'a>, resource: &ResourceDefinition, item: &'a SelectItem, alias: Alias) {
    match item {
        SelectItem::Field(id) => {
            if w.wants_text() {
                let field = resource.field(*id);
                w.column_of(alias, field);
                w.cast_out(field);
            }
        }
        SelectItem::Column(column) => write_value(w, resource, &column.expression, alias),
        SelectItem::Embed(embed) => embed::value(w, embed, resource, alias),
    }
}

/// Writes an expression as it is shown.
fn write_value<'a>(
    w: &mut Writer<'a>,
    resource: &ResourceDefinition,
    expression: &'a Expression,
    alias: Alias,
) {
    match operand::typed_field(resource, expression) {
        Some(field) => {
            w.column_of(alias, field);
            w.cast_out(field);
        }
        None => operand::write_expression(w, resource, expression, &Row::Named(alias)),
    }
}

/// The embed of an item that is shown as columns of the row it belongs to.
pub(super) fn embed_at(select: &Select, position: usize) -> Option<&Embed> {
    match select.0.get(position) {
        Some(SelectItem::Embed(embed)) => Some(embed),
        _ => None,
    }
}
