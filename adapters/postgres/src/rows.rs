//! From the driver's rows to an outcome: encoded straight into the answer, or as records where a hook wants them.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::pin::pin;

use futures_util::TryStreamExt as _;
use rowstamp_domain::operation::{Operation, Outcome, Verdict};
use rowstamp_domain::value::{Timestamp, Value};
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Row, RowStream};

use crate::connection::PrepareError;
use crate::decode;
use crate::encode::{self, Encoding, Malformed};
use crate::run::Task;
use crate::sink::Sink;
use crate::sql::{BulkJudgement, Judged, Plan, looks_ahead};

/// Why rows could not be read to their end.
#[derive(Debug)]
pub(crate) enum RowsError {
    /// The database failed, or the connection did.
    Database(tokio_postgres::Error),
    /// A row is not what was prepared.
    Malformed(Malformed),
    /// A column cannot hold its field.
    Column(PrepareError),
}

impl RowsError {
    /// A value inside a row is of a type that cannot hold its field.
    pub(crate) fn unfit(oid: u32) -> Self {
        let found = Type::from_oid(oid).map_or_else(|| format!("type {oid}"), |ty| ty.to_string());
        Self::Column(PrepareError::ColumnType {
            column: String::new(),
            found,
        })
    }

    /// A row has fewer columns than were prepared.
    pub(crate) const fn short() -> Self {
        Self::Malformed(Malformed("row"))
    }
}

impl From<tokio_postgres::Error> for RowsError {
    fn from(cause: tokio_postgres::Error) -> Self {
        Self::Database(cause)
    }
}

impl From<Malformed> for RowsError {
    fn from(cause: Malformed) -> Self {
        Self::Malformed(cause)
    }
}

/// How an operation's statement ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With an outcome.
    Outcome(Outcome),
    /// A row came into being while it ran; it has to run once more.
    RaceLost,
}

/// A column's bytes, borrowed from the row.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub(crate) fn raw(row: &Row, position: usize) -> Result<Option<&[u8]>, RowsError> {
    Ok(row.try_get::<_, Raw<'_>>(position)?.0)
}

fn flag(row: &Row, position: usize) -> Option<bool> {
    raw(row, position)
        .ok()
        .flatten()
        .and_then(|raw| raw.first())
        .map(|byte| *byte != 0)
}

/// Reads an operation's rows to the end, where the implicit transaction is committed: only then is anything certain. `encodings` are
/// those of a prepared statement; without them the first row tells.
pub(crate) async fn read(
    stream: RowStream,
    task: Task<'_>,
    encodings: Option<&[Encoding]>,
) -> Result<Ended, RowsError> {
    let mut answer = Answer::new(task, encodings);
    let mut stream = pin!(stream);
    while let Some(row) = stream.try_next().await? {
        answer.take(&row)?;
    }
    if task.plan.layout.width == 0 {
        answer.seen = stream.rows_affected().unwrap_or(0);
    }
    Ok(answer.finish())
}

/// The outcome in the making.
struct Answer<'a> {
    operation: &'a Operation,
    plan: &'a Plan,
    encodings: Option<Cow<'a, [Encoding]>>,
    /// How many bytes the sink may hold.
    room: usize,
    sink: Sink,
    judged: Option<Judged>,
    /// Rows that the database answered with, shown or not.
    seen: u64,
    returned: u64,
    total: Option<u64>,
    version: Option<Timestamp>,
    /// How many rows the page has at most, where one more tells that others follow.
    limit: Option<u64>,
    /// The place of the page's last row.
    last: Option<Vec<Value>>,
    /// The same, once another row followed it.
    next: Option<Vec<Value>>,
    bulk: BulkJudgement,
}

impl<'a> Answer<'a> {
    fn new(task: Task<'a>, encodings: Option<&'a [Encoding]>) -> Self {
        let Task {
            operation,
            plan,
            room,
        } = task;
        Self {
            operation,
            plan,
            encodings: encodings.map(Cow::Borrowed),
            room: room.unwrap_or(usize::MAX),
            sink: Sink::new(operation, plan),
            limit: looks_ahead(operation),
            last: None,
            next: None,
            judged: None,
            seen: 0,
            returned: 0,
            total: None,
            version: None,
            bulk: BulkJudgement::default(),
        }
    }

