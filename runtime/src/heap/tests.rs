//! Tests of the collector: a random graph against a model of it, barrier, weak tables, limit.
#![allow(clippy::unwrap_used)]

use super::*;
use std::task::Context;

fn stress() -> HeapOptions {
    HeapOptions {
        nursery_bytes: 64 << 10,
        stress: true,
        poison: true,
        ..HeapOptions::default()
    }
}

fn small() -> HeapOptions {
    HeapOptions {
        nursery_bytes: 64 << 10,
        poison: true,
        ..HeapOptions::default()
    }
}

/// A generator of test data; the same numbers for the same seed.
pub(crate) struct Rng(pub u64);

impl Rng {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

/// What the model knows of an object: its two fields.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Model {
    Int(i64),
    Node(usize),
}

struct Graph {
    heap: Heap,
    /// The model: node → fields.
    nodes: Vec<[Model; 2]>,
    /// Rooted nodes: handle and number in the model.
    roots: Vec<(Handle, usize)>,
}

impl Graph {
    fn value(&self, model: Model) -> Word {
        match model {
            Model::Int(i) => Word::fixnum(i),
            Model::Node(n) => self.roots.iter().find(|(_, id)| *id == n).unwrap().0.word(),
        }
    }
    fn some_field(&self, rng: &mut Rng) -> Model {
        if self.roots.is_empty() || rng.below(3) == 0 {
            return Model::Int(rng.below(1000) as i64);
        }
        Model::Node(self.roots[rng.below(self.roots.len())].1)
    }
    fn add(&mut self, rng: &mut Rng) {
        self.heap.reserve(Heap::SIZE_OF_PAIR, &mut ()).unwrap();
        let fields = [self.some_field(rng), self.some_field(rng)];
        let words = fields.map(|f| Value::from_word(self.value(f)));
        let handle = self.heap.handle(self.heap.cons(words[0], words[1]));
        self.nodes.push(fields);
        self.roots.push((handle, self.nodes.len() - 1));
    }
    fn change(&mut self, rng: &mut Rng) {
        let field = self.some_field(rng);
        let (handle, id) = &self.roots[rng.below(self.roots.len())];
        let pair = self.heap.get(handle).as_pair().unwrap();
        self.heap.set_car(pair, Value::from_word(self.value(field)));
        self.nodes[*id][0] = field;
    }
    /// Compares everything reachable with the model: the same fields, the same identities.
    fn check(&self) {
        let mut seen = std::collections::HashMap::new();
        let mut todo: Vec<(Word, usize)> = self.roots.iter().map(|(h, n)| (h.word(), *n)).collect();
        while let Some((word, node)) = todo.pop() {
            if let Some(before) = seen.insert(node, word) {
                assert_eq!(before, word, "node {node} is in two places");
                continue;
            }
            let pair = Value::from_word(word).as_pair().expect("a pair");
            for (field, model) in [pair.car(), pair.cdr()].into_iter().zip(self.nodes[node]) {
                match model {
                    Model::Int(i) => assert_eq!(field.as_fixnum(), Some(i)),
                    Model::Node(n) => todo.push((field.word(), n)),
                }
            }
        }
    }
}

fn random_graph(options: HeapOptions, steps: usize, seed: u64) {
    let mut rng = Rng(seed);
    let mut graph = Graph {
        heap: Heap::new(options),
        nodes: Vec::new(),
        roots: Vec::new(),
    };
    for step in 0..steps {
        graph.add(&mut rng);
        graph.change(&mut rng);
        if graph.roots.len() > 40 {
            let n = rng.below(graph.roots.len());
            graph.roots.swap_remove(n);
        }
        if step % 97 == 0 {
            graph.heap.collect(&mut ());
        }
        if step % 13 == 0 {
            graph.check();
        }
    }
    graph.check();
}

#[test]
fn random_graphs_survive_every_mode() {
    for seed in 1..6 {
        random_graph(stress(), 1500, seed);
        random_graph(small(), 6000, seed);
    }
}

#[test]
fn the_barrier_keeps_young_objects_of_old_ones() {
    let mut heap = Heap::new(small());
    heap.reserve(Heap::SIZE_OF_PAIR, &mut ()).unwrap();
    let old = heap.handle(heap.cons(Value::NIL, Value::NIL));
    heap.collect(&mut ());
    assert!(!heap.is_young(old.word()));
    heap.reserve(Heap::SIZE_OF_PAIR, &mut ()).unwrap();
    let young = heap.cons(Value::fixnum(7), Value::NIL);
    assert!(heap.is_young(young.word()));
    heap.set_car(heap.get(&old).as_pair().unwrap(), young);
    heap.set_car(heap.get(&old).as_pair().unwrap(), young);
    assert_eq!(heap.remembered.borrow().len(), 1);
    heap.collect(&mut ());
    let inner = heap.get(&old).as_pair().unwrap().car();
    assert_eq!(inner.as_pair().unwrap().car().as_fixnum(), Some(7));
    assert!(heap.remembered.borrow().is_empty());
}

