//! `rowstamp check` and `rowstamp migrate`: what the definitions want, what the database has, and the way between.
//!
//! How that is found out and created is the business of `rowstamp_postgres`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rowstamp_domain::definition::ApiDefinition;
use rowstamp_ports::{Problems, Vars};
use rowstamp_postgres::Drift;
use rowstamp_rest::Api;

use crate::command::Failure;
use crate::command_line::{Migrate, MigrateAction, MigrateSources, Sources};
use crate::database::{self, Choice, Database};
use crate::state::StateDirectory;
use crate::{definitions, log, serve};

/// Says what the database lacks and what it has otherwise; that is a failure when it is anything.
pub(crate) async fn check(api: Option<Api>, sources: Sources, vars: Vars) -> Result<(), Failure> {
    let (database, definition) = open(api, &sources, vars).await?;
    let drift = database.store.drift(&definition).await;
    database.close().await;
    serve::name_default_rules(&definition);
    let drift = drift.map_err(Failure::of)?;
    print(&drift);
    if drift.is_none() {
        println!("the database has everything that the definitions want");
        return Ok(());
    }
    Err(Failure::NotInOrder)
}

/// Does one of the actions of `migrate`.
pub(crate) async fn run(api: Option<Api>, flags: Migrate, vars: Vars) -> Result<(), Failure> {
    let Migrate {
        action,
        sources,
        migrations,
    } = flags;
    let action = action.unwrap_or(MigrateAction::Up(MigrateSources { sources, migrations }));
    let (MigrateAction::Up(sources) | MigrateAction::Status(sources) | MigrateAction::New { sources, .. }) =
        &action;
    let directory = sources.migrations.migrations.clone();
    let (database, definition) = open(api, &sources.sources, vars).await?;
    let outcome = match &action {
        MigrateAction::Up(_) => serve::migrate(&database, &definition, &directory).await,
        MigrateAction::Status(_) => status(&database, &definition, &directory).await,
        MigrateAction::New { name, .. } => write_new(&database, &definition, &directory, name).await,
    };
    database.close().await;
    outcome
}

async fn open(
    api: Option<Api>,
    sources: &Sources,
    mut vars: Vars,
) -> Result<(Database, Arc<ApiDefinition>), Failure> {
    sources.set(&mut vars);
    let mut problems = Problems::new();
    log::start(sources.log.log_format, &vars, &mut problems);
    let choice = Choice::read(&vars, &mut problems).await;
    let loaded = definitions::load(api, &vars, database::is_named(&vars), &mut problems);
    let (choice, (api, _)) = problems.into_result(choice.zip(loaded))?;
    let state = StateDirectory::new(&sources.state.state);
    let database = Database::open(choice, vars, &state).await?;
    Ok((database, Arc::clone(api.definition())))
}

async fn status(database: &Database, definition: &ApiDefinition, directory: &Path) -> Result<(), Failure> {
    let pending = pending(database, directory).await?;
    let drift = database.store.drift(definition).await.map_err(Failure::of)?;
    for pending in &pending {
        println!("pending: {pending}");
    }
    print(&drift);
    if pending.is_empty() && drift.is_none() {
        println!("nothing is pending and nothing is missing");
    }
    Ok(())
}

/// The migration files that were not run yet; none where there is no such directory.
async fn pending(database: &Database, directory: &Path) -> Result<Vec<String>, Failure> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let pending = database.store.pending_migrations(directory).await;
    pending.map_err(Failure::of)
}

fn print(drift: &Drift) {
    for missing in &drift.missing {
        println!("missing: {missing}");
    }
    for differing in &drift.differing {
        println!("differs: {differing}");
    }
}

async fn write_new(
    database: &Database,
    definition: &ApiDefinition,
    directory: &Path,
    name: &str,
) -> Result<(), Failure> {
    let pending = pending(database, directory).await?;
    if !pending.is_empty() {
        // What they will create is missing until then, and would be written once more.
        return Err(Failure::Failed(format!(
            "{} was not run yet: run `rowstamp migrate` first, so that only what is missing then is written",
            pending.join(", ")
        )));
    }
    let sql = database
        .store
        .missing_sql(definition)
        .await
        .map_err(Failure::of)?;
    if sql.is_empty() {
        println!("nothing is missing, so there is nothing to write");
        return Ok(());
    }
    let said = |error: std::io::Error| Failure::Failed(format!("{}: {error}", directory.display()));
    fs::create_dir_all(directory).map_err(said)?;
    let names = fs::read_dir(directory)
        .map_err(said)?
        .flatten()
        .map(|entry| entry.file_name());
    let path = next_file(
        directory,
        names.map(|name| name.to_string_lossy().into_owned()),
        name,
    )?;
    fs::write(&path, sql).map_err(said)?;
    println!("{}", path.display());
    Ok(())
}

/// `migrations/V3__add_isbn.sql` after `V2__…`.
fn next_file(
    directory: &Path,
    existing: impl Iterator<Item = String>,
    name: &str,
) -> Result<PathBuf, Failure> {
    let word: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    let word = word.trim_matches('_');
    if word.is_empty() {
        return Err(Failure::Failed(
            "a migration's name has letters or digits".to_owned(),
        ));
    }
    let last = existing.filter_map(|file| version(&file)).max().unwrap_or(0);
    Ok(directory.join(format!("V{}__{word}.sql", last + 1)))
}

fn version(file: &str) -> Option<u32> {
    file.strip_prefix('V')?.split_once("__")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_new_migration_comes_after_the_last_one() {
        for (existing, name, expected) in [
            (&[][..], "Create books", "m/V1__create_books.sql"),
            (
                &["V2__b.sql", "V10__c.sql", "README.md", "Vx__d.sql"],
                "isbn!",
                "m/V11__isbn.sql",
            ),
        ] {
            let existing = existing.iter().map(|file| (*file).to_owned());
            assert_eq!(
                next_file(Path::new("m"), existing, name).unwrap(),
                Path::new(expected)
            );
        }
        assert!(next_file(Path::new("m"), std::iter::empty(), "../..").is_err());
    }
}
