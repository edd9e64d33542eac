//! Handlers that take memory: who is ended for it, and who does not notice.

use crate::support::{Server, app};
use std::time::{Duration, Instant};
use sx::{Engine, Options, Source};
use sx_serve::App;

const MB: usize = 1 << 20;

/// Handlers that keep so many strings of 100 KB, for ever or for a while.
const PROGRAM: &str = r#"
  (define waiting 0)
  (define (wait all time) (do (set! waiting (inc waiting)) (perform (list "sleep" time)) {:body (str (len all))}))
  (define (strings n) (map (fn (i) (make-string 100000)) (range 0 n)))
  (define (handler request)
    (case (get request "path")
      ("/more-and-more" (let loop ((all (list))) (loop (cons (strings 1) all))))
      ("/keep" (wait (strings 400) 50000))
      ("/keep-a-little" (wait (strings 20) 2000))
      ("/waiting" {:body (str waiting)})
      ("/need" {:body (str (len (strings 300)))})
      ("/catch" (guard (e (true {:body (error-message e)})) (len (strings 10000))))
      (else {:body "fine"})))
  (http-listen 0 handler {:concurrent true})"#;

/// A server whose isolates may take 64 MB each.
fn server(program: &str) -> Server {
    let options = Options {
        memory_limit: 64 * MB,
        ..Options::default()
    };
    Server::of(App {
        engine: Engine::with(options),
        ..App::new(Engine::new(), Source::new("app.sx", program))
    })
}

#[test]
fn a_handler_that_allocates_without_end_is_ended_and_others_go_on() {
    let server = server(PROGRAM);
    for round in 0..3 {
        std::thread::scope(|scope| {
            let hungry = scope.spawn(|| server.get("/more-and-more"));
            let modest = scope.spawn(|| server.get("/keep-a-little"));
            for _ in 0..20 {
                assert_eq!(server.get("/").body, "fine");
            }
            assert_eq!(hungry.join().expect("no panic").status, 500, "round {round}");
            assert_eq!(modest.join().expect("no panic").body, "20", "round {round}");
        });
    }
    assert_eq!(server.get("/catch").body, "memory limit");
}

#[test]
fn who_waits_with_most_of_the_memory_is_ended_when_another_needs_it() {
    let server = server(PROGRAM);
    std::thread::scope(|scope| {
        let began = Instant::now();
        let keeps = scope.spawn(|| server.get("/keep"));
        let modest = scope.spawn(|| server.get("/keep-a-little"));
        // Both hold what they have made.
        while server.get("/waiting").body != "2" {
            assert!(began.elapsed() < Duration::from_secs(30), "they do not wait");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(server.get("/need").body, "300");
        // It is told at once, not when its wait is over.
        assert_eq!(keeps.join().expect("no panic").status, 500);
        assert!(began.elapsed() < Duration::from_secs(40));
        assert_eq!(modest.join().expect("no panic").body, "20");
    });
}

#[test]
fn what_all_share_is_nobodys_and_who_asks_for_more_is_refused() {
    let server = server(
        r#"
      (define kept (list))
      (define (handler request)
        (case (get request "path")
          ("/wait" (do (perform (list "sleep" 1500)) {:body "waited"}))
          ("/kept" {:body (str (len kept))})
          ("/forget" (do (set! kept (list)) {:body "fine"}))
          (else (let loop () (do (set! kept (cons (make-string 100000) kept)) (loop))))))
      (http-listen 0 handler {:concurrent true})"#,
    );
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| server.get("/wait"));
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(server.get("/grow").status, 500);
        assert_eq!(waits.join().expect("no panic").body, "waited");
    });
    assert_eq!(server.get("/forget").body, "fine");
    assert_eq!(server.get("/kept").body, "0");
}

#[test]
fn the_workers_divide_the_memory_of_the_process() {
    let program = r#"
      (define (strings n) (map (fn (i) (make-string 100000)) (range 0 n)))
      (http-listen 0 (fn (request)
        (guard (e (true {:body (error-message e)})) {:body (str (len (strings 600)))})) {:workers 2})"#;
    let with = |cap| {
        Server::of(App {
            memory_cap: Some(cap),
            ..app(program)
        })
    };
    let (roomy, tight) = (with(512 * MB), with(64 * MB));
    for _ in 0..4 {
        assert_eq!(roomy.get("/").body, "600");
        assert_eq!(tight.get("/").body, "memory limit");
    }
}

#[test]
fn more_workers_than_there_is_memory_for_are_refused() {
    let program = "(guard (e (true (error-message e))) (http-listen 0 (fn (request) {}) {:workers 16}))";
    let app = App {
        memory_cap: Some(256 * MB),
        ..app(program)
    };
    let value = app.prepare().and_then(sx_serve::Prepared::run).expect("caught");
    let wrong = "http-listen: 16 isolates would have 16 MB each of the 256 MB the process may take, and need 32 MB";
    assert_eq!(value.as_str(), Some(wrong));
}
