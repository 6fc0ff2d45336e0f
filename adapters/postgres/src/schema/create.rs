//! Runs the DDL for what is missing, in one transaction.

use super::SchemaError;
use super::missing::Missing;
use super::session::{Session, refused};

/// Creates everything or nothing.
pub(super) async fn create(session: &Session, missing: &[Missing]) -> Result<(), SchemaError> {
    let client = session.client();
    client.batch_execute("BEGIN").await.map_err(refused)?;
    for Missing { what, sql, .. } in missing {
        if let Err(cause) = client.batch_execute(sql).await {
            let refusal = refused(cause);
            // Whether or not it arrives: the connection is closed next, which undoes everything too.
            let _ = client.batch_execute("ROLLBACK").await;
            return Err(match refusal {
                SchemaError::Refused(message) => SchemaError::Refused(format!("{what}: {message}")),
                other => other,
            });
        }
        tracing::info!(what, "created");
    }
    client.batch_execute("COMMIT").await.map_err(refused)
}
