//! From text and data to steps of the machine: the program, `eval-expr`, `load`, macros, libraries.
//!
//! An evaluation under way is a list of what is still to do. It is never changed, only replaced,
//! so a continuation taken inside a macro transformer or between two forms of a program can be
//! used again like any other.

use crate::conditions::places;
use crate::env::{Env, Kont, Step, is_core};
use crate::machine::{Machine, State};
use crate::objects;
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use sx_interp::core::Core;
use sx_interp::expand::{
    Answer, Expansion, Export, GlobalMacro, Globals, ImportSet, Library, MacroRef, Rules, Step as Expanded, TopEnv,
};
use sx_interp::read::Reader;
use sx_runtime::convert::{Lists, size_of_syntax};
use sx_runtime::error::Code;
use sx_runtime::host::{Host, Stream};
use sx_runtime::object::{Type, macro_};
use sx_runtime::syntax::{Language, Name, Node, Source, Span, Stx, Syntax};
use sx_runtime::value::{Value, Word};

/// What a run keeps for good: core forms, and spans of the text.
#[derive(Default)]
pub struct Forms {
    first: OnceCell<Box<Kept>>,
}

struct Kept {
    core: Option<Core>,
    span: Span,
    next: OnceCell<Box<Kept>>,
}

impl Forms {
    fn keep<'a>(&'a self, end: &mut Option<&'a OnceCell<Box<Kept>>>, core: Option<Core>, span: Span) -> &'a Kept {
        let place = end.unwrap_or(&self.first);
        let kept = place.get_or_init(|| {
            Box::new(Kept {
                core,
                span,
                next: OnceCell::new(),
            })
        });
        *end = Some(&kept.next);
        kept
    }
}

impl Drop for Forms {
    fn drop(&mut self) {
        let mut next = self.first.take();
        while let Some(mut kept) = next {
            next = kept.next.take();
        }
    }
}

/// What a run knows about macros and libraries.
pub struct Evaluations<'a> {
    end: Option<&'a OnceCell<Box<Kept>>>,
    /// Macros by number.
    macros: Vec<GlobalMacro>,
    /// Macro procedures by number.
    procedures: Vec<Word>,
    /// Values that a macro put into a form, by row.
    rows: Vec<Word>,
    /// Exported names of each library, and the globals they mean.
    libraries: HashMap<Name, Vec<(Name, Name)>>,
    /// The top levels of libraries, of the Scheme program, of environments.
    tops: HashMap<Name, Rc<TopEnv>>,
    /// The top level of everything else that is evaluated.
    program: Rc<TopEnv>,
}

impl Default for Evaluations<'_> {
    fn default() -> Self {
        Evaluations {
            end: None,
            macros: vec![],
            procedures: vec![],
            rows: vec![],
            libraries: HashMap::new(),
            tops: HashMap::new(),
            program: TopEnv::program(),
        }
    }
}

impl Evaluations<'_> {
    /// Is there a top level of that name?
    pub fn knows(&self, name: &str) -> bool {
        self.tops.contains_key(name)
    }
}

/// An evaluation under way: what is still to do, the next thing last.
pub struct Evaluation(Vec<Work>);

#[derive(Clone)]
enum Work {
    /// The forms from this number on.
    Forms(Rc<Vec<Stx>>, usize, Rc<TopEnv>),
    /// An expansion goes on.
    Expand(Expansion, Given, Rc<TopEnv>),
    /// A macro procedure is answering, for the use at this place.
    AwaitForm(Expansion, Span, Rc<TopEnv>),
    /// A macro transformer is being made.
    AwaitMacro(Expansion, Rc<TopEnv>),
    /// A library is complete.
    Export(Name, Rc<Vec<Export>>, Rc<TopEnv>),
    /// Names are imported.
    Import(Rc<Vec<ImportSet>>, Rc<TopEnv>),
}

#[derive(Clone)]
enum Given {
    Go,
    Form(Stx),
    Macro(MacroRef),
}

/// What the top level of the Scheme program is called among the libraries.
const SCHEME_PROGRAM: &str = "<program>";

/// The evaluation of a program.
pub fn program<'a>(m: &mut Machine<'a>, forms: Vec<Stx>, source: &Arc<Source>) -> State<'a> {
    let scheme = TopEnv::scheme(SCHEME_PROGRAM);
    m.evaluations.tops.insert(SCHEME_PROGRAM.into(), scheme.clone());
    let top = if source.is_scheme() {
        scheme
    } else {
        m.evaluations.program.clone()
    };
    let imports = top.imports_unsaid(&forms, &Span::start(source));
    let mut todo = vec![Work::Forms(Rc::new(forms), 0, top.clone())];
    todo.extend(imports.map(|sets| Work::Import(Rc::new(sets), top)));
    evaluate(m, todo, Word::NIL, Kont(None))
}

