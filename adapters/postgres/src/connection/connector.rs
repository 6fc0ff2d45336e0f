//! The one place that connects.

use std::sync::Arc;
use std::time::Duration;

use rowstamp_ports::{CredentialSource, StoreError};
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::{debug, error, warn};

use super::settings::Settings;
use super::tls;

/// Makes connections, each with a password of its own.
pub(crate) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    credentials: Arc<dyn CredentialSource>,
    timeout: Duration,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Connector {
    pub(crate) fn new(settings: &Settings, credentials: Arc<dyn CredentialSource>) -> Self {
        let mut config = settings.config.clone();
        // Each connection is given one by the credential source.
        config.password("");
        let tls = match tls::connector(settings.tls, &settings.roots) {
            Ok(tls) => Some(tls),
            Err(cause) => {
                error!(%cause, "TLS cannot be set up");
                None
            }
        };
        Self {
            config,
            tls,
            credentials,
            timeout: settings.connect_timeout,
        }
    }

    /// Connects, and lets the connection run by itself until its client is dropped.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], whatever went wrong: nothing was sent that could have been carried out.
    pub(crate) async fn connect(&self) -> Result<Client, StoreError> {
        if let Ok(result) = tokio::time::timeout(self.timeout, self.log_in()).await {
            return result;
        }
        warn!(
            timeout_ms = self.timeout.as_millis(),
            "connecting to PostgreSQL took too long"
        );
        Err(StoreError::Unavailable)
    }

    /// Asks the server, over a connection of its own, to end whatever runs on `client`'s.
    pub(crate) fn cancel(&self, client: &Client) {
        let token = client.cancel_token();
        if let Some(tls) = self.tls.clone() {
            let timeout = self.timeout;
            tokio::spawn(async move {
                let cancelled = tokio::time::timeout(timeout, token.cancel_query(tls)).await;
                if !matches!(cancelled, Ok(Ok(()))) {
                    warn!("a statement could not be cancelled");
                }
            });
        }
    }

    async fn log_in(&self) -> Result<Client, StoreError> {
        // A refused password may have been a stale one; a credential source that caches makes a new one.
        match self.attempt().await {
            Err(Attempt::Rejected) => {
                self.credentials.rejected();
                self.attempt().await.map_err(|_| StoreError::Unavailable)
            }
            result => result.map_err(|_| StoreError::Unavailable),
        }
    }

    async fn attempt(&self) -> Result<Client, Attempt> {
        let tls = self.tls.clone().ok_or(Attempt::Failed)?;
        let mut config = self.config.clone();
        match self.credentials.password().await {
            Ok(Some(password)) => {
                config.password(password.expose());
            }
            Ok(None) => {}
            Err(cause) => {
                error!(%cause, "no credentials for PostgreSQL");
                return Err(Attempt::Failed);
            }
        }
        match config.connect(tls).await {
            Ok((client, connection)) => {
                tokio::spawn(async move {
                    if let Err(cause) = connection.await {
                        debug!(%cause, "a PostgreSQL connection ended");
                    }
                });
                Ok(client)
            }
            Err(cause) => {
                let hosts = self
                    .config
                    .get_hosts()
                    .iter()
                    .map(host_name)
                    .collect::<Vec<_>>()
                    .join(",");
                warn!(%hosts, cause = %Chain(&cause), "cannot connect to PostgreSQL");
                let rejected = [
                    &SqlState::INVALID_PASSWORD,
                    &SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                ];
                if cause.code().is_some_and(|code| rejected.contains(&code)) {
                    Err(Attempt::Rejected)
                } else {
                    Err(Attempt::Failed)
                }
            }
        }
    }
}

/// How one attempt to log in failed; the reason was logged.
enum Attempt {
    /// The password was refused.
    Rejected,
    /// Anything else.
    Failed,
}

fn host_name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

/// An error and everything that caused it.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
