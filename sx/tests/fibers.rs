//! Many programs in one isolate: put aside, brought back, preempted, told that their time is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use sx::{Code, Engine, Event, Fiber, Isolate, Object, Options, Stress, Times, Value};

const SLICED: Times = Times {
    slice: Duration::from_millis(2),
    running: Duration::from_secs(60),
    lasting: Duration::from_secs(60),
    grace: Duration::from_secs(1),
};

fn isolate(stress: Stress) -> Isolate {
    let options = Options {
        stress,
        ..Options::default()
    };
    Engine::with(options).isolate().expect("an isolate")
}

fn function(isolate: &mut Isolate, text: &str) -> Object {
    match isolate.eval(text) {
        Ok(Value::Object(function)) => function,
        other => panic!("no function: {other:?}"),
    }
}

/// The fiber of a call that waits for an answer.
fn waiting(isolate: &mut Isolate, function: &Object, argument: i64) -> Fiber {
    isolate
        .begin_call(function, (argument,), Times::UNLIMITED)
        .expect("begins");
    match isolate.go_on() {
        Event::Performed { op, arguments } => {
            assert_eq!((op.as_str(), arguments), ("ask", vec![Value::from(argument)]));
        }
        other => panic!("{other:?}"),
    }
    isolate.park().expect("room")
}

fn value(event: Event) -> String {
    match event {
        Event::Value(value) => value.to_string(),
        other => panic!("{other:?}"),
    }
}

/// While it lives, isolates look at the time.
struct Ticker(Arc<AtomicBool>);

