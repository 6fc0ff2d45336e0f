//! A connection of its own for work on the schema, and the lock that lets one process do it at a time.

use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Client, Error, Row};

use super::SchemaError;
use crate::connection::{Chain, Pool, Statements};

/// Any number would do, if all of us take the same: "rowstamp" in ASCII.
const LOCK: i64 = 0x726f_7773_7461_6d70;

/// A session; the lock, if it was taken, ends with it.
pub(super) struct Session {
    client: Client,
}

/// Opens a session. Schema work may take longer than any statement of a request.
pub(super) async fn open(pool: &Pool) -> Result<Session, SchemaError> {
    if pool.statements() == Statements::Unnamed {
        return Err(SchemaError::Pooled);
    }
    let client = pool.dedicated().await.map_err(|_| SchemaError::Unavailable)?;
    client
        .batch_execute("SET statement_timeout = 0")
        .await
        .map_err(refused)?;
    Ok(Session { client })
}

impl Session {
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) const fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Waits for whoever is at work on the schema. After that no statement may wait long for a table, since all others would
    /// wait behind it.
    pub(super) async fn lock(&self) -> Result<(), SchemaError> {
        let sql =
            format!("SET lock_timeout = '60s'; SELECT pg_advisory_lock({LOCK}); SET lock_timeout = '5s'");
        self.client.batch_execute(&sql).await.map_err(refused)
    }

    /// The rows that answer a question.
    pub(super) async fn ask(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, SchemaError> {
        self.client.query(sql, params).await.map_err(refused)
    }

    /// What became of a statement that may well be refused: the SQLSTATE, where it was.
    pub(super) async fn attempt<T>(
        &self,
        statement: impl Future<Output = Result<T, Error>>,
    ) -> Result<Option<String>, SchemaError> {
        let Err(cause) = statement.await else {
            return Ok(None);
        };
        match cause.code() {
            Some(code) => Ok(Some(code.code().to_owned())),
            None => Err(refused(cause)),
        }
    }
}

/// A column of an answer.
pub(super) fn read<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, SchemaError> {
    row.try_get(column).map_err(refused)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(super) fn refused(cause: Error) -> SchemaError {
    match cause.as_db_error() {
        Some(error) => SchemaError::Refused(match (error.detail(), error.hint()) {
            (Some(detail), _) => format!("{} ({detail})", error.message()),
            (None, Some(hint)) => format!("{} ({hint})", error.message()),
            (None, None) => error.message().to_owned(),
        }),
        None => SchemaError::Refused(Chain(&cause).to_string()),
    }
}
