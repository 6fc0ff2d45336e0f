//! Clauses about creating a row under a given uid, or replacing the one that has it.

use rowstamp_domain::operation::{Outcome, Precondition, Rows, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_domain::value::Value;
use rowstamp_ports::{ConflictKind, StoreError};
use serde_json::json;

use super::bench::{Bench, at, json, uid};

pub async fn where_there_is_no_row_it_is_created(bench: Bench) {
    let outcome = bench
        .run(bench.replace("authors", uid(1), &json!({"name": "Ada"})))
        .await;
    assert_eq!(
        json(&outcome),
        r#"{"uid":"01900000-0000-7000-8000-000000000001","name":"Ada","born_on":null,"created_at":"2026-01-01T00:00:00+00:00","last_updated_at":"2026-01-01T00:00:00+00:00","creator_uid":"alice","last_updater_uid":"alice"}"#
    );
    let expected = Outcome {
        rows: outcome.rows.clone(),
        returned: 1,
        affected: 1,
        created: 1,
        version: Some(at(0)),
        uid: Some(uid(1)),
        ..Outcome::verdict(Verdict::Created)
    };
    assert_eq!(outcome, expected);
}

pub async fn where_there_is_a_row_it_is_replaced_and_keeps_who_made_it(bench: Bench) {
    bench
        .given(
            "authors",
            &[json!({"uid": uid(1), "name": "Ada", "born_on": "1815-12-10", "creator_uid": "carol"})],
        )
        .await;
    let outcome = bench
        .run(bench.replace("authors", uid(1), &json!({"name": "Bea", "born_on": null})))
        .await;
    assert_eq!(
        json(&outcome),
        r#"{"uid":"01900000-0000-7000-8000-000000000001","name":"Bea","born_on":null,"created_at":"2026-01-01T00:00:00+00:00","last_updated_at":"2026-01-01T00:00:01+00:00","creator_uid":"carol","last_updater_uid":"bob"}"#
    );
    assert_eq!((outcome.verdict, outcome.affected), (Verdict::Updated, 1));
    assert_eq!(
        (outcome.version, outcome.uid),
        (Some(at(1_000_000)), Some(uid(1)))
    );
}

pub async fn the_same_again_is_written_again(bench: Bench) {
    let replace = bench.replace("authors", uid(1), &json!({"name": "Ada", "born_on": null}));
    assert_eq!(bench.run(replace.clone()).await.verdict, Verdict::Created);
    for version in [at(1_000_000), at(1_000_001)] {
        let outcome = bench.run(replace.clone()).await;
        assert_eq!((outcome.verdict, outcome.affected), (Verdict::Updated, 1));
        assert_eq!(outcome.version, Some(version));
    }
}

pub async fn an_empty_set_is_written_all_the_same(bench: Bench) {
    let mut replace = bench.replace("authors", uid(1), &json!({"name": "Ada"}));
    assert_eq!(bench.run(replace.clone()).await.verdict, Verdict::Created);
    replace.update.set = Vec::new();
    for version in [at(1_000_000), at(1_000_001)] {
        let outcome = bench.run(replace.clone()).await;
        assert_eq!((outcome.verdict, outcome.affected), (Verdict::Updated, 1));
        assert_eq!(outcome.version, Some(version));
    }
    replace.update.permitted = Condition::Never;
    assert_eq!(
        bench.run(replace).await,
        Outcome::verdict(Verdict::NotWritable),
        "it is judged as any other"
    );

    let mut replace = bench.replace("settings", uid(1), &json!({"value": 1}));
    assert_eq!(bench.run(replace.clone()).await.verdict, Verdict::Created);
    replace.update.set = Vec::new();
    let outcome = bench.run(replace).await;
    assert_eq!((outcome.verdict, outcome.affected), (Verdict::Updated, 1));
}

pub async fn a_precondition_decides_before_a_row_is_created(bench: Bench) {
    let cases = [
        (Precondition::Exists, Verdict::PreconditionFailed),
        (Precondition::VersionIn(vec![at(0)]), Verdict::PreconditionFailed),
        (Precondition::VersionIn(vec![]), Verdict::PreconditionFailed),
        (Precondition::None, Verdict::Created),
        (Precondition::Absent, Verdict::Created),
    ];
    for (number, (precondition, expected)) in (1..).zip(cases) {
        let mut replace = bench.replace("authors", uid(number), &json!({"name": "Ada"}));
        replace.update.precondition = precondition.clone();
        if expected == Verdict::PreconditionFailed {
            // It comes before everything else that speaks against a new row.
            for permitted in [Condition::Always, Condition::Never] {
                let mut refused = replace.clone();
                refused.create.as_mut().expect("there is one").permitted = permitted;
                assert_eq!(
                    bench.run(refused).await,
                    Outcome::verdict(expected.clone()),
                    "{precondition:?}"
                );
            }
            replace.create = None;
        }
        assert_eq!(bench.run(replace).await.verdict, expected, "{precondition:?}");
    }
    assert_eq!(bench.run(bench.list("authors", &[])).await.returned, 2);
}

pub async fn without_leave_to_create_no_row_is_not_found(bench: Bench) {
    let mut replace = bench.replace("authors", uid(1), &json!({"name": "Ada"}));
    replace.create = None;
    for precondition in [Precondition::None, Precondition::Absent] {
        replace.update.precondition = precondition;
        assert_eq!(
            bench.run(replace.clone()).await,
            Outcome::verdict(Verdict::NotFound)
        );
    }
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    replace.update.precondition = Precondition::Exists;
    assert_eq!(bench.run(replace).await.verdict, Verdict::Updated);
}

pub async fn a_new_row_is_judged_by_the_rule_for_new_rows_alone(bench: Bench) {
    let mut replace = bench.replace("authors", uid(1), &json!({"name": "Ada"}));
    replace.update.permitted = Condition::Never;
    replace.create.as_mut().expect("there is one").permitted = bench.equals("authors", "name", &json!("Bea"));
    assert_eq!(
        bench.run(replace.clone()).await,
        Outcome::verdict(Verdict::NotWritable)
    );
    replace.create.as_mut().expect("there is one").permitted =
        bench.equals("authors", "creator_uid", &json!("alice"));
    assert_eq!(bench.run(replace.clone()).await.verdict, Verdict::Created);
    assert_eq!(
        bench.run(replace).await,
        Outcome::verdict(Verdict::NotWritable),
        "it is an update now"
    );
}

pub async fn a_new_row_that_may_not_be_seen_is_not_shown(bench: Bench) {
    let mut replace = bench.replace("authors", uid(1), &json!({"name": "Ada"}));
    replace.update.visible = bench.equals("authors", "name", &json!("Bea"));
    let outcome = bench.run(replace.clone()).await;
    assert_eq!((outcome.verdict, outcome.affected), (Verdict::Created, 1));
    assert_eq!((outcome.rows, outcome.returned), (Rows::None, 0));
    assert_eq!((outcome.version, outcome.uid), (Some(at(0)), Some(uid(1))));
    assert_eq!(bench.run(replace).await, Outcome::verdict(Verdict::NotVisible));
}

pub async fn a_row_that_is_there_is_judged_as_an_update_is(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    let before = bench.row("authors", uid(1)).await;
    let name = |name: &str| bench.equals("authors", "name", &json!(name));
    let mut replace = bench.replace("authors", uid(1), &json!({"name": "Bea", "born_on": null}));
    // Each step takes away the first reason of the one before.
    replace.update.visible = Condition::Never;
    replace.update.permitted = Condition::Never;
    replace.update.precondition = Precondition::Absent;
    replace.update.expect = bench.values("authors", &json!({"creator_uid": "bob"}));
    assert_eq!(
        bench.run(replace.clone()).await,
        Outcome::verdict(Verdict::NotVisible)
    );
    replace.update.visible = Condition::Always;
    assert_eq!(
        bench.run(replace.clone()).await,
        Outcome::verdict(Verdict::NotWritable)
    );
    replace.update.permitted = name("Ada");
    assert_eq!(
        bench.run(replace.clone()).await,
        Outcome::verdict(Verdict::PreconditionFailed)
    );
    replace.update.precondition = Precondition::VersionIn(vec![at(5)]);
    assert_eq!(
        bench.run(replace.clone()).await,
        Outcome::verdict(Verdict::PreconditionFailed)
    );
    replace.update.precondition = Precondition::VersionIn(vec![at(0)]);
    let creator = bench.field("authors", "creator_uid");
    assert_eq!(
        bench.run(replace.clone()).await,
        Outcome::verdict(Verdict::Mismatch(vec![creator]))
    );
    replace.update.expect = vec![(creator, Value::Text("alice".to_owned()))];
    assert_eq!(
        bench.run(replace.clone()).await,
        Outcome::verdict(Verdict::NotWritable)
    );
    assert_eq!(
        bench.row("authors", uid(1)).await,
        before,
        "a refusal writes nothing"
    );
    replace.update.permitted = Condition::Any(vec![name("Ada"), name("Bea")]);
    assert_eq!(bench.run(replace).await.verdict, Verdict::Updated);
}

pub async fn a_conflict_on_another_field_is_a_conflict_all_the_same(bench: Bench) {
    bench
        .given("books", &[json!({"uid": uid(1), "title": "A", "isbn": "1"})])
        .await;
    let replace = bench.replace("books", uid(2), &json!({"title": "B", "isbn": "1"}));
    for _ in 0..2 {
        match bench.try_run(replace.clone()).await {
            Err(StoreError::Conflict(conflict)) => {
                assert_eq!(conflict.kind, ConflictKind::Unique);
                assert_eq!(conflict.fields, [bench.field("books", "isbn")]);
            }
            other => panic!("expected a conflict, found {other:?}"),
        }
    }
    assert_eq!(bench.run(bench.list("books", &[])).await.returned, 1);
}

pub async fn a_table_without_stamps_is_replaced_too(bench: Bench) {
    let replace = |value: i32| bench.replace("settings", uid(1), &json!({"value": value}));
    assert_eq!(bench.run(replace(1)).await.verdict, Verdict::Created);
    let outcome = bench.run(replace(2)).await;
    assert_eq!(
        json(&outcome),
        r#"{"uid":"01900000-0000-7000-8000-000000000001","value":2}"#
    );
    assert_eq!((outcome.verdict, outcome.version), (Verdict::Updated, None));
}
