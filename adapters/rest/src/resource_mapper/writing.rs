//! Writes as operations: the body read, judged and stamped.

use std::sync::Arc;

use rowstamp_domain::body::{BodyLimits, read_object};
use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::{Default, Field, FieldId, FieldRole, ResourceDefinition};
use rowstamp_domain::operation::{
    Delete, NewRow, Operation, Precondition, Replace, Representation, Stamp, Update,
};
use rowstamp_domain::query::{Condition, Select};
use rowstamp_domain::record::Record;
use rowstamp_domain::stamp::{self, keeps_when_omitted};
use rowstamp_domain::validation::{self, Parted, Pointer, Purpose, Violation};
use rowstamp_domain::value::{Timestamp, Value};
use uuid::Uuid;

use super::access;
use super::asked::Show;
use crate::negotiate::Media;
use crate::problem::{Problem, codes};
use crate::served::Served;

/// Values of fields.
type Values = Vec<(FieldId, Value)>;

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

    /// Refuses what could not be read.
    ///
    /// # Errors
    /// 422 with every violation.
    pub(crate) fn must_be_readable(&self, definition: &ResourceDefinition) -> Result<(), Problem> {
        refuse(definition, self.violations.clone())
    }

    /// Whatever could not be read.
    pub(super) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What was sent of the record, and what was taken out of it.
    pub(super) fn into_parts(self) -> (Record, Parted) {
        (self.change, self.parted)
    }

    /// Takes out of a change what the caller may not write.
    ///
    /// # Errors
    /// 403 for fields that the caller may not write.
    pub(super) fn parted(
        served: &Served,
        mut change: Record,
        mut violations: Vec<Violation>,
        purpose: Purpose,
        caller: &Caller,
    ) -> Result<Self, Problem> {
        let parted = validation::part(&mut change, purpose, caller, &mut violations);
        if parted.forbidden.is_empty() {
            Ok(Self {
                change,
                parted,
                violations,
            })
        } else {
            Err(forbidden_fields(&served.definition, &parted.forbidden))
        }
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

/// Reads the body of a PATCH on many rows: one object. Of `columns`, what it lacks is NULL, and what else it holds is ignored.
///
/// # Errors
/// As [`sent_to_item`].
pub(crate) fn sent_to_rows(
    served: &Served,
    body: &[u8],
    columns: Option<&[FieldId]>,
    caller: &Caller,
) -> Result<Sent, Problem> {
    let mut members = read_object(body, BodyLimits::default())
        .map_err(|error| Problem::new(codes::INVALID_JSON, error.to_string()))?;
    if let Some(columns) = columns {
        let is_named = |name: &str| {
            served
                .definition
                .field_id(name)
                .is_some_and(|id| columns.contains(&id))
        };
        members.retain(|(name, _)| is_named(name));
        for id in columns {
            let name = &served.definition.field(*id).name;
            if members.iter().all(|(given, _)| given != name) {
                members.push((std::borrow::Cow::Owned(name.clone()), "null"));
            }
        }
    }
    let mut violations = Vec::new();
    let change = validation::read(&served.definition, &members, &mut violations);
    let uid = match change.value(served.definition.audit.uid) {
        Some(Value::Uuid(uid)) => *uid,
        _ => Uuid::nil(),
    };
    let expected = change.value(served.definition.audit.uid).cloned();
    let mut sent = Sent::parted(served, change, violations, Purpose::Update(uid), caller)?;
    // Each row must have the uid that is sent.
    sent.parted
        .expect
        .extend(expected.map(|uid| (served.definition.audit.uid, uid)));
    Ok(sent)
}

fn sent(
    served: &Served,
    members: &rowstamp_domain::body::Members<'_>,
    purpose: Purpose,
    caller: &Caller,
) -> Result<Sent, Problem> {
    let mut violations = Vec::new();
    let change = validation::read(&served.definition, members, &mut violations);
    Sent::parted(served, change, violations, purpose, caller)
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

impl ReplaceRights {
    /// The right to create alone.
    ///
    /// # Errors
    /// 401 or 403 when there is none.
    pub(crate) fn creation(create: Result<Condition, Problem>) -> Result<Self, Problem> {
        Ok(Self {
            update: Ok(Condition::Never),
            create: Ok(create?),
        })
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
    let (set, expect) = changed(&writing, sent)?;
    Ok(Operation::Update(Update {
        resource: Arc::clone(&writing.served.definition),
        uid,
        visible: writing.visible,
        permitted,
        set,
        expect,
        stamp: writing.stamp,
        precondition,
        select: writing.select,
        representation: writing.representation,
    }))
}

/// What a change sets, and what it expects.
///
/// # Errors
/// 422 with every violation.
pub(super) fn changed(writing: &Writing<'_>, sent: Sent) -> Result<(Values, Values), Problem> {
    let Sent {
        change,
        mut parted,
        mut violations,
    } = sent;
    validation::check(&change, |_, _| false, &mut violations);
    let set = stamp::change(change, writing.caller, &mut parted, &mut violations);
    refuse(&writing.served.definition, violations)?;
    Ok((set, parted.expect))
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

/// In which form a write's rows come back: as records where a hook will look at them.
pub(crate) const fn representation(
    show: Show,
    media: Media,
    after_write: bool,
    after_read: bool,
) -> Representation {
    match show {
        _ if after_write => Representation::Records,
        Show::Nothing => Representation::Nothing,
        Show::Object | Show::Array if after_read => Representation::Records,
        Show::Object if media.is_stripped() => Representation::StrippedObject,
        Show::Object => Representation::JsonObject,
        Show::Array if matches!(media, Media::Csv) => Representation::Csv,
        Show::Array if media.is_stripped() => Representation::StrippedArray,
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

/// As [`mismatch`], each with the index of its record where the body is a list.
pub(crate) fn record_mismatch(
    definition: &ResourceDefinition,
    fields: &[(usize, FieldId)],
    is_list: bool,
) -> Problem {
    let violations = fields
        .iter()
        .map(|(record, id)| {
            let mut violation = if definition.field(*id).role == FieldRole::Uid {
                let field = &definition.field(*id).name;
                let pointer = Pointer::Key(&Pointer::Root, field);
                Violation::new(&pointer, "uid", "the row that is there has another uid")
            } else {
                stamp::immutable(definition.field(*id))
            };
            if is_list {
                violation.pointer = format!("/{record}{}", violation.pointer);
            }
            violation
        })
        .take(validation::MOST_VIOLATIONS)
        .collect();
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

pub(super) fn refuse(definition: &ResourceDefinition, violations: Vec<Violation>) -> Result<(), Problem> {
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid_body(definition, violations))
    }
}

/// Whether a uid is one that a row can have: any but the two that RFC 9562 sets aside.
pub(crate) fn usable_uid(definition: &ResourceDefinition, uid: Uuid) -> Result<(), Problem> {
    if usable(uid) {
        return Ok(());
    }
    let field = &definition.field(definition.audit.uid).name;
    let pointer = Pointer::Key(&Pointer::Root, field);
    let violation = Violation::new(&pointer, "uid", "the nil and the max UUID are no row's");
    Err(Problem::invalid_body(definition, vec![violation]))
}

/// Whether a row can have this uid.
pub(super) fn usable(uid: Uuid) -> bool {
    !uid.is_nil() && !uid.is_max()
}
