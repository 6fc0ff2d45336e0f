//! What a caller may send back but not write, taken out of a change.
//!
//! Stamps and read-only fields are accepted when they equal what is stored, so that what was read can be sent back. Whether
//! they do is for the store to find out; here they become expectations.

use uuid::Uuid;

use super::{Pointer, Violation, may_read, may_write};
use crate::caller::Caller;
use crate::definition::{FieldId, FieldRole};
use crate::record::Record;
use crate::value::Value;

/// What a change is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new row whose uid the server makes.
    Create,
    /// The row with this uid, created or replaced.
    Replace(Uuid),
    /// The fields given, in the row with this uid.
    Update(Uuid),
}

impl Purpose {
    /// The uid of the row, where the caller named it.
    const fn uid(self) -> Option<Uuid> {
        match self {
            Self::Create => None,
            Self::Replace(uid) | Self::Update(uid) => Some(uid),
        }
    }
}

/// What was taken out of a change.
#[derive(Debug, Default, PartialEq)]
pub struct Parted {
    /// Values that the stored row must already have.
    pub expect: Vec<(FieldId, Value)>,
    /// What is wrong if there is no stored row.
    pub if_new: Vec<Violation>,
    /// Fields that this caller may not write: an error of its own, since the body may be perfect.
    pub forbidden: Vec<FieldId>,
}

/// Takes out of `change` what `caller` may not write; only what code puts there afterwards is written to such a field.
///
/// A field that the caller may not see is no expectation either, or guessing would reveal it.
pub fn part(
    change: &mut Record,
    purpose: Purpose,
    caller: &Caller,
    violations: &mut Vec<Violation>,
) -> Parted {
    let mut parted = Parted::default();
    let definition = std::sync::Arc::clone(change.definition());
    for id in definition.field_ids() {
        let field = definition.field(id);
        if may_write(field, caller) {
            continue;
        }
        let Some(value) = change.take(id) else {
            continue;
        };
        let pointer = Pointer::Key(&Pointer::Root, &field.name);
        if field.role == FieldRole::Uid
            && let Some(uid) = purpose.uid()
        {
            if value != Value::Uuid(uid) {
                violations.push(Violation::new(
                    &pointer,
                    "uid",
                    "the uid must be the one in the path",
                ));
            }
            continue;
        }
        let by_rule = !field.read_only && !field.is_audit();
        let refusal = || Violation::new(&pointer, "read_only", "only the server writes this field");
        match purpose {
            Purpose::Replace(_) | Purpose::Update(_) if may_read(field, caller) => {
                if by_rule {
                    parted.if_new.push(Violation::new(
                        &pointer,
                        "forbidden",
                        "the caller may not write this field",
                    ));
                } else {
                    parted.if_new.push(refusal());
                }
                parted.expect.push((id, value));
            }
            _ if by_rule => parted.forbidden.push(id),
            _ => violations.push(refusal()),
        }
    }
    parted
}
