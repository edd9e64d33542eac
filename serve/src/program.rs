//! A program that many calls run in at once: one isolate, its edge, and the fibers that wait.
//!
//! A call is begun and run on the spot as far as it goes without waiting; the rest of it is a future
//! that puts the fiber aside at each wait and brings it back. All of it stays on the thread of the
//! isolate, and the isolate is never borrowed across an `await`, so fibers take turns exactly at
//! their performs and at the ends of their slices.

use crate::edge::{Answer, Edge, Later, Refusal};
use crate::ticker::{Ticker, Watched};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use sx::{Arguments, Code, Error, Event, Fiber, Isolate, Object, Times, Value};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Chunks of a streamed body that may wait for the client.
const CHUNKS_AHEAD: usize = 4;

/// What answers the ops of programs that the edge does not know: those about the server itself.
pub type Special = Box<dyn Fn(&str, &[Value]) -> Answer>;

/// A program and who runs it.
pub struct Program {
    isolate: RefCell<Isolate>,
    edge: Edge,
    special: RefCell<Option<Special>>,
    watched: Watched,
    /// Receivers of what streamed bodies write.
    streams: RefCell<HashMap<i64, mpsc::Sender<Vec<u8>>>>,
    next_stream: Cell<i64>,
}

/// A call that was begun.
pub enum Call {
    /// It is over.
    Over(Result<Value, Error>),
    /// It is not.
    Going(Going),
}

/// What is left of a call.
pub struct Going {
    state: State,
    deadline: Option<Instant>,
    grace: Duration,
}

enum State {
    Preempted(Fiber),
    Waiting(Fiber, Later),
}

impl Program {
    /// A program in this isolate.
    pub fn new(isolate: Isolate, edge: Edge, ticker: &Ticker) -> Rc<Program> {
        let watched = ticker.watch(isolate.interrupt_handle());
        Rc::new(Program {
            isolate: RefCell::new(isolate),
            edge,
            special: RefCell::default(),
            watched,
            streams: RefCell::default(),
            next_stream: Cell::new(1),
        })
    }

