//! Requests made from the OpenAPI document by a fuzzer, within what it says and beside it: whatever comes, no 5xx.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rowstamp_tests::route::Route;
use rowstamp_tests::served::token;
use rowstamp_tests::skip::skip;

use super::Library;
use super::injection::DEFINITION;

/// The version is pinned, so that the same seed makes the same requests.
const PACKAGE: &str = "schemathesis==4.32.5";

pub(crate) async fn requests_made_from_the_document_never_fail_the_server(route: Route) {
    let program = match program() {
        Ok(program) => program,
        Err(reason) => return skip(&reason),
    };
    let library = Library::of(DEFINITION, route, &[], &[]);
    let (served, directory) = (&library.served, &library.directory);
    let token = token(directory, "alice", &["librarians"]);
    let output = Command::new(program)
        .args(["run", &format!("http://{}/openapi.json", served.address())])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", "not_a_server_error", "--phases", "coverage,fuzzing"])
        .args(["--max-examples", "10", "--seed", "1", "--no-color"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    let tested = said.lines().find_map(|line| line.trim().strip_prefix("Tested:"));
    let tested: u32 = tested.and_then(|number| number.trim().parse().ok()).unwrap_or(0);
    assert!(tested > 70, "every operation of every resource is tried: {said}");
}

/// The fuzzer, installed once into the build directory; or why there is none.
fn program() -> Result<PathBuf, String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(PACKAGE);
    fs::create_dir_all(&directory).unwrap();
    // Another test process may be installing it.
    let lock = File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let programs = directory.join("venv/bin");
    if !directory.join("complete").exists() {
        let made = Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(directory.join("venv"))
            .output()
            .map_err(|error| format!("python3 cannot be run: {error}"))?;
        if !made.status.success() {
            return Err(format!("python3 has no venv and pip: {}", said(&made)));
        }
        let install = Command::new(programs.join("pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", PACKAGE])
            .output()
            .unwrap();
        assert!(install.status.success(), "{}", said(&install));
        File::create(directory.join("complete")).unwrap();
    }
    Ok(programs.join("schemathesis"))
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}
