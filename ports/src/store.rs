//! The record store: carries out operations, decides nothing.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::FieldId;
use rowstamp_domain::operation::{Operation, Outcome};

use crate::Meter;

/// What a store must know of a request besides the operation.
#[derive(Debug, Clone)]
pub struct StoreContext {
    /// When the answer must be there; the store stops waiting, and the database working, before it.
    pub deadline: Option<Instant>,
    /// For whom it works, where the database judges rows by itself.
    pub caller: Arc<Caller>,
    /// How many bytes of encoded rows the answer has room for, where there is a limit. The store keeps no more than that, and says
    /// [`Rows::TooLarge`](rowstamp_domain::operation::Rows::TooLarge) in place of rows that are more; what was written stays written.
    pub room: Option<usize>,
    /// Where waiting for connections and trying again are put down.
    pub meter: Arc<Meter>,
}

/// Keeps rows.
///
/// # Contract
/// - One operation is atomic: it happens wholly or not at all, and a verdict other than success wrote nothing.
/// - Verdicts are as [`rowstamp_domain::operation`] states them, also when other writers work on the same row at the same time:
///   of two updates that demand the same version exactly one succeeds.
/// - A row's `last_updated_at` strictly increases.
/// - An error of kind [`StoreError::Unavailable`], [`StoreError::Conflict`], [`StoreError::Invalid`], [`StoreError::InvalidQuery`] or
///   [`StoreError::Drift`] wrote nothing.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RecordStore: Send + Sync {
    /// Carries out one operation.
    async fn execute(&self, operation: Operation, context: &StoreContext) -> Result<Outcome, StoreError>;

    /// Starts a unit of work: several operations that happen wholly or not at all.
    async fn begin(&self, context: &StoreContext) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// Asks whether operations could be carried out now; the readiness check. It takes a second at most, and no longer than until
    /// `deadline`.
    async fn ready(&self, deadline: Option<Instant>) -> Result<(), StoreError>;
}

/// Several operations that happen wholly or not at all.
///
/// Nobody else sees what it wrote before it is committed. Dropping it undoes everything. After an error other than a
/// verdict only `rollback` is of use: further operations and the commit fail, and nothing was written.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait UnitOfWork: Send {
    /// Carries out one operation within the unit; it sees what earlier ones wrote.
    async fn execute(&mut self, operation: Operation) -> Result<Outcome, StoreError>;

    /// Makes everything permanent.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] when the answer to the commit was lost.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;

    /// Undoes everything.
    async fn rollback(self: Box<Self>) -> Result<(), StoreError>;
}

/// Why a store could not carry out an operation. What the database said is logged where it happened and never travels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another row stands in the way.
    #[error("conflict with another row")]
    Conflict(Conflict),
    /// The database refused values that the definition let pass.
    #[error("the database refused the values")]
    Invalid(Vec<FieldFault>),
    /// The query asks for something that only the database can find wrong.
    #[error("the database refused the query")]
    InvalidQuery(QueryFault),
    /// Nothing was written; trying again later can help.
    #[error("the database cannot be reached or is too busy")]
    Unavailable,
    /// The deadline came first. Nothing was written.
    #[error("the deadline came first")]
    DeadlineExceeded,
    /// The connection or the deadline failed while a write was under way: it may or may not have happened.
    #[error("the outcome of the write is unknown")]
    OutcomeUnknown,
    /// The database and the definition disagree: a table, column or type is missing or different.
    #[error("the database and the definition disagree")]
    Drift,
    /// Anything else.
    #[error("the database failed")]
    Internal,
}

/// A conflict that the database found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What kind.
    pub kind: ConflictKind,
    /// The fields whose values conflict; empty when the constraint is not one of the definition, and for
    /// `StillReferenced`, where the fields are another resource's.
    pub fields: Vec<FieldId>,
    /// Which record of a bulk body, where its values tell.
    pub record: Option<usize>,
}

/// The kinds of conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictKind {
    /// Another row has the same value (23505).
    Unique,
    /// The row referred to does not exist (23503).
    MissingReference,
    /// Other rows still refer to this one (23503, 23001).
    StillReferenced,
    /// An exclusion constraint (23P01).
    Exclusion,
}

/// A field whose value the database refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldFault {
    /// The field; `None` when the constraint is not one of the definition.
    pub field: Option<FieldId>,
    /// What was wrong.
    pub kind: FaultKind,
}

/// What the database can find wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// NULL where a value is needed (23502).
    Required,
    /// A CHECK constraint does not hold (23514).
    Check,
    /// The value does not fit the column's type (class 22).
    OutOfRange,
    /// A trigger or function of the database raised an exception (class P0).
    Raised,
}

/// What only the database can find wrong with a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryFault {
    /// A regular expression of `match` or `imatch` is none (2201B).
    RegularExpression,
    /// The words of `fts` do not follow the syntax of `to_tsquery` (42601).
    SearchWords,
    /// A value cannot be cast to the type asked for, or a sum is beyond its type (22P02, 22003, 22007, 22008 and their kin).
    Value,
}
