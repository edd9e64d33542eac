//! Characters: Unicode code points with their classes and cases.

use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::value::Word;

prims! { CHARS {
    /// The code point of a character.
    "char->integer" (c: Char) -> Index, Pure, |cx| Ok(Word::fixnum(i64::from(u32::from(char_arg(cx, 0))))), ["(char->integer #\\a) ; => 97"];
    /// The character of a code point.
    "integer->char" (code: Index) -> Char, Pure, |cx| code_point(cx, "integer->char").map(Word::char), ["(integer->char 955) ; => #\\λ", "(integer->char 55296) ; error: integer->char: 55296 is no code point"];
    /// Upper case, if it is one character.
    "char-upcase" (c: Char) -> Char, Pure, |cx| Ok(Word::char(upper(char_arg(cx, 0)))), ["(char-upcase #\\a) ; => #\\A"];
    /// Lower case, if it is one character.
    "char-downcase" | "char-foldcase" (c: Char) -> Char, Pure, |cx| Ok(Word::char(lower(char_arg(cx, 0)))), ["(char-downcase #\\A) ; => #\\a"];
    /// Is it a letter?
    "char-alphabetic?" (c: Char) -> Bool, Pure, |cx| is(cx, char::is_alphabetic), ["(char-alphabetic? #\\a) ; => true"];
    /// Is it a digit of any script?
    "char-numeric?" (c: Char) -> Bool, Pure, |cx| is(cx, char::is_numeric), ["(char-numeric? #\\5) ; => true"];
    /// Is it white space?
    "char-whitespace?" (c: Char) -> Bool, Pure, |cx| is(cx, char::is_whitespace), ["(char-whitespace? #\\space) ; => true"];
    /// Is it in upper case?
    "char-upper-case?" (c: Char) -> Bool, Pure, |cx| is(cx, char::is_uppercase), ["(char-upper-case? #\\A) ; => true"];
    /// Is it in lower case?
    "char-lower-case?" (c: Char) -> Bool, Pure, |cx| is(cx, char::is_lowercase), ["(char-lower-case? #\\A) ; => false"];
    /// What number a decimal digit stands for, else false.
    "digit-value" (c: Char) -> Any, Pure, digit_value, ["(digit-value #\\7) ; => 7", "(digit-value #\\a) ; => false"];
    /// Are the characters the same?
    "char=?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chain(cx, |a, b| a == b), ["(char=? #\\a #\\a) ; => true"];
    /// Does each come before the next?
    "char<?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chain(cx, |a, b| a < b), ["(char<? #\\a #\\b) ; => true"];
    /// Does each come after the next?
    "char>?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chain(cx, |a, b| a > b), ["(char>? #\\a #\\b) ; => false"];
    /// Does none come after the next?
    "char<=?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chain(cx, |a, b| a <= b), ["(char<=? #\\a #\\a) ; => true"];
    /// Does none come before the next?
    "char>=?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chain(cx, |a, b| a >= b), ["(char>=? #\\b #\\a) ; => true"];
    /// Are the characters the same but for case?
    "char-ci=?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chain(cx, |a, b| lower(a) == lower(b)), ["(char-ci=? #\\a #\\A) ; => true"];
} }

/// Operand `i`, which the row has checked.
pub(super) fn char_arg(cx: &Cx<'_>, i: usize) -> char {
    cx.arg(i).word().as_char().unwrap_or('\0')
}

/// The character whose code the first operand is.
pub(super) fn code_point(cx: &Cx<'_>, who: &str) -> Result<char, Raise> {
    let code = cx.index(0);
    let c = u32::try_from(code).ok().and_then(char::from_u32);
    c.ok_or_else(|| Raise::new(Code::Range, format!("{who}: {code} is no code point")).with_arg(0))
}

fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    if upper.len() == 1 { upper.next().unwrap_or(c) } else { c }
}

fn lower(c: char) -> char {
    let mut lower = c.to_lowercase();
    if lower.len() == 1 { lower.next().unwrap_or(c) } else { c }
}

fn is(cx: &mut Cx<'_>, class: fn(char) -> bool) -> Result<Word, Raise> {
    Ok(Word::bool(class(char_arg(cx, 0))))
}

fn digit_value(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    Ok(char_arg(cx, 0)
        .to_digit(10)
        .map_or(Word::FALSE, |d| Word::fixnum(i64::from(d))))
}

fn chain(cx: &mut Cx<'_>, holds: fn(char, char) -> bool) -> Result<Word, Raise> {
    Ok(Word::bool(
        (1..cx.argc()).all(|i| holds(char_arg(cx, i - 1), char_arg(cx, i))),
    ))
}
