//! Clauses about walking through pages by the position of their last rows.

use std::collections::HashSet;

use rowstamp_domain::operation::{Count, List, Outcome, Representation};
use rowstamp_domain::query::{
    Aggregate, Comparison, Condition, Direction, Expression, Nulls, OrderTerm, Predicate,
};
use rowstamp_domain::value::Value;
use serde_json::json;

use super::bench::{Bench, json, uid};
use super::{aggregate, also, column, embedded, of_embed};

/// Books whose pages and shelves repeat, and are missing now and then.
async fn shelves(bench: &Bench) {
    let authors: Vec<_> = ["Ana", "Bo"]
        .iter()
        .zip(100..)
        .map(|(name, number)| json!({"uid": uid(number), "name": name}))
        .collect();
    bench.given("authors", &authors).await;
    let books: Vec<_> = (1..=24_u128)
        .map(|number| {
            let pages = (number % 4 != 0).then_some(number % 3);
            let shelf = (number % 5 != 0).then(|| ["x", "y"][usize::from(number % 2 == 0)]);
            let author = (number % 3 != 0).then(|| uid(100 + number % 2));
            json!({
                "uid": uid(number), "title": format!("{}", number % 7), "pages": pages, "shelf": shelf, "status": "draft",
                "position": number, "author_uid": author,
            })
        })
        .collect();
    bench.given("books", &books).await;
}

fn ordered(bench: &Bench, terms: &[(&str, Direction, Nulls)]) -> List {
    let mut list = bench.list("books", &["uid"]);
    list.query.order = terms
        .iter()
        .map(|(field, direction, nulls)| bench.term("books", field, *direction, *nulls))
        .collect();
    if !terms.iter().any(|(field, ..)| *field == "uid") {
        list.query
            .order
            .push(bench.term("books", "uid", Direction::Ascending, Nulls::Last));
    }
    list.look_ahead = true;
    list
}

fn rows(outcome: &Outcome) -> Vec<serde_json::Value> {
    serde_json::from_str(json(outcome)).expect("an array of rows")
}

/// Every row of the list, page by page, and how many pages there were.
async fn walk(bench: &Bench, list: &List, limit: u32) -> (Vec<serde_json::Value>, usize) {
    let mut page = list.clone();
    page.query.limit = limit;
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let outcome = bench.run(page.clone()).await;
        let found = rows(&outcome);
        assert_eq!(u64::try_from(found.len()), Ok(outcome.returned));
        assert!(found.len() <= limit as usize);
        all.extend(found);
        pages += 1;
        assert!(pages < 100, "the walk comes to no end");
        match outcome.next {
            Some(next) => page.query.after = Some(next),
            None => return (all, pages),
        }
    }
}

async fn walks_as_it_lists(bench: &Bench, list: List) {
    let mut whole = list.clone();
    whole.look_ahead = false;
    whole.query.limit = 100;
    let expected = rows(&bench.run(whole).await);
    for limit in [1, 5, 24, 25] {
        let (found, _) = walk(bench, &list, limit).await;
        assert_eq!(found, expected, "{limit} at a time by {:?}", list.query.order);
    }
}

const DIRECTIONS: [Direction; 2] = [Direction::Ascending, Direction::Descending];
const NULLS: [Nulls; 2] = [Nulls::First, Nulls::Last];

pub async fn a_walk_by_one_field_meets_each_row_once(bench: Bench) {
    shelves(&bench).await;
    for direction in DIRECTIONS {
        for nulls in NULLS {
            for field in ["pages", "title", "uid", "created_at"] {
                walks_as_it_lists(&bench, ordered(&bench, &[(field, direction, nulls)])).await;
            }
        }
    }
}

pub async fn a_walk_by_two_fields_in_any_directions_meets_each_row_once(bench: Bench) {
    shelves(&bench).await;
    for (first, second) in [
        ("shelf", "pages"),
        ("title", "pages"),
        ("shelf", "title"),
        ("pages", "position"),
    ] {
        for direction in DIRECTIONS {
            for nulls in NULLS {
                let terms = [
                    (first, direction, nulls),
                    (second, Direction::Descending, Nulls::Last),
                    ("uid", direction, Nulls::Last),
                ];
                walks_as_it_lists(&bench, ordered(&bench, &terms)).await;
            }
        }
    }
}

pub async fn a_walk_by_an_embedded_row_meets_each_row_once(bench: Bench) {
    shelves(&bench).await;
    for direction in DIRECTIONS {
        for nulls in NULLS {
            let mut list = ordered(&bench, &[("pages", direction, nulls)]);
            let author = bench.embed("author", "authors", bench.one("books", "author_uid"), &["name"]);
            let position = also(&mut list.query, [embedded(author)]);
            let term = of_embed(position, bench.term("authors", "name", direction, nulls));
            list.query.order.insert(0, term);
            walks_as_it_lists(&bench, list).await;
        }
    }
}

pub async fn a_walk_by_a_part_of_a_json_value_meets_each_row_once(bench: Bench) {
    let details = [
        json!({"a": 1}),
        json!({"a": "x"}),
        json!({"a": null}),
        json!({}),
        json!([2]),
        json!(null),
        json!({"a": [1]}),
    ];
    let reviews: Vec<_> = details
        .iter()
        .cycle()
        .take(20)
        .zip(1..)
        .map(|(details, number)| json!({"uid": uid(number), "details": details}))
        .collect();
    bench.given("reviews", &reviews).await;
    for direction in DIRECTIONS {
        for nulls in NULLS {
            for text in ["details->a", "details->>a"] {
                let mut list = bench.list("reviews", &["uid", "details"]);
                let term = OrderTerm {
                    embed: None,
                    operand: bench.operand("reviews", text),
                    direction,
                    nulls,
                };
                list.query.order.insert(0, term);
                list.look_ahead = true;
                walks_as_it_lists(&bench, list).await;
            }
        }
    }
}

