//! What is known of a slot's value: a set of kinds, and how an instruction changes what is known.
//!
//! `Types::step` is the one description of what code for an instruction establishes: the analysis
//! runs it to a fixed point over a piece, and the lowering runs it again behind each instruction
//! it has emitted. Whatever it claims, the emitted code has checked or left by a guard.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use std::collections::BTreeMap;
use sx_runtime::chunk::Const;
use sx_runtime::fault::{Fault, planted};
use sx_runtime::instance::feedback;
use sx_runtime::native::CompileJob;
use sx_runtime::object::Type;
use sx_runtime::object::pair::{CAR, CDR};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::prims::{self, Effect};
use sx_runtime::syntax::Node;
use sx_runtime::value::{FIXNUM_MAX, FIXNUM_MIN, Word};

/// A set of kinds of value.
pub type Kinds = u16;

/// The kinds.
#[allow(missing_docs)]
pub mod kind {
    use super::Kinds;
    pub const FIX: Kinds = 1;
    /// A float in the word.
    pub const FLONUM: Kinds = 2;
    /// A float on the heap.
    pub const BOXED_FLOAT: Kinds = 4;
    pub const FLOAT: Kinds = FLONUM | BOXED_FLOAT;
    pub const NIL: Kinds = 8;
    pub const BOOL: Kinds = 16;
    pub const PAIR: Kinds = 128;
    pub const VIEW: Kinds = 256;
    pub const VECTOR: Kinds = 512;
    pub const CLOSURE: Kinds = 1024;
    pub const BOX: Kinds = 2048;
    /// Any other object.
    pub const OBJECT: Kinds = 4096;
    pub const POINTER: Kinds = BOXED_FLOAT | PAIR | VIEW | VECTOR | CLOSURE | BOX | OBJECT;
    /// These and all other immediates.
    pub const ANY: Kinds = 8191;
}
use kind::*;

/// The kinds in words.
const KINDS: &[(Kinds, &str)] = &[
    (FIX, "integer"),
    (FLONUM, "float"),
    (BOXED_FLOAT, "heap float"),
    (NIL, "nil"),
    (BOOL, "boolean"),
    (PAIR, "pair"),
    (VIEW, "view"),
    (VECTOR, "vector"),
    (CLOSURE, "function"),
    (BOX, "box"),
    (OBJECT, "object"),
];

/// A set of kinds in words.
pub fn kinds_text(kinds: Kinds) -> String {
    if kinds & ANY == ANY {
        return "anything".into();
    }
    let names: Vec<&str> = KINDS.iter().filter(|row| kinds & row.0 != 0).map(|row| row.1).collect();
    match names.is_empty() {
        true => "nothing".into(),
        false => names.join(" or "),
    }
}

/// Comparisons, as both kinds of number do them.
#[allow(missing_docs)]
pub mod test {
    use super::{FloatCC, IntCC};
    pub type Test = (IntCC, FloatCC);
    pub const LESS: Test = (IntCC::SignedLessThan, FloatCC::LessThan);
    pub const LESS_EQUAL: Test = (IntCC::SignedLessThanOrEqual, FloatCC::LessThanOrEqual);
    pub const GREATER: Test = (IntCC::SignedGreaterThan, FloatCC::GreaterThan);
    pub const EQUAL: Test = (IntCC::Equal, FloatCC::Equal);
}
use test::{EQUAL, GREATER, LESS, Test};

/// Is the set not empty and within `of`?
pub fn only(kinds: Kinds, of: Kinds) -> bool {
    kinds != 0 && kinds & !of == 0
}

/// How arithmetic is done at an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arith {
    /// On fixnums; anything else leaves.
    Int,
    /// On floats, fixnums beside them converted; anything else leaves.
    Float,
    /// On fixnums here, on the rest by the primitive.
    Any,
}

/// What is known of each slot.
#[derive(Clone, PartialEq, Eq)]
pub struct Types(pub Vec<Kinds>);

