//! The place of one shared connection.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Semaphore;

use super::trust::Trust;
use crate::connection::live::Live;
use crate::errors::{Again, Failure};

/// The place of one shared connection, which may be empty.
#[derive(Debug)]
pub(super) struct Slot {
    live: Mutex<Option<Arc<Live>>>,
    /// Whether `live` holds a connection; read without the lock when a slot is chosen.
    connected: AtomicBool,
    /// Statements under way, and those that wait for the connection.
    in_flight: AtomicUsize,
    /// Whose turn it is to connect or to check; the others wait and use what was made.
    pub(super) turn: Semaphore,
    /// How often connecting failed; whoever waited for a turn that failed fails with it.
    pub(super) failures: AtomicU64,
    /// Whether the last of these failures may pass.
    passing: AtomicBool,
    pub(super) growing: AtomicBool,
}

impl Slot {
    pub(super) fn new() -> Self {
        Self {
            live: Mutex::default(),
            connected: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            turn: Semaphore::new(1),
            failures: AtomicU64::new(0),
            passing: AtomicBool::new(false),
            growing: AtomicBool::new(false),
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn could_grow(&self) -> bool {
        !self.is_connected() && !self.growing.load(Ordering::Relaxed)
    }

    /// Notes that connecting failed.
    pub(super) fn failed(&self, failure: &Failure) {
        let passing = failure.again == Again::OnAnotherConnection;
        self.passing.store(passing, Ordering::Relaxed);
        self.failures.fetch_add(1, Ordering::Release);
    }

    /// Whether trying again can help those who waited for an attempt that failed.
    pub(super) fn last_failure(&self) -> Again {
        if self.passing.load(Ordering::Relaxed) {
            Again::OnAnotherConnection
        } else {
            Again::Never
        }
    }

    /// The connection, if there is one and it may be used.
    pub(super) fn live(&self, trust: &Trust) -> Option<Arc<Live>> {
        self.open(&mut self.locked(), trust).cloned()
    }

    /// A place on the connection, if it can be counted on without asking and its line moves.
    pub(super) fn take_part(&self, trust: &Trust, now: Instant) -> Option<Part> {
        let mut slot = self.locked();
        let live = self.open(&mut slot, trust)?;
        if trust.asks(live) || live.line().is_stuck(now) {
            return None;
        }
        Some(Part::of(live, now))
    }

    /// A place on the connection, if it can be counted on without asking, and the fewer than `most` who wait there do not for long.
    pub(super) fn join_others(&self, trust: &Trust, now: Instant, most: u64) -> Option<Part> {
        let mut slot = self.locked();
        let live = self.open(&mut slot, trust)?;
        if trust.asks(live) || !live.line().takes_more(now, most) {
            return None;
        }
        Some(Part::of(live, now))
    }

    /// A place on the connection, whatever is the matter with it.
    pub(super) fn join(&self, trust: &Trust, now: Instant) -> Option<Part> {
        let mut slot = self.locked();
        let live = self.open(&mut slot, trust)?;
        Some(Part::of(live, now))
    }

    /// Whether there is a connection and its line does not move.
    pub(super) fn is_stuck(&self, now: Instant) -> bool {
        self.locked()
            .as_ref()
            .is_some_and(|live| live.line().is_stuck(now))
    }

    /// Whether there is a connection and its line has not moved for a while.
    pub(super) fn is_slow(&self, now: Instant) -> bool {
        self.locked()
            .as_ref()
            .is_some_and(|live| live.line().is_slow(now))
    }

    /// Puts a new connection here, with its first user.
    pub(super) fn put(&self, new: Live) -> Part {
        let live = Arc::new(new);
        let part = Part::of(&live, Instant::now());
        *self.locked() = Some(live);
        self.connected.store(true, Ordering::Relaxed);
        part
    }

    /// Puts a connection that nobody uses here, unless there is one.
    pub(super) fn put_where_empty(&self, live: &Arc<Live>, trust: &Trust) -> bool {
        let mut slot = self.locked();
        if self.open(&mut slot, trust).is_some() {
            return false;
        }
        *slot = Some(Arc::clone(live));
        self.connected.store(true, Ordering::Relaxed);
        true
    }

    /// Takes the connection out, unless somebody is using it.
    pub(super) fn take_unused(&self, trust: &Trust) -> Option<Arc<Live>> {
        let mut slot = self.locked();
        if self.open(&mut slot, trust)?.users() > 0 {
            return None;
        }
        self.connected.store(false, Ordering::Relaxed);
        slot.take()
    }

    /// Gives the slot's connection no new work, unless another has taken its place.
    pub(super) fn retire(&self, retired: &Arc<Live>) -> bool {
        let mut slot = self.locked();
        let is_here = slot.as_ref().is_some_and(|live| Arc::ptr_eq(live, retired));
        if is_here {
            *slot = None;
            self.connected.store(false, Ordering::Relaxed);
        }
        is_here
    }

    fn locked(&self) -> MutexGuard<'_, Option<Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open<'a>(&self, slot: &'a mut Option<Arc<Live>>, trust: &Trust) -> Option<&'a Arc<Live>> {
        if slot.as_ref().is_some_and(|live| !trust.allows(live)) {
            *slot = None;
            self.connected.store(false, Ordering::Relaxed);
        }
        slot.as_ref()
    }
}

/// A place in the line of a connection.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) live: Arc<Live>,
    pub(super) place: u64,
}

impl Part {
    /// Called under the slot's lock, so that a connection that was retired has no users to come.
    fn of(live: &Arc<Live>, now: Instant) -> Self {
        Self {
            place: live.line().join(now),
            live: Arc::clone(live),
        }
    }
}

/// One of a slot's statements under way.
#[derive(Debug)]
pub(super) struct Counted<'a>(&'a Slot);

impl<'a> Counted<'a> {
    /// Counts one more, and tells how many there were.
    pub(super) fn in_slot(slot: &'a Slot) -> (Self, usize) {
        let before = slot.in_flight.fetch_add(1, Ordering::SeqCst);
        (Self(slot), before)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
