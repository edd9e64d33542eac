//! What each form expands to.

use super::*;

#[test]
fn atoms() {
    check(&[
        ("1 \"a\" nil true () #\\a", "1\n\"a\"\nnil\ntrue\n'()\n#\\a"),
        (":foo x '(a :b) 'x", "\"foo\"\nx\n'(a :b)\n'x"),
        ("{:a 1 \"b\" (f)}", "(%dict \"a\" 1 \"b\" (f))"),
        ("#(1 a)", "#(1 a)"),
        ("(f 1 x)", "(f 1 x)"),
        ("((f) 1)", "((f) 1)"),
    ]);
}

#[test]
fn choices() {
    check(&[
        ("(if a 1 2) (if a 1)", "(if a 1 2)\n(if a 1 nil)"),
        ("(when a 1 2) (unless a 1)", "(if a (begin 1 2) nil)\n(if a nil 1)"),
        ("(and) (or) (and a) (or a)", "true\nnil\na\na"),
        ("(and a b)", "(let (and.1 a) (if and.1 b and.1))"),
        (
            "(or a b c)",
            "(let (or.1 a) (if or.1 or.1 (let (or.2 b) (if or.2 or.2 c))))",
        ),
        (
            "(case x ((1 2) :a) (else 3))",
            "(let (key.1 x) (if (if (%= key.1 1) true (%= key.1 2)) \"a\" 3))",
        ),
        (
            "(case x (a 1) (b 2))",
            "(let (key.1 x) (if (%eq? key.1 'a) 1 (if (%eq? key.1 'b) 2 nil)))",
        ),
        (
            "(case x :a 1 (f) 2 :else 3)",
            "(let (key.1 x) (if (%= key.1 \"a\") 1 (if (%= key.1 (f)) 2 3)))",
        ),
        (
            "(case x ((:k \"s\") => f) (else => g))",
            "(let (key.1 x) (if (if (%= key.1 \"k\") true (%= key.1 \"s\")) (f key.1) (g key.1)))",
        ),
        ("(%case x ((1) 2))", "(let (key.1 x) (if (%eq? key.1 1) 2 nil))"),
    ]);
}

#[test]
fn the_two_styles_of_cond() {
    check(&[
        ("(cond (a 1) (b 2))", "(if a 1 (if b 2 nil))"),
        ("(cond a 1 b 2)", "(if a 1 (if b 2 nil))"),
        ("(cond ((f) 1 2) (else 3))", "(if (f) (begin 1 2) 3)"),
        ("(cond ((f) 1) (:else 3))", "(if (f) 1 3)"),
        ("(cond ((f)) (else 3))", "(let (test.1 (f)) (if test.1 test.1 3))"),
        ("(cond (f x) (g y z))", "(if (f x) (g y z) nil)"),
        ("(cond (= a 1) 2 :else 3)", "(if (= a 1) 2 3)"),
        ("(cond a 1 else 2)", "(if a 1 2)"),
        ("(cond a 1 true 2)", "(if a 1 2)"),
        ("(cond ((f) => g))", "(let (test.1 (f)) (if test.1 (g test.1) nil))"),
        (
            "(cond (a => g) (b 1))",
            "t:1:10: =>: only has a meaning inside a clause of cond, case or guard",
        ),
        (
            "(%cond (a => g) (b 1 2))",
            "(let (test.1 a) (if test.1 (g test.1) (if b (begin 1 2) nil)))",
        ),
        ("(cond)", "nil"),
        (
            "(cond a 1 b)",
            "t:1:11: cond: odd number of forms; expected (cond (test body...)...) or (cond test value ...)",
        ),
        (
            "(cond (\"lit\" 1 2) ((f) 3))",
            "(if \"lit\" (begin 1 2) (if (f) 3 nil))",
        ),
        (
            "(let ((else false)) (cond (else 1) ((f) 2)))",
            "(let (else.1 false) (if else.1 1 (if (f) 2 nil)))",
        ),
    ]);
}

