//! Sets of integers and maps from integers to integers, in one open-addressed table of words.
//!
//! STORE is a bytevector of slots of two words, a power of two of them. A set's slot is a block of
//! 64 neighbouring integers: its number, and a bit for each member; so sets that are dense
//! somewhere take a bit or two a member there, and sparse ones about three words. A map's slot is
//! a key and its value. The first word is 0 in an empty slot, else twice the block or key plus 1.
//!
//! Invariant: of the slots a quarter or more is empty, so a probe ends. USED counts the others.
//! A block that lost its last member keeps its slot until the table grows or is cleared. Nothing
//! but the table refers to its store, so one that is too small is given back at once.
#![allow(unsafe_code)]

use crate::bytes::size_of_bytevector;
use crate::heap::Heap;
use crate::object::{Type, int_set as field};
use crate::value::{Value, Word};
use std::cell::Cell;

/// A value that is known to be an int-set or an int-map.
#[derive(Clone, Copy, Debug)]
pub struct IntTable<'h>(Value<'h>);

/// Neighbours that share a slot of a set: so many of the low bits of an integer are its place there.
pub const BLOCK_BITS: u32 = 6;
/// What a tag is multiplied with; the high bits of the product say where its slot would be.
pub const HASH: u64 = 0x9e37_79b9_7f4a_7c15;
const SLOT: usize = 16;
const LEAST_SLOTS: usize = 4;

/// The word that stands for a block or key in its slot.
fn tag(key: i64) -> u64 {
    (key as u64) << 1 | 1
}

fn key_of(tag: u64) -> i64 {
    tag as i64 >> 1
}

impl<'h> IntTable<'h> {
    #[inline]
    fn words(self) -> &'h [Cell<u64>] {
        self.0.at(field::STORE).as_words().unwrap_or_default()
    }
    fn slots(self) -> usize {
        self.words().len() / 2
    }
    /// How many members or keys.
    pub fn len(self) -> usize {
        self.0.int_at(field::SIZE)
    }
    /// Has it none?
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
    fn used(self) -> usize {
        self.0.int_at(field::USED)
    }
    fn count(self, which: usize, n: usize) {
        self.0.set_raw(which, Word::fixnum(n as i64).0);
    }
    /// The table as a value.
    pub fn value(self) -> Value<'h> {
        self.0
    }

    /// The place of the slot with this tag, or of the empty slot where it would go.
    #[inline]
    fn probe(words: &[Cell<u64>], tag: u64) -> usize {
        let mask = words.len() / 2 - 1;
        // The high bits of the product depend on all of the tag's.
        let hash = tag.wrapping_mul(HASH);
        let mut slot = (hash >> mask.leading_zeros()) as usize;
        loop {
            let found = words[2 * slot].get();
            if found == tag || found == 0 {
                return 2 * slot;
            }
            slot = (slot + 1) & mask;
        }
    }
    /// The second word of the slot with this tag.
    #[inline]
    fn find(self, tag: u64) -> Option<&'h Cell<u64>> {
        let words = self.words();
        let at = Self::probe(words, tag);
        (words[at].get() == tag).then(|| &words[at + 1])
    }
    /// The second word of the slot with this tag, made if need be: `true`.
    fn find_or_make(self, tag: u64) -> (&'h Cell<u64>, bool) {
        let words = self.words();
        let at = Self::probe(words, tag);
        let new = words[at].get() == 0;
        if new {
            debug_assert!(self.used() < self.slots() * 3 / 4, "the caller has not reserved");
            words[at].set(tag);
            self.count(field::USED, self.used() + 1);
        }
        (&words[at + 1], new)
    }

    /// Bytes to reserve before a member or key is added: 0 unless the table is full.
    pub fn size_of_add(self) -> usize {
        if self.used() + 1 < self.slots() * 3 / 4 {
            0
        } else {
            size_of_bytevector(self.grown() * SLOT)
        }
    }
    fn grown(self) -> usize {
        self.slots() * 2
    }

    /// Is the integer a member of the set?
    #[inline]
    pub fn has(self, n: i64) -> bool {
        self.find(tag(n >> BLOCK_BITS))
            .is_some_and(|bits| bits.get() & bit(n) != 0)
    }
    /// Takes a member out of the set; was it one?
    pub fn remove(self, n: i64) -> bool {
        match self.find(tag(n >> BLOCK_BITS)) {
            Some(bits) if bits.get() & bit(n) != 0 => {
                bits.set(bits.get() & !bit(n));
                self.count(field::SIZE, self.len() - 1);
                true
            }
            _ => false,
        }
    }
    /// The members in ascending order.
    pub fn members(self) -> Vec<i64> {
        let mut blocks: Vec<(i64, u64)> = self.filled().map(|(tag, bits)| (key_of(tag), bits)).collect();
        blocks.sort_unstable();
        let mut members = Vec::with_capacity(self.len());
        for (block, mut bits) in blocks {
            while bits != 0 {
                members.push(block << BLOCK_BITS | i64::from(bits.trailing_zeros()));
                bits &= bits - 1;
            }
        }
        members
    }

    /// The value of a key of the map.
    #[inline]
    pub fn get(self, key: i64) -> Option<i64> {
        self.find(tag(key)).map(|value| value.get() as i64)
    }
    /// Removes a key of the map; was it there?
    pub fn delete(self, key: i64) -> bool {
        let words = self.words();
        let mut hole = Self::probe(words, tag(key));
        if words[hole].get() == 0 {
            return false;
        }
        // What follows without a gap is put again, so that no probe meets the hole.
        loop {
            words[hole].set(0);
            let mut at = hole;
            loop {
                at = (at + 2) & (words.len() - 1);
                let moved = words[at].get();
                if moved == 0 {
                    self.count(field::SIZE, self.len() - 1);
                    self.count(field::USED, self.used() - 1);
                    return true;
                }
                if Self::probe(words, moved) == hole {
                    words[hole].set(moved);
                    words[hole + 1].set(words[at + 1].get());
                    hole = at;
                    break;
                }
            }
        }
    }
    /// Keys and values of the map, in ascending order of the keys.
    pub fn entries(self) -> Vec<(i64, i64)> {
        let mut entries: Vec<(i64, i64)> = self.filled().map(|(tag, value)| (key_of(tag), value as i64)).collect();
        entries.sort_unstable();
        entries
    }

    fn filled(self) -> impl Iterator<Item = (u64, u64)> + 'h {
        let pairs = self.words().chunks_exact(2);
        pairs
            .map(|pair| (pair[0].get(), pair[1].get()))
            .filter(|(tag, _)| *tag != 0)
    }
}

