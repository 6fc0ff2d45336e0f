//! Calendar dates as PostgreSQL's `date` holds them.
//!
//! No time of day and no zone; text is ISO 8601, not the many forms that PostgreSQL also reads.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

use super::calendar::Civil;
use super::civil_text::{DateText, split_era};
use super::error::ValueError;
use crate::field_type::ScalarType;

/// A calendar date from 4714-11-24 BC to 5874897-12-31, or one of the infinities.
///
/// ```
/// use rowstamp_domain::value::Date;
/// let date: Date = "0044-03-15 BC".parse()?;
/// assert_eq!(date.to_string(), "0044-03-15 BC");
/// assert!(date < "2026-01-31".parse()?);
/// # Ok::<(), rowstamp_domain::value::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

impl Date {
    /// Later than every other date.
    pub const INFINITY: Self = Self(i32::MAX);
    /// Earlier than every other date.
    pub const NEG_INFINITY: Self = Self(i32::MIN);
    /// 4714-11-24 BC, day zero of the Julian day count.
    pub const MIN: Self = Self(-2_451_545);
    /// 5874897-12-31.
    pub const MAX: Self = Self(2_145_031_948);

    /// From PostgreSQL's binary form: days since 2000-01-01, with `i32::MAX` and `i32::MIN` for the infinities.
    ///
    /// # Errors
    /// `OutOfRange` beyond PostgreSQL's range.
    pub fn from_days_since_2000(days: i32) -> Result<Self, ValueError> {
        let date = Self(days);
        if date.is_infinite() || (Self::MIN..=Self::MAX).contains(&date) {
            Ok(date)
        } else {
            Err(ValueError::OutOfRange { ty: ScalarType::Date })
        }
    }

    /// PostgreSQL's binary form; the infinities are `i32::MAX` and `i32::MIN`.
    pub const fn days_since_2000(self) -> i32 {
        self.0
    }

    /// Whether this is one of the infinities.
    pub const fn is_infinite(self) -> bool {
        self.0 == i32::MAX || self.0 == i32::MIN
    }

    pub(super) fn push(self, out: &mut String) {
        match self {
            Self::INFINITY => out.push_str("infinity"),
            Self::NEG_INFINITY => out.push_str("-infinity"),
            Self(days) => {
                let civil = Civil::from_days_since_2000(i64::from(days));
                civil.push(out);
                if civil.is_bc() {
                    out.push_str(" BC");
                }
            }
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(16);
        self.push(&mut text);
        f.pad(&text)
    }
}

impl FromStr for Date {
    type Err = ValueError;

    /// Reads `YYYY-MM-DD` with a year of four to seven digits, ` BC` after it, or `infinity` and `-infinity`.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.eq_ignore_ascii_case("infinity") {
            return Ok(Self::INFINITY);
        }
        if text.eq_ignore_ascii_case("-infinity") {
            return Ok(Self::NEG_INFINITY);
        }
        let malformed = || ValueError::malformed(ScalarType::Date, text);
        let (body, era) = split_era(text);
        let (date, rest) = DateText::read(body).ok_or_else(malformed)?;
        if !rest.is_empty() {
            return Err(malformed());
        }
        let days = date.civil(era).ok_or_else(malformed)?.days_since_2000();
        match i32::try_from(days) {
            Ok(days) if (Self::MIN.0..=Self::MAX.0).contains(&days) => Ok(Self(days)),
            _ => Err(ValueError::OutOfRange { ty: ScalarType::Date }),
        }
    }
}

const UNIX_EPOCH_DAYS: i64 = 10_957;

impl TryFrom<NaiveDate> for Date {
    type Error = ValueError;

    /// # Errors
    /// `OutOfRange` before 4714-11-24 BC.
    fn try_from(date: NaiveDate) -> Result<Self, ValueError> {
        let days = i64::from(date.to_epoch_days()) - UNIX_EPOCH_DAYS;
        let days = i32::try_from(days).map_err(|_| ValueError::OutOfRange { ty: ScalarType::Date })?;
        Self::from_days_since_2000(days)
    }
}

