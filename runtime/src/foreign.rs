//! Rust values in the heap: ports, compiled regexes, whatever a library of ours keeps. The heap
//! object is a row number; the Rust value is dropped when the object has died.

use crate::heap::Heap;
use crate::object::{Type, foreign};
use crate::value::{Value, Word};
use std::any::Any;
use std::rc::Rc;

/// The rows: address of the object, Rust value.
#[derive(Default)]
pub(crate) struct RustValues {
    rows: Vec<Option<(usize, Rc<dyn Any>)>>,
    free: Vec<usize>,
}

impl RustValues {
    fn add(&mut self, address: usize, value: Rc<dyn Any>) -> usize {
        let row = Some((address, value));
        if let Some(index) = self.free.pop() {
            self.rows[index] = row;
            return index;
        }
        self.rows.push(row);
        self.rows.len() - 1
    }
    /// After a collection: `moved` tells where an object is now, or that it has died.
    pub(crate) fn update(&mut self, moved: impl Fn(usize) -> Option<usize>) {
        for (index, row) in self.rows.iter_mut().enumerate() {
            let Some((address, _)) = row else { continue };
            match moved(*address) {
                Some(now) => *address = now,
                None => {
                    *row = None;
                    self.free.push(index);
                }
            }
        }
    }
}

impl Heap {
    /// Bytes to reserve for a foreign object or a port.
    pub const SIZE_OF_FOREIGN: usize = Heap::size_of(2);

    /// An object that stands for a Rust value; `refs` is what the value refers to in the heap.
    /// Spends `SIZE_OF_FOREIGN`.
    pub fn foreign(&self, value: Rc<dyn Any>, refs: Value<'_>) -> Value<'_> {
        self.rust_value(Type::Foreign, value, refs)
    }
    /// A port. Spends `SIZE_OF_FOREIGN`.
    pub fn port(&self, value: Rc<dyn Any>, refs: Value<'_>) -> Value<'_> {
        self.rust_value(Type::Port, value, refs)
    }
    fn rust_value(&self, ty: Type, value: Rc<dyn Any>, refs: Value<'_>) -> Value<'_> {
        let object = self.make(ty, 0, [Word::fixnum(0), refs.word()]);
        let slot = self.rust_values.borrow_mut().add(object.word().address(), value);
        object.set_raw(foreign::SLOT, Word::fixnum(slot as i64).0);
        object
    }

    /// The Rust value of a foreign object or port, if it is a `T`.
    pub fn rust_value_of<T: 'static>(&self, value: Value<'_>) -> Option<Rc<T>> {
        if !value.is(Type::Foreign) && !value.is(Type::Port) {
            return None;
        }
        let values = self.rust_values.borrow();
        let (_, rust) = values.rows[value.int_at(foreign::SLOT)].as_ref()?;
        rust.clone().downcast().ok()
    }
    /// Replaces what a foreign object or port refers to.
    pub fn set_foreign_refs(&self, value: Value<'_>, refs: Value<'_>) {
        assert!(value.is(Type::Foreign) || value.is(Type::Port));
        self.store(value, foreign::REFS, refs);
    }
}

impl<'h> Value<'h> {
    /// What a foreign object or port refers to.
    pub fn foreign_refs(self) -> Option<Value<'h>> {
        (self.is(Type::Foreign) || self.is(Type::Port)).then(|| self.at(foreign::REFS))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::heap::HeapOptions;

    #[test]
    fn the_rust_value_dies_with_its_object() {
        let mut heap = Heap::new(HeapOptions::default());
        let rust: Rc<dyn Any> = Rc::new(String::from("kept"));
        heap.reserve(2 * Heap::SIZE_OF_FOREIGN, &mut ()).unwrap();
        let kept = heap.handle(heap.foreign(rust.clone(), Value::NIL));
        heap.foreign(rust.clone(), Value::NIL);
        assert_eq!(Rc::strong_count(&rust), 3);
        heap.collect(&mut ());
        assert_eq!(Rc::strong_count(&rust), 2);
        assert_eq!(*heap.rust_value_of::<String>(heap.get(&kept)).unwrap(), "kept");
        assert!(heap.rust_value_of::<u32>(heap.get(&kept)).is_none());
        drop(kept);
        heap.collect(&mut ());
        assert_eq!(Rc::strong_count(&rust), 1);
    }
}
