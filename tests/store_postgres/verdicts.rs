//! Every verdict of every operation, one writer at a time.

use rowstamp_domain::operation::{Count, NewRow, Operation, Precondition, Representation, Rows, Verdict};
use rowstamp_domain::query::{Comparison, Condition, Operand, Predicate, Test};
use rowstamp_domain::value::Value;
use uuid::Uuid;

use crate::fixture::{Fixture, at, json, text};

#[tokio::test]
async fn a_created_row_is_answered_and_read_back_byte_for_byte() {
    let library = Fixture::library().await;
    let uid = Uuid::now_v7();
    let values = [
        ("title", text("A \"quoted\"\n title")),
        ("pages", Value::Integer(-7)),
        ("status", text("draft")),
        ("tags", Value::Array(vec![text("a"), Value::Null])),
    ];
    let created = library
        .execute(Operation::Insert(library.insert("books", &values, uid)))
        .await
        .unwrap();
    assert_eq!(
        (created.verdict.clone(), created.affected, created.returned),
        (Verdict::Created, 1, 1)
    );
    assert_eq!((created.uid, created.version), (Some(uid), Some(at(0))));
    let read = library.execute(Operation::Read(library.read(uid))).await.unwrap();
    assert_eq!(read.verdict, Verdict::Found);
    assert_eq!(json(&read), json(&created));
    assert_eq!(
        json(&read),
        format!(
            r#"{{"uid":"{uid}","title":"A \"quoted\"\n title","isbn":null,"pages":-7,"status":"draft","tags":["a",null],"author_uid":null,"created_at":"2000-01-01T00:00:00+00:00","creator_uid":null,"last_updated_at":"2000-01-01T00:00:00+00:00","last_updater_uid":null}}"#
        )
        .replace(
            r#""created_at":"2000-01-01T00:00:00+00:00","creator_uid":null,"last_updated_at":"2000-01-01T00:00:00+00:00","last_updater_uid":null"#,
            &stamps(&library),
        )
    );
}

/// The stamps of a fresh row in the definition's order.
fn stamps(library: &Fixture) -> String {
    let resource = library.resource("books");
    let parts: Vec<String> = resource
        .fields
        .iter()
        .filter(|field| field.is_audit() && field.name != "uid")
        .map(|field| match field.name.as_str() {
            "created_at" | "last_updated_at" => format!(r#""{}":"2000-01-01T00:00:00+00:00""#, field.name),
            name => format!(r#""{name}":null"#),
        })
        .collect();
    parts.join(",")
}

#[tokio::test]
async fn rows_that_are_not_visible_are_not_found_by_reads_and_counts() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    library.book("two").await;
    let mut read = library.read(uid);
    read.visible = library.eq("title", text("two"));
    let outcome = library.execute(Operation::Read(read)).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::NotFound);
    let mut list = library.list("books");
    list.visible = library.eq("title", text("two"));
    list.count = Count::Exact;
    let outcome = library.execute(Operation::List(list)).await.unwrap();
    assert_eq!((outcome.returned, outcome.total), (1, Some(1)));
}

#[tokio::test]
async fn a_page_beyond_the_last_row_is_empty_and_counted_all_the_same() {
    let library = Fixture::library().await;
    for title in ["a", "b", "c"] {
        library.book(title).await;
    }
    let mut list = library.list("books");
    list.count = Count::Exact;
    list.query.limit = 2;
    for (offset, returned) in [(0, 2), (2, 1), (3, 0), (u64::MAX, 0)] {
        list.query.offset = offset;
        let outcome = library.execute(Operation::List(list.clone())).await.unwrap();
        assert_eq!(
            (outcome.verdict.clone(), outcome.returned, outcome.total),
            (Verdict::Found, returned, Some(3))
        );
        assert_eq!(json(&outcome) == "[]", returned == 0);
    }
    list.representation = Representation::Nothing;
    list.query.offset = 0;
    let outcome = library.execute(Operation::List(list)).await.unwrap();
    assert_eq!(
        (outcome.rows, outcome.returned, outcome.total),
        (Rows::None, 0, Some(3))
    );
}

