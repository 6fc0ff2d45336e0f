//! Bodies that hold rows, and what they become: one record or many, created or upserted, all judged before any is written.

use std::collections::HashMap;
use std::sync::Arc;

use rowstamp_domain::body::{BodyLimits, for_each_object};
use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::{Default, FieldId, ResourceDefinition};
use rowstamp_domain::operation::{
    ConflictAction, DeleteMany, Insert, Merge, OnConflict, Operation, RowBound, UpdateMany,
};
use rowstamp_domain::query::Condition;
use rowstamp_domain::query::grammar::Filtered;
use rowstamp_domain::record::Record;
use rowstamp_domain::stamp;
use rowstamp_domain::validation::{self, MOST_VIOLATIONS, Pointer, Purpose, Violation, may_read, may_write};
use rowstamp_domain::value::Value;
use rowstamp_ports::UidSource;
use uuid::Uuid;

use super::writing::{ReplaceRights, Sent, Writing, refuse, usable};
use crate::csv_rows;
use crate::negotiate::RowsFormat;
use crate::preferences::{Missing, Preferences, Resolution};
use crate::problem::{Problem, codes};
use crate::served::Served;

/// What a POST asks to be done with its records.
pub(crate) struct Intent {
    /// `columns=`
    pub(crate) given: Option<Vec<FieldId>>,
    /// What a record lacks of `columns=` is its default, not NULL.
    defaults: bool,
    /// What happens where a row is in the way, and which fields tell.
    pub(crate) conflict: Option<(Resolution, Vec<FieldId>)>,
}

impl Intent {
    pub(crate) fn new(
        served: &Served,
        preferences: Preferences,
        given: Option<Vec<FieldId>>,
        target: Option<Vec<FieldId>>,
    ) -> Self {
        let conflict = preferences.resolution.map(|resolution| {
            let target = target.unwrap_or_else(|| vec![served.definition.audit.uid]);
            (resolution, target)
        });
        Self {
            given,
            defaults: preferences.missing == Some(Missing::Default),
            conflict,
        }
    }
}

/// One record of a body, and the uid that a row made of it gets.
pub(crate) struct NewRecord {
    pub(crate) sent: Sent,
    uid: Uuid,
    /// Whether the caller chose the uid.
    named: bool,
}

/// The records of a body.
pub(crate) struct Records {
    pub(crate) records: Vec<NewRecord>,
    /// Whether the body is a list, so that pointers tell the record.
    pub(crate) is_list: bool,
}

/// Reads the body of a POST.
///
/// # Errors
/// 400 when it holds no rows, 403 for fields that the caller may not write.
pub(crate) fn records(
    served: &Served,
    body: &[u8],
    format: RowsFormat,
    intent: &Intent,
    caller: &Caller,
    uids: &dyn UidSource,
) -> Result<Records, Problem> {
    let definition = &served.definition;
    let is_given = |name: &str| match &intent.given {
        None => true,
        Some(given) => definition.field_id(name).is_some_and(|id| given.contains(&id)),
    };
    let merges = matches!(intent.conflict, Some((Resolution::Merge, _)));
    let mut records = Vec::new();
    let mut refused = None;
    let mut take = |mut change: Record, mut violations: Vec<Violation>| {
        if let Some(given) = &intent.given
            && !intent.defaults
        {
            nullify(&mut change, given, caller, &violations);
        }
        let audit = definition.audit;
        let (uid, named) = match change.value(audit.uid) {
            Some(Value::Uuid(uid)) if intent.conflict.is_some() => (*uid, true),
            _ => (uids.next(), false),
        };
        if intent.conflict.is_some() {
            if named && !usable(uid) {
                violations.push(nil_or_max(definition));
            }
            change.take(audit.uid);
        }
        let purpose = if merges {
            Purpose::Replace(uid)
        } else {
            Purpose::Create
        };
        match Sent::parted(served, change, violations, purpose, caller) {
            Ok(sent) => records.push(NewRecord { sent, uid, named }),
            // A body that turns out not to be one is refused for that.
            Err(problem) => {
                refused.get_or_insert(problem);
            }
        }
    };
    let is_list = match format {
        RowsFormat::Json => for_each_object(body, BodyLimits::default(), |members| {
            members.retain(|(name, _)| is_given(name));
            let mut violations = Vec::new();
            let change = validation::read(definition, members, &mut violations);
            take(change, violations);
        })
        .map_err(|error| Problem::new(codes::INVALID_JSON, error.to_string()))?,
        RowsFormat::Csv => {
            let table = csv_rows::read(body).map_err(|error| Problem::new(codes::INVALID_JSON, error))?;
            for row in &table.rows {
                let cells = table.names.iter().zip(row).filter(|(name, _)| is_given(name));
                let cells = cells.map(|(name, cell)| (name.as_str(), cell.as_deref()));
                let (change, violations) = read_cells(definition, cells);
                take(change, violations);
            }
            true
        }
    };
    match refused {
        Some(problem) => Err(problem),
        None => Ok(Records { records, is_list }),
    }
}

