//! Handlers over real sockets: what they are given, what they answer, what happens when they fail,
//! wait, loop, or the client leaves.

use crate::support::{Answer, Server, app, store};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use sx_serve::{App, Limits, Trusted};

const ECHO: &str = r#"
(define (show request)
  {:status 200
   :headers {:x-query (get request "query") :content-type "text/plain"}
   :body (str (get request "method") " " (get request "path") " " (inspect (get request "body"))
              " " (inspect (get request "body-bytes")) " " (inspect (get (get request "headers") "x-a")))})
(http-listen 0 show)
"done"
"#;

#[test]
fn a_handler_gets_the_request_and_its_answer_is_sent() {
    let server = Server::start(ECHO);
    let answer = Answer::of(&server.raw(
        b"POST /a%20b?q=1&r HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
    ));
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, "POST /a%20b \"hi\" #u8(104 105) \"1, 2\"")
    );
    assert_eq!(answer.header("x-query"), Some("q=1&r"));
    let answer = Answer::of(&server.raw(
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n2\r\n\xff\xfe\r\n1;x=y\r\n!\r\n0\r\n\r\n",
    ));
    assert_eq!(answer.body, "POST / #u8(255 254 33) #u8(255 254 33) nil");
    let head = server.request("HEAD /", "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), Some("19"));
    assert_eq!(server.get("/_sx/health").body, "ok\n");
    assert_eq!(server.end().expect("a value").to_string(), "\"done\"");
}

#[test]
fn a_body_that_is_kept_in_a_file_while_it_arrives_is_the_same_body() {
    let program = r#"(define (handler request) {:body (get request "body")})
                     (http-listen 0 handler {:spool-bytes 1000 :max-body-bytes 300000})"#;
    let server = Server::start(program);
    for length in [1000, 1001, 300_000] {
        let body: String = (0..length).map(|i| char::from(b'a' + (i % 23) as u8)).collect();
        let answer = server.request("POST /", &body);
        assert_eq!((answer.status, answer.body), (200, body), "{length}");
    }
    let mut chunked = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n".to_vec();
    for _ in 0..31 {
        chunked.extend_from_slice(format!("2710\r\n{}\r\n", "x".repeat(10_000)).as_bytes());
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(Answer::of(&server.raw(&chunked)).status, 413);
}

#[test]
fn a_handler_is_told_who_asks() {
    let program = r#"(http-listen 0 (fn (request) {:body (str (get request "client") " " (get request "scheme"))}))"#;
    let forwarded = "GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 1.2.3.4\r\nx-forwarded-proto: https";
    let ask = |server: &Server| server.request_with(forwarded).body;
    let server = Server::start(program);
    let said = ask(&server);
    assert!(said.starts_with("127.0.0.1:") && said.ends_with(" http"), "{said}");
    let server = Server::of(App {
        trusted: Trusted("127.0.0.0/8".parse().expect("a network")),
        ..app(program)
    });
    assert_eq!(ask(&server), "1.2.3.4 https");
}

#[test]
fn connections_are_kept_and_requests_may_come_ahead() {
    let server = Server::start(ECHO);
    let one = "GET /1 HTTP/1.1\r\nhost: a\r\n\r\n";
    let two = "POST /2 HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";
    let three = "GET /3 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answers = server.raw(format!("{one}{two}\r\n{three}").as_bytes());
    let bodies: Vec<&str> = answers
        .match_indices("HTTP/1.1 200")
        .map(|(at, _)| &answers[at..at + 12])
        .collect();
    assert_eq!(bodies.len(), 3, "{answers}");
    let places = ["GET /1", "POST /2 \"abc\"", "GET /3"].map(|text| answers.find(text));
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{answers}");
}

#[test]
fn many_requests_in_one_go_are_answered_in_their_order() {
    let server = Server::start(ECHO);
    let requests: String = (0..1000)
        .map(|n| format!("GET /{n} HTTP/1.1\r\nhost: a\r\n\r\n"))
        .collect();
    let answers = server.raw(requests.as_bytes());
    let paths = answers.lines().filter_map(|line| line.strip_prefix("GET /"));
    let numbers: Vec<usize> = paths
        .map(|path| path.split(' ').next().and_then(|n| n.parse().ok()).expect("a number"))
        .collect();
    assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
}

#[test]
fn an_absolute_target_names_the_host() {
    let server = Server::start(r#"(http-listen 0 (fn (request) {:body (get (get request "headers") "host")}))"#);
    for (line, host, wanted) in [
        ("GET http://b.example/a HTTP/1.1", "host: a", "b.example"),
        ("GET http://b.example:81 HTTP/1.1", "host: a", "b.example:81"),
        ("GET http://[::1]:81/ HTTP/1.0", "x: y", "[::1]:81"),
        ("GET /a HTTP/1.1", "host: a", "a"),
    ] {
        let answer = server.request_with(&format!("{line}\r\n{host}"));
        assert_eq!((answer.status, answer.body.as_str()), (200, wanted), "{line}");
    }
}

#[test]
fn an_error_in_a_handler_is_one_500_and_nothing_else() {
    let server = Server::start(
        r#"(define (handler request)
             (case (get request "path")
               ("/raise" (raise 42))
               ("/undefined" (no-such-function))
               ("/effect" (perform (list "fly")))
               ("/shape" {:status "fine"})
               ("/nothing" nil)
               ("/header" {:headers {:location "a\r\nset-cookie: b"} :body "x"})
               ("/deep" (do (define (down n) (+ 1 (down n))) (down 0)))
               (else {:body "fine"})))
           (http-listen 0 handler)"#,
    );
    for path in [
        "/raise",
        "/undefined",
        "/effect",
        "/shape",
        "/nothing",
        "/header",
        "/deep",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 500, "{path}");
        let id = answer.header("x-request-id").expect("an id").to_owned();
        assert!(
            answer.body.contains(&id) && !answer.head.contains("set-cookie"),
            "{path}: {answer:?}"
        );
        assert_eq!(server.get("/").body, "fine", "after {path}");
    }
}

