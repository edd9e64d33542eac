//! Directories in the layout of the host that SX programs were first written for, read into a
//! store: `streams/<hex>.log` with one value a line, `streams/<hex>.seq` with the last number,
//! `kv/<hex>` with one value, `blobs/<cid>`.
//!
//! How the text of a value becomes bytes is the caller's ([`Convert`]). Invariant: the directory
//! is only read; everything in it is converted once before the first row is written, so a row
//! that cannot be read leaves the store empty. [`import_beside`] makes a store of a directory that
//! has none, all at once.

use crate::embedded::lock::Lock;
use crate::embedded::{FILE, LOCK, sync_directory};
use crate::transfer::Loader;
use crate::{Cid, Embedded, Event, Moved, OpenError, Options, Row, Store, StreamInfo, TransferError};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// What a line of a log is: the number it carries, if it does, and the event's bytes.
pub type ConvertedEvent = (Option<u64>, Vec<u8>);

/// How the text of a value becomes the bytes that are stored.
pub trait Convert {
    /// The value of a key.
    fn value(&mut self, text: &str) -> Result<Vec<u8>, String>;
    /// A line of a log.
    fn event(&mut self, text: &str) -> Result<ConvertedEvent, String>;
}

/// Why a directory was not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportError {
    /// Something in it cannot be read.
    Row {
        /// The file, with the line if it is one of several.
        place: String,
        /// What is wrong.
        text: String,
    },
    /// The store did not take it.
    Transfer(TransferError),
    /// There is no opening the store.
    Open(OpenError),
}

/// Where a store is made before it is put in its place.
const UNDER_WAY: &str = "importing";

/// Makes a store in a directory of the old layout that has none yet; `None` if the directory is no
/// such one. The store appears when all of it is there; until then no other process can open one
/// there or begin to make it.
pub fn import_beside(directory: &Path, convert: &mut dyn Convert) -> Result<Option<Moved>, ImportError> {
    if !OldLayout::is_there(directory) || Embedded::is_there(directory) {
        return Ok(None);
    }
    let _lock = Lock::take(&directory.join(LOCK)).map_err(ImportError::Open)?;
    if Embedded::is_there(directory) {
        return Ok(None);
    }
    let under_way = directory.join(UNDER_WAY);
    let io = |error: std::io::Error| row(&under_way, &error.to_string());
    if under_way.exists() {
        // What an import left that was interrupted.
        std::fs::remove_dir_all(&under_way).map_err(io)?;
    }
    let moved = {
        let store = Embedded::open(&under_way, Options::default()).map_err(ImportError::Open)?;
        OldLayout::open(directory)?.import(&store, convert)
    };
    if moved.is_ok() {
        std::fs::rename(under_way.join(FILE), directory.join(FILE)).map_err(io)?;
        sync_directory(directory).map_err(io)?;
    }
    std::fs::remove_dir_all(&under_way).map_err(io)?;
    moved.map(Some)
}

/// A directory in the old layout.
pub struct OldLayout {
    logs: BTreeMap<Vec<u8>, PathBuf>,
    pairs: BTreeMap<Vec<u8>, PathBuf>,
    blobs: BTreeMap<Cid, PathBuf>,
}

impl OldLayout {
    /// Is this a directory in the old layout?
    pub fn is_there(directory: &Path) -> bool {
        ["streams", "kv", "blobs"]
            .iter()
            .any(|name| directory.join(name).is_dir())
    }

    /// Lists what is in a directory.
    pub fn open(directory: &Path) -> Result<OldLayout, ImportError> {
        let mut layout = OldLayout {
            logs: BTreeMap::new(),
            pairs: BTreeMap::new(),
            blobs: BTreeMap::new(),
        };
        for path in files(&directory.join("streams"))? {
            match name(&path).strip_suffix(".log") {
                Some(hex) => drop(layout.logs.insert(unhex(hex, &path)?, path)),
                // Its numbers are read with the log's; without one it is a log without events.
                None => match name(&path).strip_suffix(".seq") {
                    Some(hex) => drop(
                        layout
                            .logs
                            .entry(unhex(hex, &path)?)
                            .or_insert(path.with_extension("log")),
                    ),
                    None => return Err(row(&path, "neither a .log nor a .seq")),
                },
            }
        }
        for path in files(&directory.join("kv"))? {
            layout.pairs.insert(unhex(&name(&path), &path)?, path);
        }
        for path in files(&directory.join("blobs"))? {
            let cid = Cid::read(&name(&path)).ok_or_else(|| row(&path, "its name is not that of a blob"))?;
            layout.blobs.insert(cid, path);
        }
        Ok(layout)
    }

