//! Requests that the embedder answers, or refuses.

use super::{machine, outcome, start};
use sx_interp::machine::Exit;
use sx_runtime::error::{Code, Raise};
use sx_runtime::value::Word;

#[test]
fn an_answer_is_the_value_of_perform() {
    let mut m = machine();
    assert!(matches!(
        start(&mut m, "t.sx", "(+ 1 (perform (list \"ask\" 1)))"),
        Exit::Perform
    ));
    m.answer(Word::fixnum(41));
    let exit = m.run();
    assert_eq!(outcome(&m, exit), "42");
}

#[test]
fn an_unserviced_op_is_an_error_at_the_perform() {
    let mut m = machine();
    assert!(matches!(
        start(
            &mut m,
            "t.sx",
            "(define (f)\n  (+ 1 (perform {:op \"db/get\" :args ()})))\n(f)"
        ),
        Exit::Perform
    ));
    m.refuse_unhandled();
    let Exit::Failed(failure) = m.run() else {
        panic!("no failure")
    };
    assert_eq!(
        (&*failure.code, &*failure.message),
        ("effect", "Unhandled effect: db/get")
    );
    assert_eq!(failure.span.map(|s| s.place()), Some("t.sx:2:8".to_string()));
    assert_eq!(failure.backtrace[0].name, "f");
}

#[test]
fn a_refusal_can_be_caught_and_runs_after_thunks() {
    let mut m = machine();
    let text = "(define log (list))
      (list (guard (e (true (error-code e) (error-message e)))
              (dynamic-wind (fn () 1) (fn () (map (fn (x) (perform (list \"late\" x))) (list 1 2))) (fn () (append! log 5))))
            log)";
    assert!(matches!(start(&mut m, "t.sx", text), Exit::Perform));
    m.refuse(Raise::new(Code::Deadline, "deadline passed"));
    let exit = m.run();
    assert_eq!(outcome(&m, exit), "(\"deadline passed\" (5))");
}
