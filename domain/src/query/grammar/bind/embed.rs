//! Embeds given their resource, their relationship and what the caller may see of them.

use std::sync::Arc;

use super::super::error::{QueryError, QueryErrorKind};
use super::super::syntax;
use super::level::{Parameter, Planner};
use super::{is_readable, not_readable, relate};
use crate::definition::{FieldId, RelationshipKind, ResourceDefinition};
use crate::query::{Condition, Embed, EmbedForm, Relation, Unreachable};

/// How many embeds a query may hold.
const MAX_EMBEDS: usize = 20;

impl<'a> Planner<'a> {
    /// One embed of rows of `origin`, which stand inside `depth` embeds themselves.
    pub(super) fn embed(
        &mut self,
        origin: &'a Arc<ResourceDefinition>,
        item: &syntax::Embed<'_>,
        parameters: &[&Parameter<'_>],
        depth: usize,
    ) -> Option<Embed> {
        self.embeds += 1;
        if self.embeds > MAX_EMBEDS {
            if self.embeds == MAX_EMBEDS + 1 {
                let message = format!("a query may hold at most {MAX_EMBEDS} embedded resources");
                self.errors
                    .push(QueryError::new(QueryErrorKind::Syntax, "select", message));
            }
            return None;
        }
        let api = self.scope.api;
        let relationship = match relate::relationship(api, origin, &item.target, item.hint.as_deref()) {
            Ok(relationship) => relationship,
            Err(error) => {
                self.errors.push(*error);
                return None;
            }
        };
        let resource = &api.resources[relationship.target as usize];
        let relation = self.relation(relationship.kind, origin, resource);
        let visible = self.visible(resource);
        let name = item.alias.as_ref().unwrap_or(&item.target);
        let inner: Vec<&Parameter<'_>> = parameters
            .iter()
            .filter(|parameter| parameter.key.path.get(depth) == Some(name))
            .copied()
            .collect();
        let level = self.level(resource, Some(&item.select), &inner, depth + 1);
        let embed = Embed {
            name: name.clone().into_owned(),
            resource: Arc::clone(resource),
            relation: relation?,
            join: item.join,
            form: if item.spread {
                EmbedForm::Spread
            } else {
                EmbedForm::Nested
            },
            visible: visible?,
            query: level.into_query(resource.page.max, resource.page.max),
        };
        if embed.form == EmbedForm::Spread && !embed.is_single() && embed.query.select.is_aggregated() {
            let message = "Aggregates are not implemented for one-to-many or many-to-many spreads.";
            self.errors.push(QueryError::unsupported("select", message));
        }
        Some(embed)
    }

    fn relation(
        &mut self,
        kind: RelationshipKind,
        origin: &ResourceDefinition,
        other: &ResourceDefinition,
    ) -> Option<Relation> {
        match kind {
            RelationshipKind::One { field } => {
                self.readable(origin, field)?;
                Some(Relation::One { field })
            }
            RelationshipKind::Single { field } => {
                self.readable(other, field)?;
                Some(Relation::Single { field })
            }
            RelationshipKind::Many { field } => {
                self.readable(other, field)?;
                Some(Relation::Many { field })
            }
            RelationshipKind::Through {
                resource, near, far, ..
            } => {
                let join = &self.scope.api.resources[resource as usize];
                let visible = self.visible(join)?;
                self.readable(join, near)?;
                self.readable(join, far)?;
                Some(Relation::Through {
                    resource: Arc::clone(join),
                    near,
                    far,
                    visible,
                })
            }
        }
    }

    fn readable(&mut self, definition: &ResourceDefinition, field: FieldId) -> Option<()> {
        if is_readable(definition, field, self.scope.reach) {
            return Some(());
        }
        self.errors
            .push(not_readable(&definition.field(field).name, "select"));
        None
    }

    /// Which rows of a resource the caller sees.
    fn visible(&mut self, resource: &ResourceDefinition) -> Option<Condition> {
        let unreachable = match self.scope.reach.embedded(resource) {
            Ok(condition) => return Some(condition),
            Err(unreachable) => unreachable,
        };
        let name = &resource.name;
        let error = match unreachable {
            Unreachable::Hooked => QueryError::unsupported(
                "select",
                format!(
                    "`{name}` cannot be embedded, since its rows are looked at one by one before they are shown"
                ),
            ),
            Unreachable::Unauthenticated | Unreachable::Forbidden => QueryError::new(
                QueryErrorKind::Unreachable {
                    resource: name.clone(),
                    unauthenticated: unreachable == Unreachable::Unauthenticated,
                },
                "select",
                format!("the caller may not read {name}"),
            ),
        };
        self.errors.push(error);
        None
    }
}
