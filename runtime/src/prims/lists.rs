//! Lists of either shape: making, reading, taking apart, changing.
//!
//! Answers made from several items are views (`len nth last` in constant time); `rest`, `drop`
//! and `slice` of a view share its elements. `nil` counts as a list without items.

use super::seq::{LIST_MAX, list_error, list_items, list_len, out_of_range};
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::list::{ListError, size_of_append, size_of_list, size_of_set_nth};
use crate::num::Num;
use crate::value::{Value, Word};

prims! { LISTS {
    /// A new list of the arguments.
    "list" | "%list" | "mutable-list" (xs: Any rest) -> List, Allocates, list, ["(list 1 2 3) ; => (1 2 3)", "(list) ; => ()"];
    /// A list of n times the same item, nil if none is given.
    "make-list" (n: Index, fill: Any optional) -> List, Allocates, make_list, ["(make-list 2 :a) ; => (\"a\" \"a\")"];
    /// A pair: a list that begins with x and goes on with xs.
    "cons" | "%cons" (x: Any, xs: Any) -> List, Allocates, cons, ["(cons 1 (list 2 3)) ; => (1 2 3)", "(cons 1 2) ; => (1 . 2)"];
    /// The first item; nil if there is none.
    "first" (xs: Collection) -> Any, Reads, |cx| nth_of(cx, "first", 0), ["(first (list 1 2)) ; => 1", "(first ()) ; => nil"], wrong "1 list arg";
    /// The second item; nil if there is none.
    "second" (xs: Collection) -> Any, Reads, |cx| nth_of(cx, "second", 1), ["(second (list 1 2)) ; => 2"], wrong "1 list arg";
    /// The third item; nil if there is none.
    "third" (xs: Collection) -> Any, Reads, |cx| nth_of(cx, "third", 2), ["(third (list 1 2 3)) ; => 3"], wrong "1 list arg";
    /// The items after the first; () if there are none.
    "rest" (xs: List) -> List, Allocates, rest, ["(rest (list 1 2 3)) ; => (2 3)", "(rest (list 1)) ; => ()", "(rest 5) ; error: rest: 1 list arg"], wrong "1 list arg";
    /// The last item; nil if there is none.
    "last" (xs: Collection) -> Any, Reads, last, ["(last (list 1 2 3)) ; => 3", "(last ()) ; => nil"], wrong "1 list arg";
    /// All items but the last.
    "butlast" | "init" (xs: List) -> List, Allocates, butlast, ["(butlast (list 1 2 3)) ; => (1 2)"], wrong "1 list arg";
    /// Item i, counted from 0; nil beyond the end. Of a string, a string.
    "nth" | "%nth" (xs: Collection, i: Int) -> Any, Reads, nth, ["(nth (list 1 2 3) 1) ; => 2", "(nth \"abc\" 1) ; => \"b\"", "(nth (list 1) 5) ; => nil"], wrong "list and number";
    /// How many items, characters, entries or bytes.
    "len" | "length" | "count" | "size" (xs: Collection) -> Index, Reads, len, ["(len (list 1 2 3)) ; => 3", "(len \"zwölf\") ; => 5", "(len {:a 1}) ; => 1", "(len nil) ; => 0"];
    /// Has it no items?
    "empty?" (xs: Collection) -> Bool, Reads, is_empty, ["(empty? ()) ; => true", "(empty? \"\") ; => true", "(empty? (list 1)) ; => false"];
    /// The items of all the lists, in order; what is no list is an item itself.
    "append" | "%append" (xs: Any rest) -> List, Allocates, append, ["(append (list 1) (list 2 3)) ; => (1 2 3)", "(append (list 1) 2) ; => (1 2)"];
    /// The items of all the lists, vectors and sets; strings give one string.
    "concat" (xs: Any rest) -> Any, Allocates, concat, ["(concat (list 1) nil (vector 2)) ; => (1 2)", "(concat \"a\" \"b\") ; => \"ab\""];
    /// Adds x at the end of xs, in place; the value is xs.
    "append!" (xs: List, x: Any) -> List, Writes, append_in_place, ["(let ((xs (list 1))) (append! xs 2) xs) ; => (1 2)", "(append! () 1) ; error: append!: the empty list cannot grow"];
    /// The items, the last one first.
    "reverse" (xs: Any) -> Any, Allocates, reverse, ["(reverse (list 1 2 3)) ; => (3 2 1)", "(reverse \"abc\") ; => \"cba\""];
    /// The items from place start up to end, or to the end of xs; a negative place counts from the end.
    "slice" (xs: Any, start: Int, end: Int optional) -> Any, Allocates, slice, ["(slice (list 1 2 3 4) 1 3) ; => (2 3)", "(slice \"hello\" 1 3) ; => \"el\"", "(slice (list 1 2 3) -2) ; => (2 3)"];
    /// The first n items.
    "take" (xs: Any, n: Int) -> Any, Allocates, take, ["(take (list 1 2 3) 2) ; => (1 2)", "(take (list 1) 5) ; => (1)"], wrong "list and number";
    /// The items after the first n.
    "drop" (xs: Any, n: Int) -> Any, Allocates, drop_items, ["(drop (list 1 2 3) 2) ; => (3)", "(drop 1 2) ; error: drop: list and number"], wrong "list and number";
    /// The last n items.
    "take-last" (xs: Any, n: Int) -> Any, Allocates, |cx| from_end(cx, "take-last", true), ["(take-last (list 1 2 3) 2) ; => (2 3)"], wrong "list and number";
    /// All items but the last n.
    "drop-last" (xs: Any, n: Int) -> Any, Allocates, |cx| from_end(cx, "drop-last", false), ["(drop-last (list 1 2 3) 2) ; => (1)"], wrong "list and number";
    /// The numbers from start (or 0) up to end, the end left out, in steps of step (or 1).
    "range" (start: Number, end: Number optional, step: Number optional) -> List, Allocates, range, ["(range 3) ; => (0 1 2)", "(range 1 4) ; => (1 2 3)", "(range 5 0 -2) ; => (5 3 1)"];
    /// The items in lists of n; the last may be shorter.
    "chunk-every" (xs: List, n: Index) -> List, Allocates, chunk_every, ["(chunk-every (list 1 2 3) 2) ; => ((1 2) (3))"];
    /// Replaces item i in place; the value is xs.
    "set-nth!" (xs: List, i: Index, x: Any) -> List, Writes, set_nth, ["(let ((xs (list 1 2))) (set-nth! xs 0 9) xs) ; => (9 2)", "(set-nth! (list) 0 1) ; error: set-nth!: index 0 out of range (length 0)"];
    /// A new list of the same items.
    "list-copy" (xs: List) -> List, Allocates, list_copy, ["(list-copy (list 1 2)) ; => (1 2)"];
    /// The entry `(key …)` of a list of entries; nil if there is none.
    "assoc-list" (entries: List, key: Any) -> Any, Reads, assoc_list, ["(assoc-list (list (list :a 1) (list :b 2)) :b) ; => (\"b\" 2)"];
    /// The part of xs that begins with x; false if there is none. The list may stand first.
    "member" (x: Any, xs: Any) -> Any, Allocates, member, ["(member 2 (list 1 2 3)) ; => (2 3)", "(member (list 1 2) 5) ; => false"];
    /// Lists of one item of each list, up to the shortest.
    "zip" (xs: List, more: List rest) -> List, Allocates, zip, ["(zip (list 1 2) (list :a :b)) ; => ((1 \"a\") (2 \"b\"))"];
    /// The items of lists in lists, at any depth, in order.
    "flatten" (xs: List) -> List, Allocates, flatten, ["(flatten (list 1 (list 2 (list 3)) ())) ; => (1 2 3)"];
    /// The items without those equal to an earlier one.
    "distinct" | "unique" (xs: List) -> List, Allocates, distinct, ["(distinct (list 1 2 1 3 2)) ; => (1 2 3)"];
    /// The items with x between them.
    "interpose" (x: Any, xs: List) -> List, Allocates, interpose, ["(interpose 0 (list 1 2 3)) ; => (1 0 2 0 3)"];
} }

