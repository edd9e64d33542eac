//! Calls, tests, and primitives compiled as instructions.
//!
//! A program may redefine any primitive at any time, even while a function that uses it runs. So
//! every instruction that stands for a primitive has its ordinary call at the end of the function
//! ("cold"); redefinition rewrites the instruction into a jump there. An instruction `CallPrim`
//! has the layout of a call already and is rewritten in place.

use super::analysis::called_in_place;
use super::function::{Cold, ColdArg, ColdThen, Function, Place};
use super::{CompileError, Compiler, Done, Goal, limit};
use crate::control;
use crate::core::{Core, CoreNode, Lambda};
use sx_runtime::chunk::Inlined;
use sx_runtime::fault::{Fault, planted};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::syntax::{Name, Node, Span, Stx, Syntax};

/// Primitives with an instruction: name, instruction, and its form with a small integer as second
/// operand.
const INSTRUCTIONS: &[(&str, usize, Op, Option<Op>)] = &[
    ("+", 2, Op::Add, Some(Op::AddI)),
    ("-", 2, Op::Sub, Some(Op::SubI)),
    ("*", 2, Op::Mul, None),
    ("/", 2, Op::Div, None),
    ("quotient", 2, Op::Quotient, None),
    ("rem", 2, Op::Rem, None),
    ("mod", 2, Op::Mod, None),
    ("<", 2, Op::Lt, None),
    ("<=", 2, Op::Le, None),
    ("=", 2, Op::NumEq, None),
    ("eq?", 2, Op::Eq, None),
    ("not", 1, Op::Not, None),
    ("nil?", 1, Op::IsNil, None),
    ("empty?", 1, Op::IsEmpty, None),
    ("cons", 2, Op::Cons, None),
    ("first", 1, Op::First, None),
    ("rest", 1, Op::Rest, None),
    ("vector-ref", 2, Op::VectorRef, Some(Op::VectorRefI)),
    ("vector-set!", 3, Op::VectorSet, Some(Op::VectorSetI)),
    ("nth", 2, Op::Nth, None),
    ("get", 2, Op::Get, None),
];

