//! What only PostgreSQL can tell of reads: nested values of every type, estimates, refusals.

use std::sync::Arc;

use rowstamp_domain::field_type::ScalarType;
use rowstamp_domain::operation::{Count, List, Operation};
use rowstamp_domain::query::{
    Column, Comparison, Condition, Embed, EmbedForm, Expression, Join, JsonPath, JsonResult, JsonStep,
    Operand, PatternKind, Predicate, Relation, SearchKind, Select, SelectItem, Test,
};
use rowstamp_domain::value::Value;
use rowstamp_ports::{Problems, QueryFault, RecordStore as _, StoreError, Vars};
use rowstamp_postgres::{PostgresStore, Settings};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::fixture::{Fixture, context, json, text};
use crate::types::{EXISTING, TYPES, arrays, definition, values};

/// The rows of `resource` that `holders` refer to, under `of`, with the columns of `select`.
fn held(fixture: &Fixture, holders: &str, field: &str, resource: &str, select: Select) -> Embed {
    let mut query = fixture.list(resource).query;
    query.select = select;
    Embed {
        name: "of".to_owned(),
        resource: fixture.resource(resource),
        relation: Relation::One {
            field: fixture.resource(holders).field_id(field).unwrap(),
        },
        join: Join::Left,
        form: EmbedForm::Nested,
        visible: Condition::Always,
        query,
    }
}

fn only(item: SelectItem) -> Select {
    Select([item].into())
}

#[tokio::test]
async fn a_nested_value_of_every_type_looks_as_it_does_by_itself() {
    let holders = "[resources.holders.fields]\nsample_uid = { type = \"uuid\", references = \"samples\" }\n";
    let fixture = Fixture::of(&format!("{}{holders}", definition())).await;
    let resource = fixture.resource("samples");
    let sql = fixture.sql().await;
    for name in TYPES {
        for (field, values) in [
            (format!("{name}_"), values(name)),
            (format!("{name}_many"), arrays(name)),
        ] {
            for value in values {
                let uid = Uuid::now_v7();
                let sample = fixture.insert("samples", &[(&field, value)], uid);
                fixture.execute(Operation::Insert(sample)).await.unwrap();
                let holder = fixture.insert("holders", &[("sample_uid", Value::Uuid(uid))], Uuid::now_v7());
                fixture.execute(Operation::Insert(holder)).await.unwrap();
            }
            let select = only(SelectItem::Field(resource.field_id(&field).unwrap()));
            let mut own = fixture.list("samples");
            own.query.select = select.clone();
            let own = fixture.execute(Operation::List(own)).await.unwrap();
            let mut embed = held(&fixture, "holders", "sample_uid", "samples", select);
            let nested = async |embed: &Embed| {
                let mut list = fixture.list("holders");
                list.query.select = only(SelectItem::Embed(Arc::new(embed.clone())));
                fixture.execute(Operation::List(list)).await.unwrap()
            };
            let inside = nested(&embed).await;
            let own_rows: Vec<Box<RawValue>> = serde_json::from_str(json(&own)).unwrap();
            let rows: Vec<String> = own_rows.iter().map(|row| format!("{{\"of\":{row}}}")).collect();
            assert_eq!(json(&inside), format!("[{}]", rows.join(",")), "{field}");
            embed.form = EmbedForm::Spread;
            assert_eq!(json(&nested(&embed).await), json(&own), "{field}, spread");
        }
        sql.batch_execute("TRUNCATE holders, samples").await.unwrap();
    }
}