#[test]
fn names_are_interned_once_and_weakly() {
    let mut heap = Heap::new(small());
    let kept = heap.handle(heap.symbol("kept"));
    assert_eq!(heap.symbol("kept").word(), kept.word());
    for i in 0..1000 {
        heap.symbol(&format!("name-{i}"));
    }
    assert!(heap.find_interned("name-7").is_some());
    heap.collect(&mut ());
    assert_eq!((heap.symbols.borrow().len(), heap.strings.borrow().len()), (1, 1));
    assert!(heap.find_interned("name-7").is_none());
    assert_eq!(heap.symbol("kept").word(), kept.word());
    assert_eq!(heap.get(&kept).as_symbol(), Some("kept"));
    heap.reserve(crate::string::size_of_string(4), &mut ()).unwrap();
    let copy = heap.string("kept");
    assert_eq!(heap.intern_string(copy), heap.get(&kept).symbol_name().unwrap());
}

#[test]
fn the_limit_is_an_error_and_garbage_is_not_counted() {
    let mut heap = Heap::new(HeapOptions {
        limit_bytes: 4 << 20,
        ..small()
    });
    for _ in 0..200_000 {
        heap.reserve(Heap::SIZE_OF_PAIR, &mut ()).unwrap();
        heap.cons(Value::NIL, Value::NIL);
    }
    let list = heap.handle(Value::NIL);
    let mut made = 0;
    while heap.reserve(Heap::SIZE_OF_PAIR, &mut ()).is_ok() {
        list.set(heap.cons(Value::fixnum(made), heap.get(&list)));
        made += 1;
    }
    assert!((120_000..180_000).contains(&made), "{made}");
    list.set(Value::NIL);
    assert_eq!(heap.reserve(Heap::SIZE_OF_PAIR, &mut ()), Ok(()));
    assert!(heap.reserve(8 << 20, &mut ()).is_err());
    assert!(heap.stats().full >= 2);
}

#[test]
fn large_objects_are_freed_and_hold_young_ones() {
    // The longer ones have pages of their own.
    for (length, count) in [(100_000, 5000), (3_000_000, 200)] {
        let mut heap = Heap::new(small());
        let text = "x".repeat(length);
        for _ in 0..count {
            heap.reserve(crate::string::size_of_string(text.len()), &mut ())
                .unwrap();
            assert_eq!(heap.string(&text).string_len(), Some(length));
        }
        assert!(heap.stats().full > 0 && heap.used() < 64 << 20);
    }
}

#[test]
fn a_reservation_above_the_nursery_is_honoured() {
    let mut heap = Heap::new(small());
    let n = 20_000;
    heap.reserve(n * Heap::SIZE_OF_PAIR, &mut ()).unwrap();
    let mut list = Value::NIL;
    for i in 0..n {
        list = heap.cons(Value::fixnum(i as i64), list);
    }
    let list = heap.handle(list);
    heap.collect(&mut ());
    let mut at = heap.get(&list);
    for i in (0..n).rev() {
        let pair = at.as_pair().unwrap();
        assert_eq!(pair.car().as_fixnum(), Some(i as i64));
        at = pair.cdr();
    }
    assert_eq!(at, Value::NIL);
}

#[test]
fn identity_hashes_stay() {
    let mut heap = Heap::new(stress());
    heap.reserve(Heap::SIZE_OF_PAIR, &mut ()).unwrap();
    let pair = heap.handle(heap.cons(Value::NIL, Value::NIL));
    let hash = heap.identity_hash(heap.get(&pair));
    for _ in 0..3 {
        heap.collect(&mut ());
        assert_eq!(heap.identity_hash(heap.get(&pair)), hash);
    }
}

#[test]
fn closures_are_sized_and_their_instances_visited() {
    struct Instances {
        head: crate::object::InstanceHead,
        constant: Word,
        visits: usize,
    }
    impl Roots for Instances {
        fn visit(&mut self, kind: GcKind, f: &mut dyn FnMut(&mut Word)) {
            if kind == GcKind::Minor {
                f(&mut self.constant);
            }
        }
        fn instance(&mut self, instance: *const (), f: &mut dyn FnMut(&mut Word)) {
            assert_eq!(instance, (&raw const self.head).cast());
            self.visits += 1;
            f(&mut self.constant);
        }
    }
    let mut heap = Heap::new(small());
    let mut roots = Box::new(Instances {
        head: crate::object::InstanceHead {
            captures: 2,
            mark: Cell::new(0),
        },
        constant: Word::NIL,
        visits: 0,
    });
    heap.reserve(200, &mut ()).unwrap();
    roots.constant = heap.string("constant").word();
    let captured = [heap.string("captured").word(), Word::fixnum(3)];
    let instance = (&raw const roots.head).cast();
    // SAFETY: the instance says two captures and outlives the heap's use of it.
    let closure = heap.handle(unsafe { heap.closure(object::arity_aux(2, object::Rest::None), instance, &captured) });
    heap.collect(&mut *roots);
    heap.collect(&mut *roots);
    assert_eq!(roots.visits, 2);
    assert_eq!(heap.get(&closure).at(2).as_str(), Some("captured"));
    assert_eq!(Value::from_word(roots.constant).as_str(), Some("constant"));
}

