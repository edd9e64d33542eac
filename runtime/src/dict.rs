//! Dicts: mutable, string-keyed, in insertion order.
//!
//! A small dict is *shaped*: its SHAPE names its keys and its store holds the values, slot by
//! slot. It becomes *hashed* for good when a key is removed, when it has more than
//! `SHAPE_KEYS_MAX` keys, or when there are too many shapes. Shaped dicts hold interned keys;
//! hashed ones hold any strings and compare text. Looking a key up never interns it.

use crate::fault::{Fault, planted};
use crate::heap::Heap;
use crate::object::{INTERNED, Type, buffer, dict};
use crate::shape::{EMPTY_SHAPE, ShapeId};
use crate::table::{Table, size_of_table};
use crate::value::{Value, Word};
use crate::vector::size_of_buffer;
use std::rc::Rc;

/// SHAPE of a hashed dict.
const HASHED: Word = Word::fixnum(-1);

/// Bytes to reserve for a dict of a shape with `n` keys.
pub const fn size_of_dict(n: usize) -> usize {
    Heap::size_of(2) + size_of_buffer(n)
}

/// A value that is known to be a dict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dict<'h>(pub(crate) Value<'h>);

impl<'h> Dict<'h> {
    /// How many keys.
    pub fn len(self) -> usize {
        match self.table() {
            Some(table) => table.len(),
            None if self.store() == Value::NIL => 0,
            None => self.store().int_at(buffer::USED),
        }
    }
    /// No keys?
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
    /// Its shape, if it is not hashed.
    #[inline(always)]
    pub fn shape(self) -> Option<ShapeId> {
        let shape = self.0.at(dict::SHAPE).word();
        (shape != HASHED).then(|| shape.as_fixnum() as ShapeId)
    }
    /// The value in a slot of a shaped dict; the slot was found by the dict's shape.
    #[inline(always)]
    pub fn slot(self, slot: usize) -> Value<'h> {
        assert!(self.shape().is_some() && slot < self.store().int_at(buffer::USED));
        self.store().at(buffer::ELEMENTS + slot)
    }
    /// The dict as a value.
    pub fn value(self) -> Value<'h> {
        self.0
    }
    #[inline(always)]
    fn store(self) -> Value<'h> {
        self.0.at(dict::STORE)
    }
    #[inline(always)]
    fn table(self) -> Option<Table<'h>> {
        self.shape().is_none().then(|| Table(self.store()))
    }
}

impl<'h> Value<'h> {
    /// This as a dict, if it is one.
    #[inline(always)]
    pub fn as_dict(self) -> Option<Dict<'h>> {
        self.is(Type::Dict).then_some(Dict(self))
    }
}

/// Where a key is.
enum Place {
    Slot(usize),
    Entry(usize),
    /// In a shaped dict the key is not there, this would be the shape with it.
    NewSlot(ShapeId),
    /// In a shaped dict the key is not there, and cannot be.
    Unshaped,
    /// In a hashed dict the key is not there.
    NewEntry,
}

/// The capacity of a store that has to hold one value more than `used`.
fn grown(used: usize) -> usize {
    if used < 4 { 4 } else { used * 2 }
}

impl Heap {
    /// Bytes to reserve for an empty dict.
    pub const SIZE_OF_DICT: usize = Heap::size_of(2);

