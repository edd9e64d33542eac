//! `import`, `define-library`, `cond-expand`: parsed here, carried out by the evaluator.
//!
//! A library is evaluated in a [`super::TopEnv::library`] of its own. An import is then nothing but
//! entries from names to the library's globals in the importing top level.

use super::build::{Builder, strip};
use super::top::marked;
use super::work::{Result, Use, Worker};
use super::{Globals, SyntaxError, TopEnv, table};
use sx_runtime::syntax::{FEATURES, Name, Node, Span, Stx};

/// One export of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The name in the library.
    pub internal: Name,
    /// The name for importers.
    pub external: Name,
}

/// A library definition, taken apart.
#[derive(Debug)]
pub struct Library {
    /// `a.b` for `(a b)`.
    pub name: Name,
    /// The definition.
    pub span: Span,
    /// What it offers.
    pub exports: Vec<Export>,
    /// What it needs, to be carried out first.
    pub imports: Vec<ImportSet>,
    /// Its forms, in order.
    pub body: Vec<Stx>,
}

impl Library {
    /// Makes known what the library's forms plainly define, so that a form can name what a later
    /// one defines though a built-in has that name too. Comes after the imports.
    pub fn declare(&self, top: &TopEnv) {
        let mut todo: Vec<&Stx> = self.body.iter().collect();
        while let Some(form) = todo.pop() {
            let Some([head, target, ..]) = form.as_list() else {
                continue;
            };
            let target = match &target.node {
                Node::List(items) | Node::Dotted(items, _) => items.first(),
                _ => Some(target),
            };
            match (
                head.as_name().map(|name| &**name),
                target.and_then(|target| target.as_name()),
            ) {
                (Some("define" | "define-syntax" | "defmacro"), Some(name)) => drop(top.define(name)),
                (Some("begin"), _) => todo.extend(form.as_list().unwrap_or_default()),
                _ => {}
            }
        }
    }
}

/// What a clause of `import` asks for.
#[derive(Debug)]
pub struct ImportSet {
    /// `a.b` for `(a b)`.
    pub library: Name,
    /// The clause.
    pub span: Span,
    /// Innermost first.
    changes: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Only(Vec<Name>),
    Except(Vec<Name>),
    Prefix(Name),
    Rename(Vec<(Name, Name)>),
}

impl ImportSet {
    /// The names to enter and the globals they mean, from all that the library exports.
    pub fn select(&self, exports: &[(Name, Name)]) -> Result<Vec<(Name, Name)>> {
        let mut names = exports.to_vec();
        for change in &self.changes {
            let missing = |wanted: &Name| {
                let message = format!("import: {} exports no {wanted}", show_library(&self.library));
                SyntaxError::new(message, self.span.clone())
            };
            let mentioned: Vec<&Name> = match change {
                Change::Only(only) => only.iter().collect(),
                Change::Except(except) => except.iter().collect(),
                Change::Rename(pairs) => pairs.iter().map(|(from, _)| from).collect(),
                Change::Prefix(_) => Vec::new(),
            };
            if let Some(wanted) = mentioned
                .into_iter()
                .find(|wanted| names.iter().all(|(name, _)| name != *wanted))
            {
                return Err(missing(wanted));
            }
            change.apply(&mut names);
        }
        Ok(names)
    }
}

