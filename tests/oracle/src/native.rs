//! The procedures that work on continuations, each as its definition: what lib/core builds from
//! markers and raw captures is here one step on a linked list.

use crate::env::{Goal, Kont, Mark, MarkKind, Step, Winder, is_core};
use crate::machine::{Machine, State};
use crate::objects;
use crate::outcome::Answer;
use std::rc::Rc;
use sx_interp::read::is_incomplete;
use sx_runtime::error::Code;
use sx_runtime::host::Host;
use sx_runtime::list::size_of_append;
use sx_runtime::object::{Type, continuation, parameter};
use sx_runtime::prims;
use sx_runtime::print::Style;
use sx_runtime::syntax::{Language, Span};
use sx_runtime::value::Word;

macro_rules! natives {
    ($($Name:ident $text:literal $params:literal $($rest:ident)?;)*) => {
        /// A procedure that works on continuations.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Native { $(#[doc = $text] $Name,)* }
        const NATIVES: &[(&str, Native, usize, bool)] = &[$(($text, Native::$Name, $params, natives!(@ $($rest)?))),*];
    };
    (@) => { false };
    (@ rest) => { true };
}

natives! {
    Guard "%guard" 2;
    Reraise "%reraise" 1;
    HandlerBind "%handler-bind" 2;
    WithHandler "%with-handler" 2;
    Raise "raise" 1;
    RaiseContinuable "raise-continuable" 1;
    Error "error" 1 rest;
    Fail "%fail" 2;
    Perform "perform" 1;
    Forward "forward" 2;
    DynamicWind "dynamic-wind" 3;
    CallCc "call/cc" 1;
    CallWithCurrentContinuation "call-with-current-continuation" 1;
    Reset "%reset" 1;
    Shift "%shift" 1;
    Parameterize "%parameterize" 2;
    MakeParameter "make-parameter" 1 rest;
    Provide "%provide" 3;
    Context "%context" 1 rest;
    Scope "%scope" 2;
    Emit "%emit!" 2;
    Emitted "%emitted" 1;
    Apply "%apply" 2;
    MakeCoroutine "make-coroutine" 1;
    CoroutineResume "coroutine-resume" 1 rest;
    CoroutineYield "coroutine-yield" 0 rest;
    CoroutineAlive "coroutine-alive?" 1;
    EvalExpr "eval-expr" 1 rest;
    Eval "eval" 1 rest;
    Macroexpand "macroexpand" 1;
    ReadDatum "%read-datum" 1;
    ReadScheme "%read-scheme" 2;
    SchemeEnvironment "%scheme-environment" 1;
    SchemeEval "%scheme-eval" 2;
    LoadSource "load-source" 1;
    Load "load" 1;
    DefineMacro "%define-macro" 2;
    DefineSpecialForm "%define-special-form" 2;
    MacroProcedure "%macro-procedure" 1;
    DefineSyntax "%define-syntax" 3;
    Annotate "%annotate" 3;
    Gc "gc" 0;
}

/// The procedure of that name: what it is, how many parameters it has, whether it takes more.
pub fn find(name: &str) -> Option<(Native, usize, bool)> {
    NATIVES
        .iter()
        .find(|row| row.0 == name)
        .map(|row| (row.1, row.2, row.3))
}

impl Native {
    fn name(self) -> &'static str {
        NATIVES[self as usize].0
    }
}

