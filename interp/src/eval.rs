//! Evaluation as a value: what is left to read, expand and run of a text or a form.
//!
//! An evaluation never calls SX. `step` goes on until it needs a function called (a compiled
//! form, a macro, the transformer of a local macro) and answers which; `%evaluate` in the core
//! library calls it and hands the value to the next step. So a macro, a loaded file or an
//! evaluated form can suspend anywhere, and, the steps being immutable, be resumed twice.

use crate::compile::{CompileEnv, CompileError, Options, compile};
use crate::core::Core;
use crate::expand::{Answer, Expansion, GlobalMacro, Globals, Library, MacroRef, Rules, Step, TopEnv, Warning};
use crate::read::{SyntaxError, read_all};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use sx_runtime::chunk::Chunk;
use sx_runtime::isolate;
use sx_runtime::prims;
use sx_runtime::syntax::{Name, Source, Span, Stx};

/// A macro of the isolate, by row.
#[derive(Clone)]
pub enum MacroRow {
    /// A procedure: row of `State::embedded`.
    Procedure(usize),
    /// `syntax-rules`.
    Rules(Rc<Rules>),
    /// From `register-special-form!`: row of `State::embedded`.
    SpecialForm(usize),
}

/// What the evaluations of an isolate share.
pub struct Evaluator {
    /// The program's top level.
    pub program: Rc<TopEnv>,
    /// Macros by row.
    pub macros: Vec<MacroRow>,
    /// Rows of the macros that globals hold, by the global's name.
    pub global_macros: HashMap<Name, u32>,
    /// Every chunk compiled at top level, when they are being collected for an image.
    pub recorded: Option<Vec<Arc<Chunk>>>,
    /// Text being compiled is the core library.
    pub core: bool,
    /// Libraries that were imported or defined, by name.
    pub libraries: RefCell<HashMap<Name, Rc<Library>>>,
}

impl Evaluator {
    /// Nothing defined yet.
    pub fn new() -> Evaluator {
        Evaluator {
            program: TopEnv::program(),
            macros: vec![],
            global_macros: HashMap::new(),
            recorded: None,
            core: false,
            libraries: RefCell::default(),
        }
    }
}

impl Default for Evaluator {
    fn default() -> Self {
        Evaluator::new()
    }
}

/// What the expander and the compiler may ask about globals.
pub struct View<'a> {
    /// The macros.
    pub evaluator: &'a Evaluator,
    /// The globals.
    pub globals: &'a isolate::Globals,
}

impl Globals for View<'_> {
    fn macro_of(&self, global: &str) -> Option<GlobalMacro> {
        let row = *self.evaluator.global_macros.get(global)?;
        Some(match self.evaluator.macros.get(row as usize)? {
            MacroRow::Procedure(_) => GlobalMacro::Procedure(MacroRef(row)),
            MacroRow::Rules(rules) => GlobalMacro::Rules(rules.clone()),
            MacroRow::SpecialForm(_) => GlobalMacro::SpecialForm,
        })
    }
    fn is_bound(&self, global: &str) -> bool {
        self.globals.find(global).is_some()
    }
}

impl CompileEnv for View<'_> {
    fn is_primitive(&self, name: &str, argc: usize) -> bool {
        let id = if self.evaluator.core {
            self.globals.core_primitive(name)
        } else {
            self.globals.primitive(name)
        };
        id.is_some_and(|id| {
            let (least, most) = prims::get(id).arity();
            argc >= least && most.is_none_or(|m| argc <= m)
        })
    }
}

/// What is left to do, innermost first.
#[derive(Clone)]
enum Work {
    /// Forms from a row on.
    Forms(Rc<Vec<Stx>>, usize, Rc<TopEnv>),
    /// A form being expanded.
    Expand(Expansion),
}

struct Rest {
    work: Work,
    next: Option<Rc<Rest>>,
}

/// What the value of the call that was asked for means.
#[derive(Clone)]
enum Awaits {
    /// Nothing was asked for yet.
    Nothing,
    /// The value of a form.
    Value,
    /// What a macro expanded to; nodes without a place get this one.
    Form(Expansion, Span),
    /// A macro procedure.
    Macro(Expansion),
}

/// An evaluation in progress.
#[derive(Clone)]
pub struct Evaluation {
    rest: Option<Rc<Rest>>,
    awaits: Awaits,
}

/// What the evaluation is told.
pub enum Told {
    /// Begin, or the value of a form, which the caller keeps.
    Value,
    /// What a macro expanded to.
    Form(Stx),
    /// The row of a macro.
    Macro(u32),
}

/// What a step comes to.
pub enum Next {
    /// Call this chunk's closure without arguments.
    Run(Arc<Chunk>, Evaluation),
    /// Call the macro with the operands of the form.
    Macro(u32, Stx, Evaluation),
    /// The value last told is the evaluation's value.
    Done,
    /// This form is its value.
    Form(Stx),
}

/// Why an evaluation ends early.
pub enum EvalError {
    /// The text is wrong.
    Syntax(Vec<SyntaxError>),
}