/// Primitives with a test-and-jump: name, operands, swap them?, jump if true, jump if false, and
/// the same with a small integer last.
type Test = (&'static str, usize, bool, Op, Op, Option<(Op, Op)>);
const TESTS: &[Test] = &[
    (
        "<",
        2,
        false,
        Op::JumpLt,
        Op::JumpNotLt,
        Some((Op::JumpLtI, Op::JumpNotLtI)),
    ),
    ("<=", 2, false, Op::JumpLe, Op::JumpNotLe, None),
    (
        ">",
        2,
        true,
        Op::JumpLt,
        Op::JumpNotLt,
        Some((Op::JumpGtI, Op::JumpNotGtI)),
    ),
    (">=", 2, true, Op::JumpLe, Op::JumpNotLe, None),
    (
        "=",
        2,
        false,
        Op::JumpNumEq,
        Op::JumpNotNumEq,
        Some((Op::JumpNumEqI, Op::JumpNotNumEqI)),
    ),
    ("eq?", 2, false, Op::JumpEq, Op::JumpNotEq, None),
    ("empty?", 1, false, Op::JumpEmpty, Op::JumpNotEmpty, None),
    ("nil?", 1, false, Op::JumpNil, Op::JumpNotNil, None),
];

/// Is this the name of a test that is done with its operands the other way round: `(> a b)` as `(< b a)`?
pub fn is_turned_round(name: &str) -> bool {
    TESTS.iter().any(|test| test.2 && test.0 == name)
}

/// The instruction of the test that does such a test's work.
fn turned_op(name: &str) -> Option<Op> {
    let turned = TESTS.iter().find(|test| test.2 && test.0 == name)?;
    let straight = TESTS.iter().find(|test| !test.2 && test.3 == turned.3)?;
    let row = INSTRUCTIONS.iter().find(|row| row.0 == straight.0)?;
    Some(row.2)
}

/// Primitives that fold from the left when they have more than two operands.
const FOLDS: &[&str] = &["+", "-", "*"];

/// Core functions that come back to their caller late or never: errors show the place of the call.
const RAISERS: &[&str] = &[
    "error",
    "raise",
    "raise-continuable",
    "perform",
    "assert",
    "%match-failed",
];

/// The most arguments of a primitive's instruction.
const IN_ONE_PRIMITIVE: usize = u8::MAX as usize;

/// The most arguments that stand in a frame when a call is made.
const IN_ONE_WINDOW: usize = 4096;

/// The primitives by which more of them become one list, whatever the program makes of their names.
const LIST: &str = "%list";
const APPEND: &str = "%append";

/// The constant that marks a variable without a value.
pub(super) fn unbound_marker(span: &Span) -> Stx {
    Syntax::new(Node::Value(0), span.clone())
}

fn small_int(core: &Core) -> Option<i16> {
    match &core.node {
        CoreNode::Const(datum) => match datum.node {
            Node::Int(i) => i16::try_from(i).ok(),
            _ => None,
        },
        _ => None,
    }
}

impl Compiler<'_> {
    pub(super) fn call(&mut self, core: &Core, callee: &Core, args: &[Core], goal: Goal) -> Done {
        let span = &core.span;
        match &callee.node {
            CoreNode::Local(var) => {
                if let Place::Loop(row) = self.place(var)? {
                    return self.loop_call(row, args, span);
                }
            }
            CoreNode::Lambda(lambda) if called_in_place(lambda, args) => {
                return self.call_in_place(lambda, args, goal);
            }
            CoreNode::Global(name) => {
                if self.options.core
                    && let Some(op) = control::find(name, args.len())
                {
                    return self.control(op, args, goal, span);
                }
                if self.primitive(name, args, goal, span)? || self.element(name, args, goal, span)? {
                    return Ok(());
                }
            }
            _ => {}
        }
        self.ordinary_call(callee, args, goal, span)
    }

    fn call_in_place(&mut self, lambda: &Lambda, args: &[Core], goal: Goal) -> Done {
        let mark = self.f().next;
        let mut slots = vec![];
        for (param, arg) in lambda.params.iter().zip(args) {
            let slot = self.f().alloc(&arg.span)?;
            match &arg.node {
                CoreNode::Lambda(inner) => self.lambda(inner, slot, Some(&param.0.name), &arg.span)?,
                _ => self.into(arg, slot)?,
            }
            slots.push(slot);
        }
        for (param, slot) in lambda.params.iter().zip(slots) {
            self.home(param, slot, &lambda.body.span);
        }
        self.expr(&lambda.body, goal)?;
        self.f().end_scope(mark);
        Ok(())
    }

    /// Evaluates `args` into the window at `base`.
    fn window_args(&mut self, args: &[Core]) -> Done {
        for arg in args {
            let t = self.f().alloc(&arg.span)?;
            self.into(arg, t)?;
        }
        Ok(())
    }

    fn ordinary_call(&mut self, callee: &Core, args: &[Core], goal: Goal, span: &Span) -> Done {
        if goal == Goal::Return && self.keeps_frame(callee) {
            return self.with_temp(span, |c, t| {
                c.ordinary_call(callee, args, Goal::Slot(t), span)?;
                c.f().emit(Instr::abc(Op::Return, t, 0, 0), span);
                Ok(())
            });
        }
        if args.len() > IN_ONE_WINDOW {
            return self.long_call(callee, args, goal, span);
        }
        let mark = self.f().next;
        let base = self.f().open_window(span)?;
        let argc = args.len() as u16;
        // The operator is evaluated first; a global is looked up by the call itself, after the
        // arguments, where a short encoding exists.
        let global = match &callee.node {
            CoreNode::Global(name) if args.len() < 256 => u16::try_from(self.f().global(name)).ok(),
            _ => None,
        };
        if global.is_none() {
            self.into(callee, base)?;
        }
        self.window_args(args)?;
        let instr = match (goal, global) {
            (Goal::Return, Some(k)) => Instr::abcd(Op::TailCallGlobal, 0, base, k, argc as u8),
            (Goal::Return, None) => Instr::abcd(Op::TailCall, 0, base, argc, self.f().feedback_cell()),
            (Goal::Slot(slot), Some(k)) => Instr::abcd(Op::CallGlobal, slot, base, k, argc as u8),
            (Goal::Slot(slot), None) => Instr::abcd(Op::Call, slot, base, argc, self.f().feedback_cell()),
        };
        if global.is_some() {
            self.f().mark_operator(&callee.span);
        }
        self.f().emit(instr, span);
        self.f().next = mark;
        Ok(())
    }

    /// A call with more arguments than a frame should hold: they are put into lists on their way, and
    /// the operator is applied to all of them.
    fn long_call(&mut self, callee: &Core, args: &[Core], goal: Goal, span: &Span) -> Done {
        let mark = self.f().next;
        let base = self.f().open_window(span)?;
        let operator = self.f().alloc(span)?;
        self.into(callee, operator)?;
        let operands = self.f().alloc(span)?;
        self.list_of_parts(args, operands, span)?;
        self.finish_control(control::Control::Apply, base, 2, goal, span);
        self.f().next = mark;
        Ok(())
    }

    /// Makes a list of many values in a slot: of lists of so many as a primitive takes.
    fn list_of_parts(&mut self, values: &[Core], slot: u16, span: &Span) -> Done {
        let mark = self.f().next;
        let base = self.f().open_window(span)?;
        let parts = values.chunks(IN_ONE_PRIMITIVE);
        let count = u8::try_from(parts.len()).map_err(|_| limit("expression too large: too many arguments", span))?;
        for part in parts {
            let t = self.f().alloc(span)?;
            let inner = self.f().next;
            self.call_prim(&LIST.into(), part, t, span)?;
            self.f().next = inner;
        }
        self.call_prim_on(&APPEND.into(), base, count, slot, span)?;
        self.f().next = mark;
        Ok(())
    }

    /// Does a call in tail position keep the frame of its caller, so that an error can say where
    /// it was? A program's top-level form does, and so does a call of what leaves by raising.
    fn keeps_frame(&self, callee: &Core) -> bool {
        let raises = match &callee.node {
            CoreNode::Global(name) => RAISERS.contains(&&**name) && self.env.means_core(name),
            _ => false,
        };
        self.is_top_level() || raises && !self.options.core
    }

    /// Is this a program's top-level form, outside of functions?
    fn is_top_level(&self) -> bool {
        self.functions.len() == 1 && !self.options.core
    }

    fn control(&mut self, op: control::Control, args: &[Core], goal: Goal, span: &Span) -> Done {
        let mark = self.f().next;
        let base = self.f().open_window(span)?;
        self.window_args(args)?;
        self.finish_control(op, base, args.len() as u8, goal, span);
        self.f().next = mark;
        Ok(())
    }

    /// Emits a control operation on the `argc` arguments in the window at `base`.
    fn finish_control(&mut self, op: control::Control, base: u16, argc: u8, goal: Goal, span: &Span) {
        let number = op as u16;
        let instr = match goal {
            Goal::Slot(slot) => Instr::abcd(Op::Control, slot, base, number, argc),
            Goal::Return => Instr::abcd(Op::TailControl, 0, base, number, argc),
        };
        self.f().emit(instr, span);
    }

    /// Compiles a call of a global that is a primitive; answers whether it was one.
    fn primitive(&mut self, name: &Name, args: &[Core], goal: Goal, span: &Span) -> Result<bool, CompileError> {
        if args.len() > IN_ONE_PRIMITIVE || !self.env.is_primitive(name, args.len()) {
            return Ok(false);
        }
        self.value_for(goal, span, |c, slot| c.primitive_into(name, args, slot, span))?;
        Ok(true)
    }

    /// Does what makes a value in a slot, and returns the value if that is the goal.
    fn value_for(&mut self, goal: Goal, span: &Span, make: impl FnOnce(&mut Self, u16) -> Done) -> Done {
        match goal {
            Goal::Slot(slot) => make(self, slot),
            Goal::Return => self.with_temp(span, |c, t| {
                make(c, t)?;
                if !c.is_top_level() {
                    c.cold_returns(t);
                }
                c.f().emit(Instr::abc(Op::Return, t, 0, 0), span);
                Ok(())
            }),
        }
    }

    /// The function is about to return the slot. If an instruction that stands for a primitive has
    /// just put the value there, its ordinary call is one in tail position.
    fn cold_returns(&mut self, slot: u16) {
        let pc = self.f().pc();
        if let Some(cold) = self.f().cold.last_mut()
            && cold.back == pc
            && matches!(cold.then, ColdThen::Into(into) if into == slot)
        {
            cold.then = ColdThen::Return;
        }
        if pc > 0
            && let last = self.f().instr(pc - 1)
            && last.op() == Some(Op::CallPrim)
            && last.a() == usize::from(slot)
            && let Some(inlined) = self.f().inlined.last_mut()
            && inlined.pc as usize == pc - 1
        {
            inlined.is_tail = true;
        }
    }

    /// Compiles a call of a global that is bound to nothing and is the name of a tag: a list that
    /// begins with the tag. Answers whether it was one.
    fn element(&mut self, name: &Name, args: &[Core], goal: Goal, span: &Span) -> Result<bool, CompileError> {
        const ARGS_MAX: usize = 254;
        let Some(tag) = self.env.element(name).filter(|_| args.len() <= ARGS_MAX) else {
            return Ok(false);
        };
        self.value_for(goal, span, |c, slot| c.element_into(tag, name, args, slot, span))?;
        Ok(true)
    }

    fn element_into(&mut self, tag: &str, name: &Name, args: &[Core], slot: u16, span: &Span) -> Done {
        let mark = self.f().next;
        let base = self.f().open_window(span)?;
        let head = self.f().alloc(span)?;
        let k = self.f().datum(&Syntax::new(Node::Sym(tag.into()), span.clone()));
        self.f().emit(Instr::wide(Op::Const, head, k), span);
        self.window_args(args)?;
        // Once the name means a procedure, keys are texts, as in any call.
        let mut cold = Vec::with_capacity(args.len());
        for (arg, at) in args.iter().zip(head + 1..) {
            cold.push(match &arg.node {
                CoreNode::Const(datum) => match &datum.node {
                    Node::Keyword(key) => {
                        let text = Syntax::new(Node::Str(key.clone()), arg.span.clone());
                        ColdArg::Const(self.f().datum(&text))
                    }
                    _ => ColdArg::Slot(at),
                },
                _ => ColdArg::Slot(at),
            });
        }
        let list = u16::try_from(self.f().prim(&"list".into())).map_err(|_| limit("too many constants", span))?;
        let instr = Instr::abcd(Op::CallPrim, slot, base, list, args.len() as u8 + 1);
        self.inlined(name, instr, &cold, ColdThen::Into(slot), span)?;
        self.f().next = mark;
        Ok(())
    }

    fn primitive_into(&mut self, name: &Name, args: &[Core], slot: u16, span: &Span) -> Done {
        let mark = self.f().next;
        let own = own_name(name);
        if own == "vector-set!" && args.len() == 3 {
            self.vector_set(name, args, slot, span)?;
        } else if let Some(row) = INSTRUCTIONS.iter().find(|r| r.0 == own && r.1 == args.len())
            && (row.2 != Op::Get || self.f().has_feedback_cell())
        {
            self.instruction(name, row.2, row.3, args, slot, span)?;
        } else if args.len() > 2 && FOLDS.contains(&own) {
            self.fold(name, args, slot, span)?;
        } else if let (Some(op), [a, b]) = (turned_op(own), args) {
            let (x, y) = (self.operand(a)?, self.operand(b)?);
            let cold = [ColdArg::Slot(x), ColdArg::Slot(y)];
            self.inlined(name, Instr::abc(op, slot, y, x), &cold, ColdThen::Into(slot), span)?;
        } else {
            self.call_prim(name, args, slot, span)?;
        }
        self.f().next = mark;
        Ok(())
    }

    /// `(vector-set! v i x)`: its value, `nil`, is made apart, and only if somebody wants it.
    fn vector_set(&mut self, name: &Name, args: &[Core], slot: u16, span: &Span) -> Done {
        let v = self.operand(&args[0])?;
        let int = small_int(&args[1]);
        let i = match int {
            Some(i) => i as u16,
            None => self.operand(&args[1])?,
        };
        let x = self.operand(&args[2])?;
        let (op, index) = match int {
            Some(i) => (Op::VectorSetI, ColdArg::Int(i as i32)),
            None => (Op::VectorSet, ColdArg::Slot(i)),
        };
        let cold = [ColdArg::Slot(v), index, ColdArg::Slot(x)];
        self.inlined(name, Instr::abc(op, v, i, x), &cold, ColdThen::Into(slot), span)?;
        if self.f().discarded != Some(slot) {
            let k = self.f().datum(&Syntax::new(Node::Nil, span.clone()));
            self.f().emit(Instr::wide(Op::Const, slot, k), span);
            self.cold_ends_here();
        }
        Ok(())
    }

    fn instruction(
        &mut self,
        name: &Name,
        op: Op,
        with_int: Option<Op>,
        args: &[Core],
        slot: u16,
        span: &Span,
    ) -> Done {
        if let (Some(op), [a, b]) = (with_int, args)
            && let Some(i) = small_int(b)
        {
            let x = self.operand(a)?;
            let cold = [ColdArg::Slot(x), ColdArg::Int(i as i32)];
            return self.inlined(
                name,
                Instr::abc(op, slot, x, i as u16),
                &cold,
                ColdThen::Into(slot),
                span,
            );
        }
        let mut s = [0u16; 3];
        for (i, arg) in args.iter().enumerate() {
            s[i] = match op {
                Op::Get => self.key_operand(arg)?,
                _ => self.operand(arg)?,
            };
        }
        let cold: Vec<ColdArg> = s[..args.len()].iter().map(|s| ColdArg::Slot(*s)).collect();
        let cell = match op {
            Op::Get => self.f().feedback_cell(),
            _ => 0,
        };
        let instr = Instr::abcd(op, slot, s[0], s[1], cell);
        self.inlined(name, instr, &cold, ColdThen::Into(slot), span)
    }

    /// A slot that holds the value of `core`; a string that stands there is interned, so that the
    /// instruction knows it again in the shape of a dict.
    fn key_operand(&mut self, core: &Core) -> Result<u16, CompileError> {
        let CoreNode::Const(datum) = &core.node else {
            return self.operand(core);
        };
        let Node::Str(text) = &datum.node else {
            return self.operand(core);
        };
        let slot = self.f().alloc(&core.span)?;
        let k = self.f().key(text);
        self.f().emit(Instr::wide(Op::Const, slot, k), &core.span);
        Ok(slot)
    }

    /// `(+ a b c)` as `(+ (+ a b) c)`; its ordinary call is one call, from the first instruction.
    fn fold(&mut self, name: &Name, args: &[Core], slot: u16, span: &Span) -> Done {
        let Some(row) = INSTRUCTIONS.iter().find(|r| r.0 == own_name(name)) else {
            return Ok(());
        };
        let t = self.f().alloc(span)?;
        let mut slots = vec![];
        for arg in args {
            slots.push(self.operand(arg)?);
        }
        let cold: Vec<ColdArg> = slots.iter().map(|s| ColdArg::Slot(*s)).collect();
        self.inlined(
            name,
            Instr::abc(row.2, t, slots[0], slots[1]),
            &cold,
            ColdThen::Into(slot),
            span,
        )?;
        for (i, s) in slots.iter().enumerate().skip(2) {
            let to = if i + 1 == slots.len() { slot } else { t };
            self.f().emit(Instr::abc(row.2, to, t, *s), span);
        }
        self.cold_ends_here();
        Ok(())
    }

    fn call_prim(&mut self, name: &Name, args: &[Core], slot: u16, span: &Span) -> Done {
        let base = self.f().open_window(span)?;
        self.window_args(args)?;
        self.call_prim_on(name, base, args.len() as u8, slot, span)
    }

    /// Emits the call of a primitive on the `argc` arguments in the window at `base`.
    fn call_prim_on(&mut self, name: &Name, base: u16, argc: u8, slot: u16, span: &Span) -> Done {
        let (prim, cell) = (self.f().prim(name), self.f().global(name));
        let (Ok(prim), Ok(cell)) = (u16::try_from(prim), u16::try_from(cell)) else {
            return Err(limit(
                "expression too large: a function has more than 65536 constants",
                span,
            ));
        };
        let pc = self.f().pc() as u32;
        self.f().inlined.push(Inlined {
            pc,
            cell,
            cold: None,
            is_tail: false,
        });
        self.f().emit(Instr::abcd(Op::CallPrim, slot, base, prim, argc), span);
        Ok(())
    }

    /// Emits an instruction that stands for a primitive, and notes its ordinary call.
    fn inlined(&mut self, name: &Name, instr: Instr, args: &[ColdArg], then: ColdThen, span: &Span) -> Done {
        let mark = self.f().next;
        let base = self.f().open_window(span)?;
        for _ in args {
            self.f().alloc(span)?;
        }
        self.f().next = mark;
        let pc = self.f().pc();
        self.f().emit(instr, span);
        let cold = Cold {
            pc,
            name: name.clone(),
            base,
            args: args.to_vec(),
            then,
            back: pc + 1,
            span: span.clone(),
        };
        self.f().cold.push(cold);
        Ok(())
    }

    fn cold_ends_here(&mut self) {
        let pc = self.f().pc();
        if let Some(cold) = self.f().cold.last_mut() {
            cold.back = pc;
        }
    }

    /// Emits the ordinary calls of a finished function.
    pub(super) fn finish_cold(&mut self, f: &mut Function, span: &Span) -> Done {
        for cold in std::mem::take(&mut f.cold) {
            let start = f.pc() as u32;
            for (i, arg) in cold.args.iter().enumerate() {
                let at = if planted(Fault::ColdSwapped) {
                    cold.args.len() - 1 - i
                } else {
                    i
                };
                let to = cold.base + 1 + at as u16;
                f.emit(
                    match arg {
                        ColdArg::Slot(s) => Instr::abc(Op::Move, to, *s, 0),
                        ColdArg::Int(i) => Instr::wide(Op::Int, to, *i),
                        ColdArg::Const(k) => Instr::wide(Op::Const, to, *k),
                    },
                    &cold.span,
                );
            }
            let cell = u16::try_from(f.global(&cold.name))
                .map_err(|_| limit("expression too large: a function has more than 65536 constants", span))?;
            let (op, result) = match cold.then {
                ColdThen::Into(slot) => (Op::CallGlobal, slot),
                ColdThen::Return => (Op::TailCallGlobal, 0),
                ColdThen::JumpIf(_) | ColdThen::JumpIfNot(_) => (Op::CallGlobal, cold.base),
            };
            let argc = cold.args.len() as u8;
            f.emit(Instr::abcd(op, result, cold.base, cell, argc), &cold.span);
            let truth = match cold.then {
                ColdThen::Into(_) | ColdThen::Return => None,
                ColdThen::JumpIf(truth) => Some(truth),
                ColdThen::JumpIfNot(truth) => {
                    let not = u16::try_from(f.global(&"not".into())).map_err(|_| limit("too many constants", span))?;
                    f.emit(Instr::abc(Op::Move, cold.base + 1, cold.base, 0), &cold.span);
                    f.emit(Instr::abcd(Op::CallGlobal, result, cold.base, not, 1), &cold.span);
                    f.inlined.push(Inlined {
                        pc: cold.pc as u32,
                        cell: not,
                        cold: Some(start),
                        is_tail: false,
                    });
                    Some(truth)
                }
            };
            if let Some(truth) = truth {
                let op = if truth { Op::JumpIfTrue } else { Op::JumpIfFalse };
                let target = f
                    .instr(cold.pc)
                    .target(cold.pc)
                    .ok_or_else(|| limit("a test without a target", span))?;
                f.emit(Instr::wide(op, result, 0), &cold.span);
                f.aim(f.pc() - 1, target, span)?;
            }
            if op == Op::CallGlobal {
                let back = f.jump(&cold.span);
                f.aim(back, cold.back, span)?;
            }
            f.inlined.push(Inlined {
                pc: cold.pc as u32,
                cell,
                cold: Some(start),
                is_tail: false,
            });
        }
        f.inlined.sort_by_key(|i| i.pc);
        Ok(())
    }

    /// Emits jumps taken if the truth of `core` is `truth`; answers where they are.
    pub(super) fn test(&mut self, core: &Core, truth: bool) -> Result<Vec<usize>, CompileError> {
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || self.test_here(core, truth))
    }

    fn test_here(&mut self, core: &Core, truth: bool) -> Result<Vec<usize>, CompileError> {
        match &core.node {
            CoreNode::Const(datum) => {
                let is_true = !matches!(datum.node, Node::Nil | Node::Bool(false));
                return Ok(if is_true == truth {
                    vec![self.f().jump(&core.span)]
                } else {
                    vec![]
                });
            }
            CoreNode::If(a, b, c) if is_false(c) => return self.test_and(a, b, truth),
            CoreNode::If(a, b, c) if is_true(b) => return self.test_or(a, c, truth),
            CoreNode::Let(var, init, body) => {
                if let Some(other) = as_or(var, body) {
                    return self.test_or(init, other, truth);
                }
                if let Some(other) = as_and(var, body) {
                    return self.test_and(init, other, truth);
                }
            }
            CoreNode::Call(callee, args) => {
                if let CoreNode::Global(name) = &callee.node
                    && self.env.is_primitive(name, args.len())
                {
                    if let ("not", [arg]) = (&**name, &args[..]) {
                        if self.options.core {
                            return self.test(arg, !truth);
                        }
                        if let Some((inner, row, inner_args)) = self.as_test(arg) {
                            return self.fused_test(inner, row, inner_args, !truth, Some(truth), &arg.span);
                        }
                    }
                    if let Some((name, row, args)) = self.as_test(core) {
                        return self.fused_test(name, row, args, truth, None, &core.span);
                    }
                }
            }
            _ => {}
        }
        let mark = self.f().next;
        let s = self.operand(core)?;
        let op = if truth { Op::JumpIfTrue } else { Op::JumpIfFalse };
        self.f().emit(Instr::wide(op, s, 0), &core.span);
        self.f().next = mark;
        Ok(vec![self.f().pc() - 1])
    }

    /// The parts of a call of a primitive that has a test-and-jump.
    fn as_test<'c>(&self, core: &'c Core) -> Option<(&'c Name, &'static Test, &'c [Core])> {
        let CoreNode::Call(callee, args) = &core.node else {
            return None;
        };
        let CoreNode::Global(name) = &callee.node else {
            return None;
        };
        let row = TESTS.iter().find(|r| r.0 == own_name(name) && r.1 == args.len())?;
        self.env.is_primitive(name, args.len()).then_some((name, row, args))
    }

    fn test_and(&mut self, a: &Core, b: &Core, truth: bool) -> Result<Vec<usize>, CompileError> {
        let mut out = self.test(a, false)?;
        if truth {
            let both = self.test(b, true)?;
            self.f().land_all(out, &b.span)?;
            return Ok(both);
        }
        out.extend(self.test(b, false)?);
        Ok(out)
    }

    fn test_or(&mut self, a: &Core, b: &Core, truth: bool) -> Result<Vec<usize>, CompileError> {
        let mut out = self.test(a, true)?;
        if truth {
            out.extend(self.test(b, true)?);
            return Ok(out);
        }
        let neither = self.test(b, false)?;
        self.f().land_all(out, &b.span)?;
        Ok(neither)
    }

    fn fused_test(
        &mut self,
        name: &Name,
        row: &Test,
        args: &[Core],
        truth: bool,
        negated: Option<bool>,
        span: &Span,
    ) -> Result<Vec<usize>, CompileError> {
        let &(_, _, swap, if_true, if_false, with_int) = row;
        let pick = |t: Op, f: Op| if truth { t } else { f };
        let mark = self.f().next;
        let a = self.operand(&args[0])?;
        let int = args
            .get(1)
            .and_then(small_int)
            .and_then(|i| with_int.map(|ops| (i, ops)));
        let (instr, cold) = match (args.get(1), int) {
            (None, _) => (Instr::abc(pick(if_true, if_false), a, 0, 0), vec![ColdArg::Slot(a)]),
            (_, Some((i, (t, f)))) => (
                Instr::abc(pick(t, f), a, i as u16, 0),
                vec![ColdArg::Slot(a), ColdArg::Int(i as i32)],
            ),
            (Some(second), None) => {
                let b = self.operand(second)?;
                let (x, y) = if swap { (b, a) } else { (a, b) };
                (
                    Instr::abc(pick(if_true, if_false), x, y, 0),
                    vec![ColdArg::Slot(a), ColdArg::Slot(b)],
                )
            }
        };
        let then = negated.map_or(ColdThen::JumpIf(truth), ColdThen::JumpIfNot);
        self.inlined(name, instr, &cold, then, span)?;
        self.f().next = mark;
        Ok(vec![self.f().pc() - 1])
    }
}

