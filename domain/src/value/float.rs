//! 64-bit floats from text and to text.
//!
//! Hexadecimal and the other forms that Rust or C also read are not known here.

use super::error::ValueError;
use crate::field_type::ScalarType;

/// Reads a number, or `NaN`, `Infinity`, `inf` in any case.
///
/// # Errors
/// `Malformed`; `OutOfRange` where a number would become an infinity, or one that is not zero would become zero, as
/// PostgreSQL has it.
pub(super) fn read(text: &str) -> Result<f64, ValueError> {
    let number: f64 = text
        .parse()
        .map_err(|_| ValueError::malformed(ScalarType::Float, text))?;
    let written_as_number = text.bytes().any(|byte| byte.is_ascii_digit());
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let vanished = number == 0.0 && mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    if vanished || (written_as_number && number.is_infinite()) {
        return Err(ValueError::OutOfRange {
            ty: ScalarType::Float,
        });
    }
    Ok(number)
}

/// Appends the shortest digits that read back as the same number, laid out as PostgreSQL does: positional for
/// exponents from -4 to 14, else with an exponent of two digits at least.
///
/// For a few numbers, such as `1e23`, the shortest digits lie exactly half-way to a neighbour and read back only
/// because ties go to even. PostgreSQL prints more digits there (`9.999999999999999e+22`); the same double is meant.
pub(super) fn push(out: &mut String, number: f64) {
    if number.is_nan() {
        return out.push_str("NaN");
    }
    if number.is_sign_negative() {
        out.push('-');
    }
    if number.is_infinite() {
        return out.push_str("Infinity");
    }
    let mut buffer = zmij::Buffer::new();
    let shortest = Shortest::of(buffer.format_finite(number.abs()));
    shortest.push(out);
}

/// The significant digits, and the power of ten that the first one counts.
struct Shortest {
    digits: String,
    exponent: i32,
}

impl Shortest {
    /// Takes apart digits in whatever layout they come.
    fn of(printed: &str) -> Self {
        let (mantissa, exponent) = printed.split_once('e').unwrap_or((printed, "0"));
        let exponent: i32 = exponent.parse().expect("an exponent is a small integer");
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [integer, fraction].concat();
        let leading = all.bytes().take_while(|&byte| byte == b'0').count();
        let digits = all[leading..].trim_end_matches('0').to_owned();
        let before_point = i32::try_from(integer.len()).expect("at most a few hundred digits");
        let leading = i32::try_from(leading).expect("at most a few hundred digits");
        if digits.is_empty() {
            return Self {
                digits: "0".to_owned(),
                exponent: 0,
            };
        }
        Self {
            digits,
            exponent: exponent + before_point - leading - 1,
        }
    }

    fn push(&self, out: &mut String) {
        let digits = &self.digits;
        match usize::try_from(self.exponent) {
            Ok(exponent @ 0..=14) => {
                let integer = digits.len().min(exponent + 1);
                out.push_str(&digits[..integer]);
                out.extend(std::iter::repeat_n('0', exponent + 1 - integer));
                if digits.len() > integer {
                    out.push('.');
                    out.push_str(&digits[integer..]);
                }
            }
            Err(_) if self.exponent >= -4 => {
                out.push_str("0.");
                out.extend((1..-self.exponent).map(|_| '0'));
                out.push_str(digits);
            }
            _ => {
                out.push_str(&digits[..1]);
                if digits.len() > 1 {
                    out.push('.');
                    out.push_str(&digits[1..]);
                }
                out.push_str(if self.exponent < 0 { "e-" } else { "e+" });
                let exponent = self.exponent.unsigned_abs();
                if exponent < 10 {
                    out.push('0');
                }
                out.push_str(itoa::Buffer::new().format(exponent));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use proptest::prelude::*;

    use super::*;

    fn printed(number: f64) -> String {
        let mut text = String::new();
        push(&mut text, number);
        text
    }

    #[test]
    fn the_layout_is_postgresqls() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (100_000.0, "100000"),
            (123_456.789, "123456.789"),
            (1e14, "100000000000000"),
            (123_456_789_012_345.0, "123456789012345"),
            (1_234_567_890_123_456.0, "1.234567890123456e+15"),
            (1e15, "1e+15"),
            (9_007_199_254_740_993.0, "9.007199254740992e+15"),
            (0.0001, "0.0001"),
            (0.000_123_4, "0.0001234"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e100, "1e+100"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(printed(number), text);
        }
    }

    #[test]
    fn what_a_double_cannot_hold_is_refused() {
        for text in ["1e400", "-1e309", "1e-400", "0.0000000001e-320"] {
            assert_eq!(read(text).unwrap_err().code(), "out_of_range", "{text}");
        }
        for text in ["", "x", "1,5", "0x10", "1 ", "--1", "e5", "."] {
            assert_eq!(read(text).unwrap_err().code(), "invalid_float", "{text}");
        }
        for (text, number) in [
            ("0e-999", 0.0),
            ("0e999", 0.0),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("1e5", 1e5),
        ] {
            assert_eq!(read(text).unwrap().to_bits(), f64::to_bits(number), "{text}");
        }
        assert!(read("NaN").unwrap().is_nan());
    }

    proptest! {
        #[test]
        fn every_double_comes_back(number in any::<f64>()) {
            let text = printed(number);
            let back = read(&text).unwrap();
            prop_assert!(back.to_bits() == number.to_bits() || (back.is_nan() && number.is_nan()), "{}", text);
        }
    }
}