/// Calls one.
pub fn call<'a>(m: &mut Machine<'a>, native: Native, args: Vec<Word>, kont: Kont<'a>, span: &'a Span) -> State<'a> {
    let arg = |i: usize| args.get(i).copied().unwrap_or(Word::NIL);
    *m.counts.called.entry(native.name()).or_default() += 1;
    match native {
        Native::Guard => m.within(MarkKind::Guard(arg(1)), arg(0), kont, span),
        Native::Raise | Native::Reraise => m.raise(arg(0), false, kont, span),
        Native::RaiseContinuable => m.raise(arg(0), true, kont, span),
        Native::Error => {
            let message = m.print(arg(0), Style::Display);
            let places = crate::conditions::places(&kont, span);
            let error = m.error(Code::User.text(), &message, args[1..].to_vec(), places);
            m.raise(error, false, kont, span)
        }
        Native::Fail => {
            let (code, message) = (m.text(arg(0)), m.text(arg(1)));
            let error = m.error(&code, &message, vec![], crate::conditions::places(&kont, span));
            m.raise(error, false, kont, span)
        }
        Native::HandlerBind => {
            let handlers = m.elements(arg(0));
            m.within(MarkKind::Bind(Rc::new(handlers)), arg(1), kont, span)
        }
        Native::WithHandler => {
            let handler = objects::value(&m.heap, arg(0));
            if handler.is_callable() || handler.as_dict().is_some() {
                return m.within(MarkKind::Effect(arg(0)), arg(1), kont, span);
            }
            let message = "with-handler: expected a dict of functions or a function";
            m.fail(Code::Type, message, kont, span)
        }
        Native::Perform => m.perform(arg(0), kont, span),
        Native::Forward => m.perform(arg(0), kont.after_call(span, None).then(Step::Forwarded(arg(1))), span),
        Native::DynamicWind => {
            let (before, after) = (arg(0), arg(2));
            let winder = Rc::new(Winder { before, after });
            let kont = kont.after_call(span, None).then(Step::Wind(winder, arg(1)));
            State::Call(before, vec![], kont, m.nowhere)
        }
        Native::CallCc | Native::CallWithCurrentContinuation => {
            let taken = m.continuation(&kont);
            State::Call(arg(0), vec![taken], kont, span)
        }
        Native::Reset => m.within(MarkKind::Prompt, arg(0), kont, span),
        Native::Shift => m.shift(arg(0), kont, span),
        Native::Parameterize => {
            let bindings = Rc::new(m.elements(arg(0)));
            m.convert(bindings, vec![], arg(1), kont.after_call(span, None), span)
        }
        Native::MakeParameter => match args.get(1) {
            None => State::Give(m.parameter(arg(0), Word::NIL), kont),
            Some(converter) => State::Call(
                *converter,
                vec![arg(0)],
                kont.then(Step::NewParameter(*converter)),
                span,
            ),
        },
        Native::Provide => m.within(MarkKind::Binding(arg(0), arg(1)), arg(2), kont, span),
        Native::Context => {
            let default = arg(1);
            State::Give(m.bound(&kont, arg(0)).unwrap_or(default), kont)
        }
        Native::Scope => {
            let emitted = m.list(vec![]);
            m.within(MarkKind::Scope(arg(0), emitted), arg(1), kont, span)
        }
        Native::Emit => {
            if let Some(emitted) = scope_of(&kont, arg(0)) {
                m.append(emitted, arg(1));
            }
            State::Give(Word::NIL, kont)
        }
        Native::Emitted => {
            let items = scope_of(&kont, arg(0)).map_or_else(Vec::new, |emitted| m.elements(emitted));
            State::Give(m.list(items), kont)
        }
        Native::Apply => {
            let operands = m.elements(arg(1));
            State::Call(arg(0), operands, kont, span)
        }
        Native::MakeCoroutine => State::Give(m.make_coroutine(arg(0)), kont),
        Native::CoroutineResume => m.coroutine_resume(&args, kont, span),
        Native::CoroutineYield => m.coroutine_yield(arg(0), kont, span),
        Native::CoroutineAlive => State::Give(m.coroutine_alive(arg(0), &kont), kont),
        Native::EvalExpr | Native::Eval if arg(1) != Word::NIL => m.eval_scoped(arg(0), arg(1), kont, span),
        Native::EvalExpr | Native::Eval => m.eval_data(arg(0), false, kont, span),
        Native::Macroexpand => m.eval_data(arg(0), true, kont, span),
        Native::ReadScheme if arg(1) == Word::FALSE && is_incomplete(&m.text(arg(0))) => {
            let more = m.symbol("more");
            State::Give(more, kont)
        }
        Native::ReadDatum | Native::ReadScheme => {
            let language = match native {
                Native::ReadScheme => Language::Scheme,
                _ => Language::Sx,
            };
            let text = m.text(arg(0));
            m.read_datum(text, language, kont, span)
        }
        Native::SchemeEnvironment => m.scheme_environment(arg(0), kont, span),
        Native::SchemeEval => m.scheme_eval(arg(0), arg(1), kont, span),
        Native::LoadSource => {
            let text = m.text(arg(0));
            m.eval_text("<source>", text, kont, span)
        }
        Native::Load => {
            let path = m.text(arg(0));
            match m.host.read_text(&path) {
                Ok(text) => m.eval_text(&path, text, kont, span),
                Err(error) => m.fail(Code::Io, format!("load: {error}"), kont, span),
            }
        }
        Native::DefineMacro => State::Give(m.define_macro(arg(0), arg(1)), kont),
        Native::DefineSpecialForm => State::Give(m.define_special_form(arg(0), arg(1)), kont),
        Native::MacroProcedure => State::Give(m.macro_procedure(arg(0)), kont),
        Native::DefineSyntax => m.define_syntax(&args, kont, span),
        Native::Annotate => State::Give(Word::NIL, kont),
        Native::Gc => State::Give(Word::NIL, kont),
    }
}

