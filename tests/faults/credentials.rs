//! Passwords that last as long as a token: one for each connection, and a new one where the old was refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rowstamp_ports::{CredentialError, CredentialSource, RecordStore as _, Secret, StoreError};
use rowstamp_postgres::PostgresStore;
use rowstamp_tests::certificates::Authority;
use rowstamp_tests::postgres_server::PostgresServer;

use crate::fixture::{Fixture, context, settings, within};

/// Hands out `token-1`, and the next number whenever one was refused.
#[derive(Default)]
struct Tokens {
    asked: AtomicUsize,
    refused: AtomicUsize,
}

#[async_trait]
impl CredentialSource for Tokens {
    async fn password(&self) -> Result<Option<Secret>, CredentialError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let number = self.refused.load(Ordering::SeqCst) + 1;
        Ok(Some(Secret::new(format!("token-{number}"))))
    }

    fn rejected(&self) {
        self.refused.fetch_add(1, Ordering::SeqCst);
    }
}

/// A server that, as Amazon RDS does, takes a token in clear text inside TLS.
fn server() -> Option<(PostgresServer, Authority)> {
    let authority = Authority::new();
    let identity = authority.identity("localhost");
    let server = PostgresServer::start_with_files(
        &[("ssl", "on")],
        &[
            ("server.crt", &identity.certificate),
            ("server.key", &identity.key),
            ("root.crt", authority.pem()),
            (
                "pg_hba.conf",
                "local all all trust\nhostssl all app 127.0.0.1/32 password\n",
            ),
        ],
    )?;
    Some((server, authority))
}

fn store(server: &PostgresServer, authority: &Authority, tokens: &Arc<Tokens>) -> PostgresStore {
    let directory = rowstamp_tests::served::Directory::new();
    let root = directory.path().join("root.pem");
    std::fs::write(&root, authority.pem()).unwrap();
    let url = format!("postgres://app@localhost:{}/postgres", server.port());
    let settings = settings(&[
        ("DATABASE_URL", &url),
        ("PGSSLMODE", "verify-full"),
        ("PGSSLROOTCERT", root.to_str().unwrap()),
        ("ROWSTAMP_DB_POOL", "4"),
    ]);
    PostgresStore::new(&settings, Arc::clone(tokens) as Arc<dyn CredentialSource>)
}

async fn set_password(server: &PostgresServer, number: usize) {
    server
        .sql(&format!("ALTER ROLE app PASSWORD 'token-{number}'"))
        .await;
}

#[tokio::test]
async fn a_refused_token_is_made_anew_once_for_each_connection() {
    let Some((server, authority)) = server() else {
        return;
    };
    let library = Fixture::library().await;
    server
        .sql("CREATE ROLE app LOGIN; GRANT ALL ON SCHEMA public TO app")
        .await;
    let tokens = Arc::new(Tokens::default());
    let store = store(&server, &authority, &tokens);
    let asked = || tokens.asked.load(Ordering::SeqCst);

    // The first is stale, the second is right.
    set_password(&server, 2).await;
    store.warm_up().await.unwrap();
    assert_eq!((asked(), tokens.refused.load(Ordering::SeqCst)), (2, 1));
    store.create_missing(&library.api).await.unwrap();

    // Expired, it still serves the connections that it opened.
    set_password(&server, 3).await;
    let before = asked();
    let uid = uuid::Uuid::now_v7();
    for _ in 0..3 {
        store.execute(library.reading(uid), &context()).await.unwrap();
    }
    assert_eq!(asked(), before);

    // A transaction's connection is another one, with a password of its own.
    let mut unit = store.begin(&context()).await.unwrap();
    unit.execute(library.creation("one").1).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(asked(), before + 2);

    // Where none is taken, two are tried and no more.
    set_password(&server, 1_000).await;
    server
        .sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'")
        .await;
    let before = asked();
    let begun = Instant::now();
    let read = store.execute(library.reading(uid), &within(5_000)).await;
    assert_eq!(read, Err(StoreError::Unavailable));
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert!(asked() - before <= 4, "{}", asked() - before);
}

/// A source that never says anything.
struct Silent;

#[async_trait]
impl CredentialSource for Silent {
    async fn password(&self) -> Result<Option<Secret>, CredentialError> {
        std::future::pending().await
    }

    fn rejected(&self) {}
}

#[tokio::test]
async fn a_source_of_passwords_that_hangs_is_given_up_in_time() {
    let settings = settings(&[
        ("DATABASE_URL", "postgres://app@127.0.0.1:1/library"),
        ("ROWSTAMP_DB_CONNECT_TIMEOUT_MS", "200"),
    ]);
    let store = PostgresStore::new(&settings, Arc::new(Silent));
    let begun = Instant::now();
    assert_eq!(store.warm_up().await, Err(StoreError::Unavailable));
    assert!(begun.elapsed() < Duration::from_secs(3));
}
