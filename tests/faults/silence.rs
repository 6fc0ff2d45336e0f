//! Connections that fall silent while the server is well: whom it costs what.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rowstamp_domain::operation::{Operation, Verdict};
use rowstamp_ports::{RecordStore as _, StoreError};
use rowstamp_postgres::PostgresStore;
use rowstamp_tests::tcp_proxy::{TcpProxy, Traffic, Trap};
use uuid::Uuid;

use crate::fixture::{Fixture, context, store, within};

/// Reads this after so many milliseconds, within four seconds, and tells how long that took.
async fn reading(store: &PostgresStore, after_ms: u64, operation: Operation) -> Duration {
    tokio::time::sleep(Duration::from_millis(after_ms)).await;
    let begun = Instant::now();
    let found = store.execute(operation, &within(4_000)).await;
    assert_eq!(
        found.map(|found| found.verdict),
        Ok(Verdict::Found),
        "after {after_ms} ms"
    );
    begun.elapsed()
}

/// Asks for this, and is gone after 100 milliseconds without an answer.
async fn hang_up(store: &PostgresStore, operation: Operation) {
    let context = within(10_000);
    let given_up = tokio::time::timeout(Duration::from_millis(100), store.execute(operation, &context));
    assert!(given_up.await.is_err());
}

/// A library in which a book called `slow` takes three seconds to be created, one called `slow 0.1` a tenth of one, another that is called
/// `one`, and a store that has read and created before.
struct SlowLibrary {
    library: Fixture,
    uid: Uuid,
    proxy: TcpProxy,
    store: PostgresStore,
}

impl SlowLibrary {
    /// With one shared connection.
    async fn open() -> Self {
        Self::with_pool("2").await
    }

    async fn with_pool(pool: &str) -> Self {
        let library = Fixture::library().await;
        library
            .trigger(
                "IF NEW.title LIKE 'slow%' THEN \
                 PERFORM pg_sleep(coalesce(nullif(substr(NEW.title, 6), ''), '3')::float8); END IF;",
            )
            .await;
        let uid = library.book("one").await;
        let proxy = library.proxy();
        let store = store(&proxy.url(), &[("ROWSTAMP_DB_POOL", pool)]);
        store.execute(library.reading(uid), &context()).await.unwrap();
        store
            .execute(library.creation("first").1, &context())
            .await
            .unwrap();
        Self {
            library,
            uid,
            proxy,
            store,
        }
    }
}

