//! Core forms to bytecode, one pass and an analysis before it.
//!
//! A function's variables live in slots; temporaries stack above them; a call's window stacks
//! above those, one slot apart for the site word. A variable that is both assigned and captured
//! lives in a box. A local function that is only ever called in tail position of its own
//! scope becomes a loop: its parameters are slots, its calls are jumps.
//!
//! Invariant: a variable in a slot never changes but for the parameters of a loop, at its head.

pub use calls::{is_turned_round, slow_primitive};

mod analysis;
mod calls;
mod function;
mod letrec;

use crate::core::{Core, CoreNode, Lambda, Var};
use analysis::Analysis;
use function::{Function, Place};
use std::sync::Arc;
use sx_runtime::chunk::Chunk;
use sx_runtime::fault::{Fault, planted};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::syntax::{Name, Node, Span};

/// A program that cannot be compiled: a limit of the machine was met.
#[derive(Debug, Clone)]
pub struct CompileError {
    /// What and how much.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// What the compiler asks about the isolate it compiles for.
pub trait CompileEnv {
    /// Is the global `name` still the primitive of the table, and does it take `argc` arguments?
    fn is_primitive(&self, name: &str, argc: usize) -> bool;
    /// The tag of the element that a call of the global `name` makes, if it makes one.
    fn element<'n>(&self, name: &'n str) -> Option<&'n str>;
    /// Is the global `name` still what the core library defines?
    fn means_core(&self, name: &str) -> bool;
}

/// How to compile.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// The text is part of the core library.
    pub core: bool,
}

/// What a backtrace calls the code of a top-level form.
const TOP_LEVEL: &str = "top level";

/// Compiles a top-level form to a chunk without parameters.
pub fn compile(core: &Core, env: &dyn CompileEnv, options: Options) -> Result<Arc<Chunk>, CompileError> {
    let analysis = Analysis::of(core);
    let mut compiler = Compiler {
        env,
        options,
        analysis,
        functions: vec![Function::new(TOP_LEVEL.into(), None)],
    };
    // Not a tail call: the frame stays, so that an error in the call has a place.
    compiler.with_temp(&core.span, |c, value| {
        c.into(core, value)?;
        c.f().emit(Instr::abc(Op::Return, value, 0, 0), &core.span);
        Ok(())
    })?;
    let mut function = compiler
        .functions
        .pop()
        .ok_or_else(|| limit("no function", &core.span))?;
    compiler.finish_cold(&mut function, &core.span)?;
    function.into_chunk(&[], None, options.core, &core.span).map(Arc::new)
}

fn limit(message: &str, span: &Span) -> CompileError {
    CompileError {
        message: message.into(),
        span: span.clone(),
    }
}

/// Where the value of an expression goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Goal {
    /// It is the function's value.
    Return,
    /// Into a slot.
    Slot(u16),
}

struct Compiler<'e> {
    env: &'e dyn CompileEnv,
    options: Options,
    analysis: Analysis,
    /// The functions being compiled, outermost first.
    functions: Vec<Function>,
}

type Done = Result<(), CompileError>;

