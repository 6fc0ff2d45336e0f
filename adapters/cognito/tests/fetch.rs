//! Keys come over TLS from whom they are asked of, within limits.
#![cfg(feature = "jwt")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rowstamp_cognito::fetch::{Fetch, FetchError, HttpsFetch, KeyUrl};
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Answers every connection with this text, after it has read a head; says it is at which port.
async fn server(answer: String, tls: Option<TlsAcceptor>) -> u16 {
    async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) {
        let mut head = vec![0; 4096];
        let _ = stream.read(&mut head).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        if answer.is_empty() {
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
        let _ = stream.shutdown().await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            match &tls {
                None => talk(socket, &answer).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(socket).await {
                        talk(stream, &answer).await;
                    }
                }
            }
        }
    });
    port
}

fn url(text: &str) -> KeyUrl {
    KeyUrl::parse(text).unwrap()
}

fn answer(status: &str, head: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{head}\r\n\r\n{body}")
}

#[tokio::test]
async fn an_answer_is_taken_whole_or_not_at_all() {
    let fetch = HttpsFetch::new().unwrap().within(Duration::from_millis(500));
    let length = |body: &str| format!("content-length: {}", body.len());
    let large = "x".repeat(200_000);
    for (given, expected) in [
        (answer("200 OK", &length("keys"), "keys"), Ok("keys")),
        (answer("200 OK", "connection: close", "keys"), Ok("keys")),
        (
            answer("200 OK", "transfer-encoding: chunked", "4\r\nkeys\r\n0\r\n\r\n"),
            Ok("keys"),
        ),
        (answer("200 OK", "content-length: 9", "keys"), Err("")),
        (answer("200 OK", &length(&large), &large), Err("larger than")),
        (answer("200 OK", "connection: close", &large), Err("larger than")),
        (
            answer("404 Not Found", "content-length: 0", ""),
            Err("nothing under"),
        ),
        (answer("500 No", "content-length: 0", ""), Err("status 500")),
        // Nobody has named the address that it leads to.
        (
            answer(
                "302 Found",
                "location: http://127.0.0.1:1/\r\ncontent-length: 0",
                "",
            ),
            Err("status 302"),
        ),
        ("garbage\r\n\r\n".to_owned(), Err("")),
        (String::new(), Err("within 500 ms")),
    ] {
        let shown: String = given.chars().take(60).collect();
        let port = server(given, None).await;
        let begin = Instant::now();
        let got = fetch.get(&url(&format!("http://127.0.0.1:{port}/k?x=1"))).await;
        assert!(begin.elapsed() < Duration::from_secs(2));
        match (got, expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected.as_bytes(), "{shown}"),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{shown}: {error}"),
            (got, _) => panic!("{shown}: {got:?}"),
        }
    }
    let refused = fetch.get(&url("http://127.0.0.1:1/")).await;
    assert!(matches!(refused, Err(FetchError::Unreachable(_))), "{refused:?}");
}

#[tokio::test]
async fn only_the_server_that_is_named_is_believed() {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let keys = answer("200 OK", "content-length: 4", "keys");
    let port = server(keys, Some(TlsAcceptor::from(Arc::new(config)))).await;

    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let trusting = HttpsFetch::trusting(roots).unwrap();
    let (right, wrong) = (
        url(&format!("https://localhost:{port}/k")),
        url(&format!("https://127.0.0.1:{port}/k")),
    );
    assert_eq!(trusting.get(&right).await.unwrap(), b"keys");
    assert!(
        trusting.get(&wrong).await.is_err(),
        "a certificate of another name"
    );
    let public = HttpsFetch::new().unwrap();
    assert!(
        public.get(&right).await.is_err(),
        "an authority that nobody knows"
    );
}
