//! The outside world, seen through one trait: clock, randomness, text streams, files.
//!
//! A runtime reaches the world through its `Host` only, so a run on a `SimulatedHost` replays
//! from its seed. `RealHost` applies one access policy to every file it is asked for.
//! Deliberately absent: sockets, stores and the ops a program performs; they belong to the edge.

mod input;
mod policy;
mod real;
mod simulated;

pub use input::next_line;
pub use policy::Access;
pub use real::RealHost;
pub use simulated::SimulatedHost;

/// The text streams a program can write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The program's output.
    Out,
    /// Warnings, traces, reports.
    Err,
}

/// What can go wrong outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostErrorKind {
    /// There is no such file.
    NotFound,
    /// The access policy or the operating system forbids it.
    Denied,
    /// The file is not text.
    NotText,
    /// Anything else the operating system reports.
    Io,
}

/// An operation on the outside that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError {
    /// Which way.
    pub kind: HostErrorKind,
    /// For people: names the path or stream.
    pub message: String,
}

impl HostError {
    /// An error of a kind about a path or stream.
    pub fn new(kind: HostErrorKind, message: impl Into<String>) -> HostError {
        HostError {
            kind,
            message: message.into(),
        }
    }
    fn from_io(path: &str, error: &std::io::Error) -> HostError {
        let (kind, what) = match error.kind() {
            std::io::ErrorKind::NotFound => (HostErrorKind::NotFound, "no such file".to_string()),
            std::io::ErrorKind::PermissionDenied => (HostErrorKind::Denied, "not permitted".to_string()),
            _ => (HostErrorKind::Io, error.to_string()),
        };
        HostError::new(kind, format!("{path}: {what}"))
    }
}

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// What there is to know of a file without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// A directory, not a file of bytes.
    pub is_directory: bool,
    /// How many bytes.
    pub size: u64,
    /// When it was last changed, in milliseconds since 1970.
    pub modified_ms: i64,
    /// Its path from the root, without links.
    pub real_path: String,
}

/// Everything a runtime asks of the world around it.
pub trait Host {
    /// Milliseconds since 1970, by the calendar clock.
    fn now_ms(&mut self) -> i64;
    /// Nanoseconds since some fixed moment; never goes back.
    fn monotonic_ns(&mut self) -> u64;
    /// A number for dice and shuffles; nobody should guess it, but secrets need `random_bytes`.
    fn random_u64(&mut self) -> u64;
    /// Fills `out` with bytes fit for secrets.
    fn random_bytes(&mut self, out: &mut [u8]) -> Result<(), HostError>;
    /// Writes text to a stream. Output may be buffered until `flush`.
    fn write(&mut self, stream: Stream, text: &str) -> Result<(), HostError>;
    /// Hands buffered output on.
    fn flush(&mut self, stream: Stream) -> Result<(), HostError>;
    /// The next line of the program's input with its newline, `None` at the end. A wait for it fails
    /// as soon as `stops` says so.
    fn read_line(&mut self, stops: &dyn Fn() -> bool) -> Result<Option<String>, HostError>;
    /// The bytes of a file.
    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, HostError>;
    /// At most `len` bytes of a file, from byte `start`.
    fn read_part(&mut self, path: &str, start: u64, len: usize) -> Result<Vec<u8>, HostError> {
        let bytes = self.read_file(path)?;
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes[start..bytes.len().min(start.saturating_add(len))].to_vec())
    }
    /// What there is to know of a file or directory. A host that keeps no dates says 1970.
    fn file_info(&mut self, path: &str) -> Result<FileInfo, HostError> {
        Ok(FileInfo {
            is_directory: false,
            size: self.read_file(path)?.len() as u64,
            modified_ms: 0,
            real_path: path.to_string(),
        })
    }
    /// Is there a readable file?
    fn file_exists(&mut self, path: &str) -> bool;
    /// Replaces a file.
    fn write_file(&mut self, path: &str, bytes: &[u8]) -> Result<(), HostError>;
    /// Removes a file.
    fn delete_file(&mut self, path: &str) -> Result<(), HostError>;
    /// Has someone asked the running program to stop?
    fn interrupted(&self) -> bool;
    /// A variable of the environment.
    fn environment(&mut self, name: &str) -> Option<String>;
    /// All variables of the environment that the program may see, with their values.
    fn variables(&mut self) -> Vec<(String, String)>;

    /// The text of a file.
    fn read_text(&mut self, path: &str) -> Result<String, HostError> {
        String::from_utf8(self.read_file(path)?)
            .map_err(|_| HostError::new(HostErrorKind::NotText, format!("{path}: not UTF-8 text")))
    }
}

/// A small fast generator of pseudo-random numbers; the same seed gives the same numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that starts from `seed`.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }
    /// The next number (the splitmix64 sequence).
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
