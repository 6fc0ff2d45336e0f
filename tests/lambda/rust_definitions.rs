//! The example that declares its resources in Rust: it runs as a function, and its hooks with it.

use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::binaries::example;
use rowstamp_tests::runtime_api_function::Function;
use serde_json::json;
use tokio_postgres::NoTls;

use crate::answer::Answer;
use crate::event::{Entrance, Request};

const TABLES: &str = "
    CREATE TABLE authors (
        uid uuid PRIMARY KEY, name text NOT NULL, born_on date, created_at timestamptz NOT NULL,
        last_updated_at timestamptz NOT NULL, creator_uid text, last_updater_uid text
    );
    CREATE TABLE books (
        uid uuid PRIMARY KEY, title text NOT NULL, isbn text UNIQUE, price numeric(10, 2) NOT NULL,
        author_uid uuid REFERENCES authors, created_at timestamptz NOT NULL, last_updated_at timestamptz NOT NULL,
        creator_uid text, last_updater_uid text
    );";

#[tokio::test]
async fn a_program_with_resources_and_hooks_of_its_own_is_a_function() {
    let database = TestDatabase::create();
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(TABLES).await.unwrap();
    let program = tokio::task::spawn_blocking(|| example("rowstamp-lambda", "library"))
        .await
        .unwrap();
    let mut function = Function::start(&program, &[("DATABASE_URL", database.url())]).await;
    let alice = json!({"claims": {"sub": "alice"}});
    let create = |book| {
        Request::new("POST /books")
            .authorizer(alice.clone())
            .json(&book)
            .event(Entrance::RestApi)
    };

    let book = create(json!({"title": "The Dispossessed", "isbn": "978-0-06-051275-1"}));
    let created = Answer::of(Entrance::RestApi, &function.invoke(book).await);
    assert_eq!(created.status, 201, "{}", created.body);
    let row = created.json();
    assert_eq!(
        row["isbn"], "9780060512751",
        "the hook has taken the dashes out before the pattern was checked"
    );
    assert_eq!(row["creator_uid"], "alice");
    assert!(created.body.contains("\"price\":0.00"), "{}", created.body);

    let refused = Answer::of(
        Entrance::RestApi,
        &function.invoke(create(json!({"title": "  "}))).await,
    );
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (422, &json!("untitled")),
        "{}",
        refused.body
    );
    let count: i64 = client
        .query_one("SELECT count(*) FROM books", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(count, 1, "what a hook refuses is not written");
}
