//! Connections that are cut or fall silent under a statement.

use std::time::{Duration, Instant};

use rowstamp_domain::operation::Verdict;
use rowstamp_ports::{RecordStore as _, StoreError};
use rowstamp_tests::tcp_proxy::Trap;

use crate::fixture::{Fixture, context, store, within};

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_an_unknown_outcome_wherever_it_was_cut() {
    let library = Fixture::library().await;
    for (title, trap, committed) in [("before", Trap::CutBefore, 0), ("after", Trap::CutAfter, 1)] {
        let proxy = library.proxy();
        let store = store(&proxy.url(), &[]);
        let mut unit = store.begin(&context()).await.unwrap();
        unit.execute(library.creation(title).1).await.unwrap();
        proxy.set_trap(b"COMMIT", trap);
        assert_eq!(unit.commit().await, Err(StoreError::OutcomeUnknown), "{title}");
        assert_eq!(library.count(title).await, committed, "{title}");
        // And the store goes on, on a new connection.
        proxy.clear_traps();
        let again = store.execute(library.creation("later").1, &context()).await;
        assert_eq!(again.unwrap().verdict, Verdict::Created);
    }
    assert_eq!(library.count("later").await, 2);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_never_sent_twice() {
    let library = Fixture::library().await;
    let (there, back) = ("cut on its way there", "cut on its way back");
    for (title, trap, mode, written) in [
        (there, Trap::CutBefore, "prepared", 0..=0),
        (back, Trap::CutAfter, "prepared", 1..=1),
        (there, Trap::CutBefore, "unnamed", 0..=0),
        // The first answer is that to BEGIN, and how far the server goes on without its client is its own affair.
        (back, Trap::CutAfter, "unnamed", 0..=1),
    ] {
        let proxy = library.proxy();
        let store = store(&proxy.url(), &[("ROWSTAMP_DB_STATEMENTS", mode)]);
        store
            .execute(library.creation("first").1, &context())
            .await
            .unwrap();
        proxy.set_trap(title.as_bytes(), trap);
        let lost = store.execute(library.creation(title).1, &context()).await;
        assert_eq!(lost, Err(StoreError::OutcomeUnknown), "{title}, {mode}");
        let count = library.count(title).await;
        assert!(written.contains(&count), "{title}, {mode}: {count}");
        library
            .sql()
            .await
            .execute("DELETE FROM books WHERE title = $1", &[&title])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_read_whose_answer_is_lost_is_read_again() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    for mode in ["prepared", "unnamed"] {
        let proxy = library.proxy();
        let store = store(&proxy.url(), &[("ROWSTAMP_DB_STATEMENTS", mode)]);
        store.execute(library.reading(uid), &context()).await.unwrap();
        // The parameter, as it travels.
        proxy.links()[0].set_trap(uid.as_bytes(), Trap::CutAfter);
        let read = store.execute(library.reading(uid), &context()).await;
        assert_eq!(read.unwrap().verdict, Verdict::Found, "{mode}");
        assert_eq!(proxy.connections(), 2, "{mode}");
    }
}

#[tokio::test]
async fn a_connection_that_falls_silent_costs_one_request_its_deadline_and_no_other() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    for mode in ["prepared", "unnamed"] {
        let proxy = library.proxy();
        let store = store(&proxy.url(), &[("ROWSTAMP_DB_STATEMENTS", mode)]);
        store
            .execute(library.creation("first").1, &context())
            .await
            .unwrap();
        proxy.links()[0].set_trap(b"into the dark", Trap::HoldAfter);
        let begun = Instant::now();
        let lost = store
            .execute(library.creation("into the dark").1, &within(300))
            .await;
        assert_eq!(lost, Err(StoreError::OutcomeUnknown), "{mode}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        let begun = Instant::now();
        let read = store.execute(library.reading(uid), &within(5_000)).await;
        assert_eq!(read.unwrap().verdict, Verdict::Found, "{mode}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
}
