//! The record store: an operation becomes a statement on a shared connection, and its rows an outcome.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use rowstamp_domain::operation::{Operation, Outcome, Verdict};
use rowstamp_ports::{CredentialSource, FixedPassword, RecordStore, StoreContext, StoreError, UnitOfWork};
use tracing::{error, warn};

use crate::connection::{Connector, Live, Pool, PrepareError, Settings};
use crate::errors::{Phase, classify, classify_plain, is_outdated};
use crate::rows::{self, Ended, RowsError};
use crate::sql::{self, Plan, Plans};
use crate::unit::Unit;

/// How often a replacement starts anew because rows came and went under it.
const MAX_RACES: usize = 3;

/// Rows in PostgreSQL.
///
/// Single operations are pipelined on a few shared connections; a unit of work has one of its own. Cloning is cheap and shares
/// everything.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pub(crate) pool: Arc<Pool>,
    pub(crate) plans: Arc<Plans>,
}

impl PostgresStore {
    /// A store that connects when it is first used, or by [`PostgresStore::warm_up`], and asks `credentials` for the password of each
    /// connection.
    pub fn new(settings: &Settings, credentials: Arc<dyn CredentialSource>) -> Self {
        let connector = Connector::new(settings, credentials);
        Self {
            pool: Arc::new(Pool::new(connector, settings.pool_size)),
            plans: Arc::default(),
        }
    }

    /// A store that logs in with the password of the settings.
    pub fn with_password(settings: &Settings) -> Self {
        Self::new(settings, Arc::new(FixedPassword(settings.password().cloned())))
    }

    /// Makes the first connection, so that no request waits for it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no connecting; a later operation tries again.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        self.pool.shared().await.map(drop)
    }

    async fn on_shared(
        &self,
        operation: &Operation,
        deadline: Option<Instant>,
    ) -> Result<Outcome, StoreError> {
        let shared = within(deadline, self.pool.shared())
            .await
            .unwrap_or(Err(StoreError::DeadlineExceeded))?;
        if let Some(result) = within(deadline, carry_out_alone(&shared.live, &self.plans, operation)).await {
            result
        } else {
            shared.abandon(&self.pool);
            Err(too_late(operation))
        }
    }
}

#[async_trait]
impl RecordStore for PostgresStore {
    async fn execute(&self, operation: Operation, context: &StoreContext) -> Result<Outcome, StoreError> {
        match self.on_shared(&operation, context.deadline).await {
            // A connection that had died unnoticed; a read can simply be done again on another one.
            Err(StoreError::Unavailable) if !operation.is_write() => {
                self.on_shared(&operation, context.deadline).await
            }
            result => result,
        }
    }

    async fn begin(&self, context: &StoreContext) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let exclusive = within(context.deadline, self.pool.exclusive())
            .await
            .unwrap_or(Err(StoreError::DeadlineExceeded))?;
        Ok(Box::new(Unit::new(
            exclusive,
            Arc::clone(&self.plans),
            context.deadline,
        )))
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let shared = self.pool.shared().await?;
        match shared.live.client().check_connection().await {
            Ok(()) => Ok(()),
            Err(cause) => {
                shared.live.note(&cause);
                Err(classify_plain(&cause, Phase::NothingWritten))
            }
        }
    }
}

/// What a deadline means for an operation that was under way.
pub(crate) const fn too_late(operation: &Operation) -> StoreError {
    if operation.is_write() {
        StoreError::OutcomeUnknown
    } else {
        StoreError::DeadlineExceeded
    }
}

/// What `future` gives, or `None` when the deadline comes first.
pub(crate) async fn within<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    match deadline {
        None => Some(future.await),
        Some(deadline) => tokio::time::timeout_at(deadline.into(), future).await.ok(),
    }
}

/// Carries out an operation on a connection, outside a transaction: one round trip once its statement is known there.
///
/// A statement that was prepared before a column got another type is refused before it does anything; prepared anew it may well
/// be right, so a migration needs no restart.
async fn carry_out_alone(live: &Live, plans: &Plans, operation: &Operation) -> Result<Outcome, StoreError> {
    let plan = plans.find(operation);
    match attempt(live, &plan, operation).await {
        Err(Failed::Outdated) => Ok(attempt(live, &plan, operation).await?),
        result => Ok(result?),
    }
}

/// Carries out an operation on a connection, where a refusal ends what is under way there.
pub(crate) async fn carry_out(
    live: &Live,
    plans: &Plans,
    operation: &Operation,
) -> Result<Outcome, StoreError> {
    Ok(attempt(live, &plans.find(operation), operation).await?)
}

/// How an attempt failed.
enum Failed {
    /// Its statement was prepared for other columns, and is now forgotten.
    Outdated,
    /// For good.
    Finally(StoreError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Finally(error)
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Outdated => Self::Drift,
            Failed::Finally(error) => error,
        }
    }
}

async fn attempt(live: &Live, plan: &Plan, operation: &Operation) -> Result<Outcome, Failed> {
    let prepared = live.prepared(plan).await.map_err(|cause| match cause {
        PrepareError::Database(cause) => {
            live.note(&cause);
            classify(&cause, Phase::NothingWritten, operation)
        }
        PrepareError::ColumnType { column, found } => {
            error!(
                table = plan.resource.table.table,
                column, found, "a column cannot hold its field"
            );
            StoreError::Drift
        }
    })?;
    for _ in 0..MAX_RACES {
        // Until here nothing was sent that writes.
        if live.is_closed() {
            return Err(StoreError::Unavailable.into());
        }
        let sent = if operation.is_write() {
            Phase::Sent
        } else {
            Phase::NothingWritten
        };
        let failed = |cause: &tokio_postgres::Error| {
            if is_outdated(cause) {
                live.forget(plan);
                return Failed::Outdated;
            }
            live.note(cause);
            Failed::Finally(classify(cause, sent, operation))
        };
        let stream = live
            .client()
            .query_raw(&prepared.statement, sql::params(operation))
            .await
            .map_err(|cause| failed(&cause))?;
        match rows::read(stream, operation, plan, &prepared).await {
            Ok(Ended::Outcome(outcome)) => return Ok(outcome),
            Ok(Ended::RaceLost) => {}
            Err(RowsError::Database(cause)) => return Err(failed(&cause)),
            Err(RowsError::Malformed(cause)) => {
                error!(%cause, table = plan.resource.table.table, "a row could not be read");
                return Err(Failed::Finally(match sent {
                    Phase::Sent => StoreError::OutcomeUnknown,
                    Phase::NothingWritten => StoreError::Internal,
                }));
            }
        }
    }
    // There is no row, and none came to be, although no rule was against it: a trigger passed it over. That rows of this uid came
    // and went each time would look the same, but hardly happens. Nothing was written in either case.
    warn!(
        table = plan.resource.table.table,
        "PostgreSQL creates no row and does not say why; a trigger may pass it over"
    );
    Ok(Outcome::verdict(Verdict::NotWritable))
}
