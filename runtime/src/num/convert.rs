//! Between exact and inexact, and to machine integers.

use super::divide::float_to_integer;
use super::{Num, NumError, NumResult};
use num_rational::BigRational;
use num_traits::ToPrimitive;

impl Num {
    /// The nearest double; too large a number gives an infinity.
    pub fn to_f64(&self) -> f64 {
        match self {
            Num::Int(i) => *i as f64,
            Num::Float(f) => *f,
            Num::Big(b) => b.to_f64().unwrap_or(f64::NAN),
            Num::Ratio(r) => r.to_f64().unwrap_or(f64::NAN),
        }
    }
    /// The same number as a float.
    pub fn to_inexact(&self) -> Num {
        Num::Float(self.to_f64())
    }
    /// The exact value a float holds.
    pub fn to_exact(&self) -> NumResult {
        match self {
            Num::Float(f) if f.is_finite() && f.fract() == 0.0 => Ok(float_to_integer(*f)),
            Num::Float(f) => BigRational::from_float(*f)
                .map(Num::from_ratio)
                .ok_or(NumError::NotFinite),
            exact => Ok(exact.clone()),
        }
    }
    /// A machine integer, if this is an integer of any kind that fits one.
    pub fn to_i64(&self) -> Option<i64> {
        match self {
            Num::Int(i) => Some(*i),
            Num::Float(f) if self.is_integer() => match float_to_integer(*f) {
                Num::Int(i) => Some(i),
                _ => None,
            },
            _ => None,
        }
    }
}

impl From<i64> for Num {
    fn from(i: i64) -> Num {
        Num::Int(i)
    }
}

impl From<f64> for Num {
    fn from(f: f64) -> Num {
        Num::Float(f)
    }
}
