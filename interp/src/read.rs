//! The reader: text to syntax trees with spans.
//!
//! It keeps its own stack of open brackets, so nesting is bounded by memory and never by the
//! native stack. It recovers from every error and goes on, so one pass reports all that is wrong
//! with a file. Abbreviations (`'x`) read as their long forms; datum and block comments vanish.
//!
//! Invariant: a form handed out holds no placeholder; a top-level form with an error in it comes
//! out as its errors instead.

mod lex;
mod lexemes;
mod number;
mod text;

pub use lexemes::{Lexeme, LexemeKind, lexemes};

use lex::{Lexer, Token};
use std::collections::HashMap;
use std::sync::Arc;
use sx_runtime::syntax::{Node, Source, Span, Stx, Syntax};

/// Unclosed brackets of a form that are named, besides the innermost: more help nobody.
const MOST_UNCLOSED: usize = 100;

/// What is wrong with a source text, and where: found by the reader or the expander.
#[derive(Debug, Clone)]
pub struct SyntaxError {
    /// What is wrong and what was expected.
    pub message: String,
    /// Where.
    pub span: Span,
    /// Further remarks, each a line of its own.
    pub notes: Vec<String>,
}

impl SyntaxError {
    /// An error without notes.
    pub fn new(message: impl Into<String>, span: Span) -> SyntaxError {
        SyntaxError {
            message: message.into(),
            span,
            notes: Vec::new(),
        }
    }
    /// The same error with one more remark.
    pub fn note(mut self, note: impl Into<String>) -> SyntaxError {
        self.notes.push(note.into());
        self
    }
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.span.place(), self.message)?;
        self.notes.iter().try_for_each(|note| write!(f, "\n  {note}"))
    }
}

/// What an open bracket or prefix will become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Bracket,
    Dict,
    Vector,
    Bytes,
    Prefix(&'static str),
    DatumComment,
    /// `#0=`
    Label(u32),
}

impl Kind {
    /// The text that opens it.
    fn opener(self) -> &'static str {
        match self {
            Kind::List => "(",
            Kind::Bracket => "[",
            Kind::Dict => "{",
            Kind::Vector => "#(",
            Kind::Bytes => "#u8(",
            Kind::Prefix("quote") => "'",
            Kind::Prefix("quasiquote") => "`",
            Kind::Prefix("unquote") => ",",
            Kind::Prefix(_) => ",@",
            Kind::DatumComment => "#;",
            Kind::Label(_) => "#n=",
        }
    }
    /// The bracket that closes it; `None` when its first datum does.
    fn closer(self) -> Option<char> {
        match self {
            Kind::List | Kind::Vector | Kind::Bytes => Some(')'),
            Kind::Bracket => Some(']'),
            Kind::Dict => Some('}'),
            Kind::Prefix(_) | Kind::DatumComment | Kind::Label(_) => None,
        }
    }
}

/// What `,@` reads as in SX and in Scheme.
const SPLICES: [&str; 2] = ["splice-unquote", "unquote-splicing"];

/// One thing begun and not yet complete.
struct Open {
    kind: Kind,
    start: usize,
    items: Vec<Stx>,
    /// The dot of a dotted list: where it stands, counted in items before it.
    dot: Option<usize>,
}

/// Reads one source form by form.
pub struct Reader {
    lexer: Lexer,
    open: Vec<Open>,
    /// The labels of the form at hand, and the data they have; none while one is being read.
    labels: HashMap<u32, Option<Stx>>,
    /// The last form failed only because the text ended.
    ended_early: bool,
}

impl Reader {
    /// A reader at the start of a text.
    pub fn new(source: Arc<Source>) -> Reader {
        Reader {
            lexer: Lexer::new(source),
            open: Vec::new(),
            labels: HashMap::new(),
            ended_early: false,
        }
    }
    /// The same, reading names in lower case.
    pub fn folding(mut self) -> Reader {
        self.lexer.fold = true;
        self
    }

    /// The next top-level form, or what is wrong with it; `None` at the end of the text.
    pub fn next_form(&mut self) -> Option<Result<Stx, Vec<SyntaxError>>> {
        self.labels.clear();
        loop {
            let Some((token, start)) = self.lexer.next_token() else {
                return self.at_end();
            };
            let done = match token {
                Token::Open(kind) => {
                    self.begin_label(kind, start);
                    self.push(kind, start);
                    None
                }
                Token::Close(bracket) => self.close(bracket, start),
                Token::Dot => {
                    self.dot(start);
                    None
                }
                Token::Atom(node) => {
                    let span = self.lexer.span(start);
                    self.finish(Syntax::new(node, span))
                }
                Token::Labelled(label) => {
                    let datum = self.labelled(label, start);
                    self.finish(datum)
                }
                Token::Unclosed(what) => return Some(Err(self.recover_from_unclosed(what, start))),
            };
            if done.is_none() && !(self.open.is_empty() && self.has_errors()) {
                continue;
            }
            if self.has_errors() {
                return Some(Err(self.lexer.take_errors()));
            }
            return done.map(Ok);
        }
    }

