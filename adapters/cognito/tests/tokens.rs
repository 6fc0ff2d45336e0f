//! Signed tokens are verified whole: algorithm, key, signature, then claims.
#![cfg(feature = "jwt")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rowstamp_cognito::CognitoIdentity;
use rowstamp_cognito::jwks::{KeySource, Keys, PublicKey};
use rowstamp_cognito::jwt::{LEEWAY_SECONDS, TokenRules, TokenVerifier};
use rowstamp_ports::exchange::Evidence;
use rowstamp_ports::{IdentityError, IdentityProvider, Secret};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a";
const FAR: u64 = 4_000_000_000;

struct Signer {
    jwks: String,
    key: EncodingKey,
}

impl Signer {
    fn new() -> Self {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        let part = |number: &rsa::BigUint| BASE64.encode(number.to_bytes_be());
        let jwk = json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one", "n": part(key.n()), "e": part(key.e())});
        Self {
            jwks: json!({"keys": [jwk]}).to_string(),
            key: EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes()),
        }
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }
}

static POOL: LazyLock<Signer> = LazyLock::new(Signer::new);
static STRANGER: LazyLock<Signer> = LazyLock::new(Signer::new);

fn header(kid: &str) -> Header {
    Header {
        kid: Some(kid.to_owned()),
        ..Header::new(Algorithm::RS256)
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "u1", "token_use": "access", "client_id": "app", "exp": FAR})
}

async fn identify(token: &str) -> Result<String, String> {
    let keys = Keys::from_jwks(&POOL.jwks).unwrap();
    let verifier = TokenVerifier::new(TokenRules::new([ISSUER]), Arc::new(keys));
    let identity = CognitoIdentity::new().with_tokens(verifier);
    match identity.identify(&Evidence::Bearer(Secret::new(token))).await {
        Ok(caller) => Ok(caller.subject().unwrap().to_owned()),
        Err(IdentityError::Invalid(words)) => {
            assert!(token.len() < 4 || !words.contains(token), "{words}");
            Err(words)
        }
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_good_token_is_a_caller() {
    assert_eq!(
        identify(&POOL.sign(&header("one"), &claims())).await.as_deref(),
        Ok("u1")
    );
}

#[tokio::test]
async fn every_way_to_forge_a_token_is_refused() {
    let good = POOL.sign(&header("one"), &claims());
    let parts: Vec<&str> = good.split('.').collect();
    let encode = |value: Value| BASE64.encode(value.to_string());
    let other_claims = encode(json!({"iss": ISSUER, "sub": "root", "token_use": "access", "exp": FAR}));
    let public = serde_json::from_str::<Value>(&POOL.jwks).unwrap()["keys"][0]["n"]
        .as_str()
        .unwrap()
        .to_owned();
    let hmac_header = Header {
        kid: Some("one".to_owned()),
        ..Header::new(Algorithm::HS256)
    };
    let hmac = jsonwebtoken::encode(
        &hmac_header,
        &claims(),
        &EncodingKey::from_secret(public.as_bytes()),
    )
    .unwrap();
    let critical = |names: &[&str]| {
        let header = Header {
            crit: Some(names.iter().map(|name| (*name).to_owned()).collect()),
            ..header("one")
        };
        POOL.sign(&header, &claims())
    };
    let mut no_issuer = claims();
    no_issuer.as_object_mut().unwrap().remove("iss");
    let mut other_issuer = claims();
    other_issuer["iss"] = json!("https://evil.example");
    let mut expired = claims();
    expired["exp"] = json!(1);

    for (token, expected) in [
        (String::new(), "not a JWT"),
        ("x".to_owned(), "not a JWT"),
        ("a.b.c.d".to_owned(), "not a JWT"),
        ("x".repeat(20_000), "too long"),
        (format!("{}.{other_claims}.{}", parts[0], parts[2]), "signature"),
        (format!("{}.{}.", parts[0], parts[1]), "signature"),
        (
            format!("{}.{}.", encode(json!({"alg": "none", "kid": "one"})), parts[1]),
            "not a JWT",
        ),
        (hmac, "RS256"),
        (
            POOL.sign(
                &Header {
                    kid: Some("one".to_owned()),
                    ..Header::new(Algorithm::RS512)
                },
                &claims(),
            ),
            "RS256",
        ),
        (POOL.sign(&header("two"), &claims()), "unknown key"),
        (
            POOL.sign(&Header::new(Algorithm::RS256), &claims()),
            "names no key",
        ),
        (STRANGER.sign(&header("one"), &claims()), "signature"),
        (POOL.sign(&header("one"), &no_issuer), "names no issuer"),
        (critical(&["b64"]), "extensions"),
        (critical(&[]), "extensions"),
        (POOL.sign(&header("one"), &other_issuer), "issuer"),
        (POOL.sign(&header("one"), &expired), "expired"),
        (POOL.sign(&header("one"), &json!("text")), "not a JWT"),
    ] {
        let outcome = identify(&token).await;
        let words = outcome.expect_err(&token);
        assert!(words.contains(expected), "{words} is not about: {expected}");
    }
}

#[tokio::test]
async fn a_token_that_was_good_a_moment_ago_expires_all_the_same() {
    let keys = Keys::from_jwks(&POOL.jwks).unwrap();
    let verifier = TokenVerifier::new(TokenRules::new([ISSUER]), Arc::new(keys));
    let token = Secret::new(POOL.sign(&header("one"), &claims()));
    let last = FAR + LEEWAY_SECONDS - 1;
    assert!(verifier.verify_at(&token, last).await.is_ok());
    assert!(verifier.verify_at(&token, last).await.is_ok());
    assert!(verifier.verify_at(&token, last + 1).await.is_err());
}

/// Keys that can be taken away.
#[derive(Debug, Default)]
struct Changing(Mutex<Keys>);

#[async_trait::async_trait]
impl KeySource for Changing {
    async fn key(&self, issuer: &str, kid: &str) -> Result<Option<PublicKey>, IdentityError> {
        let keys = self.0.lock().unwrap().clone();
        keys.key(issuer, kid).await
    }
}

#[tokio::test]
async fn a_verified_token_counts_no_longer_than_its_key() {
    let changing = Arc::new(Changing::default());
    let set = |jwks: &str| *changing.0.lock().unwrap() = Keys::from_jwks(jwks).unwrap();
    set(&POOL.jwks);
    let verifier = TokenVerifier::new(TokenRules::new([ISSUER]), Arc::<Changing>::clone(&changing));
    let token = Secret::new(POOL.sign(&header("one"), &claims()));
    assert!(verifier.verify(&token).await.is_ok());
    // The same key, read anew.
    set(&POOL.jwks);
    assert!(verifier.verify(&token).await.is_ok());
    // Another key under the same name.
    set(&STRANGER.jwks);
    assert!(verifier.verify(&token).await.is_err());
    *changing.0.lock().unwrap() = Keys::default();
    assert!(verifier.verify(&token).await.is_err());
    set(&POOL.jwks);
    assert!(verifier.verify(&token).await.is_ok());
}
