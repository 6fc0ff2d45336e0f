//! What every handle on one store shares: the committed tables, whose turn it is to write, and the faults to come.
//!
//! Readers never wait: they see what was committed last. Writers take turns, each for as long as its unit of work lasts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use rowstamp_domain::definition::ApiDefinition;
use rowstamp_domain::operation::{Operation, Outcome, Rows, Verdict};
use rowstamp_ports::StoreError;
use tokio::sync::OwnedMutexGuard;

use crate::defaults::Defaults;
use crate::read::{list, read};
use crate::tables::Tables;
use crate::write::Writer;

/// The right to write, until it is dropped.
pub(crate) type Turn = OwnedMutexGuard<()>;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) api: Arc<ApiDefinition>,
    pub(crate) defaults: RwLock<Defaults>,
    committed: RwLock<Tables>,
    turns: Arc<tokio::sync::Mutex<()>>,
    faults: Mutex<VecDeque<StoreError>>,
}

impl Shared {
    pub(crate) fn new(api: Arc<ApiDefinition>) -> Self {
        Self {
            committed: RwLock::new(Tables::empty(&api)),
            api,
            defaults: RwLock::default(),
            turns: Arc::default(),
            faults: Mutex::default(),
        }
    }

    /// The tables as they were committed last; what is done to the copy is seen by nobody else.
    pub(crate) fn committed(&self) -> Tables {
        self.committed
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Makes `tables` what everyone sees. Whoever calls holds the turn since before it copied them.
    pub(crate) fn commit(&self, tables: Tables, _turn: &Turn) {
        *self.committed.write().unwrap_or_else(PoisonError::into_inner) = tables;
    }

    /// Waits until nobody else writes.
    pub(crate) async fn turn(&self, deadline: Option<Instant>) -> Result<Turn, StoreError> {
        if let Some(turn) = self.turn_at_once() {
            return Ok(turn);
        }
        let waiting = Arc::clone(&self.turns).lock_owned();
        match deadline {
            None => Ok(waiting.await),
            Some(deadline) => tokio::time::timeout_at(deadline.into(), waiting)
                .await
                .map_err(|_| StoreError::DeadlineExceeded),
        }
    }

    /// The turn, if nobody has it.
    pub(crate) fn turn_at_once(&self) -> Option<Turn> {
        Arc::clone(&self.turns).try_lock_owned().ok()
    }

    pub(crate) fn add_fault(&self, error: StoreError) {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(error);
    }

    /// Fails with the fault that is due, if any, or because it is too late.
    pub(crate) fn check(&self, deadline: Option<Instant>) -> Result<(), StoreError> {
        let fault = self
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        if let Some(error) = fault {
            return Err(error);
        }
        match deadline {
            Some(deadline) if deadline <= Instant::now() => Err(StoreError::DeadlineExceeded),
            _ => Ok(()),
        }
    }

    /// Carries out an operation whose answer has room for so many bytes of rows; `tables` change only when it succeeds.
    pub(crate) fn apply(
        &self,
        tables: &mut Tables,
        operation: &Operation,
        room: Option<usize>,
    ) -> Result<Outcome, StoreError> {
        let mut changed = tables.clone();
        let defaults = self.defaults.read().unwrap_or_else(PoisonError::into_inner);
        let mut writer = Writer {
            api: &self.api,
            defaults: &defaults,
            tables: &mut changed,
        };
        let mut outcome = match operation {
            Operation::Read(one) => read(tables, one),
            Operation::List(page) => list(tables, page),
            Operation::Insert(insert) => writer.insert(insert),
            Operation::Replace(replace) => writer.replace(replace),
            Operation::Update(update) => writer.update(update),
            Operation::Delete(delete) => writer.delete(delete),
            Operation::UpdateMany(update) => writer.update_many(update),
            Operation::DeleteMany(delete) => writer.delete_many(delete),
        }?;
        if matches!(
            outcome.verdict,
            Verdict::Created | Verdict::Updated | Verdict::Deleted
        ) {
            *tables = changed;
        }
        if let (Rows::Json(rows), Some(room)) = (&outcome.rows, room)
            && rows.len() > room
        {
            outcome.rows = Rows::TooLarge;
        }
        Ok(outcome)
    }
}
