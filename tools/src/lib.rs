//! What works on program texts without running them: the formatter behind `sx fmt`.
//!
//! Deliberately absent: files and the command line; a tool takes a `Source` and gives text.

mod format;

pub use format::format;
