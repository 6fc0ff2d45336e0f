//! What the function writes about the requests it answers.

use serde_json::{Value, json};

use crate::event::{Entrance, Request};
use crate::library::Library;

/// The lines about requests, once there are so many.
async fn lines(library: &Library, count: usize) -> Vec<Value> {
    for _ in 0..200 {
        let log = library.function.log();
        let lines: Vec<Value> = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["message"] == "answered")
            .collect();
        if lines.len() >= count {
            return lines;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("there are no {count} lines in:\n{}", library.function.log())
}

/// A number that only a measurement can give.
fn take_number(line: &mut Value, name: &str) -> f64 {
    let taken = line.as_object_mut().unwrap().remove(name);
    taken
        .and_then(|value| value.as_f64())
        .unwrap_or_else(|| panic!("no {name} in {line}"))
}

#[tokio::test]
async fn each_request_is_one_line_that_holds_no_data() {
    let mut library = Library::open().await;
    let alice = json!({"claims": {"sub": "alice-the-caller"}});
    let requests = [
        Request::new("POST /loans")
            .authorizer(alice.clone())
            .json(&json!({"book": "The-secret-book"})),
        Request::new("GET /loans").query("book", "eq.The-secret-book"),
        Request::new("POST /loans").json(&json!({"book": "The-secret-book"})),
        Request::new("GET /nothing"),
        Request::new("OPTIONS /loans"),
        Request::new("GET /health"),
        Request::new("GET /openapi.json"),
    ];
    let count = requests.len();
    for request in requests {
        library.send(Entrance::RestApi, request).await;
    }
    let mut lines = lines(&library, count).await;
    assert_eq!(lines.len(), count, "one line for each");
    for line in &mut lines {
        let (duration, database) = (take_number(line, "duration_ms"), take_number(line, "db_ms"));
        assert!(0.0 < duration && duration < 60_000.0, "{duration}");
        assert!(
            0.0 <= database && database <= duration,
            "{database} of {duration}"
        );
        assert_eq!(database > 0.0, line["rows"] != 0, "{line}");
        let line = line.as_object_mut().unwrap();
        let known = [
            ("id", json!("c6af9ac6-7b61-11e6-9a41-93e8deadbeef")),
            (
                "xrayTraceId",
                json!("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0"),
            ),
            ("function_version", json!("$LATEST")),
            ("FunctionName", json!("library")),
            ("retries", json!(0)),
            ("message", json!("answered")),
            ("level", json!("INFO")),
        ];
        for (name, value) in known {
            assert_eq!(line.remove(name), Some(value), "{name}");
        }
        let invocation = line.remove("requestId").unwrap();
        assert!(
            invocation
                .as_str()
                .unwrap()
                .starts_with("00000000-0000-4000-8000-")
        );
        assert!(line.remove("timestamp").is_some());
    }
    let line = |cold: bool, operation: &str, resource: Value, status: u16, code: Value, rows: u64| {
        json!({
            "cold_start": cold, "operation": operation, "resource": resource, "status": status, "code": code,
            "rows": rows,
        })
    };
    assert_eq!(
        lines,
        [
            line(true, "create", json!("loans"), 201, Value::Null, 1),
            line(false, "list", json!("loans"), 200, Value::Null, 1),
            line(false, "create", json!("loans"), 401, lines[2]["code"].clone(), 0),
            line(false, "none", Value::Null, 404, lines[3]["code"].clone(), 0),
            line(false, "options", Value::Null, 204, Value::Null, 0),
            line(false, "health", Value::Null, 200, Value::Null, 0),
            line(false, "document", Value::Null, 200, Value::Null, 0),
        ]
    );
    assert!(lines[2]["code"].is_string() && lines[3]["code"].is_string());
    let log = library.function.log();
    for data in ["The-secret-book", "alice-the-caller"] {
        assert!(!log.contains(data), "{data} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn whatever_else_is_logged_names_the_invocation_and_xrays_trace() {
    let mut library = Library::open().await;
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    library.function.api().set_trace(trace);
    let connection = library.connect().await;
    connection.batch_execute("DROP TABLE loans").await.unwrap();
    let answer = library.send(Entrance::RestApi, Request::new("GET /loans")).await;
    assert_eq!(answer.status, 500, "{}", answer.body);
    lines(&library, 1).await;
    let log = library.function.log();
    let failed: Vec<Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["message"] == "the request failed")
        .collect();
    assert_eq!(failed.len(), 1, "{log}");
    let spans = failed[0]["spans"].as_array().unwrap();
    assert_eq!(spans[0]["xrayTraceId"], trace, "{failed:?}");
    assert_eq!(spans[0]["requestId"], "00000000-0000-4000-8000-000000000000");
    assert_eq!(spans[1]["id"], "c6af9ac6-7b61-11e6-9a41-93e8deadbeef");
}

#[tokio::test]
async fn metrics_are_in_the_line_where_they_are_wanted() {
    let vars = [
        ("ROWSTAMP_METRICS", "cloudwatch"),
        ("ROWSTAMP_METRICS_NAMESPACE", "Books"),
        ("RUST_LOG", "off"),
    ];
    let mut library = Library::open_with(&vars).await;
    library
        .send(Entrance::HttpApi, Request::new("GET /authors"))
        .await;
    library
        .send(Entrance::HttpApi, Request::new("GET /authors"))
        .await;
    let lines = lines(&library, 2).await;
    for (line, cold) in lines.iter().zip([1, 0]) {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "Books");
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(
                line[metric["Name"].as_str().unwrap()].is_number(),
                "{metric} in {line}"
            );
        }
        assert_eq!((&line["Requests"], &line["Errors"]), (&json!(1), &json!(0)));
        assert_eq!(line["ColdStarts"], cold);
    }
    let written = library.function.log().lines().count();
    assert_eq!(written, 2, "nothing else was wanted: {}", library.function.log());
}

#[tokio::test]
async fn nothing_is_written_that_is_not_wanted() {
    let mut library = Library::open_with(&[("RUST_LOG", "warn")]).await;
    let list = library
        .send(Entrance::HttpApi, Request::new("GET /authors"))
        .await;
    assert_eq!(list.status, 200);
    assert!(!list.headers.contains_key("server-timing"));
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(library.function.log(), "");
}

#[tokio::test]
async fn answers_tell_their_times_where_that_is_wanted() {
    let mut library = Library::open_with(&[("ROWSTAMP_SERVER_TIMING", "on")]).await;
    for line in ["GET /authors", "GET /nothing"] {
        let answer = library.send(Entrance::RestApi, Request::new(line)).await;
        let times: Vec<(&str, f64)> = answer
            .header("server-timing")
            .split(", ")
            .map(|part| part.split_once(";dur=").unwrap())
            .map(|(name, time)| (name, time.parse().unwrap()))
            .collect();
        assert_eq!((times[0].0, times[1].0, times.len()), ("db", "total", 2));
        assert!(times[0].1 <= times[1].1, "{times:?}");
        assert_eq!(times[0].1 > 0.0, line == "GET /authors", "{times:?}");
    }
}

#[tokio::test]
async fn what_a_broken_connection_costs_is_counted() {
    let mut library = Library::open().await;
    library
        .send(Entrance::HttpApi, Request::new("GET /authors"))
        .await;
    library.end_connections().await;
    let read = library
        .send(Entrance::HttpApi, Request::new("GET /authors"))
        .await;
    assert_eq!(read.status, 200, "{}", read.body);
    let lines = lines(&library, 2).await;
    let log = library.function.log();
    let tried = log.matches("trying again").count();
    assert_eq!(lines[1]["retries"], tried, "{log}");
}
