//! A struct reads from and writes to a record, or says by name why it cannot.
#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::fmt::Debug;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rowstamp_domain::definition::spec::ApiSpec;
use rowstamp_domain::definition::{ApiDefinition, ResourceDefinition};
use rowstamp_domain::field_type::FieldType;
use rowstamp_domain::record::Record;
use rowstamp_domain::resource::{FieldError, FieldValue, Resource, ResourceEnum};
use rowstamp_domain::value::{Date, Decimal, Json, Time, Timestamp, Value};
use serde_json::json;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, ResourceEnum)]
enum Status {
    Draft,
    InPrint,
}

#[derive(Debug, Clone, PartialEq, Resource)]
#[resource(path = "books")]
struct Book {
    title: String,
    #[field(name = "type")]
    kind: Option<String>,
    #[field(default = "draft")]
    status: Status,
    published_on: Option<NaiveDate>,
    tags: Option<Vec<String>>,
}

fn books() -> Arc<ResourceDefinition> {
    let api = ApiDefinition::build(ApiSpec {
        resources: vec![Book::spec()],
        ..ApiSpec::default()
    })
    .unwrap();
    Arc::clone(api.resource(Book::NAME).unwrap())
}

fn emma() -> Book {
    Book {
        title: "Emma".to_owned(),
        kind: None,
        status: Status::InPrint,
        published_on: NaiveDate::from_ymd_opt(1815, 12, 23),
        tags: Some(vec!["novel".to_owned(), String::new()]),
    }
}

#[track_caller]
fn there_and_back<T: FieldValue + PartialEq + Debug + Clone>(ty: &str, values: impl IntoIterator<Item = T>) {
    assert_eq!(T::TYPE, ty.parse::<FieldType>().unwrap());
    for value in values {
        let stored = value.clone().into_field().unwrap();
        assert_eq!(T::from_field(&stored), Ok(value), "from {stored:?}");
    }
}

