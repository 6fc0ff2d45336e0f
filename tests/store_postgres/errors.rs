//! What the database's refusals become.

use std::time::{Duration, Instant};

use rowstamp_domain::operation::{Operation, Outcome, Verdict};
use rowstamp_domain::value::Value;
use rowstamp_ports::{Conflict, ConflictKind, FaultKind, FieldFault, RecordStore, StoreContext, StoreError};
use rowstamp_postgres::{PostgresStore, Settings};
use uuid::Uuid;

use crate::fixture::{Fixture, LIBRARY, context, text};

#[tokio::test]
async fn constraints_are_told_by_the_fields_of_the_definition() {
    let library = Fixture::library().await;
    let isbn = |isbn: &str, uid| {
        Operation::Insert(library.insert(
            "books",
            &[
                ("title", text("t")),
                ("status", text("draft")),
                ("isbn", text(isbn)),
            ],
            uid,
        ))
    };
    let first = Uuid::now_v7();
    library.execute(isbn("978", first)).await.unwrap();
    let conflict = |kind, field: &str| {
        Err(StoreError::Conflict(Conflict {
            kind,
            fields: vec![library.field(field)],
            record: None,
        }))
    };
    assert_eq!(
        library.execute(isbn("978", Uuid::now_v7())).await,
        conflict(ConflictKind::Unique, "isbn")
    );
    assert_eq!(
        library.execute(isbn("979", first)).await,
        conflict(ConflictKind::Unique, "uid")
    );

    let orphan = library.update(first, &[("author_uid", Value::Uuid(Uuid::nil()))]);
    assert_eq!(
        library.execute(Operation::Update(orphan)).await,
        conflict(ConflictKind::MissingReference, "author_uid")
    );
    let fault = |field: &str, kind| {
        Err(StoreError::Invalid(vec![FieldFault {
            field: Some(library.field(field)),
            kind,
        }]))
    };
    let unknown = library.update(first, &[("status", text("lost"))]);
    assert_eq!(
        library.execute(Operation::Update(unknown)).await,
        fault("status", FaultKind::Check)
    );
    let missing = library.update(first, &[("title", Value::Null)]);
    assert_eq!(
        library.execute(Operation::Update(missing)).await,
        fault("title", FaultKind::Required)
    );
}

