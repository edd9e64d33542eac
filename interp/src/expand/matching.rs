//! `match` and `let-match`.
//!
//! A clause becomes a test and the bindings its body needs: both reach into the value through the
//! same accessor expressions, so a clause that fails has no effect and no clause is duplicated.

use super::body::one_form;
use super::build::{Builder, deeper};
use super::env::{Ident, Meaning, printed};
use super::top::Adt;
use super::work::{Result, Use, Worker};
use std::sync::Arc;
use sx_runtime::syntax::{Name, Node, Stx};

/// `(match form (pattern body…) …)`
pub(super) fn match_form(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let (subject, clauses) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let builder = usage.builder();
    let value = builder.fresh(worker, "match");
    let mut compiled = Vec::with_capacity(clauses.len());
    let mut coverage = Coverage::default();
    for clause in clauses {
        let (pattern, body) = clause
            .as_list()
            .and_then(<[Stx]>::split_first)
            .ok_or_else(|| usage.error("expected (pattern body...)", clause))?;
        let (guard, body) = match body {
            [key, guard, body @ ..] if is_when(key) => (Some(guard), body),
            body => (None, body),
        };
        let matcher = Matcher::compile(worker, usage, pattern, &value)?;
        coverage.add(worker, usage, pattern, &matcher, guard.is_some());
        compiled.push((matcher, guard, body));
    }
    coverage.warn(worker, usage);
    let mut form = builder.call("%match-failed", [value.clone()]);
    for (matcher, guard, body) in compiled.into_iter().rev() {
        form = matcher.clause(guard, body, form);
    }
    Ok(builder.let_in_order(vec![(value, subject.clone())], &[form]))
}

fn is_when(stx: &Stx) -> bool {
    matches!(&stx.node, Node::Keyword(name) if &**name == "when")
}

/// `(let-match pattern form body…)`
pub(super) fn let_match(_: &mut Worker<'_>, usage: &Use<'_>) -> Result<Stx> {
    let [pattern, subject, body @ ..] = usage.args() else {
        return Err(usage.bad());
    };
    let builder = usage.builder();
    let clause = builder.list(std::iter::once(pattern).chain(body).cloned().collect());
    Ok(builder.call("match", [subject.clone(), clause]))
}

/// One pattern, compiled against the expression of the value it takes.
struct Matcher {
    builder: Builder,
    /// All must hold, in this order.
    tests: Vec<Stx>,
    bindings: Vec<(Stx, Stx)>,
}

impl Matcher {
    fn compile(worker: &Worker<'_>, usage: &Use<'_>, pattern: &Stx, value: &Stx) -> Result<Matcher> {
        let mut matcher = Matcher {
            builder: usage.builder(),
            tests: Vec::new(),
            bindings: Vec::new(),
        };
        matcher.pattern(worker, usage, pattern, value)?;
        Ok(matcher)
    }

    fn clause(self, guard: Option<&Stx>, body: &[Stx], otherwise: Stx) -> Stx {
        let Matcher {
            builder,
            mut tests,
            bindings,
        } = self;
        if let Some(guard) = guard {
            tests.push(builder.let_in_order(bindings.clone(), std::slice::from_ref(guard)));
        }
        let then = builder.let_in_order(bindings, body);
        let test = match tests.as_slice() {
            [] => return one_form(&builder, &[then]),
            [test] => test.clone(),
            _ => builder.call("and", tests),
        };
        builder.call("if", [test, then, otherwise])
    }

    fn test(&mut self, function: &'static str, operands: impl IntoIterator<Item = Stx>) {
        let test = self.builder.call(function, operands);
        self.tests.push(test);
    }

    fn pattern(&mut self, worker: &Worker<'_>, usage: &Use<'_>, pattern: &Stx, value: &Stx) -> Result<()> {
        match &pattern.node {
            Node::Sym(name) | Node::Alias(name, _) if &**name == "_" || &**name == "else" => {}
            Node::Sym(name) | Node::Alias(name, _) => {
                if self
                    .bindings
                    .iter()
                    .any(|(bound, _)| Ident::of(bound) == Ident::of(pattern))
                {
                    return Err(usage.error(format!("{name} is bound twice in a pattern"), pattern));
                }
                self.bindings.push((pattern.clone(), value.clone()));
            }
            Node::List(items) => return deeper(|| self.list(worker, usage, items, value)),
            Node::Dotted(items, tail) => return deeper(|| self.items(worker, usage, items, Some(tail), value)),
            Node::Dict(pairs) => return deeper(|| self.dict(worker, usage, pairs, value)),
            Node::Keyword(name) => self.test("%=", [value.clone(), self.builder.string(name)]),
            Node::Vector(_) => return Err(usage.error("a vector is no pattern", pattern)),
            _ => self.test("%=", [value.clone(), pattern.clone()]),
        }
        Ok(())
    }

