//! How long a client may take over the head of a request, with one timer for all the heads of a connection.
//!
//! A timer of its own would be made for each head, put among those of the runtime, taken out and freed, and hardly one ever comes to its end.
//! This one stays where it is when a head has come in time. Where it ends for nobody, it is set to the end of whoever waits by then.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// The timer of one connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeadTimer(Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>);

/// Somebody who waits until a moment.
#[derive(Debug)]
struct Wait {
    end: Instant,
    timer: HeadTimer,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, end: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait {
            end,
            timer: self.clone(),
        })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into()
    }
}

impl Sleep for Wait {}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let end = self.end.into();
        let mut timer = self.timer.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sleep = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        if sleep.deadline() > end {
            sleep.as_mut().reset(end);
        }
        ready!(sleep.as_mut().poll(context));
        if sleep.deadline() == end {
            return Poll::Ready(());
        }
        sleep.as_mut().reset(end);
        sleep.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How long somebody waits who may wait for so many seconds.
    async fn waited(timer: &HeadTimer, seconds: u32) -> Duration {
        let began = timer.now();
        timer.sleep(seconds * SECOND).await;
        timer.now() - began
    }

    /// Waits for so many of the seconds that it may, and then no more.
    async fn stopped_after(timer: &HeadTimer, seconds: u32, of: u32) {
        let stopped = tokio::time::timeout(seconds * SECOND, timer.sleep(of * SECOND)).await;
        assert!(stopped.is_err(), "{of} seconds ended within {seconds}");
    }

    /// Timers count in milliseconds.
    fn is(waited: Duration, seconds: u32) -> bool {
        (seconds * SECOND..=seconds * SECOND + Duration::from_millis(2)).contains(&waited)
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_does_so_to_its_own_end() {
        let timer = HeadTimer::default();
        assert!(is(waited(&timer, 10).await, 10));
        assert!(is(waited(&timer, 10).await, 10), "once more");
        // The timer is set to the end of one who waits no more.
        stopped_after(&timer, 4, 10).await;
        stopped_after(&timer, 4, 10).await;
        assert!(is(waited(&timer, 10).await, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn one_whose_end_has_passed_meanwhile_keeps_nobody_else_from_waiting() {
        let timer = HeadTimer::default();
        stopped_after(&timer, 1, 10).await;
        tokio::time::sleep(60 * SECOND).await;
        assert!(is(waited(&timer, 10).await, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_before_the_one_that_was_set_is_kept() {
        let timer = HeadTimer::default();
        stopped_after(&timer, 1, 60).await;
        assert!(is(waited(&timer, 3).await, 3));
    }
}
