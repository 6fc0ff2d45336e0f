//! The place of one shared connection.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

    /// The connection with one more user, if it can be counted on without asking.
    pub(super) fn take_part(&self, trust: &Trust) -> Option<Arc<Live>> {
        let mut slot = self.locked();
        let live = self.open(&mut slot, trust)?;
        if trust.asks(live) {
            return None;
        }
        // Counted under the lock, so that a connection that was retired has no users to come.
        live.users.fetch_add(1, Ordering::SeqCst);
        Some(Arc::clone(live))
    }

    /// Puts a new connection here, with its first user.
    pub(super) fn put(&self, new: Live) -> Arc<Live> {
        let live = Arc::new(new);
        live.users.fetch_add(1, Ordering::SeqCst);
        *self.locked() = Some(Arc::clone(&live));
        self.connected.store(true, Ordering::Relaxed);
        live
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
        if self.open(&mut slot, trust)?.users.load(Ordering::SeqCst) > 0 {
            return None;
        }
        self.connected.store(false, Ordering::Relaxed);
        slot.take()
    }

    /// Gives the slot's connection no new work.
    pub(super) fn retire(&self, retired: &Arc<Live>) {
        let mut slot = self.locked();
        if slot.as_ref().is_some_and(|live| Arc::ptr_eq(live, retired)) {
            *slot = None;
            self.connected.store(false, Ordering::Relaxed);
        }
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