#[test]
fn impossible_reservations_are_refused() {
    let mut heap = Heap::new(small());
    let sizes = [
        crate::vector::size_of_vector(usize::MAX),
        crate::string::size_of_string(usize::MAX),
        crate::bytes::size_of_bytevector(usize::MAX),
        crate::list::size_of_list(1 << 40),
        crate::hash_table::size_of_keyed(usize::MAX),
        crate::hash_table::size_of_keyed(1 << 40),
    ];
    for size in sizes {
        assert!(heap.reserve(size, &mut ()).is_err());
    }
    assert!(heap.reserve(64, &mut ()).is_ok());
}

/// Vectors of every size class that refer to each other: lines, runs and large objects.
fn random_sizes(options: HeapOptions, steps: usize) {
    let mut heap = Heap::new(options);
    let mut rng = Rng(99);
    let mut live: Vec<(Handle, usize, i64)> = Vec::new();
    for step in 0..steps {
        let n = match rng.below(10) {
            0 => 1000 + rng.below(3000),
            1..4 => 20 + rng.below(500),
            _ => rng.below(12),
        } + 1;
        heap.reserve(crate::vector::size_of_vector(n), &mut ()).unwrap();
        let tag = step as i64;
        let vector = heap.handle(heap.vector(n, Value::fixnum(tag)));
        if !live.is_empty() {
            let (other, ..) = &live[rng.below(live.len())];
            let place = heap.get(other).as_vector().unwrap();
            heap.vector_set(place, 0, heap.get(&vector));
            heap.vector_set(heap.get(&vector).as_vector().unwrap(), 0, heap.get(other));
        }
        live.push((vector, n, tag));
        if live.len() > 60 {
            live.swap_remove(rng.below(60));
        }
        if step % 50 == 0 {
            heap.collect(&mut ());
        }
        if step % 10 == 0 {
            for (vector, n, tag) in &live {
                let vector = heap.get(vector).as_vector().unwrap();
                assert_eq!(vector.len(), *n);
                assert!(vector.iter().skip(1).all(|v| v.as_fixnum() == Some(*tag)));
                let first = vector.get(0).unwrap();
                assert!(first.as_fixnum() == Some(*tag) || first.as_vector().is_some());
            }
        }
    }
}

#[test]
fn objects_of_every_size_survive() {
    random_sizes(small(), 4000);
    random_sizes(stress(), 800);
}

/// A program that was put aside with a vector of so many words, and what all share.
fn put_aside(heap: &mut Heap, words: usize, shared: &Handle) -> Aside {
    heap.reserve(crate::vector::size_of_vector(words), &mut ()).unwrap();
    let vector = heap.vector(words, heap.get(shared));
    heap.set_aside([vector.word(), Word::NIL])
}

#[test]
fn who_was_put_aside_with_most_goes_for_one_that_needs_it() {
    const MB: usize = (1 << 20) / 8;
    let mut heap = Heap::new(HeapOptions {
        limit_bytes: 8 << 20,
        ..small()
    });
    heap.reserve(2 << 20, &mut ()).unwrap();
    let shared = heap.handle(heap.vector(2 * MB - 8, Value::NIL));
    let programs = [MB / 4, MB, 2 * MB, 2 * MB].map(|words| put_aside(&mut heap, words, &shared));
    let [tiny, middle, large, kept] = &programs;
    [tiny, middle, large].iter().for_each(|program| program.allow_end());
    let waker = std::task::Waker::noop();
    let context = Context::from_waker(waker);
    assert!(programs.iter().all(|program| program.poll_end(&context).is_pending()));
    // Less than the largest holds: it makes room, and is told.
    assert!(heap.reserve(1 << 20, &mut ()).is_ok());
    assert!(large.poll_end(&context).is_ready() && large.words().is_none());
    // As much as the next one holds: who asks is refused.
    assert!(heap.reserve(4 << 20, &mut ()).is_err());
    // The one that nobody allowed to be ended is there, whole.
    let [vector, _] = kept.words().unwrap();
    assert_eq!(Value::from_word(vector).as_vector().unwrap().len(), 2 * MB);
    assert!(middle.words().is_some() && tiny.words().is_some());
}
