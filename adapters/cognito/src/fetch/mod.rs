//! Fetching small documents that hold keys: where from, and by whom.
//!
//! It knows nothing of keys.

mod https;
mod url;

use async_trait::async_trait;

pub use https::HttpsFetch;
pub use url::KeyUrl;

/// Gets a document.
#[async_trait]
pub trait Fetch: std::fmt::Debug + Send + Sync {
    /// The content at `url`, whole, within bounded time.
    async fn get(&self, url: &KeyUrl) -> Result<Vec<u8>, FetchError>;
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The server says that there is none.
    #[error("there is nothing under this address")]
    NotFound,
    /// The server answered with something else than the document.
    #[error("it was answered with status {0}")]
    Status(u16),
    /// The document is larger than any that is meant.
    #[error("the document is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// It did not come in time.
    #[error("it did not come within {limit_ms} ms")]
    TooSlow {
        /// The limit.
        limit_ms: u128,
    },
    /// The server cannot be reached, or not trusted.
    #[error("{0}")]
    Unreachable(String),
}