/// The text of a library of R7RS. One that cannot be read is not found by who imports it.
fn library_text(name: &str) -> Option<&'static Arc<Source>> {
    static READ: Mutex<BTreeMap<String, Option<&'static Arc<Source>>>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    *read.entry(name.to_owned()).or_insert_with(|| {
        let file = format!("lib/r7rs/{}.sx", name.replace('.', "/"));
        let text = std::fs::read_to_string(Path::new(ROOT).join(&file)).ok()?;
        // There are a dozen of them, each read once a process.
        Some(Box::leak(Box::new(Source::new(file, text))))
    })
}

/// The root of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The globals as an expansion sees them.
struct Visible<'m, 'a>(&'m Machine<'a>);

impl Globals for Visible<'_, '_> {
    fn macro_of(&self, global: &str) -> Option<GlobalMacro> {
        let value = self.0.bound_global(global)?;
        let number = objects::is(value, Type::Macro).then(|| objects::number(value, macro_::INFO))?;
        self.0.evaluations.macros.get(number).cloned()
    }
    fn is_bound(&self, global: &str) -> bool {
        self.0.bound_global(global).is_some() || self.0.is_built_in(global)
    }
    fn has_library(&self, name: &str) -> bool {
        self.0.evaluations.libraries.contains_key(name) || library_text(name).is_some()
    }
}

/// Goes on with an evaluation whose last value is `value`.
fn evaluate<'a>(m: &mut Machine<'a>, evaluation: Vec<Work>, mut value: Word, kont: Kont<'a>) -> State<'a> {
    let mut todo = evaluation;
    while let Some(work) = todo.pop() {
        match work {
            Work::Forms(forms, i, top) => {
                let copies = top.own_imports(&forms, i, &Visible(m));
                if !copies.is_empty() {
                    todo.push(Work::Forms(forms, i, top.clone()));
                    let expansions = copies.into_iter().map(|form| Expansion::new(form, &top));
                    todo.extend(expansions.map(|e| Work::Expand(e, Given::Go, top.clone())));
                } else if let Some(form) = forms.get(i).cloned() {
                    todo.push(Work::Forms(forms, i + 1, top.clone()));
                    todo.push(Work::Expand(Expansion::new(form, &top), Given::Go, top));
                }
            }
            Work::Import(sets, top) => {
                if let Some(text) = missing(m, &sets) {
                    let forms = Rc::new(crate::run::read(text).unwrap_or_default());
                    todo.push(Work::Import(sets, top));
                    todo.push(Work::Forms(forms, 0, TopEnv::program()));
                    continue;
                }
                if let Err((message, span)) = import(m, &sets, &top) {
                    let span = m.keep_span(span);
                    return m.fail(Code::Import, message, kont, span);
                }
                value = Word::NIL;
            }
            Work::Export(name, exports, top) => {
                let visible = Visible(m);
                let names = exports
                    .iter()
                    .map(|e| (e.external.clone(), top.resolve(&e.internal, &visible)))
                    .collect();
                m.evaluations.libraries.insert(name, names);
                value = Word::NIL;
            }
            Work::Expand(expansion, given, top) => {
                let answer = match given {
                    Given::Go => Answer::Go,
                    Given::Form(form) => Answer::Form(form),
                    Given::Macro(number) => Answer::Macro(number),
                };
                match expand(m, expansion, answer, top, &mut todo, &kont) {
                    Next::Value(word) => value = word,
                    Next::Work => {}
                    Next::State(state) => return state,
                }
            }
            Work::AwaitForm(..) | Work::AwaitMacro(..) => {}
        }
    }
    State::Give(value, kont)
}

enum Next<'a> {
    Value(Word),
    Work,
    State(State<'a>),
}

