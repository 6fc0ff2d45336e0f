//! The usual chain of AWS credentials: environment, profile, web identity, container, EC2 instance; the first that has some.
//!
//! The SDK asks the sources and reads environment and files by itself; here is decided for how long an answer is good and how it is
//! told that there is none. Nothing is renewed in the background.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::BehaviorVersion;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::region::Region;
use rowstamp_ports::{CredentialError, Vars};
use tokio::sync::Mutex;

use crate::keys::Keys;
use crate::tokens::USED_FOR;

/// All sources have so long. Some of them ask a server, and some a person.
const LIMIT: Duration = Duration::from_secs(15);

/// The region that the profile in use names, where there is one.
pub(crate) async fn region_of_profile() -> Option<String> {
    let region = ProfileFileRegionProvider::new().region().await?;
    Some(region.as_ref().to_owned())
}

/// The sources, and what they gave last.
///
/// Credentials that end are used until they have less time than a token is used for; those that do not end are asked for each time. The SDK
/// reads the profile's file once, so that keys without an end which are exchanged there count from the next start on.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    provider: SharedCredentialsProvider,
    /// The sources in words.
    sources: String,
    limit: Duration,
    last: Arc<Mutex<Option<Credentials>>>,
}

impl Chain {
    /// The sources of this process's environment, which `vars` describe. Services are asked in `region`.
    pub(crate) async fn of_environment(vars: &Vars, region: Region) -> Self {
        let https = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let config = ProviderConfig::without_region()
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_http_client(https);
        let chain = DefaultCredentialsChain::builder()
            .configure(config)
            // Else it would be asked for, where need be of an EC2 instance.
            .region(region)
            .build()
            .await;
        Self::of(chain, sources(vars), LIMIT)
    }

    fn of(provider: impl ProvideCredentials + 'static, sources: String, limit: Duration) -> Self {
        Self {
            provider: SharedCredentialsProvider::new(provider),
            sources,
            limit,
            last: Arc::default(),
        }
    }

    /// Credentials from the sources, or the last ones where these are still good. Whoever comes while somebody asks waits for the
    /// same answer.
    async fn ask(self, now: SystemTime) -> Result<Credentials, CredentialError> {
        let mut last = self.last.lock().await;
        let lasting =
            |credentials: &&Credentials| credentials.expiry().is_some_and(|expiry| expiry > now + USED_FOR);
        if let Some(credentials) = last.as_ref().filter(lasting) {
            return Ok(credentials.clone());
        }
        let Ok(asked) = tokio::time::timeout(self.limit, self.provider.provide_credentials()).await else {
            return Err(CredentialError(format!(
                "the sources of AWS credentials took longer than {} ms; asked were {}",
                self.limit.as_millis(),
                self.sources
            )));
        };
        let credentials = asked.map_err(|error| CredentialError(self.in_words(&error)))?;
        *last = Some(credentials.clone());
        Ok(credentials)
    }

    fn in_words(&self, error: &CredentialsError) -> String {
        if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
            return format!("there are no AWS credentials; looked for in {}", self.sources);
        }
        let mut words = "a source of AWS credentials failed".to_owned();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            // What it says of itself, and not what it holds: that can be an answer with credentials in it.
            if !error.is::<CredentialsError>() {
                let _ = write!(words, ": {error}");
            }
            cause = error.source();
        }
        if words.contains("/sso/") || words.contains("SSO") {
            words.push_str("; `aws sso login` begins a session");
        }
        format!("{}; asked were {}", words.replace('\n', " "), self.sources)
    }
}

#[async_trait]
impl Keys for Chain {
    async fn at(&self, now: SystemTime) -> Result<Credentials, CredentialError> {
        // A task of its own, so that an answer that comes too late for a connection is there for the next one.
        let asked = tokio::spawn(self.clone().ask(now)).await;
        asked.unwrap_or_else(|_| Err(CredentialError("a source of AWS credentials panicked".to_owned())))
    }

