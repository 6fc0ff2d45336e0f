//! Clauses about creating rows where none is in the way, and changing or passing over those that are.

use std::sync::Arc;

use rowstamp_domain::operation::{ConflictAction, Insert, Outcome, Representation, RowBound, Rows, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_ports::{ConflictKind, StoreError};
use serde_json::json;

use super::bench::{Bench, at, json, merge_of, records, uid};
use super::concurrency::{all_at_once, step};

const WRITERS: u128 = 8;

async fn two_books(bench: &Bench) {
    let book = |number: u128, title: &str, isbn: &str| json!({"uid": uid(number), "title": title, "isbn": isbn, "pages": 1});
    bench
        .given("books", &[book(1, "A", "1"), book(2, "B", "2")])
        .await;
}

fn shown(bench: &Bench, mut insert: Insert, columns: &[&str]) -> Insert {
    insert.select = bench.select("books", columns);
    insert
}

pub async fn a_merge_creates_what_is_not_there_and_changes_what_is(bench: Bench) {
    two_books(&bench).await;
    let rows = [
        json!({"uid": uid(3), "title": "C", "isbn": "3"}),
        json!({"uid": uid(2), "title": "B2", "isbn": "2"}),
    ];
    let merge = shown(
        &bench,
        bench.merge("books", &rows, &["uid"]),
        &["uid", "title", "isbn", "pages"],
    );
    let outcome = bench.run(merge).await;
    let expected = json!([
        {"uid": uid(3), "title": "C", "isbn": "3", "pages": null},
        {"uid": uid(2), "title": "B2", "isbn": "2", "pages": 1},
    ]);
    assert_eq!(
        json(&outcome).parse::<serde_json::Value>().ok(),
        Some(expected),
        "in the order given"
    );
    assert_eq!(
        (
            outcome.verdict,
            outcome.affected,
            outcome.created,
            outcome.returned
        ),
        (Verdict::Created, 2, 1, 2)
    );
    assert_eq!(
        bench.rows("books", &["title", "pages"]).await,
        r#"[{"title":"A","pages":1},{"title":"B2","pages":1},{"title":"C","pages":null}]"#
    );
}

pub async fn a_merge_keeps_who_made_the_row_and_stamps_who_changed_it(bench: Bench) {
    two_books(&bench).await;
    let rows = [json!({"uid": uid(9), "title": "A2", "isbn": "1"})];
    let stamps = [
        "uid",
        "title",
        "created_at",
        "creator_uid",
        "last_updated_at",
        "last_updater_uid",
    ];
    let outcome = bench
        .run(shown(&bench, bench.merge("books", &rows, &["isbn"]), &stamps))
        .await;
    assert_eq!(
        (outcome.verdict.clone(), outcome.affected, outcome.created),
        (Verdict::Updated, 1, 0)
    );
    assert_eq!(
        (outcome.uid, outcome.version),
        (Some(uid(1)), Some(at(1_000_000))),
        "the row that was in the way is the one written"
    );
    assert_eq!(
        json(&outcome),
        format!(
            r#"[{{"uid":"{}","title":"A2","created_at":"2026-01-01T00:00:00+00:00","creator_uid":"alice","last_updated_at":"2026-01-01T00:00:01+00:00","last_updater_uid":"bob"}}]"#,
            uid(1)
        )
    );
    // Again at the same moment: the version moves on all the same.
    let outcome = bench.run(bench.merge("books", &rows, &["isbn"])).await;
    assert_eq!(outcome.version, Some(at(1_000_001)));
}

pub async fn each_record_of_a_merge_changes_what_it_gives_alone(bench: Bench) {
    two_books(&bench).await;
    let rows = [
        json!({"uid": uid(1), "title": "X", "isbn": "8", "pages": 7, "tags": ["x"], "price": 3}),
        json!({"uid": uid(2), "title": "Y", "isbn": "9", "pages": 7, "tags": ["y"], "price": 4}),
        json!({"uid": uid(3), "title": "Z", "isbn": "3", "pages": 7, "tags": null, "price": 5}),
    ];
    let mut merge = bench.merge("books", &rows, &["uid"]);
    let set = ["title", "isbn", "tags", "price"]
        .map(|name| bench.field("books", name))
        .to_vec();
    merge_of(&mut merge).set = set;
    merge_of(&mut merge).given = Some(vec![
        vec![true, false, true, false],
        vec![false, true, false, true],
        vec![false, false, false, false],
    ]);
    bench.run(merge).await;
    assert_eq!(
        bench
            .rows("books", &["title", "isbn", "pages", "tags", "price"])
            .await,
        r#"[{"title":"X","isbn":"1","pages":1,"tags":["x"],"price":0.00},{"title":"B","isbn":"9","pages":1,"tags":null,"price":4.00},{"title":"Z","isbn":"3","pages":7,"tags":null,"price":5.00}]"#
    );
}

pub async fn a_merge_goes_by_fields_that_are_unique_together(bench: Bench) {
    let book = |number: u128, title: &str, position: Option<i32>| json!({"uid": uid(number), "title": title, "shelf": "S", "position": position});
    bench
        .given("books", &[book(1, "A", Some(1)), book(2, "B", None)])
        .await;
    let rows = [book(3, "A2", Some(1)), book(4, "N", None), book(5, "C", Some(2))];
    let outcome = bench
        .run(bench.merge("books", &rows, &["position", "shelf"]))
        .await;
    assert_eq!(
        (outcome.verdict, outcome.affected, outcome.created),
        (Verdict::Created, 3, 2)
    );
    assert_eq!(
        bench.rows("books", &["title"]).await,
        r#"[{"title":"A2"},{"title":"B"},{"title":"N"},{"title":"C"}]"#,
        "NULL is in nobody's way"
    );
}

pub async fn a_merge_that_sets_nothing_stamps_all_the_same(bench: Bench) {
    two_books(&bench).await;
    let mut merge = bench.merge("books", &[json!({"uid": uid(1), "title": "never"})], &["uid"]);
    merge_of(&mut merge).set = Vec::new();
    let outcome = bench.run(merge).await;
    assert_eq!((outcome.affected, outcome.version), (1, Some(at(1_000_000))));
    assert_eq!(
        bench.rows("books", &["title"]).await,
        r#"[{"title":"A"},{"title":"B"}]"#
    );
}

pub async fn a_row_out_of_reach_keeps_a_merge_from_writing_anything(bench: Bench) {
    two_books(&bench).await;
    let before = bench.rows("books", &["title", "last_updated_at"]).await;
    let rows = [
        json!({"uid": uid(3), "title": "C", "isbn": "3"}),
        json!({"uid": uid(1), "title": "A2", "isbn": "1"}),
        json!({"uid": uid(2), "title": "B2", "isbn": "2"}),
    ];
    let only = |title: &str| bench.equals("books", "title", &json!(title));
    let cases: [&(dyn Fn(&mut Insert) + Sync); 4] = [
        &|merge| merge_of(merge).visible = only("A"),
        &|merge| merge_of(merge).permitted = only("A"),
        // In reach before, out of it after.
        &|merge| merge_of(merge).permitted = only("A").or(only("B")),
        &|merge| merge.permitted = Condition::Never,
    ];
    for (case, change) in cases.iter().enumerate() {
        let mut merge = bench.merge("books", &rows, &["uid"]);
        change(&mut merge);
        assert_eq!(
            bench.run(merge).await,
            Outcome::verdict(Verdict::NotWritable),
            "case {case}"
        );
        assert_eq!(
            bench.rows("books", &["title", "last_updated_at"]).await,
            before,
            "case {case}"
        );
    }
    let mut merge = bench.merge("books", &rows[1..], &["uid"]);
    merge.permitted = Condition::Never;
    assert_eq!(
        bench.run(merge).await.verdict,
        Verdict::Updated,
        "no row is created, so no rule is asked"
    );
}

pub async fn a_merge_tells_every_record_that_expects_something_else(bench: Bench) {
    two_books(&bench).await;
    let rows = [
        json!({"uid": uid(1), "title": "A2", "isbn": "1"}),
        json!({"uid": uid(3), "title": "C", "isbn": "3"}),
        json!({"uid": uid(2), "title": "B2", "isbn": "2"}),
    ];
    let value = |field: &str, value: serde_json::Value| {
        (bench.field("books", field), bench.value("books", field, &value))
    };
    let mut merge = bench.merge("books", &rows, &["uid"]);
    merge_of(&mut merge).expect = vec![
        vec![value("pages", json!(1)), value("tags", json!(["x"]))],
        vec![value("pages", json!(77))],
        vec![value("pages", json!(null)), value("isbn", json!("2"))],
    ];
    let outcome = bench.run(merge.clone()).await;
    let mismatches = vec![
        (0, bench.field("books", "tags")),
        // Where there is no row, the new one would not have it either.
        (1, bench.field("books", "pages")),
        (2, bench.field("books", "pages")),
    ];
    assert_eq!(outcome, Outcome::verdict(Verdict::RecordMismatch(mismatches)));
    assert_eq!(
        bench.rows("books", &["title"]).await,
        r#"[{"title":"A"},{"title":"B"}]"#
    );
    merge_of(&mut merge).expect = vec![
        vec![value("pages", json!(1)), value("tags", json!(null))],
        vec![value("pages", json!(null))],
        vec![],
    ];
    assert_eq!(bench.run(merge).await.verdict, Verdict::Created);
}

pub async fn what_is_in_the_way_elsewhere_is_a_conflict_all_the_same(bench: Bench) {
    two_books(&bench).await;
    let rows = [
        json!({"uid": uid(3), "title": "C", "isbn": "3"}),
        json!({"uid": uid(4), "title": "D", "isbn": "2"}),
    ];
    for upsert in [
        bench.merge("books", &rows, &["uid"]),
        bench.ignore("books", &rows, &["uid"]),
    ] {
        match bench.try_run(upsert).await {
            Err(StoreError::Conflict(conflict)) => {
                assert_eq!(conflict.kind, ConflictKind::Unique);
                assert_eq!(conflict.fields, [bench.field("books", "isbn")]);
                assert_eq!(conflict.record, Some(1));
            }
            other => panic!("expected a conflict, found {other:?}"),
        }
    }
    assert_eq!(bench.run(bench.list("books", &[])).await.returned, 2);
}

pub async fn rows_that_are_in_the_way_can_be_passed_over(bench: Bench) {
    two_books(&bench).await;
    let rows = [
        json!({"uid": uid(3), "title": "C", "isbn": "3"}),
        json!({"uid": uid(4), "title": "B2", "isbn": "2"}),
        json!({"uid": uid(5), "title": "E", "isbn": null}),
    ];
    let mut ignore = shown(&bench, bench.ignore("books", &rows, &["isbn"]), &["title"]);
    // A row that is passed over is not judged.
    ignore.permitted =
        bench
            .equals("books", "title", &json!("C"))
            .or(bench.equals("books", "title", &json!("E")));
    let outcome = bench.run(ignore.clone()).await;
    assert_eq!(json(&outcome), r#"[{"title":"C"},{"title":"E"}]"#);
    assert_eq!(
        (
            outcome.verdict,
            outcome.affected,
            outcome.created,
            outcome.returned
        ),
        (Verdict::Created, 2, 2, 2)
    );
    ignore.rows.truncate(2);
    let outcome = bench.run(ignore).await;
    assert_eq!(
        (outcome.verdict, outcome.rows, outcome.affected, outcome.created),
        (Verdict::Updated, Rows::None, 0, 0)
    );
    let mut refused = bench.ignore(
        "books",
        &[json!({"uid": uid(6), "title": "F", "isbn": "6"})],
        &["isbn"],
    );
    refused.permitted = Condition::Never;
    assert_eq!(bench.run(refused).await, Outcome::verdict(Verdict::NotWritable));
}

pub async fn an_upsert_comes_in_the_form_asked_for(bench: Bench) {
    two_books(&bench).await;
    let rows = [
        json!({"uid": uid(2), "title": "B2", "isbn": "2"}),
        json!({"uid": uid(3), "title": "C", "isbn": "3"}),
    ];
    let mut merge = bench.merge("books", &rows, &["uid"]);
    merge.representation = Representation::Nothing;
    let outcome = bench.run(merge.clone()).await;
    assert_eq!(
        (outcome.rows, outcome.returned, outcome.affected, outcome.created),
        (Rows::None, 0, 2, 1)
    );
    merge.representation = Representation::Records;
    let outcome = bench.run(merge.clone()).await;
    let titles: Vec<_> = records(&outcome)
        .iter()
        .map(|record| record.get("title").cloned())
        .collect();
    assert_eq!(
        titles,
        ["B2", "C"].map(|title| Some(bench.value("books", "title", &json!(title))))
    );
    merge.visible = bench.equals("books", "title", &json!("C"));
    merge.representation = Representation::JsonArray;
    merge.select = bench.select("books", &["title"]);
    let outcome = bench.run(merge).await;
    assert_eq!(
        (json(&outcome), outcome.returned, outcome.affected),
        (r#"[{"title":"C"}]"#, 1, 2)
    );
}

pub async fn a_number_of_upserted_rows_that_may_not_be_is_refused(bench: Bench) {
    two_books(&bench).await;
    let rows = [
        json!({"uid": uid(2), "title": "B2", "isbn": "2"}),
        json!({"uid": uid(3), "title": "C", "isbn": "3"}),
        json!({"uid": uid(4), "title": "D", "isbn": "4"}),
    ];
    let mut merge = bench.merge("books", &rows, &["uid"]);
    merge.bound = RowBound::AtMost(2);
    assert_eq!(bench.run(merge).await, Outcome::verdict(Verdict::RowCount(3)));
    let mut ignore = bench.ignore("books", &rows, &["uid"]);
    ignore.bound = RowBound::One;
    assert_eq!(
        bench.run(ignore.clone()).await,
        Outcome::verdict(Verdict::RowCount(2))
    );
    ignore.bound = RowBound::AtMost(1);
    assert_eq!(
        bench.run(ignore.clone()).await,
        Outcome::verdict(Verdict::RowCount(2))
    );
    assert_eq!(bench.run(bench.list("books", &[])).await.returned, 2);
    ignore.bound = RowBound::AtMost(2);
    assert_eq!(bench.run(ignore.clone()).await.created, 2);
    ignore.bound = RowBound::One;
    assert_eq!(bench.run(ignore).await, Outcome::verdict(Verdict::RowCount(0)));
}

pub async fn a_table_without_stamps_is_merged_too(bench: Bench) {
    let row = |value: i32| json!({"key": uid(1), "value": {"n": value}});
    let rename = |row: serde_json::Value| json!({"uid": row["key"], "value": row["value"]});
    for value in [1, 2] {
        bench
            .run(bench.merge("settings", &[rename(row(value))], &["uid"]))
            .await;
    }
    assert_eq!(
        bench.rows("settings", &["value"]).await,
        r#"[{"value":{"n": 2}}]"#
    );
}

pub async fn an_upsert_within_a_unit_sees_what_was_written_there(bench: Bench) {
    let row = |title: &str| [json!({"uid": uid(1), "title": title, "isbn": "1"})];
    let mut unit = bench.begin().await;
    for (title, verdict) in [("A", Verdict::Created), ("B", Verdict::Updated)] {
        let outcome = unit
            .execute(step(bench.merge("books", &row(title), &["isbn"])))
            .await;
        assert_eq!(outcome.expect("it is carried out").verdict, verdict);
    }
    unit.commit().await.expect("it is committed");
    assert_eq!(bench.rows("books", &["title"]).await, r#"[{"title":"B"}]"#);
}

pub async fn of_all_that_merge_the_same_new_rows_one_creates_each(bench: Bench) {
    for round in 0..5_u128 {
        let merges = (0..WRITERS).map(|writer| {
            // Each begins with another row, so that they meet in every order.
            let mut rows: Vec<_> = (0..20)
                .map(|number: u128| {
                    json!({"uid": uid(1_000 * (writer + 1) + 100 * round + number), "title": writer.to_string(), "isbn": format!("{round}-{number}")})
                })
                .collect();
            rows.rotate_left(usize::try_from(writer).expect("few"));
            step(bench.merge("books", &rows, &["isbn"]))
        });
        let answers = all_at_once(&bench, merges.collect()).await;
        let outcomes: Vec<&Outcome> = answers
            .iter()
            .map(|answer| {
                answer
                    .as_ref()
                    .unwrap_or_else(|error| panic!("round {round}: {error:?}"))
            })
            .collect();
        let created: u64 = outcomes.iter().map(|outcome| outcome.created).sum();
        assert_eq!(created, 20, "round {round}");
        assert!(
            outcomes.iter().all(|outcome| outcome.affected == 20),
            "round {round}"
        );
    }
    assert_eq!(bench.run(bench.list("books", &[])).await.returned, 100);
}

pub async fn no_merge_is_lost_and_every_version_differs(bench: Bench) {
    two_books(&bench).await;
    let merges = (0..4 * WRITERS).map(|writer| {
        let mut rows = vec![
            json!({"uid": uid(1), "title": writer.to_string(), "isbn": "1"}),
            json!({"uid": uid(2), "title": writer.to_string(), "isbn": "2"}),
        ];
        if writer % 2 == 0 {
            rows.reverse();
        }
        let mut merge = bench.merge("books", &rows, &["uid"]);
        merge.select = bench.select("books", &["last_updated_at"]);
        step(merge)
    });
    let answers = all_at_once(&bench, merges.collect()).await;
    let mut versions = std::collections::BTreeSet::new();
    for answer in answers {
        let outcome = answer.expect("no merge fails");
        assert_eq!(outcome.affected, 2);
        versions.insert(json(&outcome).to_owned());
    }
    assert_eq!(
        versions.len(),
        32,
        "each wrote both rows after all others or before them"
    );
    let titles: Vec<serde_json::Value> =
        serde_json::from_str(&bench.rows("books", &["title"]).await).expect("JSON");
    assert_eq!(titles[0], titles[1], "a merge is seen whole or not at all");
}

pub async fn of_all_that_pass_over_the_same_rows_one_creates_each(bench: Bench) {
    let ignores = (0..WRITERS).map(|writer| {
        let mut rows: Vec<_> = (0..50)
            .map(|number: u128| json!({"uid": uid(number + 1), "name": writer.to_string()}))
            .collect();
        rows.rotate_left(usize::try_from(6 * writer).expect("few"));
        step(bench.ignore("authors", &rows, &["uid"]))
    });
    let answers = all_at_once(&bench, ignores.collect()).await;
    let created: u64 = answers
        .iter()
        .map(|answer| answer.as_ref().expect("none fails").created)
        .sum();
    assert_eq!(created, 50);
    assert_eq!(bench.run(bench.list("authors", &[])).await.returned, 50);
}

pub async fn random_upserts_do_what_a_plain_model_does(bench: Bench) {
    use std::collections::BTreeMap;

    // A small generator of our own, so that each store sees the same and nothing depends on the run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut model: BTreeMap<u64, (Option<u64>, Option<u64>)> = BTreeMap::new();
    let resource = Arc::clone(bench.resource("books"));
    for round in 0..60_u32 {
        let mut rows = Vec::new();
        let mut given = Vec::new();
        let mut keys: Vec<u64> = (0..12).collect();
        for _ in 0..=next(6) {
            let index = usize::try_from(next(u64::try_from(keys.len()).expect("few"))).expect("few");
            let key = keys.swap_remove(index);
            let (pages, position) = ((next(3) > 0).then(|| next(100)), (next(3) > 0).then(|| next(100)));
            rows.push((key, pages, position));
            given.push(vec![next(2) == 0, next(2) == 0]);
        }
        let objects: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(index, (key, pages, position))| {
                json!({"uid": uid(u128::from(round * 100) + u128::try_from(index).expect("few") + 1), "title": "T", "isbn": key.to_string(), "pages": pages, "position": position})
            })
            .collect();
        let ignores = next(3) == 0;
        let upsert = if ignores {
            bench.ignore("books", &objects, &["isbn"])
        } else {
            let mut merge = bench.merge("books", &objects, &["isbn"]);
            merge_of(&mut merge).set = ["pages", "position"]
                .map(|name| resource.field_id(name).expect("a field"))
                .to_vec();
            merge_of(&mut merge).given = Some(given.clone());
            merge
        };
        assert!(
            matches!(
                upsert.conflict.as_ref().map(|conflict| &conflict.action),
                Some(ConflictAction::Ignore)
            ) == ignores
        );
        let outcome = bench.run(upsert).await;
        let mut created = 0;
        for ((key, pages, position), given) in rows.iter().zip(&given) {
            match model.get_mut(key) {
                None => {
                    created += 1;
                    model.insert(*key, (*pages, *position));
                }
                Some(_) if ignores => {}
                Some((old_pages, old_position)) => {
                    if given[0] {
                        *old_pages = *pages;
                    }
                    if given[1] {
                        *old_position = *position;
                    }
                }
            }
        }
        assert_eq!(outcome.created, created, "round {round}");
    }
    let mut list = bench.list("books", &["isbn", "pages", "position"]);
    list.query.order[0].operand = rowstamp_domain::query::Operand::Field(bench.field("books", "isbn"));
    let found: Vec<serde_json::Value> = serde_json::from_str(json(&bench.run(list).await)).expect("JSON");
    let mut expected: Vec<_> = model
        .iter()
        .map(
            |(key, (pages, position))| json!({"isbn": key.to_string(), "pages": pages, "position": position}),
        )
        .collect();
    expected.sort_by_key(|row| row["isbn"].as_str().map(str::to_owned));
    assert_eq!(found, expected);
}
