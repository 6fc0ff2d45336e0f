//! Rowstamp on AWS Lambda: resources in PostgreSQL behind API Gateway, a Function URL or a load balancer.
//!
//! This crate puts the parts together and decides nothing itself.

mod definition_file;
mod handler;
mod logs;
mod runtime;

use std::path::PathBuf;

use rowstamp_domain::definition::toml::TomlMistakes;
use rowstamp_ports::Problems;

pub use definition_file::read_definition;

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
