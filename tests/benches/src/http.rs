//! Rowstamp over HTTP beside a hand-written server and the bare limit, against one PostgreSQL, in turns.
//!
//! It prints requests per second, the ratios to both, and the processor time that a request takes of the server and of the database.
//! Machines are noisy: the servers take turns within every round, and a ratio is that of one round; the median of the rounds counts, and the
//! quarters beside it tell how sure it is.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rowstamp_local::provision::{Server, TestDatabase};
use tokio_postgres::{Client, NoTls};

use crate::contestants::Contestant;
use crate::load::{self, Requests};
use crate::process::{cpu_micros, peak_memory_kb};
use crate::report::{median, quartiles, ratios};
use crate::scenarios::Scenario;
use crate::tables;

/// How long and how hard.
#[derive(Debug, Clone)]
pub struct Effort {
    /// Of each run.
    pub duration: Duration,
    /// How often each server has its turn.
    pub rounds: usize,
    /// How many connections are kept busy, one number after the other.
    pub connections: Vec<usize>,
}

/// Compares the servers in these scenarios.
///
/// # Errors
/// When one of them fails, or answers otherwise than it should.
pub async fn compare(
    server: &Server,
    binaries: &Path,
    scenarios: &[Scenario],
    effort: &Effort,
) -> anyhow::Result<()> {
    let database = TestDatabase::create_on(server)?;
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await?;
    tokio::spawn(connection);
    tables::fill(&client, 100_000).await?;
    let contestants = Contestant::start_all(binaries, database.url()).await?;
    println!(
        "\nHTTP: {}; {} rounds of {:.1} s",
        server.describe(),
        effort.rounds,
        effort.duration.as_secs_f64()
    );
    println!(
        "{:<10} {:>5} {:<14} {:>9} {:>21} {:>21} {:>10} {:>12}",
        "scenario", "conns", "server", "req/s", "to baseline", "to bare", "server µs", "database µs"
    );
    for scenario in scenarios {
        for connections in &effort.connections {
            let tallies = run(*scenario, *connections, &contestants, &client, effort).await?;
            print(*scenario, *connections, &contestants, &tallies)?;
        }
    }
    for contestant in &contestants {
        let peak = peak_memory_kb(contestant.process_id()).unwrap_or(0);
        println!("{:<14} peak memory {:>6.1} MB", contestant.name, megabytes(peak));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "memory sizes are far below 2^52")]
fn megabytes(kilobytes: u64) -> f64 {
    kilobytes as f64 / 1024.0
}

/// What the rounds of one server gave; empty where it does not take part.
#[derive(Debug, Default)]
struct Tally {
    rates: Vec<f64>,
    server_micros: Vec<f64>,
    database_micros: Vec<f64>,
}

async fn run(
    scenario: Scenario,
    connections: usize,
    contestants: &[Contestant],
    client: &Client,
    effort: &Effort,
) -> anyhow::Result<Vec<Tally>> {
    let mut tallies: Vec<Tally> = contestants.iter().map(|_| Tally::default()).collect();
    // The first round warms up caches and is not counted.
    for round in 0..=effort.rounds {
        for (contestant, tally) in contestants.iter().zip(&mut tallies) {
            let Some(requests) = scenario.requests(contestant, client).await? else {
                continue;
            };
            let duration = if round == 0 {
                effort.duration.min(Duration::from_secs(1))
            } else {
                effort.duration
            };
            let measured = one(contestant, &Arc::new(requests), connections, duration, client)
                .await
                .with_context(|| format!("{} in {}", contestant.name, scenario.name()))?;
            if round > 0 {
                tally.add(&measured);
            }
            // What was made to be deleted is not all gone.
            if scenario.creates() || scenario == Scenario::Delete {
                tables::remove_new(client).await?;
            }
        }
    }
    Ok(tallies)
}

/// What one run of one server gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Requests a second.
    pub(crate) rate: f64,
    /// The server's processor time for each.
    pub(crate) server_micros: f64,
    /// The database's.
    pub(crate) database_micros: f64,
}

/// Loads one server, and looks at what that takes.
pub(crate) async fn one(
    contestant: &Contestant,
    requests: &Arc<Requests>,
    connections: usize,
    duration: Duration,
    client: &Client,
) -> anyhow::Result<Measured> {
    let backends = backends(client).await?;
    let database_time = || backends.iter().map(|pid| cpu_micros(*pid)).sum::<u64>();
    let (server_before, database_before) = (cpu_micros(contestant.process_id()), database_time());
    let counted = load::run(contestant.address, requests, connections, duration).await?;
    let server = cpu_micros(contestant.process_id()) - server_before;
    let database = database_time().saturating_sub(database_before);
    Ok(Measured {
        rate: counted.per_second(),
        server_micros: per_request(server, counted.requests),
        database_micros: per_request(database, counted.requests),
    })
}

impl Tally {
    fn add(&mut self, measured: &Measured) {
        self.rates.push(measured.rate);
        self.server_micros.push(measured.server_micros);
        self.database_micros.push(measured.database_micros);
    }
}

/// The processes of PostgreSQL that work for this database, whose time counts as the database's.
async fn backends(client: &Client) -> anyhow::Result<Vec<u32>> {
    let sql =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let rows = client.query(sql, &[]).await?;
    rows.iter()
        .map(|row| Ok(u32::try_from(row.get::<_, i32>(0))?))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn per_request(micros: u64, requests: u64) -> f64 {
    micros as f64 / requests.max(1) as f64
}

fn print(
    scenario: Scenario,
    connections: usize,
    contestants: &[Contestant],
    tallies: &[Tally],
) -> anyhow::Result<()> {
    let of = |name: &str| {
        let found = contestants.iter().position(|contestant| contestant.name == name);
        found.map_or(&[][..], |at| &tallies[at].rates)
    };
    let compared = |rates: &[f64], to: &[f64]| -> anyhow::Result<String> {
        if to.is_empty() {
            return Ok("-".to_owned());
        }
        let ratios = ratios(rates, to);
        let (low, high) = quartiles(&ratios)?;
        Ok(format!("{:.2} ({low:.2} to {high:.2})", median(&ratios)?))
    };
    for (contestant, tally) in contestants.iter().zip(tallies) {
        if tally.rates.is_empty() {
            continue;
        }
        println!(
            "{:<10} {connections:>5} {:<14} {:>9.0} {:>21} {:>21} {:>10.1} {:>12.1}",
            scenario.name(),
            contestant.name,
            median(&tally.rates)?,
            compared(&tally.rates, of("baseline"))?,
            compared(&tally.rates, of("bare"))?,
            median(&tally.server_micros)?,
            median(&tally.database_micros)?,
        );
    }
    Ok(())
}
