//! Writes, judged in the order that the operations state.
//!
//! They work on a copy of the tables; whoever calls keeps it only when the verdict is a success.

use std::sync::Arc;

use rowstamp_domain::definition::{ApiDefinition, FieldId, OnDelete, ResourceDefinition};
use rowstamp_domain::operation::{
    Delete, Insert, NewRow, Outcome, Precondition, Replace, Stamp, Update, Verdict,
};
use rowstamp_domain::query::Condition;
use rowstamp_domain::value::{Timestamp, Value};
use rowstamp_ports::{ConflictKind, StoreError};
use uuid::Uuid;

use crate::answer::{Form, version};
use crate::condition::holds;
use crate::constraints::{check, conflict, fit, foreign_fault, references, unique};
use crate::defaults::Defaults;
use crate::tables::{Row, Tables};
use crate::view::View;

/// Carries out writes on a copy of the tables.
pub(crate) struct Writer<'a> {
    pub(crate) api: &'a ApiDefinition,
    pub(crate) defaults: &'a Defaults,
    pub(crate) tables: &'a mut Tables,
}

impl Writer<'_> {
    pub(crate) fn insert(&mut self, insert: &Insert) -> Result<Outcome, StoreError> {
        if let Some(conflict) = &insert.conflict {
            return self.upsert(insert, conflict);
        }
        let count = u64::try_from(insert.rows.len()).unwrap_or(u64::MAX);
        if !insert.bound.allows(count) {
            return Ok(Outcome::verdict(Verdict::RowCount(count)));
        }
        let resource = &insert.resource;
        let before = self.tables.clone();
        let mut rows = Vec::with_capacity(insert.rows.len());
        for values in &insert.rows {
            rows.push(self.new_row(
                resource,
                insert.columns.iter().copied().zip(values.iter().cloned()),
            )?);
        }
        if !rows.iter().all(|row| holds(&insert.permitted, row)) {
            return Ok(Outcome::verdict(Verdict::NotWritable));
        }
        let rows = self.add(resource, rows)?;
        let form = Form {
            view: View { tables: &before },
            resource,
            select: &insert.select,
            representation: insert.representation,
        };
        if let [row] = rows.as_slice() {
            return form.one(Verdict::Created, 1, row, holds(&insert.visible, row));
        }
        let visible: Vec<&Row> = rows.iter().filter(|row| holds(&insert.visible, row)).collect();
        let (shown, returned) = form.written(&visible)?;
        Ok(Outcome {
            rows: shown,
            returned,
            affected: u64::try_from(rows.len()).unwrap_or(u64::MAX),
            created: u64::try_from(rows.len()).unwrap_or(u64::MAX),
            ..Outcome::verdict(Verdict::Created)
        })
    }

    pub(crate) fn replace(&mut self, replace: &Replace) -> Result<Outcome, StoreError> {
        let update = &replace.update;
        let before = self.tables.clone();
        if self.tables.of(&update.resource)?.contains_key(&update.uid) {
            return match self.judge(update)? {
                Ok(old) => self.change(update, &old),
                Err(verdict) => Ok(Outcome::verdict(verdict)),
            };
        }
        if matches!(
            update.precondition,
            Precondition::Exists | Precondition::VersionIn(_)
        ) {
            return Ok(Outcome::verdict(Verdict::PreconditionFailed));
        }
        let Some(NewRow { values, permitted }) = &replace.create else {
            return Ok(Outcome::verdict(Verdict::NotFound));
        };
        let row = self.new_row(&update.resource, values.iter().cloned())?;
        if !holds(permitted, &row) {
            return Ok(Outcome::verdict(Verdict::NotWritable));
        }
        let rows = self.add(&update.resource, vec![row])?;
        form_of(update, &before).one(Verdict::Created, 1, &rows[0], holds(&update.visible, &rows[0]))
    }

    pub(crate) fn update(&mut self, update: &Update) -> Result<Outcome, StoreError> {
        match self.judge(update)? {
            Ok(old) if update.set.is_empty() => {
                form_of(update, self.tables).one(Verdict::Updated, 0, &old, true)
            }
            Ok(old) => self.change(update, &old),
            Err(verdict) => Ok(Outcome::verdict(verdict)),
        }
    }

    /// The row as it is, unless something speaks against changing it.
    fn judge(&self, update: &Update) -> Result<Result<Row, Verdict>, StoreError> {
        let resource = &update.resource;
        let Some(old) = self.tables.of(resource)?.get(&update.uid).cloned() else {
            return Ok(Err(Verdict::NotFound));
        };
        let judged = judge(
            resource,
            &old,
            &update.visible,
            &update.permitted,
            &update.precondition,
        );
        if let Some(refusal) = judged {
            return Ok(Err(refusal));
        }
        let differing: Vec<FieldId> = update
            .expect
            .iter()
            .filter(|(id, expected)| *expected != old[id.index()])
            .map(|(id, _)| *id)
            .collect();
        Ok(if differing.is_empty() {
            Ok(old)
        } else {
            Err(Verdict::Mismatch(differing))
        })
    }

    /// Writes a change that was judged, and its stamps, even where nothing is set.
    fn change(&mut self, update: &Update, old: &Row) -> Result<Outcome, StoreError> {
        let resource = &update.resource;
        let mut new = old.to_vec();
        for (id, value) in &update.set {
            new[id.index()] = value.clone();
        }
        stamp(resource, &mut new, &update.stamp);
        fit(resource, &mut new)?;
        if !holds(&update.permitted, &new) {
            return Ok(Outcome::verdict(Verdict::NotWritable));
        }
        check(resource, &new)?;
        let new: Row = Arc::new(new);
        let before = self.tables.clone();
        let table = self.tables.of_mut(resource)?;
        table.remove(&update.uid);
        unique(resource, table, &new).map_err(|fields| conflict(ConflictKind::Unique, fields, None))?;
        table.insert(update.uid, Arc::clone(&new));
        references(self.api, self.tables, resource, &new)
            .map_err(|field| conflict(ConflictKind::MissingReference, vec![field], None))?;
        form_of(update, &before).one(Verdict::Updated, 1, &new, holds(&update.visible, &new))
    }

    pub(crate) fn delete(&mut self, delete: &Delete) -> Result<Outcome, StoreError> {
        let resource = &delete.resource;
        let Some(old) = self.tables.of(resource)?.get(&delete.uid).cloned() else {
            return Ok(Outcome::verdict(Verdict::NotFound));
        };
        let judged = judge(
            resource,
            &old,
            &delete.visible,
            &delete.permitted,
            &delete.precondition,
        );
        if let Some(refusal) = judged {
            return Ok(Outcome::verdict(refusal));
        }
        let before = self.tables.clone();
        self.remove(resource, delete.uid)?;
        let form = Form {
            view: View { tables: &before },
            resource,
            select: &delete.select,
            representation: delete.representation,
        };
        form.one(Verdict::Deleted, 1, &old, true)
    }

    /// A row of the values given and, for the rest, what the database would put there.
    pub(crate) fn new_row(
        &self,
        resource: &ResourceDefinition,
        given: impl Iterator<Item = (FieldId, Value)>,
    ) -> Result<Vec<Value>, StoreError> {
        let mut row: Vec<Option<Value>> = vec![None; resource.fields.len()];
        for (id, value) in given {
            row[id.index()] = Some(value);
        }
        let mut row: Vec<Value> = resource
            .fields
            .iter()
            .zip(row)
            .map(|(field, value)| value.unwrap_or_else(|| self.defaults.value(resource, field)))
            .collect();
        fit(resource, &mut row)?;
        Ok(row)
    }

    /// Adds rows, if all constraints hold; references are judged when all rows are there.
    pub(crate) fn add(
        &mut self,
        resource: &ResourceDefinition,
        rows: Vec<Vec<Value>>,
    ) -> Result<Vec<Row>, StoreError> {
        let table = self.tables.of_mut(resource)?;
        let mut added = Vec::with_capacity(rows.len());
        for (index, row) in rows.into_iter().enumerate() {
            check(resource, &row)?;
            unique(resource, table, &row)
                .map_err(|fields| conflict(ConflictKind::Unique, fields, Some(index)))?;
            let row: Row = Arc::new(row);
            if let Value::Uuid(uid) = row[resource.audit.uid.index()] {
                table.insert(uid, Arc::clone(&row));
            }
            added.push(row);
        }
        for (index, row) in added.iter().enumerate() {
            references(self.api, self.tables, resource, row)
                .map_err(|field| conflict(ConflictKind::MissingReference, vec![field], Some(index)))?;
        }
        Ok(added)
    }

    /// Removes a row and does to the rows that refer to it what their references say.
    pub(crate) fn remove(&mut self, resource: &ResourceDefinition, uid: Uuid) -> Result<(), StoreError> {
        self.tables.of_mut(resource)?.remove(&uid);
        for referring in &self.api.resources {
            for id in referring.field_ids() {
                let field = referring.field(id);
                let Some(reference) = field
                    .references
                    .as_ref()
                    .filter(|to| to.resource == resource.name)
                else {
                    continue;
                };
                let refers = |row: &Row| row[id.index()] == Value::Uuid(uid);
                let table = self.tables.of(referring)?;
                let uids: Vec<Uuid> = table
                    .iter()
                    .filter(|(_, row)| refers(row))
                    .map(|(uid, _)| *uid)
                    .collect();
                for referring_uid in uids {
                    match reference.on_delete {
                        OnDelete::Restrict => {
                            return Err(conflict(ConflictKind::StillReferenced, Vec::new(), None));
                        }
                        OnDelete::Cascade => self.remove(referring, referring_uid)?,
                        OnDelete::SetNull if field.required => return Err(foreign_fault()),
                        OnDelete::SetNull => {
                            if let Some(row) = self.tables.of_mut(referring)?.get_mut(&referring_uid) {
                                Arc::make_mut(row)[id.index()] = Value::Null;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// In which form a row comes back; what is embedded in it is looked up as it was before the write, as one statement does.
fn form_of<'a>(update: &'a Update, before: &'a Tables) -> Form<'a> {
    Form {
        view: View { tables: before },
        resource: &update.resource,
        select: &update.select,
        representation: update.representation,
    }
}

/// What speaks against writing a row that is there, the first thing first.
fn judge(
    resource: &ResourceDefinition,
    row: &[Value],
    visible: &Condition,
    permitted: &Condition,
    precondition: &Precondition,
) -> Option<Verdict> {
    let demanded = || match precondition {
        Precondition::None | Precondition::Exists => true,
        Precondition::Absent => false,
        Precondition::VersionIn(versions) => {
            version(resource, row).is_some_and(|version| versions.contains(&version))
        }
    };
    if !holds(visible, row) {
        Some(Verdict::NotVisible)
    } else if !holds(permitted, row) {
        Some(Verdict::NotWritable)
    } else if !demanded() {
        Some(Verdict::PreconditionFailed)
    } else {
        None
    }
}

/// Writes down who and when; the time never goes back and never stands still.
pub(crate) fn stamp(resource: &ResourceDefinition, row: &mut [Value], stamp: &Stamp) {
    if let Some(id) = resource.audit.last_updated_at {
        let now = match &row[id.index()] {
            Value::Timestamp(old) => stamp.now.max(after(*old)),
            _ => stamp.now,
        };
        row[id.index()] = Value::Timestamp(now);
    }
    if let Some(id) = resource.audit.last_updater_uid {
        row[id.index()] = stamp.actor.clone();
    }
}

fn after(timestamp: Timestamp) -> Timestamp {
    timestamp.plus_micros(1)
}
