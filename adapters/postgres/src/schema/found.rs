//! What the database has of the tables that the definitions name: plain data, as it was found.
//!
//! What to think of it is decided elsewhere.

use std::collections::{HashMap, HashSet};

use tokio_postgres::types::Type;

/// What there is, one entry per resource, and the schemas.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) schemas: HashSet<String>,
    pub(super) tables: Vec<Option<FoundTable>>,
    /// The types that definitions name (`db_type`) and the database has.
    pub(super) types: HashSet<String>,
    pub(super) encoding: String,
}

/// A table that is there.
#[derive(Debug, Default)]
pub(super) struct FoundTable {
    pub(super) oid: u32,
    /// The schema that it was found in.
    pub(super) schema: String,
    /// Whether whoever looks may use that schema.
    pub(super) reachable: bool,
    /// Whether it can have constraints and indexes; a view cannot.
    pub(super) is_table: bool,
    pub(super) columns: HashMap<String, FoundColumn>,
    pub(super) primary_key: bool,
    pub(super) indexes: Vec<FoundIndex>,
    pub(super) foreign_keys: Vec<FoundForeignKey>,
    pub(super) checks: Vec<FoundCheck>,
}

/// A column that is there.
#[derive(Debug)]
pub(super) struct FoundColumn {
    /// Its type, as PostgreSQL writes it: `numeric(10,2)`.
    pub(super) ty: String,
    /// The same, with what a domain stands for in its place.
    pub(super) base: String,
    /// `base` as the driver knows it.
    pub(super) driver_type: Type,
    /// Whether the column or its domain says so.
    pub(super) not_null: bool,
    /// Whether it can be left out of an INSERT though it must not be NULL.
    pub(super) has_default: bool,
    /// Whether nothing but DEFAULT can be written into it.
    pub(super) generated: bool,
    /// Whether values that differ may be equal to its collation.
    pub(super) loose_collation: bool,
}

/// An index that is there, of a constraint or not.
#[derive(Debug)]
pub(super) struct FoundIndex {
    pub(super) name: String,
    pub(super) method: String,
    pub(super) unique: bool,
    /// Whether uniqueness is looked at as each row is written.
    pub(super) immediate: bool,
    /// Whether queries use it and writes maintain it.
    pub(super) usable: bool,
    /// Whether it holds all rows.
    pub(super) whole: bool,
    /// The columns of its key; `None` is an expression.
    pub(super) columns: Vec<Option<String>>,
    pub(super) nulls_distinct: bool,
    /// Whether its first column is sorted as the table's column is compared.
    pub(super) collates: bool,
}

/// A foreign key that is there.
#[derive(Debug)]
pub(super) struct FoundForeignKey {
    pub(super) columns: Vec<String>,
    /// The resource that it leads to, if one is kept there.
    pub(super) target: Option<usize>,
    pub(super) target_columns: Vec<String>,
    /// PostgreSQL's `confdeltype`.
    pub(super) on_delete: String,
    /// Whether the rows that were there before it were looked at.
    pub(super) validated: bool,
    pub(super) enforced: bool,
}

/// A CHECK that is there.
#[derive(Debug)]
pub(super) struct FoundCheck {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// Its condition, as PostgreSQL writes it.
    pub(super) condition: String,
}

/// Whether a set of columns is unique in a table.
#[derive(Debug)]
pub(super) enum Uniqueness<'a> {
    /// Nothing says so.
    Absent,
    /// As an upsert needs it.
    Given(&'a FoundIndex),
    /// Only at the end of a transaction.
    Deferrable(&'a FoundIndex),
    /// It would be, had its index been finished.
    Invalid(&'a FoundIndex),
}

impl FoundTable {
    /// Whether these columns together are unique, whatever their order.
    pub(super) fn uniqueness(&self, columns: &[&str]) -> Uniqueness<'_> {
        let mut unusable = None;
        let mut given = None;
        for index in self.indexes.iter().filter(|index| index.is_unique_on(columns)) {
            if !index.usable {
                unusable = Some(index);
            } else if !index.immediate {
                // One is enough for ON CONFLICT to fail, though another beside it were in order.
                return Uniqueness::Deferrable(index);
            } else {
                given = Some(index);
            }
        }
        match (given, unusable) {
            (Some(index), _) => Uniqueness::Given(index),
            (None, Some(index)) => Uniqueness::Invalid(index),
            (None, None) => Uniqueness::Absent,
        }
    }

    /// Whether rows are found by this column without reading all of them.
    pub(super) fn is_indexed(&self, column: &str) -> bool {
        self.indexes.iter().any(|index| index.finds(column))
    }
}

impl FoundIndex {
    fn is_unique_on(&self, columns: &[&str]) -> bool {
        self.unique
            && self.whole
            && self.columns.len() == columns.len()
            && self
                .columns
                .iter()
                .all(|column| column.as_deref().is_some_and(|column| columns.contains(&column)))
    }

    /// Other methods than these two answer no equality of one value.
    fn finds(&self, column: &str) -> bool {
        matches!(self.method.as_str(), "btree" | "hash")
            && self.usable
            && self.whole
            && self.collates
            && self
                .columns
                .first()
                .is_some_and(|first| first.as_deref() == Some(column))
    }
}
