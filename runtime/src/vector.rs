//! Vectors, and the growable stores behind views, dicts and tables.
//!
//! Invariant: nobody looks at the words of a buffer beyond its `used` mark.
#![allow(unsafe_code)]

use crate::heap::Heap;
use crate::object::{self, Type, buffer, values, vector};
use crate::value::{Value, Word};
use std::cell::Cell;

/// Bytes to reserve for a vector of `n` elements.
pub const fn size_of_vector(n: usize) -> usize {
    Heap::size_of(n.saturating_add(vector::ELEMENTS - 1))
}

/// Bytes to reserve for a buffer of this capacity; more than there are when places in it could
/// not be counted in 32 bits.
pub(crate) const fn size_of_buffer(capacity: usize) -> usize {
    if capacity > u32::MAX as usize {
        return usize::MAX;
    }
    (buffer::ELEMENTS + capacity) * 8
}

impl Heap {
    /// A vector of `n` times `fill`. Spends `size_of_vector(n)`.
    pub fn vector(&self, n: usize, fill: Value<'_>) -> Value<'_> {
        self.counted(Type::Vector, n, |_| fill.word())
    }
    /// A vector of these elements. Spends `size_of_vector(elements.len())`.
    pub fn vector_from(&self, elements: &[Value<'_>]) -> Value<'_> {
        self.counted(Type::Vector, elements.len(), |i| elements[i].word())
    }
    /// Several values. Spends `size_of_vector(values.len())`.
    pub fn values_from(&self, values: &[Value<'_>]) -> Value<'_> {
        self.counted(Type::Values, values.len(), |i| values[i].word())
    }

    fn counted(&self, ty: Type, n: usize, element: impl Fn(usize) -> Word) -> Value<'_> {
        // SAFETY: the fields follow at once.
        unsafe {
            let object = self.alloc(ty, 0, vector::ELEMENTS + n);
            object::set_field_raw(object, vector::LEN, Word::fixnum(n as i64).0);
            for i in 0..n {
                object::set_field_raw(object, vector::ELEMENTS + i, element(i).0);
            }
            Value::from_raw(object)
        }
    }

    /// Replaces an element; the index must be in range.
    #[inline]
    pub fn vector_set(&self, vector: Vector<'_>, i: usize, value: Value<'_>) {
        assert!(i < vector.len(), "the caller checks the index");
        self.store(vector.0, vector::ELEMENTS + i, value);
    }

    /// An empty buffer. Spends `size_of_buffer(capacity)`.
    pub(crate) fn buffer(&self, capacity: usize) -> Value<'_> {
        // SAFETY: `used` is 0, so no element is looked at before it is written.
        unsafe {
            let object = self.alloc(Type::Buffer, 0, buffer::ELEMENTS + capacity);
            object::set_field_raw(object, buffer::USED, 0);
            object::set_field_raw(object, buffer::CAPACITY, Word::fixnum(capacity as i64).0);
            Value::from_raw(object)
        }
    }

    /// A full buffer of these elements. Spends `size_of_buffer(elements.len())`.
    pub(crate) fn buffer_of(&self, elements: &[Value<'_>]) -> Value<'_> {
        let n = Word::fixnum(elements.len() as i64);
        // SAFETY: all fields follow at once.
        unsafe {
            let object = self.alloc(Type::Buffer, 0, buffer::ELEMENTS + elements.len());
            object::set_field_raw(object, buffer::USED, n.0);
            object::set_field_raw(object, buffer::CAPACITY, n.0);
            for (i, element) in elements.iter().enumerate() {
                object::set_field_raw(object, buffer::ELEMENTS + i, element.word().0);
            }
            Value::from_raw(object)
        }
    }

    /// A full buffer of `n` elements, the first of them last. Spends `size_of_buffer(n)`.
    pub(crate) fn buffer_backwards<'h>(&'h self, n: usize, mut elements: impl Iterator<Item = Value<'h>>) -> Value<'h> {
        let count = Word::fixnum(n as i64);
        // SAFETY: all fields follow at once.
        unsafe {
            let object = self.alloc(Type::Buffer, 0, buffer::ELEMENTS + n);
            object::set_field_raw(object, buffer::USED, count.0);
            object::set_field_raw(object, buffer::CAPACITY, count.0);
            for i in (0..n).rev() {
                let word = elements.next().map_or(Word::NIL, Value::word);
                object::set_field_raw(object, buffer::ELEMENTS + i, word.0);
            }
            Value::from_raw(object)
        }
    }

    /// Writes the element after the last of a buffer that has room.
    #[inline]
    pub(crate) fn buffer_push(&self, buffer: Value<'_>, value: Value<'_>) {
        let used = buffer.int_at(buffer::USED);
        debug_assert!(buffer.is(Type::Buffer) && used < buffer.int_at(buffer::CAPACITY));
        self.store(buffer, buffer::ELEMENTS + used, value);
        buffer.set_raw(buffer::USED, Word::fixnum(used as i64 + 1).0);
    }
}

/// A value that is known to be a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vector<'h>(pub(crate) Value<'h>);

impl<'h> Vector<'h> {
    /// How many elements.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.0.int_at(vector::LEN)
    }
    /// No elements?
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
    /// An element, if the index is in range.
    #[inline(always)]
    pub fn get(self, i: usize) -> Option<Value<'h>> {
        (i < self.len()).then(|| self.0.at(vector::ELEMENTS + i))
    }
    /// The elements in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Value<'h>> {
        (0..self.len()).map(move |i| self.0.at(vector::ELEMENTS + i))
    }
    /// The elements where they stand.
    pub fn elements(self) -> &'h [Cell<Value<'h>>] {
        // SAFETY: a vector has so many elements.
        unsafe { self.0.fields(vector::ELEMENTS, self.len()) }
    }
    /// The vector as a value.
    pub fn value(self) -> Value<'h> {
        self.0
    }
}

impl<'h> Value<'h> {
    /// This as a vector, if it is one.
    #[inline(always)]
    pub fn as_vector(self) -> Option<Vector<'h>> {
        self.is(Type::Vector).then_some(Vector(self))
    }
    /// The elements of a buffer from `from` on, `n` of them, where they stand.
    pub(crate) fn buffer_elements(self, from: usize, n: usize) -> &'h [Cell<Value<'h>>] {
        assert!(
            self.is(Type::Buffer) && from + n <= self.int_at(buffer::USED),
            "a view lies below the mark of its buffer"
        );
        // SAFETY: there are so many, just checked.
        unsafe { self.fields(buffer::ELEMENTS + from, n) }
    }

    /// # Safety
    /// The object has `n` tagged fields from `first` on.
    unsafe fn fields(self, first: usize, n: usize) -> &'h [Cell<Value<'h>>] {
        let place = object::place(self.word().address(), first);
        // SAFETY: by the caller; a `Cell<Value>` is a word, written through shared references too.
        unsafe { std::slice::from_raw_parts(place.cast(), n) }
    }

    /// The several values this is, if it is such an object.
    pub fn as_values(self) -> Option<Vec<Value<'h>>> {
        let element = |i| self.at(values::ELEMENTS + i);
        self.is(Type::Values)
            .then(|| (0..self.int_at(values::LEN)).map(element).collect())
    }
}
