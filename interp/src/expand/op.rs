//! The expander's output: core forms in postfix order, and the pass that builds the tree.
//!
//! A flat, persistent list is what lets an expansion be copied and continued twice; the tree is
//! made once, at the end. Bodies get their final shape here, where it is known which variable is
//! named where: a definition nothing names before it has its value is a plain `Let`, and the
//! others fall into the smallest `Letrec` groups that keep the order of evaluation.

use super::list::List;
use crate::core::{Core, CoreNode, Lambda, Var};
use std::collections::HashMap;
use std::rc::Rc;
use sx_runtime::syntax::{Name, Node, Span, Stx, Syntax};

/// One postfix instruction: takes finished forms off the stack, leaves one.
#[derive(Clone)]
pub(super) enum Op {
    Const(Stx),
    Local(Var),
    Global(Name),
    SetLocal(Var),
    SetGlobal(Name),
    Define(Name),
    If,
    Seq(usize),
    Lambda(Rc<Head>),
    Let(Var),
    /// One entry per form of a body: the variable it defines, or none.
    Body(Rc<[Option<Var>]>),
    /// Operator and so many operands.
    Call(usize),
}

/// A lambda without its body.
pub(super) struct Head {
    pub(super) name: Option<Name>,
    pub(super) doc: Option<Name>,
    pub(super) params: Vec<Var>,
    pub(super) rest: Option<Var>,
}

/// The tree of a complete list of instructions.
pub(super) fn build(ops: List<(Op, Span)>) -> Core {
    let mut builder = Builder::default();
    for (at, (op, span)) in ops.into_vec().into_iter().enumerate() {
        let core = builder.apply(op, span, at);
        builder.stack.push((core, at));
    }
    builder.pop()
}

#[derive(Default)]
struct Builder {
    /// Finished forms and the instruction that finished each.
    stack: Vec<(Core, usize)>,
    /// The first instruction that names each variable.
    first_use: HashMap<usize, usize>,
}

impl Builder {
    fn pop(&mut self) -> Core {
        match self.stack.pop() {
            Some((core, _)) => core,
            None => nil(Span::none()),
        }
    }
    fn boxed(&mut self) -> Box<Core> {
        Box::new(self.pop())
    }
    fn pop_many(&mut self, count: usize) -> Vec<(Core, usize)> {
        self.stack.split_off(self.stack.len().saturating_sub(count))
    }
    fn used(&mut self, var: &Var, at: usize) {
        self.first_use.entry(var.id()).or_insert(at);
    }

    fn apply(&mut self, op: Op, span: Span, at: usize) -> Core {
        let node = match op {
            Op::Const(stx) => CoreNode::Const(stx),
            Op::Local(var) => {
                self.used(&var, at);
                CoreNode::Local(var)
            }
            Op::Global(name) => CoreNode::Global(name),
            Op::SetLocal(var) => {
                self.used(&var, at);
                var.0.assigned.set(true);
                CoreNode::SetLocal(var, self.boxed())
            }
            Op::SetGlobal(name) => CoreNode::SetGlobal(name, self.boxed()),
            Op::Define(name) => CoreNode::Define(name, self.boxed()),
            Op::If => {
                let (otherwise, then, test) = (self.boxed(), self.boxed(), self.boxed());
                CoreNode::If(test, then, otherwise)
            }
            Op::Seq(0) => return nil(span),
            Op::Seq(1) => return self.pop(),
            Op::Seq(count) => CoreNode::Seq(self.pop_many(count).into_iter().map(|(core, _)| core).collect()),
            Op::Lambda(head) => CoreNode::Lambda(Box::new(Lambda {
                name: head.name.clone(),
                doc: head.doc.clone(),
                params: head.params.clone(),
                rest: head.rest.clone(),
                body: self.pop(),
            })),
            Op::Let(var) => {
                let (body, value) = (self.boxed(), self.boxed());
                CoreNode::Let(var, value, body)
            }
            Op::Body(vars) => return self.body(&vars, span),
            Op::Call(count) => {
                let operands = self.pop_many(count).into_iter().map(|(core, _)| core).collect();
                CoreNode::Call(self.boxed(), operands)
            }
        };
        Core::new(node, span)
    }

    fn body(&mut self, vars: &[Option<Var>], span: Span) -> Core {
        let (forms, ends): (Vec<Core>, Vec<usize>) = self.pop_many(vars.len()).into_iter().unzip();
        let group_end = self.group_ends(vars, &ends);
        let mut items: Vec<(Option<Var>, Core)> = vars.iter().cloned().zip(forms).collect();
        let mut tail: Vec<Core> = Vec::new();
        if let Some((Some(var), _)) = items.last() {
            tail.push(Core::new(CoreNode::Local(var.clone()), span.clone()));
        }
        let mut starts = Vec::new();
        let mut at = 0;
        while at < items.len() {
            starts.push(at);
            at = group_end[at].0 + 1;
        }
        for start in starts.into_iter().rev() {
            let recursive = group_end[start].1;
            let mut group = items.split_off(start);
            match group.pop() {
                Some((None, form)) if group.is_empty() => tail.push(form),
                Some((Some(var), value)) if group.is_empty() && !recursive => {
                    let body = Box::new(seq(&mut tail, &span));
                    tail.push(Core::new(CoreNode::Let(var, Box::new(value), body), span.clone()));
                }
                last => {
                    group.extend(last);
                    let body = Box::new(seq(&mut tail, &span));
                    let unnamed = || Var::new("_".into());
                    let values = group.into_iter().map(|(var, form)| (var.unwrap_or_else(unnamed), form));
                    tail.push(Core::new(CoreNode::Letrec(values.collect(), body), span.clone()));
                }
            }
        }
        seq(&mut tail, &span)
    }

    /// For each form that starts a group, the group's last form, and whether a form of the group
    /// names a variable that has no value yet.
    fn group_ends(&self, vars: &[Option<Var>], ends: &[usize]) -> Vec<(usize, bool)> {
        let mut groups: Vec<(usize, bool)> = (0..vars.len()).map(|i| (i, false)).collect();
        for (defined, var) in vars.iter().enumerate() {
            let Some(used) = var.as_ref().and_then(|var| self.first_use.get(&var.id())) else {
                continue;
            };
            let using = ends.partition_point(|end| end < used);
            if using <= defined {
                groups[using] = (groups[using].0.max(defined), true);
            }
        }
        // A group reaches as far as any group that starts inside it.
        for start in (0..groups.len()).rev() {
            let mut next = start + 1;
            while next <= groups[start].0 {
                groups[start].0 = groups[start].0.max(groups[next].0);
                next = groups[next].0.max(next) + 1;
            }
        }
        groups
    }
}

/// The forms collected last to first, as one; leaves none.
fn seq(tail: &mut Vec<Core>, span: &Span) -> Core {
    let mut forms = std::mem::take(tail);
    forms.reverse();
    match forms.len() {
        0 => nil(span.clone()),
        1 => forms.swap_remove(0),
        _ => Core::new(CoreNode::Seq(forms), span.clone()),
    }
}

fn nil(span: Span) -> Core {
    Core::new(CoreNode::Const(Syntax::new(Node::Nil, span.clone())), span)
}
