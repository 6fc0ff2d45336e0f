//! How the cost of a request grows: with rows on a page, resources declared, columns, filters, callers, rows in the table and connections.
//!
//! Rowstamp alone takes part. Each figure is the median of a few runs; beside it stands what the first of its row took, so that the growth
//! can be read.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rowstamp_local::provision::{Server, TestDatabase};
use rowstamp_tests::served::Directory;
use tokio_postgres::{Client, NoTls};

use crate::contestants::Contestant;
use crate::http::{self, Measured};
use crate::load::Requests;
use crate::process::peak_memory_kb;
use crate::report::median;
use crate::scenarios::{Scenario, get, get_as};
use crate::tables;

const RUNS: usize = 5;
const RUN: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 16;

/// What grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Dimension {
    /// Rows on a page.
    Page,
    /// Resources declared.
    Resources,
    /// Columns of a table.
    Columns,
    /// Filters of a query.
    Filters,
    /// Callers with tokens of their own.
    Callers,
    /// Rows in the table.
    Rows,
    /// Connections of clients.
    Connections,
}

/// Measures along these dimensions; tables have up to so many rows.
///
/// # Errors
/// When something fails or is answered otherwise than it should.
pub async fn measure(
    server: &Server,
    binaries: &Path,
    dimensions: &[Dimension],
    rows: u32,
) -> anyhow::Result<()> {
    println!(
        "\nScale: {}; {CONNECTIONS} connections where nothing else is said",
        server.describe()
    );
    println!(
        "{:<12} {:>10} {:>10} {:>12} {:>8} {:>14} {:>8}",
        "what", "how many", "req/s", "server µs", "growth", "database µs", "growth"
    );
    for dimension in dimensions {
        let bench = Bench { server, binaries };
        match dimension {
            Dimension::Page => bench.page().await?,
            Dimension::Resources => bench.resources().await?,
            Dimension::Columns => bench.columns().await?,
            Dimension::Filters => bench.filters().await?,
            Dimension::Callers => bench.callers().await?,
            Dimension::Rows => bench.rows(rows).await?,
            Dimension::Connections => bench.connections().await?,
        }
    }
    Ok(())
}

struct Bench<'a> {
    server: &'a Server,
    binaries: &'a Path,
}

/// A database with tables, and Rowstamp serving them.
struct Stage {
    database: TestDatabase,
    client: Client,
    served: Contestant,
    directory: Directory,
    /// From the start of the process until it listened, in milliseconds.
    started_ms: f64,
}

