//! Whatever is sent is answered, with a status that blames the sender or nobody, and a body that can be read.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use crate::app::{Answer, App, Store};

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
];
const UID: &str = "018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f";

fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        4 => select(vec!["books", "authors", "notes", "letters", "careful"]).prop_map(str::to_owned),
        4 => Just(UID.to_owned()),
        1 => select(vec![
            "", "health", "openapi.json", "rpc", "query", "%", "%2f", "%ff", "..", "b%6Foks", "nope",
            "00000000-0000-0000-0000-000000000000", "{018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f}",
        ]).prop_map(str::to_owned),
        1 => "[ -~]{0,8}".prop_map(|text| text.replace('?', "")),
    ];
    proptest::collection::vec(segment, 0..4).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn query() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        select(vec![
            "select",
            "order",
            "limit",
            "offset",
            "title",
            "pages",
            "price",
            "tags",
            "details",
            "uid",
            "cost",
            "code",
            "or",
            "and",
            "not.or",
            "cursor",
            "columns",
            "on_conflict",
            "nope",
            "author.name",
        ])
        .prop_map(str::to_owned),
        "[a-z.%+]{0,6}",
    ];
    let value = prop_oneof![
        select(vec![
            "eq.1",
            "eq.a",
            "is.null",
            "in.(1,2)",
            "not.in.(\"a\",b)",
            "like.*a*",
            "gt.1e131071",
            "eq.NaN",
            "*",
            "title,pages",
            "title.desc.nullslast",
            "price::text",
            "author(*)",
            "0",
            "-1",
            "99999999999999999999",
            "(title.eq.a,or(pages.gt.1,pages.is.null))",
            "isdistinct.x",
            "fts.a",
            "cs.{a}",
            "eq(any).{1,2}",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,12}",
        "%[0-9a-f]{2}",
    ];
    proptest::collection::vec((name, value), 0..4).prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("&")
    })
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = select(vec![
        "accept",
        "content-type",
        "prefer",
        "if-match",
        "if-none-match",
        "origin",
        "access-control-request-method",
        "access-control-request-headers",
        "idempotency-key",
        "accept-profile",
        "content-profile",
        "content-encoding",
        "range",
    ])
    .prop_map(str::to_owned);
    let value = prop_oneof![
        select(vec![
            "*/*",
            "application/json",
            "application/vnd.pgrst.object+json",
            "text/csv",
            "application/json;q=x",
            "return=representation",
            "return=minimal, count=exact",
            "handling=strict, nope",
            "tx=rollback",
            "*",
            "\"1-2\"",
            "W/\"1-2\", \"x\"",
            "\"",
            "https://a.example",
            "public",
            "secret",
            "0-24",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,16}",
    ];
    proptest::collection::vec((name, value), 0..4)
}

fn body() -> impl Strategy<Value = String> {
    let field = select(vec![
        "title",
        "isbn",
        "pages",
        "price",
        "published_on",
        "status",
        "tags",
        "details",
        "author_uid",
        "shelf",
        "loans",
        "code",
        "cost",
        "uid",
        "created_at",
        "last_updated_at",
        "creator_uid",
        "text",
        "name",
        "nope",
        "a/b~c",
    ]);
    let value = prop_oneof![
        select(vec![
            "null",
            "true",
            "1",
            "-1",
            "1.50",
            "1.505",
            "1e131071",
            "99999999999",
            "\"\"",
            "\"Emma\"",
            "\"draft\"",
            "\"9780141439587\"",
            "\"2026-01-31\"",
            "\"infinity\"",
            "\"NaN\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "[]",
            "[\"a\",\"b\"]",
            "[\"a\",1,[\"b\"]]",
            "[[[[[[[1]]]]]]]",
            "{}",
            "{\"a\":{\"a\":1}}",
            "{\"a\":1,\"a\":2}",
            "\"018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f\"",
            "\"2026-01-31T12:00:00Z\"",
            "\"4714-01-01 BC\"",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,8}".prop_map(|text| serde_json::Value::from(text).to_string()),
    ];
    let members = proptest::collection::vec((field, value), 0..5).prop_map(|members| {
        let members: Vec<_> = members
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    });
    prop_oneof![8 => members, 1 => "\\PC{0,12}", 1 => select(vec!["", " ", "[]", "[{}]", "{", "null", "\u{feff}{}"]).prop_map(str::to_owned)]
}

fn token() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![
        None,
        Some("alice"),
        Some("alice:librarians"),
        Some("bob"),
        Some("bad"),
    ])
}

