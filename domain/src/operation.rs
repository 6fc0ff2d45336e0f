//! What will happen to rows: parsed, validated, authorised and stamped, as pure values.
//!
//! A store needs nothing but an operation to carry it out, and decides nothing of its own. The contract of each
//! operation is stated here; a suite in the repository's tests holds every store to it.
//!
//! Rules come before constraints: what `permitted` refuses is `NotWritable` also where a unique value or a reference
//! would have been in the way. Deletions that follow a reference (`cascade`, `set_null`) judge and stamp nothing.

use std::sync::Arc;

use uuid::Uuid;

use crate::definition::{FieldId, ResourceDefinition};
use crate::query::{Condition, Query, Select};
use crate::record::Record;
use crate::value::{Timestamp, Value};

/// One operation on one resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Read one row.
    Read(Read),
    /// Read a page of rows.
    List(List),
    /// Create rows.
    Insert(Insert),
    /// Create a row under a given uid, or replace the row that has it.
    Replace(Replace),
    /// Change one row.
    Update(Update),
    /// Delete one row.
    Delete(Delete),
    /// Change the rows that match.
    UpdateMany(UpdateMany),
    /// Delete the rows that match.
    DeleteMany(DeleteMany),
}

impl Operation {
    /// The resource it works on.
    pub const fn resource(&self) -> &Arc<ResourceDefinition> {
        match self {
            Self::Read(read) => &read.resource,
            Self::List(list) => &list.resource,
            Self::Insert(insert) => &insert.resource,
            Self::Replace(replace) => replace.resource(),
            Self::Update(update) => &update.resource,
            Self::Delete(delete) => &delete.resource,
            Self::UpdateMany(update) => &update.resource,
            Self::DeleteMany(delete) => &delete.resource,
        }
    }

    /// Whether it can change rows.
    pub const fn is_write(&self) -> bool {
        !matches!(self, Self::Read(_) | Self::List(_))
    }
}

/// In which form rows come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Representation {
    /// Not at all; counts, version and uid are still told.
    Nothing,
    /// One JSON object, encoded.
    JsonObject,
    /// A JSON array of objects, encoded.
    JsonArray,
    /// As `JsonObject`, without the members that are null, at any depth.
    StrippedObject,
    /// As `JsonArray`, without the members that are null, at any depth.
    StrippedArray,
    /// RFC 4180 with a line of names; NULL is an empty value and empty text is quoted, rows end with a line feed, embedded rows are JSON.
    Csv,
    /// Typed records of the selected fields, for hooks.
    Records,
}

/// Read one row. Verdict: `Found`, or `NotFound` when there is none or `visible` does not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The resource.
    pub resource: Arc<ResourceDefinition>,
    /// Which row.
    pub uid: Uuid,
    /// What must hold for the row to be seen.
    pub visible: Condition,
    /// Which columns come back.
    pub select: Select,
    /// In which form.
    pub representation: Representation,
}

/// Read a page of rows. Verdict: `Found`, also when the page is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// The resource.
    pub resource: Arc<ResourceDefinition>,
    /// What must hold for a row to be seen; counts see no other rows either.
    pub visible: Condition,
    /// What was asked for.
    pub query: Query,
    /// How all matching rows are counted, in [`Outcome::total`]: whatever `after`, `limit` and `offset` say, consistently with the page.
    pub count: Count,
    /// Whether [`Outcome::next`] is told.
    pub look_ahead: bool,
    /// In which form the rows come back.
    pub representation: Representation,
}

/// How the rows beyond the page are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Count {
    /// They are not.
    None,
    /// One by one.
    Exact,
    /// As the database estimates them.
    Planned,
    /// One by one up to this many; beyond, as the database estimates them, and more than this in any case.
    Estimated {
        /// The greatest number that is exact.
        exact_up_to: u64,
    },
}

/// Create rows, all or none. Verdict: `Created`; `NotWritable` when `permitted` fails for any of them.
///
/// With `conflict`, rows that are there already are changed or passed over: `Created` when a row was created or nothing was in the way,
/// else `Updated`. A row that is passed over is neither judged nor shown nor counted. Rows come back in the order given; `uid` is among
/// the columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// The resource.
    pub resource: Arc<ResourceDefinition>,
    /// The columns given, stamps included; the others are left to the database.
    pub columns: Vec<FieldId>,
    /// One list of values per row, as long as `columns`. Never empty.
    pub rows: Vec<Vec<Value>>,
    /// What must hold for each new row.
    pub permitted: Condition,
    /// What happens where a row is in the way; without it, that is an error.
    pub conflict: Option<OnConflict>,
    /// How many rows may be written.
    pub bound: RowBound,
    /// What must hold for a new row to be shown in the answer.
    pub visible: Condition,
    /// Which columns come back.
    pub select: Select,
    /// In which form.
    pub representation: Representation,
}

