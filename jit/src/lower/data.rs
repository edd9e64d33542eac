//! Variables, boxes, closures, lists, vectors, dicts.

use super::{Lower, MEMORY, Place, at, field};
use crate::types::kind::{BOXED_FLOAT, NIL, PAIR, POINTER, VECTOR};
use crate::types::only;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F64, I8, I64};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Value};
use std::mem::offset_of;
use sx_runtime::fault::{Fault, planted};
use sx_runtime::heap::Nursery;
use sx_runtime::instance::{Instance, feedback};
use sx_runtime::native::{Context, Helper};
use sx_runtime::object::{self, OLD, REMEMBERED, SHARED, Type, buffer, dict, header, pair, vector, view};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::value::{TAG_POINTER, Word};

/// The low byte of the header of a type.
fn head(ty: Type) -> u64 {
    header(ty, 0) & 0xff
}

impl Lower<'_, '_> {
    /// Emits an instruction on data. Answers whether it ended the block; what is none of ours is
    /// left alone, with the answer `false` after `call` has had it.
    pub(super) fn data(&mut self, pc: usize, i: Instr, op: Op) -> bool {
        match op {
            Op::Captured => {
                let closure = self.word(0);
                let offset = field(object::closure::CAPTURED + i.bc() as usize);
                let word = self.b.ins().load(I64, MEMORY, closure, offset);
                self.set_word(i.a(), word);
            }
            Op::NewBox => {
                let word = self.or_slowly(pc, Helper::NewBox, |l, slow| {
                    let content = l.word(i.b());
                    let word = l.allocate(2, header(Type::Box, 0), slow);
                    l.b.ins().store(MEMORY, content, word, field(object::boxed::VALUE));
                    word
                });
                self.set_word(i.a(), word);
            }
            Op::GetBox => {
                let object = self.word(i.b());
                let word = self.b.ins().load(I64, MEMORY, object, field(object::boxed::VALUE));
                self.set_word(i.a(), word);
            }
            Op::SetBox => {
                let object = self.word(i.a());
                self.store_field(object, object::boxed::VALUE, i.b());
            }
            Op::PatchClosure => {
                let object = self.word(i.a());
                self.store_field(object, object::closure::CAPTURED + i.b(), i.c());
            }
            Op::MakeClosure => self.make_closure(pc, i),
            Op::CheckBound => {
                let way = self.way_out(pc);
                let word = self.word(i.a());
                let unbound = self.same(word, Word::UNBOUND.0);
                if !planted(Fault::NativeUnboundUnchecked) {
                    self.guard_not(unbound, way);
                }
            }
            Op::GetGlobal => {
                let way = self.way_out(pc);
                let word = self.global(i.bc() as usize);
                let unbound = self.same(word, Word::UNBOUND.0);
                self.guard_not(unbound, way);
                self.set_word(i.a(), word);
            }
            Op::SetGlobal | Op::DefGlobal => {
                self.safepoint(Helper::StoreGlobal, pc);
            }
            Op::Cons => self.cons(pc, i),
            Op::First => self.first(pc, i),
            Op::Rest => self.rest(pc, i),
            Op::Nth => {
                let word = self.or_slowly(pc, Helper::Slow, |l, slow| {
                    let (list, index) = (l.word(i.b()), l.word(i.c()));
                    l.guard_type(list, Type::View, slow);
                    let tag = l.masked(index, 1);
                    l.guard_not(tag, slow);
                    let n = l.b.ins().sshr_imm_u(index, 1);
                    l.view_item(list, n, slow)
                });
                self.set_word(i.a(), word);
            }
            Op::VectorRef | Op::VectorRefI => self.vector_ref(pc, i, op),
            Op::VectorSet | Op::VectorSetI => self.vector_set(pc, i, op),
            Op::Get => self.get(pc, i),
            _ => return false,
        }
        false
    }