#[test]
fn serial_handlers_run_one_after_the_other() {
    // Get, wait, put: right only if nobody comes between.
    let program = |options: &str| {
        format!(
            r#"(define count 0)
               (http-listen 0 (fn (request)
                 (let ((now count))
                   (perform (list "sleep" 2))
                   (set! count (+ now 1))
                   {{:body (str count)}})) {options})"#
        )
    };
    let server = Server::start(&program(""));
    let mut seen = counts(&server, 64);
    seen.sort_unstable();
    assert_eq!(seen, (1..=64).collect::<Vec<_>>());
    let server = Server::start(&program("{:concurrent true}"));
    let last = counts(&server, 64).into_iter().max().unwrap_or(0);
    assert!(last < 64, "handlers did not interleave: {last}");
}

#[test]
fn counting_in_the_store_is_right_for_many_clients() {
    let counter = |body: &str, options: &str| {
        let program = format!(
            r#"(load "lib/persist/persist.sx")
               (define store (persist/open "durable"))
               (http-listen 0 (fn (request) {{:body (str {body})}}) {options})"#
        );
        Server::of(App {
            store: Some(store()),
            ..app(&program)
        })
    };
    // Unmodified, where one handler runs after the other; by an atomic step, where they interleave.
    let get_then_put = r#"(perform (list "persist/kv-put" "n" (+ 1 (or (perform (list "persist/kv-get" "n")) 0))))"#;
    let atomic = r#"(persist/kv-update store "n" (fn (n) (+ 1 (or n 0))))"#;
    for (body, options) in [
        (get_then_put, ""),
        (atomic, "{:concurrent true}"),
        (atomic, "{:workers 2}"),
    ] {
        let server = counter(body, options);
        let mut seen: Vec<i64> = (0..4).flat_map(|_| counts(&server, 64)).collect();
        seen.sort_unstable();
        assert_eq!(seen, (1..=256).collect::<Vec<_>>(), "{body} {options}");
    }
}

