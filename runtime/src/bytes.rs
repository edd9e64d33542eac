//! Bytevectors.
#![allow(unsafe_code)]

use crate::heap::Heap;
use crate::object::{self, Type, bytevector};
use crate::value::{Value, Word};
use std::cell::Cell;

/// Bytes to reserve for a bytevector of `len` bytes.
pub const fn size_of_bytevector(len: usize) -> usize {
    Heap::size_of(len.div_ceil(8) + bytevector::BYTES - 1)
}

impl Heap {
    /// A bytevector of `len` zeros. Spends `size_of_bytevector(len)`.
    pub fn bytevector(&self, len: usize) -> Value<'_> {
        let words = size_of_bytevector(len) / 8;
        // SAFETY: the fields follow at once.
        unsafe {
            let object = self.alloc(Type::Bytevector, 0, words);
            object::set_field_raw(object, bytevector::BYTE_LEN, Word::fixnum(len as i64).0);
            object::place(object.address(), bytevector::BYTES).write_bytes(0, words - bytevector::BYTES);
            Value::from_raw(object)
        }
    }
    /// A bytevector of these bytes. Spends `size_of_bytevector(bytes.len())`.
    pub fn bytevector_from(&self, bytes: &[u8]) -> Value<'_> {
        let value = self.bytevector(bytes.len());
        if let Some(cells) = value.as_bytes() {
            cells.iter().zip(bytes).for_each(|(cell, byte)| cell.set(*byte));
        }
        value
    }
}

impl<'h> Value<'h> {
    /// The bytes, if this is a bytevector.
    #[inline]
    pub fn as_bytes(self) -> Option<&'h [Cell<u8>]> {
        if !self.is(Type::Bytevector) {
            return None;
        }
        // SAFETY: the bytes stay where they are while the heap is borrowed for 'h, and are
        // written through cells only.
        unsafe {
            let first = object::place(self.word().address(), bytevector::BYTES) as *const Cell<u8>;
            Some(std::slice::from_raw_parts(first, self.int_at(bytevector::BYTE_LEN)))
        }
    }
    /// The whole words of the bytes, in the machine's byte order, if this is a bytevector.
    #[inline]
    pub fn as_words(self) -> Option<&'h [Cell<u64>]> {
        let bytes = self.as_bytes()?;
        // SAFETY: the bytes begin at a field, which is aligned; any eight bytes are a `u64`, and
        // all views of them are cells.
        Some(unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / 8) })
    }
    /// The whole 32-bit units of the bytes, in the machine's byte order, if this is a bytevector.
    #[inline]
    pub(crate) fn as_units(self) -> Option<&'h [Cell<u32>]> {
        let bytes = self.as_bytes()?;
        // SAFETY: as in `as_words`.
        Some(unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / 4) })
    }
    /// A copy of the bytes, if this is a bytevector.
    pub fn bytes_to_vec(self) -> Option<Vec<u8>> {
        Some(self.as_bytes()?.iter().map(Cell::get).collect())
    }
}
