//! Strings with their escapes, characters with their names, `|bar symbols|`.

use super::lex::{Lexer, is_delimiter};
use std::sync::Arc;
use sx_runtime::syntax::Node;

/// The named characters.
pub(super) const CHARACTERS: [(&str, char); 11] = [
    ("space", ' '),
    ("newline", '\n'),
    ("tab", '\t'),
    ("return", '\r'),
    ("nul", '\0'),
    ("null", '\0'),
    ("delete", '\u{7f}'),
    ("escape", '\u{1b}'),
    ("backspace", '\u{8}'),
    ("alarm", '\u{7}'),
    ("linefeed", '\n'),
];

/// The rest of a string whose quote has been passed; `None` when it does not end.
pub(super) fn string(lexer: &mut Lexer) -> Option<Arc<str>> {
    let mut text = String::new();
    loop {
        let rest = lexer.rest();
        let plain = rest.find(['"', '\\', '\r'])?;
        text.push_str(&rest[..plain]);
        lexer.pos += plain;
        match lexer.bump()? {
            '"' => return Some(text.into()),
            // However the file ends its lines.
            '\r' => {
                lexer.eat("\n");
                text.push('\n');
            }
            _ => escape(lexer, &mut text)?,
        }
    }
}

/// What follows a backslash; `None` at the end of the text.
fn escape(lexer: &mut Lexer, text: &mut String) -> Option<()> {
    let at = lexer.pos - 1;
    let c = match lexer.bump()? {
        c @ ('"' | '\\' | '|' | '\'') => c,
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'x' | 'X' => return code_escape(lexer, text, at, ';'),
        'u' if lexer.eat("{") => return code_escape(lexer, text, at, '}'),
        'u' => return four_digits(lexer, text, at),
        c if c.is_whitespace() => return continuation(lexer, c, at),
        c => {
            lexer.error(format!("bad escape \\{c} in a string"), at);
            return Some(());
        }
    };
    text.push(c);
    Some(())
}

/// Hex digits up to `end`.
fn code_escape(lexer: &mut Lexer, text: &mut String, at: usize, end: char) -> Option<()> {
    let rest = lexer.rest();
    let digits = rest.find(|c: char| !c.is_ascii_hexdigit())?;
    let code = u32::from_str_radix(&rest[..digits], 16).ok().and_then(char::from_u32);
    lexer.pos += digits;
    let closed = lexer.peek() == Some(end);
    if closed {
        lexer.bump();
    }
    match code {
        Some(c) if closed => text.push(c),
        _ => bad_code(lexer, at),
    }
    Some(())
}

/// `\u0041`
fn four_digits(lexer: &mut Lexer, text: &mut String, at: usize) -> Option<()> {
    let digits: String = lexer
        .rest()
        .chars()
        .take(4)
        .take_while(char::is_ascii_hexdigit)
        .collect();
    lexer.pos += digits.len();
    match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
        Some(c) if digits.len() == 4 => text.push(c),
        _ => bad_code(lexer, at),
    }
    Some(())
}

fn bad_code(lexer: &mut Lexer, at: usize) {
    let escape = lexer.source.text[at..lexer.pos].to_string();
    lexer.error(
        format!("bad escape {escape} in a string: expected \\xHH; or \\u{{HHHH}}"),
        at,
    );
}

/// A backslash at the end of a line joins it to the next, without the white space around the break.
fn continuation(lexer: &mut Lexer, first: char, at: usize) -> Option<()> {
    let blank = |c: char| c.is_whitespace() && c != '\n';
    let skip = |lexer: &mut Lexer| lexer.pos += lexer.rest().find(|c: char| !blank(c)).unwrap_or(lexer.rest().len());
    if first != '\n' {
        skip(lexer);
        if lexer.peek()? != '\n' {
            lexer.error(
                "bad escape in a string: a backslash before white space ends its line",
                at,
            );
            return Some(());
        }
        lexer.bump();
    }
    skip(lexer);
    Some(())
}

/// A character whose `#\` has been passed.
pub(super) fn character(lexer: &mut Lexer, start: usize) -> Node {
    let from = lexer.pos;
    let Some(first) = lexer.bump() else {
        lexer.error("#\\ is followed by no character", start);
        return Node::Nil;
    };
    if !is_delimiter(first) {
        lexer.skip_word();
    }
    let word = lexer.source.text[from..lexer.pos].to_string();
    if word.len() == first.len_utf8() {
        return Node::Char(first);
    }
    let named = CHARACTERS.iter().find(|(name, _)| *name == word).map(|(_, c)| *c);
    let coded = || {
        let digits = word.strip_prefix(['x', 'u'])?;
        let all_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        all_hex.then(|| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32))?
    };
    match named.or_else(coded) {
        Some(c) => Node::Char(c),
        None => {
            lexer.error(format!("unknown character: #\\{word}"), start);
            Node::Nil
        }
    }
}

/// A symbol whose opening bar has been passed and whose closing bar is known to come.
pub(super) fn bar_symbol(lexer: &mut Lexer) -> Node {
    let mut text = String::new();
    while let Some(c) = lexer.bump() {
        match c {
            '|' => break,
            '\\' => {
                if escape(lexer, &mut text).is_none() {
                    break;
                }
            }
            c => text.push(c),
        }
    }
    Node::Sym(lexer.name(&text))
}
