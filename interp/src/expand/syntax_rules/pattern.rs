//! Patterns of `syntax-rules`: compiled once, matched against each use.

use super::super::build::deeper;
use super::super::env::{Env, Ident, Scoping};
use super::super::work::Result;
use super::{Dialect, Variables, error};
use std::rc::Rc;
use sx_runtime::syntax::{Node, Stx, Syntax};

/// A compiled pattern.
pub(super) enum Pattern {
    Any,
    Variable(usize),
    Literal(Ident),
    Datum(Stx),
    Sequence(Box<Sequence>),
    Vector(Box<Sequence>),
}

/// `(before… repeated ... after… . tail)`
pub(super) struct Sequence {
    before: Vec<Pattern>,
    /// The repeated pattern and the variables in it.
    repeated: Option<(Pattern, Vec<usize>)>,
    after: Vec<Pattern>,
    tail: Option<Pattern>,
}

/// What a pattern variable matched.
#[derive(Clone)]
pub(super) enum Bound {
    One(Stx),
    Many(Rc<Vec<Bound>>),
}

/// What the variables matched, by number.
pub(super) type Bindings = Vec<Option<Bound>>;

/// Compiles the pattern of a clause; its first element, the macro's own name, is of no account.
pub(super) fn compile(pattern: &Stx, dialect: &Dialect) -> Result<(Pattern, Variables)> {
    let (items, tail) = match &pattern.node {
        Node::List(items) if !items.is_empty() => (&items[1..], None),
        Node::Dotted(items, tail) => (&items[1..], Some(tail)),
        _ => return Err(error("a pattern is a list that begins with the macro's name", pattern)),
    };
    let mut compiler = Compiler {
        dialect,
        variables: Variables::new(),
    };
    let sequence = compiler.sequence(items, tail, 0)?;
    Ok((Pattern::Sequence(Box::new(sequence)), compiler.variables))
}

struct Compiler<'a> {
    dialect: &'a Dialect,
    variables: Variables,
}

impl Compiler<'_> {
    fn pattern(&mut self, stx: &Stx, depth: usize) -> Result<Pattern> {
        if let Some(ident) = Ident::of(stx) {
            return self.ident(ident, stx, depth);
        }
        Ok(match &stx.node {
            Node::List(items) => Pattern::Sequence(Box::new(deeper(|| self.sequence(items, None, depth))?)),
            Node::Dotted(items, tail) => {
                Pattern::Sequence(Box::new(deeper(|| self.sequence(items, Some(tail), depth))?))
            }
            Node::Vector(items) => Pattern::Vector(Box::new(deeper(|| self.sequence(items, None, depth))?)),
            _ => Pattern::Datum(stx.clone()),
        })
    }

    fn ident(&mut self, ident: Ident, stx: &Stx, depth: usize) -> Result<Pattern> {
        if self.dialect.is_literal(&ident) {
            return Ok(Pattern::Literal(ident));
        }
        if self.dialect.is_ellipsis(stx) {
            return Err(error("an ellipsis follows the pattern it repeats", stx));
        }
        if self.dialect.is_underscore(&ident) {
            return Ok(Pattern::Any);
        }
        let number = self.variables.len();
        if self.variables.contains_key(&ident) {
            return Err(error(format!("{} occurs twice in a pattern", ident.name), stx));
        }
        self.variables.insert(ident, (number, depth));
        Ok(Pattern::Variable(number))
    }

    fn sequence(&mut self, items: &[Stx], tail: Option<&Stx>, depth: usize) -> Result<Sequence> {
        let mut sequence = Sequence {
            before: Vec::new(),
            repeated: None,
            after: Vec::new(),
            tail: None,
        };
        let mut at = 0;
        while at < items.len() {
            let item = &items[at];
            if items.get(at + 1).is_some_and(|next| self.dialect.is_ellipsis(next)) {
                if sequence.repeated.is_some() {
                    return Err(error("two ellipses in one list of a pattern", &items[at + 1]));
                }
                let first = self.variables.len();
                let repeated = self.pattern(item, depth + 1)?;
                sequence.repeated = Some((repeated, (first..self.variables.len()).collect()));
                at += 2;
                continue;
            }
            let pattern = self.pattern(item, depth)?;
            match sequence.repeated {
                None => sequence.before.push(pattern),
                Some(_) => sequence.after.push(pattern),
            }
            at += 1;
        }
        sequence.tail = tail.map(|tail| self.pattern(tail, depth)).transpose()?;
        Ok(sequence)
    }
}

/// Where a macro is used and where its rules were written.
pub(super) struct Place<'a> {
    pub(super) scoping: &'a Scoping<'a>,
    pub(super) rules_env: &'a Env,
    pub(super) env: &'a Env,
}

