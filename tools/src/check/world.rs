//! The program as it would be known while it runs: its expansion, what it defines, what it could
//! import. Nothing of it runs; only libraries that come with the system are imported for real.

use super::Finding;
use super::core::wrong_count;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use sx::{Code, Engine, Error, Isolate};
use sx_interp::bundle::Bundled;
use sx_interp::core::{Core, CoreNode};
use sx_interp::expand::{
    Answer, Expansion, GlobalMacro, Globals, ImportSet, Inclusion, Library, MacroRef, Rules, Step, TopEnv, Warning,
};
use sx_interp::read::{SyntaxError, read_all};
use sx_runtime::syntax::{Language, Name, Node, Source, Span, Stx, Syntax};

/// How many arguments a function takes: the least, and the most if there is one.
pub type Arity = (usize, Option<usize>);

/// What the program makes of a global.
#[derive(Debug)]
pub struct Definition {
    /// Where it was first defined.
    pub span: Span,
    /// Of a procedure that is never replaced.
    pub arity: Option<Arity>,
}

/// What a name means before the program defines anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Value,
    Macro,
    Nothing,
}

/// Everything known of a program.
pub struct World {
    /// The core forms of the program.
    pub cores: Vec<Core>,
    /// Names in uses of macros that were not called, which may be defined or used there.
    pub loose: HashSet<Name>,
    pub findings: Vec<Finding>,
    definitions: RefCell<HashMap<String, Definition>>,
    macros: RefCell<HashMap<String, GlobalMacro>>,
    /// How many operands macros with a procedure take, if that is settled.
    macro_arities: HashMap<String, Option<Arity>>,
    components: HashMap<String, Option<Component>>,
    libraries: HashMap<Name, Vec<(Name, Name)>>,
    /// For what is built in, and the libraries that come with it.
    isolate: RefCell<Isolate>,
    known: RefCell<HashMap<String, Known>>,
    /// It is a Scheme program: names mean what they were imported as.
    is_scheme: bool,
    /// Files being read, outermost first.
    files: Vec<String>,
}

/// What a component takes.
pub struct Component {
    /// How many operands without keys.
    pub positional: usize,
    /// Its keys.
    pub keys: Vec<Name>,
    /// Are there children?
    pub takes_rest: bool,
}

/// What every macro with a procedure is called by: it is never called.
const UNCALLED: GlobalMacro = GlobalMacro::Procedure(MacroRef(0));
/// The libraries whose names every Scheme program knows here.
const SCHEME: &[&str] = &[
    "base",
    "case-lambda",
    "char",
    "complex",
    "cxr",
    "eval",
    "file",
    "inexact",
    "lazy",
    "load",
    "process-context",
    "r5rs",
    "read",
    "repl",
    "time",
    "write",
];
/// Files that load each other deeper than this are left alone.
const FILES_MAX: usize = 32;

impl Globals for World {
    fn macro_of(&self, global: &str) -> Option<GlobalMacro> {
        if let Some(defined) = self.macros.borrow().get(global) {
            return Some(defined.clone());
        }
        let is_own = self.definitions.borrow().contains_key(global);
        (!is_own && self.known(global) == Known::Macro).then_some(UNCALLED)
    }
    fn is_bound(&self, global: &str) -> bool {
        self.definitions.borrow().contains_key(global) || self.known(global) == Known::Value
    }
    fn has_library(&self, name: &str) -> bool {
        self.libraries.contains_key(name)
    }
    fn included(&self, files: &Inclusion) -> Result<Vec<Stx>, SyntaxError> {
        let found = files
            .paths
            .iter()
            .filter_map(|path| file_for(path, &files.span.source.name));
        let forms = found.filter_map(|(name, text)| read_all(Source::new(name, text)).ok());
        Ok(forms.flatten().collect())
    }
}

impl World {
    /// The world of a program: a Scheme one knows the names of Scheme, whatever it imports.
    pub fn new(source: &Source) -> Result<World, Error> {
        let mut isolate = Engine::new().isolate()?;
        if source.is_scheme() {
            for library in SCHEME {
                isolate.eval(&format!("(import (scheme {library}))"))?;
            }
        }
        Ok(World {
            cores: Vec::new(),
            loose: HashSet::new(),
            findings: Vec::new(),
            definitions: RefCell::default(),
            macros: RefCell::default(),
            macro_arities: HashMap::new(),
            components: HashMap::new(),
            libraries: HashMap::new(),
            isolate: RefCell::new(isolate),
            known: RefCell::default(),
            is_scheme: source.is_scheme(),
            files: Vec::new(),
        })
    }

