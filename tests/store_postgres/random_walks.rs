//! Walks through a list from position to position, in random orders, while rows come and go around them.
//!
//! Whatever stays is visited exactly once, and nothing twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::test_runner::TestCaseError;
use rowstamp_domain::operation::{Outcome, Rows};
use rowstamp_domain::query::{Direction, Nulls};
use rowstamp_domain::value::Value;
use rowstamp_memory::MemoryStore;
use rowstamp_tests::contract::{Bench, StoreFactory, library, of_embed, uid};
use rowstamp_tests::contract::{also, embedded};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::contract::Postgres;
use crate::dice::{Dice, numbers, values_of};
use crate::world::{runner, setting};

const CASES: u64 = 40;
/// Fields to order by. All have few values, so that ties are many.
const FIELDS: [&str; 7] = [
    "integer",
    "text",
    "decimal",
    "float",
    "boolean",
    "timestamp",
    "json",
];
const EXHIBITS: u128 = 5000;

fn specimen(dice: &mut Dice<'_>, uid: Uuid) -> Json {
    let mut row = serde_json::Map::new();
    row.insert("uid".to_owned(), json!(uid));
    for field in FIELDS {
        let pool = values_of(field);
        let value = match dice.roll(4) {
            3 => Json::Null,
            few => pool[few % pool.len().min(3)].clone(),
        };
        row.insert(field.to_owned(), value);
    }
    Json::Object(row)
}

/// One exhibit of each specimen, so that the same walk can go along what is embedded.
async fn exhibit(bench: &Bench, specimen: &Json, number: u128) {
    bench.given("specimens", std::slice::from_ref(specimen)).await;
    let row = json!({"uid": uid(EXHIBITS + number), "specimen_uid": specimen["uid"]});
    bench.given("exhibits", &[row]).await;
}

async fn remove(bench: &Bench, number: u128) {
    bench.run(bench.delete("exhibits", uid(EXHIBITS + number))).await;
}

fn uids(outcome: &Outcome) -> Vec<Uuid> {
    let Rows::Records(records) = &outcome.rows else {
        panic!("no records but {outcome:?}");
    };
    records
        .iter()
        .filter_map(|record| match record.get("uid") {
            Some(Value::Uuid(uid)) => Some(*uid),
            _ => None,
        })
        .collect()
}

/// Walks through the exhibits in an order of their own and their specimens' fields.
async fn visits_all_once(bench: &Bench, drawn: &[u16]) -> Result<(), TestCaseError> {
    let mut dice = Dice::new(drawn);
    let mut staying = BTreeSet::new();
    for number in 0..24 {
        let row = specimen(&mut dice, uid(number));
        exhibit(bench, &row, number).await;
        staying.insert(uid(EXHIBITS + number));
    }
    let mut list = bench.list("exhibits", &["uid"]);
    let specimens = bench.embed(
        "specimen",
        "specimens",
        bench.one("exhibits", "specimen_uid"),
        &[],
    );
    let position = also(&mut list.query, [embedded(specimens)]);
    for _ in 0..=dice.roll(3) {
        let field = *dice.pick(&FIELDS);
        let direction = *dice.pick(&[Direction::Ascending, Direction::Descending]);
        let nulls = *dice.pick(&[Nulls::Last, Nulls::First]);
        let term = of_embed(position, bench.term("specimens", field, direction, nulls));
        list.query.order.insert(list.query.order.len() - 1, term);
    }
    list.query.limit = 1 + u32::try_from(dice.roll(5)).unwrap_or(0);
    list.look_ahead = true;
    list.representation = rowstamp_domain::operation::Representation::Records;

    let mut visited: Vec<Uuid> = Vec::new();
    let mut newcomers = 100;
    loop {
        let outcome = bench.run(list.clone()).await;
        visited.extend(uids(&outcome));
        let Some(next) = outcome.next else { break };
        list.query.after = Some(next);
        // The row at the position itself can go too.
        for _ in 0..dice.roll(3) {
            let number = u128::try_from(dice.roll(24)).unwrap_or(0);
            staying.remove(&uid(EXHIBITS + number));
            remove(bench, number).await;
        }
        if newcomers < 120 && dice.once_in(2) {
            let row = specimen(&mut dice, uid(newcomers));
            exhibit(bench, &row, newcomers).await;
            newcomers += 1;
        }
    }
    let distinct: BTreeSet<Uuid> = visited.iter().copied().collect();
    if distinct.len() != visited.len() {
        return Err(TestCaseError::fail(format!(
            "{list:#?}\nvisited twice: {visited:?}"
        )));
    }
    let missed: Vec<_> = staying.difference(&distinct).collect();
    if missed.is_empty() {
        Ok(())
    } else {
        Err(TestCaseError::fail(format!(
            "{list:#?}\nnever visited: {missed:?}"
        )))
    }
}

/// Takes away what a walk left behind.
async fn clear(bench: &Bench) {
    for resource in ["exhibits", "specimens"] {
        let mut list = bench.list(resource, &["uid"]);
        list.representation = rowstamp_domain::operation::Representation::Records;
        for uid in uids(&bench.run(list).await) {
            bench.run(bench.delete(resource, uid)).await;
        }
    }
}

fn walk(store: &'static str, bench: &Bench, runtime: &tokio::runtime::Runtime, cases: u64) {
    let seed = setting("RANDOM_WALKS_SEED", 1);
    let cases = u32::try_from(setting("RANDOM_WALKS_CASES", cases)).expect("it is small");
    let result = runner(seed, cases).run(&numbers(400), |drawn| {
        runtime.block_on(async {
            let result = visits_all_once(bench, &drawn).await;
            clear(bench).await;
            result
        })
    });
    if let Err(error) = result {
        panic!("{store}, RANDOM_WALKS_SEED={seed}\n{error}");
    }
}

#[test]
fn a_walk_in_memory_visits_each_row_once_while_others_come_and_go() {
    let api = library();
    let bench = Bench {
        store: Arc::new(MemoryStore::new(Arc::clone(&api))),
        api,
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    walk("memory", &bench, &runtime, CASES);
}

#[test]
fn a_walk_in_postgresql_visits_each_row_once_while_others_come_and_go() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let api = library();
    let postgres = runtime.block_on(Postgres::open(Arc::clone(&api)));
    let bench = Bench {
        store: postgres.store(),
        api,
    };
    walk("PostgreSQL", &bench, &runtime, CASES / 2);
    drop(bench);
    runtime.block_on(postgres.close());
}
