//! Conditions: making errors, finding who takes them, and changing winds on the way.
//!
//! A handler of `handler-bind` runs where the condition was raised, with every extent from there
//! down to its own masked; that of `guard` runs outside, once the winds between are left.

use crate::env::{Goal, Kont, MarkKind, Rewind, Signal, Step, is_core};
use crate::machine::{Machine, State};
use crate::objects;
use crate::outcome::Ending;
use std::rc::Rc;
use sx_runtime::error::{Code, Raise};
use sx_runtime::object::{self, Type};
use sx_runtime::print::Style;
use sx_runtime::syntax::Span;
use sx_runtime::value::Word;

/// Where an operation at `span` stands for the program: there, or at the call by which the
/// program got into the core library. A tail call has no frame to stand for it, so the call whose
/// value it was to give is as good an answer; the best one comes first.
pub fn places<'a>(kont: &Kont<'a>, span: &'a Span) -> Vec<&'a Span> {
    let mut found: Vec<&Span> = vec![];
    if !is_core(span) {
        found.push(span);
    }
    for frame in kont.frames() {
        if let Step::Return(site) = &frame.step {
            found.extend(site.tail);
            found.extend((!is_core(site.call)).then_some(site.call));
        }
        if !found.is_empty() {
            break;
        }
    }
    // What a macro procedure does, it does for the use of the macro.
    for frame in kont.frames() {
        if let Step::Evaluate(_, Some(usage)) = &frame.step {
            found.insert(0, usage);
        }
    }
    found
}

impl<'a> Machine<'a> {
    /// An error object.
    pub fn error(&mut self, code: &str, message: &str, irritants: Vec<Word>, places: Vec<&'a Span>) -> Word {
        let (code, message) = (self.string(code), self.string(message));
        let irritants = self.list(irritants);
        let fields = [code, message, irritants, Word::NIL, Word::NIL, Word::NIL];
        let made = objects::make(&mut self.heap, Type::Error, &fields);
        self.places.insert(made.0, places);
        made
    }

    /// An operation at `span` fails.
    pub fn fail(&mut self, code: Code, message: impl AsRef<str>, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let error = self.error(code.text(), message.as_ref(), vec![], places(&kont, span));
        self.raise(error, false, kont, span)
    }

    /// A primitive called with `args` at `span` fails.
    pub fn raise_of(&mut self, raise: Raise, args: &[Word], kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let irritants = match &raise {
            Raise::Condition(condition) => condition
                .irritants
                .iter()
                .filter_map(|i| args.get(*i))
                .copied()
                .collect(),
            Raise::Memory => vec![],
        };
        let error = self.error(raise.code().text(), raise.message(), irritants, places(&kont, span));
        self.raise(error, false, kont, span)
    }

    /// A variable has no value.
    pub fn undefined(&mut self, name: &str, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        self.fail(Code::Undefined, format!("Undefined symbol: {name}"), kont, span)
    }

    /// A condition is raised by an operation at `span`.
    pub fn raise(&mut self, condition: Word, continuable: bool, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        if !objects::is(condition, Type::Error) {
            self.places.insert(condition.0, places(&kont, span));
        }
        let none = Rc::new(vec![]);
        let rest = kont.clone();
        self.signal(Signal {
            condition,
            raised: kont,
            span,
            rest,
            handlers: none,
            extent: 0,
            continuable,
        })
    }

