//! Clauses about deleting the rows that match.

use rowstamp_domain::operation::{Outcome, Representation, RowBound, Rows, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_ports::{ConflictKind, StoreError};
use serde_json::json;

use super::bench::{Bench, json, records, uid};
use super::concurrency::{all_at_once, step};

async fn authors(bench: &Bench) {
    let author = |number: u128, name: &str| json!({"uid": uid(number), "name": name});
    bench
        .given("authors", &[author(3, "Ada"), author(1, "Ada"), author(2, "Bea")])
        .await;
}

pub async fn the_rows_that_match_are_gone_and_shown_as_they_were(bench: Bench) {
    authors(&bench).await;
    let ada = bench.equals("authors", "name", &json!("Ada"));
    let mut delete = bench.delete_many("authors", ada.clone());
    delete.select = bench.select("authors", &["uid"]);
    let outcome = bench.run(delete.clone()).await;
    assert_eq!(
        json(&outcome),
        json!([{"uid": uid(1)}, {"uid": uid(3)}]).to_string()
    );
    assert_eq!(
        (outcome.verdict, outcome.affected, outcome.returned, outcome.uid),
        (Verdict::Deleted, 2, 2, None)
    );
    assert_eq!(bench.rows("authors", &["name"]).await, r#"[{"name":"Bea"}]"#);
    let outcome = bench.run(delete).await;
    assert_eq!(
        (outcome.verdict, outcome.rows, outcome.affected),
        (Verdict::Deleted, Rows::None, 0)
    );
}

pub async fn only_rows_that_are_visible_and_in_reach_are_deleted(bench: Bench) {
    authors(&bench).await;
    let mut delete = bench.delete_many("authors", Condition::Always);
    delete.visible = bench.equals("authors", "name", &json!("Ada"));
    delete.permitted =
        bench
            .equals("authors", "uid", &json!(uid(1)))
            .or(bench.equals("authors", "uid", &json!(uid(2))));
    assert_eq!(bench.run(delete).await.affected, 1);
    assert_eq!(
        bench.rows("authors", &["name"]).await,
        r#"[{"name":"Bea"},{"name":"Ada"}]"#
    );
}

pub async fn a_number_of_deleted_rows_that_may_not_be_is_refused(bench: Bench) {
    authors(&bench).await;
    for bound in [RowBound::One, RowBound::AtMost(2)] {
        for representation in [Representation::JsonArray, Representation::Nothing] {
            let mut delete = bench.delete_many("authors", Condition::Always);
            (delete.bound, delete.representation) = (bound, representation);
            assert_eq!(bench.run(delete).await, Outcome::verdict(Verdict::RowCount(3)));
        }
    }
    assert_eq!(bench.run(bench.list("authors", &[])).await.returned, 3);
    let mut delete = bench.delete_many("authors", bench.equals("authors", "name", &json!("Bea")));
    delete.bound = RowBound::One;
    assert_eq!(bench.run(delete).await.affected, 1);
}

pub async fn deleted_rows_come_in_the_form_asked_for(bench: Bench) {
    authors(&bench).await;
    let named = |name: &str| bench.delete_many("authors", bench.equals("authors", "name", &json!(name)));
    let mut delete = named("Ada");
    delete.representation = Representation::Records;
    let outcome = bench.run(delete).await;
    let ada = Some(bench.value("authors", "name", &json!("Ada")));
    assert!(
        records(&outcome)
            .iter()
            .all(|record| record.get("name").cloned() == ada)
    );
    assert_eq!(outcome.returned, 2);
    let mut delete = named("Bea");
    delete.representation = Representation::Nothing;
    let outcome = bench.run(delete).await;
    assert_eq!(
        (outcome.rows, outcome.returned, outcome.affected),
        (Rows::None, 0, 1)
    );
}

pub async fn one_row_that_others_refer_to_keeps_all_where_they_are(bench: Bench) {
    authors(&bench).await;
    bench
        .given(
            "books",
            &[json!({"uid": uid(1), "title": "A", "author_uid": uid(2)})],
        )
        .await;
    match bench
        .try_run(bench.delete_many("authors", Condition::Always))
        .await
    {
        Err(StoreError::Conflict(conflict)) => assert_eq!(conflict.kind, ConflictKind::StillReferenced),
        other => panic!("expected a conflict, found {other:?}"),
    }
    assert_eq!(bench.run(bench.list("authors", &[])).await.returned, 3);
}

pub async fn each_row_is_deleted_once(bench: Bench) {
    let rows: Vec<_> = (1..=40)
        .map(|number: u128| json!({"uid": uid(number), "name": "A"}))
        .collect();
    bench.run(bench.insert("authors", &rows)).await;
    let deletes = (0..8).map(|_| {
        let mut delete = bench.delete_many("authors", Condition::Always);
        delete.representation = Representation::Nothing;
        step(delete)
    });
    let answers = all_at_once(&bench, deletes.collect()).await;
    let affected: u64 = answers
        .iter()
        .map(|answer| answer.as_ref().expect("none fails").affected)
        .sum();
    assert_eq!(affected, 40);
}
