//! Names that macros insert and names they are given stay apart.

use super::*;
use sx_runtime::syntax::Language;

/// The last form of a program.
#[track_caller]
fn check_last(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let core = expand(text);
        assert_eq!(core.lines().last().unwrap_or_default(), *expected, "expanding {text}");
    }
}

const SWAP: &str = "(define-syntax swap! (syntax-rules () ((_ a b) (let ((tmp a)) (set! a b) (set! b tmp)))))";
const MY_OR: &str =
    "(define-syntax my-or (syntax-rules () ((_) false) ((_ e) e) ((_ e r ...) (let ((t e)) (if t t (my-or r ...))))))";

#[test]
fn inserted_variables_do_not_capture_those_of_the_use() {
    check_last(&[
        (
            &format!("{SWAP} (fn (tmp x) (swap! tmp x))"),
            "(fn (tmp.1 x.1) (let (tmp.2 tmp.1) (begin (set! tmp.1 x.1) (set! x.1 tmp.2))))",
        ),
        (
            &format!("{MY_OR} (fn (t) (my-or false t))"),
            "(fn (t.1) (let (t.2 false) (if t.2 t.2 t.1)))",
        ),
    ]);
}

#[test]
fn inserted_names_mean_what_they_meant_at_the_definition() {
    check_last(&[
        (
            &format!("{MY_OR} (fn (if) (my-or 1 if))"),
            "(fn (if.1) (let (t.1 1) (if t.1 t.1 if.1)))",
        ),
        (
            "(fn (f) (define-syntax m (syntax-rules () ((_ x) (f x)))) (let ((f 1)) (m f)))",
            "(fn (f.1) (let (f.2 1) (f.1 f.2)))",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ x) (list x)))) (let ((list 1)) (m list))",
            "(let (list.1 1) (list list.1))",
        ),
        (
            "(let ((x 1)) (let-syntax ((m (syntax-rules () ((_) x)))) (let ((x 2)) (m))))",
            "(let (x.1 1) (let (x.2 2) x.1))",
        ),
    ]);
}

#[test]
fn forms_that_build_on_others_are_not_fooled_by_local_names() {
    check(&[
        (
            "(fn (if list) (cond ((f) `(,if))))",
            "(fn (if.1 list.1) (if (f) (%list if.1) nil))",
        ),
        (
            "(fn (let fn) (do ((i 0)) (i) 1))",
            "(fn (let.1 fn.1) (letrec ((do.1 (fn[do] (i.1) (if i.1 nil (begin 1 (do.1 i.1)))))) (do.1 0)))",
        ),
        ("(fn (cond) (cond 1 2 3))", "(fn (cond.1) (cond.1 1 2 3))"),
        ("(fn (map) (map 1))", "(fn (map.1) (map.1 1))"),
        (
            "(let ((begin 1) (quote 2)) (guard (e (false 1)) begin))",
            "(let (begin.1 1) (let (quote.1 2) (%guard (fn () begin.1) (fn (e.1) (if false 1 (%reraise e.1))))))",
        ),
    ]);
}

#[test]
fn a_global_definition_hides_a_special_form() {
    check_last(&[
        ("(define (scope x) x) (scope 1)", "(scope 1)"),
        ("(define (when x) x) (fn (y) (when y))", "(fn (y.1) (when y.1))"),
    ]);
}

#[test]
fn literals() {
    let rules = "(define-syntax m (syntax-rules (=> else) ((_ a => b) (b a)) ((_ else a) a) ((_ a b c) (three a b c)) ((_ a b) (two a b))))";
    check_last(&[
        (&format!("{rules} (m 1 => f)"), "(f 1)"),
        (&format!("{rules} (m else 5)"), "5"),
        (
            &format!("{rules} (let ((=> 1)) (m 1 => f))"),
            "(let (=>.1 1) (three 1 =>.1 f))",
        ),
        (&format!("{rules} (m 1 2)"), "(two 1 2)"),
    ]);
}

#[test]
fn ellipses() {
    check_last(&[
        (
            "(define-syntax m (syntax-rules () ((_ (a b ...) ...) '((a ...) (b ... ...))))) (m (1 2 3) (4) (5 6))",
            "'((1 4 5) (2 3 6))",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ a ... z) '(z a ...)))) (m 1 2 3)",
            "'(3 1 2)",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ a b ... . r) '(a (b ...) r)))) (m 1 2 3 . 4)",
            "'(1 (2 3) 4)",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ #(a b ...)) '(a #(b ...))))) (m #(1 2 3))",
            "'(1 #(2 3))",
        ),
        (
            "(define-syntax m (syntax-rules ::: () ((_ a :::) '(a ::: ...)))) (m 1 2)",
            "'(1 2 ...)",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ a) '(a (... ...))))) (m 1)",
            "'(1 ...)",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ (a ...) (b ...)) '((a b ...) ...)))) (m (1 2) (3 4))",
            "'((1 3 4) (2 3 4))",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ {:k 1}) 1) ((_ x) '{:a x}))) (m 5)",
            "'{:a 5}",
        ),
        (
            "(define-syntax m (syntax-rules (...) ((_ ...) 'dots))) (m ...)",
            "'dots",
        ),
        ("(define-syntax m (syntax-rules () ((_ _ x) 'x))) (m 1 2)", "2"),
    ]);
}

