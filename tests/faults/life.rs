//! A connection's life: how it begins, how it is looked after, and what takes its place.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rowstamp_domain::operation::Verdict;
use rowstamp_ports::{RecordStore as _, StoreError};
use rowstamp_tests::certificates::Authority;
use rowstamp_tests::postgres_server::PostgresServer;
use rowstamp_tests::tcp_proxy::{TcpProxy, Traffic, Upstream};

use crate::fixture::{Fixture, context, store, within};

#[tokio::test]
async fn a_connection_that_was_silent_is_asked_before_it_is_used() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    // Shared connections, and exclusive ones.
    for mode in ["prepared", "unnamed"] {
        let proxy = library.proxy();
        let vars = [
            ("ROWSTAMP_DB_IDLE_CHECK_MS", "100"),
            ("ROWSTAMP_DB_STATEMENTS", mode),
        ];
        let store = store(&proxy.url(), &vars);
        let read = async || store.execute(library.reading(uid), &within(5_000)).await;
        for (traffic, connections) in [(Traffic::Flowing, 1), (Traffic::Held, 2)] {
            read().await.unwrap();
            proxy.open_links()[0].set_traffic(traffic);
            tokio::time::sleep(Duration::from_millis(150)).await;
            let begun = Instant::now();
            assert_eq!(read().await.unwrap().verdict, Verdict::Found);
            assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
            assert_eq!(proxy.connections(), connections, "{mode}, {traffic:?}");
        }
        // Many at once find out once.
        tokio::time::sleep(Duration::from_millis(150)).await;
        proxy.set_traffic(Traffic::Held);
        proxy.set_default_traffic(Traffic::Flowing);
        for outcome in join_all((0..8).map(|_| read())).await {
            assert_eq!(outcome.unwrap().verdict, Verdict::Found);
        }
    }
}

#[tokio::test]
async fn connections_that_were_cut_while_nobody_looked_cost_no_request() {
    let library = Fixture::library().await;
    let proxy = library.proxy();
    let store = store(&proxy.url(), &[]);
    for round in 0..5 {
        let created = store
            .execute(library.creation("one").1, &context())
            .await
            .unwrap();
        assert_eq!(created.verdict, Verdict::Created, "{round}");
        let mut unit = store.begin(&context()).await.unwrap();
        unit.execute(library.creation("two").1).await.unwrap();
        unit.commit().await.unwrap();
        proxy.cut_all();
        // The driver's task gets to see it.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((library.count("one").await, library.count("two").await), (5, 5));
}

/// A server that falls silent after any of its words while a connection begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_at_any_step_of_the_beginning_is_given_up_in_time() {
    let authority = Authority::new();
    let identity = authority.identity("localhost");
    let Some(server) = PostgresServer::start_with_files(
        &[("ssl", "on")],
        &[
            ("server.crt", &identity.certificate),
            ("server.key", &identity.key),
        ],
    ) else {
        return;
    };
    for sslmode in ["disable", "require"] {
        let through = |bytes: Option<u64>| {
            let proxy = TcpProxy::to_database(&server.url());
            proxy.set_server_bytes(bytes);
            let url = format!("postgres://postgres@{}/postgres", proxy.address());
            let vars = [("PGSSLMODE", sslmode), ("ROWSTAMP_DB_CONNECT_TIMEOUT_MS", "400")];
            (store(&url, &vars), proxy)
        };
        let (store, proxy) = through(None);
        store.warm_up().await.unwrap();
        let whole = proxy.bytes_to_clients();
        assert!(whole > 100, "{whole}");
        // Short of the last words, which say nothing that is waited for.
        let steps = (0..12).map(|step| whole * step / 12).chain([1]);
        let begun = Instant::now();
        join_all(steps.map(async |bytes| {
            let (store, _proxy) = through(Some(bytes));
            let begun = Instant::now();
            let result = store.warm_up().await;
            assert_eq!(result, Err(StoreError::Unavailable), "{sslmode}, {bytes} bytes");
            assert!(begun.elapsed() < Duration::from_secs(4), "{bytes}");
        }))
        .await;
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_server_that_does_not_write_any_more_is_left_for_the_one_that_does() {
    let (Some(old), Some(new)) = (PostgresServer::start(&[]), PostgresServer::start(&[])) else {
        return;
    };
    let library = Fixture::library().await;
    for server in [&old, &new] {
        store(&server.url(), &[])
            .create_missing(&library.api)
            .await
            .unwrap();
    }
    let proxy = TcpProxy::to_database(&old.url());
    let store = store(&proxy.url(), &[("ROWSTAMP_DB_POOL", "4")]);
    let create = async || store.execute(library.creation("one").1, &within(5_000)).await;
    let mut unit = store.begin(&context()).await.unwrap();
    unit.execute(library.creation("unit").1).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(create().await.unwrap().verdict, Verdict::Created);

    // Nobody else is there: nothing is written, and that is what is told.
    old.set_read_only(true).await;
    for _ in 0..3 {
        assert_eq!(create().await, Err(StoreError::Unavailable));
    }
    // The name leads to another server; the first request finds it.
    proxy.set_upstream(Upstream::of_database(&new.url()));
    assert_eq!(create().await.unwrap().verdict, Verdict::Created);

    // And back, in the middle of its work: no request fails.
    old.set_read_only(false).await;
    proxy.set_upstream(Upstream::of_database(&old.url()));
    new.set_read_only(true).await;
    assert_eq!(create().await.unwrap().verdict, Verdict::Created);
    let mut unit = store.begin(&context()).await.unwrap();
    unit.execute(library.creation("unit").1).await.unwrap();
    unit.commit().await.unwrap();

    for (server, one, units) in [(&old, "2", "2"), (&new, "1", "0")] {
        for (title, count) in [("one", one), ("unit", units)] {
            let sql = format!("SELECT count(*) FROM books WHERE title = '{title}'");
            let messages = server.sql(&sql).await;
            let found = messages.iter().find_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            });
            assert_eq!(found.as_deref(), Some(count), "{title}");
        }
    }
}

