//! Division in its forms, and rounding.
//!
//! `/` of two integers is exact when it divides and a float otherwise; a rational operand keeps
//! the result exact. The integer divisions also take floats and rationals: the quotient is the
//! integer one, the rest what is left. An exact zero divisor is an error unless the dividend is
//! a float, which follows IEEE.

use super::{Num, NumError, NumResult, Pair};
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{FromPrimitive, One, Zero};

/// How to round a number that lies between two integers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rounding {
    Down,
    Up,
    ToZero,
    HalfEven,
}

/// Integers up to this magnitude are exact as doubles.
const EXACT_DOUBLE: u64 = 1 << 53;

impl Num {
    /// SX's `/`.
    pub fn div(&self, other: &Num) -> NumResult {
        match self.pair(other) {
            Pair::Floats(a, b) => Ok(Num::Float(a / b)),
            _ if other.is_zero() => Err(NumError::DivisionByZero),
            Pair::Ints(a, b) => Ok(divide_ints(a, b)),
            Pair::Bigs(a, b) => {
                let (quotient, rest) = a.div_rem(&b);
                if rest.is_zero() {
                    Ok(Num::from_big(quotient))
                } else {
                    Ok(Num::Float(Num::Ratio(BigRational::new(a, b)).to_f64()))
                }
            }
            Pair::Ratios(a, b) => Ok(Num::from_ratio(a / b)),
        }
    }
    /// Division that stays exact for two integers: Scheme's `/`.
    pub fn div_exact(&self, other: &Num) -> NumResult {
        match self.pair(other) {
            Pair::Floats(a, b) => Ok(Num::Float(a / b)),
            _ if other.is_zero() => Err(NumError::DivisionByZero),
            _ => Ok(Num::from_ratio(self.to_ratio() / other.to_ratio())),
        }
    }
    /// The quotient rounded toward zero.
    pub fn quotient(&self, other: &Num) -> NumResult {
        match self.pair(other) {
            _ if other.is_zero() => Err(NumError::DivisionByZero),
            Pair::Ints(a, b) => Ok(Num::from_i128(i128::from(a) / i128::from(b))),
            Pair::Bigs(a, b) => Ok(Num::from_big(a / b)),
            Pair::Ratios(a, b) => Ok(Num::from_big((a / b).to_integer())),
            Pair::Floats(a, b) => Ok(Num::Float((a / b).trunc())),
        }
    }
    /// What `quotient` leaves; it has the sign of the dividend.
    pub fn remainder(&self, other: &Num) -> NumResult {
        match self.pair(other) {
            _ if other.is_zero() => Err(NumError::DivisionByZero),
            Pair::Ints(a, b) => Ok(Num::Int(a.wrapping_rem(b))),
            Pair::Bigs(a, b) => Ok(Num::from_big(a % b)),
            Pair::Ratios(a, b) => Ok(Num::from_ratio(a % b)),
            Pair::Floats(a, b) => Ok(Num::Float(a % b)),
        }
    }
    /// The quotient rounded down.
    pub fn floor_quotient(&self, other: &Num) -> NumResult {
        match self.pair(other) {
            _ if other.is_zero() => Err(NumError::DivisionByZero),
            Pair::Ints(a, b) => Ok(Num::from_i128(Integer::div_floor(&i128::from(a), &i128::from(b)))),
            Pair::Bigs(a, b) => Ok(Num::from_big(a.div_floor(&b))),
            Pair::Ratios(a, b) => Ok(Num::from_big((a / b).floor().to_integer())),
            Pair::Floats(a, b) => Ok(Num::Float((a / b).floor())),
        }
    }
    /// What `floor_quotient` leaves; it has the sign of the divisor.
    pub fn modulo(&self, other: &Num) -> NumResult {
        match self.pair(other) {
            _ if other.is_zero() => Err(NumError::DivisionByZero),
            Pair::Ints(a, b) => Ok(Num::from_i128(i128::from(a).mod_floor(&i128::from(b)))),
            Pair::Bigs(a, b) => Ok(Num::from_big(a.mod_floor(&b))),
            Pair::Ratios(a, b) => {
                let whole = (&a / &b).floor();
                Ok(Num::from_ratio(a - b * whole))
            }
            Pair::Floats(a, b) => {
                let rest = a % b;
                Ok(Num::Float(if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
                    rest + b
                } else {
                    rest
                }))
            }
        }
    }

    /// Greatest common divisor of two integers, never negative.
    pub fn gcd(&self, other: &Num) -> NumResult {
        self.integer_pair(other, |a, b| a.gcd(&b))
    }
    /// Least common multiple of two integers, never negative.
    pub fn lcm(&self, other: &Num) -> NumResult {
        self.integer_pair(other, |a, b| a.lcm(&b))
    }
    fn integer_pair(&self, other: &Num, f: impl Fn(BigInt, BigInt) -> BigInt) -> NumResult {
        if !self.is_integer() || !other.is_integer() {
            return Err(NumError::NotAnInteger);
        }
        let exact = Num::from_big(f(self.to_big(), other.to_big()));
        let floats = !self.is_exact() || !other.is_exact();
        Ok(if floats { exact.to_inexact() } else { exact })
    }

    /// The largest integer not above this. Infinities and NaN stay as they are.
    pub fn floor(&self) -> Num {
        self.rounded(Rounding::Down)
    }
    /// The smallest integer not below this.
    pub fn ceil(&self) -> Num {
        self.rounded(Rounding::Up)
    }
    /// The integer part.
    pub fn truncate(&self) -> Num {
        self.rounded(Rounding::ToZero)
    }
    /// The nearest integer; a tie goes to the even one.
    pub fn round(&self) -> Num {
        self.rounded(Rounding::HalfEven)
    }
    fn rounded(&self, rounding: Rounding) -> Num {
        match self {
            Num::Int(_) | Num::Big(_) => self.clone(),
            Num::Ratio(r) => Num::from_big(round_ratio(r, rounding)),
            Num::Float(f) if !f.is_finite() => Num::Float(*f),
            Num::Float(f) => float_to_integer(match rounding {
                Rounding::Down => f.floor(),
                Rounding::Up => f.ceil(),
                Rounding::ToZero => f.trunc(),
                Rounding::HalfEven => f.round_ties_even(),
            }),
        }
    }

    /// Numerator in lowest terms; a float gives a float.
    pub fn numerator(&self) -> NumResult {
        self.part(|r| r.numer().clone())
    }
    /// Denominator in lowest terms; a float gives a float.
    pub fn denominator(&self) -> NumResult {
        self.part(|r| r.denom().clone())
    }
    fn part(&self, f: impl Fn(&BigRational) -> BigInt) -> NumResult {
        match self {
            Num::Float(x) if !x.is_finite() => Err(NumError::NotFinite),
            Num::Float(_) => Ok(Num::from_big(f(&self.to_ratio())).to_inexact()),
            exact => Ok(Num::from_big(f(&exact.to_ratio()))),
        }
    }
}

