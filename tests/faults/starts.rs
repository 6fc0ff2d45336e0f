//! The real programs, started while the database is a black hole: they start in time, answer in time, and recover.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rowstamp_tests::tcp_proxy::Traffic;

use crate::programs::{Kind, Place, Program, Request};

/// What Lambda lets an initialisation take.
const INITIALISATION: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: (&str, &str) = ("ROWSTAMP_DB_CONNECT_TIMEOUT_MS", "500");
/// What an answer may take beyond the time for connecting: a busy machine gets some.
const PATIENCE: Duration = Duration::from_secs(3);

/// Waits until a function has asked for its first event; a server was waited for when it was started.
async fn is_initialised(program: &Program) {
    let Program::Function(function) = program else {
        return;
    };
    function.initialised(INITIALISATION).await;
}

/// How many bytes the server says while a function makes its connection.
async fn whole_beginning(place: &Place) -> u64 {
    let proxy = place.proxy();
    let function = Program::start(Kind::Function, &proxy.url(), &[]).await;
    is_initialised(&function).await;
    proxy.links()[0].bytes_to_client()
}

/// Starts a program whose database falls silent after so many bytes, and lets it speak later.
async fn starts_and_recovers(place: &Place, kind: Kind, bytes: u64) {
    let proxy = place.proxy();
    proxy.set_server_bytes(Some(bytes));
    let begun = Instant::now();
    let program = Program::start(kind, &proxy.url(), &[CONNECT_TIMEOUT]).await;
    is_initialised(&program).await;
    assert!(begun.elapsed() < INITIALISATION, "{:?}", begun.elapsed());
    for request in [Request::new("GET /books"), Request::creation("a")] {
        let begun = Instant::now();
        let reply = program.send_within(&request, Duration::from_secs(5)).await;
        assert!(reply.says_come_again(), "{kind:?}, {bytes}: {reply:?}");
        assert!(
            begun.elapsed() < PATIENCE,
            "{kind:?}, {bytes}: {:?}",
            begun.elapsed()
        );
    }

    proxy.set_server_bytes(None);
    // Those that are held stay so; new ones are as good as ever.
    let created = program
        .send(&Request::creation(&format!("{kind:?} {bytes}")))
        .await;
    assert_eq!(created.status, 201, "{kind:?}, {bytes}: {created:?}");
    assert_eq!(place.count(&format!("{kind:?} {bytes}")).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_falls_silent_at_any_step_of_a_start_is_answered_for_in_time() {
    for kind in [Kind::Function, Kind::Server] {
        kind.build().await;
    }
    let place = Place::open().await;
    let whole = whole_beginning(&place).await;
    assert!(whole > 100, "{whole}");
    // From no word at all to the last ones, of which some say nothing that is waited for.
    let steps = [0, 1, whole / 3, whole * 2 / 3, whole - 20];
    for kind in [Kind::Function, Kind::Server] {
        join_all(steps.map(|bytes| starts_and_recovers(&place, kind, bytes))).await;
    }
    assert_eq!(
        place.count("a").await,
        0,
        "nothing was written by those that were sent away"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_initialisation_ends_in_time_without_any_setting() {
    Kind::Function.build().await;
    let place = Place::open().await;
    let proxy = place.proxy();
    proxy.set_traffic(Traffic::Held);
    let begun = Instant::now();
    let function = Program::start(Kind::Function, &proxy.url(), &[]).await;
    is_initialised(&function).await;
    assert!(begun.elapsed() < INITIALISATION, "{:?}", begun.elapsed());
    // An invocation that has less time than the five seconds that connecting may take is answered sooner too; a busy machine gets some.
    let begun = Instant::now();
    let time_left = Duration::from_secs(2);
    let reply = function.send_within(&Request::new("GET /books"), time_left).await;
    assert!(begun.elapsed() < time_left * 2, "{:?}", begun.elapsed());
    assert!(
        [503, 504].contains(&reply.status) && !reply.is_unknown_outcome(),
        "{reply:?}"
    );
    proxy.set_traffic(Traffic::Flowing);
    let created = function.send(&Request::creation("later")).await;
    assert_eq!(created.status, 201, "{created:?}");
}
