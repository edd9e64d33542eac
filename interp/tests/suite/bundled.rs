//! Loading files of the bundle: from an image and from text, once, and copies of them on disk.

use super::{core_chunks, empty_machine, eval, machine, machine_with, start};
use std::sync::Arc;
use sx_interp::bundle::{Bundle, BundledFile};
use sx_interp::image::Image;
use sx_interp::machine::{Exit, Machine};
use sx_runtime::host::SimulatedHost;
use sx_runtime::syntax::Source;

const SHAPES: (&str, &str) = (
    "lib/shapes/api.sx",
    "; Shapes.
(load \"lib/shapes/macros.sx\")
(define-type Shape (Circle r) (Square side))
(define (area s) (match s ((Circle r) (* 3 (squared r))) ((Square a) (squared a))))
(define loads (+ 1 (if (nil? earlier) 0 earlier)))
(define (broken x)
  (+ x \"one\"))",
);
const MACROS: (&str, &str) = (
    "lib/shapes/macros.sx",
    "; Macros.
(define earlier nil)
(defmacro squared (x) (list '* x x))
(define-syntax twice (syntax-rules () ((_ x) (begin x x))))",
);

/// The files with images, compiled in the order given.
fn compiled(files: &[(&str, &str)]) -> Arc<Bundle> {
    let sources: Vec<Arc<Source>> = files.iter().map(|(name, text)| Source::new(*name, *text)).collect();
    let text_of = |name: &str| sources.iter().find(|source| source.name == name).cloned();
    let mut encoded: Vec<Vec<u8>> = vec![];
    let bundle = |encoded: &[Vec<u8>]| {
        let file = |(at, source): (usize, &Arc<Source>)| {
            let image = encoded
                .get(at)
                .map(|bytes| Arc::new(Image::decode(bytes, &text_of).unwrap()));
            BundledFile::compiled(source.clone(), image)
        };
        Arc::new(Bundle::new(sources.iter().enumerate().map(file).collect()))
    };
    for source in &sources {
        let mut machine = empty_machine(SimulatedHost::new(0));
        machine.load_image(core_chunks()).unwrap();
        machine.evaluator.bundle = bundle(&encoded);
        let image = machine.compile_library(source).unwrap().expect("an image");
        encoded.push(image.encode().unwrap());
    }
    bundle(&encoded)
}

/// A machine with the shapes as images, and these files on disk.
fn shapes_with(files: &[(&str, &str)]) -> Machine {
    let mut machine = machine_with(files);
    machine.evaluator.bundle = compiled(&[MACROS, SHAPES]);
    machine
}

/// The same with the shapes as texts.
fn texts() -> Machine {
    let mut machine = machine();
    machine.evaluator.bundle = super::bundle(&[MACROS, SHAPES]);
    machine
}

#[test]
fn an_image_does_what_its_text_does() {
    for mut m in [shapes_with(&[]), texts()] {
        assert_eq!(eval(&mut m, "(load \"lib/shapes/api.sx\")"), "nil");
        assert_eq!(eval(&mut m, "(map area (list (Circle 2) (Square 3)))"), "(12 9)");
        assert_eq!(eval(&mut m, "(define n 0)\n(twice (set! n (+ n 1)))\nn"), "2");
        assert_eq!(eval(&mut m, "(squared 5)"), "25");
        assert_eq!(
            eval(&mut m, "(guard (e (true (error-message e))) (area 5))"),
            "\"match: no clause matched 5\""
        );
    }
}

#[test]
fn the_types_of_an_image_are_known_to_whoever_matches_on_them() {
    for mut m in [shapes_with(&[]), texts()] {
        // The warning about a missing case is the compiler's.
        let text = "(load \"lib/shapes/api.sx\")\n(define (f s) (match s ((Circle r) r)))\n(f (Circle 1))";
        assert_eq!(eval(&mut m, text), "1");
        let adts = m.evaluator.program.adts();
        assert_eq!(adts.len(), 1);
        assert_eq!(&*adts[0].name, "Shape");
    }
}

#[test]
fn an_error_in_an_image_shows_its_line() {
    let mut m = shapes_with(&[]);
    let failed = super::failure(&mut m, "(load \"lib/shapes/api.sx\")\n(broken 1)");
    let span = failed.span.expect("a place");
    assert_eq!(span.place(), "lib/shapes/api.sx:7:3");
    assert_eq!(
        &span.source.text[span.start as usize..span.end as usize],
        "(+ x \"one\")"
    );
}

#[test]
fn a_library_is_loaded_once() {
    for mut m in [shapes_with(&[]), texts()] {
        eval(&mut m, "(load \"lib/shapes/api.sx\")\n(set! earlier 10)");
        assert_eq!(eval(&mut m, "(load \"lib/shapes/api.sx\")"), "nil");
        assert_eq!(eval(&mut m, "(load \"./lib/shapes/api.sx\")"), "nil");
        assert_eq!(eval(&mut m, "(list loads earlier)"), "(1 10)");
    }
}

#[test]
fn a_copy_on_disk_is_the_library_itself() {
    let mut m = shapes_with(&[SHAPES, MACROS]);
    eval(
        &mut m,
        "(load \"lib/shapes/api.sx\")\n(set! earlier 10)\n(load \"lib/shapes/api.sx\")",
    );
    assert_eq!(eval(&mut m, "(list loads earlier)"), "(1 10)");
}

#[test]
fn an_edited_copy_is_loaded_once_for_each_text() {
    let edited = "; Macros, edited.\n(define earlier 5)\n(defmacro squared (x) (list '* x x 10))";
    let mut m = shapes_with(&[(MACROS.0, edited), ("later.sx", "(load \"lib/shapes/macros.sx\") 1")]);
    eval(&mut m, "(load \"lib/shapes/macros.sx\")");
    assert_eq!(eval(&mut m, "(squared 2)"), "40");
    assert_eq!(eval(&mut m, "(set! earlier 6)\n(load \"later.sx\")\nearlier"), "6");
    eval(
        &mut m,
        "(write-file \"lib/shapes/macros.sx\" (str (read-file \"lib/shapes/macros.sx\") \" (define earlier 7)\"))",
    );
    assert_eq!(eval(&mut m, "(load \"later.sx\")\nearlier"), "7");
}

#[test]
fn a_file_of_the_program_is_loaded_each_time() {
    let mut m = shapes_with(&[("lib/own.sx", "(set! n (+ n 1))")]);
    let text = "(define n 0)\n(load \"lib/own.sx\")\n(load \"lib/own.sx\")\nn";
    assert_eq!(eval(&mut m, text), "2");
}

#[test]
fn what_is_part_of_the_language_loads_as_nothing() {
    let mut m = machine();
    assert_eq!(eval(&mut m, "(load \"spec/stdlib.sx\")"), "nil");
    let mut m = machine_with(&[("spec/stdlib.sx", "5")]);
    assert_eq!(eval(&mut m, "(load \"spec/stdlib.sx\")"), "5");
}

#[test]
fn files_that_load_each_other_are_an_error() {
    let mut m = machine();
    m.evaluator.bundle = super::bundle(&[("lib/a.sx", "(load \"lib/b.sx\")"), ("lib/b.sx", "(load \"lib/a.sx\")")]);
    for _ in 0..2 {
        assert_eq!(
            eval(&mut m, "(load \"lib/a.sx\")"),
            "!load: the loading of lib/a.sx has begun and not ended: it loads itself, or it failed"
        );
    }
}

#[test]
fn a_library_that_failed_can_be_loaded_again() {
    let mut m = machine();
    m.evaluator.bundle = super::bundle(&[("lib/a.sx", "(define x (* 2 needed))")]);
    assert_eq!(eval(&mut m, "(load \"lib/a.sx\")"), "!Undefined symbol: needed");
    assert_eq!(eval(&mut m, "(define needed 4)\n(load \"lib/a.sx\")\nx"), "8");
}

#[test]
fn a_library_may_perform_while_it_is_loaded_as_text() {
    let mut m = machine();
    m.evaluator.bundle = super::bundle(&[("lib/a.sx", "(define x (perform (list \"ask\")))")]);
    let text = "(load \"lib/a.sx\")\n(+ x 1)";
    assert!(matches!(start(&mut m, "main.sx", text), Exit::Perform));
    m.answer(sx_runtime::value::Word::fixnum(1));
    let exit = m.run();
    assert_eq!(super::outcome(&m, exit), "2");
}
