//! The epoch protocol: commands on lines of the input, tagged replies on the output.
//!
//! A session reads one line, does what its command says and writes one reply, in order. An op that
//! is left to the parent interrupts that with an `(io-request …)` of its own and the next line is
//! its answer. What programs print and what went wrong at length goes to standard error, so the
//! output holds replies and nothing else.
//!
//! Invariant: a line gets at most one reply, and no line ends the session.

mod commands;
mod wire;

pub use commands::reference;

use crate::edge::{Answer, Edge};
use crate::log;
use commands::COMMANDS;
use std::io::{self, BufRead, Write};
use std::sync::Arc;
use sx::{Code, Error, Event, Isolate, Source, Times, Value};
use wire::{Line, Reply, Wire};

/// Ops that always go to the parent.
const PARENT_OPS: [&str; 6] = ["query", "action", "request-arg", "request-method", "ctx", "helper"];

/// What answers an op that went to the parent.
const RESPONSE: &str = "io-response";

const WRONG_RESPONSE: &str = "io-response: expected (io-response value)";
const WRONG_EPOCH: &str = "epoch: expected (epoch N), N a whole number from 0";

/// What makes the isolate of a session.
pub type NewIsolate = Box<dyn Fn() -> Result<Isolate, String>>;

/// One conversation.
pub(crate) struct Session<'s> {
    wire: Wire<'s>,
    isolate: Isolate,
    new_isolate: NewIsolate,
    edge: Edge,
    /// Ops that go to the parent.
    parent_ops: Vec<String>,
    /// A line that came where an answer should have.
    pending: Option<Line>,
}

/// Talks until the input ends; an error if there is no isolate or the output cannot be written.
pub fn serve(
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    new_isolate: NewIsolate,
    edge: Edge,
) -> Result<(), String> {
    let isolate = new_isolate()?;
    let mut session = Session {
        wire: Wire::new(input, output),
        isolate,
        new_isolate,
        edge,
        parent_ops: PARENT_OPS.map(str::to_owned).to_vec(),
        pending: None,
    };
    session.talk().map_err(|error| format!("server: {error}"))
}

