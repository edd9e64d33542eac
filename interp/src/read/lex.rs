//! Tokens: the flat half of the reader. A token that is wrong is reported and stands in the tree
//! as `nil`, so that reading goes on.

use super::{Kind, SyntaxError, number, text};
use std::collections::HashSet;
use std::sync::Arc;
use sx_runtime::syntax::{Name, Node, Source, Span};

/// The smallest pieces of a text.
pub(super) enum Token {
    Open(Kind),
    Close(char),
    Dot,
    Atom(Node),
    /// `#0#`
    Labelled(u32),
    /// A string or block comment that does not end, by its opener.
    Unclosed(&'static str),
}

/// A place in a text, what went wrong so far, and the names seen (shared, one copy each).
pub(super) struct Lexer {
    pub(super) source: Arc<Source>,
    pub(super) pos: usize,
    pub(super) errors: Vec<SyntaxError>,
    names: HashSet<Name>,
    /// `#!fold-case`: names are read in lower case.
    pub(super) fold: bool,
}

/// The directives of Scheme, and whether names are folded after each.
const DIRECTIVES: [(&str, Option<bool>); 3] = [
    ("#!fold-case", Some(true)),
    ("#!no-fold-case", Some(false)),
    ("#!r7rs", None),
];

/// Does this character end a symbol or number?
pub(super) fn is_delimiter(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | '"' | ';' | '\'' | '`' | ',')
}

impl Lexer {
    pub(super) fn new(source: Arc<Source>) -> Lexer {
        let mut pos = if source.text.starts_with('\u{feff}') { 3 } else { 0 };
        let directive = |(text, _): &(&str, _)| source.is_scheme() && source.text[pos..].starts_with(text);
        if source.text[pos..].starts_with("#!") && !DIRECTIVES.iter().any(directive) {
            pos = source.text[pos..].find('\n').map_or(source.text.len(), |at| pos + at);
        }
        Lexer {
            source,
            pos,
            errors: Vec::new(),
            names: HashSet::new(),
            fold: false,
        }
    }

    /// The span from `start` to the current position.
    pub(super) fn span(&self, start: usize) -> Span {
        self.span_to(start, self.pos)
    }
    pub(super) fn span_to(&self, start: usize, end: usize) -> Span {
        Span {
            source: self.source.clone(),
            start: start as u32,
            end: end as u32,
        }
    }
    /// Reports an error from `start` to the current position.
    pub(super) fn error(&mut self, message: impl Into<String>, start: usize) {
        let span = self.span(start);
        self.errors.push(SyntaxError::new(message, span));
    }
    pub(super) fn take_errors(&mut self) -> Vec<SyntaxError> {
        std::mem::take(&mut self.errors)
    }
    /// The shared copy of a name.
    pub(super) fn name(&mut self, text: &str) -> Name {
        match self.names.get(text) {
            Some(name) => name.clone(),
            None => {
                let name: Name = text.into();
                self.names.insert(name.clone());
                name
            }
        }
    }

