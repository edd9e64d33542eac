//! Reading: the tables as they were after one commit. Reads answer at once and block no writer.
//!
//! Invariant: a panic of the library over a damaged page becomes an error here.

use super::tables::{
    BLOBS, EVENTS, PAIRS, STREAMS, StreamRow, event_key, event_seq, place_of_blob, place_of_event, place_of_key,
    place_of_stream, unseal,
};
use crate::contract::limits::{PAGE_BYTES_MAX, PAGE_ROWS_MAX};
use crate::{Cid, Event, Page, Pair, ReadError, StreamInfo};
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable};
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The state after a commit.
pub struct Snapshot {
    /// Keys and values.
    pub pairs: ReadOnlyTable<&'static [u8], &'static [u8]>,
    /// Logs.
    pub streams: ReadOnlyTable<&'static [u8], &'static [u8]>,
    /// Events.
    pub events: ReadOnlyTable<[u8; 16], &'static [u8]>,
    /// Blobs.
    pub blobs: ReadOnlyTable<[u8; 32], &'static [u8]>,
}

impl Snapshot {
    /// The state now. The tables exist: opening the store made them.
    pub fn take(database: &Database) -> Result<Snapshot, ReadError> {
        let transaction = database.begin_read().map_err(read_error)?;
        Ok(Snapshot {
            pairs: transaction.open_table(PAIRS).map_err(read_error)?,
            streams: transaction.open_table(STREAMS).map_err(read_error)?,
            events: transaction.open_table(EVENTS).map_err(read_error)?,
            blobs: transaction.open_table(BLOBS).map_err(read_error)?,
        })
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        guarded(|| {
            let Some(stored) = ReadableTable::get(&self.pairs, key).map_err(read_error)? else {
                return Ok(None);
            };
            unseal(key, stored.value(), || place_of_key(key)).map(|value| Some(value.to_vec()))
        })
    }

    /// Is there such a key?
    pub fn has(&self, key: &[u8]) -> Result<bool, ReadError> {
        guarded(|| Ok(ReadableTable::get(&self.pairs, key).map_err(read_error)?.is_some()))
    }

    /// Keys with a prefix, and what `value` makes of their values.
    pub fn scan<T>(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
        row: impl Fn(&[u8], &[u8]) -> Result<T, ReadError>,
    ) -> Result<Page<T>, ReadError> {
        guarded(|| {
            let mut page = Builder::new(limit);
            let range = ReadableTable::range::<&[u8]>(&self.pairs, (start(prefix, after), Bound::Unbounded));
            for entry in range.map_err(read_error)? {
                let (key, stored) = entry.map_err(read_error)?;
                if !key.value().starts_with(prefix) {
                    break;
                }
                let size = key.value().len() + stored.value().len();
                if !page.takes(size, || row(key.value(), stored.value()))? {
                    break;
                }
            }
            Ok(page.page)
        })
    }

    /// The events of a log from a number on.
    pub fn read(&self, stream: &[u8], from: u64, limit: usize) -> Result<Page<Event>, ReadError> {
        guarded(|| {
            let mut page = Builder::new(limit);
            let Some(row) = self.stream(stream)? else {
                return Ok(page.page);
            };
            let range = event_key(row.id, from)..=event_key(row.id, u64::MAX);
            for entry in ReadableTable::range(&self.events, range).map_err(read_error)? {
                let (key, stored) = entry.map_err(read_error)?;
                let (key, stored) = (key.value(), stored.value());
                let seq = event_seq(&key);
                let event = || {
                    let bytes = unseal(&key, stored, || place_of_event(stream, seq))?.to_vec();
                    Ok(Event { seq, bytes })
                };
                if !page.takes(stored.len(), event)? {
                    break;
                }
            }
            Ok(page.page)
        })
    }

    /// What is stored of a log.
    pub fn stream(&self, stream: &[u8]) -> Result<Option<StreamRow>, ReadError> {
        guarded(|| {
            let row = ReadableTable::get(&self.streams, stream).map_err(read_error)?;
            row.map(|stored| StreamRow::read(stream, stored.value())).transpose()
        })
    }

