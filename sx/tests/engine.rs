//! The engine as an embedder uses it.

use std::collections::HashMap;
use std::time::Duration;
use sx::{Code, Engine, Error, Isolate, Object, Options, Simulation, Source, Value};

fn isolate() -> Isolate {
    Engine::new().isolate().expect("starts")
}

#[test]
fn a_text_has_the_value_of_its_last_form() {
    let value = isolate().eval("(define x 20) (+ x 1)").expect("a value");
    assert_eq!(value.to_string(), "21");
}

#[test]
fn every_plain_value_comes_out_as_it_prints() {
    let mut isolate = isolate();
    for text in [
        "nil",
        "true",
        "-7",
        "123456789012345678901234567890",
        "3/4",
        "2.5",
        "#\\a",
        "\"a\\n\\\"b\"",
        "(1 (2 ()) \"x\")",
        "(quote-me :key 5)",
        "#(1 2)",
        "#u8(1 255)",
        "{:a 1 :b {:c ()}}",
    ] {
        let value = isolate.eval(&format!("'{text}")).expect("a value");
        assert_eq!(value.to_string(), text);
    }
}

#[test]
fn functions_are_called_with_typed_arguments() {
    let mut isolate = isolate();
    isolate
        .eval("(define (greet name n) (str name n)) (define (swap d) {:x (get d :y) :y (get d :x)})")
        .expect("defined");
    let text: String = isolate.call("greet", ("a", 5i64)).expect("a value");
    assert_eq!(text, "a5");
    let point = HashMap::from([("x".to_owned(), 1i64), ("y".to_owned(), 2)]);
    let swapped: HashMap<String, i64> = isolate.call("swap", (point,)).expect("a value");
    assert_eq!(swapped, HashMap::from([("x".to_owned(), 2), ("y".to_owned(), 1)]));
    let sum: i64 = isolate
        .call("+", vec![Value::from(1i64), Value::from(2i64)])
        .expect("a value");
    assert_eq!(sum, 3);
}

#[test]
fn a_wrong_result_type_is_an_error() {
    let error = isolate().call::<i64>("str", ("a",)).expect_err("no integer");
    assert_eq!(error.message, "Expected an integer that fits i64, got string \"a\"");
}

#[test]
fn an_unknown_function_is_an_error_with_advice() {
    let error = isolate().call::<i64>("fitler", ()).expect_err("unknown");
    assert_eq!(
        (error.code, error.message.as_str()),
        (Code::Undefined, "Undefined symbol: fitler")
    );
    assert_eq!(error.help.as_deref(), Some("did you mean `filter`?"));
}

#[test]
fn lists_of_a_million_come_and_go() {
    let mut isolate = isolate();
    let items: Vec<i64> = (0..1_000_000).collect();
    let back: Vec<i64> = isolate.call("reverse", (items,)).expect("a list");
    assert_eq!((back.len(), back[0]), (1_000_000, 999_999));
}

#[test]
fn procedures_come_out_as_handles_and_can_be_called() {
    let mut isolate = isolate();
    let Value::Object(adder) = isolate.eval("(let ((n 10)) (fn (x) (+ x n)))").expect("a value") else {
        panic!("not a handle");
    };
    assert_eq!(adder.type_name(), "lambda");
    isolate.eval("(gc)").expect("collected");
    let sum: i64 = isolate.call_object(&adder, (5i64,)).expect("a value");
    assert_eq!(sum, 15);
    // A handle goes back in as the object it is.
    let same: bool = isolate
        .call("eq?", (Value::Object(adder.clone()), Value::Object(adder)))
        .expect("a value");
    assert!(same);
}

#[test]
fn a_handle_of_another_isolate_is_refused() {
    let Value::Object(foreign) = isolate().eval("(fn () 1)").expect("a value") else {
        panic!("not a handle");
    };
    let error = isolate().call_object::<Value>(&foreign, ()).expect_err("foreign");
    assert_eq!(error.message, "this object belongs to another isolate");
}

