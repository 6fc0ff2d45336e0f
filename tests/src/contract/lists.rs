//! Clauses about reading pages of rows.

use rowstamp_domain::operation::{Count, Representation, Rows, Verdict};
use rowstamp_domain::query::{Comparison, Condition, Direction, IsTest, Nulls, PatternKind, Predicate};
use rowstamp_domain::value::Value;
use serde_json::json;

use super::bench::{Bench, json, records, uid};

/// Five books: A to E; C and E have no pages, D is published.
async fn shelf(bench: &Bench) {
    let book = |number: u128, title: &str, pages: Option<i32>, status: &str| json!({"uid": uid(number), "title": title, "pages": pages, "status": status});
    let books = [
        book(1, "A", Some(300), "draft"),
        book(2, "B", Some(100), "draft"),
        book(3, "C", None, "draft"),
        book(4, "D", Some(200), "published"),
        book(5, "E", None, "draft"),
    ];
    bench.given("books", &books).await;
}

/// The titles of the books that satisfy `condition`, by uid.
async fn titles(bench: &Bench, condition: Condition) -> String {
    let mut list = bench.list("books", &["title"]);
    list.query.condition = condition;
    let outcome = bench.run(list).await;
    assert_eq!(outcome.verdict, Verdict::Found);
    letters(json(&outcome))
}

/// The titles of an answer without what is around them.
fn letters(json: &str) -> String {
    json.chars().filter(char::is_ascii_uppercase).collect()
}

pub async fn an_empty_page_is_found_and_is_an_empty_array(bench: Bench) {
    let outcome = bench.run(bench.list("authors", &["name"])).await;
    assert_eq!(outcome.verdict, Verdict::Found);
    assert_eq!((json(&outcome), outcome.returned, outcome.total), ("[]", 0, None));
    assert_eq!((outcome.version, outcome.uid), (None, None));
    let mut list = bench.list("authors", &["name"]);
    list.representation = Representation::Records;
    assert_eq!(bench.run(list).await.rows, Rows::Records(Vec::new()));
}

pub async fn a_page_comes_in_the_form_asked_for(bench: Bench) {
    shelf(&bench).await;
    let mut list = bench.list("books", &["title", "pages"]);
    list.query.limit = 3;
    let outcome = bench.run(list.clone()).await;
    assert_eq!(
        json(&outcome),
        r#"[{"title":"A","pages":300},{"title":"B","pages":100},{"title":"C","pages":null}]"#
    );
    assert_eq!(outcome.returned, 3);

    list.representation = Representation::Records;
    let outcome = bench.run(list.clone()).await;
    let pages: Vec<_> = records(&outcome)
        .iter()
        .map(|record| record.get("pages").cloned())
        .collect();
    assert_eq!(
        pages,
        [
            Some(Value::Integer(300)),
            Some(Value::Integer(100)),
            Some(Value::Null)
        ]
    );
    assert_eq!(records(&outcome)[0].get("isbn"), None);

    list.representation = Representation::Nothing;
    list.count = Count::Exact;
    let outcome = bench.run(list).await;
    assert_eq!(
        (outcome.rows, outcome.returned, outcome.total),
        (Rows::None, 0, Some(5))
    );
}

