//! The ops of the edge, row by row: what each answers, what it says of wrong arguments, and that what
//! was answered is there when the store is opened again.

use crate::support::{self, store_on};
use std::sync::Arc;
use sx::Value;
use sx_serve::edge::{self, Answer, Edge};
use sx_store::{SimulatedDisk, Store};

/// An op performed, and what the value prints as. In order, on one store.
const CASES: &[(&str, &str, &str)] = &[
    ("now", "(> (perform (list \"now\")) 1600000000000)", "true"),
    ("sleep", "(perform (list \"sleep\" 1))", "nil"),
    (
        "sleep",
        "(perform (list \"sleep\" -1))",
        "sleep: expected milliseconds, got number",
    ),
    (
        "random",
        "(let ((x (perform (list \"random\")))) (and (>= x 0) (< x 1)))",
        "true",
    ),
    (
        "random",
        "(let ((x (perform (list \"random\" 6)))) (and (integer? x) (>= x 0) (< x 6)))",
        "true",
    ),
    (
        "random",
        "(perform (list \"random\" 0))",
        "random: expected a positive integer, got number",
    ),
    ("log", "(perform (list \"log\" \"hello\" 1))", "nil"),
    (
        "file/read",
        "(string-contains? (perform (list \"file/read\" \"Cargo.toml\")) \"sx-serve\")",
        "true",
    ),
    (
        "file/read",
        "(perform (list \"file/read\" 5))",
        "file/read: expected a path, got number",
    ),
    (
        "http/request",
        "(perform (list \"http/request\" \"http://127.0.0.1:9/\"))",
        "http/request: 127.0.0.1 is 127.0.0.1, which is not public; SX_HTTP_REACHABLE may allow it",
    ),
    (
        "http/request",
        "(perform (list \"http/request\" \"ftp://a/\"))",
        "http/request: ftp://a/ is neither http nor https",
    ),
    (
        "http/request",
        "(perform (list \"http/request\" \"http://a/\" {:speed 9}))",
        "http/request: no option :speed with the value 9",
    ),
    ("persist/kv-get", "(perform (list \"persist/kv-get\" \"a\"))", "nil"),
    (
        "persist/kv-put",
        "(perform (list \"persist/kv-put\" \"a\" {:x (list 1 2.5 1/2 nil)}))",
        "{:x (1 2.5 1/2 nil)}",
    ),
    (
        "persist/kv-get",
        "(perform (list \"persist/kv-get\" \"a\"))",
        "{:x (1 2.5 1/2 nil)}",
    ),
    (
        "persist/kv-get",
        "(perform (list \"persist/kv-get\" 5))",
        "persist/kv-get: expected a key, got number",
    ),
    (
        "persist/kv-put",
        "(perform (list \"persist/kv-put\" \"f\" {:f inc}))",
        "persist/kv-put: a lambda cannot be kept (under f)",
    ),
    (
        "persist/kv-has?",
        "(map (fn (k) (perform (list \"persist/kv-has?\" k))) (list \"a\" \"f\"))",
        "(true false)",
    ),
    (
        "persist/kv-put",
        "(perform (list \"persist/kv-put\" \"b\" (set 1)))",
        "#<set 1>",
    ),
    (
        "persist/kv-keys",
        "(perform (list \"persist/kv-keys\"))",
        "(\"a\" \"b\")",
    ),
    (
        "persist/kv-keys",
        "(perform (list \"persist/kv-keys\" \"b\"))",
        "(\"b\")",
    ),
    (
        "persist/kv-scan",
        "(perform (list \"persist/kv-scan\" \"a\"))",
        "((\"a\" {:x (1 2.5 1/2 nil)}))",
    ),
    (
        "persist/kv-delete",
        "(perform (list \"persist/kv-delete\" \"b\"))",
        "true",
    ),
    (
        "persist/kv-delete",
        "(perform (list \"persist/kv-delete\" \"b\"))",
        "false",
    ),
    ("persist/kv-cas", "(perform (list \"persist/kv-cas\" \"n\" nil 1))", "1"),
    ("persist/kv-cas", "(perform (list \"persist/kv-cas\" \"n\" 1.0 2))", "2"),
    (
        "persist/kv-put",
        "(perform (list \"persist/kv-put\" \"n\"))",
        "persist/kv-put: expected key value, got 1 argument",
    ),
    (
        "persist/kv-put",
        "(perform (list \"persist/kv-put\" \"n\" 1 2))",
        "persist/kv-put: expected key value, got 3 arguments",
    ),
    (
        "now",
        "(perform (list \"now\" 1))",
        "now: expected no arguments, got 1 argument",
    ),
    (
        "persist/kv-cas",
        "(perform (list \"persist/kv-cas\" \"n\" 1 3))",
        "{:conflict true :expected 1 :actual 2}",
    ),
    (
        "persist/kv-batch",
        "(perform (list \"persist/kv-batch\" (list (list \"put\" \"p\" 1) (list \"delete\" \"n\"))))",
        "2",
    ),
    (
        "persist/kv-batch",
        "(perform (list \"persist/kv-batch\" (list (list \"put\" \"q\" 1) (list \"fly\"))))",
        "persist/kv-batch: expected (\"put\" key value) or (\"delete\" key), got (\"fly\")",
    ),
    (
        "persist/kv-keys",
        "(perform (list \"persist/kv-keys\"))",
        "(\"a\" \"p\")",
    ),
    (
        "persist/append",
        "(perform (list \"persist/append\" \"s\" \"made\" 7 {:v 1}))",
        "{:stream \"s\" :seq 1 :type \"made\" :ts 7 :data {:v 1}}",
    ),
    (
        "persist/append",
        "(get (perform (list \"persist/append\" \"s\" \"made\" 8 2)) :seq)",
        "2",
    ),
    (
        "persist/append-expect",
        "(get (perform (list \"persist/append-expect\" \"s\" 2 \"made\" 9 3)) :seq)",
        "3",
    ),
    (
        "persist/append-expect",
        "(perform (list \"persist/append-expect\" \"s\" 2 \"made\" 9 3))",
        "{:conflict true :expected 2 :actual 3}",
    ),
    (
        "persist/read",
        "(map (fn (e) (get e :data)) (perform (list \"persist/read\" \"s\")))",
        "({:v 1} 2 3)",
    ),
    (
        "persist/read",
        "(map (fn (e) (get e :seq)) (perform (list \"persist/read\" \"s\" 2 1)))",
        "(2)",
    ),
    ("persist/read", "(perform (list \"persist/read\" \"none\" 1 nil))", "()"),
    ("persist/last-seq", "(perform (list \"persist/last-seq\" \"s\"))", "3"),
    ("persist/truncate", "(perform (list \"persist/truncate\" \"s\" 2))", "2"),
    (
        "persist/truncate",
        "(perform (list \"persist/truncate\" \"none\" 2))",
        "0",
    ),
    (
        "persist/read",
        "(map (fn (e) (get e :seq)) (perform (list \"persist/read\" \"s\")))",
        "(3)",
    ),
    (
        "persist/append",
        "(get (perform (list \"persist/append\" \"s\" \"made\" 9 4)) :seq)",
        "4",
    ),
    ("persist/streams", "(perform (list \"persist/streams\"))", "(\"s\")"),
    (
        "blob/put",
        "(perform (list \"blob/put\" \"hello\" \"text/plain\"))",
        "{:cid \"bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq\" :size 5 :mime \"text/plain\"}",
    ),
    (
        "blob/has?",
        "(perform (list \"blob/has?\" \"bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq\"))",
        "true",
    ),
    (
        "blob/get",
        "(perform (list \"blob/get\" (perform (list \"blob/put\" \"hi\"))))",
        "#u8(104 105)",
    ),
    (
        "blob/get",
        "(perform (list \"blob/get\" \"hello\"))",
        "blob/get: expected the name of a blob or a reference to it, got string",
    ),
];

