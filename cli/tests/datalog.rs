//! `sx datalog` from outside: what it prints for programs and fact files, and for what is wrong in them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Files beside a program: name and text.
type Files<'a> = &'a [(&'a str, &'a str)];

/// What a run printed, and its exit code.
struct Run {
    out: String,
    err: String,
    code: Option<i32>,
}

/// Runs a program in a directory of its own, among fact files.
fn run(test: &str, program: &str, files: Files<'_>, options: &[&str]) -> (Run, PathBuf) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("datalog").join(test);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(directory.join("a.dl"), program).expect("written");
    for (name, text) in files {
        std::fs::write(directory.join(name), text).expect("written");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_sx"))
        .args(["datalog", "a.dl"])
        .args(options)
        .current_dir(&directory)
        .env("SX_PROJECT_DIR", concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("the binary runs");
    let run = Run {
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
        code: output.status.code(),
    };
    (run, directory)
}

const PATHS: &str = ".decl edge(x:number, y:number)\n.input edge\npath(X, Y) :- edge(X, Y).\n\
                     path(X, Z) :- path(X, Y), edge(Y, Z).\n";

#[test]
fn questions_print_rows() {
    let program = "p(b). p(a). q(X) :- p(X), X != a. ?- p(X). ?- q(b). ?- q(a).";
    let (run, _) = run("questions", program, &[], &[]);
    assert_eq!(run.out, "?- p(X).\na\nb\n?- q(b).\nyes\n?- q(a).\nno\n");
    assert_eq!(run.code, Some(0), "{}", run.err);
}

#[test]
fn facts_come_from_files_and_sizes_are_printed() {
    let program = format!("{PATHS}.printsize path\n");
    let (run, _) = run("files", &program, &[("edge.facts", "1\t2\n2\t3\n")], &[]);
    assert_eq!((run.out.as_str(), run.code), ("path\t3\n", Some(0)), "{}", run.err);
}

#[test]
fn a_directory_of_facts_needs_no_input_directive() {
    let files = [("likes.csv", "ann,7\nbob,tea\n")];
    let (run, _) = run(
        "directory",
        "drink(X) :- likes(_, X). ?- drink(X).",
        &files,
        &["-F", "."],
    );
    assert_eq!(run.out, "?- drink(X).\n7\ntea\n", "{}", run.err);
}

#[test]
fn output_is_sorted_and_goes_where_it_is_told() {
    let program = format!("{PATHS}.output path\n");
    let files = [("edge.facts", "2\t10\n1\t2\n")];
    let (shown, _) = run("shown", &program, &files, &[]);
    assert_eq!(shown.out, "% path\n1\t2\n1\t10\n2\t10\n");
    let (written, directory) = run("written", &program, &files, &["-D", "."]);
    assert_eq!(written.out, "");
    let text = std::fs::read_to_string(directory.join("path.csv")).expect("written");
    assert_eq!(text, "1,2\n1,10\n2,10\n");
}

#[test]
fn a_declared_symbol_is_one_value_in_text_and_files() {
    let program = ".decl par(x:symbol, y:symbol)\n.input par\npar(tom, bob).\npar(\"ann\", \"Zoe\").\n\
                   .output par\n.printsize par\n?- par(tom, X).\n?- par(\"tom\", X).\n";
    let (run, _) = run("symbols", program, &[("par.facts", "tom\tbob\n")], &[]);
    assert_eq!(
        run.out, "% par\nann\tZoe\ntom\tbob\npar\t2\n?- par(tom, X).\nbob\n?- par(\"tom\", X).\nbob\n",
        "{}",
        run.err
    );
}

#[test]
fn what_is_written_is_read_again() {
    let program = "p(1, 'a,b'). p(-2.5, 'say \"hi\"'). p('7', 'two\nlines'). p('', 'a\tb'). .output p";
    let (shown, _) = run("again-shown", program, &[], &[]);
    assert_eq!(
        shown.out, "% p\n-2.5\tsay \"hi\"\n1\ta,b\n\ta\\tb\n7\ttwo\\nlines\n",
        "{}",
        shown.err
    );
    let (_, directory) = run("again-written", program, &[], &["-D", "."]);
    let text = std::fs::read_to_string(directory.join("p.csv")).expect("written");
    assert_eq!(
        text,
        "-2.5,\"say \"\"hi\"\"\"\n1,\"a,b\"\n,a\tb\n\"7\",\"two\nlines\"\n"
    );
    let (read, _) = run("again-read", ".input p\n.output p\n", &[("p.csv", &text)], &[]);
    assert_eq!(read.out, shown.out, "{}", read.err);
    let (typed, _) = run(
        "again-numbers",
        ".input p\nq(X) :- p(X, _), X < 2. ?- q(X).",
        &[("p.csv", "\"7\",\"b\"\"\"\r\n1,\"x\r\ny\"\r\n")],
        &[],
    );
    assert!(typed.err.contains("cannot compare \"7\" < 2"), "{}", typed.err);
}

#[test]
fn a_cell_that_is_not_declared_is_a_decimal_number_or_text() {
    let cells = "0x1F\n#xFF\n1/2\n+inf.0\n.5\n 7\n+3\n-3\n1.5\n2e3\n007\n";
    let program = ".input p\nn(X) :- p(X), Y is str(X), Y = X.\nd(X) :- p(X), !n(X).\n.output n, d\n";
    let (run, _) = run("cells-of-no-type", program, &[("p.facts", cells)], &[]);
    assert_eq!(
        run.out, "% n\n 7\n#xFF\n+3\n+inf.0\n.5\n0x1F\n1/2\n% d\n-3\n1.5\n7\n2000.0\n",
        "{}",
        run.err
    );
}

#[test]
fn what_is_missing_is_said() {
    let cases: &[(&str, &str, &[&str], &str, i32)] = &[
        (
            "no-facts",
            "p(1).",
            &["-F", "nowhere"],
            "a.dl: read-file: there is no directory nowhere",
            2,
        ),
        (
            "no-output",
            "p(1).",
            &["-D", "nowhere"],
            "a.dl: write-file: there is no directory nowhere",
            2,
        ),
        (
            "no-relation",
            "p(1).\n.output q",
            &[],
            "a.dl:2:2: there is no relation q",
            1,
        ),
        (
            "no-size",
            "p(1).\n.printsize p, q",
            &[],
            "a.dl:2:2: there is no relation q",
            1,
        ),
        (
            "no-proof",
            "p(1).",
            &["--explain", "q(1)"],
            "a.dl: --explain \"q(1)\": there is no relation q",
            1,
        ),
        (
            "no-fact",
            "p(1).",
            &["--explain", "p(1"],
            "a.dl: --explain \"p(1\": 1:4: expected \",\" or \")\", found the end of the text",
            1,
        ),
        (
            "two-facts",
            "p(1).",
            &["--explain", "p(1), p(1)"],
            "a.dl: --explain \"p(1), p(1)\": a single fact is asked for",
            1,
        ),
    ];
    for (test, program, options, message, code) in cases {
        let (run, _) = run(test, program, &[], options);
        assert!(run.err.contains(message), "{test}: {}", run.err);
        assert_eq!((run.out.as_str(), run.code), ("", Some(*code)), "{test}");
    }
}

#[test]
fn what_windows_writes_is_read() {
    let files = [("edge.facts", "\u{feff}1\t2\r\n2\t3\r\n")];
    let program = format!("\u{feff}{}.printsize path\r\n", PATHS.replace('\n', "\r\n"));
    let (run, _) = run("windows", &program, &files, &[]);
    assert_eq!(run.out, "path\t3\n", "{}", run.err);
}

#[test]
fn a_fact_is_explained() {
    let (run, _) = run("explained", "e(1,2). p(X,Y) :- e(X,Y).", &[], &["--explain", "p(1,2)"]);
    assert_eq!(run.out, "p(1, 2)  by p(X, Y) :- e(X, Y).\n  e(1, 2)\n", "{}", run.err);
}

#[test]
fn a_profile_goes_to_standard_error() {
    let (run, _) = run("profile", "e(1,2). p(X,Y) :- e(X,Y).", &[], &["--profile"]);
    assert_eq!(run.out, "p\t1\n");
    assert!(run.err.contains("p(X, Y) :- e(X, Y)."), "{}", run.err);
}

#[test]
fn errors_have_their_place() {
    let cases: &[(&str, &str, Files<'_>, &str)] = &[
        (
            "syntax",
            "p(a).\nq(b",
            &[],
            "a.dl:2:4: expected \",\" or \")\", found the end of the text",
        ),
        (
            "unsafe",
            "p(X) :- q(Y).",
            &[],
            "a.dl: unsafe: head variable X is not bound by the body, in the rule p(X) :- q(Y).",
        ),
        (
            "strata",
            "p(X) :- e(X), !p(X).",
            &[],
            "a.dl: not stratified: p -> not p",
        ),
        (
            "lower",
            ".decl p(x:number)\np(x) :- e(x).",
            &[],
            "no variable (variables begin with an upper case letter)",
        ),
        (
            "columns",
            PATHS,
            &[("edge.facts", "1\t2\n3\n")],
            "./edge.facts:2:1: expected 2 columns, found 1",
        ),
        (
            "too-large",
            PATHS,
            &[("edge.facts", "1\t2e999\n")],
            "./edge.facts:1:3: expected a number, found \"2e999\"",
        ),
        (
            "cells",
            PATHS,
            &[("edge.facts", "1\t2\n3\tfour\n")],
            "./edge.facts:2:3: expected a number, found \"four\"",
        ),
        (
            "infinite",
            PATHS,
            &[("edge.facts", "1\t+inf.0\n")],
            "./edge.facts:1:3: expected a number, found \"+inf.0\"",
        ),
        (
            "unclosed",
            PATHS,
            &[("edge.csv", "1,2\n\"3,4\n5,6\n")],
            "./edge.csv:2:1: a quoted cell in this row is never closed",
        ),
        (
            "behind",
            PATHS,
            &[("edge.csv", "1,\"2\"3\n")],
            "./edge.csv:1:3: expected a comma behind a quoted cell, found \"\\\"2\\\"3\"",
        ),
        (
            "types",
            ".decl p(x:number)\n.decl q(x:symbol)\nq(\"a\"). p(X) :- q(X). .output p",
            &[],
            "X is a symbol in column x of q, but column x of p is declared a number, in the rule p(X) :- q(X).",
        ),
    ];
    for (test, program, files, message) in cases {
        let (run, _) = run(test, program, files, &[]);
        assert!(run.err.contains(message), "{test}: {}", run.err);
        assert_eq!((run.out.as_str(), run.code), ("", Some(1)), "{test}");
    }
    let (run, _) = run("missing", PATHS, &[], &[]);
    assert!(
        run.err.contains("there is neither ./edge.facts nor ./edge.csv"),
        "{}",
        run.err
    );
    assert_eq!(run.code, Some(2));
}