impl Ticker {
    fn of(isolate: &Isolate) -> Ticker {
        let (stop, handle) = (Arc::new(AtomicBool::new(false)), isolate.interrupt_handle());
        let is_over = Arc::clone(&stop);
        std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                handle.poke();
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Ticker(stop)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

const STRESSES: [Stress; 3] = [
    Stress {
        collect: false,
        suspend: false,
        seal: false,
    },
    Stress {
        collect: true,
        suspend: true,
        seal: false,
    },
    Stress {
        collect: false,
        suspend: false,
        seal: true,
    },
];

/// Performs in every kind of place, and what the values come to when `(ask n)` is answered by n+1.
const PLACES: [(&str, &str); 8] = [
    ("(fn (n) (perform (list \"ask\" n)))", "8"),
    (
        "(fn (n) (map (fn (x) (+ x (perform (list \"ask\" n)))) (list 1 2 3)))",
        "(9 10 11)",
    ),
    (
        "(fn (n) (reduce (fn (acc x) (+ acc x (perform (list \"ask\" n)))) 0 (list 1 2)))",
        "19",
    ),
    (
        "(fn (n) (sort (list 3 1 2) (fn (a b) (< (* a (perform (list \"ask\" n))) (* 8 b)))))",
        "(1 2 3)",
    ),
    (
        "(fn (n) (guard (e (true (list \"caught\" e))) (raise (perform (list \"ask\" n)))))",
        "(\"caught\" 8)",
    ),
    (
        "(fn (n) (let ((log (list))) (dynamic-wind (fn () (append! log 1)) (fn () (append! log (perform (list \"ask\" n)))) (fn () (append! log 3))) log))",
        "(1 8 3)",
    ),
    (
        "(fn (n) (let ((p (make-parameter 1))) (parameterize ((p 5)) (+ (p) (perform (list \"ask\" n)) (p)))))",
        "18",
    ),
    (
        "(fn (n) (let ((c (make-coroutine (fn () (coroutine-yield (perform (list \"ask\" n))) 2)))) (list (coroutine-resume c) (coroutine-resume c))))",
        "(8 2)",
    ),
];

#[test]
fn interleaved_programs_do_not_disturb_each_other() {
    for stress in STRESSES {
        let mut isolate = isolate(stress);
        let functions: Vec<Object> = PLACES.iter().map(|(text, _)| function(&mut isolate, text)).collect();
        let mut fibers: Vec<(usize, Fiber)> = (0..functions.len())
            .map(|i| (i, waiting(&mut isolate, &functions[i], 7)))
            .collect();
        let mut values = vec![String::new(); functions.len()];
        // Those that wait are answered in turn, the last one first.
        while let Some((i, fiber)) = fibers.pop() {
            isolate.unpark(fiber).expect("lives");
            isolate.answer(8i64).expect("an answer");
            match isolate.go_on() {
                Event::Performed { .. } => fibers.insert(0, (i, isolate.park().expect("room"))),
                event => values[i] = value(event),
            }
        }
        for ((text, wanted), value) in PLACES.iter().zip(&values) {
            assert_eq!(value, wanted, "{text} {stress:?}");
        }
    }
}

#[test]
fn an_error_for_an_answer_is_raised_at_the_perform() {
    let mut isolate = isolate(Stress::default());
    let f = function(
        &mut isolate,
        "(fn (n) (guard (e (true (list (error-message e) n))) (+ 1 (perform (list \"ask\" n)))))",
    );
    let fibers = [1, 2].map(|n| waiting(&mut isolate, &f, n));
    for (fiber, wanted) in fibers
        .into_iter()
        .zip(["(\"disk full\" 1)", "(\"Unhandled effect: ask\" 2)"])
    {
        isolate.unpark(fiber).expect("lives");
        match wanted.contains("disk") {
            true => isolate.refuse(Code::Io, "disk full"),
            // What the op was is known no more; whoever parks decides before.
            false => isolate.refuse(Code::Effect, "Unhandled effect: ask"),
        }
        assert_eq!(value(isolate.go_on()), wanted);
    }
    let fails = function(&mut isolate, "(fn (n)\n  (+ 1 (perform (list \"ask\" n))))");
    let fiber = waiting(&mut isolate, &fails, 3);
    isolate.unpark(fiber).expect("lives");
    isolate.refuse(Code::Io, "disk full");
    match isolate.go_on() {
        Event::Failed(error) => {
            assert_eq!(error.to_string(), "<eval>:2:8: disk full");
            assert_eq!(error.trace.len(), 1);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn ten_thousand_wait_in_little_memory() {
    let mut isolate = isolate(Stress::default());
    let f = function(
        &mut isolate,
        "(fn (n) (first (map (fn (x) (+ x (perform (list \"ask\" n)))) (list n n n n n n n n))))",
    );
    let before = used(&mut isolate);
    let fibers: Vec<Fiber> = (0..10_000).map(|n| waiting(&mut isolate, &f, n)).collect();
    let grown = used(&mut isolate) - before;
    assert!(grown < 64 << 20, "{grown} bytes");
    for (n, fiber) in fibers.into_iter().enumerate() {
        isolate.unpark(fiber).expect("lives");
        let mut event = Event::Value(Value::Nil);
        for _ in 0..8 {
            isolate.answer(1i64).expect("an answer");
            event = isolate.go_on();
        }
        assert_eq!(value(event), (n + 1).to_string());
    }
    assert!(used(&mut isolate) < before + (4 << 20));
}

fn used(isolate: &mut Isolate) -> usize {
    isolate.eval("(gc)").expect("collects");
    let stats: Value = isolate.eval("(runtime-stats)").expect("stats");
    let bytes = stats.get("bytes-used").map(ToString::to_string);
    bytes.and_then(|text| text.parse().ok()).expect("a number")
}

#[test]
fn a_program_that_runs_long_gives_way() {
    for text in [
        "(fn (n) (let loop ((i 0) (sum 0)) (if (< i 3000000) (loop (+ i 1) (+ sum n)) sum)))",
        "(do (define (count i n) (if (= i 0) 0 (+ n (count (- i 1) n)))) (fn (n) (+ (count 400000 n) (count 400000 n) (count 400000 n))))",
        "(fn (n) (reduce + 0 (map (fn (x) (* x n)) (range 0 300000))))",
    ] {
        let mut isolate = isolate(Stress::default());
        let f = function(&mut isolate, text);
        let alone: Vec<String> = [1i64, 2]
            .map(|n| isolate.call_object::<Value>(&f, (n,)).expect("a value").to_string())
            .into();
        let _ticker = Ticker::of(&isolate);
        let mut turns = [0, 0];
        let mut values: Vec<Option<String>> = vec![None, None];
        let mut fibers: Vec<Option<Fiber>> = vec![None, None];
        while values.contains(&None) {
            for i in 0..2 {
                if values[i].is_some() {
                    continue;
                }
                match fibers[i].take() {
                    Some(fiber) => isolate.unpark(fiber).expect("lives"),
                    None => isolate.begin_call(&f, (i as i64 + 1,), SLICED).expect("begins"),
                }
                match isolate.go_on() {
                    Event::Preempted(fiber) => {
                        turns[i] += 1;
                        fibers[i] = Some(fiber);
                        // What is parked survives whatever happens meanwhile.
                        isolate.eval("(gc)").expect("collects");
                    }
                    event => values[i] = Some(value(event)),
                }
            }
        }
        assert_eq!(values, alone.into_iter().map(Some).collect::<Vec<_>>(), "{text}");
        assert!(turns[0] > 0 && turns[1] > 0, "{turns:?} {text}");
    }
}

/// Answers the ops of the current program, each after so long, until it gives way; how many.
fn ops_until_it_gives_way(isolate: &mut Isolate, time: Duration) -> (usize, Fiber) {
    for ops in 0..1000 {
        match isolate.go_on() {
            Event::Performed { .. } => {
                std::thread::sleep(time);
                isolate.answer(Value::Nil).expect("an answer");
                isolate.interrupt_handle().poke();
            }
            Event::Preempted(fiber) => return (ops, fiber),
            other => panic!("{other:?}"),
        }
    }
    panic!("it does not give way");
}

#[test]
fn who_runs_long_gives_way_often_whatever_it_performs() {
    let mut isolate = isolate(Stress::default());
    let f = function(
        &mut isolate,
        "(fn (n) (let loop () (do (perform (list \"ask\" n)) (loop))))",
    );
    let slice = Duration::from_millis(20);
    let began = Instant::now();
    let times = Times { slice, ..SLICED };
    isolate.begin_call(&f, (1i64,), times).expect("begins");
    // The first turn is a whole slice; an op that is answered at once begins no other.
    let (_, mut fiber) = ops_until_it_gives_way(&mut isolate, slice / 10);
    assert!(began.elapsed() >= slice, "{:?}", began.elapsed());
    for _ in 0..4 {
        isolate.unpark(fiber).expect("lives");
        let (ops, next) = ops_until_it_gives_way(&mut isolate, slice / 10);
        assert!(ops <= 2, "{ops}");
        fiber = next;
    }
    // Renewed, it has a whole slice again.
    isolate.unpark(fiber).expect("lives");
    isolate.renew_time();
    let began = Instant::now();
    ops_until_it_gives_way(&mut isolate, slice / 10);
    assert!(began.elapsed() >= slice - slice / 10, "{:?}", began.elapsed());
}

#[test]
fn a_deadline_is_an_error_that_runs_the_winds_once() {
    let times = Times {
        slice: Duration::MAX,
        running: Duration::from_millis(30),
        lasting: Duration::from_secs(60),
        grace: Duration::from_millis(200),
    };
    let mut isolate = isolate(Stress::default());
    let _ticker = Ticker::of(&isolate);
    isolate.eval("(define log (list))").expect("defines");
    let f = function(
        &mut isolate,
        "(fn (again)
           (guard (e (true (append! log (error-message e)) (if again (let loop () (loop)) (list \"over\"))))
             (dynamic-wind (fn () nil) (fn () (let loop ((i 0)) (loop (+ i 1)))) (fn () (append! log \"left\")))))",
    );
    isolate.begin_call(&f, (false,), times).expect("begins");
    assert_eq!(value(isolate.go_on()), "(\"over\")");
    let log = |isolate: &mut Isolate| {
        isolate
            .eval("(let ((l log)) (set! log (list)) l)")
            .expect("log")
            .to_string()
    };
    assert_eq!(log(&mut isolate), "(\"left\" \"deadline exceeded\")");
    isolate.begin_call(&f, (true,), times).expect("begins");
    match isolate.go_on() {
        Event::Failed(error) => assert_eq!((error.code, &*error.message), (Code::Deadline, "deadline exceeded")),
        other => panic!("{other:?}"),
    }
    assert_eq!(log(&mut isolate), "(\"left\" \"deadline exceeded\")");
    // Nothing of it is left for the next program.
    assert_eq!(isolate.eval("(+ 1 2)").expect("a value").to_string(), "3");
}

#[test]
fn a_program_that_waits_too_long_is_told() {
    let mut isolate = isolate(Stress::default());
    let f = function(
        &mut isolate,
        "(fn (n) (let ((log (list))) (guard (e (true (append! log (error-message e)) log)) (dynamic-wind (fn () nil) (fn () (perform (list \"ask\" n))) (fn () (append! log \"left\"))))))",
    );
    isolate.begin_call(&f, (1i64,), SLICED).expect("begins");
    assert!(matches!(isolate.go_on(), Event::Performed { .. }));
    let fiber = isolate.park().expect("room");
    isolate.eval("(* 6 7)").expect("something else");
    isolate.unpark(fiber).expect("lives");
    isolate.expire();
    assert_eq!(value(isolate.go_on()), "(\"left\" \"deadline exceeded\")");
}
