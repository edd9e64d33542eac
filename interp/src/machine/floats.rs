//! Chains of float operations: a result goes to the next instruction as a double.
//!
//! An instruction on floats decodes two words and encodes one, and most often the next instruction
//! decodes that result again. When an instruction first meets floats it notes whether the next one
//! reads its result; from then on the loop hands that result over here. Slots are written as if
//! each instruction had run alone, so whatever is not all floats is left to the loop at any point.
//!
//! Invariant: nothing here allocates, raises or leaves straight-line code before its last step.
#![allow(unsafe_code)]

use sx_runtime::instance::feedback::{FEEDS, FEEDS_FIRST, FEEDS_SECOND, FLOAT};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::value::Word;

/// The slots of the two numbers that an instruction of a chain reads.
fn numbers(i: Instr) -> Option<(usize, usize)> {
    match i.op()? {
        Op::Add | Op::Sub | Op::Mul | Op::Div => Some((i.b(), i.c())),
        Op::JumpLt | Op::JumpNotLt | Op::JumpLe | Op::JumpNotLe => Some((i.a(), i.b())),
        _ => None,
    }
}

/// Which operands of `next` are the result of `i`: feedback bits.
#[cold]
pub(super) fn feeds(i: Instr, next: Instr) -> u64 {
    let Some((first, second)) = numbers(next) else { return 0 };
    let bit = |slot, bit| if slot == i.a() { bit } else { 0 };
    bit(first, FEEDS_FIRST) | bit(second, FEEDS_SECOND)
}

/// Does the instructions from `ip` on for as long as each takes `value`, the result of `from`,
/// from the one before and all operands are flonums. Answers where the loop goes on.
///
/// # Safety
/// `ip` points into verified code that `fp` is a frame of, behind `from`.
#[inline(never)]
pub(super) unsafe fn feed(fp: *mut Word, ip: *mut u64, from: Instr, value: f64) -> *mut u64 {
    let (mut ip, mut from, mut value) = (ip, from, value);
    /// The slot's double; any other value ends the chain.
    macro_rules! double {
        ($slot:expr) => {{
            let word = *fp.add($slot);
            if !word.is_flonum() {
                return ip;
            }
            word.as_flonum()
        }};
    }
    macro_rules! both {
        ($first:expr, $op:tt, $second:expr) => {
            match from.d() as u64 & FEEDS {
                FEEDS_FIRST => value $op double!($second),
                FEEDS_SECOND => double!($first) $op value,
                _ => value $op value,
            }
        };
    }
    macro_rules! jump {
        ($i:ident, $op:tt, $want:expr) => {{
            let holds = both!($i.a(), $op, $i.b());
            let distance = if holds == $want { $i.cd() as isize } else { 0 };
            return ip.offset(1 + distance);
        }};
    }
    // SAFETY: by the caller; slots and jumps of verified code are in range.
    unsafe {
        loop {
            let i = Instr(*ip);
            value = match std::mem::transmute::<u8, Op>(i.0 as u8) {
                Op::Add => both!(i.b(), +, i.c()),
                Op::Sub => both!(i.b(), -, i.c()),
                Op::Mul => both!(i.b(), *, i.c()),
                Op::Div => both!(i.b(), /, i.c()),
                Op::JumpLt => jump!(i, <, true),
                Op::JumpNotLt => jump!(i, <, false),
                Op::JumpLe => jump!(i, <=, true),
                Op::JumpNotLe => jump!(i, <=, false),
                // Redefinition has made an ordinary call of it.
                _ => return ip,
            };
            let known = i.d() as u64;
            match Word::flonum(value) {
                Some(word) if known & FLOAT != 0 => *fp.add(i.a()) = word,
                _ => return ip,
            }
            ip = ip.add(1);
            if known & FEEDS == 0 {
                return ip;
            }
            from = i;
        }
    }
}
