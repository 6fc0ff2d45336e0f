#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod answer;
mod cast;
mod condition;
mod constraints;
mod defaults;
mod expression;
mod group;
mod json;
mod number;
mod pattern;
mod predicate;
mod read;
mod search;
mod shared;
mod shown;
mod tables;
mod text_form;
mod unit;
mod view;
mod write;
mod write_many;

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use rowstamp_domain::definition::{ApiDefinition, FieldId, FieldRole, ResourceDefinition};
use rowstamp_domain::operation::{Operation, Outcome};
use rowstamp_domain::record::Record;
use rowstamp_domain::value::{Timestamp, Value};
use rowstamp_ports::{RecordStore, StoreContext, StoreError, UidSource, UnitOfWork, UuidV7Source};
use uuid::Uuid;

use shared::Shared;
use tables::Row;
use unit::MemoryUnit;
use write::Writer;

/// A whole record store in memory.
///
/// It keeps the contract of [`RecordStore`] to the letter: the suite that PostgreSQL's store passes runs against this one
/// too. Clones are handles on the same rows.
///
/// Readers never wait. Writers take turns, and a unit of work keeps its turn from its first write to its end: a second
/// writer waits, at most until its deadline. Two units that write in one task at the same time would wait for each other.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

impl MemoryStore {
    /// A store with an empty table for each resource of `api`.
    pub fn new(api: Arc<ApiDefinition>) -> Self {
        Self {
            shared: Arc::new(Shared::new(api)),
        }
    }

    /// Stands in for the DEFAULT of a column: what a field declared with `default = { database = true }` gets where a new row
    /// does not give it. Without one it gets NULL.
    ///
    /// # Panics
    /// When there is no such field.
    #[must_use]
    #[track_caller]
    pub fn with_database_default(
        self,
        resource: &str,
        field: &str,
        make: impl Fn() -> Value + Send + Sync + 'static,
    ) -> Self {
        let definition = self.definition(resource);
        assert!(
            definition.field_id(field).is_some(),
            "resource `{resource}` has no field `{field}`"
        );
        self.shared
            .defaults
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .set(resource, field, Box::new(make));
        self
    }

    /// A record of the resource with nothing given yet, to be filled and [seeded](Self::seed).
    ///
    /// # Panics
    /// When there is no such resource.
    #[track_caller]
    pub fn record(&self, resource: &str) -> Record {
        Record::new(Arc::clone(self.definition(resource)))
    }

    /// Adds a row without any judgement but the constraints of a database, and returns its uid.
    ///
    /// A field that is not given gets its default. A uid that is not given is made, and both timestamps are then
    /// 2000-01-01, so that versions are the same in each run.
    ///
    /// # Errors
    /// What a database would say: [`StoreError::Conflict`], [`StoreError::Invalid`]. [`StoreError::Unavailable`] while a unit of
    /// work that has written something is open.
    pub fn seed(&self, record: Record) -> Result<Uuid, StoreError> {
        let resource = self
            .shared
            .api
            .resource(&record.definition().name)
            .ok_or(StoreError::Drift)?;
        let turn = self.shared.turn_at_once().ok_or(StoreError::Unavailable)?;
        let mut tables = self.shared.committed();
        let defaults = self
            .shared
            .defaults
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut writer = Writer {
            api: &self.shared.api,
            defaults: &defaults,
            tables: &mut tables,
        };
        let row = writer.new_row(resource, seeded(resource, record))?;
        let rows = writer.add(resource, vec![row])?;
        self.shared.commit(tables, &turn);
        match rows[0][resource.audit.uid.index()] {
            Value::Uuid(uid) => Ok(uid),
            _ => Err(StoreError::Internal),
        }
    }

    /// Every committed row of a resource with all its fields, in the order of their uids.
    ///
    /// # Panics
    /// When there is no such resource.
    #[track_caller]
    pub fn rows(&self, resource: &str) -> Vec<Record> {
        let definition = self.definition(resource);
        let tables = self.shared.committed();
        let rows = tables
            .of(definition)
            .map(|table| table.values().cloned().collect());
        rows.unwrap_or_else(|_| Vec::new())
            .iter()
            .map(|row| whole(definition, row))
            .collect()
    }

    /// The committed row of this uid, with all its fields.
    ///
    /// # Panics
    /// When there is no such resource.
    #[track_caller]
    pub fn row(&self, resource: &str, uid: Uuid) -> Option<Record> {
        let definition = self.definition(resource);
        let tables = self.shared.committed();
        let row = tables.of(definition).ok()?.get(&uid)?;
        Some(whole(definition, row))
    }

    /// Makes whatever the store is asked next fail with `error`, be it an operation, the beginning of a unit of work, its
    /// commit or [`ready`](RecordStore::ready). Nothing is written then, whatever the error says. Several faults are met one by one.
    pub fn fail_next(&self, error: StoreError) {
        self.shared.add_fault(error);
    }

    #[track_caller]
    fn definition(&self, resource: &str) -> &Arc<ResourceDefinition> {
        self.shared
            .api
            .resource(resource)
            .unwrap_or_else(|| panic!("there is no resource `{resource}`"))
    }
}

/// What is given of a seeded row, with the defaults and stamps that it lacks.
fn seeded(resource: &ResourceDefinition, record: Record) -> impl Iterator<Item = (FieldId, Value)> {
    use rowstamp_domain::definition::Default;

    let start = Timestamp::from_micros_since_2000(0).expect("2000 is in the range");
    resource.field_ids().filter_map(move |id| {
        let field = resource.field(id);
        let given = record.value(id).cloned();
        let value = given.or_else(|| match (&field.role, &field.default) {
            (FieldRole::Uid, _) => Some(Value::Uuid(UuidV7Source.next())),
            (FieldRole::CreatedAt | FieldRole::LastUpdatedAt, _) => Some(Value::Timestamp(start)),
            (_, Default::Value(value)) => Some(value.clone()),
            (_, Default::None | Default::Database) => None,
        });
        value.map(|value| (id, value))
    })
}

fn whole(definition: &Arc<ResourceDefinition>, row: &Row) -> Record {
    let mut record = Record::new(Arc::clone(definition));
    for id in definition.field_ids() {
        record.put(id, row[id.index()].clone());
    }
    record
}

#[async_trait]
impl RecordStore for MemoryStore {
    async fn execute(&self, operation: Operation, context: &StoreContext) -> Result<Outcome, StoreError> {
        self.shared.check(context.deadline)?;
        if !operation.is_write() {
            return self
                .shared
                .apply(&mut self.shared.committed(), &operation, context.room);
        }
        let turn = self.shared.turn(context.deadline).await?;
        let mut tables = self.shared.committed();
        let outcome = self.shared.apply(&mut tables, &operation, context.room)?;
        self.shared.commit(tables, &turn);
        Ok(outcome)
    }

    async fn begin(&self, context: &StoreContext) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.shared.check(context.deadline)?;
        Ok(Box::new(MemoryUnit::new(Arc::clone(&self.shared), context)))
    }

    async fn ready(&self, deadline: Option<Instant>) -> Result<(), StoreError> {
        self.shared.check(deadline)
    }
}
