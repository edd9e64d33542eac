//! Expansions that stop for a macro and are continued, also twice.

use super::*;
use sx_runtime::syntax::Language;

fn one(text: &str) -> Stx {
    read_all(Source::new("t", text))
        .ok()
        .and_then(|forms| forms.first().cloned())
        .unwrap_or_else(|| symbol("?"))
}

#[test]
fn an_expansion_can_be_continued_twice() {
    let mut world = World::default();
    world.procedure("m", |_| symbol("unused"));
    let top = TopEnv::program();
    let form = one("(fn (x) (define (g) (m)) (m) (define y x) (list x y (g)))");
    let Step::NeedMacro { next, form, .. } = Expansion::new(form, &top).step(Answer::Go, &world) else {
        panic!("expected a macro call");
    };
    assert_eq!(show_stx(&form), "(m)");
    let finish = |first: &str, second: &str, next: Expansion| {
        let Step::NeedMacro { next, .. } = next.step(Answer::Form(one(first)), &world) else {
            panic!("expected a second macro call");
        };
        match next.step(Answer::Form(one(second)), &world) {
            Step::Done(core, _) => show_core(&core),
            _ => panic!("expected the end"),
        }
    };
    let copy = next.clone();
    let a = finish("(define z 1)", "z", next);
    let b = finish("(f x)", "3", copy);
    assert_eq!(
        a,
        "(fn (x.1) (letrec ((g.1 (fn[g] () z.1)) (z.1 1)) (let (y.1 x.1) (list x.1 y.1 (g.1)))))"
    );
    assert_eq!(
        b,
        "(fn (x.1) (let (g.1 (fn[g] () 3)) (begin (f x.1) (let (y.1 x.1) (list x.1 y.1 (g.1))))))"
    );
}

#[test]
fn a_local_defmacro_is_evaluated_on_the_way() {
    let mut world = World::default();
    world.procedures.push(|form| {
        list(vec![
            symbol("list"),
            form.as_list().map_or_else(|| symbol("?"), |i| i[1].clone()),
        ])
    });
    let core = world
        .expand_in("(fn (x) (defmacro m (y) `(list ,y)) (m x))", &TopEnv::program())
        .unwrap_or_default();
    assert_eq!(core, ["(fn[m] (y.1) (%list 'list y.1))", "(fn (x.1) (list x.1))"]);
    let error = world.expand_in("(fn (x) (defmacro m (y) x) (m 1))", &TopEnv::program());
    assert_eq!(
        error.err().map(|e| e.to_string()).unwrap_or_default(),
        "t:1:25: x: a macro transformer cannot use a variable of the code around it"
    );
}

#[test]
fn a_global_defmacro_is_a_call() {
    check(&[(
        "(defmacro m (x &rest y) x)",
        "(%define-macro 'm (fn[m] (x.1 &rest y.1) x.1))",
    )]);
}

#[test]
fn macroexpand_stops_at_the_first_form_that_is_no_macro() {
    let world = World::default();
    let top = TopEnv::program();
    assert!(world.expand_in("(define-syntax m (syntax-rules () ((_ x) (n x)))) (define-syntax n (syntax-rules () ((_ x) (if x (n x)))))", &top).is_ok());
    match Expansion::macroexpand(one("(m 1)"), &top).step(Answer::Go, &world) {
        Step::Expanded(form) => assert_eq!(show_stx(&form), "(if 1 (n 1))"),
        _ => panic!("expected a form"),
    }
}

#[test]
fn modules_are_steps() {
    let world = World::default();
    let top = TopEnv::program();
    let import = "(import (only (prefix (a b) p:) p:x) (rename (c 1) (x y)))";
    let Step::Import(sets, _) = Expansion::new(one(import), &top).step(Answer::Go, &world) else {
        panic!("expected an import");
    };
    let names = |names: &[(&str, &str)]| {
        names
            .iter()
            .map(|(a, b)| ((*a).into(), (*b).into()))
            .collect::<Vec<(Name, Name)>>()
    };
    let exports = names(&[("x", "l#x"), ("z", "l#z")]);
    assert_eq!((&*sets[0].library, &*sets[1].library), ("a.b", "c.1"));
    assert_eq!(sets[0].select(&exports).unwrap_or_default(), names(&[("p:x", "l#x")]));
    assert_eq!(
        sets[1].select(&exports).unwrap_or_default(),
        names(&[("y", "l#x"), ("z", "l#z")])
    );
    let error = sets[1].select(&[]).err().map(|e| e.to_string()).unwrap_or_default();
    assert_eq!(error, "t:1:38: import: (c 1) exports no x");
    let library = "(define-library (a b) (export x (rename y z)) (import (c)) (begin 1 2) (cond-expand ((and sx (library (scheme base))) (begin 3))))";
    let Step::Library(library) = Expansion::new(one(library), &top).step(Answer::Go, &world) else {
        panic!("expected a library");
    };
    assert_eq!(
        (library.exports.len(), library.imports.len(), library.body.len()),
        (2, 1, 3)
    );
    let library = "(define-library (a) (begin (define (f) (list)) (begin (define (list) 1))))";
    let Step::Library(library) = Expansion::new(one(library), &top).step(Answer::Go, &world) else {
        panic!("expected a library");
    };
    let top = TopEnv::library("a", Language::Sx);
    library.declare(&top);
    world.bound.borrow_mut().insert("list".into());
    assert_eq!(&*top.resolve(&"list".into(), &world), "a#list");
}

