//! Strings: immutable UTF-8 with its length in bytes and code points and a hash on demand.
//! A string is ASCII exactly when the two lengths are equal.
#![allow(unsafe_code)]

use crate::heap::Heap;
use crate::object::{self, Type, string};
use crate::value::{Value, Word};

/// Bytes to reserve for a string of `len` bytes.
pub const fn size_of_string(len: usize) -> usize {
    (string::BYTES + len.div_ceil(8)) * 8
}

impl Heap {
    /// A string with this text. Spends `size_of_string(text.len())`.
    pub fn string(&self, text: &str) -> Value<'_> {
        // SAFETY: `fill_string` fills all fields.
        unsafe { fill_string(self.alloc(Type::String, 0, size_of_string(text.len()) / 8), text) }
    }

    /// A string in old space. Does not spend the reservation.
    pub(crate) fn string_old(&self, text: &str) -> Value<'_> {
        // SAFETY: `fill_string` fills all fields.
        unsafe { fill_string(self.alloc_old(Type::String, 0, size_of_string(text.len()) / 8), text) }
    }

    /// The hash of a text: what the HASH field of a string with this text holds. Below 2^61.
    pub fn hash_text(&self, text: &str) -> u64 {
        hash_bytes(self.options().hash_seed, text.as_bytes())
    }

    /// The hash of a string value, kept in it.
    pub fn hash_string(&self, value: Value<'_>) -> u64 {
        debug_assert!(value.is(Type::String));
        let known = value.raw_at(string::HASH) >> 1;
        if known != 0 {
            return known;
        }
        let hash = self.hash_text(value.as_str().unwrap_or_default());
        value.set_raw(string::HASH, Word::fixnum(hash as i64).0);
        hash
    }
}

/// # Safety
/// `object` is a fresh string object with room for `text`.
unsafe fn fill_string<'h>(object: Word, text: &str) -> Value<'h> {
    // SAFETY: by the caller; the last word is cleared so that its spare bytes are defined.
    unsafe {
        let chars = if text.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        };
        object::set_field_raw(object, string::BYTE_LEN, Word::fixnum(text.len() as i64).0);
        object::set_field_raw(object, string::CHAR_LEN, Word::fixnum(chars as i64).0);
        object::set_field_raw(object, string::HASH, 0);
        if !text.is_empty() {
            object::set_field_raw(object, string::BYTES + (text.len() - 1) / 8, 0);
        }
        let bytes = object::place(object.address(), string::BYTES) as *mut u8;
        std::ptr::copy_nonoverlapping(text.as_ptr(), bytes, text.len());
        Value::from_raw(object)
    }
}

/// A hash below 2^61, never 0.
pub(crate) fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    const K: u64 = 0x2d35_8dcc_aa6c_78a5;
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(K);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        hash = mix(hash ^ u64::from_le_bytes(word), K);
    }
    let mut word = [0; 8];
    word[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    hash = mix(hash ^ u64::from_le_bytes(word), K);
    (hash >> 3).max(1)
}

/// Folds the 128-bit product of two words.
#[inline(always)]
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let wide = (a as u128).wrapping_mul(b as u128);
    (wide as u64) ^ (wide >> 64) as u64
}

impl<'h> Value<'h> {
    /// The text, if this is a string.
    #[inline]
    pub fn as_str(self) -> Option<&'h str> {
        if !self.is(Type::String) {
            return None;
        }
        // SAFETY: strings are UTF-8, do not change, and stay where they are while the heap is
        // borrowed for 'h.
        unsafe {
            let bytes = object::place(self.word().address(), string::BYTES) as *const u8;
            let bytes = std::slice::from_raw_parts(bytes, self.int_at(string::BYTE_LEN));
            Some(std::str::from_utf8_unchecked(bytes))
        }
    }
    /// Code points, if this is a string.
    #[inline]
    pub fn string_len(self) -> Option<usize> {
        self.is(Type::String).then(|| self.int_at(string::CHAR_LEN))
    }
    /// Is this a string of ASCII characters only?
    #[inline]
    pub fn is_ascii_string(self) -> bool {
        self.is(Type::String) && self.raw_at(string::BYTE_LEN) == self.raw_at(string::CHAR_LEN)
    }
}
