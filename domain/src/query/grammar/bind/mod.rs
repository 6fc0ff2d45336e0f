//! Names and values given their fields and types.
//!
//! What may be read by whom is the caller's knowledge; it is asked for each field and each resource.

mod columns;
mod embed;
mod groups;
mod level;
mod order;
mod predicate;
mod relate;
mod types;
mod values;

use super::error::{QueryError, QueryErrorKind, excerpt};
use super::syntax::{self, Joint, Misread, Name, Operation, Tree};
use crate::definition::nearest::did_you_mean;
use crate::definition::{FieldId, ResourceDefinition};
use crate::field_type::{FieldType, ScalarType};
use crate::query::{Condition, Operand, Reach, Select, Test};

pub(super) use columns::{aggregate_name, columns_named, conflict_target, usual_name};
pub(super) use level::{Level, Parameter, Planner, is_readable};
pub(super) use relate::through_hint;
pub(super) use values::{Plain, Slot, Values, read_each, read_pattern, read_value};

/// How many conditions a query may hold in all.
const MAX_CONDITIONS: usize = 1_000;

/// Gives the conditions on rows of one resource their meaning, and collects what has none.
pub(super) struct Binder<'a, V> {
    pub(super) definition: &'a ResourceDefinition,
    /// What the caller may see; `None` for rules, which may speak of everything.
    pub(super) reach: Option<&'a dyn Reach>,
    /// The columns, for conditions on the embeds among them; rules know none.
    pub(super) select: Option<&'a Select>,
    pub(super) values: V,
    pub(super) errors: Vec<QueryError>,
    /// How many conditions there were.
    pub(super) conditions: usize,
}

impl<V: Values> Binder<'_, V> {
    /// One parameter that filters by a field. What is wrong with it is told under the parameter's whole name.
    pub(super) fn parameter(&mut self, key: &str, name: &Name<'_>, value: &str) -> Condition<V::Value> {
        match syntax::operation(value) {
            Ok(operation) => self.filter(name, &operation),
            // An unknown name tells more than what is wrong with its value.
            Err(misread) if self.is_known(&name.field) => {
                self.errors.push(syntax_error(key, "filter", &misread));
                Condition::Always
            }
            Err(_) => {
                let error = unknown_field(&name.field, key, self.definition);
                self.errors.push(error);
                Condition::Always
            }
        }
    }

    /// One parameter that is `and`, `or` or the negation of one.
    pub(super) fn branch_parameter(
        &mut self,
        key: &str,
        negated: bool,
        joint: Joint,
        value: &str,
    ) -> Condition<V::Value> {
        match syntax::branch(value) {
            Ok(children) => self.branch(negated, joint, &children),
            Err(misread) => {
                self.errors.push(syntax_error(key, "logic tree", &misread));
                Condition::Always
            }
        }
    }

    /// A part with a mistake becomes `Always`; nobody sees it, since there are errors then.
    fn tree(&mut self, tree: &Tree<'_>) -> Condition<V::Value> {
        match tree {
            Tree::Filter(name, operation) => self.filter(name, operation),
            Tree::Branch {
                negated,
                joint,
                children,
            } => self.branch(*negated, *joint, children),
        }
    }

    fn branch(&mut self, negated: bool, joint: Joint, children: &[Tree<'_>]) -> Condition<V::Value> {
        let children = children.iter().map(|child| self.tree(child));
        let condition = match joint {
            Joint::And => Condition::all(children),
            Joint::Or => Condition::any(children),
        };
        if negated { condition.negate() } else { condition }
    }

    fn filter(&mut self, name: &Name<'_>, operation: &Operation<'_>) -> Condition<V::Value> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            if self.conditions == MAX_CONDITIONS + 1 {
                let message = format!("a query may hold at most {MAX_CONDITIONS} conditions");
                self.errors
                    .push(QueryError::new(QueryErrorKind::Syntax, &name.field, message));
            }
            return Condition::Always;
        }
        let condition = match self.embed_filter(name, operation) {
            Some(condition) => condition,
            None => self.field_filter(name, operation),
        };
        match condition {
            Ok(condition) if operation.negated => condition.negate(),
            Ok(condition) => condition,
            Err(error) => {
                self.errors.push(*error);
                Condition::Always
            }
        }
    }

    /// `authors=is.null`, where `authors` is an embed: a question about the embed unless only a field can be meant.
    fn embed_filter(
        &self,
        name: &Name<'_>,
        operation: &Operation<'_>,
    ) -> Option<Result<Condition<V::Value>, Box<QueryError>>> {
        let select = self.select.filter(|_| name.path.is_none())?;
        let (position, embed) = select.embeds().find(|(_, embed)| embed.name == name.field)?;
        let is_field = self.definition.field_id(&name.field).is_some();
        match (operation.is_test(), is_field) {
            (Some("null"), _) => Some(Ok(Condition::Embedded(position).negate())),
            (Some("not_null"), false) => Some(Ok(Condition::Embedded(position))),
            (_, true) => None,
            (_, false) => {
                let message = format!("Bad operator on the '{}' embedded resource", embed.name);
                let details = "Only is null or not is null filters are allowed on embedded resources";
                Some(Err(QueryError::new(
                    QueryErrorKind::EmbedFilter,
                    &embed.name,
                    message,
                )
                .with_details(details)
                .into()))
            }
        }
    }

    fn field_filter(
        &self,
        name: &Name<'_>,
        operation: &Operation<'_>,
    ) -> Result<Condition<V::Value>, Box<QueryError>> {
        let operand = operand(name, &name.field, self.definition, self.reach)?;
        let field = self.definition.field(operand.field());
        let slot = Slot {
            name: &field.name,
            ty: operand.ty(self.definition),
            members: &field.values,
        };
        let Some(predicate) = self.predicate(&slot, operation)? else {
            // Nothing is in an empty list.
            return Ok(Condition::Never);
        };
        Ok(Condition::Test(Test { operand, predicate }))
    }

    fn is_known(&self, name: &str) -> bool {
        let is_embed = |select: &Select| select.embeds().any(|(_, embed)| embed.name == name);
        self.definition.field_id(name).is_some() || self.select.is_some_and(is_embed)
    }
}

