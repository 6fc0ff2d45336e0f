//! The record store: an operation becomes a statement on a shared connection, or a transaction on one of its own, and its rows an
//! outcome.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use rowstamp_domain::operation::{Operation, Outcome};
use rowstamp_domain::query::{Select, SelectItem};
use rowstamp_ports::{CredentialSource, FixedPassword, RecordStore, StoreContext, StoreError, UnitOfWork};

use crate::connection::{Connector, Exclusive, Live, Pool, Settings, Shared};
use crate::errors::{Failure, Phase, classify_plain};
use crate::line::{self, Waited};
use crate::retry::Tries;
use crate::run::{self, Task};
use crate::sql::{self, Plan, Plans};
use crate::transaction::SetUp;
use crate::unit::Unit;

/// How much later than its deadline an answer may be, for the word of the server that a statement was cancelled. Both applications end a
/// request's time so much before whoever waits for it gives up.
const GRACE: Duration = Duration::from_millis(150);

/// How long the readiness check may take.
const READY: Duration = Duration::from_secs(1);

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

    /// What comes of an operation whose first attempt failed.
    async fn again(
        &self,
        mut failure: Failure,
        operation: &Operation,
        context: &StoreContext,
    ) -> Result<Outcome, StoreError> {
        let mut tries = Tries::of(context);
        while tries.again(&failure).await {
            match self.attempt(operation, context, Instant::now()).await {
                Ok(outcome) => return Ok(outcome),
                Err(next) => failure = next,
            }
        }
        failure.told()
    }

    /// The role that requests switch to, where they do.
    pub(crate) fn role(&self) -> Option<&str> {
        self.set_up.role()
    }

    /// One attempt at an operation.
    async fn attempt(
        &self,
        operation: &Operation,
        context: &StoreContext,
        now: Instant,
    ) -> Result<Outcome, Failure> {
        if self.pool.shares() {
            self.on_shared(operation, context, now).await
        } else {
            // Boxed, so that the other way, which is the usual one, does not carry the size of this one.
            Box::pin(self.on_exclusive(operation, context)).await
        }
    }

    async fn on_shared(
        &self,
        operation: &Operation,
        context: &StoreContext,
        began: Instant,
    ) -> Result<Outcome, Failure> {
        let mut shared = match self.pool.shared_at_hand(began, is_short(operation)) {
            Some(shared) => shared,
            None => Box::pin(self.shared(began, context)).await?,
        };
        let plan = self.plans.find(operation);
        let mut may_leave = !operation.is_write();
        loop {
            match self.in_line(&shared, &plan, operation, context, may_leave).await {
                Ok(result) => return result,
                Err(elsewhere) => {
                    shared = elsewhere;
                    context.meter.count_retry();
                    may_leave = false;
                }
            }
        }
    }

    /// A shared connection that has to be made or asked first.
    async fn shared(&self, began: Instant, context: &StoreContext) -> Result<Shared<'_>, Failure> {
        let shared = within(context.deadline, self.pool.shared(began)).await;
        context.meter.connection_took(began.elapsed());
        shared.unwrap_or(Err(Failure::for_good(StoreError::DeadlineExceeded)))
    }

    /// One attempt on a shared connection, or a place on a better one.
    async fn in_line<'p>(
        &'p self,
        shared: &Shared<'p>,
        plan: &Plan,
        operation: &Operation,
        context: &StoreContext,
        may_leave: bool,
    ) -> Result<Result<Outcome, Failure>, Shared<'p>> {
        let task = Task {
            operation,
            plan,
            room: context.room,
        };
        let mut work = pin!(run::alone(&shared.live, task));
        let waited = if may_leave {
            line::stay_while_it_moves(&self.pool, shared, context.deadline, work.as_mut()).await
        } else {
            line::stay(context.deadline, work.as_mut()).await
        };
        let result = match waited {
            Waited::Answered(result) => {
                shared.answered();
                result
            }
            Waited::Late => Box::pin(last_word(shared.abandon(), work))
                .await
                .unwrap_or_else(|| Err(too_late(operation))),
            Waited::Elsewhere(elsewhere) => return Err(elsewhere),
        };
        Ok(self.learned(result, &shared.live))
    }

    /// As a transaction of its own.
    async fn on_exclusive(&self, operation: &Operation, context: &StoreContext) -> Result<Outcome, Failure> {
        let exclusive = self.exclusive(context).await?;
        let plan = self.plans.find(operation);
        let beginning = self.set_up.beginning(context);
        let live = Arc::clone(&exclusive.live);
        let mut under_way = UnderWay(Some(exclusive));
        let task = Task {
            operation,
            plan: &plan,
            room: context.room,
        };
        let mut work = pin!(run::as_transaction(&live, &beginning, task));
        let answered = within(context.deadline, work.as_mut()).await;
        let Some(exclusive) = under_way.0.take() else {
            return Err(Failure::for_good(StoreError::Internal));
        };
        if let Some(result) = answered {
            let result = self.learned(result, &live);
            exclusive.give_back();
            return result;
        }
        let cancelled = exclusive.cancel().map(|()| true);
        last_word(cancelled, work)
            .await
            .unwrap_or_else(|| Err(too_late(operation)))
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

/// Whether an operation is known to take the server next to nothing, however large its tables are. A write waits for the disk, and may
/// wait for others.
fn is_short(operation: &Operation) -> bool {
    let embeds = |select: &Select| select.0.iter().any(|item| matches!(item, SelectItem::Embed(_)));
    matches!(operation, Operation::Read(read) if !embeds(&read.select))
}

/// A connection on which something is under way; whoever goes away in the middle has it ended.
struct UnderWay(Option<Exclusive>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(exclusive) = self.0.take() {
            exclusive.abandon();
        }
    }
}