fn list(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(size_of_list(cx.argc()))?;
    Ok(cx.heap().list(cx.arg_slice()).word())
}

fn make_list(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = cx.index(0);
    cx.give_list(|_| Ok(n), |cx| Ok(vec![cx.arg(1); n]))
}

fn cons(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(Heap::SIZE_OF_PAIR)?;
    let tail = if cx.arg(1) == Value::NIL {
        Value::EMPTY
    } else {
        cx.arg(1)
    };
    Ok(cx.heap().cons(cx.arg(0), tail).word())
}

/// Item `i` of the collection in operand 0.
#[inline]
fn nth_of(cx: &mut Cx<'_>, who: &str, i: usize) -> Result<Word, Raise> {
    let v = cx.arg(0);
    if let Some(view) = v.as_view() {
        return Ok(view.get(i).map_or(Word::NIL, Value::word));
    }
    nth_of_any(cx, who, i)
}

fn nth_of_any(cx: &mut Cx<'_>, who: &str, i: usize) -> Result<Word, Raise> {
    let v = cx.arg(0);
    if v.is_list() {
        return match v.nth(i) {
            Ok(item) => Ok(item.word()),
            Err(ListError::Range) => Ok(Word::NIL),
            Err(e) => Err(list_error(who, e)),
        };
    }
    if v.as_str().is_some() {
        return match cx.heap().string_ref(v, i) {
            Some(c) => cx.give_string(c.encode_utf8(&mut [0; 4])),
            None => Ok(Word::NIL),
        };
    }
    if let Some(bytes) = v.as_bytes() {
        return Ok(bytes.get(i).map_or(Word::NIL, |b| Word::fixnum(i64::from(b.get()))));
    }
    if let Some(vector) = v.as_vector() {
        return Ok(vector.get(i).map_or(Word::NIL, Value::word));
    }
    if v == Value::NIL {
        return Ok(Word::NIL);
    }
    Err(Raise::new(
        Code::Type,
        format!("{who}: expected list, got {}", v.type_name()),
    ))
}

