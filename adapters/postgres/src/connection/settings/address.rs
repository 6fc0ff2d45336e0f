//! Where the server is: from a URL, or from libpq's variables.

use percent_encoding::percent_decode_str;
use rowstamp_ports::{Problems, Secret, Vars};
use tokio_postgres::Config;

/// A server's address, and what the driver does not understand taken out of it.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) password: Option<Secret>,
    pub(super) sslmode: Option<String>,
    pub(super) sslrootcert: Option<String>,
}

impl Address {
    pub(super) fn from_url(url: &str, problems: &mut Problems) -> Option<Self> {
        const EXPECTED: &str = "expected postgres://user:password@host:port/database?sslmode=…";
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            problems.report("DATABASE_URL", EXPECTED);
            return None;
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut kept = String::new();
        let mut sslmode = None;
        let mut sslrootcert = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = || percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "sslmode" => sslmode = Some(decoded()),
                "sslrootcert" => sslrootcert = Some(decoded()),
                _ => {
                    kept.push(if kept.is_empty() { '?' } else { '&' });
                    kept.push_str(pair);
                }
            }
        }
        // The driver's own words could repeat parts of the URL, and the password is one of them.
        let Ok(mut config) = format!("{base}{kept}").parse::<Config>() else {
            problems.report("DATABASE_URL", format!("not understood, {EXPECTED}"));
            return None;
        };
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host("localhost");
        }
        let password = config
            .get_password()
            .map(|bytes| Secret::new(String::from_utf8_lossy(bytes)));
        Some(Self {
            config,
            password,
            sslmode,
            sslrootcert,
        })
    }

    pub(super) fn from_libpq(vars: &Vars, problems: &mut Problems) -> Option<Self> {
        let mut config = Config::new();
        for host in vars.get("PGHOST").unwrap_or("localhost").split(',') {
            config.host(host);
        }
        if let Some(ports) = vars.get("PGPORT") {
            for port in ports.split(',') {
                let Ok(port) = port.parse() else {
                    problems.report("PGPORT", "expected a port number");
                    return None;
                };
                config.port(port);
            }
        }
        if let Some(user) = vars.get("PGUSER") {
            config.user(user);
        }
        if let Some(database) = vars.get("PGDATABASE").or_else(|| vars.get("PGUSER")) {
            config.dbname(database);
        }
        Some(Self {
            config,
            password: vars.secret("PGPASSWORD"),
            sslmode: None,
            sslrootcert: None,
        })
    }
}
