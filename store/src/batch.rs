//! What a write is: checks that must hold, then changes, all at one moment.
//!
//! Invariant: a batch is checked against [`limits`] when it is handed in, so the backends need
//! not.

use crate::contract::limits;
use crate::{Cid, WriteError};

/// Checks and changes that happen as one, in order. A later change sees an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// What must hold before any change.
    pub checks: Vec<Check>,
    /// The changes.
    pub writes: Vec<Write>,
}

/// What must hold for a batch to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// The key has this value, or none.
    Value {
        /// The key.
        key: Vec<u8>,
        /// Its value; `None` for no such key.
        value: Option<Vec<u8>>,
    },
    /// The log's last number is this; 0 for a log that never had an event.
    LastSeq {
        /// The log.
        stream: Vec<u8>,
        /// Its last number.
        seq: u64,
    },
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Gives a key a value.
    Put {
        /// The key.
        key: Vec<u8>,
        /// Its value from now on.
        value: Vec<u8>,
    },
    /// Removes a key, if it is there.
    Delete {
        /// The key.
        key: Vec<u8>,
    },
    /// Adds an event to a log; its number is one more than the last.
    Append {
        /// The log, made by its first event.
        stream: Vec<u8>,
        /// The event.
        event: Vec<u8>,
    },
    /// Removes the events up to a number and with it. Numbers are never given again.
    Truncate {
        /// The log.
        stream: Vec<u8>,
        /// The last number to go.
        through: u64,
    },
    /// Makes the numbers of a log go on from at least this, for copies of logs that were
    /// truncated. The log is made if it is not there.
    Raise {
        /// The log.
        stream: Vec<u8>,
        /// The least its last number shall be.
        seq: u64,
    },
    /// Keeps a blob under the name of its content.
    PutBlob {
        /// The blob.
        bytes: Vec<u8>,
    },
}

/// What a batch that happened was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Its place in the order of all batches, the one its changes have in the feed.
    pub revision: u64,
    /// The numbers of the appended events, in the order of the batch.
    pub seqs: Vec<u64>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }
    /// Checks that a key has a value, or none.
    pub fn check(mut self, key: impl Into<Vec<u8>>, value: Option<&[u8]>) -> Batch {
        self.checks.push(Check::Value {
            key: key.into(),
            value: value.map(<[u8]>::to_vec),
        });
        self
    }
    /// Checks the last number of a log.
    pub fn check_seq(mut self, stream: impl Into<Vec<u8>>, seq: u64) -> Batch {
        self.checks.push(Check::LastSeq {
            stream: stream.into(),
            seq,
        });
        self
    }
    /// Gives a key a value.
    pub fn put(self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Batch {
        self.with(Write::Put {
            key: key.into(),
            value: value.into(),
        })
    }
    /// Removes a key.
    pub fn delete(self, key: impl Into<Vec<u8>>) -> Batch {
        self.with(Write::Delete { key: key.into() })
    }
    /// Adds an event to a log.
    pub fn append(self, stream: impl Into<Vec<u8>>, event: impl Into<Vec<u8>>) -> Batch {
        self.with(Write::Append {
            stream: stream.into(),
            event: event.into(),
        })
    }
    /// Removes the events of a log up to a number.
    pub fn truncate(self, stream: impl Into<Vec<u8>>, through: u64) -> Batch {
        self.with(Write::Truncate {
            stream: stream.into(),
            through,
        })
    }
    /// Raises the last number of a log.
    pub fn raise(self, stream: impl Into<Vec<u8>>, seq: u64) -> Batch {
        self.with(Write::Raise {
            stream: stream.into(),
            seq,
        })
    }
    /// Keeps a blob; its name is [`Cid::of`] its bytes.
    pub fn put_blob(self, bytes: impl Into<Vec<u8>>) -> Batch {
        self.with(Write::PutBlob { bytes: bytes.into() })
    }
    /// Adds a change.
    pub fn with(mut self, write: Write) -> Batch {
        self.writes.push(write);
        self
    }
    /// The names of the blobs it puts.
    pub fn cids(&self) -> Vec<Cid> {
        let blobs = self.writes.iter().filter_map(|write| match write {
            Write::PutBlob { bytes } => Some(Cid::of(bytes)),
            _ => None,
        });
        blobs.collect()
    }
    /// The bytes of everything in it.
    pub fn size(&self) -> usize {
        let checks = self.checks.iter().map(|check| match check {
            Check::Value { key, value } => key.len() + value.as_ref().map_or(0, Vec::len),
            Check::LastSeq { stream, .. } => stream.len(),
        });
        let writes = self.writes.iter().map(|write| {
            let (name, value) = write.parts();
            name.len() + value.len()
        });
        checks.chain(writes).sum()
    }

    /// Is everything in it within the limits?
    pub fn check_limits(&self) -> Result<(), WriteError> {
        for check in &self.checks {
            match check {
                Check::Value { key, .. } => within("key", key.len(), limits::KEY_BYTES_MAX)?,
                Check::LastSeq { stream, .. } => within("name of a log", stream.len(), limits::KEY_BYTES_MAX)?,
            }
        }
        for write in &self.writes {
            let (name, value) = write.parts();
            within("key or name of a log", name.len(), limits::KEY_BYTES_MAX)?;
            within("value", value.len(), limits::VALUE_BYTES_MAX)?;
        }
        within("batch", self.size(), limits::BATCH_BYTES_MAX)
    }
}

impl Write {
    /// The name it is about and the bytes it brings; either may be empty.
    fn parts(&self) -> (&[u8], &[u8]) {
        match self {
            Write::Put { key, value } => (key, value),
            Write::Delete { key } => (key, &[]),
            Write::Append { stream, event } => (stream, event),
            Write::Truncate { stream, .. } | Write::Raise { stream, .. } => (stream, &[]),
            Write::PutBlob { bytes } => (&[], bytes),
        }
    }
}

fn within(what: &'static str, size: usize, max: usize) -> Result<(), WriteError> {
    if size <= max {
        Ok(())
    } else {
        Err(WriteError::TooLarge { what, size, max })
    }
}
