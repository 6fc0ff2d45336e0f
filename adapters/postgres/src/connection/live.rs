//! One connection, the statements prepared on it, and when it was last heard of.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use foldhash::fast::RandomState;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::{Client, Error, Statement};

use super::line::Line;
use super::settings::Statements;
use crate::encode::Encoding;
use crate::errors::never_sent;
use crate::sql::Plan;

/// Statements kept prepared on one connection; beyond it the longest unused ones are closed.
const MAX_STATEMENTS: usize = 500;

/// A connection with its statements.
#[derive(Debug)]
pub(crate) struct Live {
    client: Client,
    mode: Statements,
    statements: Mutex<HashMap<u64, Arc<Prepared>, RandomState>>,
    clock: AtomicU64,
    broken: AtomicBool,
    heard: Mutex<Heard>,
    /// The moment of the pool at which it began to be made.
    born: u64,
    /// The moment of the pool at which it was last known to be alive.
    seen: AtomicU64,
    line: Arc<Line>,
    /// Whether it has been replaced while somebody was using it.
    pub(super) stray: AtomicBool,
    /// Whether somebody gave up waiting for a statement that may still be running here.
    pub(super) abandoned: AtomicBool,
}

/// When a connection was last heard of. A process that is frozen may find that one of the clocks stood still meanwhile.
#[derive(Debug, Clone, Copy)]
struct Heard {
    monotonic: Instant,
    wall: SystemTime,
}

impl Heard {
    fn now() -> Self {
        Self::at(Instant::now())
    }

    fn at(now: Instant) -> Self {
        Self {
            monotonic: now,
            wall: SystemTime::now(),
        }
    }

    fn age(&self) -> Duration {
        self.monotonic
            .elapsed()
            .max(self.wall.elapsed().unwrap_or_default())
    }
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
    /// `line` is the one that the connection's driver knows.
    pub(super) fn new(client: Client, line: Arc<Line>, mode: Statements, born: u64) -> Self {
        Self {
            client,
            mode,
            born,
            seen: AtomicU64::new(born),
            heard: Mutex::new(Heard::now()),
            line,
            stray: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            statements: Mutex::default(),
            clock: AtomicU64::new(0),
            broken: AtomicBool::new(false),
        }
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Whether statements are prepared here, or leave nothing behind.
    pub(crate) const fn mode(&self) -> Statements {
        self.mode
    }

    /// Those who wait for an answer here.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// How many share it at the moment.
    pub(crate) fn users(&self) -> u64 {
        self.line.users()
    }

    /// Notes that the server was heard of just now.
    pub(super) fn touch(&self) {
        let now = Heard::now();
        self.line.moves(now.monotonic);
        self.hears(now);
    }

    /// Notes that whoever stands at this place of the line had an answer.
    pub(super) fn answered(&self, place: u64) {
        let now = Instant::now();
        self.line.answered(place, now);
        // As long as others stand there nobody asks when it was last heard of. Where the last two have their answers at the same time, the next
        // one may ask the server without need.
        if self.users() <= 1 {
            self.hears(Heard::at(now));
        }
    }

    fn hears(&self, now: Heard) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    pub(super) const fn born(&self) -> u64 {
        self.born
    }

    pub(super) fn seen(&self) -> u64 {
        self.seen.load(Ordering::SeqCst)
    }

    /// Notes that it answered when it was asked at this moment of the pool.
    pub(super) fn see(&self, moment: u64) {
        self.seen.fetch_max(moment, Ordering::SeqCst);
        self.touch();
    }

    /// Whether nothing was heard of the server for longer than this.
    pub(super) fn is_silent_for(&self, limit: Duration) -> bool {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).age() > limit
    }

    /// Takes no more statements from now on.
    pub(crate) fn give_up(&self) {
        self.broken.store(true, Ordering::Relaxed);
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

    /// The statement of `plan`, where it was prepared before.
    pub(crate) fn known(&self, plan: &Plan) -> Option<Arc<Prepared>> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        let statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        let prepared = statements.get(&plan.id)?;
        prepared.last_used.store(now, Ordering::Relaxed);
        Some(Arc::clone(prepared))
    }

    /// The statement of `plan`, prepared now where it was not before.
    ///
    /// Two callers that meet here may both prepare it; the second one's replaces the first's, which costs a round trip once.
    pub(crate) async fn prepared(&self, plan: &Plan) -> Result<Arc<Prepared>, PrepareError> {
        if let Some(prepared) = self.known(plan) {
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
            last_used: AtomicU64::new(self.clock.fetch_add(1, Ordering::Relaxed)),
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
