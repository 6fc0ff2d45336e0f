//! IAM login: a token for one database and one user, good as a password for fifteen minutes and only at connect.
//!
//! A token is a signature made on this machine, with no network in between, whenever a connection wants one. It is used again for
//! connections made soon after, by the wall clock, so that a process that was frozen does not wake with a stale one; one that the
//! database refuses is forgotten. Nothing refreshes it in the background. The signer of the SDK trusts its inputs (it falls back to
//! us-east-1, leaves a user's special characters as they are and panics on a host that makes no URL), so every input
//! is judged here, at start.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::{SharedTimeSource, TimeSource};
use rowstamp_ports::{CredentialError, CredentialSource, Problems, Secret, Vars};

/// Where to log in and as whom; every part is one that the signer can take.
#[derive(Debug, Clone)]
pub struct IamLogin {
    host: String,
    port: u16,
    user: String,
    region: String,
    credentials: Credentials,
}

impl IamLogin {
    /// A login to the database at `host`, with the credentials and the region that Lambda puts into the environment:
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, and `AWS_REGION` or `AWS_DEFAULT_REGION`
    /// where the host's name is not one of RDS, which holds the region.
    ///
    /// Everything wrong is reported; then there is no login.
    pub fn read(host: &str, port: u16, user: &str, vars: &Vars, problems: &mut Problems) -> Option<Self> {
        let mut good = true;
        let mut check = |name: &str, problem: Option<&str>| {
            if let Some(problem) = problem {
                problems.report(name, problem);
                good = false;
            }
        };
        check("PGHOST", problem_of_host(host));
        check("PGPORT", (port == 0).then_some("expected a port for IAM login"));
        check("PGUSER", problem_of_user(user));
        let region = region_in_host(host)
            .or_else(|| vars.get("AWS_REGION"))
            .or_else(|| vars.get("AWS_DEFAULT_REGION"));
        check(
            "AWS_REGION",
            match region {
                None => Some("needed for IAM login, since the host's name holds no region"),
                Some(region) if !is_region(region) => Some("expected the name of a region such as eu-west-1"),
                Some(_) => None,
            },
        );
        let key_id = vars.get("AWS_ACCESS_KEY_ID");
        let key = vars.secret("AWS_SECRET_ACCESS_KEY");
        check(
            "AWS_ACCESS_KEY_ID",
            key_id.is_none().then_some("needed for IAM login"),
        );
        check(
            "AWS_SECRET_ACCESS_KEY",
            key.is_none().then_some("needed for IAM login"),
        );
        if !good {
            return None;
        }
        Some(Self {
            host: host.to_owned(),
            port,
            user: user.to_owned(),
            region: region?.to_owned(),
            credentials: Credentials::new(
                key_id?,
                key?.expose(),
                vars.secret("AWS_SESSION_TOKEN")
                    .map(|token| token.expose().to_owned()),
                None,
                "environment",
            ),
        })
    }

    /// The region whose key signs: that of the database.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// How long a token is used for new connections; the database takes it for fifteen minutes.
const USED_FOR: Duration = Duration::from_mins(10);

/// Mints tokens for connections.
#[derive(Debug)]
pub struct IamTokens {
    generator: AuthTokenGenerator,
    signing: SdkConfig,
    clock: SharedTimeSource,
    last: Mutex<Option<Minted>>,
}

/// A token, and when it was made.
#[derive(Debug)]
struct Minted {
    token: Secret,
    at: SystemTime,
}

impl IamTokens {
    /// Tokens by the machine's clock.
    pub fn new(login: &IamLogin) -> Self {
        Self::by_clock(login, Wall)
    }

    fn by_clock(login: &IamLogin, clock: impl TimeSource + 'static) -> Self {
        let region = Region::new(login.region.clone());
        let config = Config::builder()
            .hostname(&login.host)
            .port(u64::from(login.port))
            .region(region.clone())
            .username(percent_encoded(&login.user))
            .credentials(login.credentials.clone())
            .build()
            .expect("host, port and user are there");
        let clock = SharedTimeSource::new(clock);
        Self {
            generator: AuthTokenGenerator::new(config),
            signing: SdkConfig::builder()
                .region(region)
                .time_source(clock.clone())
                .build(),
            clock,
            last: Mutex::default(),
        }
    }

    /// The last token, while it is young. A clock that was turned back makes it none.
    fn usable(&self) -> Option<Secret> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let minted = last.as_ref()?;
        let age = self.clock.now().duration_since(minted.at).ok()?;
        (age < USED_FOR).then(|| minted.token.clone())
    }

