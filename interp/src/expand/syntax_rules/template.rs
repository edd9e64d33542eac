//! Templates of `syntax-rules`: compiled once, instantiated for each use.
//!
//! A variable under more ellipses than its pattern has is repeated by the innermost ones.

use super::super::SyntaxError;
use super::super::build::deeper;
use super::super::env::Ident;
use super::super::work::Result;
use super::pattern::{Bindings, Bound};
use super::{Dialect, Variables, error};
use std::cell::Cell;
use sx_runtime::syntax::{Node, Span, Stx, Syntax};

/// A compiled template.
pub(super) enum Template {
    Variable(usize),
    /// An identifier to insert, by number.
    Insert(usize),
    Datum(Stx),
    List(Vec<Element>, Option<Box<Template>>),
    Vector(Vec<Element>),
    Dict(Vec<(Template, Template)>),
}

/// A template and, for each ellipsis after it (the first one first), the variables it repeats.
pub(super) struct Element {
    template: Template,
    drivers: Vec<Vec<usize>>,
}

/// A variable that occurs in a template: number, depth in the pattern, ellipses so far above it.
#[derive(Clone, Copy)]
struct Occurrence {
    variable: usize,
    depth: usize,
    ellipses: usize,
}

/// Compiles the template of a clause; also the identifiers it inserts.
pub(super) fn compile(stx: &Stx, dialect: &Dialect, variables: &Variables) -> Result<(Template, Vec<Ident>)> {
    let mut compiler = Compiler {
        dialect,
        variables,
        inserted: Vec::new(),
        escaped: false,
    };
    let mut occurrences = Vec::new();
    let template = compiler.template(stx, &mut occurrences)?;
    match occurrences.iter().find(|o| o.ellipses < o.depth) {
        Some(_) => Err(error("a variable of the template needs more ellipses after it", stx)),
        None => Ok((template, compiler.inserted)),
    }
}

struct Compiler<'a> {
    dialect: &'a Dialect,
    variables: &'a Variables,
    inserted: Vec<Ident>,
    /// Inside `(... template)`, where the ellipsis is a name like any other.
    escaped: bool,
}

impl Compiler<'_> {
    fn is_ellipsis(&self, stx: &Stx) -> bool {
        !self.escaped && self.dialect.is_ellipsis(stx)
    }

    fn template(&mut self, stx: &Stx, out: &mut Vec<Occurrence>) -> Result<Template> {
        if let Some(ident) = Ident::of(stx) {
            return self.ident(ident, stx, out);
        }
        match &stx.node {
            Node::List(items) => match items.as_slice() {
                [first, escaped] if self.is_ellipsis(first) => {
                    self.escaped = true;
                    let template = deeper(|| self.template(escaped, out));
                    self.escaped = false;
                    template
                }
                items => Ok(Template::List(deeper(|| self.elements(items, out))?, None)),
            },
            Node::Dotted(items, tail) => deeper(|| {
                let elements = self.elements(items, out)?;
                Ok(Template::List(elements, Some(Box::new(self.template(tail, out)?))))
            }),
            Node::Vector(items) => Ok(Template::Vector(deeper(|| self.elements(items, out))?)),
            Node::Dict(pairs) => deeper(|| {
                let pair = |(key, value): &(Stx, Stx)| Ok((self.template(key, out)?, self.template(value, out)?));
                Ok(Template::Dict(pairs.iter().map(pair).collect::<Result<_>>()?))
            }),
            _ => Ok(Template::Datum(stx.clone())),
        }
    }

    fn ident(&mut self, ident: Ident, stx: &Stx, out: &mut Vec<Occurrence>) -> Result<Template> {
        if let Some((variable, depth)) = self.variables.get(&ident).copied() {
            out.push(Occurrence {
                variable,
                depth,
                ellipses: 0,
            });
            return Ok(Template::Variable(variable));
        }
        if self.is_ellipsis(stx) {
            return Err(error("an ellipsis follows the template it repeats", stx));
        }
        let known = self.inserted.iter().position(|inserted| *inserted == ident);
        Ok(Template::Insert(known.unwrap_or_else(|| {
            self.inserted.push(ident);
            self.inserted.len() - 1
        })))
    }

    fn elements(&mut self, items: &[Stx], out: &mut Vec<Occurrence>) -> Result<Vec<Element>> {
        let mut elements = Vec::with_capacity(items.len());
        let mut items = items.iter().peekable();
        while let Some(item) = items.next() {
            let mut inner = Vec::new();
            let template = self.template(item, &mut inner)?;
            let mut drivers = Vec::new();
            while let Some(ellipsis) = items.next_if(|next| self.is_ellipsis(next)) {
                let repeated: Vec<usize> = inner
                    .iter()
                    .filter(|o| o.ellipses < o.depth)
                    .map(|o| o.variable)
                    .collect();
                if repeated.is_empty() {
                    return Err(error("nothing before this ellipsis repeats", ellipsis));
                }
                drivers.push(repeated);
                inner.iter_mut().for_each(|o| o.ellipses += 1);
            }
            out.append(&mut inner);
            elements.push(Element { template, drivers });
        }
        Ok(elements)
    }
}

