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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use super::*;

    #[test]
    fn times_are_read_and_printed_as_postgresql_prints_them() {
        for (text, micros, printed) in [
            ("00:00", 0, "00:00:00"),
            ("12:00:00", 43_200_000_000, "12:00:00"),
            ("12:34:56.7", 45_296_700_000, "12:34:56.7"),
            ("12:34:56.789012", 45_296_789_012, "12:34:56.789012"),
            ("12:34:56.000001000", 45_296_000_001, "12:34:56.000001"),
            ("12:34:56.120", 45_296_120_000, "12:34:56.12"),
            ("12:00:60", 43_260_000_000, "12:01:00"),
            ("23:59:60", 86_400_000_000, "24:00:00"),
            ("24:00:00", 86_400_000_000, "24:00:00"),
        ] {
            let time: Time = text.parse().unwrap();
            assert_eq!(time.micros_since_midnight(), micros, "{text}");
            assert_eq!(time.to_string(), printed);
            assert_eq!(Time::from_micros_since_midnight(micros), Ok(time));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "12",
            "1:00",
            "12:60",
            "12:00:61",
            "24:00:01",
            "24:00:00.1",
            "25:00",
            "12:00:00Z",
            "12:00:00.",
            "12:00:",
            "12:00:60.5",
            "noon",
            "-01:00",
        ] {
            assert_eq!(text.parse::<Time>().unwrap_err().code(), "invalid_time", "{text}");
        }
        assert_eq!(
            "12:00:00.0000001".parse::<Time>().unwrap_err().code(),
            "too_precise"
        );
        for micros in [-1, 86_400_000_001] {
            assert!(Time::from_micros_since_midnight(micros).is_err(), "{micros}");
        }
    }

    #[test]
    fn chronos_times_keep_their_microseconds() {
        let time = NaiveTime::from_hms_nano_opt(1, 2, 3, 4_567_891).unwrap();
        assert_eq!(Time::from(time).to_string(), "01:02:03.004567");
        let leap_second = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
        assert_eq!(Time::from(leap_second), Time::MAX);
        assert!(NaiveTime::try_from(Time::MAX).is_err());
        let last = Time::from_micros_since_midnight(86_399_999_999).unwrap();
        assert_eq!(Time::from(NaiveTime::try_from(last).unwrap()), last);
    }
}
