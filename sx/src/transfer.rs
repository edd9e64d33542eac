//! Values across the border: out of a heap into plain data, and back in.
//!
//! Invariant: one reservation comes before anything is made, so what is made needs no roots; and
//! on the way out nothing collects at all.

use crate::error::Error;
use crate::value::{Handles, NESTING_MAX, Object, Value};
use std::sync::Arc;
use sx_runtime::bytes::size_of_bytevector;
use sx_runtime::error::Code;
use sx_runtime::hash_table::size_of_keyed;
use sx_runtime::heap::{Handle, Heap};
use sx_runtime::list::size_of_list;
use sx_runtime::number::size_of_number;
use sx_runtime::print::Style;
use sx_runtime::string::size_of_string;
use sx_runtime::value::Value as Inner;
use sx_runtime::value::Word;
use sx_runtime::vector::size_of_vector;

/// The objects an isolate has handed out.
#[derive(Default)]
pub(crate) struct Table {
    handles: Arc<Handles>,
    rows: Vec<Option<Handle>>,
    free: Vec<usize>,
}

impl Table {
    /// A handle to a value.
    pub(crate) fn hold(&mut self, heap: &Heap, value: Inner<'_>) -> Object {
        for row in self.handles.take_dropped() {
            self.rows[row] = None;
            self.free.push(row);
        }
        let row = self.free.pop().unwrap_or_else(|| {
            self.rows.push(None);
            self.rows.len() - 1
        });
        self.rows[row] = Some(heap.handle(value));
        let printed = heap.print(value, Style::Write);
        self.handles.handle(row, value.type_name().to_owned(), printed)
    }

    /// The value of a handle this table made.
    pub(crate) fn get<'h>(&self, heap: &'h Heap, object: &Object) -> Option<Inner<'h>> {
        let row = object.row(&self.handles)?;
        self.rows.get(row)?.as_ref().map(|handle| heap.get(handle))
    }

    /// Plain data of a value, with handles to what has none.
    pub(crate) fn plain(&mut self, heap: &Heap, value: Inner<'_>) -> Value {
        let mut out = Out {
            table: self,
            heap,
            path: Vec::new(),
        };
        out.value(value)
    }

    /// Are all handles in `value` of this isolate?
    pub(crate) fn check(&self, value: &Value) -> Result<(), Error> {
        match value {
            Value::List(items) | Value::Vector(items) | Value::Set(items) => {
                items.iter().try_for_each(|item| self.check(item))
            }
            Value::Dict(entries) => entries.iter().try_for_each(|(_, value)| self.check(value)),
            Value::Object(object) if object.row(&self.handles).is_none() => Err(foreign()),
            _ => Ok(()),
        }
    }

    /// Makes a value in the heap. Spends `size_of(value)`; `check` has passed it.
    pub(crate) fn make<'h>(&self, heap: &'h Heap, value: &Value) -> Inner<'h> {
        match value {
            Value::Nil => Inner::immediate(Word::NIL),
            Value::Bool(b) => Inner::immediate(Word::bool(*b)),
            Value::Char(c) => Inner::immediate(Word::char(*c)),
            Value::Number(n) => heap.number(n),
            Value::String(text) => heap.string(text),
            Value::Symbol(name) => heap.symbol(name),
            Value::Keyword(name) => heap.keyword(name),
            Value::List(items) => heap.list(&self.make_all(heap, items)),
            Value::Vector(items) => heap.vector_from(&self.make_all(heap, items)),
            Value::Bytes(bytes) => heap.bytevector_from(bytes),
            Value::Set(items) => {
                let set = heap.set(items.len());
                for item in self.make_all(heap, items) {
                    if !heap.keyed_has(set, item) {
                        heap.keyed_set(set, item, Inner::immediate(Word::NIL));
                    }
                }
                set.value()
            }
            Value::Dict(entries) => {
                let dict = heap.dict();
                for (key, value) in entries {
                    heap.dict_set(dict, heap.intern(key), self.make(heap, value));
                }
                dict.value()
            }
            // `check` keeps foreign handles out.
            Value::Object(object) => self.get(heap, object).unwrap_or(Inner::immediate(Word::NIL)),
        }
    }

    fn make_all<'h>(&self, heap: &'h Heap, items: &[Value]) -> Vec<Inner<'h>> {
        items.iter().map(|item| self.make(heap, item)).collect()
    }
}

/// The error of a handle used with an isolate that did not make it.
pub(crate) fn foreign() -> Error {
    Error::new(Code::Value, "this object belongs to another isolate")
}

/// Bytes to reserve before `make`.
pub(crate) fn size_of(value: &Value) -> usize {
    match value {
        Value::Number(n) => size_of_number(n),
        Value::String(text) => size_of_string(text.len()),
        Value::List(items) => size_of_list(items.len()) + size_of_all(items),
        Value::Vector(items) => size_of_vector(items.len()) + size_of_all(items),
        Value::Bytes(bytes) => size_of_bytevector(bytes.len()),
        Value::Set(items) => size_of_keyed(items.len()) + size_of_all(items),
        Value::Dict(entries) => {
            let values: usize = entries.iter().map(|(_, value)| size_of(value)).sum();
            Heap::SIZE_OF_DICT + DICT_FIXED + DICT_ENTRY * entries.len() + values
        }
        Value::Keyword(_) => KEYWORD,
        _ => 0,
    }
}

