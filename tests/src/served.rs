//! The real `rowstamp` command, run by tests as people run it.
//!
//! Each has a directory and an environment of its own, so that nothing of the machine decides a test.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::binaries::binary;
use crate::http_client::Client;

/// The line that ends the greeting.
const READY: &str = "Ctrl-C stops it.";

/// A directory of its own, removed with the value; other users may pass through it, as a server of theirs must.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// A fresh one.
    ///
    /// # Panics
    /// When it cannot be created.
    #[expect(clippy::new_without_default, reason = "it does something")]
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rowstamp-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the temporary directory can be written");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `rowstamp` with these arguments in this directory, and with nothing of this environment that it would read.
pub fn command(directory: &Directory, arguments: &[&str]) -> Command {
    command_of(&binary("rowstamp-local", "rowstamp"), directory, arguments)
}

/// The same of another program than the usual one.
pub fn command_of(program: &Path, directory: &Directory, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(directory.path())
        .env_clear()
        .stdin(Stdio::null());
    for name in [
        "PATH",
        "HOME",
        "TMPDIR",
        "XDG_CACHE_HOME",
        "ROWSTAMP_POSTGRES_FROM",
    ] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Runs such a command to its end.
///
/// # Panics
/// When it cannot be run.
pub fn run(directory: &Directory, arguments: &[&str]) -> Output {
    command(directory, arguments)
        .output()
        .expect("the program can be run")
}

/// A `rowstamp serve` that is ready; killed with the value.
#[derive(Debug)]
pub struct Served {
    child: Child,
    address: SocketAddr,
    greeting: String,
}

impl Served {
    /// Starts `rowstamp serve` on a free port and waits until it is ready.
    ///
    /// # Panics
    /// When it does not get ready, with its words.
    pub fn start(directory: &Directory, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let program = binary("rowstamp-local", "rowstamp");
        Self::start_program(&program, directory, arguments, variables)
    }

    /// The same with another program than the usual one.
    ///
    /// # Panics
    /// As [`Served::start`].
    pub fn start_program(
        program: &Path,
        directory: &Directory,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut all = vec!["serve"];
        all.extend(arguments);
        if !arguments.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        let log = directory.path().join("log");
        let mut child = command_of(program, directory, &all)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).expect("the log can be written"))
            .spawn()
            .expect("the program can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut greeting = String::new();
        while !greeting.contains(READY) {
            if lines.read_line(&mut greeting).unwrap_or(0) == 0 {
                let _ = child.wait();
                panic!(
                    "it ended before it was ready: {}",
                    fs::read_to_string(&log).unwrap_or_default()
                );
            }
        }
        // Nobody reads on, and a full pipe would hold the program up.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        let address = greeting
            .split_once("served at http://")
            .and_then(|(_, rest)| rest.split(['/', '\n']).next()?.parse().ok())
            .expect("the greeting says where");
        Self {
            child,
            address,
            greeting,
        }
    }

    /// What it said when it was ready.
    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Which process it is.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// A client without a token.
    pub const fn anonymous(&self) -> Client {
        Client::new(self.address)
    }

    /// A client with a development token made by the command itself.
    ///
    /// # Panics
    /// When there is none to be had.
    pub fn client(&self, directory: &Directory, subject: &str, groups: &[&str]) -> Client {
        self.anonymous().with_token(token(directory, subject, groups))
    }

    /// Sends a signal by name.
    ///
    /// # Panics
    /// When the `kill` command is not there.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(sent.expect("there is a kill command").success());
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When it does not come within half a minute.
    pub fn wait(mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A development token of this directory.
///
/// # Panics
/// When the command fails.
pub fn token(directory: &Directory, subject: &str, groups: &[&str]) -> String {
    let mut arguments = vec!["token", subject];
    arguments.extend(groups.iter().flat_map(|group| ["--group", *group]));
    let output = run(directory, &arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .expect("a token is text")
        .trim_end()
        .to_owned()
}