#[test]
fn procedures() {
    check(&[
        ("(fn (a b) a)", "(fn (a.1 b.1) a.1)"),
        (
            "(lambda (a &rest b) b) (fn (a . b) b) (fn b b)",
            "(fn (a.1 &rest b.1) b.1)\n(fn (a.1 &rest b.1) b.1)\n(fn (&rest b.1) b.1)",
        ),
        (
            "(fn () \"doc\" 1) (fn () \"value\")",
            "(fn () \"doc\" 1)\n(fn () \"value\")",
        ),
        ("(fn ())", "(fn () nil)"),
        ("(fn (x) (fn (x) x))", "(fn (x.1) (fn (x.2) x.2))"),
        (
            "(define (f a . b) 1 2)",
            "(define f (fn[f] (a.1 &rest b.1) (begin 1 2)))",
        ),
        (
            "(define f :effects [io] (fn () 1))",
            "(begin (%annotate 'f \"effects\" '(io)) (define f (fn[f] () 1)))",
        ),
        ("(define x 1)", "(define x 1)"),
        ("(set! x 1) (fn (x) (set! x 2))", "(set! x 1)\n(fn (x.1) (set! x.1 2))"),
    ]);
}

#[test]
fn binding_forms() {
    check(&[
        ("(let ((a 1) (b a)) b)", "(let (a.1 1) (let (b.1 a.1) b.1))"),
        (
            "(let (a 1 b a) b) (let [a 1] a)",
            "(let (a.1 1) (let (b.1 a.1) b.1))\n(let (a.1 1) a.1)",
        ),
        ("(%let ((a 1) (b a)) b)", "(let (a.1 1) (let (b.1 a) b.1))"),
        ("(let* ((a 1) (a a)) a)", "(let (a.1 1) (let (a.2 a.1) a.2))"),
        ("(let () 1) (let ((a 1)))", "1\n(let (a.1 1) nil)"),
        (
            "(let loop ((i 0)) (loop i))",
            "(letrec ((loop.1 (fn[loop] (i.1) (loop.1 i.1)))) (loop.1 0))",
        ),
        (
            "(let loop ((loop 0)) loop)",
            "(let (loop.1 (fn[loop] (loop.2) loop.2)) (loop.1 0))",
        ),
        (
            "(letrec ((f (fn () (g))) (g (fn () (f)))) f)",
            "(letrec ((f.1 (fn[f] () (g.1))) (g.1 (fn[g] () (f.1)))) f.1)",
        ),
        ("(letrec ((a 1) (b a)) b)", "(let (a.1 1) (let (b.1 a.1) b.1))"),
    ]);
}

#[test]
fn bodies_with_definitions() {
    check(&[
        (
            "(fn () (define a 1) (define b a) b)",
            "(fn () (let (a.1 1) (let (b.1 a.1) b.1)))",
        ),
        (
            "(fn () (f) (define a 1) (g) a)",
            "(fn () (begin (f) (let (a.1 1) (begin (g) a.1))))",
        ),
        (
            "(fn () (define (even n) (odd n)) (define (odd n) (even n)) (define c 1) (even c))",
            "(fn () (letrec ((even.1 (fn[even] (n.1) (odd.1 n.1))) (odd.1 (fn[odd] (n.2) (even.1 n.2)))) (let (c.1 1) (even.1 c.1))))",
        ),
        (
            "(fn () (define a b) (define b 1) a)",
            "(fn () (letrec ((a.1 b.1) (b.1 1)) a.1))",
        ),
        (
            "(fn () (define a b) (f) (define b 1))",
            "(fn () (letrec ((a.1 b.1) (_.1 (f)) (b.1 1)) b.1))",
        ),
        (
            "(fn () (begin (define a 1) (define b 2)) a)",
            "(fn () (let (a.1 1) (let (b.1 2) a.1)))",
        ),
        (
            "(fn () (define a 1) (define a 2) a)",
            "(fn () (let (a.1 1) (begin (set! a.1 2) a.1)))",
        ),
        (
            "(let ((x 1)) (when x (define y 2) y))",
            "(let (x.1 1) (if x.1 (let (y.1 2) y.1) nil))",
        ),
        ("(begin (define a 1) (define b 2))", "(define a 1)\n(define b 2)"),
        ("(when c (define a 1))", "(if c (define a 1) nil)"),
        ("(fn () (define if 1) if)", "(fn () (let (if.1 1) if.1))"),
        ("(fn () (do (define a 1)) a)", "(fn () (let (a.1 1) a.1))"),
    ]);
}

