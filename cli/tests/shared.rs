//! Three servers behind one PostgreSQL: what is written on one is seen on the others, one is killed in
//! the middle of writes, connections are cut. Ignored unless asked for, since it needs PostgreSQL:
//! `cargo test -p sx-cli --test shared -- --ignored`.

#[path = "../../store/tests/suite/scratch.rs"]
mod scratch;
use scratch::Scratch;

#[path = "../../store/tests/suite/cluster.rs"]
#[allow(dead_code, reason = "the store's own tests use the rest")]
mod cluster;

#[path = "support/server.rs"]
mod server;

use server::Server;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const PROGRAM: &str = r#"
(define view {})
(define (look key) (perform (list "persist/kv-get" key)))
(perform (list "persist/on-change" "post:"
  (fn (change) (dict-set! view (get change :key) (look (get change :key))))))
(define (handler request)
  (let ((path (slice (get request "path") 1)) (body (get request "body")))
    (cond
      ((starts-with? path "view/") {:body (str (get view (slice path 5)))})
      ((starts-with? path "put/") {:body (str (perform (list "persist/kv-put" (slice path 4) body)))})
      ((= path "append") {:body (str (get (perform (list "persist/append" "log" "e" 0 body)) :seq))})
      ((= path "log") {:body (join "\n" (map (fn (e) (str (get e :seq) " " (get e :data)))
                                          (perform (list "persist/read" "log"))))})
      (else {:status 404}))))
(http-listen 0 handler {:concurrent true})
"#;

fn start(scratch: &Scratch, url: &str) -> Server {
    let program = scratch.path().join("app.sx");
    std::fs::write(&program, PROGRAM).expect("writes");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sx"));
    command
        .arg("serve")
        .arg(program)
        .current_dir(scratch.path())
        .env("SX_STORE", url);
    Server::start(&mut command)
}

/// The body of an answer with status 200; nothing if there is none.
fn ask(server: &Server, path: &str, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(&server.address).ok()?;
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}

#[test]
#[ignore = "needs PostgreSQL"]
fn three_servers_share_a_database() {
    let scratch = Scratch::new();
    let url = cluster::shared().new_database();
    let servers: Vec<Server> = (0..3).map(|_| start(&scratch, &url)).collect();
    for round in 0..5 {
        let (key, text) = (format!("post:{round}"), format!("text {round}"));
        let put = ask(&servers[round % 3], &format!("/put/{key}"), &text);
        assert_eq!(put.as_deref(), Some(text.as_str()));
        for server in &servers {
            let until = Instant::now() + Duration::from_secs(20);
            while ask(server, &format!("/view/{key}"), "").as_deref() != Some(text.as_str()) {
                assert!(Instant::now() < until, "{key} is not seen at {}", server.address);
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_was_answered_stays_when_a_server_is_killed_and_connections_are_cut() {
    let scratch = Scratch::new();
    let cluster = cluster::shared();
    let url = cluster.new_database();
    let database = url.rsplit('/').next().unwrap_or_default().to_owned();
    let mut servers: Vec<Server> = (0..3).map(|_| start(&scratch, &url)).collect();
    let mut victim = servers.pop().expect("three");
    let victim_process = victim.child.id();
    let (answered, asked) = (Mutex::new(Vec::<(u64, String)>::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let all = [&servers[0], &servers[1], &victim];
        for client in 0..9 {
            let (server, answered, asked) = (all[client % 3], &answered, &asked);
            scope.spawn(move || {
                for n in 0..60 {
                    let text = format!("{client}-{n}");
                    asked.fetch_add(1, Ordering::Relaxed);
                    let Some(seq) = ask(server, "/append", &text).and_then(|body| body.parse().ok()) else {
                        continue;
                    };
                    answered.lock().expect("no panic").push((seq, text));
                }
            });
        }
        let is_under_way = |count| {
            let until = Instant::now() + Duration::from_secs(60);
            while answered.lock().expect("no panic").len() < count {
                assert!(Instant::now() < until, "nobody answers");
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        is_under_way(60);
        let cut = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        );
        cluster.sql(&database, &cut);
        is_under_way(150);
        let killed = Command::new("kill")
            .args(["-KILL", &victim_process.to_string()])
            .status();
        assert!(killed.is_ok_and(|status| status.success()));
    });
    let _ = victim.child.wait();
    let answered = answered.into_inner().expect("no panic");
    // The two that live have answered everything, or the cut has cost an answer, not a write.
    assert!(answered.len() >= 300, "{}", answered.len());
    let seqs: BTreeSet<u64> = answered.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(seqs.len(), answered.len(), "a number was given twice");
    let logs: Vec<String> = servers
        .iter()
        .map(|server| ask(server, "/log", "").expect("a log"))
        .collect();
    assert_eq!(logs[0], logs[1]);
    let kept: BTreeSet<&str> = logs[0].lines().collect();
    for (seq, text) in &answered {
        assert!(kept.contains(format!("{seq} {text}").as_str()), "{seq} {text} is lost");
    }
    assert!(kept.len() <= asked.load(Ordering::Relaxed));
    let texts: BTreeSet<&str> = kept.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(texts.len(), kept.len(), "an event was written twice");
}
