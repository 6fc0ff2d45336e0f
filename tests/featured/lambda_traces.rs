//! The function sends a trace of each request, which goes on from X-Ray's or the caller's, before it can be frozen.

use std::path::Path;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use rowstamp_local::provision::TestDatabase;
use rowstamp_postgres::{PostgresStore, Settings};
use rowstamp_tests::binaries::featured_binary;
use rowstamp_tests::runtime_api::Answer;
use rowstamp_tests::runtime_api_function::Function;
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use crate::collector::{Collector, expected};

const DEFINITION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/lambda/library.toml");
const XRAY_TRACE: &str = "5759e988bd862e3fe1be46a994272793";
const XRAY_PARENT: &str = "53995c3f42cd8ad8";
const SAMPLED: &str =
    "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:5bf4:0";
const NOT_SAMPLED: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The function on a database of its own, with X-Ray sampling.
struct Traced {
    function: Function,
    database: TestDatabase,
}

impl Traced {
    async fn start(collector: &Collector, vars: &[(&str, &str)]) -> Self {
        Self::start_at(collector.url(), vars).await
    }

    async fn start_at(endpoint: &str, vars: &[(&str, &str)]) -> Self {
        let bootstrap = tokio::task::spawn_blocking(|| featured_binary("bootstrap"))
            .await
            .unwrap();
        let database = TestDatabase::create();
        let text = std::fs::read_to_string(DEFINITION).unwrap();
        let api = rowstamp_rest::Api::from_toml("library.toml", &text)
            .unwrap()
            .build()
            .unwrap();
        PostgresStore::with_password(&Settings::from_url(database.url()).unwrap())
            .create_missing(api.definition())
            .await
            .unwrap();
        let given = [
            ("DATABASE_URL", database.url()),
            ("ROWSTAMP_RESOURCES", DEFINITION),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ];
        let function = Function::start(Path::new(&bootstrap), &[&given, vars].concat()).await;
        function.api().set_trace(SAMPLED);
        Self { function, database }
    }

    /// Sends a request through an HTTP API, as Alice.
    async fn send(&mut self, line: &str, query: &str, headers: &Value, body: &Value) -> (u64, Value) {
        let event = event(line, query, headers, body);
        read(&self.function.invoke(event).await)
    }

    async fn get(&mut self, path: &str) -> u64 {
        self.send(&format!("GET {path}"), "", &json!({}), &Value::Null)
            .await
            .0
    }
}

fn event(line: &str, query: &str, headers: &Value, body: &Value) -> String {
    let (method, path) = line.split_once(' ').unwrap();
    json!({
        "version": "2.0", "rawPath": path, "rawQueryString": query, "headers": headers,
        "requestContext": {
            "requestId": "JKJaXmPLvHcESHA=", "stage": "$default",
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.7"},
            "authorizer": {"jwt": {"claims": {"sub": "alice-the-caller"}, "scopes": null}},
        },
        "body": if body.is_null() { Value::Null } else { body.to_string().into() },
        "isBase64Encoded": false,
    })
    .to_string()
}

fn read(answer: &Answer) -> (u64, Value) {
    let Answer::Response(bytes) = answer else {
        panic!("{answer:?}")
    };
    let answer: Value = serde_json::from_slice(bytes).unwrap();
    let body = answer["body"].as_str().unwrap_or_default();
    (
        answer["statusCode"].as_u64().unwrap(),
        serde_json::from_str(body).unwrap_or_default(),
    )
}

const CREATE: &str = "POST /loans";

fn json_type() -> Value {
    json!({"content-type": "application/json", "user-agent": "agent-of-alice"})
}

