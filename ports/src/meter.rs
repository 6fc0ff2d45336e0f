//! What one request costs: counted by whoever works for it, read when it is answered.
//!
//! It holds times and numbers, never data. Who writes them down, and where, is an application's business.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The meter of one request, shared by all that work for it.
#[derive(Debug, Default)]
pub struct Meter {
    store_nanos: AtomicU64,
    connection_nanos: AtomicU64,
    rows: AtomicU64,
    retries: AtomicU64,
}

/// What a meter shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Readings {
    /// The time that the store took, waiting for a connection and trying again included.
    pub store: Duration,
    /// The part of it until there was a connection to work on.
    pub connection: Duration,
    /// Rows read or written.
    pub rows: u64,
    /// How often something was tried again.
    pub retries: u64,
}

impl Meter {
    /// The store took this long for something.
    pub fn store_took(&self, time: Duration) {
        add(&self.store_nanos, time);
    }

    /// It took this long until there was a connection.
    pub fn connection_took(&self, time: Duration) {
        add(&self.connection_nanos, time);
    }

    /// So many rows were read or written.
    pub fn count_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Something is tried again.
    pub fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// What it shows by now.
    pub fn read(&self) -> Readings {
        Readings {
            store: Duration::from_nanos(self.store_nanos.load(Ordering::Relaxed)),
            connection: Duration::from_nanos(self.connection_nanos.load(Ordering::Relaxed)),
            rows: self.rows.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
        }
    }
}

fn add(total: &AtomicU64, time: Duration) {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    total.fetch_add(nanos, Ordering::Relaxed);
}