/// The field, or the part of it, that a name stands for.
pub(super) fn operand(
    name: &Name<'_>,
    parameter: &str,
    definition: &ResourceDefinition,
    reach: Option<&dyn Reach>,
) -> Result<Operand, Box<QueryError>> {
    let id = field(&name.field, parameter, definition, reach)?;
    let Some(path) = &name.path else {
        return Ok(Operand::Field(id));
    };
    let field = definition.field(id);
    if field.ty != FieldType::scalar(ScalarType::Json) {
        let kind = QueryErrorKind::Operator {
            field: field.name.clone(),
        };
        let message = format!("`->` is for json, and `{}` is {}", field.name, field.ty);
        return Err(QueryError::new(kind, parameter, message).into());
    }
    Ok(Operand::Json {
        field: id,
        path: path.clone(),
    })
}

/// The field of this name, if there is one and the caller may read it.
pub(super) fn field(
    name: &str,
    parameter: &str,
    definition: &ResourceDefinition,
    reach: Option<&dyn Reach>,
) -> Result<FieldId, Box<QueryError>> {
    let id = definition
        .field_id(name)
        .ok_or_else(|| unknown_field(name, parameter, definition))?;
    match reach {
        Some(reach) if !is_readable(definition, id, reach) => Err(not_readable(name, parameter).into()),
        _ => Ok(id),
    }
}

pub(super) fn not_readable(field: &str, parameter: &str) -> QueryError {
    let kind = QueryErrorKind::NotReadable {
        field: field.to_owned(),
    };
    QueryError::new(kind, parameter, format!("`{field}` may not be read"))
}

pub(super) fn unknown_field(name: &str, parameter: &str, definition: &ResourceDefinition) -> QueryError {
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

pub(super) fn syntax_error(parameter: &str, what: &str, misread: &Misread<'_>) -> QueryError {
    QueryError::syntax(
        parameter,
        what,
        misread.input(),
        misread.offset(),
        misread.inner().0,
    )
}
