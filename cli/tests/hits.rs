//! The first hit of every page of the blog on a fresh process is the same as a later one, whichever
//! page is asked for first and however its programs run. `SX_FIRST_HITS` says how many first hits
//! there are (200; 10,000 are a long run).

#[path = "support/server.rs"]
mod server;

use server::Server;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

const PAGES: [&str; 11] = [
    "/",
    "/welcome/",
    "/writing-posts/",
    "/tags",
    "/language/",
    "/welcome/source",
    "/login",
    "/feed",
    "/feed.atom",
    "/posts",
    "/posts/welcome",
];

/// Native code: not at all, when hot, before anything runs.
const MODES: [&str; 3] = ["0", "1", "sync"];

fn serve(directory: &Path, mode: &str) -> Server {
    let _ = std::fs::remove_dir_all(directory);
    std::fs::create_dir_all(directory).expect("a directory");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sx"));
    command
        .args(["serve", "--workers", "1"])
        .current_dir(directory)
        .env("PORT", "0")
        .env("SX_PERSIST_DIR", directory.join("store"))
        .env("SX_SERVING_JIT", mode)
        .env_remove("SX_STORE");
    Server::start(&mut command)
}

fn get(server: &Server, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(&server.address).expect("connects");
    let host = &server.address;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    )
    .expect("sends");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default().to_owned();
    (status, masked(&body.replace(host.as_str(), "…")))
}

/// A page without what differs each time: tokens in forms, times.
fn masked(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let is_token = out.ends_with("value=\"");
        let run = |is_part: fn(char) -> bool| from.find(|c| !is_part(c)).unwrap_or(from.len());
        let digits = run(|c| c.is_ascii_digit());
        let date = run(|c| c.is_ascii_digit() || matches!(c, '-' | ':' | 'T' | '.'));
        let end = match () {
            () if is_token && from[digits..].starts_with('.') => run(|c| c != '"'),
            () if from[date..].starts_with('Z') && date >= 19 => date,
            () if digits >= 13 => digits,
            () => 0,
        };
        let shown = if end == 0 { &from[..digits] } else { "…" };
        out.push_str(shown);
        rest = &from[end.max(digits)..];
    }
    out + rest
}

#[test]
fn what_differs_each_time_is_masked() {
    let page = r#"<input value="1764.ab-c"><b id="p7">at 2026-11-29T10:00:00Z, 1764409326123</b>"#;
    assert_eq!(masked(page), r#"<input value="…"><b id="p7">at …Z, …</b>"#);
}

#[test]
fn the_first_hit_of_each_page_is_as_good_as_a_later_one() {
    let hits: usize = std::env::var("SX_FIRST_HITS").map_or(200, |text| text.parse().expect("a number"));
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("first-hits");
    let mut pages: Vec<Option<String>> = vec![None; PAGES.len()];
    for start in 0..hits.div_ceil(PAGES.len()) {
        let mode = MODES[start % MODES.len()];
        let server = serve(&directory, mode);
        for turn in 0..PAGES.len() {
            let index = (start + turn) % PAGES.len();
            let path = PAGES[index];
            let (status, first) = get(&server, path);
            assert_eq!(status, "HTTP/1.1 200 OK", "{path}, start {start}, native {mode}");
            let (_, second) = get(&server, path);
            assert_eq!(first, second, "{path}, start {start}, native {mode}");
            // What one process answers, every other one does.
            match &pages[index] {
                Some(known) => assert_eq!(first, *known, "{path}, start {start}, native {mode}"),
                None => pages[index] = Some(first),
            }
        }
    }
}
