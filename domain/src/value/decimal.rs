//! Decimal numbers as PostgreSQL's `numeric` holds them: any size, every digit and the scale kept.
//!
//! No arithmetic: Rowstamp stores, compares and prints numbers, it does not calculate with them.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// Most digits before the decimal point.
pub(super) const MAX_INTEGER_DIGITS: usize = 131_072;
/// Most digits after the decimal point.
pub(super) const MAX_SCALE: u16 = 16_383;

/// A number of up to 131072 digits before and 16383 after the decimal point, NaN, or an infinity.
///
/// Equality and order are PostgreSQL's: `1.0` equals `1.00`, and NaN equals itself and is greater than all others.
/// The scale (how many digits are shown after the point) is kept nevertheless. Up to four base-10000 digits, which is
/// 13 decimal digits at least, are held in place.
///
/// ```
/// use rowstamp_domain::value::Decimal;
/// let price: Decimal = "1.10".parse()?;
/// assert_eq!(price.to_string(), "1.10");
/// assert_eq!(price, "1.1".parse()?);
/// # Ok::<(), rowstamp_domain::value::ValueError>(())
/// ```
#[derive(Clone)]
pub struct Decimal(Repr);

// Sixteen bytes, so that a `Value` need not grow for its sake.
#[derive(Clone)]
enum Repr {
    Small {
        sign: DecimalSign,
        len: u8,
        weight: i16,
        scale: u16,
        digits: [u16; 4],
    },
    Large(Box<Large>),
}

#[derive(Clone)]
struct Large {
    sign: DecimalSign,
    weight: i16,
    scale: u16,
    digits: Box<[u16]>,
}

/// The sign of a number, or what it is instead of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecimalSign {
    /// Zero or greater.
    Positive,
    /// Below zero.
    Negative,
    /// Not a number.
    NaN,
    /// Greater than every number.
    Infinity,
    /// Less than every number.
    NegInfinity,
}

/// Why a number is not one of a `numeric(p,s)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalMisfit {
    /// More digits before the point than precision less scale.
    #[error("too many digits before the decimal point")]
    TooLarge,
    /// More digits after the point than the scale, trailing zeros not counted.
    #[error("too many digits after the decimal point")]
    TooPrecise,
    /// An infinity, which a limited precision excludes.
    #[error("infinity does not fit a limited precision")]
    Infinite,
}

impl Decimal {
    /// Not a number.
    pub const NAN: Self = Self::special(DecimalSign::NaN);
    /// Greater than every number.
    pub const INFINITY: Self = Self::special(DecimalSign::Infinity);
    /// Less than every number.
    pub const NEG_INFINITY: Self = Self::special(DecimalSign::NegInfinity);
    /// Zero, of scale 0.
    pub const ZERO: Self = Self::special(DecimalSign::Positive);

    const fn special(sign: DecimalSign) -> Self {
        Self(Repr::Small {
            sign,
            len: 0,
            weight: 0,
            scale: 0,
            digits: [0; 4],
        })
    }

    /// From the parts of PostgreSQL's binary form: the number is the sum of `digits[i] * 10000^(weight - i)`.
    ///
    /// Leading and trailing zero digits are taken off. Gives nothing for what PostgreSQL would not send: a digit above
    /// 9999, a scale above 16383, or digits beyond the scale. For NaN and the infinities only the sign counts.
    pub fn from_binary_parts(sign: DecimalSign, weight: i16, scale: u16, digits: &[u16]) -> Option<Self> {
        if !matches!(sign, DecimalSign::Positive | DecimalSign::Negative) {
            return Some(Self::special(sign));
        }
        if scale > MAX_SCALE || digits.iter().any(|&digit| digit > 9999) {
            return None;
        }
        let leading = digits.iter().take_while(|&&digit| digit == 0).count();
        let digits = &digits[leading..];
        let trailing = digits.iter().rev().take_while(|&&digit| digit == 0).count();
        let digits = &digits[..digits.len() - trailing];
        if digits.is_empty() {
            return Some(Self::from_digits(DecimalSign::Positive, 0, scale, &[]));
        }
        let weight = i16::try_from(i64::from(weight) - i64::try_from(leading).ok()?).ok()?;
        let number = Self::from_digits(sign, weight, scale, digits);
        (number.fraction_digits() <= u32::from(scale)).then_some(number)
    }

