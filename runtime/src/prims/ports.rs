//! Ports and output. Text ports hold their text; the standard streams belong to the host; a file
//! opened for writing is written when its port is closed.
//!
//! Without a port the output functions write to the program's output.

use super::cx::host_error;
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::host::Stream;
use crate::object::Type;
use crate::print::Style;
use crate::value::{Value, Word};
use std::cell::RefCell;
use std::rc::Rc;

prims! { PORTS {
    /// A port to read the text from.
    "open-input-string" (s: String) -> Port, Allocates, open_input_string, ["(read-line (open-input-string \"a\\nb\")) ; => \"a\""];
    /// A port that collects what is written to it.
    "open-output-string" () -> Port, Allocates, |cx| give_port(cx, Source::Output(String::new())), ["(let ((p (open-output-string))) (write-string \"a\" p) (get-output-string p)) ; => \"a\""];
    /// What has been written to an output string port so far.
    "get-output-string" (p: Port) -> String, Reads, get_output_string, ["(get-output-string (open-output-string)) ; => \"\""];
    /// A port to read bytes from.
    "open-input-bytevector" (b: Bytes) -> Port, Allocates, open_input_bytes, ["(read-u8 (open-input-bytevector (bytevector 7))) ; => 7"];
    /// A port that collects bytes.
    "open-output-bytevector" () -> Port, Allocates, |cx| give_port(cx, Source::OutputBytes(Vec::new())), ["(let ((p (open-output-bytevector))) (write-u8 7 p) (get-output-bytevector p)) ; => #u8(7)"];
    /// What has been written to an output bytevector port so far.
    "get-output-bytevector" (p: Port) -> Bytes, Reads, get_output_bytes, ["(get-output-bytevector (open-output-bytevector)) ; => #u8()"];
    /// A port to read the text of a file from.
    "open-input-file" (path: String) -> Port, Any, open_input_file, ["(let () (write-file \"a.txt\" \"xy\") (read-char (open-input-file \"a.txt\"))) ; => #\\x"];
    /// A port that writes bytes to a file when it is closed.
    "%scheme:open-binary-output-file" (path: String) -> Port, Any, open_binary_output_file, ["(let ((p (%scheme:open-binary-output-file \"a.bin\"))) (write-u8 7 p) (close-port p) (read-file-bytes \"a.bin\")) ; => #u8(7)"];
    /// A port that writes a file when it is closed.
    "open-output-file" (path: String) -> Port, Any, open_output_file, ["(let ((p (open-output-file \"a.txt\"))) (write-string \"xy\" p) (close-port p) (read-file \"a.txt\")) ; => \"xy\""];
    /// The next character, or the end-of-file object.
    "read-char" | "%read-char" (p: Port optional) -> Any, Any, |cx| read_char(cx, true), ["(read-char (open-input-string \"ab\")) ; => #\\a", "(eof-object? (read-char (open-input-string \"\"))) ; => true"];
    /// The next character, which stays there, or the end-of-file object.
    "peek-char" | "%peek-char" (p: Port optional) -> Any, Any, |cx| read_char(cx, false), ["(let ((p (open-input-string \"ab\"))) (peek-char p) (read-char p)) ; => #\\a"];
    /// The text up to the end of the line, or the end-of-file object.
    "read-line" | "%read-line" (p: Port optional) -> Any, Any, read_line, ["(let ((p (open-input-string \"a\\nb\"))) (read-line p) (read-line p)) ; => \"b\""];
    /// At most n characters, or the end-of-file object. The port may stand first.
    "read-string" | "%read-string" (n: Any, p: Any optional) -> Any, Any, read_string, ["(read-string 2 (open-input-string \"abc\")) ; => \"ab\""];
    /// All text that is left, "" at the end.
    "read-all" (p: Port optional) -> String, Any, read_all, ["(read-all (open-input-string \"a\\nb\")) ; => \"a\\nb\""];
    /// Is there something to read at once?
    "char-ready?" | "%char-ready?" | "u8-ready?" | "%u8-ready?" (p: Port optional) -> Bool, Any, |cx| port_at(cx, 0, "char-ready?").map(|_| Word::TRUE), ["(char-ready? (open-input-string \"\")) ; => true"];
    /// The next byte, or the end-of-file object.
    "read-u8" | "%read-u8" (p: Port) -> Any, Any, |cx| read_byte(cx, true), ["(eof-object? (read-u8 (open-input-bytevector (bytevector)))) ; => true"];
    /// The next byte, which stays there, or the end-of-file object.
    "peek-u8" | "%peek-u8" (p: Port) -> Any, Any, |cx| read_byte(cx, false), ["(peek-u8 (open-input-bytevector (bytevector 7))) ; => 7"];
    /// At most n bytes, or the end-of-file object.
    "read-bytevector" | "%read-bytevector" (n: Index, p: Port) -> Any, Any, read_bytes, ["(read-bytevector 5 (open-input-bytevector (bytevector 1 2))) ; => #u8(1 2)"];
    /// Writes a byte.
    "write-u8" | "%write-u8" (byte: Index, p: Port) -> Nil, Any, write_byte, ["(let ((p (open-output-bytevector))) (write-u8 1 p) (get-output-bytevector p)) ; => #u8(1)"];
    /// Writes the bytes.
    "write-bytevector" | "%write-bytevector" (b: Bytes, p: Port, start: Index optional, end: Index optional) -> Nil, Any, write_bytes, ["(let ((p (open-output-bytevector))) (write-bytevector (bytevector 1 2) p) (get-output-bytevector p)) ; => #u8(1 2)"];
    /// Writes x: a string or character bare, other values as inspect shows them.
    "display" (x: Any, p: Port optional) -> Nil, Any, |cx| write_value(cx, Style::Display), ["(let ((p (open-output-string))) (display (list \"a\") p) (get-output-string p)) ; => \"(\\\"a\\\")\""];
    /// Writes x as inspect shows it.
    "write" | "write-shared" | "write-simple" (x: Any, p: Port optional) -> Nil, Any, |cx| write_value(cx, Style::Write), ["(let ((p (open-output-string))) (write \"a\" p) (get-output-string p)) ; => \"\\\"a\\\"\""];
    /// Displays the arguments with a space between them, then ends the line.
    "print" | "println" (xs: Any rest) -> Nil, Any, print, ["(print \"a\" 1) ; => nil"];
    /// Ends the line.
    "newline" | "%newline" (p: Port optional) -> Nil, Any, |cx| put(cx, 0, "newline", "\n"), ["(let ((p (open-output-string))) (newline p) (get-output-string p)) ; => \"\\n\""];
    /// Ends the line unless it is empty.
    "fresh-line" (p: Port optional) -> Nil, Any, fresh_line, ["(let ((p (open-output-string))) (fresh-line p) (get-output-string p)) ; => \"\""];
    /// Writes a character.
    "write-char" | "%write-char" (c: Char, p: Port optional) -> Nil, Any, write_char, ["(let ((p (open-output-string))) (write-char #\\a p) (get-output-string p)) ; => \"a\""];
    /// Writes a string, or its part from start up to end.
    "write-string" | "%write-string" (s: String, p: Port optional, start: Index optional, end: Index optional) -> Nil, Any, write_string, ["(let ((p (open-output-string))) (write-string \"abc\" p 1) (get-output-string p)) ; => \"bc\""];
    /// Hands buffered output on.
    "flush-output" | "flush-output-port" | "%flush-output-port" (p: Port optional) -> Nil, Any, flush, ["(flush-output) ; => nil"];
    /// The object that reading answers at the end.
    "eof-object" () -> Any, Pure, |_| Ok(Word::EOF), ["(eof-object? (eof-object)) ; => true"];
    /// Closes a port; a file opened for writing is written now.
    "close-port" | "close-input-port" | "close-output-port" (p: Port) -> Nil, Any, close_port, ["(let ((p (open-input-string \"a\"))) (close-port p) (read-char p)) ; error: read-char: the port is closed"];
    /// Is the port for reading?
    "input-port?" (x: Any) -> Bool, Reads, |cx| Ok(Word::bool(port_of(cx, 0).is_some_and(|p| p.source.borrow().is_input()))), ["(input-port? (open-input-string \"\")) ; => true"];
    /// Is the port for writing?
    "output-port?" (x: Any) -> Bool, Reads, |cx| Ok(Word::bool(port_of(cx, 0).is_some_and(|p| !p.source.borrow().is_input()))), ["(output-port? (open-output-string)) ; => true"];
    /// Is the port for bytes?
    "binary-port?" (x: Any) -> Bool, Reads, |cx| Ok(Word::bool(port_of(cx, 0).is_some_and(|p| p.source.borrow().is_binary()))), ["(binary-port? (open-input-string \"\")) ; => false"];
    /// Is the port for text?
    "textual-port?" (x: Any) -> Bool, Reads, |cx| Ok(Word::bool(port_of(cx, 0).is_some_and(|p| !p.source.borrow().is_binary()))), ["(textual-port? (open-input-string \"\")) ; => true"];
    /// Is the port open?
    "port-open?" | "input-port-open?" | "output-port-open?" (p: Port) -> Bool, Reads, |cx| Ok(Word::bool(port_of(cx, 0).is_some_and(|p| !p.closed.get()))), ["(port-open? (open-input-string \"\")) ; => true"];
    /// A port on the program's output, its errors or its input, by the number 1, 2 or 0.
    "%standard-port" (which: Index) -> Port, Allocates, standard_port, ["(output-port? (%standard-port 1)) ; => true"];
    /// The text a port has still to give, at most so many characters of it, for `read`.
    "%port-rest" (p: Port, most: Index) -> String, Reads, port_rest, ["(%port-rest (open-input-string \"abc\") 2) ; => \"ab\""];
    /// Reads lines more of the program's input, n bytes or more if there are; false if there is none,
    /// or the port is another.
    "%port-more" (p: Port, n: Index) -> Bool, Any, port_more, ["(%port-more (open-input-string \"\") 1) ; => false"];
    /// Goes on by so many characters, for `read`.
    "%port-skip" (p: Port, n: Index) -> Nil, Any, port_skip, ["(let ((p (open-input-string \"ab\"))) (%port-skip p 1) (read-char p)) ; => #\\b"];
} }

