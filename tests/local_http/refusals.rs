//! Whatever is wrong, the answer says what, and gives nothing away.

use hyper::Method;
use rowstamp_local::provision::{ProvisionOptions, find_or_start};
use rowstamp_tests::http_client::Answer;
use rowstamp_tests::route::Route;
use rowstamp_tests::served::{Directory, Served};
use serde_json::json;

use super::{LIBRARY, Library};

/// A problem body with what every one has, and nothing of what none may have.
fn assert_problem(answer: &Answer, status: u16, case: &str) {
    assert_eq!(answer.status, status, "{case}: {}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{case}"
    );
    let problem = answer.json();
    assert_eq!(problem["status"], json!(status), "{case}");
    for member in ["type", "title", "code", "message", "detail"] {
        assert!(problem[member].is_string(), "{case}: {member} of {problem}");
    }
    let said = answer.text().to_lowercase();
    for inside in [
        "select ", "insert ", "tokio", "postgres", "panicked", ".rs:", "/tmp/", "stack",
    ] {
        assert!(!said.contains(inside), "{case}: {inside} in {said}");
    }
}

pub(crate) async fn every_kind_of_bad_input_is_answered_clearly(route: Route) {
    let library = Library::by(route, &[]);
    let client = library.client("ursula", &["librarians"]);
    let long = format!(r#"{{"title": "{}"}}"#, "x".repeat(201));
    let missing = "/books/01890000-0000-7000-8000-000000000000";
    let cases: &[(&str, Method, &str, &str, u16, &str)] = &[
        ("malformed JSON", Method::POST, "/books", r#"{"title": "#, 400, ""),
        (
            "a key given twice",
            Method::POST,
            "/books",
            r#"{"title": "a", "title": "b"}"#,
            400,
            "",
        ),
        (
            "wrong type",
            Method::POST,
            "/books",
            r#"{"title": 7}"#,
            422,
            "/title",
        ),
        (
            "unknown field",
            Method::POST,
            "/books",
            r#"{"title": "a", "titel": "b"}"#,
            422,
            "/titel",
        ),
        ("missing field", Method::POST, "/books", "{}", 422, "/title"),
        ("over-long text", Method::POST, "/books", &long, 422, "/title"),
        (
            "excess scale",
            Method::POST,
            "/books",
            r#"{"title": "a", "price": 1.005}"#,
            422,
            "/price",
        ),
        (
            "not one of the values",
            Method::POST,
            "/books",
            r#"{"title": "a", "status": "lost"}"#,
            422,
            "/status",
        ),
        (
            "an audit field",
            Method::POST,
            "/books",
            r#"{"title": "a", "creator_uid": "b"}"#,
            422,
            "/creator_uid",
        ),
        ("no object", Method::POST, "/books", "17", 400, ""),
        ("bad uid", Method::GET, "/books/17", "", 400, ""),
        ("no such row", Method::GET, missing, "", 404, ""),
        ("no such resource", Method::GET, "/shelves", "", 404, ""),
        ("no such method here", Method::PUT, "/books", "{}", 405, ""),
        ("unknown filter", Method::GET, "/books?colour=eq.red", "", 400, ""),
        ("unknown order", Method::GET, "/books?order=colour", "", 400, ""),
        ("bad limit", Method::GET, "/books?limit=many", "", 400, ""),
    ];
    for (case, method, target, body, status, pointer) in cases {
        let answer = client.send(method.clone(), target, &[], body).await;
        // What a body means may be refused as 400 or 422 by its shape; the table says which.
        assert_problem(&answer, *status, case);
        if !pointer.is_empty() {
            assert!(
                answer.text().contains(&format!("\"pointer\":\"{pointer}\"")),
                "{case}: {}",
                answer.text()
            );
        }
    }
    let kind = [("content-type", "text/plain")];
    assert_problem(
        &client.send(Method::POST, "/books", &kind, "title").await,
        415,
        "text",
    );
    let accept = [("accept", "image/png")];
    assert_problem(
        &client.send(Method::GET, "/books", &accept, "").await,
        406,
        "image",
    );
}

pub(crate) async fn everything_wrong_with_a_body_is_told_at_once(route: Route) {
    let library = Library::by(route, &[]);
    let client = library.client("ursula", &[]);
    let answer = client
        .json(
            Method::POST,
            "/books",
            &json!({"title": "", "pages": 0, "rating": 6, "x": 1}),
        )
        .await;
    assert_problem(&answer, 422, "four mistakes");
    assert_eq!(
        answer.json()["errors"].as_array().map(Vec::len),
        Some(4),
        "{}",
        answer.text()
    );
}

pub(crate) async fn a_conflict_names_the_field(route: Route) {
    let library = Library::by(route, &[]);
    let client = library.client("ursula", &[]);
    let book = json!({"title": "a", "isbn": "9780060512750"});
    assert_eq!(client.json(Method::POST, "/books", &book).await.status, 201);
    let again = client.json(Method::POST, "/books", &book).await;
    assert_problem(&again, 409, "twice");
    assert!(again.text().contains("/isbn"), "{}", again.text());
}

pub(crate) async fn a_body_over_the_limit_is_refused(route: Route) {
    let library = Library::by(route, &[("ROWSTAMP_MAX_BODY_BYTES", "1000")]);
    let client = library.client("ursula", &[]);
    let fits = json!({"title": "a", "details": "x".repeat(900)});
    assert_eq!(client.json(Method::POST, "/books", &fits).await.status, 201);
    let over = json!({"title": "a", "details": "x".repeat(100_000)});
    assert_problem(&client.json(Method::POST, "/books", &over).await, 413, "over");
}

#[tokio::test]
async fn a_database_that_dies_is_a_503_and_the_server_lives() {
    let directory = Directory::new();
    let options = ProvisionOptions::throw_away_in(directory.path().join("database"));
    let database = tokio::task::spawn_blocking(move || find_or_start(&options).unwrap())
        .await
        .unwrap();
    let arguments = ["--resources", LIBRARY, "--database", database.url(), "--migrate"];
    let served = Served::start(&directory, &arguments, &[]);
    let client = served.client(&directory, "ursula", &[]);
    assert_eq!(client.get("/books").await.status, 200);
    tokio::task::spawn_blocking(move || database.stop())
        .await
        .unwrap();

    let read = client.get("/books").await;
    assert_problem(&read, 503, "read");
    assert_ne!(read.header("retry-after"), "");
    assert_problem(
        &client.json(Method::POST, "/authors", &json!({"name": "x"})).await,
        503,
        "write",
    );
    assert_eq!(client.get("/health").await.status, 200);
    assert_problem(&client.get("/health?ready").await, 503, "ready");
}