/// The name that the row of a primitive begins with: `mod` for `modulo`, `eq?` for `%eq?`.
fn own_name(name: &str) -> &str {
    sx_runtime::prims::by_name(name).map_or(name, |id| sx_runtime::prims::get(id).name)
}

fn is_true(core: &Core) -> bool {
    matches!(&core.node, CoreNode::Const(d) if !matches!(d.node, Node::Bool(false) | Node::Nil))
}

fn is_false(core: &Core) -> bool {
    matches!(&core.node, CoreNode::Const(d) if matches!(d.node, Node::Bool(false) | Node::Nil))
}

/// `(let ((t a)) (if t t b))` is what `or` expands to: answers `b`.
fn as_or<'c>(var: &crate::core::Var, body: &'c Core) -> Option<&'c Core> {
    let is_var = |c: &Core| matches!(&c.node, CoreNode::Local(v) if v.id() == var.id());
    match &body.node {
        CoreNode::If(a, b, other) if is_var(a) && is_var(b) => Some(other),
        _ => None,
    }
}

/// `(let ((t a)) (if t b t))` is what `and` expands to: answers `b`.
fn as_and<'c>(var: &crate::core::Var, body: &'c Core) -> Option<&'c Core> {
    let is_var = |c: &Core| matches!(&c.node, CoreNode::Local(v) if v.id() == var.id());
    match &body.node {
        CoreNode::If(a, other, c) if is_var(a) && is_var(c) => Some(other),
        _ => None,
    }
}

/// The instruction a primitive's slow path is looked up for: primitive name by opcode.
pub fn slow_primitive(op: Op) -> Option<&'static str> {
    let swapped = INSTRUCTIONS.iter().find(|r| r.2 == op || r.3 == Some(op)).map(|r| r.0);
    swapped.or_else(|| {
        let names = |t: &&Test| t.3 == op || t.4 == op || t.5.is_some_and(|(a, b)| a == op || b == op);
        TESTS.iter().find(names).map(|t| t.0)
    })
}
