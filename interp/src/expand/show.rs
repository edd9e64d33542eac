//! Text of syntax trees and core forms: error messages, tests, and looking at what a form became.

use super::build::deeper;
use crate::core::{Core, CoreNode, Lambda, Var};
use std::collections::HashMap;
use sx_runtime::syntax::{Node, Stx};

/// The tree as text that reads back the same.
pub fn show_stx(stx: &Stx) -> String {
    let mut out = String::new();
    write_stx(stx, usize::MAX, &mut out);
    out
}

/// The same, cut to fit a message.
pub(super) fn brief(stx: &Stx) -> String {
    const LIMIT: usize = 60;
    let mut out = String::new();
    write_stx(stx, LIMIT, &mut out);
    if out.chars().count() > LIMIT {
        out = out.chars().take(LIMIT).collect::<String>() + "...";
    }
    out
}

/// Writes the tree; stops somewhere beyond `limit` bytes.
fn write_stx(stx: &Stx, limit: usize, out: &mut String) {
    if out.len() > limit {
        return;
    }
    let text = match &stx.node {
        Node::Nil => "nil".into(),
        Node::Bool(b) => b.to_string(),
        Node::Int(n) => n.to_string(),
        Node::Big(n) => n.to_string(),
        Node::Ratio(r) => r.to_string(),
        Node::Float(f) => show_float(*f),
        Node::Char(c) => show_char(*c),
        Node::Str(text) => show_str(text),
        Node::Sym(name) => super::env::printed(name).to_string(),
        Node::Alias(name, _) => name.to_string(),
        Node::Keyword(name) => format!(":{name}"),
        Node::Bytes(bytes) => {
            let bytes: Vec<String> = bytes.iter().map(u8::to_string).collect();
            format!("#u8({})", bytes.join(" "))
        }
        Node::Value(_) => "#<value>".into(),
        Node::Ref(label) => format!("#{label}#"),
        Node::Label(label, datum) => {
            out.push_str(&format!("#{label}="));
            return deeper(|| write_stx(datum, limit, out));
        }
        Node::List(items) => return deeper(|| write_items("(", items, limit, out)),
        Node::Vector(items) => return deeper(|| write_items("#(", items, limit, out)),
        Node::Dotted(items, tail) => {
            return deeper(|| {
                write_items("(", items, limit, out);
                out.pop();
                out.push_str(" . ");
                write_stx(tail, limit, out);
                out.push(')');
            });
        }
        Node::Dict(pairs) => {
            return deeper(|| {
                let flat: Vec<Stx> = pairs
                    .iter()
                    .flat_map(|(key, value)| [key.clone(), value.clone()])
                    .collect();
                write_items("{", &flat, limit, out);
                out.pop();
                out.push('}');
            });
        }
    };
    out.push_str(&text);
}

fn write_items(open: &str, items: &[Stx], limit: usize, out: &mut String) {
    out.push_str(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        write_stx(item, limit, out);
    }
    out.push(')');
}

fn show_float(f: f64) -> String {
    match f {
        f64::INFINITY => "+inf.0".into(),
        f64::NEG_INFINITY => "-inf.0".into(),
        f if f.is_nan() => "+nan.0".into(),
        f => format!("{f:?}"),
    }
}

fn show_char(c: char) -> String {
    match c {
        ' ' => "#\\space".into(),
        '\n' => "#\\newline".into(),
        '\t' => "#\\tab".into(),
        c if c.is_control() => format!("#\\x{:x}", c as u32),
        c => format!("#\\{c}"),
    }
}

fn show_str(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\x{:x};", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A core form as text. Locals are numbered, so that two of one name can be told apart: the second
/// `x` is `x.2`.
pub fn show_core(core: &Core) -> String {
    let mut printer = Printer::default();
    printer.core(core);
    printer.out
}

#[derive(Default)]
struct Printer {
    out: String,
    numbers: HashMap<usize, usize>,
    counts: HashMap<String, usize>,
}

impl Printer {
    fn word(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn var(&mut self, var: &Var) {
        let name = var.0.name.to_string();
        let number = *self.numbers.entry(var.id()).or_insert_with(|| {
            let count = self.counts.entry(name.clone()).or_insert(0);
            *count += 1;
            *count
        });
        self.out.push_str(&format!("{name}.{number}"));
    }

    /// `(head part…)`
    fn form(&mut self, head: &str, parts: &[&Core]) {
        self.out.push('(');
        self.word(head);
        for part in parts {
            if !self.out.ends_with('(') {
                self.out.push(' ');
            }
            self.core(part);
        }
        self.out.push(')');
    }

    fn core(&mut self, core: &Core) {
        deeper(|| self.node(core));
    }

    fn node(&mut self, core: &Core) {
        match &core.node {
            CoreNode::Const(stx) => self.constant(stx),
            CoreNode::Local(var) => self.var(var),
            CoreNode::Global(name) => self.word(name),
            CoreNode::SetLocal(var, value) => {
                self.word("(set! ");
                self.var(var);
                self.rest(&[value]);
            }
            CoreNode::SetGlobal(name, value) => self.form(&format!("set! {name}"), &[value]),
            CoreNode::Define(name, value) => self.form(&format!("define {name}"), &[value]),
            CoreNode::If(test, then, otherwise) => self.form("if", &[test, then, otherwise]),
            CoreNode::Seq(forms) => self.form("begin", &forms.iter().collect::<Vec<_>>()),
            CoreNode::Lambda(lambda) => self.lambda(lambda),
            CoreNode::Let(var, value, body) => {
                self.word("(let (");
                self.var(var);
                self.rest(&[value]);
                self.rest(&[body]);
            }
            CoreNode::Letrec(bindings, body) => {
                self.word("(letrec (");
                for (at, (var, value)) in bindings.iter().enumerate() {
                    self.word(if at > 0 { " (" } else { "(" });
                    self.var(var);
                    self.rest(&[value]);
                }
                self.word(")");
                self.rest(&[body]);
            }
            CoreNode::Call(function, operands) => {
                let parts: Vec<&Core> = std::iter::once(&**function).chain(operands).collect();
                self.form("", &parts);
            }
        }
    }

    /// The last parts of a form that is open.
    fn rest(&mut self, parts: &[&Core]) {
        for part in parts {
            self.out.push(' ');
            self.core(part);
        }
        self.out.push(')');
    }

    fn constant(&mut self, stx: &Stx) {
        let quoted = matches!(
            stx.node,
            Node::Sym(_) | Node::Keyword(_) | Node::List(_) | Node::Dotted(..) | Node::Dict(_)
        );
        if quoted {
            self.out.push('\'');
        }
        self.out.push_str(&show_stx(stx));
    }

    fn lambda(&mut self, lambda: &Lambda) {
        self.word("(fn");
        if let Some(name) = &lambda.name {
            self.out.push_str(&format!("[{name}]"));
        }
        self.word(" (");
        for (at, var) in lambda.params.iter().enumerate() {
            self.word(if at > 0 { " " } else { "" });
            self.var(var);
        }
        if let Some(rest) = &lambda.rest {
            self.word(if lambda.params.is_empty() { "&rest " } else { " &rest " });
            self.var(rest);
        }
        self.word(")");
        if let Some(doc) = &lambda.doc {
            self.out.push_str(&format!(" {}", show_str(doc)));
        }
        self.rest(&[&lambda.body]);
    }
}
