//! Clauses about regular expressions, and about comparisons with each of several values.

use rowstamp_domain::query::{Comparison, PatternKind, Predicate, Quantifier};
use rowstamp_domain::value::Value;
use rowstamp_ports::{QueryFault, StoreError};
use serde_json::json;

use super::bench::{Bench, json, uid};

/// Texts 1 to 5; the last is NULL.
async fn texts(bench: &Bench) {
    let texts = [Some("Emma"), Some("emma 2"), Some("a\nb"), Some("x-y"), None];
    for (number, text) in (1..).zip(texts) {
        let row = json!({"uid": uid(number), "text": text, "integer": number});
        bench.given("specimens", &[row]).await;
    }
}

/// The numbers of the rows that satisfy a predicate on `field`.
async fn numbers(bench: &Bench, field: &str, predicate: Predicate) -> String {
    let mut list = bench.list("specimens", &["integer"]);
    list.query.condition = bench.test("specimens", field, predicate);
    json(&bench.run(list).await)
        .chars()
        .filter(char::is_ascii_digit)
        .collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub async fn a_regular_expression_is_found_anywhere_in_the_text(bench: Bench) {
    texts(&bench).await;
    for (kind, pattern, expected) in [
        (PatternKind::Regex, "mm", "12"),
        (PatternKind::Regex, "^E", "1"),
        (PatternKind::IRegex, "^E", "12"),
        (PatternKind::Regex, "a$", "1"),
        (PatternKind::Regex, "a.b", "3"),
        (PatternKind::Regex, "[0-9]", "2"),
        (PatternKind::Regex, r"\d", "2"),
        (PatternKind::Regex, r"\my\M", "4"),
        (PatternKind::Regex, "^(a|x)", "34"),
        (PatternKind::Regex, "", "1234"),
        (PatternKind::Regex, "^.{4}$", "1"),
        (PatternKind::Regex, "[[:upper:]]", "1"),
    ] {
        let found = numbers(&bench, "text", Predicate::Matches(kind, text(pattern))).await;
        assert_eq!(found, expected, "{kind:?} {pattern:?}");
    }
}

pub async fn what_is_no_regular_expression_is_refused(bench: Bench) {
    texts(&bench).await;
    for pattern in ["(", "[a", "*", "a{2,1}"] {
        let mut list = bench.list("specimens", &["integer"]);
        let predicate = Predicate::Matches(PatternKind::Regex, text(pattern));
        list.query.condition = bench.test("specimens", "text", predicate);
        assert_eq!(
            bench.try_run(list).await,
            Err(StoreError::InvalidQuery(QueryFault::RegularExpression)),
            "{pattern}"
        );
    }
}

pub async fn a_pattern_can_be_one_of_several_or_each_of_them(bench: Bench) {
    use PatternKind::{ILike, Like, Regex};
    use Quantifier::{All, Any};

    texts(&bench).await;
    for (kind, quantifier, patterns, expected) in [
        (Like, Any, &["E%", "x%"][..], "14"),
        (Like, All, &["%m%", "%2"], "2"),
        (ILike, All, &["e%", "%A%"], "12"),
        (Regex, Any, &["^a", "y$"], "34"),
        (Like, Any, &[], ""),
        (Like, All, &[], "12345"),
    ] {
        let patterns: Vec<Value> = patterns.iter().map(|pattern| text(pattern)).collect();
        let what = format!("{kind:?} {quantifier:?} {patterns:?}");
        let found = numbers(&bench, "text", Predicate::MatchesEach(kind, quantifier, patterns)).await;
        assert_eq!(found, expected, "{what}");
    }
}

pub async fn a_comparison_can_be_with_one_of_several_or_with_each(bench: Bench) {
    use Comparison::{Eq, Gt, Lte, Neq};
    use Quantifier::{All, Any};

    texts(&bench).await;
    for (comparison, quantifier, values, expected) in [
        (Eq, Any, &[1, 4][..], "14"),
        (Neq, All, &[1, 4], "235"),
        (Neq, Any, &[1, 4], "12345"),
        (Gt, All, &[1, 3], "45"),
        (Gt, Any, &[1, 3], "2345"),
        (Lte, All, &[2, 3], "12"),
        (Eq, Any, &[], ""),
        (Eq, All, &[], "12345"),
    ] {
        let values: Vec<Value> = values.iter().map(|number| Value::Integer(*number)).collect();
        let what = format!("{comparison:?} {quantifier:?} {values:?}");
        let found = numbers(
            &bench,
            "integer",
            Predicate::CompareEach(comparison, quantifier, values),
        )
        .await;
        assert_eq!(found, expected, "{what}");
    }
    // NULL is unknown to each of them, but of no value there is nothing to be unknown.
    let all_of = |values| Predicate::CompareEach(Neq, All, values);
    assert_eq!(numbers(&bench, "text", all_of(vec![text("Emma")])).await, "234");
    assert_eq!(numbers(&bench, "text", all_of(Vec::new())).await, "12345");
}
