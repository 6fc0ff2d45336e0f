//! The log: for people on a terminal, for machines otherwise. It goes to standard error.
//!
//! What is logged is decided where it happens, how much by `RUST_LOG`.

use std::io::IsTerminal;

use rowstamp_ports::{Problems, Vars};
use tracing_subscriber::EnvFilter;

use crate::command_line::LogFormat;

/// Starts the log of this process; a second start is ignored, so that several can be served in one process.
pub(crate) fn start(format: Option<LogFormat>, vars: &Vars, problems: &mut Problems) {
    let wanted = vars.get("RUST_LOG").unwrap_or("info");
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| {
        problems.report(
            "RUST_LOG",
            "expected levels such as info or rowstamp_postgres=debug,info",
        );
        EnvFilter::new("info")
    });
    let terminal = std::io::stderr().is_terminal();
    let format = format.unwrap_or(if terminal {
        LogFormat::Text
    } else {
        LogFormat::Json
    });
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let _ = match format {
        LogFormat::Text => log.compact().with_target(false).with_ansi(terminal).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).try_init(),
    };
}
