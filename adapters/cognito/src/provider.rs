//! The identity port: each kind of evidence goes to the part that can judge it.
//!
//! It judges nothing itself.

use async_trait::async_trait;
use rowstamp_domain::caller::Caller;
use rowstamp_ports::exchange::Evidence;
use rowstamp_ports::{IdentityError, IdentityProvider};

use crate::caller_of_authorizer;
#[cfg(feature = "jwt")]
use crate::jwt::TokenVerifier;

/// Callers from authorizer claims and, where a verifier was given, from bearer tokens.
#[derive(Debug, Default)]
pub struct CognitoIdentity {
    #[cfg(feature = "jwt")]
    tokens: Option<TokenVerifier>,
}

impl CognitoIdentity {
    /// Callers from authorizer claims only; a bearer token proves nothing and is refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// Callers from bearer tokens too.
    #[cfg(feature = "jwt")]
    #[must_use]
    pub fn with_tokens(mut self, verifier: TokenVerifier) -> Self {
        self.tokens = Some(verifier);
        self
    }
}

#[async_trait]
impl IdentityProvider for CognitoIdentity {
    async fn identify(&self, evidence: &Evidence) -> Result<Caller, IdentityError> {
        match evidence {
            Evidence::None => Ok(Caller::anonymous()),
            Evidence::Authorizer(evidence) => caller_of_authorizer(evidence),
            Evidence::Bearer(token) => {
                #[cfg(feature = "jwt")]
                if let Some(verifier) = &self.tokens {
                    return verifier.verify(token).await;
                }
                let _ = token;
                Err(IdentityError::Invalid(
                    "bearer tokens are not accepted here".to_owned(),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rowstamp_ports::Secret;

    use super::*;

    #[tokio::test]
    async fn nothing_is_anonymous_and_an_unjudged_token_is_refused() {
        let identity = CognitoIdentity::new();
        assert_eq!(identity.identify(&Evidence::None).await, Ok(Caller::anonymous()));
        let refused = identity.identify(&Evidence::Bearer(Secret::new("a.b.c"))).await;
        assert!(matches!(refused, Err(IdentityError::Invalid(_))));
    }
}
