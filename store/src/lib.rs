//! The durable store: keys with values, logs of numbered events, blobs named by their content,
//! and a feed of what changed. Bytes in, bytes out; what the bytes mean is the caller's.
//!
//! One trait, [`Store`], three backends: [`Embedded`] (one file, one process), the same over a
//! [`SimulatedDisk`] that loses power, and [`Postgres`] (many machines). One suite of tests runs
//! against each.
//!
//! Deliberately absent: SX values, isolates, ops; `serve` makes those of this.
//!
//! Invariant: a write that was answered survives the loss of power, and a batch happens as a
//! whole or not at all.

mod batch;
mod change;
mod cid;
mod contract;
mod embedded;
mod error;
mod old_layout;
mod place;
mod postgres;
mod reply;
mod simulated;
mod transfer;

pub use batch::{Batch, Check, Write, Written};
pub use change::{Change, Changes, Feed, Sink, Subscription};
pub use cid::Cid;
pub use contract::{Event, Page, Pair, Problem, Row, RowSink, Stats, Store, StreamInfo, limits};
pub use embedded::disk::Disk;
pub use embedded::{Embedded, Options};
pub use error::{ExportError, OpenError, ReadError, WriteError};
pub use old_layout::{Convert, ConvertedEvent, ImportError, OldLayout, import_beside};
pub use place::{is_there, open};
pub use postgres::{Postgres, PostgresOptions};
pub use reply::{Promise, Reply, Ticket, promise};
pub use simulated::SimulatedDisk;
pub use transfer::{Loader, Moved, TransferError, check_dump, copy, dump, restore};
