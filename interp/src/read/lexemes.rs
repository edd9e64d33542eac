//! A text as the sequence of what it is written with: brackets, prefixes, atoms and comments, each
//! with its place. For tools that rewrite a text; the reader itself keeps no comments.
//!
//! Invariant: between two lexemes there is white space and nothing else.

use super::lex::{Lexer, Token};
use super::{Kind, SyntaxError, read_all};
use std::sync::Arc;
use sx_runtime::syntax::Source;

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lexeme {
    /// What it is.
    pub kind: LexemeKind,
    /// Its first byte.
    pub start: usize,
    /// The byte after its last one.
    pub end: usize,
}

/// What a piece of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LexemeKind {
    /// An opening bracket of a list, vector, bytevector or dict.
    Open,
    /// A closing bracket.
    Close,
    /// A quote, quasiquote, unquote, label or datum comment, which the next datum belongs to.
    Prefix,
    /// A symbol, number, string, character or dot.
    Atom,
    /// A comment up to the end of its line.
    LineComment,
    /// A block comment.
    BlockComment,
}

/// The lexemes of a text, or what keeps it from being read.
pub fn lexemes(source: &Arc<Source>) -> Result<Vec<Lexeme>, Vec<SyntaxError>> {
    read_all(source.clone())?;
    let mut lexer = Lexer::new(source.clone());
    let mut found = Vec::new();
    if lexer.pos > 0 && source.text[..lexer.pos].contains("#!") {
        let start = lexer.pos - source.text[..lexer.pos].trim_start_matches('\u{feff}').len();
        found.push(Lexeme {
            kind: LexemeKind::LineComment,
            start,
            end: lexer.pos,
        });
    }
    loop {
        lexer.skip_space();
        let start = lexer.pos;
        let kind = match lexer.skip_comment() {
            Some(_) if source.text[start..].starts_with(';') => LexemeKind::LineComment,
            Some(_) => LexemeKind::BlockComment,
            None => match lexer.next_token() {
                Some((token, _)) => kind_of(&token),
                None => return Ok(found),
            },
        };
        let end = lexer.pos;
        found.push(Lexeme { kind, start, end });
    }
}

fn kind_of(token: &Token) -> LexemeKind {
    match token {
        Token::Open(Kind::Prefix(_) | Kind::DatumComment | Kind::Label(_)) => LexemeKind::Prefix,
        Token::Open(_) => LexemeKind::Open,
        Token::Close(_) => LexemeKind::Close,
        // A text that was read has nothing unclosed in it.
        Token::Atom(_) | Token::Dot | Token::Labelled(_) | Token::Unclosed(_) => LexemeKind::Atom,
    }
}
