//! Units of work.

use rowstamp_domain::operation::{Operation, Verdict};
use rowstamp_domain::value::Value;
use rowstamp_ports::{RecordStore, StoreError};
use rowstamp_postgres::{PostgresStore, Settings};
use uuid::Uuid;

use crate::fixture::{Fixture, context, text};

#[tokio::test]
async fn a_unit_is_seen_by_nobody_until_it_is_committed() {
    let library = Fixture::library().await;
    let uid = Uuid::now_v7();
    let insert = || {
        Operation::Insert(library.insert("books", &[("title", text("t")), ("status", text("draft"))], uid))
    };
    let read = || Operation::Read(library.read(uid));

    let mut unit = library.store.begin(&context()).await.unwrap();
    assert_eq!(unit.execute(insert()).await.unwrap().verdict, Verdict::Created);
    assert_eq!(unit.execute(read()).await.unwrap().verdict, Verdict::Found);
    assert_eq!(library.execute(read()).await.unwrap().verdict, Verdict::NotFound);
    unit.rollback().await.unwrap();
    assert_eq!(library.execute(read()).await.unwrap().verdict, Verdict::NotFound);

    let mut unit = library.store.begin(&context()).await.unwrap();
    unit.execute(insert()).await.unwrap();
    drop(unit);
    assert_eq!(library.execute(read()).await.unwrap().verdict, Verdict::NotFound);

    let mut unit = library.store.begin(&context()).await.unwrap();
    unit.execute(insert()).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(library.execute(read()).await.unwrap().verdict, Verdict::Found);
}

#[tokio::test]
async fn after_an_error_a_unit_commits_nothing() {
    let library = Fixture::library().await;
    let first = library.book("first").await;
    let uid = Uuid::now_v7();
    let insert = |uid| {
        Operation::Insert(library.insert("books", &[("title", text("t")), ("status", text("draft"))], uid))
    };
    let mut unit = library.store.begin(&context()).await.unwrap();
    unit.execute(insert(uid)).await.unwrap();
    assert!(matches!(
        unit.execute(insert(first)).await,
        Err(StoreError::Conflict(_))
    ));
    assert!(unit.execute(insert(Uuid::now_v7())).await.is_err());
    assert!(unit.commit().await.is_err());
    let read = library.execute(Operation::Read(library.read(uid))).await.unwrap();
    assert_eq!(read.verdict, Verdict::NotFound);
}

#[tokio::test]
async fn a_verdict_does_not_spoil_a_unit() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    let mut unit = library.store.begin(&context()).await.unwrap();
    let missing = Operation::Delete(library.delete(Uuid::now_v7()));
    assert_eq!(unit.execute(missing).await.unwrap().verdict, Verdict::NotFound);
    unit.execute(Operation::Update(
        library.update(uid, &[("pages", Value::Integer(3))]),
    ))
    .await
    .unwrap();
    // A replacement that creates does not fail on a row that is there already.
    assert_eq!(
        unit.execute(Operation::Replace(library.replace(uid, "two")))
            .await
            .unwrap()
            .verdict,
        Verdict::Updated
    );
    unit.commit().await.unwrap();
    let read = library.execute(Operation::Read(library.read(uid))).await.unwrap();
    assert!(crate::fixture::json(&read).contains(r#""title":"two""#));
    assert!(crate::fixture::json(&read).contains(r#""pages":3"#));
}

#[tokio::test]
async fn one_connection_serves_single_statements_and_units() {
    let library = Fixture::library().await;
    let settings = Settings::from_url(library.database.url())
        .unwrap()
        .with_pool_size(1);
    let store = PostgresStore::with_password(&settings);
    let uid = library.book("one").await;
    for _ in 0..3 {
        store
            .execute(Operation::Read(library.read(uid)), &context())
            .await
            .unwrap();
        let mut unit = store.begin(&context()).await.unwrap();
        unit.execute(Operation::Update(library.update(uid, &[("title", text("two"))])))
            .await
            .unwrap();
        unit.commit().await.unwrap();
    }
    let backends: i64 = library
        .sql()
        .await
        .query_one(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rowstamp' AND datname = current_database()",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    // The library's own store has one as well.
    assert_eq!(backends, 2);
}
