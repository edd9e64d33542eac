//! A server as those who run it see it: figures, reloading, an isolate that broke.

use crate::support::{Answer, Server, app};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use sx::Source;
use sx_serve::{Admin, App};

/// A directory of its own, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("sx-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }
    /// Puts a file in the place of another, all at once, as editors do.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let (path, fresh) = (self.0.join(name), self.0.join(format!("{name}.new")));
        std::fs::write(&fresh, text).expect("writes");
        std::fs::rename(&fresh, &path).expect("renames");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn within(time: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + time;
    while Instant::now() < until {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

fn ask(socket: &Path, path: &str) -> String {
    let mut stream = UnixStream::connect(socket).expect("connects");
    let limit = Some(Duration::from_secs(30));
    stream.set_read_timeout(limit).expect("a limit");
    let request = format!("GET {path} HTTP/1.1\r\nhost: sx\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The sum of a metric over all workers.
fn figure(page: &str, metric: &str) -> i64 {
    let lines = page
        .lines()
        .filter(|line| line.split(['{', ' ']).next() == Some(metric));
    let values: Vec<i64> = lines
        .map(|line| {
            line.rsplit(' ')
                .next()
                .and_then(|value| value.parse().ok())
                .expect(line)
        })
        .collect();
    assert!(!values.is_empty(), "no {metric} in {page}");
    values.iter().sum()
}

#[test]
fn figures_are_told_to_those_who_run_it() {
    let folder = Folder::new("admin");
    let socket = folder.0.join("admin.sock");
    let program = r#"
      (define (handler request)
        (case (get request "path")
          ("/sleep" (do (perform (list "sleep" 1)) {:body "x"}))
          ("/fail" (error "no"))
          ("/none" {:status 404})
          ("/wait" (do (perform (list "sleep" 400)) {:body "x"}))
          ("/loop" (let loop ((n 0)) (if (< n 2000000) (loop (+ n 1)) {:body "x"})))
          (else {:body "x"})))
      (http-listen 0 handler {:workers 2 :concurrent true})"#;
    let server = Server::of(App {
        admin: Some(Admin::Socket(socket.clone())),
        ..app(program)
    });
    let mode = std::fs::metadata(&socket).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for path in ["/", "/sleep", "/fail", "/none", "/fail", "/"] {
        server.get(path);
    }
    let waiting = std::thread::scope(|scope| {
        scope.spawn(|| server.get("/wait"));
        within(Duration::from_secs(5), || {
            figure(&ask(&socket, "/_sx/metrics"), "sx_suspended") == 1
        })
    });
    assert!(waiting, "nobody is seen to wait");
    let page = ask(&socket, "/_sx/metrics");
    assert!(page.ends_with("# EOF\n") && page.contains("openmetrics-text"), "{page}");
    for (metric, wanted) in [
        ("sx_requests_total", 7),
        ("sx_client_errors_total", 1),
        ("sx_server_errors_total", 2),
        ("sx_handler_failures_total", 2),
        ("sx_suspensions_total", 2),
        ("sx_suspended", 0),
        ("sx_requests_now", 0),
    ] {
        assert_eq!(figure(&page, metric), wanted, "{metric} in {page}");
    }
    assert!(figure(&page, "sx_heap_bytes") > 0 && figure(&page, "process_resident_memory_bytes") > 0);
    // Names are said once, and every line is a comment or a figure.
    let types: Vec<&str> = page.lines().filter(|line| line.starts_with("# TYPE")).collect();
    assert_eq!(
        types.len(),
        types.iter().collect::<std::collections::BTreeSet<_>>().len()
    );
    assert!(ask(&socket, "/_sx/jit").contains("no native tier"));
    assert!(ask(&socket, "/other").starts_with("HTTP/1.1 404"));
    // While workers are busy it answers all the same, without what it would have to ask them.
    std::thread::scope(|scope| {
        let busy: Vec<_> = (0..4).map(|_| scope.spawn(|| server.get("/loop").status)).collect();
        assert!(ask(&socket, "/_sx/health").ends_with("ok\n"));
        assert!(ask(&socket, "/_sx/metrics").contains("sx_requests_total"));
        assert!(busy.into_iter().all(|busy| busy.join().expect("no panic") == 200));
    });
    server.end().expect("a value");
    assert!(!socket.exists());
}

#[test]
fn a_program_is_reloaded_and_no_request_is_refused() {
    let folder = Folder::new("reload");
    folder.write("part.sx", r#"(define part "a")"#);
    let part = folder.0.join("part.sx");
    let program = |body: &str| {
        format!(
            r#"(load "{}") (http-listen 0 (fn (request) (do (perform (list "sleep" 5)) {{:body (str "{body}" part)}})) {{:concurrent true :workers 2}})"#,
            part.display()
        )
    };
    let path = folder.write("app.sx", &program("one-"));
    let read = {
        let path = path.clone();
        move || {
            let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
            Ok(Source::new(path.display().to_string(), text))
        }
    };
    let server = Server::of(App {
        source: read().expect("a program"),
        reread: Some(Box::new(read)),
        ..app("")
    });
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(server.get("/").status, 200);
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let becomes = |body: &str| within(Duration::from_secs(60), || server.get("/").body == body);
        assert!(becomes("one-a"));
        folder.write("app.sx", &program("two-"));
        assert!(becomes("two-a"), "{}", server.get("/").body);
        folder.write("part.sx", r#"(define part "bb")"#);
        assert!(becomes("two-bb"), "{}", server.get("/").body);
        folder.write("app.sx", "(this does not run");
        std::thread::sleep(Duration::from_millis(700));
        folder.write("app.sx", "(nor-does-this)");
        std::thread::sleep(Duration::from_millis(700));
        // A worker of the program before may still be answering its last requests.
        assert!(becomes("two-bb"), "{}", server.get("/").body);
        folder.write("app.sx", &program("three-"));
        assert!(becomes("three-bb"), "{}", server.get("/").body);
        stop.store(true, Ordering::Relaxed);
    });
    assert!(asked.load(Ordering::Relaxed) > 50);
    server.end().expect("a value");
}

#[test]
fn an_isolate_that_broke_is_made_anew() {
    let program = r#"
      (define count 0)
      (define (handler request)
        (case (get request "path")
          ("/break" (perform (list "break")))
          ("/wait" (do (perform (list "sleep" 20000)) {:body "x"}))
          (else (do (set! count (+ count 1)) {:body (str count)}))))
      (on-boot (fn () (perform (list "boot"))))
      (http-listen 0 handler {:concurrent true})"#;
    let boots = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&boots);
    let server = Server::of(App {
        equip: Box::new(move |isolate, _| {
            let boots = Arc::clone(&seen);
            isolate.on("boot", move |_| {
                boots.fetch_add(1, Ordering::Relaxed);
                Ok(sx::Value::Nil)
            });
            isolate.on("break", |_| panic!("planted by the test"));
        }),
        ..app(program)
    });
    // While the new isolate is made there is none to ask.
    let first = || {
        for _ in 0..300 {
            let answer = server.get("/");
            if answer.status != 503 {
                return answer.body;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        String::from("no isolate in time")
    };
    for _ in 0..3 {
        assert_eq!(first(), "1");
        assert_eq!(server.get("/").body, "2");
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..10).map(|_| scope.spawn(|| server.get("/wait"))).collect();
            std::thread::sleep(Duration::from_millis(100));
            let broken = server.get("/break");
            assert_eq!((broken.status, broken.header("retry-after")), (503, Some("1")));
            for waiting in waiting {
                assert_eq!(waiting.join().expect("no panic").status, 503);
            }
        });
    }
    assert_eq!(boots.load(Ordering::Relaxed), 1);
    assert_eq!(first(), "1");
    server.end().expect("a value");
}

/// Where the admin listener of a server in a process of its own is.
const ADMIN: &str = "SX_TEST_ADMIN";

#[test]
#[ignore = "the process that others of these tests start"]
fn child() {
    let Ok(socket) = std::env::var(ADMIN) else { return };
    let program = r#"
      (http-listen 0 (fn (request)
        (do (when (= (get request "path") "/break") (perform (list "break"))) {:body "fine"})))"#;
    let app = App {
        admin: Some(Admin::Socket(socket.into())),
        equip: Box::new(|isolate, _| isolate.on("break", |_| panic!("planted by the test"))),
        bound: Box::new(|address| println!("\nbound {address}")),
        ..app(program)
    };
    app.prepare().expect("a ticker").run().expect("a value");
}

/// A server in a process of its own, which may have so many files open.
struct Apart {
    process: Child,
    address: SocketAddr,
    /// Kept open: the process may say more.
    _output: BufReader<ChildStdout>,
}

impl Apart {
    fn start(socket: &Path, files: usize) -> Apart {
        let program = std::env::current_exe().expect("this program has a name");
        let mut process = Command::new("sh")
            .args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")])
            .arg(program)
            .args(["operate::child", "--exact", "--ignored", "--nocapture"])
            .env(ADMIN, socket)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the child starts");
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let lines = output.by_ref().lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("bound ")?.parse().ok());
        Apart {
            process,
            address: address.expect("it listens"),
            _output: output,
        }
    }

    fn get(&self, path: &str) -> u16 {
        let mut answer = String::new();
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        let asked = TcpStream::connect(self.address).and_then(|mut stream| {
            stream.write_all(request.as_bytes())?;
            stream.read_to_string(&mut answer)
        });
        asked.map_or(0, |_| Answer::of(&answer).status)
    }

    fn terminate(&mut self) -> bool {
        let sent = Command::new("kill").arg(self.process.id().to_string()).status();
        assert!(sent.expect("kill runs").success());
        within(Duration::from_secs(20), || {
            self.process.try_wait().is_ok_and(|status| status.is_some())
        })
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_server_whose_isolate_broke_still_stops_when_it_is_told() {
    let folder = Folder::new("signals");
    let mut server = Apart::start(&folder.0.join("admin.sock"), 256);
    assert_eq!(server.get("/"), 200);
    assert_eq!(server.get("/break"), 503);
    assert!(
        within(Duration::from_secs(20), || server.get("/") == 200),
        "no new isolate"
    );
    assert!(server.terminate(), "it ignores SIGTERM");
}

#[test]
fn the_admin_listener_outlives_a_lack_of_descriptors() {
    let folder = Folder::new("descriptors");
    let socket = folder.0.join("admin.sock");
    let server = Apart::start(&socket, 48);
    // Not before it has all that it needs itself.
    assert_eq!(server.get("/"), 200);
    let many: Vec<UnixStream> = (0..60)
        .map(|_| UnixStream::connect(&socket).expect("connects"))
        .collect();
    std::thread::sleep(Duration::from_millis(200));
    drop(many);
    assert!(ask(&socket, "/_sx/health").ends_with("ok\n"));
    assert_eq!(server.get("/"), 200);
}

#[test]
fn an_admin_socket_is_removed_only_by_its_own_process() {
    let folder = Folder::new("successor");
    let socket = folder.0.join("admin.sock");
    let start = || {
        Server::of(App {
            admin: Some(Admin::Socket(socket.clone())),
            ..app(r#"(http-listen 0 (fn (request) {:body "x"}))"#)
        })
    };
    let (old, new) = (start(), start());
    old.end().expect("a value");
    assert!(ask(&socket, "/_sx/health").ends_with("ok\n"));
    new.end().expect("a value");
    assert!(!socket.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn no_page_is_writable_and_executable() {
    let engine = sx::Engine::with(sx::Options {
        native: sx::Native::Sync,
        ..sx::Options::default()
    });
    let mut isolate = engine.isolate().expect("an isolate");
    let compiled: i64 = isolate
        .eval_as("(define (f x) (+ x 1)) (f 1) (get (jit-stats) :compiled)")
        .expect("a number");
    assert!(compiled > 0);
    let maps = std::fs::read_to_string("/proc/self/maps").expect("a list");
    let rights: Vec<&str> = maps.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    assert!(rights.iter().any(|rights| rights.contains('x')), "{maps}");
    assert!(
        !rights.iter().any(|rights| rights.contains('w') && rights.contains('x')),
        "{maps}"
    );
}
