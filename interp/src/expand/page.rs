//! Definitions for pages and tests: components, islands, pages, handlers, styles, types and
//! effects on record; test definitions; forms registered by the program.

use super::build::{Builder, strip};
use super::env::{Env, Ident, printed};
use super::op::Op;
use super::work::{Result, Use, Worker};
use sx_runtime::syntax::{Name, Node, Stx, Syntax};

/// The parameters of a component: positional, by key, and the one that collects children.
struct Parameters {
    positional: Vec<Stx>,
    keys: Vec<Stx>,
    rest: Option<Stx>,
}

/// `(a &key b (c :as type) &rest d)`
fn parse_parameters(usage: &Use<'_>, stx: &Stx) -> Result<Parameters> {
    let items = stx
        .as_list()
        .ok_or_else(|| usage.error("expected a list of parameters", stx))?;
    let mut parameters = Parameters {
        positional: Vec::new(),
        keys: Vec::new(),
        rest: None,
    };
    let (mut in_keys, mut items) = (false, items.iter());
    while let Some(item) = items.next() {
        match item.as_name().map(|name| &**name) {
            Some("&key") if !in_keys => in_keys = true,
            Some("&rest" | "&children") if parameters.rest.is_none() => {
                let name = items
                    .next()
                    .ok_or_else(|| usage.error("expected a name after it", item))?;
                parameters.rest = Some(parameter_name(usage, name)?);
            }
            _ if parameters.rest.is_some() => return Err(usage.error("nothing follows the &rest parameter", item)),
            _ if in_keys => parameters.keys.push(parameter_name(usage, item)?),
            _ => parameters.positional.push(parameter_name(usage, item)?),
        }
    }
    Ok(parameters)
}

/// A name, perhaps with a type: `(name :as type)`.
fn parameter_name(usage: &Use<'_>, stx: &Stx) -> Result<Stx> {
    let name = match stx.as_list() {
        Some([name, key, _]) if matches!(&key.node, Node::Keyword(key) if &**key == "as") => name,
        _ => stx,
    };
    match Ident::of(name) {
        Some(_) => Ok(name.clone()),
        None => Err(usage.error("expected a parameter name", stx)),
    }
}

fn text_of(stx: &Stx) -> Option<Name> {
    match &stx.node {
        Node::Str(text) | Node::Keyword(text) => Some(text.clone()),
        _ => Ident::of(stx).map(|ident| printed(&ident.name)),
    }
}

impl Parameters {
    /// `'(positional…) '(key…) has-rest (fn (positional… key… rest?) body…)`
    fn operands(&self, builder: &Builder, body: &[Stx]) -> [Stx; 4] {
        let quoted = |names: &[Stx]| builder.quote(builder.list(names.to_vec()));
        let all = self
            .positional
            .iter()
            .chain(&self.keys)
            .chain(&self.rest)
            .cloned()
            .collect();
        [
            quoted(&self.positional),
            quoted(&self.keys),
            builder.bool(self.rest.is_some()),
            builder.lambda(builder.list(all), body),
        ]
    }
}

/// Leading `:key value` annotations of a body that has more forms.
fn skip_annotations(mut body: &[Stx]) -> &[Stx] {
    while let [key, _, rest @ ..] = body {
        if !matches!(key.node, Node::Keyword(_)) || rest.is_empty() {
            break;
        }
        body = rest;
    }
    body
}

fn component(usage: &Use<'_>, maker: &'static str) -> Result<Stx> {
    let [name, parameters, body @ ..] = usage.args() else {
        return Err(usage.bad());
    };
    let shown = Ident::of(name).ok_or_else(|| usage.error("expected a name", name))?;
    let builder = usage.builder();
    let operands = parse_parameters(usage, parameters)?.operands(&builder, skip_annotations(body));
    let name_text = builder.string(&printed(&shown.name));
    Ok(builder.define(name, builder.call(maker, std::iter::once(name_text).chain(operands))))
}

/// `(defcomp ~name (&key a b &rest children) body…)`
pub(super) fn defcomp(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    component(usage, "%make-component")
}

/// `(defisland ~name (&key a b &rest children) body…)`
pub(super) fn defisland(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    component(usage, "%make-island")
}

/// `:key value` pairs as the operands of a dict; the values under `lazy` keys as thunks.
fn options(usage: &Use<'_>, items: &[Stx], lazy: &[&str]) -> Result<Vec<Stx>> {
    let builder = usage.builder();
    let mut operands = Vec::with_capacity(items.len());
    for pair in items.chunks(2) {
        match pair {
            [key, value] => match &key.node {
                Node::Keyword(name) => {
                    operands.push(builder.string(name));
                    let is_lazy = lazy.contains(&&**name);
                    operands.push(if is_lazy {
                        builder.thunk(std::slice::from_ref(value))
                    } else {
                        value.clone()
                    });
                }
                _ => return Err(usage.error("expected :key value", key)),
            },
            _ => return Err(usage.error("a key has no value", &pair[0])),
        }
    }
    Ok(operands)
}

/// `(defpage name :path p :content e)`: the content and data are evaluated for each request.
pub(super) fn defpage(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (name, rest) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let shown = Ident::of(name).ok_or_else(|| usage.error("expected a name", name))?;
    let builder = usage.builder();
    let dict = builder.call("%dict", options(usage, rest, &["content", "data"])?);
    Ok(builder.define(
        name,
        builder.call("%make-page", [builder.string(&printed(&shown.name)), dict]),
    ))
}

