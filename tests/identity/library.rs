//! The example library, served to users of a pool, with a proxy in front of its database.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use hyper::Method;
use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::http_client::{Answer, Client};
use rowstamp_tests::key_server::KeyServer;
use rowstamp_tests::served::{Directory, Served};
use rowstamp_tests::tcp_proxy::TcpProxy;
use serde_json::json;

use crate::pool::{CLIENT, KEYS, POOL, jwks};

const LIBRARY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../app-local/src/example/library.toml"
);
pub(crate) const KEYS_PATH: &str = "/keys.json";

pub(crate) struct Library {
    pub(crate) served: Served,
    pub(crate) directory: Directory,
    pub(crate) proxy: TcpProxy,
    _database: TestDatabase,
}

impl Library {
    pub(crate) fn open(variables: &[(&str, &str)]) -> Self {
        Self::open_with(&[], variables)
    }

    pub(crate) fn open_with(flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let (directory, database) = (Directory::new(), TestDatabase::create());
        let proxy = TcpProxy::to_database(database.url());
        let url = proxy.url();
        let arguments = ["--resources", LIBRARY, "--database", &url, "--migrate"];
        let arguments = [&arguments, flags].concat();
        let served = Served::start(&directory, &arguments, variables);
        Self {
            served,
            directory,
            proxy,
            _database: database,
        }
    }

    /// For access tokens of the pool, whose keys the server has; the first of them is called `one`.
    pub(crate) fn of_pool(server: &KeyServer) -> Self {
        server.put(KEYS_PATH, jwks(&[KEYS[0].jwk("one")]));
        Self::open(&[
            ("ROWSTAMP_COGNITO_USER_POOL_IDS", POOL),
            ("ROWSTAMP_COGNITO_CLIENT_IDS", CLIENT),
            ("ROWSTAMP_COGNITO_TOKEN_USE", "access"),
            ("ROWSTAMP_COGNITO_JWKS_URL", &server.url(KEYS_PATH)),
        ])
    }

    pub(crate) fn client(&self, token: &str) -> Client {
        self.served.anonymous().with_token(token)
    }

    /// The bytes that the database was sent, once nothing is under way any more, such as a farewell to it after the start.
    pub(crate) async fn settled(&self) -> u64 {
        let mut before = self.proxy.bytes_to_server();
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let now = self.proxy.bytes_to_server();
            if now == before {
                return now;
            }
            before = now;
        }
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }
}

/// A write that needs a caller.
pub(crate) async fn create(client: &Client) -> Answer {
    client
        .json(Method::POST, "/books", &json!({"title": "The Dispossessed"}))
        .await
}

/// Sends these bytes, and reads until the server closes.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // A server may refuse before it has read everything.
    let _ = socket.write_all(bytes);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