/// What a port reads from or writes to.
enum Source {
    Input {
        text: String,
        at: usize,
    },
    InputBytes {
        bytes: Vec<u8>,
        at: usize,
    },
    Output(String),
    OutputBytes(Vec<u8>),
    File {
        path: String,
        text: String,
    },
    BinaryFile {
        path: String,
        bytes: Vec<u8>,
    },
    Standard(Stream),
    /// The program's input: what is left of the line read last.
    StandardInput {
        text: String,
        at: usize,
    },
}

impl Source {
    fn is_input(&self) -> bool {
        matches!(
            self,
            Source::Input { .. } | Source::InputBytes { .. } | Source::StandardInput { .. }
        )
    }
    fn is_binary(&self) -> bool {
        matches!(
            self,
            Source::InputBytes { .. } | Source::OutputBytes(_) | Source::BinaryFile { .. }
        )
    }
    /// The text still to be read.
    fn rest(&self) -> Option<&str> {
        match self {
            Source::Input { text, at } | Source::StandardInput { text, at } => Some(&text[*at..]),
            _ => None,
        }
    }
    fn skip(&mut self, bytes: usize) {
        if let Source::Input { at, .. } | Source::StandardInput { at, .. } = self {
            *at += bytes;
        }
    }
}

/// A port's Rust side.
struct Port {
    source: RefCell<Source>,
    closed: std::cell::Cell<bool>,
}

