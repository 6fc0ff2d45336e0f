//! Writes of many rows by one judgement: upserts, and changes and deletions by a condition.
//!
//! As with every write, whoever calls keeps the tables only when the verdict is a success.

use std::cmp::Ordering;
use std::sync::Arc;

use rowstamp_domain::definition::{FieldId, ResourceDefinition};
use rowstamp_domain::operation::{
    ConflictAction, DeleteMany, Insert, Merge, OnConflict, Outcome, RowBound, UpdateMany, Verdict,
};
use rowstamp_domain::value::Value;
use rowstamp_ports::{ConflictKind, StoreError};
use uuid::Uuid;

use crate::answer::Form;
use crate::condition::holds;
use crate::constraints::{check, conflict, fit, references, unique};
use crate::tables::{Row, Tables};
use crate::view::View;
use crate::write::{Writer, stamp};

/// Why nothing is written.
enum Refused {
    Verdict(Verdict),
    Error(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Error(error)
    }
}

fn ended(result: Result<Outcome, Refused>) -> Result<Outcome, StoreError> {
    match result {
        Ok(outcome) => Ok(outcome),
        Err(Refused::Verdict(verdict)) => Ok(Outcome::verdict(verdict)),
        Err(Refused::Error(error)) => Err(error),
    }
}

/// A record of an upsert and what is in its way.
struct Candidate {
    record: usize,
    new: Vec<Value>,
    old: Option<Row>,
}

