//! Servers that several processes share, each for as long as the kernel knows that it lives.
//!
//! What is started, and how it is stopped, is the business of [`super::private`] and [`super::docker`].
//!
//! A directory holds a lock file and one room per server, `s-<random>`:
//! - `lease`: a FIFO. Its reading end is the standard input of the server's watcher; whoever uses the server keeps
//!   it open for writing, and nobody ever writes. When the last one is gone the watcher reads the end of the file.
//! - `server.json`: how to connect. It is written last, when the server answers, and removed first.
//! - `used`: made anew by everybody who takes a lease, so that the watcher sees a newcomer in its moment of grace.
//!
//! Who joins opens the FIFO first and then looks whether `server.json` is still there; the watcher removes that file
//! first and then looks whether somebody still has the FIFO open. So one of them always sees the other.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Keep, ProvisionOptions, Server, Way, at, places, test_database};

/// Runs a server until its standard input ends. Arguments: grace in seconds, the room, a socket's directory
/// elsewhere or nothing, the signal or command that stops the server, then the server's own command line.
const WATCHER: &str = include_str!("watcher.sh");

/// How long a server may take until it answers; a slow disk and a first container included.
const START_LIMIT: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    way: String,
    url: String,
    description: String,
}

/// A claim on a server: while it lives, the server does.
#[derive(Debug)]
pub(super) struct Lease {
    fifo: File,
    room: PathBuf,
    grace: Duration,
}

