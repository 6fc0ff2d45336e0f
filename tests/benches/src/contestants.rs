//! The servers of the comparison: ours, the two programs it is measured by, and others that are installed here.
//!
//! It knows how each is started and how it is spoken to; what is asked, the scenarios say.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::tables;

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Rowstamp's: PostgREST's queries, and rows at paths of their own.
    Rowstamp,
    /// Paths and parameters made for this one table.
    Handmade,
    /// PostgREST's: rows are found by filters alone.
    Postgrest,
}

/// A running server; it ends with the value.
#[derive(Debug)]
pub struct Contestant {
    /// What it is called.
    pub name: &'static str,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Where it listens.
    pub address: SocketAddr,
    process: Child,
}

/// How a server is started, with the database's URL and the address to listen at in its environment.
struct Recipe {
    name: &'static str,
    dialect: Dialect,
    start: fn(&mut Command, &str, SocketAddr),
}

const OURS: [Recipe; 3] = [
    Recipe {
        name: "rowstamp",
        dialect: Dialect::Rowstamp,
        start: |command, url, address| {
            command
                .arg("serve")
                .env("DATABASE_URL", url)
                .env("ROWSTAMP_LISTEN", address.to_string())
                .env("ROWSTAMP_RESOURCES", tables::DEFINITION_FILE);
        },
    },
    Recipe {
        name: "baseline",
        dialect: Dialect::Handmade,
        start: |command, url, address| {
            command
                .env("DATABASE_URL", url)
                .env("ROWSTAMP_LISTEN", address.to_string());
        },
    },
    Recipe {
        name: "bare",
        dialect: Dialect::Handmade,
        start: |command, url, address| {
            command
                .env("DATABASE_URL", url)
                .env("ROWSTAMP_LISTEN", address.to_string());
        },
    },
];

/// Servers of other people, which take part where a program of their name is in the path of this shell.
const OTHERS: [Recipe; 2] = [
    Recipe {
        name: "postgrest",
        dialect: Dialect::Postgrest,
        start: |command, url, address| {
            command
                .env("PGRST_DB_URI", url)
                .env("PGRST_DB_SCHEMAS", "public")
                .env("PGRST_DB_ANON_ROLE", "postgres")
                .env("PGRST_SERVER_HOST", address.ip().to_string())
                .env("PGRST_SERVER_PORT", address.port().to_string())
                .env("PGRST_LOG_LEVEL", "error");
        },
    },
    Recipe {
        name: "pg-rest-server",
        dialect: Dialect::Postgrest,
        start: |command, url, address| {
            command
                .env("DATABASE_URL", url)
                .env("DB_ANON_ROLE", "postgres")
                .env("LISTEN_ADDR", address.ip().to_string())
                .env("LISTEN_PORT", address.port().to_string());
        },
    },
];

impl Contestant {
    /// Starts ours from the directory of their binaries, and others that are installed.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn start_all(binaries: &Path, database: &str) -> anyhow::Result<Vec<Self>> {
        let mut started = Vec::new();
        for recipe in OURS {
            started.push(Self::start(&recipe, &binaries.join(recipe.name), database).await?);
        }
        for recipe in OTHERS {
            if let Some(program) = installed(recipe.name) {
                started.push(Self::start(&recipe, &program, database).await?);
            }
        }
        Ok(started)
    }

    /// Starts Rowstamp in this directory, with its `resources.toml`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_rowstamp(binaries: &Path, database: &str, directory: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(binaries.join("rowstamp"));
        command.current_dir(directory);
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        (OURS[0].start)(&mut command, database, address);
        command.env("ROWSTAMP_RESOURCES", directory.join("resources.toml"));
        Self::run(&OURS[0], command, address).await
    }

    async fn start(recipe: &Recipe, program: &Path, database: &str) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(program);
        (recipe.start)(&mut command, database, address);
        Self::run(recipe, command, address).await
    }

    async fn run(recipe: &Recipe, mut command: Command, address: SocketAddr) -> anyhow::Result<Self> {
        let process = command
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| recipe.name)?;
        let contestant = Self {
            name: recipe.name,
            dialect: recipe.dialect,
            address,
            process,
        };
        let until = Instant::now() + Duration::from_secs(10);
        while tokio::net::TcpStream::connect(address).await.is_err() {
            ensure!(Instant::now() < until, "{} does not listen", recipe.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(contestant)
    }

    /// The number of its process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}
