//! Callers for Rowstamp: from the claims that an authorizer delivered, and from Cognito's tokens.
//!
//! It decides who somebody is, and never what they may do.
//!
//! With the feature `jwt`, [`jwt::TokenVerifier`] verifies bearer tokens and [`load_balancer::LoadBalancerVerifier`] what load
//! balancers say; without it, a bearer token proves nothing.

mod authorizer_keys;
mod claims;
#[cfg(feature = "jwt")]
pub mod fetch;
#[cfg(feature = "jwt")]
pub mod jwks;
#[cfg(feature = "jwt")]
pub mod jwt;
#[cfg(feature = "jwt")]
pub mod load_balancer;
mod provider;
#[cfg(feature = "jwt")]
mod settings;

pub use authorizer_keys::AuthorizerKeys;
pub use claims::{caller_of_authorizer, caller_of_token};
pub use provider::CognitoIdentity;
#[cfg(feature = "jwt")]
pub use settings::Settings;
