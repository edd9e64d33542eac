//! WebSockets, with a client that others have written and with frames made by hand.

use crate::support::{Answer, Server};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use sx_serve::Limits;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// Says what it hears, and some words mean more.
const ECHO: &str = r#"
(define log (list))
(define (talk socket)
  (let next ()
    (let ((message ((get socket :receive))))
      (cond
        ((nil? message) (append! log "closed"))
        ((= message "bye") ((get socket :close) 4001 "as you wish"))
        ((= message "fail") (error "no more"))
        ((= message "end") nil)
        ((= message "many") (do (for-each (fn (n) ((get socket :send) (str n))) (range 0 100)) (next)))
        ((= message "loop") (let loop () (loop)))
        (else (do ((get socket :send) message) (next)))))))
(define (handler request)
  (case (get request "path")
    ("/log" {:body (inspect log)})
    ("/none" {:status 101})
    ("/chosen" {:status 101 :headers {"sec-websocket-protocol" "echo"} :websocket talk})
    (else {:status 101 :websocket talk})))
(http-listen 0 handler {:concurrent true})"#;

type Client = WebSocket<TcpStream>;

fn open(server: &Server) -> Client {
    let url = format!("ws://{}/", server.address);
    let (client, response) = tungstenite::client(url, server.connect()).expect("a socket");
    assert_eq!(response.status(), 101);
    client
}

fn say(client: &mut Client, text: &str) {
    client.send(Message::text(text)).expect("sends");
}

fn hear(client: &mut Client) -> String {
    match client.read().expect("a message") {
        Message::Text(text) => text.as_str().to_owned(),
        other => panic!("not a text: {other:?}"),
    }
}

/// What closes the socket, after anything else.
fn closing(client: &mut Client) -> Option<CloseFrame> {
    loop {
        match client.read() {
            Ok(Message::Close(frame)) => return frame,
            Ok(_) => {}
            Err(error) => panic!("not closed but {error}"),
        }
    }
}

fn code(client: &mut Client) -> CloseCode {
    closing(client).expect("a reason").code
}

#[test]
fn messages_go_both_ways() {
    let server = Server::start(ECHO);
    let mut client = open(&server);
    for text in ["a", "", "ü€😀", &"long".repeat(50_000)] {
        say(&mut client, text);
        assert_eq!(hear(&mut client), *text);
    }
    client.send(Message::binary(vec![0u8, 255, 7])).expect("sends");
    assert_eq!(client.read().expect("a message"), Message::binary(vec![0u8, 255, 7]));
    say(&mut client, "many");
    let heard: Vec<String> = (0..100).map(|_| hear(&mut client)).collect();
    assert_eq!(heard, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
    client.send(Message::Ping(vec![1, 2].into())).expect("sends");
    assert_eq!(client.read().expect("an answer"), Message::Pong(vec![1, 2].into()));
    client.close(None).expect("closes");
    while client.read().is_ok() {}
    let told = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        server.get("/log").body == "(\"closed\")"
    });
    assert!(told, "{}", server.get("/log").body);
}

#[test]
fn either_side_may_end_it_and_the_other_is_told_why() {
    let server = Server::start(ECHO);
    let mut client = open(&server);
    say(&mut client, "bye");
    let frame = closing(&mut client).expect("a reason");
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4001, "as you wish"));
    let mut client = open(&server);
    say(&mut client, "end");
    assert_eq!(code(&mut client), CloseCode::Normal);
    let mut client = open(&server);
    say(&mut client, "fail");
    assert_eq!(code(&mut client), CloseCode::Error);
    let mut client = open(&server);
    server.ask_to_stop();
    assert_eq!(code(&mut client), CloseCode::Away);
    drop(client);
    server.end().expect("a value");
}