/// A trigger before each insert and update of books, which does this.
async fn trigger(library: &Fixture, body: &str) {
    let sql = format!(
        "CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;
         CREATE TRIGGER judge BEFORE INSERT OR UPDATE ON books FOR EACH ROW EXECUTE FUNCTION judge()"
    );
    library.sql().await.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn what_a_trigger_raises_is_a_refusal_that_names_no_field() {
    for (raise, expected) in [
        ("RAISE EXCEPTION 'secret'", FaultKind::Raised),
        (
            "RAISE EXCEPTION 'secret' USING COLUMN = 'title'",
            FaultKind::Raised,
        ),
        ("RAISE no_data_found", FaultKind::Raised),
        ("ASSERT false", FaultKind::Raised),
        ("RAISE check_violation", FaultKind::Check),
    ] {
        let library = Fixture::library().await;
        let uid = library.book("one").await;
        trigger(&library, &format!("{raise};")).await;
        let refused = Err(StoreError::Invalid(vec![FieldFault {
            field: None,
            kind: expected,
        }]));
        let update = Operation::Update(library.update(uid, &[("title", text("two"))]));
        assert_eq!(library.execute(update).await, refused, "{raise}");
        let replace = Operation::Replace(library.replace(Uuid::now_v7(), "two"));
        assert_eq!(library.execute(replace).await, refused, "{raise}");
    }
}

#[tokio::test]
async fn a_new_row_that_a_trigger_passes_over_is_not_writable() {
    let library = Fixture::library().await;
    trigger(&library, "RETURN NULL;").await;
    let uid = Uuid::now_v7();
    let insert = library.insert("books", &[("title", text("t")), ("status", text("draft"))], uid);
    for operation in [
        Operation::Insert(insert),
        Operation::Replace(library.replace(uid, "t")),
    ] {
        assert_eq!(
            library.execute(operation).await,
            Ok(Outcome::verdict(Verdict::NotWritable))
        );
    }
    let read = library.execute(Operation::Read(library.read(uid))).await.unwrap();
    assert_eq!(read.verdict, Verdict::NotFound);
}

#[tokio::test]
async fn a_row_that_is_still_referred_to_is_told() {
    let library = Fixture::library().await;
    let author = Uuid::now_v7();
    library
        .execute(Operation::Insert(library.insert(
            "authors",
            &[("name", text("a"))],
            author,
        )))
        .await
        .unwrap();
    let book = library.book("b").await;
    library
        .execute(Operation::Update(
            library.update(book, &[("author_uid", Value::Uuid(author))]),
        ))
        .await
        .unwrap();
    let mut delete = library.delete(author);
    delete.resource = library.resource("authors");
    delete.select = crate::fixture::all(&delete.resource);
    let error = library.execute(Operation::Delete(delete)).await.unwrap_err();
    assert_eq!(
        error,
        StoreError::Conflict(Conflict {
            kind: ConflictKind::StillReferenced,
            fields: vec![],
            record: None
        })
    );
}

#[tokio::test]
async fn the_record_of_a_bulk_insert_that_conflicts_is_told() {
    let library = Fixture::library().await;
    let mut insert = library.insert(
        "books",
        &[
            ("title", text("t")),
            ("status", text("draft")),
            ("isbn", text("1")),
        ],
        Uuid::now_v7(),
    );
    library.execute(Operation::Insert(insert.clone())).await.unwrap();
    insert.rows = ["5", "1", "10"]
        .map(|isbn| {
            let mut row = insert.rows[0].clone();
            row[0] = Value::Uuid(Uuid::now_v7());
            row[3] = text(isbn);
            row
        })
        .to_vec();
    let error = library.execute(Operation::Insert(insert)).await.unwrap_err();
    assert_eq!(
        error,
        StoreError::Conflict(Conflict {
            kind: ConflictKind::Unique,
            fields: vec![library.field("isbn")],
            record: Some(1)
        })
    );
}

#[tokio::test]
async fn a_database_that_is_not_what_the_definition_says_is_drift() {
    let library = Fixture::without_tables(LIBRARY);
    let read = Operation::Read(library.read(Uuid::now_v7()));
    assert_eq!(library.execute(read.clone()).await, Err(StoreError::Drift));
    library.store.create_missing(&library.api).await.unwrap();
    assert_eq!(
        library.execute(read.clone()).await.unwrap().verdict,
        Verdict::NotFound
    );
    let sql = library.sql().await;
    sql.batch_execute("ALTER TABLE books ALTER COLUMN pages TYPE text")
        .await
        .unwrap();
    let fresh = PostgresStore::with_password(&Settings::from_url(library.database.url()).unwrap());
    assert_eq!(fresh.execute(read, &context()).await, Err(StoreError::Drift));
}

#[tokio::test]
async fn a_statement_that_outlives_the_deadline_is_given_up_and_cancelled() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    let other = library.sql().await;
    other
        .batch_execute("BEGIN; LOCK TABLE books IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let soon = || StoreContext {
        deadline: Some(Instant::now() + Duration::from_millis(50)),
        ..context()
    };
    let read = library
        .store
        .execute(Operation::Read(library.read(uid)), &soon())
        .await;
    assert_eq!(read, Err(StoreError::DeadlineExceeded));
    let write = library
        .store
        .execute(Operation::Delete(library.delete(uid)), &soon())
        .await;
    // Unknown only where the server's word on the cancellation came too late.
    assert!(
        matches!(
            write,
            Err(StoreError::DeadlineExceeded | StoreError::OutcomeUnknown)
        ),
        "{write:?}"
    );
    other.batch_execute("ROLLBACK").await.unwrap();
    let read = library.execute(Operation::Read(library.read(uid))).await.unwrap();
    assert_eq!(read.verdict, Verdict::Found);
}

#[tokio::test]
async fn a_store_whose_connections_were_ended_makes_new_ones() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    let sql = library.sql().await;
    for _ in 0..3 {
        sql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rowstamp' \
             AND datname = current_database()",
            &[],
        )
        .await
        .unwrap();
        let read = library.execute(Operation::Read(library.read(uid))).await.unwrap();
        assert_eq!(read.verdict, Verdict::Found);
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable_at_once_for_everybody() {
    let settings = Settings::from_url("postgres://nobody@127.0.0.1:1/none").unwrap();
    let store = PostgresStore::with_password(&settings);
    let library = Fixture::without_tables(LIBRARY);
    let before = Instant::now();
    let context = context();
    let attempts = (0..20).map(|_| store.execute(Operation::Read(library.read(Uuid::nil())), &context));
    for result in futures_util::future::join_all(attempts).await {
        assert_eq!(result, Err(StoreError::Unavailable));
    }
    assert_eq!(store.ready(None).await, Err(StoreError::Unavailable));
    assert!(before.elapsed() < Duration::from_secs(4));
}
