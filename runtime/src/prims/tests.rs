//! The table against itself: every row is documented, and its examples do what they say, run by a
//! small evaluator that knows primitive calls, `let` and `quote`, also with a collection at every
//! reserve.

#![allow(unsafe_code, clippy::unwrap_used)]

mod fuzz;

use super::*;
use crate::heap::{GcKind, Heap, HeapOptions, Roots};
use crate::host::SimulatedHost;
use crate::num::{Num, Parsed};
use crate::value::Value;

/// The slots of an isolate that only calls primitives.
#[derive(Default)]
struct Slots(Vec<Word>);

impl Roots for Slots {
    fn visit(&mut self, _: GcKind, f: &mut dyn FnMut(&mut Word)) {
        self.0.iter_mut().for_each(f);
    }
    fn instance(&mut self, _: *const (), _: &mut dyn FnMut(&mut Word)) {}
}

struct Isolate {
    heap: Heap,
    slots: Slots,
    host: SimulatedHost,
    state: PrimState,
}

#[derive(Debug, Clone)]
enum Form {
    Atom(String),
    Text(String),
    Call(Vec<Form>),
    Dict(Vec<Form>),
}

/// Reads one form; enough of the syntax for the examples.
fn read(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Form {
    while chars.next_if(|c| c.is_whitespace()).is_some() {}
    let until = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>, end: char| {
        let mut forms = Vec::new();
        loop {
            while chars.next_if(|c| c.is_whitespace()).is_some() {}
            if chars.next_if_eq(&end).is_some() {
                return forms;
            }
            forms.push(read(chars));
        }
    };
    match chars.next().expect("a form") {
        '(' => Form::Call(until(chars, ')')),
        '{' => Form::Dict(until(chars, '}')),
        '\'' => Form::Call(vec![Form::Atom("quote".into()), read(chars)]),
        '"' => {
            let mut text = String::new();
            loop {
                match chars.next().expect("closing quote") {
                    '"' => return Form::Text(text),
                    '\\' => text.push(match chars.next().unwrap() {
                        'n' => '\n',
                        other => other,
                    }),
                    c => text.push(c),
                }
            }
        }
        first => {
            let mut atom = String::from(first);
            if first == '#' && chars.peek() == Some(&'\\') {
                atom.push(chars.next().unwrap());
                atom.push(chars.next().unwrap());
            }
            while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !"(){}\"".contains(*c)) {
                atom.push(c);
            }
            Form::Atom(atom)
        }
    }
}

impl Isolate {
    fn new(stress: bool) -> Isolate {
        let options = HeapOptions {
            stress,
            poison: stress,
            ..HeapOptions::default()
        };
        Isolate {
            heap: Heap::new(options),
            slots: Slots::default(),
            host: SimulatedHost::new(1),
            state: PrimState::default(),
        }
    }

    fn push(&mut self, word: Word) -> usize {
        self.slots.0.push(word);
        self.slots.0.len() - 1
    }

    /// Makes a value from a closure that spends at most a kilobyte.
    fn make(&mut self, f: impl FnOnce(&Heap) -> Word) -> usize {
        self.heap.reserve(1024, &mut self.slots).unwrap();
        let word = f(&self.heap);
        self.push(word)
    }

    fn call(&mut self, name: &str, args: &[usize]) -> Result<usize, String> {
        let base = self.slots.0.len();
        for at in args {
            self.push(self.slots.0[*at]);
        }
        self.push(Word::NIL);
        let first = self.slots.0[base..].as_mut_ptr();
        let Isolate {
            heap,
            slots,
            host,
            state,
            ..
        } = self;
        // SAFETY: the slots are visited by `slots` and nobody else touches them meanwhile.
        let mut cx = unsafe { Cx::new(heap, slots, host, state, first, args.len()) };
        let id = by_name(name).ok_or_else(|| format!("no primitive {name}"))?;
        let answer = registry::call(id, &mut cx);
        self.slots.0.truncate(base);
        match answer {
            Ok(word) => Ok(self.push(word)),
            Err(raise) => Err(raise.message().to_string()),
        }
    }

