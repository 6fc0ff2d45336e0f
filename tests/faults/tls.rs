//! Who is spoken to, and what is said before that is known.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rowstamp_ports::{Problems, StoreError, Vars};
use rowstamp_postgres::{PostgresStore, Settings};
use rowstamp_tests::certificates::{Authority, Identity};
use rowstamp_tests::postgres_server::PostgresServer;
use rowstamp_tests::served::Directory;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::fixture::settings;

/// Every way to say how the connection is to be protected.
const MODES: [&str; 6] = [
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

fn with_tls(identity: &Identity) -> Option<PostgresServer> {
    PostgresServer::start_with_files(
        &[("ssl", "on")],
        &[
            ("server.crt", &identity.certificate),
            ("server.key", &identity.key),
        ],
    )
}

/// A store that logs in to this port by this name, perhaps with only this authority to trust.
fn store(host: &str, port: u16, sslmode: &str, authority: Option<&Authority>) -> PostgresStore {
    let directory = Directory::new();
    let mut vars = vec![
        (
            "DATABASE_URL",
            format!("postgres://postgres:hunter2@{host}:{port}/postgres"),
        ),
        ("PGSSLMODE", sslmode.to_owned()),
    ];
    if let Some(authority) = authority {
        let path = directory.path().join("root.pem");
        std::fs::write(&path, authority.pem()).unwrap();
        vars.push(("PGSSLROOTCERT", path.to_str().unwrap().to_owned()));
    }
    let vars: Vec<(&str, &str)> = vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
    PostgresStore::with_password(&settings(&vars))
}

/// Whether the connection that was made is encrypted, or why there is none.
async fn encrypted(store: &PostgresStore, server: &PostgresServer) -> Result<bool, StoreError> {
    store.warm_up().await?;
    let sql =
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'rowstamp'";
    let ssl: Vec<bool> = server
        .sql(sql)
        .await
        .iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0) == Some("t")),
            _ => None,
        })
        .collect();
    assert_eq!(ssl.len(), 1, "one connection");
    Ok(ssl[0])
}

/// Waits until nobody is connected, so that the next look finds its own connection only.
async fn left(store: PostgresStore, server: &PostgresServer) {
    drop(store);
    let sql = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'rowstamp'";
    for _ in 0..500 {
        if !server.sql(sql).await.iter().any(is_row) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("a connection stays");
}

const fn is_row(message: &tokio_postgres::SimpleQueryMessage) -> bool {
    matches!(message, tokio_postgres::SimpleQueryMessage::Row(_))
}

#[tokio::test]
async fn each_sslmode_asks_of_the_server_what_libpq_says() {
    let (right, wrong) = (Authority::new(), Authority::new());
    let Some(server) = with_tls(&right.identity("localhost")) else {
        return;
    };
    let refused = Err(StoreError::Unavailable);
    for (mode, roots, host, expected) in [
        ("disable", None, "localhost", Ok(false)),
        ("allow", None, "localhost", Ok(false)),
        ("prefer", None, "localhost", Ok(true)),
        ("require", None, "localhost", Ok(true)),
        // The name is not on the certificate.
        ("require", None, "127.0.0.1", Ok(true)),
        // A named authority is asked for, as libpq has it.
        ("require", Some(&right), "127.0.0.1", Ok(true)),
        ("require", Some(&wrong), "localhost", refused.clone()),
        ("verify-ca", Some(&right), "localhost", Ok(true)),
        ("verify-ca", Some(&right), "127.0.0.1", Ok(true)),
        ("verify-ca", Some(&wrong), "localhost", refused.clone()),
        ("verify-ca", None, "localhost", refused.clone()),
        ("verify-full", Some(&right), "localhost", Ok(true)),
        ("verify-full", Some(&right), "127.0.0.1", refused.clone()),
        ("verify-full", Some(&wrong), "localhost", refused.clone()),
        ("verify-full", None, "localhost", refused.clone()),
    ] {
        let store = store(host, server.port(), mode, roots);
        let found = encrypted(&store, &server).await;
        assert_eq!(found, expected, "{mode} to {host}, roots: {}", roots.is_some());
        left(store, &server).await;
    }
}

#[tokio::test]
async fn allow_speaks_tls_with_a_server_of_this_machine_that_takes_nothing_else() {
    let identity = Authority::new().identity("localhost");
    let Some(server) = PostgresServer::start_with_files(
        &[("ssl", "on")],
        &[
            ("server.crt", &identity.certificate),
            ("server.key", &identity.key),
            (
                "pg_hba.conf",
                "local all all trust\nhostssl all all 127.0.0.1/32 trust\n",
            ),
        ],
    ) else {
        return;
    };
    for (mode, expected) in [
        ("disable", Err(StoreError::Unavailable)),
        ("allow", Ok(true)),
        ("prefer", Ok(true)),
    ] {
        let store = store("127.0.0.1", server.port(), mode, None);
        assert_eq!(encrypted(&store, &server).await, expected, "{mode}");
        left(store, &server).await;
    }
}

/// What is built in is what the TLS library makes of the certificates itself.
#[test]
fn every_authority_of_amazon_rds_can_verify_a_server() {
    let pem = include_bytes!("../../adapters/rds/certificates/rds-ca.pem");
    let certificates: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .unwrap();
    let mut store = RootCertStore::empty();
    let (taken, refused) = store.add_parsable_certificates(certificates);
    assert!(taken > 80 && refused == 0, "{taken} taken, {refused} refused");
    assert!(
        store.roots == rowstamp_rds::CERTIFICATE_AUTHORITIES,
        "the authorities that are built in are others"
    );
}

#[tokio::test]
async fn an_expired_certificate_is_refused_by_whoever_verifies() {
    let authority = Authority::new();
    let Some(server) = with_tls(&authority.expired_identity("localhost")) else {
        return;
    };
    for mode in ["verify-ca", "verify-full"] {
        let store = store("localhost", server.port(), mode, Some(&authority));
        assert_eq!(store.warm_up().await, Err(StoreError::Unavailable), "{mode}");
    }
}

#[tokio::test]
async fn prefer_does_without_tls_on_this_machine_where_the_server_has_none() {
    let Some(server) = PostgresServer::start(&[]) else {
        return;
    };
    for (mode, expected) in [
        ("disable", Ok(false)),
        ("allow", Ok(false)),
        ("prefer", Ok(false)),
        ("require", Err(StoreError::Unavailable)),
        ("verify-full", Err(StoreError::Unavailable)),
    ] {
        let store = store("localhost", server.port(), mode, None);
        assert_eq!(encrypted(&store, &server).await, expected, "{mode}");
        left(store, &server).await;
    }
}

/// A server that answers the wish for TLS with this, and keeps what it is told.
fn answering(word: &'static [u8]) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heard);
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut buffer = [0; 4096];
            let mut first = true;
            while let Ok(length) = socket.read(&mut buffer) {
                if length == 0 {
                    break;
                }
                kept.lock().unwrap().extend_from_slice(&buffer[..length]);
                if first && socket.write_all(word).is_err() {
                    break;
                }
                first = false;
            }
        }
    });
    (port, heard)
}