impl Bench<'_> {
    async fn database(&self) -> anyhow::Result<(TestDatabase, Client)> {
        let database = TestDatabase::create_on(self.server)?;
        let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await?;
        tokio::spawn(connection);
        Ok((database, client))
    }

    /// A stage whose tables this makes.
    async fn stage(&self, definitions: &str, fill: &str) -> anyhow::Result<Stage> {
        let (database, client) = self.database().await?;
        client.batch_execute(fill).await?;
        self.serve(database, client, definitions).await
    }

    /// A stage with the tables of the comparison, and so many books.
    async fn books(&self, rows: u32) -> anyhow::Result<Stage> {
        let definitions = std::fs::read_to_string(tables::DEFINITION_FILE)?;
        let (database, client) = self.database().await?;
        tables::fill(&client, rows).await?;
        self.serve(database, client, &definitions).await
    }

    async fn serve(
        &self,
        database: TestDatabase,
        client: Client,
        definitions: &str,
    ) -> anyhow::Result<Stage> {
        let directory = Directory::new();
        std::fs::write(directory.path().join("resources.toml"), definitions)?;
        let started = Instant::now();
        let served = Contestant::start_rowstamp(self.binaries, database.url(), directory.path()).await?;
        Ok(Stage {
            database,
            client,
            served,
            directory,
            started_ms: started.elapsed().as_secs_f64() * 1000.0,
        })
    }

    async fn page(&self) -> anyhow::Result<()> {
        let stage = self.books(100_000).await?;
        let mut row = Row::new("rows on page");
        for limit in [1, 10, 100, 1_000] {
            let requests = Requests::repeated(200, [get(&format!("/books?limit={limit}"))]);
            row.add(limit, &stage.run(requests, CONNECTIONS).await?);
        }
        Ok(())
    }

    async fn resources(&self) -> anyhow::Result<()> {
        let mut row = Row::new("resources");
        for count in [1, 10, 100, 1_000] {
            let mut definitions = "[api]\ntitle = \"Many\"\nversion = \"1.0.0\"\n".to_owned();
            let mut fill = String::new();
            for number in 0..count {
                let _ = write!(
                    fill,
                    "CREATE TABLE things_{number} (uid uuid PRIMARY KEY, name text, created_at timestamptz NOT NULL,
                     last_updated_at timestamptz NOT NULL, creator_uid text, last_updater_uid text);
                     INSERT INTO things_{number} SELECT gen_random_uuid(), 'Thing ' || n, now(), now(), NULL, NULL
                     FROM generate_series(1, 100) AS n;"
                );
                let _ = write!(
                    definitions,
                    "[resources.things_{number}.fields]\n\
                     name = {{ type = \"text\" }}\n[resources.things_{number}.access]\nread = \"anyone\"\n"
                );
            }
            let stage = self.stage(&definitions, &fill).await?;
            // Every resource in turn, so that no cache holds one alone.
            let requests = Requests::repeated(
                200,
                (0..count).map(|number| get(&format!("/things_{number}?limit=1"))),
            );
            row.add(count, &stage.run(requests, CONNECTIONS).await?);
            println!(
                "{:<12} {count:>10} listens after {:.0} ms, peak memory {} kB",
                "",
                stage.started_ms,
                stage.peak_memory_kb()
            );
        }
        Ok(())
    }

    async fn columns(&self) -> anyhow::Result<()> {
        let mut row = Row::new("columns");
        for count in [10, 30, 100] {
            let fields: String = (0..count).fold(String::new(), |mut text, number| {
                let _ = writeln!(text, "c{number} = {{ type = \"text\" }}");
                text
            });
            let definitions = format!(
                "[api]\ntitle = \"Wide\"\nversion = \"1.0.0\"\n[resources.wide.fields]\n{fields}[resources.wide.access]\nread = \"anyone\"\n"
            );
            let columns: String = (0..count).fold(String::new(), |mut text, number| {
                let _ = write!(text, ", c{number} text");
                text
            });
            let values = ", 'a value'".repeat(count);
            let fill = format!(
                "CREATE TABLE wide (uid uuid PRIMARY KEY{columns}, created_at timestamptz NOT NULL, last_updated_at timestamptz NOT NULL,
                                    creator_uid text, last_updater_uid text);
                 INSERT INTO wide SELECT gen_random_uuid(){values}, now(), now(), NULL, NULL FROM generate_series(1, 1000)"
            );
            let stage = self.stage(&definitions, &fill).await?;
            let requests = Requests::repeated(200, [get("/wide?limit=100")]);
            row.add(count, &stage.run(requests, CONNECTIONS).await?);
        }
        Ok(())
    }

    async fn filters(&self) -> anyhow::Result<()> {
        let stage = self.books(100_000).await?;
        let mut row = Row::new("filters");
        for count in [0, 1, 5, 20, 100] {
            let filters: String = (0..count).fold(String::new(), |mut text, number| {
                let _ = write!(text, "&pages=gt.-{number}");
                text
            });
            let requests = Requests::repeated(200, [get(&format!("/books?limit=25{filters}"))]);
            row.add(count, &stage.run(requests, CONNECTIONS).await?);
        }
        Ok(())
    }

    async fn callers(&self) -> anyhow::Result<()> {
        let stage = self.books(10_000).await?;
        let uid = tables::FIRST;
        let mut row = Row::new("callers");
        for count in [0, 1, 100, 1_000] {
            let requests = if count == 0 {
                vec![get(&format!("/books/{uid}"))]
            } else {
                let tokens = (0..count).map(|number| stage.token(self.binaries, &format!("caller-{number}")));
                let tokens = tokens.collect::<anyhow::Result<Vec<_>>>()?;
                tokens
                    .iter()
                    .map(|token| get_as(&format!("/books/{uid}"), token))
                    .collect()
            };
            let requests = Requests::repeated(200, requests);
            row.add(count, &stage.run(requests, CONNECTIONS).await?);
        }
        Ok(())
    }

    async fn rows(&self, most: u32) -> anyhow::Result<()> {
        let sizes: Vec<u32> = std::iter::successors(Some(10_000_u32), |size| size.checked_mul(10))
            .take_while(|size| *size <= most)
            .collect();
        let asked = [
            Scenario::One,
            Scenario::List25,
            Scenario::Filtered,
            Scenario::Keyset,
        ];
        let mut rows = asked.map(|scenario| Row::new(scenario.name()));
        for size in sizes {
            let stage = self.books(size).await?;
            for (scenario, row) in asked.iter().zip(&mut rows) {
                let requests = scenario.requests(&stage.served, &stage.client).await?;
                let requests = requests.context("Rowstamp takes part in all of them")?;
                row.add(size as usize, &stage.run(requests, CONNECTIONS).await?);
            }
        }
        Ok(())
    }

    async fn connections(&self) -> anyhow::Result<()> {
        let stage = self.books(100_000).await?;
        let mut row = Row::new("connections");
        for connections in [1, 4, 16, 64, 256, 1_024] {
            let requests = Scenario::One.requests(&stage.served, &stage.client).await?;
            let requests = requests.context("Rowstamp takes part in it")?;
            row.add(connections, &stage.run(requests, connections).await?);
        }
        println!("{:<12} {:>10} peak memory {} kB", "", "", stage.peak_memory_kb());
        Ok(())
    }
}