    /// Did the last form fail only because the text ended?
    pub fn ended_early(&self) -> bool {
        self.ended_early
    }

    fn has_errors(&self) -> bool {
        !self.lexer.errors.is_empty()
    }

    fn push(&mut self, kind: Kind, start: usize) {
        self.open.push(Open {
            kind,
            start,
            items: Vec::new(),
            dot: None,
        });
    }

    fn begin_label(&mut self, kind: Kind, start: usize) {
        if let Kind::Label(label) = kind
            && self.labels.insert(label, None).is_some()
        {
            self.lexer.error(format!("the label #{label}= occurs twice"), start);
        }
    }

    /// What `#0#` means: a datum that has been read, or the one that it stands in.
    fn labelled(&mut self, label: u32, start: usize) -> Stx {
        let node = match self.labels.get(&label) {
            Some(Some(datum)) => return datum.clone(),
            Some(None) => Node::Ref(label),
            None => {
                self.lexer
                    .error(format!("no datum before has the label #{label}="), start);
                Node::Nil
            }
        };
        Syntax::new(node, self.lexer.span(start))
    }

    /// Puts a complete datum where it belongs; the top-level form it completes, if it does.
    fn finish(&mut self, mut datum: Stx) -> Option<Stx> {
        loop {
            let Some(top) = self.open.last_mut() else {
                return Some(datum);
            };
            match top.kind {
                Kind::DatumComment => {
                    self.open.pop();
                    return None;
                }
                Kind::Prefix(name) => {
                    let start = top.start;
                    self.open.pop();
                    let head_end = start + if SPLICES.contains(&name) { 2 } else { 1 };
                    let head = Syntax::new(Node::Sym(self.lexer.name(name)), self.lexer.span_to(start, head_end));
                    datum = Syntax::new(Node::List(vec![head, datum]), self.lexer.span(start));
                }
                Kind::Label(label) => {
                    let start = top.start;
                    self.open.pop();
                    if matches!(datum.node, Node::Ref(of) if of == label) {
                        self.lexer.error(format!("#{label}= labels nothing but itself"), start);
                    }
                    datum = Syntax::new(Node::Label(label, datum), self.lexer.span(start));
                    self.labels.insert(label, Some(datum.clone()));
                }
                _ => {
                    top.items.push(datum);
                    return None;
                }
            }
        }
    }

    fn dot(&mut self, start: usize) {
        match self.open.last_mut() {
            Some(top) if top.kind == Kind::List && top.dot.is_none() && !top.items.is_empty() => {
                top.dot = Some(top.items.len());
            }
            _ => self.lexer.error("unexpected .", start),
        }
    }

    /// A closing bracket: closes the innermost opener it fits; what is open inside that is unclosed.
    fn close(&mut self, bracket: char, start: usize) -> Option<Stx> {
        let fits = |open: &Open| open.kind.closer() == Some(bracket);
        if !self.open.iter().any(fits) {
            self.lexer.error(format!("unexpected {bracket}"), start);
            return None;
        }
        while let Some(open) = self.open.pop() {
            if fits(&open) {
                let node = self.build(open.kind, open.items, open.dot, open.start);
                let span = self.lexer.span(open.start);
                return self.finish(Syntax::new(node, span));
            }
            self.report_unfinished(&open);
        }
        None
    }

    fn report_unfinished(&mut self, open: &Open) {
        let opener = open.kind.opener();
        let message = match open.kind.closer() {
            Some(_) => self.unclosed_message(opener, open.start),
            None => format!("{opener} is followed by no datum"),
        };
        let span = self.lexer.span_to(open.start, open.start + opener.len());
        self.lexer.errors.push(SyntaxError::new(message, span));
    }

    fn unclosed_message(&self, opener: &str, start: usize) -> String {
        let (line, column) = self.lexer.source.line_col(start as u32);
        format!("unclosed {opener} opened at {line}:{column}")
    }

    fn build(&mut self, kind: Kind, mut items: Vec<Stx>, dot: Option<usize>, start: usize) -> Node {
        match (kind, dot) {
            (Kind::List, Some(before)) if items.len() == before + 1 => match items.pop() {
                Some(tail) => dotted(items, tail),
                None => Node::Nil,
            },
            (Kind::List, Some(_)) => {
                self.lexer.error("a dot is followed by exactly one datum", start);
                Node::Nil
            }
            (Kind::Dict, _) => self.build_dict(items),
            (Kind::Vector, _) => Node::Vector(items),
            (Kind::Bytes, _) => self.build_bytes(&items),
            _ => Node::List(items),
        }
    }

