//! The fuzzer: programs made at random, run by the oracle and by the machine in every stress mode,
//! compared, and cut down where they differ.

pub mod generate;
pub mod run;
pub mod sexp;
pub mod shrink;
