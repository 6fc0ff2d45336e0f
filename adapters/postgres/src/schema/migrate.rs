//! Migration files, run by refinery, which takes no lock of its own: the caller holds one.

use std::collections::HashSet;
use std::path::Path;

use refinery::{Migration, Runner};
use tokio_postgres::Client;

use super::SchemaError;
use super::session::refused;

/// Runs what was not run yet, each file in a transaction of its own.
pub(super) async fn run(client: &mut Client, directory: &Path) -> Result<Vec<String>, SchemaError> {
    let migrations = load(directory)?;
    let report = Runner::new(&migrations).run_async(client).await.map_err(failed)?;
    Ok(report
        .applied_migrations()
        .iter()
        .map(ToString::to_string)
        .collect())
}

/// What was not run yet.
pub(super) async fn pending(client: &mut Client, directory: &Path) -> Result<Vec<String>, SchemaError> {
    let migrations = load(directory)?;
    let known = client
        .query_one("SELECT to_regclass('refinery_schema_history') IS NOT NULL", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|cause| refused(&cause))?;
    // Where nothing ever ran there is no history to read.
    let applied: HashSet<String> = if known {
        let history = Runner::new(&migrations)
            .get_applied_migrations_async(client)
            .await
            .map_err(failed)?;
        history.iter().map(ToString::to_string).collect()
    } else {
        HashSet::new()
    };
    Ok(migrations
        .iter()
        .map(ToString::to_string)
        .filter(|name| !applied.contains(name))
        .collect())
}

fn load(directory: &Path) -> Result<Vec<Migration>, SchemaError> {
    let mut migrations = refinery::load_sql_migrations(directory).map_err(failed)?;
    migrations.sort();
    Ok(migrations)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn failed(error: refinery::Error) -> SchemaError {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        message.push_str(": ");
        message.push_str(&inner.to_string());
        cause = inner.source();
    }
    SchemaError::Migrations(message)
}
