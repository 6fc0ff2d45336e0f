//! The Lambda binary under load: one invocation after the other against an emulated Runtime API, as Lambda does it.
//!
//! `cargo run --release -p rowstamp-benches --bin invoke` builds the binary and prints the time from the process's start to its
//! first request for work, the median round trip of warm invocations (the emulator's share included), and peak memory.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rowstamp_benches::books;
use rowstamp_benches::process::peak_memory_kb;
use rowstamp_local::provision::{self, ProvisionOptions, TestDatabase};
use rowstamp_tests::runtime_api::Answer;
use rowstamp_tests::runtime_api_function::Function;
use tokio_postgres::NoTls;

const WARM_INVOCATIONS: usize = 2_000;
const STARTS: usize = 11;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "-p", "rowstamp-lambda", "--bins"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    ensure!(status.success(), "the Lambda binary does not build");
    let own = std::env::current_exe()?;
    let directory = own.parent().context("an executable is in a directory")?;
    let binary = directory.join("bootstrap");
    let size_mb = bytes_as_megabytes(std::fs::metadata(&binary)?.len());

    let server =
        provision::find_or_start(&ProvisionOptions::throw_away_in(directory.join("bench-postgres")))?;
    let database = TestDatabase::create_on(&server)?;
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await?;
    tokio::spawn(connection);
    books::fill(&client).await?;
    let uids = books::some_uids(&client).await?;

    println!("{}; bootstrap of {size_mb:.1} MB", server.describe());
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(start(&binary, database.url()).await?.1);
    }
    println!(
        "{:<10} {:>8.2} ms to the first request for work, connection made",
        "start",
        median_ms(&mut starts)
    );

    let one: Vec<String> = uids
        .iter()
        .map(|uid| event("GET", &format!("/books/{uid}"), "", None))
        .collect();
    let scenarios = [
        ("one", one),
        ("list-25", vec![event("GET", "/books", "limit=25", None)]),
        ("list-1000", vec![event("GET", "/books", "limit=1000", None)]),
        ("insert", vec![event("POST", "/books", "", Some(books::NEW))]),
    ];
    for (name, events) in scenarios {
        let (mut function, _) = start(&binary, database.url()).await?;
        let mut times = Vec::with_capacity(WARM_INVOCATIONS);
        for at in 0..WARM_INVOCATIONS {
            let event = events[at % events.len()].clone();
            let started = Instant::now();
            let answer = function.invoke(event).await;
            times.push(started.elapsed());
            let Answer::Response(body) = answer else {
                anyhow::bail!("{name}: {answer:?}")
            };
            let head = body.get(..40).unwrap_or_default();
            ensure!(
                head.windows(16)
                    .any(|part| part == b"\"statusCode\":200" || part == b"\"statusCode\":201"),
                "{name}: {}",
                String::from_utf8_lossy(&body)
            );
        }
        let peak = function
            .process_id()
            .and_then(peak_memory_kb)
            .context("the function is running")?;
        println!(
            "{name:<10} {:>8.3} ms a warm invocation, peak memory {:>5.1} MB",
            median_ms(&mut times),
            bytes_as_megabytes(peak * 1024)
        );
    }
    Ok(())
}

/// Starts the function and waits until it asks for work.
async fn start(binary: &Path, database: &str) -> anyhow::Result<(Function, Duration)> {
    let vars = [
        ("DATABASE_URL", database),
        ("ROWSTAMP_RESOURCES", books::DEFINITION_FILE),
        ("RUST_LOG", "warn"),
    ];
    let started = Instant::now();
    let function = Function::start(binary, &vars).await;
    while !function.api().is_initialised() {
        ensure!(
            started.elapsed() < Duration::from_secs(10),
            "the function does not start: {}",
            function.log()
        );
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
    Ok((function, started.elapsed()))
}

/// An event of an HTTP API.
fn event(method: &str, path: &str, query: &str, body: Option<&str>) -> String {
    serde_json::json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": { "content-type": "application/json", "host": "abc.execute-api.eu-west-1.amazonaws.com" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "abc", "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench" },
            "requestId": "bench", "routeKey": "$default", "stage": "$default",
            "time": "22/Nov/2026:12:00:00 +0000", "timeEpoch": 1_795_348_800_000_u64
        },
        "body": body,
        "isBase64Encoded": false
    })
    .to_string()
}

fn median_ms(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn bytes_as_megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}
