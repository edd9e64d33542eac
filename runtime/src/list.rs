//! Lists: pairs and views.

use crate::heap::Heap;
use crate::object::{Type, pair};
use crate::value::Value;

impl Heap {
    /// Bytes to reserve for a pair or a view.
    pub const SIZE_OF_PAIR: usize = Heap::size_of(2);

    /// A pair. Spends `SIZE_OF_PAIR`.
    #[inline(always)]
    pub fn cons(&self, car: Value<'_>, cdr: Value<'_>) -> Value<'_> {
        self.make(Type::Pair, 0, [car.word(), cdr.word()])
    }
    /// Replaces the car of a pair.
    #[inline]
    pub fn set_car(&self, pair: Pair<'_>, value: Value<'_>) {
        self.store(pair.0, pair::CAR, value);
    }
}

/// A value that is known to be a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'h>(Value<'h>);

impl<'h> Pair<'h> {
    /// The first element.
    #[inline(always)]
    pub fn car(self) -> Value<'h> {
        self.0.at(pair::CAR)
    }
    /// The rest.
    #[inline(always)]
    pub fn cdr(self) -> Value<'h> {
        self.0.at(pair::CDR)
    }
}

impl<'h> Value<'h> {
    /// This as a pair, if it is one (a view is none).
    #[inline(always)]
    pub fn as_pair(self) -> Option<Pair<'h>> {
        self.is(Type::Pair).then_some(Pair(self))
    }
}
