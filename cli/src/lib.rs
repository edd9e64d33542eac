//! The command line `sx`: parses it, makes an isolate, runs the command, prints errors.
//!
//! Deliberately absent: anything an embedder could want; that is the crate `sx`.
//! Invariant: what a command prints as its result goes to standard output, everything else to
//! standard error.

mod args;

pub use args::reference;

use clap::Parser;
use std::process::ExitCode;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let _cli = args::Cli::parse();
    ExitCode::SUCCESS
}
