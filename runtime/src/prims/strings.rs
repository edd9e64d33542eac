//! Strings by code point: measuring, taking apart, changing, searching.
//!
//! Positions count code points. ASCII text is indexed directly, other text through an offset
//! table (`string.rs`), so walking a string by index is never quadratic.

use super::chars::fold;
use super::seq::out_of_range;
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::object::Type;
use crate::print::Style;
use crate::string::size_of_string;
use crate::value::{Value, Word};

prims! { STRINGS {
    /// The arguments as display shows them, one after another.
    "str" | "string-append" (xs: Any rest) -> String, Reads, str, ["(str \"a\" 1 :b nil) ; => \"a1b\"", "(str (list 1 \"x\")) ; => \"(1 \\\"x\\\")\""];
    /// How many code points.
    "string-length" (s: String) -> Index, Pure, |cx| Ok(Word::fixnum(cx.arg(0).string_len().unwrap_or(0) as i64)), ["(string-length \"zwölf\") ; => 5"];
    /// The character at place i.
    "string-ref" (s: String, i: Index) -> Char, Pure, string_ref, ["(string-ref \"abc\" 1) ; => #\\b", "(string-ref \"abc\" 3) ; error: string-ref: index 3 out of range (length 3)"];
    /// The part from start up to end, or to the end of s.
    "substring" (s: String, start: Index, end: Index optional) -> String, Pure, substring, ["(substring \"hello\" 1 3) ; => \"el\"", "(substring \"hello\" 2) ; => \"llo\""];
    /// In upper case.
    "upper" | "upcase" | "string-upcase" (s: String) -> String, Pure, |cx| map_text(cx, |s| s.to_uppercase()), ["(upper \"straße\") ; => \"STRASSE\""];
    /// In lower case.
    "lower" | "downcase" | "string-downcase" (s: String) -> String, Pure, |cx| map_text(cx, |s| s.to_lowercase()), ["(lower \"ABC\") ; => \"abc\""];
    /// As it is compared where case does not count.
    "string-foldcase" (s: String) -> String, Pure, |cx| map_text(cx, fold), ["(string-foldcase \"Straße\") ; => \"strasse\""];
    /// With the first character in upper case and the rest in lower case.
    "capitalize" (s: String) -> String, Pure, |cx| map_text(cx, capitalize), ["(capitalize \"hELLO\") ; => \"Hello\""];
    /// Without white space at either end.
    "trim" | "string-trim" (s: String) -> String, Pure, |cx| map_text(cx, |s| s.trim().to_string()), ["(trim \"  a b \") ; => \"a b\""];
    /// Without white space at the start.
    "trim-left" | "string-trim-left" (s: String) -> String, Pure, |cx| map_text(cx, |s| s.trim_start().to_string()), ["(trim-left \"  a \") ; => \"a \""];
    /// Without white space at the end.
    "trim-right" | "string-trim-right" (s: String) -> String, Pure, |cx| map_text(cx, |s| s.trim_end().to_string()), ["(trim-right \" a  \") ; => \" a\""];
    /// The parts of s between occurrences of separator; without one, between white space. An empty
    /// separator splits into characters.
    "split" | "string-split" (s: String, separator: String optional) -> List, Allocates, split, ["(split \"a,b,,c\" \",\") ; => (\"a\" \"b\" \"\" \"c\")", "(split \" a  b \") ; => (\"a\" \"b\")", "(split \"abc\" \"\") ; => (\"a\" \"b\" \"c\")"];
    /// The items as display shows them, with separator between them.
    "join" (separator: String, xs: Collection) -> String, Reads, join, ["(join \", \" (list 1 2 3)) ; => \"1, 2, 3\"", "(join \"-\" ()) ; => \"\""];
    /// s with every occurrence of from replaced by to.
    "replace" | "string-replace" (s: String, from: String, to: String) -> String, Pure, replace, ["(replace \"a-b-c\" \"-\" \"+\") ; => \"a+b+c\""];
    /// Does s begin with prefix?
    "starts-with?" | "string-starts-with?" (s: String, prefix: String) -> Bool, Pure, |cx| Ok(Word::bool(cx.text(0).starts_with(cx.text(1)))), ["(starts-with? \"hello\" \"he\") ; => true"];
    /// Does s end with suffix?
    "ends-with?" | "string-ends-with?" (s: String, suffix: String) -> Bool, Pure, |cx| Ok(Word::bool(cx.text(0).ends_with(cx.text(1)))), ["(ends-with? \"hello\" \"lo\") ; => true"];
    /// Does s contain part?
    "string-contains?" (s: String, part: String) -> Bool, Pure, |cx| Ok(Word::bool(cx.text(0).contains(cx.text(1)))), ["(string-contains? \"hello\" \"ell\") ; => true"];
    /// The symbol of this name.
    "string->symbol" | "make-symbol" (name: String) -> Symbol, Pure, string_to_symbol, ["(string->symbol \"abc\") ; => abc"];
    /// The symbol that a string or keyword names; anything else is itself.
    "%scope-name" (name: Any) -> Any, Pure, scope_name, ["(%scope-name \"abc\") ; => abc", "(%scope-name 1) ; => 1"];
    /// The name of a symbol.
    "symbol->string" | "symbol-name" (symbol: Name) -> String, Pure, |cx| map_text(cx, str::to_string), ["(symbol->string (quote abc)) ; => \"abc\""];
    /// The name of a keyword.
    "keyword-name" (keyword: Name) -> String, Pure, |cx| map_text(cx, str::to_string), ["(keyword-name :abc) ; => \"abc\""];
    /// The keyword of this name, as quoted code has it.
    "make-keyword" | "string->keyword" (name: String) -> Keyword, Allocates, make_keyword, ["(make-keyword \"a\") ; => :a"];
    /// s with spaces, or with the character given, before it up to width.
    "pad-left" | "string-pad-left" (s: Any, width: Index, fill: Any optional) -> String, Pure, |cx| pad(cx, true), ["(pad-left \"7\" 3 \"0\") ; => \"007\"", "(pad-left \"abcd\" 2) ; => \"abcd\""];
    /// s with spaces, or with the character given, after it up to width.
    "pad-right" | "string-pad-right" (s: Any, width: Index, fill: Any optional) -> String, Pure, |cx| pad(cx, false), ["(pad-right \"ab\" 4) ; => \"ab  \""];
    /// s, n times.
    "repeat" | "string-repeat" (s: String, n: Index) -> String, Pure, repeat, ["(repeat \"ab\" 3) ; => \"ababab\""];
    /// s with the characters that mean something in HTML replaced.
    "escape" | "html-escape" (s: Any) -> String, Pure, escape, ["(escape \"<a & 'b'>\") ; => \"&lt;a &amp; &#39;b&#39;&gt;\""];
    /// s without tags and comments.
    "strip-tags" (s: String) -> String, Pure, |cx| map_text(cx, strip_tags), ["(strip-tags \"<p>a <b>b</b></p>\") ; => \"a b\""];
    /// Of a count alone: \"\" for 1, else \"s\". With words: the one that fits the count.
    "pluralize" (count: Number, singular: String optional, plural: String optional) -> String, Pure, pluralize, ["(pluralize 2) ; => \"s\"", "(pluralize 1 \"child\" \"children\") ; => \"child\"", "(pluralize 3 \"cat\") ; => \"cats\""];
    /// The string of one code point.
    "char-from-code" (code: Index) -> String, Pure, char_from_code, ["(char-from-code 97) ; => \"a\""];
    /// The code point a string begins with, or of a character.
    "char-code" (s: Any) -> Index, Pure, char_code, ["(char-code \"a\") ; => 97", "(char-code #\\b) ; => 98"];
    /// The string of these characters (or strings).
    "string" (chars: Any rest) -> String, Reads, str, ["(string #\\a #\\b) ; => \"ab\""];
    /// A string of n times the same character, a space if none is given.
    "make-string" (n: Index, fill: Char optional) -> String, Pure, make_string, ["(make-string 3 #\\x) ; => \"xxx\""];
    /// s, or its part from start up to end.
    "string-copy" (s: String, start: Index optional, end: Index optional) -> String, Pure, substring, ["(string-copy \"hello\" 1 2) ; => \"e\""];
    /// The characters of s, or of its part from start up to end.
    "string->list" (s: String, start: Index optional, end: Index optional) -> List, Allocates, string_to_list, ["(string->list \"ab\") ; => (#\\a #\\b)"];
    /// The string of a list of characters or strings.
    "list->string" (chars: List) -> String, Reads, list_to_string, ["(list->string (list #\\a #\\b)) ; => \"ab\""];
    /// Are the strings equal?
    "string=?" (a: String, more: String rest) -> Bool, Pure, |cx| chain(cx, |a, b| a == b), ["(string=? \"a\" \"a\") ; => true"];
    /// Does each string come before the next, by code points?
    "string<?" (a: String, more: String rest) -> Bool, Pure, |cx| chain(cx, |a, b| a < b), ["(string<? \"a\" \"b\" \"c\") ; => true"];
    /// Does each string come after the next?
    "string>?" (a: String, more: String rest) -> Bool, Pure, |cx| chain(cx, |a, b| a > b), ["(string>? \"b\" \"a\") ; => true"];
    /// Does no string come after the next?
    "string<=?" (a: String, more: String rest) -> Bool, Pure, |cx| chain(cx, |a, b| a <= b), ["(string<=? \"a\" \"a\") ; => true"];
    /// Does no string come before the next?
    "string>=?" (a: String, more: String rest) -> Bool, Pure, |cx| chain(cx, |a, b| a >= b), ["(string>=? \"b\" \"a\") ; => true"];
    /// Are the strings equal but for case?
    "string-ci=?" (a: String, more: String rest) -> Bool, Pure, |cx| chain(cx, |a, b| fold(a) == fold(b)), ["(string-ci=? \"aB\" \"Ab\") ; => true"];
    /// Does each string come before the next, case aside?
    "string-ci<?" (a: String, more: String rest) -> Bool, Pure, |cx| chain(cx, |a, b| fold(a) < fold(b)), ["(string-ci<? \"a\" \"B\") ; => true"];
} }

