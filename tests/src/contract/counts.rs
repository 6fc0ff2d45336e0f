//! Clauses about how many rows match, beside a page of them.

use rowstamp_domain::operation::{Count, List};
use rowstamp_domain::query::{Comparison, Condition, Join, Predicate};
use rowstamp_domain::value::Value;
use serde_json::json;

use super::bench::{Bench, uid};
use super::queries::{also, embedded};

/// Nine specimens numbered 1 to 9.
async fn nine(bench: &Bench) -> List {
    for number in 1..=9_u32 {
        let row = json!({"uid": uid(number.into()), "integer": number});
        bench.given("specimens", &[row]).await;
    }
    bench.list("specimens", &["integer"])
}

pub async fn a_count_does_not_depend_on_the_page(bench: Bench) {
    let mut list = nine(&bench).await;
    list.count = Count::Exact;
    for (limit, offset, returned) in [
        (1000, 0, 9),
        (3, 0, 3),
        (3, 8, 1),
        (3, 9, 0),
        (3, 100, 0),
        (0, 0, 0),
    ] {
        (list.query.limit, list.query.offset) = (limit, offset);
        let outcome = bench.run(list.clone()).await;
        assert_eq!(
            (outcome.returned, outcome.total),
            (returned, Some(9)),
            "{limit} {offset}"
        );
    }
    (list.query.limit, list.query.offset) = (3, 0);
    list.query.after = Some(vec![Value::Uuid(uid(8))]);
    let outcome = bench.run(list).await;
    assert_eq!((outcome.returned, outcome.total), (1, Some(9)));
}

pub async fn only_what_matches_and_may_be_seen_is_counted(bench: Bench) {
    let mut list = nine(&bench).await;
    let below = |number| {
        let predicate = Predicate::Compare(Comparison::Lt, Value::Integer(number));
        bench.test("specimens", "integer", predicate)
    };
    list.query.condition = below(8);
    list.visible = Condition::Not(Box::new(below(3)));
    list.query.limit = 1;
    for count in [Count::Exact, Count::Estimated { exact_up_to: 100 }] {
        list.count = count;
        assert_eq!(bench.run(list.clone()).await.total, Some(5), "{count:?}");
    }
    list.count = Count::None;
    assert_eq!(bench.run(list).await.total, None);
}

pub async fn an_estimate_is_exact_as_far_as_it_says_and_more_beyond(bench: Bench) {
    let mut list = nine(&bench).await;
    for (exact_up_to, exact) in [(8, false), (9, true), (10, true), (0, false)] {
        list.count = Count::Estimated { exact_up_to };
        let total = bench.run(list.clone()).await.total.expect("it was counted");
        assert!(
            if exact { total == 9 } else { total > exact_up_to },
            "{exact_up_to}: {total}"
        );
    }
    list.count = Count::Planned;
    assert!(bench.run(list.clone()).await.total.is_some());
    list.query.condition = Condition::Never;
    list.count = Count::Estimated { exact_up_to: 0 };
    assert_eq!(bench.run(list).await.total, Some(0));
}

pub async fn rows_without_what_is_joined_do_not_count(bench: Bench) {
    let mut list = nine(&bench).await;
    for (number, specimen) in [(101, 1), (102, 1), (103, 4)] {
        bench
            .given(
                "exhibits",
                &[json!({"uid": uid(number), "specimen_uid": uid(specimen)})],
            )
            .await;
    }
    let relation = bench.many("exhibits", "specimen_uid");
    let mut exhibits = bench.embed("exhibits", "exhibits", relation, &["label"]);
    exhibits.join = Join::Inner;
    also(&mut list.query, [embedded(exhibits)]);
    list.count = Count::Exact;
    list.query.limit = 1;
    let outcome = bench.run(list).await;
    assert_eq!((outcome.returned, outcome.total), (1, Some(2)));
}