impl Types {
    /// Nothing is known.
    pub fn unknown(slots: usize) -> Types {
        Types(vec![ANY; slots])
    }
    /// Nothing is possible: where a join begins.
    pub fn impossible(slots: usize) -> Types {
        Types(vec![0; slots])
    }
    /// What is known where both may hold; answers whether anything changed.
    pub fn join(&mut self, other: &Types) -> bool {
        let mut changed = false;
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            if planted(Fault::NativeJoinIgnored) && *a != 0 {
                continue;
            }
            changed |= *a | *b != *a;
            *a |= *b;
        }
        changed
    }
    /// A slot's.
    pub fn of(&self, slot: usize) -> Kinds {
        self.0[slot]
    }
    fn narrow(&mut self, slot: usize, to: Kinds) {
        let now = self.0[slot] & to;
        self.0[slot] = if now == 0 { to } else { now };
    }

    /// How the arithmetic of the instruction is done, given what is known.
    pub fn arith(&self, job: &Notes<'_>, pc: usize) -> Arith {
        let i = Instr(job.job.code[pc]);
        let (x, y) = match i.op() {
            Some(Op::AddI | Op::SubI) => (self.of(i.b()), FIX),
            Some(Op::Add | Op::Sub | Op::Mul | Op::Div) => (self.of(i.b()), self.of(i.c())),
            Some(Op::JumpLtI | Op::JumpNotLtI | Op::JumpGtI | Op::JumpNotGtI | Op::JumpNumEqI | Op::JumpNotNumEqI) => {
                (self.of(i.a()), FIX)
            }
            Some(Op::JumpLt | Op::JumpNotLt | Op::JumpLe | Op::JumpNotLe | Op::JumpNumEq | Op::JumpNotNumEq) => {
                (self.of(i.a()), self.of(i.b()))
            }
            _ => (self.of(i.b()), self.of(i.c())),
        };
        let noted = job.noted(pc);
        let number = FIX | FLOAT;
        if only(x, number) && only(y, number) && (only(x, FLOAT) || only(y, FLOAT)) {
            return Arith::Float;
        }
        if job.is_generic(pc) || noted & feedback::OTHER != 0 {
            return Arith::Any;
        }
        // Equality is asked of anything, and a jump has no feedback that says of what.
        let equality = matches!(i.op(), Some(Op::JumpNumEq | Op::JumpNotNumEq));
        if equality && !only(x, number) && !only(y, number) {
            return Arith::Any;
        }
        // On another way to this instruction there may have been floats.
        let fixnums = only(x, FIX) && only(y, FIX);
        if !fixnums && (only(x, FLOAT) || only(y, FLOAT) || noted & feedback::FLOAT != 0) {
            return Arith::Float;
        }
        if i.op() == Some(Op::Div) {
            Arith::Any
        } else {
            Arith::Int
        }
    }

    /// Behind the instruction at `pc`.
    pub fn step(&mut self, job: &Notes<'_>, pc: usize) {
        let i = Instr(job.job.code[pc]);
        let Some(op) = i.op() else { return };
        let result = match op {
            Op::Move => self.of(i.b()),
            Op::Const => constant_kinds(job.job.chunk.consts.get(i.bc() as usize)),
            Op::Int => FIX,
            Op::NewBox => BOX,
            Op::MakeClosure => CLOSURE,
            Op::Add | Op::Sub | Op::Mul | Op::Div => match self.arith(job, pc) {
                Arith::Int => {
                    self.narrow(i.b(), FIX);
                    self.narrow(i.c(), FIX);
                    FIX
                }
                Arith::Float => {
                    self.narrow_float(i.b(), i.c());
                    FLOAT
                }
                Arith::Any => ANY,
            },
            Op::AddI | Op::SubI => match self.arith(job, pc) {
                Arith::Int => {
                    self.narrow(i.b(), FIX);
                    FIX
                }
                Arith::Float => FLOAT,
                Arith::Any => ANY,
            },
            Op::Quotient | Op::Rem | Op::Mod => {
                if job.exact(pc) {
                    self.narrow(i.b(), FIX);
                    self.narrow(i.c(), FIX);
                    FIX
                } else {
                    ANY
                }
            }
            Op::JumpLt | Op::JumpNotLt | Op::JumpLe | Op::JumpNotLe | Op::JumpNumEq | Op::JumpNotNumEq => {
                match self.arith(job, pc) {
                    Arith::Int => {
                        self.narrow(i.a(), FIX);
                        self.narrow(i.b(), FIX);
                    }
                    Arith::Float => self.narrow_float(i.a(), i.b()),
                    Arith::Any => {}
                }
                return;
            }
            Op::JumpLtI | Op::JumpNotLtI | Op::JumpGtI | Op::JumpNotGtI | Op::JumpNumEqI | Op::JumpNotNumEqI => {
                if self.arith(job, pc) == Arith::Int {
                    self.narrow(i.a(), FIX);
                }
                return;
            }
            Op::Lt | Op::Le | Op::NumEq | Op::Eq | Op::Not | Op::IsNil | Op::IsEmpty => BOOL,
            Op::Cons => PAIR,
            Op::First | Op::Rest => {
                if job.pairs(pc) {
                    self.narrow(i.b(), PAIR);
                }
                ANY
            }
            Op::VectorRef | Op::VectorRefI => {
                if job.exact(pc) {
                    self.narrow(i.b(), VECTOR);
                    if op == Op::VectorRef {
                        self.narrow(i.c(), FIX);
                    }
                }
                ANY
            }
            Op::VectorSet | Op::VectorSetI => {
                if job.exact(pc) {
                    self.narrow(i.a(), VECTOR);
                    if op == Op::VectorSet {
                        self.narrow(i.b(), FIX);
                    }
                }
                return;
            }
            Op::CallPrim => {
                if job
                    .primitive(i)
                    .is_none_or(|p| matches!(p.effect, Effect::Writes | Effect::Any))
                {
                    self.forget_lists();
                }
                match (job.intrinsic(i), job.primitive(i).map(|p| p.result)) {
                    (Some(Intrinsic::Sqrt), _) if only(self.of(i.b() + 1), FLOAT) => FLOAT,
                    // Through a float, or a float through anything, is one or an error.
                    (Some(Intrinsic::Divide), _) if [1, 2].iter().any(|k| only(self.of(i.b() + k), FLOAT)) => FLOAT,
                    (Some(Intrinsic::List | Intrinsic::BufferList), _) => VIEW,
                    (Some(Intrinsic::Pairs), _) => PAIR,
                    (_, Some(prims::Type::Bool)) => BOOL,
                    (_, Some(prims::Type::Index)) => FIX,
                    _ => ANY,
                }
            }
            _ => match i.def() {
                Some(_) => job.returns.get(&pc).copied().unwrap_or(ANY),
                None => return,
            },
        };
        if let Some(d) = i.def() {
            self.0[d] = result;
        }
    }

    /// Both are numbers, and at least one is a float.
    fn narrow_float(&mut self, x: usize, y: usize) {
        if only(self.of(x), FLOAT) {
            self.narrow(y, FLOAT | FIX);
        } else if only(self.of(y), FLOAT) {
            self.narrow(x, FLOAT | FIX);
        } else {
            // A known fixnum is converted.
            let fixnum = [x, y].map(|slot| only(self.of(slot), FIX));
            for (slot, fixnum) in [x, y].into_iter().zip(fixnum) {
                if !fixnum {
                    self.narrow(slot, FLOAT);
                }
            }
        }
    }

    /// Behind a call of anything.
    pub fn call(&mut self, i: Instr) {
        self.forget_lists();
        if let Some(d) = i.def() {
            self.0[d] = ANY;
        }
    }

    /// A pair may have become a view, and the other way round.
    fn forget_lists(&mut self) {
        for kinds in &mut self.0 {
            if *kinds & (PAIR | VIEW) != 0 && !planted(Fault::NativeListsRemembered) {
                *kinds |= PAIR | VIEW;
            }
        }
    }
}

