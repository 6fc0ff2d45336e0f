//! Rowstamp on your own machine: the `rowstamp` command, and the same command with your own definitions built in.
//!
//! This crate puts the others together; it judges no request and writes no SQL.
//!
//! ```no_run
//! use rowstamp_local::prelude::*;
//!
//! #[derive(Resource)]
//! #[resource(path = "books", access(read = "anyone"))]
//! struct Book {
//!     #[field(min_length = 1, max_length = 200)]
//!     title: String,
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::process::ExitCode {
//!     rowstamp_local::run(Api::new("Library", "1.0.0").resource::<Book>()).await
//! }
//! ```

mod command;
mod command_line;
mod database;
mod definitions;
mod development_tokens;
mod greeting;
mod identity;
mod log;
mod migrate;
pub mod provision;
mod serve;
mod state;
mod traces;

use std::process::ExitCode;

pub use rowstamp_domain as domain;
pub use rowstamp_ports as ports;
pub use rowstamp_rest::Api;

/// What a program with its own definitions needs. Only names of other crates, so that it reads the same on Lambda.
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

/// The whole `rowstamp` command line, with these definitions built in: `serve` serves them, `check` checks them.
///
/// It reads the program's arguments and environment, and tells what is wrong on standard error. Must run on a
/// multi-threaded tokio runtime.
pub async fn run(api: Api) -> ExitCode {
    command::run(Some(api)).await
}

/// The `rowstamp` command itself, which takes its definitions from a file or serves the example.
pub async fn run_without_definitions() -> ExitCode {
    command::run(None).await
}
