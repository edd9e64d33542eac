//! The log: events of `tracing` on standard error, a line each: time, level, where, what, fields; as
//! text, or as an object of JSON.
//!
//! Deliberately absent: spans, colours, files, filters by place; whoever wants them sets another
//! subscriber. Invariant: an event is one line, written in one piece, whatever its text has in it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

struct Lines {
    level: LevelFilter,
    as_json: bool,
}

/// Logs what has at least this level, by its name; false if there is no such level. Only the first
/// call in a process counts.
pub fn start(level: &str, as_json: bool) -> bool {
    let Ok(level) = level.parse::<LevelFilter>() else {
        return false;
    };
    // A program that embeds this may log in a way of its own.
    let _ = tracing::subscriber::set_global_default(Lines { level, as_json });
    true
}

/// Says something on standard error, whether or not anything is logged.
pub(crate) fn say(text: &str) {
    // Nobody is left to be told that it cannot be said.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level && metadata.target().starts_with("sx")
    }
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = if self.as_json {
            json_line(event)
        } else {
            text_line(event)
        };
        line.push('\n');
        say(&line);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Seconds and milliseconds since 1970.
fn now() -> (u64, u32) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs(), since.subsec_millis())
}

fn text_line(event: &Event<'_>) -> String {
    let (seconds, millis) = now();
    let metadata = event.metadata();
    let mut line = format!("{seconds}.{millis:03} {} {}", metadata.level(), metadata.target());
    event.record(&mut Fields(&mut line));
    line
}

fn json_line(event: &Event<'_>) -> String {
    let (seconds, millis) = now();
    let metadata = event.metadata();
    let mut line = format!(
        "{{\"time\":{seconds}.{millis:03},\"level\":\"{}\",\"target\":\"{}\"",
        metadata.level(),
        metadata.target()
    );
    event.record(&mut JsonFields(&mut line));
    line.push('}');
    line
}

struct Fields<'l>(&'l mut String);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // Writing to a string cannot fail, here and below.
        let _ = match field.name() {
            "message" => write!(OneLine(self.0), " {value}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(OneLine(self.0), " {value:?}"),
            name => write!(OneLine(self.0), " {name}={value:?}"),
        };
    }
}

/// Text that is written here ends no line and moves no cursor.
struct OneLine<'l>(&'l mut String);

impl std::fmt::Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for c in text.chars() {
            match c {
                '\u{2028}' | '\u{2029}' => self.0.extend(c.escape_default()),
                c if c.is_control() => self.0.extend(c.escape_default()),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

struct JsonFields<'l>(&'l mut String);

impl JsonFields<'_> {
    fn key(&mut self, field: &Field) {
        self.0.push(',');
        json_text(self.0, field.name());
        self.0.push(':');
    }
}

impl Visit for JsonFields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.key(field);
        json_text(self.0, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.key(field);
        let _ = write!(self.0, "{value}");
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.key(field);
        let _ = write!(self.0, "{value}");
    }
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.key(field);
        json_text(self.0, &format!("{value:?}"));
    }
}

fn json_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        // Writing to a string cannot fail.
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            c if u32::from(c) < 0x20 => write!(out, "\\u{:04x}", u32::from(c)),
            c => write!(out, "{c}"),
        };
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_in_its_line() {
        let mut out = String::new();
        write!(
            OneLine(&mut out),
            "a\n1796055000.000 INFO\r\u{1b}[2J\u{85}\u{2028} ü\t\"b\""
        )
        .expect("written");
        assert_eq!(out, r#"a\n1796055000.000 INFO\r\u{1b}[2J\u{85}\u{2028} ü\t"b""#);
    }

    #[test]
    fn text_in_json_keeps_its_quotes() {
        let mut out = String::new();
        json_text(&mut out, "a \"b\" \\ ü\n\u{1}");
        assert_eq!(out, r#""a \"b\" \\ ü\u000a\u0001""#);
    }
}
