//! Int-sets and int-maps: integers kept as bare words, for programs that number what they work on.

use super::seq::list_items;
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::int_table::IntTable;
use crate::list::size_of_list;
use crate::value::{Value, Word};

prims! { INT_SETS {
    /// A new set of integers, with those of a list if one is given. Members are kept as bits of
    /// blocks of 64, so sets of neighbouring numbers are small. Members are fixnums (63 bits).
    "make-int-set" (xs: List optional) -> IntSet, Allocates, make_set, ["(int-set->list (make-int-set (list 5 1 5))) ; => (1 5)", "(make-int-set (list 1.5)) ; error: make-int-set: expected integers, got number 1.5"];
    /// Adds an integer in place: was it new?
    "int-set-add!" (s: IntSet, n: Int) -> Bool, Writes, set_add, ["(let ((s (make-int-set))) (list (int-set-add! s 7) (int-set-add! s 7))) ; => (true false)"];
    /// Removes an integer in place: was it a member?
    "int-set-remove!" (s: IntSet, n: Int) -> Bool, Writes, set_remove, ["(let ((s (make-int-set (list 7)))) (list (int-set-remove! s 7) (int-set-remove! s 7))) ; => (true false)"];
    /// Is the integer a member?
    "int-set-member?" (s: IntSet, n: Int) -> Bool, Reads, set_has, ["(int-set-member? (make-int-set (list 7)) 7) ; => true"];
    /// How many members.
    "int-set-size" (s: IntSet) -> Index, Reads, |cx| Ok(size(set(cx))), ["(int-set-size (make-int-set (list 1 2 1))) ; => 2"];
    /// The members in ascending order.
    "int-set->list" (s: IntSet) -> List, Allocates, set_to_list, ["(int-set->list (make-int-set (list 70 -1 3))) ; => (-1 3 70)"];
    /// Removes every member in place; the value is the set.
    "int-set-clear!" (s: IntSet) -> IntSet, Writes, clear, ["(int-set-size (int-set-clear! (make-int-set (list 1)))) ; => 0"];
} }

prims! { INT_MAPS {
    /// A new map from integers to integers, both fixnums (63 bits).
    "make-int-map" () -> IntMap, Allocates, make_map, ["(int-map-size (make-int-map)) ; => 0"];
    /// Binds an integer to an integer in place.
    "int-map-set!" (m: IntMap, key: Int, value: Int) -> Nil, Writes, map_set, ["(let ((m (make-int-map))) (int-map-set! m 3 4) (int-map-ref m 3)) ; => 4"];
    /// The integer bound to key, or default (nil if none is given) when there is none.
    "int-map-ref" (m: IntMap, key: Int, default: Any optional) -> Any, Reads, map_ref, ["(int-map-ref (make-int-map) 3) ; => nil", "(int-map-ref (make-int-map) 3 -1) ; => -1"];
    /// Removes a key in place: was it there?
    "int-map-delete!" (m: IntMap, key: Int) -> Bool, Writes, map_delete, ["(int-map-delete! (make-int-map) 3) ; => false"];
    /// How many keys.
    "int-map-size" (m: IntMap) -> Index, Reads, |cx| Ok(size(map(cx))), ["(let ((m (make-int-map))) (int-map-set! m 3 4) (int-map-set! m 3 5) (int-map-size m)) ; => 1"];
    /// The lists `(key value)`, in ascending order of the keys.
    "int-map->list" (m: IntMap) -> List, Allocates, map_to_list, ["(let ((m (make-int-map))) (int-map-set! m 3 4) (int-map->list m)) ; => ((3 4))"];
    /// Removes every key in place; the value is the map.
    "int-map-clear!" (m: IntMap) -> IntMap, Writes, clear, ["(let ((m (make-int-map))) (int-map-set! m 3 4) (int-map-size (int-map-clear! m))) ; => 0"];
} }

fn set<'h>(cx: &'h Cx<'_>) -> Option<IntTable<'h>> {
    cx.arg(0).as_int_set()
}

fn map<'h>(cx: &'h Cx<'_>) -> Option<IntTable<'h>> {
    cx.arg(0).as_int_map()
}