/// What so many clients get at the same time.
fn counts(server: &Server, clients: usize) -> Vec<i64> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..clients).map(|_| scope.spawn(|| server.get("/").body)).collect();
        let bodies = asked.into_iter().map(|asked| asked.join().expect("no panic"));
        bodies.map(|body| body.parse().expect("a number")).collect()
    })
}

#[test]
fn many_handlers_wait_at_once() {
    let server = Server::start(
        r#"(http-listen 0 (fn (request)
             {:body (str (reduce + 0 (map (fn (x) (do (perform (list "sleep" 100)) x)) (list 1 2 3))))})
             {:concurrent true})"#,
    );
    let began = Instant::now();
    assert_eq!(counts(&server, 200), vec![6; 200]);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_handler_that_loops_is_told_and_others_go_on() {
    let limits = Limits {
        running_time: Duration::from_millis(400),
        grace_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let program = r#"
      (define log (list))
      (define (handler request)
        (case (get request "path")
          ("/loop" (dynamic-wind (fn () nil) (fn () (let loop () (loop))) (fn () (append! log "left"))))
          ("/catch" (guard (e (true {:body (error-message e)})) (let loop () (loop))))
          ("/stubborn" (let again () (guard (e (true (again))) (let loop () (loop)))))
          ("/log" {:body (inspect log)})
          (else {:body "fine"})))
      (http-listen 0 handler {:concurrent true})"#;
    let server = Server::with(program, limits);
    std::thread::scope(|scope| {
        let looping = scope.spawn(|| server.get("/loop"));
        let stubborn = scope.spawn(|| server.get("/stubborn"));
        for _ in 0..20 {
            assert_eq!(server.get("/").body, "fine");
        }
        assert_eq!(looping.join().expect("no panic").status, 500);
        assert_eq!(stubborn.join().expect("no panic").status, 500);
    });
    assert_eq!(server.get("/catch").body, "deadline exceeded");
    assert_eq!(server.get("/log").body, "(\"left\")");
}

#[test]
fn a_handler_that_waits_too_long_is_told() {
    let limits = Limits {
        lasting_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = Server::with(
        r#"(http-listen 0 (fn (request) (guard (e (true {:body (error-message e)})) (perform (list "sleep" 60000)))))"#,
        limits,
    );
    assert_eq!(server.get("/").body, "deadline exceeded");
}

#[test]
fn bodies_are_written_piece_by_piece() {
    let server = Server::start(
        r#"(define log (list))
           (define (handler request)
             (case (get request "path")
               ("/pieces" {:body (fn (write) (for-each (fn (n) (do (write (str n "\n")) (perform (list "sleep" 1)))) (range 0 5)))})
               ("/broken" {:body (fn (write) (do (write "begin") (error "no more")))})
               ("/endless" {:body (fn (write) (guard (e (true (append! log (error-message e)))) (let loop () (do (write (repeat "x" 10000)) (loop)))))})
               (else {:body (inspect log)})))
           (http-listen 0 handler {:concurrent true})"#,
    );
    let answer = server.get("/pieces");
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    let lines: Vec<&str> = answer
        .body
        .lines()
        .filter(|line| ["0", "1", "2", "3", "4"].contains(line))
        .collect();
    assert_eq!(
        lines.last(),
        Some(&"0"),
        "the last chunk ends the body: {}",
        answer.body
    );
    // The client can tell that this is not all.
    let broken = server.get("/broken");
    assert!(!broken.body.ends_with("0\r\n\r\n"), "{}", broken.body);
    // A client that leaves in the middle: the function is told at its next write.
    let mut stream = server.connect();
    stream
        .write_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n")
        .expect("sends");
    let mut some = [0; 1000];
    stream.read_exact(&mut some).expect("a part");
    drop(stream);
    let told = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        server.get("/").body.contains("the client has gone")
    });
    assert!(told, "{}", server.get("/").body);
}

