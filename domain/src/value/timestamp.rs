//! Points in time as PostgreSQL's `timestamptz` holds them.
//!
//! Always UTC: an offset in the input is worked in and forgotten.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::calendar::Civil;
use super::civil_text::{DAY, DateText, TimeProblem, push_time, read_offset, read_time, split_era};
use super::error::ValueError;
use crate::field_type::ScalarType;

/// A point in time in microseconds, from 4714-11-24 BC to the end of 294276, or one of the infinities.
///
/// ```
/// use rowstamp_domain::value::Timestamp;
/// let noon: Timestamp = "2026-01-31T13:00:00.5+01:00".parse()?;
/// assert_eq!(noon.to_string(), "2026-01-31T12:00:00.5+00:00");
/// assert_eq!(noon.plus_micros(1).to_string(), "2026-01-31T12:00:00.500001+00:00");
/// # Ok::<(), rowstamp_domain::value::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Microseconds from 1970-01-01 to 2000-01-01.
const UNIX_EPOCH_MICROS: i64 = 10_957 * DAY;

impl Timestamp {
    /// Later than every other timestamp.
    pub const INFINITY: Self = Self(i64::MAX);
    /// Earlier than every other timestamp.
    pub const NEG_INFINITY: Self = Self(i64::MIN);
    /// 4714-11-24T00:00:00+00:00 BC.
    pub const MIN: Self = Self(-211_813_488_000_000_000);
    /// 294276-12-31T23:59:59.999999+00:00.
    pub const MAX: Self = Self(9_223_371_331_199_999_999);

    /// From PostgreSQL's binary form: microseconds since 2000-01-01T00:00:00Z, with `i64::MAX` and `i64::MIN` for
    /// the infinities.
    ///
    /// # Errors
    /// `OutOfRange` beyond PostgreSQL's range.
    pub fn from_micros_since_2000(micros: i64) -> Result<Self, ValueError> {
        let timestamp = Self(micros);
        if timestamp.is_infinite() || (Self::MIN..=Self::MAX).contains(&timestamp) {
            Ok(timestamp)
        } else {
            Err(ValueError::OutOfRange {
                ty: ScalarType::Timestamp,
            })
        }
    }

    /// PostgreSQL's binary form; the infinities are `i64::MAX` and `i64::MIN`.
    pub const fn micros_since_2000(self) -> i64 {
        self.0
    }

    /// From microseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// `OutOfRange` beyond PostgreSQL's range.
    pub fn from_micros_since_1970(micros: i64) -> Result<Self, ValueError> {
        micros
            .checked_sub(UNIX_EPOCH_MICROS)
            .map(Self)
            .filter(|timestamp| (Self::MIN..=Self::MAX).contains(timestamp))
            .ok_or(ValueError::OutOfRange {
                ty: ScalarType::Timestamp,
            })
    }

    /// Whether this is one of the infinities.
    pub const fn is_infinite(self) -> bool {
        self.0 == i64::MAX || self.0 == i64::MIN
    }

    /// This many microseconds later. Stops at `MIN` and `MAX`; the infinities stay what they are.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        if self.is_infinite() {
            return self;
        }
        Self(self.0.saturating_add(micros)).clamp(Self::MIN, Self::MAX)
    }

    pub(super) fn push(self, out: &mut String) {
        match self {
            Self::INFINITY => out.push_str("infinity"),
            Self::NEG_INFINITY => out.push_str("-infinity"),
            Self(micros) => {
                let civil = Civil::from_days_since_2000(micros.div_euclid(DAY));
                civil.push(out);
                out.push('T');
                push_time(out, micros.rem_euclid(DAY));
                out.push_str("+00:00");
                if civil.is_bc() {
                    out.push_str(" BC");
                }
            }
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(32);
        self.push(&mut text);
        f.pad(&text)
    }
}

impl FromStr for Timestamp {
    type Err = ValueError;

