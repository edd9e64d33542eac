//! Dicts: string-keyed, in insertion order. A symbol or keyword counts as the string of its name.
//! An ADT value also answers to `get` with `_type`, `_ctor` and `_fields`.
//!
//! Invariant: what copies never shows in the dict it was copied from.

use super::seq::{list_items, out_of_range};
use super::{Cx, prims};
use crate::dict::Dict;
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::list::size_of_list;
use crate::object::{Type, keyword};
use crate::print::Style;
use crate::shape::SHAPE_KEYS_MAX;
use crate::string::size_of_string;
use crate::table::size_of_table;
use crate::value::{Value, Word};

prims! { DICTS {
    /// A new dict of alternating keys and values.
    "dict" | "%dict" (entries: Any rest) -> Dict, Allocates, dict_of_args, ["(dict :a 1 :b 2) ; => {:a 1 :b 2}", "(dict) ; => {}", "(dict :a) ; error: dict: expected keys and values in pairs"];
    /// The value of a key; default (or nil) if it is missing. Of a list or vector, item number key.
    "get" (d: Any, key: Any, default: Any optional) -> Any, Reads, get, ["(get {:a 1} :a) ; => 1", "(get {:a 1} :b) ; => nil", "(get {:a 1} :b 7) ; => 7", "(get (list 1 2) 1) ; => 2"];
    /// Is the key there?
    "has-key?" | "contains-key?" (d: Any, key: Any) -> Bool, Reads, has_key, ["(has-key? {:a nil} :a) ; => true", "(has-key? {} :a) ; => false"];
    /// The keys, in the order they were added.
    "keys" | "dict-keys" (d: Any) -> List, Allocates, keys, ["(keys {:b 1 :a 2}) ; => (\"b\" \"a\")"];
    /// The values, in the order of their keys.
    "vals" | "dict-values" (d: Any) -> List, Allocates, vals, ["(vals {:b 1 :a 2}) ; => (1 2)"];
    /// The lists `(key value)`, in the order of the keys.
    "entries" | "dict-entries" (d: Any) -> List, Allocates, entries, ["(entries {:b 1 :a 2}) ; => ((\"b\" 1) (\"a\" 2))"];
    /// A copy of the dict with these keys and values set.
    "assoc" (d: Any, entries: Any rest) -> Dict, Allocates, assoc, ["(assoc {:a 1} :b 2) ; => {:a 1 :b 2}", "(assoc nil :a 1) ; => {:a 1}"];
    /// A copy of the dict without these keys.
    "dissoc" (d: Any, keys: Any rest) -> Dict, Allocates, dissoc, ["(dissoc {:a 1 :b 2} :a) ; => {:b 2}"];
    /// One dict of the entries of all, later ones winning.
    "merge" (dicts: Any rest) -> Dict, Allocates, merge, ["(merge {:a 1 :b 2} {:b 3}) ; => {:a 1 :b 3}", "(merge) ; => {}"];
    /// A copy of target with the items of source added: entries to a dict, items to a list, vector or set.
    "into" (target: Any, source: Any) -> Any, Allocates, into, ["(into {:a 1} (list (list :b 2))) ; => {:a 1 :b 2}", "(into (list 1) (vector 2)) ; => (1 2)", "(into () {:a 1}) ; => ((\"a\" 1))"];
    /// Binds a key in place; the value is the dict.
    "dict-set!" (d: Dict, key: Any, value: Any) -> Dict, Writes, dict_set, ["(let ((d {})) (dict-set! d :a 1) d) ; => {:a 1}", "(dict-set! 5 :a 1) ; error: dict-set!: expected dict, got number"];
    /// Removes a key in place; the value is the dict.
    "dict-delete!" (d: Dict, key: Any) -> Dict, Writes, dict_delete, ["(let ((d {:a 1 :b 2})) (dict-delete! d :a) d) ; => {:b 2}"];
    /// A copy of the dict.
    "dict-copy" (d: Dict) -> Dict, Allocates, assoc, ["(dict-copy {:a 1}) ; => {:a 1}"];
    /// The value at the end of a path of keys; default (or nil) if there is none.
    "get-in" (d: Any, path: List, default: Any optional) -> Any, Reads, get_in, ["(get-in {:a {:b 1}} (list :a :b)) ; => 1", "(get-in {:a {}} (list :a :b) 0) ; => 0"];
    /// A dict of those of the keys that are there, in their order.
    "select-keys" (d: Any, keys: List) -> Dict, Allocates, select_keys, ["(select-keys {:a 1 :b 2} (list :b :x)) ; => {:b 2}"];
    /// A dict from a list of keys and a list of values, up to the shorter.
    "zipmap" (keys: List, values: List) -> Dict, Allocates, zipmap, ["(zipmap (list :a :b) (list 1 2)) ; => {:a 1 :b 2}"];
    /// A dict from each key, as str shows it, to the list of the items that have it, one key for each item.
    "%group" (keys: List, xs: List) -> Dict, Allocates, group, ["(%group (list 1 2 1) (list :a :b :c)) ; => {:1 (\"a\" \"c\") :2 (\"b\")}"];
} }

