//! Conditions: from a failed operation to the core library's handlers, and, if none takes it, to
//! a report of what failed and where.

use super::{Exit, Machine, kept};
use crate::read::SyntaxError;
use std::rc::Rc;
use sx_runtime::chunk::Const;
use sx_runtime::error::{Code, Raise};
use sx_runtime::heap::Heap;
use sx_runtime::instance::{Instance, instance_of};
use sx_runtime::list::size_of_list;
use sx_runtime::object::{self, Type};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::print::Style;
use sx_runtime::record::ErrorParts;
use sx_runtime::stack::{FrameRef, Site, cursor, handling};
use sx_runtime::string::size_of_string;
use sx_runtime::syntax::Span;
use sx_runtime::value::{Value, Word};

type Step = Result<(), Box<Exit>>;

/// Frames a backtrace shows.
const MOST_FRAMES: usize = 64;

/// One line of a backtrace.
#[derive(Debug, Clone)]
pub struct TraceFrame {
    /// The function's name; empty for an anonymous one.
    pub name: String,
    /// The call it was waiting for.
    pub span: Option<Span>,
}

/// What ended a run.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The short name of the kind of error.
    pub code: String,
    /// The message.
    pub message: String,
    /// The values that `error` was given after it, each after a space.
    pub irritants: String,
    /// Where it was raised.
    pub span: Option<Span>,
    /// The functions that were running, innermost first.
    pub backtrace: Vec<TraceFrame>,
    /// For an undefined symbol: its name.
    pub undefined: Option<String>,
    /// For an ill-formed text: everything that is wrong with it.
    pub syntax: Vec<SyntaxError>,
}

impl Machine {
    /// How `write` shows a value.
    pub(super) fn show(&self, word: Word) -> String {
        // SAFETY: callers pass live words.
        self.isolate.heap.print(unsafe { Value::from_raw(word) }, Style::Write)
    }

    #[cold]
    pub(super) fn raise_undefined(&mut self, symbol: Word) -> Step {
        let global = self.show(symbol);
        // The globals of a library have its name before their own.
        let name = match global.rsplit_once('#') {
            Some((library, own)) if self.evaluator.libraries.borrow().contains_key(library) => own,
            _ => &global,
        };
        self.raise(Raise::new(Code::Undefined, format!("Undefined symbol: {name}")))
    }

    #[cold]
    pub(super) unsafe fn raise_unbound_cell(&mut self, cell: Word) -> Step {
        // SAFETY: by the caller, a cell.
        self.raise_undefined(unsafe { object::field(cell, object::cell::NAME) })
    }

    /// Raises a condition at the running frame: at its instruction, or at the call it waits for.
    #[cold]
    #[inline(never)]
    pub(super) fn raise(&mut self, raise: Raise) -> Step {
        if raise == Raise::Memory && !self.stretch() {
            return Err(Box::new(Exit::Failed(Box::new(self.failure_here("memory limit")))));
        }
        let error = match self.error_object(&raise) {
            Ok(error) => error,
            Err(_) => return Err(Box::new(Exit::Failed(Box::new(self.failure_here("memory limit"))))),
        };
        let Some(signal) = self.core_global("%signal-error") else {
            let failure = self.failure_of(error);
            return Err(Box::new(Exit::Failed(Box::new(failure))));
        };
        // SAFETY: the running frame is complete up to its frame size; the segment has room above.
        unsafe {
            let stack = &self.isolate.state.stack;
            let base = instance_of(*stack.fp).frame_size as usize;
            let nfp = stack.fp.add(base);
            *nfp.sub(1) = Site { pc: stack.pc, base }.word();
            *nfp = signal;
            *nfp.add(1) = error;
            self.enter(nfp, 1)
        }
    }

    /// Lends some memory for handling the memory error; `false` if it was lent before.
    fn stretch(&mut self) -> bool {
        if self.grace.is_some() {
            return false;
        }
        let limit = self.isolate.heap.limit();
        self.grace = Some(limit);
        self.isolate.heap.set_limit(limit + limit / 8 + (1 << 20));
        true
    }

    /// The heap may take at most so many bytes from now on.
    pub fn lower_limit(&mut self, bytes: usize) {
        match &mut self.grace {
            Some(limit) => *limit = bytes.min(*limit),
            None => {
                let limit = self.isolate.heap.limit().min(bytes);
                self.isolate.heap.set_limit(limit);
            }
        }
    }

    /// The extent that ran out of memory has been left.
    pub(super) fn end_grace(&mut self) {
        if let Some(limit) = self.grace.take() {
            self.isolate.heap.set_limit(limit);
        }
    }