fn bit(n: i64) -> u64 {
    1 << (n & ((1 << BLOCK_BITS) - 1))
}

impl Heap {
    /// Bytes to reserve for an empty int-set or int-map.
    pub const SIZE_OF_INT_TABLE: usize = Heap::size_of(3) + size_of_bytevector(LEAST_SLOTS * SLOT);

    fn int_table(&self, ty: Type) -> IntTable<'_> {
        let store = self.bytevector(LEAST_SLOTS * SLOT).word();
        IntTable(self.make(ty, 0, [Word::fixnum(0), Word::fixnum(0), store]))
    }
    /// An empty int-set. Spends `SIZE_OF_INT_TABLE`.
    pub fn int_set(&self) -> IntTable<'_> {
        self.int_table(Type::IntSet)
    }
    /// An empty int-map. Spends `SIZE_OF_INT_TABLE`.
    pub fn int_map(&self) -> IntTable<'_> {
        self.int_table(Type::IntMap)
    }

    /// Adds a member; was it new? Spends `size_of_add`.
    pub fn int_set_add(&self, set: IntTable<'_>, n: i64) -> bool {
        self.make_room(set);
        let (bits, _) = set.find_or_make(tag(n >> BLOCK_BITS));
        let new = bits.get() & bit(n) == 0;
        if new {
            bits.set(bits.get() | bit(n));
            set.count(field::SIZE, set.len() + 1);
        }
        new
    }
    /// Binds a key. Spends `size_of_add`.
    pub fn int_map_set(&self, map: IntTable<'_>, key: i64, value: i64) {
        self.make_room(map);
        let (cell, new) = map.find_or_make(tag(key));
        cell.set(value as u64);
        if new {
            map.count(field::SIZE, map.len() + 1);
        }
    }
    /// Doubles a table that may have no room for one more.
    fn make_room(&self, table: IntTable<'_>) {
        if table.size_of_add() == 0 {
            return;
        }
        let sparse = table.0.is(Type::IntSet);
        let store = self.bytevector(table.grown() * SLOT);
        let words = store.as_words().unwrap_or_default();
        let mut used = 0;
        for (tag, second) in table.filled().filter(|(_, second)| !sparse || *second != 0) {
            let at = IntTable::probe(words, tag);
            words[at].set(tag);
            words[at + 1].set(second);
            used += 1;
        }
        let old = table.0.at(field::STORE);
        self.store(table.0, field::STORE, store);
        table.count(field::USED, used);
        // SAFETY: only the table has referred to what it kept its members in, and no longer does.
        unsafe { self.discard(old) };
    }
    /// Takes everything out. Spends `SIZE_OF_INT_TABLE`.
    pub fn int_table_clear(&self, table: IntTable<'_>) {
        let store = self.bytevector(LEAST_SLOTS * SLOT);
        self.store(table.0, field::STORE, store);
        table.count(field::SIZE, 0);
        table.count(field::USED, 0);
    }
}

