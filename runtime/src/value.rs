//! The machine word: how every SX value looks in a register, a slot or a heap field.
//!
//! Tags: `…0` fixnum (63 bits) · `01` flonum (biased, rotated double) · `011` pointer to a heap
//! object · `111` immediate. Doubles whose exponent does not fit the rotation live on the heap.
//! `Word` is the raw bits, copied freely by the machine; `Value<'h>` is a word that borrows the
//! heap, so it cannot outlive a call that may collect.
//!
//! Deliberately absent here: anything that looks inside a heap object (see `object.rs`).

use std::marker::PhantomData;

/// The raw bits of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Word(pub u64);

/// Low bits of a pointer word.
pub const TAG_POINTER: u64 = 0b011;
/// Low bits of an immediate word.
pub const TAG_IMMEDIATE: u64 = 0b111;
/// Largest fixnum.
pub const FIXNUM_MAX: i64 = (1 << 62) - 1;
/// Smallest fixnum.
pub const FIXNUM_MIN: i64 = -(1 << 62);

/// Subtracted from a double's bits before the rotation; see `docs/decisions/0001-value-tags.md`.
pub const FLONUM_BIAS: u64 = 1 << 60;

const fn immediate(kind: u64) -> Word {
    Word(kind << 3 | TAG_IMMEDIATE)
}

impl Word {
    /// `nil`. With `FALSE` it differs in one bit, so falsiness is one mask and one compare.
    pub const NIL: Word = immediate(0);
    /// `false`.
    pub const FALSE: Word = immediate(1);
    /// `true`.
    pub const TRUE: Word = immediate(2);
    /// The empty list literal `()`.
    pub const EMPTY: Word = immediate(3);
    /// The end-of-file object.
    pub const EOF: Word = immediate(4);
    /// A global or `letrec` variable without a value yet. Never visible to a program.
    pub const UNBOUND: Word = immediate(5);
    /// What native code and drivers return when they leave without a value.
    pub const SUSPEND: Word = immediate(6);
    /// What the core library tells "not there" by. Never the value of a program's expression.
    pub const ABSENT: Word = immediate(8);
    const CHAR: u64 = 7;

    /// A fixnum; `i` must be in `FIXNUM_MIN..=FIXNUM_MAX`.
    #[inline(always)]
    pub const fn fixnum(i: i64) -> Word {
        debug_assert!(i >= FIXNUM_MIN && i <= FIXNUM_MAX);
        Word((i << 1) as u64)
    }
    /// A fixnum if `i` fits one.
    #[inline(always)]
    pub const fn try_fixnum(i: i64) -> Option<Word> {
        if i >= FIXNUM_MIN && i <= FIXNUM_MAX {
            Some(Word((i << 1) as u64))
        } else {
            None
        }
    }
    /// A boolean.
    #[inline(always)]
    pub const fn bool(b: bool) -> Word {
        if b { Word::TRUE } else { Word::FALSE }
    }
    /// A character.
    #[inline(always)]
    pub const fn char(c: char) -> Word {
        Word((c as u64) << 8 | Word::CHAR << 3 | TAG_IMMEDIATE)
    }
    /// A pointer to the object at `address` (8-byte aligned).
    #[inline(always)]
    pub fn pointer(address: usize) -> Word {
        debug_assert!(address & 7 == 0 && address != 0);
        Word(address as u64 | TAG_POINTER)
    }
    /// A double as a flonum word, if its exponent fits: magnitudes from 2⁻²⁵⁵ up to 2²⁵⁷.
    /// Zeros, infinities, NaNs and the rest live on the heap.
    #[inline(always)]
    pub const fn flonum(f: f64) -> Option<Word> {
        // The bias makes the exponents around one begin with bits 01, and the rotation puts
        // those bits where the tag is: the exponent is the tag, so nothing is masked or merged.
        let word = f.to_bits().wrapping_sub(FLONUM_BIAS).rotate_left(3);
        if word & 3 == 1 { Some(Word(word)) } else { None }
    }

