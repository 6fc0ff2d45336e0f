//! The identity port: each kind of evidence goes to the part that can judge it.
//!
//! It judges nothing itself.

use std::sync::Arc;

use async_trait::async_trait;
use rowstamp_domain::caller::Caller;
use rowstamp_ports::exchange::Evidence;
use rowstamp_ports::{IdentityError, IdentityProvider, Secret};

#[cfg(feature = "jwt")]
use crate::jwt::TokenVerifier;
#[cfg(feature = "jwt")]
use crate::load_balancer::LoadBalancerVerifier;
use crate::{AuthorizerKeys, caller_of_authorizer};

/// Callers from authorizer claims and, where verifiers were given, from bearer tokens and load balancers.
#[derive(Debug)]
pub struct CognitoIdentity {
    anonymous: Arc<Caller>,
    authorizer_keys: AuthorizerKeys,
    #[cfg(feature = "jwt")]
    tokens: Option<TokenVerifier>,
    #[cfg(feature = "jwt")]
    load_balancer: Option<LoadBalancerVerifier>,
}

impl CognitoIdentity {
    /// Callers from authorizer claims only; a bearer token proves nothing and is refused, and what a load balancer says is
    /// passed over.
    pub fn new() -> Self {
        Self {
            anonymous: Arc::new(Caller::anonymous()),
            authorizer_keys: AuthorizerKeys::default(),
            #[cfg(feature = "jwt")]
            tokens: None,
            #[cfg(feature = "jwt")]
            load_balancer: None,
        }
    }

    /// With other names for what an authorizer of somebody's own says.
    #[must_use]
    pub fn with_authorizer_keys(mut self, keys: AuthorizerKeys) -> Self {
        self.authorizer_keys = keys;
        self
    }

    /// Callers from bearer tokens too.
    #[cfg(feature = "jwt")]
    #[must_use]
    pub fn with_tokens(mut self, verifier: TokenVerifier) -> Self {
        self.tokens = Some(verifier);
        self
    }

    /// Callers whom a load balancer signed in, too.
    #[cfg(feature = "jwt")]
    #[must_use]
    pub fn with_load_balancer(mut self, verifier: LoadBalancerVerifier) -> Self {
        self.load_balancer = Some(verifier);
        self
    }

    /// Gets the keys that bearer tokens are verified with, so that no request has to wait for them; where they cannot be had,
    /// the first request tries again.
    #[cfg(feature = "jwt")]
    pub async fn warm_up(&self) {
        if let Some(tokens) = &self.tokens {
            tokens.warm_up().await;
        }
    }

    async fn load_balancer(
        &self,
        data: &Secret,
        bearer: Option<&Secret>,
    ) -> Result<Arc<Caller>, IdentityError> {
        #[cfg(feature = "jwt")]
        if let Some(verifier) = &self.load_balancer {
            return verifier.verify(data).await.map(Arc::new);
        }
        // Nobody said that load balancers count here, so it is a header like any other.
        let _ = data;
        match bearer {
            Some(token) => self.bearer(token).await,
            None => Ok(Arc::clone(&self.anonymous)),
        }
    }

    #[cfg(feature = "jwt")]
    async fn bearer(&self, token: &Secret) -> Result<Arc<Caller>, IdentityError> {
        match &self.tokens {
            Some(verifier) => verifier.verify(token).await,
            None => Err(no_tokens()),
        }
    }

    #[cfg(not(feature = "jwt"))]
    #[expect(clippy::unused_async, reason = "with the feature it waits")]
    async fn bearer(&self, _token: &Secret) -> Result<Arc<Caller>, IdentityError> {
        Err(no_tokens())
    }
}

fn no_tokens() -> IdentityError {
    IdentityError::Invalid("bearer tokens are not accepted here".to_owned())
}

impl Default for CognitoIdentity {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl IdentityProvider for CognitoIdentity {
    async fn identify(&self, evidence: &Evidence) -> Result<Arc<Caller>, IdentityError> {
        match evidence {
            Evidence::None => Ok(Arc::clone(&self.anonymous)),
            Evidence::Authorizer(evidence) => {
                caller_of_authorizer(evidence, &self.authorizer_keys).map(Arc::new)
            }
            // Boxed, so that whoever has nothing to be verified does not carry the size of verifying.
            Evidence::Bearer(token) => Box::pin(self.bearer(token)).await,
            Evidence::LoadBalancer { data, bearer } => {
                Box::pin(self.load_balancer(data, bearer.as_ref())).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_anonymous_and_an_unjudged_token_is_refused() {
        let identity = CognitoIdentity::new();
        let anonymous = Ok(Arc::new(Caller::anonymous()));
        assert_eq!(identity.identify(&Evidence::None).await, anonymous);
        let refused = identity.identify(&Evidence::Bearer(Secret::new("a.b.c"))).await;
        assert!(matches!(refused, Err(IdentityError::Invalid(_))));
    }

    #[tokio::test]
    async fn a_load_balancers_word_is_a_header_like_any_other_unless_it_was_asked_for() {
        let identity = CognitoIdentity::new();
        let said = |bearer: Option<&str>| Evidence::LoadBalancer {
            data: Secret::new("a.b.c"),
            bearer: bearer.map(Secret::new),
        };
        let anonymous = Ok(Arc::new(Caller::anonymous()));
        assert_eq!(identity.identify(&said(None)).await, anonymous);
        let refused = identity.identify(&said(Some("t"))).await;
        assert!(matches!(refused, Err(IdentityError::Invalid(_))));
    }
}
