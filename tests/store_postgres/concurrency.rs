//! Writers in each other's way. Where another session holds the row, the store's statement is seen waiting before that one commits.

use std::sync::Arc;
use std::time::Duration;

use rowstamp_domain::operation::{Operation, Outcome, Precondition, Verdict};
use rowstamp_ports::StoreError;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::fixture::{Fixture, at, json, text};

/// Starts `operation` while `other` has done `sql` in an open transaction, waits until it is stuck, then commits.
async fn behind(library: &Arc<Fixture>, sql: &str, operation: Operation) -> Result<Outcome, StoreError> {
    let other = library.sql().await;
    other.batch_execute(&format!("BEGIN; {sql}")).await.unwrap();
    let task: JoinHandle<_> = tokio::spawn({
        let library = Arc::clone(library);
        async move { library.execute(operation).await }
    });
    until_somebody_waits(&library.sql().await).await;
    other.batch_execute("COMMIT").await.unwrap();
    task.await.unwrap()
}

async fn until_somebody_waits(client: &Client) {
    const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                           AND datname = current_database()";
    for _ in 0..1_000 {
        let waiting: i64 = client.query_one(WAITING, &[]).await.unwrap().get(0);
        if waiting > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_judged_by_what_another_writer_left() {
    let library = Arc::new(Fixture::library().await);
    let uid = library.book("one").await;
    let hers = |change: &str| format!("UPDATE books SET {change} WHERE uid = '{uid}'");

    let mut stale = library.update(uid, &[("title", text("mine"))]);
    stale.precondition = Precondition::VersionIn(vec![at(0)]);
    let outcome = behind(
        &library,
        &hers("last_updated_at = '2001-01-01Z'"),
        Operation::Update(stale),
    )
    .await
    .unwrap();
    assert_eq!(outcome.verdict, Verdict::PreconditionFailed);

    let mut hidden = library.update(uid, &[("title", text("mine"))]);
    hidden.visible = library.eq("title", text("one"));
    let outcome = behind(&library, &hers("title = 'hers'"), Operation::Update(hidden))
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::NotVisible);

    let mut forbidden = library.update(uid, &[("pages", rowstamp_domain::value::Value::Integer(1))]);
    forbidden.permitted = library.eq("title", text("hers"));
    let outcome = behind(&library, &hers("title = 'other'"), Operation::Update(forbidden))
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::NotWritable);

    let mut differing = library.update(uid, &[("title", text("mine"))]);
    differing.expect = vec![(library.field("status"), text("draft"))];
    let outcome = behind(
        &library,
        &hers("status = 'published'"),
        Operation::Update(differing),
    )
    .await
    .unwrap();
    assert_eq!(outcome.verdict, Verdict::Mismatch(vec![library.field("status")]));

    // And the other way about: what the snapshot would have refused is allowed by what was committed since.
    let mut allowed = library.update(uid, &[("title", text("mine"))]);
    allowed.visible = library.eq("isbn", text("978"));
    allowed.permitted = library.eq("isbn", text("978"));
    allowed.expect = vec![(library.field("isbn"), text("978"))];
    let outcome = behind(
        &library,
        &hers("isbn = '978', pages = 42"),
        Operation::Update(allowed),
    )
    .await
    .unwrap();
    assert_eq!(outcome.verdict, Verdict::Updated);
    // Nothing of the other writer's is lost.
    assert!(
        json(&outcome).contains(r#""title":"mine","isbn":"978","pages":42"#),
        "{}",
        json(&outcome)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unjudged_update_is_stamped_later_than_another_writers() {
    let library = Arc::new(Fixture::library().await);
    let uid = library.book("one").await;
    let sql = format!("UPDATE books SET pages = 42, last_updated_at = '2001-01-01Z' WHERE uid = '{uid}'");
    let outcome = behind(
        &library,
        &sql,
        Operation::Update(library.update(uid, &[("title", text("mine"))])),
    )
    .await
    .unwrap();
    assert!(
        json(&outcome).contains(r#""last_updated_at":"2001-01-01T00:00:00.000001+00:00""#),
        "{}",
        json(&outcome)
    );
    assert!(json(&outcome).contains(r#""pages":42"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_deleted_meanwhile_is_not_found() {
    let library = Arc::new(Fixture::library().await);
    for judged in [false, true] {
        let uid = library.book("one").await;
        let sql = format!("DELETE FROM books WHERE uid = '{uid}'");
        let mut update = library.update(uid, &[("title", text("mine"))]);
        let mut delete = library.delete(uid);
        if judged {
            update.visible = library.eq("title", text("one"));
            delete.visible = library.eq("title", text("one"));
        }
        let outcome = behind(&library, &sql, Operation::Update(update)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::NotFound);
        let uid = library.book("one").await;
        delete.uid = uid;
        let sql = format!("DELETE FROM books WHERE uid = '{uid}'");
        let outcome = behind(&library, &sql, Operation::Delete(delete)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_is_judged_by_what_another_writer_left() {
    let library = Arc::new(Fixture::library().await);
    let uid = library.book("one").await;
    let mut delete = library.delete(uid);
    delete.precondition = Precondition::VersionIn(vec![at(0)]);
    let sql = format!("UPDATE books SET last_updated_at = '2001-01-01Z' WHERE uid = '{uid}'");
    let outcome = behind(&library, &sql, Operation::Delete(delete)).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::PreconditionFailed);
    let found = library.execute(Operation::Read(library.read(uid))).await.unwrap();
    assert_eq!(found.verdict, Verdict::Found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_lost_the_race_becomes_a_replacement() {
    let library = Arc::new(Fixture::library().await);
    let uid = Uuid::now_v7();
    let sql = format!(
        "INSERT INTO books (uid, title, status, pages, created_at, last_updated_at) \
         VALUES ('{uid}', 'hers', 'draft', 42, '2001-01-01Z', '2001-01-01Z')"
    );
    let outcome = behind(&library, &sql, Operation::Replace(library.replace(uid, "mine")))
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Updated);
    assert!(json(&outcome).contains(r#""title":"mine""#));
    assert!(json(&outcome).contains(r#""pages":42"#));

    // With If-None-Match the loser is told instead.
    let uid = Uuid::now_v7();
    let sql = format!(
        "INSERT INTO books (uid, title, status, created_at, last_updated_at) \
         VALUES ('{uid}', 'hers', 'draft', '2001-01-01Z', '2001-01-01Z')"
    );
    let mut replace = library.replace(uid, "mine");
    replace.update.precondition = Precondition::Absent;
    let outcome = behind(&library, &sql, Operation::Replace(replace)).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::PreconditionFailed);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_updates_that_demand_the_same_version_one_succeeds() {
    let library = Arc::new(Fixture::library().await);
    let uid = library.book("one").await;
    let mut version = at(0);
    for round in 0..5 {
        let tasks: Vec<_> = (0..16)
            .map(|writer| {
                let mut update = library.update(uid, &[("title", text(&format!("{round}.{writer}")))]);
                update.precondition = Precondition::VersionIn(vec![version]);
                let library = Arc::clone(&library);
                tokio::spawn(async move { library.execute(Operation::Update(update)).await.unwrap() })
            })
            .collect();
        let mut winners = Vec::new();
        for task in tasks {
            let outcome = task.await.unwrap();
            match outcome.verdict {
                Verdict::Updated => winners.push(outcome.version.unwrap()),
                Verdict::PreconditionFailed => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(winners.len(), 1);
        assert!(winners[0] > version);
        version = winners[0];
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_replacements_of_a_new_uid_create_it_once() {
    let library = Arc::new(Fixture::library().await);
    for _ in 0..10 {
        let uid = Uuid::now_v7();
        let tasks: Vec<_> = (0..16)
            .map(|writer| {
                let replace = library.replace(uid, &writer.to_string());
                let library = Arc::clone(&library);
                tokio::spawn(async move { library.execute(Operation::Replace(replace)).await.unwrap() })
            })
            .collect();
        let mut created = 0;
        let mut versions = Vec::new();
        for task in tasks {
            let outcome = task.await.unwrap();
            created += usize::from(outcome.verdict == Verdict::Created);
            versions.push(outcome.version.unwrap());
        }
        assert_eq!(created, 1);
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), 16, "a version was given twice");
    }
}
