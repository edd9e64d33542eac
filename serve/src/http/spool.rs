//! Bodies of requests while they arrive: in memory as long as they are small, else in a file that has
//! no name, so that clients that send much, or slowly, take disk and not memory.
//!
//! The files lie where the system keeps temporary ones (`TMPDIR`) and are gone when the request is,
//! or the process. Invariant: what comes out is what went in, or an error.

use crate::nameless_file;
use hyper::body::Bytes;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

/// The part of a body that has arrived.
pub struct Spool {
    /// What is in memory; nothing once there is a file.
    memory: Vec<u8>,
    file: Option<File>,
    length: usize,
    /// More than this goes to a file.
    memory_max: usize,
}

impl Spool {
    /// Nothing yet.
    pub fn new(memory_max: usize) -> Spool {
        Spool {
            memory: Vec::new(),
            file: None,
            length: 0,
            memory_max,
        }
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Adds what has come.
    pub fn push(&mut self, part: &[u8]) -> io::Result<()> {
        self.length += part.len();
        if let Some(file) = &mut self.file {
            return file.write_all(part);
        }
        self.memory.extend_from_slice(part);
        if self.length > self.memory_max {
            let mut file = nameless_file(&std::env::temp_dir())?;
            file.write_all(&std::mem::take(&mut self.memory))?;
            self.file = Some(file);
        }
        Ok(())
    }

    /// All of it.
    pub fn finish(self) -> io::Result<Bytes> {
        let Some(mut file) = self.file else {
            return Ok(self.memory.into());
        };
        file.rewind()?;
        let mut all = Vec::with_capacity(self.length);
        file.take(self.length as u64).read_to_end(&mut all)?;
        if all.len() < self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(all.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_out_is_what_went_in() {
        for length in [0, 1, 99, 100, 101, 1000, 70_000] {
            let body: Vec<u8> = (0..length).map(|i| (i * 7 % 251) as u8).collect();
            for part in [1, 64, 100, 4096, 100_000] {
                let mut spool = Spool::new(100);
                for part in body.chunks(part) {
                    spool.push(part).expect("room");
                }
                assert_eq!(spool.len(), length);
                assert_eq!(spool.file.is_some(), length > 100);
                assert_eq!(spool.finish().expect("a body"), body, "{length} in parts of {part}");
            }
        }
    }
}
