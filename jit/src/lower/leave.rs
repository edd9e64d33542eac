//! Leaving native code, and calling helpers that may collect, raise or move frames.
//!
//! Invariant: before any of it the frame in memory holds what the machine would have put there;
//! behind it, words that may have moved are loaded again.

use super::{IN_FRAME, Lower, MEMORY, Place, Slot, Way, at, helper_signature, slot_offset};
use crate::types::kind::POINTER;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};
use cranelift_codegen::isa::CallConv;
use std::mem::offset_of;
use sx_runtime::fault::{Fault, planted};
use sx_runtime::native::{Context, HELPERS, Helper, JUMPS, status};
use sx_runtime::value::Word;

impl Lower<'_, '_> {
    pub(crate) fn cold_block(&mut self) -> Block {
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        block
    }

    /// A block that hands the frame to the machine, at the instruction `pc`, from the state here.
    pub(crate) fn way_out(&mut self, pc: usize) -> Block {
        if let Some(region) = &self.region {
            return region.slow;
        }
        let block = self.cold_block();
        let mut stores = vec![];
        for slot in 1..self.f.slots {
            let Slot { place, dirty, .. } = self.state.slots[slot];
            if dirty && self.f.live.before(pc, slot) {
                let is_double = place == Place::Double;
                let variable = if is_double {
                    self.doubles[slot]
                } else {
                    self.words[slot]
                };
                stores.push((slot, self.b.use_var(variable), is_double));
            }
        }
        self.ways.push(Way { block, pc, stores }.spoilt());
        block
    }

    pub(crate) fn way(&mut self, way: Way) {
        self.b.switch_to_block(way.block);
        for (slot, value, is_double) in way.stores {
            let word = match is_double && !planted(Fault::NativeDoubleRaw) {
                true => self.boxed(value),
                false => value,
            };
            self.b.ins().store(MEMORY, word, self.fp, slot_offset(slot));
        }
        self.jump_at(Helper::Exit, way.pc);
    }

    /// Leaves here, whatever happens.
    pub(crate) fn leave(&mut self, pc: usize) {
        let way = self.way_out(pc);
        self.b.ins().jump(way, &[]);
    }

    /// Goes on only if `condition` holds; otherwise to `way`.
    pub(crate) fn guard(&mut self, condition: Value, way: Block) {
        self.force(way);
        self.jump_unless(condition, way);
    }

    /// Goes on only if `condition` holds, which is no guard: `to` does something else. What goes on
    /// from a cold block is cold.
    pub(crate) fn jump_unless(&mut self, condition: Value, to: Block) {
        let layout = &self.b.func.layout;
        let on = match self.b.current_block().is_some_and(|here| layout.is_cold(here)) {
            true => self.cold_block(),
            false => self.b.create_block(),
        };
        self.b.ins().brif(condition, on, &[], to, &[]);
        self.b.switch_to_block(on);
    }

    /// Where a guard is to fail on purpose, it does.
    pub(crate) fn force(&mut self, way: Block) {
        let Some(marks) = self.marks else { return };
        let (mark, then) = marks.add();
        let (mark, then) = (self.number(mark as u64), self.number(then));
        let fails = self.b.ins().load(I64, MEMORY, mark, 0);
        let (failing, on) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(fails, failing, &[], on, &[]);
        self.b.switch_to_block(failing);
        self.b.ins().store(MEMORY, then, mark, 0);
        self.b.ins().jump(way, &[]);
        self.b.switch_to_block(on);
    }

    /// Goes on only unless `condition` holds; otherwise to `way`.
    pub(crate) fn guard_not(&mut self, condition: Value, way: Block) {
        self.force(way);
        let on = self.b.create_block();
        self.b.ins().brif(condition, way, &[], on, &[]);
        self.b.switch_to_block(on);
    }

    pub(crate) fn return_moved(&mut self) {
        let moved = self.number(status::MOVED);
        self.b.ins().return_(&[moved]);
    }