    /// An empty dict. Spends `SIZE_OF_DICT`.
    pub fn dict(&self) -> Dict<'_> {
        Dict(self.make(Type::Dict, 0, [Word::fixnum(EMPTY_SHAPE as i64), Word::NIL]))
    }

    /// A dict of this shape, one value for each key. Spends `size_of_dict(values.len())`.
    pub fn dict_of_shape(&self, shape: ShapeId, values: &[Value<'_>]) -> Dict<'_> {
        assert_eq!(values.len(), self.shape_len(shape));
        let store = self.buffer(values.len());
        for value in values {
            self.buffer_push(store, *value);
        }
        Dict(self.make(Type::Dict, 0, [Word::fixnum(shape as i64), store.word()]))
    }

    /// A dict of interned keys and their values; the last of equal keys holds. Spends at most
    /// `size_of_dict(n) + size_of_table(n)`.
    pub(crate) fn dict_of<'h>(&'h self, entries: Vec<(Value<'h>, Value<'h>)>) -> Dict<'h> {
        let mut places = std::collections::HashMap::new();
        let mut distinct: Vec<(Value<'h>, Value<'h>)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let place = *places.entry(key.word()).or_insert(distinct.len());
            match distinct.get_mut(place) {
                Some(entry) => entry.1 = value,
                None => distinct.push((key, value)),
            }
        }
        let (keys, values): (Vec<_>, Vec<_>) = distinct.into_iter().unzip();
        if let Some(shape) = self.shape_of_keys(&keys) {
            return self.dict_of_shape(shape, &values);
        }
        let table = self.table(keys.len());
        for (key, value) in keys.into_iter().zip(values) {
            self.table_insert(table, self.hash_string(key), key, value);
        }
        Dict(self.make(Type::Dict, 0, [HASHED, table.0.word()]))
    }

    /// The value of a string key.
    #[inline]
    pub fn dict_get<'h>(&'h self, dict: Dict<'h>, key: Value<'h>) -> Option<Value<'h>> {
        match dict.shape() {
            _ if !key.is(Type::String) => None,
            Some(shape) if key.has_flag(INTERNED) => Some(dict.slot(self.shape_slot(shape, key)?)),
            Some(_) => self.dict_get_str(dict, key.as_str()?),
            None => {
                let table = Table(dict.store());
                let entry = find_in(table, self.hash_string(key), key.as_str()?)?;
                Some(table.value(entry))
            }
        }
    }

    /// Shape and slot of an interned key of a shaped dict.
    pub fn dict_slot(&self, dict: Dict<'_>, key: Value<'_>) -> Option<(ShapeId, usize)> {
        let shape = dict.shape()?;
        let interned = key.is(Type::String) && key.has_flag(INTERNED);
        interned
            .then(|| self.shape_slot(shape, key))
            .flatten()
            .map(|slot| (shape, slot))
    }

    /// The value of a key given as text.
    pub fn dict_get_str<'h>(&'h self, dict: Dict<'h>, key: &str) -> Option<Value<'h>> {
        match dict.shape() {
            Some(shape) => Some(dict.slot(self.shape_slot_of(shape, key)?)),
            None => {
                let table = Table(dict.store());
                Some(table.value(find_in(table, self.hash_text(key), key)?))
            }
        }
    }

    /// Where `key` is or would go.
    fn dict_place(&self, dict: Dict<'_>, key: Value<'_>) -> Place {
        assert!(key.is(Type::String), "the caller checks that the key is a string");
        let Some(shape) = dict.shape() else {
            let text = key.as_str().unwrap_or_default();
            let entry = find_in(Table(dict.store()), self.hash_string(key), text);
            return entry.map_or(Place::NewEntry, Place::Entry);
        };
        let key = self.intern_string(key);
        match self.shape_slot(shape, key) {
            Some(slot) => Place::Slot(slot),
            None => self.shape_add(shape, key).map_or(Place::Unshaped, Place::NewSlot),
        }
    }

    /// Bytes to reserve before `dict_set` with this string key.
    pub fn size_of_dict_set(&self, dict: Dict<'_>, key: Value<'_>) -> usize {
        if dict.table().is_some_and(|table| table.size_of_insert() == 0) {
            return 0;
        }
        match self.dict_place(dict, key) {
            Place::Slot(_) | Place::Entry(_) => 0,
            Place::NewSlot(_) if has_room(dict.store()) => 0,
            Place::NewSlot(_) => size_of_buffer(grown(dict.len())),
            Place::NewEntry => Table(dict.store()).size_of_insert(),
            Place::Unshaped => size_of_table(dict.len() + 1),
        }
    }

    /// Binds a string key. Spends `size_of_dict_set(dict, key)`.
    pub fn dict_set(&self, dict: Dict<'_>, key: Value<'_>, value: Value<'_>) {
        match self.dict_place(dict, key) {
            Place::Slot(slot) => self.set_dict_slot(dict, slot, value),
            Place::Entry(entry) => self.table_set_value(Table(dict.store()), entry, value),
            Place::NewSlot(shape) => self.dict_add_slot(dict, shape, value),
            Place::NewEntry => self.dict_insert(dict, key, value),
            Place::Unshaped => {
                self.dict_make_hashed(dict, 1);
                self.dict_insert(dict, key, value);
            }
        }
    }

    /// Replaces the value in a slot of a shaped dict.
    #[inline]
    pub fn set_dict_slot(&self, dict: Dict<'_>, slot: usize, value: Value<'_>) {
        assert!(dict.shape().is_some() && slot < dict.store().int_at(buffer::USED));
        self.store(dict.store(), buffer::ELEMENTS + slot, value);
    }

    fn dict_add_slot(&self, dict: Dict<'_>, shape: ShapeId, value: Value<'_>) {
        if !has_room(dict.store()) {
            let store = self.buffer(grown(dict.len()));
            for slot in 0..dict.len() {
                self.buffer_push(store, dict.slot(slot));
            }
            self.store(dict.0, dict::STORE, store);
        }
        self.buffer_push(dict.store(), value);
        if !planted(Fault::StaleShape) {
            dict.0.set_raw(dict::SHAPE, Word::fixnum(shape as i64).0);
        }
    }

    fn dict_insert(&self, dict: Dict<'_>, key: Value<'_>, value: Value<'_>) {
        self.table_insert(Table(dict.store()), self.hash_string(key), key, value);
    }

    /// Spends `size_of_table(dict.len() + more)`.
    fn dict_make_hashed(&self, dict: Dict<'_>, more: usize) {
        let table = self.table(dict.len() + more);
        for (key, value) in self.dict_entries(dict) {
            self.table_insert(table, self.hash_string(key), key, value);
        }
        self.store(dict.0, dict::STORE, table.0);
        dict.0.set_raw(dict::SHAPE, HASHED.0);
    }

    /// Bytes to reserve before `dict_remove`.
    pub fn size_of_dict_remove(&self, dict: Dict<'_>) -> usize {
        if dict.shape().is_some() {
            size_of_table(dict.len())
        } else {
            0
        }
    }

    /// Removes a string key; was it there? Spends `size_of_dict_remove(dict)`.
    pub fn dict_remove<'h>(&'h self, dict: Dict<'h>, key: Value<'h>) -> bool {
        if self.dict_get(dict, key).is_none() {
            return false;
        }
        if dict.shape().is_some() {
            self.dict_make_hashed(dict, 0);
        }
        let table = Table(dict.store());
        let text = key.as_str().unwrap_or_default();
        if let Some(entry) = find_in(table, self.hash_string(key), text) {
            self.table_remove(table, entry);
        }
        true
    }

    /// Bytes to reserve before `dict_copy`.
    pub fn size_of_dict_copy(&self, dict: Dict<'_>) -> usize {
        match dict.table() {
            Some(table) => Heap::SIZE_OF_DICT + size_of_table(table.len()),
            None => size_of_dict(dict.len() + 1),
        }
    }

    /// A dict with the same keys and values; a shaped one has room for another key. Spends
    /// `size_of_dict_copy(dict)`.
    pub fn dict_copy<'h>(&'h self, dict: Dict<'h>) -> Dict<'h> {
        let store = match dict.table() {
            Some(table) => self.table_copy(table).0,
            None => {
                let store = self.buffer(dict.len() + 1);
                for slot in 0..dict.len() {
                    self.buffer_push(store, dict.slot(slot));
                }
                store
            }
        };
        let shape = dict.0.at(dict::SHAPE).word();
        Dict(self.make(Type::Dict, 0, [shape, store.word()]))
    }

    /// Keys and values in insertion order. Keys added meanwhile may be left out.
    pub fn dict_entries<'h>(&'h self, dict: Dict<'h>) -> DictEntries<'h> {
        DictEntries {
            store: dict.store(),
            keys: dict.shape().map(|shape| self.shape_keys(shape)),
            next: 0,
        }
    }
}

