//! Roots held by Rust code: `Handle` for one word, `RootVec` for many. Both may outlive any
//! collection and are updated by it; dropping one lets its words die.
//! Deliberately absent: any way to keep a `Value`, which borrows the heap.

use super::aside::Row;
use crate::value::{Value, Word};
use std::cell::RefCell;
use std::rc::Rc;

/// The registry of one heap: rows of words, free rows reused.
#[derive(Default)]
pub(super) struct Handles {
    single: RefCell<Rows<Word>>,
    many: RefCell<Rows<Vec<Word>>>,
    pub(super) aside: RefCell<Rows<Row>>,
}

pub(super) struct Rows<T> {
    pub(super) rows: Vec<T>,
    free: Vec<usize>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Rows {
            rows: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Rows<T> {
    pub(super) fn add(&mut self, row: T) -> usize {
        if let Some(index) = self.free.pop() {
            self.rows[index] = row;
            return index;
        }
        self.rows.push(row);
        self.rows.len() - 1
    }
    pub(super) fn remove(&mut self, index: usize, empty: T) {
        self.rows[index] = empty;
        self.free.push(index);
    }
}

impl Handles {
    /// All but what programs that were put aside hold.
    pub(super) fn visit(&self, f: &mut dyn FnMut(&mut Word)) {
        self.single.borrow_mut().rows.iter_mut().for_each(&mut *f);
        for row in &mut self.many.borrow_mut().rows {
            row.iter_mut().for_each(&mut *f);
        }
    }
}

/// One rooted word.
pub struct Handle {
    handles: Rc<Handles>,
    index: usize,
}

impl Handle {
    pub(super) fn new(handles: &Rc<Handles>, word: Word) -> Handle {
        Handle {
            handles: handles.clone(),
            index: handles.single.borrow_mut().add(word),
        }
    }
    /// The word, valid until the next `reserve`.
    pub fn word(&self) -> Word {
        self.handles.single.borrow().rows[self.index]
    }
    /// Holds another value of the same heap from now on.
    pub fn set(&self, value: Value<'_>) {
        self.handles.single.borrow_mut().rows[self.index] = value.word();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.handles.single.borrow_mut().remove(self.index, Word::NIL);
    }
}

/// A growable vector of rooted words.
pub struct RootVec {
    handles: Rc<Handles>,
    index: usize,
}

impl RootVec {
    pub(super) fn new(handles: &Rc<Handles>) -> RootVec {
        RootVec {
            handles: handles.clone(),
            index: handles.many.borrow_mut().add(Vec::new()),
        }
    }
    fn with<R>(&self, f: impl FnOnce(&mut Vec<Word>) -> R) -> R {
        f(&mut self.handles.many.borrow_mut().rows[self.index])
    }
    /// Adds a value of the same heap.
    pub fn push(&self, value: Value<'_>) {
        self.with(|words| words.push(value.word()));
    }
    /// The last word, taken off; valid until the next `reserve`.
    pub fn pop(&self) -> Option<Word> {
        self.with(Vec::pop)
    }
    /// The word at `i`, valid until the next `reserve`.
    pub fn word(&self, i: usize) -> Word {
        self.with(|words| words[i])
    }
    /// Replaces the word at `i`.
    pub fn set(&self, i: usize, value: Value<'_>) {
        self.with(|words| words[i] = value.word());
    }
    /// How many words.
    pub fn len(&self) -> usize {
        self.with(|words| words.len())
    }
    /// No words?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Drops all words from `len` on.
    pub fn truncate(&self, len: usize) {
        self.with(|words| words.truncate(len));
    }
    /// A copy of the words from `from` on, valid until the next `reserve`.
    pub fn words_from(&self, from: usize) -> Vec<Word> {
        self.with(|words| words[from..].to_vec())
    }
}

impl Drop for RootVec {
    fn drop(&mut self) {
        self.handles.many.borrow_mut().remove(self.index, Vec::new());
    }
}
