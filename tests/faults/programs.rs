//! The real programs over one database: the function's `bootstrap` behind the emulated Runtime API, and `rowstamp serve`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use rowstamp_domain::definition::{ApiDefinition, toml};
use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::binaries::binary;
use rowstamp_tests::runtime_api::{Answer, RuntimeApi};
use rowstamp_tests::runtime_api_function::Function;
use rowstamp_tests::served::{Directory, Served};
use rowstamp_tests::tcp_proxy::TcpProxy;
use serde_json::{Map, Value, json};
use tokio_postgres::NoTls;

use crate::fixture::store;

/// What the programs serve: books that anyone may read and write.
pub(crate) const DEFINITION: &str = include_str!("open.toml");
/// Longer than anything here takes, so that only what hangs meets it.
const PATIENCE: Duration = Duration::from_mins(1);
/// What an invocation is told that it has.
const TIME_LEFT: Duration = Duration::from_secs(30);

/// The definitions that the programs serve.
pub(crate) fn definitions() -> Arc<ApiDefinition> {
    Arc::new(toml::parse("open.toml", DEFINITION).unwrap())
}

/// A database of one test's own, with the tables of the definitions.
pub(crate) struct Place {
    pub(crate) database: TestDatabase,
}

impl Place {
    pub(crate) async fn open() -> Self {
        let database = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap();
        let direct = store(database.url(), &[]);
        direct.create_missing(&definitions()).await.unwrap();
        Self { database }
    }

    /// A proxy in front of it.
    pub(crate) fn proxy(&self) -> TcpProxy {
        TcpProxy::to_database(self.database.url())
    }

    /// A connection past the programs.
    pub(crate) async fn sql(&self) -> tokio_postgres::Client {
        let connected = tokio_postgres::connect(self.database.url(), NoTls).await;
        let (client, connection) = connected.unwrap();
        tokio::spawn(connection);
        client
    }

    /// How many books have this title.
    pub(crate) async fn count(&self, title: &str) -> i64 {
        let sql = "SELECT count(*) FROM books WHERE title = $1";
        self.sql().await.query_one(sql, &[&title]).await.unwrap().get(0)
    }
}

/// Which program it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Function,
    Server,
}

/// A program that runs; it ends with the value.
pub(crate) enum Program {
    Function(Box<Function>),
    Server(Served, Directory),
}

/// A request, before it is an event or travels over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: Method,
    path: String,
    query: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// An answer, taken out of its envelope.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Kind {
    /// Where the program is, built if need be; for who measures how long it takes to start.
    pub(crate) async fn build(self) -> PathBuf {
        let built = tokio::task::spawn_blocking(move || match self {
            Self::Function => binary("rowstamp-lambda", "bootstrap"),
            Self::Server => binary("rowstamp-local", "rowstamp"),
        });
        built.await.unwrap()
    }
}

impl Program {
    /// Starts it with this environment.
    pub(crate) async fn start(kind: Kind, url: &str, variables: &[(&str, &str)]) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/open.toml");
        let file = file.to_str().unwrap().to_owned();
        match kind {
            Kind::Function => {
                let own = [("DATABASE_URL", url), ("ROWSTAMP_RESOURCES", &file)];
                let function = Function::start(&kind.build().await, &[&own, variables].concat()).await;
                Self::Function(Box::new(function))
            }
            Kind::Server => {
                let url = url.to_owned();
                let variables: Vec<(String, String)> = variables
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect();
                let started = tokio::task::spawn_blocking(move || {
                    let directory = Directory::new();
                    let arguments = ["--database", &url, "--resources", &file];
                    let variables: Vec<(&str, &str)> = variables
                        .iter()
                        .map(|(name, value)| (name.as_str(), value.as_str()))
                        .collect();
                    let served = Served::start(&directory, &arguments, &variables);
                    Self::Server(served, directory)
                });
                started.await.unwrap()
            }
        }
    }

    /// Sends a request and waits for the answer. A function takes the next one while the first is under way only where
    /// `AWS_LAMBDA_MAX_CONCURRENCY` says so.
    pub(crate) async fn send(&self, request: &Request) -> Reply {
        self.send_within(request, TIME_LEFT).await
    }

    /// The same, telling a function how long it has. A server has what `ROWSTAMP_REQUEST_TIMEOUT_MS` says.
    pub(crate) async fn send_within(&self, request: &Request, time_left: Duration) -> Reply {
        let answered = async {
            match self {
                Self::Function(function) => request.invoke(function.api(), time_left).await,
                Self::Server(served, _) => request.over_http(served).await,
            }
        };
        let reply = tokio::time::timeout(PATIENCE, answered).await;
        reply.unwrap_or_else(|_| panic!("{request:?} is not answered: {}", self.log()))
    }

    pub(crate) fn process_id(&self) -> u32 {
        match self {
            Self::Function(function) => function.process_id().expect("the function runs"),
            Self::Server(served, _) => served.process_id(),
        }
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        match self {
            Self::Function(function) => function.log(),
            Self::Server(_, directory) => {
                std::fs::read_to_string(directory.path().join("log")).unwrap_or_default()
            }
        }
    }
}

impl Request {
    /// Such as `GET /books?limit=1`.
    pub(crate) fn new(line: &str) -> Self {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.parse().unwrap(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// The creation of a book.
    pub(crate) fn creation(title: &str) -> Self {
        Self::new("POST /books").json(&json!({"title": title}))
    }

    /// By its name in lower case.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        self.header("content-type", "application/json")
    }

    /// As an event of an HTTP API.
    pub(crate) async fn invoke(&self, api: &RuntimeApi, time_left: Duration) -> Reply {
        let headers: Map<String, Value> = self
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let event = json!({
            "version": "2.0", "rawPath": self.path, "rawQueryString": self.query, "body": self.body, "headers": headers,
            "requestContext": {
                "requestId": "r-1", "stage": "$default", "http": {"method": self.method.as_str(), "path": self.path},
            },
        });
        let Answer::Response(answer) = api.invoke(event.to_string(), time_left).await else {
            panic!("the invocation of {self:?} failed");
        };
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let headers = answer["headers"].as_object().unwrap();
        Reply {
            status: answer["statusCode"].as_u64().unwrap().try_into().unwrap(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            body: answer["body"].as_str().unwrap_or_default().to_owned(),
        }
    }

    async fn over_http(&self, served: &Served) -> Reply {
        let target = if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        };
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let client = served.anonymous();
        let answer = client
            .send(self.method.clone(), &target, &headers, &self.body)
            .await;
        Reply::of(answer.status, &answer.headers, &answer.body)
    }
}

impl Reply {
    pub(crate) fn of(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
                .collect(),
            body: text(body),
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A header field by its name in lower case; empty where it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Whether it is 503 and says when to come again, as every 503 must.
    #[track_caller]
    pub(crate) fn says_come_again(&self) -> bool {
        if self.status != 503 {
            return false;
        }
        assert!(self.header("retry-after").parse::<u32>().is_ok(), "{self:?}");
        true
    }

    /// Whether it says that a write may have happened, and no more than that.
    #[track_caller]
    pub(crate) fn is_unknown_outcome(&self) -> bool {
        let unknown = self.status == 504 && self.json()["code"] == "RS_OUTCOME_UNKNOWN";
        assert!(!unknown || self.header("retry-after").is_empty(), "{self:?}");
        unknown
    }
}
