//! Who is calling: from evidence to a caller.

use std::sync::Arc;

use async_trait::async_trait;
use rowstamp_domain::caller::Caller;

use crate::exchange::Evidence;

/// Turns the evidence of a request into a caller.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// The caller that `evidence` proves; [`Evidence::None`] is an anonymous caller. Shared, since whoever has called before is known.
    async fn identify(&self, evidence: &Evidence) -> Result<Arc<Caller>, IdentityError>;
}

/// Why evidence proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The token or the claims are not acceptable; the words are for the caller and hold nothing of the token.
    #[error("{0}")]
    Invalid(String),
    /// The keys to judge it by cannot be had at the moment.
    #[error("the identity cannot be verified at the moment")]
    Unavailable,
}