fn nth(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    // A place before the start, or too large for any collection, is one where nothing is.
    let place = cx.arg(1).as_number().and_then(|n| n.to_i64());
    nth_of(
        cx,
        "nth",
        place.and_then(|i| usize::try_from(i).ok()).unwrap_or(usize::MAX),
    )
}

fn last(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    match length(cx, "last")? {
        0 => Ok(Word::NIL),
        n => nth_of(cx, "last", n - 1),
    }
}

/// How many items the collection in operand 0 has.
fn length(cx: &Cx<'_>, who: &str) -> Result<usize, Raise> {
    use crate::object::Type;
    let v = cx.arg(0);
    match v.object_type() {
        Some(Type::String | Type::Text) => Ok(v.string_len().unwrap_or(0)),
        Some(Type::Vector) => Ok(v.as_vector().map_or(0, |v| v.len())),
        Some(Type::Bytevector) => Ok(v.as_bytes().map_or(0, <[_]>::len)),
        Some(Type::Dict) => Ok(v.as_dict().map_or(0, |d| d.len())),
        Some(Type::Set | Type::HashTable) => Ok(super::sets::keyed(v).map_or(0, |k| k.len())),
        Some(Type::StringBuffer) => Ok(v.as_string_buffer().map_or(0, |b| b.text().chars().count())),
        _ => list_len(who, v),
    }
}