    /// Calls a helper with these words (or a double) behind the context.
    pub(crate) fn helper(&mut self, helper: Helper, words: &[Value]) -> Value {
        debug_assert_eq!(HELPERS[helper as usize].1, words.len());
        let sig = match self.signatures.get(&(helper as usize)) {
            Some(sig) => *sig,
            None => {
                let sig = self.b.import_signature(helper_signature(helper, CallConv::PreserveAll));
                self.signatures.insert(helper as usize, sig);
                sig
            }
        };
        let offset = at(offset_of!(Context, calls) + helper as usize * 8);
        let stub = self.b.ins().load(I64, MEMORY.with_readonly(), self.context, offset);
        let args: Vec<Value> = [self.context].iter().chain(words).copied().collect();
        self.b.ins().call_indirect(sig, stub, &args);
        let answer = at(offset_of!(Context, answer));
        self.b.ins().load(I64, MEMORY, self.context, answer)
    }

    /// Calls a helper that wants the frame and the instruction.
    pub(crate) fn call_at(&mut self, helper: Helper, pc: usize) -> Value {
        let pc = self.number(pc as u64);
        self.helper(helper, &[self.fp, pc])
    }

    /// Jumps to a helper that says where to go on.
    pub(crate) fn jump_to(&mut self, helper: Helper, first: Value, second: Value) {
        let row = JUMPS.iter().position(|h| *h == helper).unwrap_or_default();
        let offset = at(offset_of!(Context, jumps) + row * 8);
        let stub = self.b.ins().load(I64, MEMORY.with_readonly(), self.context, offset);
        self.b
            .ins()
            .return_call_indirect(self.tail, stub, &[self.context, first, second, second]);
    }

    /// The same with the frame and the instruction.
    pub(crate) fn jump_at(&mut self, helper: Helper, pc: usize) {
        let pc = self.number(pc as u64);
        self.jump_to(helper, self.fp, pc);
    }

    /// Stores what the frame lacks of what the instruction reads and what is needed after it. What
    /// is stored is no longer dirty.
    pub(crate) fn flush(&mut self, pc: usize) {
        let mut read = vec![];
        self.f.code[pc].uses(|s| read.push(s));
        for slot in 1 + usize::from(planted(Fault::NativeFlushMissing))..self.f.slots {
            if self.state.slots[slot].dirty && (read.contains(&slot) || self.f.live.after(pc, slot)) {
                let word = self.word(slot);
                self.b.ins().store(MEMORY, word, self.fp, slot_offset(slot));
                self.state.slots[slot].dirty = false;
            }
        }
    }

    /// May a collection move what the slot's variable points to?
    fn may_move(&self, slot: usize) -> bool {
        self.state.slots[slot].place == Place::Word && self.kinds(slot) & POINTER != 0
    }

    /// Behind a safepoint on the straight way: words that may have moved are in the frame only.
    pub(crate) fn moved(&mut self) {
        for slot in 0..self.f.slots {
            if self.may_move(slot) && !planted(Fault::NativeMovedIgnored) {
                let twin = self.state.slots[slot].twin;
                self.state.slots[slot] = match twin {
                    true => Slot::new(Place::Double, false),
                    false => IN_FRAME,
                };
            }
        }
    }

    /// A helper that may collect or raise, on the straight way: its answer.
    pub(crate) fn safepoint(&mut self, helper: Helper, pc: usize) -> Value {
        if self.region.is_some() {
            // What follows is never reached.
            self.leave(pc);
            let dead = self.b.create_block();
            self.b.switch_to_block(dead);
            return self.number(0);
        }
        self.flush(pc);
        let answer = self.call_at(helper, pc);
        self.unless_suspended(answer);
        let code = self.f.code[pc];
        for slot in 1..self.f.slots {
            if !self.f.live.after(pc, slot) && Some(slot) != code.def() {
                self.state.slots[slot] = IN_FRAME;
            }
        }
        self.moved();
        answer
    }

