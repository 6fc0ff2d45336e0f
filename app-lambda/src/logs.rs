//! Logs as Lambda wants them: one JSON object a line on standard output, panics included.

use std::panic;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging. What is logged is `RUST_LOG`'s choice, else the log level of the function's configuration, else
/// `info`. A process that already logs in its own way keeps it.
pub(crate) fn start() {
    // Levels by target are all that is told here; filters by what spans hold would bring an engine for regular expressions.
    let wanted = ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .map_or(Ok(usual()), |wanted| wanted.parse::<Targets>());
    let problem = wanted.as_ref().err().map(ToString::to_string);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        // Both names of a request: Lambda's for the invocation, and the entrance's.
        .with_current_span(false)
        .with_span_list(true)
        .with_target(false);
    let started = tracing_subscriber::registry()
        .with(wanted.unwrap_or_else(|_| usual()))
        .with(lines)
        .try_init();
    if let Some(problem) = problem {
        tracing::warn!(problem, "what is to be logged could not be read, so it is `info`");
    }
    if started.is_ok() {
        panic::set_hook(Box::new(|panic| {
            let message = panic.payload_as_str().unwrap_or("no message");
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(panic = message, place, "the program panicked here");
        }));
    }
}

fn usual() -> Targets {
    Targets::new().with_default(LevelFilter::INFO)
}
