//! Scheme's primitives that have code of their own: parts of pairs, tests, comparisons. Lists that
//! SX made in one piece, numbers that are no fixnums and whatever is an error are the primitive's.

use super::{Lower, MEMORY, field};
use crate::types::kind::{FIX, FLOAT, PAIR};
use crate::types::only;
use crate::types::test::Test;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};
use sx_runtime::native::Helper;
use sx_runtime::object::{Type, header};
use sx_runtime::ops::Instr;
use sx_runtime::value::{TAG_POINTER, Word};

/// A pair in memory.
const PAIR_WORDS: usize = 3;

/// Which of two numbers are floats for sure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Floats {
    Both,
    One,
    Unknown,
}

impl Lower<'_, '_> {
    /// The part of a pair that a path of fields leads to.
    pub(super) fn part_of_pair(&mut self, pc: usize, arg: usize, path: &[usize]) -> Value {
        let known = only(self.kinds(arg), PAIR);
        self.unless_sure(known && path.len() == 1, pc, |l, slow| {
            let mut word = l.word(arg);
            for (n, part) in path.iter().enumerate() {
                if let Some(slow) = slow
                    && !(known && n == 0)
                {
                    l.guard_type(word, Type::Pair, slow);
                }
                word = l.b.ins().load(I64, MEMORY, word, field(*part));
            }
            word
        })
    }

