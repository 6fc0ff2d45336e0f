//! A connection of its own for work on the schema, and the lock that lets one process do it at a time.
//!
//! A question is never waited for long; what changes tables may take its time.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Client, Error, Row};

use super::SchemaError;
use super::words::{plain_words, refused};
use crate::connection::{Pool, Statements};

/// Any number would do, if all of us take the same: "rowstamp" in ASCII.
const LOCK: i64 = 0x726f_7773_7461_6d70;
/// How long a question may take to be answered. The server itself gives up waiting for a lock after half of it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The same for the lock, for which the server waits a minute.
const LOCK_TIMEOUT: Duration = Duration::from_secs(70);

/// A session; the lock, if it was taken, ends with it.
pub(super) struct Session {
    client: Client,
}

/// How many questions are under way at once.
const AT_ONCE: usize = 16;

/// Opens a session for questions. The server gives up one a moment after nobody waits for it any more.
pub(super) async fn open(pool: &Pool) -> Result<Session, SchemaError> {
    with_time_limit(pool, "'11s'").await
}

/// Opens a session for changes, which may take longer than any statement of a request.
pub(super) async fn open_for_changes(pool: &Pool) -> Result<Session, SchemaError> {
    with_time_limit(pool, "0").await
}

/// No statement may wait long for a table: all others would wait behind it.
async fn with_time_limit(pool: &Pool, limit: &str) -> Result<Session, SchemaError> {
    if pool.statements() == Statements::Unnamed {
        return Err(SchemaError::Pooled);
    }
    let client = pool.dedicated().await.map_err(|_| SchemaError::Unavailable)?;
    let session = Session { client };
    session
        .run(&format!(
            "SET statement_timeout = {limit}; SET lock_timeout = '5s'"
        ))
        .await?;
    Ok(session)
}

impl Session {
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) const fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// The rows that answer a question.
    pub(super) async fn ask(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, SchemaError> {
        answered(ANSWER_TIMEOUT, self.client.query(sql, params)).await
    }

    /// Runs something that is done at once.
    pub(super) async fn run(&self, sql: &str) -> Result<(), SchemaError> {
        answered(ANSWER_TIMEOUT, self.client.batch_execute(sql)).await
    }

    /// What became of a statement that may well be refused: the refusal, where it was.
    pub(super) async fn attempt<T>(
        &self,
        statement: impl Future<Output = Result<T, Error>>,
    ) -> Result<Option<Refusal>, SchemaError> {
        looked_at(async {
            let Err(cause) = statement.await else {
                return Ok(None);
            };
            match (cause.as_db_error(), refused(&cause)) {
                (Some(error), SchemaError::Refused(_)) => Ok(Some(Refusal {
                    sqlstate: error.code().code().to_owned(),
                    message: plain_words(error),
                })),
                (_, other) => Err(other),
            }
        })
        .await
    }

    /// Waits for whoever is at work on the schema.
    pub(super) async fn lock(&self) -> Result<(), SchemaError> {
        let sql =
            format!("SET lock_timeout = '60s'; SELECT pg_advisory_lock({LOCK}); SET lock_timeout = '5s'");
        answered(LOCK_TIMEOUT, self.client.batch_execute(&sql)).await
    }
}

/// What becomes of many questions, some of them under way at once, in their order.
pub(super) async fn all<T>(
    questions: Vec<impl Future<Output = Result<T, SchemaError>>>,
) -> Result<Vec<T>, SchemaError> {
    stream::iter(questions).buffered(AT_ONCE).try_collect().await
}

/// Why a statement was refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) sqlstate: String,
    pub(super) message: String,
}

async fn answered<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, SchemaError> {
    in_time(limit, async { work.await.map_err(|cause| refused(&cause)) }).await
}

/// Gives up something that is only looked at, where it takes too long.
pub(super) async fn looked_at<T>(
    work: impl Future<Output = Result<T, SchemaError>>,
) -> Result<T, SchemaError> {
    in_time(ANSWER_TIMEOUT, work).await
}

async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, SchemaError>>,
) -> Result<T, SchemaError> {
    let given_up = tokio::time::timeout(limit, work).await;
    given_up.unwrap_or(Err(SchemaError::Unanswered))
}

/// A column of an answer.
pub(super) fn read<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, SchemaError> {
    row.try_get(column).map_err(|cause| refused(&cause))
}
