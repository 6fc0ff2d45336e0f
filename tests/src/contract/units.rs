//! Clauses about units of work and deadlines.

use std::time::{Duration, Instant};

use rowstamp_domain::operation::{Operation, Verdict};
use rowstamp_ports::{StoreError, UnitOfWork};
use serde_json::json;

use super::bench::{Bench, Step, context, context_for, json, uid};

fn step(operation: impl Into<Step>) -> Operation {
    operation.into().0
}

/// Creates an author in the unit.
async fn create(bench: &Bench, unit: &mut Box<dyn UnitOfWork>, number: u128, name: &str) {
    let insert = bench.insert("authors", &[json!({"uid": uid(number), "name": name})]);
    let outcome = unit.execute(step(insert)).await.expect("an author is created");
    assert_eq!(outcome.verdict, Verdict::Created);
}

pub async fn what_a_unit_wrote_is_there_when_it_is_committed(bench: Bench) {
    let mut unit = bench.begin().await;
    create(&bench, &mut unit, 1, "Ada").await;
    create(&bench, &mut unit, 2, "Bea").await;
    unit.commit().await.expect("the unit commits");
    assert_eq!(
        bench.rows("authors", &["name"]).await,
        r#"[{"name":"Ada"},{"name":"Bea"}]"#
    );
}

