//! Which callees become part of their callers, and how their code is emitted there.
//!
//! Only *leaves* do: functions that call nothing, change nothing and have no loop. Their code has
//! no frame. Whatever its short way does not take, and a callee that is another function by now,
//! goes the slow way: the call as it would have been without any of this, from its beginning.
//! Nothing has happened by then, so nothing happens twice.
//!
//! Invariant: inlined code calls no helper that looks at a frame.

use crate::lower::{Function, Lower, MEMORY, at, field};
use crate::piece::{Piece, Root};
use crate::types::kind::FLOAT;
use crate::types::{Kinds, Types, only};
use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};
use std::collections::BTreeMap;
use std::mem::offset_of;
use std::rc::Rc;
use std::sync::Arc;
use sx_runtime::chunk::Chunk;
use sx_runtime::instance::Instance;
use sx_runtime::native::CompileJob;
use sx_runtime::object::{self, Rest};
use sx_runtime::ops::{Effect, Instr, Op};

/// Instructions a callee has at most, with what is inlined into it.
const MOST_INSTRUCTIONS: usize = 40;
/// Callees within callees.
const DEEPEST: usize = 3;

/// A callee that becomes part of its caller.
pub struct Leaf<'j> {
    /// Its code.
    pub function: Function<'j>,
    /// What it answers.
    pub returns: Kinds,
    /// All of its code.
    pub piece: Piece,
}

impl Leaf<'_> {
    /// How many instructions it stands for.
    pub fn size(&self) -> usize {
        self.piece.size(&self.function)
    }
}

/// Where the code being emitted is inlined.
pub struct Region {
    /// The callee's instance.
    pub instance: Value,
    /// The slow way.
    pub slow: Block,
    /// Where the value goes.
    done: Block,
    /// What the value is.
    returns: Kinds,
}

/// The callees of a job that are leaves, by the instruction of the call.
pub fn leaves(job: &CompileJob) -> BTreeMap<usize, Leaf<'_>> {
    leaves_within(job, DEEPEST, &mut MOST_INSTRUCTIONS.saturating_mul(8))
}

fn leaves_within<'j>(job: &'j CompileJob, depth: usize, room: &mut usize) -> BTreeMap<usize, Leaf<'j>> {
    let mut found = BTreeMap::new();
    if depth == 0 {
        return found;
    }
    for (pc, callee) in &job.callees {
        let mut own = MOST_INSTRUCTIONS.min(*room);
        if let Some(leaf) = leaf(callee, depth, &mut own) {
            *room -= MOST_INSTRUCTIONS.min(*room) - own;
            found.insert(*pc as usize, leaf);
        }
    }
    found
}

fn leaf<'j>(job: &'j CompileJob, depth: usize, room: &mut usize) -> Option<Leaf<'j>> {
    let inlined = leaves_within(job, depth - 1, room);
    let function = Function::new(job, inlined);
    let mut piece = Piece::new(Root::Start, &function);
    // What is not reached are the ordinary calls behind instructions that stand for primitives.
    let reached = || piece.instructions(&function);
    *room = room.checked_sub(reached().count())?;
    if !reached().all(|pc| is_pure(&function, pc, function.code[pc])) {
        return None;
    }
    piece.infer(&function, Types::unknown(function.slots));
    let returns = piece.returns(&function);
    Some(Leaf {
        function,
        returns,
        piece,
    })
}

/// Does the instruction change nothing, and has it a short way?
fn is_pure(function: &Function<'_>, pc: usize, i: Instr) -> bool {
    let Some(op) = i.op() else { return false };
    match op {
        Op::CallGlobal | Op::TailCallGlobal => function.inlined.contains_key(&pc),
        Op::CallPrim => function.notes.is_pure_intrinsic(i),
        Op::Jump => i.target(pc).is_some_and(|to| to > pc),
        Op::Move
        | Op::Const
        | Op::Int
        | Op::Captured
        | Op::GetBox
        | Op::GetGlobal
        | Op::CheckBound
        | Op::Cons
        | Op::First
        | Op::Rest
        | Op::Nth
        | Op::VectorRef
        | Op::VectorRefI
        | Op::Get
        | Op::NewBox
        | Op::MakeClosure
        | Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::AddI
        | Op::SubI
        | Op::Quotient
        | Op::Rem
        | Op::Mod
        | Op::Lt
        | Op::Le
        | Op::NumEq
        | Op::Eq
        | Op::Not
        | Op::IsNil
        | Op::IsEmpty
        | Op::Return => true,
        _ => op.info().has(Effect::Branch) && op != Op::Loop && i.target(pc).is_some_and(|to| to > pc),
    }
}

