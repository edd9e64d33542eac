//! Printing values. `Style::Write` gives text that reads back equal; what has no reading syntax
//! prints as `#<…>`.
//!
//! The printer keeps its own stack of what is open, so depth is bounded by memory, and knows
//! which objects are open, so a cycle prints `#<cycle>` instead of going round. The length of
//! the text is bounded by the caller.

mod atom;
pub mod scheme;

pub use atom::{push_decimal, write_char, write_string};

use crate::heap::Heap;
use crate::list::{Items, ListError};
use crate::object::{Type, component, keyword, macro_};
use crate::value::{Value, Word};
use std::collections::HashSet;

/// How values print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `inspect`, `write`: reads back equal.
    Write,
    /// `display`, `str`: a string, character or symbol bare, inside anything else as `Write`.
    Display,
    /// Strings, characters and symbols bare wherever they are.
    Bare,
    /// As `Write`, the keys of dicts sorted.
    Canonical,
}

/// The text grew beyond the limit it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// What is still to be printed; the last is the next.
enum Todo<'h> {
    Value(Value<'h>),
    Text(&'static str),
    /// The rest of a list, whether to put a space first, and its cells if it is circular.
    List(Items<'h>, bool, Option<HashSet<Word>>),
    /// The fields of a vector-like object from one on.
    Vector(Value<'h>, usize),
    Fields(Value<'h>, usize),
    /// Entries of a dict, last first.
    Dict(Vec<(Value<'h>, Value<'h>)>, bool),
    /// Keys and values of a hash table or set, last first.
    Keys(Vec<(Value<'h>, Option<Value<'h>>)>),
    /// A container is closed.
    Close(Word),
}

impl Heap {
    /// The text of a value. Only for what is known to be small or bounded by the heap's limit.
    pub fn print(&self, value: Value<'_>, style: Style) -> String {
        let mut out = String::new();
        // A text of the size of the heap's limit is cut off, and marked so.
        if self.print_to(&mut out, value, style, self.limit()).is_err() {
            out.push_str("...");
        }
        out
    }

    /// Adds the text of a value to `out`, up to `most` bytes of it.
    pub fn print_to(&self, out: &mut String, value: Value<'_>, style: Style, most: usize) -> Result<(), TooLong> {
        if let Some(i) = value.as_fixnum() {
            push_decimal(out, i);
            return Ok(());
        }
        if matches!(style, Style::Display | Style::Bare) && atom::write_bare(out, value) {
            return Ok(());
        }
        let end = out.len().saturating_add(most);
        let mut printer = Printer {
            heap: self,
            out,
            style,
            todo: vec![Todo::Value(value)],
            open: HashSet::new(),
        };
        while let Some(todo) = printer.todo.pop() {
            printer.step(todo);
            if printer.out.len() > end {
                return Err(TooLong);
            }
        }
        Ok(())
    }
}

struct Printer<'h, 'o> {
    heap: &'h Heap,
    out: &'o mut String,
    style: Style,
    todo: Vec<Todo<'h>>,
    /// Containers whose printing has begun and not ended.
    open: HashSet<Word>,
}

impl<'h> Printer<'h, '_> {
    fn step(&mut self, todo: Todo<'h>) {
        match todo {
            Todo::Value(value) => self.value(value),
            Todo::Text(text) => self.out.push_str(text),
            Todo::List(items, space, cells) => self.list_item(items, space, cells),
            Todo::Vector(vector, i) => {
                if let Some(element) = vector.as_vector().and_then(|v| v.get(i)) {
                    self.space(i > 0);
                    self.todo.push(Todo::Vector(vector, i + 1));
                    self.value(element);
                }
            }
            Todo::Fields(record, i) => self.field(record, i),
            Todo::Dict(entries, space) => self.dict_entry(entries, space),
            Todo::Keys(keys) => self.key(keys),
            Todo::Close(container) => {
                self.open.remove(&container);
            }
        }
    }

    fn space(&mut self, wanted: bool) {
        if wanted {
            self.out.push(' ');
        }
    }

    fn value(&mut self, value: Value<'h>) {
        if self.style == Style::Bare && atom::write_bare(self.out, value) {
            return;
        }
        if atom::write_atom(self.out, value) {
            return;
        }
        if !self.open.insert(value.word()) {
            self.out.push_str("#<cycle>");
            return;
        }
        self.todo.push(Todo::Close(value.word()));
        if value.is_list() {
            let circular = value.list_len() == Err(ListError::Circular);
            let items = Todo::List(value.items(), false, circular.then(HashSet::new));
            return self.wrap("(", items, ")");
        }
        self.object(value);
    }

    /// Opens with `open`, then prints `inner`, then `close`.
    fn wrap(&mut self, open: &str, inner: Todo<'h>, close: &'static str) {
        self.out.push_str(open);
        self.todo.push(Todo::Text(close));
        self.todo.push(inner);
    }

    fn object(&mut self, value: Value<'h>) {
        if value.as_vector().is_some() {
            self.wrap("#(", Todo::Vector(value, 0), ")");
        } else if let Some(dict) = value.as_dict() {
            let mut entries: Vec<_> = self.heap.dict_entries(dict).collect();
            if self.style == Style::Canonical {
                entries.sort_by_key(|(key, _)| key.as_str());
            }
            entries.reverse();
            self.wrap("{", Todo::Dict(entries, false), "}");
        } else if let Some(record) = value.as_record() {
            let ty = record.record_type();
            let (open, close) = if ty.adt().is_some() { ("(", ")") } else { ("#<", ">") };
            self.wrap(&format!("{open}{}", ty.name()), Todo::Fields(value, 0), close);
        } else if let Some(keyed) = value.as_hash_table().or(value.as_set()) {
            let is_set = value.is(Type::Set);
            let mut keys: Vec<_> = keyed.entries().map(|(k, v)| (k, (!is_set).then_some(v))).collect();
            keys.reverse();
            self.wrap(if is_set { "#<set" } else { "#<hash-table" }, Todo::Keys(keys), ">");
        } else if let Some(values) = value.as_values() {
            for (i, value) in values.into_iter().enumerate().rev() {
                self.todo.push(Todo::Value(value));
                if i > 0 {
                    self.todo.push(Todo::Text(" "));
                }
            }
        } else if let Some(error) = value.as_error() {
            self.out.push_str("#<error ");
            self.todo.push(Todo::Text(">"));
            self.todo.push(Todo::Value(error.message));
        } else {
            self.opaque(value);
        }
    }

    /// What shows its type and perhaps its name only.
    fn opaque(&mut self, value: Value<'h>) {
        let name = self.name_of(value);
        let space = if name.is_empty() { "" } else { " " };
        self.out.push_str(&format!("#<{}{space}{name}>", value.type_name()));
    }

    fn name_of(&self, value: Value<'h>) -> String {
        let named = match value.object_type() {
            Some(Type::Closure) => {
                return self
                    .heap
                    .procedure_info(value)
                    .map_or_else(String::new, |info| info.name.to_string());
            }
            Some(Type::Macro) => value.at(macro_::NAME),
            Some(Type::Component | Type::Island) => value.at(component::NAME),
            _ => Value::NIL,
        };
        named.as_str().or(named.as_symbol()).unwrap_or_default().to_string()
    }

    fn list_item(&mut self, mut items: Items<'h>, space: bool, mut cells: Option<HashSet<Word>>) {
        let cell = items.place().0;
        if cells.as_mut().is_some_and(|cells| !cells.insert(cell)) {
            self.out.push_str(" . #<cycle>");
            return;
        }
        match items.next() {
            Some(item) => {
                self.space(space);
                self.todo.push(Todo::List(items, true, cells));
                self.value(item);
            }
            None if items.tail().word() != Word::EMPTY => {
                self.out.push_str(" . ");
                self.value(items.tail());
            }
            None => {}
        }
    }

    fn field(&mut self, value: Value<'h>, i: usize) {
        let Some(record) = value.as_record() else { return };
        let Some(field) = record.get(i) else { return };
        self.out.push(' ');
        if record.record_type().adt().is_none() {
            let names = record.record_type().fields().as_vector();
            let name = names.and_then(|names| names.get(i)).and_then(Value::as_str);
            self.out.push_str(&format!(":{} ", name.unwrap_or_default()));
        }
        self.todo.push(Todo::Fields(value, i + 1));
        self.value(field);
    }

    fn dict_entry(&mut self, mut entries: Vec<(Value<'h>, Value<'h>)>, space: bool) {
        let Some((key, value)) = entries.pop() else { return };
        self.space(space);
        atom::write_key(self.out, key.as_str().unwrap_or_default());
        self.out.push(' ');
        self.todo.push(Todo::Dict(entries, true));
        self.value(value);
    }

    fn key(&mut self, mut keys: Vec<(Value<'h>, Option<Value<'h>>)>) {
        let Some((key, value)) = keys.pop() else { return };
        self.out.push(' ');
        self.todo.push(Todo::Keys(keys));
        let Some(value) = value else { return self.value(key) };
        self.out.push('(');
        let rest = [Todo::Text(")"), Todo::Value(value), Todo::Text(" "), Todo::Value(key)];
        self.todo.extend(rest);
    }
}

impl Value<'_> {
    /// The text of a keyword's name, with its colon, if this is one.
    pub(crate) fn keyword_text(self) -> Option<String> {
        let name = self.is(Type::Keyword).then(|| self.at(keyword::NAME))?;
        Some(format!(":{}", name.as_str().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests;
