//! Logs as Lambda wants them: one JSON object a line on standard output, panics included.

use std::panic;

use tracing_subscriber::EnvFilter;

/// Starts logging. What is logged is `RUST_LOG`'s choice, else the log level of the function's configuration, else
/// `info`. A process that already logs in its own way keeps it.
pub(crate) fn start() {
    let filter = ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "info".to_owned());
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        // Both names of a request: Lambda's for the invocation, and the entrance's.
        .with_current_span(false)
        .with_span_list(true)
        .with_target(false)
        .with_env_filter(EnvFilter::builder().parse_lossy(filter))
        .try_init();
    if started.is_ok() {
        panic::set_hook(Box::new(|panic| {
            let message = panic.payload_as_str().unwrap_or("no message");
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(panic = message, place, "the program panicked here");
        }));
    }
}
