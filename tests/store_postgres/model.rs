//! Random operations, which must end alike in PostgreSQL and in the plain-spoken model of it, the store in memory.
//!
//! The cases are the same in every run; a failure prints its smallest form.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use rowstamp_domain::operation::{Count, Operation, Outcome, Precondition, Representation, Verdict};
use rowstamp_domain::query::{Comparison, Condition, Direction, Nulls, Predicate};
use rowstamp_memory::MemoryStore;
use rowstamp_ports::StoreError;
use rowstamp_tests::contract::{Bench, Step, StoreFactory, at, context, library, uid};
use serde_json::{Value as Json, json};

use crate::contract::Postgres;

const CASES: u32 = 32;
const RESOURCES: [&str; 4] = ["authors", "books", "loans", "remarks"];

/// An operation as small numbers, so that it is made and made smaller easily.
#[derive(Debug, Clone)]
struct Choice {
    kind: u8,
    resource: usize,
    row: u128,
    values: [u8; 4],
    rules: [u8; 3],
    precondition: u8,
    representation: u8,
}

fn choice() -> impl Strategy<Value = Choice> {
    let values = [0_u8..6, 0_u8..6, 0_u8..6, 0_u8..6];
    // Most rules let pass: what nothing gets past tells little of what comes after it.
    let rules = [0_u8..30, 0_u8..30, 0_u8..30];
    (0_u8..13, 0_usize..4, 0_u128..3, values, rules, 0_u8..16, 0_u8..4).prop_map(
        |(kind, resource, row, values, rules, precondition, representation)| Choice {
            kind,
            resource,
            row,
            values,
            rules,
            precondition,
            representation,
        },
    )
}

/// Uids of different resources never meet, so that a reference says which it means.
fn row_of(resource: &str, number: u128) -> uuid::Uuid {
    let base = RESOURCES.iter().position(|name| *name == resource).unwrap() as u128;
    uid(base * 10 + number)
}

fn reference(resource: &str, number: u8) -> Json {
    if number >= 3 {
        Json::Null
    } else {
        json!(row_of(resource, u128::from(number)))
    }
}

fn values(resource: &str, [a, b, c, d]: [u8; 4]) -> Json {
    let text = |number: u8| {
        if number == 5 {
            Json::Null
        } else {
            json!(["", "a", "B", "é%_\\", "c"][usize::from(number - number / 5)])
        }
    };
    match resource {
        // A NULL for a required field is one of the things that can happen.
        "authors" => {
            let dates = [json!("2000-01-01"), json!("infinity"), Json::Null];
            json!({"name": text(a), "born_on": dates[usize::from(b % 3)]})
        }
        "books" => {
            let title = if a == 5 { json!("t") } else { text(a) };
            let price = ["0", "1.5", "1.50", "99999999.99", "-1", "2"][usize::from(c)];
            let status = ["draft", "published", "draft", "draft", "published", "lost"][usize::from(d)];
            let tags = [
                json!([]),
                json!(["a", null]),
                json!([["x"], ["y"]]),
                Json::Null,
                json!([null]),
                json!(["z"]),
            ];
            json!({
                "title": title,
                "isbn": text(b),
                "shelf": text(c),
                "position": d,
                "price": price,
                "status": status,
                "tags": tags[usize::from(a)],
                "author_uid": reference("authors", b),
            })
        }
        "loans" => json!({"reader": "r", "book_uid": reference("books", a % 4)}),
        _ => json!({"text": text(a), "book_uid": reference("books", b)}),
    }
}

