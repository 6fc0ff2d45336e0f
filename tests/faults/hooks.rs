//! People's own code that does not come to an end, or fails: the answer comes in time, and a write's answer is true.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::Method;
use rowstamp_domain::caller::Caller;
use rowstamp_domain::operation::Operation;
use rowstamp_domain::record::Record;
use rowstamp_ports::exchange::{ApiRequest, ApiResponse, Evidence, RequestParts};
use rowstamp_ports::{
    HookContext, HookPoints, Hooks, IdentityError, IdentityProvider, ReadScope, Refusal, SystemClock,
    Transaction, UuidV7Source,
};
use rowstamp_postgres::PostgresStore;
use rowstamp_rest::{Api, Controller, Settings};
use uuid::Uuid;

use crate::fixture::{Fixture, store};

const OPEN: &str = r#"
[api]
title = "Library"
version = "1.0.0"

[resources.books.fields]
title  = { type = "text", required = true }
status = { type = "text" }
[resources.books.access]
read   = "anyone"
create = "anyone"
update = "anyone"
delete = "anyone"
"#;

/// What a hook does when it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Nothing, for ever.
    Hang,
    Refuse,
    Panic,
}

/// Does one thing at one point, in a transaction after this.
struct At(&'static str, Does, Option<Operation>);

impl At {
    async fn reached(&self, point: &str) -> Result<(), Refusal> {
        if point != self.0 {
            return Ok(());
        }
        match self.1 {
            Does::Hang => std::future::pending().await,
            Does::Refuse => Err(Refusal::forbidden("NO", "no")),
            Does::Panic => panic!("a hook that is wrong"),
        }
    }

    async fn reached_in(&self, point: &str, transaction: &mut Transaction) -> Result<(), Refusal> {
        if let Some(operation) = self.2.clone().filter(|_| point == self.0) {
            transaction.execute(operation).await?;
        }
        self.reached(point).await
    }
}

#[async_trait]
impl Hooks for At {
    fn points(&self) -> HookPoints {
        HookPoints {
            before_read: self.0 == "before_read",
            after_read: self.0 == "after_read",
            before_create: self.0 == "before_create",
            after_create: self.0 == "after_create",
            before_update: self.0 == "before_update",
            after_update: self.0 == "after_update",
            before_delete: self.0 == "before_delete",
            after_delete: self.0 == "after_delete",
        }
    }

    async fn before_read(&self, _: &HookContext, _: &mut ReadScope) -> Result<(), Refusal> {
        self.reached("before_read").await
    }

    async fn after_read(&self, _: &HookContext, _: &mut Record) -> Result<(), Refusal> {
        self.reached("after_read").await
    }

    async fn before_create(&self, _: &HookContext, _: &mut Record) -> Result<(), Refusal> {
        self.reached("before_create").await
    }

    async fn after_create(
        &self,
        _: &HookContext,
        transaction: &mut Transaction,
        _: &Record,
    ) -> Result<(), Refusal> {
        self.reached_in("after_create", transaction).await
    }

    async fn before_update(&self, _: &HookContext, _: Uuid, _: &mut Record) -> Result<(), Refusal> {
        self.reached("before_update").await
    }

    async fn after_update(
        &self,
        _: &HookContext,
        transaction: &mut Transaction,
        _: &Record,
    ) -> Result<(), Refusal> {
        self.reached_in("after_update", transaction).await
    }

    async fn before_delete(&self, _: &HookContext, _: Uuid) -> Result<(), Refusal> {
        self.reached("before_delete").await
    }

    async fn after_delete(
        &self,
        _: &HookContext,
        transaction: &mut Transaction,
        _: &Record,
    ) -> Result<(), Refusal> {
        self.reached_in("after_delete", transaction).await
    }
}

/// Everybody is nobody, unless it takes for ever to find out.
struct Identity {
    hangs: bool,
}

#[async_trait]
impl IdentityProvider for Identity {
    async fn identify(&self, _: &Evidence) -> Result<Arc<Caller>, IdentityError> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Ok(Arc::new(Caller::anonymous()))
    }
}

