//! Findings in the text: forms that are read in another way than they look, clauses that are never
//! reached, keys that stand twice.

use super::bindings::Binding;
use super::world::{Known, World};
use super::{Finding, each_form};
use std::collections::HashMap;
use sx_runtime::syntax::{Node, Stx};

/// Everything found.
pub fn check(forms: &[Stx], bindings: &[Binding], world: &World) -> Vec<Finding> {
    let mut findings = Vec::new();
    each_form(forms, &mut |form, _| match &form.node {
        Node::Dict(pairs) => findings.extend(keys_twice(pairs)),
        Node::List(items) => {
            let head = items.first().and_then(|head| head.as_name());
            match (head.map(|name| &**name), items.get(1..).unwrap_or_default()) {
                (Some("cond"), clauses) => {
                    findings.extend(misread(form, clauses, "cond"));
                    findings.extend(functions_as_tests(clauses, bindings, world));
                    findings.extend(behind_else(clauses, "cond"));
                }
                (Some("case"), [_, clauses @ ..]) => {
                    findings.extend(misread(form, clauses, "case"));
                    findings.extend(data_twice(clauses));
                    findings.extend(behind_else(clauses, "case"));
                }
                (Some("match"), [_, clauses @ ..]) => findings.extend(behind_variable(clauses)),
                _ => {}
            }
        }
        _ => {}
    });
    findings
}

// ---- cond and case -----------------------------------------------------------------------------

/// How the expander reads the clauses of a `cond` or `case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// All lists of two forms.
    Pairs,
    /// All lists whose heads tell that they are clauses.
    Clauses,
    /// Tests and values in turn.
    Flat,
}

/// The style of some clauses; the expander decides the same.
pub fn style(clauses: &[Stx]) -> Style {
    let lists: Option<Vec<&[Stx]>> = clauses.iter().map(|clause| clause.as_list()).collect();
    let Some(lists) = lists else { return Style::Flat };
    let is_telling = |head: &Stx| head.as_name().is_none_or(|name| &**name == "else");
    if lists.iter().all(|items| items.len() == 2) {
        Style::Pairs
    } else if lists.iter().all(|items| items.first().is_some_and(is_telling)) {
        Style::Clauses
    } else {
        Style::Flat
    }
}

fn are_lists(clauses: &[Stx]) -> bool {
    !clauses.is_empty()
        && clauses
            .iter()
            .all(|clause| clause.as_list().is_some_and(|items| !items.is_empty()))
}

/// Lists all through that are not clauses.
fn misread(form: &Stx, clauses: &[Stx], name: &str) -> Option<Finding> {
    if style(clauses) != Style::Flat || !are_lists(clauses) || clauses.len() < 2 {
        return None;
    }
    let message = format!("this {name} is read as tests and values in turn, not as clauses");
    let finding = Finding::warning("cond", message, &form.span);
    Some(finding.help("clauses all have two forms, or all begin with a list, a literal or else"))
}

/// `(cond (empty? xs) 1 …)` written flat, where every form happens to have two parts: the test is
/// then the function `empty?`, which always holds.
fn functions_as_tests(clauses: &[Stx], bindings: &[Binding], world: &World) -> Option<Finding> {
    if style(clauses) != Style::Pairs {
        return None;
    }
    let test = clauses
        .iter()
        .filter_map(|clause| clause.as_list()?.first())
        .find(|test| {
            test.as_name().is_some_and(|name| {
                let is_local = bindings.iter().any(|binding| binding.name == *name);
                let is_function =
                    world.arity(name).is_some() && (world.defines(name) || world.known(name) == Known::Value);
                !is_local && is_function
            })
        })?;
    let name = test.as_name()?;
    let message = format!("the test of this clause is the function {name} itself, which always holds");
    let finding = Finding::warning("cond", message, &test.span);
    Some(finding.help("in a cond without brackets around its clauses, write else for the last one"))
}

fn is_catch_all(test: &Stx) -> bool {
    match &test.node {
        Node::Bool(true) => true,
        Node::Keyword(name) | Node::Sym(name) => &**name == "else",
        _ => false,
    }
}

fn behind_else(clauses: &[Stx], name: &str) -> Option<Finding> {
    let tests: Vec<&Stx> = match style(clauses) {
        Style::Flat => clauses.iter().step_by(2).collect(),
        _ => clauses.iter().filter_map(|clause| clause.as_list()?.first()).collect(),
    };
    let last = tests.iter().position(|test| is_catch_all(test))?;
    let dead = tests.get(last + 1)?;
    let message = format!("{name}: nothing behind the clause for everything else is ever reached");
    Some(Finding::warning("unreachable", message, &dead.span))
}

/// A clause of a `match` behind one whose pattern is a name, which takes everything.
fn behind_variable(clauses: &[Stx]) -> Option<Finding> {
    let takes_all = |clause: &Stx| match clause.as_list() {
        Some([_, key, ..]) if matches!(&key.node, Node::Keyword(name) if &**name == "when") => false,
        Some([pattern, ..]) => pattern.as_name().is_some(),
        _ => false,
    };
    let last = clauses.iter().position(takes_all)?;
    let dead = clauses.get(last + 1)?;
    let name = clauses[last].as_list()?.first()?.as_name()?;
    let message = format!("match: nothing behind the clause of {name}, which takes everything, is ever reached");
    Some(Finding::warning("unreachable", message, &dead.span))
}

fn data_twice(clauses: &[Stx]) -> Vec<Finding> {
    let data: Vec<&Stx> = match style(clauses) {
        Style::Flat => clauses.iter().step_by(2).collect(),
        _ => {
            let heads = clauses.iter().filter_map(|clause| clause.as_list()?.first());
            heads
                .flat_map(|head| head.as_list().unwrap_or(std::slice::from_ref(head)))
                .collect()
        }
    };
    twice(
        data.into_iter().filter(|datum| !is_catch_all(datum)),
        "case: ",
        "unreachable",
    )
}

// ---- dicts -------------------------------------------------------------------------------------

fn keys_twice(pairs: &[(Stx, Stx)]) -> Vec<Finding> {
    twice(pairs.iter().map(|(key, _)| key), "", "duplicate-key")
}

/// Literals that stand twice.
fn twice<'a>(data: impl Iterator<Item = &'a Stx>, who: &str, rule: &'static str) -> Vec<Finding> {
    let mut seen: HashMap<String, &Stx> = HashMap::new();
    let mut findings = Vec::new();
    for datum in data {
        let Some(text) = literal(datum) else { continue };
        if let Some(first) = seen.get(&text) {
            let (line, column) = first.span.source.line_col(first.span.start);
            let message = format!("{who}{text} stands twice; the first one is at {line}:{column}");
            findings.push(Finding::warning(rule, message, &datum.span));
        } else {
            seen.insert(text, datum);
        }
    }
    findings
}

/// The text of a literal; a keyword and the string of its name are the same.
fn literal(datum: &Stx) -> Option<String> {
    match &datum.node {
        Node::Keyword(name) | Node::Str(name) => Some(format!("\"{name}\"")),
        Node::Int(n) => Some(n.to_string()),
        Node::Char(c) => Some(format!("#\\{c}")),
        Node::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}
