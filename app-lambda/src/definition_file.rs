//! The definition file of the `bootstrap` binary: where it is, and its text read into a definition.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use rowstamp_domain::definition::{ApiDefinition, toml};
use rowstamp_ports::Vars;

use crate::StartError;

/// Reads the file that `ROWSTAMP_RESOURCES` names, else `resources.toml`; a relative path starts beside the binary, where
/// Lambda unpacks the function.
///
/// # Errors
/// [`StartError::DefinitionFile`] when there is no such file, [`StartError::Definition`] with every mistake in it.
pub fn read_definition(vars: &Vars) -> Result<ApiDefinition, StartError> {
    let name = vars.get("ROWSTAMP_RESOURCES").unwrap_or("resources.toml");
    let path = beside_the_binary(Path::new(name));
    let text = fs::read_to_string(&path).map_err(|cause| StartError::DefinitionFile { path, cause })?;
    toml::parse(name, &text).map_err(StartError::Definition)
}

fn beside_the_binary(path: &Path) -> PathBuf {
    let directory = env::var_os("LAMBDA_TASK_ROOT")
        .map(PathBuf::from)
        .or_else(|| env::current_exe().ok()?.parent().map(Path::to_owned));
    match directory {
        // Joining an absolute path gives that path.
        Some(directory) => directory.join(path),
        None => path.to_owned(),
    }
}
