//! What profilers are told of native code: for `perf`, a map of addresses (`/tmp/perf-PID.map`), or a file
//! of code for `perf inject --jit` and for samply (`jit-PID.dump` in the working directory).
//!
//! Invariant: a file that cannot be written is given up with one line of warning; programs notice nothing.
#![allow(unsafe_code)]

use crate::clock::monotonic_nanoseconds;
use crate::piece::Root;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use sx_runtime::chunk::Chunk;

/// What profilers are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Nothing.
    #[default]
    Off,
    /// Addresses and names.
    Map,
    /// The code itself as well.
    Dump,
}

static OUTPUT: Mutex<Option<Output>> = Mutex::new(None);

/// Where it is written.
struct Output {
    file: File,
    profile: Profile,
    /// Functions written so far.
    count: u64,
    /// `perf` finds the dump by a page of it that is mapped to be executed.
    _page: Option<memmap2::Mmap>,
}

/// Opens the file, if one is wanted.
pub fn begin(profile: Profile) {
    if profile == Profile::Off {
        return;
    }
    let path = path_of(profile);
    match open(profile, &path) {
        Ok(output) => *OUTPUT.lock().unwrap_or_else(PoisonError::into_inner) = Some(output),
        Err(why) => warn(&format!("no profile of native code, {}: {why}", path.display())),
    }
}

fn path_of(profile: Profile) -> PathBuf {
    let id = std::process::id();
    match profile {
        Profile::Dump => format!("jit-{id}.dump").into(),
        _ => format!("/tmp/perf-{id}.map").into(),
    }
}

fn open(profile: Profile, path: &PathBuf) -> io::Result<Output> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    let mut page = None;
    if profile == Profile::Dump {
        file.write_all(&header())?;
        // SAFETY: nothing reads through the mapping.
        page = Some(unsafe { memmap2::MmapOptions::new().len(4096).map_exec(&file)? });
    }
    Ok(Output {
        file,
        profile,
        count: 0,
        _page: page,
    })
}

/// Tells of a piece of a function that has come to lie at `address`.
pub fn tell(chunk: &Chunk, root: Root, address: usize, bytes: usize) {
    let mut output = OUTPUT.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(open) = output.as_mut() else { return };
    let name = match root {
        Root::Start => name_of(chunk),
        Root::Behind(pc) => format!("{} behind {pc}", name_of(chunk)),
        Root::Loop(pc) => format!("{} loop {pc}", name_of(chunk)),
    };
    let text = match open.profile {
        Profile::Dump => {
            // SAFETY: the unit that holds the code has just been finished.
            let code = unsafe { std::slice::from_raw_parts(address as *const u8, bytes) };
            record(&name, code, open.count)
        }
        _ => format!("{address:x} {bytes:x} {name}\n").into_bytes(),
    };
    open.count += 1;
    if let Err(why) = open.file.write_all(&text) {
        warn(&format!("the profile of native code ends here: {why}"));
        *output = None;
    }
}

/// Nobody may be there to read it, which is no error of ours.
fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "sx: {text}");
}

fn name_of(chunk: &Chunk) -> String {
    let place = chunk.span_at(0).map(|span| span.place()).unwrap_or_default();
    let name = if chunk.name.is_empty() { "fn" } else { &*chunk.name };
    format!("sx:{name} {place}")
}

// --- the dump: fields in the order of the format, in the machine's own byte order ----------------

fn header() -> Vec<u8> {
    const MAGIC: u32 = 0x4a69_5444;
    const VERSION: u32 = 1;
    const BYTES: u32 = 40;
    // As in the head of an object file.
    let machine: u32 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    let mut head = vec![];
    for field in [MAGIC, VERSION, BYTES, machine, 0, std::process::id()] {
        head.extend(field.to_ne_bytes());
    }
    head.extend(monotonic_nanoseconds().to_ne_bytes());
    head.extend(0u64.to_ne_bytes());
    head
}

fn record(name: &str, code: &[u8], number: u64) -> Vec<u8> {
    const LOAD: u32 = 0;
    const FIXED: usize = 56;
    let address = code.as_ptr() as u64;
    let bytes = (FIXED + name.len() + 1 + code.len()) as u32;
    let id = std::process::id();
    let mut row = vec![];
    row.extend(LOAD.to_ne_bytes());
    row.extend(bytes.to_ne_bytes());
    row.extend(monotonic_nanoseconds().to_ne_bytes());
    row.extend(id.to_ne_bytes());
    row.extend(thread().to_ne_bytes());
    for field in [address, address, code.len() as u64, number] {
        row.extend(field.to_ne_bytes());
    }
    row.extend(name.as_bytes());
    row.push(0);
    row.extend(code);
    row
}

fn thread() -> u32 {
    // SAFETY: it takes nothing.
    unsafe { libc::gettid() as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_says_how_long_its_parts_are() {
        assert_eq!(header().len(), 40);
        let row = record("f", &[0x90, 0xc3], 7);
        assert_eq!(u32::from_ne_bytes([row[4], row[5], row[6], row[7]]) as usize, row.len());
        assert!(row.ends_with(b"f\0\x90\xc3"));
    }
}
