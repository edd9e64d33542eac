//! The order of values that have one: numbers, strings, symbols, keywords, characters,
//! booleans; lists and vectors by their elements. Does not recurse and ends on cyclic data.

use crate::heap::Heap;
use crate::list::Items;
use crate::object::Type;
use crate::value::{Value, Word};
use std::cmp::Ordering;
use std::collections::HashSet;

/// Something still to compare; the last is the next.
enum Todo<'h> {
    Values(Value<'h>, Value<'h>),
    Lists(Items<'h>, Items<'h>),
    Vectors(Value<'h>, Value<'h>, usize),
}

/// So many steps are taken before any is remembered.
const FREE_STEPS: usize = 100_000;

impl Heap {
    /// The order of two values; `None` if they have none.
    pub fn order<'h>(&'h self, a: Value<'h>, b: Value<'h>) -> Option<Ordering> {
        let mut todo = vec![Todo::Values(a, b)];
        let mut seen = HashSet::new();
        let mut steps = 0;
        while let Some(next) = todo.pop() {
            steps += 1;
            if steps > FREE_STEPS && next.place().is_some_and(|place| !seen.insert(place)) {
                continue;
            }
            let order = match next {
                Todo::Values(a, b) => order_values(a, b, &mut todo)?,
                Todo::Lists(a, b) => order_lists(a, b, &mut todo)?,
                Todo::Vectors(a, b, i) => order_vectors(a, b, i, &mut todo)?,
            };
            if order != Ordering::Equal {
                return Some(order);
            }
        }
        Some(Ordering::Equal)
    }
}

type Place = (Word, usize);

impl Todo<'_> {
    /// What to remember of it; nothing of two values, which lead to one of the others.
    fn place(&self) -> Option<(Place, Place)> {
        match self {
            Todo::Values(..) => None,
            Todo::Lists(a, b) => Some((a.place(), b.place())),
            Todo::Vectors(a, b, i) => Some(((a.word(), *i), (b.word(), *i))),
        }
    }
}

fn order_values<'h>(a: Value<'h>, b: Value<'h>, todo: &mut Vec<Todo<'h>>) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (a.as_fixnum(), b.as_fixnum()) {
        return Some(a.cmp(&b));
    }
    if a.is_number() && b.is_number() {
        return a.as_number()?.order(&b.as_number()?);
    }
    if a.is_list() && b.is_list() {
        todo.push(Todo::Lists(a.items(), b.items()));
        return Some(Ordering::Equal);
    }
    if let (Some(a), Some(b)) = (a.word().as_char(), b.word().as_char()) {
        return Some(a.cmp(&b));
    }
    match (a.object_type(), b.object_type()) {
        (Some(Type::String | Type::Text), Some(Type::String | Type::Text)) => Some(a.as_str().cmp(&b.as_str())),
        (Some(Type::Symbol), Some(Type::Symbol)) => Some(a.as_symbol().cmp(&b.as_symbol())),
        (Some(Type::Keyword), Some(Type::Keyword)) => Some(a.as_keyword().cmp(&b.as_keyword())),
        (Some(Type::Vector), Some(Type::Vector)) => {
            todo.push(Todo::Vectors(a, b, 0));
            Some(Ordering::Equal)
        }
        _ if a == b => Some(Ordering::Equal),
        _ => match (a.word(), b.word()) {
            (Word::FALSE, Word::TRUE) => Some(Ordering::Less),
            (Word::TRUE, Word::FALSE) => Some(Ordering::Greater),
            _ => None,
        },
    }
}

/// The shorter of two lists that agree as far as it goes comes first.
fn order_lists<'h>(mut a: Items<'h>, mut b: Items<'h>, todo: &mut Vec<Todo<'h>>) -> Option<Ordering> {
    match (a.next(), b.next()) {
        (Some(x), Some(y)) => {
            todo.push(Todo::Lists(a, b));
            todo.push(Todo::Values(x, y));
            Some(Ordering::Equal)
        }
        (None, Some(_)) => Some(Ordering::Less),
        (Some(_), None) => Some(Ordering::Greater),
        (None, None) if a.tail() == b.tail() => Some(Ordering::Equal),
        (None, None) => order_values(a.tail(), b.tail(), todo),
    }
}

fn order_vectors<'h>(a: Value<'h>, b: Value<'h>, i: usize, todo: &mut Vec<Todo<'h>>) -> Option<Ordering> {
    let (x, y) = (a.as_vector()?, b.as_vector()?);
    match (x.get(i), y.get(i)) {
        (Some(x), Some(y)) => {
            todo.push(Todo::Vectors(a, b, i + 1));
            todo.push(Todo::Values(x, y));
            Some(Ordering::Equal)
        }
        _ => Some(x.len().cmp(&y.len())),
    }
}