/// What comes back, a line an answer.
fn talk(input: &str, store: Option<Arc<dyn Store>>) -> Vec<String> {
    let output = support::talk(input.as_bytes(), store, support::isolate);
    output
        .lines()
        .filter(|line| !line.starts_with("(ok-len") && *line != "(ready)")
        .map(str::to_owned)
        .collect()
}

/// Lines that evaluate the code; an error comes as its message.
fn line(code: &str) -> String {
    let code = format!("(guard (e (true (error-message e))) (inspect {code}))");
    format!("(eval {})\n", Value::String(code))
}

#[test]
fn each_row_answers_as_it_says() {
    for name in edge::names() {
        assert!(CASES.iter().any(|(op, _, _)| *op == name), "{name} has no case");
    }
    let input: String = CASES.iter().map(|(_, code, _)| line(code)).collect();
    let disk = Arc::new(SimulatedDisk::new(1));
    let answers = talk(&input, Some(store_on(&disk)));
    assert_eq!(answers.len(), CASES.len(), "{answers:?}");
    for ((op, code, wanted), answer) in CASES.iter().zip(&answers) {
        assert_eq!(answer, wanted, "{op}: {code}");
    }
    // What was answered is there when the power comes back.
    disk.power_on();
    let kept = talk(
        &[
            line("(perform (list \"persist/kv-get\" \"a\"))"),
            line("(perform (list \"persist/last-seq\" \"s\"))"),
        ]
        .concat(),
        Some(store_on(&disk)),
    );
    assert_eq!(kept, ["{:x (1 2.5 1/2 nil)}", "4"]);
}

