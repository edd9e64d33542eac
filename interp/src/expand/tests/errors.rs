//! What is said of ill-formed programs, and where.

use super::*;

#[test]
fn ill_formed_forms_name_the_form_and_the_place() {
    check(&[
        ("(if)", "t:1:1: if: expected (if test then else?)"),
        ("(f\n (if 1 2 3 4))", "t:2:2: if: expected (if test then else?)"),
        ("(let ((a 1 2)) a)", "t:1:7: let: each binding is (name value)"),
        ("(let ((x)) x)", "t:1:7: let: each binding is (name value)"),
        ("(fn x)", "t:1:1: fn: expected (fn (params…) body…)"),
        ("(define x)", "t:1:1: define: expected (define name value)"),
        ("(let 5 6)", "t:1:6: let: expected a list of bindings"),
        (
            "(let (a 1 b) 2)",
            "t:1:11: let: a name in the list of bindings has no value",
        ),
        ("(fn (a 1) a)", "t:1:8: fn: expected a parameter name, got 1"),
        ("(fn (a a) a)", "t:1:5: fn: a is bound twice"),
        ("(fn (a &key b) a)", "t:1:8: fn: unexpected &key among the parameters"),
        ("(define)", "t:1:1: define: expected (define name value)"),
        ("(define 1 2)", "t:1:9: define: expected a name or (name parameter...)"),
        ("(define x 1 2)", "t:1:13: define: x gets more than one value"),
        (
            "(fn (x) (if x (define y 1)))",
            "t:1:15: define: a definition is only allowed at top level or as a form of a body",
        ),
        ("(set! if 1)", "t:1:7: set!: if is syntax, not a variable"),
        (
            "(f if)",
            "t:1:4: if: a special form is no value; expected (if test then else?)",
        ),
        ("(f . x)", "t:1:1: a dotted list is no expression"),
        (
            "(else 1)",
            "t:1:1: else: only has a meaning inside cond, case, guard or match",
        ),
        ("(unquote x)", "t:1:1: unquote: only has a meaning inside quasiquote"),
        ("`,@x", "t:1:2: quasiquote: ,@ needs a list around it"),
        ("(quote)", "t:1:1: quote: expected (quote datum)"),
        ("(match x 1)", "t:1:10: match: expected (pattern body...)"),
        ("(match x ((a a) 1))", "t:1:14: match: a is bound twice in a pattern"),
        ("(guard 1 2)", "t:1:1: guard: expected (guard (name clause...) body...)"),
        ("(-> x ())", "t:1:7: ->: expected a step (function operand...), got ()"),
        ("(fn () (import (a)))", "t:1:8: import: only allowed at top level"),
        ("(syntax-error \"no good\" (a b) 1)", "t:1:1: no good (a b) 1"),
        (
            "(let ((x 1)) (let-syntax ((m 5)) 1))",
            "t:1:30: let-syntax: expected (syntax-rules (literal...) (pattern template)...)",
        ),
    ]);
}

#[test]
fn ill_formed_rules() {
    check(&[
        (
            "(define-syntax m (syntax-rules () ((_ a a) 1)))",
            "t:1:41: syntax-rules: a occurs twice in a pattern",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ a ...) a)))",
            "t:1:46: syntax-rules: a variable of the template needs more ellipses after it",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ a) (a ...))))",
            "t:1:45: syntax-rules: nothing before this ellipsis repeats",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ a ... b ...) 1)))",
            "t:1:47: syntax-rules: two ellipses in one list of a pattern",
        ),
        (
            "(define-syntax m (syntax-rules () (m 1)))",
            "t:1:36: syntax-rules: a pattern is a list that begins with the macro's name",
        ),
    ]);
}

#[test]
fn errors_in_an_expansion_carry_the_place_of_the_use() {
    check(&[
        (
            "(define-syntax m (syntax-rules () ((_ x) (if))))\n(f (m 1))",
            "t:2:4: if: expected (if test then else?)",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ x) 1)))\n(m)",
            "t:2:1: m: no rule matches (m)",
        ),
    ]);
}

#[test]
fn an_expansion_without_end_is_an_error() {
    let error = expand("(define-syntax m (syntax-rules () ((_) (m))))\n(m)");
    assert!(error.ends_with("t:2:1: macro expansion does not end"), "{error}");
}
