//! WebSockets: the answer that opens one, and the task that owns its connection while a function of
//! the program talks.
//!
//! The program and the task exchange messages over two bounded channels. The task reads the
//! connection only while there is room for what it heard, and goes on sending meanwhile, so neither
//! side waits for the other in a ring. Frames, masks and UTF-8 are tungstenite's.
//!
//! Invariant: the program's side ends with the program or with the connection, whichever is first,
//! and the other one is told.

use super::answer::{Site, client_times, report};
use super::head::lists;
use super::limits::Limits;
use crate::app::Stopping;
use crate::metrics::Counts;
use crate::program::{Message, SocketEnd};
use crate::request_id::RequestId;
use futures_util::{SinkExt, StreamExt};
use hyper::body::Body;
use hyper::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Method, Request, StatusCode, Version};
use hyper_util::rt::TokioIo;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use sx::{Object, Value};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WireError, Message as Wire};

const KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");
/// The version of the protocol that is spoken.
pub(super) const VERSION: HeaderName = HeaderName::from_static("sec-websocket-version");
pub(super) const SPOKEN: HeaderValue = HeaderValue::from_static("13");

/// How long a client may take to agree that a socket is closed.
const CLOSING: Duration = Duration::from_secs(2);
/// What a socket is closed with when the server stops.
const GOING_AWAY: u16 = 1001;
/// What a socket is closed with when the program failed.
const FAILED: u16 = 1011;

type Wires = WebSocketStream<TokioIo<Upgraded>>;

/// The headers of the answer that opens a socket; nothing if the request does not ask for one. A
/// handshake that is not as RFC 6455 says has a status instead (4.2.1, 4.4).
pub fn handshake<B: Body>(request: &Request<B>) -> Option<Result<Headers, StatusCode>> {
    let headers = request.headers();
    if !names(headers, &UPGRADE, b"websocket") {
        return None;
    }
    // What the guard takes for a head of HTTP and nothing more must not become a socket.
    let is_hello = request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && request.body().is_end_stream()
        && names(headers, &CONNECTION, b"upgrade");
    let accepted = match (is_hello, headers.get(VERSION), headers.get(KEY)) {
        (true, Some(version), _) if *version != SPOKEN => Err(StatusCode::UPGRADE_REQUIRED),
        (true, Some(_), Some(key)) if is_key(key.as_bytes()) => Ok(derive_accept_key(key.as_bytes())),
        _ => Err(StatusCode::BAD_REQUEST),
    };
    let accepted = accepted.and_then(|key| HeaderValue::from_str(&key).map_err(|_| StatusCode::BAD_REQUEST));
    Some(accepted.map(|accepted| {
        [
            (UPGRADE, HeaderValue::from_static("websocket")),
            (CONNECTION, HeaderValue::from_static("upgrade")),
            (ACCEPT, accepted),
        ]
    }))
}

/// Does a field list this word?
fn names(headers: &HeaderMap, field: &HeaderName, word: &[u8]) -> bool {
    let mut values = headers.get_all(field).iter();
    values.any(|value| lists(value.as_bytes(), word))
}

/// Is it 16 bytes in base64? Four bits of the last letter are none of theirs.
fn is_key(key: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    match key.strip_suffix(b"==") {
        Some([first @ .., last]) => {
            first.len() == 21 && first.iter().all(is_letter) && matches!(last, b'A' | b'Q' | b'g' | b'w')
        }
        _ => false,
    }
}

/// What a response that opens a WebSocket says besides its status.
pub type Headers = [(HeaderName, HeaderValue); 3];

/// What becomes of a request that asks for a WebSocket if it gets one.
pub(super) type Switch = (Headers, OnUpgrade);

