//! The checker: what is wrong with a program, or probably not meant, without running it.
//!
//! The program is expanded as if it were to run ([`world`]); names, arguments and variables are
//! looked at in core forms ([`core`]), what a form looks like in the text itself ([`text`]). Macros
//! with a procedure are not called: a use of one may define or use every name in it.
//!
//! Invariant: a program without errors that could run is never said to have one; findings that may
//! be meant are warnings.

pub mod bindings;
mod core;
pub mod text;
mod world;

use crate::compat;
use std::sync::Arc;
use sx::{Error, Style};
use sx_interp::read::{SyntaxError, read_all};
use sx_runtime::syntax::{Source, Span, Stx};
use world::World;

/// Something found in a program.
#[derive(Debug)]
pub struct Finding {
    /// The rule that found it; `None` for what is an error whenever the place is reached.
    pub rule: Option<&'static str>,
    /// What and where.
    pub error: Error,
}

impl Finding {
    /// An error at a place.
    pub(crate) fn error(code: sx::Code, message: String, span: &Span) -> Finding {
        Finding {
            rule: None,
            error: Error::new(code, message).at(span.clone()),
        }
    }
    /// A warning of a rule at a place.
    pub(crate) fn warning(rule: &'static str, message: String, span: &Span) -> Finding {
        Finding {
            rule: Some(rule),
            error: Error::new(sx::Code::Value, message).at(span.clone()),
        }
    }
    /// With advice.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Finding {
        self.error.help = Some(help.into());
        self
    }
    /// The finding as people read it.
    pub fn report(&self, style: Style) -> String {
        match self.rule {
            None => sx::report(&self.error, style),
            Some(rule) => sx::report_warning(&self.error, rule, style),
        }
    }
    fn place(&self) -> (String, u32) {
        let span = self.error.span.as_ref();
        span.map_or_else(Default::default, |span| (span.source.name.clone(), span.start))
    }
}

/// Everything found in a program, in the order of the text. With `compat`, also the places where
/// the existing host does something else.
pub fn check(source: &Arc<Source>, compat: bool) -> Result<Vec<Finding>, Error> {
    let forms = match read_all(source.clone()) {
        Ok(forms) => forms,
        Err(errors) => return Ok(unreadable(errors)),
    };
    let mut world = World::new(source)?;
    world.expand_program(&forms);
    let found = bindings::of(&forms);
    let mut findings = core::check(&world, &found);
    findings.append(&mut world.findings);
    findings.extend(text::check(&forms, &found, &world));
    if compat {
        findings.extend(compat::check(source, &forms, &found));
    }
    findings.retain(|finding| is_in(source, finding));
    findings.sort_by_key(Finding::place);
    findings.dedup_by(|a, b| a.place() == b.place() && a.error.message == b.error.message);
    Ok(findings)
}

/// Findings in files that the program loads are for a check of those files.
fn is_in(source: &Arc<Source>, finding: &Finding) -> bool {
    let span = finding.error.span.as_ref();
    span.is_none_or(|span| Arc::ptr_eq(&span.source, source))
}

fn unreadable(errors: Vec<SyntaxError>) -> Vec<Finding> {
    let finding = |error| Finding {
        rule: None,
        error: Error::of_unreadable(vec![error]),
    };
    errors.into_iter().map(finding).collect()
}

/// Calls `visit` for every form of a program, and the list it stands in, that is code: not quoted.
pub(crate) fn each_form<'a>(forms: &'a [Stx], visit: &mut dyn FnMut(&'a Stx, Option<&'a Stx>)) {
    use sx_runtime::syntax::Node;
    let mut todo: Vec<(&Stx, Option<&Stx>)> = forms.iter().rev().map(|form| (form, None)).collect();
    while let Some((form, parent)) = todo.pop() {
        visit(form, parent);
        match &form.node {
            Node::List(items) => {
                let head = items.first().and_then(|head| head.as_name());
                if !head.is_some_and(|name| matches!(&**name, "quote" | "quasiquote" | "syntax-rules")) {
                    todo.extend(items.iter().rev().map(|item| (item, Some(form))));
                }
            }
            Node::Dict(pairs) => {
                let parts = pairs.iter().rev().flat_map(|(key, value)| [value, key]);
                todo.extend(parts.map(|part| (part, Some(form))));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
