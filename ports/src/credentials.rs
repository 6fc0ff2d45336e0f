//! What a store proves its own identity to the database with.

use async_trait::async_trait;

use crate::Secret;

/// Gives the password for one physical connection.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CredentialSource: Send + Sync {
    /// The password to log in with now, `None` where the database asks for none.
    async fn password(&self) -> Result<Option<Secret>, CredentialError>;

    /// Told when the database refused the last password; a source that caches makes a new one next time.
    fn rejected(&self);
}

/// Why there is no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no database credentials: {0}")]
pub struct CredentialError(pub String);

/// A password that stays the same, or none.
#[derive(Debug, Clone, Default)]
pub struct FixedPassword(pub Option<Secret>);

#[async_trait]
impl CredentialSource for FixedPassword {
    async fn password(&self) -> Result<Option<Secret>, CredentialError> {
        Ok(self.0.clone())
    }

    fn rejected(&self) {}
}
