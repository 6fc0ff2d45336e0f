//! From variables to a controller: every setting read, every problem told at once, the parts put together.
//!
//! The one place of this crate that reads the environment for settings.

use std::env;
use std::sync::Arc;

use rowstamp_api_gateway::EventSettings;
use rowstamp_cognito::CognitoIdentity;
use rowstamp_ports::{CredentialSource, FixedPassword, Problems, SystemClock, UuidV7Source, Vars};
use rowstamp_postgres::{Login, PostgresStore};
use rowstamp_rest::{BuiltApi, Controller};

use crate::error::StartError;
use crate::maintenance::{self, Maintenance};
use crate::request_log::{self, RequestLog};
use crate::traces::Traces;

/// What the function needs to answer.
pub(crate) struct Parts {
    pub(crate) controller: Controller,
    pub(crate) store: PostgresStore,
    pub(crate) events: EventSettings,
    pub(crate) maintenance: Maintenance,
    pub(crate) log: RequestLog,
    pub(crate) identity: Arc<CognitoIdentity>,
    pub(crate) traces: Traces,
}

/// The variables of the environment; what is not text is left out.
pub(crate) fn vars_of_environment() -> Vars {
    Vars::new(
        env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    )
}

/// Puts everything together; nothing is connected yet.
///
/// # Errors
/// [`StartError::Settings`] with every problem.
pub(crate) fn assemble(api: BuiltApi, vars: &Vars, concurrency: usize) -> Result<Parts, StartError> {
    let mut problems = Problems::new();
    let store = store(vars, concurrency, &mut problems);
    let events = EventSettings::read(vars, &mut problems);
    let answers = rowstamp_rest::Settings::read(vars, &mut problems);
    let identity = identity(vars, &mut problems);
    let log = request_log::Settings::read(vars, &mut problems);
    let traces = Traces::read(vars, &mut problems);
    let migrates = maintenance::is_allowed(vars, &mut problems);
    let store = problems.into_result(store).map_err(StartError::Settings)?;
    let maintenance = Maintenance::new(migrates, store.clone(), Arc::clone(api.definition()));
    let controller = Controller::new(
        api,
        traces.around_store(Arc::new(store.clone())),
        Arc::clone(&identity) as _,
        Arc::new(SystemClock),
        Arc::new(UuidV7Source),
        answers,
    );
    Ok(Parts {
        controller,
        store,
        events,
        maintenance,
        log: RequestLog::new(&log, vars),
        identity,
        traces,
    })
}

/// Bearer tokens count where user pools are named; authorizers always do.
fn identity(vars: &Vars, problems: &mut Problems) -> Arc<CognitoIdentity> {
    let settings = rowstamp_cognito::Settings::read(vars, problems);
    Arc::new(settings.into_identity().unwrap_or_else(|problem| {
        problems.report("the client that fetches keys", problem);
        CognitoIdentity::new()
    }))
}

fn store(vars: &Vars, concurrency: usize, problems: &mut Problems) -> Option<PostgresStore> {
    if !rowstamp_postgres::Settings::are_given(vars) {
        problems.report("DATABASE_URL", "needed, or PGHOST, PGDATABASE and the like");
        return None;
    }
    let mut settings = rowstamp_postgres::Settings::read(vars, problems)?;
    if !rowstamp_postgres::Settings::pool_size_is_given(vars) {
        settings = settings.with_pool_size(concurrency);
    }
    settings.trust(rowstamp_rds::CERTIFICATE_AUTHORITIES);
    let credentials = credentials(&settings, vars, problems)?;
    Some(PostgresStore::new(&settings, credentials))
}

fn credentials(
    settings: &rowstamp_postgres::Settings,
    vars: &Vars,
    problems: &mut Problems,
) -> Option<Arc<dyn CredentialSource>> {
    match settings.read_login(vars, problems)? {
        Login::Password => Some(Arc::new(FixedPassword(settings.password().cloned()))),
        Login::Iam { host, port, user } => iam(host, port, user, vars, problems),
    }
}

#[cfg(feature = "iam")]
fn iam(
    host: &str,
    port: u16,
    user: &str,
    vars: &Vars,
    problems: &mut Problems,
) -> Option<Arc<dyn CredentialSource>> {
    let login = rowstamp_rds::IamLogin::read(host, port, user, vars, problems)?;
    Some(Arc::new(rowstamp_rds::IamTokens::new(&login)))
}

#[cfg(not(feature = "iam"))]
fn iam(
    _host: &str,
    _port: u16,
    _user: &str,
    _vars: &Vars,
    problems: &mut Problems,
) -> Option<Arc<dyn CredentialSource>> {
    problems.report("ROWSTAMP_DB_AUTH", "iam needs a build with the feature iam");
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(pairs: &[(&str, &str)]) -> String {
        let vars = Vars::new(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let api = rowstamp_rest::Api::new("Library", "1.0.0").build();
        let api = api.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        match assemble(api, &vars, 1) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn settings_that_are_right_make_a_controller() {
        assert_eq!(
            problems_of(&[("DATABASE_URL", "postgres://app@db.example/library")]),
            ""
        );
    }

    #[tokio::test]
    async fn every_problem_is_told_in_one_message() {
        let told = problems_of(&[
            ("ROWSTAMP_MAX_BODY_BYTES", "much"),
            ("ROWSTAMP_BASE_PATH", "/a?b"),
            ("ROWSTAMP_COGNITO_CLIENT_IDS", "client"),
        ]);
        for name in [
            "DATABASE_URL: ",
            "ROWSTAMP_MAX_BODY_BYTES: ",
            "ROWSTAMP_BASE_PATH: ",
            "ROWSTAMP_COGNITO_USER_POOL_IDS: ",
        ] {
            assert!(told.contains(name), "{name} is missing in: {told}");
        }
    }

    #[cfg(feature = "iam")]
    #[tokio::test]
    async fn a_token_goes_only_to_a_server_that_proves_its_name() {
        let iam = |url: &str| {
            problems_of(&[
                ("ROWSTAMP_DB_AUTH", "iam"),
                ("DATABASE_URL", url),
                ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
                (
                    "AWS_SECRET_ACCESS_KEY",
                    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                ),
            ])
        };
        assert_eq!(
            iam("postgres://app@db.c1.eu-west-1.rds.amazonaws.com/library"),
            ""
        );
        for mode in ["disable", "prefer", "require"] {
            let told = iam(&format!(
                "postgres://app@db.c1.eu-west-1.rds.amazonaws.com/library?sslmode={mode}"
            ));
            assert!(told.contains("PGSSLMODE: must be verify-full"), "{mode}: {told}");
        }
        assert!(iam("postgres://app@%2Frun%2Fpostgresql/library").contains("PGHOST: "));
    }

    #[tokio::test]
    async fn a_login_that_does_not_exist_is_refused() {
        let told = problems_of(&[
            ("DATABASE_URL", "postgres://app@db/library"),
            ("ROWSTAMP_DB_AUTH", "kerberos"),
        ]);
        assert!(
            told.contains("ROWSTAMP_DB_AUTH: expected password or iam"),
            "{told}"
        );
    }
}