#[test]
fn do_is_a_sequence_or_a_loop() {
    check(&[
        ("(do 1 2)", "1\n2"),
        ("(fn () (do 1 2))", "(fn () (begin 1 2))"),
        ("(do ((fn (x) x) 5) 99)", "((fn (x.1) x.1) 5)\n99"),
        (
            "(do ((i 0 (inc i)) (n 5)) ((= i n) i) (f i))",
            "(letrec ((do.1 (fn[do] (i.1 n.1) (if (= i.1 n.1) i.1 (begin (f i.1) (do.1 (inc i.1) n.1)))))) (do.1 0 5))",
        ),
    ]);
}

#[test]
fn threading() {
    check(&[
        ("(-> x (f a) g)", "(g (f x a))"),
        ("(->> x (f a) g)", "(g (f a x))"),
        (
            "(as-> x y (f y 1) (g y))",
            "(let (y.1 x) (let (y.2 (f y.1 1)) (g y.2)))",
        ),
        ("(-> x)", "x"),
    ]);
}

#[test]
fn templates() {
    check(&[
        ("`(a b)", "'(a b)"),
        ("`(a ,b)", "(%list 'a b)"),
        ("`(a ,@b c)", "(%append (%list 'a) b (%list 'c))"),
        ("`(,@a)", "(%append a)"),
        ("`(a . ,b)", "(%list* 'a b)"),
        ("`(,@a . ,b)", "(%append* a (%list* b))"),
        ("`(a (b ,c))", "(%list 'a (%list 'b c))"),
        ("`#(a ,b)", "(%list->vector (%list 'a b))"),
        ("`{:a ,b}", "(%dict \"a\" b)"),
        (
            "`(a `(b ,(c ,d)))",
            "(%list 'a (%cons 'quasiquote (%list (%list 'b (%cons 'unquote (%list (%list 'c d)))))))",
        ),
        ("`(a `(b ,(c)))", "'(a (quasiquote (b (unquote (c)))))"),
        ("`,x `x", "x\n'x"),
        ("(quasiquote (a (unquote-splicing b)))", "(%append (%list 'a) b)"),
    ]);
}

#[test]
fn control_forms() {
    check(&[
        (
            "(guard (e ((f e) 1)) (g))",
            "(%guard (fn () (g)) (fn (e.1) (if (f e.1) 1 (%reraise e.1))))",
        ),
        ("(guard (e (else 1)) (g))", "(%guard (fn () (g)) (fn (e.1) 1))"),
        ("(guard (e) (g))", "(%guard (fn () (g)) (fn (e.1) (%reraise e.1)))"),
        (
            "(guard (e (x => f)) (g))",
            "(%guard (fn () (g)) (fn (e.1) (let (test.1 x) (if test.1 (f test.1) (%reraise e.1)))))",
        ),
        ("(handler-bind ((p h)) 1)", "(%handler-bind (%list p h) (fn () 1))"),
        ("(with-handler {:op h} 1)", "(%with-handler (%dict \"op\" h) (fn () 1))"),
        (
            "(reset (+ 1 (shift k (k 1))))",
            "(%reset (fn () (+ 1 (%shift (fn (k.1) (k.1 1))))))",
        ),
        ("(parameterize ((p 1)) 2)", "(%parameterize (%list p 1) (fn () 2))"),
        (
            "(provide theme 1 (context theme 2))",
            "(%provide 'theme 1 (fn () (%context 'theme 2)))",
        ),
        (
            "(let ((n 1)) (scope n (emit! n 2) (emitted \"n\")))",
            "(let (n.1 1) (%scope (%scope-name n.1) (fn () (begin (%emit! (%scope-name n.1) 2) (%emitted 'n)))))",
        ),
        (
            "(collect! b 1) (collected b) (clear-collected! b)",
            "(%collect! 'b 1)\n(%collected 'b)\n(%clear-collected! 'b)",
        ),
        (
            "(delay 1) (delay-force x)",
            "(%make-lazy (fn () 1))\n(%make-lazy-force (fn () x))",
        ),
    ]);
}

