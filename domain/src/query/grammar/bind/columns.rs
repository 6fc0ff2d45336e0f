//! Orders and column lists given their fields.

use super::super::error::{QueryError, excerpt};
use super::super::syntax;
use super::{Binder, Values};
use crate::definition::{FieldId, ResourceDefinition};
use crate::query::{Direction, Nulls, Operand, OrderTerm, Select, SelectItem};

impl<R: Fn(FieldId) -> bool, V: Values> Binder<'_, R, V> {
    /// `order`, with `uid` as the last term where it is not there already.
    pub(in crate::query::grammar) fn order(&mut self, terms: &[syntax::OrderTerm<'_>]) -> Vec<OrderTerm> {
        let mut order: Vec<OrderTerm> = Vec::with_capacity(terms.len() + 1);
        for term in terms {
            if term.embedded {
                self.errors.push(QueryError::unsupported(
                    "order",
                    "ordering by an embedded resource is",
                ));
                continue;
            }
            let Some(id) = self.field(&term.name, "order") else {
                continue;
            };
            let operand = Operand::Field(id);
            // The first mention decides; a later one could not order anything.
            if order.iter().any(|known| known.operand == operand) {
                continue;
            }
            let (direction, usual) = if term.descending {
                (Direction::Descending, Nulls::First)
            } else {
                (Direction::Ascending, Nulls::Last)
            };
            let nulls = match term.nulls_first {
                None => usual,
                Some(true) => Nulls::First,
                Some(false) => Nulls::Last,
            };
            order.push(OrderTerm {
                embed: None,
                operand,
                direction,
                nulls,
            });
        }
        append_uid(&mut order, self.definition);
        order
    }

    /// The columns, each once and in the order of its first mention; all that may be read where none is named.
    pub(in crate::query::grammar) fn select(&mut self, items: &[syntax::SelectItem<'_>]) -> Select {
        if let [] | [syntax::SelectItem::Star] = items {
            return self.definition.select_readable(&self.readable);
        }
        let mut columns = Vec::with_capacity(items.len());
        let mut seen = vec![false; self.definition.fields.len()];
        let mut add = |columns: &mut Vec<SelectItem>, id: FieldId| {
            if !std::mem::replace(&mut seen[id.index()], true) {
                columns.push(SelectItem::Field(id));
            }
        };
        for item in items {
            match item {
                syntax::SelectItem::Star => {
                    for item in self.definition.select_readable(&self.readable).0.iter() {
                        if let SelectItem::Field(id) = item {
                            add(&mut columns, *id);
                        }
                    }
                }
                syntax::SelectItem::Column {
                    alias,
                    name,
                    cast,
                    aggregate,
                } => {
                    let unsupported = [
                        (aggregate.is_some(), "aggregates are"),
                        (alias.is_some(), "renaming columns is"),
                        (cast.is_some(), "casting columns is"),
                    ];
                    if let Some((_, what)) = unsupported.into_iter().find(|(given, _)| *given) {
                        self.errors.push(QueryError::unsupported("select", what));
                    } else if let Some(id) = self.field(name, "select") {
                        add(&mut columns, id);
                    }
                }
                syntax::SelectItem::Embed(name) => {
                    let what = format!("embedding (`{}`) is", excerpt(name));
                    self.errors.push(QueryError::unsupported("select", &what));
                }
            }
        }
        Select(columns.into())
    }
}

/// Makes an order total.
pub(in crate::query::grammar) fn append_uid(order: &mut Vec<OrderTerm>, definition: &ResourceDefinition) {
    let operand = Operand::Field(definition.audit.uid);
    if !order.iter().any(|term| term.operand == operand) {
        order.push(OrderTerm {
            embed: None,
            operand,
            direction: Direction::Ascending,
            nulls: Nulls::Last,
        });
    }
}
