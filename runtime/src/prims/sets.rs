//! Sets and hash tables: insertion-ordered, keyed by any value, keys compared by `=`.
//!
//! Invariant: of equal keys the one written first stays, with its exactness.

use super::seq::{items, list_items};
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::hash_table::{Keyed, size_of_keyed};
use crate::heap::Heap;
use crate::list::size_of_list;
use crate::value::{Value, Word};

prims! { SETS {
    /// A new set of the items of a list, vector or set.
    "make-set" | "list->set" (xs: Collection optional) -> Set, Allocates, make_set, ["(set-size (make-set)) ; => 0", "(set->list (make-set (list 1 2 1))) ; => (1 2)"];
    /// A new set of the arguments.
    "set" (xs: Any rest) -> Set, Allocates, set_of_args, ["(set->list (set 1 2 1)) ; => (1 2)"];
    /// Adds a member in place; the value is the set.
    "set-add!" (s: Set, x: Any) -> Set, Writes, set_add, ["(let ((s (make-set))) (set-add! s 1) (set->list s)) ; => (1)"];
    /// Removes a member in place; the value is the set.
    "set-remove!" | "set-delete!" (s: Set, x: Any) -> Set, Writes, table_delete, ["(let ((s (set 1 2))) (set-remove! s 1) (set->list s)) ; => (2)"];
    /// Is x a member?
    "set-member?" | "set-contains?" | "set-has?" (s: Set, x: Any) -> Bool, Reads, table_has, ["(set-member? (set 1 2) 2) ; => true"];
    /// How many members.
    "set-size" | "set-count" (s: Set) -> Index, Reads, |cx| Ok(Word::fixnum(size(cx) as i64)), ["(set-size (set 1 2)) ; => 2"];
    /// The members in the order they were added.
    "set->list" | "set-members" (s: Set) -> List, Allocates, |cx| cx.give_list(|cx| Ok(size(cx)), |cx| Ok(entries(cx, 0).map(|e| e.0).collect())), ["(set->list (set 2 1)) ; => (2 1)"];
    /// A copy of the set.
    "set-copy" (s: Set) -> Set, Allocates, copy, ["(set->list (set-copy (set 1))) ; => (1)"];
    /// What is in any of them.
    "union" | "set-union" (s: Collection, more: Collection rest) -> Set, Allocates, union, ["(set->list (union (set 1 2) (set 2 3))) ; => (1 2 3)"];
    /// What is in all of them.
    "intersection" | "set-intersection" (s: Collection, more: Collection rest) -> Set, Allocates, |cx| pick(cx, |inside| inside), ["(set->list (intersection (set 1 2) (set 2 3))) ; => (2)"];
    /// What is in the first but in none of the others.
    "difference" | "set-difference" (s: Collection, more: Collection rest) -> Set, Allocates, |cx| pick(cx, |inside| !inside), ["(set->list (difference (set 1 2) (set 2 3))) ; => (1)"];
    /// Is every member of a in b?
    "subset?" | "set-subset?" (a: Set, b: Set) -> Bool, Reads, subset, ["(subset? (set 1) (set 1 2)) ; => true"];
} }

