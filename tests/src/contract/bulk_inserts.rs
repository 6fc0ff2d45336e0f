//! Clauses about creating many rows in one operation.

use rowstamp_domain::operation::{Outcome, Representation, RowBound, Verdict};
use serde_json::json;

use super::bench::{Bench, json, uid};

pub async fn ten_thousand_rows_with_arrays_are_created_in_one_operation(bench: Bench) {
    let rows: Vec<_> = (1..=10_000)
        .map(|number: u128| {
            json!({"uid": uid(number), "title": format!("T{number}"), "pages": number, "tags": ["a \"b\"", null, "{c}", number.to_string()]})
        })
        .collect();
    let mut insert = bench.insert("books", &rows);
    insert.representation = Representation::Nothing;
    let outcome = bench.run(insert).await;
    assert_eq!((outcome.affected, outcome.created), (10_000, 10_000));
    let mut read = bench.read("books", uid(9_999));
    read.select = bench.select("books", &["title", "tags"]);
    assert_eq!(
        json(&bench.run(read).await),
        r#"{"title":"T9999","tags":["a \"b\"",null,"{c}","9999"]}"#
    );
}

pub async fn a_number_of_new_rows_that_may_not_be_is_refused(bench: Bench) {
    let rows = [1, 2].map(|number| json!({"uid": uid(number), "name": "Ada"}));
    for (rows, bound, refused) in [
        (&rows[..], RowBound::One, true),
        (&rows[..], RowBound::AtMost(1), true),
        (&rows[..], RowBound::AtMost(2), false),
        (&rows[..1], RowBound::AtMost(0), true),
    ] {
        let mut insert = bench.insert("authors", rows);
        insert.bound = bound;
        let outcome = bench.run(insert).await;
        let count = u64::try_from(rows.len()).expect("few");
        if refused {
            assert_eq!(outcome, Outcome::verdict(Verdict::RowCount(count)), "{bound:?}");
            assert_eq!(bench.rows("authors", &["uid"]).await, "[]", "{bound:?}");
        } else {
            assert_eq!((outcome.verdict, outcome.affected), (Verdict::Created, count));
            bench
                .run(bench.delete_many("authors", rowstamp_domain::query::Condition::Always))
                .await;
        }
    }
    let mut insert = bench.insert("authors", &rows[..1]);
    insert.bound = RowBound::One;
    assert_eq!(bench.run(insert).await.verdict, Verdict::Created);
}