impl Writer<'_> {
    pub(crate) fn upsert(
        &mut self,
        insert: &Insert,
        on_conflict: &OnConflict,
    ) -> Result<Outcome, StoreError> {
        ended(match &on_conflict.action {
            ConflictAction::Ignore => self.insert_absent(insert, &on_conflict.target),
            ConflictAction::Merge(merge) => self.merge(insert, &on_conflict.target, merge),
        })
    }

    fn candidates(&self, insert: &Insert, target: &[FieldId]) -> Result<Vec<Candidate>, StoreError> {
        let table = self.tables.of(&insert.resource)?;
        let mut candidates = Vec::with_capacity(insert.rows.len());
        for (record, values) in insert.rows.iter().enumerate() {
            let given = insert.columns.iter().copied().zip(values.iter().cloned());
            let new = self.new_row(&insert.resource, given)?;
            let same = |row: &&Row| {
                target
                    .iter()
                    .all(|id| row[id.index()].compare(&new[id.index()]) == Some(Ordering::Equal))
            };
            let old = table.values().find(same).cloned();
            candidates.push(Candidate { record, new, old });
        }
        Ok(candidates)
    }

    fn insert_absent(&mut self, insert: &Insert, target: &[FieldId]) -> Result<Outcome, Refused> {
        let before = self.tables.clone();
        let mut absent = self.candidates(insert, target)?;
        absent.retain(|candidate| candidate.old.is_none());
        if !absent.iter().all(|new| holds(&insert.permitted, &new.new)) {
            return Err(Refused::Verdict(Verdict::NotWritable));
        }
        bounded(insert.bound, absent.len())?;
        let mut rows = Vec::with_capacity(absent.len());
        for candidate in absent {
            rows.push(self.put(&insert.resource, candidate.new, candidate.record, None)?);
        }
        self.refer(&insert.resource, &rows)?;
        let created = rows.len();
        Ok(upserted(insert, &before, &rows, created)?)
    }

    fn merge(&mut self, insert: &Insert, target: &[FieldId], merge: &Merge) -> Result<Outcome, Refused> {
        let resource = &insert.resource;
        let before = self.tables.clone();
        bounded(insert.bound, insert.rows.len())?;
        let candidates = self.candidates(insert, target)?;
        let in_reach = |candidate: &Candidate| match &candidate.old {
            Some(old) => holds(&merge.visible, old) && holds(&merge.permitted, old),
            None => holds(&insert.permitted, &candidate.new),
        };
        if !candidates.iter().all(in_reach) {
            return Err(Refused::Verdict(Verdict::NotWritable));
        }
        let mismatches: Vec<(usize, FieldId)> = candidates
            .iter()
            .flat_map(|candidate| {
                let record = candidate.record;
                let old = candidate.old.as_deref().unwrap_or(&candidate.new);
                let mut differing: Vec<_> = merge.expect[record]
                    .iter()
                    .filter(|(id, expected)| *expected != old[id.index()])
                    .map(|(id, _)| (record, *id))
                    .collect();
                differing.sort_unstable();
                differing
            })
            .collect();
        if !mismatches.is_empty() {
            return Err(Refused::Verdict(Verdict::RecordMismatch(mismatches)));
        }
        let created = candidates
            .iter()
            .filter(|candidate| candidate.old.is_none())
            .count();
        let mut candidates = candidates;
        for candidate in &mut candidates {
            if let Some(old) = &candidate.old {
                let given = merge.given.as_ref().map(|given| &given[candidate.record]);
                let mut merged = old.to_vec();
                for (position, id) in merge.set.iter().enumerate() {
                    if given.is_none_or(|given| given[position]) {
                        merged[id.index()].clone_from(&candidate.new[id.index()]);
                    }
                }
                stamp(resource, &mut merged, &merge.stamp);
                candidate.new = merged;
            }
        }
        let fits = |candidate: &Candidate| candidate.old.is_none() || holds(&merge.permitted, &candidate.new);
        if !candidates.iter().all(fits) {
            return Err(Refused::Verdict(Verdict::NotWritable));
        }
        // As in one statement, no row is in the way of another that is changed before it.
        let mut rows = vec![None; candidates.len()];
        let (changed, new): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|row| row.old.is_some());
        for candidate in changed.into_iter().chain(new) {
            let row = self.put(resource, candidate.new, candidate.record, candidate.old.as_ref())?;
            rows[candidate.record] = Some(row);
        }
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        self.refer(resource, &rows)?;
        Ok(upserted(insert, &before, &rows, created)?)
    }

    /// Puts a row into its table, in place of `old` where there is one.
    fn put(
        &mut self,
        resource: &Arc<ResourceDefinition>,
        row: Vec<Value>,
        record: usize,
        old: Option<&Row>,
    ) -> Result<Row, StoreError> {
        check(resource, &row)?;
        let table = self.tables.of_mut(resource)?;
        if let Some(Value::Uuid(uid)) = old.map(|old| &old[resource.audit.uid.index()]) {
            table.remove(uid);
        }
        unique(resource, table, &row)
            .map_err(|fields| conflict(ConflictKind::Unique, fields, Some(record)))?;
        let row: Row = Arc::new(row);
        if let Value::Uuid(uid) = row[resource.audit.uid.index()] {
            table.insert(uid, Arc::clone(&row));
        }
        Ok(row)
    }

    fn refer(&self, resource: &ResourceDefinition, rows: &[Row]) -> Result<(), StoreError> {
        for (index, row) in rows.iter().enumerate() {
            references(self.api, self.tables, resource, row)
                .map_err(|field| conflict(ConflictKind::MissingReference, vec![field], Some(index)))?;
        }
        Ok(())
    }

    pub(crate) fn update_many(&mut self, update: &UpdateMany) -> Result<Outcome, StoreError> {
        ended(self.change_matching(update))
    }

    fn change_matching(&mut self, update: &UpdateMany) -> Result<Outcome, Refused> {
        let resource = &update.resource;
        let before = self.tables.clone();
        let view = View { tables: &before };
        let mut old: Vec<Row> = Vec::new();
        if !update.set.is_empty() || !update.expect.is_empty() {
            for row in before.of(resource)?.values() {
                if holds(&update.visible, row)
                    && holds(&update.permitted, row)
                    && view.matches(resource, &update.select, &update.condition, row)?
                {
                    old.push(Arc::clone(row));
                }
            }
        }
        let differing: Vec<FieldId> = update
            .expect
            .iter()
            .filter(|(id, expected)| old.iter().any(|row| *expected != row[id.index()]))
            .map(|(id, _)| *id)
            .collect();
        if !differing.is_empty() {
            return Err(Refused::Verdict(Verdict::Mismatch(differing)));
        }
        if update.set.is_empty() {
            old.clear();
        }
        let mut changed = Vec::with_capacity(old.len());
        for row in &old {
            let mut new = row.to_vec();
            for (id, value) in &update.set {
                new[id.index()] = value.clone();
            }
            stamp(resource, &mut new, &update.stamp);
            fit(resource, &mut new)?;
            changed.push(new);
        }
        if !changed.iter().all(|row| holds(&update.permitted, row)) {
            return Err(Refused::Verdict(Verdict::NotWritable));
        }
        bounded(update.bound, changed.len())?;
        let mut rows = Vec::with_capacity(changed.len());
        for (new, old) in changed.into_iter().zip(&old) {
            let row = self.put(resource, new, 0, Some(old)).map_err(nameless)?;
            rows.push(row);
        }
        self.refer(resource, &rows).map_err(nameless)?;
        let shown: Vec<&Row> = rows.iter().filter(|row| holds(&update.visible, row)).collect();
        let form = Form {
            view,
            resource,
            select: &update.select,
            representation: update.representation,
        };
        Ok(many(&form, Verdict::Updated, &shown, rows.len())?)
    }

    pub(crate) fn delete_many(&mut self, delete: &DeleteMany) -> Result<Outcome, StoreError> {
        ended(self.remove_matching(delete))
    }

    fn remove_matching(&mut self, delete: &DeleteMany) -> Result<Outcome, Refused> {
        let resource = &delete.resource;
        let before = self.tables.clone();
        let view = View { tables: &before };
        let mut old: Vec<Row> = Vec::new();
        for row in before.of(resource)?.values() {
            if holds(&delete.visible, row)
                && holds(&delete.permitted, row)
                && view.matches(resource, &delete.select, &delete.condition, row)?
            {
                old.push(Arc::clone(row));
            }
        }
        bounded(delete.bound, old.len())?;
        let uids: Vec<Uuid> = old
            .iter()
            .filter_map(|row| match row[resource.audit.uid.index()] {
                Value::Uuid(uid) => Some(uid),
                _ => None,
            })
            .collect();
        // Rows that go together are not in each other's way.
        let table = self.tables.of_mut(resource)?;
        for uid in &uids {
            table.remove(uid);
        }
        for uid in uids {
            self.remove(resource, uid)?;
        }
        let form = Form {
            view,
            resource,
            select: &delete.select,
            representation: delete.representation,
        };
        let shown: Vec<&Row> = old.iter().collect();
        Ok(many(&form, Verdict::Deleted, &shown, old.len())?)
    }
}

