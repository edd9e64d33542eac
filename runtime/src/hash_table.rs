//! Hash tables and sets: keyed by any value, in insertion order. Keys compare as by `=` (1 and
//! 1.0 are one key), except that NaN is one key too.
//!
//! A key that is changed after it was put in is not found again under either form; that is the
//! program's business. Deliberately absent: dicts, which are keyed by strings only.

use crate::equal::Numbers;
use crate::heap::Heap;
use crate::object::{Type, hash_table};
use crate::table::{Table, size_of_table};
use crate::value::Value;

/// A value that is known to be a hash table or a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyed<'h>(Value<'h>);

impl<'h> Keyed<'h> {
    /// How many keys.
    pub fn len(self) -> usize {
        self.table().len()
    }
    /// No keys?
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
    /// Keys and values in insertion order (a set has nil for values). What is added or removed
    /// meanwhile may make it repeat or leave out entries.
    pub fn entries(self) -> impl Iterator<Item = (Value<'h>, Value<'h>)> {
        let mut at = 0;
        std::iter::from_fn(move || self.table().next_entry(&mut at))
    }
    /// The hash table or set as a value.
    pub fn value(self) -> Value<'h> {
        self.0
    }
    fn table(self) -> Table<'h> {
        Table::of(self.0)
    }
}

impl<'h> Value<'h> {
    /// This as a hash table, if it is one.
    pub fn as_hash_table(self) -> Option<Keyed<'h>> {
        self.is(Type::HashTable).then_some(Keyed(self))
    }
    /// This as a set, if it is one.
    pub fn as_set(self) -> Option<Keyed<'h>> {
        self.is(Type::Set).then_some(Keyed(self))
    }
}

/// Bytes to reserve for a hash table or set with room for `capacity` keys.
pub const fn size_of_keyed(capacity: usize) -> usize {
    size_of_table(capacity).saturating_add(Heap::size_of(1))
}

impl Heap {
    /// An empty hash table. Spends `size_of_keyed(capacity)`.
    pub fn hash_table(&self, capacity: usize) -> Keyed<'_> {
        let table = self.table(capacity).0.word();
        Keyed(self.make(Type::HashTable, 0, [table]))
    }
    /// An empty set. Spends `size_of_keyed(capacity)`.
    pub fn set(&self, capacity: usize) -> Keyed<'_> {
        let table = self.table(capacity).0.word();
        Keyed(self.make(Type::Set, 0, [table]))
    }
    /// A hash table or set with the same entries. Spends `size_of_keyed(keyed.len())`.
    pub fn keyed_copy<'h>(&'h self, keyed: Keyed<'h>) -> Keyed<'h> {
        let table = self.table_copy(keyed.table()).0.word();
        let ty = if keyed.0.is(Type::Set) {
            Type::Set
        } else {
            Type::HashTable
        };
        Keyed(self.make(ty, 0, [table]))
    }

    /// The value of a key.
    pub fn keyed_get<'h>(&'h self, keyed: Keyed<'h>, key: Value<'h>) -> Option<Value<'h>> {
        let table = keyed.table();
        Some(table.value(self.find_key(table, key)?))
    }
    /// Is there such a key?
    pub fn keyed_has<'h>(&'h self, keyed: Keyed<'h>, key: Value<'h>) -> bool {
        self.find_key(keyed.table(), key).is_some()
    }

    /// Bytes to reserve before `keyed_set` of any one key.
    pub fn size_of_keyed_set(&self, keyed: Keyed<'_>) -> usize {
        keyed.table().size_of_insert()
    }
    /// Binds a key; a set takes nil for the value. Spends `size_of_keyed_set(keyed)`.
    pub fn keyed_set<'h>(&'h self, keyed: Keyed<'h>, key: Value<'h>, value: Value<'h>) {
        let (table, hash) = (keyed.table(), self.hash(key));
        match table.find(hash, |k| self.same(k, key, Numbers::AsKeys)) {
            Some(entry) => self.table_set_value(table, entry, value),
            None => self.table_insert(table, hash, key, value),
        }
    }
    /// Removes a key; was it there?
    pub fn keyed_remove<'h>(&'h self, keyed: Keyed<'h>, key: Value<'h>) -> bool {
        let entry = self.find_key(keyed.table(), key);
        entry
            .inspect(|entry| self.table_remove(keyed.table(), *entry))
            .is_some()
    }
    /// Removes all keys. Spends `size_of_keyed(0)`.
    pub fn keyed_clear(&self, keyed: Keyed<'_>) {
        self.store(keyed.0, hash_table::TABLE, self.table(0).0);
    }

    /// The entry of a key in the table of a hash table or set.
    #[inline]
    pub(crate) fn find_key<'h>(&'h self, table: Table<'h>, key: Value<'h>) -> Option<usize> {
        table.find(self.hash(key), |k| self.same(k, key, Numbers::AsKeys))
    }
}