fn has_room(store: Value<'_>) -> bool {
    store != Value::NIL && store.int_at(buffer::USED) < store.int_at(buffer::CAPACITY)
}

#[inline]
fn find_in(table: Table<'_>, hash: u64, text: &str) -> Option<usize> {
    table.find(hash, |key| key.as_str() == Some(text))
}

/// The entries of a dict.
pub struct DictEntries<'h> {
    store: Value<'h>,
    keys: Option<Rc<[Word]>>,
    next: usize,
}

impl<'h> Iterator for DictEntries<'h> {
    type Item = (Value<'h>, Value<'h>);
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(keys) = &self.keys {
            let key = *keys.get(self.next)?;
            self.next += 1;
            return Some((Value::from_word(key), self.store.at(buffer::ELEMENTS + self.next - 1)));
        }
        Table(self.store).next_entry(&mut self.next)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::heap::{Handle, HeapOptions, tests::Rng};
    use crate::string::size_of_string;

    fn set(heap: &mut Heap, rooted: &Handle, key: &str, value: i64) {
        heap.reserve(size_of_string(key.len()), &mut ()).unwrap();
        let key = heap.handle(heap.string(key));
        let size = heap.size_of_dict_set(heap.get(rooted).as_dict().unwrap(), heap.get(&key));
        heap.reserve(size, &mut ()).unwrap();
        heap.dict_set(
            heap.get(rooted).as_dict().unwrap(),
            heap.get(&key),
            Value::fixnum(value),
        );
    }

