//! Building forms: what the derived forms rewrite themselves with, and walks over trees.
//!
//! A name put into a form here is alias 0: it means the built-in form or function of that name
//! whatever the program calls its own variables.

use super::env::{Ident, printed};
use super::work::Worker;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use sx_runtime::syntax::{Name, Node, Span, Stx, Syntax};

/// Makes forms that stand at one place.
#[derive(Clone)]
pub(super) struct Builder {
    span: Span,
}

thread_local! {
    static NAMES: RefCell<HashMap<&'static str, Name>> = RefCell::default();
}

/// The shared copy of a built-in name.
pub(super) fn core_name(name: &'static str) -> Name {
    NAMES.with(|names| names.borrow_mut().entry(name).or_insert_with(|| name.into()).clone())
}

impl Builder {
    pub(super) fn new(span: &Span) -> Builder {
        Builder { span: span.clone() }
    }
    pub(super) fn node(&self, node: Node) -> Stx {
        Syntax::new(node, self.span.clone())
    }
    /// The built-in form or function of that name.
    pub(super) fn core(&self, name: &'static str) -> Stx {
        self.node(Node::Alias(core_name(name), 0))
    }
    /// An identifier nothing else in the program can mean.
    pub(super) fn fresh(&self, worker: &Worker<'_>, name: &'static str) -> Stx {
        self.node(worker.aliases().fresh_core(&core_name(name)).node())
    }
    pub(super) fn symbol(&self, name: impl Into<Name>) -> Stx {
        self.node(Node::Sym(name.into()))
    }
    pub(super) fn string(&self, text: &str) -> Stx {
        self.node(Node::Str(text.into()))
    }
    pub(super) fn int(&self, n: usize) -> Stx {
        self.node(Node::Int(n as i64))
    }
    pub(super) fn bool(&self, b: bool) -> Stx {
        self.node(Node::Bool(b))
    }
    pub(super) fn nil(&self) -> Stx {
        self.node(Node::Nil)
    }
    pub(super) fn list(&self, items: Vec<Stx>) -> Stx {
        self.node(Node::List(items))
    }
    /// `(name operand…)` with a built-in name.
    pub(super) fn call(&self, name: &'static str, operands: impl IntoIterator<Item = Stx>) -> Stx {
        let mut items = vec![self.core(name)];
        items.extend(operands);
        self.list(items)
    }
    pub(super) fn quote(&self, datum: Stx) -> Stx {
        self.call("quote", [datum])
    }
    /// `(fn params body…)`
    pub(super) fn lambda(&self, params: Stx, body: &[Stx]) -> Stx {
        self.call("fn", std::iter::once(params).chain(body.iter().cloned()))
    }
    /// `(fn () body…)`
    pub(super) fn thunk(&self, body: &[Stx]) -> Stx {
        self.lambda(self.list(Vec::new()), body)
    }
    /// `(begin form…)`
    pub(super) fn begin(&self, forms: Vec<Stx>) -> Stx {
        self.call("begin", forms)
    }
    /// `(define name value)`
    pub(super) fn define(&self, name: &Stx, value: Stx) -> Stx {
        self.call("define", [name.clone(), value])
    }
    /// `(let* ((name value)…) body…)`
    pub(super) fn let_in_order(&self, bindings: Vec<(Stx, Stx)>, body: &[Stx]) -> Stx {
        let bindings = bindings
            .into_iter()
            .map(|(name, value)| self.list(vec![name, value]))
            .collect();
        self.call("let*", std::iter::once(self.list(bindings)).chain(body.iter().cloned()))
    }
}

const RED_ZONE: usize = 64 * 1024;
const SEGMENT: usize = 1024 * 1024;

/// Runs `f` with enough native stack for one more level of a tree.
pub(super) fn deeper<T>(f: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(RED_ZONE, SEGMENT, f)
}

/// The tree with some identifiers replaced; the very same tree where none is.
pub(super) fn map_idents(stx: &Stx, f: &mut dyn FnMut(Ident, &Span) -> Option<Stx>) -> Stx {
    let mut map_all = |items: &[Stx]| {
        let mapped: Vec<Stx> = items.iter().map(|item| map_idents(item, f)).collect();
        let changed = mapped.iter().zip(items).any(|(new, old)| !Arc::ptr_eq(new, old));
        changed.then_some(mapped)
    };
    let node = match &stx.node {
        Node::Sym(_) | Node::Alias(..) => {
            return Ident::of(stx)
                .and_then(|ident| f(ident, &stx.span))
                .unwrap_or_else(|| stx.clone());
        }
        Node::List(items) => deeper(|| map_all(items)).map(Node::List),
        Node::Vector(items) => deeper(|| map_all(items)).map(Node::Vector),
        Node::Dotted(items, tail) => deeper(|| {
            let mut all = items.clone();
            all.push(tail.clone());
            let mut all = map_all(&all)?;
            let tail = all.pop()?;
            Some(Node::Dotted(all, tail))
        }),
        Node::Label(label, datum) => deeper(|| {
            let mapped = map_all(std::slice::from_ref(datum))?.pop()?;
            Some(Node::Label(*label, mapped))
        }),
        Node::Dict(pairs) => deeper(|| {
            let flat: Vec<Stx> = pairs
                .iter()
                .flat_map(|(key, value)| [key.clone(), value.clone()])
                .collect();
            let flat = map_all(&flat)?;
            Some(Node::Dict(
                flat.chunks_exact(2)
                    .map(|pair| (pair[0].clone(), pair[1].clone()))
                    .collect(),
            ))
        }),
        _ => None,
    };
    node.map_or_else(|| stx.clone(), |node| Syntax::new(node, stx.span.clone()))
}

/// The datum with its aliases turned back into the symbols they are printed as.
pub(super) fn strip(stx: &Stx) -> Stx {
    map_idents(stx, &mut |ident, span| {
        let name = printed(&ident.name);
        let bare = ident.alias_row().is_none() && name == ident.name;
        (!bare).then(|| Syntax::new(Node::Sym(name), span.clone()))
    })
}