fn give_port(cx: &mut Cx<'_>, source: Source) -> Result<Word, Raise> {
    cx.reserve(Heap::SIZE_OF_FOREIGN)?;
    let port = Port {
        source: RefCell::new(source),
        closed: std::cell::Cell::new(false),
    };
    Ok(cx.heap().port(Rc::new(port), Value::NIL).word())
}

/// The port in operand `i`, if it is one.
fn port_of(cx: &Cx<'_>, i: usize) -> Option<Rc<Port>> {
    let v = cx.arg(i);
    if v.is(Type::Port) {
        cx.heap().rust_value_of::<Port>(v)
    } else {
        None
    }
}

/// The open port in operand `i`; the program's input when there is none.
fn port_at(cx: &Cx<'_>, i: usize, who: &str) -> Result<Rc<Port>, Raise> {
    let port = match cx.given(i) {
        Some(_) => port_of(cx, i).ok_or_else(|| wrong_port(who, "a port")),
        None => Err(wrong_port(who, "a port to read from")),
    }?;
    if port.closed.get() {
        return Err(Raise::new(Code::Closed, format!("{who}: the port is closed")));
    }
    Ok(port)
}

#[cold]
fn wrong_port(who: &str, what: &str) -> Raise {
    Raise::new(Code::Type, format!("{who}: expected {what}"))
}

