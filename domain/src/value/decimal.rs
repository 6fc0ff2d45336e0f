//! Decimal numbers as PostgreSQL's `numeric` holds them: any size, every digit and the scale kept.
//!
//! No arithmetic: Rowstamp stores, compares and prints numbers, it does not calculate with them.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// Most digits before the decimal point.
pub(super) const MAX_INTEGER_DIGITS: i64 = 131_072;
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
