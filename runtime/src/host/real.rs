//! The host of a process: the system's clock, randomness, standard streams and files.
//!
//! Invariant: no path reaches the file system but through the access policy. Output is buffered;
//! what was printed before a warning stands before it.

use super::{Access, FileInfo, Host, HostError, Random, Stream};
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The world as the operating system shows it.
pub struct RealHost {
    access: Access,
    random: Random,
    start: Instant,
    interrupt: Arc<AtomicBool>,
    out: std::io::BufWriter<Box<dyn Write>>,
}

impl RealHost {
    /// A host whose files are subject to `access`.
    pub fn new(access: Access) -> RealHost {
        RealHost::with_output(access, Box::new(std::io::stdout()))
    }
    /// The same, with another place for what the program prints.
    pub fn with_output(access: Access, out: Box<dyn Write>) -> RealHost {
        let mut seed = [0; 8];
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_nanos() as u64);
        let seed = match system_random(&mut seed) {
            Ok(()) => u64::from_le_bytes(seed),
            Err(_) => nanos,
        };
        RealHost {
            access,
            random: Random::new(seed),
            start: Instant::now(),
            interrupt: Arc::default(),
            out: std::io::BufWriter::with_capacity(1 << 16, out),
        }
    }
    /// Setting this asks the running program to stop.
    pub fn interrupt_flag(&self) -> Arc<AtomicBool> {
        self.interrupt.clone()
    }
    /// Replaces the access policy, as `serve` does once a program has started.
    pub fn set_access(&mut self, access: Access) {
        self.access = access;
    }
}

/// Bytes from the operating system's generator.
fn system_random(out: &mut [u8]) -> std::io::Result<()> {
    std::fs::File::open("/dev/urandom")?.read_exact(out)
}

fn stream_error(stream: Stream) -> impl Fn(std::io::Error) -> HostError {
    let name = if stream == Stream::Out {
        "standard output"
    } else {
        "standard error"
    };
    move |error| HostError::from_io(name, &error)
}

impl Host for RealHost {
    fn now_ms(&mut self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_millis() as i64,
            Err(before) => -(before.duration().as_millis() as i64),
        }
    }
    fn monotonic_ns(&mut self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
    fn random_u64(&mut self) -> u64 {
        self.random.next_u64()
    }
    fn random_bytes(&mut self, out: &mut [u8]) -> Result<(), HostError> {
        system_random(out).map_err(|error| HostError::from_io("random bytes", &error))
    }
    fn write(&mut self, stream: Stream, text: &str) -> Result<(), HostError> {
        match stream {
            Stream::Out => self.out.write_all(text.as_bytes()),
            Stream::Err => {
                // What was printed before a warning stands before it.
                self.out
                    .flush()
                    .and_then(|()| std::io::stderr().write_all(text.as_bytes()))
            }
        }
        .map_err(stream_error(stream))
    }
    fn flush(&mut self, stream: Stream) -> Result<(), HostError> {
        match stream {
            Stream::Out => self.out.flush(),
            Stream::Err => std::io::stderr().flush(),
        }
        .map_err(stream_error(stream))
    }
    fn read_line(&mut self, stops: &dyn Fn() -> bool) -> Result<Option<String>, HostError> {
        self.flush(Stream::Out)?;
        let line = super::input::next_line(|| stops() || self.interrupted());
        line.map_err(|error| HostError::from_io("standard input", &error))
    }
    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, HostError> {
        let real = self.access.check_read(path)?;
        std::fs::read(real).map_err(|error| HostError::from_io(path, &error))
    }
    fn read_part(&mut self, path: &str, start: u64, len: usize) -> Result<Vec<u8>, HostError> {
        let real = self.access.check_read(path)?;
        let read = || {
            let mut file = std::fs::File::open(real)?;
            file.seek(SeekFrom::Start(start))?;
            let mut bytes = Vec::new();
            file.take(len as u64).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error| HostError::from_io(path, &error))
    }
    fn file_info(&mut self, path: &str) -> Result<FileInfo, HostError> {
        let real = self.access.check_read(path)?;
        let look = || {
            let real = std::fs::canonicalize(real)?;
            let data = std::fs::metadata(&real)?;
            let modified = data.modified()?.duration_since(UNIX_EPOCH);
            Ok(FileInfo {
                is_directory: data.is_dir(),
                size: data.len(),
                modified_ms: modified.map_or(0, |d| d.as_millis() as i64),
                real_path: real.to_string_lossy().into_owned(),
            })
        };
        look().map_err(|error| HostError::from_io(path, &error))
    }
    fn file_exists(&mut self, path: &str) -> bool {
        self.access.check_read(path).is_ok_and(|real| real.is_file())
    }
    fn write_file(&mut self, path: &str, bytes: &[u8]) -> Result<(), HostError> {
        let real = self.access.check_write(path)?;
        std::fs::write(real, bytes).map_err(|error| HostError::from_io(path, &error))
    }
    fn delete_file(&mut self, path: &str) -> Result<(), HostError> {
        let real = self.access.check_write(path)?;
        std::fs::remove_file(real).map_err(|error| HostError::from_io(path, &error))
    }
    fn interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }
    fn variables(&mut self) -> Vec<(String, String)> {
        match self.access {
            Access::Unrestricted => std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            Access::ReadBelow(_) => Vec::new(),
        }
    }
    fn environment(&mut self, name: &str) -> Option<String> {
        match self.access {
            Access::Unrestricted => std::env::var(name).ok(),
            Access::ReadBelow(_) => None,
        }
    }
}

