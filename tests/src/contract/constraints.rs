//! Clauses about what a database refuses although the definition's own rules let it pass.

use rowstamp_domain::operation::Verdict;
use rowstamp_ports::{ConflictKind, FaultKind, FieldFault, StoreError};
use serde_json::{Value as Json, json};

use super::bench::{Bench, Step, uid};

/// What kind of conflict, and the names of its fields.
async fn conflict(bench: &Bench, resource: &str, operation: impl Into<Step>) -> (ConflictKind, Vec<String>) {
    match bench.try_run(operation).await {
        Err(StoreError::Conflict(conflict)) => {
            let definition = bench.resource(resource);
            let names = conflict
                .fields
                .iter()
                .map(|id| definition.field(*id).name.clone());
            (conflict.kind, names.collect())
        }
        other => panic!("expected a conflict, found {other:?}"),
    }
}

/// The field at fault and what is wrong with it.
async fn fault(bench: &Bench, resource: &str, operation: impl Into<Step>) -> (String, FaultKind) {
    match bench.try_run(operation).await {
        Err(StoreError::Invalid(faults)) => match faults.as_slice() {
            [
                FieldFault {
                    field: Some(id),
                    kind,
                },
            ] => (bench.resource(resource).field(*id).name.clone(), *kind),
            other => panic!("expected one fault of a field, found {other:?}"),
        },
        other => panic!("expected a fault, found {other:?}"),
    }
}

fn book(number: u128, shelf: Option<&str>, position: Option<i32>) -> Json {
    json!({"uid": uid(number), "title": "A", "shelf": shelf, "position": position})
}

