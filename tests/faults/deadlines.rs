//! Time that runs out: the answer comes, and the server stops working for nobody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rowstamp_domain::operation::{Operation, Verdict};
use rowstamp_ports::{RecordStore as _, StoreError};

use crate::fixture::{Fixture, calm_within, context, json, store, trigger, within};
use crate::programs::{Kind, Place, Program, Request};

/// Sleeps where the title says so.
const SLEEPY: &str = "IF NEW.title LIKE 'slow%' THEN PERFORM pg_sleep(20); END IF;";

#[tokio::test]
async fn a_statement_that_sleeps_is_ended_in_the_server_and_answered_in_time() {
    let library = Fixture::library().await;
    library.trigger(SLEEPY).await;
    for mode in ["prepared", "unnamed"] {
        for pool in ["1", "4"] {
            let vars = [("ROWSTAMP_DB_STATEMENTS", mode), ("ROWSTAMP_DB_POOL", pool)];
            let store = store(library.database.url(), &vars);
            store
                .execute(library.creation("first").1, &context())
                .await
                .unwrap();
            let begun = Instant::now();
            let late = store.execute(library.creation("slow").1, &within(200)).await;
            // The server's word that it cancelled the statement may come too late.
            assert!(
                matches!(
                    late,
                    Err(StoreError::DeadlineExceeded | StoreError::OutcomeUnknown)
                ),
                "{mode}: {late:?}"
            );
            assert!(begun.elapsed() < Duration::from_secs(3), "{mode}");
            library.calm_within(Duration::from_secs(6)).await;
            assert_eq!(library.count("slow").await, 0, "{mode}");
            // The next request is as good as ever.
            let next = store.execute(library.creation("next").1, &within(5_000)).await;
            assert_eq!(next.unwrap().verdict, Verdict::Created, "{mode}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_programs_answer_in_time_and_leave_nothing_at_work() {
    for kind in [Kind::Function, Kind::Server] {
        for mode in ["prepared", "unnamed"] {
            let place = Place::open().await;
            let sql = place.sql().await;
            trigger(&sql, SLEEPY).await;
            let variables = [
                ("ROWSTAMP_DB_STATEMENTS", mode),
                ("ROWSTAMP_REQUEST_TIMEOUT_MS", "1500"),
            ];
            let program = Program::start(kind, place.database.url(), &variables).await;
            let first = program.send(&Request::creation("first")).await;
            assert_eq!(first.status, 201, "{first:?}");
            let begun = Instant::now();
            let late = program
                .send_within(&Request::creation("slow"), Duration::from_secs(2))
                .await;
            // The statement would sleep for twenty; a busy machine gets some beyond those two.
            assert!(
                begun.elapsed() < Duration::from_secs(4),
                "{kind:?}, {mode}: {:?}",
                begun.elapsed()
            );
            assert_eq!(late.status, 504, "{late:?}");
            assert_eq!(late.header("retry-after"), "", "{late:?}");
            calm_within(&sql, Duration::from_secs(6)).await;
            assert_eq!(place.count("slow").await, 0, "{kind:?}, {mode}");
            let next = program.send(&Request::creation("next")).await;
            assert_eq!(next.status, 201, "{next:?}");
        }
    }
}

#[tokio::test]
async fn no_transaction_is_left_open_by_a_unit_of_work_that_was_late() {
    let library = Fixture::library().await;
    library.trigger(SLEEPY).await;
    for mode in ["prepared", "unnamed"] {
        let store = store(library.database.url(), &[("ROWSTAMP_DB_STATEMENTS", mode)]);
        let mut unit = store.begin(&within(300)).await.unwrap();
        unit.execute(library.creation("good").1).await.unwrap();
        let begun = Instant::now();
        let late = unit.execute(library.creation("slow").1).await;
        assert_eq!(late, Err(StoreError::DeadlineExceeded), "{mode}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{mode}");
        drop(unit);
        library.calm_within(Duration::from_secs(6)).await;
        assert_eq!(library.count("good").await, 0, "{mode}");

        // One that its owner forgets is undone as well.
        let mut unit = store.begin(&context()).await.unwrap();
        unit.execute(library.creation("forgotten").1).await.unwrap();
        drop(unit);
        library.calm_within(Duration::from_secs(6)).await;
        assert_eq!(library.count("forgotten").await, 0, "{mode}");
    }
}

#[tokio::test]
async fn a_unit_of_work_whose_owner_goes_away_in_the_middle_is_ended_in_the_server() {
    let library = Fixture::library().await;
    library.trigger(SLEEPY).await;
    let store = store(library.database.url(), &[]);
    let mut unit = store.begin(&context()).await.unwrap();
    unit.execute(library.creation("good").1).await.unwrap();
    let slow = unit.execute(library.creation("slow").1);
    assert!(
        tokio::time::timeout(Duration::from_millis(100), slow)
            .await
            .is_err()
    );
    drop(unit);
    library.calm_within(Duration::from_secs(6)).await;
    assert_eq!(library.count("good").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_on_the_same_connection_is_not_cancelled_with_the_late_one() {
    let library = Arc::new(Fixture::library().await);
    library
        .trigger("IF NEW.title LIKE 'slow%' THEN PERFORM pg_sleep(3); END IF;")
        .await;
    let uid = library.book("one").await;
    // One shared connection.
    let store = store(library.database.url(), &[("ROWSTAMP_DB_POOL", "2")]);
    store.execute(library.reading(uid), &context()).await.unwrap();
    store
        .execute(library.creation("first").1, &context())
        .await
        .unwrap();
    let late = tokio::spawn({
        let (store, operation) = (store.clone(), library.creation("slow").1);
        async move { store.execute(operation, &within(300)).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let neighbour = tokio::spawn({
        let (store, operation) = (store.clone(), library.reading(uid));
        async move { store.execute(operation, &context()).await }
    });
    assert_eq!(late.await.unwrap(), Err(StoreError::OutcomeUnknown));
    // Who comes after the deadline does not stand behind it any more.
    let begun = Instant::now();
    let other = store
        .execute(Operation::Read(library.read(uid)), &context())
        .await
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let neighbour = neighbour.await.unwrap().unwrap();
    assert_eq!(json(&neighbour), json(&other));
    library.calm_within(Duration::from_secs(6)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_to_leave_a_connection_has_what_is_left_cancelled() {
    let library = Arc::new(Fixture::library().await);
    library.trigger(SLEEPY).await;
    let uid = library.book("one").await;
    let store = store(library.database.url(), &[("ROWSTAMP_DB_POOL", "2")]);
    store.execute(library.reading(uid), &context()).await.unwrap();
    store
        .execute(library.creation("first").1, &context())
        .await
        .unwrap();
    let late = (0..3).map(|number| {
        let (store, operation) = (store.clone(), library.creation("slow").1);
        async move { store.execute(operation, &within(200 + number * 50)).await }
    });
    for late in futures_util::future::join_all(late).await {
        assert!(late.is_err());
    }
    // Whichever connection they met on, nobody works for them.
    library.calm_within(Duration::from_secs(10)).await;
    assert_eq!(library.count("slow").await, 0);
}

#[tokio::test]
async fn waiting_for_a_connection_ends_in_time_too() {
    let library = Fixture::library().await;
    let vars = [
        ("ROWSTAMP_DB_POOL", "1"),
        ("ROWSTAMP_DB_CONNECT_TIMEOUT_MS", "1500"),
    ];
    let store = store(library.database.url(), &vars);
    let held = store.begin(&context()).await.unwrap();
    let begun = Instant::now();
    assert_eq!(
        store.begin(&within(100)).await.err(),
        Some(StoreError::DeadlineExceeded)
    );
    assert!(begun.elapsed() < Duration::from_millis(1_200));
    assert_eq!(store.begin(&context()).await.err(), Some(StoreError::Unavailable));
    drop(held);
    assert!(store.begin(&context()).await.is_ok());
}
