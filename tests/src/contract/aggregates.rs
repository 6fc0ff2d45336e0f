//! Clauses about aggregates and groups.

use rowstamp_domain::field_type::ScalarType;
use rowstamp_domain::operation::{Count, List};
use rowstamp_domain::query::{
    Aggregate, Comparison, Condition, Direction, EmbedForm, Expression, Nulls, OrderTerm, Predicate,
    SelectItem,
};
use rowstamp_domain::value::Value;
use rowstamp_ports::{QueryFault, StoreError};
use serde_json::json;

use super::bench::{Bench, json, uid};
use super::queries::{aggregate, also, cast, column, embedded};

/// Reviews of two books, one without a book; stars 5, 3, 4, NULL, 1.
async fn reviews(bench: &Bench) {
    bench
        .given(
            "authors",
            &[
                json!({"uid": uid(11), "name": "Ada"}),
                json!({"uid": uid(12), "name": "Bea"}),
            ],
        )
        .await;
    let book =
        |number, author| json!({"uid": uid(number), "title": format!("B{number}"), "author_uid": author});
    bench
        .given(
            "books",
            &[book(1, Some(uid(11))), book(2, Some(uid(12))), book(3, None)],
        )
        .await;
    for (number, stars, book) in [
        (21, Some(5), Some(1)),
        (22, Some(3), Some(1)),
        (23, Some(4), Some(2)),
        (24, None, Some(2)),
        (25, Some(1), None),
    ] {
        let row = json!({"uid": uid(number), "stars": stars, "book_uid": book.map(uid), "words": null});
        bench.given("reviews", &[row]).await;
    }
}

/// A list of reviews with these columns, grouped by what is named, in the order of that.
fn grouped(bench: &Bench, by: &[&str], aggregates: impl IntoIterator<Item = SelectItem>) -> List {
    let mut list = bench.list("reviews", by);
    also(&mut list.query, aggregates);
    list.query.order = by
        .iter()
        .map(|name| bench.term("reviews", name, Direction::Ascending, Nulls::Last))
        .collect();
    list
}

fn of_stars(bench: &Bench, function: Aggregate) -> Expression {
    aggregate(function, bench.expression("reviews", "stars"))
}

pub async fn all_rows_are_one_group_where_nothing_groups(bench: Bench) {
    reviews(&bench).await;
    let all = || {
        [
            column("rows", Expression::CountRows),
            column("stars", of_stars(&bench, Aggregate::Count)),
            column("sum", of_stars(&bench, Aggregate::Sum)),
            column("avg", of_stars(&bench, Aggregate::Avg)),
            column("min", of_stars(&bench, Aggregate::Min)),
            column("max", of_stars(&bench, Aggregate::Max)),
        ]
    };
    let mut list = grouped(&bench, &[], all());
    list.count = Count::Exact;
    let outcome = bench.run(list.clone()).await;
    assert_eq!(
        json(&outcome),
        r#"[{"rows":5,"stars":4,"sum":13,"avg":3.2500000000000000,"min":1,"max":5}]"#
    );
    assert_eq!((outcome.returned, outcome.total), (1, Some(1)));
    // Of no rows there is a group too.
    list.query.condition = Condition::Never;
    assert_eq!(
        json(&bench.run(list).await),
        r#"[{"rows":0,"stars":0,"sum":null,"avg":null,"min":null,"max":null}]"#
    );
}

