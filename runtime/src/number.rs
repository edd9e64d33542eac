//! Numbers that need the heap: doubles whose exponent no flonum word holds.
#![allow(unsafe_code)]

use crate::heap::Heap;
use crate::object::{self, Type, flonum};
use crate::value::{Value, Word};

impl Heap {
    /// Bytes to reserve for a float.
    pub const SIZE_OF_FLOAT: usize = Heap::size_of(1);

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
        // SAFETY: the only field follows at once.
        unsafe {
            let object = self.alloc(Type::Flonum, 0, 2);
            object::set_field_raw(object, flonum::BITS, f.to_bits());
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
}