    fn eval(&mut self, form: &Form, env: &[(String, usize)]) -> Result<usize, String> {
        match form {
            Form::Text(text) => Ok(self.make(|heap| heap.string(text).word())),
            Form::Atom(atom) => match env.iter().rev().find(|(name, _)| name == atom) {
                Some((_, at)) => Ok(self.push(self.slots.0[*at])),
                None => Ok(self.literal(atom)),
            },
            Form::Dict(forms) => self.apply("dict", forms, env),
            Form::Call(forms) => match forms.first() {
                None => Ok(self.push(Word::EMPTY)),
                Some(Form::Atom(name)) if name == "quote" => self.quoted(&forms[1]),
                // Nothing here can run a body: a parameter is as callable as a procedure.
                Some(Form::Atom(name)) if name == "fn" => {
                    self.apply("%make-parameter", &[Form::Atom("nil".into())], env)
                }
                Some(Form::Atom(name)) if name == "let" => {
                    let Form::Call(bindings) = &forms[1] else { panic!("let") };
                    let mut inner = env.to_vec();
                    for binding in bindings {
                        let Form::Call(pair) = binding else { panic!("let") };
                        let Form::Atom(name) = &pair[0] else { panic!("let") };
                        inner.push((name.clone(), self.eval(&pair[1], &inner)?));
                    }
                    let mut last = Ok(0);
                    for body in &forms[2..] {
                        last = Ok(self.eval(body, &inner)?);
                    }
                    last
                }
                Some(Form::Atom(name)) => self.apply(name, &forms[1..], env),
                Some(other) => panic!("cannot call {other:?}"),
            },
        }
    }

    fn quoted(&mut self, form: &Form) -> Result<usize, String> {
        let atom = match form {
            Form::Call(items) => {
                let items: Result<Vec<usize>, String> = items.iter().map(|item| self.quoted(item)).collect();
                return self.call("list", &items?);
            }
            Form::Atom(atom) => atom,
            _ => return self.eval(form, &[]),
        };
        let is_name = !matches!(&**atom, "nil" | "true" | "false") && !matches!(Num::parse(atom), Parsed::Number(_));
        Ok(match atom.strip_prefix(':') {
            Some(name) => self.make(|heap| heap.keyword(name).word()),
            None if is_name => self.make(|heap| heap.symbol(atom).word()),
            None => self.literal(atom),
        })
    }

    fn apply(&mut self, name: &str, forms: &[Form], env: &[(String, usize)]) -> Result<usize, String> {
        let args: Result<Vec<usize>, String> = forms.iter().map(|form| self.eval(form, env)).collect();
        self.call(name, &args?)
    }

    fn literal(&mut self, atom: &str) -> usize {
        let fixed = match atom {
            "nil" => Some(Word::NIL),
            "true" => Some(Word::TRUE),
            "false" => Some(Word::FALSE),
            "#\\space" => Some(Word::char(' ')),
            _ => None,
        };
        if let Some(word) = fixed {
            return self.push(word);
        }
        if let Some(name) = atom.strip_prefix(':') {
            return self.make(|heap| heap.intern(name).word());
        }
        if let Some(c) = atom.strip_prefix("#\\") {
            return self.push(Word::char(c.chars().next().unwrap()));
        }
        match Num::parse(atom) {
            Parsed::Number(n) => self.make(|heap| heap.number(&n).word()),
            other => panic!("{atom}: {other:?}"),
        }
    }

    fn value(&self, at: usize) -> Value<'_> {
        // SAFETY: the slot is rooted, and nothing is collected while this is borrowed.
        unsafe { Value::from_raw(self.slots.0[at]) }
    }

    fn show(&self, at: usize) -> String {
        self.heap.print(self.value(at), crate::print::Style::Write)
    }

    fn run(&mut self, text: &str) -> Result<String, String> {
        let mut chars = text.chars().peekable();
        let form = read(&mut chars);
        assert!(chars.all(char::is_whitespace), "one form: {text}");
        let at = self.eval(&form, &[])?;
        Ok(self.show(at))
    }
}

/// The expression of an example and what it should give.
fn parts(example: &str) -> (&str, Option<Result<&str, &str>>) {
    if let Some((expr, value)) = example.split_once(" ; => ") {
        (expr, Some(Ok(value)))
    } else if let Some((expr, error)) = example.split_once(" ; error: ") {
        (expr, Some(Err(error)))
    } else {
        (example, None)
    }
}

