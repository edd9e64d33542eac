//! The tables of the database file and how their rows are written; `docs/store-format.md` is
//! this file for people.
//!
//! Invariant: every value begins with a checksum over its key and itself. The library checks
//! its pages after a crash only; this finds what went bad on the disk whenever it is read.

use crate::{Cid, ReadError};
use redb::TableDefinition;

/// Names of numbers about the whole store.
pub const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Keys and values.
pub const PAIRS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("kv");
/// Names of logs and their [`StreamRow`]s.
pub const STREAMS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("streams");
/// Log and number, as [`event_key`] writes them, and the event.
pub const EVENTS: TableDefinition<'_, [u8; 16], &[u8]> = TableDefinition::new("events");
/// Digests and blobs.
pub const BLOBS: TableDefinition<'_, [u8; 32], &[u8]> = TableDefinition::new("blobs");

/// In [`META`]: the version of all this.
pub const FORMAT: &str = "format";
/// The version this program writes.
pub const FORMAT_KNOWN: u64 = 1;
/// In [`META`]: the number the next log is known by.
pub const NEXT_STREAM: &str = "next-stream";

/// Bytes of the checksum before each value.
const SEAL: usize = 4;

/// A value as it is stored: the checksum of key and value, the value.
pub fn seal(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(SEAL + value.len());
    stored.extend_from_slice(&checksum(key, value).to_le_bytes());
    stored.extend_from_slice(value);
    stored
}

/// The value in what was stored under a key; `place` names it if it is not what was written.
pub fn unseal<'a>(key: &[u8], stored: &'a [u8], place: impl FnOnce() -> String) -> Result<&'a [u8], ReadError> {
    let sealed = stored.split_first_chunk::<SEAL>();
    match sealed {
        Some((seal, value)) if u32::from_le_bytes(*seal) == checksum(key, value) => Ok(value),
        _ => Err(ReadError::Corrupt(format!("{}: the checksum does not fit", place()))),
    }
}

fn checksum(key: &[u8], value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    hasher.finalize()
}

/// What is stored of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamRow {
    /// What it is known by in [`EVENTS`].
    pub id: u64,
    /// Events it holds.
    pub events: u64,
    /// The last number given.
    pub last_seq: u64,
}

impl StreamRow {
    /// The row of the log `name`, sealed.
    pub fn write(&self, name: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24);
        for number in [self.id, self.events, self.last_seq] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        seal(name, &bytes)
    }

    /// Reads what `write` wrote.
    pub fn read(name: &[u8], stored: &[u8]) -> Result<StreamRow, ReadError> {
        let bytes = unseal(name, stored, || place_of_stream(name))?;
        let number = |index: usize| bytes.get(index * 8..).and_then(|rest| rest.first_chunk::<8>());
        let (3, Some(id), Some(events), Some(last_seq)) = (bytes.len() / 8, number(0), number(1), number(2)) else {
            return Err(ReadError::Corrupt(format!(
                "{}: its row is too short",
                place_of_stream(name)
            )));
        };
        Ok(StreamRow {
            id: u64::from_le_bytes(*id),
            events: u64::from_le_bytes(*events),
            last_seq: u64::from_le_bytes(*last_seq),
        })
    }
}

/// The key of an event: log, then number, high bytes first, so that the events of a log lie
/// together and in order.
pub fn event_key(id: u64, seq: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&id.to_be_bytes());
    key[8..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// The number in an event's key.
pub fn event_seq(key: &[u8; 16]) -> u64 {
    u64::from_be_bytes([key[8], key[9], key[10], key[11], key[12], key[13], key[14], key[15]])
}

/// The log in an event's key.
pub fn event_stream(key: &[u8; 16]) -> u64 {
    u64::from_be_bytes([key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7]])
}

/// A key, for messages.
pub fn place_of_key(key: &[u8]) -> String {
    format!("key \"{}\"", key.escape_ascii())
}

/// A log, for messages.
pub fn place_of_stream(name: &[u8]) -> String {
    format!("log \"{}\"", name.escape_ascii())
}

/// An event, for messages.
pub fn place_of_event(name: &[u8], seq: u64) -> String {
    format!("{}, event {seq}", place_of_stream(name))
}

/// A blob, for messages.
pub fn place_of_blob(cid: &Cid) -> String {
    format!("blob {cid}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_is_found_wherever_it_is() {
        let stored = seal(b"key", b"value");
        assert_eq!(unseal(b"key", &stored, || unreachable!()), Ok(&b"value"[..]));
        for bit in 0..stored.len() * 8 {
            let mut bad = stored.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal(b"key", &bad, || "here".to_owned()).is_err(), "bit {bit}");
        }
        assert!(unseal(b"kez", &stored, || "here".to_owned()).is_err());
        assert!(unseal(b"key", b"abc", || "here".to_owned()).is_err());
    }

    #[test]
    fn rows_of_logs_round_trip() {
        let row = StreamRow {
            id: 1,
            events: 2,
            last_seq: u64::MAX,
        };
        assert_eq!(StreamRow::read(b"log", &row.write(b"log")), Ok(row));
    }

    #[test]
    fn events_lie_in_order() {
        assert!(event_key(1, u64::MAX) < event_key(2, 0));
        assert!(event_key(1, 255) < event_key(1, 256));
        assert_eq!((event_stream(&event_key(3, 4)), event_seq(&event_key(3, 4))), (3, 4));
    }
}
