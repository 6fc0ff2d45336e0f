//! A unit of work: its own copy of the tables from its first write on, and the turn to write until it ends.
//!
//! Before it writes it sees what others commit meanwhile, as PostgreSQL's READ COMMITTED does.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use rowstamp_domain::operation::{Operation, Outcome};
use rowstamp_ports::{StoreContext, StoreError, UnitOfWork};

use crate::shared::{Shared, Turn};
use crate::tables::Tables;

pub(crate) struct MemoryUnit {
    shared: Arc<Shared>,
    deadline: Option<Instant>,
    room: Option<usize>,
    state: State,
}

enum State {
    /// Nothing was written yet.
    Reading,
    /// Something was; nobody else writes meanwhile.
    Writing(Turn, Tables),
    /// An operation failed: there is nothing left but to undo.
    Failed,
}

impl MemoryUnit {
    pub(crate) const fn new(shared: Arc<Shared>, context: &StoreContext) -> Self {
        Self {
            shared,
            deadline: context.deadline,
            room: context.room,
            state: State::Reading,
        }
    }

    async fn carry_out(&mut self, operation: &Operation) -> Result<Outcome, StoreError> {
        self.shared.check(self.deadline)?;
        if operation.is_write() && matches!(self.state, State::Reading) {
            let turn = self.shared.turn(self.deadline).await?;
            self.state = State::Writing(turn, self.shared.committed());
        }
        match &mut self.state {
            State::Reading => self
                .shared
                .apply(&mut self.shared.committed(), operation, self.room),
            State::Writing(_, tables) => self.shared.apply(tables, operation, self.room),
            State::Failed => Err(StoreError::Internal),
        }
    }
}

#[async_trait]
impl UnitOfWork for MemoryUnit {
    async fn execute(&mut self, operation: Operation) -> Result<Outcome, StoreError> {
        let result = self.carry_out(&operation).await;
        if result.is_err() {
            self.state = State::Failed;
        }
        result
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.shared.check(self.deadline)?;
        match self.state {
            State::Reading => Ok(()),
            State::Writing(turn, tables) => {
                self.shared.commit(tables, &turn);
                Ok(())
            }
            State::Failed => Err(StoreError::Internal),
        }
    }

    async fn rollback(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}