fn check_examples(stress: bool) {
    let mut failures = Vec::new();
    for prim in all().iter().filter(|prim| !NEEDS_PROGRAM.contains(&prim.name)) {
        for example in prim.examples {
            let (expr, wanted) = parts(example);
            let mut isolate = Isolate::new(stress);
            let got = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| isolate.run(expr)))
                .unwrap_or_else(|_| Err("panic".into()));
            let fits = match (&got, wanted) {
                (Ok(got), Some(Ok(wanted))) => got == wanted,
                (Err(got), Some(Err(wanted))) => got == wanted,
                (got, None) => got.is_ok(),
                _ => false,
            };
            if !fits {
                failures.push(format!("{example}\n   gave {got:?}"));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} examples fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn every_example_gives_what_it_says() {
    check_examples(false);
}

#[test]
fn every_example_gives_it_with_a_collection_at_every_reserve() {
    check_examples(true);
}

/// Primitives whose examples need what only a whole program has: functions that are values. The
/// corpus runs them.
const NEEDS_PROGRAM: &[&str] = &["arity"];

#[test]
fn every_row_is_documented_and_well_formed() {
    for prim in all() {
        assert!(
            prim.doc_text().ends_with(['.', '?']),
            "{}: the doc is sentences",
            prim.name
        );
        assert!(!prim.examples.is_empty(), "{} has no example", prim.name);
        let marks: Vec<Mark> = prim.params.iter().map(|p| p.mark).collect();
        let order = |m: &Mark| [Mark::Required, Mark::Optional, Mark::Rest].iter().position(|x| x == m);
        assert!(marks.is_sorted_by_key(order), "{}: required, optional, rest", prim.name);
    }
    let names = registry::names().count();
    let rows: usize = all().iter().map(|p| 1 + p.aliases.len()).sum();
    assert_eq!(names, rows, "every name is there once");
}

#[test]
fn arguments_are_checked_before_the_body_runs() {
    let mut isolate = Isolate::new(false);
    for (expr, message) in [
        ("(rest)", "rest: 1 list arg"),
        ("(drop (list 1) \"x\")", "drop: list and number"),
        ("(+ 1 nil)", "Expected number, got nil"),
        ("(string-length 5)", "string-length: expected string, got number"),
        ("(cons 1)", "cons: expected 2 arguments, got 1"),
        ("(not)", "not: expected 1 argument, got 0"),
        ("(substring \"a\")", "substring: expected 2 to 3 arguments, got 1"),
        ("(- )", "-: expected at least 1 argument, got 0"),
        ("(append! 5 1)", "append!: expected list, got number"),
        ("(sqrt true)", "Expected number, got boolean"),
        ("(make-vector 100000000000 0)", "memory limit"),
        ("(repeat \"abc\" 1000000000000)", "memory limit"),
        ("(expt 10 100000000000)", "memory limit"),
        ("(range 10000000000)", "memory limit"),
    ] {
        assert_eq!(isolate.run(expr), Err(message.to_string()), "{expr}");
    }
}

#[test]
fn the_reference_names_every_public_primitive() {
    let page = docs::reference();
    for prim in all().iter().filter(|p| !p.is_internal()) {
        assert!(page.contains(&format!("\n## {}\n", prim.name)), "{}", prim.name);
    }
}

#[test]
fn cyclic_data_prints_and_compares_to_an_end() {
    for stress in [false, true] {
        let mut isolate = Isolate::new(stress);
        let cyclic = "(let ((xs (list 1))) (append! xs xs) xs)";
        assert_eq!(isolate.run(cyclic), Ok("(1 #<cycle>)".to_string()));
        assert_eq!(isolate.run(&format!("(= {cyclic} {cyclic})")), Ok("true".to_string()));
        assert_eq!(
            isolate.run("(let ((d {:a 1})) (dict-set! d :self d) d)"),
            Ok("{:a 1 :self #<cycle>}".to_string())
        );
        let shared = "(let ((x (list 1))) (list x x))";
        assert_eq!(isolate.run(shared), Ok("((1) (1))".to_string()));
    }
}

#[test]
fn output_reaches_the_host() {
    let mut isolate = Isolate::new(true);
    isolate.run("(let () (display \"a\") (display (list \"b\" #\\c)) (newline) (fresh-line) (print 1 \"x\") (host-warn \"w\"))").unwrap();
    assert_eq!(isolate.host.take_out(), "a(\"b\" #\\c)\n1 x\n");
    assert_eq!(isolate.host.err, "[sx] w\n");
    isolate.host.input.push_back("one two\n".into());
    assert_eq!(
        isolate.run("(list (read-char) (peek-char) (read-line) (eof-object? (read-line)))"),
        Ok("(#\\o #\\n \"ne two\" true)".into())
    );
    isolate
        .run("(let ((p (open-output-file \"f\"))) (write-string \"kept\" p) (close-port p))")
        .unwrap();
    assert_eq!(
        isolate.run("(read-line (open-input-file \"f\"))"),
        Ok("\"kept\"".into())
    );
    assert_eq!(
        isolate.run("(read-file \"none\")"),
        Err("read-file: none: no such file".into())
    );
}

#[test]
fn a_buffer_that_goes_on_from_an_older_point_is_another_one() {
    let mut isolate = Isolate::new(true);
    let text = "(let ((b (%buffer-snoc (%buffer 4) 0 1)))
                  (let ((x (%buffer->list (%buffer-snoc b 1 :x) 2)) (y (%buffer->list (%buffer-snoc b 1 :y) 2)))
                    (set-nth! y 0 9)
                    (list x y)))";
    assert_eq!(isolate.run(text), Ok("((1 \"x\") (9 \"y\"))".into()));
}