/// A rule or filter on one field of the resource, mostly one that lets pass.
fn condition(bench: &Bench, resource: &str, number: u8) -> Condition {
    let field = match resource {
        "authors" => "name",
        "books" => "isbn",
        "loans" => "reader",
        _ => "text",
    };
    let value = bench.value(resource, field, &json!("a"));
    let test = |predicate| bench.test(resource, field, predicate);
    match number {
        0 => test(Predicate::Compare(Comparison::Eq, value)),
        1 => Condition::Not(Box::new(test(Predicate::Compare(Comparison::Gte, value)))),
        2 => test(Predicate::IsDistinct(value)),
        3 => Condition::Any(vec![
            test(Predicate::In(vec![value, rowstamp_domain::value::Value::Null])),
            bench.equals(resource, "last_updater_uid", &json!("bob")),
        ]),
        4 => Condition::Not(Box::new(Condition::All(vec![
            test(Predicate::Compare(Comparison::Neq, value)),
            bench.equals(resource, "creator_uid", &json!("alice")),
        ]))),
        5 => Condition::Never,
        _ => Condition::Always,
    }
}

fn precondition(number: u8, versions: u8) -> Precondition {
    match number {
        0 => Precondition::Exists,
        1 => Precondition::Absent,
        2 => Precondition::VersionIn(vec![at(0)]),
        3 => Precondition::VersionIn(vec![at(0), at(1_000_000), at(1_000_000 + i64::from(versions))]),
        _ => Precondition::None,
    }
}

fn operation(bench: &Bench, choice: &Choice) -> Operation {
    let resource = RESOURCES[choice.resource];
    let row = row_of(resource, choice.row);
    let [visible, permitted, other] = choice.rules.map(|rule| condition(bench, resource, rule));
    let representation = [
        Representation::JsonArray,
        Representation::JsonObject,
        Representation::Records,
        Representation::Nothing,
    ][usize::from(choice.representation)];
    let values = values(resource, choice.values);
    let precondition = precondition(choice.precondition, choice.values[0]);
    let step: Step = match choice.kind {
        0 => {
            let mut read = bench.read(resource, row);
            (read.visible, read.representation) = (visible, representation);
            read.into()
        }
        1 => {
            let mut list = bench.list(resource, &["uid", "last_updated_at"]);
            list.query.select = bench.all(resource);
            (list.visible, list.query.condition, list.count) = (visible, other, Count::Exact);
            let (direction, nulls) = match choice.values[0] {
                0 => (Direction::Ascending, Nulls::First),
                1 => (Direction::Ascending, Nulls::Last),
                2 => (Direction::Descending, Nulls::First),
                _ => (Direction::Descending, Nulls::Last),
            };
            list.query
                .order
                .insert(0, bench.term(resource, "last_updater_uid", direction, nulls));
            list.query.offset = u64::from(choice.values[1] / 3);
            list.query.limit = u32::from(choice.values[2]) + 1;
            list.into()
        }
        2..=4 => {
            let mut object = values;
            object["uid"] = json!(row);
            let mut objects = vec![object.clone()];
            if choice.values[3] == 0 {
                object["uid"] = json!(row_of(resource, (choice.row + 1) % 4));
                objects.push(object);
            }
            let mut insert = bench.insert(resource, &objects);
            (insert.visible, insert.permitted) = (visible, permitted);
            // An object is asked for where one row is created.
            insert.representation = match representation {
                Representation::JsonObject if objects.len() > 1 => Representation::JsonArray,
                other => other,
            };
            insert.into()
        }
        5 | 6 => {
            let mut replace = bench.replace(resource, row, &values);
            let update = &mut replace.update;
            (update.visible, update.permitted, update.representation) = (visible, permitted, representation);
            update.precondition = precondition;
            match &mut replace.create {
                _ if choice.rules[2] == 0 => replace.create = None,
                Some(create) => create.permitted = other,
                None => {}
            }
            replace.into()
        }
        7..=10 => {
            let set = if choice.values[2] == 5 { json!({}) } else { values };
            let mut update = bench.update(resource, row, &set);
            (update.visible, update.permitted, update.representation) = (visible, permitted, representation);
            update.precondition = precondition;
            if choice.rules[2] < 4 {
                let creator = ["alice", "bob"][usize::from(choice.rules[2] % 2)];
                update.expect = bench.values(resource, &json!({"creator_uid": creator}));
            }
            update.into()
        }
        _ => {
            let mut delete = bench.delete(resource, row);
            (delete.visible, delete.permitted, delete.representation) = (visible, permitted, representation);
            delete.precondition = precondition;
            delete.into()
        }
    };
    step.0
}