fn divide_ints(a: i64, b: i64) -> Num {
    let (wide_a, wide_b) = (i128::from(a), i128::from(b));
    if wide_a % wide_b == 0 {
        Num::from_i128(wide_a / wide_b)
    } else if a.unsigned_abs() <= EXACT_DOUBLE && b.unsigned_abs() <= EXACT_DOUBLE {
        Num::Float(a as f64 / b as f64)
    } else {
        Num::Float(Num::Ratio(BigRational::new(a.into(), b.into())).to_f64())
    }
}

/// The integer a whole finite double stands for.
pub(super) fn float_to_integer(f: f64) -> Num {
    if (-9.2e18..=9.2e18).contains(&f) {
        Num::Int(f as i64)
    } else {
        Num::from_big(BigInt::from_f64(f).unwrap_or_else(BigInt::zero))
    }
}

fn round_ratio(r: &BigRational, rounding: Rounding) -> BigInt {
    match rounding {
        Rounding::Down => r.floor().to_integer(),
        Rounding::Up => r.ceil().to_integer(),
        Rounding::ToZero => r.to_integer(),
        Rounding::HalfEven => {
            let below = r.floor().to_integer();
            let twice_rest = (r - BigRational::from_integer(below.clone())) * BigInt::from(2);
            let up = match twice_rest.cmp(&BigRational::one()) {
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => below.is_odd(),
                std::cmp::Ordering::Greater => true,
            };
            if up { below + 1 } else { below }
        }
    }
}
