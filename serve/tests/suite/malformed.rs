//! Requests that are not as RFC 9112 and RFC 9110 say, and clients that take too long: each gets the
//! status it deserves, and the server answers the next one.

use crate::support::{Answer, Server};
use std::io::{Read, Write};
use std::time::{Duration, Instant};
use sx_serve::Limits;

const ECHO: &str = r#"(http-listen 0 (fn (request) {:body (str "got " (get request "body"))}))"#;

/// The rows of `requests.txt`: what a request is, its bytes, the status it gets.
fn requests(is_wanted: impl Fn(u16) -> bool) -> Vec<(&'static str, Vec<u8>, u16)> {
    let rows = include_str!("../requests.txt").lines();
    let rows = rows.filter(|row| !row.is_empty() && !row.starts_with('#'));
    let rows = rows.map(|row| {
        let (about, bytes) = row.split_once("  |  ").expect(row);
        let (status, name) = about.split_once("  ").expect(row);
        (name.trim_end(), bytes_of(bytes), status.parse().expect(row))
    });
    rows.filter(|(_, _, status)| is_wanted(*status)).collect()
}

/// The bytes that a row stands for.
fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '~' => bytes.push_str("\r\n"),
            '\\' => bytes.push(escaped(&mut rest).expect(text)),
            c => bytes.push(c),
        }
    }
    bytes.into_bytes()
}

fn escaped(rest: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        '0' => '\0',
        'u' => {
            let digits: String = rest.skip_while(|c| *c == '{').take_while(|c| *c != '}').collect();
            char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
        }
        _ => return None,
    })
}

#[test]
fn each_malformed_request_gets_its_status_and_the_server_lives() {
    let server = Server::start(ECHO);
    let malformed = requests(|status| status != 200);
    assert!(malformed.len() >= 60);
    for (name, bytes, status) in malformed {
        let answer = server.raw(&bytes);
        assert_eq!(Answer::of(&answer).status, status, "{name}: {answer}");
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "{name}: one answer, then the end: {answer}"
        );
        assert!(
            answer.to_ascii_lowercase().contains("connection: close"),
            "{name}: {answer}"
        );
        assert_eq!(server.get("/").body, "got ", "after {name}");
    }
}

#[test]
fn sizes_are_bounded() {
    let server = Server::start(ECHO);
    let fields = |count: usize| (0..count).map(|i| format!("x{i}: y\r\n")).collect::<String>();
    let cases = [
        (
            "a long target",
            format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(9_000)),
            414,
        ),
        ("a target without end", format!("GET /{}", "a".repeat(100_000)), 414),
        (
            "a long field",
            format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(20_000)),
            431,
        ),
        (
            "a field without end",
            format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "a".repeat(100_000)),
            431,
        ),
        (
            "many fields",
            format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", fields(100)),
            431,
        ),
        (
            "a long chunked body",
            {
                let chunk = format!("10000\r\n{}\r\n", "a".repeat(65_536));
                format!(
                    "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
                    chunk.repeat(33)
                )
            },
            413,
        ),
        (
            "a long chunk line",
            format!(
                "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1;{}\r\na\r\n0\r\n\r\n",
                "x".repeat(5_000)
            ),
            400,
        ),
        (
            "long trailers",
            format!(
                "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n{}\r\n",
                "x: y\r\n".repeat(5_000)
            ),
            400,
        ),
    ];
    for (name, bytes, status) in cases {
        assert_eq!(Answer::of(&server.raw(bytes.as_bytes())).status, status, "{name}");
        assert_eq!(server.get("/").body, "got ", "after {name}");
    }
    let most = format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{}\r\n", fields(98));
    assert_eq!(Answer::of(&server.raw(most.as_bytes())).status, 200);
}

#[test]
fn what_is_unusual_but_right_is_taken() {
    let server = Server::start(ECHO);
    for (name, bytes, _) in requests(|status| status == 200) {
        let answer = server.raw(&bytes);
        assert_eq!(Answer::of(&answer).status, 200, "{name}: {answer}");
    }
}