    fn take(&mut self, row: &Row) -> Result<(), RowsError> {
        let layout = &self.plan.layout;
        if let Some(position) = layout.total {
            let total = i64::from_be_bytes(encode::fixed(raw(row, position)?.unwrap_or_default(), "count")?);
            self.total = u64::try_from(total).ok();
        }
        if layout.judgement.is_some() {
            self.judged = Some(Judged::read(self.operation, layout, |position| {
                flag(row, position)
            }));
        }
        if let Some(bulk) = &layout.bulk {
            self.bulk
                .take(self.operation, bulk, |position| raw(row, position).ok().flatten());
        }
        if layout
            .present
            .is_some_and(|position| flag(row, position) != Some(true))
        {
            return Ok(());
        }
        if self.limit == Some(self.seen) {
            self.next = self.last.take();
            return Ok(());
        }
        self.seen += 1;
        if let Some(position) = layout.version {
            self.version = raw(row, position)?.map(decode::timestamp).transpose()?;
        }
        if layout
            .shown
            .is_some_and(|position| flag(row, position) != Some(true))
        {
            return Ok(());
        }
        let plan = self.plan;
        let encodings = match &mut self.encodings {
            Some(encodings) => encodings,
            unknown => {
                let found = plan.encodings(row.columns()).map_err(RowsError::Column)?;
                unknown.insert(Cow::Owned(found.into_vec()))
            }
        };
        if self.limit == Some(self.seen) {
            self.last = Some(place(plan, encodings, row)?);
        }
        if self.sink.is_shown() {
            self.returned += 1;
            self.sink.take(plan, encodings, row, self.room)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Ended {
        let is_bulk = self.plan.layout.bulk.is_some();
        if let Some(written) = self.bulk.written {
            self.seen = written;
        }
        let judged = match self.judged {
            None if is_bulk => Judged::Verdict(self.bulk.verdict(self.operation, self.seen)),
            Some(judged) => judged,
            None => Judged::Verdict(plain_verdict(self.operation, self.seen)),
        };
        let verdict = match judged {
            Judged::Verdict(verdict) => verdict,
            Judged::RaceLost => return Ended::RaceLost,
        };
        let success = matches!(
            verdict,
            Verdict::Found | Verdict::Created | Verdict::Updated | Verdict::Deleted
        );
        if !success {
            return Ended::Outcome(Outcome::verdict(verdict));
        }
        let affected = match self.operation {
            Operation::Read(_) | Operation::List(_) => 0,
            Operation::Update(update) if update.set.is_empty() => 0,
            _ => self.seen,
        };
        let created = match verdict {
            Verdict::Created if is_bulk => self.bulk.made,
            Verdict::Created => affected,
            _ => 0,
        };
        let one = !is_many(self.operation);
        let rows = self.sink.finish(!self.operation.is_write(), self.returned);
        Ended::Outcome(Outcome {
            verdict,
            rows,
            returned: self.returned,
            affected,
            created,
            total: self.total,
            next: self.next,
            version: self.version.filter(|_| one),
            uid: self.bulk.uid.filter(|_| one).or_else(|| uid(self.operation)),
        })
    }
}

/// The verdict on what is not judged in the database: whether there was a row says it all.
fn plain_verdict(operation: &Operation, seen: u64) -> Verdict {
    match operation {
        Operation::List(_) => Verdict::Found,
        Operation::Insert(_) if seen > 0 => Verdict::Created,
        Operation::Insert(_) => Verdict::NotWritable,
        Operation::Read(_) if seen > 0 => Verdict::Found,
        Operation::Update(_) | Operation::Replace(_) if seen > 0 => Verdict::Updated,
        Operation::Delete(_) if seen > 0 => Verdict::Deleted,
        _ => match Judged::without_row(operation) {
            Judged::Verdict(verdict) => verdict,
            Judged::RaceLost => Verdict::NotFound,
        },
    }
}

/// Whether an operation speaks of many rows, so that there is no one row to tell of.
fn is_many(operation: &Operation) -> bool {
    match operation {
        Operation::UpdateMany(_) | Operation::DeleteMany(_) => true,
        Operation::Insert(insert) => insert.rows.len() != 1,
        _ => false,
    }
}

/// The uid of the one row that the operation is about.
fn uid(operation: &Operation) -> Option<uuid::Uuid> {
    match operation {
        Operation::Read(read) => Some(read.uid),
        Operation::Update(update) => Some(update.uid),
        Operation::Replace(replace) => Some(replace.update.uid),
        Operation::Delete(delete) => Some(delete.uid),
        Operation::List(_) | Operation::UpdateMany(_) | Operation::DeleteMany(_) => None,
        Operation::Insert(insert) => {
            let column = insert
                .columns
                .iter()
                .position(|id| *id == insert.resource.audit.uid)?;
            match &*insert.rows {
                [row] => match row.get(column) {
                    Some(Value::Uuid(uid)) => Some(*uid),
                    _ => None,
                },
                _ => None,
            }
        }
    }
}

/// A row's place in the order: a value for each term.
fn place(plan: &Plan, encodings: &[Encoding], row: &Row) -> Result<Vec<Value>, RowsError> {
    let terms = plan.keys.iter().zip(&plan.layout.keys);
    terms
        .zip(encodings.get(plan.columns.len()..).unwrap_or_default())
        .map(|((ty, position), encoding)| Ok(decode::decode(*encoding, ty.scalar, raw(row, *position)?)?))
        .collect()
}
