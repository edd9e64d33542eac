//! Instances: what one isolate makes of a chunk. A closure points to its instance; the instance
//! holds the constants as words, its own copy of the code (so that it can be patched), counters
//! and feedback.
//!
//! Invariant: an instance stays at its address as long as a closure over it, a frame running it
//! or a parent instance is alive.
#![allow(unsafe_code)]

use crate::chunk::Chunk;
use crate::fault::{Fault, planted};
use crate::heap::ProcedureInfo;
use crate::object::{self, InstanceHead, Type};
use crate::ops::{Instr, Op};
use crate::prims;
use crate::prims::PrimId;
use crate::value::{Value, Word};
use std::cell::Cell;
use std::sync::Arc;

/// What one isolate makes of a chunk. Native code reads the fields before `chunk`.
#[repr(C)]
pub struct Instance {
    /// Captured count and collection mark.
    pub head: InstanceHead,
    /// First instruction.
    pub code: *mut u64,
    /// First constant.
    pub consts: *mut Word,
    /// Slots of a frame.
    pub frame_size: u32,
    /// How often it was called, for the tier to come.
    pub calls: Cell<u32>,
    /// What a built-in procedure does: see `builtin` and `primitive`.
    pub builtin: u32,
    /// The chunk.
    pub chunk: Arc<Chunk>,
    /// Instances of the nested chunks.
    pub children: Vec<*const Instance>,
    code_memory: Box<[u64]>,
    consts_memory: Box<[Word]>,
}

/// Values of `Instance::builtin`: the number of a primitive, or one of these.
pub mod builtin {
    /// A control operation: this plus its number.
    pub const CONTROL: u32 = 1 << 16;
    /// No built-in procedure: the chunk has code.
    pub const NONE: u32 = u32::MAX;
}

/// What an instruction has met that its first fast path does not take: bits of field `d` of the
/// instance's own copy of the instruction, for those whose table row leaves `d` free.
pub mod feedback {
    /// A flonum operand or result.
    pub const FLOAT: u64 = 1;
    /// Something else than numbers that fit a word.
    pub const OTHER: u64 = 2;
    /// A list in the shape of a view.
    pub const VIEW: u64 = 4;
    /// A flonum result that is the first operand of the next instruction.
    pub const FEEDS_FIRST: u64 = 8;
    /// A flonum result that is the second operand of the next instruction.
    pub const FEEDS_SECOND: u64 = 16;
    /// Either of these.
    pub const FEEDS: u64 = FEEDS_FIRST | FEEDS_SECOND;
}

impl Instance {
    /// An instance; `consts` are rooted by whoever keeps it.
    pub fn new(chunk: Arc<Chunk>, consts: Vec<Word>, children: Vec<*const Instance>, builtin: u32) -> Box<Instance> {
        let mut code_memory = chunk.code.clone().into_boxed_slice();
        let mut consts_memory = consts.into_boxed_slice();
        Box::new(Instance {
            head: InstanceHead {
                captures: chunk.captures as u32,
                mark: Cell::new(0),
            },
            code: code_memory.as_mut_ptr(),
            consts: consts_memory.as_mut_ptr(),
            frame_size: chunk.frame_size as u32,
            calls: Cell::new(0),
            builtin,
            chunk,
            children,
            code_memory,
            consts_memory,
        })
    }
    /// What the procedures of this instance say of themselves.
    pub fn procedure_info(&self) -> ProcedureInfo {
        let chunk = &self.chunk;
        ProcedureInfo {
            name: chunk.name.clone(),
            doc: chunk.doc.clone(),
            params: chunk.param_names.clone(),
            required: chunk.params as usize,
            most: match self.primitive() {
                Some(id) => prims::get(id).arity().1,
                None => (!chunk.rest).then_some(chunk.params as usize),
            },
        }
    }
    /// The constants, to be visited by a collection.
    pub fn consts_mut(&mut self) -> &mut [Word] {
        &mut self.consts_memory
    }
    /// The constants.
    pub fn consts(&self) -> &[Word] {
        &self.consts_memory
    }
    /// What runs now: the chunk's code with the redefined primitives patched.
    pub fn code(&self) -> &[u64] {
        &self.code_memory
    }
    /// The primitive this instance stands for, if it does.
    pub fn primitive(&self) -> Option<PrimId> {
        (self.builtin < builtin::CONTROL).then_some(PrimId(self.builtin as u16))
    }
    /// The global cell whose primitive is inlined at `pc` no longer holds it: from now on the
    /// instruction is an ordinary call.
    fn patch(&mut self, pc: usize, cell: u16, cold: Option<u32>) {
        let old = Instr(self.code_memory[pc]);
        let new = match cold {
            Some(to) => Instr::wide(Op::Jump, 0, to as i32 - pc as i32 - 1),
            None if old.op() == Some(Op::CallPrim) => {
                Instr::abcd(Op::CallGlobal, old.a() as u16, old.b() as u16, cell, old.d() as u8)
            }
            None => return,
        };
        self.code_memory[pc] = new.0;
    }
    /// Cell `old` is now shadowed by cell `new` for this instance.
    pub fn redefine(&mut self, old: Word, new: Word) {
        if planted(Fault::RedefinitionIgnored) {
            return;
        }
        let mut touched = false;
        for word in self.consts_memory.iter_mut().filter(|w| **w == old) {
            *word = new;
            touched = true;
        }
        if !touched {
            return;
        }
        let chunk = self.chunk.clone();
        for row in &chunk.inlined {
            if self.consts_memory.get(row.cell as usize) == Some(&new) {
                self.patch(row.pc as usize, row.cell, row.cold);
            }
        }
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "instance of {:?}", self.chunk.name)
    }
}

/// The instance of a closure word.
///
/// # Safety
/// `closure` points to a live closure.
#[inline(always)]
pub unsafe fn instance_of<'a>(closure: Word) -> &'a Instance {
    // SAFETY: a closure's INSTANCE field points to an instance that outlives it.
    unsafe { &*(object::field_raw(closure, object::closure::INSTANCE) as *const Instance) }
}

impl<'h> Value<'h> {
    /// The instance, if this is a closure.
    pub fn instance(self) -> Option<&'h Instance> {
        // SAFETY: the type is checked; the closure is live for `'h` and keeps its instance.
        self.is(Type::Closure).then(|| unsafe { instance_of(self.word()) })
    }
}
