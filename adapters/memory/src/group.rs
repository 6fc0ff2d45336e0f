//! Rows of an answer, each for itself or in groups.

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::query::{Embed, EmbedForm, Expression, Operand, OrderTerm, Select, SelectItem};
use rowstamp_domain::value::Value;
use rowstamp_ports::StoreError;

use crate::expression::{of_group, of_row};
use crate::shown::{Members, Shown, column_members, is_shown, row_members};
use crate::tables::Row;
use crate::view::{View, term_of_row};

/// A row of an answer.
#[derive(Debug)]
pub(crate) enum Unit<'t> {
    /// A stored row.
    Row(&'t Row),
    /// The stored rows that are alike in every column that groups; none where nothing groups and nothing was found.
    Group(Vec<&'t Row>),
}

/// Makes rows of an answer of the stored rows.
pub(crate) fn units<'t>(
    view: View<'t>,
    resource: &ResourceDefinition,
    select: &Select,
    rows: Vec<&'t Row>,
) -> Result<Vec<Unit<'t>>, StoreError> {
    if !select.is_aggregated() {
        return Ok(rows.into_iter().map(Unit::Row).collect());
    }
    if !has_keys(select) {
        return Ok(vec![Unit::Group(rows)]);
    }
    let mut groups: Vec<(Vec<Shown>, Vec<&'t Row>)> = Vec::new();
    for row in rows {
        let mut keys = Vec::new();
        collect_keys(view, resource, select, Some(row), &mut keys)?;
        match groups.iter_mut().find(|(known, _)| *known == keys) {
            Some((_, members)) => members.push(row),
            None => groups.push((keys, vec![row])),
        }
    }
    Ok(groups.into_iter().map(|(_, rows)| Unit::Group(rows)).collect())
}

/// An embed whose columns are columns of the groups: it finds one row at most. Shown as an object, it must have columns of its rows alone.
fn joined(item: &SelectItem) -> Option<&Embed> {
    let SelectItem::Embed(embed) = item else {
        return None;
    };
    let select = &embed.query.select;
    let is_flat = || {
        let mut shown = select.0.iter().filter(|item| is_shown(item));
        !select.is_aggregated() && shown.all(|item| !matches!(item, SelectItem::Embed(_)))
    };
    (embed.is_single() && (embed.form == EmbedForm::Spread || is_flat())).then_some(embed)
}

fn is_aggregate(item: &SelectItem) -> bool {
    matches!(item, SelectItem::Column(column) if column.expression.is_aggregate())
}

fn has_keys(select: &Select) -> bool {
    select
        .0
        .iter()
        .filter(|item| is_shown(item))
        .any(|item| match joined(item) {
            Some(embed) => has_keys(&embed.query.select),
            None => !is_aggregate(item),
        })
}

/// The values of every column that groups, for a row or for none.
fn collect_keys<'t>(
    view: View<'t>,
    resource: &ResourceDefinition,
    select: &Select,
    row: Option<&'t Row>,
    keys: &mut Vec<Shown>,
) -> Result<(), StoreError> {
    for item in select.0.iter().filter(|item| is_shown(item)) {
        if let Some(embed) = joined(item) {
            let found = match row {
                Some(row) => view.single(embed, resource, row)?,
                None => None,
            };
            collect_keys(view, &embed.resource, &embed.query.select, found, keys)?;
        } else if !is_aggregate(item) {
            let members = column_members(view, resource, item, row)?;
            keys.extend(members.into_iter().map(|(_, shown)| shown));
        }
    }
    Ok(())
}

impl<'t> Unit<'t> {
    /// A stored row of it.
    pub(crate) fn first(&self) -> Option<&'t Row> {
        match self {
            Self::Row(row) => Some(row),
            Self::Group(rows) => rows.first().copied(),
        }
    }

    /// What is shown of it.
    pub(crate) fn members(
        &self,
        view: View<'t>,
        resource: &ResourceDefinition,
        select: &Select,
    ) -> Result<Members, StoreError> {
        match self {
            Self::Row(row) => row_members(view, resource, select, Some(row)),
            Self::Group(rows) => {
                let rows: Vec<Option<&Row>> = rows.iter().copied().map(Some).collect();
                group_members(view, resource, select, &rows)
            }
        }
    }

    /// The value of a term of the order. Over groups it is that of the first column made of the term's operand.
    pub(crate) fn term(
        &self,
        view: View<'t>,
        resource: &ResourceDefinition,
        select: &Select,
        term: &OrderTerm,
    ) -> Result<Value, StoreError> {
        let rows = match self {
            Self::Row(row) => return term_of_row(view, resource, select, term, row),
            Self::Group(rows) => rows,
        };
        let Some(row) = rows.first() else {
            return Ok(Value::Null);
        };
        let Some(position) = term.embed else {
            return key_over(select, &term.operand, Some(row));
        };
        match select.embeds().find(|(at, _)| *at == position) {
            Some((_, embed)) => {
                let found = view.single(embed, resource, row)?;
                key_over(&embed.query.select, &term.operand, found)
            }
            None => Ok(Value::Null),
        }
    }
}

fn key_over(select: &Select, operand: &Operand, row: Option<&Row>) -> Result<Value, StoreError> {
    for item in select.0.iter() {
        let expression = match item {
            SelectItem::Field(id) => Expression::Operand(Operand::Field(*id)),
            SelectItem::Column(column) if !column.expression.is_aggregate() => column.expression.clone(),
            _ => continue,
        };
        if innermost(&expression) == Some(operand) {
            return of_row(&expression, row.map(|row| row.as_slice()));
        }
    }
    Ok(Value::Null)
}

fn innermost(expression: &Expression) -> Option<&Operand> {
    match expression {
        Expression::Operand(operand) => Some(operand),
        Expression::Cast(inner, _) | Expression::Aggregate(_, inner) => innermost(inner),
        Expression::CountRows => None,
    }
}

/// What is shown of a group, of which each row may be missing: the row of an embed, where it found none.
fn group_members<'t>(
    view: View<'t>,
    resource: &ResourceDefinition,
    select: &Select,
    rows: &[Option<&'t Row>],
) -> Result<Members, StoreError> {
    let first = rows.first().copied().flatten();
    let mut members = Members::new();
    for item in select.0.iter().filter(|item| is_shown(item)) {
        match (item, joined(item)) {
            (_, Some(embed)) => {
                let mut found = Vec::with_capacity(rows.len());
                for row in rows {
                    found.push(match row {
                        Some(row) => view.single(embed, resource, row)?,
                        None => None,
                    });
                }
                let columns = group_members(view, &embed.resource, &embed.query.select, &found)?;
                match embed.form {
                    EmbedForm::Spread => members.extend(columns),
                    // No row, and a row of nothing but NULLs, are in one group.
                    EmbedForm::Nested if found.iter().all(Option::is_none) => {
                        members.push((embed.name.clone(), Shown::NULL));
                    }
                    EmbedForm::Nested => members.push((embed.name.clone(), Shown::Object(columns))),
                }
            }
            (SelectItem::Column(column), None) if column.expression.is_aggregate() => {
                let rows: Vec<Option<&[Value]>> =
                    rows.iter().map(|row| row.map(|row| row.as_slice())).collect();
                let value = of_group(resource, &column.expression, &rows)?;
                let shown = Shown::Value(value, column.expression.json(resource));
                members.push((column.name.clone(), shown));
            }
            (item, None) => members.extend(column_members(view, resource, item, first)?),
        }
    }
    Ok(members)
}
