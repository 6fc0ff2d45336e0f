//! Answers at the limit of what an entrance carries: whatever the core lets pass goes into the entrance's envelope.

use http::{HeaderMap, HeaderValue, header};
use rowstamp_api_gateway::{Envelope, map_response};
use rowstamp_ports::Secret;
use rowstamp_ports::exchange::{ApiRequest, ApiResponse, Entrance, Evidence, RequestParts};

use crate::app::{App, Store};

/// The entrance with the lowest limit; only the number is another at the others.
const ENTRANCE: Entrance = Entrance::LoadBalancer;
const ENVELOPE: Envelope = Envelope::LoadBalancerMultiValue;

/// What takes one byte in the body, and in the envelope as many as it says.
const PIECES: [(&str, usize); 4] = [("\u{1}", 6), ("\n", 2), ("\"", 2), ("\u{7f}", 1)];

async fn send(app: &App, line: &str, accept: &str, body: String) -> ApiResponse {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
    headers.insert("prefer", HeaderValue::from_static("return=representation"));
    let parts = RequestParts {
        method: method.parse().unwrap(),
        base_path: "/v1".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: body.into(),
        request_id: "test-1".to_owned(),
        deadline: None,
    };
    let evidence = Evidence::Bearer(Secret::new("alice"));
    app.controller
        .handle(Ok(ApiRequest::from_event(parts, ENTRANCE, evidence)))
        .await
}

#[tokio::test]
async fn what_the_core_lets_pass_is_carried_and_a_write_never_becomes_an_error() {
    let limit = ENTRANCE.answer_limit_bytes().unwrap();
    for (piece, weight) in PIECES {
        for bytes in [limit / weight - 60_000 / weight, limit / weight + 10] {
            let app = App::library(Store::Memory).await;
            let body = serde_json::json!([{ "text": piece.repeat(bytes) }]).to_string();
            for accept in ["text/csv", "application/json"] {
                let what = format!("{bytes} times {piece:?} as {accept}");
                let created = send(&app, "POST /notes?select=text", accept, body.clone()).await;
                assert_eq!(created.status, 201, "{what}");
                let empty = created.body.is_empty();
                let said = if empty {
                    "return=minimal"
                } else {
                    "return=representation"
                };
                assert_eq!(created.headers["preference-applied"], said, "{what}");
                assert!(map_response(ENVELOPE, created).is_ok(), "{what}");
                let read = send(&app, "GET /notes?select=text&limit=1", accept, String::new()).await;
                assert_eq!(read.status, if empty { 400 } else { 200 }, "{what}");
                assert!(map_response(ENVELOPE, read).is_ok(), "{what}");
                if accept == "text/csv" {
                    // In CSV a quote is doubled; whatever else is there stands as it is.
                    let whole = weight * bytes * if piece == "\"" { 2 } else { 1 };
                    assert_eq!(empty, whole + 16_000 > limit, "{what}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_longest_link_is_carried_with_the_largest_body() {
    let app = App::library(Store::Memory).await;
    let limit = ENTRANCE.answer_limit_bytes().unwrap();
    for number in 0..2 {
        let text = format!("{number}{}", "x".repeat(limit - 8 * 1024 - 20));
        let body = serde_json::json!([{ "text": text }]).to_string();
        send(&app, "POST /notes", "application/json", body).await;
    }
    let mut linked = 0;
    for length in (6_900..7_100).step_by(20) {
        let line = format!("GET /notes?select=text&limit=1&text=neq.{}", "q".repeat(length));
        let read = send(&app, &line, "application/json", String::new()).await;
        assert_eq!(read.status, 200, "{length}");
        linked += usize::from(read.headers.contains_key("link"));
        assert!(map_response(ENVELOPE, read).is_ok(), "{length}");
    }
    assert!((1..10).contains(&linked), "{linked}");
}