fn open_input_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let text = cx.text(0).to_string();
    give_port(cx, Source::Input { text, at: 0 })
}

fn open_input_bytes(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let bytes = super::vectors::bytes_of(cx, 0);
    give_port(cx, Source::InputBytes { bytes, at: 0 })
}

fn open_input_file(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let path = cx.text(0).to_string();
    let text = cx
        .host()
        .read_text(&path)
        .map_err(|e| host_error("open-input-file", &e))?;
    give_port(cx, Source::Input { text, at: 0 })
}

fn open_output_file(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let path = cx.text(0).to_string();
    cx.host()
        .write_file(&path, b"")
        .map_err(|e| host_error("open-output-file", &e))?;
    give_port(
        cx,
        Source::File {
            path,
            text: String::new(),
        },
    )
}

fn open_binary_output_file(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let path = cx.text(0).to_string();
    cx.host()
        .write_file(&path, b"")
        .map_err(|e| host_error("open-binary-output-file", &e))?;
    give_port(
        cx,
        Source::BinaryFile {
            path,
            bytes: Vec::new(),
        },
    )
}

fn standard_port(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let source = match cx.index(0) {
        0 => Source::StandardInput {
            text: String::new(),
            at: 0,
        },
        2 => Source::Standard(Stream::Err),
        _ => Source::Standard(Stream::Out),
    };
    give_port(cx, source)
}

fn get_output_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let port = port_of(cx, 0).ok_or_else(|| wrong_port("get-output-string", "an output string port"))?;
    match &*port.source.borrow() {
        Source::Output(text) => cx.give_string(text),
        _ => Err(wrong_port("get-output-string", "an output string port")),
    }
}

fn get_output_bytes(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let port = port_of(cx, 0).ok_or_else(|| wrong_port("get-output-bytevector", "an output bytevector port"))?;
    match &*port.source.borrow() {
        Source::OutputBytes(bytes) => cx.give_bytes(bytes),
        _ => Err(wrong_port("get-output-bytevector", "an output bytevector port")),
    }
}

/// Runs `f` on the text the port in operand `i` has left; it answers how many bytes are read
/// and what to answer. The program's input gives a line at a time.
fn read_with<T>(cx: &mut Cx<'_>, i: usize, who: &str, f: impl FnOnce(&str) -> (usize, T)) -> Result<T, Raise> {
    let port = if cx.argc() > i {
        port_at(cx, i, who)?
    } else {
        standard_input(cx)
    };
    let wants_line = matches!(&*port.source.borrow(), Source::StandardInput { text, at } if *at >= text.len());
    if wants_line {
        let line = cx
            .host()
            .read_line(&|| false)
            .map_err(|e| host_error(who, &e))?
            .unwrap_or_default();
        *port.source.borrow_mut() = Source::StandardInput { text: line, at: 0 };
    }
    let mut source = port.source.borrow_mut();
    let (read, answer) = f(source
        .rest()
        .ok_or_else(|| wrong_port(who, "a port to read text from"))?);
    source.skip(read);
    if cx.argc() <= i {
        let rest = source.rest().unwrap_or_default().to_string();
        cx.state().input_rest = rest;
    }
    Ok(answer)
}

/// A port on what is left of the program's input line.
fn standard_input(cx: &mut Cx<'_>) -> Rc<Port> {
    let text = std::mem::take(&mut cx.state().input_rest);
    let source = Source::StandardInput { text, at: 0 };
    Rc::new(Port {
        source: RefCell::new(source),
        closed: std::cell::Cell::new(false),
    })
}

fn read_char(cx: &mut Cx<'_>, take: bool) -> Result<Word, Raise> {
    let who = if take { "read-char" } else { "peek-char" };
    let c = read_with(cx, 0, who, |rest| {
        let c = rest.chars().next();
        (if take { c.map_or(0, char::len_utf8) } else { 0 }, c)
    })?;
    Ok(c.map_or(Word::EOF, Word::char))
}

