//! The name of a request, for people who ask about one: in the log, and in what a client is shown
//! when its handler failed.
//!
//! It is a number until somebody reads it. Invariant: no two requests of a process have the same
//! name, and those of two processes hardly ever.

use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The name of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u64);

impl RequestId {
    /// The next one.
    pub fn next() -> RequestId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        RequestId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        static PROCESS: OnceLock<u32> = OnceLock::new();
        let random = || std::collections::hash_map::RandomState::new().build_hasher().finish() as u32;
        write!(f, "{:08x}-{:x}", PROCESS.get_or_init(random), self.0)
    }
}
