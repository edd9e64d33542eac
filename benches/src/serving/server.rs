//! A server that runs: started, asked, loaded, and what it costs.
//!
//! Invariant: a server is on the first core and whoever loads it on the second; what it costs is read
//! from /proc, not from the clock.

use crate::systems::System;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where every server listens, one after the other.
pub const PORT: u16 = 9177;
/// How long a server may take to answer first.
const START: Duration = Duration::from_secs(30);

/// A server that runs, on the first core.
pub struct Running {
    name: &'static str,
    child: Child,
    /// From its start to its first answer.
    pub start_ms: f64,
}

impl Running {
    /// Starts one on an empty store.
    pub fn start(system: &System, scratch: &Path) -> io::Result<Running> {
        if TcpStream::connect(("127.0.0.1", PORT)).is_ok() {
            return Err(io::Error::other(format!("something else listens on port {PORT}")));
        }
        let data = scratch.join(format!("data-{}", system.name));
        // It may not be there.
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data)?;
        let log_path = scratch.join(format!("{}.log", system.name));
        let log = std::fs::File::create(&log_path)?;
        let failed = |what: String| io::Error::other(format!("{} {what}, see {}", system.name, log_path.display()));
        let began = Instant::now();
        let child = Command::new("sh")
            .args(["-c", r#"ulimit -n $(ulimit -Hn); exec taskset -c 0 "$0" "$@""#])
            .args(&system.argv)
            .envs(system.env.iter().map(|(name, value)| (name, value)))
            .env("PORT", PORT.to_string())
            .env("DB", &data)
            .env("SX_PERSIST_DIR", &data)
            .env_remove("SX_STORE")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut running = Running {
            name: system.name,
            child,
            start_ms: 0.0,
        };
        while get("/").is_err() {
            if let Some(status) = running.child.try_wait()? {
                return Err(failed(format!("ended: {status}")));
            }
            if began.elapsed() > START {
                return Err(failed("does not answer".to_owned()));
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        running.start_ms = began.elapsed().as_secs_f64() * 1000.0;
        Ok(running)
    }

    /// Asks for a path; an error if the answer is another one.
    pub fn check(&self, path: &str, wanted: &str) -> io::Result<()> {
        match get(path)? {
            answer if answer == wanted => Ok(()),
            answer => Err(io::Error::other(format!(
                "{} answers {path} with {answer:?}",
                self.name
            ))),
        }
    }

    /// CPU seconds so far, all threads that live: the scheduler's own count, not one of clock ticks.
    pub fn cpu_s(&self) -> io::Result<f64> {
        let mut nanos = 0u64;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread may end meanwhile.
            let line = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            nanos += line.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(nanos as f64 / 1e9)
    }

    /// Memory of the process.
    pub fn resident_mb(&self) -> io::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kilobytes
            .map(|kilobytes| kilobytes / 1024.0)
            .ok_or_else(|| io::Error::other("/proc tells no VmRSS"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body of an answer with status 200.
pub fn get(path: &str) -> io::Result<String> {
    let mut stream = ask(path)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.starts_with("HTTP/1.1 200") {
        true => Ok(body.to_owned()),
        false => Err(io::Error::other(format!("{path}: {head}"))),
    }
}

/// A connection on which a path was asked for, and nothing will be after that.
pub fn ask(path: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", PORT))?;
    stream.set_read_timeout(Some(START))?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    Ok(stream)
}

/// Loads a route from the second core; requests answered.
pub fn load(path: &str, connections: usize, seconds: u32) -> io::Result<f64> {
    let url = format!("http://127.0.0.1:{PORT}{path}");
    let (connections, seconds) = (format!("-c{connections}"), format!("-d{seconds}s"));
    let output = Command::new("taskset")
        .args(["-c", "1", "wrk", "-t1", &connections, &seconds, &url])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return Err(io::Error::other(format!("{path}: {text}")));
    }
    let line = text.lines().find(|line| line.contains("requests in"));
    let count = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    count.filter(|count| *count > 0.0).ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        io::Error::other(format!("wrk (is it installed?): {text}{said}"))
    })
}
