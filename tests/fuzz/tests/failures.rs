//! A compile that fails, at whatever stage, is nothing that a program sees: the call it was for goes
//! on in the machine, and the function is not asked for again, unless there was no memory for it.

use sx_fuzz::Fuzzer;
use sx_fuzz::run::{Library, Mode, differences};
use sx_jit::Stage;

const PROGRAM: &str = "
(define (twice n) (perform (list \"test/echo\" n)) (* 2 n))
(define (sum xs) (reduce + 0 (map twice xs)))
(display (sum (list 1 2 3)))
(let loop ((i 0) (all 0)) (if (= i 5) all (loop (+ i 1) (+ all (sum (list i 5 6))))))";

fn always<const STAGE: usize>(_: u64) -> Option<Stage> {
    Some(Stage::ALL[STAGE])
}

static MODES: [Mode; Stage::ALL.len()] = [
    Mode::failing(always::<0>),
    Mode::failing(always::<1>),
    Mode::failing(always::<2>),
    Mode::failing(always::<3>),
    Mode::failing(always::<4>),
];

#[test]
fn a_compile_that_fails_leaves_the_call_to_the_machine() {
    if !sx_jit::SUPPORTED {
        return;
    }
    let fuzzer = Fuzzer::new(&[], None).expect("the core library loads");
    let library = Library::new().expect("the core library loads");
    let outcome = fuzzer.oracle(PROGRAM);
    assert_eq!(outcome.effects.len(), 18);
    for (mode, stage) in MODES.iter().zip(Stage::ALL) {
        let mut runner = library.runner(mode).expect("a machine");
        let shown = runner.run(PROGRAM, false).expect("the program runs");
        assert_eq!(
            differences(PROGRAM, &outcome, &shown.outcome),
            [] as [&str; 0],
            "{stage:?}"
        );
        let (refused, stats) = (runner.refused(), runner.native_stats().expect("a native tier"));
        assert_eq!(stats.compiled, 0, "{stage:?}");
        if matches!(stage, Stage::Allocate | Stage::Map) {
            // Other code gives way, and whoever is called goes on asking.
            assert_eq!(refused, [] as [&str; 0], "{stage:?}");
            continue;
        }
        assert!(
            refused.iter().any(|name| name.contains("twice")),
            "{stage:?} {refused:?}"
        );
        // Each was asked for once, however often it was called.
        assert_eq!(stats.refused, refused.len() as u64, "{stage:?}");
    }
}
