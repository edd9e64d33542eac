//! What a server takes and how long it waits, as one table.

use std::fmt::Write as _;
use std::time::Duration;

macro_rules! limits {
    ($($(#[doc = $doc:literal])* $name:ident: $type:ty = $default:expr, $key:literal, $shown:literal, $then:literal;)*) => {
        /// The limits of a server; the default is on everywhere.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Limits { $($(#[doc = $doc])* pub $name: $type,)* }
        impl Default for Limits {
            fn default() -> Limits {
                Limits { $($name: $default,)* }
            }
        }
        impl Limits {
            /// Sets a limit by the key of an options dict; false if there is no such key.
            pub fn set(&mut self, key: &str, value: u64) -> bool {
                match key {
                    $($key => self.$name = Unit::of(value),)*
                    _ => return false,
                }
                true
            }
        }
        const ROWS: &[(&str, &str, &str, &str)] =
            &[$(($key, concat!($($doc),*), $shown, $then)),*];
    };
}

limits! {
    /// Bytes of a request's head.
    head_bytes_max: usize = 16 << 10, "max-head-bytes", "16 KB", "431";
    /// Fields of a request's head.
    fields_max: usize = 100, "max-fields", "100", "431";
    /// Bytes of a request's target.
    target_bytes_max: usize = 8 << 10, "max-target-bytes", "8 KB", "414";
    /// Bytes of a request's body.
    body_bytes_max: usize = 2 << 20, "max-body-bytes", "2 MB", "413";
    /// Bytes of a request's body that are kept in memory while it arrives.
    spool_bytes: usize = 256 << 10, "spool-bytes", "256 KB", "in a file until it is whole";
    /// Bytes of a message on a WebSocket.
    message_bytes_max: usize = 1 << 20, "max-message-bytes", "1 MB", "closed with 1009";
    /// From the first byte of a head to its last.
    head_time: Duration = Duration::from_secs(10), "head-ms", "10 s", "408, closed";
    /// The time a body may take whatever its size; above that, a second for each KB.
    body_time: Duration = Duration::from_secs(10), "body-ms", "10 s", "408, closed";
    /// Without a byte that the client takes.
    write_time: Duration = Duration::from_secs(30), "write-ms", "30 s", "closed";
    /// Between two requests; on a WebSocket without a sign of life, of which one is asked for at half time.
    idle_time: Duration = Duration::from_secs(75), "idle-ms", "75 s", "closed";
    /// Connections of a worker.
    connections_max: usize = 10_000, "max-connections", "10,000", "the next ones wait to be accepted";
    /// Requests whose handlers have not ended.
    requests_max: usize = 1_024, "max-requests", "1,024", "503 with Retry-After";
    /// A handler that runs so long gives way to others, from then on each time after a tenth of it.
    slice_time: Duration = Duration::from_millis(10), "slice-ms", "10 ms", "preempted";
    /// So long a handler may run.
    running_time: Duration = Duration::from_secs(10), "cpu-ms", "10 s", "`deadline exceeded`";
    /// So long a handler may last, waiting included.
    lasting_time: Duration = Duration::from_secs(60), "wall-ms", "60 s", "`deadline exceeded`";
    /// What a handler has left after that.
    grace_time: Duration = Duration::from_secs(1), "grace-ms", "1 s", "ended";
    /// What requests under way have left when the server is asked to stop.
    drain_time: Duration = Duration::from_secs(30), "drain-ms", "30 s", "ended";
}

trait Unit {
    fn of(value: u64) -> Self;
}

impl Unit for usize {
    fn of(value: u64) -> usize {
        usize::try_from(value).unwrap_or(usize::MAX)
    }
}

impl Unit for Duration {
    fn of(value: u64) -> Duration {
        Duration::from_millis(value)
    }
}

/// The rows of the table, for `docs/host.md`.
pub fn reference() -> String {
    let mut text = String::from("| option | what | default | beyond it |\n|---|---|---|---|\n");
    for (key, doc, shown, then) in ROWS {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| `:{key}` | {} | {shown} | {then} |",
            doc.trim().trim_end_matches('.')
        );
    }
    text
}