fn read_line(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    // A line ends in \n, \r or both.
    let line = read_with(cx, 0, "read-line", |rest| match rest.find(['\n', '\r']) {
        Some(end) => {
            let both = rest[end..].starts_with("\r\n");
            (end + 1 + usize::from(both), Some(rest[..end].to_string()))
        }
        None if rest.is_empty() => (0, None),
        None => (rest.len(), Some(rest.to_string())),
    })?;
    match line {
        Some(line) => cx.give_string(&line),
        None => Ok(Word::EOF),
    }
}

fn read_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    // The two orders that are in use.
    let (count, port) = if cx.arg(0).is(Type::Port) { (1, 0) } else { (0, 1) };
    let n = cx.index(count);
    let text = read_with(cx, port, "read-string", |rest| {
        let end = rest.char_indices().nth(n).map_or(rest.len(), |(at, _)| at);
        (end, rest[..end].to_string())
    })?;
    if text.is_empty() && n > 0 {
        Ok(Word::EOF)
    } else {
        cx.give_string(&text)
    }
}

fn read_all(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut all = String::new();
    loop {
        let more = read_with(cx, 0, "read-all", |rest| (rest.len(), rest.to_string()))?;
        if more.is_empty() {
            return cx.give_string(&all);
        }
        all.push_str(&more);
    }
}

fn port_rest(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let most = cx.index(1);
    let rest = read_with(cx, 0, "read", |rest| {
        let end = rest.char_indices().nth(most).map_or(rest.len(), |(at, _)| at);
        (0, rest[..end].to_string())
    })?;
    cx.give_string(&rest)
}

fn port_more(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let port = port_at(cx, 0, "read")?;
    if !matches!(&*port.source.borrow(), Source::StandardInput { .. }) {
        return Ok(Word::FALSE);
    }
    let (wanted, mut more) = (cx.index(1), String::new());
    while more.len() < wanted {
        match cx.host().read_line(&|| false).map_err(|e| host_error("read", &e))? {
            Some(line) => more.push_str(&line),
            None => break,
        }
    }
    if let Source::StandardInput { text, at } = &mut *port.source.borrow_mut() {
        text.drain(..*at);
        *at = 0;
        text.push_str(&more);
    }
    Ok(Word::bool(!more.is_empty()))
}

fn port_skip(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = cx.index(1);
    read_with(cx, 0, "read", |rest| {
        (rest.char_indices().nth(n).map_or(rest.len(), |(at, _)| at), ())
    })?;
    Ok(Word::NIL)
}

/// Runs `f` on the bytes a port has left; it answers how many are read and what to answer.
fn read_bytes_with<T>(cx: &Cx<'_>, i: usize, who: &str, f: impl FnOnce(&[u8]) -> (usize, T)) -> Result<T, Raise> {
    let port = port_at(cx, i, who)?;
    match &mut *port.source.borrow_mut() {
        Source::InputBytes { bytes, at } => {
            let (read, answer) = f(&bytes[*at..]);
            *at += read;
            Ok(answer)
        }
        _ => Err(wrong_port(who, "a port to read bytes from")),
    }
}

fn read_byte(cx: &mut Cx<'_>, take: bool) -> Result<Word, Raise> {
    let who = if take { "read-u8" } else { "peek-u8" };
    let byte = read_bytes_with(cx, 0, who, |rest| {
        (usize::from(take && !rest.is_empty()), rest.first().copied())
    })?;
    Ok(byte.map_or(Word::EOF, |b| Word::fixnum(i64::from(b))))
}

fn read_bytes(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = cx.index(0);
    let bytes = read_bytes_with(cx, 1, "read-bytevector", |rest| {
        let end = n.min(rest.len());
        (end, rest[..end].to_vec())
    })?;
    if bytes.is_empty() && n > 0 {
        Ok(Word::EOF)
    } else {
        cx.give_bytes(&bytes)
    }
}

fn put_bytes(cx: &mut Cx<'_>, who: &str, more: &[u8]) -> Result<Word, Raise> {
    let port = port_at(cx, 1, who)?;
    match &mut *port.source.borrow_mut() {
        Source::OutputBytes(bytes) | Source::BinaryFile { bytes, .. } => {
            room_for(cx, bytes.len(), bytes.capacity(), more.len())?;
            bytes.extend_from_slice(more);
            Ok(Word::NIL)
        }
        _ => Err(wrong_port(who, "a port to write bytes to")),
    }
}

