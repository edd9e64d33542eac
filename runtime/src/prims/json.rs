//! JSON: `null` is nil, objects are dicts in order, arrays are lists. Numbers without `.` or `e`
//! are exact integers of any size.
//!
//! Invariant: depth is bounded by memory: the native stack grows as needed, and cyclic data is
//! refused at a depth no real document has.

use super::dicts::{build, key_string, size_of_built};
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::list::size_of_list;
use crate::num::{Num, Parsed};
use crate::number::size_of_number;
use crate::string::size_of_string;
use crate::value::{Value, Word};

prims! { JSON {
    /// The JSON text of a value. Symbols and keywords become strings, rationals decimals; sets and
    /// vectors become arrays.
    "json-encode" | "json-stringify" (x: Any) -> String, Reads, encode, ["(json-encode {:a (list 1 2.5 nil true \"x\\n\")}) ; => \"{\\\"a\\\":[1,2.5,null,true,\\\"x\\\\n\\\"]}\""];
    /// The value of a JSON text.
    "json-decode" | "json-parse" (s: String) -> Any, Allocates, decode, ["(json-decode \"{\\\"a\\\": [1, 2.5, null, true]}\") ; => {:a (1 2.5 nil true)}", "(json-decode \"[1,\") ; error: json-decode: expected a value at 3", "(json-decode \"{\\\"a\\\" 1}\") ; error: json-decode: expected : at 5"];
} }

/// Deeper nesting is refused; a cycle is such.
const DEPTH_MAX: usize = 100_000;

/// Runs `f` with enough native stack for one level more.
fn deeper<T>(f: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(64 * 1024, 1024 * 1024, f)
}

fn encode(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut out = String::new();
    encode_onto(cx, &mut out, cx.arg(0), 0)?;
    cx.give_string(&out)
}

fn encode_onto(cx: &Cx<'_>, out: &mut String, v: Value<'_>, depth: usize) -> Result<(), Raise> {
    if depth > DEPTH_MAX {
        return Err(Raise::new(
            Code::Value,
            "json-encode: the value contains itself, or is nested too deeply",
        ));
    }
    if let Some(n) = v.as_number() {
        return number_onto(out, &n);
    }
    if let Some(dict) = v.as_dict() {
        let entries: Vec<_> = cx.heap().dict_entries(dict).collect();
        out.push('{');
        for (i, (key, value)) in entries.into_iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            string_onto(out, key.as_str().unwrap_or_default());
            out.push(':');
            deeper(|| encode_onto(cx, out, value, depth + 1))?;
        }
        out.push('}');
        return Ok(());
    }
    if let Some(text) = v.as_name() {
        string_onto(out, text);
        return Ok(());
    }
    match v.word() {
        Word::NIL => out.push_str("null"),
        Word::TRUE => out.push_str("true"),
        Word::FALSE => out.push_str("false"),
        word if word.is_char() => string_onto(out, word.as_char().unwrap_or(' ').encode_utf8(&mut [0; 4])),
        _ if v.is_list() || v.as_vector().is_some() || v.as_set().is_some() => {
            out.push('[');
            for (i, item) in super::seq::items("json-encode", v)?.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                deeper(|| encode_onto(cx, out, item, depth + 1))?;
            }
            out.push(']');
        }
        _ => {
            return Err(Raise::new(
                Code::Type,
                format!("json-encode: no JSON for {}", v.type_name()),
            ));
        }
    }
    Ok(())
}

fn number_onto(out: &mut String, n: &Num) -> Result<(), Raise> {
    let float = match n {
        Num::Int(_) | Num::Big(_) => {
            out.push_str(&n.to_text(10));
            return Ok(());
        }
        n => n.to_f64(),
    };
    if !float.is_finite() {
        return Err(Raise::new(
            Code::Value,
            "json-encode: no JSON for a number that is not finite",
        ));
    }
    out.push_str(&crate::num::format_float(float));
    Ok(())
}

fn string_onto(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A document before it has a place in the heap.
enum Json {
    Plain(Word),
    Number(Num),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Bytes to reserve for it.
    fn size(&self) -> usize {
        match self {
            Json::Plain(_) => 0,
            Json::Number(n) => size_of_number(n),
            Json::Text(text) => size_of_string(text.len()),
            Json::Array(items) => deeper(|| items.iter().map(Json::size).sum::<usize>()) + size_of_list(items.len()),
            Json::Object(entries) => {
                let inner = |(key, value): &(String, Json)| size_of_string(key.len()) + value.size();
                deeper(|| entries.iter().map(inner).sum::<usize>()) + size_of_built(entries.len())
            }
        }
    }
    /// Its value. Spends `size()`.
    fn make<'h>(&self, heap: &'h Heap) -> Value<'h> {
        match self {
            Json::Plain(word) => Value::immediate(*word),
            Json::Number(n) => heap.number(n),
            Json::Text(text) => heap.string(text),
            Json::Array(items) => {
                let items: Vec<Value<'h>> = deeper(|| items.iter().map(|item| item.make(heap)).collect());
                heap.list(&items)
            }
            Json::Object(entries) => {
                let make = |(key, value): &(String, Json)| (heap.string(key), value.make(heap));
                let entries: Vec<(Value<'h>, Value<'h>)> = deeper(|| entries.iter().map(make).collect());
                debug_assert!(entries.iter().all(|(key, _)| key_string(heap, *key).is_some()));
                build(heap, entries)
            }
        }
    }
}

