//! Tests of printing: each kind of value, cycles, depth, the limit.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::heap::HeapOptions;

fn heap() -> Heap {
    let mut heap = Heap::new(HeapOptions::default());
    heap.reserve(1 << 20, &mut ()).unwrap();
    heap
}

fn write(heap: &Heap, value: Value<'_>) -> String {
    heap.print(value, Style::Write)
}

#[test]
fn atoms() {
    let heap = heap();
    let cases = [
        (heap.string("a\"b\\\n\u{1}é"), r#""a\"b\\\n\x1;é""#),
        (heap.float(2.0), "2.0"),
        (heap.float(1e300), "1e300"),
        (heap.float(f64::NEG_INFINITY), "-inf.0"),
        (heap.float(f64::NAN), "nan"),
        (heap.symbol("list->vector"), "list->vector"),
        (heap.symbol("a b|c"), "|a b\\|c|"),
        (heap.symbol("1"), "|1|"),
        (heap.symbol("..."), "..."),
        (heap.symbol("-"), "-"),
        (heap.symbol(""), "||"),
        (heap.keyword("k"), ":k"),
        (Value::char(' '), "#\\space"),
        (Value::char('λ'), "#\\λ"),
        (Value::char('\u{a0}'), "#\\xa0"),
        (Value::immediate(Word::EOF), "#<eof>"),
        (heap.bytevector_from(&[0, 255]), "#u8(0 255)"),
    ];
    for (value, text) in cases {
        assert_eq!(write(&heap, value), text);
    }
}

#[test]
fn containers() {
    let heap = heap();
    let n = Value::fixnum;
    let list = heap.list(&[n(1), heap.string("x"), heap.list(&[])]);
    assert_eq!(write(&heap, list), "(1 \"x\" ())");
    assert_eq!(heap.print(list, Style::Display), "(1 \"x\" ())");
    assert_eq!(heap.print(list, Style::Bare), "(1 x ())");
    assert_eq!(heap.print(heap.string("x"), Style::Display), "x");
    assert_eq!(write(&heap, heap.cons(n(1), heap.cons(n(2), n(3)))), "(1 2 . 3)");
    assert_eq!(write(&heap, heap.cons(n(1), list)), "(1 1 \"x\" ())");
    assert_eq!(write(&heap, heap.vector_from(&[list, n(2)])), "#((1 \"x\" ()) 2)");
    let keys = ["b", "a b", "a"].map(|k| heap.intern(k));
    let dict = heap.dict_of_shape(heap.shape_of_keys(&keys).unwrap(), &[n(1), Value::NIL, list]);
    assert_eq!(write(&heap, dict.value()), "{:b 1 \"a b\" nil :a (1 \"x\" ())}");
    assert_eq!(
        heap.print(dict.value(), Style::Canonical),
        "{:a (1 \"x\" ()) \"a b\" nil :b 1}"
    );
    let table = heap.hash_table(1);
    heap.keyed_set(table, list, n(2));
    assert_eq!(write(&heap, table.value()), "#<hash-table ((1 \"x\" ()) 2)>");
}

#[test]
fn records() {
    let heap = heap();
    let fields = heap.vector_from(&[heap.intern("x")]);
    let point = heap.record_type(heap.intern("point"), fields, Value::NIL, Value::NIL);
    let just = heap.record_type(heap.intern("Just"), fields, heap.intern("Maybe"), Value::NIL);
    let inner = heap.record(just, &[heap.string("a")]);
    assert_eq!(
        write(&heap, heap.record(just, &[inner.value()]).value()),
        "(Just (Just \"a\"))"
    );
    assert_eq!(
        write(&heap, heap.record(point, &[Value::fixnum(1)]).value()),
        "#<point :x 1>"
    );
    assert_eq!(write(&heap, heap.string_buffer().value()), "#<string-buffer>");
}

#[test]
fn cycles_end() {
    let heap = heap();
    let n = Value::fixnum;
    let ring = heap.pairs(&[n(1), n(2)], Value::EMPTY);
    heap.set_rest(ring.as_pair().unwrap().cdr(), ring).unwrap();
    assert_eq!(write(&heap, ring), "(1 2 . #<cycle>)");
    let knot = heap.list(&[n(1), n(2)]);
    heap.set_nth(knot, 1, knot);
    assert_eq!(write(&heap, knot), "(1 #<cycle>)");
    let shared = heap.list(&[n(1)]);
    assert_eq!(write(&heap, heap.list(&[shared, shared])), "((1) (1))");
}

#[test]
fn a_million_levels_print_and_long_texts_stop() {
    let mut heap = heap();
    heap.reserve(1_000_000 * Heap::SIZE_OF_PAIR, &mut ()).unwrap();
    let deep = (0..1_000_000).fold(Value::EMPTY, |inner, _| heap.cons(inner, Value::EMPTY));
    assert_eq!(write(&heap, deep).len(), 2_000_002);
    let mut out = String::new();
    assert_eq!(heap.print_to(&mut out, deep, Style::Write, 100), Err(TooLong));
    assert!(out.len() < 200);
}