/// Answers a new string made of the first operand's text.
fn map_text(cx: &mut Cx<'_>, f: impl Fn(&str) -> String) -> Result<Word, Raise> {
    let text = f(cx.text(0));
    cx.give_string(&text)
}

fn str(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    if cx.argc() == 1 && cx.arg(0).as_str().is_some() {
        return Ok(cx.arg(0).word());
    }
    let mut out = cx.take_text();
    for v in cx.all_args() {
        match v.as_str() {
            Some(text) => out.push_str(text),
            None if v.word() == Word::NIL => {}
            None => cx.show_onto(&mut out, v, Style::Display)?,
        }
    }
    let answer = cx.give_string(&out);
    cx.keep_text(out);
    answer
}

fn join(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut out = String::new();
    for (i, v) in super::seq::items("join", cx.arg(1))?.into_iter().enumerate() {
        if i > 0 {
            out.push_str(cx.text(0));
        }
        cx.show_onto(&mut out, v, Style::Display)?;
    }
    cx.give_string(&out)
}

fn string_ref(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let i = cx.index(1);
    let c = cx.heap().string_ref(cx.arg(0), i);
    c.map(Word::char)
        .ok_or_else(|| out_of_range("string-ref", i, cx.arg(0).string_len().unwrap_or(0)))
}

