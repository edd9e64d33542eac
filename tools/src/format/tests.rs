//! Layout by example; over every SX file of the repository; over texts made at random.

use super::{WIDTH, format, meaning};
use std::path::{Path, PathBuf};
use sx_runtime::syntax::{Language, Source};

fn formatted(text: &str) -> String {
    format(&Source::new("t", text)).expect("reads")
}

/// Each text and what it becomes; that stays as it is.
fn check(samples: &[(&str, &str)]) {
    for (text, wanted) in samples {
        assert_eq!(formatted(text), *wanted, "{text}");
        assert_eq!(formatted(wanted), *wanted, "a second time: {text}");
    }
}

#[test]
fn one_line_stays_one_line_when_it_fits() {
    check(&[
        ("(define  (f x)( g x ))", "(define (f x) (g x))\n"),
        ("[1 2]{:a 1}#(1 2)#u8(1)", "[1 2]\n{:a 1}\n#(1 2)\n#u8(1)\n"),
        ("' x `( ,a ,@ b)", "'x\n`(,a ,@b)\n"),
        ("", ""),
        ("(\n  )", "()\n"),
    ]);
}

#[test]
fn forms_are_broken_by_their_rules() {
    check(&[
        (
            "(define (f x)\n \"Doc.\"\n  (g x) (h x))",
            "(define (f x)\n  \"Doc.\"\n  (g x)\n  (h x))\n",
        ),
        (
            "(let ((a 1)\n (b 2)) (f\n a))",
            "(let ((a 1)\n      (b 2))\n  (f\n    a))\n",
        ),
        (
            "(let loop ((i 0))\n (loop i) i)",
            "(let loop ((i 0))\n  (loop i)\n  i)\n",
        ),
        (
            "(cond ((a)\n 1)\n      (else\n 2))",
            "(cond\n  ((a)\n    1)\n  (else\n    2))\n",
        ),
        (
            "(cond (a) 1\n b (f\n x) :else 2)",
            "(cond\n  (a) 1\n  b (f\n      x)\n  :else 2)\n",
        ),
        ("(if (a) (b)\n (c))", "(if (a)\n  (b)\n  (c))\n"),
        ("(case x\n ((1) 2))", "(case x\n  ((1) 2))\n"),
        (
            "(guard (e\n (true 1)) (raise 1))",
            "(guard (e\n         (true 1))\n  (raise 1))\n",
        ),
    ]);
}

#[test]
fn calls_are_broken_where_their_author_did() {
    check(&[
        ("(f a b\n c d)", "(f a b\n  c d)\n"),
        ("(f (g\n x) y)", "(f (g\n     x) y)\n"),
        ("{:a 1\n :b 2}", "{:a 1\n :b 2}\n"),
        ("'(1 2\n  3)", "'(1 2\n  3)\n"),
        ("'(a b\n    c)", "'(a b\n  c)\n"),
    ]);
}

#[test]
fn what_is_too_long_is_broken() {
    let long = "x".repeat(60);
    check(&[
        (&format!("(f {long} {long} a)"), &format!("(f {long}\n  {long}\n  a)\n")),
        (
            &format!("(~card :title {long} :body {long})"),
            &format!("(~card :title {long}\n  :body {long})\n"),
        ),
        (
            &format!("{{:a {long} :b {long}}}"),
            &format!("{{:a {long}\n :b {long}}}\n"),
        ),
        (
            &format!("(define (f x) ({long} {long}))"),
            &format!("(define (f x)\n  ({long}\n    {long}))\n"),
        ),
    ]);
}

#[test]
fn comments_and_blank_lines_stay() {
    check(&[
        (
            ";; head\n\n\n\n(f)  ; behind\n;; next\n(g)",
            ";; head\n\n(f) ; behind\n;; next\n(g)\n",
        ),
        (
            "(define (f)\n ; first\n (g)\n\n (h) ; last\n )",
            "(define (f)\n  ; first\n  (g)\n\n  (h) ; last\n  )\n",
        ),
        ("(f #| a |# b #;(c) d)", "(f #| a |# b #;(c) d)\n"),
        ("#!/usr/bin/sx\n(f)", "#!/usr/bin/sx\n(f)\n"),
        ("(f ' ; why\n x)", "(f '; why\n    x)\n"),
        ("(cond ; how\n (a b))", "(cond ; how\n  (a b))\n"),
    ]);
}

#[test]
fn what_looks_like_another_token_on_another_line_stays_what_it_is() {
    check(&[
        ("(f |a\n b|)", "(f |a\n  b|)\n"),
        ("(f |a b| c)", "(f |a b| c)\n"),
        (", @x", ", @x\n"),
        ("(a\n  |b)", "(a\n  |b\n  )\n"),
    ]);
}

#[test]
fn scheme_is_formatted_as_scheme() {
    for (text, wanted) in [
        ("#!fold-case (F  x)", "#!fold-case\n(F x)\n"),
        ("(f #\\x41 |a  b|\n (a . b))", "(f #\\x41 |a  b|\n  (a . b))\n"),
    ] {
        let source = Source::in_language(Language::Scheme, "t", text);
        assert_eq!(format(&source).expect("reads"), wanted);
    }
}

#[test]
fn strings_are_left_alone() {
    check(&[(
        "(define (f)\n   \"one\n  two\"\n     1)",
        "(define (f)\n  \"one\n  two\"\n  1)\n",
    )]);
}

