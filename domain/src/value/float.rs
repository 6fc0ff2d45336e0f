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
