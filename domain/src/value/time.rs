//! Times of day as PostgreSQL's `time` holds them.
//!
//! Without a zone: `timetz` is not supported.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveTime, Timelike};

use super::civil_text::{DAY, SECOND, TimeProblem, push_time, read_time};
use super::error::ValueError;
use crate::field_type::ScalarType;

/// A time of day from 00:00:00 to 24:00:00 (the end of the day), in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// 00:00:00.
    pub const MIN: Self = Self(0);
    /// 24:00:00.
    pub const MAX: Self = Self(DAY);

    /// From PostgreSQL's binary form: microseconds since midnight.
    ///
    /// # Errors
    /// `OutOfRange` unless within `0..=86_400_000_000`.
    pub fn from_micros_since_midnight(micros: i64) -> Result<Self, ValueError> {
        if (0..=DAY).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(ValueError::OutOfRange { ty: ScalarType::Time })
        }
    }

    /// PostgreSQL's binary form.
    pub const fn micros_since_midnight(self) -> i64 {
        self.0
    }

    pub(super) fn push(self, out: &mut String) {
        push_time(out, self.0);
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(16);
        self.push(&mut text);
        f.pad(&text)
    }
}

impl FromStr for Time {
    type Err = ValueError;

    /// Reads `HH:MM[:SS[.ffffff]]`.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        match read_time(text) {
            Ok((micros, "")) => Ok(Self(micros)),
            Err(TimeProblem::TooPrecise) => Err(ValueError::TooPrecise { ty: ScalarType::Time }),
            _ => Err(ValueError::malformed(ScalarType::Time, text)),
        }
    }
}

impl From<NaiveTime> for Time {
    /// Nanoseconds are cut off to microseconds; a leap second at the end of the day becomes 24:00:00.
    fn from(time: NaiveTime) -> Self {
        let micros =
            i64::from(time.num_seconds_from_midnight()) * SECOND + i64::from(time.nanosecond() / 1000);
        Self(micros.min(DAY))
    }
}

impl TryFrom<Time> for NaiveTime {
    type Error = ValueError;

    /// # Errors
    /// `OutOfRange` for 24:00:00, which chrono does not have.
    fn try_from(time: Time) -> Result<Self, ValueError> {
        let seconds = u32::try_from(time.0 / SECOND).expect("a day has fewer seconds");
        let nanos = u32::try_from(time.0 % SECOND * 1000).expect("a second has fewer nanoseconds");
        Self::from_num_seconds_from_midnight_opt(seconds, nanos)
            .ok_or(ValueError::OutOfRange { ty: ScalarType::Time })
    }
}
