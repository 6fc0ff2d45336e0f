//! How it starts and ends: with a private PostgreSQL, gracefully, by force, and with nothing left behind.

use std::path::Path;
use std::time::{Duration, Instant};

use hyper::Method;
use rowstamp_tests::served::{Directory, Served, run};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Library;
use super::sql::{connect, until};

/// The directories of running private servers, wherever the state directory had to put them.
fn rooms(served_url: &str) -> bool {
    served_url
        .split("host=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .is_some_and(|room| Path::new(room).exists())
}

fn private_url(served: &Served) -> String {
    served
        .greeting()
        .split("psql '")
        .nth(1)
        .and_then(|rest| rest.split('\'').next())
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn the_example_is_served_from_a_private_database_that_keeps_rows_and_stops_with_it() {
    let directory = Directory::new();
    let served = Served::start(&directory, &[], &[]);
    let url = private_url(&served);
    let token = served
        .greeting()
        .split("TOKEN=")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap();
    let client = served.anonymous().with_token(token);
    let made = client
        .json(Method::POST, "/authors", &json!({"name": "Ursula K. Le Guin"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = made.header("location").to_owned();
    served.signal("TERM");
    assert!(served.wait().success());
    assert!(!rooms(&url), "the private server is still there");

    let again = Served::start(&directory, &[], &[]);
    assert_eq!(
        again.anonymous().get(&path).await.json()["name"],
        "Ursula K. Le Guin"
    );
    again.signal("INT");
    assert!(again.wait().success());
}

#[tokio::test]
async fn killed_by_force_it_leaves_no_server_behind() {
    let directory = Directory::new();
    let served = Served::start(&directory, &[], &[]);
    let url = private_url(&served);
    assert!(rooms(&url));
    served.signal("KILL");
    assert!(!served.wait().success());
    let begun = Instant::now();
    while rooms(&url) {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the private server is still there"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn two_in_one_directory_share_the_private_server() {
    let directory = Directory::new();
    let (one, other) = (
        Served::start(&directory, &[], &[]),
        Served::start(&directory, &[], &[]),
    );
    assert_eq!(private_url(&one), private_url(&other));
    let client = one.client(&directory, "ursula", &[]);
    let made = client.json(Method::POST, "/authors", &json!({"name": "x"})).await;
    one.signal("TERM");
    assert!(one.wait().success());
    assert_eq!(other.anonymous().get(made.header("location")).await.status, 200);
}

#[tokio::test]
async fn a_stop_lets_a_request_in_flight_finish() {
    let library = Library::open(&[]);
    let token = rowstamp_tests::served::token(&library.directory, "ursula", &[]);
    let body = r#"{"name": "Ursula"}"#;
    let mut stream = TcpStream::connect(library.served.address()).await.unwrap();
    let head = format!(
        "POST /authors HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body.as_bytes()[..5]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    library.served.signal("TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        TcpStream::connect(library.served.address()).await.is_err(),
        "it still accepts"
    );
    stream.write_all(&body.as_bytes()[5..]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(library.served.wait().success());
}

#[tokio::test]
async fn a_stop_waits_for_the_database_too_and_closes_its_connections() {
    let library = Library::open(&[]);
    let client = library.client("ursula", &[]);
    // A transaction sees what others do as it was when it first looked, so whoever looks is not the one who holds the lock.
    let (sql, holder) = (connect(&library.database).await, connect(&library.database).await);
    let lock = "BEGIN; LOCK TABLE authors IN ACCESS EXCLUSIVE MODE";
    holder.batch_execute(lock).await.unwrap();
    let creating = tokio::spawn(async move {
        let author = json!({"name": "Ursula K. Le Guin"});
        client.json(Method::POST, "/authors", &author).await
    });
    let served = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rowstamp'";
    let waiting = format!("SELECT count(*) {served} AND wait_event_type = 'Lock'");
    until(&sql, 1, &waiting).await;
    library.served.signal("TERM");
    tokio::time::sleep(Duration::from_millis(100)).await;
    holder.batch_execute("COMMIT").await.unwrap();
    let created = creating.await.unwrap();
    assert_eq!(created.status, 201, "{}", created.text());
    let ended = library.served.wait();
    assert!(ended.success(), "{ended}");
    until(&sql, 0, &format!("SELECT count(*) {served}")).await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = Directory::new();
    let output = tokio::task::spawn_blocking(move || run(&directory, &["serve", "--listen", &address]))
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot listen on 127.0.0.1:"), "{said}");
}
