//! The embedded store: one file that one process has open.
//!
//! Reads answer at once from the state after the last commit ([`snapshot`]); writes are handed
//! to one thread ([`writer`]) that commits whatever waits as one transaction with one sync.
//!
//! Invariant: a write is answered after it is durable, can be read, and was told to the feed.

mod apply;
mod audit;
pub(crate) mod core;
pub(crate) mod disk;
pub(crate) mod lock;
mod snapshot;
mod tables;
mod writer;

use self::core::Core;
use crate::{
    Batch, Cid, Event, ExportError, Feed, OpenError, Page, Pair, Problem, ReadError, Reply, RowSink, Sink, Stats,
    Store, StreamInfo, Subscription, WriteError, Written,
};
use disk::Disk;
use lock::Lock;
use snapshot::{Snapshot, whole_pair};
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use writer::Writer;

/// The file in a store's directory.
pub(crate) const FILE: &str = "store.redb";
/// That file until its tables are there: one that is empty under its own name was damaged.
const BEGUN: &str = "store.redb.new";
/// The file that says who has it open.
pub(crate) const LOCK: &str = "store.lock";

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Memory for pages that were read.
    pub cache_bytes: usize,
    /// A file up to this size is checked page by page whenever it is opened; a larger one after
    /// a crash only, and by `verify`.
    pub check_bytes_max: u64,
    /// From this size of the file on a commit is two syncs instead of one, so that opening after
    /// a crash need not read the whole file.
    pub quick_repair_from: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cache_bytes: 32 << 20,
            check_bytes_max: 8 << 20,
            quick_repair_from: 256 << 20,
        }
    }
}

/// A store in a file.
pub struct Embedded {
    view: Arc<View>,
    writer: Writer,
    feed: Feed,
    disk: Arc<dyn Disk>,
    lock: Mutex<Option<Lock>>,
}

/// What readers look at: the state after a commit, or why there is none.
pub(crate) struct View(RwLock<Result<Arc<Snapshot>, ReadError>>);

impl View {
    fn new(snapshot: Snapshot) -> View {
        View(RwLock::new(Ok(Arc::new(snapshot))))
    }
    pub(crate) fn look(&self) -> Result<Arc<Snapshot>, ReadError> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn set(&self, state: Result<Arc<Snapshot>, ReadError>) {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Letting the old state go may free pages; that needs no lock.
        let old = std::mem::replace(&mut *now, state);
        drop(now);
        drop(old);
    }
    fn show(&self, snapshot: Snapshot) {
        self.set(Ok(Arc::new(snapshot)));
    }
    fn fail(&self, error: ReadError) {
        self.set(Err(error));
    }
    /// Runs `f` while readers wait, and shows them what it gives.
    fn while_hidden<T>(&self, f: impl FnOnce() -> (T, Result<Snapshot, ReadError>)) -> T {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *now = Err(ReadError::Closed);
        let (answer, snapshot) = f();
        *now = snapshot.map(Arc::new);
        answer
    }
}

impl Embedded {
    /// Opens the store in a directory; both are made if they are not there.
    pub fn open(directory: &Path, options: Options) -> Result<Embedded, OpenError> {
        let path = directory.join(FILE);
        let io = |error: std::io::Error| OpenError::Io {
            path: path.display().to_string(),
            text: error.to_string(),
        };
        std::fs::create_dir_all(directory).map_err(io)?;
        let lock = Lock::take(&directory.join(LOCK))?;
        let is_new = !path.try_exists().map_err(io)?;
        let at = if is_new { directory.join(BEGUN) } else { path.clone() };
        let mut how = OpenOptions::new();
        how.read(true).write(true).create(is_new).truncate(is_new);
        let file = for_its_owner(&mut how).open(&at).map_err(io)?;
        if !is_new && file.metadata().map_err(io)?.len() == 0 {
            return Err(OpenError::Corrupt {
                path: path.display().to_string(),
                text: "it is empty".to_owned(),
            });
        }
        let mut store = Embedded::on(&path.display().to_string(), Arc::new(file), options)?;
        if is_new {
            std::fs::rename(&at, &path).map_err(io)?;
        }
        sync_directory(directory).map_err(io)?;
        store.lock = Mutex::new(Some(lock));
        Ok(store)
    }