    /// The digits must be normalised: none leading or trailing that is zero, and zero positive of weight 0.
    pub(super) fn from_digits(sign: DecimalSign, weight: i16, scale: u16, digits: &[u16]) -> Self {
        match u8::try_from(digits.len()) {
            Ok(len @ 0..=4) => {
                let mut small = [0; 4];
                small[..digits.len()].copy_from_slice(digits);
                Self(Repr::Small {
                    sign,
                    len,
                    weight,
                    scale,
                    digits: small,
                })
            }
            _ => Self(Repr::Large(Box::new(Large {
                sign,
                weight,
                scale,
                digits: digits.into(),
            }))),
        }
    }

    /// The sign, or what it is instead of a number. Zero is positive.
    pub fn sign(&self) -> DecimalSign {
        match &self.0 {
            Repr::Small { sign, .. } => *sign,
            Repr::Large(large) => large.sign,
        }
    }

    /// The power of 10000 that the first digit counts.
    pub fn weight(&self) -> i16 {
        match &self.0 {
            Repr::Small { weight, .. } => *weight,
            Repr::Large(large) => large.weight,
        }
    }

    /// How many decimal digits are shown after the point.
    pub fn scale(&self) -> u16 {
        match &self.0 {
            Repr::Small { scale, .. } => *scale,
            Repr::Large(large) => large.scale,
        }
    }

    /// Digits of base 10000, none leading or trailing that is zero. Empty for zero, NaN and the infinities.
    pub fn digits(&self) -> &[u16] {
        match &self.0 {
            Repr::Small { len, digits, .. } => &digits[..usize::from(*len)],
            Repr::Large(large) => &large.digits,
        }
    }

    /// Whether this is a number, not NaN or an infinity.
    pub fn is_finite(&self) -> bool {
        matches!(self.sign(), DecimalSign::Positive | DecimalSign::Negative)
    }

    /// Decimal digits before the point, leading zeros not counted; 0 below one.
    pub fn integer_digits(&self) -> u32 {
        u32::try_from(self.top_exponent().map_or(0, |exponent| exponent + 1)).unwrap_or(0)
    }

    /// Decimal digits after the point, trailing zeros not counted.
    pub fn fraction_digits(&self) -> u32 {
        let digits = self.digits();
        let Some(&last) = digits.last() else { return 0 };
        let group = i64::from(self.weight()) - i64::try_from(digits.len()).expect("digits are bounded") + 1;
        let zeros = (1..4).take_while(|&power| last % 10_u16.pow(power) == 0).count();
        let lowest_exponent = group * 4 + i64::try_from(zeros).expect("at most three");
        u32::try_from(-lowest_exponent).unwrap_or(0)
    }

    /// The power of ten that the first decimal digit counts; nothing for zero.
    fn top_exponent(&self) -> Option<i64> {
        let first = *self.digits().first()?;
        Some(i64::from(self.weight()) * 4 + i64::from(first.ilog10()))
    }

    /// Says whether the number is one of `numeric(precision, scale)` as it is, without rounding.
    ///
    /// Zeros at the end of the fraction do no harm. NaN fits, as in PostgreSQL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn fits(&self, precision: u16, scale: u16) -> Result<(), DecimalMisfit> {
        match self.sign() {
            DecimalSign::NaN => return Ok(()),
            DecimalSign::Infinity | DecimalSign::NegInfinity => return Err(DecimalMisfit::Infinite),
            DecimalSign::Positive | DecimalSign::Negative => {}
        }
        if self
            .top_exponent()
            .is_some_and(|top| top >= i64::from(precision) - i64::from(scale))
        {
            return Err(DecimalMisfit::TooLarge);
        }
        if self.fraction_digits() > u32::from(scale) {
            return Err(DecimalMisfit::TooPrecise);
        }
        Ok(())
    }

    /// The same number shown with this many digits after the point, as a `numeric(p,s)` column stores it.
    ///
    /// Nothing if that would lose digits or the scale is above 16383. NaN and the infinities stay what they are.
    pub fn rescaled(&self, scale: u16) -> Option<Self> {
        if !self.is_finite() {
            return Some(self.clone());
        }
        if scale > MAX_SCALE || self.fraction_digits() > u32::from(scale) {
            return None;
        }
        let mut number = self.clone();
        match &mut number.0 {
            Repr::Small { scale: kept, .. } => *kept = scale,
            Repr::Large(large) => large.scale = scale,
        }
        Some(number)
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        let mut rest = number.unsigned_abs();
        if rest == 0 {
            return Self::ZERO;
        }
        // Nineteen decimal digits are five of base 10000.
        let mut groups = [0_u16; 5];
        let mut first = groups.len();
        while rest > 0 {
            first -= 1;
            groups[first] = u16::try_from(rest % 10_000).expect("below 10000");
            rest /= 10_000;
        }
        let digits = &groups[first..];
        let weight = i16::try_from(digits.len() - 1).expect("at most four");
        let trailing = digits.iter().rev().take_while(|&&digit| digit == 0).count();
        let sign = if number < 0 {
            DecimalSign::Negative
        } else {
            DecimalSign::Positive
        };
        Self::from_digits(sign, weight, 0, &digits[..digits.len() - trailing])
    }
}