    /// The isolate, which nobody may hold across an await.
    pub fn isolate(&self) -> std::cell::RefMut<'_, Isolate> {
        self.isolate.borrow_mut()
    }

    /// Answers the ops about the server from now on.
    pub fn set_special(&self, special: Special) {
        *self.special.borrow_mut() = Some(special);
    }

    /// The edge.
    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    /// Begins a call and runs it as far as it goes.
    pub fn call(&self, function: &Object, arguments: impl Arguments, times: Times) -> Call {
        let mut isolate = self.isolate.borrow_mut();
        match isolate.begin_call(function, arguments, times) {
            Ok(()) => self.run(&mut isolate, deadline_of(times), times.grace),
            Err(error) => Call::Over(Err(error)),
        }
    }

    /// The same for a text.
    pub fn evaluate(&self, source: std::sync::Arc<sx::Source>, times: Times) -> Call {
        let mut isolate = self.isolate.borrow_mut();
        match isolate.begin_source(source, times) {
            Ok(()) => self.run(&mut isolate, deadline_of(times), times.grace),
            Err(error) => Call::Over(Err(error)),
        }
    }

    /// Runs the current program of the isolate until it is over or has to wait.
    fn run(&self, isolate: &mut Isolate, deadline: Option<Instant>, grace: Duration) -> Call {
        let _running = self.watched.run();
        let going = |state| Call::Going(Going { state, deadline, grace });
        loop {
            match isolate.go_on() {
                Event::Value(value) => return Call::Over(Ok(value)),
                Event::Failed(error) => return Call::Over(Err(error)),
                Event::Preempted(fiber) => return going(State::Preempted(fiber)),
                Event::Performed { op, arguments } => match self.perform(&op, &arguments) {
                    Answer::Now(answer) => give(isolate, answer),
                    Answer::Unknown => isolate.refuse_unhandled(),
                    Answer::Later(later) => match isolate.park() {
                        Ok(fiber) => return going(State::Waiting(fiber, later)),
                        Err(error) => isolate.refuse(error.code, error.message.clone()),
                    },
                },
            }
        }
    }

    fn perform(&self, op: &str, arguments: &[Value]) -> Answer {
        match self.edge.perform(op, arguments) {
            Answer::Unknown if op == WRITE => self.write(arguments),
            Answer::Unknown => match &*self.special.borrow() {
                Some(special) => special(op, arguments),
                None => Answer::Unknown,
            },
            answer => answer,
        }
    }

    /// Runs a call to its end.
    pub async fn finish(&self, call: Call) -> Result<Value, Error> {
        let mut call = call;
        loop {
            let Going { state, deadline, grace } = match call {
                Call::Over(result) => return result,
                Call::Going(going) => going,
            };
            match state {
                State::Preempted(fiber) => {
                    tokio::task::yield_now().await;
                    let mut isolate = self.isolate.borrow_mut();
                    isolate.unpark(fiber);
                    call = self.run(&mut isolate, deadline, grace);
                }
                State::Waiting(fiber, later) => {
                    let until = deadline.map(|deadline| if fiber.is_told() { deadline + grace } else { deadline });
                    let answer = match until {
                        Some(until) => tokio::time::timeout_at(until, later).await.ok(),
                        None => Some(later.await),
                    };
                    if answer.is_none() && fiber.is_told() {
                        return Err(Error::new(Code::Deadline, "deadline exceeded"));
                    }
                    let mut isolate = self.isolate.borrow_mut();
                    isolate.unpark(fiber);
                    match answer {
                        Some(answer) => give(&mut isolate, answer),
                        None => isolate.expire(),
                    }
                    call = self.run(&mut isolate, deadline, grace);
                }
            }
        }
    }

    /// Where a streamed body will be written: its number for the program, its end for the client.
    pub fn open_stream(&self) -> (i64, mpsc::Receiver<Vec<u8>>) {
        let id = self.next_stream.replace(self.next_stream.get() + 1);
        let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
        self.streams.borrow_mut().insert(id, sender);
        (id, receiver)
    }

    /// Nothing more is written there.
    pub fn close_stream(&self, id: i64) {
        self.streams.borrow_mut().remove(&id);
    }

    fn write(&self, arguments: &[Value]) -> Answer {
        let gone = || {
            Err(Refusal::new(
                Code::Closed,
                "write: the client has gone, or the body is complete",
            ))
        };
        let [Value::Number(id), chunk] = arguments else {
            return Answer::Now(Err(Refusal::new(
                Code::Type,
                "write: expected a string or a bytevector",
            )));
        };
        let bytes = match chunk {
            Value::String(text) => text.clone().into_bytes(),
            Value::Bytes(bytes) => bytes.clone(),
            other => {
                let message = format!("write: expected a string or a bytevector, got {}", other.type_name());
                return Answer::Now(Err(Refusal::new(Code::Type, message)));
            }
        };
        let streams = self.streams.borrow();
        let id = id.to_string().parse::<i64>().unwrap_or(0);
        let Some(sender) = streams.get(&id) else {
            return Answer::Now(gone());
        };
        match sender.try_send(bytes) {
            Ok(()) => Answer::Now(Ok(Value::Nil)),
            Err(mpsc::error::TrySendError::Closed(_)) => Answer::Now(gone()),
            Err(mpsc::error::TrySendError::Full(bytes)) => {
                let sender = sender.clone();
                Answer::Later(Box::pin(async move {
                    match sender.send(bytes).await {
                        Ok(()) => Ok(Value::Nil),
                        Err(_) => gone(),
                    }
                }))
            }
        }
    }
}

/// The op behind the function that a streamed body is given.
pub const WRITE: &str = "http/write";

fn deadline_of(times: Times) -> Option<Instant> {
    Instant::now().checked_add(times.lasting)
}

fn give(isolate: &mut Isolate, answer: Result<Value, Refusal>) {
    match answer {
        Ok(value) => {
            if let Err(error) = isolate.answer(value) {
                isolate.refuse(error.code, error.message.clone());
            }
        }
        Err(refusal) => isolate.refuse(refusal.code, refusal.message),
    }
}