pub async fn the_position_is_that_of_the_last_row_and_told_only_where_more_follow(bench: Bench) {
    shelves(&bench).await;
    let mut list = ordered(&bench, &[("position", Direction::Descending, Nulls::First)]);
    list.query.limit = 23;
    let outcome = bench.run(list.clone()).await;
    assert_eq!(outcome.next, Some(vec![Value::Integer(2), Value::Uuid(uid(2))]));
    assert_eq!(outcome.returned, 23);
    list.query.limit = 24;
    assert_eq!(bench.run(list.clone()).await.next, None);
    list.query.limit = 0;
    let nothing = bench.run(list.clone()).await;
    assert_eq!((json(&nothing), &nothing.next), ("[]", &None));
    list.query.limit = 1;
    list.look_ahead = false;
    assert_eq!(bench.run(list).await.next, None);
}

pub async fn a_position_does_not_depend_on_the_form_nor_on_the_columns(bench: Bench) {
    shelves(&bench).await;
    let mut list = ordered(&bench, &[("pages", Direction::Ascending, Nulls::First)]);
    list.query.limit = 7;
    let expected = bench.run(list.clone()).await.next;
    assert!(expected.is_some());
    for representation in [
        Representation::Nothing,
        Representation::Records,
        Representation::Csv,
        Representation::StrippedArray,
    ] {
        list.representation = representation;
        assert_eq!(bench.run(list.clone()).await.next, expected, "{representation:?}");
    }
    list.representation = Representation::JsonArray;
    list.query.select = bench.select("books", &["title", "pages"]);
    assert_eq!(bench.run(list.clone()).await.next, expected);
    list.count = Count::Exact;
    let outcome = bench.run(list).await;
    assert_eq!(
        (outcome.next, outcome.total, outcome.returned),
        (expected, Some(24), 7)
    );
}

pub async fn a_count_is_of_all_rows_whatever_the_position(bench: Bench) {
    shelves(&bench).await;
    let mut list = ordered(&bench, &[("shelf", Direction::Ascending, Nulls::Last)]);
    list.query.limit = 5;
    list.count = Count::Exact;
    list.query.condition = bench.test(
        "books",
        "pages",
        Predicate::Compare(Comparison::Gte, Value::Integer(1)),
    );
    let first = bench.run(list.clone()).await;
    list.query.after.clone_from(&first.next);
    let second = bench.run(list).await;
    assert!(first.total.is_some());
    assert_eq!(first.total, second.total);
    assert_eq!(second.returned, 5);
}

pub async fn rules_and_conditions_hold_after_any_position(bench: Bench) {
    shelves(&bench).await;
    let mut list = ordered(&bench, &[("pages", Direction::Ascending, Nulls::Last)]);
    list.visible = bench.equals("books", "shelf", &json!("x"));
    list.query.condition = Condition::Not(Box::new(bench.equals("books", "title", &json!("1"))));
    list.query.after = Some(vec![Value::Integer(-1), Value::Uuid(uid(0))]);
    let all = bench.run(list.clone()).await;
    list.query.after = None;
    assert_eq!(json(&all), json(&bench.run(list).await));
}

pub async fn a_walk_meets_each_row_once_while_others_come_and_go(bench: Bench) {
    shelves(&bench).await;
    let mut list = ordered(&bench, &[("title", Direction::Descending, Nulls::First)]);
    list.query.limit = 4;
    let mut seen = Vec::new();
    for step in 0..20_u128 {
        let outcome = bench.run(list.clone()).await;
        seen.extend(rows(&outcome).iter().map(|row| row["uid"].to_string()));
        // One before and one behind the position, and one that was seen goes.
        let book = |number: u128, title: &str| json!({"uid": uid(number), "title": title, "status": "draft"});
        bench
            .given("books", &[book(200 + step, "9"), book(300 + step, "-")])
            .await;
        bench.run(bench.delete("books", uid(200 + step))).await;
        match outcome.next {
            Some(next) => list.query.after = Some(next),
            None => break,
        }
    }
    let distinct: HashSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len());
    for number in 1..=24 {
        assert!(distinct.contains(&json!(uid(number)).to_string()), "{number}");
    }
}

pub async fn groups_are_walked_through_too(bench: Bench) {
    shelves(&bench).await;
    let mut list = bench.list("books", &[]);
    let pages = bench.expression("books", "pages");
    also(
        &mut list.query,
        [
            column("shelf", bench.expression("books", "shelf")),
            column("pages", pages.clone()),
            column("count", Expression::CountRows),
            column(
                "last",
                aggregate(Aggregate::Max, bench.expression("books", "position")),
            ),
        ],
    );
    list.query.order = vec![
        bench.term("books", "shelf", Direction::Descending, Nulls::Last),
        bench.term("books", "pages", Direction::Ascending, Nulls::First),
    ];
    list.look_ahead = true;
    walks_as_it_lists(&bench, list.clone()).await;
    list.count = Count::Exact;
    list.query.limit = 1;
    let outcome = bench.run(list).await;
    assert!(outcome.next.is_some());
    assert!(outcome.total > Some(5));
}
