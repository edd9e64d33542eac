//! Forms that bind variables: `fn`, the `let` family, named `let`, `letrec`.

use super::env::{Binding, Env, Ident, Meaning};
use super::op::{Head, Op};
use super::work::{Result, Task, Use, Worker};
use crate::core::Var;
use std::rc::Rc;
use sx_runtime::syntax::{Name, Node, Stx};

/// The parameters of a procedure.
pub(super) struct Params {
    pub(super) required: Vec<Ident>,
    pub(super) rest: Option<Ident>,
}

impl Params {
    /// All of them, the collecting one last.
    pub(super) fn all(&self) -> impl Iterator<Item = &Ident> {
        self.required.iter().chain(&self.rest)
    }
}

/// `(a b)`, `(a &rest c)`, `(a . c)`, `c`
pub(super) fn parse_params(usage: &Use<'_>, stx: &Stx) -> Result<Params> {
    let (items, rest) = match &stx.node {
        Node::List(items) => match items.as_slice() {
            [before @ .., marker, rest] if marker.as_name().is_some_and(|name| &**name == "&rest") => {
                (before, Some(rest))
            }
            items => (items, None),
        },
        Node::Dotted(items, rest) => (items.as_slice(), Some(rest)),
        _ => (&[][..], Some(stx)),
    };
    let param = |stx: &Stx| match Ident::of(stx) {
        Some(ident) if ident.name.starts_with('&') => {
            Err(usage.error(format!("unexpected {} among the parameters", ident.name), stx))
        }
        Some(ident) => Ok(ident),
        None => Err(usage.error(
            format!("expected a parameter name, got {}", super::show::brief(stx)),
            stx,
        )),
    };
    let required = items.iter().map(param).collect::<Result<Vec<_>>>()?;
    let params = Params {
        required,
        rest: rest.map(param).transpose()?,
    };
    check_distinct(usage, params.all(), stx)?;
    Ok(params)
}

fn check_distinct<'i>(usage: &Use<'_>, idents: impl Iterator<Item = &'i Ident>, at: &Stx) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for ident in idents {
        if !seen.insert(ident) {
            return Err(usage.error(format!("{} is bound twice", ident.name), at));
        }
    }
    Ok(())
}