#[test]
fn unequal_repetitions_are_an_error() {
    assert_eq!(
        expand("(define-syntax m (syntax-rules () ((_ (a ...) (b ...)) '((a b) ...))))\n(m (1 2) (3))")
            .lines()
            .last(),
        Some("t:2:1: syntax-rules: variables repeated together matched different numbers of forms")
    );
}

#[test]
fn macros_that_define_macros() {
    check_last(&[
        (
            "(define-syntax def (syntax-rules () ((_ name f) (define-syntax name (syntax-rules () ((_ x) (let ((t 1)) (f x t)))))))) (def m g) (fn (t) (m t))",
            "(fn (t.1) (let (t.2 1) (g t.1 t.2)))",
        ),
        (
            "(define-syntax be-like-begin (syntax-rules () ((_ name) (define-syntax name (syntax-rules () ((_ expr (... ...)) (begin expr (... ...)))))))) (be-like-begin seq) (fn () (seq 1 2))",
            "(fn () (begin 1 2))",
        ),
        // The `x` of the outer macro's user and its own inner `x` stay apart.
        (
            "(define-syntax def (syntax-rules () ((_ m y) (define-syntax m (syntax-rules () ((_ x) '(x y))))))) (def k x) (k 1)",
            "'(1 x)",
        ),
        (
            "(fn () (define-syntax def (syntax-rules () ((_ n) (define-syntax n (syntax-rules () ((_) inner)))))) (define inner 5) (def get) (get))",
            "(fn () (let (inner.1 5) inner.1))",
        ),
    ]);
}

#[test]
fn macros_that_define_variables() {
    check_last(&[
        (
            "(define-syntax def (syntax-rules () ((_ n v) (define n v)))) (fn () (def a 1) a)",
            "(fn () (let (a.1 1) a.1))",
        ),
        (
            "(define-syntax def (syntax-rules () ((_ v) (define hidden v)))) (fn () (def 1) hidden)",
            "(fn () (let (hidden.1 1) hidden))",
        ),
        (
            "(define-syntax def (syntax-rules () ((_ v) (begin (define tmp v) (f tmp))))) (def 1)",
            "(f tmp)",
        ),
        (
            "(fn () (define-syntax get (syntax-rules () ((_) later))) (define (g) (get)) (define later 1) (g))",
            "(fn () (letrec ((g.1 (fn[g] () later.1)) (later.1 1)) (g.1)))",
        ),
    ]);
}

#[test]
fn local_macros_hide_and_are_hidden() {
    check_last(&[
        (
            "(let ((m 1)) (let-syntax ((m (syntax-rules () ((_) 2)))) (m)))",
            "(let (m.1 1) 2)",
        ),
        (
            "(let-syntax ((m (syntax-rules () ((_) 2)))) (let ((m f)) (m)))",
            "(let (m.1 f) (m.1))",
        ),
        (
            "(letrec-syntax ((ev (syntax-rules () ((_) 'even) ((_ a . r) (od . r)))) (od (syntax-rules () ((_) 'odd) ((_ a . r) (ev . r))))) (ev 1 1 1))",
            "'odd",
        ),
        ("(let-syntax ((my-if if)) (my-if 1 2 3))", "(if 1 2 3)"),
        ("(define-syntax my-if if) (my-if 1 2 3)", "(if 1 2 3)"),
    ]);
}

#[test]
fn quoted_names_lose_their_aliases() {
    check_last(&[
        ("(define-syntax m (syntax-rules () ((_ x) '(a x)))) (m b)", "'(a b)"),
        (
            "(define-syntax m (syntax-rules () ((_ x) `(a ,x)))) (m b)",
            "(%list 'a b)",
        ),
    ]);
}

#[test]
fn a_procedure_macro_sees_plain_symbols_and_keeps_hygiene() {
    // (twice x) = (+ x x)
    let mut world = World::default();
    world.procedure("twice", |form| {
        let operand = form
            .as_list()
            .map(|items| items[1].clone())
            .unwrap_or_else(|| symbol("?"));
        list(vec![symbol("+"), operand.clone(), operand])
    });
    let text = "(define-syntax m (syntax-rules () ((_ y) (let ((x 1)) (f (twice x) (twice y)))))) (fn (x) (m x))";
    let core = world.expand_in(text, &TopEnv::program()).unwrap_or_default();
    assert_eq!(core[1], "(fn (x.1) (let (x.2 1) (f (+ x.2 x.2) (+ x.1 x.1))))");
}

#[test]
fn a_library_keeps_its_globals_to_itself() {
    let world = World::default();
    world.bound.borrow_mut().insert("list".into());
    let lib = TopEnv::library("a.b", Language::Sx);
    let core = world.expand_in(
        "(define (f x) (list (g x))) (define (list x) x) (define (g) (list 1))",
        &lib,
    );
    assert_eq!(
        core.unwrap_or_default(),
        [
            "(define a.b#f (fn[f] (x.1) (list (a.b#g x.1))))",
            "(define a.b#list (fn[list] (x.1) x.1))",
            "(define a.b#g (fn[g] () (a.b#list 1)))"
        ]
    );
    let macros = "(define-syntax m (syntax-rules () ((_ x) (begin (define tmp x) (f tmp)))))";
    assert!(world.expand_in(macros, &lib).is_ok());
    let program = TopEnv::program();
    program.alias(&"m".into(), &"a.b#m".into());
    // `Rules::from_datum` was given the library's top level by the stand-in.
    let core = world.expand_in("(m 1) f", &program).unwrap_or_default();
    assert_eq!(core, ["(define tmp 1)", "(a.b#f tmp)", "f"]);
}