    fn remove(heap: &mut Heap, rooted: &Handle, key: &str) -> bool {
        heap.reserve(size_of_string(key.len()), &mut ()).unwrap();
        let key = heap.handle(heap.string(key));
        let size = heap.size_of_dict_remove(heap.get(rooted).as_dict().unwrap());
        heap.reserve(size, &mut ()).unwrap();
        heap.dict_remove(heap.get(rooted).as_dict().unwrap(), heap.get(&key))
    }

    fn read(heap: &Heap, rooted: &Handle) -> Vec<(String, i64)> {
        let entries = heap.dict_entries(heap.get(rooted).as_dict().unwrap());
        let read = |(k, v): (Value<'_>, Value<'_>)| (k.as_str().unwrap().to_string(), v.as_fixnum().unwrap());
        entries.map(read).collect()
    }

    fn empty(heap: &mut Heap) -> Handle {
        heap.reserve(Heap::SIZE_OF_DICT, &mut ()).unwrap();
        heap.handle(heap.dict().0)
    }

    #[test]
    fn equal_keys_make_equal_shapes_until_a_removal() {
        let mut heap = Heap::new(HeapOptions::default());
        let dicts = [empty(&mut heap), empty(&mut heap)];
        for dict in &dicts {
            set(&mut heap, dict, "a", 1);
            set(&mut heap, dict, "b", 2);
            set(&mut heap, dict, "a", 3);
        }
        let shape = |heap: &Heap, d: &Handle| heap.get(d).as_dict().unwrap().shape();
        assert!(shape(&heap, &dicts[0]).is_some());
        assert_eq!(shape(&heap, &dicts[0]), shape(&heap, &dicts[1]));
        assert!(remove(&mut heap, &dicts[0], "a") && !remove(&mut heap, &dicts[0], "a"));
        assert_eq!(shape(&heap, &dicts[0]), None);
        set(&mut heap, &dicts[0], "a", 4);
        assert_eq!(read(&heap, &dicts[0]), [("b".into(), 2), ("a".into(), 4)]);
        assert_eq!(read(&heap, &dicts[1]), [("a".into(), 3), ("b".into(), 2)]);
    }

    #[test]
    fn dicts_agree_with_a_model_in_order() {
        let options = HeapOptions {
            stress: true,
            poison: true,
            ..HeapOptions::default()
        };
        let mut heap = Heap::new(options);
        let mut rng = Rng(11);
        for keys in [5, 30, 300] {
            let dict = empty(&mut heap);
            let mut model: Vec<(String, i64)> = Vec::new();
            for step in 0..400 {
                let key = format!("key-{}", rng.below(keys));
                let known = model.iter().position(|(k, _)| *k == key);
                if step > 200 && rng.below(4) == 0 {
                    assert_eq!(remove(&mut heap, &dict, &key), known.is_some());
                    known.map(|i| model.remove(i));
                } else {
                    set(&mut heap, &dict, &key, step);
                    match known {
                        Some(i) => model[i].1 = step,
                        None => model.push((key.clone(), step)),
                    }
                }
                let found = heap.dict_get_str(heap.get(&dict).as_dict().unwrap(), &key);
                assert_eq!(found.is_some(), model.iter().any(|(k, _)| *k == key));
            }
            assert_eq!(read(&heap, &dict), model);
            heap.reserve(heap.size_of_dict_copy(heap.get(&dict).as_dict().unwrap()), &mut ())
                .unwrap();
            let copy = heap.handle(heap.dict_copy(heap.get(&dict).as_dict().unwrap()).0);
            set(&mut heap, &copy, "new", 1);
            assert_eq!(
                (read(&heap, &dict), read(&heap, &copy).len()),
                (model.clone(), model.len() + 1)
            );
        }
    }

    #[test]
    fn too_many_shapes_make_hashed_dicts() {
        let mut heap = Heap::new(HeapOptions::default());
        for i in 0..2 * crate::shape::SHAPES_MAX {
            let dict = empty(&mut heap);
            set(&mut heap, &dict, &format!("k{i}"), i as i64);
            assert_eq!(read(&heap, &dict), [(format!("k{i}"), i as i64)]);
        }
        assert!(heap.find_interned("nobody").is_none());
    }
}
