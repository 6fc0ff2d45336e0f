//! The one command of all benches: it builds what it needs and runs what it is told to, by default all but `scale`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand, ValueEnum as _};
use rowstamp_benches::http::Effort;
use rowstamp_benches::scale::{self, Dimension};
use rowstamp_benches::scenarios::{self, Scenario};
use rowstamp_benches::{http, instructions, lambda, valgrind};
use rowstamp_local::provision::{self, ProvisionOptions};

/// Measures Rowstamp.
#[derive(Parser)]
#[command(name = "rowstamp-benches")]
struct CommandLine {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Over HTTP, beside a hand-written server and the bare limit, and beside other servers that are installed.
    Http(Http),
    /// The Lambda function, beside one that only echoes.
    Lambda {
        /// How many turns both have, of fifty invocations each.
        #[arg(long, default_value_t = 20)]
        turns: usize,
    },
    /// What the pieces of a request take, in instructions and allocations; fails where one takes over 5 % more than was written down.
    Instructions {
        /// Writes the counts down instead.
        #[arg(long)]
        write: bool,
        /// The beginnings of the names of pieces, all where there is none.
        pieces: Vec<String>,
    },
    /// How the cost of a request grows.
    Scale {
        /// With what, everything where nothing is said.
        dimensions: Vec<Dimension>,
        /// How many rows the largest table has.
        #[arg(long, default_value_t = 1_000_000)]
        rows: u32,
    },
}

#[derive(clap::Args)]
struct Http {
    /// The names of scenarios, all where there is none.
    scenarios: Vec<String>,
    /// How long each run takes, in seconds.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// How often each server has its turn.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// How many connections are kept busy, one number after the other.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    connections: Vec<usize>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let wanted = match CommandLine::parse().what {
        Some(what) => vec![what],
        None => everything(),
    };
    let binaries = build(&wanted)?;
    let server = provision::find_or_start(&ProvisionOptions::throw_away_in(binaries.join("bench-postgres")))?;
    for what in wanted {
        match what {
            What::Http(http) => {
                let effort = Effort {
                    duration: Duration::from_secs_f64(http.seconds),
                    rounds: http.rounds,
                    connections: http.connections,
                };
                let scenarios = if http.scenarios.is_empty() {
                    Scenario::ALL.to_vec()
                } else {
                    let named = http.scenarios.iter().map(|name| scenarios::named(name));
                    named.collect::<anyhow::Result<_>>()?
                };
                http::compare(&server, &binaries, &scenarios, &effort).await?;
            }
            What::Lambda { turns } => lambda::compare(&server, &binaries, turns).await?,
            What::Instructions { write, pieces } => {
                instructions::count(&server, &binaries, &pieces, write).await?;
            }
            What::Scale { dimensions, rows } => {
                let all = Dimension::value_variants();
                let dimensions = if dimensions.is_empty() { all } else { &dimensions };
                scale::measure(&server, &binaries, dimensions, rows).await?;
            }
        }
    }
    Ok(())
}

fn everything() -> Vec<What> {
    let mut everything = vec![
        What::Http(Http {
            scenarios: Vec::new(),
            seconds: 1.0,
            rounds: 9,
            connections: vec![1, 16, 64],
        }),
        What::Lambda { turns: 20 },
    ];
    if valgrind::is_installed() {
        everything.push(What::Instructions {
            write: false,
            pieces: Vec::new(),
        });
    } else {
        eprintln!("valgrind is not installed: instructions are not counted");
    }
    everything
}

/// Builds the programs that are measured, as they are released, and tells the directory they are in.
fn build(wanted: &[What]) -> anyhow::Result<PathBuf> {
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--release", "--locked", "--quiet"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    for what in wanted {
        build.args(match what {
            What::Http(_) => &[
                "-p",
                "rowstamp-local",
                "--bin",
                "rowstamp",
                "-p",
                "rowstamp-benches",
                "--bin",
                "baseline",
                "--bin",
                "bare",
            ][..],
            What::Scale { .. } => &["-p", "rowstamp-local", "--bin", "rowstamp"],
            What::Lambda { .. } => &[
                "-p",
                "rowstamp-lambda",
                "--bin",
                "bootstrap",
                "-p",
                "rowstamp-benches",
                "--bin",
                "echo",
            ],
            What::Instructions { .. } => &["-p", "rowstamp-benches", "--bin", "pieces"],
        });
    }
    ensure!(build.status()?.success(), "the programs do not build");
    // Beside this program's own directory, which is that of another profile where only instructions are counted.
    let own = std::env::current_exe()?;
    let target = own
        .ancestors()
        .nth(2)
        .context("an executable is in a directory of its profile")?;
    Ok(target.join("release"))
}
