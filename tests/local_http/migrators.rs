//! Many who migrate at once, and one of them killed at it.

use std::fs;
use std::process::{Child, Stdio};

use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::served::{Directory, command, run};

use super::LIBRARY;
use super::sql::{connect, number, until};

/// The second file waits in its middle until the gate is open.
const FILES: [(&str, &str); 2] = [
    ("V1__shelves.sql", "CREATE TABLE shelves (n int)"),
    (
        "V2__fill.sql",
        "INSERT INTO shelves VALUES (1);
         DO $$ BEGIN WHILE NOT (SELECT open FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;
         INSERT INTO shelves VALUES (2)",
    ),
];

#[tokio::test]
async fn eight_may_migrate_at_once_and_one_be_killed() {
    let (directory, database) = (Directory::new(), TestDatabase::create());
    let migrations = directory.path().join("migrations");
    fs::create_dir(&migrations).unwrap();
    for (name, sql) in FILES {
        fs::write(migrations.join(name), sql).unwrap();
    }
    let migrations = migrations.to_str().unwrap().to_owned();
    let sources = [
        "--resources",
        LIBRARY,
        "--database",
        database.url(),
        "--migrations",
        &migrations,
    ];
    let start = || -> Child {
        let arguments: Vec<&str> = ["migrate", "up"].into_iter().chain(sources).collect();
        command(&directory, &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let client = connect(&database).await;
    let gate = "CREATE TABLE gate AS SELECT false AS open";
    client.batch_execute(gate).await.unwrap();
    let of_this_database =
        "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

    let mut first = start();
    let sleeping = format!("SELECT count(*) {of_this_database} AND wait_event = 'PgSleep'");
    until(&client, 1, &sleeping).await;
    let others: Vec<Child> = (0..7).map(|_| start()).collect();
    let waiting = format!("SELECT count(*) {of_this_database} AND wait_event = 'advisory'");
    until(&client, 7, &waiting).await;
    first.kill().unwrap();
    first.wait().unwrap();
    client.batch_execute("UPDATE gate SET open = true").await.unwrap();

    let ended = tokio::task::spawn_blocking(|| {
        others
            .into_iter()
            .map(|child| child.wait_with_output().unwrap())
            .collect::<Vec<_>>()
    });
    for output in ended.await.unwrap() {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    let versions = number(&client, "SELECT count(*) FROM refinery_schema_history").await;
    let rows = number(&client, "SELECT count(*) FROM shelves").await;
    assert_eq!((versions, rows), (2, 2), "each file ran wholly and once");
    let check: Vec<&str> = ["check"]
        .into_iter()
        .chain(sources[..4].iter().copied())
        .collect();
    let check = run(&directory, &check);
    assert!(
        check.status.success(),
        "{}",
        String::from_utf8_lossy(&check.stdout)
    );
}
