//! What is found in small programs, and that nothing is found in sound ones.

use super::check;
use std::path::Path;
use sx::corpus::{self, Aspect};
use sx_runtime::syntax::{Language, Source};

/// Every finding on a line: place, rule, text, advice.
fn findings(text: &str) -> String {
    let found = check(&Source::new("t", text), false).expect("a checker");
    let line = |finding: &super::Finding| {
        let help = finding.error.help.as_deref().map(|help| format!(" ({help})"));
        let rule = finding.rule.unwrap_or("error");
        format!("{rule} {}{}", finding.error, help.unwrap_or_default())
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn finds(samples: &[(&str, &str)]) {
    for (text, wanted) in samples {
        assert_eq!(findings(text), *wanted, "in {text}");
    }
}

#[test]
fn names_that_nothing_defines() {
    finds(&[
        (
            "(define (f x) (fitler x))",
            "error t:1:16: Undefined symbol: fitler (did you mean `filter`?)",
        ),
        (
            "(define counter 1)\n(set! conter 2)",
            "error t:2:1: Undefined symbol: conter (did you mean `counter`?)",
        ),
        ("(f 1)\n(define (f x) x)", ""),
        ("(define (f x) (g x))\n(define (g x) x)", ""),
        ("(div :class \"a\" (b \"text\"))", ""),
        ("(let ((x 1)) (define y x) (+ y 1))", ""),
        ("'(a b)\n`(a ,(+ 1 2))", ""),
    ]);
}

#[test]
fn wrong_numbers_of_arguments() {
    finds(&[
        (
            "(define (f x) x)\n(f 1 2)",
            "error t:2:1: f: expected 1 argument, got 2",
        ),
        (
            "(define (f x &rest y) (cons x y))\n(f)",
            "error t:2:1: f: expected at least 1 argument, got 0",
        ),
        (
            "(let ((g (fn (a b) a))) (g 1))",
            "error t:1:25: g: expected 2 arguments, got 1",
        ),
        (
            "(string-length)",
            "error t:1:1: string-length: expected 1 argument, got 0",
        ),
        ("(define (f x) x)\n(set! f (fn () 1))\n(f)", ""),
        ("(define (inc2 map) (map 1 2 3))", ""),
        (
            "(define (loop n) (if (= n 0) n (loop (- n 1) n)))",
            "error t:1:32: loop: expected 1 argument, got 2",
        ),
    ]);
}

#[test]
fn variables_that_nothing_uses() {
    finds(&[
        ("(let ((a 1) (b 2)) a)", "unused t:1:14: b is bound but never used"),
        (
            "(define (f) (define x 1) 2)",
            "unused t:1:21: x is bound but never used",
        ),
        ("(define (f request resume) (resume 1))", ""),
        ("(let ((_ 1)) 2)", ""),
        ("(let loop ((i 0)) (if (< i 3) (loop (+ i 1)) i))", ""),
        ("(match (list 1 2) ((a b) a))", ""),
        ("(let ((x 1)) (set! x 2))", ""),
        ("(let ((x 1)) `(a ,x))", ""),
    ]);
}

#[test]
fn clauses_that_are_read_another_way() {
    finds(&[
        (
            "(define (f x) (cond (x 1 2) ((= x 2) 3)))",
            "cond t:1:15: this cond is read as tests and values in turn, not as clauses (clauses all have two forms, or all begin with a list, a literal or else)",
        ),
        (
            "(define (f xs) (cond (empty? xs) (rest xs)))",
            "cond t:1:23: the test of this clause is the function empty? itself, which always holds (in a cond without brackets around its clauses, write else for the last one)",
        ),
        (
            "(define (f x) (cond (else 1) ((= x 1) 2)))",
            "unreachable t:1:31: cond: nothing behind the clause for everything else is ever reached",
        ),
        (
            "(define (f x) (case x ((1 2) 3) ((2) 4)))",
            "unreachable t:1:35: case: 2 stands twice; the first one is at 1:27",
        ),
        ("(define (f x) (cond ((= x 1) 1 2) (else 3)))", ""),
        ("(define (f x) (cond (= x 1) \"a\" (= x 2) \"b\" :else \"c\"))", ""),
    ]);
}

#[test]
fn uses_of_macros_and_components() {
    finds(&[
        (
            "(defmacro m (a b) (list '+ a b))\n(m 1)",
            "error t:2:1: m: expected 2 arguments, got 1",
        ),
        ("(defmacro m (a &rest b) a)\n(m 1)\n(m 1 2 3)", ""),
        ("(defmacro m (a) a)\n(defmacro m (a b) a)\n(m 1 2)", ""),
        (
            "(defcomp ~card (&key title) (b title))\n(~card \"child\")",
            "error t:2:1: ~card: takes no children",
        ),
        (
            "(defcomp ~card (&key title) (b title))\n(~card :titel \"x\")",
            "unknown-key t:2:8: ~card has no parameter :titel",
        ),
        (
            "(defcomp ~card (&key title &rest children) (b title children))\n(~card :title \"x\" \"child\")",
            "",
        ),
        ("(defcomp ~row (a &key b) (p a b))\n(~row 1 :b 2)", ""),
    ]);
}

#[test]
fn clauses_of_a_match_behind_a_name() {
    finds(&[
        (
            "(define (f x) (match x (1 :one) (y y) (2 :two)))",
            "unreachable t:1:39: match: nothing behind the clause of y, which takes everything, is ever reached",
        ),
        ("(define (f x) (match x (y :when (= y 1) y) (_ 2)))", ""),
    ]);
}

#[test]
fn what_stands_twice() {
    finds(&[
        (
            "{:a 1 \"a\" 2}",
            "duplicate-key t:1:7: \"a\" stands twice; the first one is at 1:2",
        ),
        (
            "(define (f) 1)\n(define (f) 2)",
            "redefined t:2:1: f is defined again; the first definition is at 1:1",
        ),
        ("{:a 1 :b 1}", ""),
    ]);
}

#[test]
fn the_expander_speaks_too() {
    finds(&[
        ("(if 1)", "error t:1:1: if: expected (if test then else?)"),
        (
            "(f (",
            "error t:1:1: unclosed ( opened at 1:1\nerror t:1:4: unclosed ( opened at 1:4",
        ),
        (
            "(define x 1)\n(let ((x 2) (y x)) (+ x y))",
            "meaning t:2:16: let: `x` in this value is the variable bound just before it, not the one outside (let is sequential)",
        ),
    ]);
}

#[test]
fn macros_are_expanded_or_left_alone() {
    finds(&[
        (
            "(define-syntax twice (syntax-rules () ((_ e) (begin e e))))\n(twice (undefined-thing))",
            "error t:2:9: Undefined symbol: undefined-thing",
        ),
        (
            "(define-syntax swap! (syntax-rules () ((_ a b) (let ((t a)) (set! a b) (set! b t)))))\n(let ((x 1) (y 2)) (swap! x y) (list x y))",
            "",
        ),
        (
            "(defmacro defone (name) `(define ,name 1))\n(defone uno)\n(+ uno 1)",
            "",
        ),
        (
            "(defmacro my-if (c a b) `(cond (,c ,a) (else ,b)))\n(let ((x 1)) (my-if true x 2))",
            "",
        ),
        (
            "(register-special-form! later (fn (operands env) operands))\n(let ((x 1)) (later x nowhere))",
            "",
        ),
    ]);
}

#[test]
fn libraries_are_looked_into() {
    finds(&[
        (
            "(define-library (a b) (export f) (begin (define (f x) x)))\n(import (a b))\n(f 1 2)",
            "error t:3:1: f: expected 1 argument, got 2",
        ),
        (
            "(define-library (c) (export f) (begin (define (f x) (hidden x)) (define (hidden x) x)))\n(import (prefix (c) c:))\n(c:f 1)\n(hidden 1)",
            "error t:4:2: Undefined symbol: hidden",
        ),
    ]);
}

/// The errors found in a program.
fn errors(language: Language, name: String, text: &str) -> Vec<String> {
    let found = check(&Source::in_language(language, name, text), false).expect("a checker");
    let errors = found.iter().filter(|finding| finding.rule.is_none());
    errors.map(|finding| finding.error.to_string()).collect()
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_library_is_sound() {
    for entry in std::fs::read_dir(root().join("lib/core")).expect("a folder").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("text");
        let found = errors(Language::Sx, entry.path().display().to_string(), &text);
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// Cases that run without an error although something in them is wrong.
const WRONG_ON_PURPOSE: &[&str] = &[
    "an unbound name is an error only when it is reached",
    "an unbound name can be caught",
    "operands are evaluated before an unbound operator matters",
    "a wrong arity of a primitive",
    "eval-expr defines globals",
    "what is not exported stays inside",
    "macros and definitions inside",
    // Files that the case writes.
    "load evaluates the forms of a file",
    "perform inside a loaded file",
    "a handler around load answers",
    "6.14 system interface",
    "a leaf with a wrong number of arguments",
    "an error names what was called, not what does it",
    "an error names a function as it was called",
];

#[test]
fn cases_that_run_are_sound() {
    let (mut checked, mut wrong) = (0, Vec::new());
    for path in corpus::collect(&root().join("tests/lang")).expect("files") {
        let file = corpus::load(&path, &root()).expect("cases");
        for case in file.cases {
            let fails = case.expected.iter().any(|line| line.aspect == Aspect::Error);
            if !fails && !WRONG_ON_PURPOSE.contains(&case.name.as_str()) {
                let found = errors(case.language, format!("{}: {}", file.path, case.name), &case.code);
                wrong.extend(found);
                checked += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked > 500, "{checked}");
}
