//! Rowstamp beside a hand-written server and the bare limit, against one PostgreSQL, in turns.
//!
//! `cargo run --release -p rowstamp-benches` builds what it needs, starts the three servers, and prints requests per second,
//! ratios to the hand-written one, processor time per request of server and database, and peak memory. Machines are noisy: the
//! servers take turns within every scenario and the median of the rounds is what counts. `--seconds`, `--rounds` and
//! `--connections` change the lengths; a scenario's name as argument runs it alone.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rowstamp_benches::books;
use rowstamp_benches::load::{self, Requests};
use rowstamp_benches::process::{cpu_micros, peak_memory_kb};
use rowstamp_local::provision::{self, ProvisionOptions, TestDatabase};
use tokio_postgres::{Client, NoTls};

struct Scenario {
    name: &'static str,
    status: u16,
    requests: Requests,
    /// Whether the bare program answers it too.
    bare: bool,
}

struct Contestant {
    name: &'static str,
    address: SocketAddr,
    process: Child,
}

impl Drop for Contestant {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

struct Arguments {
    seconds: f64,
    rounds: usize,
    connections: usize,
    only: Option<String>,
}

fn arguments() -> anyhow::Result<Arguments> {
    let mut arguments = Arguments {
        seconds: 3.0,
        rounds: 5,
        connections: 16,
        only: None,
    };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        let mut value = || given.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--seconds" => arguments.seconds = value()?.parse()?,
            "--rounds" => arguments.rounds = value()?.parse()?,
            "--connections" => arguments.connections = value()?.parse()?,
            _ => arguments.only = Some(argument),
        }
    }
    Ok(arguments)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = arguments()?;
    let binaries = build()?;
    let server = provision::find_or_start(&ProvisionOptions::throw_away_in(binaries.join("bench-postgres")))?;
    let database = TestDatabase::create_on(&server)?;
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await?;
    tokio::spawn(connection);
    books::fill(&client).await?;

    let contestants = [
        start("rowstamp", &binaries, database.url()).await?,
        start("baseline", &binaries, database.url()).await?,
        start("bare", &binaries, database.url()).await?,
    ];
    println!(
        "{}; {} connections, {} rounds of {} s",
        server.describe(),
        arguments.connections,
        arguments.rounds,
        arguments.seconds
    );
    println!(
        "\n{:<10} {:<10} {:>10} {:>9} {:>9} {:>11} {:>11}",
        "scenario", "server", "req/s", "spread", "ratio", "server µs", "database µs"
    );
    for scenario in scenarios(&client).await? {
        if arguments.only.as_deref().is_none_or(|only| only == scenario.name) {
            compare(&scenario, &contestants, &client, &arguments).await?;
        }
    }
    println!();
    for contestant in &contestants {
        let peak = peak_memory_kb(contestant.process.id()).unwrap_or(0);
        println!(
            "{:<10} peak memory {:>6.1} MB",
            contestant.name,
            kilobytes_as_megabytes(peak)
        );
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "memory sizes are far below 2^52")]
fn kilobytes_as_megabytes(kilobytes: u64) -> f64 {
    kilobytes as f64 / 1024.0
}

/// Builds the three servers in release mode and tells the directory they are in.
fn build() -> anyhow::Result<PathBuf> {
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--quiet",
            "-p",
            "rowstamp-local",
            "-p",
            "rowstamp-benches",
            "--bins",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    ensure!(status.success(), "the servers do not build");
    let own = std::env::current_exe()?;
    Ok(own
        .parent()
        .context("an executable is in a directory")?
        .to_owned())
}

