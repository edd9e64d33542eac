//! A function being compiled: its code so far, its slots, its constants, where its variables are.

use super::{CompileError, limit};
use crate::core::Var;
use std::collections::HashMap;
use std::sync::Arc;
use sx_runtime::chunk::{Chunk, Const, Inlined, PcSpan, compute_live};
use sx_runtime::convert::Lists;
use sx_runtime::ops::{FEEDBACK_CELLS_MAX, Instr, Op};
use sx_runtime::syntax::{Name, Node, Source, Span, Stx, Syntax};

/// Where a variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a slot.
    Slot(u16),
    /// In a box, which is in a slot; `true` if it may be read before it has its value.
    Boxed(u16, bool),
    /// Captured by the running closure.
    Captured(u16),
    /// In a box captured by the running closure.
    CapturedBox(u16, bool),
    /// It is a loop, not a value: row of `Function::loops`.
    Loop(usize),
}

/// A local function compiled as a loop.
pub(super) struct Loop {
    /// Variables and slots of its parameters.
    pub params: Vec<(Var, u16)>,
    /// Where its body starts, once known.
    pub head: Option<usize>,
    /// Jumps to the head emitted before it was known.
    pub entries: Vec<usize>,
}

/// A primitive compiled as an instruction; its ordinary call is emitted at the function's end.
pub(super) struct Cold {
    pub pc: usize,
    pub name: Name,
    pub base: u16,
    pub args: Vec<ColdArg>,
    /// What follows the call.
    pub then: ColdThen,
    /// Where the instruction's expression ends.
    pub back: usize,
    pub span: Span,
}

#[derive(Clone, Copy)]
pub(super) enum ColdArg {
    Slot(u16),
    Int(i32),
    /// Row of a constant.
    Const(i32),
}

pub(super) enum ColdThen {
    /// The result goes to a slot.
    Into(u16),
    /// The result is what the function returns.
    Return,
    /// Jump where the instruction jumps if the result's truth is this.
    JumpIf(bool),
    /// The same for what `not` answers for the result.
    JumpIfNot(bool),
}

pub(super) struct Function {
    name: Name,
    myself: Option<usize>,
    code: Vec<u64>,
    consts: Vec<Const>,
    global_rows: HashMap<Name, i32>,
    children: Vec<Arc<Chunk>>,
    places: HashMap<usize, Place>,
    /// Variables of outer functions, in the order of the closure's captured values.
    pub captured: Vec<Var>,
    pub captures: u16,
    /// First free slot.
    pub next: u16,
    max: u16,
    /// A slot whose value nobody reads: that of an expression wanted for its effect.
    pub discarded: Option<u16>,
    spans: Vec<PcSpan>,
    sources: Vec<Arc<Source>>,
    pub loops: Vec<Loop>,
    /// Floats that the loops around load before they begin, with their slots.
    pub loop_constants: Vec<(f64, u16)>,
    pub cold: Vec<Cold>,
    feedback: u16,
    pub inlined: Vec<Inlined>,
    open_locals: Vec<(u16, u32, Name)>,
    locals: Vec<(u16, u32, u32, Name)>,
}

/// Slots a function may have.
const MAX_SLOTS: u16 = 16_000;

impl Function {
    pub fn new(name: Name, myself: Option<usize>) -> Function {
        Function {
            name,
            myself,
            code: vec![],
            consts: vec![],
            global_rows: HashMap::new(),
            children: vec![],
            places: HashMap::new(),
            captured: vec![],
            captures: 0,
            next: 1,
            max: 1,
            discarded: None,
            spans: vec![],
            sources: vec![],
            loops: vec![],
            loop_constants: vec![],
            cold: vec![],
            feedback: 0,
            inlined: vec![],
            open_locals: vec![],
            locals: vec![],
        }
    }

    pub fn instr(&self, pc: usize) -> Instr {
        Instr(self.code[pc])
    }

    pub fn pc(&self) -> usize {
        self.code.len()
    }