    /// Reads a date alone, or a date, `T` or a space, a time and an optional offset (`Z`, `±HH[[:]MM]`), and ` BC`
    /// at the very end; or `infinity` and `-infinity`. Without an offset UTC is meant.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.eq_ignore_ascii_case("infinity") {
            return Ok(Self::INFINITY);
        }
        if text.eq_ignore_ascii_case("-infinity") {
            return Ok(Self::NEG_INFINITY);
        }
        let malformed = || ValueError::malformed(ScalarType::Timestamp, text);
        let (body, era) = split_era(text);
        let (date, rest) = DateText::read(body).ok_or_else(malformed)?;
        let civil = date.civil(era).ok_or_else(malformed)?;
        let mut time_micros = 0;
        let mut offset_micros = 0;
        if !rest.is_empty() {
            let time = rest.strip_prefix(['T', 't', ' ']).ok_or_else(malformed)?;
            let (micros, offset) = read_time(time).map_err(|problem| match problem {
                TimeProblem::Malformed => malformed(),
                TimeProblem::TooPrecise => ValueError::TooPrecise {
                    ty: ScalarType::Timestamp,
                },
            })?;
            time_micros = micros;
            offset_micros = read_offset(offset).ok_or_else(malformed)?;
        }
        civil
            .days_since_2000()
            .checked_mul(DAY)
            .and_then(|days| days.checked_add(time_micros))
            .and_then(|local| local.checked_sub(offset_micros))
            .map(Self)
            .filter(|timestamp| (Self::MIN..=Self::MAX).contains(timestamp))
            .ok_or(ValueError::OutOfRange {
                ty: ScalarType::Timestamp,
            })
    }
}

impl TryFrom<DateTime<Utc>> for Timestamp {
    type Error = ValueError;

    /// Nanoseconds are cut off to the microsecond before.
    ///
    /// # Errors
    /// `OutOfRange` before 4714-11-24 BC.
    fn try_from(time: DateTime<Utc>) -> Result<Self, ValueError> {
        Self::from_micros_since_1970(time.timestamp_micros())
    }
}

impl TryFrom<Timestamp> for DateTime<Utc> {
    type Error = ValueError;

