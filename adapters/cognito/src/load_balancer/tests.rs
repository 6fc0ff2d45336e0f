//! Statements as load balancers write them, and as others would.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use base64::engine::general_purpose::{URL_SAFE as PADDED, URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rowstamp_domain::caller::Proof;
use serde_json::json;

use super::*;
use crate::fetch::FetchError;

const NOW: u64 = 1_800_000_000;
const SIGNER: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/library/0123456789abcdef";
const KID: &str = "0f1d2c3b-4a59-4687-9786-a5b4c3d2e1f0";

/// The keys of a region, and which addresses were asked for.
#[derive(Debug, Default)]
struct Region {
    keys: HashMap<String, String>,
    asked: Mutex<Vec<String>>,
    is_away: bool,
}

#[async_trait]
impl Fetch for Region {
    async fn get(&self, url: &KeyUrl) -> Result<Vec<u8>, FetchError> {
        self.asked.lock().unwrap().push(url.to_string());
        if self.is_away {
            return Err(FetchError::Unreachable("away".to_owned()));
        }
        let address = url.to_string();
        let name = address.rsplit('/').next().unwrap();
        let pem = self.keys.get(name).ok_or(FetchError::NotFound)?;
        Ok(pem.clone().into_bytes())
    }
}

struct LoadBalancer(KeyPair);

impl LoadBalancer {
    fn new() -> Self {
        Self(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap())
    }

    fn region(&self) -> Region {
        Region {
            keys: HashMap::from([(KID.to_owned(), self.0.public_key_pem())]),
            ..Region::default()
        }
    }

    /// As load balancers write it, with padding.
    fn say(&self, header: &Value, claims: &Value) -> String {
        self.write(header, claims, &PADDED)
    }

    fn write(&self, header: &Value, claims: &Value, base64: &GeneralPurpose) -> String {
        let signed = format!(
            "{}.{}",
            base64.encode(header.to_string()),
            base64.encode(claims.to_string())
        );
        let key = EncodingKey::from_ec_der(&self.0.serialize_der());
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::ES256).unwrap();
        let padding = if base64.encode(".").ends_with('=') {
            "=="
        } else {
            ""
        };
        format!("{signed}.{signature}{padding}")
    }
}

fn header(changes: &Value) -> Value {
    let mut header = json!({
        "typ": "JWT", "kid": KID, "alg": "ES256", "iss": "https://idp.example", "client": "app", "signer": SIGNER,
        "exp": NOW + 120,
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            header.as_object_mut().unwrap().remove(name);
        } else {
            header[name] = value.clone();
        }
    }
    header
}

fn claims() -> Value {
    json!({"sub": "ursula", "email_verified": "true", "groups": "staff", "scope": "a b", "exp": NOW + 120})
}

fn verifier(region: Arc<Region>) -> LoadBalancerVerifier {
    let settings = Settings {
        signers: HashMap::from([(SIGNER.to_owned(), "https://keys.example/{kid}".to_owned())]),
        clients: vec!["app".to_owned()],
    };
    let keys = crate::authorizer_keys::tests::keys("", "groups", "");
    LoadBalancerVerifier::new(settings, keys, region)
}

async fn judge(verifier: &LoadBalancerVerifier, statement: &str) -> Result<Caller, IdentityError> {
    verifier.verify_at(&Secret::new(statement), NOW).await
}

#[tokio::test]
async fn a_user_whom_a_named_load_balancer_signed_in_is_a_caller() {
    let balancer = LoadBalancer::new();
    let region = Arc::new(balancer.region());
    let verifier = verifier(Arc::clone(&region));
    for base64 in [&PADDED, &URL_SAFE_NO_PAD] {
        let statement = balancer.write(&header(&json!({})), &claims(), base64);
        let caller = judge(&verifier, &statement).await.unwrap();
        assert_eq!(
            (caller.subject(), caller.proof()),
            (Some("ursula"), Proof::LoadBalancer)
        );
        assert!(caller.in_group("staff") && caller.has_scope("b"));
        assert_eq!(caller.claim("email_verified"), Some(&json!(true)));
    }
    assert_eq!(
        *region.asked.lock().unwrap(),
        [format!("https://keys.example/{KID}")]
    );
}

