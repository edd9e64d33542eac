//! Handlers, delimited control, dynamic scope, promises: syntax around calls of core functions
//! that take thunks.

use super::env::{Ident, Meaning};
use super::work::{Result, Use, Worker};
use sx_runtime::syntax::{Node, Stx};

/// The parts of `(guard (e clause…) body…)`: name, clauses, body.
fn guard_parts<'a>(usage: &'a Use<'_>) -> Result<(&'a Stx, &'a [Stx], &'a [Stx])> {
    let (spec, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let (name, clauses) = spec
        .as_list()
        .and_then(<[Stx]>::split_first)
        .ok_or_else(|| usage.bad())?;
    match Ident::of(name) {
        Some(_) => Ok((name, clauses, body)),
        None => Err(usage.error("expected a name for the condition", name)),
    }
}

/// Scheme's `guard`: what no clause takes is raised again where it was raised. With an `else` that
/// cannot be, and it is the guard of SX.
pub(super) fn scheme_guard(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (name, clauses, body) = guard_parts(usage)?;
    let last = clauses.last().and_then(|clause| clause.as_list()?.first());
    if last.is_some_and(|head| worker.is_keyword(head, "else", usage.env)) {
        return guard(worker, usage);
    }
    let builder = usage.builder();
    let again = builder.fresh(worker, "again");
    let default = builder.list(vec![again.clone()]);
    let choice = builder.call("%cond-else", std::iter::once(default).chain(clauses.iter().cloned()));
    let handler = builder.lambda(builder.list(vec![name.clone(), again]), &[choice]);
    Ok(builder.call("%guard-again", [builder.thunk(body), handler]))
}

/// `(guard (e clause…) body…)`: the clauses run outside the guard; what none takes goes on outward.
pub(super) fn guard(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (name, clauses, body) = guard_parts(usage)?;
    let builder = usage.builder();
    let default = builder.call("%reraise", [name.clone()]);
    let choice = builder.call("%cond-else", std::iter::once(default).chain(clauses.iter().cloned()));
    let handler = builder.lambda(builder.list(vec![name.clone()]), &[choice]);
    Ok(builder.call("%guard", [builder.thunk(body), handler]))
}

/// `(handler-bind ((predicate handler)…) body…)`
pub(super) fn handler_bind(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    pairs_then_thunk(usage, "%handler-bind", "(predicate handler)")
}

/// `(parameterize ((parameter value)…) body…)`
pub(super) fn parameterize(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    pairs_then_thunk(usage, "%parameterize", "(parameter value)")
}

fn pairs_then_thunk(usage: &Use<'_>, function: &'static str, shape: &str) -> Result<Stx> {
    let (pairs, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let mut operands = Vec::new();
    for pair in pairs.as_list().ok_or_else(|| usage.bad())? {
        match pair.as_list() {
            Some([a, b]) => operands.extend([a.clone(), b.clone()]),
            _ => return Err(usage.error(format!("expected {shape}"), pair)),
        }
    }
    let builder = usage.builder();
    Ok(builder.call(function, [builder.call("%list", operands), builder.thunk(body)]))
}

/// `(with-handler handler body…)`
pub(super) fn with_handler(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (handler, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let builder = usage.builder();
    Ok(builder.call("%with-handler", [handler.clone(), builder.thunk(body)]))
}

/// `(reset body…)`
pub(super) fn reset(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let builder = usage.builder();
    Ok(builder.call("%reset", [builder.thunk(usage.args())]))
}

/// `(shift k body…)`
pub(super) fn shift(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (name, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    if Ident::of(name).is_none() {
        return Err(usage.error("expected a name for the continuation", name));
    }
    let builder = usage.builder();
    Ok(builder.call("%shift", [builder.lambda(builder.list(vec![name.clone()]), body)]))
}

fn one_thunk(usage: &Use<'_>, function: &'static str) -> Result<Stx> {
    match usage.args() {
        [_] => {
            let builder = usage.builder();
            Ok(builder.call(function, [builder.thunk(usage.args())]))
        }
        _ => Err(usage.bad()),
    }
}

/// `(delay form)`
pub(super) fn delay(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    one_thunk(usage, "%make-lazy")
}

/// `(delay-force form)`
pub(super) fn delay_force(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    one_thunk(usage, "%make-lazy-force")
}

// ---- dynamic scope ---------------------------------------------------------------------------

/// The name of a dynamic scope, always a symbol: a symbol stands for itself, unless a variable of
/// the code around it hides that reading; a string or keyword stands for the symbol of that name.
fn scope_name(worker: &Worker<'_>, usage: &Use<'_>, stx: &Stx) -> Stx {
    let builder = usage.builder();
    match (Ident::of(stx), &stx.node) {
        (Some(ident), _) if !matches!(worker.meaning(&ident, usage.env), Meaning::Local(_)) => {
            builder.quote(stx.clone())
        }
        (_, Node::Keyword(name) | Node::Str(name)) => builder.quote(builder.symbol(name.clone())),
        _ => builder.call("%scope-name", [stx.clone()]),
    }
}

/// `(provide name value body…)`
pub(super) fn provide(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let [name, value, body @ ..] = usage.args() else {
        return Err(usage.bad());
    };
    let builder = usage.builder();
    Ok(builder.call(
        "%provide",
        [scope_name(worker, usage, name), value.clone(), builder.thunk(body)],
    ))
}

/// `(context name default?)`
pub(super) fn context(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (name, default) = match usage.args() {
        [name] => (name, usage.builder().nil()),
        [name, default] => (name, default.clone()),
        _ => return Err(usage.bad()),
    };
    Ok(usage
        .builder()
        .call("%context", [scope_name(worker, usage, name), default]))
}

/// `(scope name body…)`
pub(super) fn scope(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (name, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let builder = usage.builder();
    Ok(builder.call("%scope", [scope_name(worker, usage, name), builder.thunk(body)]))
}

fn scope_call(worker: &Worker<'_>, usage: &Use<'_>, function: &'static str, count: usize) -> Result<Stx> {
    match usage.args().split_first() {
        Some((name, rest)) if rest.len() + 1 == count => {
            let name = scope_name(worker, usage, name);
            Ok(usage
                .builder()
                .call(function, std::iter::once(name).chain(rest.iter().cloned())))
        }
        _ => Err(usage.bad()),
    }
}

/// `(emit! name value)`
pub(super) fn emit(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    scope_call(worker, usage, "%emit!", 2)
}

/// `(emitted name)`
pub(super) fn emitted(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    scope_call(worker, usage, "%emitted", 1)
}

/// `(collect! bucket value)`
pub(super) fn collect(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    scope_call(worker, usage, "%collect!", 2)
}

/// `(collected bucket)`
pub(super) fn collected(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    scope_call(worker, usage, "%collected", 1)
}

/// `(clear-collected! bucket)`
pub(super) fn clear_collected(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    scope_call(worker, usage, "%clear-collected!", 1)
}
