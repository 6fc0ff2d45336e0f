//! Arithmetic of `numeric`, as much of it as sums, averages and casts need.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use rowstamp_domain::value::{Decimal, DecimalSign};

/// A number as `unscaled / 10^scale`.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    unscaled: BigInt,
    scale: u16,
}

impl Number {
    /// The number; nothing for NaN and the infinities.
    pub(crate) fn of(decimal: &Decimal) -> Option<Self> {
        if !decimal.is_finite() {
            return None;
        }
        let text = decimal.to_string();
        let (integer, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let unscaled = [integer, fraction].concat().parse().ok()?;
        Some(Self {
            unscaled,
            scale: decimal.scale(),
        })
    }

    pub(crate) fn zero() -> Self {
        Self::from(0)
    }

    fn at_scale(&self, scale: u16) -> BigInt {
        &self.unscaled * power_of_ten(u32::from(scale - self.scale))
    }

    /// The sum has the greater of the scales.
    #[must_use]
    pub(crate) fn plus(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self {
            unscaled: self.at_scale(scale) + other.at_scale(scale),
            scale,
        }
    }

    /// Divides as PostgreSQL does: to at least 16 significant digits, and rounded half away from zero.
    #[must_use]
    pub(crate) fn divided_by(&self, divisor: u64) -> Self {
        let divisor = Self::from(divisor);
        let scale = division_scale(self, &divisor);
        let shifted = &self.unscaled * power_of_ten(u32::from(scale.saturating_sub(self.scale)));
        let lost = power_of_ten(u32::from(self.scale.saturating_sub(scale)));
        Self {
            unscaled: rounded(&shifted, &(divisor.unscaled * lost)),
            scale,
        }
    }

    /// As a whole number, rounded half away from zero.
    pub(crate) fn to_whole(&self) -> BigInt {
        rounded(&self.unscaled, &power_of_ten(u32::from(self.scale)))
    }

    /// As the value it is; nothing where it is beyond `numeric`.
    pub(crate) fn to_decimal(&self) -> Option<Decimal> {
        let digits = self.unscaled.magnitude().to_string();
        let scale = usize::from(self.scale);
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (integer, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.unscaled.sign() == Sign::Minus {
            "-"
        } else {
            ""
        };
        let point = if scale == 0 { "" } else { "." };
        format!("{sign}{integer}{point}{fraction}").parse().ok()
    }

    /// The first digit of base 10,000 and the power of it that it counts.
    fn first_digit(&self) -> (u32, i32) {
        let digits = self.unscaled.magnitude().to_string();
        if digits == "0" {
            return (0, 0);
        }
        let top = i32::try_from(digits.len()).unwrap_or(i32::MAX) - i32::from(self.scale) - 1;
        let weight = top.div_euclid(4);
        let taken = usize::try_from(top.rem_euclid(4)).unwrap_or(0) + 1;
        let first = format!("{digits:0<4}")[..taken].parse().unwrap_or(0);
        (first, weight)
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self {
            unscaled: number.into(),
            scale: 0,
        }
    }
}

fn power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

/// How many digits after the point PostgreSQL gives a quotient (`select_div_scale`).
fn division_scale(number: &Number, divisor: &Number) -> u16 {
    let ((first, weight), (first_of_divisor, weight_of_divisor)) =
        (number.first_digit(), divisor.first_digit());
    let estimate = weight - weight_of_divisor - i32::from(first <= first_of_divisor);
    let scale = (16 - estimate * 4).max(i32::from(number.scale)).clamp(0, 1000);
    u16::try_from(scale).unwrap_or(1000)
}

fn rounded(number: &BigInt, divisor: &BigInt) -> BigInt {
    let (magnitude, divisor) = (number.magnitude(), divisor.magnitude());
    let (quotient, rest) = (magnitude / divisor, magnitude % divisor);
    let up = (rest * 2_u8).cmp(divisor) != Ordering::Less;
    let quotient = quotient + u8::from(up);
    BigInt::from_biguint(number.sign(), quotient)
}

/// The sum of all; NaN and the infinities go their own ways.
pub(crate) fn sum(decimals: &[Decimal]) -> Option<Decimal> {
    let has = |sign| decimals.iter().any(|decimal| decimal.sign() == sign);
    let (up, down) = (has(DecimalSign::Infinity), has(DecimalSign::NegInfinity));
    if has(DecimalSign::NaN) || (up && down) {
        return Some(Decimal::NAN);
    }
    match (up, down) {
        (true, _) => Some(Decimal::INFINITY),
        (_, true) => Some(Decimal::NEG_INFINITY),
        _ => total(decimals).to_decimal(),
    }
}

/// The mean of all, which are not none.
pub(crate) fn mean(decimals: &[Decimal]) -> Option<Decimal> {
    let sum = sum(decimals)?;
    if !sum.is_finite() {
        return Some(sum);
    }
    let count = u64::try_from(decimals.len()).ok()?;
    total(decimals).divided_by(count).to_decimal()
}

fn total(decimals: &[Decimal]) -> Number {
    decimals
        .iter()
        .filter_map(Number::of)
        .fold(Number::zero(), |sum, number| sum.plus(&number))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use super::*;

    fn decimals(texts: &[&str]) -> Vec<Decimal> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn sums_and_means_are_printed_as_postgresql_prints_them() {
        for (numbers, sum_text, mean_text) in [
            (&["1", "2"][..], "3", "1.5000000000000000"),
            (&["1", "1", "2"], "4", "1.3333333333333333"),
            (&["1.10", "2.2"], "3.30", "1.6500000000000000"),
            (&["-1", "0", "0"], "-1", "-0.33333333333333333333"),
            (&["0"], "0", "0.00000000000000000000"),
            (&["10000", "10001"], "20001", "10000.5000000000000000"),
            (&["0.0001", "0.0002"], "0.0003", "0.00015000000000000000"),
            (&["NaN", "1"], "NaN", "NaN"),
            (&["Infinity", "1"], "Infinity", "Infinity"),
            (&["Infinity", "-Infinity"], "NaN", "NaN"),
        ] {
            let numbers = decimals(numbers);
            assert_eq!(sum(&numbers).unwrap().to_string(), sum_text);
            assert_eq!(mean(&numbers).unwrap().to_string(), mean_text, "{numbers:?}");
        }
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (number, whole) in [("2.5", 3), ("-2.5", -3), ("2.49", 2), ("-0.4", 0)] {
            let number = Number::of(&number.parse().unwrap()).unwrap();
            assert_eq!(number.to_whole(), BigInt::from(whole));
        }
    }
}
