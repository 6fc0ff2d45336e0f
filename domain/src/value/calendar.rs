//! Days and calendar dates: the proleptic Gregorian calendar over PostgreSQL's whole range.
//!
//! It knows no time zones, and no limits but those of 64-bit arithmetic: the types that use it check their ranges.

/// Days from 1 March of the year 0 to 1 January 2000.
const MARCH_0000_TO_2000: i64 = 730_425;
/// Days in 400 years.
const ERA_DAYS: i64 = 146_097;

/// A calendar date. The year is astronomical: 0 is 1 BC, -1 is 2 BC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: u8,
    pub(super) day: u8,
}

impl Civil {
    /// The date that many days after 1 January 2000.
    // Years are counted from 1 March, so that the leap day is the last of its year
    // (Howard Hinnant, "chrono-compatible low-level date algorithms").
    pub(super) fn from_days_since_2000(days: i64) -> Self {
        let days = days + MARCH_0000_TO_2000;
        let era = days.div_euclid(ERA_DAYS);
        let day_of_era = days.rem_euclid(ERA_DAYS);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let small = |number: i64| u8::try_from(number).expect("months and days are below 32");
        Self {
            year,
            month: small(month),
            day: small(day),
        }
    }

    /// Days from 1 January 2000 to this date, which must exist.
    pub(super) fn days_since_2000(self) -> i64 {
        let month = i64::from(self.month);
        let year = self.year - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted_month = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * ERA_DAYS + day_of_era - MARCH_0000_TO_2000
    }

    /// Whether the calendar has this date.
    pub(super) fn exists(self) -> bool {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let days = match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        };
        (1..=days).contains(&self.day)
    }

    /// Appends `YYYY-MM-DD` with the year as people count it, without the ` BC` that belongs at the very end.
    pub(super) fn push(self, out: &mut String) {
        let year = if self.year > 0 { self.year } else { 1 - self.year };
        if year < 1000 {
            out.push_str(if year < 10 {
                "000"
            } else if year < 100 {
                "00"
            } else {
                "0"
            });
        }
        out.push_str(itoa::Buffer::new().format(year));
        out.push('-');
        push_two(out, self.month);
        out.push('-');
        push_two(out, self.day);
    }

    /// Whether ` BC` belongs at the end.
    pub(super) fn is_bc(self) -> bool {
        self.year <= 0
    }
}

/// Appends a number below 100 as two digits.
pub(super) fn push_two(out: &mut String, number: u8) {
    out.push(char::from(b'0' + number / 10));
    out.push(char::from(b'0' + number % 10));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_have_known_dates() {
        for (days, year, month, day) in [
            (0, 2000, 1, 1),
            (-1, 1999, 12, 31),
            (59, 2000, 2, 29),
            (60, 2000, 3, 1),
            (-10_957, 1970, 1, 1),
            (-730_119, 1, 1, 1),
            (-730_120, 0, 12, 31),
            (-730_485, 0, 1, 1),
            (-2_451_545, -4713, 11, 24),
            (2_145_031_948, 5_874_897, 12, 31),
        ] {
            let date = Civil { year, month, day };
            assert_eq!(Civil::from_days_since_2000(days), date, "{days}");
            assert_eq!(date.days_since_2000(), days, "{date:?}");
            assert!(date.exists());
        }
    }

    #[test]
    fn dates_that_the_calendar_lacks_do_not_exist() {
        for (year, month, day) in [
            (1900, 2, 29),
            (2000, 2, 30),
            (2026, 4, 31),
            (2026, 13, 1),
            (2026, 0, 1),
            (2026, 1, 0),
            (-3, 2, 29),
        ] {
            assert!(!Civil { year, month, day }.exists(), "{year}-{month}-{day}");
        }
        for (year, month, day) in [(2000, 2, 29), (0, 2, 29), (-4, 2, 29), (2026, 12, 31)] {
            assert!(Civil { year, month, day }.exists(), "{year}-{month}-{day}");
        }
    }
}
