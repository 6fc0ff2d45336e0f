//! The keys that tokens are signed with, by their `kid`.
//!
//! It verifies nothing. [`Keys`] holds what a JWKS document (RFC 7517) that it was given says; [`FetchedKeys`] fetches such
//! documents.

mod fetched;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use rowstamp_ports::IdentityError;

/// The shortest RSA modulus that counts as a key (NIST SP 800-131A).
const MODULUS_BYTES_MIN: usize = 2048 / 8;

pub use fetched::{FetchedKeys, REFETCH_INTERVAL, REFRESH_AFTER};

/// A public key. Two are equal when their numbers are.
#[derive(Debug, Clone)]
pub struct PublicKey(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    key: DecodingKey,
    /// Modulus and exponent, or the two coordinates, as they were written.
    numbers: [String; 2],
}

impl PublicKey {
    pub(crate) fn new(key: DecodingKey, numbers: [&str; 2]) -> Self {
        Self(Arc::new(Parts {
            key,
            numbers: numbers.map(str::to_owned),
        }))
    }

    pub(crate) fn verifying(&self) -> &DecodingKey {
        &self.0.key
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.numbers == other.0.numbers
    }
}

impl Eq for PublicKey {}

/// Where the keys come from.
///
/// # Contract
/// - `None` means that the issuer has no such key, as far as can be known now.
/// - [`IdentityError::Unavailable`] means that this cannot be known at the moment.
#[async_trait]
pub trait KeySource: std::fmt::Debug + Send + Sync {
    /// The key of this name that signs for this issuer.
    async fn key(&self, issuer: &str, kid: &str) -> Result<Option<PublicKey>, IdentityError>;

    /// Gets what the first question would have to wait for, as far as it can be had.
    async fn warm_up(&self) {}
}

/// Keys that are known from the start, and sign for every issuer that is trusted.
#[derive(Debug, Clone, Default)]
pub struct Keys(HashMap<String, PublicKey>);

impl Keys {
    /// The keys of a JWKS document that can verify RS256; others in it are passed over.
    ///
    /// # Errors
    /// Words about what is wrong, when the document is none or holds no such key.
    pub fn from_jwks(document: &str) -> Result<Self, String> {
        let set: JwkSet =
            serde_json::from_str(document).map_err(|error| format!("no JWKS document: {error}"))?;
        let keys: HashMap<_, _> = set.keys.iter().filter_map(usable).collect();
        if keys.is_empty() {
            return Err("no key in it has a kid and can verify RS256 with 2048 bits or more".to_owned());
        }
        Ok(Self(keys))
    }

    /// The RSA key with this modulus and exponent, both base64url without padding.
    ///
    /// # Errors
    /// When they are not base64url, or too short.
    pub fn from_rsa_components(kid: &str, modulus: &str, exponent: &str) -> Result<Self, String> {
        let key = DecodingKey::from_rsa_components(modulus, exponent).map_err(|error| error.to_string())?;
        let key = PublicKey::new(key, [modulus, exponent]);
        Ok(Self(HashMap::from([(kid.to_owned(), key)])))
    }

    pub(crate) fn get(&self, kid: &str) -> Option<PublicKey> {
        self.0.get(kid).cloned()
    }

    /// Takes the place of what was known before; a key that is the same stays the same value.
    fn become_those(&mut self, mut newer: Self) {
        for (kid, key) in &mut newer.0 {
            if let Some(before) = self.0.remove(kid).filter(|before| before == key) {
                *key = before;
            }
        }
        *self = newer;
    }
}

fn usable(key: &Jwk) -> Option<(String, PublicKey)> {
    let common = &key.common;
    let signs = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
    let rs256 = matches!(common.key_algorithm, None | Some(KeyAlgorithm::RS256));
    let AlgorithmParameters::RSA(rsa) = &key.algorithm else {
        return None;
    };
    // Four characters of base64 are three bytes.
    let long_enough = rsa.n.trim_end_matches('=').len() * 3 / 4 >= MODULUS_BYTES_MIN;
    let kid = common.key_id.clone()?;
    let key = DecodingKey::from_jwk(key).ok()?;
    (signs && rs256 && long_enough).then(|| (kid, PublicKey::new(key, [&rsa.n, &rsa.e])))
}

#[async_trait]
impl KeySource for Keys {
    async fn key(&self, _issuer: &str, kid: &str) -> Result<Option<PublicKey>, IdentityError> {
        Ok(self.get(kid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(keys: &str) -> String {
        format!(r#"{{"keys":[{keys}]}}"#)
    }

    #[test]
    fn only_keys_that_can_verify_rs256_count() {
        let (long, short) = ("u".repeat(341) + "A", "u".repeat(100));
        let rsa = |rest: &str, n: &str| format!(r#"{{"kty":"RSA","e":"AQAB","n":"{n}"{rest}}}"#);
        for (keys, expected) in [
            (rsa(r#","kid":"a","use":"sig","alg":"RS256""#, &long), &["a"][..]),
            (rsa(r#","kid":"a""#, &long), &["a"]),
            (rsa("", &long), &[]),
            (rsa(r#","kid":"a""#, &short), &[]),
            (rsa(r#","kid":"a","use":"enc""#, &long), &[]),
            (rsa(r#","kid":"a","alg":"RS512""#, &long), &[]),
            (r#"{"kty":"oct","k":"c2VjcmV0","kid":"a"}"#.to_owned(), &[]),
            (
                format!("{},{}", rsa(r#","kid":"b""#, &long), r#"{"kty":"what"}"#),
                &["b"],
            ),
        ] {
            let found = Keys::from_jwks(&document(&keys)).map(|keys| keys.0.into_keys().collect::<Vec<_>>());
            assert_eq!(found.unwrap_or_default(), expected, "{keys}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for document in ["", "[]", "{}", r#"{"keys":[]}"#] {
            assert!(Keys::from_jwks(document).is_err(), "{document}");
        }
    }
}
