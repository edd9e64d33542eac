//! Lists: chains of pairs, views on buffers, and the empty list literal.
//!
//! A pair and a view have the same size, so a list changes from one to the other in place:
//! growing or indexed writing makes it a view, `set-cdr!` makes it a pair. Elements below a
//! buffer's `used` mark never change once it is `SHARED`; whoever writes takes a copy first.
//! Whoever's view ends at the mark may write the element there, shared or not.
//!
//! Reading and walking are here, changing in `list/edit.rs`.

mod edit;

pub use edit::{size_of_append, size_of_set_first, size_of_set_nth, size_of_snoc};

use crate::heap::Heap;
use crate::object::{SHARED, Type, buffer, pair, view};
use crate::value::{Value, Word};
use crate::vector::size_of_buffer;
use std::cell::Cell;

/// Why something is not the list an operation wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListError {
    /// It is no list.
    NotList,
    /// Its last tail is no list.
    Improper,
    /// It has no end.
    Circular,
    /// The empty list literal cannot grow.
    Empty,
    /// It has no element there.
    Range,
}

/// Bytes to reserve for a list of `n` elements made at once.
pub const fn size_of_list(n: usize) -> usize {
    size_of_buffer(n).saturating_add(Heap::SIZE_OF_PAIR)
}

impl Heap {
    /// Bytes to reserve for a pair or a view.
    pub const SIZE_OF_PAIR: usize = Heap::size_of(2);

    /// A pair. Spends `SIZE_OF_PAIR`.
    #[inline(always)]
    pub fn cons(&self, car: Value<'_>, cdr: Value<'_>) -> Value<'_> {
        self.make(Type::Pair, 0, [car.word(), cdr.word()])
    }

    /// A list of these elements, indexed in constant time. Spends `size_of_list(n)`.
    pub fn list(&self, elements: &[Value<'_>]) -> Value<'_> {
        let buffer = self.buffer_of(elements);
        self.new_view(buffer, 0, elements.len())
    }

    /// A list of the `n` elements of another, the first of them last. Spends `size_of_list(n)`.
    pub fn list_backwards<'h>(&'h self, n: usize, elements: Items<'h>) -> Value<'h> {
        self.new_view(self.buffer_backwards(n, elements), 0, n)
    }

    /// A chain of pairs that ends in `tail`. Spends `SIZE_OF_PAIR` for each element.
    pub fn pairs<'h>(&'h self, elements: &[Value<'h>], tail: Value<'h>) -> Value<'h> {
        elements
            .iter()
            .rev()
            .fold(tail, |tail, element| self.cons(*element, tail))
    }

    /// An empty list that has room for `capacity` elements. Spends `size_of_list(capacity)`.
    pub fn list_with_capacity(&self, capacity: usize) -> Value<'_> {
        let buffer = if capacity == 0 {
            Value::NIL
        } else {
            self.buffer(capacity)
        };
        self.new_view(buffer, 0, 0)
    }

    #[inline]
    pub(crate) fn new_view(&self, buffer: Value<'_>, offset: usize, len: usize) -> Value<'_> {
        debug_assert!(buffer == Value::NIL || offset + len <= buffer.int_at(buffer::USED));
        let view = self.make(Type::View, 0, [buffer.word(), Word::fixnum(0)]);
        view.set_raw(view::EXTENT, extent(offset, len));
        view
    }

    /// The list without its first element; `()` when nothing is left. Spends `SIZE_OF_PAIR`.
    #[inline]
    pub fn rest<'h>(&'h self, list: Value<'h>) -> Option<Value<'h>> {
        if let Some(pair) = list.as_pair() {
            return Some(pair.cdr());
        }
        let view = list.as_view()?;
        if view.is_empty() {
            return None;
        }
        Some(self.slice_view(view, 1, view.len()))
    }

    /// The elements of a view from `from` to before `to`; both in range. Spends
    /// `SIZE_OF_PAIR`; later writes to either list do not show in the other.
    pub fn slice_view<'h>(&'h self, view: View<'h>, from: usize, to: usize) -> Value<'h> {
        assert!(from <= to && to <= view.len(), "the caller checks the range");
        if from == to {
            return Value::EMPTY;
        }
        let buffer = view.0.at(view::BUFFER);
        buffer.set_flag(SHARED);
        self.new_view(buffer, view.offset() + from, to - from)
    }

    /// The list without its first `n` elements: a tail of a chain itself, or a view. Fewer
    /// elements give `()`. Spends `SIZE_OF_PAIR`.
    pub fn drop_first<'h>(&'h self, list: Value<'h>, n: usize) -> Result<Value<'h>, ListError> {
        // A list of its own even if nothing is left out; what is left of pairs is those pairs.
        if let Some(view) = list.as_view() {
            return Ok(self.slice_view(view, n.min(view.len()), view.len()));
        }
        let mut at = list;
        for done in 0..n {
            if let Some(pair) = at.as_pair() {
                at = pair.cdr();
            } else if let Some(view) = at.as_view() {
                return Ok(self.slice_view(view, (n - done).min(view.len()), view.len()));
            } else {
                break;
            }
        }
        if at.is_list() { Ok(at) } else { Err(at.not_a_tail(list)) }
    }
}

const fn extent(offset: usize, len: usize) -> u64 {
    debug_assert!(offset <= u32::MAX as usize && len <= u32::MAX as usize);
    (offset as u64) << 32 | len as u64
}

/// A value that is known to be a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'h>(Value<'h>);

impl<'h> Pair<'h> {
    /// The first element.
    #[inline(always)]
    pub fn car(self) -> Value<'h> {
        self.0.at(pair::CAR)
    }
    /// The rest.
    #[inline(always)]
    pub fn cdr(self) -> Value<'h> {
        self.0.at(pair::CDR)
    }
}

