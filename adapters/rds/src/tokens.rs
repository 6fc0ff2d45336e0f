//! Tokens as passwords: good for fifteen minutes, and only at connect.
//!
//! A token is a signature made on this machine whenever a connection wants one. It is used again for connections made soon after,
//! by the wall clock, so that a process that was frozen does not wake with a stale one; one that the database refuses is forgotten,
//! and so are the credentials that signed it. Nothing refreshes it in the background.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::{SharedTimeSource, TimeSource};
use rowstamp_ports::{CredentialError, CredentialSource, Secret};

use crate::IamLogin;
use crate::keys::Keys;

/// How long a token is used for new connections; the database takes it for fifteen minutes.
pub(crate) const USED_FOR: Duration = Duration::from_mins(10);

/// Mints tokens for connections.
#[derive(Debug)]
pub struct IamTokens {
    host: String,
    port: u16,
    /// As the signer wants it.
    user: String,
    keys: Arc<dyn Keys>,
    signing: SdkConfig,
    clock: SharedTimeSource,
    last: Mutex<Option<Minted>>,
}

/// A token, and from when until when it is used.
#[derive(Debug)]
struct Minted {
    token: Secret,
    at: SystemTime,
    until: SystemTime,
}

impl IamTokens {
    /// Tokens by the machine's clock.
    pub fn new(login: &IamLogin) -> Self {
        Self::by_clock(login, Wall)
    }

    pub(crate) fn by_clock(login: &IamLogin, clock: impl TimeSource + 'static) -> Self {
        let clock = SharedTimeSource::new(clock);
        Self {
            host: login.host.clone(),
            port: login.port,
            user: percent_encoded(&login.user),
            keys: Arc::clone(&login.keys),
            signing: SdkConfig::builder()
                .region(Region::new(login.region.clone()))
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
        let used = minted.at..minted.until;
        used.contains(&self.clock.now()).then(|| minted.token.clone())
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
        let credentials = self.keys.at(self.clock.now()).await?;
        // A token is good only as long as the credentials that signed it.
        let end = credentials.expiry();
        let signer = Config::builder()
            .hostname(&self.host)
            .port(u64::from(self.port))
            .username(&self.user)
            .credentials(credentials)
            .build()
            .expect("host, port and user are there");
        // The sources of credentials may have taken their time.
        let at = self.clock.now();
        let Ok(token) = AuthTokenGenerator::new(signer).auth_token(&self.signing).await else {
            // The cause can quote what was signed.
            return Err(CredentialError("the IAM token could not be signed".to_owned()));
        };
        let token = Secret::new(token.as_str());
        self.keep(Some(Minted {
            token: token.clone(),
            at,
            until: end.map_or(at + USED_FOR, |end| end.min(at + USED_FOR)),
        }));
        Ok(Some(token))
    }

    fn rejected(&self) {
        self.keep(None);
        self.keys.refused();
    }
}

#[derive(Debug)]
struct Wall;

impl TimeSource for Wall {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
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
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::fixture::{Hands, NOW, login};

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
            let token = IamTokens::by_clock(&login, Hands::at(NOW))
                .password()
                .await
                .unwrap()
                .unwrap();
            assert_eq!(parts(token.expose()), parts(expected));
        }
    }

    #[tokio::test]
    async fn a_token_is_used_again_while_it_is_young_and_was_not_refused() {
        let clock = Hands::at(NOW);
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
