//! Evaluations as the machine sees them: foreign objects, stepped by a control operation.

use super::control::Stop;
use super::{Machine, kept, values};
use crate::eval::{EvalError, Evaluation, LoadError, MacroRow, Next, Told, View};
use crate::expand::{Rules, Warning};
use crate::read::{Reader, SyntaxError};
use std::rc::Rc;
use std::sync::Arc;
use sx_runtime::convert::{Lists, size_of_syntax};
use sx_runtime::error::{Code, Raise};
use sx_runtime::heap::Heap;
use sx_runtime::host::Stream;
use sx_runtime::list::size_of_list;
use sx_runtime::object;
use sx_runtime::syntax::{Language, Name, Node, Source, Span, Stx, Syntax};
use sx_runtime::value::{Value, Word};
use sx_runtime::vector::size_of_vector;

impl Machine {
    /// An evaluation of a text at the program's top level, as a value to give to `%evaluate`.
    /// The errors of the text, if it has any.
    pub fn evaluation_of(&mut self, source: Arc<Source>) -> Result<Result<Word, EvalError>, Raise> {
        if self.fibers.is_empty() {
            self.evaluator.begin_run();
        }
        let top = self.evaluator.top_of(&source);
        match Evaluation::text(source, &top) {
            Ok(evaluation) => self.evaluation_value(evaluation, Word::NIL).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    /// The evaluation as a value; `last` is the value of the form before.
    fn evaluation_value(&mut self, evaluation: Evaluation, last: Word) -> Result<Word, Raise> {
        self.isolate.state.kept[kept::LAST] = last;
        self.reserve(Heap::SIZE_OF_FOREIGN)?;
        // SAFETY: `kept` is rooted.
        let last = unsafe { Value::from_raw(self.isolate.state.kept[kept::LAST]) };
        Ok(self.isolate.heap.foreign(Rc::new(evaluation), last).word())
    }

    /// `%eval-start`.
    pub(super) unsafe fn eval_start(&mut self, kind: Word, what: Word) -> Result<Word, Stop> {
        // SAFETY: the arguments are in the window; nothing collects before they are read.
        let what: Value<'_> = unsafe { Value::from_raw(what) };
        let program = self.evaluator.program.clone();
        let evaluation = match kind.as_fixnum() {
            0 => Evaluation::form(self.syntax_of(what)?, &program),
            1 => {
                let path = text_of(what, "load: expected a path")?;
                let from = self.user_span().source.name.clone();
                let loaded = self.evaluator.load(&mut *self.isolate.host, &from, &path);
                loaded.map_err(|error| match error {
                    LoadError::Raise(raise) => raise.into(),
                    LoadError::Text(error) => self.syntax_stop(error),
                })?
            }
            2 => {
                let text = text_of(what, "load-source: expected a text")?;
                self.checked(Evaluation::text(Source::new("<source>", text), &program))?
            }
            3 => Evaluation::macroexpand(self.syntax_of(what)?, &program),
            5 => {
                let name = what.first().and_then(Value::as_symbol).unwrap_or_default();
                let module = self.evaluator.libraries.borrow().get(name).cloned();
                let wrong = || Raise::new(Code::Type, "eval: expected an environment");
                let top = module.ok_or_else(wrong)?.top.clone();
                let form = what.nth(1).map_err(|_| wrong())?;
                Evaluation::form(self.syntax_of(form)?, &top)
            }
            _ => Evaluation::form(scoped(self.syntax_of(what)?), &program),
        };
        Ok(self.evaluation_value(evaluation, Word::NIL)?)
    }

    /// `%note-macro`.
    pub(super) unsafe fn note_macro(&mut self, condition: Word, state: Word) -> Result<Word, Stop> {
        self.isolate.state.kept[kept::LAST] = condition;
        // SAFETY: the arguments are in the window; nothing collects before they are read.
        let state: Value<'_> = unsafe { Value::from_raw(state) };
        let evaluation = self.isolate.heap.rust_value_of::<Evaluation>(state);
        if let Some(span) = evaluation.and_then(|e| e.awaits_form().cloned()) {
            self.reserve(Heap::SIZE_OF_FOREIGN)?;
            // SAFETY: `kept` is rooted.
            let condition: Value<'_> = unsafe { Value::from_raw(self.isolate.state.kept[kept::LAST]) };
            let heap = &self.isolate.heap;
            if condition.as_error().is_some() {
                heap.move_error(condition, heap.foreign(Rc::new(span), Value::NIL));
            }
        }
        Ok(Word::FALSE)
    }

    /// `%scheme-top`.
    pub(super) fn scheme_top(&mut self) -> Result<Word, Stop> {
        let name = self.evaluator.new_scheme_top();
        self.reserve(0)?;
        Ok(self.isolate.heap.symbol(&name).word())
    }

    /// `%read-datum`, `%read-scheme`.
    pub(super) unsafe fn read_datum(&mut self, text: Word, language: Language, all: bool) -> Result<Word, Stop> {
        // SAFETY: the argument is in the window; nothing collects before it is read.
        let text = text_of(unsafe { Value::from_raw(text) }, "read: expected a text")?;
        let source = Source::in_language(language, "<text>", text);
        let mut reader = Reader::new(source.clone());
        let datum = match reader.next_form() {
            None => return Ok(Word::EMPTY),
            Some(Ok(datum)) => datum,
            Some(Err(_)) if !all && reader.ended_early() => {
                self.reserve(0)?;
                return Ok(self.isolate.heap.symbol("more").word());
            }
            Some(Err(errors)) if source.is_scheme() => return Err(unreadable(&errors).into()),
            Some(Err(errors)) => return Err(self.syntax_stop(EvalError::Read(errors))),
        };
        let read = &source.text[..datum.span.end as usize];
        let count = Value::fixnum(read.chars().count() as i64);
        self.reserve(size_of_syntax(&datum) + size_of_list(2))?;
        let heap = &self.isolate.heap;
        let datum = heap.value_of_syntax(&datum, Lists::of(&source), &|_| Value::NIL);
        Ok(heap.list(&[datum, count]).word())
    }

    fn checked(&mut self, result: Result<Evaluation, EvalError>) -> Result<Evaluation, Stop> {
        result.map_err(|e| self.syntax_stop(e))
    }

    /// `%eval-step`: the list of the value, or the vector of `call_for`.
    pub(super) unsafe fn eval_step(&mut self, state: Word, value: Word) -> Result<Word, Stop> {
        // SAFETY: the arguments are in the window; nothing collects before they are read.
        let (state, value): (Value<'_>, Value<'_>) = unsafe { (Value::from_raw(state), Value::from_raw(value)) };
        let Some(evaluation) = self.isolate.heap.rust_value_of::<Evaluation>(state) else {
            return Err(Raise::new(Code::Type, "%eval-step: expected an evaluation").into());
        };
        let last = if evaluation.awaits_value() {
            value
        } else {
            state.foreign_refs().unwrap_or(Value::NIL)
        };
        let last = last.word();
        let told = if let Some(span) = evaluation.awaits_form() {
            let span = span.clone();
            Told::Form(self.syntax_at(value, &span)?)
        } else if evaluation.awaits_macro() {
            Told::Macro(self.add_macro_procedure(value.word()))
        } else {
            Told::Value
        };
        self.isolate.state.kept[kept::LAST] = last;
        let mut warnings = vec![];
        let isolate = &mut self.isolate;
        let view = View::new(&self.evaluator, &isolate.state.globals, &mut *isolate.host);
        let next = (*evaluation).clone().step(told, &view, &mut warnings);
        self.warn(&warnings);
        match next.map_err(|e| self.syntax_stop(e))? {
            Next::Done => Ok(self.done(None)?),
            Next::Form(form) => Ok(self.done(Some(form))?),
            Next::Run(chunk, rest) => {
                if let Some(recorded) = &mut self.evaluator.recorded {
                    recorded.push(chunk.clone());
                }
                let closure = self.isolate.closure(&chunk).map_err(|_| Raise::Memory)?;
                Ok(self.call_for(rest, closure, Word::EMPTY)?)
            }
            Next::Macro(row, form, rest) => Ok(self.macro_call(row, &form, rest)?),
        }
    }

    fn done(&mut self, form: Option<Stx>) -> Result<Word, Raise> {
        self.reserve(form.as_ref().map_or(0, size_of_syntax) + size_of_list(1))?;
        // SAFETY: `kept` is rooted.
        let last: Value<'_> = unsafe { Value::from_raw(self.isolate.state.kept[kept::LAST]) };
        let embedded = &self.isolate.state.embedded;
        // SAFETY: `embedded` is rooted.
        let row = |i: u32| unsafe { Value::from_raw(embedded.get(i as usize).copied().unwrap_or(Word::NIL)) };
        let heap = &self.isolate.heap;
        let value = form.map_or(last, |f| heap.value_of_syntax(&f, Lists::Views, &row));
        Ok(heap.list(&[value]).word())
    }

    /// The vector that asks `%evaluate` for a call: state, callee, arguments, of a macro?
    fn call_for(&mut self, rest: Evaluation, callee: Word, args: Word) -> Result<Word, Raise> {
        let is_macro = Value::bool(rest.awaits_form().is_some());
        let row = self.isolate.state.kept.len();
        self.isolate.state.kept.extend([callee, args]);
        let last = self.isolate.state.kept[kept::LAST];
        let made = self.evaluation_value(rest, last).and_then(|state| {
            self.isolate.state.kept.push(state);
            self.reserve(size_of_vector(4))
        });
        let words = self.isolate.state.kept.split_off(row);
        made?;
        // SAFETY: the words were rooted until the reservation, and nothing collects after it.
        unsafe {
            let words = values(&words);
            Ok(self
                .isolate
                .heap
                .vector_from(&[words[2], words[0], words[1], is_macro])
                .word())
        }
    }

    /// The call of a macro procedure with the operands of its use.
    fn macro_call(&mut self, row: u32, form: &Stx, rest: Evaluation) -> Result<Word, Raise> {
        let Some(MacroRow::Procedure(at)) = self.evaluator.macros.get(row as usize) else {
            return Err(Raise::new(Code::Syntax, "no such macro"));
        };
        let at = *at;
        let args = self.operand_values(form)?;
        // SAFETY: room was reserved for the list too, and nothing has collected since.
        let args = unsafe { self.isolate.heap.list(values(&args)).word() };
        let callee = self.isolate.state.embedded[at];
        self.call_for(rest, callee, args)
    }

    /// The operands of a macro use as values, with room for a list of them. The words live until
    /// the next reservation.
    pub(crate) fn operand_values(&mut self, form: &Stx) -> Result<Vec<Word>, Raise> {
        let operands: &[Stx] = form.as_list().and_then(|items| items.get(1..)).unwrap_or_default();
        self.reserve(operands.iter().map(size_of_syntax).sum::<usize>() + size_of_list(operands.len()))?;
        let embedded = &self.isolate.state.embedded;
        // SAFETY: `embedded` is rooted.
        let row = |i: u32| unsafe { Value::from_raw(embedded.get(i as usize).copied().unwrap_or(Word::NIL)) };
        let heap = &self.isolate.heap;
        Ok(operands
            .iter()
            .map(|o| heap.value_of_syntax(o, Lists::Views, &row).word())
            .collect())
    }

    /// The syntax of a live word, all of it at one place.
    pub(crate) fn syntax_of_word(&mut self, word: Word, span: &Span) -> Result<Stx, Raise> {
        // SAFETY: the caller's word is live; nothing collects before it is read.
        self.syntax_at(unsafe { Value::from_raw(word) }, span)
    }

    /// The syntax of a value without a place of its own.
    fn syntax_of(&mut self, value: Value<'_>) -> Result<Stx, Raise> {
        let span = self.user_span();
        self.syntax_at(value, &span)
    }

    /// The syntax of a value, all of it at one place.
    fn syntax_at(&mut self, value: Value<'_>, span: &Span) -> Result<Stx, Raise> {
        let isolate = &mut self.isolate;
        let embedded = &mut isolate.state.embedded;
        let mut keep = |v: Value<'_>| {
            embedded.push(v.word());
            embedded.len() as u32 - 1
        };
        isolate
            .heap
            .syntax_of_value(value, &mut |_| span.clone(), &mut keep)
            .map_err(|_| Raise::new(Code::Syntax, "a form that contains itself cannot be evaluated"))
    }

    /// Keeps a macro procedure; answers its row.
    pub(crate) fn add_macro_procedure(&mut self, procedure: Word) -> u32 {
        self.isolate.state.embedded.push(procedure);
        let at = self.isolate.state.embedded.len() - 1;
        self.evaluator.macros.push(MacroRow::Procedure(at));
        self.evaluator.macros.len() as u32 - 1
    }

    /// `%define-macro`: the global holds a macro from now on.
    pub(super) unsafe fn define_macro(&mut self, name: Word, procedure: Word, special: bool) -> Result<Word, Stop> {
        let row = self.add_macro_procedure(procedure);
        if special {
            self.evaluator.macros[row as usize] = MacroRow::SpecialForm(self.isolate.state.embedded.len() - 1);
        }
        // SAFETY: the name is in the window.
        unsafe { self.bind_macro(name, row) }
    }

    /// `%macro-procedure`; nil for what has none.
    ///
    /// # Safety
    /// The word is live.
    pub(super) unsafe fn macro_procedure(form: Word) -> Word {
        // SAFETY: by the caller; the type is checked.
        unsafe {
            match object::is_type(form, object::Type::Macro) {
                true => object::field(form, object::macro_::EXPANDER),
                false => Word::NIL,
            }
        }
    }

    /// `%define-syntax`: the same for rules.
    pub(super) unsafe fn define_syntax(&mut self, name: Word, rules: Word, library: Word) -> Result<Word, Stop> {
        // SAFETY: the arguments are in the window.
        let (rules, library): (Value<'_>, Value<'_>) = unsafe { (Value::from_raw(rules), Value::from_raw(library)) };
        let rules = self.syntax_of(rules)?;
        let module = library
            .as_symbol()
            .and_then(|name| self.evaluator.libraries.borrow().get(name).cloned());
        let env = module.map_or_else(|| self.evaluator.program.clone(), |module| module.top.clone());
        let rules = Rules::from_datum(&rules, &env).map_err(|e| self.syntax_stop(EvalError::Syntax(vec![e])))?;
        self.evaluator.macros.push(MacroRow::Rules(Rc::new(rules)));
        let row = self.evaluator.macros.len() as u32 - 1;
        // SAFETY: the name is in the window.
        unsafe { self.bind_macro(name, row) }
    }

    unsafe fn bind_macro(&mut self, name: Word, row: u32) -> Result<Word, Stop> {
        self.isolate.state.kept[kept::LAST] = name;
        self.reserve(Heap::size_of(3))?;
        let name_word = self.isolate.state.kept[kept::LAST];
        // SAFETY: `kept` is rooted; the macro object's fields follow at once.
        unsafe {
            let symbol: Value<'_> = Value::from_raw(name_word);
            let name: Name = symbol.as_symbol().unwrap_or_default().into();
            let object = self.isolate.heap.alloc(object::Type::Macro, 0, 4);
            object::set_field_raw(object, object::macro_::NAME, name_word.0);
            let procedure = match self.evaluator.macros.get(row as usize) {
                Some(MacroRow::Procedure(at) | MacroRow::SpecialForm(at)) => self.isolate.state.embedded[*at],
                _ => Word::NIL,
            };
            object::set_field_raw(object, object::macro_::EXPANDER, procedure.0);
            object::set_field_raw(object, object::macro_::INFO, Word::fixnum(row as i64).0);
            self.isolate.state.kept[kept::LAST] = object;
            let core = self.evaluator.core;
            let cell = self.isolate.cell(&name, core);
            self.isolate.store_global(cell, object, core);
            self.evaluator.global_macros.insert(name, row);
            Ok(self.isolate.state.kept[kept::LAST])
        }
    }

    /// A global got a value: if it held a macro, it does no more.
    pub(super) unsafe fn forget_macro(&mut self, cell: Word) {
        if self.evaluator.global_macros.is_empty() {
            return;
        }
        // SAFETY: by the caller, a cell.
        let symbol: Value<'_> = unsafe { Value::from_raw(object::field(cell, object::cell::NAME)) };
        if let Some(name) = symbol.as_symbol() {
            self.evaluator.global_macros.remove(name);
        }
    }

    fn warn(&mut self, warnings: &[Warning]) {
        for w in warnings {
            let line = format!("[sx] {}\n", w.message);
            // Nobody can be told that the log cannot be written.
            let _ = self.isolate.host.write(Stream::Err, &line);
        }
    }

    /// The place of the innermost call in the program's own text.
    fn user_span(&self) -> Span {
        let mut span = None;
        self.each_frame(|_, instance, pc| {
            if !instance.chunk.core {
                span = instance.chunk.span_at(pc);
            }
            span.is_none()
        });
        span.unwrap_or_else(Span::none)
    }

    /// An ill-formed text as a condition whose place is in that text.
    fn syntax_stop(&mut self, error: EvalError) -> Stop {
        let (code, errors) = error.into_parts();
        let message = errors.first().map(|e| e.message.clone()).unwrap_or_default();
        self.syntax_errors = errors;
        Stop::Raise(Raise::new(code, message))
    }
}

/// `(names form)` as a procedure of these names, whatever the program makes of `fn`.
fn scoped(what: Stx) -> Stx {
    let lambda = Syntax::new(Node::Alias("fn".into(), 0), what.span.clone());
    let parts = what.as_list().unwrap_or_default();
    let items = std::iter::once(lambda).chain(parts.iter().cloned()).collect();
    Syntax::new(Node::List(items), what.span.clone())
}

/// What Scheme's `read` met, which is no place in the program.
fn unreadable(errors: &[SyntaxError]) -> Raise {
    let message = errors.first().map_or("", |error| error.message.as_str());
    Raise::new(Code::Read, format!("read: {message}"))
}

fn text_of(value: Value<'_>, otherwise: &str) -> Result<String, Raise> {
    value
        .as_str()
        .map(str::to_string)
        .ok_or_else(|| Raise::new(Code::Type, otherwise))
}