/// The string a key counts as.
pub(super) fn key_string<'h>(heap: &'h Heap, v: Value<'h>) -> Option<Value<'h>> {
    match v.object_type()? {
        Type::String | Type::Text => heap.kept_string(v),
        Type::Symbol => v.symbol_name(),
        Type::Keyword => Some(v.at(keyword::NAME)),
        _ => None,
    }
}

fn key_or<'h>(heap: &'h Heap, who: &str, v: Value<'h>) -> Result<Value<'h>, Raise> {
    key_string(heap, v)
        .ok_or_else(|| Raise::new(Code::Type, format!("{who}: expected string key, got {}", v.type_name())))
}

/// The dict an operand is; `nil` is an empty one, hence `None`.
fn dict_or<'h>(who: &str, v: Value<'h>) -> Result<Option<Dict<'h>>, Raise> {
    match v.as_dict() {
        Some(dict) => Ok(Some(dict)),
        None if v == Value::NIL => Ok(None),
        None => Err(Raise::new(
            Code::Type,
            format!("{who}: expected dict, got {}", v.type_name()),
        )),
    }
}

/// Bytes to reserve for `build` of at most `n` entries.
pub(super) fn size_of_built(n: usize) -> usize {
    Heap::SIZE_OF_DICT + size_of_table(n)
}

/// A dict of these entries, later ones winning. Spends `size_of_built(entries.len())`.
pub(super) fn build<'h>(heap: &'h Heap, entries: Vec<(Value<'h>, Value<'h>)>) -> Value<'h> {
    if entries.len() > SHAPE_KEYS_MAX {
        return build_hashed(heap, entries);
    }
    let (mut keys, mut values): (Vec<Value<'h>>, Vec<Value<'h>>) = (Vec::new(), Vec::new());
    for (key, value) in entries {
        let key = heap.intern_string(key);
        match keys.iter().position(|known| *known == key) {
            Some(at) => values[at] = value,
            None => {
                keys.push(key);
                values.push(value);
            }
        }
    }
    match heap.shape_of_keys(&keys) {
        Some(shape) => heap.dict_of_shape(shape, &values).value(),
        None => build_hashed(heap, keys.into_iter().zip(values).collect()),
    }
}

fn build_hashed<'h>(heap: &'h Heap, entries: Vec<(Value<'h>, Value<'h>)>) -> Value<'h> {
    let table = heap.table(entries.len());
    for (key, value) in entries {
        let hash = heap.hash_string(key);
        match table.find(hash, |other| other.as_str() == key.as_str()) {
            Some(entry) => heap.table_set_value(table, entry, value),
            None => heap.table_insert(table, hash, key, value),
        }
    }
    heap.make(Type::Dict, 0, [Word::fixnum(-1), table.0.word()])
}

