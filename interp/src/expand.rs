//! The expander: syntax trees to core forms.
//!
//! An [`Expansion`] is a value: a stack of work still to do and the core forms made so far, both
//! persistent, so that it can be copied for nothing and each copy continued on its own (a macro
//! transformer may capture a continuation and be resumed twice). It never runs SX. When it needs a
//! macro procedure called or a transformer evaluated it says so, with the rest of itself in hand,
//! and the evaluator goes on with [`Expansion::step`] and the answer.
//!
//! Invariant: native stack use does not grow with the depth of a program.
//!
//! What the forms expand to, and the core functions that takes, is in [`names`].

mod bind;
mod body;
mod build;
mod choice;
mod control;
mod define;
mod env;
mod list;
mod macros;
mod matching;
mod module;
pub mod names;
mod op;
mod page;
mod quasi;
mod show;
mod syntax_rules;
mod table;
mod thread;
mod top;
mod types;
mod values;
mod work;

pub use crate::read::SyntaxError;
pub use module::{Export, ImportSet, Inclusion, Library, show_library};
pub use show::{show_core, show_stx};
pub use syntax_rules::Rules;
pub use table::{Form, forms, is_form};
pub use top::{Adt, TopEnv};
pub use work::Expansion;

use crate::core::Core;
use std::rc::Rc;
use sx_runtime::syntax::{Name, Span, Stx};

/// A macro procedure, by the number the evaluator gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacroRef(pub u32);

/// A macro that a global name holds.
#[derive(Clone)]
pub enum GlobalMacro {
    /// Its procedure takes the unevaluated operands and returns a form.
    Procedure(MacroRef),
    /// `syntax-rules`
    Rules(Rc<Rules>),
    /// From `register-special-form!`: a procedure of the unevaluated operands and the environment
    /// that returns the value.
    SpecialForm,
}

impl GlobalMacro {
    fn same(&self, other: &GlobalMacro) -> bool {
        match (self, other) {
            (GlobalMacro::Procedure(a), GlobalMacro::Procedure(b)) => a == b,
            (GlobalMacro::Rules(a), GlobalMacro::Rules(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// What the expander asks about globals.
pub trait Globals {
    /// The macro that the global holds, if its value is a macro.
    fn macro_of(&self, global: &str) -> Option<GlobalMacro>;
    /// Does the global have a value?
    fn is_bound(&self, global: &str) -> bool;
    /// Is it bound before any program defines anything?
    fn is_built_in(&self, name: &str) -> bool {
        self.is_bound(name) || self.macro_of(name).is_some()
    }
    /// The algebraic type whose constructor the global holds.
    fn adt_of(&self, _global: &str) -> Option<Adt> {
        None
    }
    /// Can `(import (a b))` find the library, called `a.b`?
    fn has_library(&self, _name: &str) -> bool {
        false
    }
    /// The forms of included files.
    fn included(&self, inclusion: &Inclusion) -> Result<Vec<Stx>, SyntaxError> {
        let path = inclusion.paths.first().map_or("", |path| &**path);
        let message = format!("include: {path}: no such file");
        Err(SyntaxError::new(message, inclusion.span.clone()))
    }
}

/// Something worth a line on stderr that does not stop the program.
#[derive(Debug, Clone)]
pub struct Warning {
    /// The line.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// What the evaluator answers to a [`Step`].
pub enum Answer {
    /// Begin, or go on after [`Step::Pause`].
    Go,
    /// The form a macro procedure returned.
    Form(Stx),
    /// The macro that a [`Step::NeedEval`] made.
    Macro(MacroRef),
}

/// How far an expansion has come.
pub enum Step {
    /// The whole form is core now.
    Done(Core, Vec<Warning>),
    /// `macroexpand`: the form when its head is no macro any more.
    Expanded(Stx),
    /// A top-level sequence: expand and evaluate one after the other; the value is the last one's.
    Forms(Vec<Expansion>),
    /// `(import …)`; the value is nil.
    Import(Vec<ImportSet>, Span),
    /// `(include "path")`: expand and evaluate the forms of that file in its place.
    Include(Inclusion),
    /// `(define-library …)`; the value is nil.
    Library(Box<Library>),
    /// Call the macro procedure with the operands of the form, answer [`Answer::Form`].
    NeedMacro {
        /// Which.
        procedure: MacroRef,
        /// The whole use, operator first, free of aliases.
        form: Stx,
        /// The place of the use: what nodes of the answer get that have none of their own.
        span: Span,
        /// The rest of the expansion.
        next: Expansion,
    },
    /// Evaluate this transformer of a local `defmacro`, answer [`Answer::Macro`].
    NeedEval {
        /// A lambda.
        core: Core,
        /// The macro's name.
        name: Name,
        /// The rest of the expansion.
        next: Expansion,
    },
    /// A good deal of work was done: a chance to look at clocks and limits.
    Pause(Expansion),
    /// The form is wrong.
    Err(SyntaxError),
}

#[cfg(test)]
mod tests;