#[tokio::test]
async fn an_update_is_judged_in_the_stated_order() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    let update = library.update(uid, &[("title", text("two"))]);
    let no = || library.eq("title", text("other"));
    let old_only = || library.eq("title", text("one"));
    let case = |change: &dyn Fn(&mut rowstamp_domain::operation::Update)| {
        let mut update = update.clone();
        change(&mut update);
        Operation::Update(update)
    };
    let expect = vec![
        (library.field("status"), text("published")),
        (library.field("pages"), Value::Null),
    ];
    let cases: Vec<(Operation, Verdict)> = vec![
        (case(&|update| update.uid = Uuid::now_v7()), Verdict::NotFound),
        (
            case(&|update| {
                update.visible = no();
                update.permitted = no();
                update.precondition = Precondition::Absent;
                update.expect = expect.clone();
            }),
            Verdict::NotVisible,
        ),
        (
            case(&|update| {
                update.permitted = no();
                update.precondition = Precondition::Absent;
                update.expect = expect.clone();
            }),
            Verdict::NotWritable,
        ),
        (
            case(&|update| {
                update.permitted = old_only();
                update.precondition = Precondition::VersionIn(vec![at(5)]);
                update.expect = expect.clone();
            }),
            Verdict::PreconditionFailed,
        ),
        (
            case(&|update| update.precondition = Precondition::VersionIn(vec![])),
            Verdict::PreconditionFailed,
        ),
        (
            case(&|update| {
                update.permitted = old_only();
                update.expect = expect.clone();
            }),
            Verdict::Mismatch(vec![library.field("status")]),
        ),
        (
            case(&|update| update.permitted = old_only()),
            Verdict::NotWritable,
        ),
        (
            case(&|update| {
                update.set.clear();
                update.permitted = old_only();
            }),
            Verdict::Updated,
        ),
        (
            case(&|update| {
                update.set.clear();
                update.visible = no();
            }),
            Verdict::NotVisible,
        ),
    ];
    for (operation, verdict) in cases {
        let outcome = library.execute(operation.clone()).await.unwrap();
        assert_eq!(outcome.verdict, verdict, "{operation:?}");
        let read = library.execute(Operation::Read(library.read(uid))).await.unwrap();
        assert_eq!(
            read.version,
            Some(at(0)),
            "something was written by {operation:?}"
        );
    }
    let good = case(&|update| {
        update.visible = old_only();
        update.permitted = Condition::Any(vec![old_only(), library.eq("title", text("two"))]);
        update.precondition = Precondition::VersionIn(vec![at(9), at(0)]);
        update.expect = vec![(library.field("pages"), Value::Null)];
    });
    let outcome = library.execute(good).await.unwrap();
    assert_eq!((outcome.verdict, outcome.affected), (Verdict::Updated, 1));
    assert_eq!((outcome.version, outcome.uid), (Some(at(1_000_000)), Some(uid)));
    // The new row is no longer visible to this caller, so it is not shown.
    assert_eq!((outcome.rows, outcome.returned), (Rows::None, 0));
}

#[tokio::test]
async fn a_rule_about_stamps_is_judged_with_the_new_stamps() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    let mut update = library.update(uid, &[("title", text("two"))]);
    // True for the old row's NULL, not for the new row's "me".
    update.permitted = Condition::Test(Test {
        operand: Operand::Field(library.field("last_updater_uid")),
        predicate: Predicate::IsDistinct(text("me")),
    });
    let outcome = library.execute(Operation::Update(update.clone())).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::NotWritable);
    update.permitted = Condition::Test(Test {
        operand: Operand::Field(library.field("last_updated_at")),
        predicate: Predicate::Compare(Comparison::Lt, Value::Timestamp(at(1_000_000))),
    });
    let outcome = library.execute(Operation::Update(update)).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::NotWritable);
}

#[tokio::test]
async fn a_version_never_repeats_even_when_the_clock_stands_still_or_goes_back() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    let mut versions = vec![at(0)];
    for now in [5, 5, 3, 5] {
        let mut update = library.update(uid, &[("title", text("x"))]);
        update.stamp.now = at(now);
        let outcome = library.execute(Operation::Update(update)).await.unwrap();
        versions.push(outcome.version.unwrap());
    }
    assert_eq!(versions, [0, 5, 6, 7, 8].map(at));
}

