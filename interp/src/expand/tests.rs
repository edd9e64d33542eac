//! Text in, core text out. A small evaluator of macro transformers stands in for the machine.

use super::*;
use crate::read::read_all;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use sx_runtime::syntax::{Node, Source, Syntax};

mod errors;
mod forms;
mod hygiene;
mod steps;

/// A stand-in for the evaluator: globals that are bound, and macros by name. Procedure macros are
/// Rust functions of the form.
#[derive(Default)]
struct World {
    bound: RefCell<HashSet<String>>,
    macros: RefCell<HashMap<String, GlobalMacro>>,
    procedures: Vec<fn(&Stx) -> Stx>,
    warnings: RefCell<Vec<String>>,
}

impl Globals for World {
    fn macro_of(&self, global: &str) -> Option<GlobalMacro> {
        self.macros.borrow().get(global).cloned()
    }
    fn is_bound(&self, global: &str) -> bool {
        self.bound.borrow().contains(global)
    }
    fn has_library(&self, name: &str) -> bool {
        name == "scheme.base"
    }
}

impl World {
    fn procedure(&mut self, name: &str, procedure: fn(&Stx) -> Stx) {
        let number = self.procedures.len() as u32;
        self.procedures.push(procedure);
        self.macros
            .get_mut()
            .insert(name.into(), GlobalMacro::Procedure(MacroRef(number)));
    }

    /// Runs one expansion to its end, all its top-level forms in order.
    fn run(&self, expansion: Expansion, top: &Rc<TopEnv>, out: &mut Vec<String>) -> Result<(), SyntaxError> {
        let mut step = expansion.step(Answer::Go, self);
        loop {
            step = match step {
                Step::Done(core, warnings) => {
                    self.warnings
                        .borrow_mut()
                        .extend(warnings.into_iter().map(|w| w.message));
                    self.define(&core, top);
                    out.push(show_core(&core));
                    return Ok(());
                }
                Step::Expanded(form) => {
                    out.push(show_stx(&form));
                    return Ok(());
                }
                Step::Forms(forms) => return forms.into_iter().try_for_each(|form| self.run(form, top, out)),
                Step::Import(..) | Step::Library(_) | Step::Include(..) => {
                    out.push("module".into());
                    return Ok(());
                }
                Step::NeedMacro {
                    procedure, form, next, ..
                } => next.step(Answer::Form(self.procedures[procedure.0 as usize](&form)), self),
                Step::NeedEval { next, core, .. } => {
                    out.push(show_core(&core));
                    next.step(Answer::Macro(MacroRef(0)), self)
                }
                Step::Pause(next) => next.step(Answer::Go, self),
                Step::Err(error) => return Err(error),
            }
        }
    }

    /// What evaluating a definition would make known.
    fn define(&self, core: &Core, top: &Rc<TopEnv>) {
        use crate::core::CoreNode::{Call, Const, Define, Global};
        match &core.node {
            Define(name, _) => {
                self.bound.borrow_mut().insert(name.to_string());
            }
            Call(function, operands) => {
                if let (
                    Global(name),
                    [
                        Core {
                            node: Const(global), ..
                        },
                        Core { node: Const(rules), .. },
                        ..,
                    ],
                ) = (&function.node, operands.as_slice())
                    && &**name == "%define-syntax"
                    && let (Some(global), Ok(rules)) = (global.as_name(), Rules::from_datum(rules, top))
                {
                    let rules = GlobalMacro::Rules(Rc::new(rules));
                    self.macros.borrow_mut().insert(global.to_string(), rules);
                }
            }
            _ => {}
        }
    }

    fn expand_in(&self, text: &str, top: &Rc<TopEnv>) -> Result<Vec<String>, SyntaxError> {
        let mut out = Vec::new();
        match read_all(Source::new("t", text)) {
            Ok(forms) => forms
                .into_iter()
                .try_for_each(|form| self.run(Expansion::new(form, top), top, &mut out))?,
            Err(errors) => return Err(errors[0].clone()),
        }
        Ok(out)
    }
}

/// The core text of a program, or its first error.
fn expand(text: &str) -> String {
    match World::default().expand_in(text, &TopEnv::program()) {
        Ok(forms) => forms.join("\n"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(expand(text), *expected, "expanding {text}");
    }
}

fn list(items: Vec<Stx>) -> Stx {
    Syntax::new(Node::List(items), Span::none())
}

fn symbol(name: &str) -> Stx {
    Syntax::new(Node::Sym(name.into()), Span::none())
}
