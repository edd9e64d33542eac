//! The log: events of `tracing` on standard error, a line each: time, level, where, what, fields.
//!
//! Deliberately absent: spans, colours, files, filters by place; whoever wants them sets another
//! subscriber. Invariant: a line is written in one piece.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

struct Lines(LevelFilter);

/// Logs what has at least this level, by its name; false if there is no such level. Only the first
/// call in a process counts.
pub fn start(level: &str) -> bool {
    let Ok(level) = level.parse::<LevelFilter>() else {
        return false;
    };
    // A program that embeds this may log in a way of its own.
    let _ = tracing::subscriber::set_global_default(Lines(level));
    true
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.0 && metadata.target().starts_with("sx")
    }
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0)
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let metadata = event.metadata();
        let mut line = format!(
            "{}.{:03} {} {}",
            since.as_secs(),
            since.subsec_millis(),
            metadata.level(),
            metadata.target()
        );
        event.record(&mut Fields(&mut line));
        line.push('\n');
        // Nobody is left to be told that the log cannot be written.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Fields<'l>(&'l mut String);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // Writing to a string cannot fail, here and below.
        let _ = match field.name() {
            "message" => write!(self.0, " {value}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