    /// What a name means without the program.
    pub fn known(&self, name: &str) -> Known {
        if let Some(known) = self.known.borrow().get(name) {
            return *known;
        }
        let known = self.look_up(name);
        self.known.borrow_mut().insert(name.to_owned(), known);
        known
    }

    fn look_up(&self, name: &str) -> Known {
        let mut isolate = self.isolate.borrow_mut();
        if isolate.arity(name).is_some() {
            return Known::Value;
        }
        // A name that does not read as one symbol means nothing.
        if !matches!(read_all(Source::new("<name>", name)).as_deref(), Ok([one]) if one.as_name().is_some()) {
            return Known::Nothing;
        }
        match isolate.eval(&format!("(type-of {name})")) {
            Ok(kind) if kind.as_str() == Some("macro") => Known::Macro,
            Ok(_) => Known::Value,
            // Undefined, or a special form.
            Err(_) => Known::Nothing,
        }
    }

    /// How many arguments a global function takes, if that is settled.
    pub fn arity(&self, global: &str) -> Option<Arity> {
        match self.definitions.borrow().get(global) {
            Some(definition) => definition.arity,
            None if self.is_scheme => self.imported_arity(global),
            None => self.isolate.borrow().arity(global),
        }
    }

    /// The arity of the procedure that an imported name means.
    fn imported_arity(&self, name: &str) -> Option<Arity> {
        let asked = format!("(let ((a (arity {name}))) (str (get a :required) \" \" (get a :most)))");
        let answer = self.isolate.borrow_mut().eval(&asked).ok()?;
        let (least, most) = answer.as_str()?.split_once(' ')?;
        Some((least.parse().ok()?, most.parse().ok()))
    }

    /// Does the program define it?
    pub fn defines(&self, global: &str) -> bool {
        self.definitions.borrow().contains_key(global) || self.macros.borrow().contains_key(global)
    }

    /// What this program may have meant by the name.
    pub fn advice(&self, name: &str) -> Option<String> {
        let definitions = self.definitions.borrow();
        let names = self.isolate.borrow().names();
        // A library's global is no name a program can write.
        let own = definitions.keys().filter(|name| !name.contains('#'));
        let all = own.chain(&names).map(String::as_str);
        sx::suggest::advice(name, all)
    }

    // ---- expansion -----------------------------------------------------------------------------

    /// Expands a whole program.
    pub fn expand_program(&mut self, forms: &[Stx]) {
        let top = TopEnv::program();
        self.expand_all(forms, &top);
    }

    fn expand_all(&mut self, forms: &[Stx], top: &Rc<TopEnv>) {
        for form in forms {
            self.expand(Expansion::new(form.clone(), top), top);
        }
    }

    fn expand(&mut self, expansion: Expansion, top: &Rc<TopEnv>) {
        let mut step = expansion.step(Answer::Go, self);
        loop {
            step = match step {
                Step::Done(core, warnings) => {
                    self.warn(warnings);
                    self.evaluate(&core, top);
                    self.cores.push(core);
                    return;
                }
                Step::Forms(forms) => return forms.into_iter().for_each(|form| self.expand(form, top)),
                Step::Import(sets, _) => return sets.iter().for_each(|set| self.import(set, top)),
                Step::Include(files) => {
                    let read = |path: &Name| self.read_file(path, &files.span, top);
                    return files.paths.iter().for_each(read);
                }
                Step::Library(library) => return self.library(&library),
                Step::NeedMacro { form, span, next, .. } => {
                    self.check_macro_use(&form, &span);
                    self.loosen(&form);
                    next.step(Answer::Form(Syntax::new(Node::Nil, span)), self)
                }
                Step::NeedEval { core, next, .. } => {
                    self.cores.push(core);
                    next.step(Answer::Macro(MacroRef(0)), self)
                }
                Step::Pause(next) => next.step(Answer::Go, self),
                Step::Err(error) => return self.syntax_error(error),
                Step::Expanded(_) => return,
            }
        }
    }

    fn warn(&mut self, warnings: Vec<Warning>) {
        for warning in warnings {
            // The line names its place, which the report does too.
            let place = format!("{}: ", warning.span.place());
            let message = warning.message.strip_prefix(&place).unwrap_or(&warning.message);
            let message = message.strip_prefix("[sx] ").unwrap_or(message).to_owned();
            self.findings.push(Finding::warning("meaning", message, &warning.span));
        }
    }

