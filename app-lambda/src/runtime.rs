//! The Lambda Runtime API: events in, answers out, one at a time or as many as the environment runs at once.

use std::env;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, Runtime, service_fn};
use serde::de::IgnoredAny;

use crate::error::StartError;
use crate::handler::handle;
use crate::posting::Posting;
use crate::shutdown::{self, Signals, UnderWay};
use crate::start::Parts;

/// What `lambda_runtime` reads from the environment, and would panic without.
const NEEDED: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// How many invocations this environment is given at once; more than one only on managed instances.
pub(crate) fn concurrency() -> usize {
    env::var("AWS_LAMBDA_MAX_CONCURRENCY")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
        .max(1)
}

/// Whether Lambda's environment is there.
///
/// # Errors
/// [`StartError::NotOnLambda`] names what is missing.
pub(crate) fn check() -> Result<(), StartError> {
    match NEEDED.into_iter().find(|name| env::var_os(name).is_none()) {
        Some(missing) => Err(StartError::NotOnLambda(missing)),
        None => Ok(()),
    }
}

/// Answers events until the process is told to end, then what is still under way, and closes the connections.
///
/// # Errors
/// [`StartError::Runtime`] when the Runtime API cannot be spoken to.
pub(crate) async fn serve(parts: Parts) -> Result<(), StartError> {
    let failed = |error: &dyn std::fmt::Display| StartError::Runtime(error.to_string());
    let mut signals = Signals::catch().map_err(|error| failed(&error))?;
    let parts = Arc::new(parts);
    // Invocations hold them only while they last, so that the end here is the end of the connections.
    let lent = Arc::downgrade(&parts);
    let handler = move |event: Bytes, context: Context| {
        let parts = lent.upgrade();
        async move {
            let parts = parts.ok_or_else(ending)?;
            answer(event, &context, &parts).await
        }
    };
    let traces = parts.traces.clone();
    let under_way = UnderWay::new(traces.clone());
    let runtime = Runtime::new(service_fn(nobody))
        .layer(Posting::new(handler, concurrency()))
        .layer(TracingLayer::new())
        .layer(under_way.clone());
    // One invocation after the other, or as many at once as AWS_LAMBDA_MAX_CONCURRENCY says.
    let served = runtime.run_concurrent();
    let told_to_end = async {
        signals.announced().await;
        let announced = Instant::now();
        under_way.ended().await;
        announced
    };
    tokio::select! {
        result = served => result.map_err(|error| failed(&error)),
        announced = told_to_end => {
            drop(parts);
            tokio::join!(shutdown::farewell(), traces.flush_last(shutdown::time_left(announced)));
            tracing::info!("the environment ends");
            Ok(())
        }
    }
}

/// Answers one event, and writes the line of a request.
async fn answer(event: Bytes, context: &Context, parts: &Parts) -> Result<Bytes, Diagnostic> {
    let (began, cold_start) = (Instant::now(), parts.log.is_first());
    let mut measured = None;
    let core = async |request| {
        let span = parts.traces.begin(&request, context, cold_start);
        let answering = pin!(parts.controller.handle_measured(request));
        let answered = span.around(answering).await;
        measured = Some((answered.measurement, span));
        answered.response
    };
    let commands = async |event: &[u8]| parts.maintenance.answer(event).await;
    let answer = handle(event, context, &parts.events, core, commands).await;
    if let Some((measured, span)) = measured {
        let (took, trace) = (began.elapsed(), span.trace_id());
        span.end(&measured);
        parts
            .log
            .write(context, cold_start, took, &measured, trace.as_deref());
    }
    answer
}

/// The handler that the runtime wants and [`Posting`] takes the place of.
async fn nobody(_: LambdaEvent<IgnoredAny>) -> Result<(), Diagnostic> {
    Err(ending())
}

/// What Lambda is told of an event that comes after the announcement of the end, which it never should.
fn ending() -> Diagnostic {
    Diagnostic {
        error_type: "Rowstamp.Ending".to_owned(),
        error_message: "the environment is about to end".to_owned(),
    }
}
