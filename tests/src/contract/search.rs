//! Clauses about full-text search with the configuration that every store knows.

use rowstamp_domain::query::{Predicate, SearchConfig, SearchKind};
use rowstamp_domain::value::Value;
use rowstamp_ports::{QueryFault, StoreError};
use serde_json::json;

use super::bench::{Bench, json, uid};

fn predicate(kind: SearchKind, words: &str) -> Predicate {
    Predicate::Search {
        kind,
        config: SearchConfig::named("simple"),
        words: Value::Text(words.to_owned()),
    }
}

async fn numbers(bench: &Bench, field: &str, predicate: Predicate) -> String {
    let mut list = bench.list("specimens", &["integer"]);
    list.query.condition = bench.test("specimens", field, predicate);
    json(&bench.run(list).await)
        .chars()
        .filter(char::is_ascii_digit)
        .collect()
}

async fn texts(bench: &Bench) {
    let texts = [
        Some("The quick brown fox"),
        Some("A brown, quick DOG!"),
        Some("naïve été"),
        Some(""),
        None,
    ];
    for (number, text) in (1..).zip(texts) {
        let row = json!({"uid": uid(number), "text": text, "integer": number});
        bench.given("specimens", &[row]).await;
    }
}

pub async fn words_are_found_as_the_kind_of_search_reads_them(bench: Bench) {
    use SearchKind::{Phrase, Plain, Query, Web};

    texts(&bench).await;
    for (kind, words, expected) in [
        (Plain, "quick BROWN", "12"),
        (Plain, "quick cat", ""),
        (Plain, "été", "3"),
        (Plain, "", ""),
        (Plain, "& | !", ""),
        (Phrase, "quick brown", "1"),
        (Phrase, "brown quick", "2"),
        (Web, "brown -fox", "2"),
        (Web, "fox or dog", "12"),
        (Web, "\"quick dog\"", "2"),
        (Web, "-brown", "34"),
        (Query, "fox | dog", "12"),
        (Query, "brown & !dog", "1"),
        (Query, "bro:*", "12"),
        (Query, "quick <-> brown", "1"),
        (Query, "quick <2> fox", "1"),
        (Query, "(cat | dog) & quick", "2"),
    ] {
        let found = numbers(&bench, "text", predicate(kind, words)).await;
        assert_eq!(found, expected, "{kind:?} {words:?}");
    }
}

pub async fn words_of_json_are_those_of_its_texts(bench: Bench) {
    let documents = [
        json!({"title": "Quick fox", "tags": ["brown", 7]}),
        json!({"quick": 1}),
        json!("quick"),
    ];
    for (number, document) in (1..).zip(documents) {
        let row = json!({"uid": uid(number), "json": document, "integer": number});
        bench.given("specimens", &[row]).await;
    }
    assert_eq!(
        numbers(&bench, "json", predicate(SearchKind::Plain, "quick")).await,
        "13"
    );
    assert_eq!(
        numbers(&bench, "json", predicate(SearchKind::Plain, "brown fox")).await,
        "1"
    );
    // No phrase goes from one text to the next.
    assert_eq!(
        numbers(&bench, "json", predicate(SearchKind::Phrase, "fox brown")).await,
        ""
    );
}

pub async fn words_that_follow_no_syntax_are_refused(bench: Bench) {
    texts(&bench).await;
    for words in ["quick brown", "quick &", "(quick", "!"] {
        let mut list = bench.list("specimens", &["integer"]);
        list.query.condition = bench.test("specimens", "text", predicate(SearchKind::Query, words));
        assert_eq!(
            bench.try_run(list).await,
            Err(StoreError::InvalidQuery(QueryFault::SearchWords)),
            "{words}"
        );
    }
}
