//! A server in a container, through the command line of whatever engine answers to `docker`.
//!
//! It builds no image and leaves nothing running: the container is removed with the last lease.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::lease::{self, Plan, Room};
use super::{Keep, at, places};

/// Pinned to a minor version, so that a data volume never meets an older server than the one that wrote it.
const IMAGE: &str = "postgres:18.4";

/// The file that names a directory's volume.
const KEPT: &str = "container";

pub(super) fn start(room: &Room<'_>) -> Result<Plan, String> {
    let engine = engine_version()?;
    if room.options.keep == Keep::Data {
        places::refuse_beside_others(room.house, KEPT)?;
    }
    fetch_image()?;
    let name = format!("rowstamp-{:08x}", lease::random());
    let mut command: Vec<String> = [
        "docker",
        "run",
        "--rm",
        "--name",
        &name,
        "-e",
        "POSTGRES_PASSWORD",
    ]
    .map(str::to_owned)
    .to_vec();
    // An engine chooses a free port itself; nobody but this machine reaches it.
    command.extend(["-p".to_owned(), "127.0.0.1::5432".to_owned()]);
    let password = match room.options.keep {
        Keep::Data => {
            let (volume, password) = kept(room.house)?;
            command.extend(["-v".to_owned(), format!("{volume}:/var/lib/postgresql")]);
            password
        }
        Keep::Nothing => {
            command.extend(["--tmpfs".to_owned(), "/var/lib/postgresql".to_owned()]);
            new_password()
        }
    };
    command.push(IMAGE.to_owned());
    if room.options.keep == Keep::Nothing {
        for setting in [
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=300",
        ] {
            command.extend(["-c".to_owned(), setting.to_owned()]);
        }
    }
    let stop = match room.options.keep {
        Keep::Data => format!("docker stop {name}"),
        Keep::Nothing => format!("docker kill {name}"),
    };
    let secret = password.clone();
    Ok(Plan {
        command: command.into_iter().map(Into::into).collect(),
        variables: vec![("POSTGRES_PASSWORD".to_owned(), password)],
        stop,
        drop_root: false,
        description: format!("{IMAGE} in a container of Docker {engine}"),
        socket_directory: None,
        url: Box::new(move || {
            let port = published_port(&name)?;
            Some(format!(
                "postgres://postgres:{secret}@127.0.0.1:{port}/postgres?sslmode=disable"
            ))
        }),
    })
}

fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|_| "there is no docker command".to_owned())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "docker {} failed{}",
            arguments[0],
            lease::last_lines(&said)
        ))
    }
}

fn engine_version() -> Result<String, String> {
    docker(&["version", "--format", "{{.Server.Version}}"]).map_err(|reason| {
        if reason.starts_with("there") {
            reason
        } else {
            "no Docker engine answers".to_owned()
        }
    })
}

fn fetch_image() -> Result<(), String> {
    if docker(&["image", "inspect", IMAGE]).is_err() {
        tracing::info!(image = IMAGE, "fetching a container image, once");
        docker(&["pull", "--quiet", IMAGE])?;
    }
    Ok(())
}

/// The port of `127.0.0.1:49153`, once the container runs.
fn published_port(name: &str) -> Option<u16> {
    docker(&["port", name, "5432/tcp"])
        .ok()?
        .lines()
        .next()?
        .rsplit(':')
        .next()?
        .parse()
        .ok()
}

/// The volume that belongs to a directory, and its password, which the image sets only once.
fn kept(house: &Path) -> Result<(String, String), String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let path = house.join(KEPT);
    if let Ok(text) = fs::read_to_string(&path)
        && let Some((volume, password)) = text.trim().split_once(' ')
    {
        return Ok((volume.to_owned(), password.to_owned()));
    }
    let (volume, password) = (format!("rowstamp-data-{:08x}", lease::random()), new_password());
    fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| writeln!(file, "{volume} {password}"))
        .map_err(at(&path))?;
    Ok((volume, password))
}

fn new_password() -> String {
    format!(
        "{:08x}{:08x}{:08x}{:08x}",
        lease::random(),
        lease::random(),
        lease::random(),
        lease::random()
    )
}