    /// A fresh slot.
    pub fn alloc(&mut self, span: &Span) -> Result<u16, CompileError> {
        if self.next >= MAX_SLOTS {
            return Err(limit(
                "expression too large: a function has more than 16000 variables and temporaries",
                span,
            ));
        }
        let slot = self.next;
        self.next += 1;
        self.max = self.max.max(self.next);
        Ok(slot)
    }

    /// Opens a call window: the slot below it stays free for the site word.
    pub fn open_window(&mut self, span: &Span) -> Result<u16, CompileError> {
        self.alloc(span)?;
        self.alloc(span)
    }

    /// A feedback cell; when there are no more, the first, which calls share.
    pub fn feedback_cell(&mut self) -> u8 {
        if !self.has_feedback_cell() {
            return 0;
        }
        let cell = self.feedback.max(1);
        self.feedback = cell + 1;
        cell as u8
    }

    /// Is there a feedback cell left that is nobody's?
    pub fn has_feedback_cell(&self) -> bool {
        self.feedback < FEEDBACK_CELLS_MAX
    }

    /// Takes back the last instruction, which nothing jumps behind.
    pub fn drop_last(&mut self) {
        self.code.pop();
        let pc = self.code.len() as u32;
        self.spans.retain(|s| s.pc < pc);
    }

    /// Gives the next instruction, a call, the span of its operator beside its own.
    pub fn mark_operator(&mut self, span: &Span) {
        let source = self.source_row(&span.source);
        self.spans.push(PcSpan {
            pc: self.code.len() as u32,
            source,
            start: span.start,
            end: span.end,
        });
    }

    pub fn emit(&mut self, instr: Instr, span: &Span) {
        let pc = self.code.len() as u32;
        let same = |s: &PcSpan, source: u16| s.source == source && s.start == span.start && s.end == span.end;
        let source = self.source_row(&span.source);
        if !self.spans.last().is_some_and(|s| same(s, source)) {
            self.spans.push(PcSpan {
                pc,
                source,
                start: span.start,
                end: span.end,
            });
        }
        self.code.push(instr.0);
    }

    fn source_row(&mut self, source: &Arc<Source>) -> u16 {
        let known = self.sources.iter().rposition(|s| Arc::ptr_eq(s, source));
        known.unwrap_or_else(|| {
            self.sources.push(source.clone());
            self.sources.len() - 1
        }) as u16
    }

    /// An unconditional jump, to be landed.
    pub fn jump(&mut self, span: &Span) -> usize {
        self.emit(Instr::wide(Op::Jump, 0, 0), span);
        self.pc() - 1
    }

    /// Makes the jump at `at` go here.
    pub fn land(&mut self, at: usize, span: &Span) -> Result<(), CompileError> {
        let to = self.pc();
        self.aim(at, to, span)
    }

    /// Makes every jump of `at` go here.
    pub fn land_all(&mut self, at: Vec<usize>, span: &Span) -> Result<(), CompileError> {
        at.into_iter().try_for_each(|j| self.land(j, span))
    }

    /// Makes the jump at `at` go to `to`.
    pub fn aim(&mut self, at: usize, to: usize, span: &Span) -> Result<(), CompileError> {
        let distance = to as i64 - at as i64 - 1;
        let instr = Instr(self.code[at]);
        let Some(op) = instr.op() else {
            return Err(limit("no jump to aim", span));
        };
        let short = op.info().operands.iter().any(|(f, _)| *f == sx_runtime::ops::Field::cd);
        let new = if short {
            Instr::jump2(op, instr.a() as u16, instr.b() as u16, distance as i32)
        } else {
            i32::try_from(distance)
                .ok()
                .map(|d| Instr::wide(op, instr.a() as u16, d))
        };
        self.code[at] = new
            .ok_or_else(|| limit("expression too large: a jump is too far", span))?
            .0;
        Ok(())
    }

    pub fn datum(&mut self, datum: &Stx) -> i32 {
        self.consts.push(Const::Datum(datum.clone()));
        self.consts.len() as i32 - 1
    }

