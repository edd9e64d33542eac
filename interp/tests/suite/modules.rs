//! Libraries, their files, include and load.

use super::{bundle, eval, failure, machine, machine_with, outcome, start};
use sx_interp::machine::Exit;
use sx_runtime::value::Word;

#[test]
fn a_library_is_found_in_a_file_and_evaluated_once() {
    let files = [(
        "math/tools.sx",
        "(define-library (math tools) (export square) (begin (display \"once\") (define (square x) (* x x))))",
    )];
    let mut m = machine_with(&files);
    assert_eq!(eval(&mut m, "(import (math tools))\n(square 5)"), "25");
    assert_eq!(eval(&mut m, "(import (prefix (math tools) m:))\n(m:square 6)"), "36");
    assert_eq!(
        eval(&mut m, "(import (only (math tools) cube))"),
        "!import: (math tools) exports no cube"
    );
}

#[test]
fn libraries_are_looked_for_beside_the_file_that_imports_them() {
    let one = |value: &str| format!("(define-library (one) (export one) (begin (define one {value})))");
    let files = [
        (
            "app/one.scm",
            &*one("1").replace("(begin", "(import (scheme base)) (begin"),
        ),
        ("two.sx", &*one("2").replace("(one)", "(two)")),
        (
            "app/main.sx",
            "(import (one)) (import (rename (two) (one two))) (list one two)",
        ),
    ];
    let mut m = machine_with(&files);
    assert_eq!(eval(&mut m, "(load \"app/main.sx\")"), "(1 2)");
}

#[test]
fn built_in_libraries_come_last() {
    let mut m = machine();
    let text = "(define-library (web page) (export title) (begin (define title \"built in\")))";
    m.evaluator.bundle = bundle(&[("lib/web/page.sx", text)]);
    assert_eq!(eval(&mut m, "(import (web page)) title"), "\"built in\"");
    assert_eq!(eval(&mut m, "(cond-expand ((library (web page)) 1) (else 2))"), "1");
    assert_eq!(eval(&mut m, "(cond-expand ((library (web none)) 1) (else 2))"), "2");
}

#[test]
fn an_unknown_library_names_the_search_path() {
    let mut m = machine_with(&[("x/y.sx", "1")]);
    let failed = failure(&mut m, "(+ 1 1)\n(import (no such))");
    assert_eq!(failed.code, "import");
    assert_eq!(
        failed.message,
        "import: no library (no such); looked for no/such.sx, no/such.sld and no/such.scm in ./ and among the built-in libraries"
    );
    assert_eq!(failed.span.map(|s| s.place()), Some("main.sx:2:9".to_string()));
    assert_eq!(
        eval(&mut m, "(import (x y))"),
        "!import: x/y.sx does not define the library (x y)"
    );
}

#[test]
fn imports_in_a_circle_are_an_error() {
    let files = [
        (
            "a.sx",
            "(define-library (a) (export x) (import (b)) (begin (define x 1)))",
        ),
        (
            "b.sx",
            "(define-library (b) (export y) (import (a)) (begin (define y 1)))",
        ),
    ];
    let mut m = machine_with(&files);
    assert_eq!(
        eval(&mut m, "(import (a))"),
        "!import: libraries import each other in a circle: (a) -> (b) -> (a)"
    );
    // It is one again on the next try, and not half a library.
    assert_eq!(
        eval(&mut m, "(import (b))"),
        "!import: libraries import each other in a circle: (b) -> (a) -> (b)"
    );
}

#[test]
fn a_library_that_imports_itself_by_an_evaluation_of_its_own_is_an_error() {
    let text = "(define-library (a) (export x) (begin (define x 1) (eval-expr '(import (a)))))";
    let mut m = machine_with(&[("a.sx", text)]);
    for _ in 0..2 {
        assert_eq!(
            eval(&mut m, "(import (a))"),
            "!import: the definition of (a) has begun and not ended: it imports itself, or it failed"
        );
    }
}

