//! Creating what is missing, and migrations.

use std::sync::Arc;

use rowstamp_domain::operation::Operation;
use rowstamp_domain::value::Value;
use rowstamp_postgres::{PostgresStore, SchemaError, Settings};
use uuid::Uuid;

use crate::fixture::{Fixture, LIBRARY, text};

const CIRCLES: &str = r#"
[api]
title = "Circles"
version = "1.0.0"

[resources.teams]
table = "people.teams"
[resources.teams.fields]
lead_uid = { type = "uuid", references = "members", on_delete = "set_null" }
size     = { type = "integer", required = true, default = 1 }

[resources.members]
table = "people.members"
unique = [["team_uid", "nick"]]
[resources.members.fields]
team_uid   = { type = "uuid", references = "teams", on_delete = "cascade" }
mentor_uid = { type = "uuid", references = "members" }
nick       = { type = "text", required = true }
share      = { type = "decimal", precision = 5, scale = 2 }
rank       = { type = "enum", values = ["it's", "back\\slash"], required = true, default = "it's" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_may_start_at_once() {
    let fixture = Fixture::without_tables(CIRCLES);
    let url = Arc::new(fixture.database.url().to_owned());
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (api, url) = (Arc::clone(&fixture.api), Arc::clone(&url));
            tokio::spawn(async move {
                let store = PostgresStore::with_password(&Settings::from_url(&url).unwrap());
                store.create_missing(&api).await.unwrap()
            })
        })
        .collect();
    let mut created = 0;
    for task in tasks {
        created += usize::from(!task.await.unwrap().is_empty());
    }
    assert_eq!(created, 1);
    assert_eq!(
        fixture.store.missing(&fixture.api).await.unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn what_is_missing_is_named_and_created_without_touching_the_rest() {
    let library = Fixture::library().await;
    let uid = library.book("kept").await;
    let sql = library.sql().await;
    sql.batch_execute(
        "ALTER TABLE books DROP COLUMN pages, DROP COLUMN status, DROP CONSTRAINT books_isbn_key, \
         DROP CONSTRAINT books_author_uid_fkey, ADD COLUMN shelf text; \
         DROP INDEX books_author_uid_idx; DROP TABLE authors",
    )
    .await
    .unwrap();
    let missing = library.store.missing(&library.api).await.unwrap();
    assert_eq!(
        missing,
        [
            "table authors",
            "column books.pages (integer)",
            "column books.status (text)",
            "unique constraint on books (isbn)",
            "check on books.status",
            "foreign key from books.author_uid to authors",
            "index on books.author_uid",
        ]
    );
    let script = library.store.missing_sql(&library.api).await.unwrap();
    assert_eq!(script.matches(";\n").count(), missing.len());
    assert_eq!(library.store.create_missing(&library.api).await.unwrap(), missing);
    assert_eq!(
        library.store.create_missing(&library.api).await.unwrap(),
        Vec::<String>::new()
    );
    let row = sql
        .query_one("SELECT title, status, shelf FROM books", &[])
        .await
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), ("kept", "draft"));
    let default: Option<String> = sql
        .query_one(
            "SELECT column_default FROM information_schema.columns WHERE table_name = 'books' AND column_name = 'status'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(default, None);
    // A store that knew the table before goes on.
    library
        .execute(Operation::Update(
            library.update(uid, &[("pages", Value::Integer(1))]),
        ))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_refusal_says_what_could_not_be_created_and_creates_nothing() {
    let library = Fixture::without_tables(LIBRARY);
    library.sql().await.batch_execute("CREATE TABLE books (uid uuid, isbn text); INSERT INTO books VALUES (gen_random_uuid(), '1'), (gen_random_uuid(), '1')").await.unwrap();
    let error = library.store.create_missing(&library.api).await.unwrap_err();
    let SchemaError::Refused(message) = error else {
        panic!("{error:?}")
    };
    assert!(message.contains("books"), "{message}");
    assert!(
        library
            .store
            .missing(&library.api)
            .await
            .unwrap()
            .contains(&"table authors".to_owned())
    );
}

#[tokio::test]
async fn migration_files_run_once_and_in_order_also_when_many_start() {
    let library = Fixture::without_tables(LIBRARY);
    let directory = std::env::temp_dir().join(format!("rowstamp-migrations-{}", Uuid::now_v7()));
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(
        directory.join("V1__create_shelves.sql"),
        "CREATE TABLE shelves (n int)",
    )
    .unwrap();
    std::fs::write(
        directory.join("V2__fill_shelves.sql"),
        "INSERT INTO shelves VALUES (1)",
    )
    .unwrap();
    assert_eq!(
        library.store.pending_migrations(&directory).await.unwrap().len(),
        2
    );
    let runs = futures_util::future::join_all((0..8).map(|_| library.store.migrate(&directory))).await;
    let applied: Vec<String> = runs.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(applied.len(), 2, "{applied:?}");
    assert_eq!(
        library.store.pending_migrations(&directory).await.unwrap(),
        Vec::<String>::new()
    );
    let rows: i64 = library
        .sql()
        .await
        .query_one("SELECT count(*) FROM shelves", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(rows, 1);
    std::fs::write(directory.join("V3__broken.sql"), "CREATE TABEL x").unwrap();
    assert!(matches!(
        library.store.migrate(&directory).await,
        Err(SchemaError::Migrations(_))
    ));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn an_enum_value_with_a_quote_is_kept() {
    let fixture = Fixture::of(CIRCLES).await;
    for rank in ["it's", "back\\slash"] {
        let insert = fixture.insert(
            "members",
            &[("nick", text("n")), ("rank", text(rank))],
            Uuid::now_v7(),
        );
        fixture.execute(Operation::Insert(insert)).await.unwrap();
    }
}

#[tokio::test]
async fn a_column_of_another_type_is_taken_as_it_is_now_without_a_restart() {
    let library = Fixture::library().await;
    let uid = library.book("before").await;
    let sql = library.sql().await;
    // The same statements before and after, so that they are prepared for the column as it was.
    for ty in ["text", "varchar(50)", "text"] {
        sql.batch_execute(&format!("ALTER TABLE books ALTER COLUMN title TYPE {ty}"))
            .await
            .unwrap();
        for operation in [
            Operation::Read(library.read(uid)),
            Operation::List(library.list("books")),
            Operation::Update(library.update(uid, &[("title", text("after"))])),
            Operation::Replace(library.replace(uid, "after")),
        ] {
            let outcome = library.execute(operation.clone()).await;
            assert!(outcome.is_ok(), "{ty}: {outcome:?}\n{operation:?}");
        }
    }
}
