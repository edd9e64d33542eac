//! What people read about primitives: the text of `(doc name)` and the reference page.
//!
//! Invariant: nothing here is written twice: every word comes from a row.

use super::{Effect, Mark, Prim, Type, all};
use std::fmt::Write;

impl Type {
    /// What signatures and error texts call it.
    pub const fn name(self) -> &'static str {
        match self {
            Type::Any => "any",
            Type::Number => "number",
            Type::Int => "integer",
            Type::Index => "index",
            Type::String => "string",
            Type::Name => "name",
            Type::Bool => "boolean",
            Type::Char => "char",
            Type::Symbol => "symbol",
            Type::Keyword => "keyword",
            Type::List => "list",
            Type::Pair => "pair",
            Type::Dict => "dict",
            Type::Vector => "vector",
            Type::Bytes => "bytevector",
            Type::Collection => "collection",
            Type::Set => "set",
            Type::HashTable => "hash-table",
            Type::Procedure => "fn",
            Type::IntSet => "int-set",
            Type::IntMap => "int-map",
            Type::Port => "port",
            Type::StringBuffer => "string-buffer",
            Type::Promise => "promise",
            Type::Parameter => "parameter",
            Type::Record => "record",
            Type::RecordType => "record-type",
            Type::Error => "error",
            Type::Values => "values",
            Type::Nil => "nil",
        }
    }
}

impl Prim {
    /// `(name p q? r…)`, parameters with their types where they say something.
    pub fn signature(&self) -> String {
        let mut out = format!("({}", self.name);
        for p in self.params {
            let name = p.name.replace('_', "-");
            let mark = match p.mark {
                Mark::Required => "",
                Mark::Optional => "?",
                Mark::Rest => "…",
            };
            let _ = match p.ty {
                Type::Any => write!(out, " {name}{mark}"),
                ty => write!(out, " {name}{mark}:{}", ty.name()),
            };
        }
        let _ = write!(out, ") → {}", self.result.name());
        out
    }
    /// The further names a program may use.
    fn public_aliases(&self) -> Vec<&'static str> {
        self.aliases
            .iter()
            .copied()
            .filter(|alias| !alias.starts_with('%'))
            .collect()
    }
    /// The doc comment without the margin rustdoc leaves.
    pub fn doc_text(&self) -> String {
        let lines: Vec<&str> = self
            .doc
            .lines()
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        lines.join("\n").trim_end().to_string()
    }
    /// Signature, doc and examples.
    pub fn describe(&self) -> String {
        let mut out = format!("{}\n{}", self.signature(), self.doc_text());
        if !self.public_aliases().is_empty() {
            let _ = write!(out, "\nAlso called {}.", self.public_aliases().join(", "));
        }
        for example in self.examples {
            let _ = write!(out, "\n  {example}");
        }
        out
    }
}

const fn effect_text(effect: Effect) -> &'static str {
    match effect {
        Effect::Pure => "pure",
        Effect::Reads => "reads",
        Effect::Allocates => "allocates",
        Effect::Writes => "writes",
        Effect::Any => "any",
    }
}

/// The text of `docs/primitives.md`.
pub fn reference() -> String {
    let mut rows: Vec<&Prim> = all().iter().copied().filter(|p| !p.is_internal()).collect();
    rows.sort_by_key(|p| p.name);
    let mut out = String::from(
        "# Primitives\n\nMade from the primitive table. `p?` may be left out, `p…` takes any number of arguments. \
         Effect: *pure* (same arguments, same answer), *reads* mutable values, *allocates* a new object, \
         *writes* its arguments, *any* (host or hidden state). Every example is a test.\n",
    );
    for p in rows {
        let _ = write!(
            out,
            "\n## {}\n\n`{}` · {}\n\n{}\n",
            p.name,
            p.signature(),
            effect_text(p.effect),
            p.doc_text()
        );
        if !p.public_aliases().is_empty() {
            let _ = write!(out, "\nAlso called `{}`.\n", p.public_aliases().join("`, `"));
        }
        if !p.examples.is_empty() {
            let _ = write!(out, "\n```lisp\n{}\n```\n", p.examples.join("\n"));
        }
    }
    out
}