async fn start(name: &'static str, binaries: &std::path::Path, database: &str) -> anyhow::Result<Contestant> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = Command::new(binaries.join(name));
    if name == "rowstamp" {
        command
            .arg("serve")
            .env("ROWSTAMP_RESOURCES", books::DEFINITION_FILE);
    }
    let process = command
        .env("DATABASE_URL", database)
        .env("ROWSTAMP_LISTEN", address.to_string())
        .env("RUST_LOG", "warn")
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| name.to_owned())?;
    let contestant = Contestant {
        name,
        address,
        process,
    };
    let until = Instant::now() + Duration::from_secs(10);
    while tokio::net::TcpStream::connect(address).await.is_err() {
        ensure!(Instant::now() < until, "{name} does not listen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(contestant)
}

async fn scenarios(client: &Client) -> anyhow::Result<Vec<Scenario>> {
    let uids = books::some_uids(client).await?;
    let get = |target: String| format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes();
    let body = books::NEW;
    let post = format!(
        "POST /books HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let list = |limit: u32| Arc::new(vec![get(format!("/books?limit={limit}"))]);
    Ok(vec![
        Scenario {
            name: "one",
            status: 200,
            requests: Arc::new(uids.iter().map(|uid| get(format!("/books/{uid}"))).collect()),
            bare: true,
        },
        Scenario {
            name: "list-25",
            status: 200,
            requests: list(25),
            bare: true,
        },
        Scenario {
            name: "list-1000",
            status: 200,
            requests: list(1000),
            bare: true,
        },
        Scenario {
            name: "insert",
            status: 201,
            requests: Arc::new(vec![post.into_bytes()]),
            bare: false,
        },
    ])
}

#[derive(Default)]
struct Tally {
    rates: Vec<f64>,
    server_micros: Vec<f64>,
    database_micros: Vec<f64>,
}

async fn compare(
    scenario: &Scenario,
    contestants: &[Contestant],
    client: &Client,
    arguments: &Arguments,
) -> anyhow::Result<()> {
    let mut tallies: Vec<Tally> = contestants.iter().map(|_| Tally::default()).collect();
    let duration = Duration::from_secs_f64(arguments.seconds);
    // The first round warms up caches and is not counted.
    for round in 0..=arguments.rounds {
        for (contestant, tally) in contestants.iter().zip(&mut tallies) {
            if contestant.name == "bare" && !scenario.bare {
                continue;
            }
            let backends = backends(client).await?;
            let database_before: u64 = backends.iter().map(|pid| cpu_micros(*pid)).sum();
            let server_before = cpu_micros(contestant.process.id());
            let lasting = if round == 0 {
                duration.min(Duration::from_secs(1))
            } else {
                duration
            };
            let counted = load::run(
                contestant.address,
                Arc::clone(&scenario.requests),
                scenario.status,
                arguments.connections,
                lasting,
            )
            .await
            .with_context(|| format!("{} in {}", contestant.name, scenario.name))?;
            if round > 0 {
                let server = cpu_micros(contestant.process.id()) - server_before;
                let database = backends.iter().map(|pid| cpu_micros(*pid)).sum::<u64>() - database_before;
                tally.rates.push(counted.per_second());
                tally.server_micros.push(per_request(server, counted.requests));
                tally
                    .database_micros
                    .push(per_request(database, counted.requests));
            }
            if scenario.status == 201 {
                books::remove_new(client).await?;
            }
        }
    }
    let baseline = contestants
        .iter()
        .position(|contestant| contestant.name == "baseline");
    let baseline = median(&tallies[baseline.context("a baseline takes part")?].rates)?;
    for (contestant, tally) in contestants.iter().zip(&tallies) {
        if tally.rates.is_empty() {
            continue;
        }
        let rate = median(&tally.rates)?;
        let spread = tally
            .rates
            .iter()
            .fold(0.0_f64, |most, one| most.max((one / rate - 1.0).abs()));
        println!(
            "{:<10} {:<10} {:>10.0} {:>8.0}% {:>8.2}x {:>11.1} {:>11.1}",
            scenario.name,
            contestant.name,
            rate,
            spread * 100.0,
            rate / baseline,
            median(&tally.server_micros)?,
            median(&tally.database_micros)?,
        );
    }
    Ok(())
}

/// The processes of PostgreSQL that work for this database, whose time counts as the database's.
async fn backends(client: &Client) -> anyhow::Result<Vec<u32>> {
    let rows = client
        .query(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| Ok(u32::try_from(row.get::<_, i32>(0))?))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn per_request(micros: u64, requests: u64) -> f64 {
    micros as f64 / requests.max(1) as f64
}

fn median(values: &[f64]) -> anyhow::Result<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.get(sorted.len() / 2) {
        Some(value) => Ok(*value),
        None => bail!("no rounds were run"),
    }
}
