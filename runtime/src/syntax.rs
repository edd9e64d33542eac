//! Source text, spans and syntax trees: what the reader makes, what the expander works on, and
//! what a chunk keeps as its constants. Plain shared data: `Send + Sync`, no heap reference.
//!
//! Invariant: dropping or comparing a tree of any depth uses bounded native stack.

use num_bigint::BigInt;
use num_rational::BigRational;
use std::sync::Arc;

/// An interned-by-sharing name.
pub type Name = Arc<str>;
/// A shared syntax tree.
pub type Stx = Arc<Syntax>;

/// What a text is written in: what its reader takes for data and what its lists are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// SX.
    #[default]
    Sx,
    /// The Scheme of R7RS.
    Scheme,
}

/// Endings of the names of files that hold Scheme.
pub const SCHEME_ENDINGS: [&str; 4] = [".scm", ".sld", ".ss", ".sch"];

impl Language {
    /// The language of a file, by its name.
    pub fn of_file(name: &str) -> Language {
        match SCHEME_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            true => Language::Scheme,
            false => Language::Sx,
        }
    }
}

/// The features that `cond-expand` finds and `features` lists.
pub const FEATURES: [&str; 5] = ["sx", "r7rs", "exact-closed", "full-unicode", "ratios"];

/// One source text: a file, a `load`ed string, a line of the REPL.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// What error messages call it: a path, `<eval>`, `<repl 3>`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// What it is written in.
    pub language: Language,
}

impl Source {
    /// A source with a name and a text; a name that ends as those of Scheme files do makes it Scheme.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        let name = name.into();
        Source::in_language(Language::of_file(&name), name, text)
    }
    /// A source written in a language, whatever its name.
    pub fn in_language(language: Language, name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Arc::new(Source {
            name: name.into(),
            text: text.into(),
            language,
        })
    }
    /// Is it Scheme?
    pub fn is_scheme(&self) -> bool {
        self.language == Language::Scheme
    }
    /// Line and column (both from 1, column in characters) of a byte offset.
    pub fn line_col(&self, offset: u32) -> (u32, u32) {
        let upto = &self.text.as_bytes()[..(offset as usize).min(self.text.len())];
        let line_start = upto.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let line = upto.iter().filter(|b| **b == b'\n').count() as u32 + 1;
        let col = String::from_utf8_lossy(&upto[line_start..]).chars().count() as u32 + 1;
        (line, col)
    }
}

/// A byte range of a source.
#[derive(Clone)]
pub struct Span {
    /// The text it lies in.
    pub source: Arc<Source>,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// `file:line:col` of the start.
    pub fn place(&self) -> String {
        let (line, col) = self.source.line_col(self.start);
        format!("{}:{line}:{col}", self.source.name)
    }
    /// The empty span at the start of a source.
    pub fn start(source: &Arc<Source>) -> Span {
        Span {
            source: source.clone(),
            start: 0,
            end: 0,
        }
    }
    /// A span of a source that has no text: built-in code.
    pub fn none() -> Span {
        static NONE: std::sync::OnceLock<Arc<Source>> = std::sync::OnceLock::new();
        Span {
            source: NONE.get_or_init(|| Source::new("<built-in>", "")).clone(),
            start: 0,
            end: 0,
        }
    }
}

impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place())
    }
}

/// A datum with its place in the text.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Syntax {
    /// What it is.
    pub node: Node,
    #[serde(skip, default = "Span::none")]
    /// Where it was read, or the place of the macro call that made it.
    pub span: Span,
}

/// The shapes a datum can have. `[ ]` reads as `List`.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub enum Node {
    /// `nil`
    Nil,
    /// `true` `false` `#t` `#f`
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// A larger integer.
    Big(Arc<BigInt>),
    /// A rational in lowest terms with a denominator other than 1.
    Ratio(Arc<BigRational>),
    /// A float.
    Float(f64),
    /// `#\a`
    Char(char),
    /// `"…"`
    Str(Arc<str>),
    /// A symbol.
    Sym(Name),
    /// A symbol introduced by a hygienic macro: its printed name and its row in the expander's
    /// alias table. Never occurs in a constant of a chunk.
    Alias(Name, u32),
    /// `:name`, without the colon.
    Keyword(Name),
    /// `(…)`; the empty vector of items is `()`.
    List(Vec<Stx>),
    /// `(a b . c)`
    Dotted(Vec<Stx>, Stx),
    /// `#(…)`
    Vector(Vec<Stx>),
    /// `#u8(…)`
    Bytes(Arc<[u8]>),
    /// `{k v …}` in source order.
    Dict(Vec<(Stx, Stx)>),
    /// `#0=…`: a datum with a label. What the label means after it is this very node.
    Label(u32, Stx),
    /// `#0#` inside the datum of that label: the datum itself.
    Ref(u32),
    /// A heap value that a macro put into its result: its row in the expander's value table.
    /// Never occurs in a constant of a chunk.
    Value(u32),
}

impl Syntax {
    /// A shared node.
    pub fn new(node: Node, span: Span) -> Stx {
        Arc::new(Syntax { node, span })
    }
    /// The items, if this is a proper list.
    pub fn as_list(&self) -> Option<&[Stx]> {
        match &self.node {
            Node::List(items) => Some(items),
            _ => None,
        }
    }
    /// The name, if this is a symbol (aliases count, by printed name).
    pub fn as_name(&self) -> Option<&Name> {
        match &self.node {
            Node::Sym(name) | Node::Alias(name, _) => Some(name),
            _ => None,
        }
    }
}

/// Moves the children of `node` that only this tree owns onto `out`.
fn take_children(node: &mut Node, out: &mut Vec<Stx>) {
    match node {
        Node::List(items) | Node::Vector(items) => out.append(items),
        Node::Dotted(items, tail) => {
            out.append(items);
            out.push(std::mem::replace(tail, EMPTY_TAIL.with(Arc::clone)));
        }
        Node::Label(_, datum) => out.push(std::mem::replace(datum, EMPTY_TAIL.with(Arc::clone))),
        Node::Dict(pairs) => {
            for (k, v) in pairs.drain(..) {
                out.push(k);
                out.push(v);
            }
        }
        _ => {}
    }
}

thread_local! {
    static EMPTY_TAIL: Stx = Syntax::new(Node::Nil, Span::none());
}

impl Drop for Syntax {
    fn drop(&mut self) {
        if !matches!(
            self.node,
            Node::List(_) | Node::Vector(_) | Node::Dotted(..) | Node::Dict(_) | Node::Label(..)
        ) {
            return;
        }
        let mut todo = Vec::new();
        take_children(&mut self.node, &mut todo);
        while let Some(child) = todo.pop() {
            if let Some(mut owned) = Arc::into_inner(child) {
                take_children(&mut owned.node, &mut todo);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_levels_drop_without_recursion() {
        let mut tree = Syntax::new(Node::Nil, Span::none());
        for _ in 0..1_000_000 {
            tree = Syntax::new(Node::List(vec![tree]), Span::none());
        }
        drop(tree);
    }

    #[test]
    fn places_count_lines_and_characters() {
        let source = Source::new("a.sx", "one\nzwölf x");
        let span = Span {
            start: source.text.find('x').unwrap_or(0) as u32,
            end: 12,
            source,
        };
        assert_eq!(span.place(), "a.sx:2:7");
    }
}
