//! Powers, roots and the transcendental functions.
//!
//! A root or power of exact operands is exact when the true result is; everything else is the
//! nearest double. There are no complex numbers: the root or logarithm of a negative is NaN.

use super::{Num, NumError, NumResult};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, ToPrimitive, Zero};

/// Larger results are refused: an operation on them could not be interrupted for many seconds.
pub(super) const BITS_MAX: u64 = 1 << 26;

impl Num {
    /// Scheme's `expt`: exact for an exact base and an integer exponent, also a negative one.
    pub fn expt(&self, exponent: &Num) -> NumResult {
        match (self, exponent) {
            (Num::Float(base), Num::Int(n)) => Ok(Num::Float(float_power(*base, *n))),
            (_, Num::Int(n)) => self.exact_power(*n),
            (_, Num::Big(n)) if self.is_exact() => self.huge_power(n),
            _ => Ok(Num::Float(self.to_f64().powf(exponent.to_f64()))),
        }
    }
    /// SX's `pow`: as `expt`, but an integer to a negative power follows `/` and is a float
    /// unless it divides.
    pub fn pow(&self, exponent: &Num) -> NumResult {
        if self.is_exact_integer() && exponent.is_exact_integer() && exponent.is_negative() {
            return Num::Int(1).div(&self.expt(&exponent.neg())?);
        }
        self.expt(exponent)
    }
    /// How many bytes `expt` would need for its result.
    pub fn expt_bytes(&self, exponent: &Num) -> usize {
        let Num::Int(n) = exponent else { return 16 };
        let bits = match self {
            Num::Float(_) | Num::Int(-1..=1) => return 16,
            Num::Int(i) => u64::from(64 - i.unsigned_abs().leading_zeros()),
            Num::Big(b) => b.bits(),
            Num::Ratio(r) => r.numer().bits() + r.denom().bits(),
        };
        (bits.saturating_mul(n.unsigned_abs()).min(BITS_MAX * 2) / 8) as usize + 16
    }
    fn exact_power(&self, n: i64) -> NumResult {
        if self.expt_bytes(&Num::Int(n)) as u64 > BITS_MAX / 8 {
            return Err(NumError::TooLarge);
        }
        if n < 0 && self.is_zero() {
            return Err(NumError::DivisionByZero);
        }
        let raise = |b: &BigInt| unit_power(b, n.unsigned_abs()).unwrap_or_else(|| Pow::pow(b, n.unsigned_abs()));
        let ratio = self.to_ratio();
        let (numer, denom) = (raise(ratio.numer()), raise(ratio.denom()));
        Ok(Num::from_ratio(if n < 0 {
            BigRational::new(denom, numer)
        } else {
            BigRational::new_raw(numer, denom)
        }))
    }
    /// An exact base to a power beyond 64 bits: only 0, 1 and -1 have a result.
    fn huge_power(&self, n: &BigInt) -> NumResult {
        match self {
            Num::Int(0) if n.is_negative() => Err(NumError::DivisionByZero),
            Num::Int(base @ (0 | 1)) => Ok(Num::Int(*base)),
            Num::Int(-1) => Ok(Num::Int(if n.bit(0) { -1 } else { 1 })),
            _ => Err(NumError::TooLarge),
        }
    }

    /// Square root: exact for the square of an exact number.
    pub fn sqrt(&self) -> Num {
        match self {
            Num::Float(f) => Num::Float(f.sqrt()),
            n if n.is_negative() => Num::Float(f64::NAN),
            n => {
                let ratio = n.to_ratio();
                let (numer, denom) = (ratio.numer().sqrt(), ratio.denom().sqrt());
                if &numer * &numer == *ratio.numer() && &denom * &denom == *ratio.denom() {
                    Num::from_ratio(BigRational::new_raw(numer, denom))
                } else if n.to_f64().is_finite() {
                    Num::Float(n.to_f64().sqrt())
                } else {
                    Num::from_big(n.to_big().sqrt()).to_inexact()
                }
            }
        }
    }
    /// The largest integer whose square is not above this one, and what is left.
    pub fn exact_integer_sqrt(&self) -> Result<(Num, Num), NumError> {
        if !self.is_exact_integer() {
            return Err(NumError::NotAnInteger);
        }
        if self.is_negative() {
            return Err(NumError::Negative);
        }
        let n = self.to_big();
        let root = n.sqrt();
        let rest = n - &root * &root;
        Ok((Num::from_big(root), Num::from_big(rest)))
    }

    /// Natural logarithm, also of integers too large for a double.
    pub fn ln(&self) -> f64 {
        let direct = self.to_f64();
        match self {
            Num::Big(b) if direct.is_infinite() && b.is_positive() => {
                let shift = b.bits() - 64;
                let top: BigInt = b >> shift;
                top.to_f64().unwrap_or(f64::NAN).ln() + shift as f64 * std::f64::consts::LN_2
            }
            Num::Ratio(r) if !direct.is_normal() && r.is_positive() => {
                Num::from_big(r.numer().clone()).ln() - Num::from_big(r.denom().clone()).ln()
            }
            _ => direct.ln(),
        }
    }
}

/// Powers of 0, 1 and -1, whose exponent may be of any size.
fn unit_power(base: &BigInt, n: u64) -> Option<BigInt> {
    if base.is_zero() || base.is_one() {
        Some(if n == 0 { BigInt::one() } else { base.clone() })
    } else if (-base).is_one() {
        Some(if n.is_multiple_of(2) {
            BigInt::one()
        } else {
            base.clone()
        })
    } else {
        None
    }
}

fn float_power(base: f64, n: i64) -> f64 {
    match i32::try_from(n) {
        Ok(small) if small.abs() <= 3 => base.powi(small),
        _ => base.powf(n as f64),
    }
}
