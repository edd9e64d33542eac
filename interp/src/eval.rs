//! Evaluation as a value: what is left to read, expand and run of a text or a form.
//!
//! An evaluation never calls SX. `step` goes on until it needs a function called (a compiled
//! form, a macro, the transformer of a local macro) and answers which; `%evaluate` in the core
//! library calls it and hands the value to the next step. So a macro, a loaded file or an
//! evaluated form can suspend anywhere, and, the steps being immutable, be resumed twice.
//! Only what libraries there are and what top levels define is shared by all evaluations.

mod load;
mod modules;

pub use load::LoadError;
pub use modules::Module;

use crate::bundle::Bundle;
use crate::compile::{CompileEnv, CompileError, Options, compile};
use crate::core::Core;
use crate::expand::{
    Answer, Expansion, GlobalMacro, Globals, ImportSet, Inclusion, Library, MacroRef, Rules, Step, TopEnv, Warning,
};
use crate::image::Image;
use crate::read::{SyntaxError, read_all};
use load::Loads;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use sx_runtime::chunk::Chunk;
use sx_runtime::error::Code;
use sx_runtime::fault::{Fault, planted};
use sx_runtime::host::Host;
use sx_runtime::html::tag_of;
use sx_runtime::isolate;
use sx_runtime::prims;
use sx_runtime::syntax::{Language, Name, Node, Source, Span, Stx, Syntax};

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
    /// The top level of the Scheme programs it runs.
    pub scheme: Rc<TopEnv>,
    /// Macros by row.
    pub macros: Vec<MacroRow>,
    /// Rows of the macros that globals hold, by the global's name.
    pub global_macros: HashMap<Name, u32>,
    /// Every chunk compiled at top level, when they are being collected for an image.
    pub recorded: Option<Vec<Arc<Chunk>>>,
    /// Text being compiled is the core library.
    pub core: bool,
    /// Libraries that were imported or defined, by name.
    pub libraries: RefCell<HashMap<Name, Rc<Module>>>,
    /// The libraries inside the binary.
    pub bundle: Arc<Bundle>,
    /// Which files of it have been loaded.
    loads: RefCell<Loads>,
}

impl Evaluator {
    /// Nothing defined yet.
    pub fn new() -> Evaluator {
        let scheme = Module::environment(SCHEME_PROGRAM);
        Evaluator {
            program: TopEnv::program(),
            scheme: scheme.top.clone(),
            macros: vec![],
            global_macros: HashMap::new(),
            recorded: None,
            core: false,
            libraries: RefCell::new(HashMap::from([(SCHEME_PROGRAM.into(), Rc::new(scheme))])),
            bundle: Arc::default(),
            loads: RefCell::default(),
        }
    }
    /// A new top level for Scheme, that nothing can import; its name.
    pub fn new_scheme_top(&self) -> Name {
        let mut libraries = self.libraries.borrow_mut();
        let name: Name = format!("<environment-{}>", libraries.len()).into();
        libraries.insert(name.clone(), Rc::new(Module::environment(&name)));
        name
    }
    /// The top level where the forms of a text are evaluated.
    pub fn top_of(&self, source: &Source) -> Rc<TopEnv> {
        match source.language {
            Language::Sx => self.program.clone(),
            Language::Scheme => self.scheme.clone(),
        }
    }
}

/// What the top level of Scheme programs is called among the libraries.
const SCHEME_PROGRAM: &str = "<program>";

impl Evaluator {
    /// A run begins: libraries whose definition or loading began in an earlier one and did not end
    /// are tried again.
    pub fn begin_run(&self) {
        self.loads.borrow_mut().begin_run();
        for module in self.libraries.borrow().values() {
            module.begun.set(false);
        }
    }
}

impl Default for Evaluator {
    fn default() -> Self {
        Evaluator::new()
    }
}

/// What an evaluation may ask about macros, globals and files.
pub struct View<'a> {
    evaluator: &'a Evaluator,
    globals: &'a isolate::Globals,
    host: RefCell<&'a mut dyn Host>,
}

