//! Integers, floats and numerics, digit for digit as PostgreSQL prints them.

use rowstamp_domain::json_text::Buffer;

use super::datetime::PAIRS;
use super::{Malformed, Quotes};

/// Appends an integer.
pub(super) fn write_integer(value: impl itoa::Integer, out: &mut Buffer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a float: the shortest digits that read back as the same number, positional where the decimal exponent
/// is above -5 and below 15, else `1e+15`, `1.5e-07`.
pub(super) fn write_float<F: zmij::Float + Into<f64> + Copy>(value: F, out: &mut Buffer, quotes: Quotes) {
    let wide: f64 = value.into();
    if !wide.is_finite() {
        let text: &[u8] = if wide.is_nan() {
            b"NaN"
        } else if wide > 0.0 {
            b"Infinity"
        } else {
            b"-Infinity"
        };
        return write_word(text, out, quotes);
    }
    let mut buffer = zmij::Buffer::new();
    lay_out(buffer.format_finite(value).as_bytes(), out);
}

/// A word in place of a number, in quotes unless they are there.
fn write_word(word: &[u8], out: &mut Buffer, quotes: Quotes) {
    if quotes == Quotes::WhereNeeded {
        out.push(b'"');
        out.extend_from_slice(word);
        out.push(b'"');
    } else {
        out.extend_from_slice(word);
    }
}

/// Takes a printed float apart and prints it again in PostgreSQL's layout.
fn lay_out(printed: &[u8], out: &mut Buffer) {
    let mut digits = [0_u8; 24];
    let mut count = 0_usize;
    // Where the point stands, counted in digits from the first one that is not zero.
    let mut point = 0_i32;
    let mut exponent = 0_i32;
    let mut seen_point = false;
    let mut rest = printed;
    if let Some(positive) = rest.strip_prefix(b"-") {
        out.push(b'-');
        rest = positive;
    }
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'.' => seen_point = true,
            b'e' | b'E' => {
                let text = rest.strip_prefix(b"+").unwrap_or(rest);
                let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |text| (true, text));
                exponent = text
                    .iter()
                    .fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
                if negative {
                    exponent = -exponent;
                }
                break;
            }
            b'0' if count == 0 => point -= i32::from(seen_point),
            digit => {
                if count < digits.len() {
                    digits[count] = digit;
                    count += 1;
                }
                point += i32::from(!seen_point);
            }
        }
    }
    while count > 0 && digits[count - 1] == b'0' {
        count -= 1;
    }
    let digits = &digits[..count];
    let Some((&first, following)) = digits.split_first() else {
        out.push(b'0');
        return;
    };
    let point = point + exponent;
    let exponent = point - 1;
    if exponent > -5 && exponent < 15 {
        positional(digits, point, out);
    } else {
        out.push(first);
        if !following.is_empty() {
            out.push(b'.');
            out.extend_from_slice(following);
        }
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        let magnitude = exponent.unsigned_abs();
        if magnitude < 10 {
            out.push(b'0');
        }
        write_integer(magnitude, out);
    }
}

/// `digits` with the point after the first `point` of them, which may lie before or behind them all.
fn positional(digits: &[u8], point: i32, out: &mut Buffer) {
    let Ok(whole) = usize::try_from(point) else {
        out.extend_from_slice(b"0.");
        write_zeros(point.unsigned_abs() as usize, out);
        out.extend_from_slice(digits);
        return;
    };
    if whole == 0 {
        out.extend_from_slice(b"0.");
        out.extend_from_slice(digits);
    } else if let Some((before, after)) = digits.split_at_checked(whole)
        && !after.is_empty()
    {
        out.extend_from_slice(before);
        out.push(b'.');
        out.extend_from_slice(after);
    } else {
        out.extend_from_slice(digits);
        write_zeros(whole - digits.len(), out);
    }
}

fn write_zeros(count: usize, out: &mut Buffer) {
    out.ahead(count)[..count].fill(b'0');
    out.advance(count);
}

