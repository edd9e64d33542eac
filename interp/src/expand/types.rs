//! `define-record-type` and `define-type`: each a sequence of definitions.

use super::build::Builder;
use super::env::{Ident, printed};
use super::top::Adt;
use super::work::{Result, Use, Worker};
use sx_runtime::syntax::{Name, Node, Stx};

/// The name of an identifier as text.
fn name_of(stx: &Stx) -> Option<Name> {
    Ident::of(stx).map(|ident| printed(&ident.name))
}

/// Definitions of procedures of records, as lambdas: arity errors carry their names, and the
/// compiler sees through them.
struct Definitions<'a> {
    worker: &'a Worker<'a>,
    usage: &'a Use<'a>,
    builder: Builder,
    forms: Vec<Stx>,
}

impl<'a> Definitions<'a> {
    fn new(worker: &'a Worker<'a>, usage: &'a Use<'a>) -> Definitions<'a> {
        Definitions {
            worker,
            usage,
            builder: usage.builder(),
            forms: Vec::new(),
        }
    }
    fn finish(mut self) -> Stx {
        self.forms.push(self.builder.nil());
        self.builder.begin(self.forms)
    }
    /// The name that the procedures of a type share it under. It is made of the place, so that
    /// another type of the same name leaves this one's procedures alone.
    fn hidden(&self, name: &str) -> Stx {
        let span = self.usage.span();
        let place = span.source.name.bytes().chain(span.start.to_le_bytes());
        let hash = place.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        self.builder.symbol(format!("%type:{name}:{:x}", hash >> 24))
    }
    fn parameter(&self, name: &Name) -> Stx {
        self.builder.node(self.worker.aliases().fresh_core(name).node())
    }
    fn procedure(&mut self, name: &Stx, parameters: Vec<Stx>, body: Stx) -> Result<()> {
        if Ident::of(name).is_none() {
            return Err(self.usage.error("expected a name", name));
        }
        let lambda = self.builder.lambda(self.builder.list(parameters), &[body]);
        self.forms.push(self.builder.define(name, lambda));
        Ok(())
    }

    /// `(define (name taken…) (%make-record type field…))`, nil for fields not taken.
    fn constructor(&mut self, name: &Stx, of: &Stx, fields: &[Name], taken: &[Name]) -> Result<()> {
        let parameters: Vec<Stx> = taken.iter().map(|name| self.parameter(name)).collect();
        let value = |field: &Name| match taken.iter().position(|name| name == field) {
            Some(at) => parameters[at].clone(),
            None => self.builder.nil(),
        };
        let values = std::iter::once(of.clone()).chain(fields.iter().map(value));
        let body = self.builder.call("%make-record", values);
        self.procedure(name, parameters, body)
    }
    /// `(define (name value) (test value of))`
    fn predicate(&mut self, name: &Stx, test: &'static str, of: Stx) -> Result<()> {
        let value = self.parameter(&"value".into());
        let body = self.builder.call(test, [value.clone(), of]);
        self.procedure(name, vec![value], body)
    }
    /// `(define (name record) (%record-ref record type index "name"))`
    fn accessor(&mut self, name: &Stx, of: &Stx, index: usize) -> Result<()> {
        let record = self.parameter(&"record".into());
        let who = self.builder.string(&name_of(name).unwrap_or_default());
        let body = self.builder.call(
            "%record-ref",
            [record.clone(), of.clone(), self.builder.int(index), who],
        );
        self.procedure(name, vec![record], body)
    }
    /// `(define (name record value) (%record-set! record type index value "name"))`
    fn modifier(&mut self, name: &Stx, of: &Stx, index: usize) -> Result<()> {
        let (record, value) = (self.parameter(&"record".into()), self.parameter(&"value".into()));
        let who = self.builder.string(&name_of(name).unwrap_or_default());
        let operands = [record.clone(), of.clone(), self.builder.int(index), value.clone(), who];
        let body = self.builder.call("%record-set!", operands);
        self.procedure(name, vec![record, value], body)
    }
}

/// `(define-record-type name constructor predicate field…)`
pub(super) fn define_record_type(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let [type_spec, constructor, predicate, fields @ ..] = usage.args() else {
        return Err(usage.bad());
    };
    let builder = usage.builder();
    let of = type_spec.as_list().and_then(<[Stx]>::first).unwrap_or(type_spec);
    let name = name_of(of).ok_or_else(|| usage.error("expected a type name", of))?;
    let names = fields
        .iter()
        .map(|field| field_name(usage, field))
        .collect::<Result<Vec<_>>>()?;
    check_distinct(usage, &names, usage.form)?;
    let constructor = constructor_spec(usage, constructor, &names)?;
    let shown = name
        .strip_prefix('<')
        .and_then(|name| name.strip_suffix('>'))
        .unwrap_or(&name);
    let make = builder.call(
        "%make-record-type",
        [quoted(&builder, shown), quoted_list(&builder, &names)],
    );
    let mut definitions = Definitions::new(worker, usage);
    let hidden = definitions.hidden(&name);
    definitions.forms.push(builder.define(&hidden, make));
    definitions.forms.push(builder.define(of, hidden.clone()));
    let of = &hidden;
    if let Some((constructor, taken)) = constructor {
        definitions.constructor(constructor, of, &names, &taken)?;
    }
    if Ident::of(predicate).is_some() {
        definitions.predicate(predicate, "%record-is?", of.clone())?;
    }
    for (index, field) in fields.iter().enumerate() {
        let procedures = field.as_list().unwrap_or_default();
        if let Some(name) = procedures.get(1) {
            definitions.accessor(name, of, index)?;
        }
        if let Some(name) = procedures.get(2) {
            definitions.modifier(name, of, index)?;
        }
    }
    Ok(definitions.finish())
}

