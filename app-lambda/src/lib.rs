//! Rowstamp on AWS Lambda: resources in PostgreSQL behind API Gateway, a Function URL or a load balancer.
//!
//! Declare resources, and hand them to [`run`]:
//!
//! ```no_run
//! use rowstamp_lambda::prelude::*;
//!
//! #[derive(Resource)]
//! #[resource(path = "authors")]
//! struct Author {
//!     #[field(min_length = 1, max_length = 200)]
//!     name: String,
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     rowstamp_lambda::block_on(Api::new("Library", "1.0.0").resource::<Author>())
//! }
//! ```
//!
//! Or declare nothing in Rust, and put a definition file beside the binary `bootstrap` of this crate.
//!
//! The settings come from the environment. This crate puts the parts together and decides nothing itself.

mod definition_file;
mod error;
mod handler;
mod logs;
mod maintenance;
mod request_log;
mod runtime;
mod shutdown;
mod start;
mod traces;

use std::process::ExitCode;

pub use rowstamp_domain as domain;
pub use rowstamp_ports as ports;
pub use rowstamp_rest::Api;

use error::StartError;

/// What a program with its own definitions needs. Only names of other crates, so that it reads the same on a laptop.
pub mod prelude {
    pub use async_trait::async_trait;
    pub use rowstamp_domain::caller::Caller;
    pub use rowstamp_domain::record::Record;
    pub use rowstamp_domain::value::{Date, Decimal, Json, Time, Timestamp, Value};
    pub use rowstamp_domain::{Resource, ResourceEnum};
    pub use rowstamp_ports::{HookContext, HookPoints, Hooks, ReadScope, Refusal, Transaction};
    pub use uuid::Uuid;

    pub use rowstamp_rest::Api;
}

/// Answers Lambda's events with this API for as long as the process lives, on the caller's tokio runtime.
///
/// The connection to the database is made before the first event, so that no request waits for it. A database that is away is
/// no reason not to start: requests are answered 503 until it is back. What keeps the function from starting is told
/// in one line on standard error, every problem in it.
pub async fn run(api: Api) -> ExitCode {
    told(serve(api).await)
}

/// [`run`] on a runtime of its own: one thread, or several where Lambda runs several invocations at once.
pub fn block_on(api: Api) -> ExitCode {
    told(serve_blocking(api))
}

/// What the binary `bootstrap` does: [`block_on`] with the definition file that `ROWSTAMP_RESOURCES` names, else
/// `resources.toml`, beside the binary.
pub fn run_definition_file() -> ExitCode {
    told(definition_file::read().and_then(serve_blocking))
}

async fn serve(api: Api) -> Result<(), StartError> {
    logs::start();
    runtime::check()?;
    let api = api.build().map_err(StartError::Api)?;
    let parts = start::assemble(api, &start::vars_of_environment(), runtime::concurrency())?;
    // What the first request would otherwise wait for.
    let (connected, (), ()) = tokio::join!(
        parts.store.warm_up(),
        parts.identity.warm_up(),
        shutdown::register()
    );
    if let Err(error) = connected {
        tracing::warn!(%error, "no connection to the database yet");
    }
    runtime::serve(parts).await
}

fn serve_blocking(api: Api) -> Result<(), StartError> {
    let mut builder = if runtime::concurrency() > 1 {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = builder.enable_all().build();
    runtime
        .map_err(|error| StartError::Runtime(error.to_string()))?
        .block_on(serve(api))
}

fn told(result: Result<(), StartError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.in_one_line());
            ExitCode::FAILURE
        }
    }
}

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