fn size(table: Option<IntTable<'_>>) -> Word {
    Word::fixnum(table.map_or(0, IntTable::len) as i64)
}

/// Operand `i`, which has to be a fixnum.
#[inline]
fn fixnum(cx: &Cx<'_>, i: usize) -> Result<i64, Raise> {
    cx.arg(i)
        .as_fixnum()
        .ok_or_else(|| Raise::new(Code::Range, ": integer out of range").with_arg(i))
}

/// Makes sure that the table in operand 0 can take one more.
#[inline]
fn room_for_one(cx: &mut Cx<'_>, table: for<'h> fn(&'h Cx<'_>) -> Option<IntTable<'h>>) -> Result<(), Raise> {
    match table(cx).map_or(0, IntTable::size_of_add) {
        0 => Ok(()),
        bytes => cx.reserve(bytes),
    }
}

/// The integers of a list, and how many there are.
fn integers(cx: &Cx<'_>, i: usize) -> Result<Vec<i64>, Raise> {
    let who = "make-int-set";
    list_items(who, cx.arg(i))?
        .into_iter()
        .map(|v| {
            v.as_fixnum().ok_or_else(|| {
                let shown = v.as_number().map_or(String::new(), |n| format!(" {n}"));
                Raise::new(
                    Code::Type,
                    format!("{who}: expected integers, got {}{shown}", v.type_name()),
                )
            })
        })
        .collect()
}

fn make_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let members = integers(cx, 0)?;
    cx.reserve(Heap::SIZE_OF_INT_TABLE)?;
    let word = cx.heap().int_set().value().word();
    if cx.argc() == 0 {
        return Ok(word);
    }
    // The list has been read; its place keeps the set alive.
    cx.set_arg(0, word);
    for n in members {
        room_for_one(cx, set)?;
        if let Some(set) = set(cx) {
            cx.heap().int_set_add(set, n);
        }
    }
    Ok(cx.arg(0).word())
}

fn set_add(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = fixnum(cx, 1)?;
    room_for_one(cx, set)?;
    Ok(Word::bool(set(cx).is_some_and(|set| cx.heap().int_set_add(set, n))))
}

fn set_remove(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = fixnum(cx, 1)?;
    Ok(Word::bool(set(cx).is_some_and(|set| set.remove(n))))
}

fn set_has(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    // No other integer can be a member.
    let n = cx.arg(1).as_fixnum();
    Ok(Word::bool(n.is_some_and(|n| set(cx).is_some_and(|set| set.has(n)))))
}

fn set_to_list(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let members = set(cx).map_or(Vec::new(), IntTable::members);
    cx.give_list(
        |_| Ok(members.len()),
        |_| Ok(members.iter().map(|n| Value::fixnum(*n)).collect()),
    )
}

fn clear(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(Heap::SIZE_OF_INT_TABLE)?;
    if let Some(table) = set(cx).or(map(cx)) {
        cx.heap().int_table_clear(table);
    }
    Ok(cx.arg(0).word())
}

fn make_map(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(Heap::SIZE_OF_INT_TABLE)?;
    Ok(cx.heap().int_map().value().word())
}

fn map_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (key, value) = (fixnum(cx, 1)?, fixnum(cx, 2)?);
    room_for_one(cx, map)?;
    if let Some(map) = map(cx) {
        cx.heap().int_map_set(map, key, value);
    }
    Ok(Word::NIL)
}

fn map_ref(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let key = cx.arg(1).as_fixnum();
    let found = key.and_then(|key| map(cx)?.get(key));
    Ok(found.map_or(cx.arg(2).word(), Word::fixnum))
}

fn map_delete(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let key = cx.arg(1).as_fixnum();
    Ok(Word::bool(
        key.is_some_and(|key| map(cx).is_some_and(|map| map.delete(key))),
    ))
}

fn map_to_list(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let entries = map(cx).map_or(Vec::new(), IntTable::entries);
    cx.reserve(size_of_list(entries.len()) + entries.len() * size_of_list(2))?;
    let heap = cx.heap();
    let lists: Vec<Value<'_>> = entries
        .iter()
        .map(|(key, value)| heap.list(&[Value::fixnum(*key), Value::fixnum(*value)]))
        .collect();
    Ok(heap.list(&lists).word())
}
