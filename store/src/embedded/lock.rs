//! Who has a store open: a file beside it, locked by the process and holding its description.
//!
//! Invariant: the lock ends with the process, however that ends; the text in the file means
//! something only while the lock is held.

use crate::OpenError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

/// A held lock; dropping it lets go.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "held for its lock")] File);

impl Lock {
    /// Locks `path`, or says who has.
    pub fn take(path: &Path) -> Result<Lock, OpenError> {
        let io = |error: std::io::Error| OpenError::Io {
            path: path.display().to_string(),
            text: error.to_string(),
        };
        let mut how = OpenOptions::new();
        how.read(true).write(true).create(true).truncate(false);
        let mut file = super::for_its_owner(&mut how).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Whoever locks writes a moment later; an empty text is possible and harmless.
                let _ = file.read_to_string(&mut holder);
                let holder = match holder.trim() {
                    "" => "one that did not say its name".to_owned(),
                    text => text.to_owned(),
                };
                let path = path.display().to_string();
                return Err(OpenError::Held { path, holder });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).map_err(io)?;
        file.write_all(description().as_bytes()).map_err(io)?;
        Ok(Lock(file))
    }
}

/// This process: its number and how it was called.
fn description() -> String {
    let command: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    format!("process {}: {}\n", std::process::id(), command.join(" "))
}
