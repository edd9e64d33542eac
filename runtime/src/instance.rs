//! Instances: what one isolate makes of a chunk. A closure points to its instance; the instance
//! holds the constants as words, its own copy of the code (so that it can be patched), counters
//! and feedback.
//!
//! Invariant: an instance stays at its address as long as a closure over it, a frame running it
//! or a parent instance is alive.
#![allow(unsafe_code)]

use crate::chunk::{Chunk, Inlined};
use crate::fault::{Fault, planted};
use crate::heap::ProcedureInfo;
use crate::native;
use crate::object::{self, InstanceHead, Type};
use crate::ops::{Instr, Op};
use crate::prims;
use crate::prims::PrimId;
use crate::value::{Value, Word};
use std::cell::{Cell, RefCell};
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
    /// First feedback cell.
    pub feedback: *const feedback::FeedbackCell,
    /// Instances of the nested chunks.
    pub children: *const *const Instance,
    /// Address of the native code a call enters; that of a stub if there is none.
    pub entry: Cell<usize>,
    /// Slots of a frame.
    pub frame_size: u32,
    /// How often it was called.
    pub calls: Cell<u32>,
    /// Has the native code entries at loop heads?
    pub has_loops: Cell<bool>,
    /// What a built-in procedure does: see `builtin` and `primitive`.
    pub builtin: u32,
    /// The chunk.
    pub chunk: Arc<Chunk>,
    /// Its address, by which native code knows it.
    pub chunk_address: *const Chunk,
    children_memory: Box<[*const Instance]>,
    /// How many of its instructions the machine has run, where that is counted.
    pub interpreted: Cell<u64>,
    /// What native code there is of it.
    pub native: RefCell<native::NativeState>,
    code_memory: Box<[u64]>,
    consts_memory: Box<[Word]>,
    feedback_memory: Box<[feedback::FeedbackCell]>,
}

impl Instance {
    /// About how many bytes it and its chunk take; those of the core library count as none, since every
    /// program has them.
    pub fn weight(&self) -> usize {
        const SMALL_PARTS: usize = 512;
        if self.chunk.core {
            return 0;
        }
        // The instructions are here and, each with its place, in the chunk.
        let code = self.code_memory.len() * 3 * size_of::<u64>();
        size_of::<Instance>() + code + self.consts_memory.len() * 8 * size_of::<Word>() + SMALL_PARTS
    }
}

/// Values of `Instance::builtin`: the number of a primitive, or one of these.
pub mod builtin {
    /// A control operation: this plus its number.
    pub const CONTROL: u32 = 1 << 16;
    /// No built-in procedure: the chunk has code.
    pub const NONE: u32 = u32::MAX;
}

/// What instructions have met, for the tier to come. Bits of field `d` of the instance's own copy
/// of an instruction say what its first fast path does not take, where the table row leaves `d`
/// free; callees and shapes are in cells, which `d` numbers.
pub mod feedback {
    use super::Instance;
    use crate::shape::ShapeId;
    use crate::value::Word;
    use std::cell::Cell;

    /// What one call or one `get` has met.
    ///
    /// Invariant: KEY is 0 in the cell of a call, and in that of a `get` it is an interned string
    /// that a shape keeps alive.
    #[derive(Default)]
    #[repr(C)]
    pub struct FeedbackCell {
        /// A call: the address of the callee's instance. A `get`: the shape's number plus one in
        /// the high half, then the slot, and bit 0 if there were several shapes.
        seen: Cell<u64>,
        key: Cell<u64>,
    }