    /// The value of the global cell that is constant `k`.
    pub(crate) fn global(&mut self, k: usize) -> Value {
        let cell = self.f.notes.job.consts.get(k).map_or(Word::NIL, |word| *word);
        let cell = self.number(cell.0);
        self.b.ins().load(I64, MEMORY, cell, field(object::cell::VALUE))
    }

    /// A new object of `words` words with its header, from the nursery; `slow` if there is no room.
    /// The fields follow at once.
    pub(super) fn allocate(&mut self, words: usize, header: u64, slow: Block) -> Value {
        let nursery = at(offset_of!(Context, nursery));
        let nursery = self.b.ins().load(I64, MEMORY.with_readonly(), self.context, nursery);
        let top = self.b.ins().load(I64, MEMORY, nursery, at(offset_of!(Nursery, top)));
        let limit = self.b.ins().load(I64, MEMORY, nursery, at(offset_of!(Nursery, limit)));
        let end = self.b.ins().iadd_imm_s(top, words as i64 * 8);
        self.allocated(nursery, top, end, limit, header, slow)
    }

    /// The same for `words` words, a number that is not known yet.
    pub(super) fn allocate_many(&mut self, words: Value, header: u64, slow: Block) -> Value {
        let nursery = at(offset_of!(Context, nursery));
        let nursery = self.b.ins().load(I64, MEMORY.with_readonly(), self.context, nursery);
        let top = self.b.ins().load(I64, MEMORY, nursery, at(offset_of!(Nursery, top)));
        let limit = self.b.ins().load(I64, MEMORY, nursery, at(offset_of!(Nursery, limit)));
        let bytes = self.b.ins().ishl_imm_u(words, 3);
        let end = self.b.ins().iadd(top, bytes);
        self.allocated(nursery, top, end, limit, header, slow)
    }

