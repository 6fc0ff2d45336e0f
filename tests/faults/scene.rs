//! A server that says each SQLSTATE, three rows to fight for, and who won: what was committed against what was told.
//!
//! A trigger writes down each version of a row in the transaction that makes it. So what was committed is known whatever was answered.

use std::collections::BTreeMap;

use rowstamp_tests::postgres_server::PostgresServer;
use serde_json::{Value, json};
use tokio_postgres::SimpleQueryMessage;

use crate::fixture::store;
use crate::programs::{Kind, Program, Reply, Request, definitions};

/// How many rows there are to fight for.
pub(crate) const ROWS: usize = 3;

/// The isolation levels at which PostgreSQL refuses what it cannot put in order.
pub(crate) const STRICT: [&str; 2] = ["repeatable read", "serializable"];

/// The same columns in a partitioned table: a row that changes its shelf moves, and whoever waits for it is refused.
pub(crate) const PARTITIONED: &str = "
    CREATE TABLE books (
        uid uuid NOT NULL, title text NOT NULL, isbn text, shelf text NOT NULL, pages integer,
        created_at timestamptz NOT NULL, last_updated_at timestamptz NOT NULL, creator_uid text, last_updater_uid text,
        PRIMARY KEY (uid, shelf)
    ) PARTITION BY LIST (shelf);
    CREATE TABLE books_a PARTITION OF books FOR VALUES IN ('a');
    CREATE TABLE books_b PARTITION OF books FOR VALUES IN ('b')";

/// Writes down each version; slowly, so that others wait for the row meanwhile.
const HISTORY: &str = "
    CREATE TABLE history (uid uuid, at timestamptz, title text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            INSERT INTO history VALUES (NEW.uid, NEW.last_updated_at, NEW.title);
            PERFORM pg_sleep(0.002);
            RETURN NULL;
        END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE ON books FOR EACH ROW EXECUTE FUNCTION note()";

/// One version of a row: its uid, its stamp and its title.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) uid: String,
    at: String,
    pub(crate) title: String,
}

impl Version {
    pub(crate) const fn of(uid: String, at: String, title: String) -> Self {
        Self { uid, at, title }
    }

    /// The versions that an answer shows: of one row, or of many.
    fn shown(reply: &Reply) -> Vec<Self> {
        let body = reply.json();
        let rows = match body {
            Value::Array(rows) => rows,
            row => vec![row],
        };
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        rows.iter()
            .map(|row| Self {
                uid: text(row, "uid"),
                at: text(row, "last_updated_at"),
                title: text(row, "title"),
            })
            .collect()
    }
}

/// What was answered, all together.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) versions: Vec<Version>,
    /// How often each kind of request was answered how.
    counts: BTreeMap<(&'static str, u16), usize>,
}

impl Told {
    /// Takes an answer down; whether the write was done.
    ///
    /// # Panics
    /// When it is none that a writer in a storm may get: done, changed meanwhile where that was asked, or to be tried again.
    pub(crate) fn note(&mut self, kind: &'static str, conditional: bool, reply: &Reply) -> bool {
        *self.counts.entry((kind, reply.status)).or_default() += 1;
        match reply.status {
            200 | 201 => {
                self.versions.extend(Version::shown(reply));
                true
            }
            412 if conditional => false,
            _ if reply.says_come_again() => false,
            _ => panic!("{kind}: {reply:?}"),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.versions.extend(other.versions);
        for (kind, count) in other.counts {
            *self.counts.entry(kind).or_default() += count;
        }
    }

    /// How often requests of this kind were answered like this.
    pub(crate) fn count(&self, kind: &'static str, status: u16) -> usize {
        self.counts.get(&(kind, status)).copied().unwrap_or_default()
    }
}

impl Told {
    /// How many requests were told to come again.
    pub(crate) fn sent_away(&self) -> usize {
        let sent_away = self.counts.iter().filter(|((_, status), _)| *status == 503);
        sent_away.map(|(_, count)| count).sum()
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for ((kind, status), count) in &self.counts {
            write!(f, "{kind} {status}: {count}; ")?;
        }
        Ok(())
    }
}

/// A server of one test's own.
pub(crate) struct Scene {
    pub(crate) server: PostgresServer,
}

impl Scene {
    /// With tables as the definitions want them, or with these. `None` where there are no server binaries.
    pub(crate) async fn open(isolation: &str, tables: Option<&str>) -> Option<Self> {
        let server = PostgresServer::start(&[
            // Each line of the log begins with its SQLSTATE.
            ("log_line_prefix", "%e "),
            ("deadlock_timeout", "10ms"),
            ("default_transaction_isolation", isolation),
        ])?;
        match tables {
            Some(tables) => drop(server.sql(tables).await),
            None => drop(
                store(&server.url(), &[])
                    .create_missing(&definitions())
                    .await
                    .unwrap(),
            ),
        }
        server.sql(HISTORY).await;
        Some(Self { server })
    }

