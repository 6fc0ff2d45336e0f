//! Callers for Rowstamp: from the claims that an authorizer delivered, and from Cognito's tokens.
//!
//! It decides who somebody is, and never what they may do.
//!
//! With the feature `jwt`, [`jwt::TokenVerifier`] verifies bearer tokens; without it, a bearer token proves nothing.

mod claims;
#[cfg(feature = "jwt")]
pub mod jwks;
#[cfg(feature = "jwt")]
pub mod jwt;
mod provider;

pub use claims::{caller_of_authorizer, caller_of_token};
pub use provider::CognitoIdentity;