/// What a Scheme program that imports nothing gets: all of the report.
const REPORT: [&str; 16] = [
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

impl TopEnv {
    /// The imports of a Scheme program that does not say any, before its first form.
    pub fn imports_unsaid(&self, forms: &[Stx], span: &Span) -> Option<Vec<ImportSet>> {
        let head = |form: &Stx| form.as_list()?.first()?.as_name().cloned();
        let says = forms.first().and_then(head);
        let says = says.is_some_and(|name| matches!(&*name, "import" | "define-library"));
        let import = |part: &&str| ImportSet {
            library: format!("scheme.{part}").into(),
            span: span.clone(),
            changes: Vec::new(),
        };
        (self.is_scheme() && self.knows_nothing() && !says).then(|| REPORT.iter().map(import).collect())
    }
}

impl TopEnv {
    /// Before the first form of a Scheme program that is no import: a definition for each name that
    /// the program imports and then defines or assigns itself, which makes it a variable of its own
    /// with the imported value. So procedures that come before such a definition see it too.
    pub fn own_imports(&self, forms: &[Stx], at: usize, globals: &dyn Globals) -> Vec<Stx> {
        let head = |form: &Stx| form.as_list()?.first()?.as_name().cloned();
        let declares = |form: &Stx| head(form).is_some_and(|name| matches!(&*name, "import" | "define-library"));
        let is_first = !forms.get(at).is_none_or(declares) && forms[..at].iter().all(declares);
        if !self.is_scheme() || !is_first {
            return Vec::new();
        }
        let mut copies: Vec<(Name, Stx)> = Vec::new();
        let mut todo: Vec<&Stx> = forms[at..].iter().collect();
        while let Some(form) = todo.pop() {
            let (Some(name), Some([_, rest @ ..])) = (head(form), form.as_list()) else {
                continue;
            };
            match &*name {
                "begin" => todo.extend(rest),
                "define" | "set!" => {
                    let Some(name) = rest.first().and_then(defined_name) else {
                        continue;
                    };
                    if let Some(global) = self.imported_variable(name, globals)
                        && copies.iter().all(|(known, _)| known != name)
                    {
                        let builder = Builder::new(&form.span);
                        let value = builder.symbol(marked(name, &global));
                        copies.push((name.clone(), builder.define(&builder.symbol(name.clone()), value)));
                    }
                }
                _ => {}
            }
        }
        copies.into_iter().map(|(_, copy)| copy).collect()
    }

    /// The global that an imported name means, if that is a variable.
    fn imported_variable(&self, name: &Name, globals: &dyn Globals) -> Option<Name> {
        let global = self.import_of(name)?;
        let is_syntax = table::is_form(&global) || globals.macro_of(&global).is_some();
        (!is_syntax && globals.is_bound(&global)).then_some(global)
    }
}

/// The name that `target` in `(define target …)` defines.
fn defined_name(target: &Stx) -> Option<&Name> {
    match &target.node {
        Node::List(items) | Node::Dotted(items, _) => defined_name(items.first()?),
        _ => target.as_name(),
    }
}

impl Change {
    fn apply(&self, names: &mut Vec<(Name, Name)>) {
        match self {
            Change::Only(only) => names.retain(|(name, _)| only.contains(name)),
            Change::Except(except) => names.retain(|(name, _)| !except.contains(name)),
            Change::Prefix(prefix) => names
                .iter_mut()
                .for_each(|(name, _)| *name = format!("{prefix}{name}").into()),
            Change::Rename(pairs) => names.iter_mut().for_each(|(name, _)| {
                if let Some((_, to)) = pairs.iter().find(|(from, _)| from == name) {
                    *name = to.clone();
                }
            }),
        }
    }
}

/// `(a b)` for `a.b`.
pub fn show_library(name: &str) -> String {
    format!("({})", name.replace('.', " "))
}

fn library_name(usage: &Use<'_>, stx: &Stx) -> Result<Name> {
    let part = |stx: &Stx| match &stx.node {
        Node::Sym(name) => Ok(name.to_string()),
        Node::Int(n) if *n >= 0 => Ok(n.to_string()),
        _ => Err(usage.error("a library name is a list of names and numbers", stx)),
    };
    match stx.as_list() {
        Some(parts) if !parts.is_empty() => Ok(parts.iter().map(part).collect::<Result<Vec<_>>>()?.join(".").into()),
        _ => Err(usage.error("expected a library name (part...)", stx)),
    }
}

fn names(usage: &Use<'_>, items: &[Stx]) -> Result<Vec<Name>> {
    let name = |stx: &Stx| {
        stx.as_name()
            .cloned()
            .ok_or_else(|| usage.error("expected a name", stx))
    };
    items.iter().map(name).collect()
}

fn pair(usage: &Use<'_>, stx: &Stx) -> Result<(Name, Name)> {
    match stx.as_list().map(|items| names(usage, items)).transpose()?.as_deref() {
        Some([from, to]) => Ok((from.clone(), to.clone())),
        _ => Err(usage.error("expected (from to)", stx)),
    }
}

fn import_set(usage: &Use<'_>, stx: &Stx) -> Result<ImportSet> {
    let (mut at, mut changes) = (stx, Vec::new());
    while let Some([head, inner, rest @ ..]) = at.as_list()
        && inner.as_list().is_some()
    {
        changes.push(match head.as_name().map(|name| &**name) {
            Some("only") => Change::Only(names(usage, rest)?),
            Some("except") => Change::Except(names(usage, rest)?),
            Some("prefix") => match names(usage, rest)?.as_slice() {
                [prefix] => Change::Prefix(prefix.clone()),
                _ => return Err(usage.error("expected (prefix set name)", at)),
            },
            Some("rename") => Change::Rename(rest.iter().map(|stx| pair(usage, stx)).collect::<Result<_>>()?),
            _ => return Err(usage.error("expected only, except, prefix, rename or a library name", at)),
        });
        at = inner;
    }
    changes.reverse();
    Ok(ImportSet {
        library: library_name(usage, at)?,
        span: stx.span.clone(),
        changes,
    })
}

/// `(import set…)`
pub(super) fn parse_import(usage: &Use<'_>) -> Result<Vec<ImportSet>> {
    usage.args().iter().map(|set| import_set(usage, &strip(set))).collect()
}

/// `(define-library name declaration…)`
pub(super) fn parse_library(usage: &Use<'_>, globals: &dyn Globals) -> Result<Library> {
    let (name, declarations) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let mut library = Library {
        name: library_name(usage, &strip(name))?,
        span: usage.span().clone(),
        exports: Vec::new(),
        imports: Vec::new(),
        body: Vec::new(),
    };
    let mut todo: Vec<Stx> = declarations.iter().rev().cloned().collect();
    while let Some(declaration) = todo.pop() {
        let (head, rest) = declaration
            .as_list()
            .and_then(<[Stx]>::split_first)
            .ok_or_else(|| usage.error("expected a declaration", &declaration))?;
        match head.as_name().map(|name| &**name) {
            Some("export") => {
                let exports = rest
                    .iter()
                    .map(|spec| export(usage, &strip(spec)))
                    .collect::<Result<Vec<_>>>()?;
                library.exports.extend(exports);
            }
            Some("import") => {
                let sets = rest
                    .iter()
                    .map(|set| import_set(usage, &strip(set)))
                    .collect::<Result<Vec<_>>>()?;
                library.imports.extend(sets);
            }
            Some("begin") => library.body.extend_from_slice(rest),
            Some("include" | "include-ci") => library.body.push(declaration.clone()),
            Some("include-library-declarations") => {
                let files = inclusion(usage, rest, false, &declaration.span)?;
                todo.extend(globals.included(&files)?.into_iter().rev());
            }
            Some("cond-expand") => todo.extend(chosen(usage, rest, globals)?.iter().rev().cloned()),
            _ => {
                return Err(usage.error(
                    "expected export, import, begin, include, include-ci, include-library-declarations or cond-expand",
                    &declaration,
                ));
            }
        }
    }
    Ok(library)
}

fn export(usage: &Use<'_>, spec: &Stx) -> Result<Export> {
    if let Some(name) = spec.as_name() {
        return Ok(Export {
            internal: name.clone(),
            external: name.clone(),
        });
    }
    match spec.as_list() {
        Some([head, from, to]) if head.as_name().is_some_and(|name| &**name == "rename") => {
            match (from.as_name(), to.as_name()) {
                (Some(from), Some(to)) => Ok(Export {
                    internal: from.clone(),
                    external: to.clone(),
                }),
                _ => Err(usage.error("expected (rename internal external)", spec)),
            }
        }
        _ => Err(usage.error("expected a name or (rename internal external)", spec)),
    }
}

/// Files whose forms stand in place of a form.
#[derive(Debug)]
pub struct Inclusion {
    /// Their paths, in order.
    pub paths: Vec<Name>,
    /// Are names read without regard to case?
    pub fold_case: bool,
    /// The form.
    pub span: Span,
}

fn inclusion(usage: &Use<'_>, paths: &[Stx], fold_case: bool, span: &Span) -> Result<Inclusion> {
    let path = |stx: &Stx| match &stx.node {
        Node::Str(path) => Ok(path.clone()),
        _ => Err(usage.error("expected a path", stx)),
    };
    Ok(Inclusion {
        paths: paths.iter().map(path).collect::<Result<_>>()?,
        fold_case,
        span: span.clone(),
    })
}

/// `(include path…)`, `(include-ci path…)`; at top level the evaluator reads the files.
pub(super) fn parse_include(usage: &Use<'_>) -> Result<Inclusion> {
    match usage.args() {
        [] => Err(usage.bad()),
        paths => inclusion(usage, paths, usage.special.name == "include-ci", usage.span()),
    }
}

/// The forms that an `include` among others stands for.
pub(super) fn included(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Vec<Stx>> {
    worker.count_include(usage.span())?;
    worker.globals.included(&parse_include(usage)?)
}

// ---- cond-expand -----------------------------------------------------------------------------

/// `(cond-expand (requirement form…) …)`: the forms of the first clause that holds.
pub(super) fn cond_expand(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let forms = chosen(usage, usage.args(), worker.globals)?;
    Ok(usage.builder().begin(forms.to_vec()))
}

fn chosen<'a>(usage: &Use<'_>, clauses: &'a [Stx], globals: &dyn Globals) -> Result<&'a [Stx]> {
    for clause in clauses {
        let (requirement, forms) = clause
            .as_list()
            .and_then(<[Stx]>::split_first)
            .ok_or_else(|| usage.error("expected (requirement form...)", clause))?;
        if holds(usage, &strip(requirement), globals)? {
            return Ok(forms);
        }
    }
    Ok(&[])
}

fn holds(usage: &Use<'_>, requirement: &Stx, globals: &dyn Globals) -> Result<bool> {
    if let Some(name) = requirement.as_name() {
        return Ok(&**name == "else" || FEATURES.contains(&&**name));
    }
    let wrong = || usage.error("expected a feature, (library name), and, or, not", requirement);
    let (head, rest) = requirement.as_list().and_then(<[Stx]>::split_first).ok_or_else(wrong)?;
    let mut parts = rest
        .iter()
        .map(|part| super::build::deeper(|| holds(usage, part, globals)));
    match (head.as_name().map(|name| &**name), rest) {
        (Some("and"), _) => parts.try_fold(true, |all, part| Ok(all && part?)),
        (Some("or"), _) => parts.try_fold(false, |any, part| Ok(any || part?)),
        (Some("not"), [_]) => parts.next().map_or(Ok(true), |part| Ok(!part?)),
        (Some("library"), [name]) => Ok(globals.has_library(&library_name(usage, name)?)),
        _ => Err(wrong()),
    }
}
