//! The AWS credentials that sign tokens, wherever they come from.
//!
//! Nothing is signed here.

use std::fmt::Debug;
use std::time::SystemTime;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use rowstamp_ports::CredentialError;

/// Gives credentials whenever something is to be signed.
#[async_trait]
pub(crate) trait Keys: Debug + Send + Sync {
    /// The credentials to sign with at this time.
    ///
    /// # Errors
    /// In words, without anything secret.
    async fn at(&self, now: SystemTime) -> Result<Credentials, CredentialError>;

    /// What the last ones signed was refused.
    fn refused(&self);
}

/// Credentials that stay the same as long as the process lives.
#[async_trait]
impl Keys for Credentials {
    async fn at(&self, _now: SystemTime) -> Result<Credentials, CredentialError> {
        Ok(self.clone())
    }

    fn refused(&self) {}
}
