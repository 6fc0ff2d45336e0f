//! Hooks that panic, in a build whose panics are those of a release.

use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::binaries::released_example;
use rowstamp_tests::runtime_api_function::Function;
use serde_json::json;
use tokio_postgres::NoTls;

use crate::answer::Answer;
use crate::event::{Entrance, Request};

const TABLE: &str = "CREATE TABLE notes (
    uid uuid PRIMARY KEY, body text NOT NULL, created_at timestamptz NOT NULL,
    last_updated_at timestamptz NOT NULL, creator_uid text, last_updater_uid text)";

#[tokio::test]
async fn a_panic_in_a_release_build_is_answered_and_survived() {
    let database = TestDatabase::create();
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(TABLE).await.unwrap();
    let program = tokio::task::spawn_blocking(|| released_example("rowstamp-tests", "panicking_function"))
        .await
        .unwrap();
    for concurrency in ["1", "4"] {
        let vars = [
            ("DATABASE_URL", database.url()),
            ("AWS_LAMBDA_MAX_CONCURRENCY", concurrency),
        ];
        let mut function = Function::start(&program, &vars).await;
        let process = function.process_id();
        for (body, status) in [("before", 500), ("fine", 201), ("after", 500), ("fine", 201)] {
            let event = Request::new("POST /notes").json(&json!({"body": body}));
            let answer = function.invoke(event.event(Entrance::HttpApi)).await;
            let answer = Answer::of(Entrance::HttpApi, &answer);
            assert_eq!(answer.status, status, "{body}: {}", answer.body);
            if status == 500 {
                assert_eq!(answer.json()["code"], "RS_INTERNAL", "{}", answer.body);
                assert!(!answer.body.contains("secret-of-the-note"), "{}", answer.body);
            }
        }
        assert_eq!(function.process_id(), process, "it is the same process");
        let places = function.log().matches("panicking_function.rs").count();
        assert_eq!(places, 2, "the log says where: {}", function.log());
    }
    let sql = "SELECT count(*) FROM notes WHERE body <> 'fine'";
    let written: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(written, 0, "what panicked is undone");
    let open =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    let open: i64 = client.query_one(open, &[]).await.unwrap().get(0);
    assert_eq!(open, 0, "no transaction is left open");
}
