//! Order and equality of numbers, exact across kinds: a float stands for the rational it holds,
//! so comparison is transitive.

use super::{Num, Pair};
use num_rational::BigRational;
use std::cmp::Ordering;

/// The order of two numbers; `None` when one is NaN.
pub type Order = Option<Ordering>;

impl Num {
    /// Numeric order.
    pub fn order(&self, other: &Num) -> Order {
        match (self, other) {
            (Num::Int(a), Num::Int(b)) => Some(a.cmp(b)),
            (Num::Float(a), Num::Float(b)) => a.partial_cmp(b),
            (Num::Float(a), exact) => order_float(*a, exact),
            (exact, Num::Float(b)) => order_float(*b, exact).map(Ordering::reverse),
            _ => match self.pair(other) {
                Pair::Bigs(a, b) => Some(a.cmp(&b)),
                _ => Some(self.to_ratio().cmp(&other.to_ratio())),
            },
        }
    }
    /// `=`: the same point of the number line.
    pub fn equals(&self, other: &Num) -> bool {
        self.order(other) == Some(Ordering::Equal)
    }
    /// `eqv?`: equal and of the same exactness. NaN is itself, the two float zeros differ.
    pub fn same(&self, other: &Num) -> bool {
        match (self, other) {
            (Num::Float(a), Num::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            _ => self == other,
        }
    }
}

/// The order of a double and an exact number.
fn order_float(f: f64, exact: &Num) -> Order {
    if f.is_nan() {
        return None;
    }
    if f.is_infinite() {
        return Some(if f > 0.0 { Ordering::Greater } else { Ordering::Less });
    }
    if let Num::Int(i) = exact
        && i.unsigned_abs() <= 1 << 53
    {
        return f.partial_cmp(&(*i as f64));
    }
    // A double and an exact number of very different size need no common denominator.
    let approximate = exact.to_f64();
    if approximate.is_infinite() || f != approximate {
        return f.partial_cmp(&approximate);
    }
    let as_ratio = BigRational::from_float(f)?;
    Some(as_ratio.cmp(&exact.to_ratio()))
}