/// Calls something that is no closure.
pub fn call_object<'a>(
    m: &mut Machine<'a>,
    callee: Word,
    args: Vec<Word>,
    kont: Kont<'a>,
    span: &'a Span,
) -> State<'a> {
    if objects::is(callee, Type::Continuation) {
        let to = m.continuations[objects::number(callee, continuation::KONT)].clone();
        let value = m.several(args);
        return m.rewind(&kont, &to, Goal::Give(value, to.clone()));
    }
    if objects::is(callee, Type::Parameter) && args.is_empty() {
        let default = objects::field(callee, parameter::VALUE);
        return State::Give(m.bound(&kont, callee).unwrap_or(default), kont);
    }
    if objects::is(callee, Type::Parameter) {
        let message = format!("parameter: expected 0 arguments, got {}", args.len());
        return m.fail(Code::Arity, message, kont, span);
    }
    let printed = m.print(callee, Style::Write);
    m.fail(Code::NotCallable, format!("Not callable: {printed}"), kont, span)
}

/// Gives a value to a step of one of these procedures.
pub fn give<'a>(m: &mut Machine<'a>, step: Step<'a>, value: Word, next: Kont<'a>) -> State<'a> {
    match step {
        Step::Mark(Mark {
            kind: MarkKind::Wind(winder),
            ..
        }) => State::Call(winder.after, vec![], next.then(Step::Replace(value)), m.nowhere),
        Step::Mark(Mark {
            kind: MarkKind::Coroutine(number),
            ..
        }) => {
            m.coroutines[number] = crate::coroutine::Coroutine::Finished;
            State::Give(value, next)
        }
        Step::Replace(value) => State::Give(value, next),
        Step::Rewind(rewind, i) => m.rewind_from(rewind, i, next),
        Step::Wind(winder, thunk) => m.within(MarkKind::Wind(winder), thunk, next, m.nowhere),
        Step::Choose(signal, i) => m.chosen(signal, i, value, next),
        Step::Handled(signal) => m.handled(signal, value, next),
        Step::Forwarded(resume) => State::Call(resume, vec![value], next, m.nowhere),
        Step::Convert(bindings, mut converted, thunk) => {
            converted.push(value);
            m.convert(bindings, converted, thunk, next, m.nowhere)
        }
        Step::NewParameter(converter) => State::Give(m.parameter(value, converter), next),
        Step::Apply(values, span) => State::Call(value, values, next, span),
        Step::Evaluate(evaluation, _) => crate::evaluate::answered(m, evaluation, value, next),
        _ => State::Give(value, next),
    }
}

/// What was emitted in the nearest scope of this name.
fn scope_of(kont: &Kont<'_>, name: Word) -> Option<Word> {
    kont.marks().find_map(|(mark, _)| match &mark.kind {
        MarkKind::Scope(key, emitted) if *key == name => Some(*emitted),
        _ => None,
    })
}

