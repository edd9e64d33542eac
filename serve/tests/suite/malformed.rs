//! Requests that are not as RFC 9112 and RFC 9110 say, and clients that take too long: each gets the
//! status it deserves, and the server answers the next one.

use crate::support::{Answer, Server};
use std::io::{Read, Write};
use std::time::{Duration, Instant};
use sx_serve::Limits;

const ECHO: &str = r#"(http-listen 0 (fn (request) {:body (str "got " (get request "body"))}))"#;

/// What is wrong, the bytes (`~` stands for a line end), the status.
const CASES: &[(&str, &str, u16)] = &[
    // The request line.
    ("no target", "GET HTTP/1.1~host: a~~", 400),
    ("no version", "GET /~host: a~~", 400),
    ("only a method", "GET~~", 400),
    ("two spaces before the target", "GET  / HTTP/1.1~host: a~~", 400),
    ("two spaces before the version", "GET /  HTTP/1.1~host: a~~", 400),
    ("a space at the end", "GET / HTTP/1.1 ~host: a~~", 400),
    ("a tab between the parts", "GET\t/\tHTTP/1.1~host: a~~", 400),
    ("a space at the beginning", " GET / HTTP/1.1~host: a~~", 400),
    ("a method that is no token", "GE(T / HTTP/1.1~host: a~~", 400),
    ("an empty method", " / HTTP/1.1~host: a~~", 400),
    ("a version in lower case", "GET / http/1.1~host: a~~", 400),
    ("a version without a minor number", "GET / HTTP/1~host: a~~", 400),
    ("a version with two digits", "GET / HTTP/1.10~host: a~~", 400),
    ("a version that is no number", "GET / HTTP/x.y~host: a~~", 400),
    ("HTTP/2 spoken as text", "GET / HTTP/2.0~host: a~~", 505),
    ("the preface of HTTP/2", "PRI * HTTP/2.0~~SM~~", 505),
    ("HTTP/1.2", "GET / HTTP/1.2~host: a~~", 505),
    ("HTTP/0.9", "GET / HTTP/0.9~~", 505),
    ("a target without a slash", "GET a HTTP/1.1~host: a~~", 400),
    ("a target with a fragment", "GET /a#b HTTP/1.1~host: a~~", 400),
    (
        "a target with a control character",
        "GET /a\u{1}b HTTP/1.1~host: a~~",
        400,
    ),
    ("a target that is not ASCII", "GET /ä HTTP/1.1~host: a~~", 400),
    ("a target with half an escape", "GET /a%2 HTTP/1.1~host: a~~", 400),
    ("a target with a false escape", "GET /a%zz HTTP/1.1~host: a~~", 400),
    ("a target with a quote", "GET /a\"b HTTP/1.1~host: a~~", 400),
    ("a target with a backtick", "GET /a`b HTTP/1.1~host: a~~", 400),
    ("an asterisk for a GET", "GET * HTTP/1.1~host: a~~", 400),
    ("another scheme", "GET ftp://a/ HTTP/1.1~host: a~~", 400),
    (
        "an absolute target without a host",
        "GET http:/// HTTP/1.1~host: a~~",
        400,
    ),
    ("a tunnel", "CONNECT a:443 HTTP/1.1~host: a:443~~", 501),
    ("no request at all", "hello\r\n\r\n", 400),
    ("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\0\u{1}~~", 400),
    // Line ends.
    (
        "a line end without CR in the request line",
        "GET / HTTP/1.1\nhost: a~~",
        400,
    ),
    (
        "a line end without CR in the fields",
        "GET / HTTP/1.1~host: a\nx: y~~",
        400,
    ),
    ("a CR without LF in a value", "GET / HTTP/1.1~host: a~x: a\rb~~", 400),
    ("a CR without LF in the request line", "GET /\r HTTP/1.1~host: a~~", 400),
    ("only LF everywhere", "GET / HTTP/1.1\nhost: a\n\n", 400),
    // Fields.
    ("a field without a colon", "GET / HTTP/1.1~host: a~x~~", 400),
    ("a space before the colon", "GET / HTTP/1.1~host : a~~", 400),
    ("a folded field", "GET / HTTP/1.1~host: a~x: 1~ 2~~", 400),
    ("a folded field with a tab", "GET / HTTP/1.1~host: a~x: 1~\t2~~", 400),
    ("a space before the first field", "GET / HTTP/1.1~ host: a~~", 400),
    ("a field without a name", "GET / HTTP/1.1~host: a~: 1~~", 400),
    ("a name with a space", "GET / HTTP/1.1~host: a~a b: 1~~", 400),
    (
        "a name with a control character",
        "GET / HTTP/1.1~host: a~a\u{7f}: 1~~",
        400,
    ),
    ("a name that is not ASCII", "GET / HTTP/1.1~host: a~ä: 1~~", 400),
    ("a NUL in a value", "GET / HTTP/1.1~host: a~x: a\0b~~", 400),
    (
        "a control character in a value",
        "GET / HTTP/1.1~host: a~x: a\u{8}b~~",
        400,
    ),
    (
        "an expectation nobody meets",
        "GET / HTTP/1.1~host: a~expect: tea~~",
        417,
    ),
    // Host.
    ("no host", "GET / HTTP/1.1~x: y~~", 400),
    ("two hosts", "GET / HTTP/1.1~host: a~host: b~~", 400),
    ("the same host twice", "GET / HTTP/1.1~host: a~host: a~~", 400),
    ("a host with a space", "GET / HTTP/1.1~host: a b~~", 400),
    ("a host with a path", "GET / HTTP/1.1~host: a/b~~", 400),
    ("a host with a user", "GET / HTTP/1.1~host: u@a~~", 400),
    ("a host list", "GET / HTTP/1.1~host: a, b~~", 400),
    ("a host with a false port", "GET / HTTP/1.1~host: a:b~~", 400),
    ("a host with two ports", "GET / HTTP/1.1~host: a:1:2~~", 400),
    ("an address that is none", "GET / HTTP/1.1~host: [:::::]~~", 400),
    ("an address in short", "GET / HTTP/1.1~host: [1.2.3.4]~~", 400),
    ("an address with a zone", "GET / HTTP/1.1~host: [fe80::1%25eth0]~~", 400),
    ("an address of no version", "GET / HTTP/1.1~host: [v.a]~~", 400),
    (
        "an address of a version without text",
        "GET / HTTP/1.1~host: [v1.]~~",
        400,
    ),
    (
        "a false address in a target",
        "GET http://[::x]/ HTTP/1.1~host: a~~",
        400,
    ),
    ("an address without its end", "GET / HTTP/1.1~host: [::1~~", 400),
    ("two hosts in HTTP/1.0", "GET / HTTP/1.0~host: a~host: b~~", 400),
    // Content-Length.
    (
        "a length that is no number",
        "POST / HTTP/1.1~host: a~content-length: x~~",
        400,
    ),
    ("a negative length", "POST / HTTP/1.1~host: a~content-length: -1~~", 400),
    (
        "a length with a sign",
        "POST / HTTP/1.1~host: a~content-length: +1~~x",
        400,
    ),
    (
        "a hexadecimal length",
        "POST / HTTP/1.1~host: a~content-length: 0x1~~x",
        400,
    ),
    ("an empty length", "POST / HTTP/1.1~host: a~content-length:~~", 400),
    (
        "two different lengths",
        "POST / HTTP/1.1~host: a~content-length: 1~content-length: 2~~xx",
        400,
    ),
    (
        "the same length twice",
        "POST / HTTP/1.1~host: a~content-length: 1~content-length: 1~~x",
        400,
    ),
    (
        "a list of lengths",
        "POST / HTTP/1.1~host: a~content-length: 1, 1~~x",
        400,
    ),
    (
        "a length beyond 64 bits",
        "POST / HTTP/1.1~host: a~content-length: 99999999999999999999~~",
        400,
    ),
    (
        "a length beyond the limit",
        "POST / HTTP/1.1~host: a~content-length: 99999999~~",
        413,
    ),
    (
        "a body that ends too early",
        "POST / HTTP/1.1~host: a~content-length: 5~~abc",
        400,
    ),
    // Transfer-Encoding.
    (
        "both framings",
        "POST / HTTP/1.1~host: a~content-length: 3~transfer-encoding: chunked~~0~~",
        400,
    ),
    (
        "both framings, the other way round",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~content-length: 3~~0~~",
        400,
    ),
    (
        "an unknown coding",
        "POST / HTTP/1.1~host: a~transfer-encoding: tea~~",
        400,
    ),
    (
        "chunks that are not last",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked, gzip~~",
        400,
    ),
    (
        "chunks twice",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked, chunked~~0~~",
        400,
    ),
    (
        "chunks twice, in two fields",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~transfer-encoding: chunked~~0~~",
        400,
    ),
    (
        "a coding before the chunks",
        "POST / HTTP/1.1~host: a~transfer-encoding: gzip, chunked~~0~~",
        501,
    ),
    (
        "chunks with a prefix",
        "POST / HTTP/1.1~host: a~transfer-encoding: xchunked~~0~~",
        400,
    ),
    (
        "an empty coding",
        "POST / HTTP/1.1~host: a~transfer-encoding:~~0~~",
        400,
    ),
    (
        "chunks in HTTP/1.0",
        "POST / HTTP/1.0~host: a~transfer-encoding: chunked~~0~~",
        400,
    ),
    // Chunks.
    (
        "a chunk size that is no number",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~x~a~0~~",
        400,
    ),
    (
        "an empty chunk size",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~~a~0~~",
        400,
    ),
    (
        "a negative chunk size",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~-1~a~0~~",
        400,
    ),
    (
        "a chunk size with 0x",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~0x1~a~0~~",
        400,
    ),
    (
        "a chunk size beyond 64 bits",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~fffffffffffffffff~a~0~~",
        400,
    ),
    (
        "a space before a chunk size",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~ 1~a~0~~",
        400,
    ),
    (
        "a chunk that is longer than it says",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~1~ab~0~~",
        400,
    ),
    (
        "a chunk line without CR",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~1\na~0~~",
        400,
    ),
    (
        "chunk data without a line end",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~1~a0~~",
        400,
    ),
    (
        "chunks that end too early",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~5~abc",
        400,
    ),
    (
        "no last chunk",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~1~a~",
        400,
    ),
    (
        "a trailer without a colon",
        "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~1~a~0~x~~",
        400,
    ),
    // Truncation.
    ("half a request line", "GET / HT", 400),
    ("half a head", "GET / HTTP/1.1~host: a~", 400),
];

