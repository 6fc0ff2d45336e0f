//! Decimal numbers from text and to text.
//!
//! No locale: a point, no grouping of digits.

use std::fmt;
use std::str::FromStr;

use super::decimal::{Decimal, DecimalSign, MAX_INTEGER_DIGITS, MAX_SCALE};
use super::error::ValueError;
use crate::field_type::ScalarType;

impl FromStr for Decimal {
    type Err = ValueError;

    /// Reads `-12.50`, `1e3`, `.5`, `5.`, and `NaN`, `Infinity`, `inf` in any case, as PostgreSQL does.
    ///
    /// The size is judged before any digit is made, so that a few bytes of exponent cost nothing.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if let Some(special) = special(text, unsigned, negative) {
            return Ok(special);
        }
        let parts = Parts::split(unsigned).ok_or_else(|| ValueError::malformed(ScalarType::Decimal, text))?;
        parts.number(negative).ok_or(ValueError::OutOfRange {
            ty: ScalarType::Decimal,
        })
    }
}

fn special(text: &str, unsigned: &str, negative: bool) -> Option<Decimal> {
    // A number is by far the likeliest.
    if unsigned.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    if text.eq_ignore_ascii_case("nan") {
        return Some(Decimal::NAN);
    }
    (unsigned.eq_ignore_ascii_case("infinity") || unsigned.eq_ignore_ascii_case("inf")).then_some(
        if negative {
            Decimal::NEG_INFINITY
        } else {
            Decimal::INFINITY
        },
    )
}

/// A number taken apart as written.
struct Parts<'a> {
    integer: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Parts<'a> {
    fn split(unsigned: &'a str) -> Option<Self> {
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => (&unsigned[..at], read_exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if integer.len() + fraction.len() == 0 || !all_digits(integer) || !all_digits(fraction) {
            return None;
        }
        Some(Self {
            integer: integer.as_bytes(),
            fraction: fraction.as_bytes(),
            exponent,
        })
    }

    fn digit(&self, index: usize) -> u8 {
        match self.integer.get(index) {
            Some(digit) => digit - b'0',
            None => self.fraction[index - self.integer.len()] - b'0',
        }
    }

    /// The number, unless it is out of range.
    fn number(&self, negative: bool) -> Option<Decimal> {
        let signed = |length: usize| i64::try_from(length).expect("a text is shorter than 2^63");
        let scale = (signed(self.fraction.len()) - self.exponent).max(0);
        let scale = u16::try_from(scale).ok().filter(|&scale| scale <= MAX_SCALE)?;
        let count = self.integer.len() + self.fraction.len();
        let Some(first) = (0..count).find(|&index| self.digit(index) != 0) else {
            return Some(Decimal::from_digits(DecimalSign::Positive, 0, scale, &[]));
        };
        let last = (0..count)
            .rfind(|&index| self.digit(index) != 0)
            .expect("there is a first");
        // The power of ten that each digit counts.
        let exponent_of = |index: usize| signed(self.integer.len()) + self.exponent - 1 - signed(index);
        if exponent_of(first) >= signed(MAX_INTEGER_DIGITS) {
            return None;
        }
        let weight = exponent_of(first).div_euclid(4);
        let lowest = exponent_of(last).div_euclid(4);
        let groups = usize::try_from(weight - lowest + 1).expect("the first digit is not below the last");
        let mut small = [0; 4];
        let mut large = Vec::new();
        let digits = if groups <= small.len() {
            &mut small[..groups]
        } else {
            large.resize(groups, 0);
            &mut large[..]
        };
        let mut group = 0;
        let mut place = exponent_of(first).rem_euclid(4);
        for index in first..=last {
            digits[group] = digits[group] * 10 + u16::from(self.digit(index));
            if place == 0 {
                place = 4;
                group += 1;
            }
            place -= 1;
        }
        // A last group that is not full lacks zeros on the right.
        for _ in 0..exponent_of(last).rem_euclid(4) {
            digits[groups - 1] *= 10;
        }
        let sign = if negative {
            DecimalSign::Negative
        } else {
            DecimalSign::Positive
        };
        let weight = i16::try_from(weight).expect("131072 digits are at most 32768 groups");
        Some(Decimal::from_digits(sign, weight, scale, digits))
    }
}