impl Pattern {
    /// Matches all of a use but its head.
    pub(super) fn matches_operands(&self, form: &Stx, place: &Place<'_>, out: &mut Bindings) -> bool {
        match (self, &form.node) {
            (Pattern::Sequence(sequence), Node::List(items)) => {
                sequence.matches(items.get(1..).unwrap_or_default(), None, form, place, out)
            }
            (Pattern::Sequence(sequence), Node::Dotted(items, tail)) => {
                sequence.matches(&items[1..], Some(tail), form, place, out)
            }
            _ => false,
        }
    }

    fn matches(&self, form: &Stx, place: &Place<'_>, out: &mut Bindings) -> bool {
        match (self, &form.node) {
            (Pattern::Any, _) => true,
            (Pattern::Variable(number), _) => {
                out[*number] = Some(Bound::One(form.clone()));
                true
            }
            (Pattern::Literal(literal), _) => {
                Ident::of(form).is_some_and(|ident| place.scoping.same(&ident, place.env, literal, place.rules_env))
            }
            (Pattern::Datum(datum), _) => same_datum(datum, form),
            (Pattern::Sequence(sequence), Node::List(items)) => {
                deeper(|| sequence.matches(items, None, form, place, out))
            }
            (Pattern::Sequence(sequence), Node::Dotted(items, tail)) => {
                deeper(|| sequence.matches(items, Some(tail), form, place, out))
            }
            // `(a ... . b)` and `( . b)` also match what is no list.
            (Pattern::Sequence(sequence), _) => sequence.matches(&[], Some(form), form, place, out),
            (Pattern::Vector(sequence), Node::Vector(items)) => {
                deeper(|| sequence.matches(items, None, form, place, out))
            }
            (Pattern::Vector(_), _) => false,
        }
    }
}

impl Sequence {
    fn matches(&self, items: &[Stx], tail: Option<&Stx>, form: &Stx, place: &Place<'_>, out: &mut Bindings) -> bool {
        let fixed = self.before.len() + self.after.len();
        if items.len() < fixed {
            return false;
        }
        let (before, rest) = items.split_at(self.before.len());
        let all = |patterns: &[Pattern], forms: &[Stx], out: &mut Bindings| {
            patterns
                .iter()
                .zip(forms)
                .all(|(pattern, form)| pattern.matches(form, place, out))
        };
        if !all(&self.before, before, out) {
            return false;
        }
        let Some((repeated, variables)) = &self.repeated else {
            return self.matches_tail(rest, tail, form, place, out);
        };
        let (middle, after) = rest.split_at(rest.len() - self.after.len());
        let mut collected: Vec<Vec<Bound>> = vec![Vec::with_capacity(middle.len()); variables.len()];
        for form in middle {
            if !repeated.matches(form, place, out) {
                return false;
            }
            for (bounds, variable) in collected.iter_mut().zip(variables) {
                bounds.extend(out[*variable].take());
            }
        }
        for (bounds, variable) in collected.into_iter().zip(variables) {
            out[*variable] = Some(Bound::Many(Rc::new(bounds)));
        }
        all(&self.after, after, out) && self.matches_tail(&[], tail, form, place, out)
    }

    /// What is left of the items, and the form's own tail, against the pattern's tail.
    fn matches_tail(
        &self,
        rest: &[Stx],
        tail: Option<&Stx>,
        form: &Stx,
        place: &Place<'_>,
        out: &mut Bindings,
    ) -> bool {
        let Some(pattern) = &self.tail else {
            return rest.is_empty() && tail.is_none();
        };
        let rest = match (rest, tail) {
            ([], Some(tail)) => tail.clone(),
            (rest, None) => Syntax::new(Node::List(rest.to_vec()), form.span.clone()),
            (rest, Some(tail)) => Syntax::new(Node::Dotted(rest.to_vec(), tail.clone()), form.span.clone()),
        };
        pattern.matches(&rest, place, out)
    }
}

/// Are two atoms the same datum?
fn same_datum(a: &Syntax, b: &Syntax) -> bool {
    match (&a.node, &b.node) {
        (Node::Nil, Node::Nil) => true,
        (Node::Bool(a), Node::Bool(b)) => a == b,
        (Node::Int(a), Node::Int(b)) => a == b,
        (Node::Big(a), Node::Big(b)) => a == b,
        (Node::Ratio(a), Node::Ratio(b)) => a == b,
        (Node::Float(a), Node::Float(b)) => a == b,
        (Node::Char(a), Node::Char(b)) => a == b,
        (Node::Str(a), Node::Str(b)) | (Node::Keyword(a), Node::Keyword(b)) => a == b,
        (Node::Bytes(a), Node::Bytes(b)) => a == b,
        _ => false,
    }
}
