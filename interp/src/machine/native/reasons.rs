//! Why native code was left, read off the operands of the instruction that the machine is to do.
#![allow(unsafe_code)]

use sx_runtime::instance::Instance;
use sx_runtime::native::{NativeState, Reason};
use sx_runtime::object::{self, Type};
use sx_runtime::ops::{Effect, Instr, Op};
use sx_runtime::value::Word;

use super::super::operands::{is_view, view_len};

/// Operands that are told of at most.
const MOST_OPERANDS: usize = 4;

/// Why the native code of the frame at `fp` was left before the instruction `pc`, and the kinds of the operands
/// that tell of it.
///
/// # Safety
/// `fp` is a complete frame of the instance, about to do that instruction.
pub(super) unsafe fn reason(
    instance: &Instance,
    native: &NativeState,
    fp: *const Word,
    pc: usize,
) -> (Reason, Vec<&'static str>) {
    let is_generic = native.generic.contains(&(pc as u32));
    let looked_at = native.floats.iter().find(|row| row.0 as usize == pc && !is_generic);
    // SAFETY: by the caller; slots that are looked at are live there.
    let kind = |slot: usize| unsafe { kind_of(*fp.add(slot)) };
    let others = looked_at
        .iter()
        .flat_map(|(_, slots)| slots)
        .map(|slot| kind(*slot as usize));
    let others: Vec<_> = others.filter(|kind| *kind != FLOAT).collect();
    if !others.is_empty() {
        return (Reason::Variable, others);
    }
    let i = instance.code().get(pc).map_or(Instr(0), |word| Instr(*word));
    let Some(op) = i.op() else {
        return (Reason::Machine, vec![]);
    };
    let mut words = vec![];
    // SAFETY: by the caller, operands are live.
    i.uses(|slot| words.push(unsafe { *fp.add(slot) }));
    let reason = match op {
        Op::GetGlobal | Op::CheckBound | Op::CallGlobal | Op::TailCallGlobal => return (Reason::Unbound, vec![]),
        Op::Add | Op::Sub | Op::Mul | Op::AddI | Op::SubI if overflows(op, i, &words) => Reason::Overflow,
        Op::Div | Op::Quotient | Op::Rem | Op::Mod if words.get(1) == Some(&Word::fixnum(0)) => Reason::Zero,
        // SAFETY: as above.
        Op::VectorRef | Op::VectorRefI | Op::VectorSet | Op::VectorSetI if unsafe { is_indexed(&words) } => {
            Reason::Range
        }
        _ if op.info().has(Effect::End) => Reason::Machine,
        _ => Reason::Kind,
    };
    let kinds = match reason {
        // SAFETY: as above.
        Reason::Kind => words
            .iter()
            .take(MOST_OPERANDS)
            .map(|word| unsafe { kind_of(*word) })
            .collect(),
        _ => vec![],
    };
    (reason, kinds)
}

/// Are the operands whole numbers whose result is not in a word?
fn overflows(op: Op, i: Instr, words: &[Word]) -> bool {
    let numbers: Vec<i128> = words
        .iter()
        .filter(|w| w.is_fixnum())
        .map(|w| w.as_fixnum().into())
        .collect();
    let result = match (op, &numbers[..]) {
        (Op::Add, [x, y]) => x + y,
        (Op::Sub, [x, y]) => x - y,
        (Op::Mul, [x, y]) => x * y,
        (Op::AddI, [x]) => x + i128::from(i.imm_c()),
        (Op::SubI, [x]) => x - i128::from(i.imm_c()),
        _ => return false,
    };
    i64::try_from(result).map_or(true, |n| Word::try_fixnum(n).is_none())
}

/// A vector, and a number if there is a second operand that was asked for?
///
/// # Safety
/// The words are live.
unsafe fn is_indexed(words: &[Word]) -> bool {
    // SAFETY: by the caller.
    let is_vector = words
        .first()
        .is_some_and(|w| unsafe { object::is_type(*w, Type::Vector) });
    is_vector && words.get(1).is_none_or(|index| index.is_fixnum())
}

const FLOAT: &str = "float";

/// What kind of value the native tier takes the word for.
///
/// # Safety
/// The word is live.
unsafe fn kind_of(word: Word) -> &'static str {
    match word {
        Word::NIL => "nil",
        Word::EMPTY => "empty list",
        Word::TRUE | Word::FALSE => "boolean",
        Word::UNBOUND => "nothing",
        _ if word.is_fixnum() => "integer",
        _ if word.is_flonum() => FLOAT,
        // SAFETY: by the caller.
        _ if unsafe { is_view(word) } && unsafe { view_len(word) } == 0 => "empty list",
        // SAFETY: by the caller.
        _ if word.is_pointer() => match unsafe { object::type_of(word) } {
            Type::Flonum => FLOAT,
            Type::Bignum => "large integer",
            Type::Pair => "pair",
            ty => ty.name(),
        },
        _ => "character",
    }
}
