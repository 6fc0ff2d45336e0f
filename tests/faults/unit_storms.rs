//! The same weather for requests whose after-hooks write as well: all of it happens, or nothing does and the answer says so.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use http::{HeaderMap, Method};
use rowstamp_cognito::CognitoIdentity;
use rowstamp_domain::operation::{Operation, Precondition, Read, Representation, Stamp, Update};
use rowstamp_domain::query::Condition;
use rowstamp_domain::record::Record;
use rowstamp_domain::value::Value;
use rowstamp_ports::exchange::{ApiRequest, RequestParts};
use rowstamp_ports::{HookContext, HookPoints, Hooks, Refusal, SystemClock, Transaction, UuidV7Source};
use rowstamp_rest::{Api, Controller};
use rowstamp_tests::pgbouncer::PgBouncer;
use serde_json::json;
use uuid::Uuid;

use crate::fixture::store;
use crate::programs::{DEFINITION, Kind, Reply};
use crate::scene::{Scene, Told};

/// What a hook does with the row at the other end, after a row was changed.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// Gives it the same title. So the first row and the last are locked in both orders.
    Write,
    /// Looks at it. So of two that do both at once each sees what was before the other, which no order explains.
    Read,
}

impl Then {
    /// How many write at the same time, and how often each of them does. One at each end does not get in the other's way before both are to
    /// be committed.
    const fn writers(self) -> (usize, usize) {
        match self {
            Self::Write => (8, 8),
            Self::Read => (2, 30),
        }
    }

    /// How many rows a request writes: its own, and the one that the hook writes.
    const fn written(self) -> usize {
        match self {
            Self::Write => 2,
            Self::Read => 1,
        }
    }
}

struct Opposite {
    uids: [Uuid; 2],
    then: Then,
}

#[async_trait]
impl Hooks for Opposite {
    fn points(&self) -> HookPoints {
        HookPoints {
            after_update: true,
            ..HookPoints::NONE
        }
    }

    async fn after_update(
        &self,
        context: &HookContext,
        transaction: &mut Transaction,
        record: &Record,
    ) -> Result<(), Refusal> {
        let [first, last] = self.uids;
        let other = if record.get("uid") == Some(&Value::Uuid(first)) {
            last
        } else {
            first
        };
        let resource = Arc::clone(&context.resource);
        let title = resource.field_id("title").unwrap();
        let operation = match self.then {
            Then::Write => Operation::Update(Update {
                uid: other,
                visible: Condition::Always,
                permitted: Condition::Always,
                set: vec![(title, record.get("title").unwrap().clone())],
                expect: Vec::new(),
                stamp: Stamp {
                    now: context.now,
                    actor: Value::Null,
                },
                precondition: Precondition::None,
                select: resource.select_all().clone(),
                representation: Representation::Nothing,
                resource,
            }),
            Then::Read => Operation::Read(Read {
                uid: other,
                visible: Condition::Always,
                select: resource.select_all().clone(),
                representation: Representation::Nothing,
                resource,
            }),
        };
        // Long enough for others to get hold of their first row, and then of their second.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let outcome = transaction.execute(operation).await?;
        assert!(outcome.verdict.is_success());
        tokio::time::sleep(Duration::from_millis(2)).await;
        Ok(())
    }
}

fn controller(url: &str, uids: [Uuid; 2], then: Then) -> Controller {
    let api = Api::from_toml("open.toml", DEFINITION).unwrap();
    let api = api.hooks("books", Opposite { uids, then });
    Controller::new(
        api.build().unwrap(),
        Arc::new(store(url, &[("ROWSTAMP_DB_POOL", "16")])),
        Arc::new(CognitoIdentity::new()),
        Arc::new(SystemClock),
        Arc::new(UuidV7Source),
        rowstamp_rest::Settings::default(),
    )
}

async fn change(controller: &Controller, uid: Uuid, title: &str) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    let parts = RequestParts {
        method: Method::PATCH,
        base_path: String::new(),
        path: format!("/books/{uid}"),
        query: String::new(),
        headers,
        body: json!({"title": title}).to_string().into(),
        request_id: title.to_owned(),
        deadline: None,
    };
    let response = controller.handle(Ok(ApiRequest::over_http(parts, None))).await;
    Reply::of(response.status.as_u16(), &response.headers, &response.body)
}

/// Writers at both ends; each request with whether it was told to be done.
async fn storm(controller: &Controller, uids: [Uuid; 2], then: Then) -> Vec<(String, bool)> {
    let (writers, rounds) = then.writers();
    let writers = (0..writers).map(async |writer| {
        let mut told = Vec::new();
        for round in 0..rounds {
            let uid = uids[writer % 2];
            let title = format!("{writer}-{round}");
            let reply = change(controller, uid, &title).await;
            assert!(reply.status == 200 || reply.says_come_again(), "{reply:?}");
            told.push((title, reply.status == 200));
        }
        told
    });
    join_all(writers).await.concat()
}

/// Lets writers at both ends loose; how often the server refused a statement with this SQLSTATE, and a commit.
async fn weather(scene: &Scene, url: &str, then: Then, sqlstate: &str) -> [usize; 2] {
    let program = scene.start(Kind::Server, &scene.server.url(), &[]).await;
    let uids = scene.furnish(&program, &mut Told::default()).await;
    drop(program);
    let uids = [&uids[0], &uids[uids.len() - 1]].map(|uid| uid.parse().unwrap());
    let told = storm(&controller(url, uids, then), uids, then).await;

    let done = told.iter().filter(|(_, done)| *done).count();
    let refusals = [scene.refusals(sqlstate), scene.refused_commits()];
    eprintln!(
        "{then:?}: {refusals:?} times {sqlstate}; {done} of {} done",
        told.len()
    );
    assert!(0 < done && done < told.len(), "some give way and some do not");
    let history = scene.history().await;
    for (title, done) in told {
        let written = history.iter().filter(|version| version.title == title).count();
        assert_eq!(written, if done { then.written() } else { 0 }, "{title}");
    }
    refusals
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_hooks_deadlock_happens_as_a_whole_or_says_that_nothing_did() {
    let Some(scene) = Scene::open("read committed", None).await else {
        return;
    };
    let [deadlocks, _] = weather(&scene, &scene.server.url(), Then::Write, "40P01").await;
    assert!(deadlocks > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_hooks_that_fits_no_order_happens_as_a_whole_or_says_that_nothing_did() {
    for then in [Then::Write, Then::Read] {
        let Some(scene) = Scene::open("serializable", None).await else {
            return;
        };
        // The sessions are not told what isolation the statements want.
        let Some(bouncer) = PgBouncer::with_sessions(&scene.server.url(), 20) else {
            return;
        };
        let [refusals, commits] = weather(&scene, bouncer.url(), then, "40001").await;
        assert!(refusals > 0, "{then:?}");
        assert!(
            matches!(then, Then::Write) || commits > 0,
            "no commit was refused"
        );
    }
}
