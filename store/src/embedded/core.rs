//! The database and its one writer, without the thread: a group of batches becomes one
//! transaction and one sync. The simulator drives this directly, so that a run follows from its
//! seed.
//!
//! After an error the database is opened again, which brings back the last commit. After a
//! failed sync it is not: what the system has in memory may not be on the disk, and no read can
//! tell (see `docs/store-format.md`).

use super::apply::{Applied, Tables};
use super::disk::{Backend, Disk, Health};
use super::snapshot::{Snapshot, guarded, read_error};
use super::tables::{FORMAT, FORMAT_KNOWN, META};
use super::{Options, View};
use crate::{Batch, Change, OpenError, Problem, ReadError, WriteError, Written};
use redb::{Database, ReadableDatabase};
use std::sync::Arc;

/// A database open for writing, and the view of it that readers share.
pub struct Core {
    place: String,
    disk: Arc<dyn Disk>,
    options: Options,
    health: Arc<Health>,
    database: Option<Database>,
    view: Arc<View>,
    revision: u64,
}

/// What came of one batch.
pub type Outcome = Result<Committed, WriteError>;

/// A batch that happened.
#[derive(Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its answer.
    pub written: Written,
    /// What the feed says of it.
    pub changes: Vec<Change>,
}

impl Core {
    /// Opens the database on a disk, or makes it there. `place` names it in messages.
    pub fn open(place: &str, disk: Arc<dyn Disk>, options: Options) -> Result<Core, OpenError> {
        let health = Arc::new(Health::default());
        let (database, snapshot) = open_database(place, &disk, &health, options)?;
        Ok(Core {
            place: place.to_owned(),
            disk,
            options,
            health,
            database: Some(database),
            view: Arc::new(View::new(snapshot)),
            revision: 0,
        })
    }

