//! Runs the DDL for what is missing, in one transaction.

use super::SchemaError;
use super::missing::Missing;
use super::session::Session;
use super::words::refused;

/// Creates everything or nothing.
pub(super) async fn create(session: &Session, missing: &[Missing]) -> Result<(), SchemaError> {
    session.run("BEGIN").await?;
    let client = session.client();
    for Missing { what, sql, .. } in missing {
        if let Err(cause) = client.batch_execute(sql).await {
            // Whether or not it arrives: the connection is closed next, which undoes everything too.
            let _ = session.run("ROLLBACK").await;
            return Err(match refused(&cause) {
                SchemaError::Refused(message) => SchemaError::Refused(format!("{what}: {message}")),
                other => other,
            });
        }
        tracing::info!(what, "created");
    }
    client
        .batch_execute("COMMIT")
        .await
        .map_err(|cause| refused(&cause))
}
