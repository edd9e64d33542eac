//! What to look for in a text, a function for each difference that shows there.

use crate::check::bindings::{Binding, How};
use crate::check::each_form;
use crate::check::text::{Style, style};
use std::sync::Arc;
use sx_interp::expand::forms;
use sx_interp::read::{LexemeKind, lexemes};
use sx_runtime::syntax::{Node, Source, Span, Stx};

/// A program as its text shows it.
pub struct Program<'a> {
    pub source: &'a Arc<Source>,
    pub forms: &'a [Stx],
    pub bindings: &'a [Binding],
}

/// Higher-order functions, which the existing host treats as forms.
const HIGHER_ORDER: &[&str] = &[
    "map",
    "filter",
    "reduce",
    "fold-left",
    "fold-right",
    "for-each",
    "some",
    "every?",
    "find",
    "find-index",
    "map-indexed",
    "for-each-indexed",
    "group-by",
    "sort",
    "sort-by",
    "apply",
    "take-while",
    "drop-while",
    "partition",
    "iterate",
];
const ARITHMETIC: &[&str] = &[
    "+", "-", "*", "/", "mod", "rem", "quotient", "abs", "min", "max", "inc", "dec", "sqrt",
];
const PRINTING: &[&str] = &["str", "display", "write", "inspect", "format"];
const REGEX: &[&str] = &["regex-match", "regex-find-all", "regex-replace", "regex-split"];
/// What a fixnum of the existing host holds.
const FIXNUM_MAX: i64 = (1 << 62) - 1;

/// Adds the places of a call: its operator, its operands.
type OfCall<'a> = dyn Fn(&str, &[Stx], &mut Vec<Span>) + 'a;

impl Program<'_> {
    /// The places `find` gives for each call: its operator and its operands.
    fn calls(&self, find: &OfCall<'_>) -> Vec<Span> {
        let mut found = Vec::new();
        each_form(self.forms, &mut |form, _| {
            if let Some([head, operands @ ..]) = form.as_list()
                && let Some(name) = head.as_name()
            {
                find(name, operands, &mut found);
            }
        });
        found
    }

    fn atoms(&self, wanted: &dyn Fn(&Node) -> bool) -> Vec<Span> {
        let mut found = Vec::new();
        each_form(self.forms, &mut |form, _| {
            if wanted(&form.node) {
                found.push(form.span.clone());
            }
        });
        found
    }
}

pub fn large_integers(program: &Program<'_>) -> Vec<Span> {
    program.atoms(&|node| match node {
        Node::Int(n) => *n > FIXNUM_MAX || *n < -FIXNUM_MAX - 1,
        Node::Big(_) => true,
        _ => false,
    })
}

pub fn arithmetic_on_others(program: &Program<'_>) -> Vec<Span> {
    program.calls(&|name, operands, found| {
        let is_other = |stx: &&Stx| matches!(stx.node, Node::Str(_) | Node::Bool(_) | Node::Nil);
        if ARITHMETIC.contains(&name) {
            found.extend(operands.iter().find(is_other).map(|operand| operand.span.clone()));
        }
    })
}

/// Performs of an op by name that no handler of the program takes. Only the handlers in the text
/// count; a handler that takes everything hides them all.
pub fn unhandled_effects(program: &Program<'_>) -> Vec<Span> {
    let (mut handled, mut takes_all) = (Vec::new(), false);
    each_form(program.forms, &mut |form, _| {
        if let Some([head, handler, ..]) = form.as_list()
            && head.as_name().is_some_and(|name| &**name == "with-handler")
        {
            match &handler.node {
                Node::Dict(pairs) => handled.extend(pairs.iter().filter_map(|(op, _)| text_of(op))),
                _ => takes_all = true,
            }
        }
    });
    if takes_all {
        return Vec::new();
    }
    program.calls(&|name, operands, found| {
        if name == "perform"
            && let [request] = operands
            && let Some(op) = op_of(request)
            && !handled.contains(&op)
        {
            found.push(request.span.clone());
        }
    })
}

/// The op of a request that is written out.
fn op_of(request: &Stx) -> Option<String> {
    match &request.node {
        Node::Dict(pairs) => {
            let op = pairs.iter().find(|(key, _)| text_of(key).as_deref() == Some("op"))?;
            text_of(&op.1)
        }
        Node::List(items) => match items.as_slice() {
            [head, op, ..] if head.as_name().is_some_and(|name| &**name == "list") => text_of(op),
            _ => None,
        },
        _ => None,
    }
}

fn text_of(stx: &Stx) -> Option<String> {
    match &stx.node {
        Node::Str(text) | Node::Keyword(text) => Some(text.to_string()),
        Node::List(items) => match items.as_slice() {
            [quote, name] if quote.as_name().is_some_and(|name| &**name == "quote") => {
                name.as_name().map(|name| name.to_string())
            }
            _ => None,
        },
        _ => None,
    }
}

