//! The places where a text binds local names.
//!
//! Deliberately absent: scope. The expander settles that; a place here is matched with its
//! variables by name and by the form that binds it.

use super::each_form;
use sx_runtime::syntax::{Name, Node, Span, Stx};

/// How a name is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Parameter,
    Let,
    /// A definition inside a form.
    Define,
}

/// A place that binds a name.
#[derive(Debug)]
pub struct Binding {
    pub name: Name,
    /// The name itself.
    pub span: Span,
    /// The form that binds it: the `let`, the procedure, the form a definition stands in.
    pub form: Span,
    pub how: How,
}

/// Forms that bind a list of names with values.
const LETS: &[&str] = &["let", "let*", "letrec", "letrec*", "named-let"];

/// Every place in a program that binds a local name.
pub fn of(forms: &[Stx]) -> Vec<Binding> {
    let mut found = Vec::new();
    each_form(forms, &mut |form, parent| {
        let Some([head, operands @ ..]) = form.as_list() else {
            return;
        };
        match head.as_name().map(|name| &**name) {
            Some("fn" | "lambda") => parameters(operands.first(), form, &mut found),
            Some("define") => definition(operands, form, parent, &mut found),
            Some(name) if LETS.contains(&name) => lets(operands, form, &mut found),
            _ => {}
        }
    });
    found
}

fn bind(stx: &Stx, form: &Stx, how: How, found: &mut Vec<Binding>) {
    if let Some(name) = stx.as_name().filter(|name| !name.starts_with('&')) {
        found.push(Binding {
            name: name.clone(),
            span: stx.span.clone(),
            form: form.span.clone(),
            how,
        });
    }
}

fn parameters(list: Option<&Stx>, form: &Stx, found: &mut Vec<Binding>) {
    match list.map(|list| &list.node) {
        Some(Node::List(items)) => items.iter().for_each(|item| bind(item, form, How::Parameter, found)),
        Some(Node::Dotted(items, rest)) => {
            let all = items.iter().chain([rest]);
            all.for_each(|item| bind(item, form, How::Parameter, found));
        }
        _ => {}
    }
}

fn definition(operands: &[Stx], form: &Stx, parent: Option<&Stx>, found: &mut Vec<Binding>) {
    let Some(target) = operands.first() else { return };
    let name = match &target.node {
        Node::List(items) => {
            let rest = items.get(1..).unwrap_or_default();
            rest.iter().for_each(|item| bind(item, form, How::Parameter, found));
            items.first()
        }
        Node::Dotted(items, rest) => {
            let rest = items.get(1..).unwrap_or_default().iter().chain([rest]);
            rest.for_each(|item| bind(item, form, How::Parameter, found));
            items.first()
        }
        _ => Some(target),
    };
    if let (Some(name), Some(parent)) = (name, parent) {
        bind(name, parent, How::Define, found);
    }
}

fn lets(operands: &[Stx], form: &Stx, found: &mut Vec<Binding>) {
    let list = match operands {
        [name, list, ..] if name.as_name().is_some() => {
            bind(name, form, How::Let, found);
            list
        }
        [list, ..] => list,
        [] => return,
    };
    let items = list.as_list().unwrap_or_default();
    let is_flat = items.first().is_some_and(|first| first.as_name().is_some());
    if is_flat {
        items
            .iter()
            .step_by(2)
            .for_each(|item| bind(item, form, How::Let, found));
    } else {
        let names = items.iter().filter_map(|item| item.as_list()?.first());
        names.for_each(|name| bind(name, form, How::Let, found));
    }
}
