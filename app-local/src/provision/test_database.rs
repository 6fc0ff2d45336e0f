//! A database for one test, on whatever server there is; gone when the test is.
//!
//! It makes no tables.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use tokio_postgres::NoTls;

use super::lease::random;
use super::{ProvisionError, ProvisionOptions, Server, find_or_start};

/// An empty database of its own for one test; dropped, with whoever is still connected, when the value is.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
    admin_url: String,
}

impl TestDatabase {
    /// Creates one on the server that all tests share, which is found or started at first use.
    ///
    /// # Panics
    /// Where there is no PostgreSQL and none can be started, with the message that names the ways: a test cannot go
    /// on, and must not pass.
    pub fn create() -> Self {
        match Self::create_on(test_server()) {
            Ok(database) => database,
            Err(error) => panic!("{error}"),
        }
    }

    /// Creates one on this server.
    ///
    /// # Errors
    /// [`ProvisionError::Refused`] where the server does not let us.
    pub fn create_on(server: &Server) -> Result<Self, ProvisionError> {
        let name = format!("rowstamp_test_{}_{:08x}", std::process::id(), random());
        // template0 has no connections that could stand in the way, and is known to be empty.
        execute(
            server.url(),
            &format!("CREATE DATABASE {name} TEMPLATE template0"),
        )
        .map_err(ProvisionError::Refused)?;
        Ok(Self {
            url: server.url_of(&name),
            name,
            admin_url: server.url().to_owned(),
        })
    }

    /// The connection string.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let dropped = execute(
            &self.admin_url,
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        );
        if let Err(error) = dropped {
            // A test may stop the server on purpose; a panic in drop would hide the test's own.
            tracing::warn!(error, name = self.name, "a test database was left behind");
        }
    }
}

/// The server that the tests of this process, and of all others of the same build, share.
///
/// # Panics
/// Where there is none, with the message that names the ways.
pub fn test_server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = ProvisionOptions::throw_away_in(test_directory())
            .with_vars(|name| std::env::var(name).ok())
            .and_then(|options| find_or_start(&options));
        match server {
            Ok(server) => server,
            Err(error) => panic!("{error}"),
        }
    })
}

/// `tmp` in the build directory that the running program was built into, or the system's.
fn test_directory() -> PathBuf {
    let in_target = std::env::current_exe().ok().and_then(|program| {
        program
            .ancestors()
            .find(|directory| directory.join("CACHEDIR.TAG").exists())
            .map(|target| target.join("tmp"))
    });
    in_target.unwrap_or_else(|| std::env::temp_dir().join("rowstamp-tests"))
}

/// Whether a server answers at this address.
pub(super) fn answers(url: &str) -> bool {
    execute(url, "").is_ok()
}

/// Runs one statement on a connection of its own, from wherever we are: inside a runtime too, where one must not
/// block on another; so it has a thread.
fn execute(url: &str, statement: &str) -> Result<(), String> {
    std::thread::scope(|scope| {
        scope
            .spawn(|| execute_here(url, statement))
            .join()
            .unwrap_or_else(|_| Err("the thread ended".to_owned()))
    })
}

fn execute_here(url: &str, statement: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let conversation = async {
        let (client, connection) = tokio_postgres::connect(url, NoTls)
            .await
            .map_err(|error| explain(&error))?;
        let driving = tokio::spawn(connection);
        let outcome = client
            .batch_execute(statement)
            .await
            .map_err(|error| explain(&error));
        drop(client);
        let _ = driving.await;
        outcome
    };
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(20), conversation)
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()))
    })
}

fn explain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
