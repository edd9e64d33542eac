//! Vectors and bytevectors.
//!
//! Invariant: every index and range is checked before the first element is written, so an error
//! leaves the vector as it was.

use super::seq::{items, list_items, list_len, out_of_range};
use super::{Cx, prims};
use crate::bytes::size_of_bytevector;
use crate::error::{Code, Raise};
use crate::value::{Value, Word};
use crate::vector::{Vector, size_of_vector};

prims! { VECTORS {
    /// A new vector of the arguments.
    "vector" (xs: Any rest) -> Vector, Allocates, |cx| give_vector(cx, |cx| Ok(cx.argc()), |cx| Ok(cx.all_args().collect())), ["(vector 1 2) ; => #(1 2)"];
    /// A new vector of n times the same item, nil if none is given.
    "make-vector" (n: Index, fill: Any optional) -> Vector, Allocates, make_vector, ["(make-vector 2 0) ; => #(0 0)"];
    /// How many items.
    "vector-length" (v: Vector) -> Index, Pure, |cx| Ok(Word::fixnum(vector(cx, 0).map_or(0, |v| v.len()) as i64)), ["(vector-length (vector 1 2 3)) ; => 3"];
    /// Item i.
    "vector-ref" (v: Vector, i: Index) -> Any, Reads, vector_ref, ["(vector-ref (vector 1 2) 1) ; => 2", "(vector-ref (vector 1 2) 2) ; error: vector-ref: index 2 out of range (length 2)"];
    /// Replaces item i in place.
    "vector-set!" (v: Vector, i: Index, x: Any) -> Nil, Writes, vector_set, ["(let ((v (vector 1 2))) (vector-set! v 0 :x) v) ; => #(\"x\" 2)"];
    /// The items, or those from start up to end, as a list.
    "vector->list" (v: Vector, start: Index optional, end: Index optional) -> List, Allocates, vector_to_list, ["(vector->list (vector 1 2 3) 1) ; => (2 3)"];
    /// The items of a list as a vector.
    "list->vector" | "%list->vector" (xs: List) -> Vector, Allocates, |cx| give_vector(cx, |cx| list_len("list->vector", cx.arg(0)), |cx| list_items("list->vector", cx.arg(0))), ["(list->vector (list 1 2)) ; => #(1 2)"];
    /// Replaces all items, or those from start up to end, in place.
    "vector-fill!" (v: Vector, x: Any, start: Index optional, end: Index optional) -> Nil, Writes, vector_fill, ["(let ((v (make-vector 3 0))) (vector-fill! v 7 1) v) ; => #(0 7 7)"];
    /// A new vector of the items, or of those from start up to end.
    "vector-copy" | "subvector" (v: Vector, start: Index optional, end: Index optional) -> Vector, Allocates, vector_copy, ["(vector-copy (vector 1 2 3) 1 2) ; => #(2)"];
    /// Copies the items of from (or those from start up to end) to place at of v, in place.
    "vector-copy!" (v: Vector, at: Index, from: Vector, start: Index optional, end: Index optional) -> Nil, Writes, vector_copy_into, ["(let ((v (vector 1 2 3))) (vector-copy! v 1 (vector 8 9)) v) ; => #(1 8 9)"];
    /// A new vector of the items of all.
    "vector-append" (vs: Vector rest) -> Vector, Allocates, vector_append, ["(vector-append (vector 1) (vector 2)) ; => #(1 2)"];
    /// The string of a vector of characters.
    "vector->string" (v: Vector, start: Index optional, end: Index optional) -> String, Reads, vector_to_string, ["(vector->string (vector #\\a #\\b)) ; => \"ab\""];
    /// The characters of a string.
    "string->vector" (s: String, start: Index optional, end: Index optional) -> Vector, Allocates, string_to_vector, ["(string->vector \"ab\") ; => #(#\\a #\\b)"];
} }

