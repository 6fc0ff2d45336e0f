//! A library served from memory or from PostgreSQL, and requests to it written as people write them.

use std::borrow::Borrow;
use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rowstamp_domain::caller::{Caller, Proof};
use rowstamp_domain::definition::{ApiDefinition, ResourceDefinition};
use rowstamp_domain::operation::{Count, DeleteMany, List, Operation, Representation, RowBound, Rows};
use rowstamp_domain::query::{Condition, Direction, Nulls, Operand, OrderTerm, Query, Select, SelectItem};
use rowstamp_domain::record::Record;
use rowstamp_local::provision::TestDatabase;
use rowstamp_memory::MemoryStore;
use rowstamp_ports::exchange::{ApiRequest, ApiResponse, Evidence, RequestParts};
use rowstamp_ports::{
    IdentityError, IdentityProvider, Problems, RecordStore, Secret, StoreContext, SystemClock, UuidV7Source,
    Vars,
};
use rowstamp_postgres::PostgresStore;
use rowstamp_rest::{Api, Controller, Settings};
use rowstamp_tests::route::{OpenRoute, Route};
use serde_json::Value as Json;
use tokio_postgres::NoTls;

/// Resources that use every option a request can run into.
pub(crate) const LIBRARY: &str = include_str!("library.toml");

/// Takes a token `alice`, or `alice:librarians` for a group, at its word; `bad` is no token.
pub(crate) struct Tokens;

#[async_trait]
impl IdentityProvider for Tokens {
    async fn identify(&self, evidence: &Evidence) -> Result<Arc<Caller>, IdentityError> {
        match evidence {
            Evidence::Bearer(token) => {
                let mut words = token.expose().split(':');
                let subject = words.next().unwrap_or_default();
                if subject == "bad" {
                    return Err(IdentityError::Invalid("the token has expired".to_owned()));
                }
                Ok(Caller::new(subject, Proof::Token).with_groups(words).into())
            }
            Evidence::None | Evidence::Authorizer(_) | Evidence::LoadBalancer { .. } => {
                Ok(Caller::anonymous().into())
            }
        }
    }
}

/// What keeps the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// The in-memory store.
    Memory,
    /// PostgreSQL by this route, in a database of the test's own.
    Postgres(Route),
}

/// The library and where its rows are.
pub(crate) struct App {
    pub(crate) controller: Controller,
    pub(crate) store: Arc<dyn RecordStore>,
    definition: Arc<ApiDefinition>,
    /// Dropped last, the route before the database.
    database: Option<(OpenRoute, TestDatabase)>,
}

impl App {
    pub(crate) async fn library(store: Store) -> Self {
        Self::of(store, Api::from_toml("library.toml", LIBRARY).unwrap()).await
    }

    pub(crate) async fn of(store: Store, api: Api) -> Self {
        Self::set(store, api, Settings::default()).await
    }

    pub(crate) async fn set(store: Store, api: Api, settings: Settings) -> Self {
        let api = api.build().unwrap();
        let definition = Arc::clone(api.definition());
        let (store, database): (Arc<dyn RecordStore>, _) = match store {
            Store::Memory => (Arc::new(MemoryStore::new(Arc::clone(&definition))), None),
            Store::Postgres(route) => {
                let (store, database) = postgres(route, &definition).await;
                (Arc::new(store), Some(database))
            }
        };
        let controller = Controller::new(
            api,
            Arc::clone(&store),
            Arc::new(Tokens),
            Arc::new(SystemClock),
            Arc::new(UuidV7Source),
            settings,
        );
        Self {
            controller,
            store,
            definition,
            database,
        }
    }

    /// Every row of a resource with all its fields, in the order of their uids.
    pub(crate) async fn rows(&self, resource: &str) -> Vec<Record> {
        let resource = Arc::clone(self.definition.resource(resource).unwrap());
        let everything = Operation::List(List {
            look_ahead: false,
            query: Query {
                after: None,
                select: all(&resource),
                condition: Condition::Always,
                order: vec![OrderTerm {
                    embed: None,
                    operand: Operand::Field(resource.audit.uid),
                    direction: Direction::Ascending,
                    nulls: Nulls::Last,
                }],
                limit: 1_000,
                offset: 0,
            },
            resource,
            visible: Condition::Always,
            count: Count::None,
            representation: Representation::Records,
        });
        match self.store.execute(everything, &context()).await.unwrap().rows {
            Rows::Records(records) => records,
            other => panic!("no records but {other:?}"),
        }
    }