/// What stands before a numeric's digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NumericHeader<'a> {
    pub(crate) sign: NumericSign,
    /// The power of 10,000 of the first group.
    pub(crate) weight: i16,
    /// Digits after the point that are shown.
    pub(crate) scale: u16,
    /// Groups of four digits, two bytes each.
    pub(crate) groups: &'a [u8],
}

/// The sign of a numeric, or what it is instead of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumericSign {
    Positive,
    Negative,
    NaN,
    Infinity,
    NegativeInfinity,
}

const MALFORMED: Malformed = Malformed("numeric");

impl<'a> NumericHeader<'a> {
    /// Reads number of groups, weight, sign and display scale, two bytes each.
    pub(crate) fn read(raw: &'a [u8]) -> Result<Self, Malformed> {
        let (header, groups) = raw.split_first_chunk::<8>().ok_or(MALFORMED)?;
        let [
            count_high,
            count_low,
            weight_high,
            weight_low,
            sign_high,
            sign_low,
            scale_high,
            scale_low,
        ] = *header;
        let sign = match u16::from_be_bytes([sign_high, sign_low]) {
            0x0000 => NumericSign::Positive,
            0x4000 => NumericSign::Negative,
            0xC000 => NumericSign::NaN,
            0xD000 => NumericSign::Infinity,
            0xF000 => NumericSign::NegativeInfinity,
            _ => return Err(MALFORMED),
        };
        let scale = u16::from_be_bytes([scale_high, scale_low]);
        let count = usize::from(u16::from_be_bytes([count_high, count_low]));
        if groups.len() != count * 2 || (scale > 0x3FFF && !sign.is_special()) {
            return Err(MALFORMED);
        }
        Ok(Self {
            sign,
            weight: i16::from_be_bytes([weight_high, weight_low]),
            scale,
            groups,
        })
    }

    /// The group at a power of 10,000; zero where none is stored.
    fn group(&self, power: i32) -> Result<u16, Malformed> {
        let Ok(index) = usize::try_from(i32::from(self.weight) - power) else {
            return Ok(0);
        };
        match self.groups.get(index * 2..index * 2 + 2) {
            Some(&[high, low]) => {
                let group = u16::from_be_bytes([high, low]);
                if group < 10_000 { Ok(group) } else { Err(MALFORMED) }
            }
            _ => Ok(0),
        }
    }
}

impl NumericSign {
    /// The name of a numeric that is no number.
    pub(crate) fn word(self) -> Option<&'static str> {
        match self {
            Self::Positive | Self::Negative => None,
            Self::NaN => Some("NaN"),
            Self::Infinity => Some("Infinity"),
            Self::NegativeInfinity => Some("-Infinity"),
        }
    }

    fn is_special(self) -> bool {
        self.word().is_some()
    }
}

/// Appends a `numeric` with every digit and its display scale.
pub(super) fn write_numeric(raw: &[u8], out: &mut Buffer, quotes: Quotes) -> Result<(), Malformed> {
    let header = NumericHeader::read(raw)?;
    match header.sign.word() {
        Some(word) => {
            write_word(word.as_bytes(), out, quotes);
            Ok(())
        }
        None => write_digits(&header, out),
    }
}

/// Appends sign, digits and point.
pub(crate) fn write_digits(header: &NumericHeader<'_>, out: &mut Buffer) -> Result<(), Malformed> {
    let whole_groups = usize::try_from(i32::from(header.weight) + 1).unwrap_or(0);
    out.reserve(whole_groups * 4 + usize::from(header.scale) + 8);
    if header.sign == NumericSign::Negative {
        out.push(b'-');
    }
    let start = out.len();
    for power in (0..=i32::from(header.weight)).rev() {
        let group = header.group(power)?;
        if out.len() == start {
            if group != 0 {
                write_integer(group, out);
            }
        } else {
            out.extend_from_array(&four_digits(group));
        }
    }
    if out.len() == start {
        out.push(b'0');
    }
    let mut wanted = usize::from(header.scale);
    if wanted > 0 {
        out.push(b'.');
    }
    let mut power = -1;
    while wanted > 0 {
        let digits = four_digits(header.group(power)?);
        let taken = wanted.min(4);
        *out.block() = digits;
        out.advance(taken);
        wanted -= taken;
        power -= 1;
    }
    Ok(())
}

