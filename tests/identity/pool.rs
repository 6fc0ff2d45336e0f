//! A user pool of a test's own: keys that sign, and the document that publishes them.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

pub(crate) const POOL: &str = "eu-west-1_Library1";
pub(crate) const CLIENT: &str = "library-app";

/// A key pair.
pub(crate) struct Key {
    private: RsaPrivateKey,
}

/// Making keys takes long; tests share them. The first is the pool's own.
pub(crate) static KEYS: LazyLock<[Key; 2]> = LazyLock::new(|| [Key::new(), Key::new()]);

impl Key {
    fn new() -> Self {
        Self {
            private: RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap(),
        }
    }

    /// As a JWKS document has it.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let part = |number: &rsa::BigUint| BASE64.encode(number.to_bytes_be());
        json!({
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid,
            "n": part(self.private.n()), "e": part(self.private.e()),
        })
    }

    pub(crate) fn sign(&self, header: &Header, claims: &Value) -> String {
        let der = self.private.to_pkcs1_der().unwrap();
        jsonwebtoken::encode(header, claims, &EncodingKey::from_rsa_der(der.as_bytes())).unwrap()
    }
}

pub(crate) fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

pub(crate) fn header(kid: &str) -> Header {
    Header {
        kid: Some(kid.to_owned()),
        ..Header::new(Algorithm::RS256)
    }
}

pub(crate) fn issuer(pool: &str) -> String {
    format!("https://cognito-idp.eu-west-1.amazonaws.com/{pool}")
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of an access token with some of them replaced; null takes one away.
pub(crate) fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": issuer(POOL), "sub": "ursula", "token_use": "access", "client_id": CLIENT, "username": "ursula",
        "exp": now() + 3600, "iat": now(), "scope": "openid", "cognito:groups": ["librarians"],
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// A token of the pool's own key.
pub(crate) fn token(changes: &Value) -> String {
    KEYS[0].sign(&header("one"), &claims(changes))
}
