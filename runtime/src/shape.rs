//! Shapes: the keys of small dicts, in insertion order, shared by all dicts that got the same
//! keys in the same order. A dict names its shape by number; an inline cache remembers the
//! number and a slot. There is a bounded number of shapes per heap and none is ever removed.
//!
//! Invariant: the keys of shapes are interned strings, which the shapes keep alive.

use crate::heap::Heap;
use crate::object::{INTERNED, Type};
use crate::value::{Value, Word};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

/// The number of a shape.
pub type ShapeId = u32;
/// The shape without keys.
pub const EMPTY_SHAPE: ShapeId = 0;
/// Dicts with more keys are hashed.
pub const SHAPE_KEYS_MAX: usize = 24;
/// When there are so many shapes, new combinations of keys make hashed dicts.
pub const SHAPES_MAX: usize = 4096;

/// All shapes of a heap.
pub(crate) struct Shapes {
    rows: Vec<Rc<[Word]>>,
    next: HashMap<(ShapeId, u64), ShapeId, BuildHasherDefault<StepHasher>>,
}

/// A hash of one step from shape to shape: a shape's number and a key's address.
#[derive(Default)]
pub(crate) struct StepHasher(u64);

impl Hasher for StepHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = crate::string::hash_bytes(self.0, bytes);
    }
    fn write_u32(&mut self, n: u32) {
        self.write_u64(n as u64);
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = crate::string::mix(self.0 ^ n, 0x9e37_79b9_7f4a_7c15);
    }
}

impl Shapes {
    pub(crate) fn new() -> Shapes {
        Shapes {
            rows: vec![Rc::new([])],
            next: HashMap::default(),
        }
    }

    /// Calls `f` with every key; keys do not move.
    pub(crate) fn visit(&mut self, f: &mut dyn FnMut(&mut Word)) {
        for row in &self.rows {
            // A shape's keys but the last are those of the shape before it.
            if let Some(last) = row.last() {
                f(&mut { *last });
            }
        }
    }

    #[inline]
    pub(crate) fn slot(&self, shape: ShapeId, key: Word) -> Option<usize> {
        self.rows[shape as usize].iter().position(|k| *k == key)
    }

    fn add(&mut self, shape: ShapeId, key: Word) -> Option<ShapeId> {
        if let Some(next) = self.next.get(&(shape, key.0)) {
            return Some(*next);
        }
        let keys = &self.rows[shape as usize];
        if keys.len() >= SHAPE_KEYS_MAX || self.rows.len() >= SHAPES_MAX {
            return None;
        }
        let longer = keys.iter().copied().chain([key]).collect();
        let id = self.rows.len() as ShapeId;
        self.rows.push(longer);
        self.next.insert((shape, key.0), id);
        Some(id)
    }
}

impl Heap {
    /// The slot of an interned key in dicts of this shape.
    #[inline]
    pub fn shape_slot(&self, shape: ShapeId, key: Value<'_>) -> Option<usize> {
        self.shapes.borrow().slot(shape, key.word())
    }
    /// The slot of a key given as text. Few keys are compared one by one, which costs less than
    /// looking for the interned string.
    pub(crate) fn shape_slot_of(&self, shape: ShapeId, key: &str) -> Option<usize> {
        const FEW: usize = 4;
        let shapes = self.shapes.borrow();
        let keys = &shapes.rows[shape as usize];
        if keys.len() <= FEW {
            return keys.iter().position(|k| Value::from_word(*k).as_str() == Some(key));
        }
        let key = self.find_interned(key)?;
        shapes.slot(shape, key.word())
    }
    /// The shape a dict of `shape` has after the interned `key` was added to it; `None` if it
    /// is to be hashed.
    pub fn shape_add(&self, shape: ShapeId, key: Value<'_>) -> Option<ShapeId> {
        assert!(key.is(Type::String) && key.has_flag(INTERNED));
        self.shapes.borrow_mut().add(shape, key.word())
    }
    /// How many keys a shape has.
    pub fn shape_len(&self, shape: ShapeId) -> usize {
        self.shapes.borrow().rows[shape as usize].len()
    }
    /// The keys of a shape.
    pub(crate) fn shape_keys(&self, shape: ShapeId) -> Rc<[Word]> {
        self.shapes.borrow().rows[shape as usize].clone()
    }
    /// The shape with these keys, each named once; `None` if there can be no such shape.
    pub fn shape_of_keys(&self, keys: &[Value<'_>]) -> Option<ShapeId> {
        let add = |shape, key: &Value<'_>| self.shape_add(shape, *key);
        keys.iter().try_fold(EMPTY_SHAPE, add)
    }
}