#[tokio::test]
async fn who_waited_for_a_connection_that_could_not_be_made_may_try_again_as_well() {
    let (Some(old), Some(new)) = (PostgresServer::start(&[]), PostgresServer::start(&[])) else {
        return;
    };
    let library = Fixture::library().await;
    let direct = store(&new.url(), &[]);
    direct.create_missing(&library.api).await.unwrap();
    old.set_read_only(true).await;
    let proxy = TcpProxy::to_database(&old.url());
    // One shared connection, so that the second waits while the first connects, which takes its time.
    let store = store(&proxy.url(), &[("ROWSTAMP_DB_POOL", "2")]);
    proxy.set_default_traffic(Traffic::Delayed(Duration::from_millis(50)));
    let create = async || store.execute(library.creation("one").1, &within(10_000)).await;
    let second = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        // The first is on its way to the server that does not write any more.
        assert_eq!(proxy.connections(), 1);
        proxy.set_upstream(Upstream::of_database(&new.url()));
        create().await
    };
    let (first, second) = tokio::join!(create(), second);
    for created in [first, second] {
        assert_eq!(created.unwrap().verdict, Verdict::Created);
    }
    assert!(proxy.connections() >= 2, "the first one led to the old server");
}

/// Two hundred processes with a connection each, and a server for fifty.
#[tokio::test(flavor = "multi_thread")]
async fn more_processes_than_the_server_has_room_for_are_served_or_told_to_come_again() {
    let Some(server) = PostgresServer::start(&[("max_connections", "50")]) else {
        return;
    };
    let library = Fixture::library().await;
    let admin = store(&server.url(), &[]);
    admin.create_missing(&library.api).await.unwrap();
    drop(admin);
    let environments: Vec<_> = (0..200)
        .map(|_| store(&server.url(), &[("ROWSTAMP_DB_POOL", "1")]))
        .collect();
    let uid = uuid::Uuid::now_v7();
    let mut counts = [0; 2];
    let context = within(30_000);
    let all = environments
        .iter()
        .map(|environment| environment.execute(library.reading(uid), &context));
    for result in join_all(all).await {
        match result {
            Ok(outcome) => {
                assert_eq!(outcome.verdict, Verdict::NotFound);
                counts[0] += 1;
            }
            Err(StoreError::Unavailable) => counts[1] += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    eprintln!("{} answered, {} told to come again", counts[0], counts[1]);
    assert!(counts[0] >= 40 && counts[1] >= 100, "{counts:?}");
    // Those that have a connection go on; when they are gone, there is room for others.
    let served = environments.into_iter().skip(190).collect::<Vec<_>>();
    for environment in served {
        let mut result = Err(StoreError::Unavailable);
        for _ in 0..100 {
            result = environment.execute(library.reading(uid), &within(5_000)).await;
            if result.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(result.unwrap().verdict, Verdict::NotFound);
    }
}
