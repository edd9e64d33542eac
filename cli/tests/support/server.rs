//! `sx serve` as a process of its own, for tests: started, listening, ended when dropped.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A server that listens.
pub struct Server {
    pub child: Child,
    /// Where it listens.
    pub address: String,
}

impl Server {
    /// Runs the command and waits until the server listens; what it says after that is shown by the
    /// test, and no pipe fills up.
    pub fn start(command: &mut Command) -> Server {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            let read = errors.read_line(&mut line).expect("text");
            assert_ne!(read, 0, "the server ended: {said}");
            if let Some(address) = line.trim().strip_prefix("listening on http://") {
                break address.to_owned();
            }
            said.push_str(&line);
        };
        let rest = errors.lines().map_while(Result::ok);
        std::thread::spawn(move || rest.for_each(|line| eprintln!("{line}")));
        Server { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
