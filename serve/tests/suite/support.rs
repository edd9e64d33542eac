//! What the tests share: a server in this process, a client that sends bytes, a session of the epoch
//! protocol, a store on a simulated disk.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;
use sx::{Engine, Error, Isolate, Source, Value};
use sx_serve::{App, Edge, Limits, Stop, epoch};
use sx_store::{Embedded, Options, SimulatedDisk, Store};

/// A program that is to listen on port 0.
pub fn app(program: &str) -> App {
    App::new(Engine::new(), Source::new("app.sx", program))
}

/// A store on a disk.
pub fn store_on(disk: &Arc<SimulatedDisk>) -> Arc<dyn Store> {
    Arc::new(Embedded::on("memory", Arc::clone(disk) as _, Options::default()).expect("a store"))
}

/// A store of its own.
pub fn store() -> Arc<dyn Store> {
    store_on(&Arc::new(SimulatedDisk::new(1)))
}

/// All that a session of the epoch protocol answers.
pub fn talk(
    input: &[u8],
    store: Option<Arc<dyn Store>>,
    new_isolate: impl Fn() -> Result<Isolate, String> + 'static,
) -> String {
    let mut output = Vec::new();
    let edge = Edge::with_store(store);
    epoch::serve(&mut BufReader::new(input), &mut output, Box::new(new_isolate), edge).expect("a session");
    String::from_utf8(output).expect("text")
}

/// A fresh isolate.
pub fn isolate() -> Result<Isolate, String> {
    Engine::new().isolate().map_err(|error| error.to_string())
}

/// A server that ends with the value.
pub struct Server {
    pub address: SocketAddr,
    stop: Stop,
    thread: Option<JoinHandle<Result<Value, Error>>>,
}

impl Server {
    /// Runs a program that listens on port 0.
    pub fn start(program: &str) -> Server {
        Server::of(app(program))
    }

    /// The same with other limits.
    pub fn with(program: &str, limits: Limits) -> Server {
        Server::of(App { limits, ..app(program) })
    }

    /// Runs an app until it listens.
    pub fn of(app: App) -> Server {
        let (sender, receiver) = channel();
        let app = App {
            bound: Box::new(move |address| {
                let _ = sender.send(address);
            }),
            ..app
        };
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

    /// A request without a body, of which the head is complete but for its end.
    pub fn request_with(&self, head: &str) -> Answer {
        Answer::of(&self.raw(format!("{head}\r\nconnection: close\r\n\r\n").as_bytes()))
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
