//! Strings that can be changed. What these make is new each time; a literal, and what SX made,
//! cannot be changed.

use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::object::Type;
use crate::prims::chars::{fold, fold_char};
use crate::prims::seq::{check_range, list_items, out_of_range};
use crate::prims::{Cx, prims};
use crate::string::size_of_string;
use crate::value::{Value, Word};

prims! { STRINGS {
    /// A new string of n times the same character, a space if none is given.
    "%scheme:make-string" (n: Index, fill: Char optional) -> String, Allocates, make_string, ["(%scheme:make-string 2 #\\a) ; => \"aa\""];
    /// A new string of the characters.
    "%scheme:string" (chars: Char rest) -> String, Allocates, |cx| { let text = cx.all_args().filter_map(|c| c.word().as_char()).collect::<String>(); give_text(cx, &text) }, ["(%scheme:string #\\a #\\b) ; => \"ab\""];
    /// A new string of the part from start up to end.
    "%scheme:substring" (s: String, start: Index, end: Index optional) -> String, Allocates, |cx| copy(cx, "substring"), ["(%scheme:substring \"abc\" 1 2) ; => \"b\""];
    /// A new string of all the characters, or those from start up to end.
    "%scheme:string-copy" (s: String, start: Index optional, end: Index optional) -> String, Allocates, |cx| copy(cx, "string-copy"), ["(%scheme:string-copy \"abc\" 1) ; => \"bc\""];
    /// A new string of the strings, one after the other.
    "%scheme:string-append" (ss: String rest) -> String, Allocates, append, ["(%scheme:string-append \"a\" \"b\") ; => \"ab\"", "(%scheme:string-append \"a\" 1) ; error: string-append: expected string, got number"];
    /// A new string of a list of characters.
    "%scheme:list->string" (chars: Any) -> String, Allocates, list_to_string, ["(%scheme:list->string (list #\\a)) ; => \"a\"", "(%scheme:list->string (list 1)) ; error: list->string: expected char, got number"];
    /// A new string of the characters of a vector, or of its part from start up to end.
    "%scheme:vector->string" (v: Vector, start: Index optional, end: Index optional) -> String, Allocates, vector_to_string, ["(%scheme:vector->string (vector #\\a)) ; => \"a\""];
    /// A new string of the text that bytes are in UTF-8.
    "%scheme:utf8->string" (b: Bytes, start: Index optional, end: Index optional) -> String, Allocates, utf8_to_string, ["(%scheme:utf8->string (bytevector 97)) ; => \"a\""];
    /// Replaces character i.
    "%scheme:string-set!" (s: String, i: Index, c: Char) -> Nil, Writes, string_set, ["(let ((s (%scheme:make-string 2 #\\a))) (%scheme:string-set! s 1 #\\b) s) ; => \"ab\"", "(%scheme:string-set! \"a\" 0 #\\b) ; error: string-set!: this string cannot be changed"];
    /// Replaces all characters, or those from start up to end.
    "%scheme:string-fill!" (s: String, c: Char, start: Index optional, end: Index optional) -> Nil, Writes, string_fill, ["(let ((s (%scheme:make-string 3 #\\a))) (%scheme:string-fill! s #\\b 1) s) ; => \"abb\""];
    /// Copies the characters of from (or those from start up to end) to place at of s.
    "%scheme:string-copy!" (s: String, at: Index, from: String, start: Index optional, end: Index optional) -> Nil, Writes, copy_into, ["(let ((s (%scheme:make-string 3 #\\a))) (%scheme:string-copy! s 1 \"xy\") s) ; => \"axy\""];
    /// As it is compared where case does not count.
    "%scheme:string-foldcase" (s: String) -> String, Allocates, |cx| { let text = fold(cx.text(0)); give_text(cx, &text) }, ["(%scheme:string-foldcase \"aB\") ; => \"ab\""];
    /// The character that stands for it where case does not count.
    "%scheme:char-foldcase" (c: Char) -> Char, Pure, |cx| Ok(Word::char(fold_char(cx.arg(0).word().as_char().unwrap_or(' ')))), ["(%scheme:char-foldcase #\\A) ; => #\\a"];
    /// Are the strings equal but for case?
    "%scheme:string-ci=?" (a: String, more: String rest) -> Bool, Reads, |cx| strings(cx, |a, b| a == b), ["(%scheme:string-ci=? \"aB\" \"Ab\") ; => true"];
    /// Does each string come before the next, case aside?
    "%scheme:string-ci<?" (a: String, more: String rest) -> Bool, Reads, |cx| strings(cx, |a, b| a < b), ["(%scheme:string-ci<? \"a\" \"B\") ; => true"];
    /// Does each string come after the next, case aside?
    "%scheme:string-ci>?" (a: String, more: String rest) -> Bool, Reads, |cx| strings(cx, |a, b| a > b), ["(%scheme:string-ci>? \"a\" \"B\") ; => false"];
    /// Does no string come after the next, case aside?
    "%scheme:string-ci<=?" (a: String, more: String rest) -> Bool, Reads, |cx| strings(cx, |a, b| a <= b), ["(%scheme:string-ci<=? \"a\" \"A\") ; => true"];
    /// Does no string come before the next, case aside?
    "%scheme:string-ci>=?" (a: String, more: String rest) -> Bool, Reads, |cx| strings(cx, |a, b| a >= b), ["(%scheme:string-ci>=? \"a\" \"A\") ; => true"];
    /// Are the characters equal but for case?
    "%scheme:char-ci=?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chars(cx, |a, b| a == b), ["(%scheme:char-ci=? #\\a #\\A) ; => true"];
    /// Does each character come before the next, case aside?
    "%scheme:char-ci<?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chars(cx, |a, b| a < b), ["(%scheme:char-ci<? #\\a #\\B) ; => true"];
    /// Does each character come after the next, case aside?
    "%scheme:char-ci>?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chars(cx, |a, b| a > b), ["(%scheme:char-ci>? #\\a #\\B) ; => false"];
    /// Does no character come after the next, case aside?
    "%scheme:char-ci<=?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chars(cx, |a, b| a <= b), ["(%scheme:char-ci<=? #\\a #\\A) ; => true"];
    /// Does no character come before the next, case aside?
    "%scheme:char-ci>=?" (a: Char, more: Char rest) -> Bool, Pure, |cx| chars(cx, |a, b| a >= b), ["(%scheme:char-ci>=? #\\a #\\A) ; => true"];
} }

/// A new string that can be changed as the answer.
fn give_text(cx: &mut Cx<'_>, text: &str) -> Result<Word, Raise> {
    cx.reserve(size_of_string(text.len()) + Heap::SIZE_OF_TEXT)?;
    let heap = cx.heap();
    Ok(heap.text(heap.string(text)).word())
}

fn make_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = cx.index(0);
    let fill = cx.arg(1).word().as_char().unwrap_or(' ');
    let bytes = n.saturating_mul(fill.len_utf8()).min(usize::MAX / 4);
    cx.reserve(size_of_string(bytes).saturating_add(Heap::SIZE_OF_TEXT))?;
    let heap = cx.heap();
    let text: String = std::iter::repeat_n(fill, n).collect();
    Ok(heap.text(heap.string(&text)).word())
}

fn copy(cx: &mut Cx<'_>, who: &str) -> Result<Word, Raise> {
    let (start, end) = cx.range(who, 1, cx.arg(0).string_len().unwrap_or(0))?;
    let bytes = cx.heap().string_slice(cx.arg(0), start, end).len();
    cx.reserve(size_of_string(bytes) + Heap::SIZE_OF_TEXT)?;
    let heap = cx.heap();
    Ok(heap.text(heap.string(&heap.string_slice(cx.arg(0), start, end))).word())
}

fn append(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let bytes: usize = (0..cx.argc()).map(|i| cx.text(i).len()).sum();
    cx.reserve(size_of_string(bytes).saturating_add(Heap::SIZE_OF_TEXT))?;
    let mut text = String::with_capacity(bytes);
    (0..cx.argc()).for_each(|i| text.push_str(cx.text(i)));
    let heap = cx.heap();
    Ok(heap.text(heap.string(&text)).word())
}

fn of_chars<'h>(who: &str, chars: impl Iterator<Item = Value<'h>>) -> Result<String, Raise> {
    let char_of = |v: Value<'_>| {
        let wrong = || format!("{who}: expected char, got {}", v.type_name());
        v.word().as_char().ok_or_else(|| Raise::new(Code::Type, wrong()))
    };
    chars.map(char_of).collect()
}

fn list_to_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let chars = list_items("list->string", cx.arg(0))?;
    let text = of_chars("list->string", chars.into_iter())?;
    give_text(cx, &text)
}