fn bounded(bound: RowBound, rows: usize) -> Result<(), Refused> {
    let rows = count(rows);
    if bound.allows(rows) {
        Ok(())
    } else {
        Err(Refused::Verdict(Verdict::RowCount(rows)))
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// The same conflict, where there are no records that one could be told of.
fn nameless(error: StoreError) -> StoreError {
    match error {
        StoreError::Conflict(mut conflict) => {
            conflict.record = None;
            StoreError::Conflict(conflict)
        }
        error => error,
    }
}

fn upserted(insert: &Insert, before: &Tables, rows: &[Row], created: usize) -> Result<Outcome, StoreError> {
    let verdict = if created > 0 {
        Verdict::Created
    } else {
        Verdict::Updated
    };
    let form = Form {
        view: View { tables: before },
        resource: &insert.resource,
        select: &insert.select,
        representation: insert.representation,
    };
    let shown: Vec<&Row> = rows.iter().filter(|row| holds(&insert.visible, row)).collect();
    let outcome = many(&form, verdict, &shown, rows.len())?;
    let (version, uid) = match (rows, insert.rows.len()) {
        ([row], 1) => {
            let one = form.one(Verdict::Updated, 1, row, false)?;
            (one.version, one.uid)
        }
        _ => (None, None),
    };
    Ok(Outcome {
        created: count(created),
        version,
        uid,
        ..outcome
    })
}

fn many(form: &Form<'_>, verdict: Verdict, shown: &[&Row], affected: usize) -> Result<Outcome, StoreError> {
    let (rows, returned) = form.written(shown)?;
    Ok(Outcome {
        rows,
        returned,
        affected: count(affected),
        ..Outcome::verdict(verdict)
    })
}
