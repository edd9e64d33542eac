//! Functions that are hot get native code whatever happened before: their compile was asked for while
//! another was under way, their code was given up, its memory was full.
//!
//! Code is made by another thread, so each program goes on until what it waits for has happened, and
//! says so if it never does.

use std::path::Path;
use std::process::Command;

/// What a program prints, and what the native tier logs.
fn run(test: &str, program: &str, variables: &[(&str, &str)]) -> (String, String) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(directory.join("a.sx"), program).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sx"));
    command.args(["run", "a.sx"]).current_dir(&directory);
    for name in ["SX_MEMORY_LIMIT", "SX_PROJECT_DIR"] {
        command.env_remove(name);
    }
    command.env("SX_SERVING_JIT", "1").env("SX_JIT_LOG", "1");
    command.envs(variables.iter().copied());
    let output = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr))
}

/// `(settles? done? step)` takes steps until `done?`, but not for ever.
const SETTLES: &str = "
(define (settles? done? step)
  (let loop ((n 0)) (cond ((done?) true) ((= n 1000) false) (else (step) (loop (+ n 1))))))
(define (state name)
  (let ((row (find (fn (row) (= (get row :name) name)) (jit-functions)))) (if row (get row :state) \"\")))
(define (native? name) (starts-with? (state name) \"native\"))
";

#[test]
fn an_instruction_that_always_leaves_gets_other_code_though_a_compile_is_under_way() {
    let program = "
(define (f x y) (list (* x x) (* y y)))
(define (warm n) (if (= n 0) 0 (do (f n 3) (warm (- n 1)))))
(define (alt n) (if (= n 0) 0 (do (f 1.5 2) (f 2 1.5) (alt (- n 1)))))
(define (exits) (get (jit-stats) :exits))
(define (stays?) (let ((before (exits))) (alt 10000) (= before (exits))))
(settles? (fn () (native? \"f\")) (fn () (warm 1000)))
(alt 10)
(display (settles? stays? (fn () (alt 10000))))";
    assert_eq!(run("leaves", &format!("{SETTLES}{program}"), &[]).0, "true");
}

#[test]
fn a_hot_loop_is_entered_though_a_short_one_came_before() {
    let program = "
(define (main)
  (do ((i 0 (+ i 1))) ((= i 700)) nil)
  (do ((i 0 (+ i 1)) (s 0 (+ s i))) ((= i 60000000) s)))
(display (list (main) (> (get (jit-stats) :entered) 0)))";
    let (out, log) = run("loops", program, &[]);
    assert_eq!(out, "(1799999970000000 true)", "{log}");
}

#[test]
fn a_running_loop_whose_code_was_given_up_is_native_again() {
    let program = "
(define redefined false)
(define (main n)
  (do ((i 0 (+ i 1)) (s 0 (+ s (abs i)))) ((= i n) s)
    (when (and (not redefined) (= 0 (mod i 100000)) (native? \"main\"))
      (set! redefined true)
      (set! abs abs))))
(display (main 60000000))";
    let (out, log) = run("redefined", &format!("{SETTLES}{program}"), &[]);
    assert_eq!(out, "1799999970000000");
    let given_up = log.find("main: given up").expect("it had code");
    assert!(log[given_up..].contains("main: compiled again"), "{log}");
}

#[test]
fn a_lower_threshold_reaches_a_function_whose_code_was_given_up() {
    let program = "
(define (h x) (abs x))
(define (calls n) (if (= n 0) 0 (do (h 1) (calls (- n 1)))))
(settles? (fn () (native? \"h\")) (fn () (calls 100)))
(jit-set-threshold! 1000000000)
(set! abs abs)
(calls 100)
(define was (state \"h\"))
(jit-set-threshold! 10)
(display (list was (settles? (fn () (native? \"h\")) (fn () (calls 100)))))";
    assert_eq!(
        run("threshold", &format!("{SETTLES}{program}"), &[]).0,
        "(\"given up: a primitive in it, or in a function that is part of it, is redefined\" true)"
    );
}

#[test]
fn when_the_memory_for_code_is_full_hot_functions_still_get_some() {
    let program = "
(define (make n) (eval `(fn (x) (if (< x ,n) (+ x ,n) (- (* x x) ,n)))))
(define (each n f) (when (> n 0) (f n) (each (- n 1) f)))
(define made (map make (range 0 600)))
(each 100 (fn (n) (for-each (fn (f) (f n)) made)))
(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
(define found (settles? (fn () (native? \"fib\")) (fn () (fib 15))))
(define full (get (jit-stats) :full))
(display (list found (> (get (jit-stats) :evicted) 0) (> full 0) (= full (get (jit-stats) :evicted))))";
    let (out, log) = run("full", &format!("{SETTLES}{program}"), &[("SX_JIT_MEMORY", "64K")]);
    assert_eq!(out, "(true true true false)", "{log}");
    // Each time it takes twice as many calls until there is code again.
    let times = log.matches("the memory for code is full").count();
    assert!((1..=17).contains(&times), "{times}: {log}");
}