pub async fn a_uid_is_used_once(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    let again = bench.insert("authors", &[json!({"uid": uid(1), "name": "Bea"})]);
    assert_eq!(
        conflict(&bench, "authors", again).await,
        (ConflictKind::Unique, vec!["uid".to_owned()])
    );
    assert_eq!(bench.rows("authors", &["name"]).await, r#"[{"name":"Ada"}]"#);
}

pub async fn a_uid_of_another_name_is_told_by_ours(bench: Bench) {
    bench
        .given("accounts", &[json!({"uid": uid(1), "owner": "Eve"})])
        .await;
    let again = bench.insert("accounts", &[json!({"uid": uid(1), "owner": "Bob"})]);
    assert_eq!(
        conflict(&bench, "accounts", again).await,
        (ConflictKind::Unique, vec!["uid".to_owned()])
    );
}

pub async fn fields_that_are_unique_together_conflict_together(bench: Bench) {
    bench
        .given(
            "books",
            &[book(1, Some("A"), Some(1)), book(2, Some("A"), Some(2))],
        )
        .await;
    let names = vec!["shelf".to_owned(), "position".to_owned()];
    let insert = bench.insert("books", &[book(3, Some("A"), Some(2))]);
    assert_eq!(
        conflict(&bench, "books", insert).await,
        (ConflictKind::Unique, names.clone())
    );
    let update = bench.update("books", uid(2), &json!({"position": 1}));
    assert_eq!(
        conflict(&bench, "books", update).await,
        (ConflictKind::Unique, names)
    );
    let moved = bench.update("books", uid(2), &json!({"position": 1, "shelf": "B"}));
    assert_eq!(bench.run(moved).await.verdict, Verdict::Updated);
}

pub async fn nulls_are_never_in_each_others_way(bench: Bench) {
    bench
        .given(
            "books",
            &[
                book(1, Some("A"), None),
                book(2, Some("A"), None),
                book(3, None, None),
                book(4, None, None),
            ],
        )
        .await;
    assert_eq!(bench.run(bench.list("books", &[])).await.returned, 4);
}

pub async fn two_records_of_one_body_can_be_in_each_others_way(bench: Bench) {
    let insert = bench.insert(
        "books",
        &[book(1, Some("A"), Some(1)), book(2, Some("A"), Some(1))],
    );
    let (kind, _) = conflict(&bench, "books", insert).await;
    assert_eq!(kind, ConflictKind::Unique);
    assert_eq!(bench.rows("books", &["uid"]).await, "[]");
}

pub async fn a_reference_leads_somewhere(bench: Bench) {
    let book =
        |number: u128, author: u128| json!({"uid": uid(number), "title": "A", "author_uid": uid(author)});
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    let expected = (ConflictKind::MissingReference, vec!["author_uid".to_owned()]);
    assert_eq!(
        conflict(&bench, "books", bench.insert("books", &[book(2, 9)])).await,
        expected
    );
    bench.given("books", &[book(2, 1)]).await;
    let update = bench.update("books", uid(2), &json!({"author_uid": uid(9)}));
    assert_eq!(conflict(&bench, "books", update).await, expected);
    let replace = bench.replace("books", uid(3), &json!({"title": "B", "author_uid": uid(9)}));
    assert_eq!(conflict(&bench, "books", replace).await, expected);
    let cleared = bench.update("books", uid(2), &json!({"author_uid": null}));
    assert_eq!(bench.run(cleared).await.verdict, Verdict::Updated);
}

pub async fn the_record_whose_reference_leads_nowhere_is_told(bench: Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
    let book =
        |number: u128, author: u128| json!({"uid": uid(number), "title": "A", "author_uid": uid(author)});
    let insert = bench.insert("books", &[book(2, 1), book(3, 1), book(4, 9)]);
    match bench.try_run(insert).await {
        Err(StoreError::Conflict(conflict)) => {
            assert_eq!(
                (conflict.kind, conflict.record),
                (ConflictKind::MissingReference, Some(2))
            );
        }
        other => panic!("expected a conflict, found {other:?}"),
    }
}

pub async fn a_required_field_is_not_null(bench: Bench) {
    let required = |name: &str| (name.to_owned(), FaultKind::Required);
    let insert = bench.insert("authors", &[json!({"uid": uid(1), "name": null})]);
    assert_eq!(fault(&bench, "authors", insert).await, required("name"));
    let insert = bench.insert("authors", &[json!({"uid": uid(1)})]);
    assert_eq!(fault(&bench, "authors", insert).await, required("name"));
    bench
        .given("accounts", &[json!({"uid": uid(1), "owner": "Eve"})])
        .await;
    let update = bench.update("accounts", uid(1), &json!({"owner": null}));
    assert_eq!(fault(&bench, "accounts", update).await, required("owner"));
    assert_eq!(bench.rows("accounts", &["owner"]).await, r#"[{"owner":"Eve"}]"#);
}

pub async fn an_enum_has_its_values_alone(bench: Bench) {
    let insert = bench.insert("books", &[json!({"uid": uid(1), "title": "A", "status": "lost"})]);
    assert_eq!(
        fault(&bench, "books", insert).await,
        ("status".to_owned(), FaultKind::Check)
    );
    bench
        .given(
            "specimens",
            &[json!({"uid": uid(1), "enum": null, "enums": ["a", null, "ö"]})],
        )
        .await;
    let update = bench.update("specimens", uid(1), &json!({"enum": "b"}));
    assert_eq!(
        fault(&bench, "specimens", update).await,
        ("enum".to_owned(), FaultKind::Check)
    );
    for (field, value) in [
        ("enum", json!("quote \" and ' and \\")),
        ("enums", json!([null])),
        ("enums", json!([])),
    ] {
        let update = bench.update("specimens", uid(1), &json!({field: value}));
        assert_eq!(bench.run(update).await.verdict, Verdict::Updated);
    }
}

pub async fn a_number_too_large_for_its_column_is_refused(bench: Bench) {
    let insert = bench.insert("specimens", &[json!({"uid": uid(1), "fixed": "100000000"})]);
    match bench.try_run(insert).await {
        Err(StoreError::Invalid(faults)) => {
            assert!(faults.iter().all(|fault| fault.kind == FaultKind::OutOfRange));
        }
        other => panic!("expected a fault, found {other:?}"),
    }
    assert_eq!(bench.rows("specimens", &["uid"]).await, "[]");
}
