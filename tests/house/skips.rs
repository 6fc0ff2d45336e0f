//! A test that cannot run says so by one function, and does not pass where nothing may be skipped.

use std::process::Command;

use rowstamp_tests::skip::skip;

use crate::graph::Workspace;
use crate::source;

#[test]
#[ignore = "the next test starts it as a process of its own"]
fn cannot_run() {
    skip("there is no reason");
}

#[test]
fn what_cannot_run_passes_unless_nothing_may_be_skipped() {
    for (value, passes) in [(None, true), (Some("yes"), true), (Some("no"), false)] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "skips::cannot_run", "--ignored", "--nocapture"]);
        match value {
            Some(value) => command.env("ROWSTAMP_TESTS_SKIP", value),
            None => command.env_remove("ROWSTAMP_TESTS_SKIP"),
        };
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.success(), passes, "{value:?}: {said}");
        assert!(said.contains("there is no reason"), "{value:?}: {said}");
    }
}

#[test]
fn no_test_skips_itself_in_another_way() {
    let root = Workspace::load().root().to_owned();
    // The function, and the tests of a crate that cannot have it.
    let known = ["tests/src/skip.rs", "app-local/tests/provision.rs"];
    let others: Vec<String> = source::files_with(&root, concat!("\"skip", "ped: "))
        .into_iter()
        .filter(|file| known.iter().all(|known| !file.ends_with(known)))
        .collect();
    assert!(
        others.is_empty(),
        "call rowstamp_tests::skip::skip instead: {others:#?}"
    );
}