/// The kinds of a constant.
pub fn constant_kinds(constant: Option<&Const>) -> Kinds {
    match constant {
        Some(Const::Datum(datum)) => match &datum.node {
            Node::Int(i) if (FIXNUM_MIN..=FIXNUM_MAX).contains(i) => FIX,
            Node::Float(f) if Word::flonum(*f).is_some() => FLONUM,
            Node::Float(_) => BOXED_FLOAT,
            Node::Nil => NIL,
            Node::Bool(_) => BOOL,
            _ => ANY,
        },
        _ => ANY,
    }
}

/// A primitive with code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intrinsic {
    Sqrt,
    /// Is it an object of one of these types, or one of these words?
    Is(&'static [Type], &'static [Word]),
    IsNumber,
    /// Only of closures: what else can be called is for the primitive.
    IsCallable,
    VectorLength,
    /// Code points of a string.
    StringLength,
    StringRef,
    Len,
    TailLen,
    List,
    /// Scheme's `list`: a chain of pairs.
    Pairs,
    Buffer,
    BufferSnoc,
    BufferList,
    /// Of a member whose block of the set is there.
    IntSetAdd,
    IntSetHas,
    IntMapRef,
    /// Scheme's: the part of a pair at the end of a path of fields.
    Part(&'static [usize]),
    /// Scheme's: a store into a part of a pair.
    SetPart(usize),
    /// Scheme's `pair?`, else `null?`.
    IsPair(bool),
    /// Scheme's `=` of two numbers.
    NumbersEqual,
    /// How a number compares with 0.
    Sign(Test),
    /// How two characters compare.
    Chars(IntCC),
    /// Scheme's `/` of two numbers.
    Divide,
}