/// A dict of the entries `read` finds, as the answer.
fn give_dict(
    cx: &mut Cx<'_>,
    read: impl for<'h> Fn(&'h Cx<'_>) -> Result<Vec<(Value<'h>, Value<'h>)>, Raise>,
) -> Result<Word, Raise> {
    let count = read(cx)?.len();
    cx.reserve(size_of_built(count))?;
    let entries = read(cx)?;
    Ok(build(cx.heap(), entries).word())
}

/// The entries operand `from` and after give as keys and values in turn.
fn arg_entries<'h>(cx: &'h Cx<'_>, who: &str, from: usize) -> Result<Vec<(Value<'h>, Value<'h>)>, Raise> {
    if (cx.argc() - from) % 2 == 1 {
        return Err(Raise::new(
            Code::Arity,
            format!("{who}: expected keys and values in pairs"),
        ));
    }
    (from..cx.argc())
        .step_by(2)
        .map(|i| Ok((key_or(cx.heap(), who, cx.arg(i))?, cx.arg(i + 1))))
        .collect()
}

fn dict_of_args(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    give_dict(cx, |cx| arg_entries(cx, "dict", 0))
}

/// The value of a key in a dict, ADT value, list, vector or `nil`.
fn look_up<'h>(cx: &'h Cx<'_>, d: Value<'h>, key: Value<'h>) -> Result<Option<Value<'h>>, Raise> {
    if let Some(dict) = d.as_dict() {
        return Ok(key_string(cx.heap(), key).and_then(|key| cx.heap().dict_get(dict, key)));
    }
    let place = || key.as_fixnum().and_then(|i| usize::try_from(i).ok());
    if d.is_list() {
        return Ok(place().and_then(|i| d.nth(i).ok()));
    }
    if let Some(vector) = d.as_vector() {
        return Ok(place().and_then(|i| vector.get(i)));
    }
    if let Some(record) = d.as_record() {
        let i = super::records::field_place(record, key.as_name().unwrap_or_default());
        return Ok(i.and_then(|i| record.get(i)));
    }
    if d == Value::NIL {
        return Ok(None);
    }
    Err(Raise::new(
        Code::Type,
        format!(": expected dict, got {}", d.type_name()),
    ))
}

pub(super) fn get(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    if cx.arg(0).is(Type::Record)
        && let Some(answer) = super::records::adt_key(cx)?
    {
        return Ok(answer);
    }
    let found = look_up(cx, cx.arg(0), cx.arg(1))?;
    Ok(found.unwrap_or(cx.arg(2)).word())
}

fn has_key(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let v = cx.arg(0);
    if let Some(keyed) = super::sets::keyed(v) {
        return Ok(Word::bool(cx.heap().keyed_has(keyed, cx.arg(1))));
    }
    Ok(Word::bool(look_up(cx, v, cx.arg(1))?.is_some()))
}

/// The entries of a dict; none of `nil`; of a hash table, those too.
pub(super) fn entries_of<'h>(cx: &'h Cx<'_>, who: &str, v: Value<'h>) -> Result<Vec<(Value<'h>, Value<'h>)>, Raise> {
    if let Some(table) = v.as_hash_table() {
        return Ok(table.entries().collect());
    }
    Ok(dict_or(who, v)?
        .map(|dict| cx.heap().dict_entries(dict).collect())
        .unwrap_or_default())
}

/// The same, for entering into a dict: every key is a string.
fn string_entries_of<'h>(cx: &'h Cx<'_>, who: &str, v: Value<'h>) -> Result<Vec<(Value<'h>, Value<'h>)>, Raise> {
    entries_of(cx, who, v)?
        .into_iter()
        .map(|(key, value)| Ok((key_or(cx.heap(), who, key)?, value)))
        .collect()
}

fn keys(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.give_list(
        |cx| Ok(entries_of(cx, "keys", cx.arg(0))?.len()),
        |cx| {
            Ok(entries_of(cx, "keys", cx.arg(0))?
                .into_iter()
                .map(|(key, _)| key)
                .collect())
        },
    )
}

fn vals(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.give_list(
        |cx| Ok(entries_of(cx, "vals", cx.arg(0))?.len()),
        |cx| {
            Ok(entries_of(cx, "vals", cx.arg(0))?
                .into_iter()
                .map(|(_, value)| value)
                .collect())
        },
    )
}