fn parsed<T: std::str::FromStr<Err: Debug>>(texts: &[&str]) -> Vec<T> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn every_type_comes_back_as_it_went() {
    there_and_back("text", [String::new(), "a\"é\u{1F600}".to_owned()]);
    there_and_back("integer", [i32::MIN, 0, i32::MAX]);
    there_and_back("bigint", [i64::MIN, 0, i64::MAX]);
    there_and_back("float", [-0.0, 1.5, f64::INFINITY, f64::MIN_POSITIVE]);
    there_and_back::<Decimal>(
        "decimal",
        parsed(&["0", "-1.50", "NaN", "123456789012345678901234567890.5"]),
    );
    there_and_back("boolean", [true, false]);
    there_and_back("uuid", [Uuid::nil(), Uuid::max()]);
    there_and_back::<Date>("date", parsed(&["0044-03-15 BC", "2026-01-31", "infinity"]));
    there_and_back::<Time>("time", parsed(&["00:00:00", "23:59:59.999999", "24:00:00"]));
    there_and_back::<Timestamp>(
        "timestamp",
        parsed(&["2026-01-31T12:00:00.000001+00:00", "-infinity"]),
    );
    there_and_back("json", [Json::parse(r#"{"a": [1.10, null]}"#).unwrap()]);
    there_and_back("bytes", [vec![], vec![0_u8, 255]]);
    there_and_back("enum", [Status::Draft, Status::InPrint]);
    there_and_back::<NaiveDate>("date", parsed(&["0001-01-01", "2026-01-31", "9999-12-31"]));
    there_and_back::<NaiveTime>("time", parsed(&["00:00:00", "23:59:59.999999"]));
    there_and_back::<DateTime<Utc>>(
        "timestamp",
        parsed(&["1969-12-31T23:59:59.999999Z", "2026-01-31T12:00:00Z"]),
    );
    there_and_back(
        "json",
        [json!({"a": [1, 1.5, null, "é"]}), json!("text"), json!(false)],
    );
}

#[test]
fn lists_and_options_come_back_as_they_went() {
    there_and_back("text[]", [vec![], vec!["a".to_owned(), String::new()]]);
    there_and_back("integer[]", [vec![Some(1), None, Some(3)], vec![None]]);
    there_and_back("bytes[]", [vec![vec![], vec![1_u8]]]);
    there_and_back("bytes[]", [vec![None, Some(vec![1_u8])]]);
    there_and_back("enum[]", [vec![Status::Draft, Status::InPrint]]);
    there_and_back("json[]", [vec![json!({}), json!([1])]]);
    there_and_back("integer", [Some(1), None]);
    there_and_back("bytes", [Some(vec![1_u8]), None]);
    there_and_back("integer[]", [Some(vec![1, 2]), Some(vec![]), None]);
    there_and_back("integer[]", [Some(vec![Some(1), None]), None]);
    there_and_back("bytes[]", [Some(vec![vec![1_u8]]), None]);
}

#[test]
fn only_options_are_not_required() {
    let required = [
        String::REQUIRED,
        Vec::<u8>::REQUIRED,
        Vec::<Option<i32>>::REQUIRED,
        Status::REQUIRED,
    ];
    assert_eq!(required, [true; 4]);
    let optional = [
        Option::<String>::REQUIRED,
        Option::<Vec<u8>>::REQUIRED,
        Option::<Vec<i32>>::REQUIRED,
    ];
    assert_eq!(optional, [false; 3]);
}

#[test]
fn an_enum_names_its_values() {
    assert_eq!(<Option<Vec<Status>>>::VALUES, ["draft", "in_print"]);
    assert_eq!(
        Status::InPrint.into_field(),
        Ok(Value::Text("in_print".to_owned()))
    );
}

#[test]
fn json_null_is_no_value_of_a_json_field() {
    assert_eq!(json!(null).into_field(), Ok(Value::Null));
    assert_eq!(Json::parse(" null").unwrap().into_field(), Ok(Value::Null));
}

#[test]
fn what_postgresql_cannot_hold_is_refused() {
    assert!(matches!(
        "a\0b".to_owned().into_field(),
        Err(FieldError::Value(_))
    ));
    assert!(matches!(
        json!({"a": "\0"}).into_field(),
        Err(FieldError::Value(_))
    ));
    assert!(matches!(
        vec!["a".to_owned(), "\0".to_owned()].into_field(),
        Err(FieldError::Element { position: 1, .. })
    ));
}

#[test]
fn a_struct_reads_what_it_wrote() {
    let record = emma().into_record(&books()).unwrap();
    assert_eq!(Book::from_record(&record), Ok(emma()));
    assert_eq!(record.get("type"), Some(&Value::Null));
    assert_eq!(record.get("uid"), None);
    assert_eq!(Book::FIELDS, ["title", "type", "status", "published_on", "tags"]);
}

#[test]
fn what_a_change_does_not_give_stays_absent_when_it_is_written_back() {
    let mut record = Record::new(books());
    record.set("title", Value::Text("Emma".to_owned())).unwrap();
    record.set("status", Value::Text("draft".to_owned())).unwrap();
    record.set("tags", Value::Null).unwrap();
    let mut book = Book::from_record(&record).unwrap();
    assert_eq!((&book.kind, &book.tags), (&None, &None));
    book.status = Status::InPrint;
    book.write_to(&mut record).unwrap();
    assert_eq!(record.get("type"), None);
    assert_eq!(record.get("tags"), Some(&Value::Null));
    assert_eq!(record.get("status"), Some(&Value::Text("in_print".to_owned())));
}

#[test]
fn a_none_clears_what_the_record_gave() {
    let mut record = emma().into_record(&books()).unwrap();
    Book { tags: None, ..emma() }.write_to(&mut record).unwrap();
    assert_eq!(record.get("tags"), Some(&Value::Null));
}

#[test]
fn a_value_that_the_struct_cannot_hold_is_told_by_the_fields_name() {
    let text = |text: &str| Value::Text(text.to_owned());
    let cases = [
        ("title", Value::Null, "field `title` of `books`: it is NULL"),
        (
            "title",
            Value::Integer(1),
            "field `title` of `books`: expected text, found integer",
        ),
        (
            "status",
            text("gone"),
            "field `status` of `books`: unknown value \"gone\", expected one of draft, in_print",
        ),
        (
            "published_on",
            Value::Date(Date::INFINITY),
            "field `published_on` of `books`: infinity does not fit into `NaiveDate`",
        ),
        (
            "tags",
            Value::Array(vec![text("a"), Value::Null]),
            "field `tags` of `books`: element 1: it is NULL",
        ),
        (
            "tags",
            Value::Array(vec![Value::Array(vec![text("a")])]),
            "field `tags` of `books`: an array of several dimensions",
        ),
        (
            "tags",
            text("a"),
            "field `tags` of `books`: expected text[], found text",
        ),
    ];
    for (field, value, expected) in cases {
        let mut record = emma().into_record(&books()).unwrap();
        record.set(field, value).unwrap();
        assert_eq!(Book::from_record(&record).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_required_field_that_is_absent_or_unknown_is_told_by_name() {
    #[derive(Debug, Resource)]
    #[resource(path = "shelves")]
    struct Shelf {
        place: String,
    }

    let error = Book::from_record(&Record::new(books())).unwrap_err();
    assert_eq!(
        (error.field.as_str(), &error.reason),
        ("title", &FieldError::Absent)
    );

    let error = Shelf::from_record(&Record::new(books())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "field `place` of `books`: the resource has no such field"
    );
    let error = Shelf { place: String::new() }.into_record(&books()).unwrap_err();
    assert_eq!(error.reason, FieldError::NoSuchField);
}

#[test]
fn doc_comments_become_descriptions() {
    /// A shelf,
    /// with two lines.
    ///
    /// And a paragraph.
    #[derive(Resource)]
    #[resource(path = "shelves")]
    struct Shelf {
        /// Where it is
        place: String,
        /// Not this
        #[field(description = "But that")]
        length: Option<i32>,
        depth: Option<i32>,
    }
    let spec = Shelf::spec();
    assert_eq!(
        spec.description.as_deref(),
        Some("A shelf,\nwith two lines.\n\nAnd a paragraph.")
    );
    let descriptions: Vec<_> = spec
        .fields
        .iter()
        .map(|field| field.description.as_deref())
        .collect();
    assert_eq!(descriptions, [Some("Where it is"), Some("But that"), None]);
}

#[test]
fn a_path_is_the_name_unless_there_is_one() {
    #[derive(Resource)]
    #[resource(path = "shelves")]
    struct ByPath {}
    #[derive(Resource)]
    #[resource(name = "shelves")]
    struct ByName {}
    #[derive(Resource)]
    #[resource(path = "book-shelves", name = "shelves", crate = rowstamp_domain)]
    struct Both {}
    assert_eq!([ByPath::NAME, ByName::NAME, Both::NAME], ["shelves"; 3]);
    assert_eq!(ByPath::spec().path.as_deref(), Some("shelves"));
    assert_eq!(ByName::spec().path, None);
    assert_eq!(Both::spec().path.as_deref(), Some("book-shelves"));
}

#[test]
fn resources_may_refer_to_each_other_in_circles() {
    #[derive(Resource)]
    #[resource(path = "people")]
    struct Person {
        #[field(references = Home)]
        home_uid: Option<Uuid>,
        #[field(references = Self)]
        friend_uid: Option<Uuid>,
    }
    #[derive(Resource)]
    #[resource(path = "homes")]
    struct Home {
        #[field(references = Person)]
        owner_uid: Uuid,
    }
    let specs = vec![Person::spec(), Home::spec()];
    let api = ApiDefinition::build(ApiSpec {
        resources: specs,
        ..ApiSpec::default()
    })
    .unwrap();
    let targets: Vec<_> = api
        .resources
        .iter()
        .flat_map(|resource| &resource.fields)
        .filter_map(|field| {
            field
                .references
                .as_ref()
                .map(|reference| reference.resource.as_str())
        })
        .collect();
    assert_eq!(targets, ["homes", "people", "people"]);
}
