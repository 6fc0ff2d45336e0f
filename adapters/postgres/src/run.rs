//! One operation's statement on one connection, by itself or as a transaction of its own.
//!
//! Nothing here is tried again; a failure says whether that can help.

use std::sync::Arc;

use futures_util::future::{join, join3};
use rowstamp_domain::operation::{Operation, Outcome, Verdict};
use rowstamp_ports::StoreError;
use tokio_postgres::{Error, RowStream};
use tracing::{error, warn};

use crate::connection::{Live, PrepareError, Prepared, Statements};
use crate::errors::{
    Again, Failure, Phase, classify, classify_plain, classify_set_up, is_outdated, is_policy,
};
use crate::estimate;
use crate::params::Param;
use crate::rows::{self, Ended, RowsError};
use crate::sql::{self, Plan};
use crate::transaction::Beginning;

/// An operation, and how it is carried out.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) operation: &'a Operation,
    /// Its statement.
    pub(crate) plan: &'a Plan,
    /// How many bytes its encoded rows may take, where there is a limit.
    pub(crate) room: Option<usize>,
}

/// How often a replacement starts anew because rows came and went under it.
const MAX_RACES: usize = 3;

/// A statement as its connection knows it.
enum Statement {
    Prepared {
        statement: Arc<Prepared>,
        /// The one that goes with it, where the plan has one.
        explain: Option<Arc<Prepared>>,
    },
    Unnamed,
}

impl Statement {
    /// The statement of a plan, if executing it needs no preparation.
    fn at_hand(live: &Live, plan: &Plan) -> Option<Self> {
        if live.mode() == Statements::Unnamed {
            return Some(Self::Unnamed);
        }
        let explain = match &plan.explain {
            None => None,
            Some(explain) => Some(live.known(explain)?),
        };
        let statement = live.known(plan)?;
        Some(Self::Prepared { statement, explain })
    }

    /// The statement of a plan, prepared where it is not known yet.
    async fn prepare(live: &Live, plan: &Plan) -> Result<Self, PrepareError> {
        let Some(explain) = &plan.explain else {
            return Ok(Self::Prepared {
                statement: live.prepared(plan).await?,
                explain: None,
            });
        };
        let (statement, explain) = join(live.prepared(plan), live.prepared(explain)).await;
        Ok(Self::Prepared {
            statement: statement?,
            explain: Some(explain?),
        })
    }

    /// Executes it; everything is sent when this is first polled.
    async fn execute(&self, live: &Live, task: Task<'_>) -> Result<Ended, RowsError> {
        match &task.plan.explain {
            None => self.rows(live, task).await,
            Some(explain) => Box::pin(self.estimated(live, task, explain)).await,
        }
    }

    /// Its rows, and how many the planner thinks match.
    async fn estimated(&self, live: &Live, task: Task<'_>, explain: &Plan) -> Result<Ended, RowsError> {
        // Polled in this order, the two leave in one flush.
        let estimate = self.estimate(live, explain, task.operation);
        let (ended, estimate) = join(self.rows(live, task), estimate).await;
        Ok(estimate::tell(ended?, estimate?, task.operation))
    }

    async fn rows(&self, live: &Live, task: Task<'_>) -> Result<Ended, RowsError> {
        let params = sql::params(task.operation);
        let (stream, encodings) = match self {
            Self::Prepared { statement, .. } => {
                let stream = live.client().query_raw(&statement.statement, params).await?;
                (stream, Some(&*statement.encodings))
            }
            Self::Unnamed => (Box::pin(unnamed(live, task.plan, params)).await?, None),
        };
        rows::read(stream, task, encodings).await
    }

