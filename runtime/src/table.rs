//! Insertion-ordered hash tables: the store of hashed dicts, hash tables and sets.
//!
//! A table object has a buffer of entries (hash, key, value) in the order they came, and an
//! index of 32-bit slots probed linearly; up to eight entries need none. A slot holds an entry
//! number and, in the bits above it, some of the entry's hash, so that a probe seldom looks at
//! an entry for nothing. A removed entry keeps its place with the key `UNBOUND` until the
//! buffer is full and is made anew.
//!
//! Deliberately absent: how keys are hashed and compared (the callers know).
#![allow(unsafe_code)]

use crate::bytes::size_of_bytevector;
use crate::heap::Heap;
use crate::object::{self, Type, buffer, bytevector, table};
use crate::value::{Value, Word};
use crate::vector::size_of_buffer;
use std::cell::Cell;

/// Up to this capacity a table is searched from the first entry to the last.
const UNINDEXED: usize = 8;
/// The most entries whose numbers fit the index.
const CAPACITY_MAX: usize = 1 << 30;
/// Words of an entry.
const ENTRY: usize = 3;

/// A value that is known to be a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Table<'h>(pub(crate) Value<'h>);

/// Bytes to reserve for a table with room for `capacity` entries.
pub(crate) const fn size_of_table(capacity: usize) -> usize {
    size_of_stores(capacity_for(capacity)).saturating_add(Heap::size_of(3))
}

const fn capacity_for(entries: usize) -> usize {
    if entries > CAPACITY_MAX {
        return usize::MAX;
    }
    if entries <= UNINDEXED {
        UNINDEXED
    } else {
        entries.next_power_of_two()
    }
}

const fn size_of_stores(capacity: usize) -> usize {
    if capacity > CAPACITY_MAX {
        return usize::MAX;
    }
    let index = if capacity <= UNINDEXED {
        0
    } else {
        size_of_bytevector(index_len(capacity) * 4)
    };
    size_of_buffer(capacity * ENTRY).saturating_add(index)
}

/// Slots of the index: at most half of them are taken.
const fn index_len(capacity: usize) -> usize {
    capacity * 2
}

impl<'h> Table<'h> {
    /// Entries that are not removed.
    #[inline]
    pub(crate) fn len(self) -> usize {
        self.0.int_at(table::LIVE)
    }
    /// Entries, removed ones included.
    #[inline]
    pub(crate) fn used(self) -> usize {
        self.entries().int_at(buffer::USED) / ENTRY
    }
    fn capacity(self) -> usize {
        self.entries().int_at(buffer::CAPACITY) / ENTRY
    }
    fn entries(self) -> Value<'h> {
        self.0.at(table::ENTRIES)
    }
    fn part(self, entry: usize, part: usize) -> Value<'h> {
        self.entries().at(buffer::ELEMENTS + ENTRY * entry + part)
    }
    fn hash(self, entry: usize) -> u64 {
        self.part(entry, 0).word().as_fixnum() as u64
    }
    fn key(self, entry: usize) -> Value<'h> {
        self.part(entry, 1)
    }
    /// The value of an entry.
    pub(crate) fn value(self, entry: usize) -> Value<'h> {
        self.part(entry, 2)
    }
    /// Key and value of an entry, unless it is removed.
    #[inline]
    pub(crate) fn entry(self, entry: usize) -> Option<(Value<'h>, Value<'h>)> {
        let key = self.key(entry);
        (key.word() != Word::UNBOUND).then(|| (key, self.value(entry)))
    }
    /// The hashes of the keys.
    pub(crate) fn hashes(self) -> impl Iterator<Item = u64> {
        (0..self.used()).filter_map(move |i| self.entry(i).map(|_| self.hash(i)))
    }
    /// Keys and values in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = (Value<'h>, Value<'h>)> {
        let mut at = 0;
        std::iter::from_fn(move || self.next_entry(&mut at))
    }
    /// The first entry from `at` on that is not removed; `at` moves past it.
    pub(crate) fn next_entry(self, at: &mut usize) -> Option<(Value<'h>, Value<'h>)> {
        while *at < self.used() {
            *at += 1;
            if let Some(entry) = self.entry(*at - 1) {
                return Some(entry);
            }
        }
        None
    }

    /// The entry with this hash whose key `is_it` accepts.
    #[inline]
    pub(crate) fn find(self, hash: u64, mut is_it: impl FnMut(Value<'h>) -> bool) -> Option<usize> {
        let mut matches = |i: usize| self.hash(i) == hash && self.entry(i).is_some_and(|(key, _)| is_it(key));
        let index = self.0.at(table::INDEX);
        if index == Value::NIL {
            return (0..self.used()).find(|i| matches(*i));
        }
        let slots = index_slots(index);
        let mask = slots.len() - 1;
        let tag = tag(hash, mask);
        let mut at = hash as usize & mask;
        loop {
            let slot = slots[at].get();
            if slot == 0 {
                return None;
            }
            let entry = slot as usize & mask;
            if slot & !(mask as u32) == tag && matches(entry - 1) {
                return Some(entry - 1);
            }
            at = (at + 1) & mask;
        }
    }

    /// Bytes to reserve before `insert`.
    pub(crate) fn size_of_insert(self) -> usize {
        if self.used() < self.capacity() {
            0
        } else {
            size_of_stores(self.next_capacity())
        }
    }
    /// A full table of which half is removed entries is made anew in the same size.
    fn next_capacity(self) -> usize {
        capacity_for((self.len() * 2).max(self.capacity()))
    }
}

