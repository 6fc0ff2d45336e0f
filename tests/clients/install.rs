//! The clients, installed once as their lock files say, and kept in the build directory.
//!
//! Several test processes may ask at once; a lock on a file lets one install while the others wait.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the build keeps what its tests make.
const ROOM: &str = env!("CARGO_TARGET_TMPDIR");

/// The directory that `node` finds packages in, or why there is none on this machine.
///
/// # Panics
/// When the installation fails.
pub(crate) fn node_modules(sources: &Path) -> Result<PathBuf, String> {
    let node = at_least("node", [20, 0])?;
    version("npm", &["--version"])?;
    let lock = read(&sources.join("package-lock.json"));
    let at = installed("npm", &(&node, &lock), |directory| {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(sources.join(file), directory.join(file)).expect("the build directory can be written");
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(directory);
        npm
    });
    Ok(at.join("node_modules"))
}

/// The directory that `python3` finds packages in, or why there is none on this machine.
///
/// # Panics
/// When the installation fails.
pub(crate) fn python_packages(sources: &Path) -> Result<PathBuf, String> {
    let python = at_least("python3", [3, 11])?;
    version("python3", &["-m", "pip", "--version"])?;
    let requirements = sources.join("requirements.txt");
    let lock = read(&requirements);
    Ok(installed("pip", &(&python, &lock), |directory| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-input"])
            .args(["--disable-pip-version-check", "--no-warn-conflicts"])
            .args(["--root-user-action=ignore", "--only-binary=:all:"])
            .args(["--require-hashes", "--target"])
            .arg(directory)
            .arg("-r")
            .arg(&requirements);
        pip
    }))
}

/// The version of a program that the clients can do with.
fn at_least(program: &str, wanted: [u32; 2]) -> Result<String, String> {
    let version = version(program, &["--version"])?;
    let found: Vec<u32> = version
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .take(2)
        .collect();
    if found.as_slice() >= wanted.as_slice() {
        Ok(version)
    } else {
        let [major, minor] = wanted;
        Err(format!(
            "{program} {major}.{minor} is needed, and this is {}",
            version.trim()
        ))
    }
}

/// What a program says when asked, or that it is not there.
fn version(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        _ => Err(format!("`{program} {}` does not work here", arguments.join(" "))),
    }
}

/// The directory of an installation that is made if it is not there; it appears complete or not at all.
fn installed(name: &str, key: &impl Hash, install: impl FnOnce(&Path) -> Command) -> PathBuf {
    let room = Path::new(ROOM).join("clients");
    fs::create_dir_all(&room).expect("the build directory can be written");
    let lock = File::create(room.join(format!("{name}.lock"))).expect("the build directory can be written");
    lock.lock().expect("the file can be locked");
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let directory = room.join(format!("{name}-{:016x}", hasher.finish()));
    if directory.exists() {
        return directory;
    }
    let unfinished = room.join(format!("{name}.unfinished"));
    let _ = fs::remove_dir_all(&unfinished);
    fs::create_dir_all(&unfinished).expect("the build directory can be written");
    let status = install(&unfinished)
        .stdin(Stdio::null())
        .status()
        .expect("the program is there");
    assert!(status.success(), "{name} cannot install the clients");
    fs::rename(&unfinished, &directory).expect("both are in one directory");
    directory
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
