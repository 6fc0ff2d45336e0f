//! A library of one test: a database of its own, its tables, and the ways to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rowstamp_cognito::CognitoIdentity;
use rowstamp_local::provision::TestDatabase;
use rowstamp_ports::{SystemClock, UuidV7Source};
use rowstamp_postgres::PostgresStore;
use rowstamp_rest::{Api, BuiltApi, Controller};
use rowstamp_tests::binaries::binary;
use rowstamp_tests::route::{OpenRoute, Route};
use rowstamp_tests::runtime_api_function::Function;
use tokio::net::TcpStream;
use tokio_postgres::NoTls;

use crate::answer::Answer;
use crate::event::{Entrance, Request};

const DEFINITION: &str = include_str!("library.toml");

/// The function under test, on a database of its own.
pub(crate) struct Library {
    pub(crate) function: Function,
    /// Closed before the database is dropped.
    _route: OpenRoute,
    database: TestDatabase,
}

impl Library {
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// With more variables in the function's environment.
    pub(crate) async fn open_with(vars: &[(&str, &str)]) -> Self {
        Self::open_without_tables(vars).await.with_tables().await
    }

    /// With this route from the function to the database.
    pub(crate) async fn open_by(route: Route) -> Self {
        Self::start(route, &[]).await.with_tables().await
    }

    pub(crate) async fn open_without_tables(vars: &[(&str, &str)]) -> Self {
        Self::start(Route::Direct, vars).await
    }

    async fn start(route: Route, vars: &[(&str, &str)]) -> Self {
        let database = TestDatabase::create();
        let route = route.to(database.url());
        let url = [("DATABASE_URL", route.url())];
        let function = start(&[&url, route.variables(), vars].concat()).await;
        Self {
            function,
            _route: route,
            database,
        }
    }

    /// Made past whatever the function goes through.
    async fn with_tables(self) -> Self {
        store(&self.database)
            .create_missing(api().definition())
            .await
            .unwrap();
        self
    }

    /// Sends a request through an entrance.
    pub(crate) async fn send(&mut self, entrance: Entrance, request: Request) -> Answer {
        let answer = self.function.invoke(request.event(entrance)).await;
        Answer::of(entrance, &answer)
    }

    /// The row as the database has it, every column as text.
    pub(crate) async fn row(&self, table: &str, uid: &str) -> BTreeMap<String, Option<String>> {
        let sql =
            format!("SELECT key, value FROM {table}, jsonb_each_text(to_jsonb({table})) WHERE uid = '{uid}'");
        let rows = self.connect().await.query(&sql, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// The server's processes for the function's connections.
    pub(crate) async fn connections(&self) -> Vec<i32> {
        let sql = "SELECT pid FROM pg_stat_activity \
                   WHERE datname = current_database() AND application_name = 'rowstamp' ORDER BY pid";
        let connection = self.connect().await;
        let rows = connection.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Ends the function's connections, as a failing or restarted server does.
    pub(crate) async fn end_connections(&self) {
        let sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                   WHERE datname = current_database() AND application_name = 'rowstamp'";
        let ended = self.connect().await.query(sql, &[]).await.unwrap();
        assert!(!ended.is_empty(), "there was no connection to end");
    }

    /// Keeps everybody else from the table until the connection is dropped.
    pub(crate) async fn lock(&self, table: &str) -> tokio_postgres::Client {
        let connection = self.connect().await;
        let sql = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        connection.batch_execute(&sql).await.unwrap();
        connection
    }

    pub(crate) fn database_url(&self) -> &str {
        self.database.url()
    }

    pub(crate) async fn connect(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(self.database.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Serves the same database over HTTP, as the local server does.
    pub(crate) async fn over_http(&self) -> HttpServer {
        let settings = rowstamp_http::Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..rowstamp_http::Settings::default()
        };
        let server = rowstamp_http::Server::bind(settings).await.unwrap();
        let address = server.local_address().unwrap();
        let controller = Arc::new(Controller::new(
            api(),
            Arc::new(store(&self.database)),
            Arc::new(CognitoIdentity::new()),
            Arc::new(SystemClock),
            Arc::new(UuidV7Source),
            rowstamp_rest::Settings::default(),
        ));
        let handler = move |request| {
            let controller = Arc::clone(&controller);
            async move { controller.handle(request).await }
        };
        tokio::spawn(server.serve(handler, std::future::pending()));
        HttpServer { address }
    }
}

/// Starts the function with this environment and the library's definition.
pub(crate) async fn start(vars: &[(&str, &str)]) -> Function {
    let bootstrap = tokio::task::spawn_blocking(|| binary("rowstamp-lambda", "bootstrap"))
        .await
        .unwrap();
    let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("lambda/library.toml");
    let given = [("ROWSTAMP_RESOURCES", definition.to_str().unwrap())];
    Function::start(&bootstrap, &[&given, vars].concat()).await
}

fn api() -> BuiltApi {
    Api::from_toml("library.toml", DEFINITION)
        .unwrap()
        .build()
        .unwrap()
}

fn store(database: &TestDatabase) -> PostgresStore {
    PostgresStore::with_password(&rowstamp_postgres::Settings::from_url(database.url()).unwrap())
}

/// The library behind a socket.
pub(crate) struct HttpServer {
    address: SocketAddr,
}

impl HttpServer {
    pub(crate) async fn send(&self, request: Request) -> Answer {
        let (method, target, headers, body) = request.parts();
        let socket = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket))
            .await
            .unwrap();
        tokio::spawn(connection);
        let mut asked = hyper::Request::builder()
            .method(method)
            .uri(target)
            .header("host", "localhost");
        for (name, value) in headers {
            asked = asked.header(name, value);
        }
        let answer = sender
            .send_request(asked.body(Full::<bytes::Bytes>::from(body.to_owned())).unwrap())
            .await
            .unwrap();
        let (parts, body) = answer.into_parts();
        let mut headers = BTreeMap::new();
        for name in parts.headers.keys() {
            let values: Vec<_> = parts
                .headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap())
                .collect();
            headers.insert(name.to_string(), values.join(", "));
        }
        // What only a socket has.
        headers.remove("date");
        headers.remove("content-length");
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: u64::from(parts.status.as_u16()),
            headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}
