//! Migration files, run by refinery, which takes no lock of its own: the caller holds one.

use std::collections::HashSet;
use std::path::Path;

use refinery::{Migration, Runner};
use tokio_postgres::Client;

use super::SchemaError;
use super::words::{failed, refused};

/// Runs what was not run yet, each file in a transaction of its own.
pub(super) async fn run(client: &mut Client, directory: &Path) -> Result<Vec<String>, SchemaError> {
    let migrations = load(directory)?;
    let report = Runner::new(&migrations)
        .run_async(client)
        .await
        .map_err(|error| failed(&error))?;
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
            .map_err(|error| failed(&error))?;
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
    let mut migrations = refinery::load_sql_migrations(directory).map_err(|error| failed(&error))?;
    migrations.sort();
    Ok(migrations)
}