impl Stage {
    async fn run(&self, requests: Requests, connections: usize) -> anyhow::Result<Vec<Measured>> {
        let requests = Arc::new(requests);
        let mut runs = Vec::new();
        // The first warms up and is not counted.
        for run in 0..=RUNS {
            let measured = http::one(&self.served, &requests, connections, RUN, &self.client)
                .await
                .context(self.database.name().to_owned())?;
            if run > 0 {
                runs.push(measured);
            }
        }
        Ok(runs)
    }

    fn peak_memory_kb(&self) -> u64 {
        peak_memory_kb(self.served.process_id()).unwrap_or(0)
    }

    /// A development token, as the command makes it.
    fn token(&self, binaries: &Path, subject: &str) -> anyhow::Result<String> {
        let output = Command::new(binaries.join("rowstamp"))
            .args(["token", subject])
            .current_dir(self.directory.path())
            .output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }
}

/// One dimension's figures, which are printed as they come.
struct Row {
    what: &'static str,
    first: Option<(f64, f64)>,
}

impl Row {
    const fn new(what: &'static str) -> Self {
        Self { what, first: None }
    }

    fn add(&mut self, how_many: usize, runs: &[Measured]) {
        let middle = |figure: fn(&Measured) -> f64| {
            let figures: Vec<f64> = runs.iter().map(figure).collect();
            median(&figures).unwrap_or_default()
        };
        let (rate, server, database) = (
            middle(|run| run.rate),
            middle(|run| run.server_micros),
            middle(|run| run.database_micros),
        );
        let (first_server, first_database) = *self.first.get_or_insert((server, database));
        println!(
            "{:<12} {how_many:>10} {rate:>10.0} {server:>12.1} {:>7.1}x {database:>14.1} {:>7.1}x",
            self.what,
            server / first_server,
            database / first_database
        );
    }
}