fn controller(hooks: At, identity: Identity, store: &PostgresStore) -> Controller {
    let api = Api::from_toml("library.toml", OPEN)
        .unwrap()
        .hooks("books", hooks);
    Controller::new(
        api.build().unwrap(),
        Arc::new(store.clone()),
        Arc::new(identity),
        Arc::new(SystemClock),
        Arc::new(UuidV7Source),
        Settings::default(),
    )
}

/// The time for a request in which something hangs.
const SHORT: Duration = Duration::from_millis(500);
/// The time for one that ends by itself.
const AMPLE: Duration = Duration::from_secs(10);

async fn send(controller: &Controller, line: &str, body: &'static str, limit: Duration) -> ApiResponse {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let parts = RequestParts {
        method: method.parse::<Method>().unwrap(),
        base_path: String::new(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: http::HeaderMap::from_iter([(
            http::header::HeaderName::from_static("prefer"),
            http::HeaderValue::from_static("return=representation"),
        )]),
        body: body.into(),
        request_id: "test-1".to_owned(),
        deadline: Some(Instant::now() + limit),
    };
    let answer = controller.handle(Ok(ApiRequest::over_http(parts, None)));
    let answer = tokio::time::timeout(limit + Duration::from_secs(3), answer).await;
    answer.unwrap_or_else(|_| panic!("{line} is not answered"))
}

fn code(answer: &ApiResponse) -> String {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    body["code"].as_str().unwrap().to_owned()
}

const BODY: &str = r#"{"title": "new"}"#;

/// One request for each way to each hook, with `{uid}` for the row that is there and `{new}` for one that is not.
const WAYS: [(&str, &str); 18] = [
    ("before_read", "GET /books"),
    ("before_read", "GET /books/{uid}"),
    ("after_read", "GET /books"),
    ("after_read", "GET /books/{uid}"),
    ("before_create", "POST /books"),
    ("before_create", "PUT /books/{new}"),
    ("after_create", "POST /books"),
    ("after_create", "PUT /books/{new}"),
    ("before_update", "PUT /books/{uid}"),
    ("before_update", "PATCH /books/{uid}"),
    ("before_update", "PATCH /books?title=eq.old"),
    ("after_update", "PUT /books/{uid}"),
    ("after_update", "PATCH /books/{uid}"),
    ("after_update", "PATCH /books?title=eq.old"),
    ("before_delete", "DELETE /books/{uid}"),
    ("before_delete", "DELETE /books?title=eq.old"),
    ("after_delete", "DELETE /books/{uid}"),
    ("after_delete", "DELETE /books?title=eq.old"),
];

async fn old_and_new(library: &Fixture) -> (i64, i64) {
    (library.count("old").await, library.count("new").await)
}

fn line(way: &str, uid: Uuid) -> String {
    way.replace("{uid}", &uid.to_string())
        .replace("{new}", &Uuid::now_v7().to_string())
}

#[tokio::test]
async fn a_hook_that_hangs_is_answered_in_time_and_everything_is_undone() {
    let library = Fixture::of(OPEN).await;
    // One connection for transactions, which must not get lost.
    let store = store(library.database.url(), &[("ROWSTAMP_DB_POOL", "2")]);
    let uid = library.book("old").await;
    for (point, way) in WAYS {
        let controller = controller(At(point, Does::Hang, None), Identity { hangs: false }, &store);
        let line = line(way, uid);
        let answer = send(&controller, &line, BODY, SHORT).await;
        assert_eq!(
            (answer.status.as_u16(), code(&answer).as_str()),
            (504, "RS_DEADLINE_EXCEEDED"),
            "{point}, {line}"
        );
        library.calm_within(Duration::from_secs(3)).await;
        assert_eq!(old_and_new(&library).await, (1, 0), "{point}, {line}");
    }
    // The connections are as good as ever.
    let controller = controller(
        At("after_create", Does::Refuse, None),
        Identity { hangs: false },
        &store,
    );
    assert_eq!(send(&controller, "POST /books", BODY, AMPLE).await.status, 403);
}