/// What must be alike: which of two records with the same values is named is not.
fn comparable(answer: Result<Outcome, StoreError>) -> Result<Outcome, StoreError> {
    answer.map_err(|error| match error {
        StoreError::Conflict(mut conflict) => {
            conflict.record = None;
            StoreError::Conflict(conflict)
        }
        other => other,
    })
}

/// How often each way of ending was seen, so that the test knows whether it tested anything.
type Endings = Mutex<BTreeMap<String, u32>>;

fn count(endings: &Endings, answer: &Result<Outcome, StoreError>) {
    let ending = match answer {
        Ok(outcome) if outcome.version > Some(at(1_000_000)) => "written more than once".to_owned(),
        Ok(Outcome {
            verdict: Verdict::Mismatch(_),
            ..
        }) => "Mismatch".to_owned(),
        Ok(outcome) => format!("{:?}", outcome.verdict),
        Err(StoreError::Conflict(conflict)) => format!("{:?}", conflict.kind),
        Err(StoreError::Invalid(faults)) => format!("{:?}", faults[0].kind),
        Err(error) => format!("{error:?}"),
    };
    *endings.lock().unwrap().entry(ending).or_default() += 1;
}

async fn ends_alike(choices: Vec<Choice>, endings: &Endings) -> Result<(), TestCaseError> {
    let api = library();
    let postgres = Postgres::open(Arc::clone(&api)).await;
    let model = Bench {
        store: Arc::new(MemoryStore::new(Arc::clone(&api))),
        api,
    };
    let tested = Bench {
        store: postgres.store(),
        ..model.clone()
    };
    // Something to refer to, so that not all that follows finds nothing.
    for bench in [&model, &tested] {
        for number in 0..3 {
            let author = json!({"uid": row_of("authors", number), "name": "a"});
            bench.given("authors", &[author]).await;
        }
        let book = json!({"uid": row_of("books", 0), "title": "t", "author_uid": row_of("authors", 0)});
        bench.given("books", &[book]).await;
    }
    let mut result = Ok(());
    for choice in &choices {
        let operation = operation(&model, choice);
        let expected = comparable(model.store.execute(operation.clone(), &context()).await);
        let found = comparable(tested.store.execute(operation, &context()).await);
        count(endings, &expected);
        if found != expected {
            let message = format!("{choice:?}\n the model: {expected:?}\nPostgreSQL: {found:?}");
            result = Err(TestCaseError::fail(message));
            break;
        }
    }
    for resource in RESOURCES {
        let columns: Vec<_> = tested
            .resource(resource)
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        let (expected, found) = (
            model.rows(resource, &columns).await,
            tested.rows(resource, &columns).await,
        );
        if result.is_ok() && found != expected {
            result = Err(TestCaseError::fail(format!(
                "{resource}\n the model: {expected}\nPostgreSQL: {found}"
            )));
        }
    }
    drop(tested);
    postgres.close().await;
    result
}

#[test]
fn random_operations_end_as_the_model_says() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let endings = Endings::default();
    let mut runner = TestRunner::new_with_rng(config, seed);
    let outcome = runner.run(&prop::collection::vec(choice(), 40..120), |choices| {
        runtime.block_on(ends_alike(choices, &endings))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let endings = endings.into_inner().unwrap();
    for expected in [
        "Found",
        "Created",
        "Updated",
        "Deleted",
        "NotFound",
        "NotVisible",
        "NotWritable",
        "PreconditionFailed",
        "Mismatch",
        "Unique",
        "MissingReference",
        "StillReferenced",
        "Required",
        "Check",
        "written more than once",
    ] {
        assert!(
            endings.get(expected).is_some_and(|times| *times >= 5),
            "too few {expected}: {endings:?}"
        );
    }
}
