//! `define`, `set!`, and the definition of a global from inside a procedure.

use super::bind::parse_params;
use super::build::strip;
use super::env::{Binding, Ident, Meaning};
use super::op::Op;
use super::work::{Result, Use, Worker};
use sx_runtime::syntax::{Name, Node, Stx, Syntax};

/// A parsed `define`.
pub(super) struct Definition {
    pub(super) ident: Ident,
    pub(super) value: Stx,
    /// The list after `:effects`.
    pub(super) effects: Option<Stx>,
}

/// `(define name value)`, `(define (name param…) body…)`, each with an annotation
/// `:effects [...]` after the name perhaps.
pub(super) fn parse(usage: &Use<'_>) -> Result<Definition> {
    let (target, rest) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let (effects, rest) = match rest {
        [key, effects, rest @ ..] if is_effects_key(key) => (Some(strip(effects)), rest),
        rest => (None, rest),
    };
    if let Some(ident) = Ident::of(target) {
        let value = match rest {
            [] => return Err(usage.bad()),
            [value] => value.clone(),
            [_, extra, ..] => return Err(usage.error(format!("{} gets more than one value", ident.name), extra)),
        };
        return Ok(Definition { ident, value, effects });
    }
    let node = |node| Syntax::new(node, target.span.clone());
    let (name, params) = match &target.node {
        Node::List(items) if !items.is_empty() => (&items[0], node(Node::List(items[1..].to_vec()))),
        Node::Dotted(items, tail) if items.len() == 1 => (&items[0], tail.clone()),
        Node::Dotted(items, tail) => (&items[0], node(Node::Dotted(items[1..].to_vec(), tail.clone()))),
        _ => return Err(usage.error("expected a name or (name parameter...)", target)),
    };
    let ident = Ident::of(name).ok_or_else(|| usage.error("expected a name", name))?;
    parse_params(usage, &params)?;
    Ok(Definition {
        ident,
        value: usage.builder().lambda(params, rest),
        effects,
    })
}

fn is_effects_key(stx: &Stx) -> bool {
    matches!(&stx.node, Node::Keyword(name) if &**name == "effects")
}

/// `define` at top level.
pub(super) fn define(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let Definition { ident, value, effects } = parse(usage)?;
    let global = worker.define_global(&ident, usage);
    if effects.is_some() {
        worker.push_op(Op::Seq(2), usage.span());
    }
    worker.push_op(Op::Define(global.clone()), usage.span());
    worker.push_named(&value, usage.env, Some(ident.name.clone()));
    if let Some(effects) = effects {
        let builder = usage.builder();
        let annotate = builder.call(
            "%annotate",
            [
                builder.quote(builder.symbol(global)),
                builder.string("effects"),
                builder.quote(effects),
            ],
        );
        worker.push_expr(&annotate, usage.env);
    }
    Ok(())
}

/// `(%define-global name value)`: what multiple definitions become, from inside a procedure.
pub(super) fn define_global(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let [target, value] = usage.args() else {
        return Err(usage.bad());
    };
    let ident = Ident::of(target).ok_or_else(|| usage.bad())?;
    let global = worker.define_global(&ident, usage);
    worker.push_op(Op::Define(global), usage.span());
    worker.push_named(value, usage.env, Some(ident.name));
    Ok(())
}

impl Worker<'_> {
    /// The global that a definition of this identifier makes at top level.
    pub(super) fn define_global(&self, ident: &Ident, usage: &Use<'_>) -> Name {
        let name = super::env::printed(&ident.name);
        let global = match usage.env.top_of() {
            Some(top) => top.define(&name),
            None => name,
        };
        if let Some(row) = ident.alias_row() {
            self.aliases().set_global(row, global.clone());
        }
        global
    }
}

/// `(set! name value)`
pub(super) fn set(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let [target, value] = usage.args() else {
        return Err(usage.bad());
    };
    let ident = Ident::of(target).ok_or_else(|| usage.error("expected a name", target))?;
    let op = match worker.meaning(&ident, usage.env) {
        Meaning::Local(Binding::Var(var) | Binding::Sibling(var)) => {
            var.0.assigned.set(true);
            Op::SetLocal(var)
        }
        Meaning::Global(global) => Op::SetGlobal(global),
        Meaning::OtherPhase => {
            let message = format!("{} is a variable of the code around the macro transformer", ident.name);
            return Err(usage.error(message, target));
        }
        _ => return Err(usage.error(format!("{} is syntax, not a variable", ident.name), target)),
    };
    worker.push_op(op, usage.span());
    worker.push_named(value, usage.env, Some(ident.name));
    Ok(())
}