fn len(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    if let Some(view) = cx.arg(0).as_view() {
        return Ok(Word::fixnum(view.len() as i64));
    }
    Ok(Word::fixnum(length(cx, "len")? as i64))
}

fn is_empty(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let v = cx.arg(0);
    if v.is_list() {
        return Ok(Word::bool(v.is_empty_list()));
    }
    Ok(Word::bool(length(cx, "empty?")? == 0))
}

fn rest(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(Heap::SIZE_OF_PAIR)?;
    Ok(cx.heap().rest(cx.arg(0)).map_or(Word::EMPTY, Value::word))
}

fn butlast(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = list_len("butlast", cx.arg(0))?;
    cx.give_part("butlast", 0, n.saturating_sub(1))
}

fn append(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    fn parts<'h>(cx: &'h Cx<'_>) -> Result<Vec<Value<'h>>, Raise> {
        let mut out = Vec::new();
        for v in cx.all_args() {
            if v.is_list() || v == Value::NIL {
                out.append(&mut list_items("append", v)?);
            } else {
                out.push(v);
            }
        }
        Ok(out)
    }
    cx.give_list(|cx| Ok(parts(cx)?.len()), parts)
}

fn concat(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    fn parts<'h>(cx: &'h Cx<'_>) -> Result<Vec<Value<'h>>, Raise> {
        let mut out = Vec::new();
        for v in cx.all_args() {
            out.append(&mut super::seq::items("concat", v)?);
        }
        Ok(out)
    }
    if cx.argc() > 0 && cx.all_args().all(|v| v.as_str().is_some()) {
        let text: String = (0..cx.argc()).map(|i| cx.text(i)).collect();
        return cx.give_string(&text);
    }
    cx.give_list(|cx| Ok(parts(cx)?.len()), parts)
}

fn append_in_place(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let bytes = size_of_append(cx.arg(0)).map_err(|e| list_error("append!", e))?;
    cx.reserve(bytes)?;
    cx.heap().append(cx.arg(0), cx.arg(1));
    Ok(cx.arg(0).word())
}

fn reverse(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    if cx.arg(0).as_str().is_some() {
        let text: String = cx.text(0).chars().rev().collect();
        return cx.give_string(&text);
    }
    let count = list_len("reverse", cx.arg(0))?;
    if count > LIST_MAX {
        return Err(Raise::Memory);
    }
    cx.reserve(size_of_list(count))?;
    Ok(cx.heap().list_backwards(count, cx.arg(0).items()).word())
}

/// The part of a list, string or vector in operand 0 that `bounds` picks, given its length.
fn part(cx: &mut Cx<'_>, who: &str, bounds: impl Fn(usize) -> (usize, usize)) -> Result<Word, Raise> {
    let v = cx.arg(0);
    if let Some(len) = v.string_len() {
        let (start, end) = bounds(len);
        return super::strings::give_substring(cx, start, end.max(start));
    }
    if let Some(vector) = v.as_vector() {
        let (start, end) = bounds(vector.len());
        return super::vectors::give_part(cx, start, end.max(start));
    }
    if !v.is_list() && v != Value::NIL {
        let what = if matches!(who, "take" | "drop") {
            "list and number"
        } else {
            "expected list"
        };
        return Err(Raise::new(Code::Type, format!("{who}: {what}")).with_arg(0));
    }
    let (start, end) = bounds(list_len(who, v)?);
    cx.give_part(who, start, end)
}

/// A place that may count from the end, held within 0 and `len`.
fn place(i: i64, len: usize) -> usize {
    if i < 0 {
        len.saturating_sub(i.unsigned_abs() as usize)
    } else {
        (i as usize).min(len)
    }
}

fn slice(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let start = cx.int(1)?;
    let end = if cx.argc() > 2 { cx.int(2)? } else { i64::MAX };
    part(cx, "slice", |len| (place(start, len), place(end, len)))
}

