#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::body::{BodyLimits, read_object};
use crate::caller::{Caller, Proof};
use crate::definition::ResourceDefinition;
use crate::definition::toml::parse;
use crate::record::Record;
use crate::stamp;
use crate::value::{Timestamp, Value};

const BOOKS: &str = r#"
    [resources.books.fields]
    title   = { type = "text", required = true, min_length = 2, max_length = 4 }
    isbn    = { type = "text", pattern = "^[0-9]{3}$" }
    pages   = { type = "integer", min = 1, max = 9 }
    price   = { type = "decimal", precision = 4, scale = 2, required = true, default = 1.5 }
    status  = { type = "enum", values = ["draft", "published"], required = true, default = "draft" }
    tags    = { type = "text[]", min_length = 1, max_length = 3, pattern = "^[a-z]+$" }
    grid    = { type = "integer[]", min = 0 }
    cover   = { type = "bytes", max_length = 2 }
    details = { type = "json" }
    loans   = { type = "bigint", read_only = true, default = 0 }
    shelf   = { type = "text", immutable = true }
    secret  = { type = "text", write_only = true, immutable = true }
    made    = { type = "text", default = { database = true } }
    cost    = { type = "integer", read = "group:staff", write = "group:staff" }
    rating  = { type = "integer", write = "group:staff" }
"#;

const UID: Uuid = Uuid::from_u128(0x018f_3a5e_7c1d_7a2b_9e4f_1a2b_3c4d_5e6f);

fn books() -> Arc<ResourceDefinition> {
    Arc::clone(&parse("books.toml", BOOKS).unwrap().resources[0])
}

fn reader() -> Caller {
    Caller::new("ann", Proof::Token)
}

fn staff() -> Caller {
    Caller::new("bob", Proof::Token).with_groups(["staff"])
}

/// A body all the way to its violations, as a POST.
fn violations(body: &str) -> Vec<(String, &'static str)> {
    let members = read_object(body.as_bytes(), BodyLimits::default()).unwrap();
    let mut violations = Vec::new();
    let mut change = read(&books(), &members, &mut violations);
    part(&mut change, Purpose::Create, &staff(), &mut violations);
    check(&change, |_, _| true, &mut violations);
    violations
        .into_iter()
        .map(|violation| (violation.pointer, violation.code))
        .collect()
}

