//! The public keys of load balancers: one document a key, in PEM, under the key's name.
//!
//! Nothing is verified here.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use rowstamp_ports::IdentityError;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::fetch::{Fetch, FetchError, KeyUrl};
use crate::jwks::PublicKey;

/// How soon the next unknown name may ask, whoever invents how many of them.
const FETCH_INTERVAL: Duration = Duration::from_secs(1);
/// A load balancer has one key at a time, and changes it seldom.
const KEYS_MAX: usize = 64;
/// What comes before the two coordinates of a P-256 key in DER (RFC 5480): algorithm, curve, an uncompressed point.
const P256_PREFIX: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// Keys that were fetched. A name stands for the same key for ever, so none is fetched twice.
#[derive(Debug)]
pub(super) struct LoadBalancerKeys {
    fetch: Arc<dyn Fetch>,
    known: RwLock<HashMap<KeyUrl, PublicKey>>,
    /// Held while a fetch is under way; when the last one began.
    flight: Mutex<Option<Instant>>,
}

impl LoadBalancerKeys {
    pub(super) fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            fetch,
            known: RwLock::default(),
            flight: Mutex::default(),
        }
    }

    /// The key at this address; `None` when there is none.
    ///
    /// # Errors
    /// [`IdentityError::Unavailable`] when that cannot be found out now.
    pub(super) async fn key(&self, url: &KeyUrl) -> Result<Option<PublicKey>, IdentityError> {
        if let Some(key) = self.known(url) {
            return Ok(Some(key));
        }
        let mut last = self.flight.lock().await;
        if let Some(key) = self.known(url) {
            return Ok(Some(key));
        }
        if last.is_some_and(|last| last.elapsed() < FETCH_INTERVAL) {
            return Err(IdentityError::Unavailable);
        }
        *last = Some(Instant::now());
        match self.fetch.get(url).await {
            Ok(document) => {
                let key = p256_of_pem(&document);
                if let Some(key) = &key {
                    self.remember(url, key);
                }
                Ok(key)
            }
            Err(FetchError::NotFound) => Ok(None),
            Err(error) => {
                tracing::warn!(%url, %error, "the key of a load balancer cannot be fetched");
                Err(IdentityError::Unavailable)
            }
        }
    }

    fn known(&self, url: &KeyUrl) -> Option<PublicKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(url).cloned()
    }

    fn remember(&self, url: &KeyUrl, key: &PublicKey) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEYS_MAX {
            known.clear();
        }
        known.insert(url.clone(), key.clone());
    }
}

/// A P-256 key in PEM (RFC 7468) that holds a point uncompressed, as openssl and AWS write it.
fn p256_of_pem(pem: &[u8]) -> Option<PublicKey> {
    let text = std::str::from_utf8(pem).ok()?.trim();
    let inner = text
        .strip_prefix("-----BEGIN PUBLIC KEY-----")?
        .strip_suffix("-----END PUBLIC KEY-----")?;
    let base64: String = inner.split_ascii_whitespace().collect();
    let der = STANDARD.decode(base64).ok()?;
    let point = der.strip_prefix(&P256_PREFIX)?;
    if point.len() != 64 {
        return None;
    }
    let (x, y) = point.split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let key = DecodingKey::from_ec_components(&x, &y).ok()?;
    Some(PublicKey::new(key, [&x, &y]))
}
