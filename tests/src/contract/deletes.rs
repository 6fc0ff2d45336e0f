//! Clauses about deleting one row, and about the rows that refer to it.

use rowstamp_domain::operation::{Outcome, Precondition, Representation, Rows, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_domain::value::Value;
use rowstamp_ports::{Conflict, ConflictKind, StoreError};
use serde_json::json;

use super::bench::{Bench, at, json, records, uid};

pub async fn a_row_is_gone_and_shown_as_it_was(bench: Bench) {
    bench
        .given(
            "authors",
            &[
                json!({"uid": uid(1), "name": "Ada"}),
                json!({"uid": uid(2), "name": "Bea"}),
            ],
        )
        .await;
    let before = bench.row("authors", uid(1)).await;
    let outcome = bench.run(bench.delete("authors", uid(1))).await;
    assert_eq!(Some(json(&outcome)), before.as_deref());
    let expected = Outcome {
        rows: outcome.rows.clone(),
        returned: 1,
        affected: 1,
        created: 0,
        version: Some(at(0)),
        uid: Some(uid(1)),
        ..Outcome::verdict(Verdict::Deleted)
    };
    assert_eq!(outcome, expected);
    assert_eq!(bench.rows("authors", &["name"]).await, r#"[{"name":"Bea"}]"#);
    assert_eq!(
        bench.run(bench.delete("authors", uid(1))).await,
        Outcome::verdict(Verdict::NotFound)
    );
}

pub async fn a_deletion_is_judged_in_order(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    let mut delete = bench.delete("authors", uid(1));
    delete.visible = bench.equals("authors", "name", &json!("Bea"));
    delete.permitted = bench.equals("authors", "creator_uid", &json!("bob"));
    delete.precondition = Precondition::VersionIn(vec![at(1)]);
    let mut missing = delete.clone();
    missing.uid = uid(2);
    assert_eq!(bench.run(missing).await, Outcome::verdict(Verdict::NotFound));
    assert_eq!(
        bench.run(delete.clone()).await,
        Outcome::verdict(Verdict::NotVisible)
    );
    delete.visible = bench.equals("authors", "name", &json!("Ada"));
    assert_eq!(
        bench.run(delete.clone()).await,
        Outcome::verdict(Verdict::NotWritable)
    );
    delete.permitted = bench.equals("authors", "creator_uid", &json!("alice"));
    assert_eq!(
        bench.run(delete.clone()).await,
        Outcome::verdict(Verdict::PreconditionFailed)
    );
    delete.precondition = Precondition::Absent;
    assert_eq!(
        bench.run(delete.clone()).await,
        Outcome::verdict(Verdict::PreconditionFailed)
    );
    assert!(
        bench.row("authors", uid(1)).await.is_some(),
        "a refusal deletes nothing"
    );
    delete.precondition = Precondition::VersionIn(vec![at(1), at(0)]);
    assert_eq!(bench.run(delete).await.verdict, Verdict::Deleted);
}

pub async fn a_deleted_row_comes_in_the_form_asked_for(bench: Bench) {
    let row = |number: u128| json!({"uid": uid(number), "name": number.to_string()});
    bench.given("authors", &[row(1), row(2), row(3)]).await;
    let mut delete = bench.delete("authors", uid(1));
    delete.select = bench.select("authors", &["name"]);
    delete.representation = Representation::Nothing;
    let outcome = bench.run(delete.clone()).await;
    assert_eq!(
        (outcome.rows, outcome.returned, outcome.affected),
        (Rows::None, 0, 1)
    );
    assert_eq!((outcome.version, outcome.uid), (Some(at(0)), Some(uid(1))));
    delete.uid = uid(2);
    delete.representation = Representation::JsonArray;
    assert_eq!(json(&bench.run(delete.clone()).await), r#"[{"name":"2"}]"#);
    delete.uid = uid(3);
    delete.representation = Representation::Records;
    assert_eq!(
        records(&bench.run(delete).await)[0].get("name"),
        Some(&Value::Text("3".to_owned()))
    );
}

pub async fn a_row_that_others_refer_to_stays(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    bench
        .given(
            "books",
            &[json!({"uid": uid(2), "title": "A", "author_uid": uid(1)})],
        )
        .await;
    let expected = StoreError::Conflict(Conflict {
        kind: ConflictKind::StillReferenced,
        fields: Vec::new(),
        record: None,
    });
    assert_eq!(
        bench.try_run(bench.delete("authors", uid(1))).await,
        Err(expected)
    );
    assert!(bench.row("authors", uid(1)).await.is_some());
    // What a rule forbids is not told as a conflict.
    let mut forbidden = bench.delete("authors", uid(1));
    forbidden.permitted = Condition::Never;
    assert_eq!(bench.run(forbidden).await.verdict, Verdict::NotWritable);
    bench.run(bench.delete("books", uid(2))).await;
    assert_eq!(
        bench.run(bench.delete("authors", uid(1))).await.verdict,
        Verdict::Deleted
    );
}

pub async fn rows_that_refer_go_too_or_lose_their_reference_as_declared(bench: Bench) {
    let book = |number: u128| json!({"uid": uid(number), "title": "A"});
    bench.given("books", &[book(1), book(2)]).await;
    let loan = |number: u128, book: u128| json!({"uid": uid(number), "reader": "Eve", "book_uid": uid(book)});
    bench
        .given("loans", &[loan(11, 1), loan(12, 2), loan(13, 1)])
        .await;
    let remark = |number: u128, book: u128| json!({"uid": uid(number), "text": "hm", "book_uid": uid(book)});
    bench.given("remarks", &[remark(21, 1), remark(22, 2)]).await;
    let outcome = bench.run(bench.delete("books", uid(1))).await;
    assert_eq!((outcome.verdict, outcome.affected), (Verdict::Deleted, 1));
    assert_eq!(
        bench.rows("loans", &["uid"]).await,
        json!([{"uid": uid(12)}]).to_string()
    );
    let remarks = [
        json!({"uid": uid(21), "book_uid": null}),
        json!({"uid": uid(22), "book_uid": uid(2)}),
    ];
    let mut list = bench.list("remarks", &["uid", "book_uid"]);
    list.representation = Representation::Records;
    let outcome = bench.run(list).await;
    for (record, expected) in records(&outcome).iter().zip(remarks) {
        for (field, value) in bench.values("remarks", &expected) {
            assert_eq!(record.value(field), Some(&value));
        }
    }
    // Nobody wrote the remark: it keeps its stamps.
    assert_eq!(
        bench.run(bench.read("remarks", uid(21))).await.version,
        Some(at(0))
    );
}
