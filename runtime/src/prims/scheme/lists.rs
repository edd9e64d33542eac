//! Lists as the report has them: made of pairs, and errors where SX is lenient.

use super::pairs::{as_pairs, find_pair};
use crate::equal::{eq, eqv};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::list::ListError;
use crate::prims::seq::{LIST_MAX, list_error, out_of_range};
use crate::prims::{Cx, prims};
use crate::value::{Value, Word};

prims! { LISTS {
    /// A new list of the arguments.
    "%scheme:list" (xs: Any rest) -> List, Allocates, |cx| give_pairs(cx, |cx| Ok(cx.argc()), |cx| cx.all_args().collect()), ["(%scheme:list 1 2) ; => (1 2)", "(eq? (%scheme:list) ()) ; => true"];
    /// A list of n times the same item.
    "%scheme:make-list" (n: Index, fill: Any optional) -> List, Allocates, |cx| give_pairs(cx, |cx| Ok(cx.index(0)), |cx| vec![cx.arg(1); cx.index(0)]), ["(%scheme:make-list 2 7) ; => (7 7)"];
    /// The arguments before the last in front of the last, which may be anything.
    "%scheme:cons*" (xs: Any rest) -> Any, Allocates, cons_star, ["(%scheme:cons* 1 2 (list 3)) ; => (1 2 3)"];
    /// How many items.
    "%scheme:length" (xs: Any) -> Index, Reads, length, ["(%scheme:length (list 1 2)) ; => 2", "(%scheme:length (cons 1 2)) ; error: length: the list does not end in ()"];
    /// The items of all lists but the last, in front of the last, which may be anything.
    "%scheme:append" (xs: Any rest) -> Any, Allocates, append, ["(%scheme:append (list 1) (list 2) 3) ; => (1 2 . 3)", "(%scheme:append) ; => ()"];
    /// The items, the last one first.
    "%scheme:reverse" (xs: Any) -> List, Allocates, reverse, ["(%scheme:reverse (list 1 2 3)) ; => (3 2 1)"];
    /// The list without its first k items: the very pairs.
    "%scheme:list-tail" (xs: Any, k: Index) -> Any, Reads, list_tail, ["(%scheme:list-tail (list 1 2 3) 1) ; => (2 3)", "(%scheme:list-tail (list 1) 2) ; error: list-tail: index 2 out of range (length 1)"];
    /// Item k.
    "%scheme:list-ref" (xs: Any, k: Index) -> Any, Reads, list_ref, ["(%scheme:list-ref (list 1 2 3) 1) ; => 2"];
    /// Replaces item k.
    "%scheme:list-set!" (xs: Any, k: Index, x: Any) -> Nil, Writes, list_set, ["(let ((xs (list 1 2))) (%scheme:list-set! xs 1 5) xs) ; => (1 5)"];
    /// A list of the same items; what is no list is itself, as is the end of one.
    "%scheme:list-copy" (xs: Any) -> Any, Allocates, list_copy, ["(%scheme:list-copy (cons 1 2)) ; => (1 . 2)", "(%scheme:list-copy 5) ; => 5"];
    /// The first tail that begins with x by eq?, or false.
    "%scheme:memq" (x: Any, xs: Any) -> Any, Reads, |cx| member(cx, "memq", |_, a, b| eq(a, b)), ["(%scheme:memq 2 (list 1 2 3)) ; => (2 3)", "(%scheme:memq 0.0 (list 1 0.0)) ; => (0.0)", "(%scheme:memq 5 (list 1)) ; => false"];
    /// The first tail that begins with x by eqv?, or false.
    "%scheme:memv" (x: Any, xs: Any) -> Any, Reads, |cx| member(cx, "memv", |_, a, b| eqv(a, b)), ["(%scheme:memv 1.5 (list 1.5)) ; => (1.5)"];
    /// The first tail that begins with x by equal?, or false.
    "%scheme:member" (x: Any, xs: Any) -> Any, Reads, |cx| member(cx, "member", Heap::equal), ["(%scheme:member \"b\" (list \"a\" \"b\")) ; => (\"b\")"];
    /// The first entry whose car is x by eq?, or false.
    "%scheme:assq" (x: Any, entries: Any) -> Any, Reads, |cx| assoc(cx, "assq", |_, a, b| eq(a, b)), ["(%scheme:assq 2 (list (list 1) (list 2 :a))) ; => (2 \"a\")"];
    /// The first entry whose car is x by eqv?, or false.
    "%scheme:assv" (x: Any, entries: Any) -> Any, Reads, |cx| assoc(cx, "assv", |_, a, b| eqv(a, b)), ["(%scheme:assv 5 (list (list 1))) ; => false"];
    /// The first entry whose car is x by equal?, or false.
    "%scheme:assoc" (x: Any, entries: Any) -> Any, Reads, |cx| assoc(cx, "assoc", Heap::equal), ["(%scheme:assoc \"a\" (list (list \"a\" 1))) ; => (\"a\" 1)"];
    /// The items of a vector, or of its part from start up to end.
    "%scheme:vector->list" (v: Vector, start: Index optional, end: Index optional) -> List, Allocates, vector_to_list, ["(%scheme:vector->list (vector 1 2 3) 1) ; => (2 3)"];
    /// The characters of a string, or of its part from start up to end.
    "%scheme:string->list" (s: String, start: Index optional, end: Index optional) -> List, Allocates, string_to_list, ["(%scheme:string->list \"abc\" 1) ; => (#\\b #\\c)"];
} }