    fn build_dict(&mut self, items: Vec<Stx>) -> Node {
        if items.len() % 2 == 1
            && let Some(last) = items.last()
        {
            self.lexer.errors.push(SyntaxError::new(
                "dict literal: the last key has no value",
                last.span.clone(),
            ));
        }
        let mut pairs = Vec::with_capacity(items.len() / 2);
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            pairs.push((key, value));
        }
        Node::Dict(pairs)
    }

    fn build_bytes(&mut self, items: &[Stx]) -> Node {
        let mut bytes = Vec::with_capacity(items.len());
        for item in items {
            match item.node {
                Node::Int(n @ 0..=255) => bytes.push(n as u8),
                _ => self.lexer.errors.push(SyntaxError::new(
                    "bytevector: expected an integer from 0 to 255",
                    item.span.clone(),
                )),
            }
        }
        Node::Bytes(bytes.into())
    }

    fn at_end(&mut self) -> Option<Result<Stx, Vec<SyntaxError>>> {
        if let Some(outermost) = self.open.first() {
            self.ended_early = !self.has_errors();
            let outermost = outermost.start;
            let next = self.next_form_after(outermost).unwrap_or(usize::MAX);
            let open = std::mem::take(&mut self.open);
            let innermost = open.len() - 1;
            for (i, open) in open.iter().enumerate() {
                // A prefix has its datum, only that is unfinished too.
                let is_unfinished = i == innermost || i < MOST_UNCLOSED && open.kind.closer().is_some();
                if is_unfinished && open.start < next {
                    self.report_unfinished(open);
                }
            }
            if !self.has_errors() {
                self.report_unfinished(&open[0]);
            }
            self.resume_after(outermost);
        }
        match self.has_errors() {
            true => Some(Err(self.lexer.take_errors())),
            false => None,
        }
    }

    /// A string or block comment ran to the end of the text.
    fn recover_from_unclosed(&mut self, opener: &'static str, start: usize) -> Vec<SyntaxError> {
        self.ended_early = !self.has_errors();
        let message = self.unclosed_message(opener, start);
        let span = self.lexer.span_to(start, start + opener.len());
        self.lexer.errors.push(SyntaxError::new(message, span));
        self.resume_after(start);
        self.lexer.take_errors()
    }

    /// Goes on at the next line that begins with an open parenthesis: most likely a new form. What
    /// was reported beyond it will be found again.
    fn resume_after(&mut self, start: usize) {
        self.open.clear();
        let next = self.next_form_after(start);
        if let Some(at) = next {
            self.lexer.errors.retain(|error| (error.span.start as usize) < at);
        }
        self.lexer.pos = next.unwrap_or(self.lexer.source.text.len());
    }

    fn next_form_after(&self, start: usize) -> Option<usize> {
        let rest = self.lexer.source.text.get(start..)?;
        rest.find("\n(").map(|at| start + at + 1)
    }
}

/// A dotted list whose tail is a list is that longer list.
fn dotted(mut items: Vec<Stx>, tail: Stx) -> Node {
    match &tail.node {
        Node::List(more) => {
            items.extend(more.iter().cloned());
            Node::List(items)
        }
        Node::Dotted(more, last) => {
            items.extend(more.iter().cloned());
            Node::Dotted(items, last.clone())
        }
        _ => Node::Dotted(items, tail),
    }
}

/// All forms of a text, or everything that is wrong with it.
pub fn read_all(source: Arc<Source>) -> Result<Vec<Stx>, Vec<SyntaxError>> {
    read_rest(Reader::new(source))
}

/// The same of what a reader has not read yet.
pub fn read_rest(mut reader: Reader) -> Result<Vec<Stx>, Vec<SyntaxError>> {
    let (mut forms, mut errors) = (Vec::new(), Vec::new());
    while let Some(next) = reader.next_form() {
        match next {
            Ok(form) => forms.push(form),
            Err(more) => errors.extend(more),
        }
    }
    match errors.is_empty() {
        true => Ok(forms),
        false => Err(errors),
    }
}

/// Would more text make sense of this input? True when it is wrong only because it ends inside a
/// bracket, a string, a comment, or after a quote: what a REPL asks before it reads another line.
pub fn is_incomplete(text: &str) -> bool {
    let mut reader = Reader::new(Source::new("<input>", text));
    while let Some(next) = reader.next_form() {
        if next.is_err() {
            return reader.ended_early;
        }
    }
    false
}

#[cfg(test)]
mod tests;
