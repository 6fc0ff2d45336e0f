//! Writes as operations: the body read, judged and stamped.

use std::sync::Arc;

use rowstamp_domain::body::{BodyLimits, Objects, read_object, read_objects};
use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::{Default, Field, FieldId, FieldRole, ResourceDefinition};
use rowstamp_domain::operation::{
    Delete, Insert, NewRow, Operation, Precondition, Replace, Representation, RowBound, Stamp, Update,
};
use rowstamp_domain::query::{Condition, Select};
use rowstamp_domain::record::Record;
use rowstamp_domain::stamp::{self, keeps_when_omitted};
use rowstamp_domain::validation::{self, Parted, Pointer, Purpose, Violation};
use rowstamp_domain::value::Timestamp;
use uuid::Uuid;

use super::access;
use super::asked::Show;
use crate::problem::{Problem, codes};
use crate::served::Served;

/// What was sent: typed, without what the caller may not write, and not judged yet, since hooks come before that.
pub(crate) struct Sent {
    pub(crate) change: Record,
    parted: Parted,
    violations: Vec<Violation>,
}

impl Sent {
    /// Whether everything could be read, so that a hook can look at it.
    pub(crate) const fn is_readable(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Who writes, when and what of it comes back.
pub(crate) struct Writing<'a> {
    pub(crate) served: &'a Served,
    pub(crate) caller: &'a Caller,
    pub(crate) stamp: Stamp,
    /// What may be shown of what was written.
    pub(crate) visible: Condition,
    pub(crate) select: Select,
    pub(crate) representation: Representation,
}

/// Reads the body of a POST: one object.
///
/// # Errors
/// 400 when it is none, 403 for fields that the caller may not write.
pub(crate) fn sent_to_collection(served: &Served, body: &[u8], caller: &Caller) -> Result<Sent, Problem> {
    match read_objects(body, BodyLimits::default()) {
        Ok(Objects::One(members)) => sent(served, &members, Purpose::Create, caller),
        Ok(Objects::Many(_)) => Err(Problem::new(
            codes::NOT_SERVED,
            "creating several rows at once is not served yet",
        )
        .hint("send one object at a time")),
        Err(error) => Err(Problem::new(codes::INVALID_JSON, error.to_string())),
    }
}

/// Reads the body of a PUT or PATCH: one object.
///
/// # Errors
/// 400 when it is none, 403 for fields that the caller may not write.
pub(crate) fn sent_to_item(
    served: &Served,
    body: &[u8],
    purpose: Purpose,
    caller: &Caller,
) -> Result<Sent, Problem> {
    match read_object(body, BodyLimits::default()) {
        Ok(members) => sent(served, &members, purpose, caller),
        Err(error) => Err(Problem::new(codes::INVALID_JSON, error.to_string())),
    }
}

fn sent(
    served: &Served,
    members: &rowstamp_domain::body::Members<'_>,
    purpose: Purpose,
    caller: &Caller,
) -> Result<Sent, Problem> {
    let mut violations = Vec::new();
    let mut change = validation::read(&served.definition, members, &mut violations);
    let parted = validation::part(&mut change, purpose, caller, &mut violations);
    if parted.forbidden.is_empty() {
        Ok(Sent {
            change,
            parted,
            violations,
        })
    } else {
        Err(forbidden_fields(&served.definition, &parted.forbidden))
    }
}

/// Who writes, and when.
///
/// # Errors
/// 403 when the resource keeps callers as UUIDs and this caller has none.
pub(crate) fn stamp(
    definition: &ResourceDefinition,
    now: Timestamp,
    caller: &Caller,
) -> Result<Stamp, Problem> {
    stamp::stamp(definition, now, caller).map_err(|_| {
        Problem::new(
            codes::FORBIDDEN,
            format!(
                "{} are written by callers whose subject is a UUID",
                definition.name
            ),
        )
    })
}

/// Creates a row.
///
/// # Errors
/// 422 with every violation.
pub(crate) fn create(
    writing: Writing<'_>,
    sent: Sent,
    uid: Uuid,
    permitted: Condition,
) -> Result<Operation, Problem> {
    let Sent {
        change,
        mut violations,
        ..
    } = sent;
    validation::check(&change, |_, _| true, &mut violations);
    refuse(&writing.served.definition, violations)?;
    let (columns, row) = stamp::new_row(change, uid, &writing.stamp).into_iter().unzip();
    Ok(Operation::Insert(Insert {
        resource: Arc::clone(&writing.served.definition),
        columns,
        rows: vec![row],
        permitted,
        conflict: None,
        bound: RowBound::Any,
        visible: writing.visible,
        select: writing.select,
        representation: writing.representation,
    }))
}

/// What a PUT may do: to a row that is there, and where there is none.
#[derive(Debug, Clone)]
pub(crate) struct ReplaceRights {
    pub(crate) update: Result<Condition, Problem>,
    pub(crate) create: Result<Condition, Problem>,
}

impl ReplaceRights {
    /// What a caller may do by PUT.
    ///
    /// # Errors
    /// 401 or 403 when it is nothing.
    pub(crate) fn of(definition: &ResourceDefinition, caller: &Caller) -> Result<Self, Problem> {
        let rights = Self {
            update: access::update(definition, caller),
            create: access::create(definition, caller),
        };
        match (&rights.update, &rights.create) {
            (Err(problem), Err(_)) => Err(problem.clone()),
            _ => Ok(rights),
        }
    }
}

/// A replacement, and why no row is created where there is none.
pub(crate) struct Replacement {
    pub(crate) operation: Operation,
    pub(crate) when_absent: Option<Problem>,
}

/// Creates or replaces a row.
///
/// # Errors
/// 422 with every violation.
pub(crate) fn replace(
    writing: Writing<'_>,
    sent: Sent,
    uid: Uuid,
    rights: ReplaceRights,
    precondition: Precondition,
) -> Result<Replacement, Problem> {
    let Sent {
        change,
        mut parted,
        mut violations,
    } = sent;
    let caller = writing.caller;
    let definition = Arc::clone(&writing.served.definition);
    validation::check(
        &change,
        |_, field| !keeps_when_omitted(field, caller),
        &mut violations,
    );
    refuse(&definition, violations)?;
    // What a replacement keeps, a creation needs.
    for field in definition.field_ids() {
        let missing = change.value(field).is_none();
        let field = definition.field(field);
        if missing && field.role == FieldRole::Declared && field.required && field.default == Default::None {
            let pointer = Pointer::Key(&Pointer::Root, &field.name);
            parted
                .if_new
                .push(Violation::new(&pointer, "required", "a value is required"));
        }
    }
    let (create, when_absent) = match rights.create {
        Err(problem) => (None, Some(problem)),
        Ok(_) if !parted.if_new.is_empty() => (
            None,
            Some(Problem::invalid_body(
                &definition,
                std::mem::take(&mut parted.if_new),
            )),
        ),
        Ok(permitted) => (
            Some(NewRow {
                values: stamp::new_row(change.clone(), uid, &writing.stamp),
                permitted,
            }),
            None,
        ),
    };
    let set = stamp::replacement(change, caller, &mut parted);
    let update = Update {
        resource: definition,
        uid,
        visible: writing.visible,
        // A row that is there is not this caller's to change; the store says so once it knows that there is one.
        permitted: rights.update.unwrap_or(Condition::Never),
        set,
        expect: parted.expect,
        stamp: writing.stamp,
        precondition,
        select: writing.select,
        representation: writing.representation,
    };
    Ok(Replacement {
        operation: Operation::Replace(Replace { update, create }),
        when_absent,
    })
}

/// Changes a row.
///
/// # Errors
/// 422 with every violation.
pub(crate) fn update(
    writing: Writing<'_>,
    sent: Sent,
    uid: Uuid,
    permitted: Condition,
    precondition: Precondition,
) -> Result<Operation, Problem> {
    let Sent {
        change,
        mut parted,
        mut violations,
    } = sent;
    validation::check(&change, |_, _| false, &mut violations);
    let set = stamp::change(change, writing.caller, &mut parted, &mut violations);
    refuse(&writing.served.definition, violations)?;
    Ok(Operation::Update(Update {
        resource: Arc::clone(&writing.served.definition),
        uid,
        visible: writing.visible,
        permitted,
        set,
        expect: parted.expect,
        stamp: writing.stamp,
        precondition,
        select: writing.select,
        representation: writing.representation,
    }))
}

/// Deletes a row.
pub(crate) fn delete(
    writing: Writing<'_>,
    uid: Uuid,
    permitted: Condition,
    precondition: Precondition,
) -> Operation {
    Operation::Delete(Delete {
        resource: Arc::clone(&writing.served.definition),
        uid,
        visible: writing.visible,
        permitted,
        precondition,
        select: writing.select,
        representation: writing.representation,
    })
}

/// In which form a write's row comes back: as a record where a hook will look at it.
pub(crate) const fn representation(show: Show, after_write: bool, after_read: bool) -> Representation {
    match show {
        _ if after_write => Representation::Records,
        Show::Nothing => Representation::Nothing,
        Show::Object | Show::Array if after_read => Representation::Records,
        Show::Object => Representation::JsonObject,
        Show::Array => Representation::JsonArray,
    }
}

/// What it means that `fields` were sent with other values than the stored ones.
pub(crate) fn mismatch(definition: &ResourceDefinition, fields: &[FieldId]) -> Problem {
    let nobody_writes = |field: &Field| field.read_only || field.immutable || field.is_audit();
    if !fields.iter().any(|id| nobody_writes(definition.field(*id))) {
        return forbidden_fields(definition, fields);
    }
    let mut violations: Vec<Violation> = fields
        .iter()
        .map(|id| {
            let field = definition.field(*id);
            if nobody_writes(field) {
                stamp::immutable(field)
            } else {
                forbidden(field)
            }
        })
        .collect();
    // What was expected twice, since it may not come true, may differ from both.
    violations.dedup();
    Problem::invalid_body(definition, violations)
}

fn forbidden(field: &Field) -> Violation {
    let pointer = Pointer::Key(&Pointer::Root, &field.name);
    Violation::new(&pointer, "forbidden", "the caller may not write this field")
}

fn forbidden_fields(definition: &ResourceDefinition, fields: &[FieldId]) -> Problem {
    let violations = fields.iter().map(|id| forbidden(definition.field(*id))).collect();
    Problem::new(codes::FORBIDDEN, "the caller may not write these fields").errors(violations)
}

fn refuse(definition: &ResourceDefinition, violations: Vec<Violation>) -> Result<(), Problem> {
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid_body(definition, violations))
    }
}

/// Whether a uid is one that a row can have: any but the two that RFC 9562 sets aside.
pub(crate) fn usable_uid(definition: &ResourceDefinition, uid: Uuid) -> Result<(), Problem> {
    if !uid.is_nil() && !uid.is_max() {
        return Ok(());
    }
    let field = &definition.field(definition.audit.uid).name;
    let pointer = Pointer::Key(&Pointer::Root, field);
    let violation = Violation::new(&pointer, "uid", "the nil and the max UUID are no row's");
    Err(Problem::invalid_body(definition, vec![violation]))
}
