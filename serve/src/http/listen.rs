//! The op `http-listen`: its arguments, the socket, the connections, the end.

use super::answer::{Peer, Site, answer};
use super::guard::Guard;
use super::limits::Limits;
use super::peer::Direct;
use super::socket::{ACCEPT_PAUSE, accept_rest};
use crate::app::Stopping;
use crate::edge::Refusal;
use crate::program::Program;
use crate::worker::Process;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use sx::{Code, FromSx, Object, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What is known where a program listens.
pub(crate) struct Listening {
    pub process: Arc<Process>,
    /// Told when the program shall stop.
    pub stop: Stopping,
    /// Is it the first worker of its program, which binds the socket?
    pub is_first: bool,
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
                // Nobody could be answered.
                ("max-connections", Ok(0)) => return Err(format!("no option :{key} with the value 0")),
                (key, Ok(count)) if wanted.limits.set(key, count) => {}
                (key, _) => return Err(format!("no option :{key} with the value {value}")),
            }
        }
        wanted.workers = listening.process.app.workers.unwrap_or(wanted.workers);
        Ok(wanted)
    }
}

/// Serves until the server is stopped. `begins` is told once it listens, and how many more workers
/// there are to be.
pub(crate) async fn listen(
    program: Rc<Program>,
    listening: Listening,
    arguments: Vec<Value>,
    begins: impl FnOnce(usize) -> Result<(), String>,
) -> Result<Value, Refusal> {
    let refuse = |message: String| Refusal::new(Code::Io, format!("http-listen: {message}"));
    let wanted = Wanted::of(&arguments, &listening)
        .map_err(|message| Refusal::new(Code::Type, format!("http-listen: {message}")))?;
    if listening.has_listened {
        return Err(refuse("the program listens already".to_owned()));
    }
    if listening.stop.is_told() {
        // The socket may be closed, and is not bound anew.
        return Ok(Value::Nil);
    }
    let process = Arc::clone(&listening.process);
    if listening.is_first {
        let bound = process.socket.bind(&process.app.host, wanted.port);
        if let Some(address) = bound.map_err(|error| refuse(format!("port {}: {error}", wanted.port)))? {
            process.heed_signals().map_err(|error| refuse(error.to_string()))?;
            (process.app.bound)(address);
        }
    }
    let socket = process.socket.share().map_err(|error| refuse(error.to_string()))?;
    begins(wanted.workers - 1).map_err(refuse)?;
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
    accept_all(socket, site, listening.stop, &process).await;
    if program.is_broken() {
        program.tell_clients();
        // Whoever waits for this must not go on.
        std::future::pending::<()>().await;
    }
    Ok(Value::Nil)
}

/// The core function behind streamed bodies.
const STREAM: &str = "%http-stream";
/// The core function behind WebSockets.
const SOCKET: &str = "%http-websocket";

/// Between two looks at what is still under way when the server stops.
const LOOK: Duration = Duration::from_millis(10);

/// How long a connection without a request is kept when the server stops or the isolate broke.
const FRESH: Duration = Duration::from_millis(500);

/// How long requests of an isolate that broke have to be told so.
const TELLING: Duration = Duration::from_secs(1);

async fn accept_all(socket: TcpListener, site: Rc<Site>, mut stop: Stopping, process: &Process) {
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
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    if process.stop.is_stopped() {
        // Those that have connected were promised an answer.
        process.socket.close();
        accept_rest(socket, |stream, address| {
            connections.spawn_local(serve(stream, address, Rc::clone(&site)));
        })
        .await;
    } else {
        // The program that takes the place of this one accepts them.
        drop(socket);
    }
    // What is under way may end, handlers whose clients have left too; what is idle has been closed.
    let drained = async {
        while connections.join_next().await.is_some() {}
        while site.unfinished.get() > 0 {
            tokio::time::sleep(LOOK).await;
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
        if let Ok(ended) = tokio::time::timeout(LOOK, connection.as_mut()).await {
            return ended;
        }
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}
