//! Bearer tokens (JWT, RFC 7519) signed with RS256 -> callers.
//!
//! No other algorithm is accepted, whatever a token's header says. Nothing here logs or repeats a token.
//!
//! - this file: the signature, by the key that the header names;
//! - `rules`: what the claims must say, a pure function of claims, rules and time;
//! - `settings`: which user pools and clients count;
//! - `verified`: tokens that were verified before.

mod rules;
mod settings;
mod verified;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation};
use rowstamp_domain::caller::Caller;
use rowstamp_ports::{IdentityError, Secret};

use crate::jwks::KeySource;
use verified::{SignedBy, TokenDigest, Verified, digest};

pub(crate) use rules::counts_until;
pub use rules::{LEEWAY_SECONDS, TokenRules, TokenUse};
pub use settings::Settings;

/// Longer tokens are not looked at; Cognito's have some 1–2 kB.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Verifies bearer tokens.
#[derive(Debug)]
pub struct TokenVerifier {
    rules: TokenRules,
    keys: Arc<dyn KeySource>,
    validation: Validation,
    verified: Verified,
}

impl TokenVerifier {
    /// A verifier of tokens that obey `rules` and are signed with one of `keys`.
    pub fn new(rules: TokenRules, keys: Arc<dyn KeySource>) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        // The library checks the signature alone: it passes over claims that are absent or of another type.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Self {
            rules,
            keys,
            validation,
            verified: Verified::default(),
        }
    }

    /// Gets the keys that the first token would have to wait for, as far as they can be had.
    pub async fn warm_up(&self) {
        self.keys.warm_up().await;
    }

    /// The caller that the token proves.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] with words for the caller that repeat nothing of the token;
    /// [`IdentityError::Unavailable`] when its key cannot be had at the moment.
    pub async fn verify(&self, token: &Secret) -> Result<Arc<Caller>, IdentityError> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        self.verify_at(token, now).await
    }

    /// The same at another time, in seconds since 1970.
    ///
    /// # Errors
    /// As [`TokenVerifier::verify`].
    pub async fn verify_at(&self, token: &Secret, now: u64) -> Result<Arc<Caller>, IdentityError> {
        let token = token.expose();
        if token.len() > TOKEN_BYTES_MAX {
            return Err(invalid("the token is too long"));
        }
        let digest = digest(token);
        if let Some(caller) = self.verified_before(&digest, now).await? {
            return Ok(caller);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| malformed())?;
        if header.alg != Algorithm::RS256 {
            return Err(invalid("the token is not signed with RS256"));
        }
        // Extensions that must be understood, and none is (RFC 7515, 4.1.11).
        if header.crit.is_some() {
            return Err(invalid("the token demands extensions that are not supported"));
        }
        let kid = header.kid.ok_or_else(|| invalid("the token names no key"))?;
        // Not believed yet: it says whose keys to look among, and the rules check it again below.
        let issuer = unverified_issuer(token)?;
        if !self.rules.trusts(&issuer) {
            return Err(invalid("the token is from an issuer that is not trusted here"));
        }
        let unknown = || invalid("the token is signed with an unknown key");
        let key = self.keys.key(&issuer, &kid).await?.ok_or_else(unknown)?;
        let verified = jsonwebtoken::decode(token, key.verifying(), &self.validation).map_err(|error| {
            match error.kind() {
                ErrorKind::InvalidSignature => invalid("the token's signature is wrong"),
                _ => malformed(),
            }
        })?;
        let caller = self
            .rules
            .caller(&verified.claims, now)
            .map_err(IdentityError::Invalid)?;
        let caller = Arc::new(caller);
        let signed_by = Arc::new(SignedBy { issuer, kid, key });
        self.verified
            .remember(digest, token.len(), &caller, signed_by, now);
        Ok(caller)
    }

    /// The caller of a token that was verified before, if the key it was verified with is still its issuer's.
    async fn verified_before(
        &self,
        digest: &TokenDigest,
        now: u64,
    ) -> Result<Option<Arc<Caller>>, IdentityError> {
        let Some((caller, by)) = self.verified.get(digest, now) else {
            return Ok(None);
        };
        if self.keys.key(&by.issuer, &by.kid).await?.as_ref() == Some(&by.key) {
            return Ok(Some(caller));
        }
        self.verified.forget(digest);
        Ok(None)
    }
}

fn unverified_issuer(token: &str) -> Result<String, IdentityError> {
    #[derive(serde::Deserialize)]
    struct Issuer {
        iss: Option<String>,
    }
    let claims: Issuer = jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| malformed())?;
    claims.iss.ok_or_else(|| invalid("the token names no issuer"))
}

fn malformed() -> IdentityError {
    invalid("the token is not a JWT")
}

fn invalid(words: &str) -> IdentityError {
    IdentityError::Invalid(words.to_owned())
}