fn decode(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let json = Parser {
        text: cx.text(0),
        at: 0,
    }
    .document()?;
    cx.reserve(json.size())?;
    Ok(json.make(cx.heap()).word())
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn document(mut self) -> Result<Json, Raise> {
        let json = self.value(0)?;
        self.space();
        if self.at < self.text.len() {
            Err(self.wrong("the end"))
        } else {
            Ok(json)
        }
    }
    #[cold]
    fn wrong(&self, expected: &str) -> Raise {
        let place = self.text[..self.at].chars().count();
        Raise::new(Code::Read, format!("json-decode: expected {expected} at {place}"))
    }
    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at = self.text.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }
    fn take(&mut self, token: &str) -> bool {
        let there = self.text[self.at..].starts_with(token);
        if there {
            self.at += token.len();
        }
        there
    }
    fn value(&mut self, depth: usize) -> Result<Json, Raise> {
        if depth > DEPTH_MAX {
            return Err(self.wrong("less nesting"));
        }
        self.space();
        if self.take("{") {
            return deeper(|| self.object(depth));
        }
        if self.take("[") {
            return deeper(|| self.array(depth));
        }
        if self.take("\"") {
            return self.string().map(Json::Text);
        }
        for (token, word) in [("null", Word::NIL), ("true", Word::TRUE), ("false", Word::FALSE)] {
            if self.take(token) {
                return Ok(Json::Plain(word));
            }
        }
        self.number()
    }
    fn array(&mut self, depth: usize) -> Result<Json, Raise> {
        let mut items = Vec::new();
        self.space();
        if self.take("]") {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take("]") {
                return Ok(Json::Array(items));
            }
            if !self.take(",") {
                return Err(self.wrong(", or ]"));
            }
        }
    }
    fn object(&mut self, depth: usize) -> Result<Json, Raise> {
        let mut entries = Vec::new();
        self.space();
        if self.take("}") {
            return Ok(Json::Object(entries));
        }
        loop {
            self.space();
            if !self.take("\"") {
                return Err(self.wrong("a key"));
            }
            let key = self.string()?;
            self.space();
            if !self.take(":") {
                return Err(self.wrong(":"));
            }
            entries.push((key, self.value(depth + 1)?));
            self.space();
            if self.take("}") {
                return Ok(Json::Object(entries));
            }
            if !self.take(",") {
                return Err(self.wrong(", or }"));
            }
        }
    }
    /// A string behind its opening quote.
    fn string(&mut self) -> Result<String, Raise> {
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(plain) = rest.find(|c: char| c == '"' || c == '\\' || u32::from(c) < 0x20) else {
                self.at = self.text.len();
                return Err(self.wrong("\""));
            };
            out.push_str(&rest[..plain]);
            self.at += plain;
            if self.take("\"") {
                return Ok(out);
            }
            if !self.take("\\") {
                return Err(self.wrong("no control character"));
            }
            out.push(self.escape()?);
        }
    }
    fn escape(&mut self) -> Result<char, Raise> {
        let Some(c) = self.text[self.at..].chars().next() else {
            return Err(self.wrong("an escape"));
        };
        let plain = match c {
            '"' | '\\' | '/' => c,
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                self.at += 1;
                return self.code_point();
            }
            _ => return Err(self.wrong("an escape")),
        };
        self.at += 1;
        Ok(plain)
    }
    /// The character of `XXXX`, or of two halves `XXXX\uXXXX`. A lone half becomes U+FFFD.
    fn code_point(&mut self) -> Result<char, Raise> {
        let high = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or('\u{fffd}'));
        }
        let before = self.at;
        if self.take("\\u") {
            let low = self.four_digits()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            self.at = before;
        }
        Ok('\u{fffd}')
    }
    fn four_digits(&mut self) -> Result<u32, Raise> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.wrong("four hexadecimal digits"))?;
        self.at += 4;
        Ok(code)
    }
    fn number(&mut self) -> Result<Json, Raise> {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c))
            .unwrap_or(rest.len());
        let token = &rest[..end];
        let digits = token.strip_prefix('-').unwrap_or(token);
        let shaped = digits.starts_with(|c: char| c.is_ascii_digit())
            && !digits.ends_with('.')
            && !(digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit())
            && token.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
        match Num::parse(token) {
            Parsed::Number(n) if shaped => {
                self.at += end;
                Ok(Json::Number(n))
            }
            _ => Err(self.wrong("a value")),
        }
    }
}

impl Drop for Json {
    /// A deep document is dropped without deep recursion.
    fn drop(&mut self) {
        let mut todo = take_children(self);
        while let Some(mut json) = todo.pop() {
            todo.append(&mut take_children(&mut json));
        }
    }
}

fn take_children(json: &mut Json) -> Vec<Json> {
    match json {
        Json::Array(items) => std::mem::take(items),
        Json::Object(entries) => std::mem::take(entries).into_iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    }
}
