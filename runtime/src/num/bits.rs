//! Bit operations on integers as two's complement numbers of unlimited width.

use super::{Num, NumError, NumResult};
use num_bigint::BigInt;

impl Num {
    /// Bits set in both.
    pub fn bit_and(&self, other: &Num) -> NumResult {
        self.bitwise(other, |a, b| a & b, |a, b| a & b)
    }
    /// Bits set in either.
    pub fn bit_or(&self, other: &Num) -> NumResult {
        self.bitwise(other, |a, b| a | b, |a, b| a | b)
    }
    /// Bits set in exactly one.
    pub fn bit_xor(&self, other: &Num) -> NumResult {
        self.bitwise(other, |a, b| a ^ b, |a, b| a ^ b)
    }
    /// All bits flipped: `-n - 1`.
    pub fn bit_not(&self) -> NumResult {
        Ok(Num::Int(-1).sub(&self.exact_integer()?))
    }
    /// Shifted left, or right (rounding down) when `by` is negative.
    pub fn shift(&self, by: &Num) -> NumResult {
        let value = self.exact_integer()?;
        let by = by.exact_integer()?;
        if value.is_zero() {
            return Ok(Num::Int(0));
        }
        match by {
            Num::Int(n) if n >= 0 => {
                if n as u64 + 8 * self.bytes() as u64 > super::power::BITS_MAX {
                    return Err(NumError::TooLarge);
                }
                Ok(Num::from_big(value.to_big() << n as u64))
            }
            Num::Int(n) => Ok(Num::from_big(value.to_big() >> n.unsigned_abs())),
            far if far.is_negative() => Ok(Num::Int(if value.is_negative() { -1 } else { 0 })),
            _ => Err(NumError::TooLarge),
        }
    }
    /// How many bytes `shift` would need for its result.
    pub fn shift_bytes(&self, by: &Num) -> usize {
        match by {
            Num::Int(n) if *n > 0 => self.bytes() + (*n as u64 / 8) as usize,
            _ => self.bytes(),
        }
    }
    /// How many bits are set; for a negative number, how many are clear.
    pub fn bit_count(&self) -> NumResult {
        let count = |b: &BigInt| b.magnitude().count_ones();
        match self.exact_integer()? {
            Num::Int(i) if i >= 0 => Ok(Num::Int(i64::from(i.count_ones()))),
            Num::Int(i) => Ok(Num::Int(i64::from(i.count_zeros()))),
            n if n.is_negative() => Ok(Num::Int(count(&n.bit_not()?.to_big()) as i64)),
            n => Ok(Num::Int(count(&n.to_big()) as i64)),
        }
    }
    /// How many bits the number needs besides its sign.
    pub fn bit_length(&self) -> NumResult {
        let n = self.exact_integer()?;
        let magnitude = if n.is_negative() { n.bit_not()? } else { n };
        Ok(Num::Int(magnitude.to_big().bits() as i64))
    }

    fn bitwise(
        &self,
        other: &Num,
        small: impl Fn(i64, i64) -> i64,
        big: impl Fn(BigInt, BigInt) -> BigInt,
    ) -> NumResult {
        match (self.exact_integer()?, other.exact_integer()?) {
            (Num::Int(a), Num::Int(b)) => Ok(Num::Int(small(a, b))),
            (a, b) => Ok(Num::from_big(big(a.to_big(), b.to_big()))),
        }
    }
    /// The integer, also from a float without a fraction.
    fn exact_integer(&self) -> NumResult {
        match self {
            Num::Int(_) | Num::Big(_) => Ok(self.clone()),
            Num::Float(_) if self.is_integer() => self.to_exact(),
            _ => Err(NumError::NotAnInteger),
        }
    }
}
