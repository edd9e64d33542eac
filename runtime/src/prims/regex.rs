//! Regular expressions that always take time linear in the text. Patterns come first. What takes
//! a function (`regex-replace` with one) is SX over `%regex-pieces`.
//!
//! Invariant: a pattern is compiled once while it is among those used lately, and shared: a copy of a
//! `Regex` would begin with empty caches, which cost more to fill than most texts to search.

use super::seq::LIST_MAX;
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::list::size_of_list;
use crate::string::size_of_string;
use crate::value::{Value, Word};
use regex::{Captures, Regex};
use std::collections::HashMap;
use std::sync::Arc;

prims! { REGEX {
    /// The first match of a pattern in s: a list of the matched text and the text of each group (nil
    /// for one that took no part); nil if there is none.
    "regex-match" (pattern: String, s: String) -> Any, Allocates, regex_match, ["(regex-match \"(\\\\d+)-(\\\\d+)\" \"on 10-20\") ; => (\"10-20\" \"10\" \"20\")", "(regex-match \"x\" \"abc\") ; => nil"];
    /// Does the pattern match somewhere in s?
    "regex-match?" (pattern: String, s: String) -> Bool, Pure, |cx| { let regex = compiled(cx)?; Ok(Word::bool(regex.is_match(cx.text(1)))) }, ["(regex-match? \"^a.c$\" \"abc\") ; => true"];
    /// The texts of all matches that do not overlap.
    "regex-find-all" (pattern: String, s: String) -> List, Allocates, find_all, ["(regex-find-all \"\\\\d+\" \"1 and 22\") ; => (\"1\" \"22\")"];
    /// s with every match replaced; $1 or ${name} in the replacement stands for a group, $$ for a dollar.
    "%regex-replace" (pattern: String, s: String, replacement: String) -> String, Pure, replace, ["(%regex-replace \"(\\\\w)(\\\\w)\" \"abcd\" \"$2$1\") ; => \"badc\""];
    /// The parts of s between the matches.
    "regex-split" (pattern: String, s: String) -> List, Allocates, split, ["(regex-split \",\\\\s*\" \"a, b,c\") ; => (\"a\" \"b\" \"c\")"];
    /// s in pieces: the texts between the matches as strings and the matches as lists, in turn.
    "%regex-pieces" (pattern: String, s: String) -> List, Allocates, pieces, ["(%regex-pieces \"b(.)\" \"abcd\") ; => (\"a\" (\"bc\" \"c\") \"d\")"];
    /// The text with every character that means something in a pattern escaped.
    "regex-escape" (s: String) -> String, Pure, |cx| { let text = regex::escape(cx.text(0)); cx.give_string(&text) }, ["(regex-escape \"a.b\") ; => \"a\\\\.b\""];
} }

/// Compiled patterns by their text; forgotten all at once when there are many.
pub type Patterns = HashMap<String, Arc<Regex>>;

const PATTERNS_MAX: usize = 128;

/// The pattern in operand 0.
fn compiled(cx: &mut Cx<'_>) -> Result<Arc<Regex>, Raise> {
    let pattern = cx.text(0).to_string();
    if let Some(regex) = cx.state().patterns.get(&pattern) {
        return Ok(regex.clone());
    }
    let regex = Regex::new(&pattern).map_err(|error| Raise::new(Code::Value, fault(&pattern, &error)).with_arg(0))?;
    let regex = Arc::new(regex);
    let patterns = &mut cx.state().patterns;
    if patterns.len() >= PATTERNS_MAX {
        patterns.clear();
    }
    patterns.insert(pattern, regex.clone());
    Ok(regex)
}

/// What is wrong with a pattern, and at which character of it.
fn fault(pattern: &str, error: &regex::Error) -> String {
    use regex_syntax::Error;
    let (what, at) = match regex_syntax::parse(pattern) {
        Err(Error::Parse(error)) => (error.kind().to_string(), error.span().start.offset),
        Err(Error::Translate(error)) => (error.kind().to_string(), error.span().start.offset),
        _ => match error {
            regex::Error::CompiledTooBig(_) => return "regex: the pattern is too large".into(),
            error => return format!("regex: {error}"),
        },
    };
    let place = pattern.get(..at).map_or(0, |before| before.chars().count());
    format!("regex: {what} at {place}")
}

/// The texts of a match and its groups.
fn texts(captures: &Captures<'_>) -> Vec<Option<String>> {
    captures
        .iter()
        .map(|group| group.map(|m| m.as_str().to_string()))
        .collect()
}

fn size_of_texts(texts: &[Option<String>]) -> usize {
    let strings: usize = texts.iter().flatten().map(|text| size_of_string(text.len())).sum();
    strings + size_of_list(texts.len())
}

fn make_texts<'h>(heap: &'h crate::heap::Heap, texts: &[Option<String>]) -> Value<'h> {
    let values: Vec<Value<'h>> = texts
        .iter()
        .map(|text| text.as_ref().map_or(Value::NIL, |text| heap.string(text)))
        .collect();
    heap.list(&values)
}

fn regex_match(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let regex = compiled(cx)?;
    let Some(texts) = regex.captures(cx.text(1)).map(|captures| texts(&captures)) else {
        return Ok(Word::NIL);
    };
    cx.reserve(size_of_texts(&texts))?;
    Ok(make_texts(cx.heap(), &texts).word())
}

fn find_all(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let regex = compiled(cx)?;
    let found: Vec<String> = regex.find_iter(cx.text(1)).map(|m| m.as_str().to_string()).collect();
    cx.give_strings(&found)
}

fn replace(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let regex = compiled(cx)?;
    let text = regex.replace_all(cx.text(1), cx.text(2)).into_owned();
    cx.give_string(&text)
}

fn split(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let regex = compiled(cx)?;
    let parts: Vec<String> = regex.split(cx.text(1)).map(str::to_string).collect();
    cx.give_strings(&parts)
}

enum Piece {
    Text(String),
    Match(Vec<Option<String>>),
}

fn pieces(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let regex = compiled(cx)?;
    let text = cx.text(1);
    let mut pieces = Vec::new();
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        if whole.start() > end {
            pieces.push(Piece::Text(text[end..whole.start()].to_string()));
        }
        pieces.push(Piece::Match(texts(&captures)));
        end = whole.end();
    }
    if end < text.len() {
        pieces.push(Piece::Text(text[end..].to_string()));
    }
    debug_assert!(pieces.len() <= LIST_MAX);
    let bytes: usize = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => size_of_string(text.len()),
            Piece::Match(texts) => size_of_texts(texts),
        })
        .sum();
    cx.reserve(bytes + size_of_list(pieces.len()))?;
    let heap = cx.heap();
    let values: Vec<Value<'_>> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => heap.string(text),
            Piece::Match(texts) => make_texts(heap, texts),
        })
        .collect();
    Ok(heap.list(&values).word())
}
