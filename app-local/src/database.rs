//! The database of a command: the one that was named, or a private one that is found or started.
//!
//! It creates no tables; `serve` and `migrate` decide about that.

use std::sync::Arc;

use rowstamp_ports::{CredentialSource, FixedPassword, Problems, Vars};
use rowstamp_postgres::{Login, PostgresStore, Settings};

use crate::command::Failure;
use crate::provision::{self, ProvisionOptions, Server};
use crate::state::StateDirectory;

/// Which database the settings ask for.
pub(crate) enum Choice {
    /// One that somebody named, and how to log in to it.
    Named {
        settings: Box<Settings>,
        credentials: Arc<dyn CredentialSource>,
    },
    /// Whatever can be found or started.
    Private,
}

/// A database, and the server behind it where that is private.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) store: PostgresStore,
    /// For people: which PostgreSQL, or where it is.
    pub(crate) description: String,
    private: Option<Server>,
}

/// Whether somebody said which database to use, so that none is to be found or started.
pub(crate) fn is_named(vars: &Vars) -> bool {
    Settings::are_given(vars)
}

impl Choice {
    /// Reads it, and reports everything that is known to be wrong before anything is started or connected.
    pub(crate) async fn read(vars: &Vars, problems: &mut Problems) -> Option<Self> {
        if !is_named(vars) {
            if !matches!(vars.get("ROWSTAMP_DB_AUTH"), None | Some("password")) {
                problems.report(
                    "ROWSTAMP_DB_AUTH",
                    "expected password, since no database is named in DATABASE_URL or PGHOST",
                );
            }
            return Some(Self::Private);
        }
        let mut settings = Settings::read(vars, problems)?;
        settings.trust(rowstamp_rds::CERTIFICATE_AUTHORITIES);
        let credentials: Arc<dyn CredentialSource> = match settings.read_login(vars, problems)? {
            Login::Password => Arc::new(FixedPassword(settings.password().cloned())),
            Login::Iam { host, port, user } => iam(host, port, user, vars, problems).await?,
        };
        Some(Self::Named {
            settings: Box::new(settings),
            credentials,
        })
    }
}

/// Tokens signed with the credentials that AWS's tools would use. A first one is made at once: that there are no credentials is
/// better told now than by the first request's 503.
#[cfg(feature = "iam")]
async fn iam(
    host: &str,
    port: u16,
    user: &str,
    vars: &Vars,
    problems: &mut Problems,
) -> Option<Arc<dyn CredentialSource>> {
    let login = rowstamp_rds::IamLogin::from_chain(host, port, user, vars, problems).await?;
    let tokens = rowstamp_rds::IamTokens::new(&login);
    if problems.is_empty()
        && let Err(none) = tokens.password().await
    {
        problems.report("ROWSTAMP_DB_AUTH", none.0);
    }
    Some(Arc::new(tokens))
}

#[cfg(not(feature = "iam"))]
#[expect(clippy::unused_async, reason = "the other one asks for credentials")]
async fn iam(
    _host: &str,
    _port: u16,
    _user: &str,
    _vars: &Vars,
    problems: &mut Problems,
) -> Option<Arc<dyn CredentialSource>> {
    problems.report(
        "ROWSTAMP_DB_AUTH",
        "iam needs a build with the feature iam (cargo install rowstamp-local --features iam)",
    );
    None
}

impl Database {
    /// Opens it; a private server is found or started, which may take some seconds.
    pub(crate) async fn open(choice: Choice, vars: Vars, state: &StateDirectory) -> Result<Self, Failure> {
        match choice {
            Choice::Named {
                settings,
                credentials,
            } => Ok(Self {
                store: PostgresStore::new(&settings, credentials),
                description: settings.place(),
                private: None,
            }),
            Choice::Private => Self::start(vars, state).await,
        }
    }

    async fn start(mut vars: Vars, state: &StateDirectory) -> Result<Self, Failure> {
        let server = start(&vars, state).await?;
        vars.set("DATABASE_URL", server.url());
        let mut problems = Problems::new();
        let settings = Settings::read(&vars, &mut problems);
        let settings = problems.into_result(settings)?;
        Ok(Self {
            store: PostgresStore::with_password(&settings),
            description: server.describe().to_owned(),
            private: Some(server),
        })
    }

    pub(crate) const fn is_private(&self) -> bool {
        self.private.is_some()
    }

    /// How to get at a private database by other means.
    pub(crate) fn private_url(&self) -> Option<&str> {
        self.private.as_ref().map(Server::url)
    }

    /// Closes it; a private server that nobody else uses has stopped afterwards.
    pub(crate) async fn close(self) {
        drop(self.store);
        if let Some(server) = self.private {
            let _ = tokio::task::spawn_blocking(move || server.stop()).await;
        }
    }
}

async fn start(vars: &Vars, state: &StateDirectory) -> Result<Server, Failure> {
    let options = ProvisionOptions::kept_in(state.path())
        .with_vars(|name| vars.get(name).map(str::to_owned))
        .map_err(Failure::of)?;
    let server = tokio::task::spawn_blocking(move || provision::find_or_start(&options))
        .await
        .map_err(Failure::of)?
        .map_err(Failure::of)?;
    for skipped in server
        .skipped()
        .iter()
        .filter(|skipped| skipped.way != provision::Way::Url)
    {
        tracing::info!(way = %skipped.way, reason = skipped.reason, "no PostgreSQL this way");
    }
    Ok(server)
}