/// A value that is known to be a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View<'h>(Value<'h>);

impl<'h> View<'h> {
    /// How many elements.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.0.raw_at(view::EXTENT) as u32 as usize
    }
    /// No elements?
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
    #[inline(always)]
    fn offset(self) -> usize {
        (self.0.raw_at(view::EXTENT) >> 32) as usize
    }
    /// An element, if the index is in range.
    #[inline(always)]
    pub fn get(self, i: usize) -> Option<Value<'h>> {
        (i < self.len()).then(|| {
            let place = buffer::ELEMENTS + self.offset() + i;
            self.0.at(view::BUFFER).at(place)
        })
    }
    /// The elements where they stand.
    pub fn elements(self) -> &'h [Cell<Value<'h>>] {
        match self.len() {
            0 => &[],
            len => self.0.at(view::BUFFER).buffer_elements(self.offset(), len),
        }
    }
    /// Does a write at the end find room, and is it this list's to write?
    #[inline]
    fn has_room(self) -> bool {
        let buffer = self.0.at(view::BUFFER);
        if buffer == Value::NIL {
            return false;
        }
        let used = buffer.int_at(buffer::USED);
        self.offset() + self.len() == used && used < buffer.int_at(buffer::CAPACITY)
    }
    fn is_shared(self) -> bool {
        let buffer = self.0.at(view::BUFFER);
        buffer != Value::NIL && buffer.has_flag(SHARED)
    }
}

/// The elements of a list, whatever its shape; ends at the first tail that is no list.
#[derive(Clone)]
pub struct Items<'h> {
    at: Value<'h>,
    index: usize,
}

impl<'h> Items<'h> {
    /// What is left: after the last element `()`, or the tail of an improper list. Inside a view
    /// it is the view itself.
    pub fn tail(&self) -> Value<'h> {
        match self.at.as_view() {
            Some(view) if self.index >= view.len() => Value::EMPTY,
            _ => self.at,
        }
    }
}

impl Items<'_> {
    /// Where it stands: the object, and the index in it if it is a view.
    pub(crate) fn place(&self) -> (Word, usize) {
        (self.at.word(), self.index)
    }
}

impl<'h> Iterator for Items<'h> {
    type Item = Value<'h>;
    #[inline]
    fn next(&mut self) -> Option<Value<'h>> {
        if let Some(pair) = self.at.as_pair() {
            self.at = pair.cdr();
            return Some(pair.car());
        }
        let item = self.at.as_view()?.get(self.index)?;
        self.index += 1;
        Some(item)
    }
}

impl<'h> Value<'h> {
    /// This as a pair, if it is one (a view is none).
    #[inline(always)]
    pub fn as_pair(self) -> Option<Pair<'h>> {
        self.is(Type::Pair).then_some(Pair(self))
    }
    /// This as a view, if it is one.
    #[inline(always)]
    pub fn as_view(self) -> Option<View<'h>> {
        self.is(Type::View).then_some(View(self))
    }
    /// Does `type-of` say `"list"`?
    #[inline]
    pub fn is_list(self) -> bool {
        self.word() == Word::EMPTY || self.is(Type::Pair) || self.is(Type::View)
    }
    /// A list without elements?
    #[inline]
    pub fn is_empty_list(self) -> bool {
        self.word() == Word::EMPTY || self.as_view().is_some_and(View::is_empty)
    }
    /// The first element, if this is a list that has one.
    #[inline]
    pub fn first(self) -> Option<Value<'h>> {
        match self.as_pair() {
            Some(pair) => Some(pair.car()),
            None => self.as_view()?.get(0),
        }
    }
    /// The elements from the first on; none if this is no list. Endless for a circular one.
    #[inline]
    pub fn items(self) -> Items<'h> {
        Items { at: self, index: 0 }
    }

    /// How many elements a proper list has. Constant time for a view.
    pub fn list_len(self) -> Result<usize, ListError> {
        let (mut at, mut len) = (self, 0);
        // Brent: the mark moves to the walker each time the distance has doubled.
        let (mut mark, mut limit) = (self, 64);
        while let Some(pair) = at.as_pair() {
            at = pair.cdr();
            len += 1;
            if at == mark {
                return Err(ListError::Circular);
            }
            if len == limit {
                mark = at;
                limit *= 2;
            }
        }
        match at.as_view() {
            Some(view) => Ok(len + view.len()),
            None if at.word() == Word::EMPTY => Ok(len),
            None => Err(at.not_a_tail(self)),
        }
    }

    /// The error of a walk from `list` that ended here.
    fn not_a_tail(self, list: Value<'_>) -> ListError {
        if list.word() == self.word() {
            ListError::NotList
        } else {
            ListError::Improper
        }
    }

    /// Element `i` of a list. Constant time for a view.
    pub fn nth(self, i: usize) -> Result<Value<'h>, ListError> {
        let mut at = self;
        for done in 0..=i {
            if let Some(pair) = at.as_pair() {
                if done == i {
                    return Ok(pair.car());
                }
                at = pair.cdr();
            } else if let Some(view) = at.as_view() {
                return view.get(i - done).ok_or(ListError::Range);
            } else if at.word() == Word::EMPTY {
                return Err(ListError::Range);
            } else {
                return Err(at.not_a_tail(self));
            }
        }
        Err(ListError::Range)
    }

    /// The elements of a proper list.
    pub fn list_to_vec(self) -> Result<Vec<Value<'h>>, ListError> {
        let len = self.list_len()?;
        let mut elements = Vec::with_capacity(len);
        elements.extend(self.items());
        Ok(elements)
    }
}

#[cfg(test)]
mod tests;
