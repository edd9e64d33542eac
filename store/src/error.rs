//! What can go wrong, one small enum for each kind of operation. Each says in its text what
//! happened, to what, and, where a person can do something, what.
//!
//! Invariant: after an error a write happened not at all, except after [`WriteError::Unknown`],
//! which says that nobody can tell.

use std::fmt;

/// A store that cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another process has it open.
    Held {
        /// The file.
        path: String,
        /// The process, as it described itself.
        holder: String,
    },
    /// It is not a store, or a damaged one.
    Corrupt {
        /// The file or the database.
        path: String,
        /// What was found.
        text: String,
    },
    /// It was written by a newer program.
    Newer {
        /// The file or the database.
        path: String,
        /// Its version.
        found: u64,
        /// The newest this program knows.
        known: u64,
    },
    /// The operating system refused, or there is no room.
    Io {
        /// The file.
        path: String,
        /// What it said.
        text: String,
    },
    /// The database cannot be reached.
    Unreachable {
        /// Where it should be, without the password.
        address: String,
        /// What was tried and what came of it.
        text: String,
    },
}

/// A read that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// What is stored is not what was written.
    Corrupt(String),
    /// The connection to the database was lost and did not come back in time.
    Lost(String),
    /// The operating system refused.
    Io(String),
    /// The store is closed.
    Closed,
}

/// A write that did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// A check of the batch did not hold.
    Conflict {
        /// Which, counted from 0.
        check: usize,
    },
    /// A key, value or batch is larger than a store takes.
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Its bytes.
        size: usize,
        /// The most there may be.
        max: usize,
    },
    /// No room is left. Writes go on when there is room again.
    Full(String),
    /// What is stored is not what was written.
    Corrupt(String),
    /// The database could not be reached; nothing was written.
    Lost(String),
    /// The connection was lost while the write was under way; it may have happened.
    Unknown(String),
    /// The operating system refused.
    Io(String),
    /// The store is closed.
    Closed,
}

/// An export that stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportError {
    /// The store could not be read.
    Read(ReadError),
    /// The receiver gave up, for this reason.
    Sink(String),
}

impl From<ReadError> for ExportError {
    fn from(error: ReadError) -> ExportError {
        ExportError::Read(error)
    }
}

impl From<ReadError> for WriteError {
    fn from(error: ReadError) -> WriteError {
        match error {
            ReadError::Corrupt(text) => WriteError::Corrupt(text),
            ReadError::Lost(text) => WriteError::Lost(text),
            ReadError::Io(text) => WriteError::Io(text),
            ReadError::Closed => WriteError::Closed,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Held { path, holder } => write!(f, "{path}: the store is open in another process: {holder}"),
            OpenError::Corrupt { path, text } => write!(f, "{path}: the store is damaged: {text}"),
            OpenError::Newer { path, found, known } => write!(
                f,
                "{path}: the store has format {found}, this program knows {known} and older: use a newer program"
            ),
            OpenError::Io { path, text } => write!(f, "{path}: {text}"),
            OpenError::Unreachable { address, text } => write!(f, "{address}: no connection: {text}"),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Corrupt(text) => write!(f, "the store is damaged: {text}"),
            ReadError::Lost(text) => write!(f, "the store cannot be reached: {text}"),
            ReadError::Io(text) => write!(f, "the store cannot be read: {text}"),
            ReadError::Closed => f.write_str("the store is closed"),
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Conflict { check } => {
                write!(f, "nothing was written: check {check} of the batch does not hold")
            }
            WriteError::TooLarge { what, size, max } => {
                write!(
                    f,
                    "nothing was written: a {what} of {size} bytes, at most {max} are allowed"
                )
            }
            WriteError::Full(text) => write!(f, "nothing was written: no room is left: {text}"),
            WriteError::Corrupt(text) => write!(f, "nothing was written: the store is damaged: {text}"),
            WriteError::Lost(text) => write!(f, "nothing was written: the store cannot be reached: {text}"),
            WriteError::Unknown(text) => write!(f, "the write may or may not have happened: {text}"),
            WriteError::Io(text) => write!(f, "nothing was written: {text}"),
            WriteError::Closed => f.write_str("nothing was written: the store is closed"),
        }
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExportError::Read(error) => error.fmt(f),
            ExportError::Sink(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for OpenError {}
impl std::error::Error for ReadError {}
impl std::error::Error for WriteError {}
impl std::error::Error for ExportError {}

/// What is answered when the one who would have answered is gone.
pub trait Abandoned {
    /// The answer.
    fn abandoned() -> Self;
}

impl<T> Abandoned for Result<T, ReadError> {
    fn abandoned() -> Self {
        Err(ReadError::Closed)
    }
}

/// A writer that dies may have died behind its last sync.
impl<T> Abandoned for Result<T, WriteError> {
    fn abandoned() -> Self {
        Err(WriteError::Unknown("the writer ended".to_owned()))
    }
}