fn substring(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("", 1, cx.arg(0).string_len().unwrap_or(0))?;
    give_substring(cx, start, end)
}

/// The part of the first operand between two places that lie in it.
pub(super) fn give_substring(cx: &mut Cx<'_>, start: usize, end: usize) -> Result<Word, Raise> {
    let len = cx.arg(0).string_len().unwrap_or(0);
    if (start, end) == (0, len) && cx.arg(0).is(Type::String) {
        return Ok(cx.arg(0).word());
    }
    cx.reserve(room(cx.heap().string_slice(cx.arg(0), start, end).len()))?;
    let heap = cx.heap();
    Ok(heap.string(&heap.string_slice(cx.arg(0), start, end)).word())
}

fn capitalize(s: &str) -> String {
    let mut chars = s.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().collect::<String>() + &chars.as_str().to_lowercase(),
        None => String::new(),
    }
}

fn split(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let text = cx.text(0);
    let parts: Vec<String> = match cx.given(1).and_then(|v| v.as_str()) {
        None => text.split_whitespace().map(str::to_string).collect(),
        Some("") => text.chars().map(String::from).collect(),
        Some(separator) => text.split(separator).map(str::to_string).collect(),
    };
    cx.give_strings(&parts)
}

fn replace(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    if cx.text(1).is_empty() {
        return Ok(cx.arg(0).word());
    }
    let grown = cx.text(0).matches(cx.text(1)).count().saturating_mul(cx.text(2).len());
    cx.reserve(room(cx.text(0).len().saturating_add(grown)))?;
    let text = cx.text(0).replace(cx.text(1), cx.text(2));
    Ok(cx.heap().string(&text).word())
}

fn string_to_symbol(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(0)?;
    Ok(cx.heap().symbol(cx.text(0)).word())
}

fn scope_name(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(0)?;
    match cx.arg(0).as_name() {
        Some(name) => Ok(cx.heap().symbol(name).word()),
        None => Ok(cx.arg(0).word()),
    }
}

fn make_keyword(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(crate::heap::Heap::SIZE_OF_KEYWORD)?;
    Ok(cx.heap().keyword(cx.text(0)).word())
}