impl<'a> Machine<'a> {
    /// A new extent.
    pub fn new_extent(&mut self, kind: MarkKind) -> Step<'a> {
        Step::Mark(Mark {
            id: self.new_mark(),
            kind,
        })
    }

    /// Calls a thunk in a new extent.
    fn within(&mut self, kind: MarkKind, thunk: Word, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let extent = self.new_extent(kind);
        State::Call(thunk, vec![], kont.after_call(span, None).then(extent), self.nowhere)
    }

    /// The value bound to a key by the nearest extent that binds it.
    fn bound(&self, kont: &Kont<'a>, wanted: Word) -> Option<Word> {
        kont.marks().find_map(|(mark, _)| match &mark.kind {
            MarkKind::Binding(key, value) if *key == wanted => Some(*value),
            _ => None,
        })
    }

    /// A full continuation as a value.
    fn continuation(&mut self, kont: &Kont<'a>) -> Word {
        self.count_capture(kont);
        self.continuations.push(kont.clone());
        let number = Word::fixnum(self.continuations.len() as i64 - 1);
        objects::make(
            &mut self.heap,
            Type::Continuation,
            &[number, Word::NIL, Word::NIL, Word::NIL],
        )
    }

    fn parameter(&mut self, value: Word, converter: Word) -> Word {
        objects::make(&mut self.heap, Type::Parameter, &[value, converter])
    }

    /// `(shift k body…)`: the body runs under the same prompt; so does each use of `k`.
    fn shift(&mut self, f: Word, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let prompt = kont.marks().find(|(mark, _)| matches!(mark.kind, MarkKind::Prompt));
        let Some((_, at)) = prompt else {
            return self.fail(Code::Control, "shift: no enclosing reset", kont, span);
        };
        self.count_capture(&kont);
        let outside = at.next();
        let steps = kont.upto(&outside);
        let taken = self.resume_procedure("k", steps);
        State::Call(f, vec![taken], at.clone(), self.nowhere)
    }

    /// Converts the values of `parameterize` one after another, then binds them all.
    fn convert(
        &mut self,
        bindings: Rc<Vec<Word>>,
        done: Vec<Word>,
        thunk: Word,
        kont: Kont<'a>,
        span: &'a Span,
    ) -> State<'a> {
        if let Some([parameter, value]) = bindings.chunks(2).nth(done.len()) {
            if !objects::is(*parameter, Type::Parameter) {
                let message = "parameterize: expected a parameter";
                return self.fail(Code::Type, message, kont, span);
            }
            let converter = objects::field(*parameter, parameter::CONVERTER);
            let (value, step) = (*value, Step::Convert(bindings.clone(), done, thunk));
            return match converter {
                Word::NIL => State::Give(value, kont.then(step)),
                converter => State::Call(converter, vec![value], kont.then(step), self.nowhere),
            };
        }
        let mut inside = kont.after_call(span, None);
        for (binding, value) in bindings.chunks(2).zip(done) {
            let extent = self.new_extent(MarkKind::Binding(binding[0], value));
            inside = inside.then(extent);
        }
        State::Call(thunk, vec![], inside, span)
    }

    /// `(perform request)`: the nearest handler of the op runs outside its own extent, with the
    /// continuation up to and with that extent; if there is none, the edge answers.
    fn perform(&mut self, request: Word, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let Some((op, args)) = self.op_of(request) else {
            let message = "perform: expected {:op name :args list} or (op arg …)";
            return self.fail(Code::Type, message, kont, span);
        };
        let request = if objects::is(request, Type::Dict) {
            request
        } else {
            self.request(&op, &args)
        };
        self.count_capture(&kont);
        let marks: Vec<_> = kont.marks().map(|(mark, at)| (mark.kind.clone(), at)).collect();
        for (kind, at) in marks {
            if let MarkKind::Effect(handlers) = kind
                && let Some(handler) = self.handler_of(handlers, &op)
            {
                let outside = at.next();
                let steps = kont.upto(&outside);
                let resume = self.resume_procedure("resume", steps);
                return State::Call(handler, vec![request, resume], outside, self.nowhere);
            }
        }
        self.perform_outside(&op, &args, kont, span)
    }

    /// The handler for an op among those of a `with-handler`.
    fn handler_of(&self, handlers: Word, op: &str) -> Option<Word> {
        if !objects::is(handlers, Type::Dict) {
            return Some(handlers);
        }
        self.get(handlers, op).filter(|handler| *handler != Word::NIL)
    }

    /// Op and arguments of a request.
    fn op_of(&self, request: Word) -> Option<(String, Vec<Word>)> {
        let (op, args) = if objects::is(request, Type::Dict) {
            (
                self.get(request, "op")?,
                self.elements(self.get(request, "args").unwrap_or(Word::NIL)),
            )
        } else {
            let items = self.elements(request);
            (*items.first()?, items[1..].to_vec())
        };
        let name = objects::value(&self.heap, op).as_name()?.to_owned();
        Some((name, args))
    }

    /// Notes which functions of the core library a capture happens in.
    fn count_capture(&mut self, kont: &Kont<'a>) {
        let around = kont.frames().take(200).filter_map(|frame| match &frame.step {
            Step::Return(site) => site.callee.filter(|callee| is_core(&callee.body.span))?.name.as_ref(),
            _ => None,
        });
        let names: Vec<&str> = around.map(|name| name.trim_start_matches('%')).collect();
        for name in &names {
            *self
                .counts
                .captured_in
                .entry(((*name).to_owned(), names.len().min(3)))
                .or_default() += 1;
        }
    }

    /// A request in the form that handlers see, whichever form it was made in.
    fn request(&mut self, op: &str, args: &[Word]) -> Word {
        let entries = vec![
            self.string("op"),
            self.string(op),
            self.string("args"),
            self.list(args.to_vec()),
        ];
        let made = prims::by_name("dict").map(|id| self.primitive(id, entries));
        made.and_then(Result::ok).unwrap_or(Word::NIL)
    }

    fn perform_outside(&mut self, op: &str, args: &[Word], kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let mut line = op.to_owned();
        for arg in args {
            line += " ";
            line += &self.print(*arg, Style::Write);
        }
        self.effects.push(line);
        match self.edge.perform(op, args.len()) {
            Answer::Argument(i) => State::Give(args.get(i).copied().unwrap_or(Word::NIL), kont),
            Answer::Integer(i) => State::Give(Word::fixnum(i), kont),
            Answer::Unhandled => self.fail(Code::Effect, format!("Unhandled effect: {op}"), kont, span),
        }
    }

    /// Adds to a list.
    fn append(&mut self, list: Word, value: Word) {
        let bytes = size_of_append(objects::value(&self.heap, list)).unwrap_or(0);
        objects::reserve(&mut self.heap, bytes);
        self.heap
            .append(objects::value(&self.heap, list), objects::value(&self.heap, value));
    }
}