    /// Looks for the next extent that takes a condition.
    fn signal(&mut self, signal: Signal<'a>) -> State<'a> {
        let mut masked = None;
        let rest = signal.rest.clone();
        for (mark, at) in rest.marks() {
            match (&mark.kind, masked) {
                (_, Some(id)) if id == mark.id => masked = None,
                (_, Some(_)) => {}
                (MarkKind::Skip(id), None) => masked = Some(*id),
                (MarkKind::Guard(handler), None) => {
                    self.finish_coroutines(&signal.raised, &at);
                    let goal = Goal::Call(*handler, vec![signal.condition], at.next());
                    return self.rewind(&signal.raised, &at.next(), goal, signal.span);
                }
                (MarkKind::Bind(handlers), None) => {
                    let (handlers, rest) = (handlers.clone(), at.next());
                    return self.choose(
                        Rc::new(Signal {
                            handlers,
                            rest,
                            extent: mark.id,
                            ..signal
                        }),
                        0,
                    );
                }
                _ => {}
            }
        }
        // Nobody: the winds are left, then the program has failed.
        let goal = Goal::Fail(signal.condition);
        self.rewind(&signal.raised, &Kont(None), goal, signal.span)
    }

    /// Asks the predicates of an extent from number `i` on.
    fn choose(&mut self, signal: Rc<Signal<'a>>, i: usize) -> State<'a> {
        match signal.handlers.get(i) {
            None => {
                let rest = signal.rest.clone();
                let (condition, raised, handlers) = (signal.condition, signal.raised.clone(), signal.handlers.clone());
                let (extent, continuable, span) = (signal.extent, signal.continuable, signal.span);
                self.signal(Signal {
                    condition,
                    raised,
                    span,
                    rest,
                    handlers,
                    extent,
                    continuable,
                })
            }
            Some(predicate) => {
                let kont = self.masked(&signal).then(Step::Choose(signal.clone(), i));
                if objects::value(&self.heap, *predicate).is_callable() {
                    State::Call(*predicate, vec![signal.condition], kont, signal.span)
                } else {
                    State::Give(*predicate, kont)
                }
            }
        }
    }

    /// Where the handlers of an extent run.
    fn masked(&mut self, signal: &Signal<'a>) -> Kont<'a> {
        let mark = self.new_extent(MarkKind::Skip(signal.extent));
        signal.raised.then(mark)
    }

    /// A predicate has answered.
    pub fn chosen(&mut self, signal: Rc<Signal<'a>>, i: usize, answer: Word) -> State<'a> {
        match signal.handlers.get(i + 1) {
            Some(handler) if answer.is_truthy() => {
                let kont = self.masked(&signal).then(Step::Handled(signal.clone()));
                State::Call(*handler, vec![signal.condition], kont, signal.span)
            }
            _ => self.choose(signal, i + 2),
        }
    }

    /// A handler has returned.
    pub fn handled(&mut self, signal: Rc<Signal<'a>>, answer: Word) -> State<'a> {
        if signal.continuable {
            return State::Give(answer, signal.raised.clone());
        }
        self.choose(signal.clone(), signal.handlers.len())
    }

    /// Runs the thunks of the winds that are left and entered between two continuations.
    pub fn rewind(&mut self, from: &Kont<'a>, to: &Kont<'a>, goal: Goal<'a>, span: &'a Span) -> State<'a> {
        let (mut left, mut entered) = (from.winds(), to.winds());
        while let (Some((a, _)), Some((b, _))) = (left.last(), entered.last())
            && Rc::ptr_eq(a, b)
        {
            left.pop();
            entered.pop();
        }
        let afters = left.into_iter().map(|(wind, outside)| (wind.after, outside));
        let befores = entered.into_iter().rev().map(|(wind, outside)| (wind.before, outside));
        let thunks = afters.chain(befores).collect();
        self.rewind_from(Rc::new(Rewind { span, thunks, goal }), 0)
    }

    /// Goes on with thunk number `i`.
    pub fn rewind_from(&mut self, rewind: Rc<Rewind<'a>>, i: usize) -> State<'a> {
        if let Some((thunk, outside)) = rewind.thunks.get(i) {
            let kont = outside.then(Step::Rewind(rewind.clone(), i + 1));
            return State::Call(*thunk, vec![], kont, rewind.span);
        }
        match rewind.goal.clone() {
            Goal::Give(value, kont) => State::Give(value, kont),
            Goal::Call(callee, args, kont) => State::Call(callee, args, kont, rewind.span),
            Goal::Fail(condition) => self.uncaught(condition),
        }
    }

    fn uncaught(&mut self, condition: Word) -> State<'a> {
        let message = if objects::is(condition, Type::Error) {
            self.text(objects::field(condition, object::error::MESSAGE))
        } else {
            format!("Uncaught: {}", self.print(condition, Style::Write))
        };
        let places = self.places.get(&condition.0).cloned().unwrap_or_default();
        State::End(Ending::Error(message, places))
    }
}
