//! Whose tokens count: Cognito's where user pools are named, development tokens on loopback otherwise, else nobody's.
//!
//! How a token is verified is the business of `rowstamp_cognito`.

use std::net::SocketAddr;

use rowstamp_cognito::{CognitoIdentity, Settings};
use rowstamp_ports::{Problems, Vars};

use crate::development_tokens::DevelopmentKey;
use crate::state::StateDirectory;

/// `off` where even this machine's users are to have no tokens, such as behind a proxy that listens elsewhere.
const SWITCH: &str = "ROWSTAMP_DEVELOPMENT_TOKENS";

/// Who can call with an identity.
#[derive(Debug)]
pub(crate) enum Callers {
    /// Users of the named pools.
    Cognito(Settings),
    /// Whoever this machine's user makes a token for.
    Development(DevelopmentKey),
    /// Nobody: every caller is anonymous, and a token is refused.
    Anonymous,
}

impl Callers {
    /// Development tokens count only where nobody but this machine can connect, never beside Cognito's, and not where they were
    /// switched off.
    pub(crate) fn choose(
        vars: &Vars,
        listen: SocketAddr,
        state: &StateDirectory,
        problems: &mut Problems,
    ) -> Self {
        let cognito = vars.names().any(|name| name.starts_with("ROWSTAMP_COGNITO_"));
        let settings = Settings::read(vars, problems);
        let switch = vars.get(SWITCH);
        if !matches!(switch, None | Some("on" | "off")) {
            problems.report(SWITCH, "expected on or off");
        }
        if switch == Some("on") && cognito {
            problems.report(SWITCH, "cannot be on beside Cognito settings");
        }
        if switch == Some("on") && !listen.ip().is_loopback() {
            problems.report(
                SWITCH,
                "can be on only where ROWSTAMP_LISTEN is a loopback address",
            );
        }
        if cognito {
            return if settings.accepts_tokens() {
                Self::Cognito(settings)
            } else {
                Self::Anonymous
            };
        }
        if !listen.ip().is_loopback() || !matches!(switch, None | Some("on")) {
            return Self::Anonymous;
        }
        match DevelopmentKey::of(state) {
            Ok(key) => Self::Development(key),
            Err(problem) => {
                problems.report("the development key", problem);
                Self::Anonymous
            }
        }
    }

    /// The identity port for these callers.
    pub(crate) fn into_identity(self) -> Result<CognitoIdentity, String> {
        Ok(match self {
            Self::Cognito(settings) => settings.into_identity()?,
            Self::Development(key) => CognitoIdentity::new().with_tokens(key.verifier()?),
            Self::Anonymous => CognitoIdentity::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn choose(pairs: &[(&str, &str)], listen: &str) -> (Callers, Vec<String>) {
        // Tests of one process run at the same time.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rowstamp-callers-{}-{number}", std::process::id()));
        let vars = Vars::new(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let mut problems = Problems::new();
        let callers = Callers::choose(
            &vars,
            listen.parse().unwrap(),
            &StateDirectory::new(&path),
            &mut problems,
        );
        let _ = std::fs::remove_dir_all(path);
        (callers, problems.iter().map(ToOwned::to_owned).collect())
    }

    #[test]
    fn development_tokens_count_on_loopback_without_cognito_only() {
        let pools = ("ROWSTAMP_COGNITO_USER_POOL_IDS", "eu-west-1_a");
        for (pairs, listen, development) in [
            (&[][..], "127.0.0.1:8080", true),
            (&[], "127.9.9.9:0", true),
            (&[], "[::1]:8080", true),
            (&[], "0.0.0.0:8080", false),
            (&[], "[::]:8080", false),
            (&[], "10.0.0.1:8080", false),
            (&[pools], "127.0.0.1:8080", false),
            (&[("ROWSTAMP_DEVELOPMENT_TOKENS", "on")], "127.0.0.1:8080", true),
            (&[("ROWSTAMP_DEVELOPMENT_TOKENS", "off")], "127.0.0.1:8080", false),
            (&[("ROWSTAMP_DEVELOPMENT_TOKENS", "no")], "127.0.0.1:8080", false),
            (&[("ROWSTAMP_DEVELOPMENT_TOKENS", "on")], "0.0.0.0:8080", false),
            (
                &[("ROWSTAMP_DEVELOPMENT_TOKENS", "on"), pools],
                "127.0.0.1:8080",
                false,
            ),
            // A setting that is spelt almost right must not open the door.
            (
                &[("ROWSTAMP_COGNITO_POOL", "eu-west-1_a")],
                "127.0.0.1:8080",
                false,
            ),
        ] {
            let (callers, _) = choose(pairs, listen);
            assert_eq!(
                matches!(callers, Callers::Development(_)),
                development,
                "{pairs:?} {listen}"
            );
        }
    }

    #[test]
    fn cognito_settings_without_a_pool_are_a_problem() {
        let (_, problems) = choose(&[("ROWSTAMP_COGNITO_CLIENT_IDS", "app")], "127.0.0.1:0");
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn development_tokens_that_cannot_be_had_are_a_problem() {
        for (pairs, listen, expected) in [
            (&[("ROWSTAMP_DEVELOPMENT_TOKENS", "on")][..], "0.0.0.0:80", 1),
            (&[("ROWSTAMP_DEVELOPMENT_TOKENS", "yes")], "127.0.0.1:80", 1),
            (
                &[
                    ("ROWSTAMP_DEVELOPMENT_TOKENS", "on"),
                    ("ROWSTAMP_COGNITO_USER_POOL_IDS", "eu-west-1_a"),
                ],
                "127.0.0.1:80",
                1,
            ),
            (&[("ROWSTAMP_DEVELOPMENT_TOKENS", "off")], "0.0.0.0:80", 0),
        ] {
            let (_, problems) = choose(pairs, listen);
            assert_eq!(problems.len(), expected, "{pairs:?} {problems:?}");
        }
    }
}
