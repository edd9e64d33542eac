//! The op `http-listen`: its arguments, the socket, the connections, the end.

use super::answer::{Peer, Site, answer};
use super::guard::Guard;
use super::limits::Limits;
use super::peer::Direct;
use crate::app::Stopping;
use crate::edge::Refusal;
use crate::program::Program;
use crate::worker::Process;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::cell::{Cell, RefCell};
use std::net::{SocketAddr, TcpListener as StdListener, ToSocketAddrs};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use sx::{Code, FromSx, Object, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// What is known where a program listens.
pub(crate) struct Listening {
    pub process: Arc<Process>,
    /// Told when the program shall stop.
    pub stop: Stopping,
    /// The number of the worker.
    pub worker: usize,
    /// Has this program listened before?
    pub has_listened: bool,
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
            limits: listening.process.app.limits,
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
        wanted.workers = listening.process.app.workers.unwrap_or(wanted.workers);
        Ok(wanted)
    }
}

/// Serves until the server is stopped. `more` starts further workers.
pub(crate) async fn listen(
    program: Rc<Program>,
    listening: Listening,
    arguments: Vec<Value>,
    more: impl FnOnce(usize) -> Result<(), String>,
) -> Result<Value, Refusal> {
    let refuse = |message: String| Refusal::new(Code::Io, format!("http-listen: {message}"));
    let wanted = Wanted::of(&arguments, &listening)
        .map_err(|message| Refusal::new(Code::Type, format!("http-listen: {message}")))?;
    if listening.has_listened {
        return Err(refuse("the program listens already".to_owned()));
    }
    let process = &listening.process;
    if listening.worker == 1 {
        if process.socket.get().is_none() {
            let bound = bind(process, wanted.port).map_err(|error| refuse(format!("port {}: {error}", wanted.port)))?;
            (process.app.bound)(bound);
        }
        more(wanted.workers - 1).map_err(refuse)?;
    }
    let socket = process.socket.get().ok_or_else(|| refuse("no socket".to_owned()))?;
    let socket = socket.try_clone().and_then(TcpListener::from_std);
    let socket = socket.map_err(|error| refuse(error.to_string()))?;
    let function = |name: &str| match program.isolate().get::<Value>(name) {
        Ok(Value::Object(function)) => Ok(function),
        _ => Err(refuse(format!("{name} is no function any more"))),
    };
    let (stream, socket_function) = (function(STREAM)?, function(SOCKET)?);
    if !wanted.is_concurrent {
        program.take_turns();
    }
    let site = Rc::new(Site {
        program: Rc::clone(&program),
        handler: wanted.handler,
        stream,
        socket: socket_function,
        limits: wanted.limits,
        requests: Arc::clone(&process.requests),
        unfinished: Cell::new(0),
        trusted: process.app.trusted.clone(),
        tls: process.app.tls.clone(),
        stop: listening.stop.clone(),
    });
    accept_all(socket, site, listening.stop).await;
    if program.is_broken() {
        program.tell_clients();
        // Whoever waits for this must not go on.
        std::future::pending::<()>().await;
    }
    Ok(Value::Nil)
}

/// Binds the socket of the process.
fn bind(process: &Process, port: u16) -> std::io::Result<SocketAddr> {
    let mut bound = Err(std::io::ErrorKind::AddrNotAvailable.into());
    for address in (process.app.host.as_str(), port).to_socket_addrs()? {
        bound = bind_at(address);
        if bound.is_ok() {
            break;
        }
    }
    let socket = bound?;
    let bound = socket.local_addr()?;
    // Only first workers bind, and one runs after the other.
    let _ = process.socket.set(socket);
    Ok(bound)
}

fn bind_at(address: SocketAddr) -> std::io::Result<StdListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // The connections of a server that ended a moment ago are no reason to wait.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Connections that may wait to be accepted; the system has a limit of its own.
const BACKLOG: u32 = 4096;

/// The core function behind streamed bodies.
const STREAM: &str = "%http-stream";
/// The core function behind WebSockets.
const SOCKET: &str = "%http-websocket";

/// How long to wait when no connection can be accepted, for lack of descriptors for instance.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a connection without a request is kept when the server stops or the isolate broke.
const FRESH: Duration = Duration::from_millis(500);

