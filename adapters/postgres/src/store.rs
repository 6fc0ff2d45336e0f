//! The record store: an operation becomes a statement on a shared connection, or a transaction on one of its own, and its rows an
//! outcome.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rowstamp_domain::operation::{Operation, Outcome};
use rowstamp_ports::{CredentialSource, FixedPassword, RecordStore, StoreContext, StoreError, UnitOfWork};

use crate::connection::{Connector, Exclusive, Live, Pool, Settings};
use crate::errors::{Failure, Phase, classify_plain};
use crate::retry::Tries;
use crate::run;
use crate::sql::{self, Plans};
use crate::transaction::SetUp;
use crate::unit::Unit;

/// How long an answer that is late anyway waits for what the server says of a cancelled statement.
const LAST_WORD: Duration = Duration::from_millis(100);

/// Rows in PostgreSQL.
///
/// Single operations are pipelined on a few shared connections; a unit of work has one of its own. Cloning is cheap and shares
/// everything.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pub(crate) pool: Arc<Pool>,
    pub(crate) plans: Arc<Plans>,
    set_up: Arc<SetUp>,
}

impl PostgresStore {
    /// A store that connects when it is first used, or by [`PostgresStore::warm_up`], and asks `credentials` for the password of each
    /// connection.
    pub fn new(settings: &Settings, credentials: Arc<dyn CredentialSource>) -> Self {
        let connector = Connector::new(settings, credentials);
        Self {
            pool: Arc::new(Pool::new(connector, settings)),
            plans: Arc::default(),
            set_up: Arc::new(SetUp::new(settings)),
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
        self.pool.warm_up().await
    }

    /// The role that requests switch to, where they do.
    pub(crate) fn role(&self) -> Option<&str> {
        self.set_up.role()
    }

    /// One attempt at an operation.
    async fn attempt(&self, operation: &Operation, context: &StoreContext) -> Result<Outcome, Failure> {
        if self.pool.shares() {
            self.on_shared(operation, context).await
        } else {
            self.on_exclusive(operation, context).await
        }
    }

    async fn on_shared(&self, operation: &Operation, context: &StoreContext) -> Result<Outcome, Failure> {
        let began = Instant::now();
        let shared = within(context.deadline, self.pool.shared()).await;
        context.meter.connection_took(began.elapsed());
        let shared = shared.unwrap_or(Err(Failure::for_good(StoreError::DeadlineExceeded)))?;
        let plan = self.plans.find(operation);
        let mut work = pin!(run::alone(&shared.live, &plan, operation));
        let result = match within(context.deadline, work.as_mut()).await {
            Some(result) => result,
            None if shared.abandon().await => last_word(work, operation).await,
            None => Err(too_late(operation)),
        };
        self.learned(result, &shared.live)
    }

    /// As a transaction of its own.
    async fn on_exclusive(&self, operation: &Operation, context: &StoreContext) -> Result<Outcome, Failure> {
        let exclusive = self.exclusive(context).await?;
        let plan = self.plans.find(operation);
        let beginning = self.set_up.beginning(context);
        let live = Arc::clone(&exclusive.live);
        let mut work = pin!(run::as_transaction(&live, &beginning, &plan, operation));
        if let Some(result) = within(context.deadline, work.as_mut()).await {
            let result = self.learned(result, &live);
            exclusive.give_back();
            return result;
        }
        exclusive.cancel().await;
        last_word(work, operation).await
    }

    async fn exclusive(&self, context: &StoreContext) -> Result<Exclusive, Failure> {
        let began = Instant::now();
        let exclusive = within(context.deadline, self.pool.exclusive()).await;
        context.meter.connection_took(began.elapsed());
        exclusive.unwrap_or(Err(Failure::for_good(StoreError::DeadlineExceeded)))
    }

    fn learned<T>(&self, result: Result<T, Failure>, live: &Live) -> Result<T, Failure> {
        result.inspect_err(|failure| self.pool.learn(failure, live))
    }
}

#[async_trait]
impl RecordStore for PostgresStore {
    async fn execute(&self, operation: Operation, context: &StoreContext) -> Result<Outcome, StoreError> {
        in_time(context.deadline)?;
        if let Some(verdict) = sql::refused_at_once(&operation) {
            return Ok(Outcome::verdict(verdict));
        }
        let mut tries = Tries::of(context);
        loop {
            match self.attempt(&operation, context).await {
                Ok(outcome) => return Ok(outcome),
                Err(failure) if tries.again(&failure).await => {}
                Err(failure) => return failure.told(),
            }
        }
    }

    async fn begin(&self, context: &StoreContext) -> Result<Box<dyn UnitOfWork>, StoreError> {
        in_time(context.deadline)?;
        let exclusive = self.exclusive(context).await.map_err(|failure| failure.error)?;
        Ok(Box::new(Unit::new(
            exclusive,
            Arc::clone(&self.plans),
            Arc::clone(&self.set_up),
            context.clone(),
        )))
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let checked = |live: &Live, result: Result<(), tokio_postgres::Error>| {
            result.map_err(|cause| {
                live.note(&cause);
                classify_plain(&cause, Phase::NothingWritten).error
            })
        };
        if self.pool.shares() {
            let shared = self.pool.shared().await.map_err(|failure| failure.error)?;
            checked(&shared.live, shared.live.client().check_connection().await)
        } else {
            let exclusive = self.pool.exclusive().await.map_err(|failure| failure.error)?;
            checked(&exclusive.live, exclusive.live.client().check_connection().await)?;
            exclusive.give_back();
            Ok(())
        }
    }
}

/// What a deadline means for an operation that was under way.
fn too_late(operation: &Operation) -> Failure {
    Failure::for_good(if operation.is_write() {
        StoreError::OutcomeUnknown
    } else {
        StoreError::DeadlineExceeded
    })
}

/// What the server says at last of a statement that it was asked to cancel. Mostly that it did, and that nothing was written.
async fn last_word(
    work: impl Future<Output = Result<Outcome, Failure>>,
    operation: &Operation,
) -> Result<Outcome, Failure> {
    let word = tokio::time::timeout(LAST_WORD, work).await;
    word.unwrap_or_else(|_| Err(too_late(operation)))
}

/// Refuses work for a request whose time is over.
fn in_time(deadline: Option<Instant>) -> Result<(), StoreError> {
    match deadline {
        Some(deadline) if Instant::now() >= deadline => Err(StoreError::DeadlineExceeded),
        _ => Ok(()),
    }
}

/// What `future` gives, or `None` when the deadline comes first.
pub(crate) async fn within<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    match deadline {
        None => Some(future.await),
        Some(deadline) => tokio::time::timeout_at(deadline.into(), future).await.ok(),
    }
}