/// One stretch of an expansion.
fn expand<'a>(
    m: &mut Machine<'a>,
    expansion: Expansion,
    answer: Answer,
    top: Rc<TopEnv>,
    todo: &mut Vec<Work>,
    kont: &Kont<'a>,
) -> Next<'a> {
    let step = expansion.step(answer, &Visible(m));
    match step {
        Expanded::Done(core, warnings) => {
            for warning in warnings {
                // The simulated host takes every line.
                let _ = m.host.write(Stream::Err, &format!("[sx] {}\n", warning.message));
            }
            let core = m.keep_core(core);
            Next::State(State::Eval(core, Env::default(), awaiting(todo, kont, None)))
        }
        Expanded::Expanded(form) => Next::Value(datum(m, &form)),
        Expanded::Forms(expansions) => {
            todo.extend(
                expansions
                    .into_iter()
                    .rev()
                    .map(|e| Work::Expand(e, Given::Go, top.clone())),
            );
            Next::Work
        }
        Expanded::Import(sets, _) => {
            todo.push(Work::Import(Rc::new(sets), top));
            Next::Work
        }
        Expanded::Library(library) => {
            let Library {
                name,
                exports,
                imports,
                body,
                span,
            } = *library;
            let inside = TopEnv::library(&name, span.source.language);
            m.evaluations.tops.insert(name.clone(), inside.clone());
            todo.push(Work::Export(name, Rc::new(exports), inside.clone()));
            todo.push(Work::Forms(Rc::new(body), 0, inside.clone()));
            todo.push(Work::Import(Rc::new(imports), inside));
            Next::Work
        }
        Expanded::NeedMacro {
            procedure,
            form,
            span,
            next,
        } => {
            let operands = form.as_list().unwrap_or_default().iter().skip(1);
            let operands = operands.map(|operand| datum(m, operand)).collect();
            todo.push(Work::AwaitForm(next, span.clone(), top));
            let (callee, span) = (m.evaluations.procedures[procedure.0 as usize], m.keep_span(span));
            Next::State(State::Call(callee, operands, awaiting(todo, kont, Some(span)), span))
        }
        Expanded::NeedEval { core, next, .. } => {
            todo.push(Work::AwaitMacro(next, top));
            let core = m.keep_core(core);
            Next::State(State::Eval(core, Env::default(), awaiting(todo, kont, None)))
        }
        Expanded::Pause(next) => {
            todo.push(Work::Expand(next, Given::Go, top));
            Next::Work
        }
        Expanded::Err(error) => {
            let span = m.keep_span(error.span);
            Next::State(m.fail(Code::Syntax, error.message, kont.clone(), span))
        }
        _ => {
            let span = m.nowhere;
            Next::State(m.fail(Code::Import, "the oracle does not include files", kont.clone(), span))
        }
    }
}

fn awaiting<'a>(todo: &mut Vec<Work>, kont: &Kont<'a>, usage: Option<&'a Span>) -> Kont<'a> {
    kont.then(Step::Evaluate(Rc::new(Evaluation(std::mem::take(todo))), usage))
}

/// What an evaluation waited for is here.
pub fn answered<'a>(m: &mut Machine<'a>, evaluation: Rc<Evaluation>, value: Word, kont: Kont<'a>) -> State<'a> {
    let mut todo = evaluation.0.clone();
    match todo.pop() {
        Some(Work::AwaitForm(next, span, top)) => match syntax(m, value, &span) {
            Some(form) => todo.push(Work::Expand(next, Given::Form(form), top)),
            None => {
                let span = m.keep_span(span);
                return m.fail(
                    Code::Syntax,
                    "a macro answered with data that contains itself",
                    kont,
                    span,
                );
            }
        },
        Some(Work::AwaitMacro(next, top)) => {
            let number = m.new_macro(value);
            todo.push(Work::Expand(next, Given::Macro(number), top));
        }
        other => todo.extend(other),
    }
    evaluate(m, todo, value, kont)
}

/// The value of a datum.
pub fn datum(m: &mut Machine<'_>, stx: &Stx) -> Word {
    objects::reserve(&mut m.heap, size_of_syntax(stx));
    let row = |n: u32| {
        objects::value(
            &m.heap,
            m.evaluations.rows.get(n as usize).copied().unwrap_or(Word::NIL),
        )
    };
    m.heap.value_of_syntax(stx, Lists::of(&stx.span.source), &row).word()
}

/// The syntax of a value; none if it contains itself.
fn syntax(m: &mut Machine<'_>, value: Word, span: &Span) -> Option<Stx> {
    let Machine { heap, evaluations, .. } = m;
    let mut row = |value: Value<'_>| {
        evaluations.rows.push(value.word());
        evaluations.rows.len() as u32 - 1
    };
    heap.syntax_of_value(objects::value(heap, value), &mut |_| span.clone(), &mut row)
        .ok()
}

