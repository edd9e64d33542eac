//! Hygienic macros: `syntax-rules`.
//!
//! Rules are compiled once into patterns and templates and remember the scope they were written
//! in. An identifier a template inserts becomes an alias, one per expansion, of what it means in
//! that scope; so it cannot capture the names of the use, nor be captured by them.

mod pattern;
mod template;

use super::env::{Env, Ident, Scoping};
use super::top::TopEnv;
use super::work::Result;
use super::{SyntaxError, show};
use pattern::{Bindings, Pattern};
use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use sx_runtime::syntax::{Stx, Syntax};
use template::Template;

/// A compiled `syntax-rules` form.
pub struct Rules {
    env: Env,
    clauses: Vec<Clause>,
}

struct Clause {
    pattern: Pattern,
    variables: usize,
    template: Template,
    /// Identifiers the template inserts, by number.
    inserted: Vec<Ident>,
}

/// What the patterns and templates of one set of rules agree on.
struct Dialect {
    ellipsis: Ellipsis,
    literals: Vec<Ident>,
}

/// What is written after what repeats.
enum Ellipsis {
    /// `...`
    Usual,
    /// The name the rules begin with.
    Custom(Ident),
    /// Nothing: `...` is a variable where the rules stand.
    None,
}

impl Dialect {
    fn is_literal(&self, ident: &Ident) -> bool {
        self.literals.contains(ident)
    }
    fn is_ellipsis(&self, stx: &Syntax) -> bool {
        Ident::of(stx).is_some_and(|ident| match &self.ellipsis {
            _ if self.is_literal(&ident) => false,
            Ellipsis::Custom(custom) => ident == *custom,
            Ellipsis::Usual => &*super::env::printed(&ident.name) == "...",
            Ellipsis::None => false,
        })
    }
    fn is_underscore(&self, ident: &Ident) -> bool {
        &*super::env::printed(&ident.name) == "_" && !self.is_literal(ident)
    }
}

fn error(message: impl std::fmt::Display, at: &Stx) -> SyntaxError {
    SyntaxError::new(format!("syntax-rules: {message}"), at.span.clone())
}

impl Rules {
    /// The rules of a top-level `define-syntax`, from the datum of its `syntax-rules` form.
    pub fn from_datum(spec: &Stx, top: &Rc<TopEnv>) -> Result<Rules> {
        Rules::parse(spec, &Env::top(top.clone()), true)
    }

    /// `(syntax-rules ellipsis? (literal…) (pattern template)…)`; `usual` says that `...` means what
    /// it usually does there.
    pub(super) fn parse(spec: &Stx, env: &Env, usual: bool) -> Result<Rules> {
        let wrong = || error("expected (syntax-rules (literal...) (pattern template)...)", spec);
        let items = spec.as_list().and_then(|items| items.get(1..)).ok_or_else(wrong)?;
        let (ellipsis, items) = match items {
            [first, rest @ ..] => match Ident::of(first) {
                Some(custom) => (Ellipsis::Custom(custom), rest),
                None if usual => (Ellipsis::Usual, items),
                None => (Ellipsis::None, items),
            },
            [] => return Err(wrong()),
        };
        let (literals, clauses) = items.split_first().ok_or_else(wrong)?;
        let literal = |stx: &Stx| Ident::of(stx).ok_or_else(|| error("a literal is a name", stx));
        let literals = literals
            .as_list()
            .ok_or_else(wrong)?
            .iter()
            .map(literal)
            .collect::<Result<_>>()?;
        let dialect = Dialect { ellipsis, literals };
        let clauses = clauses
            .iter()
            .map(|clause| Clause::parse(clause, &dialect))
            .collect::<Result<_>>()?;
        Ok(Rules {
            env: env.clone(),
            clauses,
        })
    }

    /// The expansion of a use of the macro in scope `env`. What it makes is taken off the budget.
    pub(super) fn expand(&self, form: &Stx, env: &Env, scoping: &Scoping<'_>, budget: &Cell<u64>) -> Result<Stx> {
        let place = pattern::Place {
            scoping,
            rules_env: &self.env,
            env,
        };
        for clause in &self.clauses {
            let mut bindings: Bindings = vec![None; clause.variables];
            if clause.pattern.matches_operands(form, &place, &mut bindings) {
                let inserted = clause.inserted.iter();
                let aliases: Vec<Ident> = inserted.map(|ident| scoping.aliases.fresh(ident, &self.env)).collect();
                let instance = template::Instance {
                    aliases: &aliases,
                    span: &form.span,
                    budget,
                };
                return instance.make(&clause.template, &bindings);
            }
        }
        let name = form
            .as_list()
            .and_then(<[Stx]>::first)
            .and_then(|head| head.as_name().cloned());
        let name = name.unwrap_or_else(|| "macro".into());
        let shown = show::brief(&super::build::strip(form));
        Err(SyntaxError::new(
            format!("{name}: no rule matches {shown}"),
            form.span.clone(),
        ))
    }
}

impl Clause {
    fn parse(clause: &Stx, dialect: &Dialect) -> Result<Clause> {
        let Some([pattern, template]) = clause.as_list() else {
            return Err(error("expected (pattern template)", clause));
        };
        let (pattern, variables) = pattern::compile(pattern, dialect)?;
        let (template, inserted) = template::compile(template, dialect, &variables)?;
        Ok(Clause {
            pattern,
            variables: variables.len(),
            template,
            inserted,
        })
    }
}

/// The pattern variables of a clause: number and ellipsis depth.
type Variables = HashMap<Ident, (usize, usize)>;
