//! What the pieces of the way of a request take, in instructions and allocations, beside what they took when that was last written down.
//!
//! Counts depend on the compiler, so those of another one are shown and not judged.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use rowstamp_local::provision::{Server, TestDatabase};
use tokio_postgres::NoTls;

use crate::asked::Asked;
use crate::tables;
use crate::valgrind::{self, Taken};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.txt");
/// How much more a piece may take than was written down, in thousandths.
const ALLOWED: u64 = 50;

/// Counts the pieces whose names begin with one of `names`, or all of them; then writes the counts down, or holds them to what was
/// written down.
///
/// # Errors
/// When a piece takes over 5 % more than was written down, or cannot be counted.
pub async fn count(server: &Server, binaries: &Path, names: &[String], writes: bool) -> anyhow::Result<()> {
    ensure!(valgrind::is_installed(), "valgrind is not installed");
    let database = TestDatabase::create_on(server)?;
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await?;
    tokio::spawn(connection);
    tables::fill(&client, 10_000).await?;

    let compiler = compiler()?;
    let before = Written::read()?;
    let judged = before.compiler == compiler;
    println!("\nInstructions and allocations, {compiler}");
    if !judged && !writes {
        println!("written down with `{}`, so not judged", before.compiler);
    }
    println!(
        "{:<32} {:>13} {:>8} {:>12} {:>7}",
        "piece", "instructions", "change", "allocations", "before"
    );
    let mut taken = BTreeMap::new();
    let mut worse = Vec::new();
    let wanted =
        |piece: &String| names.is_empty() || names.iter().any(|name| piece.starts_with(name.as_str()));
    for name in pieces().filter(wanted) {
        let now = of_one(&binaries.join("pieces"), &name, database.url())?;
        let old = before.taken.get(&name);
        println!(
            "{name:<32} {:>13} {:>8} {:>12} {:>7}",
            now.instructions,
            old.map_or_else(
                || "new".to_owned(),
                |old| change(old.instructions, now.instructions)
            ),
            now.allocations,
            old.map_or_else(String::new, |old| old.allocations.to_string()),
        );
        let is_worse = |old: &Taken| {
            is_more(old.instructions, now.instructions) || is_more(old.allocations, now.allocations)
        };
        if old.is_some_and(is_worse) {
            worse.push(name.clone());
        }
        taken.insert(name, now);
    }
    if writes {
        let mut written = if judged { before.taken } else { BTreeMap::new() };
        written.extend(taken);
        fs::write(FILE, text(&compiler, &written))?;
    } else if judged {
        ensure!(
            worse.is_empty(),
            "over 5 % more than was written down: {}",
            worse.join(", ")
        );
    }
    Ok(())
}

/// Every piece, in the order of a request.
fn pieces() -> impl Iterator<Item = String> {
    let of = |piece: &'static str| {
        Asked::NAMES
            .into_iter()
            .map(move |asked| format!("{piece}/{asked}"))
    };
    of("event-to-operation")
        .chain(of("operation-to-sql"))
        .chain(["row-to-json".to_owned()])
        .chain(of("request"))
}

/// How often a piece is done in the shorter of two runs.
fn times(name: &str) -> u64 {
    match name.rsplit_once('/').map(|(_, asked)| asked) {
        Some("list-1000" | "bulk-1000") => 5,
        _ => 100,
    }
}

/// What doing a piece once takes: the difference between two runs, so that the start is not counted.
fn of_one(program: &Path, name: &str, database: &str) -> anyhow::Result<Taken> {
    let times = times(name);
    let run = |count: u64| {
        valgrind::count(
            program,
            &[name, &count.to_string()],
            &[("DATABASE_URL", database), ("RUST_LOG", "warn")],
        )
        .with_context(|| name.to_owned())
    };
    // What is made once for all, such as a statement, is in both.
    let (short, long) = (run(times)?, run(2 * times)?);
    Ok(Taken {
        instructions: (long.instructions - short.instructions) / times,
        allocations: long.allocations.saturating_sub(short.allocations) / times,
    })
}

fn change(before: u64, now: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let percent = (now as f64 / before.max(1) as f64 - 1.0) * 100.0;
    format!("{percent:+.1}%")
}

fn is_more(before: u64, now: u64) -> bool {
    now * 1000 > before * (1000 + ALLOWED)
}

fn compiler() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("--version").output()?;
    let version = String::from_utf8(output.stdout)?;
    Ok(format!("{} for {}", version.trim(), std::env::consts::ARCH))
}

/// What was written down.
struct Written {
    compiler: String,
    taken: BTreeMap<String, Taken>,
}

impl Written {
    fn read() -> anyhow::Result<Self> {
        let text = fs::read_to_string(FILE).unwrap_or_default();
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let compiler = lines.next().unwrap_or_default().to_owned();
        let taken = lines.map(|line| {
            let [name, instructions, allocations] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                bail!("{FILE}: {line}");
            };
            let taken = Taken {
                instructions: instructions.parse()?,
                allocations: allocations.parse()?,
            };
            Ok((name.to_owned(), taken))
        });
        Ok(Self {
            compiler,
            taken: taken.collect::<anyhow::Result<_>>()?,
        })
    }
}

fn text(compiler: &str, taken: &BTreeMap<String, Taken>) -> String {
    let mut text = format!(
        "# Instructions and allocations of each piece, as `instructions --write` counted them; the compiler first.\n{compiler}\n"
    );
    for (name, taken) in taken {
        let _ = writeln!(text, "{name} {} {}", taken.instructions, taken.allocations);
    }
    text
}
