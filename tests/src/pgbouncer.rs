//! A PgBouncer of one test's own, in transaction mode, where each transaction may get another server connection, or in session mode.

use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio_postgres::config::Host;

use crate::postgres_server::{as_server_user, own};
use crate::served::Directory;
use crate::skip::skip;

/// A running PgBouncer; it ends with the value.
#[derive(Debug)]
pub struct PgBouncer {
    url: String,
    process: Child,
    _directory: Directory,
}

impl PgBouncer {
    /// One in transaction mode in front of this database, with so many server connections; `None`, and a line on standard error, where
    /// PgBouncer is not installed.
    ///
    /// # Panics
    /// When it does not start, or may not be [skipped](skip).
    pub fn start(database_url: &str, server_connections: usize) -> Option<Self> {
        Self::run(database_url, server_connections, "pool_mode = transaction")
    }

    /// One in session mode that does not pass on what a client wants its session to be like, so that it is as the database has it by
    /// default.
    ///
    /// # Panics
    /// When it does not start.
    pub fn with_sessions(database_url: &str, server_connections: usize) -> Option<Self> {
        let mode = "pool_mode = session\nignore_startup_parameters = options";
        Self::run(database_url, server_connections, mode)
    }

    fn run(database_url: &str, server_connections: usize, mode: &str) -> Option<Self> {
        let Some(program) = program() else {
            skip("PgBouncer is not installed");
            return None;
        };
        let config: tokio_postgres::Config = database_url.parse().expect("it is a connection string");
        let host = match config.get_hosts() {
            [Host::Tcp(host), ..] => host.clone(),
            #[cfg(unix)]
            [Host::Unix(path), ..] => path.display().to_string(),
            [] => panic!("the connection string names no server"),
        };
        let mut database = format!(
            "host={host} port={} dbname={} user={}",
            config.get_ports().first().copied().unwrap_or(5432),
            config.get_dbname().expect("a test's database has a name"),
            config.get_user().expect("a test's user has a name"),
        );
        if let Some(password) = config.get_password() {
            let _ = write!(database, " password={}", String::from_utf8_lossy(password));
        }
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("there is a free port")
            .port();
        let directory = Directory::new();
        own(directory.path()).expect("the directory is ours");
        let settings = directory.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\nlibrary = {database}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\n{mode}\ndefault_pool_size = {server_connections}\n\
             max_client_conn = 200\nlogfile = {}\n",
            directory.path().join("log").display()
        );
        fs::write(&settings, text).expect("the directory is ours");
        own(&settings).expect("the file is ours");
        let process = as_server_user(Command::new(program).arg("-q").arg(&settings))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be run");
        let bouncer = Self {
            url: format!("postgres://anybody@127.0.0.1:{port}/library?sslmode=disable"),
            process,
            _directory: directory,
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "PgBouncer does not listen"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(bouncer)
    }

    /// The same database through it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Option<PathBuf> {
    let mut directories: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    directories.push(PathBuf::from("/usr/sbin"));
    directories
        .into_iter()
        .map(|directory| directory.join("pgbouncer"))
        .find(|program| program.exists())
}