impl Compiler<'_> {
    fn f(&mut self) -> &mut Function {
        let last = self.functions.len() - 1;
        &mut self.functions[last]
    }

    /// Compiles `core` as the function's value.
    fn tail(&mut self, core: &Core) -> Done {
        self.expr(core, Goal::Return)
    }

    /// Compiles `core` into `slot`.
    fn into(&mut self, core: &Core, slot: u16) -> Done {
        self.expr(core, Goal::Slot(slot))
    }

    /// Compiles `core` into `slot`, whose value is wanted here even if not by who asked.
    fn wanted_into(&mut self, core: &Core, slot: u16) -> Done {
        let outer = self.f().discarded.take();
        self.into(core, slot)?;
        self.f().discarded = outer;
        Ok(())
    }

    /// Compiles `core` for its effect.
    fn effect(&mut self, core: &Core) -> Done {
        match &core.node {
            CoreNode::Const(_) | CoreNode::Lambda(_) => Ok(()),
            _ => self.with_temp(&core.span, |c, t| {
                let outer = c.f().discarded.replace(t);
                c.into(core, t)?;
                c.f().discarded = outer;
                Ok(())
            }),
        }
    }

    /// Runs `body` with a fresh temporary, released afterwards.
    fn with_temp<T>(
        &mut self,
        span: &Span,
        body: impl FnOnce(&mut Self, u16) -> Result<T, CompileError>,
    ) -> Result<T, CompileError> {
        let mark = self.f().next;
        let t = self.f().alloc(span)?;
        let result = body(self, t)?;
        self.f().next = mark;
        Ok(result)
    }

    /// A slot that holds the value of `core`: a variable's own, or a fresh temporary.
    fn operand(&mut self, core: &Core) -> Result<u16, CompileError> {
        if let CoreNode::Local(var) = &core.node
            && let Place::Slot(slot) = self.place(var)?
        {
            return Ok(slot);
        }
        if let CoreNode::Const(datum) = &core.node
            && let Node::Float(x) = datum.node
            && let Some(slot) = self.f().loop_constant(x)
        {
            return Ok(slot);
        }
        let t = self.f().alloc(&core.span)?;
        self.into(core, t)?;
        Ok(t)
    }

    fn expr(&mut self, core: &Core, goal: Goal) -> Done {
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || self.expr_here(core, goal))
    }

    fn expr_here(&mut self, core: &Core, goal: Goal) -> Done {
        match &core.node {
            CoreNode::If(test, then, other) => self.if_expr(test, then, other, goal),
            CoreNode::Seq(items) => self.seq(items, goal),
            CoreNode::Let(var, init, body) => self.let_expr(var, init, body, goal),
            CoreNode::Letrec(bindings, body) => self.letrec(bindings, body, goal),
            CoreNode::Call(callee, args) => self.call(core, callee, args, goal),
            _ => match goal {
                Goal::Slot(slot) => self.simple(core, slot),
                Goal::Return => {
                    let mark = self.f().next;
                    let slot = self.operand(core)?;
                    self.f().emit(Instr::abc(Op::Return, slot, 0, 0), &core.span);
                    self.f().next = mark;
                    Ok(())
                }
            },
        }
    }

    /// The forms whose value is made without further control flow, into `slot`.
    fn simple(&mut self, core: &Core, slot: u16) -> Done {
        match &core.node {
            CoreNode::Const(datum) => {
                if let Node::Int(i) = datum.node
                    && let Ok(small) = i32::try_from(i)
                {
                    self.f().emit(Instr::wide(Op::Int, slot, small), &core.span);
                    return Ok(());
                }
                let k = self.f().datum(datum);
                self.f().emit(Instr::wide(Op::Const, slot, k), &core.span);
                Ok(())
            }
            CoreNode::Local(var) => self.read(var, slot, &core.span),
            CoreNode::Global(name) => {
                if self.options.core
                    && let Some(kind) = crate::control::mark_number(name)
                {
                    self.f().emit(Instr::wide(Op::Int, slot, kind as i32), &core.span);
                    return Ok(());
                }
                let k = self.f().global(name);
                self.f().emit(Instr::wide(Op::GetGlobal, slot, k), &core.span);
                Ok(())
            }
            CoreNode::SetLocal(var, value) => self.assign(var, value, slot, &core.span),
            CoreNode::SetGlobal(name, value) => self.global_store(Op::SetGlobal, name, value, slot, &core.span),
            CoreNode::Define(name, value) => self.global_store(Op::DefGlobal, name, value, slot, &core.span),
            CoreNode::Lambda(lambda) => self.lambda(lambda, slot, None, &core.span),
            _ => Err(limit("malformed core form", &core.span)),
        }
    }

    fn global_store(&mut self, op: Op, name: &Name, value: &Core, slot: u16, span: &Span) -> Done {
        self.wanted_into(value, slot)?;
        let k = self.f().global(name);
        self.f().emit(Instr::wide(op, slot, k), span);
        Ok(())
    }

    fn read(&mut self, var: &Var, slot: u16, span: &Span) -> Done {
        let place = self.place(var)?;
        let f = self.f();
        match place {
            Place::Slot(s) => {
                if s != slot {
                    f.emit(Instr::abc(Op::Move, slot, s, 0), span);
                }
            }
            Place::Boxed(s, _) => f.emit(Instr::abc(Op::GetBox, slot, s, 0), span),
            Place::Captured(i) => f.emit(Instr::wide(Op::Captured, slot, i as i32), span),
            Place::CapturedBox(i, _) => {
                f.emit(Instr::wide(Op::Captured, slot, i as i32), span);
                f.emit(Instr::abc(Op::GetBox, slot, slot, 0), span);
            }
            Place::Loop(_) => return Err(limit("a loop used as a value", span)),
        }
        if matches!(place, Place::Boxed(_, true) | Place::CapturedBox(_, true)) {
            let k = self.f().name_const(&var.0.name, span);
            self.f().emit(Instr::wide(Op::CheckBound, slot, k), span);
        }
        Ok(())
    }

    fn assign(&mut self, var: &Var, value: &Core, slot: u16, span: &Span) -> Done {
        self.wanted_into(value, slot)?;
        match self.place(var)? {
            Place::Boxed(s, _) => {
                self.f().emit(Instr::abc(Op::SetBox, s, slot, 0), span);
                Ok(())
            }
            Place::CapturedBox(i, _) => self.with_temp(span, |c, t| {
                c.f().emit(Instr::wide(Op::Captured, t, i as i32), span);
                c.f().emit(Instr::abc(Op::SetBox, t, slot, 0), span);
                Ok(())
            }),
            Place::Slot(_) | Place::Captured(_) | Place::Loop(_) => {
                Err(limit("assignment to an immutable variable", span))
            }
        }
    }

    fn if_expr(&mut self, test: &Core, then: &Core, other: &Core, goal: Goal) -> Done {
        let to_other = self.test(test, false)?;
        self.expr(then, goal)?;
        let end = match goal {
            Goal::Return => None,
            Goal::Slot(..) => Some(self.f().jump(&then.span)),
        };
        self.f().land_all(to_other, &other.span)?;
        self.expr(other, goal)?;
        if let Some(end) = end {
            self.f().land(end, &other.span)?;
        }
        Ok(())
    }

    fn seq(&mut self, items: &[Core], goal: Goal) -> Done {
        let Some((last, init)) = items.split_last() else {
            return Ok(());
        };
        for item in init {
            self.effect(item)?;
        }
        self.expr(last, goal)
    }

    fn let_expr(&mut self, var: &Var, init: &Core, body: &Core, goal: Goal) -> Done {
        let mark = self.f().next;
        self.bind(var, init)?;
        self.expr(body, goal)?;
        self.f().end_scope(mark);
        Ok(())
    }

    /// Evaluates `init` into a fresh slot and makes it the home of `var`.
    fn bind(&mut self, var: &Var, init: &Core) -> Done {
        let slot = self.f().alloc(&init.span)?;
        match &init.node {
            CoreNode::Lambda(lambda) => self.lambda(lambda, slot, Some(&var.0.name), &init.span)?,
            _ => self.into(init, slot)?,
        }
        self.home(var, slot, &init.span);
        Ok(())
    }

    /// Makes `slot`, which holds the value, the home of `var`; boxes it if it must be.
    fn home(&mut self, var: &Var, slot: u16, span: &Span) {
        if var.0.assigned.get() {
            self.f().emit(Instr::abc(Op::NewBox, slot, slot, 0), span);
            self.f().declare(var, Place::Boxed(slot, false), slot);
        } else {
            self.f().declare(var, Place::Slot(slot), slot);
        }
    }

    /// Makes a closure into `slot`; `bound_to` names it if it has no name of its own.
    fn lambda(&mut self, lambda: &Lambda, slot: u16, bound_to: Option<&Name>, span: &Span) -> Done {
        self.closure(lambda, slot, bound_to, None, &[], span).map(drop)
    }

    /// Makes a closure into `slot`. `myself` is the variable the closure itself is the value of;
    /// `later` are variables whose values do not exist yet: their indices among the captured are
    /// returned, to be patched.
    fn closure(
        &mut self,
        lambda: &Lambda,
        slot: u16,
        bound_to: Option<&Name>,
        myself: Option<&Var>,
        later: &[Var],
        span: &Span,
    ) -> Result<Vec<(usize, usize)>, CompileError> {
        let name = lambda
            .name
            .clone()
            .or_else(|| bound_to.cloned())
            .unwrap_or_else(|| "".into());
        self.functions.push(Function::new(name, myself.map(Var::id)));
        let result = self.lambda_body(lambda);
        let mut function = self.functions.pop().ok_or_else(|| limit("no function", span))?;
        result?;
        self.finish_cold(&mut function, span)?;
        let captured = std::mem::take(&mut function.captured);
        if captured.len() > 255 {
            return Err(limit(
                "a function uses more than 255 variables of the functions around it",
                span,
            ));
        }
        function.captures = captured.len() as u16;
        let params: Vec<Name> = lambda
            .params
            .iter()
            .chain(&lambda.rest)
            .map(|v| v.0.name.clone())
            .collect();
        let mut chunk = function.into_chunk(&params, lambda.doc.clone(), self.options.core, span)?;
        chunk.params = lambda.params.len() as u16;
        chunk.rest = lambda.rest.is_some();
        let mut patches = vec![];
        let mark = self.f().next;
        let base = self.f().open_window(span)?;
        for (i, var) in captured.iter().enumerate() {
            let t = self.f().alloc(span)?;
            if let Some(at) = later.iter().position(|v| v.id() == var.id()) {
                patches.push((at, i));
                self.f().emit(Instr::wide(Op::Int, t, 0), span);
            } else {
                self.capture_into(var, t, span)?;
            }
        }
        let child = self.f().child(Arc::new(chunk), span)?;
        self.f().emit(
            Instr::abcd(Op::MakeClosure, slot, base, child, captured.len() as u8),
            span,
        );
        self.f().next = mark;
        Ok(patches)
    }

    fn lambda_body(&mut self, lambda: &Lambda) -> Done {
        let span = &lambda.body.span;
        for _ in lambda.params.iter().chain(&lambda.rest) {
            self.f().alloc(span)?;
        }
        for (i, var) in lambda.params.iter().chain(&lambda.rest).enumerate() {
            self.home(var, i as u16 + 1, span);
        }
        self.tail(&lambda.body)
    }

    /// Puts what a closure captures of `var` into `slot`: the value, or the box.
    fn capture_into(&mut self, var: &Var, slot: u16, span: &Span) -> Done {
        let instr = match self.place(var)? {
            Place::Slot(s) | Place::Boxed(s, _) => Instr::abc(Op::Move, slot, s, 0),
            Place::Captured(i) | Place::CapturedBox(i, _) => Instr::wide(Op::Captured, slot, i as i32),
            Place::Loop(_) => return Err(limit("a loop captured as a value", span)),
        };
        self.f().emit(instr, span);
        let place = self.place(var)?;
        if planted(Fault::BoxOmitted) && matches!(place, Place::Boxed(..) | Place::CapturedBox(..)) {
            self.f().emit(Instr::abc(Op::GetBox, slot, slot, 0), span);
            self.f().emit(Instr::abc(Op::NewBox, slot, slot, 0), span);
        }
        Ok(())
    }

    /// Where the running function finds `var`, capturing it through the functions around.
    fn place(&mut self, var: &Var) -> Result<Place, CompileError> {
        self.place_in(self.functions.len() - 1, var)
    }

    fn place_in(&mut self, depth: usize, var: &Var) -> Result<Place, CompileError> {
        if let Some(place) = self.functions[depth].place(var) {
            return Ok(place);
        }
        if depth == 0 {
            return Err(limit(&format!("variable {} has no home", var.0.name), &Span::none()));
        }
        let outer = self.place_in(depth - 1, var)?;
        Ok(self.functions[depth].capture(var, outer))
    }
}
