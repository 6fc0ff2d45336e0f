//! Where the database is and how to reach it, read from `DATABASE_URL` or libpq's variables.
//!
//! Reads no environment: the applications fill [`Vars`]. The password is kept apart, since a credential source
//! gives one for each connection.

mod address;
mod login;
mod protection;

use std::path::Path;
use std::time::Duration;

use rowstamp_ports::{Problems, Secret, Vars};
use rustls::pki_types::TrustAnchor;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode as DriverSslMode, TargetSessionAttrs};

use super::tls::{Roots, TlsMode};
use address::Address;
pub use login::Login;
use protection::protection;

/// How long a connection may take from name look-up to the first `ReadyForQuery`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a statement may run where no setting says otherwise.
const STATEMENT_TIMEOUT_MS: u64 = 30_000;
/// How long what was sent may go unacknowledged by the server's network before the connection counts as lost (on Linux). A server that
/// works on a statement acknowledges what it does not read yet, until that fills its buffer; it is left more time than a line that does not
/// move takes to be avoided.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
/// How long a connection may be silent before it is asked whether it is still there.
const IDLE_CHECK: Duration = Duration::from_secs(30);

/// Whether statements stay prepared on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Statements {
    /// Each is prepared once on each connection.
    #[default]
    Prepared,
    /// None has a name, and nothing is left in the session: a pooler may give each transaction another server connection.
    Unnamed,
}

/// Everything needed to connect but the password.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) config: Config,
    pub(super) tls: TlsMode,
    pub(super) roots: Roots,
    pub(super) connect_timeout: Duration,
    /// How many connections are kept.
    pub(crate) pool_size: usize,
    password: Option<Secret>,
    statement_timeout_ms: u64,
    idle_check: Duration,
    role: Option<String>,
    statements: Statements,
}

impl Settings {
    /// Whether `vars` name a database at all.
    pub fn are_given(vars: &Vars) -> bool {
        ["DATABASE_URL", "PGHOST", "PGDATABASE"]
            .iter()
            .any(|name| vars.get(name).is_some())
    }

    /// Reads `DATABASE_URL`, else `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`, `PGPASSWORD`; then `PGSSLMODE`, `PGSSLROOTCERT`,
    /// `ROWSTAMP_DB_ROLE`, `ROWSTAMP_DB_STATEMENTS`, `ROWSTAMP_DB_POOL`, `ROWSTAMP_DB_CONNECT_TIMEOUT_MS`, `ROWSTAMP_DB_IDLE_CHECK_MS` and
    /// `ROWSTAMP_STATEMENT_TIMEOUT_MS`. `None` when something is wrong, which is then reported.
    pub fn read(vars: &Vars, problems: &mut Problems) -> Option<Self> {
        // Before the address, whose mistakes end the reading.
        let role = role(vars, problems);
        let statements = match vars.get("ROWSTAMP_DB_STATEMENTS") {
            None | Some("prepared") => Statements::Prepared,
            Some("unnamed") => Statements::Unnamed,
            Some(_) => {
                problems.report("ROWSTAMP_DB_STATEMENTS", "expected prepared or unnamed");
                Statements::default()
            }
        };
        let pool_size = vars.parse(
            "ROWSTAMP_DB_POOL",
            "a number of connections from 1 to 1000",
            problems,
        );
        if pool_size.is_some_and(|size| !(1..=1_000).contains(&size)) {
            problems.report(
                "ROWSTAMP_DB_POOL",
                "expected a number of connections from 1 to 1000",
            );
        }
        let mut milliseconds = |name| vars.parse::<u64>(name, "a number of milliseconds", problems);
        let statement_timeout_ms =
            milliseconds("ROWSTAMP_STATEMENT_TIMEOUT_MS").unwrap_or(STATEMENT_TIMEOUT_MS);
        let connect_timeout = milliseconds("ROWSTAMP_DB_CONNECT_TIMEOUT_MS")
            .map_or(CONNECT_TIMEOUT, |limit| Duration::from_millis(limit.max(1)));
        let idle_check = milliseconds("ROWSTAMP_DB_IDLE_CHECK_MS").map_or(IDLE_CHECK, Duration::from_millis);
        // The server keeps it in 32 bits, and refuses a session that asks for more.
        if statement_timeout_ms > i32::MAX as u64 {
            problems.report(
                "ROWSTAMP_STATEMENT_TIMEOUT_MS",
                format!("expected at most {}", i32::MAX),
            );
        }
        let mut address = match vars.get("DATABASE_URL") {
            Some(url) => Address::from_url(url, problems)?,
            None => Address::from_libpq(vars, problems)?,
        };
        let sslmode = address
            .sslmode
            .take()
            .or_else(|| vars.get("PGSSLMODE").map(str::to_owned));
        let rootcert = address
            .sslrootcert
            .take()
            .or_else(|| vars.get("PGSSLROOTCERT").map(str::to_owned));
        let tls = protection(
            &mut address.config,
            sslmode.as_deref(),
            rootcert.as_deref(),
            problems,
        )?;
        let mut roots = Roots::default();
        if let Some(path) = rootcert.filter(|path| path != "system") {
            match std::fs::read(Path::new(&path)) {
                Ok(pem) => roots.replace("PGSSLROOTCERT", &pem, problems),
                Err(error) => problems.report("PGSSLROOTCERT", format!("cannot read {path}: {error}")),
            }
        }
        let settings = Self {
            config: address.config,
            tls,
            roots,
            connect_timeout,
            pool_size: pool_size.unwrap_or(8),
            password: address.password,
            statement_timeout_ms,
            idle_check,
            role,
            statements,
        };
        problems.is_empty().then(|| settings.prepared())
    }

