//! The end of a transaction: a COMMIT that waits, that meets others, or that comes too late.

use std::time::{Duration, Instant};

use rowstamp_domain::operation::Verdict;
use rowstamp_ports::{RecordStore as _, StoreError};

use crate::fixture::{Fixture, context, store, within};

/// Does this at the end of each transaction that created a book.
async fn at_commit(library: &Fixture, body: &str) {
    let sql = format!(
        "CREATE SEQUENCE attempts;
         CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON books DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION at_commit()"
    );
    library.sql().await.batch_execute(&sql).await.unwrap();
}

async fn attempts(library: &Fixture) -> i64 {
    let sql = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM attempts";
    library.sql().await.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_commit_that_is_late_is_cancelled_and_the_server_says_that_nothing_was_written() {
    let library = Fixture::library().await;
    at_commit(&library, "PERFORM pg_sleep(20);").await;
    let store = store(library.database.url(), &[]);
    // A transaction of before has made the connection.
    drop(store.begin(&context()).await.unwrap());
    let mut unit = store.begin(&within(1_000)).await.unwrap();
    unit.execute(library.creation("slow").1).await.unwrap();
    let begun = Instant::now();
    let late = unit.commit().await;
    // The server's word that it cancelled the statement may come too late.
    assert!(
        matches!(
            late,
            Err(StoreError::DeadlineExceeded | StoreError::OutcomeUnknown)
        ),
        "{late:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    library.calm_within(Duration::from_secs(6)).await;
    assert_eq!(library.count("slow").await, 0);
}

#[tokio::test]
async fn a_commit_whose_time_is_over_is_not_sent() {
    let library = Fixture::library().await;
    let store = store(library.database.url(), &[]);
    drop(store.begin(&context()).await.unwrap());
    let mut unit = store.begin(&within(1_000)).await.unwrap();
    unit.execute(library.creation("slow").1).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_020)).await;
    assert_eq!(unit.commit().await, Err(StoreError::DeadlineExceeded));
    library.calm_within(Duration::from_secs(6)).await;
    assert_eq!(library.count("slow").await, 0);
}

#[tokio::test]
async fn a_conflict_at_commit_is_tried_again_where_nobody_has_seen_an_answer() {
    let conflict = "IF nextval('attempts') <= 2 THEN RAISE SQLSTATE '40001'; END IF;";
    for (mode, value) in [
        ("ROWSTAMP_DB_STATEMENTS", "prepared"),
        ("ROWSTAMP_DB_STATEMENTS", "unnamed"),
        ("ROWSTAMP_DB_ROLE", "postgres"),
    ] {
        let library = Fixture::library().await;
        at_commit(&library, conflict).await;
        let store = store(library.database.url(), &[(mode, value)]);
        let created = store.execute(library.creation("one").1, &context()).await;
        assert_eq!(
            created.map(|created| created.verdict),
            Ok(Verdict::Created),
            "{value}"
        );
        assert_eq!(
            (attempts(&library).await, library.count("one").await),
            (3, 1),
            "{value}"
        );
    }
    // What a hook made of the first answers is not known here, so nothing is done twice.
    let library = Fixture::library().await;
    at_commit(&library, conflict).await;
    let store = store(library.database.url(), &[]);
    let mut unit = store.begin(&context()).await.unwrap();
    unit.execute(library.creation("one").1).await.unwrap();
    assert_eq!(unit.commit().await, Err(StoreError::Unavailable));
    assert_eq!((attempts(&library).await, library.count("one").await), (1, 0));
}
