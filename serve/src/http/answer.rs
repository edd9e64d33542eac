//! From a request to its response: refusals, limits, the body, the handler, errors.

use super::guard::{REFUSAL, secret};
use super::limits::Limits;
use super::message::{Content, request_dict, response_of};
use super::peer::{Direct, Trusted};
use super::spool::Spool;
use super::tls::Tls;
use super::websocket;
use crate::app::Stopping;
use crate::log;
use crate::program::{Call, Program, Turn};
use crate::request_id::RequestId;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER, UPGRADE};
use hyper::{Method, Request, Response, StatusCode};
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use sx::{Error, Object, Style, Times, Value};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What every connection of a worker shares.
pub(super) struct Site {
    pub program: Rc<Program>,
    pub handler: Object,
    /// Calls `(body write)` for a streamed body, given the body and the number of a stream.
    pub stream: Object,
    /// Calls `(function socket)` for an open WebSocket, given the function and the number of a socket.
    pub socket: Object,
    pub limits: Limits,
    /// Handlers of the process that have not ended.
    pub requests: Arc<AtomicUsize>,
    /// Tasks of this worker that run handlers.
    pub unfinished: Cell<usize>,
    pub trusted: Trusted,
    pub tls: Option<Tls>,
    /// Told when the server shall stop.
    pub stop: Stopping,
}

/// A connection of a client.
pub(super) struct Peer {
    pub direct: Direct,
    /// Has it sent a request?
    pub has_asked: Cell<bool>,
    /// What owns the connection once it is a WebSocket.
    pub socket: RefCell<Option<JoinHandle<()>>>,
}

/// A body on its way out.
pub enum Body {
    /// All of it.
    Whole(Option<Bytes>),
    /// What a function writes.
    Written(mpsc::Receiver<Vec<u8>>, Arc<AtomicUsize>),
}

/// Says of a written body that it is complete; without it the client is shown that it is not.
const COMPLETE: usize = 1;

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Body::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Body::Written(chunks, state) => chunks.poll_recv(cx).map(|chunk| match chunk {
                Some(chunk) => Some(Ok(Frame::data(chunk.into()))),
                None if state.load(Ordering::Relaxed) == COMPLETE => None,
                None => Some(Err(io::Error::other("the body is not complete"))),
            }),
        }
    }
    fn is_end_stream(&self) -> bool {
        matches!(self, Body::Whole(None))
    }
    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Body::Written(..) => SizeHint::default(),
        }
    }
}

/// Counts a request while it lives.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A task that runs a handler.
struct Unfinished(Rc<Site>);

impl Unfinished {
    fn new(site: &Rc<Site>) -> Unfinished {
        site.unfinished.set(site.unfinished.get() + 1);
        Unfinished(Rc::clone(site))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.unfinished.set(self.0.unfinished.get() - 1);
    }
}

/// Where the server says that it is well.
const HEALTH: &str = "/_sx/health";
/// The name of a request, for people who ask about one.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a request. It comes in a box: what is handed on from one future to the next has room in
/// each of them, for as long as a handler waits.
pub(super) async fn answer(
    site: Rc<Site>,
    peer: Rc<Peer>,
    request: Box<Request<Incoming>>,
) -> Result<Response<Body>, Infallible> {
    let began = Instant::now();
    let id = RequestId::next();
    let counts = Arc::clone(&site.program.counts);
    peer.has_asked.set(true);
    let is_logged = tracing::enabled!(target: "sx::http", tracing::Level::INFO);
    let line = is_logged.then(|| (request.method().clone(), request.uri().path().to_owned()));
    let wants_other = request.headers().contains_key(UPGRADE);
    let mut response = respond(&site, &peer, request, id).await;
    if wants_other && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        // What the client sends next may not be HTTP.
        let connection = response.headers_mut().entry(CONNECTION);
        connection.or_insert(HeaderValue::from_static("close"));
    }
    let (status, took) = (response.status().as_u16(), began.elapsed().as_micros() as u64);
    counts.requests.up();
    counts.micros.add(took as i64);
    match status {
        400..=499 => counts.client_errors.up(),
        500.. => counts.server_errors.up(),
        _ => {}
    }
    if let Some((method, path)) = line {
        tracing::info!(target: "sx::http", %id, method = method.as_str(), path, status, took_us = took);
    }
    Ok(response)
}

