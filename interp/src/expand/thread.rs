//! Threading: `->` `->>` `as->`.

use super::env::Ident;
use super::work::{Result, Use, Worker};
use sx_runtime::syntax::{Node, Stx, Syntax};

/// Where the value goes in a step's operands.
#[derive(Clone, Copy)]
enum Slot {
    First,
    Last,
}

/// `(-> x (f a) g)` = `(g (f x a))`
pub(super) fn first(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    thread(usage, Slot::First)
}

/// `(->> x (f a) g)` = `(g (f a x))`
pub(super) fn last(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    thread(usage, Slot::Last)
}

fn thread(usage: &Use<'_>, slot: Slot) -> Result<Stx> {
    let (value, steps) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let mut value = value.clone();
    for step in steps {
        let mut items = match step.as_list() {
            Some([]) => return Err(usage.error("expected a step (function operand...), got ()", step)),
            Some(items) => items.to_vec(),
            None => vec![step.clone()],
        };
        match slot {
            Slot::First => items.insert(1, value),
            Slot::Last => items.push(value),
        }
        value = Syntax::new(Node::List(items), step.span.clone());
    }
    Ok(value)
}

/// `(as-> x name step…)`: each step sees the value so far as `name`.
pub(super) fn named(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let [value, name, steps @ ..] = usage.args() else {
        return Err(usage.bad());
    };
    if Ident::of(name).is_none() {
        return Err(usage.error("expected a name", name));
    }
    let Some((last, firsts)) = steps.split_last() else {
        return Ok(value.clone());
    };
    let values = std::iter::once(value).chain(firsts);
    let bindings = values.map(|value| (name.clone(), value.clone())).collect();
    Ok(usage.builder().let_in_order(bindings, std::slice::from_ref(last)))
}
