//! Numbers in the heap: doubles whose exponent no flonum word holds, integers that are no
//! fixnum, fractions; and the way from a value to a `Num` and back. Invariant: a number has one form, so an integer
//! that fits a fixnum is never a bignum and a double that fits a flonum never an object.
#![allow(unsafe_code)]

use crate::heap::Heap;
use crate::num::Num;
use crate::object::{self, Type, bignum, flonum, ratio};
use crate::value::{Value, Word};
use num_bigint::{BigInt, BigUint, Sign};
use num_rational::BigRational;

/// Bytes to reserve for a number.
pub fn size_of_number(num: &Num) -> usize {
    match num {
        Num::Int(i) => Word::try_fixnum(*i).map_or(size_of_bignum(64), |_| 0),
        Num::Float(_) => Heap::SIZE_OF_FLOAT,
        Num::Big(big) => size_of_bignum(big.bits()),
        Num::Ratio(r) => Heap::size_of(2) + size_of_bignum(r.numer().bits()) + size_of_bignum(r.denom().bits()),
    }
}

fn size_of_bignum(bits: u64) -> usize {
    (bignum::LIMBS + (bits as usize).div_ceil(64)) * 8
}

impl Heap {
    /// Bytes to reserve for a float.
    pub const SIZE_OF_FLOAT: usize = Heap::size_of(1);
    /// Bytes to reserve for an integer of 64 bits.
    pub const SIZE_OF_INTEGER: usize = 24;

    /// A float. Spends `SIZE_OF_FLOAT` (or nothing).
    #[inline(always)]
    pub fn float(&self, f: f64) -> Value<'_> {
        match Word::flonum(f) {
            Some(word) => Value::from_word(word),
            None => self.boxed_float(f),
        }
    }

    #[cold]
    fn boxed_float(&self, f: f64) -> Value<'_> {
        if f.to_bits() == 0 {
            return Value::from_word(self.zero);
        }
        let f = if f.is_nan() { f64::NAN } else { f };
        // SAFETY: the only field follows at once.
        unsafe {
            let object = self.alloc(Type::Flonum, 0, 2);
            object::set_field_raw(object, flonum::BITS, f.to_bits());
            Value::from_raw(object)
        }
    }

    /// A float object in old space. Does not spend the reservation.
    /// A float, without a reservation: one that is no immediate goes to old space.
    pub fn float_unreserved(&self, f: f64) -> Word {
        match Word::flonum(f) {
            Some(word) => word,
            None if f.to_bits() == 0 => self.zero,
            None => self.float_old(if f.is_nan() { f64::NAN } else { f }),
        }
    }

    pub(crate) fn float_old(&self, f: f64) -> Word {
        // SAFETY: the only field follows at once.
        unsafe {
            let object = self.alloc_old(Type::Flonum, 0, 2);
            object::set_field_raw(object, flonum::BITS, f.to_bits());
            object
        }
    }

    /// An integer. Spends `SIZE_OF_INTEGER` (or nothing).
    #[inline(always)]
    pub fn integer(&self, i: i64) -> Value<'_> {
        match Word::try_fixnum(i) {
            Some(word) => Value::from_word(word),
            None => self.bignum(i < 0, [i.unsigned_abs()].into_iter(), 1),
        }
    }

    /// A number. Spends `size_of_number(num)`.
    pub fn number(&self, num: &Num) -> Value<'_> {
        match num {
            Num::Int(i) => self.integer(*i),
            Num::Float(f) => self.float(*f),
            Num::Big(big) => self.big(big),
            Num::Ratio(r) => {
                let (num, den) = (self.big(r.numer()), self.big(r.denom()));
                self.make(Type::Ratio, 0, [num.word(), den.word()])
            }
        }
    }

    fn big(&self, big: &BigInt) -> Value<'_> {
        match i64::try_from(big) {
            Ok(i) => self.integer(i),
            Err(_) => {
                let limbs = big.iter_u64_digits();
                let count = limbs.len();
                self.bignum(big.sign() == Sign::Minus, limbs, count)
            }
        }
    }

    fn bignum(&self, negative: bool, limbs: impl Iterator<Item = u64>, count: usize) -> Value<'_> {
        // SAFETY: the fields follow at once.
        unsafe {
            let object = self.alloc(Type::Bignum, negative as u64, bignum::LIMBS + count);
            object::set_field_raw(object, bignum::BYTE_LEN, Word::fixnum(8 * count as i64).0);
            for (i, limb) in limbs.enumerate() {
                object::set_field_raw(object, bignum::LIMBS + i, limb);
            }
            Value::from_raw(object)
        }
    }
}

impl Value<'_> {
    /// The double, if this is a float.
    #[inline(always)]
    pub fn as_float(self) -> Option<f64> {
        if self.word().is_flonum() {
            return Some(self.word().as_flonum());
        }
        self.is(Type::Flonum).then(|| f64::from_bits(self.raw_at(flonum::BITS)))
    }

    /// Is this a number?
    #[inline]
    pub fn is_number(self) -> bool {
        let heap_number = |ty| matches!(ty, Type::Flonum | Type::Bignum | Type::Ratio);
        self.word().is_fixnum() || self.word().is_flonum() || self.object_type().is_some_and(heap_number)
    }

    /// The number, if this is one.
    pub fn as_number(self) -> Option<Num> {
        if let Some(i) = self.as_fixnum() {
            return Some(Num::Int(i));
        }
        if self.word().is_flonum() {
            return Some(Num::Float(self.word().as_flonum()));
        }
        match self.object_type()? {
            Type::Flonum => Some(Num::Float(f64::from_bits(self.raw_at(flonum::BITS)))),
            Type::Bignum => Some(Num::from_big(self.to_big())),
            Type::Ratio => {
                let (num, den) = (self.at(ratio::NUM).to_big(), self.at(ratio::DEN).to_big());
                Some(Num::Ratio(BigRational::new_raw(num, den)))
            }
            _ => None,
        }
    }

    /// The integer of a fixnum or bignum.
    fn to_big(self) -> BigInt {
        if let Some(i) = self.as_fixnum() {
            return BigInt::from(i);
        }
        let count = self.int_at(bignum::BYTE_LEN) / 8;
        let halves = (0..count).flat_map(|i| {
            let limb = self.raw_at(bignum::LIMBS + i);
            [limb as u32, (limb >> 32) as u32]
        });
        let sign = if self.aux() == 1 { Sign::Minus } else { Sign::Plus };
        BigInt::from_biguint(sign, BigUint::new(halves.collect()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::heap::HeapOptions;

    #[test]
    fn numbers_round_trip() {
        let mut heap = Heap::new(HeapOptions::default());
        let texts = "0 -1 4611686018427387903 4611686018427387904 -4611686018427387905 -9223372036854775808 \
                     123456789012345678901234567890 -99999999999999999999 1/3 -123456789012345678901234567890/7 \
                     0.0 -0.0 1.5 1e300 -1e-300 +inf.0 -inf.0";
        for text in texts.split_whitespace() {
            let crate::num::Parsed::Number(num) = Num::parse(text) else {
                panic!("{text}")
            };
            let size = size_of_number(&num);
            heap.reserve(size, &mut ()).unwrap();
            let value = heap.handle(heap.number(&num));
            heap.collect(&mut ());
            let back = heap.get(&value).as_number().unwrap();
            assert!(back.same(&num), "{text}: {back:?}");
        }
        heap.reserve(Heap::SIZE_OF_FLOAT, &mut ()).unwrap();
        assert!(heap.float(f64::NAN).as_float().unwrap().is_nan());
    }
}
