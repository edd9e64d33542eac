//! Writing to the standard streams. A reader that went away is not an error of ours, so a write
//! that fails is dropped instead of a panic.

use std::io::{IsTerminal, Write};
use sx::{Error, Style};

/// Writes text to standard output.
pub fn text(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes text to standard error.
pub fn error_text(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes the report of an error to standard error, with colour if people look at it.
pub fn error(error: &Error) {
    error_text(&sx::report(error, style()));
}

/// With colour if people look at standard error.
pub fn style() -> Style {
    let wants_colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if wants_colour { Style::Colour } else { Style::Plain }
}
