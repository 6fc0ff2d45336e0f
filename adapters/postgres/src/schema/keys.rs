//! What the database has of keys, unique and foreign, but not as the definitions want it. Pure.

use rowstamp_domain::definition::{ApiDefinition, Field, FieldId, OnDelete, Reference, ResourceDefinition};

use super::found::{FoundColumn, FoundForeignKey, FoundTable, Uniqueness};
use super::missing::plain_name;

/// The sets of fields that must be unique, the primary key first.
pub(super) fn sets(resource: &ResourceDefinition) -> impl Iterator<Item = Vec<FieldId>> {
    std::iter::once(vec![resource.audit.uid]).chain(resource.unique.iter().cloned())
}

/// The columns of a set.
pub(super) fn columns<'a>(resource: &'a ResourceDefinition, set: &[FieldId]) -> Vec<&'a str> {
    set.iter().map(|id| resource.field(*id).column.as_str()).collect()
}

/// Unique sets that are there, but that an upsert cannot use. In a view they are those of the tables behind it.
pub(super) fn unique_sets(resource: &ResourceDefinition, table: &FoundTable) -> Vec<String> {
    let sets = sets(resource).filter(|_| table.is_table);
    sets.filter_map(|set| {
        let columns = columns(resource, &set);
        let on = format!("on {} ({})", plain_name(resource), columns.join(", "));
        match table.uniqueness(&columns) {
            Uniqueness::Deferrable(index) => Some(format!(
                "unique constraint {} {on} is DEFERRABLE: PUT and upserts refuse it",
                index.name
            )),
            Uniqueness::Invalid(index) => Some(format!(
                "index {} {on} is invalid, as a failed CREATE INDEX CONCURRENTLY leaves it: drop it or REINDEX it",
                index.name
            )),
            Uniqueness::Given(index)
                if !index.nulls_distinct && set.iter().any(|id| !resource.field(*id).required) =>
            {
                Some(format!(
                    "unique constraint {} {on} is NULLS NOT DISTINCT, though a field in it may be NULL",
                    index.name
                ))
            }
            Uniqueness::Given(_) | Uniqueness::Absent => None,
        }
    })
    .collect()
}

/// What is the matter with a column of a unique set: an upsert looks for the row that is in the way by comparing values as all
/// queries do, which is not how such an index does it.
pub(super) fn compared(resource: &ResourceDefinition, field: &Field, column: &FoundColumn) -> Option<String> {
    let is_key = resource
        .unique
        .iter()
        .flatten()
        .any(|id| resource.field(*id).column == field.column);
    (is_key && column.driver_type.name() == "citext").then(|| {
        format!(
            "is {}: it is unique whatever the case of its letters, but compared with it",
            column.ty
        )
    })
}

/// References that lead elsewhere, are not kept, or do something else on deletion.
pub(super) fn references(
    api: &ApiDefinition,
    resource: &ResourceDefinition,
    table: &FoundTable,
) -> Vec<String> {
    let fields = resource.fields.iter();
    fields
        .filter_map(|field| {
            let reference = field.references.as_ref()?;
            let what = of_reference(api, reference, &keys_of(table, field))?;
            Some(format!(
                "foreign key of {}.{} {what}",
                plain_name(resource),
                field.column
            ))
        })
        .collect()
}

/// The foreign keys on the column of a field, and on no other with it.
pub(super) fn keys_of<'a>(table: &'a FoundTable, field: &Field) -> Vec<&'a FoundForeignKey> {
    let keys = table.foreign_keys.iter();
    keys.filter(|key| *key.columns == [field.column.as_str()])
        .collect()
}

/// What is the matter with the best of the keys.
fn of_reference(api: &ApiDefinition, reference: &Reference, keys: &[&FoundForeignKey]) -> Option<String> {
    let position = api
        .resources
        .iter()
        .position(|resource| resource.name == reference.resource)?;
    let target = &api.resources[position];
    let uid = &target.field(target.audit.uid).column;
    let leads = |key: &&&FoundForeignKey| key.target == Some(position);
    let fits = |key: &&&FoundForeignKey| leads(key) && *key.target_columns == [uid.as_str()];
    if let Some(key) = keys.iter().find(fits) {
        return of_key(reference, key);
    }
    if let Some(key) = keys.iter().find(leads) {
        let table = plain_name(target);
        let columns = key.target_columns.join(", ");
        return Some(format!("leads to {table}.{columns}, not to {table}.{uid}"));
    }
    keys.first()
        .map(|_| format!("does not lead to {}", reference.resource))
}

fn of_key(reference: &Reference, key: &FoundForeignKey) -> Option<String> {
    if !key.enforced {
        return Some("is not enforced: its triggers are disabled, or it says so itself".to_owned());
    }
    if !does(reference, &key.on_delete) {
        return Some(format!(
            "does not do on deletion what its definition says ({})",
            words(reference.on_delete)
        ));
    }
    (!key.validated).then(|| "is NOT VALID: rows that were there before it may refer to nothing".to_owned())
}

/// Whether a foreign key with PostgreSQL's letter (`confdeltype`) does what a reference says.
fn does(reference: &Reference, letter: &str) -> bool {
    match reference.on_delete {
        // NO ACTION refuses too, at the end of the statement.
        OnDelete::Restrict => matches!(letter, "r" | "a"),
        OnDelete::Cascade => letter == "c",
        OnDelete::SetNull => letter == "n",
    }
}

const fn words(on_delete: OnDelete) -> &'static str {
    match on_delete {
        OnDelete::Restrict => "restrict",
        OnDelete::Cascade => "cascade",
        OnDelete::SetNull => "set_null",
    }
}
