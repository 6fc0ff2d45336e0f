//! What a query finds: the rows that match, in order, page by page, and what is shown of each.
//!
//! Everything is looked up in one state of the tables, which nobody changes meanwhile.

use std::cmp::Ordering;

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::query::{Condition, Direction, Embed, Join, Nulls, OrderTerm, Query, Relation, Select};
use rowstamp_domain::value::Value;
use rowstamp_ports::StoreError;

use crate::condition::{holds, operand, truth};
use crate::group::{Unit, units};
use crate::shown::Members;
use crate::tables::{Row, Tables};

/// One state of the tables, to look things up in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'t> {
    pub(crate) tables: &'t Tables,
}

/// A row of an answer, or a group, with the value of each term of the order.
pub(crate) type Placed<'t> = (Vec<Value>, Unit<'t>);

impl<'t> View<'t> {
    /// Whether a row is one that a condition asks for, which may speak of the embeds of `select`, and no inner embed finds nothing.
    pub(crate) fn matches(
        self,
        resource: &ResourceDefinition,
        select: &Select,
        condition: &Condition,
        row: &Row,
    ) -> Result<bool, StoreError> {
        let embed_has_rows = |position: usize| match select.embeds().find(|(at, _)| *at == position) {
            Some((_, embed)) => self.has_rows(embed, resource, row),
            None => Ok(false),
        };
        if truth(condition, row, &embed_has_rows)? != Some(true) {
            return Ok(false);
        }
        for (_, embed) in select.embeds() {
            if embed.join == Join::Inner && !self.has_rows(embed, resource, row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What matches, of these rows, in its order and placed.
    pub(crate) fn matching(
        self,
        resource: &ResourceDefinition,
        query: &Query,
        candidates: impl Iterator<Item = &'t Row>,
    ) -> Result<Vec<Placed<'t>>, StoreError> {
        let mut rows = Vec::new();
        for row in candidates {
            if self.matches(resource, &query.select, &query.condition, row)? {
                rows.push(row);
            }
        }
        let mut placed = Vec::with_capacity(rows.len());
        for unit in units(self, resource, &query.select, rows)? {
            let mut position = Vec::with_capacity(query.order.len());
            for term in &query.order {
                position.push(unit.term(self, resource, &query.select, term)?);
            }
            placed.push((position, unit));
        }
        placed.sort_by(|(left, _), (right, _)| in_order(&query.order, left, right));
        Ok(placed)
    }

    /// The rows of an embed for one row of `resource`: those of its page, in order.
    fn embedded_units(
        self,
        embed: &Embed,
        resource: &ResourceDefinition,
        row: &[Value],
    ) -> Result<Vec<Unit<'t>>, StoreError> {
        let candidates = self.visible(embed, resource, row)?.into_iter();
        let placed = self.matching(&embed.resource, &embed.query, candidates)?;
        Ok(page(&embed.query, placed)
            .into_iter()
            .map(|(_, unit)| unit)
            .collect())
    }

    /// What is shown of each row of an embed.
    pub(crate) fn embedded(
        self,
        embed: &Embed,
        resource: &ResourceDefinition,
        row: &[Value],
    ) -> Result<Vec<Members>, StoreError> {
        let units = self.embedded_units(embed, resource, row)?;
        units
            .iter()
            .map(|unit| unit.members(self, &embed.resource, &embed.query.select))
            .collect()
    }

    fn has_rows(
        self,
        embed: &Embed,
        resource: &ResourceDefinition,
        row: &[Value],
    ) -> Result<bool, StoreError> {
        Ok(!self.embedded_units(embed, resource, row)?.is_empty())
    }

    /// The row of an embed that finds one at most.
    pub(crate) fn single(
        self,
        embed: &Embed,
        resource: &ResourceDefinition,
        row: &[Value],
    ) -> Result<Option<&'t Row>, StoreError> {
        let query = &embed.query;
        if query.limit == 0 || query.offset > 0 {
            return Ok(None);
        }
        for found in self.visible(embed, resource, row)? {
            if self.matches(&embed.resource, &query.select, &query.condition, found)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The rows of the other resource that belong to a row and may be seen.
    fn visible(
        self,
        embed: &Embed,
        resource: &ResourceDefinition,
        row: &[Value],
    ) -> Result<Vec<&'t Row>, StoreError> {
        let mut rows = self.related(embed, resource, row)?;
        rows.retain(|found| holds(&embed.visible, found));
        Ok(rows)
    }

    /// The rows of the other resource that belong to a row.
    fn related(
        self,
        embed: &Embed,
        resource: &ResourceDefinition,
        row: &[Value],
    ) -> Result<Vec<&'t Row>, StoreError> {
        let others = self.tables.of(&embed.resource)?;
        let uid = &row[resource.audit.uid.index()];
        Ok(match &embed.relation {
            Relation::One { field } => match &row[field.index()] {
                Value::Uuid(other) => others.get(other).into_iter().collect(),
                _ => Vec::new(),
            },
            Relation::Single { field } | Relation::Many { field } => others
                .values()
                .filter(|other| other[field.index()] == *uid)
                .collect(),
            Relation::Through {
                resource: between,
                near,
                far,
                visible,
            } => {
                let links: Vec<&Row> = self
                    .tables
                    .of(between)?
                    .values()
                    .filter(|link| link[near.index()] == *uid && holds(visible, link))
                    .collect();
                others
                    .iter()
                    .filter(|(other, _)| links.iter().any(|link| link[far.index()] == Value::Uuid(**other)))
                    .map(|(_, row)| row)
                    .collect()
            }
        })
    }
}