pub async fn a_unit_sees_what_it_wrote_and_others_do_not(bench: Bench) {
    let mut unit = bench.begin().await;
    create(&bench, &mut unit, 1, "Ada").await;
    let update = bench.update("authors", uid(1), &json!({"name": "Bea"}));
    assert_eq!(
        unit.execute(step(update)).await.map(|outcome| outcome.verdict),
        Ok(Verdict::Updated)
    );
    let within = unit
        .execute(step(bench.list("authors", &["name"])))
        .await
        .expect("a page");
    assert_eq!(json(&within), r#"[{"name":"Bea"}]"#);
    assert_eq!(bench.rows("authors", &["name"]).await, "[]");
    unit.commit().await.expect("the unit commits");
    assert_eq!(bench.rows("authors", &["name"]).await, r#"[{"name":"Bea"}]"#);
}

pub async fn a_unit_that_is_rolled_back_did_nothing(bench: Bench) {
    bench
        .given(
            "authors",
            &[
                json!({"uid": uid(1), "name": "Ada"}),
                json!({"uid": uid(2), "name": "Bea"}),
            ],
        )
        .await;
    let before = bench.rows("authors", &["uid", "name", "last_updated_at"]).await;
    let mut unit = bench.begin().await;
    create(&bench, &mut unit, 3, "Cleo").await;
    unit.execute(step(bench.delete("authors", uid(1))))
        .await
        .expect("a row is deleted");
    unit.execute(step(bench.update("authors", uid(2), &json!({"name": "Dora"}))))
        .await
        .expect("a row is changed");
    unit.rollback().await.expect("the unit rolls back");
    assert_eq!(
        bench.rows("authors", &["uid", "name", "last_updated_at"]).await,
        before
    );
}

pub async fn a_unit_that_is_dropped_did_nothing_and_is_in_nobodys_way(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    for _ in 0..20 {
        let mut unit = bench.begin().await;
        create(&bench, &mut unit, 3, "Cleo").await;
        unit.execute(step(bench.update("authors", uid(1), &json!({"name": "Dora"}))))
            .await
            .expect("a row is changed");
        drop(unit);
    }
    assert_eq!(bench.rows("authors", &["name"]).await, r#"[{"name":"Ada"}]"#);
    let update = bench
        .run(bench.update("authors", uid(1), &json!({"name": "Bea"})))
        .await;
    assert_eq!(update.verdict, Verdict::Updated);
}

pub async fn a_unit_without_operations_ends_well(bench: Bench) {
    bench.begin().await.commit().await.expect("an empty unit commits");
    bench
        .begin()
        .await
        .rollback()
        .await
        .expect("an empty unit rolls back");
    drop(bench.begin().await);
}

pub async fn a_verdict_does_not_end_a_unit(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    let mut unit = bench.begin().await;
    create(&bench, &mut unit, 2, "Bea").await;
    let refused = unit.execute(step(bench.delete("authors", uid(9)))).await;
    assert_eq!(refused.map(|outcome| outcome.verdict), Ok(Verdict::NotFound));
    let mut forbidden = bench.insert("authors", &[json!({"uid": uid(3), "name": "Cleo"})]);
    forbidden.permitted = rowstamp_domain::query::Condition::Never;
    let refused = unit.execute(step(forbidden)).await;
    assert_eq!(refused.map(|outcome| outcome.verdict), Ok(Verdict::NotWritable));
    create(&bench, &mut unit, 4, "Dora").await;
    unit.commit().await.expect("the unit commits");
    assert_eq!(
        bench.rows("authors", &["name"]).await,
        r#"[{"name":"Ada"},{"name":"Bea"},{"name":"Dora"}]"#
    );
}

pub async fn an_error_leaves_nothing_but_the_way_back(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    for commits in [true, false] {
        let mut unit = bench.begin().await;
        create(&bench, &mut unit, 2, "Bea").await;
        let conflict = unit
            .execute(step(
                bench.insert("authors", &[json!({"uid": uid(1), "name": "Cleo"})]),
            ))
            .await;
        assert!(matches!(conflict, Err(StoreError::Conflict(_))), "{conflict:?}");
        let further = unit.execute(step(bench.list("authors", &["name"]))).await;
        assert!(further.is_err(), "{further:?}");
        if commits {
            unit.commit().await.expect_err("a failed unit does not commit");
        } else {
            unit.rollback().await.expect("a failed unit rolls back");
        }
        assert_eq!(bench.rows("authors", &["name"]).await, r#"[{"name":"Ada"}]"#);
    }
}

pub async fn references_within_a_unit_hold_when_each_operation_ends(bench: Bench) {
    let mut unit = bench.begin().await;
    create(&bench, &mut unit, 1, "Ada").await;
    let book = bench.insert(
        "books",
        &[json!({"uid": uid(2), "title": "A", "author_uid": uid(1)})],
    );
    assert_eq!(
        unit.execute(step(book)).await.map(|outcome| outcome.verdict),
        Ok(Verdict::Created)
    );
    let missing = bench.insert(
        "books",
        &[json!({"uid": uid(3), "title": "A", "author_uid": uid(9)})],
    );
    let missing = unit.execute(step(missing)).await;
    assert!(matches!(missing, Err(StoreError::Conflict(_))), "{missing:?}");
    unit.rollback().await.expect("a failed unit rolls back");
    assert_eq!(bench.rows("authors", &["name"]).await, "[]");
}

pub async fn a_deadline_that_has_passed_is_answered_so_and_nothing_is_written(bench: Bench) {
    let context = context_for(0);
    let insert = step(bench.insert("authors", &[json!({"uid": uid(1), "name": "Ada"})]));
    for operation in [insert, step(bench.list("authors", &[]))] {
        let late = bench.store.execute(operation.clone(), &context).await;
        assert_eq!(late, Err(StoreError::DeadlineExceeded));
        let late = match bench.store.begin(&context).await {
            Err(error) => Err(error),
            Ok(mut unit) => unit.execute(operation).await,
        };
        assert_eq!(late, Err(StoreError::DeadlineExceeded));
    }
    assert_eq!(bench.rows("authors", &["name"]).await, "[]");
}

pub async fn a_deadline_comes_also_while_another_writer_is_in_the_way(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    let update = |name: &str| step(bench.update("authors", uid(1), &json!({"name": name})));
    let mut unit = bench.begin().await;
    unit.execute(update("Bea")).await.expect("a row is changed");
    let began = Instant::now();
    let late = bench.store.execute(update("Cleo"), &context_for(200)).await;
    assert!(
        matches!(
            late,
            Err(StoreError::DeadlineExceeded | StoreError::OutcomeUnknown)
        ),
        "{late:?}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "the answer came after {:?}",
        began.elapsed()
    );
    unit.commit().await.expect("the unit commits");
    // The store goes on working, and what was given up does not come after all.
    let mut later = update("Dora");
    if let Operation::Update(update) = &mut later {
        update.expect = bench.values("authors", &json!({"name": "Bea"}));
    }
    let outcome = bench
        .store
        .execute(later, &context())
        .await
        .expect("the row can be changed");
    if late == Err(StoreError::DeadlineExceeded) {
        assert_eq!(outcome.verdict, Verdict::Updated);
        assert_eq!(bench.rows("authors", &["name"]).await, r#"[{"name":"Dora"}]"#);
    }
}

pub async fn a_store_with_its_tables_is_ready(bench: Bench) {
    assert_eq!(bench.store.ready(None).await, Ok(()));
}
