//! Texts: Scheme's strings that can be changed.
//!
//! A text begins *narrow*: its store is a string of its own, in which a character is written over
//! one that takes as many bytes. The first that takes more or fewer makes it *wide*: its store is
//! then a bytevector, the characters as 32-bit units, behind them room for the same in UTF-8, which
//! is made when somebody asks for it (`as_str`) and is stale after each change. So a character is
//! read and changed in constant time, whatever was in its place.
//!
//! Invariant: nobody holds a `str` of a text that is changed. So none is held while the UTF-8 of a
//! wide text is stale, and making it anew moves nothing under a reader.
#![allow(unsafe_code)]

use crate::bytes::size_of_bytevector;
use crate::heap::Heap;
use crate::object::{self, SHARED, Type, string, text};
use crate::value::{Value, Word};
use std::cell::Cell;

/// What UTF8_LEN is while the UTF-8 of a wide text has to be made.
const STALE: Word = Word::fixnum(-1);

/// Bytes of a unit, and the most bytes of a character in UTF-8.
const UNIT: usize = 4;

impl Heap {
    /// Bytes to reserve for a text, its string not counted.
    pub const SIZE_OF_TEXT: usize = Heap::size_of(2);

    /// A string that can be changed, whose content is this fresh string. Spends `SIZE_OF_TEXT`.
    pub fn text(&self, store: Value<'_>) -> Value<'_> {
        debug_assert!(store.is(Type::String));
        self.make(Type::Text, 0, [store.word(), STALE])
    }

    /// Bytes to reserve to make a text of so many characters wide.
    pub const fn size_of_wide(chars: usize) -> usize {
        size_of_bytevector(chars.saturating_mul(2 * UNIT))
    }

    /// Makes a text wide. Spends `size_of_wide` of its characters.
    pub fn widen(&self, text: Value<'_>) {
        assert!(text.is(Type::Text));
        let len = text.string_len().unwrap_or(0);
        let store = self.bytevector(len * 2 * UNIT);
        let units = store.as_units().into_iter().flatten();
        let chars = text.as_str().into_iter().flat_map(str::chars);
        units.zip(chars).for_each(|(unit, c)| unit.set(u32::from(c)));
        self.store(text, text::STORE, store);
        text.set_raw(text::UTF8_LEN, STALE.0);
    }

    /// Writes characters over those from place `at` on, which are there. False, with nothing done,
    /// if a character takes other bytes than the one in its place and the text is not wide, or if its
    /// string is not its own: make it wide then.
    ///
    /// # Safety
    /// Nobody holds a `str` of the text.
    pub unsafe fn put(&self, text: Value<'_>, at: usize, by: &str) -> bool {
        if let Some(units) = text.wide_units() {
            units[at..]
                .iter()
                .zip(by.chars())
                .for_each(|(unit, c)| unit.set(u32::from(c)));
            text.set_raw(text::UTF8_LEN, STALE.0);
            return true;
        }
        let Some(store) = text.flat().filter(|_| text.is(Type::Text)) else {
            return false;
        };
        let from = self.string_offset(store, at);
        let old = store.as_str().and_then(|old| old[from..].get(..by.len()));
        let alike = old.is_some_and(|old| old.chars().map(char::len_utf8).eq(by.chars().map(char::len_utf8)));
        if !alike || store.has_flag(SHARED) {
            return false;
        }
        store.set_raw(string::HASH, 0);
        // SAFETY: the characters there take the same bytes one by one, so that the string stays UTF-8
        // of the same lengths and offsets; nobody looks at it, by the caller.
        unsafe {
            let place = object::place(store.word().address(), string::BYTES) as *mut u8;
            std::ptr::copy_nonoverlapping(by.as_ptr(), place.add(from), by.len());
        }
        true
    }

    /// The content of a string as one that no change of it touches.
    pub fn kept_string<'h>(&'h self, value: Value<'h>) -> Option<Value<'h>> {
        match value.flat() {
            Some(string) => {
                if value.is(Type::Text) {
                    string.set_flag(SHARED);
                }
                Some(string)
            }
            None => Some(self.string_old(value.as_str()?)),
        }
    }
}

impl<'h> Value<'h> {
    /// The string that holds the characters, if this is a string and not a wide text.
    #[inline]
    pub fn flat(self) -> Option<Value<'h>> {
        if self.is(Type::String) {
            return Some(self);
        }
        let store = self.is(Type::Text).then(|| self.at(text::STORE));
        store.filter(|store| store.is(Type::String))
    }

