//! The Lambda function that needs no Rust: a definition file beside it, the settings in its environment.

use std::process::ExitCode;

fn main() -> ExitCode {
    match rowstamp_lambda::read_definition().and_then(rowstamp_lambda::block_on_run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // CloudWatch makes an entry of each line, and only one is shown with the failed start.
            let words = error.to_string().replace(":\n", ": ").replace('\n', "; ");
            eprintln!("rowstamp cannot start: {words}");
            ExitCode::FAILURE
        }
    }
}