/// Operand 1 as a count: below zero counts as none.
fn count_arg(cx: &Cx<'_>) -> Result<usize, Raise> {
    Ok(cx.int(1)?.max(0) as usize)
}

fn take(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = count_arg(cx)?;
    // Only as much of a chain is walked as is taken.
    if cx.arg(0).as_pair().is_some() {
        let some = |cx: &Cx<'_>| cx.arg(0).items().take(n).count();
        return cx.give_list(|cx| Ok(some(cx)), |cx| Ok(cx.arg(0).items().take(n).collect()));
    }
    part(cx, "take", |len| (0, n.min(len)))
}

fn drop_items(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = count_arg(cx)?;
    if cx.arg(0).is_list() {
        cx.reserve(Heap::SIZE_OF_PAIR)?;
        let tail = cx.heap().drop_first(cx.arg(0), n);
        return tail.map(Value::word).map_err(|e| list_error("drop", e));
    }
    part(cx, "drop", |len| (n.min(len), len))
}

fn from_end(cx: &mut Cx<'_>, who: &str, take: bool) -> Result<Word, Raise> {
    let n = count_arg(cx)?;
    part(cx, who, |len| {
        let at = len.saturating_sub(n);
        if take { (at, len) } else { (0, at) }
    })
}

fn range(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = if cx.argc() == 1 {
        (Num::Int(0), cx.num(0))
    } else {
        (cx.num(0), cx.num(1))
    };
    let step = if cx.argc() > 2 { cx.num(2) } else { Num::Int(1) };
    if step.is_zero() {
        return Err(Raise::new(Code::Value, "range: step must not be zero"));
    }
    let span = end
        .sub(&start)
        .div_exact(&step)
        .map_err(|e| super::cx::num_error("range", e))?;
    let count = span
        .ceil()
        .to_i64()
        .unwrap_or(if span.is_positive() { i64::MAX } else { 0 })
        .max(0) as usize;
    if count > super::seq::LIST_MAX {
        return Err(Raise::Memory);
    }
    let item_bytes = 64usize;
    if let (Num::Int(start), Num::Int(step)) = (&start, &step)
        && let Some(Some(_)) = (count as i64).checked_mul(*step).map(|n| n.checked_add(*start))
    {
        let (start, step) = (*start, *step);
        cx.reserve(size_of_list(count).saturating_add(count.saturating_mul(small_bytes(start, step, count))))?;
        let heap = cx.heap();
        let items: Vec<Value<'_>> = (0..count as i64).map(|i| heap.integer(start + i * step)).collect();
        return Ok(heap.list(&items).word());
    }
    cx.reserve(count.saturating_mul(item_bytes))?;
    // The first item is start as it was given, exact or not.
    let item = |i| {
        if i == 0 {
            start.clone()
        } else {
            start.add(&step.mul(&Num::Int(i)))
        }
    };
    let nums: Vec<Num> = (0..count as i64).map(item).collect();
    cx.give_nums(&nums)
}

/// Bytes an integer between `start` and the last of the range may need.
fn small_bytes(start: i64, step: i64, count: usize) -> usize {
    let last = start + step * count as i64;
    let fits = Word::try_fixnum(start).is_some() && Word::try_fixnum(last).is_some();
    if fits { 0 } else { Heap::SIZE_OF_INTEGER }
}

fn chunk_every(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = cx.index(1);
    if n == 0 {
        return Err(Raise::new(Code::Value, "chunk-every: the size is zero"));
    }
    let len = list_len("chunk-every", cx.arg(0))?;
    let chunks = len.div_ceil(n);
    cx.reserve(size_of_list(chunks) + chunks * size_of_list(0) + 8 * len)?;
    let heap = cx.heap();
    let items = list_items("chunk-every", cx.arg(0))?;
    let chunks: Vec<Value<'_>> = items.chunks(n).map(|chunk| heap.list(chunk)).collect();
    Ok(heap.list(&chunks).word())
}