/// The code changes nothing that a program sees, or it writes: only what changes nothing may be part of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Look,
    Write,
}
use Does::{Look, Write};

/// Name, number of arguments (`None`: one to `MOST_ITEMS`), the code, what it does.
const INTRINSICS: &[(&str, Option<usize>, Intrinsic, Does)] = &[
    ("sqrt", Some(1), Intrinsic::Sqrt, Look),
    ("%pair?", Some(1), Intrinsic::Is(&[Type::Pair], &[]), Look),
    (
        "list?",
        Some(1),
        Intrinsic::Is(&[Type::Pair, Type::View], &[Word::EMPTY]),
        Look,
    ),
    (
        "string?",
        Some(1),
        Intrinsic::Is(&[Type::String, Type::Text], &[]),
        Look,
    ),
    ("symbol?", Some(1), Intrinsic::Is(&[Type::Symbol], &[]), Look),
    (
        "boolean?",
        Some(1),
        Intrinsic::Is(&[], &[Word::TRUE, Word::FALSE]),
        Look,
    ),
    ("vector?", Some(1), Intrinsic::Is(&[Type::Vector], &[]), Look),
    ("lambda?", Some(1), Intrinsic::Is(&[Type::Closure], &[]), Look),
    ("number?", Some(1), Intrinsic::IsNumber, Look),
    ("callable?", Some(1), Intrinsic::IsCallable, Look),
    ("vector-length", Some(1), Intrinsic::VectorLength, Look),
    ("string-length", Some(1), Intrinsic::StringLength, Look),
    ("string-ref", Some(2), Intrinsic::StringRef, Look),
    ("len", Some(1), Intrinsic::Len, Look),
    ("%tail-len", Some(1), Intrinsic::TailLen, Look),
    ("list", None, Intrinsic::List, Look),
    ("%buffer", Some(1), Intrinsic::Buffer, Look),
    ("%buffer-snoc", Some(3), Intrinsic::BufferSnoc, Write),
    ("%buffer->list", Some(2), Intrinsic::BufferList, Write),
    ("int-set-add!", Some(2), Intrinsic::IntSetAdd, Write),
    ("int-set-member?", Some(2), Intrinsic::IntSetHas, Look),
    ("int-map-ref", Some(3), Intrinsic::IntMapRef, Look),
    ("%scheme:list", None, Intrinsic::Pairs, Look),
    ("%scheme:car", Some(1), Intrinsic::Part(&[CAR]), Look),
    ("%scheme:cdr", Some(1), Intrinsic::Part(&[CDR]), Look),
    ("%scheme:caar", Some(1), Intrinsic::Part(&[CAR, CAR]), Look),
    ("%scheme:cadr", Some(1), Intrinsic::Part(&[CDR, CAR]), Look),
    ("%scheme:cdar", Some(1), Intrinsic::Part(&[CAR, CDR]), Look),
    ("%scheme:cddr", Some(1), Intrinsic::Part(&[CDR, CDR]), Look),
    ("%scheme:caddr", Some(1), Intrinsic::Part(&[CDR, CDR, CAR]), Look),
    ("%scheme:cdddr", Some(1), Intrinsic::Part(&[CDR, CDR, CDR]), Look),
    ("%scheme:cadddr", Some(1), Intrinsic::Part(&[CDR, CDR, CDR, CAR]), Look),
    ("%scheme:set-car!", Some(2), Intrinsic::SetPart(CAR), Write),
    ("%scheme:set-cdr!", Some(2), Intrinsic::SetPart(CDR), Write),
    ("%scheme:pair?", Some(1), Intrinsic::IsPair(true), Look),
    ("%scheme:null?", Some(1), Intrinsic::IsPair(false), Look),
    ("%scheme:=", Some(2), Intrinsic::NumbersEqual, Look),
    ("%scheme:/", Some(2), Intrinsic::Divide, Look),
    ("zero?", Some(1), Intrinsic::Sign(EQUAL), Look),
    ("positive?", Some(1), Intrinsic::Sign(GREATER), Look),
    ("negative?", Some(1), Intrinsic::Sign(LESS), Look),
    ("char=?", Some(2), Intrinsic::Chars(IntCC::Equal), Look),
    ("char<?", Some(2), Intrinsic::Chars(IntCC::UnsignedLessThan), Look),
    ("char>?", Some(2), Intrinsic::Chars(IntCC::UnsignedGreaterThan), Look),
    (
        "char<=?",
        Some(2),
        Intrinsic::Chars(IntCC::UnsignedLessThanOrEqual),
        Look,
    ),
    (
        "char>=?",
        Some(2),
        Intrinsic::Chars(IntCC::UnsignedGreaterThanOrEqual),
        Look,
    ),
];

