//! Clauses about changing the rows that match.

use rowstamp_domain::operation::{Outcome, Representation, RowBound, Rows, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_ports::{ConflictKind, StoreError};
use serde_json::json;

use super::bench::{Bench, json, records, uid};
use super::concurrency::{all_at_once, step};

async fn books(bench: &Bench) {
    let book =
        |number: u128, title: &str| json!({"uid": uid(number), "title": title, "isbn": number.to_string()});
    bench
        .given("books", &[book(3, "A"), book(1, "A"), book(2, "B")])
        .await;
}

pub async fn the_rows_that_match_are_changed_and_stamped_and_come_back_by_uid(bench: Bench) {
    books(&bench).await;
    let title = bench.equals("books", "title", &json!("A"));
    let mut update = bench.update_many("books", title, &json!({"pages": 7, "tags": ["x", "y"]}));
    update.select = bench.select(
        "books",
        &[
            "isbn",
            "pages",
            "tags",
            "last_updated_at",
            "last_updater_uid",
            "creator_uid",
        ],
    );
    let outcome = bench.run(update).await;
    let row = |isbn: &str| {
        format!(
            r#"{{"isbn":"{isbn}","pages":7,"tags":["x","y"],"last_updated_at":"2026-01-01T00:00:01+00:00","last_updater_uid":"bob","creator_uid":"alice"}}"#
        )
    };
    assert_eq!(json(&outcome), format!("[{},{}]", row("1"), row("3")));
    assert_eq!(
        (
            outcome.verdict,
            outcome.affected,
            outcome.created,
            outcome.returned,
            outcome.version,
            outcome.uid
        ),
        (Verdict::Updated, 2, 0, 2, None, None)
    );
    assert_eq!(
        bench.rows("books", &["pages"]).await,
        r#"[{"pages":7},{"pages":null},{"pages":7}]"#
    );
}

pub async fn where_nothing_matches_or_nothing_is_set_nothing_is_changed(bench: Bench) {
    books(&bench).await;
    let before = bench.rows("books", &["last_updated_at", "title"]).await;
    for (condition, set) in [
        (Condition::Never, json!({"title": "X"})),
        (Condition::Always, json!({})),
    ] {
        for representation in [
            Representation::JsonArray,
            Representation::Nothing,
            Representation::Records,
        ] {
            let mut update = bench.update_many("books", condition.clone(), &set);
            update.representation = representation;
            let outcome = bench.run(update).await;
            assert_eq!(
                (outcome.verdict, outcome.rows, outcome.affected),
                (Verdict::Updated, Rows::None, 0),
                "{representation:?}"
            );
        }
    }
    // What is expected is judged all the same.
    let mut update = bench.update_many("books", Condition::Always, &json!({}));
    let title = bench.field("books", "title");
    update.expect = vec![(title, bench.value("books", "title", &json!("A")))];
    assert_eq!(
        bench.run(update.clone()).await,
        Outcome::verdict(Verdict::Mismatch(vec![title]))
    );
    update.condition = bench.equals("books", "title", &json!("A"));
    for bound in [RowBound::Any, RowBound::AtMost(0)] {
        update.bound = bound;
        let outcome = bench.run(update.clone()).await;
        assert_eq!(
            (outcome.verdict, outcome.affected),
            (Verdict::Updated, 0),
            "{bound:?}"
        );
    }
    assert_eq!(bench.rows("books", &["last_updated_at", "title"]).await, before);
}

pub async fn only_rows_that_are_visible_and_in_reach_are_changed(bench: Bench) {
    books(&bench).await;
    let isbn = |isbn: &str| bench.equals("books", "isbn", &json!(isbn));
    let mut update = bench.update_many("books", Condition::Always, &json!({"pages": 7}));
    update.visible = isbn("1").or(isbn("2"));
    update.permitted = isbn("1").or(isbn("3"));
    assert_eq!(bench.run(update).await.affected, 1);
    assert_eq!(
        bench.rows("books", &["pages"]).await,
        r#"[{"pages":7},{"pages":null},{"pages":null}]"#
    );
}

pub async fn one_row_that_would_leave_the_reach_keeps_all_from_being_changed(bench: Bench) {
    books(&bench).await;
    let before = bench.rows("books", &["title", "last_updated_at"]).await;
    let mut update = bench.update_many("books", Condition::Always, &json!({"title": "B"}));
    update.permitted = bench.equals("books", "title", &json!("A"));
    assert_eq!(bench.run(update).await, Outcome::verdict(Verdict::NotWritable));
    assert_eq!(bench.rows("books", &["title", "last_updated_at"]).await, before);
}

pub async fn a_changed_row_that_may_not_be_seen_any_more_is_not_shown(bench: Bench) {
    books(&bench).await;
    let mut update = bench.update_many("books", Condition::Always, &json!({"title": "B"}));
    update.visible = bench.equals("books", "title", &json!("A"));
    let outcome = bench.run(update).await;
    assert_eq!(
        (outcome.verdict, outcome.rows, outcome.affected, outcome.returned),
        (Verdict::Updated, Rows::None, 2, 0)
    );
}

pub async fn what_any_of_them_is_expected_to_have_is_told_where_it_has_not(bench: Bench) {
    books(&bench).await;
    let mut update = bench.update_many("books", Condition::Always, &json!({"pages": 7}));
    let value = |field: &str, value: serde_json::Value| {
        (bench.field("books", field), bench.value("books", field, &value))
    };
    update.expect = vec![value("tags", json!(null)), value("title", json!("A"))];
    assert_eq!(
        bench.run(update).await,
        Outcome::verdict(Verdict::Mismatch(vec![bench.field("books", "title")]))
    );
    assert!(!bench.rows("books", &["pages"]).await.contains('7'));
}

pub async fn a_number_of_changed_rows_that_may_not_be_is_refused(bench: Bench) {
    books(&bench).await;
    for (bound, refused) in [
        (RowBound::One, true),
        (RowBound::AtMost(2), true),
        (RowBound::AtMost(3), false),
    ] {
        for representation in [Representation::JsonArray, Representation::Nothing] {
            let mut update = bench.update_many("books", Condition::Always, &json!({"pages": 7}));
            (update.bound, update.representation) = (bound, representation);
            let outcome = bench.run(update).await;
            if refused {
                assert_eq!(outcome, Outcome::verdict(Verdict::RowCount(3)));
                assert!(!bench.rows("books", &["pages"]).await.contains('7'));
            } else {
                assert_eq!(outcome.affected, 3);
            }
        }
    }
    let mut update = bench.update_many("books", Condition::Never, &json!({"pages": 7}));
    update.bound = RowBound::One;
    assert_eq!(bench.run(update).await, Outcome::verdict(Verdict::RowCount(0)));
}

pub async fn changed_rows_come_in_the_form_asked_for(bench: Bench) {
    books(&bench).await;
    let mut update = bench.update_many("books", Condition::Always, &json!({"pages": 7}));
    update.representation = Representation::Records;
    let outcome = bench.run(update.clone()).await;
    let isbns: Vec<_> = records(&outcome)
        .iter()
        .map(|record| record.get("isbn").cloned())
        .collect();
    assert_eq!(
        isbns,
        ["1", "2", "3"].map(|isbn| Some(bench.value("books", "isbn", &json!(isbn))))
    );
    update.representation = Representation::Nothing;
    let outcome = bench.run(update).await;
    assert_eq!(
        (outcome.rows, outcome.returned, outcome.affected),
        (Rows::None, 0, 3)
    );
}

pub async fn a_change_of_many_into_a_conflict_changes_none(bench: Bench) {
    books(&bench).await;
    let update = bench.update_many("books", Condition::Always, &json!({"isbn": "9"}));
    match bench.try_run(update).await {
        Err(StoreError::Conflict(conflict)) => {
            assert_eq!((conflict.kind, conflict.record), (ConflictKind::Unique, None));
            assert_eq!(conflict.fields, [bench.field("books", "isbn")]);
        }
        other => panic!("expected a conflict, found {other:?}"),
    }
    assert!(!bench.rows("books", &["isbn"]).await.contains('9'));
}

pub async fn a_table_without_stamps_is_changed_too(bench: Bench) {
    bench
        .given("settings", &[json!({"uid": uid(1), "value": 1})])
        .await;
    let outcome = bench
        .run(bench.update_many("settings", Condition::Always, &json!({"value": 2})))
        .await;
    assert_eq!(outcome.affected, 1);
    assert_eq!(bench.rows("settings", &["value"]).await, r#"[{"value":2}]"#);
}

pub async fn of_all_that_change_the_same_rows_none_fails_and_none_is_lost(bench: Bench) {
    let rows: Vec<_> = (1..=40)
        .map(|number: u128| json!({"uid": uid(number), "name": "A"}))
        .collect();
    bench.run(bench.insert("authors", &rows)).await;
    let updates = (0..16_u32).map(|writer| {
        let mut update =
            bench.update_many("authors", Condition::Always, &json!({"name": writer.to_string()}));
        update.representation = Representation::Nothing;
        step(update)
    });
    let answers = all_at_once(&bench, updates.collect()).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().is_ok_and(|outcome| outcome.affected == 40)),
        "{answers:?}"
    );
    let found: Vec<serde_json::Value> =
        serde_json::from_str(&bench.rows("authors", &["name", "last_updated_at"]).await).expect("JSON");
    assert!(
        found.iter().all(|row| row == &found[0]),
        "one writer's change is seen in all rows"
    );
    assert_eq!(
        found[0]["last_updated_at"], "2026-01-01T00:00:01.000015+00:00",
        "sixteen versions after the other"
    );
}

pub async fn who_waited_changes_only_rows_that_still_match(bench: Bench) {
    books(&bench).await;
    let take = |who: &str| {
        let free = bench.test(
            "books",
            "shelf",
            rowstamp_domain::query::Predicate::Is(rowstamp_domain::query::IsTest::Null),
        );
        let mut update = bench.update_many("books", free, &json!({"shelf": who}));
        update.representation = Representation::Nothing;
        step(update)
    };
    let answers = all_at_once(&bench, ["a", "b", "c", "d"].map(take).to_vec()).await;
    let affected: u64 = answers
        .iter()
        .map(|answer| answer.as_ref().expect("none fails").affected)
        .sum();
    assert_eq!(affected, 3, "each row is taken once");
}