prims! { BYTES {
    /// A new bytevector of the arguments.
    "bytevector" (bytes: Int rest) -> Bytes, Allocates, bytevector, ["(bytevector 1 255) ; => #u8(1 255)", "(bytevector 256) ; error: bytevector: expected a byte, got 256"];
    /// A new bytevector of n times the same byte, 0 if none is given.
    "make-bytevector" (n: Index, fill: Int optional) -> Bytes, Allocates, make_bytevector, ["(make-bytevector 2 7) ; => #u8(7 7)"];
    /// How many bytes.
    "bytevector-length" (b: Bytes) -> Index, Pure, |cx| Ok(Word::fixnum(len(cx) as i64)), ["(bytevector-length (bytevector 1 2)) ; => 2"];
    /// Byte i.
    "bytevector-u8-ref" (b: Bytes, i: Index) -> Index, Reads, byte_ref, ["(bytevector-u8-ref (bytevector 5 6) 1) ; => 6"];
    /// Replaces byte i in place.
    "bytevector-u8-set!" (b: Bytes, i: Index, byte: Int) -> Nil, Writes, byte_set, ["(let ((b (bytevector 1 2))) (bytevector-u8-set! b 0 9) b) ; => #u8(9 2)"];
    /// A new bytevector of the bytes, or of those from start up to end.
    "bytevector-copy" (b: Bytes, start: Index optional, end: Index optional) -> Bytes, Allocates, byte_copy, ["(bytevector-copy (bytevector 1 2 3) 1) ; => #u8(2 3)"];
    /// Copies the bytes of from (or those from start up to end) to place at of b, in place.
    "bytevector-copy!" (b: Bytes, at: Index, from: Bytes, start: Index optional, end: Index optional) -> Nil, Writes, byte_copy_into, ["(let ((b (bytevector 1 2 3))) (bytevector-copy! b 1 (bytevector 8 9)) b) ; => #u8(1 8 9)"];
    /// Replaces all bytes, or those from start up to end, in place.
    "bytevector-fill!" (b: Bytes, byte: Int, start: Index optional, end: Index optional) -> Nil, Writes, byte_fill, ["(let ((b (bytevector 1 2))) (bytevector-fill! b 0) b) ; => #u8(0 0)"];
    /// The place from which part, a bytevector or string, stands in b, not before start; nil if nowhere.
    "bytevector-index-of" (b: Bytes, part: Any, start: Index optional) -> Any, Reads, byte_index_of, ["(bytevector-index-of (bytevector 1 2 3 2 3) (bytevector 2 3) 2) ; => 3", "(bytevector-index-of (bytevector 97 98) \"b\") ; => 1", "(bytevector-index-of (bytevector 1) (bytevector 2)) ; => nil"];
    /// A new bytevector of the bytes of all.
    "bytevector-append" (bs: Bytes rest) -> Bytes, Allocates, byte_append, ["(bytevector-append (bytevector 1) (bytevector 2)) ; => #u8(1 2)"];
    /// The text that bytes are in UTF-8.
    "utf8->string" (b: Bytes, start: Index optional, end: Index optional) -> String, Reads, utf8_to_string, ["(utf8->string (bytevector 206 187)) ; => \"λ\"", "(utf8->string (bytevector 255)) ; error: utf8->string: not UTF-8 text"];
    /// The bytes of a text in UTF-8.
    "string->utf8" (s: String, start: Index optional, end: Index optional) -> Bytes, Allocates, string_to_utf8, ["(string->utf8 \"λ\") ; => #u8(206 187)"];
    /// The bytes as a list.
    "bytevector->list" (b: Bytes) -> List, Allocates, |cx| cx.give_list(|cx| Ok(len(cx)), |cx| Ok(bytes_of(cx, 0).into_iter().map(|b| Value::fixnum(i64::from(b))).collect())), ["(bytevector->list (bytevector 1 2)) ; => (1 2)"];
    /// The bytevector of a list of bytes.
    "list->bytevector" (xs: List) -> Bytes, Allocates, list_to_bytevector, ["(list->bytevector (list 1 2)) ; => #u8(1 2)"];
} }

fn vector<'h>(cx: &'h Cx<'_>, i: usize) -> Option<Vector<'h>> {
    cx.arg(i).as_vector()
}

fn vector_len(cx: &Cx<'_>, i: usize) -> usize {
    vector(cx, i).map_or(0, |v| v.len())
}