    /// Lets who estimates numbers of rows look at them first.
    pub(crate) async fn analyze(&self) {
        if let Some((_, database)) = &self.database {
            let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute("ANALYZE").await.unwrap();
        }
    }

    /// Removes every row of a resource.
    pub(crate) async fn clear(&self, resource: &str) {
        let resource = Arc::clone(self.definition.resource(resource).unwrap());
        let everything = Operation::DeleteMany(DeleteMany {
            select: all(&resource),
            resource,
            condition: Condition::Always,
            visible: Condition::Always,
            permitted: Condition::Always,
            bound: RowBound::Any,
            representation: Representation::Nothing,
        });
        self.store.execute(everything, &context()).await.unwrap();
    }

    /// What is served.
    pub(crate) fn definition(&self) -> &ApiDefinition {
        &self.definition
    }

    /// Starts a request such as `GET /books?limit=2`.
    pub(crate) fn request(&self, line: &str) -> Request<'_> {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Request {
            app: self,
            method: method.parse().unwrap(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            token: None,
            body: String::new(),
        }
    }

    /// Creates a row as Alice, a librarian, and returns it.
    pub(crate) async fn create(&self, resource: &str, body: Json) -> Json {
        let answer = self
            .request(&format!("POST /{resource}"))
            .by("alice:librarians")
            .json(body)
            .send()
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }
}

/// A request being put together.
pub(crate) struct Request<'a> {
    app: &'a App,
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    token: Option<String>,
    body: String,
}

impl Request<'_> {
    pub(crate) fn by(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
        self
    }

    pub(crate) fn json(self, body: impl Borrow<Json>) -> Self {
        self.body(&body.borrow().to_string())
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    pub(crate) async fn send(self) -> Answer {
        let controller = &self.app.controller;
        self.send_to(controller).await
    }

    /// Sends it to another controller than the library's own.
    pub(crate) async fn send_to(self, controller: &Controller) -> Answer {
        let parts = RequestParts {
            method: self.method,
            base_path: "/v1".to_owned(),
            path: self.path,
            query: self.query,
            headers: self.headers,
            body: self.body.into(),
            request_id: "test-1".to_owned(),
            deadline: None,
        };
        let request = ApiRequest::over_http(parts, self.token.map(Secret::new));
        Answer::from(controller.handle(Ok(request)).await)
    }
}

/// An answer, to be looked at.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl From<ApiResponse> for Answer {
    fn from(response: ApiResponse) -> Self {
        Self {
            status: response.status.as_u16(),
            headers: response.headers,
            body: response.body.to_vec(),
        }
    }
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no header {name}"))
            .to_str()
            .unwrap()
    }

    /// The `code` of a problem body.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap().to_owned()
    }

    /// `(pointer, code)` of each field error.
    #[track_caller]
    pub(crate) fn errors(&self) -> Vec<(String, String)> {
        let body = self.json();
        let errors = body["errors"].as_array().unwrap();
        let word = |error: &Json, name: &str| error[name].as_str().unwrap().to_owned();
        errors
            .iter()
            .map(|error| (word(error, "pointer"), word(error, "code")))
            .collect()
    }
}

/// A store on a database of its own with the tables of these definitions.
async fn postgres(route: Route, definition: &ApiDefinition) -> (PostgresStore, (OpenRoute, TestDatabase)) {
    let database = TestDatabase::create();
    let direct =
        PostgresStore::with_password(&rowstamp_postgres::Settings::from_url(database.url()).unwrap());
    direct.create_missing(definition).await.unwrap();
    let route = route.to(database.url());
    let vars = [("DATABASE_URL", route.url())];
    let vars = vars.iter().chain(route.variables());
    let vars = Vars::new(vars.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let mut problems = Problems::new();
    let settings = rowstamp_postgres::Settings::read(&vars, &mut problems);
    let settings = problems.into_result(settings).unwrap();
    (PostgresStore::with_password(&settings), (route, database))
}

fn all(resource: &ResourceDefinition) -> Select {
    Select(resource.field_ids().map(SelectItem::Field).collect())
}

fn context() -> StoreContext {
    StoreContext {
        deadline: None,
        caller: Arc::new(Caller::anonymous()),
        room: None,
        meter: Arc::default(),
    }
}
