//! Libraries: where they are found, how their names get to whoever imports them; files to include.
//!
//! A library is evaluated once, by work items of the evaluation that first needed it, so its body
//! may suspend like any other code. An import then only enters names into a top level.
//!
//! Invariant: a library that is not complete yet is on the work list of the evaluation that
//! defines it, so an import that meets it there goes round in a circle.

use super::{EvalError, Evaluation, View, Work};
use crate::expand::{Globals, ImportSet, Inclusion, Library, TopEnv, is_form, show_library};
use crate::read::{Reader, SyntaxError, read_all, read_rest};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use sx_runtime::host::Host;
use sx_runtime::syntax::{Language, Name, Source, Span, Stx};

/// External names and the globals they mean.
type Exports = Rc<Vec<(Name, Name)>>;

/// A library of an isolate.
pub struct Module {
    /// Where its body is evaluated.
    pub top: Rc<TopEnv>,
    /// What it offers, once its body has been evaluated.
    exports: RefCell<Option<Exports>>,
    /// Is its body being evaluated in this run?
    pub(super) begun: Cell<bool>,
}

impl Module {
    /// A top level for Scheme that nothing can import.
    pub fn environment(name: &str) -> Module {
        Module {
            top: TopEnv::scheme(name),
            exports: RefCell::default(),
            begun: Cell::new(false),
        }
    }
}

/// The variable that names the project's folder.
const PROJECT: &str = "SX_PROJECT_DIR";

/// The folders where a text from the file `from` looks for files: its own, the working directory,
/// the project's. Each ends with a slash or is empty.
fn folders(host: &mut dyn Host, from: &str) -> Vec<String> {
    let own = from.rfind('/').map_or("", |slash| &from[..=slash]);
    let mut folders = vec![own.to_string()];
    let project = host.environment(PROJECT).filter(|p| !p.is_empty());
    let project = project.map(|p| format!("{}/", p.trim_end_matches('/')));
    for folder in std::iter::once(String::new()).chain(project) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// The file that `path` means in a text from the file `from`, if there is one.
pub(super) fn find_file(host: &mut dyn Host, from: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return host.file_exists(path).then(|| path.to_string());
    }
    let places = folders(host, from).into_iter().map(|folder| folder + path);
    places.into_iter().find(|place| host.file_exists(place))
}

fn file_names(library: &str) -> [String; 3] {
    let path = library.replace('.', "/");
    [format!("{path}.sx"), format!("{path}.sld"), format!("{path}.scm")]
}

/// A text, or where it can be read.
pub(super) enum Place {
    File(String),
    Text(Arc<Source>),
}

fn import_error(message: String, span: &Span) -> EvalError {
    EvalError::Import(SyntaxError::new(message, span.clone()))
}

impl View<'_> {
    pub(super) fn exports_of(&self, library: &str) -> Option<Exports> {
        let libraries = self.evaluator.libraries.borrow();
        let exports = libraries.get(library)?.exports.borrow();
        exports.clone()
    }

    /// Where the text of a library is, for a text from the file `from`.
    pub(super) fn library_place(&self, library: &str, from: &str) -> Option<Place> {
        let names = file_names(library);
        let mut host = self.host.borrow_mut();
        for folder in folders(&mut **host, from) {
            for name in &names {
                let path = format!("{folder}{name}");
                if host.file_exists(&path) {
                    return Some(Place::File(path));
                }
            }
        }
        Some(Place::Text(self.evaluator.bundle.library(&names)?.clone()))
    }

    fn read(&self, path: &str, span: &Span) -> Result<Arc<Source>, EvalError> {
        let text = self.host.borrow_mut().read_text(path);
        text.map(|text| Source::new(path, text))
            .map_err(|error| import_error(error.message, span))
    }

    /// A library that has begun and not ended is imported from inside its own body, by an
    /// evaluation of its own; or else its body failed earlier in the run.
    fn check_finished(&self, library: &str, span: &Span) -> Result<(), EvalError> {
        let libraries = self.evaluator.libraries.borrow();
        if !libraries.get(library).is_some_and(|module| module.begun.get()) {
            return Ok(());
        }
        let message = format!(
            "import: the definition of {} has begun and not ended: it imports itself, or it failed",
            show_library(library)
        );
        Err(import_error(message, span))
    }

    fn library_text(&self, library: &str, span: &Span) -> Result<Arc<Source>, EvalError> {
        match self.library_place(library, &span.source.name) {
            Some(Place::File(path)) => self.read(&path, span),
            Some(Place::Text(text)) => Ok(text),
            None => {
                let folders = folders(&mut **self.host.borrow_mut(), &span.source.name);
                let shown = |folder: String| if folder.is_empty() { "./".into() } else { folder };
                let folders: Vec<String> = folders.into_iter().map(shown).collect();
                let [sx, sld, scm] = file_names(library);
                let message = format!(
                    "import: no library {}; looked for {sx}, {sld} and {scm} in {} and among the built-in libraries",
                    show_library(library),
                    folders.join(", ")
                );
                Err(import_error(message, span))
            }
        }
    }

    /// The forms of included files. What Scheme includes is Scheme, whatever its name.
    pub(super) fn forms_of_files(&self, inclusion: &Inclusion) -> Result<Vec<Stx>, EvalError> {
        let Inclusion { paths, fold_case, span } = inclusion;
        let mut forms = Vec::new();
        for path in paths {
            let found = find_file(&mut **self.host.borrow_mut(), &span.source.name, path);
            let missing = || import_error(format!("include: {path}: no such file"), span);
            let source = self.read(&found.ok_or_else(missing)?, span)?;
            let source = match span.source.is_scheme() {
                true => Source::in_language(Language::Scheme, source.name.as_str(), source.text.as_str()),
                false => source,
            };
            let reader = Reader::new(source);
            let reader = if *fold_case { reader.folding() } else { reader };
            forms.extend(read_rest(reader).map_err(EvalError::Read)?);
        }
        Ok(forms)
    }

    /// A file in which a library was looked for must have defined it.
    pub(super) fn check_found(&self, library: &str, source: &Source, span: &Span) -> Result<(), EvalError> {
        if self.exports_of(library).is_some() {
            return Ok(());
        }
        let message = format!(
            "import: {} does not define the library {}",
            source.name,
            show_library(library)
        );
        Err(import_error(message, span))
    }
}

