//! The other commands, and what a start says that cannot be.

use std::fs;

use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::served::{Directory, Served, command, run};

use super::LIBRARY;
use super::sql::connect;

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
fn a_migration_is_not_written_while_another_waits_to_be_run() {
    let (directory, database) = (Directory::new(), TestDatabase::create());
    let sources = ["--resources", LIBRARY, "--database", database.url()];
    let new = |name: &'static str| run(&directory, &[&["migrate", "new", name], &sources[..]].concat());
    let files = || fs::read_dir(directory.path().join("migrations")).unwrap().count();
    assert!(new("first").status.success());

    let refused = new("second");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("V1__first") && said.contains("rowstamp migrate"),
        "{said}"
    );
    assert_eq!(files(), 1);

    // Once it was run there is nothing left to write, and then again something.
    assert!(
        run(&directory, &[&["migrate"], &sources[..]].concat())
            .status
            .success()
    );
    let nothing = new("second");
    assert!(String::from_utf8_lossy(&nothing.stdout).contains("nothing is missing"));
    assert_eq!(files(), 1);
    let more = directory.path().join("more.toml");
    let text = fs::read_to_string(LIBRARY).unwrap();
    fs::write(
        &more,
        format!("{text}\n[resources.shelves.fields]\nname = {{ type = \"text\" }}\n"),
    )
    .unwrap();
    let sources = [
        "--resources",
        more.to_str().unwrap(),
        "--database",
        database.url(),
    ];
    let written = run(
        &directory,
        &[&["migrate", "new", "second"], &sources[..]].concat(),
    );
    assert_eq!(
        String::from_utf8_lossy(&written.stdout),
        "migrations/V2__second.sql\n"
    );
}

/// What rows hold is nobody's business who reads the log of a deployment.
#[tokio::test]
async fn what_a_migration_is_refused_for_names_no_values() {
    let (directory, database) = (Directory::new(), TestDatabase::create());
    let sources = ["--resources", LIBRARY, "--database", database.url()];
    let migrate = || run(&directory, &[&["migrate"], &sources[..]].concat());
    let client = connect(&database).await;
    assert!(migrate().status.success());
    let migrations = directory.path().join("migrations");
    fs::create_dir(&migrations).unwrap();
    for (breaking, file, told) in [
        // Created by Rowstamp itself.
        (
            "ALTER TABLE books DROP CONSTRAINT books_isbn_key; \
             INSERT INTO books (uid, title, isbn, price, status, lendable, created_at, last_updated_at) \
             SELECT gen_random_uuid(), 'a', '9784770000001', 0, 'draft', true, now(), now() FROM generate_series(1, 2)",
            "",
            &["unique constraint on books (isbn)", "books_isbn_key", "23505"][..],
        ),
        // By a file of its owner's.
        (
            "SELECT",
            "CREATE UNIQUE INDEX mine ON books (isbn)",
            &["could not create unique index \"mine\"", "23505"],
        ),
        (
            "SELECT",
            "ALTER TABLE books ALTER isbn TYPE integer USING (isbn || '9784770000001 of a row')::integer",
            &["22"],
        ),
        (
            "SELECT",
            "ALTER TABLE books ADD CONSTRAINT one CHECK (isbn = '1')",
            &["\"one\"", "23514"],
        ),
    ] {
        client.batch_execute(breaking).await.unwrap();
        let path = migrations.join("V1__mine.sql");
        if file.is_empty() {
            let _ = fs::remove_file(&path);
        } else {
            fs::write(&path, file).unwrap();
        }
        let output = migrate();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(!said.contains("978477"), "{said}");
        for part in told {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
    }
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
