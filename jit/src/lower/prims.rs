//! Primitives that have code of their own, for the arguments they mostly get; for all others the
//! helper runs them.

use super::{Lower, MEMORY, field};
use crate::types::kind::{FIX, FLOAT, PAIR};
use crate::types::{Intrinsic, only};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I64};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};
use sx_runtime::native::Helper;
use sx_runtime::object::{Rest, Type, buffer, closure_head, header, string, text, vector, view};
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
            Some(Intrinsic::Is(types, words)) => {
                let is = self.is_any(arg, types, words);
                return self.set_bool(i.a(), is);
            }
            Some(Intrinsic::IsNumber) if only(self.kinds(arg), FIX | FLOAT) => self.number(Word::TRUE.0),
            Some(Intrinsic::IsNumber) => self.or_slowly(pc, Helper::Primitive, |l, slow| {
                let word = l.word(arg);
                let low = l.masked(word, 3);
                let pointer = l.same(low, TAG_POINTER);
                l.guard_not(pointer, slow);
                l.number(Word::TRUE.0)
            }),
            Some(Intrinsic::IsCallable) => self.or_slowly(pc, Helper::Primitive, |l, slow| {
                let word = l.word(arg);
                let byte = l.type_byte(word, slow);
                let is = l.same(byte, closure_head(0, Rest::None) as u64 & 0xff);
                l.guard(is, slow);
                l.number(Word::TRUE.0)
            }),
            Some(Intrinsic::VectorLength) => self.or_slowly(pc, Helper::Primitive, |l, slow| {
                let word = l.word(arg);
                l.guard_type(word, Type::Vector, slow);
                l.b.ins().load(I64, MEMORY, word, field(vector::LEN))
            }),
            Some(Intrinsic::StringLength) => self.or_slowly(pc, Helper::Primitive, |l, slow| {
                let word = l.word(arg);
                let string = l.flat_string(word, slow);
                l.b.ins().load(I64, MEMORY, string, field(string::CHAR_LEN))
            }),
            Some(Intrinsic::StringRef) => self.string_ref(pc, arg),
            Some(Intrinsic::TailLen) => self.or_slowly(pc, Helper::Primitive, |l, slow| {
                let word = l.word(arg);
                let (none, some) = (l.number(0), l.b.create_block());
                let done = l.b.create_block();
                l.b.append_block_param(done, I64);
                let empty = l.same(word, Word::EMPTY.0);
                l.b.ins().brif(empty, done, &[BlockArg::Value(none)], some, &[]);
                l.b.switch_to_block(some);
                l.guard_type(word, Type::View, slow);
                let len = l.view_len(word);
                l.b.ins().jump(done, &[BlockArg::Value(len)]);
                l.b.switch_to_block(done);
                l.b.block_params(done)[0]
            }),
            Some(Intrinsic::Len) => self.len(pc, arg),
            Some(Intrinsic::List) => self.list(pc, arg, i.d()),
            Some(Intrinsic::Pairs) => self.pairs(pc, arg, i.d()),
            Some(Intrinsic::Buffer) => self.buffer(pc, arg),
            Some(Intrinsic::BufferSnoc) => self.buffer_snoc(pc, arg),
            Some(Intrinsic::BufferList) => self.buffer_list(pc, arg),
            Some(Intrinsic::IntSetAdd) => self.int_set_add(pc, arg),
            Some(Intrinsic::IntSetHas) => self.int_set_has(pc, arg),
            Some(Intrinsic::IntMapRef) => self.int_map_ref(pc, arg),
            Some(Intrinsic::Part(path)) => self.part_of_pair(pc, arg, path),
            Some(Intrinsic::SetPart(part)) => self.set_part(pc, arg, part),
            Some(Intrinsic::IsPair(wants_pair)) => self.is_pair_or_null(pc, arg, wants_pair),
            Some(Intrinsic::NumbersEqual) => return self.numbers_equal(pc, i),
            Some(Intrinsic::Divide) => return self.divide(pc, i),
            Some(Intrinsic::Sign(test)) => return self.sign_is(pc, i, test),
            Some(Intrinsic::Chars(test)) => self.chars_compare(pc, arg, test),
            _ => self.safepoint(Helper::Primitive, pc),
        };
        self.set_word(i.a(), word);
    }

    /// Is the slot's value an object of one of these types, or one of these words?
    fn is_any(&mut self, slot: usize, types: &[Type], words: &[Word]) -> Value {
        if types.contains(&Type::Pair) && only(self.kinds(slot), PAIR) {
            return self.b.ins().iconst(I8, 1);
        }
        let word = self.word(slot);
        let either = |l: &mut Self, value: Value, wanted: &mut dyn Iterator<Item = u64>| {
            let mut any = None;
            for bits in wanted {
                let one = l.same(value, bits);
                any = Some(any.map_or(one, |any| l.b.ins().bor(any, one)));
            }
            any.unwrap_or_else(|| l.b.ins().iconst(I8, 0))
        };
        let immediate = either(self, word, &mut words.iter().map(|w| w.0));
        if types.is_empty() {
            return immediate;
        }
        let (object, done) = (self.b.create_block(), self.b.create_block());
        self.b.append_block_param(done, I8);
        let tag = self.masked(word, 7);
        let pointer = self.same(tag, TAG_POINTER);
        self.b
            .ins()
            .brif(pointer, object, &[], done, &[BlockArg::Value(immediate)]);
        self.b.switch_to_block(object);
        let head = self.b.ins().load(I64, MEMORY, word, field(0));
        let byte = self.masked(head, 0xff);
        let is = either(self, byte, &mut types.iter().map(|ty| header(*ty, 0) & 0xff));
        self.b.ins().jump(done, &[BlockArg::Value(is)]);
        self.b.switch_to_block(done);
        self.b.block_params(done)[0]
    }

    /// Elements of a list or vector, where they are counted.
    fn len(&mut self, pc: usize, arg: usize) -> Value {
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let word = l.word(arg);
            let byte = l.type_byte(word, slow);
            let (view_block, other, done) = (l.b.create_block(), l.b.create_block(), l.b.create_block());
            l.b.append_block_param(done, I64);
            let is_view = l.same(byte, header(Type::View, 0) & 0xff);
            l.b.ins().brif(is_view, view_block, &[], other, &[]);
            l.b.switch_to_block(view_block);
            let len = l.view_len(word);
            l.b.ins().jump(done, &[BlockArg::Value(len)]);
            l.b.switch_to_block(other);
            let is_vector = l.same(byte, header(Type::Vector, 0) & 0xff);
            l.guard(is_vector, slow);
            let len = l.b.ins().load(I64, MEMORY, word, field(vector::LEN));
            l.b.ins().jump(done, &[BlockArg::Value(len)]);
            l.b.switch_to_block(done);
            l.b.block_params(done)[0]
        })
    }

    /// The string that holds the characters of a string or of a text that is not wide.
    fn flat_string(&mut self, word: Value, slow: Block) -> Value {
        let (own, done) = (self.b.create_block(), self.b.create_block());
        self.b.append_block_param(done, I64);
        let byte = self.type_byte(word, slow);
        let is_text = self.same(byte, header(Type::Text, 0) & 0xff);
        self.b.ins().brif(is_text, own, &[], done, &[BlockArg::Value(word)]);
        self.b.switch_to_block(own);
        let store = self.b.ins().load(I64, MEMORY, word, field(text::STORE));
        self.b.ins().jump(done, &[BlockArg::Value(store)]);
        self.b.switch_to_block(done);
        let string = self.b.block_params(done)[0];
        self.guard_type(string, Type::String, slow);
        string
    }

    /// A code point of a string that is ASCII, which has as many of them as bytes.
    fn string_ref(&mut self, pc: usize, arg: usize) -> Value {
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let (text, index) = (l.word(arg), l.word(arg + 1));
            let text = l.flat_string(text, slow);
            if !only(l.kinds(arg + 1), FIX) {
                let tag = l.masked(index, 1);
                l.guard_not(tag, slow);
            }
            let bytes = l.b.ins().load(I64, MEMORY, text, field(string::BYTE_LEN));
            let chars = l.b.ins().load(I64, MEMORY, text, field(string::CHAR_LEN));
            let ascii = l.b.ins().icmp(IntCC::Equal, bytes, chars);
            l.guard(ascii, slow);
            // The words of fixnums compare as the fixnums do; a negative one is beyond every length.
            let within = l.b.ins().icmp(IntCC::UnsignedLessThan, index, bytes);
            l.guard(within, slow);
            let distance = l.b.ins().ushr_imm_u(index, 1);
            let place = l.b.ins().iadd(text, distance);
            let byte = l.b.ins().uload8(I64, MEMORY, place, field(string::BYTES));
            let code = l.b.ins().ishl_imm_u(byte, 8);
            l.b.ins().bor_imm_u(code, Word::char('\0').0 as i64)
        })
    }

    /// The length of a view, as a word.
    fn view_len(&mut self, view: Value) -> Value {
        let extent = self.b.ins().load(I64, MEMORY, view, field(view::EXTENT));
        let len = self.masked(extent, 0xffff_ffff);
        self.b.ins().ishl_imm_u(len, 1)
    }

    /// A list of `n` elements, at least one: a full buffer and, behind it, the view of it.
    fn list(&mut self, pc: usize, arg: usize, n: usize) -> Value {
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let items: Vec<Value> = (arg..arg + n).map(|slot| l.word(slot)).collect();
            let words = buffer::ELEMENTS + n;
            let store = l.allocate(words + 3, header(Type::Buffer, 0), slow);
            let count = l.number(Word::fixnum(n as i64).0);
            l.fill(store, &[count, count]);
            for (k, item) in items.into_iter().enumerate() {
                l.b.ins().store(MEMORY, item, store, field(buffer::ELEMENTS + k));
            }
            let view = l.b.ins().iadd_imm_s(store, words as i64 * 8);
            let head = l.number(header(Type::View, 0));
            l.b.ins().store(MEMORY, head, view, field(0));
            let extent = l.number(n as u64);
            l.fill(view, &[store, extent]);
            view
        })
    }

    /// An empty buffer, if it is to be small.
    fn buffer(&mut self, pc: usize, arg: usize) -> Value {
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let n = l.word(arg);
            // Fixnum words are even; anything else, and a negative number, is too large.
            let tag = l.masked(n, 1);
            l.guard_not(tag, slow);
            let small =
                l.b.ins()
                    .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, n, Word::fixnum(64).0 as i64);
            l.guard(small, slow);
            let count = l.b.ins().ushr_imm_u(n, 1);
            let words = l.b.ins().iadd_imm_s(count, buffer::ELEMENTS as i64);
            let store = l.allocate_many(words, header(Type::Buffer, 0), slow);
            let zero = l.number(0);
            l.fill(store, &[zero, n]);
            store
        })
    }

    /// The list of the first elements of a buffer.
    fn buffer_list(&mut self, pc: usize, arg: usize) -> Value {
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let (store, n) = (l.word(arg), l.word(arg + 1));
            l.guard_type(store, Type::Buffer, slow);
            let tag = l.masked(n, 1);
            l.guard_not(tag, slow);
            let used = l.b.ins().load(I64, MEMORY, store, field(buffer::USED));
            let there = l.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, n, used);
            l.guard(there, slow);
            let view = l.allocate(3, header(Type::View, 0), slow);
            l.share(store);
            let extent = l.b.ins().ushr_imm_u(n, 1);
            l.fill(view, &[store, extent]);
            view
        })
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
