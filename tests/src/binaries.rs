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

static FOUND: Mutex<Option<HashMap<Wanted, PathBuf>>> = Mutex::new(None);

/// A program that cargo can build.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Wanted {
    of: Of,
    name: String,
    profile: &'static str,
}

/// Where a program belongs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Of {
    /// The binaries of a package.
    Bins(String),
    /// The examples of a package.
    Examples(String),
    /// The binaries of the applications, with every feature that they have.
    Featured,
}

/// The path of the binary `name` of `package`, as the profile of this test run has it; built if need be.
///
/// # Panics
/// When it cannot be built, with the words of the compiler on standard error.
pub fn binary(package: &str, name: &str) -> PathBuf {
    find(Of::Bins(package.to_owned()), name, own_profile())
}

/// The path of the example `name` of `package`.
///
/// # Panics
/// As [`binary`].
pub fn example(package: &str, name: &str) -> PathBuf {
    find(Of::Examples(package.to_owned()), name, own_profile())
}

/// The path of the example `name` of `package` as a release has it, but for its speed.
///
/// # Panics
/// As [`binary`].
pub fn released_example(package: &str, name: &str) -> PathBuf {
    find(Of::Examples(package.to_owned()), name, UNOPTIMIZED)
}

/// The path of `bootstrap` or `rowstamp` with every feature on.
///
/// # Panics
/// As [`binary`].
pub fn featured_binary(name: &str) -> PathBuf {
    find(Of::Featured, name, own_profile())
}

/// The profile of a release without the minutes that its optimisation takes.
const UNOPTIMIZED: &str = "release-unoptimized";

/// The profile of this test run.
const fn own_profile() -> &'static str {
    if cfg!(debug_assertions) { "dev" } else { "release" }
}

fn find(of: Of, name: &str, profile: &'static str) -> PathBuf {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = Wanted {
        of,
        name: name.to_owned(),
        profile,
    };
    found
        .get_or_insert_default()
        .entry(wanted.clone())
        .or_insert_with(|| build(&wanted))
        .clone()
}

fn build(wanted: &Wanted) -> PathBuf {
    let Wanted { of, name, profile } = wanted;
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
        .args(["--profile", profile])
        .stderr(Stdio::inherit());
    if *profile == UNOPTIMIZED {
        command.env("CARGO_ENCODED_RUSTFLAGS", unoptimized_flags());
    }
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_about_the_test) {
            command.env_remove(name);
        }
    }
    match of {
        Of::Bins(package) => command.args(["-p", package, "--bin", name]),
        Of::Examples(package) => command.args(["-p", package, "--example", name]),
        // The finished programs go to a directory of their own, so that everybody else's stay as they are; what is compiled on the
        // way stays where everybody's is, so that nothing is compiled twice. Both are built at once, for the same reason.
        Of::Featured => command
            .args(["-p", "rowstamp-lambda", "-p", "rowstamp-local", "--bins"])
            .args(["--features", FEATURES, "--target-dir"])
            .arg(build_directory().join("featured"))
            .env("CARGO_BUILD_BUILD_DIR", build_directory()),
    };
    let output = command.output().expect("cargo can be run");
    assert!(output.status.success(), "{name} of {of:?} cannot be built");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == *name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .unwrap_or_else(|| panic!("cargo did not say where {name} is"))
}

/// What the compiler is told besides. A profile takes over the levels that the one it inherits from has for single packages, and cannot
/// take them back.
fn unoptimized_flags() -> String {
    const SEPARATOR: &str = "\u{1f}";
    let given = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_else(|_| {
        let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
        flags.split_whitespace().collect::<Vec<_>>().join(SEPARATOR)
    });
    let flags = given.split(SEPARATOR).filter(|flag| !flag.is_empty());
    flags.chain(["-Copt-level=0"]).collect::<Vec<_>>().join(SEPARATOR)
}

/// Every feature of the applications that is not on by itself.
const FEATURES: &str = "rowstamp-lambda/otel,rowstamp-local/iam,rowstamp-local/otel";

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