#[tokio::test]
async fn each_request_is_a_span_of_xrays_trace_and_holds_no_data() {
    let collector = Collector::start().await;
    let key = ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hush-hush");
    let mut traced = Traced::start(&collector, &[key]).await;
    let book = json!({"book": "The-secret-book"});
    let (status, row) = traced.send(CREATE, "", &json_type(), &book).await;
    assert_eq!(status, 201, "{row}");
    let uid = row["uid"].as_str().unwrap().to_owned();
    assert_eq!(traced.get(&format!("/loans/{uid}")).await, 200);
    let (status, _) = traced
        .send("GET /loans", "book=eq.The-secret-book", &json!({}), &Value::Null)
        .await;
    assert_eq!(status, 200);
    assert_eq!(traced.get("/The-secret-path/x/y").await, 404);
    assert_eq!(
        traced
            .send("SECRET-METHOD /loans", "", &json!({}), &Value::Null)
            .await
            .0,
        405
    );

    let requests = collector.requests(5).await;
    let invocation = |number: usize| format!("00000000-0000-4000-8000-{number:012}");
    let common = |number: usize, more: &[(&str, &str)]| {
        let mut attributes = expected(&[
            ("faas.trigger", "http"),
            ("faas.coldstart", if number == 0 { "true" } else { "false" }),
            (
                "aws.lambda.invoked_arn",
                "arn:aws:lambda:eu-west-1:123456789012:function:library",
            ),
            (
                "cloud.resource_id",
                "arn:aws:lambda:eu-west-1:123456789012:function:library",
            ),
        ]);
        attributes.insert("faas.invocation_id".to_owned(), invocation(number));
        attributes.extend(expected(more));
        attributes
    };
    let wanted = [
        (
            "POST /loans",
            common(
                0,
                &[
                    ("http.request.method", "POST"),
                    ("http.route", "/loans"),
                    ("http.response.status_code", "201"),
                ],
            ),
            Some(("INSERT loans", "INSERT", "1")),
        ),
        (
            "GET /loans/{uid}",
            common(
                1,
                &[
                    ("http.request.method", "GET"),
                    ("http.route", "/loans/{uid}"),
                    ("http.response.status_code", "200"),
                ],
            ),
            Some(("SELECT loans", "SELECT", "1")),
        ),
        (
            "GET /loans",
            common(
                2,
                &[
                    ("http.request.method", "GET"),
                    ("http.route", "/loans"),
                    ("http.response.status_code", "200"),
                ],
            ),
            Some(("SELECT loans", "SELECT", "1")),
        ),
        (
            "GET",
            common(
                3,
                &[
                    ("http.request.method", "GET"),
                    ("http.response.status_code", "404"),
                ],
            ),
            None,
        ),
        (
            "HTTP",
            common(
                4,
                &[
                    ("http.request.method", "_OTHER"),
                    ("http.response.status_code", "405"),
                ],
            ),
            None,
        ),
    ];
    for (request, (name, attributes, call)) in requests.iter().zip(wanted) {
        assert_eq!(request.name, name);
        assert_eq!(request.attributes, attributes, "{name}");
        assert_eq!(
            (request.trace.as_str(), request.parent.as_str()),
            (XRAY_TRACE, XRAY_PARENT)
        );
        assert!(!request.is_error, "{request:?}");
        let calls: Vec<_> = collector
            .below(request)
            .into_iter()
            .map(|call| (call.name, call.kind, call.attributes))
            .collect();
        let call = call.map(|(name, operation, rows)| {
            let attributes = expected(&[
                ("db.system.name", "postgresql"),
                ("db.operation.name", operation),
                ("db.collection.name", "loans"),
                ("db.response.returned_rows", rows),
            ]);
            (name.to_owned(), SpanKind::Client, attributes)
        });
        assert_eq!(calls, Vec::from_iter(call), "{name}");
    }
    for (name, value) in [
        ("service.name", "library"),
        ("cloud.provider", "aws"),
        ("cloud.platform", "aws_lambda"),
        ("cloud.region", "eu-west-1"),
        ("faas.name", "library"),
        ("faas.version", "$LATEST"),
        ("faas.instance", "2026/11/22/[$LATEST]0123456789abcdef"),
        ("faas.max_memory", "268435456"),
    ] {
        assert_eq!(
            requests[0].resource.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
    assert_eq!(collector.headers()["api-key"], "hush-hush");

    let bytes = collector.bytes();
    let raw = uuid::Uuid::parse_str(&uid).unwrap().into_bytes();
    for secret in [
        &b"secret"[..],
        b"SECRET",
        b"alice",
        b"agent-of",
        b"203.0.113.7",
        b"hush",
        b"JKJaXmPLvHcESHA",
        uid.as_bytes(),
        &raw,
    ] {
        let found = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "{} was sent", String::from_utf8_lossy(secret));
    }
}

/// The trace and the parent of a request with both headers, as these settings have it.
async fn parent_with_both(vars: &[(&str, &str)]) -> (String, String) {
    let collector = Collector::start().await;
    let mut traced = Traced::start(&collector, vars).await;
    let headers = json!({"traceparent": TRACEPARENT, "tracestate": "vendor=x"});
    let (status, _) = traced.send("GET /health", "", &headers, &Value::Null).await;
    assert_eq!(status, 200);
    let requests = collector.requests(1).await;
    (requests[0].trace.clone(), requests[0].parent.clone())
}

#[tokio::test]
async fn a_callers_traceparent_comes_before_xrays_unless_the_settings_say_otherwise() {
    let callers = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    for (propagators, (trace, parent)) in [
        (None, callers),
        (Some("tracecontext"), callers),
        (
            Some("tracecontext,baggage,xray-lambda"),
            (XRAY_TRACE, XRAY_PARENT),
        ),
        (Some("xray"), (XRAY_TRACE, XRAY_PARENT)),
    ] {
        let vars = propagators.map(|names| ("OTEL_PROPAGATORS", names));
        let found = parent_with_both(&Vec::from_iter(vars)).await;
        assert_eq!(found, (trace.to_owned(), parent.to_owned()), "{propagators:?}");
    }
    let (trace, parent) = parent_with_both(&[("OTEL_PROPAGATORS", "none")]).await;
    assert_eq!(parent, "", "a trace of its own");
    assert!(![callers.0, XRAY_TRACE].contains(&trace.as_str()), "{trace}");
}

#[tokio::test]
async fn what_xray_does_not_sample_is_not_sent_unless_the_sampler_says_always() {
    let collector = Collector::start().await;
    let mut traced = Traced::start(&collector, &[]).await;
    traced.function.api().set_trace(NOT_SAMPLED);
    for _ in 0..2 {
        assert_eq!(traced.get("/authors").await, 200);
    }
    traced.function.api().set_trace(SAMPLED);
    assert_eq!(traced.get("/health").await, 200);
    let requests = collector.requests(1).await;
    assert_eq!(requests[0].name, "GET /health");
    assert_eq!(collector.spans().len(), 1, "{:?}", collector.spans());
    let hints = traced
        .function
        .log()
        .matches("this request is not sampled")
        .count();
    assert_eq!(hints, 1, "it is told once why: {}", traced.function.log());

    let always = ("OTEL_TRACES_SAMPLER", "always_on");
    let mut traced = Traced::start(&collector, &[always]).await;
    traced.function.api().set_trace(NOT_SAMPLED);
    assert_eq!(traced.get("/authors").await, 200);
    let requests = collector.requests(2).await;
    assert_eq!(requests[1].trace, XRAY_TRACE, "it is X-Ray's trace all the same");
    assert_eq!(collector.below(&requests[1]).len(), 1);
}

#[tokio::test]
async fn spans_are_sent_before_the_next_event_is_asked_for() {
    let collector = Collector::start().await;
    let mut traced = Traced::start(&collector, &[]).await;
    for count in 1..=5 {
        assert_eq!(traced.get("/health").await, 200);
        // This event was handed out after those before it were sent.
        let sent = collector.spans().len();
        assert!(sent >= count - 1, "{sent} of {count}");
    }
}

#[tokio::test]
async fn a_failure_is_an_error_of_the_span() {
    let collector = Collector::start().await;
    let mut traced = Traced::start(&collector, &[]).await;
    let (client, connection) = tokio_postgres::connect(traced.database.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.batch_execute("DROP TABLE loans").await.unwrap();
    assert_eq!(traced.get("/loans").await, 500);
    let requests = collector.requests(1).await;
    assert!(requests[0].is_error);
    assert_eq!(requests[0].attributes["error.type"], "RS_DRIFT");
    let calls = collector.below(&requests[0]);
    assert!(calls[0].is_error);
    assert_eq!(calls[0].attributes["error.type"], "drift");
}

#[tokio::test]
async fn a_collector_that_hangs_delays_no_answer_and_the_next_event_by_no_more_than_its_limit() {
    const LIMIT: Duration = Duration::from_secs(3);
    const SOON: Duration = Duration::from_secs(2);
    let collector = Collector::start().await;
    collector.answer_with(0);
    let limit = ("OTEL_EXPORTER_OTLP_TIMEOUT", "3000");
    let mut traced = Traced::start(&collector, &[limit]).await;
    traced.function.initialised(Duration::from_secs(20)).await;
    let mut took = Vec::new();
    for _ in 0..4 {
        let begun = Instant::now();
        assert_eq!(traced.get("/authors").await, 200);
        took.push(begun.elapsed());
    }
    assert!(took[0] < SOON, "the answer waits for no collector: {took:?}");
    assert!(
        took[1] < LIMIT + SOON,
        "the environment is busy no longer than that: {took:?}"
    );
    assert!(took[1] + SOON > LIMIT, "it does wait for the collector: {took:?}");
    assert!(
        took[2] < SOON && took[3] < SOON,
        "then nobody waits for it any more: {took:?}"
    );
    assert!(traced.function.log().contains("traces could not be exported"));
}

#[tokio::test]
async fn the_export_ends_before_the_invocations_own_deadline() {
    let collector = Collector::start().await;
    collector.answer_with(0);
    let limit = ("OTEL_EXPORTER_OTLP_TIMEOUT", "30000");
    let mut traced = Traced::start(&collector, &[limit]).await;
    let event = || event("GET /health", "", &json!({}), &Value::Null);
    let first = traced
        .function
        .invoke_within(event(), Duration::from_secs(2))
        .await;
    assert_eq!(read(&first).0, 200);
    let begun = Instant::now();
    assert_eq!(read(&traced.function.invoke(event()).await).0, 200);
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_collector_that_is_away_fails_no_request() {
    let mut traced = Traced::start_at("http://127.0.0.1:1", &[]).await;
    for _ in 0..3 {
        assert_eq!(traced.get("/authors").await, 200);
    }
    assert!(
        !traced.function.log().contains("127.0.0.1:1"),
        "{}",
        traced.function.log()
    );
}

#[tokio::test]
async fn nothing_is_sent_where_it_is_switched_off() {
    let collector = Collector::start().await;
    for vars in [
        [("OTEL_SDK_DISABLED", "true")],
        [("OTEL_TRACES_EXPORTER", "none")],
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "")],
        [("OTEL_TRACES_SAMPLER", "always_off")],
    ] {
        let mut traced = Traced::start(&collector, &vars).await;
        for _ in 0..2 {
            assert_eq!(traced.get("/authors").await, 200);
        }
        traced.function.terminate();
        assert!(traced.function.ended().await.success());
        assert_eq!(collector.spans(), [], "{vars:?}");
    }
}

#[tokio::test]
async fn the_last_spans_arrive_when_the_environment_ends() {
    for concurrency in ["1", "4"] {
        let collector = Collector::start().await;
        collector.answer_with(503);
        let mut traced = Traced::start(&collector, &[("AWS_LAMBDA_MAX_CONCURRENCY", concurrency)]).await;
        // What could not be sent before is there at the end, and so is what was under way.
        assert_eq!(traced.get("/authors").await, 200);
        let (client, connection) = tokio_postgres::connect(traced.database.url(), NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
            .batch_execute("BEGIN; LOCK TABLE loans IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
        let api = traced.function.api();
        let under_way = api.invoke(
            event(CREATE, "", &json_type(), &json!({"book": "b"})),
            Duration::from_secs(20),
        );
        let end = async {
            let begun = Instant::now();
            while api.under_way() == 0 {
                assert!(begun.elapsed() < Duration::from_secs(20), "nothing is under way");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            collector.answer_with(200);
            traced.function.terminate();
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(client);
        };
        let (answer, ()) = tokio::join!(under_way, end);
        assert_eq!(read(&answer).0, 201);
        let status = traced.function.ended().await;
        assert!(status.success(), "{status}: {}", traced.function.log());
        let names: Vec<String> = collector.spans().into_iter().map(|span| span.name).collect();
        assert_eq!(
            names,
            ["SELECT authors", "GET /authors", "INSERT loans", "POST /loans"],
            "{concurrency} at once"
        );
    }
}

#[tokio::test]
async fn the_line_of_a_request_names_its_trace() {
    let collector = Collector::start().await;
    let mut traced = Traced::start(&collector, &[]).await;
    assert_eq!(traced.get("/authors").await, 200);
    let requests = collector.requests(1).await;
    let log = traced.function.log();
    let line = log.lines().find(|line| line.contains(r#""message":"answered""#));
    let line: Value = serde_json::from_str(line.unwrap_or_else(|| panic!("no line in {log}"))).unwrap();
    assert_eq!(line["trace_id"], requests[0].trace);
    assert_eq!(line["xrayTraceId"], SAMPLED);
}
