//! An end in good order: what is under way is answered, then the connections to the database are closed and the last spans sent.
//!
//! Lambda ends an environment with a bare kill, unless an extension is registered in it: then SIGTERM comes first, and the kill
//! half a second later. So one is registered that wants no events. Where that cannot be, as with some emulators, the
//! signal counts all the same if somebody sends it.

use std::io;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use lambda_extension::Extension;
use lambda_runtime::tower::{Layer, Service};
use lambda_runtime::{BoxFuture, Error, LambdaInvocation};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::traces::Traces;

/// What is under way has so long to end. The kill comes 500 ms after the signal.
const GRACE: Duration = Duration::from_millis(400);
/// Everything has ended so long after the signal.
const END: Duration = Duration::from_millis(470);
/// Longer than the registration takes, where there is one to be had.
const REGISTRATION: Duration = Duration::from_secs(1);
/// The connections' farewells are on their way by then; nobody says when.
const FAREWELL: Duration = Duration::from_millis(20);

/// Asks Lambda for the signal. To be awaited before the first event is asked for.
pub(crate) async fn register() {
    let extension = Extension::new()
        .with_events(&[])
        .with_extension_name("rowstamp-shutdown")
        .register();
    match timeout(REGISTRATION, extension).await {
        // It waits for events that never come, by which Lambda sees that its initialisation has ended.
        Ok(Ok(extension)) => drop(tokio::spawn(extension.run())),
        Ok(Err(error)) => tracing::debug!(%error, "no signal will come before the end"),
        Err(_) => tracing::debug!("no signal will come before the end: nobody answers"),
    }
}

/// The signals that announce the end.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// When the system has no way to do so.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    pub(crate) async fn announced(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Waits until the connections of what was just dropped are closed, as far as that can be known.
pub(crate) async fn farewell() {
    tokio::time::sleep(FAREWELL).await;
}

/// How long the last things may take, of which there may be none.
pub(crate) fn time_left(announced: Instant) -> Duration {
    END.saturating_sub(announced.elapsed())
}

/// Counts the invocations under way, from the event to the answer that was posted, and has their spans sent afterwards: Lambda freezes an
/// environment when it asks for the next event, not before.
#[derive(Debug, Clone)]
pub(crate) struct UnderWay {
    count: watch::Sender<usize>,
    traces: Traces,
}

impl UnderWay {
    pub(crate) fn new(traces: Traces) -> Self {
        Self {
            count: watch::Sender::new(0),
            traces,
        }
    }

    /// Waits until nothing is under way, but not for long.
    pub(crate) async fn ended(&self) {
        let mut count = self.count.subscribe();
        if timeout(GRACE, count.wait_for(|count| *count == 0)).await.is_err() {
            tracing::warn!(
                under_way = *self.count.borrow(),
                "the end comes before the answers"
            );
        }
    }

    fn one_more(&self) -> One {
        self.count.send_modify(|count| *count += 1);
        One(self.count.clone())
    }
}

/// One invocation under way.
struct One(watch::Sender<usize>);

impl Drop for One {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl<S> Layer<S> for UnderWay {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted {
            inner,
            under_way: self.clone(),
        }
    }
}

/// A service whose calls are counted while they last.
#[derive(Debug, Clone)]
pub(crate) struct Counted<S> {
    inner: S,
    under_way: UnderWay,
}

impl<S> Service<LambdaInvocation> for Counted<S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = Error;
    type Future = BoxFuture<'static, Result<(), Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let one = self.under_way.one_more();
        let traces = self.under_way.traces.clone();
        let deadline = invocation.context.deadline();
        let answered = self.inner.call(invocation);
        Box::pin(async move {
            let result = answered.await;
            // From here on the end does not wait for this one: what is not sent yet is sent there.
            drop(one);
            traces.flush(deadline).await;
            result
        })
    }
}

#[cfg(test)]
mod tests {
    use rowstamp_ports::{Problems, Vars};

    use super::*;

    fn under_way() -> UnderWay {
        UnderWay::new(Traces::read(&Vars::default(), &mut Problems::new()))
    }

    #[tokio::test]
    async fn the_end_waits_for_what_is_under_way() {
        let under_way = under_way();
        under_way.ended().await;
        let (first, second) = (under_way.one_more(), under_way.one_more());
        let ended = tokio::spawn({
            let under_way = under_way.clone();
            async move { under_way.ended().await }
        });
        drop(first);
        tokio::task::yield_now().await;
        assert!(!ended.is_finished());
        drop(second);
        assert!(ended.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_does_not_wait_for_ever() {
        let under_way = under_way();
        let _one = under_way.one_more();
        let began = tokio::time::Instant::now();
        under_way.ended().await;
        assert_eq!(began.elapsed(), GRACE);
    }
}
