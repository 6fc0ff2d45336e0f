//! What is tried again, how often, and what never is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rowstamp_domain::operation::{Operation, Verdict};
use rowstamp_ports::{RecordStore as _, StoreError};
use rowstamp_postgres::PostgresStore;
use uuid::Uuid;

use crate::fixture::{Fixture, context, store, text, within};

/// Fails with this SQLSTATE until the sequence, which no rollback turns back, has passed a number.
async fn failing(sqlstate: &str, times: u32) -> Fixture {
    let library = Fixture::library().await;
    let sql = library.sql().await;
    sql.batch_execute("CREATE SEQUENCE attempts").await.unwrap();
    library
        .trigger(&format!(
            "IF NEW.title = 'failing' AND nextval('attempts') <= {times} THEN RAISE SQLSTATE '{sqlstate}'; END IF;"
        ))
        .await;
    library
}

async fn attempts(library: &Fixture) -> i64 {
    let sql = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM attempts";
    library.sql().await.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn each_refusal_is_tried_again_as_often_as_that_can_help() {
    let unknown = Err(StoreError::OutcomeUnknown);
    let unavailable = Err(StoreError::Unavailable);
    for (sqlstate, times, expected, tries) in [
        // Others were in the way: again, a few times.
        ("40001", 3, Ok(Verdict::Created), 4),
        ("40P01", 3, Ok(Verdict::Created), 4),
        ("40001", 1_000, unavailable.clone(), 9),
        // The server does not write: once more, elsewhere.
        ("25006", 1, Ok(Verdict::Created), 2),
        ("25006", 1_000, unavailable.clone(), 2),
        // The server goes, and may have written: never.
        ("57P01", 1_000, unknown.clone(), 1),
        ("08006", 1_000, unknown, 1),
        // Neither of these is the better for it.
        ("55P03", 1_000, unavailable.clone(), 1),
        ("53300", 1_000, unavailable, 1),
        ("57014", 1_000, Err(StoreError::DeadlineExceeded), 1),
        ("25P03", 1_000, Err(StoreError::DeadlineExceeded), 1),
    ] {
        let library = failing(sqlstate, times).await;
        let found = library.execute(library.creation("failing").1).await;
        assert_eq!(found.map(|outcome| outcome.verdict), expected, "{sqlstate}");
        assert_eq!(attempts(&library).await, tries, "{sqlstate} x {times}");
        let written = i64::from(expected.is_ok());
        assert_eq!(library.count("failing").await, written, "{sqlstate}");
    }
}

#[tokio::test]
async fn a_conflict_is_told_at_once() {
    let library = failing("00000", 0).await;
    let insertion = || {
        let (_, mut insert) = library.insertion("failing");
        insert.columns.push(library.field("isbn"));
        insert.rows[0].push(text("978"));
        Operation::Insert(insert)
    };
    library.execute(insertion()).await.unwrap();
    assert!(matches!(
        library.execute(insertion()).await,
        Err(StoreError::Conflict(_))
    ));
    assert_eq!(attempts(&library).await, 2);
}

#[tokio::test]
async fn nothing_is_tried_again_past_the_deadline() {
    let library = failing("40001", 1_000).await;
    let begun = Instant::now();
    let found = library
        .store
        .execute(library.creation("failing").1, &within(40))
        .await;
    assert!(
        matches!(
            found,
            Err(StoreError::Unavailable | StoreError::DeadlineExceeded | StoreError::OutcomeUnknown)
        ),
        "{found:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(attempts(&library).await < 9);
}

#[tokio::test]
async fn a_unit_of_work_tries_its_first_operation_again_and_no_other() {
    let library = failing("40001", 2).await;
    let mut unit = library.store.begin(&context()).await.unwrap();
    let first = unit.execute(library.creation("failing").1).await.unwrap();
    assert_eq!(first.verdict, Verdict::Created);
    unit.commit().await.unwrap();
    assert_eq!((attempts(&library).await, library.count("failing").await), (3, 1));

    let library = failing("40001", 2).await;
    let mut unit = library.store.begin(&context()).await.unwrap();
    unit.execute(library.creation("good").1).await.unwrap();
    // What the caller made of the first answer cannot be undone here.
    let second = unit.execute(library.creation("failing").1).await;
    assert_eq!(second, Err(StoreError::Unavailable));
    assert_eq!(unit.commit().await, Err(StoreError::Internal));
    assert_eq!((attempts(&library).await, library.count("good").await), (1, 0));
}

/// Writers who take the same keys in opposite orders.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_deadlocks_ends_with_a_true_answer_for_everybody() {
    let library = Arc::new(Fixture::library().await);
    let sql = library.sql().await;
    sql.batch_execute(&format!(
        "ALTER DATABASE {} SET deadlock_timeout = '5ms'",
        library.database.name()
    ))
    .await
    .unwrap();
    let store = store(library.database.url(), &[("ROWSTAMP_DB_POOL", "8")]);
    for round in 0..4 {
        let writers = (0..4).map(|writer| {
            let mut keys: Vec<usize> = (0..300).collect();
            if writer % 2 == 1 {
                keys.reverse();
            }
            let (_, mut insert) = library.insertion(&format!("{round}-{writer}"));
            insert.columns.push(library.field("isbn"));
            let row = insert.rows.remove(0);
            insert.rows = keys
                .into_iter()
                .map(|key| {
                    let mut row = row.clone();
                    row[0] = rowstamp_domain::value::Value::Uuid(Uuid::now_v7());
                    row.push(text(&format!("{round}-{key}")));
                    row
                })
                .collect();
            let store = store.clone();
            tokio::spawn(async move { store.execute(Operation::Insert(insert), &context()).await })
        });
        let mut created = 0;
        for (writer, result) in join_all(writers).await.into_iter().enumerate() {
            let written = library.count(&format!("{round}-{writer}")).await;
            match result.unwrap() {
                Ok(outcome) => {
                    assert_eq!((outcome.verdict, written), (Verdict::Created, 300));
                    created += 1;
                }
                Err(StoreError::Conflict(_)) => assert_eq!(written, 0),
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(created, 1, "somebody won");
    }
}

/// Ends sessions of the store for as long as it is told to.
async fn terminate(library: &Fixture, go_on: &AtomicBool) -> usize {
    let sql = library.sql().await;
    let mut ended = 0;
    while go_on.load(Ordering::SeqCst) {
        let terminated = sql
            .query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rowstamp' \
                 AND datname = current_database() ORDER BY random() LIMIT 1",
                &[],
            )
            .await
            .unwrap();
        ended += terminated.len();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    ended
}

/// Writes until told to stop, and holds each answer against the table afterwards.
async fn write(library: &Fixture, store: &PostgresStore, worker: usize, go_on: &AtomicBool) -> [usize; 3] {
    let mut answers = Vec::new();
    let mut number = 0;
    while go_on.load(Ordering::SeqCst) {
        let title = format!("{worker}-{number}");
        number += 1;
        let (uid, operation) = library.creation(&title);
        let result = if number % 3 == 0 {
            in_unit(library, store, operation, uid).await
        } else {
            store.execute(operation, &context()).await.map(drop)
        };
        answers.push((title, result));
    }
    let sql = library.sql().await;
    let mut told = [0; 3];
    for (title, result) in answers {
        let rows = sql
            .query("SELECT title FROM books WHERE title = $1", &[&title])
            .await
            .unwrap();
        match result {
            Ok(()) => {
                assert_eq!(rows.len(), 1, "{title} was told to be written");
                told[0] += 1;
            }
            Err(StoreError::Unavailable) => {
                assert!(rows.is_empty(), "{title} was told not to be written");
                told[1] += 1;
            }
            Err(StoreError::OutcomeUnknown) => {
                assert!(rows.len() <= 1, "{title} was written twice");
                told[2] += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    told
}

async fn in_unit(
    library: &Fixture,
    store: &PostgresStore,
    operation: Operation,
    uid: Uuid,
) -> Result<(), StoreError> {
    let mut unit = store.begin(&context()).await?;
    unit.execute(operation).await?;
    unit.execute(library.reading(uid)).await?;
    unit.commit().await
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_ended_all_the_time_lose_nothing_and_double_nothing() {
    for mode in ["prepared", "unnamed"] {
        let library = Fixture::library().await;
        let store = store(
            library.database.url(),
            &[("ROWSTAMP_DB_POOL", "6"), ("ROWSTAMP_DB_STATEMENTS", mode)],
        );
        let go_on = AtomicBool::new(true);
        let (told, ended, ()) = futures_util::future::join3(
            join_all((0..4).map(|worker| write(&library, &store, worker, &go_on))),
            terminate(&library, &go_on),
            async {
                tokio::time::sleep(Duration::from_secs(2)).await;
                go_on.store(false, Ordering::SeqCst);
            },
        )
        .await;
        let [good, none, unknown] = told.iter().fold([0; 3], |sum, told| {
            [sum[0] + told[0], sum[1] + told[1], sum[2] + told[2]]
        });
        eprintln!("{mode}: {ended} sessions ended; {good} written, {none} not, {unknown} unknown");
        assert!(ended > 10, "{ended}");
        assert!(good > 50, "{good}");
        // And then it is calm again.
        for _ in 0..10 {
            let later = store.execute(library.creation("later").1, &context()).await;
            assert_eq!(later.unwrap().verdict, Verdict::Created);
        }
    }
}
