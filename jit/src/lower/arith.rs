//! Arithmetic and comparisons.

use super::{Lower, field};
use crate::types::kind::{FIX, FLOAT};
use crate::types::test::{EQUAL, GREATER, LESS, LESS_EQUAL, Test};
use crate::types::{Arith, only};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::F64;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};
use sx_runtime::fault::{Fault, planted};
use sx_runtime::native::Helper;
use sx_runtime::object::{self, Type, header};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::value::{TAG_POINTER, Word};

/// The comparison of a jump, and whether it is taken when that holds.
fn test_of(op: Op) -> Option<(Test, bool)> {
    Some(match op {
        Op::JumpLt | Op::JumpLtI => (LESS, true),
        Op::JumpNotLt | Op::JumpNotLtI => (LESS, false),
        Op::JumpLe => (LESS_EQUAL, true),
        Op::JumpNotLe => (LESS_EQUAL, false),
        Op::JumpGtI => (GREATER, true),
        Op::JumpNotGtI => (GREATER, false),
        Op::JumpNumEq | Op::JumpNumEqI => (EQUAL, true),
        Op::JumpNotNumEq | Op::JumpNotNumEqI => (EQUAL, false),
        _ => return None,
    })
}

/// An operand: a slot or a small integer.
#[derive(Clone, Copy)]
enum Operand {
    Slot(usize),
    Small(i64),
}
use Operand::{Slot, Small};

impl Lower<'_, '_> {
    /// Emits an arithmetic instruction. A jump ends the block; the answer says so. What is none of
    /// ours is left alone.
    pub(super) fn arithmetic(&mut self, pc: usize, i: Instr, op: Op) -> bool {
        match op {
            Op::Add | Op::Sub | Op::Mul | Op::Div => self.binary(pc, i, op, Slot(i.b()), Slot(i.c())),
            Op::AddI => self.binary(pc, i, Op::Add, Slot(i.b()), Small(i.imm_c())),
            Op::SubI => self.binary(pc, i, Op::Sub, Slot(i.b()), Small(i.imm_c())),
            Op::Quotient | Op::Rem | Op::Mod => self.division(pc, i, op),
            Op::Lt => self.comparison(pc, i, LESS),
            Op::Le => self.comparison(pc, i, LESS_EQUAL),
            Op::NumEq => self.comparison(pc, i, EQUAL),
            _ => {
                let Some((test, wanted)) = test_of(op) else {
                    return false;
                };
                let small = matches!(
                    op,
                    Op::JumpLtI | Op::JumpNotLtI | Op::JumpGtI | Op::JumpNotGtI | Op::JumpNumEqI | Op::JumpNotNumEqI
                );
                let second = if small { Small(i.imm_b()) } else { Slot(i.b()) };
                let holds = self.compared(pc, test, Slot(i.a()), second);
                self.jump_if(pc, i, holds, wanted);
                return true;
            }
        }
        false
    }

    /// The word of an operand.
    fn operand(&mut self, x: Operand) -> Value {
        match x {
            Slot(slot) => self.word(slot),
            Small(n) => self.number(Word::fixnum(n).0),
        }
    }

    fn is_fix(&self, x: Operand) -> bool {
        match x {
            Slot(slot) => only(self.kinds(slot), FIX),
            Small(_) => true,
        }
    }

    fn is_float(&self, x: Operand) -> bool {
        matches!(x, Slot(slot) if only(self.kinds(slot), FLOAT))
    }

    /// Both words, which are fixnums or `way` is taken.
    fn fixnums(&mut self, x: Operand, y: Operand, way: Block) -> (Value, Value) {
        let (a, b) = (self.operand(x), self.operand(y));
        let tags = match (self.is_fix(x), self.is_fix(y)) {
            (true, true) => return (a, b),
            (false, true) => a,
            (true, false) => b,
            (false, false) => self.b.ins().bor(a, b),
        };
        let tag = self.masked(tags, 1);
        if !planted(Fault::NativeTagUnchecked) {
            self.guard_not(tag, way);
        }
        (a, b)
    }