pub fn shadowing_locals(program: &Program<'_>) -> Vec<Span> {
    let is_form = |name: &str| HIGHER_ORDER.contains(&name) || forms().any(|form| form.name == name);
    let hiding = program.bindings.iter().filter(|binding| is_form(&binding.name));
    let named = hiding.filter(|binding| binding.how != How::Define || binding.form.start != binding.span.start);
    named.map(|binding| binding.span.clone()).collect()
}

/// A quasiquote is not walked as code, so this looks inside on its own.
pub fn nested_quasiquotes(program: &Program<'_>) -> Vec<Span> {
    program.calls(&|name, operands, found| {
        if name == "quasiquote" {
            let mut todo: Vec<&Stx> = operands.iter().collect();
            while let Some(form) = todo.pop() {
                let items = form.as_list().unwrap_or_default();
                if items
                    .first()
                    .and_then(|head| head.as_name())
                    .is_some_and(|name| &**name == "quasiquote")
                {
                    found.push(form.span.clone());
                } else {
                    todo.extend(items);
                }
            }
        }
    })
}

pub fn uneven_clauses(program: &Program<'_>) -> Vec<Span> {
    program.calls(&|name, operands, found| {
        let clauses = match (name, operands) {
            ("cond", clauses) | ("case", [_, clauses @ ..]) => clauses,
            _ => return,
        };
        if style(clauses) == Style::Clauses {
            let uneven = clauses
                .iter()
                .find(|clause| clause.as_list().is_some_and(|items| items.len() != 2));
            found.extend(uneven.map(|clause| clause.span.clone()));
        }
    })
}

pub fn whole_floats(program: &Program<'_>) -> Vec<Span> {
    program.calls(&|name, operands, found| {
        if PRINTING.contains(&name) {
            let is_whole = |stx: &&Stx| matches!(stx.node, Node::Float(x) if x.is_finite() && x.fract() == 0.0);
            found.extend(operands.iter().filter(is_whole).map(|operand| operand.span.clone()));
        }
    })
}

pub fn growing_the_empty_list(program: &Program<'_>) -> Vec<Span> {
    program.calls(&|name, operands, found| {
        if name == "append!"
            && let [list, ..] = operands
        {
            let list = match list.as_list() {
                Some([quote, datum]) if quote.as_name().is_some_and(|name| &**name == "quote") => datum,
                _ => list,
            };
            if list.as_list().is_some_and(<[Stx]>::is_empty) {
                found.push(list.span.clone());
            }
        }
    })
}

pub fn raising_clauses(program: &Program<'_>) -> Vec<Span> {
    program.calls(&|name, operands, found| {
        if name == "guard"
            && let Some([_, clauses @ ..]) = operands.first().and_then(|clauses| clauses.as_list())
        {
            each_form(clauses, &mut |form, _| {
                let head = form.as_list().and_then(<[Stx]>::first).and_then(|head| head.as_name());
                if head.is_some_and(|name| matches!(&**name, "raise" | "error" | "raise-continuable")) {
                    found.push(form.span.clone());
                }
            });
        }
    })
}

pub fn sibling_inits(program: &Program<'_>) -> Vec<Span> {
    program.calls(&|name, operands, found| {
        let ("let" | "named-let", [loop_name, bindings, ..]) = (name, operands) else {
            return;
        };
        if loop_name.as_name().is_none() {
            return;
        }
        let mut earlier = Vec::new();
        for binding in bindings.as_list().unwrap_or_default() {
            let Some([name, init]) = binding.as_list() else {
                continue;
            };
            each_form(std::slice::from_ref(init), &mut |form, _| {
                if form.as_name().is_some_and(|name| earlier.contains(name)) {
                    found.push(form.span.clone());
                }
            });
            earlier.extend(name.as_name().cloned());
        }
    })
}

pub fn hard_regexes(program: &Program<'_>) -> Vec<Span> {
    program.calls(&|name, operands, found| {
        if !REGEX.contains(&name) {
            return;
        }
        let is_hard = |stx: &&Stx| match &stx.node {
            Node::Str(pattern) => {
                let refers = pattern
                    .as_bytes()
                    .windows(2)
                    .any(|pair| pair[0] == b'\\' && pair[1].is_ascii_digit());
                refers || ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|part| pattern.contains(part))
            }
            _ => false,
        };
        found.extend(operands.iter().find(is_hard).map(|operand| operand.span.clone()));
    })
}

pub fn new_syntax(program: &Program<'_>) -> Vec<Span> {
    let found = lexemes(program.source).unwrap_or_default().into_iter();
    let is_new = |kind: LexemeKind, text: &str| match kind {
        LexemeKind::BlockComment => true,
        LexemeKind::Open | LexemeKind::Prefix => text.starts_with('#'),
        LexemeKind::Atom => ["#x", "#b", "#o", "0x"]
            .iter()
            .any(|prefix| text.to_ascii_lowercase().starts_with(prefix)),
        LexemeKind::Close | LexemeKind::LineComment => false,
    };
    found
        .filter(|lexeme| is_new(lexeme.kind, &program.source.text[lexeme.start..lexeme.end]))
        .map(|lexeme| Span {
            source: program.source.clone(),
            start: lexeme.start as u32,
            end: lexeme.end as u32,
        })
        .collect()
}
