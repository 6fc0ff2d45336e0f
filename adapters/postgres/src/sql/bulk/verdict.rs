//! From the judgements on many rows to one verdict.

use rowstamp_domain::definition::FieldId;
use rowstamp_domain::operation::{ConflictAction, Operation, RowBound, Verdict};
use uuid::Uuid;

use super::BulkLayout;
use super::upsert::expected_fields;

/// What was found of the rows of a bulk write so far.
#[derive(Debug, Default)]
pub(crate) struct BulkJudgement {
    refused: bool,
    refused_new: bool,
    mismatches: Vec<(usize, FieldId)>,
    would: Option<u64>,
    /// How many rows were written, where the statement counts them itself.
    pub(crate) written: Option<u64>,
    /// How many of the rows written are new.
    pub(crate) made: u64,
    /// The uid of the last row written.
    pub(crate) uid: Option<Uuid>,
}

impl BulkJudgement {
    /// Takes in one row of the answer, of which `raw` gives the columns; a NULL is `None`.
    pub(crate) fn take<'r>(
        &mut self,
        operation: &Operation,
        layout: &BulkLayout,
        raw: impl Fn(usize) -> Option<&'r [u8]>,
    ) {
        let flag = |position: usize| {
            raw(position)
                .and_then(|raw| raw.first())
                .is_some_and(|byte| *byte != 0)
        };
        let number = |position: usize| {
            let raw = raw(position)?.try_into().ok()?;
            u64::try_from(i64::from_be_bytes(raw)).ok()
        };
        self.refused |= layout.refused.is_some_and(flag);
        self.refused_new |= layout.refused_new.is_some_and(flag);
        self.made += u64::from(layout.made.is_some_and(flag));
        self.would = layout.would.and_then(number).or(self.would);
        self.written = layout.written.and_then(number).or(self.written);
        let uid = layout
            .uid
            .and_then(&raw)
            .and_then(|raw| Uuid::from_slice(raw).ok());
        self.uid = uid.or(self.uid);
        let differing: Vec<usize> = layout
            .mismatches
            .clone()
            .filter(|position| flag(*position))
            .map(|position| position - layout.mismatches.start)
            .collect();
        if !differing.is_empty() {
            let record = layout
                .record
                .and_then(number)
                .and_then(|number| usize::try_from(number).ok())
                .map_or(0, |number| number - 1);
            let fields = expected(operation);
            self.mismatches.extend(
                differing
                    .into_iter()
                    .filter_map(|index| Some((record, *fields.get(index)?))),
            );
        }
    }

    /// The verdict, once `written` rows came back.
    pub(crate) fn verdict(&mut self, operation: &Operation, written: u64) -> Verdict {
        if self.refused {
            return Verdict::NotWritable;
        }
        if !self.mismatches.is_empty() {
            let mismatches = std::mem::take(&mut self.mismatches);
            return match operation {
                Operation::Insert(_) => Verdict::RecordMismatch(mismatches),
                _ => Verdict::Mismatch(mismatches.into_iter().map(|(_, field)| field).collect()),
            };
        }
        if self.refused_new {
            return Verdict::NotWritable;
        }
        if let Some(would) = self.would.filter(|would| !bound(operation).allows(*would)) {
            return Verdict::RowCount(would);
        }
        if bound(operation) == RowBound::One && written == 0 {
            // Another writer was faster to create the row.
            return Verdict::RowCount(0);
        }
        match operation {
            Operation::DeleteMany(_) => Verdict::Deleted,
            Operation::Insert(_) if self.made > 0 => Verdict::Created,
            _ => Verdict::Updated,
        }
    }
}

const fn bound(operation: &Operation) -> RowBound {
    match operation {
        Operation::Insert(insert) => insert.bound,
        Operation::UpdateMany(update) => update.bound,
        Operation::DeleteMany(delete) => delete.bound,
        _ => RowBound::Any,
    }
}

fn expected(operation: &Operation) -> Vec<FieldId> {
    match operation {
        Operation::Insert(insert) => match insert.conflict.as_ref().map(|conflict| &conflict.action) {
            Some(ConflictAction::Merge(merge)) => expected_fields(merge),
            _ => Vec::new(),
        },
        Operation::UpdateMany(update) => update.expect.iter().map(|(id, _)| *id).collect(),
        _ => Vec::new(),
    }
}

/// What an operation ends with before it is sent: the number of rows that it would write is known, and is another one than may be.
pub(crate) fn refused_at_once(operation: &Operation) -> Option<Verdict> {
    let Operation::Insert(insert) = operation else {
        return None;
    };
    let passes_over = insert
        .conflict
        .as_ref()
        .is_some_and(|conflict| conflict.action == ConflictAction::Ignore);
    let rows = u64::try_from(insert.rows.len()).unwrap_or(u64::MAX);
    (!passes_over && !insert.bound.allows(rows)).then_some(Verdict::RowCount(rows))
}