#[test]
fn depth_costs_neither_stack_nor_squares() {
    for open in ["(", "'", "(f ", "(f\n", "(a (b) "] {
        let depth = 20_000;
        let text = format!(
            "{}x{}",
            open.repeat(depth),
            ")".repeat(depth * usize::from(open != "'"))
        );
        let once = formatted(&text);
        assert!(once.len() < depth * (INDENTED + open.len() + 2), "{open}");
        assert_eq!(formatted(&once), once, "{open}");
    }
}

/// More than the deepest indentation.
const INDENTED: usize = 90;

#[test]
fn what_cannot_be_read_is_said() {
    let errors = format(&Source::new("t", "(f\n  (g)")).expect_err("does not read");
    assert_eq!(errors.to_string(), "t:1:1: unclosed ( opened at 1:1");
}

// ---- the repository ----------------------------------------------------------------------------

fn sources_below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            sources_below(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "sx" || ending == "scm") {
            found.push(path);
        }
    }
}

#[test]
fn every_program_of_the_repository_keeps_its_meaning() {
    let mut files = Vec::new();
    sources_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut files);
    assert!(files.len() > 40, "{}", files.len());
    for path in files {
        let text = std::fs::read_to_string(&path).expect("text");
        // Some cases are about text that does not read.
        let source = Source::new(path.display().to_string(), text.as_str());
        let Ok(once) = format(&source) else { continue };
        check_kept(source.language, &text, &once);
    }
}

#[test]
fn the_libraries_and_examples_are_laid_out() {
    let mut files = Vec::new();
    for directory in ["../lib", "../examples"] {
        sources_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut files);
    }
    for path in files {
        let text = std::fs::read_to_string(&path).expect("text");
        let source = Source::new(path.display().to_string(), text.as_str());
        assert_eq!(format(&source).expect("reads"), text, "{}: sx fmt", path.display());
    }
}

fn check_kept(language: Language, text: &str, once: &str) {
    let source = |text: &str| Source::in_language(language, "t", text);
    let (before, after) = (source(text), source(once));
    assert_eq!(
        meaning(&before).expect("reads"),
        meaning(&after).expect("reads"),
        "{text}"
    );
    assert_eq!(format(&source(once)).expect("reads"), once, "a second time: {text}");
    let is_trimmed = |line: &&str| *line == line.trim_end() || text.contains(*line);
    assert!(once.lines().all(|line| is_trimmed(&line)), "{once}");
}

// ---- random texts ------------------------------------------------------------------------------

/// A small generator; its numbers depend on the seed alone.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

const ATOMS: &[&str] = &[
    "x",
    "y",
    "define",
    "let",
    "cond",
    "if",
    "fn",
    "begin",
    "case",
    "loop",
    "else",
    ":key",
    "1",
    "3/4",
    "\"text\"",
    "\"two\nlines\"",
    "#\\(",
    "#t",
    "nil",
    "...",
    "|a b|",
    "|bar",
    "@at",
    "a-name-that-is-rather-long-for-a-name",
];
const BLANKS: &[&str] = &[
    " ",
    " ",
    " ",
    " ",
    "\n",
    "\n  ",
    "\n\n",
    " ; note\n",
    "\n; note\n",
    " #| block |# ",
    "\n\n\n",
];
const OPENERS: &[(&str, &str)] = &[("(", ")"), ("(", ")"), ("(", ")"), ("[", "]"), ("{", "}"), ("#(", ")")];

fn datum(random: &mut Random, depth: u64, out: &mut String) {
    match random.below(depth + 3) {
        0 | 1 => out.push_str(random.of(ATOMS)),
        2 => {
            out.push_str(random.of(&["'", "`", ",", ",@", "#;x "]));
            if random.below(4) == 0 {
                out.push_str(random.of(BLANKS));
            }
            datum(random, depth.saturating_sub(1), out);
        }
        _ => {
            let (open, close) = OPENERS[random.below(OPENERS.len() as u64) as usize];
            out.push_str(open);
            for _ in 0..random.below(5) * 2 {
                datum(random, depth - 1, out);
                out.push_str(random.of(BLANKS));
            }
            out.push_str(close);
        }
    }
}

#[test]
fn random_texts_keep_their_meaning() {
    let mut formatted_some = 0;
    for seed in 0..3_000 {
        let mut random = Random(seed);
        let mut text = String::new();
        for _ in 0..3 {
            datum(&mut random, 6, &mut text);
            text.push_str(random.of(BLANKS));
        }
        // What a bar means depends on its line: some texts do not read.
        if let Ok(once) = format(&Source::new("t", text.as_str())) {
            check_kept(Language::Sx, &text, &once);
            formatted_some += 1;
        }
    }
    assert!(formatted_some > 1_500, "{formatted_some}");
}

#[test]
fn lines_fit_when_they_can() {
    for seed in 0..500 {
        let mut random = Random(seed);
        let mut text = String::new();
        datum(&mut random, 5, &mut text);
        let Ok(once) = format(&Source::new("t", text.replace(['\n', '|'], " ").replace("; note", ""))) else {
            continue;
        };
        // An atom at the deepest indentation with the brackets that close behind it.
        let longest = once.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(longest < WIDTH + 45, "{longest}: {once}");
    }
}
