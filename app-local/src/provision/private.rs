//! A private server from server binaries: its data directory and its command line.
//!
//! Who uses it, and when it ends, is the business of [`super::lease`].

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::lease::{self, Plan, Room};
use super::{Binaries, Keep, at, places, server_url};

/// The longest path of a Unix socket that every system takes (macOS: 104 bytes with the final zero).
const SOCKET_PATH_MAX_BYTES: usize = 100;
const SOCKET_NAME: &str = "/.s.PGSQL.5432";

/// Where kept data of a major version is, below the server's directory.
pub(super) fn data_name(major: u32) -> String {
    format!("data-{major}")
}

pub(super) fn start(binaries: &Binaries, room: &Room<'_>) -> Result<Plan, String> {
    let keep = room.options.keep;
    if keep == Keep::Data {
        places::refuse_beside_others(room.house, &data_name(binaries.major()))?;
    }
    let data = match keep {
        Keep::Data => room.house.join(data_name(binaries.major())),
        Keep::Nothing => room.path.join("data"),
    };
    if data.join("PG_VERSION").exists() {
        wait_for_predecessor(&data)?;
    } else {
        initialise(binaries, &data, keep)?;
    }
    let (socket, extra) = socket_directory(room.path)?;

    let mut command: Vec<OsString> = vec![binaries.bin.join("postgres").into()];
    command.extend(["-D".into(), data.into(), "-k".into(), socket.clone().into()]);
    let settings: &[&str] = match keep {
        Keep::Data => &["listen_addresses=", "port=5432"],
        Keep::Nothing => &[
            "listen_addresses=",
            "port=5432",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "autovacuum=off",
            "max_connections=300",
            "max_wal_size=4GB",
        ],
    };
    for setting in settings {
        command.extend(["-c".into(), OsString::from(setting)]);
    }
    let url = server_url::of_socket(&socket);
    let waited_for = socket.join(&SOCKET_NAME[1..]);
    Ok(Plan {
        command,
        variables: Vec::new(),
        // Fast shutdown writes everything out; what is thrown away need not be written.
        stop: if keep == Keep::Data { "INT" } else { "QUIT" }.to_owned(),
        drop_root: true,
        description: format!("PostgreSQL {}, {}", binaries.version, binaries.origin),
        socket_directory: extra,
        url: Box::new(move || waited_for.exists().then(|| url.clone())),
    })
}

fn initialise(binaries: &Binaries, data: &Path, keep: Keep) -> Result<(), String> {
    // Made beside and renamed, so that an interrupted start leaves no half of a database behind.
    let unfinished = data.with_extension("new");
    let _ = fs::remove_dir_all(&unfinished);
    places::create_for_server(&unfinished)?;
    let mut command = Command::new(binaries.bin.join("initdb"));
    command
        .arg("-D")
        .arg(&unfinished)
        .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"])
        .current_dir("/")
        .stdin(Stdio::null());
    if keep == Keep::Nothing {
        command.arg("-N");
    }
    lease::clean_environment(&mut command);
    let output = places::as_server_user(&mut command)
        .output()
        .map_err(at(&binaries.bin.join("initdb")))?;
    if !output.status.success() {
        let _ = fs::remove_dir_all(&unfinished);
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "initdb of {} failed{}",
            binaries.bin.display(),
            lease::last_lines(&said)
        ));
    }
    fs::rename(&unfinished, data).map_err(at(data))
}

/// A server of an earlier run may still be writing its last page.
fn wait_for_predecessor(data: &Path) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        let pid = text.lines().next().unwrap_or_default().trim();
        if pid.is_empty() || !lease::is_alive(pid) {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(15) {
            return Err(format!("process {pid} is using {}", data.display()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The room itself, or a short directory elsewhere when the path would be too long for a socket; in that case also
/// what must be removed afterwards.
fn socket_directory(room: &Path) -> Result<(PathBuf, Option<PathBuf>), String> {
    if room.as_os_str().len() + SOCKET_NAME.len() <= SOCKET_PATH_MAX_BYTES {
        return Ok((room.to_owned(), None));
    }
    let short = PathBuf::from(format!("/tmp/rowstamp-{:08x}", lease::random()));
    places::create_for_server(&short)?;
    Ok((short.clone(), Some(short)))
}
