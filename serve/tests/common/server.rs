//! A server in this process, and a client that sends bytes.
#![allow(dead_code, reason = "each test uses a part")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use sx::{Engine, Error, Source, Value};
use sx_serve::{App, Limits, Stop};

/// A server that ends with the value.
pub struct Server {
    pub address: SocketAddr,
    stop: Stop,
    thread: Option<JoinHandle<Result<Value, Error>>>,
}

impl Server {
    /// Runs a program that listens on port 0.
    pub fn start(program: &str) -> Server {
        Server::with(program, Limits::default(), None)
    }

    pub fn with(program: &str, limits: Limits, workers: Option<usize>) -> Server {
        let (sender, receiver) = channel();
        let app = App {
            engine: Engine::new(),
            equip: Box::new(|_, _| {}),
            access: None,
            store: None,
            source: Source::new("app.sx", program),
            port: None,
            host: "127.0.0.1".to_owned(),
            limits,
            workers,
            bound: Box::new(move |address| {
                let _ = sender.send(address);
            }),
        };
        Server::of(app, receiver)
    }

    /// Runs an app that sends its address when it listens.
    pub fn of(app: App, receiver: Receiver<SocketAddr>) -> Server {
        let prepared = app.prepare().expect("a ticker");
        let stop = prepared.stop();
        let thread = std::thread::spawn(move || prepared.run());
        match receiver.recv_timeout(Duration::from_secs(60)) {
            Ok(address) => Server {
                address,
                stop,
                thread: Some(thread),
            },
            Err(_) => panic!("the program does not listen: {:?}", thread.join()),
        }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("connects");
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("a limit");
        stream
    }

    /// What comes back when the bytes are sent and nothing more.
    pub fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // A server that refuses may close before everything is sent.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub fn request(&self, head: &str, body: &str) -> Answer {
        let length = match body.is_empty() {
            true => String::new(),
            false => format!("content-length: {}\r\n", body.len()),
        };
        Answer::of(
            &self.raw(format!("{head} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{length}\r\n{body}").as_bytes()),
        )
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request(&format!("GET {path}"), "")
    }

    /// Stops; what the program came to.
    pub fn end(mut self) -> Result<Value, Error> {
        self.stop.stop();
        let thread = self.thread.take().expect("runs");
        thread.join().expect("no panic")
    }

    pub fn ask_to_stop(&self) {
        self.stop.stop();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A response, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn of(text: &str) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Answer {
            status,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1);
        lines
            .filter_map(|line| line.split_once(": "))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }
}