/// A vector as the answer: `count` says how many items, `make` reads them once there is room.
fn give_vector(
    cx: &mut Cx<'_>,
    count: impl FnOnce(&Cx<'_>) -> Result<usize, Raise>,
    make: impl for<'h> FnOnce(&'h Cx<'_>) -> Result<Vec<Value<'h>>, Raise>,
) -> Result<Word, Raise> {
    let count = count(cx)?;
    cx.reserve(size_of_vector(count))?;
    let items = make(cx)?;
    debug_assert!(items.len() <= count);
    Ok(cx.heap().vector_from(&items).word())
}

fn make_vector(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = cx.index(0);
    if n > usize::MAX / 64 {
        return Err(Raise::Memory);
    }
    cx.reserve(size_of_vector(n))?;
    Ok(cx.heap().vector(n, cx.arg(1)).word())
}

fn vector_ref(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let i = cx.index(1);
    let item = vector(cx, 0).and_then(|v| v.get(i));
    item.map(Value::word)
        .ok_or_else(|| out_of_range("vector-ref", i, vector_len(cx, 0)))
}

fn vector_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let i = cx.index(1);
    match vector(cx, 0) {
        Some(v) if i < v.len() => cx.heap().vector_set(v, i, cx.arg(2)),
        _ => return Err(out_of_range("vector-set!", i, vector_len(cx, 0))),
    }
    Ok(Word::NIL)
}

fn vector_to_list(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("vector->list", 1, vector_len(cx, 0))?;
    cx.give_list(
        |_| Ok(end - start),
        |cx| Ok(items("vector->list", cx.arg(0))?[start..end].to_vec()),
    )
}

/// The part of the vector in operand 0 from `start` up to `end`, both within it.
pub(super) fn give_part(cx: &mut Cx<'_>, start: usize, end: usize) -> Result<Word, Raise> {
    give_vector(
        cx,
        |_| Ok(end - start),
        |cx| Ok(items("vector-copy", cx.arg(0))?[start..end].to_vec()),
    )
}

fn vector_copy(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("vector-copy", 1, vector_len(cx, 0))?;
    give_part(cx, start, end)
}

fn vector_fill(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("vector-fill!", 2, vector_len(cx, 0))?;
    if let Some(v) = vector(cx, 0) {
        for i in start..end {
            cx.heap().vector_set(v, i, cx.arg(1));
        }
    }
    Ok(Word::NIL)
}

fn vector_copy_into(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("vector-copy!", 3, vector_len(cx, 2))?;
    let at = cx.index(1);
    if at.saturating_add(end - start) > vector_len(cx, 0) {
        return Err(out_of_range(
            "vector-copy!",
            at.saturating_add(end - start),
            vector_len(cx, 0),
        ));
    }
    if let (Some(to), Some(from)) = (vector(cx, 0), vector(cx, 2)) {
        // Read before writing: the two may be one vector.
        let items: Vec<Value<'_>> = from.iter().skip(start).take(end - start).collect();
        for (i, item) in items.into_iter().enumerate() {
            cx.heap().vector_set(to, at + i, item);
        }
    }
    Ok(Word::NIL)
}

fn vector_append(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    give_vector(
        cx,
        |cx| Ok((0..cx.argc()).map(|i| vector_len(cx, i)).sum()),
        |cx| {
            Ok(cx
                .all_args()
                .filter_map(Value::as_vector)
                .flat_map(Vector::iter)
                .collect())
        },
    )
}

fn vector_to_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("vector->string", 1, vector_len(cx, 0))?;
    let chars = items("vector->string", cx.arg(0))?;
    let text: Option<String> = chars[start..end].iter().map(|v| v.word().as_char()).collect();
    match text {
        Some(text) => cx.give_string(&text),
        None => Err(Raise::new(Code::Type, "vector->string: expected characters")),
    }
}

fn string_to_vector(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("string->vector", 1, cx.arg(0).string_len().unwrap_or(0))?;
    give_vector(
        cx,
        |_| Ok(end - start),
        |cx| super::strings::chars_between(cx, start, end),
    )
}

fn len(cx: &Cx<'_>) -> usize {
    cx.arg(0).as_bytes().map_or(0, <[_]>::len)
}

/// The bytes of operand `i`.
pub(super) fn bytes_of(cx: &Cx<'_>, i: usize) -> Vec<u8> {
    cx.arg(i).bytes_to_vec().unwrap_or_default()
}

impl Cx<'_> {
    /// A bytevector as the answer.
    pub fn give_bytes(&mut self, bytes: &[u8]) -> Result<Word, Raise> {
        self.reserve(size_of_bytevector(bytes.len()))?;
        Ok(self.heap().bytevector_from(bytes).word())
    }
}

