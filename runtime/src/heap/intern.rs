//! A weak set of old objects found by content: the intern tables of strings and symbols.
//! Open addressing; the collector throws out what it has not marked.

use crate::value::Word;

/// No object: a fixnum.
const FREE: Word = Word::fixnum(0);

/// A weak set of words.
#[derive(Default)]
pub(crate) struct InternTable {
    slots: Vec<Word>,
    len: usize,
}

impl InternTable {
    /// The word with this hash that `is_it` accepts.
    #[inline]
    pub(crate) fn find(&self, hash: u64, mut is_it: impl FnMut(Word) -> bool) -> Option<Word> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut i = hash as usize & mask;
        while self.slots[i] != FREE {
            if is_it(self.slots[i]) {
                return Some(self.slots[i]);
            }
            i = (i + 1) & mask;
        }
        None
    }

    /// Adds a word that is not there yet; `hash_of` tells the hash of any member.
    pub(crate) fn add(&mut self, word: Word, hash_of: impl Fn(Word) -> u64) {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            self.rebuild((self.slots.len() * 2).max(256), |_| true, &hash_of);
        }
        self.place(word, hash_of(word));
        self.len += 1;
    }

    /// Keeps what `is_live` accepts.
    pub(crate) fn retain(&mut self, is_live: impl Fn(Word) -> bool, hash_of: impl Fn(Word) -> u64) {
        let live = self.slots.iter().filter(|w| **w != FREE && is_live(**w)).count();
        if live < self.len {
            self.rebuild((live * 2).next_power_of_two().max(256), is_live, &hash_of);
        }
    }

    fn rebuild(&mut self, size: usize, keep: impl Fn(Word) -> bool, hash_of: &impl Fn(Word) -> u64) {
        let before = std::mem::replace(&mut self.slots, vec![FREE; size]);
        self.len = 0;
        for word in before {
            if word != FREE && keep(word) {
                self.place(word, hash_of(word));
                self.len += 1;
            }
        }
    }

    fn place(&mut self, word: Word, hash: u64) {
        let mask = self.slots.len() - 1;
        let mut i = hash as usize & mask;
        while self.slots[i] != FREE {
            i = (i + 1) & mask;
        }
        self.slots[i] = word;
    }

    /// Members.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