    fn refused(&self) {
        // Where it is locked, others are being asked for.
        if let Ok(mut last) = self.last.try_lock() {
            *last = None;
        }
    }
}

/// Where credentials are looked for: names of variables, files and profiles, no values that could be secret.
fn sources(vars: &Vars) -> String {
    let profile = vars.get("AWS_PROFILE").unwrap_or("default");
    let config = vars.get("AWS_CONFIG_FILE").unwrap_or("~/.aws/config");
    let shared = vars
        .get("AWS_SHARED_CREDENTIALS_FILE")
        .unwrap_or("~/.aws/credentials");
    let instance = match vars.get("AWS_EC2_METADATA_DISABLED") {
        Some(switch) if switch.eq_ignore_ascii_case("true") => "",
        _ => ", the metadata of an EC2 instance",
    };
    format!(
        "the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile {profile} of {config} and {shared}, a web \
         identity (AWS_WEB_IDENTITY_TOKEN_FILE), a container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or \
         AWS_CONTAINER_CREDENTIALS_FULL_URI){instance}"
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::UNIX_EPOCH;

    use aws_credential_types::provider::future;
    use rowstamp_ports::CredentialSource as _;

    use super::*;
    use crate::fixture::{Hands, NOW, login, vars};
    use crate::{IamLogin, IamTokens};

    /// Gives `KEY1`, then `KEY2` and so on, each good for this many seconds from when it is given, or for ever.
    #[derive(Debug)]
    struct Rotating {
        clock: Hands,
        seconds: Option<u64>,
        given: Arc<AtomicU64>,
    }

    impl ProvideCredentials for Rotating {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let number = self.given.fetch_add(1, Ordering::Relaxed) + 1;
            let now = self.clock.0.load(Ordering::Relaxed);
            let end = self
                .seconds
                .map(|seconds| UNIX_EPOCH + Duration::from_secs(now + seconds));
            let credentials = Credentials::new(format!("KEY{number}"), "hush", None, end, "rotating");
            future::ProvideCredentials::ready(Ok(credentials))
        }
    }

    /// Tokens signed by such credentials, and how often these were asked for.
    fn tokens(clock: &Hands, seconds: Option<u64>) -> (IamTokens, Arc<AtomicU64>) {
        let given = Arc::<AtomicU64>::default();
        let source = Rotating {
            clock: clock.clone(),
            seconds,
            given: Arc::clone(&given),
        };
        (of(source, clock, LIMIT), given)
    }

    fn of(source: impl ProvideCredentials + 'static, clock: &Hands, limit: Duration) -> IamTokens {
        let login = IamLogin {
            keys: Arc::new(Chain::of(source, sources(&vars(&[])), limit)),
            ..login("db.c1.eu-west-1.rds.amazonaws.com", "app", &[])
        };
        IamTokens::by_clock(&login, clock.clone())
    }

    /// The number of the key that signed the token for a connection made now.
    async fn key(tokens: &IamTokens) -> u64 {
        let token = tokens.password().await.unwrap().unwrap();
        let (_, rest) = token.expose().split_once("X-Amz-Credential=KEY").unwrap();
        rest.split_once("%2F").unwrap().0.parse().unwrap()
    }

    #[tokio::test]
    async fn credentials_are_asked_for_anew_before_they_end() {
        let clock = Hands::at(NOW);
        let (tokens, given) = tokens(&clock, Some(3_600));
        assert_eq!(key(&tokens).await, 1);
        // Each token is a new one, by the same key, as long as that lasts longer than the token is used.
        for _ in 0..4 {
            clock.0.fetch_add(10 * 60 + 1, Ordering::Relaxed);
            assert_eq!(key(&tokens).await, 1);
        }
        assert_eq!(given.load(Ordering::Relaxed), 1);
        clock.0.fetch_add(10 * 60 + 1, Ordering::Relaxed);
        assert_eq!(key(&tokens).await, 2);
        // A process that was frozen for a day wakes with neither an old token nor an old key.
        clock.0.fetch_add(86_400, Ordering::Relaxed);
        assert_eq!(key(&tokens).await, 3);
    }

    #[tokio::test]
    async fn a_token_is_used_no_longer_than_the_credentials_that_signed_it() {
        let clock = Hands::at(NOW);
        let (tokens, given) = tokens(&clock, Some(60));
        assert_eq!((key(&tokens).await, key(&tokens).await), (1, 1));
        clock.0.fetch_add(59, Ordering::Relaxed);
        assert_eq!(key(&tokens).await, 1);
        clock.0.fetch_add(1, Ordering::Relaxed);
        assert_eq!(key(&tokens).await, 2);
        assert_eq!(given.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn credentials_without_an_end_are_asked_for_with_each_token() {
        let clock = Hands::at(NOW);
        let (tokens, _) = tokens(&clock, None);
        assert_eq!((key(&tokens).await, key(&tokens).await), (1, 1));
        clock.0.fetch_add(10 * 60, Ordering::Relaxed);
        assert_eq!(key(&tokens).await, 2);
    }

    #[tokio::test]
    async fn a_refused_token_takes_its_credentials_with_it() {
        let (tokens, _) = tokens(&Hands::at(NOW), Some(3_600));
        assert_eq!(key(&tokens).await, 1);
        tokens.rejected();
        assert_eq!(key(&tokens).await, 2);
    }

    #[tokio::test]
    async fn whoever_comes_while_the_sources_are_asked_waits_for_the_same_answer() {
        let (tokens, given) = tokens(&Hands::at(NOW), Some(3_600));
        let asked = tokio::join!(key(&tokens), key(&tokens), key(&tokens));
        assert_eq!(asked, (1, 1, 1));
        assert_eq!(given.load(Ordering::Relaxed), 1);
    }

    /// A source that takes this long.
    #[derive(Debug)]
    struct Slow(Duration);

    impl ProvideCredentials for Slow {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(async {
                tokio::time::sleep(self.0).await;
                Ok(Credentials::new(
                    "KEY1",
                    "hush",
                    None,
                    Some(UNIX_EPOCH + Duration::from_secs(NOW + 3_600)),
                    "slow",
                ))
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sources_that_hang_are_given_up_in_time() {
        let tokens = of(Slow(Duration::from_hours(1)), &Hands::at(NOW), LIMIT);
        let begun = tokio::time::Instant::now();
        let told = tokens.password().await.unwrap_err().to_string();
        assert_eq!(begun.elapsed(), LIMIT);
        assert!(told.contains("took longer than 15000 ms"), "{told}");
        assert!(told.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"), "{told}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_comes_too_late_for_a_connection_is_there_for_the_next() {
        let tokens = of(Slow(Duration::from_secs(6)), &Hands::at(NOW), LIMIT);
        let late = tokio::time::timeout(Duration::from_secs(5), tokens.password()).await;
        assert!(late.is_err());
        let next = tokio::time::timeout(Duration::from_secs(2), key(&tokens)).await;
        assert_eq!(next, Ok(1));
    }

    #[test]
    fn a_failure_is_told_in_the_words_of_its_causes_on_one_line() {
        #[derive(Debug)]
        struct Told {
            _holds: &'static str,
        }
        impl std::fmt::Display for Told {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the session has expired\nlog in again")
            }
        }
        impl std::error::Error for Told {}
        let chain = Chain::of(
            Slow(Duration::ZERO),
            sources(&vars(&[("AWS_PROFILE", "work")])),
            LIMIT,
        );
        let failed = chain.in_words(&CredentialsError::provider_error(Told { _holds: "wJalrXUtn" }));
        assert!(
            failed.starts_with(
                "a source of AWS credentials failed: the session has expired log in again; asked were the variables"
            ),
            "{failed}"
        );
        let none = chain.in_words(&CredentialsError::not_loaded_no_source());
        assert!(
            none.contains("the profile work of ~/.aws/config and ~/.aws/credentials"),
            "{none}"
        );
        assert!(none.contains("the metadata of an EC2 instance"), "{none}");
    }
}
