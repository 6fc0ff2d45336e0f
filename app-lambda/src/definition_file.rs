//! The definition file of the `bootstrap` binary: where it is, and its text read into an API.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use rowstamp_rest::Api;

use crate::error::StartError;

/// Reads the file that `ROWSTAMP_RESOURCES` names, else `resources.toml`; a relative path starts beside the binary, where
/// Lambda unpacks the function.
///
/// # Errors
/// [`StartError::DefinitionFile`] when there is no such file, [`StartError::Definition`] with every mistake in it.
pub(crate) fn read() -> Result<Api, StartError> {
    let named = env::var_os("ROWSTAMP_RESOURCES").filter(|name| !name.is_empty());
    let name = named.map_or_else(|| PathBuf::from("resources.toml"), PathBuf::from);
    let path = beside_the_binary(&name);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) => return Err(StartError::DefinitionFile { path, cause }),
    };
    Api::from_toml(&name.to_string_lossy(), &text).map_err(StartError::Definition)
}

/// The path itself when it is absolute.
pub(crate) fn beside_the_binary(path: &Path) -> PathBuf {
    let directory = env::var_os("LAMBDA_TASK_ROOT")
        .map(PathBuf::from)
        .or_else(|| env::current_exe().ok()?.parent().map(Path::to_owned));
    match directory {
        // Joining an absolute path gives that path.
        Some(directory) => directory.join(path),
        None => path.to_owned(),
    }
}
