//! How the store proves who it is: by the password of the settings, or by a token that somebody else makes.
//!
//! It makes no token and knows nobody who does; it says for what one is to be made, and where none may be sent.

use rowstamp_ports::{Problems, Vars};
use tokio_postgres::config::Host;

use super::Settings;
use crate::connection::tls::TlsMode;

const AUTH: &str = "ROWSTAMP_DB_AUTH";

/// How to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login<'a> {
    /// By the password of the settings, where there is one.
    Password,
    /// By a token of IAM, which is good for this server and this user alone.
    Iam {
        /// The server's name.
        host: &'a str,
        /// Its port.
        port: u16,
        /// The user; empty where none is named.
        user: &'a str,
    },
}

impl Settings {
    /// Reads `ROWSTAMP_DB_AUTH`. A token goes to one server that has a name and proves it; everything that keeps one from being
    /// sent is reported.
    pub fn read_login(&self, vars: &Vars, problems: &mut Problems) -> Option<Login<'_>> {
        match vars.get(AUTH) {
            None | Some("password") => Some(Login::Password),
            Some("iam") => {
                if self.tls != TlsMode::VerifyFull {
                    // A token is a password in clear text inside TLS: whoever ends the TLS has it.
                    problems.report("PGSSLMODE", format!("must be verify-full where {AUTH} is iam"));
                }
                let named = self.named_server();
                if named.is_none() {
                    let expected = format!("expected the host name of one database where {AUTH} is iam");
                    problems.report("PGHOST", expected);
                }
                named
            }
            Some(_) => {
                problems.report(AUTH, "expected password or iam");
                None
            }
        }
    }

    /// The server, where there is one and it has a name.
    fn named_server(&self) -> Option<Login<'_>> {
        let [Host::Tcp(host)] = self.config.get_hosts() else {
            return None;
        };
        Some(Login::Iam {
            host,
            port: self.config.get_ports().first().copied().unwrap_or(5432),
            user: self.config.get_user().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    /// The login that a URL and `ROWSTAMP_DB_AUTH` give, as it prints, and what is wrong with it.
    fn login(url: &str, auth: Option<&str>) -> (Option<String>, String) {
        let settings = Settings::from_url(url).unwrap();
        let vars = Vars::new(auth.map(|auth| (AUTH.to_owned(), auth.to_owned())));
        let mut problems = Problems::new();
        let login = settings.read_login(&vars, &mut problems);
        (login.map(|login| format!("{login:?}")), problems.to_string())
    }

    #[test]
    fn a_password_is_sent_unless_a_token_is_asked_for() {
        for auth in [None, Some("password")] {
            let login = login(
                "postgres://app:s3cret@db.example.com/library?sslmode=require",
                auth,
            );
            assert_eq!(login, (Some("Password".to_owned()), String::new()));
        }
        let (login, told) = login("postgres://app@db.example.com/library", Some("kerberos"));
        assert_eq!(login, None);
        assert_eq!(told, "ROWSTAMP_DB_AUTH: expected password or iam");
    }

    #[test]
    fn a_token_is_for_one_server_that_has_a_name() {
        for (url, expected) in [
            (
                "postgres://app@db.example.com:6432/library",
                r#"Iam { host: "db.example.com", port: 6432, user: "app" }"#,
            ),
            (
                "postgres://db.example.com/library",
                r#"Iam { host: "db.example.com", port: 5432, user: "" }"#,
            ),
        ] {
            assert_eq!(
                login(url, Some("iam")),
                (Some(expected.to_owned()), String::new()),
                "{url}"
            );
        }
        for url in [
            "postgres://app@%2Frun%2Fpostgresql/library",
            "postgres://app@a.example.com,b.example.com/library",
        ] {
            let (login, told) = login(url, Some("iam"));
            assert_eq!(login, None, "{url}");
            assert!(
                told.contains("PGHOST: expected the host name of one database"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_token_goes_only_to_a_server_that_proves_its_name() {
        // Without an authority of its own this looks at the name as well.
        let (_, told) = login(
            "postgres://app@db.example.com/library?sslmode=verify-ca",
            Some("iam"),
        );
        assert_eq!(told, "");
        for mode in ["disable", "allow", "prefer", "require"] {
            let url = format!("postgres://app@db.example.com/library?sslmode={mode}");
            let (_, told) = login(&url, Some("iam"));
            assert_eq!(
                told, "PGSSLMODE: must be verify-full where ROWSTAMP_DB_AUTH is iam",
                "{mode}"
            );
        }
        let (_, told) = login("postgres://app@localhost/library", Some("iam"));
        assert!(
            told.contains("PGSSLMODE: "),
            "this machine is no exception: {told}"
        );
    }
}