    /// Asks the planner how many rows match.
    async fn estimate(&self, live: &Live, explain: &Plan, operation: &Operation) -> Result<u64, RowsError> {
        let params = sql::explain_params(operation);
        let stream = match self {
            Self::Prepared {
                explain: Some(prepared),
                ..
            } => live.client().query_raw(&prepared.statement, params).await?,
            Self::Prepared { explain: None, .. } | Self::Unnamed => unnamed(live, explain, params).await?,
        };
        estimate::read(stream).await
    }
}

async fn unnamed(live: &Live, plan: &Plan, params: Vec<Param<'_>>) -> Result<RowStream, Error> {
    let typed = params.into_iter().zip(plan.types.iter().cloned());
    live.client().query_typed_raw(&plan.sql, typed).await
}

/// Carries out an operation on a connection where others may be at work: one round trip once its statement is known there.
pub(crate) async fn alone(live: &Live, task: Task<'_>) -> Result<Outcome, Failure> {
    let phase = if task.operation.is_write() {
        Phase::Sent
    } else {
        Phase::NothingWritten
    };
    statement(live, task, phase).await
}

/// Carries out an operation within a transaction, where nothing is written before COMMIT.
pub(crate) async fn within_transaction(live: &Live, task: Task<'_>) -> Result<Outcome, Failure> {
    statement(live, task, Phase::NothingWritten).await
}

async fn statement(live: &Live, task: Task<'_>, phase: Phase) -> Result<Outcome, Failure> {
    let statement = match Statement::at_hand(live, task.plan) {
        Some(statement) => statement,
        None => Box::pin(Statement::prepare(live, task.plan))
            .await
            .map_err(|cause| not_prepared(live, task, cause))?,
    };
    for _ in 0..MAX_RACES {
        // Until here nothing was sent that writes.
        if live.is_closed() {
            return Err(Failure::on_another_connection(StoreError::Unavailable));
        }
        match statement.execute(live, task).await {
            Ok(Ended::Outcome(outcome)) => return Ok(outcome),
            Ok(Ended::RaceLost) => {}
            Err(cause) => return Err(failed(live, task, cause, phase)),
        }
    }
    Ok(passed_over(task.plan))
}

/// Carries out an operation as a transaction of its own, on a connection that nobody else uses. BEGIN, what it begins with, the
/// statement and COMMIT travel together, once the statement is known on the connection.
///
/// Whenever this returns, the transaction has ended, unless the connection has.
pub(crate) async fn as_transaction(
    live: &Live,
    beginning: &Beginning<'_>,
    task: Task<'_>,
) -> Result<Outcome, Failure> {
    for _ in 0..MAX_RACES {
        match transaction(live, beginning, task).await? {
            Ended::Outcome(outcome) => return Ok(outcome),
            Ended::RaceLost => {}
        }
    }
    Ok(passed_over(task.plan))
}

async fn transaction(live: &Live, beginning: &Beginning<'_>, task: Task<'_>) -> Result<Ended, Failure> {
    if live.is_closed() {
        return Err(Failure::on_another_connection(StoreError::Unavailable));
    }
    let Task { plan, operation, .. } = task;
    let commit = live.client().batch_execute("COMMIT");
    // The futures are polled in this order, and each sends when it is first polled.
    let (begun, ended, committed) = if let Some(statement) = Statement::at_hand(live, plan) {
        let execute = statement.execute(live, task);
        join3(beginning.send(live), execute, commit).await
    } else {
        // Prepared where the role is in force, since it is the role that may see the tables.
        let (begun, prepared) = join(beginning.send(live), Statement::prepare(live, plan)).await;
        let statement = match (begun, prepared) {
            (Ok(()), Ok(statement)) => statement,
            (begun, prepared) => {
                return Err(not_begun(live, task, begun, prepared.err()).await);
            }
        };
        let (ended, committed) = join(statement.execute(live, task), commit).await;
        (Ok(()), ended, committed)
    };
    let sent = if operation.is_write() {
        Phase::Sent
    } else {
        Phase::NothingWritten
    };
    if let Err(cause) = begun {
        live.note(&cause);
        // The server's refusal aborts everything behind it; a silence leaves open how far it came.
        return Err(match cause.as_db_error() {
            Some(_) => classify_set_up(&cause),
            None => classify(&cause, sent, operation),
        });
    }
    let ended = match ended {
        Ok(ended) => ended,
        Err(cause) => {
            // COMMIT comes after it, so whatever the server answered here was not committed.
            let refused = matches!(&cause, RowsError::Database(cause) if cause.as_db_error().is_some());
            let phase = if refused { Phase::NothingWritten } else { sent };
            return Err(failed(live, task, cause, phase));
        }
    };
    // All before it succeeded, so this is no COMMIT that is answered by an undisturbed ROLLBACK.
    committed.map_err(|cause| {
        live.note(&cause);
        classify(&cause, sent, operation)
    })?;
    Ok(ended)
}