    /// Is this a fixnum?
    #[inline(always)]
    pub const fn is_fixnum(self) -> bool {
        self.0 & 1 == 0
    }
    /// The integer of a fixnum word.
    #[inline(always)]
    pub const fn as_fixnum(self) -> i64 {
        debug_assert!(self.is_fixnum());
        self.0 as i64 >> 1
    }
    /// Is this a flonum?
    #[inline(always)]
    pub const fn is_flonum(self) -> bool {
        self.0 & 3 == 1
    }
    /// The double of a flonum word.
    #[inline(always)]
    pub const fn as_flonum(self) -> f64 {
        debug_assert!(self.is_flonum());
        f64::from_bits(self.0.rotate_right(3).wrapping_add(FLONUM_BIAS))
    }
    /// Is this a pointer to a heap object?
    #[inline(always)]
    pub const fn is_pointer(self) -> bool {
        self.0 & 7 == TAG_POINTER
    }
    /// The address of the object; only for pointer words.
    #[inline(always)]
    pub const fn address(self) -> usize {
        debug_assert!(self.is_pointer());
        (self.0 - TAG_POINTER) as usize
    }
    /// Is this a character?
    #[inline(always)]
    pub const fn is_char(self) -> bool {
        self.0 & 0xff == Word::CHAR << 3 | TAG_IMMEDIATE
    }
    /// The character, if this is one.
    pub const fn as_char(self) -> Option<char> {
        if self.is_char() {
            char::from_u32((self.0 >> 8) as u32)
        } else {
            None
        }
    }
    /// `false` and `nil` are falsy, nothing else is.
    #[inline(always)]
    pub const fn is_falsy(self) -> bool {
        self.0 | 8 == Word::FALSE.0
    }
    /// Everything but `false` and `nil`.
    #[inline(always)]
    pub const fn is_truthy(self) -> bool {
        !self.is_falsy()
    }
}

impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_fixnum() {
            write!(f, "{}", self.as_fixnum())
        } else if self.is_flonum() {
            write!(f, "{:?}", self.as_flonum())
        } else if let Some(c) = self.as_char() {
            write!(f, "{c:?}")
        } else {
            write!(f, "Word({:#x})", self.0)
        }
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A word that is known to be live while the heap is borrowed: it cannot be held across a call
/// that takes the heap mutably, so it cannot be held across a collection.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Value<'h>(Word, PhantomData<&'h ()>);

impl<'h> Value<'h> {
    /// Wraps a word. The caller vouches that `word` was read from a rooted place while the heap
    /// was borrowed for `'h`; only the listed unsafe modules call this with pointer words.
    #[inline(always)]
    pub(crate) const fn from_word(word: Word) -> Value<'h> {
        Value(word, PhantomData)
    }
    /// Wraps a word read from a rooted place, for the machine.
    ///
    /// # Safety
    /// `word` is an immediate, or its object is live and stays so while the heap is borrowed for
    /// `'h`: no `reserve` happens before the last use of the result.
    #[inline(always)]
    #[allow(unsafe_code)]
    pub const unsafe fn from_raw(word: Word) -> Value<'h> {
        Value(word, PhantomData)
    }
    /// A word that is no pointer, which any heap can hold.
    #[inline(always)]
    pub const fn immediate(word: Word) -> Value<'h> {
        assert!(!word.is_pointer());
        Value(word, PhantomData)
    }
    /// `nil`
    pub const NIL: Value<'h> = Value::immediate(Word::NIL);
    /// `()`
    pub const EMPTY: Value<'h> = Value::immediate(Word::EMPTY);
    /// A fixnum; `i` must be in range.
    #[inline(always)]
    pub const fn fixnum(i: i64) -> Value<'h> {
        Value(Word::fixnum(i), PhantomData)
    }
    /// A boolean.
    #[inline(always)]
    pub const fn bool(b: bool) -> Value<'h> {
        Value(Word::bool(b), PhantomData)
    }
    /// A character.
    #[inline(always)]
    pub const fn char(c: char) -> Value<'h> {
        Value(Word::char(c), PhantomData)
    }
    /// The raw word.
    #[inline(always)]
    pub const fn word(self) -> Word {
        self.0
    }
    /// The integer, if this is a fixnum.
    #[inline(always)]
    pub const fn as_fixnum(self) -> Option<i64> {
        if self.0.is_fixnum() {
            Some(self.0.as_fixnum())
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flonums_round_trip() {
        for f in [
            1.0,
            -1.0,
            0.5,
            std::f64::consts::PI,
            1e-70,
            -1e70,
            123456.789,
            1e77,
            2.0f64.powi(-255),
        ] {
            let w = Word::flonum(f).unwrap_or(Word::NIL);
            assert!(w.is_flonum() && !w.is_fixnum() && !w.is_pointer(), "{f}");
            assert_eq!(w.as_flonum().to_bits(), f.to_bits(), "{f}");
        }
        for f in [0.0, -0.0, f64::INFINITY, f64::NAN, 1e300, 1e-300] {
            assert!(Word::flonum(f).is_none(), "{f} must live on the heap");
        }
    }

    #[test]
    fn falsy_is_nil_and_false_only() {
        assert!(Word::NIL.is_falsy() && Word::FALSE.is_falsy());
        for w in [Word::TRUE, Word::EMPTY, Word::EOF, Word::fixnum(0), Word::char('a')] {
            assert!(w.is_truthy(), "{w:?}");
        }
    }
}
