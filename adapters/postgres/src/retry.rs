//! Trying again where nothing was written and trying again can help: a few times, apart, and within the deadline.
//!
//! An outcome that is unknown is never tried again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rowstamp_ports::{Meter, StoreContext};
use tracing::info;

use crate::errors::{Again, Failure};

/// How often what others were in the way of is tried again.
const MOST_SOON: u32 = 8;
/// The longest first pause; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(4);
/// The longest pause before another connection is tried.
const RECONNECT_PAUSE: Duration = Duration::from_millis(20);

/// The attempts at one operation or transaction.
#[derive(Debug)]
pub(crate) struct Tries {
    deadline: Option<Instant>,
    soon: u32,
    elsewhere: bool,
    meter: Arc<Meter>,
}

impl Tries {
    pub(crate) fn of(context: &StoreContext) -> Self {
        Self {
            deadline: context.deadline,
            soon: 0,
            elsewhere: false,
            meter: Arc::clone(&context.meter),
        }
    }

    /// Whether to try again after this failure, once the pause that belongs to it is over.
    pub(crate) async fn again(&mut self, failure: &Failure) -> bool {
        let pause = match failure.again {
            Again::Soon if self.soon < MOST_SOON => {
                self.soon += 1;
                jitter(FIRST_PAUSE * 2_u32.pow(self.soon - 1))
            }
            Again::OnAnotherConnection | Again::OnAnotherServer if !self.elsewhere => {
                self.elsewhere = true;
                jitter(RECONNECT_PAUSE)
            }
            _ => return false,
        };
        if self
            .deadline
            .is_some_and(|deadline| Instant::now() + pause >= deadline)
        {
            return false;
        }
        info!(again = ?failure.again, pause_ms = pause.as_millis(), "trying again");
        self.meter.count_retry();
        tokio::time::sleep(pause).await;
        true
    }
}

/// Any time up to this long, so that those who met once do not meet again.
fn jitter(most: Duration) -> Duration {
    let random = RandomState::new().hash_one(()) & u64::from(u32::MAX);
    most.mul_f64(f64::from(u32::try_from(random).unwrap_or_default()) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use rowstamp_domain::caller::Caller;
    use rowstamp_ports::StoreError;

    use super::*;

    fn context(deadline: Option<Instant>) -> StoreContext {
        StoreContext {
            deadline,
            caller: Arc::new(Caller::anonymous()),
            room: None,
            meter: Arc::default(),
        }
    }

    const fn failure(again: Again) -> Failure {
        Failure {
            error: StoreError::Unavailable,
            again,
        }
    }

    #[tokio::test]
    async fn each_reason_has_its_number_of_tries() {
        for (again, expected) in [
            (Again::Never, 0),
            (Again::Soon, MOST_SOON),
            (Again::OnAnotherConnection, 1),
            (Again::OnAnotherServer, 1),
        ] {
            let context = context(None);
            let mut tries = Tries::of(&context);
            let mut count = 0;
            while tries.again(&failure(again)).await {
                count += 1;
            }
            assert_eq!(count, expected, "{again:?}");
            assert_eq!(context.meter.read().retries, u64::from(expected), "{again:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_tried_again_after_the_deadline() {
        let mut tries = Tries::of(&context(Some(Instant::now())));
        assert!(!tries.again(&failure(Again::Soon)).await);
    }

    #[test]
    fn pauses_differ_and_are_bounded() {
        let pauses: Vec<Duration> = (0..50).map(|_| jitter(Duration::from_secs(1))).collect();
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(1)));
        assert!(pauses.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
