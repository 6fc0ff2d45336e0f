//! What can be typed after `rowstamp`.
//!
//! A flag means the variable of the same purpose and wins over it; what they say is judged elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rowstamp_ports::Vars;

use crate::state::StateDirectory;

/// REST resources in PostgreSQL, every row stamped with who and when.
///
/// Without a command it serves: the definitions of `resources.toml` where there is one, an example library otherwise,
/// in the database that DATABASE_URL names, or in a private PostgreSQL that it finds or fetches and starts.
#[derive(Debug, Parser)]
#[command(name = "rowstamp", version, args_conflicts_with_subcommands = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the resources over HTTP (the default).
    #[command(after_help = "Example:\n  rowstamp serve --resources resources.toml --listen 127.0.0.1:8080")]
    Serve(Serve),
    /// Compare the definitions with the database; exit code 1 when something is missing or different.
    #[command(after_help = "Example:\n  rowstamp check --database postgres://me@db.example.com/library")]
    Check(Sources),
    /// Run migration files, and create missing tables and columns.
    #[command(
        after_help = "Examples:\n  rowstamp migrate --database postgres://me@localhost/library\n  \
                            rowstamp migrate status"
    )]
    Migrate(Migrate),
    /// Print the OpenAPI document.
    #[command(after_help = "Example:\n  rowstamp openapi --resources resources.toml > openapi.json")]
    Openapi(Definitions),
    /// Print a development token, which `rowstamp serve` accepts on this machine.
    #[command(
        after_help = "Example:\n  curl -H \"Authorization: Bearer $(rowstamp token ursula --group librarians)\" \
                            http://127.0.0.1:8080/loans"
    )]
    Token(Token),
}

/// Where the definitions are.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Definitions {
    /// Definition file [ROWSTAMP_RESOURCES; default: resources.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) resources: Option<String>,
}

/// Where the definitions and the rows are.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Sources {
    #[command(flatten)]
    pub(crate) definitions: Definitions,
    /// Database to use [DATABASE_URL, or PGHOST, PGDATABASE and so on]
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    #[command(flatten)]
    pub(crate) state: State,
    #[command(flatten)]
    pub(crate) log: Log,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct State {
    /// Where the development key and the private database are kept
    #[arg(long, value_name = "DIRECTORY", default_value = StateDirectory::DEFAULT, hide_short_help = true)]
    pub(crate) state: PathBuf,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Log {
    /// How to write the log: text on a terminal, JSON otherwise, unless said [what to log: RUST_LOG]
    #[arg(long, value_name = "FORMAT", hide_short_help = true)]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Address to listen on [ROWSTAMP_LISTEN; default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Run migrations and create what is missing in the database that was named
    #[arg(long)]
    pub(crate) migrate: bool,
    #[command(flatten)]
    pub(crate) migrations: Migrations,
}

#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    pub(crate) action: Option<MigrateAction>,
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) migrations: Migrations,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Migrations {
    /// Directory of migration files (V1__name.sql)
    #[arg(long, value_name = "DIRECTORY", default_value = "migrations")]
    pub(crate) migrations: PathBuf,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum MigrateAction {
    /// Run pending migration files, then create missing tables and columns (the default).
    Up(MigrateSources),
    /// Say what is pending and what is missing, and change nothing.
    Status(MigrateSources),
    /// Write a migration that brings the database to the definitions.
    New {
        /// What the migration does, in a word
        name: String,
        #[command(flatten)]
        sources: MigrateSources,
    },
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct MigrateSources {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) migrations: Migrations,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Token {
    /// The caller: what `creator_uid` will say
    #[arg(value_name = "SUB", value_parser = subject)]
    pub(crate) subject: String,
    /// A group the caller is in; may be repeated
    #[arg(long = "group", value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
    /// A scope the caller was granted; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// How long it is good: 90s, 15m, 12h or 7d
    #[arg(long, value_name = "TIME", default_value = "12h", value_parser = duration)]
    pub(crate) ttl: Duration,
    #[command(flatten)]
    pub(crate) state: State,
}

impl Definitions {
    pub(crate) fn set(&self, vars: &mut Vars) {
        set(vars, "ROWSTAMP_RESOURCES", self.resources.as_deref());
    }
}

impl Sources {
    pub(crate) fn set(&self, vars: &mut Vars) {
        self.definitions.set(vars);
        set(vars, "DATABASE_URL", self.database.as_deref());
    }
}

impl Serve {
    pub(crate) fn set(&self, vars: &mut Vars) {
        self.sources.set(vars);
        set(vars, "ROWSTAMP_LISTEN", self.listen.as_deref());
    }
}

fn set(vars: &mut Vars, name: &str, flag: Option<&str>) {
    if let Some(value) = flag {
        vars.set(name, value);
    }
}

fn subject(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("expected somebody's name".to_owned());
    }
    Ok(text.to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a time such as 90s, 15m, 12h or 7d".to_owned();
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(expected)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    number
        .checked_mul(seconds)
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
        .ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn without_a_command_it_serves_and_takes_the_flags_of_serve() {
        for line in [&["rowstamp"][..], &["rowstamp", "--listen", "127.0.0.1:9"]] {
            let parsed = CommandLine::try_parse_from(line).unwrap();
            assert!(parsed.command.is_none());
            assert_eq!(parsed.serve.listen.is_some(), line.len() > 1);
        }
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let parsed =
            CommandLine::try_parse_from(["rowstamp", "serve", "--database", "postgres://b"]).unwrap();
        let Some(Command::Serve(serve)) = parsed.command else {
            panic!("not serve")
        };
        let mut vars = Vars::new([("DATABASE_URL".to_owned(), "postgres://a".to_owned())]);
        serve.set(&mut vars);
        assert_eq!(vars.get("DATABASE_URL"), Some("postgres://b"));
    }

    #[test]
    fn times_have_a_unit() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("15m", Some(900)),
            ("12h", Some(43_200)),
            ("7d", Some(604_800)),
        ] {
            assert_eq!(duration(text).ok().map(|time| time.as_secs()), expected);
        }
        for text in [
            "",
            "s",
            "12",
            "0s",
            "-1h",
            "1y",
            "9999999999999999999d",
            "1 h",
            "ü",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_command_explains_itself_with_an_example() {
        for command in CommandLine::command().get_subcommands() {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(help.contains("Example"), "{} has none", command.get_name());
        }
    }
}
