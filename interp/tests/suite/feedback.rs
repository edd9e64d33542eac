//! What instructions note for the tier to come: callees, shapes, kinds of number.

use super::{eval, machine};
use sx_interp::machine::Machine;
use sx_runtime::instance::Instance;
use sx_runtime::instance::feedback::{self, Callee};
use sx_runtime::ops::{Instr, Op};

/// The instance of the global function called `name`.
fn instance<'m>(machine: &'m Machine, name: &str) -> &'m Instance {
    let closure = machine.isolate.global_handle(name).expect("the function is defined");
    machine.isolate.heap.get(&closure).instance().expect("a closure")
}

/// The first instruction of a kind in the function called `name`, as its instance has it.
fn first(machine: &Machine, name: &str, op: Op) -> Instr {
    let code = instance(machine, name).code().iter().map(|w| Instr(*w));
    code.into_iter()
        .find(|i| i.op() == Some(op))
        .expect("the function has such an instruction")
}

fn callee(machine: &Machine, name: &str, op: Op) -> Callee {
    instance(machine, name).feedback()[first(machine, name, op).d()].callee()
}

#[test]
fn a_call_notes_its_callee() {
    let mut m = machine();
    eval(
        &mut m,
        "(define (make n) (fn (x) (+ x n)))
         (define one (make 1))
         (define (call f) (+ 0 (f 1)))
         (define (leave f) (f 1))
         (define (unused f) (+ 0 (f 1)))
         (call one) (call (make 2)) (leave one)",
    );
    let same = Callee::One(instance(&m, "one"));
    assert_eq!(
        callee(&m, "call", Op::Call),
        same,
        "closures over one instance are one callee"
    );
    assert_eq!(callee(&m, "leave", Op::TailCall), same);
    assert_eq!(callee(&m, "unused", Op::Call), Callee::None);
    eval(&mut m, "(call inc) (leave (fn (x) x)) (leave one)");
    assert_eq!(callee(&m, "call", Op::Call), Callee::Many);
    assert_eq!(callee(&m, "leave", Op::TailCall), Callee::Many);
}

#[test]
fn a_noted_callee_stays_alive() {
    let mut m = machine();
    eval(
        &mut m,
        "(define (call f) (+ 0 (f 1))) (call (fn (x) (* x 7))) (gc) (gc) (gc)",
    );
    let Callee::One(noted) = callee(&m, "call", Op::Call) else {
        panic!("one callee")
    };
    assert!(m.isolate.state.instances().any(|i| std::ptr::eq(i, noted)));
}

#[test]
fn a_get_notes_shape_and_slot() {
    let mut m = machine();
    let shown = eval(
        &mut m,
        "(define (at d) (list (get d :b)))
         (at {:a 1 :b 2})
         (list (at {:a 3 :b 4}) (at {:b 5}) (at {:a 1}) (at {:a 6 :b 7}))",
    );
    assert_eq!(shown, "((4) (5) (nil) (7))");
    let cell = |m: &Machine| instance(m, "at").feedback()[first(m, "at", Op::Get).d()].shape();
    let (shape, several) = cell(&m).expect("a shape was met");
    assert!(several);
    assert_eq!(m.isolate.heap.shape_len(shape), 2);
}

#[test]
fn a_function_may_have_more_sites_than_cells() {
    let mut m = machine();
    let sites: String = (0..400).map(|i| format!("(f (get d :k{}))", i % 3)).collect();
    let shown = eval(
        &mut m,
        &format!(
            "(define (many f d) (list {sites})) (= (many inc {{:k0 1 :k1 2 :k2 3}}) (many (fn (x) (+ x 1)) {{:k2 3 :k0 1 :k1 2}}))"
        ),
    );
    assert_eq!(shown, "true");
}

#[test]
fn float_operations_note_floats_and_who_reads_their_result() {
    let mut m = machine();
    eval(&mut m, "(define (f a b c) (+ (* a b) c)) (f 1 2 3)");
    assert_eq!(first(&m, "f", Op::Mul).d(), 0, "fixnums are the first fast path");
    eval(&mut m, "(f 1.5 2.5 3.5)");
    let bits = feedback::FLOAT | feedback::FEEDS_FIRST;
    assert_eq!(first(&m, "f", Op::Mul).d() as u64, bits);
    assert_eq!(first(&m, "f", Op::Add).d() as u64, feedback::FLOAT);
}
