//! Who may use which connection: shared ones for single statements, exclusive ones for transactions.
//!
//! Single statements of many callers are pipelined on a few shared connections. A transaction there would swallow its
//! neighbours' statements, so it gets a connection that nobody else uses. No lock is held while something is
//! waited for.

mod slot;
mod trust;

use std::num::NonZero;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rowstamp_ports::StoreError;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{debug, warn};

use super::connector::Connector;
use super::live::Live;
use super::settings::{Settings, Statements};
use crate::errors::{Again, Failure};
use slot::{Counted, Part, Slot};
use trust::Trust;

/// How long a connection that was silent may take to say that it is still there.
const CHECK_TIMEOUT: Duration = Duration::from_millis(250);
/// How long an answer that is late anyway waits for the word that its statement was cancelled.
const CANCEL_TIMEOUT: Duration = Duration::from_millis(100);

/// How long a cancelled statement may take to end before the next request to cancel is sent.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);
/// How many requests to cancel one connection is worth.
const MOST_CANCELLED: u32 = 100;

/// Every connection of a store.
#[derive(Debug)]
pub(crate) struct Pool {
    connector: Arc<Connector>,
    /// None where every operation is a transaction.
    shared: Box<[Slot]>,
    /// Exclusive connections that are not in use, clean.
    idle: Mutex<Vec<Arc<Live>>>,
    /// How many of them are kept: none where the only connection is shared, and a transaction beside a statement was one too many.
    most_idle: usize,
    exclusive: Arc<Semaphore>,
    /// How many short statements share a line before another one is begun.
    most_together: u64,
    /// Shared connections that others have taken the place of while somebody was using them.
    strays: AtomicUsize,
    trust: Trust,
    /// How long somebody waits for a connection of its own.
    patience: Duration,
}

/// The use of a shared connection for one statement.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) live: Arc<Live>,
    place: u64,
    /// Whether the statement was answered, or nobody comes to this connection any more.
    is_settled: AtomicBool,
    slot: &'a Slot,
    pool: &'a Pool,
    _counted: Counted<'a>,
}

impl Shared<'_> {
    /// Notes that the server has answered.
    pub(crate) fn answered(&self) {
        self.live.answered(self.place);
        self.is_settled.store(true, Ordering::Relaxed);
    }

    /// When somebody before this one has kept the line waiting for so long that it is better left; `None` where nobody stands before
    /// it any more.
    pub(crate) fn stuck_at(&self) -> Option<Instant> {
        let line = self.live.line();
        line.stands_behind(self.place).then(|| line.stuck_at())
    }

    /// Gives the connection no new work, since a statement on it did not end in time. Where nobody else waits for it, the statement is
    /// cancelled, and `true` says that an answer may come very soon. Else it is cancelled when the last one leaves, and the
    /// server's `statement_timeout` may be sooner.
    pub(crate) async fn abandon(&self) -> bool {
        self.is_settled.store(true, Ordering::Relaxed);
        self.pool.retire(self.slot, &self.live);
        self.live.abandoned.store(true, Ordering::SeqCst);
        let alone = self.live.users() == 1;
        if alone {
            self.pool.cancel(&self.live).await;
        }
        alone
    }
}

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        let runtime = Handle::try_current();
        if self.live.line().leave() {
            self.pool.is_no_stray(&self.live);
            // Retired, it has no users to come; whoever is still worked for has given up.
            if self.live.abandoned.load(Ordering::SeqCst)
                && let Ok(runtime) = &runtime
            {
                runtime.spawn(clear(Arc::clone(&self.pool.connector), Arc::clone(&self.live)));
            }
        }
        // Whoever asked went elsewhere, or is gone, as where a client hung up. The statement is not.
        if !*self.is_settled.get_mut()
            && !self.live.is_closed()
            && let Ok(runtime) = &runtime
        {
            runtime.spawn(pass(Arc::clone(&self.live), self.place));
        }
    }
}

/// Notes, in place of somebody who is gone, when the line has come past its place.
async fn pass(live: Arc<Live>, place: u64) {
    // Answered when everything before it is.
    if live.client().check_connection().await.is_ok() {
        live.answered(place);
    }
}