/// Of many that ask for the same at once, one is told that it did it.
#[test]
fn a_pair_is_deleted_once() {
    let edge = Edge::with_store(Some(support::store()));
    let now = |answer| match answer {
        Answer::Now(made) => made,
        Answer::Later(later) | Answer::Aside(later) => edge.wait(later),
        Answer::Unknown => panic!("the op is known"),
    };
    let key = Value::from("k");
    for round in 0..20 {
        now(edge.perform("persist/kv-put", &[key.clone(), Value::from(round)])).expect("written");
        // Each has looked at the pair before the first of them is done.
        let asked: Vec<Answer> = (0..6)
            .map(|_| edge.perform("persist/kv-delete", std::slice::from_ref(&key)))
            .collect();
        let told: Vec<Value> = asked.into_iter().map(|answer| now(answer).expect("deleted")).collect();
        let did = told.iter().filter(|answer| **answer == Value::from(true)).count();
        assert_eq!(did, 1, "{told:?}");
    }
}

#[test]
fn without_a_store_nobody_services_its_ops() {
    let answers = talk(&line("(perform (list \"persist/kv-get\" \"a\"))"), None);
    assert_eq!(answers, ["Unhandled effect: persist/kv-get"]);
}

#[test]
fn a_full_disk_is_an_error_and_reads_go_on() {
    let disk = Arc::new(SimulatedDisk::new(1));
    let store = store_on(&disk);
    let first = talk(
        &line("(perform (list \"persist/kv-put\" \"a\" 1))"),
        Some(Arc::clone(&store)),
    );
    assert_eq!(first, ["1"]);
    disk.set_room(Some(disk.bytes_used()));
    let input = [
        line("(perform (list \"persist/kv-put\" \"b\" (repeat \"x\" 1000000)))"),
        line("(perform (list \"persist/kv-get\" \"a\"))"),
    ]
    .concat();
    let answers = talk(&input, Some(store));
    assert!(answers[0].contains("no storage space"), "{answers:?}");
    assert_eq!(answers[1], "1");
}