/// `(fn params doc? body…)`
pub(super) fn lambda(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (list, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    if Ident::of(list).is_some() && body.is_empty() {
        return Err(usage.bad());
    }
    let params = parse_params(usage, list)?;
    push_lambda(worker, usage, &params, body, usage.name.cloned());
    Ok(())
}

fn push_lambda(worker: &mut Worker<'_>, usage: &Use<'_>, params: &Params, body: &[Stx], name: Option<Name>) {
    let mut env = usage.env.block();
    let mut bind = |ident: &Ident| {
        let var = Var::new(ident.name.clone());
        env = env.bind(ident.clone(), Binding::Var(var.clone()));
        var
    };
    let required = params.required.iter().map(&mut bind).collect();
    let rest = params.rest.as_ref().map(&mut bind);
    let doc = match body {
        [first, _, ..] => as_text(first),
        _ => None,
    };
    let body = if doc.is_some() { &body[1..] } else { body };
    let head = Head {
        name,
        doc,
        params: required,
        rest,
    };
    worker.push_op(Op::Lambda(Rc::new(head)), usage.span());
    worker.push(Task::Body {
        forms: body.to_vec(),
        env,
        span: usage.span().clone(),
    });
}

fn as_text(stx: &Stx) -> Option<Name> {
    match &stx.node {
        Node::Str(text) => Some(text.clone()),
        _ => None,
    }
}

/// A name and the form of its value.
type Pair = (Ident, Stx);

/// `((name value)…)`, or flat: `(name value …)`.
pub(super) fn parse_bindings(usage: &Use<'_>, stx: &Stx) -> Result<Vec<Pair>> {
    let items = stx
        .as_list()
        .ok_or_else(|| usage.error("expected a list of bindings", stx))?;
    let flat = items.first().is_some_and(|first| Ident::of(first).is_some());
    if !flat {
        return items.iter().map(|item| parse_binding(usage, item)).collect();
    }
    if items.len() % 2 == 1 {
        return Err(usage.error("a name in the list of bindings has no value", &items[items.len() - 1]));
    }
    let pair = |pair: &[Stx]| match Ident::of(&pair[0]) {
        Some(ident) => Ok((ident, pair[1].clone())),
        None => Err(usage.error(
            format!("expected a name, got {}", super::show::brief(&pair[0])),
            &pair[0],
        )),
    };
    items.chunks_exact(2).map(pair).collect()
}

fn parse_binding(usage: &Use<'_>, stx: &Stx) -> Result<Pair> {
    let pair = match stx.as_list() {
        Some([name, value]) => Ident::of(name).map(|ident| (ident, value.clone())),
        _ => None,
    };
    pair.ok_or_else(|| usage.error("each binding is (name value)", stx))
}

/// `(let bindings body…)`, each value in the scope of the bindings before it; `(let name …)` is a
/// named let.
pub(super) fn let_form(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (first, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    if let Some(name) = Ident::of(first) {
        return named_let(worker, usage, name, body);
    }
    if usage.special.name == "named-let" {
        return Err(usage.error("expected a name", first));
    }
    let pairs = parse_bindings(usage, first)?;
    let_in_order(worker, usage, &pairs, body, true);
    Ok(())
}

/// `(let* bindings body…)`
pub(super) fn let_star(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (first, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let pairs = parse_bindings(usage, first)?;
    let_in_order(worker, usage, &pairs, body, false);
    Ok(())
}

fn let_in_order(worker: &mut Worker<'_>, usage: &Use<'_>, pairs: &[Pair], body: &[Stx], warn: bool) {
    // Values see earlier names as siblings where that deserves a warning; the body never does.
    let (mut values_env, mut body_env) = (usage.env.clone(), usage.env.block());
    let mut tasks = Vec::with_capacity(pairs.len());
    for (at, (ident, value)) in pairs.iter().enumerate() {
        let var = Var::new(ident.name.clone());
        tasks.push(Task::Expr {
            form: value.clone(),
            env: values_env.clone(),
            name: Some(ident.name.clone()),
        });
        let sibling = warn && at + 1 < pairs.len() && worker.is_bound_outside(ident, usage.env);
        let seen = if sibling {
            Binding::Sibling(var.clone())
        } else {
            Binding::Var(var.clone())
        };
        values_env = values_env.bind(ident.clone(), seen);
        body_env = body_env.bind(ident.clone(), Binding::Var(var.clone()));
        worker.push_op(Op::Let(var), usage.span());
    }
    worker.push(Task::Body {
        forms: body.to_vec(),
        env: body_env,
        span: usage.span().clone(),
    });
    tasks.into_iter().rev().for_each(|task| worker.push(task));
}

/// `(%let bindings body…)`: Scheme's `let`, every value outside the scope of all bindings.
pub(super) fn let_parallel(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (first, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    if let Some(name) = Ident::of(first) {
        return named_let(worker, usage, name, body);
    }
    let pairs = parse_bindings(usage, first)?;
    check_distinct(usage, pairs.iter().map(|(ident, _)| ident), first)?;
    let mut env = usage.env.block();
    for (ident, _) in &pairs {
        let var = Var::new(ident.name.clone());
        env = env.bind(ident.clone(), Binding::Var(var.clone()));
        worker.push_op(Op::Let(var), usage.span());
    }
    worker.push(Task::Body {
        forms: body.to_vec(),
        env,
        span: usage.span().clone(),
    });
    for (ident, value) in pairs.iter().rev() {
        worker.push_named(value, usage.env, Some(ident.name.clone()));
    }
    Ok(())
}

/// `(let name bindings body…)`: a procedure of that name, called with the values.
fn named_let(worker: &mut Worker<'_>, usage: &Use<'_>, name: Ident, rest: &[Stx]) -> Result<()> {
    let (bindings, body) = rest.split_first().ok_or_else(|| usage.bad())?;
    let pairs = parse_bindings(usage, bindings)?;
    check_distinct(usage, pairs.iter().map(|(ident, _)| ident), bindings)?;
    let span = usage.span();
    let var = Var::new(name.name.clone());
    let env = usage.env.bind(name.clone(), Binding::Var(var.clone()));
    worker.push_op(Op::Body(Rc::new([Some(var.clone()), None])), span);
    worker.push_op(Op::Call(pairs.len()), span);
    for (ident, value) in pairs.iter().rev() {
        worker.push_named(value, usage.env, Some(ident.name.clone()));
    }
    worker.push_op(Op::Local(var), span);
    let required = pairs.into_iter().map(|(ident, _)| ident).collect();
    let usage = Use { env: &env, ..*usage };
    push_lambda(worker, &usage, &Params { required, rest: None }, body, Some(name.name));
    Ok(())
}

/// `(letrec bindings body…)` and `letrec*`
pub(super) fn letrec(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (first, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let pairs = parse_bindings(usage, first)?;
    check_distinct(usage, pairs.iter().map(|(ident, _)| ident), first)?;
    let vars: Vec<Var> = pairs.iter().map(|(ident, _)| Var::new(ident.name.clone())).collect();
    let mut env = usage.env.block();
    for ((ident, _), var) in pairs.iter().zip(&vars) {
        env = env.bind(ident.clone(), Binding::Var(var.clone()));
    }
    let entries = vars.into_iter().map(Some).chain([None]).collect();
    worker.push_op(Op::Body(entries), usage.span());
    worker.push(Task::Body {
        forms: body.to_vec(),
        env: env.clone(),
        span: usage.span().clone(),
    });
    for (ident, value) in pairs.iter().rev() {
        worker.push_named(value, &env, Some(ident.name.clone()));
    }
    Ok(())
}

/// `(%scheme-letrec bindings body…)`: no variable has its value before all values are there, so a
/// continuation taken in one of them gives all variables their values again.
pub(super) fn scheme_letrec(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (first, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let builder = usage.builder();
    let pairs = parse_bindings(usage, first)?;
    let (plain, computed): (Vec<Pair>, Vec<Pair>) = pairs.into_iter().partition(|(_, value)| {
        value.as_list().is_none_or(|items| {
            let head = items.first().and_then(|head| Ident::of(head));
            head.is_some_and(|head| is_plain(&worker.meaning(&head, usage.env)))
        })
    });
    let binding = |ident: &Ident, value: Stx| builder.list(vec![builder.node(ident.node()), value]);
    let mut bindings: Vec<Stx> = plain
        .iter()
        .map(|(ident, value)| binding(ident, value.clone()))
        .collect();
    let mut last = Vec::new();
    for (ident, value) in &computed {
        let kept = builder.fresh(worker, "value");
        bindings.push(builder.list(vec![kept.clone(), value.clone()]));
        last.push(binding(ident, kept));
    }
    bindings.append(&mut last);
    let bindings = std::iter::once(builder.list(bindings));
    Ok(builder.call("letrec*", bindings.chain(body.iter().cloned())))
}

/// A form whose value no continuation can be taken in.
fn is_plain(head: &Meaning) -> bool {
    matches!(head, Meaning::Special(form) if matches!(form.name, "fn" | "lambda" | "quote" | "case-lambda"))
}

impl Worker<'_> {
    /// Does a symbol mean something already, apart from what is about to bind it?
    fn is_bound_outside(&self, ident: &Ident, env: &Env) -> bool {
        ident.alias_row().is_none()
            && match self.meaning(ident, env) {
                Meaning::Local(Binding::Var(_) | Binding::Sibling(_)) => true,
                Meaning::Global(global) => self.globals.is_bound(&global),
                _ => false,
            }
    }
}