/// A group with its leading zeros.
fn four_digits(group: u16) -> [u8; 4] {
    let [thousands, hundreds] = PAIRS[usize::from(group / 100)];
    let [tens, ones] = PAIRS[usize::from(group % 100)];
    [thousands, hundreds, tens, ones]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn float(value: f64) -> String {
        let mut out = Buffer::new();
        write_float(value, &mut out, Quotes::WhereNeeded);
        String::from_utf8(out.into_vec()).unwrap()
    }

    #[test]
    fn floats_are_laid_out_as_postgresql_lays_them_out() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (10.0, "10"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.000_123, "0.000123"),
            (0.000_01, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e14, "100000000000000"),
            (123_456_789_012_345.6, "123456789012345.6"),
            (1e15, "1e+15"),
            (1.25e100, "1.25e+100"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (f64::NAN, "\"NaN\""),
            (f64::INFINITY, "\"Infinity\""),
            (f64::NEG_INFINITY, "\"-Infinity\""),
        ] {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn single_floats_keep_their_own_shortest_digits() {
        let mut out = Buffer::new();
        write_float(0.1_f32, &mut out, Quotes::WhereNeeded);
        assert_eq!(out.as_slice(), b"0.1");
    }

    fn raw(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Vec<u8> {
        let mut raw = Vec::new();
        raw.extend(u16::try_from(groups.len()).unwrap().to_be_bytes());
        raw.extend(weight.to_be_bytes());
        raw.extend(sign.to_be_bytes());
        raw.extend(scale.to_be_bytes());
        for group in groups {
            raw.extend(group.to_be_bytes());
        }
        raw
    }

    fn numeric(raw: &[u8]) -> Result<String, Malformed> {
        let mut out = Buffer::new();
        write_numeric(raw, &mut out, Quotes::WhereNeeded)?;
        Ok(String::from_utf8(out.into_vec()).unwrap())
    }

    #[test]
    fn numerics_keep_every_digit_and_their_scale() {
        for (raw, text) in [
            (raw(0, 0, 0, &[]), "0"),
            (raw(0, 0, 2, &[]), "0.00"),
            (raw(0, 0, 0, &[1]), "1"),
            (raw(0, 0x4000, 2, &[12, 3_400]), "-12.34"),
            (raw(0, 0, 1, &[12, 3_400]), "12.3"),
            (raw(1, 0, 0, &[1]), "10000"),
            (raw(1, 0, 3, &[1, 0, 5]), "10000.000"),
            (raw(2, 0, 0, &[1, 2, 3]), "100020003"),
            (raw(-1, 0, 4, &[1]), "0.0001"),
            (raw(-2, 0, 8, &[1_234]), "0.00001234"),
            (raw(-2, 0, 6, &[1_200]), "0.000012"),
            (raw(0, 0xC000, 0, &[]), "\"NaN\""),
            (raw(0, 0xD000, 0x20, &[]), "\"Infinity\""),
            (raw(0, 0xF000, 0x20, &[]), "\"-Infinity\""),
        ] {
            assert_eq!(numeric(&raw).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_malformed_numeric_is_an_error() {
        let whole = raw(0, 0, 2, &[12, 3_400]);
        for length in 0..whole.len() {
            assert!(numeric(&whole[..length]).is_err());
        }
        assert!(numeric(&raw(0, 0, 0, &[10_000])).is_err());
        assert!(numeric(&raw(0, 1, 0, &[1])).is_err());
        assert!(numeric(&raw(0, 0, 0xFFFF, &[1])).is_err());
    }
}
