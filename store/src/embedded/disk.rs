//! What the database file is written to: a file, or something that behaves like one in tests.
//!
//! [`Backend`] is the way the database library sees a disk. It remembers what the library does
//! not tell: how many syncs succeeded, whether one failed, and whether there was no room.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A disk of one file. Written data may be lost or torn until `sync` has returned.
pub trait Disk: Debug + Send + Sync + 'static {
    /// The length of the file.
    fn len(&self) -> io::Result<u64>;
    /// Is there nothing in it yet?
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Makes the file longer with zeroes, or shorter.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Fills `out` with what stands at `offset`.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
    /// Writes at `offset`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when everything written before is durable.
    fn sync(&self) -> io::Result<()>;
}

impl Disk for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(out, offset)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// What happened to a disk.
#[derive(Debug, Default)]
pub struct Health {
    syncs: AtomicU64,
    sync_failed: AtomicBool,
    full: AtomicBool,
}

impl Health {
    /// How many syncs succeeded.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Acquire)
    }
    /// Did one ever fail? The system may have dropped what it could not write, so that reading
    /// it back proves nothing: the file must not be written any more.
    pub fn sync_failed(&self) -> bool {
        self.sync_failed.load(Ordering::Acquire)
    }
    /// Was there no room since this was asked last?
    pub fn take_full(&self) -> bool {
        self.full.swap(false, Ordering::AcqRel)
    }
    fn look_at<T>(&self, result: io::Result<T>) -> io::Result<T> {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        if let Err(error) = &result
            && matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
        {
            self.full.store(true, Ordering::Release);
        }
        result
    }
}

/// A disk as the database library wants it.
#[derive(Debug)]
pub struct Backend {
    disk: Arc<dyn Disk>,
    health: Arc<Health>,
}

impl Backend {
    /// The library's view of a disk. Locking is not its business: [`super::lock`] has done it.
    pub fn new(disk: Arc<dyn Disk>, health: Arc<Health>) -> Backend {
        Backend { disk, health }
    }
}

impl redb::StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read_at(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.health.look_at(self.disk.set_len(len))
    }
    fn sync_data(&self) -> io::Result<()> {
        match self.disk.sync() {
            Ok(()) => {
                self.health.syncs.fetch_add(1, Ordering::AcqRel);
                Ok(())
            }
            Err(error) => {
                self.health.sync_failed.store(true, Ordering::Release);
                Err(error)
            }
        }
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.health.look_at(self.disk.write_at(offset, data))
    }
}
