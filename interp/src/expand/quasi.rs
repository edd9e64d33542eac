//! `quasiquote`: templates become calls that build them; parts without unquotes stay constants.
//!
//! Nested templates keep their depth: an unquote belongs to the innermost open quasiquote.

use super::build::{Builder, deeper};
use super::work::{Result, Use, Worker};
use sx_runtime::syntax::{Node, Stx};

/// A template part: constant, or an expression that makes it.
enum Part {
    Constant(Stx),
    Made(Stx),
    /// An expression whose list goes in place.
    Splice(Stx),
}

/// `(quasiquote template)`
pub(super) fn quasiquote(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let [template] = usage.args() else {
        return Err(usage.bad());
    };
    let quasi = Quasi {
        usage,
        builder: usage.builder(),
    };
    match quasi.part(template, 1)? {
        Part::Constant(datum) => Ok(quasi.builder.quote(datum)),
        Part::Made(form) => Ok(form),
        Part::Splice(_) => Err(usage.error(",@ needs a list around it", template)),
    }
}

struct Quasi<'a> {
    usage: &'a Use<'a>,
    builder: Builder,
}

/// The operand of a one-operand form headed by one of these names.
fn operand<'s>(items: &'s [Stx], names: &[&str]) -> Option<&'s Stx> {
    match items {
        [head, operand] if head.as_name().is_some_and(|name| names.contains(&&**name)) => Some(operand),
        _ => None,
    }
}

const SPLICES: [&str; 2] = ["splice-unquote", "unquote-splicing"];

impl Quasi<'_> {
    fn part(&self, template: &Stx, depth: usize) -> Result<Part> {
        match &template.node {
            Node::List(items) => deeper(|| self.list(template, items, depth)),
            Node::Dotted(items, tail) => deeper(|| self.sequence(template, items, Some(tail), depth)),
            Node::Vector(items) => deeper(|| {
                Ok(match self.sequence(template, items, None, depth)? {
                    Part::Made(list) => Part::Made(self.builder.call("%list->vector", [list])),
                    _ => Part::Constant(template.clone()),
                })
            }),
            Node::Dict(pairs) => deeper(|| self.dict(template, pairs, depth)),
            Node::Label(_, datum) => match deeper(|| self.part(datum, depth))? {
                Part::Constant(_) => Ok(Part::Constant(template.clone())),
                _ => Err(self.usage.error("an unquote inside a datum with a label", template)),
            },
            _ => Ok(Part::Constant(template.clone())),
        }
    }

    fn list(&self, template: &Stx, items: &[Stx], depth: usize) -> Result<Part> {
        if let Some(form) = operand(items, &["unquote"]) {
            return match depth {
                1 => Ok(Part::Made(form.clone())),
                _ => self.nested(template, items, depth - 1),
            };
        }
        if let Some(form) = operand(items, &SPLICES) {
            return match depth {
                1 => Ok(Part::Splice(form.clone())),
                _ => self.nested(template, items, depth - 1),
            };
        }
        if operand(items, &["quasiquote"]).is_some() {
            return self.nested(template, items, depth + 1);
        }
        match items {
            // `(a . ,b)` reads as `(a unquote b)`.
            [before @ .., head, _] if !before.is_empty() && head.as_name().is_some_and(|name| &**name == "unquote") => {
                let tail = self.builder.list(items[before.len()..].to_vec());
                self.sequence(template, before, Some(&tail), depth)
            }
            _ => self.sequence(template, items, None, depth),
        }
    }

    /// A form that changes the depth: its head stays, its operand is a template at that depth.
    fn nested(&self, template: &Stx, items: &[Stx], depth: usize) -> Result<Part> {
        Ok(match self.sequence(template, &items[1..], None, depth)? {
            Part::Made(list) => {
                let head = self.builder.quote(items[0].clone());
                Part::Made(self.builder.call("%cons", [head, list]))
            }
            _ => Part::Constant(template.clone()),
        })
    }

    fn sequence(&self, template: &Stx, items: &[Stx], tail: Option<&Stx>, depth: usize) -> Result<Part> {
        let parts = items
            .iter()
            .map(|item| self.part(item, depth))
            .collect::<Result<Vec<_>>>()?;
        let tail = tail.map(|tail| self.part(tail, depth)).transpose()?;
        let constant = |part: &Part| matches!(part, Part::Constant(_));
        if parts.iter().all(constant) && tail.as_ref().is_none_or(constant) {
            return Ok(Part::Constant(template.clone()));
        }
        let builder = &self.builder;
        let (mut segments, mut run) = (Vec::new(), Vec::new());
        let spliced = parts.iter().any(|part| matches!(part, Part::Splice(_)));
        for part in parts {
            match part {
                Part::Constant(datum) => run.push(builder.quote(datum)),
                Part::Made(form) => run.push(form),
                Part::Splice(form) => {
                    if !run.is_empty() {
                        segments.push(builder.call("%list", std::mem::take(&mut run)));
                    }
                    segments.push(form);
                }
            }
        }
        let tail = match tail {
            None if !spliced => return Ok(Part::Made(builder.call("%list", run))),
            None => {
                // Scheme's last list may be anything, and is not copied.
                if run.is_empty() && template.span.source.is_scheme() {
                    return Ok(Part::Made(builder.call("%append*", segments)));
                }
                if !run.is_empty() {
                    segments.push(builder.call("%list", run));
                }
                return Ok(Part::Made(builder.call("%append", segments)));
            }
            Some(Part::Constant(datum)) => builder.quote(datum),
            Some(Part::Made(form)) => form,
            Some(Part::Splice(_)) => return Err(self.usage.error(",@ after a dot", template)),
        };
        run.push(tail);
        let end = builder.call("%list*", run);
        if segments.is_empty() {
            return Ok(Part::Made(end));
        }
        segments.push(end);
        Ok(Part::Made(builder.call("%append*", segments)))
    }

    fn dict(&self, template: &Stx, pairs: &[(Stx, Stx)], depth: usize) -> Result<Part> {
        let mut operands = Vec::with_capacity(pairs.len() * 2);
        let mut constant = true;
        for stx in pairs.iter().flat_map(|(key, value)| [key, value]) {
            let is_key = operands.len() % 2 == 0;
            operands.push(match self.part(stx, depth)? {
                Part::Constant(datum) => match &datum.node {
                    Node::Keyword(name) if is_key => self.builder.string(name),
                    _ => self.builder.quote(datum),
                },
                Part::Made(form) => {
                    constant = false;
                    form
                }
                Part::Splice(_) => return Err(self.usage.error(",@ in a dict", stx)),
            });
        }
        Ok(match constant {
            true => Part::Constant(template.clone()),
            false => Part::Made(self.builder.call("%dict", operands)),
        })
    }
}