impl TryFrom<Date> for NaiveDate {
    type Error = ValueError;

    /// # Errors
    /// `OutOfRange` for the infinities and beyond chrono's range (years -262143 to 262142).
    fn try_from(date: Date) -> Result<Self, ValueError> {
        let out_of_range = ValueError::OutOfRange { ty: ScalarType::Date };
        if date.is_infinite() {
            return Err(out_of_range);
        }
        i32::try_from(i64::from(date.0) + UNIX_EPOCH_DAYS)
            .ok()
            .and_then(NaiveDate::from_epoch_days)
            .ok_or(out_of_range)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use chrono::Datelike as _;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_read_and_printed_as_postgresql_prints_them() {
        for (text, days, printed) in [
            ("2000-01-01", 0, "2000-01-01"),
            ("2026-01-31", 9527, "2026-01-31"),
            ("0001-01-01", -730_119, "0001-01-01"),
            ("0001-12-31 BC", -730_120, "0001-12-31 BC"),
            ("0044-03-15 bc", -746_117, "0044-03-15 BC"),
            ("2026-01-31 AD", 9527, "2026-01-31"),
            ("0099-01-01", -694_325, "0099-01-01"),
            ("12026-01-01", 3_661_922, "12026-01-01"),
            ("4714-11-24 BC", -2_451_545, "4714-11-24 BC"),
            ("5874897-12-31", 2_145_031_948, "5874897-12-31"),
            ("infinity", i32::MAX, "infinity"),
            ("-Infinity", i32::MIN, "-infinity"),
        ] {
            let date: Date = text.parse().unwrap();
            assert_eq!(date.days_since_2000(), days, "{text}");
            assert_eq!(date.to_string(), printed);
            assert_eq!(Date::from_days_since_2000(days), Ok(date));
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026",
            "2026-1-31",
            "26-01-31",
            "2026-02-29",
            "2026-13-01",
            "0000-01-01",
            "0000-01-01 BC",
            "2026-01-31T00:00:00Z",
            "20260131",
            "+2026-01-31",
            "-2026-01-31",
            "2026-01-31 ",
            "2026-01-31 BCE",
            "today",
            "12345678-01-01",
            "é026-01-01",
            "BC",
            " BC",
        ] {
            assert_eq!(text.parse::<Date>().unwrap_err().code(), "invalid_date", "{text}");
        }
        for text in ["4714-11-23 BC", "5874898-01-01", "9999999-12-31 BC"] {
            assert_eq!(text.parse::<Date>().unwrap_err().code(), "out_of_range", "{text}");
        }
        for days in [-2_451_546, 2_145_031_949, i32::MAX - 1, i32::MIN + 1] {
            assert!(Date::from_days_since_2000(days).is_err(), "{days}");
        }
    }

    #[test]
    fn infinities_and_far_dates_are_not_chronos() {
        for date in [Date::INFINITY, Date::NEG_INFINITY, Date::MAX] {
            assert!(NaiveDate::try_from(date).is_err(), "{date}");
        }
        assert!(Date::try_from(NaiveDate::MIN).is_err());
        assert_eq!(
            Date::try_from(NaiveDate::MAX).unwrap().to_string(),
            "262142-12-31"
        );
    }

    proptest! {
        #[test]
        fn the_calendar_is_chronos_in_chronos_range(days in -2_451_545..95_000_000_i32) {
            let date = Date::from_days_since_2000(days).unwrap();
            let chrono = NaiveDate::try_from(date).unwrap();
            prop_assert_eq!(chrono, NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() + chrono::TimeDelta::days(i64::from(days)));
            prop_assert_eq!(Date::try_from(chrono), Ok(date));
            let year = chrono.year();
            let (shown, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
            prop_assert_eq!(date.to_string(), format!("{shown:04}-{:02}-{:02}{era}", chrono.month(), chrono.day()));
        }
    }
}
