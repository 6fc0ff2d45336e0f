//! What a load balancer that signs users in says about one (`x-amzn-oidc-data`) -> a caller.
//!
//! It is a JWT signed with ES256 by the load balancer itself, but written in its own way: the parts are padded base64, and the
//! header holds what elsewhere is claims (`exp`, `iss`, `client`, `signer`). Anybody can send such a header, and anybody can
//! run a load balancer: the signature is verified, and the signer must be one that was named.

mod keys;
mod settings;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jsonwebtoken::Algorithm;
use rowstamp_domain::caller::Caller;
use rowstamp_ports::{IdentityError, Secret};
use serde_json::{Map, Value};

use crate::AuthorizerKeys;
use crate::claims::caller_of_load_balancer;
use crate::fetch::{Fetch, KeyUrl};
use crate::jwt::counts_until;
use keys::LoadBalancerKeys;

pub use settings::Settings;

/// A load balancer's header fields are 16 kB at most each.
const STATEMENT_BYTES_MAX: usize = 16 * 1024;
/// The names of its keys are UUIDs.
const KID_BYTES_MAX: usize = 64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Verifies what load balancers say.
#[derive(Debug)]
pub struct LoadBalancerVerifier {
    settings: Settings,
    authorizer_keys: AuthorizerKeys,
    keys: LoadBalancerKeys,
}

impl LoadBalancerVerifier {
    /// A verifier of what the named load balancers say, that fetches their keys through `fetch`.
    pub fn new(settings: Settings, authorizer_keys: AuthorizerKeys, fetch: Arc<dyn Fetch>) -> Self {
        Self {
            settings,
            authorizer_keys,
            keys: LoadBalancerKeys::new(fetch),
        }
    }

    /// The caller that the statement proves.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] with words for the caller that repeat nothing of the statement;
    /// [`IdentityError::Unavailable`] when its key cannot be had at the moment.
    pub async fn verify(&self, statement: &Secret) -> Result<Caller, IdentityError> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        self.verify_at(statement, now).await
    }

    /// The same at another time, in seconds since 1970.
    ///
    /// # Errors
    /// As [`LoadBalancerVerifier::verify`].
    pub async fn verify_at(&self, statement: &Secret, now: u64) -> Result<Caller, IdentityError> {
        let text = statement.expose();
        if text.len() > STATEMENT_BYTES_MAX {
            return Err(invalid("what the load balancer says is too long"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
        let header = object(header).ok_or_else(malformed)?;
        let url = self.key_url(&header)?;
        let until = counts_until(header.get("exp")).ok_or_else(malformed)?;
        if until <= now {
            return Err(invalid("what the load balancer says has expired"));
        }
        let unknown = || invalid("what the load balancer says is signed with an unknown key");
        let key = self.keys.key(&url).await?.ok_or_else(unknown)?;
        let signature = signature.trim_end_matches('=');
        let verified =
            jsonwebtoken::crypto::verify(signature, signed.as_bytes(), key.verifying(), Algorithm::ES256);
        if !verified.unwrap_or(false) {
            return Err(invalid("the signature of what the load balancer says is wrong"));
        }
        let claims = object(payload).ok_or_else(malformed)?;
        if let Some(exp) = claims.get("exp")
            && counts_until(Some(exp)).is_none_or(|until| until <= now)
        {
            return Err(invalid("what the load balancer says has expired"));
        }
        caller_of_load_balancer(&claims, &self.authorizer_keys)
    }

    /// Where the key is that the header names, if the header is one of those that count. Not believed yet.
    fn key_url(&self, header: &Map<String, Value>) -> Result<KeyUrl, IdentityError> {
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        if text("alg") != Some("ES256") || header.contains_key("crit") {
            return Err(invalid("what the load balancer says is not signed with ES256"));
        }
        let template = text("signer")
            .and_then(|signer| self.settings.signers.get(signer))
            .ok_or_else(|| invalid("the load balancer is not one that is trusted here"))?;
        let clients = &self.settings.clients;
        if !clients.is_empty()
            && !text("client").is_some_and(|client| clients.iter().any(|own| own == client))
        {
            return Err(invalid("the load balancer signed the user in for another client"));
        }
        // It becomes part of an address.
        let kid = text("kid").filter(|kid| {
            (1..=KID_BYTES_MAX).contains(&kid.len())
                && kid
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
        let kid = kid.ok_or_else(malformed)?;
        KeyUrl::parse(&template.replace(settings::KID_PLACE, kid)).map_err(|_| malformed())
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&BASE64.decode(part).ok()?).ok()
}

fn malformed() -> IdentityError {
    invalid("what the load balancer says is not a JWT")
}

fn invalid(words: &str) -> IdentityError {
    IdentityError::Invalid(words.to_owned())
}

#[cfg(test)]
mod tests;
