//! Files without a name, for what is too large to be kept in memory for a while.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// A file that nobody else can open, gone when it is closed.
pub fn nameless_file(directory: &Path) -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!("sx-{}-{number}", std::process::id()));
        let mut how = OpenOptions::new();
        match how.read(true).write(true).create_new(true).mode(0o600).open(&path) {
            // Left by a process that had this number and was killed between the two calls.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        assert!(nameless_file(Path::new("/no/such/place")).is_err());
    }
}