async fn respond(site: &Rc<Site>, peer: &Peer, mut request: Box<Request<Incoming>>, id: RequestId) -> Response<Body> {
    if let Some(status) = refusal(&request) {
        return closing(status);
    }
    if request.uri().path() == HEALTH {
        return plain(StatusCode::OK, "ok\n");
    }
    let switch = websocket::handshake(&request);
    let switch = switch.map(|hello| hello.map(|headers| Box::new((headers, hyper::upgrade::on(&mut *request)))));
    let length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > site.limits.body_bytes_max) {
        return closing(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let body = match request.body().is_end_stream() {
        true => Bytes::new(),
        false => match Box::pin(read_body(request.body_mut(), &site.limits)).await {
            Ok(body) => body,
            Err(status) => return closing(status),
        },
    };
    // Until now it was a connection's, and those have a limit of their own.
    let before = site.requests.fetch_add(1, Ordering::Relaxed);
    let counted = Counted(Arc::clone(&site.requests));
    if before >= site.limits.requests_max {
        return come_again();
    }
    if let Some(host) = target_host(&request) {
        request.headers_mut().insert(HOST, host);
    }
    let sender = site.trusted.sender(&peer.direct, request.headers());
    let asked = request_dict(&request, body, sender);
    let is_head = request.method() == Method::HEAD;
    drop(request);
    let handled = tokio::select! {
        biased;
        handled = handle(site, asked, counted, id) => handled,
        () = site.program.breaks() => None,
    };
    let Some((result, turn)) = handled.filter(|_| !site.program.is_broken()) else {
        return come_again();
    };
    let answered = result.and_then(|value| response_of(value).map_err(|message| Error::new(sx::Code::Value, message)));
    let sent = answered.and_then(|response| match response.body() {
        Content::Socket(_) => open(site, peer, response, switch, id),
        _ => Ok(send(site, response, is_head, turn, id)),
    });
    sent.unwrap_or_else(|error| {
        site.program.counts.failures.up();
        failed(&error, id)
    })
}

/// Runs the handler. A client that leaves drops this future, so what has to wait is a task of its
/// own. Nothing if that panicked.
async fn handle(
    site: &Rc<Site>,
    request: Value,
    counted: Counted,
    id: RequestId,
) -> Option<(Result<Value, Error>, Turn)> {
    let times = handler_times(&site.limits);
    let begun = match site.program.free_turn() {
        Some(turn) => match site.program.call(&site.handler, (request,), times, Some(id)) {
            Call::Over(result) => return Some((result, turn)),
            call => Ok((call, turn)),
        },
        None => Err(request),
    };
    let (site, unfinished) = (Rc::clone(site), Unfinished::new(site));
    let task = tokio::task::spawn_local(async move {
        let (_counted, _unfinished) = (counted, unfinished);
        let (call, turn) = match begun {
            Ok(begun) => begun,
            Err(request) => {
                let turn = site.program.turn().await;
                (site.program.call(&site.handler, (request,), times, Some(id)), turn)
            }
        };
        (site.program.finish(call).await, turn)
    });
    task.await.ok()
}

pub(super) fn handler_times(limits: &Limits) -> Times {
    Times {
        slice: limits.slice_time,
        running: limits.running_time,
        lasting: limits.lasting_time,
        grace: limits.grace_time,
    }
}

/// What a function may take that talks with a client: it lasts as long as the client listens, but
/// where handlers take turns the others wait so long only from one turn to the next.
pub(super) fn client_times(site: &Site) -> Times {
    let mut times = handler_times(&site.limits);
    if !site.program.takes_turns() {
        times.lasting = Duration::MAX;
    }
    times
}

/// Sends an answer; a body that is written is written from now on.
fn send(site: &Rc<Site>, response: Response<Content>, is_head: bool, turn: Turn, id: RequestId) -> Response<Body> {
    let (parts, content) = response.into_parts();
    let body = match content {
        Content::Whole(bytes) => Body::Whole((!bytes.is_empty()).then_some(bytes)),
        // It was opened instead of sent.
        Content::Socket(_) => Body::Whole(None),
        // Nobody would get it. How long it would be is not known, so the head does not say.
        Content::Written(_) if is_head || is_without_content(parts.status) => {
            Body::Written(mpsc::channel(1).1, Arc::new(AtomicUsize::new(COMPLETE)))
        }
        Content::Written(function) => {
            let (stream, chunks) = site.program.clients().open_stream(turn);
            let state = Arc::new(AtomicUsize::new(0));
            let (site, ended) = (Rc::clone(site), Arc::clone(&state));
            tokio::task::spawn_local(async move {
                let times = client_times(&site);
                let call = site
                    .program
                    .call(&site.stream, (Value::Object(function), stream), times, Some(id));
                match site.program.finish(call).await {
                    Ok(_) => ended.store(COMPLETE, Ordering::Relaxed),
                    Err(error) => report(&error, id),
                }
                site.program.clients().close_stream(stream);
            });
            Body::Written(chunks, state)
        }
    };
    Response::from_parts(parts, body)
}

/// Opens the WebSocket that a handler answered with.
fn open(
    site: &Rc<Site>,
    peer: &Peer,
    response: Response<Content>,
    switch: Option<Result<Box<websocket::Switch>, StatusCode>>,
    id: RequestId,
) -> Result<Response<Body>, Error> {
    let (mut parts, content) = response.into_parts();
    let Some((switch, function)) = switch.zip(content.socket()) else {
        let message = ":websocket: the request does not ask for a WebSocket";
        return Err(Error::new(sx::Code::Value, message));
    };
    let (headers, upgrade) = match switch {
        Ok(switch) => *switch,
        Err(status) => return Ok(no_handshake(status)),
    };
    for (name, value) in headers {
        parts.headers.insert(name, value);
    }
    let talk = websocket::talk(Rc::clone(site), function, upgrade, id);
    peer.socket.replace(Some(tokio::task::spawn_local(talk)));
    Ok(Response::from_parts(parts, Body::Whole(None)))
}

/// The response to a handshake that opens no WebSocket; it says which version would.
fn no_handshake(status: StatusCode) -> Response<Body> {
    let mut response = closing(status);
    if status == StatusCode::UPGRADE_REQUIRED {
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade, close"));
        headers.insert(websocket::VERSION, websocket::SPOKEN);
    }
    response
}

/// Does a response with this status end with its head?
fn is_without_content(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Whom a target in absolute form names; the field `Host` does not count then (RFC 9112, 3.2.2).
fn target_host(request: &Request<Incoming>) -> Option<HeaderValue> {
    let authority = request.uri().authority()?;
    HeaderValue::from_str(authority.as_str()).ok()
}

/// The status of a request of the guard's own.
fn refusal(request: &Request<Incoming>) -> Option<StatusCode> {
    let value = request.headers().get(REFUSAL)?.to_str().ok()?;
    let code = value.strip_prefix(secret())?.trim().parse::<u16>().ok()?;
    StatusCode::from_u16(code).ok()
}

/// Reads a body that is not too large.
async fn read_body(body: &mut Incoming, limits: &Limits) -> Result<Bytes, StatusCode> {
    let no_room = |error: io::Error| {
        tracing::error!(target: "sx::http", "a body cannot be kept: {error}");
        StatusCode::INSUFFICIENT_STORAGE
    };
    let mut read = Spool::new(limits.spool_bytes);
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return read.finish().map_err(no_room),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                if read.len() + data.len() > limits.body_bytes_max {
                    return Err(StatusCode::PAYLOAD_TOO_LARGE);
                }
                read.push(&data).map_err(no_room)?;
            }
            Some(Err(error)) => return Err(broken(&error)),
        }
    }
}

/// The status of a body that did not come as it should.
fn broken(error: &hyper::Error) -> StatusCode {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if cause
            .downcast_ref::<io::Error>()
            .is_some_and(|io| io.kind() == io::ErrorKind::TimedOut)
        {
            return StatusCode::REQUEST_TIMEOUT;
        }
        source = cause.source();
    }
    StatusCode::BAD_REQUEST
}

/// The response to a request whose handler failed.
fn failed(error: &Error, id: RequestId) -> Response<Body> {
    report(error, id);
    let text = format!("Internal Server Error\nrequest id: {id}\n");
    let mut response = plain(StatusCode::INTERNAL_SERVER_ERROR, text);
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

pub(super) fn report(error: &Error, id: RequestId) {
    let report = sx::report(error, Style::Plain);
    log::say(&format!(
        "[http-listen] handler error: {} (request {id})\n{report}",
        error.message
    ));
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::Whole(Some(text.into())));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// A response after which the connection ends.
fn closing(status: StatusCode) -> Response<Body> {
    let text = format!(
        "{} {}\n",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default()
    );
    let mut response = plain(status, text);
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The response where nobody can answer now.
fn come_again() -> Response<Body> {
    let mut response = closing(StatusCode::SERVICE_UNAVAILABLE);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