/// What is on the page of a query, of what matches in its order.
pub(crate) fn page<'t>(query: &Query, placed: Vec<Placed<'t>>) -> Vec<Placed<'t>> {
    let mut page = rest(query, placed);
    page.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
    page
}

/// What follows the query's position and offset.
pub(crate) fn rest<'t>(query: &Query, placed: Vec<Placed<'t>>) -> Vec<Placed<'t>> {
    let is_after = |position: &[Value]| match &query.after {
        Some(after) => in_order(&query.order, position, after).is_gt(),
        None => true,
    };
    placed
        .into_iter()
        .filter(|(position, _)| is_after(position))
        .skip(usize::try_from(query.offset).unwrap_or(usize::MAX))
        .collect()
}

/// The value of a term of an order for a row.
pub(crate) fn term_of_row(
    view: View<'_>,
    resource: &ResourceDefinition,
    select: &Select,
    term: &OrderTerm,
    row: &[Value],
) -> Result<Value, StoreError> {
    let Some(position) = term.embed else {
        return Ok(operand(&term.operand, row));
    };
    match select.embeds().find(|(at, _)| *at == position) {
        Some((_, embed)) => {
            let found = view.single(embed, resource, row)?;
            Ok(found.map_or(Value::Null, |found| operand(&term.operand, found)))
        }
        None => Ok(Value::Null),
    }
}

/// The order of two positions by all terms, the first that tells them apart deciding.
fn in_order(terms: &[OrderTerm], left: &[Value], right: &[Value]) -> Ordering {
    terms
        .iter()
        .zip(left.iter().zip(right))
        .map(|(term, (left, right))| by_term(term, left, right))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn by_term(term: &OrderTerm, left: &Value, right: &Value) -> Ordering {
    let null_first = match term.nulls {
        Nulls::First => Ordering::Less,
        Nulls::Last => Ordering::Greater,
    };
    match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => null_first,
        (false, true) => null_first.reverse(),
        (false, false) => {
            let order = left.compare(right).unwrap_or(Ordering::Equal);
            match term.direction {
                Direction::Ascending => order,
                Direction::Descending => order.reverse(),
            }
        }
    }
}
