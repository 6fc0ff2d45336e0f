//! Callers from authorizer claims and Cognito tokens for Rowstamp.

mod claims;

pub use claims::{caller_of_authorizer, caller_of_token};
