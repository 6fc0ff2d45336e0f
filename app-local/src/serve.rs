//! `rowstamp serve`: definitions, a database with their tables, and the server in front, until somebody stops it.
//!
//! It reads from top to bottom like that; each part is a module or a crate of its own.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rowstamp_domain::definition::ApiDefinition;
use rowstamp_http::Server;
use rowstamp_ports::{Problems, SystemClock, UuidV7Source, Vars};
use rowstamp_postgres::{Drift, SchemaError};
use rowstamp_rest::{Api, Controller};
use tokio::signal::unix::{SignalKind, signal};

use crate::command::Failure;
use crate::command_line::Serve;
use crate::database::{self, Choice, Database};
use crate::definitions::{self, Origin};
use crate::development_tokens::Holder;
use crate::greeting::Greeting;
use crate::identity::Callers;
use crate::log;
use crate::state::StateDirectory;
use crate::traces::Traces;

/// How long the token in the greeting is good.
const TOKEN_TTL: Duration = Duration::from_hours(12);

pub(crate) async fn run(api: Option<Api>, flags: Serve, mut vars: Vars) -> Result<(), Failure> {
    flags.set(&mut vars);
    let state = StateDirectory::new(&flags.sources.state.state);
    let mut problems = Problems::new();
    log::start(flags.sources.log.log_format, &vars, &mut problems);
    let http = rowstamp_http::Settings::read(&vars, &mut problems);
    let mut rest = rowstamp_rest::Settings::read(&vars, &mut problems);
    let callers = Callers::choose(&vars, http.listen, &state, &mut problems);
    if matches!(callers, Callers::Development(_)) {
        rest.token_hint =
            Some("`rowstamp token SUB` prints a token for this server; send it as `Authorization: Bearer`");
    }
    let traces = Traces::read(&vars, &mut problems);
    let choice = Choice::read(&vars, &mut problems).await;
    let loaded = definitions::load(api, &vars, database::is_named(&vars), &mut problems);
    let (choice, (api, origin)) = problems.into_result(choice.zip(loaded))?;
    let definition = Arc::clone(api.definition());

    // Before the database: an address that is taken is the likelier mistake, and quickly told.
    let base_path = http.base_path.clone();
    let listen = http.listen;
    let server = Server::bind(http)
        .await
        .map_err(|error| Failure::Failed(format!("cannot listen on {listen}: {error}")))?;
    let address = server.local_address().map_err(Failure::of)?;

    let database = Database::open(choice, vars, &state).await?;
    prepare(&database, &definition, &flags).await?;
    name_default_rules(&definition);

    let token = greeting_token(&callers)?;
    if matches!(callers, Callers::Anonymous) {
        tracing::warn!(
            "every caller is anonymous: development tokens count on a loopback address only, and no user pool is named"
        );
    }
    let identity = callers.into_identity().map_err(Failure::Failed)?;
    // What is wrong with the address of the keys is better told now than by the first caller's 503.
    identity.warm_up().await;
    let controller = Arc::new(Controller::new(
        api,
        traces.around_store(Arc::new(database.store.clone())),
        Arc::new(identity),
        Arc::new(SystemClock),
        Arc::new(UuidV7Source),
        rest,
    ));
    let greeting = Greeting {
        definition: &definition,
        address: &format!("http://{address}{base_path}"),
        database: &database.description,
        database_url: database.private_url(),
        token: token.as_deref(),
        program: &program(),
        is_example: origin == Origin::Example,
    };
    println!("{}", greeting.text());

    let traced = traces.clone();
    let handler = move |request| {
        let (controller, traces) = (Arc::clone(&controller), traced.clone());
        async move {
            let span = traces.begin(&request);
            let answering = pin!(controller.handle_measured(request));
            let answered = span.around(answering).await;
            log::request(&answered.measurement, span.trace_id().as_deref());
            span.end(&answered.measurement);
            answered.response
        }
    };
    server.serve(handler, stopped()?).await;
    traces.stop().await;
    tracing::info!("stopped");
    database.close().await;
    Ok(())
}

/// Creates what is missing where that is ours to do, and says what is missing elsewhere.
async fn prepare(database: &Database, definition: &ApiDefinition, flags: &Serve) -> Result<(), Failure> {
    let store = &database.store;
    if flags.migrate {
        migrate(database, definition, &flags.migrations.migrations).await?;
    } else if database.is_private() {
        store.create_missing(definition).await.map_err(Failure::of)?;
    } else {
        match store.drift(definition).await {
            Ok(Drift { missing, differing }) => {
                for missing in missing {
                    tracing::warn!(
                        missing,
                        "not in the database; `rowstamp migrate` or `serve --migrate` creates it"
                    );
                }
                for differs in differing {
                    tracing::warn!(differs, "not as the definitions want it; requests may fail");
                }
            }
            Err(error @ SchemaError::Pooled) => {
                tracing::warn!(%error, "whether the tables are there was not looked at");
            }
            // It may be otherwise in a moment, and until then every answer says so.
            Err(error @ (SchemaError::Unavailable | SchemaError::Unanswered | SchemaError::Locked)) => {
                tracing::error!(%error, "serving nevertheless");
            }
            Err(error) => return Err(Failure::of(error)),
        }
    }
    Ok(())
}

/// Runs pending migration files where there are any, then creates what is still missing.
pub(crate) async fn migrate(
    database: &Database,
    definition: &ApiDefinition,
    migrations: &Path,
) -> Result<(), Failure> {
    if migrations.is_dir() {
        for ran in database.store.migrate(migrations).await.map_err(Failure::of)? {
            tracing::info!(migration = ran, "migrated");
        }
    }
    // The store logs what it creates.
    let created = database.store.create_missing(definition).await;
    created.map(drop).map_err(Failure::of)
}

/// Nobody should find out by a 401 that a rule was forgotten.
pub(crate) fn name_default_rules(definition: &ApiDefinition) {
    for resource in definition
        .resources
        .iter()
        .filter(|resource| !resource.undeclared_access.is_empty())
    {
        tracing::info!(
            resource = resource.name,
            operations = resource.undeclared_access.join(", "),
            "no access rule is declared, so every authenticated caller may"
        );
    }
}

/// How this program was called, so that what the greeting says can be pasted.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "rowstamp".to_owned())
}

fn greeting_token(callers: &Callers) -> Result<Option<String>, Failure> {
    let Callers::Development(key) = callers else {
        return Ok(None);
    };
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty());
    let holder = Holder {
        subject: user.as_deref().unwrap_or("developer"),
        ..Holder::default()
    };
    key.sign(&holder, TOKEN_TTL).map(Some).map_err(Failure::Failed)
}

/// Ready at the first SIGINT or SIGTERM; the second ends the process at once.
fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::of)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::of)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping: requests in flight may finish");
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            std::process::exit(130);
        });
    })
}
