//! What a compile is given: a plain copy of a function, of what its code has met, and of the small functions
//! it calls, so that another thread can work on it.
//!
//! Deliberately absent: when that is wanted, and what is done with the answer.
#![allow(unsafe_code)]

use super::{Exclusions, Tier};
use std::rc::Rc;
use sx_runtime::instance::{Instance, builtin, instance_of};
use sx_runtime::native::{CompileJob, Entries, NativeState};
use sx_runtime::object::{self, Rest, Type, closure_head};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::stack::Site;
use sx_runtime::value::Word;

/// Instructions of functions that may become part of their callers, with the ordinary calls behind those
/// that stand for primitives; and callees within callees.
const SMALL: usize = 80;
pub(super) const DEEPEST: usize = 3;

/// Remembers which slots of the frame hold floats, if nobody has looked here before.
///
/// # Safety
/// `fp` is a complete frame of the instance, at the instruction `pc`.
pub(super) unsafe fn note_floats(instance: &Instance, fp: *const Word, pc: usize) {
    let mut native = instance.native.borrow_mut();
    if native.floats.iter().any(|row| row.0 == pc as u32) {
        return;
    }
    // SAFETY: live slots of a complete frame hold live words.
    let is_float = |slot: &usize| unsafe {
        let word = *fp.add(*slot);
        word.is_flonum() || object::is_type(word, Type::Flonum)
    };
    let slots: Vec<u16> = match pc {
        0 => (1..=instance.chunk.params as usize)
            .filter(is_float)
            .map(|slot| slot as u16)
            .collect(),
        _ => {
            let live = instance.chunk.liveness();
            let slots = 1..instance.chunk.frame_size as usize;
            slots
                .filter(|slot| live.before(pc, *slot) && is_float(slot))
                .map(|slot| slot as u16)
                .collect()
        }
    };
    native.floats.push((pc as u32, slots));
}

/// Has the function instructions, and none that belong to the machine alone?
pub(super) fn is_compilable(instance: &Instance) -> bool {
    let for_machine = |word: &u64| matches!(Instr(*word).op(), Some(Op::Underflow | Op::Halt) | None);
    instance.builtin == builtin::NONE && !instance.code().is_empty() && !instance.code().iter().any(for_machine)
}

/// Small functions that are the values of globals called in `code`, as jobs of their own.
pub(super) fn callees(
    caller: &Instance,
    code: &[u64],
    exclusions: &Exclusions,
    depth: usize,
) -> Vec<(u32, CompileJob)> {
    if depth == 0 {
        return vec![];
    }
    let job_of = |word: &u64| {
        let i = Instr(*word);
        if !matches!(i.op(), Some(Op::CallGlobal | Op::TailCallGlobal)) {
            return None;
        }
        // SAFETY: a verified call names a cell, which is alive, and what is in it is too.
        let instance = unsafe {
            let callee = object::field(*caller.consts.add(i.c()), object::cell::VALUE);
            let is_closure =
                callee.is_pointer() && object::header_of(callee) as u32 == closure_head(i.d() as u16, Rest::None);
            is_closure.then(|| instance_of(callee))?
        };
        if instance.code().len() > SMALL || !is_compilable(instance) || exclusions.excludes(&instance.chunk) {
            return None;
        }
        // The function being compiled itself is borrowed.
        let native = instance.native.try_borrow().ok()?;
        let code = instance.code().to_vec();
        Some(CompileJob {
            chunk: instance.chunk.clone(),
            empty_rest: vec![],
            itself: vec![],
            callees: callees(instance, &code, exclusions, depth - 1),
            code,
            consts: instance.consts().to_vec(),
            generic: native.generic.clone(),
            loops: vec![],
            floats: vec![],
            first_entry: 0,
            instance: instance as *const Instance as usize,
        })
    };
    let rows = code.iter().enumerate();
    rows.filter_map(|(pc, word)| Some((pc as u32, job_of(word)?))).collect()
}

/// Calls of globals in `code` whose value now is a closure that `wanted` says yes to, given its
/// instance, the low half of its header and the number of arguments.
fn calls_of(instance: &Instance, code: &[u64], wanted: impl Fn(&Instance, u32, u16) -> bool) -> Vec<u32> {
    let is_one = |word: &u64| {
        let i = Instr(*word);
        if !matches!(i.op(), Some(Op::CallGlobal | Op::TailCallGlobal)) {
            return false;
        }
        // SAFETY: a verified call names a cell, which is alive, and what is in it is too.
        unsafe {
            let callee = object::field(*instance.consts.add(i.c()), object::cell::VALUE);
            object::is_type(callee, Type::Closure)
                && wanted(instance_of(callee), object::header_of(callee) as u32, i.d() as u16)
        }
    };
    let rows = code.iter().enumerate().filter(|(_, word)| is_one(word));
    rows.map(|(pc, _)| pc as u32).collect()
}

impl Tier {
    /// What the compiler needs to know of an instance, which gets the numbers of its entries; `None` if
    /// there are none.
    pub(super) fn job(&mut self, instance: &Instance, native: &mut NativeState) -> Option<CompileJob> {
        let code = instance.code().to_vec();
        let is_call = |word: &&u64| matches!(Instr(**word).op(), Some(Op::Call | Op::CallGlobal | Op::Control));
        let numbers = self.numbers(code.iter().filter(is_call).count() as u32)?;
        native.entries.push(Entries::new(numbers, Rc::clone(&self.free)));
        Some(CompileJob {
            chunk: instance.chunk.clone(),
            empty_rest: calls_of(instance, &code, |_, head, argc| head == closure_head(argc, Rest::View)),
            itself: calls_of(instance, &code, |callee, head, argc| {
                std::ptr::eq(callee, instance) && head == closure_head(argc, Rest::None)
            }),
            callees: vec![],
            code,
            consts: instance.consts().to_vec(),
            generic: native.generic.clone(),
            loops: native.loops.clone(),
            floats: native.floats.clone(),
            first_entry: numbers.0,
            instance: instance as *const Instance as usize,
        })
    }

    /// So many numbers of entries in a row: the first, and how many.
    fn numbers(&mut self, count: u32) -> Option<(u32, u32)> {
        let mut free = self.free.borrow_mut();
        if let Some(row) = free.iter().position(|(_, room)| *room >= count) {
            let (first, room) = free.swap_remove(row);
            if room > count {
                free.push((first + count, room - count));
            }
            self.entries[first as usize..][..count as usize].fill(self.stubs.returned());
            return Some((first, count));
        }
        let first = self.entries.len();
        if first + count as usize >= Site::ENTRIES {
            return None;
        }
        self.entries.resize(first + count as usize, self.stubs.returned());
        self.context.entries = self.entries.as_ptr();
        Some((first as u32, count))
    }
}
