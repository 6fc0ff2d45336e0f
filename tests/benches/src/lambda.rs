//! The Lambda binary beside a function that only echoes, one invocation after the other against an emulated Runtime API, as Lambda does it.
//!
//! It prints the time from the process's start to its first request for work, with TLS and without; the round trip of warm invocations, in
//! turns with the echo's, whose share is the emulator's and the runtime's; peak memory and size.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rowstamp_local::provision::{Server, TestDatabase};
use rowstamp_tests::certificates::Authority;
use rowstamp_tests::postgres_server::PostgresServer;
use rowstamp_tests::runtime_api::Answer;
use rowstamp_tests::runtime_api_function::Function;
use tokio_postgres::{Client, NoTls};

use crate::asked::Asked;
use crate::process::peak_memory_kb;
use crate::report::median;
use crate::tables;

/// How many functions are started for one figure.
const STARTS: usize = 21;
/// How many invocations have their turn one after the other.
const TURN: usize = 50;

/// Takes the times of both functions, warm ones over so many turns.
///
/// # Errors
/// When a function fails or answers otherwise than it should.
pub async fn compare(server: &Server, binaries: &Path, turns: usize) -> anyhow::Result<()> {
    let (ours, echo) = (binaries.join("bootstrap"), binaries.join("echo"));
    println!("\nLambda: {}", server.describe());
    println!(
        "bootstrap {:>6.2} MB, echo {:.2} MB",
        size_mb(&ours)?,
        size_mb(&echo)?
    );
    let database = TestDatabase::create_on(server)?;
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await?;
    tokio::spawn(connection);
    tables::fill(&client, 100_000).await?;
    starts(&ours, &echo, database.url()).await?;
    warm(&ours, &echo, database.url(), &client, turns).await
}

fn size_mb(binary: &Path) -> anyhow::Result<f64> {
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
    let bytes = std::fs::metadata(binary)?.len() as f64;
    Ok(bytes / 1024.0 / 1024.0)
}

async fn starts(ours: &Path, echo: &Path, database: &str) -> anyhow::Result<()> {
    let tls = TlsServer::start();
    let plain = variables(database, None);
    let over_tls = tls.as_ref().map(|tls| variables(&tls.url, Some(&tls.root)));
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..STARTS {
        times[0].push(start(echo, &[]).await.1);
        times[1].push(start(ours, &borrowed(&plain)).await.1);
        if let Some(over_tls) = &over_tls {
            times[2].push(start(ours, &borrowed(over_tls)).await.1);
        }
    }
    for (what, times) in ["echo", "ours, connected", "ours, connected by TLS"]
        .iter()
        .zip(&times)
    {
        if let Ok(middle) = median(times) {
            println!("{what:<24} {middle:>8.2} ms from the start to the first request for work");
        }
    }
    Ok(())
}

/// A server that takes connections by TLS alone, and the file of the authority that vouches for it.
struct TlsServer {
    url: String,
    root: String,
    _server: PostgresServer,
    _directory: rowstamp_tests::served::Directory,
}

impl TlsServer {
    fn start() -> Option<Self> {
        let authority = Authority::new();
        let identity = authority.identity("localhost");
        let server = PostgresServer::start_with_files(
            &[("ssl", "on"), ("password_encryption", "scram-sha-256")],
            &[
                ("server.crt", &identity.certificate),
                ("server.key", &identity.key),
            ],
        )?;
        let directory = rowstamp_tests::served::Directory::new();
        let root = directory.path().join("root.pem");
        std::fs::write(&root, authority.pem()).ok()?;
        Some(Self {
            url: format!(
                "postgres://postgres@localhost:{}/postgres?sslmode=verify-full",
                server.port()
            ),
            root: root.to_str()?.to_owned(),
            _server: server,
            _directory: directory,
        })
    }
}

/// Where the function's allocator is told to keep an answer's memory for the next one.
const TEMPLATE: &str = include_str!("../../../app-lambda/deploy/template.yaml");

fn variables(url: &str, root: Option<&str>) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("DATABASE_URL", url.to_owned()),
        ("ROWSTAMP_RESOURCES", tables::DEFINITION_FILE.to_owned()),
        ("RUST_LOG", "warn".to_owned()),
    ];
    let mut lines = TEMPLATE.lines();
    let tunables = lines.find_map(|line| line.trim().strip_prefix("GLIBC_TUNABLES: "));
    variables.extend(tunables.map(|tunables| ("GLIBC_TUNABLES", tunables.to_owned())));
    variables.extend(root.map(|root| ("PGSSLROOTCERT", root.to_owned())));
    variables
}

fn borrowed<'v>(variables: &'v [(&'static str, String)]) -> Vec<(&'v str, &'v str)> {
    variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

/// Starts a function and waits until it asks for work; the time in milliseconds.
async fn start(binary: &Path, variables: &[(&str, &str)]) -> (Function, f64) {
    let started = Instant::now();
    let function = Function::start(binary, variables).await;
    function.initialised(Duration::from_secs(10)).await;
    (function, milliseconds(started.elapsed()))
}

async fn warm(ours: &Path, echo: &Path, database: &str, client: &Client, turns: usize) -> anyhow::Result<()> {
    println!(
        "{:<10} {:>9} {:>9} {:>9} {:>12}",
        "warm", "ours ms", "echo ms", "over ms", "peak memory"
    );
    let uids = tables::some_uids(client, 1_000).await?;
    for name in Asked::NAMES {
        let asked = Asked::named(name)?;
        let events: Vec<String> = if name == "one" {
            let of_uid = |uid: &String| Asked {
                path: format!("/books/{uid}"),
                ..asked.clone()
            };
            uids.iter().map(|uid| of_uid(uid).event()).collect()
        } else {
            vec![asked.event()]
        };
        let variables = variables(database, None);
        let (mut function, _) = start(ours, &borrowed(&variables)).await;
        let (mut echoing, _) = start(echo, &[]).await;
        let (mut times, mut echoed, mut over) = (Vec::new(), Vec::new(), Vec::new());
        // The first turn warms up and is not counted.
        for turn in 0..=turns {
            let own = invocations(&mut function, &events, Some(asked.status)).await?;
            let bare = invocations(&mut echoing, &events, None).await?;
            if turn > 0 {
                times.push(own);
                echoed.push(bare);
                over.push(own - bare);
            }
        }
        let peak = function
            .process_id()
            .and_then(peak_memory_kb)
            .context("the function is running")?;
        println!(
            "{name:<10} {:>9.3} {:>9.3} {:>9.3} {:>9} kB",
            median(&times)?,
            median(&echoed)?,
            median(&over)?,
            peak
        );
        tables::remove_new(client).await?;
    }
    Ok(())
}

/// The median time of a turn of invocations, in milliseconds.
async fn invocations(function: &mut Function, events: &[String], status: Option<u16>) -> anyhow::Result<f64> {
    let mut times = Vec::with_capacity(TURN);
    for at in 0..TURN {
        let event = events[at % events.len()].clone();
        let started = Instant::now();
        let answer = function.invoke(event).await;
        times.push(milliseconds(started.elapsed()));
        let Answer::Response(body) = answer else {
            anyhow::bail!("{answer:?}")
        };
        if let Some(status) = status {
            let begins = format!("{{\"statusCode\":{status},");
            ensure!(
                body.starts_with(begins.as_bytes()),
                "{}",
                String::from_utf8_lossy(&body)
            );
        }
    }
    median(&times)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
