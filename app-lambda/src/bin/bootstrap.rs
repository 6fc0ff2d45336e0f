//! The Lambda function that needs no Rust: a definition file beside it, the settings in its environment.

use std::process::ExitCode;

/// It keeps what one answer gave back for the next, where the system's returns large pieces to the kernel and gets them zeroed anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rowstamp_lambda::run_definition_file()
}
