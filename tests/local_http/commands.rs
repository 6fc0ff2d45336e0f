//! The other commands, and what a start says that cannot be.

use std::fs;

use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::served::{Directory, Served, command, run};

use super::LIBRARY;

#[test]
fn everything_that_is_wrong_is_told_in_one_message() {
    let directory = Directory::new();
    let path = directory.path().join("resources.toml");
    fs::write(
        &path,
        "[resources.books.fields]\ntitle = { type = \"txt\" }\npages = { typ = \"integer\" }\n",
    )
    .unwrap();
    let output = command(&directory, &["serve"])
        .env("ROWSTAMP_LISTEN", "nowhere")
        .env("ROWSTAMP_MAX_BODY_BYTES", "-1")
        .env("ROWSTAMP_BASE_PATH", "api")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in [
        "ROWSTAMP_LISTEN",
        "ROWSTAMP_MAX_BODY_BYTES",
        "ROWSTAMP_BASE_PATH",
        "resources.toml:2:",
        "resources.toml:3:",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn login_by_token_needs_a_build_that_can_and_says_so() {
    let directory = Directory::new();
    for (url, part) in [
        (
            Some("postgres://app@db.c1.eu-west-1.rds.amazonaws.com/library"),
            "ROWSTAMP_DB_AUTH: iam needs a build with the feature iam",
        ),
        // What every build checks.
        (
            Some("postgres://app@db.c1.eu-west-1.rds.amazonaws.com/library?sslmode=require"),
            "PGSSLMODE: must be verify-full where ROWSTAMP_DB_AUTH is iam",
        ),
        (None, "ROWSTAMP_DB_AUTH: expected password"),
    ] {
        let mut command = command(&directory, &["check", "--resources", LIBRARY]);
        let command = command.env("ROWSTAMP_DB_AUTH", "iam");
        if let Some(url) = url {
            command.env("DATABASE_URL", url);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn the_contract_is_printed_without_a_database() {
    let output = run(&Directory::new(), &["openapi", "--resources", LIBRARY]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["info"]["title"], "Library");
}

#[tokio::test]
async fn check_migrate_and_serve_agree_about_what_is_missing() {
    let (directory, database) = (Directory::new(), TestDatabase::create());
    let sources = ["--resources", LIBRARY, "--database", database.url()];
    let with = |command: &[&'static str]| {
        let arguments: Vec<&str> = command.iter().copied().chain(sources).collect();
        run(&directory, &arguments)
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();

    let check = with(&["check"]);
    assert_eq!(check.status.code(), Some(1));
    assert!(
        text(&check.stdout).contains("missing: table books"),
        "{}",
        text(&check.stdout)
    );

    // Without --migrate nothing is created: that database is somebody's.
    let served = Served::start(&directory, &sources, &[]);
    let answer = served.anonymous().get("/books").await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str().unwrap()),
        (500, "RS_DRIFT")
    );
    let log = fs::read_to_string(directory.path().join("log")).unwrap();
    assert!(log.contains("table books") && log.contains("migrate"), "{log}");
    drop(served);
    assert_eq!(with(&["check"]).status.code(), Some(1));

    let written = with(&["migrate", "new", "create the library"]);
    assert_eq!(
        text(&written.stdout),
        "migrations/V1__create_the_library.sql\n",
        "{}",
        text(&written.stderr)
    );
    let status = with(&["migrate", "status"]);
    assert!(
        text(&status.stdout).contains("pending: "),
        "{} {}",
        text(&status.stdout),
        text(&status.stderr)
    );
    let up = with(&["migrate", "up"]);
    assert!(up.status.success(), "{}", text(&up.stderr));
    let check = with(&["check"]);
    assert!(check.status.success(), "{}", text(&check.stdout));
    assert!(text(&with(&["migrate", "new", "nothing"]).stdout).contains("nothing is missing"));
}

#[test]
fn every_help_explains_itself() {
    let directory = Directory::new();
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["check", "--help"],
        &["migrate", "--help"],
        &["openapi", "--help"],
        &["token", "--help"],
    ] {
        let output = run(&directory, arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && said.contains("Usage: rowstamp"),
            "{said}"
        );
        assert!(arguments.len() == 1 || said.contains("Example"), "{said}");
    }
}

#[test]
fn a_named_database_without_definitions_is_refused() {
    let output = run(
        &Directory::new(),
        &["serve", "--database", "postgres://localhost/mine"],
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("resources.toml"), "{said}");
}