    fn binary(&mut self, pc: usize, i: Instr, op: Op, x: Operand, y: Operand) {
        match self.state.types.arith(&self.f.notes, pc) {
            Arith::Int => {
                let way = self.way_out(pc);
                let (a, b) = self.fixnums(x, y, way);
                let word = self.fixnum_op(op, a, (y, b), way);
                self.set_word(i.a(), word);
            }
            Arith::Float => {
                let way = self.way_out(pc);
                let (a, b) = self.doubles_of(x, y, way);
                if op == Op::Div && !self.is_float(y) {
                    // By the fixnum 0 is for the primitive.
                    let word = self.operand(y);
                    let zero = self.same(word, 0);
                    self.guard_not(zero, way);
                }
                let double = match op {
                    Op::Add => self.b.ins().fadd(a, b),
                    Op::Sub => self.b.ins().fsub(a, b),
                    Op::Mul => self.b.ins().fmul(a, b),
                    _ => self.b.ins().fdiv(a, b),
                };
                self.set_double(i.a(), double);
            }
            Arith::Any if op == Op::Div || self.is_float(x) || self.is_float(y) => {
                let word = self.safepoint(Helper::Slow, pc);
                self.set_word(i.a(), word);
            }
            Arith::Any => {
                let word = self.or_slowly(pc, Helper::Slow, |l, slow| {
                    let (a, b) = l.fixnums(x, y, slow);
                    l.fixnum_op(op, a, (y, b), slow)
                });
                self.set_word(i.a(), word);
            }
        }
    }

    /// The operation on two fixnum words, the second that of `y`; what overflows takes `way`.
    fn fixnum_op(&mut self, op: Op, a: Value, (y, b): (Operand, Value), way: Block) -> Value {
        if let (Op::Add | Op::Sub, Small(n)) = (op, y)
            && n != 0
        {
            // One way only a result can lie, unless it has overflowed: a comparison, and no flag.
            let (word, grows) = match op {
                Op::Add => (self.b.ins().iadd(a, b), n > 0),
                _ => (self.b.ins().isub(a, b), n < 0),
            };
            let side = match grows {
                true => IntCC::SignedGreaterThan,
                false => IntCC::SignedLessThan,
            };
            let holds = self.b.ins().icmp(side, word, a);
            if !planted(Fault::NativeOverflowUnchecked) {
                self.guard(holds, way);
            }
            return word;
        }
        let (word, overflow) = match op {
            Op::Add => self.b.ins().sadd_overflow(a, b),
            Op::Sub => self.b.ins().ssub_overflow(a, b),
            _ => {
                let a = self.b.ins().sshr_imm_u(a, 1);
                self.b.ins().smul_overflow(a, b)
            }
        };
        if !planted(Fault::NativeOverflowUnchecked) {
            self.guard_not(overflow, way);
        }
        word
    }

    fn division(&mut self, pc: usize, i: Instr, op: Op) {
        let (x, y) = (Slot(i.b()), Slot(i.c()));
        if self.f.notes.exact(pc) {
            let way = self.way_out(pc);
            let word = self.divided(op, x, y, way);
            self.set_word(i.a(), word);
        } else {
            let word = self.or_slowly(pc, Helper::Slow, |l, slow| l.divided(op, x, y, slow));
            self.set_word(i.a(), word);
        }
    }

    fn divided(&mut self, op: Op, x: Operand, y: Operand, way: Block) -> Value {
        let (a, b) = self.fixnums(x, y, way);
        let zero = self.same(b, 0);
        if !planted(Fault::NativeZeroUnchecked) {
            self.guard_not(zero, way);
        }
        // Words of fixnums are twice their numbers, so remainders of words are words.
        match op {
            Op::Quotient => {
                // Only the smallest fixnum by -1 does not fit.
                let minus_one = self.same(b, Word::fixnum(-1).0);
                self.guard_not(minus_one, way);
                let q = self.b.ins().sdiv(a, b);
                self.b.ins().ishl_imm_u(q, 1)
            }
            _ => {
                let r = self.b.ins().srem(a, b);
                if op == Op::Rem || planted(Fault::NativeModSign) {
                    return r;
                }
                let zero = self.number(0);
                let some = self.b.ins().icmp(IntCC::NotEqual, r, zero);
                let signs = self.b.ins().bxor(r, b);
                let differ = self.b.ins().icmp(IntCC::SignedLessThan, signs, zero);
                let adjust = self.b.ins().band(some, differ);
                let sum = self.b.ins().iadd(r, b);
                self.b.ins().select(adjust, sum, r)
            }
        }
    }

    fn comparison(&mut self, pc: usize, i: Instr, test: Test) {
        let holds = self.compared(pc, test, Slot(i.b()), Slot(i.c()));
        self.set_bool(i.a(), holds);
    }

