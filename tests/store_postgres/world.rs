//! A small library of random rows, the same in PostgreSQL and in memory.

use std::sync::Arc;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, TestRng, TestRunner};
use rowstamp_memory::MemoryStore;
use rowstamp_tests::contract::{Bench, StoreFactory, library, uid};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::contract::Postgres;
use crate::dice::{Dice, exactly, value};

/// The resources with rows, each after those that it refers to, and how many rows it has.
const ROWS: [(&str, u128); 9] = [
    ("authors", 4),
    ("books", 8),
    ("topics", 5),
    ("book_topics", 10),
    ("reviews", 14),
    ("blurbs", 4),
    ("specimens", 10),
    ("exhibits", 9),
    ("entries", 0),
];

/// Two stores with the same rows.
pub(crate) struct World {
    pub(crate) model: Bench,
    pub(crate) tested: Bench,
    postgres: Postgres,
}

/// Uids of different resources never meet.
pub(crate) fn row_of(resource: &str, number: u128) -> Uuid {
    let base = ROWS
        .iter()
        .position(|(name, _)| *name == resource)
        .expect("it has rows");
    uid(u128::try_from(base).expect("it is small") * 1000 + number)
}

/// Random numbers that are the same for the same seed.
pub(crate) fn runner(seed: u64, cases: u32) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let algorithm = proptest::test_runner::RngAlgorithm::ChaCha;
    TestRunner::new_with_rng(config, TestRng::from_seed(algorithm, &bytes))
}

/// A number that the environment may replace, to try more or others.
pub(crate) fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}

impl World {
    pub(crate) async fn new(seed: u64) -> Self {
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
        let drawn = exactly(4000).new_tree(&mut runner(seed, 1));
        let drawn = drawn.expect("numbers are made").current();
        let mut dice = Dice::new(&drawn);
        for (resource, count) in ROWS {
            for number in 0..count {
                let row = random_row(&mut dice, &model, resource, number);
                for bench in [&model, &tested] {
                    bench.given(resource, std::slice::from_ref(&row)).await;
                }
            }
        }
        Self {
            model,
            tested,
            postgres,
        }
    }

    pub(crate) async fn close(self) {
        drop((self.model, self.tested));
        self.postgres.close().await;
    }
}

fn random_row(dice: &mut Dice<'_>, bench: &Bench, resource: &str, number: u128) -> Json {
    let definition = bench.resource(resource);
    let mut row = Map::new();
    row.insert("uid".to_owned(), json!(row_of(resource, number)));
    for field in definition.fields.iter().filter(|field| !field.is_audit()) {
        let value = match &field.references {
            // Each has a blurb of its own.
            Some(to) if field.unique => json!(row_of(&to.resource, number)),
            Some(to) if to.resource == resource => match number {
                0 => Json::Null,
                _ => json!(row_of(resource, number - 1)),
            },
            Some(to) => {
                let (_, others) = ROWS
                    .iter()
                    .find(|(name, _)| *name == to.resource)
                    .expect("it has rows");
                let other = u128::try_from(dice.roll(usize::try_from(*others).unwrap_or(0) + 1)).unwrap_or(0);
                if other < *others {
                    json!(row_of(&to.resource, other))
                } else if field.required {
                    json!(row_of(&to.resource, 0))
                } else {
                    Json::Null
                }
            }
            None if field.unique
                || definition
                    .unique
                    .iter()
                    .flatten()
                    .any(|id| definition.field(*id).name == field.name) =>
            {
                json_of_unique(dice, field.ty.scalar.name(), number)
            }
            None if !field.required && dice.once_in(4) => Json::Null,
            None => value(dice, bench, resource, &field.name),
        };
        row.insert(field.name.clone(), value);
    }
    Json::Object(row)
}

fn json_of_unique(dice: &mut Dice<'_>, ty: &str, number: u128) -> Json {
    match ty {
        _ if dice.once_in(3) => Json::Null,
        "integer" => json!(i32::try_from(number).unwrap_or(0)),
        _ => json!(format!("n{number}")),
    }
}
