//! Printing as R7RS wants it: `#t` and `#f`, names that only SX takes for something else bare,
//! datum labels for what contains itself. Values Scheme has no syntax for print as SX shows them.
//!
//! Neither the printer nor the search for labels recurses.

use super::atom::{write_atom, write_char, write_string, write_symbol_with};
use super::{Style, TooLong};
use crate::heap::Heap;
use crate::object::Type;
use crate::value::{Value, Word};
use std::collections::{HashMap, HashSet};

/// What gets a datum label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// Nothing; what contains itself cannot be printed.
    None,
    /// What contains itself.
    Cycles,
    /// What occurs more than once.
    Shared,
}

/// How a value is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Strings and characters bare.
    Display,
    /// So that it reads back.
    Write(Labels),
}

/// What is still to be printed; the last is the next.
enum Todo<'h> {
    Value(Value<'h>),
    Text(&'static str),
    /// What follows the first item of a list.
    Tail(Value<'h>),
    /// The items of a vector, or of a list in one piece, from one on.
    Items(Value<'h>, usize),
}

impl Heap {
    /// Adds the text of a value to `out`, up to `most` bytes of it.
    pub fn print_scheme(&self, out: &mut String, value: Value<'_>, manner: Manner, most: usize) -> Result<(), TooLong> {
        let labels = match manner {
            Manner::Display => Labels::Cycles,
            Manner::Write(labels) => labels,
        };
        let labelled = labelled(value, labels);
        if labels == Labels::None && !labelled.is_empty() {
            return Err(TooLong);
        }
        let end = out.len().saturating_add(most);
        let mut printer = Printer {
            heap: self,
            out,
            display: manner == Manner::Display,
            todo: vec![Todo::Value(value)],
            labelled,
            numbers: HashMap::new(),
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
    display: bool,
    todo: Vec<Todo<'h>>,
    labelled: HashSet<Word>,
    numbers: HashMap<Word, usize>,
}

impl<'h> Printer<'h, '_> {
    fn step(&mut self, todo: Todo<'h>) {
        match todo {
            Todo::Value(value) => self.value(value),
            Todo::Text(text) => self.out.push_str(text),
            Todo::Tail(tail) => self.tail(tail),
            Todo::Items(container, i) => {
                if let Some(item) = item(container, i) {
                    if i > 0 {
                        self.out.push(' ');
                    }
                    self.todo.push(Todo::Items(container, i + 1));
                    self.value(item);
                }
            }
        }
    }

    fn value(&mut self, value: Value<'h>) {
        if self.atom(value) || self.label(value) {
            return;
        }
        if let Some((prefix, datum)) = abbreviation(value) {
            self.out.push_str(prefix);
            return self.todo.push(Todo::Value(datum));
        }
        if let Some(pair) = value.as_pair() {
            self.out.push('(');
            self.todo.push(Todo::Tail(pair.cdr()));
            return self.value_later(pair.car());
        }
        let open = match value.is(Type::Vector) {
            true => "#(",
            false => "(",
        };
        if value.is(Type::Vector) || value.as_view().is_some() {
            self.out.push_str(open);
            self.todo.push(Todo::Text(")"));
            return self.todo.push(Todo::Items(value, 0));
        }
        let style = if self.display { Style::Bare } else { Style::Write };
        // The limit is looked at after each step.
        let _ = self.heap.print_to(self.out, value, style, self.heap.limit());
    }

    fn value_later(&mut self, value: Value<'h>) {
        self.todo.push(Todo::Value(value));
    }

    /// The rest of a list whose opening parenthesis and first items are printed.
    fn tail(&mut self, tail: Value<'h>) {
        if tail.is_empty_list() {
            return self.out.push(')');
        }
        match tail.as_pair() {
            Some(pair) if !self.labelled.contains(&tail.word()) => {
                self.out.push(' ');
                self.todo.push(Todo::Tail(pair.cdr()));
                self.value_later(pair.car());
            }
            _ => match tail.as_view() {
                Some(_) if !self.labelled.contains(&tail.word()) => {
                    self.out.push(' ');
                    self.todo.push(Todo::Text(")"));
                    self.todo.push(Todo::Items(tail, 0));
                }
                _ => {
                    self.out.push_str(" . ");
                    self.todo.push(Todo::Text(")"));
                    self.value_later(tail);
                }
            },
        }
    }

    /// The label of a value that has one; is that all there is to print?
    fn label(&mut self, value: Value<'h>) -> bool {
        if !self.labelled.contains(&value.word()) {
            return false;
        }
        let next = self.numbers.len();
        if let Some(number) = self.numbers.get(&value.word()) {
            self.out.push_str(&format!("#{number}#"));
            return true;
        }
        self.numbers.insert(value.word(), next);
        self.out.push_str(&format!("#{next}="));
        false
    }

    fn atom(&mut self, value: Value<'h>) -> bool {
        match (value.word(), self.display) {
            (Word::TRUE, _) => self.out.push_str("#t"),
            (Word::FALSE, _) => self.out.push_str("#f"),
            (Word::NIL, _) => self.out.push_str("#<unspecified>"),
            (word, true) if word.is_char() => self.out.extend(word.as_char()),
            (word, false) if word.is_char() => write_char(self.out, word.as_char().unwrap_or(' ')),
            _ if is_nan(value) => self.out.push_str("+nan.0"),
            _ => return self.text(value) || write_atom(self.out, value),
        }
        true
    }

    fn text(&mut self, value: Value<'h>) -> bool {
        match (value.as_str(), value.as_symbol(), self.display) {
            (Some(text), _, true) | (None, Some(text), true) => self.out.push_str(text),
            (Some(text), _, false) => write_string(self.out, text),
            (None, Some(name), false) => write_symbol_with(self.out, name, false),
            (None, None, _) => return false,
        }
        true
    }
}

/// SX writes it `nan`, which is a name to Scheme.
fn is_nan(value: Value<'_>) -> bool {
    (value.word().is_flonum() || value.is(Type::Flonum)) && value.as_float().is_some_and(f64::is_nan)
}

fn item<'h>(container: Value<'h>, i: usize) -> Option<Value<'h>> {
    match container.as_vector() {
        Some(vector) => vector.get(i),
        None => container.as_view()?.get(i),
    }
}

/// What `(quote x)` and its like print as: the prefix and the datum.
fn abbreviation<'h>(list: Value<'h>) -> Option<(&'static str, Value<'h>)> {
    let mut items = list.items();
    let prefix = match items.next()?.as_symbol()? {
        "quote" => "'",
        "quasiquote" => "`",
        "unquote" => ",",
        "unquote-splicing" => ",@",
        _ => return None,
    };
    let datum = items.next()?;
    (items.next().is_none() && items.tail().word() == Word::EMPTY).then_some((prefix, datum))
}

/// Entered or left: a step of the walk that looks for labels.
enum Walk<'h> {
    Enter(Value<'h>),
    Leave(Word),
}

/// The pairs and vectors that get a label.
fn labelled(value: Value<'_>, labels: Labels) -> HashSet<Word> {
    let mut found = HashSet::new();
    if is_small(value) {
        return found;
    }
    let (mut open, mut met) = (HashSet::new(), HashSet::new());
    let mut todo = vec![Walk::Enter(value)];
    while let Some(step) = todo.pop() {
        let value = match step {
            Walk::Leave(word) => {
                open.remove(&word);
                continue;
            }
            Walk::Enter(value) => value,
        };
        if !(value.is(Type::Vector) || value.is_list() && !value.is_empty_list()) {
            continue;
        }
        if open.contains(&value.word()) || labels == Labels::Shared && met.contains(&value.word()) {
            found.insert(value.word());
            continue;
        }
        if !met.insert(value.word()) {
            continue;
        }
        open.insert(value.word());
        todo.push(Walk::Leave(value.word()));
        match value.as_pair() {
            Some(pair) => todo.extend([pair.cdr(), pair.car()].map(Walk::Enter)),
            None => todo.extend((0..).map_while(|i| item(value, i)).map(Walk::Enter)),
        }
    }
    found
}

/// Nothing inside it can be met twice: what is printed most is told at a glance.
fn is_small(value: Value<'_>) -> bool {
    !(value.is(Type::Vector) || value.is_list())
}
