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

static FOUND: Mutex<Option<HashMap<[String; 4], PathBuf>>> = Mutex::new(None);

/// The path of the binary `name` of `package`, as the profile of this test run has it; built if need be.
///
/// # Panics
/// When it cannot be built, with the words of the compiler on standard error.
pub fn binary(package: &str, name: &str) -> PathBuf {
    find(package, "--bin", name, own_profile())
}

/// The path of the example `name` of `package`.
///
/// # Panics
/// As [`binary`].
pub fn example(package: &str, name: &str) -> PathBuf {
    find(package, "--example", name, own_profile())
}

/// The path of the example `name` of `package` as a release has it, but for its speed.
///
/// # Panics
/// As [`binary`].
pub fn released_example(package: &str, name: &str) -> PathBuf {
    find(package, "--example", name, "release-unoptimized")
}

/// The profile of this test run.
const fn own_profile() -> &'static str {
    if cfg!(debug_assertions) { "dev" } else { "release" }
}

fn find(package: &str, kind: &str, name: &str, profile: &str) -> PathBuf {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    found
        .get_or_insert_default()
        .entry([package, kind, name, profile].map(str::to_owned))
        .or_insert_with(|| build(package, kind, name, profile))
        .clone()
}

fn build(package: &str, kind: &str, name: &str, profile: &str) -> PathBuf {
    // A cargo that is not the one of the test run would build everything again.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests stand in the workspace");
    let lock = File::create(lock_path(profile)).expect("the build directory can be written");
    lock.lock().expect("the file can be locked");
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["build", "--quiet", "--message-format=json-render-diagnostics"])
        .args(["-p", package, kind, name, "--profile", profile])
        .stderr(Stdio::inherit());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_about_the_test) {
            command.env_remove(name);
        }
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

/// Whether cargo sets a variable for the test that it runs, to say which package it is of. Build scripts that look at such a variable would
/// run again, and what depends on them be built again, here and when the tests are built next.
fn is_about_the_test(variable: &str) -> bool {
    ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_EXE_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
        || [
            "CARGO_CRATE_NAME",
            "CARGO_PRIMARY_PACKAGE",
            "CARGO_TARGET_TMPDIR",
            "OUT_DIR",
        ]
        .contains(&variable)
}

/// A file in the build directory that the running program came from, so that each has a lock of its own. Profiles do not wait for
/// each other: cargo keeps their products apart.
fn lock_path(profile: &str) -> PathBuf {
    build_directory().join(format!("rowstamp-test-binaries-{profile}.lock"))
}

/// The build directory that the running program came from.
///
/// # Panics
/// When the system does not know the running program.
pub fn build_directory() -> PathBuf {
    let program = std::env::current_exe().expect("the system knows the running program");
    program
        .ancestors()
        .find(|directory| directory.join("CACHEDIR.TAG").exists())
        .map_or_else(std::env::temp_dir, Path::to_owned)
}