/// A field, which way, and where its NULLs go.
type Term = (&'static str, Direction, Nulls);

pub async fn an_order_goes_by_its_terms_one_after_the_other(bench: Bench) {
    use Direction::{Ascending, Descending};
    use Nulls::{First, Last};
    shelf(&bench).await;
    let cases: [(&[Term], &str); 8] = [
        (&[("pages", Ascending, Last), ("uid", Ascending, Last)], "BDACE"),
        (&[("pages", Ascending, First), ("uid", Ascending, Last)], "CEBDA"),
        (&[("pages", Descending, First), ("uid", Ascending, Last)], "CEADB"),
        (&[("pages", Descending, Last), ("uid", Descending, Last)], "ADBEC"),
        (&[("uid", Descending, First)], "EDCBA"),
        (&[("status", Ascending, Last), ("uid", Descending, Last)], "ECBAD"),
        (
            &[
                ("status", Descending, Last),
                ("pages", Ascending, Last),
                ("uid", Ascending, Last),
            ],
            "DBACE",
        ),
        (
            &[
                ("isbn", Ascending, Last),
                ("title", Descending, Last),
                ("uid", Ascending, Last),
            ],
            "EDCBA",
        ),
    ];
    for (terms, expected) in cases {
        let mut list = bench.list("books", &["title"]);
        list.query.order = terms
            .iter()
            .map(|(field, direction, nulls)| bench.term("books", field, *direction, *nulls))
            .collect();
        assert_eq!(letters(json(&bench.run(list).await)), expected, "{terms:?}");
    }
}

pub async fn a_page_begins_after_its_offset_and_ends_at_its_limit(bench: Bench) {
    shelf(&bench).await;
    let cases = [
        (5, 0, "ABCDE"),
        (2, 0, "AB"),
        (2, 1, "BC"),
        (2, 4, "E"),
        (2, 5, ""),
        (0, 0, ""),
        (2, u64::MAX >> 1, ""),
    ];
    for (limit, offset, expected) in cases {
        let mut list = bench.list("books", &["title"]);
        (list.query.limit, list.query.offset) = (limit, offset);
        let outcome = bench.run(list).await;
        assert_eq!(letters(json(&outcome)), expected, "limit {limit} offset {offset}");
        assert_eq!(outcome.returned, expected.len() as u64);
    }
}

pub async fn an_exact_count_is_of_all_matching_rows_that_may_be_seen(bench: Bench) {
    shelf(&bench).await;
    let draft = bench.equals("books", "status", &json!("draft"));
    let long = bench.test(
        "books",
        "pages",
        Predicate::Compare(Comparison::Gt, Value::Integer(150)),
    );
    let cases = [
        (Condition::Always, Condition::Always, 2, 0, 5, "AB"),
        (draft.clone(), Condition::Always, 1, 1, 4, "B"),
        (draft, long.clone(), 5, 0, 1, "A"),
        (Condition::Never, long, 5, 0, 0, ""),
        (Condition::Always, Condition::Always, 5, 9, 5, ""),
        (Condition::Always, Condition::Always, 0, 0, 5, ""),
    ];
    for (visible, condition, limit, offset, total, page) in cases {
        let mut list = bench.list("books", &["title"]);
        (list.query.limit, list.query.offset) = (limit, offset);
        list.visible = visible;
        list.query.condition = condition;
        list.count = Count::Exact;
        let outcome = bench.run(list.clone()).await;
        assert_eq!(
            (outcome.total, letters(json(&outcome)).as_str()),
            (Some(total), page),
            "{list:?}"
        );
    }
}

pub async fn a_condition_has_three_truths(bench: Bench) {
    shelf(&bench).await;
    let pages = |comparison, number| {
        bench.test(
            "books",
            "pages",
            Predicate::Compare(comparison, Value::Integer(number)),
        )
    };
    let eq = |number| pages(Comparison::Eq, number);
    let unknown = || bench.test("books", "pages", Predicate::Compare(Comparison::Eq, Value::Null));
    let not = |condition| Condition::Not(Box::new(condition));
    let is = |test| bench.test("books", "pages", Predicate::Is(test));
    let one_of = |numbers: &[Option<i32>]| {
        let values = numbers
            .iter()
            .map(|number| number.map_or(Value::Null, Value::Integer));
        bench.test("books", "pages", Predicate::In(values.collect()))
    };
    let distinct = |value| bench.test("books", "pages", Predicate::IsDistinct(value));
    let cases = [
        (Condition::Always, "ABCDE"),
        (Condition::Never, ""),
        (not(Condition::Never), "ABCDE"),
        (eq(100), "B"),
        (not(eq(100)), "AD"),
        (pages(Comparison::Neq, 100), "AD"),
        (pages(Comparison::Gt, 100), "AD"),
        (pages(Comparison::Gte, 100), "ABD"),
        (pages(Comparison::Lt, 200), "B"),
        (pages(Comparison::Lte, 200), "BD"),
        (unknown(), ""),
        (not(unknown()), ""),
        (Condition::All(vec![]), "ABCDE"),
        (Condition::Any(vec![]), ""),
        (not(Condition::All(vec![])), ""),
        (not(Condition::Any(vec![])), "ABCDE"),
        // Unknown AND false is false, so its negation is true; unknown AND true is unknown.
        (not(Condition::All(vec![unknown(), Condition::Never])), "ABCDE"),
        (not(Condition::All(vec![unknown(), Condition::Always])), ""),
        (Condition::Any(vec![unknown(), eq(100)]), "B"),
        (not(Condition::Any(vec![eq(100), eq(300)])), "D"),
        (
            Condition::All(vec![pages(Comparison::Gt, 100), pages(Comparison::Lt, 300)]),
            "D",
        ),
        (is(IsTest::Null), "CE"),
        (is(IsTest::NotNull), "ABD"),
        (not(is(IsTest::Null)), "ABD"),
        (one_of(&[Some(100), Some(200)]), "BD"),
        (not(one_of(&[Some(100), Some(200)])), "A"),
        (one_of(&[Some(100), None]), "B"),
        (not(one_of(&[Some(100), None])), ""),
        (one_of(&[]), ""),
        (not(one_of(&[])), "ABCDE"),
        (distinct(Value::Integer(100)), "ACDE"),
        (not(distinct(Value::Integer(100))), "B"),
        (distinct(Value::Null), "ABD"),
        (not(distinct(Value::Null)), "CE"),
    ];
    for (condition, expected) in cases {
        assert_eq!(titles(&bench, condition.clone()).await, expected, "{condition:?}");
    }
}

pub async fn truth_values_are_told_apart(bench: Bench) {
    let row = |number: u128, boolean: Option<bool>| json!({"uid": uid(number), "boolean": boolean});
    bench
        .given(
            "specimens",
            &[row(1, Some(true)), row(2, Some(false)), row(3, None)],
        )
        .await;
    let cases = [
        (IsTest::True, vec![1]),
        (IsTest::False, vec![2]),
        (IsTest::Unknown, vec![3]),
        (IsTest::Null, vec![3]),
        (IsTest::NotNull, vec![1, 2]),
    ];
    for (test, expected) in cases {
        for negated in [false, true] {
            let condition = bench.test("specimens", "boolean", Predicate::Is(test));
            let mut list = bench.list("specimens", &["uid"]);
            list.query.condition = if negated {
                Condition::Not(Box::new(condition))
            } else {
                condition
            };
            let found: Vec<_> = (1..=3)
                .filter(|number| expected.contains(number) != negated)
                .collect();
            let found: Vec<_> = found
                .into_iter()
                .map(|number| json!({"uid": uid(number)}))
                .collect();
            let outcome = bench.run(list).await;
            assert_eq!(
                json(&outcome),
                json!(found).to_string(),
                "{test:?}, negated: {negated}"
            );
        }
    }
}

pub async fn patterns_match_as_like_does(bench: Bench) {
    let texts = ["Abc", "abc", "a%c", "a_c", r"a\c", "", "äbc", "a\nc"];
    for (number, text) in (1..).zip(texts) {
        bench
            .given("specimens", &[json!({"uid": uid(number), "text": text})])
            .await;
    }
    bench
        .given("specimens", &[json!({"uid": uid(99), "text": null})])
        .await;
    let cases: [(&str, PatternKind, &[&str]); 12] = [
        ("a%", PatternKind::Like, &["abc", "a%c", "a_c", r"a\c", "a\nc"]),
        (
            "a%",
            PatternKind::ILike,
            &["Abc", "abc", "a%c", "a_c", r"a\c", "a\nc"],
        ),
        (
            "A_C",
            PatternKind::ILike,
            &["Abc", "abc", "a%c", "a_c", r"a\c", "a\nc"],
        ),
        ("%", PatternKind::Like, &texts),
        ("", PatternKind::Like, &[""]),
        ("_bc", PatternKind::Like, &["Abc", "abc", "äbc"]),
        (r"a\%c", PatternKind::Like, &["a%c"]),
        (r"a\_c", PatternKind::Like, &["a_c"]),
        (r"a\\c", PatternKind::Like, &[r"a\c"]),
        (r"\abc", PatternKind::Like, &["abc"]),
        ("abc_", PatternKind::Like, &[]),
        ("%b%", PatternKind::ILike, &["Abc", "abc", "äbc"]),
    ];
    for (pattern, case, expected) in cases {
        let predicate = Predicate::Matches(case, Value::Text(pattern.to_owned()));
        let mut list = bench.list("specimens", &["text"]);
        list.query.condition = bench.test("specimens", "text", predicate);
        let expected: Vec<_> = expected.iter().map(|text| json!({"text": text})).collect();
        let outcome = bench.run(list).await;
        assert_eq!(
            json(&outcome),
            json!(expected).to_string(),
            "{pattern:?} {case:?}"
        );
    }
}

pub async fn quotes_and_keywords_in_values_are_nothing_but_values(bench: Bench) {
    let nasty = [
        "'; drop table books; --",
        r#"""#,
        r"\",
        "$1",
        "%s",
        "NULL",
        "{}",
        "\u{1F980} é\u{301}",
        "\t\r\n\u{1}\u{7f}",
    ];
    for (number, text) in (1..).zip(nasty) {
        bench
            .given("specimens", &[json!({"uid": uid(number), "text": text})])
            .await;
        let mut list = bench.list("specimens", &["text"]);
        list.query.condition = bench.equals("specimens", "text", &json!(text));
        let outcome = bench.run(list).await;
        let read: serde_json::Value = serde_json::from_str(json(&outcome)).expect("answers are JSON");
        assert_eq!(read, json!([{"text": text}]));
    }
}