fn byte(who: &str, v: Value<'_>) -> Result<u8, Raise> {
    let byte = v
        .as_number()
        .and_then(|n| n.to_i64())
        .and_then(|i| u8::try_from(i).ok());
    byte.ok_or_else(|| {
        let shown = v.as_number().map_or(v.type_name().to_string(), |n| n.to_string());
        Raise::new(Code::Type, format!("{who}: expected a byte, got {shown}"))
    })
}

fn bytevector(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let bytes: Vec<u8> = cx.all_args().map(|v| byte("bytevector", v)).collect::<Result<_, _>>()?;
    cx.give_bytes(&bytes)
}

fn list_to_bytevector(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let who = "list->bytevector";
    let bytes: Vec<u8> = list_items(who, cx.arg(0))?
        .into_iter()
        .map(|v| byte(who, v))
        .collect::<Result<_, _>>()?;
    cx.give_bytes(&bytes)
}

fn make_bytevector(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (n, fill) = (cx.index(0), cx.given(1).map_or(Ok(0), |v| byte("make-bytevector", v))?);
    cx.reserve(size_of_bytevector(n.min(usize::MAX / 2)))?;
    let made = cx.heap().bytevector(n);
    for cell in made.as_bytes().unwrap_or_default() {
        cell.set(fill);
    }
    Ok(made.word())
}

fn byte_ref(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let i = cx.index(1);
    match cx.arg(0).as_bytes().and_then(|b| b.get(i)) {
        Some(cell) => Ok(Word::fixnum(i64::from(cell.get()))),
        None => Err(out_of_range("bytevector-u8-ref", i, len(cx))),
    }
}

fn byte_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (i, value) = (cx.index(1), byte("bytevector-u8-set!", cx.arg(2))?);
    match cx.arg(0).as_bytes().and_then(|b| b.get(i)) {
        Some(cell) => cell.set(value),
        None => return Err(out_of_range("bytevector-u8-set!", i, len(cx))),
    }
    Ok(Word::NIL)
}

fn byte_copy(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("bytevector-copy", 1, len(cx))?;
    let bytes = bytes_of(cx, 0);
    cx.give_bytes(&bytes[start..end])
}

fn byte_copy_into(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let from = bytes_of(cx, 2);
    let (start, end) = cx.range("bytevector-copy!", 3, from.len())?;
    let at = cx.index(1);
    let to = cx.arg(0).as_bytes().unwrap_or_default();
    if at.saturating_add(end - start) > to.len() {
        return Err(out_of_range(
            "bytevector-copy!",
            at.saturating_add(end - start),
            to.len(),
        ));
    }
    to[at..]
        .iter()
        .zip(&from[start..end])
        .for_each(|(cell, b)| cell.set(*b));
    Ok(Word::NIL)
}

fn byte_fill(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let value = byte("bytevector-fill!", cx.arg(1))?;
    let (start, end) = cx.range("bytevector-fill!", 2, len(cx))?;
    cx.arg(0).as_bytes().unwrap_or_default()[start..end]
        .iter()
        .for_each(|cell| cell.set(value));
    Ok(Word::NIL)
}

fn byte_index_of(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let who = "bytevector-index-of";
    let (bytes, part) = (bytes_of(cx, 0), super::digest::data(cx, 1, who)?);
    let start = cx.index(2);
    if start > bytes.len() {
        return Err(out_of_range(who, start, bytes.len()));
    }
    let found = memchr::memmem::find(&bytes[start..], &part);
    Ok(found.map_or(Word::NIL, |at| Word::fixnum((start + at) as i64)))
}

fn byte_append(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let bytes: Vec<u8> = (0..cx.argc()).flat_map(|i| bytes_of(cx, i)).collect();
    cx.give_bytes(&bytes)
}

fn utf8_to_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("utf8->string", 1, len(cx))?;
    match String::from_utf8(bytes_of(cx, 0)[start..end].to_vec()) {
        Ok(text) => cx.give_string(&text),
        Err(_) => Err(Raise::new(Code::Value, "utf8->string: not UTF-8 text")),
    }
}

fn string_to_utf8(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("string->utf8", 1, cx.arg(0).string_len().unwrap_or(0))?;
    let text = cx.heap().string_slice(cx.arg(0), start, end).into_owned();
    cx.give_bytes(text.as_bytes())
}