#[test]
fn cond_expand_chooses() {
    check(&[
        ("(cond-expand (nothing 1) ((not nothing) 2) (else 3))", "2"),
        ("(fn () (cond-expand (sx (define a 1))) a)", "(fn () (let (a.1 1) a.1))"),
    ]);
}

#[test]
fn deep_forms_expand() {
    let n = 200_000;
    let nested = |open: &str, middle: &str, close: &str| format!("{}{middle}{}", open.repeat(n), close.repeat(n));
    for text in [
        nested("(f ", "x", ")"),
        nested("(", "", ")"),
        nested("(let ((a 1)) ", "a", ")"),
        nested("(if a ", "b", ")"),
        "(fn () (define x 1) ".repeat(3000) + "x" + &")".repeat(3000),
        nested("'(", "x", ")"),
        nested("`(a ", ",x", ")"),
        nested("(and a ", "x", ")"),
        nested("(-> ", "x", " f)"),
        format!("(cond {})", "(a b) ".repeat(n)),
    ] {
        let top = TopEnv::program();
        let mut step = Expansion::new(one(&text), &top).step(Answer::Go, &World::default());
        while let Step::Pause(next) = step {
            step = next.step(Answer::Go, &World::default());
        }
        assert!(matches!(step, Step::Done(..)), "{}", &text[..40]);
    }
}

#[test]
fn what_macros_make_is_bounded() {
    let double = "(define-syntax m (syntax-rules () ((_ x ...) (m x ... x ...))))\n(m 1)";
    assert!(expand(double).ends_with("syntax-rules: the expansion is too large"));
    let tree = "(define-syntax m (syntax-rules () ((_ x) (m (x x)))))\n(m 1)";
    assert!(expand(tree).ends_with("macro expansion does not end"));
    let wide = "(define-syntax m (syntax-rules () ((_ () x) x) ((_ (a . b) x) (m b (x x)))))
                (m (1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30) f)";
    assert!(expand(wide).ends_with("this form is too large"));
}

#[test]
fn random_forms_never_panic() {
    let names: Vec<&str> = forms().map(|form| form.name).collect();
    let atoms = [
        "x", "y", "1", "\"s\"", ":k", ":when", "else", "=>", "...", "_", "()", "nil", "&rest", "{:a x}", "#(x)",
        "(x 1)", "((x 1))", "(a . b)",
    ];
    let mut seed = 1_u64;
    let mut next = move |n: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % n
    };
    for _ in 0..30_000 {
        let mut text = String::new();
        let mut depth = 0;
        for _ in 0..next(20) {
            match next(5) {
                0 => {
                    text.push_str(&format!("({} ", names[next(names.len())]));
                    depth += 1;
                }
                1 if depth > 0 => {
                    text.push(')');
                    depth -= 1;
                }
                2 => text.push_str(["'", "`", ",", ",@"][next(4)]),
                _ => text.push_str(&format!(" {} ", atoms[next(atoms.len())])),
            }
        }
        text.push_str(&")".repeat(depth));
        expand(&text);
    }
}

#[test]
fn every_core_function_that_expansions_call_is_listed() {
    let sources = [
        include_str!("../body.rs"),
        include_str!("../choice.rs"),
        include_str!("../control.rs"),
        include_str!("../define.rs"),
        include_str!("../macros.rs"),
        include_str!("../matching.rs"),
        include_str!("../page.rs"),
        include_str!("../quasi.rs"),
        include_str!("../types.rs"),
        include_str!("../values.rs"),
        include_str!("../work.rs"),
    ];
    let mut used = HashSet::new();
    for piece in sources.iter().flat_map(|source| source.split("\"%").skip(1)) {
        let name = piece.split('"').next().unwrap_or_default();
        if !name.contains([':', '{', ' ']) {
            used.insert(format!("%{name}"));
        }
    }
    let listed: HashSet<String> = names::CORE_FUNCTIONS.iter().map(|f| f.name.to_string()).collect();
    let unlisted: Vec<&String> = used
        .iter()
        .filter(|name| !listed.contains(*name) && table::find(name).is_none())
        .collect();
    assert!(unlisted.is_empty(), "not in names.rs: {unlisted:?}");
    let unused: Vec<&String> = listed.difference(&used).collect();
    assert!(unused.is_empty(), "in names.rs but not called: {unused:?}");
}
