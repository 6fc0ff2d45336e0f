//! Conditions on a row as SQL, over the row as it is or as it would become.

use rowstamp_domain::definition::{Field, FieldId, ResourceDefinition};
use rowstamp_domain::field_type::ScalarType;
use rowstamp_domain::query::{Condition, SelectItem};
use rowstamp_domain::value::Value;

use super::writer::{Alias, Number, Writer, param_type, sql_type};
use super::{embed, predicate};
use crate::params::Param;

/// Which row a condition speaks of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row<'s> {
    /// The stored row, `t`.
    Stored,
    /// A stored row that goes by another name.
    Named(Alias),
    /// The stored row after a change: the values set are parameters, numbered on from the first.
    Changed {
        /// What is set.
        set: &'s [(FieldId, Value)],
        /// The number of the first value set.
        first: Number,
        /// The stamps.
        stamp: StampNumbers,
    },
    /// A row that does not exist yet: its values are parameters, numbered on from the first.
    New {
        /// The columns given.
        columns: Columns<'s>,
        /// The number of the first.
        first: Number,
    },
    /// The stored row after it took values of a new row `n` that it is in the way of.
    Merged {
        /// The columns of the new row.
        columns: &'s [FieldId],
        /// The columns it takes.
        set: &'s [FieldId],
        /// Whether `n` says for each of them, as `g0`, `g1`, …, if it is given.
        masked: bool,
        /// The stamps.
        stamp: StampNumbers,
    },
    /// One of many new rows, `n`, whose columns are called by their position.
    Bulk {
        /// The columns given.
        columns: &'s [FieldId],
    },
}

impl Row<'_> {
    /// What the stored row is called.
    pub(super) const fn alias(&self) -> Alias {
        match self {
            Self::Named(alias) => *alias,
            _ => Alias::ROOT,
        }
    }
}

/// The columns of a new row, as an insert or a replacement lists them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Columns<'s> {
    Ids(&'s [FieldId]),
    Values(&'s [(FieldId, Value)]),
}

impl Columns<'_> {
    fn position(&self, field: FieldId) -> Option<usize> {
        match self {
            Self::Ids(ids) => ids.iter().position(|id| *id == field),
            Self::Values(values) => values.iter().position(|(id, _)| *id == field),
        }
    }
}

/// The parameters of an update's stamps.
#[derive(Debug, Clone, Copy)]
pub(super) struct StampNumbers {
    pub(super) now: Number,
    pub(super) actor: Number,
}

/// Whether a condition holds for every row.
pub(super) fn is_always(condition: &Condition) -> bool {
    match condition {
        Condition::Always => true,
        Condition::All(parts) => parts.iter().all(is_always),
        _ => false,
    }
}

/// Whether a condition looks at a field for which `changed` holds.
pub(super) fn refers(condition: &Condition, changed: &impl Fn(FieldId) -> bool) -> bool {
    match condition {
        Condition::Always | Condition::Never | Condition::Embedded(_) => false,
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| refers(part, changed)),
        Condition::Not(inner) => refers(inner, changed),
        Condition::Test(test) => changed(test.operand.field()),
    }
}

/// Of what a condition speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'s, 'a> {
    /// The resource of the row.
    pub(super) resource: &'s ResourceDefinition,
    /// The columns of the query, for [`Condition::Embedded`]; rules have none.
    pub(super) select: &'a [SelectItem],
    /// The row.
    pub(super) row: &'s Row<'s>,
}

/// Writes a condition that speaks of no embeds, as rules do; what it writes can stand next to AND.
pub(super) fn write<'a>(
    w: &mut Writer<'a>,
    resource: &ResourceDefinition,
    condition: &'a Condition,
    row: &Row<'_>,
) {
    let subject = Subject {
        resource,
        select: &[],
        row,
    };
    write_query(w, &subject, condition);
}

/// Writes a condition of a query; what it writes can stand next to AND.
pub(super) fn write_query<'a>(w: &mut Writer<'a>, subject: &Subject<'_, 'a>, condition: &'a Condition) {
    match condition {
        Condition::Always => w.push("true"),
        Condition::Never => w.push("false"),
        Condition::All(parts) => join(w, subject, parts, " AND ", "true"),
        Condition::Any(parts) => join(w, subject, parts, " OR ", "false"),
        Condition::Not(inner) => {
            w.push("(NOT ");
            write_query(w, subject, inner);
            w.push(")");
        }
        Condition::Test(test) => predicate::write(w, subject.resource, test, subject.row),
        Condition::Embedded(position) => match subject.select.get(*position) {
            Some(SelectItem::Embed(embed)) => embed::exists(w, embed, subject.resource, subject.row.alias()),
            // There is no such embed, so it has no row.
            _ => w.push("false"),
        },
    }
}

