//! The binaries that tests drive: built once per test run, found by asking cargo.
//!
//! Several test processes may ask at once; a lock on a file lets one build while the others wait. Cargo then finds
//! nothing to do, which is quick.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

static FOUND: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);

/// The path of the binary `name` of `package`, as the profile of this test run has it; built if need be.
///
/// # Panics
/// When it cannot be built, with the words of the compiler on standard error.
pub fn binary(package: &str, name: &str) -> PathBuf {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let key = format!("{package}/{name}");
    found
        .get_or_insert_default()
        .entry(key)
        .or_insert_with(|| build(package, name))
        .clone()
}

fn build(package: &str, name: &str) -> PathBuf {
    // A cargo that is not the one of the test run would build everything again.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests stand in the workspace");
    let lock = File::create(std::env::temp_dir().join(format!("rowstamp-build-{}.lock", lock_name(root))))
        .expect("the temporary directory can be written");
    lock.lock().expect("the file can be locked");
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args([
            "build",
            "--quiet",
            "--message-format=json-render-diagnostics",
            "-p",
            package,
            "--bin",
            name,
        ])
        .stderr(Stdio::inherit());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.output().expect("cargo can be run");
    assert!(output.status.success(), "{name} of {package} cannot be built");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .unwrap_or_else(|| panic!("cargo did not say where {name} is"))
}

/// One lock for each checkout.
fn lock_name(root: &Path) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    root.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
