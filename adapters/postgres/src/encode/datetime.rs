//! Dates, times and timestamps, laid out as PostgreSQL lays them out in JSON.
//!
//! Sessions run in UTC, so a timestamp's offset is always `+00:00`.

use rowstamp_domain::json_text::Buffer;

use super::{Malformed, fixed};

/// Days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
const POSTGRES_EPOCH_DAYS: i64 = 10_957;
const DAY_MICROS: i64 = 86_400_000_000;

/// A day of the proleptic Gregorian calendar; the year before 1 is 0, as astronomers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
}

/// The calendar day that is `days` after 1970-01-01, in 32 bits, which hold every day that PostgreSQL knows once whole eras of 400 years
/// are taken off.
#[expect(clippy::cast_possible_truncation, reason = "each half of 64 bits is 32 bits")]
pub(crate) fn civil_from_epoch_days(days: i64) -> Civil {
    const ERA_DAYS: i64 = 146_097;
    let shifted = days + 719_468;
    // Nearly always the first of these; the division is then by a number that fits 32 bits.
    let (era, day_of_era) = match u32::try_from(shifted) {
        Ok(shifted) => (i64::from(shifted / 146_097), shifted % 146_097),
        Err(_) => (
            shifted.div_euclid(ERA_DAYS),
            u32::try_from(shifted.rem_euclid(ERA_DAYS)).expect("a remainder is less than its divisor"),
        ),
    };
    // Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms" (2022), figure 12, with March as
    // the first month of a year: divisions become multiplications whose halves are quotient and remainder.
    let quarter_days = 4 * day_of_era + 3;
    let (century, day_of_century) = (quarter_days / 146_097, quarter_days % 146_097 / 4);
    let years = 2_939_745 * u64::from(4 * day_of_century + 3);
    let [year_of_century, rest] = [years >> 32, years & 0xffff_ffff].map(|half| half as u32);
    let day_of_year = rest / 2_939_745 / 4;
    let months = 2_141 * day_of_year + 197_913;
    let (month, day) = (months >> 16, (months & 0xffff) / 2_141 + 1);
    // January and February are the last months of such a year.
    let (month, next_year) = if day_of_year >= 306 {
        (month - 12, 1)
    } else {
        (month, 0)
    };
    Civil {
        year: era * 400 + i64::from(100 * century + year_of_century) + next_year,
        month,
        day,
    }
}

/// A short text on the stack; the longest is `"294276-12-31T23:59:59.999999+00:00"` and a ` BC`.
struct Line {
    bytes: [u8; 48],
    length: usize,
}

/// `00` to `99`.
pub(super) static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut index = 0_u8;
    while index < 100 {
        pairs[index as usize] = [b'0' + index / 10, b'0' + index % 10];
        index += 1;
    }
    pairs
};

impl Line {
    fn open() -> Self {
        let mut bytes = [0; 48];
        bytes[0] = b'"';
        Self { bytes, length: 1 }
    }

    fn push(&mut self, text: &[u8]) {
        self.bytes[self.length..self.length + text.len()].copy_from_slice(text);
        self.length += text.len();
    }

    /// Two digits.
    fn pair(&mut self, number: u32) {
        self.push(&PAIRS[number as usize]);
    }

    /// `year-month-day`, the year as it is counted in its era, with at least four digits.
    fn date(&mut self, civil: Civil) {
        let year = if civil.year > 0 {
            civil.year
        } else {
            1 - civil.year
        };
        match u32::try_from(year) {
            Ok(year @ 0..=9_999) => {
                self.pair(year / 100);
                self.pair(year % 100);
            }
            _ => self.push(itoa::Buffer::new().format(year).as_bytes()),
        }
        self.push(b"-");
        self.pair(civil.month);
        self.push(b"-");
        self.pair(civil.day);
    }

    /// `hour:minute:second`, and a fraction without trailing zeros; `micros` are those of one day.
    fn time(&mut self, micros: i64) {
        let seconds = u32::try_from(micros / 1_000_000).expect("a day has 86,400 seconds");
        let fraction = u32::try_from(micros % 1_000_000).expect("a second has a million microseconds");
        self.pair(seconds / 3_600);
        self.push(b":");
        self.pair(seconds / 60 % 60);
        self.push(b":");
        self.pair(seconds % 60);
        if fraction != 0 {
            self.push(b".");
            self.pair(fraction / 10_000);
            self.pair(fraction / 100 % 100);
            self.pair(fraction % 100);
            while self.bytes[self.length - 1] == b'0' {
                self.length -= 1;
            }
        }
    }

