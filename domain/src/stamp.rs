//! What a write puts into which columns: values given, defaults, and the stamps of who and when.
//!
//! Pure functions of a checked change and of the time, uid and caller passed in. What is stored already is known only to the
//! store, so what depends on it becomes an expectation or a precondition of the operation.

use uuid::Uuid;

use crate::caller::Caller;
use crate::definition::{Default, Field, FieldId, FieldRole, ResourceDefinition};
use crate::operation::Stamp;
use crate::record::Record;
use crate::validation::{Parted, Violation, may_read, may_write};
use crate::value::{Timestamp, Value, ValueError};

/// Who writes, and when.
///
/// # Errors
/// When the definition keeps callers as UUIDs and the caller's subject is none.
pub fn stamp(definition: &ResourceDefinition, now: Timestamp, caller: &Caller) -> Result<Stamp, ValueError> {
    let column = definition.audit.last_updater_uid.or(definition.audit.creator_uid);
    let actor = match (caller.subject(), column) {
        (Some(subject), Some(id)) => Value::read_text(subject, definition.field(id).ty)?,
        _ => Value::Null,
    };
    Ok(Stamp { now, actor })
}

/// The columns of a new row: what is given, defaults for what is not, and the stamps. A field without either is left out.
pub fn new_row(change: Record, uid: Uuid, stamp: &Stamp) -> Vec<(FieldId, Value)> {
    let mut change = change;
    let definition = std::sync::Arc::clone(change.definition());
    let mut values = Vec::with_capacity(definition.fields.len());
    for id in definition.field_ids() {
        let field = definition.field(id);
        let value = match field.role {
            FieldRole::Uid => Value::Uuid(uid),
            FieldRole::CreatedAt | FieldRole::LastUpdatedAt => Value::Timestamp(stamp.now),
            FieldRole::CreatorUid | FieldRole::LastUpdaterUid => stamp.actor.clone(),
            FieldRole::Declared => match (change.take(id), &field.default) {
                (Some(given), _) => given,
                (None, Default::Value(value)) => value.clone(),
                (None, Default::None | Default::Database) => continue,
            },
        };
        values.push((id, value));
    }
    values
}

/// What a replacement keeps of a field that it does not give: what the caller could not have sent.
pub fn keeps_when_omitted(field: &Field, caller: &Caller) -> bool {
    field.immutable || !may_write(field, caller) || !may_read(field, caller)
}

/// What is written when a row is replaced by `change`: every value given, and for the rest the default, else NULL, where
/// the field is not kept. A default of the database's own is not known here, so such a field is kept too.
///
/// Values of immutable fields are expectations, added to `parted`. Of those that the caller may not see none comes true, not even of
/// an equal value, or guessing would reveal it; NULL, which asks for nothing, is as good as absent.
pub fn replacement(change: Record, caller: &Caller, parted: &mut Parted) -> Vec<(FieldId, Value)> {
    let mut change = change;
    let definition = std::sync::Arc::clone(change.definition());
    let mut set = Vec::with_capacity(definition.fields.len());
    for id in definition.field_ids() {
        let field = definition.field(id);
        if field.is_audit() {
            continue;
        }
        match (change.take(id), &field.default) {
            (Some(value), _) if field.immutable && !may_read(field, caller) => {
                if value != Value::Null {
                    parted.expect.extend([(id, Value::Null), (id, value)]);
                }
            }
            (Some(value), _) if field.immutable => parted.expect.push((id, value)),
            (Some(value), _) => set.push((id, value)),
            (None, _) if keeps_when_omitted(field, caller) => {}
            (None, Default::Value(value)) => set.push((id, value.clone())),
            (None, Default::Database) => {}
            (None, Default::None) => set.push((id, Value::Null)),
        }
    }
    set
}

/// What is written when a row is changed by `change`: every value given, as it is.
///
/// Values of immutable fields are expectations, added to `parted`; of those that the caller may not see, even an equal one
/// is a violation, or guessing would reveal it.
pub fn change(
    change: Record,
    caller: &Caller,
    parted: &mut Parted,
    violations: &mut Vec<Violation>,
) -> Vec<(FieldId, Value)> {
    let mut change = change;
    let definition = std::sync::Arc::clone(change.definition());
    let mut set = Vec::new();
    for id in definition.field_ids() {
        let field = definition.field(id);
        match change.take(id) {
            None => {}
            Some(_) if field.is_audit() => {}
            Some(_) if field.immutable && !may_read(field, caller) => violations.push(immutable(field)),
            Some(value) if field.immutable => parted.expect.push((id, value)),
            Some(value) => set.push((id, value)),
        }
    }
    set
}

/// That a field was sent with a value other than the stored one.
pub fn immutable(field: &Field) -> Violation {
    use crate::validation::Pointer;
    let pointer = Pointer::Key(&Pointer::Root, &field.name);
    let (code, message) = if field.immutable {
        ("immutable", "this field is only given at creation")
    } else {
        (
            "read_only",
            "only the server writes this field; it may be sent back as it is stored",
        )
    };
    Violation::new(&pointer, code, message)
}