impl<'a> Lower<'a, '_> {
    /// Emits the call at `pc` as the callee's own code, if the callee is a leaf. Answers whether it
    /// was and, if so, whether the block has ended.
    pub(crate) fn inlined_call(&mut self, pc: usize, i: Instr, op: Op) -> Option<bool> {
        let function: &'a Function<'a> = self.f;
        let leaf = function.inlined.get(&pc)?;
        let (base, argc) = (i.b(), i.d());
        let slow = match &self.region {
            Some(region) => region.slow,
            None => self.cold_block(),
        };
        let args: Vec<usize> = (base + 1..base + 1 + argc).collect();
        let types = self.types_of_args(&args, leaf.function.slots);
        for slot in &args {
            self.taken(*slot);
        }
        let callee = self.global(i.c());
        let before = self.snapshot();
        let instance = self.guard_leaf(callee, argc, &leaf.function.notes.job.chunk, slow);
        let value = self.region_of(leaf, callee, instance, &args, types, slow);
        let ended = op == Op::TailCallGlobal;
        let is_double = only(leaf.returns, FLOAT);
        match (ended, is_double) {
            (false, true) => self.set_double(i.a(), value),
            (false, false) => self.set_word(i.a(), value),
            (true, _) => self.give_back(value, is_double),
        }
        if self.region.is_none() {
            let here = self.b.current_block();
            let after = self.snapshot();
            self.b.switch_to_block(slow);
            self.restore(before);
            match ended {
                true => self.tail_call(pc, i, op),
                false => self.plain_call(pc, i, op),
            }
            self.restore(after);
            if let Some(here) = here.filter(|_| !ended) {
                self.b.switch_to_block(here);
            }
        }
        Some(ended)
    }

    /// What the callee may take its arguments to be.
    fn types_of_args(&self, args: &[usize], slots: usize) -> Types {
        let mut types = Types::unknown(slots);
        for (k, slot) in args.iter().enumerate() {
            types.0[k + 1] = self.kinds(*slot);
        }
        types
    }

    /// The instance of the callee, a closure over that chunk for sure; `slow` for any other.
    fn guard_leaf(&mut self, callee: Value, argc: usize, chunk: &Arc<Chunk>, slow: Block) -> Value {
        self.guard_closure(callee, argc, Rest::None, slow);
        let instance = self.b.ins().load(I64, MEMORY, callee, field(object::closure::INSTANCE));
        let chunk_field = at(offset_of!(Instance, chunk_address));
        let its_chunk = self.b.ins().load(I64, MEMORY, instance, chunk_field);
        let same = self.same(its_chunk, Arc::as_ptr(chunk) as u64);
        self.guard(same, slow);
        instance
    }

    /// Emits the callee's code; answers its value.
    fn region_of(
        &mut self,
        leaf: &'a Leaf<'a>,
        callee: Value,
        instance: Value,
        args: &[usize],
        types: Types,
        slow: Block,
    ) -> Value {
        let done = self.b.create_block();
        let is_double = only(leaf.returns, FLOAT);
        self.b.append_block_param(done, if is_double { F64 } else { I64 });
        let given: Vec<_> = args.iter().map(|slot| self.taken(*slot)).collect();
        let mut piece = leaf.piece.clone();
        piece.infer(&leaf.function, types);
        if piece.returns(&leaf.function) & !leaf.returns != 0 {
            // Other arguments, other arithmetic: what the caller was told holds of any arguments.
            piece = leaf.piece.clone();
        }
        let region = Region {
            instance,
            slow,
            done,
            returns: leaf.returns,
        };
        let outer = self.enter_region(&leaf.function, Rc::new(piece), region);
        self.set_word(0, callee);
        for (k, taken) in given.into_iter().enumerate() {
            self.give(k + 1, taken);
        }
        self.go(Root::Start.pc());
        self.emit_blocks();
        self.leave_region(outer);
        self.b.switch_to_block(done);
        self.b.block_params(done)[0]
    }

    /// Does the inlined function hand on a double?
    pub(crate) fn returns_double(&self) -> bool {
        self.region.as_ref().is_some_and(|region| only(region.returns, FLOAT))
    }

    /// The value of the function, or of the inlined one.
    pub(crate) fn give_back(&mut self, value: Value, is_double: bool) {
        let Some(region) = &self.region else {
            let word = if is_double { self.boxed(value) } else { value };
            return self.return_word(word);
        };
        let (done, wants_double) = (region.done, only(region.returns, FLOAT));
        let value = match (is_double, wants_double) {
            (true, false) => self.boxed(value),
            _ => value,
        };
        self.b.ins().jump(done, &[BlockArg::Value(value)]);
    }
}
