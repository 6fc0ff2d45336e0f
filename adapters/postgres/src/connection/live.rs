//! One connection and the statements prepared on it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::{Client, Error, Statement};

use crate::encode::Encoding;
use crate::errors::never_sent;
use crate::sql::Plan;

/// Statements kept prepared on one connection; beyond it the longest unused ones are closed.
const MAX_STATEMENTS: usize = 500;

/// A connection with its statements.
#[derive(Debug)]
pub(crate) struct Live {
    client: Client,
    statements: Mutex<HashMap<u64, Arc<Prepared>, RandomState>>,
    clock: AtomicU64,
    broken: AtomicBool,
}

/// A plan, prepared on one connection.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// What the driver executes.
    pub(crate) statement: Statement,
    /// How each selected column becomes JSON.
    pub(crate) encodings: Box<[Encoding]>,
    last_used: AtomicU64,
}

/// Why a plan could not be prepared.
#[derive(Debug)]
pub(crate) enum PrepareError {
    /// The database refused, or could not be asked.
    Database(Error),
    /// A column has a type that cannot hold its field.
    ColumnType { column: String, found: String },
}

impl Live {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            statements: Mutex::default(),
            clock: AtomicU64::new(0),
            broken: AtomicBool::new(false),
        }
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Whether it takes no more statements.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed() || self.broken.load(Ordering::Relaxed)
    }

    /// Looks at a failed statement's error: one that ends the session ends this connection at once, before the driver has noticed.
    pub(crate) fn note(&self, cause: &Error) {
        let ended = match cause.as_db_error() {
            // A server that became read-only is one that another took the place of.
            Some(error) if *error.code() == SqlState::READ_ONLY_SQL_TRANSACTION => true,
            Some(error) => matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
            None => !never_sent(cause),
        };
        if ended {
            self.broken.store(true, Ordering::Relaxed);
        }
    }

    /// The statement of `plan`, prepared now where it was not before.
    ///
    /// Two callers that meet here may both prepare it; the second one's replaces the first's, which costs a round trip once.
    pub(crate) async fn prepared(&self, plan: &Plan) -> Result<Arc<Prepared>, PrepareError> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        if let Some(prepared) = self.known(plan, now) {
            return Ok(prepared);
        }
        let statement = self
            .client
            .prepare_typed(&plan.sql, &plan.types)
            .await
            .map_err(PrepareError::Database)?;
        let encodings = plan.encodings(statement.columns())?;
        let prepared = Arc::new(Prepared {
            statement,
            encodings,
            last_used: AtomicU64::new(now),
        });
        let forgotten = self.keep(plan.id, Arc::clone(&prepared));
        // Closing a statement sends a message, which no other caller should wait for.
        drop(forgotten);
        Ok(prepared)
    }

    /// Lets the statement of `plan` be prepared anew when it is next asked for.
    pub(crate) fn forget(&self, plan: &Plan) {
        let forgotten = self
            .statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&plan.id);
        // Closing a statement sends a message, which no other caller should wait for.
        drop(forgotten);
    }

    fn known(&self, plan: &Plan, now: u64) -> Option<Arc<Prepared>> {
        let statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        let prepared = statements.get(&plan.id)?;
        prepared.last_used.store(now, Ordering::Relaxed);
        Some(Arc::clone(prepared))
    }

    fn keep(&self, id: u64, prepared: Arc<Prepared>) -> Vec<Arc<Prepared>> {
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        let mut forgotten = Vec::new();
        if statements.len() >= MAX_STATEMENTS {
            let mut ages: Vec<u64> = statements
                .values()
                .map(|prepared| prepared.last_used.load(Ordering::Relaxed))
                .collect();
            let (_, limit, _) = ages.select_nth_unstable(MAX_STATEMENTS / 4);
            let limit = *limit;
            forgotten.extend(
                statements
                    .extract_if(|_, prepared| prepared.last_used.load(Ordering::Relaxed) <= limit)
                    .map(|(_, prepared)| prepared),
            );
        }
        forgotten.extend(statements.insert(id, prepared));
        forgotten
    }
}
