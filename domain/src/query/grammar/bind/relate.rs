//! Which relationship an embed means: by the name of the other resource, of the field that refers to it, and by a hint.

use super::super::error::{QueryError, QueryErrorKind, excerpt};
use crate::definition::nearest::did_you_mean;
use crate::definition::{ApiDefinition, FieldId, Relationship, RelationshipKind, ResourceDefinition};

/// The relationship from `origin` that `target!hint` names.
pub(super) fn relationship(
    api: &ApiDefinition,
    origin: &ResourceDefinition,
    target: &str,
    hint: Option<&str>,
) -> Result<Relationship, Box<QueryError>> {
    let search = Search { api, origin };
    let mut found = search.candidates(target, hint, |resource| &resource.name);
    if found.is_empty() {
        found = search.candidates(target, hint, |resource| &resource.path);
    }
    match found.as_slice() {
        [] => Err(search.nothing(target, hint).into()),
        [only] => Ok(*only),
        several => Err(search.ambiguous(target, several).into()),
    }
}

struct Search<'a> {
    api: &'a ApiDefinition,
    origin: &'a ResourceDefinition,
}

impl Search<'_> {
    fn resource(&self, id: u16) -> &ResourceDefinition {
        &self.api.resources[id as usize]
    }

    fn candidates(
        &self,
        target: &str,
        hint: Option<&str>,
        name: impl Fn(&ResourceDefinition) -> &str,
    ) -> Vec<Relationship> {
        let all = self.api.relationships(self.origin);
        let leads_there = |relationship: &&Relationship| name(self.resource(relationship.target)) == target;
        let mut found: Vec<Relationship> = match hint {
            None => all
                .iter()
                .filter(|relationship| match relationship.kind {
                    RelationshipKind::One { field } => {
                        let is_recursive = relationship.target == self.origin.id;
                        self.origin.field(field).name == target
                            || (leads_there(relationship) && !is_recursive)
                    }
                    _ => leads_there(relationship),
                })
                .copied()
                .collect(),
            Some(hint) => {
                let there = || all.iter().filter(leads_there);
                let mut hinted: Vec<_> = there()
                    .filter(|relationship| self.answers(relationship, hint))
                    .copied()
                    .collect();
                if hinted.is_empty() {
                    hinted.extend(there().filter(|relationship| self.ends_in(relationship, hint)));
                }
                hinted
            }
        };
        // A resource that happens to refer to both is meant only where nothing else can be.
        if found.iter().any(|relationship| !is_incidental(relationship)) {
            found.retain(|relationship| !is_incidental(relationship));
        }
        found
    }

    /// Whether a hint names the field that refers (`author_uid`, or `"books.author_uid"` with the resource whose field it is), or the resource
    /// that joins (`translators`, or `"translators.book_uid.author_uid"` with the fields by which it does).
    fn answers(&self, relationship: &Relationship, hint: &str) -> bool {
        let is_field = |owner: &ResourceDefinition, field: FieldId| {
            let field = owner.field(field).name.as_str();
            hint == field || hint.split_once('.') == Some((owner.name.as_str(), field))
        };
        let target = self.resource(relationship.target);
        match relationship.kind {
            // A row's own reference to its like is named by the field alone: `parent_uid(*)`.
            RelationshipKind::One { field } => target.id != self.origin.id && is_field(self.origin, field),
            RelationshipKind::Single { field } | RelationshipKind::Many { field } => is_field(target, field),
            RelationshipKind::Through {
                resource, near, far, ..
            } => {
                let join = self.resource(resource);
                hint == join.name || hint == through_hint(join, near, far)
            }
        }
    }

    /// Whether a hint names the field of a joining resource that refers to the embedded rows.
    fn ends_in(&self, relationship: &Relationship, hint: &str) -> bool {
        match relationship.kind {
            RelationshipKind::Through { resource, far, .. } => {
                self.resource(resource).field(far).name == hint
            }
            _ => false,
        }
    }

    fn nothing(&self, target: &str, hint: Option<&str>) -> QueryError {
        let (origin, shown) = (&self.origin.name, excerpt(target));
        let message = format!("Could not find a relationship between '{origin}' and '{shown}'");
        let using = hint.map_or(String::new(), |hint| {
            format!(" using the hint '{}'", excerpt(hint))
        });
        let details = format!(
            "Searched for a declared reference between '{origin}' and '{shown}'{using}, but no matches were found."
        );
        let error = QueryError::new(QueryErrorKind::NoRelationship, "select", message).with_details(details);
        let related = self.api.relationships(self.origin);
        let names: Vec<&str> = related
            .iter()
            .map(|relationship| self.resource(relationship.target).name.as_str())
            .collect();
        let guess = did_you_mean(target, names.iter().copied().filter(|name| *name != target));
        if guess.is_empty() {
            error
        } else {
            error.with_hint(guess.trim_start_matches("; "))
        }
    }

    fn ambiguous(&self, target: &str, several: &[Relationship]) -> QueryError {
        let message = format!(
            "Could not embed because more than one relationship was found for '{}' and '{}'",
            self.origin.name,
            excerpt(target)
        );
        let (mut details, mut ways) = (Vec::new(), Vec::new());
        for relationship in several {
            let other = self.resource(relationship.target);
            let (words, way) = self.described(relationship, other, several);
            details.push(words);
            ways.push(format!("'{way}'"));
        }
        QueryError::new(QueryErrorKind::AmbiguousRelationship, "select", message)
            .with_details(details.join("; "))
            .with_hint(format!(
                "Try changing '{}' to one of the following: {}. Find the desired relationship in the 'details' key.",
                excerpt(target),
                ways.join(", ")
            ))
    }

    /// A relationship in words, and how to name it and no other.
    fn described(
        &self,
        relationship: &Relationship,
        other: &ResourceDefinition,
        several: &[Relationship],
    ) -> (String, String) {
        let (origin, target) = (&self.origin.name, &other.name);
        match relationship.kind {
            RelationshipKind::One { field } => {
                let field = &self.origin.field(field).name;
                let way = if other.id == self.origin.id {
                    field.clone()
                } else {
                    format!("{target}!{field}")
                };
                (format!("many-to-one by {origin}.{field}"), way)
            }
            RelationshipKind::Single { field } => {
                let field = &other.field(field).name;
                (
                    format!("one-to-one by {target}.{field}"),
                    format!("{target}!{field}"),
                )
            }
            RelationshipKind::Many { field } => {
                let field = &other.field(field).name;
                (
                    format!("one-to-many by {target}.{field}"),
                    format!("{target}!{field}"),
                )
            }
            RelationshipKind::Through {
                resource, near, far, ..
            } => {
                let join = self.resource(resource);
                let (near_name, far_name) = (&join.field(near).name, &join.field(far).name);
                let words = format!(
                    "many-to-many by {}.{near_name} and {}.{far_name}",
                    join.name, join.name
                );
                let same = |is_same: &dyn Fn(u16, FieldId) -> bool| {
                    let others = several.iter().filter(|other| match other.kind {
                        RelationshipKind::Through { resource, far, .. } => is_same(resource, far),
                        _ => false,
                    });
                    others.count()
                };
                let hint = if same(&|other, _| other == resource) == 1 {
                    join.name.clone()
                } else if same(&|other, its_far| self.resource(other).field(its_far).name == *far_name) == 1 {
                    far_name.clone()
                } else {
                    format!("\"{}\"", through_hint(join, near, far))
                };
                (words, format!("{target}!{hint}"))
            }
        }
    }
}

/// A hint that names one way through a joining resource and no other.
pub(in crate::query::grammar) fn through_hint(
    join: &ResourceDefinition,
    near: FieldId,
    far: FieldId,
) -> String {
    format!("{}.{}.{}", join.name, join.field(near).name, join.field(far).name)
}

const fn is_incidental(relationship: &Relationship) -> bool {
    matches!(relationship.kind, RelationshipKind::Through { keyed: false, .. })
}