impl Session<'_> {
    fn talk(&mut self) -> io::Result<()> {
        self.wire.ready()?;
        loop {
            let line = match self.pending.take() {
                Some(line) => line,
                None => match self.wire.read()? {
                    Some(line) => line,
                    None => return Ok(()),
                },
            };
            if let Some(reply) = self.obey(line)? {
                self.wire.reply(&reply)?;
            }
            self.isolate.flush();
        }
    }

    /// Does what a line says; its reply, if it gets one.
    fn obey(&mut self, line: Line) -> io::Result<Option<Reply>> {
        let (name, arguments) = match line {
            Line::Command(name, arguments) => (name, arguments),
            Line::Blank => return Ok(None),
            Line::Malformed(message) => return Ok(Some(Reply::Error(message))),
        };
        let unasked = match &*name {
            "epoch" => Some(self.begin_epoch(&arguments)),
            // The command that asked has failed by now.
            RESPONSE => Some(self.response(arguments.clone()).map(drop).map_err(|_| WRONG_RESPONSE)),
            _ => None,
        };
        if let Some(done) = unasked {
            return Ok(done.err().map(|message| Reply::Error(message.to_owned())));
        }
        let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
            return Ok(Some(Reply::Error(format!("unknown command: {name}"))));
        };
        match command.check(&arguments) {
            Ok(()) => (command.run)(self, &arguments).map(Some),
            Err(message) => Ok(Some(Reply::Error(message))),
        }
    }

    /// Evaluates a text to its end.
    fn evaluate(&mut self, name: &str, text: &str) -> io::Result<Result<Value, String>> {
        let source: Arc<Source> = Source::new(name, text);
        if let Err(error) = self.isolate.begin_source(source, Times::UNLIMITED) {
            return Ok(Err(failed(&error)));
        }
        loop {
            match self.isolate.go_on() {
                Event::Value(value) => return Ok(Ok(value)),
                Event::Failed(error) => return Ok(Err(failed(&error))),
                Event::Preempted(fiber) => {
                    if let Err(error) = self.isolate.unpark(fiber) {
                        return Ok(Err(failed(&error)));
                    }
                }
                Event::Performed { op, arguments } => {
                    if let Err(message) = self.perform(&op, arguments)? {
                        return Ok(Err(message));
                    }
                }
            }
        }
    }

    /// Answers an op; an error ends the command.
    fn perform(&mut self, op: &str, arguments: Vec<Value>) -> io::Result<Result<(), String>> {
        if self.parent_ops.iter().any(|name| name == op) {
            return match self.ask_parent(op, &arguments)? {
                Some(value) => {
                    self.give(Ok(value));
                    Ok(Ok(()))
                }
                None => Ok(Err("no io-response".to_owned())),
            };
        }
        match self.edge.perform(op, &arguments) {
            Answer::Now(answer) => self.give(answer),
            Answer::Later(answer) | Answer::Aside(answer) => match self.isolate.park() {
                Ok(fiber) => {
                    self.isolate.flush();
                    let answer = self.edge.wait(answer);
                    if let Err(error) = self.isolate.unpark(fiber) {
                        return Ok(Err(failed(&error)));
                    }
                    self.give(answer);
                }
                Err(error) => self.isolate.refuse(error.code, error.message.clone()),
            },
            Answer::Unknown => self.isolate.refuse_unhandled(),
        }
        Ok(Ok(()))
    }

    fn give(&mut self, answer: Result<Value, crate::edge::Refusal>) {
        match answer {
            Ok(value) => {
                if let Err(error) = self.isolate.answer(value) {
                    self.isolate.refuse(error.code, error.message.clone());
                }
            }
            Err(refusal) => self.isolate.refuse(refusal.code, refusal.message),
        }
    }

    /// What the parent answers; nothing if its next line is no answer.
    fn ask_parent(&mut self, op: &str, arguments: &[Value]) -> io::Result<Option<Value>> {
        self.isolate.flush();
        self.wire.request(op, arguments)?;
        loop {
            let Some(line) = self.wire.read()? else { return Ok(None) };
            match line {
                Line::Blank => {}
                Line::Command(name, values) if name == RESPONSE => match self.response(values) {
                    Ok(Some(value)) => return Ok(Some(value)),
                    Ok(None) => {}
                    Err(values) => {
                        self.pending = Some(Line::Command(name, values));
                        return Ok(None);
                    }
                },
                other => {
                    self.pending = Some(other);
                    return Ok(None);
                }
            }
        }
    }

    /// What `(io-response V)` or `(io-response N V)` answers: nothing if N is an epoch that is over. The
    /// values again if it is neither.
    fn response(&self, mut values: Vec<Value>) -> Result<Option<Value>, Vec<Value>> {
        match &values[..] {
            [_] => Ok(values.pop()),
            [Value::Number(n), _] if n.to_string() == self.wire.epoch().to_string() => Ok(values.pop()),
            [Value::Number(_), _] => Ok(None),
            _ => Err(values),
        }
    }

    fn begin_epoch(&mut self, arguments: &[Value]) -> Result<(), &'static str> {
        let number = match arguments {
            [Value::Number(n)] => n.to_string().parse().ok(),
            _ => None,
        };
        self.wire.begin_epoch(number.ok_or(WRONG_EPOCH)?);
        Ok(())
    }

    fn reset(&mut self) -> Result<(), String> {
        self.isolate = (self.new_isolate)()?;
        Ok(())
    }
}

/// The message of an error; its report goes to the log.
fn failed(error: &Error) -> String {
    log::say(&sx::report(error, sx::Style::Plain));
    match error.code {
        Code::Interrupt => "interrupted".to_owned(),
        _ => error.message.clone(),
    }
}
