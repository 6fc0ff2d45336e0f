//! A query as a tree: what is asked of the rows of one resource, and of each that is embedded in them.

use std::sync::Arc;

use super::super::error::{QueryError, QueryErrorKind, excerpt};
use super::super::syntax::{self, Key, Leaf};
use super::{Binder, Plain, syntax_error};
use crate::definition::{FieldId, ResourceDefinition};
use crate::query::{Condition, OrderTerm, Query, Reach, Scope, Select};

/// Reads queries on one resource and what is embedded in it.
pub(in crate::query::grammar) struct Planner<'a> {
    pub(in crate::query::grammar) scope: &'a Scope<'a>,
    pub(in crate::query::grammar) errors: Vec<QueryError>,
    /// How many conditions there were.
    conditions: usize,
    /// How many embeds there were.
    pub(super) embeds: usize,
}

/// A parameter that is about rows, its name taken apart.
pub(in crate::query::grammar) struct Parameter<'p> {
    pub(in crate::query::grammar) name: &'p str,
    pub(in crate::query::grammar) key: Key<'p>,
    pub(in crate::query::grammar) value: &'p str,
}

/// What is asked of the rows of one resource.
pub(in crate::query::grammar) struct Level {
    pub(in crate::query::grammar) select: Select,
    pub(in crate::query::grammar) condition: Condition,
    pub(in crate::query::grammar) order: Vec<OrderTerm>,
    pub(in crate::query::grammar) limit: Option<u64>,
    pub(in crate::query::grammar) offset: Option<u64>,
}

impl Level {
    /// As a query with at most `max` rows, `default` where it does not say.
    pub(in crate::query::grammar) fn into_query(self, default: u32, max: u32) -> Query {
        let limit = self
            .limit
            .map_or(default, |limit| u32::try_from(limit).unwrap_or(u32::MAX).min(max));
        Query {
            select: self.select,
            condition: self.condition,
            order: self.order,
            after: None,
            limit,
            offset: self.offset.unwrap_or(0),
        }
    }
}

impl<'a> Planner<'a> {
    pub(in crate::query::grammar) const fn new(scope: &'a Scope<'a>) -> Self {
        Self {
            scope,
            errors: Vec::new(),
            conditions: 0,
            embeds: 0,
        }
    }

    /// What `columns` and `parameters` ask of rows of `definition` that stand inside `depth` embeds.
    ///
    /// `columns` is `None` where everything that may be read was asked for.
    pub(in crate::query::grammar) fn level(
        &mut self,
        definition: &'a Arc<ResourceDefinition>,
        columns: Option<&[syntax::SelectItem<'_>]>,
        parameters: &[&Parameter<'_>],
        depth: usize,
    ) -> Level {
        let select = self.select(definition, columns, parameters, depth);
        let own: Vec<&Parameter<'_>> = parameters
            .iter()
            .filter(|parameter| parameter.key.path.len() == depth)
            .copied()
            .collect();
        let condition = self.condition(definition, &select, &own);
        let terms = self.once(&own, &Leaf::Order).and_then(|parameter| {
            syntax::order(parameter.value)
                .map_err(|misread| {
                    let error = syntax_error(parameter.name, "order", &misread);
                    self.errors.push(error);
                })
                .ok()
        });
        let order = self.order(definition, &select, terms.as_deref().unwrap_or_default());
        let limit = self
            .once(&own, &Leaf::Limit)
            .and_then(|parameter| self.number(parameter, true));
        let offset = self
            .once(&own, &Leaf::Offset)
            .and_then(|parameter| self.number(parameter, false));
        Level {
            select,
            condition,
            order,
            limit,
            offset,
        }
    }

    fn condition(
        &mut self,
        definition: &ResourceDefinition,
        select: &Select,
        own: &[&Parameter<'_>],
    ) -> Condition {
        let mut binder = Binder {
            definition,
            reach: Some(self.scope.reach),
            select: Some(select),
            values: Plain,
            errors: std::mem::take(&mut self.errors),
            conditions: self.conditions,
        };
        let mut condition = Condition::Always;
        for parameter in own {
            let part = match &parameter.key.leaf {
                Leaf::Field(name) => binder.parameter(parameter.name, name, parameter.value),
                Leaf::Branch(negated, joint) => {
                    binder.branch_parameter(parameter.name, *negated, *joint, parameter.value)
                }
                Leaf::Order | Leaf::Limit | Leaf::Offset => continue,
            };
            condition = condition.and(part);
        }
        self.errors = binder.errors;
        self.conditions = binder.conditions;
        condition
    }

    /// The parameter of this kind, which can be given once.
    fn once<'p, 'q>(&mut self, own: &[&'q Parameter<'p>], leaf: &Leaf<'_>) -> Option<&'q Parameter<'p>> {
        let mut found = own.iter().filter(|parameter| parameter.key.leaf == *leaf);
        let first = found.next()?;
        if found.next().is_some() {
            let message = format!("`{}` can be given only once", excerpt(first.name));
            self.errors
                .push(QueryError::new(QueryErrorKind::Repeated, first.name, message));
        }
        Some(first)
    }

    fn number(&mut self, parameter: &Parameter<'_>, is_limit: bool) -> Option<u64> {
        let text = parameter.value;
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = text.parse().unwrap_or(u64::MAX);
            // A limit beyond what anybody can have is as much as there is; PostgreSQL's OFFSET is a bigint.
            if is_limit || i64::try_from(number).is_ok() {
                return Some(number);
            }
        }
        let message = format!(
            "`{}` is {:?}, expected a whole number of 0 or more",
            excerpt(parameter.name),
            excerpt(text)
        );
        self.errors
            .push(QueryError::new(QueryErrorKind::Number, parameter.name, message));
        None
    }
}

/// Whether the caller may read a field; nobody reads `write_only` ones.
pub(in crate::query::grammar) fn is_readable(
    definition: &ResourceDefinition,
    id: FieldId,
    reach: &dyn Reach,
) -> bool {
    !definition.field(id).write_only && reach.may_read(definition, id)
}
