//! How rows of one resource lead to rows of another: the declared references, seen from both ends.
//!
//! Worked out once, when the definition is built. What a caller may see of them is not known here.

use std::sync::Arc;

use super::{FieldId, ResourceDefinition};

/// A way from a resource to another one, or back to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relationship {
    /// Where it leads: a [`ResourceDefinition::id`].
    pub target: u16,
    /// By which fields.
    pub kind: RelationshipKind,
}

/// By which fields a resource leads to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationshipKind {
    /// Its own field refers to the other.
    One {
        /// A field of the resource itself.
        field: FieldId,
    },
    /// A unique field of the other refers to it.
    Single {
        /// A field of the other.
        field: FieldId,
    },
    /// A field of the other refers to it.
    Many {
        /// A field of the other.
        field: FieldId,
    },
    /// A third resource refers to both.
    Through {
        /// The third resource: a [`ResourceDefinition::id`].
        resource: u16,
        /// Its field that refers to the resource itself.
        near: FieldId,
        /// Its field that refers to the other.
        far: FieldId,
        /// Whether the pair is part of a unique set, so that the third resource is there to join them.
        keyed: bool,
    },
}

/// The relationships of each resource, in the order of the declaration.
pub(super) fn relationships(resources: &[Arc<ResourceDefinition>]) -> Vec<Vec<Relationship>> {
    let mut found: Vec<Vec<Relationship>> = vec![Vec::new(); resources.len()];
    for resource in resources {
        let references = references(resource, resources);
        for (field, target) in &references {
            found[resource.id as usize].push(Relationship {
                target: *target,
                kind: RelationshipKind::One { field: *field },
            });
        }
    }
    for resource in resources {
        for (field, target) in references(resource, resources) {
            let kind = if is_unique(resource, field) {
                RelationshipKind::Single { field }
            } else {
                RelationshipKind::Many { field }
            };
            found[target as usize].push(Relationship {
                target: resource.id,
                kind,
            });
        }
    }
    for resource in resources {
        let references = references(resource, resources);
        for (near, from) in &references {
            for (far, to) in references.iter().filter(|(far, _)| far != near) {
                if *from == resource.id || *to == resource.id {
                    continue;
                }
                found[*from as usize].push(Relationship {
                    target: *to,
                    kind: RelationshipKind::Through {
                        resource: resource.id,
                        near: *near,
                        far: *far,
                        keyed: joins(resource, *near, *far),
                    },
                });
            }
        }
    }
    found
}

/// Each field that refers to a resource, with that resource.
fn references(resource: &ResourceDefinition, resources: &[Arc<ResourceDefinition>]) -> Vec<(FieldId, u16)> {
    let refers = |id: FieldId| {
        let reference = resource.field(id).references.as_ref()?;
        let target = resources
            .iter()
            .find(|target| target.name == reference.resource)?;
        Some((id, target.id))
    };
    resource.field_ids().filter_map(refers).collect()
}

fn is_unique(resource: &ResourceDefinition, field: FieldId) -> bool {
    resource.unique.iter().any(|set| set[..] == [field])
}

fn joins(resource: &ResourceDefinition, near: FieldId, far: FieldId) -> bool {
    let holds_both = |set: &Vec<FieldId>| set.contains(&near) && set.contains(&far);
    resource.unique.iter().any(holds_both)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::{ApiDefinition, toml};
    use super::*;

    fn described(api: &ApiDefinition, name: &str) -> Vec<String> {
        let of = api.resource(name).unwrap();
        let name_of =
            |resource: u16, field: FieldId| api.resources[resource as usize].field(field).name.clone();
        let describe = |relationship: &Relationship| {
            let target = &api.resources[relationship.target as usize].name;
            match relationship.kind {
                RelationshipKind::One { field } => format!("{} -> {target}", name_of(of.id, field)),
                RelationshipKind::Single { field } => {
                    format!("<- one {target}.{}", name_of(relationship.target, field))
                }
                RelationshipKind::Many { field } => {
                    format!("<- {target}.{}", name_of(relationship.target, field))
                }
                RelationshipKind::Through {
                    resource,
                    near,
                    far,
                    keyed,
                } => format!(
                    "{} by {} -> {target}{}",
                    name_of(resource, near),
                    name_of(resource, far),
                    if keyed { " (keyed)" } else { "" }
                ),
            }
        };
        api.relationships(of).iter().map(describe).collect()
    }

    #[test]
    fn references_are_seen_from_both_ends_and_through_resources_that_join() {
        let api = toml::parse(
            "library.toml",
            r#"
            [resources.authors.fields]
            name = { type = "text" }
            [resources.books.fields]
            author_uid = { type = "uuid", references = "authors" }
            sequel_of  = { type = "uuid", references = "books" }
            [resources.covers.fields]
            book_uid = { type = "uuid", references = "books", unique = true }
            [resources.translators]
            unique = [["book_uid", "author_uid"]]
            [resources.translators.fields]
            book_uid   = { type = "uuid", references = "books" }
            author_uid = { type = "uuid", references = "authors" }
            "#,
        )
        .unwrap();
        assert_eq!(
            described(&api, "authors"),
            [
                "<- books.author_uid",
                "<- translators.author_uid",
                "author_uid by book_uid -> books (keyed)",
            ]
        );
        assert_eq!(
            described(&api, "books"),
            [
                "author_uid -> authors",
                "sequel_of -> books",
                "<- books.sequel_of",
                "<- one covers.book_uid",
                "<- translators.book_uid",
                "book_uid by author_uid -> authors (keyed)",
            ]
        );
        assert_eq!(described(&api, "covers"), ["book_uid -> books"]);
    }
}
