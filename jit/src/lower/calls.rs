//! Calls, returns, control operations: where a piece ends, or a primitive runs in its middle.
//!
//! A call stores what is needed behind it and the site word, then jumps into the callee; the
//! return jumps to the entry that the site word names, which knows how far below its frame is.

use super::{Lower, MEMORY, at, field, slot_offset};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use std::mem::offset_of;
use sx_runtime::fault::{Fault, planted};
use sx_runtime::instance::Instance;
use sx_runtime::native::{Context, Helper};
use sx_runtime::object::{self, Rest, Type, closure_head, header};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::stack::Site;
use sx_runtime::value::{TAG_POINTER, Word};

impl Lower<'_, '_> {
    /// Emits what `arithmetic` and `data` have left alone; answers whether it ended the block.
    pub(super) fn call(&mut self, pc: usize, i: Instr, op: Op) -> bool {
        if let Some(ended) = self.inlined_call(pc, i, op) {
            return ended;
        }
        match op {
            Op::Call | Op::CallGlobal => self.plain_call(pc, i, op),
            Op::TailCall | Op::TailCallGlobal => self.tail_call(pc, i, op),
            Op::Return => self.return_value(i.a()),
            Op::Control => {
                self.flush(pc);
                self.store_site(pc, i.b());
                self.jump_at(Helper::Control, pc);
            }
            Op::TailControl => {
                self.flush(pc);
                self.jump_at(Helper::Control, pc);
            }
            Op::Underflow | Op::Halt => self.leave(pc),
            Op::CallPrim => {
                self.primitive(pc, i);
                return false;
            }
            Op::PushMark => {
                self.safepoint(Helper::PushMark, pc);
                // It has written the slot itself.
                self.conditions.remove(&i.c());
                self.state.slots[i.c()] = super::IN_FRAME;
                return false;
            }
            Op::PopMark => {
                self.safepoint(Helper::PopMark, pc);
                return false;
            }
            // All others are emitted elsewhere.
            _ => return false,
        }
        true
    }

    /// Jumps to where a helper says, with the registers it left in the context.
    pub(super) fn go_on_at(&mut self, next: Value) {
        let load = |l: &mut Self, offset: usize| l.b.ins().load(I64, MEMORY, l.context, at(offset));
        let fp = load(self, offset_of!(Context, fp));
        let value = load(self, offset_of!(Context, value));
        let site = load(self, offset_of!(Context, site));
        self.b
            .ins()
            .return_call_indirect(self.tail, next, &[self.context, fp, value, site]);
    }

    fn store_site(&mut self, pc: usize, base: usize) {
        let mut entry = self.f.entries.get(&pc).copied().unwrap_or(0);
        if planted(Fault::NativeEntryWrong) {
            entry = self.f.entries.values().next().copied().unwrap_or(0);
        }
        let pc = if planted(Fault::NativeSiteEarly) {
            pc.saturating_sub(1)
        } else {
            pc
        };
        let site = self.number(Site { pc, base }.with_entry(entry).0);
        self.b.ins().store(MEMORY, site, self.fp, slot_offset(base - 1));
    }

    /// Is `callee` a closure of exactly `argc` parameters, or one that makes a list of what comes
    /// after these, and its frame at `nfp` within the limit? Otherwise `slow`.
    fn guard_callee(&mut self, callee: Value, argc: usize, rest: Rest, nfp: Value, slow: Block) {
        self.guard_closure(callee, argc, rest, slow);
        self.guard_room(nfp, slow);
    }