    /// Turns what an operation reports into an error object.
    fn error_object(&mut self, raise: &Raise) -> Result<Word, Raise> {
        let (code, message) = (raise.code().text(), raise.message().to_string());
        let irritants: &[usize] = match raise {
            Raise::Condition(c) => &c.irritants,
            Raise::Memory => &[],
        };
        let bytes = size_of_string(code.len())
            + size_of_string(message.len())
            + Heap::size_of(2)
            + size_of_list(irritants.len())
            + Heap::SIZE_OF_FOREIGN
            + Heap::SIZE_OF_ERROR;
        self.reserve(bytes)?;
        let place = self.user_place();
        let syntax = std::mem::take(&mut self.syntax_errors);
        // SAFETY: the window still holds the operands; closures of frames are live.
        unsafe {
            let heap = &self.isolate.heap;
            let (window, n) = self.isolate.state.stack.window;
            let args: Vec<Value<'_>> = irritants
                .iter()
                .filter(|i| **i < n)
                .map(|i| Value::from_raw(*window.add(*i)))
                .collect();
            let place = match place {
                _ if !syntax.is_empty() => heap.foreign(Rc::new(syntax), Value::NIL),
                Some((closure, pc)) => heap.cons(Value::from_raw(closure), Value::from_raw(Word::fixnum(pc as i64))),
                None => Value::NIL,
            };
            let parts = ErrorParts {
                code: heap.string(code),
                message: heap.string(&message),
                irritants: heap.list(&args),
                payload: Value::NIL,
                place,
                backtrace: Value::NIL,
            };
            Ok(heap.error(parts).word())
        }
    }

    /// Tells an error object where it is raised, if it has not been told.
    pub(super) fn with_place(&mut self, error: Word) -> Result<Word, Raise> {
        self.isolate.state.kept[kept::LAST] = error;
        self.reserve(Heap::size_of(2))?;
        // SAFETY: `kept` is rooted; closures of frames are live.
        unsafe {
            let error = self.isolate.state.kept[kept::LAST];
            if let Some((closure, pc)) = self.user_place() {
                let heap = &self.isolate.heap;
                let pc = Value::from_raw(Word::fixnum(pc as i64));
                heap.set_error_place(
                    Value::from_raw(error),
                    heap.cons(Value::from_raw(closure), pc),
                    Value::NIL,
                );
            }
            Ok(error)
        }
    }

    /// The innermost frame that is not the core library's: its closure and pc.
    fn user_place(&self) -> Option<(Word, usize)> {
        let mut place = None;
        self.each_frame(|fp, instance, pc| {
            if !instance.chunk.core {
                // SAFETY: a frame's first word is its closure.
                place = Some((unsafe { *fp }, pc));
            }
            place.is_none()
        });
        place
    }

    /// Calls `f` with start, instance and pc of every frame, innermost first, through cursors,
    /// until it answers `false`.
    pub(super) fn each_frame<'m>(&'m self, mut f: impl FnMut(*const Word, &'m Instance, usize) -> bool) {
        // SAFETY: the stack is at a safepoint; Konts are complete.
        unsafe {
            // Above a handling frame the next is the one below the marker of its handler.
            let mut below: *mut Word = std::ptr::null_mut();
            for FrameRef { fp, instance, pc } in self.isolate.state.stack.frames() {
                if !below.is_null() && fp >= below {
                    continue;
                }
                if super::is_frame_of(fp, self.handling) {
                    below = fp.sub(super::marks::int_slot(fp, handling::MARKER) as usize);
                } else if super::is_frame_of(fp, self.cursor) {
                    if !self.each_sealed_frame(fp, &mut f) {
                        return;
                    }
                } else if !f(fp, instance, pc) {
                    return;
                }
            }
        }
    }

    /// The same for the frames a cursor stands for.
    unsafe fn each_sealed_frame<'m>(
        &'m self,
        fp: *const Word,
        f: &mut impl FnMut(*const Word, &'m Instance, usize) -> bool,
    ) -> bool {
        // SAFETY: `fp` is a cursor frame.
        unsafe {
            let hop = super::marks::hop_of(fp);
            let mut levels = vec![(hop.kont, hop.index, hop.stop)];
            while let Some((kont, index, stop)) = levels.pop() {
                if index <= stop {
                    continue;
                }
                let words = super::marks::kont_words(kont);
                let site = Site::of(*words.add(index - 1));
                let frame = words.add(index - site.base);
                levels.push((kont, index - site.base, stop));
                if super::is_frame_of(frame, self.cursor) {
                    let hop = super::marks::hop_of(frame);
                    levels.push((hop.kont, hop.index, hop.stop));
                    debug_assert!(site.base == cursor::SIZE);
                } else if !f(frame, instance_of(*frame), site.pc) {
                    return false;
                }
            }
            true
        }
    }