#[async_trait]
impl RecordStore for PostgresStore {
    async fn execute(&self, operation: Operation, context: &StoreContext) -> Result<Outcome, StoreError> {
        let now = Instant::now();
        in_time(context.deadline, now)?;
        if let Some(verdict) = sql::refused_at_once(&operation) {
            return Ok(Outcome::verdict(verdict));
        }
        match self.attempt(&operation, context, now).await {
            Ok(outcome) => Ok(outcome),
            Err(failure) => Box::pin(self.again(failure, &operation, context)).await,
        }
    }

    async fn begin(&self, context: &StoreContext) -> Result<Box<dyn UnitOfWork>, StoreError> {
        in_time(context.deadline, Instant::now())?;
        let mut tries = Tries::of(context);
        let exclusive = loop {
            match self.exclusive(context).await {
                Ok(exclusive) => break exclusive,
                Err(failure) if tries.again(&failure).await => {}
                Err(failure) => return Err(failure.error),
            }
        };
        Ok(Box::new(Unit::new(
            exclusive,
            Arc::clone(&self.plans),
            Arc::clone(&self.set_up),
            context.clone(),
        )))
    }

    async fn ready(&self, deadline: Option<Instant>) -> Result<(), StoreError> {
        let limit = Instant::now() + READY;
        let limit = Some(deadline.map_or(limit, |deadline| deadline.min(limit)));
        let asked = async {
            if self.pool.shares() {
                let shared = self
                    .pool
                    .shared(Instant::now())
                    .await
                    .map_err(|failure| failure.error)?;
                let answer = answers(&shared.live, limit).await;
                if answer.is_ok() {
                    shared.answered();
                }
                answer
            } else {
                let exclusive = self.pool.exclusive().await.map_err(|failure| failure.error)?;
                answers(&exclusive.live, limit).await?;
                exclusive.give_back();
                Ok(())
            }
        };
        within(limit, asked).await.unwrap_or(Err(StoreError::Unavailable))
    }
}

/// Whether the server answers on this connection. One that does not by then takes no more work, unless somebody before this question may
/// be what takes long.
async fn answers(live: &Live, limit: Option<Instant>) -> Result<(), StoreError> {
    let Some(answer) = within(limit, live.client().check_connection()).await else {
        if live.users() <= 1 {
            live.give_up();
        }
        return Err(StoreError::Unavailable);
    };
    answer.map_err(|cause| {
        live.note(&cause);
        classify_plain(&cause, Phase::NothingWritten).error
    })
}

/// What a deadline means for an operation that was under way.
fn too_late(operation: &Operation) -> Failure {
    Failure::for_good(if operation.is_write() {
        StoreError::OutcomeUnknown
    } else {
        StoreError::DeadlineExceeded
    })
}

/// What the server says at last of a statement that it was asked to cancel, if `cancelled` says that it was. Mostly that it did, and that
/// nothing was written.
pub(crate) async fn last_word<T>(
    cancelled: impl Future<Output = bool>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let word = async { if cancelled.await { Some(work.await) } else { None } };
    tokio::time::timeout(GRACE, word).await.ok().flatten()
}

/// Refuses work for a request whose time is over.
pub(crate) fn in_time(deadline: Option<Instant>, now: Instant) -> Result<(), StoreError> {
    match deadline {
        Some(deadline) if now >= deadline => Err(StoreError::DeadlineExceeded),
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