/// Ends a transaction whose statement never ran.
async fn not_begun(
    live: &Live,
    task: Task<'_>,
    begun: Result<(), Error>,
    prepared: Option<PrepareError>,
) -> Failure {
    let failure = match (begun, prepared) {
        (Err(cause), _) => {
            live.note(&cause);
            classify_set_up(&cause)
        }
        (Ok(()), Some(cause)) => not_prepared(live, task, cause),
        (Ok(()), None) => Failure::for_good(StoreError::Internal),
    };
    if let Err(cause) = live.client().batch_execute("ROLLBACK").await {
        live.note(&cause);
        // Whatever is open there ends with the connection.
        live.give_up();
        classify_plain(&cause, Phase::NothingWritten);
    }
    failure
}

fn not_prepared(live: &Live, task: Task<'_>, cause: PrepareError) -> Failure {
    match cause {
        PrepareError::Database(cause) => {
            live.note(&cause);
            classify(&cause, Phase::NothingWritten, task.operation)
        }
        PrepareError::ColumnType { column, found } => {
            tell_column(task.plan, &column, &found);
            Failure::for_good(StoreError::Drift)
        }
    }
}

/// What a failed execution means.
fn failed(live: &Live, task: Task<'_>, cause: RowsError, phase: Phase) -> Failure {
    let Task { plan, operation, .. } = task;
    let unreadable = match cause {
        RowsError::Database(cause) if is_policy(&cause) => return Failure::refused(),
        // Prepared before a column got another type, it was refused before it did anything. Prepared anew it may well be
        // right, so a migration needs no restart.
        RowsError::Database(cause) if is_outdated(&cause) => {
            live.forget(plan);
            if let Some(explain) = &plan.explain {
                live.forget(explain);
            }
            return Failure {
                error: StoreError::Drift,
                again: Again::Soon,
            };
        }
        RowsError::Database(cause) => {
            live.note(&cause);
            return classify(&cause, phase, operation);
        }
        RowsError::Malformed(cause) => {
            error!(%cause, table = plan.resource.table.table, "a row could not be read");
            StoreError::Internal
        }
        RowsError::Column(cause) => {
            if let PrepareError::ColumnType { column, found } = cause {
                tell_column(plan, &column, &found);
            }
            StoreError::Drift
        }
    };
    Failure::for_good(match phase {
        Phase::Sent => StoreError::OutcomeUnknown,
        Phase::NothingWritten => unreadable,
    })
}

fn tell_column(plan: &Plan, column: &str, found: &str) {
    error!(
        table = plan.resource.table.table,
        column, found, "a column cannot hold its field"
    );
}

/// There is no row, and none came to be, although no rule was against it: a trigger passed it over, or a policy hides it. That rows of
/// this uid came and went each time would look the same, but hardly happens. Nothing was written in any case.
fn passed_over(plan: &Plan) -> Outcome {
    warn!(
        table = plan.resource.table.table,
        "PostgreSQL creates no row and does not say why; a trigger may pass it over"
    );
    Outcome::verdict(Verdict::NotWritable)
}