    /// What a call has called.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Callee {
        /// No closure yet.
        None,
        /// Closures over this instance only, which the cell keeps alive.
        One(*const Instance),
        /// Closures over several.
        Many,
    }

    const MANY: u64 = 1;

    impl FeedbackCell {
        /// Bytes of a cell.
        pub const SIZE: usize = size_of::<FeedbackCell>();
        /// Offset of the word with slot and shape.
        pub const SEEN: usize = std::mem::offset_of!(FeedbackCell, seen);
        /// Offset of the key.
        pub const KEY: usize = std::mem::offset_of!(FeedbackCell, key);
        /// A call is about to enter a closure over this instance.
        #[inline(always)]
        pub fn note_callee(&self, instance: *const Instance) {
            let seen = self.seen.get();
            if seen != instance as u64 && seen != MANY {
                self.seen.set(if seen == 0 { instance as u64 } else { MANY });
            }
        }
        /// What the call has called.
        pub fn callee(&self) -> Callee {
            match self.seen.get() {
                0 => Callee::None,
                MANY => Callee::Many,
                _ if self.key.get() != 0 => Callee::None,
                instance => Callee::One(instance as *const Instance),
            }
        }
        /// The slot of `key` in dicts of `shape`, if the `get` met just these last.
        #[inline(always)]
        pub fn slot(&self, shape: ShapeId, key: Word) -> Option<usize> {
            let seen = self.seen.get();
            (self.key.get() == key.0 && seen >> 32 == shape as u64 + 1).then_some((seen as u32 >> 1) as usize)
        }
        /// A `get` has found `key`, an interned string, at `slot` of `shape`.
        pub fn note_slot(&self, shape: ShapeId, key: Word, slot: usize) {
            let several = (self.seen.get() != 0) as u64;
            self.seen.set((shape as u64 + 1) << 32 | (slot as u64) << 1 | several);
            self.key.set(key.0);
        }
        /// The shape the `get` met last, and whether there were several shapes or keys.
        pub fn shape(&self) -> Option<(ShapeId, bool)> {
            let seen = self.seen.get();
            (self.key.get() != 0).then(|| ((seen >> 32) as ShapeId - 1, seen & 1 != 0))
        }
    }

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
    /// A flonum result before an instruction on two other numbers.
    pub const FEEDS_NEITHER: u64 = 32;
    /// Any of these.
    pub const FEEDS: u64 = FEEDS_FIRST | FEEDS_SECOND | FEEDS_NEITHER;
}

impl Instance {
    /// An instance; `consts` are rooted by whoever keeps it.
    pub fn new(chunk: Arc<Chunk>, consts: Vec<Word>, children: Vec<*const Instance>, builtin: u32) -> Box<Instance> {
        let mut code_memory = chunk.code.clone().into_boxed_slice();
        let mut consts_memory = consts.into_boxed_slice();
        let children_memory = children.into_boxed_slice();
        let feedback_memory: Box<[_]> = (0..chunk.feedback).map(|_| Default::default()).collect();
        Box::new(Instance {
            head: InstanceHead {
                captures: chunk.captures as u32,
                mark: Cell::new(0),
            },
            code: code_memory.as_mut_ptr(),
            consts: consts_memory.as_mut_ptr(),
            feedback: feedback_memory.as_ptr(),
            children: children_memory.as_ptr(),
            entry: Cell::new(0),
            frame_size: chunk.frame_size as u32,
            calls: Cell::new(0),
            has_loops: Cell::new(false),
            builtin,
            chunk_address: Arc::as_ptr(&chunk),
            chunk,
            children_memory,
            interpreted: Cell::new(0),
            native: RefCell::default(),
            code_memory,
            consts_memory,
            feedback_memory,
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
    /// The feedback cells, which the operand of role `Feedback` numbers. Calls that found no cell
    /// of their own share the first; no `get` does.
    pub fn feedback(&self) -> &[feedback::FeedbackCell] {
        &self.feedback_memory
    }
    /// Instances of the nested chunks.
    pub fn children(&self) -> &[*const Instance] {
        &self.children_memory
    }
    /// What runs now: the chunk's code with the redefined primitives patched.
    pub fn code(&self) -> &[u64] {
        &self.code_memory
    }
    /// The primitive this instance stands for, if it does.
    pub fn primitive(&self) -> Option<PrimId> {
        (self.builtin < builtin::CONTROL).then_some(PrimId(self.builtin as u16))
    }
    /// Counts its calls and the turns of its loops from the beginning.
    pub fn start_over(&self) {
        const TURNS: u64 = 0xffff << 16;
        self.calls.set(0);
        for pc in 0..self.code_memory.len() {
            let word = self.code_memory[pc];
            if Instr(word).op() == Some(Op::Loop) {
                // SAFETY: `code` is the memory of these words; nobody holds a reference to one.
                unsafe { *self.code.add(pc) = word & !TURNS }
            }
        }
    }
    /// The global cell whose primitive is inlined at `pc` no longer holds it: from now on the
    /// instruction is an ordinary call.
    fn patch(&mut self, row: Inlined) {
        let pc = row.pc as usize;
        let old = Instr(self.code_memory[pc]);
        let new = match row.cold {
            Some(to) => Instr::wide(Op::Jump, 0, to as i32 - pc as i32 - 1),
            None if old.op() == Some(Op::CallPrim) => {
                let (op, slot) = match row.is_tail {
                    true => (Op::TailCallGlobal, 0),
                    false => (Op::CallGlobal, old.a() as u16),
                };
                Instr::abcd(op, slot, old.b() as u16, row.cell, old.d() as u8)
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
        self.native.get_mut().stale = !planted(Fault::NativeStaleIgnored);
        let chunk = self.chunk.clone();
        for row in &chunk.inlined {
            if self.consts_memory.get(row.cell as usize) == Some(&new) {
                self.patch(*row);
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
