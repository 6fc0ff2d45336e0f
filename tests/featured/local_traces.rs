//! `rowstamp serve` sends traces in the background, and what is left when it stops.

use std::time::{Duration, Instant};

use hyper::Method;
use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::binaries::featured_binary;
use rowstamp_tests::http_client::Client;
use rowstamp_tests::served::{Directory, Served};
use serde_json::json;

use crate::collector::Collector;

const LIBRARY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../app-local/src/example/library.toml"
);
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The library in a database of its own, served.
struct Library {
    served: Served,
    directory: Directory,
    _database: TestDatabase,
}

impl Library {
    async fn open(directory: Directory, vars: &[(&str, &str)]) -> Self {
        let program = tokio::task::spawn_blocking(|| featured_binary("rowstamp"))
            .await
            .unwrap();
        let database = TestDatabase::create();
        let arguments = ["--resources", LIBRARY, "--database", database.url(), "--migrate"];
        let served = Served::start_program(&program, &directory, &arguments, vars);
        Self {
            served,
            directory,
            _database: database,
        }
    }

    fn client(&self) -> Client {
        self.served.client(&self.directory, "ursula", &["librarians"])
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_a_span_of_its_callers_trace() {
    let collector = Collector::start().await;
    let vars = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()),
        ("OTEL_SERVICE_NAME", "library"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=north%20wing",
        ),
    ];
    let library = Library::open(Directory::new(), &vars).await;
    let made = library
        .client()
        .json(Method::POST, "/authors", &json!({"name": "The-secret-name"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = made.header("location").to_owned();
    let read = library
        .served
        .anonymous()
        .send(Method::GET, &path, &[("traceparent", TRACEPARENT)], "")
        .await;
    assert_eq!(read.status, 200);

    // In the background, while it goes on serving.
    let requests = collector.requests(2).await;
    assert_eq!(requests[0].name, "POST /authors");
    assert_eq!(requests[0].parent, "", "nobody began that trace before");
    assert_eq!(requests[0].resource["service.name"], "library");
    assert_eq!(requests[0].resource["deployment.environment.name"], "north wing");
    assert_eq!(requests[1].name, "GET /authors/{uid}");
    assert_eq!(requests[1].trace, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(requests[1].parent, "00f067aa0ba902b7");
    assert!(
        !requests[1]
            .attributes
            .keys()
            .any(|name| name.starts_with("faas."))
    );
    let calls = collector.below(&requests[1]);
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].name, "SELECT authors");
    assert!(
        library
            .log()
            .contains(r#""trace_id":"4bf92f3577b34da6a3ce929d0e0e4736""#)
    );

    let uid = path.rsplit('/').next().unwrap();
    let bytes = collector.bytes();
    for secret in ["The-secret-name", "ursula", uid] {
        let found = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} was sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_sent_when_it_stops() {
    let directory = Directory::new();
    let (collector, root) = Collector::start_with_tls(&directory).await;
    let vars = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", root.as_str()),
    ];
    let library = Library::open(directory, &vars).await;
    for _ in 0..3 {
        assert_eq!(library.served.anonymous().get("/books").await.status, 200);
    }
    library.served.signal("TERM");
    let status = tokio::task::spawn_blocking(move || library.served.wait())
        .await
        .unwrap();
    assert!(status.success());
    let names: Vec<String> = collector.spans().into_iter().map(|span| span.name).collect();
    assert_eq!(
        names.iter().filter(|name| *name == "GET /books").count(),
        3,
        "{names:?}"
    );
    assert_eq!(
        names.iter().filter(|name| *name == "SELECT books").count(),
        3,
        "{names:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_delays_no_answer_and_the_stop_by_two_seconds_at_most() {
    let collector = Collector::start().await;
    collector.answer_with(0);
    let vars = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())];
    let library = Library::open(Directory::new(), &vars).await;
    let begun = Instant::now();
    // More than are sent at once, so that the background hangs.
    for _ in 0..300 {
        assert_eq!(library.served.anonymous().get("/books?limit=1").await.status, 200);
    }
    let each = begun.elapsed() / 300;
    assert!(each < Duration::from_millis(500), "{each:?}");
    let begun = Instant::now();
    library.served.signal("TERM");
    let status = tokio::task::spawn_blocking(move || library.served.wait())
        .await
        .unwrap();
    assert!(status.success());
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_gets_no_spans() {
    let directory = Directory::new();
    let (collector, _root) = Collector::start_with_tls(&directory).await;
    let vars = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hush-hush"),
    ];
    let library = Library::open(directory, &vars).await;
    assert_eq!(library.served.anonymous().get("/books").await.status, 200);
    library.served.signal("TERM");
    let (status, log) = tokio::task::spawn_blocking(move || {
        let Library {
            served, directory, ..
        } = library;
        let status = served.wait();
        (
            status,
            std::fs::read_to_string(directory.path().join("log")).unwrap(),
        )
    })
    .await
    .unwrap();
    assert!(status.success());
    assert_eq!(collector.spans(), []);
    assert!(log.contains("traces could not be exported"), "{log}");
    assert!(!log.contains("hush"), "{log}");
}