/// How long requests of an isolate that broke have to be told so.
const TELLING: Duration = Duration::from_secs(1);

async fn accept_all(socket: TcpListener, site: Rc<Site>, mut stop: Stopping) {
    let mut connections = JoinSet::new();
    let program = Rc::clone(&site.program);
    let (mut stops, mut breaks) = (pin!(stop.wait()), pin!(program.breaks()));
    loop {
        while connections.try_join_next().is_some() {}
        let has_room = connections.len() < site.limits.connections_max;
        tokio::select! {
            () = &mut stops => break,
            () = &mut breaks => {
                let told = async { while connections.join_next().await.is_some() {} };
                let _ = tokio::time::timeout(TELLING, told).await;
                return;
            }
            _ = connections.join_next(), if !has_room => {}
            accepted = socket.accept(), if has_room => match accepted {
                Ok((stream, address)) => {
                    connections.spawn_local(serve(stream, address, Rc::clone(&site)));
                }
                Err(error) => {
                    tracing::warn!(target: "sx::http", "accept: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    // Those that have connected were promised an answer.
    while let Ok(Ok((stream, address))) = tokio::time::timeout(Duration::ZERO, socket.accept()).await {
        connections.spawn_local(serve(stream, address, Rc::clone(&site)));
    }
    drop(socket);
    // What is under way may end, handlers whose clients have left too; what is idle has been closed.
    let drained = async {
        while connections.join_next().await.is_some() {}
        while site.unfinished.get() > 0 {
            tokio::time::sleep(PAUSE / 5).await;
        }
    };
    if tokio::time::timeout(site.limits.drain_time, drained).await.is_err() {
        tracing::warn!(target: "sx::http", "stopped with requests under way");
    }
}

async fn serve(stream: TcpStream, address: SocketAddr, site: Rc<Site>) {
    let counts = Arc::clone(&site.program.counts);
    let _open = counts.connections.hold();
    let peer = Rc::new(Peer {
        direct: Direct::new(address, site.tls.is_some()),
        has_asked: Cell::new(false),
        socket: RefCell::default(),
    });
    // Responses are written whole; waiting for more to send helps nobody.
    let _ = stream.set_nodelay(true);
    let limit = site.limits.head_time;
    let ended = match site.tls.clone() {
        None => converse(stream, Rc::clone(&peer), site).await,
        Some(tls) => match tokio::time::timeout(limit, tls.accept(stream)).await {
            Ok(Ok(stream)) => converse(stream, Rc::clone(&peer), site).await,
            // Whoever does not speak TLS is not told so in another language.
            Ok(Err(_)) | Err(_) => return,
        },
    };
    if let Err(error) = ended {
        tracing::debug!(target: "sx::http", "connection: {error}");
    }
    let socket = peer.socket.take();
    if let Some(socket) = socket {
        // A task that panicked has closed the connection.
        let _ = socket.await;
    }
}

/// Answers the requests of a connection.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: Rc<Peer>,
    site: Rc<Site>,
) -> Result<(), hyper::Error> {
    let limits = site.limits;
    let (program, mut stop) = (Rc::clone(&site.program), site.stop.clone());
    let asking = Rc::clone(&peer);
    let service = service_fn(move |request| answer(Rc::clone(&site), Rc::clone(&asking), Box::new(request)));
    let mut builder = http1::Builder::new();
    builder
        // A client that has sent all it has to say may still listen.
        .half_close(true)
        .pipeline_flush(true)
        // The guard is stricter; this is room for what it lets through.
        .max_headers(limits.fields_max + 4)
        .max_buf_size((2 * limits.head_bytes_max).max(64 << 10));
    let connection = builder.serve_connection(Guard::new(stream, limits), service);
    // In a box it has no second place in this future for the way here.
    let mut connection = Box::pin(connection.with_upgrades());
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = stop.wait() => {}
        () = program.breaks() => {}
    }
    // What a client has sent with its connection may be on its way.
    let until = tokio::time::Instant::now() + FRESH;
    while !peer.has_asked.get() && tokio::time::Instant::now() < until {
        if let Ok(ended) = tokio::time::timeout(PAUSE, connection.as_mut()).await {
            return ended;
        }
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}