#[tokio::test]
async fn every_other_statement_is_refused() {
    let (balancer, stranger) = (LoadBalancer::new(), LoadBalancer::new());
    let verifier = verifier(Arc::new(balancer.region()));
    let good = balancer.say(&header(&json!({})), &claims());
    let parts: Vec<&str> = good.split('.').collect();
    let root = PADDED.encode(json!({"sub": "root"}).to_string());
    let said = |changes: Value| balancer.say(&header(&changes), &claims());
    let none = PADDED.encode(header(&json!({"alg": "none"})).to_string());
    let truncated = &good[..good.len() - 10];
    for (statement, words) in [
        (String::new(), "not a JWT"),
        ("a.b.c".to_owned(), "not a JWT"),
        (".".repeat(50), "not a JWT"),
        ("x".repeat(1_000_000), "too long"),
        (truncated.to_owned(), "signature"),
        (format!("{}.{root}.{}", parts[0], parts[2]), "signature"),
        (format!("{}.{}.", parts[0], parts[1]), "signature"),
        (format!("{none}.{}.", parts[1]), "ES256"),
        (stranger.say(&header(&json!({})), &claims()), "signature"),
        (said(json!({"alg": "HS256"})), "ES256"),
        (said(json!({"alg": "RS256"})), "ES256"),
        (said(json!({"crit": ["b64"]})), "ES256"),
        (said(json!({"signer": null})), "trusted"),
        (
            said(json!({"signer": SIGNER.replace("library", "other")})),
            "trusted",
        ),
        (said(json!({"client": "other"})), "client"),
        (said(json!({"client": null})), "client"),
        (said(json!({"exp": NOW - 60})), "expired"),
        (said(json!({"exp": null})), "not a JWT"),
        (said(json!({"exp": "soon"})), "not a JWT"),
        (said(json!({"kid": null})), "not a JWT"),
        (said(json!({"kid": "../../evil"})), "not a JWT"),
        (said(json!({"kid": "k".repeat(65)})), "not a JWT"),
        (
            balancer.say(&header(&json!({})), &json!({"exp": NOW - 60, "sub": "s"})),
            "expired",
        ),
        (
            balancer.say(&header(&json!({})), &json!({"email": "e"})),
            "subject",
        ),
        (balancer.say(&header(&json!({})), &json!(["sub"])), "not a JWT"),
    ] {
        let shown: String = statement.chars().take(60).collect();
        match judge(&verifier, &statement).await {
            Err(IdentityError::Invalid(said)) => assert!(said.contains(words), "{shown}: {said}"),
            other => panic!("{shown} {words}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn invented_names_of_keys_ask_at_most_once_a_second() {
    let balancer = LoadBalancer::new();
    let region = Arc::new(balancer.region());
    let verifier = verifier(Arc::clone(&region));
    for number in 0..1000 {
        let statement = balancer.say(&header(&json!({"kid": number.to_string()})), &claims());
        assert!(judge(&verifier, &statement).await.is_err());
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    assert!(region.asked.lock().unwrap().len() <= 11);
    tokio::time::advance(Duration::from_secs(1)).await;
    let good = balancer.say(&header(&json!({})), &claims());
    assert!(judge(&verifier, &good).await.is_ok());
    assert!(judge(&verifier, &good).await.is_ok());
}

#[tokio::test]
async fn a_region_that_is_away_leaves_it_open_and_what_is_no_key_closes_it() {
    let balancer = LoadBalancer::new();
    let good = balancer.say(&header(&json!({})), &claims());
    let away = Region {
        is_away: true,
        ..Region::default()
    };
    assert_eq!(
        judge(&verifier(Arc::new(away)), &good).await,
        Err(IdentityError::Unavailable)
    );
    let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    for pem in [
        "",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "text",
        &p384.public_key_pem(),
    ] {
        let region = Region {
            keys: HashMap::from([(KID.to_owned(), pem.to_owned())]),
            ..Region::default()
        };
        let refused = judge(&verifier(Arc::new(region)), &good).await;
        assert!(
            matches!(refused, Err(IdentityError::Invalid(_))),
            "{pem}: {refused:?}"
        );
    }
}
