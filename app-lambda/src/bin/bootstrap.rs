//! The Lambda function that needs no Rust: a definition file beside it, the settings in its environment.

use std::process::ExitCode;

fn main() -> ExitCode {
    rowstamp_lambda::run_definition_file()
}