/// Bytes to reserve for a string; no sum of lengths overflows it.
fn room(len: usize) -> usize {
    size_of_string(len.min(usize::MAX / 4))
}

/// The character a fill argument stands for: itself, or the first of a string.
fn fill_char(cx: &Cx<'_>, at: usize) -> char {
    let v = cx.arg(at);
    v.word().as_char().or_else(|| v.as_str()?.chars().next()).unwrap_or(' ')
}

fn pad(cx: &mut Cx<'_>, left: bool) -> Result<Word, Raise> {
    let mut text = String::new();
    cx.show_onto(&mut text, cx.arg(0), Style::Display)?;
    let missing = cx.index(1).saturating_sub(text.chars().count());
    let fill = fill_char(cx, 2);
    cx.reserve(room(text.len().saturating_add(missing.saturating_mul(fill.len_utf8()))))?;
    let padding: String = std::iter::repeat_n(fill, missing).collect();
    let padded = if left { padding + &text } else { text + &padding };
    Ok(cx.heap().string(&padded).word())
}

fn repeat(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = cx.index(1);
    cx.reserve(room(cx.text(0).len().saturating_mul(n)))?;
    Ok(cx.heap().string(&cx.text(0).repeat(n)).word())
}

fn make_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (n, fill) = (cx.index(0), fill_char(cx, 1));
    cx.reserve(room(n.saturating_mul(fill.len_utf8())))?;
    let text: String = std::iter::repeat_n(fill, n).collect();
    Ok(cx.heap().string(&text).word())
}

fn escape(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut text = String::new();
    cx.show_onto(&mut text, cx.arg(0), Style::Display)?;
    let escaped = crate::html::escape_all(&text);
    cx.give_string(&escaped)
}

fn strip_tags(s: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(s.len()), s);
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at + markup_len(&rest[at..])..];
    }
    out + rest
}

/// The length of the tag or comment that a text begins with. A > in a quoted value of an attribute
/// does not end the tag.
fn markup_len(text: &str) -> usize {
    if text.starts_with("<!--") {
        return text[2..].find("-->").map_or(text.len(), |at| at + 5);
    }
    let (mut quote, mut last) = (None, '<');
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '>') => return at + 1,
            (None, '"' | '\'') if last == '=' && text[at + 1..].contains(c) => quote = Some(c),
            _ => {}
        }
        last = if c.is_whitespace() { last } else { c };
    }
    text.len()
}

fn pluralize(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let one = cx.num(0).equals(&crate::num::Num::Int(1));
    let text = match (cx.argc(), one) {
        (1, true) => String::new(),
        (1, false) => "s".to_string(),
        (_, true) => cx.text(1).to_string(),
        (2, false) => format!("{}s", cx.text(1)),
        (_, false) => cx.text(2).to_string(),
    };
    cx.give_string(&text)
}

fn char_from_code(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let c = super::chars::code_point(cx, "char-from-code")?;
    cx.give_string(c.encode_utf8(&mut [0; 4]))
}

fn char_code(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let v = cx.arg(0);
    match v.word().as_char().or_else(|| v.as_name()?.chars().next()) {
        Some(c) => Ok(Word::fixnum(i64::from(u32::from(c)))),
        None => Err(Raise::new(
            Code::Type,
            "char-code: expected a character or a string that is not empty",
        )),
    }
}

/// The characters of the string in operand 0 from `start` up to `end`.
pub(super) fn chars_between<'h>(cx: &'h Cx<'_>, start: usize, end: usize) -> Result<Vec<Value<'h>>, Raise> {
    let part = cx.heap().string_slice(cx.arg(0), start, end);
    Ok(part.chars().map(Value::char).collect())
}

fn string_to_list(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("string->list", 1, cx.arg(0).string_len().unwrap_or(0))?;
    cx.give_list(|_| Ok(end - start), |cx| chars_between(cx, start, end))
}

fn list_to_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut out = String::new();
    for v in super::seq::items("list->string", cx.arg(0))? {
        match v.word().as_char() {
            Some(c) => out.push(c),
            None => match v.as_str() {
                Some(s) => out.push_str(s),
                None => {
                    let message = format!("list->string: expected characters, got {}", v.type_name());
                    return Err(Raise::new(Code::Type, message));
                }
            },
        }
    }
    cx.give_string(&out)
}

/// Does `holds` hold between each text operand and the next?
fn chain(cx: &mut Cx<'_>, holds: fn(&str, &str) -> bool) -> Result<Word, Raise> {
    Ok(Word::bool((1..cx.argc()).all(|i| holds(cx.text(i - 1), cx.text(i)))))
}