#[test]
fn each_rule_of_a_field_has_its_word_and_its_place() {
    for (given, expected) in [
        (r#""title":"Emma""#, &[][..]),
        (r#""title":"äöüß""#, &[]),
        (r#""title":"a""#, &[("/title", "too_short")]),
        (r#""title":"abcde""#, &[("/title", "too_long")]),
        (r#""title":null"#, &[("/title", "required")]),
        ("", &[("/title", "required")]),
        (r#""title":7"#, &[("/title", "wrong_type")]),
        (r#""title":"a\u0000""#, &[("/title", "nul")]),
        (
            r#""titles":"Emma""#,
            &[("/titles", "unknown_field"), ("/title", "required")],
        ),
        (r#""title":"Emma","isbn":"12""#, &[("/isbn", "pattern")]),
        (r#""title":"Emma","isbn":null"#, &[]),
        (r#""title":"Emma","pages":0"#, &[("/pages", "too_small")]),
        (r#""title":"Emma","pages":10"#, &[("/pages", "too_large")]),
        (r#""title":"Emma","pages":1.5"#, &[("/pages", "invalid_integer")]),
        (r#""title":"Emma","price":1.505"#, &[("/price", "too_precise")]),
        (r#""title":"Emma","price":1.500"#, &[]),
        (r#""title":"Emma","price":100"#, &[("/price", "too_large")]),
        (r#""title":"Emma","price":null"#, &[("/price", "required")]),
        (r#""title":"Emma","status":"gone""#, &[("/status", "not_a_value")]),
        (r#""title":"Emma","tags":[]"#, &[("/tags", "too_short")]),
        (
            r#""title":"Emma","tags":["a","b","c","d"]"#,
            &[("/tags", "too_long")],
        ),
        (
            r#""title":"Emma","tags":["a","B",null]"#,
            &[("/tags/1", "pattern")],
        ),
        (
            r#""title":"Emma","tags":["a",1,true]"#,
            &[("/tags/1", "wrong_type"), ("/tags/2", "wrong_type")],
        ),
        (r#""title":"Emma","tags":"a""#, &[("/tags", "wrong_type")]),
        (
            r#""title":"Emma","grid":[[1,-1],[0,2]]"#,
            &[("/grid/0/1", "too_small")],
        ),
        (
            r#""title":"Emma","grid":[[1],[0,2]]"#,
            &[("/grid", "ragged_array")],
        ),
        (r#""title":"Emma","cover":"AAAA""#, &[("/cover", "too_long")]),
        (r#""title":"Emma","details":{"a":[1]}"#, &[]),
        (r#""title":"Emma","a/b~":1"#, &[("/a~1b~0", "unknown_field")]),
        (r#""title":"Emma","loans":1"#, &[("/loans", "read_only")]),
        (
            r#""title":"Emma","created_at":"2026-01-31T00:00:00Z""#,
            &[("/created_at", "read_only")],
        ),
        (
            r#""title":"Emma","uid":"018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f""#,
            &[("/uid", "read_only")],
        ),
    ] {
        let found = violations(&format!("{{{given}}}"));
        let found: Vec<_> = found
            .iter()
            .map(|(pointer, code)| (pointer.as_str(), *code))
            .collect();
        assert_eq!(found, expected, "{given}");
    }
}

#[test]
fn every_violation_is_told_at_once() {
    let found = violations(r#"{"pages":0,"nope":1,"isbn":"x","tags":["A"],"price":"a","loans":1}"#);
    let places: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        places,
        [
            "/nope", "/price", "/loans", "/title", "/isbn", "/pages", "/tags/0"
        ]
    );
}

#[test]
fn a_body_of_mistakes_is_not_answered_at_many_times_its_size() {
    let unknown: Vec<String> = (0..5_000).map(|index| format!("\"{index}\":0")).collect();
    let elements = vec!["\"A\""; 5_000].join(",");
    for (body, least) in [
        (format!("{{{},\"pages\":0}}", unknown.join(",")), 1_002),
        (format!("{{\"title\":\"Emma\",\"tags\":[{elements}]}}"), 1_000),
        (
            format!("{{\"title\":\"Emma\",\"tags\":[{}]}}", vec!["1"; 5_000].join(",")),
            1_000,
        ),
        (
            format!(
                "{{\"title\":\"Emma\",\"grid\":[{}]}}",
                vec!["[-1,-1]"; 2_500].join(",")
            ),
            1_000,
        ),
    ] {
        assert_eq!(violations(&body).len(), least, "{}", &body[..40]);
    }
    let long = violations(&format!("{{\"title\":\"Emma\",\"{}\":1}}", "é".repeat(1_000)));
    assert_eq!(long, [(format!("/{}", "é".repeat(31)), "unknown_field")]);
}

fn parted(body: &str, purpose: Purpose, caller: &Caller) -> (Record, Parted, Vec<&'static str>) {
    let members = read_object(body.as_bytes(), BodyLimits::default()).unwrap();
    let mut violations = Vec::new();
    let mut change = read(&books(), &members, &mut violations);
    let parted = part(&mut change, purpose, caller, &mut violations);
    (
        change,
        parted,
        violations.into_iter().map(|violation| violation.code).collect(),
    )
}

fn names(
    definition: &ResourceDefinition,
    ids: impl IntoIterator<Item = crate::definition::FieldId>,
) -> Vec<String> {
    ids.into_iter()
        .map(|id| definition.field(id).name.clone())
        .collect()
}

#[test]
fn what_may_not_be_written_may_be_sent_back_by_who_can_see_it() {
    let definition = books();
    let body = r#"{"uid":"018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f","loans":3,"creator_uid":"x","rating":4,"title":"Emma"}"#;
    for purpose in [Purpose::Replace(UID), Purpose::Update(UID)] {
        let (change, parted, violations) = parted(body, purpose, &reader());
        assert!(violations.is_empty());
        assert_eq!(names(&definition, change.iter().map(|(id, _)| id)), ["title"]);
        let expected = names(&definition, parted.expect.iter().map(|(id, _)| *id));
        assert_eq!(expected, ["loans", "rating", "creator_uid"]);
        assert_eq!(parted.if_new.len(), 3, "none of them can be given to a new row");
        assert!(parted.forbidden.is_empty());
    }
    // A guess at what the caller cannot see is no expectation.
    let (_, hidden, _) = parted(r#"{"cost":1}"#, Purpose::Update(UID), &reader());
    assert_eq!(
        (hidden.expect.len(), names(&definition, hidden.forbidden)),
        (0, vec!["cost".to_owned()])
    );
    let (change, allowed, _) = parted(r#"{"cost":1}"#, Purpose::Update(UID), &staff());
    assert_eq!((change.iter().count(), allowed), (1, Parted::default()));
    let (_, created, _) = parted(r#"{"rating":1}"#, Purpose::Create, &reader());
    assert_eq!(names(&definition, created.forbidden), ["rating"]);
    let other = r#"{"uid":"00000000-0000-4000-8000-000000000000"}"#;
    assert_eq!(parted(other, Purpose::Replace(UID), &reader()).2, ["uid"]);
}

fn shown(definition: &ResourceDefinition, values: Vec<(crate::definition::FieldId, Value)>) -> Vec<String> {
    values
        .into_iter()
        .map(|(id, value)| format!("{}={}", definition.field(id).name, value.to_json()))
        .collect()
}

#[test]
fn a_new_row_gets_what_is_given_defaults_and_stamps() {
    let definition = books();
    let now = Timestamp::from_micros_since_2000(0).unwrap();
    let stamp = stamp::stamp(&definition, now, &reader()).unwrap();
    let (change, ..) = parted(
        r#"{"title":"Emma","status":"published","pages":null}"#,
        Purpose::Create,
        &reader(),
    );
    let row = shown(&definition, stamp::new_row(change, UID, &stamp));
    assert_eq!(
        row,
        [
            "uid=\"018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f\"",
            "title=\"Emma\"",
            "pages=null",
            "price=1.5",
            "status=\"published\"",
            "loans=0",
            "created_at=\"2000-01-01T00:00:00+00:00\"",
            "last_updated_at=\"2000-01-01T00:00:00+00:00\"",
            "creator_uid=\"ann\"",
            "last_updater_uid=\"ann\"",
        ]
    );
    assert_eq!(
        stamp::stamp(&definition, now, &Caller::anonymous())
            .unwrap()
            .actor,
        Value::Null
    );
}

#[test]
fn a_replacement_resets_what_is_omitted_and_keeps_what_could_not_be_sent() {
    let definition = books();
    let body = r#"{"title":"Emma","shelf":"A","loans":3}"#;
    let (change, mut aside, _) = parted(body, Purpose::Replace(UID), &reader());
    let set = shown(&definition, stamp::replacement(change, &reader(), &mut aside));
    assert_eq!(
        set,
        [
            "title=\"Emma\"",
            "isbn=null",
            "pages=null",
            "price=1.5",
            "status=\"draft\"",
            "tags=null",
            "grid=null",
            "cover=null",
            "details=null",
        ],
        "secret, made, cost and rating keep their values"
    );
    assert_eq!(shown(&definition, aside.expect), ["loans=3", "shelf=\"A\""]);
    for (guess, expected) in [
        ("\"guess\"", &["secret=null", "secret=\"guess\""][..]),
        ("null", &[]),
    ] {
        let body = format!("{{\"title\":\"Emma\",\"secret\":{guess}}}");
        let (change, mut aside, _) = parted(&body, Purpose::Replace(UID), &reader());
        stamp::replacement(change, &reader(), &mut aside);
        assert_eq!(
            shown(&definition, aside.expect),
            expected,
            "no row has both, so that a guess is not answered"
        );
    }
    let (change, mut aside, _) = parted(body, Purpose::Replace(UID), &staff());
    let set = shown(&definition, stamp::replacement(change, &staff(), &mut aside));
    assert!(set.contains(&"cost=null".to_owned()) && set.contains(&"rating=null".to_owned()));
}

#[test]
fn a_change_sets_what_is_given_and_takes_immutable_fields_as_expectations() {
    let definition = books();
    let (change, mut aside, _) = parted(r#"{"isbn":null,"shelf":"A"}"#, Purpose::Update(UID), &reader());
    let mut violations = Vec::new();
    let set = stamp::change(change, &reader(), &mut aside, &mut violations);
    assert_eq!(shown(&definition, set), ["isbn=null"]);
    assert_eq!(shown(&definition, aside.expect), ["shelf=\"A\""]);
    assert!(violations.is_empty());
    let (change, mut aside, _) = parted(r#"{"secret":"guess"}"#, Purpose::Update(UID), &reader());
    stamp::change(change, &reader(), &mut aside, &mut violations);
    assert_eq!(
        (aside.expect.len(), violations[0].code),
        (0, "immutable"),
        "a guess is not answered"
    );
}

#[test]
fn pointers_escape_what_rfc_6901_says() {
    let tags = Pointer::Key(&Pointer::Root, "a/b~c");
    assert_eq!(Pointer::Index(&tags, 3).to_string(), "/a~1b~0c/3");
    assert_eq!(Pointer::Root.to_string(), "");
}