    /// # Errors
    /// `OutOfRange` for the infinities and beyond chrono's range (the year 262142).
    fn try_from(timestamp: Timestamp) -> Result<Self, ValueError> {
        let out_of_range = ValueError::OutOfRange {
            ty: ScalarType::Timestamp,
        };
        if timestamp.is_infinite() {
            return Err(out_of_range);
        }
        timestamp
            .0
            .checked_add(UNIX_EPOCH_MICROS)
            .and_then(Self::from_timestamp_micros)
            .ok_or(out_of_range)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn timestamps_are_read_and_printed_as_postgresql_prints_them() {
        for (text, printed) in [
            (
                "2026-01-31T12:00:00.123456+00:00",
                "2026-01-31T12:00:00.123456+00:00",
            ),
            ("2026-01-31", "2026-01-31T00:00:00+00:00"),
            ("2026-01-31 12:00", "2026-01-31T12:00:00+00:00"),
            ("2026-01-31t12:00:00z", "2026-01-31T12:00:00+00:00"),
            ("2026-01-31T12:00:00.1000000Z", "2026-01-31T12:00:00.1+00:00"),
            ("2026-01-31T00:30:00+01", "2026-01-30T23:30:00+00:00"),
            ("2026-01-31T00:30:00-0130", "2026-01-31T02:00:00+00:00"),
            ("2026-01-31T12:00:00+05:45", "2026-01-31T06:15:00+00:00"),
            ("2026-01-01 12:00:00+15:59:59", "2025-12-31T20:00:01+00:00"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
            ("2026-01-01T24:00:00", "2026-01-02T00:00:00+00:00"),
            ("0044-03-15 BC", "0044-03-15T00:00:00+00:00 BC"),
            ("0044-03-15T12:00:00.5+00:00 BC", "0044-03-15T12:00:00.5+00:00 BC"),
            ("0001-01-01T00:00:00+01:00", "0001-12-31T23:00:00+00:00 BC"),
            ("1999-12-31T23:59:59.999999Z", "1999-12-31T23:59:59.999999+00:00"),
            ("4714-11-24T00:00:00+00:00 BC", "4714-11-24T00:00:00+00:00 BC"),
            (
                "294276-12-31T23:59:59.999999Z",
                "294276-12-31T23:59:59.999999+00:00",
            ),
            ("INFINITY", "infinity"),
            ("-infinity", "-infinity"),
        ] {
            let timestamp: Timestamp = text.parse().unwrap();
            assert_eq!(timestamp.to_string(), printed, "{text}");
            assert_eq!(printed.parse(), Ok(timestamp));
            assert_eq!(
                Timestamp::from_micros_since_2000(timestamp.micros_since_2000()),
                Ok(timestamp)
            );
        }
    }

    #[test]
    fn what_is_no_timestamp_is_refused() {
        for text in [
            "",
            "2026-01-31T",
            "2026-01-31T12",
            "2026-01-31T12:00:00+16:00",
            "2026-01-31T12:00:00+1",
            "2026-01-31T12:00:00+01:60",
            "2026-01-31T12:00:00 +00:00",
            "2026-01-31T12:00:00 00:00",
            "2026-01-31T12:00:00Zulu",
            "2026-01-31T25:00:00Z",
            "2026-02-30T12:00:00Z",
            "2026-01-31X12:00:00Z",
            "now",
            "2026-01-31T12:00:00Zé",
        ] {
            assert_eq!(
                text.parse::<Timestamp>().unwrap_err().code(),
                "invalid_timestamp",
                "{text}"
            );
        }
        assert_eq!(
            "2026-01-31T12:00:00.1234567Z"
                .parse::<Timestamp>()
                .unwrap_err()
                .code(),
            "too_precise"
        );
        for text in [
            "294277-01-01",
            "294276-12-31T23:59:59-00:01",
            "4714-11-24T00:00:00+00:01 BC",
            "9999999-01-01 BC",
            "9999999-01-01",
        ] {
            assert_eq!(
                text.parse::<Timestamp>().unwrap_err().code(),
                "out_of_range",
                "{text}"
            );
        }
        for micros in [
            i64::MIN + 1,
            -211_813_488_000_000_001,
            9_223_371_331_200_000_000,
            i64::MAX - 1,
        ] {
            assert!(Timestamp::from_micros_since_2000(micros).is_err(), "{micros}");
        }
    }

    #[test]
    fn adding_stops_at_the_ends_and_leaves_infinities_alone() {
        assert_eq!(Timestamp::MAX.plus_micros(1), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.plus_micros(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::INFINITY.plus_micros(-1), Timestamp::INFINITY);
        assert_eq!(Timestamp::NEG_INFINITY.plus_micros(1), Timestamp::NEG_INFINITY);
        assert_eq!(
            Timestamp::MIN.plus_micros(2).micros_since_2000(),
            Timestamp::MIN.0 + 2
        );
    }

    #[test]
    fn chronos_nanoseconds_are_cut_off_towards_the_past() {
        let before_1970 = DateTime::from_timestamp(-1, 999_999_999).unwrap();
        assert_eq!(
            Timestamp::try_from(before_1970).unwrap().to_string(),
            "1969-12-31T23:59:59.999999+00:00"
        );
        assert!(Timestamp::try_from(DateTime::<Utc>::MIN_UTC).is_err());
        for timestamp in [Timestamp::INFINITY, Timestamp::NEG_INFINITY, Timestamp::MAX] {
            assert!(DateTime::try_from(timestamp).is_err(), "{timestamp}");
        }
        assert!(Timestamp::from_micros_since_1970(i64::MIN).is_err());
        assert!(Timestamp::from_micros_since_1970(i64::MAX).is_ok());
        assert_eq!(
            Timestamp::from_micros_since_1970(946_684_800_000_000)
                .unwrap()
                .micros_since_2000(),
            0
        );
    }

    proptest! {
        #[test]
        fn chrono_agrees_on_every_microsecond(micros in Timestamp::MIN.0..8_000_000_000_000_000_000) {
            let timestamp = Timestamp::from_micros_since_2000(micros).unwrap();
            let chrono = DateTime::try_from(timestamp).unwrap();
            prop_assert_eq!(Timestamp::try_from(chrono), Ok(timestamp));
            if (-730_119 * DAY..2_921_940 * DAY).contains(&micros) {
                let parsed = DateTime::parse_from_rfc3339(&timestamp.to_string()).unwrap();
                prop_assert_eq!(parsed.with_timezone(&Utc), chrono);
            }
        }
    }
}
