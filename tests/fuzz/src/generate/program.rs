//! A whole program: what all programs begin with, macros, globals, functions, statements.

use super::{Generator, Ty, Variable};
use crate::sexp::{Sexp, atom, form, parse};
use std::collections::BTreeSet;

/// What programs begin with: each has those of these definitions that it uses, in this order.
const PRELUDE: &[&str] = &[
    "(define fuel 10)",
    "(define (spend!) (if (> fuel 0) (begin (set! fuel (- fuel 1)) true) false))",
    "(define notes (list))",
    "(define (note x) (append! notes x) x)",
    "(define (tick x) (note (list :tick x)) x)",
    "(define (op-of r) (let ((op (if (dict? r) (get r :op) (first r)))) (if (symbol? op) (symbol->string op) op)))",
    "(define (arg-of r) (let ((args (if (dict? r) (get r :args) (rest r)))) (if (empty? args) 0 (let ((x (first args))) (if (number? x) x 0)))))",
    "(define saved nil)",
    "(define p0 (make-parameter 10))",
    "(define p1 (make-parameter 20 (fn (x) (if (number? x) (+ x 1) x))))",
    "(define orig-first first)",
    "(define orig-rest rest)",
    "(define orig-nth nth)",
    "(define orig-inc inc)",
    "(define orig-map map)",
    "(define orig-not not)",
    "(define orig-empty? empty?)",
    "(define orig-abs abs)",
];

fn note_atoms(form: &Sexp, used: &mut BTreeSet<String>) {
    form.atoms(&mut |atom| {
        used.insert(atom.to_owned());
    });
}

/// Those of the definitions that programs begin with that these forms need.
fn prelude_of(forms: &[Sexp]) -> Vec<Sexp> {
    let mut used = BTreeSet::new();
    forms.iter().for_each(|form| note_atoms(form, &mut used));
    let mut needed = vec![];
    // Definitions use earlier ones only.
    for text in PRELUDE.iter().rev() {
        let definition = parse(text).swap_remove(0);
        if definition.defined().is_some_and(|name| used.contains(name)) {
            note_atoms(&definition, &mut used);
            needed.push(definition);
        }
    }
    needed.reverse();
    needed
}

const MACROS: &[(&str, usize, &str)] = &[
    ("twice", 1, "(defmacro twice (x) (list 'begin x x))"),
    (
        "counted",
        1,
        "(defmacro counted (x) (list 'begin (perform '(test/counter)) x))",
    ),
    (
        "swap2",
        2,
        "(define-syntax swap2 (syntax-rules () ((_ a b) (let ((tmp a)) (note tmp) b))))",
    ),
    (
        "my-or",
        2,
        "(define-syntax my-or (syntax-rules () ((_ a b) (let ((t a)) (if (= t 1) t b)))))",
    ),
    (
        "through-map",
        1,
        "(defmacro through-map (x) (first (map (fn (y) (list 'note y)) (list x))))",
    ),
    (
        "fails",
        1,
        "(defmacro fails (x) (list 'guard '(e (true (note e))) '(raise :from-macro) x))",
    ),
    (
        "looping",
        1,
        "(define-syntax looping (syntax-rules () ((_ body) (let loop ((i 0)) (if (< i 2) (begin (note i) (loop (+ i 1))) body)))))",
    ),
];

impl Generator {
    /// The program, form by form.
    pub fn program(mut self) -> Vec<Sexp> {
        let mut forms = self.some_macros();
        forms.extend(self.some_kinds());
        forms.extend(self.some_globals());
        for _ in 0..1 + self.below(4) {
            forms.push(self.define_function());
        }
        for _ in 0..1 + self.below(4) {
            forms.push(self.top_statement());
        }
        let last = self.expr(Ty::Any, 4);
        forms.push(form("(list $0 notes gi gl gd gv)", &[last]));
        let mut whole = prelude_of(&forms);
        whole.append(&mut forms);
        whole
    }

    fn some_macros(&mut self) -> Vec<Sexp> {
        let mut forms = vec![];
        for (name, argc, text) in MACROS {
            if self.one_in(3) {
                self.macros.push((*name, *argc));
                forms.extend(parse(text));
            }
        }
        forms
    }

    fn some_globals(&mut self) -> Vec<Sexp> {
        let rows = [
            ("gi", Ty::Int),
            ("gl", Ty::List),
            ("gd", Ty::Dict),
            ("gv", Ty::Vector),
            ("gf", Ty::Fun(1)),
        ];
        let mut forms = vec![];
        for (name, ty) in rows {
            let value = match ty {
                Ty::List => form("(list 1 2 3)", &[]),
                Ty::Dict => form("{:a 1 :b 2}", &[]),
                Ty::Vector => form("(vector 1 2 3)", &[]),
                _ => self.leaf(ty),
            };
            forms.push(form("(define $0 $1)", &[atom(name), value]));
        }
        self.globals = rows
            .iter()
            .map(|(name, ty)| Variable {
                name: (*name).into(),
                ty: *ty,
                assignable: true,
            })
            .collect();
        forms
    }

    fn define_function(&mut self) -> Sexp {
        let name = self.name("f");
        let arity = 1 + self.below(3) as u8;
        let ty = self.plain_type();
        let params: Vec<String> = (0..arity).map(|_| self.name("a")).collect();
        let variables: Vec<(&str, Ty)> = params.iter().map(|p| (p.as_str(), Ty::Int)).collect();
        let around = super::Around {
            ops: vec!["ask"],
            ..self.nothing_around()
        };
        let body = self.elsewhere(around, |g| g.with(&variables, |g| g.body(ty, 4)));
        let params = Sexp::List(
            std::iter::once(atom(name.clone()))
                .chain(params.iter().map(atom))
                .collect(),
        );
        self.functions.push((name, arity, ty));
        form("(define $0 $1)", &[params, body])
    }

    fn top_statement(&mut self) -> Sexp {
        let ty = self.plain_type();
        let depth = 3 + self.below(3);
        let value = self.expr(ty, depth);
        let k = self.name("top");
        let template = self.pick(&[
            "(note $0)",
            "(note $0)",
            "(display $0)",
            "(define $1 $0)",
            "(begin (display (inspect $0)) (newline))",
            "(note (guard (e (true (list :caught (if (error? e) (error-message e) e)))) $0))",
            "(note (with-handler {:ask (fn (request resume) (resume 5))} $0))",
            "(begin (note (call/cc (fn (c) (set! saved c) $0))) (when (and saved (spend!)) (let ((c saved)) (set! saved nil) (c 3))))",
        ]);
        let made = form(template, &[value, atom(k.clone())]);
        if template.starts_with("(define") {
            self.globals.push(Variable {
                name: k,
                ty,
                assignable: true,
            });
        }
        made
    }
}