impl<'a> View<'a> {
    /// A view of an isolate's macros, globals and files.
    pub fn new(evaluator: &'a Evaluator, globals: &'a isolate::Globals, host: &'a mut dyn Host) -> View<'a> {
        View {
            evaluator,
            globals,
            host: RefCell::new(host),
        }
    }
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
        self.globals.is_bound(global)
    }
    fn is_built_in(&self, name: &str) -> bool {
        self.globals.is_core_bound(name)
    }
    fn has_library(&self, name: &str) -> bool {
        self.exports_of(name).is_some() || self.library_place(name, "").is_some()
    }
    fn included(&self, inclusion: &Inclusion) -> Result<Vec<Stx>, SyntaxError> {
        let unreadable = |error: EvalError| error.into_first(&inclusion.span);
        self.forms_of_files(inclusion).map_err(unreadable)
    }
}

impl CompileEnv for View<'_> {
    fn is_primitive(&self, name: &str, argc: usize) -> bool {
        let id = if self.evaluator.core || planted(Fault::ShadowingIgnored) {
            self.globals.core_primitive(name)
        } else {
            self.globals.primitive(name)
        };
        id.is_some_and(|id| {
            let (least, most) = prims::get(id).arity();
            argc >= least && most.is_none_or(|m| argc <= m)
        })
    }
    fn element<'n>(&self, name: &'n str) -> Option<&'n str> {
        tag_of(name).filter(|_| !self.globals.is_bound(name))
    }
    fn means_core(&self, name: &str) -> bool {
        self.globals.means_core(name)
    }
}

