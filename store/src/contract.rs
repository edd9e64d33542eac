//! The contract of every backend: the trait and the shapes of its answers.
//!
//! Reads see every write that was answered before they began. A backend whose data is in this
//! process answers them at once; one that has to ask somebody answers later. Writes are always
//! answered later, when they are durable, so that many share one sync.

use crate::{Batch, Cid, ExportError, ReadError, Reply, Sink, Subscription, WriteError, Written};

/// How large things may be, the same for every backend so that data can move between them.
pub mod limits {
    /// A key, or the name of a log.
    pub const KEY_BYTES_MAX: usize = 1024;
    /// A value, an event, a blob.
    pub const VALUE_BYTES_MAX: usize = 64 << 20;
    /// All of a batch.
    pub const BATCH_BYTES_MAX: usize = 128 << 20;
    /// Rows of one page; more asked for gives as many.
    pub const PAGE_ROWS_MAX: usize = 10_000;
    /// A page ends when its rows have this many bytes.
    pub const PAGE_BYTES_MAX: usize = 16 << 20;
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Some rows, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Are there further ones? A page may be shorter than it was asked to be.
    pub more: bool,
}

/// An event of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number, from 1, never changed and never given twice.
    pub seq: u64,
    /// What was appended.
    pub bytes: Vec<u8>,
}

/// What is known of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its name.
    pub name: Vec<u8>,
    /// How many events it holds.
    pub events: u64,
    /// The last number given.
    pub last_seq: u64,
}

/// One row of a store, as it is exported. A log comes before its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A key and its value.
    Pair(Pair),
    /// A log.
    Stream(StreamInfo),
    /// An event of the log that came last.
    Event(Event),
    /// A blob.
    Blob(Vec<u8>),
}

/// Who receives an export; an error stops it.
pub type RowSink<'a> = dyn FnMut(Row) -> Result<(), String> + Send + 'a;

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Keys.
    pub keys: u64,
    /// Logs.
    pub streams: u64,
    /// Events in all logs.
    pub events: u64,
    /// Blobs.
    pub blobs: u64,
    /// Bytes of keys, values, events and blobs, as far as the backend knows.
    pub bytes_stored: u64,
    /// Bytes that it takes on disk.
    pub bytes_on_disk: u64,
}

/// Something that `verify` found wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: a key, a log, a blob, a page.
    pub place: String,
    /// What.
    pub text: String,
}

/// A durable store.
pub trait Store: Send + Sync {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Reply<Result<Option<Vec<u8>>, ReadError>>;
    /// Is there such a key?
    fn has(&self, key: &[u8]) -> Reply<Result<bool, ReadError>>;
    /// Keys with a prefix and their values in the order of their bytes, those after `after`.
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Reply<Result<Page<Pair>, ReadError>>;
    /// The same without the values.
    fn keys(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Reply<Result<Page<Vec<u8>>, ReadError>>;
    /// The events of a log from a number on.
    fn read(&self, stream: &[u8], from: u64, limit: usize) -> Reply<Result<Page<Event>, ReadError>>;
    /// The last number a log gave, also if that event is gone; 0 if there is no such log.
    fn last_seq(&self, stream: &[u8]) -> Reply<Result<u64, ReadError>>;
    /// Logs with a prefix in the order of their names, those after `after`.
    fn streams(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Reply<Result<Page<StreamInfo>, ReadError>>;
    /// A blob.
    fn blob(&self, cid: &Cid) -> Reply<Result<Option<Vec<u8>>, ReadError>>;
    /// Is there such a blob?
    fn has_blob(&self, cid: &Cid) -> Reply<Result<bool, ReadError>>;

    /// Makes a batch happen. The answer comes when it is durable.
    fn write(&self, batch: Batch) -> Reply<Result<Written, WriteError>>;

    /// Tells `sink` of every later change to a key or log whose name begins with `prefix`.
    fn subscribe(&self, prefix: &[u8], sink: Sink) -> Subscription;

    /// Gives out everything there is at one moment: keys, then logs with their events, then
    /// blobs. Blocks.
    fn export(&self, sink: &mut RowSink<'_>) -> Result<(), ExportError>;
    /// Looks at everything and says what is wrong with it. Blocks.
    fn verify(&self) -> Result<Vec<Problem>, ReadError>;
    /// Counts. May block for a while in a large store.
    fn stats(&self) -> Result<Stats, ReadError>;
    /// Finishes what was handed in, refuses what comes later, lets go of the file or the
    /// connections. Blocks. Closing twice is closing once.
    fn close(&self);
}
