//! From the judgements in a row to the verdict on an item write.

use rowstamp_domain::definition::FieldId;
use rowstamp_domain::operation::{Delete, Operation, Precondition, Verdict};

use super::plan::{Judgement, Layout};

/// What the answer to an item write means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    /// This.
    Verdict(Verdict),
    /// A row came into being while the statement ran; the same statement now finds it.
    RaceLost,
}

impl Judged {
    /// Reads the verdict from the one row of the answer, of which `flag` gives the booleans; a NULL is `None`.
    pub(crate) fn read(operation: &Operation, layout: &Layout, flag: impl Fn(usize) -> Option<bool>) -> Self {
        let Some(judgement) = &layout.judgement else {
            return Self::Verdict(success(operation));
        };
        if flag(judgement.found) != Some(true) {
            return missing(operation, judgement, layout, flag);
        }
        let fails = |position: Option<usize>| position.is_some_and(|position| flag(position) != Some(true));
        let verdict = if fails(judgement.visible) {
            Verdict::NotVisible
        } else if fails(judgement.permitted) {
            Verdict::NotWritable
        } else if fails(judgement.precondition) {
            Verdict::PreconditionFailed
        } else if let Some(fields) = mismatches(operation, judgement, &flag) {
            Verdict::Mismatch(fields)
        } else if fails(judgement.permitted_new) {
            Verdict::NotWritable
        } else if fails(layout.present) {
            // Everything was in favour and nothing was written: the row went while it was looked for.
            Verdict::NotFound
        } else {
            success(operation)
        };
        Self::Verdict(verdict)
    }

    /// The verdict when the answer has no row.
    pub(crate) fn without_row(operation: &Operation) -> Self {
        Self::Verdict(match precondition(operation) {
            Some(Precondition::Exists | Precondition::VersionIn(_)) if is_replace(operation) => {
                Verdict::PreconditionFailed
            }
            _ => Verdict::NotFound,
        })
    }
}

const fn is_replace(operation: &Operation) -> bool {
    matches!(operation, Operation::Replace(_))
}

const fn precondition(operation: &Operation) -> Option<&Precondition> {
    match operation {
        Operation::Update(update) => Some(&update.precondition),
        Operation::Replace(replace) => Some(&replace.update.precondition),
        Operation::Delete(Delete { precondition, .. }) => Some(precondition),
        Operation::Read(_)
        | Operation::List(_)
        | Operation::Insert(_)
        | Operation::UpdateMany(_)
        | Operation::DeleteMany(_) => None,
    }
}

/// There was no row to be replaced.
fn missing(
    operation: &Operation,
    judgement: &Judgement,
    layout: &Layout,
    flag: impl Fn(usize) -> Option<bool>,
) -> Judged {
    let written = layout
        .present
        .is_some_and(|position| flag(position) == Some(true));
    if judgement
        .created
        .is_some_and(|position| flag(position) == Some(true))
        && written
    {
        return Judged::Verdict(Verdict::Created);
    }
    if judgement
        .permitted_create
        .is_some_and(|position| flag(position) != Some(true))
    {
        return Judged::Verdict(Verdict::NotWritable);
    }
    if judgement.created.is_some() {
        return Judged::RaceLost;
    }
    Judged::without_row(operation)
}

fn mismatches(
    operation: &Operation,
    judgement: &Judgement,
    flag: &impl Fn(usize) -> Option<bool>,
) -> Option<Vec<FieldId>> {
    let expect = match operation {
        Operation::Update(update) => &update.expect,
        Operation::Replace(replace) => &replace.update.expect,
        _ => return None,
    };
    let fields: Vec<FieldId> = judgement
        .mismatches
        .clone()
        .zip(expect)
        .filter(|(position, _)| flag(*position) == Some(true))
        .map(|(_, (field, _))| *field)
        .collect();
    (!fields.is_empty()).then_some(fields)
}

/// How an operation ends when nothing was against it.
const fn success(operation: &Operation) -> Verdict {
    match operation {
        Operation::Read(_) | Operation::List(_) => Verdict::Found,
        Operation::Insert(_) => Verdict::Created,
        Operation::Update(_) | Operation::Replace(_) | Operation::UpdateMany(_) => Verdict::Updated,
        Operation::Delete(_) | Operation::DeleteMany(_) => Verdict::Deleted,
    }
}