/// The entries of operand `i` as lists `(key value)`.
pub(super) fn give_entries(cx: &mut Cx<'_>, who: &str, i: usize) -> Result<Word, Raise> {
    let count = entries_of(cx, who, cx.arg(i))?.len();
    cx.reserve(size_of_list(count) + count * size_of_list(2))?;
    let heap = cx.heap();
    let rows = entries_of(cx, who, cx.arg(i))?;
    let rows: Vec<Value<'_>> = rows.into_iter().map(|(key, value)| heap.list(&[key, value])).collect();
    Ok(heap.list(&rows).word())
}

fn entries(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    give_entries(cx, "entries", 0)
}

/// Replaces operand 0 by a dict of its own: a copy, or an empty dict for `nil`.
fn own_dict(cx: &mut Cx<'_>, who: &str) -> Result<(), Raise> {
    let bytes = match dict_or(who, cx.arg(0))? {
        Some(dict) => cx.heap().size_of_dict_copy(dict),
        None => Heap::SIZE_OF_DICT,
    };
    cx.reserve(bytes)?;
    let heap = cx.heap();
    let own = match cx.arg(0).as_dict() {
        Some(dict) => heap.dict_copy(dict),
        None => heap.dict(),
    };
    let word = own.value().word();
    cx.set_arg(0, word);
    Ok(())
}

/// Binds the key in operand `key` of the dict in operand 0 to operand `value`.
fn put(cx: &mut Cx<'_>, who: &str, key: usize, value: usize) -> Result<(), Raise> {
    let name = key_or(cx.heap(), who, cx.arg(key))?;
    let bytes = cx
        .arg(0)
        .as_dict()
        .map_or(0, |dict| cx.heap().size_of_dict_set(dict, name));
    cx.reserve(bytes)?;
    if let (Some(dict), Some(name)) = (cx.arg(0).as_dict(), key_string(cx.heap(), cx.arg(key))) {
        cx.heap().dict_set(dict, name, cx.arg(value));
    }
    Ok(())
}

fn remove(cx: &mut Cx<'_>, who: &str, key: usize) -> Result<(), Raise> {
    let name = key_or(cx.heap(), who, cx.arg(key))?;
    let there = cx
        .arg(0)
        .as_dict()
        .filter(|dict| cx.heap().dict_get(*dict, name).is_some());
    let Some(dict) = there else { return Ok(()) };
    let bytes = cx.heap().size_of_dict_remove(dict);
    cx.reserve(bytes)?;
    if let (Some(dict), Some(name)) = (cx.arg(0).as_dict(), key_string(cx.heap(), cx.arg(key))) {
        cx.heap().dict_remove(dict, name);
    }
    Ok(())
}

fn assoc(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    arg_entries(cx, "assoc", 1)?;
    own_dict(cx, "assoc")?;
    for i in (1..cx.argc()).step_by(2) {
        put(cx, "assoc", i, i + 1)?;
    }
    Ok(cx.arg(0).word())
}

fn dissoc(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    own_dict(cx, "dissoc")?;
    for i in 1..cx.argc() {
        remove(cx, "dissoc", i)?;
    }
    Ok(cx.arg(0).word())
}

fn dict_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    put(cx, "dict-set!", 1, 2)?;
    Ok(cx.arg(0).word())
}

fn dict_delete(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    remove(cx, "dict-delete!", 1)?;
    Ok(cx.arg(0).word())
}

fn merge(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    give_dict(cx, |cx| {
        let mut all = Vec::new();
        for v in cx.all_args() {
            all.append(&mut string_entries_of(cx, "merge", v)?);
        }
        Ok(all)
    })
}

fn get_in(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut at = cx.arg(0);
    for key in list_items("get-in", cx.arg(1))? {
        match look_up(cx, at, key)? {
            Some(next) => at = next,
            None => return Ok(cx.arg(2).word()),
        }
    }
    Ok(at.word())
}

