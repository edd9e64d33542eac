//! What a program says to a client after its answer has begun: bodies that are written piece by
//! piece, and WebSockets. Each is a number for the program and a channel to what owns the connection.
//!
//! Deliberately absent: the connection. Invariant: a client that has gone is something an op tells,
//! never something that ends the program.

use crate::edge::{Answer, Refusal};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use sx::{Code, FromSx, Value};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};

/// The op behind the function that a streamed body is given.
const WRITE: &str = "http/write";
/// The ops of a WebSocket.
const SEND: &str = "ws/send";
const RECEIVE: &str = "ws/receive";
const CLOSE: &str = "ws/close";

/// Chunks of a streamed body that may wait for the client.
const CHUNKS_AHEAD: usize = 4;
/// Messages that may wait, in each direction.
const MESSAGES_AHEAD: usize = 16;
/// Longer reasons do not fit into the frame that closes a socket.
const REASON_BYTES_MAX: usize = 123;

/// The right to run a handler, when they take turns.
pub type Turn = Option<OwnedMutexGuard<()>>;

/// A message on a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Only from the program: nothing more is said, for this reason.
    Close(u16, String),
}

/// The end of a WebSocket that its connection holds.
pub struct SocketEnd {
    /// What the program says.
    pub said: mpsc::Receiver<Message>,
    /// What the client says.
    pub heard: mpsc::Sender<Message>,
}

/// A body that is being written.
struct Stream {
    to: mpsc::Sender<Vec<u8>>,
    /// Given back at each piece, until the client has room for it and the others had theirs.
    turn: RefCell<Turn>,
}

/// The end that the program holds.
struct Socket {
    say: mpsc::Sender<Message>,
    hear: Mutex<mpsc::Receiver<Message>>,
    /// Given back while the program waits for a message.
    turn: RefCell<Turn>,
}

/// What the clients of a program hear of it.
#[derive(Default)]
pub struct Clients {
    streams: RefCell<HashMap<i64, Rc<Stream>>>,
    sockets: RefCell<HashMap<i64, Rc<Socket>>>,
    last: Cell<i64>,
}

impl Clients {
    fn next(&self) -> i64 {
        self.last.set(self.last.get() + 1);
        self.last.get()
    }

    /// Where a streamed body will be written: its number for the program, its end for the client. The
    /// program runs in its turn, if handlers take turns.
    pub fn open_stream(&self, turn: Turn) -> (i64, mpsc::Receiver<Vec<u8>>) {
        let id = self.next();
        let (to, receiver) = mpsc::channel(CHUNKS_AHEAD);
        let turn = RefCell::new(turn);
        self.streams.borrow_mut().insert(id, Rc::new(Stream { to, turn }));
        (id, receiver)
    }

    /// Nothing more is written there.
    pub fn close_stream(&self, id: i64) {
        let stream = self.streams.borrow_mut().remove(&id);
        if let Some(stream) = stream {
            stream.turn.take();
        }
    }

    /// A WebSocket: its number for the program, its end for the connection. The program runs in its
    /// turn, if handlers take turns.
    pub fn open_socket(&self, turn: Turn) -> (i64, SocketEnd) {
        let id = self.next();
        let (say, said) = mpsc::channel(MESSAGES_AHEAD);
        let (heard, hear) = mpsc::channel(MESSAGES_AHEAD);
        let socket = Socket {
            say,
            hear: Mutex::new(hear),
            turn: RefCell::new(turn),
        };
        self.sockets.borrow_mut().insert(id, Rc::new(socket));
        (id, SocketEnd { said, heard })
    }

    /// The program is done with a socket, which is closed with this code if it is not yet.
    pub fn close_socket(&self, id: i64, code: u16) {
        let socket = self.sockets.borrow_mut().remove(&id);
        if let Some(socket) = socket {
            socket.turn.take();
            // Where there is no room for this, the end of the channel closes the socket.
            let _ = socket.say.try_send(Message::Close(code, String::new()));
        }
    }

    /// Answers the ops that are about clients.
    pub fn perform(&self, op: &str, arguments: &[Value]) -> Answer {
        let answer = match op {
            WRITE => self.write(arguments),
            SEND => self.send(arguments),
            RECEIVE => self.receive(arguments),
            CLOSE => self.close(arguments),
            _ => return Answer::Unknown,
        };
        answer.unwrap_or_else(|refusal| Answer::Now(Err(refusal)))
    }