/// What is left to do, innermost first.
#[derive(Clone)]
enum Work {
    /// Forms from a row on.
    Forms(Rc<Vec<Stx>>, usize, Rc<TopEnv>),
    /// A form being expanded.
    Expand(Expansion),
    /// Imports into a top level, from a row on.
    Import(Rc<Vec<ImportSet>>, usize, Rc<TopEnv>),
    /// The body of a library has been evaluated: it can be imported now.
    Defined(Rc<Library>, Rc<Module>),
    /// The file in which a library was looked for has been evaluated.
    Searched(Name, Arc<Source>, Span),
    /// The chunks of an image from a row on.
    Image(Arc<Image>, usize),
    /// The library file has been evaluated: it is loaded.
    Loaded(Name),
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
    /// The last form was a declaration, whose value is nil.
    declared: bool,
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
#[derive(Debug)]
pub enum EvalError {
    /// The text is no data.
    Read(Vec<SyntaxError>),
    /// A form of the text is wrong.
    Syntax(Vec<SyntaxError>),
    /// A library or a name in one, or a file, is not there.
    Import(SyntaxError),
}

impl EvalError {
    /// The kind of condition, and the errors themselves.
    pub fn into_parts(self) -> (Code, Vec<SyntaxError>) {
        match self {
            EvalError::Read(errors) => (Code::Read, errors),
            EvalError::Syntax(errors) => (Code::Syntax, errors),
            EvalError::Import(error) => (Code::Import, vec![error]),
        }
    }
    /// The first of the errors; one at the place if there is none.
    fn into_first(self, span: &Span) -> SyntaxError {
        let first = self.into_parts().1.into_iter().next();
        first.unwrap_or_else(|| SyntaxError::new("unreadable text", span.clone()))
    }
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
            declared: false,
        }
    }
    /// Of a text, its forms one after the other.
    pub fn text(source: Arc<Source>, top: &Rc<TopEnv>) -> Result<Evaluation, EvalError> {
        let span = Span::start(&source);
        let forms = read_all(source).map_err(EvalError::Read)?;
        let imports = top.imports_unsaid(&forms, &span);
        let mut evaluation = Evaluation::of(Work::Forms(Rc::new(forms), 0, top.clone()));
        if let Some(sets) = imports {
            evaluation.push(Work::Import(Rc::new(sets), 0, top.clone()));
        }
        Ok(evaluation)
    }
    /// Of nothing; its value is nil.
    pub fn nothing() -> Evaluation {
        Evaluation {
            rest: None,
            awaits: Awaits::Nothing,
            declared: true,
        }
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
    /// Adds what is to be done last.
    fn then(&mut self, last: Work) {
        let items: Vec<Work> = std::iter::from_fn(|| self.pop()).collect();
        self.push(last);
        items.into_iter().rev().for_each(|work| self.push(work));
    }
    fn pop(&mut self) -> Option<Work> {
        let rest = self.rest.take()?;
        self.rest = rest.next.clone();
        Some(rest.work.clone())
    }

    /// Goes on until a call is needed or nothing is left. Warnings are added to `warnings`.
    pub fn step(mut self, told: Told, view: &View<'_>, warnings: &mut Vec<Warning>) -> Result<Next, EvalError> {
        let mut pending = match (std::mem::replace(&mut self.awaits, Awaits::Nothing), told) {
            (Awaits::Form(expansion, _), Told::Form(form)) => Some((expansion, Answer::Form(form))),
            (Awaits::Macro(expansion), Told::Macro(row)) => Some((expansion, Answer::Macro(MacroRef(row)))),
            _ => None,
        };
        loop {
            if let Some((expansion, answer)) = pending.take() {
                let top = expansion.top().clone();
                if let Some(ask) = self.expanded(expansion.step(answer, view), &top, view, warnings)? {
                    return Ok(ask.with(self));
                }
            }
            match self.pop() {
                None if self.declared => return Ok(Next::Form(Syntax::new(Node::Nil, Span::none()))),
                None => return Ok(Next::Done),
                Some(Work::Forms(forms, at, top)) => {
                    let copies = top.own_imports(&forms, at, view);
                    if !copies.is_empty() {
                        self.push(Work::Forms(forms, at, top.clone()));
                        let expansions = copies.into_iter().map(|form| Expansion::new(form, &top));
                        expansions.for_each(|expansion| self.push(Work::Expand(expansion)));
                    } else if let Some(form) = forms.get(at).cloned() {
                        self.push(Work::Forms(forms, at + 1, top.clone()));
                        pending = Some((Expansion::new(form, &top), Answer::Go));
                    }
                }
                Some(Work::Expand(expansion)) => pending = Some((expansion, Answer::Go)),
                Some(Work::Import(sets, at, top)) => self.import(sets, at, top, view)?,
                Some(Work::Defined(library, module)) => self.finish_library(&library, &module, view)?,
                Some(Work::Searched(name, source, span)) => view.check_found(&name, &source, &span)?,
                Some(Work::Image(image, at)) => {
                    if at == 0 {
                        image.adts.iter().for_each(|adt| view.evaluator.program.add_adt(adt));
                    }
                    if let Some(chunk) = image.chunks.get(at).cloned() {
                        self.push(Work::Image(image, at + 1));
                        self.awaits = Awaits::Value;
                        return Ok(Next::Run(chunk, self));
                    }
                }
                Some(Work::Loaded(name)) => {
                    view.evaluator.loads.borrow_mut().complete(&name);
                    self.declared = true;
                }
            }
        }
    }

    fn expanded(
        &mut self,
        step: Step,
        top: &Rc<TopEnv>,
        view: &View<'_>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Ask>, EvalError> {
        match step {
            Step::Done(core, more) => {
                warnings.extend(more);
                self.awaits = Awaits::Value;
                self.declared = false;
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
            Step::Import(sets, _) => {
                self.push(Work::Import(Rc::new(sets), 0, top.clone()));
                Ok(None)
            }
            Step::Library(library) => {
                self.begin_library(*library, view);
                Ok(None)
            }
            Step::Include(inclusion) => {
                let forms = view.forms_of_files(&inclusion)?;
                self.push(Work::Forms(Rc::new(forms), 0, top.clone()));
                Ok(None)
            }
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