/// What happens to a row to be created where another is in the way.
#[derive(Debug, Clone, PartialEq)]
pub struct OnConflict {
    /// The fields whose values are then equal: `uid`, or one of the resource's unique sets. Each is among the columns given. A row of
    /// which one of them is NULL is in nobody's way. No two rows of one operation have the same values there.
    pub target: Vec<FieldId>,
    /// What happens.
    pub action: ConflictAction,
}

/// What happens where a row is in the way.
#[derive(Debug, Clone, PartialEq)]
pub enum ConflictAction {
    /// The new row is passed over.
    Ignore,
    /// The row that is there is changed.
    Merge(Box<Merge>),
}

/// How a row that is in the way of a new one is changed. It is judged in the order of [`Update`], but `NotVisible` and `NotWritable` are both
/// `NotWritable`, and a mismatch is told with its record, as `RecordMismatch`. It always writes: it stamps the row and counts as one row
/// written, even where it sets nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// The columns that take the new row's values; stamps are not among them.
    pub set: Vec<FieldId>,
    /// Which of `set` each row gives, a list as long as `set` for each; `None` where every row gives all of them.
    pub given: Option<Vec<Vec<bool>>>,
    /// Values that the stored row must already have, for each row of the operation and no field twice: stamps, read-only and immutable
    /// fields that were sent. Where there is no stored row, the new one must have them.
    pub expect: Vec<Vec<(FieldId, Value)>>,
    /// What must hold for the stored row to be seen.
    pub visible: Condition,
    /// What must hold for the old and for the new row.
    pub permitted: Condition,
    /// Who and when.
    pub stamp: Stamp,
}

/// How many rows an operation may write; where it would be another number, nothing is written and the verdict is `RowCount`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowBound {
    /// Any number.
    Any,
    /// At most this many.
    AtMost(u64),
    /// One.
    One,
}

impl RowBound {
    /// Whether this many rows may be written.
    pub const fn allows(self, rows: u64) -> bool {
        match self {
            Self::Any => true,
            Self::AtMost(most) => rows <= most,
            Self::One => rows == 1,
        }
    }
}

/// Change the rows that match. Verdict: `Updated`, also when there are none.
///
/// Rows that are not visible or not in reach of `permitted` are not among them. `Mismatch` when a stored value of any of them differs from
/// `expect`, `NotWritable` when `permitted` does not hold for any of them as it would be. An empty `set` writes nothing, and counts and shows no row.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateMany {
    /// The resource.
    pub resource: Arc<ResourceDefinition>,
    /// Which rows.
    pub condition: Condition,
    /// What must hold for a row to be seen; the answer shows a row only if it holds for the new one too.
    pub visible: Condition,
    /// What must hold for the old and for the new row.
    pub permitted: Condition,
    /// The new values.
    pub set: Vec<(FieldId, Value)>,
    /// Values that each row must already have.
    pub expect: Vec<(FieldId, Value)>,
    /// Who and when.
    pub stamp: Stamp,
    /// How many rows may be written.
    pub bound: RowBound,
    /// Which columns come back, of the rows as they are then, in the order of their uids. `condition` may speak of its embeds.
    pub select: Select,
    /// In which form.
    pub representation: Representation,
}

/// Delete the rows that match. Verdict: `Deleted`, also when there are none. Rows that are not visible or not in reach of `permitted` are not
/// among them.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteMany {
    /// The resource.
    pub resource: Arc<ResourceDefinition>,
    /// Which rows.
    pub condition: Condition,
    /// What must hold for a row to be seen.
    pub visible: Condition,
    /// What must hold for it to be deleted.
    pub permitted: Condition,
    /// How many rows may be deleted.
    pub bound: RowBound,
    /// Which columns come back, of the rows as they were, in the order of their uids. `condition` may speak of its embeds.
    pub select: Select,
    /// In which form.
    pub representation: Representation,
}

/// Who writes, and when: what an update stamps on a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Stamp {
    /// Now; a row gets `greatest(now, its last_updated_at + 1 µs)`, so that its version never repeats.
    pub now: Timestamp,
    /// The caller's subject; `None` for an anonymous caller, stored as NULL.
    pub actor: Value,
}