    /// Row of an interned string.
    pub fn key(&mut self, text: &str) -> i32 {
        self.consts.push(Const::Key(text.into()));
        self.consts.len() as i32 - 1
    }

    pub fn name_const(&mut self, name: &Name, span: &Span) -> i32 {
        self.datum(&Syntax::new(Node::Sym(name.clone()), span.clone()))
    }

    /// Row of the constant with the cell of a global.
    pub fn global(&mut self, name: &Name) -> i32 {
        if let Some(k) = self.global_rows.get(name) {
            return *k;
        }
        self.consts.push(Const::Global(name.clone()));
        let k = self.consts.len() as i32 - 1;
        self.global_rows.insert(name.clone(), k);
        k
    }

    pub fn prim(&mut self, name: &Name) -> i32 {
        self.consts.push(Const::Prim(name.clone()));
        self.consts.len() as i32 - 1
    }

    pub fn child(&mut self, chunk: Arc<Chunk>, span: &Span) -> Result<u16, CompileError> {
        self.children.push(chunk);
        u16::try_from(self.children.len() - 1)
            .map_err(|_| limit("expression too large: a function makes more than 65536 functions", span))
    }

    pub fn declare(&mut self, var: &Var, place: Place, slot: u16) {
        self.places.insert(var.id(), place);
        self.open_locals
            .push((slot, self.code.len() as u32, var.0.name.clone()));
    }

    pub fn declare_loop(&mut self, var: &Var, row: usize) {
        self.places.insert(var.id(), Place::Loop(row));
    }

    /// Releases every slot from `mark` on.
    pub fn end_scope(&mut self, mark: u16) {
        self.next = mark;
        let pc = self.code.len() as u32;
        while self.open_locals.last().is_some_and(|l| l.0 >= mark) {
            if let Some((slot, from, name)) = self.open_locals.pop() {
                self.locals.push((slot, from, pc, name));
            }
        }
    }

    pub fn place(&self, var: &Var) -> Option<Place> {
        if self.myself == Some(var.id()) {
            return Some(Place::Slot(0));
        }
        self.places.get(&var.id()).copied()
    }

    /// The slot of a float that a loop around has loaded.
    pub fn loop_constant(&self, x: f64) -> Option<u16> {
        let same = |c: &&(f64, u16)| c.0.to_bits() == x.to_bits();
        self.loop_constants.iter().find(same).map(|c| c.1)
    }

    /// Captures a variable that the function around finds at `outer`.
    pub fn capture(&mut self, var: &Var, outer: Place) -> Place {
        let i = self.captured.len() as u16;
        self.captured.push(var.clone());
        let place = match outer {
            Place::Boxed(_, check) | Place::CapturedBox(_, check) => Place::CapturedBox(i, check),
            Place::Slot(_) | Place::Captured(_) | Place::Loop(_) => Place::Captured(i),
        };
        self.places.insert(var.id(), place);
        place
    }

    pub fn into_chunk(
        mut self,
        params: &[Name],
        doc: Option<Name>,
        core: bool,
        span: &Span,
    ) -> Result<Chunk, CompileError> {
        self.end_scope(0);
        if self.consts.len() > i32::MAX as usize || self.code.len() > 1 << 30 {
            return Err(limit("function too large", span));
        }
        // One slot above everything for the site word of a condition raised here.
        let frame_size = self.max + 1;
        let (live, live_words) = compute_live(&self.code, frame_size, &self.inlined);
        let is_scheme = self.sources.iter().any(|source| source.is_scheme());
        Ok(Chunk {
            lists: if is_scheme { Lists::Pairs } else { Lists::Views },
            name: self.name,
            doc,
            params: 0,
            rest: false,
            param_names: params.to_vec(),
            frame_size,
            code: self.code,
            consts: self.consts,
            children: self.children,
            captures: self.captures,
            feedback: self.feedback,
            inlined: self.inlined,
            live,
            live_words,
            spans: self.spans,
            sources: self.sources,
            locals: self.locals,
            core,
            resumes: Default::default(),
        })
    }
}
