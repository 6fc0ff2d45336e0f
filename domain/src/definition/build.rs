//! From what was declared to a definition, or to everything that is wrong with it.

use super::ApiDefinition;
use super::spec::ApiSpec;

/// One mistake in a definition: where it is and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", .path.join("."))]
pub struct DefinitionError {
    /// The keys that lead to it, as in TOML: `["resources", "books", "fields", "isbn", "pattern"]`.
    pub path: Vec<String>,
    /// What is wrong and what was expected.
    pub message: String,
}

pub(super) fn build(_spec: ApiSpec) -> Result<ApiDefinition, Vec<DefinitionError>> {
    Err(Vec::new())
}