prims! { HASH_TABLES {
    /// A new hash table. Keys are compared by `=`; arguments, which Scheme has, are not looked at.
    "make-hash-table" (options: Any rest) -> HashTable, Allocates, make_hash_table, ["(hash-table-size (make-hash-table)) ; => 0"];
    /// Binds a key in place.
    "hash-table-set!" (t: HashTable, key: Any, value: Any) -> Nil, Writes, table_set, ["(let ((t (make-hash-table))) (hash-table-set! t (list 1) :a) (hash-table-ref/default t (list 1) nil)) ; => \"a\""];
    /// The value of a key, or default if it is missing.
    "hash-table-ref/default" | "hash-table-get" (t: HashTable, key: Any, default: Any optional) -> Any, Reads, table_ref, ["(hash-table-ref/default (make-hash-table) 1 :none) ; => \"none\""];
    /// Removes a key in place.
    "hash-table-delete!" (t: HashTable, key: Any) -> HashTable, Writes, table_delete, ["(let ((t (alist->hash-table (list (cons 1 2))))) (hash-table-delete! t 1) (hash-table-size t)) ; => 0"];
    /// Is the key there?
    "hash-table-contains?" | "hash-table-exists?" | "hash-table-has?" (t: HashTable, key: Any) -> Bool, Reads, table_has, ["(hash-table-contains? (make-hash-table) 1) ; => false"];
    /// How many keys.
    "hash-table-size" | "hash-table-count" (t: HashTable) -> Index, Reads, |cx| Ok(Word::fixnum(size(cx) as i64)), ["(hash-table-size (alist->hash-table (list (cons 1 2)))) ; => 1"];
    /// The keys, in the order they were added.
    "hash-table-keys" (t: HashTable) -> List, Allocates, |cx| cx.give_list(|cx| Ok(size(cx)), |cx| Ok(entries(cx, 0).map(|e| e.0).collect())), ["(hash-table-keys (alist->hash-table (list (cons 1 2)))) ; => (1)"];
    /// The values, in the order of their keys.
    "hash-table-values" (t: HashTable) -> List, Allocates, |cx| cx.give_list(|cx| Ok(size(cx)), |cx| Ok(entries(cx, 0).map(|e| e.1).collect())), ["(hash-table-values (alist->hash-table (list (cons 1 2)))) ; => (2)"];
    /// The pairs `(key . value)`, in the order of the keys.
    "hash-table->alist" (t: HashTable) -> List, Allocates, table_to_alist, ["(hash-table->alist (alist->hash-table (list (cons 1 2)))) ; => ((1 . 2))"];
    /// The lists `(key value)`, in the order of the keys.
    "%table-entries" (t: HashTable) -> List, Allocates, |cx| super::dicts::give_entries(cx, "hash-table", 0), ["(%table-entries (alist->hash-table (list (cons 1 2)))) ; => ((1 2))"];
    /// A hash table of pairs `(key . value)`; the first of equal keys wins.
    "alist->hash-table" (pairs: List, options: Any rest) -> HashTable, Allocates, alist_to_table, ["(hash-table-size (alist->hash-table (list (cons 1 2) (cons 1 3)))) ; => 1"];
    /// Removes every key in place.
    "hash-table-clear!" (t: HashTable) -> HashTable, Writes, table_clear, ["(let ((t (alist->hash-table (list (cons 1 2))))) (hash-table-clear! t) (hash-table-size t)) ; => 0"];
    /// A copy of the hash table.
    "hash-table-copy" (t: HashTable, mutable: Any optional) -> HashTable, Allocates, copy, ["(hash-table-size (hash-table-copy (make-hash-table))) ; => 0"];
    /// A number that is the same for equal values.
    "hash" | "equal-hash" (x: Any, bound: Any optional) -> Index, Reads, |cx| Ok(Word::fixnum(cx.heap().hash(cx.arg(0)) as i64)), ["(= (hash (list 1)) (hash (list 1))) ; => true"];
} }

/// A set or hash table.
pub(super) fn keyed(v: Value<'_>) -> Option<Keyed<'_>> {
    v.as_set().or_else(|| v.as_hash_table())
}

/// How many members or keys the set or hash table in operand 0 has.
fn size(cx: &Cx<'_>) -> usize {
    keyed(cx.arg(0)).map_or(0, Keyed::len)
}

/// Keys and values of the set or hash table in operand `i`.
fn entries<'h>(cx: &'h Cx<'_>, i: usize) -> impl Iterator<Item = (Value<'h>, Value<'h>)> {
    keyed(cx.arg(i)).into_iter().flat_map(Keyed::entries)
}

/// Has the set or hash table in operand `i` this key?
fn has(cx: &Cx<'_>, i: usize, key: Value<'_>) -> bool {
    keyed(cx.arg(i)).is_some_and(|k| cx.heap().keyed_has(k, key))
}

/// A set of the members `read` finds, as the answer.
fn give_set(
    cx: &mut Cx<'_>,
    read: impl for<'h> Fn(&'h Cx<'_>) -> Result<Vec<Value<'h>>, Raise>,
) -> Result<Word, Raise> {
    let count = read(cx)?.len();
    cx.reserve(size_of_keyed(count))?;
    let members = read(cx)?;
    let set = cx.heap().set(members.len());
    for member in members {
        if !cx.heap().keyed_has(set, member) {
            cx.heap().keyed_set(set, member, Value::NIL);
        }
    }
    Ok(set.value().word())
}

fn make_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    give_set(cx, |cx| items("make-set", cx.arg(0)))
}