/// Waits until the connection is the socket's, then lets the function talk until it or the client
/// ends.
pub(super) async fn talk(site: Rc<Site>, function: Object, upgrade: OnUpgrade, id: RequestId) {
    // A client that has left already hears nothing of it.
    let Ok(upgraded) = upgrade.await else { return };
    let limits = site.limits;
    let config = WebSocketConfig::default()
        .max_message_size(Some(limits.message_bytes_max))
        .max_frame_size(Some(limits.message_bytes_max));
    let wires = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let turn = site.program.turn().await;
    let counts = &site.program.counts;
    let _open = counts.sockets.hold();
    let (number, end) = site.program.clients().open_socket(turn);
    let carried = tokio::task::spawn_local(carry(wires, end, limits, site.stop.clone(), Arc::clone(counts)));
    let times = client_times(&site);
    let call = site
        .program
        .call(&site.socket, (Value::Object(function), number), times, Some(id));
    let code = match site.program.finish(call).await {
        Ok(_) => u16::from(CloseCode::Normal),
        Err(error) => {
            counts.failures.up();
            report(&error, id);
            FAILED
        }
    };
    site.program.clients().close_socket(number, code);
    // A task that panicked has closed the connection too.
    let _ = carried.await;
}

/// Why nothing more is carried.
enum End {
    /// Say this and wait for the client to agree.
    Close(u16, String),
    /// The client has closed, or is gone.
    Gone,
}

/// Carries messages in both directions until one side ends.
async fn carry(mut wires: Wires, mut end: SocketEnd, limits: Limits, mut stop: Stopping, counts: Arc<Counts>) {
    let ended = exchange(&mut wires, &mut end, limits, &mut stop, &counts).await;
    // The program is told that there is no more, whatever the client says to that.
    drop(end);
    match ended {
        End::Close(code, reason) => {
            let frame = CloseFrame {
                code: CloseCode::from(code),
                reason: reason.into(),
            };
            let closed = async {
                let _ = wires.close(Some(frame)).await;
                while let Some(Ok(_)) = wires.next().await {}
            };
            let _ = timeout(CLOSING, closed).await;
        }
        End::Gone => {
            // What is due, such as the answer to a close, is sent if it can be.
            let _ = timeout(CLOSING, wires.flush()).await;
        }
    }
}

async fn exchange(wires: &mut Wires, end: &mut SocketEnd, limits: Limits, stop: &mut Stopping, counts: &Counts) -> End {
    let mut waiting: Option<Message> = None;
    let mut is_asked = false;
    let mut due = Instant::now() + limits.idle_time / 2;
    loop {
        tokio::select! {
            room = end.heard.reserve(), if waiting.is_some() => {
                if let (Ok(room), Some(message)) = (room, waiting.take()) {
                    counts.messages.up();
                    room.send(message);
                }
            }
            heard = wires.next(), if waiting.is_none() => {
                (is_asked, due) = (false, Instant::now() + limits.idle_time / 2);
                match heard {
                    Some(Ok(Wire::Text(text))) => waiting = Some(Message::Text(text.as_str().to_owned())),
                    Some(Ok(Wire::Binary(bytes))) => waiting = Some(Message::Bytes(bytes.into())),
                    Some(Ok(Wire::Ping(_) | Wire::Pong(_) | Wire::Frame(_))) => {}
                    Some(Ok(Wire::Close(_))) | None => return End::Gone,
                    Some(Err(error)) => return end_of(&error),
                }
            }
            said = end.said.recv() => {
                let wire = match said {
                    Some(Message::Text(text)) => Wire::Text(text.into()),
                    Some(Message::Bytes(bytes)) => Wire::Binary(bytes.into()),
                    Some(Message::Close(code, reason)) => return End::Close(code, reason),
                    None => return End::Close(CloseCode::Normal.into(), String::new()),
                };
                counts.messages.up();
                if wires.send(wire).await.is_err() {
                    return End::Gone;
                }
            }
            () = sleep_until(due) => {
                if std::mem::replace(&mut is_asked, true) || wires.send(Wire::Ping(Vec::new().into())).await.is_err() {
                    return End::Gone;
                }
                due = Instant::now() + limits.idle_time / 2;
            }
            () = stop.wait() => return End::Close(GOING_AWAY, String::new()),
        }
    }
}

/// What is said to a client whose message cannot be taken.
fn end_of(error: &WireError) -> End {
    let code = match error {
        WireError::Capacity(_) => CloseCode::Size,
        WireError::Utf8(_) => CloseCode::Invalid,
        WireError::Protocol(_) => CloseCode::Protocol,
        _ => return End::Gone,
    };
    End::Close(code.into(), String::new())
}
