//! The real programs, stopped and continued while the network went on without them.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rowstamp_domain::definition::toml;
use rowstamp_local::provision::TestDatabase;
use rowstamp_ports::RecordStore as _;
use rowstamp_tests::binaries::binary;
use rowstamp_tests::http_client::Client;
use rowstamp_tests::runtime_api::Answer;
use rowstamp_tests::runtime_api_function::Function;
use rowstamp_tests::served::{Directory, Served};
use rowstamp_tests::tcp_proxy::{TcpProxy, Traffic};
use serde_json::{Value, json};

use crate::fixture::store;

const DEFINITION: &str = include_str!("open.toml");

/// Short, so that a test need not wait as long as Lambda does.
const VARIABLES: (&str, &str) = ("ROWSTAMP_DB_IDLE_CHECK_MS", "200");

/// A database with the tables of the definition, and a proxy in front.
async fn database() -> (TestDatabase, TcpProxy) {
    let database = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap();
    let api = Arc::new(toml::parse("open.toml", DEFINITION).unwrap());
    let direct = store(database.url(), &[]);
    direct.create_missing(&api).await.unwrap();
    direct.ready(None).await.unwrap();
    let proxy = TcpProxy::to_database(database.url());
    (database, proxy)
}

fn definition_file() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/open.toml");
    path.to_str().unwrap().to_owned()
}

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

async fn invoke(function: &mut Function, method: &str, body: &str) -> (u64, Value) {
    let event = json!({
        "version": "2.0", "rawPath": "/books", "rawQueryString": "", "body": body,
        "headers": {"content-type": "application/json"},
        "requestContext": {"requestId": "r-1", "stage": "$default", "http": {"method": method, "path": "/books"}},
    });
    match function.invoke(event.to_string()).await {
        Answer::Response(answer) => {
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            let body = answer["body"].as_str().unwrap_or_default();
            let body = serde_json::from_str(body).unwrap_or_default();
            (answer["statusCode"].as_u64().unwrap(), body)
        }
        Answer::Error(error) => panic!("{error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_was_frozen_answers_the_next_event_right() {
    let (_database, proxy) = database().await;
    let bootstrap = tokio::task::spawn_blocking(|| binary("rowstamp-lambda", "bootstrap"))
        .await
        .unwrap();
    let (url, file) = (proxy.url(), definition_file());
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("ROWSTAMP_RESOURCES", &file),
        VARIABLES,
    ];
    let mut function = Function::start(&bootstrap, &variables).await;
    let mut expected = 0;
    for meanwhile in MEANWHILE {
        for method in ["POST", "GET"] {
            let (status, _) = invoke(&mut function, "GET", "").await;
            assert_eq!(status, 200, "{}", function.log());
            freeze(function.process_id().unwrap(), &proxy, meanwhile).await;
            let begun = Instant::now();
            let body = if method == "POST" { r#"{"title": "a"}"# } else { "" };
            let (status, answer) = invoke(&mut function, method, body).await;
            if method == "POST" {
                expected += 1;
                assert_eq!(status, 201, "{answer}: {}", function.log());
            } else {
                assert_eq!((status, answer.as_array().unwrap().len()), (200, expected));
            }
            assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_frozen_answers_the_next_request_right() {
    let (_database, proxy) = database().await;
    let (url, file) = (proxy.url(), definition_file());
    let (directory, served) = tokio::task::spawn_blocking(move || {
        let directory = Directory::new();
        let arguments = ["--database", &url, "--resources", &file];
        let served = Served::start(&directory, &arguments, &[VARIABLES]);
        (directory, served)
    })
    .await
    .unwrap();
    let client: Client = served.anonymous();
    let mut expected = 0;
    for meanwhile in MEANWHILE {
        for method in ["POST", "GET"] {
            assert_eq!(client.get("/books").await.status, 200);
            freeze(served.process_id(), &proxy, meanwhile).await;
            let begun = Instant::now();
            if method == "POST" {
                expected += 1;
                let answer = client
                    .json(http::Method::POST, "/books", &json!({"title": "a"}))
                    .await;
                assert_eq!(answer.status, 201, "{}", answer.text());
            } else {
                let answer = client.get("/books").await;
                assert_eq!(answer.json().as_array().unwrap().len(), expected);
            }
            assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        }
    }
    drop((served, directory));
}
