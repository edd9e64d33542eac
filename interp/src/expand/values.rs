//! Multiple values, and procedures of several arities.

use super::bind::parse_params;
use super::env::Ident;
use super::work::{Result, Use, Worker};
use sx_runtime::syntax::{Node, Stx, Syntax};

/// `(%call-with-values (fn () producer) (fn formals body…))`; the consumer has the form's name, for
/// when there are too few or too many values.
fn receive_values(usage: &Use<'_>, formals: Stx, producer: &Stx, body: &[Stx]) -> Stx {
    let builder = usage.builder();
    let name = builder.symbol(usage.special.shown());
    let consumer = builder.call("%named", [name, builder.lambda(formals, body)]);
    builder.call(
        "%call-with-values",
        [builder.thunk(std::slice::from_ref(producer)), consumer],
    )
}

/// `(receive formals form body…)`
pub(super) fn receive(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let [formals, producer, body @ ..] = usage.args() else {
        return Err(usage.bad());
    };
    parse_params(usage, formals)?;
    Ok(receive_values(usage, formals.clone(), producer, body))
}

/// Formals with the forms that give their values, and the body they are for.
type Clauses<'a> = (Vec<(&'a Stx, &'a Stx)>, &'a [Stx]);

fn clauses<'a>(usage: &'a Use<'_>) -> Result<Clauses<'a>> {
    let (clauses, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let clause = |stx: &'a Stx| match stx.as_list() {
        Some([formals, producer]) => Ok((formals, producer)),
        _ => Err(usage.error("expected (formals form)", stx)),
    };
    let clauses = clauses
        .as_list()
        .ok_or_else(|| usage.bad())?
        .iter()
        .map(clause)
        .collect::<Result<_>>()?;
    Ok((clauses, body))
}

/// `(let*-values ((formals form)…) body…)`
pub(super) fn let_star_values(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (clauses, body) = clauses(usage)?;
    let builder = usage.builder();
    let mut inner = builder.call(
        "let*",
        std::iter::once(builder.list(Vec::new())).chain(body.iter().cloned()),
    );
    for (formals, producer) in clauses.into_iter().rev() {
        parse_params(usage, formals)?;
        inner = receive_values(usage, formals.clone(), producer, &[inner]);
    }
    Ok(inner)
}

/// `(let-values ((formals form)…) body…)`: all values first, under fresh names, then all names.
pub(super) fn let_values(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (clauses, body) = clauses(usage)?;
    let builder = usage.builder();
    let (mut receivers, mut bindings) = (Vec::new(), Vec::new());
    for (formals, producer) in clauses {
        let params = parse_params(usage, formals)?;
        let mut fresh = |ident: &Ident| {
            let temporary = builder.fresh(worker, "value");
            bindings.push((builder.node(ident.node()), temporary.clone()));
            temporary
        };
        let required: Vec<Stx> = params.required.iter().map(&mut fresh).collect();
        let temporaries = match params.rest.as_ref().map(&mut fresh) {
            Some(rest) if required.is_empty() => rest,
            Some(rest) => builder.node(Node::Dotted(required, rest)),
            None => builder.list(required),
        };
        receivers.push((temporaries, producer));
    }
    let mut inner = builder.let_in_order(bindings, body);
    for (formals, producer) in receivers.into_iter().rev() {
        inner = receive_values(usage, formals, producer, &[inner]);
    }
    Ok(inner)
}

/// `(define-values formals form)`: at top level definitions made from inside the receiver; in a
/// body one hidden list and a definition for each of its items.
pub(super) fn define_values(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let [formals, producer] = usage.args() else {
        return Err(usage.bad());
    };
    let params = parse_params(usage, formals)?;
    let builder = usage.builder();
    let names: Vec<Stx> = params
        .all()
        .map(|ident| Syntax::new(ident.node(), formals.span.clone()))
        .collect();
    let temporaries: Vec<Stx> = names.iter().map(|_| builder.fresh(worker, "value")).collect();
    let receiver_formals = match (params.rest.is_some(), temporaries.split_last()) {
        (true, Some((rest, []))) => rest.clone(),
        (true, Some((rest, required))) => builder.node(Node::Dotted(required.to_vec(), rest.clone())),
        _ => builder.list(temporaries.clone()),
    };
    if usage.env.as_top().is_some() {
        let define = |(name, value): (&Stx, &Stx)| builder.call("%define-global", [name.clone(), value.clone()]);
        let mut body: Vec<Stx> = names.iter().zip(&temporaries).map(define).collect();
        body.push(builder.nil());
        return Ok(receive_values(usage, receiver_formals, producer, &body));
    }
    let all = builder.fresh(worker, "values");
    let list = builder.call("%list", temporaries);
    let mut forms = vec![builder.define(&all, receive_values(usage, receiver_formals, producer, &[list]))];
    for (at, name) in names.iter().enumerate() {
        forms.push(builder.define(name, builder.call("%nth", [all.clone(), builder.int(at)])));
    }
    Ok(builder.begin(forms))
}

/// `(case-lambda (formals body…) …)`
pub(super) fn case_lambda(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let builder = usage.builder();
    let clause = |stx: &Stx| match stx.as_list().and_then(<[Stx]>::split_first) {
        Some((formals, body)) => {
            parse_params(usage, formals)?;
            Ok(builder.lambda(formals.clone(), body))
        }
        None => Err(usage.error("expected (formals body...)", stx)),
    };
    let clauses = usage.args().iter().map(clause).collect::<Result<Vec<_>>>()?;
    Ok(builder.call("%case-lambda", clauses))
}
