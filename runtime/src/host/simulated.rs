//! A host in memory: a virtual clock, seeded randomness, captured output, files in a map.
//! Two hosts of the same seed that are asked the same things answer the same.
//! Deliberately absent: any look at the machine it runs on.

use super::{FileInfo, Host, HostError, HostErrorKind, Random, Stream};
use std::collections::{BTreeMap, VecDeque};

/// 2026-01-01 00:00:00 UTC, where virtual clocks start.
const EPOCH_MS: i64 = 1_767_225_600_000;

/// The world as a test wants it.
pub struct SimulatedHost {
    random: Random,
    /// Nanoseconds the virtual clock has run.
    pub elapsed_ns: u64,
    /// What was written to the program's output.
    pub out: String,
    /// What was written to the error stream.
    pub err: String,
    /// Lines still to be read.
    pub input: VecDeque<String>,
    /// The files there are.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The environment's variables.
    pub variables: BTreeMap<String, String>,
    /// Whether the program is asked to stop.
    pub interrupt: bool,
}

impl SimulatedHost {
    /// A host without files or input.
    pub fn new(seed: u64) -> SimulatedHost {
        SimulatedHost {
            random: Random::new(seed),
            elapsed_ns: 0,
            out: String::new(),
            err: String::new(),
            input: VecDeque::new(),
            files: BTreeMap::new(),
            variables: BTreeMap::new(),
            interrupt: false,
        }
    }
    /// Lets virtual time pass.
    pub fn advance_ms(&mut self, ms: u64) {
        self.elapsed_ns += ms * 1_000_000;
    }
    /// Takes what was written to the output so far.
    pub fn take_out(&mut self) -> String {
        std::mem::take(&mut self.out)
    }
}

fn not_found(path: &str) -> HostError {
    HostError::new(HostErrorKind::NotFound, format!("{path}: no such file"))
}

impl Host for SimulatedHost {
    fn now_ms(&mut self) -> i64 {
        EPOCH_MS + (self.monotonic_ns() / 1_000_000) as i64
    }
    /// Each look at the clock takes a microsecond, so that polling loops end.
    fn monotonic_ns(&mut self) -> u64 {
        self.elapsed_ns += 1_000;
        self.elapsed_ns
    }
    fn random_u64(&mut self) -> u64 {
        self.random.next_u64()
    }
    fn random_bytes(&mut self, out: &mut [u8]) -> Result<(), HostError> {
        for chunk in out.chunks_mut(8) {
            let bytes = self.random.next_u64().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
    fn write(&mut self, stream: Stream, text: &str) -> Result<(), HostError> {
        match stream {
            Stream::Out => self.out.push_str(text),
            Stream::Err => self.err.push_str(text),
        }
        Ok(())
    }
    fn flush(&mut self, _: Stream) -> Result<(), HostError> {
        Ok(())
    }
    fn read_line(&mut self, _: &dyn Fn() -> bool) -> Result<Option<String>, HostError> {
        Ok(self.input.pop_front())
    }
    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, HostError> {
        self.files.get(path).cloned().ok_or_else(|| not_found(path))
    }
    /// Every file was last changed when the clock began; what files lie below is a directory.
    fn file_info(&mut self, path: &str) -> Result<FileInfo, HostError> {
        let size = self.files.get(path).map(Vec::len);
        let is_above = |name: &String| name.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        if size.is_none() && !self.files.keys().any(is_above) {
            return Err(not_found(path));
        }
        Ok(FileInfo {
            is_directory: size.is_none(),
            size: size.unwrap_or(0) as u64,
            modified_ms: EPOCH_MS,
            real_path: path.to_string(),
        })
    }
    fn file_exists(&mut self, path: &str) -> bool {
        self.files.contains_key(path)
    }
    fn write_file(&mut self, path: &str, bytes: &[u8]) -> Result<(), HostError> {
        self.files.insert(path.to_string(), bytes.to_vec());
        Ok(())
    }
    fn delete_file(&mut self, path: &str) -> Result<(), HostError> {
        self.files.remove(path).map(|_| ()).ok_or_else(|| not_found(path))
    }
    fn interrupted(&self) -> bool {
        self.interrupt
    }
    fn variables(&mut self) -> Vec<(String, String)> {
        let variable = |(name, value): (&String, &String)| (name.clone(), value.clone());
        self.variables.iter().map(variable).collect()
    }
    fn environment(&mut self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(seed: u64) -> (Vec<u64>, i64, [u8; 11]) {
        let mut host = SimulatedHost::new(seed);
        let numbers = (0..5).map(|_| host.random_u64()).collect();
        host.advance_ms(40);
        let mut bytes = [0; 11];
        assert!(host.random_bytes(&mut bytes).is_ok());
        (numbers, host.now_ms(), bytes)
    }

    #[test]
    fn the_seed_decides_everything() {
        assert_eq!(transcript(7), transcript(7));
        assert_ne!(transcript(7), transcript(8));
        assert_eq!(transcript(1).1, EPOCH_MS + 40);
    }

    #[test]
    fn output_is_captured_and_input_given() {
        let mut host = SimulatedHost::new(1);
        host.input.push_back("one\n".into());
        assert_eq!(host.read_line(&|| false), Ok(Some("one\n".into())));
        assert_eq!(host.read_line(&|| false), Ok(None));
        assert!(host.write(Stream::Out, "a").is_ok() && host.write(Stream::Err, "b").is_ok());
        assert_eq!((host.take_out().as_str(), host.err.as_str()), ("a", "b"));
        assert_eq!(host.read_file("x").map_err(|e| e.kind), Err(HostErrorKind::NotFound));
        assert!(host.write_file("x", b"1").is_ok() && host.file_exists("x"));
        assert!(host.write_file("d/e/f", b"22").is_ok());
        let info =
            |host: &mut SimulatedHost, path: &str| host.file_info(path).map(|info| (info.is_directory, info.size));
        assert_eq!(info(&mut host, "x"), Ok((false, 1)));
        assert_eq!(info(&mut host, "d/e"), Ok((true, 0)));
        assert_eq!(info(&mut host, "d/").map_err(|e| e.kind), Err(HostErrorKind::NotFound));
        assert_eq!(host.read_part("x", 1, 5), Ok(Vec::new()));
        assert!(host.delete_file("x").is_ok() && !host.file_exists("x"));
    }
}
