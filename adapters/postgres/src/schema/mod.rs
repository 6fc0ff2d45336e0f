//! What the database must have for the definitions: found missing, created, migrated.
//!
//! Nothing is ever altered or dropped here; that is what migration files are for.

mod create;
mod differing;
mod drift;
mod found;
mod inspect;
mod keys;
mod migrate;
mod missing;
pub(crate) mod names;
mod rehearsal;
mod rules;
mod serving;
mod session;
mod stand_ins;
mod values;
mod words;

use std::path::Path;

use rowstamp_domain::definition::ApiDefinition;

use crate::store::PostgresStore;
use missing::Missing;
use session::Session;

/// Why the schema could not be looked at or changed. It is for whoever runs the program, never for a caller of the API, so it
/// repeats what the database said, but for what rows hold: it may end in a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The database cannot be reached; why was logged.
    #[error("the database cannot be reached")]
    Unavailable,
    /// The settings say that no session is our own (`ROWSTAMP_DB_STATEMENTS=unnamed`), which work on tables needs.
    #[error(
        "tables are looked at and changed in a session of their own: connect past the pooler, without ROWSTAMP_DB_STATEMENTS=unnamed"
    )]
    Pooled,
    /// The server fell silent, or the way to it.
    #[error("the database does not answer")]
    Unanswered,
    /// Somebody else holds a lock, on a table or on work on the schema, and did not let go of it in time.
    #[error("a lock that somebody else holds was waited for in vain; try again when they are done")]
    Locked,
    /// The database refused, for this reason, in which no values of rows are.
    #[error("the database refused: {0}")]
    Refused(String),
    /// The migration files cannot be read, or do not agree with what was applied before.
    #[error("migrations: {0}")]
    Migrations(String),
}

/// How the database departs from the definitions; one line for each thing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drift {
    /// What [`PostgresStore::create_missing`] would create.
    pub missing: Vec<String>,
    /// What is there, but not as it should be; only a migration file can change it.
    pub differing: Vec<String>,
}

impl Drift {
    /// Whether there is none.
    pub const fn is_none(&self) -> bool {
        self.missing.is_empty() && self.differing.is_empty()
    }
}

impl PostgresStore {
    /// What the definitions want and the database does not have, one line each: schemas, tables, columns, constraints, and
    /// indexes on references.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn missing(&self, api: &ApiDefinition) -> Result<Vec<String>, SchemaError> {
        let session = session::open(&self.pool).await?;
        let missing = find_missing(&session, api).await?;
        Ok(missing.into_iter().map(|missing| missing.what).collect())
    }

    /// What the definitions want and the database does not have, and what it has otherwise than they want it: columns that cannot hold
    /// their fields or are narrower, that may or may not be NULL against the definition, or that no row can be created
    /// without; references that lead elsewhere.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn drift(&self, api: &ApiDefinition) -> Result<Drift, SchemaError> {
        let session = session::open(&self.pool).await?;
        drift::drift(&session, api, self.role()).await
    }

    /// Creates what is missing, wholly or not at all, and tells what that was. Several processes may do so at once: they take
    /// turns, and those that come later find nothing missing.
    ///
    /// # Errors
    /// When the database cannot be reached or refuses.
    pub async fn create_missing(&self, api: &ApiDefinition) -> Result<Vec<String>, SchemaError> {
        let session = session::open_for_changes(&self.pool).await?;
        if find_missing(&session, api).await?.is_empty() {
            return Ok(Vec::new());
        }
        session.lock().await?;
        // Whoever had the lock before may have created it all.
        let missing = find_missing(&session, api).await?;
        create::create(&session, &missing).await?;
        Ok(missing.into_iter().map(|missing| missing.what).collect())
    }

    /// The SQL that would bring the database to the definitions, ready for a migration file; empty when nothing is missing.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn missing_sql(&self, api: &ApiDefinition) -> Result<String, SchemaError> {
        let session = session::open(&self.pool).await?;
        let missing = find_missing(&session, api).await?;
        Ok(missing.into_iter().map(|missing| missing.sql + ";\n").collect())
    }

    /// Runs the migration files in `directory` (`V1__create_books.sql`, …) that were not run yet, under the same lock, and
    /// tells which those were.
    ///
    /// # Errors
    /// When files cannot be read, were changed after they ran, or the database refuses.
    pub async fn migrate(&self, directory: &Path) -> Result<Vec<String>, SchemaError> {
        let mut session = session::open_for_changes(&self.pool).await?;
        session.lock().await?;
        migrate::run(session.client_mut(), directory).await
    }

    /// The migration files in `directory` that were not run yet.
    ///
    /// # Errors
    /// When files cannot be read or the database cannot be asked.
    pub async fn pending_migrations(&self, directory: &Path) -> Result<Vec<String>, SchemaError> {
        let mut session = session::open(&self.pool).await?;
        session::looked_at(migrate::pending(session.client_mut(), directory)).await
    }
}

async fn find_missing(session: &Session, api: &ApiDefinition) -> Result<Vec<Missing>, SchemaError> {
    let found = inspect::inspect(session, api).await?;
    Ok(missing::missing(api, &found))
}
