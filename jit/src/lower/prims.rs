//! Primitives that have code of their own, for the arguments they mostly get; for all others the
//! helper runs them.

use super::{Lower, MEMORY, field};
use crate::types::kind::{FIX, FLOAT, PAIR};
use crate::types::{Intrinsic, only};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value};
use sx_runtime::native::Helper;
use sx_runtime::object::{Type, buffer, closure_head, header, vector, view};
use sx_runtime::ops::Instr;
use sx_runtime::value::{TAG_POINTER, Word};

impl Lower<'_, '_> {
    /// Emits a `CallPrim`.
    pub(super) fn primitive(&mut self, pc: usize, i: Instr) {
        let arg = i.b() + 1;
        let word = match self.f.notes.intrinsic(i) {
            Some(Intrinsic::Sqrt) if only(self.kinds(arg), FLOAT) => {
                let double = self.known_double(arg);
                let root = self.b.ins().sqrt(double);
                return self.set_double(i.a(), root);
            }
            Some(Intrinsic::IsPair) if only(self.kinds(arg), PAIR) => self.number(Word::TRUE.0),
            Some(Intrinsic::IsPair) => self.is_pair(arg),
            Some(Intrinsic::IsCallable) => self.or_slowly(pc, Helper::Primitive, |l, slow| {
                let word = l.word(arg);
                let byte = l.type_byte(word, slow);
                let is = l.same(byte, closure_head(0, false) as u64 & 0xff);
                l.guard(is, slow);
                l.number(Word::TRUE.0)
            }),
            Some(Intrinsic::VectorLength) => self.or_slowly(pc, Helper::Primitive, |l, slow| {
                let word = l.word(arg);
                l.guard_type(word, Type::Vector, slow);
                l.b.ins().load(I64, MEMORY, word, field(vector::LEN))
            }),
            Some(Intrinsic::TailLen) => self.or_slowly(pc, Helper::Primitive, |l, slow| {
                let word = l.word(arg);
                let (none, some) = (l.number(0), l.b.create_block());
                let done = l.b.create_block();
                l.b.append_block_param(done, I64);
                let empty = l.same(word, Word::EMPTY.0);
                l.b.ins().brif(empty, done, &[BlockArg::Value(none)], some, &[]);
                l.b.switch_to_block(some);
                l.guard_type(word, Type::View, slow);
                let extent = l.b.ins().load(I64, MEMORY, word, field(view::EXTENT));
                let len = l.masked(extent, 0xffff_ffff);
                let len = l.b.ins().ishl_imm_u(len, 1);
                l.b.ins().jump(done, &[BlockArg::Value(len)]);
                l.b.switch_to_block(done);
                l.b.block_params(done)[0]
            }),
            Some(Intrinsic::BufferSnoc) => self.buffer_snoc(pc, arg),
            _ => self.safepoint(Helper::Primitive, pc),
        };
        self.set_word(i.a(), word);
    }

    fn is_pair(&mut self, slot: usize) -> Value {
        let word = self.word(slot);
        let (no, yes) = (self.number(Word::FALSE.0), self.number(Word::TRUE.0));
        let (object, done) = (self.b.create_block(), self.b.create_block());
        self.b.append_block_param(done, I64);
        let tag = self.masked(word, 7);
        let pointer = self.same(tag, TAG_POINTER);
        self.b.ins().brif(pointer, object, &[], done, &[BlockArg::Value(no)]);
        self.b.switch_to_block(object);
        let head = self.b.ins().load(I64, MEMORY, word, field(0));
        let byte = self.masked(head, 0xff);
        let is = self.same(byte, header(Type::Pair, 0) & 0xff);
        let word = self.b.ins().select(is, yes, no);
        self.b.ins().jump(done, &[BlockArg::Value(word)]);
        self.b.switch_to_block(done);
        self.b.block_params(done)[0]
    }

    /// Adds behind the elements a buffer has, if it has room and nobody has added there.
    fn buffer_snoc(&mut self, pc: usize, arg: usize) -> Value {
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let (store, n, value) = (l.word(arg), l.word(arg + 1), l.word(arg + 2));
            l.guard_type(store, Type::Buffer, slow);
            if !only(l.kinds(arg + 1), FIX) {
                let tag = l.masked(n, 1);
                l.guard_not(tag, slow);
            }
            let used = l.b.ins().load(I64, MEMORY, store, field(buffer::USED));
            let last = l.b.ins().icmp(IntCC::Equal, used, n);
            l.guard(last, slow);
            let capacity = l.b.ins().load(I64, MEMORY, store, field(buffer::CAPACITY));
            let room = l.b.ins().icmp(IntCC::UnsignedLessThan, n, capacity);
            l.guard(room, slow);
            let bytes = l.b.ins().ishl_imm_u(n, 2);
            let place = l.b.ins().iadd(store, bytes);
            l.b.ins().store(MEMORY, value, place, field(buffer::ELEMENTS));
            let more = l.b.ins().iadd_imm_s(n, Word::fixnum(1).0 as i64);
            l.b.ins().store(MEMORY, more, store, field(buffer::USED));
            if l.needs_barrier(arg + 2) {
                let index = l.b.ins().sshr_imm_u(n, 1);
                let number = l.b.ins().iadd_imm_s(index, buffer::ELEMENTS as i64);
                l.barrier(store, number, value);
            }
            store
        })
    }
}