/// A chain of pairs as the answer: `count` says how many, `make` reads the operands again once
/// there is room.
fn give_pairs(
    cx: &mut Cx<'_>,
    count: impl FnOnce(&Cx<'_>) -> Result<usize, Raise>,
    make: impl for<'h> FnOnce(&'h Cx<'_>) -> Vec<Value<'h>>,
) -> Result<Word, Raise> {
    let count = count(cx)?;
    if count > LIST_MAX {
        return Err(Raise::Memory);
    }
    cx.reserve(count * Heap::SIZE_OF_PAIR)?;
    let items = make(cx);
    Ok(cx.heap().pairs(&items, Value::EMPTY).word())
}

fn len(cx: &Cx<'_>, who: &str) -> Result<usize, Raise> {
    cx.arg(0).list_len().map_err(|e| list_error(who, e))
}

fn length(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    Ok(Word::fixnum(len(cx, "length")? as i64))
}

fn reverse(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let count = len(cx, "reverse")?;
    if count > LIST_MAX {
        return Err(Raise::Memory);
    }
    cx.reserve(count * Heap::SIZE_OF_PAIR)?;
    let items = cx.arg(0).items();
    let reversed = items.fold(Value::EMPTY, |done, item| cx.heap().cons(item, done));
    Ok(reversed.word())
}

fn cons_star(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let Some(before) = cx.argc().checked_sub(1) else {
        return Ok(Word::EMPTY);
    };
    cx.reserve(before * Heap::SIZE_OF_PAIR)?;
    let items = cx.arg_slice();
    Ok(cx.heap().pairs(&items[..before], items[before]).word())
}

fn append(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let Some(last) = cx.argc().checked_sub(1) else {
        return Ok(Word::EMPTY);
    };
    let mut count = 0;
    for i in 0..last {
        count += cx.arg(i).list_len().map_err(|e| list_error("append", e))?;
    }
    cx.reserve(count * Heap::SIZE_OF_PAIR)?;
    let items: Vec<Value<'_>> = (0..last).flat_map(|i| cx.arg(i).items()).collect();
    Ok(cx.heap().pairs(&items, cx.arg(last)).word())
}

fn list_tail(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    as_pairs(cx, 0)?;
    let (k, mut at) = (cx.index(1), cx.arg(0));
    for done in 0..k {
        let Some(pair) = at.as_pair() else {
            return Err(out_of_range("list-tail", k, done));
        };
        at = pair.cdr();
    }
    Ok(at.word())
}

fn wrong_place(who: &str, error: ListError, k: usize, list: Value<'_>) -> Raise {
    match error {
        ListError::Range => out_of_range(who, k, list.items().count()),
        other => list_error(who, other),
    }
}

fn list_ref(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (list, k) = (cx.arg(0), cx.index(1));
    let item = list.nth(k).map(Value::word);
    item.map_err(|e| wrong_place("list-ref", e, k, list))
}

fn list_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    as_pairs(cx, 0)?;
    let (mut at, k) = (cx.arg(0), cx.index(1));
    for done in 0..=k {
        let Some(pair) = at.as_pair() else {
            return Err(out_of_range("list-set!", k, done));
        };
        if done == k {
            cx.heap().set_car(pair, cx.arg(2));
        }
        at = pair.cdr();
    }
    Ok(Word::NIL)
}

fn list_copy(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let count = match cx.arg(0).list_len() {
        Ok(count) => count,
        Err(ListError::NotList) => return Ok(cx.arg(0).word()),
        Err(ListError::Improper) => cx.arg(0).items().count(),
        Err(error) => return Err(list_error("list-copy", error)),
    };
    cx.reserve(count * Heap::SIZE_OF_PAIR)?;
    let mut items = cx.arg(0).items();
    let copied: Vec<Value<'_>> = items.by_ref().collect();
    Ok(cx.heap().pairs(&copied, items.tail()).word())
}

type Same = for<'h> fn(&'h Heap, Value<'h>, Value<'h>) -> bool;

fn member(cx: &mut Cx<'_>, who: &str, same: Same) -> Result<Word, Raise> {
    let found = find_pair(cx, 1, who, |cx, pair, item| {
        same(cx.heap(), cx.arg(0), item).then(|| pair.word())
    })?;
    Ok(found.unwrap_or(Word::FALSE))
}

fn assoc(cx: &mut Cx<'_>, who: &str, same: Same) -> Result<Word, Raise> {
    let found = find_pair(cx, 1, who, |cx, _, entry| match entry.first() {
        Some(key) => same(cx.heap(), cx.arg(0), key).then(|| entry.word()),
        // What is no pair ends the search as an error below.
        None => Some(Word::ABSENT),
    })?;
    match found {
        Some(Word::ABSENT) => Err(Raise::new(Code::Type, format!("{who}: expected a list of pairs"))),
        found => Ok(found.unwrap_or(Word::FALSE)),
    }
}

fn vector_to_list(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let len = cx.arg(0).as_vector().map_or(0, |v| v.len());
    let (start, end) = cx.range("vector->list", 1, len)?;
    give_pairs(
        cx,
        |_| Ok(end - start),
        |cx| {
            let items = cx.arg(0).as_vector().map(|v| v.iter().skip(start).take(end - start));
            items.map(Iterator::collect).unwrap_or_default()
        },
    )
}

fn string_to_list(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("string->list", 1, cx.arg(0).string_len().unwrap_or(0))?;
    give_pairs(
        cx,
        |_| Ok(end - start),
        |cx| {
            let text = cx.heap().string_slice(cx.arg(0), start, end);
            text.chars().map(Value::char).collect()
        },
    )
}