    fn keep(&self, minted: Option<Minted>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = minted;
    }
}

#[async_trait]
impl CredentialSource for IamTokens {
    async fn password(&self) -> Result<Option<Secret>, CredentialError> {
        if let Some(token) = self.usable() {
            return Ok(Some(token));
        }
        let at = self.clock.now();
        let Ok(token) = self.generator.auth_token(&self.signing).await else {
            // The cause can quote what was signed.
            return Err(CredentialError("the IAM token could not be signed".to_owned()));
        };
        let token = Secret::new(token.as_str());
        self.keep(Some(Minted {
            token: token.clone(),
            at,
        }));
        Ok(Some(token))
    }

    fn rejected(&self) {
        self.keep(None);
    }
}

#[derive(Debug)]
struct Wall;

impl TimeSource for Wall {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A host name of RFC 1123, which is what a certificate and a signature can name.
fn problem_of_host(host: &str) -> Option<&'static str> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.is_empty() {
        return Some("needed for IAM login");
    }
    let is_address = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if host.len() > 253 || is_address || !host.split('.').all(is_label) {
        return Some("expected the host name of the database for IAM login, not an address or a socket");
    }
    None
}

/// A role's name in PostgreSQL: at most 63 bytes.
fn problem_of_user(user: &str) -> Option<&'static str> {
    if user.is_empty() {
        Some("needed for IAM login")
    } else if user.len() > 63 || user.chars().any(char::is_control) {
        Some("expected the name of a database user, at most 63 bytes")
    } else {
        None
    }
}

/// `eu-west-1` of `library.cluster-c1example.eu-west-1.rds.amazonaws.com`.
fn region_in_host(host: &str) -> Option<&str> {
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let front = host.strip_suffix(".rds.amazonaws.com")?;
    let region = front.rsplit_once('.').map_or(front, |(_, region)| region);
    is_region(region).then_some(region)
}

fn is_region(text: &str) -> bool {
    text.split('-').count() >= 3
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && text.ends_with(|last: char| last.is_ascii_digit())
}

