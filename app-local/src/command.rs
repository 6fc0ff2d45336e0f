//! Which command was asked for, and how it ends.
//!
//! Each command is a module of its own; this one knows their names and the exit codes.

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use http::Method;
use rowstamp_cognito::CognitoIdentity;
use rowstamp_ports::exchange::{ApiRequest, RequestParts};
use rowstamp_ports::{Problems, SystemClock, UuidV7Source, Vars};
use rowstamp_postgres::PostgresStore;
use rowstamp_rest::{Api, Controller};

use crate::command_line::{Command, CommandLine, Definitions, Token};
use crate::development_tokens::{DevelopmentKey, Holder};
use crate::state::StateDirectory;
use crate::{definitions, migrate, serve};

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The settings or definitions make no sense; all of what is wrong.
    Problems(Problems),
    /// Something went wrong on the way.
    Failed(String),
    /// It worked, and what it looked at is not in order; that was said already.
    NotInOrder,
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Problems(problems)
    }
}

impl Failure {
    pub(crate) fn of(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Does what the arguments of this program ask for.
pub(crate) async fn run(api: Option<Api>) -> ExitCode {
    let line = CommandLine::parse();
    let vars = environment();
    let outcome = match line.command.unwrap_or(Command::Serve(line.serve)) {
        Command::Serve(serve) => serve::run(api, serve, vars).await,
        Command::Check(sources) => migrate::check(api, sources, vars).await,
        Command::Migrate(migrate) => migrate::run(api, migrate, vars).await,
        Command::Openapi(definitions) => openapi(api, &definitions, vars).await,
        Command::Token(token) => print_token(&token),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::NotInOrder) => ExitCode::from(1),
        Err(Failure::Failed(reason)) => {
            eprintln!("rowstamp: {reason}");
            ExitCode::from(1)
        }
        Err(Failure::Problems(problems)) => {
            eprintln!("rowstamp cannot start:");
            for problem in problems.iter() {
                eprintln!("- {}", problem.replace('\n', "\n  "));
            }
            ExitCode::from(2)
        }
    }
}

/// What the environment says, as far as it is text.
fn environment() -> Vars {
    let text = |text: std::ffi::OsString| text.into_string().ok();
    Vars::new(std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))))
}

fn print_token(token: &Token) -> Result<(), Failure> {
    let key = DevelopmentKey::of(&StateDirectory::new(&token.state.state)).map_err(Failure::Failed)?;
    let holder = Holder {
        subject: &token.subject,
        groups: &token.groups,
        scopes: &token.scopes,
    };
    println!("{}", key.sign(&holder, token.ttl).map_err(Failure::Failed)?);
    Ok(())
}

/// Prints what `GET /openapi.json` answers.
async fn openapi(api: Option<Api>, source: &Definitions, mut vars: Vars) -> Result<(), Failure> {
    source.set(&mut vars);
    let mut problems = Problems::new();
    let http = rowstamp_http::Settings::read(&vars, &mut problems);
    let rest = rowstamp_rest::Settings::read(&vars, &mut problems);
    // The document needs no database, so the example may stand in whether one is named or not.
    let loaded = definitions::load(api, &vars, false, &mut problems);
    let (api, _) = problems.into_result(loaded)?;

    // A store connects when it is first used, which is never.
    let nowhere = rowstamp_postgres::Settings::from_url("postgres://localhost/nowhere")?;
    let controller = Controller::new(
        api,
        Arc::new(PostgresStore::with_password(&nowhere)),
        Arc::new(CognitoIdentity::new()),
        Arc::new(SystemClock),
        Arc::new(UuidV7Source),
        rest,
    );
    let parts = RequestParts {
        method: Method::GET,
        base_path: http.base_path,
        path: "/openapi.json".to_owned(),
        query: String::new(),
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::new(),
        request_id: "openapi".to_owned(),
        deadline: Some(std::time::Instant::now() + Duration::from_secs(30)),
    };
    let answer = controller.handle(Ok(ApiRequest::over_http(parts, None))).await;
    println!("{}", String::from_utf8_lossy(&answer.body));
    Ok(())
}