/// Cancels, one after the other, the statements of a connection that nobody waits for any more.
async fn clear(connector: Arc<Connector>, live: Arc<Live>) {
    // Answered when everything before it is.
    let mut cleared = pin!(live.client().check_connection());
    for _ in 0..MOST_CANCELLED {
        if tokio::time::timeout(CANCEL_INTERVAL, cleared.as_mut())
            .await
            .is_ok()
        {
            return;
        }
        let _ = connector.cancel(live.client()).await;
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
        self.live.touch();
        if let [slot] = &*self.pool.shared
            && slot.put_where_empty(&self.live, &self.pool.trust)
        {
            return;
        }
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.pool.most_idle {
            idle.push(Arc::clone(&self.live));
        }
    }

    /// Another connection in place of this one.
    pub(crate) async fn replaced(self) -> Result<Self, Failure> {
        let pool = Arc::clone(&self.pool);
        drop(self);
        pool.exclusive().await
    }

    /// Learns from a failure on this connection what it says about others.
    pub(crate) fn learn(&self, failure: &Failure) {
        self.pool.learn(failure, &self.live);
    }

    /// Ends what runs on the connection. Through a pooler that is left to the time limit that the transaction began with: whom a request
    /// to cancel would reach there, nobody can say.
    pub(crate) async fn cancel(&self) {
        if self.live.mode() == Statements::Prepared {
            self.pool.cancel(&self.live).await;
        }
    }

    /// The same in place of somebody who is gone, as where a client hung up. It is closed afterwards: the request to cancel could reach
    /// whatever came next. Without a runtime it is closed at once.
    pub(crate) fn abandon(self) {
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { self.cancel().await });
        }
    }
}

/// How many short statements are worth another server process that works for them: waking it costs more than such a statement does, and where
/// there are few processors it finds none.
fn most_together() -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    u64::try_from(32 / processors).map_or(4, |most| most.max(4))
}

impl Pool {
    /// A pool of as many connections as the settings say, none of them made yet: half for single statements, half for transactions; a
    /// single one serves both. Where every operation is a transaction, none is shared.
    pub(crate) fn new(connector: Connector, settings: &Settings) -> Self {
        let size = settings.pool_size;
        let shared = if settings.shares_connections() {
            size.div_ceil(2).max(1)
        } else {
            0
        };
        Self {
            connector: Arc::new(connector),
            shared: (0..shared).map(|_| Slot::new()).collect(),
            idle: Mutex::default(),
            most_idle: size.saturating_sub(shared),
            exclusive: Arc::new(Semaphore::new(size.saturating_sub(shared).max(1))),
            most_together: most_together(),
            strays: AtomicUsize::new(0),
            trust: Trust::new(settings.idle_check()),
            patience: settings.connect_timeout,
        }
    }

    /// Whether single statements share connections here.
    pub(crate) const fn shares(&self) -> bool {
        !self.shared.is_empty()
    }

    /// Makes a connection, unless there is one.
    pub(crate) async fn warm_up(self: &Arc<Self>) -> Result<(), StoreError> {
        if self.shares() {
            self.shared(Instant::now()).await.map(|shared| shared.answered())
        } else {
            self.exclusive().await.map(Exclusive::give_back)
        }
        .map_err(|failure| failure.error)
    }

