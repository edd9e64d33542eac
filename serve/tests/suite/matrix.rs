//! The mistake this project exists to make impossible: a `perform` in a callback of a higher-order
//! function, on the path that serves users, answered at once or later, on the first hit or a later
//! one. Each cell has to give its value and its effects, each once.

use crate::support::{self, Server, store};
use std::sync::{Arc, Mutex, PoisonError};
use sx::{Engine, Isolate, Native, Source, Value};
use sx_serve::App;

/// Code in which `(ask x)` stands in a callback, its value, and how often it is reached.
const SITES: &[(&str, &str, usize)] = &[
    ("(map (fn (x) (ask x)) (list 1 2 3))", "(1 2 3)", 3),
    ("(map (fn (x y) (+ y (ask x))) (list 1 2) (list 10 20))", "(11 22)", 2),
    ("(map (list 1 2) (fn (x) (ask x)))", "(1 2)", 2),
    ("(filter (fn (x) (odd? (ask x))) (list 1 2 3))", "(1 3)", 3),
    ("(reduce (fn (acc x) (+ acc (ask x))) 10 (list 1 2 3))", "16", 3),
    ("(fold-left (fn (acc x) (+ acc (ask x))) 10 (list 1 2))", "13", 2),
    ("(fold-right (fn (x acc) (cons (ask x) acc)) () (list 1 2))", "(1 2)", 2),
    ("(for-each (fn (x) (ask x)) (list 1 2 3))", "nil", 3),
    ("(some (fn (x) (= 2 (ask x))) (list 1 2 3))", "true", 2),
    ("(every? (fn (x) (< (ask x) 3)) (list 1 2 3))", "false", 3),
    ("(find (fn (x) (= 2 (ask x))) (list 1 2 3))", "2", 2),
    ("(find-index (fn (x) (= 2 (ask x))) (list 1 2 3))", "1", 2),
    ("(map-indexed (fn (i x) (+ i (ask x))) (list 1 2 3))", "(1 3 5)", 3),
    ("(for-each-indexed (fn (i x) (ask x)) (list 1 2))", "nil", 2),
    (
        "(group-by (fn (x) (odd? (ask x))) (list 1 2 3))",
        "{:true (1 3) :false (2)}",
        3,
    ),
    ("(sort (fn (x z) (< (ask x) z)) (list 2 1))", "(1 2)", 1),
    ("(sort-by (fn (x) (- (ask x))) (list 1 3 2))", "(3 2 1)", 3),
    ("(take-while (fn (x) (< (ask x) 3)) (list 1 2 3))", "(1 2)", 3),
    ("(drop-while (fn (x) (< (ask x) 3)) (list 1 2 3 4))", "(3 4)", 3),
    ("(partition (fn (x) (odd? (ask x))) (list 1 2 3))", "((1 3) (2))", 3),
    ("(iterate (fn (x) (+ 1 (ask x))) 1 4)", "(1 2 3 4)", 3),
    ("(apply (fn (x z) (+ z (ask x))) (list 1 2))", "3", 1),
    ("(vector-map (fn (x) (ask x)) (vector 1 2 3))", "#(1 2 3)", 3),
    ("(update {:a 1} :a (fn (x) (ask x)))", "{:a 1}", 1),
    (
        "(update-in {:a {:b 1}} (list :a :b) (fn (x) (ask x)))",
        "{:a {:b 1}}",
        1,
    ),
    ("(get (try-call (fn () (ask 1))) :value)", "1", 1),
    ("(guard (e (true (ask e))) (raise 1))", "1", 1),
    ("(dynamic-wind (fn () (ask 1)) (fn () (ask 2)) (fn () (ask 3)))", "2", 3),
    ("(call-with-values (fn () (values (ask 1) 2)) list)", "(1 2)", 1),
    ("(coroutine-resume (make-coroutine (fn () (ask 1))))", "1", 1),
    ("(with-handler {:other (fn (r k) (k 0))} (ask 1))", "1", 1),
    (
        "(regex-replace \"[0-9]\" \"a1b2\" (fn (d) (str (ask (parse-int d)) \"!\")))",
        "\"a1!b2!\"",
        2,
    ),
];

/// Where else a program performs: around a site, its value and its effects.
type Around = (&'static str, fn(&str, &str, usize) -> (String, String, usize));
const AROUND: [Around; 4] = [
    ("inside", |site, value, count| {
        (site.to_owned(), value.to_owned(), count)
    }),
    ("before", |site, value, count| {
        (
            format!("(let ((first (ask 7))) (list first {site}))"),
            format!("(7 {value})"),
            count + 1,
        )
    }),
    ("after", |site, value, count| {
        (
            format!("(let ((site {site})) (list site (ask 7) (rest (list 1 2 3))))"),
            format!("({value} 7 (2 3))"),
            count + 1,
        )
    }),
    ("nested", |site, value, count| {
        (
            format!("(map (fn (n) (list (ask n) {site} (nth (list 5 6 7) n))) (list 1 2))"),
            format!("((1 {value} 6) (2 {value} 7))"),
            2 * (count + 1),
        )
    }),
];

/// A program that asks, what it comes to, and how often it asks.
fn cells() -> Vec<(String, String, usize)> {
    let mut cells = Vec::new();
    for (site, value, count) in SITES {
        for (_, around) in AROUND {
            cells.push(around(site, value, *count));
        }
    }
    cells
}

/// What `ask` does: an op whose answer is at hand, one whose answer comes later, both.
const ASKS: [(&str, &str, &[&str]); 3] = [
    (
        "at once",
        "(define (ask x) (do (perform {:op \"persist/kv-get\" :args (list \"key\")}) x))",
        &["persist/kv-get"],
    ),
    (
        "later",
        "(define (ask x) (perform {:op \"persist/kv-put\" :args (list \"key\" x)}))",
        &["persist/kv-put"],
    ),
    (
        "both",
        "(define (ask x) (do (perform {:op \"persist/kv-put\" :args (list \"key\" x)}) (perform {:op \"persist/kv-get\" :args (list \"key\")})))",
        &["persist/kv-put", "persist/kv-get"],
    ),
];

/// How programs run: a name, when functions become machine code, what is said before the program,
/// and how often each cell is reached.
const MODES: [(&str, Native, &str, usize); 3] = [
    ("interp", Native::Off, "", 3),
    ("jit-sync", Native::Sync, "", 3),
    // Compiled on another thread when a function has been called twice.
    ("jit", Native::Hot, "(jit-set-threshold! 2)", 6),
];

fn engine(native: Native) -> Engine {
    Engine::with(sx::Options {
        native,
        ..sx::Options::default()
    })
}

type Seen = Arc<Mutex<Vec<String>>>;

fn take(seen: &Seen) -> Vec<String> {
    std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner))
}

