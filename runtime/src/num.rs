//! The numeric tower: unbounded integers, rationals and floats, as plain Rust data.
//!
//! Every operation takes `Num`s by reference and gives a `Num` in normal form: an integer that
//! fits 64 bits is `Int`, a rational is in lowest terms with a denominator above 1. So two equal
//! exact numbers have equal representations. Exact results are never lost to overflow.
//!
//! Deliberately absent: heap words, error texts (a `NumError` says what went wrong, the
//! primitive that asked adds its name) and size limits (`*_bytes` functions tell a caller how
//! large a result would be, so that it can refuse before anything is computed).

mod bits;
mod compare;
mod convert;
mod divide;
mod power;
mod text;

pub use compare::Order;
pub use text::{Parsed, format_float};

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive, Zero};

/// A number in normal form.
#[derive(Clone, Debug, PartialEq)]
pub enum Num {
    /// An integer of at most 64 bits.
    Int(i64),
    /// An integer that needs more than 64 bits.
    Big(BigInt),
    /// A rational in lowest terms, denominator above 1.
    Ratio(BigRational),
    /// An IEEE double.
    Float(f64),
}

/// Why a numeric operation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumError {
    /// An exact division by zero.
    DivisionByZero,
    /// An operand had to be an integer.
    NotAnInteger,
    /// An operand had to be an integer that is not negative.
    Negative,
    /// An infinity or NaN has no exact value.
    NotFinite,
    /// The result could not be held in any memory.
    TooLarge,
}

/// A number or why there is none.
pub type NumResult = Result<Num, NumError>;

/// Two operands brought to the same kind.
pub(crate) enum Pair {
    Ints(i64, i64),
    Bigs(BigInt, BigInt),
    Ratios(BigRational, BigRational),
    Floats(f64, f64),
}

impl Num {
    /// The normal form of an integer.
    pub fn from_big(big: BigInt) -> Num {
        match big.to_i64() {
            Some(i) => Num::Int(i),
            None => Num::Big(big),
        }
    }
    /// The normal form of a rational that is already in lowest terms.
    pub fn from_ratio(ratio: BigRational) -> Num {
        if ratio.denom().is_one() {
            Num::from_big(ratio.numer().clone())
        } else {
            Num::Ratio(ratio)
        }
    }
    /// The normal form of an integer of 128 bits.
    pub fn from_i128(i: i128) -> Num {
        match i64::try_from(i) {
            Ok(small) => Num::Int(small),
            Err(_) => Num::Big(BigInt::from(i)),
        }
    }

    /// Is this an integer, rational: anything but a float?
    pub fn is_exact(&self) -> bool {
        !matches!(self, Num::Float(_))
    }
    /// Is this an exact integer?
    pub fn is_exact_integer(&self) -> bool {
        matches!(self, Num::Int(_) | Num::Big(_))
    }
    /// Is this an integer, exact or a float without a fraction?
    pub fn is_integer(&self) -> bool {
        match self {
            Num::Int(_) | Num::Big(_) => true,
            Num::Ratio(_) => false,
            Num::Float(f) => f.is_finite() && f.fract() == 0.0,
        }
    }
    /// Is this zero of any kind?
    pub fn is_zero(&self) -> bool {
        match self {
            Num::Int(i) => *i == 0,
            Num::Float(f) => *f == 0.0,
            Num::Big(_) | Num::Ratio(_) => false,
        }
    }
    /// Is this below zero?
    pub fn is_negative(&self) -> bool {
        match self {
            Num::Int(i) => *i < 0,
            Num::Big(b) => b.sign() == num_bigint::Sign::Minus,
            Num::Ratio(r) => r.numer().sign() == num_bigint::Sign::Minus,
            Num::Float(f) => *f < 0.0,
        }
    }
    /// Is this above zero?
    pub fn is_positive(&self) -> bool {
        match self {
            Num::Float(f) => *f > 0.0,
            exact => !exact.is_zero() && !exact.is_negative(),
        }
    }

