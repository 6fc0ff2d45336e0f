//! Events that are no requests, a database that is away, and time that runs out.

use std::time::Duration;

use rowstamp_tests::runtime_api::Answer as FunctionAnswer;
use serde_json::json;

use crate::answer::Answer;
use crate::event::{Entrance, Request};
use crate::library::{Library, start};

#[tokio::test]
async fn an_event_that_is_no_request_fails_the_invocation_and_says_what_it_was() {
    let mut library = Library::open().await;
    for (event, named) in [
        (
            json!({"Records": [{"eventSource": "aws:sqs", "body": "secret"}]}),
            "aws:sqs",
        ),
        (json!({}), "an empty object"),
        (json!([]), "an array"),
        (json!(null), "null"),
        (json!({"key1": "value1"}), "key1"),
        (json!({"detail-type": "Scheduled Event"}), "EventBridge"),
        (json!({"type": "TOKEN", "methodArn": "arn"}), "Lambda authorizer"),
    ] {
        let answer = library.function.invoke(event.to_string()).await;
        let FunctionAnswer::Error(error) = answer else {
            panic!("{event} was answered: {answer:?}");
        };
        assert_eq!(error.error_type, "Rowstamp.UnknownEvent");
        assert!(error.error_message.contains(named), "{}", error.error_message);
        assert!(!error.error_message.contains("secret"), "{}", error.error_message);
    }
    let health = library.send(Entrance::RestApi, Request::new("GET /health")).await;
    assert_eq!(health.status, 200, "the function goes on");
}

#[tokio::test]
async fn a_dead_database_is_503_with_retry_after_and_nothing_internal() {
    // Nothing listens there; the port is one that needs privileges and that nothing uses.
    let mut function = start(&[("DATABASE_URL", "postgres://app:hunter2@127.0.0.1:1/library")]).await;
    for entrance in Entrance::ALL {
        for request in [
            Request::new("GET /authors"),
            Request::new("POST /authors").json(&json!({"name": "n"})),
            Request::new("GET /health").query("ready", ""),
        ] {
            let answer = Answer::of(entrance, &function.invoke(request.event(entrance)).await);
            assert_eq!(answer.status, 503, "{entrance:?}: {}", answer.body);
            assert!(answer.header("retry-after").parse::<u32>().is_ok());
            for internal in ["hunter2", "127.0.0.1", "tokio", "postgres", "Connection refused"] {
                assert!(!answer.body.contains(internal), "{}", answer.body);
            }
        }
        let health = function.invoke(Request::new("GET /health").event(entrance)).await;
        assert_eq!(
            Answer::of(entrance, &health).status,
            200,
            "alive, though not ready"
        );
    }
    assert!(!function.log().contains("hunter2"), "{}", function.log());
}

#[tokio::test]
async fn a_connection_that_broke_is_made_anew() {
    let mut library = Library::open().await;
    let create = Request::new("POST /authors").json(&json!({"name": "n"}));
    assert_eq!(library.send(Entrance::HttpApi, create.clone()).await.status, 201);
    library.end_connections().await;
    let read = library
        .send(Entrance::HttpApi, Request::new("GET /authors"))
        .await;
    assert_eq!(
        (read.status, read.json().as_array().unwrap().len()),
        (200, 1),
        "{}",
        read.body
    );
    assert_eq!(library.send(Entrance::HttpApi, create).await.status, 201);
}

#[tokio::test]
async fn an_answer_comes_before_lambda_ends_the_process() {
    let mut library = Library::open().await;
    let lock = library.lock("authors").await;
    let create = Request::new("GET /authors").event(Entrance::HttpApi);
    let left = Duration::from_secs(2);
    let began = std::time::Instant::now();
    let answer = Answer::of(
        Entrance::HttpApi,
        &library.function.invoke_within(create, left).await,
    );
    assert!(began.elapsed() < left, "{:?}", began.elapsed());
    assert_eq!(answer.status, 504, "{}", answer.body);
    drop(lock);
    let health = library
        .send(Entrance::HttpApi, Request::new("GET /authors"))
        .await;
    assert_eq!(health.status, 200, "{}", health.body);
}

#[tokio::test]
async fn the_request_id_of_the_event_is_in_the_answer() {
    let mut library = Library::open().await;
    for (entrance, id) in [
        (Entrance::RestApi, "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"),
        (Entrance::HttpApi, "JKJaXmPLvHcESHA="),
        (Entrance::LoadBalancer, "1-5c536348-3d683b8b04734faae651f476"),
    ] {
        for line in ["GET /authors", "GET /nothing"] {
            let answer = library.send(entrance, Request::new(line)).await;
            assert_eq!(answer.header("x-request-id"), id, "{entrance:?} {line}");
        }
    }
}
