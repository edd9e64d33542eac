//! From text to running program: read, expand, compile, and the CEK machine.

pub mod boot;
pub mod bundle;
pub mod compile;
pub mod control;
pub mod core;
pub mod eval;
pub mod expand;
pub mod forget;
pub mod image;
pub mod machine;
pub mod read;
