//! The blog under load for a while, over the durable store: readers, and a writer that publishes,
//! changes and deletes. No answer of 500 or above; neither memory nor descriptors grow; no handler or
//! connection is left over; the server went native and took requests up again; and after a restart
//! the posts are those that were acknowledged.
//!
//! `SX_SOAK_SECONDS` says how long the load lasts (10; `tests/run` takes a minute, half an hour is a
//! long run).
#![cfg(target_os = "linux")]

#[path = "support/server.rs"]
mod server;

use server::Server;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is read, and the status it is to have.
const PAGES: [(&str, u16); 10] = [
    ("/", 200),
    ("/welcome/", 200),
    ("/tags", 200),
    ("/language/", 200),
    ("/welcome/source", 200),
    ("/posts", 200),
    ("/feed.atom", 200),
    ("/login", 200),
    ("/no-such-post/", 404),
    ("/posts/no-such-post", 404),
];
const READERS: usize = 4;
/// Of so many posts the writer leaves one.
const KEPT: u64 = 8;
/// A resident set may end so much above where it was in the third quarter.
const GROWTH: f64 = 1.15;
const GROWTH_BYTES: u64 = 16 << 20;

/// A variable that is a number.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn patience(seconds: u64) -> Duration {
    Duration::from_secs(seconds * number("SX_TEST_SLOWDOWN", 1))
}

fn sx(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sx"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_remove("SX_STORE")
        .env_remove("SX_PERSIST_DIR")
        .env_remove("SX_PROJECT_DIR")
        .env_remove("SX_SERVING_JIT");
    command
}

/// A blog that is served.
struct Blog {
    server: Server,
    admin: PathBuf,
}

impl Blog {
    fn start(folder: &Path) -> Blog {
        // The name of a socket has to be short.
        let admin = std::env::temp_dir().join(format!("sx-soak-{}.sock", std::process::id()));
        let mut command = sx(folder, &["serve", "--workers", "2"]);
        command.env("PORT", "0").env("SX_ADMIN_ADDR", &admin);
        Blog {
            server: Server::start(&mut command),
            admin,
        }
    }

    /// Asks it to end, and waits until it has.
    fn stop(mut self) {
        let stopped = Command::new("kill").arg(self.server.child.id().to_string()).status();
        assert!(stopped.expect("kill runs").success());
        assert!(self.server.child.wait().expect("the server ends").success());
    }

    /// Bytes resident, and descriptors.
    fn size(&self) -> (u64, usize) {
        let folder = format!("/proc/{}", self.server.child.id());
        let status = std::fs::read_to_string(format!("{folder}/status")).expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
        let descriptors = std::fs::read_dir(format!("{folder}/fd"))
            .expect("the server runs")
            .count();
        (kilobytes.expect("a size") * 1024, descriptors)
    }

    /// The figures of all workers, each summed up, by name.
    fn figures(&self) -> BTreeMap<String, u64> {
        let mut stream = UnixStream::connect(&self.admin).expect("the admin listener");
        write!(
            stream,
            "GET /_sx/metrics HTTP/1.1\r\nhost: sx\r\nconnection: close\r\n\r\n"
        )
        .expect("sends");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let mut sums = BTreeMap::new();
        for line in answer.lines().filter(|line| line.starts_with("sx_")) {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            let name = name.split('{').next().unwrap_or(name);
            *sums.entry(name.to_owned()).or_default() += value.parse::<u64>().expect("a number");
        }
        sums
    }
}

impl Drop for Blog {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.admin);
    }
}

/// A connection that is kept.
struct Client<'a> {
    stream: BufReader<TcpStream>,
    address: &'a str,
}

impl Client<'_> {
    fn connect(blog: &Blog) -> Client<'_> {
        let address = &blog.server.address;
        let stream = TcpStream::connect(address).expect("connects");
        let limit = Some(patience(20));
        stream.set_read_timeout(limit).expect("a socket");
        Client {
            stream: BufReader::new(stream),
            address,
        }
    }

    /// Status and body of the answer.
    fn ask(&mut self, method: &str, path: &str, headers: &str, body: &str) -> std::io::Result<(u16, String)> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{headers}content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let wrong = |line: &str| std::io::Error::other(format!("not an answer: {line:?}"));
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| wrong(&line))?;
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let field = line.trim_end().to_ascii_lowercase();
            if let Some(value) = field.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(|_| wrong(&line))?;
            } else if field.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// The body, if the status is the wanted one.
    fn wants(&mut self, wanted: u16, method: &str, path: &str, headers: &str, body: &str) -> Result<String, String> {
        match self.ask(method, path, headers, body) {
            Ok((status, answer)) if status == wanted => Ok(answer),
            Ok((status, answer)) => Err(format!("{method} {path}: {status} {answer}")),
            Err(error) => Err(format!("{method} {path}: {error}")),
        }
    }
}

/// What the threads of load share.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    pages: AtomicU64,
    writes: AtomicU64,
}

impl Load {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }
}