/// Writes a lot of text, and counts.
const FLOOD: &str = r#"
  (define written 0)
  (define told nil)
  (define piece (repeat "x" 65536))
  (define (flood write)
    (guard (e (true (set! told (error-message e))))
      (for-each (fn (n) (do (write piece) (set! written (+ written 1)))) (range 0 3000))))
  (http-listen 0 (fn (request)
    (case (get request "path")
      ("/flood" {:body flood})
      ("/told" {:body (inspect told)})
      (else {:body (str written)})))
    OPTIONS)"#;

#[test]
fn a_streamed_body_waits_for_a_client_that_does_not_read() {
    for options in ["{:write-ms 1000}", "{:write-ms 1000 :concurrent true}"] {
        let server = Server::start(&FLOOD.replace("OPTIONS", options));
        let mut stream = server.connect();
        // What comes ahead makes no difference.
        let ask = "GET /flood HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n";
        stream.write_all(ask.as_bytes()).expect("sends");
        let began = Instant::now();
        while server.get("/told").body == "nil" {
            assert!(began.elapsed() < Duration::from_secs(20), "it is not cut off");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(server.get("/told").body.contains("the client has gone"), "{options}");
        let written: usize = server.get("/").body.parse().expect("a number");
        // The system's own buffers hold some megabytes.
        assert!(written < 1000, "{options}: {written} pieces of 64 KB");
    }
}

#[test]
fn a_streamed_body_is_sent_as_it_is_written_whatever_comes_ahead() {
    let server = Server::start(
        r#"(http-listen 0 (fn (request) {:body (fn (write) (do (write "begun\n") (perform (list "sleep" 3000))))}))"#,
    );
    let mut stream = server.connect();
    let began = Instant::now();
    stream
        .write_all(b"GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n")
        .expect("sends");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "begun"));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn nobody_writes_a_body_that_nobody_gets() {
    let server = Server::start(
        r#"(define calls 0)
           (define (handler request)
             (case (get request "path")
               ("/calls" {:body (str calls)})
               ("/205" {:status 205 :body "x"})
               (else {:status (if (= (get request "path") "/204") 204 200)
                      :body (fn (write) (do (set! calls (+ calls 1)) (write "x")))})))
           (http-listen 0 handler)"#,
    );
    let head = server.request("HEAD /", "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), None);
    let empty = server.get("/204");
    assert_eq!((empty.status, empty.body.as_str()), (204, ""));
    let reset = server.get("/205");
    assert_eq!((reset.status, reset.body.as_str()), (205, ""));
    assert_eq!(
        (reset.header("content-length"), reset.header("content-type")),
        (Some("0"), None)
    );
    assert_eq!(server.get("/calls").body, "0");
    assert_eq!(server.get("/").status, 200);
    assert_eq!(server.get("/calls").body, "1");
}

#[test]
fn handlers_that_take_turns_go_on_between_the_pieces_of_a_body() {
    let program = r#"
      (define count 0)
      (define (more) (let ((now count)) (do (perform (list "sleep" 1)) (set! count (+ now 1)))))
      (http-listen 0 (fn (request)
        (case (get request "path")
          ("/pieces" {:body (fn (write) (for-each (fn (n) (do (more) (write "."))) (range 0 300)))})
          ("/silent" {:body (fn (write) (do (write "begun") (perform (list "sleep" 60000))))})
          (else (do (more) {:body (str count)})))))"#;
    let limits = Limits {
        lasting_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::with(program, limits);
    std::thread::scope(|scope| {
        // It lasts longer than a handler may.
        let pieces = scope.spawn(|| server.get("/pieces"));
        std::thread::sleep(Duration::from_millis(50));
        let began = Instant::now();
        (0..50).for_each(|_| assert_eq!(server.get("/").status, 200));
        assert!(!pieces.is_finished(), "{:?}", began.elapsed());
        let pieces = pieces.join().expect("no panic");
        assert_eq!(pieces.body.matches("\r\n.").count(), 300, "{}", pieces.body);
    });
    assert_eq!(server.get("/").body, "351");
    // The others wait for one that is silent only as long as for a handler.
    let silent = server.get("/silent");
    assert!(
        silent.body.contains("begun") && !silent.body.ends_with("0\r\n\r\n"),
        "{}",
        silent.body
    );
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| server.get("/silent"));
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(server.get("/").body, "352");
    });
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn a_client_that_leaves_ends_no_handler() {
    let server = Server::start(
        r#"(define log (list))
           (http-listen 0 (fn (request)
             (when (= (get request "path") "/slow")
               (perform (list "sleep" 200))
               (append! log "done"))
             {:body (inspect log)}))"#,
    );
    let mut stream = server.connect();
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
        .expect("sends");
    std::thread::sleep(Duration::from_millis(50));
    drop(stream);
    assert_eq!(server.get("/").body, "(\"done\")");
}