impl<'h> Table<'h> {
    /// The table of a hash table or set.
    pub(crate) fn of(value: Value<'h>) -> Table<'h> {
        assert!(value.is(Type::HashTable) || value.is(Type::Set));
        Table(value.at(hash_table::TABLE))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::heap::{Handle, HeapOptions, tests::Rng};

    fn put(heap: &mut Heap, table: &Handle, key: &Handle, value: i64) {
        let size = heap.size_of_keyed_set(heap.get(table).as_hash_table().unwrap());
        heap.reserve(size, &mut ()).unwrap();
        let keyed = heap.get(table).as_hash_table().unwrap();
        heap.keyed_set(keyed, heap.get(key), Value::fixnum(value));
    }

    /// A key that is equal for equal numbers: a list, a string, a float or an object.
    fn key(heap: &mut Heap, n: usize) -> Handle {
        heap.reserve(300, &mut ()).unwrap();
        let i = Value::fixnum(n as i64);
        let value = match n % 4 {
            0 => heap.list(&[i, heap.string("k"), heap.list(&[i])]),
            1 => heap.string(&format!("key {n}")),
            2 => heap.float(n as f64 / 3.0),
            _ => heap.cons(i, heap.cons(heap.float(1e300), Value::EMPTY)),
        };
        heap.handle(value)
    }

    #[test]
    fn hash_tables_agree_with_a_model() {
        let mut heap = Heap::new(HeapOptions {
            stress: true,
            poison: true,
            ..HeapOptions::default()
        });
        heap.reserve(size_of_keyed(0), &mut ()).unwrap();
        let table = heap.handle(heap.hash_table(0).value());
        let mut model = std::collections::HashMap::new();
        let mut rng = Rng(5);
        for step in 0..600 {
            let n = rng.below(80);
            let key = key(&mut heap, n);
            let keyed = heap.get(&table).as_hash_table().unwrap();
            assert_eq!(
                heap.keyed_get(keyed, heap.get(&key)).and_then(Value::as_fixnum),
                model.get(&n).copied()
            );
            if rng.below(4) == 0 {
                assert_eq!(heap.keyed_remove(keyed, heap.get(&key)), model.remove(&n).is_some());
            } else {
                put(&mut heap, &table, &key, step);
                model.insert(n, step);
            }
            assert_eq!(heap.get(&table).as_hash_table().unwrap().len(), model.len());
        }
    }

    #[test]
    fn keys_go_by_value() {
        let mut heap = Heap::new(HeapOptions::default());
        heap.reserve(2000, &mut ()).unwrap();
        let set = heap.set(4);
        let nan = heap.float(f64::NAN);
        for member in [
            Value::fixnum(1),
            heap.float(1.0),
            nan,
            heap.float(0.0),
            heap.float(-0.0),
        ] {
            heap.keyed_set(set, member, Value::NIL);
            heap.keyed_set(set, member, Value::NIL);
        }
        assert_eq!(set.len(), 3);
        assert!(heap.keyed_has(set, heap.float(f64::NAN)));
        let copy = heap.keyed_copy(set);
        assert!(heap.equal(copy.value(), set.value()));
        heap.keyed_clear(set);
        assert!(set.is_empty() && copy.len() == 3 && !heap.equal(copy.value(), set.value()));
    }
}