fn check(answer: &Answer, method: &str) {
    assert!(
        (200..500).contains(&answer.status),
        "{} {}",
        answer.status,
        answer.text()
    );
    assert_eq!(answer.header("x-request-id"), "test-1");
    if method == "HEAD" || answer.status == 204 || answer.status == 304 {
        assert!(answer.body.is_empty());
    } else if answer.status >= 400 {
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let body = answer.json();
        assert_eq!(body["status"], answer.status);
        for member in ["type", "title", "detail", "code", "message"] {
            assert!(body[member].is_string(), "{member}: {body}");
        }
        for error in body["errors"].as_array().unwrap() {
            assert!(
                error["pointer"].is_string() && error["code"].is_string() && error["message"].is_string()
            );
        }
        assert_eq!(answer.status == 405, answer.headers.contains_key("allow"));
        assert_eq!(
            answer.status == 401,
            answer.headers.contains_key("www-authenticate")
        );
    } else if !answer.body.is_empty() {
        answer.json();
    }
}

/// A library with a few rows, one of them under the uid that requests know.
async fn furnished(store: Store) -> App {
    let app = App::library(store).await;
    app.create(
        "books",
        serde_json::json!({"title": "Emma", "pages": 3, "tags": ["a"]}),
    )
    .await;
    for resource in ["books", "authors", "notes", "careful"] {
        let body = match resource {
            "books" => r#"{"title":"Persuasion","isbn":"9780141439587"}"#,
            "authors" => r#"{"name":"Jane Austen"}"#,
            _ => r#"{"text":"x"}"#,
        };
        let put = app
            .request(&format!("PUT /{resource}/{UID}"))
            .by("alice")
            .header("if-none-match", "*")
            .body(body);
        assert_eq!(put.send().await.status, 201, "{resource}");
    }
    app
}

type Requests = Vec<(
    &'static str,
    String,
    String,
    Vec<(String, String)>,
    String,
    Option<&'static str>,
)>;

fn requests() -> impl Strategy<Value = Requests> {
    let request = (
        select(METHODS.to_vec()),
        path(),
        query(),
        headers(),
        body(),
        token(),
    );
    proptest::collection::vec(request, 1..4)
}

async fn check_all(app: &App, requests: Requests) {
    for (method, path, query, headers, body, token) in requests {
        let mut request = app.request(&format!("{method} {path}?{query}")).body(&body);
        for (name, value) in headers {
            request = request.header(&name, &value);
        }
        if let Some(token) = token {
            request = request.by(token);
        }
        check(&request.send().await, method);
    }
}

pub(crate) async fn nothing_that_is_sent_is_answered_by_a_failure(store: Store) {
    let config = ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    // The runner blocks, so it has a thread and a runtime of its own.
    let ran = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap();
        // A database is too dear to be made anew for each case.
        let kept = (store != Store::Memory).then(|| runtime.block_on(furnished(store)));
        TestRunner::new(config).run(&requests(), |requests| {
            runtime.block_on(async {
                match &kept {
                    Some(app) => check_all(app, requests).await,
                    None => check_all(&furnished(store).await, requests).await,
                }
            });
            Ok(())
        })
    });
    if let Err(failure) = ran.await.unwrap() {
        panic!("{failure}");
    }
}
