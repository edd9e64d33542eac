//! What the loop asks of its operands: kinds of words, parts of lists, floats.
//!
//! Invariant: nothing here allocates without having asked for room, and nothing collects.
#![allow(unsafe_code)]

use super::Machine;
use sx_runtime::equal::eq;
use sx_runtime::instance::feedback::FeedbackCell;
use sx_runtime::object::{self, Rest, Type, buffer, closure_head, dict, header, vector, view};
use sx_runtime::ops::Op;
use sx_runtime::shape::ShapeId;
use sx_runtime::value::{Value, Word};

/// The low 32 bits of the header of a closure that takes exactly `argc` arguments.
#[inline(always)]
pub(super) const fn exact(argc: usize) -> u32 {
    closure_head(0, Rest::None) | (argc as u32) << object::AUX_SHIFT
}

/// Copies `n` words to a place below them.
///
/// # Safety
/// Both places lie in the stack segment, `to` not above `from`.
#[inline(always)]
pub(super) unsafe fn move_down(from: *const Word, to: *mut Word, n: usize) {
    // SAFETY: by the caller; going up, nothing is overwritten before it is copied.
    (0..n).for_each(|j| unsafe { *to.add(j) = *from.add(j) });
}

/// `eq?`.
///
/// # Safety
/// Pointer words are live.
#[inline(always)]
pub(super) unsafe fn is_eq(x: Word, y: Word) -> bool {
    // SAFETY: by the caller.
    x == y || (x.is_pointer() && unsafe { eq(Value::from_raw(x), Value::from_raw(y)) })
}

const PAIR_HEAD: u64 = header(Type::Pair, 0) & 0xff;

/// Is this a pair?
///
/// # Safety
/// A pointer word is live.
#[inline(always)]
pub(super) unsafe fn is_pair(w: Word) -> bool {
    // SAFETY: by the caller.
    w.is_pointer() && unsafe { object::field_raw(w, 0) } & 0xff == PAIR_HEAD
}

const VIEW_HEAD: u64 = header(Type::View, 0) & 0xff;

/// Is this a view?
///
/// # Safety
/// A pointer word is live.
#[inline(always)]
pub(super) unsafe fn is_view(w: Word) -> bool {
    // SAFETY: by the caller.
    w.is_pointer() && unsafe { object::field_raw(w, 0) } & 0xff == VIEW_HEAD
}

/// How many items a view has.
///
/// # Safety
/// `view` is a view.
#[inline(always)]
pub(super) unsafe fn view_len(view: Word) -> u64 {
    // SAFETY: by the caller.
    unsafe { object::field_raw(view, view::EXTENT) & 0xffff_ffff }
}

/// Item `i` of a view, if it has one.
///
/// # Safety
/// `view` is a view.
#[inline(always)]
pub(super) unsafe fn view_item(view: Word, i: u64) -> Option<Word> {
    // SAFETY: by the caller; a view's extent lies within its buffer.
    unsafe {
        let extent = object::field_raw(view, view::EXTENT);
        let at = || buffer::ELEMENTS + (extent >> 32) as usize + i as usize;
        (i < extent & 0xffff_ffff).then(|| object::field(object::field(view, view::BUFFER), at()))
    }
}

/// Is this a vector with an element `i`?
///
/// # Safety
/// A pointer word is live.
#[inline(always)]
pub(super) unsafe fn has_element(w: Word, i: i64) -> bool {
    // SAFETY: by the caller; the type is checked before the length is read.
    unsafe { object::is_type(w, Type::Vector) && (i as u64) < object::field(w, vector::LEN).as_fixnum() as u64 }
}

/// Is this a closure that takes exactly `argc` arguments?
///
/// # Safety
/// A pointer word is live.
#[inline(always)]
pub(super) unsafe fn takes_exactly(callee: Word, argc: usize) -> bool {
    // SAFETY: by the caller.
    callee.is_pointer() && unsafe { object::field_raw(callee, 0) } as u32 == exact(argc)
}

