//! From text to running program: read, expand, compile, and the CEK machine.

pub mod core;
pub mod read;
