//! Which connections can be counted on without asking.
//!
//! One that was silent for long may be gone without a word, as after a freeze of the process. Where one was found to be of no use,
//! those of its age are likely to be so too: the server restarted, or another took its place.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::connection::live::Live;

/// What is known of all connections of a pool. Moments are numbered.
#[derive(Debug)]
pub(super) struct Trust {
    silence: Duration,
    now: AtomicU64,
    /// Connections not seen alive since then are asked first.
    doubted: AtomicU64,
    /// Connections made before then are not used any more.
    discarded: AtomicU64,
}

impl Trust {
    pub(super) const fn new(silence: Duration) -> Self {
        Self {
            silence,
            now: AtomicU64::new(0),
            doubted: AtomicU64::new(0),
            discarded: AtomicU64::new(0),
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    /// A connection broke.
    pub(super) fn doubt(&self) {
        let moment = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.doubted.fetch_max(moment, Ordering::SeqCst);
    }

    /// The server behind the connections is not the one to work with.
    pub(super) fn discard(&self) {
        let moment = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.discarded.fetch_max(moment, Ordering::SeqCst);
    }

    /// Whether it may be used at all.
    pub(super) fn allows(&self, live: &Live) -> bool {
        !live.is_closed() && live.born() >= self.discarded.load(Ordering::SeqCst)
    }

    /// Whether it must be asked before it is used.
    pub(super) fn asks(&self, live: &Live) -> bool {
        let doubted = live.seen() < self.doubted.load(Ordering::SeqCst);
        doubted || live.users() == 0 && live.is_silent_for(self.silence)
    }
}
