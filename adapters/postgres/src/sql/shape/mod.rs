//! The shape of an operation: everything its SQL depends on and nothing else, as a few bytes.
//!
//! Values leave no trace here but for their number where each becomes a parameter of its own, and limits that stand in the text.

use std::sync::Arc;

use rowstamp_domain::definition::{FieldId, ResourceDefinition};
use rowstamp_domain::operation::{
    ConflictAction, OnConflict, Operation, Precondition, Representation, RowBound,
};
use rowstamp_domain::query::Select;
use rowstamp_domain::value::Value;

mod condition;
mod query;

use condition::condition;
use query::{list, select};

/// Writes the shape of `operation`. Two operations of equal shape have the same SQL.
///
/// The resource is told by its address: whoever keeps a shape keeps the definition too, so that the address is not
/// given to another.
pub(super) fn write(operation: &Operation, key: &mut Vec<u8>) {
    key.clear();
    let resource = operation.resource();
    address(resource, key);
    match operation {
        Operation::Read(read) => {
            key.push(0);
            select(&read.select, read.representation, key);
            condition(&read.visible, resource, key);
        }
        Operation::List(op) => list(op, key),
        Operation::Insert(insert) => {
            let kind = match &insert.conflict {
                None if insert.rows.len() == 1 => 2,
                None => 3,
                Some(_) => 9,
            };
            key.push(kind);
            select(&insert.select, insert.representation, key);
            count(insert.columns.len(), key);
            for column in &insert.columns {
                field(*column, key);
            }
            condition(&insert.permitted, resource, key);
            condition(&insert.visible, resource, key);
            if let Some(conflict) = &insert.conflict {
                on_conflict(conflict, insert.bound, resource, key);
            }
        }
        Operation::Update(update) => {
            key.push(4);
            item_update(update, resource, key);
        }
        Operation::Replace(replace) => {
            key.push(5);
            item_update(&replace.update, resource, key);
            match &replace.create {
                None => key.push(0),
                Some(create) => {
                    key.push(1);
                    fields(&create.values, key);
                    condition(&create.permitted, resource, key);
                }
            }
        }
        Operation::UpdateMany(update) => {
            key.push(7);
            many(&update.select, update.representation, key);
            condition(&update.visible, resource, key);
            condition(&update.permitted, resource, key);
            condition(&update.condition, resource, key);
            fields(&update.set, key);
            fields(&update.expect, key);
            bound(update.bound, key);
        }
        Operation::DeleteMany(delete) => {
            key.push(8);
            many(&delete.select, delete.representation, key);
            condition(&delete.visible, resource, key);
            condition(&delete.permitted, resource, key);
            condition(&delete.condition, resource, key);
            bound(delete.bound, key);
        }
        Operation::Delete(delete) => {
            key.push(6);
            select(&delete.select, delete.representation, key);
            condition(&delete.visible, resource, key);
            condition(&delete.permitted, resource, key);
            precondition(&delete.precondition, key);
        }
    }
}

fn item_update(
    update: &rowstamp_domain::operation::Update,
    resource: &ResourceDefinition,
    key: &mut Vec<u8>,
) {
    select(&update.select, update.representation, key);
    condition(&update.visible, resource, key);
    condition(&update.permitted, resource, key);
    fields(&update.set, key);
    fields(&update.expect, key);
    precondition(&update.precondition, key);
}

/// The columns of a write whose condition may speak of embeds, also where nothing is shown.
fn many(columns: &Select, representation: Representation, key: &mut Vec<u8>) {
    key.push(u8::from(representation == Representation::Nothing));
    select(columns, Representation::JsonArray, key);
}

fn on_conflict(conflict: &OnConflict, rows: RowBound, resource: &ResourceDefinition, key: &mut Vec<u8>) {
    count(conflict.target.len(), key);
    for id in &conflict.target {
        field(*id, key);
    }
    match &conflict.action {
        ConflictAction::Ignore => {
            key.push(0);
            bound(rows, key);
        }
        ConflictAction::Merge(merge) => {
            key.push(if merge.given.is_none() { 1 } else { 2 });
            count(merge.set.len(), key);
            for id in &merge.set {
                field(*id, key);
            }
            let expected = super::bulk::expected_fields(merge);
            count(expected.len(), key);
            for id in expected {
                field(id, key);
            }
            condition(&merge.visible, resource, key);
            condition(&merge.permitted, resource, key);
        }
    }
}

fn bound(bound: RowBound, key: &mut Vec<u8>) {
    key.push(match bound {
        RowBound::Any => 0,
        RowBound::AtMost(_) => 1,
        RowBound::One => 2,
    });
}

/// A resource is told by its address.
fn address(resource: &Arc<ResourceDefinition>, key: &mut Vec<u8>) {
    key.extend_from_slice(&(Arc::as_ptr(resource) as usize).to_ne_bytes());
}

/// Numbers are written in four bytes; more columns or parts than that cannot be.
fn count(number: usize, key: &mut Vec<u8>) {
    key.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_ne_bytes());
}

fn field(id: FieldId, key: &mut Vec<u8>) {
    key.extend_from_slice(&id.number().to_ne_bytes());
}

fn fields(values: &[(FieldId, Value)], key: &mut Vec<u8>) {
    count(values.len(), key);
    for (id, _) in values {
        field(*id, key);
    }
}

fn precondition(precondition: &Precondition, key: &mut Vec<u8>) {
    key.push(match precondition {
        Precondition::None => 0,
        Precondition::Exists => 1,
        Precondition::VersionIn(_) => 2,
        Precondition::Absent => 3,
    });
}
