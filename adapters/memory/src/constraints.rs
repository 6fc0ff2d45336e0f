//! What a database would refuse: values that do not fit, NULLs, enums, uniqueness and references.
//!
//! The definition's own limits (lengths, patterns, ranges) were judged before an operation got here.

use std::cmp::Ordering;

use rowstamp_domain::definition::{ApiDefinition, Field, FieldId, ResourceDefinition};
use rowstamp_domain::field_type::ScalarType;
use rowstamp_domain::value::Value;
use rowstamp_ports::{Conflict, ConflictKind, FaultKind, FieldFault, StoreError};

use crate::tables::{Table, Tables};

/// Makes the values of a row what a column would keep of them: a decimal gets its column's scale.
///
/// # Errors
/// `Invalid` for a value that does not fit its column, `Internal` for one of another type, which nothing lets pass.
pub(crate) fn fit(resource: &ResourceDefinition, row: &mut [Value]) -> Result<(), StoreError> {
    for (id, value) in resource.field_ids().zip(row) {
        let field = resource.field(id);
        if !is_of_type(field, value) {
            return Err(StoreError::Internal);
        }
        if let (Some(precision), ScalarType::Decimal) = (field.precision, field.ty.scalar) {
            rescale(value, precision, field.scale.unwrap_or(0))
                .ok_or_else(|| fault(id, FaultKind::OutOfRange))?;
        }
    }
    Ok(())
}

fn rescale(value: &mut Value, precision: u16, scale: u16) -> Option<()> {
    match value {
        Value::Decimal(decimal) => {
            decimal.fits(precision, scale).ok()?;
            *decimal = decimal.rescaled(scale)?;
        }
        Value::Array(elements) => {
            for element in elements {
                rescale(element, precision, scale)?;
            }
        }
        _ => {}
    }
    Some(())
}

fn is_of_type(field: &Field, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => {
            field.ty.array
                && elements
                    .iter()
                    .all(|element| is_element(field.ty.scalar, element))
        }
        scalar => !field.ty.array && is_scalar(field.ty.scalar, scalar),
    }
}

fn is_element(ty: ScalarType, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().all(|element| is_element(ty, element)),
        scalar => is_scalar(ty, scalar),
    }
}

const fn is_scalar(ty: ScalarType, value: &Value) -> bool {
    matches!(
        (ty, value),
        (ScalarType::Text | ScalarType::Enum, Value::Text(_))
            | (ScalarType::Integer, Value::Integer(_))
            | (ScalarType::BigInt, Value::BigInt(_))
            | (ScalarType::Float, Value::Float(_))
            | (ScalarType::Decimal, Value::Decimal(_))
            | (ScalarType::Boolean, Value::Boolean(_))
            | (ScalarType::Uuid, Value::Uuid(_))
            | (ScalarType::Date, Value::Date(_))
            | (ScalarType::Time, Value::Time(_))
            | (ScalarType::Timestamp, Value::Timestamp(_))
            | (ScalarType::Json, Value::Json(_))
            | (ScalarType::Bytes, Value::Bytes(_))
    )
}

/// NOT NULL of every column first, then the CHECKs of enums, as PostgreSQL goes about it. An array of an enum has no CHECK
/// there, so none here.
///
/// # Errors
/// `Invalid` with the first fault.
pub(crate) fn check(resource: &ResourceDefinition, row: &[Value]) -> Result<(), StoreError> {
    let fields = || {
        resource
            .field_ids()
            .map(|id| (id, resource.field(id), &row[id.index()]))
    };
    for (id, field, value) in fields() {
        if value.is_null() && (field.required || id == resource.audit.uid) {
            return Err(fault(id, FaultKind::Required));
        }
    }
    for (id, field, value) in fields() {
        if field.ty.scalar == ScalarType::Enum && !is_member(&field.values, value) {
            return Err(fault(id, FaultKind::Check));
        }
    }
    Ok(())
}

fn is_member(values: &[String], value: &Value) -> bool {
    match value {
        Value::Text(text) => values.contains(text),
        _ => true,
    }
}

const fn fault_of(field: Option<FieldId>, kind: FaultKind) -> FieldFault {
    FieldFault { field, kind }
}

fn fault(field: FieldId, kind: FaultKind) -> StoreError {
    StoreError::Invalid(vec![fault_of(Some(field), kind)])
}

/// Whether a row can stand beside those of `table`, from which the row that it replaces was taken out.
///
/// # Errors
/// The fields whose values another row has, the primary key first.
pub(crate) fn unique(
    resource: &ResourceDefinition,
    table: &Table,
    row: &[Value],
) -> Result<(), Vec<FieldId>> {
    let primary_key = vec![resource.audit.uid];
    let sets = std::iter::once(&primary_key).chain(&resource.unique);
    for set in sets {
        let equals = |other: &[Value]| {
            // A NULL equals nothing: `compare` says nothing about it.
            set.iter()
                .all(|id| row[id.index()].compare(&other[id.index()]) == Some(Ordering::Equal))
        };
        if table.values().any(|other| equals(other)) {
            return Err(set.clone());
        }
    }
    Ok(())
}

/// Whether every row that `row` refers to is there.
///
/// # Errors
/// The first reference that leads nowhere.
pub(crate) fn references(
    api: &ApiDefinition,
    tables: &Tables,
    resource: &ResourceDefinition,
    row: &[Value],
) -> Result<(), FieldId> {
    for id in resource.field_ids() {
        let Some(reference) = &resource.field(id).references else {
            continue;
        };
        let Value::Uuid(uid) = &row[id.index()] else {
            continue;
        };
        let is_there = api
            .resource(&reference.resource)
            .and_then(|target| tables.of(target).ok())
            .is_some_and(|table| table.contains_key(uid));
        if !is_there {
            return Err(id);
        }
    }
    Ok(())
}

/// The error for values that conflict with another row's.
pub(crate) const fn conflict(kind: ConflictKind, fields: Vec<FieldId>, record: Option<usize>) -> StoreError {
    StoreError::Conflict(Conflict { kind, fields, record })
}

/// The error for a reference of another resource that may not become NULL.
pub(crate) fn foreign_fault() -> StoreError {
    StoreError::Invalid(vec![fault_of(None, FaultKind::Required)])
}
