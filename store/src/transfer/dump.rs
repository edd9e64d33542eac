//! A store as text: one row a line, readable, and closed by a count and a digest, so that a
//! dump that was cut off or changed is found before a line of it is believed to be all.
//! `docs/store-format.md` describes the lines.

use super::{Loader, Moved, TransferError, fields};
use crate::{Event, ExportError, Row, Store, StreamInfo};
use sha2::{Digest, Sha256};
use std::io::{BufRead, Write};

/// The first line.
const HEADER: &str = "sx-store-dump 1";

/// Writes everything in a store.
pub fn dump(store: &dyn Store, out: &mut (dyn Write + Send)) -> Result<Moved, TransferError> {
    let mut writer = Writer {
        out,
        digest: Sha256::new(),
        rows: 0,
    };
    let io = |error: std::io::Error| TransferError::Io(error.to_string());
    writer.line(HEADER).map_err(io)?;
    let mut moved = Moved::default();
    let outcome = store.export(&mut |row| {
        count(&mut moved, &row);
        writer.rows += 1;
        writer.line(&line(&row)).map_err(|error| error.to_string())
    });
    outcome.map_err(|error| match error {
        ExportError::Read(error) => TransferError::Read(error),
        ExportError::Sink(text) => TransferError::Io(text),
    })?;
    writer.finish().map_err(io)?;
    Ok(moved)
}

struct Writer<'a> {
    out: &'a mut (dyn Write + Send),
    digest: Sha256,
    rows: u64,
}

impl Writer<'_> {
    fn line(&mut self, line: &str) -> std::io::Result<()> {
        self.digest.update(line.as_bytes());
        self.digest.update(b"\n");
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")
    }
    fn finish(self) -> std::io::Result<()> {
        writeln!(self.out, "end {} {}", self.rows, hex(&self.digest.finalize()))?;
        self.out.flush()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn count(moved: &mut Moved, row: &Row) {
    match row {
        Row::Pair(_) => moved.keys += 1,
        Row::Stream(_) => moved.streams += 1,
        Row::Event(_) => moved.events += 1,
        Row::Blob(_) => moved.blobs += 1,
    }
}

fn line(row: &Row) -> String {
    let mut line = String::new();
    match row {
        Row::Pair((key, value)) => {
            line.push_str("kv ");
            fields::write(key, &mut line);
            line.push(' ');
            fields::write(value, &mut line);
        }
        Row::Stream(info) => {
            line.push_str("log ");
            fields::write(&info.name, &mut line);
            line.push_str(&format!(" {} {}", info.events, info.last_seq));
        }
        Row::Event(event) => {
            line.push_str(&format!("event {} ", event.seq));
            fields::write(&event.bytes, &mut line);
        }
        Row::Blob(bytes) => {
            line.push_str("blob ");
            fields::write(bytes, &mut line);
        }
    }
    line
}

/// Fills an empty store with a dump. A dump that turns out to be damaged leaves the rows before
/// the damage behind: use [`check_dump`] first where the dump can be read twice.
pub fn restore(input: &mut dyn BufRead, store: &dyn Store) -> Result<Moved, TransferError> {
    let mut loader = Loader::new(store)?;
    each(input, &mut |row| loader.add(row))?;
    loader.finish()
}

/// Reads a dump to its end and says what is in it, or what is wrong with it.
pub fn check_dump(input: &mut dyn BufRead) -> Result<Moved, TransferError> {
    let mut moved = Moved::default();
    each(input, &mut |row| {
        count(&mut moved, &row);
        Ok(())
    })?;
    Ok(moved)
}

fn each(input: &mut dyn BufRead, sink: &mut dyn FnMut(Row) -> Result<(), TransferError>) -> Result<(), TransferError> {
    let mut reader = Reader {
        input,
        digest: Sha256::new(),
        line: 0,
        is_cut: false,
        rows: 0,
    };
    match reader.next()? {
        Some(line) if line == HEADER => reader.take(&line),
        _ => return Err(reader.wrong(format!("a dump begins with `{HEADER}`"))),
    }
    while let Some(line) = reader.next()? {
        if let Some(end) = line.strip_prefix("end ") {
            return reader.check_end(end);
        }
        let row = read_line(&line).map_err(|text| reader.wrong(text))?;
        reader.take(&line);
        reader.rows += 1;
        sink(row)?;
    }
    Err(reader.wrong("the dump is cut off: it has no `end` line".to_owned()))
}

struct Reader<'a> {
    input: &'a mut dyn BufRead,
    digest: Sha256,
    line: usize,
    /// Does the line lack its end?
    is_cut: bool,
    rows: u64,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<String>, TransferError> {
        self.line += 1;
        let mut line = String::new();
        let read = self
            .input
            .read_line(&mut line)
            .map_err(|error| self.wrong(error.to_string()))?;
        match line.ends_with('\n') {
            true => drop(line.pop()),
            false => self.is_cut = read > 0,
        }
        Ok((read > 0).then_some(line))
    }
    fn take(&mut self, line: &str) {
        self.digest.update(line.as_bytes());
        self.digest.update(b"\n");
    }
    fn check_end(&self, end: &str) -> Result<(), TransferError> {
        let expected = format!("{} {}", self.rows, hex(&self.digest.clone().finalize()));
        if end == expected {
            Ok(())
        } else {
            Err(self.wrong("the dump was changed: its count or digest does not fit".to_owned()))
        }
    }
    fn wrong(&self, text: String) -> TransferError {
        let text = match self.is_cut && self.line > 1 {
            true => "the dump is cut off: the line is not whole, and there is no `end` line".to_owned(),
            false => text,
        };
        let line = self.line;
        TransferError::Line { line, text }
    }
}

fn read_line(line: &str) -> Result<Row, String> {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    match kind {
        "kv" => {
            let (key, rest) = fields::read(rest)?;
            let (value, rest) = fields::read(rest.strip_prefix(' ').unwrap_or(rest))?;
            at_end(rest)?;
            Ok(Row::Pair((key, value)))
        }
        "log" => {
            let (name, rest) = fields::read(rest)?;
            let mut numbers = rest.split_ascii_whitespace();
            let (events, last_seq) = (number(numbers.next())?, number(numbers.next())?);
            at_end(numbers.next().unwrap_or(""))?;
            Ok(Row::Stream(StreamInfo { name, events, last_seq }))
        }
        "event" => {
            let (seq, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let seq = number(Some(seq))?;
            let (bytes, rest) = fields::read(rest)?;
            at_end(rest)?;
            Ok(Row::Event(Event { seq, bytes }))
        }
        "blob" => {
            let (bytes, rest) = fields::read(rest)?;
            at_end(rest)?;
            Ok(Row::Blob(bytes))
        }
        kind => Err(format!("a line begins with kv, log, event, blob or end, not `{kind}`")),
    }
}

fn number(text: Option<&str>) -> Result<u64, String> {
    let text = text.unwrap_or("");
    text.parse()
        .map_err(|_| format!("here should be a number, not `{text}`"))
}

fn at_end(rest: &str) -> Result<(), String> {
    if rest.is_empty() {
        Ok(())
    } else {
        Err(format!("nothing more should follow: `{rest}`"))
    }
}
