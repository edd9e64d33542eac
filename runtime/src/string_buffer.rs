//! Text under construction: a bytevector that doubles, and how much of it is text.
//!
//! Invariant: the first LEN bytes of STORE are UTF-8 and never change.
#![allow(unsafe_code)]

use crate::bytes::size_of_bytevector;
use crate::heap::Heap;
use crate::object::{self, Type, bytevector, string_buffer};
use crate::value::{Value, Word};

/// A value that is known to be a string buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StringBuffer<'h>(Value<'h>);

impl<'h> StringBuffer<'h> {
    fn len(self) -> usize {
        self.0.int_at(string_buffer::LEN)
    }
    fn capacity(self) -> usize {
        self.0.at(string_buffer::STORE).int_at(bytevector::BYTE_LEN)
    }
    /// The text so far.
    pub fn text(self) -> &'h str {
        let store = self.0.at(string_buffer::STORE).word();
        // SAFETY: the bytes are UTF-8, do not change, and stay where they are for 'h.
        unsafe {
            let first = object::place(store.address(), bytevector::BYTES) as *const u8;
            std::str::from_utf8_unchecked(std::slice::from_raw_parts(first, self.len()))
        }
    }
    /// Bytes to reserve before `string_buffer_push` of `len` bytes.
    pub fn size_of_push(self, len: usize) -> usize {
        let wanted = self.len() + len;
        if wanted <= self.capacity() {
            0
        } else {
            size_of_bytevector(grown(wanted))
        }
    }
    /// The string buffer as a value.
    pub fn value(self) -> Value<'h> {
        self.0
    }
}

fn grown(len: usize) -> usize {
    (len * 2).max(64)
}

impl Heap {
    /// Bytes to reserve for an empty string buffer.
    pub const SIZE_OF_STRING_BUFFER: usize = Heap::size_of(2) + size_of_bytevector(0);

    /// An empty string buffer. Spends `SIZE_OF_STRING_BUFFER`.
    pub fn string_buffer(&self) -> StringBuffer<'_> {
        let store = self.bytevector(0).word();
        StringBuffer(self.make(Type::StringBuffer, 0, [Word::fixnum(0), store]))
    }

    /// Adds text. Spends `size_of_push(text.len())`.
    pub fn string_buffer_push(&self, buffer: StringBuffer<'_>, text: &str) {
        let len = buffer.len();
        if len + text.len() > buffer.capacity() {
            let (old, store) = (
                buffer.0.at(string_buffer::STORE),
                self.bytevector(grown(len + text.len())),
            );
            put(store, 0, buffer.text());
            put(store, len, text);
            self.store(buffer.0, string_buffer::STORE, store);
            // SAFETY: only the buffer has referred to its store, and no longer does.
            unsafe { self.discard(old) };
        } else {
            put(buffer.0.at(string_buffer::STORE), len, text);
        }
        buffer
            .0
            .set_raw(string_buffer::LEN, Word::fixnum((len + text.len()) as i64).0);
    }
}

fn put(store: Value<'_>, at: usize, text: &str) {
    let cells = store.as_bytes().unwrap_or_default();
    for (cell, byte) in cells[at..at + text.len()].iter().zip(text.bytes()) {
        cell.set(byte);
    }
}

impl<'h> Value<'h> {
    /// This as a string buffer, if it is one.
    pub fn as_string_buffer(self) -> Option<StringBuffer<'h>> {
        self.is(Type::StringBuffer).then_some(StringBuffer(self))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::heap::HeapOptions;

    #[test]
    fn pushed_text_comes_out_in_order() {
        let mut heap = Heap::new(HeapOptions {
            stress: true,
            poison: true,
            ..HeapOptions::default()
        });
        heap.reserve(Heap::SIZE_OF_STRING_BUFFER, &mut ()).unwrap();
        let rooted = heap.handle(heap.string_buffer().value());
        let mut model = String::new();
        for i in 0..500 {
            let text = format!("{i}é");
            let size = heap.get(&rooted).as_string_buffer().unwrap().size_of_push(text.len());
            heap.reserve(size, &mut ()).unwrap();
            let buffer = heap.get(&rooted).as_string_buffer().unwrap();
            heap.string_buffer_push(buffer, &text);
            model.push_str(&text);
            assert_eq!(buffer.text(), model);
        }
    }
}