fn read(load: &Load, blog: &Blog, from: usize) -> Result<(), String> {
    let mut client = Client::connect(blog);
    for (path, wanted) in PAGES.iter().cycle().skip(from) {
        if !load.goes_on() {
            break;
        }
        client.wants(*wanted, "GET", path, "", "")?;
        load.pages.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Publishes, changes and deletes; what was left, by slug.
fn write(load: &Load, blog: &Blog, token: &str) -> Result<BTreeMap<String, String>, String> {
    let mut client = Client::connect(blog);
    let headers = format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
    let mut left = BTreeMap::new();
    for number in 1.. {
        if !load.goes_on() {
            break;
        }
        let slug = format!("soak-{number}");
        let path = format!("/posts/{slug}");
        let new = format!(
            "{{\"slug\":\"{slug}\",\"title\":\"Soak {number}\",\"status\":\"published\",\
             \"sx_content\":\"(p \\\"{number}\\\")\",\"tags\":[\"language\"]}}"
        );
        client.wants(201, "POST", "/posts", &headers, &new)?;
        let content = format!("(p \\\"changed, {number}\\\")");
        client.wants(
            200,
            "PUT",
            &path,
            &headers,
            &format!("{{\"sx_content\":\"{content}\"}}"),
        )?;
        load.writes.fetch_add(2, Ordering::Relaxed);
        if number % KEPT == 1 {
            left.insert(slug, content);
        } else {
            client.wants(200, "DELETE", &path, &headers, "")?;
            load.writes.fetch_add(1, Ordering::Relaxed);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(left)
}

/// The largest sizes seen in each quarter of the time.
fn sizes(blog: &Blog, time: Duration, load: &Load) -> [(u64, usize); 4] {
    let mut all = [(0, 0); 4];
    for most in &mut all {
        let begun = Instant::now();
        while begun.elapsed() < time / 4 {
            std::thread::sleep(time / 40);
            let (bytes, descriptors) = blog.size();
            *most = (bytes.max(most.0), descriptors.max(most.1));
        }
    }
    load.stop.store(true, Ordering::Relaxed);
    all
}

/// Nothing is under way any more: no connection, no handler that waits or runs.
fn check_rest(blog: &Blog) -> BTreeMap<String, u64> {
    let begun = Instant::now();
    loop {
        let figures = blog.figures();
        let left: Vec<_> = ["sx_connections", "sx_suspended", "sx_requests_now"]
            .iter()
            .map(|name| (name, figures[*name]))
            .filter(|row| row.1 != 0)
            .collect();
        // A worker that is busy tells nothing about its isolate.
        if left.is_empty() && figures.contains_key("sx_native_functions_total") {
            return figures;
        }
        assert!(begun.elapsed() < patience(10), "left over: {left:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The posts of the writer are those that are to be there, and say what they are to say.
fn check_posts(blog: &Blog, left: &BTreeMap<String, String>) {
    let mut client = Client::connect(blog);
    let mut get = |path: &str| client.wants(200, "GET", path, "", "").expect("an answer");
    let mut listed = Vec::new();
    for offset in (0..).step_by(100) {
        let page = get(&format!("/posts?limit=100&offset={offset}"));
        let slugs = page.split("\"slug\":\"").skip(1);
        listed.extend(slugs.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        if listed.len() < offset + 100 {
            break;
        }
    }
    listed.retain(|slug| slug.starts_with("soak-"));
    listed.sort();
    assert_eq!(listed, left.keys().cloned().collect::<Vec<_>>());
    for (slug, content) in left {
        let post = get(&format!("/posts/{slug}"));
        assert!(post.contains(&format!("\"sx_content\":\"{content}\"")), "{post}");
        assert!(post.contains("\"tags\":[\"language\"]"), "{post}");
    }
}

#[test]
fn a_blog_under_load_neither_fails_nor_grows_nor_forgets() {
    let time = Duration::from_secs(number("SX_SOAK_SECONDS", 10).max(1));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("soak");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a directory");
    let said = |arguments: &[&str]| {
        let output = sx(&folder, arguments).output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    said(&["user", "add", "ann", "--generate"]);
    let token = said(&["token", "add", "ann"]);
    let token = token.lines().next().expect("a token");

    let blog = Blog::start(&folder);
    let load = Load::default();
    let (sizes, left) = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|reader| {
                let (load, blog) = (&load, &blog);
                scope.spawn(move || read(load, blog, reader * 2))
            })
            .collect();
        let writer = scope.spawn(|| write(&load, &blog, token));
        let sizes = sizes(&blog, time, &load);
        for reader in readers {
            reader.join().expect("a thread ends").expect("no page fails");
        }
        let left = writer.join().expect("a thread ends").expect("no write fails");
        (sizes, left)
    });
    let figures = check_rest(&blog);
    let pages = load.pages.load(Ordering::Relaxed);
    let writes = load.writes.load(Ordering::Relaxed);
    let megabytes = sizes.map(|(bytes, _)| bytes >> 20);
    let descriptors = sizes.map(|(_, count)| count);
    println!("{time:?}: {pages} pages, {writes} writes; MB {megabytes:?}, descriptors {descriptors:?}\n{figures:?}");

    for counted in ["sx_server_errors_total", "sx_handler_failures_total"] {
        assert_eq!(figures[counted], 0, "{counted}");
    }
    assert!(pages > 0 && figures["sx_requests_total"] >= pages + writes);
    assert!(figures["sx_native_functions_total"] > 0);
    assert!(
        figures["sx_suspensions_total"] >= writes,
        "each write waits for the disk"
    );
    let most = (sizes[2].0 as f64 * GROWTH) as u64 + GROWTH_BYTES;
    assert!(sizes[3].0 <= most, "memory grows: {megabytes:?} MB");
    assert!(sizes[3].1 <= sizes[2].1 + 2, "descriptors grow: {descriptors:?}");

    assert!(!left.is_empty(), "a post was left");
    check_posts(&blog, &left);
    blog.stop();
    let again = Blog::start(&folder);
    check_posts(&again, &left);
    again.stop();
}
