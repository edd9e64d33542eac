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
            found.extend(site.tails.into_iter().flatten());
            if !is_core(site.call) {
                found.push(site.call);
                break;
            }
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
        let message = format!("Undefined symbol: {}", self.own_name(name));
        self.fail(Code::Undefined, message, kont, span)
    }

    /// The name of a global as its library spells it.
    fn own_name<'n>(&self, global: &'n str) -> &'n str {
        match global.rsplit_once('#') {
            Some((library, own)) if self.evaluations.knows(library) => own,
            _ => global,
        }
    }

    /// The operator of a call has no value; the call as a whole is as good a place.
    pub fn undefined_operator(&mut self, name: &str, kont: Kont<'a>, span: &'a Span, call: &'a Span) -> State<'a> {
        let mut found = places(&kont, span);
        found.extend(places(&kont, call));
        let error = self.error(
            Code::Undefined.text(),
            &format!("Undefined symbol: {}", self.own_name(name)),
            vec![],
            found,
        );
        self.raise(error, false, kont, span)
    }

    /// A condition is raised by an operation at `span`.
    pub fn raise(&mut self, condition: Word, continuable: bool, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        if !objects::is(condition, Type::Error) {
            self.places.insert(condition.0, places(&kont, span));
        }
        self.signal(condition, continuable, kont.after_call(span, None))
    }

    /// Looks for the next extent that takes a condition.
    fn signal(&mut self, condition: Word, continuable: bool, kont: Kont<'a>) -> State<'a> {
        let mut masked = None;
        for (mark, at) in kont.marks() {
            match (&mark.kind, masked) {
                (_, Some(id)) if id == mark.id => masked = None,
                (_, Some(_)) => {}
                (MarkKind::Skip(id), None) => masked = Some(*id),
                (MarkKind::Guard(handler), None) => {
                    let goal = Goal::Handle(mark.id, *handler, condition);
                    return self.rewind(&kont, &at.next(), goal);
                }
                (MarkKind::Bind(handlers), None) => {
                    let (handlers, extent) = (handlers.clone(), mark.id);
                    let mask = self.new_extent(MarkKind::Skip(extent));
                    let signal = Signal {
                        condition,
                        handlers,
                        continuable,
                    };
                    return self.choose(signal, 0, kont.then(mask));
                }
                _ => {}
            }
        }
        // Nobody: the winds are left, then the program has failed.
        let goal = self.uncaught(condition);
        self.rewind(&kont, &Kont(None), goal)
    }

    /// Asks the predicates of an extent from number `i` on, with the extent masked; when there is
    /// none left, the search goes on outside.
    fn choose(&mut self, signal: Signal, i: usize, masked: Kont<'a>) -> State<'a> {
        let condition = signal.condition;
        let Some(predicate) = signal.handlers.get(i).copied() else {
            return self.signal(condition, signal.continuable, masked);
        };
        let kont = masked.then(Step::Choose(signal, i));
        if objects::value(&self.heap, predicate).is_callable() {
            State::Call(predicate, vec![condition], kont, self.nowhere)
        } else {
            State::Give(predicate, kont)
        }
    }

    /// A predicate has answered.
    pub fn chosen(&mut self, signal: Signal, i: usize, answer: Word, masked: Kont<'a>) -> State<'a> {
        match signal.handlers.get(i + 1).copied() {
            Some(handler) if answer.is_truthy() => {
                let condition = signal.condition;
                State::Call(
                    handler,
                    vec![condition],
                    masked.then(Step::Handled(signal)),
                    self.nowhere,
                )
            }
            _ => self.choose(signal, i + 2, masked),
        }
    }

    /// A handler has returned: its value is that of `raise-continuable`; `raise` asks on outside.
    pub fn handled(&mut self, signal: Signal, answer: Word, masked: Kont<'a>) -> State<'a> {
        if signal.continuable {
            return State::Give(answer, masked);
        }
        if self.is_final(&signal) {
            return self.fail(Code::Control, "raise: the handler returned", masked, self.nowhere);
        }
        self.signal(signal.condition, false, masked)
    }

    /// Is it the handler of Scheme's with-exception-handler?
    fn is_final(&self, signal: &Signal) -> bool {
        let first = signal.handlers.first().map(|word| objects::value(&self.heap, *word));
        first.and_then(|value| value.as_symbol()) == Some("final")
    }

    /// Runs the thunks of the winds that are left and entered between two continuations.
    pub fn rewind(&mut self, from: &Kont<'a>, to: &Kont<'a>, goal: Goal<'a>) -> State<'a> {
        let (mut left, mut entered) = (from.winds(), to.winds());
        while let (Some((a, _)), Some((b, _))) = (left.last(), entered.last())
            && Rc::ptr_eq(a, b)
        {
            left.pop();
            entered.pop();
        }
        let left = left.into_iter().map(|(wind, _)| wind).collect();
        let entered = entered
            .into_iter()
            .rev()
            .map(|(wind, outside)| (wind.before, outside))
            .collect();
        self.rewind_from(Rc::new(Rewind { left, entered, goal }), 0, from.clone())
    }

    /// Goes on with thunk number `i`.
    pub fn rewind_from(&mut self, rewind: Rc<Rewind<'a>>, i: usize, kont: Kont<'a>) -> State<'a> {
        if let Some(wind) = rewind.left.get(i) {
            let is_it = |other: &MarkKind| matches!(other, MarkKind::Wind(other) if Rc::ptr_eq(other, wind));
            let found = kont.marks().find(|(mark, _)| is_it(&mark.kind));
            let outside = found.map_or(Kont(None), |(_, at)| at.next());
            let kont = outside.then(Step::Rewind(rewind.clone(), i + 1));
            return State::Call(wind.after, vec![], kont, self.nowhere);
        }
        if let Some((before, outside)) = rewind.entered.get(i - rewind.left.len()) {
            let kont = outside.then(Step::Rewind(rewind.clone(), i + 1));
            return State::Call(*before, vec![], kont, self.nowhere);
        }
        match rewind.goal.clone() {
            Goal::Give(value, kont) => State::Give(value, kont),
            Goal::Handle(id, handler, condition) => {
                let found = kont.marks().find(|(mark, _)| mark.id == id);
                let outside = found.map_or(Kont(None), |(_, at)| at.next());
                State::Call(handler, vec![condition], outside, self.nowhere)
            }
            Goal::Fail(message, places) => State::End(Ending::Error(message, places)),
        }
    }

    /// The end by a condition, which is shown as it is before the winds are left.
    fn uncaught(&mut self, condition: Word) -> Goal<'a> {
        let message = if objects::is(condition, Type::Error) {
            self.text(objects::field(condition, object::error::MESSAGE))
        } else {
            format!("Uncaught: {}", self.print(condition, Style::Write))
        };
        let places = self.places.get(&condition.0).cloned().unwrap_or_default();
        Goal::Fail(message, places)
    }
}