/// The bits of a hash that a slot keeps above the entry number, which is at most `mask`: it
/// counts from one, and an index has twice as many slots as there are entries.
#[inline(always)]
fn tag(hash: u64, mask: usize) -> u32 {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    (hash.wrapping_mul(SPREAD) >> 32) as u32 & !(mask as u32)
}

/// The slots of an index: 0, or the number of an entry plus one and the tag of its hash.
#[inline]
fn index_slots(index: Value<'_>) -> &[Cell<u32>] {
    debug_assert!(index.is(Type::Bytevector));
    // SAFETY: the bytes of an index belong to its table alone, are aligned to a word, and stay
    // where they are while the heap is borrowed.
    unsafe {
        let first = object::place(index.word().address(), bytevector::BYTES) as *const Cell<u32>;
        std::slice::from_raw_parts(first, index.int_at(bytevector::BYTE_LEN) / 4)
    }
}

impl Heap {
    /// An empty table with room for `capacity` entries. Spends `size_of_table(capacity)`.
    pub(crate) fn table(&self, capacity: usize) -> Table<'_> {
        let nil = Word::NIL;
        let table = self.make(Type::Table, 0, [Word::fixnum(0), nil, nil]);
        self.set_stores(Table(table), capacity_for(capacity));
        Table(table)
    }

    fn set_stores(&self, table: Table<'_>, capacity: usize) {
        let entries = self.buffer(capacity * ENTRY);
        let index = if capacity <= UNINDEXED {
            Value::NIL
        } else {
            self.bytevector(index_len(capacity) * 4)
        };
        self.store(table.0, table::ENTRIES, entries);
        self.store(table.0, table::INDEX, index);
        table.0.set_raw(table::LIVE, Word::fixnum(0).0);
    }

    /// Adds an entry whose key is not in the table. Spends `size_of_insert()`.
    pub(crate) fn table_insert(&self, table: Table<'_>, hash: u64, key: Value<'_>, value: Value<'_>) {
        if table.used() == table.capacity() {
            self.table_grow(table);
        }
        let entry = table.used();
        let entries = table.entries();
        self.buffer_push(entries, Value::fixnum(hash as i64));
        self.buffer_push(entries, key);
        self.buffer_push(entries, value);
        let index = table.0.at(table::INDEX);
        if index != Value::NIL {
            let slots = index_slots(index);
            let mask = slots.len() - 1;
            let mut at = hash as usize & mask;
            while slots[at].get() != 0 {
                at = (at + 1) & mask;
            }
            slots[at].set((entry as u32 + 1) | tag(hash, mask));
        }
        table.0.set_raw(table::LIVE, Word::fixnum(table.len() as i64 + 1).0);
    }

    /// New stores without the removed entries.
    #[cold]
    fn table_grow(&self, table: Table<'_>) {
        let (before, used) = (table.entries(), table.used());
        let index = table.0.at(table::INDEX);
        self.set_stores(table, table.next_capacity());
        // SAFETY: an index belongs to its table alone, which has another one now.
        unsafe { self.discard(index) };
        for i in 0..used {
            let part = |n| before.at(buffer::ELEMENTS + ENTRY * i + n);
            if part(1).word() != Word::UNBOUND {
                self.table_insert(table, part(0).word().as_fixnum() as u64, part(1), part(2));
            }
        }
    }

    /// A table with the same entries. Spends `size_of_table(table.len())`.
    pub(crate) fn table_copy<'h>(&'h self, table: Table<'h>) -> Table<'h> {
        let copy = self.table(table.len());
        for i in 0..table.used() {
            if let Some((key, value)) = table.entry(i) {
                self.table_insert(copy, table.hash(i), key, value);
            }
        }
        copy
    }

    /// Replaces the value of an entry.
    #[inline]
    pub(crate) fn table_set_value(&self, table: Table<'_>, entry: usize, value: Value<'_>) {
        self.store(table.entries(), buffer::ELEMENTS + ENTRY * entry + 2, value);
    }

    /// Removes an entry.
    pub(crate) fn table_remove(&self, table: Table<'_>, entry: usize) {
        let place = buffer::ELEMENTS + ENTRY * entry;
        table.entries().set_raw(place + 1, Word::UNBOUND.0);
        table.entries().set_raw(place + 2, Word::NIL.0);
        table.0.set_raw(table::LIVE, Word::fixnum(table.len() as i64 - 1).0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::heap::{HeapOptions, tests::Rng};
    use std::collections::HashMap;

    fn find(table: Table<'_>, key: i64) -> Option<usize> {
        table.find(key as u64 % 97, |k| k.as_fixnum() == Some(key))
    }

    fn against_model(options: HeapOptions, steps: i64) {
        let mut heap = Heap::new(options);
        heap.reserve(size_of_table(0), &mut ()).unwrap();
        let rooted = heap.handle(heap.table(0).0);
        let (mut model, mut order) = (HashMap::new(), Vec::new());
        let mut rng = Rng(3);
        for step in 0..steps {
            let key = rng.below(200) as i64;
            heap.reserve(Table(heap.get(&rooted)).size_of_insert(), &mut ())
                .unwrap();
            let table = Table(heap.get(&rooted));
            match (find(table, key), rng.below(3)) {
                (Some(entry), 0) => {
                    heap.table_remove(table, entry);
                    model.remove(&key);
                    order.retain(|k| *k != key);
                }
                (Some(entry), _) => {
                    heap.table_set_value(table, entry, Value::fixnum(step));
                    model.insert(key, step);
                }
                (None, _) => {
                    heap.table_insert(table, key as u64 % 97, Value::fixnum(key), Value::fixnum(step));
                    assert_eq!(model.insert(key, step), None);
                    order.push(key);
                }
            }
            assert_eq!(table.len(), model.len());
            let keys: Vec<i64> = table.iter().map(|(k, _)| k.as_fixnum().unwrap()).collect();
            assert_eq!(keys, order);
        }
        let table = Table(heap.get(&rooted));
        for key in 0..200 {
            let value = find(table, key).map(|e| table.value(e).as_fixnum().unwrap());
            assert_eq!(value, model.get(&key).copied());
        }
    }

    #[test]
    fn tables_agree_with_a_model() {
        against_model(HeapOptions::default(), 3000);
        let stress = HeapOptions {
            stress: true,
            poison: true,
            ..HeapOptions::default()
        };
        against_model(stress, 500);
    }
}
