//! A connection of its own for work on the schema, and the lock that lets one process do it at a time.

use rowstamp_domain::definition::ApiDefinition;
use tokio_postgres::{Client, Error};

use super::differing::differing;
use super::inspect;
use super::missing::{Missing, missing};
use super::{Drift, SchemaError};
use crate::connection::{Chain, Pool, Statements};
use crate::errors::words;

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

    /// What is missing and what is different.
    pub(super) async fn drift(&self, api: &ApiDefinition) -> Result<Drift, SchemaError> {
        let found = inspect::inspect(&self.client, api).await.map_err(refused)?;
        let missing = missing(api, &found);
        Ok(Drift {
            missing: missing.into_iter().map(|missing| missing.what).collect(),
            differing: differing(api, &found),
        })
    }

    /// What the definitions want and the database does not have.
    pub(super) async fn missing(&self, api: &ApiDefinition) -> Result<Vec<Missing>, SchemaError> {
        let found = inspect::inspect(&self.client, api).await.map_err(refused)?;
        Ok(missing(api, &found))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(super) fn refused(cause: Error) -> SchemaError {
    SchemaError::Refused(match cause.as_db_error() {
        Some(refusal) => words(refusal),
        None => Chain(&cause).to_string(),
    })
}
