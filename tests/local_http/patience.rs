//! How long the commands that look at tables wait for a database that does not answer: not long, and they say so.

use std::process::Output;
use std::time::{Duration, Instant};

use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::served::{Directory, Served, run};
use rowstamp_tests::tcp_proxy::{TcpProxy, Trap};

use super::LIBRARY;
use super::sql::connect;

/// A database with the library's tables.
fn library(directory: &Directory) -> TestDatabase {
    let database = TestDatabase::create();
    let migrated = run(
        directory,
        &["migrate", "--resources", LIBRARY, "--database", database.url()],
    );
    assert!(migrated.status.success(), "{migrated:?}");
    database
}

/// Runs a command that fails, and tells its words on standard error; it must not take longer than that.
fn fails_within(limit: Duration, directory: &Directory, arguments: &[&str]) -> String {
    let begun = Instant::now();
    let Output { status, stderr, .. } = run(directory, arguments);
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(1), "{arguments:?}: {said}");
    assert!(
        begun.elapsed() < limit,
        "{arguments:?} took {:?}",
        begun.elapsed()
    );
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_somebody_else_has_locked_is_not_waited_for_long() {
    let directory = Directory::new();
    let database = library(&directory);
    let mut client = connect(&database).await;
    let locking = client.transaction().await.unwrap();
    locking
        .batch_execute("LOCK TABLE books IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let sources = ["--resources", LIBRARY, "--database", database.url()];
    let check = [&["check"], &sources[..]].concat();
    let said = fails_within(Duration::from_secs(12), &directory, &check);
    assert!(said.contains("lock"), "{said}");

    // A server begins nevertheless: requests for other tables can be answered.
    let begun = Instant::now();
    let served = Served::start(&directory, &sources, &[]);
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    assert_eq!(served.anonymous().get("/authors").await.status, 200);
    drop(served);

    locking.rollback().await.unwrap();
    assert!(run(&directory, &check).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_falls_silent_after_the_login_is_not_waited_for_long() {
    let directory = Directory::new();
    let database = library(&directory);
    let proxy = TcpProxy::to_database(database.url());
    // No request asks the catalogs, so its connections stay as they are.
    proxy.set_trap(b"pg_", Trap::HoldAfter);
    let url = proxy.url();
    let sources = ["--resources", LIBRARY, "--database", &url];
    let check = [&["check"], &sources[..]].concat();
    let migrate = [&["migrate"], &sources[..]].concat();
    std::thread::scope(|scope| {
        for arguments in [&check, &migrate] {
            scope.spawn(|| {
                let said = fails_within(Duration::from_secs(20), &directory, arguments);
                assert!(said.contains("does not answer"), "{said}");
            });
        }
    });
    let begun = Instant::now();
    let served = Served::start(&directory, &sources, &[]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(served.anonymous().get("/books").await.status, 200);
}