/// The message by which a client asks for TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

#[tokio::test]
async fn a_server_that_refuses_tls_hears_no_more_than_the_wish() {
    // Not a loopback name for the settings, so that no mode falls back; the driver is given the address beside it.
    for mode in MODES.into_iter().filter(|mode| *mode != "disable") {
        let (port, heard) = answering(b"N");
        let url = format!(
            "postgres://postgres:hunter2@db.example:{port}/postgres?hostaddr=127.0.0.1&sslmode={mode}"
        );
        let store = PostgresStore::with_password(&Settings::from_url(&url).unwrap());
        assert_eq!(store.warm_up().await, Err(StoreError::Unavailable), "{mode}");
        assert_eq!(*heard.lock().unwrap(), SSL_REQUEST, "{mode}");
    }
}

#[tokio::test]
async fn an_address_in_place_of_a_name_takes_no_protection_away() {
    // TEST-NET-1 is nobody's, so that the address is another machine's; nothing is sent there.
    for mode in ["verify-full", "verify-ca", ""] {
        let vars = Vars::new([(
            "DATABASE_URL".to_owned(),
            format!("postgres:///x?hostaddr=192.0.2.1&user=u&password=hunter2&sslmode={mode}")
                .trim_end_matches("&sslmode=")
                .to_owned(),
        )]);
        let mut problems = Problems::new();
        assert!(Settings::read(&vars, &mut problems).is_none(), "{mode}");
        let told = problems.to_string();
        assert!(
            told.contains("DATABASE_URL: TLS needs the server's name"),
            "{mode}: {told}"
        );
        assert!(!told.contains("hunter2"), "{told}");
    }
    // A name of this machine says nothing of the address beside it, and an address is enough where no name is verified.
    let directory = Directory::new();
    let root = directory.path().join("root.pem");
    std::fs::write(&root, Authority::new().pem()).unwrap();
    let root = root.to_str().unwrap();
    for (url, mode) in [
        (
            "postgres:///postgres?user=postgres&password=hunter2&port=",
            "require",
        ),
        (
            "postgres:///postgres?user=postgres&password=hunter2&port=",
            "verify-ca",
        ),
        ("postgres://postgres:hunter2@localhost:", "require"),
        ("postgres://postgres:hunter2@localhost:", "verify-full"),
    ] {
        let (port, heard) = answering(b"N");
        let query = if url.contains('?') { "&" } else { "/postgres?" };
        let url = format!("{url}{port}{query}hostaddr=127.0.0.1&sslmode={mode}");
        let mut vars = vec![("DATABASE_URL", url.as_str())];
        if mode == "verify-ca" {
            vars.push(("PGSSLROOTCERT", root));
        }
        let store = PostgresStore::with_password(&settings(&vars));
        assert_eq!(store.warm_up().await, Err(StoreError::Unavailable), "{url}");
        assert_eq!(*heard.lock().unwrap(), SSL_REQUEST, "{url}");
    }
}

#[tokio::test]
async fn words_of_a_stranger_before_tls_are_taken_for_nothing() {
    // An error message in clear text, and an answer with something stuffed behind it.
    for word in [&b"E\0\0\0\x0bSFATAL\0\0"[..], b"SR\0\0\0\x08\0\0\0\0"] {
        let (port, heard) = answering(word);
        let url = format!(
            "postgres://postgres:hunter2@db.example:{port}/postgres?hostaddr=127.0.0.1&sslmode=require"
        );
        let store = PostgresStore::with_password(&Settings::from_url(&url).unwrap());
        assert_eq!(store.warm_up().await, Err(StoreError::Unavailable));
        let heard = heard.lock().unwrap();
        for secret in [&b"hunter2"[..], b"postgres"] {
            assert!(!heard.windows(secret.len()).any(|window| window == secret));
        }
    }
}
