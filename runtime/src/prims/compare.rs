//! Equality and order (`equal.rs`) as primitives, and sorting by the natural order.
//!
//! Invariant: sorting never panics, whatever the order says.

use super::{Cx, prims};
use crate::equal::{eq, eqv};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::value::{Value, Word};
use std::cmp::Ordering;
use std::collections::HashMap;

prims! { COMPARE {
    /// Are all arguments equal? Numbers by size (`(= 1 1.0)`), other values by content.
    "=" | "%=" (x: Any, more: Any rest) -> Bool, Reads, |cx| Ok(Word::bool(all_equal(cx))), ["(= 1 1.0) ; => true", "(= (list 1 \"a\") (list 1 \"a\")) ; => true", "(= 2.5 5/2) ; => true", "(= 1 2) ; => false"];
    /// Are the arguments not all equal?
    "!=" (x: Any, more: Any rest) -> Bool, Reads, |cx| Ok(Word::bool(!all_equal(cx))), ["(!= 1 2) ; => true"];
    /// Is each number below the next?
    "<" (x: Number, more: Number rest) -> Bool, Pure, |cx| ordered(cx, |o| o == Ordering::Less), ["(< 1 2 3) ; => true", "(< 1 \"2\") ; error: Expected number, got string"];
    /// Is each number above the next?
    ">" (x: Number, more: Number rest) -> Bool, Pure, |cx| ordered(cx, |o| o == Ordering::Greater), ["(> 3 2 1) ; => true"];
    /// Is no number above the next?
    "<=" (x: Number, more: Number rest) -> Bool, Pure, |cx| ordered(cx, |o| o != Ordering::Greater), ["(<= 1 1 2) ; => true"];
    /// Is no number below the next?
    ">=" (x: Number, more: Number rest) -> Bool, Pure, |cx| ordered(cx, |o| o != Ordering::Less), ["(>= 2 2 1) ; => true"];
    /// Are they the same object? Small integers, floats and characters are the same when equal.
    "eq?" | "identical?" | "%eq?" (a: Any, b: Any) -> Bool, Pure, |cx| Ok(Word::bool(eq(cx.arg(0), cx.arg(1)))), ["(eq? 1 1) ; => true", "(eq? 0.0 (* 1.0 0)) ; => true", "(eq? (list 1) (list 1)) ; => false"];
    /// As eq?, but numbers of the same exactness are compared by size and strings by content.
    "eqv?" | "%eqv?" (a: Any, b: Any) -> Bool, Pure, |cx| Ok(Word::bool(eqv(cx.arg(0), cx.arg(1)))), ["(eqv? 1.5 1.5) ; => true", "(eqv? 1 1.0) ; => false"];
    /// Have they the same content, at any depth? An exact number never equals an inexact one.
    "equal?" (a: Any, b: Any) -> Bool, Reads, |cx| Ok(Word::bool(cx.heap().equal(cx.arg(0), cx.arg(1)))), ["(equal? {:a (list 1)} {:a (list 1)}) ; => true", "(equal? 1 1.0) ; => false"];
    /// Is x false or nil?
    "not" (x: Any) -> Bool, Pure, |cx| Ok(Word::bool(cx.arg(0).word().is_falsy())), ["(not nil) ; => true", "(not 0) ; => false"];
    /// -1, 0 or 1 as a goes before b, beside it or after it. Numbers, strings, characters, booleans,
    /// symbols, lists and vectors have an order among their like.
    "compare" (a: Any, b: Any) -> Int, Reads, compare_prim, ["(compare 1 2) ; => -1", "(compare \"b\" \"a\") ; => 1", "(compare (list 1 2) (list 1 2)) ; => 0"];
    /// The items in ascending order of `compare`; equal ones keep their order.
    "%sort-natural" (xs: Any) -> List, Reads, sort_natural, ["(%sort-natural (list 3 1 2)) ; => (1 2 3)"];
    /// Are all items numbers, and none of them NaN?
    "%ordered-numbers?" (xs: List) -> Bool, Reads, ordered_numbers, ["(%ordered-numbers? (list 1 2.5 1/2)) ; => true", "(%ordered-numbers? (list 1 nan)) ; => false", "(%ordered-numbers? (list 1 \"2\")) ; => false"];
    /// The items in ascending order of the keys, one for each; equal ones keep their order.
    "%sort-by-keys" (keys: List, xs: List) -> List, Reads, sort_by_keys, ["(%sort-by-keys (list 2 1) (list :a :b)) ; => (\"b\" \"a\")"];
} }

