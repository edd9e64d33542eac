//! Lines in, replies out.

use std::io::{self, BufRead, Read, Write};
use sx::{Value, read_data};

/// A longer line is malformed; its rest is skipped.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// A line of the input.
pub enum Line {
    /// Nothing on it but spaces or a comment.
    Blank,
    /// `(name argument…)`
    Command(String, Vec<Value>),
    /// Anything else: what is wrong with it.
    Malformed(String),
}

/// What a command is answered with.
pub enum Reply {
    /// It was done.
    Done,
    /// Its value.
    Value(Value),
    /// It failed.
    Error(String),
}

/// Both directions, and the epoch.
pub struct Wire<'s> {
    input: &'s mut dyn BufRead,
    output: &'s mut dyn Write,
    epoch: u64,
}

impl<'s> Wire<'s> {
    pub fn new(input: &'s mut dyn BufRead, output: &'s mut dyn Write) -> Wire<'s> {
        Wire {
            input,
            output,
            epoch: 0,
        }
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Replies have this number from now on; one that is over does not come again.
    pub fn begin_epoch(&mut self, number: u64) {
        self.epoch = self.epoch.max(number);
    }

    pub fn ready(&mut self) -> io::Result<()> {
        self.output.write_all(b"(ready)\n")?;
        self.output.flush()
    }

    /// The next line, `None` at the end of the input.
    pub fn read(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let count = (&mut *self.input).take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
        if count == 0 {
            return Ok(None);
        }
        if count as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
            self.input.skip_until(b'\n')?;
            return Ok(Some(Line::Malformed("the line is too long".to_owned())));
        }
        Ok(Some(parse(bytes)))
    }

    pub fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        let epoch = self.epoch;
        match reply {
            Reply::Done => writeln!(self.output, "(ok {epoch})")?,
            Reply::Value(Value::String(text)) => {
                writeln!(self.output, "(ok-len {epoch} {})", text.len())?;
                self.output.write_all(text.as_bytes())?;
                self.output.write_all(b"\n")?;
            }
            Reply::Value(value) => writeln!(self.output, "(ok {epoch} {})", one_line(value))?,
            Reply::Error(message) => {
                writeln!(self.output, "(error {epoch} {})", Value::from(&**message))?;
            }
        }
        self.output.flush()
    }

    pub fn request(&mut self, op: &str, arguments: &[Value]) -> io::Result<()> {
        write!(self.output, "(io-request {} {}", self.epoch, Value::from(op))?;
        for argument in arguments {
            write!(self.output, " {}", one_line(argument))?;
        }
        self.output.write_all(b")\n")?;
        self.output.flush()
    }
}

/// A value on one line: only what a program names itself could hold a line end.
fn one_line(value: &Value) -> String {
    value.to_string().replace('\n', "\\n").replace('\r', "\\r")
}

fn parse(bytes: Vec<u8>) -> Line {
    let Ok(text) = String::from_utf8(bytes) else {
        return Line::Malformed("the line is not UTF-8 text".to_owned());
    };
    let mut data = match read_data(&text) {
        Ok(data) => data,
        Err(error) => return Line::Malformed(error.message.clone()),
    };
    match (data.pop(), data.is_empty()) {
        (None, _) => Line::Blank,
        (Some(Value::List(items)), true) => {
            let mut items = items.into_iter();
            match items.next() {
                Some(Value::Symbol(name)) => Line::Command(name, items.collect()),
                _ => Line::Malformed("expected (command argument…)".to_owned()),
            }
        }
        (Some(_), true) => Line::Malformed("expected (command argument…)".to_owned()),
        (Some(_), false) => Line::Malformed("expected one command on a line".to_owned()),
    }
}
