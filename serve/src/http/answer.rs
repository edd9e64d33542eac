//! From a request to its response: refusals, limits, the body, the handler, errors.

use super::guard::{REFUSAL, secret};
use super::limits::Limits;
use super::message::{Content, request_dict, response_of};
use crate::program::{Call, Program};
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, UPGRADE};
use hyper::{Request, Response, StatusCode};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;
use sx::{Error, Object, Style, Times, Value};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};

/// What every connection of a worker shares.
pub(super) struct Site {
    pub program: Rc<Program>,
    pub handler: Object,
    /// Calls `(body write)` for a streamed body, given the body and the number of a stream.
    pub stream: Object,
    /// Held by the handler that runs; `None` if handlers interleave.
    pub turn: Option<Arc<Mutex<()>>>,
    pub limits: Limits,
    /// Handlers of the process that have not ended.
    pub requests: Arc<AtomicUsize>,
}

/// The right to run a handler, when they take turns.
type Turn = Option<OwnedMutexGuard<()>>;

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

/// Where the server says that it is well.
const HEALTH: &str = "/_sx/health";
/// The name of a request, for people who ask about one.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a request.
pub(super) async fn answer(site: Rc<Site>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let began = Instant::now();
    let id = next_id();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let wants_other = request.headers().contains_key(UPGRADE);
    let mut response = respond(&site, request, &id).await;
    if wants_other {
        // What the client sends next may not be HTTP.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let (status, took) = (response.status().as_u16(), began.elapsed().as_micros() as u64);
    tracing::info!(target: "sx::http", id, method = method.as_str(), path, status, took_us = took);
    Ok(response)
}

async fn respond(site: &Rc<Site>, request: Request<Incoming>, id: &str) -> Response<Body> {
    if let Some(status) = refusal(&request) {
        return closing(status);
    }
    if request.uri().path() == HEALTH {
        return plain(StatusCode::OK, "ok\n");
    }
    let before = site.requests.fetch_add(1, Ordering::Relaxed);
    let counted = Counted(Arc::clone(&site.requests));
    if before >= site.limits.requests_max {
        let mut response = closing(StatusCode::SERVICE_UNAVAILABLE);
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
        return response;
    }
    let (parts, incoming) = request.into_parts();
    let length = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > site.limits.body_bytes_max) {
        return closing(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let body = match read_body(incoming, site.limits.body_bytes_max).await {
        Ok(body) => body,
        Err(status) => return closing(status),
    };
    let handled = handle(site, request_dict(&parts, body), counted).await;
    let Some((result, turn)) = handled else {
        return closing(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let answered = result.and_then(|value| response_of(value).map_err(|message| Error::new(sx::Code::Value, message)));
    match answered {
        Ok(response) => send(site, response, turn, id),
        Err(error) => failed(&error, id),
    }
}

/// Runs the handler. A client that leaves drops this future, so what has to wait is a task of its
/// own. Nothing if that panicked.
async fn handle(site: &Rc<Site>, request: Value, counted: Counted) -> Option<(Result<Value, Error>, Turn)> {
    let times = handler_times(&site.limits);
    let free = match &site.turn {
        None => Some(None),
        Some(turn) => Arc::clone(turn).try_lock_owned().ok().map(Some),
    };
    let begun = match free {
        Some(turn) => match site.program.call(&site.handler, (request,), times) {
            Call::Over(result) => return Some((result, turn)),
            call => Ok((call, turn)),
        },
        None => Err(request),
    };
    let site = Rc::clone(site);
    let task = tokio::task::spawn_local(async move {
        let _counted = counted;
        let (call, turn) = match begun {
            Ok(begun) => begun,
            Err(request) => {
                let turn = match &site.turn {
                    Some(turn) => Some(Arc::clone(turn).lock_owned().await),
                    None => None,
                };
                (site.program.call(&site.handler, (request,), times), turn)
            }
        };
        (site.program.finish(call).await, turn)
    });
    task.await.ok()
}

fn handler_times(limits: &Limits) -> Times {
    Times {
        slice: limits.slice_time,
        running: limits.running_time,
        lasting: limits.lasting_time,
        grace: limits.grace_time,
    }
}

/// Sends an answer; a body that is written is written from now on.
fn send(site: &Rc<Site>, response: Response<Content>, turn: Turn, id: &str) -> Response<Body> {
    let (parts, content) = response.into_parts();
    let body = match content {
        Content::Whole(bytes) => Body::Whole((!bytes.is_empty()).then_some(bytes)),
        Content::Written(function) => {
            let (stream, chunks) = site.program.open_stream();
            let state = Arc::new(AtomicUsize::new(0));
            let (site, ended, id) = (Rc::clone(site), Arc::clone(&state), id.to_owned());
            tokio::task::spawn_local(async move {
                let _turn = turn;
                // A stream lasts as long as its client listens.
                let times = Times {
                    lasting: std::time::Duration::MAX,
                    ..handler_times(&site.limits)
                };
                let call = site
                    .program
                    .call(&site.stream, (Value::Object(function), stream), times);
                match site.program.finish(call).await {
                    Ok(_) => ended.store(COMPLETE, Ordering::Relaxed),
                    Err(error) => report(&error, &id),
                }
                site.program.close_stream(stream);
            });
            Body::Written(chunks, state)
        }
    };
    Response::from_parts(parts, body)
}

/// The status of a request of the guard's own.
fn refusal(request: &Request<Incoming>) -> Option<StatusCode> {
    let value = request.headers().get(REFUSAL)?.to_str().ok()?;
    let code = value.strip_prefix(secret())?.trim().parse::<u16>().ok()?;
    StatusCode::from_u16(code).ok()
}

/// Reads a body of at most so many bytes.
async fn read_body(mut body: Incoming, bytes_max: usize) -> Result<Bytes, StatusCode> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let mut read: Vec<u8> = Vec::new();
    loop {
        match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            None => return Ok(read.into()),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                if read.len() + data.len() > bytes_max {
                    return Err(StatusCode::PAYLOAD_TOO_LARGE);
                }
                read.extend_from_slice(&data);
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
fn failed(error: &Error, id: &str) -> Response<Body> {
    report(error, id);
    let text = format!("Internal Server Error\nrequest id: {id}\n");
    let mut response = plain(StatusCode::INTERNAL_SERVER_ERROR, text);
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn report(error: &Error, id: &str) {
    let report = sx::report(error, Style::Plain);
    eprint!(
        "[http-listen] handler error: {} (request {id})\n{report}",
        error.message
    );
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

fn next_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{}-{:x}", &secret()[..8], NEXT.fetch_add(1, Ordering::Relaxed))
}
