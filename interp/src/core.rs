//! Core forms: what the expander leaves of the language. Two readers: the compiler, which makes
//! bytecode of them, and the oracle, which runs them as they stand.
//!
//! Invariant: every variable is resolved (`Local` holds the very `Var` its binder made), so
//! shadowing is settled here and nowhere later.

use std::cell::Cell;
use std::rc::Rc;
use sx_runtime::syntax::{Name, Span, Stx};

/// A core form and the place it came from.
#[derive(Debug)]
pub struct Core {
    /// What it is.
    pub node: CoreNode,
    /// Where it came from.
    pub span: Span,
}

/// The core forms.
#[derive(Debug)]
pub enum CoreNode {
    /// A constant.
    Const(Stx),
    /// The value of a local variable.
    Local(Var),
    /// The value of a global variable.
    Global(Name),
    /// `(set! local v)`; its value is the value assigned.
    SetLocal(Var, Box<Core>),
    /// `(set! global v)`; an error when the global is not bound.
    SetGlobal(Name, Box<Core>),
    /// `(define name v)` at top level; its value is the value bound.
    Define(Name, Box<Core>),
    /// Test, then, else.
    If(Box<Core>, Box<Core>, Box<Core>),
    /// Never empty.
    Seq(Vec<Core>),
    /// A procedure.
    Lambda(Box<Lambda>),
    /// One variable, its value, the body it is visible in.
    Let(Var, Box<Core>, Box<Core>),
    /// Variables visible in each other's values, evaluated in order (`letrec*`), and the body.
    /// Reading one before it has its value is the error of an undefined symbol.
    Letrec(Vec<(Var, Core)>, Box<Core>),
    /// Operator, operands, left to right.
    Call(Box<Core>, Vec<Core>),
}

/// A procedure: required parameters, then perhaps one that collects the rest.
#[derive(Debug)]
pub struct Lambda {
    /// What errors and traces call it.
    pub name: Option<Name>,
    /// The docstring, if it has one.
    pub doc: Option<Name>,
    /// Required parameters.
    pub params: Vec<Var>,
    /// `&rest` parameter.
    pub rest: Option<Var>,
    /// The body.
    pub body: Core,
}

/// A local variable; equal only to itself.
#[derive(Clone)]
pub struct Var(pub Rc<VarInfo>);

/// What is known of a variable.
pub struct VarInfo {
    /// Its name in the text.
    pub name: Name,
    /// Is it the target of a `set!`?
    pub assigned: Cell<bool>,
}

impl Var {
    /// A fresh variable.
    pub fn new(name: Name) -> Var {
        Var(Rc::new(VarInfo {
            name,
            assigned: Cell::new(false),
        }))
    }
    /// A key by identity.
    pub fn id(&self) -> usize {
        Rc::as_ptr(&self.0) as usize
    }
}

impl std::fmt::Debug for Var {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{:x}", self.0.name, self.id() >> 4 & 0xffff)
    }
}

impl Core {
    /// A core form.
    pub fn new(node: CoreNode, span: Span) -> Core {
        Core { node, span }
    }
}

// A deeply nested program makes a deeply nested tree; its drop may use more stack than a thread
// has, so it grows.
impl Drop for Core {
    fn drop(&mut self) {
        if matches!(self.node, CoreNode::Const(_) | CoreNode::Local(_) | CoreNode::Global(_)) {
            return;
        }
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
            let empty = Vec::new();
            drop(std::mem::replace(&mut self.node, CoreNode::Seq(empty)));
        });
    }
}
