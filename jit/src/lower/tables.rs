//! Sets and maps of integers: looking a slot up, and what a slot that is there decides.
//!
//! Deliberately absent: adding a slot, which may need a larger table. That is the helper's.

use super::{Lower, MEMORY, field};
use crate::types::kind::FIX;
use crate::types::only;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};
use sx_runtime::int_table::{BLOCK_BITS, HASH};
use sx_runtime::native::Helper;
use sx_runtime::object::{Type, bytevector, int_map, int_set};
use sx_runtime::value::Word;

// A set and a map have their store in the same place.
const _: () = assert!(int_set::STORE == int_map::STORE);

impl Lower<'_, '_> {
    /// The table and the integer that a primitive is given.
    fn table_and_key(&mut self, arg: usize, ty: Type, slow: Block) -> (Value, Value) {
        let (table, key) = (self.word(arg), self.word(arg + 1));
        self.guard_type(table, ty, slow);
        if !only(self.kinds(arg + 1), FIX) {
            let tag = self.masked(key, 1);
            self.guard_not(tag, slow);
        }
        (table, key)
    }

    /// The place of the slot with this tag; goes to `missing` if there is none.
    fn find_slot(&mut self, table: Value, tag: Value, missing: Block) -> Value {
        let store = self.b.ins().load(I64, MEMORY, table, field(int_set::STORE));
        let bytes = self.b.ins().load(I64, MEMORY, store, field(bytevector::BYTE_LEN));
        // The word of a fixnum is twice it, and a slot has sixteen bytes.
        let slots = self.b.ins().ushr_imm_u(bytes, 5);
        let mask = self.b.ins().iadd_imm_s(slots, -1);
        let shift = self.b.ins().clz(mask);
        let factor = self.number(HASH);
        let product = self.b.ins().imul(tag, factor);
        let first = self.b.ins().ushr(product, shift);

        let (probe, other, next, found) = (
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
        );
        self.b.append_block_param(probe, I64);
        self.b.ins().jump(probe, &[BlockArg::Value(first)]);
        self.b.switch_to_block(probe);
        let slot = self.b.block_params(probe)[0];
        let distance = self.b.ins().ishl_imm_u(slot, 4);
        let place = self.b.ins().iadd(store, distance);
        let there = self.b.ins().load(I64, MEMORY, place, field(bytevector::BYTES));
        let is = self.b.ins().icmp(IntCC::Equal, there, tag);
        self.b.ins().brif(is, found, &[], other, &[]);
        self.b.switch_to_block(other);
        let empty = self.same(there, 0);
        self.b.ins().brif(empty, missing, &[], next, &[]);
        self.b.switch_to_block(next);
        let behind = self.b.ins().iadd_imm_s(slot, 1);
        let behind = self.b.ins().band(behind, mask);
        self.b.ins().jump(probe, &[BlockArg::Value(behind)]);
        self.b.switch_to_block(found);
        place
    }

    /// The tag of the block of a member of a set, and the member's bit there.
    fn block_and_bit(&mut self, member: Value) -> (Value, Value) {
        let block = self.b.ins().sshr_imm_u(member, i64::from(BLOCK_BITS) + 1);
        let twice = self.b.ins().ishl_imm_u(block, 1);
        let tag = self.b.ins().bor_imm_u(twice, 1);
        let number = self.b.ins().ushr_imm_u(member, 1);
        let one = self.number(1);
        // A shift is by the low six bits, the place in the block.
        let bit = self.b.ins().ishl(one, number);
        (tag, bit)
    }

    /// Adds to a set that has the block of the member.
    pub(super) fn int_set_add(&mut self, pc: usize, arg: usize) -> Value {
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let (set, member) = l.table_and_key(arg, Type::IntSet, slow);
            let (tag, bit) = l.block_and_bit(member);
            let place = l.find_slot(set, tag, slow);
            let bits = l.b.ins().load(I64, MEMORY, place, field(bytevector::BYTES + 1));
            let more = l.b.ins().bor(bits, bit);
            let had = l.b.ins().icmp(IntCC::Equal, more, bits);
            let (new, done) = (l.b.create_block(), l.b.create_block());
            l.b.append_block_param(done, I64);
            let (yes, no) = (l.number(Word::TRUE.0), l.number(Word::FALSE.0));
            l.b.ins().brif(had, done, &[BlockArg::Value(no)], new, &[]);
            l.b.switch_to_block(new);
            l.b.ins().store(MEMORY, more, place, field(bytevector::BYTES + 1));
            let size = l.b.ins().load(I64, MEMORY, set, field(int_set::SIZE));
            let size = l.b.ins().iadd_imm_s(size, Word::fixnum(1).0 as i64);
            l.b.ins().store(MEMORY, size, set, field(int_set::SIZE));
            l.b.ins().jump(done, &[BlockArg::Value(yes)]);
            l.b.switch_to_block(done);
            l.b.block_params(done)[0]
        })
    }

    /// Is it a member of a set?
    pub(super) fn int_set_has(&mut self, pc: usize, arg: usize) -> Value {
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let (set, member) = l.table_and_key(arg, Type::IntSet, slow);
            let (tag, bit) = l.block_and_bit(member);
            let (missing, done) = (l.b.create_block(), l.b.create_block());
            l.b.append_block_param(done, I64);
            let place = l.find_slot(set, tag, missing);
            let bits = l.b.ins().load(I64, MEMORY, place, field(bytevector::BYTES + 1));
            let own = l.b.ins().band(bits, bit);
            let (yes, no) = (l.number(Word::TRUE.0), l.number(Word::FALSE.0));
            let word = l.b.ins().select(own, yes, no);
            l.b.ins().jump(done, &[BlockArg::Value(word)]);
            l.b.switch_to_block(missing);
            let no = l.number(Word::FALSE.0);
            l.b.ins().jump(done, &[BlockArg::Value(no)]);
            l.b.switch_to_block(done);
            l.b.block_params(done)[0]
        })
    }

    /// The integer that a map has for a key, or the default.
    pub(super) fn int_map_ref(&mut self, pc: usize, arg: usize) -> Value {
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let (map, key) = l.table_and_key(arg, Type::IntMap, slow);
            let default = l.word(arg + 2);
            // The word of a key is twice it.
            let tag = l.b.ins().bor_imm_u(key, 1);
            let (missing, done) = (l.b.create_block(), l.b.create_block());
            l.b.append_block_param(done, I64);
            let place = l.find_slot(map, tag, missing);
            let value = l.b.ins().load(I64, MEMORY, place, field(bytevector::BYTES + 1));
            let word = l.b.ins().ishl_imm_u(value, 1);
            l.b.ins().jump(done, &[BlockArg::Value(word)]);
            l.b.switch_to_block(missing);
            l.b.ins().jump(done, &[BlockArg::Value(default)]);
            l.b.switch_to_block(done);
            l.b.block_params(done)[0]
        })
    }
}