    /// The functions that are running, without the core library's.
    fn backtrace(&self) -> Vec<TraceFrame> {
        let mut out = vec![];
        self.each_frame(|_, instance, pc| {
            if !instance.chunk.core {
                out.push(TraceFrame {
                    name: instance.chunk.name.to_string(),
                    span: instance.chunk.span_at(pc),
                });
            }
            out.len() < MOST_FRAMES
        });
        out
    }

    /// A failure that is no condition, at the running frame.
    pub(super) fn failure_here(&mut self, message: &str) -> Failure {
        let span = self.user_place().and_then(|(closure, pc)| span_of(closure, pc));
        let code = message.split(' ').next().unwrap_or_default().into();
        Failure {
            code,
            message: message.into(),
            irritants: String::new(),
            span,
            backtrace: self.backtrace(),
            undefined: None,
            syntax: vec![],
        }
    }

    /// The failure of a condition nothing takes.
    pub(super) fn failure_of(&mut self, condition: Word) -> Failure {
        self.isolate.state.kept[kept::RESULT] = condition;
        let mut failure = self.failure_here("");
        // SAFETY: the condition is rooted.
        let value: Value<'_> = unsafe { Value::from_raw(condition) };
        match value.as_error() {
            Some(parts) => {
                failure.code = parts.code.as_str().unwrap_or_default().into();
                failure.message = parts.message.as_str().unwrap_or_default().into();
                if failure.code == Code::User.text() {
                    failure.irritants = self.shown_irritants(parts.irritants);
                }
                failure.undefined = failure.message.strip_prefix("Undefined symbol: ").map(str::to_string);
                if let Some(place) = parts.place.as_pair() {
                    let (closure, pc) = (place.car().word(), place.cdr().word().as_fixnum() as usize);
                    let operator = failure
                        .undefined
                        .as_deref()
                        .and_then(|name| operator_span(closure, pc, name));
                    failure.span = operator.or_else(|| span_of(closure, pc)).or(failure.span);
                }
                if let Some(span) = self.isolate.heap.rust_value_of::<Span>(parts.place) {
                    failure.span = Some((*span).clone());
                }
                if let Some(errors) = self.isolate.heap.rust_value_of::<Vec<SyntaxError>>(parts.place) {
                    failure.span = errors.first().map(|e| e.span.clone());
                    failure.syntax = errors.to_vec();
                }
            }
            None => {
                failure.code = Code::User.text().into();
                failure.message = format!("Uncaught: {}", self.show(condition));
            }
        }
        failure
    }
}

/// So many bytes of the values an error is about are shown.
const IRRITANTS_MAX: usize = 1000;

impl Machine {
    fn shown_irritants(&self, irritants: Value<'_>) -> String {
        let mut text = String::new();
        for irritant in irritants.items() {
            text.push(' ');
            let most = IRRITANTS_MAX.saturating_sub(text.len());
            if self
                .isolate
                .heap
                .print_to(&mut text, irritant, Style::Write, most)
                .is_err()
            {
                text.truncate(text.floor_char_boundary(IRRITANTS_MAX));
                return text + " …";
            }
        }
        text
    }
}

/// The span of the operator, if the instruction is a call of the global `name`.
fn operator_span(closure: Word, pc: usize, name: &str) -> Option<Span> {
    // SAFETY: a place holds a closure and a pc of its chunk.
    let chunk = unsafe { object::is_type(closure, Type::Closure).then(|| instance_of(closure).chunk.clone()) }?;
    let call = Instr(*chunk.code.get(pc)?);
    let is_call = matches!(call.op(), Some(Op::CallGlobal | Op::TailCallGlobal));
    let calls_it = matches!(chunk.consts.get(call.c()), Some(Const::Global(global)) if **global == *name);
    (is_call && calls_it).then(|| chunk.operator_span_at(pc)).flatten()
}

fn span_of(closure: Word, pc: usize) -> Option<Span> {
    // SAFETY: a place holds a closure and a pc of its chunk.
    unsafe {
        object::is_type(closure, Type::Closure)
            .then(|| instance_of(closure).chunk.span_at(pc))
            .flatten()
    }
}