    /// The characters, if this is a wide text.
    #[inline]
    pub(crate) fn wide_units(self) -> Option<&'h [Cell<u32>]> {
        if !self.is(Type::Text) {
            return None;
        }
        let units = self.at(text::STORE).as_units()?;
        Some(&units[..units.len() / 2])
    }

    /// What is in a text, if this is one.
    pub(crate) fn text_str(self) -> Option<&'h str> {
        if let Some(string) = self.flat() {
            return string.as_str();
        }
        let units = self.wide_units()?;
        let room = &self.at(text::STORE).as_bytes()?[units.len() * UNIT..];
        if self.at(text::UTF8_LEN).word() == STALE {
            let len = encode(units, room);
            self.set_raw(text::UTF8_LEN, Word::fixnum(len as i64).0);
        }
        let room = &room[..self.int_at(text::UTF8_LEN)];
        // SAFETY: `encode` has written UTF-8 there; it changes only where no `str` of the text is held,
        // by the invariant above.
        unsafe {
            let bytes = std::slice::from_raw_parts(room.as_ptr().cast(), room.len());
            Some(std::str::from_utf8_unchecked(bytes))
        }
    }
}

/// Writes characters in UTF-8; how many bytes that were.
fn encode(units: &[Cell<u32>], room: &[Cell<u8>]) -> usize {
    let mut len = 0;
    for c in units.iter().filter_map(|unit| char::from_u32(unit.get())) {
        let mut bytes = [0; UNIT];
        let bytes = c.encode_utf8(&mut bytes).as_bytes();
        let cells = &room[len..len + bytes.len()];
        cells.iter().zip(bytes).for_each(|(cell, byte)| cell.set(*byte));
        len += bytes.len();
    }
    len
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::heap::HeapOptions;

    fn put(heap: &Heap, text: Value<'_>, at: usize, by: &str) -> bool {
        // SAFETY: no `str` lives across this.
        unsafe { heap.put(text, at, by) }
    }

    #[test]
    fn a_text_is_wide_from_the_first_character_of_another_width_on() {
        let mut heap = Heap::new(HeapOptions::default());
        heap.reserve(4096, &mut ()).unwrap();
        let text = heap.text(heap.string("abcd"));
        assert!(put(&heap, text, 1, "xy") && text.as_str() == Some("axyd"));
        assert!(!put(&heap, text, 1, "λ") && text.as_str() == Some("axyd"));
        heap.widen(text);
        for (at, by, all) in [
            (1, "λ", "aλyd"),
            (0, "漢🦀", "漢🦀yd"),
            (3, "b", "漢🦀yb"),
            (0, "1", "1🦀yb"),
        ] {
            assert!(put(&heap, text, at, by));
            assert_eq!((text.as_str(), text.string_len()), (Some(all), Some(4)));
            assert_eq!(
                (heap.string_ref(text, 1), heap.string_ref(text, 4)),
                (all.chars().nth(1), None)
            );
            assert_eq!(heap.string_slice(text, 1, 3).chars().count(), 2);
        }
    }

    #[test]
    fn a_string_that_was_kept_is_not_written_to() {
        let mut heap = Heap::new(HeapOptions::default());
        heap.reserve(4096, &mut ()).unwrap();
        let text = heap.text(heap.string("ab"));
        let kept = heap.kept_string(text).unwrap();
        assert!(!put(&heap, text, 0, "x"));
        heap.widen(text);
        assert!(put(&heap, text, 0, "x"));
        let later = heap.kept_string(text).unwrap();
        assert!(put(&heap, text, 1, "é"));
        let all = [kept, later, text].map(Value::as_str);
        assert_eq!(all, [Some("ab"), Some("xb"), Some("xé")]);
    }
}
