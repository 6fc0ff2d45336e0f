//! Names and values given their fields and types, and what is not served refused by name.
//!
//! What may be read by whom is the caller's knowledge; it is asked for each field.

mod columns;
mod predicate;
mod values;

use super::error::{QueryError, QueryErrorKind, excerpt};
use super::syntax::{Joint, Name, Operation, Tree};
use crate::definition::nearest::did_you_mean;
use crate::definition::{FieldId, ResourceDefinition};
use crate::query::{Condition, Operand, Test};

pub(super) use columns::append_uid;
pub(super) use values::{Plain, Values, read_pattern, read_value};

/// Gives names and values their meaning, and collects what has none.
pub(super) struct Binder<'a, R, V> {
    pub(super) definition: &'a ResourceDefinition,
    pub(super) readable: R,
    pub(super) values: V,
    pub(super) errors: Vec<QueryError>,
}

impl<R: Fn(FieldId) -> bool, V: Values> Binder<'_, R, V> {
    /// A part with a mistake becomes `Always`; nobody sees it, since there are errors then.
    pub(super) fn tree(&mut self, tree: &Tree<'_>) -> Condition<V::Value> {
        match tree {
            Tree::Filter(name, operation) => self.filter(name, operation),
            Tree::Branch {
                negated,
                joint,
                children,
            } => self.branch(*negated, *joint, children),
        }
    }

    pub(super) fn branch(
        &mut self,
        negated: bool,
        joint: Joint,
        children: &[Tree<'_>],
    ) -> Condition<V::Value> {
        let children = children.iter().map(|child| self.tree(child));
        let condition = match joint {
            Joint::And => Condition::all(children),
            Joint::Or => Condition::any(children),
        };
        if negated { condition.negate() } else { condition }
    }

    pub(super) fn filter(&mut self, name: &Name<'_>, operation: &Operation<'_>) -> Condition<V::Value> {
        let Some(id) = self.field(name, &name.field) else {
            return Condition::Always;
        };
        match self.predicate(self.definition.field(id), operation) {
            Ok(Some(predicate)) => {
                let condition = Condition::Test(Test {
                    operand: Operand::Field(id),
                    predicate,
                });
                if operation.negated {
                    condition.negate()
                } else {
                    condition
                }
            }
            // Nothing is in an empty list.
            Ok(None) if operation.negated => Condition::Always,
            Ok(None) => Condition::Never,
            Err(error) => {
                self.errors.push(*error);
                Condition::Always
            }
        }
    }

    fn field(&mut self, name: &Name<'_>, parameter: &str) -> Option<FieldId> {
        if !name.json_path.is_empty() {
            self.errors
                .push(QueryError::unsupported(parameter, "JSON paths are"));
            return None;
        }
        match self.definition.field_id(&name.field) {
            None => {
                self.errors
                    .push(unknown_field(&name.field, parameter, self.definition));
                None
            }
            Some(id) if !(self.readable)(id) => {
                let field = name.field.clone().into_owned();
                let message = format!("`{field}` may not be read");
                self.errors.push(QueryError::new(
                    QueryErrorKind::NotReadable { field },
                    parameter,
                    message,
                ));
                None
            }
            Some(id) => Some(id),
        }
    }
}

impl<R, V> Binder<'_, R, V> {
    /// A parameter that is neither reserved nor a field, whatever its value.
    pub(super) fn unknown_parameter(&mut self, name: &Name<'_>, parameter: &str) {
        self.errors
            .push(unknown_field(&name.field, parameter, self.definition));
    }
}
fn unknown_field(name: &str, parameter: &str, definition: &ResourceDefinition) -> QueryError {
    let field = excerpt(name).into_owned();
    let message = format!("`{}` has no field `{}`", definition.name, field.escape_debug());
    let error = QueryError::new(QueryErrorKind::UnknownField { field }, parameter, message);
    let known = definition
        .fields
        .iter()
        .filter(|field| field.read.is_none() && !field.write_only);
    let guess = did_you_mean(name, known.map(|field| field.name.as_str()));
    if guess.is_empty() {
        error
    } else {
        error.with_hint(guess.trim_start_matches("; "))
    }
}
