//! Chains of float operations: a result goes to the next instruction as a double.
//!
//! An instruction on floats decodes two words and encodes one, and most often the next instruction
//! decodes that result again. When an instruction first meets floats it notes whether the next one
//! is on numbers too and which of them is its result; from then on the loop hands over here, up to
//! the first instruction that is not all floats. Slots are written as if each instruction had run
//! alone, so the loop can go on at any point.
//!
//! Invariant: nothing here allocates, raises or goes backwards but in its last step.
#![allow(unsafe_code)]

use sx_runtime::instance::feedback::{FEEDS, FEEDS_FIRST, FEEDS_NEITHER, FEEDS_SECOND, FLOAT};
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

/// What of `next` is the result of `i`: feedback bits.
#[cold]
pub(super) fn feeds(i: Instr, next: Instr) -> u64 {
    let Some((first, second)) = numbers(next) else { return 0 };
    match (first == i.a(), second == i.a()) {
        (false, false) => FEEDS_NEITHER,
        (true, false) => FEEDS_FIRST,
        (false, true) => FEEDS_SECOND,
        (true, true) => FEEDS_FIRST | FEEDS_SECOND,
    }
}

/// Does the instructions from `ip` on for as long as all operands are flonums; `value` is the
/// result of `from`, the one before. Answers where the loop goes on.
///
/// # Safety
/// `ip` points into verified code that `fp` is a frame of, behind `from`.
#[inline(never)]
pub(super) unsafe fn feed(fp: *mut Word, ip: *mut u64, from: Instr, value: f64) -> *mut u64 {
    let (mut ip, mut value) = (ip, value);
    // What of the next instruction is `value`.
    let mut fed = from.d() as u64 & FEEDS;
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
            match fed {
                FEEDS_FIRST => value $op double!($second),
                FEEDS_SECOND => double!($first) $op value,
                FEEDS_NEITHER => double!($first) $op double!($second),
                _ => value $op value,
            }
        };
    }
    /// An operation that is known to meet floats.
    macro_rules! number {
        ($i:ident, $op:tt) => {{
            if $i.d() as u64 & FLOAT == 0 {
                return ip;
            }
            both!($i.b(), $op, $i.c())
        }};
    }
    macro_rules! jump {
        ($i:ident, $op:tt, $want:expr) => {{
            let holds = both!($i.a(), $op, $i.b());
            let distance = if holds == $want { $i.cd() as isize } else { 0 };
            ip = ip.offset(1 + distance);
            if distance < 0 {
                return ip;
            }
            fed = FEEDS_NEITHER;
            continue;
        }};
    }
    // SAFETY: by the caller; slots and jumps of verified code are in range.
    unsafe {
        loop {
            let i = Instr(*ip);
            value = match std::mem::transmute::<u8, Op>(i.0 as u8) {
                Op::Add => number!(i, +),
                Op::Sub => number!(i, -),
                Op::Mul => number!(i, *),
                Op::Div => number!(i, /),
                Op::JumpLt => jump!(i, <, true),
                Op::JumpNotLt => jump!(i, <, false),
                Op::JumpLe => jump!(i, <=, true),
                Op::JumpNotLe => jump!(i, <=, false),
                // Redefinition has made an ordinary call of it, or a jump has led here.
                _ => return ip,
            };
            let Some(word) = Word::flonum(value) else { return ip };
            *fp.add(i.a()) = word;
            ip = ip.add(1);
            fed = i.d() as u64 & FEEDS;
            if fed == 0 {
                return ip;
            }
        }
    }
}