fn all_equal(cx: &Cx<'_>) -> bool {
    (1..cx.argc()).all(|i| cx.heap().equals(cx.arg(i - 1), cx.arg(i)))
}

fn ordered(cx: &mut Cx<'_>, holds: fn(Ordering) -> bool) -> Result<Word, Raise> {
    let order = |i: usize| match (cx.arg(i - 1).as_fixnum(), cx.arg(i).as_fixnum()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => cx.num(i - 1).order(&cx.num(i)),
    };
    Ok(Word::bool((1..cx.argc()).all(|i| order(i).is_some_and(holds))))
}

/// Which values have been met, by `=`.
#[derive(Default)]
pub(super) struct Seen<'h> {
    rows: HashMap<u64, Vec<Value<'h>>>,
}

impl<'h> Seen<'h> {
    /// Adds a value; was it new?
    pub(super) fn insert(&mut self, heap: &'h Heap, v: Value<'h>) -> bool {
        let row = self.rows.entry(heap.hash(v)).or_default();
        if row.iter().any(|other| heap.equals(*other, v)) {
            return false;
        }
        row.push(v);
        true
    }
}

/// The order of two values, or the condition that they have none.
fn compare<'h>(heap: &'h Heap, a: Value<'h>, b: Value<'h>) -> Result<Ordering, Raise> {
    heap.order(a, b).ok_or_else(|| {
        let message = format!("compare: no order between {} and {}", a.type_name(), b.type_name());
        Raise::new(Code::Type, message)
    })
}

fn compare_prim(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    Ok(Word::fixnum(compare(cx.heap(), cx.arg(0), cx.arg(1))? as i64))
}

/// Sorts by a comparison that may fail; stable.
fn merge_sort<T: Clone>(items: Vec<T>, order: &impl Fn(&T, &T) -> Result<Ordering, Raise>) -> Result<Vec<T>, Raise> {
    let mut from = items;
    let mut width = 1;
    while width < from.len() {
        let mut to = Vec::with_capacity(from.len());
        for run in from.chunks(2 * width) {
            let (left, right) = run.split_at(width.min(run.len()));
            merge(left, right, &mut to, order)?;
        }
        from = to;
        width *= 2;
    }
    Ok(from)
}

fn merge<T: Clone>(
    mut left: &[T],
    mut right: &[T],
    to: &mut Vec<T>,
    order: &impl Fn(&T, &T) -> Result<Ordering, Raise>,
) -> Result<(), Raise> {
    while let (Some(x), Some(y)) = (left.first(), right.first()) {
        if order(y, x)? == Ordering::Less {
            to.push(y.clone());
            right = &right[1..];
        } else {
            to.push(x.clone());
            left = &left[1..];
        }
    }
    to.extend_from_slice(left);
    to.extend_from_slice(right);
    Ok(())
}

fn ordered_numbers(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let xs = cx.arg(0);
    let is_ordered =
        |x: Value<'_>| x.word().is_fixnum() || x.is_number() && x.as_number().is_some_and(|n| n.order(&n).is_some());
    Ok(Word::bool(xs.list_len().is_ok() && xs.items().all(is_ordered)))
}

fn sort_natural(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.give_list(
        |cx| Ok(super::seq::items("sort", cx.arg(0))?.len()),
        |cx| {
            merge_sort(super::seq::items("sort", cx.arg(0))?, &|a, b| {
                compare(cx.heap(), *a, *b)
            })
        },
    )
}

fn sort_by_keys(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.give_list(
        |cx| super::seq::list_len("sort-by", cx.arg(1)),
        |cx| {
            let keys = super::seq::list_items("sort-by", cx.arg(0))?;
            let items = super::seq::list_items("sort-by", cx.arg(1))?;
            let rows: Vec<_> = keys.into_iter().zip(items).collect();
            let sorted = merge_sort(rows, &|a, b| compare(cx.heap(), a.0, b.0))?;
            Ok(sorted.into_iter().map(|(_, item)| item).collect())
        },
    )
}