#[test]
fn a_library_that_failed_can_be_imported_again() {
    let mut m = machine_with(&[(
        "a.sx",
        "(define-library (a) (export x) (begin (define x (* 2 needed))))",
    )]);
    assert_eq!(eval(&mut m, "(import (a))"), "!Undefined symbol: needed");
    assert_eq!(
        eval(&mut m, "(define-library (a) (export y) (begin (define x 1)))"),
        "!define-library: (a) exports y but does not define it"
    );
    assert_eq!(
        eval(
            &mut m,
            "(define-library (a) (export x) (begin (define x 1)))\n(import (a)) x"
        ),
        "1"
    );
}

#[test]
fn a_library_body_may_perform() {
    let mut m = machine_with(&[(
        "a.sx",
        "(define-library (a) (export x) (begin (define x (perform (list \"ask\")))))",
    )]);
    assert!(matches!(
        start(&mut m, "main.sx", "(import (a))\n(+ x 1)"),
        Exit::Perform
    ));
    m.answer(Word::fixnum(1));
    let exit = m.run();
    assert_eq!(outcome(&m, exit), "2");
}

#[test]
fn files_are_included_and_loaded_relative_to_the_text() {
    let files = [
        (
            "app/main.sx",
            "(include \"part.sx\") (define b (+ a 1)) (load \"last.sx\")",
        ),
        ("app/part.sx", "(define a 1)"),
        ("app/last.sx", "(list a b)"),
    ];
    let mut m = machine_with(&files);
    assert_eq!(eval(&mut m, "(load \"app/main.sx\")"), "(1 2)");
    assert_eq!(
        eval(&mut m, "(include \"nowhere.sx\")"),
        "!include: nowhere.sx: no such file"
    );
    assert_eq!(eval(&mut m, "(load \"nowhere.sx\")"), "!load: nowhere.sx: no such file");
}

#[test]
fn files_are_included_in_bodies_and_libraries() {
    let files = [
        ("a.scm", "(define a 1)"),
        ("b.inc", "(define B (+ a 1))"),
        ("d.inc", "(export a b) (import (scheme base))"),
        (
            "m.sld",
            "(define-library (m) (include-library-declarations \"d.inc\") (include \"a.scm\") (include-ci \"b.inc\"))",
        ),
        (
            "main.scm",
            "(import (scheme base) (m))
             (list a b (let () (include \"a.scm\") (include-ci \"b.inc\") (list a b)) (+ 1 (include \"two.inc\")))",
        ),
        ("two.inc", "1 2"),
        ("self.scm", "(let () (include \"self.scm\"))"),
    ];
    let mut m = machine_with(&files);
    assert_eq!(eval(&mut m, "(load \"main.scm\")"), "(1 2 (1 2) 3)");
    assert_eq!(
        eval(&mut m, "(let () (include \"self.scm\"))"),
        "!include: the files include each other without end"
    );
    assert_eq!(
        eval(&mut m, "(let () (include \"nowhere.sx\"))"),
        "!include: nowhere.sx: no such file"
    );
}

#[test]
fn a_name_that_held_a_macro_can_be_defined() {
    let mut m = machine();
    assert_eq!(eval(&mut m, "(defmacro twice (x) (list '+ x x))\n(twice 4)"), "8");
    assert_eq!(eval(&mut m, "(define (twice x) (* 100 x))\n(twice (begin 4))"), "400");
    assert_eq!(
        eval(
            &mut m,
            "(define-syntax twice (syntax-rules () ((_ x) 'again)))\n(twice 1)"
        ),
        "again"
    );
}

#[test]
fn macros_of_a_library_mean_its_own_names() {
    let mut m = machine();
    let text = "(define-library (m) (export bump!) (begin
        (define step 10)
        (define (add x) (+ x step))
        (define-syntax bump! (syntax-rules () ((_ v) (set! v (add v)))))))
      (import (m))
      (define add -)
      (let ((v 1) (step 5)) (bump! v) v)";
    assert_eq!(eval(&mut m, text), "11");
}

#[test]
fn a_library_does_not_see_the_program() {
    let mut m = machine();
    let text = "(define helper 1)
      (define-library (m) (export f) (begin (define (f) (helper)) (define (helper) 2)))
      (import (m)) (f)";
    assert_eq!(eval(&mut m, text), "2");
    assert_eq!(
        eval(
            &mut m,
            "(define secret 1)\n(define-library (n) (export g) (begin (define (g) secret)))\n(import (n)) (g)"
        ),
        "!Undefined symbol: secret"
    );
}
