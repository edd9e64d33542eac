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
    assert_eq!(text, "1\t2\n1\t10\n2\t10\n");
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
            "cells",
            PATHS,
            &[("edge.facts", "1\t2\n3\tfour\n")],
            "./edge.facts:2:3: expected a number, found \"four\"",
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