    /// Reads everything and says what cannot be converted.
    pub fn check(&self, convert: &mut dyn Convert) -> Result<(), ImportError> {
        self.each(convert, &mut |_| Ok(()))
    }

    /// Puts everything into an empty store.
    pub fn import(&self, store: &dyn Store, convert: &mut dyn Convert) -> Result<Moved, ImportError> {
        self.check(convert)?;
        let mut loader = Loader::new(store).map_err(ImportError::Transfer)?;
        self.each(convert, &mut |row| loader.add(row).map_err(ImportError::Transfer))?;
        loader.finish().map_err(ImportError::Transfer)
    }

    fn each(
        &self,
        convert: &mut dyn Convert,
        sink: &mut dyn FnMut(Row) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        for (key, path) in &self.pairs {
            let text = text(path)?;
            let value = convert.value(text.trim()).map_err(|error| row(path, &error))?;
            sink(Row::Pair((key.clone(), value)))?;
        }
        for (stream, path) in &self.logs {
            let (events, last_seq) = log(path, convert)?;
            let info = StreamInfo {
                name: stream.clone(),
                events: events.len() as u64,
                last_seq,
            };
            sink(Row::Stream(info))?;
            events.into_iter().try_for_each(|event| sink(Row::Event(event)))?;
        }
        for (cid, path) in &self.blobs {
            let bytes = std::fs::read(path).map_err(|error| row(path, &error.to_string()))?;
            if Cid::of(&bytes) != *cid {
                return Err(row(path, "its content has another name"));
            }
            sink(Row::Blob(bytes))?;
        }
        Ok(())
    }
}

/// The events of a log and its last number.
fn log(path: &Path, convert: &mut dyn Convert) -> Result<(Vec<Event>, u64), ImportError> {
    let lines = if path.exists() { text(path)? } else { String::new() };
    let mut read = Vec::new();
    for (index, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = move || format!("{}:{}", path.display(), index + 1);
        let (seq, bytes) = convert
            .event(line)
            .map_err(|text| ImportError::Row { place: place(), text })?;
        read.push((place, seq, bytes));
    }
    let said = last_number(&path.with_extension("seq"))?;
    // Events that carry no number end at the last one.
    let mut next = said.unwrap_or(read.len() as u64).saturating_sub(read.len() as u64) + 1;
    let mut events = Vec::with_capacity(read.len());
    for (place, seq, bytes) in read {
        let seq = seq.unwrap_or(next);
        if seq < next && !events.is_empty() || seq == 0 {
            let text = format!("event {seq} comes after event {}", next - 1);
            return Err(ImportError::Row { place: place(), text });
        }
        next = seq + 1;
        events.push(Event { seq, bytes });
    }
    let last = events.last().map_or(0, |event| event.seq);
    Ok((events, last.max(said.unwrap_or(0))))
}

fn last_number(path: &Path) -> Result<Option<u64>, ImportError> {
    if !path.exists() {
        return Ok(None);
    }
    let text = text(path)?;
    let number = text
        .trim()
        .parse()
        .map_err(|_| row(path, &format!("here should be a number, not `{}`", text.trim())));
    number.map(Some)
}

/// The files of a directory in the order of their names, without hidden ones; none if there is
/// no directory.
fn files(directory: &Path) -> Result<Vec<PathBuf>, ImportError> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let io = |error: std::io::Error| row(directory, &error.to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if !name(&path).starts_with('.') {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn text(path: &Path) -> Result<String, ImportError> {
    std::fs::read_to_string(path).map_err(|error| row(path, &error.to_string()))
}

fn unhex(hex: &str, path: &Path) -> Result<Vec<u8>, ImportError> {
    let digits = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2);
        pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(digits).collect();
    bytes.ok_or_else(|| row(path, "its name is not hexadecimal"))
}

fn row(path: &Path, text: &str) -> ImportError {
    ImportError::Row {
        place: path.display().to_string(),
        text: text.to_owned(),
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImportError::Row { place, text } => write!(f, "{place}: {text}"),
            ImportError::Transfer(error) => error.fmt(f),
            ImportError::Open(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ImportError {}