    pub(crate) async fn start(&self, kind: Kind, url: &str, variables: &[(&str, &str)]) -> Program {
        let concurrent = [
            ("ROWSTAMP_DB_POOL", "16"),
            ("AWS_LAMBDA_MAX_CONCURRENCY", "12"),
            ("RUST_LOG", "error"),
        ];
        Program::start(kind, url, &[&concurrent, variables].concat()).await
    }

    /// Makes the rows; their uids, ascending.
    pub(crate) async fn furnish(&self, program: &Program, told: &mut Told) -> Vec<String> {
        for row in 0..ROWS {
            let book = json!({"title": "new", "isbn": format!("isbn-{row}"), "shelf": "a", "pages": 0});
            let reply = program.send(&Request::new("POST /books").json(&book)).await;
            assert!(told.note("create", false, &reply), "{reply:?}");
        }
        let mut uids: Vec<String> = told.versions.iter().map(|version| version.uid.clone()).collect();
        uids.sort();
        uids
    }

    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let messages = self.server.sql(sql).await;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                let columns = 0..row.len();
                Some(
                    columns
                        .map(|column| row.get(column).unwrap_or_default().to_owned())
                        .collect(),
                )
            }
            _ => None,
        });
        rows.collect()
    }

    async fn versions(&self, table: &str, at: &str) -> Vec<Version> {
        let sql = format!("SET TimeZone = 'UTC'; SELECT uid, to_json({at}) #>> '{{}}', title FROM {table}");
        let version = |row: Vec<String>| {
            let [uid, at, title] = row.try_into().unwrap();
            Version { uid, at, title }
        };
        let rows = self.rows(&sql).await;
        let mut versions: Vec<Version> = rows.into_iter().map(version).collect();
        versions.sort();
        versions
    }

    /// Every version that was committed.
    pub(crate) async fn history(&self) -> Vec<Version> {
        self.versions("history", "at").await
    }

    /// How often the server refused a statement with this SQLSTATE.
    pub(crate) fn refusals(&self, sqlstate: &str) -> usize {
        let refusal = format!("{sqlstate} ERROR:");
        let log = self.server.log();
        log.lines().filter(|line| line.starts_with(&refusal)).count()
    }

    /// How often it refused to commit what it had carried out.
    pub(crate) fn refused_commits(&self) -> usize {
        let log = self.server.log();
        log.lines()
            .filter(|line| *line == "40001 STATEMENT:  COMMIT")
            .count()
    }

    /// Holds what was told against what was committed: each version once in both, and the last one of each row is there.
    pub(crate) async fn compare(&self, mut told: Told) {
        told.versions.sort();
        let (told, committed) = (told.versions, self.history().await);
        assert!(
            committed.windows(2).all(|pair| pair[0] != pair[1]),
            "a version came twice"
        );
        let untold: Vec<_> = committed
            .iter()
            .filter(|version| !told.contains(version))
            .collect();
        let lost: Vec<_> = told
            .iter()
            .filter(|version| !committed.contains(version))
            .collect();
        assert!(untold.is_empty(), "committed and not told: {untold:?}");
        assert!(lost.is_empty(), "told and not committed: {lost:?}");
        assert_eq!(told.len(), committed.len(), "a version was told twice");
        for row in self.versions("books", "last_updated_at").await {
            let newest = told.iter().filter(|version| version.uid == row.uid).max();
            assert_eq!(newest, Some(&row), "the last version is the one that is there");
        }
    }
}