#[test]
fn cyclic_and_very_deep_data_is_a_handle() {
    let mut isolate = isolate();
    let cyclic = isolate
        .eval("(let ((xs (list 1))) (append! xs xs) xs)")
        .expect("a value");
    assert!(matches!(cyclic.as_slice(), Some([_, Value::Object(_)])), "{cyclic:?}");
    let deep = "(reduce (fn (acc x) (list acc)) 1 (range 0 100000))";
    assert!(isolate.eval(deep).is_ok());
}

#[test]
fn host_ops_answer_effects() {
    let mut isolate = isolate();
    let mut log = 0i64;
    isolate.on("count", move |arguments| {
        log += arguments.len() as i64;
        Ok(Value::from(log))
    });
    isolate.on("fail", |_| Err("no such thing".to_owned()));
    let value = isolate.eval("(map (fn (x) (perform {:op \"count\" :args (list x x)})) (list 1 2 3))");
    assert_eq!(value.expect("a value").to_string(), "(2 4 6)");
    let value = isolate.eval("(guard (e (true (error-message e))) (perform {:op \"fail\"}))");
    assert_eq!(value.expect("a value").to_string(), "\"no such thing\"");
    let error = isolate.eval("(perform {:op \"other\"})").expect_err("unhandled");
    assert_eq!(
        (error.code, error.message.as_str()),
        (Code::Effect, "Unhandled effect: other")
    );
}

#[test]
fn output_is_captured_and_files_are_given() {
    let simulation = Simulation::new(1);
    let mut isolate = Engine::new().isolate_in(&simulation).expect("starts");
    simulation.write_file("lib.sx", "(define shown 42)");
    isolate.eval("(load \"lib.sx\") (display shown)").expect("a value");
    assert_eq!(simulation.take_output(), "42");
}

#[test]
fn errors_have_a_place_and_the_calls_that_led_there() {
    let source = Source::new("a.sx", "(define (f x) (+ 1 x))\n(define (g) (list (f \"a\")))\n(g)\n");
    let error: Error = isolate().eval_source(source).expect_err("a type error");
    assert_eq!(error.code, Code::Type);
    assert_eq!(
        error.span.as_ref().map(|span| span.place()).as_deref(),
        Some("a.sx:1:15")
    );
    let calls: Vec<(&str, String)> = error
        .trace
        .iter()
        .map(|f| (f.function.as_str(), f.span.place()))
        .collect();
    let calls: Vec<(&str, &str)> = calls.iter().map(|(f, p)| (*f, p.as_str())).collect();
    assert_eq!(&calls[..2], [("f", "a.sx:1:15"), ("g", "a.sx:2:19")]);
}

#[test]
fn an_isolate_goes_on_after_an_error() {
    let mut isolate = isolate();
    isolate.eval("(define x 1)").expect("a value");
    isolate.eval("(do (set! x 2) (car 5))").expect_err("an error");
    assert_eq!(isolate.eval("x").expect("a value").to_string(), "2");
}

#[test]
fn the_memory_limit_is_an_error_and_not_the_end() {
    let options = Options {
        memory_limit: 32 << 20,
        ..Options::default()
    };
    let mut isolate = Engine::with(options).isolate().expect("starts");
    let error = isolate
        .eval("(define (grow xs) (grow (append! xs 1))) (grow (list))")
        .expect_err("no memory");
    assert_eq!((error.code, error.message.as_str()), (Code::Memory, "memory limit"));
    let error = isolate
        .eval("(define (deep n) (+ 1 (deep n))) (deep 1)")
        .expect_err("no stack");
    assert_eq!((error.code, error.message.as_str()), (Code::Stack, "stack exhausted"));
    assert_eq!(
        isolate.eval("(len (range 0 1000))").expect("a value").to_string(),
        "1000"
    );
}

