//! The pieces that dates, times and timestamps are written with.
//!
//! Pieces only: what they make together, and its range, is the business of the types.

use super::calendar::Civil;

/// Microseconds in a second.
pub(super) const SECOND: i64 = 1_000_000;
/// Microseconds in a day.
pub(super) const DAY: i64 = 86_400 * SECOND;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    Ad,
    Bc,
}

/// Takes ` BC` (or ` AD`) off the end.
pub(super) fn split_era(text: &str) -> (&str, Era) {
    let cut = text.len().wrapping_sub(3);
    match text.get(cut..) {
        Some(end) if end.eq_ignore_ascii_case(" bc") => (&text[..cut], Era::Bc),
        Some(end) if end.eq_ignore_ascii_case(" ad") => (&text[..cut], Era::Ad),
        _ => (text, Era::Ad),
    }
}

/// `YYYY-MM-DD` as written.
#[derive(Debug, Clone, Copy)]
pub(super) struct DateText {
    year: i64,
    month: u8,
    day: u8,
}

impl DateText {
    /// Reads a date from the front and gives what follows it.
    pub(super) fn read(text: &str) -> Option<(Self, &str)> {
        let year_digits = text.bytes().take_while(u8::is_ascii_digit).count();
        // Seven digits are enough for PostgreSQL's last year; fewer than four would be a guess.
        if !(4..=7).contains(&year_digits) {
            return None;
        }
        let year = text[..year_digits].parse().ok()?;
        let rest = text[year_digits..].strip_prefix('-')?;
        let (month, rest) = two_digits(rest)?;
        let (day, rest) = two_digits(rest.strip_prefix('-')?)?;
        Some((Self { year, month, day }, rest))
    }

    /// The date, if the calendar has it. There is no year zero.
    pub(super) fn civil(self, era: Era) -> Option<Civil> {
        if self.year == 0 {
            return None;
        }
        let year = match era {
            Era::Ad => self.year,
            Era::Bc => 1 - self.year,
        };
        let civil = Civil {
            year,
            month: self.month,
            day: self.day,
        };
        civil.exists().then_some(civil)
    }
}

/// Why a time of day does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeProblem {
    Malformed,
    TooPrecise,
}

/// Reads `HH:MM[:SS[.ffffff]]` from the front: microseconds since midnight, and what follows.
///
/// As in PostgreSQL 24:00:00 is the end of the day, and a 60th second the next minute.
pub(super) fn read_time(text: &str) -> Result<(i64, &str), TimeProblem> {
    let malformed = TimeProblem::Malformed;
    let (hour, rest) = two_digits(text).ok_or(malformed)?;
    let (minute, mut rest) = rest.strip_prefix(':').and_then(two_digits).ok_or(malformed)?;
    let mut second = 0;
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix(':') {
        (second, rest) = two_digits(after).ok_or(malformed)?;
        if let Some(after) = rest.strip_prefix('.') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return Err(malformed);
            }
            fraction = read_fraction(&after.as_bytes()[..digits])?;
            rest = &after[digits..];
        }
    }
    let micros = (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * SECOND + fraction;
    let exists = minute < 60 && (second < 60 || (second == 60 && fraction == 0)) && micros <= DAY;
    if exists {
        Ok((micros, rest))
    } else {
        Err(malformed)
    }
}

fn read_fraction(digits: &[u8]) -> Result<i64, TimeProblem> {
    let kept = digits.len().min(6);
    if digits[kept..].iter().any(|&digit| digit != b'0') {
        return Err(TimeProblem::TooPrecise);
    }
    let value = digits[..kept]
        .iter()
        .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Ok((kept..6).fold(value, |value, _| value * 10))
}

/// Reads the whole of `Z`, `±HH`, `±HHMM`, `±HH:MM` or `±HH:MM:SS` (nothing means UTC): microseconds east of Greenwich.
pub(super) fn read_offset(text: &str) -> Option<i64> {
    if text.is_empty() || text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match text.as_bytes()[0] {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, rest) = two_digits(rest)?;
    let (minutes, seconds, rest) = if rest.is_empty() {
        (0, 0, rest)
    } else if let Some(rest) = rest.strip_prefix(':') {
        let (minutes, rest) = two_digits(rest)?;
        match rest.strip_prefix(':') {
            Some(rest) => {
                let (seconds, rest) = two_digits(rest)?;
                (minutes, seconds, rest)
            }
            None => (minutes, 0, rest),
        }
    } else {
        let (minutes, rest) = two_digits(rest)?;
        (minutes, 0, rest)
    };
    // PostgreSQL takes displacements below 16 hours.
    if !rest.is_empty() || hours > 15 || minutes > 59 || seconds > 59 {
        return None;
    }
    Some(sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60 + i64::from(seconds)) * SECOND)
}

fn two_digits(text: &str) -> Option<(u8, &str)> {
    match text.as_bytes() {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', ..] => {
            Some(((tens - b'0') * 10 + (ones - b'0'), &text[2..]))
        }
        _ => None,
    }
}

/// Appends `HH:MM:SS` and the fraction without trailing zeros, as PostgreSQL prints it.
pub(super) fn push_time(out: &mut String, micros: i64) {
    let small =
        |number: i64| u8::try_from(number).expect("hours, minutes and seconds of one day are below 100");
    let seconds = micros / SECOND;
    super::calendar::push_two(out, small(seconds / 3600));
    out.push(':');
    super::calendar::push_two(out, small(seconds / 60 % 60));
    out.push(':');
    super::calendar::push_two(out, small(seconds % 60));
    let mut rest = micros % SECOND;
    if rest != 0 {
        out.push('.');
        let mut unit = SECOND / 10;
        while rest != 0 {
            out.push(char::from(b'0' + small(rest / unit)));
            rest %= unit;
            unit /= 10;
        }
    }
}