impl Evaluation {
    /// Carries out the import in row `at`, or asks for the library first.
    pub(super) fn import(
        &mut self,
        sets: Rc<Vec<ImportSet>>,
        at: usize,
        top: Rc<TopEnv>,
        view: &View<'_>,
    ) -> Result<(), EvalError> {
        let Some(set) = sets.get(at) else {
            self.declared = true;
            return Ok(());
        };
        if let Some(exports) = view.exports_of(&set.library) {
            for (name, global) in set.select(&exports).map_err(EvalError::Import)? {
                top.alias(&name, &global);
            }
            self.push(Work::Import(sets, at + 1, top));
            return Ok(());
        }
        self.check_circle(&set.library, &set.span)?;
        view.check_finished(&set.library, &set.span)?;
        let text = view.library_text(&set.library, &set.span)?;
        let forms = read_all(text.clone()).map_err(EvalError::Read)?;
        let searched = Work::Searched(set.library.clone(), text, set.span.clone());
        self.push(Work::Import(sets, at, top));
        self.push(searched);
        // What the file imports for itself is no business of the importer.
        self.push(Work::Forms(Rc::new(forms), 0, TopEnv::program()));
        Ok(())
    }

    fn check_circle(&self, library: &Name, span: &Span) -> Result<(), EvalError> {
        let mut names = vec![library];
        let mut rest = self.rest.as_deref();
        while let Some(work) = rest {
            if let Work::Defined(outer, _) = &work.work {
                names.push(&outer.name);
                if outer.name == *library {
                    let names: Vec<String> = names.iter().rev().map(|name| show_library(name)).collect();
                    let message = format!(
                        "import: libraries import each other in a circle: {}",
                        names.join(" -> ")
                    );
                    return Err(import_error(message, span));
                }
            }
            rest = work.next.as_deref();
        }
        Ok(())
    }

    /// A library definition: its imports, its body, then its exports.
    pub(super) fn begin_library(&mut self, mut library: Library, view: &View<'_>) {
        let module = Rc::new(Module {
            top: TopEnv::library(&library.name, library.span.source.language),
            exports: RefCell::default(),
            begun: Cell::new(true),
        });
        let mut libraries = view.evaluator.libraries.borrow_mut();
        libraries.insert(library.name.clone(), module.clone());
        let body = std::mem::take(&mut library.body);
        let imports = std::mem::take(&mut library.imports);
        let top = module.top.clone();
        self.push(Work::Defined(Rc::new(library), module));
        self.push(Work::Forms(Rc::new(body), 0, top.clone()));
        self.push(Work::Import(Rc::new(imports), 0, top));
    }

    /// The body of a library has been evaluated.
    pub(super) fn finish_library(
        &mut self,
        library: &Library,
        module: &Module,
        view: &View<'_>,
    ) -> Result<(), EvalError> {
        let mut exports = vec![];
        for export in &library.exports {
            let global = module.top.resolve(&export.internal, view);
            let known = view.is_bound(&global) || view.macro_of(&global).is_some() || is_form(&global);
            if !known {
                let message = format!(
                    "define-library: {} exports {} but does not define it",
                    show_library(&library.name),
                    export.internal
                );
                return Err(import_error(message, &library.span));
            }
            exports.push((export.external.clone(), global));
        }
        *module.exports.borrow_mut() = Some(Rc::new(exports));
        module.begun.set(false);
        self.declared = true;
        Ok(())
    }
}