    /// Settings for the server behind a URL, with nothing else said.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn from_url(url: &str) -> Result<Self, Problems> {
        let vars = Vars::new([("DATABASE_URL".to_owned(), url.to_owned())]);
        let mut problems = Problems::new();
        let settings = Self::read(&vars, &mut problems);
        problems.into_result(settings)
    }

    /// The same, with this many connections; at least one.
    #[must_use]
    pub fn with_pool_size(mut self, connections: usize) -> Self {
        self.pool_size = connections.max(1);
        self
    }

    /// The same for another database of that server.
    #[must_use]
    pub fn with_database(mut self, name: &str) -> Self {
        self.config.dbname(name);
        self
    }

    /// Trusts these authorities beside the public web roots, unless `PGSSLROOTCERT` names others.
    pub const fn trust(&mut self, authorities: &'static [TrustAnchor<'static>]) {
        self.roots.add(authorities);
    }

    /// The password from the URL or `PGPASSWORD`.
    pub const fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// Whether `ROWSTAMP_DB_POOL` says how many connections are kept.
    pub fn pool_size_is_given(vars: &Vars) -> bool {
        vars.get("ROWSTAMP_DB_POOL").is_some()
    }

    /// The role that each request's transaction switches to.
    pub(crate) fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    pub(crate) const fn statements(&self) -> Statements {
        self.statements
    }

    /// Whether single statements of many callers share connections. They cannot where each begins with a role, or where nothing of
    /// what a session needs can stay in it.
    pub(crate) fn shares_connections(&self) -> bool {
        self.role.is_none() && self.statements == Statements::Prepared
    }

    pub(crate) const fn idle_check(&self) -> Duration {
        self.idle_check
    }

    pub(crate) const fn statement_timeout_ms(&self) -> u64 {
        self.statement_timeout_ms
    }

    /// Where the database is, for logs: hosts and database name, never a user or a password.
    pub fn place(&self) -> String {
        let hosts: Vec<String> = self
            .config
            .get_hosts()
            .iter()
            .map(|host| match host {
                Host::Tcp(name) => name.clone(),
                #[cfg(unix)]
                Host::Unix(path) => path.display().to_string(),
            })
            .collect();
        format!(
            "{}/{}",
            hosts.join(","),
            self.config.get_dbname().unwrap_or_default()
        )
    }

    /// Prepares the driver's side of the settings.
    ///
    /// Puts the session's set-up into the startup packet, so that it costs no round trip. The statements rely on each seeing what was
    /// committed before it, whatever the database's default is. A pooler's sessions are everybody's and are left as they are:
    /// there each transaction begins with it.
    fn prepared(mut self) -> Self {
        if self.statements == Statements::Prepared {
            self.set_up_session();
        }
        self.config
            .application_name("rowstamp")
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            // Of several addresses behind a name one may be dead, and the others must get their turn.
            .connect_timeout(self.connect_timeout / 2)
            .keepalives_idle(Duration::from_mins(1))
            .tcp_user_timeout(UNACKNOWLEDGED)
            .ssl_mode(match self.tls {
                TlsMode::Disable | TlsMode::Allow => DriverSslMode::Disable,
                TlsMode::Prefer => DriverSslMode::Prefer,
                TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => DriverSslMode::Require,
            });
        self
    }

    fn set_up_session(&mut self) {
        let own = format!(
            "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c default_transaction_isolation=read\\ committed -c statement_timeout={} \
             -c idle_in_transaction_session_timeout=60000",
            self.statement_timeout_ms
        );
        let options = match self.config.get_options() {
            Some(given) => format!("{given} {own}"),
            None => own,
        };
        self.config.options(options);
    }
}