impl<'h> Value<'h> {
    /// This as an int-set, if it is one.
    #[inline]
    pub fn as_int_set(self) -> Option<IntTable<'h>> {
        self.is(Type::IntSet).then_some(IntTable(self))
    }
    /// This as an int-map, if it is one.
    #[inline]
    pub fn as_int_map(self) -> Option<IntTable<'h>> {
        self.is(Type::IntMap).then_some(IntTable(self))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::heap::HeapOptions;
    use std::collections::{BTreeMap, BTreeSet};

    fn stressed() -> Heap {
        Heap::new(HeapOptions {
            stress: true,
            poison: true,
            ..HeapOptions::default()
        })
    }

    /// Numbers that meet often, in neighbourhoods far apart, of both signs.
    fn numbers() -> impl Iterator<Item = (u64, i64)> {
        let mut x = 88_172_645_463_325_252_u64;
        (0..6000).map(move |_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            let n = (x % 400) as i64 - 200;
            (x >> 20, if x & 1 << 40 == 0 { n } else { n << 52 })
        })
    }

    #[test]
    fn a_set_does_what_a_tree_does() {
        let mut heap = stressed();
        heap.reserve(Heap::SIZE_OF_INT_TABLE, &mut ()).unwrap();
        let rooted = heap.handle(heap.int_set().value());
        let mut model = BTreeSet::new();
        for (choice, n) in numbers() {
            let size = heap.get(&rooted).as_int_set().unwrap().size_of_add();
            heap.reserve(size, &mut ()).unwrap();
            let set = heap.get(&rooted).as_int_set().unwrap();
            if choice % 3 == 0 {
                assert_eq!(set.remove(n), model.remove(&n));
            } else {
                assert_eq!(heap.int_set_add(set, n), model.insert(n));
            }
            assert_eq!(set.has(n), model.contains(&n));
            assert_eq!(set.len(), model.len());
        }
        let set = heap.get(&rooted).as_int_set().unwrap();
        assert_eq!(set.members(), model.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_map_does_what_a_tree_does() {
        let mut heap = stressed();
        heap.reserve(Heap::SIZE_OF_INT_TABLE, &mut ()).unwrap();
        let rooted = heap.handle(heap.int_map().value());
        let mut model = BTreeMap::new();
        for (choice, n) in numbers() {
            let size = heap.get(&rooted).as_int_map().unwrap().size_of_add();
            heap.reserve(size, &mut ()).unwrap();
            let map = heap.get(&rooted).as_int_map().unwrap();
            if choice % 3 == 0 {
                assert_eq!(map.delete(n), model.remove(&n).is_some());
            } else {
                heap.int_map_set(map, n, choice as i64);
                model.insert(n, choice as i64);
            }
            assert_eq!(map.get(n), model.get(&n).copied());
            assert_eq!(map.len(), model.len());
        }
        let map = heap.get(&rooted).as_int_map().unwrap();
        assert_eq!(map.entries(), model.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn what_a_table_has_outgrown_is_given_back() {
        let mut heap = Heap::new(HeapOptions {
            nursery_bytes: 64 << 10,
            ..HeapOptions::default()
        });
        heap.reserve(Heap::SIZE_OF_INT_TABLE, &mut ()).unwrap();
        let rooted = heap.handle(heap.int_map().value());
        let before = heap.used();
        for n in 0..100_000 {
            let size = heap.get(&rooted).as_int_map().unwrap().size_of_add();
            heap.reserve(size, &mut ()).unwrap();
            let map = heap.get(&rooted).as_int_map().unwrap();
            heap.int_map_set(map, n, n);
        }
        let map = heap.get(&rooted).as_int_map().unwrap();
        assert_eq!((map.len(), map.get(99_999)), (100_000, Some(99_999)));
        // Without it, twice the store.
        assert!(heap.used() - before < map.slots() * SLOT * 3 / 2, "{}", heap.used());
    }
}
