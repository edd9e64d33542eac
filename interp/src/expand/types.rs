//! `define-record-type` and `define-type`: each a sequence of definitions by core functions.

use super::build::Builder;
use super::env::{Ident, printed};
use super::top::Adt;
use super::work::{Result, Use, Worker};
use sx_runtime::syntax::{Name, Node, Stx};

/// The name of an identifier as text.
fn name_of(stx: &Stx) -> Option<Name> {
    Ident::of(stx).map(|ident| printed(&ident.name))
}

/// `(define-record-type name constructor predicate field…)`
pub(super) fn define_record_type(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let [type_spec, constructor, predicate, fields @ ..] = usage.args() else {
        return Err(usage.bad());
    };
    let builder = usage.builder();
    let type_name = type_spec.as_list().and_then(<[Stx]>::first).unwrap_or(type_spec);
    let name = name_of(type_name).ok_or_else(|| usage.error("expected a type name", type_name))?;
    let field_names = fields
        .iter()
        .map(|field| field_name(usage, field))
        .collect::<Result<Vec<_>>>()?;
    let shown = name
        .strip_prefix('<')
        .and_then(|name| name.strip_suffix('>'))
        .unwrap_or(&name);
    let make = builder.call(
        "%make-record-type",
        [quoted(&builder, shown), quoted_list(&builder, &field_names)],
    );
    let mut forms = vec![builder.define(type_name, make)];
    forms.extend(record_constructor(usage, type_name, constructor, &field_names)?);
    if Ident::of(predicate).is_some() {
        forms.push(builder.define(predicate, builder.call("%record-predicate", [type_name.clone()])));
    }
    for (field, name) in fields.iter().zip(&field_names) {
        let makers = ["%record-accessor", "%record-modifier"];
        for (procedure, maker) in field.as_list().unwrap_or_default().iter().skip(1).zip(makers) {
            if Ident::of(procedure).is_none() {
                return Err(usage.error("expected a name", procedure));
            }
            forms.push(builder.define(
                procedure,
                builder.call(maker, [type_name.clone(), quoted(&builder, name)]),
            ));
        }
    }
    forms.push(builder.nil());
    Ok(builder.begin(forms))
}

/// `field`, `(field)`, `(field accessor)`, `(field accessor modifier)`
fn field_name(usage: &Use<'_>, field: &Stx) -> Result<Name> {
    let name = match field.as_list() {
        Some([name] | [name, _] | [name, _, _]) => name,
        Some(_) => return Err(usage.error("expected (field accessor? modifier?)", field)),
        None => field,
    };
    name_of(name).ok_or_else(|| usage.error("expected a field name", name))
}

/// `(make field…)`, `make` for all fields, `#f` for none.
fn record_constructor(usage: &Use<'_>, type_name: &Stx, spec: &Stx, fields: &[Name]) -> Result<Option<Stx>> {
    let builder = usage.builder();
    let (name, taken) = match (&spec.node, spec.as_list()) {
        (Node::Bool(false) | Node::Nil, _) => return Ok(None),
        (_, Some([name, taken @ ..])) => {
            let taken = taken.iter().map(|field| match name_of(field) {
                Some(name) if fields.contains(&name) => Ok(name),
                _ => Err(usage.error("expected a field of the record", field)),
            });
            (name, taken.collect::<Result<Vec<_>>>()?)
        }
        _ => (spec, fields.to_vec()),
    };
    if Ident::of(name).is_none() {
        return Err(usage.error("expected (constructor field...)", spec));
    }
    let make = builder.call(
        "%record-constructor",
        [type_name.clone(), quoted_list(&builder, &taken)],
    );
    Ok(Some(builder.define(name, make)))
}

fn quoted(builder: &Builder, name: &str) -> Stx {
    builder.quote(builder.symbol(name))
}

fn quoted_list(builder: &Builder, names: &[Name]) -> Stx {
    builder.quote(builder.list(names.iter().map(|name| builder.symbol(name.clone())).collect()))
}

/// `(define-type name (Constructor field…) …)`
pub(super) fn define_type(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (target, specs) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let target = target.as_list().and_then(<[Stx]>::first).unwrap_or(target);
    let type_name = name_of(target).ok_or_else(|| usage.error("expected a type name", target))?;
    let constructors = specs
        .iter()
        .map(|spec| parse_constructor(usage, spec))
        .collect::<Result<Vec<_>>>()?;
    if let Some(top) = usage.env.top_of() {
        let names = constructors.iter().filter_map(|(name, _)| name_of(name)).collect();
        top.add_adt(&Adt {
            name: type_name.clone(),
            constructors: names,
        });
    }
    let builder = usage.builder();
    // The type itself needs a name to be shared under; `%type:` keeps it out of the program's way.
    let hidden = builder.symbol(format!("%type:{type_name}"));
    let rows = constructors.iter().map(|(name, fields)| {
        let fields = fields.iter().map(|field| builder.symbol(field.clone()));
        builder.list(
            name_of(name)
                .map(|name| builder.symbol(name))
                .into_iter()
                .chain(fields)
                .collect(),
        )
    });
    let rows = builder.quote(builder.list(rows.collect()));
    let mut forms = vec![builder.define(&hidden, builder.call("%make-adt", [quoted(&builder, &type_name), rows]))];
    let mut add = |name: String, maker: &'static str, operands: &[usize]| {
        let operands = operands.iter().map(|n| builder.int(*n));
        let value = builder.call(maker, std::iter::once(hidden.clone()).chain(operands));
        forms.push(builder.define(&builder.symbol(name), value));
    };
    add(format!("{type_name}?"), "%adt-predicate", &[]);
    for (at, (constructor, fields)) in constructors.iter().enumerate() {
        let name = name_of(constructor).unwrap_or_else(|| "".into());
        add(name.to_string(), "%adt-constructor", &[at]);
        if name != type_name {
            add(format!("{name}?"), "%adt-constructor-predicate", &[at]);
        }
        for (index, field) in fields.iter().enumerate() {
            add(format!("{name}-{field}"), "%adt-accessor", &[at, index]);
        }
    }
    forms.push(builder.nil());
    Ok(builder.begin(forms))
}

/// `(Constructor field…)` or a bare name for one without fields.
fn parse_constructor(usage: &Use<'_>, spec: &Stx) -> Result<(Stx, Vec<Name>)> {
    let (name, fields) = match spec.as_list() {
        Some([name, fields @ ..]) => (name, fields),
        Some([]) => return Err(usage.error("expected (Constructor field...)", spec)),
        None => (spec, &[][..]),
    };
    if Ident::of(name).is_none() {
        return Err(usage.error("expected (Constructor field...)", spec));
    }
    let field = |stx: &Stx| name_of(stx).ok_or_else(|| usage.error("expected a field name", stx));
    Ok((name.clone(), fields.iter().map(field).collect::<Result<_>>()?))
}
