//! What list primitives share: reading operands as items, building answers, error texts.
//!
//! Invariant: a list that does not end is an error here, never a loop.

use super::Cx;
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::list::{ListError, size_of_list};
use crate::num::Num;
use crate::number::size_of_number;
use crate::object::Type;
use crate::string::size_of_string;
use crate::value::{Value, Word};

/// The condition for a list operation named `who` that met something else than a proper list.
#[cold]
pub fn list_error(who: &str, error: ListError) -> Raise {
    match error {
        ListError::NotList => Raise::new(Code::Type, format!("{who}: expected list")),
        ListError::Improper => Raise::new(Code::Type, format!("{who}: the list does not end in ()")),
        ListError::Circular => Raise::new(Code::Value, format!("{who}: the list is circular")),
        ListError::Empty => Raise::new(Code::Value, format!("{who}: the empty list cannot grow")),
        ListError::Range => Raise::new(Code::Range, format!("{who}: index out of range")),
    }
}

/// How many items the list has; `nil` has none.
pub fn list_len(who: &str, v: Value<'_>) -> Result<usize, Raise> {
    if v == Value::NIL {
        return Ok(0);
    }
    v.list_len().map_err(|e| list_error(who, e))
}

/// The items of a proper list; `nil` has none.
pub fn list_items<'h>(who: &str, v: Value<'h>) -> Result<Vec<Value<'h>>, Raise> {
    if v == Value::NIL {
        return Ok(Vec::new());
    }
    v.list_to_vec().map_err(|e| list_error(who, e))
}

/// The items of a list, `nil`, vector or set: what holds its items as values.
pub fn items<'h>(who: &str, v: Value<'h>) -> Result<Vec<Value<'h>>, Raise> {
    match v.object_type() {
        Some(Type::Vector) => Ok(v.as_vector().map(|v| v.iter().collect()).unwrap_or_default()),
        Some(Type::Set) => Ok(v
            .as_set()
            .map(|s| s.entries().map(|(key, _)| key).collect())
            .unwrap_or_default()),
        _ => list_items(who, v),
    }
}

/// Places from `start` to `end` of something that has `len` items, if they lie in it in order.
pub fn check_range(who: &str, start: usize, end: usize, len: usize) -> Result<(usize, usize), Raise> {
    if start <= end && end <= len {
        return Ok((start, end));
    }
    Err(Raise::new(
        Code::Range,
        format!("{who}: {start} to {end} out of range (length {len})"),
    ))
}

/// The condition for index `i` of something that has `len` items.
#[cold]
pub fn out_of_range(who: &str, i: usize, len: usize) -> Raise {
    Raise::new(Code::Range, format!("{who}: index {i} out of range (length {len})"))
}

/// No list has more items: a view counts them in 32 bits.
pub const LIST_MAX: usize = u32::MAX as usize;

impl Cx<'_> {
    /// Start and end given as operands `at` and `at + 1`; without them, everything.
    pub fn range(&self, who: &str, at: usize, len: usize) -> Result<(usize, usize), Raise> {
        let start = self.given(at).map_or(0, |_| self.index(at));
        let end = self.given(at + 1).map_or(len, |_| self.index(at + 1));
        check_range(who, start, end, len)
    }
    /// A list of texts as the answer.
    pub fn give_strings(&mut self, texts: &[impl AsRef<str>]) -> Result<Word, Raise> {
        let bytes: usize = texts.iter().map(|t| size_of_string(t.as_ref().len())).sum();
        self.reserve(bytes + size_of_list(texts.len()))?;
        let heap = self.heap();
        let strings: Vec<Value<'_>> = texts.iter().map(|t| heap.string(t.as_ref())).collect();
        Ok(heap.list(&strings).word())
    }
    /// A list of numbers as the answer.
    pub fn give_nums(&mut self, nums: &[Num]) -> Result<Word, Raise> {
        let bytes: usize = nums.iter().map(size_of_number).sum();
        self.reserve(bytes + size_of_list(nums.len()))?;
        let heap = self.heap();
        let values: Vec<Value<'_>> = nums.iter().map(|n| heap.number(n)).collect();
        Ok(heap.list(&values).word())
    }
    /// A list as the answer: `count` looks at the operands and says how many items there will
    /// be, `make` reads them again once there is room.
    pub fn give_list(
        &mut self,
        count: impl FnOnce(&Self) -> Result<usize, Raise>,
        make: impl for<'h> FnOnce(&'h Self) -> Result<Vec<Value<'h>>, Raise>,
    ) -> Result<Word, Raise> {
        let count = count(self)?;
        if count > LIST_MAX {
            return Err(Raise::Memory);
        }
        self.reserve(size_of_list(count))?;
        let items = make(self)?;
        debug_assert!(items.len() <= count);
        Ok(self.heap().list(&items).word())
    }
    /// A part of the list in operand 0, from place `start` up to `end`, both within it. A view
    /// shares its elements; of pairs the part is copied unless it goes to the end.
    pub fn give_part(&mut self, who: &str, start: usize, end: usize) -> Result<Word, Raise> {
        let len = list_len(who, self.arg(0))?;
        if start >= end {
            return Ok(Word::EMPTY);
        }
        if self.arg(0).as_view().is_some() {
            self.reserve(Heap::SIZE_OF_PAIR)?;
            let heap = self.heap();
            return Ok(self
                .arg(0)
                .as_view()
                .map_or(Word::EMPTY, |view| heap.slice_view(view, start, end.min(len)).word()));
        }
        // What is left of pairs is those pairs; what `take` and `slice` make is always new.
        if end >= len && (start > 0 || who == "drop") {
            self.reserve(Heap::SIZE_OF_PAIR)?;
            let tail = self.heap().drop_first(self.arg(0), start);
            return tail.map(Value::word).map_err(|e| list_error(who, e));
        }
        self.give_list(
            |_| Ok(end.min(len) - start),
            |cx| Ok(cx.arg(0).items().skip(start).take(end - start).collect()),
        )
    }
}