/// The role to switch to. `none` would switch to nothing, and a name that is cut off could be another role's.
fn role(vars: &Vars, problems: &mut Problems) -> Option<String> {
    let role = vars.get("ROWSTAMP_DB_ROLE")?;
    if role.len() > 63 || role == "none" || role.chars().any(char::is_control) {
        problems.report(
            "ROWSTAMP_DB_ROLE",
            "expected the name of a database role, at most 63 bytes",
        );
    }
    Some(role.to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Problems> {
        let vars = Vars::new(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let mut problems = Problems::new();
        let settings = Settings::read(&vars, &mut problems);
        problems.into_result(settings)
    }

    #[test]
    fn tls_is_verified_in_full_unless_the_host_is_this_machine_or_a_mode_is_named() {
        for (url, mode) in [
            ("postgres://u@db.example.com/x", TlsMode::VerifyFull),
            ("postgres://u@localhost/x", TlsMode::Disable),
            ("postgres://u@127.0.0.1/x", TlsMode::Disable),
            (
                "postgres://u@%2Frun%2Fpostgresql/x?sslmode=require",
                TlsMode::Disable,
            ),
            ("postgres://u@db.example.com/x?sslmode=disable", TlsMode::Disable),
            ("postgres://u@db.example.com/x?sslmode=prefer", TlsMode::Require),
            ("postgres://u@db.example.com/x?sslmode=allow", TlsMode::Require),
            ("postgres://u@db.example.com/x?sslmode=require", TlsMode::Require),
            (
                "postgres://u@db.example.com/x?sslmode=verify-ca",
                TlsMode::VerifyFull,
            ),
            ("postgres://u@localhost/x?sslmode=prefer", TlsMode::Prefer),
            ("postgres://u@localhost/x?sslmode=allow", TlsMode::Allow),
            ("postgres://u@localhost/x?sslrootcert=system", TlsMode::VerifyFull),
            (
                "postgres://u@db.example.com/x?sslrootcert=system&sslmode=verify-full",
                TlsMode::VerifyFull,
            ),
            ("postgres://u@%2Frun/x?sslrootcert=system", TlsMode::Disable),
            ("postgres://u@localhost,db.example.com/x", TlsMode::VerifyFull),
            // It is the address that counts, and a name of another machine is not trusted with one of this.
            ("postgres://u@localhost/x?hostaddr=192.0.2.1", TlsMode::VerifyFull),
            (
                "postgres://u@db.example.com/x?hostaddr=127.0.0.1",
                TlsMode::VerifyFull,
            ),
            ("postgres:///x?hostaddr=127.0.0.1,::1", TlsMode::Disable),
            (
                "postgres:///x?hostaddr=127.0.0.1&sslmode=require",
                TlsMode::Require,
            ),
            (
                "postgres:///x?hostaddr=192.0.2.1&sslmode=require",
                TlsMode::Require,
            ),
        ] {
            assert_eq!(Settings::from_url(url).unwrap().tls, mode, "{url}");
        }
    }

    #[test]
    fn a_server_without_a_name_cannot_be_verified_by_it() {
        for (url, told) in [
            ("postgres:///x?hostaddr=192.0.2.1", "TLS needs the server's name"),
            (
                "postgres:///x?hostaddr=127.0.0.1&sslmode=verify-full",
                "TLS needs the server's name",
            ),
            (
                "postgres://u@%2Frun/x?hostaddr=127.0.0.1&sslmode=require",
                "give the host beside its hostaddr",
            ),
            (
                "postgres://u@a,b/x?hostaddr=192.0.2.1",
                "as many addresses in hostaddr as hosts",
            ),
            ("postgres://u@a,b:1,c:2/x?port=3", "one port or one for each"),
        ] {
            let problems = Settings::from_url(url).unwrap_err().to_string();
            assert!(problems.contains(told), "{url}: {problems}");
        }
    }

    #[test]
    fn public_authorities_are_trusted_with_no_server_whose_name_is_not_looked_at() {
        for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
            for host in ["localhost", "db.example.com"] {
                let url = format!("postgres://u@{host}/x?sslrootcert=system&sslmode={mode}");
                let problems = Settings::from_url(&url).unwrap_err().to_string();
                assert!(
                    problems.contains("PGSSLMODE: expected verify-full"),
                    "{url}: {problems}"
                );
            }
        }
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let problems = read(&[
            ("DATABASE_URL", "not a url"),
            ("ROWSTAMP_DB_POOL", "0"),
            ("ROWSTAMP_STATEMENT_TIMEOUT_MS", "soon"),
            ("ROWSTAMP_DB_CONNECT_TIMEOUT_MS", "-1"),
            ("ROWSTAMP_DB_ROLE", "none"),
            ("ROWSTAMP_DB_STATEMENTS", "nameless"),
        ])
        .unwrap_err();
        let told: Vec<&str> = problems
            .iter()
            .filter_map(|problem| problem.split(':').next())
            .collect();
        assert_eq!(
            told,
            [
                "ROWSTAMP_DB_ROLE",
                "ROWSTAMP_DB_STATEMENTS",
                "ROWSTAMP_DB_POOL",
                "ROWSTAMP_STATEMENT_TIMEOUT_MS",
                "ROWSTAMP_DB_CONNECT_TIMEOUT_MS",
                "DATABASE_URL"
            ]
        );
    }

    #[test]
    fn unnamed_statements_leave_the_session_as_it_is() {
        let url = (
            "DATABASE_URL",
            "postgres://u@localhost/x?options=-csearch_path%3Da",
        );
        for (mode, options) in [("prepared", None), ("unnamed", Some("-csearch_path=a"))] {
            let settings = read(&[url, ("ROWSTAMP_DB_STATEMENTS", mode)]).unwrap();
            let found = settings.config.get_options();
            assert!(options.is_none_or(|options| found == Some(options)), "{found:?}");
        }
    }

    #[test]
    fn libpq_variables_are_read_where_there_is_no_url() {
        let settings = read(&[
            ("PGHOST", "db.example.com"),
            ("PGPORT", "6432"),
            ("PGUSER", "app"),
            ("PGPASSWORD", "s3cret"),
            ("PGSSLMODE", "verify-ca"),
            ("ROWSTAMP_STATEMENT_TIMEOUT_MS", "1500"),
        ])
        .unwrap();
        assert_eq!(settings.place(), "db.example.com/app");
        assert_eq!(settings.config.get_ports(), [6432]);
        assert_eq!(settings.password().unwrap().expose(), "s3cret");
        assert_eq!(settings.tls, TlsMode::VerifyFull);
        assert!(
            settings
                .config
                .get_options()
                .unwrap()
                .contains("statement_timeout=1500")
        );
    }

    #[test]
    fn every_wrong_setting_is_reported_and_no_secret_with_it() {
        let problems = read(&[
            ("DATABASE_URL", "postgres://u:hunter2@db/x?sslmode=require"),
            ("PGSSLROOTCERT", "/does/not/exist.pem"),
            ("ROWSTAMP_DB_POOL", "0"),
            ("ROWSTAMP_STATEMENT_TIMEOUT_MS", "soon"),
        ])
        .unwrap_err();
        assert_eq!(problems.iter().count(), 3, "{problems}");
        let problems = read(&[("DATABASE_URL", "postgres://u:hunter2@db:port/x")]).unwrap_err();
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
        assert!(!format!("{:?}", Settings::from_url("postgres://u:hunter2@db/x")).contains("hunter2"));
    }
}