/// More than a dict takes while it grows key by key, of every size it has on the way.
const DICT_FIXED: usize = 1024;
const DICT_ENTRY: usize = 192;
/// More than a keyword takes.
const KEYWORD: usize = 64;

fn size_of_all(items: &[Value]) -> usize {
    items.iter().map(size_of).sum()
}

/// One walk out of the heap.
struct Out<'t, 'h> {
    table: &'t mut Table,
    heap: &'h Heap,
    /// The collections the walk is inside of.
    path: Vec<Word>,
}

impl Out<'_, '_> {
    fn value(&mut self, value: Inner<'_>) -> Value {
        let word = value.word();
        match word {
            Word::NIL => return Value::Nil,
            Word::TRUE => return Value::Bool(true),
            Word::FALSE => return Value::Bool(false),
            Word::EMPTY => return Value::List(Vec::new()),
            _ => {}
        }
        if let Some(c) = word.as_char() {
            return Value::Char(c);
        }
        if let Some(n) = value.as_number() {
            return Value::Number(n);
        }
        self.text(value)
            .or_else(|| self.collection(value))
            .unwrap_or_else(|| self.object(value))
    }

    fn text(&self, value: Inner<'_>) -> Option<Value> {
        let string = value.as_str().map(|text| Value::String(text.to_owned()));
        let symbol = || value.as_symbol().map(|name| Value::Symbol(name.to_owned()));
        let keyword = || value.as_keyword().map(|name| Value::Keyword(name.to_owned()));
        string.or_else(symbol).or_else(keyword)
    }

    /// Plain data of a collection, unless it is too deep or inside itself.
    fn collection(&mut self, value: Inner<'_>) -> Option<Value> {
        if let Some(bytes) = value.bytes_to_vec() {
            return Some(Value::Bytes(bytes));
        }
        if self.path.len() >= NESTING_MAX || self.path.contains(&value.word()) {
            return None;
        }
        self.path.push(value.word());
        let plain = self.inside(value);
        self.path.pop();
        plain
    }

    fn inside(&mut self, value: Inner<'_>) -> Option<Value> {
        if value.is_list() {
            let items = value.list_to_vec().ok()?;
            return Some(Value::List(items.into_iter().map(|item| self.value(item)).collect()));
        }
        if let Some(vector) = value.as_vector() {
            return Some(Value::Vector(vector.iter().map(|item| self.value(item)).collect()));
        }
        if let Some(set) = value.as_set() {
            return Some(Value::Set(set.entries().map(|(item, _)| self.value(item)).collect()));
        }
        let dict = value.as_dict()?;
        let entries = self.heap.dict_entries(dict);
        let plain = entries.map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), self.value(value)));
        Some(Value::Dict(plain.collect()))
    }

    fn object(&mut self, value: Inner<'_>) -> Value {
        Value::Object(self.table.hold(self.heap, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sx_runtime::heap::HeapOptions;

    fn round_trip(value: &Value) {
        let mut heap = Heap::new(HeapOptions::default());
        let mut table = Table::default();
        assert!(table.check(value).is_ok());
        heap.reserve(size_of(value), &mut ()).expect("room");
        let inner = table.make(&heap, value);
        assert_eq!(table.plain(&heap, inner), *value);
    }

    #[test]
    fn plain_data_goes_in_and_comes_out() {
        round_trip(&Value::List(vec![
            Value::Nil,
            Value::Bool(true),
            Value::from(1.5),
            Value::from(usize::MAX),
            Value::Char('ö'),
            Value::from("text"),
            Value::Symbol("s".to_owned()),
            Value::Keyword("k".to_owned()),
            Value::Vector(vec![Value::from(1i64), Value::List(vec![])]),
            Value::Bytes(vec![0, 255]),
            Value::Set(vec![Value::from(1i64), Value::from("a")]),
            Value::Dict(vec![("b".to_owned(), Value::from(1i64)), ("a".to_owned(), Value::Nil)]),
        ]));
    }

    #[test]
    fn the_room_for_dicts_of_any_size_is_enough() {
        for size in (0..200).chain([1000, 1025, 5000]) {
            let entries = (0..size).map(|i| (format!("key-{i}"), Value::from(i as i64)));
            round_trip(&Value::Dict(entries.collect()));
        }
    }

    #[test]
    fn a_list_inside_itself_is_a_handle() {
        let mut heap = Heap::new(HeapOptions::default());
        heap.reserve(1 << 12, &mut ()).expect("room");
        let list = heap.list(&[Inner::immediate(Word::NIL)]);
        heap.set_first(list, list);
        let mut table = Table::default();
        let plain = table.plain(&heap, list);
        assert!(matches!(plain.as_slice(), Some([Value::Object(_)])), "{plain:?}");
    }
}