fn nil_or_max(definition: &ResourceDefinition) -> Violation {
    let field = &definition.field(definition.audit.uid).name;
    Violation::new(
        &Pointer::Key(&Pointer::Root, field),
        "uid",
        "the nil and the max UUID are no row's",
    )
}

/// The cells of a line of CSV as values of their fields.
fn read_cells<'c>(
    definition: &Arc<ResourceDefinition>,
    cells: impl Iterator<Item = (&'c str, Option<&'c str>)>,
) -> (Record, Vec<Violation>) {
    let mut record = Record::new(Arc::clone(definition));
    let mut violations = Vec::new();
    for (name, cell) in cells {
        let short: String = name.chars().take(63).collect();
        let pointer = Pointer::Key(&Pointer::Root, &short);
        let Some(id) = definition.field_id(name) else {
            let words = format!("{} has no such field", definition.name);
            violations.push(Violation::new(&pointer, "unknown_field", words));
            continue;
        };
        match cell.map(|text| Value::read_text(text, definition.field(id).ty)) {
            None => record.put(id, Value::Null),
            Some(Ok(value)) => record.put(id, value),
            Some(Err(error)) => violations.push(Violation::new(&pointer, error.code(), error.to_string())),
        }
    }
    (record, violations)
}

/// Gives NULL to what `columns=` names and the record lacks, but for what the caller could not write anyway.
fn nullify(change: &mut Record, given: &[FieldId], caller: &Caller, violations: &[Violation]) {
    let definition = Arc::clone(change.definition());
    for id in given {
        let field = definition.field(*id);
        let unreadable = violations.iter().any(|violation| {
            violation.pointer.trim_start_matches('/').split('/').next() == Some(&field.name)
        });
        if change.value(*id).is_none() && may_write(field, caller) && !unreadable {
            change.put(*id, Value::Null);
        }
    }
}

/// A record as the columns of a row, and what it expects of a row that is in its way.
struct Prepared {
    values: Vec<(FieldId, Value)>,
    /// What is written into a row that is there.
    given: Vec<FieldId>,
    expect: Vec<(FieldId, Value)>,
}

/// Creates rows, or upserts them.
///
/// # Errors
/// 422 with every violation of every record.
pub(crate) fn create(
    writing: Writing<'_>,
    body: Records,
    intent: &Intent,
    rights: ReplaceRights,
    bound: RowBound,
) -> Result<Operation, Problem> {
    let definition = Arc::clone(&writing.served.definition);
    let merges = matches!(intent.conflict, Some((Resolution::Merge, _)));
    let mut violations = Vec::new();
    let mut prepared = Vec::with_capacity(body.records.len());
    for (index, record) in body.records.into_iter().enumerate() {
        let mut own = record.sent.violations().to_vec();
        validation::check(&record.sent.change, |_, _| true, &mut own);
        let row = prepare(&writing, record, merges, &mut own);
        prepared.push(row);
        let at = body.is_list.then_some(index);
        violations.extend(own.into_iter().map(|violation| within(at, violation)));
        if violations.len() >= MOST_VIOLATIONS {
            break;
        }
    }
    if let Some((_, target)) = &intent.conflict {
        duplicates(&definition, &prepared, target, &mut violations);
    }
    refuse(&definition, violations)?;
    let columns = columns(&definition, &prepared)?;
    let conflict = intent.conflict.as_ref().map(|(resolution, target)| OnConflict {
        target: target.clone(),
        action: match resolution {
            Resolution::Ignore => ConflictAction::Ignore,
            Resolution::Merge => ConflictAction::Merge(Box::new(merge(
                &writing,
                &mut prepared,
                target,
                rights.update.clone().ok(),
            ))),
        },
    });
    let rows = prepared
        .into_iter()
        .map(|row| in_columns(&columns, row.values))
        .collect();
    Ok(Operation::Insert(Insert {
        resource: definition,
        columns,
        rows,
        // Where no row may be created, one that is not there is refused once the store knows that it is not.
        permitted: rights.create.unwrap_or(Condition::Never),
        conflict,
        bound,
        visible: writing.visible,
        select: writing.select,
        representation: writing.representation,
    }))
}

fn prepare(
    writing: &Writing<'_>,
    record: NewRecord,
    merges: bool,
    violations: &mut Vec<Violation>,
) -> Prepared {
    let definition = &writing.served.definition;
    let (change, mut parted) = record.sent.into_parts();
    let mut given = Vec::new();
    if merges {
        for (id, value) in change.iter() {
            let field = definition.field(id);
            if !field.immutable {
                given.push(id);
            } else if may_read(field, writing.caller) {
                parted.expect.push((id, value.clone()));
            } else {
                // Whether it equals what is stored is not this caller's to know.
                violations.push(stamp::immutable(field));
            }
        }
        if record.named {
            let uid = Value::Uuid(record.uid);
            parted.expect.push((definition.audit.uid, uid));
        }
    }
    Prepared {
        values: stamp::new_row(change, record.uid, &writing.stamp),
        given,
        expect: parted.expect,
    }
}

