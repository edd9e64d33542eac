//! Looking at everything: export, verification, counts.

use super::snapshot::{Snapshot, about_stream, guarded, read_error, stream_info, whole_pair};
use super::tables::{StreamRow, event_key, event_seq, event_stream, place_of_blob, place_of_event, unseal};
use crate::{Cid, Event, ExportError, Problem, ReadError, Row, RowSink, Stats};
use redb::{ReadableTable, ReadableTableMetadata};
use std::collections::HashMap;

impl Snapshot {
    /// Gives out every row.
    pub fn export(&self, sink: &mut RowSink<'_>) -> Result<(), ExportError> {
        for entry in ReadableTable::iter(&self.pairs).map_err(read_error)? {
            let (key, stored) = entry.map_err(read_error)?;
            let pair = whole_pair(key.value(), stored.value())?;
            sink(Row::Pair(pair)).map_err(ExportError::Sink)?;
        }
        for entry in ReadableTable::iter(&self.streams).map_err(read_error)? {
            let (name, stored) = entry.map_err(read_error)?;
            let info = stream_info(name.value(), stored.value())?;
            sink(Row::Stream(info)).map_err(ExportError::Sink)?;
            self.export_events(name.value(), StreamRow::read(name.value(), stored.value())?, sink)?;
        }
        for entry in ReadableTable::iter(&self.blobs).map_err(read_error)? {
            let (digest, stored) = entry.map_err(read_error)?;
            let digest = digest.value();
            let bytes = unseal(&digest, stored.value(), || place_of_blob(&Cid::from_digest(digest)))?;
            sink(Row::Blob(bytes.to_vec())).map_err(ExportError::Sink)?;
        }
        Ok(())
    }

    fn export_events(&self, name: &[u8], row: StreamRow, sink: &mut RowSink<'_>) -> Result<(), ExportError> {
        let range = event_key(row.id, 0)..=event_key(row.id, u64::MAX);
        for entry in ReadableTable::range(&self.events, range).map_err(read_error)? {
            let (key, stored) = entry.map_err(read_error)?;
            let (key, seq) = (key.value(), event_seq(&key.value()));
            let bytes = unseal(&key, stored.value(), || place_of_event(name, seq))?.to_vec();
            sink(Row::Event(Event { seq, bytes })).map_err(ExportError::Sink)?;
        }
        Ok(())
    }

    /// Checks every row against its checksum, and rows against each other.
    pub fn verify_rows(&self) -> Result<Vec<Problem>, ReadError> {
        let mut problems = Vec::new();
        self.verify_pairs(&mut problems)?;
        let streams = self.verify_streams(&mut problems)?;
        self.verify_events(streams, &mut problems)?;
        self.verify_blobs(&mut problems)?;
        Ok(problems)
    }

    fn verify_pairs(&self, problems: &mut Vec<Problem>) -> Result<(), ReadError> {
        guarded(|| {
            for entry in ReadableTable::iter(&self.pairs).map_err(read_error)? {
                let (key, stored) = entry.map_err(read_error)?;
                note(problems, "keys", whole_pair(key.value(), stored.value()));
            }
            Ok(())
        })
    }

    fn verify_streams(&self, problems: &mut Vec<Problem>) -> Result<HashMap<u64, Seen>, ReadError> {
        guarded(|| {
            let mut streams = HashMap::new();
            for entry in ReadableTable::iter(&self.streams).map_err(read_error)? {
                let (name, stored) = entry.map_err(read_error)?;
                let name = name.value();
                let Some(row) = note(problems, "logs", StreamRow::read(name, stored.value())) else {
                    continue;
                };
                let seen = Seen {
                    name: name.to_vec(),
                    row,
                    events: 0,
                };
                if let Some(other) = streams.insert(row.id, seen) {
                    let text = format!("shares its number with log \"{}\"", other.name.escape_ascii());
                    note::<()>(problems, "logs", Err(about_stream(name, &text)));
                }
            }
            Ok(streams)
        })
    }

    fn verify_events(&self, mut streams: HashMap<u64, Seen>, problems: &mut Vec<Problem>) -> Result<(), ReadError> {
        guarded(|| {
            for entry in ReadableTable::iter(&self.events).map_err(read_error)? {
                let (key, stored) = entry.map_err(read_error)?;
                let (key, seq) = (key.value(), event_seq(&key.value()));
                let Some(seen) = streams.get_mut(&event_stream(&key)) else {
                    let text = format!("event {seq} belongs to no log");
                    note::<()>(problems, "logs", Err(ReadError::Corrupt(text)));
                    continue;
                };
                seen.events += 1;
                note(
                    problems,
                    "logs",
                    unseal(&key, stored.value(), || place_of_event(&seen.name, seq)),
                );
                if seq > seen.row.last_seq {
                    let text = format!("event {seq} is behind the last number {}", seen.row.last_seq);
                    note::<()>(problems, "logs", Err(about_stream(&seen.name, &text)));
                }
            }
            Ok(())
        })?;
        for seen in streams.values().filter(|seen| seen.events != seen.row.events) {
            let text = format!("{} events are there, {} should be", seen.events, seen.row.events);
            note::<()>(problems, "logs", Err(about_stream(&seen.name, &text)));
        }
        Ok(())
    }

    fn verify_blobs(&self, problems: &mut Vec<Problem>) -> Result<(), ReadError> {
        guarded(|| {
            for entry in ReadableTable::iter(&self.blobs).map_err(read_error)? {
                let (digest, stored) = entry.map_err(read_error)?;
                let cid = Cid::from_digest(digest.value());
                let bytes = note(
                    problems,
                    "blobs",
                    unseal(cid.digest(), stored.value(), || place_of_blob(&cid)),
                );
                if bytes.is_some_and(|bytes| Cid::of(bytes) != cid) {
                    let text = format!("{}: its content has another name", place_of_blob(&cid));
                    note::<()>(problems, "blobs", Err(ReadError::Corrupt(text)));
                }
            }
            Ok(())
        })
    }

    /// Counts rows.
    pub fn stats(&self, bytes_on_disk: u64) -> Result<Stats, ReadError> {
        guarded(|| {
            let mut stats = Stats {
                keys: self.pairs.len().map_err(read_error)?,
                streams: self.streams.len().map_err(read_error)?,
                events: self.events.len().map_err(read_error)?,
                blobs: self.blobs.len().map_err(read_error)?,
                bytes_stored: 0,
                bytes_on_disk,
            };
            let tables = [
                self.pairs.stats(),
                self.streams.stats(),
                self.events.stats(),
                self.blobs.stats(),
            ];
            for table in tables {
                stats.bytes_stored += table.map_err(read_error)?.stored_bytes();
            }
            Ok(stats)
        })
    }
}

/// A log, and the events of it that were seen.
struct Seen {
    name: Vec<u8>,
    row: StreamRow,
    events: u64,
}

/// Notes what is wrong with a row, or hands it on.
fn note<T>(problems: &mut Vec<Problem>, place: &str, row: Result<T, ReadError>) -> Option<T> {
    row.map_err(|error| {
        let text = match error {
            ReadError::Corrupt(text) => text,
            error => error.to_string(),
        };
        let place = place.to_owned();
        problems.push(Problem { place, text });
    })
    .ok()
}