#[test]
fn several_values() {
    check(&[
        (
            "(receive (a . b) (f) b)",
            "(%call-with-values (fn () (f)) (fn[receive] (a.1 &rest b.1) b.1))",
        ),
        (
            "(let-values (((a b) (f)) ((c) a)) c)",
            "(%call-with-values (fn () (f)) (fn[let-values] (value.1 value.2) (%call-with-values (fn () a) (fn[let-values] (value.3) (let (a.1 value.1) (let (b.1 value.2) (let (c.1 value.3) c.1)))))))",
        ),
        (
            "(let*-values (((a) (f)) ((b) a)) b)",
            "(%call-with-values (fn () (f)) (fn[let*-values] (a.1) (%call-with-values (fn () a.1) (fn[let*-values] (b.1) b.1))))",
        ),
        (
            "(define-values (a b) (f))",
            "(%call-with-values (fn () (f)) (fn[define-values] (value.1 value.2) (begin (define a value.1) (define b value.2) nil)))",
        ),
        (
            "(fn () (define-values (a . b) (f)) a)",
            "(fn () (let (values.1 (%call-with-values (fn () (f)) (fn[define-values] (value.1 &rest value.2) (%list value.1 value.2)))) (let (a.1 (%nth values.1 0)) (let (b.1 (%nth values.1 1)) a.1))))",
        ),
        (
            "(case-lambda ((a) 1) (b 2))",
            "(%case-lambda (fn (a.1) 1) (fn (&rest b.1) 2))",
        ),
    ]);
}

#[test]
fn records_and_types() {
    // The hash of the place is of no interest here.
    let hash = expand("(define-type T (T))")
        .lines()
        .nth(1)
        .and_then(|line| line.split([':', ' ']).nth(3).map(String::from));
    let hash = format!(":{}", hash.unwrap_or_default());
    let lines = |text: &str| {
        expand(text)
            .replace(&hash, "")
            .lines()
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        lines("(define-record-type <p> (make y) p? (x px px!) (y py))"),
        [
            "(define %type:<p> (%make-record-type 'p '(x y)))",
            "(define <p> %type:<p>)",
            "(define make (fn[make] (y.1) (%make-record %type:<p> nil y.1)))",
            "(define p? (fn[p?] (value.1) (%record-is? value.1 %type:<p>)))",
            "(define px (fn[px] (record.1) (%record-ref record.1 %type:<p> 0 \"px\")))",
            "(define px! (fn[px!] (record.1 value.1) (%record-set! record.1 %type:<p> 0 value.1 \"px!\")))",
            "(define py (fn[py] (record.1) (%record-ref record.1 %type:<p> 1 \"py\")))",
            "nil",
        ]
    );
    assert_eq!(
        lines("(define-type Maybe (Just v) Nothing)"),
        [
            "(define Maybe? (fn[Maybe?] (value.1) (%adt-is? value.1 'Maybe)))",
            "(define %type:Just (%make-record-type 'Just '(v) 'Maybe))",
            "(define Just (fn[Just] (v.1) (%make-record %type:Just v.1)))",
            "(define Just? (fn[Just?] (value.1) (%record-is? value.1 %type:Just)))",
            "(define Just-v (fn[Just-v] (record.1) (%record-ref record.1 %type:Just 0 \"Just-v\")))",
            "(define %type:Nothing (%make-record-type 'Nothing '() 'Maybe))",
            "(define Nothing (fn[Nothing] () (%make-record %type:Nothing)))",
            "(define Nothing? (fn[Nothing?] (value.1) (%record-is? value.1 %type:Nothing)))",
            "nil",
        ]
    );
}