fn check_distinct(usage: &Use<'_>, names: &[Name], at: &Stx) -> Result<()> {
    match (1..names.len()).find(|at| names[..*at].contains(&names[*at])) {
        Some(twice) => Err(usage.error(format!("{} occurs twice", names[twice]), at)),
        None => Ok(()),
    }
}

/// `field`, `(field accessor)`, `(field accessor modifier)`
fn field_name(usage: &Use<'_>, field: &Stx) -> Result<Name> {
    let name = match field.as_list() {
        Some([name, _] | [name, _, _]) => name,
        Some(_) => return Err(usage.error("expected (field accessor modifier?)", field)),
        None => field,
    };
    name_of(name).ok_or_else(|| usage.error("expected a field name", name))
}

/// `(make field…)`, `make` for all fields, `#f` for none: the name and the fields it takes.
fn constructor_spec<'a>(usage: &Use<'_>, spec: &'a Stx, fields: &[Name]) -> Result<Option<(&'a Stx, Vec<Name>)>> {
    match (&spec.node, spec.as_list()) {
        (Node::Bool(false) | Node::Nil, _) => Ok(None),
        (_, Some([name, taken @ ..])) => {
            let field = |stx: &Stx| {
                let name = name_of(stx).ok_or_else(|| usage.error("expected a field name", stx))?;
                match fields.contains(&name) {
                    true => Ok(name),
                    false => Err(usage.error(format!("{name} is no field"), stx)),
                }
            };
            let taken = taken.iter().map(field).collect::<Result<Vec<_>>>()?;
            check_distinct(usage, &taken, spec)?;
            Ok(Some((name, taken)))
        }
        _ => Ok(Some((spec, fields.to_vec()))),
    }
}

fn quoted(builder: &Builder, name: &str) -> Stx {
    builder.quote(builder.symbol(name))
}

fn quoted_list(builder: &Builder, names: &[Name]) -> Stx {
    builder.quote(builder.list(names.iter().map(|name| builder.symbol(name.clone())).collect()))
}

/// `(define-type name (Constructor field…) …)`: a record type for each constructor, marked with
/// the name of the whole.
pub(super) fn define_type(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (target, specs) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let target = target.as_list().and_then(<[Stx]>::first).unwrap_or(target);
    let type_name = name_of(target).ok_or_else(|| usage.error("expected a type name", target))?;
    let constructors = specs
        .iter()
        .map(|spec| parse_constructor(usage, spec))
        .collect::<Result<Vec<_>>>()?;
    if let Some(top) = usage.env.top_of() {
        let constructors = constructors
            .iter()
            .map(|constructor| constructor.name.clone())
            .collect();
        top.add_adt(&Adt {
            name: type_name.clone(),
            constructors,
        });
    }
    let builder = usage.builder();
    let mut definitions = Definitions::new(worker, usage);
    let symbol = |name: String| builder.symbol(name);
    definitions.predicate(
        &symbol(format!("{type_name}?")),
        "%adt-is?",
        quoted(&builder, &type_name),
    )?;
    for Constructor { stx, name, fields } in &constructors {
        let of = definitions.hidden(name);
        let operands = [
            quoted(&builder, name),
            quoted_list(&builder, fields),
            quoted(&builder, &type_name),
        ];
        definitions
            .forms
            .push(builder.define(&of, builder.call("%make-record-type", operands)));
        definitions.constructor(stx, &of, fields, fields)?;
        if *name != type_name {
            definitions.predicate(&symbol(format!("{name}?")), "%record-is?", of.clone())?;
        }
        for (index, field) in fields.iter().enumerate() {
            definitions.accessor(&symbol(format!("{name}-{field}")), &of, index)?;
        }
    }
    Ok(definitions.finish())
}

/// One constructor of an algebraic type.
struct Constructor {
    stx: Stx,
    name: Name,
    fields: Vec<Name>,
}

/// `(Constructor field…)` or a bare name for one without fields.
fn parse_constructor(usage: &Use<'_>, spec: &Stx) -> Result<Constructor> {
    let wrong = || usage.error("expected (Constructor field...)", spec);
    let (stx, fields) = match spec.as_list() {
        Some(items) => items.split_first().ok_or_else(wrong)?,
        None => (spec, &[][..]),
    };
    let name = name_of(stx).ok_or_else(wrong)?;
    let field = |stx: &Stx| name_of(stx).ok_or_else(|| usage.error("expected a field name", stx));
    let fields = fields.iter().map(field).collect::<Result<Vec<_>>>()?;
    check_distinct(usage, &fields, spec)?;
    Ok(Constructor {
        stx: stx.clone(),
        name,
        fields,
    })
}
