//! Good tokens open what they should; every other one is refused before the database hears of it.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rowstamp_tests::key_server::KeyServer;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::library::{KEYS_PATH, Library, create, exchange};
use crate::pool::{CLIENT, KEYS, POOL, claims, header, issuer, jwks, now, token};

#[tokio::test]
async fn a_users_token_is_a_caller_and_its_keys_are_fetched_once() {
    let server = KeyServer::start();
    let library = Library::of_pool(&server);
    let made = create(&library.client(&token(&json!({})))).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["creator_uid"], "ursula");
    for subject in ["ursula", "owen", "vea"] {
        let client = library.client(&token(&json!({"sub": subject})));
        assert_eq!(create(&client).await.json()["creator_uid"], subject);
    }
    assert_eq!(server.asked(), 1);
}

/// Tokens that prove nothing, each with what is said about it.
fn refused_tokens() -> Vec<(String, &'static str, &'static str)> {
    let encode = |value: &Value| BASE64.encode(value.to_string());
    let good = token(&json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let none = |alg: &str| format!("{}.{}.", encode(&json!({"alg": alg, "kid": "one"})), parts[1]);
    // The public key is known to everybody, so whoever took it for a secret could be signed for by anybody.
    let public = KEYS[0].jwk("one")["n"].as_str().unwrap().to_owned();
    let document = jwks(&[KEYS[0].jwk("one")]);
    let hmac = |secret: &[u8]| {
        let header = Header {
            kid: Some("one".to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        jsonwebtoken::encode(&header, &claims(&json!({})), &EncodingKey::from_secret(secret)).unwrap()
    };
    let root = encode(&claims(&json!({"sub": "root"})));
    let id = json!({"token_use": "id", "client_id": null, "aud": CLIENT});
    let rs512 = Header {
        kid: Some("one".to_owned()),
        ..Header::new(Algorithm::RS512)
    };
    vec![
        (none("none"), "alg none", "not a JWT"),
        (none("None"), "alg None", "not a JWT"),
        (none("RS256"), "no signature", "signature"),
        (hmac(public.as_bytes()), "HS256 with the modulus", "RS256"),
        (hmac(document.as_bytes()), "HS256 with the document", "RS256"),
        (KEYS[0].sign(&rs512, &claims(&json!({}))), "RS512", "RS256"),
        (
            KEYS[1].sign(&header("one"), &claims(&json!({}))),
            "another key",
            "signature",
        ),
        (
            format!("{}.{root}.{}", parts[0], parts[2]),
            "other claims",
            "signature",
        ),
        (token(&json!({"exp": now() - 61})), "expired", "expired"),
        (token(&json!({"exp": null})), "no exp", "when it expires"),
        (
            token(&json!({"exp": "tomorrow"})),
            "exp in words",
            "when it expires",
        ),
        (
            token(&json!({"nbf": now() + 600})),
            "not yet valid",
            "not valid yet",
        ),
        (token(&json!({"iss": null})), "no iss", "no issuer"),
        (token(&json!({"iss": 7})), "numeric iss", "not a JWT"),
        (
            token(&json!({"iss": [issuer(POOL)]})),
            "a list for iss",
            "not a JWT",
        ),
        (
            token(&json!({"iss": issuer("eu-west-1_Other")})),
            "wrong pool",
            "issuer",
        ),
        (
            token(&json!({"iss": format!("{}/", issuer(POOL))})),
            "iss with a slash",
            "issuer",
        ),
        (token(&json!({"client_id": "other"})), "wrong client", "client"),
        (token(&json!({"client_id": null})), "no client", "client"),
        (token(&id), "an ID token", "token_use"),
        (token(&json!({"token_use": null})), "no token_use", "token_use"),
        (token(&json!({"sub": null})), "no sub", "subject"),
        (token(&json!({"sub": "a\u{0}b"})), "NUL in sub", "subject"),
        (
            KEYS[0].sign(&header("two"), &claims(&json!({}))),
            "unknown kid",
            "unknown key",
        ),
        (
            KEYS[0].sign(&Header::new(Algorithm::RS256), &claims(&json!({}))),
            "no kid",
            "no key",
        ),
        (good[..good.len() - 7].to_owned(), "truncated", ""),
        (good[..good.len() / 2].to_owned(), "half of it", "not a JWT"),
        (parts[0].to_owned(), "the header alone", "not a JWT"),
        (String::new(), "nothing", "not a JWT"),
        (
            token(&json!({"custom:x": "x".repeat(15_000)})),
            "20 kB",
            "too long",
        ),
    ]
}

#[tokio::test]
async fn a_refused_request_sends_nothing_to_the_database() {
    let server = KeyServer::start();
    let library = Library::of_pool(&server);
    assert_eq!(create(&library.client(&token(&json!({})))).await.status, 201);
    let before = (library.settled().await, library.proxy.connections());
    for (token, case, words) in refused_tokens() {
        let client = library.client(&token);
        // Where a caller is needed, and where anyone may enter.
        for answer in [create(&client).await, client.get("/books").await] {
            assert_eq!(answer.status, 401, "{case}: {}", answer.text());
            assert!(answer.text().contains(words), "{case}: {}", answer.text());
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{case}");
            assert!(token.len() < 4 || !answer.text().contains(&token), "{case}");
        }
    }
    // A head of that size is none that the server reads, so it has no body to say why; who goes on writing may not even read it.
    let megabyte = token(&json!({})).replace('.', &"A".repeat(500_000));
    let request = format!("GET /books HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {megabyte}\r\n\r\n");
    let answer = exchange(library.served.address(), request.as_bytes());
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    let after = (library.proxy.bytes_to_server(), library.proxy.connections());
    assert_eq!(before, after, "the database heard of a request that was refused");
    assert_eq!(create(&library.client(&token(&json!({})))).await.status, 201);
    assert!(
        library.proxy.bytes_to_server() > after.0,
        "the proxy counts nothing"
    );
    let log = library.log();
    assert!(!log.contains("eyJ"), "a token in the log: {log}");
}

#[tokio::test]
async fn ten_thousand_invented_keys_make_a_handful_of_fetches() {
    let server = KeyServer::start();
    let library = Library::of_pool(&server);
    assert_eq!(create(&library.client(&token(&json!({})))).await.status, 201);
    let before = library.settled().await;
    let good = token(&json!({}));
    let rest = good.split_once('.').unwrap().1.to_owned();
    let begin = Instant::now();
    let address = library.served.address();
    let senders = (0..4).map(|sender| {
        let rest = rest.clone();
        tokio::spawn(async move {
            let socket = TcpStream::connect(address).await.unwrap();
            let (mut sending, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket))
                .await
                .unwrap();
            tokio::spawn(connection);
            for number in 0..2500 {
                let header =
                    BASE64.encode(json!({"alg": "RS256", "kid": format!("{sender}-{number}")}).to_string());
                let request = Request::get("/loans")
                    .header("host", "localhost")
                    .header("authorization", format!("Bearer {header}.{rest}"))
                    .body(Empty::<Bytes>::new())
                    .unwrap();
                let answer = sending.send_request(request).await.unwrap();
                assert_eq!(answer.status(), 401);
                answer.into_body().collect().await.unwrap();
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    let most = 2 + usize::try_from(begin.elapsed().as_secs() / 10).unwrap();
    assert!(
        server.asked() <= most,
        "asked {} times in {:?}",
        server.asked(),
        begin.elapsed()
    );
    assert_eq!(library.proxy.bytes_to_server(), before);
    assert_eq!(
        create(&library.client(&good)).await.status,
        201,
        "known keys go on counting"
    );
}

#[tokio::test]
async fn a_pool_that_changes_its_key_is_followed_and_one_that_is_away_is_survived() {
    let server = KeyServer::start();
    let library = Library::of_pool(&server);
    let old = library.client(&token(&json!({})));
    let new = library.client(&KEYS[1].sign(&header("two"), &claims(&json!({"sub": "owen"}))));
    assert_eq!(create(&old).await.status, 201);
    // The second key is published; it is found within the ten seconds between two fetches.
    server.put(KEYS_PATH, jwks(&[KEYS[0].jwk("one"), KEYS[1].jwk("two")]));
    let begin = Instant::now();
    while create(&new).await.status != 201 {
        assert!(
            begin.elapsed() < Duration::from_secs(15),
            "the new key is not found"
        );
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    server.set_away(true);
    for client in [&old, &new] {
        assert_eq!(create(client).await.status, 201);
    }
}

#[tokio::test]
async fn a_pool_that_was_never_reached_is_a_503_that_says_so() {
    let server = KeyServer::start();
    server.set_away(true);
    let library = Library::of_pool(&server);
    let client = library.client(&token(&json!({})));
    let before = library.settled().await;
    let answer = create(&client).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (503, Some("RS_IDENTITY_UNAVAILABLE"))
    );
    assert_eq!(library.proxy.bytes_to_server(), before);
    assert_eq!(
        library.served.anonymous().get("/books").await.status,
        200,
        "who needs no key"
    );
    server.set_away(false);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(create(&client).await.status, 201);
}

#[tokio::test]
async fn keys_that_are_given_are_not_fetched() {
    let keys = jwks(&[KEYS[0].jwk("one")]);
    let library = Library::open(&[
        (
            "ROWSTAMP_COGNITO_USER_POOL_IDS",
            &format!("{POOL},us-east-1_Second"),
        ),
        ("ROWSTAMP_COGNITO_JWKS", &keys),
    ]);
    assert_eq!(create(&library.client(&token(&json!({})))).await.status, 201);
    // ID tokens and other clients count where nothing else was said; a development token never beside a pool.
    let id = token(&json!({"token_use": "id", "client_id": null, "aud": "other"}));
    assert_eq!(create(&library.client(&id)).await.status, 201);
    let development = rowstamp_tests::served::token(&library.directory, "ursula", &["librarians"]);
    assert_eq!(create(&library.client(&development)).await.status, 401);
}
