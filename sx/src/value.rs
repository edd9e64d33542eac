//! Values as the embedding program sees them: plain data, copied out of an isolate's heap, and
//! handles (`Object`) to what has no plain form: procedures, continuations, records, cyclic data.
//!
//! Deliberately absent: sharing. A list handed out is a copy; writing to it changes nothing in
//! the isolate.
//! Invariant: a `Value` made by an isolate nests at most `NESTING_MAX` deep (deeper data is a
//! handle), so dropping, comparing and printing one uses bounded native stack.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use sx_runtime::num::{Num, format_float};

/// Data nested deeper than this is handed out as an `Object`.
pub const NESTING_MAX: usize = 500;

/// A value as plain data, or a handle to one that has no plain form.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `nil`
    Nil,
    /// `true` or `false`
    Bool(bool),
    /// Any number: an integer of any size, a rational or a float.
    Number(Num),
    /// A character.
    Char(char),
    /// A string.
    String(String),
    /// A symbol.
    Symbol(String),
    /// A keyword (only quoted code holds one), without its colon.
    Keyword(String),
    /// A list.
    List(Vec<Value>),
    /// A vector.
    Vector(Vec<Value>),
    /// A bytevector.
    Bytes(Vec<u8>),
    /// A set.
    Set(Vec<Value>),
    /// A dict, in insertion order.
    Dict(Vec<(String, Value)>),
    /// Anything else, still in the isolate's heap.
    Object(Object),
}

/// A handle to a value in the heap of the isolate that made it. The value lives as long as a
/// clone of the handle does.
#[derive(Clone)]
pub struct Object(Arc<Held>);

/// What all clones of a handle share.
struct Held {
    row: usize,
    owner: Arc<Handles>,
    type_name: String,
    printed: String,
}

/// The rows of an isolate's handle table that are free again. Shared with every handle, so that
/// a handle can be dropped on any thread and after its isolate.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    dropped: Mutex<Vec<usize>>,
}

impl Handles {
    /// A handle to row `row`.
    pub(crate) fn handle(self: &Arc<Handles>, row: usize, type_name: String, printed: String) -> Object {
        Object(Arc::new(Held {
            row,
            owner: Arc::clone(self),
            type_name,
            printed,
        }))
    }
    /// The rows whose last handle was dropped since the last call.
    pub(crate) fn take_dropped(&self) -> Vec<usize> {
        std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut dropped = self.owner.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        dropped.push(self.row);
    }
}

impl Object {
    /// What `type-of` says of it.
    pub fn type_name(&self) -> &str {
        &self.0.type_name
    }
    /// The row of the handle table, if `owner` made this handle.
    pub(crate) fn row(&self, owner: &Arc<Handles>) -> Option<usize> {
        Arc::ptr_eq(&self.0.owner, owner).then_some(self.0.row)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({})", self.0.printed)
    }
}

/// Two handles are equal when they are clones of each other.
impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Value {
    /// What `type-of` says of it.
    pub fn type_name(&self) -> &str {
        match self {
            Value::Nil => "nil",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Char(_) => "char",
            Value::String(_) => "string",
            Value::Symbol(_) => "symbol",
            Value::Keyword(_) => "keyword",
            Value::List(_) => "list",
            Value::Vector(_) => "vector",
            Value::Bytes(_) => "bytevector",
            Value::Set(_) => "set",
            Value::Dict(_) => "dict",
            Value::Object(object) => object.type_name(),
        }
    }
    /// The value under `key`, if this is a dict that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Dict(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }
    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
    /// The items, if this is a list or a vector.
    pub fn as_slice(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) | Value::Vector(items) => Some(items),
            _ => None,
        }
    }
    /// `false` and `nil` are falsy, nothing else is.
    pub fn is_truthy(&self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }
}

/// Prints as `inspect` does in the language.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nil => f.write_str("nil"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Number(Num::Float(x)) => f.write_str(&format_float(*x)),
            Value::Number(n) => write!(f, "{n}"),
            Value::Char(c) => write_char(f, *c),
            Value::String(text) => write_string(f, text),
            Value::Symbol(name) => f.write_str(name),
            Value::Keyword(name) => write!(f, ":{name}"),
            Value::List(items) => write_items(f, "(", items, ")"),
            Value::Vector(items) => write_items(f, "#(", items, ")"),
            Value::Bytes(bytes) => {
                let items: Vec<String> = bytes.iter().map(u8::to_string).collect();
                write!(f, "#u8({})", items.join(" "))
            }
            Value::Set(items) if items.is_empty() => f.write_str("#<set>"),
            Value::Set(items) => write_items(f, "#<set ", items, ">"),
            Value::Dict(entries) => write_entries(f, entries),
            Value::Object(object) => f.write_str(&object.0.printed),
        }
    }
}

fn write_items(f: &mut fmt::Formatter<'_>, open: &str, items: &[Value], close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (index, item) in items.iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        write!(f, "{space}{item}")?;
    }
    f.write_str(close)
}

fn write_entries(f: &mut fmt::Formatter<'_>, entries: &[(String, Value)]) -> fmt::Result {
    f.write_str("{")?;
    for (index, (key, value)) in entries.iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        write!(f, "{space}:{key} {value}")?;
    }
    f.write_str("}")
}

fn write_char(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        ' ' => f.write_str("#\\space"),
        '\n' => f.write_str("#\\newline"),
        '\t' => f.write_str("#\\tab"),
        c if c.is_control() => write!(f, "#\\x{:x}", u32::from(c)),
        c => write!(f, "#\\{c}"),
    }
}

fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\0' => f.write_str("\\0")?,
            c if c.is_control() => write!(f, "\\x{:x};", u32::from(c))?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_the_language_does() {
        let value = Value::Dict(vec![
            (
                "a".to_owned(),
                Value::List(vec![Value::Number(Num::Float(2.0)), Value::Nil]),
            ),
            ("b".to_owned(), Value::String("q\"\n".to_owned())),
            ("c".to_owned(), Value::Bytes(vec![1, 255])),
        ]);
        assert_eq!(value.to_string(), r#"{:a (2.0 nil) :b "q\"\n" :c #u8(1 255)}"#);
    }

    #[test]
    fn a_row_is_free_when_its_last_handle_is_dropped() {
        let handles = Arc::new(Handles::default());
        let first = handles.handle(7, "lambda".to_owned(), "<lambda f>".to_owned());
        let second = first.clone();
        assert_eq!(first, second);
        drop(first);
        assert!(handles.take_dropped().is_empty());
        drop(second);
        assert_eq!(handles.take_dropped(), [7]);
    }

    #[test]
    fn a_handle_of_another_isolate_has_no_row() {
        let (ours, theirs) = (Arc::new(Handles::default()), Arc::new(Handles::default()));
        let handle = theirs.handle(1, "lambda".to_owned(), String::new());
        assert_eq!(handle.row(&ours), None);
        assert_eq!(handle.row(&theirs), Some(1));
    }
}