#[test]
fn nobody_can_pretend_to_be_the_guard() {
    let server = Server::start(ECHO);
    let answer = server.raw(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-sx-refusal: 400 418\r\n\r\n");
    assert_eq!(Answer::of(&answer).status, 200);
}

fn quick() -> Limits {
    Limits {
        head_time: Duration::from_millis(300),
        body_time: Duration::from_millis(300),
        idle_time: Duration::from_millis(600),
        write_time: Duration::from_millis(300),
        ..Limits::default()
    }
}

/// Sends a byte now and then; what comes back, and after how long.
fn drip(server: &Server, bytes: &[u8]) -> (String, Duration) {
    let mut stream = server.connect();
    let began = Instant::now();
    let reader = {
        let mut stream = stream.try_clone().expect("a clone");
        std::thread::spawn(move || {
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            (String::from_utf8_lossy(&answer).into_owned(), began.elapsed())
        })
    };
    for byte in bytes.iter().cycle().take(400) {
        if reader.is_finished() || stream.write_all(&[*byte]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    reader.join().expect("no panic")
}

#[test]
fn slow_clients_are_cut_off_and_others_do_not_notice() {
    let server = Server::with(ECHO, quick());
    std::thread::scope(|scope| {
        let slow_head = scope.spawn(|| drip(&server, b"GET / HTTP/1.1\r\nx: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"));
        let slow_body = scope.spawn(|| {
            let mut stream = server.connect();
            stream
                .write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n")
                .expect("sends");
            let began = Instant::now();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            (String::from_utf8_lossy(&answer).into_owned(), began.elapsed())
        });
        let silent = scope.spawn(|| {
            let mut stream = server.connect();
            let began = Instant::now();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            (String::from_utf8_lossy(&answer).into_owned(), began.elapsed())
        });
        for _ in 0..20 {
            assert_eq!(server.get("/").status, 200);
            std::thread::sleep(Duration::from_millis(20));
        }
        let (answer, took) = slow_head.join().expect("no panic");
        assert_eq!(Answer::of(&answer).status, 408, "{answer}");
        assert!(took < Duration::from_secs(6), "{took:?}");
        let (answer, took) = slow_body.join().expect("no panic");
        assert!(matches!(Answer::of(&answer).status, 408 | 0), "{answer}");
        assert!(took < Duration::from_secs(6), "{took:?}");
        let (answer, took) = silent.join().expect("no panic");
        assert_eq!(answer, "");
        assert!(took < Duration::from_secs(8), "{took:?}");
    });
}

#[test]
fn whatever_is_in_a_target_is_answered_or_refused_in_words() {
    let server = Server::start(ECHO);
    for byte in 0x21..0x7f_u8 {
        let c = char::from(byte);
        for target in [format!("/a{c}b"), format!("/a?b{c}c"), format!("http://a{c}b/")] {
            let answer = server.request_with(&format!("GET {target} HTTP/1.1\r\nhost: a"));
            let known = matches!(
                (answer.status, answer.body.as_str()),
                (200, "got ") | (400, "400 Bad Request\n")
            );
            assert!(known, "{target}: {answer:?}");
        }
    }
}

#[test]
fn asking_for_another_protocol_buys_no_time() {
    let server = Server::with(ECHO, quick());
    let mut stream = server.connect();
    let began = Instant::now();
    stream
        .write_all(
            b"POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 100\r\n\r\nab",
        )
        .expect("sends");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert_eq!(Answer::of(&answer).status, 408, "{answer}");
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[test]
fn the_time_of_a_body_begins_when_it_is_waited_for() {
    let server = Server::with(
        r#"(http-listen 0 (fn (request) (do (perform (list "sleep" 900)) {:body (str "got " (get request "body") ".")})))"#,
        quick(),
    );
    let mut stream = server.connect();
    let requests = "GET / HTTP/1.1\r\nhost: a\r\n\r\nPOST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 4\r\n\r\nab";
    stream.write_all(requests.as_bytes()).expect("sends");
    let mut first = Vec::new();
    while !first.ends_with(b"got .") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        first.push(byte[0]);
    }
    std::thread::sleep(Duration::from_millis(50));
    stream.write_all(b"cd").expect("sends");
    let mut second = String::new();
    stream.read_to_string(&mut second).expect("an answer");
    assert_eq!(Answer::of(&second).body, "got abcd.", "{second}");
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let server = Server::with(
        r#"(define big (repeat "x" 20000000)) (http-listen 0 (fn (request) {:body big}))"#,
        quick(),
    );
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").expect("sends");
    std::thread::sleep(Duration::from_secs(5));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.len() < 20_000_000, "{}", answer.len());
    assert_eq!(server.get("/_sx/health").status, 200);
}