    fn list(&mut self, worker: &Worker<'_>, usage: &Use<'_>, items: &[Stx], value: &Stx) -> Result<()> {
        let head = items.first().and_then(|head| Ident::of(head));
        match (&head, items) {
            (Some(head), [_, datum]) if &*head.name == "quote" => {
                self.test("%=", [value.clone(), self.builder.quote(datum.clone())]);
                Ok(())
            }
            (Some(head), [_, fields @ ..]) if is_constructor(worker, usage, head) => {
                let name = self.builder.quote(self.builder.symbol(printed(&head.name)));
                self.test("%match-adt?", [value.clone(), name, self.builder.int(fields.len())]);
                for (index, field) in fields.iter().enumerate() {
                    let part = self
                        .builder
                        .call("%match-field", [value.clone(), self.builder.int(index)]);
                    self.pattern(worker, usage, field, &part)?;
                }
                Ok(())
            }
            (_, [before @ .., marker, rest]) if marker.as_name().is_some_and(|name| &**name == "&rest") => {
                self.items(worker, usage, before, Some(rest), value)
            }
            _ => self.items(worker, usage, items, None, value),
        }
    }

    fn items(
        &mut self,
        worker: &Worker<'_>,
        usage: &Use<'_>,
        items: &[Stx],
        rest: Option<&Stx>,
        value: &Stx,
    ) -> Result<()> {
        let count = self.builder.int(items.len());
        let test = if rest.is_some() {
            "%match-list-from?"
        } else {
            "%match-list?"
        };
        self.test(test, [value.clone(), count.clone()]);
        for (index, item) in items.iter().enumerate() {
            let part = self
                .builder
                .call("%match-item", [value.clone(), self.builder.int(index)]);
            self.pattern(worker, usage, item, &part)?;
        }
        match rest {
            Some(rest) => {
                let part = self.builder.call("%match-rest", [value.clone(), count]);
                self.pattern(worker, usage, rest, &part)
            }
            None => Ok(()),
        }
    }

    fn dict(&mut self, worker: &Worker<'_>, usage: &Use<'_>, pairs: &[(Stx, Stx)], value: &Stx) -> Result<()> {
        if pairs.is_empty() {
            self.test("%dict?", [value.clone()]);
        }
        for (key, pattern) in pairs {
            let key = match &key.node {
                Node::Keyword(name) | Node::Str(name) => self.builder.string(name),
                _ => return Err(usage.error("a key in a dict pattern is a keyword or a string", key)),
            };
            self.test("%match-key?", [value.clone(), key.clone()]);
            let part = self.builder.call("%match-value", [value.clone(), key]);
            self.pattern(worker, usage, pattern, &part)?;
        }
        Ok(())
    }
}

/// The algebraic type whose constructor the name is, as far as is known here.
fn adt_of(worker: &Worker<'_>, usage: &Use<'_>, ident: &Ident) -> Option<Adt> {
    let known = usage.env.top_of().and_then(|top| top.adt_of(&printed(&ident.name)));
    known.or_else(|| match worker.meaning(ident, usage.env) {
        Meaning::Global(global) => worker.globals.adt_of(&global),
        _ => None,
    })
}

/// A head that is a known constructor, or is spelled like one, makes a constructor pattern.
fn is_constructor(worker: &Worker<'_>, usage: &Use<'_>, ident: &Ident) -> bool {
    ident.name.starts_with(char::is_uppercase) || adt_of(worker, usage, ident).is_some()
}

/// Which constructors of a type the clauses take, for the warning about those that none does.
#[derive(Default)]
struct Coverage {
    adt: Option<Adt>,
    taken: Vec<Name>,
    complete: bool,
}

impl Coverage {
    fn add(&mut self, worker: &Worker<'_>, usage: &Use<'_>, pattern: &Stx, matcher: &Matcher, guarded: bool) {
        self.complete |= matcher.tests.is_empty() && !guarded;
        let head = pattern.as_list().and_then(|items| Ident::of(items.first()?));
        if let Some(head) = head
            && let Some(adt) = adt_of(worker, usage, &head)
        {
            self.adt.get_or_insert(adt);
            self.taken.push(printed(&head.name));
        }
    }

    fn warn(&self, worker: &mut Worker<'_>, usage: &Use<'_>) {
        let Some(adt) = self.adt.as_ref().filter(|_| !self.complete) else {
            return;
        };
        let constructors: Arc<[Name]> = adt.constructors.clone();
        let missing: Vec<&str> = constructors
            .iter()
            .filter(|name| !self.taken.contains(name))
            .map(|name| &**name)
            .collect();
        if !missing.is_empty() {
            let message = format!("match: non-exhaustive — {}: missing {}", adt.name, missing.join(", "));
            worker.warn(message, usage.span());
        }
    }
}