pub async fn rows_are_grouped_by_all_other_columns(bench: Bench) {
    reviews(&bench).await;
    let mut list = grouped(
        &bench,
        &["book_uid"],
        [
            column("count", Expression::CountRows),
            column("sum", of_stars(&bench, Aggregate::Sum)),
        ],
    );
    list.count = Count::Exact;
    let outcome = bench.run(list.clone()).await;
    let (one, two) = (uid(1), uid(2));
    let by_book = [
        format!(r#"{{"book_uid":"{one}","count":2,"sum":8}}"#),
        format!(r#"{{"book_uid":"{two}","count":2,"sum":4}}"#),
        r#"{"book_uid":null,"count":1,"sum":1}"#.to_owned(),
    ];
    assert_eq!(json(&outcome), format!("[{}]", by_book.join(",")));
    assert_eq!(outcome.total, Some(3));

    // Groups have pages and positions.
    list.query.limit = 1;
    list.look_ahead = true;
    for (number, expected) in by_book.iter().enumerate() {
        let outcome = bench.run(list.clone()).await;
        assert_eq!(json(&outcome), format!("[{expected}]"));
        assert_eq!(outcome.total, Some(3));
        assert_eq!(outcome.next.is_some(), number < 2);
        list.query.after = outcome.next;
    }
    list.query.after = None;
    list.query.offset = 2;
    assert_eq!(json(&bench.run(list.clone()).await), format!("[{}]", by_book[2]));
    list.query.offset = 0;
    list.query.condition = bench.test(
        "reviews",
        "stars",
        Predicate::Compare(Comparison::Eq, Value::Integer(9)),
    );
    assert_eq!(json(&bench.run(list).await), "[]");
}

pub async fn groups_go_by_what_the_column_is_cast_to(bench: Bench) {
    for (number, at) in (1..).zip([
        "2026-01-01T01:00:00Z",
        "2026-01-01T23:00:00Z",
        "2026-01-02T00:00:00Z",
    ]) {
        bench
            .given("reviews", &[json!({"uid": uid(number), "written_at": at})])
            .await;
    }
    let day = cast(bench.expression("reviews", "written_at"), ScalarType::Date);
    let mut list = grouped(
        &bench,
        &[],
        [column("day", day), column("n", Expression::CountRows)],
    );
    list.query.order = vec![bench.term("reviews", "written_at", Direction::Descending, Nulls::First)];
    assert_eq!(
        json(&bench.run(list).await),
        r#"[{"day":"2026-01-02","n":1},{"day":"2026-01-01","n":2}]"#
    );
}

pub async fn results_of_aggregates_have_types_of_their_own(bench: Bench) {
    use Aggregate::{Avg, Count, Max, Min, Sum};

    for (number, (bigint, decimal, float)) in
        (1..).zip([(i64::MAX, "1.5", 0.5), (i64::MAX, "2.25", 1.0), (1, "0", -0.25)])
    {
        let row = json!({"uid": uid(number), "bigint": bigint, "digits": bigint, "decimal": decimal, "float": float, "text": "a"});
        bench.given("specimens", &[row]).await;
    }
    let of = |function, field: &str| column("v", aggregate(function, bench.expression("specimens", field)));
    for (item, expected) in [
        (of(Sum, "bigint"), "18446744073709551615"),
        (of(Avg, "bigint"), "6148914691236517205"),
        (of(Sum, "decimal"), "3.75"),
        (of(Avg, "decimal"), "1.25000000000000000000"),
        (of(Sum, "float"), "1.25"),
        (of(Min, "float"), "-0.25"),
        (of(Max, "digits"), "\"9223372036854775807\""),
        (of(Count, "digits"), "3"),
        (of(Max, "text"), "\"a\""),
        (
            column(
                "v",
                cast(
                    aggregate(Sum, bench.expression("specimens", "decimal")),
                    ScalarType::Text,
                ),
            ),
            "\"3.75\"",
        ),
        (
            column(
                "v",
                aggregate(
                    Sum,
                    cast(bench.expression("specimens", "decimal"), ScalarType::Integer),
                ),
            ),
            "4",
        ),
    ] {
        let mut list = bench.list("specimens", &[]);
        list.query.order = Vec::new();
        let what = format!("{item:?}");
        also(&mut list.query, [item]);
        assert_eq!(
            json(&bench.run(list).await),
            format!("[{{\"v\":{expected}}}]"),
            "{what}"
        );
    }
    let sum = cast(
        aggregate(Sum, bench.expression("specimens", "bigint")),
        ScalarType::BigInt,
    );
    let mut list = bench.list("specimens", &[]);
    list.query.order = Vec::new();
    also(&mut list.query, [column("v", sum)]);
    assert_eq!(
        bench.try_run(list).await,
        Err(StoreError::InvalidQuery(QueryFault::Value))
    );
}

pub async fn columns_of_a_spread_embed_group_too(bench: Bench) {
    reviews(&bench).await;
    let mut book = bench.embed("books", "books", bench.one("reviews", "book_uid"), &["title"]);
    book.form = EmbedForm::Spread;
    let mut list = grouped(&bench, &[], [embedded(book), column("n", Expression::CountRows)]);
    list.query.order = vec![OrderTerm {
        embed: Some(0),
        ..bench.term("books", "title", Direction::Descending, Nulls::Last)
    }];
    assert_eq!(
        json(&bench.run(list).await),
        r#"[{"title":"B2","n":2},{"title":"B1","n":2},{"title":null,"n":1}]"#
    );
}

pub async fn embedded_rows_have_groups_of_their_own(bench: Bench) {
    reviews(&bench).await;
    let mut ratings = bench.embed("ratings", "reviews", bench.many("reviews", "book_uid"), &[]);
    also(
        &mut ratings.query,
        [
            column("n", Expression::CountRows),
            column("sum", of_stars(&bench, Aggregate::Sum)),
        ],
    );
    ratings.query.order = Vec::new();
    let mut list = bench.list("books", &["title"]);
    also(&mut list.query, [embedded(ratings)]);
    assert_eq!(
        json(&bench.run(list).await),
        r#"[{"title":"B1","ratings":[{"n":2,"sum":8}]},{"title":"B2","ratings":[{"n":2,"sum":4}]},{"title":"B3","ratings":[{"n":0,"sum":null}]}]"#
    );
}
