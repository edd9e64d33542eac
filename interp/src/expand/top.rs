//! Top-level environments: which global a name means in the program or in a library.
//!
//! Globals live in one flat table. The program's own globals have their plain names; a global of
//! the library `(a b)` is called `a.b#name`, which no program can spell by accident. An import is
//! an entry from a name to such a global. A name that a library neither defines nor imports means
//! the built-in of that name if there is one, else a global of the library that is yet to come.
//! To a Scheme program or library a name it neither defines nor imports means nothing built in.

use super::Globals;
use super::table;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use sx_runtime::syntax::{Language, Name};

/// Between the printed name of an encoded alias, its row, and the global it means at top level.
/// The reader never makes a symbol with it.
pub(super) const MARK: char = '\u{2}';

/// The constructors of an algebraic type.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Adt {
    /// The type's name.
    pub name: Name,
    /// Its constructors' names, in order.
    pub constructors: Arc<[Name]>,
}

/// Whose top level it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    /// The built-in forms and functions, whatever the program makes of their names.
    Core,
    Program,
    Library(Name),
}

/// One top level: the program's, or a library's.
#[derive(Debug)]
pub struct TopEnv {
    owner: Owner,
    language: Language,
    names: RefCell<HashMap<Name, Name>>,
    adts: RefCell<HashMap<Name, Adt>>,
}

impl TopEnv {
    fn new(owner: Owner, language: Language) -> Rc<TopEnv> {
        Rc::new(TopEnv {
            owner,
            language,
            names: RefCell::default(),
            adts: RefCell::default(),
        })
    }
    /// The top level of a program, of the REPL, of `eval`: names are globals of the same name.
    pub fn program() -> Rc<TopEnv> {
        TopEnv::new(Owner::Program, Language::Sx)
    }
    /// The top level of a Scheme program, or an environment for its `eval`, under a name of its own.
    pub fn scheme(name: &str) -> Rc<TopEnv> {
        TopEnv::new(Owner::Library(name.into()), Language::Scheme)
    }
    /// The top level of a library, called `a.b` for `(a b)`.
    pub fn library(name: &str, language: Language) -> Rc<TopEnv> {
        TopEnv::new(Owner::Library(name.into()), language)
    }
    pub(super) fn core() -> Rc<TopEnv> {
        TopEnv::new(Owner::Core, Language::Sx)
    }
    pub(super) fn is_core(&self) -> bool {
        self.owner == Owner::Core
    }
    /// The library's name; `None` for the program.
    pub fn library_name(&self) -> Option<&Name> {
        match &self.owner {
            Owner::Library(name) => Some(name),
            _ => None,
        }
    }

    /// The global that a name means here.
    pub fn resolve(&self, name: &Name, globals: &dyn Globals) -> Name {
        if let Some((printed, rest)) = name.split_once(MARK) {
            return match rest.split_once(MARK) {
                Some((_, global)) => global.into(),
                None => self.resolve(&printed.into(), globals),
            };
        }
        if let Some(global) = self.names.borrow().get(name) {
            return global.clone();
        }
        match &self.owner {
            _ if self.is_scheme() && ALWAYS.contains(&&**name) => name.clone(),
            Owner::Library(_) if self.is_scheme() || !is_built_in(name, globals) => self.own_global(name),
            _ => name.clone(),
        }
    }

    /// The name gets a global of this top level; which one.
    pub fn define(&self, name: &Name) -> Name {
        let global = self.own_global(name);
        self.alias(name, &global);
        global
    }
    /// The name means that global from now on: an import.
    pub fn alias(&self, name: &Name, global: &Name) {
        if name == global && !self.is_scheme() {
            self.names.borrow_mut().remove(name);
        } else {
            self.names.borrow_mut().insert(name.clone(), global.clone());
        }
    }
    /// The global that a name means because it was imported.
    pub(super) fn import_of(&self, name: &Name) -> Option<Name> {
        let global = self.names.borrow().get(name).cloned()?;
        (global != self.own_global(name)).then_some(global)
    }
    /// Has nothing been defined or imported yet?
    pub fn knows_nothing(&self) -> bool {
        self.names.borrow().is_empty()
    }
    /// Is it Scheme's?
    pub fn is_scheme(&self) -> bool {
        self.language == Language::Scheme
    }
    fn own_global(&self, name: &Name) -> Name {
        match &self.owner {
            Owner::Library(library) => format!("{library}#{name}").into(),
            _ => name.clone(),
        }
    }

    /// An algebraic type is declared here.
    pub fn add_adt(&self, adt: &Adt) {
        for constructor in adt.constructors.iter() {
            self.adts.borrow_mut().insert(constructor.clone(), adt.clone());
        }
    }
    /// The algebraic types declared here, in the order of their names.
    pub fn adts(&self) -> Vec<Adt> {
        let mut adts: Vec<Adt> = self.adts.borrow().values().cloned().collect();
        adts.sort_by(|a, b| (&a.name, &a.constructors).cmp(&(&b.name, &b.constructors)));
        adts.dedup();
        adts
    }
    pub(super) fn adt_of(&self, constructor: &Name) -> Option<Adt> {
        self.adts.borrow().get(constructor).cloned()
    }
}

/// What a Scheme text can say before it has imported anything.
const ALWAYS: [&str; 2] = ["import", "define-library"];

/// A symbol, printed like `name`, that means the global at every top level.
pub(super) fn marked(name: &Name, global: &Name) -> Name {
    format!("{name}{MARK}0{MARK}{global}").into()
}

fn is_built_in(name: &Name, globals: &dyn Globals) -> bool {
    name.starts_with('%') || table::find(name).is_some() || globals.is_built_in(name)
}
