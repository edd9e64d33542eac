//! Every primitive with arguments of every kind, right and wrong, in any number: it answers or
//! raises, never panics, and what it answers can be printed. With a collection at every reserve.
//!
//! Deliberately absent: whether the answer is right; that is for the examples and the corpus.

use super::*;
use crate::host::Random;

/// Expressions of values that are easy to get wrong.
const VALUES: &[&str] = &[
    "nil",
    "true",
    "false",
    "()",
    "0",
    "1",
    "-1",
    "2",
    "3",
    "36",
    "64",
    "1/2",
    "-7/3",
    "1.5",
    "0.0",
    "-0.0",
    "1e300",
    "+inf.0",
    "-inf.0",
    "nan",
    "4611686018427387904",
    "-4611686018427387905",
    "9223372036854775807",
    "123456789012345678901234567890",
    "\"\"",
    "\"a\"",
    "\"hello world\"",
    "\"zwölf λ\"",
    "\"12\"",
    "\"(\"",
    "\"%Y~a\"",
    ":key",
    "(quote sym)",
    "#\\a",
    "#\\λ",
    "(list)",
    "(list 1 2 3)",
    "(list 3 1 2)",
    "(list :a :b)",
    "(list (list :a 1) (list :b 2))",
    "(cons 1 (cons 2 ()))",
    "(cons 1 2)",
    "(cons 1 (list 2 3))",
    "(let ((xs (list 1))) (append! xs xs) xs)",
    "(let ((xs (cons 1 ()))) (append! xs xs) xs)",
    "(list 1 :b nil #\\c)",
    "{}",
    "{:a 1 :b (list 1)}",
    "(let ((d {:a 1})) (dict-set! d :self d) d)",
    "(dissoc {:a 1 :b 2} :a)",
    "(vector)",
    "(vector 1 2 3)",
    "(let ((v (vector 0))) (vector-set! v 0 v) v)",
    "(bytevector)",
    "(bytevector 1 255 7)",
    "(make-set)",
    "(set 1 :a (list 1))",
    "(make-hash-table)",
    "(alist->hash-table (list (cons 1 2) (cons :k nil)))",
    "(open-input-string \"one\\ntwo\")",
    "(open-output-string)",
    "(open-input-bytevector (bytevector 1 2))",
    "(make-string-buffer)",
    "(%promise-value 1)",
    "(%promise nil)",
    "(%make-parameter 1)",
    "(make-keyword \"k\")",
    "(%make-record-type \"p\" (list \"x\"))",
    "(%make-record (%make-record-type \"p\" (list \"x\")) 1)",
    "(%make-record (%make-record-type \"Just\" (list \"v\") \"Maybe\") 1)",
    "(%make-error \"user\" \"no\" (list 1))",
    "(%list->values (list 1 2))",
    "(%buffer 3)",
    "(eof-object)",
    "(%absent)",
];

/// A value for parameter `at`, more often than not one that it takes.
fn argument(isolate: &mut Isolate, prim: &Prim, at: usize, random: &mut Random) -> usize {
    let tries = random.next_u64() % 8;
    let ty = prim
        .params
        .get(at.min(prim.params.len().saturating_sub(1)))
        .map(|param| param.ty);
    loop {
        let text = VALUES[(random.next_u64() % VALUES.len() as u64) as usize];
        let slot = isolate.eval(&read(&mut text.chars().peekable()), &[]).expect(text);
        if random.next_u64() % 8 >= tries || ty.is_none_or(|ty| check::accepts(ty, isolate.value(slot))) {
            return slot;
        }
    }
}

/// One call with random arguments.
fn call_at_random(isolate: &mut Isolate, name: &str, random: &mut Random) -> Result<usize, String> {
    let prim = get(by_name(name).expect("a name of the table"));
    let (least, most) = prim.arity();
    let most = most.unwrap_or(least + 3);
    let count = match random.next_u64() % 10 {
        0 => (random.next_u64() % 6) as usize,
        n => least + (n as usize) % (most - least + 1),
    };
    let args: Vec<usize> = (0..count).map(|at| argument(isolate, prim, at, random)).collect();
    isolate.call(name, &args)
}

fn fuzz(rounds: u64, stress: bool) {
    let mut failures = Vec::new();
    for prim in all() {
        // Reading the program's input blocks nobody here: the simulated host has none.
        for seed in 0..rounds {
            let mut isolate = Isolate::new(stress);
            isolate.heap.set_limit(64 << 20);
            let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9).wrapping_add(prim.name.len() as u64));
            let run = std::panic::AssertUnwindSafe(|| {
                if let Ok(at) = call_at_random(&mut isolate, prim.name, &mut random) {
                    isolate.show(at);
                }
                isolate.heap.collect(&mut isolate.slots);
            });
            if std::panic::catch_unwind(run).is_err() {
                failures.push(format!("{} seed {seed}", prim.name));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "these panic: {}", failures.join(", "));
}

#[test]
fn no_arguments_make_a_primitive_panic() {
    fuzz(40, false);
}

#[test]
fn no_arguments_make_a_primitive_panic_while_everything_moves() {
    fuzz(12, true);
}

/// How errors begin that name no function: the last speaks of the pattern.
const NAMELESS: &[&str] = &["Expected number, got ", "memory limit", "regex: "];

#[test]
fn an_error_names_what_was_called() {
    let mut wrong = Vec::new();
    // What only the core library calls speaks of what the core library was called for.
    let internal = |id| get(id).is_internal() && !get(id).name.starts_with(SCHEME);
    for (name, id) in registry::names().filter(|(_, id)| !internal(*id)) {
        let shown = format!("{}: ", registry::shown(id));
        let mut random = Random::new(name.len() as u64);
        for _ in 0..120 {
            let mut isolate = Isolate::new(false);
            isolate.heap.set_limit(64 << 20);
            if let Err(message) = call_at_random(&mut isolate, name, &mut random)
                && !message.starts_with(&shown)
                && !NAMELESS.iter().any(|text| message.starts_with(text))
            {
                wrong.push(format!("{name}: {message}"));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
