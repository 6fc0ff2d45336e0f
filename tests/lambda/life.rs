//! How an environment lives: several invocations at once, a database that comes late, and an end in good order.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rowstamp_tests::tcp_proxy::TcpProxy;
use serde_json::json;

use crate::answer::Answer;
use crate::event::{Entrance, Request};
use crate::library::{Library, start};

const LEFT: Duration = Duration::from_secs(20);

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let patience = Instant::now() + LEFT;
    while !is_so().await {
        assert!(Instant::now() < patience, "{what} does not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn loan(number: usize) -> (Entrance, Request) {
    let book = json!({"book": format!("book {number}")});
    let request = Request::new("POST /loans").json(&book);
    let subject = format!("caller-{number}");
    match number % 3 {
        0 => (
            Entrance::RestApi,
            request.authorizer(json!({"claims": {"sub": subject}})),
        ),
        1 => (
            Entrance::HttpApi,
            request.authorizer(json!({"jwt": {"claims": {"sub": subject}, "scopes": null}})),
        ),
        _ => (
            Entrance::FunctionUrl,
            request.authorizer(json!({"iam": {"userArn": subject}})),
        ),
    }
}

#[tokio::test]
async fn eight_invocations_at_once_share_an_environment_and_nothing_else() {
    let library = Library::open_with(&[("AWS_LAMBDA_MAX_CONCURRENCY", "8")]).await;
    let api = library.function.api();
    let create = async |number| {
        let (entrance, request) = loan(number);
        let answer = Answer::of(entrance, &api.invoke(request.event(entrance), LEFT).await);
        assert_eq!(answer.status, 201, "{}", answer.body);
        let row = answer.json();
        assert_eq!(row["book"], format!("book {number}"));
        assert_eq!(row["creator_uid"], format!("caller-{number}"));
        row["uid"].as_str().unwrap().to_owned()
    };
    // The table is kept from them until all eight are under way, so that they are at once indeed.
    let lock = library.lock("loans").await;
    let created = join_all((0..8).map(create));
    let release = async {
        until("eight at once", async || api.under_way() == 8).await;
        drop(lock);
    };
    let (mut uids, ()) = tokio::join!(created, release);
    uids.extend(join_all((8..120).map(create)).await);
    for (number, uid) in uids.iter().enumerate() {
        let row = library.row("loans", uid).await;
        assert_eq!(row["book"], Some(format!("book {number}")));
        assert_eq!(row["creator_uid"], Some(format!("caller-{number}")));
    }
}

#[tokio::test]
async fn without_a_number_one_invocation_follows_the_other() {
    let library = Library::open().await;
    let api = library.function.api();
    let event = || Request::new("GET /authors").event(Entrance::HttpApi);
    let lock = library.lock("authors").await;
    let both = async { tokio::join!(api.invoke(event(), LEFT), api.invoke(event(), LEFT)) };
    let look = async {
        until("the first", async || api.under_way() == 1).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let under_way = api.under_way();
        drop(lock);
        under_way
    };
    let (_, under_way) = tokio::join!(both, look);
    assert_eq!(under_way, 1);
}

#[tokio::test]
async fn a_database_that_is_away_at_initialisation_is_used_when_it_is_there() {
    let library = Library::open().await;
    let proxy = TcpProxy::to_database(library.database_url());
    proxy.set_refusing(true);
    let mut function = start(&[("DATABASE_URL", &proxy.url())]).await;
    let list = || Request::new("GET /authors").event(Entrance::HttpApi);
    let away = Answer::of(Entrance::HttpApi, &function.invoke(list()).await);
    assert_eq!(away.status, 503, "{}", away.body);
    let process = function.process_id();
    proxy.set_refusing(false);
    let back = Answer::of(Entrance::HttpApi, &function.invoke(list()).await);
    assert_eq!((back.status, back.body.as_str()), (200, "[]"));
    assert_eq!(function.process_id(), process, "it is the same environment");
}

/// How many sessions of the database ended without a farewell.
async fn abandoned(library: &Library) -> i64 {
    let sql = "SELECT sessions_abandoned FROM pg_stat_database WHERE datname = current_database()";
    library.connect().await.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn sigterm_ends_an_idle_environment_and_its_connections() {
    for concurrency in ["1", "4"] {
        let mut library = Library::open_with(&[("AWS_LAMBDA_MAX_CONCURRENCY", concurrency)]).await;
        let list = library
            .send(Entrance::RestApi, Request::new("GET /authors"))
            .await;
        assert_eq!(list.status, 200);
        assert_eq!(
            library.function.api().extensions(),
            ["rowstamp-shutdown"],
            "without one there is no signal"
        );
        library.function.terminate();
        let status = library.function.ended().await;
        assert!(status.success(), "{status}: {}", library.function.log());
        until("closing", async || library.connections().await.is_empty()).await;
        assert_eq!(abandoned(&library).await, 0, "the connections said farewell");
    }
}

#[tokio::test]
async fn sigterm_waits_for_what_is_under_way() {
    for concurrency in ["1", "4"] {
        let mut library = Library::open_with(&[("AWS_LAMBDA_MAX_CONCURRENCY", concurrency)]).await;
        let api = library.function.api();
        let (entrance, request) = loan(0);
        let lock = library.lock("loans").await;
        let invoked = api.invoke(request.event(entrance), LEFT);
        let ended = async {
            until("the invocation", async || api.under_way() == 1).await;
            library.function.terminate();
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(lock);
        };
        let (answer, ()) = tokio::join!(invoked, ended);
        let answer = Answer::of(entrance, &answer);
        assert_eq!(answer.status, 201, "{}", answer.body);
        let row = library.row("loans", answer.json()["uid"].as_str().unwrap()).await;
        assert_eq!(row["book"].as_deref(), Some("book 0"));
        let status = library.function.ended().await;
        assert!(status.success(), "{status}: {}", library.function.log());
        until("closing", async || library.connections().await.is_empty()).await;
        assert_eq!(abandoned(&library).await, 0, "the connections said farewell");
    }
}

#[tokio::test]
async fn sigterm_does_not_wait_for_ever() {
    let mut library = Library::open().await;
    let _lock = library.lock("loans").await;
    let (entrance, request) = loan(0);
    let api = library.function.api();
    let began = {
        let never = api.invoke(request.event(entrance), LEFT);
        let ended = async {
            until("the invocation", async || api.under_way() == 1).await;
            library.function.terminate();
            Instant::now()
        };
        tokio::select! {
            answer = never => panic!("it was answered: {answer:?}"),
            began = ended => began,
        }
    };
    let status = library.function.ended().await;
    assert!(status.success(), "{status}");
    // Lambda kills it after half a second; a busy machine gets some more.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(
        library
            .function
            .log()
            .contains("the end comes before the answers")
    );
}
