//! A PostgreSQL server of one test's own, over TCP, for what a shared one cannot be: restarted, made read-only, given certificates.
//!
//! It needs installed server binaries; where there are none it says so, and the test that wanted it is skipped. The server ends
//! with the value, or with the process.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::served::Directory;
use crate::skip::skip;

/// The user whom servers run as where the tests run as root, which PostgreSQL refuses.
const NOBODY: u32 = 65_534;
/// Ends the server when its standard input does.
const WATCHER: &str = r#""$@" & server=$!; read -r _; kill -s QUIT "$server"; wait "$server""#;

/// A running server. Its superuser is `postgres`, without a password on the loopback address.
#[derive(Debug)]
pub struct PostgresServer {
    directory: Directory,
    port: u16,
    watcher: Child,
}

impl PostgresServer {
    /// A new cluster with these settings; `None`, and a line on standard error, where there are no server binaries.
    ///
    /// # Panics
    /// When the server does not start.
    pub fn start(settings: &[(&str, &str)]) -> Option<Self> {
        Self::start_with_files(settings, &[])
    }

    /// The same with files in the data directory, which only the server can read: certificates, `pg_hba.conf`.
    ///
    /// # Panics
    /// When the server does not start.
    pub fn start_with_files(settings: &[(&str, &str)], files: &[(&str, &str)]) -> Option<Self> {
        let Some(binaries) = binaries() else {
            skip("no installed PostgreSQL server binaries were found");
            return None;
        };
        let directory = Directory::new();
        own(directory.path()).expect("the directory is ours");
        let data = directory.path().join("data");
        let made = as_server_user(Command::new(binaries.join("initdb")).args([
            "-D",
            data.to_str().expect("the path is text"),
            "-N",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        ]))
        .current_dir("/")
        .output()
        .expect("initdb can be run");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        for (name, text) in files {
            let path = data.join(name);
            fs::write(&path, text).expect("the data directory is there");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
            own(&path).expect("the file is ours");
        }
        // Somebody else may take the port between the look and the server's start; hardly ever, and told if so.
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("there is a free port")
            .port();
        let mut server = Command::new("sh");
        server.args(["-c", WATCHER, "sh"]).arg(binaries.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(directory.path());
        server.args(["-p", &port.to_string(), "-h", "127.0.0.1", "-F"]);
        for (name, value) in settings {
            server.arg("-c").arg(format!("{name}={value}"));
        }
        let log = fs::File::create(directory.path().join("log")).expect("the directory is ours");
        let watcher = as_server_user(&mut server)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("there is a shell");
        let server = Self {
            directory,
            port,
            watcher,
        };
        server.wait_until_ready();
        Some(server)
    }

    /// The port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What the server has written to its log so far.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn log(&self) -> String {
        let log = fs::read(self.directory.path().join("log")).expect("the server has a log");
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The connection string for the superuser, without TLS.
    pub fn url(&self) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        )
    }

    /// Runs SQL as the superuser, over the socket, which no setting of `pg_hba.conf` for addresses touches.
    ///
    /// # Panics
    /// When it fails.
    pub async fn sql(&self, sql: &str) -> Vec<tokio_postgres::SimpleQueryMessage> {
        let url = format!(
            "postgres:///postgres?host={}&port={}&user=postgres",
            self.directory.path().display(),
            self.port
        );
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .expect("the server is up");
        tokio::spawn(connection);
        client.simple_query(sql).await.expect("the SQL is right")
    }

    /// Makes every session read-only, as those of a replica are, or lets them write again.
    ///
    /// # Panics
    /// When the server does not take the setting.
    pub async fn set_read_only(&self, read_only: bool) {
        let word = if read_only { "on" } else { "off" };
        self.sql(&format!(
            "ALTER SYSTEM SET default_transaction_read_only = {word}"
        ))
        .await;
        self.sql("SELECT pg_reload_conf()").await;
        for _ in 0..500 {
            let answer = self.sql("SHOW default_transaction_read_only").await;
            let taken = answer.iter().any(|message| {
                matches!(message, tokio_postgres::SimpleQueryMessage::Row(row) if row.get(0) == Some(word))
            });
            if taken {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server does not take the setting");
    }

    fn wait_until_ready(&self) {
        let begun = Instant::now();
        let socket = self.directory.path().join(format!(".s.PGSQL.{}", self.port));
        let pid = self.directory.path().join("data/postmaster.pid");
        // The last line of the file says so.
        while !(socket.exists()
            && fs::read_to_string(&pid).is_ok_and(|text| text.trim_end().ends_with("ready")))
        {
            let log = || fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(20), "no server: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

/// Where the newest installed server is.
fn binaries() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    found.sort();
    found.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    found.extend(["/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from));
    found
        .into_iter()
        .find(|directory| directory.join("initdb").exists() && directory.join("postgres").exists())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Gives a file to the server's user.
///
/// # Errors
/// When it is not ours to give.
pub fn own(path: &Path) -> io::Result<()> {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY))?;
    }
    Ok(())
}

/// Lets a command run as the servers' user where we are root.
pub fn as_server_user(command: &mut Command) -> &mut Command {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
