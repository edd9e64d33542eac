//! Environments and continuations, as linked lists that are never changed: a continuation is
//! taken by keeping a pointer to it, and resumed as often as one likes.
//!
//! Only the value of a variable is mutable, and it is shared by all who see the variable: a
//! variable is a place, whoever re-enters the code around it.

use crate::evaluate::Evaluation;
use std::cell::Cell;
use std::rc::Rc;
use sx_interp::core::{Core, Lambda, Var};
use sx_runtime::syntax::{Name, Span};
use sx_runtime::value::Word;

/// The variables visible somewhere.
#[derive(Clone, Default)]
pub struct Env(Option<Rc<Binding>>);

struct Binding {
    var: usize,
    value: Cell<Word>,
    outer: Env,
}

impl Env {
    /// This environment and one more variable.
    pub fn bind(&self, var: &Var, value: Word) -> Env {
        Env(Some(Rc::new(Binding {
            var: var.id(),
            value: Cell::new(value),
            outer: self.clone(),
        })))
    }
    fn place(&self, var: &Var) -> Option<&Cell<Word>> {
        let mut here = self;
        while let Some(binding) = &here.0 {
            if binding.var == var.id() {
                return Some(&binding.value);
            }
            here = &binding.outer;
        }
        None
    }
    /// The value of a variable; the expander has made sure that there is one.
    pub fn get(&self, var: &Var) -> Word {
        self.place(var).map_or(Word::UNBOUND, Cell::get)
    }
    /// Assigns a variable.
    pub fn set(&self, var: &Var, value: Word) {
        if let Some(place) = self.place(var) {
            place.set(value);
        }
    }
}

impl Drop for Env {
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut binding) = next.and_then(Rc::into_inner) {
            next = binding.outer.0.take();
        }
    }
}

/// A continuation: what is done with a value, then what is done with the result of that.
#[derive(Clone, Default)]
pub struct Kont<'a>(pub Option<Rc<Frame<'a>>>);

/// One thing to do with a value.
pub struct Frame<'a> {
    /// The thing.
    pub step: Step<'a>,
    /// What follows.
    pub next: Kont<'a>,
}

/// Is this a place in the core library?
pub fn is_core(span: &Span) -> bool {
    let name = &span.source.name;
    name.starts_with(CORE_SOURCES) || name == "<built-in>"
}

/// What the names of the core library's texts begin with.
pub const CORE_SOURCES: &str = "lib/core/";

/// Where a call comes from.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The call whose value is awaited.
    pub call: &'a Span,
    /// The tail calls of the program it was replaced by last, the very last one first.
    pub tails: [Option<&'a Span>; 4],
    /// The function that will give the value, if it is an SX function.
    pub callee: Option<&'a Lambda>,
}