impl Lease {
    /// Gives the claim up; waits for the end of the server unless others hold claims too.
    pub(super) fn release(self) {
        let Self { fifo, room, grace } = self;
        drop(fifo);
        let begun = Instant::now();
        // After its moment of grace the watcher withdraws the state when nobody is left, and the room last of all.
        while room.exists() {
            let waited = begun.elapsed();
            let others = waited > grace + Duration::from_millis(500) && room.join("server.json").exists();
            if others || waited > Duration::from_secs(20) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What a way needs to know to start a server.
pub(super) struct Room<'a> {
    pub(super) options: &'a ProvisionOptions,
    /// The directory that all rooms are in.
    pub(super) house: &'a Path,
    /// A fresh directory for this server, removed after it.
    pub(super) path: &'a Path,
}

/// What a way says to have a server run.
pub(super) struct Plan {
    /// The server, in the foreground.
    pub(super) command: Vec<std::ffi::OsString>,
    /// Variables for it.
    pub(super) variables: Vec<(String, String)>,
    /// A signal's name, or a command line.
    pub(super) stop: String,
    /// Whether it must not be root.
    pub(super) drop_root: bool,
    pub(super) description: String,
    /// A directory outside the room that is to be removed with it.
    pub(super) socket_directory: Option<PathBuf>,
    /// Where it answers; asked until it does, since a container learns its port late.
    pub(super) url: Box<dyn Fn() -> Option<String>>,
}

/// Takes a lease on a server that runs already, or starts one.
pub(super) fn join_or_start(
    options: &ProvisionOptions,
    way: Way,
    plan: impl FnOnce(&Room<'_>) -> Result<Plan, String>,
) -> Result<Server, String> {
    let house = places::server_directory(&options.directory, "postgres")?;
    let lock_path = house.join("lock");
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(at(&lock_path))?;
    // Whoever comes while a server starts waits here and then joins it.
    lock.lock().map_err(at(&lock_path))?;
    for room in rooms(&house) {
        if let Some((state, lease)) = join(&room, way, options.grace()) {
            return Ok(server(way, state, lease));
        }
    }
    if options.keep == Keep::Nothing {
        remove_abandoned(&house);
    }
    start(options, way, &house, plan)
}

fn rooms(house: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(house) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"s-"))
        .map(|entry| entry.path())
        .collect()
}

fn read_state(room: &Path) -> Option<State> {
    serde_json::from_slice(&fs::read(room.join("server.json")).ok()?).ok()
}

fn join(room: &Path, way: Way, grace: Duration) -> Option<(State, Lease)> {
    let state = read_state(room).filter(|state| state.way == way.name())?;
    let fifo = open_fifo(&room.join("lease")).ok()?;
    File::create(room.join("used")).ok()?;
    // Not before the FIFO is open: see the module's words about the order.
    let same = read_state(room).as_ref() == Some(&state);
    (same && test_database::answers(&state.url)).then(|| {
        (
            state,
            Lease {
                fifo,
                room: room.to_owned(),
                grace,
            },
        )
    })
}

/// Opened for both, since opening for writing alone waits for a reader.
fn open_fifo(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

fn server(way: Way, state: State, lease: Lease) -> Server {
    Server {
        url: state.url,
        way,
        description: state.description,
        skipped: Vec::new(),
        lease: Some(lease),
    }
}

/// Removes the rooms of servers that died together with their watcher, as after a power cut.
fn remove_abandoned(house: &Path) {
    for room in rooms(house) {
        let pid = fs::read_to_string(room.join("watcher.pid")).unwrap_or_default();
        if !is_alive(pid.trim()) {
            let _ = fs::remove_dir_all(&room);
        }
    }
}

/// Whether a process of this id is there.
pub(super) fn is_alive(pid: &str) -> bool {
    pid.parse()
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .is_some_and(|pid| {
            // A process of another user is alive too.
            !matches!(
                rustix::process::test_kill_process(pid),
                Err(rustix::io::Errno::SRCH)
            )
        })
}

fn start(
    options: &ProvisionOptions,
    way: Way,
    house: &Path,
    plan: impl FnOnce(&Room<'_>) -> Result<Plan, String>,
) -> Result<Server, String> {
    let room = house.join(format!("s-{:08x}", random()));
    places::create_for_server(&room)?;
    let begun = begin(options, way, house, &room, plan);
    if begun.is_err() {
        let _ = fs::remove_dir_all(&room);
    }
    begun
}

fn begin(
    options: &ProvisionOptions,
    way: Way,
    house: &Path,
    room: &Path,
    plan: impl FnOnce(&Room<'_>) -> Result<Plan, String>,
) -> Result<Server, String> {
    let plan = plan(&Room {
        options,
        house,
        path: room,
    })?;
    let (lease, mut watcher) = spawn(options, room, &plan)?;
    let outcome = wait_until_it_answers(&mut watcher, &plan, room).and_then(|url| {
        let state = State {
            way: way.name().to_owned(),
            url,
            description: plan.description.clone(),
        };
        write_state(room, &state)?;
        Ok(state)
    });
    match outcome {
        Ok(state) => Ok(server(way, state, lease)),
        Err(reason) => {
            lease.release();
            let _ = watcher.wait();
            Err(reason)
        }
    }
}

fn spawn(options: &ProvisionOptions, room: &Path, plan: &Plan) -> Result<(Lease, Child), String> {
    use std::os::unix::process::CommandExt;

    let path = room.join("lease");
    let made = Command::new("mkfifo").arg("-m").arg("600").arg(&path).status();
    if !made.as_ref().is_ok_and(ExitStatus::success) {
        return Err(format!("mkfifo {} failed", path.display()));
    }
    places::give_to_server(&path)?;
    let fifo = open_fifo(&path).map_err(at(&path))?;
    let reader = File::open(&path).map_err(at(&path))?;
    let log_path = room.join("log");
    let log = File::create(&log_path).map_err(at(&log_path))?;

    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", WATCHER, "rowstamp-postgres"])
        .arg(options.grace().as_secs().to_string())
        .arg(room)
        .arg(plan.socket_directory.as_deref().unwrap_or(Path::new("")))
        .arg(&plan.stop)
        .args(&plan.command)
        .current_dir("/")
        // A Ctrl-C at the terminal is for us; the server ends after the last request.
        .process_group(0)
        .stdin(reader)
        .stdout(log.try_clone().map_err(at(&log_path))?)
        .stderr(log);
    clean_environment(&mut command);
    command.envs(plan.variables.iter().map(|(name, value)| (name, value)));
    if plan.drop_root {
        places::as_server_user(&mut command);
    }
    let child = command.spawn().map_err(at(Path::new("/bin/sh")))?;
    let pid_path = room.join("watcher.pid");
    fs::write(&pid_path, child.id().to_string()).map_err(at(&pid_path))?;
    Ok((
        Lease {
            fifo,
            room: room.to_owned(),
            grace: options.grace(),
        },
        child,
    ))
}

/// A server of ours obeys no `PGDATA` or `PGPORT` that is meant for another.
pub(super) fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C").env_remove("DATABASE_URL");
}

fn wait_until_it_answers(watcher: &mut Child, plan: &Plan, room: &Path) -> Result<String, String> {
    let begun = Instant::now();
    loop {
        if let Some(url) = (plan.url)()
            && test_database::answers(&url)
        {
            return Ok(url);
        }
        let ended = watcher.try_wait().ok().flatten().is_some();
        if ended || begun.elapsed() > START_LIMIT {
            let how = if ended {
                "ended at once"
            } else {
                "did not answer in time"
            };
            // The room may be gone with the watcher, and the log with it.
            let log = fs::read_to_string(room.join("log")).unwrap_or_default();
            return Err(format!("{} {how}{}", plan.description, last_lines(&log)));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The end of a log, on one line.
pub(super) fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(3)..];
    if last.is_empty() {
        String::new()
    } else {
        format!(": {}", last.join(" / "))
    }
}

/// Whole or not at all, and readable by its owner alone: a container's URL has a password.
fn write_state(room: &Path, state: &State) -> Result<(), String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let (unfinished, path) = (room.join("server.json.new"), room.join("server.json"));
    let text = serde_json::to_vec(state).expect("three strings can be written as JSON");
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| file.write_all(&text))
        .and_then(|()| fs::rename(&unfinished, &path))
        .map_err(at(&path))
}

/// Something that no other process thinks of at the same time.
pub(super) fn random() -> u32 {
    let bytes = uuid::Uuid::now_v7();
    // The last bytes of a version 7 UUID are random.
    u32::from_be_bytes(
        bytes.as_bytes()[12..]
            .try_into()
            .expect("a UUID has sixteen bytes"),
    )
}
