//! One-off invocations that look after the tables: `{"rowstamp": "migrate"}` and `{"rowstamp": "check"}`.
//!
//! Off unless `ROWSTAMP_ALLOW_MIGRATE` is `true`. No entrance can send such an event: whatever a client says becomes part of an event
//! of its entrance. What was found is for whoever may invoke the function, so it may repeat what the database said.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use lambda_runtime::Diagnostic;
use rowstamp_domain::definition::ApiDefinition;
use rowstamp_ports::{Problems, Vars};
use rowstamp_postgres::{Drift, PostgresStore, SchemaError};
use serde::{Deserialize, Serialize};

use crate::definition_file::beside_the_binary;

const ALLOWED: &str = "ROWSTAMP_ALLOW_MIGRATE";

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Task {
    /// Run pending migration files, then create what is missing.
    Migrate,
    /// Say what is pending, missing and different, and change nothing.
    Check,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    rowstamp: Task,
}

/// What was done, or is to be done.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Report {
    Migrated {
        migrated: Vec<String>,
        created: Vec<String>,
    },
    Checked {
        pending: Vec<String>,
        missing: Vec<String>,
        differing: Vec<String>,
    },
}

impl Report {
    /// As it is posted.
    pub(crate) fn to_json(&self) -> Bytes {
        serde_json::to_vec(self).expect("names can be written").into()
    }
}

/// Looks after the tables of one API.
#[derive(Debug)]
pub(crate) struct Maintenance {
    allowed: bool,
    store: PostgresStore,
    definition: Arc<ApiDefinition>,
    /// The migration files; none where there is no such directory.
    directory: PathBuf,
}

/// Whether such invocations are carried out.
pub(crate) fn is_allowed(vars: &Vars, problems: &mut Problems) -> bool {
    vars.parse(ALLOWED, "true or false", problems).unwrap_or(false)
}

impl Maintenance {
    pub(crate) fn new(allowed: bool, store: PostgresStore, definition: Arc<ApiDefinition>) -> Self {
        Self {
            allowed,
            store,
            definition,
            directory: beside_the_binary("migrations".as_ref()),
        }
    }

    /// Does what the event asks for; `None` when it asks for nothing of the kind.
    pub(crate) async fn answer(&self, event: &[u8]) -> Option<Result<Report, Diagnostic>> {
        let task = match task(event)? {
            Ok(task) if self.allowed => task,
            Ok(_) => {
                let words = format!("set {ALLOWED} to true where the function may look after tables");
                return Some(Err(failure("Rowstamp.NotAllowed", words)));
            }
            Err(unknown) => return Some(Err(unknown)),
        };
        let done = match task {
            Task::Migrate => self.migrate().await,
            Task::Check => self.check().await,
        };
        Some(done.map_err(|error| failure("Rowstamp.Schema", error.to_string())))
    }

    async fn migrate(&self) -> Result<Report, SchemaError> {
        let migrated = if self.directory.is_dir() {
            self.store.migrate(&self.directory).await?
        } else {
            Vec::new()
        };
        let created = self.store.create_missing(&self.definition).await?;
        tracing::info!(migrated = migrated.len(), created = created.len(), "migrated");
        Ok(Report::Migrated { migrated, created })
    }

    async fn check(&self) -> Result<Report, SchemaError> {
        let pending = if self.directory.is_dir() {
            self.store.pending_migrations(&self.directory).await?
        } else {
            Vec::new()
        };
        let Drift { missing, differing } = self.store.drift(&self.definition).await?;
        Ok(Report::Checked {
            pending,
            missing,
            differing,
        })
    }
}

/// What an event asks for, if it has the key that says so.
fn task(event: &[u8]) -> Option<Result<Task, Diagnostic>> {
    match serde_json::from_slice::<Command>(event) {
        Ok(command) => Some(Ok(command.rowstamp)),
        Err(error) => {
            let event: serde_json::Value = serde_json::from_slice(event).ok()?;
            event.get("rowstamp")?;
            Some(Err(failure(
                "Rowstamp.UnknownCommand",
                format!("expected {{\"rowstamp\": \"migrate\"}} or {{\"rowstamp\": \"check\"}}: {error}"),
            )))
        }
    }
}

fn failure(error_type: &str, error_message: String) -> Diagnostic {
    Diagnostic {
        error_type: error_type.to_owned(),
        error_message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_event_with_the_key_asks_for_something() {
        for (event, expected) in [
            (r#"{"rowstamp": "migrate"}"#, Some(Ok(Task::Migrate))),
            (r#"{"rowstamp": "check"}"#, Some(Ok(Task::Check))),
            (r#"{"rowstamp": "drop"}"#, Some(Err(()))),
            (r#"{"rowstamp": "migrate", "force": true}"#, Some(Err(()))),
            (r#"{"version": "2.0"}"#, None),
            (r#""rowstamp""#, None),
            ("null", None),
        ] {
            let asked = task(event.as_bytes()).map(|task| task.map_err(|_| ()));
            assert_eq!(asked, expected, "{event}");
        }
    }
}
