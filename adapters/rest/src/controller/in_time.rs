//! Work of others within a request's time: people's hooks, the identity port, the readiness check.
//!
//! Operations of the store are not bounded here: the store knows what a deadline means for a write.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use futures_util::{FutureExt as _, poll};
use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_ports::Refusal;

use crate::problem::{Problem, codes};

/// What `work` gives, unless the request's time is over first. Then it is dropped wherever it was.
pub(super) async fn in_time<T>(
    deadline: Option<Instant>,
    work: impl Future<Output = T>,
) -> Result<T, Problem> {
    let Some(deadline) = deadline else {
        return Ok(work.await);
    };
    let mut work = pin!(work);
    // Most of it is ready at once, and then needs no timer.
    if let Poll::Ready(done) = poll!(work.as_mut()) {
        return Ok(done);
    }
    let done = tokio::time::timeout_at(deadline.into(), work).await;
    done.map_err(|_| late())
}

/// Calls a hook: what it refuses, its panic, and time that is over before it comes to an end are refusals of the request.
pub(super) async fn call(
    deadline: Option<Instant>,
    definition: &ResourceDefinition,
    hook: impl Future<Output = Result<(), Refusal>>,
) -> Result<(), Problem> {
    // Many that are ready at once, one for each row, take their time too.
    if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
        return Err(late());
    }
    match in_time(deadline, AssertUnwindSafe(hook).catch_unwind()).await? {
        Ok(said) => said.map_err(|refusal| Problem::of_refusal(refusal, definition)),
        Err(_) => {
            tracing::error!(resource = definition.name, "a hook panicked");
            Err(Problem::new(
                codes::INTERNAL,
                "the request could not be completed",
            ))
        }
    }
}

fn late() -> Problem {
    Problem::new(codes::DEADLINE_EXCEEDED, "the answer was not there in time").hint("nothing was written")
}