#[test]
fn what_is_under_way_ends_when_the_server_stops() {
    let server = Server::start(
        r#"(http-listen 0 (fn (request) (do (perform (list "sleep" 300)) {:body "whole"})) {:concurrent true})
           "stopped""#,
    );
    let mut idle = server.connect();
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..20).map(|_| scope.spawn(|| server.get("/").body)).collect();
        std::thread::sleep(Duration::from_millis(100));
        server.ask_to_stop();
        for asked in asked {
            assert_eq!(asked.join().expect("no panic"), "whole");
        }
    });
    let mut rest = Vec::new();
    assert_eq!(idle.read_to_end(&mut rest).expect("closed"), 0);
    assert_eq!(server.end().expect("a value").to_string(), "\"stopped\"");
}

#[test]
fn a_server_that_stops_under_load_answers_or_refuses() {
    for _ in 0..5 {
        let server = Server::start(r#"(http-listen 0 (fn (request) {:body "whole"}) {:workers 2})"#);
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(server.address)?;
            stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..16)
                .map(|_| {
                    scope.spawn(|| {
                        loop {
                            match ask() {
                                Ok(answer) => assert!(answer.ends_with("whole"), "{answer:?}"),
                                Err(error) => break error.kind(),
                            }
                        }
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_millis(300));
            server.ask_to_stop();
            for client in clients {
                assert_eq!(client.join().expect("no panic"), ErrorKind::ConnectionRefused);
            }
        });
        server.end().expect("a value");
    }
}

#[test]
fn uploads_are_no_requests_until_they_are_whole() {
    let limits = Limits {
        requests_max: 4,
        ..Limits::default()
    };
    let server = Server::with(ECHO, limits);
    let mut uploads: Vec<TcpStream> = (0..8).map(|_| server.connect()).collect();
    for upload in &mut uploads {
        upload
            .write_all(b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\n")
            .expect("sends");
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(server.get("/").status, 200);
    for mut upload in uploads {
        upload.write_all(b"hi").expect("sends");
        let mut answer = String::new();
        upload.read_to_string(&mut answer).expect("an answer");
        assert_eq!(Answer::of(&answer).status, 200);
    }
}

#[test]
fn a_program_may_listen_elsewhere_where_a_port_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let server = Server::start(&format!(
        r#"(define (handler request) {{:body "here"}})
           (define said (guard (e (true (error-message e))) (http-listen {port} handler)))
           (http-listen 0 handler)
           said"#
    ));
    assert_eq!(server.get("/").body, "here");
    let said = server.end().expect("a value").to_string();
    assert!(said.contains(&format!("http-listen: port {port}: ")), "{said}");
}

#[test]
fn too_many_at_once_are_sent_away() {
    let limits = Limits {
        requests_max: 4,
        ..Limits::default()
    };
    let server = Server::with(
        r#"(http-listen 0 (fn (request) (do (perform (list "sleep" 300)) {:body "1"})) {:concurrent true})"#,
        limits,
    );
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..12).map(|_| scope.spawn(|| server.get("/"))).collect();
        asked.into_iter().map(|asked| asked.join().expect("no panic")).collect()
    });
    let sent_away: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!sent_away.is_empty() && sent_away.len() <= 8, "{answers:?}");
    assert!(sent_away.iter().all(|answer| answer.header("retry-after") == Some("1")));
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn workers_load_the_program_each_and_boot_once() {
    let program = r#"
      (define booted 0)
      (on-boot (fn () (set! booted 1)))
      (http-listen 0 (fn (request) (do (perform (list "sleep" 20)) {:body (str booted)})) {:workers 3})"#;
    let server = Server::start(program);
    // A worker that is still loading answers nobody yet.
    let both = (0..50).any(|_| {
        let seen = counts(&server, 60);
        seen.contains(&0) && seen.contains(&1)
    });
    assert!(both, "one worker answers everything");
    assert!(server.end().is_ok());
}