/// An exponent beyond every limit.
const ENOUGH: i64 = 1 << 40;

/// Reads an exponent; one too large to matter stays too large.
fn read_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits
        .bytes()
        .fold(0, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(ENOUGH));
    Some(if negative { -value } else { value })
}

impl Decimal {
    pub(super) fn push(&self, out: &mut String) {
        match self.sign() {
            DecimalSign::NaN => return out.push_str("NaN"),
            DecimalSign::Infinity => return out.push_str("Infinity"),
            DecimalSign::NegInfinity => return out.push_str("-Infinity"),
            DecimalSign::Negative => out.push('-'),
            DecimalSign::Positive => {}
        }
        let digits = self.digits();
        let weight = i32::from(self.weight());
        let group = |exponent: i32| {
            usize::try_from(weight - exponent)
                .ok()
                .and_then(|index| digits.get(index))
                .copied()
                .unwrap_or(0)
        };
        out.push_str(itoa::Buffer::new().format(group(weight.max(0))));
        for exponent in (0..weight).rev() {
            push_group(out, group(exponent), 4);
        }
        let mut missing = usize::from(self.scale());
        if missing > 0 {
            out.push('.');
        }
        let mut exponent = -1;
        while missing > 0 {
            push_group(out, group(exponent), missing.min(4));
            missing = missing.saturating_sub(4);
            exponent -= 1;
        }
    }
}

