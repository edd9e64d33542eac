//! Moving everything from one store to another, or to text and back.
//!
//! Invariant: only an empty store is filled, and what arrives is what was sent, numbers of
//! events included.

mod dump;
mod fields;

pub use dump::{check_dump, dump, restore};

use crate::contract::limits::BATCH_BYTES_MAX;
use crate::{Batch, ExportError, ReadError, Row, Store, WriteError};
use std::fmt;

/// Rows of one batch, and their bytes, when a store is filled.
const ROWS_MAX: usize = 2000;
const BYTES_MAX: usize = BATCH_BYTES_MAX / 16;

/// Why everything did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferError {
    /// There is something in the store that was to be filled.
    NotEmpty,
    /// What was to be read cannot be.
    Read(ReadError),
    /// What was to be written cannot be.
    Write(WriteError),
    /// A line of a dump is not what a dump has there.
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        text: String,
    },
    /// The file cannot be read or written.
    Io(String),
}

/// How many rows arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Keys.
    pub keys: u64,
    /// Logs.
    pub streams: u64,
    /// Events.
    pub events: u64,
    /// Blobs.
    pub blobs: u64,
}

/// Fills `to` with what `from` holds.
pub fn copy(from: &dyn Store, to: &dyn Store) -> Result<Moved, TransferError> {
    let mut loader = Loader::new(to)?;
    let mut failed = None;
    let outcome = from.export(&mut |row| {
        loader.add(row).map_err(|error| {
            let text = error.to_string();
            failed = Some(error);
            text
        })
    });
    match (outcome, failed) {
        (_, Some(error)) => Err(error),
        (Err(ExportError::Read(error)), None) => Err(TransferError::Read(error)),
        (Err(ExportError::Sink(text)), None) => Err(TransferError::Io(text)),
        (Ok(()), None) => loader.finish(),
    }
}

/// Fills a store with rows as they come.
pub struct Loader<'a> {
    store: &'a dyn Store,
    batch: Batch,
    size: usize,
    stream: Vec<u8>,
    last_seq: u64,
    /// The last event of it that came.
    seq: Option<u64>,
    moved: Moved,
}

impl<'a> Loader<'a> {
    /// A loader for a store that must be empty.
    pub fn new(store: &'a dyn Store) -> Result<Loader<'a>, TransferError> {
        let stats = store.stats().map_err(TransferError::Read)?;
        if (stats.keys, stats.streams, stats.blobs) != (0, 0, 0) {
            return Err(TransferError::NotEmpty);
        }
        Ok(Loader {
            store,
            batch: Batch::new(),
            size: 0,
            stream: Vec::new(),
            last_seq: 0,
            seq: None,
            moved: Moved::default(),
        })
    }

    /// Takes the next row. The events of a log follow it, as in an export.
    pub fn add(&mut self, row: Row) -> Result<(), TransferError> {
        if !matches!(row, Row::Event(_)) {
            self.end_log();
        }
        let batch = std::mem::take(&mut self.batch);
        let (batch, size) = match row {
            Row::Pair((key, value)) => {
                self.moved.keys += 1;
                let size = key.len() + value.len();
                (batch.put(key, value), size)
            }
            Row::Stream(info) => {
                self.moved.streams += 1;
                self.stream = info.name;
                self.last_seq = info.last_seq;
                // A log without events is a name and a number.
                self.seq = None;
                (batch.raise(self.stream.clone(), 0), self.stream.len())
            }
            Row::Event(event) => {
                self.moved.events += 1;
                let size = self.stream.len() + event.bytes.len();
                let gap = self.seq != Some(event.seq.saturating_sub(1));
                let batch = if gap {
                    batch.raise(self.stream.clone(), event.seq.saturating_sub(1))
                } else {
                    batch
                };
                self.seq = Some(event.seq);
                (batch.append(self.stream.clone(), event.bytes), size)
            }
            Row::Blob(bytes) => {
                self.moved.blobs += 1;
                let size = bytes.len();
                (batch.put_blob(bytes), size)
            }
        };
        self.batch = batch;
        self.size += size;
        if self.size >= BYTES_MAX || self.batch.writes.len() >= ROWS_MAX {
            self.flush()?;
        }
        Ok(())
    }

    /// Behind the last event of a log its numbers may have gone on.
    fn end_log(&mut self) {
        if self.last_seq > self.seq.unwrap_or(0) {
            let batch = std::mem::take(&mut self.batch);
            self.batch = batch.raise(self.stream.clone(), self.last_seq);
        }
        self.last_seq = 0;
    }

    fn flush(&mut self) -> Result<(), TransferError> {
        let batch = std::mem::take(&mut self.batch);
        self.size = 0;
        if !batch.writes.is_empty() {
            self.store.write(batch).wait().map_err(TransferError::Write)?;
        }
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(mut self) -> Result<Moved, TransferError> {
        self.end_log();
        self.flush()?;
        Ok(self.moved)
    }
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransferError::NotEmpty => f.write_str("the store is not empty; only an empty one is filled"),
            TransferError::Read(error) => error.fmt(f),
            TransferError::Write(error) => error.fmt(f),
            TransferError::Line { line, text } => write!(f, "line {line}: {text}"),
            TransferError::Io(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for TransferError {}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Moved {
            keys,
            streams,
            events,
            blobs,
        } = self;
        write!(f, "{keys} keys, {streams} logs with {events} events, {blobs} blobs")
    }
}