    /// Is a frame at `nfp` within the limit?
    fn guard_room(&mut self, nfp: Value, slow: Block) {
        let limit = self.limit();
        let room = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, nfp, limit);
        self.guard(room, slow);
    }

    /// Is `callee` such a closure?
    pub(crate) fn guard_closure(&mut self, callee: Value, argc: usize, rest: Rest, slow: Block) {
        let tag = self.masked(callee, 7);
        let pointer = self.same(tag, TAG_POINTER);
        self.guard(pointer, slow);
        let head = self.b.ins().load(I32, MEMORY, callee, field(0));
        let wanted = closure_head(argc as u16, rest);
        let wanted = self.b.ins().iconst(I32, wanted as i32 as i64);
        let exact = self.b.ins().icmp(IntCC::Equal, head, wanted);
        if !planted(Fault::NativeArityUnchecked) {
            self.guard(exact, slow);
        }
    }

    /// What the callee is compiled to want.
    fn rest_of(&self, pc: usize) -> Rest {
        match self.f.notes.job.empty_rest.contains(&(pc as u32)) {
            true => Rest::View,
            false => Rest::None,
        }
    }

    /// The list of no further arguments, a new one, behind the `argc` arguments of the frame at `nfp`.
    fn store_empty(&mut self, nfp: Value, argc: usize, slow: Block) {
        let list = self.allocate(3, header(Type::View, 0), slow);
        let (nil, extent) = (self.number(Word::NIL.0), self.number(0));
        self.fill(list, &[nil, extent]);
        self.b.ins().store(MEMORY, list, nfp, slot_offset(argc + 1));
    }

    /// Jumps into the closure whose frame is at `nfp`.
    fn enter(&mut self, callee: Value, nfp: Value) {
        let instance = self.b.ins().load(I64, MEMORY, callee, field(object::closure::INSTANCE));
        self.enter_instance(instance, nfp);
    }

    fn enter_instance(&mut self, instance: Value, nfp: Value) {
        let entry = self
            .b
            .ins()
            .load(I64, MEMORY, instance, at(offset_of!(Instance, entry)));
        let none = self.number(0);
        self.b
            .ins()
            .return_call_indirect(self.tail, entry, &[self.context, nfp, none, none]);
    }

    /// Jumps into `callee`, whose frame is at `nfp`, if it is the running closure itself, as it was
    /// when the function was compiled: then nothing about it needs a look. `prepare` writes what the
    /// frame lacks.
    fn enter_itself(&mut self, pc: usize, callee: Value, nfp: Value, slow: Block, prepare: impl FnOnce(&mut Self)) {
        let job = self.f.notes.job;
        if !job.itself.contains(&(pc as u32)) {
            return;
        }
        let other = self.cold_block();
        let running = self.word(0);
        let same = self.b.ins().icmp(IntCC::Equal, callee, running);
        self.guard(same, other);
        self.guard_room(nfp, slow);
        prepare(self);
        let instance = self.number(job.instance as u64);
        self.enter_instance(instance, nfp);
        self.b.switch_to_block(other);
    }

    pub(crate) fn plain_call(&mut self, pc: usize, i: Instr, op: Op) {
        let base = i.b();
        let (argc, callee) = if op == Op::Call {
            (i.c(), self.word(base))
        } else {
            (i.d(), self.global(i.c()))
        };
        self.flush(pc);
        if op == Op::CallGlobal {
            self.b.ins().store(MEMORY, callee, self.fp, slot_offset(base));
        }
        self.store_site(pc, base);
        let nfp = self.b.ins().iadd_imm_s(self.fp, base as i64 * 8);
        let slow = self.cold_block();
        let rest = self.rest_of(pc);
        self.enter_itself(pc, callee, nfp, slow, |_| {});
        self.guard_callee(callee, argc, rest, nfp, slow);
        if rest == Rest::View {
            self.store_empty(nfp, argc, slow);
        }
        self.enter(callee, nfp);
        self.b.switch_to_block(slow);
        if op == Op::CallGlobal {
            let way = self.way_out(pc);
            let unbound = self.same(callee, Word::UNBOUND.0);
            self.guard_not(unbound, way);
        }
        let argc = self.number(argc as u64);
        self.jump_to(Helper::Call, nfp, argc);
    }

    pub(crate) fn tail_call(&mut self, pc: usize, i: Instr, op: Op) {
        let base = i.b();
        let (argc, callee) = if op == Op::TailCall {
            (i.c(), self.word(base))
        } else {
            (i.d(), self.global(i.c()))
        };
        let mut args: Vec<Value> = (0..argc).map(|k| self.word(base + 1 + k)).collect();
        if planted(Fault::NativeTailSwapped) {
            args.reverse();
        }
        let slow = self.cold_block();
        let before = self.state.clone();
        let rest = self.rest_of(pc);
        let store_args = |l: &mut Self| {
            for (k, arg) in args.iter().enumerate() {
                l.b.ins().store(MEMORY, *arg, l.fp, slot_offset(1 + k));
            }
        };
        self.enter_itself(pc, callee, self.fp, slow, store_args);
        self.guard_callee(callee, argc, rest, self.fp, slow);
        if rest == Rest::View {
            self.store_empty(self.fp, argc, slow);
        }
        self.b.ins().store(MEMORY, callee, self.fp, 0);
        store_args(self);
        self.enter(callee, self.fp);
        self.b.switch_to_block(slow);
        self.state = before;
        if op == Op::TailCallGlobal {
            let way = self.way_out(pc);
            let unbound = self.same(callee, Word::UNBOUND.0);
            self.guard_not(unbound, way);
        }
        self.flush(pc);
        self.jump_at(Helper::TailCall, pc);
    }

    fn return_value(&mut self, slot: usize) {
        let is_double = self.returns_double();
        let value = match is_double {
            true => self.known_double(slot),
            false => self.word(slot),
        };
        self.give_back(value, is_double);
    }

    /// Jumps to whoever waits for the running frame.
    pub(crate) fn return_word(&mut self, value: Value) {
        let site = self.b.ins().load(I64, MEMORY, self.fp, -8);
        let entries = at(offset_of!(Context, entries));
        let entries = self.b.ins().load(I64, MEMORY, self.context, entries);
        let number = self.b.ins().ushr_imm_u(site, Site::ENTRY_SHIFT as i64);
        let offset = self.b.ins().ishl_imm_u(number, 3);
        let row = self.b.ins().iadd(entries, offset);
        let next = self.b.ins().load(I64, MEMORY, row, 0);
        self.b
            .ins()
            .return_call_indirect(self.tail, next, &[self.context, self.fp, value, site]);
    }
}