fn set_of_args(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    give_set(cx, |cx| Ok(cx.all_args().collect()))
}

pub(super) fn union(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    give_set(cx, |cx| {
        let mut all = Vec::new();
        for v in cx.all_args() {
            all.append(&mut items("", v)?);
        }
        Ok(all)
    })
}

/// Members of the first operand that are, or are not, in each of the others.
fn pick(cx: &mut Cx<'_>, keep: fn(bool) -> bool) -> Result<Word, Raise> {
    for i in 1..cx.argc() {
        if cx.arg(i).as_set().is_none() {
            let word = give_set(cx, |cx| items("", cx.arg(i)))?;
            cx.set_arg(i, word);
        }
    }
    give_set(cx, |cx| {
        let mut picked = items("", cx.arg(0))?;
        picked.retain(|member| (1..cx.argc()).all(|i| keep(has(cx, i, *member))));
        Ok(picked)
    })
}

fn subset(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    Ok(Word::bool(entries(cx, 0).all(|(member, _)| has(cx, 1, member))))
}

/// Binds operand 1 to operand 2 in the set or hash table of operand 0.
fn insert(cx: &mut Cx<'_>) -> Result<(), Raise> {
    let bytes = keyed(cx.arg(0)).map_or(0, |k| cx.heap().size_of_keyed_set(k));
    // A full table grows for a new key only.
    if bytes > 0 && !has(cx, 0, cx.arg(1)) {
        cx.reserve(bytes)?;
    }
    if let Some(keyed) = keyed(cx.arg(0)) {
        cx.heap().keyed_set(keyed, cx.arg(1), cx.arg(2));
    }
    Ok(())
}

fn set_add(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    // A key that is there already stays as it was written first.
    if !has(cx, 0, cx.arg(1)) {
        insert(cx)?;
    }
    Ok(cx.arg(0).word())
}

fn table_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    insert(cx)?;
    Ok(Word::NIL)
}

fn table_has(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    Ok(Word::bool(has(cx, 0, cx.arg(1))))
}

fn table_ref(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let found = keyed(cx.arg(0)).and_then(|k| cx.heap().keyed_get(k, cx.arg(1)));
    Ok(found.unwrap_or(cx.arg(2)).word())
}

fn table_delete(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    if let Some(keyed) = keyed(cx.arg(0)) {
        cx.heap().keyed_remove(keyed, cx.arg(1));
    }
    Ok(cx.arg(0).word())
}

fn make_hash_table(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(size_of_keyed(0))?;
    Ok(cx.heap().hash_table(0).value().word())
}

fn table_to_alist(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let count = size(cx);
    cx.reserve(size_of_list(count) + count * Heap::SIZE_OF_PAIR)?;
    let heap = cx.heap();
    let pairs: Vec<Value<'_>> = entries(cx, 0).map(|(key, value)| heap.cons(key, value)).collect();
    Ok(heap.list(&pairs).word())
}

fn alist_to_table(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    fn read<'h>(cx: &'h Cx<'_>) -> Result<Vec<(Value<'h>, Value<'h>)>, Raise> {
        let wrong = || Raise::new(Code::Type, "alist->hash-table: expected a list of pairs");
        let pairs = list_items("alist->hash-table", cx.arg(0))?.into_iter();
        pairs
            .map(|pair| match pair.as_pair() {
                Some(p) => Ok((p.car(), p.cdr())),
                // A list `(key value)`, as SX programs write entries.
                None => Ok((pair.first().ok_or_else(wrong)?, pair.nth(1).map_err(|_| wrong())?)),
            })
            .collect()
    }
    let count = read(cx)?.len();
    cx.reserve(size_of_keyed(count))?;
    let pairs = read(cx)?;
    let table = cx.heap().hash_table(count);
    for (key, value) in pairs {
        if !cx.heap().keyed_has(table, key) {
            cx.heap().keyed_set(table, key, value);
        }
    }
    Ok(table.value().word())
}

fn table_clear(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(size_of_keyed(0))?;
    if let Some(keyed) = keyed(cx.arg(0)) {
        cx.heap().keyed_clear(keyed);
    }
    Ok(cx.arg(0).word())
}

fn copy(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let bytes = size_of_keyed(size(cx));
    cx.reserve(bytes)?;
    Ok(keyed(cx.arg(0)).map_or(Word::NIL, |k| cx.heap().keyed_copy(k).value().word()))
}
