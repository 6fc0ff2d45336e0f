//! The real programs, stopped and continued while the network went on without them.

use std::process::Command;
use std::time::{Duration, Instant};

use rowstamp_tests::tcp_proxy::{TcpProxy, Traffic};

use crate::programs::{Kind, Place, Program, Request};

/// Short, so that a test need not wait as long as Lambda does.
const VARIABLES: (&str, &str) = ("ROWSTAMP_DB_IDLE_CHECK_MS", "200");

/// What happens to connections while the process is stopped.
const MEANWHILE: [fn(&TcpProxy); 2] = [TcpProxy::cut_all, |proxy| {
    proxy.set_traffic(Traffic::Held);
    proxy.set_default_traffic(Traffic::Flowing);
}];

fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Stops a process for longer than a connection is trusted, and does something to its connections meanwhile.
async fn freeze(process: u32, proxy: &TcpProxy, meanwhile: fn(&TcpProxy)) {
    signal(process, "STOP");
    meanwhile(proxy);
    tokio::time::sleep(Duration::from_millis(300)).await;
    signal(process, "CONT");
}

/// Freezes a program before each of a few requests.
async fn answers_the_next_request_right(kind: Kind) {
    let place = Place::open().await;
    let proxy = place.proxy();
    let program = Program::start(kind, &proxy.url(), &[VARIABLES]).await;
    let list = Request::new("GET /books");
    let mut expected = 0;
    for meanwhile in MEANWHILE {
        for writes in [true, false] {
            let before = program.send(&list).await;
            assert_eq!(before.status, 200, "{before:?}: {}", program.log());
            freeze(program.process_id(), &proxy, meanwhile).await;
            let begun = Instant::now();
            if writes {
                expected += 1;
                let created = program.send(&Request::creation("a")).await;
                assert_eq!(created.status, 201, "{created:?}: {}", program.log());
            } else {
                let read = program.send(&list).await;
                let rows = read.json().as_array().map(Vec::len);
                assert_eq!((read.status, rows), (200, Some(expected)));
            }
            assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_was_frozen_answers_the_next_event_right() {
    answers_the_next_request_right(Kind::Function).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_frozen_answers_the_next_request_right() {
    answers_the_next_request_right(Kind::Server).await;
}