/// One use of a macro: the aliases it inserts and the place its new forms get.
pub(super) struct Instance<'a> {
    pub(super) aliases: &'a [Ident],
    pub(super) span: &'a Span,
    /// Forms that may still be made.
    pub(super) budget: &'a Cell<u64>,
}

impl Instance<'_> {
    pub(super) fn make(&self, template: &Template, bindings: &Bindings) -> Result<Stx> {
        let node = match template {
            Template::Variable(number) => match &bindings[*number] {
                Some(Bound::One(stx)) => return Ok(stx.clone()),
                _ => return Err(self.error("a variable of the template has no single value")),
            },
            Template::Insert(number) => self.aliases[*number].node(),
            Template::Datum(stx) => return Ok(stx.clone()),
            Template::List(elements, None) => Node::List(deeper(|| self.elements(elements, bindings))?),
            Template::List(elements, Some(tail)) => {
                let (items, tail) = deeper(|| Ok((self.elements(elements, bindings)?, self.make(tail, bindings)?)))?;
                match items.is_empty() {
                    true => return Ok(tail),
                    false => join(items, tail),
                }
            }
            Template::Vector(elements) => Node::Vector(deeper(|| self.elements(elements, bindings))?),
            Template::Dict(pairs) => deeper(|| {
                let pair =
                    |(key, value): &(Template, Template)| Ok((self.make(key, bindings)?, self.make(value, bindings)?));
                Ok(Node::Dict(pairs.iter().map(pair).collect::<Result<_>>()?))
            })?,
        };
        Ok(Syntax::new(node, self.span.clone()))
    }

    fn error(&self, message: &str) -> SyntaxError {
        SyntaxError::new(format!("syntax-rules: {message}"), self.span.clone())
    }

    fn elements(&self, elements: &[Element], bindings: &Bindings) -> Result<Vec<Stx>> {
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            self.repeat(&element.template, &element.drivers, bindings, &mut items)?;
        }
        Ok(items)
    }

    /// Instances of a template for each item of what its last, outermost ellipsis repeats.
    fn repeat(
        &self,
        template: &Template,
        drivers: &[Vec<usize>],
        bindings: &Bindings,
        out: &mut Vec<Stx>,
    ) -> Result<()> {
        match self.budget.get().checked_sub(1) {
            Some(rest) => self.budget.set(rest),
            None => return Err(self.error("the expansion is too large")),
        }
        let Some((repeated, inner)) = drivers.split_last() else {
            out.push(self.make(template, bindings)?);
            return Ok(());
        };
        let mut columns = Vec::with_capacity(repeated.len());
        for variable in repeated {
            match &bindings[*variable] {
                Some(Bound::Many(bounds)) => columns.push((*variable, bounds)),
                _ => return Err(self.error("a variable of the template has too few values for its ellipses")),
            }
        }
        let count = columns.first().map_or(0, |(_, bounds)| bounds.len());
        if columns.iter().any(|(_, bounds)| bounds.len() != count) {
            return Err(self.error("variables repeated together matched different numbers of forms"));
        }
        let mut bindings = bindings.clone();
        for row in 0..count {
            for (variable, bounds) in &columns {
                bindings[*variable] = Some(bounds[row].clone());
            }
            self.repeat(template, inner, &bindings, out)?;
        }
        Ok(())
    }
}

/// A list with that tail: longer if the tail is a list.
fn join(mut items: Vec<Stx>, tail: Stx) -> Node {
    match &tail.node {
        Node::List(more) => {
            items.extend(more.iter().cloned());
            Node::List(items)
        }
        Node::Dotted(more, last) => {
            items.extend(more.iter().cloned());
            Node::Dotted(items, last.clone())
        }
        _ => Node::Dotted(items, tail),
    }
}