impl From<i32> for Decimal {
    fn from(number: i32) -> Self {
        Self::from(i64::from(number))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |number: &Self| match number.sign() {
            DecimalSign::NegInfinity => 0,
            DecimalSign::Negative => 1,
            DecimalSign::Positive if number.digits().is_empty() => 2,
            DecimalSign::Positive => 3,
            DecimalSign::Infinity => 4,
            DecimalSign::NaN => 5,
        };
        let magnitude = || {
            self.weight()
                .cmp(&other.weight())
                .then_with(|| self.digits().cmp(other.digits()))
        };
        rank(self).cmp(&rank(other)).then_with(|| match self.sign() {
            DecimalSign::Positive => magnitude(),
            DecimalSign::Negative => magnitude().reverse(),
            _ => Ordering::Equal,
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Not the scale: numbers that are equal must hash alike.
        self.sign().hash(state);
        self.weight().hash(state);
        self.digits().hash(state);
    }
}

impl Default for Decimal {
    fn default() -> Self {
        Self::ZERO
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use std::hash::DefaultHasher;

    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn an_ordinary_number_takes_sixteen_bytes() {
        assert_eq!(size_of::<Decimal>(), 16);
        assert!(matches!(decimal("123456789012.3456").0, Repr::Small { .. }));
    }

    #[test]
    fn the_order_is_postgresqls() {
        let ascending = [
            "-Infinity",
            "-100000",
            "-2.5",
            "-1.10",
            "-0.0001",
            "0",
            "0.00001",
            "0.0001",
            "1",
            "1.0001",
            "9999",
            "10000",
            "123456789012345678901",
            "Infinity",
            "NaN",
        ];
        for (left_at, left) in ascending.iter().enumerate() {
            for (right_at, right) in ascending.iter().enumerate() {
                assert_eq!(
                    decimal(left).cmp(&decimal(right)),
                    left_at.cmp(&right_at),
                    "{left} {right}"
                );
            }
        }
    }

    #[test]
    fn equal_numbers_hash_alike_whatever_their_scale() {
        let hash = |text: &str| {
            let mut hasher = DefaultHasher::new();
            decimal(text).hash(&mut hasher);
            hasher.finish()
        };
        for (left, right) in [("1", "1.000"), ("0", "-0.00"), ("10000", "1e4"), ("NaN", "nan")] {
            assert_eq!(decimal(left), decimal(right));
            assert_eq!(hash(left), hash(right));
        }
    }

    #[test]
    fn a_precision_is_kept_without_rounding() {
        use DecimalMisfit::{Infinite, TooLarge, TooPrecise};
        for (text, precision, scale, expected) in [
            ("12345678.90", 10, 2, Ok(())),
            ("99999999.99", 10, 2, Ok(())),
            ("100000000", 10, 2, Err(TooLarge)),
            ("-100000000", 10, 2, Err(TooLarge)),
            ("1.1", 10, 2, Ok(())),
            ("1.1000", 10, 2, Ok(())),
            ("1.101", 10, 2, Err(TooPrecise)),
            ("0.00001", 10, 4, Err(TooPrecise)),
            ("0.0001", 10, 4, Ok(())),
            ("1e8", 10, 2, Err(TooLarge)),
            ("0", 1, 1, Ok(())),
            ("0.9", 1, 1, Ok(())),
            ("1", 1, 1, Err(TooLarge)),
            ("0.00999", 3, 5, Ok(())),
            ("0.01", 3, 5, Err(TooLarge)),
            ("123", 3, 0, Ok(())),
            ("NaN", 3, 0, Ok(())),
            ("Infinity", 3, 0, Err(Infinite)),
            ("1e131071", 10, 2, Err(TooLarge)),
        ] {
            assert_eq!(
                decimal(text).fits(precision, scale),
                expected,
                "{text} {precision},{scale}"
            );
        }
    }

    #[test]
    fn digits_are_counted_without_padding_zeros() {
        for (text, integer, fraction) in [
            ("0.000", 0, 0),
            ("1.10", 1, 1),
            ("0.00012", 0, 5),
            ("120000", 6, 0),
            ("99999.0001", 5, 4),
            ("1e-16383", 0, 16383),
            ("NaN", 0, 0),
        ] {
            let number = decimal(text);
            assert_eq!(
                (number.integer_digits(), number.fraction_digits()),
                (integer, fraction),
                "{text}"
            );
        }
    }

    #[test]
    fn rescaling_shows_more_or_fewer_zeros_and_loses_nothing() {
        for (text, scale, expected) in [
            ("1.1", 2, Some("1.10")),
            ("1.10", 1, Some("1.1")),
            ("1.10", 0, None),
            ("0", 3, Some("0.000")),
            ("12345678901234567890.5", 2, Some("12345678901234567890.50")),
            ("1", 16_384, None),
            ("NaN", 2, Some("NaN")),
        ] {
            let rescaled = decimal(text).rescaled(scale).map(|number| number.to_string());
            assert_eq!(rescaled.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn binary_parts_are_normalised_or_refused() {
        use DecimalSign::{Infinity, NaN, Negative, Positive};
        for (sign, weight, scale, digits, expected) in [
            (Positive, 1, 0, &[0, 7][..], Some("7")),
            (Negative, 0, 2, &[1, 5000, 0], Some("-1.50")),
            (Negative, 3, 1, &[0, 0], Some("0.0")),
            (NaN, 9, 9, &[], Some("NaN")),
            (Infinity, 0, 32, &[], Some("Infinity")),
            (Positive, 0, 0, &[10_000], None),
            (Positive, 0, 16_384, &[1], None),
            (Positive, 0, 1, &[1, 1234], None),
            (Positive, i16::MIN, 0, &[1], None),
            (Positive, i16::MIN, 0, &[0, 1], None),
            (Positive, i16::MAX, 0, &[9999], Some("9999")),
        ] {
            let number = Decimal::from_binary_parts(sign, weight, scale, digits);
            let text = number.map(|number| number.to_string());
            let text = text.as_deref().map(|text| &text[..text.len().min(4)]);
            assert_eq!(
                text,
                expected.map(|text| &text[..text.len().min(4)]),
                "{digits:?} {weight}"
            );
        }
    }

    proptest! {
        #[test]
        fn integers_are_what_they_say(number in any::<i64>()) {
            for number in [number, number / 10_000 * 10_000, number % 100_000] {
                let decimal = Decimal::from(number);
                prop_assert_eq!(decimal.to_string(), number.to_string());
                prop_assert_eq!(&decimal, &number.to_string().parse().unwrap());
                let parts = (decimal.sign(), decimal.weight(), decimal.scale(), decimal.digits());
                prop_assert!(!parts.3.ends_with(&[0]));
                prop_assert_eq!(Decimal::from_binary_parts(parts.0, parts.1, parts.2, parts.3), Some(decimal.clone()));
            }
        }

        #[test]
        fn any_binary_parts_never_panic(
            weight in any::<i16>(), scale in any::<u16>(), digits in proptest::collection::vec(0_u16..10_100, 0..8),
        ) {
            if let Some(number) = Decimal::from_binary_parts(DecimalSign::Negative, weight, scale, &digits) {
                let text = number.to_string();
                prop_assert_eq!(text.parse::<Decimal>().unwrap(), number);
            }
        }
    }
}
