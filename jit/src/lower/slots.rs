//! Slots, constants, tests of words, floats in and out of words.

use super::{Lower, MEMORY, Place, Slot, at, field, slot_offset};
use crate::types::kind::{BOOL, FIX, NIL};
use crate::types::only;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, MemFlagsData, Value};
use std::mem::offset_of;
use sx_runtime::instance::Instance;
use sx_runtime::native::Helper;
use sx_runtime::object;
use sx_runtime::ops::Instr;
use sx_runtime::value::{FLONUM_BIAS, Word};

impl Lower<'_, '_> {
    pub(crate) fn kinds(&self, slot: usize) -> crate::types::Kinds {
        self.state.types.of(slot)
    }

    /// The word in a slot.
    pub(crate) fn word(&mut self, slot: usize) -> Value {
        let Slot { place, dirty, .. } = self.state.slots[slot];
        match place {
            Place::Word => self.b.use_var(self.words[slot]),
            Place::Double if dirty => {
                let double = self.b.use_var(self.doubles[slot]);
                self.boxed(double)
            }
            Place::Double => self.load_slot(slot),
            Place::Frame => {
                let word = self.load_slot(slot);
                self.b.def_var(self.words[slot], word);
                self.state.slots[slot] = Slot::new(Place::Word, false);
                word
            }
        }
    }

    pub(crate) fn load_slot(&mut self, slot: usize) -> Value {
        self.b.ins().load(I64, MEMORY, self.fp, slot_offset(slot))
    }

    pub(crate) fn set_word(&mut self, slot: usize, word: Value) {
        self.conditions.remove(&slot);
        self.b.def_var(self.words[slot], word);
        self.state.slots[slot] = Slot::new(Place::Word, true);
    }

    pub(crate) fn set_double(&mut self, slot: usize, double: Value) {
        self.conditions.remove(&slot);
        self.b.def_var(self.doubles[slot], double);
        self.state.slots[slot] = Slot::new(Place::Double, true);
    }

    pub(crate) fn set_bool(&mut self, slot: usize, condition: Value) {
        let (yes, no) = (self.number(Word::TRUE.0), self.number(Word::FALSE.0));
        let word = self.b.ins().select(condition, yes, no);
        self.set_word(slot, word);
        self.conditions.insert(slot, condition);
    }

    pub(crate) fn copy(&mut self, from: usize, to: usize) {
        if self.state.slots[from].place == Place::Double {
            let double = self.b.use_var(self.doubles[from]);
            self.set_double(to, double);
        } else {
            let twin = self.state.slots[from].twin.then(|| self.b.use_var(self.doubles[from]));
            let word = self.word(from);
            self.set_word(to, word);
            if let Some(double) = twin {
                self.add_twin(to, double);
            }
        }
    }

    pub(crate) fn constant(&mut self, i: Instr) {
        use sx_runtime::chunk::Const;
        use sx_runtime::syntax::Node;
        let k = i.bc() as usize;
        let datum = match self.f.notes.job.chunk.consts.get(k) {
            Some(Const::Datum(datum)) => Some(&datum.node),
            _ => None,
        };
        match datum {
            Some(Node::Float(f)) => {
                let double = self.b.ins().f64const(*f);
                self.set_double(i.a(), double);
            }
            Some(Node::Int(n)) if only(crate::types::constant_kinds(self.f.notes.job.chunk.consts.get(k)), FIX) => {
                let word = self.number(Word::fixnum(*n).0);
                self.set_word(i.a(), word);
            }
            _ => {
                let word = self.load_const(k);
                self.set_word(i.a(), word);
            }
        }
    }

    /// The instance whose code this is.
    pub(crate) fn instance(&mut self) -> Value {
        if let Some(region) = &self.region {
            return region.instance;
        }
        let closure = self.word(0);
        self.b
            .ins()
            .load(I64, MEMORY, closure, field(object::closure::INSTANCE))
    }

    pub(crate) fn load_const(&mut self, k: usize) -> Value {
        let instance = self.instance();
        let consts = self
            .b
            .ins()
            .load(I64, MEMORY, instance, at(offset_of!(Instance, consts)));
        self.b.ins().load(I64, MEMORY, consts, slot_offset(k))
    }

