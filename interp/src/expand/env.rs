//! What a name means: lexical scopes, and the aliases that make macros hygienic.
//!
//! A hygienic macro inserts aliases: fresh identifiers, each remembering the identifier in the
//! template and the scope of the macro's definition. An alias that a binding form binds is a
//! variable of its own; any other means what the remembered identifier means in that scope.
//! Row 0 of the alias table is the scope of the built-in forms and functions.

use super::list::List;
use super::syntax_rules::Rules;
use super::table::Form;
use super::top::{MARK, TopEnv};
use super::{GlobalMacro, Globals, MacroRef, table};
use crate::core::Var;
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use sx_runtime::syntax::{Name, Node, Syntax};

/// A symbol or an alias.
#[derive(Debug, Clone)]
pub(super) struct Ident {
    pub(super) name: Name,
    /// 0 for a symbol, else the row of the alias plus one.
    row: u32,
    hash: u32,
}

impl PartialEq for Ident {
    fn eq(&self, other: &Ident) -> bool {
        self.hash == other.hash && self.row == other.row && (self.row > 1 || self.name == other.name)
    }
}
impl Eq for Ident {}

impl Hash for Ident {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl Ident {
    pub(super) fn of(stx: &Syntax) -> Option<Ident> {
        match &stx.node {
            Node::Sym(name) => Some(Ident::symbol(name)),
            Node::Alias(name, 0) => Some(Ident {
                name: name.clone(),
                row: 1,
                hash: !fnv(name),
            }),
            Node::Alias(name, row) => Some(Ident {
                name: name.clone(),
                row: row + 1,
                hash: hash_of_row(*row),
            }),
            _ => None,
        }
    }
    pub(super) fn symbol(name: &Name) -> Ident {
        Ident {
            name: name.clone(),
            row: 0,
            hash: fnv(name),
        }
    }
    fn bit(&self) -> u64 {
        1 << (self.hash.wrapping_mul(0x9e37_79b1) >> 26)
    }
    /// The alias row, if it is an alias.
    pub(super) fn alias_row(&self) -> Option<u32> {
        self.row.checked_sub(1)
    }
    pub(super) fn node(&self) -> Node {
        match self.alias_row() {
            Some(row) => Node::Alias(self.name.clone(), row),
            None => Node::Sym(self.name.clone()),
        }
    }
}

fn hash_of_row(row: u32) -> u32 {
    row.wrapping_mul(0x9e37_79b9)
}

fn fnv(name: &str) -> u32 {
    name.bytes()
        .fold(0x811c_9dc5, |hash, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

/// What a local name stands for.
#[derive(Clone)]
pub(super) enum Binding {
    Var(Var),
    /// An earlier variable of a sequential `let` that is also bound outside it, as seen from the
    /// value of a later one.
    Sibling(Var),
    Macro(MacroRef),
    Rules(Rc<Rules>),
    Special(&'static Form),
}

/// A scope and all scopes around it.
#[derive(Clone)]
pub(super) struct Env(Rc<Scope>);

struct Scope {
    what: What,
    outer: Option<Env>,
    /// One bit for each name that the `Bind` scopes from here to `landmark` bind, this included.
    filter: u64,
    /// The nearest scope outside that is no `Bind`: where to go on if the filter lacks a name. Most
    /// names mean globals, so most searches take this way.
    landmark: Option<Env>,
}

enum What {
    Top(Rc<TopEnv>),
    Bind(Ident, Binding),
    /// A body with definitions; its bindings grow, so they are in the expander's state.
    Frame(usize),
    /// A block that binds nothing, whose definitions are local all the same.
    Block,
    /// Variables outside it do not exist yet when the code inside runs: it is a macro transformer.
    Phase,
}

/// The bindings of bodies with definitions, by frame number.
pub(super) type Frames = Rc<Vec<List<(Ident, Binding)>>>;

enum Found {
    Binding(Binding),
    OtherPhase,
    Top(Rc<TopEnv>),
}

impl Env {
    fn new(what: What, outer: Option<Env>) -> Env {
        let (mut filter, mut landmark) = (0, outer.clone());
        if let Some(Scope {
            what: What::Bind(..),
            filter: bits,
            landmark: next,
            ..
        }) = outer.as_ref().map(|env| &*env.0)
        {
            landmark = next.clone();
            filter = *bits;
        }
        match &what {
            What::Bind(ident, _) => filter |= ident.bit(),
            _ => filter = 0,
        }
        Env(Rc::new(Scope {
            what,
            outer,
            filter,
            landmark,
        }))
    }
    pub(super) fn top(top: Rc<TopEnv>) -> Env {
        Env::new(What::Top(top), None)
    }
    pub(super) fn bind(&self, ident: Ident, binding: Binding) -> Env {
        Env::new(What::Bind(ident, binding), Some(self.clone()))
    }
    pub(super) fn frame(&self, frame: usize) -> Env {
        Env::new(What::Frame(frame), Some(self.clone()))
    }
    /// The same scope, certainly not a top level.
    pub(super) fn block(&self) -> Env {
        match self.as_top() {
            Some(_) => Env::new(What::Block, Some(self.clone())),
            None => self.clone(),
        }
    }
    pub(super) fn phase(&self) -> Env {
        Env::new(What::Phase, Some(self.clone()))
    }
    /// The top level, if this is it.
    pub(super) fn as_top(&self) -> Option<&Rc<TopEnv>> {
        match &self.0.what {
            What::Top(top) => Some(top),
            _ => None,
        }
    }
    fn scopes(&self) -> impl Iterator<Item = &Scope> {
        std::iter::successors(Some(&*self.0), |scope| scope.outer.as_ref().map(|outer| &*outer.0))
    }
    /// The top level around it.
    pub(super) fn top_of(&self) -> Option<&Rc<TopEnv>> {
        self.scopes().find_map(|scope| match &scope.what {
            What::Top(top) => Some(top),
            _ => None,
        })
    }

    /// The binding of exactly this identifier, or the top level where the search ended.
    fn find(&self, ident: &Ident, frames: &Frames) -> Option<Found> {
        let mut other_phase = false;
        let mut scopes = std::iter::successors(Some(&*self.0), |scope| {
            let skip = matches!(scope.what, What::Bind(..)) && scope.filter & ident.bit() == 0;
            let next = if skip { &scope.landmark } else { &scope.outer };
            next.as_ref().map(|next| &*next.0)
        });
        let found = scopes.find_map(|scope| match &scope.what {
            What::Bind(key, binding) => (key == ident).then(|| Found::Binding(binding.clone())),
            What::Frame(frame) => {
                let found = frames[*frame].iter().find(|(key, _)| key == ident);
                found.map(|(_, binding)| Found::Binding(binding.clone()))
            }
            What::Block => None,
            What::Phase => {
                other_phase = true;
                None
            }
            What::Top(top) => Some(Found::Top(top.clone())),
        });
        match found {
            Some(Found::Binding(Binding::Var(_) | Binding::Sibling(_))) if other_phase => Some(Found::OtherPhase),
            found => found,
        }
    }

    /// The variables bound by symbols in this scope and around it, innermost first, none hidden.
    pub(super) fn variables(&self, frames: &Frames) -> Vec<(Name, Var)> {
        let mut found = Vec::<(Name, Var)>::new();
        let mut add = |ident: &Ident, binding: &Binding| {
            if let (None, Binding::Var(var) | Binding::Sibling(var)) = (ident.alias_row(), binding)
                && found.iter().all(|(name, _)| *name != ident.name)
            {
                found.push((ident.name.clone(), var.clone()));
            }
        };
        for scope in self.scopes() {
            match &scope.what {
                What::Bind(key, binding) => add(key, binding),
                What::Frame(frame) => frames[*frame].iter().for_each(|(key, binding)| add(key, binding)),
                What::Block => {}
                What::Top(_) | What::Phase => break,
            }
        }
        found
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let mut next = self.outer.take();
        while let Some(mut scope) = next.and_then(|env| Rc::into_inner(env.0)) {
            next = scope.outer.take();
        }
    }
}

/// What an alias stands for.
struct Row {
    ident: Ident,
    env: Env,
    /// The global it was made to define at top level.
    global: Option<Name>,
}

/// All aliases made in the expansion of one top-level form. Rows are only ever added, so an
/// expansion and its copies can share the table.
pub(super) struct Aliases {
    rows: RefCell<Vec<Row>>,
}

impl Aliases {
    pub(super) fn new() -> Aliases {
        let core = Env::top(TopEnv::core());
        let row = Row {
            ident: Ident::symbol(&"".into()),
            env: core,
            global: None,
        };
        Aliases {
            rows: RefCell::new(vec![row]),
        }
    }
    /// A fresh alias of what `ident` means in `env`.
    pub(super) fn fresh(&self, ident: &Ident, env: &Env) -> Ident {
        let mut rows = self.rows.borrow_mut();
        let row = rows.len() as u32;
        rows.push(Row {
            ident: ident.clone(),
            env: env.clone(),
            global: None,
        });
        let name = printed(&ident.name);
        Ident {
            name,
            row: row + 1,
            hash: hash_of_row(row),
        }
    }
    /// A fresh alias that means nothing until it is bound.
    pub(super) fn fresh_core(&self, name: &Name) -> Ident {
        let core = self.rows.borrow()[0].env.clone();
        self.fresh(&Ident::symbol(name), &core)
    }
    /// The alias of that row, if there is one.
    pub(super) fn get(&self, name: &Name, row: u32) -> Option<Ident> {
        let known = (row as usize) < self.rows.borrow().len();
        known.then(|| Ident {
            name: name.clone(),
            row: row + 1,
            hash: hash_of_row(row),
        })
    }
    /// The alias stands for this global, which it defines.
    pub(super) fn set_global(&self, row: u32, global: Name) {
        if let Some(row) = self.rows.borrow_mut().get_mut(row as usize) {
            row.global = Some(global);
        }
    }
    /// What the alias of `row` stands for: a global it defined, or an identifier and its scope.
    fn look(&self, row: u32, name: &Name) -> Result<(Ident, Env), Name> {
        let rows = self.rows.borrow();
        let entry = rows.get(row as usize).unwrap_or(&rows[0]);
        match (&entry.global, row) {
            (Some(global), _) => Err(global.clone()),
            (None, 0) => Ok((Ident::symbol(name), entry.env.clone())),
            (None, _) => Ok((entry.ident.clone(), entry.env.clone())),
        }
    }
}

/// A name without the marks of an encoded alias.
pub(super) fn printed(name: &Name) -> Name {
    match name.split_once(MARK) {
        Some((printed, _)) => printed.into(),
        None => name.clone(),
    }
}

/// What an identifier means where it stands.
pub(super) enum Meaning {
    Local(Binding),
    /// A variable of the run time, seen from a macro transformer.
    OtherPhase,
    Special(&'static Form),
    Macro(GlobalMacro),
    Global(Name),
}

/// What is needed to say what an identifier means.
pub(super) struct Scoping<'a> {
    pub(super) frames: &'a Frames,
    pub(super) aliases: &'a Aliases,
    pub(super) globals: &'a dyn Globals,
}

impl Scoping<'_> {
    pub(super) fn meaning(&self, ident: &Ident, env: &Env) -> Meaning {
        let (mut ident, mut env) = (ident.clone(), env.clone());
        loop {
            let top = match env.find(&ident, self.frames) {
                Some(Found::Binding(Binding::Special(form))) => return Meaning::Special(form),
                Some(Found::Binding(binding)) => return Meaning::Local(binding),
                Some(Found::OtherPhase) => return Meaning::OtherPhase,
                Some(Found::Top(top)) => top,
                None => return Meaning::Global(ident.name.clone()),
            };
            match ident.alias_row().map(|row| self.aliases.look(row, &ident.name)) {
                Some(Ok((inner, scope))) => (ident, env) = (inner, scope),
                Some(Err(global)) => return self.global_meaning(global),
                None if top.is_core() => return core_meaning(&ident.name),
                None => return self.global_meaning(top.resolve(&ident.name, self.globals)),
            }
        }
    }

    /// The global that an identifier names, taken as no local name binds it.
    pub(super) fn global(&self, ident: &Ident, env: &Env) -> Name {
        let (mut ident, mut env) = (ident.clone(), env.clone());
        loop {
            match ident.alias_row().map(|row| self.aliases.look(row, &ident.name)) {
                Some(Ok((inner, scope))) => (ident, env) = (inner, scope),
                Some(Err(global)) => return global,
                None => break,
            }
        }
        match env.top_of() {
            Some(top) => top.resolve(&ident.name, self.globals),
            None => ident.name,
        }
    }

    fn global_meaning(&self, global: Name) -> Meaning {
        if let Some(found) = self.globals.macro_of(&global) {
            return Meaning::Macro(found);
        }
        match table::find(&global) {
            Some(form) if !self.globals.is_bound(&global) => Meaning::Special(form),
            _ => Meaning::Global(global),
        }
    }

    /// Do two identifiers mean the same, each where it stands?
    pub(super) fn same(&self, a: &Ident, a_env: &Env, b: &Ident, b_env: &Env) -> bool {
        use Binding::{Macro, Rules, Sibling, Var};
        match (self.meaning(a, a_env), self.meaning(b, b_env)) {
            (Meaning::Local(Var(a) | Sibling(a)), Meaning::Local(Var(b) | Sibling(b))) => a.id() == b.id(),
            (Meaning::Local(Macro(a)), Meaning::Local(Macro(b))) => a == b,
            (Meaning::Local(Rules(a)), Meaning::Local(Rules(b))) => Rc::ptr_eq(&a, &b),
            (Meaning::Special(a), Meaning::Special(b)) => std::ptr::eq(a, b),
            (Meaning::Macro(a), Meaning::Macro(b)) => a.same(&b),
            (Meaning::Global(a), Meaning::Global(b)) => a == b || self.both_unbound(&a, &b),
            _ => false,
        }
    }

    /// Names that nobody defined are the same when they are spelled the same, whichever library
    /// they stand in: the literals of macros.
    fn both_unbound(&self, a: &Name, b: &Name) -> bool {
        let spelled = |name: &Name| {
            name.rsplit_once('#')
                .map_or(name.to_string(), |(_, own)| own.to_string())
        };
        spelled(a) == spelled(b) && !self.globals.is_bound(a) && !self.globals.is_bound(b)
    }
}

fn core_meaning(name: &Name) -> Meaning {
    match table::find(name) {
        Some(form) => Meaning::Special(form),
        None => Meaning::Global(name.clone()),
    }
}