#[tokio::test]
async fn a_silent_connection_costs_readers_behind_it_a_second_and_later_ones_nothing() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    // One shared connection, and four.
    for pool in ["2", "8"] {
        let proxy = library.proxy();
        let store = store(&proxy.url(), &[("ROWSTAMP_DB_POOL", pool)]);
        store.execute(library.reading(uid), &context()).await.unwrap();
        store
            .execute(library.creation("first").1, &context())
            .await
            .unwrap();
        proxy.links()[0].set_trap(b"into the dark", Trap::HoldAfter);
        let (_, silent) = library.creation("into the dark");
        let silent = async {
            let context = within(3_000);
            store.execute(silent, &context).await
        };
        let behind = [50, 100, 900].map(|after| reading(&store, after, library.reading(uid)));
        let later = [1_800, 2_200, 2_900].map(|after| reading(&store, after, library.reading(uid)));
        let (lost, behind, later) =
            futures_util::future::join3(silent, join_all(behind), join_all(later)).await;
        assert_eq!(lost, Err(StoreError::OutcomeUnknown), "{pool}");
        for took in behind {
            assert!(took < Duration::from_millis(2_500), "{pool}: {took:?}");
        }
        for took in later {
            assert!(took < Duration::from_millis(900), "{pool}: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_slow_statement_is_left_alone_and_readers_do_not_stand_behind_it() {
    let SlowLibrary {
        library,
        uid,
        store,
        proxy: _proxy,
    } = SlowLibrary::open().await;
    let context = within(10_000);
    let slow = store.execute(library.creation("slow").1, &context);
    let readers = [100, 2_000].map(|after| reading(&store, after, library.reading(uid)));
    let asked = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        // Behind a slow statement nothing is known of the server; a moment later there is another way to it.
        let first = store.ready(None).await;
        (first, store.ready(None).await)
    };
    let (slow, took, ready) = futures_util::future::join3(slow, join_all(readers), asked).await;
    assert_eq!(slow.unwrap().verdict, Verdict::Created);
    assert_eq!(library.count("slow").await, 1);
    assert_eq!(ready, (Err(StoreError::Unavailable), Ok(())));
    assert!(took[0] < Duration::from_millis(2_500), "{took:?}");
    assert!(took[1] < Duration::from_millis(900), "{took:?}");
}

/// Short reads meet in the first line, but for as long as it moves.
#[tokio::test]
async fn reads_that_come_together_do_not_meet_behind_a_slow_statement() {
    let slow_library = SlowLibrary::with_pool("8").await;
    let SlowLibrary {
        library, uid, store, ..
    } = &slow_library;
    let patient = within(10_000);
    let create = async |after_ms: u64, title: &str| {
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        let created = store.execute(library.creation(title).1, &patient).await;
        assert_eq!(created.map(|created| created.verdict), Ok(Verdict::Created));
    };
    // All four lines are there then, and have been read on.
    join_all((0..12).map(|_| create(0, "slow 0.1"))).await;
    for _ in 0..20 {
        join_all((0..20).map(|_| reading(store, 0, library.reading(*uid)))).await;
    }
    // Three keep the other lines busy while the slowest comes, so that the first is its own.
    let others = join_all([0, 20, 40].map(|after| create(after, "slow 0.1")));
    let slowest = create(60, "slow");
    // As many at once as there are other lines.
    let crowds = (0..30).map(|number| reading(store, 160 + number / 3 * 50, library.reading(*uid)));
    let (_, (), took) = futures_util::future::join3(others, slowest, join_all(crowds)).await;
    for took in took {
        // Behind it, the first would wait for 0.9 seconds, until its line counts as stuck.
        assert!(took < Duration::from_millis(700), "{took:?}");
    }
}

/// One that works alone on its line is no better than several who come and go on theirs.
#[tokio::test]
async fn nobody_stands_behind_a_slow_statement_because_it_is_alone() {
    let slow_library = SlowLibrary::with_pool("4").await;
    let SlowLibrary { library, store, .. } = &slow_library;
    let patient = within(10_000);
    let create = async |title: &str| {
        let began = Instant::now();
        let created = store.execute(library.creation(title).1, &patient).await;
        assert_eq!(created.map(|created| created.verdict), Ok(Verdict::Created));
        began.elapsed()
    };
    // Both lines are there then.
    join_all((0..6).map(|_| create("slow 0.1"))).await;
    let slow = create("slow 0.9");
    // On its own line, three times as many stand as beside the slow one.
    let others = join_all((0..3).map(|_| async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        let mut longest = Duration::ZERO;
        for _ in 0..40 {
            longest = longest.max(create("quick").await);
        }
        longest
    }));
    let (slow, others) = futures_util::future::join(slow, others).await;
    assert!(slow >= Duration::from_millis(900), "{slow:?}");
    for longest in others {
        assert!(longest < Duration::from_millis(600), "{longest:?}");
    }
}

/// Who gives up, as where a client has hung up, takes nobody else's way out.
#[tokio::test]
async fn who_leaves_a_line_keeps_nobody_in_it() {
    let slow_library = SlowLibrary::open().await;
    let SlowLibrary {
        library, uid, store, ..
    } = &slow_library;
    let patient = within(10_000);
    let slow = store.execute(library.creation("slow").1, &patient);
    let behind = [100, 400].map(|after| reading(store, after, library.reading(*uid)));
    let gone = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        hang_up(store, library.reading(*uid)).await;
    };
    let (slow, behind, ()) = futures_util::future::join3(slow, join_all(behind), gone).await;
    assert_eq!(slow.unwrap().verdict, Verdict::Created);
    for took in behind {
        assert!(took < Duration::from_millis(2_300), "{took:?}");
    }
}

