//! What PostgreSQL calls constraints that are given no name, so that a refusal's fields are known by it.
//!
//! Where a name is taken already PostgreSQL finds another, by which no field is known.

use rowstamp_domain::definition::{Field, FieldId, ResourceDefinition};

/// The longest identifier, in bytes.
const MAX_BYTES: usize = 63;

pub(crate) fn primary_key(resource: &ResourceDefinition) -> String {
    object_name(&resource.table.table, "", "pkey")
}

pub(crate) fn unique(resource: &ResourceDefinition, fields: &[FieldId]) -> String {
    let columns: Vec<&str> = fields
        .iter()
        .map(|id| resource.field(*id).column.as_str())
        .collect();
    object_name(&resource.table.table, &columns.join("_"), "key")
}

pub(crate) fn foreign_key(resource: &ResourceDefinition, field: &Field) -> String {
    object_name(&resource.table.table, &field.column, "fkey")
}

pub(crate) fn check(resource: &ResourceDefinition, field: &Field) -> String {
    object_name(&resource.table.table, &field.column, "check")
}

/// `table_columns_label`, cut like PostgreSQL's `makeObjectName` where it is too long: whichever of the first two is longer
/// loses a byte at a time.
fn object_name(table: &str, columns: &str, label: &str) -> String {
    let overhead = 1 + label.len() + usize::from(!columns.is_empty());
    let available = MAX_BYTES - overhead;
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > available {
        if first > second { first -= 1 } else { second -= 1 }
    }
    let cut = |text: &str, length: usize| text[..text.floor_char_boundary(length)].to_owned();
    if columns.is_empty() {
        format!("{}_{label}", cut(table, first))
    } else {
        format!("{}_{}_{label}", cut(table, first), cut(columns, second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_as_postgresql_cuts_them() {
        assert_eq!(object_name("books", "isbn", "key"), "books_isbn_key");
        assert_eq!(object_name("books", "", "pkey"), "books_pkey");
        let long = object_name(&"t".repeat(60), &"c".repeat(60), "fkey");
        assert_eq!(long, format!("{}_{}_fkey", "t".repeat(29), "c".repeat(28)));
        assert_eq!(long.len(), 63);
    }
}