    fn allocated(&mut self, nursery: Value, top: Value, end: Value, limit: Value, header: u64, slow: Block) -> Value {
        let fits = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, end, limit);
        self.guard(fits, slow);
        self.b.ins().store(MEMORY, end, nursery, at(offset_of!(Nursery, top)));
        let header = self.number(header);
        self.b.ins().store(MEMORY, header, top, 0);
        self.b.ins().iadd_imm_s(top, TAG_POINTER as i64)
    }

    fn make_closure(&mut self, pc: usize, i: Instr) {
        let Some(child) = self.f.notes.job.chunk.children.get(i.c()) else {
            return self.leave(pc);
        };
        let header = header(Type::Closure, child.arity_word() as u64);
        let n = i.d();
        let word = self.or_slowly(pc, Helper::MakeClosure, |l, slow| {
            let captured: Vec<Value> = (0..n).map(|k| l.word(i.b() + 1 + k)).collect();
            let its = l.instance();
            let children = l.b.ins().load(I64, MEMORY, its, at(offset_of!(Instance, children)));
            let instance = l.b.ins().load(I64, MEMORY, children, at(i.c() * 8));
            let word = l.allocate(2 + n, header, slow);
            l.b.ins()
                .store(MEMORY, instance, word, field(object::closure::INSTANCE));
            for (k, value) in captured.into_iter().enumerate() {
                l.b.ins()
                    .store(MEMORY, value, word, field(object::closure::CAPTURED + k));
            }
            word
        });
        self.set_word(i.a(), word);
    }

    // --- lists ---------------------------------------------------------------------------------

    fn cons(&mut self, pc: usize, i: Instr) {
        let may_be_nil = self.kinds(i.c()) & NIL != 0;
        let word = self.or_slowly(pc, Helper::Slow, |l, slow| {
            let (x, y) = (l.word(i.b()), l.word(i.c()));
            if may_be_nil {
                let nil = l.same(y, Word::NIL.0);
                l.guard_not(nil, slow);
            }
            let word = l.allocate(3, header(Type::Pair, 0), slow);
            l.b.ins().store(MEMORY, x, word, field(pair::CAR));
            l.b.ins().store(MEMORY, y, word, field(pair::CDR));
            word
        });
        self.set_word(i.a(), word);
    }

    fn first(&mut self, pc: usize, i: Instr) {
        if self.f.notes.pairs(pc) {
            let word = self.pair_field(pc, i, pair::CAR);
            return self.set_word(i.a(), word);
        }
        let word = self.or_slowly(pc, Helper::Slow, |l, slow| {
            let list = l.word(i.b());
            let byte = l.type_byte(list, slow);
            let is_pair = l.same(byte, head(Type::Pair));
            let (pair_block, other, done) = (l.b.create_block(), l.b.create_block(), l.b.create_block());
            l.b.append_block_param(done, I64);
            l.b.ins().brif(is_pair, pair_block, &[], other, &[]);
            l.b.switch_to_block(pair_block);
            let word = l.b.ins().load(I64, MEMORY, list, field(pair::CAR));
            l.b.ins().jump(done, &[BlockArg::Value(word)]);
            l.b.switch_to_block(other);
            let is_view = l.same(byte, head(Type::View));
            l.guard(is_view, slow);
            let zero = l.number(0);
            let word = l.view_item(list, zero, slow);
            l.b.ins().jump(done, &[BlockArg::Value(word)]);
            l.b.switch_to_block(done);
            l.b.block_params(done)[0]
        });
        self.set_word(i.a(), word);
    }

    fn rest(&mut self, pc: usize, i: Instr) {
        if self.f.notes.pairs(pc) {
            let word = self.pair_field(pc, i, pair::CDR);
            return self.set_word(i.a(), word);
        }
        let word = self.or_slowly(pc, Helper::Slow, |l, slow| {
            let list = l.word(i.b());
            let byte = l.type_byte(list, slow);
            let is_pair = l.same(byte, head(Type::Pair));
            let (pair_block, other, done) = (l.b.create_block(), l.b.create_block(), l.b.create_block());
            l.b.append_block_param(done, I64);
            l.b.ins().brif(is_pair, pair_block, &[], other, &[]);
            l.b.switch_to_block(pair_block);
            let word = l.b.ins().load(I64, MEMORY, list, field(pair::CDR));
            l.b.ins().jump(done, &[BlockArg::Value(word)]);
            l.b.switch_to_block(other);
            let is_view = l.same(byte, head(Type::View));
            l.guard(is_view, slow);
            let word = l.rest_of_view(list, slow);
            l.b.ins().jump(done, &[BlockArg::Value(word)]);
            l.b.switch_to_block(done);
            l.b.block_params(done)[0]
        });
        self.set_word(i.a(), word);
    }

    /// The view that begins one element later; `slow` if there is none.
    fn rest_of_view(&mut self, list: Value, slow: Block) -> Value {
        let extent = self.b.ins().load(I64, MEMORY, list, field(view::EXTENT));
        let len = self.masked(extent, 0xffff_ffff);
        let none = self.same(len, 0);
        self.guard_not(none, slow);
        let done = self.b.create_block();
        self.b.append_block_param(done, I64);
        let one = self.same(len, 1);
        let empty = self.number(Word::EMPTY.0);
        let more = self.b.create_block();
        self.b.ins().brif(one, done, &[BlockArg::Value(empty)], more, &[]);
        self.b.switch_to_block(more);
        let word = self.allocate(3, header(Type::View, 0), slow);
        let store = self.b.ins().load(I64, MEMORY, list, field(view::BUFFER));
        self.share(store);
        let extent = self.b.ins().iadd_imm_s(extent, (1 << 32) - 1);
        self.fill(word, &[store, extent]);
        self.b.ins().jump(done, &[BlockArg::Value(word)]);
        self.b.switch_to_block(done);
        self.b.block_params(done)[0]
    }

    /// From now on nothing below the mark of this buffer changes.
    pub(super) fn share(&mut self, store: Value) {
        let head = self.b.ins().load(I64, MEMORY, store, field(0));
        let shared = self.number(SHARED);
        let head = self.b.ins().bor(head, shared);
        self.b.ins().store(MEMORY, head, store, field(0));
    }

    /// The fields of a new object, from the first on.
    pub(super) fn fill(&mut self, object: Value, fields: &[Value]) {
        for (i, value) in fields.iter().enumerate() {
            self.b.ins().store(MEMORY, *value, object, field(i + 1));
        }
    }

    /// A field of what has always been a pair; anything else leaves.
    fn pair_field(&mut self, pc: usize, i: Instr, which: usize) -> Value {
        let way = self.way_out(pc);
        let list = self.word(i.b());
        if !only(self.kinds(i.b()), PAIR) {
            self.guard_type(list, Type::Pair, way);
        }
        self.b.ins().load(I64, MEMORY, list, field(which))
    }

    /// The type byte of an object; `slow` for what is no pointer.
    pub(super) fn type_byte(&mut self, word: Value, slow: Block) -> Value {
        let tag = self.masked(word, 7);
        let pointer = self.same(tag, TAG_POINTER);
        self.guard(pointer, slow);
        let head = self.b.ins().load(I64, MEMORY, word, field(0));
        self.masked(head, 0xff)
    }

    /// Item `n`, untagged, of a view; `slow` if it has none.
    fn view_item(&mut self, list: Value, n: Value, slow: Block) -> Value {
        let extent = self.b.ins().load(I64, MEMORY, list, field(view::EXTENT));
        let len = self.masked(extent, 0xffff_ffff);
        let there = self.b.ins().icmp(IntCC::UnsignedLessThan, n, len);
        if !planted(Fault::NativeLengthUnchecked) {
            self.guard(there, slow);
        }
        let store = self.b.ins().load(I64, MEMORY, list, field(view::BUFFER));
        let offset = self.b.ins().ushr_imm_u(extent, 32);
        let index = self.b.ins().iadd(offset, n);
        let bytes = self.b.ins().ishl_imm_u(index, 3);
        let place = self.b.ins().iadd(store, bytes);
        self.b.ins().load(I64, MEMORY, place, field(buffer::ELEMENTS))
    }

    /// `eq?`: the same word, or the same float in two objects.
    pub(super) fn is_eq(&mut self, a: usize, b: usize) -> Value {
        let (x, y) = (self.word(a), self.word(b));
        let same = self.b.ins().icmp(IntCC::Equal, x, y);
        if self.kinds(a) & BOXED_FLOAT == 0 || self.kinds(b) & BOXED_FLOAT == 0 {
            return same;
        }
        let (other, done) = (self.b.create_block(), self.b.create_block());
        self.b.append_block_param(done, I8);
        self.b.ins().brif(same, done, &[BlockArg::Value(same)], other, &[]);
        self.b.switch_to_block(other);
        let no = self.b.create_block();
        self.jump_unless_type(x, Type::Flonum, no);
        self.jump_unless_type(y, Type::Flonum, no);
        let [f, g] = [x, y].map(|word| self.b.ins().load(F64, MEMORY, word, field(object::flonum::BITS)));
        let [m, n] = [f, g].map(|double| self.b.ins().bitcast(I64, MemFlagsData::new(), double));
        let bits = self.b.ins().icmp(IntCC::Equal, m, n);
        // No number is itself, whatever its bits.
        let [m, n] = [f, g].map(|double| self.b.ins().fcmp(FloatCC::Unordered, double, double));
        let neither = self.b.ins().band(m, n);
        let equal = self.b.ins().bor(bits, neither);
        self.b.ins().jump(done, &[BlockArg::Value(equal)]);
        self.b.switch_to_block(no);
        let never = self.b.ins().iconst(I8, 0);
        self.b.ins().jump(done, &[BlockArg::Value(never)]);
        self.b.switch_to_block(done);
        self.b.block_params(done)[0]
    }

    /// Is the slot's value empty, as the instruction means it?
    pub(super) fn is_empty(&mut self, pc: usize, slot: usize) -> Value {
        if only(self.kinds(slot), PAIR) {
            return self.b.ins().iconst(I8, 0);
        }
        let word = self.or_slowly(pc, Helper::Slow, |l, slow| {
            let list = l.word(slot);
            let done = l.b.create_block();
            l.b.append_block_param(done, I64);
            let (yes, no) = (l.number(Word::TRUE.0), l.number(Word::FALSE.0));
            let empty = l.same(list, Word::EMPTY.0);
            let object = l.b.create_block();
            l.b.ins().brif(empty, done, &[BlockArg::Value(yes)], object, &[]);
            l.b.switch_to_block(object);
            let byte = l.type_byte(list, slow);
            let is_pair = l.same(byte, head(Type::Pair));
            let other = l.b.create_block();
            l.b.ins().brif(is_pair, done, &[BlockArg::Value(no)], other, &[]);
            l.b.switch_to_block(other);
            let is_view = l.same(byte, head(Type::View));
            l.guard(is_view, slow);
            let extent = l.b.ins().load(I64, MEMORY, list, field(view::EXTENT));
            let len = l.masked(extent, 0xffff_ffff);
            let none = l.same(len, 0);
            let word = l.b.ins().select(none, yes, no);
            l.b.ins().jump(done, &[BlockArg::Value(word)]);
            l.b.switch_to_block(done);
            l.b.block_params(done)[0]
        });
        self.same(word, Word::TRUE.0)
    }

    // --- vectors -------------------------------------------------------------------------------

    /// The address of an element, checked; anything unusual takes `way`.
    fn element(&mut self, slot: usize, index: Result<usize, i64>, way: Block) -> Value {
        let object = self.word(slot);
        if !only(self.kinds(slot), VECTOR) {
            self.guard_type(object, Type::Vector, way);
        }
        let len = self.b.ins().load(I64, MEMORY, object, field(vector::LEN));
        let index = match index {
            Ok(slot) => {
                let index = self.word(slot);
                if !only(self.kinds(slot), crate::types::kind::FIX) {
                    let tag = self.masked(index, 1);
                    self.guard_not(tag, way);
                }
                index
            }
            Err(small) => self.number(Word::fixnum(small).0),
        };
        // Both are fixnum words; a negative one is a large unsigned number.
        let there = self.b.ins().icmp(IntCC::UnsignedLessThan, index, len);
        self.guard(there, way);
        let bytes = self.b.ins().ishl_imm_u(index, 2);
        self.b.ins().iadd(object, bytes)
    }

    fn vector_ref(&mut self, pc: usize, i: Instr, op: Op) {
        let index = if op == Op::VectorRef { Ok(i.c()) } else { Err(i.imm_c()) };
        let load = |l: &mut Self, way| {
            let place = l.element(i.b(), index, way);
            l.b.ins().load(I64, MEMORY, place, field(vector::ELEMENTS))
        };
        let word = if self.f.notes.exact(pc) {
            let way = self.way_out(pc);
            load(self, way)
        } else {
            self.or_slowly(pc, Helper::Slow, load)
        };
        self.set_word(i.a(), word);
    }

    fn vector_set(&mut self, pc: usize, i: Instr, op: Op) {
        let index = if op == Op::VectorSet { Ok(i.b()) } else { Err(i.imm_b()) };
        if !self.f.notes.exact(pc) {
            self.safepoint(Helper::Slow, pc);
            return;
        }
        let way = self.way_out(pc);
        let object = self.word(i.a());
        let place = self.element(i.a(), index, way);
        let value = self.word(i.c());
        self.b.ins().store(MEMORY, value, place, field(vector::ELEMENTS));
        if self.needs_barrier(i.c()) {
            let distance = self.b.ins().isub(place, object);
            let index = self.b.ins().ushr_imm_u(distance, 3);
            let number = self.b.ins().iadd_imm_s(index, vector::ELEMENTS as i64);
            self.barrier(object, number, value);
        }
    }

    // --- stores --------------------------------------------------------------------------------

    pub(super) fn store_field(&mut self, object: Value, number: usize, from: usize) {
        let value = self.word(from);
        self.b.ins().store(MEMORY, value, object, field(number));
        if self.needs_barrier(from) {
            let number = self.number(number as u64);
            self.barrier(object, number, value);
        }
    }

    /// May the slot hold a young object?
    pub(super) fn needs_barrier(&self, slot: usize) -> bool {
        // A double that is boxed on the way is never young.
        !planted(Fault::NativeBarrierMissing)
            && self.state.slots[slot].place != Place::Double
            && self.kinds(slot) & POINTER != 0
    }

    /// `value` has been stored in a field of `object`.
    pub(super) fn barrier(&mut self, object: Value, number: Value, value: Value) {
        let on = self.b.create_block();
        let skip_unless = |l: &mut Self, condition: Value| {
            let next = l.b.create_block();
            l.b.ins().brif(condition, next, &[], on, &[]);
            l.b.switch_to_block(next);
        };
        let tag = self.masked(value, 7);
        let pointer = self.same(tag, TAG_POINTER);
        skip_unless(self, pointer);
        let nursery = at(offset_of!(Context, nursery));
        let nursery = self.b.ins().load(I64, MEMORY.with_readonly(), self.context, nursery);
        let start = self.b.ins().load(I64, MEMORY, nursery, at(offset_of!(Nursery, start)));
        let size = self.b.ins().load(I64, MEMORY, nursery, at(offset_of!(Nursery, size)));
        let distance = self.b.ins().isub(value, start);
        let young = self.b.ins().icmp(IntCC::UnsignedLessThan, distance, size);
        skip_unless(self, young);
        let head = self.b.ins().load(I64, MEMORY, object, field(0));
        let flags = self.masked(head, OLD | REMEMBERED);
        let old = self.same(flags, OLD);
        let slow = self.cold_block();
        self.b.ins().brif(old, slow, &[], on, &[]);
        self.b.switch_to_block(slow);
        self.helper(Helper::Barrier, &[object, number, value]);
        self.b.ins().jump(on, &[]);
        self.b.switch_to_block(on);
    }

    // --- dicts ---------------------------------------------------------------------------------

    /// As the machine does it: the feedback cell says in which slot of which shape the key is.
    fn get(&mut self, pc: usize, i: Instr) {
        let cell = i.d() * feedback::FeedbackCell::SIZE;
        let word = self.or_slowly(pc, Helper::Get, |l, slow| {
            let (object, key) = (l.word(i.b()), l.word(i.c()));
            l.guard_type(object, Type::Dict, slow);
            let its = l.instance();
            let cells = l.b.ins().load(I64, MEMORY, its, at(offset_of!(Instance, feedback)));
            let known =
                l.b.ins()
                    .load(I64, MEMORY, cells, at(cell + feedback::FeedbackCell::KEY));
            let same_key = l.b.ins().icmp(IntCC::Equal, known, key);
            l.guard(same_key, slow);
            let seen =
                l.b.ins()
                    .load(I64, MEMORY, cells, at(cell + feedback::FeedbackCell::SEEN));
            let shape = l.b.ins().load(I64, MEMORY, object, field(dict::SHAPE));
            let shape = l.b.ins().sshr_imm_u(shape, 1);
            let shape = l.b.ins().iadd_imm_s(shape, 1);
            let seen_shape = l.b.ins().ushr_imm_u(seen, 32);
            let same_shape = l.b.ins().icmp(IntCC::Equal, shape, seen_shape);
            if !planted(Fault::NativeShapeUnchecked) {
                l.guard(same_shape, slow);
            }
            let store = l.b.ins().load(I64, MEMORY, object, field(dict::STORE));
            let low = l.masked(seen, 0xffff_fffe);
            let bytes = l.b.ins().ishl_imm_u(low, 2);
            let place = l.b.ins().iadd(store, bytes);
            l.b.ins().load(I64, MEMORY, place, field(buffer::ELEMENTS))
        });
        self.set_word(i.a(), word);
    }
}
