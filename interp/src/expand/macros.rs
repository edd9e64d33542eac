//! Forms that define macros: `defmacro define-syntax let-syntax letrec-syntax`, and the errors of
//! `syntax-error`.

use super::bind::parse_params;
use super::build::{map_idents, strip};
use super::env::{Binding, Env, Ident, Meaning, printed};
use super::syntax_rules::Rules;
use super::top::MARK;
use super::work::{Result, Task, Use, Worker};
use super::{GlobalMacro, SyntaxError};
use std::collections::HashMap;
use std::rc::Rc;
use sx_runtime::syntax::{Name, Node, Stx, Syntax};

/// `(defmacro name params body…)` or `(defmacro (name param…) body…)`: the name, the transformer.
pub(super) fn parse_defmacro(usage: &Use<'_>) -> Result<(Ident, Stx)> {
    let builder = usage.builder();
    let (name, params, body) = match usage.args() {
        [target, body @ ..] if Ident::of(target).is_none() => match target.as_list() {
            Some([name, params @ ..]) => (name, builder.list(params.to_vec()), body),
            _ => return Err(usage.bad()),
        },
        [name, params, body @ ..] if params.as_list().is_some() || !body.is_empty() => (name, params.clone(), body),
        _ => return Err(usage.bad()),
    };
    let ident = Ident::of(name).ok_or_else(|| usage.error("expected a name", name))?;
    parse_params(usage, &params)?;
    Ok((ident, builder.lambda(params, body)))
}

/// `defmacro` at top level: `(%define-macro 'name transformer)`.
pub(super) fn defmacro(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (ident, lambda) = parse_defmacro(usage)?;
    let global = worker.define_global(&ident, usage);
    let builder = usage.builder();
    let name = builder.quote(builder.symbol(global));
    // The transformer's own name is the one the program wrote.
    let transformer = builder.call("%named", [builder.symbol(printed(&ident.name)), lambda]);
    let form = builder.call("%define-macro", [name, transformer]);
    worker.push_expr(&form, usage.env);
    Ok(())
}

/// `(%named name lambda)`: the lambda, with that name in traces.
pub(super) fn named(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let [name, lambda] = usage.args() else {
        return Err(usage.bad());
    };
    worker.push_named(lambda, usage.env, name.as_name().cloned());
    Ok(())
}

/// What a macro name is bound to by its specification: rules, or what another name means.
fn binding_of(worker: &Worker<'_>, usage: &Use<'_>, spec: &Stx, env: &Env) -> Result<Binding> {
    if let Some(ident) = Ident::of(spec) {
        return match worker.meaning(&ident, env) {
            Meaning::Special(form) => Ok(Binding::Special(form)),
            Meaning::Local(binding @ (Binding::Macro(_) | Binding::Rules(_))) => Ok(binding),
            Meaning::Macro(GlobalMacro::Procedure(procedure)) => Ok(Binding::Macro(procedure)),
            Meaning::Macro(GlobalMacro::Rules(rules)) => Ok(Binding::Rules(rules)),
            _ => Err(usage.error(format!("{} is no macro", ident.name), spec)),
        };
    }
    match worker.special_of(spec, env) {
        Some(form) if form.name == "syntax-rules" => {
            let usual = !matches!(worker.meaning(&Ident::symbol(&"...".into()), env), Meaning::Local(_));
            Ok(Binding::Rules(Rc::new(Rules::parse(spec, env, usual)?)))
        }
        _ => Err(usage.error("expected (syntax-rules (literal...) (pattern template)...)", spec)),
    }
}

fn parse_define_syntax<'a>(usage: &'a Use<'_>) -> Result<(Ident, &'a Stx)> {
    let [name, spec] = usage.args() else {
        return Err(usage.bad());
    };
    Ok((
        Ident::of(name).ok_or_else(|| usage.error("expected a name", name))?,
        spec,
    ))
}

/// `define-syntax` in a body.
pub(super) fn define_syntax_in(worker: &mut Worker<'_>, usage: &Use<'_>, frame: usize) -> Result<()> {
    let (ident, spec) = parse_define_syntax(usage)?;
    let binding = binding_of(worker, usage, spec, usage.env)?;
    worker.bind_in_frame(frame, ident, binding);
    Ok(())
}

