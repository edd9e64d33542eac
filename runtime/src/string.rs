//! Strings: immutable UTF-8 with its length in bytes and code points and a hash on demand.
//! A string is ASCII exactly when the two lengths are equal; one that is not
//! gets a table of offsets, kept beside the heap, when it is indexed. Strings that can be
//! changed are texts (`text.rs`), of which this file answers the same questions.
#![allow(unsafe_code)]

use crate::heap::Heap;
use crate::object::{self, Type, string};
use crate::value::{Value, Word};
use std::borrow::Cow;
use std::collections::HashMap;

/// Bytes to reserve for a string of `len` bytes; more than there are when its offsets could not
/// be counted in 32 bits.
pub const fn size_of_string(len: usize) -> usize {
    if len > u32::MAX as usize {
        return usize::MAX;
    }
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
        assert!(value.is(Type::String));
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

/// Between two code points whose offset is kept there are so many.
const STRIDE: usize = 64;
/// Strings of fewer bytes are walked.
const WALKED: usize = 256;
/// The most strings whose offsets are kept.
const KEPT: usize = 64;

/// Offsets of every 64th code point of long strings that are not ASCII and have been indexed,
/// by the address of the string.
#[derive(Default)]
pub(crate) struct OffsetCache {
    strings: HashMap<usize, Box<[u32]>>,
}

impl OffsetCache {
    /// After a collection: `moved` tells where a string is now, or that it has died.
    pub(crate) fn update(&mut self, moved: impl Fn(usize) -> Option<usize>) {
        let strings = self
            .strings
            .drain()
            .filter_map(|(address, offsets)| Some((moved(address)?, offsets)));
        self.strings = strings.collect();
    }

    fn offset(&mut self, address: usize, text: &str, i: usize) -> usize {
        if self.strings.len() >= KEPT && !self.strings.contains_key(&address) {
            self.strings.clear();
        }
        let offsets = self.strings.entry(address).or_insert_with(|| {
            let every = text.char_indices().step_by(STRIDE);
            every.map(|(offset, _)| offset as u32).collect()
        });
        match offsets.get(i / STRIDE) {
            Some(offset) => walk(text, *offset as usize, i % STRIDE),
            None => text.len(),
        }
    }
}

/// The offset `n` code points after the one at `from`.
fn walk(text: &str, from: usize, n: usize) -> usize {
    let mut rest = text[from..].char_indices();
    rest.nth(n).map_or(text.len(), |(offset, _)| from + offset)
}

impl Heap {
    /// The byte offset of code point `i` of a string, or its length in bytes if it has no more
    /// than `i`. Constant time for ASCII, and for others that are not wide after the first time.
    pub fn string_offset(&self, value: Value<'_>, i: usize) -> usize {
        let text = value.as_str().unwrap_or_default();
        let Some(value) = value.flat().filter(|_| text.len() >= WALKED) else {
            return walk(text, 0, i);
        };
        if value.is_ascii_string() {
            return i.min(text.len());
        }
        self.offsets.borrow_mut().offset(value.word().address(), text, i)
    }

    /// Code point `i` of a string.
    pub fn string_ref(&self, value: Value<'_>, i: usize) -> Option<char> {
        if let Some(units) = value.wide_units() {
            return units.get(i).and_then(|unit| char::from_u32(unit.get()));
        }
        let text = value.as_str()?;
        if value.is_ascii_string() {
            return text.as_bytes().get(i).map(|byte| char::from(*byte));
        }
        text[self.string_offset(value, i)..].chars().next()
    }

    /// The text from code point `from` to before code point `to`.
    pub fn string_slice<'h>(&'h self, value: Value<'h>, from: usize, to: usize) -> Cow<'h, str> {
        if let Some(units) = value.wide_units() {
            let chars = units[from..to.max(from)]
                .iter()
                .filter_map(|unit| char::from_u32(unit.get()));
            return Cow::Owned(chars.collect());
        }
        let (from, to) = (self.string_offset(value, from), self.string_offset(value, to));
        Cow::Borrowed(&value.as_str().unwrap_or_default()[from..to.max(from)])
    }
}

impl<'h> Value<'h> {
    /// Is this a string, changeable or not?
    #[inline]
    pub fn is_string(self) -> bool {
        self.is(Type::String) || self.is(Type::Text)
    }
    /// The text, if this is a string.
    #[inline]
    pub fn as_str(self) -> Option<&'h str> {
        if !self.is(Type::String) {
            return self.text_str();
        }
        // SAFETY: strings are UTF-8 and stay where they are while the heap is borrowed for 'h; they
        // do not change but by `Heap::put`, whose callers see to it that nobody is looking.
        unsafe {
            let bytes = object::place(self.word().address(), string::BYTES) as *const u8;
            let bytes = std::slice::from_raw_parts(bytes, self.int_at(string::BYTE_LEN));
            Some(std::str::from_utf8_unchecked(bytes))
        }
    }
    /// Code points, if this is a string.
    #[inline]
    pub fn string_len(self) -> Option<usize> {
        match self.flat() {
            Some(string) => Some(string.int_at(string::CHAR_LEN)),
            None => self.wide_units().map(<[_]>::len),
        }
    }
    /// Is this a string of ASCII characters only, and not wide?
    #[inline]
    pub fn is_ascii_string(self) -> bool {
        self.flat()
            .is_some_and(|string| string.raw_at(string::BYTE_LEN) == string.raw_at(string::CHAR_LEN))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::heap::HeapOptions;

    #[test]
    fn indexing_counts_code_points() {
        let mut heap = Heap::new(HeapOptions::default());
        for text in ["plain", "zwölf", "", &"aé漢🦀".repeat(500)] {
            heap.reserve(size_of_string(text.len()), &mut ()).unwrap();
            let value = heap.handle(heap.string(text));
            for round in 0..2 {
                let value = heap.get(&value);
                assert_eq!(value.string_len(), Some(text.chars().count()));
                for (i, c) in text.chars().enumerate() {
                    assert_eq!(heap.string_ref(value, i), Some(c), "{round}");
                }
                assert_eq!(heap.string_ref(value, text.chars().count()), None);
                heap.collect(&mut ());
            }
        }
        assert_eq!(heap.offsets.borrow().strings.len(), 1);
        heap.collect(&mut ());
        assert_eq!(heap.offsets.borrow().strings.len(), 0);
    }

    #[test]
    fn hashes_depend_on_every_byte() {
        let texts: Vec<String> = (0..40).map(|n| "a".repeat(n)).collect();
        let hashes: std::collections::HashSet<u64> = texts.iter().map(|t| hash_bytes(1, t.as_bytes())).collect();
        assert_eq!(hashes.len(), 40);
        assert_ne!(hash_bytes(1, b"abcdefgh"), hash_bytes(1, b"abcdefgi"));
        assert_ne!(hash_bytes(1, b"x"), hash_bytes(2, b"x"));
    }
}
