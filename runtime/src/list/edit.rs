//! Changing lists in place, and growing them without changing them.
//!
//! Each change comes in two steps: `size_of_…` looks at the list, says how many bytes to
//! reserve, and reports everything that can be wrong; the change itself then cannot fail.
//! Invariant: a list never holds a half-written element while the collector may run.

use super::{ListError, Pair, extent};
use crate::heap::Heap;
use crate::object::{SHARED, Type, buffer, header, pair, view};
use crate::value::Value;
use crate::vector::size_of_buffer;

/// The capacity of a buffer for a list that has outgrown `len` elements.
fn grown(len: usize) -> usize {
    (len * 2).max(4)
}

/// Bytes to reserve before `Heap::append`.
pub fn size_of_append(list: Value<'_>) -> Result<usize, ListError> {
    if list == Value::EMPTY {
        return Err(ListError::Empty);
    }
    match list.as_view() {
        Some(view) if view.has_room() => Ok(0),
        _ => Ok(size_of_buffer(grown(list.list_len()?))),
    }
}

/// Bytes to reserve before `Heap::snoc`.
pub fn size_of_snoc(list: Value<'_>) -> Result<usize, ListError> {
    match size_of_append(list) {
        Err(ListError::Empty) => Ok(Heap::SIZE_OF_PAIR + size_of_buffer(grown(0))),
        size => Ok(size?.saturating_add(Heap::SIZE_OF_PAIR)),
    }
}

/// Bytes to reserve before `Heap::set_nth`.
pub fn size_of_set_nth(list: Value<'_>, i: usize) -> Result<usize, ListError> {
    let len = list.list_len()?;
    if i >= len {
        return Err(ListError::Range);
    }
    match list.as_view() {
        Some(view) if !view.is_shared() => Ok(0),
        _ => Ok(size_of_buffer(len)),
    }
}

/// Bytes to reserve before `Heap::set_first`.
pub fn size_of_set_first(list: Value<'_>) -> Result<usize, ListError> {
    if list.as_pair().is_some() {
        return Ok(0);
    }
    size_of_set_nth(list, 0)
}

impl Heap {
    /// `append!`: adds an element at the end, in place. Spends `size_of_append(list)`.
    pub fn append(&self, list: Value<'_>, value: Value<'_>) {
        if !list.as_view().is_some_and(|view| view.has_room()) {
            self.rebuffer(list, grown);
        }
        let Some(view) = list.as_view() else { return };
        self.buffer_push(list.at(view::BUFFER), value);
        list.set_raw(view::EXTENT, extent(view.offset(), view.len() + 1));
    }

    /// The list with an element more; the list itself stays as it is. Amortised constant time
    /// on lists made by it. Spends `size_of_snoc(list)`.
    pub fn snoc<'h>(&'h self, list: Value<'h>, value: Value<'h>) -> Value<'h> {
        if let Some(view) = list.as_view()
            && view.has_room()
        {
            let buffer = list.at(view::BUFFER);
            self.buffer_push(buffer, value);
            buffer.set_flag(SHARED);
            return self.new_view(buffer, view.offset(), view.len() + 1);
        }
        let (buffer, len) = self.copy_of_items(list, grown);
        self.buffer_push(buffer, value);
        self.new_view(buffer, 0, len + 1)
    }

    /// `set-nth!`: replaces an element in place. Spends `size_of_set_nth(list, i)`.
    pub fn set_nth(&self, list: Value<'_>, i: usize, value: Value<'_>) {
        if list.as_view().is_none_or(|view| view.is_shared()) {
            self.rebuffer(list, |len| len);
        }
        let Some(view) = list.as_view() else { return };
        assert!(i < view.len(), "size_of_set_nth has checked the index");
        let place = buffer::ELEMENTS + view.offset() + i;
        self.store(list.at(view::BUFFER), place, value);
    }

    /// `set-car!`: replaces the first element in place. Spends `size_of_set_first(list)`.
    pub fn set_first(&self, list: Value<'_>, value: Value<'_>) {
        match list.as_pair() {
            Some(pair) => self.set_car(pair, value),
            None => self.set_nth(list, 0, value),
        }
    }

    /// Replaces the car of a pair.
    #[inline]
    pub fn set_car(&self, pair: Pair<'_>, value: Value<'_>) {
        self.store(pair.0, pair::CAR, value);
    }

    /// Replaces the cdr of a pair.
    pub fn set_cdr(&self, pair: Pair<'_>, value: Value<'_>) {
        self.store(pair.0, pair::CDR, value);
    }

    /// `set-cdr!`: replaces everything but the first element; a view becomes a pair. Fails on
    /// an empty list.
    pub fn set_rest(&self, list: Value<'_>, tail: Value<'_>) -> Result<(), ListError> {
        if list.as_pair().is_none() {
            let first = list.first().ok_or(ListError::NotList)?;
            change_type(list, Type::Pair);
            self.store(list, pair::CAR, first);
        }
        self.store(list, pair::CDR, tail);
        Ok(())
    }

    /// Turns a view that is not empty into a chain of pairs, in place. Spends `SIZE_OF_PAIR` for
    /// each element.
    pub fn to_pairs(&self, list: Value<'_>) {
        let rest: Vec<Value<'_>> = list.items().skip(1).collect();
        // An empty view has no pair to become.
        let _ = self.set_rest(list, self.pairs(&rest, Value::EMPTY));
    }

    /// Gives the list a buffer of its own, making it a view if it is none.
    fn rebuffer(&self, list: Value<'_>, capacity: impl Fn(usize) -> usize) {
        let (buffer, len) = self.copy_of_items(list, capacity);
        change_type(list, Type::View);
        self.store(list, view::BUFFER, buffer);
        list.set_raw(view::EXTENT, extent(0, len));
    }

    /// A fresh buffer with the elements of a proper list, and how many they are.
    fn copy_of_items<'h>(&'h self, list: Value<'h>, capacity: impl Fn(usize) -> usize) -> (Value<'h>, usize) {
        let len = list.list_len().unwrap_or(0);
        let buffer = self.buffer(capacity(len));
        for item in list.items() {
            self.buffer_push(buffer, item);
        }
        (buffer, len)
    }
}

/// Turns a pair into a view or back; flags and identity hash stay.
fn change_type(list: Value<'_>, ty: Type) {
    debug_assert!(list.is(Type::Pair) || list.is(Type::View));
    list.set_raw(0, list.raw_at(0) & !0xff | header(ty, 0));
}
