//! A shell in which the commands of a page are typed one after the other.
//!
//! `cargo run -- …` and `rowstamp …` are the command that this test run built; the server listens elsewhere than the page says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rowstamp_tests::binaries::binary;
use rowstamp_tests::served::Directory;

use crate::page::{ADDRESS, Step};

/// The database that pages name.
const DATABASE: &str = "postgres://me@localhost/library";
/// Ends what one command said.
const MARK: char = '\u{1e}';

/// Where commands are typed.
pub(crate) struct Session<'a> {
    pub(crate) directory: &'a Directory,
    /// What stands behind the address of the pages.
    pub(crate) address: String,
    /// What stands behind the database that pages name.
    pub(crate) database_url: &'a str,
    /// Where pages expect to be read: paths in commands begin there.
    pub(crate) checkout: &'a Path,
}

/// Why no session can be held on this machine.
pub(crate) fn missing_programs() -> Option<String> {
    ["sh", "curl"]
        .into_iter()
        .find(|program| {
            Command::new(program)
                .arg("-c")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_err()
        })
        .map(|program| format!("there is no {program} command"))
}

impl Session<'_> {
    /// What each command said, on either output.
    pub(crate) fn run(&self, steps: &[&Step]) -> Vec<String> {
        let path = self.put_commands_on_a_path();
        let script: String = steps
            .iter()
            .flat_map(|step| {
                let command = step
                    .command
                    .replace(ADDRESS, &self.address)
                    .replace(DATABASE, &format!("'{}'", self.database_url));
                // `$?` must still be the command's own.
                [
                    command,
                    "\n_status=$?; printf '\\036'; (exit $_status)\n".to_owned(),
                ]
            })
            .collect();
        let file = self.directory.path().join("session.sh");
        fs::write(&file, script).expect("the directory can be written");
        let output = Command::new("sh")
            .args(["-c", ". ./session.sh 2>&1"])
            .current_dir(self.directory.path())
            .env("PATH", path)
            .env("NO_COLOR", "1")
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null())
            .output()
            .expect("there is a shell");
        let said = String::from_utf8_lossy(&output.stdout).replace(&self.address, ADDRESS);
        said.split(MARK)
            .take(steps.len())
            .map(|part| part.trim().to_owned())
            .collect()
    }

    fn put_commands_on_a_path(&self) -> String {
        let bin = self.directory.path().join("bin");
        fs::create_dir_all(&bin).expect("the directory can be written");
        let rowstamp = binary("rowstamp-local", "rowstamp");
        let rowstamp = rowstamp.display();
        let put = |name: &str, text: String| {
            let file = bin.join(name);
            fs::write(&file, text).expect("the directory can be written");
            fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("the file is ours");
        };
        put("rowstamp", format!("#!/bin/sh\nexec '{rowstamp}' \"$@\"\n"));
        put(
            "cargo",
            format!("#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec '{rowstamp}' \"$@\"\n"),
        );
        let inherited = std::env::var("PATH").unwrap_or_default();
        let checkout = self.directory.path().join("app-local");
        if !checkout.exists() {
            let _ = std::os::unix::fs::symlink(self.checkout.join("app-local"), checkout);
        }
        format!("{}:{inherited}", bin.display())
    }
}