fn set_nth(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let i = cx.index(1);
    let bytes = match size_of_set_nth(cx.arg(0), i) {
        Ok(bytes) => bytes,
        Err(ListError::Range) => return Err(out_of_range("set-nth!", i, list_len("set-nth!", cx.arg(0))?)),
        Err(e) => return Err(list_error("set-nth!", e)),
    };
    cx.reserve(bytes)?;
    cx.heap().set_nth(cx.arg(0), i, cx.arg(2));
    Ok(cx.arg(0).word())
}

fn list_copy(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.give_list(
        |cx| list_len("list-copy", cx.arg(0)),
        |cx| list_items("list-copy", cx.arg(0)),
    )
}

fn assoc_list(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let key = cx.arg(1);
    for entry in list_items("assoc-list", cx.arg(0))? {
        if entry.first().is_some_and(|k| cx.heap().equals(k, key)) {
            return Ok(entry.word());
        }
    }
    Ok(Word::NIL)
}

fn member(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let is_list = |v: Value<'_>| v.is_list() || v == Value::NIL;
    let (x, xs) = if !is_list(cx.arg(1)) && is_list(cx.arg(0)) {
        (1, 0)
    } else {
        (0, 1)
    };
    if !is_list(cx.arg(xs)) {
        return Err(Raise::new(Code::Type, "member: expected (any list)"));
    }
    let wanted = cx.arg(x);
    let place = list_items("member", cx.arg(xs))?
        .into_iter()
        .position(|v| cx.heap().equals(v, wanted));
    let Some(place) = place else { return Ok(Word::FALSE) };
    cx.reserve(Heap::SIZE_OF_PAIR)?;
    cx.heap()
        .drop_first(cx.arg(xs), place)
        .map(Value::word)
        .map_err(|e| list_error("member", e))
}

fn zip(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut rows = usize::MAX;
    for v in cx.all_args() {
        rows = rows.min(list_len("zip", v)?);
    }
    let width = cx.argc();
    cx.reserve(size_of_list(rows).saturating_add(rows * size_of_list(width)))?;
    let heap = cx.heap();
    let mut walks: Vec<_> = cx.all_args().map(Value::items).collect();
    let mut out = Vec::with_capacity(rows);
    for _ in 0..rows {
        let row: Vec<Value<'_>> = walks.iter_mut().filter_map(Iterator::next).collect();
        out.push(heap.list(&row));
    }
    Ok(heap.list(&out).word())
}

fn flatten(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    fn flat<'h>(cx: &'h Cx<'_>) -> Result<Vec<Value<'h>>, Raise> {
        let mut out = Vec::new();
        let mut walks = vec![list_items("flatten", cx.arg(0))?.into_iter()];
        while let Some(walk) = walks.last_mut() {
            match walk.next() {
                None => {
                    walks.pop();
                }
                Some(item) if item.is_list() => {
                    if walks.len() > 1_000_000 {
                        return Err(list_error("flatten", ListError::Circular));
                    }
                    walks.push(list_items("flatten", item)?.into_iter());
                }
                Some(item) => out.push(item),
            }
        }
        Ok(out)
    }
    cx.give_list(|cx| Ok(flat(cx)?.len()), flat)
}

fn distinct(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.give_list(
        |cx| list_len("distinct", cx.arg(0)),
        |cx| {
            let mut seen = super::compare::Seen::default();
            let mut items = list_items("distinct", cx.arg(0))?;
            items.retain(|item| seen.insert(cx.heap(), *item));
            Ok(items)
        },
    )
}

fn interpose(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.give_list(
        |cx| Ok(2 * list_len("interpose", cx.arg(1))?),
        |cx| {
            let mut out = Vec::new();
            for (i, item) in list_items("interpose", cx.arg(1))?.into_iter().enumerate() {
                if i > 0 {
                    out.push(cx.arg(0));
                }
                out.push(item);
            }
            Ok(out)
        },
    )
}