#[test]
fn a_socket_that_runs_too_long_is_closed() {
    let limits = Limits {
        running_time: Duration::from_millis(200),
        grace_time: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = Server::with(ECHO, limits);
    let mut client = open(&server);
    // What a message takes does not count for the next one.
    for _ in 0..3 {
        say(&mut client, "many");
        (0..100).for_each(|_| drop(hear(&mut client)));
    }
    say(&mut client, "loop");
    assert_eq!(code(&mut client), CloseCode::Error);
}

#[test]
fn what_is_no_handshake_is_no_socket() {
    let server = Server::start(ECHO);
    // The program asks for a socket all the same, which is an error of the program.
    assert_eq!(server.get("/").status, 500);
    assert_eq!(server.get("/none").status, 500);
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let hello = |line: &str, connection: &str, protocol: &str, version: &str, key: &str| {
        let request = format!(
            "{line}\r\nhost: a\r\nconnection: {connection}\r\nupgrade: {protocol}\r\n\
             sec-websocket-version: {version}\r\nsec-websocket-key: {key}\r\n\r\n"
        );
        Answer::of(&server.raw(request.as_bytes()))
    };
    let get = "GET / HTTP/1.1";
    for (name, answer, status) in [
        ("as it should be", hello(get, "Upgrade", "websocket", "13", key), 101),
        (
            "in lists",
            hello(get, "keep-alive, upgrade", "foo, WebSocket", "13", key),
            101,
        ),
        (
            "no connection option",
            hello(get, "keep-alive", "websocket", "13", key),
            400,
        ),
        (
            "HTTP/1.0",
            hello("GET / HTTP/1.0", "upgrade", "websocket", "13", key),
            400,
        ),
        (
            "a POST",
            hello("POST / HTTP/1.1", "upgrade", "websocket", "13", key),
            400,
        ),
        ("a short key", hello(get, "upgrade", "websocket", "13", "short"), 400),
        (
            "no base64",
            hello(get, "upgrade", "websocket", "13", "!!!!!!!!!!!!!!!!!!!!!!!!"),
            400,
        ),
        (
            "17 bytes",
            hello(get, "upgrade", "websocket", "13", "dGhlIHNhbXBsZSBub25jZXM="),
            400,
        ),
        (
            "bits of no byte",
            hello(get, "upgrade", "websocket", "13", "dGhlIHNhbXBsZSBub25jZR=="),
            400,
        ),
        ("another protocol", hello(get, "upgrade", "foo", "13", key), 500),
    ] {
        assert_eq!(answer.status, status, "{name}: {answer:?}");
    }
    let answer = hello(get, "upgrade", "websocket", "12", key);
    assert_eq!(
        (answer.status, answer.header("sec-websocket-version")),
        (426, Some("13"))
    );
    assert_eq!(answer.header("connection"), Some("upgrade, close"));
    assert_eq!(server.get("/log").status, 200);
}

/// A connection that has become a socket, and the first answer.
fn by_hand(server: &Server) -> TcpStream {
    let mut stream = server.connect();
    let hello = "GET /chosen HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(hello.as_bytes()).expect("sends");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head");
        answer.push(byte[0]);
    }
    let answer = Answer::of(&String::from_utf8_lossy(&answer));
    assert_eq!(answer.status, 101);
    // The example of RFC 6455, 1.3.
    assert_eq!(
        answer.header("sec-websocket-accept"),
        Some("s3pplmbitxaq9kygzzhzrbk+xoo=")
    );
    assert_eq!(answer.header("sec-websocket-protocol"), Some("echo"));
    stream
}

/// A frame with a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

