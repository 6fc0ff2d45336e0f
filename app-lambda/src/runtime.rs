//! The Lambda Runtime API: events in, answers out, one at a time or as many as the environment runs at once.

use std::env;
use std::sync::Arc;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;

use crate::error::StartError;
use crate::handler::handle;
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

/// Answers events for as long as the process lives.
///
/// # Errors
/// [`StartError::Runtime`] when the Runtime API cannot be spoken to.
pub(crate) async fn serve(parts: Arc<Parts>) -> Result<(), StartError> {
    // The payload stays raw JSON, so that the Request Mapper reads it, once; the answer is serialised by the runtime,
    // straight into the body that it posts.
    let service = service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let parts = Arc::clone(&parts);
        async move {
            let core = async |request| parts.controller.handle(request).await;
            let commands = async |event: &str| parts.maintenance.answer(event).await;
            handle(event, &parts.events, core, commands).await
        }
    });
    lambda_runtime::run_concurrent(service)
        .await
        .map_err(|error| StartError::Runtime(error.to_string()))
}