    /// Logs with a prefix.
    pub fn streams(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Page<StreamInfo>, ReadError> {
        guarded(|| {
            let mut page = Builder::new(limit);
            let range = ReadableTable::range::<&[u8]>(&self.streams, (start(prefix, after), Bound::Unbounded));
            for entry in range.map_err(read_error)? {
                let (name, stored) = entry.map_err(read_error)?;
                let name = name.value();
                if !name.starts_with(prefix) || !page.takes(name.len(), || stream_info(name, stored.value()))? {
                    break;
                }
            }
            Ok(page.page)
        })
    }

    /// A blob.
    pub fn blob(&self, cid: &Cid) -> Result<Option<Vec<u8>>, ReadError> {
        guarded(|| {
            let Some(stored) = ReadableTable::get(&self.blobs, *cid.digest()).map_err(read_error)? else {
                return Ok(None);
            };
            unseal(cid.digest(), stored.value(), || place_of_blob(cid)).map(|bytes| Some(bytes.to_vec()))
        })
    }

    /// Is there such a blob?
    pub fn has_blob(&self, cid: &Cid) -> Result<bool, ReadError> {
        guarded(|| {
            Ok(ReadableTable::get(&self.blobs, *cid.digest())
                .map_err(read_error)?
                .is_some())
        })
    }
}

/// A row of the table of logs as others see it.
pub fn stream_info(name: &[u8], stored: &[u8]) -> Result<StreamInfo, ReadError> {
    let row = StreamRow::read(name, stored)?;
    Ok(StreamInfo {
        name: name.to_vec(),
        events: row.events,
        last_seq: row.last_seq,
    })
}

/// Where a scan begins.
fn start<'a>(prefix: &'a [u8], after: Option<&'a [u8]>) -> Bound<&'a [u8]> {
    match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        _ => Bound::Included(prefix),
    }
}

/// A page being filled.
struct Builder<T> {
    page: Page<T>,
    limit: usize,
    bytes: usize,
}

impl<T> Builder<T> {
    fn new(limit: usize) -> Builder<T> {
        Builder {
            page: Page {
                rows: Vec::new(),
                more: false,
            },
            limit: limit.min(PAGE_ROWS_MAX),
            bytes: 0,
        }
    }

    /// Adds a row of so many bytes, or notes that there is one more and answers false.
    fn takes(&mut self, bytes: usize, row: impl FnOnce() -> Result<T, ReadError>) -> Result<bool, ReadError> {
        if self.page.rows.len() >= self.limit || self.bytes >= PAGE_BYTES_MAX {
            self.page.more = true;
            return Ok(false);
        }
        self.bytes += bytes;
        self.page.rows.push(row()?);
        Ok(true)
    }
}

/// Runs `read`; a panic in it is a damaged page.
pub fn guarded<T>(read: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(ReadError::Corrupt("a page makes no sense".to_owned())))
}

/// The library's error as ours.
pub fn read_error(error: impl Into<redb::Error>) -> ReadError {
    match error.into() {
        redb::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::UnexpectedEof => ReadError::Corrupt("the file is shorter than it was".to_owned()),
            std::io::ErrorKind::InvalidData => ReadError::Corrupt(error.to_string()),
            _ => ReadError::Io(error.to_string()),
        },
        redb::Error::DatabaseClosed => ReadError::Closed,
        error @ (redb::Error::PreviousIo | redb::Error::LockPoisoned(_)) => ReadError::Io(error.to_string()),
        error => ReadError::Corrupt(error.to_string()),
    }
}

/// A row of the table of pairs with its value.
pub fn whole_pair(key: &[u8], stored: &[u8]) -> Result<Pair, ReadError> {
    let value = unseal(key, stored, || place_of_key(key))?;
    Ok((key.to_vec(), value.to_vec()))
}

/// An error about a log.
pub fn about_stream(name: &[u8], text: &str) -> ReadError {
    ReadError::Corrupt(format!("{}: {text}", place_of_stream(name)))
}
