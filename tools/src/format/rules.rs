//! How a list is laid out when it does not go on one line.
//!
//! A special form's rule follows from its row in the table of forms: the operands before the part
//! that repeats stay on the first line, each form of that part gets a line. Everything else is a
//! call, which is broken where its author broke it.

use std::collections::HashMap;
use std::sync::OnceLock;
use sx_interp::expand::forms;
use sx_interp::read::read_all;
use sx_runtime::syntax::{Node, Source, Stx};

/// The layout of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// So many operands on the first line, then a line for each.
    Form(usize),
    /// So many operands on the first line, then a line for each test and its value.
    Flat(usize),
    /// A line begins where the author began one.
    Call,
    /// A clause that begins with a list: the same.
    Clause,
    /// The same, but the lines begin right below the first element.
    Data,
    /// Key and value stay together.
    Pairs,
}

/// Forms whose rows do not tell: operands that go on the first line.
const SPECIAL: &[(&str, usize)] = &[
    ("begin", 0),
    ("define", 1),
    ("defpage", 1),
    ("defstyle", 1),
    ("if", 1),
    ("set!", 1),
    ("syntax-rules", 1),
];

/// The rule of the form with that name.
fn of_form(name: &str) -> Rule {
    static RULES: OnceLock<HashMap<&'static str, Rule>> = OnceLock::new();
    let rules = RULES.get_or_init(|| {
        let derived = forms().filter_map(|form| Some((form.name, Rule::Form(operands_before_body(form.syntax)?))));
        let special = SPECIAL.iter().map(|(name, count)| (*name, Rule::Form(*count)));
        derived.chain(special).collect()
    });
    rules.get(name).copied().unwrap_or(Rule::Call)
}

/// From the first way a row says the form is written: how many operands stand before `body...` or
/// before a list that repeats; `None` without such a part.
fn operands_before_body(syntax: &str) -> Option<usize> {
    let first = syntax.split(") or (").next()?;
    // Cut from the alternative, a form may lack its closing bracket.
    let forms = read_all(Source::new("<table>", first))
        .or_else(|_| read_all(Source::new("<table>", format!("{first})"))))
        .ok()?;
    let operands = forms.first()?.as_list()?.get(1..)?;
    let is = |stx: &Stx, name: &str| stx.as_name().is_some_and(|n| &**n == name);
    operands.iter().enumerate().find_map(|(at, operand)| {
        let is_body = ["body...", "body…", "step...", "declaration..."]
            .iter()
            .any(|name| is(operand, name));
        let repeats = operands.get(at + 1).is_some_and(|next| is(next, "..."));
        let is_clause = repeats && matches!(operand.node, Node::List(_));
        (is_body || is_clause).then_some(at)
    })
}

/// The rule of a use of that name; a `let` with a name has one more operand on its first line.
pub fn of_use(name: &str, has_name: bool) -> Rule {
    match of_form(name) {
        Rule::Form(count) if name == "let" && has_name => Rule::Form(count + 1),
        rule => rule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_follow_from_the_table() {
        for (name, operands) in [
            ("let", 1),
            ("fn", 1),
            ("when", 1),
            ("cond", 0),
            ("case", 1),
            ("match", 1),
            ("guard", 1),
            ("defmacro", 2),
            ("provide", 2),
            ("case-lambda", 0),
            ("define-type", 1),
            ("define-library", 1),
            ("import", 0),
            ("->", 1),
        ] {
            assert_eq!(of_form(name), Rule::Form(operands), "{name}");
        }
        for name in ["and", "or", "quote", "map"] {
            assert_eq!(of_form(name), Rule::Call, "{name}");
        }
    }
}