/// Items of a list that is made in native code, at most.
const MOST_ITEMS: usize = 8;

/// What the job says of its instructions.
pub struct Notes<'j> {
    /// The job.
    pub job: &'j CompileJob,
    /// What calls answer whose callee is part of the code.
    pub returns: BTreeMap<usize, Kinds>,
}

impl Notes<'_> {
    /// The feedback bits of an instruction that has some.
    pub fn noted(&self, pc: usize) -> u64 {
        let i = Instr(self.job.code[pc]);
        match i.op() {
            Some(
                Op::Add
                | Op::Sub
                | Op::Mul
                | Op::Div
                | Op::AddI
                | Op::SubI
                | Op::Quotient
                | Op::Rem
                | Op::Mod
                | Op::Cons
                | Op::First
                | Op::Rest
                | Op::Nth
                | Op::VectorRef
                | Op::VectorRefI
                | Op::VectorSet
                | Op::VectorSetI
                | Op::IsEmpty
                | Op::Lt
                | Op::Le
                | Op::NumEq,
            ) => i.d() as u64,
            _ => 0,
        }
    }
    /// Slots that held floats where the function became hot at `pc`, and that are looked at there: the
    /// first instruction or a loop head.
    pub fn floats(&self, pc: usize) -> &[u16] {
        let row = self.job.floats.iter().find(|row| row.0 == pc as u32);
        match row {
            Some((_, slots)) if !self.is_generic(pc) => slots,
            _ => &[],
        }
    }
    /// Has this instruction left too often?
    pub fn is_generic(&self, pc: usize) -> bool {
        self.job.generic.contains(&(pc as u32))
    }
    /// Is only the common case of the instruction compiled?
    pub fn exact(&self, pc: usize) -> bool {
        !self.is_generic(pc) && self.noted(pc) & feedback::OTHER == 0
    }
    /// Does the list instruction meet pairs only?
    pub fn pairs(&self, pc: usize) -> bool {
        self.exact(pc) && self.noted(pc) & feedback::VIEW == 0
    }
    /// Has the primitive of a `CallPrim` code of its own, which changes nothing a program sees?
    pub fn is_pure_intrinsic(&self, i: Instr) -> bool {
        self.intrinsic_row(i).is_some_and(|(_, does)| does == Look)
    }
    /// Has the primitive of a `CallPrim` code of its own?
    pub fn intrinsic(&self, i: Instr) -> Option<Intrinsic> {
        self.intrinsic_row(i).map(|(intrinsic, _)| intrinsic)
    }
    fn intrinsic_row(&self, i: Instr) -> Option<(Intrinsic, Does)> {
        let name = self.primitive(i)?.name;
        let takes = |n: Option<usize>| n.map_or((1..=MOST_ITEMS).contains(&i.d()), |n| n == i.d());
        let row = INTRINSICS.iter().find(|row| row.0 == name && takes(row.1));
        row.map(|row| (row.2, row.3))
    }
    /// The primitive of a `CallPrim`.
    pub fn primitive(&self, i: Instr) -> Option<&'static prims::Prim> {
        match self.job.chunk.consts.get(i.c()) {
            Some(Const::Prim(name)) => prims::by_name(name).map(prims::get),
            _ => None,
        }
    }
}
