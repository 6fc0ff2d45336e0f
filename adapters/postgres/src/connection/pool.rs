//! Who may use which connection: shared ones for single statements, exclusive ones for transactions.
//!
//! Single statements of many callers are pipelined on a few shared connections. A transaction there would swallow its
//! neighbours' statements, so it gets a connection that nobody else uses. No lock is held while something is
//! waited for.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rowstamp_ports::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connector::Connector;
use super::live::Live;

/// Every connection of a store.
#[derive(Debug)]
pub(crate) struct Pool {
    connector: Connector,
    shared: Box<[Slot]>,
    /// Exclusive connections that are not in use, clean.
    idle: Mutex<Vec<Arc<Live>>>,
    exclusive: Arc<Semaphore>,
}

/// The place of one shared connection, which may be empty.
#[derive(Debug)]
struct Slot {
    live: Mutex<Option<Arc<Live>>>,
    /// Whether `live` holds a connection; read without the lock when a slot is chosen.
    connected: AtomicBool,
    /// Statements under way.
    in_flight: AtomicUsize,
    /// Whose turn it is to connect; the others wait and use what was made.
    turn: Semaphore,
    /// How often connecting failed; whoever waited for a turn that failed fails with it.
    failures: AtomicU64,
    growing: AtomicBool,
}

impl Slot {
    fn new() -> Self {
        Self {
            live: Mutex::default(),
            connected: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            turn: Semaphore::new(1),
            failures: AtomicU64::new(0),
            growing: AtomicBool::new(false),
        }
    }

    /// The connection, if there is one and it is open.
    fn live(&self) -> Option<Arc<Live>> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| live.is_closed()) {
            *live = None;
            self.connected.store(false, Ordering::Relaxed);
        }
        live.clone()
    }

    fn put(&self, new: Arc<Live>) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = Some(new);
        self.connected.store(true, Ordering::Relaxed);
    }

    /// Takes the connection out, unless somebody is using it.
    fn take_unused(&self) -> Option<Arc<Live>> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        // Users count themselves before they look for the connection, so whoever is not counted finds the slot empty.
        if self.in_flight.load(Ordering::SeqCst) > 0 {
            return None;
        }
        self.connected.store(false, Ordering::Relaxed);
        live.take().filter(|live| !live.is_closed())
    }

    /// Gives the slot's connection no new work.
    fn retire(&self, retired: &Arc<Live>) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| Arc::ptr_eq(live, retired)) {
            *live = None;
            self.connected.store(false, Ordering::Relaxed);
        }
    }
}

/// The use of a shared connection for one statement.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) live: Arc<Live>,
    counted: Counted<'a>,
}

impl Shared<'_> {
    /// Gives the connection no new work, since a statement on it did not end in time; cancels the statement where
    /// that cannot hit a neighbour's. Otherwise the session's `statement_timeout` ends it.
    pub(crate) fn abandon(&self, pool: &Pool) {
        let slot = self.counted.0;
        slot.retire(&self.live);
        if slot.in_flight.load(Ordering::SeqCst) == 1 {
            pool.connector.cancel(self.live.client());
        }
    }
}

/// The use of a connection by nobody else. Dropped without [`Exclusive::give_back`] it is closed, which undoes what is open on it.
#[derive(Debug)]
pub(crate) struct Exclusive {
    pub(crate) live: Arc<Live>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Exclusive {
    /// Returns the connection for others to use; it must be outside a transaction.
    pub(crate) fn give_back(self) {
        if self.live.is_closed() {
            return;
        }
        if let [slot] = &*self.pool.shared
            && !slot.connected.load(Ordering::Relaxed)
        {
            slot.put(self.live);
            return;
        }
        self.pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.live);
    }

    /// Ends what runs on the connection.
    pub(crate) fn cancel(&self) {
        self.pool.connector.cancel(self.live.client());
    }
}

impl Pool {
    /// A pool of `size` connections, none of them made yet: half for single statements, half for transactions; a single one
    /// serves both.
    pub(crate) fn new(connector: Connector, size: usize) -> Self {
        let shared = size.div_ceil(2).max(1);
        Self {
            connector,
            shared: (0..shared).map(|_| Slot::new()).collect(),
            idle: Mutex::default(),
            exclusive: Arc::new(Semaphore::new((size - shared).max(1))),
        }
    }

    /// A shared connection: of those that are open the one with the fewest statements under way. While all are busy
    /// another one is opened in the background.
    pub(crate) async fn shared(self: &Arc<Self>) -> Result<Shared<'_>, StoreError> {
        let chosen = self
            .shared
            .iter()
            .filter(|slot| slot.connected.load(Ordering::Relaxed))
            .min_by_key(|slot| slot.in_flight.load(Ordering::Relaxed));
        if let Some(slot) = chosen {
            let (counted, before) = Counted::in_slot(slot);
            if before > 0 {
                self.grow();
            }
            if let Some(live) = slot.live() {
                return Ok(Shared { live, counted });
            }
        }
        let (counted, _) = Counted::in_slot(&self.shared[0]);
        let live = self.connect_slot(&self.shared[0]).await?;
        Ok(Shared { live, counted })
    }

    async fn connect_slot(&self, slot: &Slot) -> Result<Arc<Live>, StoreError> {
        let failures = slot.failures.load(Ordering::Relaxed);
        let _turn = slot.turn.acquire().await.expect("the semaphore is never closed");
        if let Some(live) = slot.live() {
            return Ok(live);
        }
        if slot.failures.load(Ordering::Relaxed) != failures {
            return Err(StoreError::Unavailable);
        }
        match self.connector.connect().await {
            Ok(client) => {
                let live = Arc::new(Live::new(client));
                slot.put(Arc::clone(&live));
                Ok(live)
            }
            Err(error) => {
                slot.failures.fetch_add(1, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    /// Opens one more shared connection in the background, where there is room.
    fn grow(self: &Arc<Self>) {
        let empty =
            |slot: &Slot| !slot.connected.load(Ordering::Relaxed) && !slot.growing.load(Ordering::Relaxed);
        let Some(index) = self.shared.iter().position(empty) else {
            return;
        };
        if self.shared[index].growing.swap(true, Ordering::Relaxed) {
            return;
        }
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            let slot = &pool.shared[index];
            // A failure was logged; the open connections carry on.
            let _ = pool.connect_slot(slot).await;
            slot.growing.store(false, Ordering::Relaxed);
        });
    }

    /// A connection for one transaction.
    pub(crate) async fn exclusive(self: &Arc<Self>) -> Result<Exclusive, StoreError> {
        let permit = Arc::clone(&self.exclusive)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let idle = loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match idle {
                Some(live) if live.is_closed() => {}
                idle => break idle,
            }
        };
        let only = || {
            if let [slot] = &*self.shared {
                slot.take_unused()
            } else {
                None
            }
        };
        let live = match idle.or_else(only) {
            Some(live) => live,
            None => Arc::new(Live::new(self.connector.connect().await?)),
        };
        Ok(Exclusive {
            live,
            pool: Arc::clone(self),
            _permit: permit,
        })
    }

    /// A connection that belongs to no pool, for work that takes long.
    pub(crate) async fn dedicated(&self) -> Result<tokio_postgres::Client, StoreError> {
        self.connector.connect().await
    }
}

/// One of a slot's statements under way.
#[derive(Debug)]
struct Counted<'a>(&'a Slot);

impl<'a> Counted<'a> {
    /// Counts one more, and tells how many there were.
    fn in_slot(slot: &'a Slot) -> (Self, usize) {
        let before = slot.in_flight.fetch_add(1, Ordering::SeqCst);
        (Self(slot), before)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