    fn syntax_error(&mut self, error: SyntaxError) {
        self.findings.push(Finding {
            rule: None,
            error: Error::of_form(error),
        });
    }

    /// Does the use of a macro have as many operands as its procedure takes?
    fn check_macro_use(&mut self, form: &Stx, span: &Span) {
        let Some([head, operands @ ..]) = form.as_list() else {
            return;
        };
        let Some(name) = head.as_name() else { return };
        let Some(Some(arity)) = self.macro_arities.get(&**name).copied() else {
            return;
        };
        self.findings.extend(wrong_count(name, arity, operands.len(), span));
    }

    /// Every name in a use of a macro that is not called may be defined or used there.
    fn loosen(&mut self, form: &Stx) {
        let mut todo = vec![form];
        while let Some(form) = todo.pop() {
            match &form.node {
                Node::Sym(name) | Node::Alias(name, _) => drop(self.loose.insert(name.clone())),
                Node::List(items) | Node::Vector(items) => todo.extend(items),
                Node::Dotted(items, rest) => todo.extend(items.iter().chain([rest])),
                Node::Dict(pairs) => todo.extend(pairs.iter().flat_map(|(key, value)| [key, value])),
                _ => {}
            }
        }
    }

    // ---- what evaluating a form would make known -----------------------------------------------

    fn evaluate(&mut self, core: &Core, top: &Rc<TopEnv>) {
        match &core.node {
            CoreNode::Define(name, value) => self.define(name, value, &core.span),
            CoreNode::Seq(forms) => forms.iter().for_each(|form| self.evaluate(form, top)),
            CoreNode::Call(function, operands) => {
                if let CoreNode::Global(function) = &function.node {
                    self.call(function, operands, top, &core.span);
                }
            }
            _ => {}
        }
    }

    fn define(&mut self, name: &Name, value: &Core, span: &Span) {
        let arity = arity_of(value);
        self.define_component(name, value);
        let mut definitions = self.definitions.borrow_mut();
        if let Some(first) = definitions.get_mut(&**name) {
            first.arity = None;
            let (line, column) = first.span.source.line_col(first.span.start);
            if Arc::ptr_eq(&first.span.source, &span.source) {
                let message = format!("{name} is defined again; the first definition is at {line}:{column}");
                self.findings.push(Finding::warning("redefined", message, span));
            }
            return;
        }
        let span = span.clone();
        definitions.insert(name.to_string(), Definition { span, arity });
    }

    /// Notes what a component takes, if it is one; nothing is settled of one that is defined twice.
    fn define_component(&mut self, name: &Name, value: &Core) {
        let CoreNode::Call(maker, operands) = &value.node else {
            return;
        };
        let is_maker =
            matches!(&maker.node, CoreNode::Global(name) if matches!(&**name, "%make-component" | "%make-island"));
        let [_, positional, keys, rest, _] = operands.as_slice() else {
            return;
        };
        let names = |core: &Core| match &core.node {
            CoreNode::Const(stx) => stx.as_list().unwrap_or_default().to_vec(),
            _ => Vec::new(),
        };
        if is_maker {
            let keys = names(keys).iter().filter_map(|key| key.as_name().cloned()).collect();
            let takes_rest = matches!(&rest.node, CoreNode::Const(stx) if matches!(stx.node, Node::Bool(true)));
            let component = Component {
                positional: names(positional).len(),
                keys,
                takes_rest,
            };
            let is_first = !self.definitions.borrow().contains_key(&**name);
            self.components.insert(name.to_string(), is_first.then_some(component));
        }
    }

    /// The component that a global holds, if that is settled.
    pub fn component(&self, global: &str) -> Option<&Component> {
        self.components.get(global)?.as_ref()
    }

