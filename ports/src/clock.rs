//! Time and identifiers, passed in so that everything else is a pure function of them.

use std::time::{SystemTime, UNIX_EPOCH};

use rowstamp_domain::value::Timestamp;
use uuid::Uuid;

/// Tells the time.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync {
    /// Now, in microseconds.
    fn now(&self) -> Timestamp;
}

/// Makes identifiers for new rows.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait UidSource: Send + Sync {
    /// A new UUIDv7 (RFC 9562): ordered by time, never the same twice.
    fn next(&self) -> Uuid;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
        };
        // Only a clock before 4714 BC is beyond PostgreSQL's range.
        Timestamp::from_micros_since_1970(micros).unwrap_or(Timestamp::MIN)
    }
}

/// UUIDv7 from the machine's clock and random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct UuidV7Source;

impl UidSource for UuidV7Source {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
