//! Keys that are fetched from each issuer when they are first asked for, and kept.
//!
//! A signature is never judged here, and a key is never guessed: what the issuer's last document said counts.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use rowstamp_ports::IdentityError;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use super::{KeySource, Keys, PublicKey};
use crate::fetch::{Fetch, KeyUrl};

/// How soon an unknown `kid` may ask the issuer again, whoever invents how many of them.
pub const REFETCH_INTERVAL: Duration = Duration::from_secs(10);
/// How soon the issuer is asked again as long as none of its keys is known.
const FIRST_FETCH_INTERVAL: Duration = Duration::from_secs(1);
/// How old a document may become before it is looked at again, so that a key that is withdrawn stops counting.
pub const REFRESH_AFTER: Duration = Duration::from_mins(15);
/// How soon that is tried again when it failed.
const REFRESH_INTERVAL: Duration = Duration::from_mins(1);
/// How long a request whose key is known waits for such a look.
const REFRESH_PATIENCE: Duration = Duration::from_secs(1);

/// The keys of some issuers.
///
/// Each issuer's are its own: a key of one never verifies a token of another. Of all who want the same document at once, one
/// fetches and the others wait. A key that is known goes on counting while its issuer cannot be reached.
#[derive(Debug, Clone, Default)]
pub struct FetchedKeys(HashMap<String, Arc<Issuer>>);

impl FetchedKeys {
    /// The keys of these issuers, each with the address of its JWKS document.
    pub fn new(issuers: impl IntoIterator<Item = (String, KeyUrl)>, fetch: &Arc<dyn Fetch>) -> Self {
        let issuer = |(name, url)| {
            let issuer = Issuer {
                url,
                fetch: Arc::clone(fetch),
                known: RwLock::default(),
                flight: Arc::default(),
            };
            (name, Arc::new(issuer))
        };
        Self(issuers.into_iter().map(issuer).collect())
    }
}

#[async_trait]
impl KeySource for FetchedKeys {
    async fn key(&self, issuer: &str, kid: &str) -> Result<Option<PublicKey>, IdentityError> {
        match self.0.get(issuer) {
            Some(issuer) => issuer.key(kid).await,
            None => Ok(None),
        }
    }

    async fn warm_up(&self) {
        for issuer in self.0.values() {
            // No issuer names a key like this; the answer does not matter.
            let _ = issuer.unknown("").await;
        }
    }
}

#[derive(Debug)]
struct Issuer {
    url: KeyUrl,
    fetch: Arc<dyn Fetch>,
    known: RwLock<Known>,
    /// Held while a fetch is under way.
    flight: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Keys,
    /// When the document that holds them was fetched.
    fetched: Option<Instant>,
    attempted: Option<Instant>,
    failed: bool,
}

impl Known {
    fn may_be_fetched_again(&self, now: Instant) -> bool {
        let interval = if self.fetched.is_some() {
            REFETCH_INTERVAL
        } else {
            FIRST_FETCH_INTERVAL
        };
        is_past(self.attempted, interval, now)
    }

    fn is_due(&self, now: Instant) -> bool {
        is_past(self.fetched, REFRESH_AFTER, now) && is_past(self.attempted, REFRESH_INTERVAL, now)
    }

    /// What is known of a `kid` when no more can be found out now.
    fn verdict(&self, kid: &str) -> Result<Option<PublicKey>, IdentityError> {
        match self.keys.get(kid) {
            Some(key) => Ok(Some(key)),
            None if self.failed || self.fetched.is_none() => Err(IdentityError::Unavailable),
            None => Ok(None),
        }
    }
}

fn is_past(begin: Option<Instant>, interval: Duration, now: Instant) -> bool {
    begin.is_none_or(|begin| now.saturating_duration_since(begin) >= interval)
}

impl Issuer {
    async fn key(self: &Arc<Self>, kid: &str) -> Result<Option<PublicKey>, IdentityError> {
        let (key, is_due) = self.read(|known| (known.keys.get(kid), known.is_due(Instant::now())));
        match key {
            Some(key) if !is_due => Ok(Some(key)),
            Some(key) => Ok(self.looked_at_again(kid, key).await),
            None => self.unknown(kid).await,
        }
    }

    /// A key of a document that has become old: whoever comes first asks again, and nobody else waits.
    async fn looked_at_again(self: &Arc<Self>, kid: &str, key: PublicKey) -> Option<PublicKey> {
        let Ok(guard) = Arc::clone(&self.flight).try_lock_owned() else {
            return Some(key);
        };
        if self.read(|known| known.is_due(Instant::now())) {
            let _ = tokio::time::timeout(REFRESH_PATIENCE, self.fly(guard)).await;
        }
        self.read(|known| known.keys.get(kid))
    }

    async fn unknown(self: &Arc<Self>, kid: &str) -> Result<Option<PublicKey>, IdentityError> {
        // Whoever comes while a fetch is under way waits here for its end.
        let guard = Arc::clone(&self.flight).lock_owned().await;
        let (known, may) = self.read(|known| {
            let known_now = known.keys.get(kid);
            (known_now, known.may_be_fetched_again(Instant::now()))
        });
        if known.is_none() && may {
            self.fly(guard).await;
        }
        self.read(|known| known.verdict(kid))
    }

    /// Fetches, in a task of its own: a client that gives up must not end what others wait for.
    async fn fly(self: &Arc<Self>, guard: OwnedMutexGuard<()>) {
        self.write(|known| known.attempted = Some(Instant::now()));
        let issuer = Arc::clone(self);
        let flight = tokio::spawn(async move {
            let fetched = issuer.fetched().await;
            issuer.write(|known| match fetched {
                Ok(keys) => {
                    known.keys.become_those(keys);
                    known.fetched = Some(Instant::now());
                    known.failed = false;
                }
                Err(problem) => {
                    tracing::warn!(url = %issuer.url, problem, "the keys of a user pool cannot be fetched");
                    known.failed = true;
                }
            });
            drop(guard);
        });
        let _ = flight.await;
    }

    async fn fetched(&self) -> Result<Keys, String> {
        let document = self
            .fetch
            .get(&self.url)
            .await
            .map_err(|error| error.to_string())?;
        let text = std::str::from_utf8(&document).map_err(|_| "the document is not text".to_owned())?;
        Keys::from_jwks(text)
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests;
