//! The one place that connects.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use rowstamp_ports::{CredentialSource, StoreError};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::{debug, error, warn};

use super::driver::Driver;
use super::line::Line;
use super::live::Live;
use super::settings::{Settings, Statements};
use super::tls::{self, TlsMode};
use crate::errors::Failure;

/// Makes connections, each with a password of its own.
pub(crate) struct Connector {
    config: Config,
    /// How a server is asked again that refused clear text, where `sslmode` is `allow`.
    encrypted: Option<Config>,
    tls: Option<MakeRustlsConnect>,
    credentials: Arc<dyn CredentialSource>,
    timeout: Duration,
    statements: Statements,
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
        let encrypted = (settings.tls == TlsMode::Allow).then(|| {
            let mut config = config.clone();
            config.ssl_mode(SslMode::Require);
            config
        });
        Self {
            config,
            encrypted,
            tls,
            credentials,
            timeout: settings.connect_timeout,
            statements: settings.statements(),
        }
    }

    pub(super) const fn statements(&self) -> Statements {
        self.statements
    }

    /// Connects, and lets the connection run by itself until it is dropped. `moment` is the pool's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], whatever went wrong: nothing was sent that could have been carried out.
    pub(crate) async fn connect(&self, moment: u64) -> Result<Live, Failure> {
        let (client, line) = self.connect_in_time().await?;
        Ok(Live::new(client, line, self.statements, moment))
    }

    /// The same, without what makes it a connection of the pool.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], as [`Connector::connect`].
    pub(crate) async fn connect_client(&self) -> Result<Client, Failure> {
        self.connect_in_time().await.map(|(client, _)| client)
    }

    async fn connect_in_time(&self) -> Result<(Client, Arc<Line>), Failure> {
        // One limit around everything, since a server can fall silent at any step: name, socket, TLS, login, first question.
        if let Ok(result) = tokio::time::timeout(self.timeout, self.log_in()).await {
            return result;
        }
        warn!(
            timeout_ms = self.timeout.as_millis(),
            "connecting to PostgreSQL took too long"
        );
        Err(Failure::for_good(StoreError::Unavailable))
    }

    /// Asks the server, over a connection of its own, to end whatever runs on `client`'s. Ready when it was asked.
    pub(crate) fn cancel(&self, client: &Client) -> JoinHandle<()> {
        let token = client.cancel_token();
        let (tls, timeout) = (self.tls.clone(), self.timeout);
        tokio::spawn(async move {
            let Some(tls) = tls else { return };
            let cancelled = tokio::time::timeout(timeout, token.cancel_query(tls)).await;
            if !matches!(cancelled, Ok(Ok(()))) {
                warn!("a statement could not be cancelled");
            }
        })
    }

    async fn log_in(&self) -> Result<(Client, Arc<Line>), Failure> {
        let attempt = match self.attempt(&self.config).await {
            // A refused password may have been a stale one; a credential source that caches makes a new one. Or it was clear text that
            // was refused: the server has one answer for both.
            Err(Attempt::Rejected) => {
                self.credentials.rejected();
                self.attempt(self.encrypted.as_ref().unwrap_or(&self.config))
                    .await
            }
            attempt => attempt,
        };
        attempt.map_err(|failed| match failed {
            Attempt::Passing => Failure::on_another_connection(StoreError::Unavailable),
            Attempt::Rejected | Attempt::Failed => Failure::for_good(StoreError::Unavailable),
        })
    }

    async fn attempt(&self, config: &Config) -> Result<(Client, Arc<Line>), Attempt> {
        let tls = self.tls.clone().ok_or(Attempt::Failed)?;
        let mut config = config.clone();
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
                let line = Arc::new(Line::new());
                let driver = Driver::new(connection, Arc::clone(&line));
                tokio::spawn(async move {
                    if let Err(cause) = driver.await {
                        debug!(%cause, "a PostgreSQL connection ended");
                    }
                });
                Ok((client, line))
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
                Err(Attempt::of(&cause))
            }
        }
    }
}

/// How one attempt to log in failed; the reason was logged.
enum Attempt {
    /// The password was refused.
    Rejected,
    /// Nobody listened, or the server was going or coming: it may be otherwise in a moment, perhaps at another address.
    Passing,
    /// Anything else.
    Failed,
}

impl Attempt {
    fn of(cause: &tokio_postgres::Error) -> Self {
        let Some(code) = cause.code() else {
            return if cause.is_closed() || of_network(cause).is_some_and(is_passing) {
                Self::Passing
            } else {
                Self::Failed
            };
        };
        match code.code() {
            "28P01" | "28000" => Self::Rejected,
            "57P01" | "57P02" | "57P03" => Self::Passing,
            code if code.starts_with("08") => Self::Passing,
            _ => Self::Failed,
        }
    }
}

/// What the network, or what looked a name up, said of a connection.
pub(crate) fn of_network(cause: &tokio_postgres::Error) -> Option<ErrorKind> {
    let mut source = std::error::Error::source(cause);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}

/// Whether it can be otherwise in a moment: nobody listens or answers, no way leads there, the name is not known at present, which has no
/// kind of its own. Not so what TLS has to say of a certificate, and what is wrong with the address itself.
const fn is_passing(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::Other
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_network_says_passes_and_what_tls_says_stays() {
        for kind in [
            ErrorKind::ConnectionRefused,
            ErrorKind::ConnectionReset,
            ErrorKind::TimedOut,
            ErrorKind::HostUnreachable,
            ErrorKind::NetworkUnreachable,
            ErrorKind::NetworkDown,
            ErrorKind::UnexpectedEof,
            // The socket of a server that is not up yet; a server that became a replica, whose place another may have taken.
            ErrorKind::NotFound,
            ErrorKind::PermissionDenied,
        ] {
            assert!(is_passing(kind), "{kind:?}");
        }
        let unknown_name = std::net::ToSocketAddrs::to_socket_addrs("rowstamp.invalid:5432").err();
        assert!(unknown_name.is_none_or(|error| is_passing(error.kind())));
        assert!(!is_passing(ErrorKind::InvalidData));
    }
}
