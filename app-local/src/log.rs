//! The log: for people on a terminal, for machines otherwise. It goes to standard error.
//!
//! What is logged is decided where it happens, how much by `RUST_LOG`.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::time::Duration;

use rowstamp_ports::{Problems, Vars};
use rowstamp_rest::Measurement;
use tracing_subscriber::EnvFilter;

use crate::command_line::LogFormat;

/// Starts the log of this process; a second start is ignored, so that several can be served in one process.
pub(crate) fn start(format: Option<LogFormat>, vars: &Vars, problems: &mut Problems) {
    let wanted = vars.get("RUST_LOG").unwrap_or("info");
    let filter = EnvFilter::try_new(without_secrets(wanted)).unwrap_or_else(|_| {
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

/// What is wanted, but for those parts of the AWS SDK that are not named: their warnings hold whole answers of servers, and such an answer can
/// have credentials in it. What fails there is told by `rowstamp_rds` in its own words.
fn without_secrets(wanted: &str) -> Cow<'_, str> {
    let mut filter = Cow::Borrowed(wanted);
    if cfg!(feature = "iam") {
        for target in ["aws_config", "aws_smithy_runtime", "aws_smithy_http_client"] {
            if !wanted.contains(target) {
                filter.to_mut().extend([",", target, "=off"]);
            }
        }
    }
    filter
}

/// One line a request: what was asked for, how it ended, what it took, and the trace where it is part of one that is sent; no data of
/// anybody.
pub(crate) fn request(measured: &Measurement, trace_id: Option<&str>) {
    tracing::info!(
        id = measured.request_id,
        trace_id,
        operation = measured.operation,
        resource = measured.resource(),
        status = measured.status.as_u16(),
        code = measured.code,
        rows = measured.store.rows,
        duration_ms = milliseconds(measured.total),
        db_ms = milliseconds(measured.store.store),
        retries = measured.store.retries,
        "answered"
    );
}

/// In milliseconds, to the microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