/// The text of a library that has to be evaluated first.
fn missing(m: &Machine<'_>, sets: &[ImportSet]) -> Option<&'static Arc<Source>> {
    let known = &m.evaluations.libraries;
    let unknown = sets.iter().filter(|set| !known.contains_key(&set.library));
    unknown.map(|set| library_text(&set.library)).next()?
}

fn import(m: &mut Machine<'_>, sets: &[ImportSet], top: &TopEnv) -> Result<(), (String, Span)> {
    for set in sets {
        let Some(exports) = m.evaluations.libraries.get(&set.library) else {
            let name = set.library.replace('.', " ");
            return Err((format!("import: no library ({name})"), set.span.clone()));
        };
        let names = set.select(exports).map_err(|e| (e.message, e.span))?;
        names.iter().for_each(|(name, global)| top.alias(name, global));
    }
    Ok(())
}

impl<'a> Machine<'a> {
    /// Keeps a core form for the rest of the run.
    pub fn keep_core(&mut self, core: Core) -> &'a Core {
        let span = core.span.clone();
        let kept = self.forms.keep(&mut self.evaluations.end, Some(core), span);
        kept.core.as_ref().unwrap_or(self.nothing)
    }
    /// Keeps a span for the rest of the run.
    pub fn keep_span(&mut self, span: Span) -> &'a Span {
        &self.forms.keep(&mut self.evaluations.end, None, span).span
    }

    fn new_macro(&mut self, procedure: Word) -> MacroRef {
        self.evaluations.procedures.push(procedure);
        MacroRef(self.evaluations.procedures.len() as u32 - 1)
    }

    /// `(eval-expr form)`, `(macroexpand form)`
    pub fn eval_data(&mut self, form: Word, expand_only: bool, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        // What the library evaluates for a program means what it means to the program.
        let span = places(&kont, span)
            .into_iter()
            .find(|place| !is_core(place))
            .unwrap_or(span);
        let Some(form) = syntax(self, form, span) else {
            return self.fail(
                Code::Syntax,
                "a form that contains itself cannot be evaluated",
                kont,
                span,
            );
        };
        let top = self.evaluations.program.clone();
        let expansion = if expand_only {
            Expansion::macroexpand(form, &top)
        } else {
            Expansion::new(form, &top)
        };
        evaluate(self, vec![Work::Expand(expansion, Given::Go, top)], Word::NIL, kont)
    }

    /// `(eval form environment)`: a procedure of the variables, and its call.
    pub fn eval_scoped(&mut self, form: Word, environment: Word, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let Some(form) = syntax(self, form, span) else {
            return self.fail(
                Code::Syntax,
                "a form that contains itself cannot be evaluated",
                kont,
                span,
            );
        };
        let node = |node| Syntax::new(node, span.clone());
        let Some(dict) = objects::value(&self.heap, environment).as_dict() else {
            return self.fail(Code::Type, "eval: expected (form environment)", kont, span);
        };
        let (mut names, mut values) = (vec![], vec![]);
        for (name, value) in self.heap.dict_entries(dict) {
            names.push(node(Node::Sym(name.as_str().unwrap_or_default().into())));
            values.push(value.word());
        }
        // Row 0: whatever the program makes of `fn`.
        let lambda = vec![node(Node::Alias("fn".into(), 0)), node(Node::List(names)), form];
        let top = self.evaluations.program.clone();
        let expansion = Expansion::new(node(Node::List(lambda)), &top);
        let kont = kont.then(Step::Apply(values, span));
        evaluate(self, vec![Work::Expand(expansion, Given::Go, top)], Word::NIL, kont)
    }

    /// `(load path)`, `(load-source text)`
    pub fn eval_text(&mut self, name: &str, text: String, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let source = Source::new(name, text);
        let program = self.evaluations.tops.get(SCHEME_PROGRAM).cloned();
        let top = program.filter(|_| source.is_scheme());
        match crate::run::read(&source) {
            Ok(forms) => {
                let forms = Work::Forms(
                    Rc::new(forms),
                    0,
                    top.unwrap_or_else(|| self.evaluations.program.clone()),
                );
                evaluate(self, vec![forms], Word::NIL, kont)
            }
            Err(errors) => {
                let span = errors.first().map_or(span, |error| self.keep_span(error.span.clone()));
                let message = errors
                    .into_iter()
                    .next()
                    .map_or_else(String::new, |error| error.message);
                self.fail(Code::Read, message, kont, span)
            }
        }
    }

    /// `(%read-datum text)`
    pub fn read_datum(&mut self, text: String, language: Language, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let source = Source::in_language(language, "<text>", text);
        match Reader::new(source.clone()).next_form() {
            None => State::Give(Word::EMPTY, kont),
            Some(Ok(form)) => {
                let count = source.text[..form.span.end as usize].chars().count();
                let words = vec![datum(self, &form), Word::fixnum(count as i64)];
                State::Give(self.list(words), kont)
            }
            Some(Err(errors)) => {
                let message = errors.into_iter().next().map_or_else(String::new, |e| e.message);
                let message = match language {
                    Language::Sx => message,
                    Language::Scheme => format!("read: {message}"),
                };
                self.fail(Code::Read, message, kont, span)
            }
        }
    }

    /// The top level that a symbol names.
    fn top_named(&self, name: Word) -> Option<Rc<TopEnv>> {
        let name = objects::value(&self.heap, name).as_symbol()?;
        self.evaluations.tops.get(name).cloned()
    }

    /// `(%scheme-environment sets)`
    pub fn scheme_environment(&mut self, sets: Word, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        if sets == Word::NIL {
            return State::Give(self.symbol(SCHEME_PROGRAM), kont);
        }
        let name = format!("<environment-{}>", self.evaluations.tops.len());
        let top = TopEnv::scheme(&name);
        self.evaluations.tops.insert(name.as_str().into(), top.clone());
        let Some(sets) = syntax(self, sets, span) else {
            return self.fail(Code::Syntax, "eval: the data contains itself", kont, span);
        };
        let import = Syntax::new(Node::Sym("import".into()), span.clone());
        let items = std::iter::once(import).chain(sets.as_list().unwrap_or_default().iter().cloned());
        let form = Syntax::new(Node::List(items.collect()), span.clone());
        let symbol = self.symbol(&name);
        let kont = kont.then(Step::Replace(symbol));
        evaluate(
            self,
            vec![Work::Expand(Expansion::new(form, &top), Given::Go, top)],
            Word::NIL,
            kont,
        )
    }

    /// `(%scheme-eval form environment)`
    pub fn scheme_eval(&mut self, form: Word, name: Word, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let program = || self.evaluations.tops.get(SCHEME_PROGRAM).cloned();
        let top = if name == Word::NIL {
            program()
        } else {
            self.top_named(name)
        };
        let Some(top) = top else {
            return self.fail(Code::Type, "eval: expected an environment", kont, span);
        };
        let Some(form) = syntax(self, form, span) else {
            return self.fail(Code::Syntax, "eval: the data contains itself", kont, span);
        };
        let expansion = Expansion::new(form, &top);
        evaluate(self, vec![Work::Expand(expansion, Given::Go, top)], Word::NIL, kont)
    }

    /// The symbol of that name.
    pub fn symbol(&mut self, name: &str) -> Word {
        objects::reserve(&mut self.heap, 0);
        self.heap.symbol(name).word()
    }

    /// `(%define-macro 'name procedure)`
    pub fn define_macro(&mut self, name: Word, procedure: Word) -> Word {
        let number = self.new_macro(procedure);
        self.bind_macro(name, GlobalMacro::Procedure(number), procedure)
    }

    /// `(%define-special-form 'name procedure)`
    pub fn define_special_form(&mut self, name: Word, procedure: Word) -> Word {
        self.bind_macro(name, GlobalMacro::SpecialForm, procedure)
    }

    /// The procedure of a special form.
    pub fn macro_procedure(&self, form: Word) -> Word {
        match objects::is(form, Type::Macro) {
            true => objects::field(form, macro_::EXPANDER),
            false => Word::NIL,
        }
    }

    /// `(%define-syntax 'name rules library)`
    pub fn define_syntax(&mut self, args: &[Word], kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let [name, rules, library] = args else {
            return self.fail(Code::Arity, "%define-syntax: expected 3 arguments", kont, span);
        };
        let (name, rules) = (*name, *rules);
        let top = self
            .top_named(*library)
            .unwrap_or_else(|| self.evaluations.program.clone());
        let Some(rules) = syntax(self, rules, span) else {
            return self.fail(Code::Syntax, "define-syntax: the rules contain themselves", kont, span);
        };
        match Rules::from_datum(&rules, &top) {
            Ok(rules) => {
                let made = self.bind_macro(name, GlobalMacro::Rules(Rc::new(rules)), Word::NIL);
                State::Give(made, kont)
            }
            Err(error) => self.fail(Code::Syntax, error.message, kont, span),
        }
    }

    fn bind_macro(&mut self, name: Word, found: GlobalMacro, procedure: Word) -> Word {
        self.evaluations.macros.push(found);
        let number = Word::fixnum(self.evaluations.macros.len() as i64 - 1);
        let made = objects::make(&mut self.heap, Type::Macro, &[name, procedure, number]);
        let name: Name = objects::value(&self.heap, name).as_name().unwrap_or_default().into();
        self.globals.insert(name, made);
        made
    }
}
