//! Random queries over random rows, which must be answered alike, byte for byte, by PostgreSQL and by the store in memory.
//!
//! The cases are the same in every run; a failure prints its seed and its smallest form. `RANDOM_QUERIES_SEED` and
//! `RANDOM_QUERIES_CASES` make others, and more.

use std::cell::RefCell;
use std::sync::Arc;

use proptest::test_runner::TestCaseError;
use rowstamp_domain::operation::{Count, List, Operation, Outcome, Read, Representation, Rows};
use rowstamp_domain::query::{Condition, Query, Select};
use rowstamp_ports::StoreError;
use rowstamp_tests::contract::{Bench, context};

use crate::any_query::Maker;
use crate::dice::{Dice, numbers};
use crate::world::{World, row_of, runner, setting};

/// How many queries each of the libraries is asked.
const CASES: u64 = 250;
const WORLDS: u64 = 2;

const RESOURCES: [&str; 7] = [
    "books",
    "authors",
    "topics",
    "reviews",
    "blurbs",
    "specimens",
    "exhibits",
];

/// What was seen, so that the test knows whether it tested anything.
#[derive(Debug, Default)]
struct Seen {
    rows: u32,
    embeds: u32,
    groups: u32,
    positions: u32,
    errors: u32,
}

fn representation(dice: &mut Dice<'_>, select: &Select) -> Representation {
    match dice.roll(8) {
        5 => Representation::StrippedArray,
        6 => Representation::Csv,
        7 if select.is_plain() => Representation::Records,
        7 => Representation::Nothing,
        _ => Representation::JsonArray,
    }
}

fn operation(bench: &Bench, drawn: &[u16]) -> Operation {
    let mut maker = Maker::new(bench, Dice::new(drawn));
    let resource = *maker.dice.pick(&RESOURCES);
    let query = maker.query(resource, 0);
    let visible = maker.condition(resource, &Select(Arc::new([])), 0);
    let dice = &mut maker.dice;
    let representation = representation(dice, &query.select);
    let resource_definition = Arc::clone(bench.resource(resource));
    if dice.once_in(8) {
        let object = match representation {
            Representation::JsonArray => Representation::JsonObject,
            Representation::StrippedArray => Representation::StrippedObject,
            other => other,
        };
        return Operation::Read(Read {
            resource: resource_definition,
            uid: row_of(resource, u128::try_from(dice.roll(6)).unwrap_or(0)),
            visible,
            select: query.select,
            representation: object,
        });
    }
    Operation::List(List {
        resource: resource_definition,
        visible,
        query,
        count: *dice.pick(&[Count::None, Count::Exact, Count::Estimated { exact_up_to: 1000 }]),
        look_ahead: dice.roll(2) == 1,
        representation,
    })
}

async fn alike(world: &World, operation: &Operation) -> Result<Result<Outcome, StoreError>, TestCaseError> {
    let model = &world.model.store;
    let expected = model.execute(operation.clone(), &context()).await;
    let found = world.tested.store.execute(operation.clone(), &context()).await;
    if found == expected {
        return Ok(expected);
    }
    let message = format!(
        "{}\n the model: {}\nPostgreSQL: {}",
        brief(&format!("{operation:?}")),
        told(&expected),
        told(&found)
    );
    Err(TestCaseError::fail(message))
}

/// What was asked, without the definitions that it carries along.
fn brief(operation: &str) -> String {
    let mut text = String::new();
    let mut rest = operation;
    while let Some((before, definition)) = rest.split_once("ResourceDefinition {") {
        text.push_str(before);
        let name = definition.split('"').nth(1).unwrap_or_default();
        text.push_str(name);
        let mut depth = 1;
        let end = definition.find(|character| {
            depth += i32::from(character == '{') - i32::from(character == '}');
            depth == 0
        });
        rest = &definition[end.map_or(definition.len(), |end| end + 1)..];
    }
    text + rest
}

fn told(answer: &Result<Outcome, StoreError>) -> String {
    match answer {
        Ok(outcome) => match &outcome.rows {
            Rows::Json(text) => format!(
                "{} of {:?}, next {:?}, version {:?}, uid {:?}: {}",
                outcome.returned,
                outcome.total,
                outcome.next,
                outcome.version,
                outcome.uid,
                String::from_utf8_lossy(text)
            ),
            _ => format!("{outcome:?}"),
        },
        Err(error) => format!("{error:?}"),
    }
}

/// Asks once, and, where more rows follow, for those as well.
async fn is_answered_alike(world: &World, drawn: &[u16], seen: &RefCell<Seen>) -> Result<(), TestCaseError> {
    let mut operation = operation(&world.model, drawn);
    for _ in 0..4 {
        let answer = alike(world, &operation).await?;
        note(&operation, &answer, seen);
        let (Operation::List(list), Ok(outcome)) = (&mut operation, answer) else {
            break;
        };
        let Some(next) = outcome.next else { break };
        list.query.after = Some(next);
        list.query.offset = 0;
    }
    Ok(())
}

fn note(operation: &Operation, answer: &Result<Outcome, StoreError>, seen: &RefCell<Seen>) {
    let mut seen = seen.borrow_mut();
    let Ok(outcome) = answer else {
        seen.errors += 1;
        return;
    };
    if outcome.returned == 0 {
        return;
    }
    seen.rows += 1;
    let select = match operation {
        Operation::List(List {
            query: Query { select, after, .. },
            ..
        }) => {
            seen.positions += u32::from(after.is_some());
            select
        }
        Operation::Read(read) => &read.select,
        _ => return,
    };
    seen.embeds += u32::from(select.embeds().next().is_some());
    seen.groups += u32::from(select.is_aggregated());
}

#[test]
fn random_queries_are_answered_as_the_model_answers_them() {
    let first = setting("RANDOM_QUERIES_SEED", 1);
    let cases = u32::try_from(setting("RANDOM_QUERIES_CASES", CASES)).expect("it is small");
    let seen = RefCell::new(Seen::default());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    for seed in first..first + WORLDS {
        let world = runtime.block_on(World::new(seed));
        let result = runner(seed, cases).run(&numbers(120), |drawn| {
            runtime.block_on(is_answered_alike(&world, &drawn, &seen))
        });
        runtime.block_on(world.close());
        if let Err(error) = result {
            panic!("RANDOM_QUERIES_SEED={seed}\n{error}");
        }
    }
    let Seen {
        rows,
        embeds,
        groups,
        positions,
        errors,
    } = seen.into_inner();
    eprintln!(
        "with rows {rows}, with embeds {embeds}, with groups {groups}, after a position {positions}, errors {errors}"
    );
    let enough = cases / 10;
    assert!(
        [rows, embeds, groups, positions]
            .iter()
            .all(|count| *count >= enough)
            && errors < enough,
        "the queries were too much alike"
    );
}

#[test]
fn nothing_is_left_to_chance_where_nothing_is_drawn() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(async {
        let world = World::new(7).await;
        let operation = operation(&world.model, &[]);
        assert!(matches!(&operation, Operation::List(list) if list.query.condition == Condition::Always));
        let outcome = alike(&world, &operation).await.map_err(|error| error.to_string());
        world.close().await;
        assert_eq!(
            outcome.map(|outcome| outcome.map(|outcome| outcome.returned)),
            Ok(Ok(8))
        );
    });
}
