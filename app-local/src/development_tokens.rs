//! Development tokens: made by `rowstamp token`, accepted by `rowstamp serve` on a loopback address.
//!
//! They are verified by the same code as Cognito's; only issuer and key differ. Nothing here decides whether they are
//! accepted: see [`crate::identity`].

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rowstamp_cognito::jwks::Keys;
use rowstamp_cognito::jwt::{TokenRules, TokenUse, TokenVerifier};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, LineEnding};
use rsa::traits::PublicKeyParts;
use serde_json::json;

use crate::state::StateDirectory;

const ISSUER: &str = "urn:rowstamp:development";
const CLIENT: &str = "rowstamp";
const KEY_ID: &str = "development";
const KEY_FILE: &str = "development-key.pem";
const KEY_BITS: usize = 2048;

/// Who a token is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Holder<'a> {
    pub(crate) subject: &'a str,
    pub(crate) groups: &'a [String],
    pub(crate) scopes: &'a [String],
}

/// The key of one `.rowstamp` directory, that signs and verifies.
#[derive(Debug)]
pub(crate) struct DevelopmentKey(RsaPrivateKey);

impl DevelopmentKey {
    /// The key of this directory, made at first use.
    pub(crate) fn of(directory: &StateDirectory) -> Result<Self, String> {
        let pem = directory.secret_once(KEY_FILE, || {
            let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, KEY_BITS)
                .map_err(|error| error.to_string())?;
            Ok(key
                .to_pkcs1_pem(LineEnding::LF)
                .map_err(|error| error.to_string())?
                .to_string())
        })?;
        let path = directory.path().join(KEY_FILE);
        RsaPrivateKey::from_pkcs1_pem(&pem).map(Self).map_err(|_| {
            format!(
                "{} is no RSA key; delete it, and a new one is made",
                path.display()
            )
        })
    }

    /// A token that is good for `ttl` from now on.
    pub(crate) fn sign(&self, holder: &Holder<'_>, ttl: Duration) -> Result<String, String> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let claims = json!({
            "iss": ISSUER,
            "sub": holder.subject,
            "token_use": TokenUse::Access.name(),
            "client_id": CLIENT,
            "iat": now,
            "exp": now.saturating_add(ttl.as_secs()),
            "cognito:groups": holder.groups,
            "scope": holder.scopes.join(" "),
        });
        let header = Header {
            kid: Some(KEY_ID.to_owned()),
            ..Header::new(Algorithm::RS256)
        };
        let der = self.0.to_pkcs1_der().map_err(|error| error.to_string())?;
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_rsa_der(der.as_bytes()))
            .map_err(|error| error.to_string())
    }

    /// What accepts the tokens of this key, and nothing else.
    pub(crate) fn verifier(&self) -> Result<TokenVerifier, String> {
        let part = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        let keys = Keys::from_rsa_components(KEY_ID, &part(self.0.n()), &part(self.0.e()))?;
        let rules = TokenRules::new([ISSUER])
            .for_clients([CLIENT])
            .only(TokenUse::Access);
        Ok(TokenVerifier::new(rules, Arc::new(keys)))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use rowstamp_ports::Secret;

    use super::*;

    struct Scratch(StateDirectory);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("rowstamp-{name}-{}", std::process::id()));
            Self(StateDirectory::new(path.join(".rowstamp")))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(self.0.path().parent().unwrap());
        }
    }

    #[tokio::test]
    async fn a_token_is_accepted_by_the_directory_it_was_made_in_and_by_no_other() {
        let (own, other) = (Scratch::new("own"), Scratch::new("other"));
        let holder = Holder {
            subject: "ursula",
            groups: &["librarians".to_owned()],
            scopes: &["books/read".to_owned()],
        };
        let token = DevelopmentKey::of(&own.0)
            .unwrap()
            .sign(&holder, Duration::from_hours(1))
            .unwrap();
        let token = Secret::new(token);

        let again = DevelopmentKey::of(&own.0).unwrap();
        let caller = again.verifier().unwrap().verify(&token).await.unwrap();
        assert_eq!(caller.subject(), Some("ursula"));
        assert!(caller.in_group("librarians") && caller.has_scope("books/read"));

        let stranger = DevelopmentKey::of(&other.0).unwrap();
        assert!(stranger.verifier().unwrap().verify(&token).await.is_err());
    }

    #[test]
    fn the_key_is_its_owners_alone() {
        let scratch = Scratch::new("mode");
        DevelopmentKey::of(&scratch.0).unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(scratch.0.path().join(KEY_FILE)), 0o600);
        // The owner's alone, but that a server which root starts passes through.
        assert_eq!(mode(scratch.0.path().to_owned()) & 0o766, 0o700);
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let scratch = Scratch::new("bad");
        fs::create_dir_all(scratch.0.path()).unwrap();
        fs::write(scratch.0.path().join(KEY_FILE), "text").unwrap();
        assert!(DevelopmentKey::of(&scratch.0).unwrap_err().contains(KEY_FILE));
    }
}
