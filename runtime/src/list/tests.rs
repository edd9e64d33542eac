//! Tests of both list shapes and the changes between them.
#![allow(clippy::unwrap_used)]

use super::edit::*;
use super::*;
use crate::heap::{Handle, HeapOptions};

fn heap() -> Heap {
    Heap::new(HeapOptions {
        nursery_bytes: 256 << 10,
        poison: true,
        stress: true,
        ..HeapOptions::default()
    })
}

fn ints(heap: &mut Heap, n: i64) -> Handle {
    heap.reserve(size_of_list(n as usize), &mut ()).unwrap();
    let elements: Vec<_> = (0..n).map(Value::fixnum).collect();
    heap.handle(heap.list(&elements))
}

fn pairs(heap: &mut Heap, n: i64) -> Handle {
    heap.reserve(n as usize * Heap::SIZE_OF_PAIR, &mut ()).unwrap();
    let elements: Vec<_> = (0..n).map(Value::fixnum).collect();
    heap.handle(heap.pairs(&elements, Value::EMPTY))
}

fn read(heap: &Heap, list: &Handle) -> Vec<i64> {
    let list = heap.get(list).list_to_vec().unwrap();
    list.into_iter().map(|v| v.as_fixnum().unwrap()).collect()
}

fn append(heap: &mut Heap, list: &Handle, i: i64) {
    let size = size_of_append(heap.get(list)).unwrap();
    heap.reserve(size, &mut ()).unwrap();
    heap.append(heap.get(list), Value::fixnum(i));
}

fn snoc(heap: &mut Heap, list: &Handle, i: i64) -> Handle {
    let size = size_of_snoc(heap.get(list)).unwrap();
    heap.reserve(size, &mut ()).unwrap();
    heap.handle(heap.snoc(heap.get(list), Value::fixnum(i)))
}

fn set_nth(heap: &mut Heap, list: &Handle, at: usize, i: i64) {
    let size = size_of_set_nth(heap.get(list), at).unwrap();
    heap.reserve(size, &mut ()).unwrap();
    heap.set_nth(heap.get(list), at, Value::fixnum(i));
}

fn rest(heap: &mut Heap, list: &Handle) -> Handle {
    heap.reserve(Heap::SIZE_OF_PAIR, &mut ()).unwrap();
    heap.handle(heap.rest(heap.get(list)).unwrap())
}

#[test]
fn appending_changes_pairs_to_views_in_place() {
    let mut heap = heap();
    for list in [pairs(&mut heap, 3), ints(&mut heap, 3)] {
        let hash = heap.identity_hash(heap.get(&list));
        for i in 3..100 {
            append(&mut heap, &list, i);
        }
        assert_eq!(read(&heap, &list), (0..100).collect::<Vec<_>>());
        assert!(heap.get(&list).as_view().is_some());
        assert_eq!(heap.identity_hash(heap.get(&list)), hash);
    }
    assert_eq!(size_of_append(Value::EMPTY), Err(ListError::Empty));
    assert_eq!(size_of_append(Value::NIL), Err(ListError::NotList));
}

#[test]
fn a_fresh_empty_list_grows() {
    let mut heap = heap();
    heap.reserve(size_of_list(0), &mut ()).unwrap();
    let list = heap.handle(heap.list_with_capacity(0));
    assert!(heap.get(&list).is_empty_list());
    append(&mut heap, &list, 1);
    assert_eq!(read(&heap, &list), [1]);
}

#[test]
fn tails_of_a_view_are_unaffected_by_writes() {
    let mut heap = heap();
    let list = ints(&mut heap, 4);
    let tail = rest(&mut heap, &list);
    set_nth(&mut heap, &list, 1, 90);
    append(&mut heap, &list, 91);
    append(&mut heap, &tail, 92);
    set_nth(&mut heap, &tail, 0, 93);
    assert_eq!(read(&heap, &list), [0, 90, 2, 3, 91]);
    assert_eq!(read(&heap, &tail), [93, 2, 3, 92]);
    let last = (0..3).fold(tail, |tail, _| rest(&mut heap, &tail));
    assert_eq!(read(&heap, &last), [92]);
    let none = rest(&mut heap, &last);
    assert_eq!(none.word(), Word::EMPTY);
}

