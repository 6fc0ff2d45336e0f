//! A unit of work: a transaction on a connection of its own.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use rowstamp_domain::operation::{Operation, Outcome};
use rowstamp_ports::{StoreError, UnitOfWork};
use tokio::runtime::Handle;

use crate::connection::Exclusive;
use crate::errors::{Phase, classify_plain};
use crate::sql::Plans;
use crate::store::{carry_out, within};

/// A transaction. BEGIN travels with its first statement.
#[derive(Debug)]
pub(crate) struct Unit {
    /// `None` once the connection was given back or thrown away.
    exclusive: Option<Exclusive>,
    plans: Arc<Plans>,
    deadline: Option<Instant>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was sent yet.
    Fresh,
    /// BEGIN was sent.
    Open,
    /// A statement failed; only a rollback is of use.
    Failed,
}

impl Unit {
    pub(crate) const fn new(exclusive: Exclusive, plans: Arc<Plans>, deadline: Option<Instant>) -> Self {
        Self {
            exclusive: Some(exclusive),
            plans,
            deadline,
            state: State::Fresh,
        }
    }

    /// Ends the transaction and gives the connection back, or throws it away where that fails.
    async fn end(mut self, word: &str, phase: Phase) -> Result<(), StoreError> {
        let Some(exclusive) = self.exclusive.take() else {
            return Err(StoreError::Internal);
        };
        if self.state == State::Fresh {
            exclusive.give_back();
            return Ok(());
        }
        match within(self.deadline, exclusive.live.client().batch_execute(word)).await {
            Some(Ok(())) => {
                exclusive.give_back();
                Ok(())
            }
            Some(Err(cause)) => {
                let error = classify_plain(&cause, phase);
                // A COMMIT that was refused has ended the transaction as well.
                if cause.as_db_error().is_some() {
                    exclusive.give_back();
                }
                Err(error)
            }
            None => Err(match phase {
                Phase::Sent => StoreError::OutcomeUnknown,
                Phase::NothingWritten => StoreError::DeadlineExceeded,
            }),
        }
    }
}

#[async_trait]
impl UnitOfWork for Unit {
    async fn execute(&mut self, operation: Operation) -> Result<Outcome, StoreError> {
        let Some(exclusive) = &self.exclusive else {
            return Err(StoreError::Internal);
        };
        let live = &exclusive.live;
        let began = match self.state {
            State::Failed => return Err(StoreError::Internal),
            State::Fresh => false,
            State::Open => true,
        };
        // Until the answer is here a cancelled future must not leave a transaction that passes for a good one.
        self.state = State::Failed;
        let work = async {
            if began {
                return carry_out(live, &self.plans, &operation).await;
            }
            // Polled in this order, the two leave in one flush.
            let (begun, outcome) = futures_util::future::join(
                live.client().batch_execute("BEGIN"),
                carry_out(live, &self.plans, &operation),
            )
            .await;
            match begun {
                Ok(()) => outcome,
                Err(cause) => Err(classify_plain(&cause, Phase::NothingWritten)),
            }
        };
        match within(self.deadline, work).await {
            Some(Ok(outcome)) => {
                self.state = State::Open;
                Ok(outcome)
            }
            // Nothing is written before COMMIT, so no outcome of a single statement is unknown.
            Some(Err(StoreError::OutcomeUnknown)) => Err(StoreError::Unavailable),
            Some(Err(error)) => Err(error),
            None => {
                exclusive.cancel();
                self.exclusive = None;
                Err(StoreError::DeadlineExceeded)
            }
        }
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        if self.state == State::Failed {
            // COMMIT would be answered by an undisturbed ROLLBACK; dropping does the same and says so.
            return Err(StoreError::Internal);
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
