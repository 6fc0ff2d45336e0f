//! The real function, logged in by IAM tokens: whom it gives one, and what becomes of one that does not count.

use std::time::{Duration, Instant};

use rowstamp_tests::certificates::Authority;
use rowstamp_tests::postgres_server::PostgresServer;
use rowstamp_tests::served::Directory;

use crate::fixture::store;
use crate::programs::{Kind, Program, Request, definitions};
use crate::rds::{HOST, Rds, SSL_REQUEST, Tls};

const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// A function that trusts this authority and no other.
async fn function(rds: &Rds, trusted: &Authority) -> Program {
    let directory = Directory::new();
    let roots = directory.path().join("root.pem");
    std::fs::write(&roots, trusted.pem()).unwrap();
    let variables = [
        ("ROWSTAMP_DB_AUTH", "iam"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("PGSSLROOTCERT", roots.to_str().unwrap()),
        ("ROWSTAMP_DB_CONNECT_TIMEOUT_MS", "2000"),
    ];
    let program = Program::start(Kind::Function, &rds.url(), &variables).await;
    // The file was read when the first answer is there, whatever it is.
    let health = program.send(&Request::new("GET /health")).await;
    assert_eq!(health.status, 200, "{health:?}");
    program
}

/// The server that takes whom the stand-in sends.
async fn server() -> Option<PostgresServer> {
    let server = PostgresServer::start(&[])?;
    let direct = store(&server.url(), &[]);
    direct.create_missing(&definitions()).await.unwrap();
    server
        .sql("CREATE ROLE app LOGIN; GRANT SELECT, INSERT ON books TO app")
        .await;
    Some(server)
}

/// The log says that there is no connecting and why, and holds nothing that opens anything.
fn assert_readable(log: &str, reason: &str) {
    let told = log.lines().any(|line| {
        line.contains("cannot connect to PostgreSQL") && line.contains(HOST) && line.contains(reason)
    });
    assert!(told, "{reason:?} is not told in:\n{log}");
    assert_secret(log);
}

fn assert_secret(log: &str) {
    for secret in ["X-Amz-", "Action=connect", SECRET_KEY] {
        assert!(!log.contains(secret), "{secret} is in:\n{log}");
    }
}

#[tokio::test]
async fn a_token_reaches_nobody_but_the_server_that_was_named() {
    let Some(server) = server().await else {
        return;
    };
    let (right, wrong) = (Authority::new(), Authority::new());
    for (case, tls, reason) in [
        ("no TLS", Tls::Refused, "server does not support TLS"),
        (
            "another authority",
            Tls::With(wrong.identity(HOST)),
            "invalid peer certificate",
        ),
        (
            "another host",
            Tls::With(right.identity("db.example")),
            "not valid for name",
        ),
        (
            "out of its time",
            Tls::With(right.expired_identity(HOST)),
            "certificate expired",
        ),
    ] {
        let rds = Rds::start(tls, server.port()).await;
        let function = function(&rds, &right).await;
        let begun = Instant::now();
        let reply = function.send(&Request::creation("a")).await;
        assert!(reply.says_come_again(), "{case}: {reply:?}");
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{case}: {:?}",
            begun.elapsed()
        );
        let outside = rds.heard_outside();
        assert!(!outside.is_empty(), "{case}: it was asked");
        let wishes = outside.chunks(SSL_REQUEST.len()).all(|wish| wish == SSL_REQUEST);
        assert!(wishes, "{case}: more than the wish for TLS was said: {outside:?}");
        assert_eq!(rds.heard_inside(), b"", "{case}");
        assert_readable(&function.log(), reason);
    }

    // And the one that was named hears it, which shows that the others could have.
    let rds = Rds::start(Tls::With(right.identity(HOST)), server.port()).await;
    let function = function(&rds, &right).await;
    let created = function.send(&Request::creation("a")).await;
    assert_eq!(created.status, 201, "{created:?}: {}", function.log());
    let tokens = rds.tokens();
    let [token] = tokens.as_slice() else {
        panic!("one connection, one token: {tokens:?}");
    };
    assert!(
        token.starts_with(HOST) && token.contains("X-Amz-Signature="),
        "{token}"
    );
    let inside = rds.heard_inside();
    assert!(inside.windows(token.len()).any(|heard| heard == token.as_bytes()));
    assert_secret(&function.log());
}

#[tokio::test]
async fn a_token_that_does_not_count_any_more_is_made_anew_once() {
    let Some(server) = server().await else {
        return;
    };
    let authority = Authority::new();
    let rds = Rds::start(Tls::With(authority.identity(HOST)), server.port()).await;
    let function = function(&rds, &authority).await;
    let list = Request::new("GET /books?limit=1");
    assert_eq!(function.send(&list).await.status, 200);
    assert_eq!(rds.tokens().len(), 1);

    // Expired, it serves the connection that it opened.
    rds.refuse_known_tokens();
    assert_eq!(function.send(&list).await.status, 200);
    assert_eq!(rds.tokens().len(), 1);

    // A token holds the second in which it was made.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    // The next connection offers it again, since it is young, and then a new one.
    let end_sessions = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'";
    server.sql(end_sessions).await;
    let reply = function.send(&list).await;
    assert_eq!(reply.status, 200, "{reply:?}: {}", function.log());
    let tokens = rds.tokens();
    assert_eq!(tokens.len(), 3);
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[1], tokens[2]);

    // Where none is taken, each request tries two and no more, and says that it can be tried again.
    rds.refuse_all_tokens(true);
    server.sql(end_sessions).await;
    let mut tried = rds.tokens().len();
    for _ in 0..2 {
        let begun = Instant::now();
        let reply = function.send(&list).await;
        assert!(reply.says_come_again(), "{reply:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        let offered = rds.tokens().len() - tried;
        assert!((1..=4).contains(&offered), "{offered}");
        tried += offered;
    }
    assert_readable(&function.log(), "authentication failed");

    rds.refuse_all_tokens(false);
    assert_eq!(function.send(&list).await.status, 200);
    assert_secret(&function.log());
}
