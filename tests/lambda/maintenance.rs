//! Invocations that look after the tables instead of answering a request.

use std::path::Path;

use rowstamp_tests::runtime_api::Answer as FunctionAnswer;
use serde_json::{Value, json};

use crate::event::{Entrance, Request};
use crate::library::Library;

const ALLOWED: (&str, &str) = ("ROWSTAMP_ALLOW_MIGRATE", "true");

async fn command(library: &mut Library, event: Value) -> Result<Value, (String, String)> {
    match library.function.invoke(event.to_string()).await {
        FunctionAnswer::Response(bytes) => Ok(serde_json::from_slice(&bytes).unwrap()),
        FunctionAnswer::Error(error) => Err((error.error_type, error.error_message)),
    }
}

/// A directory as Lambda unpacks it, with one migration beside the binary; it goes with the value.
struct Task(std::path::PathBuf);

impl Task {
    fn new(name: &str, migration: &str) -> Self {
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("migrate-{name}-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("migrations")).unwrap();
        std::fs::write(directory.join("migrations/V1__first.sql"), migration).unwrap();
        Self(directory)
    }

    fn root(&self) -> (&str, &str) {
        ("LAMBDA_TASK_ROOT", self.0.to_str().unwrap())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_function_that_may_migrate_runs_files_and_creates_what_is_missing() {
    let task = Task::new("up", "CREATE TABLE notes (body text)");
    let mut library = Library::open_without_tables(&[ALLOWED, task.root()]).await;
    let before = command(&mut library, json!({"rowstamp": "check"})).await.unwrap();
    assert_eq!(before["pending"], json!(["V1__first"]), "{before}");
    assert_eq!(
        before["missing"],
        json!(["table authors", "table loans", "index on loans.creator_uid"]),
        "{before}"
    );

    let done = command(&mut library, json!({"rowstamp": "migrate"}))
        .await
        .unwrap();
    assert_eq!(
        done,
        json!({
            "migrated": ["V1__first"],
            "created": ["table authors", "table loans", "index on loans.creator_uid"],
        })
    );
    library
        .connect()
        .await
        .query("SELECT body FROM notes", &[])
        .await
        .unwrap();
    let list = library
        .send(Entrance::RestApi, Request::new("GET /authors"))
        .await;
    assert_eq!((list.status, list.body.as_str()), (200, "[]"));

    let again = command(&mut library, json!({"rowstamp": "migrate"}))
        .await
        .unwrap();
    assert_eq!(again, json!({"migrated": [], "created": []}));
    let after = command(&mut library, json!({"rowstamp": "check"})).await.unwrap();
    assert_eq!(after, json!({"pending": [], "missing": [], "differing": []}));
}

#[tokio::test]
async fn a_function_changes_no_table_unless_it_may() {
    for vars in [&[][..], &[("ROWSTAMP_ALLOW_MIGRATE", "false")]] {
        let mut library = Library::open_without_tables(vars).await;
        for task in ["migrate", "check"] {
            let (kind, words) = command(&mut library, json!({"rowstamp": task}))
                .await
                .unwrap_err();
            assert_eq!(kind, "Rowstamp.NotAllowed");
            assert!(words.contains("ROWSTAMP_ALLOW_MIGRATE"), "{words}");
        }
        let list = library
            .send(Entrance::RestApi, Request::new("GET /authors"))
            .await;
        assert_eq!(list.status, 500, "there is still no table");
    }
}

#[tokio::test]
async fn a_command_that_is_unknown_or_fails_fails_the_invocation_with_its_reason() {
    let task = Task::new("wrong", "CREATE TABLE authors (uid uuid); SELECT nonsense");
    let mut library = Library::open_without_tables(&[ALLOWED, task.root()]).await;
    let (kind, words) = command(&mut library, json!({"rowstamp": "drop"}))
        .await
        .unwrap_err();
    assert_eq!(kind, "Rowstamp.UnknownCommand");
    assert!(words.contains("migrate"), "{words}");
    let (kind, words) = command(&mut library, json!({"rowstamp": "migrate"}))
        .await
        .unwrap_err();
    assert_eq!(kind, "Rowstamp.Schema");
    assert!(words.contains("nonsense"), "{words}");
    let after = command(&mut library, json!({"rowstamp": "check"})).await.unwrap();
    assert_eq!(after["missing"][0], "table authors", "the file was undone");
}

#[tokio::test]
async fn no_request_is_taken_for_a_command() {
    let mut library = Library::open_without_tables(&[ALLOWED]).await;
    for entrance in Entrance::ALL {
        let request = Request::new("POST /authors")
            .query("rowstamp", "migrate")
            .json(&json!({"rowstamp": "migrate"}));
        let answer = library.send(entrance, request).await;
        assert!((400..=500).contains(&answer.status), "{}", answer.body);
    }
    let before = command(&mut library, json!({"rowstamp": "check"})).await.unwrap();
    assert_eq!(before["missing"][0], "table authors");
}
