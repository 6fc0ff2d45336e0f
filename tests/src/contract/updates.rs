//! Clauses about changing one row.

use rowstamp_domain::operation::{Outcome, Precondition, Representation, Rows, Update, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_domain::value::Value;
use rowstamp_ports::{ConflictKind, StoreError};
use serde_json::json;

use super::bench::{Bench, at, json, records, uid};

async fn ada(bench: &Bench) {
    bench
        .given(
            "authors",
            &[json!({"uid": uid(1), "name": "Ada", "born_on": "1815-12-10"})],
        )
        .await;
}

pub async fn a_row_is_changed_where_it_says_and_stamped(bench: Bench) {
    ada(&bench).await;
    let outcome = bench
        .run(bench.update("authors", uid(1), &json!({"name": "Bea"})))
        .await;
    assert_eq!(
        json(&outcome),
        r#"{"uid":"01900000-0000-7000-8000-000000000001","name":"Bea","born_on":"1815-12-10","created_at":"2026-01-01T00:00:00+00:00","last_updated_at":"2026-01-01T00:00:01+00:00","creator_uid":"alice","last_updater_uid":"bob"}"#
    );
    let expected = Outcome {
        rows: outcome.rows.clone(),
        returned: 1,
        affected: 1,
        created: 0,
        version: Some(at(1_000_000)),
        uid: Some(uid(1)),
        ..Outcome::verdict(Verdict::Updated)
    };
    assert_eq!(outcome, expected);
    assert_eq!(
        bench.row("authors", uid(1)).await.as_deref(),
        Some(json(&outcome))
    );
}

pub async fn a_field_can_be_cleared(bench: Bench) {
    ada(&bench).await;
    bench
        .run(bench.update("authors", uid(1), &json!({"born_on": null})))
        .await;
    assert_eq!(
        bench.rows("authors", &["name", "born_on"]).await,
        r#"[{"name":"Ada","born_on":null}]"#
    );
}

pub async fn only_the_row_meant_is_changed(bench: Bench) {
    let row = |number: u128| json!({"uid": uid(number), "name": "Ada"});
    bench.given("authors", &[row(1), row(2), row(3)]).await;
    bench
        .run(bench.update("authors", uid(2), &json!({"name": "Bea"})))
        .await;
    assert_eq!(
        bench.rows("authors", &["name"]).await,
        r#"[{"name":"Ada"},{"name":"Bea"},{"name":"Ada"}]"#
    );
}

pub async fn an_anonymous_caller_is_stamped_as_null(bench: Bench) {
    ada(&bench).await;
    let mut update = bench.update("authors", uid(1), &json!({"name": "Bea"}));
    update.stamp.actor = Value::Null;
    bench.run(update).await;
    assert_eq!(
        bench.rows("authors", &["creator_uid", "last_updater_uid"]).await,
        r#"[{"creator_uid":"alice","last_updater_uid":null}]"#
    );
}

pub async fn a_version_never_repeats_and_never_goes_back(bench: Bench) {
    ada(&bench).await;
    let mut version = at(0);
    // A clock that stands still, goes back, and goes on.
    for (now, expected) in [
        (at(0), at(1)),
        (at(0), at(2)),
        (at(-5), at(3)),
        (at(3), at(4)),
        (at(9), at(9)),
        (at(9), at(10)),
    ] {
        let mut update = bench.update("authors", uid(1), &json!({"name": "Ada"}));
        update.stamp.now = now;
        update.precondition = Precondition::VersionIn(vec![version]);
        let outcome = bench.run(update).await;
        assert_eq!(
            (outcome.verdict, outcome.version),
            (Verdict::Updated, Some(expected))
        );
        version = expected;
    }
}

pub async fn a_table_with_stamps_of_its_own_is_stamped_there(bench: Bench) {
    bench
        .given("accounts", &[json!({"uid": uid(1), "owner": "Eve"})])
        .await;
    let outcome = bench
        .run(bench.update(
            "accounts",
            uid(1),
            &json!({"balance": "-0.5", "owner": "Mallory"}),
        ))
        .await;
    assert_eq!(
        json(&outcome),
        r#"{"uid":"01900000-0000-7000-8000-000000000001","owner":"Mallory","balance":"-0.5","created_at":"2026-01-01T00:00:00+00:00","last_updated_at":"2026-01-01T00:00:01+00:00","creator_uid":"01900000-0000-7000-8000-0000000001fe","last_updater_uid":"01900000-0000-7000-8000-000000000133"}"#
    );
}

pub async fn a_table_without_stamps_is_changed_without(bench: Bench) {
    bench
        .given("settings", &[json!({"uid": uid(1), "value": 1})])
        .await;
    let outcome = bench
        .run(bench.update("settings", uid(1), &json!({"value": [2]})))
        .await;
    assert_eq!(
        json(&outcome),
        r#"{"uid":"01900000-0000-7000-8000-000000000001","value":[2]}"#
    );
    assert_eq!(
        (outcome.verdict, outcome.version, outcome.uid),
        (Verdict::Updated, None, Some(uid(1)))
    );
    let mut update = bench.update("settings", uid(1), &json!({"value": 3}));
    update.precondition = Precondition::VersionIn(vec![at(0)]);
    assert_eq!(
        bench.run(update.clone()).await.verdict,
        Verdict::PreconditionFailed
    );
    update.precondition = Precondition::Exists;
    assert_eq!(bench.run(update).await.verdict, Verdict::Updated);
}

/// An update that has everything against it but what a case takes away.
struct Faults {
    invisible: bool,
    old_forbidden: bool,
    stale: bool,
    differing: bool,
    new_forbidden: bool,
}

/// The verdicts in their order: each case takes away the first reason of the one before.
pub async fn an_update_is_judged_in_order(bench: Bench) {
    ada(&bench).await;
    let cases = [
        ([true, true, true, true, true], Verdict::NotVisible),
        ([false, true, true, true, true], Verdict::NotWritable),
        ([false, false, true, true, true], Verdict::PreconditionFailed),
        (
            [false, false, false, true, true],
            Verdict::Mismatch(vec![bench.field("authors", "born_on")]),
        ),
        ([false, false, false, false, true], Verdict::NotWritable),
        ([false, false, false, false, false], Verdict::Updated),
    ];
    for ([invisible, old_forbidden, stale, differing, new_forbidden], expected) in cases {
        let faults = Faults {
            invisible,
            old_forbidden,
            stale,
            differing,
            new_forbidden,
        };
        let update = faulty(&bench, uid(1), &faults);
        let before = bench.row("authors", uid(1)).await;
        let missing = bench.run(faulty(&bench, uid(2), &faults)).await;
        assert_eq!(missing, Outcome::verdict(Verdict::NotFound));
        let outcome = bench.run(update).await;
        assert_eq!(outcome.verdict, expected);
        if expected != Verdict::Updated {
            assert_eq!(outcome, Outcome::verdict(expected));
            assert_eq!(
                bench.row("authors", uid(1)).await,
                before,
                "a refusal writes nothing"
            );
        }
    }
}

/// A change of Ada's name to Bea.
fn faulty(bench: &Bench, row: uuid::Uuid, faults: &Faults) -> Update {
    let name = |name: &str| bench.equals("authors", "name", &json!(name));
    let mut update = bench.update("authors", row, &json!({"name": "Bea"}));
    update.visible = if faults.invisible {
        name("Bea")
    } else {
        Condition::Always
    };
    update.permitted = match (faults.old_forbidden, faults.new_forbidden) {
        (true, true) => Condition::Never,
        (true, false) => name("Bea"),
        (false, true) => name("Ada"),
        (false, false) => Condition::Any(vec![name("Ada"), name("Bea")]),
    };
    update.precondition = Precondition::VersionIn(if faults.stale {
        vec![at(7)]
    } else {
        vec![at(7), at(0)]
    });
    let born_on = if faults.differing {
        "1900-01-01"
    } else {
        "1815-12-10"
    };
    update.expect = bench.values("authors", &json!({"born_on": born_on, "creator_uid": "alice"}));
    update
}

pub async fn preconditions_are_held_against_the_row(bench: Bench) {
    ada(&bench).await;
    let cases = [
        (Precondition::None, Verdict::Updated),
        (Precondition::Exists, Verdict::Updated),
        (Precondition::Absent, Verdict::PreconditionFailed),
        (Precondition::VersionIn(vec![]), Verdict::PreconditionFailed),
        (
            Precondition::VersionIn(vec![at(-1), at(1)]),
            Verdict::PreconditionFailed,
        ),
        (
            Precondition::VersionIn(vec![at(1), at(1_000_001)]),
            Verdict::Updated,
        ),
    ];
    for (precondition, expected) in cases {
        let mut update = bench.update("authors", uid(1), &json!({"name": "Ada"}));
        update.precondition = precondition.clone();
        assert_eq!(
            bench.run(update.clone()).await.verdict,
            expected,
            "{precondition:?}"
        );
        update.uid = uid(2);
        assert_eq!(
            bench.run(update).await.verdict,
            Verdict::NotFound,
            "{precondition:?}"
        );
    }
}

pub async fn every_field_that_differs_from_what_was_expected_is_named(bench: Bench) {
    bench
        .given("specimens", &[json!({"uid": uid(1), "decimal": "1.0", "json": {"a": 1, "b": 2}, "float": "NaN", "texts": ["a", null]})])
        .await;
    let expecting = |expected: serde_json::Value| {
        let mut update = bench.update("specimens", uid(1), &json!({"text": "x"}));
        update.expect = bench.values("specimens", &expected);
        update
    };
    // NULL equals NULL; equal values need not be written alike.
    let outcome = bench
        .run(expecting(json!({"integer": null, "decimal": "1.00", "json": {"b": 2, "a": 1.0}, "float": "NaN", "texts": ["a", null]})))
        .await;
    assert_eq!(outcome.verdict, Verdict::Updated);
    let outcome = bench
        .run(expecting(json!({"integer": 1, "decimal": null, "json": {"a": 1}, "float": "NaN", "texts": ["a"], "text": "x"})))
        .await;
    let Verdict::Mismatch(mut fields) = outcome.verdict else {
        panic!("expected a mismatch, found {outcome:?}")
    };
    fields.sort_unstable();
    assert_eq!(
        fields,
        ["integer", "decimal", "json", "texts"].map(|name| bench.field("specimens", name))
    );
}

pub async fn an_empty_set_writes_nothing_and_is_judged_all_the_same(bench: Bench) {
    ada(&bench).await;
    let before = bench.row("authors", uid(1)).await;
    let outcome = bench.run(bench.update("authors", uid(1), &json!({}))).await;
    assert_eq!(outcome.verdict, Verdict::Updated);
    assert_eq!((outcome.returned, outcome.affected), (1, 0));
    assert_eq!((outcome.version, outcome.uid), (Some(at(0)), Some(uid(1))));
    assert_eq!(Some(json(&outcome)), before.as_deref());

    let judged = |change: &dyn Fn(&mut Update)| {
        let mut update = bench.update("authors", uid(1), &json!({}));
        change(&mut update);
        bench.run(update)
    };
    assert_eq!(
        judged(&|update| update.uid = uid(2)).await.verdict,
        Verdict::NotFound
    );
    assert_eq!(
        judged(&|update| update.visible = Condition::Never).await.verdict,
        Verdict::NotVisible
    );
    assert_eq!(
        judged(&|update| update.permitted = Condition::Never)
            .await
            .verdict,
        Verdict::NotWritable
    );
    let stale = judged(&|update| update.precondition = Precondition::VersionIn(vec![at(1)])).await;
    assert_eq!(stale.verdict, Verdict::PreconditionFailed);
    let differing = judged(&|update| update.expect = bench.values("authors", &json!({"name": "Bea"}))).await;
    assert_eq!(
        differing.verdict,
        Verdict::Mismatch(vec![bench.field("authors", "name")])
    );
    assert_eq!(bench.row("authors", uid(1)).await, before);
}

pub async fn a_row_that_leaves_what_may_be_seen_is_changed_but_not_shown(bench: Bench) {
    ada(&bench).await;
    let mut update = bench.update("authors", uid(1), &json!({"name": "Bea"}));
    update.visible = bench.equals("authors", "name", &json!("Ada"));
    let outcome = bench.run(update).await;
    assert_eq!((outcome.verdict, outcome.affected), (Verdict::Updated, 1));
    assert_eq!((outcome.rows, outcome.returned), (Rows::None, 0));
    assert_eq!(
        (outcome.version, outcome.uid),
        (Some(at(1_000_000)), Some(uid(1)))
    );
    assert_eq!(bench.rows("authors", &["name"]).await, r#"[{"name":"Bea"}]"#);
}

pub async fn a_rule_about_the_stamps_sees_the_new_ones(bench: Bench) {
    ada(&bench).await;
    let updater = |name: &str| bench.equals("authors", "last_updater_uid", &json!(name));
    let mut update = bench.update("authors", uid(1), &json!({"name": "Bea"}));
    update.permitted = updater("alice");
    assert_eq!(bench.run(update.clone()).await.verdict, Verdict::NotWritable);
    update.permitted = Condition::Any(vec![updater("alice"), updater("bob")]);
    assert_eq!(bench.run(update).await.verdict, Verdict::Updated);
}

pub async fn a_changed_row_comes_in_the_form_asked_for(bench: Bench) {
    ada(&bench).await;
    let mut update = bench.update("authors", uid(1), &json!({"name": "Bea"}));
    update.select = bench.select("authors", &["name", "last_updater_uid"]);
    update.representation = Representation::JsonArray;
    assert_eq!(
        json(&bench.run(update.clone()).await),
        r#"[{"name":"Bea","last_updater_uid":"bob"}]"#
    );
    update.representation = Representation::Records;
    let outcome = bench.run(update.clone()).await;
    assert_eq!(
        records(&outcome)[0].get("name"),
        Some(&Value::Text("Bea".to_owned()))
    );
    assert_eq!(records(&outcome)[0].get("uid"), None);
    update.representation = Representation::Nothing;
    let outcome = bench.run(update).await;
    assert_eq!(
        (outcome.rows, outcome.returned, outcome.affected),
        (Rows::None, 0, 1)
    );
    assert_eq!(outcome.version, Some(at(1_000_002)));
}

pub async fn a_change_into_a_conflict_is_refused(bench: Bench) {
    let book = |number: u128, isbn: &str| json!({"uid": uid(number), "title": "A", "isbn": isbn});
    bench.given("books", &[book(1, "1"), book(2, "2")]).await;
    let update = bench.update("books", uid(2), &json!({"isbn": "1"}));
    match bench.try_run(update.clone()).await {
        Err(StoreError::Conflict(conflict)) => {
            assert_eq!(conflict.kind, ConflictKind::Unique);
            assert_eq!(conflict.fields, [bench.field("books", "isbn")]);
        }
        other => panic!("expected a conflict, found {other:?}"),
    }
    // What a rule forbids is not told as a conflict.
    let mut forbidden = update;
    forbidden.permitted = bench.equals("books", "isbn", &json!("2"));
    assert_eq!(bench.run(forbidden).await.verdict, Verdict::NotWritable);
    // A row is not in its own way.
    let same = bench
        .run(bench.update("books", uid(2), &json!({"isbn": "2"})))
        .await;
    assert_eq!(same.verdict, Verdict::Updated);
}
