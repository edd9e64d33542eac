//! The admin listener: how the server is, for those who run it, apart from the public port, where
//! behind a proxy every client looks like a neighbour.
//!
//! A thread of its own with a runtime, so that it answers while every worker is busy. Deliberately
//! absent: anything that changes the server.

use crate::http::{ACCEPT_PAUSE, Body, Guard, Limits};
use crate::log;
use crate::worker::Process;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use std::collections::hash_map::RandomState;
use std::convert::Infallible;
use std::hash::BuildHasher as _;
use std::io;
use std::net::TcpListener as StdListener;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{SocketAddr, UnixListener as StdUnixListener};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

/// What the socket is called.
const SOCKET: &str = "admin.sock";

/// Where the server tells how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admin {
    /// A unix socket that only its user may open.
    Socket(PathBuf),
    /// One called `admin.sock` in a directory; where that is longer than systems allow, a socket in a
    /// directory for such things, and a link to it here.
    In(PathBuf),
    /// An address and port.
    Address(String),
}

/// `host:port`, or the path of a socket, which has a slash.
impl FromStr for Admin {
    type Err = String;
    fn from_str(text: &str) -> Result<Admin, String> {
        if text.contains('/') {
            return Ok(Admin::Socket(PathBuf::from(text)));
        }
        let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        match port {
            Some(_) => Ok(Admin::Address(text.to_owned())),
            None => Err(format!(
                "expected host:port, or the path of a socket with a slash in it, got `{text}`"
            )),
        }
    }
}

/// A listener that runs until it is dropped.
pub(crate) struct Running {
    /// Dropped first: the thread's loop ends with it.
    _stop: tokio::sync::oneshot::Sender<()>,
    _places: Vec<Place>,
}

/// A file, or an empty directory, as it was made.
struct Place {
    path: PathBuf,
    mark: Option<(u64, u64)>,
}

impl Place {
    fn of(path: PathBuf) -> Place {
        let mark = mark_of(&path);
        Place { path, mark }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Another process may have put its own there.
        if mark_of(&self.path) == self.mark {
            let _ = std::fs::remove_file(&self.path).or_else(|_| std::fs::remove_dir(&self.path));
        }
    }
}

/// The device and number of a file, which no other one has at the same time.
fn mark_of(path: &Path) -> Option<(u64, u64)> {
    let about = std::fs::symlink_metadata(path).ok()?;
    Some((about.dev(), about.ino()))
}

enum Bound {
    Socket(StdUnixListener),
    Address(StdListener),
}

/// Longer conversations are cut off.
const LASTING: Duration = Duration::from_secs(30);

/// Begins to listen.
pub(crate) fn start(place: &Admin, process: &Arc<Process>) -> io::Result<Running> {
    let about = |error: io::Error| {
        let place = match place {
            Admin::Socket(path) => path.display().to_string(),
            Admin::In(directory) => directory.join(SOCKET).display().to_string(),
            Admin::Address(address) => address.clone(),
        };
        io::Error::new(error.kind(), format!("admin listener at {place}: {error}"))
    };
    let (bound, _places) = match place {
        Admin::Socket(path) => {
            let (listener, place) = bind_socket(path).map_err(about)?;
            (Bound::Socket(listener), vec![place])
        }
        Admin::In(directory) => {
            let (listener, places) = bind_in(&directory.join(SOCKET)).map_err(about)?;
            (Bound::Socket(listener), places)
        }
        Admin::Address(address) => {
            let listener = StdListener::bind(address).map_err(about)?;
            listener.set_nonblocking(true).map_err(about)?;
            (Bound::Address(listener), vec![])
        }
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let process = Arc::clone(process);
    std::thread::Builder::new().name("sx-admin".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                result = accept_all(bound, process) => if let Err(error) = result {
                    tracing::error!(target: "sx::admin", "{error}");
                },
                _ = stopped => {}
            }
        });
    })?;
    Ok(Running { _stop: stop, _places })
}

/// A socket that only its user may open, from the moment it is there.
fn bind_socket(path: &Path) -> io::Result<(StdUnixListener, Place)> {
    let fresh = unfinished(path);
    let _ = std::fs::remove_file(&fresh);
    let listener = StdUnixListener::bind(&fresh)?;
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    let mark = mark_of(&fresh);
    // What a process that has ended left there goes.
    std::fs::rename(&fresh, path)?;
    let path = path.to_owned();
    Ok((listener, Place { path, mark }))
}

/// The name of a file that is to be called `path` when it is what it shall be.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension(std::process::id().to_string())
}

/// A socket at this path, or at a shorter one that a link at this path leads to.
fn bind_in(path: &Path) -> io::Result<(StdUnixListener, Vec<Place>)> {
    if SocketAddr::from_pathname(unfinished(path)).is_ok() {
        let (listener, place) = bind_socket(path)?;
        return Ok((listener, vec![place]));
    }
    let home = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    // Not to be guessed, so that nobody else can have made it before.
    let key = RandomState::new().hash_one(std::process::id());
    let private = home.join(format!("sx-{key:016x}"));
    std::fs::DirBuilder::new().mode(0o700).create(&private)?;
    let directory = Place::of(private.clone());
    let (listener, socket) = bind_socket(&private.join(SOCKET))?;
    let fresh = unfinished(path);
    let _ = std::fs::remove_file(&fresh);
    std::os::unix::fs::symlink(&socket.path, &fresh)?;
    std::fs::rename(&fresh, path)?;
    let (long, short) = (path.display(), socket.path.display());
    log::say(&format!(
        "{long} is too long for the name of a socket: the admin listener is at {short}, and a link there leads to it\n"
    ));
    Ok((listener, vec![Place::of(path.to_owned()), socket, directory]))
}

async fn accept_all(bound: Bound, process: Arc<Process>) -> io::Result<()> {
    match bound {
        Bound::Socket(listener) => {
            let listener = UnixListener::from_std(listener)?;
            loop {
                serve(listener.accept().await.map(|(stream, _)| stream), &process).await;
            }
        }
        Bound::Address(listener) => {
            let listener = TcpListener::from_std(listener)?;
            loop {
                serve(listener.accept().await.map(|(stream, _)| stream), &process).await;
            }
        }
    }
}

/// Serves a connection in a task of its own; waits a little if there is none.
async fn serve<S>(accepted: io::Result<S>, process: &Arc<Process>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match accepted {
        Ok(stream) => {
            tokio::spawn(converse(Guard::new(stream, Limits::default()), Arc::clone(process)));
        }
        Err(error) => {
            tracing::warn!(target: "sx::admin", "accept: {error}");
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: Guard<S>, process: Arc<Process>) {
    let service = service_fn(move |request| answer(Arc::clone(&process), request));
    let connection = http1::Builder::new().serve_connection(stream, service);
    // A client that leaves or dawdles hears nothing.
    let _ = tokio::time::timeout(LASTING, connection).await;
}

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

async fn answer(process: Arc<Process>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (status, content_type, text) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/_sx/health") => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        (&Method::GET, "/_sx/metrics") => {
            let requests = process.requests.load(Ordering::Relaxed);
            (StatusCode::OK, METRICS, process.workers.page(requests).await)
        }
        (&Method::GET, "/_sx/jit") => (StatusCode::OK, TEXT, process.workers.native().await),
        _ => (
            StatusCode::NOT_FOUND,
            TEXT,
            "GET /_sx/health, /_sx/metrics or /_sx/jit\n".to_owned(),
        ),
    };
    let mut response = Response::new(Body::Whole(Some(Bytes::from(text))));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(response)
}
