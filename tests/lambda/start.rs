//! How the function starts, and what it says when it cannot.

use std::path::Path;
use std::time::Duration;

use rowstamp_tests::binaries::binary;
use rowstamp_tests::runtime_api_function::Function;

use crate::event::{Entrance, Request};
use crate::library::{Library, start};

async fn bootstrap(vars: &[(&str, &str)]) -> Function {
    let bootstrap = tokio::task::spawn_blocking(|| binary("rowstamp-lambda", "bootstrap"))
        .await
        .unwrap();
    Function::start(&bootstrap, vars).await
}

/// The one line that a function writes which cannot start.
async fn only_line(mut function: Function) -> String {
    let status = function.ended().await;
    assert!(!status.success(), "{status}");
    let log = function.log();
    assert_eq!(log.lines().count(), 1, "{log}");
    log
}

#[tokio::test]
async fn every_problem_with_the_settings_is_told_in_one_line() {
    let function = start(&[
        ("DATABASE_URL", "mysql://app:hunter2@db/library"),
        ("ROWSTAMP_MAX_BODY_BYTES", "much"),
        ("ROWSTAMP_COGNITO_CLIENT_IDS", "client"),
    ])
    .await;
    let line = only_line(function).await;
    for part in [
        "rowstamp cannot start",
        "DATABASE_URL",
        "ROWSTAMP_MAX_BODY_BYTES",
        "ROWSTAMP_COGNITO_USER_POOL_IDS",
    ] {
        assert!(line.contains(part), "{part} is missing in: {line}");
    }
    assert!(!line.contains("hunter2"), "{line}");
}

#[tokio::test]
async fn a_definition_file_that_is_not_there_is_named() {
    let line = only_line(bootstrap(&[("ROWSTAMP_RESOURCES", "/nowhere/resources.toml")]).await).await;
    assert!(line.contains("/nowhere/resources.toml"), "{line}");
}

#[tokio::test]
async fn every_mistake_in_a_definition_is_told_with_its_line() {
    let wrong = Path::new(env!("CARGO_MANIFEST_DIR")).join("lambda/wrong.toml");
    let line = only_line(bootstrap(&[("ROWSTAMP_RESOURCES", wrong.to_str().unwrap())]).await).await;
    let places: Vec<_> = (4..=8)
        .filter(|number| line.contains(&format!("wrong.toml:{number}:")))
        .collect();
    assert_eq!(places, [4, 5, 6, 7, 8], "{line}");
}

#[tokio::test]
async fn the_connection_is_made_during_initialisation_and_reused() {
    let mut library = Library::open().await;
    library.function.initialised(Duration::from_secs(20)).await;
    let before = library.connections().await;
    assert_eq!(before.len(), 1, "one connection, before the first event");
    for entrance in Entrance::ALL {
        assert_eq!(
            library.send(entrance, Request::new("GET /authors")).await.status,
            200
        );
    }
    assert_eq!(library.connections().await, before);
}

#[tokio::test]
async fn several_events_at_once_are_answered_where_lambda_runs_them_at_once() {
    let library = Library::open_with(&[("AWS_LAMBDA_MAX_CONCURRENCY", "4")]).await;
    let event = Request::new("GET /authors").event(Entrance::HttpApi);
    let left = Duration::from_secs(20);
    let api = library.function.api();
    let invoke = || api.invoke(event.clone(), left);
    let answers = tokio::join!(invoke(), invoke(), invoke(), invoke(), invoke(), invoke());
    for answer in [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5] {
        assert_eq!(crate::answer::Answer::of(Entrance::HttpApi, &answer).status, 200);
    }
}

#[tokio::test]
async fn the_definition_lies_beside_the_binary_unless_another_is_named() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("task-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("resources.toml"), include_str!("library.toml")).unwrap();
    let mut function = bootstrap(&[
        ("LAMBDA_TASK_ROOT", directory.to_str().unwrap()),
        ("DATABASE_URL", "postgres://app@127.0.0.1:1/library"),
    ])
    .await;
    let document = function
        .invoke(Request::new("GET /openapi.json").event(Entrance::RestApi))
        .await;
    let document = crate::answer::Answer::of(Entrance::RestApi, &document);
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(document.status, 200);
    assert_eq!(document.json()["info"]["title"], "Library");
    assert_eq!(document.json()["servers"][0]["url"], "/prod");
}