#[test]
fn wrong_arguments_are_named() {
    for (program, wanted) in [
        (
            "(http-listen \"x\" (fn (r) r))",
            "http-listen: expected a port, got \"x\"",
        ),
        (
            "(http-listen 0 5)",
            "http-listen: expected a function to call with requests, got number",
        ),
        (
            "(http-listen 0 (fn (r) r) {:speed 9})",
            "http-listen: no option :speed with the value 9",
        ),
        (
            "(http-listen 0 (fn (r) r) {:max-connections 0})",
            "http-listen: no option :max-connections with the value 0",
        ),
    ] {
        let error = app(program)
            .prepare()
            .and_then(sx_serve::Prepared::run)
            .expect_err(program);
        assert_eq!(error.message, wanted);
    }
}

#[test]
fn views_in_memory_follow_the_store() {
    let program = r#"
      (define view {})
      (perform (list "persist/on-change" "post:" (fn (change)
        (dict-set! view (get change :key) (perform (list "persist/kv-get" (get change :key)))))))
      (dict-set! view "post:1" (perform (list "persist/kv-get" "post:1")))
      (define (handler request)
        (if (= (get request "method") "POST")
          {:body (str (perform (list "persist/kv-put" (slice (get request "path") 1) (get request "body"))))}
          {:body (str (get view (slice (get request "path") 1)))}))
      (http-listen 0 handler {:workers 2})"#;
    let server = Server::of(App {
        store: Some(store()),
        ..app(program)
    });
    for n in 0..10 {
        let text = format!("text {n}");
        assert_eq!(server.request("POST /post:1", &text).body, text);
        let is_seen = || (0..20).all(|_| server.get("/post:1").body == text);
        let followed = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            is_seen()
        });
        assert!(followed, "{text}: {}", server.get("/post:1").body);
    }
}

#[test]
fn what_follows_the_store_takes_its_turn() {
    let program = r#"
      (define count 0)
      (define told 0)
      (perform (list "persist/on-change" "" (fn (change)
        (set! count (+ count 1))
        (set! told (+ told 1)))))
      (define (handler request)
        (if (= (get request "method") "POST")
          (let ((now count))
            (perform (list "persist/kv-put" (get request "path") "x"))
            (perform (list "sleep" 5))
            (set! count (+ now 1))
            {:body "done"})
          {:body (str told " " count)}))
      (http-listen 0 handler)"#;
    let server = Server::of(App {
        store: Some(store()),
        ..app(program)
    });
    (0..20).for_each(|_| assert_eq!(server.request("POST /key", "x").status, 200));
    let all_told = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        server.get("/").body.starts_with("20 ")
    });
    assert!(all_told, "{}", server.get("/").body);
    assert_eq!(server.get("/").body, "20 40");
}