fn vector_to_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let len = cx.arg(0).as_vector().map_or(0, |v| v.len());
    let (start, end) = cx.range("vector->string", 1, len)?;
    let items = cx.arg(0).as_vector().into_iter().flat_map(|v| v.iter());
    let text = of_chars("vector->string", items.skip(start).take(end - start))?;
    give_text(cx, &text)
}

fn utf8_to_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let bytes = cx.arg(0).bytes_to_vec().unwrap_or_default();
    let (start, end) = cx.range("utf8->string", 1, bytes.len())?;
    let text = String::from_utf8(bytes[start..end].to_vec());
    let text = text.map_err(|_| Raise::new(Code::Value, "utf8->string: not UTF-8 text").with_arg(0))?;
    give_text(cx, &text)
}

fn check_mutable(cx: &Cx<'_>, who: &str) -> Result<(), Raise> {
    if cx.arg(0).is(Type::Text) {
        return Ok(());
    }
    Err(Raise::new(Code::Type, format!("{who}: this string cannot be changed")).with_arg(0))
}

fn string_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    check_mutable(cx, "string-set!")?;
    let (i, len) = (cx.index(1), cx.arg(0).string_len().unwrap_or(0));
    if i >= len {
        return Err(out_of_range("string-set!", i, len));
    }
    let c = cx.arg(2).word().as_char().unwrap_or(' ');
    put(cx, i, c.encode_utf8(&mut [0; 4]))
}