fn write_byte(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let byte = u8::try_from(cx.index(0)).map_err(|_| Raise::new(Code::Range, "write-u8: expected a byte"))?;
    put_bytes(cx, "write-u8", &[byte])
}

fn write_bytes(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let bytes = super::vectors::bytes_of(cx, 0);
    let (start, end) = cx.range("write-bytevector", 2, bytes.len())?;
    put_bytes(cx, "write-bytevector", &bytes[start..end])
}

/// A port's text lies outside the heap: when it has to grow, the heap is asked whether the
/// memory limit allows that much.
fn room_for(cx: &mut Cx<'_>, len: usize, capacity: usize, more: usize) -> Result<(), Raise> {
    if len + more > capacity {
        cx.reserve(2 * (len + more))
    } else {
        Ok(())
    }
}

/// Writes text to the port in operand `i`, or to the program's output.
pub(super) fn put(cx: &mut Cx<'_>, i: usize, who: &str, text: &str) -> Result<Word, Raise> {
    if cx.argc() <= i {
        put_standard(cx, Stream::Out, who, text)?;
        return Ok(Word::NIL);
    }
    let port = port_at(cx, i, who)?;
    match &mut *port.source.borrow_mut() {
        Source::Output(out) | Source::File { text: out, .. } => {
            room_for(cx, out.len(), out.capacity(), text.len())?;
            out.push_str(text);
        }
        Source::Standard(stream) => put_standard(cx, *stream, who, text)?,
        _ => return Err(wrong_port(who, "a port to write text to")),
    }
    Ok(Word::NIL)
}

fn put_standard(cx: &mut Cx<'_>, stream: Stream, who: &str, text: &str) -> Result<(), Raise> {
    cx.host().write(stream, text).map_err(|e| host_error(who, &e))?;
    if stream == Stream::Out
        && let Some(last) = text.chars().next_back()
    {
        cx.state().mid_line = last != '\n';
    }
    Ok(())
}

fn write_value(cx: &mut Cx<'_>, style: Style) -> Result<Word, Raise> {
    let mut text = cx.take_text();
    cx.show_onto(&mut text, cx.arg(0), style)?;
    let answer = put(cx, 1, if style == Style::Display { "display" } else { "write" }, &text);
    cx.keep_text(text);
    answer
}

fn print(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut text = String::new();
    for (i, v) in cx.all_args().enumerate() {
        if i > 0 {
            text.push(' ');
        }
        cx.show_onto(&mut text, v, Style::Display)?;
    }
    text.push('\n');
    put_standard(cx, Stream::Out, "print", &text)?;
    Ok(Word::NIL)
}

fn fresh_line(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mid_line = match port_of(cx, 0) {
        None => cx.state().mid_line,
        Some(port) => match &*port.source.borrow() {
            Source::Output(text) | Source::File { text, .. } => !text.is_empty() && !text.ends_with('\n'),
            _ => cx.state().mid_line,
        },
    };
    if mid_line {
        put(cx, 0, "fresh-line", "\n")
    } else {
        Ok(Word::NIL)
    }
}

fn write_char(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let c = super::chars::char_arg(cx, 0);
    put(cx, 1, "write-char", c.encode_utf8(&mut [0; 4]))
}

fn write_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (start, end) = cx.range("write-string", 2, cx.arg(0).string_len().unwrap_or(0))?;
    let text = cx.heap().string_slice(cx.arg(0), start, end).into_owned();
    put(cx, 1, "write-string", &text)
}

fn flush(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.host()
        .flush(Stream::Out)
        .map_err(|e| host_error("flush-output", &e))?;
    Ok(Word::NIL)
}

fn close_port(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let Some(port) = port_of(cx, 0) else {
        return Ok(Word::NIL);
    };
    if port.closed.replace(true) {
        return Ok(Word::NIL);
    }
    let written = match &*port.source.borrow() {
        Source::File { path, text } => cx.host().write_file(path, text.as_bytes()),
        Source::BinaryFile { path, bytes } => cx.host().write_file(path, bytes),
        _ => Ok(()),
    };
    written.map_err(|e| host_error("close-port", &e))?;
    Ok(Word::NIL)
}