#[tokio::test]
async fn nested_values_have_the_types_of_the_table_they_are_in() {
    let notes = "[resources.notes.fields]\nthing_uid = { type = \"uuid\" }\n";
    let fixture = Fixture::without_tables(&format!("{EXISTING}{notes}"));
    let sql = fixture.sql().await;
    sql.batch_execute(
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN tiny AS int2; CREATE DOMAIN word AS varchar; \
         CREATE TABLE things (id uuid PRIMARY KEY, made timestamp NOT NULL, \"Name\" word, small tiny, wide int4, \
         single float4, doc json, at timestamp, mood mood, moods mood[])",
    )
    .await
    .unwrap();
    fixture.store.create_missing(&fixture.api).await.unwrap();
    sql.batch_execute(
        "INSERT INTO things VALUES ('00000000-0000-0000-0000-000000000001', '2000-01-01', 'n', 7, 8, 0.1, '{\"b\":  1}', \
         '2000-01-01 00:00:00.000001', 'ok', '{sad,NULL}')",
    )
    .await
    .unwrap();
    let uid = Uuid::from_u128(1);
    let note = fixture.insert("notes", &[("thing_uid", Value::Uuid(uid))], Uuid::now_v7());
    fixture.execute(Operation::Insert(note)).await.unwrap();
    let things = fixture
        .execute(Operation::List(fixture.list("things")))
        .await
        .unwrap();
    let mut list = fixture.list("notes");
    let embed = held(
        &fixture,
        "notes",
        "thing_uid",
        "things",
        fixture.list("things").query.select,
    );
    list.query.select = only(SelectItem::Embed(Arc::new(embed)));
    let nested = fixture.execute(Operation::List(list)).await.unwrap();
    let own = json(&things);
    assert!(
        own.contains(r#""small":7,"wide":"8","single":0.1,"doc":{"b":  1}"#),
        "{own}"
    );
    assert_eq!(json(&nested), format!("[{{\"of\":{}}}]", &own[1..own.len() - 1]));
}

#[tokio::test]
async fn rows_are_counted_by_estimate_beside_their_page() {
    let fixture = Fixture::library().await;
    let sql = fixture.sql().await;
    sql.batch_execute(
        "INSERT INTO books (uid, title, status, pages, created_at, last_updated_at) \
         SELECT gen_random_uuid(), 't', 'draft', i % 10, now(), now() FROM generate_series(1, 5000) AS i; ANALYZE books",
    )
    .await
    .unwrap();
    let mut list = fixture.list("books");
    list.query.limit = 7;
    let total = async |list: &List| {
        let outcome = fixture.execute(Operation::List(list.clone())).await.unwrap();
        assert_eq!(outcome.returned, 7);
        outcome.total.unwrap()
    };
    list.count = Count::Planned;
    assert_eq!(total(&list).await, 5000);
    list.query.condition = fixture.eq("pages", Value::Integer(3));
    let planned = total(&list).await;
    assert!((300..700).contains(&planned), "{planned}");
    list.count = Count::Estimated { exact_up_to: 500 };
    assert_eq!(total(&list).await, 500);
    list.count = Count::Estimated { exact_up_to: 499 };
    assert!(total(&list).await > 499);
    list.query.condition = Condition::Always;
    list.count = Count::Estimated { exact_up_to: 10 };
    assert_eq!(total(&list).await, 5000);
    // Nothing that a value says is text of the statement that asks the planner.
    list.query.condition = fixture.eq("title", text("'; DROP TABLE books; --"));
    list.count = Count::Planned;
    let outcome = fixture.execute(Operation::List(list)).await.unwrap();
    assert_eq!(outcome.returned, 0);
    assert!(outcome.total.is_some());
}

#[tokio::test]
async fn what_only_the_database_finds_wrong_with_a_query_is_told_as_such() {
    let fixture = Fixture::library().await;
    fixture.book("x").await;
    let with = |predicate: Predicate| {
        let mut list = fixture.list("books");
        list.query.condition = Condition::Test(Test {
            operand: Operand::Field(fixture.field("title")),
            predicate,
        });
        list
    };
    let cast = |to: ScalarType| {
        let mut list = fixture.list("books");
        let title = Expression::Operand(Operand::Field(fixture.field("title")));
        list.query.select = only(SelectItem::Column(Arc::new(Column {
            name: "n".to_owned(),
            expression: Expression::Cast(Box::new(title), to),
        })));
        list
    };
    let search = Predicate::Search {
        kind: SearchKind::Query,
        config: None,
        words: text("a &"),
    };
    for (list, fault) in [
        (
            with(Predicate::Matches(PatternKind::Regex, text("("))),
            QueryFault::RegularExpression,
        ),
        (with(search), QueryFault::SearchWords),
        (cast(ScalarType::Integer), QueryFault::Value),
        (cast(ScalarType::Timestamp), QueryFault::Value),
        (cast(ScalarType::Uuid), QueryFault::Value),
    ] {
        for count in [Count::None, Count::Exact, Count::Planned] {
            let list = List {
                count,
                ..list.clone()
            };
            let refused = fixture.execute(Operation::List(list)).await;
            assert_eq!(refused, Err(StoreError::InvalidQuery(fault)));
        }
    }
    // The connection is as good as before.
    assert_eq!(
        fixture
            .execute(Operation::List(fixture.list("books")))
            .await
            .unwrap()
            .returned,
        1
    );
}

#[tokio::test]
async fn what_callers_write_stays_a_value_whatever_it_looks_like() {
    let fixture = Fixture::of(
        "[api]\ntitle = \"T\"\nversion = \"1.0.0\"\n[resources.books.fields]\ntitle = { type = \"text\" }\ndoc = { type = \"json\" }",
    )
    .await;
    let hostile = "a'b\"c\\d$1;--/*\u{e9}{}[]->>";
    let doc = Value::Json(
        rowstamp_domain::value::Json::parse(&format!("{{{0}: {{{0}: 1}}}}", serde_json::json!(hostile)))
            .unwrap(),
    );
    let insert = fixture.insert("books", &[("title", text(hostile)), ("doc", doc)], Uuid::nil());
    fixture.execute(Operation::Insert(insert)).await.unwrap();
    let step = || JsonStep::Key(hostile.to_owned());
    let operand = Operand::Json {
        field: fixture.field("doc"),
        path: JsonPath {
            steps: [step(), step()].into(),
            result: JsonResult::Text,
        },
    };
    let mut list = fixture.list("books");
    list.query.condition = Condition::All(vec![
        fixture.eq("title", text(hostile)),
        Condition::Test(Test {
            operand: operand.clone(),
            predicate: Predicate::Compare(Comparison::Eq, text("1")),
        }),
    ]);
    list.query.select = Select(
        [
            SelectItem::Column(Arc::new(Column {
                name: hostile.to_owned(),
                expression: Expression::Operand(operand.clone()),
            })),
            SelectItem::Column(Arc::new(Column {
                name: format!("{hostile}2"),
                expression: Expression::CountRows,
            })),
        ]
        .into(),
    );
    list.query.order[0].operand = operand;
    list.count = Count::Exact;
    let outcome = fixture.execute(Operation::List(list)).await.unwrap();
    let row: serde_json::Value = serde_json::from_str(json(&outcome)).unwrap();
    assert_eq!(row[0][hostile], "1");
    assert_eq!(row[0][format!("{hostile}2")], 1);
    assert_eq!(outcome.total, Some(1));
}

#[tokio::test]
async fn statements_without_names_answer_as_prepared_ones_do() {
    let fixture = Fixture::library().await;
    for title in ["a", "b", "c"] {
        fixture.book(title).await;
    }
    let url = ("DATABASE_URL".to_owned(), fixture.database.url().to_owned());
    let mode = ("ROWSTAMP_DB_STATEMENTS".to_owned(), "unnamed".to_owned());
    let mut problems = Problems::new();
    let settings = Settings::read(&Vars::new([url, mode]), &mut problems);
    let unnamed = PostgresStore::with_password(&problems.into_result(settings).unwrap());
    let author = held(
        &fixture,
        "books",
        "author_uid",
        "authors",
        fixture.list("authors").query.select,
    );
    let mut list = fixture.list("books");
    list.query.select = Select(
        [
            SelectItem::Field(fixture.field("title")),
            SelectItem::Embed(Arc::new(author)),
        ]
        .into(),
    );
    list.query.limit = 2;
    list.look_ahead = true;
    for count in [
        Count::None,
        Count::Exact,
        Count::Planned,
        Count::Estimated { exact_up_to: 2 },
    ] {
        let operation = Operation::List(List {
            count,
            ..list.clone()
        });
        let expected = fixture.execute(operation.clone()).await.unwrap();
        assert!(expected.next.is_some());
        assert_eq!(unnamed.execute(operation, &context()).await.unwrap(), expected);
    }
}
