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
    "char-downcase" (c: Char) -> Char, Pure, |cx| Ok(Word::char(lower(char_arg(cx, 0)))), ["(char-downcase #\\A) ; => #\\a"];
    /// The character that stands for it where case does not count.
    "char-foldcase" (c: Char) -> Char, Pure, |cx| Ok(Word::char(fold_char(char_arg(cx, 0)))), ["(char-foldcase #\\Σ) ; => #\\σ", "(char-foldcase #\\ς) ; => #\\σ"];
    /// Is it a letter?
    "char-alphabetic?" (c: Char) -> Bool, Pure, |cx| is(cx, char::is_alphabetic), ["(char-alphabetic? #\\a) ; => true"];
    /// Is it a decimal digit of any script?
    "char-numeric?" (c: Char) -> Bool, Pure, |cx| is(cx, |c| digit_of(c).is_some()), ["(char-numeric? #\\5) ; => true", "(char-numeric? #\\½) ; => false"];
    /// Is it white space?
    "char-whitespace?" (c: Char) -> Bool, Pure, |cx| is(cx, char::is_whitespace), ["(char-whitespace? #\\space) ; => true"];
    /// Is it in upper case?
    "char-upper-case?" (c: Char) -> Bool, Pure, |cx| is(cx, char::is_uppercase), ["(char-upper-case? #\\A) ; => true"];
    /// Is it in lower case?
    "char-lower-case?" (c: Char) -> Bool, Pure, |cx| is(cx, char::is_lowercase), ["(char-lower-case? #\\A) ; => false"];
    /// What number a decimal digit of any script stands for, else false.
    "digit-value" | "%scheme:digit-value" (c: Char) -> Any, Pure, digit_value, ["(digit-value #\\7) ; => 7", "(digit-value #\\a) ; => false"];
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
    "char-ci=?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chain(cx, |a, b| fold_char(a) == fold_char(b)), ["(char-ci=? #\\a #\\A) ; => true"];
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
    Ok(digit_of(char_arg(cx, 0)).map_or(Word::FALSE, Word::fixnum))
}

/// The zeros of the scripts that have decimal digits; nine more follow each.
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0,
    0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60,
    0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// The value of a decimal digit.
fn digit_of(c: char) -> Option<i64> {
    let code = u32::from(c);
    let zero = ZEROS.iter().rev().find(|zero| **zero <= code)?;
    (code - zero < 10).then(|| i64::from(code - zero))
}

/// A text for comparing without regard to case: Unicode's full case folding.
pub(super) fn fold(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => text.chars().flat_map(folded).collect(),
    }
}

/// A character for comparing without regard to case, where it has to stay one: Unicode's simple
/// case folding.
pub(super) fn fold_char(c: char) -> char {
    let mut all = folded(c);
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        _ => lower(c),
    }
}

/// What one character folds to. The lower case of its capitals is that; only the dotless i stays
/// itself, and Cherokee, whose capitals are older than its small letters, folds to capitals.
fn folded(c: char) -> impl Iterator<Item = char> {
    let capitals = |c: char| c.to_lowercase().flat_map(char::to_uppercase);
    let stays = c == 'ı';
    let cherokee = matches!(c, '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}');
    let other = !stays && !cherokee;
    let small = other.then(|| capitals(c).flat_map(char::to_lowercase));
    let kept = stays.then_some(c).into_iter().chain(cherokee.then(|| upper(c)));
    kept.chain(small.into_iter().flatten())
}

fn chain(cx: &mut Cx<'_>, holds: fn(char, char) -> bool) -> Result<Word, Raise> {
    Ok(Word::bool(
        (1..cx.argc()).all(|i| holds(char_arg(cx, i - 1), char_arg(cx, i))),
    ))
}