#[test]
fn the_tail_of_a_pair_is_the_object_itself() {
    let mut heap = heap();
    let list = pairs(&mut heap, 3);
    let tail = rest(&mut heap, &list);
    heap.set_first(heap.get(&tail), Value::fixnum(9));
    assert_eq!(read(&heap, &list), [0, 9, 2]);
    set_nth(&mut heap, &list, 1, 8);
    assert_eq!(read(&heap, &list), [0, 8, 2]);
    assert_eq!(read(&heap, &tail), [9, 2]);
}

#[test]
fn snoc_shares_and_branches() {
    let mut heap = heap();
    let empty = heap.handle(Value::EMPTY);
    let one = snoc(&mut heap, &empty, 1);
    let two = snoc(&mut heap, &one, 2);
    let other = snoc(&mut heap, &one, 3);
    let three = snoc(&mut heap, &two, 4);
    append(&mut heap, &one, 5);
    set_nth(&mut heap, &two, 0, 7);
    assert_eq!(read(&heap, &one), [1, 5]);
    assert_eq!(read(&heap, &two), [7, 2]);
    assert_eq!(read(&heap, &other), [1, 3]);
    assert_eq!(read(&heap, &three), [1, 2, 4]);
}

#[test]
fn set_rest_makes_a_view_a_pair() {
    let mut heap = heap();
    let list = ints(&mut heap, 3);
    let tail = pairs(&mut heap, 2);
    heap.set_rest(heap.get(&list), heap.get(&tail)).unwrap();
    assert!(heap.get(&list).as_pair().is_some());
    assert_eq!(read(&heap, &list), [0, 0, 1]);
    heap.set_rest(heap.get(&list), heap.get(&list)).unwrap();
    assert_eq!(heap.get(&list).list_len(), Err(ListError::Circular));
    assert_eq!(size_of_append(heap.get(&list)), Err(ListError::Circular));
    heap.set_rest(heap.get(&list), Value::fixnum(5)).unwrap();
    assert_eq!(heap.get(&list).list_len(), Err(ListError::Improper));
    assert_eq!(heap.get(&list).items().count(), 1);
    assert_eq!(heap.set_rest(Value::EMPTY, Value::NIL), Err(ListError::NotList));
}

#[test]
fn indexing_walks_pairs_into_views() {
    let mut heap = heap();
    let list = ints(&mut heap, 3);
    heap.reserve(Heap::SIZE_OF_PAIR, &mut ()).unwrap();
    let longer = heap.handle(heap.cons(Value::fixnum(-1), heap.get(&list)));
    assert_eq!(read(&heap, &longer), [-1, 0, 1, 2]);
    assert_eq!(heap.get(&longer).nth(3), Ok(Value::fixnum(2)));
    assert_eq!(heap.get(&longer).nth(4), Err(ListError::Range));
    assert_eq!(Value::NIL.nth(0), Err(ListError::NotList));
    heap.reserve(Heap::SIZE_OF_PAIR, &mut ()).unwrap();
    let dropped = heap.drop_first(heap.get(&longer), 2).unwrap();
    assert_eq!(dropped.list_to_vec().unwrap(), [Value::fixnum(1), Value::fixnum(2)]);
    assert_eq!(heap.drop_first(heap.get(&longer), 9), Ok(Value::EMPTY));
}

#[test]
fn random_edits_agree_with_vectors() {
    let mut heap = heap();
    let mut rng = crate::heap::tests::Rng(7);
    let mut lists: Vec<(Handle, Vec<i64>)> = vec![(ints(&mut heap, 3), vec![0, 1, 2])];
    for step in 0..3000 {
        let n = rng.below(lists.len());
        let (list, model) = &mut lists[n];
        let value = step as i64;
        let made = match rng.below(6) {
            0 | 1 => {
                append(&mut heap, list, value);
                model.push(value);
                None
            }
            2 => {
                let at = rng.below(model.len());
                set_nth(&mut heap, list, at, value);
                model[at] = value;
                None
            }
            3 if model.len() > 1 && heap.get(list).as_view().is_some() => {
                let model = model[1..].to_vec();
                Some((rest(&mut heap, list), model))
            }
            4 => {
                let mut model = model.clone();
                model.push(value);
                Some((snoc(&mut heap, list, value), model))
            }
            _ => None,
        };
        lists.extend(made);
        if lists.len() > 12 {
            lists.swap_remove(rng.below(12));
        }
        for (list, model) in &lists {
            assert_eq!(&read(&heap, list), model);
        }
    }
}
