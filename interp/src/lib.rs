//! From text to running program: read, expand, compile, and the CEK machine.

pub mod compile;
pub mod control;
pub mod core;
pub mod expand;
pub mod read;
