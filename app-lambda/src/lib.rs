//! Rowstamp on AWS Lambda: resources in PostgreSQL behind API Gateway, a Function URL or a load balancer.
//!
//! Declare resources, and hand them to [`run`]:
//!
//! ```no_run
//! use rowstamp_lambda::prelude::*;
//!
//! #[derive(Resource)]
//! struct Author {
//!     #[field(min_length = 1, max_length = 200)]
//!     name: String,
//! }
//!
//! fn main() -> Result<(), StartError> {
//!     rowstamp_lambda::block_on_run(Api::new("Library", "1.0.0").resource::<Author>())
//! }
//! ```
//!
//! The settings come from the environment. This crate puts the parts together and decides nothing itself.

mod definition_file;
mod handler;
mod logs;
pub mod prelude;
mod runtime;
mod start;

use std::path::PathBuf;
use std::sync::Arc;

use rowstamp_domain::definition::toml::TomlMistakes;
use rowstamp_ports::Problems;
use rowstamp_rest::{Api, ApiMistakes};

pub use definition_file::read_definition;

/// Answers Lambda's events with this API for as long as the process lives, on the caller's tokio runtime.
///
/// The connection to the database is made now, so that no request waits for it. A database that is away is no
/// reason not to start: requests are answered 503 until it is back.
///
/// # Errors
/// [`StartError`], before the first event; its text names everything that is wrong.
pub async fn run(api: Api) -> Result<(), StartError> {
    logs::start();
    runtime::check()?;
    let api = api.build().map_err(StartError::Api)?;
    let parts = start::assemble(api, &start::vars_of_environment(), runtime::concurrency())?;
    if let Err(error) = parts.store.warm_up().await {
        tracing::warn!(%error, "no connection to the database yet");
    }
    runtime::serve(Arc::new(parts.controller), Arc::new(parts.events)).await
}

/// [`run`] on a runtime of its own: one thread, or several where Lambda runs several invocations at once.
///
/// # Errors
/// As [`run`].
pub fn block_on_run(api: Api) -> Result<(), StartError> {
    let mut builder = if runtime::concurrency() > 1 {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = builder.enable_all().build();
    runtime
        .map_err(|error| StartError::Runtime(error.to_string()))?
        .block_on(run(api))
}

/// Why the function could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The definition file cannot be read.
    #[error("the definition file {} cannot be read: {cause}", path.display())]
    DefinitionFile {
        /// Where it was looked for.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The definition file has mistakes; `Display` prints each on its line.
    #[error("the definition file has mistakes:\n{0}")]
    Definition(TomlMistakes),
    /// The API has mistakes; `Display` prints each on its line.
    #[error("the API has mistakes:\n{0}")]
    Api(ApiMistakes),
    /// The settings have problems; `Display` prints each on its line.
    #[error("the settings have problems:\n{0}")]
    Settings(Problems),
    /// This is not Lambda.
    #[error("{0} is not set: this program runs on AWS Lambda, or against an emulator of its Runtime API")]
    NotOnLambda(&'static str),
    /// The Runtime API cannot be spoken to.
    #[error("the Lambda Runtime API failed: {0}")]
    Runtime(String),
}
