//! Numbers in the heap: what word or object a `Num` is, and back.
//!
//! Invariant: a number has one shape. An integer that fits a fixnum is never a bignum, a double
//! that fits a flonum word is never an object.
#![allow(unsafe_code)]

use super::Num;
use crate::heap::Heap;
use crate::object::{self, Type, bignum, ratio};
use crate::value::{FIXNUM_MAX, FIXNUM_MIN, Value, Word};
use num_bigint::{BigInt, BigUint, Sign};
use num_rational::BigRational;

impl Heap {
    /// Bytes to reserve for a number.
    pub fn size_of_num(n: &Num) -> usize {
        match n {
            Num::Int(FIXNUM_MIN..=FIXNUM_MAX) => 0,
            Num::Int(_) => Heap::size_of(2),
            Num::Float(_) => Heap::SIZE_OF_FLOAT,
            Num::Big(b) => size_of_big(b),
            Num::Ratio(r) => Heap::size_of(2) + size_of_big(r.numer()) + size_of_big(r.denom()),
        }
    }

    /// A number. Spends `size_of_num` at most.
    pub fn num(&self, n: &Num) -> Value<'_> {
        match n {
            Num::Int(i) => match Word::try_fixnum(*i) {
                Some(word) => Value::immediate(word),
                None => self.bignum(*i < 0, &[i.unsigned_abs()]),
            },
            Num::Float(f) => self.float(*f),
            Num::Big(b) => self.integer(b),
            Num::Ratio(r) => {
                let (numer, denom) = (self.integer(r.numer()), self.integer(r.denom()));
                self.make(Type::Ratio, 0, [numer.word(), denom.word()])
            }
        }
    }

    fn integer(&self, b: &BigInt) -> Value<'_> {
        match i64::try_from(b).ok().and_then(Word::try_fixnum) {
            Some(word) => Value::immediate(word),
            None => self.bignum(b.sign() == Sign::Minus, &b.magnitude().to_u64_digits()),
        }
    }

    fn bignum(&self, negative: bool, limbs: &[u64]) -> Value<'_> {
        // SAFETY: every field follows at once; the object has a word for each limb.
        unsafe {
            let object = self.alloc(Type::Bignum, u64::from(negative), bignum::LIMBS + limbs.len());
            object::set_field_raw(object, bignum::BYTE_LEN, Word::fixnum(limbs.len() as i64 * 8).0);
            for (i, limb) in limbs.iter().enumerate() {
                object::set_field_raw(object, bignum::LIMBS + i, *limb);
            }
            Value::from_raw(object)
        }
    }
}

fn size_of_big(b: &BigInt) -> usize {
    (bignum::LIMBS + b.bits().div_ceil(64) as usize) * 8
}

impl Value<'_> {
    /// The number, if this is one.
    pub fn as_num(self) -> Option<Num> {
        let word = self.word();
        if word.is_fixnum() {
            return Some(Num::Int(word.as_fixnum()));
        }
        if word.is_flonum() {
            return Some(Num::Float(word.as_flonum()));
        }
        match self.object_type()? {
            Type::Flonum => self.as_float().map(Num::Float),
            Type::Bignum => Some(Num::from_big(self.big())),
            Type::Ratio => {
                let (numer, denom) = (self.at(ratio::NUM).big(), self.at(ratio::DEN).big());
                Some(Num::Ratio(BigRational::new_raw(numer, denom)))
            }
            _ => None,
        }
    }

    /// The integer of a fixnum or bignum; only for callers that have checked the type.
    fn big(self) -> BigInt {
        if let Some(i) = self.as_fixnum() {
            return BigInt::from(i);
        }
        let limbs = self.int_at(bignum::BYTE_LEN) / 8;
        let digits = (0..limbs).flat_map(|i| {
            let limb = self.raw_at(bignum::LIMBS + i);
            [limb as u32, (limb >> 32) as u32]
        });
        let sign = if object::header_aux(self.raw_at(0)) == 1 {
            Sign::Minus
        } else {
            Sign::Plus
        };
        BigInt::from_biguint(sign, BigUint::new(digits.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::HeapOptions;

    #[test]
    fn numbers_survive_the_heap_in_one_shape() {
        let mut heap = Heap::new(HeapOptions {
            stress: true,
            poison: true,
            ..HeapOptions::default()
        });
        for text in [
            "0",
            "4611686018427387903",
            "4611686018427387904",
            "-4611686018427387905",
            "9223372036854775808",
            "-340282366920938463463374607431768211456",
            "1/3",
            "-170141183460469231731687303715884105728/3",
            "2.5",
            "0.0",
            "1e300",
            "+inf.0",
        ] {
            let Ok(n) = text.parse::<Num>() else { panic!("{text}") };
            assert_eq!(heap.reserve(Heap::size_of_num(&n), &mut ()), Ok(()));
            let handle = heap.handle(heap.num(&n));
            assert_eq!(heap.reserve(8, &mut ()), Ok(()));
            let value = heap.get(&handle);
            assert_eq!(value.as_num(), Some(n.clone()), "{text}");
            assert_eq!(value.word().is_fixnum(), matches!(n, Num::Int(FIXNUM_MIN..=FIXNUM_MAX)));
        }
        assert_eq!(Value::NIL.as_num(), None);
    }
}