/// What can be done with a value.
#[derive(Clone)]
pub enum Step<'a> {
    /// It decides between two expressions.
    If(&'a Core, &'a Core, Env),
    /// It is dropped; the other expressions follow.
    Seq(&'a [Core], Env),
    /// It is the value of a variable visible in the body.
    Let(&'a Var, &'a Core, Env),
    /// It is the value of the variable of binding number `.1`, which was bound already.
    Letrec(&'a [(Var, Core)], usize, &'a Core, Env),
    /// It is assigned.
    Assign(&'a Var, Env),
    /// It is assigned to a global variable.
    AssignGlobal(&'a Name, &'a Span),
    /// It becomes the value of a global variable.
    Define(&'a Name, &'a Span),
    /// It is one more operand of a call.
    Operand(&'a Core, Vec<Word>, Env),
    /// It is the value of a procedure: the caller goes on.
    Return(Site<'a>),
    /// It leaves a dynamic extent.
    Mark(Mark),
    /// It is dropped for another value.
    Replace(Word),
    /// One thunk of a change of winds has returned; the others follow, then the goal.
    Rewind(Rc<Rewind<'a>>, usize),
    /// The before-thunk has returned; the body follows.
    Wind(Rc<Winder>, Word),
    /// A predicate of `handler-bind` has said whether the handler after it takes the condition.
    Choose(Signal, usize),
    /// A handler of `handler-bind` has returned.
    Handled(Signal),
    /// It is the answer to a forwarded request.
    Forwarded(Word),
    /// It is a converted value of `parameterize`; the others follow, then the body.
    Convert(Rc<Vec<Word>>, Vec<Word>, Word),
    /// It is the converted value of a new parameter.
    NewParameter(Word),
    /// It is a procedure to call with these values.
    Apply(Vec<Word>, &'a Span),
    /// It is what an evaluation under way waited for: from the use of a macro at this place, or
    /// the value of a form.
    Evaluate(Rc<Evaluation>, Option<&'a Span>),
}

/// A dynamic extent.
#[derive(Clone)]
pub struct Mark {
    /// Tells extents apart; copies of one have its number.
    pub id: u64,
    /// What it is for.
    pub kind: MarkKind,
}

/// What a dynamic extent is for.
#[derive(Clone)]
pub enum MarkKind {
    /// `guard`, with its handler.
    Guard(Word),
    /// `handler-bind`: predicates and handlers.
    Bind(Rc<Vec<Word>>),
    /// Nothing between here and the extent of this number takes a condition.
    Skip(u64),
    /// `with-handler`: a dict or a function.
    Effect(Word),
    /// `parameterize`, `provide`: key and value.
    Binding(Word, Word),
    /// `scope`: its name and what was emitted.
    Scope(Word, Word),
    /// `dynamic-wind`.
    Wind(Rc<Winder>),
    /// `reset`.
    Prompt,
    /// The base of a running coroutine.
    Coroutine(usize),
}

/// The thunks of a `dynamic-wind`; its identity is the identity of the wind.
pub struct Winder {
    /// Called on entry.
    pub before: Word,
    /// Called on exit.
    pub after: Word,
}

/// A change from one set of winds to another. Winds to leave are found again in whatever
/// continuation the change goes on in, since that may be a copy of the one it began in.
pub struct Rewind<'a> {
    /// Winds to leave, innermost first.
    pub left: Vec<Rc<Winder>>,
    /// Before-thunks of the winds to enter, and the continuations they run in, outermost first.
    pub entered: Vec<(Word, Kont<'a>)>,
    /// What happens in the end.
    pub goal: Goal<'a>,
}

/// What happens once all winds are changed.
#[derive(Clone)]
pub enum Goal<'a> {
    /// A value goes to a continuation.
    Give(Word, Kont<'a>),
    /// The handler of the `guard` with this number is called with a condition, outside of it.
    Handle(u64, Word, Word),
    /// The program ends: the message of a condition that nobody took, and where it was.
    Fail(String, Vec<&'a Span>),
}

/// A condition at an extent of `handler-bind`.
#[derive(Clone)]
pub struct Signal {
    /// The condition.
    pub condition: Word,
    /// Predicates and handlers of the extent.
    pub handlers: Rc<Vec<Word>>,
    /// Was it raised by `raise-continuable`?
    pub continuable: bool,
}

impl<'a> Kont<'a> {
    /// This continuation with one more thing to do first.
    pub fn then(&self, step: Step<'a>) -> Kont<'a> {
        Kont(Some(Rc::new(Frame {
            step,
            next: self.clone(),
        })))
    }
    /// This continuation with a call of `callee` at `span` awaited before it; a tail call takes
    /// the place of the call it is in.
    pub fn after_call(&self, span: &'a Span, callee: Option<&'a Lambda>) -> Kont<'a> {
        match self.0.as_deref() {
            Some(Frame {
                step: Step::Return(site),
                next,
            }) => {
                let [a, b, c, _] = site.tails;
                let tails = if is_core(span) {
                    site.tails
                } else {
                    [Some(span), a, b, c]
                };
                next.then(Step::Return(Site {
                    call: site.call,
                    tails,
                    callee,
                }))
            }
            _ => self.then(Step::Return(Site {
                call: span,
                tails: [None; 4],
                callee,
            })),
        }
    }
    /// The things to do, in order.
    pub fn frames(&self) -> impl Iterator<Item = &Frame<'a>> {
        std::iter::successors(self.0.as_deref(), |frame| frame.next.0.as_deref())
    }
    /// The dynamic extents, innermost first, each with the continuation that begins with it.
    pub fn marks(&self) -> impl Iterator<Item = (&Mark, Kont<'a>)> {
        let mut here = self;
        std::iter::from_fn(move || {
            while let Some(frame) = &here.0 {
                let found = here.clone();
                here = &frame.next;
                if let Step::Mark(mark) = &frame.step {
                    return Some((mark, found));
                }
            }
            None
        })
    }
    /// What follows the first thing to do.
    pub fn next(&self) -> Kont<'a> {
        self.0.as_ref().map_or(Kont(None), |frame| frame.next.clone())
    }
    /// The things to do up to and without those of `end`, which this continuation leads to.
    pub fn upto(&self, end: &Kont<'a>) -> Vec<Step<'a>> {
        let end = end.0.as_ref().map(Rc::as_ptr);
        let inside = |frame: &&Frame<'a>| Some(std::ptr::from_ref(*frame)) != end;
        self.frames()
            .take_while(inside)
            .map(|frame| frame.step.clone())
            .collect()
    }
    /// These things to do, then this continuation.
    pub fn under(&self, steps: &[Step<'a>]) -> Kont<'a> {
        steps
            .iter()
            .rev()
            .fold(self.clone(), |kont, step| kont.then(step.clone()))
    }
    /// The winds entered and not left, innermost first, each with what follows it.
    pub fn winds(&self) -> Vec<(Rc<Winder>, Kont<'a>)> {
        let wind = |(mark, at): (&Mark, Kont<'a>)| match &mark.kind {
            MarkKind::Wind(winder) => Some((winder.clone(), at.next())),
            _ => None,
        };
        self.marks().filter_map(wind).collect()
    }
}

impl Drop for Kont<'_> {
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut frame) = next.and_then(Rc::into_inner) {
            next = frame.next.0.take();
        }
    }
}
