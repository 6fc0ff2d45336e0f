//! The directory `.rowstamp`: what belongs to one user and one project.
//!
//! It holds the development key and, in a part of its own, the development database. Nothing in it is needed for
//! anything but development, and all of it may be deleted.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::provision;

/// The directory.
#[derive(Debug, Clone)]
pub(crate) struct StateDirectory(PathBuf);

impl StateDirectory {
    /// Where it is when nothing else is said, relative to the working directory.
    pub(crate) const DEFAULT: &str = ".rowstamp";

    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The secret of this name, made once by `make`; readable by its owner alone. Of several processes that make it
    /// at the same time one wins, and all get the same.
    pub(crate) fn secret_once(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<String, String>,
    ) -> Result<String, String> {
        let path = self.0.join(name);
        let said = |error: io::Error| format!("{}: {error}", path.display());
        match fs::read_to_string(&path) {
            Ok(secret) => return Ok(secret),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(said(error)),
        }
        provision::create_own_directory(&self.0)?;
        let unfinished = self.0.join(format!("{name}.{}", std::process::id()));
        let written = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&unfinished)
            .and_then(|mut file| file.write_all(make().map_err(io::Error::other)?.as_bytes()))
            // A link, unlike a renaming, does not replace what somebody else has put there.
            .and_then(|()| match fs::hard_link(&unfinished, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                other => other,
            });
        let _ = fs::remove_file(&unfinished);
        written.map_err(said)?;
        fs::read_to_string(&path).map_err(said)
    }
}
