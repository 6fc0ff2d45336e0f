//! A unit of work: a transaction on a connection of its own.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::join;
use rowstamp_domain::operation::{Operation, Outcome};
use rowstamp_ports::{StoreContext, StoreError, UnitOfWork};
use tokio::runtime::Handle;

use crate::connection::Exclusive;
use crate::errors::{Again, Failure, Phase, classify, classify_plain, classify_set_up};
use crate::retry::Tries;
use crate::run::{self, Task};
use crate::sql::{Plans, refused_at_once};
use crate::store::{in_time, last_word, within};
use crate::transaction::SetUp;

/// A transaction. BEGIN travels with its first statement.
#[derive(Debug)]
pub(crate) struct Unit {
    /// `None` once the connection was given back or thrown away.
    exclusive: Option<Exclusive>,
    plans: Arc<Plans>,
    set_up: Arc<SetUp>,
    context: StoreContext,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was sent yet.
    Fresh,
    /// BEGIN was sent.
    Open,
    /// A statement is under way. Who stops waiting for it leaves this state behind.
    Busy,
    /// A statement failed; only a rollback is of use.
    Failed,
}

impl Unit {
    pub(crate) const fn new(
        exclusive: Exclusive,
        plans: Arc<Plans>,
        set_up: Arc<SetUp>,
        context: StoreContext,
    ) -> Self {
        Self {
            exclusive: Some(exclusive),
            plans,
            set_up,
            context,
            state: State::Fresh,
        }
    }

    /// Carries out the first operation. Until it succeeds it is all that the transaction holds, so it can be tried again as a whole;
    /// later ones cannot, since what was done with the answers of earlier ones is not known here.
    async fn first(&mut self, operation: &Operation) -> Result<Outcome, Failure> {
        let mut tries = Tries::of(&self.context);
        loop {
            let failure = match self.attempt(operation, State::Fresh).await {
                Ok(outcome) => return Ok(outcome),
                Err(failure) => failure,
            };
            if !tries.again(&failure).await {
                return Err(failure);
            }
            self.start_anew(failure.again).await?;
        }
    }

    /// A fresh transaction in place of the failed one.
    async fn start_anew(&mut self, again: Again) -> Result<(), Failure> {
        let failed = self
            .exclusive
            .take()
            .ok_or(Failure::for_good(StoreError::Internal))?;
        let deadline = self.context.deadline;
        let anew = async {
            if again == Again::Soon && failed.live.client().batch_execute("ROLLBACK").await.is_ok() {
                return Ok(failed);
            }
            failed.replaced().await
        };
        let fresh = within(deadline, anew)
            .await
            .unwrap_or(Err(Failure::for_good(StoreError::DeadlineExceeded)))?;
        self.exclusive = Some(fresh);
        self.state = State::Fresh;
        Ok(())
    }

    async fn attempt(&mut self, operation: &Operation, state: State) -> Result<Outcome, Failure> {
        let Some(exclusive) = &self.exclusive else {
            return Err(Failure::for_good(StoreError::Internal));
        };
        // Until the answer is here a cancelled future must not leave a transaction that passes for a good one.
        self.state = State::Busy;
        let live = &exclusive.live;
        let plan = self.plans.find(operation);
        let beginning = self.set_up.beginning(&self.context);
        let work = async {
            let task = Task {
                operation,
                plan: &plan,
                room: self.context.room,
            };
            let operated = run::within_transaction(live, task);
            if state == State::Open {
                return operated.await;
            }
            // Polled in this order, the two leave in one flush.
            let (begun, outcome) = join(beginning.send(live), operated).await;
            begun.map_err(|cause| {
                live.note(&cause);
                match cause.as_db_error() {
                    Some(_) => classify_set_up(&cause),
                    None => classify(&cause, Phase::NothingWritten, operation),
                }
            })?;
            outcome
        };
        match within(self.context.deadline, work).await {
            Some(Ok(outcome)) => {
                self.state = State::Open;
                Ok(outcome)
            }
            Some(Err(failure)) => {
                self.state = State::Failed;
                exclusive.learn(&failure);
                Err(failure)
            }
            None => {
                exclusive.cancel().await;
                self.exclusive = None;
                Err(Failure::for_good(StoreError::DeadlineExceeded))
            }
        }
    }

    /// Ends the transaction and gives the connection back, or throws it away where that fails or takes too long.
    async fn end(mut self, word: &str, phase: Phase) -> Result<(), StoreError> {
        let Some(exclusive) = self.exclusive.take() else {
            return Err(StoreError::Internal);
        };
        if self.state == State::Fresh {
            exclusive.give_back();
            return Ok(());
        }
        if self.state == State::Busy {
            // Whoever waited for a statement went away. Closed afterwards, which undoes everything: the request to cancel could reach
            // whatever came next.
            exclusive.cancel().await;
            return Ok(());
        }
        let live = Arc::clone(&exclusive.live);
        let mut work = pin!(live.client().batch_execute(word));
        let (ended, untouched) = match within(self.context.deadline, work.as_mut()).await {
            Some(ended) => (Some(ended), true),
            // A rollback needs no more than to be heard.
            None if phase == Phase::NothingWritten => (last_word(ready(true), work).await, true),
            None => (last_word(exclusive.cancel().map(|()| true), work).await, false),
        };
        let (result, over) = match ended {
            Some(Ok(())) => (Ok(()), true),
            Some(Err(cause)) => {
                live.note(&cause);
                // A COMMIT that was refused has ended the transaction as well.
                let over = cause.as_db_error().is_some();
                (Err(classify_plain(&cause, phase).error), over)
            }
            None => (
                Err(match phase {
                    Phase::Sent => StoreError::OutcomeUnknown,
                    Phase::NothingWritten => StoreError::DeadlineExceeded,
                }),
                false,
            ),
        };
        if over && untouched {
            exclusive.give_back();
        }
        result
    }
}

#[async_trait]
impl UnitOfWork for Unit {
    async fn execute(&mut self, operation: Operation) -> Result<Outcome, StoreError> {
        let result = match self.state {
            State::Failed | State::Busy => return Err(StoreError::Internal),
            State::Fresh | State::Open if let Some(verdict) = refused_at_once(&operation) => {
                return Ok(Outcome::verdict(verdict));
            }
            State::Fresh => self.first(&operation).await,
            State::Open => self.attempt(&operation, State::Open).await,
        };
        // What a policy refuses has ended the transaction, verdict or not; the state says so.
        result.or_else(Failure::told)
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        if matches!(self.state, State::Failed | State::Busy) {
            // COMMIT would be answered by an undisturbed ROLLBACK; dropping does the same and says so.
            return Err(StoreError::Internal);
        }
        // Its answer would come too late to be told.
        if self.state == State::Open && in_time(self.context.deadline, Instant::now()).is_err() {
            let _ = (*self).end("ROLLBACK", Phase::NothingWritten).await;
            return Err(StoreError::DeadlineExceeded);
        }
        (*self).end("COMMIT", Phase::Sent).await
    }

    async fn rollback(self: Box<Self>) -> Result<(), StoreError> {
        (*self).end("ROLLBACK", Phase::NothingWritten).await
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let Some(exclusive) = self.exclusive.take() else {
            return;
        };
        if self.state == State::Fresh {
            return exclusive.give_back();
        }
        if self.state == State::Busy {
            return exclusive.abandon();
        }
        // Without a runtime the connection is closed instead, which undoes everything too.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if exclusive.live.client().batch_execute("ROLLBACK").await.is_ok() {
                    exclusive.give_back();
                }
            });
        }
    }
}