impl From<CompileError> for EvalError {
    fn from(e: CompileError) -> EvalError {
        EvalError::Syntax(vec![SyntaxError::new(e.message, e.span)])
    }
}

impl Evaluation {
    fn of(work: Work) -> Evaluation {
        Evaluation {
            rest: Some(Rc::new(Rest { work, next: None })),
            awaits: Awaits::Nothing,
        }
    }
    /// Of a text, its forms one after the other.
    pub fn text(source: Arc<Source>, top: &Rc<TopEnv>) -> Result<Evaluation, EvalError> {
        let forms = read_all(source).map_err(EvalError::Syntax)?;
        Ok(Evaluation::of(Work::Forms(Rc::new(forms), 0, top.clone())))
    }
    /// Of one form.
    pub fn form(form: Stx, top: &Rc<TopEnv>) -> Evaluation {
        Evaluation::of(Work::Expand(Expansion::new(form, top)))
    }
    /// Of the macro use at the head of a form.
    pub fn macroexpand(form: Stx, top: &Rc<TopEnv>) -> Evaluation {
        Evaluation::of(Work::Expand(Expansion::macroexpand(form, top)))
    }
    /// Does it wait for what a macro expands to? Then this is the place of the use.
    pub fn awaits_form(&self) -> Option<&Span> {
        match &self.awaits {
            Awaits::Form(_, span) => Some(span),
            _ => None,
        }
    }
    /// Does it wait for the value of a form?
    pub fn awaits_value(&self) -> bool {
        matches!(self.awaits, Awaits::Value)
    }
    /// Does it wait for a macro procedure?
    pub fn awaits_macro(&self) -> bool {
        matches!(self.awaits, Awaits::Macro(_))
    }

    fn push(&mut self, work: Work) {
        let next = self.rest.take();
        self.rest = Some(Rc::new(Rest { work, next }));
    }
    fn pop(&mut self) -> Option<Work> {
        let rest = self.rest.take()?;
        self.rest = rest.next.clone();
        Some(rest.work.clone())
    }

    /// Goes on until a call is needed or nothing is left. Warnings are added to `warnings`.
    pub fn step(mut self, told: Told, view: &View<'_>, warnings: &mut Vec<Warning>) -> Result<Next, EvalError> {
        let mut pending = match (std::mem::replace(&mut self.awaits, Awaits::Nothing), told) {
            (Awaits::Form(expansion, _), Told::Form(form)) => Some(expansion.step(Answer::Form(form), view)),
            (Awaits::Macro(expansion), Told::Macro(row)) => Some(expansion.step(Answer::Macro(MacroRef(row)), view)),
            _ => None,
        };
        loop {
            if let Some(step) = pending.take() {
                if let Some(next) = self.expanded(step, view, warnings)? {
                    return Ok(next.with(self));
                }
            }
            match self.pop() {
                None => return Ok(Next::Done),
                Some(Work::Forms(forms, at, top)) => {
                    if let Some(form) = forms.get(at).cloned() {
                        self.push(Work::Forms(forms, at + 1, top.clone()));
                        pending = Some(Expansion::new(form, &top).step(Answer::Go, view));
                    }
                }
                Some(Work::Expand(expansion)) => pending = Some(expansion.step(Answer::Go, view)),
            }
        }
    }

    fn expanded(&mut self, step: Step, view: &View<'_>, warnings: &mut Vec<Warning>) -> Result<Option<Ask>, EvalError> {
        match step {
            Step::Done(core, more) => {
                warnings.extend(more);
                self.awaits = Awaits::Value;
                Ok(Some(Ask::Run(compile_in(&core, view)?)))
            }
            Step::Expanded(form) => Ok(Some(Ask::Form(form))),
            Step::Forms(expansions) => {
                expansions.into_iter().rev().for_each(|e| self.push(Work::Expand(e)));
                Ok(None)
            }
            Step::NeedMacro {
                procedure,
                form,
                span,
                next,
            } => {
                self.awaits = Awaits::Form(next, span);
                Ok(Some(Ask::Macro(procedure.0, form)))
            }
            Step::NeedEval { core, next, .. } => {
                self.awaits = Awaits::Macro(next);
                Ok(Some(Ask::Run(compile_in(&core, view)?)))
            }
            Step::Pause(expansion) => {
                self.push(Work::Expand(expansion));
                Ok(None)
            }
            Step::Import(..) | Step::Library(_) | Step::Include(..) => Ok(None),
            Step::Err(error) => Err(EvalError::Syntax(vec![error])),
        }
    }
}

/// A `Next` before the evaluation goes with it.
enum Ask {
    Run(Arc<Chunk>),
    Macro(u32, Stx),
    Form(Stx),
}

impl Ask {
    fn with(self, evaluation: Evaluation) -> Next {
        match self {
            Ask::Run(chunk) => Next::Run(chunk, evaluation),
            Ask::Macro(row, form) => Next::Macro(row, form, evaluation),
            Ask::Form(form) => Next::Form(form),
        }
    }
}

fn compile_in(core: &Core, view: &View<'_>) -> Result<Arc<Chunk>, CompileError> {
    compile(
        core,
        view,
        Options {
            core: view.evaluator.core,
        },
    )
}