    fn write(&self, arguments: &[Value]) -> Result<Answer, Refusal> {
        let gone = || Refusal::new(Code::Closed, "write: the client has gone, or the body is complete");
        let [Value::Number(_), chunk] = arguments else {
            return Err(wrong("write: expected a string or a bytevector"));
        };
        let bytes = match chunk {
            Value::String(text) => text.clone().into_bytes(),
            Value::Bytes(bytes) => bytes.clone(),
            other => {
                let message = format!("write: expected a string or a bytevector, got {}", other.type_name());
                return Err(wrong(message));
            }
        };
        let stream = self.streams.borrow().get(&number(arguments)).cloned();
        let stream = stream.ok_or_else(gone)?;
        if stream.turn.borrow().is_some() {
            return Ok(Answer::Aside(Box::pin(async move {
                let sent = give_way(&stream.turn, stream.to.send(bytes)).await;
                sent.map(|()| Value::Nil).map_err(|_| gone())
            })));
        }
        Ok(match stream.to.try_send(bytes) {
            Ok(()) => Answer::Now(Ok(Value::Nil)),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(gone()),
            Err(mpsc::error::TrySendError::Full(bytes)) => Answer::Later(Box::pin(async move {
                let sent = stream.to.send(bytes).await;
                sent.map(|()| Value::Nil).map_err(|_| gone())
            })),
        })
    }

    fn socket(&self, arguments: &[Value]) -> Option<Rc<Socket>> {
        self.sockets.borrow().get(&number(arguments)).cloned()
    }

    /// Answers whether the socket was open.
    fn send(&self, arguments: &[Value]) -> Result<Answer, Refusal> {
        let message = match arguments {
            [_, Value::String(text)] => Message::Text(text.clone()),
            [_, Value::Bytes(bytes)] => Message::Bytes(bytes.clone()),
            [_, other] => {
                let message = format!("ws/send: expected a string or a bytevector, got {}", other.type_name());
                return Err(wrong(message));
            }
            _ => return Err(wrong("ws/send: expected a socket and a message")),
        };
        let Some(socket) = self.socket(arguments) else {
            return Ok(Answer::Now(Ok(Value::from(false))));
        };
        Ok(match socket.say.try_send(message) {
            Ok(()) => Answer::Now(Ok(Value::from(true))),
            Err(mpsc::error::TrySendError::Closed(_)) => Answer::Now(Ok(Value::from(false))),
            Err(mpsc::error::TrySendError::Full(message)) => Answer::Later(Box::pin(async move {
                let sent = socket.say.send(message).await;
                Ok(Value::from(sent.is_ok()))
            })),
        })
    }

    /// Answers the next message, nil when there are no more.
    fn receive(&self, arguments: &[Value]) -> Result<Answer, Refusal> {
        let Some(socket) = self.socket(arguments) else {
            return Ok(Answer::Now(Ok(Value::Nil)));
        };
        let gives_way = socket.turn.borrow().is_some();
        let heard = Box::pin(async move {
            let message = give_way(&socket.turn, async { socket.hear.lock().await.recv().await }).await;
            Ok(match message {
                Some(Message::Text(text)) => Value::String(text),
                Some(Message::Bytes(bytes)) => Value::Bytes(bytes),
                Some(Message::Close(..)) | None => Value::Nil,
            })
        });
        Ok(if gives_way {
            Answer::Aside(heard)
        } else {
            Answer::Later(heard)
        })
    }

    fn close(&self, arguments: &[Value]) -> Result<Answer, Refusal> {
        let code = match arguments.get(1) {
            None | Some(Value::Nil) => 1000,
            Some(code) => u16::from_sx(code.clone()).unwrap_or(0),
        };
        if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
            return Err(wrong(
                "ws/close: expected a code such as 1000, or one from 3000 to 4999",
            ));
        }
        let reason = match arguments.get(2) {
            None | Some(Value::Nil) => String::new(),
            Some(Value::String(reason)) if reason.len() <= REASON_BYTES_MAX => reason.clone(),
            Some(_) => {
                let message = format!("ws/close: expected a reason of at most {REASON_BYTES_MAX} bytes");
                return Err(wrong(message));
            }
        };
        let Some(socket) = self.socket(arguments) else {
            return Ok(Answer::Now(Ok(Value::Nil)));
        };
        Ok(Answer::Later(Box::pin(async move {
            // Whoever has closed already has said why.
            let _ = socket.say.send(Message::Close(code, reason)).await;
            Ok(Value::Nil)
        })))
    }
}

/// Waits for a client, and lets others take their turn meanwhile.
async fn give_way<T>(turn: &RefCell<Turn>, wait: impl Future<Output = T>) -> T {
    // The others come first even if there is nothing to wait for.
    let turns = turn.take().map(|turn| Arc::clone(OwnedMutexGuard::mutex(&turn)));
    let answer = wait.await;
    if let Some(turns) = turns {
        turn.replace(Some(turns.lock_owned().await));
    }
    answer
}

fn number(arguments: &[Value]) -> i64 {
    let first = arguments.first().cloned().unwrap_or(Value::Nil);
    i64::from_sx(first).unwrap_or(0)
}

fn wrong(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::Type, message)
}