    /// A helper has moved frames: leave.
    pub(crate) fn unless_suspended(&mut self, answer: Value) {
        let suspended = self.same(answer, Word::SUSPEND.0);
        let (gone, on) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(suspended, gone, &[], on, &[]);
        self.b.switch_to_block(gone);
        self.return_moved();
        self.b.switch_to_block(on);
    }

    /// On a side way: a helper that may collect or raise, after which the state is again what it
    /// is here. The current block must be the side way's.
    pub(crate) fn detour(&mut self, helper: Helper, pc: usize) -> Value {
        let state = self.state.clone();
        self.flush(pc);
        let answer = self.call_at(helper, pc);
        self.unless_suspended(answer);
        self.state = state;
        self.reload(pc);
        answer
    }

    /// Loads again what a collection may have moved.
    pub(crate) fn reload(&mut self, pc: usize) {
        for slot in 0..self.f.slots {
            let needed = (slot == 0 || self.f.live.after(pc, slot)) && !planted(Fault::NativeReloadMissing);
            if needed && self.may_move(slot) {
                let word = self.load_slot(slot);
                self.b.def_var(self.words[slot], word);
            }
        }
    }

    /// `fast` emits the short way of an instruction; where it branches to the block it is given, a
    /// helper does the instruction. Answers the value of either.
    pub(crate) fn or_slowly(
        &mut self,
        pc: usize,
        helper: Helper,
        fast: impl FnOnce(&mut Self, Block) -> Value,
    ) -> Value {
        if self.region.is_some() {
            let slow = self.way_out(pc);
            return fast(self, slow);
        }
        let (slow, done) = (self.cold_block(), self.b.create_block());
        self.b.append_block_param(done, I64);
        // The side way begins from the state before the short way has touched it.
        self.touch(pc);
        let before = self.state.clone();
        let value = fast(self, slow);
        let after = std::mem::replace(&mut self.state, before);
        self.b.ins().jump(done, &[BlockArg::Value(value)]);
        self.b.switch_to_block(slow);
        let value = self.detour(helper, pc);
        self.b.ins().jump(done, &[BlockArg::Value(value)]);
        self.b.switch_to_block(done);
        debug_assert!(after.slots == self.state.slots);
        self.b.block_params(done)[0]
    }

    /// Brings every slot the instruction reads into a variable, and the closure, which it may ask.
    pub(crate) fn touch(&mut self, pc: usize) {
        let mut read = vec![0];
        self.f.code[pc].uses(|s| read.push(s));
        for slot in read {
            if self.state.slots[slot].place == Place::Frame {
                self.word(slot);
            }
        }
    }

    /// A turn of a loop: looks around if the limit was lowered.
    pub(crate) fn poll(&mut self, pc: usize) {
        let limit = self.limit();
        let fine = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, self.fp, limit);
        let (slow, on) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(fine, on, &[], slow, &[]);
        self.b.switch_to_block(slow);
        let state = self.state.clone();
        self.flush(pc);
        let next = self.call_at(Helper::Poll, pc);
        let stays = self.same(next, 0);
        let (back, gone) = (self.b.create_block(), self.cold_block());
        self.b.ins().brif(stays, back, &[], gone, &[]);
        self.b.switch_to_block(gone);
        self.go_on_at(next);
        self.b.switch_to_block(back);
        self.state = state;
        self.reload(pc);
        self.b.ins().jump(on, &[]);
        self.b.switch_to_block(on);
    }

    /// The address above which no frame begins.
    pub(crate) fn limit(&mut self) -> Value {
        let limit = at(offset_of!(Context, limit));
        let limit = self.b.ins().load(I64, MEMORY.with_readonly(), self.context, limit);
        self.b.ins().load(I64, MEMORY, limit, 0)
    }
}