#[tokio::test]
async fn a_replacement_creates_or_replaces() {
    let library = Fixture::library().await;
    let uid = Uuid::now_v7();
    let mut replace = library.replace(uid, "first");
    let run =
        |replace: &rowstamp_domain::operation::Replace| library.execute(Operation::Replace(replace.clone()));

    replace.update.precondition = Precondition::Exists;
    assert_eq!(run(&replace).await.unwrap().verdict, Verdict::PreconditionFailed);
    replace.update.precondition = Precondition::VersionIn(vec![at(0)]);
    assert_eq!(run(&replace).await.unwrap().verdict, Verdict::PreconditionFailed);
    replace.update.precondition = Precondition::None;
    let create = replace.create.take();
    assert_eq!(run(&replace).await.unwrap().verdict, Verdict::NotFound);
    replace.create = create.map(|create| NewRow {
        permitted: library.eq("title", text("other")),
        ..create
    });
    assert_eq!(run(&replace).await.unwrap().verdict, Verdict::NotWritable);

    let mut replace = library.replace(uid, "first");
    replace.update.precondition = Precondition::Absent;
    replace.create.as_mut().unwrap().permitted = library.eq("title", text("first"));
    let outcome = run(&replace).await.unwrap();
    assert_eq!(
        (outcome.verdict.clone(), outcome.affected, outcome.version),
        (Verdict::Created, 1, Some(at(0)))
    );
    assert!(json(&outcome).contains(r#""title":"first""#));
    assert_eq!(run(&replace).await.unwrap().verdict, Verdict::PreconditionFailed);

    let replace = library.replace(uid, "second");
    let outcome = run(&replace).await.unwrap();
    assert_eq!((outcome.verdict.clone(), outcome.affected), (Verdict::Updated, 1));
    assert_eq!(outcome.version, Some(at(1_000_000)));
    assert!(json(&outcome).contains(r#""title":"second""#));

    let mut hidden = library.replace(uid, "third");
    hidden.update.visible = library.eq("title", text("other"));
    assert_eq!(run(&hidden).await.unwrap().verdict, Verdict::NotVisible);
    let mut forbidden = library.replace(uid, "third");
    forbidden.update.permitted = library.eq("title", text("second"));
    assert_eq!(run(&forbidden).await.unwrap().verdict, Verdict::NotWritable);
    let mut differing = library.replace(uid, "third");
    differing.update.expect = vec![(library.field("created_at"), Value::Timestamp(at(1)))];
    assert_eq!(
        run(&differing).await.unwrap().verdict,
        Verdict::Mismatch(vec![library.field("created_at")])
    );
}

#[tokio::test]
async fn a_deletion_is_judged_and_shows_the_row_as_it_was() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    let delete = library.delete(uid);
    let mut hidden = delete.clone();
    hidden.visible = library.eq("title", text("other"));
    hidden.permitted = library.eq("title", text("other"));
    assert_eq!(
        library.execute(Operation::Delete(hidden)).await.unwrap().verdict,
        Verdict::NotVisible
    );
    let mut forbidden = delete.clone();
    forbidden.permitted = Condition::Never;
    forbidden.precondition = Precondition::Absent;
    assert_eq!(
        library
            .execute(Operation::Delete(forbidden))
            .await
            .unwrap()
            .verdict,
        Verdict::NotWritable
    );
    let mut stale = delete.clone();
    stale.precondition = Precondition::VersionIn(vec![at(1)]);
    assert_eq!(
        library.execute(Operation::Delete(stale)).await.unwrap().verdict,
        Verdict::PreconditionFailed
    );
    let mut good = delete.clone();
    good.visible = library.eq("title", text("one"));
    good.precondition = Precondition::VersionIn(vec![at(0)]);
    let outcome = library.execute(Operation::Delete(good)).await.unwrap();
    assert_eq!((outcome.verdict.clone(), outcome.affected), (Verdict::Deleted, 1));
    assert!(json(&outcome).contains(r#""title":"one""#));
    assert_eq!(
        library.execute(Operation::Delete(delete)).await.unwrap().verdict,
        Verdict::NotFound
    );
}

#[tokio::test]
async fn many_rows_are_created_wholly_or_not_at_all() {
    let library = Fixture::library().await;
    let one = library.insert(
        "books",
        &[
            ("title", text("t")),
            ("status", text("draft")),
            ("tags", Value::Array(vec![text("a,\"b\""), Value::Null, text("")])),
            ("pages", Value::Null),
        ],
        Uuid::now_v7(),
    );
    let mut many = one.clone();
    many.representation = Representation::JsonArray;
    many.rows = (0..1_000)
        .map(|index| {
            let mut row = one.rows[0].clone();
            row[0] = Value::Uuid(Uuid::now_v7());
            row[1] = text(&index.to_string());
            row
        })
        .collect();
    let mut ruled = many.clone();
    ruled.permitted = Condition::Not(Box::new(library.eq("title", text("999"))));
    let outcome = library.execute(Operation::Insert(ruled)).await.unwrap();
    assert_eq!((outcome.verdict, outcome.affected), (Verdict::NotWritable, 0));

    let mut silent = many.clone();
    silent.representation = Representation::Nothing;
    for row in &mut silent.rows {
        row[0] = Value::Uuid(Uuid::now_v7());
    }
    let outcome = library.execute(Operation::Insert(silent)).await.unwrap();
    assert_eq!(
        (outcome.verdict, outcome.affected, outcome.returned),
        (Verdict::Created, 1_000, 0)
    );

    many.permitted = library.eq("status", text("draft"));
    many.visible = library.eq("title", text("7"));
    let outcome = library.execute(Operation::Insert(many)).await.unwrap();
    assert_eq!(
        (outcome.verdict.clone(), outcome.affected, outcome.returned),
        (Verdict::Created, 1_000, 1)
    );
    assert!(
        json(&outcome).contains(r#""title":"7","isbn":null,"pages":null"#),
        "{}",
        json(&outcome)
    );
    assert!(
        json(&outcome).contains(r#""tags":["a,\"b\"",null,""]"#),
        "{}",
        json(&outcome)
    );
}

#[tokio::test]
async fn records_are_given_where_they_are_asked_for() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    let mut read = library.read(uid);
    read.representation = Representation::Records;
    let outcome = library.execute(Operation::Read(read)).await.unwrap();
    let Rows::Records(records) = outcome.rows else {
        panic!("no records")
    };
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].get("title"), Some(&text("one")));
    assert_eq!(records[0].get("pages"), Some(&Value::Null));
    assert_eq!(records[0].get("uid"), Some(&Value::Uuid(uid)));
}