    /// The core functions that make a name known, and loading.
    fn call(&mut self, function: &str, operands: &[Core], top: &Rc<TopEnv>, span: &Span) {
        let constant = |at: usize| match operands.get(at).map(|operand: &Core| &operand.node) {
            Some(CoreNode::Const(stx)) => Some(stx),
            _ => None,
        };
        let name = constant(0).and_then(|stx| stx.as_name()).map(|name| name.to_string());
        match (function, name) {
            ("%define-syntax", Some(name)) => {
                let rules = constant(1).and_then(|rules| Rules::from_datum(rules, top).ok());
                let made = rules.map_or(UNCALLED, |rules| GlobalMacro::Rules(Rc::new(rules)));
                self.macros.borrow_mut().insert(name, made);
            }
            ("%define-macro", Some(name)) => {
                let arity = operands.get(1).and_then(arity_of);
                let is_first = self.macros.borrow_mut().insert(name.clone(), UNCALLED).is_none();
                self.macro_arities.insert(name, arity.filter(|_| is_first));
            }
            ("%register-special-form", Some(name)) => {
                self.macros.borrow_mut().insert(name, GlobalMacro::SpecialForm);
            }
            ("%define-global", Some(name)) => {
                let span = span.clone();
                self.definitions
                    .borrow_mut()
                    .insert(name, Definition { span, arity: None });
            }
            ("load", _) => {
                if let Some(Node::Str(path)) = constant(0).map(|stx| &stx.node) {
                    self.read_file(path, span, top);
                }
            }
            _ => {}
        }
    }

    // ---- files and libraries -------------------------------------------------------------------

    /// Takes in what a file that is loaded or included defines. One that is not there may be made
    /// before the program runs.
    fn read_file(&mut self, path: &str, from: &Span, top: &Rc<TopEnv>) {
        let Some((name, text)) = file_for(path, &from.source.name) else {
            return self.load_bundled(path, from);
        };
        if self.files.contains(&name) || self.files.len() >= FILES_MAX {
            return;
        }
        if let Ok(forms) = read_all(Source::new(name.as_str(), text)) {
            self.files.push(name);
            self.expand_all(&forms, top);
            self.files.pop();
        }
    }

    /// A library inside the binary is loaded for real: it only defines.
    fn load_bundled(&mut self, path: &str, from: &Span) {
        if let Some(Bundled::File(file)) = sx::bundle().find(&from.source.name, path) {
            let loaded = self.isolate.borrow_mut().call("load", (file.source.name.as_str(),));
            if loaded.map(|_: sx::Value| ()).is_ok() {
                self.known.borrow_mut().clear();
            }
        }
    }

    fn import(&mut self, set: &ImportSet, top: &Rc<TopEnv>) {
        if !self.libraries.contains_key(&set.library) {
            self.find_library(set);
        }
        let Some(exports) = self.libraries.get(&set.library) else {
            return;
        };
        match set.select(exports) {
            Ok(names) => names.iter().for_each(|(name, global)| top.alias(name, global)),
            Err(error) => self
                .findings
                .push(Finding::error(Code::Import, error.message, &error.span)),
        }
    }

    /// A library in a file is read, one that comes with the system imported.
    fn find_library(&mut self, set: &ImportSet) {
        let path = set.library.replace('.', "/");
        for ending in ["sx", "scm"] {
            let path = format!("{path}.{ending}");
            if file_for(&path, &set.span.source.name).is_some() {
                return self.read_file(&path, &set.span, &TopEnv::program());
            }
        }
        let text = &set.span.source.text[set.span.start as usize..set.span.end as usize];
        let imported = self.isolate.borrow_mut().eval(&format!("(import {text})"));
        match imported {
            Ok(_) => self.known.borrow_mut().clear(),
            Err(error) => self
                .findings
                .push(Finding::error(Code::Import, error.message.clone(), &set.span)),
        }
    }

    fn library(&mut self, library: &Library) {
        let top = TopEnv::library(&library.name, Language::Sx);
        library.imports.iter().for_each(|set| self.import(set, &top));
        library.declare(&top);
        self.expand_all(&library.body, &top);
        let global = |name: &Name| top.resolve(name, self);
        let exports = library.exports.iter();
        let exports = exports.map(|export| (export.external.clone(), global(&export.internal)));
        let exports: Vec<(Name, Name)> = exports.collect();
        self.libraries.insert(library.name.clone(), exports);
    }
}

/// The file that `path` means in a text from the file `from`: beside it, or where we are.
/// The arity of a lambda.
fn arity_of(core: &Core) -> Option<Arity> {
    match &core.node {
        CoreNode::Lambda(lambda) => {
            let count = lambda.params.len();
            Some((count, lambda.rest.is_none().then_some(count)))
        }
        _ => None,
    }
}

fn file_for(path: &str, from: &str) -> Option<(String, String)> {
    let beside = Path::new(from).parent().map(|folder| folder.join(path));
    let places = beside.into_iter().chain([Path::new(path).to_owned()]);
    places
        .filter_map(|place| Some((place.display().to_string(), std::fs::read_to_string(&place).ok()?)))
        .next()
}