/// `(defhandler name :option value… (&key a) body…)`
pub(super) fn defhandler(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (name, rest) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let shown = Ident::of(name).ok_or_else(|| usage.error("expected a name", name))?;
    let count = rest
        .chunks(2)
        .take_while(|pair| matches!(pair[0].node, Node::Keyword(_)))
        .count()
        * 2;
    let (head, rest) = rest.split_at(count.min(rest.len()));
    let (parameters, body) = rest.split_first().ok_or_else(|| usage.bad())?;
    let builder = usage.builder();
    let dict = builder.call("%dict", options(usage, head, &[])?);
    let operands = parse_parameters(usage, parameters)?.operands(&builder, body);
    let head = [builder.string(&printed(&shown.name)), dict];
    Ok(builder.define(name, builder.call("%make-handler", head.into_iter().chain(operands))))
}

/// `(defstyle name value)`
pub(super) fn defstyle(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let [name, value] = usage.args() else {
        return Err(usage.bad());
    };
    Ok(usage.builder().define(name, value.clone()))
}

fn on_record(usage: &Use<'_>, function: &'static str) -> Result<Stx> {
    let (name, spec) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    text_of(name).ok_or_else(|| usage.error("expected a name or a string", name))?;
    let builder = usage.builder();
    let spec = match spec {
        [spec] => spec.clone(),
        spec => builder.list(spec.to_vec()),
    };
    Ok(builder.call(function, [builder.quote(name.clone()), builder.quote(spec)]))
}

/// `(deftype name spec)`
pub(super) fn deftype(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    on_record(usage, "%deftype")
}

/// `(defeffect name spec)`
pub(super) fn defeffect(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    on_record(usage, "%defeffect")
}

fn test_body<'a>(usage: &'a Use<'_>) -> Result<&'a [Stx]> {
    usage.args().get(1..).ok_or_else(|| usage.bad())
}

fn test(usage: &Use<'_>, function: &'static str, body: &[Stx]) -> Result<Stx> {
    let name = usage.args().first().ok_or_else(|| usage.bad())?;
    let text = text_of(name).ok_or_else(|| usage.error("expected a name or a string", name))?;
    let builder = usage.builder();
    Ok(builder.call(function, [builder.string(&text), builder.thunk(body)]))
}

/// `(deftest name body…)`. The body ends in nil, so that its last form is no tail call and what
/// fails there has a place.
pub(super) fn deftest(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let mut body = test_body(usage)?.to_vec();
    body.push(usage.builder().nil());
    test(usage, "%deftest", &body)
}

/// `(defsuite name body…)`
pub(super) fn defsuite(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    test(usage, "%defsuite", test_body(usage)?)
}

/// `(register-special-form! name procedure)`
pub(super) fn register(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let [name, procedure] = usage.args() else {
        return Err(usage.bad());
    };
    let ident = match &name.node {
        Node::Str(text) => Ident::symbol(text),
        _ => Ident::of(name).ok_or_else(|| usage.error("expected a name", name))?,
    };
    let builder = usage.builder();
    let global = worker.define_global(&ident, usage);
    Ok(builder.call(
        "%register-special-form",
        [builder.quote(builder.symbol(global)), procedure.clone()],
    ))
}

/// A use of a registered form: `(%apply-special-form name '(operand…) environment)`, the
/// environment made of the variables in sight: `(%environment 'name value …)`.
pub(super) fn registered_form(worker: &mut Worker<'_>, ident: &Ident, form: &Stx, env: &Env) -> Result<()> {
    let span = &form.span;
    let operands = form.as_list().and_then(|items| items.get(1..)).unwrap_or_default();
    let global = worker.global_of(ident, env);
    let variables = env.variables(worker.frames());
    worker.output(Op::Global("%apply-special-form".into()), span);
    worker.output(Op::Global(global), span);
    let operands = Syntax::new(Node::List(operands.to_vec()), span.clone());
    worker.output(Op::Const(strip(&operands)), span);
    worker.output(Op::Global("%environment".into()), span);
    let count = variables.len() * 2;
    for (name, var) in variables {
        worker.constant(Node::Sym(name), span);
        worker.output(Op::Local(var), span);
    }
    worker.output(Op::Call(count), span);
    worker.output(Op::Call(3), span);
    Ok(())
}

/// `(~name :key value… child…)`
pub(super) fn component_call(worker: &mut Worker<'_>, items: &[Stx], form: &Stx, env: &Env) {
    worker.push_call_of("%call-component", keyed(items).iter(), form, env);
}

/// A call whose operands have keys, `:key value`: keys stay keywords, so that no other operand can
/// be taken for one.
pub(super) fn keyed(items: &[Stx]) -> Vec<Stx> {
    let mut is_value = true;
    let operand = |item: &Stx| {
        let is_key = !is_value && matches!(item.node, Node::Keyword(_));
        is_value = is_key;
        match is_key {
            true => Builder::new(&item.span).quote(item.clone()),
            false => item.clone(),
        }
    };
    items.iter().map(operand).collect()
}