#[test]
fn patterns() {
    check(&[
        (
            "(match x (1 :a) (y y))",
            "(let (match.1 x) (if (%= match.1 1) \"a\" (let (y.1 match.1) y.1)))",
        ),
        ("(match x ('a 1) (_ 2))", "(let (match.1 x) (if (%= match.1 'a) 1 2))"),
        (
            "(match x ((Just (a 2)) a))",
            "(let (match.1 x) (if (let (and.1 (%match-adt? match.1 'Just 1)) (if and.1 (let (and.2 (%match-list? (%match-field match.1 0) 2)) (if and.2 (%= (%match-item (%match-field match.1 0) 1) 2) and.2)) and.1)) (let (a.1 (%match-item (%match-field match.1 0) 0)) a.1) (%match-failed match.1)))",
        ),
        (
            "(match x ((a &rest b) b))",
            "(let (match.1 x) (if (%match-list-from? match.1 1) (let (a.1 (%match-item match.1 0)) (let (b.1 (%match-rest match.1 1)) b.1)) (%match-failed match.1)))",
        ),
        (
            "(let-match {:k v} x v)",
            "(let (match.1 x) (if (%match-key? match.1 \"k\") (let (v.1 (%match-value match.1 \"k\")) v.1) (%match-failed match.1)))",
        ),
        (
            "(match x (n :when (f n) 1) (else 2))",
            "(let (match.1 x) (if (let (n.1 match.1) (f n.1)) (let (n.2 match.1) 1) 2))",
        ),
    ]);
}

#[test]
fn a_match_that_misses_constructors_warns() {
    let world = World::default();
    let text = "(define-type T (A x) (B) (C)) (match v ((A x) 1) ((B) 2)) (match v ((A x) 1) (_ 2)) (match v ((A x) 1) ((B) 1) ((C) 2))";
    assert!(world.expand_in(text, &TopEnv::program()).is_ok());
    assert_eq!(*world.warnings.borrow(), ["match: non-exhaustive — T: missing C"]);
}

#[test]
fn a_let_that_hides_an_outer_variable_from_a_later_value_warns() {
    let warnings = |text: &str| {
        let world = World::default();
        assert!(world.expand_in(text, &TopEnv::program()).is_ok());
        world.warnings.borrow().len()
    };
    assert_eq!(warnings("(define x 1) (let ((x 2) (y x)) y)"), 1);
    assert_eq!(warnings("(fn (x) (let ((x 2) (y (+ x x)) (z x)) y))"), 1);
    assert_eq!(warnings("(let ((x 2) (y x)) y)"), 0);
    assert_eq!(warnings("(define x 1) (let* ((x 2) (y x)) y)"), 0);
    assert_eq!(warnings("(define x 1) (let ((y x) (x 2)) x)"), 0);
}

#[test]
fn pages() {
    check(&[
        (
            "(defcomp ~card (&key title &rest children) (f title children)) (~card :title \"x\" 1)",
            "(define ~card (%make-component \"~card\" '() '(title) true (fn (title.1 children.1) (f title.1 children.1))))\n(%call-component ~card ':title \"x\" 1)",
        ),
        (
            "(defpage home :path \"/\" :content (f))",
            "(define home (%make-page \"home\" (%dict \"path\" \"/\" \"content\" (fn () (f)))))",
        ),
        (
            "(defhandler h :method :post (&key a) a)",
            "(define h (%make-handler \"h\" (%dict \"method\" \"post\") '() '(a) false (fn (a.1) a.1)))",
        ),
        (
            "(defstyle s 1) (deftype t (a)) (deftest \"t\" 1) (defsuite u 2)",
            "(define s 1)\n(%deftype 't '(a))\n(%deftest \"t\" (fn () (begin 1 nil)))\n(%defsuite \"u\" (fn () 2))",
        ),
        (
            "(register-special-form! foo (fn (args env) 1))",
            "(%register-special-form 'foo (fn (args.1 env.1) 1))",
        ),
    ]);
}

#[test]
fn registered_forms_get_their_operands_and_the_environment() {
    let world = World::default();
    world.macros.borrow_mut().insert("foo".into(), GlobalMacro::SpecialForm);
    let core = world
        .expand_in("(fn (x) (let ((y 1)) (foo (a) x)))", &TopEnv::program())
        .unwrap_or_default();
    assert_eq!(
        core,
        ["(fn (x.1) (let (y.1 1) (%apply-special-form foo '((a) x) (%environment 'y y.1 'x x.1))))"]
    );
}