    pub(super) fn rest(&self) -> &str {
        &self.source.text[self.pos..]
    }
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }
    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        Some(c)
    }
    /// Passes `prefix` if the text goes on with it.
    pub(super) fn eat(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.pos += prefix.len();
        }
        found
    }
    /// Passes everything up to the next delimiter.
    pub(super) fn skip_word(&mut self) {
        let len = self.rest().find(is_delimiter).unwrap_or(self.rest().len());
        self.pos += len;
    }

    /// The next token and where it starts; `None` at the end of the text.
    pub(super) fn next_token(&mut self) -> Option<(Token, usize)> {
        if let Some(start) = self.skip_blank() {
            return Some((Token::Unclosed("#|"), start));
        }
        let start = self.pos;
        let token = match self.bump()? {
            '(' => Token::Open(Kind::List),
            '[' => Token::Open(Kind::Bracket),
            '{' => Token::Open(Kind::Dict),
            c @ (')' | ']' | '}') => Token::Close(c),
            '\'' => Token::Open(Kind::Prefix("quote")),
            '`' => Token::Open(Kind::Prefix("quasiquote")),
            ',' if self.eat("@") => Token::Open(Kind::Prefix(match self.source.is_scheme() {
                true => "unquote-splicing",
                false => "splice-unquote",
            })),
            ',' => Token::Open(Kind::Prefix("unquote")),
            '"' => match text::string(self) {
                Some(text) => Token::Atom(Node::Str(text)),
                None => Token::Unclosed("\""),
            },
            '#' => self.hash(start),
            '|' if self.bar_symbol_ends() => Token::Atom(text::bar_symbol(self)),
            _ => self.word(start),
        };
        Some((token, start))
    }

    /// Passes white space and comments; where a block comment without an end starts.
    fn skip_blank(&mut self) -> Option<usize> {
        loop {
            self.skip_space();
            let start = self.pos;
            match self.skip_comment() {
                Some(true) => {}
                Some(false) => return Some(start),
                None => return None,
            }
        }
    }

    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        self.pos += rest.len() - rest.trim_start().len();
    }

    /// Passes a line or block comment, or a directive, that begins here, if one does; false when it has no end.
    pub(super) fn skip_comment(&mut self) -> Option<bool> {
        if self.rest().starts_with(';') {
            self.pos += self.rest().find('\n').unwrap_or(self.rest().len());
            return Some(true);
        }
        if self.rest().starts_with("#|") {
            return Some(self.skip_block_comment());
        }
        self.skip_directive().then_some(true)
    }

    /// Passes a directive of Scheme and does what it says; was there one?
    fn skip_directive(&mut self) -> bool {
        if !self.source.is_scheme() || !self.rest().starts_with("#!") {
            return false;
        }
        let found = DIRECTIVES.iter().find(|(text, _)| self.rest().starts_with(text));
        let Some((text, fold)) = found else { return false };
        self.pos += text.len();
        self.fold = fold.unwrap_or(self.fold);
        true
    }

    fn skip_block_comment(&mut self) -> bool {
        let bytes = self.source.text.as_bytes();
        let (mut at, mut depth) = (self.pos, 0usize);
        while at + 1 < bytes.len() {
            match &bytes[at..at + 2] {
                b"#|" => (at, depth) = (at + 2, depth + 1),
                b"|#" => (at, depth) = (at + 2, depth - 1),
                _ => at += 1,
            }
            if depth == 0 {
                self.pos = at;
                return true;
            }
        }
        false
    }

    /// A bar symbol of SX ends on its line; otherwise `|` is a character like any other. In Scheme it
    /// may go on for lines.
    fn bar_symbol_ends(&self) -> bool {
        let line = match self.source.is_scheme() {
            true => self.rest(),
            false => self.rest().lines().next().unwrap_or(""),
        };
        line.contains('|')
    }

    fn hash(&mut self, start: usize) -> Token {
        if self.eat("(") {
            return Token::Open(Kind::Vector);
        }
        if self.eat("u8(") || self.source.is_scheme() && self.eat("U8(") {
            return Token::Open(Kind::Bytes);
        }
        if self.eat(";") {
            return Token::Open(Kind::DatumComment);
        }
        if self.eat("\\") {
            return Token::Atom(text::character(self, start));
        }
        if let Some(token) = self.label() {
            return token;
        }
        self.skip_word();
        let node = match &self.source.text[start..self.pos] {
            "#t" | "#true" | "#T" | "#TRUE" => Ok(Node::Bool(true)),
            "#f" | "#false" | "#F" | "#FALSE" => Ok(Node::Bool(false)),
            word => number::prefixed(word).unwrap_or_else(|| Err(format!("unknown syntax: {word}"))),
        };
        self.atom(node, start)
    }

    /// `#0=` or `#0#`, whose first `#` has been passed.
    fn label(&mut self) -> Option<Token> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let label = self.rest()[..digits].parse().ok()?;
        let token = match self.rest().as_bytes().get(digits)? {
            b'=' => Token::Open(Kind::Label(label)),
            b'#' => Token::Labelled(label),
            _ => return None,
        };
        self.pos += digits + 1;
        Some(token)
    }

    fn word(&mut self, start: usize) -> Token {
        self.skip_word();
        if self.source.is_scheme() {
            return self.scheme_word(start);
        }
        let word = &self.source.text[start..self.pos];
        let node = match word {
            "." => return Token::Dot,
            "nil" => Node::Nil,
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            _ => {
                if let Some(number) = number::number(word) {
                    return self.atom(number, start);
                }
                let source = self.source.clone();
                match source.text[start..self.pos].strip_prefix(':') {
                    Some(rest) if rest.contains(|c| c != ':') => Node::Keyword(self.name(rest)),
                    _ => Node::Sym(self.name(&source.text[start..self.pos])),
                }
            }
        };
        Token::Atom(node)
    }

    /// A number or a symbol: Scheme has no other words.
    fn scheme_word(&mut self, start: usize) -> Token {
        let source = self.source.clone();
        let word = &source.text[start..self.pos];
        match number::scheme_number(word) {
            _ if word == "." => Token::Dot,
            Some(number) => self.atom(number, start),
            None if self.fold => Token::Atom(Node::Sym(self.name(&word.to_lowercase()))),
            None => Token::Atom(Node::Sym(self.name(word))),
        }
    }

    fn atom(&mut self, node: Result<Node, String>, start: usize) -> Token {
        Token::Atom(node.unwrap_or_else(|message| {
            self.error(message, start);
            Node::Nil
        }))
    }
}
