//! The database of a command: the one that was named, or a private one that is found or started.
//!
//! It creates no tables; `serve` and `migrate` decide about that.

use rowstamp_ports::{Problems, Vars};
use rowstamp_postgres::{PostgresStore, Settings};

use crate::command::Failure;
use crate::provision::{self, ProvisionOptions, Server};
use crate::state::StateDirectory;

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

/// Checks what can be checked before anything is started.
pub(crate) fn check_settings(vars: &Vars, problems: &mut Problems) {
    if vars
        .get("ROWSTAMP_DB_AUTH")
        .is_some_and(|auth| auth != "password")
    {
        problems.report(
            "ROWSTAMP_DB_AUTH",
            "the rowstamp command logs in with a password only",
        );
    }
    if is_named(vars) {
        let _ = Settings::read(vars, problems);
    }
}

impl Database {
    /// Opens it; a private server is found or started, which may take some seconds.
    pub(crate) async fn open(mut vars: Vars, state: &StateDirectory) -> Result<Self, Failure> {
        let private = if is_named(&vars) {
            None
        } else {
            Some(start(&vars, state).await?)
        };
        if let Some(server) = &private {
            vars.set("DATABASE_URL", server.url());
        }
        let mut problems = Problems::new();
        let settings = Settings::read(&vars, &mut problems);
        let settings = problems.into_result(settings)?;
        let description = match &private {
            Some(server) => server.describe().to_owned(),
            None => settings.place(),
        };
        Ok(Self {
            store: PostgresStore::with_password(&settings),
            description,
            private,
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
