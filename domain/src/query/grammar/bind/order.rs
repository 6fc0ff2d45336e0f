//! Orders given their fields.

use super::super::error::{QueryError, QueryErrorKind, excerpt};
use super::super::syntax;
use super::{Planner, groups, operand};
use crate::definition::ResourceDefinition;
use crate::query::{Direction, Nulls, Operand, OrderTerm, Select};

/// How many terms an order may have.
const MAX_TERMS: usize = 32;

impl Planner<'_> {
    /// A total order: by `uid` in the end, or by everything that groups.
    pub(super) fn order(
        &mut self,
        definition: &ResourceDefinition,
        select: &Select,
        terms: &[syntax::OrderTerm<'_>],
    ) -> Vec<OrderTerm> {
        if terms.len() > MAX_TERMS {
            let message = format!("`order` may have at most {MAX_TERMS} terms");
            self.errors
                .push(QueryError::new(QueryErrorKind::Syntax, "order", message));
            return Vec::new();
        }
        let mut order: Vec<OrderTerm> = Vec::with_capacity(terms.len() + 1);
        for term in terms {
            match self.term(definition, select, term) {
                // The first mention decides; a later one could not order anything.
                Ok(term) if order.iter().any(|known| same_place(known, &term)) => {}
                Ok(term) => order.push(term),
                Err(error) => self.errors.push(*error),
            }
        }
        if select.is_aggregated() {
            self.order_groups(definition, select, &mut order);
        } else {
            append_uid(&mut order, definition);
        }
        order
    }

    fn term(
        &self,
        definition: &ResourceDefinition,
        select: &Select,
        term: &syntax::OrderTerm<'_>,
    ) -> Result<OrderTerm, Box<QueryError>> {
        let (embed, definition) = match &term.embed {
            None => (None, definition),
            Some(name) => {
                let (position, embed) = select
                    .embeds()
                    .find(|(_, embed)| embed.name == *name)
                    .ok_or_else(|| not_embedded(name, "order"))?;
                if !embed.is_single() {
                    let message = format!("A related order on '{}' is not possible", embed.name);
                    let details = format!(
                        "'{}' and '{}' do not form a many-to-one or one-to-one relationship",
                        definition.name, embed.name
                    );
                    return Err(QueryError::new(QueryErrorKind::RelatedOrder, "order", message)
                        .with_details(details)
                        .into());
                }
                (Some(position), &*embed.resource)
            }
        };
        let operand = operand(&term.name, "order", definition, Some(self.scope.reach))?;
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
        Ok(OrderTerm {
            embed,
            operand,
            direction,
            nulls,
        })
    }

    /// Orders groups by what they are grouped by, each part of it once.
    fn order_groups(&mut self, definition: &ResourceDefinition, select: &Select, order: &mut Vec<OrderTerm>) {
        let groups = groups::of(select);
        for term in order.iter() {
            let is_grouped = groups
                .iter()
                .any(|(embed, operand)| *embed == term.embed && *operand == term.operand);
            if !is_grouped {
                let definition = match term.embed {
                    Some(position) => select
                        .embeds()
                        .find(|(at, _)| *at == position)
                        .map_or(definition, |(_, embed)| &embed.resource),
                    None => definition,
                };
                let name = &definition.field(term.operand.field()).name;
                let message = format!(
                    "groups cannot be ordered by `{name}`, which is not one of the columns that group"
                );
                self.errors
                    .push(QueryError::new(QueryErrorKind::Unsupported, "order", message));
            }
        }
        for (embed, operand) in groups {
            let term = OrderTerm {
                embed,
                operand,
                direction: Direction::Ascending,
                nulls: Nulls::Last,
            };
            if !order.iter().any(|known| same_place(known, &term)) {
                order.push(term);
            }
        }
    }
}

fn same_place(one: &OrderTerm, other: &OrderTerm) -> bool {
    one.embed == other.embed && one.operand == other.operand
}

/// Something is said of an embed that there is none.
pub(super) fn not_embedded(name: &str, parameter: &str) -> QueryError {
    let name = excerpt(name);
    let message = format!("'{name}' is not an embedded resource in this request");
    QueryError::new(QueryErrorKind::NotEmbedded, parameter, message).with_hint(format!(
        "Verify that '{name}' is included in the 'select' query parameter."
    ))
}

/// Makes an order total.
fn append_uid(order: &mut Vec<OrderTerm>, definition: &ResourceDefinition) {
    let operand = Operand::Field(definition.audit.uid);
    let term = OrderTerm {
        embed: None,
        operand,
        direction: Direction::Ascending,
        nulls: Nulls::Last,
    };
    if !order.iter().any(|known| same_place(known, &term)) {
        order.push(term);
    }
}