    /// Does the comparison hold?
    fn compared(&mut self, pc: usize, test: Test, x: Operand, y: Operand) -> Value {
        match self.state.types.arith(&self.f.notes, pc) {
            Arith::Int => {
                let way = self.way_out(pc);
                let (a, b) = self.fixnums(x, y, way);
                self.b.ins().icmp(test.0, a, b)
            }
            Arith::Float => {
                let way = self.way_out(pc);
                let (a, b) = self.doubles_of(x, y, way);
                self.b.ins().fcmp(test.1, a, b)
            }
            Arith::Any => {
                let word = self.or_slowly(pc, Helper::Slow, |l, slow| {
                    let (a, b) = l.fixnums(x, y, slow);
                    let holds = l.b.ins().icmp(test.0, a, b);
                    let (yes, no) = (l.number(Word::TRUE.0), l.number(Word::FALSE.0));
                    l.b.ins().select(holds, yes, no)
                });
                self.same(word, Word::TRUE.0)
            }
        }
    }

    /// The double in a slot, which holds a float or `way` is taken.
    pub(super) fn float_in(&mut self, slot: usize, way: Block) -> Value {
        self.double_of(Slot(slot), false, way)
    }

    /// The double of the number in a slot, a float or a fixnum; anything else takes `way`.
    pub(super) fn number_in(&mut self, slot: usize, way: Block) -> Value {
        self.double_of(Slot(slot), true, way)
    }

    /// Both operands as doubles: at least one is a float, the other may be a fixnum that a double
    /// holds; anything else takes `way`.
    fn doubles_of(&mut self, x: Operand, y: Operand, way: Block) -> (Value, Value) {
        if self.is_float(x) || self.is_float(y) {
            let a = self.double_of(x, true, way);
            return (a, self.double_of(y, true, way));
        }
        let a = self.double_of(x, false, way);
        (a, self.double_of(y, false, way))
    }

    fn double_of(&mut self, x: Operand, fixnum_too: bool, way: Block) -> Value {
        let slot = match x {
            Small(n) => return self.b.ins().f64const(n as f64),
            Slot(slot) => slot,
        };
        if self.state.slots[slot].has_double() || self.is_float(x) {
            return self.known_double(slot);
        }
        let word = self.word(slot);
        if self.is_fix(x) {
            return self.converted(word, way);
        }
        let tag = self.masked(word, 3);
        let immediate = self.same(tag, 1);
        let (fast, other, done) = (self.b.create_block(), self.cold_block(), self.b.create_block());
        self.b.append_block_param(done, F64);
        self.b.ins().brif(immediate, fast, &[], other, &[]);
        self.b.switch_to_block(fast);
        let double = self.unboxed(word);
        self.b.ins().jump(done, &[BlockArg::Value(double)]);
        self.b.switch_to_block(other);
        if fixnum_too {
            let tag = self.masked(word, 1);
            let (fix, heap) = (self.b.create_block(), self.b.create_block());
            self.b.ins().brif(tag, heap, &[], fix, &[]);
            self.b.switch_to_block(fix);
            let double = self.converted(word, way);
            self.b.ins().jump(done, &[BlockArg::Value(double)]);
            self.b.switch_to_block(heap);
        }
        self.guard_type(word, Type::Flonum, way);
        let double = self.b.ins().load(F64, super::MEMORY, word, field(object::flonum::BITS));
        self.b.ins().jump(done, &[BlockArg::Value(double)]);
        self.b.switch_to_block(done);
        let double = self.b.block_params(done)[0];
        if !fixnum_too {
            self.add_twin(slot, double);
        }
        double
    }

    /// A fixnum as a double, if it has one that is exact.
    fn converted(&mut self, word: Value, way: Block) -> Value {
        const LARGEST: u64 = 1 << 54;
        let largest = self.number(LARGEST);
        let shifted = self.b.ins().iadd(word, largest);
        let range = self.number(2 * LARGEST);
        let exact = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, shifted, range);
        self.guard(exact, way);
        let n = self.b.ins().sshr_imm_u(word, 1);
        self.b.ins().fcvt_from_sint(F64, n)
    }

    /// Is the word a pointer to an object of this type? Otherwise `way` is taken.
    pub(super) fn guard_type(&mut self, word: Value, ty: Type, way: Block) {
        self.force(way);
        self.jump_unless_type(word, ty, way);
    }

    /// The same where `to` does something else, so that it is no guard.
    pub(super) fn jump_unless_type(&mut self, word: Value, ty: Type, to: Block) {
        let tag = self.masked(word, 7);
        let pointer = self.same(tag, TAG_POINTER);
        self.jump_unless(pointer, to);
        let head = self
            .b
            .ins()
            .load(cranelift_codegen::ir::types::I64, super::MEMORY, word, field(0));
        let byte = self.masked(head, 0xff);
        let is = self.same(byte, header(ty, 0) & 0xff);
        if !planted(Fault::NativeGuardDropped) {
            self.jump_unless(is, to);
        }
    }
}