    /// How many bytes the limbs of this number take.
    pub fn bytes(&self) -> usize {
        let of = |b: &BigInt| (b.bits() / 8) as usize + 8;
        match self {
            Num::Int(_) | Num::Float(_) => 8,
            Num::Big(b) => of(b),
            Num::Ratio(r) => of(r.numer()) + of(r.denom()),
        }
    }

    /// Both operands as the same kind, by the rule that a float makes a float and a rational
    /// keeps an exact result exact.
    pub(crate) fn pair(&self, other: &Num) -> Pair {
        match (self, other) {
            (Num::Int(a), Num::Int(b)) => Pair::Ints(*a, *b),
            (Num::Float(a), Num::Float(b)) => Pair::Floats(*a, *b),
            (Num::Float(a), b) => Pair::Floats(*a, b.to_f64()),
            (a, Num::Float(b)) => Pair::Floats(a.to_f64(), *b),
            (Num::Ratio(_), _) | (_, Num::Ratio(_)) => Pair::Ratios(self.to_ratio(), other.to_ratio()),
            _ => Pair::Bigs(self.to_big(), other.to_big()),
        }
    }
    /// An exact integer as a big one; a float or a rational gives its integer part.
    pub(crate) fn to_big(&self) -> BigInt {
        match self {
            Num::Int(i) => BigInt::from(*i),
            Num::Big(b) => b.clone(),
            Num::Ratio(r) => r.to_integer(),
            Num::Float(f) => num_traits::FromPrimitive::from_f64(*f).unwrap_or_else(BigInt::zero),
        }
    }
    /// An exact number as a rational; a float that is not finite gives zero.
    pub(crate) fn to_ratio(&self) -> BigRational {
        match self {
            Num::Ratio(r) => r.clone(),
            Num::Float(f) => BigRational::from_float(*f).unwrap_or_else(BigRational::zero),
            integer => BigRational::from_integer(integer.to_big()),
        }
    }

    /// Sum.
    pub fn add(&self, other: &Num) -> Num {
        match self.pair(other) {
            Pair::Ints(a, b) => match a.checked_add(b) {
                Some(sum) => Num::Int(sum),
                None => Num::from_i128(i128::from(a) + i128::from(b)),
            },
            Pair::Bigs(a, b) => Num::from_big(a + b),
            Pair::Ratios(a, b) => Num::from_ratio(a + b),
            Pair::Floats(a, b) => Num::Float(a + b),
        }
    }
    /// Difference.
    pub fn sub(&self, other: &Num) -> Num {
        match self.pair(other) {
            Pair::Ints(a, b) => match a.checked_sub(b) {
                Some(difference) => Num::Int(difference),
                None => Num::from_i128(i128::from(a) - i128::from(b)),
            },
            Pair::Bigs(a, b) => Num::from_big(a - b),
            Pair::Ratios(a, b) => Num::from_ratio(a - b),
            Pair::Floats(a, b) => Num::Float(a - b),
        }
    }
    /// Product.
    pub fn mul(&self, other: &Num) -> Num {
        match self.pair(other) {
            Pair::Ints(a, b) => match a.checked_mul(b) {
                Some(product) => Num::Int(product),
                None => Num::from_i128(i128::from(a) * i128::from(b)),
            },
            Pair::Bigs(a, b) => Num::from_big(a * b),
            Pair::Ratios(a, b) => Num::from_ratio(a * b),
            Pair::Floats(a, b) => Num::Float(a * b),
        }
    }
    /// Product, unless it would be larger than any power may be.
    pub fn mul_checked(&self, other: &Num) -> NumResult {
        if (self.bytes() + other.bytes()) as u64 * 8 > power::BITS_MAX {
            return Err(NumError::TooLarge);
        }
        Ok(self.mul(other))
    }
    /// The number with the other sign.
    pub fn neg(&self) -> Num {
        match self {
            Num::Int(i) => Num::from_i128(-i128::from(*i)),
            Num::Big(b) => Num::from_big(-b),
            Num::Ratio(r) => Num::Ratio(-r),
            Num::Float(f) => Num::Float(-f),
        }
    }
    /// Magnitude.
    pub fn abs(&self) -> Num {
        match self {
            Num::Float(f) => Num::Float(f.abs()),
            n if n.is_negative() => n.neg(),
            n => n.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