    pub(crate) fn number(&mut self, bits: u64) -> Value {
        self.b.ins().iconst(I64, bits as i64)
    }

    pub(crate) fn same(&mut self, word: Value, bits: u64) -> Value {
        let bits = self.number(bits);
        self.b.ins().icmp(IntCC::Equal, word, bits)
    }

    pub(crate) fn masked(&mut self, word: Value, mask: u64) -> Value {
        let mask = self.number(mask);
        self.b.ins().band(word, mask)
    }

    pub(crate) fn is_falsy(&mut self, slot: usize) -> Value {
        if let Some(condition) = self.conditions.get(&slot) {
            return self.b.ins().icmp_imm_u(IntCC::Equal, *condition, 0);
        }
        let kinds = self.kinds(slot);
        if kinds & (NIL | BOOL) == 0 && kinds != 0 {
            return self.b.ins().iconst(ir::types::I8, 0);
        }
        let word = self.word(slot);
        if only(kinds, BOOL) {
            return self.same(word, Word::FALSE.0);
        }
        let bit = self.number(8);
        let word = self.b.ins().bor(word, bit);
        self.same(word, Word::FALSE.0)
    }

    // --- floats --------------------------------------------------------------------------------

    /// The word of a double.
    pub(crate) fn boxed(&mut self, double: Value) -> Value {
        let bits = self.b.ins().bitcast(I64, MemFlagsData::new(), double);
        let bias = self.number(FLONUM_BIAS);
        let bits = self.b.ins().isub(bits, bias);
        let word = self.b.ins().rotl_imm_u(bits, 3);
        let tag = self.masked(word, 3);
        let fits = self.same(tag, 1);
        let (slow, done) = (self.cold_block(), self.b.create_block());
        self.b.append_block_param(done, I64);
        self.b.ins().brif(fits, done, &[BlockArg::Value(word)], slow, &[]);
        self.b.switch_to_block(slow);
        let word = self.helper(Helper::BoxFloat, &[double]);
        self.b.ins().jump(done, &[BlockArg::Value(word)]);
        self.b.switch_to_block(done);
        self.b.block_params(done)[0]
    }

    /// The double of a flonum word.
    pub(crate) fn unboxed(&mut self, word: Value) -> Value {
        let bits = self.b.ins().rotr_imm_u(word, 3);
        let bias = self.number(FLONUM_BIAS);
        let bits = self.b.ins().iadd(bits, bias);
        self.b.ins().bitcast(F64, MemFlagsData::new(), bits)
    }

    /// The double in a slot that holds a float for sure.
    pub(crate) fn known_double(&mut self, slot: usize) -> Value {
        if self.state.slots[slot].has_double() {
            return self.b.use_var(self.doubles[slot]);
        }
        let double = self.double_in(slot);
        self.add_twin(slot, double);
        double
    }

    /// From now on the double of the word in the slot is known.
    pub(crate) fn add_twin(&mut self, slot: usize, double: Value) {
        self.b.def_var(self.doubles[slot], double);
        self.state.slots[slot].twin = true;
    }

    /// The double of the word in a slot, a float for sure.
    pub(crate) fn double_in(&mut self, slot: usize) -> Value {
        let word = self.word(slot);
        let tag = self.masked(word, 3);
        let immediate = self.same(tag, 1);
        let (fast, slow, done) = (self.b.create_block(), self.cold_block(), self.b.create_block());
        self.b.append_block_param(done, F64);
        self.b.ins().brif(immediate, fast, &[], slow, &[]);
        self.b.switch_to_block(fast);
        let double = self.unboxed(word);
        self.b.ins().jump(done, &[BlockArg::Value(double)]);
        self.b.switch_to_block(slow);
        let double = self.b.ins().load(F64, MEMORY, word, field(object::flonum::BITS));
        self.b.ins().jump(done, &[BlockArg::Value(double)]);
        self.b.switch_to_block(done);
        self.b.block_params(done)[0]
    }
}