    fn era(&mut self, civil: Civil) {
        if civil.year <= 0 {
            self.push(b" BC");
        }
    }

    fn close(mut self, out: &mut Buffer) {
        self.push(b"\"");
        out.extend_from_slice(&self.bytes[..self.length]);
    }
}

/// Puts two digits at a place of a line whose layout is known.
fn put(line: &mut [u8], place: usize, number: u32) {
    line[place..place + 2].copy_from_slice(&PAIRS[number as usize]);
}

/// Puts `2000-01-01` after the quote; the year must have four digits.
fn put_date(line: &mut [u8], year: u32, civil: Civil) {
    put(line, 1, year / 100);
    put(line, 3, year % 100);
    put(line, 6, civil.month);
    put(line, 9, civil.day);
}

/// The year, if it is one of our era with four digits, as nearly all are: what has it, has a known layout.
fn common_year(civil: Civil) -> Option<u32> {
    u32::try_from(civil.year)
        .ok()
        .filter(|year| (1..=9_999).contains(year))
}

/// Appends a `date`.
pub(super) fn write_date(raw: &[u8], out: &mut Buffer) -> Result<(), Malformed> {
    match i32::from_be_bytes(fixed(raw, "date")?) {
        i32::MAX => out.extend_from_array(b"\"infinity\""),
        i32::MIN => out.extend_from_array(b"\"-infinity\""),
        days => {
            let civil = civil_from_epoch_days(i64::from(days) + POSTGRES_EPOCH_DAYS);
            if let Some(year) = common_year(civil) {
                let mut line = *b"\"0000-00-00\"";
                put_date(&mut line, year, civil);
                out.extend_from_array(&line);
                return Ok(());
            }
            let mut line = Line::open();
            line.date(civil);
            line.era(civil);
            line.close(out);
        }
    }
    Ok(())
}

/// Appends a `time`; PostgreSQL knows 24:00:00 as well.
pub(super) fn write_time(raw: &[u8], out: &mut Buffer) -> Result<(), Malformed> {
    let micros = i64::from_be_bytes(fixed(raw, "time")?);
    if !(0..=DAY_MICROS).contains(&micros) {
        return Err(Malformed("time"));
    }
    let mut line = Line::open();
    line.time(micros);
    line.close(out);
    Ok(())
}

/// Appends a `timestamptz`.
pub(super) fn write_timestamp(raw: &[u8], out: &mut Buffer) -> Result<(), Malformed> {
    match i64::from_be_bytes(fixed(raw, "timestamp")?) {
        i64::MAX => out.extend_from_array(b"\"infinity\""),
        i64::MIN => out.extend_from_array(b"\"-infinity\""),
        micros => {
            let civil = civil_from_epoch_days(micros.div_euclid(DAY_MICROS) + POSTGRES_EPOCH_DAYS);
            if let Some(year) = common_year(civil) {
                write_common(year, civil, micros.rem_euclid(DAY_MICROS), out);
                return Ok(());
            }
            let mut line = Line::open();
            line.date(civil);
            line.push(b"T");
            line.time(micros.rem_euclid(DAY_MICROS));
            line.push(b"+00:00");
            line.era(civil);
            line.close(out);
        }
    }
    Ok(())
}

