//! What people are told of native code: `sx jit report`, `explain` and `dump`, and settings that make none.

use std::path::Path;
use std::process::Command;

/// What a command printed, to standard output and standard error, and its exit code.
struct Told {
    out: String,
    err: String,
    code: Option<i32>,
}

/// Runs `sx ARGUMENTS` where the program is `a.sx`; everything is compiled at its first call.
fn sx(test: &str, arguments: &[&str], program: &str, variables: &[(&str, &str)]) -> Told {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(directory.join("a.sx"), program).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sx"));
    command.args(arguments).current_dir(&directory);
    for name in ["SX_MEMORY_LIMIT", "SX_PROJECT_DIR"] {
        command.env_remove(name);
    }
    command.env("SX_SERVING_JIT", "sync").envs(variables.iter().copied());
    let output = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Told {
        out: text(output.stdout),
        err: text(output.stderr),
        code: output.status.code(),
    }
}

/// Each text stands in the other.
fn has_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

/// A function that has met integers only when it is compiled, then floats, integers that are too large, and names.
const LEFT: &str = "
(define (sum x y) (+ x (* x y)))
(define (many n x y) (if (= n 0) 0 (do (sum x y) (many (- n 1) x y))))
(many 3 1 2)
(many 40 1.5 2)
(many 1 4000000000000000000 2)
";

#[test]
fn a_report_says_how_much_there_is_and_why_it_was_left() {
    let told = sx("report", &["jit", "report", "a.sx"], LEFT, &[]);
    assert_eq!((told.err.as_str(), told.code), ("", Some(0)));
    has_all(
        &told.out,
        &[
            " compiled, 0 refused, ",
            " instructions compiled, ",
            " us each; the program waited for it ",
            " instructions interpreted\n",
            "\nsum: native, ",
            "stores, ",
            "helper calls, ",
            "left 12 times at a.sx:2:24, Mul",
            "which has code for every kind of operand now, because ",
            "the operands are not of the kinds it was made for: float, integer",
        ],
    );
}

#[test]
fn a_report_is_told_however_the_program_ends() {
    let fails = sx(
        "fails",
        &["jit", "report", "a.sx"],
        &format!("{LEFT}(sum 1 \"a\")"),
        &[],
    );
    assert_eq!(fails.code, Some(1));
    has_all(&fails.err, &["a.sx:7:1"]);
    has_all(&fails.out, &["\nsum: native, "]);
    let exits = sx(
        "exits",
        &["jit", "report", "a.sx"],
        &format!("{LEFT}(perform (list \"exit\" 7)) (display 1)"),
        &[],
    );
    assert_eq!((exits.err.as_str(), exits.code), ("", Some(7)));
    has_all(&exits.out, &["\nsum: native, "]);
}

#[test]
fn one_function_is_explained() {
    let told = sx("explain", &["jit", "explain", "sum", "a.sx"], LEFT, &[]);
    assert_eq!(told.code, Some(0));
    has_all(
        &told.out,
        &[
            "sum at a.sx:2:",
            "times by the interpreter, compiled ",
            "  entered at its start, behind 0 calls and at 0 loops\n",
            "  left ",
        ],
    );
    let none = sx("explain-none", &["jit", "explain", "no-such", "a.sx"], LEFT, &[]);
    assert_eq!(
        (none.out.as_str(), none.code),
        ("no function of that name was called\n", Some(0))
    );
    let excluded = format!("(jit-exclude! \"sum\"){LEFT}");
    let told = sx("explain-excluded", &["jit", "explain", "sum", "a.sx"], &excluded, &[]);
    has_all(&told.out, &["interpreted: it is excluded"]);
    let redefined = "(define (f x) (abs x)) (f 1) (set! abs abs)";
    let told = sx("explain-redefined", &["jit", "explain", "f", "a.sx"], redefined, &[]);
    has_all(&told.out, &["given up: a primitive in it"]);
}

#[test]
fn every_form_of_a_function_is_shown() {
    let part = |stage: &str| sx("dump", &["jit", "dump", "many", "a.sx", "--stage", stage], LEFT, &[]).out;
    has_all(&part("bytecode"), &["SubI r", "Return r"]);
    has_all(
        &part("ir"),
        &[
            "; the start: 13 instructions in 5 blocks\nblock 0\n",
            "; behind the call at 5: ",
            "sum is part of the code:\n        block 0\n             0  Mul r4 r1 r2",
            "block 6: r1 integer\n     6  SubI r6 r1 1  ; integer\n        may leave here, having stored nothing\n",
            "may leave here, having stored r6 r7 r8\n",
        ],
    );
    has_all(&part("clif"), &["; the start\nfunction ", "return_call_indirect"]);
    has_all(&part("asm"), &["; the start\n"]);
}

#[test]
fn memory_that_holds_no_code_is_a_wrong_setting() {
    let told = sx("little", &["run", "a.sx"], "(display 1)", &[("SX_JIT_MEMORY", "1K")]);
    assert_eq!(
        (told.out.as_str(), told.err.as_str(), told.code),
        (
            "",
            "sx: SX_JIT_MEMORY: expected more than `1K`: the memory allowed for code does not hold what all code needs\n",
            Some(2)
        )
    );
    let off = [("SX_JIT_MEMORY", "1K"), ("SX_SERVING_JIT", "0")];
    assert_eq!(sx("little-off", &["run", "a.sx"], "(display 1)", &off).out, "1");
}