impl Drop for RealHost {
    fn drop(&mut self) {
        // Nobody is left to hear that the output could not be written.
        let _ = self.out.flush();
    }
}

impl Default for RealHost {
    fn default() -> RealHost {
        RealHost::new(Access::Unrestricted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HostErrorKind;

    #[test]
    fn files_are_written_read_and_removed() {
        let mut host = RealHost::default();
        let path = std::env::temp_dir().join(format!("sx-host-test-{}", std::process::id()));
        let path = path.to_string_lossy().into_owned();
        assert!(!host.file_exists(&path));
        assert_eq!(host.read_file(&path).map_err(|e| e.kind), Err(HostErrorKind::NotFound));
        assert_eq!(host.write_file(&path, b"one"), Ok(()));
        assert_eq!(host.read_text(&path), Ok("one".to_string()));
        assert_eq!(host.write_file(&path, &[0xff]), Ok(()));
        assert_eq!(host.read_text(&path).map_err(|e| e.kind), Err(HostErrorKind::NotText));
        assert_eq!(host.delete_file(&path), Ok(()));
    }

    #[test]
    fn a_part_of_a_file_and_what_there_is_to_know_of_it() {
        let mut host = RealHost::default();
        let path = std::env::temp_dir().join(format!("sx-host-part-{}", std::process::id()));
        let path = path.to_string_lossy().into_owned();
        assert_eq!(host.file_info(&path).map_err(|e| e.kind), Err(HostErrorKind::NotFound));
        assert_eq!(host.write_file(&path, b"0123456789"), Ok(()));
        assert_eq!(host.read_part(&path, 3, 4), Ok(b"3456".to_vec()));
        assert_eq!(host.read_part(&path, 8, 100), Ok(b"89".to_vec()));
        assert_eq!(host.read_part(&path, 100, 1), Ok(Vec::new()));
        let info = host.file_info(&path).expect("there is one");
        assert_eq!((info.size, info.is_directory), (10, false));
        assert!(info.modified_ms > 1_600_000_000_000);
        assert!(info.real_path.starts_with('/'));
        assert_eq!(host.delete_file(&path), Ok(()));
    }

    #[test]
    fn clocks_go_forward_and_bytes_differ() {
        let mut host = RealHost::default();
        assert!(host.now_ms() > 1_600_000_000_000);
        assert!(host.monotonic_ns() <= host.monotonic_ns());
        let (mut a, mut b) = ([0; 16], [0; 16]);
        assert!(host.random_bytes(&mut a).is_ok() && host.random_bytes(&mut b).is_ok());
        assert_ne!(a, b);
        assert!(!host.interrupted());
        host.interrupt_flag().store(true, Ordering::Relaxed);
        assert!(host.interrupted());
    }
}
