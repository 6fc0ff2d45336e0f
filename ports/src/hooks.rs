//! People's own code around operations.
//!
//! A before-hook sees the change before it is validated and stamped, and may alter or refuse it. An after-hook of a
//! write runs in the same transaction, may do further operations there, and may refuse, which undoes everything. An after-read
//! hook may redact.
//!
//! A before-hook runs before preconditions and rules about the row are judged, so the write may still be refused; on PUT it may run
//! twice, or both kinds may run, when another writer creates or deletes the row at the same moment. It must therefore have no effects
//! outside its change.
#![cfg_attr(
    feature = "mock",
    expect(
        clippy::used_underscore_binding,
        reason = "the mock that is generated beside the trait passes on every argument"
    )
)]

use std::sync::Arc;

use async_trait::async_trait;
use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::{ApiDefinition, ResourceDefinition};
use rowstamp_domain::operation::{Operation, Outcome};
use rowstamp_domain::query::Condition;
use rowstamp_domain::record::Record;
use rowstamp_domain::value::Timestamp;
use uuid::Uuid;

use crate::store::{StoreError, UnitOfWork};

/// The circumstances of a hook.
#[derive(Debug, Clone)]
pub struct HookContext {
    /// All definitions.
    pub api: Arc<ApiDefinition>,
    /// The resource at hand.
    pub resource: Arc<ResourceDefinition>,
    /// Who is calling.
    pub caller: Arc<Caller>,
    /// The request's name in logs.
    pub request_id: String,
    /// When the request is taken to happen.
    pub now: Timestamp,
}

/// The transaction of a write, as its after-hooks see it: further operations join it, only the Controller ends it.
pub struct Transaction(Box<dyn UnitOfWork>);

impl Transaction {
    /// Wraps a unit of work.
    pub fn new(unit: Box<dyn UnitOfWork>) -> Self {
        Self(unit)
    }

    /// Does a further operation; it sees what earlier ones wrote.
    ///
    /// # Errors
    /// What the store says.
    pub async fn execute(&mut self, operation: Operation) -> Result<Outcome, StoreError> {
        self.0.execute(operation).await
    }

    /// The unit of work, for whoever ends it.
    pub fn into_unit(self) -> Box<dyn UnitOfWork> {
        self.0
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Transaction")
    }
}

/// What a read is about to look at; a before-read hook may narrow it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadScope {
    uid: Option<Uuid>,
    required: Vec<Condition>,
}

impl ReadScope {
    /// A read of one row, or of a collection.
    pub const fn new(uid: Option<Uuid>) -> Self {
        Self {
            uid,
            required: Vec::new(),
        }
    }

    /// The row asked for, `None` for a collection.
    pub const fn uid(&self) -> Option<Uuid> {
        self.uid
    }

    /// Lets only rows be seen that satisfy `condition` too.
    pub fn require(&mut self, condition: Condition) {
        self.required.push(condition);
    }

    /// Everything that was required.
    pub fn into_required(self) -> Vec<Condition> {
        self.required
    }
}

/// Which hooks a resource has; the others cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a set of independent points, always written by name"
)]
pub struct HookPoints {
    /// `before_read`
    pub before_read: bool,
    /// `after_read`; rows are decoded for it and carry no ETag.
    pub after_read: bool,
    /// `before_create`
    pub before_create: bool,
    /// `after_create`; a transaction is opened for it.
    pub after_create: bool,
    /// `before_update`
    pub before_update: bool,
    /// `after_update`; a transaction is opened for it.
    pub after_update: bool,
    /// `before_delete`
    pub before_delete: bool,
    /// `after_delete`; a transaction is opened for it.
    pub after_delete: bool,
}

impl HookPoints {
    /// No hook at all.
    pub const NONE: Self = Self {
        before_read: false,
        after_read: false,
        before_create: false,
        after_create: false,
        before_update: false,
        after_update: false,
        before_delete: false,
        after_delete: false,
    };

    /// Every hook.
    pub const ALL: Self = Self {
        before_read: true,
        after_read: true,
        before_create: true,
        after_create: true,
        before_update: true,
        after_update: true,
        before_delete: true,
        after_delete: true,
    };
}

/// People's own code around the operations of one resource. Every method does nothing unless it is overridden.
///
/// A hook that waits when the request's time is over is dropped where it waits, and what it belongs to is undone.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Hooks: Send + Sync {
    /// Which methods are overridden. The answer is asked for once; what it leaves out is never called.
    fn points(&self) -> HookPoints {
        HookPoints::ALL
    }

    /// Before rows are read: may narrow or refuse.
    async fn before_read(&self, _context: &HookContext, _scope: &mut ReadScope) -> Result<(), Refusal> {
        Ok(())
    }

    /// After a row was read, before it is shown: may redact, or refuse. A row that a write shows is committed by then, and a refusal keeps it
    /// from being shown only.
    async fn after_read(&self, _context: &HookContext, _record: &mut Record) -> Result<(), Refusal> {
        Ok(())
    }

    /// Before a row is created: may alter what is given, or refuse. Must have no effects outside `change`: the creation may still be
    /// refused, and a PUT that loses a race runs its hooks again.
    async fn before_create(&self, _context: &HookContext, _change: &mut Record) -> Result<(), Refusal> {
        Ok(())
    }

    /// After a row was created; `transaction` is the one it was created in and takes further operations.
    async fn after_create(
        &self,
        _context: &HookContext,
        _transaction: &mut Transaction,
        _record: &Record,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    /// Before a row is changed or replaced: may alter what is given, or refuse. Must have no effects outside `change`, as
    /// [`Hooks::before_create`]; neither the precondition nor the rules about the row have been judged yet.
    async fn before_update(
        &self,
        _context: &HookContext,
        _uid: Uuid,
        _change: &mut Record,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    /// After a row was changed or replaced, in the same transaction.
    async fn after_update(
        &self,
        _context: &HookContext,
        _transaction: &mut Transaction,
        _record: &Record,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    /// Before a row is deleted: may refuse. Must have no effects outside: the deletion may still be refused.
    async fn before_delete(&self, _context: &HookContext, _uid: Uuid) -> Result<(), Refusal> {
        Ok(())
    }

    /// After a row was deleted, in the same transaction, with the row as it was.
    async fn after_delete(
        &self,
        _context: &HookContext,
        _transaction: &mut Transaction,
        _record: &Record,
    ) -> Result<(), Refusal> {
        Ok(())
    }
}

/// A hook's no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// With a problem of its own.
    #[error("{detail}")]
    Problem {
        /// The status, 400 to 499; anything else is answered as 500.
        status: u16,
        /// The `code` of the problem body.
        code: String,
        /// What to tell the caller.
        detail: String,
    },
    /// A further operation failed; answered as if the request's own had.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    /// 422 with these words.
    pub fn unprocessable(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Problem {
            status: 422,
            code: code.into(),
            detail: detail.into(),
        }
    }

    /// 403 with these words.
    pub fn forbidden(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Problem {
            status: 403,
            code: code.into(),
            detail: detail.into(),
        }
    }
}
