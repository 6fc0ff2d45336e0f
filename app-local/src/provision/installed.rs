//! PostgreSQL server binaries that are installed on this machine, often not on the PATH.
//!
//! It starts nothing but `postgres --version` and `pg_config --bindir`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Binaries;

/// The oldest version that Rowstamp is tried with.
const OLDEST_MAJOR: u32 = 13;

/// Where packages put `postgres`; a `*` stands for one directory name.
const PLACES: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/opt/local/lib/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// The newest server that is installed, but one that `has_data` says it has data for before all others: a
/// development database shall not look empty after an upgrade.
pub(super) fn find(has_data: &dyn Fn(u32) -> bool) -> Result<Binaries, String> {
    let mut found: Vec<Binaries> = candidates().iter().filter_map(|bin| inspect(bin)).collect();
    found.sort_by_key(|one| (has_data(one.major()), version_key(&one.version)));
    match found.pop() {
        Some(newest) if newest.major() >= OLDEST_MAJOR => Ok(newest),
        Some(old) => Err(format!(
            "PostgreSQL {} in {} is too old",
            old.version,
            old.bin.display()
        )),
        None => Err("no postgres and initdb on the PATH or in the usual places".to_owned()),
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    places.extend(PLACES.into_iter().flat_map(expand));
    if let Ok(output) = Command::new("pg_config")
        .arg("--bindir")
        .stdin(Stdio::null())
        .output()
    {
        places.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    let mut seen = Vec::new();
    for place in places {
        let Ok(real) = place.canonicalize() else { continue };
        if !seen.contains(&real) && real.join("postgres").is_file() && real.join("initdb").is_file() {
            seen.push(real);
        }
    }
    seen
}

/// The directories that a pattern with at most one `*` stands for.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = std::fs::read_dir(Path::new(parent)) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| match after.trim_start_matches('/') {
            "" => entry.path(),
            rest => entry.path().join(rest),
        })
        .collect()
}

fn inspect(bin: &Path) -> Option<Binaries> {
    let output = Command::new(bin.join("postgres"))
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let version = parse_version(&String::from_utf8_lossy(&output.stdout))?;
    Some(Binaries {
        bin: bin.to_owned(),
        version,
        origin: format!("installed in {}", bin.display()),
    })
}

/// `15.14` of `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
pub(super) fn parse_version(text: &str) -> Option<String> {
    let version = text.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?;
    version
        .starts_with(|first: char| first.is_ascii_digit())
        .then(|| version.to_owned())
}

/// Numbers in order; what follows them (`18beta1`) counts as older than the release.
fn version_key(version: &str) -> (Vec<u32>, bool) {
    let numbers = version
        .split('.')
        .map(|part| {
            part.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
                .parse()
                .unwrap_or(0)
        })
        .collect();
    (numbers, version.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_postgres_prints() {
        for (text, expected) in [
            (
                "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n",
                Some("15.14"),
            ),
            ("postgres (PostgreSQL) 18beta1\n", Some("18beta1")),
            ("postgres (EnterpriseDB) \n", None),
            ("", None),
        ] {
            assert_eq!(parse_version(text).as_deref(), expected);
        }
    }

    #[test]
    fn the_newest_version_wins_by_number_not_by_letter() {
        let mut versions = ["9.6", "18beta1", "18.0", "15.14", "15.2"];
        versions.sort_by_key(|version| version_key(version));
        assert_eq!(versions, ["9.6", "15.2", "15.14", "18beta1", "18.0"]);
    }

    #[test]
    fn a_pattern_names_the_directories_that_are_there() {
        assert!(expand("/usr/bi*").contains(&PathBuf::from("/usr/bin")));
        assert_eq!(expand("/no/such/thing*/bin"), Vec::<PathBuf>::new());
    }
}