    /// Is there a store in a directory?
    pub fn is_there(directory: &Path) -> bool {
        directory.join(FILE).exists()
    }

    /// Opens the store on a disk; `place` names it in messages. Nothing keeps another process
    /// from doing the same.
    pub fn on(place: &str, disk: Arc<dyn Disk>, options: Options) -> Result<Embedded, OpenError> {
        let core = Core::open(place, Arc::clone(&disk), options)?;
        let (view, feed) = (core.view(), Feed::default());
        let writer = Writer::start(core, feed.clone()).map_err(|error| OpenError::Io {
            path: place.to_owned(),
            text: error.to_string(),
        })?;
        Ok(Embedded {
            view,
            writer,
            feed,
            disk,
            lock: Mutex::new(None),
        })
    }

    fn look<T>(&self, read: impl FnOnce(&Snapshot) -> Result<T, ReadError>) -> Reply<Result<T, ReadError>> {
        Reply::Now(self.view.look().and_then(|snapshot| read(&snapshot)))
    }
}

/// A file made so is for who made it alone: a store holds secrets.
pub(crate) fn for_its_owner(how: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(how, 0o600);
    how
}

/// Makes the names of new files durable, up to the first directory that was there before.
pub(crate) fn sync_directory(directory: &Path) -> std::io::Result<()> {
    let full = directory.canonicalize()?;
    for directory in full.ancestors().take(2) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

impl Store for Embedded {
    fn get(&self, key: &[u8]) -> Reply<Result<Option<Vec<u8>>, ReadError>> {
        self.look(|snapshot| snapshot.get(key))
    }
    fn has(&self, key: &[u8]) -> Reply<Result<bool, ReadError>> {
        self.look(|snapshot| snapshot.has(key))
    }
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Reply<Result<Page<Pair>, ReadError>> {
        self.look(|snapshot| snapshot.scan(prefix, after, limit, whole_pair))
    }
    fn keys(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Reply<Result<Page<Vec<u8>>, ReadError>> {
        self.look(|snapshot| snapshot.scan(prefix, after, limit, |key, _| Ok(key.to_vec())))
    }
    fn read(&self, stream: &[u8], from: u64, limit: usize) -> Reply<Result<Page<Event>, ReadError>> {
        self.look(|snapshot| snapshot.read(stream, from, limit))
    }
    fn last_seq(&self, stream: &[u8]) -> Reply<Result<u64, ReadError>> {
        self.look(|snapshot| Ok(snapshot.stream(stream)?.map_or(0, |row| row.last_seq)))
    }
    fn streams(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Reply<Result<Page<StreamInfo>, ReadError>> {
        self.look(|snapshot| snapshot.streams(prefix, after, limit))
    }
    fn blob(&self, cid: &Cid) -> Reply<Result<Option<Vec<u8>>, ReadError>> {
        self.look(|snapshot| snapshot.blob(cid))
    }
    fn has_blob(&self, cid: &Cid) -> Reply<Result<bool, ReadError>> {
        self.look(|snapshot| snapshot.has_blob(cid))
    }
    fn write(&self, batch: Batch) -> Reply<Result<Written, WriteError>> {
        self.writer.write(batch)
    }
    fn subscribe(&self, prefix: &[u8], sink: Sink) -> Subscription {
        self.feed.subscribe(prefix, sink)
    }
    fn export(&self, sink: &mut RowSink<'_>) -> Result<(), ExportError> {
        self.view.look()?.export(sink)
    }
    fn verify(&self) -> Result<Vec<Problem>, ReadError> {
        let mut problems = self.writer.verify()?;
        problems.extend(self.view.look()?.verify_rows()?);
        Ok(problems)
    }
    fn stats(&self) -> Result<Stats, ReadError> {
        let on_disk = self.disk.len().map_err(|error| ReadError::Io(error.to_string()))?;
        self.view.look()?.stats(on_disk)
    }
    fn close(&self) {
        self.writer.close();
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}
