//! Limits and hygiene at the edge, over a real socket: what is too large, too deep or ambiguous is refused before the database
//! hears of it, and nothing that a client sends can write a line of the log.

use hyper::Method;
use rowstamp_tests::key_server::KeyServer;
use serde_json::json;

use crate::library::{Library, exchange};
use crate::pool::token;

#[tokio::test]
async fn bodies_that_are_ambiguous_deep_or_hold_nul_are_refused() {
    let server = KeyServer::start();
    let library = Library::of_pool(&server);
    let client = library.client(&token(&json!({})));
    let deep = |depth: usize| {
        format!(
            r#"{{"title":"a","details":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    let before = library.settled().await;
    for (body, status, case) in [
        (r#"{"title":"a","title":"b"}"#.to_owned(), 400, "a key twice"),
        (
            r#"{"title":"a","t\u0069tle":"b"}"#.to_owned(),
            400,
            "a key twice, once escaped",
        ),
        (deep(64), 400, "nested too deeply"),
        (deep(100_000), 400, "nested much too deeply"),
        (r#"{"title":"a\u0000b"}"#.to_owned(), 422, "NUL in text"),
        ("{\"title\":\"a\u{0}b\"}".to_owned(), 400, "NUL as it is"),
        ("{\"title\":\"a\nb\"}".to_owned(), 400, "a line break as it is"),
        (
            r#"{"title":"a","details":{"k":"\u0000"}}"#.to_owned(),
            422,
            "NUL within json",
        ),
        (
            r#"{"title":"a","details":{"\u0000":1}}"#.to_owned(),
            422,
            "NUL in a key within json",
        ),
        (
            r#"{"title":"a","ti\u0000tle":1}"#.to_owned(),
            400,
            "NUL in a field\'s name",
        ),
        (r#"{"title":"\ud800"}"#.to_owned(), 422, "half a character"),
        (
            r#"{"title":"a","price":1e131071}"#.to_owned(),
            422,
            "a number of 131,072 digits",
        ),
        (r#"{"title":"a"} {"title":"b"}"#.to_owned(), 400, "two bodies"),
    ] {
        let answer = client.send(Method::POST, "/books", &[], &body).await;
        let shown: String = answer.text().chars().take(200).collect();
        assert!(
            [400, 422].contains(&answer.status),
            "{case}: {} {shown}",
            answer.status
        );
        assert_eq!(answer.status, status, "{case}: {shown}");
    }
    for target in [
        "/books?title=eq.%00",
        "/books?title=in.(a,%00)",
        "/books?%00=eq.1",
        "/books?or=(title.eq.%00)",
        "/books?select=%00",
        "/books?order=%00",
        "/books/%00",
        "/%00",
        "/books?title=eq.%ff",
    ] {
        let answer = client.get(target).await;
        assert!(
            (400..500).contains(&answer.status),
            "{target}: {} {}",
            answer.status,
            answer.text()
        );
    }
    assert_eq!(
        library.proxy.bytes_to_server(),
        before,
        "the database heard of it"
    );
}

#[tokio::test]
async fn heads_are_bounded_in_fields_and_bytes() {
    let server = KeyServer::start();
    let library = Library::of_pool(&server);
    let address = library.served.address();
    let head = |fields: &str| format!("GET /books HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{fields}\r\n");
    for (fields, status, has_problem) in [
        ("x: y\r\n".repeat(70), "200", false),
        ("x: y\r\n".repeat(90), "400", true),
        // What has so many fields or bytes is not read as a request at all.
        ("x: y\r\n".repeat(500), "431", false),
        (format!("x: {}\r\n", "y".repeat(200_000)), "431", false),
        ("x\u{0}y: z\r\n".to_owned(), "400", false),
        ("x: a\u{0}b\r\n".to_owned(), "400", false),
        (
            "content-length: 1\r\ncontent-length: 2\r\n".to_owned(),
            "400",
            false,
        ),
    ] {
        let answer = exchange(address, head(&fields).as_bytes());
        let shown: String = fields.chars().take(30).collect();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{shown:?}: {answer}"
        );
        assert_eq!(
            answer.contains("application/problem+json"),
            has_problem,
            "{shown:?}: {answer}"
        );
    }
    let long = format!(
        "GET /books?title=eq.{} HTTP/1.1\r\nhost: x\r\n\r\n",
        "a".repeat(100_000)
    );
    assert!(!exchange(address, long.as_bytes()).starts_with("HTTP/1.1 5"));
}

#[tokio::test]
async fn every_answer_names_its_request_and_no_name_can_be_forged_into_another() {
    let server = KeyServer::start();
    let library = Library::of_pool(&server);
    let client = library.served.anonymous();
    for (given, is_kept) in [
        ("order-17", true),
        ("a/b+c=d_e.f-g", true),
        ("two words", false),
        ("<script>", false),
        ("a\u{fc}", false),
    ] {
        for path in ["/books", "/nowhere", "/loans", "/books/x"] {
            let answer = client
                .send(Method::GET, path, &[("x-request-id", given)], "")
                .await;
            let id = answer.header("x-request-id");
            assert_eq!(id == given, is_kept, "{given} {path}: {id}");
            assert!(is_kept || id.len() == 36, "{id}");
        }
    }
    let long = "x".repeat(129);
    let answer = client
        .send(Method::GET, "/books", &[("x-request-id", &long)], "")
        .await;
    assert_eq!(answer.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn nothing_that_a_client_sends_writes_a_line_of_the_log() {
    const FORGED: &str = "forged-line";
    let server = KeyServer::start();
    server.put(
        crate::library::KEYS_PATH,
        crate::pool::jwks(&[crate::pool::KEYS[0].jwk("one")]),
    );
    let url = server.url(crate::library::KEYS_PATH);
    for format in ["text", "json"] {
        let library = Library::open_with(
            &["--log-format", format],
            &[
                ("ROWSTAMP_COGNITO_USER_POOL_IDS", crate::pool::POOL),
                ("ROWSTAMP_COGNITO_JWKS_URL", &url),
                ("RUST_LOG", "trace"),
            ],
        );
        let secret = token(&json!({"sub": "ursula"}));
        let client = library.client(&secret);
        let encoded = format!("%0a{FORGED}%0d%0a{FORGED}%1b[2K{FORGED}");
        for target in [
            format!("/{encoded}"),
            format!("/books/{encoded}"),
            format!("/books?{encoded}=eq.1"),
            format!("/books?title=eq.{encoded}"),
            format!("/books?order={encoded}"),
            format!("/books?select={encoded}"),
        ] {
            client.get(&target).await;
        }
        let body = json!({"title": format!("a\n{FORGED}"), format!("b\n{FORGED}"): 1});
        client.json(Method::POST, "/books", &body).await;
        let body = json!({"title": "a", "author_uid": "01890000-0000-7000-8000-000000000000", "details": {"k": format!("\n{FORGED}")}});
        client.json(Method::POST, "/books", &body).await;
        let named = token(&json!({"sub": format!("a\n{FORGED}"), "client_id": format!("b\n{FORGED}")}));
        library.client(&named).get("/books").await;

        let log = library.log();
        assert!(log.lines().count() > 5, "nothing was logged: {log}");
        for line in log.lines() {
            let begins_as_ours = if format == "json" {
                serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line.is_object())
            } else {
                line.starts_with("20") && line.as_bytes().get(4) == Some(&b'-')
            };
            assert!(begins_as_ours, "{format}: {line:?}");
            assert!(!line.contains('\u{1b}'), "{format}: {line:?}");
        }
        for part in secret.split('.').skip(1) {
            assert!(!log.contains(part), "a token in the log");
        }
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_anybody_looks_at_it() {
    let server = KeyServer::start();
    let library = Library::of_pool(&server);
    let client = library.client(&token(&json!({})));
    let before = library.settled().await;
    let body = json!({"title": "a", "details": "x".repeat(6_000_001)}).to_string();
    let answer = client.send(Method::POST, "/books", &[], &body).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (413, Some("RS_BODY_TOO_LARGE"))
    );
    assert_eq!(library.proxy.bytes_to_server(), before);
}
