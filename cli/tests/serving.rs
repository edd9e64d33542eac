//! Programs that wait or serve, as processes of their own: when their output is seen, where their
//! admin socket is.

#[path = "support/server.rs"]
mod server;

use server::Server;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A directory of a test's own, empty.
fn directory(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serving").join(test);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory");
    path
}

fn sx(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sx"));
    command.args(arguments).current_dir(directory);
    for name in ["SX_STORE", "SX_PERSIST_DIR", "SX_ADMIN_ADDR", "SX_HTTP_HOST"] {
        command.env_remove(name);
    }
    command
}

/// Ends a process with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program whose output is a pipe.
fn run(test: &str, program: &str) -> Ends {
    let directory = directory(test);
    std::fs::write(directory.join("a.sx"), program).expect("written");
    let mut command = sx(&directory, &["run", "a.sx"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ends(command.spawn().expect("the binary starts"))
}

/// The next so many bytes of its output.
fn says(child: &mut Ends, bytes: usize) -> String {
    let mut text = vec![0; bytes];
    let out = child.0.stdout.as_mut().expect("a pipe");
    out.read_exact(&mut text).expect("output");
    String::from_utf8(text).expect("text")
}

#[test]
fn what_is_printed_is_seen_while_the_program_sleeps() {
    let mut child = run("sleeps", "(display \"before\") (perform (list \"sleep\" 600000))");
    assert_eq!(says(&mut child, 6), "before");
}

#[test]
fn what_is_printed_is_seen_while_the_program_reads() {
    let mut child = run("reads", "(display \"name? \") (display (str \"hello \" (read-line)))");
    assert_eq!(says(&mut child, 6), "name? ");
    let input = child.0.stdin.as_mut().expect("a pipe");
    input.write_all(b"ann\n").expect("input");
    assert_eq!(says(&mut child, 9), "hello ann");
}

#[test]
fn what_is_printed_is_seen_while_the_program_listens_and_after_each_request() {
    let program =
        "(display \"up\") (http-listen 0 (fn (request) (do (display (get request \"path\")) {:body \"hi\"})))";
    let mut child = run("listens", program);
    assert_eq!(says(&mut child, 2), "up");
    let mut errors = BufReader::new(child.0.stderr.take().expect("a pipe"));
    let mut line = String::new();
    errors.read_line(&mut line).expect("text");
    let address = line.trim().strip_prefix("listening on http://").expect("an address");
    let mut client = TcpStream::connect(address).expect("connects");
    for path in ["/one", "/two"] {
        let sent = write!(client, "GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        sent.expect("a connection");
        assert_eq!(says(&mut child, 4), path);
    }
}

#[test]
fn a_store_with_a_long_path_has_an_admin_listener_too() {
    let directory = directory("long");
    let store = directory.join("x".repeat(120));
    std::fs::write(directory.join("a.sx"), "(define (app request) {:body \"hi\"})").expect("written");
    let mut command = sx(&directory, &["serve", "a.sx", "--port", "0"]);
    let runtime = PathBuf::from("/tmp").join(format!("sx-serving-{}", std::process::id()));
    std::fs::create_dir_all(&runtime).expect("a directory");
    command.env("SX_PERSIST_DIR", &store).env("XDG_RUNTIME_DIR", &runtime);
    let mut server = Server::start(&mut command);
    let socket = std::fs::read_link(store.join("admin.sock")).expect("a link");
    assert!(socket.starts_with(&runtime), "{}", socket.display());
    let mut client = std::os::unix::net::UnixStream::connect(&socket).expect("connects");
    let sent = client.write_all(b"GET /_sx/health HTTP/1.1\r\nhost: sx\r\nconnection: close\r\n\r\n");
    sent.expect("a connection");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("text");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    assert!(TcpStream::connect(&server.address).is_ok());
    // What it made goes with it.
    let stopped = Command::new("kill").arg(server.child.id().to_string()).status();
    assert!(stopped.is_ok_and(|status| status.success()));
    server.child.wait().expect("it ends");
    assert!(store.join("admin.sock").symlink_metadata().is_err());
    std::fs::remove_dir(&runtime).expect("nothing is left in it");
}

#[test]
fn a_wrong_amount_of_memory_is_named() {
    let directory = directory("memory");
    std::fs::write(directory.join("a.sx"), "(display 1)").expect("written");
    let mut command = sx(&directory, &["run", "a.sx"]);
    let output = command.env("SX_PROCESS_MEMORY", "plenty").output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let wrong = "sx: SX_PROCESS_MEMORY: expected bytes like 64M or 1G, got `plenty`\n";
    assert_eq!((said.as_ref(), output.status.code()), (wrong, Some(2)));
}
