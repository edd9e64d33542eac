//! Bodies: sequences of forms among which there may be definitions.
//!
//! A body is scanned form by form, expanding macros only as far as it takes to see whether a form
//! is a definition; then the values and expressions are expanded in the complete scope. At top
//! level a body is a plain sequence, and its definitions define globals.

use super::build::Builder;
use super::env::{Binding, Env, Ident, Meaning};
use super::list::List;
use super::op::Op;
use super::table::{Form, Rewrite};
use super::work::{Place, Result, Task, Use, Worker};
use super::{GlobalMacro, choice, define, macros, module};
use crate::core::Var;
use std::rc::Rc;
use sx_runtime::syntax::{Name, Node, Span, Stx};

/// A body in the middle of its scan.
#[derive(Clone)]
pub(super) struct Scan {
    pub(super) env: Env,
    pub(super) frame: usize,
    /// Forms not looked at yet, the next one on top.
    forms: List<Stx>,
    /// Forms looked at, the last one on top.
    items: List<Item>,
    span: Span,
}

#[derive(Clone)]
enum Item {
    Define(Var, Stx, Name),
    /// A second definition of a name assigns it.
    Set(Var, Stx),
    Expr(Stx),
}

impl Scan {
    /// The form comes next.
    pub(super) fn put_back(&mut self, form: Stx) {
        self.forms.push(form);
    }
    fn put_back_all(&mut self, forms: &[Stx]) {
        forms.iter().rev().for_each(|form| self.forms.push(form.clone()));
    }
}