fn observe(isolate: &mut Isolate, seen: &Seen) {
    let seen = Arc::clone(seen);
    isolate.observe(move |op, _| {
        if op.starts_with("persist/") {
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(op.to_owned());
        }
    });
}

fn wanted(ops: &[&str], count: usize) -> Vec<String> {
    let all = std::iter::repeat_n(ops, count).flatten();
    all.map(|op| (*op).to_owned()).collect()
}

/// How often native code was entered.
const ENTERED: &str = "(get (jit-stats) :entered)";

fn number(text: &str) -> usize {
    text.parse().expect(text)
}

/// A server whose handler reaches the cell that the path names.
fn serve(cells: &[(String, String, usize)], ask: &str, before: &str, native: Native, seen: &Seen) -> Server {
    let thunks: String = cells.iter().map(|(code, _, _)| format!("(fn () {code})\n")).collect();
    let program = format!(
        "{before} {ask}
         (define cells (list {thunks}))
         (define (handler request)
           (let ((path (slice (get request \"path\") 1)))
             {{:body (inspect (if (= path \"entered\") {ENTERED} ((nth cells (parse-int path)))))}}))
         (http-listen 0 handler)"
    );
    let watch = Arc::clone(seen);
    Server::of(App {
        equip: Box::new(move |isolate, _| observe(isolate, &watch)),
        store: Some(store()),
        ..App::new(engine(native), Source::new("matrix.sx", program))
    })
}

fn over_http(mode: usize) {
    let (mode, native, before, hits) = MODES[mode];
    let cells = cells();
    assert!(cells.len() >= 120);
    for (when, ask, ops) in ASKS {
        let seen = Seen::default();
        let server = serve(&cells, ask, before, native, &seen);
        for hit in 0..hits {
            for (index, (code, value, count)) in cells.iter().enumerate() {
                take(&seen);
                let entered = number(&server.get("/entered").body);
                let answer = server.get(&format!("/{index}"));
                assert_eq!(answer.body, *value, "{mode}, hit {hit}, {when}: {code}");
                assert_eq!(take(&seen), wanted(ops, *count), "{mode}, hit {hit}, {when}: {code}");
                if native == Native::Sync {
                    // Native code performs, so it is left each time, and goes on with each answer.
                    let again = number(&server.get("/entered").body) - entered;
                    assert!(again > count * ops.len(), "{again} times, {when}: {code}");
                }
            }
        }
        let entered = number(&server.get("/entered").body);
        // When the compiling thread has something ready is its own affair.
        if native != Native::Hot {
            assert_eq!(entered > 0, native != Native::Off, "{mode}");
        }
    }
}

#[test]
fn over_http_interpreted() {
    over_http(0);
}

#[test]
fn over_http_compiled_first() {
    over_http(1);
}

#[test]
fn over_http_compiled_when_hot() {
    over_http(2);
}

#[test]
fn over_the_epoch_protocol() {
    let cells = cells();
    for ((mode, native, before, hits), (when, ask, ops)) in MODES.iter().flat_map(|mode| ASKS.map(|ask| (*mode, ask))) {
        let seen = Seen::default();
        let watch = Arc::clone(&seen);
        let new_isolate = move || {
            let mut isolate = engine(native).isolate().map_err(|error| error.to_string())?;
            observe(&mut isolate, &watch);
            Ok(isolate)
        };
        let mut input = format!("(load-source {})\n", Value::String(format!("{before} {ask}")));
        for _ in 0..hits {
            for (code, _, _) in &cells {
                input.push_str(&format!("(eval {})\n", Value::String(format!("(inspect {code})"))));
            }
        }
        input.push_str(&format!("(eval {})\n", Value::String(format!("(inspect {ENTERED})"))));
        let output = support::talk(input.as_bytes(), Some(store()), new_isolate);
        let mut replies = output.lines().skip(2);
        for hit in 0..hits {
            for (code, value, _) in &cells {
                let length = format!("(ok-len 0 {})", value.len());
                let at = format!("{mode}, hit {hit}, {when}: {code}");
                assert_eq!(replies.next(), Some(length.as_str()), "{at}");
                assert_eq!(replies.next(), Some(value.as_str()), "{at}");
            }
        }
        let count: usize = cells.iter().map(|(_, _, count)| count).sum();
        assert_eq!(take(&seen), wanted(ops, hits * count), "{mode}, {when}");
        let entered = number(replies.nth(1).expect("a number"));
        // When the compiling thread has something ready is its own affair.
        if native != Native::Hot {
            assert_eq!(entered > 0, native != Native::Off, "{mode}");
        }
    }
}
