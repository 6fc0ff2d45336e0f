//! Directories for servers and fetched binaries, and whose they are.
//!
//! PostgreSQL refuses to run as root. There the server runs as nobody, in directories that belong to nobody, below
//! parents that everybody may pass through.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::at;

/// `nobody` on every Linux that follows the Linux Standard Base; the number need not have a name.
const NOBODY: u32 = 65534;

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Makes a command run as the user that may run PostgreSQL.
pub(super) fn as_server_user(command: &mut Command) -> &mut Command {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY)
    } else {
        command
    }
}

/// Creates a directory that only the server's user can look into; its parent is there.
pub(super) fn create_for_server(directory: &Path) -> Result<(), String> {
    DirBuilder::new()
        .mode(0o700)
        .create(directory)
        .map_err(at(directory))?;
    give_to_server(directory)
}

/// The directory where Rowstamp keeps what belongs to one user and one project, created where missing.
///
/// Nobody else can look into it. A server that root starts passes through it, without reading it.
pub(super) fn create_own(directory: &Path) -> Result<(), String> {
    if !directory.exists() {
        if let Some(parent) = directory.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        let mode = if is_root() { 0o711 } else { 0o700 };
        // Another process may be faster.
        if let Err(error) = DirBuilder::new().mode(mode).create(directory)
            && !directory.exists()
        {
            return Err(at(directory)(error));
        }
    }
    Ok(())
}

/// Hands a file or directory over to the server's user.
pub(super) fn give_to_server(path: &Path) -> Result<(), String> {
    if is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).map_err(at(path))?;
    }
    Ok(())
}

/// `name` in `directory`, created for the server, or in another place for the same purpose where the server's user
/// cannot get there.
pub(super) fn server_directory(directory: &Path, name: &str) -> Result<PathBuf, String> {
    let mut wanted = std::path::absolute(directory).map_err(at(directory))?;
    create_own(&wanted)?;
    wanted.push(name);
    if is_root() && !others_may_pass(&wanted) {
        let flat = wanted.to_string_lossy().replace('/', "-");
        wanted = Path::new("/var/lib/rowstamp").join(flat.trim_start_matches('-'));
        fs::create_dir_all("/var/lib/rowstamp").map_err(at(Path::new("/var/lib/rowstamp")))?;
    }
    if !wanted.exists() {
        // Another process may be faster.
        create_for_server(&wanted).or_else(|error| if wanted.exists() { Ok(()) } else { Err(error) })?;
    }
    Ok(wanted)
}

/// Refuses to begin with nothing where rows were kept by another server: they would seem to be lost.
pub(super) fn refuse_beside_others(house: &Path, own: &str) -> Result<(), String> {
    let keeps = |name: &str| {
        name == "container" || (name.starts_with("data-") && name.strip_suffix(".new").is_none())
    };
    if house.join(own).exists() {
        return Ok(());
    }
    let entries = fs::read_dir(house).map_err(at(house))?.flatten();
    let mut others = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| keeps(name));
    match others.next() {
        None => Ok(()),
        Some(other) => Err(format!(
            "the rows are in {}, which another PostgreSQL wrote; delete it to begin anew",
            house.join(other).display()
        )),
    }
}

/// Whether every parent that exists lets other users through.
fn others_may_pass(path: &Path) -> bool {
    path.ancestors().skip(1).all(|parent| match fs::metadata(parent) {
        Ok(parent) => parent.mode() & 0o001 != 0,
        Err(_) => true,
    })
}

/// Where fetched binaries are kept for next time.
pub(super) fn cache() -> Result<PathBuf, String> {
    let home = std::env::var_os("HOME")
        .filter(|home| !home.is_empty())
        .map(PathBuf::from);
    let own = if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library/Caches"))
    } else {
        std::env::var_os("XDG_CACHE_HOME")
            .filter(|cache| Path::new(cache).is_absolute())
            .map(PathBuf::from)
            .or_else(|| home.map(|home| home.join(".cache")))
    };
    match own {
        Some(own) if !is_root() || others_may_pass(&own.join("rowstamp")) => Ok(own.join("rowstamp")),
        _ if is_root() => Ok(PathBuf::from("/var/cache/rowstamp")),
        _ => Err("there is no HOME to keep fetched binaries in".to_owned()),
    }
}