    /// A place on a shared connection that can be counted on as it is: of those that are open and move the one with the fewest statements under
    /// way. While all are busy another one is opened in the background. Short statements meet in the first line that moves quickly, since the server
    /// takes what comes together in one go; but two are better served side by side.
    pub(crate) fn shared_at_hand(self: &Arc<Self>, now: Instant, is_short: bool) -> Option<Shared<'_>> {
        if is_short
            && self.shared.iter().map(Slot::in_flight).sum::<usize>() > 1
            && let Some(shared) = self.with_others(now)
        {
            return Some(shared);
        }
        let slot = self.quickest(now)?;
        let (counted, before) = Counted::in_slot(slot);
        if before > 0 {
            self.grow();
        }
        let part = slot.take_part(&self.trust, now)?;
        Some(self.share(part, slot, counted))
    }

    /// A place in the first line that takes more.
    fn with_others(&self, now: Instant) -> Option<Shared<'_>> {
        self.shared
            .iter()
            .filter(|slot| slot.is_connected())
            .find_map(|slot| {
                let part = slot.join_others(&self.trust, now, self.most_together)?;
                let (counted, _) = Counted::in_slot(slot);
                Some(self.share(part, slot, counted))
            })
    }

    /// A shared connection: one at hand, one whose line moves where those at hand are stuck, or one that is made or asked first.
    pub(crate) async fn shared(self: &Arc<Self>, now: Instant) -> Result<Shared<'_>, Failure> {
        if let Some(shared) = self.shared_at_hand(now, false) {
            return Ok(shared);
        }
        let chosen = self.least_busy(|_| true);
        if let Some(slot) = chosen
            && slot.is_stuck(now)
        {
            if let Some(shared) = self.past_the_stuck(now).await {
                return Ok(shared);
            }
            let (counted, _) = Counted::in_slot(slot);
            if let Some(part) = slot.join(&self.trust, now) {
                return Ok(self.share(part, slot, counted));
            }
        }
        let slot = chosen.unwrap_or(&self.shared[0]);
        let (counted, _) = Counted::in_slot(slot);
        let part = self.connect_slot(slot).await?;
        Ok(self.share(part, slot, counted))
    }

    /// Of the open shared connections the least busy one, or the least busy of those whose lines move where its own has stood for a while.
    fn quickest(&self, now: Instant) -> Option<&Slot> {
        let least_busy = self.least_busy(|_| true)?;
        if least_busy.in_flight() > 0
            && least_busy.is_slow(now)
            && let Some(moving) = self.least_busy(|slot| !slot.is_slow(now))
        {
            return Some(moving);
        }
        Some(least_busy)
    }

    /// Of the open shared connections that satisfy `condition` the one with the fewest statements under way; the last of such, since short
    /// statements meet in the first.
    fn least_busy(&self, condition: impl Fn(&Slot) -> bool) -> Option<&Slot> {
        self.shared
            .iter()
            .rev()
            .filter(|slot| slot.is_connected() && condition(slot))
            .min_by_key(|slot| slot.in_flight())
    }

    /// A shared connection whose line moves, where another has kept its own waiting for long: one that is there, or one that is made for it.
    /// As many may be made beyond the pool's size as are shared; then, and where none can be made, there is none.
    pub(crate) async fn past_the_stuck(&self, now: Instant) -> Option<Shared<'_>> {
        if let Some(slot) = self.least_busy(|slot| !slot.is_stuck(now)) {
            let (counted, _) = Counted::in_slot(slot);
            if let Some(part) = slot.take_part(&self.trust, now) {
                return Some(self.share(part, slot, counted));
            }
        }
        let may_replace = self.strays.load(Ordering::SeqCst) < self.shared.len();
        let slot = self
            .shared
            .iter()
            .find(|slot| !slot.is_connected())
            .or_else(|| self.least_busy(|_| may_replace))?;
        let (counted, _) = Counted::in_slot(slot);
        let part = self.replace(slot).await.ok()?;
        Some(self.share(part, slot, counted))
    }

    fn share<'a>(&'a self, part: Part, slot: &'a Slot, counted: Counted<'a>) -> Shared<'a> {
        Shared {
            live: part.live,
            place: part.place,
            is_settled: AtomicBool::new(false),
            slot,
            pool: self,
            _counted: counted,
        }
    }

    /// A place on the slot's connection: checked where it was silent, made anew where there is none.
    async fn connect_slot(&self, slot: &Slot) -> Result<Part, Failure> {
        let failures = slot.failures.load(Ordering::Relaxed);
        let _turn = slot.turn.acquire().await.expect("the semaphore is never closed");
        if let Some(live) = slot.live(&self.trust) {
            if self.is_there(&live).await
                && let Some(part) = slot.join(&self.trust, Instant::now())
            {
                return Ok(part);
            }
            self.retire(slot, &live);
        }
        self.connect_into(slot, failures).await
    }

    /// A place on a new connection in place of the slot's, or on what somebody else has put there meanwhile.
    async fn replace(&self, slot: &Slot) -> Result<Part, Failure> {
        let failures = slot.failures.load(Ordering::Relaxed);
        let _turn = slot.turn.acquire().await.expect("the semaphore is never closed");
        if let Some(part) = slot.take_part(&self.trust, Instant::now()) {
            return Ok(part);
        }
        self.connect_into(slot, failures).await
    }

    /// Connects, once for all who wait for their turn at the slot: `failures` is how many there were when this one came.
    async fn connect_into(&self, slot: &Slot, failures: u64) -> Result<Part, Failure> {
        if slot.failures.load(Ordering::Relaxed) != failures {
            return Err(Failure {
                error: StoreError::Unavailable,
                again: slot.last_failure(),
            });
        }
        match self.connector.connect(self.trust.now()).await {
            Ok(live) => {
                if let Some(replaced) = slot.live(&self.trust) {
                    self.retire(slot, &replaced);
                }
                Ok(slot.put(live))
            }
            Err(failure) => {
                slot.failed(&failure);
                Err(failure)
            }
        }
    }

    /// Gives a connection no new work. While somebody is using it still, it counts as a stray.
    fn retire(&self, slot: &Slot, live: &Arc<Live>) {
        if !slot.retire(live) || live.users() == 0 {
            return;
        }
        self.strays.fetch_add(1, Ordering::SeqCst);
        live.stray.store(true, Ordering::SeqCst);
        if live.users() == 0 {
            self.is_no_stray(live);
        }
    }

    /// Notes that nobody uses a connection any more.
    fn is_no_stray(&self, live: &Live) {
        if live.stray.load(Ordering::SeqCst) && live.stray.swap(false, Ordering::SeqCst) {
            self.strays.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Whether a connection can be counted on; where that is not certain, it is asked.
    async fn is_there(&self, live: &Live) -> bool {
        if !self.trust.allows(live) {
            return false;
        }
        if !self.trust.asks(live) {
            return true;
        }
        let moment = self.trust.now();
        match tokio::time::timeout(CHECK_TIMEOUT, live.client().check_connection()).await {
            Ok(Ok(())) => {
                live.see(moment);
                true
            }
            gone => {
                debug!(answered = gone.is_ok(), "a connection that was silent is gone");
                live.give_up();
                false
            }
        }
    }

    /// Learns from a failure on this connection what it says about others.
    pub(crate) fn learn(&self, failure: &Failure, live: &Live) {
        if failure.again == Again::OnAnotherServer {
            self.trust.discard();
        } else if live.is_closed() {
            self.trust.doubt();
        }
    }

    /// Opens one more shared connection in the background, where there is room.
    fn grow(self: &Arc<Self>) {
        let Some(index) = self.shared.iter().position(Slot::could_grow) else {
            return;
        };
        if self.shared[index].growing.swap(true, Ordering::Relaxed) {
            return;
        }
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            let slot = &pool.shared[index];
            let (counted, _) = Counted::in_slot(slot);
            // A failure was logged; the open connections carry on.
            if let Ok(part) = pool.connect_slot(slot).await {
                pool.share(part, slot, counted).answered();
            }
            slot.growing.store(false, Ordering::Relaxed);
        });
    }

    /// A connection for one transaction.
    pub(crate) async fn exclusive(self: &Arc<Self>) -> Result<Exclusive, Failure> {
        let waiting = tokio::time::timeout(self.patience, Arc::clone(&self.exclusive).acquire_owned());
        let Ok(permit) = waiting.await else {
            warn!(
                waited_ms = self.patience.as_millis(),
                "every connection for transactions is in use"
            );
            return Err(Failure::for_good(StoreError::Unavailable));
        };
        let permit = permit.expect("the semaphore is never closed");
        let live = loop {
            match self.unused() {
                Some(live) if self.is_there(&live).await => break live,
                Some(_) => {}
                None => break Arc::new(self.connector.connect(self.trust.now()).await?),
            }
        };
        Ok(Exclusive {
            live,
            pool: Arc::clone(self),
            _permit: permit,
        })
    }

    /// A connection that nobody uses.
    fn unused(&self) -> Option<Arc<Live>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.or_else(|| match &*self.shared {
            [only] => only.take_unused(&self.trust),
            _ => None,
        })
    }

    /// Whether statements are prepared on the connections, or leave nothing behind.
    pub(crate) fn statements(&self) -> Statements {
        self.connector.statements()
    }

    /// A connection that belongs to no pool, for work that takes long.
    pub(crate) async fn dedicated(&self) -> Result<tokio_postgres::Client, StoreError> {
        let client = self.connector.connect_client().await;
        client.map_err(|failure| failure.error)
    }

    /// Asks the server to end what runs on this connection, and waits a moment until it was asked.
    async fn cancel(&self, live: &Live) {
        let asked = self.connector.cancel(live.client());
        let _ = tokio::time::timeout(CANCEL_TIMEOUT, asked).await;
    }
}
