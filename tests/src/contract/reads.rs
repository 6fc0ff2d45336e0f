//! Clauses about reading one row.

use rowstamp_domain::operation::{Outcome, Representation, Rows, Verdict};
use rowstamp_domain::query::{Condition, Select};
use serde_json::json;

use super::bench::{Bench, at, json, records, uid};

pub async fn a_row_is_found_with_its_version_and_all_its_columns_in_order(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    let outcome = bench.run(bench.read("authors", uid(1))).await;
    assert_eq!(
        json(&outcome),
        r#"{"uid":"01900000-0000-7000-8000-000000000001","name":"Ada","born_on":null,"created_at":"2026-01-01T00:00:00+00:00","last_updated_at":"2026-01-01T00:00:00+00:00","creator_uid":"alice","last_updater_uid":"alice"}"#
    );
    let expected = Outcome {
        rows: outcome.rows.clone(),
        returned: 1,
        version: Some(at(0)),
        uid: Some(uid(1)),
        ..Outcome::verdict(Verdict::Found)
    };
    assert_eq!(outcome, expected);
}

pub async fn no_row_is_not_found(bench: Bench) {
    let outcome = bench.run(bench.read("authors", uid(1))).await;
    assert_eq!(outcome, Outcome::verdict(Verdict::NotFound));
}

pub async fn a_row_that_may_not_be_seen_is_not_found(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    for visible in [
        Condition::Never,
        bench.equals("authors", "name", &json!("Bea")),
        // Unknown is not true.
        bench.equals("authors", "born_on", &json!("1815-12-10")),
    ] {
        let mut read = bench.read("authors", uid(1));
        read.visible = visible;
        assert_eq!(bench.run(read).await, Outcome::verdict(Verdict::NotFound));
    }
    let mut read = bench.read("authors", uid(1));
    read.visible = bench.equals("authors", "name", &json!("Ada"));
    assert_eq!(bench.run(read).await.verdict, Verdict::Found);
}

pub async fn the_columns_asked_for_come_back_in_the_order_asked(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    let mut read = bench.read("authors", uid(1));
    read.select = bench.select("authors", &["born_on", "name"]);
    let outcome = bench.run(read).await;
    assert_eq!(json(&outcome), r#"{"born_on":null,"name":"Ada"}"#);
    // What is told besides does not depend on the columns.
    assert_eq!((outcome.version, outcome.uid), (Some(at(0)), Some(uid(1))));
}

pub async fn no_columns_at_all_are_an_empty_object(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    let mut read = bench.read("authors", uid(1));
    read.select = Select([].into());
    assert_eq!(json(&bench.run(read).await), "{}");
}

pub async fn a_row_comes_in_the_form_asked_for(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    let mut read = bench.read("authors", uid(1));
    read.select = bench.select("authors", &["name"]);

    read.representation = Representation::Nothing;
    let outcome = bench.run(read.clone()).await;
    assert_eq!((&outcome.rows, outcome.returned), (&Rows::None, 0));
    assert_eq!((outcome.version, outcome.uid), (Some(at(0)), Some(uid(1))));

    read.representation = Representation::JsonArray;
    let outcome = bench.run(read.clone()).await;
    assert_eq!((json(&outcome), outcome.returned), (r#"[{"name":"Ada"}]"#, 1));

    read.representation = Representation::Records;
    let outcome = bench.run(read).await;
    assert_eq!(outcome.returned, 1);
    let [record] = records(&outcome) else {
        panic!("one record was asked for: {outcome:?}")
    };
    assert_eq!(
        record.get("name"),
        Some(&bench.value("authors", "name", &json!("Ada")))
    );
    assert_eq!(
        record.get("born_on"),
        None,
        "a column that was not asked for is absent, not NULL"
    );
}

pub async fn a_table_with_names_of_its_own_answers_with_ours(bench: Bench) {
    bench
        .given(
            "accounts",
            &[json!({"uid": uid(1), "owner": "Eve", "balance": "12.50"})],
        )
        .await;
    let outcome = bench.run(bench.read("accounts", uid(1))).await;
    assert_eq!(
        json(&outcome),
        r#"{"uid":"01900000-0000-7000-8000-000000000001","owner":"Eve","balance":"12.50","created_at":"2026-01-01T00:00:00+00:00","last_updated_at":"2026-01-01T00:00:00+00:00","creator_uid":"01900000-0000-7000-8000-0000000001fe","last_updater_uid":"01900000-0000-7000-8000-0000000001fe"}"#
    );
    assert_eq!(outcome.version, Some(at(0)));
}

pub async fn a_table_without_stamps_has_no_version(bench: Bench) {
    bench
        .given(
            "settings",
            &[json!({"uid": uid(1), "value": {"b": 1, "a": [true, null]}})],
        )
        .await;
    let outcome = bench.run(bench.read("settings", uid(1))).await;
    assert_eq!(
        json(&outcome),
        r#"{"uid":"01900000-0000-7000-8000-000000000001","value":{"a": [true, null], "b": 1}}"#
    );
    assert_eq!((outcome.version, outcome.uid), (None, Some(uid(1))));
}