/// RFC 3986: everything but the unreserved characters, as a signature wants it.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                let _ = write!(encoded, "%{byte:02X}");
            }
            encoded
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::UNIX_EPOCH;

    use super::*;

    #[derive(Debug)]
    struct At(u64);

    impl TimeSource for At {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH + Duration::from_secs(self.0)
        }
    }

    /// A clock that is set by hand.
    #[derive(Debug, Clone)]
    struct Hands(Arc<AtomicU64>);

    impl TimeSource for Hands {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    /// 2026-11-22T17:23:45Z
    const NOW: At = At(1_795_368_225);

    fn vars(pairs: &[(&str, &str)]) -> Vars {
        Vars::new(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    const KEYS: [(&str, &str); 2] = [
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
    ];

    fn login(host: &str, user: &str, more: &[(&str, &str)]) -> IamLogin {
        let mut problems = Problems::new();
        let vars = vars(&[&KEYS[..], more].concat());
        let login = IamLogin::read(host, 5432, user, &vars, &mut problems);
        assert_eq!(problems.to_string(), "");
        login.unwrap()
    }

    /// The parts of a token in an order that does not depend on who made it.
    fn parts(token: &str) -> Vec<&str> {
        let mut parts: Vec<_> = token.split(['?', '&']).collect();
        parts.sort_unstable();
        parts
    }

    #[tokio::test]
    async fn tokens_are_those_that_botocore_makes_of_the_same_inputs() {
        for (login, expected) in [
            (
                login(
                    "library.cluster-c1example.eu-west-1.rds.amazonaws.com",
                    "library_app",
                    &[("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEXAMPLE//token+with/signs==")],
                ),
                "library.cluster-c1example.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=library_app\
                 &X-Amz-Algorithm=AWS4-HMAC-SHA256\
                 &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261122%2Feu-west-1%2Frds-db%2Faws4_request\
                 &X-Amz-Date=20261122T172345Z&X-Amz-SignedHeaders=host&X-Amz-Expires=900\
                 &X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE%2F%2Ftoken%2Bwith%2Fsigns%3D%3D\
                 &X-Amz-Signature=13fd04906067c98b1f5891736d3bf069744389827657fb4439561de89e6590cd",
            ),
            (
                login(
                    "library.c1example.eu-central-1.rds.amazonaws.com",
                    "app@north & co",
                    &[],
                ),
                "library.c1example.eu-central-1.rds.amazonaws.com:5432/?Action=connect\
                 &DBUser=app%40north%20%26%20co&X-Amz-Algorithm=AWS4-HMAC-SHA256\
                 &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261122%2Feu-central-1%2Frds-db%2Faws4_request\
                 &X-Amz-Date=20261122T172345Z&X-Amz-SignedHeaders=host&X-Amz-Expires=900\
                 &X-Amz-Signature=b9218737a25833df811a6e07c9b942bb70bfbf161e4a35b44bca3e93431d7caa",
            ),
        ] {
            let token = IamTokens::by_clock(&login, NOW)
                .password()
                .await
                .unwrap()
                .unwrap();
            assert_eq!(parts(token.expose()), parts(expected));
        }
    }

    #[tokio::test]
    async fn a_token_is_used_again_while_it_is_young_and_was_not_refused() {
        let clock = Hands(Arc::new(AtomicU64::new(1_795_368_225)));
        let tokens = IamTokens::by_clock(
            &login("db.c1.eu-west-1.rds.amazonaws.com", "app", &[]),
            clock.clone(),
        );
        let mint = async || {
            let token = tokens.password().await.unwrap().unwrap();
            token.expose().to_owned()
        };
        let first = mint().await;
        clock.0.fetch_add(9 * 60, Ordering::Relaxed);
        assert_eq!(mint().await, first);
        // A process that was frozen finds that it is later than it thought.
        clock.0.fetch_add(60, Ordering::Relaxed);
        let second = mint().await;
        assert_ne!(second, first);
        clock.0.fetch_add(1, Ordering::Relaxed);
        assert_eq!(mint().await, second);
        tokens.rejected();
        let third = mint().await;
        assert_ne!(third, second);
        clock.0.fetch_sub(3_600, Ordering::Relaxed);
        assert_ne!(mint().await, third);
    }

    #[test]
    fn the_region_is_that_of_the_host_else_that_of_the_environment() {
        let elsewhere = [("AWS_REGION", "us-east-2")];
        for (host, more, expected) in [
            ("db.c1.eu-west-1.rds.amazonaws.com", &elsewhere[..], "eu-west-1"),
            (
                "db.c1.rds.cn-north-1.rds.amazonaws.com.cn",
                &elsewhere[..],
                "cn-north-1",
            ),
            ("db.internal.example", &elsewhere[..], "us-east-2"),
            (
                "db.internal.example",
                &[("AWS_DEFAULT_REGION", "ap-southeast-2")][..],
                "ap-southeast-2",
            ),
        ] {
            assert_eq!(login(host, "app", more).region(), expected, "{host}");
        }
    }

    #[test]
    fn every_mistake_is_reported_at_once_and_nothing_secret_with_it() {
        let mut problems = Problems::new();
        let made = IamLogin::read("10.0.0.7", 0, "", &vars(&[]), &mut problems);
        assert!(made.is_none());
        assert_eq!(
            problems.to_string(),
            "PGHOST: expected the host name of the database for IAM login, not an address or a socket\n\
             PGPORT: expected a port for IAM login\n\
             PGUSER: needed for IAM login\n\
             AWS_REGION: needed for IAM login, since the host's name holds no region\n\
             AWS_ACCESS_KEY_ID: needed for IAM login\n\
             AWS_SECRET_ACCESS_KEY: needed for IAM login"
        );
    }

    #[test]
    fn hosts_that_make_no_url_are_refused_before_the_signer_sees_them() {
        let long = format!("{}.example", "a".repeat(64));
        for host in [
            "",
            "/var/run/postgresql",
            "::1",
            "host name",
            "a..b",
            "-a.example",
            "a/b",
            "a?b",
            "ä.example",
            &long,
        ] {
            let mut problems = Problems::new();
            let vars = vars(&[&KEYS[..], &[("AWS_REGION", "eu-west-1")]].concat());
            assert!(
                IamLogin::read(host, 5432, "app", &vars, &mut problems).is_none(),
                "{host}"
            );
            assert!(problems.to_string().starts_with("PGHOST: "), "{host}: {problems}");
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let login = login(
            "db.c1.eu-west-1.rds.amazonaws.com",
            "app",
            &[("AWS_SESSION_TOKEN", "session-secret")],
        );
        let printed = format!("{login:?} {:?}", IamTokens::new(&login));
        assert!(!printed.contains("wJalr"), "{printed}");
        assert!(!printed.contains("session-secret"), "{printed}");
    }
}
