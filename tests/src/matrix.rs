//! The regression matrix: cases made by combining places where code runs inside code.
//!
//! A `Site` is an expression with a hole that is evaluated once for each of its visits: callbacks
//! of the higher-order functions, thunks of the control forms, comparators, transformers. Three
//! families come of them (documented in `lang/matrix.md`): a perform two sites deep inside an
//! operand of a list primitive; a continuation taken in the k-th visit and resumed several times;
//! a global redefined in a visit and used by the very next expression.
//!
//! Invariant: what is expected is computed from the table here, never from a run.

mod sites;

use sites::{Resumes, SITES, Site};
use sx::Language;
use sx::corpus::{Aspect, Case, CaseFile, Expectation, MEMORY_LIMIT, TIME_LIMIT};

/// Every file of the matrix.
pub fn case_files() -> Vec<CaseFile> {
    type Family = (&'static str, fn(&Site) -> Vec<Case>);
    let families: [Family; 3] = [
        ("perform", perform_cases),
        ("resume", resume_cases),
        ("redefine", redefine_cases),
    ];
    let mut files = Vec::new();
    for (family, cases) in families {
        for site in SITES {
            files.push(CaseFile {
                path: format!("lang/matrix/{family}/{}", site.name),
                cases: cases(site),
            });
        }
    }
    files
}

/// Each multi-argument list primitive with a hole in one of its operands, the value the hole must
/// have, and the value of the whole.
const PRIMITIVES: [(&str, &str, &str); 9] = [
    ("(map + (list 1 2) HOLE)", "(list 10 20)", "(11 22)"),
    ("(rest HOLE)", "(list 1 2 3)", "(2 3)"),
    ("(drop (list 1 2 3) HOLE)", "1", "(2 3)"),
    ("(take (list 1 2 3) HOLE)", "2", "(1 2)"),
    ("(nth (list 10 20 30) HOLE)", "1", "20"),
    ("(cons 1 HOLE)", "(list 2)", "(1 2)"),
    ("(append (list 1) HOLE (list 3))", "(list 2)", "(1 2 3)"),
    ("(slice (list 1 2 3 4) HOLE 3)", "1", "(2 3)"),
    ("(reduce + HOLE (list 1 2))", "100", "103"),
];

/// What may stand around a site.
const WRAPS: [(&str, &str); 4] = [
    ("bare", "BODY"),
    ("in let", "(let ((before (list 1))) (let ((value BODY)) value))"),
    ("in guard", "(guard (e (true (list \"caught\" e))) BODY)"),
    ("in dynamic-wind", "(dynamic-wind (fn () nil) (fn () BODY) (fn () nil))"),
];

/// The sites that are nested in every other one.
const INNER: [&str; 13] = [
    "map",
    "reduce",
    "sort",
    "hash-table-update!",
    "force",
    "guard",
    "dynamic-wind",
    "parameter converter",
    "with-handler",
    "coroutine",
    "eval",
    "macro",
    "component in data",
];

/// A perform in each inner site, that in the site, that in an operand of each primitive; every
/// wrap around `map` in the site, one of them around each other pair.
fn perform_cases(outer: &Site) -> Vec<Case> {
    let mut cases = Vec::new();
    for (i, name) in INNER.iter().enumerate() {
        let Some(inner) = SITES.iter().find(|site| site.name == *name) else {
            continue;
        };
        let wraps = if i == 0 { &WRAPS[..] } else { &WRAPS[i % 4..=i % 4] };
        for (wrap_name, wrap) in wraps {
            cases.push(perform_case(outer, inner, wrap_name, wrap));
        }
    }
    cases
}

fn perform_case(outer: &Site, inner: &Site, wrap_name: &str, wrap: &str) -> Case {
    let perform = "(second (perform (list \"test/echo\" (list outer y))))";
    let nested = inner.code_with("y", perform);
    let check = format!(
        "(begin (set! outer x) (let ((got (inspect {nested}))) (if (= got {}) x (error \"inner value\" got))))",
        quoted(inner.value)
    );
    let site = wrap.replace("BODY", &outer.code_with("x", &check));
    let mut code = format!("(define outer 0)\n(list\n  {site}");
    let mut value = format!("({}", outer.value);
    for (primitive, operand, result) in PRIMITIVES {
        let hole = format!("(begin {site} {operand})");
        code.push_str(&format!("\n  {}", primitive.replace("HOLE", &hole)));
        value.push_str(&format!(" {result}"));
    }
    code.push_str(")\n");
    value.push(')');
    let mut expected = Vec::new();
    for _ in 0..=PRIMITIVES.len() {
        for x in outer.visits {
            for y in inner.visits {
                expected.push((Aspect::Effects, format!("test/echo ({x} {y})")));
            }
        }
    }
    expected.push((Aspect::Value, value));
    case(format!("{} {wrap_name}", inner.name), code, expected)
}

/// A continuation taken in the k-th visit, by a handler and by shift, resumed with 70, 71 and
/// again 70: each result is what the site gives when that visit simply has that value, and what
/// was given before stays, also when the program changes an earlier result.
fn resume_cases(site: &Site) -> Vec<Case> {
    let mut cases = Vec::new();
    for k in 1..=site.visits.len() {
        let by_handler = (
            "handler",
            "(with-handler {:stop (fn (request resume) (set! k resume) \"stopped\")} SITE)",
            "(perform {:op \"stop\"})",
        );
        let by_shift = ("shift", "(reset SITE)", "(shift c (begin (set! k c) \"stopped\"))");
        for (name, around, stop) in [by_handler, by_shift] {
            if site.resumes == Resumes::Once || (name == "shift" && site.resumes == Resumes::ByHandler) {
                continue;
            }
            let code = resume_code(site, k, around, stop);
            let value = "(\"stopped\" true true true true)".to_owned();
            cases.push(case(format!("visit {k} by {name}"), code, vec![(Aspect::Value, value)]));
        }
    }
    cases
}

fn resume_code(site: &Site, visit: usize, around: &str, stop: &str) -> String {
    let at_visit = |value: &str| {
        let body = format!("(begin (set! n (+ n 1)) (if (= n {visit}) {value} x))");
        site.code_with("x", &body)
    };
    let captured = around.replace("SITE", &at_visit(stop));
    let direct = at_visit("given");
    format!(
        "(define n 0)
(define k nil)
(define (captured) (set! n 0) {captured})
(define given nil)
(define (direct value) (set! n 0) (set! given value) {direct})
(define stopped (captured))
(define first-result (k 70))
(define first-text (inspect first-result))
(define second-text (inspect (k 71)))
(define kept (= first-text (inspect first-result)))
(when (and (list? first-result) (not (empty? first-result)))
  (set-nth! first-result 0 \"changed\")
  (append! first-result \"more\"))
(define third-text (inspect (k 70)))
(list stopped
  (= first-text (inspect (direct 70)))
  (= second-text (inspect (direct 71)))
  kept
  (= third-text first-text))
"
    )
}

/// A global function, a primitive, and a primitive shadowed by a local, each changed inside a
/// visit and used by the next expression; before, the same expression ran with the old meaning.
fn redefine_cases(site: &Site) -> Vec<Case> {
    let ways = [
        (
            "global function by set!",
            "(begin (set! helper (fn (v) (list \"new\" v))) (append! seen (helper x)) x)",
        ),
        (
            "global function by eval",
            "(begin (eval-expr '(define (helper v) (list \"new\" v))) (append! seen (helper x)) x)",
        ),
        (
            "primitive by eval",
            "(begin (eval-expr '(define (inc v) (list \"new\" v))) (append! seen (inc x)) x)",
        ),
        (
            "primitive shadowed",
            "(begin (append! seen (let ((inc (fn (v) (list \"new\" v)))) (inc x))) x)",
        ),
        (
            "higher-order function by eval",
            "(begin (eval-expr '(define (map f v) (list \"new\" v))) (append! seen (map inc x)) x)",
        ),
    ];
    let mut cases = Vec::new();
    for (name, body) in ways {
        let code = format!(
            "(define (helper v) (list \"old\" v))
(define seen (list))
(define (warm n) (when (> n 0) (helper n) (inc n) (map inc (list n)) (warm (- n 1))))
(warm 100)
(let ((value {}))
  (list value seen))
",
            site.code_with("x", body)
        );
        let seen: Vec<String> = site.visits.iter().map(|x| format!("(\"new\" {x})")).collect();
        let value = format!("({} ({}))", site.value, seen.join(" "));
        cases.push(case(name.to_owned(), code, vec![(Aspect::Value, value)]));
    }
    cases
}

fn case(name: String, code: String, expected: Vec<(Aspect, String)>) -> Case {
    Case {
        name,
        code,
        language: Language::Sx,
        line: 1,
        expected: expected
            .into_iter()
            .map(|(aspect, text)| Expectation { aspect, text })
            .collect(),
        skipped: Vec::new(),
        time_limit: TIME_LIMIT,
        memory_limit: MEMORY_LIMIT,
    }
}

/// The text as a string literal.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_inner_sites_exist() {
        let files = case_files();
        let mut seen = HashSet::new();
        for file in &files {
            for case in &file.cases {
                assert!(seen.insert((file.path.clone(), case.name.clone())), "{}", case.name);
            }
        }
        for name in INNER {
            assert!(SITES.iter().any(|site| site.name == name), "{name}");
        }
        assert!(seen.len() > 1500, "{}", seen.len());
    }

    #[test]
    fn no_hole_is_left() {
        for file in case_files() {
            for case in file.cases {
                for hole in ["HOLE", "BODY", "SITE", "$"] {
                    assert!(!case.code.contains(hole), "{hole} in {}", case.code);
                }
            }
        }
    }
}