fn select_keys(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    give_dict(cx, |cx| {
        let Some(dict) = dict_or("select-keys", cx.arg(0))? else {
            return Ok(Vec::new());
        };
        let mut picked = Vec::new();
        for key in list_items("select-keys", cx.arg(1))? {
            let key = key_or(cx.heap(), "select-keys", key)?;
            if let Some(value) = cx.heap().dict_get(dict, key) {
                picked.push((key, value));
            }
        }
        Ok(picked)
    })
}

fn zipmap(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    give_dict(cx, |cx| {
        let values = list_items("zipmap", cx.arg(1))?;
        let keys = list_items("zipmap", cx.arg(0))?;
        keys.into_iter()
            .zip(values)
            .map(|(key, value)| Ok((key_or(cx.heap(), "zipmap", key)?, value)))
            .collect()
    })
}

/// A list `(key value)` or a pair `(key . value)` as an entry.
fn entry_of<'h>(heap: &'h Heap, who: &str, v: Value<'h>) -> Result<(Value<'h>, Value<'h>), Raise> {
    let key = v
        .first()
        .ok_or_else(|| Raise::new(Code::Type, format!("{who}: expected entries (key value)")))?;
    let value = match v.as_pair() {
        Some(pair) if !pair.cdr().is_list() => pair.cdr(),
        _ => v.nth(1).map_err(|_| out_of_range(who, 1, 1))?,
    };
    Ok((key_or(heap, who, key)?, value))
}

fn into(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (target, source) = (cx.arg(0), cx.arg(1));
    let has_entries = source.is(Type::Dict) || source.is(Type::HashTable);
    if target.is(Type::Dict) {
        return give_dict(cx, |cx| {
            let mut all = entries_of(cx, "into", cx.arg(0))?;
            if cx.arg(1).is(Type::Dict) || cx.arg(1).is(Type::HashTable) {
                all.append(&mut string_entries_of(cx, "into", cx.arg(1))?);
            } else {
                for item in super::seq::items("into", cx.arg(1))? {
                    all.push(entry_of(cx.heap(), "into", item)?);
                }
            }
            Ok(all)
        });
    }
    if has_entries {
        let list = give_entries(cx, "into", 1)?;
        cx.set_arg(1, list);
    }
    if cx.arg(0).is(Type::Set) {
        return super::sets::union(cx);
    }
    fn both<'h>(cx: &'h Cx<'_>) -> Result<Vec<Value<'h>>, Raise> {
        let mut all = super::seq::items("into", cx.arg(0))?;
        all.append(&mut super::seq::items("into", cx.arg(1))?);
        Ok(all)
    }
    if cx.arg(0).is(Type::Vector) {
        let count = both(cx)?.len();
        cx.reserve(crate::vector::size_of_vector(count))?;
        let items = both(cx)?;
        return Ok(cx.heap().vector_from(&items).word());
    }
    cx.give_list(|cx| Ok(both(cx)?.len()), both)
}

fn group(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut names: Vec<String> = Vec::new();
    let mut rows: Vec<Vec<usize>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for (i, key) in list_items("group-by", cx.arg(0))?.into_iter().enumerate() {
        let mut name = String::new();
        cx.show_onto(&mut name, key, Style::Display)?;
        let row = *known.entry(name).or_insert_with_key(|name| {
            names.push(name.clone());
            rows.push(Vec::new());
            rows.len() - 1
        });
        rows[row].push(i);
    }
    let strings: usize = names.iter().map(|name| size_of_string(name.len())).sum();
    let lists: usize = rows.iter().map(|row| size_of_list(row.len())).sum();
    cx.reserve(size_of_built(rows.len()) + strings + lists)?;
    let heap = cx.heap();
    let items = list_items("group-by", cx.arg(1))?;
    let entries: Vec<(Value<'_>, Value<'_>)> = names
        .iter()
        .zip(&rows)
        .map(|(name, row)| {
            let row: Vec<Value<'_>> = row.iter().filter_map(|i| items.get(*i).copied()).collect();
            (heap.string(name), heap.list(&row))
        })
        .collect();
    Ok(build(heap, entries).word())
}