#[test]
fn frames_that_are_wrong_close_it_with_the_code_for_that() {
    let server = Server::with(
        ECHO,
        Limits {
            message_bytes_max: 1000,
            ..Limits::default()
        },
    );
    let large = {
        let mut frame = vec![0x81, 0x80 | 126, 0x04, 0x00, 0, 0, 0, 0];
        frame.extend([b'x'; 1024]);
        frame
    };
    let cases: [(&str, Vec<u8>, u16); 8] = [
        ("no mask", vec![0x81, 1, b'a'], 1002),
        ("a reserved bit", frame(0xC1, b"a"), 1002),
        ("an opcode nobody knows", frame(0x83, b"a"), 1002),
        ("a continuation of nothing", frame(0x80, b"a"), 1002),
        ("a ping in pieces", frame(0x09, b"a"), 1002),
        ("text that is not UTF-8", frame(0x81, &[0xff, 0xfe]), 1007),
        ("a message that is too large", large, 1009),
        (
            "pieces that are too large together",
            {
                let piece = |first: u8| frame(first, &[b'x'; 120]);
                let more = std::iter::repeat_with(|| piece(0x00)).take(9).flatten();
                piece(0x01).into_iter().chain(more).collect()
            },
            1009,
        ),
    ];
    for (name, bytes, code) in cases {
        let mut stream = by_hand(&server);
        stream.write_all(&bytes).expect("sends");
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).expect(name);
        assert_eq!(answer[0], 0x88, "{name}: {answer:?}");
        assert_eq!(u16::from_be_bytes([answer[2], answer[3]]), code, "{name}");
    }
    // A message in pieces is one message.
    let mut stream = by_hand(&server);
    stream
        .write_all(&[frame(0x01, b"he"), frame(0x89, b"?"), frame(0x80, b"llo")].concat())
        .expect("sends");
    let mut answers = [0; 3 + 7];
    stream.read_exact(&mut answers).expect("two answers");
    assert_eq!(&answers, b"\x8a\x01?\x81\x05hello");
    assert_eq!(server.get("/log").status, 200);
}

#[test]
fn a_client_without_a_sign_of_life_is_given_up() {
    let limits = Limits {
        idle_time: Duration::from_millis(400),
        ..Limits::default()
    };
    let server = Server::with(ECHO, limits);
    let mut silent = by_hand(&server);
    let began = Instant::now();
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).expect("closed");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(rest.first(), Some(&0x89), "{rest:?}");
    // One that answers pings stays.
    let mut client = open(&server);
    client
        .get_ref()
        .set_read_timeout(Some(Duration::from_millis(100)))
        .expect("a limit");
    for _ in 0..10 {
        // Reading is what answers.
        assert!(matches!(
            client.read(),
            Ok(Message::Ping(_)) | Err(tungstenite::Error::Io(_))
        ));
    }
    client
        .get_ref()
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a limit");
    say(&mut client, "still here");
    while !matches!(client.read().expect("a message"), Message::Text(_)) {}
}

#[test]
fn handlers_that_take_turns_go_on_while_a_socket_waits() {
    let program = r#"
      (define count 0)
      (define (talk socket)
        (let next ((message ((get socket :receive))))
          (unless (nil? message)
            (let ((now count))
              (perform (list "sleep" 2))
              (set! count (+ now 1))
              ((get socket :send) (str count))
              (next ((get socket :receive)))))))
      (http-listen 0 (fn (request)
        (if (= (get request "path") "/count")
          (let ((now count)) (do (perform (list "sleep" 1)) (set! count (+ now 1)) {:body (str count)}))
          {:status 101 :websocket talk})))"#;
    let server = Server::start(program);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = open(&server);
                for _ in 0..20 {
                    say(&mut client, "more");
                    hear(&mut client);
                }
                client.close(None).expect("closes");
            });
            scope.spawn(|| (0..20).for_each(|_| drop(server.get("/count"))));
        }
    });
    assert_eq!(server.get("/count").body, "161");
}

#[test]
fn what_one_says_all_may_hear() {
    let program = r#"
      (define sockets (list))
      (define (say text) (for-each (fn (socket) ((get socket :send) text)) sockets))
      (define (join-in socket)
        (do (set! sockets (cons socket sockets))
            ((get socket :send) "welcome")
            (let next ((message ((get socket :receive))))
              (unless (nil? message) (say message) (next ((get socket :receive)))))))
      (http-listen 0 (fn (request) {:status 101 :websocket join-in}) {:concurrent true})"#;
    let server = Server::start(program);
    let mut clients: Vec<Client> = (0..5).map(|_| open(&server)).collect();
    clients
        .iter_mut()
        .for_each(|client| assert_eq!(hear(client), "welcome"));
    // One has gone without a word; sending to it is no error.
    drop(clients.pop());
    say(&mut clients[0], "hello");
    clients.iter_mut().for_each(|client| assert_eq!(hear(client), "hello"));
    say(&mut clients[1], "again");
    clients.iter_mut().for_each(|client| assert_eq!(hear(client), "again"));
}
