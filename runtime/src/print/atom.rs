//! The text of values that hold no others: numbers, strings, characters, symbols.
//!
//! What these functions write is what the reader's tokens are; its tests and those of the
//! language read printed values back.

use crate::num::{Num, Parsed, format_float};
use crate::object::Type;
use crate::value::{Value, Word};
use std::fmt::Write;

/// Characters that print by name.
const NAMES: [(char, &str); 8] = [
    (' ', "space"),
    ('\n', "newline"),
    ('\t', "tab"),
    ('\r', "return"),
    ('\0', "null"),
    ('\u{7f}', "delete"),
    ('\u{1b}', "escape"),
    ('\u{8}', "backspace"),
];

/// Writes an integer in decimal, faster than the general formatting.
pub fn push_decimal(out: &mut String, i: i64) {
    out.push_str(itoa::Buffer::new().format(i));
}

/// Writes a string, character or symbol without quoting; was it one?
pub(super) fn write_bare(out: &mut String, value: Value<'_>) -> bool {
    if let Some(c) = value.word().as_char() {
        out.push(c);
        return true;
    }
    match value.as_str().or(value.as_symbol()) {
        Some(text) => out.push_str(text),
        None => return false,
    }
    true
}

/// Writes a value that holds no others so that it reads back; was it one?
pub(super) fn write_atom(out: &mut String, value: Value<'_>) -> bool {
    if let Some(i) = value.as_fixnum() {
        push_decimal(out, i);
        return true;
    }
    let Some(ty) = value.object_type() else {
        write_immediate(out, value.word());
        return true;
    };
    match ty {
        Type::String | Type::Text => write_string(out, value.as_str().unwrap_or_default()),
        Type::Symbol => write_symbol(out, value.as_symbol().unwrap_or_default()),
        Type::Keyword => out.push_str(&value.keyword_text().unwrap_or_default()),
        Type::Flonum | Type::Bignum | Type::Ratio => {
            let text = value.as_number().map(|n| n.to_text(10));
            out.push_str(&text.unwrap_or_default());
        }
        Type::Bytevector => write_bytes(out, value),
        _ => return false,
    }
    true
}

fn write_immediate(out: &mut String, word: Word) {
    if word.is_flonum() {
        return out.push_str(&format_float(word.as_flonum()));
    }
    if let Some(c) = word.as_char() {
        return write_char(out, c);
    }
    out.push_str(match word {
        Word::NIL => "nil",
        Word::FALSE => "false",
        Word::TRUE => "true",
        Word::EMPTY => "()",
        Word::EOF => "#<eof>",
        _ => "#<unbound>",
    });
}

/// Writes a character as the reader takes it.
pub fn write_char(out: &mut String, c: char) {
    out.push_str("#\\");
    match NAMES.iter().find(|(named, _)| *named == c) {
        Some((_, name)) => out.push_str(name),
        None if c.is_control() || c.is_whitespace() => {
            let _ = write!(out, "x{:x}", c as u32);
        }
        None => out.push(c),
    }
}

/// Writes a string in quotes, with escapes.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    escape(out, text, '"');
    out.push('"');
}

fn escape(out: &mut String, text: &str, quote: char) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\x{:x};", c as u32);
            }
            c => out.push(c),
        }
    }
}

fn write_bytes(out: &mut String, value: Value<'_>) {
    out.push_str("#u8(");
    for (i, byte) in value.bytes_to_vec().unwrap_or_default().into_iter().enumerate() {
        let _ = write!(out, "{}{byte}", if i > 0 { " " } else { "" });
    }
    out.push(')');
}

/// Writes a symbol, between bars if its name would read as something else.
fn write_symbol(out: &mut String, name: &str) {
    let keyword = name.len() > 1 && name.starts_with(':');
    let hexadecimal = name
        .trim_start_matches(['+', '-'])
        .to_ascii_lowercase()
        .starts_with("0x");
    write_symbol_with(
        out,
        name,
        keyword || hexadecimal || matches!(name, "nil" | "true" | "false"),
    );
}

/// Writes a symbol, between bars if its name would read as something else; `taken` says that the
/// reader takes it for another word.
pub(super) fn write_symbol_with(out: &mut String, name: &str, taken: bool) {
    let other = name == "." || name.starts_with('#');
    // Scheme's numbers may be in capitals.
    let number = || !matches!(Num::parse(&name.to_ascii_lowercase()), Parsed::NotANumber);
    if is_word(name) && !taken && !other && !number() {
        return out.push_str(name);
    }
    out.push('|');
    escape(out, name, '|');
    out.push('|');
}

/// Writes the key of a dict: as a keyword if it can be one.
pub(super) fn write_key(out: &mut String, name: &str) {
    if is_word(name) {
        out.push(':');
        out.push_str(name);
    } else {
        write_string(out, name);
    }
}

/// Is this one word to the reader?
fn is_word(name: &str) -> bool {
    let ends_word = |c: char| c.is_whitespace() || c.is_control() || "()[]{}\";'`,|\\".contains(c);
    !name.is_empty() && !name.contains(ends_word)
}

#[cfg(test)]
mod tests {
    use super::push_decimal;

    #[test]
    fn decimals_agree_with_the_general_formatting() {
        for i in [0, 9, 10, -1, -10, 1 << 62, i64::MAX, i64::MIN] {
            let mut text = String::from("x");
            push_decimal(&mut text, i);
            assert_eq!(text, format!("x{i}"));
        }
    }
}
