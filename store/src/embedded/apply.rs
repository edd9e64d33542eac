//! What a batch does to the tables inside a write transaction.
//!
//! Invariant: checks come before the first change, and a change can fail only as the disk does,
//! which ends the whole transaction. So a batch that does not hold leaves nothing behind in a
//! transaction that others share.

use super::snapshot::read_error;
use super::tables::{
    BLOBS, EVENTS, META, NEXT_STREAM, PAIRS, STREAMS, StreamRow, event_key, place_of_key, seal, unseal,
};
use crate::{Batch, Check, Cid, ReadError, Write};
use redb::{ReadableTable, Table, WriteTransaction};

/// The tables, open for writing.
pub struct Tables<'t> {
    meta: Table<'t, &'static str, u64>,
    pairs: Table<'t, &'static [u8], &'static [u8]>,
    streams: Table<'t, &'static [u8], &'static [u8]>,
    events: Table<'t, [u8; 16], &'static [u8]>,
    blobs: Table<'t, [u8; 32], &'static [u8]>,
}

/// What came of a batch: the numbers of its events, or the check that did not hold.
pub type Applied = Result<Vec<u64>, usize>;

impl<'t> Tables<'t> {
    /// Opens them, making those that are not there.
    pub fn open(transaction: &'t WriteTransaction) -> Result<Tables<'t>, ReadError> {
        Ok(Tables {
            meta: transaction.open_table(META).map_err(read_error)?,
            pairs: transaction.open_table(PAIRS).map_err(read_error)?,
            streams: transaction.open_table(STREAMS).map_err(read_error)?,
            events: transaction.open_table(EVENTS).map_err(read_error)?,
            blobs: transaction.open_table(BLOBS).map_err(read_error)?,
        })
    }

    /// Checks a batch and makes its changes.
    pub fn apply(&mut self, batch: &Batch) -> Result<Applied, ReadError> {
        for (index, check) in batch.checks.iter().enumerate() {
            if !self.holds(check)? {
                return Ok(Err(index));
            }
        }
        let mut seqs = Vec::new();
        for write in &batch.writes {
            self.change(write, &mut seqs)?;
        }
        Ok(Ok(seqs))
    }

    fn holds(&self, check: &Check) -> Result<bool, ReadError> {
        match check {
            Check::Value { key, value } => {
                let stored = self.pairs.get(key.as_slice()).map_err(read_error)?;
                match (stored, value) {
                    (None, None) => Ok(true),
                    (Some(stored), Some(value)) => {
                        let found = unseal(key, stored.value(), || place_of_key(key))?;
                        Ok(found == value.as_slice())
                    }
                    _ => Ok(false),
                }
            }
            Check::LastSeq { stream, seq } => {
                let row = self.stream(stream)?;
                Ok(row.map_or(0, |row| row.last_seq) == *seq)
            }
        }
    }

    fn change(&mut self, write: &Write, seqs: &mut Vec<u64>) -> Result<(), ReadError> {
        match write {
            Write::Put { key, value } => {
                let stored = seal(key, value);
                self.pairs
                    .insert(key.as_slice(), stored.as_slice())
                    .map_err(read_error)?;
            }
            Write::Delete { key } => {
                self.pairs.remove(key.as_slice()).map_err(read_error)?;
            }
            Write::Append { stream, event } => seqs.push(self.append(stream, event)?),
            Write::Truncate { stream, through } => self.truncate(stream, *through)?,
            Write::Raise { stream, seq } => {
                let mut row = self.stream_or_new(stream)?;
                row.last_seq = row.last_seq.max(*seq);
                self.keep_stream(stream, row)?;
            }
            Write::PutBlob { bytes } => {
                let digest = *Cid::of(bytes).digest();
                if self.blobs.get(digest).map_err(read_error)?.is_none() {
                    let stored = seal(&digest, bytes);
                    self.blobs.insert(digest, stored.as_slice()).map_err(read_error)?;
                }
            }
        }
        Ok(())
    }

    fn append(&mut self, stream: &[u8], event: &[u8]) -> Result<u64, ReadError> {
        let mut row = self.stream_or_new(stream)?;
        row.last_seq += 1;
        row.events += 1;
        let key = event_key(row.id, row.last_seq);
        self.events
            .insert(key, seal(&key, event).as_slice())
            .map_err(read_error)?;
        self.keep_stream(stream, row)?;
        Ok(row.last_seq)
    }

    fn truncate(&mut self, stream: &[u8], through: u64) -> Result<(), ReadError> {
        let Some(mut row) = self.stream(stream)? else {
            return Ok(());
        };
        let range = event_key(row.id, 0)..=event_key(row.id, through);
        let mut gone = 0;
        let all = |_: [u8; 16], _: &[u8]| {
            gone += 1;
            false
        };
        self.events.retain_in(range, all).map_err(read_error)?;
        row.events -= gone.min(row.events);
        self.keep_stream(stream, row)
    }

    fn stream(&self, stream: &[u8]) -> Result<Option<StreamRow>, ReadError> {
        let row = self.streams.get(stream).map_err(read_error)?;
        row.map(|stored| StreamRow::read(stream, stored.value())).transpose()
    }

    fn stream_or_new(&mut self, stream: &[u8]) -> Result<StreamRow, ReadError> {
        if let Some(row) = self.stream(stream)? {
            return Ok(row);
        }
        let id = self
            .meta
            .get(NEXT_STREAM)
            .map_err(read_error)?
            .map_or(0, |id| id.value());
        self.meta.insert(NEXT_STREAM, id + 1).map_err(read_error)?;
        Ok(StreamRow {
            id,
            events: 0,
            last_seq: 0,
        })
    }

    fn keep_stream(&mut self, stream: &[u8], row: StreamRow) -> Result<(), ReadError> {
        self.streams
            .insert(stream, row.write(stream).as_slice())
            .map_err(read_error)?;
        Ok(())
    }
}
