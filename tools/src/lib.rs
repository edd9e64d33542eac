//! What works on program texts without running them: the formatter behind `sx fmt` and the
//! checker behind `sx check`.
//!
//! Deliberately absent: the command line; a tool takes a `Source` and gives text or findings.

mod check;
pub mod compat;
mod format;

pub use check::{Finding, check};
pub use format::format;