/// Appends a timestamp whose year has four digits.
fn write_common(year: u32, civil: Civil, micros: i64, out: &mut Buffer) {
    const OFFSET: &[u8; 7] = b"+00:00\"";
    let mut line = *b"\"0000-00-00T00:00:00.000000+00:00\"";
    let seconds = u32::try_from(micros / 1_000_000).expect("a day has 86,400 seconds");
    let fraction = u32::try_from(micros % 1_000_000).expect("a second has a million microseconds");
    put_date(&mut line, year, civil);
    put(&mut line, 12, seconds / 3_600);
    put(&mut line, 15, seconds / 60 % 60);
    put(&mut line, 18, seconds % 60);
    put(&mut line, 21, fraction / 10_000);
    put(&mut line, 23, fraction / 100 % 100);
    put(&mut line, 25, fraction % 100);
    if fraction % 10 != 0 {
        out.extend_from_array(&line);
        return;
    }
    let mut end = if fraction == 0 { 20 } else { 26 };
    while line[end - 1] == b'0' && end > 20 {
        end -= 1;
    }
    *out.block() = line;
    out.advance(end);
    out.extend_from_array(OFFSET);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Buffer) -> Result<(), Malformed>) -> String {
        let mut out = Buffer::new();
        write(&mut out).unwrap();
        String::from_utf8(out.into_vec()).unwrap()
    }

    #[test]
    fn dates_are_written_as_postgresql_writes_them() {
        for (days, text) in [
            (0, "\"2000-01-01\""),
            (59, "\"2000-02-29\""),
            (-730_119, "\"0001-01-01\""),
            (-730_120, "\"0001-12-31 BC\""),
            (-746_380, "\"0045-06-25 BC\""),
            (2_145_031_948, "\"5874897-12-31\""),
            (-2_451_545, "\"4714-11-24 BC\""),
            (i32::MAX, "\"infinity\""),
            (i32::MIN, "\"-infinity\""),
        ] {
            assert_eq!(written(|out| write_date(&days.to_be_bytes(), out)), text);
        }
    }

    #[test]
    fn every_day_of_an_era_follows_the_one_before() {
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let mut last = civil_from_epoch_days(-719_469);
        for days in -719_468..=146_097 - 719_468 {
            let civil = civil_from_epoch_days(days);
            let length = match last.month {
                2 if leap(last.year) => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let expected = match (last.month, last.day) {
                (12, 31) => Civil {
                    year: last.year + 1,
                    month: 1,
                    day: 1,
                },
                (month, day) if day == length => Civil {
                    year: last.year,
                    month: month + 1,
                    day: 1,
                },
                (month, day) => Civil {
                    year: last.year,
                    month,
                    day: day + 1,
                },
            };
            assert_eq!(civil, expected, "{days}");
            last = civil;
        }
        assert_eq!(
            civil_from_epoch_days(0),
            Civil {
                year: 1970,
                month: 1,
                day: 1
            }
        );
    }

    #[test]
    fn timestamps_are_written_as_postgresql_writes_them() {
        for (micros, text) in [
            (0, "\"2000-01-01T00:00:00+00:00\""),
            (-1, "\"1999-12-31T23:59:59.999999+00:00\""),
            (120_000, "\"2000-01-01T00:00:00.12+00:00\""),
            (100, "\"2000-01-01T00:00:00.0001+00:00\""),
            (-63_082_281_600_000_001, "\"0001-12-31T23:59:59.999999+00:00 BC\""),
            (
                9_223_371_331_199_999_999,
                "\"294276-12-31T23:59:59.999999+00:00\"",
            ),
            (i64::MAX, "\"infinity\""),
            (i64::MIN, "\"-infinity\""),
        ] {
            assert_eq!(written(|out| write_timestamp(&micros.to_be_bytes(), out)), text);
        }
    }

    #[test]
    fn times_are_written_as_postgresql_writes_them() {
        for (micros, text) in [
            (0_i64, "\"00:00:00\""),
            (43_200_500_000, "\"12:00:00.5\""),
            (DAY_MICROS - 1, "\"23:59:59.999999\""),
            (DAY_MICROS, "\"24:00:00\""),
        ] {
            assert_eq!(written(|out| write_time(&micros.to_be_bytes(), out)), text);
        }
        for micros in [-1, DAY_MICROS + 1, i64::MAX] {
            assert!(write_time(&micros.to_be_bytes(), &mut Buffer::new()).is_err());
        }
    }

    #[test]
    fn no_number_of_days_or_microseconds_is_too_much() {
        for micros in [i64::MIN + 1, i64::MAX - 1] {
            written(|out| write_timestamp(&micros.to_be_bytes(), out));
        }
        for days in [i32::MIN + 1, i32::MAX - 1] {
            written(|out| write_date(&days.to_be_bytes(), out));
        }
    }

    #[test]
    fn a_wrong_length_is_an_error() {
        assert!(write_date(&[0; 8], &mut Buffer::new()).is_err());
        assert!(write_time(&[0; 4], &mut Buffer::new()).is_err());
        assert!(write_timestamp(&[], &mut Buffer::new()).is_err());
    }
}
