//! `sx store`: looking after a durable store.
//!
//! Invariant: a command that only reads makes no store where there is none.

use crate::args::StoreCommand;
use crate::run::complain;
use crate::serve::DIRECTORY;
use crate::{FAILED, SUCCESS, USAGE, print};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use sx_serve::edge::Texts;
use sx_store::{ImportError, Moved, OldLayout, Stats, Store, TransferError};

/// A message, and the exit code that goes with it.
type Failure = (String, u8);

/// Does what the command line says.
pub fn store(command: &StoreCommand) -> u8 {
    let outcome = match command {
        StoreCommand::Stats { store } => stats(&place(store)),
        StoreCommand::Verify { store } => verify(&place(store)),
        StoreCommand::Dump { store } => dump(&place(store)),
        StoreCommand::Restore { dump, store } => restore(dump, &place(store)),
        StoreCommand::Import { directory, store } => import(directory, &place(store)),
        StoreCommand::Copy { from, to } => copy(from, to),
    };
    outcome.unwrap_or_else(|(message, code)| complain(&message, code))
}

/// The store that is meant.
fn place(named: &Option<String>) -> String {
    let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let named = named
        .clone()
        .or_else(|| variable("SX_STORE"))
        .or_else(|| variable("SX_PERSIST_DIR"));
    named.unwrap_or_else(|| DIRECTORY.to_owned())
}

fn open(place: &str) -> Result<Arc<dyn Store>, Failure> {
    sx_store::open(place).map_err(|error| (error.to_string(), FAILED))
}

fn open_existing(place: &str) -> Result<Arc<dyn Store>, Failure> {
    if sx_store::is_there(place) {
        open(place)
    } else {
        Err((format!("{place}: there is no store"), USAGE))
    }
}

fn failed(place: &str) -> impl Fn(TransferError) -> Failure {
    move |error| (format!("{place}: {error}"), FAILED)
}

fn stats(place: &str) -> Result<u8, Failure> {
    let store = open_existing(place)?;
    let stats = store.stats().map_err(|error| (format!("{place}: {error}"), FAILED))?;
    let Stats {
        keys,
        streams,
        events,
        blobs,
        bytes_stored,
        bytes_on_disk,
    } = stats;
    print::text(&format!(
        "keys           {keys}\nlogs           {streams}\nevents         {events}\nblobs          {blobs}\n\
         bytes stored   {bytes_stored}\nbytes on disk  {bytes_on_disk}\n"
    ));
    Ok(SUCCESS)
}

fn verify(place: &str) -> Result<u8, Failure> {
    let store = open_existing(place)?;
    let problems = store.verify().map_err(|error| (format!("{place}: {error}"), FAILED))?;
    if problems.is_empty() {
        print::text("nothing is wrong\n");
        return Ok(SUCCESS);
    }
    for problem in &problems {
        print::text(&format!("{}: {}\n", problem.place, problem.text));
    }
    Ok(FAILED)
}

fn dump(place: &str) -> Result<u8, Failure> {
    let store = open_existing(place)?;
    let mut out = BufWriter::new(std::io::stdout());
    let moved = sx_store::dump(&*store, &mut out).map_err(failed(place))?;
    Ok(done("dumped", moved))
}

fn restore(dump: &Path, place: &str) -> Result<u8, Failure> {
    let (name, file) = match dump.to_str() {
        Some("-") => ("standard input".into(), keep(&mut std::io::stdin().lock())),
        _ => (dump.to_string_lossy(), open_dump(dump)),
    };
    let mut file = file.map_err(|error| (format!("{name}: {error}"), USAGE))?;
    // A damaged dump is found before anything is written.
    sx_store::check_dump(&mut BufReader::new(&file)).map_err(|error| (format!("{name}: {error}"), FAILED))?;
    file.rewind().map_err(|error| (format!("{name}: {error}"), FAILED))?;
    let store = open(place)?;
    let moved = sx_store::restore(&mut BufReader::new(&file), &*store).map_err(|error| match error {
        TransferError::NotEmpty => failed(place)(error),
        error => (format!("{place}: {error}; the store is incomplete"), FAILED),
    })?;
    Ok(done("restored", moved))
}

/// A dump that can be read twice.
fn open_dump(path: &Path) -> std::io::Result<File> {
    let mut file = File::open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        // A pipe.
        false => keep(&mut file),
    }
}

/// All that comes from there, in a temporary file.
fn keep(input: &mut dyn Read) -> std::io::Result<File> {
    let mut file = sx_serve::nameless_file(&std::env::temp_dir())?;
    std::io::copy(input, &mut file)?;
    file.rewind()?;
    Ok(file)
}

fn import(directory: &Path, place: &str) -> Result<u8, Failure> {
    if !OldLayout::is_there(directory) {
        let message = format!("{}: there is neither streams, kv nor blobs in it", directory.display());
        return Err((message, USAGE));
    }
    let failed = |error: ImportError| (error.to_string(), FAILED);
    let layout = OldLayout::open(directory).map_err(failed)?;
    // A row that cannot be read is found before a store is made.
    layout.check(&mut Texts).map_err(failed)?;
    let store = open(place)?;
    let moved = layout.import(&*store, &mut Texts).map_err(failed)?;
    Ok(done("imported", moved))
}

fn copy(from: &str, to: &str) -> Result<u8, Failure> {
    let source = open_existing(from)?;
    let target = open(to)?;
    let moved = sx_store::copy(&*source, &*target).map_err(failed(to))?;
    Ok(done("copied", moved))
}

fn done(what: &str, moved: Moved) -> u8 {
    print::error_text(&format!("{what}: {moved}\n"));
    SUCCESS
}
