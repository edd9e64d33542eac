//! The op `http-listen`: its arguments, the socket, the connections, the end.

use super::answer::{Site, answer};
use super::guard::Guard;
use super::limits::Limits;
use crate::edge::Refusal;
use crate::program::Program;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::cell::Cell;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use sx::{Code, FromSx, Object, Value};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the workers of a process share.
pub(crate) struct Listening {
    /// Where it listens if the program does not say.
    pub host: String,
    /// The socket, once the first worker has bound it.
    pub socket: OnceLock<StdListener>,
    /// Becomes true when the server shall stop.
    pub stop: watch::Sender<bool>,
    /// Handlers that have not ended.
    pub requests: Arc<AtomicUsize>,
    /// Limits from outside the program, which it may change.
    pub limits: Limits,
    /// How many workers, if the program is not asked.
    pub workers: Option<usize>,
    /// Told the address, once.
    pub bound: Box<dyn Fn(SocketAddr) + Send + Sync>,
}

/// What the arguments ask for.
struct Wanted {
    port: u16,
    handler: Object,
    is_concurrent: bool,
    workers: usize,
    limits: Limits,
}

impl Wanted {
    fn of(arguments: &[Value], listening: &Listening) -> Result<Wanted, String> {
        let [port, handler, options] = arguments else {
            return Err("expected (port handler options…)".to_owned());
        };
        let Ok(number) = u16::from_sx(port.clone()) else {
            return Err(format!("expected a port, got {port}"));
        };
        let handler = match handler {
            Value::Object(handler) if handler.type_name() == "lambda" => handler.clone(),
            other => {
                return Err(format!(
                    "expected a function to call with requests, got {}",
                    other.type_name()
                ));
            }
        };
        let Value::Dict(options) = options else {
            return Err(format!("expected a dict of options, got {}", options.type_name()));
        };
        let mut wanted = Wanted {
            port: number,
            handler,
            is_concurrent: false,
            workers: 1,
            limits: listening.limits,
        };
        for (key, value) in options {
            let count = u64::from_sx(value.clone());
            match (key.as_str(), count) {
                ("concurrent", _) => wanted.is_concurrent = value.is_truthy(),
                ("workers", Ok(count)) if count > 0 => wanted.workers = count.min(256) as usize,
                (key, Ok(count)) if wanted.limits.set(key, count) => {}
                (key, _) => return Err(format!("no option :{key} with the value {value}")),
            }
        }
        wanted.workers = listening.workers.unwrap_or(wanted.workers);
        Ok(wanted)
    }
}

/// Serves until the server is stopped. `more` starts further workers.
pub(crate) async fn listen(
    program: Rc<Program>,
    listening: Arc<Listening>,
    arguments: Vec<Value>,
    is_first: bool,
    more: impl FnOnce(usize) -> Result<(), String>,
) -> Result<Value, Refusal> {
    let refuse = |message: String| Refusal::new(Code::Io, format!("http-listen: {message}"));
    let wanted = Wanted::of(&arguments, &listening)
        .map_err(|message| Refusal::new(Code::Type, format!("http-listen: {message}")))?;
    if is_first {
        let address = (listening.host.as_str(), wanted.port);
        let socket = StdListener::bind(address)
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
            .map_err(|error| refuse(format!("port {}: {error}", wanted.port)))?;
        let bound = socket.local_addr().map_err(|error| refuse(error.to_string()))?;
        if listening.socket.set(socket).is_err() {
            return Err(refuse("the program listens already".to_owned()));
        }
        more(wanted.workers - 1).map_err(refuse)?;
        (listening.bound)(bound);
    }
    let socket = listening.socket.get().ok_or_else(|| refuse("no socket".to_owned()))?;
    let socket = socket.try_clone().and_then(TcpListener::from_std);
    let socket = socket.map_err(|error| refuse(error.to_string()))?;
    let stream = program.isolate().get::<Value>(STREAM);
    let Ok(Value::Object(stream)) = stream else {
        return Err(refuse(format!("{STREAM} is no function any more")));
    };
    let site = Rc::new(Site {
        program,
        handler: wanted.handler,
        stream,
        turn: (!wanted.is_concurrent).then(Arc::default),
        limits: wanted.limits,
        requests: Arc::clone(&listening.requests),
    });
    accept_all(socket, site, listening.stop.subscribe()).await;
    Ok(Value::Nil)
}

/// The core function behind streamed bodies.
const STREAM: &str = "%http-stream";

/// How long to wait when no connection can be accepted, for lack of descriptors for instance.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a connection without a request is kept when the server stops.
const FRESH: Duration = Duration::from_millis(500);

async fn accept_all(socket: TcpListener, site: Rc<Site>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let stopping = stop.clone();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= site.limits.connections_max {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = connections.join_next() => {}
            }
            continue;
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn_local(serve(stream, Rc::clone(&site), stopping.clone()));
                }
                Err(error) => {
                    tracing::warn!(target: "sx::http", "accept: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    // Those that have connected were promised an answer.
    while let Ok(Ok((stream, _))) = tokio::time::timeout(Duration::ZERO, socket.accept()).await {
        connections.spawn_local(serve(stream, Rc::clone(&site), stopping.clone()));
    }
    drop(socket);
    // What is under way may end; what is idle has been closed.
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(site.limits.drain_time, drained).await.is_err() {
        tracing::warn!(target: "sx::http", "stopped with requests under way");
    }
}

async fn serve(stream: TcpStream, site: Rc<Site>, mut stop: watch::Receiver<bool>) {
    // Responses are written whole; waiting for more to send helps nobody.
    let _ = stream.set_nodelay(true);
    let limits = site.limits;
    let is_fresh = Rc::new(Cell::new(true));
    let asked = Rc::clone(&is_fresh);
    let service = service_fn(move |request| {
        asked.set(false);
        answer(Rc::clone(&site), request)
    });
    let mut builder = http1::Builder::new();
    builder
        // A client that has sent all it has to say may still listen.
        .half_close(true)
        .pipeline_flush(true)
        // The guard is stricter; this is room for what it lets through.
        .max_headers(limits.fields_max + 4)
        .max_buf_size((2 * limits.head_bytes_max).max(64 << 10));
    let connection = builder.serve_connection(Guard::new(stream, limits), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stop.wait_for(|stop| *stop) => {
            // What a client has sent with its connection may be on its way.
            let until = tokio::time::Instant::now() + FRESH;
            while is_fresh.get() && tokio::time::Instant::now() < until {
                if let Ok(ended) = tokio::time::timeout(PAUSE, connection.as_mut()).await {
                    return log_end(ended);
                }
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    log_end(ended);
}

fn log_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(target: "sx::http", "connection: {error}");
    }
}
