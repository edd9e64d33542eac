//! Tests of equality, order and hashing, on cyclic and deep data too.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::heap::HeapOptions;
use crate::list::size_of_set_first;
use crate::num::{Num, Parsed};
use std::cmp::Ordering;

fn heap() -> Heap {
    let mut heap = Heap::new(HeapOptions::default());
    heap.reserve(1 << 20, &mut ()).unwrap();
    heap
}

fn number<'h>(heap: &'h Heap, text: &str) -> Value<'h> {
    match Num::parse(text) {
        Parsed::Number(n) => heap.number(&n),
        _ => panic!("{text}"),
    }
}

#[test]
fn numbers_compare_by_value_or_exactly() {
    let heap = heap();
    let same = [
        ("1", "1.0"),
        ("5/2", "2.5"),
        ("0.0", "-0.0"),
        ("1e30", "1000000000000000019884624838656"),
    ];
    for (a, b) in same {
        let (a, b) = (number(&heap, a), number(&heap, b));
        assert!(heap.equals(a, b) && !heap.equal(a, b) && !eqv(a, b), "{a:?} {b:?}");
        assert_eq!(heap.hash(a), heap.hash(b), "{a:?} {b:?}");
        assert!(heap.equals(heap.list(&[a]), heap.cons(b, Value::EMPTY)));
    }
    let big = || number(&heap, "123456789012345678901234567890");
    assert!(eqv(big(), big()) && heap.equal(big(), big()) && !eq(big(), big()));
    let nan = heap.float(f64::NAN);
    assert!(!heap.equals(nan, nan) && heap.equal(nan, nan));
}

#[test]
fn lists_are_equal_across_shapes() {
    let heap = heap();
    let items = [Value::fixnum(1), heap.string("two"), heap.symbol("three")];
    let view = heap.list(&items);
    let pairs = heap.pairs(&items, Value::EMPTY);
    let mixed = heap.cons(Value::fixnum(1), heap.list(&items[1..]));
    for other in [pairs, mixed] {
        assert!(heap.equal(view, other));
        assert_eq!(heap.hash(view), heap.hash(other));
    }
    assert!(heap.equal(heap.list(&[]), Value::EMPTY) && !heap.equal(Value::EMPTY, Value::NIL));
    assert!(!heap.equal(view, heap.vector_from(&items)));
    assert!(!heap.equal(view, heap.pairs(&items, Value::fixnum(4))));
    assert!(!heap.equal(view, heap.list(&items[..2])));
}

#[test]
fn dicts_are_equal_in_any_order() {
    let heap = heap();
    let (a, b) = (heap.intern("a"), heap.intern("b"));
    let (one, two) = (Value::fixnum(1), heap.list(&[]));
    let ab = heap.dict_of_shape(heap.shape_of_keys(&[a, b]).unwrap(), &[one, two]);
    let ba = heap.dict_of_shape(heap.shape_of_keys(&[b, a]).unwrap(), &[Value::EMPTY, one]);
    assert!(heap.equal(ab.value(), ba.value()));
    assert_eq!(heap.hash(ab.value()), heap.hash(ba.value()));
    heap.dict_set(ba, a, two);
    assert!(!heap.equal(ab.value(), ba.value()));
}

#[test]
fn cyclic_data_compares_and_hashes() {
    let heap = heap();
    let ring = |n: i64| {
        let items: Vec<_> = (0..n).map(|i| Value::fixnum(i % 2)).collect();
        let list = heap.pairs(&items, Value::EMPTY);
        let mut last = list;
        while let Some(pair) = last.as_pair().filter(|p| p.cdr() != Value::EMPTY) {
            last = pair.cdr();
        }
        heap.set_rest(last, list).unwrap();
        list
    };
    assert!(heap.equal(ring(2), ring(4)));
    assert!(!heap.equal(ring(2), ring(3)));
    assert_eq!(heap.hash(ring(2)), heap.hash(ring(4)));
    assert_eq!(heap.order(ring(2), ring(4)), Some(Ordering::Equal));
    let knot = || {
        let list = heap.list(&[Value::NIL, Value::fixnum(1)]);
        assert_eq!(size_of_set_first(list), Ok(0));
        heap.set_first(list, list);
        list
    };
    assert!(heap.equal(knot(), knot()));
    heap.hash(knot());
}

#[test]
fn a_million_levels_compare() {
    let mut heap = heap();
    heap.reserve(2_000_002 * Heap::SIZE_OF_PAIR, &mut ()).unwrap();
    let deep = |leaf| (0..1_000_000).fold(leaf, |inner, _| heap.cons(inner, Value::EMPTY));
    let (a, b) = (deep(Value::fixnum(1)), deep(Value::fixnum(2)));
    assert!(heap.equal(a, a) && !heap.equal(a, b));
    assert_eq!(heap.order(a, b), Some(Ordering::Less));
}

#[test]
fn values_have_an_order() {
    let heap = heap();
    let n = Value::fixnum;
    assert_eq!(heap.order(n(1), heap.float(1.5)), Some(Ordering::Less));
    assert_eq!(heap.order(heap.string("b"), heap.string("a")), Some(Ordering::Greater));
    assert_eq!(
        heap.order(heap.list(&[n(1)]), heap.list(&[n(1), n(0)])),
        Some(Ordering::Less)
    );
    assert_eq!(
        heap.order(heap.vector(2, n(1)), heap.vector(1, n(2))),
        Some(Ordering::Less)
    );
    assert_eq!(heap.order(n(1), heap.string("1")), None);
    assert_eq!(heap.order(Value::bool(false), Value::bool(true)), Some(Ordering::Less));
}