/// Writes characters over those of the string in operand 0 from place `at` on, which are there.
fn put(cx: &mut Cx<'_>, at: usize, by: &str) -> Result<Word, Raise> {
    if !cx.put(at, by) {
        cx.reserve(Heap::size_of_wide(cx.arg(0).string_len().unwrap_or(0)))?;
        cx.heap().widen(cx.arg(0));
        cx.put(at, by);
    }
    Ok(Word::NIL)
}

fn string_fill(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    check_mutable(cx, "string-fill!")?;
    let (start, end) = cx.range("string-fill!", 2, cx.arg(0).string_len().unwrap_or(0))?;
    let c = cx.arg(1).word().as_char().unwrap_or(' ');
    put(cx, start, &String::from_iter(std::iter::repeat_n(c, end - start)))
}

fn copy_into(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    check_mutable(cx, "string-copy!")?;
    let (start, end) = cx.range("string-copy!", 3, cx.arg(2).string_len().unwrap_or(0))?;
    let (at, len) = (cx.index(1), cx.arg(0).string_len().unwrap_or(0));
    check_range("string-copy!", at, at + (end - start), len)?;
    let by = cx.heap().string_slice(cx.arg(2), start, end).into_owned();
    put(cx, at, &by)
}

fn strings(cx: &mut Cx<'_>, holds: fn(&str, &str) -> bool) -> Result<Word, Raise> {
    let folded: Vec<String> = (0..cx.argc()).map(|i| fold(cx.text(i))).collect();
    Ok(Word::bool(folded.windows(2).all(|two| holds(&two[0], &two[1]))))
}

fn chars(cx: &mut Cx<'_>, holds: fn(char, char) -> bool) -> Result<Word, Raise> {
    let folded: Vec<char> = cx
        .all_args()
        .filter_map(|c| c.word().as_char())
        .map(fold_char)
        .collect();
    Ok(Word::bool(folded.windows(2).all(|two| holds(two[0], two[1]))))
}
