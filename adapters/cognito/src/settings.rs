//! Everything that is set about callers, read once by each application.

use rowstamp_ports::{Problems, Vars};

use crate::{AuthorizerKeys, CognitoIdentity, jwt, load_balancer};

/// What the `ROWSTAMP_COGNITO_…`, `ROWSTAMP_AUTHORIZER_…` and `ROWSTAMP_ALB_…` variables say.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    keys: AuthorizerKeys,
    tokens: Option<jwt::Settings>,
    load_balancer: Option<load_balancer::Settings>,
}

impl Settings {
    /// Reads all of them; what is wrong goes to `problems`.
    pub fn read(vars: &Vars, problems: &mut Problems) -> Self {
        Self {
            keys: AuthorizerKeys::read(vars, problems),
            tokens: jwt::Settings::read(vars, problems),
            load_balancer: load_balancer::Settings::read(vars, problems),
        }
    }

    /// Whether user pools are named, so that bearer tokens can count.
    pub const fn accepts_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// The identity port with these settings. Nothing is fetched yet.
    ///
    /// # Errors
    /// In words, when no TLS client can be made to fetch keys with.
    pub fn into_identity(self) -> Result<CognitoIdentity, String> {
        let mut identity = CognitoIdentity::new().with_authorizer_keys(self.keys.clone());
        if let Some(tokens) = self.tokens {
            identity = identity.with_tokens(tokens.into_verifier()?);
        }
        if let Some(load_balancer) = self.load_balancer {
            identity = identity.with_load_balancer(load_balancer.into_verifier(self.keys)?);
        }
        Ok(identity)
    }
}