    /// Where readers look.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view)
    }

    /// Makes the batches happen that can, each as a whole, and answers for each in order.
    pub fn commit(&mut self, group: &[Batch]) -> Vec<Outcome> {
        match self.try_commit(group) {
            Ok(outcomes) => outcomes,
            Err(error) => group.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn try_commit(&mut self, group: &[Batch]) -> Result<Vec<Outcome>, WriteError> {
        if self.database.is_none() {
            self.reopen()?;
        }
        let Some(database) = &self.database else {
            return Err(WriteError::Closed);
        };
        let syncs = self.health.syncs();
        let length = self.disk.len().unwrap_or(0);
        let quick_repair = length >= self.options.quick_repair_from;
        let result = guarded(|| transact(database, quick_repair, group));
        let applied = match result {
            Ok(applied) => applied,
            Err(error) => {
                let unsure = self.health.sync_failed() || self.health.syncs() > syncs;
                let answer = if unsure {
                    WriteError::Unknown(error.to_string())
                } else {
                    self.classify(error.clone())
                };
                self.fail(&error);
                return Err(answer);
            }
        };
        let outcomes = applied
            .into_iter()
            .zip(group)
            .map(|(applied, batch)| self.outcome(applied, batch));
        let outcomes = outcomes.collect();
        self.renew_view();
        Ok(outcomes)
    }

    fn outcome(&mut self, applied: Applied, batch: &Batch) -> Outcome {
        let seqs = applied.map_err(|check| WriteError::Conflict { check })?;
        self.revision += 1;
        let changes = Change::of(batch, &seqs);
        let revision = self.revision;
        Ok(Committed {
            written: Written { revision, seqs },
            changes,
        })
    }

    /// Readers see the last commit from now on.
    fn renew_view(&mut self) {
        let Some(database) = &self.database else {
            return;
        };
        match guarded(|| Snapshot::take(database)) {
            Ok(snapshot) => self.view.show(snapshot),
            Err(error) => self.fail(&error),
        }
    }

    /// Gives the database up until the next write; readers are told why.
    fn fail(&mut self, error: &ReadError) {
        self.view.fail(error.clone());
        self.database = None;
        if self.reopen().is_err() {
            // Said again by the next write, which tries again.
        }
    }

    fn reopen(&mut self) -> Result<(), WriteError> {
        if self.health.sync_failed() {
            let text = format!("{}: a sync failed; check the disk and start again", self.place);
            return Err(WriteError::Io(text));
        }
        let opened = open_database(&self.place, &self.disk, &self.health, self.options);
        let (database, snapshot) = opened.map_err(|error| match error {
            OpenError::Corrupt { text, .. } => WriteError::Corrupt(text),
            error => WriteError::Io(error.to_string()),
        })?;
        self.view.show(snapshot);
        self.database = Some(database);
        Ok(())
    }

    fn classify(&self, error: ReadError) -> WriteError {
        let full = self.health.take_full();
        match error {
            ReadError::Io(text) if full => WriteError::Full(format!("{}: {text}", self.place)),
            ReadError::Io(text) => WriteError::Io(format!("{}: {text}", self.place)),
            error => error.into(),
        }
    }

    /// Checks every page against its checksum.
    pub fn verify_pages(&mut self) -> Result<Vec<Problem>, ReadError> {
        let problem = |text: String| Problem {
            place: "pages".to_owned(),
            text,
        };
        let Some(database) = &mut self.database else {
            return Err(ReadError::Closed);
        };
        // The library wants nobody to read meanwhile; readers wait at the view.
        let outcome = self.view.while_hidden(|| {
            let outcome = guarded(|| database.check_integrity().map_err(read_error));
            (outcome, guarded(|| Snapshot::take(database)))
        });
        match outcome {
            Ok(true) => Ok(Vec::new()),
            Ok(false) => Ok(vec![problem("they did not fit together and were repaired".to_owned())]),
            Err(ReadError::Corrupt(text)) => Ok(vec![problem(text)]),
            Err(error) => Err(error),
        }
    }

    /// Lets go of the file.
    pub fn close(&mut self) {
        self.view.fail(ReadError::Closed);
        // Panics over damaged pages are no reason to take the process down on its way out.
        let database = self.database.take();
        let _ = guarded(|| {
            drop(database);
            Ok(())
        });
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.close();
    }
}

fn open_database(
    place: &str,
    disk: &Arc<dyn Disk>,
    health: &Arc<Health>,
    options: Options,
) -> Result<(Database, Snapshot), OpenError> {
    let path = || place.to_owned();
    let failed = |error: ReadError| match error {
        ReadError::Corrupt(text) => OpenError::Corrupt { path: path(), text },
        error => OpenError::Io {
            path: path(),
            text: error.to_string(),
        },
    };
    let length = disk.len().map_err(|error| OpenError::Io {
        path: path(),
        text: error.to_string(),
    })?;
    let backend = Backend::new(Arc::clone(disk), Arc::clone(health));
    let database = guarded(|| {
        let mut builder = Database::builder();
        builder.set_cache_size(options.cache_bytes);
        builder.set_check_integrity_on_open(length > 0 && length <= options.check_bytes_max);
        builder.create_with_backend(backend).map_err(read_error)
    });
    let database = database.map_err(failed)?;
    let found = guarded(|| prepare(&database)).map_err(failed)?;
    if found != FORMAT_KNOWN {
        return Err(OpenError::Newer {
            path: path(),
            found,
            known: FORMAT_KNOWN,
        });
    }
    let snapshot = guarded(|| Snapshot::take(&database)).map_err(failed)?;
    Ok((database, snapshot))
}

/// The format of the database; a new one gets its tables.
fn prepare(database: &Database) -> Result<u64, ReadError> {
    let read = database.begin_read().map_err(read_error)?;
    match read.open_table(META) {
        Ok(meta) => {
            let format = redb::ReadableTable::get(&meta, FORMAT).map_err(read_error)?;
            return format
                .map(|format| format.value())
                .ok_or_else(|| ReadError::Corrupt("it has no format".to_owned()));
        }
        Err(redb::TableError::TableDoesNotExist(_)) => {}
        Err(error) => return Err(read_error(error)),
    }
    let write = database.begin_write().map_err(read_error)?;
    Tables::open(&write)?;
    write
        .open_table(META)
        .map_err(read_error)?
        .insert(FORMAT, FORMAT_KNOWN)
        .map_err(read_error)?;
    write.commit().map_err(read_error)?;
    Ok(FORMAT_KNOWN)
}

/// Everything that can go wrong before the answer of a group.
fn transact(database: &Database, quick_repair: bool, group: &[Batch]) -> Result<Vec<Applied>, ReadError> {
    let mut transaction = database.begin_write().map_err(read_error)?;
    transaction.set_quick_repair(quick_repair);
    let mut tables = Tables::open(&transaction)?;
    let applied: Vec<Applied> = group
        .iter()
        .map(|batch| tables.apply(batch))
        .collect::<Result<_, _>>()?;
    drop(tables);
    if applied.iter().all(Result::is_err) {
        transaction.abort().map_err(read_error)?;
    } else {
        transaction.commit().map_err(read_error)?;
    }
    Ok(applied)
}