#[test]
fn another_thread_can_interrupt() {
    let mut isolate = isolate();
    let handle = isolate.interrupt_handle();
    let watch = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        handle.interrupt();
    });
    let error = isolate
        .eval("(define (loop n) (loop (+ n 1))) (loop 0)")
        .expect_err("interrupted");
    assert!(error.is_interrupt());
    watch.join().expect("ended");
    assert_eq!(isolate.eval("(+ 1 2)").expect("a value").to_string(), "3");
}

#[test]
fn isolates_share_nothing_that_can_change() {
    let engine = Engine::new();
    let (mut a, mut b) = (engine.isolate().expect("starts"), engine.isolate().expect("starts"));
    a.eval("(define map 5) (define mine 1)").expect("a value");
    assert_eq!(b.eval("(map inc (list 1))").expect("a value").to_string(), "(2)");
    assert!(b.eval("mine").is_err());
}

#[test]
fn globals_are_read_and_set() {
    let mut isolate = isolate();
    isolate.set("limit", 5i64).expect("set");
    assert_eq!(isolate.eval("(* 2 limit)").expect("a value").to_string(), "10");
    isolate.eval("(set! limit \"none\")").expect("set");
    let limit: String = isolate.get("limit").expect("a value");
    assert_eq!(limit, "none");
}

#[test]
fn dropped_handles_free_their_objects() {
    let mut isolate = isolate();
    for _ in 0..10_000 {
        let _: Object = match isolate
            .eval("(let ((big (range 0 1000))) (fn () big))")
            .expect("a value")
        {
            Value::Object(object) => object,
            other => panic!("{other}"),
        };
    }
}

/// The files that programs written for the existing host load, in its order.
const MODULES: &[&str] = &[
    "lib/compiler.sx",
    "spec/stdlib.sx",
    "lib/r7rs.sx",
    "lib/apl/runtime.sx",
    "lib/datalog/tokenizer.sx",
    "lib/datalog/parser.sx",
    "lib/datalog/unify.sx",
    "lib/datalog/db.sx",
    "lib/datalog/builtins.sx",
    "lib/datalog/aggregates.sx",
    "lib/datalog/strata.sx",
    "lib/datalog/eval.sx",
    "lib/datalog/api.sx",
    "lib/datalog/magic.sx",
    "lib/acl/schema.sx",
    "lib/acl/facts.sx",
    "lib/acl/engine.sx",
    "lib/acl/api.sx",
    "lib/dream/types.sx",
    "lib/dream/json.sx",
    "lib/dream/auth.sx",
    "lib/dream/error.sx",
    "lib/dream/router.sx",
    "lib/dream/dream.sx",
    "lib/host/handler.sx",
    "lib/host/middleware.sx",
    "lib/host/sxtp.sx",
    "lib/host/router.sx",
    "lib/host/feed.sx",
    "lib/host/relations.sx",
    "lib/host/blog.sx",
    "lib/host/page.sx",
    "lib/host/server.sx",
    "lib/host/session.sx",
    "lib/host/ledger.sx",
    "lib/host/host.sx",
];

#[test]
fn the_module_list_of_the_existing_host_loads_in_its_order_and_again() {
    let mut isolate = isolate();
    for path in MODULES.iter().chain(MODULES) {
        let value: Value = isolate.call("load", (*path,)).expect(path);
        assert_eq!(value, Value::Nil, "{path}");
    }
    let value = isolate.eval("(cadr (list 1 2 3))").expect("a value");
    assert_eq!(value.to_string(), "2");
    let answers = isolate.eval("(dl-eval \"p(1). p(2). q(X) :- p(X), X > 1.\" \"?- q(X).\")");
    assert_eq!(answers.expect("answers").to_string(), "({:X 2})");
    let status = isolate.eval(
        "(host/blog-use-store! (persist/open))
         (host/blog-seed!)
         (dream-status (dream-test (host/app) \"GET\" \"/welcome/\"))",
    );
    assert_eq!(status.expect("a page").to_string(), "200");
}