/// The server works on for somebody who is gone, and others need not wait for that.
#[tokio::test]
async fn a_slow_statement_of_somebody_who_is_gone_is_not_waited_for() {
    let slow_library = SlowLibrary::open().await;
    let SlowLibrary {
        library, uid, store, ..
    } = &slow_library;
    let gone = hang_up(store, library.creation("slow").1);
    let readers = [300, 400, 1_800].map(|after| reading(store, after, library.reading(*uid)));
    let (took, ()) = futures_util::future::join(join_all(readers), gone).await;
    assert!(took[0] < Duration::from_secs(2), "{took:?}");
    assert!(took[1] < Duration::from_secs(2), "{took:?}");
    assert!(took[2] < Duration::from_millis(900), "{took:?}");
}

/// However much is slow, connections do not become more and more.
#[tokio::test]
async fn slow_statements_are_given_as_many_connections_again_and_no_more() {
    let library = Arc::new(Fixture::library().await);
    library
        .trigger("IF NEW.title LIKE 'slow%' THEN PERFORM pg_sleep(1.6); END IF;")
        .await;
    let proxy = library.proxy();
    let store = store(&proxy.url(), &[("ROWSTAMP_DB_POOL", "2")]);
    store
        .execute(library.reading(Uuid::now_v7()), &context())
        .await
        .unwrap();
    let slow = (0..6).map(async |number| {
        tokio::time::sleep(Duration::from_millis(number * 600)).await;
        let created = store.execute(library.creation("slow").1, &within(30_000)).await;
        assert_eq!(created.map(|created| created.verdict), Ok(Verdict::Created));
    });
    join_all(slow).await;
    assert_eq!(library.count("slow").await, 6);
    assert!(proxy.connections() <= 3, "{} connections", proxy.connections());
    assert!(proxy.connections() > 1);
}

/// Where no other connection is to be had, one goes on standing in the line.
#[tokio::test]
async fn who_finds_no_other_connection_waits_for_the_slow_one() {
    let SlowLibrary {
        library,
        uid,
        proxy,
        store,
    } = SlowLibrary::open().await;
    proxy.set_refusing(true);
    let context = within(10_000);
    let slow = store.execute(library.creation("slow").1, &context);
    let readers = [100, 1_200].map(|after| reading(&store, after, library.reading(uid)));
    let (slow, took) = futures_util::future::join(slow, join_all(readers)).await;
    assert_eq!(slow.unwrap().verdict, Verdict::Created);
    assert!(took[0] > Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn the_readiness_check_ends_in_a_second_and_the_next_one_finds_the_server() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    for mode in ["prepared", "unnamed"] {
        let proxy = library.proxy();
        let store = store(&proxy.url(), &[("ROWSTAMP_DB_STATEMENTS", mode)]);
        assert_eq!(store.ready(None).await, Ok(()), "{mode}");
        proxy.open_links()[0].set_traffic(Traffic::Held);
        let begun = Instant::now();
        assert_eq!(store.ready(None).await, Err(StoreError::Unavailable), "{mode}");
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{mode}: {:?}",
            begun.elapsed()
        );
        assert_eq!(store.ready(None).await, Ok(()), "{mode}");
        assert!(
            store.execute(library.reading(uid), &within(2_000)).await.is_ok(),
            "{mode}"
        );
        // A server that answers nobody is told as soon.
        proxy.set_traffic(Traffic::Held);
        for deadline in [None, Some(Instant::now() + Duration::from_millis(100))] {
            let begun = Instant::now();
            assert_eq!(
                store.ready(deadline).await,
                Err(StoreError::Unavailable),
                "{mode}"
            );
            // The check's own second, or the sooner deadline; a busy machine gets some.
            let limit = Duration::from_millis(if deadline.is_some() { 900 } else { 3_000 });
            assert!(begun.elapsed() < limit, "{mode}: {:?}", begun.elapsed());
        }
    }
}