#[tokio::test]
async fn a_statement_of_a_hook_that_hangs_is_ended_in_the_server() {
    let library = Fixture::of(OPEN).await;
    library
        .trigger("IF NEW.title = 'slow' THEN PERFORM pg_sleep(20); END IF;")
        .await;
    let store = store(library.database.url(), &[]);
    let uid = library.book("old").await;
    for (point, way) in WAYS.into_iter().filter(|(point, way)| {
        point.starts_with("after_") && *point != "after_read" && !way.starts_with("PUT")
    }) {
        let hooks = At(point, Does::Hang, Some(library.creation("slow").1));
        let controller = controller(hooks, Identity { hangs: false }, &store);
        let answer = send(&controller, &line(way, uid), BODY, SHORT).await;
        assert_eq!(answer.status, 504, "{point}, {way}");
        assert_eq!(code(&answer), "RS_DEADLINE_EXCEEDED", "{point}, {way}");
        library.calm_within(Duration::from_secs(2)).await;
        assert_eq!(old_and_new(&library).await, (1, 0), "{point}, {way}");
    }
}

#[tokio::test]
async fn a_hook_that_panics_leaves_nothing_open() {
    let library = Fixture::of(OPEN).await;
    let store = store(library.database.url(), &[("ROWSTAMP_DB_POOL", "2")]);
    let uid = library.book("old").await;
    for (point, way) in WAYS {
        let controller = controller(At(point, Does::Panic, None), Identity { hangs: false }, &store);
        let answer = send(&controller, &line(way, uid), BODY, AMPLE).await;
        assert_eq!(
            (answer.status.as_u16(), code(&answer).as_str()),
            (500, "RS_INTERNAL"),
            "{way}"
        );
        library.calm_within(Duration::from_secs(3)).await;
        assert_eq!(old_and_new(&library).await, (1, 0), "{point}, {way}");
    }
}

#[tokio::test]
async fn who_is_calling_is_found_out_in_time_or_not_at_all() {
    let library = Fixture::of(OPEN).await;
    let store = store(library.database.url(), &[]);
    let controller = controller(At("none", Does::Hang, None), Identity { hangs: true }, &store);
    for (_, way) in WAYS {
        let answer = send(&controller, &line(way, Uuid::now_v7()), BODY, SHORT).await;
        assert_eq!(
            (answer.status.as_u16(), code(&answer).as_str()),
            (504, "RS_DEADLINE_EXCEEDED"),
            "{way}"
        );
    }
}

/// The row is written by then, and no word of a hook changes that.
#[tokio::test]
async fn what_was_written_is_answered_as_written_whatever_becomes_of_showing_it() {
    for (does, limit) in [(Does::Hang, SHORT), (Does::Refuse, AMPLE), (Does::Panic, AMPLE)] {
        let library = Fixture::of(OPEN).await;
        let store = store(library.database.url(), &[]);
        let controller = controller(At("after_read", does, None), Identity { hangs: false }, &store);
        let uid = library.book("old").await;
        let new = Uuid::now_v7();
        for (line, body, status, counts) in [
            ("POST /books".to_owned(), BODY, 201, (1, 1)),
            (
                "POST /books".to_owned(),
                r#"[{"title": "new"}, {"title": "new"}]"#,
                201,
                (1, 3),
            ),
            (format!("PUT /books/{new}"), BODY, 201, (1, 4)),
            (format!("PUT /books/{new}"), BODY, 204, (1, 4)),
            (format!("PATCH /books/{uid}"), BODY, 204, (0, 5)),
            (
                "PATCH /books?title=eq.new".to_owned(),
                r#"{"title": "old"}"#,
                204,
                (5, 0),
            ),
            (format!("DELETE /books/{uid}"), "", 204, (4, 0)),
            ("DELETE /books?title=eq.old".to_owned(), "", 204, (0, 0)),
        ] {
            let answer = send(&controller, &line, body, limit).await;
            assert_eq!(
                (answer.status.as_u16(), answer.body.len()),
                (status, 0),
                "{does:?}, {line}"
            );
            assert_eq!(
                answer.headers["preference-applied"], "return=minimal",
                "{does:?}, {line}"
            );
            assert_eq!(
                answer.headers.contains_key("location"),
                status == 201 && !body.starts_with('['),
                "{line}"
            );
            assert_eq!(old_and_new(&library).await, counts, "{does:?}, {line}");
        }
    }
}