fn join<'a>(
    w: &mut Writer<'a>,
    subject: &Subject<'_, 'a>,
    parts: &'a [Condition],
    between: &str,
    empty: &str,
) {
    if parts.is_empty() {
        return w.push(empty);
    }
    w.push("(");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            w.push(between);
        }
        write_query(w, subject, part);
    }
    w.push(")");
}

/// A value of a field as a parameter.
pub(super) fn single<'a>(w: &mut Writer<'a>, field: &Field, value: &'a Value) {
    let number = w.param(Param::Value(value), param_type(field.ty));
    w.number(number);
    w.cast_in(field);
}

/// A field of the row that is spoken of.
pub(super) fn operand(w: &mut Writer<'_>, resource: &ResourceDefinition, id: FieldId, row: &Row<'_>) {
    if !w.wants_text() {
        return;
    }
    let field = resource.field(id);
    let parameter = |w: &mut Writer<'_>, first: Number, position: usize| {
        w.number(Number(first.0 + position));
        w.cast_in(field);
    };
    match row {
        Row::Stored | Row::Named(_) => {
            w.column_of(row.alias(), field);
            // `json` has no equality; on `jsonb` the cast is nothing.
            if field.ty.scalar == ScalarType::Json && !field.ty.array {
                w.push("::jsonb");
            }
        }
        Row::Changed { set, first, stamp } => {
            if let Some(position) = set.iter().position(|(set, _)| *set == id) {
                parameter(w, *first, position);
            } else if resource.audit.last_updated_at == Some(id) {
                next_version(w, field, *stamp);
            } else if resource.audit.last_updater_uid == Some(id) {
                w.number(stamp.actor);
            } else {
                operand(w, resource, id, &Row::Stored);
            }
        }
        Row::Merged {
            columns,
            set,
            masked,
            stamp,
        } => {
            if let Some(position) = set.iter().position(|set| *set == id) {
                merged_column(w, resource, columns, id, masked.then_some(position));
            } else if resource.audit.last_updated_at == Some(id) {
                next_version(w, field, *stamp);
            } else if resource.audit.last_updater_uid == Some(id) {
                w.number(stamp.actor);
            } else {
                operand(w, resource, id, &Row::Stored);
            }
        }
        Row::New { columns, first } => match columns.position(id) {
            Some(position) => parameter(w, *first, position),
            None => absent(w, field),
        },
        Row::Bulk { columns } => match columns.iter().position(|column| *column == id) {
            Some(position) => bulk_column(w, field, position),
            None => absent(w, field),
        },
    }
}

/// What a column that is not given is taken for: NULL, of its type. A DEFAULT of the database's is not known here, so a
/// rule about such a column holds only where it holds for NULL.
fn absent(w: &mut Writer<'_>, field: &Field) {
    w.push("NULL::");
    w.push(sql_type(field.ty.scalar));
    if field.ty.array {
        w.push("[]");
    }
    w.cast_in(field);
}

/// A column of a bulk insert's rows: arrays travel as text, since `unnest` would flatten them.
pub(super) fn bulk_column(w: &mut Writer<'_>, field: &Field, position: usize) {
    sent_column(w, field, "n.c", position);
}

/// A numbered column of rows that were sent as one array per column.
pub(super) fn sent_column(w: &mut Writer<'_>, field: &Field, name: &str, position: usize) {
    w.indexed(name, position);
    if field.ty.array && field.db_type.is_none() {
        w.push("::");
        w.push(sql_type(field.ty.scalar));
        w.push("[]");
    }
    w.cast_in(field);
}

/// What a stored row gets for a column of a new row `n`: the new value, or what it has where the mask says that none is given.
pub(super) fn merged_column(
    w: &mut Writer<'_>,
    resource: &ResourceDefinition,
    columns: &[FieldId],
    id: FieldId,
    mask: Option<usize>,
) {
    let field = resource.field(id);
    let position = columns.iter().position(|column| *column == id).unwrap_or(0);
    let Some(mask) = mask else {
        return bulk_column(w, field, position);
    };
    w.indexed("CASE WHEN n.g", mask);
    w.push(" THEN ");
    bulk_column(w, field, position);
    w.push(" ELSE ");
    // A `json` column and the new value have no type in common but this one.
    operand(w, resource, id, &Row::Stored);
    w.push(" END");
}

/// The version that a changed row gets: now, but always later than the one it has.
pub(super) fn next_version(w: &mut Writer<'_>, field: &Field, stamp: StampNumbers) {
    w.push("greatest(");
    w.number(stamp.now);
    w.push(", ");
    w.column(field);
    w.push(" + interval '1 microsecond')");
}