/// The remainder that has the sign of `d`.
#[inline(always)]
pub(super) const fn floor_mod(n: i64, d: i64) -> i64 {
    let r = n % d;
    if r != 0 && (r ^ d) < 0 { r + d } else { r }
}

/// Are both words fixnums?
#[inline(always)]
pub(super) const fn both_fixnums(x: Word, y: Word) -> bool {
    (x.0 | y.0) & 1 == 0
}

/// Are both words flonums?
#[inline(always)]
pub(super) const fn both_flonums(x: Word, y: Word) -> bool {
    ((x.0 ^ 1) | (y.0 ^ 1)) & 3 == 0
}

/// A number that converts to a double without loss: a float of either kind or a small fixnum.
///
/// # Safety
/// A pointer word is live.
#[inline(always)]
pub(super) unsafe fn exact_double(w: Word) -> Option<f64> {
    const LARGEST: u64 = 1 << 53;
    if w.is_fixnum() {
        let i = w.as_fixnum();
        return (i.unsigned_abs() <= LARGEST).then_some(i as f64);
    }
    if w.is_flonum() {
        return Some(w.as_flonum());
    }
    // SAFETY: by the caller; the type is checked before the field is read.
    unsafe { object::is_type(w, Type::Flonum).then(|| f64::from_bits(object::field_raw(w, object::flonum::BITS))) }
}

/// Two numbers as doubles, if at least one is a float and none loses anything.
///
/// # Safety
/// Pointer words are live.
#[inline(never)]
pub(super) unsafe fn mixed_floats(x: Word, y: Word) -> Option<(f64, f64)> {
    if both_fixnums(x, y) {
        return None;
    }
    // SAFETY: by the caller.
    unsafe { Some((exact_double(x)?, exact_double(y)?)) }
}

/// The value of `key` in a dict, if the feedback cell of the instruction knows where it is.
///
/// # Safety
/// Pointer words are live.
#[inline(always)]
pub(super) unsafe fn shaped_value(dict: Word, key: Word, cell: &FeedbackCell) -> Option<Word> {
    // SAFETY: by the caller; a shaped dict has a slot for each key of its shape, and the number
    // that marks a hashed one is no shape's.
    unsafe {
        if !object::is_type(dict, Type::Dict) {
            return None;
        }
        let shape = object::field(dict, dict::SHAPE).as_fixnum() as ShapeId;
        let slot = cell.slot(shape, key)?;
        Some(object::field(object::field(dict, dict::STORE), buffer::ELEMENTS + slot))
    }
}

impl Machine {
    /// The same when the cell does not know yet: it will the next time.
    #[inline(never)]
    pub(super) unsafe fn shaped_get(&self, x: Word, key: Word, cell: &FeedbackCell) -> Option<Word> {
        // SAFETY: by the caller, operands are live.
        let (x, y): (Value<'_>, Value<'_>) = unsafe { (Value::from_raw(x), Value::from_raw(key)) };
        let dict = x.as_dict()?;
        let (shape, slot) = self.isolate.heap.dict_slot(dict, y)?;
        cell.note_slot(shape, key, slot);
        Some(dict.slot(slot).word())
    }
    /// Arithmetic on floats that are no two flonums, or whose result is none. `None` leaves it
    /// to the primitive.
    #[inline(never)]
    pub(super) unsafe fn float_op(&self, op: Op, x: Word, y: Word) -> Option<Word> {
        // SAFETY: by the caller, operands are live.
        let (a, b) = unsafe { mixed_floats(x, y)? };
        let result = match op {
            Op::Add => a + b,
            Op::Sub => a - b,
            Op::Mul => a * b,
            Op::Div if !y.is_fixnum() || b != 0.0 => a / b,
            _ => return None,
        };
        self.isolate
            .heap
            .has_room(16)
            .then(|| self.isolate.heap.float(result).word())
    }
}