#[test]
fn each_malformed_request_gets_its_status_and_the_server_lives() {
    let server = Server::start(ECHO);
    assert!(CASES.len() >= 60);
    for (name, bytes, status) in CASES {
        let answer = server.raw(bytes.replace('~', "\r\n").as_bytes());
        assert_eq!(Answer::of(&answer).status, *status, "{name}: {answer}");
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
    for (name, bytes) in [
        ("HTTP/1.0 without a host", "GET / HTTP/1.0~~"),
        (
            "an absolute target",
            "GET http://a/b?c HTTP/1.1~host: a~connection: close~~",
        ),
        ("an empty host", "GET / HTTP/1.1~host:~connection: close~~"),
        (
            "an address for a host",
            "GET / HTTP/1.1~host: [::1]:80~connection: close~~",
        ),
        (
            "an address with dots for a host",
            "GET / HTTP/1.1~host: [::ffff:1.2.3.4]~connection: close~~",
        ),
        (
            "an address of another version for a host",
            "GET / HTTP/1.1~host: [v1f.a:b]:80~connection: close~~",
        ),
        (
            "a backtick in a query",
            "GET /a?b`c HTTP/1.1~host: a~connection: close~~",
        ),
        (
            "another protocol that is offered",
            "POST / HTTP/1.1~host: a~connection: upgrade, close~upgrade: h2c~content-length: 1~~x",
        ),
        (
            "an asterisk for OPTIONS",
            "OPTIONS * HTTP/1.1~host: a~connection: close~~",
        ),
        ("an empty value", "GET / HTTP/1.1~host: a~x:~connection: close~~"),
        (
            "spaces around a value",
            "GET / HTTP/1.1~host: \t a \t~connection: close~~",
        ),
        ("an empty line before", "~GET / HTTP/1.1~host: a~connection: close~~"),
        (
            "bytes beyond ASCII in a value",
            "GET / HTTP/1.1~host: a~x: ü~connection: close~~",
        ),
        ("a method of one's own", "BREW / HTTP/1.1~host: a~connection: close~~"),
        (
            "a chunk extension",
            "POST / HTTP/1.1~host: a~connection: close~transfer-encoding: Chunked~~0;a=b~~",
        ),
        (
            "trailers",
            "POST / HTTP/1.1~host: a~connection: close~transfer-encoding: chunked~~0~x: y~~",
        ),
        (
            "an expectation",
            "POST / HTTP/1.1~host: a~connection: close~expect: 100-continue~content-length: 0~~",
        ),
    ] {
        let answer = server.raw(bytes.replace('~', "\r\n").as_bytes());
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
