//! The binary from outside: what each command prints, where, and its exit code. Messages for bad
//! input are compared whole, place and caret included.
//!
//! Deliberately absent: what programs compute; that is the text corpus.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run of the binary did.
#[derive(Debug)]
struct Run {
    out: String,
    err: String,
    code: Option<i32>,
}

/// A directory of a test's own, empty.
fn directory(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory");
    path
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sx"));
    command.args(arguments).current_dir(directory);
    for name in ["SX_MEMORY_LIMIT", "SX_PROJECT_DIR", "SX_SERVING_JIT"] {
        command.env_remove(name);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn finish(mut command: Command, input: &str) -> Run {
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    // The program may end without reading its input.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("the binary ends");
    Run {
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
        code: output.status.code(),
    }
}

fn sx(test: &str, arguments: &[&str], input: &str) -> Run {
    finish(command(&directory(test), arguments), input)
}

/// Runs a program from the file `a.sx`.
fn run_program(test: &str, program: &str) -> Run {
    let directory = directory(test);
    std::fs::write(directory.join("a.sx"), program).expect("written");
    let mut command = command(&directory, &["run", "a.sx"]);
    command.env("SX_MEMORY_LIMIT", "64M");
    finish(command, "")
}

/// The program fails with exactly this report.
fn check_report(test: &str, program: &str, report: &str) {
    let run = run_program(test, program);
    assert_eq!(run.err, report);
    assert_eq!(run.code, Some(1));
}

#[test]
fn a_program_prints_and_ends_well() {
    let run = run_program("prints", "(display \"hello\")\n(newline)\n(+ 1 2)\n");
    assert_eq!((run.out.as_str(), run.err.as_str(), run.code), ("hello\n", "", Some(0)));
}

#[test]
fn a_program_comes_from_standard_input() {
    let run = sx("stdin", &["run", "-"], "(display (* 6 7))");
    assert_eq!((run.out.as_str(), run.code), ("42", Some(0)));
}

#[test]
fn an_expression_prints_its_value() {
    let run = sx("expression", &["-e", "(list 1 \"a\" :b)"], "");
    assert_eq!((run.out.as_str(), run.code), ("(1 \"a\" \"b\")\n", Some(0)));
}

#[test]
fn the_native_tier_switch_is_accepted() {
    for value in ["0", "1"] {
        let mut command = command(&directory("switch"), &["-e", "1"]);
        command.env("SX_SERVING_JIT", value);
        assert_eq!(finish(command, "").out, "1\n");
    }
}

/// A program whose functions are called often, run with these variables.
fn run_natively(test: &str, program: &str, variables: &[(&str, &str)]) -> Run {
    let directory = directory(test);
    std::fs::write(directory.join("a.sx"), program).expect("written");
    let mut command = command(&directory, &["run", "a.sx"]);
    command.env("SX_SERVING_JIT", "sync");
    for (name, value) in variables {
        command.env(name, value);
    }
    finish(command, "")
}

const TWICE: &str = "
(define (twice x) (+ x x))
(define (thrice x) (let ((y (twice x))) (display y) (+ x y)))
(thrice 7) (thrice \"no\")";

#[test]
fn native_code_can_be_denied_and_bisected() {
    let compiled = |variables: &[(&str, &str)]| {
        let run = run_natively("bisect", TWICE, variables);
        assert_eq!((run.out.as_str(), run.code), ("14", Some(1)), "{variables:?}");
        assert!(run.err.contains("a.sx:2:"), "{}", run.err);
        let names = ["twice", "thrice"];
        names.map(|name| run.err.contains(&format!("jit: {name}: compiled")))
    };
    let log = ("SX_JIT_LOG", "1");
    assert_eq!(compiled(&[]), [false, false]);
    assert_eq!(compiled(&[log]), [true, true]);
    assert_eq!(compiled(&[log, ("SX_JIT_DENY", "none, twi*")]), [false, true]);
    assert_eq!(compiled(&[log, ("SX_JIT_ONLY", "twice,other")]), [true, false]);
    assert_eq!(
        compiled(&[log, ("SX_JIT_ONLY", "t*"), ("SX_JIT_DENY", "twice")]),
        [false, true]
    );
    assert_eq!(compiled(&[log, ("SX_JIT_THRESHOLD", "3")]), [false, false]);
}

#[test]
fn native_code_gives_way_when_its_memory_is_full() {
    let program = "
(define (make n) (eval `(fn (x) (if (< x ,n) (+ x ,n) (- (* x x) ,n)))))
(define (run i sum) (if (= i 400) sum (run (+ i 1) (+ sum ((make i) 1000)))))
(display (run 0 0))
(display (list (> (get (jit-stats) :evicted) 0) (get (jit-stats) :compile-failed)))";
    let run = run_natively("full", program, &[("SX_JIT_MEMORY", "128K")]);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("399920200(true 0)", ""));
}

#[test]
fn native_code_is_told_to_profilers() {
    let directory = directory("perf");
    std::fs::write(
        directory.join("a.sx"),
        "(define (twice x) (str x x)) (display (twice 4))",
    )
    .expect("written");
    let mut command = command(&directory, &["run", "a.sx"]);
    command.env("SX_SERVING_JIT", "sync").env("SX_JIT_PERF", "dump");
    assert_eq!(finish(command, "").out, "44");
    let mut files = std::fs::read_dir(&directory).expect("a directory");
    let dump = files
        .find_map(|file| file.ok().filter(|f| f.file_name().to_string_lossy().ends_with(".dump")))
        .expect("a dump");
    let bytes = std::fs::read(dump.path()).expect("read");
    let name = b"sx:twice a.sx:1:";
    assert!(bytes.windows(name.len()).any(|window| window == name));
}

#[test]
fn a_wrong_variable_of_the_native_tier_is_named() {
    for (name, value, wanted) in [
        ("SX_SERVING_JIT", "maybe", "1 or 0"),
        ("SX_JIT_LOG", "yes", "1 or 0"),
        ("SX_JIT_THRESHOLD", "0", "a number of calls, 1 or more"),
        ("SX_JIT_MEMORY", "much", "bytes like 8M"),
        ("SX_JIT_PERF", "all", "map or dump"),
    ] {
        let run = run_natively("variable", "(display 1)", &[(name, value)]);
        let expected = format!("sx: {name}: expected {wanted}, got `{value}`\n");
        assert_eq!((run.err, run.code), (expected, Some(2)), "{name}");
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    for arguments in [&["run"][..], &["frobnicate"], &["--frobnicate"], &[]] {
        let run = sx("usage", arguments, "");
        assert_eq!(run.code, Some(2), "{arguments:?}");
        assert!(run.err.contains("Usage: sx"), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn a_missing_file_is_named() {
    for command in [
        &["run"][..],
        &["run", "--r7rs"],
        &["test"],
        &["check"],
        &["fmt"],
        &["serve"],
    ] {
        let arguments = [command, &["none.sx"]].concat();
        let run = sx("missing", &arguments, "");
        assert_eq!(
            (run.err.as_str(), run.code),
            ("sx: none.sx: no such file\n", Some(1)),
            "{command:?}"
        );
    }
}

#[test]
fn a_file_that_is_no_text_is_named() {
    let directory = directory("binary");
    std::fs::write(directory.join("a.sx"), [0xff, 0xfe]).expect("written");
    let run = finish(command(&directory, &["run", "a.sx"]), "");
    assert_eq!((run.err.as_str(), run.code), ("sx: a.sx: not UTF-8 text\n", Some(1)));
}

#[test]
fn a_wrong_memory_limit_is_named() {
    let mut command = command(&directory("limit"), &["-e", "1"]);
    command.env("SX_MEMORY_LIMIT", "plenty");
    let run = finish(command, "");
    let message = "sx: SX_MEMORY_LIMIT: expected bytes like 64M or 1G, got `plenty`\n";
    assert_eq!((run.err.as_str(), run.code), (message, Some(2)));
}

#[test]
fn a_report_says_what_kind_of_error_it_is_and_what_about() {
    let run = run_program("irritants", "(error \"msg:\" 1 \"two\" (list 3))");
    assert!(run.err.starts_with("error[user]: msg: 1 \"two\" (3)\n"), "{}", run.err);
    let run = run_program("shape", "(when)");
    assert!(run.err.starts_with("error[syntax]: when: expected "), "{}", run.err);
}

#[test]
fn every_error_of_an_unreadable_source_is_shown() {
    check_report(
        "unreadable",
        "(display 1))\n(display 3/0)\n(display \"a\n",
        "\
error[read]: unexpected )
 --> a.sx:1:12
  |
1 | (display 1))
  |            ^
error[read]: rational: division by zero
 --> a.sx:2:10
  |
2 | (display 3/0)
  |          ^^^
error[read]: unclosed \" opened at 3:10
 --> a.sx:3:10
  |
3 | (display \"a
  |          ^
",
    );
}

#[test]
fn an_unbound_name_gets_advice() {
    check_report(
        "unbound",
        "(define (f xs)\n  (fitler odd? xs))\n(f (list 1 2))\n",
        "\
error[undefined]: Undefined symbol: fitler
 --> a.sx:2:4
  |
2 |   (fitler odd? xs))
  |    ^^^^^^
  |
  = help: did you mean `filter`?
backtrace:
  in f          a.sx:2:3
  in top level  a.sx:3:1
",
    );
}

#[test]
fn a_form_of_another_lisp_gets_advice_where_its_arguments_fail() {
    check_report(
        "foreign",
        "(defun f (x) x)\n(f 1)\n",
        "\
error[undefined]: Undefined symbol: f
 --> a.sx:1:8
  |
1 | (defun f (x) x)
  |        ^
  |
  = help: `defun` of other Lisps is `define` here
backtrace:
  in top level  a.sx:1:8
",
    );
}

#[test]
fn a_wrong_type_is_shown() {
    check_report(
        "type",
        "(define (f x) (+ 1 x))\n(define (g) (* 2 (f \"a\")))\n(g)\n",
        "\
error[type]: Expected number, got string
 --> a.sx:1:15
  |
1 | (define (f x) (+ 1 x))
  |               ^^^^^^^
backtrace:
  in f          a.sx:1:15
  in g          a.sx:2:18
  in top level  a.sx:3:1
",
    );
}

#[test]
fn a_wrong_arity_is_shown() {
    check_report(
        "arity",
        "(define (f x) x)\n(f 1 2)\n",
        "\
error[arity]: f: expected 1 argument, got 2
 --> a.sx:2:1
  |
2 | (f 1 2)
  | ^^^^^^^
backtrace:
  in top level  a.sx:2:1
",
    );
}

#[test]
fn an_unhandled_effect_is_shown() {
    check_report(
        "effect",
        "(define (f) (perform {:op \"nobody/knows\"}))\n(map (fn (x) (list (f))) (list 1))\n",
        "\
error[effect]: Unhandled effect: nobody/knows
 --> a.sx:1:13
  |
1 | (define (f) (perform {:op \"nobody/knows\"}))
  |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
backtrace:
  in f            a.sx:1:13
  in (anonymous)  a.sx:2:20
  in top level    a.sx:2:1
",
    );
}

#[test]
fn an_uncaught_raise_is_shown() {
    check_report(
        "raise",
        "(define (f) (raise (list 1 2)))\n(f)\n",
        "\
error[user]: Uncaught: (1 2)
 --> a.sx:1:13
  |
1 | (define (f) (raise (list 1 2)))
  |             ^^^^^^^^^^^^^^^^^^
backtrace:
  in f          a.sx:1:13
  in top level  a.sx:2:1
",
    );
}

#[test]
fn an_infinite_recursion_ends() {
    check_report(
        "recursion",
        "(define (f n) (+ 1 (f n)))\n(f 1)\n",
        "\
error[stack]: stack exhausted
 --> a.sx:1:20
  |
1 | (define (f n) (+ 1 (f n)))
  |                    ^^^^^
backtrace:
  in f  a.sx:1:20  × 64
  …
",
    );
}

#[test]
fn the_memory_limit_ends_a_program() {
    check_report(
        "memory",
        "(define (grow xs) (grow (append! xs (range 0 1000))))\n(grow (list))\n",
        "\
error[memory]: memory limit
 --> a.sx:1:37
  |
1 | (define (grow xs) (grow (append! xs (range 0 1000))))
  |                                     ^^^^^^^^^^^^^^
backtrace:
  in grow       a.sx:1:37
  in top level  a.sx:2:1
",
    );
}

#[test]
fn a_program_can_catch_the_memory_limit() {
    let program = "\
(define (grow xs) (append! xs \"x\") (grow xs))
(display (guard (e (true (error-message e))) (grow (list))))
(display (len (range 0 1000)))
";
    let run = run_program("memory-caught", program);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("memory limit1000", ""));
}

/// Runs a program that says "on" and then does not end, and sends it a Ctrl-C: its report.
#[cfg(unix)]
fn interrupted(test: &str, program: &str) -> String {
    let directory = directory(test);
    std::fs::write(directory.join("a.sx"), program).expect("written");
    let mut child = command(&directory, &["run", "a.sx"])
        .spawn()
        .expect("the binary starts");
    // Nothing comes from there, and it stays open.
    let _input = child.stdin.take();
    let mut first = [0; 2];
    let output = child.stdout.as_mut().expect("piped");
    output.read_exact(&mut first).expect("output");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    for _ in 0..200 {
        if child.try_wait().is_ok_and(|status| status.is_some()) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    // If it still runs, its code is not the one that is wanted.
    let _ = child.kill();
    let output = child.wait_with_output().expect("the binary ends");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{err}");
    err
}

#[cfg(unix)]
#[test]
fn ctrl_c_interrupts_a_program() {
    let program = "(define (loop n) (loop (+ n 1)))\n(display \"on\\n\")\n(flush-output)\n(loop 0)\n";
    let report = "\
error[interrupt]: interrupted
 --> a.sx:4:1
  |
4 | (loop 0)
  | ^^^^^^^^
backtrace:
  in top level  a.sx:4:1
";
    assert_eq!(interrupted("interrupt", program), report);
}

#[cfg(unix)]
#[test]
fn ctrl_c_interrupts_a_program_that_waits_for_input() {
    let program = "(display \"on\\n\")\n(flush-output)\n(display (read-line))\n";
    let report = "\
error[interrupt]: interrupted
 --> a.sx:3:10
  |
3 | (display (read-line))
  |          ^^^^^^^^^^^
backtrace:
  in top level  a.sx:3:10
";
    assert_eq!(interrupted("interrupt-input", program), report);
}

#[test]
fn a_program_in_the_repl_reads_lines_of_the_same_input() {
    let run = sx(
        "repl-lines",
        &["repl"],
        "(read-line)\nfoo\n(list (read-line) 1)\nbar\n(+ 1\n2)\n(read-line)",
    );
    assert_eq!(run.out, "\"foo\"\n(\"bar\" 1)\n3\n#<eof>\n");
    assert_eq!((run.err.as_str(), run.code), ("", Some(0)));
}

#[test]
fn a_directory_is_no_program() {
    let run = sx("directory", &["run", "."], "");
    assert_eq!((run.err.as_str(), run.code), ("sx: .: is a directory\n", Some(1)));
}

#[test]
fn the_time_of_a_form_is_told() {
    let run = sx("repl-time", &["repl"], ",time (+ 1 2)\n");
    assert_eq!((run.out.as_str(), run.code), ("3\n", Some(0)));
    assert!(run.err.trim_end().ends_with("ms"), "{run:?}");
}

#[test]
fn documentation_is_shown() {
    // A function, a primitive, a special form, with what one needs to call it.
    for (name, parts) in [
        ("filter", &["(filter f xs)", "(f x) is true"][..]),
        ("string-length", &["(string-length", "code points"]),
        ("guard", &["(guard ("]),
        ("->", &["(->"]),
    ] {
        let run = sx("doc", &["doc", name], "");
        assert!(parts.iter().all(|part| run.out.contains(part)), "{run:?}");
        assert_eq!((run.err.as_str(), run.code), ("", Some(0)), "{name}");
    }
    let run = sx("doc", &["doc", "fitler"], "");
    let message = "sx: nothing is named `fitler`; did you mean `filter`?\n";
    assert_eq!((run.err.as_str(), run.code), (message, Some(1)));
}

#[test]
fn the_repl_goes_on_after_errors_and_keeps_definitions() {
    let run = sx(
        "repl",
        &["repl"],
        "(define x\n  20)\n(car 5)\n(* x\n   2)\n,nonsense\n\"a\"\n,quit\n3\n",
    );
    assert_eq!(run.out, "20\n40\n\"a\"\n");
    assert!(run.err.contains("<repl 2>:1:"), "{}", run.err);
    assert!(
        run.err.ends_with("no command `,nonsense`; `,help` lists them\n"),
        "{}",
        run.err
    );
    assert_eq!(run.code, Some(0));
}

#[test]
fn the_repl_shows_bytecode_traces_and_documentation() {
    let run = sx(
        "repl-tools",
        &["repl"],
        "(define (f x) (+ x 1))\n,bytecode f\n,trace (f 41)\n,doc map\n,help\n",
    );
    for part in ["Return", "42", "map", ",bytecode"] {
        assert!(run.out.contains(part), "{part}: {}", run.out);
    }
    assert_eq!(run.err, "");
}

const CASES: &str = ";;;; good\n(+ 1 2)\n;=> 3\n\n;;;; bad\n(display \"x\")\n(+ 1 2)\n;=> 4\n";

#[test]
fn text_cases_are_run_and_blessed() {
    let directory = directory("cases");
    let file = directory.join("a.sx");
    std::fs::write(&file, CASES).expect("written");
    let run = finish(command(&directory, &["test", ".", "--config", "interp"]), "");
    assert!(run.out.contains("FAILED a.sx::bad::interp\n"), "{}", run.out);
    assert!(
        run.out.contains("  expected  ;=> 4\n  got       ;=> 3\n"),
        "{}",
        run.out
    );
    assert!(run.out.ends_with("1 passed, 1 failed\n"), "{}", run.out);
    assert_eq!(run.code, Some(1));
    let run = finish(command(&directory, &["test", "a.sx", "--bless", "--filter", "bad"]), "");
    assert_eq!((run.out.as_str(), run.code), ("1 blessed\n", Some(0)));
    let after = std::fs::read_to_string(&file).expect("read");
    assert_eq!(
        after,
        ";;;; good\n(+ 1 2)\n;=> 3\n\n;;;; bad\n(display \"x\")\n(+ 1 2)\n;out| x\n;=> 3\n"
    );
    let run = finish(command(&directory, &["test"]), "");
    assert_eq!(run.code, Some(1), "there is no directory tests");
    let run = finish(command(&directory, &["test", "."]), "");
    assert_eq!((run.out.as_str(), run.code), ("18 passed, 0 failed\n", Some(0)));
}

// ---- fmt ---------------------------------------------------------------------------------------

#[test]
fn a_program_on_standard_input_is_formatted_to_standard_output() {
    let run = sx("fmt-stdin", &["fmt"], "(define  (f x)\n     x)");
    assert_eq!(
        (run.out.as_str(), run.err.as_str(), run.code),
        ("(define (f x)\n  x)\n", "", Some(0))
    );
}

#[test]
fn files_are_formatted_in_place() {
    let directory = directory("fmt-files");
    std::fs::create_dir(directory.join("below")).expect("made");
    let (a, b) = (directory.join("a.sx"), directory.join("below/b.sx"));
    std::fs::write(&a, "(f  x)").expect("written");
    std::fs::write(&b, "(f x)\n").expect("written");
    let check = finish(command(&directory, &["fmt", "--check", "."]), "");
    assert_eq!((check.out.as_str(), check.code), ("./a.sx\n", Some(1)));
    assert_eq!(std::fs::read_to_string(&a).expect("there"), "(f  x)");
    let run = finish(command(&directory, &["fmt", "."]), "");
    assert_eq!((run.out.as_str(), run.code), ("", Some(0)));
    assert_eq!(std::fs::read_to_string(&a).expect("there"), "(f x)\n");
    let check = finish(command(&directory, &["fmt", "--check", "."]), "");
    assert_eq!((check.out.as_str(), check.code), ("", Some(0)));
}

#[test]
fn a_file_that_does_not_read_is_left_alone() {
    let directory = directory("fmt-unreadable");
    std::fs::write(directory.join("a.sx"), "(f  (g)").expect("written");
    std::fs::write(directory.join("b.sx"), "(f  x)").expect("written");
    let run = finish(command(&directory, &["fmt", "."]), "");
    let report = "error[read]: unclosed ( opened at 1:1\n --> ./a.sx:1:1\n  |\n1 | (f  (g)\n  | ^\n";
    assert_eq!((run.err.as_str(), run.code), (report, Some(1)));
    let text = |name| std::fs::read_to_string(directory.join(name)).expect("there");
    assert_eq!(
        (text("a.sx"), text("b.sx")),
        ("(f  (g)".to_owned(), "(f x)\n".to_owned())
    );
}

// ---- suites ------------------------------------------------------------------------------------

const SUITE: &str = "\
(define (double x) (* 2 x))
(defsuite \"double\"
  (deftest \"of a number\" (assert-equal 4 (double 2)))
  (deftest \"of a sum\"
    (assert-equal 7 (double 3)))
  (deftest \"of what a handler answers\"
    (assert-equal (list 2 4)
      (with-handler {:ask (fn (request resume) (resume (first (get request :args))))}
        (map (fn (x) (double (perform (list :ask x)))) (list 1 2))))))
(deftest \"raises\" (first (rest 5)))
";

#[test]
fn a_suite_shows_place_wanted_and_given_of_what_fails() {
    let directory = directory("suite");
    std::fs::write(directory.join("a.sx"), SUITE).expect("written");
    let run = finish(command(&directory, &["test", "a.sx"]), "");
    assert_eq!(
        run.out,
        "FAILED a.sx::double of a sum\nFAILED a.sx::raises\n2 passed, 2 failed\n"
    );
    assert_eq!(
        run.err,
        "\
error[assert]: assert-equal: wanted 7, given 6
 --> a.sx:5:5
  |
5 |     (assert-equal 7 (double 3)))
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^
backtrace:
  in (anonymous)  a.sx:5:5
error[type]: rest: 1 list arg
  --> a.sx:10:26
   |
10 | (deftest \"raises\" (first (rest 5)))
   |                          ^^^^^^^^
backtrace:
  in (anonymous)  a.sx:10:26
"
    );
    assert_eq!(run.code, Some(1));
}

#[test]
fn a_filter_chooses_tests_of_a_suite_in_every_mode() {
    let directory = directory("suite-filter");
    std::fs::write(directory.join("a.sx"), SUITE).expect("written");
    for mode in ["interp", "interp+gc-stress", "interp+suspend", "interp+seal"] {
        let run = finish(
            command(&directory, &["test", ".", "--filter", "handler", "--config", mode]),
            "",
        );
        assert_eq!(
            (run.out.as_str(), run.code),
            ("1 passed, 0 failed\n", Some(0)),
            "{mode}"
        );
    }
}

#[test]
fn results_are_written_as_xml() {
    let directory = directory("suite-junit");
    std::fs::write(directory.join("a.sx"), SUITE).expect("written");
    std::fs::write(directory.join("b.sx"), CASES).expect("written");
    let run = finish(command(&directory, &["test", ".", "--junit", "out.xml"]), "");
    assert!(run.out.ends_with("11 passed, 11 failed\n"), "{}", run.out);
    let xml = std::fs::read_to_string(directory.join("out.xml")).expect("written");
    for part in [
        "<testsuites tests=\"22\" failures=\"11\" ",
        "<testsuite name=\"b.sx\" tests=\"18\" failures=\"9\" ",
        "<testcase classname=\"b.sx\" name=\"good::interp+seal\" ",
        "<failure message=\"error[assert]: assert-equal: wanted 7, given 6\">",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
}

#[test]
fn a_suite_that_does_not_load_has_failed() {
    let directory = directory("suite-broken");
    std::fs::write(directory.join("a.sx"), "(deftest \"a\" 1)\n(undefined-thing)\n").expect("written");
    let run = finish(command(&directory, &["test", "a.sx"]), "");
    assert_eq!(
        (run.out.as_str(), run.code),
        ("FAILED a.sx::(loading)\n0 passed, 1 failed\n", Some(1))
    );
    assert!(run.err.contains(" --> a.sx:2:2\n"), "{}", run.err);
}

// ---- check -------------------------------------------------------------------------------------

#[test]
fn a_check_reports_findings_like_errors() {
    let directory = directory("check");
    std::fs::write(
        directory.join("a.sx"),
        "(define (f x)\n  (fitler x))\n(let ((y 1)) (f 1 2))\n",
    )
    .expect("written");
    std::fs::write(directory.join("b.sx"), "(define (g x) (* 2 x))\n").expect("written");
    let run = finish(command(&directory, &["check", "."]), "");
    assert_eq!(
        run.err,
        "\
error[undefined]: Undefined symbol: fitler
 --> ./a.sx:2:4
  |
2 |   (fitler x))
  |    ^^^^^^
  |
  = help: did you mean `filter`?
warning[unused]: y is bound but never used
 --> ./a.sx:3:8
  |
3 | (let ((y 1)) (f 1 2))
  |        ^
error[arity]: f: expected 1 argument, got 2
 --> ./a.sx:3:14
  |
3 | (let ((y 1)) (f 1 2))
  |              ^^^^^^^
"
    );
    assert_eq!((run.out.as_str(), run.code), ("2 programs, 3 findings\n", Some(1)));
    let run = finish(command(&directory, &["check", "b.sx"]), "");
    assert_eq!(
        (run.out.as_str(), run.err.as_str(), run.code),
        ("1 program, 0 findings\n", "", Some(0))
    );
    let run = finish(command(&directory, &["check", "none.sx"]), "");
    assert_eq!((run.err.as_str(), run.code), ("sx: none.sx: no such file\n", Some(1)));
}

#[test]
fn a_check_tells_where_the_existing_host_differs() {
    let run = sx("check-compat", &["check", "--compat", "-"], "(display (append! () 1))");
    assert_eq!(
        run.err,
        "\
warning[compat]: (append! () x): there, grows the literal; here, error append!: the empty list cannot grow
 --> <stdin>:1:19
  |
1 | (display (append! () 1))
  |                   ^^
  |
  = help: start from (list)
"
    );
    assert_eq!(run.code, Some(1));
    let run = sx("check-plain", &["check", "-"], "(display (append! () 1))");
    assert_eq!(run.code, Some(0));
}

#[test]
fn advice_names_nothing_that_is_not_there() {
    let run = sx("advice", &["repl"], "(fltirr 1)\n(fltirx 1)\n");
    assert_eq!(run.err.matches("did you mean").count(), 0, "{}", run.err);
}
