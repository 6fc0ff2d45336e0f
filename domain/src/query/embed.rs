//! Rows of other resources inside the rows of an answer.

use std::sync::Arc;

use crate::definition::{FieldId, ResourceDefinition};

use super::{Condition, Query};

/// Rows of another resource, found by a declared reference.
///
/// An embed whose `query` [shows nothing](super::Select::shows_nothing) is not part of the answer; it is there for its `join`, for a
/// condition or for an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// Its name in the answer, and in the query's parameters.
    pub name: String,
    /// The resource whose rows they are.
    pub resource: Arc<ResourceDefinition>,
    /// How they are found.
    pub relation: Relation,
    /// Whether a row without any is part of the answer.
    pub join: Join,
    /// How they are shown.
    pub form: EmbedForm,
    /// What must hold for one of them to be seen: the resource's own rule for this caller.
    pub visible: Condition,
    /// What is asked of them. `after` is `None`; `limit` and `offset` are for each row of the answer.
    pub query: Query,
}

impl Embed {
    /// Whether it finds at most one row, which is then shown as an object or null, not in an array.
    pub const fn is_single(&self) -> bool {
        matches!(self.relation, Relation::One { .. } | Relation::Single { .. })
    }
}

/// How the rows of another resource are found from a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Relation {
    /// The row's own `field` holds the uid of the other: one, or none.
    One {
        /// A field of the row's resource.
        field: FieldId,
    },
    /// The other's `field` holds the row's uid, and is unique: one, or none.
    Single {
        /// A field of the embedded resource.
        field: FieldId,
    },
    /// The other's `field` holds the row's uid.
    Many {
        /// A field of the embedded resource.
        field: FieldId,
    },
    /// Rows of a third resource refer to both. A row that is referred to twice is there once.
    Through {
        /// The resource that refers to both.
        resource: Arc<ResourceDefinition>,
        /// Its field that holds the row's uid.
        near: FieldId,
        /// Its field that holds the other's uid.
        far: FieldId,
        /// What must hold for a row of it to be seen by this caller.
        visible: Condition,
    },
}

/// Whether a row without embedded rows is part of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Join {
    /// It is, with null or an empty array.
    Left,
    /// `!inner`: it is not, and does not count either.
    Inner,
}

/// How embedded rows are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EmbedForm {
    /// As an object or an array of objects under the embed's name.
    Nested,
    /// `...authors(name)`: their columns beside the row's own; of an embed that can find several rows, each column is an array.
    Spread,
}