/// Change one row.
///
/// The row is locked, then judged in this order: `NotFound` when there is none, `NotVisible` when `visible` does not
/// hold for it, `NotWritable` when `permitted` does not hold for the row as it is, `PreconditionFailed`, `Mismatch` with every
/// field of `expect` whose stored value differs, `NotWritable` when `permitted` does not hold for the row as it would be; otherwise `Updated`.
/// An empty `set` writes nothing, stamps nothing and is judged all the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The resource.
    pub resource: Arc<ResourceDefinition>,
    /// Which row.
    pub uid: Uuid,
    /// What must hold for the row to be seen; the answer shows the row only if it holds for the new one too.
    pub visible: Condition,
    /// What must hold for the old and for the new row.
    pub permitted: Condition,
    /// The new values.
    pub set: Vec<(FieldId, Value)>,
    /// Values the stored row must already have (NULL equals NULL): stamps and read-only fields sent back.
    pub expect: Vec<(FieldId, Value)>,
    /// Who and when.
    pub stamp: Stamp,
    /// What the caller demands of the row's version.
    pub precondition: Precondition,
    /// Which columns come back.
    pub select: Select,
    /// In which form.
    pub representation: Representation,
}

/// Create a row under a given uid, or replace the row that has it: `update` as [`Update`] says when there is a row, else
/// `create`.
///
/// Where there is no row: `PreconditionFailed` when the precondition demands one, `NotFound` when `create` is `None`, `NotWritable`
/// when its rule fails, else `Created`. A race lost to another creator is carried on as a replacement, never as a conflict on the uid.
#[derive(Debug, Clone, PartialEq)]
pub struct Replace {
    /// What happens to the row that is there. A replacement always writes: it stamps the row and counts as one row written, even
    /// when nothing in its `set` differs, and, unlike an [`Update`] of its own, when its `set` is empty.
    pub update: Update,
    /// What is created where there is none.
    pub create: Option<NewRow>,
}

impl Replace {
    /// The resource.
    pub const fn resource(&self) -> &Arc<ResourceDefinition> {
        &self.update.resource
    }
}

/// A row to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRow {
    /// Each column given, stamps included.
    pub values: Vec<(FieldId, Value)>,
    /// What must hold for the new row.
    pub permitted: Condition,
}

/// Delete one row; judged in the order of [`Update`]. Verdict when it is gone: `Deleted`; the answer shows the row as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// The resource.
    pub resource: Arc<ResourceDefinition>,
    /// Which row.
    pub uid: Uuid,
    /// What must hold for the row to be seen.
    pub visible: Condition,
    /// What must hold for it to be deleted.
    pub permitted: Condition,
    /// What the caller demands of the row's version.
    pub precondition: Precondition,
    /// Which columns come back.
    pub select: Select,
    /// In which form.
    pub representation: Representation,
}

/// What a caller demands of the row before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    None,
    /// `If-Match: *`: that there is a row.
    Exists,
    /// `If-Match: "…"`: that its version is one of these; a resource without versions never matches.
    VersionIn(Vec<Timestamp>),
    /// `If-None-Match: *`: that there is no row.
    Absent,
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// The rows asked for.
    pub rows: Rows,
    /// How many rows `rows` holds.
    pub returned: u64,
    /// How many rows were written.
    pub affected: u64,
    /// How many of them were created.
    pub created: u64,
    /// How many rows match in all, where counted.
    pub total: Option<u64>,
    /// Where more rows follow the page: the position of its last row, a value for each term of the order, as [`Query::after`] takes it.
    pub next: Option<Vec<Value>>,
    /// The version of the one row read or written: its `last_updated_at`.
    pub version: Option<Timestamp>,
    /// The uid of the one row read or written.
    pub uid: Option<Uuid>,
}

impl Outcome {
    /// An outcome that is nothing but its verdict.
    pub const fn verdict(verdict: Verdict) -> Self {
        Self {
            verdict,
            rows: Rows::None,
            returned: 0,
            affected: 0,
            created: 0,
            total: None,
            next: None,
            version: None,
            uid: None,
        }
    }
}

/// How an operation ended; everything after the first four wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The rows were read.
    Found,
    /// The row or rows were created.
    Created,
    /// The row was changed, or nothing had to be.
    Updated,
    /// The row is gone.
    Deleted,
    /// There is no such row (or, for a read, none that may be seen).
    NotFound,
    /// There is a row that the caller may not see.
    NotVisible,
    /// The caller sees the row but may not do this to it, or may not make such a row.
    NotWritable,
    /// The row's version is not what the caller demanded.
    PreconditionFailed,
    /// These fields were sent with values other than the stored ones, which they must not change.
    Mismatch(Vec<FieldId>),
    /// The same, each with the position of its record in the operation.
    RecordMismatch(Vec<(usize, FieldId)>),
    /// The operation would have written this many rows, which it must not.
    RowCount(u64),
}

impl Verdict {
    /// Whether the operation was carried out.
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Found | Self::Created | Self::Updated | Self::Deleted)
    }
}

/// The rows of an outcome.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// None were asked for, there is no row to show, or none of the rows written may be shown. An empty page of a list
    /// is not this but an empty array or an empty list.
    None,
    /// Encoded as the representation asked.
    Json(Vec<u8>),
    /// As records.
    Records(Vec<Record>),
    /// There are some, but encoded they are more than the answer has room for.
    TooLarge,
}