fn within(index: Option<usize>, mut violation: Violation) -> Violation {
    if let Some(index) = index {
        violation.pointer = format!("/{index}{}", violation.pointer);
    }
    violation
}

/// Tells of each record whose target another has already.
fn duplicates(
    definition: &ResourceDefinition,
    records: &[Prepared],
    target: &[FieldId],
    violations: &mut Vec<Violation>,
) {
    let mut seen: HashMap<Vec<String>, usize> = HashMap::with_capacity(records.len());
    for (index, record) in records.iter().enumerate() {
        let key: Option<Vec<String>> = target
            .iter()
            .map(|id| {
                let (_, value) = record.values.iter().find(|(given, _)| given == id)?;
                let mut text = String::new();
                (!value.is_null()).then(|| {
                    value.write_text(&mut text);
                    text
                })
            })
            .collect();
        let Some(first) = key.and_then(|key| seen.insert(key, index)) else {
            continue;
        };
        for (at, other) in [(first, index), (index, first)] {
            for id in target {
                let pointer = Pointer::Index(&Pointer::Root, at);
                let pointer = Pointer::Key(&pointer, &definition.field(*id).name);
                let words = format!("record {other} means the same row");
                violations.push(Violation::new(&pointer, "duplicate", words));
            }
        }
        if violations.len() >= MOST_VIOLATIONS {
            return;
        }
    }
}

/// The columns that any record gives or has a default for.
fn columns(definition: &ResourceDefinition, records: &[Prepared]) -> Result<Vec<FieldId>, Problem> {
    let mut count = vec![0; definition.fields.len()];
    for (id, _) in records.iter().flat_map(|record| &record.values) {
        count[id.index()] += 1;
    }
    for id in definition.field_ids() {
        let field = definition.field(id);
        let given = count[id.index()];
        if field.default == Default::Database && given > 0 && given < records.len() {
            return Err(Problem::new(
                codes::NOT_SERVED,
                format!(
                    "some records give `{}` and others leave it to the database, which one statement cannot do",
                    field.name
                ),
            )
            .hint("let all records give it, or none"));
        }
    }
    Ok(definition
        .field_ids()
        .filter(|id| count[id.index()] > 0)
        .collect())
}

/// The values of a row in the order of the columns, NULL where it has none.
fn in_columns(columns: &[FieldId], values: Vec<(FieldId, Value)>) -> Vec<Value> {
    let mut values = values.into_iter().peekable();
    columns
        .iter()
        .map(|column| match values.next_if(|(id, _)| id == column) {
            Some((_, value)) => value,
            None => Value::Null,
        })
        .collect()
}

fn merge(
    writing: &Writing<'_>,
    records: &mut [Prepared],
    target: &[FieldId],
    permitted: Option<Condition>,
) -> Merge {
    let definition = &writing.served.definition;
    let is_set =
        |id: &FieldId| !target.contains(id) && records.iter().any(|record| record.given.contains(id));
    let set: Vec<FieldId> = definition.field_ids().filter(is_set).collect();
    let gives_all = |record: &Prepared| set.iter().all(|id| record.given.contains(id));
    let given = (!records.iter().all(gives_all)).then(|| {
        let mask = |record: &Prepared| set.iter().map(|id| record.given.contains(id)).collect();
        records.iter().map(mask).collect()
    });
    Merge {
        set,
        given,
        expect: records
            .iter_mut()
            .map(|record| std::mem::take(&mut record.expect))
            .collect(),
        visible: writing.visible.clone(),
        permitted: permitted.unwrap_or(Condition::Never),
        stamp: writing.stamp.clone(),
    }
}

/// Changes the rows that match.
///
/// # Errors
/// 422 with every violation.
pub(crate) fn update_many(
    writing: Writing<'_>,
    sent: Sent,
    filtered: Filtered,
    permitted: Condition,
    bound: RowBound,
) -> Result<Operation, Problem> {
    let (set, expect) = super::writing::changed(&writing, sent)?;
    Ok(Operation::UpdateMany(UpdateMany {
        resource: Arc::clone(&writing.served.definition),
        condition: filtered.condition,
        visible: writing.visible,
        permitted,
        set,
        expect,
        stamp: writing.stamp,
        bound,
        select: writing.select,
        representation: writing.representation,
    }))
}

/// Deletes the rows that match.
pub(crate) fn delete_many(
    writing: Writing<'_>,
    filtered: Filtered,
    permitted: Condition,
    bound: RowBound,
) -> Operation {
    Operation::DeleteMany(DeleteMany {
        resource: Arc::clone(&writing.served.definition),
        condition: filtered.condition,
        visible: writing.visible,
        permitted,
        bound,
        select: writing.select,
        representation: writing.representation,
    })
}