/// Appends the first `places` of a group's four decimal digits.
fn push_group(out: &mut String, group: u16, places: usize) {
    for divisor in [1000, 100, 10, 1].into_iter().take(places) {
        out.push(char::from(
            b'0' + u8::try_from(group / divisor % 10).expect("one digit"),
        ));
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push(&mut text);
        f.pad(&text)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({self})")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_and_printed_as_postgresql_prints_them() {
        for (text, printed) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "0.0"),
            ("+7", "7"),
            ("007.50", "7.50"),
            ("1.10", "1.10"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-.5e-3", "-0.0005"),
            ("1e3", "1000"),
            ("1.10e1", "11.0"),
            ("1E+4", "10000"),
            ("12345e-2", "123.45"),
            ("0e-5", "0.00000"),
            ("0e200000", "0"),
            ("0.00000", "0.00000"),
            ("10000", "10000"),
            ("100000000.0000", "100000000.0000"),
            ("0.00010001", "0.00010001"),
            ("99999999999999999999.9999", "99999999999999999999.9999"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("nan", "NaN"),
            ("inf", "Infinity"),
            ("+Infinity", "Infinity"),
            ("-INF", "-Infinity"),
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), printed, "{text}");
        }
    }

    #[test]
    fn digits_and_weight_are_those_of_the_binary_form() {
        for (text, weight, scale, digits) in [
            ("0.00", 0, 2, &[][..]),
            ("1", 0, 0, &[1]),
            ("10000", 1, 0, &[1]),
            ("12345.678", 1, 3, &[1, 2345, 6780]),
            ("0.0001", -1, 4, &[1]),
            ("0.00001", -2, 5, &[1000]),
            ("100000000", 2, 0, &[1]),
            ("1.10", 0, 2, &[1, 1000]),
            ("1e131071", 32767, 0, &[1000]),
            ("1e-16383", -4096, 16383, &[10]),
            ("123456789012345678.9", 4, 1, &[12, 3456, 7890, 1234, 5678, 9000]),
        ] {
            let number: Decimal = text.parse().unwrap();
            assert_eq!(
                (number.weight(), number.scale(), number.digits()),
                (weight, scale, digits),
                "{text}"
            );
            assert_eq!(number.sign(), DecimalSign::Positive);
            let rebuilt = Decimal::from_binary_parts(number.sign(), weight, scale, digits).unwrap();
            assert_eq!(rebuilt.to_string(), number.to_string());
        }
    }

    #[test]
    fn size_is_judged_before_digits_are_made() {
        for text in [
            "1e131072",
            "1e999999999999999999999999",
            "1e-16384",
            "0e-16384",
            "1e-99999999999999999999",
            &"1".repeat(131_073),
            &format!("0.{}", "0".repeat(16_384)),
        ] {
            let error = text.parse::<Decimal>().unwrap_err();
            assert_eq!(error.code(), "out_of_range", "{}", &text[..10]);
        }
        assert_eq!("1e131071".parse::<Decimal>().unwrap().to_string().len(), 131_072);
        assert_eq!("1e-16383".parse::<Decimal>().unwrap().to_string().len(), 16_385);
        let most = format!("{}.{}", "9".repeat(131_072), "9".repeat(16_383));
        assert_eq!(most.parse::<Decimal>().unwrap().to_string(), most);
        // Zeros in front are no digits.
        assert_eq!(
            format!("{}1", "0".repeat(200_000))
                .parse::<Decimal>()
                .unwrap()
                .to_string(),
            "1"
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", ".", "-", "+", "e1", "1e", "1e+", "1e1.5", "1.2.3", "--1", "1 ", " 1", "0x10", "1_000",
            "+nan", "-nan", "infinit", "١",
        ] {
            assert_eq!(
                text.parse::<Decimal>().unwrap_err().code(),
                "invalid_decimal",
                "{text}"
            );
        }
    }

    /// Compares two plain numbers (`-12.50`) by their digits.
    fn compare_texts(left: &str, right: &str) -> Ordering {
        let key = |text: &str| {
            let unsigned = text.trim_start_matches('-').to_owned();
            let (integer, fraction) = unsigned.split_once('.').unwrap_or((&unsigned, ""));
            (format!("{integer:0>60}{fraction:0<60}"), text.starts_with('-'))
        };
        let ((left, left_negative), (right, right_negative)) = (key(left), key(right));
        let zero = |digits: &str| digits.bytes().all(|digit| digit == b'0');
        match (left_negative && !zero(&left), right_negative && !zero(&right)) {
            (false, false) => left.cmp(&right),
            (true, true) => right.cmp(&left),
            (left_below, right_below) => right_below.cmp(&left_below),
        }
    }

    proptest! {
        #[test]
        fn plain_numbers_come_back_as_written(text in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?") {
            let number: Decimal = text.parse().unwrap();
            let zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-'));
            prop_assert_eq!(number.to_string(), if zero { text.trim_start_matches('-') } else { &text });
            let rebuilt = Decimal::from_binary_parts(number.sign(), number.weight(), number.scale(), number.digits());
            prop_assert_eq!(rebuilt.unwrap().to_string(), number.to_string());
        }

        #[test]
        fn exponents_only_move_the_point(digits in "[1-9][0-9]{0,20}", places in 0_usize..40) {
            let moved: Decimal = format!("{digits}e-{places}").parse().unwrap();
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (integer, fraction) = padded.split_at(padded.len() - places);
            let plain = if places == 0 { integer.to_owned() } else { format!("{integer}.{fraction}") };
            prop_assert_eq!(moved.to_string(), plain);
            let grown: Decimal = format!("{digits}e{places}").parse().unwrap();
            prop_assert_eq!(grown.to_string(), format!("{digits}{}", "0".repeat(places)));
        }

        #[test]
        fn order_is_that_of_the_written_numbers(
            left in "-?[0-9]{1,6}(\\.[0-9]{0,6})?",
            right in "-?[0-9]{1,6}(\\.[0-9]{0,6})?",
        ) {
            let order = left.parse::<Decimal>().unwrap().cmp(&right.parse().unwrap());
            prop_assert_eq!(order, compare_texts(&left, &right));
        }

        #[test]
        fn random_text_never_panics(text in "[-+0-9.eEnaif]{0,12}|.{0,12}") {
            let _ = text.parse::<Decimal>();
        }
    }
}
