//! What the claims of a verified token must say, and the caller that they describe.
//!
//! It knows neither keys nor signatures, and not the time unless told.

use std::collections::HashSet;

use rowstamp_domain::caller::Caller;
use serde_json::{Map, Value};

use crate::caller_of_token;

/// How far two clocks may be apart, in seconds, when `exp` and `nbf` are judged.
pub const LEEWAY_SECONDS: u64 = 60;

/// `token_use`: what Cognito made a token for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenUse {
    /// To call APIs with; it names its client in `client_id`.
    Access,
    /// To know the user by; it names its client in `aud`.
    Id,
}

impl TokenUse {
    /// As the claim spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Id => "id",
        }
    }
}

/// What a token must say to count.
///
/// `iss`, `exp`, `token_use` and `sub` must be there. `iss` must equal one of the issuers exactly, `token_use` must be
/// accepted, the client (`client_id` of an access token, `aud` of an ID token) must be one of the clients where any
/// are named, `exp` must not be past and `nbf`, where present, not to come, by more than [`LEEWAY_SECONDS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    issuers: HashSet<String>,
    clients: HashSet<String>,
    uses: HashSet<TokenUse>,
}

impl TokenRules {
    /// Tokens of these issuers, of any client, access and ID tokens alike.
    pub fn new(issuers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            issuers: issuers.into_iter().map(Into::into).collect(),
            clients: HashSet::new(),
            uses: HashSet::from([TokenUse::Access, TokenUse::Id]),
        }
    }

    /// Tokens of these clients only; of any, when there are none.
    #[must_use]
    pub fn for_clients(mut self, clients: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.clients = clients.into_iter().map(Into::into).collect();
        self
    }

    /// Tokens of this use only.
    #[must_use]
    pub fn only(mut self, token_use: TokenUse) -> Self {
        self.uses = HashSet::from([token_use]);
        self
    }

    /// Whether tokens of this issuer can count at all.
    pub fn trusts(&self, issuer: &str) -> bool {
        self.issuers.contains(issuer)
    }

    /// The caller that verified claims describe, at `now` in seconds since 1970.
    ///
    /// # Errors
    /// Words about the first rule that is broken; they repeat nothing of the token.
    pub fn caller(&self, claims: &Map<String, Value>, now: u64) -> Result<Caller, String> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let issuer = text("iss").ok_or("the token names no issuer")?;
        if !self.trusts(issuer) {
            return Err("the token is from an issuer that is not trusted here".to_owned());
        }
        let until = counts_until(claims.get("exp")).ok_or("the token does not say when it expires")?;
        if until <= now {
            return Err("the token has expired".to_owned());
        }
        if let Some(claim) = claims.get("nbf") {
            let begins = seconds(Some(claim)).ok_or("the token's nbf is not a time")?;
            if begins > now.saturating_add(LEEWAY_SECONDS) {
                return Err("the token is not valid yet".to_owned());
            }
        }
        let token_use = text("token_use");
        let token_use = self
            .uses
            .iter()
            .copied()
            .find(|accepted| token_use == Some(accepted.name()))
            .ok_or("the token's token_use is not accepted here")?;
        let client = match token_use {
            TokenUse::Access => text("client_id"),
            TokenUse::Id => text("aud"),
        };
        if !self.clients.is_empty() && !client.is_some_and(|client| self.clients.contains(client)) {
            return Err("the token is for a client that is not accepted here".to_owned());
        }
        caller_of_token(claims).map_err(|error| error.to_string())
    }
}

/// Until when a token that is valid now will be, in seconds since 1970: one with this `exp` counts before that moment.
pub(crate) fn counts_until(exp: Option<&Value>) -> Option<u64> {
    Some(seconds(exp)?.saturating_add(LEEWAY_SECONDS))
}

/// A NumericDate (RFC 7519, 2); fractions are cut off.
fn seconds(claim: Option<&Value>) -> Option<u64> {
    let claim = claim?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range"
    )]
    let fraction = || {
        claim
            .as_f64()
            .filter(|number| (0.0..1e15).contains(number))
            .map(|number| number as u64)
    };
    claim.as_u64().or_else(fraction)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use rowstamp_domain::caller::Proof;
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn rules() -> TokenRules {
        TokenRules::new(["https://pool"]).for_clients(["app"])
    }

    /// An access token's claims with some of them replaced; null takes one away.
    fn claims(changes: &Value) -> Map<String, Value> {
        let mut claims = json!({
            "iss": "https://pool", "sub": "user-1", "token_use": "access", "client_id": "app",
            "exp": NOW + 3600, "iat": NOW, "scope": "books/read openid", "cognito:groups": ["a b", "librarians"],
        });
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims.as_object().unwrap().clone()
    }

    #[test]
    fn claims_become_a_caller() {
        let caller = rules().caller(&claims(&json!({})), NOW).unwrap();
        assert_eq!(caller.subject(), Some("user-1"));
        assert_eq!(caller.groups(), ["a b", "librarians"]);
        assert_eq!(caller.scopes(), ["books/read", "openid"]);
        assert_eq!(caller.claim("client_id"), Some(&json!("app")));
        assert_eq!(caller.proof(), Proof::Token);
    }

    #[test]
    fn every_rule_is_kept() {
        let id = |aud: Value| json!({"token_use": "id", "client_id": null, "aud": aud});
        for (changes, expected) in [
            (id(json!("app")), None),
            (json!({"exp": NOW - 59}), None),
            (json!({"exp": 1_800_003_600.5}), None),
            (json!({"nbf": NOW + 60}), None),
            (json!({"cognito:groups": null, "scope": null}), None),
            (json!({"iss": "https://pool/"}), Some("issuer")),
            (json!({"iss": null}), Some("no issuer")),
            (json!({"iss": ["https://pool"]}), Some("no issuer")),
            (json!({"exp": NOW - 60}), Some("expired")),
            (json!({"exp": null}), Some("when it expires")),
            (json!({"exp": "1900000000"}), Some("when it expires")),
            (json!({"exp": -1}), Some("when it expires")),
            (json!({"nbf": NOW + 61}), Some("not valid yet")),
            (json!({"nbf": "soon"}), Some("nbf")),
            (json!({"token_use": null}), Some("token_use")),
            (json!({"token_use": "refresh"}), Some("token_use")),
            (json!({"client_id": "other"}), Some("client")),
            (json!({"client_id": null}), Some("client")),
            // An access token is not made good by an audience, nor an ID token by a client.
            (json!({"client_id": null, "aud": "app"}), Some("client")),
            (json!({"token_use": "id"}), Some("client")),
            (id(json!(["app"])), Some("client")),
            (json!({"sub": null}), Some("subject")),
            (json!({"sub": ""}), Some("subject")),
        ] {
            let outcome = rules().caller(&claims(&changes), NOW).err();
            assert_eq!(outcome.is_some(), expected.is_some(), "{changes}: {outcome:?}");
            assert!(
                outcome.unwrap_or_default().contains(expected.unwrap_or_default()),
                "{changes}"
            );
        }
    }

    #[test]
    fn one_use_can_be_asked_for() {
        let access = rules().only(TokenUse::Access);
        assert!(access.caller(&claims(&json!({})), NOW).is_ok());
        let id = json!({"token_use": "id", "aud": "app"});
        assert!(access.caller(&claims(&id), NOW).is_err());
    }
}