    /// Is it a pair (`wants_pair`), or the empty list? A view may be either.
    pub(super) fn is_pair_or_null(&mut self, pc: usize, arg: usize, wants_pair: bool) -> Value {
        if only(self.kinds(arg), PAIR) {
            return self.number(Word::bool(wants_pair).0);
        }
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let word = l.word(arg);
            let (yes, no) = (l.number(Word::TRUE.0), l.number(Word::FALSE.0));
            let immediate = match wants_pair {
                true => no,
                false => {
                    let empty = l.same(word, Word::EMPTY.0);
                    l.b.ins().select(empty, yes, no)
                }
            };
            let (object, done) = (l.b.create_block(), l.b.create_block());
            l.b.append_block_param(done, I64);
            let tag = l.masked(word, 7);
            let pointer = l.same(tag, TAG_POINTER);
            l.b.ins()
                .brif(pointer, object, &[], done, &[BlockArg::Value(immediate)]);
            l.b.switch_to_block(object);
            let head = l.b.ins().load(I64, MEMORY, word, field(0));
            let byte = l.masked(head, 0xff);
            let is_view = l.same(byte, header(Type::View, 0) & 0xff);
            l.guard_not(is_view, slow);
            let answer = match wants_pair {
                true => {
                    let is_pair = l.same(byte, header(Type::Pair, 0) & 0xff);
                    l.b.ins().select(is_pair, yes, no)
                }
                false => no,
            };
            l.b.ins().jump(done, &[BlockArg::Value(answer)]);
            l.b.switch_to_block(done);
            l.b.block_params(done)[0]
        })
    }

    /// A chain of pairs of these items, made in one piece.
    pub(super) fn pairs(&mut self, pc: usize, arg: usize, n: usize) -> Value {
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let items: Vec<Value> = (arg..arg + n).map(|slot| l.word(slot)).collect();
            let first = l.allocate(PAIR_WORDS * n, header(Type::Pair, 0), slow);
            let (head, end) = (l.number(header(Type::Pair, 0)), l.number(Word::EMPTY.0));
            let mut pair = first;
            for (k, item) in items.into_iter().enumerate() {
                if k > 0 {
                    l.b.ins().store(MEMORY, head, pair, field(0));
                }
                let next = match k + 1 < n {
                    true => l.b.ins().iadd_imm_s(pair, PAIR_WORDS as i64 * 8),
                    false => end,
                };
                l.fill(pair, &[item, next]);
                pair = next;
            }
            first
        })
    }

    /// Stores into a pair.
    pub(super) fn set_part(&mut self, pc: usize, arg: usize, part: usize) -> Value {
        let known = only(self.kinds(arg), PAIR);
        self.unless_sure(known, pc, |l, slow| {
            let pair = l.word(arg);
            if let Some(slow) = slow {
                l.guard_type(pair, Type::Pair, slow);
            }
            l.store_field(pair, part, arg + 1);
            l.number(Word::NIL.0)
        })
    }

    /// `=` of two numbers.
    pub(super) fn numbers_equal(&mut self, pc: usize, i: Instr) {
        let slots = [i.b() + 1, i.b() + 2];
        let holds = match self.floats_beside_numbers(slots) {
            Floats::Both => {
                let [a, b] = slots.map(|slot| self.known_double(slot));
                self.b.ins().fcmp(FloatCC::Equal, a, b)
            }
            Floats::One => {
                let word = self.or_slowly(pc, Helper::Primitive, |l, slow| {
                    let [a, b] = slots.map(|slot| l.number_in(slot, slow));
                    let equal = l.b.ins().fcmp(FloatCC::Equal, a, b);
                    l.truth(equal)
                });
                return self.set_word(i.a(), word);
            }
            Floats::Unknown => {
                let sure = slots.iter().all(|slot| only(self.kinds(*slot), FIX));
                let word = self.unless_sure(sure, pc, |l, slow| {
                    let [a, b] = slots.map(|slot| l.fixnum(slot, slow));
                    let equal = l.b.ins().icmp(IntCC::Equal, a, b);
                    l.truth(equal)
                });
                return self.set_word(i.a(), word);
            }
        };
        self.set_bool(i.a(), holds);
    }

    /// How a number compares with 0.
    pub(super) fn sign_is(&mut self, pc: usize, i: Instr, test: Test) {
        let arg = i.b() + 1;
        if only(self.kinds(arg), FLOAT) {
            let (n, zero) = (self.known_double(arg), self.b.ins().f64const(0.0));
            let holds = self.b.ins().fcmp(test.1, n, zero);
            return self.set_bool(i.a(), holds);
        }
        let word = self.unless_sure(only(self.kinds(arg), FIX), pc, |l, slow| {
            let (n, zero) = (l.fixnum(arg, slow), l.number(0));
            let holds = l.b.ins().icmp(test.0, n, zero);
            l.truth(holds)
        });
        self.set_word(i.a(), word);
    }

    /// How two characters compare, which their words do as well.
    pub(super) fn chars_compare(&mut self, pc: usize, arg: usize, test: IntCC) -> Value {
        self.or_slowly(pc, Helper::Primitive, |l, slow| {
            let (a, b) = (l.word(arg), l.word(arg + 1));
            for word in [a, b] {
                let low = l.masked(word, 0xff);
                let is_char = l.same(low, Word::char('\0').0);
                l.guard(is_char, slow);
            }
            let holds = l.b.ins().icmp(test, a, b);
            l.truth(holds)
        })
    }

    /// The quotient of two numbers of which one is a float; of exact numbers it is the primitive's.
    pub(super) fn divide(&mut self, pc: usize, i: Instr) {
        let slots = [i.b() + 1, i.b() + 2];
        let floats = self.floats_beside_numbers(slots);
        if floats == Floats::Both {
            let [a, b] = slots.map(|slot| self.known_double(slot));
            let quotient = self.b.ins().fdiv(a, b);
            return self.set_double(i.a(), quotient);
        }
        let word = self.or_slowly(pc, Helper::Primitive, |l, slow| {
            if floats == Floats::Unknown {
                let [a, b] = slots.map(|slot| l.word(slot));
                let either = l.b.ins().bor(a, b);
                let inexact = l.masked(either, 1);
                l.guard(inexact, slow);
            }
            let [a, b] = slots.map(|slot| l.number_in(slot, slow));
            let quotient = l.b.ins().fdiv(a, b);
            l.boxed(quotient)
        });
        self.set_word(i.a(), word);
    }

    /// Which of two slots hold floats for sure. The doubles of those are known afterwards, so that
    /// nothing changes where only one way goes.
    fn floats_beside_numbers(&mut self, slots: [usize; 2]) -> Floats {
        let floats = slots.map(|slot| only(self.kinds(slot), FLOAT));
        for slot in slots
            .into_iter()
            .zip(floats)
            .filter(|(_, is)| *is)
            .map(|(slot, _)| slot)
        {
            self.known_double(slot);
        }
        match floats {
            [true, true] => Floats::Both,
            [false, false] => Floats::Unknown,
            _ => Floats::One,
        }
    }

    /// `fast` with a block to leave to where the primitive does it, or without one where it is sure
    /// that `fast` can.
    fn unless_sure(&mut self, sure: bool, pc: usize, fast: impl FnOnce(&mut Self, Option<Block>) -> Value) -> Value {
        match sure {
            true => fast(self, None),
            false => self.or_slowly(pc, Helper::Primitive, |l, slow| fast(l, Some(slow))),
        }
    }

    fn fixnum(&mut self, slot: usize, slow: Option<Block>) -> Value {
        let word = self.word(slot);
        if let Some(slow) = slow
            && !only(self.kinds(slot), FIX)
        {
            let tag = self.masked(word, 1);
            self.guard_not(tag, slow);
        }
        word
    }

    /// The boolean of a condition.
    fn truth(&mut self, condition: Value) -> Value {
        let (yes, no) = (self.number(Word::TRUE.0), self.number(Word::FALSE.0));
        self.b.ins().select(condition, yes, no)
    }
}