impl Worker<'_> {
    /// Expands the forms of a body; none is nil.
    pub(super) fn body(&mut self, forms: &[Stx], env: &Env, span: &Span) {
        if forms.is_empty() {
            self.constant(Node::Nil, span);
            return;
        }
        if env.as_top().is_some() || !forms.iter().any(|form| self.may_define(form, env)) {
            if forms.len() > 1 {
                self.push_op(Op::Seq(forms.len()), span);
            }
            forms.iter().rev().for_each(|form| self.push_expr(form, env));
            return;
        }
        let frame = self.new_frame();
        let mut scan = Scan {
            env: env.frame(frame),
            frame,
            forms: List::new(),
            items: List::new(),
            span: span.clone(),
        };
        scan.put_back_all(forms);
        self.push(Task::Scan(Box::new(scan)));
    }

    fn may_define(&self, form: &Stx, env: &Env) -> bool {
        let head = form.as_list().and_then(|items| Ident::of(items.first()?));
        match head.map(|ident| self.meaning(&ident, env)) {
            Some(Meaning::Special(special)) => {
                matches!(
                    special.rewrite,
                    Rewrite::Define(_) | Rewrite::Definitions(_) | Rewrite::Begin | Rewrite::Do | Rewrite::Include
                )
            }
            Some(Meaning::Macro(_) | Meaning::Local(Binding::Rules(_) | Binding::Macro(_))) => true,
            _ => false,
        }
    }

    /// Looks at forms until the body is known or the evaluator is needed.
    pub(super) fn scan(&mut self, mut scan: Scan) -> Result<()> {
        while let Some(form) = scan.forms.pop() {
            let head = form.as_list().and_then(|items| Ident::of(items.first()?));
            match head.map(|ident| self.meaning(&ident, &scan.env)) {
                Some(Meaning::Special(special)) => {
                    if special.name == "defmacro" {
                        return self.scan_defmacro(special, &form, scan);
                    }
                    self.scan_special(special, form, &mut scan)?;
                }
                Some(Meaning::Local(Binding::Rules(rules)) | Meaning::Macro(GlobalMacro::Rules(rules))) => {
                    let env = scan.env.clone();
                    scan.put_back(self.apply_rules(&rules, &form, &env)?);
                }
                Some(Meaning::Local(Binding::Macro(procedure)) | Meaning::Macro(GlobalMacro::Procedure(procedure))) => {
                    let env = scan.env.clone();
                    self.push(Task::Scan(Box::new(scan)));
                    return self.call_macro(procedure, &form, &env, Place::Body);
                }
                _ => scan.items.push(Item::Expr(form)),
            }
        }
        self.finish_scan(scan);
        Ok(())
    }

    fn scan_special(&mut self, special: &'static Form, form: Stx, scan: &mut Scan) -> Result<()> {
        let env = scan.env.clone();
        let items = form.as_list().unwrap_or_default();
        let usage = Use {
            form: &form,
            items,
            env: &env,
            name: None,
            special,
        };
        match special.rewrite {
            Rewrite::Do if choice::is_loop(usage.args()) => scan.items.push(Item::Expr(form)),
            Rewrite::Begin | Rewrite::Do => scan.put_back_all(usage.args()),
            Rewrite::Include => scan.put_back_all(&module::included(self, &usage)?),
            Rewrite::Definitions(rewrite) => {
                let form = rewrite(self, &usage)?;
                scan.put_back(form);
            }
            Rewrite::Define(_) if special.name == "define" => {
                let definition = define::parse(&usage)?;
                self.declare(scan, definition);
            }
            Rewrite::Define(_) => macros::define_syntax_in(self, &usage, scan.frame)?,
            _ => scan.items.push(Item::Expr(form)),
        }
        Ok(())
    }

    fn declare(&mut self, scan: &mut Scan, definition: define::Definition) {
        let define::Definition { ident, value, .. } = definition;
        let known = self.frames()[scan.frame]
            .iter()
            .find_map(|(key, binding)| match binding {
                Binding::Var(var) if *key == ident => Some(var.clone()),
                _ => None,
            });
        if let Some(var) = known {
            scan.items.push(Item::Set(var, value));
            return;
        }
        let name = ident.name.clone();
        let var = Var::new(name.clone());
        self.bind_in_frame(scan.frame, ident, Binding::Var(var.clone()));
        scan.items.push(Item::Define(var, value, name));
    }

    /// A local `defmacro`: its transformer is expanded apart and handed to the evaluator.
    fn scan_defmacro(&mut self, special: &'static Form, form: &Stx, scan: Scan) -> Result<()> {
        let items = form.as_list().unwrap_or_default();
        let env = scan.env.clone();
        let usage = Use {
            form,
            items,
            env: &env,
            name: None,
            special,
        };
        let (ident, lambda) = macros::parse_defmacro(&usage)?;
        let (frame, name) = (scan.frame, ident.name.clone());
        self.push(Task::Scan(Box::new(scan)));
        self.push(Task::AwaitMacro { frame, ident });
        self.begin_transformer(name.clone());
        self.push_named(&lambda, &env.phase(), Some(name));
        Ok(())
    }

    fn finish_scan(&mut self, scan: Scan) {
        let items = scan.items.into_vec();
        if items.is_empty() {
            self.constant(Node::Nil, &scan.span);
            return;
        }
        let vars: Rc<[Option<Var>]> = items
            .iter()
            .map(|item| match item {
                Item::Define(var, ..) => Some(var.clone()),
                _ => None,
            })
            .collect();
        self.push_op(Op::Body(vars), &scan.span);
        for item in items.into_iter().rev() {
            match item {
                Item::Define(_, value, name) => self.push_named(&value, &scan.env, Some(name)),
                Item::Set(var, value) => {
                    self.push_op(Op::SetLocal(var), &value.span);
                    self.push_expr(&value, &scan.env);
                }
                Item::Expr(form) => self.push_expr(&form, &scan.env),
            }
        }
    }
}

/// The forms as one: none is nil, several are a sequence.
pub(super) fn one_form(builder: &Builder, forms: &[Stx]) -> Stx {
    match forms {
        [] => builder.nil(),
        [form] => form.clone(),
        forms => builder.begin(forms.to_vec()),
    }
}