/// `define-syntax` at top level: `(%define-syntax 'name 'rules 'library)`. The rules are data, so a
/// compiled program carries them; another name for something is an entry of the top level.
pub(super) fn define_syntax(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (ident, spec) = parse_define_syntax(usage)?;
    if let Some(other) = Ident::of(spec) {
        binding_of(worker, usage, spec, usage.env)?;
        let global = worker.global_of(&other, usage.env);
        if let Some(top) = usage.env.top_of() {
            top.alias(&printed(&ident.name), &global);
        }
        worker.constant(Node::Nil, usage.span());
        return Ok(());
    }
    binding_of(worker, usage, spec, usage.env)?;
    let global = worker.define_global(&ident, usage);
    let builder = usage.builder();
    let library = usage.env.top_of().and_then(|top| top.library_name().cloned());
    let library = library.map_or_else(|| builder.nil(), |name| builder.quote(builder.symbol(name)));
    let rules = worker.portable(spec, usage.env);
    let name = Syntax::new(Node::Sym(global), usage.span().clone());
    // The rules must reach the constant as they are, marks and all.
    worker.push_op(super::op::Op::Call(3), usage.span());
    worker.push_expr(&library, usage.env);
    worker.push_op(super::op::Op::Const(rules), usage.span());
    worker.push_op(super::op::Op::Const(name), usage.span());
    worker.push_op(super::op::Op::Global("%define-syntax".into()), usage.span());
    Ok(())
}

impl Worker<'_> {
    /// Rules without aliases, to outlive this expansion. An alias that would mean something else
    /// as a bare symbol, or that would become the same as another identifier, keeps a mark with
    /// its row and the global it means.
    fn portable(&self, spec: &Stx, env: &Env) -> Stx {
        let mut spellings: HashMap<Name, Ident> = HashMap::new();
        map_idents(spec, &mut |ident, _| {
            if ident.alias_row().is_none() {
                spellings.insert(ident.name.clone(), ident);
            }
            None
        });
        map_idents(spec, &mut |ident, span| {
            let row = ident.alias_row()?;
            let bare = Ident::symbol(&ident.name);
            let first = spellings.entry(ident.name.clone()).or_insert_with(|| ident.clone());
            let node = match *first == ident && self.scoping().same(&ident, env, &bare, env) {
                true => bare.node(),
                false => {
                    let global = self.global_of(&ident, env);
                    Node::Sym(format!("{}{MARK}{row}{MARK}{global}", ident.name).into())
                }
            };
            Some(Syntax::new(node, span.clone()))
        })
    }
}

/// Macro names with their specifications, and the body they are for.
type SyntaxBindings<'a> = (Vec<(Ident, &'a Stx)>, &'a [Stx]);

fn syntax_bindings<'a>(usage: &'a Use<'_>) -> Result<SyntaxBindings<'a>> {
    let (bindings, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let binding = |stx: &'a Stx| match stx.as_list() {
        Some([name, spec]) => Ident::of(name).map(|ident| (ident, spec)).ok_or_else(|| usage.bad()),
        _ => Err(usage.error("expected (name (syntax-rules ...))", stx)),
    };
    let bindings = bindings
        .as_list()
        .ok_or_else(|| usage.bad())?
        .iter()
        .map(binding)
        .collect::<Result<_>>()?;
    Ok((bindings, body))
}

/// `(let-syntax ((name rules)…) body…)`
pub(super) fn let_syntax(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (bindings, body) = syntax_bindings(usage)?;
    let mut env = usage.env.block();
    for (ident, spec) in bindings {
        env = env.bind(ident, binding_of(worker, usage, spec, usage.env)?);
    }
    worker.push(Task::Body {
        forms: body.to_vec(),
        env,
        span: usage.span().clone(),
    });
    Ok(())
}

/// `(letrec-syntax ((name rules)…) body…)`: the rules see each other.
pub(super) fn letrec_syntax(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (bindings, body) = syntax_bindings(usage)?;
    let frame = worker.new_frame();
    let env = usage.env.frame(frame);
    for (ident, spec) in bindings {
        let binding = binding_of(worker, usage, spec, &env)?;
        worker.bind_in_frame(frame, ident, binding);
    }
    worker.push(Task::Body {
        forms: body.to_vec(),
        env,
        span: usage.span().clone(),
    });
    Ok(())
}

/// `(syntax-error "message" form…)`
pub(super) fn syntax_error(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let mut parts = usage.args().iter().map(|arg| match &arg.node {
        Node::Str(text) => text.to_string(),
        _ => super::show::show_stx(&strip(arg)),
    });
    let first = parts.next().ok_or_else(|| usage.bad())?;
    let message = parts.fold(first, |message, part| message + " " + &part);
    Err(SyntaxError::new(message, usage.span().clone()))
}
